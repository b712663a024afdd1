/* Compaction: what it keeps, what it drops, what it removes, and what it does when it cannot. */
#include "lsm_support.h"

static void compaction_flush(store_case *c)
{
    store_check(c, st_lsm_flush(&c->op, c->lsm));
}

static void compaction_all(store_case *c)
{
    store_check(c, st_lsm_compact(&c->op, c->lsm));
}

/* Text that does not compress well. */
static void compaction_noise(char *text, size_t room, st_rng *rng)
{
    for (size_t i = 0; i + 1 < room; i++) {
        text[i] = (char)('!' + st_rng_below(rng, 90));
    }
    text[room - 1] = 0;
}

static st_lsm_snapshot *compaction_snapshot(store_case *c)
{
    st_lsm_snapshot *snapshot;
    store_check(c, st_lsm_snapshot_open(&c->op, c->lsm, &snapshot));
    return snapshot;
}

/* ---- what is kept ----------------------------------------------------------------------- */

static void test_four_flushes_make_one_level(void **state)
{
    store_case *c = *state;
    char key[8];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(store_stats(c).level_files[0], i);
        snprintf(key, sizeof key, "%d", i);
        store_put(c, key, "v");
        compaction_flush(c);
    }
    store_check(c, st_lsm_wait_idle(&c->op, c->lsm));
    assert_int_equal(store_stats(c).level_files[0], 0);
    assert_int_equal(store_stats(c).level_files[1], 1);
    assert_int_equal(store_stats(c).compactions, 1);
    store_expect_keys(c, NULL, "0 1 2 3");
}

static void test_a_deleted_key_leaves_nothing_behind(void **state)
{
    store_case *c = *state;
    store_put(c, "a", "1");
    compaction_flush(c);
    store_delete(c, "a");
    compaction_flush(c);
    assert_int_equal(store_entries(c), 2);
    compaction_all(c);
    assert_int_equal(store_files(c), 0);
    assert_int_equal(store_count_files(c, ".sst"), 0);
    store_expect(c, "a", NULL);
}

/* The delete reaches level 1 while what it hides lies in level 2. */
static void test_a_delete_is_kept_while_it_hides_something_below(void **state)
{
    store_case *c = *state;
    st_rng rng;
    char key[16], text[400];
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "key %04d", i);
        st_rng_seed(&rng, (uint64_t)i);
        compaction_noise(text, sizeof text, &rng);
        store_put(c, key, text);
    }
    compaction_flush(c);
    store_check(c, st_lsm_wait_idle(&c->op, c->lsm));
    assert_true(store_stats(c).level_files[2] > 0);
    for (int round = 0; round < 4; round++) {
        for (int i = round; i < 2000; i += 8) {
            snprintf(key, sizeof key, "key %04d", i);
            store_delete(c, key);
        }
        compaction_flush(c);
        store_check(c, st_lsm_wait_idle(&c->op, c->lsm));
        for (int i = 0; i < 2000; i++) {
            snprintf(key, sizeof key, "key %04d", i);
            st_rng_seed(&rng, (uint64_t)i);
            compaction_noise(text, sizeof text, &rng);
            store_expect(c, key, i % 8 <= round ? NULL : text);
        }
    }
    compaction_all(c);
    assert_int_equal(store_entries(c), 1000);
}

static void test_a_snapshot_keeps_what_it_sees_and_nothing_more(void **state)
{
    store_case *c = *state;
    st_lsm_snapshot *snapshots[2];
    char text[8];
    for (int i = 1; i <= 100; i++) {
        snprintf(text, sizeof text, "%d", i);
        store_put(c, "k", text);
        store_put(c, "gone", text);
        if (i == 30 || i == 60) {
            snapshots[i / 30 - 1] = compaction_snapshot(c);
        }
        if (i % 20 == 0) {
            compaction_flush(c);
        }
    }
    store_delete(c, "gone");
    compaction_all(c);
    assert_int_equal(store_entries(c), 3 + 3); /* 30, 60, 100 and 30, 60, the delete */
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "%d", (i + 1) * 30);
        store_expect_at(c, "k", text, st_lsm_snapshot_sequence(snapshots[i]));
        store_expect_at(c, "gone", text, st_lsm_snapshot_sequence(snapshots[i]));
        store_expect_keys(c, snapshots[i], "gone k");
    }
    store_expect(c, "k", "100");
    store_expect_keys(c, NULL, "k");
    st_lsm_snapshot_close(snapshots[0]);
    compaction_all(c);
    assert_int_equal(store_entries(c), 2 + 2);
    store_expect_at(c, "gone", "60", st_lsm_snapshot_sequence(snapshots[1]));
    st_lsm_snapshot_close(snapshots[1]);
    compaction_all(c);
    assert_int_equal(store_entries(c), 1);
    store_expect(c, "k", "100");
}

static void test_all_versions_of_a_key_stay_in_one_file(void **state)
{
    store_case *c = *state;
    enum { VERSIONS = 200 };
    st_lsm_snapshot *snapshots[VERSIONS];
    char text[500];
    st_rng rng;
    store_put(c, "a", "before");
    store_put(c, "z", "behind");
    for (int i = 0; i < VERSIONS; i++) {
        st_rng_seed(&rng, (uint64_t)i);
        compaction_noise(text, sizeof text, &rng);
        store_put(c, "k", text);
        snapshots[i] = compaction_snapshot(c);
    }
    compaction_all(c);
    assert_int_equal(store_entries(c), VERSIONS + 2);
    assert_in_range(store_files(c), 1, 3); /* six times the size of a file */
    for (int i = 0; i < VERSIONS; i++) {
        st_rng_seed(&rng, (uint64_t)i);
        compaction_noise(text, sizeof text, &rng);
        store_expect_at(c, "k", text, st_lsm_snapshot_sequence(snapshots[i]));
        if (i % 40 == 0) {
            store_expect_keys(c, snapshots[i], "a k z");
        }
        st_lsm_snapshot_close(snapshots[i]);
    }
    compaction_all(c);
    assert_int_equal(store_entries(c), 3);
}

static void test_large_items_and_long_keys_go_through_all_levels(void **state)
{
    store_case *c = *state;
    size_t value_bytes = 400000, key_bytes = 15000;
    char *text = malloc(value_bytes + 1), *key = malloc(key_bytes + 1);
    memset(key, 'k', key_bytes);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 6; i++) {
            memset(text, 'a' + i + round, value_bytes);
            snprintf(text + value_bytes - 10, 11, "%010d", i);
            snprintf(key + key_bytes - 4, 5, "%04d", i);
            store_put(c, key, text);
        }
        compaction_flush(c);
    }
    compaction_all(c);
    assert_int_equal(store_entries(c), 6);
    for (int i = 0; i < 6; i++) {
        memset(text, 'a' + i + 2, value_bytes);
        snprintf(text + value_bytes - 10, 11, "%010d", i);
        snprintf(key + key_bytes - 4, 5, "%04d", i);
        store_expect(c, key, text);
    }
    free(text);
    free(key);
}

/* ---- range deletes ---------------------------------------------------------------------- */

static void test_a_range_delete_drops_files_unread_and_then_itself(void **state)
{
    store_case *c = *state;
    st_rng rng;
    char key[16], text[400];
    st_rng_seed(&rng, 1);
    compaction_noise(text, sizeof text, &rng);
    store_put(c, "a", "stays");
    store_put(c, "t", "stays");
    for (int i = 0; i < 400; i++) {
        snprintf(key, sizeof key, "drop/%04d", i);
        compaction_noise(text, sizeof text, &rng);
        store_put(c, key, text);
    }
    compaction_all(c);
    uint64_t files = store_files(c);
    assert_true(files > 4);
    store_delete_range(c, "drop/", "drop0");
    store_expect_keys(c, NULL, "a t");
    uint64_t written = store_stats(c).written_bytes_compaction;
    compaction_flush(c);
    store_expect_keys(c, NULL, "a t");
    store_check(c, st_lsm_wait_idle(&c->op, c->lsm));
    assert_int_equal(store_stats(c).written_bytes_compaction, written);
    assert_in_range(store_files(c), 1, 2);
    store_put(c, "drop/0001", "new");
    compaction_all(c);
    assert_int_equal(store_entries(c), 3);
    store_expect_keys(c, NULL, "a drop/0001 t");
    store_close(c);
    store_open(c);
    store_expect_keys(c, NULL, "a drop/0001 t");
}

static void test_a_range_delete_spares_what_a_snapshot_sees(void **state)
{
    store_case *c = *state;
    store_put(c, "a", "1");
    store_put(c, "b", "1");
    store_put(c, "c", "1");
    compaction_flush(c);
    st_lsm_snapshot *snapshot = compaction_snapshot(c);
    store_delete_range(c, "a", "c");
    store_put(c, "b", "2");
    compaction_all(c);
    store_expect_keys(c, snapshot, "a b c");
    store_expect_keys(c, NULL, "b c");
    store_expect_at(c, "a", "1", st_lsm_snapshot_sequence(snapshot));
    store_expect_at(c, "b", "1", st_lsm_snapshot_sequence(snapshot));
    store_expect(c, "b", "2");
    assert_int_equal(store_entries(c), 4);
    st_lsm_snapshot_close(snapshot);
    compaction_all(c);
    assert_int_equal(store_entries(c), 2);
    store_expect_keys(c, NULL, "b c");
}

static void test_ranges_without_keys_hide_nothing(void **state)
{
    store_case *c = *state;
    store_put(c, "b", "1");
    store_delete_range(c, "b", "b");
    store_delete_range(c, "c", "a");
    store_delete_range(c, "a", "b");
    compaction_all(c);
    store_expect_keys(c, NULL, "b");
    store_crash(c, SIMFS_KILL);
    store_expect_keys(c, NULL, "b");
}

/* ---- files ------------------------------------------------------------------------------ */

static void test_a_cursor_keeps_its_files_until_it_is_closed(void **state)
{
    store_case *c = *state;
    char key[8];
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "%03d", i);
        store_put(c, key, "old");
    }
    compaction_all(c);
    st_lsm_cursor *cursor;
    st_lsm_range range = {.is_reverse = false};
    store_check(c, st_lsm_cursor_open(&c->op, c->lsm, &range, &cursor));
    bool valid;
    st_slice found, value;
    store_check(c, st_lsm_cursor_next(&c->op, cursor, &valid, &found, &value));
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "%03d", i);
        store_put(c, key, "new");
    }
    compaction_all(c);
    assert_true(store_count_files(c, ".sst") > store_files(c));
    for (int i = 0; i < 300; i++) {
        assert_true(valid);
        snprintf(key, sizeof key, "%03d", i);
        assert_true(st_slice_equal(found, st_slice_str(key)));
        assert_true(st_slice_equal(value, st_slice_str("old")));
        store_check(c, st_lsm_cursor_next(&c->op, cursor, &valid, &found, &value));
    }
    assert_false(valid);
    st_lsm_cursor_close(cursor);
    assert_int_equal(store_count_files(c, ".sst"), store_files(c));
    store_expect(c, "299", "new");
}

static void test_keys_that_come_in_order_are_not_written_again_and_again(void **state)
{
    store_case *c = *state;
    st_rng rng;
    char key[16], text[400];
    st_rng_seed(&rng, 1);
    compaction_noise(text, sizeof text, &rng);
    for (int i = 0; i < 6000; i++) {
        snprintf(key, sizeof key, "key %06d", i);
        compaction_noise(text, sizeof text, &rng);
        store_put(c, key, text);
    }
    compaction_flush(c);
    store_check(c, st_lsm_wait_idle(&c->op, c->lsm));
    st_lsm_stats stats = store_stats(c);
    assert_true(stats.level_files[2] + stats.level_files[3] > stats.level_files[1]);
    assert_true(stats.written_bytes_compaction < 3 * stats.written_bytes_flush / 2);
    assert_int_equal(store_count_files(c, ".sst"), store_files(c));
}

static void compaction_say_nothing(void *ctx, const char *line)
{
    (void)ctx, (void)line;
}

static void test_random_writes_keep_every_level_sound(void **state)
{
    store_case *c = *state;
    st_rng rng;
    char key[16], text[200];
    st_rng_seed(&rng, 5);
    for (int i = 0; i < 8000; i++) {
        snprintf(key, sizeof key, "key %05d", (int)st_rng_below(&rng, 3000));
        compaction_noise(text, 20 + (size_t)st_rng_below(&rng, 180), &rng);
        store_put(c, key, text);
        if (i % 1000 == 999) {
            store_check(c, st_lsm_verify(&c->op, c->lsm, compaction_say_nothing, NULL));
        }
    }
    store_check(c, st_lsm_wait_idle(&c->op, c->lsm));
    assert_true(store_stats(c).level_files[2] > 0);
    assert_true(store_stats(c).level_files[0] < 4);
    compaction_all(c);
    store_check(c, st_lsm_verify(&c->op, c->lsm, compaction_say_nothing, NULL));
}

/* ---- when it cannot --------------------------------------------------------------------- */

static void test_without_space_for_files_writers_are_told_and_go_on_later(void **state)
{
    store_case *c = *state;
    st_rng rng;
    char key[16], text[400];
    st_rng_seed(&rng, 1);
    compaction_noise(text, sizeof text, &rng);
    simfs_set_budget(c->sim, simfs_used_bytes(c->sim) + (150 << 10));
    st_status status = ST_OK;
    int written = 0;
    for (; status == ST_OK && written < 5000; written++) {
        snprintf(key, sizeof key, "key %04d", written);
        status = store_try(c, key, text, ST_DURABILITY_NONE);
    }
    assert_int_equal(status, ST_NO_SPACE);
    st_op_clear(&c->op);
    simfs_set_budget(c->sim, UINT64_MAX);
    for (int i = 0; i < written - 1; i++) {
        snprintf(key, sizeof key, "key %04d", i);
        store_expect(c, key, text);
    }
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "new %04d", i);
        store_put(c, key, text);
    }
    compaction_all(c);
    assert_int_equal(store_entries(c), written - 1 + 500);
    assert_int_equal(store_count_files(c, ".sst"), store_files(c));
    store_close(c);
    store_open(c);
    assert_int_equal(st_lsm_applied(c->lsm), written - 1 + 500);
}

/* A damaged file cannot be merged. Level 0 grows then, and whoever would have to wait for ever is
 * told why. */
static void test_damage_in_the_way_of_compaction_reaches_the_writer(void **state)
{
    store_case *c = *state;
    st_rng rng;
    char key[16], text[400];
    st_rng_seed(&rng, 1);
    compaction_noise(text, sizeof text, &rng);
    store_put(c, "key", "value");
    compaction_flush(c);
    store_close(c);
    char path[64];
    snprintf(path, sizeof path, "%s", store_find_file(c, ".sst", 0));
    simfs_flip(c->sim, path, 8 * 100); /* in its first block */
    store_open(c);
    st_status status = ST_OK;
    for (int i = 0; status == ST_OK && i < 10000; i++) {
        snprintf(key, sizeof key, "key %04d", i);
        status = store_try(c, key, text, ST_DURABILITY_NONE);
    }
    assert_int_equal(status, ST_CORRUPT);
    assert_non_null(strstr(c->op.error.message, path));
    st_op_clear(&c->op);
    store_expect(c, "key 0000", text);
    assert_int_equal(store_stats(c).level_files[0], 20);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, store_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_four_flushes_make_one_level),
        STORE_TEST(test_a_deleted_key_leaves_nothing_behind),
        STORE_TEST(test_a_delete_is_kept_while_it_hides_something_below),
        STORE_TEST(test_a_snapshot_keeps_what_it_sees_and_nothing_more),
        STORE_TEST(test_all_versions_of_a_key_stay_in_one_file),
        STORE_TEST(test_large_items_and_long_keys_go_through_all_levels),
        STORE_TEST(test_a_range_delete_drops_files_unread_and_then_itself),
        STORE_TEST(test_a_range_delete_spares_what_a_snapshot_sees),
        STORE_TEST(test_ranges_without_keys_hide_nothing),
        STORE_TEST(test_a_cursor_keeps_its_files_until_it_is_closed),
        STORE_TEST(test_keys_that_come_in_order_are_not_written_again_and_again),
        STORE_TEST(test_random_writes_keep_every_level_sound),
        STORE_TEST(test_without_space_for_files_writers_are_told_and_go_on_later),
        STORE_TEST(test_damage_in_the_way_of_compaction_reaches_the_writer),
    };
    return cmocka_run_group_tests_name("lsm_compaction", tests, NULL, NULL);
}
