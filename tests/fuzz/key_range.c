/* Key conditions. The input is a condition, a number of segments and four relaxed values: the
 * partition, the two values of the condition, and the sort value of some item. The item's key lies
 * in the range exactly when its sort value meets the condition, and keys are ordered like values.
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "item/item.h"

#define RANGE_TABLE_ID 7u

static bool number_of(const st_value *value, st_number *out_number)
{
    st_op op;
    st_op_init(&op, fuzz_alloc());
    bool is_number = value->is_text ? st_number_parse(&op, value->bytes, out_number) == ST_OK
                                    : st_number_decode(value->bytes, out_number);
    st_op_deinit(&op);
    return is_number;
}

static int order_of(const st_value *a, const st_value *b)
{
    st_number x, y;
    if (a->type != ST_TYPE_N) {
        return st_slice_compare(a->bytes, b->bytes);
    }
    FUZZ_CHECK(NULL, number_of(a, &x) && number_of(b, &y));
    return st_number_compare(&x, &y);
}

static void put_member(st_buf *out, char name, const st_value *value)
{
    st_buf_byte(out, 1);
    st_buf_byte(out, (uint8_t)name);
    st_buf_slice(out, value->encoded);
}

static bool make_key(const st_key_schema *schema, const st_value *partition, const st_value *sort,
                     st_buf *out_key)
{
    st_op op;
    st_buf relaxed;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&relaxed, fuzz_alloc());
    st_buf_byte(&relaxed, ST_TAG_M);
    st_buf_u32(&relaxed, 0);
    st_buf_u32(&relaxed, 2);
    put_member(&relaxed, 'p', partition);
    put_member(&relaxed, 's', sort);
    FUZZ_CHECK(&op, !relaxed.failed);
    st_put_u32(relaxed.data + 1, (uint32_t)relaxed.size - 9);
    st_status status =
        st_key_of_request(&op, RANGE_TABLE_ID, schema, st_buf_view(&relaxed), out_key);
    bool is_key = fuzz_is_ok(&op, status, relaxed.size, fuzz_refusals);
    FUZZ_CHECK(&op, !is_key || st_key_is_valid(st_buf_view(out_key), RANGE_TABLE_ID, schema));
    st_buf_deinit(&relaxed);
    st_op_deinit(&op);
    return is_key;
}

static bool is_met(st_key_condition condition, const st_value *sort, const st_value *first,
                   const st_value *second)
{
    switch (condition) {
    case ST_KEY_EQUAL:
        return order_of(sort, first) == 0;
    case ST_KEY_LESS:
        return order_of(sort, first) < 0;
    case ST_KEY_AT_MOST:
        return order_of(sort, first) <= 0;
    case ST_KEY_GREATER:
        return order_of(sort, first) > 0;
    case ST_KEY_AT_LEAST:
        return order_of(sort, first) >= 0;
    case ST_KEY_BETWEEN:
        return order_of(sort, first) >= 0 && order_of(sort, second) <= 0;
    case ST_KEY_BEGINS_WITH:
        return st_slice_starts_with(sort->bytes, first->bytes);
    default:
        return true;
    }
}

/* A scan in so many segments meets the key once. */
static void check_segments(st_slice key, uint32_t segments)
{
    st_buf from, to;
    st_buf_init(&from, fuzz_alloc());
    st_buf_init(&to, fuzz_alloc());
    uint32_t met = 0;
    for (uint32_t i = 0; i < segments; i++) {
        st_key_segment(RANGE_TABLE_ID, i, segments, &from, &to);
        FUZZ_CHECK(NULL, !from.failed && !to.failed);
        met += st_slice_compare(key, st_buf_view(&from)) >= 0 &&
               st_slice_compare(key, st_buf_view(&to)) < 0;
    }
    FUZZ_CHECK(NULL, met == 1);
    st_buf_deinit(&to);
    st_buf_deinit(&from);
}

static int sign_of(int order)
{
    return (order > 0) - (order < 0);
}

static void check_range(const st_key_schema *schema, st_key_condition condition, uint32_t segments,
                        const st_value *values)
{
    st_op op;
    st_buf from, to, key, other;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&from, fuzz_alloc());
    st_buf_init(&to, fuzz_alloc());
    st_buf_init(&key, fuzz_alloc());
    st_buf_init(&other, fuzz_alloc());
    bool is_key = make_key(schema, &values[0], &values[3], &key);
    if (is_key) {
        check_segments(st_buf_view(&key), segments);
    }
    if (is_key && values[1].type == values[3].type &&
        make_key(schema, &values[0], &values[1], &other)) {
        int order = st_slice_compare(st_buf_view(&key), st_buf_view(&other));
        FUZZ_CHECK(&op, sign_of(order) == sign_of(order_of(&values[3], &values[1])));
    }
    st_status status = st_key_range(&op, RANGE_TABLE_ID, schema, &values[0], condition, &values[1],
                                    condition == ST_KEY_BETWEEN ? &values[2] : NULL, &from, &to);
    if (fuzz_is_ok(&op, status, SIZE_MAX / 2, fuzz_refusals)) {
        FUZZ_CHECK(&op, st_slice_compare(st_buf_view(&from), st_buf_view(&to)) < 0);
        if (is_key) {
            bool is_inside = st_slice_compare(st_buf_view(&key), st_buf_view(&from)) >= 0 &&
                             st_slice_compare(st_buf_view(&key), st_buf_view(&to)) < 0;
            FUZZ_CHECK(&op, is_inside == is_met(condition, &values[3], &values[1], &values[2]));
        }
    }
    st_buf_deinit(&other);
    st_buf_deinit(&key);
    st_buf_deinit(&to);
    st_buf_deinit(&from);
    st_op_deinit(&op);
}

static bool is_key_type(st_type type)
{
    return type == ST_TYPE_S || type == ST_TYPE_N || type == ST_TYPE_B;
}

void fuzz_target(st_slice input)
{
    st_key_condition condition = (st_key_condition)(fuzz_take_byte(&input) % 8);
    uint32_t segments = fuzz_take_byte(&input) % 16 * 25 + 1;
    st_reader reader = st_reader_of(input);
    st_value values[4];
    memset(values, 0, sizeof values);
    for (size_t i = 0; i < 4; i++) {
        if (!st_value_read(&reader, &values[i])) {
            return;
        }
    }
    if (is_key_type(values[0].type) && is_key_type(values[3].type)) {
        st_key_schema schema = {.partition_count = 1, .sort_count = 1};
        schema.partition[0] = (st_key_part){st_slice_str("p"), values[0].type};
        schema.sort[0] = (st_key_part){st_slice_str("s"), values[3].type};
        check_range(&schema, condition, segments, values);
    }
}
