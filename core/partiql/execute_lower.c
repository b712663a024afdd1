/* From the terms of a statement to conditions and updates of expr. What PartiQL has besides: rows
 * of AND and OR with more than two operands, IS, and conditions as operands, which are booleans.
 */
#include "partiql/execute_internal.h"

#include <string.h>

st_status st_partiql__copy(st_op *op, st_slice bytes, st_slice *out)
{
    *out = (st_slice){0};
    uint8_t *copy = st_partiql__alloc(op, bytes.size + 1, 1);
    if (!copy) {
        return ST_NO_MEMORY;
    }
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    *out = st_slice_of(copy, bytes.size);
    return ST_OK;
}

st_status st_partiql__keep(st_op *op, const st_buf *bytes, st_slice *out)
{
    *out = (st_slice){0};
    ST_TRY(st_buf_check(op, bytes));
    return st_partiql__copy(op, st_buf_view(bytes), out);
}

st_status st_partiql__lower_path(st_op *op, const st_partiql_path *path, st_path *out_path)
{
    *out_path = (st_path){0};
    st_path_step *steps = st_partiql__alloc(op, path->count, sizeof *steps);
    if (!steps) {
        return ST_NO_MEMORY;
    }
    for (uint32_t i = 0; i < path->count; i++) {
        steps[i] = (st_path_step){.is_index = path->steps[i].is_index,
                                  .index = path->steps[i].index,
                                  .name = path->steps[i].name,
                                  .position = -1};
    }
    *out_path = (st_path){.steps = steps, .count = path->count};
    return ST_OK;
}

/* A parameter may be nested one deeper than what an item holds. It stays as it came: nothing stored
 * is equal to it, and an update that stores it is refused for its depth. */
st_status st_partiql__lower_value(st_op *op, st_slice relaxed, st_value *out_value)
{
    st_buf canonical;
    st_slice kept;
    *out_value = (st_value){0};
    st_buf_init(&canonical, op->alloc);
    st_status status = st_value_canonicalize(op, relaxed, &canonical);
    if (status == ST_OK) {
        status = st_partiql__keep(op, &canonical, &kept);
    }
    bool is_deep = status == ST_INVALID_ARGUMENT &&
                   st_slice_starts_with(st_op_message(op), st_slice_str("Nesting Levels "));
    if (is_deep) {
        st_op_clear(op);
        status = st_partiql__copy(op, relaxed, &kept);
    }
    if (status == ST_OK) {
        (void)st_value_of(kept, out_value);
    }
    st_buf_deinit(&canonical);
    return status;
}

/* ---- conditions ------------------------------------------------------------------------- */

static st_status lower_node(st_op *op, st_node_kind kind, uint32_t count, st_node **out_node)
{
    *out_node = st_node_new(op, kind, count);
    return *out_node ? ST_OK : st_fail_memory(op, sizeof **out_node);
}

/* Two operands each, the rest behind the first. */
static st_status lower_row(st_op *op, const st_partiql_node *row, st_node **out_node)
{
    st_node_kind kind = row->kind == ST_PARTIQL_AND ? ST_NODE_AND : ST_NODE_OR;
    st_node **place = out_node;
    for (uint32_t i = 0; i + 1 < row->count; i++) {
        ST_TRY(lower_node(op, kind, 2, place));
        ST_TRY(st_partiql__lower_condition(op, &row->operands[i], &(*place)->children[0]));
        place = &(*place)->children[1];
    }
    return st_partiql__lower_condition(op, &row->operands[row->count - 1], place);
}

static st_status lower_is(st_op *op, const st_partiql_node *node, st_node **out_node)
{
    bool is_missing = node->type == ST_TYPE_NONE;
    ST_TRY(lower_node(op, ST_NODE_FUNCTION, is_missing ? 1 : 2, out_node));
    (*out_node)->function = is_missing ? ST_FUNCTION_NOT_EXISTS : ST_FUNCTION_TYPE;
    ST_TRY(st_partiql__lower_condition(op, &node->operands[0], &(*out_node)->children[0]));
    if (is_missing) {
        return ST_OK;
    }
    ST_TRY(lower_node(op, ST_NODE_VALUE, 0, &(*out_node)->children[1]));
    (*out_node)->children[1]->value =
        (st_value){.type = ST_TYPE_S, .bytes = st_slice_str(st_type_name(node->type))};
    return ST_OK;
}

static st_node_kind lower_kind(st_partiql_kind kind, st_function *out_function)
{
    *out_function = ST_FUNCTION_NONE;
    switch (kind) {
    case ST_PARTIQL_NOT:
        return ST_NODE_NOT;
    case ST_PARTIQL_EQUAL:
        return ST_NODE_EQUAL;
    case ST_PARTIQL_NOT_EQUAL:
        return ST_NODE_NOT_EQUAL;
    case ST_PARTIQL_LESS:
        return ST_NODE_LESS;
    case ST_PARTIQL_AT_MOST:
        return ST_NODE_AT_MOST;
    case ST_PARTIQL_GREATER:
        return ST_NODE_GREATER;
    case ST_PARTIQL_AT_LEAST:
        return ST_NODE_AT_LEAST;
    case ST_PARTIQL_BETWEEN:
        return ST_NODE_BETWEEN;
    case ST_PARTIQL_IN:
        return ST_NODE_IN;
    case ST_PARTIQL_SIZE:
        *out_function = ST_FUNCTION_SIZE;
        return ST_NODE_SIZE;
    case ST_PARTIQL_ATTRIBUTE_EXISTS:
        *out_function = ST_FUNCTION_EXISTS;
        return ST_NODE_FUNCTION;
    case ST_PARTIQL_ATTRIBUTE_NOT_EXISTS:
        *out_function = ST_FUNCTION_NOT_EXISTS;
        return ST_NODE_FUNCTION;
    case ST_PARTIQL_ATTRIBUTE_TYPE:
        *out_function = ST_FUNCTION_TYPE;
        return ST_NODE_FUNCTION;
    case ST_PARTIQL_BEGINS_WITH:
        *out_function = ST_FUNCTION_BEGINS_WITH;
        return ST_NODE_FUNCTION;
    default:
        *out_function = ST_FUNCTION_CONTAINS;
        return ST_NODE_FUNCTION;
    }
}

st_status st_partiql__lower_condition(st_op *op, const st_partiql_node *node, st_node **out_node)
{
    st_function function;
    switch (node->kind) {
    case ST_PARTIQL_VALUE:
        ST_TRY(lower_node(op, ST_NODE_VALUE, 0, out_node));
        return st_partiql__lower_value(op, node->value, &(*out_node)->value);
    case ST_PARTIQL_PATH:
        ST_TRY(lower_node(op, ST_NODE_PATH, 0, out_node));
        return st_partiql__lower_path(op, &node->path, &(*out_node)->path);
    case ST_PARTIQL_AND:
    case ST_PARTIQL_OR:
        return lower_row(op, node, out_node);
    case ST_PARTIQL_IS:
        return lower_is(op, node, out_node);
    default:
        break;
    }
    st_node_kind kind = lower_kind(node->kind, &function);
    ST_TRY(lower_node(op, kind, node->count, out_node));
    (*out_node)->function = function;
    for (uint32_t i = 0; i < node->count; i++) {
        ST_TRY(st_partiql__lower_condition(op, &node->operands[i], &(*out_node)->children[i]));
    }
    return ST_OK;
}

/* ---- updates ---------------------------------------------------------------------------- */

static st_operand_kind lower_operand_kind(st_partiql_kind kind)
{
    switch (kind) {
    case ST_PARTIQL_PATH:
        return ST_OPERAND_PATH;
    case ST_PARTIQL_PLUS:
        return ST_OPERAND_PLUS;
    case ST_PARTIQL_MINUS:
        return ST_OPERAND_MINUS;
    case ST_PARTIQL_IF_NOT_EXISTS:
        return ST_OPERAND_IF_NOT_EXISTS;
    case ST_PARTIQL_LIST_APPEND:
        return ST_OPERAND_LIST_APPEND;
    case ST_PARTIQL_SET_ADD:
        return ST_OPERAND_SET_ADD;
    case ST_PARTIQL_SET_DELETE:
        return ST_OPERAND_SET_DELETE;
    default:
        return ST_OPERAND_VALUE;
    }
}

static st_status lower_operand(st_op *op, const st_partiql_node *node, st_operand **out_operand)
{
    st_operand *operand = st_partiql__alloc(op, 1, sizeof *operand);
    *out_operand = operand;
    if (!operand) {
        return ST_NO_MEMORY;
    }
    operand->kind = lower_operand_kind(node->kind);
    operand->position = -1;
    if (operand->kind == ST_OPERAND_VALUE) {
        return st_partiql__lower_value(op, node->value, &operand->value);
    }
    if (operand->kind == ST_OPERAND_PATH) {
        return st_partiql__lower_path(op, &node->path, &operand->path);
    }
    ST_TRY(lower_operand(op, &node->operands[0], &operand->left));
    return lower_operand(op, &node->operands[1], &operand->right);
}

st_status st_partiql__lower_update(st_op *op, const st_partiql_statement *statement,
                                   st_update *out_update)
{
    uint32_t set_count = statement->assignment_count;
    uint32_t count = set_count + statement->removal_count;
    st_action *actions = st_partiql__alloc(op, (size_t)count + 1, sizeof *actions);
    *out_update = (st_update){.action_count = count, .is_resolved = true};
    if (!actions) {
        return ST_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        const st_partiql_path *path =
            i < set_count ? &statement->assignments[i].path : &statement->removals[i - set_count];
        actions[i].kind = i < set_count ? ST_ACTION_SET : ST_ACTION_REMOVE;
        actions[i].next = i > 0 ? &actions[i - 1] : NULL;
        ST_TRY(st_partiql__lower_path(op, path, &actions[i].path));
        if (i < set_count) {
            ST_TRY(lower_operand(op, &statement->assignments[i].value, &actions[i].operand));
        }
    }
    /* Checked last first: of two paths that overlap the service names the later one first. */
    out_update->actions = count > 0 ? &actions[count - 1] : NULL;
    ST_TRY(st_update_check(op, out_update));
    for (uint32_t i = 0; i < count; i++) {
        actions[i].next = i + 1 < count ? &actions[i + 1] : NULL;
    }
    out_update->actions = count > 0 ? actions : NULL;
    return ST_OK;
}
