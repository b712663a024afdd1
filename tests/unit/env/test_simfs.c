/* The simulated Env does to files what it says: what each crash must keep and may not keep, failed
 * calls, a full disk, damage at rest, and the same again from the same seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>

#include "env/env.h"
#include "support/simfs.h"

#define SIM_BYTES 16384u
#define SIM_SEEDS 64u

typedef struct sim_case {
    st_op op;
    simfs *sim;
    st_env *env;
} sim_case;

static int setup(void **state)
{
    sim_case *c = calloc(1, sizeof *c);
    st_op_init(&c->op, st_alloc_process());
    c->sim = simfs_create(7);
    c->env = simfs_env(c->sim);
    assert_int_equal(st_env_mkdir(&c->op, c->env, "/d"), ST_OK);
    assert_int_equal(st_env_sync_dir(&c->op, c->env, "/"), ST_OK);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    sim_case *c = *state;
    assert_int_equal(simfs_open_handles(c->sim), 0);
    simfs_destroy(c->sim);
    st_op_deinit(&c->op);
    free(c);
    return 0;
}

static st_file *sim_open(sim_case *c, const char *path)
{
    st_file *file;
    assert_int_equal(st_env_open(&c->op, c->env, path, ST_OPEN_WRITE | ST_OPEN_CREATE, &file),
                     ST_OK);
    return file;
}

static st_status sim_fill(sim_case *c, st_file *file, uint64_t offset, char byte, size_t bytes)
{
    static char room[2 * SIM_BYTES];
    memset(room, byte, bytes);
    return st_file_write_at(&c->op, file, offset, room, bytes);
}

static void sim_put(sim_case *c, const char *path, uint64_t offset, char byte, size_t bytes,
                    bool is_synced)
{
    st_file *file = sim_open(c, path);
    assert_int_equal(sim_fill(c, file, offset, byte, bytes), ST_OK);
    if (is_synced) {
        assert_int_equal(st_file_sync(&c->op, file), ST_OK);
    }
    st_file_close(file);
}

static bool sim_has(const simfs *sim, const char *path)
{
    for (size_t i = 0; simfs_name(sim, i); i++) {
        if (strcmp(simfs_name(sim, i), path) == 0) {
            return true;
        }
    }
    return false;
}

/* How many bytes of the file are this one. */
static size_t sim_count(const simfs *sim, const char *path, char byte)
{
    size_t count = 0;
    for (uint64_t i = 0; i < simfs_size(sim, path); i++) {
        count += simfs_byte(sim, path, i) == (uint8_t)byte;
    }
    return count;
}

/* Durable: "old" of o, "from", "gone". Not: n over all of "old", then m at its end; "new" of n;
 * "from" renamed to "to"; "gone" removed. */
static void sim_prepare(sim_case *c)
{
    sim_put(c, "/d/old", 0, 'o', SIM_BYTES, true);
    sim_put(c, "/d/from", 0, 'f', 10, true);
    sim_put(c, "/d/gone", 0, 'g', 10, true);
    assert_int_equal(st_env_sync_dir(&c->op, c->env, "/d"), ST_OK);
    sim_put(c, "/d/old", 0, 'n', SIM_BYTES, false);
    sim_put(c, "/d/new", 0, 'n', 1000, false);
    assert_int_equal(st_env_rename(&c->op, c->env, "/d/from", "/d/to"), ST_OK);
    assert_int_equal(st_env_remove(&c->op, c->env, "/d/gone"), ST_OK);
    sim_put(c, "/d/old", SIM_BYTES, 'm', 5000, false);
}

static void sim_check_names(const simfs *sim, bool are_new)
{
    assert_true(sim_has(sim, "/d/old"));
    assert_int_equal(sim_has(sim, "/d/new"), are_new);
    assert_int_equal(sim_has(sim, "/d/to"), are_new);
    assert_int_equal(sim_has(sim, "/d/from"), !are_new);
    assert_int_equal(sim_has(sim, "/d/gone"), !are_new);
}

/* ---- crash states ----------------------------------------------------------------------- */

static void losing_all_leaves_what_was_synced(void **state)
{
    sim_case *c = *state;
    sim_prepare(c);
    simfs *after = simfs_after(c->sim, SIMFS_LOSE_ALL, 1);
    sim_check_names(after, false);
    assert_int_equal(simfs_size(after, "/d/old"), SIM_BYTES);
    assert_int_equal(sim_count(after, "/d/old", 'o'), SIM_BYTES);
    simfs_destroy(after);
    sim_check_names(c->sim, true); /* the original goes on */
    assert_int_equal(sim_count(c->sim, "/d/old", 'n'), SIM_BYTES);
}

static void keeping_all_leaves_what_was_written(void **state)
{
    sim_case *c = *state;
    sim_prepare(c);
    simfs *after = simfs_after(c->sim, SIMFS_KEEP_ALL, 1);
    simfs *again = simfs_after(after, SIMFS_LOSE_ALL, 2); /* what survived is durable */
    for (int i = 0; i < 2; i++) {
        const simfs *sim = i == 0 ? after : again;
        sim_check_names(sim, true);
        assert_int_equal(sim_count(sim, "/d/old", 'n'), SIM_BYTES);
        assert_int_equal(sim_count(sim, "/d/old", 'm'), 5000);
        assert_int_equal(sim_count(sim, "/d/new", 'n'), 1000);
    }
    simfs_destroy(again);
    simfs_destroy(after);
}

static void killing_keeps_all_but_makes_nothing_durable(void **state)
{
    sim_case *c = *state;
    sim_prepare(c);
    simfs *after = simfs_after(c->sim, SIMFS_KILL, 1);
    sim_check_names(after, true);
    assert_int_equal(sim_count(after, "/d/old", 'm'), 5000);
    simfs *again = simfs_after(after, SIMFS_LOSE_ALL, 2);
    sim_check_names(again, false);
    assert_int_equal(sim_count(again, "/d/old", 'o'), SIM_BYTES);
    simfs_destroy(again);
    simfs_destroy(after);
}

static void random_sectors_are_old_or_new_as_a_whole(void **state)
{
    sim_case *c = *state;
    bool has_small = false, has_large = false, has_old_length = false, has_new_length = false;
    sim_prepare(c);
    for (uint64_t seed = 0; seed < SIM_SEEDS; seed++) {
        simfs *after = simfs_after(c->sim, SIMFS_RANDOM_SECTORS, seed);
        bool is_small = false;
        for (uint64_t at = 0; at < SIM_BYTES; at += 512) {
            uint8_t first = simfs_byte(after, "/d/old", at);
            assert_true(first == 'o' || first == 'n');
            for (uint64_t i = 1; i < 512; i++) {
                assert_int_equal(simfs_byte(after, "/d/old", at + i), first);
            }
            is_small |= at % 4096 != 0 && first != simfs_byte(after, "/d/old", at - 512);
        }
        size_t old = sim_count(after, "/d/old", 'o');
        has_small |= is_small;
        has_large |= !is_small && old > 0 && old < SIM_BYTES;
        has_old_length |= simfs_size(after, "/d/old") == SIM_BYTES;
        has_new_length |= simfs_size(after, "/d/old") == SIM_BYTES + 5000;
        simfs_destroy(after);
    }
    assert_true(has_small && has_large && has_old_length && has_new_length);
}

static void a_torn_prefix_has_all_before_the_tear_and_nothing_behind(void **state)
{
    sim_case *c = *state;
    bool has_middle = false, has_whole = false, has_none = false;
    sim_prepare(c);
    for (uint64_t seed = 0; seed < SIM_SEEDS; seed++) {
        simfs *after = simfs_after(c->sim, SIMFS_TORN_PREFIX, seed);
        size_t n = sim_count(after, "/d/old", 'n'), m = sim_count(after, "/d/old", 'm');
        for (uint64_t i = 0; i < SIM_BYTES; i++) {
            assert_int_equal(simfs_byte(after, "/d/old", i), i < n ? 'n' : 'o');
        }
        assert_int_equal(simfs_size(after, "/d/old"), SIM_BYTES + m);
        bool has_new = sim_has(after, "/d/new"), has_to = sim_has(after, "/d/to");
        assert_true(n == SIM_BYTES || !has_new);
        assert_true(!has_to || (has_new && sim_count(after, "/d/new", 'n') == 1000));
        assert_int_equal(has_to, !sim_has(after, "/d/from"));
        assert_true(has_to || sim_has(after, "/d/gone"));
        assert_true(m == 0 || !sim_has(after, "/d/gone"));
        has_middle |= n > 0 && n < SIM_BYTES;
        has_whole |= m == 5000;
        has_none |= n == 0;
        simfs_destroy(after);
    }
    assert_true(has_middle && has_whole && has_none);
}

static void losing_names_keeps_bytes_but_for_the_torn_last_write(void **state)
{
    sim_case *c = *state;
    bool has_torn = false, has_whole = false;
    sim_prepare(c);
    for (uint64_t seed = 0; seed < SIM_SEEDS; seed++) {
        simfs *after = simfs_after(c->sim, SIMFS_LOSE_NAMES, seed);
        sim_check_names(after, false);
        assert_int_equal(sim_count(after, "/d/old", 'n'), SIM_BYTES);
        size_t m = sim_count(after, "/d/old", 'm');
        assert_int_equal(simfs_size(after, "/d/old"), SIM_BYTES + m);
        has_torn |= m > 0 && m < 5000;
        has_whole |= m == 5000;
        simfs_destroy(after);
    }
    assert_true(has_torn && has_whole);
}

static void zero_data_has_names_and_lengths_but_no_bytes(void **state)
{
    sim_case *c = *state;
    sim_prepare(c);
    simfs *after = simfs_after(c->sim, SIMFS_ZERO_DATA, 1);
    sim_check_names(after, true);
    assert_int_equal(simfs_size(after, "/d/old"), SIM_BYTES + 5000);
    assert_int_equal(sim_count(after, "/d/old", 0), SIM_BYTES + 5000);
    assert_int_equal(sim_count(after, "/d/new", 0), 1000);
    assert_int_equal(sim_count(after, "/d/to", 'f'), 10); /* was durable */
    simfs_destroy(after);
}

static void a_sync_is_for_one_file_and_not_for_its_name(void **state)
{
    sim_case *c = *state;
    sim_put(c, "/d/named", 0, 'a', 10, false);
    sim_put(c, "/d/synced", 0, 'b', 10, true);
    simfs *after = simfs_after(c->sim, SIMFS_LOSE_ALL, 1);
    assert_false(sim_has(after, "/d/named") || sim_has(after, "/d/synced"));
    simfs_destroy(after);
    assert_int_equal(st_env_sync_dir(&c->op, c->env, "/d"), ST_OK);
    after = simfs_after(c->sim, SIMFS_LOSE_ALL, 1);
    assert_int_equal(simfs_size(after, "/d/named"), 0);
    assert_int_equal(sim_count(after, "/d/synced", 'b'), 10);
    simfs_destroy(after);
}

static void a_lost_directory_takes_all_below_it_along(void **state)
{
    sim_case *c = *state;
    assert_int_equal(st_env_mkdir(&c->op, c->env, "/e"), ST_OK);
    assert_int_equal(st_env_mkdir(&c->op, c->env, "/e/f"), ST_OK);
    sim_put(c, "/e/f/file", 0, 'a', 10, true);
    assert_int_equal(st_env_sync_dir(&c->op, c->env, "/e/f"), ST_OK);
    assert_int_equal(st_env_sync_dir(&c->op, c->env, "/e"), ST_OK);
    simfs *after = simfs_after(c->sim, SIMFS_LOSE_ALL, 1);
    assert_null(simfs_name(after, 0));
    simfs_destroy(after);
}

static void the_same_seed_leaves_the_same(void **state)
{
    sim_case *c = *state;
    sim_prepare(c);
    for (int i = 0; i < SIMFS_ALL_STATES; i++) {
        simfs *a = simfs_after(c->sim, (simfs_state)i, 3),
              *b = simfs_after(c->sim, (simfs_state)i, 3);
        for (size_t n = 0; simfs_name(a, n) || simfs_name(b, n); n++) {
            static char bytes[2][2 * SIM_BYTES];
            const char *name = simfs_name(a, n);
            assert_string_equal(name, simfs_name(b, n));
            size_t size = simfs_copy_out(a, name, 0, bytes[0], sizeof bytes[0]);
            assert_int_equal(size, simfs_size(a, name));
            assert_int_equal(size, simfs_copy_out(b, name, 0, bytes[1], sizeof bytes[1]));
            assert_memory_equal(bytes[0], bytes[1], size);
        }
        simfs_destroy(a);
        simfs_destroy(b);
    }
}

static void a_crash_fails_every_call_until_restart(void **state)
{
    sim_case *c = *state;
    st_file *file = sim_open(c, "/d/file"), *second;
    uint64_t bytes, calls = simfs_mutations(c->sim);
    char byte;
    size_t got;
    simfs_crash_after(c->sim, 2);
    assert_int_equal(sim_fill(c, file, 0, 'a', 10), ST_OK);
    assert_false(simfs_has_crashed(c->sim));
    assert_int_equal(sim_fill(c, file, 10, 'b', 10), ST_IO);
    assert_true(simfs_has_crashed(c->sim));
    assert_int_equal(simfs_mutations(c->sim), calls + 2);
    assert_int_equal(c->op.error.os_error, EIO);
    assert_int_equal(st_file_sync(NULL, file), ST_IO);
    assert_int_equal(st_file_size(NULL, file, &bytes), ST_IO);
    assert_int_equal(st_file_read_at(NULL, file, 0, &byte, 1, &got), ST_IO);
    assert_int_equal(st_env_open(NULL, c->env, "/d/file", ST_OPEN_READ, &second), ST_IO);
    st_file_close(file);
    simfs_restart(c->sim, SIMFS_KILL, 1);
    assert_int_equal(simfs_size(c->sim, "/d/file"), 10);
    sim_put(c, "/d/file", 10, 'c', 10, true);
}

/* ---- failing calls ---------------------------------------------------------------------- */

static void a_call_fails_once_or_for_ever_by_its_kind(void **state)
{
    sim_case *c = *state;
    st_file *file = sim_open(c, "/d/file"), *second;
    char byte;
    size_t got;
    simfs_fail_kinds_after(c->sim, SIMFS_CALL_READ, 2, ST_IO, false);
    assert_int_equal(sim_fill(c, file, 0, 'a', 10), ST_OK);
    assert_int_equal(st_file_read_at(&c->op, file, 0, &byte, 1, &got), ST_OK);
    assert_int_equal(st_file_sync(&c->op, file), ST_OK);
    assert_false(simfs_has_failed(c->sim));
    assert_int_equal(st_file_read_at(&c->op, file, 0, &byte, 1, &got), ST_IO);
    assert_int_equal(c->op.error.os_error, EIO);
    assert_true(simfs_has_failed(c->sim));
    st_op_clear(&c->op);
    assert_int_equal(st_file_read_at(&c->op, file, 0, &byte, 1, &got), ST_OK);
    simfs_fail_kinds_after(c->sim, SIMFS_CALL_OPEN | SIMFS_CALL_LIST, 1, ST_NO_SPACE, true);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            st_env_open(&c->op, c->env, "/d/x", ST_OPEN_WRITE | ST_OPEN_CREATE, &second),
            ST_NO_SPACE);
        assert_int_equal(c->op.error.os_error, ENOSPC);
    }
    assert_false(sim_has(c->sim, "/d/x"));
    simfs_fail_after(c->sim, 0, ST_OK, false);
    st_op_clear(&c->op);
    st_file_close(sim_open(c, "/d/x"));
    st_file_close(file);
}

static void a_failed_write_or_sync_kills_the_handle(void **state)
{
    sim_case *c = *state;
    static const uint32_t kinds[] = {SIMFS_CALL_WRITE, SIMFS_CALL_SYNC, SIMFS_CALL_TRUNCATE};
    for (int i = 0; i < 3; i++) {
        st_file *file = sim_open(c, "/d/file");
        simfs_fail_kinds_after(c->sim, kinds[i], 1, i == 0 ? ST_NO_SPACE : ST_IO, false);
        st_status status = i == 0   ? sim_fill(c, file, 0, 'a', 1)
                           : i == 1 ? st_file_sync(&c->op, file)
                                    : st_file_truncate(&c->op, file, 9);
        assert_int_equal(status, i == 0 ? ST_NO_SPACE : ST_IO);
        assert_int_equal(sim_fill(c, file, 0, 'a', 1), ST_FAILED);
        assert_int_equal(st_file_sync(&c->op, file), ST_FAILED);
        assert_int_equal(st_file_truncate(&c->op, file, 3), ST_FAILED);
        st_op_clear(&c->op);
        st_file_close(file);
    }
}

static void what_a_failed_sync_lost_is_read_but_never_durable(void **state)
{
    sim_case *c = *state;
    sim_put(c, "/d/file", 0, 'o', 100, true);
    assert_int_equal(st_env_sync_dir(&c->op, c->env, "/d"), ST_OK);
    st_file *file = sim_open(c, "/d/file");
    assert_int_equal(sim_fill(c, file, 0, 'n', 100), ST_OK);
    simfs_fail_kinds_after(c->sim, SIMFS_CALL_SYNC, 1, ST_IO, false);
    assert_int_equal(st_file_sync(&c->op, file), ST_IO);
    st_op_clear(&c->op);
    st_file_close(file);
    sim_put(c, "/d/file", 100, 'm', 100, true); /* another handle, and its sync is fine */
    assert_int_equal(sim_count(c->sim, "/d/file", 'n'), 100);
    for (int i = 0; i < SIMFS_CRASH_STATES; i++) {
        simfs *after = simfs_after(c->sim, (simfs_state)i, 5);
        assert_int_equal(sim_count(after, "/d/file", 'o'), 100);
        assert_int_equal(sim_count(after, "/d/file", 'm'), 100);
        simfs_destroy(after);
    }
    simfs *after = simfs_after(c->sim, SIMFS_KILL, 5);
    assert_int_equal(sim_count(after, "/d/file", 'n'), 100);
    simfs_destroy(after);
}

static void a_full_disk_takes_no_more_until_there_is_space(void **state)
{
    sim_case *c = *state;
    sim_put(c, "/d/file", 0, 'a', 600, true);
    simfs_set_budget(c->sim, 1000);
    assert_int_equal(simfs_used_bytes(c->sim), 600);
    sim_put(c, "/d/other", 0, 'b', 400, true);
    st_file *file = sim_open(c, "/d/file");
    assert_int_equal(sim_fill(c, file, 0, 'c', 600), ST_OK); /* not longer */
    assert_int_equal(sim_fill(c, file, 600, 'd', 1), ST_NO_SPACE);
    assert_int_equal(c->op.error.os_error, ENOSPC);
    st_op_clear(&c->op);
    st_file_close(file);
    file = sim_open(c, "/d/file");
    assert_int_equal(st_file_truncate(&c->op, file, 700), ST_NO_SPACE);
    st_op_clear(&c->op);
    st_file_close(file);
    assert_int_equal(st_env_remove(&c->op, c->env, "/d/other"), ST_OK);
    sim_put(c, "/d/file", 600, 'd', 400, true);
    simfs_set_budget(c->sim, 2000);
    sim_put(c, "/d/file", 1000, 'd', 1000, true);
    assert_int_equal(simfs_used_bytes(c->sim), 2000);
}

/* ---- the rest --------------------------------------------------------------------------- */

static void damage_at_rest_survives_a_crash(void **state)
{
    sim_case *c = *state;
    sim_put(c, "/d/file", 0, 'a', 100, true);
    assert_int_equal(st_env_sync_dir(&c->op, c->env, "/d"), ST_OK);
    simfs_flip(c->sim, "/d/file", 8 * 50 + 1);
    simfs_cut(c->sim, "/d/file", 60);
    for (int i = 0; i < SIMFS_ALL_STATES; i++) {
        simfs *after = simfs_after(c->sim, (simfs_state)i, 1);
        assert_int_equal(simfs_size(after, "/d/file"), 60);
        assert_int_equal(simfs_byte(after, "/d/file", 50), 'a' ^ 2);
        assert_int_equal(sim_count(after, "/d/file", 'a'), 59);
        simfs_destroy(after);
    }
}

static void time_goes_on_by_calls_alone_and_entropy_is_the_seeds(void **state)
{
    sim_case *c = *state;
    uint64_t before = st_env_time_us(c->env);
    assert_int_equal(st_env_time_us(c->env), before + 1000);
    st_file_close(sim_open(c, "/d/file"));
    assert_int_equal(st_env_monotonic_us(c->env), before + 3000);
    simfs *same = simfs_create(7), *other = simfs_create(8);
    uint8_t bytes[3][16];
    assert_int_equal(st_env_entropy(&c->op, c->env, bytes[0], 16), ST_OK);
    assert_int_equal(st_env_entropy(&c->op, simfs_env(same), bytes[1], 16), ST_OK);
    assert_int_equal(st_env_entropy(&c->op, simfs_env(other), bytes[2], 16), ST_OK);
    assert_memory_equal(bytes[0], bytes[1], 16);
    assert_memory_not_equal(bytes[0], bytes[2], 16);
    simfs_destroy(same);
    simfs_destroy(other);
}

static void sim_never_run(void *arg)
{
    (void)arg;
    fail();
}

static void there_are_no_threads(void **state)
{
    sim_case *c = *state;
    st_thread *thread;
    assert_int_equal(st_env_thread_start(&c->op, c->env, "test", sim_never_run, NULL, &thread),
                     ST_UNSUPPORTED);
    assert_null(thread);
}

int main(void)
{
#define SIM_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        SIM_TEST(losing_all_leaves_what_was_synced),
        SIM_TEST(keeping_all_leaves_what_was_written),
        SIM_TEST(killing_keeps_all_but_makes_nothing_durable),
        SIM_TEST(random_sectors_are_old_or_new_as_a_whole),
        SIM_TEST(a_torn_prefix_has_all_before_the_tear_and_nothing_behind),
        SIM_TEST(losing_names_keeps_bytes_but_for_the_torn_last_write),
        SIM_TEST(zero_data_has_names_and_lengths_but_no_bytes),
        SIM_TEST(a_sync_is_for_one_file_and_not_for_its_name),
        SIM_TEST(a_lost_directory_takes_all_below_it_along),
        SIM_TEST(the_same_seed_leaves_the_same),
        SIM_TEST(a_crash_fails_every_call_until_restart),
        SIM_TEST(a_call_fails_once_or_for_ever_by_its_kind),
        SIM_TEST(a_failed_write_or_sync_kills_the_handle),
        SIM_TEST(what_a_failed_sync_lost_is_read_but_never_durable),
        SIM_TEST(a_full_disk_takes_no_more_until_there_is_space),
        SIM_TEST(damage_at_rest_survives_a_crash),
        SIM_TEST(time_goes_on_by_calls_alone_and_entropy_is_the_seeds),
        SIM_TEST(there_are_no_threads),
    };
    return cmocka_run_group_tests_name("env_simfs", tests, NULL, NULL);
}
