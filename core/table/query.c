/* What a query or scan reads: the range of keys that its request describes, and the tokens that
 * resume it.
 *
 * Token (request field 14, result field 3): u8 version 1 · u32 table id · u32 index id 0 · key.
 */
#include "table/table_internal.h"

#define QUERY_TOKEN_VERSION 1

/* ---- tokens ----------------------------------------------------------------------------- */

void st_table__token(uint32_t table_id, st_slice key, st_buf *out)
{
    st_buf_byte(out, QUERY_TOKEN_VERSION);
    st_buf_u32(out, table_id);
    st_buf_u32(out, 0);
    st_buf_slice(out, key);
}

static st_status query_get_token(st_op *op, const st_table *table, st_slice token,
                                 st_slice *out_key)
{
    st_reader reader = st_reader_of(token);
    uint8_t version = st_reader_byte(&reader);
    uint32_t table_id = st_reader_u32(&reader);
    uint32_t index_id = st_reader_u32(&reader);
    *out_key = st_reader_slice(&reader, st_reader_left(&reader));
    if (reader.failed || version != QUERY_TOKEN_VERSION) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The provided starting key is invalid: this is no token of a query or scan");
    }
    if (table_id != table->id || index_id != 0 ||
        !st_key_is_valid(*out_key, table->id, &table->schema)) {
        return st_fail(op, ST_INVALID_ARGUMENT, "The provided starting key is invalid: %s",
                       table_id == table->id && index_id == 0
                           ? "its key is none of this table"
                           : "it belongs to another table or index");
    }
    return ST_OK;
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

static st_status query_partition(st_op *op, const st_table *table, const st_request *request,
                                 st_value *out_partition)
{
    if (!request->has_partition) {
        st_slice name = table->schema.partition[0].name;
        return st_fail(op, ST_INVALID_ARGUMENT, "Query condition missed key schema element: %.*s",
                       (int)name.size, (const char *)name.data);
    }
    st_reader reader = st_reader_of(request->partition);
    return query_value(op, request, &reader, true, "the partition of a query", out_partition);
}

static st_status query_range(st_op *op, const st_table *table, const st_request *request,
                             st_buf *from, st_buf *to)
{
    st_value partition, first = {0}, second = {0};
    ST_TRY(query_partition(op, table, request, &partition));
    st_key_condition condition = ST_KEY_ALL;
    if (request->has_sort) {
        st_reader reader = st_reader_of(request->sort);
        uint8_t number = st_reader_byte(&reader);
        if (number < ST_SORT_EQUAL || number > ST_SORT_BEGINS_WITH) {
            return st_fail(op, ST_INVALID_ARGUMENT, "sort condition %u is none of 1 to 7", number);
        }
        condition = (st_key_condition)number; /* the numbers are the same */
        bool is_between = condition == ST_KEY_BETWEEN;
        ST_TRY(query_value(op, request, &reader, !is_between, "the value of a sort condition",
                           &first));
        if (is_between) {
            ST_TRY(query_value(op, request, &reader, true, "the second value of between", &second));
        }
    }
    return st_key_range(op, table->id, &table->schema, &partition, condition, &first,
                        condition == ST_KEY_BETWEEN ? &second : NULL, from, to);
}

static bool query_is_inside(st_slice key, const st_buf *from, const st_buf *to)
{
    return st_slice_compare(key, st_buf_view(from)) >= 0 &&
           st_slice_compare(key, st_buf_view(to)) < 0;
}

/* The texts of the service for a starting key that this query or segment cannot have given. */
static st_status query_outside(st_op *op, const st_table *table, const st_request *request,
                               st_slice key, st_buf *from, st_buf *to)
{
    if (request->operation == ST_REQUEST_SCAN) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The provided starting key is invalid: Invalid ExclusiveStartKey. Please "
                       "use ExclusiveStartKey with correct Segment. TotalSegments: %u Segment: %u",
                       request->segment_count, request->segment);
    }
    st_value partition;
    ST_TRY(query_partition(op, table, request, &partition));
    ST_TRY(
        st_key_range(op, table->id, &table->schema, &partition, ST_KEY_ALL, NULL, NULL, from, to));
    return st_fail(op, ST_INVALID_ARGUMENT,
                   query_is_inside(key, from, to)
                       ? "The provided starting key does not match the range key predicate"
                       : "The provided starting key is outside query boundaries based on provided "
                         "conditions");
}

/* Cuts off the range what a token says was given already. */
static st_status query_start_after(st_op *op, const st_table *table, const st_request *request,
                                   st_buf *from, st_buf *to)
{
    st_slice key;
    ST_TRY(query_get_token(op, table, request->start_after, &key));
    if (!query_is_inside(key, from, to)) {
        return query_outside(op, table, request, key, from, to);
    }
    bool is_reverse = (request->flags & ST_FLAG_REVERSE) != 0;
    st_buf *bound = is_reverse ? to : from;
    st_buf_clear(bound);
    st_buf_slice(bound, key);
    if (!is_reverse) {
        st_buf_byte(bound, 0); /* the first key behind it: no key is a prefix of another */
    }
    return st_buf_check(op, bound);
}

st_status st_table__range(st_op *op, const st_table *table, const st_request *request, st_buf *from,
                          st_buf *to)
{
    if (request->operation == ST_REQUEST_QUERY) {
        ST_TRY(query_range(op, table, request, from, to));
    } else {
        uint32_t count = request->segment_count ? request->segment_count : 1;
        st_key_segment(table->id, request->segment, count, from, to);
        ST_TRY(st_buf_check(op, from));
        ST_TRY(st_buf_check(op, to));
    }
    return request->has_start_after ? query_start_after(op, table, request, from, to) : ST_OK;
}
