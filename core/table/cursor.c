/* Queries and scans, page by page. A page opens a cursor of the store behind the last key it gave;
 * with the flag SNAPSHOT all pages read at one snapshot. A page that fails changes nothing: asked
 * again it begins where it began.
 *
 * Token (request field 14, result field 3): u8 version 1 · u32 table id · u32 index id 0 · key.
 */
#include "table/table_internal.h"

#include <string.h>

#define CURSOR_TOKEN_VERSION 1
#define CURSOR_TOKEN_HEAD_BYTES 9u

struct st_table_cursor {
    st_database *database;
    st_table *table;
    st_buf frame; /* the request, which decoded points into */
    st_request request;
    st_buf from, to; /* what is left of the range */
    uint64_t yielded;
    st_lsm_snapshot *snapshot;
    bool is_ended;
};

/* ---- tokens ----------------------------------------------------------------------------- */

static void cursor_put_token(uint32_t table_id, st_slice key, st_buf *out)
{
    st_buf_byte(out, CURSOR_TOKEN_VERSION);
    st_buf_u32(out, table_id);
    st_buf_u32(out, 0);
    st_buf_slice(out, key);
}

static st_status cursor_get_token(st_op *op, const st_table *table, st_slice token,
                                  st_slice *out_key)
{
    st_reader reader = st_reader_of(token);
    uint8_t version = st_reader_byte(&reader);
    uint32_t table_id = st_reader_u32(&reader);
    uint32_t index_id = st_reader_u32(&reader);
    *out_key = st_reader_slice(&reader, st_reader_left(&reader));
    if (reader.failed || version != CURSOR_TOKEN_VERSION) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The provided starting key is invalid: this is no token of a query or scan");
    }
    if (table_id != table->id || index_id != 0 ||
        !st_key_is_valid(*out_key, table->id, &table->schema)) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The provided starting key is invalid: it belongs to another table");
    }
    return ST_OK;
}

st_status st_table_cursor_token(st_op *op, st_table_cursor *cursor, st_slice item,
                                st_buf *out_token)
{
    st_buf key;
    st_buf_init(&key, op->alloc);
    const st_table *table = cursor->table;
    st_status status = st_key_of_item(op, table->id, &table->schema, item, &key);
    if (status == ST_OK) {
        cursor_put_token(table->id, st_buf_view(&key), out_token);
        status = st_buf_check(op, out_token);
    }
    st_buf_deinit(&key);
    return status;
}

/* ---- opening ---------------------------------------------------------------------------- */

static st_status cursor_read_value(st_op *op, st_reader *reader, const char *what,
                                   st_value *out_value)
{
    if (!st_value_read(reader, out_value)) {
        return st_fail(op, ST_INVALID_ARGUMENT, "%s is malformed", what);
    }
    return ST_OK;
}

static st_status cursor_query_range(st_op *op, st_table_cursor *cursor)
{
    const st_request *request = &cursor->request;
    st_value partition, first = {0}, second = {0};
    if (!request->has_partition) {
        return st_fail(op, ST_INVALID_ARGUMENT, "Query condition missed key schema element: %.*s",
                       (int)cursor->table->schema.partition[0].name.size,
                       (const char *)cursor->table->schema.partition[0].name.data);
    }
    st_reader reader = st_reader_of(request->partition);
    ST_TRY(cursor_read_value(op, &reader, "the partition of a query", &partition));
    st_key_condition condition = ST_KEY_ALL;
    if (request->has_sort) {
        reader = st_reader_of(request->sort);
        uint8_t number = st_reader_byte(&reader);
        if (number < ST_SORT_EQUAL || number > ST_SORT_BEGINS_WITH) {
            return st_fail(op, ST_INVALID_ARGUMENT, "sort condition %u is none of 1 to 7", number);
        }
        condition = (st_key_condition)number; /* the numbers are the same */
        ST_TRY(cursor_read_value(op, &reader, "the value of a sort condition", &first));
        if (condition == ST_KEY_BETWEEN) {
            ST_TRY(cursor_read_value(op, &reader, "the second value of between", &second));
        }
    }
    return st_key_range(op, cursor->table->id, &cursor->table->schema, &partition, condition,
                        &first, condition == ST_KEY_BETWEEN ? &second : NULL, &cursor->from,
                        &cursor->to);
}

/* Cuts off the range what a token says was given already. */
static st_status cursor_skip(st_op *op, st_table_cursor *cursor, st_slice key)
{
    if (cursor->request.flags & ST_FLAG_REVERSE) {
        st_buf_clear(&cursor->to);
        st_buf_slice(&cursor->to, key);
        return st_buf_check(op, &cursor->to);
    }
    st_buf_clear(&cursor->from);
    st_buf_slice(&cursor->from, key);
    st_buf_byte(&cursor->from, 0); /* the first key behind it: no key is a prefix of another */
    return st_buf_check(op, &cursor->from);
}

static st_status cursor_start_after(st_op *op, st_table_cursor *cursor)
{
    st_slice key;
    ST_TRY(cursor_get_token(op, cursor->table, cursor->request.start_after, &key));
    if (st_slice_compare(key, st_buf_view(&cursor->from)) < 0 ||
        st_slice_compare(key, st_buf_view(&cursor->to)) >= 0) {
        return st_fail(
            op, ST_INVALID_ARGUMENT,
            "The provided starting key is outside query boundaries based on provided conditions");
    }
    return cursor_skip(op, cursor, key);
}

static st_status table_cursor_prepare(st_op *op, st_table_cursor *cursor, st_slice frame)
{
    st_buf_slice(&cursor->frame, frame);
    ST_TRY(st_buf_check(op, &cursor->frame));
    ST_TRY(st_table__request(op, st_buf_view(&cursor->frame), &cursor->request));
    const st_request *request = &cursor->request;
    if (request->operation != ST_REQUEST_QUERY && request->operation != ST_REQUEST_SCAN) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, 1,
                          "a cursor is for queries and scans, not operation %u",
                          request->operation);
    }
    ST_TRY(st_table__find(op, cursor->database, request->table_id, request->name, false,
                          &cursor->table));
    if (request->operation == ST_REQUEST_QUERY) {
        ST_TRY(cursor_query_range(op, cursor));
    } else {
        uint32_t count = request->segment_count ? request->segment_count : 1;
        st_key_segment(cursor->table->id, request->segment, count, &cursor->from, &cursor->to);
        ST_TRY(st_buf_check(op, &cursor->from));
        ST_TRY(st_buf_check(op, &cursor->to));
    }
    if (request->has_start_after) {
        ST_TRY(cursor_start_after(op, cursor));
    }
    if (request->flags & ST_FLAG_SNAPSHOT) {
        ST_TRY(st_lsm_snapshot_open(op, cursor->database->lsm, &cursor->snapshot));
    }
    return ST_OK;
}

st_status st_table_cursor_open(st_op *op, st_database *database, st_slice request,
                               st_table_cursor **out_cursor)
{
    *out_cursor = NULL;
    st_table_cursor *cursor = st_alloc_new(database->alloc, sizeof *cursor);
    if (!cursor) {
        return st_fail_memory(op, sizeof *cursor);
    }
    cursor->database = database;
    st_buf_init(&cursor->frame, database->alloc);
    st_buf_init(&cursor->from, database->alloc);
    st_buf_init(&cursor->to, database->alloc);
    st_status status = table_cursor_prepare(op, cursor, request);
    if (status != ST_OK) {
        st_table_cursor_close(cursor);
        return status;
    }
    *out_cursor = cursor;
    return ST_OK;
}

bool st_table_cursor_has_ended(const st_table_cursor *cursor)
{
    return cursor->is_ended;
}

void st_table_cursor_close(st_table_cursor *cursor)
{
    if (!cursor) {
        return;
    }
    st_lsm_snapshot_close(cursor->snapshot);
    st_table__release(cursor->table);
    st_buf_deinit(&cursor->frame);
    st_buf_deinit(&cursor->from);
    st_buf_deinit(&cursor->to);
    st_alloc_free(cursor->database->alloc, cursor, sizeof *cursor);
}

/* ---- pages ------------------------------------------------------------------------------ */

typedef struct cursor_page {
    uint32_t count;
    uint64_t most;
    bool is_cut;
    st_buf last; /* key of the last item */
} cursor_page;

static st_status cursor_fill(st_op *op, st_table_cursor *cursor, st_lsm_cursor *source,
                             cursor_page *page, st_buf *out)
{
    size_t begin = out->size;
    bool valid;
    st_slice key, value;
    for (;;) {
        ST_TRY(st_lsm_cursor_next(op, source, &valid, &key, &value));
        if (!valid) {
            return ST_OK;
        }
        st_buf_u32(out, (uint32_t)value.size);
        st_buf_slice(out, value);
        page->count++;
        page->is_cut = page->count == page->most || out->size - begin >= cursor->request.page_bytes;
        if (page->is_cut) {
            st_buf_clear(&page->last);
            st_buf_slice(&page->last, key);
            return st_buf_check(op, &page->last);
        }
        if (op->deadline_us != 0 && page->count % 64 == 0 &&
            st_env_monotonic_us(cursor->database->env) >= op->deadline_us) {
            return st_fail(op, ST_DEADLINE, "the deadline passed while a page was read");
        }
    }
}

static st_status cursor_read_page(st_op *op, st_table_cursor *cursor, cursor_page *page,
                                  st_buf *out)
{
    st_lsm_range range = {.from = st_buf_view(&cursor->from),
                          .to = st_buf_view(&cursor->to),
                          .is_reverse = (cursor->request.flags & ST_FLAG_REVERSE) != 0,
                          .snapshot = cursor->snapshot};
    if (st_slice_compare(range.from, range.to) >= 0) {
        return ST_OK; /* nothing left, or an empty segment */
    }
    st_lsm_cursor *source;
    ST_TRY(st_lsm_cursor_open(op, cursor->database->lsm, &range, &source));
    st_status status = cursor_fill(op, cursor, source, page, out);
    st_lsm_cursor_close(source);
    return status;
}

static st_status cursor_check_table(st_op *op, st_table_cursor *cursor)
{
    st_table *table;
    ST_TRY(st_table__find(op, cursor->database, cursor->table->id, (st_slice){0}, false, &table));
    st_table__release(table);
    return ST_OK;
}

/* Reads the page, and only then moves the cursor. */
static st_status cursor_advance(st_op *op, st_table_cursor *cursor, cursor_page *page, st_buf *out)
{
    size_t place = st_table__result_open(out, ST_RESULT_ITEMS);
    st_buf_u32(out, 0);
    ST_TRY(cursor_read_page(op, cursor, page, out));
    ST_TRY(st_buf_check(op, out));
    st_put_u32(out->data + place, page->count);
    st_table__result_shut(out, place);
    uint8_t scanned[8];
    st_put_u64(scanned, page->count);
    st_table__result_field(out, ST_RESULT_SCANNED, st_slice_of(scanned, sizeof scanned));
    if (page->is_cut) {
        place = st_table__result_open(out, ST_RESULT_LAST_KEY);
        cursor_put_token(cursor->table->id, st_buf_view(&page->last), out);
        st_table__result_shut(out, place);
        ST_TRY(st_buf_check(op, out));
        ST_TRY(cursor_skip(op, cursor, st_buf_view(&page->last)));
    }
    return st_buf_check(op, out);
}

st_status st_table_cursor_next_page(st_op *op, st_table_cursor *cursor, st_buf *out_result)
{
    const st_request *request = &cursor->request;
    size_t begin = out_result->size;
    cursor_page page = {.most = request->page_items ? request->page_items : UINT64_MAX};
    if (request->limit != 0 && request->limit - cursor->yielded < page.most) {
        page.most = request->limit - cursor->yielded;
    }
    if (request->flags & ST_FLAG_CACHED_ONLY) {
        op->flags |= ST_OP_CACHED_ONLY;
    }
    if (request->deadline_ms != 0 && op->deadline_us == 0) {
        op->deadline_us =
            st_env_monotonic_us(cursor->database->env) + (uint64_t)request->deadline_ms * 1000;
    }
    st_table__result_begin(out_result, request->operation);
    if (cursor->is_ended) {
        size_t place = st_table__result_open(out_result, ST_RESULT_ITEMS);
        st_buf_u32(out_result, 0);
        st_table__result_shut(out_result, place);
        return st_buf_check(op, out_result);
    }
    st_buf_init(&page.last, op->alloc);
    st_status status = cursor_check_table(op, cursor);
    status = status == ST_OK ? cursor_advance(op, cursor, &page, out_result) : status;
    st_buf_deinit(&page.last);
    if (status != ST_OK) {
        out_result->size = begin;
        return status;
    }
    cursor->yielded += page.count;
    cursor->is_ended = !page.is_cut || (request->limit != 0 && cursor->yielded >= request->limit);
    return ST_OK;
}
