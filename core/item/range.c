/* Ranges of keys: what a query's key condition selects, and the segments of a parallel scan.
 *
 * Components are self-delimiting and ordered, so that every condition is one half-open range [from,
 * to): all keys that begin with P lie in [P, successor(P)). The same holds for keys that go on
 * behind the schema's components, as those of index entries do.
 */
#include "item/item_internal.h"

#define RANGE_STRIPES 256u

/* Makes of a prefix the smallest bytes larger than all that begin with it. There always are some: a
 * table id, a class byte or an end mark in it can be raised. */
static void range_successor(st_buf *prefix)
{
    while (!prefix->failed && prefix->size > 0 && prefix->data[prefix->size - 1] == 0xFF) {
        prefix->size--;
    }
    if (!prefix->failed && prefix->size > 0) {
        prefix->data[prefix->size - 1]++;
    }
}

static st_status range_check_type(st_op *op, const st_key_part *part, const st_value *value)
{
    if (value && value->type == part->type) {
        return ST_OK;
    }
    return st_fail(op, ST_INVALID_ARGUMENT,
                   "One or more parameter values were invalid: Condition parameter type does not "
                   "match schema type");
}

/* Appends one bound: the size of each is judged on its own behind the equal parts. */
static st_status range_append(st_op *op, const st_key_part *part, const st_value *value,
                              const st_key__part_size *size, bool is_open, st_buf *out)
{
    st_key__part_size own = *size;
    return st_key__append(op, part, value, &own, is_open, out);
}

/* from and to hold the same prefix; narrows them to the condition on the next sort part. */
static st_status range_narrow(st_op *op, const st_key_part *part, const st_key__part_size *size,
                              const st_key_query *query, st_buf *from, st_buf *to)
{
    st_key_condition condition = query->condition;
    bool is_prefix = condition == ST_KEY_BEGINS_WITH;
    bool has_from = condition != ST_KEY_LESS && condition != ST_KEY_AT_MOST;
    bool has_to = condition != ST_KEY_GREATER && condition != ST_KEY_AT_LEAST;
    const st_value *last = condition == ST_KEY_BETWEEN ? query->second : query->first;
    ST_TRY(range_check_type(op, part, query->first));
    ST_TRY(range_check_type(op, part, last));
    if (is_prefix && part->type == ST_TYPE_N) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Invalid KeyConditionExpression: Incorrect operand type for operator or "
                       "function; operator or function: begins_with, operand type: N");
    }
    if (has_from) {
        ST_TRY(range_append(op, part, query->first, size, is_prefix, from));
    }
    if (has_to) {
        ST_TRY(range_append(op, part, last, size, is_prefix, to));
    }
    if (condition == ST_KEY_BETWEEN && st_slice_compare(st_buf_view(from), st_buf_view(to)) > 0) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound "
                       "to be greater than or equal to lower bound");
    }
    if (condition == ST_KEY_GREATER) {
        range_successor(from);
    }
    if (condition != ST_KEY_LESS) {
        range_successor(to);
    }
    return ST_OK;
}

static st_status range_build(st_op *op, uint32_t table_id, const st_key_schema *schema,
                             const st_key_query *query, st_buf *from, st_buf *to)
{
    st_key__part_size partition = {.is_partition = true}, sort = {0};
    st_key__begin(table_id, from);
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        const st_value *value = query->partition ? &query->partition[i] : NULL;
        ST_TRY(range_check_type(op, &schema->partition[i], value));
        ST_TRY(st_key__append(op, &schema->partition[i], value, &partition, false, from));
    }
    st_key__set_stripe(from, 0);
    bool has_condition = query->condition != ST_KEY_ALL;
    if (query->equal_count + (uint64_t)has_condition > schema->sort_count ||
        (unsigned)query->condition > ST_KEY_BEGINS_WITH) {
        return st_fail(op, ST_INVALID_ARGUMENT, "Query key condition not supported");
    }
    for (uint32_t i = 0; i < query->equal_count; i++) {
        const st_value *value = query->equal ? &query->equal[i] : NULL;
        ST_TRY(range_check_type(op, &schema->sort[i], value));
        ST_TRY(st_key__append(op, &schema->sort[i], value, &sort, false, from));
    }
    st_buf_slice(to, st_buf_view(from));
    ST_TRY(st_buf_check(op, from));
    ST_TRY(st_buf_check(op, to));
    if (has_condition) {
        ST_TRY(range_narrow(op, &schema->sort[query->equal_count], &sort, query, from, to));
    } else {
        range_successor(to);
    }
    ST_TRY(st_buf_check(op, from));
    return st_buf_check(op, to);
}

st_status st_key_range_of(st_op *op, uint32_t table_id, const st_key_schema *schema,
                          const st_key_query *query, st_buf *out_from, st_buf *out_to)
{
    st_buf_clear(out_from);
    st_buf_clear(out_to);
    st_status status = range_build(op, table_id, schema, query, out_from, out_to);
    if (status != ST_OK) {
        st_buf_clear(out_from);
        st_buf_clear(out_to);
    }
    return status;
}

st_status st_key_range(st_op *op, uint32_t table_id, const st_key_schema *schema,
                       const st_value *partition, st_key_condition condition, const st_value *first,
                       const st_value *second, st_buf *out_from, st_buf *out_to)
{
    st_buf_clear(out_from);
    st_buf_clear(out_to);
    if (schema->partition_count != 1) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "HASH key attributes must have equality conditions specified in the query");
    }
    st_key_query query = {
        .partition = partition, .condition = condition, .first = first, .second = second};
    return st_key_range_of(op, table_id, schema, &query, out_from, out_to);
}

/* ---- segments --------------------------------------------------------------------------- */

/* The first bytes of a stripe; stripe 256 is the table behind. */
static void range_stripe_begin(uint32_t table_id, uint32_t stripe, st_buf *out)
{
    uint8_t head[5];
    bool is_behind = stripe >= RANGE_STRIPES;
    st_put_be32(head, table_id + is_behind);
    head[4] = (uint8_t)stripe;
    st_buf_append(out, head, is_behind ? 4 : 5);
}

void st_key_segment(uint32_t table_id, uint32_t segment, uint32_t segment_count, st_buf *out_from,
                    st_buf *out_to)
{
    bool exists = segment < segment_count;
    uint64_t stripes = (uint64_t)segment * RANGE_STRIPES, behind = stripes + RANGE_STRIPES;
    st_buf_clear(out_from);
    st_buf_clear(out_to);
    range_stripe_begin(table_id, exists ? (uint32_t)(stripes / segment_count) : RANGE_STRIPES,
                       out_from);
    range_stripe_begin(table_id, exists ? (uint32_t)(behind / segment_count) : RANGE_STRIPES,
                       out_to);
}
