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
    default:
        return st_expr__function_name(node->function);
    }
}

/* ---- types ------------------------------------------------------------------------------ */

/* As far as it is known without an item. */
static st_type check_type_of(const st_node *node)
{
    return node->kind == ST_NODE_SIZE ? ST_TYPE_N : node->value.type;
}

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

/* Operands that are known and have no order. */
static st_status check_ordered(st_op *op, st_expr_kind kind, const st_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        st_type type = check_type_of(node->children[i]);
        if (type != ST_TYPE_NONE && !check_is_ordered(type)) {
            return check_type_error(op, kind, node, type);
        }
    }
    return ST_OK;
}

/* The first operand, a path, among the others. */
static st_status check_distinct(st_op *op, st_expr_kind kind, const st_node *node)
{
    const st_node *first = node->children[0];
    uint32_t i = 1;
    while (i < node->count && (node->children[i]->kind != ST_NODE_PATH ||
                               !st_path_equal(&first->path, &node->children[i]->path))) {
        i++;
    }
    if (first->kind != ST_NODE_PATH || i >= node->count) {
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

/* ---- functions -------------------------------------------------------------------------- */

/* The lists are as the service prints them: conditions are checked by a newer layer of it than the
 * other kinds are. */
static st_status check_type_name(st_op *op, st_expr_kind kind, const st_node *node)
{
    const st_node *operand = node->children[1];
    bool is_new = kind == ST_EXPR_CONDITION;
    if (operand->kind == ST_NODE_PATH) {
        return st_expr__fail(
            op, kind, node->position,
            "Incorrect operand type for operator or function; operator or function: "
            "attribute_type, operand type: %s",
            is_new ? "{S,SS,N,NS,B,BS,BOOL,NULL,L,M,HD,DOUBLE,FLOAT,HDS,FS,DOUBLESET,DICT,DECIMAL,"
                     "INT,DECIMALSET,INTSET}"
                   : "{SS,M,DECIMAL,DOUBLESET,HDS,N,B,DICT,INTSET,BOOL,HD,BS,INT,DECIMALSET,NULL,"
                     "FLOAT,FS,S,L,NS,DOUBLE}");
    }
    st_type type = check_type_of(operand);
    if (type != ST_TYPE_S) {
        return type == ST_TYPE_NONE ? ST_OK : check_type_error(op, kind, node, type);
    }
    if (st_type_of_name(operand->value.bytes) == ST_TYPE_NONE) {
        return st_expr__fail(
            op, kind, node->position,
            "Invalid attribute type name found; type: %.*s, valid types: %s",
            (int)operand->value.bytes.size, (const char *)operand->value.bytes.data,
            is_new ? "{S,SS,N,NS,B,BS,BOOL,NULL,L,M}" : "{N,BS,L,B,NULL,M,S,SS,NS,BOOL}");
    }
    return ST_OK;
}

static st_status check_function(st_op *op, st_expr_kind kind, const st_node *node)
{
    st_function function = node->function;
    if ((function == ST_FUNCTION_EXISTS || function == ST_FUNCTION_NOT_EXISTS ||
         function == ST_FUNCTION_TYPE) &&
        node->children[0]->kind != ST_NODE_PATH) {
        return st_expr__fail(op, kind, node->position,
                             "Operator or function requires a document path; operator or function: "
                             "%s",
                             st_expr__function_name(function));
    }
    ST_TRY(check_distinct(op, kind, node));
    if (function == ST_FUNCTION_TYPE) {
        return check_type_name(op, kind, node);
    }
    for (uint32_t i = 0; i < node->count && function == ST_FUNCTION_BEGINS_WITH; i++) {
        st_type type = check_type_of(node->children[i]);
        if (type != ST_TYPE_NONE && type != ST_TYPE_S && type != ST_TYPE_B) {
            return check_type_error(op, kind, node, type);
        }
    }
    return ST_OK;
}

static st_status check_size(st_op *op, st_expr_kind kind, const st_node *node)
{
    st_type type = check_type_of(node->children[0]);
    bool is_bare = type == ST_TYPE_N || type == ST_TYPE_BOOL || type == ST_TYPE_NULL;
    return is_bare ? check_type_error(op, kind, node, type) : ST_OK;
}

/* ---- the tree --------------------------------------------------------------------------- */

st_status st_expr__check_node(st_op *op, st_expr_kind kind, const st_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->children[i]->count > 0) {
            ST_TRY(st_expr__check_node(op, kind, node->children[i]));
        }
    }
    switch (node->kind) {
    case ST_NODE_LESS:
    case ST_NODE_AT_MOST:
    case ST_NODE_GREATER:
    case ST_NODE_AT_LEAST:
        ST_TRY(check_distinct(op, kind, node));
        return check_ordered(op, kind, node);
    case ST_NODE_EQUAL:
    case ST_NODE_NOT_EQUAL:
    case ST_NODE_IN:
        return check_distinct(op, kind, node);
    case ST_NODE_BETWEEN:
        ST_TRY(check_distinct(op, kind, node));
        ST_TRY(check_ordered(op, kind, node));
        return check_between(op, kind, node);
    case ST_NODE_FUNCTION:
        return check_function(op, kind, node);
    case ST_NODE_SIZE:
        return check_size(op, kind, node);
    default:
        return ST_OK;
    }
}

/* Bounds are told before the types of anything else. */
static st_status check_bounds(st_op *op, st_expr_kind kind, const st_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->children[i]->count > 0) {
            ST_TRY(check_bounds(op, kind, node->children[i]));
        }
    }
    return node->kind == ST_NODE_BETWEEN ? check_between(op, kind, node) : ST_OK;
}

st_status st_condition_check(st_op *op, const st_condition *condition)
{
    if (condition->kind == ST_EXPR_KEY_CONDITION) {
        return ST_OK;
    }
    ST_TRY(check_bounds(op, condition->kind, condition->root));
    return st_expr__check_node(op, condition->kind, condition->root);
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
    if (node->kind != ST_NODE_VALUE || node->placeholder.size == 0 ||
        kind == ST_EXPR_KEY_CONDITION) {
        return ST_OK;
    }
    return st_expr__resolve_value(op, kind, node->position, node->placeholder, scope, &node->value);
}

st_status st_condition_resolve(st_op *op, const st_condition *condition, st_expr_scope *scope)
{
    return condition->is_resolved ? ST_OK
                                  : check_resolve(op, condition->kind, condition->root, scope);
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
