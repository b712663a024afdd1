/* Calls, frees and closes at the same time, from many threads. Which thread is first is open; what
 * may come out is not. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "stator.h"

#define THREADS 4
#define ROUNDS 30

typedef struct shared {
    stator_db *db;
    stator_table *table;
    stator_cursor *cursor;
    stator_item *item;
    _Atomic int arrived;
    _Atomic int wrong; /* a status that may not come out */
    _Atomic int closes;
    _Atomic int successes;
} shared;

static void meet(shared *s)
{
    atomic_fetch_add(&s->arrived, 1);
    while (atomic_load(&s->arrived) < THREADS) {
    }
}

static bool is_fine(shared *s, stator_status status, stator_status other)
{
    if (status != STATOR_OK && status != STATOR_CLOSED && status != other) {
        atomic_store(&s->wrong, status);
    }
    return status == STATOR_OK;
}

static void setup_shared(shared *s, uint32_t inline_background)
{
    stator_options options;
    stator_schema *schema;
    memset(s, 0, sizeof *s);
    stator_options_init(&options);
    options.inline_background = inline_background;
    options.memory_budget_bytes = 1 << 20;
    assert_int_equal(stator_open(":memory:", 8, &options, &s->db, NULL), STATOR_OK);
    assert_int_equal(stator_schema_new(&schema), STATOR_OK);
    stator_schema_partition(schema, "p", 1, STATOR_TYPE_S);
    stator_schema_sort(schema, "s", 1, STATOR_TYPE_N);
    assert_int_equal(stator_table_ensure(s->db, "table", 5, schema, &s->table, NULL), STATOR_OK);
    stator_schema_free(schema);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(stator_item_new(&s->item), STATOR_OK);
        stator_item_set_string(s->item, "p", 1, "x", 1);
        stator_item_set_int64(s->item, "s", 1, i);
        assert_int_equal(stator_put(s->table, s->item, NULL, NULL), STATOR_OK);
        if (i < 19) {
            stator_item_free(s->item);
        }
    }
}

static void run_together(shared *s, void *(*work)(void *))
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, s), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    if (s->wrong) {
        fail_msg("a call returned %s", stator_status_name(s->wrong));
    }
}

/* One item through its life: put, get, query, token. False once the database is closed. */
static bool use_database(shared *s, int64_t number)
{
    stator_item *item, *found = NULL;
    stator_query *query = NULL;
    stator_cursor *cursor = NULL;
    stator_buffer *token = NULL;
    bool goes_on = stator_item_new(&item) == STATOR_OK;
    stator_item_set_string(item, "p", 1, "x", 1);
    stator_item_set_int64(item, "s", 1, number);
    goes_on = goes_on && is_fine(s, stator_put(s->table, item, NULL, NULL), STATOR_OK) &&
              is_fine(s, stator_get(s->table, item, NULL, &found, NULL), STATOR_OK) &&
              is_fine(s, stator_query_new(s->table, &query), STATOR_OK) &&
              is_fine(s, stator_query_partition_string(query, "x", 1), STATOR_OK) &&
              is_fine(s, stator_query_page_items(query, 3), STATOR_OK) &&
              is_fine(s, stator_query_open(query, &cursor, NULL), STATOR_OK);
    for (int i = 0; goes_on && i < 8; i++) {
        stator_item *next;
        goes_on = is_fine(s, stator_cursor_next(cursor, &next, NULL), STATOR_OK);
    }
    goes_on = goes_on && is_fine(s, stator_cursor_last_key(cursor, &token, NULL), STATOR_OK);
    stator_buffer_free(token);
    stator_cursor_free(cursor);
    stator_query_free(query);
    stator_item_free(found);
    stator_item_free(item);
    return goes_on;
}

static void *use_until_closed(void *arg)
{
    shared *s = arg;
    meet(s);
    for (int64_t i = 0; use_database(s, i % 50); i++) {
        if (i == 5 && atomic_fetch_add(&s->closes, 1) == 0) {
            is_fine(s, stator_close(s->db, NULL), STATOR_OK);
        }
    }
    return NULL;
}

static void closing_waits_for_calls_and_later_ones_are_closed(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        shared s;
        setup_shared(&s, (uint32_t)round % 2);
        run_together(&s, use_until_closed);
        assert_int_equal(stator_close(s.db, NULL), STATOR_CLOSED);
        stator_item_free(s.item);
        stator_table_free(s.table);
    }
}

static void *close_it(void *arg)
{
    shared *s = arg;
    meet(s);
    atomic_fetch_add(&s->successes, is_fine(s, stator_close(s->db, NULL), STATOR_CLOSED));
    return NULL;
}

static void one_of_many_closes_succeeds(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        shared s;
        setup_shared(&s, 0);
        run_together(&s, close_it);
        assert_int_equal(s.successes, 1);
        stator_item_free(s.item);
        stator_table_free(s.table);
    }
}

/* The first closes the database, the others free cursors of it. */
static void *free_cursors_while_closing(void *arg)
{
    shared *s = arg;
    stator_scan *scan;
    stator_cursor *cursors[16] = {NULL};
    stator_item *item;
    assert_int_equal(stator_scan_new(s->table, &scan), STATOR_OK);
    stator_scan_snapshot(scan, 1);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(stator_scan_open(scan, &cursors[i], NULL), STATOR_OK);
        assert_int_equal(stator_cursor_next(cursors[i], &item, NULL), STATOR_OK);
    }
    meet(s);
    if (atomic_fetch_add(&s->closes, 1) == 0) {
        is_fine(s, stator_close(s->db, NULL), STATOR_OK);
    }
    for (int i = 0; i < 16; i++) {
        stator_cursor_free(cursors[i]);
    }
    stator_scan_free(scan);
    return NULL;
}

static void cursors_may_be_freed_while_their_database_closes(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        shared s;
        setup_shared(&s, 0);
        run_together(&s, free_cursors_while_closing);
        stator_item_free(s.item);
        stator_table_free(s.table);
    }
}

/* All on one cursor and the item it shows; the last one frees it while others are inside. */
static void *share_a_cursor(void *arg)
{
    shared *s = arg;
    meet(s);
    for (int i = 0; i < 40; i++) {
        stator_item *item = NULL;
        stator_value value;
        stator_value_init(&value);
        is_fine(s, stator_cursor_next(s->cursor, &item, NULL), STATOR_BUSY);
        if (item) {
            stator_status status = stator_item_get(item, "s", 1, &value, NULL);
            if (status != STATOR_MISUSE) { /* another thread is at the end meanwhile */
                is_fine(s, status, STATOR_BUSY);
            }
        }
    }
    stator_cursor_free(s->cursor);
    return NULL;
}

static void a_cursor_shared_by_threads_is_busy_and_never_torn(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        shared s;
        stator_scan *scan;
        setup_shared(&s, 1);
        assert_int_equal(stator_scan_new(s.table, &scan), STATOR_OK);
        stator_scan_page_items(scan, 2);
        assert_int_equal(stator_scan_open(scan, &s.cursor, NULL), STATOR_OK);
        run_together(&s, share_a_cursor);
        stator_scan_free(scan);
        stator_item_free(s.item);
        stator_table_free(s.table);
        assert_int_equal(stator_close(s.db, NULL), STATOR_OK);
    }
}

static void *build_one_item(void *arg)
{
    shared *s = arg;
    meet(s);
    for (int i = 0; i < 200; i++) {
        char name[24];
        snprintf(name, sizeof name, "%p %d", (void *)&name, i);
        is_fine(s, stator_item_set_int64(s->item, name, strlen(name), i), STATOR_BUSY);
        stator_item_free(atomic_load(&s->wrong) ? s->item : NULL);
    }
    stator_item_free(s->item);
    return NULL;
}

static void an_item_shared_by_threads_is_busy_and_freed_once(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        shared s;
        setup_shared(&s, 1);
        run_together(&s, build_one_item);
        assert_int_equal(stator_item_clear(s.item), STATOR_CLOSED);
        stator_table_free(s.table);
        assert_int_equal(stator_close(s.db, NULL), STATOR_OK);
    }
}

/* Long calls on one item, until two have met inside. */
static void *read_a_large_item(void *arg)
{
    shared *s = arg;
    meet(s);
    for (int i = 0; i < 100000 && atomic_load(&s->successes) == 0; i++) {
        stator_buffer *json;
        stator_status status = stator_item_to_json(s->item, STATOR_JSON_DYNAMODB, &json, NULL);
        is_fine(s, status, STATOR_BUSY);
        stator_buffer_free(json);
        if (status == STATOR_BUSY) {
            atomic_store(&s->successes, 1);
        }
    }
    return NULL;
}

static void two_calls_on_one_item_are_told_to_take_turns(void **state)
{
    (void)state;
    shared s;
    memset(&s, 0, sizeof s);
    assert_int_equal(stator_item_new(&s.item), STATOR_OK);
    for (int i = 0; i < 2000; i++) {
        char name[24];
        snprintf(name, sizeof name, "attribute %d", i);
        assert_int_equal(stator_item_set_int64(s.item, name, strlen(name), i), STATOR_OK);
    }
    run_together(&s, read_a_large_item);
    assert_int_equal(s.successes, 1);
    stator_item_free(s.item);
}

static void *make_and_free(void *arg)
{
    shared *s = arg;
    meet(s);
    for (int i = 0; i < 3000; i++) {
        stator_schema *schema;
        is_fine(s, stator_schema_new(&schema), STATOR_OK);
        is_fine(s, stator_schema_partition(schema, "p", 1, STATOR_TYPE_S), STATOR_OK);
        stator_schema_free(schema);
        if (stator_schema_partition(schema, "p", 1, STATOR_TYPE_S) != STATOR_CLOSED) {
            atomic_store(&s->wrong, STATOR_INTERNAL);
        }
    }
    return NULL;
}

static void handles_of_many_threads_never_mix(void **state)
{
    (void)state;
    shared s;
    memset(&s, 0, sizeof s);
    run_together(&s, make_and_free);
}

static void *open_use_close(void *arg)
{
    shared *s = arg;
    meet(s);
    for (int i = 0; i < 20; i++) {
        shared own;
        setup_shared(&own, 1);
        if (!use_database(&own, i) || own.wrong) {
            atomic_store(&s->wrong, STATOR_INTERNAL);
        }
        is_fine(s, stator_close(own.db, NULL), STATOR_OK);
        stator_item_free(own.item);
        stator_table_free(own.table);
    }
    return NULL;
}

static void databases_open_and_close_beside_each_other(void **state)
{
    (void)state;
    shared s;
    memset(&s, 0, sizeof s);
    run_together(&s, open_use_close);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closing_waits_for_calls_and_later_ones_are_closed),
        cmocka_unit_test(one_of_many_closes_succeeds),
        cmocka_unit_test(cursors_may_be_freed_while_their_database_closes),
        cmocka_unit_test(a_cursor_shared_by_threads_is_busy_and_never_torn),
        cmocka_unit_test(an_item_shared_by_threads_is_busy_and_freed_once),
        cmocka_unit_test(two_calls_on_one_item_are_told_to_take_turns),
        cmocka_unit_test(handles_of_many_threads_never_mix),
        cmocka_unit_test(databases_open_and_close_beside_each_other),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
