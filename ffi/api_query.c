/* Query and scan objects: they collect a request frame, from which cursors are opened. */
#include "ffi_internal.h"

/* ---- the object ------------------------------------------------------------------------- */

static void ffi_request_destroy(void *object)
{
    ffi_request *request = object;
    st_buf_deinit(&request->partition);
    st_buf_deinit(&request->sort);
    st_buf_deinit(&request->start_after);
    st_alloc_free(ffi_alloc(), request, sizeof *request);
}

static stator_status ffi_request_new(stator_table *token, ffi_type type, void **out_token)
{
    *out_token = NULL;
    ffi_hold table;
    stator_status status = ffi_enter(token, FFI_TABLE, NULL, &table);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_request *request = st_alloc_new(ffi_alloc(), sizeof *request);
    if (request) {
        request->table_id = (uint32_t)table.number;
        st_buf_init(&request->partition, ffi_alloc());
        st_buf_init(&request->sort, ffi_alloc());
        st_buf_init(&request->start_after, ffi_alloc());
        ffi_subject subject = {
            .type = type, .object = request, .destroy = ffi_request_destroy, .db_hold = &table};
        *out_token = ffi_handle_new(&subject);
        if (!*out_token) {
            ffi_request_destroy(request);
        }
    }
    ffi_leave(&table);
    return *out_token ? STATOR_OK : STATOR_NO_MEMORY;
}

stator_status stator_query_new(stator_table *table, stator_query **out_query)
{
    return out_query ? ffi_request_new(table, FFI_QUERY, (void **)out_query) : STATOR_MISUSE;
}

stator_status stator_scan_new(stator_table *table, stator_scan **out_scan)
{
    return out_scan ? ffi_request_new(table, FFI_SCAN, (void **)out_scan) : STATOR_MISUSE;
}

void stator_query_free(stator_query *query)
{
    (void)ffi_handle_free(query, FFI_QUERY);
}

void stator_scan_free(stator_scan *scan)
{
    (void)ffi_handle_free(scan, FFI_SCAN);
}

/* ---- setters ---------------------------------------------------------------------------- */

/* Enters, and gives the first error of the builder. */
static stator_status ffi_request_enter(const void *token, ffi_type type, ffi_hold *out_hold,
                                       ffi_request **out_request)
{
    stator_status status = ffi_enter(token, type, NULL, out_hold);
    *out_request = out_hold->object;
    if (status == STATOR_OK && (*out_request)->failure.code != ST_OK) {
        status = (stator_status)(*out_request)->failure.code;
        ffi_leave(out_hold);
    }
    return status;
}

static stator_status ffi_request_leave(ffi_hold *hold)
{
    ffi_request *request = hold->object;
    if (request->partition.failed || request->sort.failed || request->start_after.failed) {
        (void)ffi_latch(&request->failure, STATOR_NO_MEMORY, "out of memory");
    }
    stator_status status = (stator_status)request->failure.code;
    ffi_leave(hold);
    return status;
}

static void ffi_request_value(st_buf *out, uint8_t tag, const void *value, size_t value_bytes)
{
    st_buf_byte(out, tag);
    st_buf_varint(out, value_bytes);
    st_buf_append(out, value, value_bytes);
}

static stator_status ffi_query_partition(stator_query *token, uint8_t tag, const void *value,
                                         size_t value_bytes)
{
    ffi_hold hold;
    ffi_request *request;
    stator_status status = ffi_request_enter(token, FFI_QUERY, &hold, &request);
    if (status != STATOR_OK) {
        return status;
    }
    if (!ffi_is_bytes(value, value_bytes)) {
        (void)ffi_latch(&request->failure, STATOR_INVALID_ARGUMENT,
                        "the partition is NULL or has an impossible length");
    } else {
        st_buf_clear(&request->partition);
        ffi_request_value(&request->partition, tag, value, value_bytes);
    }
    return ffi_request_leave(&hold);
}

stator_status stator_query_partition_string(stator_query *query, const void *value,
                                            size_t value_bytes)
{
    return ffi_query_partition(query, ST_TAG_S, value, value_bytes);
}

stator_status stator_query_partition_number(stator_query *query, const void *value,
                                            size_t value_bytes)
{
    return ffi_query_partition(query, ST_TAG_NUMBER_TEXT, value, value_bytes);
}

stator_status stator_query_partition_binary(stator_query *query, const void *value,
                                            size_t value_bytes)
{
    return ffi_query_partition(query, ST_TAG_B, value, value_bytes);
}

/* The tag of a value in the type of the table's sort key; 0 when there is none. */
static uint8_t ffi_query_sort_tag(const ffi_hold *hold)
{
    const ffi_request *request = hold->object;
    st_type type = st_database_sort_type(hold->db->database, request->table_id);
    return type == ST_TYPE_S   ? ST_TAG_S
           : type == ST_TYPE_N ? ST_TAG_NUMBER_TEXT
           : type == ST_TYPE_B ? ST_TAG_B
                               : 0;
}

static stator_status ffi_query_sort(stator_query *token, uint8_t condition, const void *value,
                                    size_t value_bytes, const void *second, size_t second_bytes)
{
    ffi_hold hold;
    ffi_request *request;
    stator_status status = ffi_request_enter(token, FFI_QUERY, &hold, &request);
    if (status != STATOR_OK) {
        return status;
    }
    uint8_t tag = ffi_query_sort_tag(&hold);
    if (!ffi_is_bytes(value, value_bytes) || !ffi_is_bytes(second, second_bytes)) {
        (void)ffi_latch(&request->failure, STATOR_INVALID_ARGUMENT,
                        "a value is NULL or has an impossible length");
    } else if (request->has_sort) {
        (void)ffi_latch(&request->failure, STATOR_INVALID_ARGUMENT,
                        "a query has at most one condition on its sort key");
    } else if (tag == 0) {
        (void)ffi_latch(&request->failure, STATOR_INVALID_ARGUMENT,
                        "Query key condition not supported: the table has no sort key");
    } else {
        request->has_sort = true;
        st_buf_byte(&request->sort, condition);
        ffi_request_value(&request->sort, tag, value, value_bytes);
        if (condition == ST_SORT_BETWEEN) {
            ffi_request_value(&request->sort, tag, second, second_bytes);
        }
    }
    return ffi_request_leave(&hold);
}

stator_status stator_query_sort_equal(stator_query *query, const void *value, size_t value_bytes)
{
    return ffi_query_sort(query, ST_SORT_EQUAL, value, value_bytes, NULL, 0);
}

stator_status stator_query_sort_less(stator_query *query, const void *value, size_t value_bytes)
{
    return ffi_query_sort(query, ST_SORT_LESS, value, value_bytes, NULL, 0);
}

stator_status stator_query_sort_at_most(stator_query *query, const void *value, size_t value_bytes)
{
    return ffi_query_sort(query, ST_SORT_AT_MOST, value, value_bytes, NULL, 0);
}

stator_status stator_query_sort_greater(stator_query *query, const void *value, size_t value_bytes)
{
    return ffi_query_sort(query, ST_SORT_GREATER, value, value_bytes, NULL, 0);
}

stator_status stator_query_sort_at_least(stator_query *query, const void *value, size_t value_bytes)
{
    return ffi_query_sort(query, ST_SORT_AT_LEAST, value, value_bytes, NULL, 0);
}

stator_status stator_query_sort_between(stator_query *query, const void *low, size_t low_bytes,
                                        const void *high, size_t high_bytes)
{
    return ffi_query_sort(query, ST_SORT_BETWEEN, low, low_bytes, high, high_bytes);
}

stator_status stator_query_sort_begins_with(stator_query *query, const void *value,
                                            size_t value_bytes)
{
    return ffi_query_sort(query, ST_SORT_BEGINS_WITH, value, value_bytes, NULL, 0);
}

static stator_status ffi_request_flag(const void *token, ffi_type type, uint32_t flag,
                                      int32_t is_set)
{
    ffi_hold hold;
    ffi_request *request;
    stator_status status = ffi_request_enter(token, type, &hold, &request);
    if (status != STATOR_OK) {
        return status;
    }
    request->flags = is_set ? request->flags | flag : request->flags & ~flag;
    return ffi_request_leave(&hold);
}

static stator_status ffi_request_limit(const void *token, ffi_type type, uint64_t items,
                                       uint32_t page_items)
{
    ffi_hold hold;
    ffi_request *request;
    stator_status status = ffi_request_enter(token, type, &hold, &request);
    if (status != STATOR_OK) {
        return status;
    }
    if (items == 0 && page_items == 0) {
        (void)ffi_latch(&request->failure, STATOR_INVALID_ARGUMENT,
                        "limit and page size must be at least 1");
    }
    request->limit = items ? items : request->limit;
    request->page_items = page_items ? page_items : request->page_items;
    return ffi_request_leave(&hold);
}

static stator_status ffi_request_start_after(const void *token, ffi_type type, const void *key,
                                             size_t key_bytes)
{
    ffi_hold hold;
    ffi_request *request;
    stator_status status = ffi_request_enter(token, type, &hold, &request);
    if (status != STATOR_OK) {
        return status;
    }
    if (!ffi_is_bytes(key, key_bytes) || key_bytes == 0) {
        (void)ffi_latch(&request->failure, STATOR_INVALID_ARGUMENT,
                        "the token is NULL, empty or too long");
    } else {
        st_buf_clear(&request->start_after);
        st_buf_append(&request->start_after, key, key_bytes);
    }
    return ffi_request_leave(&hold);
}

stator_status stator_query_reverse(stator_query *query, int32_t is_reverse)
{
    return ffi_request_flag(query, FFI_QUERY, ST_FLAG_REVERSE, is_reverse);
}

stator_status stator_query_snapshot(stator_query *query, int32_t is_snapshot)
{
    return ffi_request_flag(query, FFI_QUERY, ST_FLAG_SNAPSHOT, is_snapshot);
}

stator_status stator_scan_snapshot(stator_scan *scan, int32_t is_snapshot)
{
    return ffi_request_flag(scan, FFI_SCAN, ST_FLAG_SNAPSHOT, is_snapshot);
}

stator_status stator_query_limit(stator_query *query, uint64_t items)
{
    return ffi_request_limit(query, FFI_QUERY, items, 0);
}

stator_status stator_scan_limit(stator_scan *scan, uint64_t items)
{
    return ffi_request_limit(scan, FFI_SCAN, items, 0);
}

stator_status stator_query_page_items(stator_query *query, uint32_t items)
{
    return ffi_request_limit(query, FFI_QUERY, 0, items);
}

stator_status stator_scan_page_items(stator_scan *scan, uint32_t items)
{
    return ffi_request_limit(scan, FFI_SCAN, 0, items);
}

stator_status stator_query_start_after(stator_query *query, const void *token, size_t token_bytes)
{
    return ffi_request_start_after(query, FFI_QUERY, token, token_bytes);
}

stator_status stator_scan_start_after(stator_scan *scan, const void *token, size_t token_bytes)
{
    return ffi_request_start_after(scan, FFI_SCAN, token, token_bytes);
}

stator_status stator_scan_segment(stator_scan *scan, uint32_t segment, uint32_t segment_count)
{
    ffi_hold hold;
    ffi_request *request;
    stator_status status = ffi_request_enter(scan, FFI_SCAN, &hold, &request);
    if (status != STATOR_OK) {
        return status;
    }
    if (segment_count == 0 || segment_count > 1000000 || segment >= segment_count) {
        (void)ffi_latch(&request->failure, STATOR_INVALID_ARGUMENT,
                        "segment must be below segment_count, which is at most 1,000,000");
    }
    request->segment = segment;
    request->segment_count = segment_count;
    return ffi_request_leave(&hold);
}

/* ---- opening ---------------------------------------------------------------------------- */

static void ffi_request_compose(const ffi_request *request, bool is_query, st_buf *frame)
{
    ffi_frame_begin(frame, is_query ? ST_REQUEST_QUERY : ST_REQUEST_SCAN);
    ffi_frame_u32(frame, ST_FIELD_TABLE_ID, request->table_id);
    if (request->partition.size > 0) {
        ffi_frame_field(frame, ST_FIELD_PARTITION, st_buf_view(&request->partition));
    }
    if (request->has_sort) {
        ffi_frame_field(frame, ST_FIELD_SORT, st_buf_view(&request->sort));
    }
    if (request->flags) {
        ffi_frame_u32(frame, ST_FIELD_FLAGS, request->flags);
    }
    if (request->limit) {
        ffi_frame_u64(frame, ST_FIELD_LIMIT, request->limit);
    }
    if (request->page_items) {
        ffi_frame_u32(frame, ST_FIELD_PAGE_ITEMS, request->page_items);
    }
    if (request->start_after.size > 0) {
        ffi_frame_field(frame, ST_FIELD_START_AFTER, st_buf_view(&request->start_after));
    }
    if (request->segment_count) {
        ffi_frame_u64(frame, ST_FIELD_SEGMENT,
                      (uint64_t)request->segment_count << 32 | request->segment);
    }
}

static stator_status ffi_request_open(const void *token, ffi_type type, stator_cursor **out_cursor,
                                      stator_error *error)
{
    if (!out_cursor) {
        return ffi_refuse(error, STATOR_MISUSE, "out_cursor is NULL");
    }
    *out_cursor = NULL;
    ffi_hold hold;
    stator_status status = ffi_enter(token, type, error, &hold);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_request *request = hold.object;
    ffi_call call;
    ffi_begin(&call, error);
    st_buf frame;
    st_table_cursor *source = NULL;
    st_buf_init(&frame, ffi_alloc());
    status = (stator_status)ffi_latched(&call.op, &request->failure);
    if (status == STATOR_OK) {
        ffi_request_compose(request, type == FFI_QUERY, &frame);
        status = (stator_status)st_buf_check(&call.op, &frame);
    }
    if (status == STATOR_OK) {
        status = (stator_status)st_table_cursor_open(&call.op, hold.db->database,
                                                     st_buf_view(&frame), &source);
    }
    if (status == STATOR_OK) {
        status = ffi_cursor_create(&call, &hold, source, NULL, out_cursor);
    }
    st_buf_deinit(&frame);
    ffi_leave(&hold);
    return ffi_end(&call, status);
}

stator_status stator_query_open(stator_query *query, stator_cursor **out_cursor,
                                stator_error *error)
{
    return ffi_request_open(query, FFI_QUERY, out_cursor, error);
}

stator_status stator_scan_open(stator_scan *scan, stator_cursor **out_cursor, stator_error *error)
{
    return ffi_request_open(scan, FFI_SCAN, out_cursor, error);
}
