#include "misuse.h"

#define CALL(name, expression)                \
    static stator_status call_##name(args *a) \
    {                                         \
        return expression;                    \
    }
#define VOID(name, statement)                 \
    static stator_status call_##name(args *a) \
    {                                         \
        (void)a;                              \
        statement;                            \
        return STATOR_OK;                     \
    }

VOID(abi_version, (void)stator_abi_version())
VOID(version, (void)stator_version())
VOID(status_name, (void)stator_status_name(-7))
VOID(status_text, (void)stator_status_text(1 << 30))
VOID(status_exception, (void)stator_status_exception(-1))
VOID(status_flags, (void)stator_status_flags(99))
VOID(error_init, stator_error_init(NULL))
VOID(error_clear, stator_error_clear(NULL))
VOID(options_init, stator_options_init(NULL))
VOID(value_init, stator_value_init(NULL))
VOID(read_options_init, stator_read_options_init(NULL))
VOID(write_options_init, stator_write_options_init(NULL))
VOID(dispatch_options_init, stator_dispatch_options_init(NULL))
CALL(set_allocator, stator_set_allocator(a->structure))

VOID(batch_free, stator_batch_free(a->h[0]))
VOID(buffer_free, stator_buffer_free(a->h[0]))
VOID(cursor_free, stator_cursor_free(a->h[0]))
VOID(item_free, stator_item_free(a->h[0]))
VOID(query_free, stator_query_free(a->h[0]))
VOID(scan_free, stator_scan_free(a->h[0]))
VOID(schema_free, stator_schema_free(a->h[0]))
VOID(table_free, stator_table_free(a->h[0]))

CALL(buffer_data, stator_buffer_data(a->h[0], (const void **)a->out, a->out_size))

CALL(open, stator_open(a->bytes, a->length, a->structure, (stator_db **)a->out, a->error))
CALL(close, stator_close(a->h[0], a->error))
CALL(flush, stator_flush(a->h[0], a->error))
CALL(compact, stator_compact(a->h[0], a->error))
CALL(verify, stator_verify(a->h[0], (stator_buffer **)a->out, a->error))
CALL(inspect, stator_inspect(a->bytes, a->length, (stator_buffer **)a->out, a->error))
CALL(stats_read, stator_stats_read(a->h[0], a->structure, a->error))

CALL(schema_new, stator_schema_new((stator_schema **)a->out))
CALL(schema_partition, stator_schema_partition(a->h[0], a->bytes, a->length, STATOR_TYPE_S))
CALL(schema_sort, stator_schema_sort(a->h[0], a->bytes, a->length, STATOR_TYPE_S))
CALL(table_create,
     stator_table_create(a->h[0], a->bytes, a->length, a->h[1], (stator_table **)a->out, a->error))
CALL(table_ensure,
     stator_table_ensure(a->h[0], a->bytes, a->length, a->h[1], (stator_table **)a->out, a->error))
CALL(table_open, stator_table_open(a->h[0], a->bytes, a->length, (stator_table **)a->out, a->error))
CALL(table_delete, stator_table_delete(a->h[0], a->bytes, a->length, a->error))
CALL(table_list, stator_table_list(a->h[0], (stator_buffer **)a->out, a->out_size, a->error))
CALL(table_describe, stator_table_describe(a->h[0], a->structure, a->error))

CALL(item_new, stator_item_new((stator_item **)a->out))
CALL(item_clear, stator_item_clear(a->h[0]))
CALL(item_set_string, stator_item_set_string(a->h[0], a->bytes, a->length, "v", 1))
CALL(item_set_number, stator_item_set_number(a->h[0], "n", 1, a->bytes, a->length))
CALL(item_set_int64, stator_item_set_int64(a->h[0], a->bytes, a->length, 7))
CALL(item_set_binary, stator_item_set_binary(a->h[0], "b", 1, a->bytes, a->length))
CALL(item_set_bool, stator_item_set_bool(a->h[0], a->bytes, a->length, 1))
CALL(item_set_null, stator_item_set_null(a->h[0], a->bytes, a->length))
CALL(item_begin, stator_item_begin(a->h[0], a->bytes, a->length, STATOR_TYPE_L))
CALL(item_end, stator_item_end(a->h[0]))
CALL(item_from_json, stator_item_from_json(a->bytes, a->length, STATOR_JSON_PLAIN,
                                           (stator_item **)a->out, a->error))
CALL(item_to_json,
     stator_item_to_json(a->h[0], STATOR_JSON_PLAIN, (stator_buffer **)a->out, a->error))
CALL(item_from_frame, stator_item_from_frame(a->bytes, a->length, (stator_item **)a->out, a->error))
CALL(item_frame, stator_item_frame(a->h[0], (const void **)a->out, a->out_size, a->error))
CALL(item_get, stator_item_get(a->h[0], a->bytes, a->length, a->structure, a->error))
CALL(item_count, stator_item_count(a->h[0], a->out_size, a->error))
CALL(item_at,
     stator_item_at(a->h[0], 0, (const void **)a->out, a->out_size, a->structure, a->error))
CALL(value_at, stator_value_at(a->value, 0, NULL, NULL, a->structure, a->error))
CALL(value_find, stator_value_find(a->value, a->bytes, a->length, a->structure, a->error))

CALL(put, stator_put(a->h[0], a->h[1], a->structure, a->error))
CALL(put_returning,
     stator_put_returning(a->h[0], a->h[1], a->structure, (stator_item **)a->out, a->error))
CALL(get, stator_get(a->h[0], a->h[1], a->structure, (stator_item **)a->out, a->error))
CALL(delete, stator_delete(a->h[0], a->h[1], a->structure, a->error))
CALL(delete_returning,
     stator_delete_returning(a->h[0], a->h[1], a->structure, (stator_item **)a->out, a->error))

CALL(batch_new, stator_batch_new(a->h[0], (stator_batch **)a->out))
CALL(batch_put, stator_batch_put(a->h[0], a->h[1], a->h[2]))
CALL(batch_delete, stator_batch_delete(a->h[0], a->h[1], a->h[2]))
CALL(batch_get, stator_batch_get(a->h[0], a->h[1], a->h[2]))
CALL(batch_write, stator_batch_write(a->h[0], a->structure, a->error))
CALL(batch_read, stator_batch_read(a->h[0], a->structure, (stator_cursor **)a->out, a->error))

CALL(query_new, stator_query_new(a->h[0], (stator_query **)a->out))
CALL(query_partition_string, stator_query_partition_string(a->h[0], a->bytes, a->length))
CALL(query_partition_number, stator_query_partition_number(a->h[0], a->bytes, a->length))
CALL(query_partition_binary, stator_query_partition_binary(a->h[0], a->bytes, a->length))
CALL(query_sort_equal, stator_query_sort_equal(a->h[0], a->bytes, a->length))
CALL(query_sort_less, stator_query_sort_less(a->h[0], a->bytes, a->length))
CALL(query_sort_at_most, stator_query_sort_at_most(a->h[0], a->bytes, a->length))
CALL(query_sort_greater, stator_query_sort_greater(a->h[0], a->bytes, a->length))
CALL(query_sort_at_least, stator_query_sort_at_least(a->h[0], a->bytes, a->length))
CALL(query_sort_between, stator_query_sort_between(a->h[0], "a", 1, a->bytes, a->length))
CALL(query_sort_begins_with, stator_query_sort_begins_with(a->h[0], a->bytes, a->length))
CALL(query_reverse, stator_query_reverse(a->h[0], 1))
CALL(query_limit, stator_query_limit(a->h[0], 1))
CALL(query_page_items, stator_query_page_items(a->h[0], 1))
CALL(query_snapshot, stator_query_snapshot(a->h[0], 1))
CALL(query_start_after, stator_query_start_after(a->h[0], a->bytes, a->length))
CALL(query_open, stator_query_open(a->h[0], (stator_cursor **)a->out, a->error))

CALL(scan_new, stator_scan_new(a->h[0], (stator_scan **)a->out))
CALL(scan_segment, stator_scan_segment(a->h[0], 0, 2))
CALL(scan_limit, stator_scan_limit(a->h[0], 1))
CALL(scan_page_items, stator_scan_page_items(a->h[0], 1))
CALL(scan_snapshot, stator_scan_snapshot(a->h[0], 1))
CALL(scan_start_after, stator_scan_start_after(a->h[0], a->bytes, a->length))
CALL(scan_open, stator_scan_open(a->h[0], (stator_cursor **)a->out, a->error))

CALL(cursor_next, stator_cursor_next(a->h[0], (stator_item **)a->out, a->error))
CALL(cursor_last_key, stator_cursor_last_key(a->h[0], (stator_buffer **)a->out, a->error))
CALL(cursor_open,
     stator_cursor_open(a->h[0], a->bytes, a->length, (stator_cursor **)a->out, a->error))
CALL(cursor_next_page,
     stator_cursor_next_page(a->h[0], NULL, 0, a->out_size, (stator_buffer **)a->out, a->error))
CALL(execute, stator_execute(a->h[0], a->bytes, a->length, NULL, 0, a->out_size,
                             (stator_buffer **)a->out, a->error))

static int32_t http_status;

CALL(dispatch, stator_dispatch(a->h[0], a->bytes, a->length, "{}", 2, a->structure, &http_status,
                               (stator_buffer **)a->out, a->error))
CALL(clock_move, stator_clock_move(a->h[0], 0, a->error))

#define D sizeof(stator_dispatch_options)
#define W sizeof(stator_write_options)
#define R sizeof(stator_read_options)
#define V sizeof(stator_value)
#define ROW(name, a, b, c, flags, bytes)                      \
    {                                                         \
        "stator_" #name, call_##name, {a, b, c}, flags, bytes \
    }

const row rows[] = {
    ROW(abi_version, NONE, NONE, NONE, PLAIN, 0),
    ROW(version, NONE, NONE, NONE, PLAIN, 0),
    ROW(status_name, NONE, NONE, NONE, PLAIN, 0),
    ROW(status_text, NONE, NONE, NONE, PLAIN, 0),
    ROW(status_exception, NONE, NONE, NONE, PLAIN, 0),
    ROW(status_flags, NONE, NONE, NONE, PLAIN, 0),
    ROW(error_init, NONE, NONE, NONE, PLAIN, 0),
    ROW(error_clear, NONE, NONE, NONE, PLAIN, 0),
    ROW(options_init, NONE, NONE, NONE, PLAIN, 0),
    ROW(value_init, NONE, NONE, NONE, PLAIN, 0),
    ROW(read_options_init, NONE, NONE, NONE, PLAIN, 0),
    ROW(write_options_init, NONE, NONE, NONE, PLAIN, 0),
    ROW(set_allocator, NONE, NONE, NONE, STRUCTURE, sizeof(stator_allocator)),
    ROW(batch_free, BATCH, NONE, NONE, FREES, 0),
    ROW(buffer_free, BUFFER, NONE, NONE, FREES, 0),
    ROW(cursor_free, CURSOR, NONE, NONE, FREES, 0),
    ROW(item_free, ITEM, NONE, NONE, FREES, 0),
    ROW(query_free, QUERY, NONE, NONE, FREES, 0),
    ROW(scan_free, SCAN, NONE, NONE, FREES, 0),
    ROW(schema_free, SCHEMA, NONE, NONE, FREES, 0),
    ROW(table_free, TABLE, NONE, NONE, FREES, 0),
    ROW(buffer_data, BUFFER, NONE, NONE, OUT | OUT_SIZE, 0),
    ROW(open, NONE, NONE, NONE, BYTES | STRUCTURE | OUT, sizeof(stator_options)),
    ROW(close, DB, NONE, NONE, 0, 0),
    ROW(flush, DB, NONE, NONE, 0, 0),
    ROW(compact, DB, NONE, NONE, 0, 0),
    ROW(verify, DB, NONE, NONE, OUT, 0),
    ROW(inspect, NONE, NONE, NONE, BYTES | OUT, 0),
    ROW(stats_read, DB, NONE, NONE, RECORD, sizeof(stator_stats)),
    ROW(schema_new, NONE, NONE, NONE, OUT, 0),
    ROW(schema_partition, SCHEMA, NONE, NONE, BYTES | BUILDER, 0),
    ROW(schema_sort, SCHEMA, NONE, NONE, BYTES | BUILDER, 0),
    ROW(table_create, DB, SCHEMA, NONE, BYTES, 0),
    ROW(table_ensure, DB, SCHEMA, NONE, BYTES, 0),
    ROW(table_open, DB, NONE, NONE, BYTES | OUT, 0),
    ROW(table_delete, DB, NONE, NONE, BYTES, 0),
    ROW(table_list, DB, NONE, NONE, OUT | OUT_SIZE, 0),
    ROW(table_describe, TABLE, NONE, NONE, RECORD, sizeof(stator_table_description)),
    ROW(item_new, NONE, NONE, NONE, OUT, 0),
    ROW(item_clear, ITEM, NONE, NONE, 0, 0),
    ROW(item_set_string, ITEM, NONE, NONE, BYTES | BUILDER, 0),
    ROW(item_set_number, ITEM, NONE, NONE, BYTES | BUILDER, 0),
    ROW(item_set_int64, ITEM, NONE, NONE, BYTES | BUILDER, 0),
    ROW(item_set_binary, ITEM, NONE, NONE, BYTES | BUILDER, 0),
    ROW(item_set_bool, ITEM, NONE, NONE, BYTES | BUILDER, 0),
    ROW(item_set_null, ITEM, NONE, NONE, BYTES | BUILDER, 0),
    ROW(item_begin, ITEM, NONE, NONE, BYTES | BUILDER, 0),
    ROW(item_end, ITEM, NONE, NONE, 0, 0),
    ROW(item_from_json, NONE, NONE, NONE, BYTES | OUT, 0),
    ROW(item_to_json, ITEM, NONE, NONE, OUT, 0),
    ROW(item_from_frame, NONE, NONE, NONE, BYTES | OUT, 0),
    ROW(item_frame, ITEM, NONE, NONE, OUT | OUT_SIZE, 0),
    ROW(item_get, ITEM, NONE, NONE, BYTES | RECORD, V),
    ROW(item_count, ITEM, NONE, NONE, OUT_SIZE, 0),
    ROW(item_at, ITEM, NONE, NONE, OUT | OUT_SIZE | RECORD, V),
    ROW(value_at, NONE, NONE, NONE, RECORD, V),
    ROW(value_find, NONE, NONE, NONE, BYTES | RECORD, V),
    ROW(put, TABLE, ITEM, NONE, STRUCTURE, W),
    ROW(put_returning, TABLE, ITEM, NONE, STRUCTURE | OUT, W),
    ROW(get, TABLE, ITEM, NONE, STRUCTURE | OUT, R),
    ROW(delete, TABLE, ITEM, NONE, STRUCTURE, W),
    ROW(delete_returning, TABLE, ITEM, NONE, STRUCTURE | OUT, W),
    ROW(batch_new, DB, NONE, NONE, OUT, 0),
    ROW(batch_put, BATCH, TABLE, ITEM, 0, 0),
    ROW(batch_delete, BATCH, TABLE, ITEM, 0, 0),
    ROW(batch_get, BATCH, TABLE, ITEM, 0, 0),
    ROW(batch_write, BATCH, NONE, NONE, STRUCTURE, W),
    ROW(batch_read, BATCH, NONE, NONE, STRUCTURE | OUT, R),
    ROW(query_new, TABLE, NONE, NONE, OUT, 0),
    ROW(query_partition_string, QUERY, NONE, NONE, BYTES | BUILDER, 0),
    ROW(query_partition_number, QUERY, NONE, NONE, BYTES | BUILDER, 0),
    ROW(query_partition_binary, QUERY, NONE, NONE, BYTES | BUILDER, 0),
    ROW(query_sort_equal, QUERY, NONE, NONE, BYTES | BUILDER, 0),
    ROW(query_sort_less, QUERY, NONE, NONE, BYTES | BUILDER, 0),
    ROW(query_sort_at_most, QUERY, NONE, NONE, BYTES | BUILDER, 0),
    ROW(query_sort_greater, QUERY, NONE, NONE, BYTES | BUILDER, 0),
    ROW(query_sort_at_least, QUERY, NONE, NONE, BYTES | BUILDER, 0),
    ROW(query_sort_between, QUERY, NONE, NONE, BYTES | BUILDER, 0),
    ROW(query_sort_begins_with, QUERY, NONE, NONE, BYTES | BUILDER, 0),
    ROW(query_reverse, QUERY, NONE, NONE, 0, 0),
    ROW(query_limit, QUERY, NONE, NONE, 0, 0),
    ROW(query_page_items, QUERY, NONE, NONE, 0, 0),
    ROW(query_snapshot, QUERY, NONE, NONE, 0, 0),
    ROW(query_start_after, QUERY, NONE, NONE, BYTES | BUILDER, 0),
    ROW(query_open, QUERY, NONE, NONE, OUT, 0),
    ROW(scan_new, TABLE, NONE, NONE, OUT, 0),
    ROW(scan_segment, SCAN, NONE, NONE, 0, 0),
    ROW(scan_limit, SCAN, NONE, NONE, 0, 0),
    ROW(scan_page_items, SCAN, NONE, NONE, 0, 0),
    ROW(scan_snapshot, SCAN, NONE, NONE, 0, 0),
    ROW(scan_start_after, SCAN, NONE, NONE, BYTES | BUILDER, 0),
    ROW(scan_open, SCAN, NONE, NONE, OUT, 0),
    ROW(cursor_next, CURSOR, NONE, NONE, OUT, 0),
    ROW(cursor_last_key, CURSOR, NONE, NONE, OUT, 0),
    ROW(cursor_open, DB, NONE, NONE, BYTES | OUT, 0),
    ROW(cursor_next_page, CURSOR, NONE, NONE, OUT | OUT_SIZE, 0),
    ROW(dispatch_options_init, NONE, NONE, NONE, PLAIN, 0),
    ROW(dispatch, DB, NONE, NONE, BYTES | OUT | STRUCTURE, D),
    ROW(clock_move, DB, NONE, NONE, 0, 0),
    ROW(execute, DB, NONE, NONE, BYTES | OUT | OUT_SIZE, 0),
};
const size_t row_count = sizeof rows / sizeof rows[0];
