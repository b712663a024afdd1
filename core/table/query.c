/* What a query or scan reads: the range of keys that its request describes, and what resumes it.
 *
 * Token (request field 14, result field 3): u8 version 1 · u32 table id · u32 index id · key. The
 * index id is 0 for the table itself.
 */
#include "table/table_internal.h"

#define QUERY_TOKEN_VERSION 1

/* ---- tokens ----------------------------------------------------------------------------- */

void st_table__token(const st_range *range, st_slice key, st_buf *out)
{
    st_buf_byte(out, QUERY_TOKEN_VERSION);
    st_buf_u32(out, range->table->id);
    st_buf_u32(out, range->index ? range->index->id : 0);
    st_buf_slice(out, key);
}

/* Behind the key of an index entry lies the key of its row. */
static bool query_is_key(st_op *op, const st_range *range, st_slice key)
{
    if (!range->index) {
        return st_key_is_valid(key, range->id, range->schema);
    }
    st_buf ignored;
    size_t bytes = 0;
    st_op quiet;
    st_op_init(&quiet, op->alloc);
    st_buf_init(&ignored, op->alloc);
    bool is_key = st_key_decode(&quiet, key, range->id, range->schema, &ignored, &bytes) == ST_OK &&
                  bytes < key.size;
    st_buf_deinit(&ignored);
    st_op_deinit(&quiet);
    return is_key;
}

static st_status query_get_token(st_op *op, const st_range *range, st_slice token,
                                 st_slice *out_key)
{
    st_reader reader = st_reader_of(token);
    uint8_t version = st_reader_byte(&reader);
    uint32_t table_id = st_reader_u32(&reader);
    uint32_t index_id = st_reader_u32(&reader);
    uint32_t wanted = range->index ? range->index->id : 0;
    *out_key = st_reader_slice(&reader, st_reader_left(&reader));
    if (reader.failed || version != QUERY_TOKEN_VERSION) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The provided starting key is invalid: this is no token of a query or scan");
    }
    if (table_id != range->table->id || index_id != wanted) {
        return st_fail(
            op, ST_INVALID_ARGUMENT,
            "The provided starting key is invalid: it belongs to another table or index");
    }
    return query_is_key(op, range, *out_key)
               ? ST_OK
               : st_fail(op, ST_INVALID_ARGUMENT,
                         "The provided starting key is invalid: its key is none of this table");
}

/* ---- starting keys as attributes -------------------------------------------------------- */

static st_status query_bad_start(st_op *op)
{
    return st_fail(op, ST_INVALID_ARGUMENT, "The provided starting key is invalid");
}

static bool query_has_types(const st_key_schema *schema, st_slice frame)
{
    st_value value;
    for (uint32_t i = 0; i < schema->partition_count + schema->sort_count; i++) {
        const st_key_part *part = i < schema->partition_count
                                      ? &schema->partition[i]
                                      : &schema->sort[i - schema->partition_count];
        if (!st_item_find(frame, part->name, &value) || value.type != part->type) {
            return false;
        }
    }
    return true;
}

static bool query_is_part(const st_key_schema *schema, st_slice name)
{
    bool is_part = false;
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        is_part |= st_slice_equal(schema->partition[i].name, name);
    }
    for (uint32_t i = 0; i < schema->sort_count; i++) {
        is_part |= st_slice_equal(schema->sort[i].name, name);
    }
    return is_part;
}

static bool query_is_key_only(const st_range *range, st_slice frame)
{
    st_slice name;
    st_value value;
    for (uint32_t i = 0; st_item_at(frame, i, &name, &value); i++) {
        if (!query_is_part(&range->table->schema, name) && !query_is_part(range->schema, name)) {
            return false;
        }
    }
    return true;
}

/* The key a page ended with, from its attributes: exactly those of the table and the index. */
static st_status query_start_key(st_op *op, const st_request *request, const st_range *range,
                                 st_buf *out_key)
{
    const st_table *table = range->table;
    st_buf frame;
    st_buf_init(&frame, op->alloc);
    st_status status;
    ST_TRY_OUT(st_item_canonicalize(op, request->start_key, &frame));
    st_slice item = st_buf_view(&frame);
    if (!query_has_types(&table->schema, item) || !query_has_types(range->schema, item)) {
        ST_TRY_OUT(query_bad_start(op));
    }
    ST_TRY_OUT(st_table__entry_key(op, table, range->index, item, out_key));
    if (!query_is_key_only(range, item)) {
        ST_TRY_OUT(query_bad_start(op));
    }
out:
    st_buf_deinit(&frame);
    return status;
}

/* ---- ranges ----------------------------------------------------------------------------- */

/* Reads a value of a field; its place in the request is the position of an error. */
static st_status query_value(st_op *op, const st_request *request, st_reader *reader, bool is_last,
                             const char *what, st_value *out_value)
{
    size_t at = reader->at;
    bool is_read = st_value_read(reader, out_value);
    if (is_read && (!is_last || st_reader_left(reader) == 0)) {
        return ST_OK;
    }
    at = is_read ? reader->at : at;
    int64_t field = reader->size > 0 ? reader->data - request->frame.data : 0;
    return st_fail_at(op, ST_INVALID_ARGUMENT, field + (int64_t)at, "%s is malformed", what);
}

static st_status query_partition(st_op *op, const st_range *range, const st_request *request,
                                 st_value *out_partition)
{
    st_slice name = range->schema->partition[0].name;
    if (!request->has_partition || range->schema->partition_count > 1) {
        return st_fail(op, ST_INVALID_ARGUMENT, "Query condition missed key schema element: %.*s",
                       (int)name.size, (const char *)name.data);
    }
    st_reader reader = st_reader_of(request->partition);
    return query_value(op, request, &reader, true, "the partition of a query", out_partition);
}

/* The condition in the fields PARTITION and SORT. */
static st_status query_fields(st_op *op, const st_range *range, const st_request *request,
                              st_value *values, st_key_query *out_query)
{
    *out_query = (st_key_query){.partition = values, .condition = ST_KEY_ALL};
    ST_TRY(query_partition(op, range, request, &values[0]));
    if (!request->has_sort) {
        return ST_OK;
    }
    st_reader reader = st_reader_of(request->sort);
    uint8_t number = st_reader_byte(&reader);
    if (number < ST_SORT_EQUAL || number > ST_SORT_BEGINS_WITH) {
        return st_fail(op, ST_INVALID_ARGUMENT, "sort condition %u is none of 1 to 7", number);
    }
    out_query->condition = (st_key_condition)number; /* the numbers are the same */
    bool is_between = number == ST_SORT_BETWEEN;
    out_query->first = &values[1];
    ST_TRY(query_value(op, request, &reader, !is_between, "the value of a sort condition",
                       &values[1]));
    if (is_between) {
        out_query->second = &values[2];
        ST_TRY(query_value(op, request, &reader, true, "the second value of between", &values[2]));
    }
    return ST_OK;
}

/* values: room for three. */
static st_status query_of(st_op *op, const st_range *range, const st_request *request,
                          st_value *values, st_key_query *out_query)
{
    return request->clauses ? st_key_clauses_bind(op, request->clauses, request->clause_count,
                                                  range->schema, out_query)
                            : query_fields(op, range, request, values, out_query);
}

static bool query_is_inside(st_slice key, const st_buf *from, const st_buf *to)
{
    return st_slice_compare(key, st_buf_view(from)) >= 0 &&
           st_slice_compare(key, st_buf_view(to)) < 0;
}

static bool query_same_stem(st_slice a, const st_buf *from)
{
    return a.size > 5 && from->size > 5 && a.data[4] == from->data[4] &&
           st_slice_common(a, st_buf_view(from)) > 5;
}

/* The texts of the service for a starting key that this query or segment cannot have given. */
static st_status query_outside(st_op *op, const st_request *request, st_range *range, st_slice key)
{
    if (request->operation == ST_REQUEST_SCAN) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The provided starting key is invalid: Invalid ExclusiveStartKey. Please "
                       "use ExclusiveStartKey with correct Segment. TotalSegments: %u Segment: %u",
                       request->segment_count, request->segment);
    }
    st_value values[3];
    st_key_query query;
    ST_TRY(query_of(op, range, request, values, &query));
    bool has_sort = query.condition != ST_KEY_ALL || query.equal_count > 0;
    query.condition = ST_KEY_ALL;
    query.equal_count = 0;
    query.first = query.second = NULL;
    st_buf_clear(&range->from);
    st_buf_clear(&range->to);
    ST_TRY(st_key_range_of(op, range->id, range->schema, &query, &range->from, &range->to));
    if (query_is_inside(key, &range->from, &range->to)) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The provided starting key does not match the range key predicate");
    }
    if (has_sort || (range->schema->partition_count > 1 && !query_same_stem(key, &range->from))) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The query can return at most one row and cannot be restarted");
    }
    return st_fail(op, ST_INVALID_ARGUMENT,
                   range->schema->sort_count == 0
                       ? "The provided exclusive start key is invalid"
                       : "The provided starting key is outside query boundaries based on provided "
                         "conditions");
}

/* Cuts off the range what was given already. */
static st_status query_start_behind(st_op *op, const st_request *request, st_range *range,
                                    st_slice key)
{
    if (!query_is_inside(key, &range->from, &range->to)) {
        return query_outside(op, request, range, key);
    }
    bool is_reverse = (request->flags & ST_FLAG_REVERSE) != 0;
    st_buf *bound = is_reverse ? &range->to : &range->from;
    st_buf_clear(bound);
    st_buf_slice(bound, key);
    if (!is_reverse) {
        st_buf_byte(bound, 0); /* the first key behind it: no key is a prefix of another */
    }
    return st_buf_check(op, bound);
}

static st_status query_start(st_op *op, const st_request *request, st_range *range)
{
    st_slice key;
    if (request->has_start_after) {
        ST_TRY(query_get_token(op, range, request->start_after, &key));
        return query_start_behind(op, request, range, key);
    }
    if (!request->has_start_key) {
        return ST_OK;
    }
    st_buf start;
    st_buf_init(&start, op->alloc);
    st_status status = query_start_key(op, request, range, &start);
    if (status == ST_OK) {
        status = query_start_behind(op, request, range, st_buf_view(&start));
    }
    st_buf_deinit(&start);
    return status;
}

static st_status query_choose(st_op *op, const st_request *request, st_range *range)
{
    range->id = range->table->id;
    range->schema = &range->table->schema;
    if (!request->has_index) {
        return ST_OK;
    }
    range->index = st_table__index(range->table, request->index);
    if (!range->index) {
        return st_fail(op, ST_INVALID_ARGUMENT, "The table does not have the specified index: %.*s",
                       (int)request->index.size, (const char *)request->index.data);
    }
    if (range->index->kind == ST_INDEX_GLOBAL && request->flags & ST_FLAG_CONSISTENT) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Consistent reads are not supported on global secondary indexes");
    }
    range->id = range->index->id;
    range->schema = &range->index->schema;
    return ST_OK;
}

st_status st_table__range(st_op *op, const st_request *request, st_range *range)
{
    ST_TRY(query_choose(op, request, range));
    if (request->operation == ST_REQUEST_QUERY) {
        st_value values[3];
        st_key_query query;
        ST_TRY(query_of(op, range, request, values, &query));
        ST_TRY(st_key_range_of(op, range->id, range->schema, &query, &range->from, &range->to));
    } else {
        uint32_t count = request->segment_count ? request->segment_count : 1;
        st_key_segment(range->id, request->segment, count, &range->from, &range->to);
        ST_TRY(st_buf_check(op, &range->from));
        ST_TRY(st_buf_check(op, &range->to));
    }
    return query_start(op, request, range);
}
