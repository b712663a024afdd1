/* Each field of stator_options does what stator.h says of it, as seen from outside: in statistics,
 * in the files, in threads, and in the calls to the operating system. */
#include "options.h"
#include "watch.h"

#include <dirent.h>
#include <sched.h>
#include <sys/wait.h>

/* ---- create, read_only ------------------------------------------------------------------ */

static void test_create_0_refuses_a_missing_database_and_makes_nothing(void **state)
{
    (void)state;
    const char *path = options_folder("create");
    stator_options options = options_of();
    stator_db *db;
    options.create = 0;
    REFUSED(stator_open(path, strlen(path), &options, &db, &err), STATOR_NOT_FOUND, path);
    assert_null(db);
    assert_int_not_equal(access(path, F_OK), 0);
    options.create = 1;
    close_db(open_with(path, &options));
    options.create = 0;
    close_db(open_with(path, &options)); /* it is there now */
}

/* The sizes and names of the files of a folder, added up: equal when nothing was written. */
static uint64_t contents(const char *path)
{
    uint64_t sum = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char name[512];
        snprintf(name, sizeof name, "%s/%.255s", path, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(name, "rb");
        for (int byte; file && (byte = fgetc(file)) != EOF;) {
            sum = sum * 31 + (uint64_t)byte;
        }
        if (file) {
            fclose(file);
        }
        for (const char *c = entry->d_name; *c; c++) {
            sum += (uint64_t)*c << 32;
        }
    }
    closedir(folder);
    return sum;
}

static void test_read_only_answers_refuses_writes_and_writes_nothing(void **state)
{
    (void)state;
    char path[128];
    strcpy(path, options_folder("read-only"));
    stator_options options = options_of();
    stator_db *db = open_with(path, &options);
    stator_table *table = table_of(db);
    put_range(table, 0, 10, 0);
    OK(stator_flush(db, &err));
    put_range(table, 10, 20, 0); /* in the log */
    stator_table_free(table);
    close_db(db);

    uint64_t before = contents(path);
    unsigned syncs = watch_syncs();
    options.read_only = 1;
    db = open_with(path, &options);
    OK(stator_table_open(db, "log", 3, &table, &err));
    stator_item *key = key_of(15), *item;
    OK(stator_get(table, key, NULL, &item, &err));
    assert_non_null(item);
    stator_item_free(item);
    REFUSED(stator_put(table, key, NULL, &err), STATOR_READ_ONLY, "read-only");
    REFUSED(stator_delete(table, key, NULL, &err), STATOR_READ_ONLY, "read-only");
    REFUSED(stator_table_delete(db, "log", 3, &err), STATOR_READ_ONLY, "read-only");
    REFUSED(stator_flush(db, &err), STATOR_READ_ONLY, "read-only");
    REFUSED(stator_compact(db, &err), STATOR_READ_ONLY, "read-only");
    stator_item_free(key);
    stator_table_free(table);
    close_db(db);
    assert_int_equal(contents(path), before);
    assert_int_equal(watch_syncs(), syncs);
}

static void test_read_only_takes_no_lock(void **state)
{
    (void)state;
    char path[128], byte;
    strcpy(path, options_folder("lock"));
    int ready[2], done[2];
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(done), 0);
    pid_t writer = fork();
    if (writer == 0) { /* holds the database open for writing until it is told to end */
        stator_db *db = open_with(path, NULL);
        stator_table_free(table_of(db));
        _exit(write(ready[1], "r", 1) == 1 && read(done[0], &byte, 1) == 1 &&
                      stator_close(db, NULL) == STATOR_OK
                  ? 0
                  : 1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    stator_options options = options_of();
    stator_db *db;
    char text[32];
    snprintf(text, sizeof text, "%d", (int)writer);
    REFUSED(stator_open(path, strlen(path), &options, &db, &err), STATOR_LOCKED, text);
    options.read_only = 1;
    db = open_with(path, &options);
    assert_int_equal(stats_of(db).table_count, 1);
    close_db(db);
    int ended;
    assert_int_equal(write(done[1], "d", 1), 1);
    assert_int_equal(waitpid(writer, &ended, 0), writer);
    assert_int_equal(ended, 0);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(done[i]);
    }
}

/* ---- durability, interval_ms ------------------------------------------------------------ */

/* Syncs of ten writes at that level of the database. */
static unsigned syncs_of_ten_writes(const char *path, uint32_t durability, bool is_inline)
{
    stator_options options = options_of();
    options.durability = durability;
    options.interval_ms = 60000;
    options.inline_background = is_inline;
    stator_db *db = open_with(path, &options);
    stator_table *table = table_of(db);
    uint64_t syncs = stats_of(db).syncs;
    unsigned calls = watch_syncs();
    put_range(table, 0, 10, 0);
    stator_stats stats = stats_of(db);
    calls = watch_syncs() - calls;
    assert_int_equal(stats.syncs - syncs, calls); /* the statistics say what happened */
    assert_int_equal(stats.published_sequence, stats.applied_sequence);
    if (calls > 0) {
        assert_int_equal(stats.durable_sequence, stats.applied_sequence);
    } else {
        assert_true(stats.durable_sequence <= stats.applied_sequence - 10);
    }
    stator_table_free(table);
    close_db(db);
    assert_true(watch_syncs() > 0); /* a close makes all of it durable */
    return calls;
}

static void test_durability_says_how_many_syncs_ten_writes_take(void **state)
{
    (void)state;
    assert_int_equal(syncs_of_ten_writes(options_folder("usual"), STATOR_DURABILITY_DEFAULT, true),
                     10);
    assert_int_equal(syncs_of_ten_writes(options_folder("sync"), STATOR_DURABILITY_SYNC, true), 10);
    assert_int_equal(
        syncs_of_ten_writes(options_folder("interval"), STATOR_DURABILITY_INTERVAL, false), 0);
    assert_int_equal(syncs_of_ten_writes(options_folder("none"), STATOR_DURABILITY_NONE, true), 0);
}

static void test_interval_ms_is_the_time_between_syncs(void **state)
{
    (void)state;
    stator_options options = options_of();
    options.durability = STATOR_DURABILITY_INTERVAL;
    options.interval_ms = 30000;
    stator_db *db = open_with(options_folder("clock"), &options);
    stator_table *table = table_of(db);
    watch_advance_us(30000000);
    put_range(table, 0, 1, 0); /* overdue: from here on the interval counts */
    unsigned syncs = watch_syncs();
    watch_advance_us(15000000);
    put_range(table, 1, 2, 0);
    assert_int_equal(watch_syncs(), syncs);
    watch_advance_us(15000000);
    put_range(table, 2, 3, 0);
    assert_int_equal(watch_syncs(), syncs + 1);
    stator_table_free(table);
    close_db(db);
}

static void test_a_thread_syncs_after_the_interval_though_nobody_calls(void **state)
{
    (void)state;
    stator_options options = options_of();
    options.inline_background = 0;
    options.durability = STATOR_DURABILITY_INTERVAL;
    options.interval_ms = 60000;
    stator_db *slow = open_with(options_folder("slow"), &options);
    options.interval_ms = 1;
    stator_db *fast = open_with(options_folder("fast"), &options);
    stator_table *slow_table = table_of(slow), *fast_table = table_of(fast);
    uint64_t slow_syncs = stats_of(slow).syncs;
    put_range(slow_table, 0, 1, 0);
    put_range(fast_table, 0, 1, 0);
    stator_stats stats;
    do { /* the time limit of the test is its patience */
        sched_yield();
        stats = stats_of(fast);
    } while (stats.durable_sequence < stats.applied_sequence);
    assert_int_equal(stats_of(slow).syncs, slow_syncs);
    stator_table_free(slow_table);
    stator_table_free(fast_table);
    close_db(slow);
    close_db(fast);
}

/* ---- inline_background ------------------------------------------------------------------ */

static unsigned threads_while_flushing(const char *path, uint32_t is_inline)
{
    stator_options options = options_of();
    options.inline_background = is_inline;
    options.durability = STATOR_DURABILITY_INTERVAL;
    options.memtable_bytes = 64 << 10;
    unsigned before = watch_threads();
    stator_db *db = open_with(path, &options);
    stator_table *table = table_of(db);
    put_range(table, 0, 300, 1000);
    unsigned more = watch_threads() - before;
    if (is_inline) {
        assert_true(stats_of(db).flushes >= 2); /* done by the writes themselves */
    }
    stator_table_free(table);
    close_db(db);
    return more;
}

static void test_inline_background_starts_no_threads(void **state)
{
    (void)state;
    assert_int_equal(threads_while_flushing(options_folder("inline"), 1), 0);
    assert_int_equal(threads_while_flushing(options_folder("threads"), 0), 2);
}

/* ---- memory and sizes ------------------------------------------------------------------- */

/* Statistics after 3 MB were written, flushed, and read. */
static stator_stats stats_of_a_life(const char *path, const stator_options *options, bool compacts)
{
    stator_db *db = open_with(path, options);
    stator_table *table = table_of(db);
    put_range(table, 0, 3000, 1000);
    if (compacts) {
        OK(stator_compact(db, &err));
    }
    stator_scan *scan;
    stator_cursor *cursor;
    stator_item *item;
    OK(stator_scan_new(table, &scan));
    OK(stator_scan_open(scan, &cursor, &err));
    size_t items = 0;
    while (stator_cursor_next(cursor, &item, &err) == STATOR_OK && item) {
        items++;
    }
    assert_int_equal(items, 3000);
    stator_stats stats = stats_of(db);
    stator_cursor_free(cursor);
    stator_scan_free(scan);
    stator_table_free(table);
    close_db(db);
    return stats;
}

static void test_memory_budget_bytes_bounds_what_stays_in_memory(void **state)
{
    (void)state;
    stator_options options = options_of();
    options.durability = STATOR_DURABILITY_NONE;
    options.memory_budget_bytes = 1 << 20;
    stator_stats small = stats_of_a_life(options_folder("budget-1"), &options, true);
    options.memory_budget_bytes = 64 << 20;
    stator_stats large = stats_of_a_life(options_folder("budget-64"), &options, true);
    assert_int_equal(small.memory_budget_bytes, 1 << 20);
    assert_int_equal(large.memory_budget_bytes, 64 << 20);
    assert_true(small.memory_used_bytes <= 1 << 20);
    assert_true(large.memory_used_bytes > 3 << 20); /* all of it */
    assert_true(small.flushes >= 8);                /* a memtable is a quarter of the budget */
    assert_int_equal(large.flushes, 1);             /* that of the compaction */
}

static void test_memtable_bytes_is_what_is_gathered_before_a_flush(void **state)
{
    (void)state;
    stator_options options = options_of();
    options.durability = STATOR_DURABILITY_NONE;
    stator_stats usual = stats_of_a_life(options_folder("memtable-0"), &options, false);
    options.memtable_bytes = 256 << 10;
    stator_stats small = stats_of_a_life(options_folder("memtable-256"), &options, false);
    options.memtable_bytes = 1 << 20;
    stator_stats larger = stats_of_a_life(options_folder("memtable-1024"), &options, false);
    assert_int_equal(usual.flushes, 0); /* a quarter of 64 MiB */
    assert_true(small.flushes >= 8 && small.flushes <= 16);
    assert_true(larger.flushes >= 2 && larger.flushes <= 4);
    assert_true(usual.memtable_bytes > larger.memtable_bytes);
}

static uint64_t files_of(const stator_stats *stats)
{
    uint64_t files = 0;
    for (int level = 0; level < STATOR_STATS_LEVELS; level++) {
        files += stats->level_files[level];
    }
    return files;
}

static void test_file_bytes_is_the_size_of_a_compacted_file(void **state)
{
    (void)state;
    stator_options options = options_of();
    options.durability = STATOR_DURABILITY_NONE;
    stator_stats usual = stats_of_a_life(options_folder("file-0"), &options, true);
    options.file_bytes = 256 << 10;
    stator_stats small = stats_of_a_life(options_folder("file-256"), &options, true);
    assert_int_equal(files_of(&usual), 1); /* 32 MiB hold all of it */
    assert_true(files_of(&small) >= 10 && files_of(&small) <= 14);
}

/* ---- values ----------------------------------------------------------------------------- */

static void refuses(const stator_options *options, const char *text)
{
    stator_db *db;
    REFUSED(stator_open(":memory:", 8, options, &db, &err), STATOR_INVALID_ARGUMENT, text);
    assert_null(db);
}

static void test_values_out_of_range_are_refused_by_name(void **state)
{
    (void)state;
    stator_options options = options_of();
    options.durability = STATOR_DURABILITY_NONE + 1;
    refuses(&options, "durability");
    options = options_of();
    options.create = 2;
    refuses(&options, "create");
    options = options_of();
    options.read_only = 2;
    refuses(&options, "read_only");
    options = options_of();
    options.inline_background = 2;
    refuses(&options, "inline_background");
    options = options_of();
    options.interval_ms = 0;
    refuses(&options, "interval_ms");
    options.interval_ms = 60001;
    refuses(&options, "interval_ms");
    options = options_of();
    options.memory_budget_bytes = (1 << 20) - 1;
    refuses(&options, "memory_budget_bytes");
}

static void test_init_gives_the_defaults_of_the_header(void **state)
{
    (void)state;
    stator_options options;
    memset(&options, 0xff, sizeof options);
    stator_options_init(&options);
    assert_int_equal(options.struct_size, sizeof options);
    assert_int_equal(options.create, 1);
    assert_int_equal(options.read_only, 0);
    assert_int_equal(options.durability, STATOR_DURABILITY_SYNC);
    assert_int_equal(options.interval_ms, 100);
    assert_int_equal(options.inline_background, 0);
    assert_int_equal(options.memory_budget_bytes, 64 << 20);
    assert_int_equal(options.memtable_bytes, 0);
    assert_int_equal(options.file_bytes, 0);
}

static void test_a_second_opening_with_another_value_names_the_option(void **state)
{
    (void)state;
    char path[128];
    strcpy(path, options_folder("twice"));
    stator_options usual, other;
    stator_options_init(&usual);
    stator_db *db = open_with(path, &usual), *again;
    close_db(open_with(path, &usual));
    struct {
        const char *name;
        stator_options options;
    } rows[] = {
        {"read_only", usual},           {"durability", usual},     {"interval_ms", usual},
        {"inline_background", usual},   {"memtable_bytes", usual}, {"file_bytes", usual},
        {"memory_budget_bytes", usual},
    };
    rows[0].options.read_only = 1;
    rows[1].options.durability = STATOR_DURABILITY_NONE;
    rows[2].options.interval_ms = 99;
    rows[3].options.inline_background = 1;
    rows[4].options.memtable_bytes = 1 << 20;
    rows[5].options.file_bytes = 1 << 20;
    rows[6].options.memory_budget_bytes = 1 << 20;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        REFUSED(stator_open(path, strlen(path), &rows[i].options, &again, &err),
                STATOR_INVALID_ARGUMENT, rows[i].name);
    }
    other = usual; /* says nothing about a database that is there */
    other.create = 0;
    close_db(open_with(path, &other));
    close_db(db);
}

static void test_a_shorter_struct_of_an_older_header_means_defaults(void **state)
{
    (void)state;
    stator_options options = options_of();
    options.struct_size = offsetof(stator_options, memtable_bytes);
    options.memory_budget_bytes = 2 << 20;
    options.memtable_bytes = 1; /* behind the end */
    stator_db *db = open_with(":memory:", &options);
    assert_int_equal(stats_of(db).memory_budget_bytes, 2 << 20);
    stator_table *table = table_of(db);
    put_range(table, 0, 100, 0);
    assert_int_equal(stats_of(db).flushes, 0);
    stator_table_free(table);
    close_db(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_0_refuses_a_missing_database_and_makes_nothing),
        cmocka_unit_test(test_read_only_answers_refuses_writes_and_writes_nothing),
        cmocka_unit_test(test_read_only_takes_no_lock),
        cmocka_unit_test(test_durability_says_how_many_syncs_ten_writes_take),
        cmocka_unit_test(test_interval_ms_is_the_time_between_syncs),
        cmocka_unit_test(test_a_thread_syncs_after_the_interval_though_nobody_calls),
        cmocka_unit_test(test_inline_background_starts_no_threads),
        cmocka_unit_test(test_memory_budget_bytes_bounds_what_stays_in_memory),
        cmocka_unit_test(test_memtable_bytes_is_what_is_gathered_before_a_flush),
        cmocka_unit_test(test_file_bytes_is_the_size_of_a_compacted_file),
        cmocka_unit_test(test_values_out_of_range_are_refused_by_name),
        cmocka_unit_test(test_init_gives_the_defaults_of_the_header),
        cmocka_unit_test(test_a_second_opening_with_another_value_names_the_option),
        cmocka_unit_test(test_a_shorter_struct_of_an_older_header_means_defaults),
    };
    return cmocka_run_group_tests_name("api_options", tests, options_setup, options_teardown);
}
