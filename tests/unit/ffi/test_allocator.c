/* The allocator of the process: everything comes from it, everything goes back, and any of its
 * calls may fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "stator.h"

static _Atomic int64_t outstanding, calls_until_failure; /* < 0: none fails */
static _Atomic int stays_failed;                         /* and so do all after it */
static int context;

static void *resize(void *ctx, void *pointer, size_t old_bytes, size_t new_bytes)
{
    if (ctx != &context || (pointer == NULL) != (old_bytes == 0)) {
        abort();
    }
    if (new_bytes == 0) {
        atomic_fetch_sub(&outstanding, (int64_t)old_bytes);
        free(pointer);
        return NULL;
    }
    if (atomic_load(&calls_until_failure) == 0) {
        atomic_store(&calls_until_failure, atomic_load(&stays_failed) ? 0 : -2);
        return NULL;
    }
    if (atomic_load(&calls_until_failure) > 0) {
        atomic_fetch_sub(&calls_until_failure, 1);
    }
    void *moved = realloc(pointer, new_bytes);
    if (moved) {
        atomic_fetch_add(&outstanding, (int64_t)new_bytes - (int64_t)old_bytes);
    }
    return moved;
}

/* ---- a life of a database --------------------------------------------------------------- */

typedef struct life {
    stator_db *db;
    stator_schema *schema;
    stator_table *table;
    stator_item *built, *key, *found, *old;
    stator_query *query;
    stator_scan *scan;
    stator_cursor *cursor, *gets, *pages;
    stator_batch *batch;
    stator_buffer *buffers[6];
} life;

static stator_error error;
static int failed_line;
static int is_detailed; /* an error had a detail */

#define TRY(call)                   \
    do {                            \
        status = (call);            \
        if (status != STATOR_OK) {  \
            failed_line = __LINE__; \
            return status;          \
        }                           \
    } while (0)

static stator_status live_items(life *l)
{
    stator_status status;
    TRY(stator_item_new(&l->built));
    TRY(stator_item_set_string(l->built, "p", 1, "x", 1));
    TRY(stator_item_set_int64(l->built, "s", 1, -4));
    TRY(stator_item_begin(l->built, "list", 4, STATOR_TYPE_L));
    TRY(stator_item_set_binary(l->built, NULL, 0, "0123456789012345678901234567890123456789", 40));
    TRY(stator_item_begin(l->built, NULL, 0, STATOR_TYPE_NS));
    TRY(stator_item_set_number(l->built, NULL, 0, "12.5", 4));
    TRY(stator_item_end(l->built));
    TRY(stator_item_end(l->built));
    TRY(stator_item_to_json(l->built, STATOR_JSON_DYNAMODB, &l->buffers[0], &error));
    TRY(stator_put_returning(l->table, l->built, NULL, &l->old, &error));
    TRY(stator_item_from_json("{\"p\":\"x\",\"s\":-4}", 16, STATOR_JSON_PLAIN, &l->key, &error));
    TRY(stator_get(l->table, l->key, NULL, &l->found, &error));
    TRY(stator_put(l->table, l->found, NULL, &error));
    return STATOR_OK;
}

static stator_status live_reads(life *l)
{
    stator_status status;
    stator_item *item;
    size_t count;
    TRY(stator_query_new(l->table, &l->query));
    TRY(stator_query_partition_string(l->query, "x", 1));
    TRY(stator_query_sort_between(l->query, "-5", 2, "0", 1));
    TRY(stator_query_open(l->query, &l->cursor, &error));
    TRY(stator_cursor_next(l->cursor, &item, &error));
    if (!item) {
        return STATOR_INTERNAL;
    }
    TRY(stator_cursor_last_key(l->cursor, &l->buffers[1], &error));
    TRY(stator_cursor_next(l->cursor, &item, &error));
    TRY(stator_scan_new(l->table, &l->scan));
    TRY(stator_scan_snapshot(l->scan, 1));
    TRY(stator_scan_open(l->scan, &l->pages, &error));
    TRY(stator_cursor_next_page(l->pages, NULL, 0, &count, &l->buffers[2], &error));
    TRY(stator_batch_new(l->db, &l->batch));
    TRY(stator_batch_put(l->batch, l->table, l->built));
    TRY(stator_batch_write(l->batch, NULL, &error));
    TRY(stator_batch_get(l->batch, l->table, l->key));
    TRY(stator_batch_read(l->batch, NULL, &l->gets, &error));
    TRY(stator_cursor_next(l->gets, &item, &error));
    TRY(stator_table_list(l->db, &l->buffers[3], &count, &error));
    return STATOR_OK;
}

/* A put that its condition refuses, and the item it saw in the detail of the error. */
static stator_status live_refusal(life *l)
{
    static const char request[] =
        "\1\5\1\5\0\0\0table\4\24\0\0\0\13\13\0\0\0\2\0\0\0\1p\1\1x\1s\22\2-4"
        "\200\27\0\0\0attribute_not_exists(p)\7\4\0\0\0\100\0\0\0";
    size_t bytes;
    stator_buffer *none;
    stator_status status =
        stator_execute(l->db, request, sizeof request - 1, NULL, 0, &bytes, &none, &error);
    is_detailed |= status == STATOR_CONDITION_FAILED && error.detail != NULL;
    if (status == STATOR_CONDITION_FAILED) {
        stator_error_clear(&error);
        return STATOR_OK;
    }
    failed_line = __LINE__;
    return status == STATOR_OK ? STATOR_INTERNAL : status;
}

static stator_status live(life *l)
{
    stator_status status;
    stator_options options;
    size_t bytes;
    stator_options_init(&options);
    options.inline_background = 1;
    options.memory_budget_bytes = 1 << 20;
    TRY(stator_open(":memory:", 8, &options, &l->db, &error));
    TRY(stator_schema_new(&l->schema));
    TRY(stator_schema_partition(l->schema, "p", 1, STATOR_TYPE_S));
    TRY(stator_schema_sort(l->schema, "s", 1, STATOR_TYPE_N));
    TRY(stator_table_ensure(l->db, "table", 5, l->schema, &l->table, &error));
    TRY(live_items(l));
    TRY(live_refusal(l));
    TRY(live_reads(l));
    TRY(stator_flush(l->db, &error));
    TRY(stator_compact(l->db, &error));
    TRY(stator_verify(l->db, &l->buffers[4], &error));
    TRY(stator_delete(l->table, l->key, NULL, &error));
    TRY(stator_execute(l->db, "\1\3", 2, NULL, 0, &bytes, &l->buffers[5], &error));
    TRY(stator_table_delete(l->db, "table", 5, &error));
    stator_db *db = l->db;
    l->db = NULL;
    TRY(stator_close(db, &error));
    return STATOR_OK;
}

static void end_life(life *l)
{
    stator_schema_free(l->schema);
    stator_item_free(l->built);
    stator_item_free(l->key);
    stator_item_free(l->found);
    stator_item_free(l->old);
    stator_cursor_free(l->cursor);
    stator_query_free(l->query);
    if (l->db) {
        (void)stator_close(l->db, NULL); /* some children first, some later */
    }
    stator_cursor_free(l->gets);
    stator_cursor_free(l->pages);
    stator_scan_free(l->scan);
    stator_batch_free(l->batch);
    stator_table_free(l->table);
    for (int i = 0; i < 6; i++) {
        stator_buffer_free(l->buffers[i]);
    }
}

/* ---- tests ------------------------------------------------------------------------------ */

static void memory_comes_from_the_allocator_and_goes_back_to_it(void **state)
{
    (void)state;
    int64_t before = 0;
    stator_error_init(&error);
    for (int i = 0; i < 200; i++) { /* the table of handles grows to its lasting size first */
        life l = {0};
        assert_int_equal(live(&l), STATOR_OK);
        end_life(&l);
        before = i == 198 ? atomic_load(&outstanding) : before;
    }
    assert_true(is_detailed);
    assert_int_equal(atomic_load(&outstanding), before);
    assert_in_range(before, 1, 1 << 20);
}

/* Lives through it once for each allocation, which fails. */
static void fail_each(int are_all_after_it)
{
    int64_t before = atomic_load(&outstanding);
    atomic_store(&stays_failed, are_all_after_it);
    for (int64_t n = 0;; n++) {
        life l = {0};
        stator_error_init(&error);
        atomic_store(&calls_until_failure, n);
        stator_status status = live(&l);
        int64_t left = atomic_exchange(&calls_until_failure, -1);
        if (status != STATOR_OK && status != STATOR_NO_MEMORY) {
            fail_msg("allocation %lld, line %d: %s: %s", (long long)n, failed_line,
                     stator_status_name(status), error.message);
        }
        end_life(&l);
        if (atomic_load(&outstanding) != before) {
            fail_msg("allocation %lld: %lld bytes were lost", (long long)n,
                     (long long)(atomic_load(&outstanding) - before));
        }
        if (left > 0) { /* there are not so many */
            assert_int_equal(status, STATOR_OK);
            assert_true(n > 200);
            break;
        }
    }
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    fail_each(0);
}

static void memory_may_run_out_for_good_at_any_allocation(void **state)
{
    (void)state;
    fail_each(1);
}

static void the_allocator_is_set_once_and_first(void **state)
{
    (void)state;
    stator_allocator again = {sizeof again, resize, &context};
    assert_int_equal(stator_set_allocator(&again), STATOR_MISUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_comes_from_the_allocator_and_goes_back_to_it),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(memory_may_run_out_for_good_at_any_allocation),
        cmocka_unit_test(the_allocator_is_set_once_and_first),
    };
    stator_allocator allocator = {sizeof allocator, NULL, &context};
    calls_until_failure = -1;
    if (stator_set_allocator(NULL) != STATOR_MISUSE ||
        stator_set_allocator(&allocator) != STATOR_INVALID_ARGUMENT) {
        return 2;
    }
    allocator.resize = resize;
    if (stator_set_allocator(&allocator) != STATOR_OK) {
        return 2;
    }
    return cmocka_run_group_tests_name("allocator", tests, NULL, NULL);
}
