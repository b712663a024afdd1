/* SELECT: one page of what its ranges of keys hold, or of a scan.
 *
 * The ranges are read one behind the other until rows or bytes make a page. The token of a page is
 * u8 version 1 · u64 · u64 digest of statement and parameters · u32 range · token of the table for
 * that range (empty: from its beginning).
 */
#include "partiql/execute_internal.h"

#define SELECT_TOKEN_VERSION 1u
#define SELECT_TOKEN_HEAD_BYTES 21u
#define SELECT_PAGE_BYTES ((uint64_t)1 << 20)
#define SELECT_UNIT_BYTES 4096u

typedef struct select_read {
    st_op *op;
    st_database *database;
    const st_partiql__plan *plan;
    st_partiql__keys keys;
    uint64_t digest[2];
    uint32_t range;  /* to be read next */
    st_slice resume; /* behind this token of the table */
    uint64_t left;   /* rows to be read; 0: no limit */
    uint64_t bytes;  /* read, in whole units behind the first of each range */
    uint32_t count;
    bool is_ended, is_page;
    st_buf items, page, part, last_item;
    st_partiql__charges charges;
} select_read;

/* ---- tokens ----------------------------------------------------------------------------- */

static st_status select_resume(select_read *read)
{
    st_slice token = read->plan->call->next_token;
    bool resumes;
    ST_TRY(st_partiql__digest(read->op, read->plan->call, read->digest, &resumes));
    if (token.size == 0) {
        return ST_OK;
    }
    st_reader reader = st_reader_of(token);
    uint8_t version = st_reader_byte(&reader);
    uint64_t digest[] = {st_reader_u64(&reader), st_reader_u64(&reader)};
    read->range = st_reader_u32(&reader);
    read->resume = st_reader_slice(&reader, st_reader_left(&reader));
    if (reader.failed || version != SELECT_TOKEN_VERSION) {
        return st_fail(read->op, ST_INVALID_ARGUMENT, "Invalid NextToken");
    }
    if (!resumes || digest[0] != read->digest[0] || digest[1] != read->digest[1]) {
        return st_fail(read->op, ST_INVALID_ARGUMENT, "NextToken does not match request");
    }
    uint32_t count = read->keys.is_keyed ? read->keys.count : 1;
    return read->range < count ? ST_OK
                               : st_fail(read->op, ST_INVALID_ARGUMENT, "Invalid NextToken");
}

static void select_put_token(const select_read *read, st_buf *out)
{
    size_t place = st_partiql__result_open(out, ST_RESULT_LAST_KEY);
    st_buf_byte(out, SELECT_TOKEN_VERSION);
    st_buf_u64(out, read->digest[0]);
    st_buf_u64(out, read->digest[1]);
    st_buf_u32(out, read->range);
    st_buf_slice(out, read->resume);
    st_partiql__result_shut(out, place);
}

/* ---- indexes ---------------------------------------------------------------------------- */

static bool select_is_key(const st_key_schema *schema, st_slice name)
{
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        if (st_slice_equal(schema->partition[i].name, name)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < schema->sort_count; i++) {
        if (st_slice_equal(schema->sort[i].name, name)) {
            return true;
        }
    }
    return false;
}

static bool select_is_kept(const st_partiql__plan *plan, st_slice name)
{
    const st_index *index = plan->index;
    if (index->projection == ST_PROJECT_ALL || select_is_key(&index->schema, name) ||
        select_is_key(&plan->table.definition.schema, name)) {
        return true;
    }
    for (uint32_t i = 0; i < index->include_count; i++) {
        if (st_slice_equal(index->include[i], name)) {
            return true;
        }
    }
    return false;
}

/* The names of a filter that an index lacks, as "a, b". */
typedef struct select_lacks {
    const st_partiql__plan *plan;
    st_partiql__line line;
    st_slice names[8];
    uint32_t count;
} select_lacks;

static void select_visit(void *ctx, const st_path *path)
{
    select_lacks *lacks = ctx;
    st_slice name = path->steps[0].name;
    if (select_is_kept(lacks->plan, name)) {
        return;
    }
    for (uint32_t i = 0; i < lacks->count; i++) {
        if (st_slice_equal(lacks->names[i], name)) {
            return;
        }
    }
    if (lacks->count < sizeof lacks->names / sizeof lacks->names[0]) {
        st_partiql__line_add(&lacks->line, st_slice_str(lacks->count > 0 ? ", " : ""));
        st_partiql__line_add(&lacks->line, name);
        lacks->names[lacks->count++] = name;
    }
}

static st_status select_check_filter(st_op *op, const st_partiql__plan *plan)
{
    select_lacks lacks = {.plan = plan};
    if (plan->where.root) {
        st_condition_names(plan->where.root, select_visit, &lacks);
    }
    return lacks.count == 0
               ? ST_OK
               : st_fail(op, ST_INVALID_ARGUMENT,
                         ST_PARTIQL__INVALID "Secondary index %.*s does not project one or more "
                                             "filter attributes: [%s]",
                         (int)plan->index->name.size, (const char *)plan->index->name.data,
                         lacks.line.text);
}

static st_status select_check_index(select_read *read)
{
    const st_partiql__plan *plan = read->plan;
    if (plan->index->kind == ST_INDEX_GLOBAL && plan->call->is_consistent) {
        return st_fail(read->op, ST_INVALID_ARGUMENT,
                       "Strongly consistent read is not supported on Global Secondary Indexes");
    }
    for (uint32_t i = 0; i < plan->path_count && plan->index->kind == ST_INDEX_GLOBAL; i++) {
        st_slice name = plan->paths[i].steps[0].name;
        if (!select_is_kept(plan, name)) {
            return st_fail(read->op, ST_INVALID_ARGUMENT,
                           ST_PARTIQL__INVALID
                           "Global secondary index %.*s does not project [%.*s]",
                           (int)plan->index->name.size, (const char *)plan->index->name.data,
                           (int)name.size, (const char *)name.data);
        }
    }
    return read->keys.is_keyed ? select_check_filter(read->op, plan) : ST_OK;
}

/* ---- pages ------------------------------------------------------------------------------ */

static st_status select_take_items(select_read *read)
{
    st_slice items;
    if (!st_table_result_find(st_buf_view(&read->page), ST_RESULT_ITEMS, &items)) {
        return ST_OK;
    }
    st_reader reader = st_reader_of(items);
    uint32_t count = st_reader_u32(&reader);
    for (uint32_t i = 0; i < count; i++) {
        st_slice item = st_reader_slice(&reader, st_reader_u32(&reader));
        if (read->plan->is_reshaped) {
            st_buf_clear(&read->part);
            ST_TRY(st_partiql__reshape(read->op, read->plan, item, &read->part));
            item = st_buf_view(&read->part);
        }
        st_buf_u32(&read->items, (uint32_t)item.size);
        st_buf_slice(&read->items, item);
    }
    read->count += count;
    return st_buf_check(read->op, &read->items);
}

static void select_request(const select_read *read, st_request *request)
{
    const st_partiql__plan *plan = read->plan;
    *request = (st_request){
        .operation = read->keys.is_keyed ? ST_REQUEST_QUERY : ST_REQUEST_SCAN,
        .table_id = plan->table.id,
        .index = plan->statement->index,
        .has_index = plan->index != NULL,
        .filter = plan->where.root ? &plan->where : NULL,
        .projection = plan->projection,
        .flags = ST_FLAG_EXACT_PAGES | ST_FLAG_LAST_KEY_ITEM,
        .page_items = read->left > UINT32_MAX ? UINT32_MAX : (uint32_t)read->left,
        .has_start_after = read->resume.size > 0,
        .start_after = read->resume,
        .wants_capacity = true, /* it tells what was read, too */
    };
    request->flags |= plan->call->is_consistent ? ST_FLAG_CONSISTENT : 0;
    request->flags |= read->keys.is_reverse ? ST_FLAG_REVERSE : 0;
    if (read->keys.is_keyed) {
        request->clauses = read->keys.ranges[read->range].clauses;
        request->clause_count = read->keys.ranges[read->range].clause_count;
    }
}

/* A page is full when 1 MiB was read, whatever the filter left of it. */
static void select_count_bytes(select_read *read)
{
    st_slice charges = {0};
    st_capacity_arm arm;
    uint64_t halves = 0;
    (void)st_table_result_find(st_buf_view(&read->page), ST_RESULT_CAPACITY, &charges);
    st_reader reader = st_reader_of(charges);
    while (st_capacity_next(&reader, &arm)) {
        halves += arm.read_halves;
    }
    uint64_t units = read->plan->call->is_consistent ? halves / 2 : halves;
    read->bytes += units > 1 ? (units - 1) * SELECT_UNIT_BYTES : 0;
}

/* Goes on behind what was read. */
static st_status select_move(select_read *read)
{
    st_slice page = st_buf_view(&read->page), token, scanned, item;
    bool is_keyed = read->keys.is_keyed;
    bool is_point = is_keyed && !read->plan->index && read->keys.ranges[read->range].is_point;
    bool is_cut = st_table_result_find(page, ST_RESULT_LAST_KEY, &token) && !is_point;
    uint64_t rows = st_table_result_find(page, ST_RESULT_SCANNED, &scanned) && scanned.size == 8
                        ? st_get_u64(scanned.data)
                        : 0;
    bool is_full = read->left > 0 && rows >= read->left;
    read->left = is_full ? 0 : read->left - (read->left > 0 ? rows : 0);
    read->resume = (st_slice){0};
    if (is_cut) {
        st_buf_clear(&read->part);
        st_buf_slice(&read->part, token);
        ST_TRY(st_partiql__keep(read->op, &read->part, &read->resume));
        if (st_table_result_find(page, ST_RESULT_LAST_KEY_ITEM, &item)) {
            st_buf_slice(&read->last_item, item);
        }
    } else {
        read->range++;
    }
    read->is_ended = !is_cut && read->range >= (is_keyed ? read->keys.count : 1);
    select_count_bytes(read);
    read->is_page = is_cut || is_full || read->bytes >= SELECT_PAGE_BYTES;
    return ST_OK;
}

static st_status select_pages(select_read *read)
{
    st_request request;
    while (!read->is_page && !read->is_ended) {
        select_request(read, &request);
        st_buf_clear(&read->page);
        ST_TRY(st_table_run(read->op, read->database, &request, &read->page));
        ST_TRY(select_take_items(read));
        ST_TRY(st_partiql__charges_add(read->op, &read->charges, st_buf_view(&read->page)));
        ST_TRY(select_move(read));
    }
    return ST_OK;
}

static st_status select_all(select_read *read)
{
    const st_partiql__plan *plan = read->plan;
    const st_key_schema *schema =
        plan->index ? &plan->index->schema : &plan->table.definition.schema;
    ST_TRY(st_partiql__read_keys(read->op, plan->statement, schema, &read->keys));
    if (plan->index) {
        ST_TRY(select_check_index(read));
    }
    ST_TRY(select_resume(read));
    return select_pages(read);
}

static void select_answer(const select_read *read, st_buf *out)
{
    st_partiql__result_begin(out, ST_REQUEST_STATEMENT);
    size_t place = st_partiql__result_open(out, ST_RESULT_ITEMS);
    st_buf_u32(out, read->count);
    st_buf_slice(out, st_buf_view(&read->items));
    st_partiql__result_shut(out, place);
    if (!read->is_ended) {
        select_put_token(read, out);
        if (read->last_item.size > 0) {
            st_partiql__result_field(out, ST_RESULT_LAST_KEY_ITEM, st_buf_view(&read->last_item));
        }
    }
    if (read->plan->call->wants_capacity) {
        st_partiql__charges_put(&read->charges, out);
    }
}

st_status st_partiql__select(st_op *op, st_database *database, const st_partiql__plan *plan,
                             st_buf *out)
{
    select_read read = {.op = op, .database = database, .plan = plan, .left = plan->call->limit};
    st_buf *bufs[] = {&read.items, &read.page, &read.part, &read.last_item};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        st_buf_init(bufs[i], op->alloc);
    }
    st_status status = select_all(&read);
    if (status == ST_OK) {
        status = st_buf_check(op, &read.last_item);
    }
    if (status == ST_OK) {
        select_answer(&read, out);
        status = st_buf_check(op, out);
    }
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        st_buf_deinit(bufs[i]);
    }
    return status;
}
