/* Judging a condition against an item.
 *
 * Values in canonical frames are equal exactly when their bytes are, and S, N and B are ordered as
 * their bytes are: so no comparison decodes anything. A comparison with a missing attribute is
 * false, "<>" is true; different types are unequal and have no order.
 */
#include "expr/expr_internal.h"

#include <stdio.h>
#include <string.h>

/* An operand's value; a size is made here. */
typedef struct eval_operand {
    st_value value;
    uint8_t size_form[ST_NUMBER_BYTES_MAX];
} eval_operand;

/* ---- values ----------------------------------------------------------------------------- */

bool st_expr__values_equal(const st_value *a, const st_value *b)
{
    if (a->type != b->type || a->type == ST_TYPE_NONE) {
        return false;
    }
    switch (a->type) {
    case ST_TYPE_BOOL:
        return a->boolean == b->boolean;
    case ST_TYPE_NULL:
        return true;
    default:
        return a->count == b->count && st_slice_equal(a->bytes, b->bytes);
    }
}

/* UTF-16 units, as the service counts a string. */
static uint64_t eval_utf16_units(st_slice text)
{
    uint64_t units = 0;
    for (size_t i = 0; i < text.size; i++) {
        units += (text.data[i] & 0xc0) != 0x80;
        units += text.data[i] >= 0xf0;
    }
    return units;
}

static bool eval_size(const st_value *value, uint64_t *out_size)
{
    switch (value->type) {
    case ST_TYPE_S:
        *out_size = eval_utf16_units(value->bytes);
        return true;
    case ST_TYPE_B:
        *out_size = value->bytes.size;
        return true;
    case ST_TYPE_SS:
    case ST_TYPE_NS:
    case ST_TYPE_BS:
    case ST_TYPE_L:
    case ST_TYPE_M:
        *out_size = value->count;
        return true;
    default:
        return false;
    }
}

static void eval_number(uint64_t size, eval_operand *out)
{
    uint8_t digits[20];
    size_t count = 0, zeros = 0;
    for (uint64_t left = size; left > 0; left /= 10) {
        digits[count++] = (uint8_t)(left % 10); /* the last comes first */
    }
    while (zeros < count && digits[zeros] == 0) {
        zeros++;
    }
    st_number number = {.digit_count = (uint8_t)(count - zeros),
                        .exponent = (int16_t)(count > 0 ? count - 1 : 0)};
    for (size_t i = 0; i < number.digit_count; i++) {
        number.digits[i] = digits[count - 1 - i];
    }
    size_t form = st_number_encode(&number, out->size_form);
    out->value = (st_value){.type = ST_TYPE_N, .bytes = st_slice_of(out->size_form, form)};
}

/* A condition as an operand, which only PartiQL has, is a boolean. */
static void eval_operand_of(const st_node *node, st_slice frame, eval_operand *out)
{
    out->value = (st_value){0};
    if (node->kind == ST_NODE_VALUE) {
        out->value = node->value;
    } else if (node->kind == ST_NODE_PATH) {
        out->value = st_path_find(&node->path, frame);
    } else if (node->kind == ST_NODE_SIZE) {
        eval_operand of;
        uint64_t size;
        eval_operand_of(node->children[0], frame, &of);
        if (eval_size(&of.value, &size)) {
            eval_number(size, out);
        }
    } else {
        out->value = (st_value){.type = ST_TYPE_BOOL, .boolean = st_node_is_true(node, frame)};
    }
}

/* ---- comparisons ------------------------------------------------------------------------ */

static bool eval_has_order(const st_value *a, const st_value *b)
{
    return a->type == b->type &&
           (a->type == ST_TYPE_S || a->type == ST_TYPE_N || a->type == ST_TYPE_B);
}

static bool eval_compare(st_node_kind kind, const st_value *a, const st_value *b)
{
    if (kind == ST_NODE_EQUAL) {
        return st_expr__values_equal(a, b);
    }
    if (kind == ST_NODE_NOT_EQUAL) {
        return !st_expr__values_equal(a, b);
    }
    if (!eval_has_order(a, b)) {
        return false;
    }
    int order = st_slice_compare(a->bytes, b->bytes);
    switch (kind) {
    case ST_NODE_LESS:
        return order < 0;
    case ST_NODE_AT_MOST:
        return order <= 0;
    case ST_NODE_GREATER:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool eval_between(const st_node *node, st_slice frame)
{
    eval_operand operands[3];
    for (int i = 0; i < 3; i++) {
        eval_operand_of(node->children[i], frame, &operands[i]);
    }
    return eval_compare(ST_NODE_AT_LEAST, &operands[0].value, &operands[1].value) &&
           eval_compare(ST_NODE_AT_MOST, &operands[0].value, &operands[2].value);
}

static bool eval_in(const st_node *node, st_slice frame)
{
    eval_operand left, right;
    eval_operand_of(node->children[0], frame, &left);
    for (uint32_t i = 1; i < node->count; i++) {
        eval_operand_of(node->children[i], frame, &right);
        if (st_expr__values_equal(&left.value, &right.value)) {
            return true;
        }
    }
    return false;
}

/* ---- functions -------------------------------------------------------------------------- */

static bool eval_holds_bytes(st_slice in, st_slice part)
{
    if (part.size == 0) {
        return true;
    }
    for (size_t at = 0; at + part.size <= in.size; at++) {
        const uint8_t *found = memchr(in.data + at, part.data[0], in.size - part.size - at + 1);
        if (!found) {
            return false;
        }
        at = (size_t)(found - in.data);
        if (memcmp(found, part.data, part.size) == 0) {
            return true;
        }
    }
    return false;
}

static bool eval_contains(const st_value *in, const st_value *part)
{
    if (in->type == ST_TYPE_S || in->type == ST_TYPE_B) {
        return part->type == in->type && eval_holds_bytes(in->bytes, part->bytes);
    }
    st_members walk = st_members_of(in);
    st_slice name;
    st_value member;
    while (in->type != ST_TYPE_M && st_members_next(&walk, &name, &member)) {
        if (st_expr__values_equal(&member, part)) {
            return true;
        }
    }
    return false;
}

static bool eval_function(const st_node *node, st_slice frame)
{
    eval_operand first, second;
    eval_operand_of(node->children[0], frame, &first);
    switch (node->function) {
    case ST_FUNCTION_EXISTS:
        return first.value.type != ST_TYPE_NONE;
    case ST_FUNCTION_NOT_EXISTS:
        return first.value.type == ST_TYPE_NONE;
    default:
        break;
    }
    eval_operand_of(node->children[1], frame, &second);
    switch (node->function) {
    case ST_FUNCTION_TYPE:
        return first.value.type != ST_TYPE_NONE && second.value.type == ST_TYPE_S &&
               st_type_of_name(second.value.bytes) == first.value.type;
    case ST_FUNCTION_BEGINS_WITH:
        return first.value.type == second.value.type &&
               (first.value.type == ST_TYPE_S || first.value.type == ST_TYPE_B) &&
               st_slice_starts_with(first.value.bytes, second.value.bytes);
    case ST_FUNCTION_CONTAINS:
        return second.value.type != ST_TYPE_NONE && eval_contains(&first.value, &second.value);
    default:
        return false;
    }
}

/* ---- the tree --------------------------------------------------------------------------- */

/* Kept out of st_node_is_true, whose frame is on the stack once for every group in a group. */
static __attribute__((noinline)) bool eval_test(const st_node *node, st_slice frame)
{
    eval_operand left, right;
    switch (node->kind) {
    case ST_NODE_BETWEEN:
        return eval_between(node, frame);
    case ST_NODE_IN:
        return eval_in(node, frame);
    case ST_NODE_FUNCTION:
        return eval_function(node, frame);
    case ST_NODE_PATH:
    case ST_NODE_VALUE:
    case ST_NODE_SIZE:
        return false;
    default:
        eval_operand_of(node->children[0], frame, &left);
        eval_operand_of(node->children[1], frame, &right);
        return eval_compare(node->kind, &left.value, &right.value);
    }
}

bool st_node_is_true(const st_node *node, st_slice frame)
{
    for (bool is_wanted = true;;) {
        switch (node->kind) {
        case ST_NODE_AND:
        case ST_NODE_OR:
            if (st_node_is_true(node->children[0], frame) == (node->kind == ST_NODE_OR)) {
                return (node->kind == ST_NODE_OR) == is_wanted;
            }
            node = node->children[1];
            break;
        case ST_NODE_NOT:
            is_wanted = !is_wanted;
            node = node->children[0];
            break;
        default:
            return eval_test(node, frame) == is_wanted;
        }
    }
}

bool st_condition_is_met(const st_condition *condition, st_slice frame)
{
    return st_node_is_true(condition->root, frame);
}

/* ---- printing --------------------------------------------------------------------------- */

void st_expr__print_value(const st_value *value, st_buf *out)
{
    char text[ST_NUMBER_TEXT_MAX];
    st_number number;
    st_buf_byte(out, '{');
    st_buf_slice(out, st_slice_str(st_type_name(value->type)));
    st_buf_byte(out, ':');
    if (value->type == ST_TYPE_N && st_number_decode(value->bytes, &number)) {
        st_buf_append(out, text, st_number_text(&number, text));
    } else if (value->type == ST_TYPE_B) {
        int size = snprintf(text, sizeof text, "java.nio.HeapByteBuffer[pos=0 lim=%zu cap=%zu]",
                            value->bytes.size, value->bytes.size);
        st_buf_append(out, text, (size_t)size);
    } else {
        st_buf_slice(out, value->bytes);
    }
    st_buf_byte(out, '}');
}
