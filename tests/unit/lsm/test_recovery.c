/* Opening: what is no database, what a crash left, what is damage, what is left over; and opening
 * only to read. */
#include "lsm_support.h"

static st_status recovery_try_open(store_case *c)
{
    return st_lsm_open(&c->op, &c->options, &c->lsm);
}

static void recovery_put_file(store_case *c, const char *path, const char *text)
{
    st_file *file;
    store_check(c,
                st_env_open(&c->op, c->options.env, path, ST_OPEN_WRITE | ST_OPEN_CREATE, &file));
    store_check(c, st_file_write_at(&c->op, file, 0, text, strlen(text)));
    store_check(c, st_file_sync(&c->op, file));
    st_file_close(file);
}

/* ---- what is no database ---------------------------------------------------------------- */

static void test_a_place_without_a_database_is_told_apart(void **state)
{
    store_case *c = *state;
    store_close(c);
    c->options.create = false;
    c->options.path = "/nowhere";
    assert_int_equal(recovery_try_open(c), ST_NOT_FOUND);
    assert_non_null(strstr(c->op.error.message, "/nowhere"));
    assert_null(c->lsm);
    st_op_clear(&c->op);
    store_check(c, st_env_mkdir(&c->op, c->options.env, "/empty"));
    c->options.path = "/empty";
    assert_int_equal(recovery_try_open(c), ST_NOT_FOUND);
    st_op_clear(&c->op);
    recovery_put_file(c, "/empty/diary.txt", "dear diary");
    c->options.create = true;
    assert_int_equal(recovery_try_open(c), ST_NOT_A_DATABASE);
    assert_non_null(strstr(c->op.error.message, "/empty"));
    assert_non_null(strstr(c->op.error.message, "diary.txt"));
    st_op_clear(&c->op);
    c->options.path = "/empty/diary.txt";
    assert_int_equal(recovery_try_open(c), ST_NOT_A_DATABASE);
    st_op_clear(&c->op);
    assert_null(store_find_file(c, "/empty/LOCK", 0)); /* nothing was left there */
}

static void test_a_database_without_current_is_damaged_not_new(void **state)
{
    store_case *c = *state;
    store_put(c, "a", "1");
    store_close(c);
    store_check(c, st_env_remove(&c->op, c->options.env, "/db/CURRENT"));
    assert_int_equal(recovery_try_open(c), ST_CORRUPT);
    assert_non_null(strstr(c->op.error.message, "/db/CURRENT"));
    st_op_clear(&c->op);
}

static void test_an_open_database_is_locked(void **state)
{
    store_case *c = *state;
    st_lsm *other;
    assert_int_equal(st_lsm_open(&c->op, &c->options, &other), ST_LOCKED);
    assert_null(other);
    st_op_clear(&c->op);
}

/* ---- the end of the log ----------------------------------------------------------------- */

/* The newest segment, and where its frames end. */
static void recovery_last_segment(store_case *c, char path[64], uint64_t *out_end)
{
    snprintf(path, 64, "%s", store_find_file(c, ".log", store_count_files(c, ".log") - 1));
    *out_end = simfs_size(c->sim, path);
    while (simfs_byte(c->sim, path, *out_end - 1) == 0) {
        *out_end -= 1;
    }
}

static void test_a_torn_tail_is_counted_and_the_log_goes_on_behind_it(void **state)
{
    store_case *c = *state;
    uint64_t end;
    char path[64];
    store_put(c, "a", "1");
    store_put(c, "b", "2");
    store_put(c, "c", "cut in the middle");
    recovery_last_segment(c, path, &end);
    simfs_crash_after(c->sim, 1);
    store_drop(c);
    simfs_restart(c->sim, SIMFS_KILL, 1);
    simfs_cut(c->sim, path, end - 5);
    store_open(c);
    assert_int_equal(st_lsm_applied(c->lsm), 2);
    assert_int_equal(store_stats(c).recovered_frames, 2);
    assert_in_range(store_stats(c).recovered_torn_bytes, 40, 80);
    store_expect_keys(c, NULL, "a b");
    assert_int_equal(store_write(c, "d", "4", ST_DURABILITY_NONE), 3);
    for (int i = 0; i < 3; i++) {
        store_crash(c, SIMFS_KILL);
        assert_int_equal(st_lsm_applied(c->lsm), 3);
        store_expect_keys(c, NULL, "a b d");
        assert_int_equal(store_stats(c).recovered_torn_bytes, 0);
    }
}

static void test_a_break_below_the_durable_frontier_is_damage(void **state)
{
    store_case *c = *state;
    uint64_t end;
    char path[64];
    store_check(c, store_try(c, "a", "1", ST_DURABILITY_SYNC));
    recovery_last_segment(c, path, &end);
    store_check(c, store_try(c, "b", "2", ST_DURABILITY_SYNC)); /* records that a is durable */
    simfs_crash_after(c->sim, 1);
    store_drop(c);
    simfs_restart(c->sim, SIMFS_LOSE_ALL, 1);
    simfs_flip(c->sim, path, 8 * (end - 1));
    assert_int_equal(recovery_try_open(c), ST_CORRUPT);
    assert_non_null(strstr(c->op.error.message, ".log"));
    assert_int_equal(c->op.error.position, 64);
    st_op_clear(&c->op);
}

static void test_any_break_after_a_clean_close_is_damage(void **state)
{
    store_case *c = *state;
    uint64_t end;
    char path[64];
    store_put(c, "a", "1");
    store_put(c, "b", "2");
    recovery_last_segment(c, path, &end);
    store_close(c);
    simfs_flip(c->sim, path, 8 * (end - 1));
    assert_int_equal(recovery_try_open(c), ST_CORRUPT);
    assert_non_null(strstr(c->op.error.message, ".log"));
    assert_true(c->op.error.position > 64);
    st_op_clear(&c->op);
}

/* A close after an opening that only replayed is a clean one too. */
static void test_a_close_without_writes_guards_what_was_replayed(void **state)
{
    store_case *c = *state;
    store_put(c, "a", "1");
    store_crash(c, SIMFS_KILL);
    store_close(c);
    while (store_count_files(c, ".log") > 0) {
        store_remove_file(c, ".log", 0);
    }
    st_status status = recovery_try_open(c);
    if (status == ST_OK) {
        store_expect(c, "a", "1");
    } else {
        assert_int_equal(status, ST_CORRUPT);
    }
    st_op_clear(&c->op);
}

static void test_a_missing_segment_is_damage(void **state)
{
    store_case *c = *state;
    store_put(c, "a", "1");
    store_close(c);
    store_open(c);
    store_put(c, "b", "2");
    store_close(c);
    assert_int_equal(store_count_files(c, ".log"), 2);
    for (uint32_t i = 0; i < 2; i++) {
        simfs *kept = c->sim;
        c->sim = simfs_clone(kept);
        c->options.env = simfs_env(c->sim);
        store_remove_file(c, ".log", i);
        assert_int_equal(recovery_try_open(c), ST_CORRUPT);
        assert_non_null(strstr(c->op.error.message, "log"));
        st_op_clear(&c->op);
        simfs_destroy(c->sim);
        c->sim = kept;
        c->options.env = simfs_env(kept);
    }
}

/* A sync of these frames may have failed unseen, and a second one would prove nothing. */
static void test_frames_that_nothing_proves_durable_are_written_again(void **state)
{
    store_case *c = *state;
    store_put(c, "a", "1");
    store_close(c);
    store_open(c);
    assert_int_equal(store_stats(c).flushes, 0); /* the close proved them */
    store_put(c, "b", "2");
    store_crash(c, SIMFS_KILL);
    assert_int_equal(store_stats(c).flushes, 1);
    assert_int_equal(store_stats(c).durable_sequence, 2);
    assert_int_equal(store_count_files(c, ".log"), 0);
    store_crash(c, SIMFS_LOSE_ALL);
    store_expect_keys(c, NULL, "a b");
}

static void test_a_full_disk_does_not_keep_a_database_from_opening(void **state)
{
    store_case *c = *state;
    store_put(c, "a", "1");
    simfs_crash_after(c->sim, 1);
    store_drop(c);
    simfs_restart(c->sim, SIMFS_KILL, 1);
    simfs_set_budget(c->sim, simfs_used_bytes(c->sim));
    store_open(c);
    store_expect(c, "a", "1");
    assert_int_equal(store_try(c, "b", "2", ST_DURABILITY_SYNC), ST_NO_SPACE);
    st_op_clear(&c->op);
    simfs_set_budget(c->sim, UINT64_MAX);
    store_check(c, store_try(c, "b", "2", ST_DURABILITY_SYNC));
    store_crash(c, SIMFS_LOSE_ALL);
    store_expect_keys(c, NULL, "a b");
}

static void test_many_short_openings_do_not_pile_up_segments(void **state)
{
    store_case *c = *state;
    char key[8];
    for (int i = 0; i < 60; i++) {
        snprintf(key, sizeof key, "%03d", i);
        store_put(c, key, "v");
        store_close(c);
        assert_in_range(store_count_files(c, ".log"), 0, 9);
        store_open(c);
    }
    for (int i = 0; i < 60; i++) {
        snprintf(key, sizeof key, "%03d", i);
        store_expect(c, key, "v");
    }
}

/* ---- leftovers -------------------------------------------------------------------------- */

static void test_leftovers_are_removed_and_strangers_are_not(void **state)
{
    store_case *c = *state;
    store_put(c, "a", "1");
    store_check(c, st_lsm_flush(&c->op, c->lsm));
    store_put(c, "b", "2");
    store_close(c);
    recovery_put_file(c, "/db/000000000900.sst", "left");
    recovery_put_file(c, "/db/MANIFEST-000000000901", "left");
    recovery_put_file(c, "/db/CURRENT.tmp", "left");
    recovery_put_file(c, "/db/000000000001.log", "left");
    recovery_put_file(c, "/db/notes.txt", "mine");
    store_open(c);
    store_expect_keys(c, NULL, "a b");
    assert_int_equal(store_count_files(c, ".sst"), 1);
    assert_null(store_find_file(c, "MANIFEST-000000000901", 0));
    assert_null(store_find_file(c, "CURRENT.tmp", 0));
    assert_null(store_find_file(c, "000000000001.log", 0));
    assert_non_null(store_find_file(c, "notes.txt", 0));
    store_put(c, "c", "3"); /* numbers of leftovers are not used again */
    uint64_t end;
    char path[64];
    recovery_last_segment(c, path, &end);
    assert_true(strcmp(path, "/db/000000000901.log") > 0);
}

typedef struct recovery_calls {
    st_env_calls calls;
    const st_env_calls *under;
    int syncs, removals, removals_before_sync;
} recovery_calls;
static recovery_calls recovery_order;

static st_status recovery_count_remove(st_op *op, st_env *env, const char *path)
{
    recovery_order.removals++;
    recovery_order.removals_before_sync += recovery_order.syncs == 0;
    return recovery_order.under->remove(op, env, path);
}

static st_status recovery_count_sync_dir(st_op *op, st_env *env, const char *path)
{
    recovery_order.syncs++;
    return recovery_order.under->sync_dir(op, env, path);
}

/* What CURRENT says was perhaps renamed a moment before the process ended, and never synced. */
static void test_the_directory_is_synced_before_the_first_removal(void **state)
{
    store_case *c = *state;
    store_put(c, "a", "1");
    store_check(c, st_lsm_flush(&c->op, c->lsm));
    store_close(c);
    recovery_put_file(c, "/db/000000000900.sst", "left");
    st_env *env = c->options.env;
    recovery_order = (recovery_calls){.calls = *env->calls, .under = env->calls};
    recovery_order.calls.remove = recovery_count_remove;
    recovery_order.calls.sync_dir = recovery_count_sync_dir;
    env->calls = &recovery_order.calls;
    store_open(c);
    env->calls = recovery_order.under;
    assert_int_equal(recovery_order.removals, 1);
    assert_int_equal(recovery_order.removals_before_sync, 0);
}

/* The process ends at any call of a flush and a compaction, a new one opens what it finds, and then
 * the machine stops: what the second one removed must not be what the disk still refers to. */
static void recovery_open_twice(void *ctx)
{
    store_case *c = ctx;
    store_case after = {.sim = simfs_after(c->sim, SIMFS_KILL, 1), .options = c->options};
    simfs_on_mutation(after.sim, NULL, NULL);
    after.options.env = simfs_env(after.sim);
    st_op_init(&after.op, st_alloc_process());
    store_open(&after);
    for (int how = 0; how < SIMFS_CRASH_STATES; how++) {
        store_case last = {.sim = simfs_after(after.sim, (simfs_state)how, 7),
                           .options = c->options};
        last.options.env = simfs_env(last.sim);
        st_op_init(&last.op, st_alloc_process());
        store_open(&last);
        store_expect(&last, "key 000", "value");
        store_expect(&last, "key 199", "value");
        store_close(&last);
        st_op_deinit(&last.op);
        simfs_destroy(last.sim);
    }
    store_close(&after);
    st_op_deinit(&after.op);
    simfs_destroy(after.sim);
}

static void recovery_fill(store_case *c)
{
    char key[16];
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "key %03d", i);
        store_put(c, key, "value");
        if (i == 60 || i == 120) {
            store_check(c, st_lsm_flush(&c->op, c->lsm));
        }
    }
    store_check(c, store_try(c, "key 199", "value", ST_DURABILITY_SYNC));
}

static void test_an_opening_removes_nothing_that_the_disk_still_names(void **state)
{
    store_case *c = *state;
    recovery_fill(c);
    simfs_on_mutation(c->sim, recovery_open_twice, c);
    store_check(c, st_lsm_flush(&c->op, c->lsm));
    store_check(c, st_lsm_compact(&c->op, c->lsm));
    simfs_on_mutation(c->sim, NULL, NULL);
}

/* Any call of a flush and a compaction fails: whatever manifest counts afterwards, its files are
 * there. */
static bool recovery_fail_call(store_case *c, uint64_t call, st_status status, simfs_state how)
{
    simfs *kept = c->sim;
    c->sim = simfs_clone(kept);
    c->options.env = simfs_env(c->sim);
    store_open(c);
    recovery_fill(c);
    simfs_fail_after(c->sim, call, status, false);
    st_status flushed = st_lsm_flush(&c->op, c->lsm);
    st_op_clear(&c->op);
    st_status compacted = st_lsm_compact(&c->op, c->lsm);
    st_op_clear(&c->op);
    bool has_failed = simfs_has_failed(c->sim);
    assert_true(has_failed || (flushed == ST_OK && compacted == ST_OK));
    simfs_fail_after(c->sim, 0, ST_OK, false);
    store_expect(c, "key 000", "value");
    bool is_writable = store_try(c, "key 000", "value", ST_DURABILITY_NONE) == ST_OK;
    st_op_clear(&c->op);
    if (is_writable && (flushed != ST_OK || compacted != ST_OK)) {
        assert_int_equal(store_count_files(c, ".sst"), store_files(c)); /* nothing half done */
    }
    simfs_crash_after(c->sim, 1);
    store_drop(c);
    simfs_restart(c->sim, how, call);
    store_open(c);
    char key[16];
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "key %03d", i);
        store_expect(c, key, "value");
    }
    assert_int_equal(store_count_files(c, ".sst"), store_files(c));
    store_close(c);
    simfs_destroy(c->sim);
    c->sim = kept;
    c->options.env = simfs_env(kept);
    return has_failed;
}

static void test_any_failing_call_of_a_flush_or_compaction_loses_nothing(void **state)
{
    store_case *c = *state;
    static const st_status failures[] = {ST_IO, ST_NO_SPACE};
    store_close(c);
    for (int how = SIMFS_LOSE_ALL; how <= SIMFS_KILL; how += SIMFS_KILL) {
        for (size_t i = 0; i < 2; i++) {
            uint64_t call = 1;
            while (recovery_fail_call(c, call, failures[i], (simfs_state)how)) {
                call++;
            }
            assert_in_range(call, 20, 500);
        }
    }
}

/* ---- only reading ----------------------------------------------------------------------- */

static void test_reading_only_needs_no_lock_and_writes_nothing(void **state)
{
    store_case *c = *state;
    store_put(c, "a", "1");
    store_check(c, st_lsm_flush(&c->op, c->lsm));
    store_put(c, "b", "2");
    st_lsm *writer = c->lsm;
    uint64_t mutations = simfs_mutations(c->sim);
    c->options.read_only = true;
    store_open(c);
    store_expect_keys(c, NULL, "a b");
    assert_int_equal(store_try(c, "c", "3", ST_DURABILITY_NONE), ST_READ_ONLY);
    st_op_clear(&c->op);
    assert_int_equal(st_lsm_flush(&c->op, c->lsm), ST_READ_ONLY);
    st_op_clear(&c->op);
    assert_int_equal(st_lsm_compact(&c->op, c->lsm), ST_READ_ONLY);
    st_op_clear(&c->op);
    store_check(c, st_lsm_wait_idle(&c->op, c->lsm));
    store_close(c);
    assert_int_equal(simfs_mutations(c->sim), mutations);
    c->options.read_only = false;
    c->lsm = writer;
    store_put(c, "c", "3");
    store_expect_keys(c, NULL, "a b c");
}

static void test_reading_only_makes_no_database(void **state)
{
    store_case *c = *state;
    store_close(c);
    c->options.read_only = true;
    c->options.path = "/nowhere";
    assert_int_equal(recovery_try_open(c), ST_NOT_FOUND);
    st_op_clear(&c->op);
    assert_null(store_find_file(c, "/nowhere/LOCK", 0));
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, store_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_a_place_without_a_database_is_told_apart),
        STORE_TEST(test_a_database_without_current_is_damaged_not_new),
        STORE_TEST(test_an_open_database_is_locked),
        STORE_TEST(test_a_torn_tail_is_counted_and_the_log_goes_on_behind_it),
        STORE_TEST(test_a_break_below_the_durable_frontier_is_damage),
        STORE_TEST(test_any_break_after_a_clean_close_is_damage),
        STORE_TEST(test_a_close_without_writes_guards_what_was_replayed),
        STORE_TEST(test_a_missing_segment_is_damage),
        STORE_TEST(test_frames_that_nothing_proves_durable_are_written_again),
        STORE_TEST(test_a_full_disk_does_not_keep_a_database_from_opening),
        STORE_TEST(test_many_short_openings_do_not_pile_up_segments),
        STORE_TEST(test_leftovers_are_removed_and_strangers_are_not),
        STORE_TEST(test_the_directory_is_synced_before_the_first_removal),
        STORE_TEST(test_an_opening_removes_nothing_that_the_disk_still_names),
        STORE_TEST(test_any_failing_call_of_a_flush_or_compaction_loses_nothing),
        STORE_TEST(test_reading_only_needs_no_lock_and_writes_nothing),
        STORE_TEST(test_reading_only_makes_no_database),
    };
    return cmocka_run_group_tests_name("lsm_recovery", tests, NULL, NULL);
}
