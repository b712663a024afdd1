/* Commits: what is visible when, what survives what, and what a failure leaves. */
#include "lsm_support.h"

#define SYNC ST_DURABILITY_SYNC
#define INTERVAL ST_DURABILITY_INTERVAL
#define NONE ST_DURABILITY_NONE

/* ---- visible = acknowledged ------------------------------------------------------------- */

static void test_a_sync_write_is_seen_only_when_it_is_durable(void **state)
{
    store_case *c = *state;
    st_lsm_snapshot *snapshot;
    uint64_t sequence = store_write(c, "a", "1", SYNC);
    assert_int_equal(st_lsm_applied(c->lsm), sequence);
    assert_int_equal(st_lsm_published(c->lsm), sequence - 1);
    store_expect(c, "a", NULL);
    store_expect_at(c, "a", "1", ST_LSM_APPLIED);
    store_check(c, st_lsm_snapshot_open(&c->op, c->lsm, &snapshot));
    store_check(c, st_lsm_wait(&c->op, c->lsm, sequence));
    assert_int_equal(st_lsm_published(c->lsm), sequence);
    store_expect(c, "a", "1");
    store_expect_keys(c, NULL, "a");
    store_expect_keys(c, snapshot, ""); /* it stands before the write for ever */
    st_lsm_snapshot_close(snapshot);
}

static void test_a_relaxed_write_is_seen_at_once_and_costs_no_sync(void **state)
{
    store_case *c = *state;
    uint64_t syncs = store_stats(c).syncs;
    uint64_t sequence = store_write(c, "a", "1", NONE);
    assert_int_equal(st_lsm_published(c->lsm), sequence);
    store_expect(c, "a", "1");
    store_check(c, st_lsm_wait(&c->op, c->lsm, sequence));
    assert_int_equal(store_stats(c).syncs, syncs);
}

static void test_a_relaxed_write_waits_for_the_sync_write_before_it(void **state)
{
    store_case *c = *state;
    uint64_t first = store_write(c, "a", "1", SYNC);
    uint64_t second = store_write(c, "b", "2", NONE);
    assert_int_equal(st_lsm_published(c->lsm), first - 1);
    store_expect(c, "b", NULL);
    store_check(c, st_lsm_wait(&c->op, c->lsm, second));
    assert_int_equal(st_lsm_published(c->lsm), second);
    store_expect_keys(c, NULL, "a b");
    assert_int_equal(store_stats(c).durable_sequence, second);
}

static void test_one_sync_serves_all_that_was_written_before_it(void **state)
{
    store_case *c = *state;
    uint64_t syncs = store_stats(c).syncs, last = 0;
    for (int i = 0; i < 10; i++) {
        last = store_write(c, "k", "v", SYNC);
    }
    for (uint64_t sequence = last - 9; sequence <= last; sequence++) {
        store_check(c, st_lsm_wait(&c->op, c->lsm, sequence));
    }
    assert_int_equal(store_stats(c).syncs, syncs + 1);
}

static void test_interval_writes_are_synced_when_the_interval_is_over(void **state)
{
    store_case *c = *state; /* its clock goes on by a millisecond with every call */
    uint64_t first = store_write(c, "a", "1", INTERVAL);
    int writes = 0;
    for (; store_stats(c).durable_sequence < first && writes < 500; writes++) {
        (void)store_write(c, "b", "2", INTERVAL);
    }
    assert_in_range(writes, 2, 110);
}

/* Something that happens in the middle of a call that changes the disk. */
typedef struct commit_meanwhile {
    store_case *c;
    uint64_t at; /* how many such calls later */
    void (*run)(struct commit_meanwhile *meanwhile);
    uint64_t sequence;
} commit_meanwhile;

static void commit_on_mutation(void *ctx)
{
    commit_meanwhile *meanwhile = ctx;
    if (meanwhile->at > 0 && --meanwhile->at == 0) {
        meanwhile->run(meanwhile);
    }
}

static void commit_write_meanwhile(commit_meanwhile *meanwhile)
{
    meanwhile->sequence = store_write(meanwhile->c, "b", "2", SYNC);
}

static void test_what_is_written_during_a_sync_waits_for_the_next_one(void **state)
{
    store_case *c = *state;
    commit_meanwhile meanwhile = {.c = c, .at = 1, .run = commit_write_meanwhile};
    uint64_t first = store_write(c, "a", "1", SYNC);
    simfs_on_mutation(c->sim, commit_on_mutation, &meanwhile);
    store_check(c, st_lsm_wait(&c->op, c->lsm, first));
    simfs_on_mutation(c->sim, NULL, NULL);
    assert_int_equal(meanwhile.sequence, first + 1);
    assert_int_equal(st_lsm_published(c->lsm), first);
    store_expect_keys(c, NULL, "a");
    store_check(c, st_lsm_wait(&c->op, c->lsm, first + 1));
    store_expect_keys(c, NULL, "a b");
}

/* ---- what survives ---------------------------------------------------------------------- */

static void test_levels_survive_what_they_promise(void **state)
{
    store_case *c = *state;
    store_check(c, store_try(c, "a", "none", NONE));
    store_check(c, store_try(c, "b", "sync", SYNC)); /* and all before it */
    store_check(c, store_try(c, "c", "interval", INTERVAL));
    store_check(c, store_try(c, "d", "none", NONE));
    store_crash(c, SIMFS_KILL);
    store_expect_keys(c, NULL, "a b c d"); /* the end of the process loses nothing */
    store_check(c, store_try(c, "e", "none", NONE));
    store_crash(c, SIMFS_LOSE_ALL);
    store_expect_keys(c, NULL, "a b c d"); /* which the opening made durable */
    store_check(c, store_try(c, "e", "none", NONE));
    store_check(c, store_try(c, "f", "none", NONE));
    store_check(c, store_try(c, "g", "sync", SYNC));
    store_check(c, store_try(c, "h", "none", NONE));
    store_crash(c, SIMFS_LOSE_ALL);
    store_expect_keys(c, NULL, "a b c d e f g");
}

static void test_a_close_makes_everything_durable(void **state)
{
    store_case *c = *state;
    store_put(c, "a", "1");
    store_close(c);
    simfs_restart(c->sim, SIMFS_LOSE_ALL, 1);
    store_open(c);
    store_expect(c, "a", "1");
    assert_int_equal(store_stats(c).recovered_torn_bytes, 0);
}

static void test_syncs_reach_over_segments(void **state)
{
    store_case *c = *state;
    char text[4000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    store_close(c);
    c->options.memtable_bytes = 512 << 10; /* so that no flush takes the segments away */
    store_open(c);
    uint64_t segments = store_stats(c).log_segments;
    for (int i = 0; i < 40; i++) {
        char key[8];
        snprintf(key, sizeof key, "%02d", i);
        store_put(c, key, text);
    }
    assert_true(store_stats(c).log_segments > segments + 1);
    store_check(c, store_try(c, "40", "last", SYNC));
    store_crash(c, SIMFS_LOSE_ALL);
    char keys[41 * 3 + 1] = "00";
    for (int i = 1; i <= 40; i++) {
        snprintf(keys + 3 * i - 1, 4, " %02d", i);
    }
    store_expect_keys(c, NULL, keys);
}

static void test_a_giant_batch_gets_a_segment_of_its_own(void **state)
{
    store_case *c = *state;
    size_t bytes = (size_t)3 << 20;
    char *text = malloc(bytes + 1);
    memset(text, 'g', bytes);
    text[bytes] = 0;
    store_check(c, store_try(c, "a", "small", SYNC));
    store_check(c, store_try(c, "giant", text, SYNC));
    store_check(c, store_try(c, "z", "small", SYNC));
    store_crash(c, SIMFS_LOSE_ALL);
    store_expect(c, "giant", text);
    store_expect_keys(c, NULL, "a giant z");
    free(text);
}

/* ---- failures --------------------------------------------------------------------------- */

static void test_after_a_failed_sync_nothing_unpublished_is_ever_shown(void **state)
{
    store_case *c = *state;
    store_check(c, store_try(c, "a", "1", SYNC));
    uint64_t published = st_lsm_published(c->lsm);
    uint64_t second = store_write(c, "a", "2", SYNC);
    uint64_t third = store_write(c, "b", "2", NONE);
    simfs_fail_after(c->sim, 1, ST_IO, false);
    assert_int_equal(st_lsm_wait(&c->op, c->lsm, second), ST_FAILED);
    assert_true(st_status_flags(ST_FAILED) & ST_STATUS_MAYBE_APPLIED);
    st_op_clear(&c->op);
    assert_int_equal(st_lsm_wait(&c->op, c->lsm, third), ST_FAILED);
    st_op_clear(&c->op);
    assert_int_equal(store_try(c, "c", "3", NONE), ST_FAILED);
    st_op_clear(&c->op);
    assert_int_equal(st_lsm_flush(&c->op, c->lsm), ST_FAILED);
    st_op_clear(&c->op);
    assert_int_equal(st_lsm_published(c->lsm), published);
    store_expect(c, "a", "1");
    store_expect_keys(c, NULL, "a");
    st_lsm *lsm = c->lsm;
    c->lsm = NULL;
    assert_int_equal(st_lsm_close(&c->op, lsm), ST_FAILED);
    st_op_clear(&c->op);
    store_open(c);
    uint64_t found = st_lsm_applied(c->lsm);
    assert_in_range(found, published, third);
    store_expect(c, "a", found >= second ? "2" : "1");
    store_check(c, store_try(c, "c", "3", SYNC));
    store_crash(c, SIMFS_LOSE_ALL);
    store_expect(c, "a", found >= second ? "2" : "1");
    store_expect(c, "c", "3");
}

static void commit_fail_meanwhile(commit_meanwhile *meanwhile)
{
    store_case *c = meanwhile->c;
    st_op op;
    st_op_init(&op, st_alloc_process());
    simfs_fail_after(c->sim, 1, ST_IO, false);
    assert_int_equal(st_lsm_wait(&op, c->lsm, meanwhile->sequence), ST_FAILED);
    st_op_deinit(&op);
}

/* The flush that is under way would make the frame durable: but its caller has been told. */
static void test_a_flush_does_not_show_what_a_failed_sync_has_hidden(void **state)
{
    store_case *c = *state;
    store_check(c, store_try(c, "a", "1", SYNC));
    commit_meanwhile meanwhile = {.c = c, .at = 3, .run = commit_fail_meanwhile};
    meanwhile.sequence = store_write(c, "b", "2", SYNC);
    simfs_on_mutation(c->sim, commit_on_mutation, &meanwhile);
    (void)!st_lsm_flush(&c->op, c->lsm);
    simfs_on_mutation(c->sim, NULL, NULL);
    st_op_clear(&c->op);
    assert_int_equal(meanwhile.at, 0);
    assert_int_equal(st_lsm_published(c->lsm), meanwhile.sequence - 1);
    store_expect_keys(c, NULL, "a");
    store_drop(c);
    store_open(c);
    store_expect_keys(c, NULL, "a b");
}

static void test_after_a_failed_write_of_the_log_only_reads_go_on(void **state)
{
    store_case *c = *state;
    store_check(c, store_try(c, "a", "1", SYNC));
    simfs_fail_after(c->sim, 1, ST_IO, false);
    assert_int_equal(store_try(c, "b", "2", NONE), ST_FAILED);
    assert_non_null(strstr(c->op.error.message, "injected"));
    st_op_clear(&c->op);
    assert_int_equal(store_try(c, "b", "2", NONE), ST_FAILED);
    store_expect_keys(c, NULL, "a");
    store_drop(c);
    store_open(c);
    store_expect(c, "a", "1");
    store_put(c, "b", "3");
}

/* A write call that fails for lack of space may have written a part: that is no clean NO_SPACE. */
static void test_a_half_written_frame_is_a_failure_of_the_log(void **state)
{
    store_case *c = *state;
    store_check(c, store_try(c, "a", "1", SYNC));
    simfs_fail_after(c->sim, 1, ST_NO_SPACE, false);
    assert_int_equal(store_try(c, "b", "2", NONE), ST_FAILED);
    store_drop(c);
    store_open(c);
    store_expect(c, "a", "1");
}

static void test_a_full_disk_refuses_writes_and_forgets_nothing(void **state)
{
    store_case *c = *state;
    char text[3000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    store_check(c, store_try(c, "a", "1", SYNC));
    simfs_set_budget(c->sim, simfs_used_bytes(c->sim) + 1000);
    st_status status = ST_OK;
    int written = 0;
    for (; status == ST_OK && written < 200; written++) {
        status = store_try(c, "filler", text, NONE);
    }
    assert_int_equal(status, ST_NO_SPACE);
    st_op_clear(&c->op);
    store_expect(c, "a", "1");
    store_expect(c, "filler", text);
    uint64_t last = st_lsm_applied(c->lsm);
    simfs_set_budget(c->sim, UINT64_MAX);
    store_check(c, store_try(c, "b", "2", SYNC)); /* with all relaxed writes before it */
    assert_int_equal(store_stats(c).durable_sequence, last + 1);
    store_crash(c, SIMFS_LOSE_ALL);
    assert_int_equal(st_lsm_applied(c->lsm), last + 1);
    store_expect_keys(c, NULL, "a b filler");
}

/* ---- batches ---------------------------------------------------------------------------- */

static void test_the_last_operation_of_a_batch_on_a_key_wins(void **state)
{
    store_case *c = *state;
    st_lsm_batch batch;
    uint64_t sequence;
    for (int reopen = 0; reopen < 3; reopen++) {
        st_lsm_batch_init(&batch, st_alloc_process());
        st_lsm_batch_put(&batch, st_slice_str("a"), st_slice_str("1"));
        st_lsm_batch_put(&batch, st_slice_str("b"), st_slice_str("1"));
        st_lsm_batch_delete(&batch, st_slice_str("b"));
        st_lsm_batch_delete(&batch, st_slice_str("a"));
        st_lsm_batch_put(&batch, st_slice_str("a"), st_slice_str("2"));
        st_lsm_batch_put(&batch, st_slice_str("a"), st_slice_str("3"));
        store_check(c, st_lsm_write(&c->op, c->lsm, &batch, SYNC, &sequence));
        store_check(c, st_lsm_wait(&c->op, c->lsm, sequence));
        st_lsm_batch_deinit(&batch);
        store_expect(c, "a", "3");
        store_expect_keys(c, NULL, "a");
        if (reopen == 0) {
            store_crash(c, SIMFS_LOSE_ALL);
        } else if (reopen == 1) {
            store_check(c, st_lsm_flush(&c->op, c->lsm));
        } else {
            store_check(c, st_lsm_compact(&c->op, c->lsm));
        }
        store_expect(c, "a", "3");
        store_expect_keys(c, NULL, "a");
    }
}

static void test_what_is_no_batch_is_refused_before_anything_is_written(void **state)
{
    store_case *c = *state;
    st_lsm_batch batch;
    static uint8_t key[ST_LSM_KEY_BYTES_MAX + 1];
    uint64_t bytes = store_stats(c).written_bytes_log;
    st_lsm_batch_init(&batch, st_alloc_process());
    assert_int_equal(st_lsm_write(&c->op, c->lsm, &batch, SYNC, NULL), ST_INVALID_ARGUMENT);
    st_op_clear(&c->op);
    st_lsm_batch_put(&batch, st_slice_of(key, sizeof key), st_slice_str("v"));
    assert_int_equal(st_lsm_write(&c->op, c->lsm, &batch, SYNC, NULL), ST_INVALID_ARGUMENT);
    st_op_clear(&c->op);
    st_lsm_batch_clear(&batch);
    st_lsm_batch_put(&batch, st_slice_of(key, sizeof key - 1), st_slice_str("v"));
    batch.bytes.failed = true; /* as after an append without memory */
    assert_int_equal(st_lsm_write(&c->op, c->lsm, &batch, SYNC, NULL), ST_NO_MEMORY);
    st_op_clear(&c->op);
    assert_int_equal(store_stats(c).written_bytes_log, bytes);
    batch.bytes.failed = false;
    store_check(c, st_lsm_write(&c->op, c->lsm, &batch, SYNC, NULL));
    st_lsm_batch_deinit(&batch);
    assert_int_equal(st_lsm_applied(c->lsm), 1);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, store_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_a_sync_write_is_seen_only_when_it_is_durable),
        STORE_TEST(test_a_relaxed_write_is_seen_at_once_and_costs_no_sync),
        STORE_TEST(test_a_relaxed_write_waits_for_the_sync_write_before_it),
        STORE_TEST(test_one_sync_serves_all_that_was_written_before_it),
        STORE_TEST(test_interval_writes_are_synced_when_the_interval_is_over),
        STORE_TEST(test_what_is_written_during_a_sync_waits_for_the_next_one),
        STORE_TEST(test_levels_survive_what_they_promise),
        STORE_TEST(test_a_close_makes_everything_durable),
        STORE_TEST(test_syncs_reach_over_segments),
        STORE_TEST(test_a_giant_batch_gets_a_segment_of_its_own),
        STORE_TEST(test_after_a_failed_sync_nothing_unpublished_is_ever_shown),
        STORE_TEST(test_a_flush_does_not_show_what_a_failed_sync_has_hidden),
        STORE_TEST(test_after_a_failed_write_of_the_log_only_reads_go_on),
        STORE_TEST(test_a_half_written_frame_is_a_failure_of_the_log),
        STORE_TEST(test_a_full_disk_refuses_writes_and_forgets_nothing),
        STORE_TEST(test_the_last_operation_of_a_batch_on_a_key_wins),
        STORE_TEST(test_what_is_no_batch_is_refused_before_anything_is_written),
    };
    return cmocka_run_group_tests_name("lsm_commit", tests, NULL, NULL);
}
