/* Queries and scans, page by page. A page opens a cursor of the store behind the last key it gave;
 * with the flag SNAPSHOT all pages read at one snapshot, and one cursor goes on from page to page.
 * A page that fails changes nothing: asked again it begins where it began.
 *
 * A page ends by what it reads: so many rows, so many bytes; the filter looks at rows that count
 * already. A query of a local index that wants more than the index keeps goes back to the table for
 * each row.
 */
#include "table/table_internal.h"

#define CURSOR_PAGE_BYTES ((uint32_t)1 << 20)

struct st_table_cursor {
    st_database *database;
    st_table *table;
    st_op keeper; /* what the request was parsed into, when it is the cursor's own */
    st_buf frame;
    st_request request;
    st_range range; /* what is left of it */
    bool goes_back; /* to the table for each row */
    uint64_t yielded;
    st_lsm_snapshot *snapshot;
    bool owns_snapshot;
    st_lsm_cursor *source; /* behind the last page of a snapshot; NULL: to be opened */
    bool is_ended;
};

/* ---- opening ---------------------------------------------------------------------------- */

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

/* Whether the index keeps all of the paths' attributes. */
static bool cursor_is_kept(const st_table *table, const st_index *index,
                           const st_projection *wanted)
{
    const st_projection *parts = table->index_parts[index - table->definition.indexes];
    uint32_t wanted_count, kept_count;
    const st_path *paths = st_projection_paths(wanted, &wanted_count);
    const st_path *kept = st_projection_paths(parts, &kept_count);
    for (uint32_t i = 0; i < wanted_count; i++) {
        bool is_kept = false;
        for (uint32_t k = 0; k < kept_count && !is_kept; k++) {
            is_kept = st_slice_equal(kept[k].steps[0].name, paths[i].steps[0].name);
        }
        if (!is_kept) {
            return false;
        }
    }
    return true;
}

static st_status cursor_choose_rows(st_op *op, st_table_cursor *cursor)
{
    const st_index *index = cursor->range.index;
    const st_request *request = &cursor->request;
    if (!index || index->projection == ST_PROJECT_ALL) {
        return ST_OK;
    }
    bool wants_all = request->select == ST_SELECT_ALL_ATTRIBUTES;
    bool wants_more = wants_all || (request->projection &&
                                    !cursor_is_kept(cursor->table, index, request->projection));
    if (wants_all && index->kind == ST_INDEX_GLOBAL) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is "
                       "not supported for global secondary index %.*s because its projection type "
                       "is not ALL",
                       (int)index->name.size, (const char *)index->name.data);
    }
    if (wants_more && index->kind == ST_INDEX_GLOBAL) {
        uint32_t count;
        const st_path *paths = st_projection_paths(request->projection, &count);
        st_path_step first = paths[0].steps[0];
        for (uint32_t i = 0; i < count; i++) {
            st_projection *one;
            ST_TRY(st_projection_of_paths(op, &paths[i], 1, &one));
            if (!cursor_is_kept(cursor->table, index, one)) {
                first = paths[i].steps[0];
                break;
            }
        }
        return st_fail(
            op, ST_INVALID_ARGUMENT,
            "One or more parameter values were invalid: Global secondary index %.*s does "
            "not project [%.*s]",
            (int)index->name.size, (const char *)index->name.data, (int)first.name.size,
            (const char *)first.name.data);
    }
    cursor->goes_back = wants_more;
    return ST_OK;
}

/* The request is set. */
static st_status table_cursor_prepare(st_op *op, st_table_cursor *cursor)
{
    const st_request *request = &cursor->request;
    if (request->operation != ST_REQUEST_QUERY && request->operation != ST_REQUEST_SCAN) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, 1,
                          "a cursor is for queries and scans, not operation %u",
                          request->operation);
    }
    ST_TRY(cursor_find_table(op, cursor));
    cursor->range.table = cursor->table;
    ST_TRY(st_table__range(op, request, &cursor->range));
    ST_TRY(cursor_choose_rows(op, cursor));
    if (request->flags & ST_FLAG_SNAPSHOT && !cursor->snapshot) {
        ST_TRY(st_lsm_snapshot_open(op, cursor->database->lsm, &cursor->snapshot));
        cursor->owns_snapshot = true;
    }
    return ST_OK;
}

static void cursor_init(st_table_cursor *cursor, st_database *database)
{
    *cursor = (st_table_cursor){.database = database};
    st_op_init(&cursor->keeper, database->alloc);
    st_buf_init(&cursor->frame, database->alloc);
    st_buf_init(&cursor->range.from, database->alloc);
    st_buf_init(&cursor->range.to, database->alloc);
}

static void cursor_deinit(st_table_cursor *cursor)
{
    st_lsm_cursor_close(cursor->source);
    if (cursor->owns_snapshot) {
        st_lsm_snapshot_close(cursor->snapshot);
    }
    st_table__release(cursor->table);
    st_buf_deinit(&cursor->frame);
    st_buf_deinit(&cursor->range.from);
    st_buf_deinit(&cursor->range.to);
    st_op_deinit(&cursor->keeper);
}

/* The frame is copied, and what is parsed of it lives as long as the cursor. */
static st_status cursor_parse(st_op *op, st_table_cursor *cursor, st_slice frame)
{
    st_buf_slice(&cursor->frame, frame);
    ST_TRY(st_buf_check(op, &cursor->frame));
    st_status status =
        st_table_request(&cursor->keeper, st_buf_view(&cursor->frame), &cursor->request);
    if (status != ST_OK) {
        op->error = cursor->keeper.error;
        op->error.text = (st_slice){0};
    }
    return status;
}

st_status st_table_cursor_open(st_op *op, st_database *database, st_slice request,
                               st_table_cursor **out_cursor)
{
    *out_cursor = NULL;
    st_table_cursor *cursor = st_alloc_new(database->alloc, sizeof *cursor);
    if (!cursor) {
        return st_fail_memory(op, sizeof *cursor);
    }
    cursor_init(cursor, database);
    st_status status = cursor_parse(op, cursor, request);
    status = status == ST_OK ? table_cursor_prepare(op, cursor) : status;
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
    st_status status = st_table__entry_key(op, cursor->table, cursor->range.index, item, &key);
    if (status == ST_OK) {
        st_table__token(&cursor->range, st_buf_view(&key), out_token);
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
    if (cursor) {
        const st_alloc *alloc = cursor->database->alloc;
        cursor_deinit(cursor);
        st_alloc_free(alloc, cursor, sizeof *cursor);
    }
}

/* ---- rows ------------------------------------------------------------------------------- */

typedef struct cursor_page {
    uint32_t scanned, count; /* count: behind the filter */
    uint64_t most, most_count;
    uint64_t bytes, back_halves;
    bool is_cut;
    st_buf last;      /* the last row's key with a zero behind it, when the page is cut */
    st_buf last_item; /* its key attributes, when they are asked for */
    st_buf key, row, part;
} cursor_page;

static st_status cursor_check_deadline(st_op *op, const st_table_cursor *cursor)
{
    if (op->deadline_us != 0 && st_env_monotonic_us(cursor->database->env) >= op->deadline_us) {
        return st_fail(op, ST_DEADLINE, "the deadline passed while a page was read");
    }
    return ST_OK;
}

/* The row an index entry is of. */
static st_status cursor_go_back(st_op *op, st_table_cursor *cursor, cursor_page *page,
                                st_slice entry, st_slice *out_row)
{
    uint64_t at = cursor->snapshot ? st_lsm_snapshot_sequence(cursor->snapshot) : ST_LSM_PUBLISHED;
    st_lsm_pin pin;
    st_slice value;
    bool is_found;
    st_buf_clear(&page->key);
    st_buf_clear(&page->row);
    ST_TRY(st_table__entry_key(op, cursor->table, NULL, entry, &page->key));
    st_status status = st_lsm_get(op, cursor->database->lsm, st_buf_view(&page->key), at, &pin,
                                  &value, &is_found, NULL);
    if (status == ST_OK) {
        st_buf_slice(&page->row, is_found ? value : entry);
        bool is_consistent = (cursor->request.flags & ST_FLAG_CONSISTENT) != 0;
        page->back_halves +=
            st_table__read_halves(st_item_size(st_buf_view(&page->row)), is_consistent);
        status = st_buf_check(op, &page->row);
    }
    st_lsm_pin_release(&pin);
    *out_row = st_buf_view(&page->row);
    return status;
}

static st_status cursor_put_row(st_op *op, const st_table_cursor *cursor, cursor_page *page,
                                st_slice row, st_buf *out)
{
    const st_request *request = &cursor->request;
    if (request->filter && !st_condition_is_met(request->filter, row)) {
        return ST_OK;
    }
    page->count++;
    if (request->select == ST_SELECT_COUNT) {
        return ST_OK;
    }
    st_slice part = row;
    if (request->projection) {
        st_buf_clear(&page->part);
        ST_TRY(st_projection_apply(op, request->projection, row, &page->part));
        part = st_buf_view(&page->part);
    }
    st_buf_u32(out, (uint32_t)part.size);
    st_buf_slice(out, part);
    return ST_OK;
}

/* The attributes that name the last row: of the table's key and the index's. */
static st_status cursor_keep_last_item(st_op *op, const st_table_cursor *cursor, cursor_page *page,
                                       st_slice entry)
{
    const st_range *range = &cursor->range;
    st_path paths[4 * ST_KEY_PARTS_MAX];
    uint32_t count = 0;
    st_projection *key;
    for (int k = 0; k < 2; k++) {
        const st_key_schema *schema = k ? range->schema : &cursor->table->schema;
        for (uint32_t i = 0; i < schema->partition_count; i++) {
            ST_TRY(st_path_of_name(op, schema->partition[i].name, &paths[count++]));
        }
        for (uint32_t i = 0; i < schema->sort_count; i++) {
            ST_TRY(st_path_of_name(op, schema->sort[i].name, &paths[count++]));
        }
    }
    ST_TRY(st_projection_of_paths(op, paths, count, &key));
    return st_projection_apply(op, key, entry, &page->last_item);
}

static st_status cursor_cut(st_op *op, const st_table_cursor *cursor, cursor_page *page,
                            st_slice key, st_slice entry)
{
    st_buf_clear(&page->last);
    st_buf_slice(&page->last, key);
    st_buf_byte(&page->last, 0); /* the first key behind it */
    if (cursor->request.flags & ST_FLAG_LAST_KEY_ITEM) {
        ST_TRY(cursor_keep_last_item(op, cursor, page, entry));
    }
    return st_buf_check(op, &page->last);
}

static st_status cursor_take(st_op *op, st_table_cursor *cursor, cursor_page *page, st_slice key,
                             st_slice entry, st_buf *out)
{
    const st_request *request = &cursor->request;
    st_slice row = entry;
    bool is_exact = request->flags & ST_FLAG_EXACT_PAGES || request->wants_capacity;
    page->bytes += is_exact ? st_item_size(entry) : entry.size;
    page->scanned++;
    if (cursor->goes_back) {
        ST_TRY(cursor_go_back(op, cursor, page, entry, &row));
    }
    ST_TRY(cursor_put_row(op, cursor, page, row, out));
    uint64_t most_bytes = request->page_bytes ? request->page_bytes : CURSOR_PAGE_BYTES;
    page->is_cut =
        page->scanned == page->most || page->count == page->most_count || page->bytes >= most_bytes;
    return page->is_cut ? cursor_cut(op, cursor, page, key, entry) : ST_OK;
}

static st_status cursor_fill(st_op *op, st_table_cursor *cursor, cursor_page *page, st_buf *out)
{
    bool valid;
    st_slice key, value;
    while (!page->is_cut) {
        ST_TRY(st_lsm_cursor_next(op, cursor->source, &valid, &key, &value));
        if (!valid) {
            return ST_OK;
        }
        ST_TRY(cursor_take(op, cursor, page, key, value, out));
        if (page->scanned % 64 == 0) {
            ST_TRY(cursor_check_deadline(op, cursor));
        }
    }
    return ST_OK;
}

static st_status cursor_read_page(st_op *op, st_table_cursor *cursor, cursor_page *page,
                                  st_buf *out)
{
    st_lsm_range range = {.from = st_buf_view(&cursor->range.from),
                          .to = st_buf_view(&cursor->range.to),
                          .is_reverse = (cursor->request.flags & ST_FLAG_REVERSE) != 0,
                          .snapshot = cursor->snapshot};
    if (st_slice_compare(range.from, range.to) >= 0) {
        return ST_OK; /* nothing left, or an empty segment */
    }
    if (!cursor->source) {
        ST_TRY(st_lsm_cursor_open(op, cursor->database->lsm, &range, &cursor->source));
    }
    return cursor_fill(op, cursor, page, out);
}

/* ---- pages ------------------------------------------------------------------------------ */

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
    if (status == ST_OK && cursor->range.index && table != cursor->table &&
        !st_table__index(table, cursor->range.index->name)) {
        status = st_fail(
            op, ST_INVALID_ARGUMENT, "The table does not have the specified index: %.*s",
            (int)cursor->range.index->name.size, (const char *)cursor->range.index->name.data);
    }
    st_table__gate_leave(&cursor->database->catalog.lookups, ticket);
    return status;
}

/* Items of a page are of one moment, in which their table was there. */
static st_status cursor_confirm(st_op *op, st_table_cursor *cursor, const cursor_page *page)
{
    return page->scanned > 0 ? ST_OK : st_table__confirm(op, cursor->database, cursor->table->id);
}

static void cursor_put_u64(uint8_t number, uint64_t value, st_buf *out)
{
    uint8_t bytes[8];
    st_put_u64(bytes, value);
    st_table__result_field(out, number, st_slice_of(bytes, sizeof bytes));
}

/* The range begins, or backwards ends, behind the page. Cannot fail. */
static void cursor_move(st_table_cursor *cursor, cursor_page *page)
{
    bool is_reverse = (cursor->request.flags & ST_FLAG_REVERSE) != 0;
    st_buf *bound = is_reverse ? &cursor->range.to : &cursor->range.from;
    st_buf before = *bound;
    page->last.size -= is_reverse;
    *bound = page->last;
    page->last = before;
}

static st_status cursor_charge(st_op *op, const st_table_cursor *cursor, const cursor_page *page,
                               st_buf *out)
{
    st_charges charges = {.count = 0};
    st_charge *charge = st_table__charge(op, &charges, cursor->table);
    if (!charge) {
        return ST_NO_MEMORY;
    }
    bool is_consistent = (cursor->request.flags & ST_FLAG_CONSISTENT) != 0;
    uint64_t halves = st_table__read_halves(page->bytes, is_consistent);
    const st_index *index = cursor->range.index;
    if (index) {
        charge->index_read_halves[index - cursor->table->definition.indexes] = halves;
        charge->read_halves = page->back_halves;
    } else {
        charge->read_halves = halves;
    }
    st_table__put_charges(&charges, out);
    return ST_OK;
}

static st_status cursor_put_end(st_op *op, st_table_cursor *cursor, cursor_page *page, st_buf *out)
{
    cursor_put_u64(ST_RESULT_SCANNED, page->scanned, out);
    cursor_put_u64(ST_RESULT_COUNT, page->count, out);
    if (page->is_cut) {
        size_t place = st_table__result_open(out, ST_RESULT_LAST_KEY);
        st_table__token(&cursor->range, st_slice_of(page->last.data, page->last.size - 1), out);
        st_table__result_shut(out, place);
        if (page->last_item.size > 0) {
            st_table__result_field(out, ST_RESULT_LAST_KEY_ITEM, st_buf_view(&page->last_item));
        }
    }
    return cursor->request.wants_capacity ? cursor_charge(op, cursor, page, out) : ST_OK;
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
    st_put_u32(out->data + place, cursor->request.select == ST_SELECT_COUNT ? 0 : page->count);
    st_table__result_shut(out, place);
    ST_TRY(cursor_put_end(op, cursor, page, out));
    ST_TRY(st_buf_check(op, out));
    if (page->is_cut) {
        cursor_move(cursor, page);
    }
    return ST_OK;
}

static st_status cursor_put_nothing(st_op *op, st_buf *out)
{
    size_t place = st_table__result_open(out, ST_RESULT_ITEMS);
    st_buf_u32(out, 0);
    st_table__result_shut(out, place);
    cursor_put_u64(ST_RESULT_SCANNED, 0, out);
    cursor_put_u64(ST_RESULT_COUNT, 0, out);
    return st_buf_check(op, out);
}

static st_status cursor_next_page(st_op *op, st_table_cursor *cursor, st_buf *out)
{
    const st_request *request = &cursor->request;
    cursor_page page = {.most = request->page_items ? request->page_items : UINT64_MAX};
    page.most_count = request->limit != 0 ? request->limit - cursor->yielded : UINT64_MAX;
    st_table__result_begin(out, request->operation);
    if (cursor->is_ended) {
        return cursor_put_nothing(op, out);
    }
    st_buf *bufs[] = {&page.last, &page.last_item, &page.key, &page.row, &page.part};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        st_buf_init(bufs[i], cursor->database->alloc);
    }
    st_status status = cursor_check_table(op, cursor);
    status = status == ST_OK ? cursor_advance(op, cursor, &page, out) : status;
    if (status != ST_OK || !page.is_cut || !cursor->snapshot) {
        cursor_drop_source(cursor);
    }
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        st_buf_deinit(bufs[i]);
    }
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

st_status st_table__page(st_op *op, st_database *database, const st_request *request, st_buf *out)
{
    st_table_cursor cursor;
    cursor_init(&cursor, database);
    cursor.request = *request;
    st_status status = table_cursor_prepare(op, &cursor);
    if (status == ST_OK) {
        status = st_table_cursor_next_page(op, &cursor, out);
    }
    cursor_deinit(&cursor);
    return status;
}
