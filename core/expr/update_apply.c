/* Applying an update to an item.
 *
 * Every operand reads the item as it was. So all new values are computed first, and a wrong operand
 * is told before a wrong path; then they are put in their places, which do not overlap.
 */
#include "expr/document_internal.h"

#include <string.h>

/* New values that are so large in their encoded form make no item: a byte of the service's measure
 * takes less than ten of it. Nothing is built of them, since one request can name one attribute
 * hundreds of times. */
#define APPLY_BYTES_MAX (16u * (size_t)ST_ITEM_BYTES_MAX)

#define APPLY_WRONG_TYPE "An operand in the update expression has an incorrect data type"

static st_status apply_wrong_type(st_op *op)
{
    return st_fail(op, ST_INVALID_ARGUMENT, APPLY_WRONG_TYPE);
}

/* What was written to the buffer, as a value in the arena. */
static st_status apply_keep(st_op *op, st_buf *encoded, st_value *out_value)
{
    st_status status = st_buf_check(op, encoded);
    uint8_t *copy = status == ST_OK ? st_arena_alloc(&op->arena, encoded->size) : NULL;
    if (status == ST_OK && !copy) {
        status = st_fail_memory(op, encoded->size);
    }
    if (status == ST_OK) {
        memcpy(copy, encoded->data, encoded->size);
        (void)st_value_of(st_slice_of(copy, encoded->size), out_value);
    }
    st_buf_deinit(encoded);
    return status;
}

/* ---- numbers ---------------------------------------------------------------------------- */

static st_status apply_arithmetic(st_op *op, bool is_plus, const st_value *left,
                                  const st_value *right, st_value *out_value)
{
    st_number a, b, result;
    if (left->type != ST_TYPE_N || right->type != ST_TYPE_N || !st_number_decode(left->bytes, &a) ||
        !st_number_decode(right->bytes, &b)) {
        return apply_wrong_type(op);
    }
    ST_TRY(is_plus ? st_number_add(op, &a, &b, &result) : st_number_subtract(op, &a, &b, &result));
    uint8_t *encoded = st_arena_alloc(&op->arena, ST_NUMBER_BYTES_MAX + 2);
    if (!encoded) {
        return st_fail_memory(op, ST_NUMBER_BYTES_MAX + 2);
    }
    size_t bytes = st_number_encode(&result, encoded + 2);
    encoded[0] = ST_TAG_N;
    encoded[1] = (uint8_t)bytes;
    (void)st_value_of(st_slice_of(encoded, bytes + 2), out_value);
    return ST_OK;
}

/* ---- lists and sets --------------------------------------------------------------------- */

static st_status apply_append(st_op *op, const st_value *left, const st_value *right,
                              st_value *out_value)
{
    if (left->type != ST_TYPE_L || right->type != ST_TYPE_L) {
        return apply_wrong_type(op);
    }
    st_buf out;
    st_buf_init(&out, op->alloc);
    size_t begin = st_document__begin(&out, ST_TAG_L);
    st_buf_slice(&out, left->bytes);
    st_buf_slice(&out, right->bytes);
    st_document__end(&out, begin, left->count + right->count);
    return apply_keep(op, &out, out_value);
}

static void apply_member(st_buf *out, st_slice member, uint32_t *count)
{
    st_buf_varint(out, member.size);
    st_buf_slice(out, member);
    (*count)++;
}

/* The members of both, or those of the first that the second lacks; both are sorted. */
static st_status apply_merge(st_op *op, bool is_union, const st_value *first,
                             const st_value *second, st_value *out_value)
{
    st_buf out;
    st_buf_init(&out, op->alloc);
    size_t begin = st_document__begin(&out, first->encoded.data[0]);
    uint32_t count = 0;
    st_members a = st_members_of(first), b = st_members_of(second);
    st_slice name;
    st_value x, y;
    bool has_x = st_members_next(&a, &name, &x), has_y = st_members_next(&b, &name, &y);
    while (has_x || has_y) {
        int order = !has_y ? -1 : !has_x ? 1 : st_slice_compare(x.bytes, y.bytes);
        if (order < 0 || (order == 0 && is_union)) {
            apply_member(&out, x.bytes, &count);
        } else if (order > 0 && is_union) {
            apply_member(&out, y.bytes, &count);
        }
        has_x = order <= 0 ? st_members_next(&a, &name, &x) : has_x;
        has_y = order >= 0 ? st_members_next(&b, &name, &y) : has_y;
    }
    st_document__end(&out, begin, count);
    if (count > 0) {
        return apply_keep(op, &out, out_value);
    }
    st_buf_deinit(&out);
    *out_value = (st_value){0}; /* an emptied set vanishes */
    return ST_OK;
}

static bool apply_is_set(st_type type)
{
    return type == ST_TYPE_SS || type == ST_TYPE_NS || type == ST_TYPE_BS;
}

/* ---- actions ---------------------------------------------------------------------------- */

static st_status apply_operand(st_op *op, const st_operand *operand, st_slice old,
                               st_value *out_value)
{
    st_value left, right;
    *out_value = (st_value){0};
    switch (operand->kind) {
    case ST_OPERAND_VALUE:
        *out_value = operand->value;
        return ST_OK;
    case ST_OPERAND_PATH:
        *out_value = st_path_find(&operand->path, old);
        return out_value->type != ST_TYPE_NONE
                   ? ST_OK
                   : st_fail(
                         op, ST_INVALID_ARGUMENT,
                         "The provided expression refers to an attribute that does not exist in "
                         "the item");
    case ST_OPERAND_IF_NOT_EXISTS:
        *out_value = st_path_find(&operand->left->path, old);
        return out_value->type != ST_TYPE_NONE ? ST_OK
                                               : apply_operand(op, operand->right, old, out_value);
    case ST_OPERAND_SET_ADD:
    case ST_OPERAND_SET_DELETE:
        left = st_path_find(&operand->left->path, old);
        ST_TRY(apply_operand(op, operand->right, old, &right));
        if (left.type == ST_TYPE_NONE) {
            *out_value = operand->kind == ST_OPERAND_SET_ADD ? right : left;
            return ST_OK;
        }
        return left.type == right.type && apply_is_set(left.type)
                   ? apply_merge(op, operand->kind == ST_OPERAND_SET_ADD, &left, &right, out_value)
                   : apply_wrong_type(op);
    default:
        break;
    }
    ST_TRY(apply_operand(op, operand->left, old, &left));
    ST_TRY(apply_operand(op, operand->right, old, &right));
    return operand->kind == ST_OPERAND_LIST_APPEND
               ? apply_append(op, &left, &right, out_value)
               : apply_arithmetic(op, operand->kind == ST_OPERAND_PLUS, &left, &right, out_value);
}

static st_status apply_add(st_op *op, const st_action *action, const st_value *old,
                           st_value *out_value)
{
    const st_value *value = &action->operand->value;
    if (old->type == ST_TYPE_NONE) {
        *out_value = *value;
        return ST_OK;
    }
    if (old->type != value->type) {
        return apply_wrong_type(op);
    }
    if (old->type == ST_TYPE_N) {
        return apply_arithmetic(op, true, old, value, out_value);
    }
    return old->type == ST_TYPE_L ? apply_append(op, old, value, out_value)
                                  : apply_merge(op, true, old, value, out_value);
}

/* The value to put at the action's path; type NONE: remove it. */
static st_status apply_value(st_op *op, const st_action *action, st_slice old, st_value *out_value)
{
    *out_value = (st_value){0};
    if (action->kind == ST_ACTION_SET) {
        return apply_operand(op, action->operand, old, out_value);
    }
    if (action->kind == ST_ACTION_REMOVE) {
        return ST_OK;
    }
    st_value before = st_path_find(&action->path, old);
    if (action->kind == ST_ACTION_ADD) {
        return apply_add(op, action, &before, out_value);
    }
    if (before.type == ST_TYPE_NONE) {
        return ST_OK; /* nothing to take away; but its path must be a possible one */
    }
    return before.type == action->operand->value.type
               ? apply_merge(op, false, &before, &action->operand->value, out_value)
               : apply_wrong_type(op);
}

st_status st_update_apply(st_op *op, const st_update *update, st_slice old, st_slice base,
                          st_buf *out_relaxed)
{
    size_t bytes = ((size_t)update->action_count + 1) * sizeof(st_value); /* there may be none */
    st_value *values = st_arena_alloc(&op->arena, bytes);
    st_document *document;
    if (!values) {
        return st_fail_memory(op, bytes);
    }
    uint32_t i = 0;
    size_t size = 0;
    for (const st_action *action = update->actions; action; action = action->next) {
        ST_TRY(apply_value(op, action, old, &values[i]));
        size += values[i++].encoded.size;
        if (size > APPLY_BYTES_MAX) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "Item size to update has exceeded the maximum allowed size");
        }
    }
    ST_TRY(st_document__create(op, base, &document));
    i = 0;
    for (const st_action *action = update->actions; action; action = action->next) {
        ST_TRY(st_document__put(op, document, &action->path, &values[i++]));
    }
    st_document__write(document, out_relaxed);
    return st_buf_check(op, out_relaxed);
}
