/* The options of single calls: of writes, of reads, of queries and scans, as handles and as fields
 * of frames. Each test shows what changes. */
#include "options.h"
#include "watch.h"

#include <pthread.h>

typedef struct world {
    stator_db *db;
    stator_table *table;
} world;

static world open_world(const char *name, uint32_t durability)
{
    stator_options options = options_of();
    options.durability = durability;
    world w = {.db = open_with(options_folder(name), &options)};
    w.table = table_of(w.db);
    return w;
}

static void close_world(world *w)
{
    stator_table_free(w->table);
    close_db(w->db);
}

/* ---- writes ----------------------------------------------------------------------------- */

/* One write of each kind at that level; gives the syncs it took. */
static unsigned syncs_of_each_write(const world *w, const stator_write_options *options)
{
    stator_item *item = numbered(1, 0), *old;
    stator_batch *batch;
    unsigned before = watch_syncs();
    OK(stator_put(w->table, item, options, &err));
    OK(stator_put_returning(w->table, item, options, &old, &err));
    stator_item_free(old);
    OK(stator_delete_returning(w->table, item, options, &old, &err));
    stator_item_free(old);
    OK(stator_delete(w->table, item, options, &err));
    OK(stator_batch_new(w->db, &batch));
    OK(stator_batch_put(batch, w->table, item));
    OK(stator_batch_write(batch, options, &err));
    stator_batch_free(batch);
    stator_item_free(item);
    return watch_syncs() - before;
}

static void test_durability_of_a_write_overrules_that_of_the_database(void **state)
{
    (void)state;
    stator_write_options options;
    stator_write_options_init(&options);
    world relaxed = open_world("write-none", STATOR_DURABILITY_NONE);
    assert_int_equal(syncs_of_each_write(&relaxed, NULL), 0);
    assert_int_equal(syncs_of_each_write(&relaxed, &options), 0); /* DEFAULT */
    options.durability = STATOR_DURABILITY_SYNC;
    assert_int_equal(syncs_of_each_write(&relaxed, &options), 5);
    stator_stats stats = stats_of(relaxed.db);
    assert_int_equal(stats.durable_sequence, stats.applied_sequence);
    close_world(&relaxed);

    world strict = open_world("write-sync", STATOR_DURABILITY_SYNC);
    assert_int_equal(syncs_of_each_write(&strict, NULL), 5);
    options.durability = STATOR_DURABILITY_NONE;
    assert_int_equal(syncs_of_each_write(&strict, &options), 0);
    options.durability = STATOR_DURABILITY_INTERVAL;
    watch_advance_us(60000000); /* overdue: the next one syncs, as nobody else does here */
    assert_int_equal(syncs_of_each_write(&strict, &options), 1);
    options.durability = STATOR_DURABILITY_NONE + 1;
    stator_item *item = numbered(1, 0);
    REFUSED(stator_put(strict.table, item, &options, &err), STATOR_INVALID_ARGUMENT, "durability");
    stator_item_free(item);
    close_world(&strict);
}

static void *put_slowly(void *argument)
{
    world *w = argument;
    stator_item *item = numbered(1, 0);
    stator_status status = stator_put(w->table, item, NULL, NULL);
    stator_item_free(item);
    return status == STATOR_OK ? w : NULL;
}

/* Another write is in the sync, and does not come out of it. */
static void test_deadline_ms_of_a_write_ends_the_wait_and_not_the_write(void **state)
{
    (void)state;
    world w = open_world("write-deadline", STATOR_DURABILITY_SYNC);
    pthread_t other;
    watch_hold_syncs();
    assert_int_equal(pthread_create(&other, NULL, put_slowly, &w), 0);
    assert_true(watch_await_held());
    stator_write_options options;
    stator_write_options_init(&options);
    options.deadline_ms = 5;
    stator_item *item = numbered(2, 0), *found;
    REFUSED(stator_put(w.table, item, &options, &err), STATOR_DEADLINE, "deadline");
    assert_true(err.flags & STATOR_ERROR_MAYBE_APPLIED);
    watch_release_syncs();
    void *result;
    assert_int_equal(pthread_join(other, &result), 0);
    assert_ptr_equal(result, &w);
    OK(stator_put(w.table, item, NULL, &err)); /* as repeating it is safe */
    OK(stator_get(w.table, item, NULL, &found, &err));
    assert_non_null(found);
    stator_item_free(found);
    stator_item_free(item);
    close_world(&w);
}

/* ---- reads ------------------------------------------------------------------------------ */

/* A database whose 200 items lie in files and not in memory. */
static world open_cold(const char *name)
{
    char path[128];
    strcpy(path, options_folder(name));
    stator_options options = options_of();
    options.durability = STATOR_DURABILITY_NONE;
    world w = {.db = open_with(path, &options)};
    w.table = table_of(w.db);
    put_range(w.table, 0, 200, 2000);
    OK(stator_flush(w.db, &err));
    close_world(&w);
    w.db = open_with(path, &options);
    w.table = table_of(w.db);
    return w;
}

static void test_cached_only_gives_would_block_instead_of_reading_a_file(void **state)
{
    (void)state;
    world w = open_cold("read-cached");
    stator_read_options options;
    stator_read_options_init(&options);
    options.cached_only = 1;
    stator_item *key = key_of(100), *item;
    unsigned reads = watch_reads();
    REFUSED(stator_get(w.table, key, &options, &item, &err), STATOR_WOULD_BLOCK, "not in memory");
    assert_null(item);
    stator_batch *batch;
    stator_cursor *cursor;
    OK(stator_batch_new(w.db, &batch));
    OK(stator_batch_get(batch, w.table, key));
    REFUSED(stator_batch_read(batch, &options, &cursor, &err), STATOR_WOULD_BLOCK, "not in memory");
    stator_batch_free(batch);
    assert_int_equal(watch_reads(), reads);

    OK(stator_get(w.table, key, NULL, &item, &err)); /* reads, and what was read stays */
    assert_true(watch_reads() > reads);
    stator_item_free(item);
    reads = watch_reads();
    OK(stator_get(w.table, key, &options, &item, &err));
    assert_non_null(item);
    assert_int_equal(watch_reads(), reads);
    stator_item_free(item);
    stator_item_free(key);
    close_world(&w);
}

static void *put_and_end(void *argument)
{
    world *w = argument;
    put_range(w->table, 7, 8, 0);
    return NULL;
}

/* In process there is no other kind of read: the option is accepted, and both see each write. */
static void test_consistent_or_not_a_read_sees_every_acknowledged_write(void **state)
{
    (void)state;
    world w = open_world("read-consistent", STATOR_DURABILITY_NONE);
    stator_read_options options;
    stator_read_options_init(&options);
    assert_int_equal(options.consistent, 0);
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, put_and_end, &w), 0);
    assert_int_equal(pthread_join(other, NULL), 0);
    stator_item *key = key_of(7), *item;
    for (options.consistent = 0; options.consistent < 2; options.consistent++) {
        OK(stator_get(w.table, key, &options, &item, &err));
        assert_non_null(item);
        stator_item_free(item);
    }
    stator_item_free(key);
    close_world(&w);
}

/* Each look at the clock takes a second: a get that has to read a file looks again. */
static void test_deadline_ms_ends_a_read_of_a_file_and_not_one_of_memory(void **state)
{
    (void)state;
    world w = open_cold("read-deadline-file");
    stator_read_options options;
    stator_read_options_init(&options);
    options.deadline_ms = 1000;
    stator_item *key = key_of(100), *item;
    unsigned reads = watch_reads();
    watch_advance_each_look_us(1000000);
    REFUSED(stator_get(w.table, key, &options, &item, &err), STATOR_DEADLINE, "deadline");
    assert_null(item);
    assert_int_equal(watch_reads(), reads);
    OK(stator_get(w.table, key, NULL, &item, &err));
    stator_item_free(item);
    OK(stator_get(w.table, key, &options, &item, &err)); /* in memory now: nothing to wait for */
    watch_advance_each_look_us(0);
    assert_non_null(item);
    stator_item_free(item);
    stator_item_free(key);
    close_world(&w);
}

static void test_deadline_ms_ends_a_batch_of_reads(void **state)
{
    (void)state;
    world w = open_world("read-deadline", STATOR_DURABILITY_NONE);
    put_range(w.table, 0, 50, 0);
    stator_read_options options;
    stator_read_options_init(&options);
    stator_batch *batch;
    stator_cursor *cursor;
    OK(stator_batch_new(w.db, &batch));
    for (int is_tight = 0; is_tight < 2; is_tight++) {
        for (int64_t at = 0; at < 50; at++) {
            stator_item *key = key_of(at);
            OK(stator_batch_get(batch, w.table, key));
            stator_item_free(key);
        }
        options.deadline_ms = is_tight ? 10000 : 0;
        watch_advance_each_look_us(1000000);
        stator_status status = stator_batch_read(batch, &options, &cursor, &err);
        watch_advance_each_look_us(0);
        assert_int_equal(status, is_tight ? STATOR_DEADLINE : STATOR_OK);
        stator_cursor_free(cursor);
    }
    stator_batch_free(batch);
    close_world(&w);
}

/* ---- queries and scans ------------------------------------------------------------------ */

/* The numbers that a cursor yields, as text; frees it. */
static const char *drain(stator_cursor *cursor)
{
    static char text[4096];
    stator_item *item;
    stator_value value;
    size_t used = 0;
    text[0] = '\0';
    stator_value_init(&value);
    for (;;) {
        OK(stator_cursor_next(cursor, &item, &err));
        if (!item) {
            stator_cursor_free(cursor);
            return text;
        }
        OK(stator_item_get(item, "at", 2, &value, &err));
        used += (size_t)snprintf(text + used, sizeof text - used, "%s ", value.number);
    }
}

static stator_query *query_of(const world *w)
{
    stator_query *query;
    OK(stator_query_new(w->table, &query));
    OK(stator_query_partition_string(query, "web", 3));
    return query;
}

static const char *run_query(stator_query *query)
{
    stator_cursor *cursor;
    OK(stator_query_open(query, &cursor, &err));
    return drain(cursor);
}

static void test_reverse_and_limit_of_a_query(void **state)
{
    (void)state;
    world w = open_world("query", STATOR_DURABILITY_NONE);
    put_range(w.table, 0, 6, 0);
    stator_query *query = query_of(&w);
    assert_string_equal(run_query(query), "0 1 2 3 4 5 ");
    OK(stator_query_reverse(query, 1));
    assert_string_equal(run_query(query), "5 4 3 2 1 0 ");
    OK(stator_query_limit(query, 2));
    assert_string_equal(run_query(query), "5 4 ");
    OK(stator_query_page_items(query, 1)); /* limit counts over pages */
    assert_string_equal(run_query(query), "5 4 ");
    OK(stator_query_reverse(query, 0));
    assert_string_equal(run_query(query), "0 1 ");
    assert_int_equal(stator_query_limit(query, 0), STATOR_INVALID_ARGUMENT);
    stator_query_free(query);
    query = query_of(&w);
    assert_int_equal(stator_query_page_items(query, 0), STATOR_INVALID_ARGUMENT);
    stator_query_free(query);
    close_world(&w);
}

/* Takes one item, puts and deletes ahead of the cursor, and takes the rest. */
static const char *query_while_written(const world *w, uint32_t page_items, int32_t is_snapshot)
{
    stator_query *query = query_of(w);
    stator_cursor *cursor;
    stator_item *item, *key = key_of(3);
    OK(stator_query_page_items(query, page_items));
    OK(stator_query_snapshot(query, is_snapshot));
    OK(stator_query_open(query, &cursor, &err));
    OK(stator_cursor_next(cursor, &item, &err));
    put_range(w->table, 10, 11, 0);
    OK(stator_delete(w->table, key, NULL, &err));
    const char *rest = drain(cursor);
    put_range(w->table, 3, 4, 0);
    stator_item *late = key_of(10);
    OK(stator_delete(w->table, late, NULL, &err));
    stator_item_free(late);
    stator_item_free(key);
    stator_query_free(query);
    return rest;
}

static void test_page_items_and_snapshot_say_which_moment_is_seen(void **state)
{
    (void)state;
    world w = open_world("moments", STATOR_DURABILITY_NONE);
    put_range(w.table, 1, 5, 0);
    assert_string_equal(query_while_written(&w, 1, 0), "2 4 10 ");  /* each page its own */
    assert_string_equal(query_while_written(&w, 100, 0), "2 3 4 "); /* all of it is one page */
    assert_string_equal(query_while_written(&w, 1, 1), "2 3 4 ");   /* one moment for all pages */
    close_world(&w);
}

static void test_start_after_resumes_queries_and_scans_of_the_same_table_only(void **state)
{
    (void)state;
    world w = open_world("resume", STATOR_DURABILITY_NONE);
    put_range(w.table, 0, 6, 0);
    stator_query *query = query_of(&w);
    stator_cursor *cursor;
    stator_item *item;
    stator_buffer *token;
    const void *bytes;
    size_t token_bytes;
    OK(stator_query_open(query, &cursor, &err));
    for (int i = 0; i < 3; i++) {
        OK(stator_cursor_next(cursor, &item, &err));
    }
    OK(stator_cursor_last_key(cursor, &token, &err));
    OK(stator_buffer_data(token, &bytes, &token_bytes));
    stator_cursor_free(cursor);
    OK(stator_query_start_after(query, bytes, token_bytes));
    assert_string_equal(run_query(query), "3 4 5 ");
    stator_query_free(query);

    stator_scan *scan;
    OK(stator_scan_new(w.table, &scan));
    OK(stator_scan_start_after(scan, bytes, token_bytes));
    OK(stator_scan_open(scan, &cursor, &err));
    assert_string_equal(drain(cursor), "3 4 5 ");
    stator_scan_free(scan);

    stator_schema *schema;
    stator_table *other;
    OK(stator_schema_new(&schema));
    OK(stator_schema_partition(schema, "id", 2, STATOR_TYPE_S));
    OK(stator_table_create(w.db, "other", 5, schema, &other, &err));
    stator_schema_free(schema);
    OK(stator_scan_new(other, &scan));
    OK(stator_scan_start_after(scan, bytes, token_bytes));
    REFUSED(stator_scan_open(scan, &cursor, &err), STATOR_INVALID_ARGUMENT, "another table");
    stator_scan_free(scan);
    stator_table_free(other);
    stator_buffer_free(token);
    close_world(&w);
}

/* ---- scans ------------------------------------------------------------------------------ */

/* A table of 64 partitions with one item each, and their numbers. */
static void spread(const world *w, stator_table **out_table)
{
    stator_schema *schema;
    OK(stator_schema_new(&schema));
    OK(stator_schema_partition(schema, "at", 2, STATOR_TYPE_N));
    OK(stator_table_create(w->db, "spread", 6, schema, out_table, &err));
    stator_schema_free(schema);
    for (int64_t at = 0; at < 64; at++) {
        stator_item *item;
        OK(stator_item_new(&item));
        OK(stator_item_set_int64(item, "at", 2, at));
        OK(stator_put(*out_table, item, NULL, &err));
        stator_item_free(item);
    }
}

static uint64_t numbers_of(const char *text)
{
    uint64_t numbers = 0;
    for (char *end; *text; text = end + 1) {
        numbers |= (uint64_t)1 << strtoul(text, &end, 10);
    }
    return numbers;
}

static void test_segments_are_disjoint_and_together_the_table(void **state)
{
    (void)state;
    world w = open_world("segments", STATOR_DURABILITY_NONE);
    stator_table *table;
    spread(&w, &table);
    stator_cursor *cursor;
    uint64_t seen = 0;
    unsigned filled = 0;
    for (uint32_t segment = 0; segment < 4; segment++) {
        stator_scan *scan;
        OK(stator_scan_new(table, &scan));
        OK(stator_scan_segment(scan, segment, 4));
        OK(stator_scan_open(scan, &cursor, &err));
        uint64_t part = numbers_of(drain(cursor));
        assert_int_equal(seen & part, 0);
        filled += part != 0;
        seen |= part;
        stator_scan_free(scan);
    }
    assert_int_equal(seen, UINT64_MAX);
    assert_true(filled > 1);
    stator_scan *scan;
    OK(stator_scan_new(table, &scan));
    assert_int_equal(stator_scan_segment(scan, 4, 4), STATOR_INVALID_ARGUMENT);
    stator_scan_free(scan);
    stator_table_free(table);
    close_world(&w);
}

static void test_limit_page_items_and_snapshot_of_a_scan(void **state)
{
    (void)state;
    world w = open_world("scan", STATOR_DURABILITY_NONE);
    put_range(w.table, 0, 5, 0);
    stator_scan *scan;
    stator_cursor *cursor;
    stator_item *item;
    OK(stator_scan_new(w.table, &scan));
    OK(stator_scan_limit(scan, 3));
    OK(stator_scan_open(scan, &cursor, &err));
    assert_string_equal(drain(cursor), "0 1 2 ");
    assert_int_equal(stator_scan_limit(scan, 0), STATOR_INVALID_ARGUMENT);
    stator_scan_free(scan);
    const char *expected[] = {"1 2 3 4 5 ", "1 2 3 4 5 "}; /* 6 comes too late */
    for (int32_t is_snapshot = 0; is_snapshot < 2; is_snapshot++) {
        OK(stator_scan_new(w.table, &scan));
        OK(stator_scan_page_items(scan, 1));
        OK(stator_scan_snapshot(scan, is_snapshot));
        OK(stator_scan_open(scan, &cursor, &err));
        OK(stator_cursor_next(cursor, &item, &err));
        put_range(w.table, 5 + is_snapshot, 6 + is_snapshot, 0);
        assert_string_equal(drain(cursor), expected[is_snapshot]);
        stator_scan_free(scan);
    }
    close_world(&w);
}

/* ---- fields of frames ------------------------------------------------------------------- */

enum {
    FIELD_TABLE_NAME = 1,
    FIELD_DEADLINE = 6,
    FIELD_FLAGS = 7,
    FIELD_PARTITION = 9,
    FIELD_LIMIT = 10,
    FIELD_PAGE_ITEMS = 12,
    FIELD_PAGE_BYTES = 13,
    FIELD_ITEM_VERSION = 16,
    RESULT_LAST_KEY = 3,
    FLAG_CACHED_ONLY = 1,
    FLAG_CONSISTENT = 2,
};

typedef struct frame {
    uint8_t bytes[256];
    size_t used;
} frame;

static void add_bytes(frame *f, uint8_t number, const void *payload, size_t bytes)
{
    assert_true(f->used + 5 + bytes <= sizeof f->bytes);
    f->bytes[f->used++] = number;
    for (int i = 0; i < 4; i++) {
        f->bytes[f->used++] = (uint8_t)(bytes >> 8 * i);
    }
    memcpy(f->bytes + f->used, payload, bytes);
    f->used += bytes;
}

static void add_number(frame *f, uint8_t number, uint64_t value, size_t bytes)
{
    uint8_t payload[8];
    for (size_t i = 0; i < bytes; i++) {
        payload[i] = (uint8_t)(value >> 8 * i);
    }
    add_bytes(f, number, payload, bytes);
}

static frame query_frame(void)
{
    frame f = {.bytes = {1, 10}, .used = 2};
    add_bytes(&f, FIELD_TABLE_NAME, "log", 3);
    add_bytes(&f, FIELD_PARTITION, "\x01\x03web", 5);
    return f;
}

/* Runs the frame; gives the items in its result, and whether there is more behind them. */
static stator_status execute(const world *w, const frame *f, uint32_t *out_items, bool *out_more)
{
    stator_buffer *buffer;
    const void *data;
    size_t bytes;
    *out_items = 0;
    *out_more = false;
    stator_status status = stator_execute(w->db, f->bytes, f->used, NULL, 0, &bytes, &buffer, &err);
    if (status != STATOR_OK) {
        return status;
    }
    OK(stator_buffer_data(buffer, &data, &bytes));
    const uint8_t *at = (const uint8_t *)data + 2, *end = (const uint8_t *)data + bytes;
    while (at < end) {
        uint32_t size;
        memcpy(&size, at + 1, sizeof size);
        if (at[0] == 2) {
            memcpy(out_items, at + 5, sizeof *out_items);
        }
        *out_more |= at[0] == RESULT_LAST_KEY;
        at += 5 + size;
    }
    stator_buffer_free(buffer);
    return STATOR_OK;
}

static void test_page_items_page_bytes_and_limit_of_a_frame(void **state)
{
    (void)state;
    world w = open_world("frame", STATOR_DURABILITY_NONE);
    put_range(w.table, 0, 20, 1000);
    uint32_t items;
    bool more;
    frame f = query_frame();
    OK(execute(&w, &f, &items, &more));
    assert_int_equal(items, 20);
    assert_false(more);
    add_number(&f, FIELD_PAGE_ITEMS, 7, 4);
    OK(execute(&w, &f, &items, &more));
    assert_int_equal(items, 7);
    assert_true(more);
    f = query_frame();
    add_number(&f, FIELD_PAGE_BYTES, 5000, 4); /* ends behind the item that reaches it */
    OK(execute(&w, &f, &items, &more));
    assert_int_equal(items, 5);
    assert_true(more);
    f = query_frame();
    add_number(&f, FIELD_LIMIT, 3, 8);
    OK(execute(&w, &f, &items, &more));
    assert_int_equal(items, 3);

    const struct {
        uint8_t field;
        uint64_t value;
        size_t bytes;
        const char *text;
    } refused[] = {{FIELD_PAGE_ITEMS, 0, 4, "at least 1"},
                   {FIELD_PAGE_BYTES, 0, 4, "page bytes"},
                   {FIELD_PAGE_BYTES, (16 << 20) + 1, 4, "page bytes"},
                   {FIELD_LIMIT, 0, 8, "limit"}};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        f = query_frame();
        add_number(&f, refused[i].field, refused[i].value, refused[i].bytes);
        REFUSED(execute(&w, &f, &items, &more), STATOR_INVALID_ARGUMENT, refused[i].text);
    }
    close_world(&w);
}

static void test_flags_and_item_version_of_a_frame(void **state)
{
    (void)state;
    world w = open_cold("frame-flags");
    uint32_t items;
    bool more;
    frame f = query_frame();
    add_number(&f, FIELD_FLAGS, FLAG_CACHED_ONLY, 4);
    unsigned reads = watch_reads();
    REFUSED(execute(&w, &f, &items, &more), STATOR_WOULD_BLOCK, "not in memory");
    assert_int_equal(watch_reads(), reads);
    frame warm = query_frame();
    add_number(&warm, FIELD_FLAGS, FLAG_CONSISTENT, 4);
    OK(execute(&w, &warm, &items, &more));
    assert_int_equal(items, 200);
    OK(execute(&w, &f, &items, &more)); /* now it is in memory */
    assert_int_equal(items, 200);

    f = query_frame();
    add_number(&f, FIELD_FLAGS, 1u << 31, 4);
    REFUSED(execute(&w, &f, &items, &more), STATOR_UNSUPPORTED, "flag");
    f = query_frame();
    add_number(&f, FIELD_ITEM_VERSION, 1, 1);
    OK(execute(&w, &f, &items, &more));
    f = query_frame();
    add_number(&f, FIELD_ITEM_VERSION, 0, 1);
    REFUSED(execute(&w, &f, &items, &more), STATOR_UNSUPPORTED, "item frame version 0");
    close_world(&w);
}

/* A cursor in the middle of its pages loses nothing. */
static void test_would_block_in_a_cursor_and_asking_again(void **state)
{
    (void)state;
    world w = open_cold("cursor-cached");
    frame f = query_frame();
    add_number(&f, FIELD_FLAGS, FLAG_CACHED_ONLY, 4);
    add_number(&f, FIELD_PAGE_ITEMS, 150, 4);
    stator_cursor *cursor;
    stator_buffer *buffer;
    size_t bytes;
    OK(stator_cursor_open(w.db, f.bytes, f.used, &cursor, &err));
    REFUSED(stator_cursor_next_page(cursor, NULL, 0, &bytes, &buffer, &err), STATOR_WOULD_BLOCK,
            "not in memory");
    uint32_t items;
    bool more;
    frame all = query_frame();
    OK(execute(&w, &all, &items, &more));
    const uint32_t expected[] = {150, 50};
    for (int page = 0; page < 2; page++) {
        const void *data;
        OK(stator_cursor_next_page(cursor, NULL, 0, &bytes, &buffer, &err));
        OK(stator_buffer_data(buffer, &data, &bytes));
        memcpy(&items, (const uint8_t *)data + 7, sizeof items);
        assert_int_equal(items, expected[page]);
        stator_buffer_free(buffer);
    }
    stator_cursor_free(cursor);
    close_world(&w);
}

static void test_deadline_of_a_frame_ends_a_long_page(void **state)
{
    (void)state;
    world w = open_world("frame-deadline", STATOR_DURABILITY_NONE);
    put_range(w.table, 0, 1000, 0);
    uint32_t items;
    bool more;
    frame f = query_frame();
    add_number(&f, FIELD_DEADLINE, 5000, 4);
    OK(execute(&w, &f, &items, &more));
    assert_int_equal(items, 1000);
    watch_advance_each_look_us(1000000);
    stator_status status = execute(&w, &f, &items, &more);
    watch_advance_each_look_us(0);
    REFUSED(status, STATOR_DEADLINE, "deadline");
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durability_of_a_write_overrules_that_of_the_database),
        cmocka_unit_test(test_deadline_ms_of_a_write_ends_the_wait_and_not_the_write),
        cmocka_unit_test(test_cached_only_gives_would_block_instead_of_reading_a_file),
        cmocka_unit_test(test_consistent_or_not_a_read_sees_every_acknowledged_write),
        cmocka_unit_test(test_deadline_ms_ends_a_read_of_a_file_and_not_one_of_memory),
        cmocka_unit_test(test_deadline_ms_ends_a_batch_of_reads),
        cmocka_unit_test(test_reverse_and_limit_of_a_query),
        cmocka_unit_test(test_page_items_and_snapshot_say_which_moment_is_seen),
        cmocka_unit_test(test_start_after_resumes_queries_and_scans_of_the_same_table_only),
        cmocka_unit_test(test_segments_are_disjoint_and_together_the_table),
        cmocka_unit_test(test_limit_page_items_and_snapshot_of_a_scan),
        cmocka_unit_test(test_page_items_page_bytes_and_limit_of_a_frame),
        cmocka_unit_test(test_flags_and_item_version_of_a_frame),
        cmocka_unit_test(test_would_block_in_a_cursor_and_asking_again),
        cmocka_unit_test(test_deadline_of_a_frame_ends_a_long_page),
    };
    return cmocka_run_group_tests_name("api_call_options", tests, options_setup, options_teardown);
}
