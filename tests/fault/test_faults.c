/* A tour of the database in which one call after the other fails: every I/O call, once and for
 * ever, without and with space, and every allocation, once and for ever; and a disk that fills.
 *
 * What must hold: no failure ends the program, leaks memory or a file, or is answered by OK. A
 * write that returned OK is there after reopening; one whose failure does not say that it may have
 * been applied is not; a batch is there wholly or not at all. Reads never answer with anything
 * else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/fault_alloc.h"
#include "support/simfs.h"
#include "table/table.h"

#define FAULT_KEYS 16
#define FAULT_BATCH_KEYS 4 /* the first keys are written by batches alone */
#define FAULT_PATH "/db"

/* What a key may hold: version 0 is absent. */
typedef struct fault_key {
    uint32_t acknowledged;
    uint64_t maybe; /* bit set of later versions whose writes may have been applied */
} fault_key;

typedef struct fault_tour {
    const char *what;
    uint64_t at;
    simfs *sim;
    fault_alloc memory;
    st_op op;
    st_database *database;
    fault_key keys[FAULT_KEYS];
    bool has_table;
    uint64_t memtable_bytes;
    uint32_t next_version, failures;
    st_buf request, item, result; /* of the test: with an allocator that does not fail */
    st_buf answer;                /* of the library: with the one that does */
} fault_tour;

/* ---- requests --------------------------------------------------------------------------- */

static void fault_field(st_buf *buf, uint8_t number, st_slice payload)
{
    st_buf_byte(buf, number);
    st_buf_u32(buf, (uint32_t)payload.size);
    st_buf_slice(buf, payload);
}

static void fault_begin(st_buf *buf, uint8_t operation, const char *table)
{
    st_buf_clear(buf);
    st_buf_byte(buf, ST_FRAME_VERSION);
    st_buf_byte(buf, operation);
    if (table) {
        fault_field(buf, ST_FIELD_TABLE_NAME, st_slice_str(table));
    }
}

static st_slice fault_json(fault_tour *t, const char *json)
{
    st_op op;
    st_op_init(&op, st_alloc_process());
    st_buf_clear(&t->item);
    assert_int_equal(st_item_from_plain_json(&op, st_slice_str(json), &t->item), ST_OK);
    st_op_deinit(&op);
    return st_buf_view(&t->item);
}

static void fault_begin_put(fault_tour *t, st_buf *to, int key, uint32_t version)
{
    char json[512];
    snprintf(json, sizeof json, "{\"id\":\"key %02d\",\"version\":%u,\"filler\":\"%0*u\"}", key,
             (unsigned)version, 200 + key, (unsigned)version);
    fault_begin(to, ST_REQUEST_PUT, "things");
    fault_field(to, ST_FIELD_ITEM, fault_json(t, json));
}

static void fault_begin_key(fault_tour *t, uint8_t operation, int key)
{
    char json[64];
    snprintf(json, sizeof json, "{\"id\":\"key %02d\"}", key);
    fault_begin(&t->request, operation, "things");
    fault_field(&t->request, ST_FIELD_KEY, fault_json(t, json));
}

static st_status fault_note(fault_tour *t, st_status status)
{
    bool has_failed = simfs_has_failed(t->sim) || t->memory.has_failed;
    if (status != ST_OK && !has_failed) {
        fail_msg("%s %llu: %s before any failure: %s", t->what, (unsigned long long)t->at,
                 st_status_name(status), t->op.error.message);
    }
    if (status != ST_OK && t->op.error.message[0] == '\0') {
        fail_msg("%s %llu: %s without a text", t->what, (unsigned long long)t->at,
                 st_status_name(status));
    }
    t->failures += status != ST_OK;
    st_op_deinit(&t->op);
    st_op_init(&t->op, &t->memory.alloc);
    return status;
}

static st_status fault_execute(fault_tour *t)
{
    st_buf_deinit(&t->answer);
    st_buf_init(&t->answer, &t->memory.alloc);
    return fault_note(t,
                      st_table_execute(&t->op, t->database, st_buf_view(&t->request), &t->answer));
}

/* A field of the answer; empty when it is not there. */
static st_slice fault_answer(const fault_tour *t, uint8_t number)
{
    st_reader reader = st_reader_of(st_buf_view(&t->answer));
    (void)st_reader_u16(&reader);
    while (st_reader_left(&reader) > 0) {
        uint8_t found = st_reader_byte(&reader);
        st_slice payload = st_reader_slice(&reader, st_reader_u32(&reader));
        assert_false(reader.failed);
        if (found == number) {
            return payload;
        }
    }
    return (st_slice){0};
}

/* ---- writes ----------------------------------------------------------------------------- */

static void fault_written(fault_tour *t, int key, uint32_t version, st_status status)
{
    if (status == ST_OK) {
        t->keys[key] = (fault_key){.acknowledged = version};
    } else if (st_status_flags((int32_t)status) & ST_STATUS_MAYBE_APPLIED) {
        t->keys[key].maybe |= (uint64_t)1 << version;
    }
}

static void fault_put(fault_tour *t, int key)
{
    uint32_t version = t->next_version++;
    fault_begin_put(t, &t->request, key, version);
    fault_written(t, key, version, fault_execute(t));
}

static void fault_delete(fault_tour *t, int key)
{
    fault_begin_key(t, ST_REQUEST_DELETE, key);
    fault_written(t, key, 0, fault_execute(t));
}

static void fault_batch(fault_tour *t)
{
    uint32_t version = t->next_version++;
    st_buf entry;
    st_buf_init(&entry, st_alloc_process());
    fault_begin(&t->request, ST_REQUEST_BATCH_WRITE, NULL);
    for (int key = 0; key < FAULT_BATCH_KEYS; key++) {
        fault_begin_put(t, &entry, key, version);
        fault_field(&t->request, ST_FIELD_ENTRY, st_buf_view(&entry));
    }
    st_buf_deinit(&entry);
    st_status status = fault_execute(t);
    for (int key = 0; key < FAULT_BATCH_KEYS; key++) {
        fault_written(t, key, version, status);
    }
}

static st_status fault_create_table(fault_tour *t, const char *name)
{
    static const uint8_t schema[] = {1, 0, 1, 2, 'i', 'd'};
    uint8_t flags[4] = {ST_FLAG_ENSURE};
    fault_begin(&t->request, ST_REQUEST_CREATE_TABLE, name);
    fault_field(&t->request, ST_FIELD_SCHEMA, st_slice_of(schema, sizeof schema));
    fault_field(&t->request, ST_FIELD_FLAGS, st_slice_of(flags, sizeof flags));
    return fault_execute(t);
}

static void fault_delete_table(fault_tour *t, const char *name)
{
    fault_begin(&t->request, ST_REQUEST_DELETE_TABLE, name);
    (void)fault_execute(t);
}

/* ---- reads ------------------------------------------------------------------------------ */

static uint32_t fault_version_of(st_slice frame)
{
    st_value value;
    st_number number;
    if (frame.size == 0) {
        return 0;
    }
    assert_true(st_item_find(frame, st_slice_str("version"), &value));
    assert_true(st_number_decode(value.bytes, &number));
    uint32_t version = 0;
    for (int i = 0; i <= number.exponent; i++) {
        version = version * 10 + (i < number.digit_count ? number.digits[i] : 0);
    }
    return version;
}

static void fault_check_version(const fault_tour *t, int key, uint32_t version)
{
    if (version != t->keys[key].acknowledged &&
        !(version < 64 && t->keys[key].maybe >> version & 1)) {
        fail_msg("%s %llu: key %d holds version %u; acknowledged is %u, possible %llx", t->what,
                 (unsigned long long)t->at, key, (unsigned)version,
                 (unsigned)t->keys[key].acknowledged, (unsigned long long)t->keys[key].maybe);
    }
}

static uint32_t fault_get(fault_tour *t, int key)
{
    fault_begin_key(t, ST_REQUEST_GET, key);
    if (fault_execute(t) != ST_OK) {
        return 0;
    }
    uint32_t version = fault_version_of(fault_answer(t, ST_RESULT_ITEM));
    fault_check_version(t, key, version);
    return version;
}

/* Items of a page; each must be one that may be there. */
static uint32_t fault_check_items(const fault_tour *t)
{
    st_slice items = fault_answer(t, ST_RESULT_ITEMS);
    st_reader reader = st_reader_of(items);
    uint32_t count = st_reader_u32(&reader);
    for (uint32_t i = 0; i < count; i++) {
        st_slice frame = st_reader_slice(&reader, st_reader_u32(&reader));
        st_value id;
        assert_true(st_item_find(frame, st_slice_str("id"), &id));
        int key = (id.bytes.data[4] - '0') * 10 + id.bytes.data[5] - '0';
        fault_check_version(t, key, fault_version_of(frame));
    }
    return count;
}

static void fault_query(fault_tour *t, int key)
{
    uint8_t value[] = {
        1, 6, 'k', 'e', 'y', ' ', (uint8_t)('0' + key / 10), (uint8_t)('0' + key % 10)};
    fault_begin(&t->request, ST_REQUEST_QUERY, "things");
    fault_field(&t->request, ST_FIELD_PARTITION, st_slice_of(value, sizeof value));
    if (fault_execute(t) == ST_OK) {
        (void)fault_check_items(t);
    }
}

/* All pages; how many items, or UINT32_MAX after a failure. */
static uint32_t fault_scan(fault_tour *t)
{
    uint8_t page_items[4] = {5};
    st_table_cursor *cursor;
    uint32_t count = 0;
    fault_begin(&t->request, ST_REQUEST_SCAN, "things");
    fault_field(&t->request, ST_FIELD_PAGE_ITEMS, st_slice_of(page_items, sizeof page_items));
    st_status status =
        fault_note(t, st_table_cursor_open(&t->op, t->database, st_buf_view(&t->request), &cursor));
    while (status == ST_OK) {
        st_buf_deinit(&t->answer);
        st_buf_init(&t->answer, &t->memory.alloc);
        status = fault_note(t, st_table_cursor_next_page(&t->op, cursor, &t->answer));
        count = status == ST_OK ? count + fault_check_items(t) : UINT32_MAX;
        if (status == ST_OK && fault_answer(t, ST_RESULT_LAST_KEY).size == 0) {
            break;
        }
    }
    st_table_cursor_close(cursor);
    return status == ST_OK ? count : UINT32_MAX;
}

/* ---- the tour --------------------------------------------------------------------------- */

static st_status fault_open(fault_tour *t)
{
    st_database_options options;
    st_database_options_init(&options);
    options.env = simfs_env(t->sim);
    options.alloc = &t->memory.alloc;
    options.inline_background = true;
    options.memory_budget_bytes = 1 << 20;
    options.memtable_bytes = t->memtable_bytes;
    options.file_bytes = 2048;
    return fault_note(t,
                      st_database_open(&t->op, st_slice_str(FAULT_PATH), &options, &t->database));
}

static void fault_close(fault_tour *t)
{
    if (t->database) {
        (void)fault_note(t, st_database_close(&t->op, t->database));
        t->database = NULL;
    }
}

static void fault_visit_writes(fault_tour *t)
{
    t->has_table |= fault_create_table(t, "things") == ST_OK;
    (void)fault_create_table(t, "others");
    fault_batch(t);
    for (int key = FAULT_BATCH_KEYS; key < FAULT_KEYS; key++) {
        fault_put(t, key);
    }
    (void)fault_get(t, 5);
    (void)fault_note(t, st_lsm_flush(&t->op, st_database_lsm(t->database)));
    fault_batch(t);
    fault_put(t, 5);
    fault_delete(t, 6);
    fault_query(t, 5);
    (void)fault_scan(t);
    fault_delete_table(t, "others");
    (void)fault_note(t, st_lsm_compact(&t->op, st_database_lsm(t->database)));
    fault_put(t, 7);
    (void)fault_get(t, 7);
}

static void fault_visit_again(fault_tour *t)
{
    t->has_table |= fault_create_table(t, "things") == ST_OK;
    (void)fault_get(t, 1);
    fault_put(t, 8);
    fault_put(t, 9);
    fault_batch(t);
    (void)fault_scan(t);
    (void)fault_get(t, 9);
    (void)fault_note(t, st_lsm_flush(&t->op, st_database_lsm(t->database)));
    fault_delete(t, 9);
}

static void fault_tour_init(fault_tour *t, const char *what, uint64_t at)
{
    *t = (fault_tour){.what = what, .at = at, .next_version = 1, .memtable_bytes = 17000};
    t->sim = simfs_create(42);
    fault_alloc_init(&t->memory);
    st_op_init(&t->op, &t->memory.alloc);
    st_buf_init(&t->request, st_alloc_process());
    st_buf_init(&t->item, st_alloc_process());
    st_buf_init(&t->answer, &t->memory.alloc);
}

static void fault_tour_run(fault_tour *t)
{
    if (fault_open(t) == ST_OK) {
        fault_visit_writes(t);
    }
    fault_close(t);
    if (fault_open(t) == ST_OK) {
        fault_visit_again(t);
    }
    fault_close(t);
}

static void fault_check_freed(fault_tour *t)
{
    st_buf_deinit(&t->answer);
    st_op_deinit(&t->op);
    st_op_init(&t->op, &t->memory.alloc);
    if (t->memory.live_blocks != 0 || simfs_open_handles(t->sim) != 0) {
        fail_msg("%s %llu: %llu blocks and %llu files are left over", t->what,
                 (unsigned long long)t->at, (unsigned long long)t->memory.live_blocks,
                 (unsigned long long)simfs_open_handles(t->sim));
    }
}

static void fault_check_all(fault_tour *t)
{
    uint32_t versions[FAULT_KEYS], count = 0;
    for (int key = 0; key < FAULT_KEYS; key++) {
        versions[key] = fault_get(t, key);
        count += versions[key] != 0;
    }
    for (int key = 1; key < FAULT_BATCH_KEYS; key++) {
        assert_int_equal(versions[key], versions[0]);
    }
    assert_int_equal(fault_scan(t), count);
}

/* Without failures again: what must be there is, and the database is of use. */
static void fault_tour_check(fault_tour *t, simfs_state state)
{
    fault_check_freed(t);
    simfs_fail_after(t->sim, 0, ST_OK, false);
    fault_alloc_fail_after(&t->memory, 0, false);
    simfs_restart(t->sim, state, t->at);
    assert_int_equal(fault_open(t), ST_OK);
    assert_int_equal(fault_create_table(t, "things"), ST_OK);
    fault_check_all(t);
    t->keys[15].maybe = 0;
    fault_put(t, 15);
    assert_int_equal(fault_get(t, 15), t->next_version - 1);
    fault_close(t);
    fault_check_freed(t);
    fault_alloc_deinit(&t->memory);
    st_buf_deinit(&t->request);
    st_buf_deinit(&t->item);
    simfs_destroy(t->sim);
}

/* ---- what fails ------------------------------------------------------------------------- */

static bool fault_io_tour(const char *what, uint64_t at, st_status status, bool is_for_ever)
{
    fault_tour t;
    fault_tour_init(&t, what, at);
    simfs_fail_after(t.sim, at, status, is_for_ever);
    fault_tour_run(&t);
    bool has_failed = simfs_has_failed(t.sim);
    fault_tour_check(&t, at % 2 ? SIMFS_KILL : SIMFS_LOSE_ALL);
    return has_failed;
}

static void every_input_or_output_call_may_fail(void **state)
{
    (void)state;
    uint64_t runs = 0;
    for (int kind = 0; kind < 4; kind++) {
        static const char *const names[] = {"I/O call once", "I/O call for ever", "space once",
                                            "space for ever"};
        uint64_t at = 1;
        while (fault_io_tour(names[kind], at, kind < 2 ? ST_IO : ST_NO_SPACE, kind % 2 == 1)) {
            at++;
        }
        assert_true(at > 100);
        runs += at;
    }
    print_message("%llu tours with failing I/O\n", (unsigned long long)runs);
}

static bool fault_memory_tour(const char *what, uint64_t at, bool is_for_ever)
{
    fault_tour t;
    fault_tour_init(&t, what, at);
    fault_alloc_fail_after(&t.memory, at, is_for_ever);
    fault_tour_run(&t);
    bool has_failed = t.memory.has_failed;
    fault_tour_check(&t, SIMFS_KILL);
    return has_failed;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    uint64_t at, runs = 0;
    for (at = 1; fault_memory_tour("allocation once", at, false); at++) {
        runs++;
    }
    assert_true(at > 500);
    for (at = 1; fault_memory_tour("allocation for ever", at, true); at++) {
        runs++;
    }
    print_message("%llu tours with failing allocations\n", (unsigned long long)runs);
}

/* ---- a full disk ------------------------------------------------------------------------ */

static void fault_put_relaxed(fault_tour *t, int key, uint8_t durability, uint32_t *full)
{
    uint32_t version = t->next_version;
    fault_begin_put(t, &t->request, key, version);
    fault_field(&t->request, ST_FIELD_DURABILITY, st_slice_of(&durability, 1));
    st_status status = st_table_execute(&t->op, t->database, st_buf_view(&t->request), &t->answer);
    if (status != ST_OK && status != ST_NO_SPACE) {
        fail_msg("budget %llu, write %u: %s: %s", (unsigned long long)t->at, (unsigned)version,
                 st_status_name(status), t->op.error.message);
    }
    *full += status == ST_NO_SPACE;
    t->next_version = version + 1;
    fault_written(t, key, version, status);
    st_op_deinit(&t->op);
    st_op_init(&t->op, &t->memory.alloc);
    st_buf_clear(&t->answer);
}

static void fault_budget_run(uint64_t budget, uint64_t memtable_bytes)
{
    fault_tour t;
    fault_tour_init(&t, "budget", budget);
    t.memtable_bytes = memtable_bytes;
    assert_int_equal(fault_open(&t), ST_OK);
    assert_int_equal(fault_create_table(&t, "things"), ST_OK);
    simfs_set_budget(t.sim, simfs_used_bytes(t.sim) + budget);
    uint32_t full = 0, full_after = 0;
    for (int i = 0; i < 400 && full < 8; i++) {
        fault_put_relaxed(&t, FAULT_BATCH_KEYS + i % 12, (uint8_t)(1 + i % 3), &full);
    }
    assert_true(full > 0);
    simfs_set_budget(t.sim, UINT64_MAX);
    for (int i = 0; i < 60; i++) {
        fault_put_relaxed(&t, FAULT_BATCH_KEYS + i % 12, (uint8_t)(3 - i % 3), &full_after);
    }
    assert_int_equal(full_after, 0);
    fault_check_all(&t);
    fault_close(&t);
    fault_tour_check(&t, SIMFS_LOSE_ALL);
}

static void writing_goes_on_when_a_full_disk_has_space_again(void **state)
{
    (void)state;
    for (uint64_t budget = 0; budget <= 30000; budget += 700) {
        fault_budget_run(budget, 17000);      /* fills in a flush, a new segment or a manifest */
        fault_budget_run(budget * 3, 256000); /* fills while a segment grows */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_input_or_output_call_may_fail),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(writing_goes_on_when_a_full_disk_has_space_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
