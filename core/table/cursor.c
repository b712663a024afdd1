/* Queries and scans, page by page. A page opens a cursor of the store behind the last key it gave;
 * with the flag SNAPSHOT all pages read at one snapshot, and one cursor goes on from page to page.
 * A page that fails changes nothing: asked again it begins where it began.
 */
#include "table/table_internal.h"

struct st_table_cursor {
    st_database *database;
    st_table *table;
    st_buf frame; /* the request, which decoded points into */
    st_request request;
    st_buf from, to; /* what is left of the range */
    uint64_t yielded;
    st_lsm_snapshot *snapshot;
    st_lsm_cursor *source; /* behind the last page of a snapshot; NULL: to be opened */
    bool is_ended;
};

static st_status cursor_find_table(st_op *op, st_table_cursor *cursor)
{
    st_catalog *catalog = &cursor->database->catalog;
    const st_request *request = &cursor->request;
    uint32_t ticket = st_table__gate_enter(&catalog->lookups);
    st_status status =
        st_table__find(op, cursor->database, request->table_id, request->name, &cursor->table);
    if (status == ST_OK) {
        st_table__retain(cursor->table);
    }
    st_table__gate_leave(&catalog->lookups, ticket);
    return status;
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
    ST_TRY(cursor_find_table(op, cursor));
    ST_TRY(st_table__range(op, cursor->table, request, &cursor->from, &cursor->to));
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

st_status st_table_cursor_token(st_op *op, st_table_cursor *cursor, st_slice item,
                                st_buf *out_token)
{
    st_buf key;
    st_buf_init(&key, op->alloc);
    const st_table *table = cursor->table;
    st_status status = st_key_of_item(op, table->id, &table->schema, item, &key);
    if (status == ST_OK) {
        st_table__token(table->id, st_buf_view(&key), out_token);
        status = st_buf_check(op, out_token);
    }
    st_buf_deinit(&key);
    return status;
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
    st_lsm_cursor_close(cursor->source);
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
    st_buf last; /* the last item's key with a zero behind it, when the page is cut */
} cursor_page;

static st_status cursor_check_deadline(st_op *op, const st_table_cursor *cursor)
{
    if (op->deadline_us != 0 && st_env_monotonic_us(cursor->database->env) >= op->deadline_us) {
        return st_fail(op, ST_DEADLINE, "the deadline passed while a page was read");
    }
    return ST_OK;
}

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
            st_buf_byte(&page->last, 0); /* the first key behind it */
            return st_buf_check(op, &page->last);
        }
        if (page->count % 64 == 0) {
            ST_TRY(cursor_check_deadline(op, cursor));
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
    if (!cursor->source) {
        ST_TRY(st_lsm_cursor_open(op, cursor->database->lsm, &range, &cursor->source));
    }
    return cursor_fill(op, cursor, cursor->source, page, out);
}

static void cursor_drop_source(st_table_cursor *cursor)
{
    st_lsm_cursor_close(cursor->source);
    cursor->source = NULL;
}

static st_status cursor_check_table(st_op *op, st_table_cursor *cursor)
{
    st_table *table;
    uint32_t ticket = st_table__gate_enter(&cursor->database->catalog.lookups);
    st_status status =
        st_table__find(op, cursor->database, cursor->table->id, (st_slice){0}, &table);
    st_table__gate_leave(&cursor->database->catalog.lookups, ticket);
    return status;
}

/* Items of a page are of one moment, in which their table was there. */
static st_status cursor_confirm(st_op *op, st_table_cursor *cursor, const cursor_page *page)
{
    return page->count > 0 ? ST_OK : st_table__confirm(op, cursor->database, cursor->table->id);
}

static void cursor_put_scanned(uint64_t count, st_buf *out)
{
    uint8_t scanned[8];
    st_put_u64(scanned, count);
    st_table__result_field(out, ST_RESULT_SCANNED, st_slice_of(scanned, sizeof scanned));
}

/* The range begins, or backwards ends, behind the page. Cannot fail. */
static void cursor_move(st_table_cursor *cursor, cursor_page *page)
{
    bool is_reverse = (cursor->request.flags & ST_FLAG_REVERSE) != 0;
    st_buf *bound = is_reverse ? &cursor->to : &cursor->from;
    st_buf before = *bound;
    page->last.size -= is_reverse;
    *bound = page->last;
    page->last = before;
}

/* Reads the page, and only then moves the cursor. */
static st_status cursor_advance(st_op *op, st_table_cursor *cursor, cursor_page *page, st_buf *out)
{
    size_t place = st_table__result_open(out, ST_RESULT_ITEMS);
    st_buf_u32(out, 0);
    ST_TRY(cursor_check_deadline(op, cursor));
    ST_TRY(cursor_read_page(op, cursor, page, out));
    ST_TRY(cursor_confirm(op, cursor, page));
    ST_TRY(st_buf_check(op, out));
    st_put_u32(out->data + place, page->count);
    st_table__result_shut(out, place);
    cursor_put_scanned(page->count, out);
    if (page->is_cut) {
        place = st_table__result_open(out, ST_RESULT_LAST_KEY);
        st_table__token(cursor->table->id, st_slice_of(page->last.data, page->last.size - 1), out);
        st_table__result_shut(out, place);
    }
    ST_TRY(st_buf_check(op, out));
    if (page->is_cut) {
        cursor_move(cursor, page);
    }
    return ST_OK;
}

static st_status cursor_next_page(st_op *op, st_table_cursor *cursor, st_buf *out)
{
    const st_request *request = &cursor->request;
    cursor_page page = {.most = request->page_items ? request->page_items : UINT64_MAX};
    if (request->limit != 0 && request->limit - cursor->yielded < page.most) {
        page.most = request->limit - cursor->yielded;
    }
    st_table__result_begin(out, request->operation);
    if (cursor->is_ended) {
        size_t place = st_table__result_open(out, ST_RESULT_ITEMS);
        st_buf_u32(out, 0);
        st_table__result_shut(out, place);
        cursor_put_scanned(0, out);
        return st_buf_check(op, out);
    }
    st_buf_init(&page.last, cursor->database->alloc);
    st_status status = cursor_check_table(op, cursor);
    status = status == ST_OK ? cursor_advance(op, cursor, &page, out) : status;
    if (status != ST_OK || !page.is_cut || !cursor->snapshot) {
        cursor_drop_source(cursor);
    }
    st_buf_deinit(&page.last);
    if (status == ST_OK) {
        cursor->yielded += page.count;
        cursor->is_ended =
            !page.is_cut || (request->limit != 0 && cursor->yielded >= request->limit);
    }
    return status;
}

st_status st_table_cursor_next_page(st_op *op, st_table_cursor *cursor, st_buf *out_result)
{
    const st_request *request = &cursor->request;
    size_t begin = out_result->size;
    if (request->flags & ST_FLAG_CACHED_ONLY) {
        op->flags |= ST_OP_CACHED_ONLY;
    }
    if (request->deadline_ms != 0 && op->deadline_us == 0) {
        op->deadline_us =
            st_env_monotonic_us(cursor->database->env) + (uint64_t)request->deadline_ms * 1000;
    }
    st_status status = cursor_next_page(op, cursor, out_result);
    if (status != ST_OK) {
        out_result->size = begin;
    }
    return status;
}
