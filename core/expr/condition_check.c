/* What is known of a condition without an item: types of operands, bounds, operands that must
 * differ; and filling in its placeholders. */
#include "expr/expr_internal.h"

static const char *check_operator(const st_node *node)
{
    switch (node->kind) {
    case ST_NODE_EQUAL:
        return "=";
    case ST_NODE_NOT_EQUAL:
        return "<>";
    case ST_NODE_LESS:
        return "<";
    case ST_NODE_AT_MOST:
        return "<=";
    case ST_NODE_GREATER:
        return ">";
    case ST_NODE_AT_LEAST:
        return ">=";
    case ST_NODE_BETWEEN:
        return "BETWEEN";
    case ST_NODE_IN:
        return "IN";
    case ST_NODE_AND:
        return "AND";
    case ST_NODE_OR:
        return "OR";
    case ST_NODE_NOT:
        return "NOT";
    default:
        return st_expr__function_name(node->function);
    }
}

/* ---- types ------------------------------------------------------------------------------ */

static bool check_is_ordered(st_type type)
{
    return type == ST_TYPE_S || type == ST_TYPE_N || type == ST_TYPE_B;
}

static st_status check_type_error(st_op *op, st_expr_kind kind, const st_node *node, st_type type)
{
    return st_expr__fail(op, kind, node->position,
                         "Incorrect operand type for operator or function; operator or function: "
                         "%s, operand type: %s",
                         check_operator(node), st_type_name(type));
}

/* The values among the operands that have no order. */
static st_status check_ordered(st_op *op, st_expr_kind kind, const st_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        const st_node *child = node->children[i];
        if (child->kind == ST_NODE_VALUE && child->value.type != ST_TYPE_NONE &&
            !check_is_ordered(child->value.type)) {
            return check_type_error(op, kind, node, child->value.type);
        }
    }
    return ST_OK;
}

static st_status check_bounds_error(st_op *op, st_expr_kind kind, const st_node *node,
                                    const char *what)
{
    st_buf low, high;
    st_buf_init(&low, op->alloc);
    st_buf_init(&high, op->alloc);
    st_expr__print_value(&node->children[1]->value, &low);
    st_expr__print_value(&node->children[2]->value, &high);
    st_status status = st_buf_check(op, low.failed ? &low : &high);
    if (status == ST_OK) {
        status = st_expr__fail(op, kind, node->position,
                               "The BETWEEN operator requires %s; lower bound operand: "
                               "AttributeValue: %.*s, upper bound operand: AttributeValue: %.*s",
                               what, (int)low.size, (const char *)low.data, (int)high.size,
                               (const char *)high.data);
    }
    st_buf_deinit(&low);
    st_buf_deinit(&high);
    return status;
}

static st_status check_between(st_op *op, st_expr_kind kind, const st_node *node)
{
    ST_TRY(check_ordered(op, kind, node));
    const st_node *low = node->children[1], *high = node->children[2];
    if (low->kind != ST_NODE_VALUE || high->kind != ST_NODE_VALUE ||
        low->value.type == ST_TYPE_NONE || high->value.type == ST_TYPE_NONE) {
        return ST_OK;
    }
    if (low->value.type != high->value.type) {
        return check_bounds_error(op, kind, node, "same data type for lower and upper bounds");
    }
    if (st_slice_compare(low->value.bytes, high->value.bytes) > 0) {
        return check_bounds_error(op, kind, node,
                                  "upper bound to be greater than or equal to lower bound");
    }
    return ST_OK;
}

static st_status check_distinct(st_op *op, st_expr_kind kind, const st_node *node)
{
    const st_node *first = node->children[0], *second = node->children[1];
    if (first->kind != ST_NODE_PATH || second->kind != ST_NODE_PATH ||
        !st_path_equal(&first->path, &second->path)) {
        return ST_OK;
    }
    st_buf path;
    st_buf_init(&path, op->alloc);
    st_path_print(&first->path, &path);
    st_status status = st_buf_check(op, &path);
    if (status == ST_OK) {
        status = st_expr__fail(op, kind, node->position,
                               "The first operand must be distinct from the remaining operands for "
                               "this operator or function; operator: %s, first operand: %.*s",
                               check_operator(node), (int)path.size, (const char *)path.data);
    }
    st_buf_deinit(&path);
    return status;
}

static st_status check_type_name(st_op *op, st_expr_kind kind, const st_node *node)
{
    const st_value *value = &node->children[1]->value;
    if (node->children[1]->kind != ST_NODE_VALUE) {
        return ST_OK;
    }
    if (value->type == ST_TYPE_NONE) {
        return ST_OK;
    }
    if (value->type != ST_TYPE_S) {
        return check_type_error(op, kind, node, value->type);
    }
    if (st_type_of_name(value->bytes) == ST_TYPE_NONE) {
        return st_expr__fail(op, kind, node->position,
                             "Invalid attribute type name found; type: %.*s, valid types: "
                             "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
                             (int)value->bytes.size, (const char *)value->bytes.data);
    }
    return ST_OK;
}

static st_status check_function(st_op *op, st_expr_kind kind, const st_node *node)
{
    for (uint32_t i = 0; i < node->count && node->function == ST_FUNCTION_BEGINS_WITH; i++) {
        const st_node *child = node->children[i];
        if (child->kind == ST_NODE_VALUE && child->value.type != ST_TYPE_NONE &&
            child->value.type != ST_TYPE_S && child->value.type != ST_TYPE_B) {
            return check_type_error(op, kind, node, child->value.type);
        }
    }
    if (node->function == ST_FUNCTION_TYPE) {
        return check_type_name(op, kind, node);
    }
    return node->count == 2 ? check_distinct(op, kind, node) : ST_OK;
}

static st_status check_size(st_op *op, st_expr_kind kind, const st_node *node)
{
    const st_node *operand = node->children[0];
    bool has_size = operand->kind != ST_NODE_VALUE || operand->value.type == ST_TYPE_NONE ||
                    (operand->value.type != ST_TYPE_N && operand->value.type != ST_TYPE_BOOL &&
                     operand->value.type != ST_TYPE_NULL);
    return has_size ? ST_OK : check_type_error(op, kind, node, operand->value.type);
}

static st_status check_node(st_op *op, st_expr_kind kind, const st_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        ST_TRY(check_node(op, kind, node->children[i]));
    }
    switch (node->kind) {
    case ST_NODE_LESS:
    case ST_NODE_AT_MOST:
    case ST_NODE_GREATER:
    case ST_NODE_AT_LEAST:
        ST_TRY(check_ordered(op, kind, node));
        return check_distinct(op, kind, node);
    case ST_NODE_EQUAL:
    case ST_NODE_NOT_EQUAL:
        return check_distinct(op, kind, node);
    case ST_NODE_BETWEEN:
        return check_between(op, kind, node);
    case ST_NODE_FUNCTION:
        return check_function(op, kind, node);
    case ST_NODE_SIZE:
        return check_size(op, kind, node);
    default:
        return ST_OK;
    }
}

st_status st_condition_check(st_op *op, const st_condition *condition)
{
    return check_node(op, condition->kind, condition->root);
}

/* ---- resolving -------------------------------------------------------------------------- */

static st_status check_resolve(st_op *op, st_expr_kind kind, st_node *node, st_expr_scope *scope)
{
    for (uint32_t i = 0; i < node->count; i++) {
        ST_TRY(check_resolve(op, kind, node->children[i], scope));
    }
    if (node->kind == ST_NODE_PATH) {
        return st_expr__resolve_path(op, kind, &node->path, scope);
    }
    return node->kind == ST_NODE_VALUE && node->placeholder.size > 0
               ? st_expr__resolve_value(op, kind, node->placeholder, scope, &node->value)
               : ST_OK;
}

st_status st_condition_resolve(st_op *op, const st_condition *condition, st_expr_scope *scope)
{
    return check_resolve(op, condition->kind, condition->root, scope);
}

void st_condition_names(const st_node *node, void (*visit)(void *ctx, const st_path *path),
                        void *ctx)
{
    for (uint32_t i = 0; i < node->count; i++) {
        st_condition_names(node->children[i], visit, ctx);
    }
    if (node->kind == ST_NODE_PATH) {
        visit(ctx, &node->path);
    }
}
