/* From the tree to conditions and assigned values, refusing in the order of the text what the
 * dialect does not have: functions, operators, terms, types.
 */
#include "partiql/partiql_internal.h"

typedef enum partiql_context {
    PARTIQL_CONDITION,
    PARTIQL_UPDATE,
} partiql_context;

static st_status partiql_operand(st_partiql__parser *parser, const st_partiql__tree *tree,
                                 partiql_context context, st_partiql_node *out_node);

/* ---- paths ------------------------------------------------------------------------------ */

bool st_partiql__is_path(const st_partiql__tree *tree)
{
    return tree->kind == ST_PARTIQL__TREE_ID || tree->kind == ST_PARTIQL__TREE_PATH;
}

static st_status partiql_step_name(st_partiql__parser *parser, st_slice name,
                                   st_partiql_step *out_step)
{
    out_step->name = name;
    return name.size > 0 ? ST_OK
                         : st_fail(parser->op, ST_INVALID_ARGUMENT,
                                   "Path component cannot be an empty string");
}

static bool partiql_step_index(const st_partiql__tree *tree, st_partiql_step *out_step)
{
    uint64_t index = 0;
    for (size_t i = 0; i < tree->text.size; i++) {
        uint8_t byte = tree->text.data[i];
        index = index * 10 + (byte - (uint64_t)'0');
        if (byte < '0' || byte > '9' || index > UINT32_MAX) {
            return false;
        }
    }
    out_step->index = (uint32_t)index;
    out_step->is_index = true;
    return !tree->is_negative;
}

static st_status partiql_step_of(st_partiql__parser *parser, const st_partiql__tree *tree,
                                 bool is_root, st_partiql_step *out_step)
{
    if (tree->kind == ST_PARTIQL__TREE_ID && (is_root || !tree->is_group)) {
        return partiql_step_name(parser, tree->text, out_step);
    }
    if (tree->kind == ST_PARTIQL__TREE_STRING && !is_root) {
        return partiql_step_name(parser, tree->text, out_step);
    }
    if (tree->kind == ST_PARTIQL__TREE_NUMBER && !is_root && partiql_step_index(tree, out_step)) {
        return ST_OK;
    }
    return st_fail(parser->op, ST_INVALID_ARGUMENT, "Unexpected path component" ST_PARTIQL__AT,
                   ST_PARTIQL__AT_OF(tree->position));
}

st_status st_partiql__path(st_partiql__parser *parser, const st_partiql__tree *tree,
                           st_partiql_path *out_path)
{
    bool is_name = tree->kind != ST_PARTIQL__TREE_PATH;
    *out_path = (st_partiql_path){.position = tree->position, .count = is_name ? 1 : tree->count};
    st_partiql_step *steps = st_partiql__alloc(parser->op, out_path->count, sizeof *steps);
    if (!steps) {
        return ST_NO_MEMORY;
    }
    out_path->steps = steps;
    const st_partiql__tree *step = is_name ? tree : tree->first;
    for (uint32_t i = 0; i < out_path->count; i++) {
        ST_TRY(partiql_step_of(parser, step, i == 0, &steps[i]));
        step = step->next;
    }
    return ST_OK;
}

/* ---- refusals --------------------------------------------------------------------------- */

static st_status partiql_refuse_operator(st_partiql__parser *parser, partiql_context context,
                                         const char *text)
{
    return st_fail(parser->op, ST_INVALID_ARGUMENT,
                   "Unsupported operator in %s Expression. Operator: %s",
                   context == PARTIQL_CONDITION ? "Condition" : "Update", text);
}

static st_status partiql_refuse_term(st_partiql__parser *parser, partiql_context context,
                                     const st_partiql__tree *tree)
{
    switch ((st_partiql__tree_kind)tree->kind) {
    case ST_PARTIQL__TREE_MISSING:
        return st_fail(parser->op, ST_INVALID_ARGUMENT,
                       "MISSING must be compared using IS operator");
    case ST_PARTIQL__TREE_OPERATOR:
    case ST_PARTIQL__TREE_IS:
        return partiql_refuse_operator(
            parser, context, st_partiql__operator_text((st_partiql__operator)tree->operator_));
    case ST_PARTIQL__TREE_STATEMENT:
        return st_fail(parser->op, ST_INVALID_ARGUMENT,
                       "Unsupported token in expression: SELECT" ST_PARTIQL__AT,
                       ST_PARTIQL__AT_OF(tree->position));
    default:
        return st_fail(parser->op, ST_INVALID_ARGUMENT,
                       "Unsupported token in expression: CASE" ST_PARTIQL__AT,
                       ST_PARTIQL__AT_OF(tree->position));
    }
}

static st_status partiql_refuse_function(st_partiql__parser *parser, const st_partiql__tree *call)
{
    st_partiql__line line = {.size = 0};
    st_partiql__line_add(&line, call->text);
    for (size_t i = 0; i < line.size; i++) {
        char byte = line.text[i];
        line.text[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
    }
    return st_fail(parser->op, ST_INVALID_ARGUMENT, "Unrecognized function: %s" ST_PARTIQL__AT,
                   line.text, ST_PARTIQL__AT_OF(call->position));
}

/* ---- operands --------------------------------------------------------------------------- */

/* The children of a tree as the operands of a node. */
static st_status partiql_operands(st_partiql__parser *parser, const st_partiql__tree *tree,
                                  partiql_context context, st_partiql_node *node)
{
    st_partiql_node *operands = st_partiql__alloc(parser->op, tree->count, sizeof *operands);
    if (!operands) {
        return ST_NO_MEMORY;
    }
    node->operands = operands;
    node->count = tree->count;
    const st_partiql__tree *child = tree->first;
    for (uint32_t i = 0; i < tree->count; i++, child = child->next) {
        ST_TRY(partiql_operand(parser, child, context, &operands[i]));
    }
    return ST_OK;
}

static st_status partiql_function(st_partiql__parser *parser, const st_partiql__tree *call,
                                  partiql_context context, st_partiql_node *node)
{
    int first = context == PARTIQL_CONDITION ? ST_PARTIQL_ATTRIBUTE_EXISTS : ST_PARTIQL_LIST_APPEND;
    int last = context == PARTIQL_CONDITION ? ST_PARTIQL_SIZE : ST_PARTIQL_SET_DELETE;
    for (int kind = first; kind <= last; kind++) {
        if (st_partiql__is_text(call->text, st_partiql_kind_text((st_partiql_kind)kind))) {
            node->kind = (st_partiql_kind)kind;
            return partiql_operands(parser, call, context, node);
        }
    }
    return partiql_refuse_function(parser, call);
}

static st_status partiql_operand(st_partiql__parser *parser, const st_partiql__tree *tree,
                                 partiql_context context, st_partiql_node *out_node)
{
    *out_node = (st_partiql_node){.position = tree->position};
    if (st_partiql__is_path(tree)) {
        out_node->kind = ST_PARTIQL_PATH;
        return st_partiql__path(parser, tree, &out_node->path);
    }
    if (st_partiql__is_literal(tree)) {
        out_node->kind = ST_PARTIQL_VALUE;
        return st_partiql__literal(parser, tree, false, &out_node->value);
    }
    if (tree->kind == ST_PARTIQL__TREE_CALL) {
        return partiql_function(parser, tree, context, out_node);
    }
    bool is_sum =
        tree->kind == ST_PARTIQL__TREE_OPERATOR && tree->count == 2 &&
        (tree->operator_ == ST_PARTIQL__OP_PLUS || tree->operator_ == ST_PARTIQL__OP_MINUS);
    if (context == PARTIQL_UPDATE && is_sum) {
        out_node->kind =
            tree->operator_ == ST_PARTIQL__OP_PLUS ? ST_PARTIQL_PLUS : ST_PARTIQL_MINUS;
        return partiql_operands(parser, tree, context, out_node);
    }
    return partiql_refuse_term(parser, context, tree);
}

st_status st_partiql__assigned(st_partiql__parser *parser, const st_partiql__tree *tree,
                               st_partiql_node *out_node)
{
    return partiql_operand(parser, tree, PARTIQL_UPDATE, out_node);
}

/* ---- conditions ------------------------------------------------------------------------- */

static st_status partiql_conditions(st_partiql__parser *parser, const st_partiql__tree *tree,
                                    st_partiql_kind kind, st_partiql_node *node)
{
    st_partiql_node *operands = st_partiql__alloc(parser->op, tree->count, sizeof *operands);
    if (!operands) {
        return ST_NO_MEMORY;
    }
    node->kind = kind;
    node->operands = operands;
    node->count = tree->count;
    const st_partiql__tree *child = tree->first;
    for (uint32_t i = 0; i < tree->count; i++, child = child->next) {
        ST_TRY(st_partiql__condition(parser, child, &operands[i]));
    }
    return ST_OK;
}

/* The operand and the candidates become operands side by side. */
static st_status partiql_in(st_partiql__parser *parser, const st_partiql__tree *tree,
                            st_partiql_node *node)
{
    const st_partiql__tree *list = tree->last;
    st_partiql_node *operands =
        st_partiql__alloc(parser->op, (size_t)list->count + 1, sizeof *operands);
    if (!operands) {
        return ST_NO_MEMORY;
    }
    node->kind = ST_PARTIQL_IN;
    node->operands = operands;
    ST_TRY(partiql_operand(parser, tree->first, PARTIQL_CONDITION, &operands[0]));
    if (list->kind == ST_PARTIQL__TREE_STATEMENT) {
        return partiql_refuse_term(parser, PARTIQL_CONDITION, list);
    }
    if (list->kind != ST_PARTIQL__TREE_LIST) {
        return partiql_refuse_operator(parser, PARTIQL_CONDITION, "IN");
    }
    node->count = list->count + 1;
    const st_partiql__tree *child = list->first;
    for (uint32_t i = 1; i < node->count; i++, child = child->next) {
        ST_TRY(partiql_operand(parser, child, PARTIQL_CONDITION, &operands[i]));
    }
    return ST_OK;
}

static st_status partiql_is_type(st_partiql__parser *parser, const st_partiql__tree *tree,
                                 st_partiql_node *node)
{
    const char *other = NULL;
    node->kind = ST_PARTIQL_IS;
    ST_TRY(partiql_operands(parser, tree, PARTIQL_CONDITION, node));
    if (st_partiql__type_of(tree->text, &node->type, &other) && !other) {
        return ST_OK;
    }
    return st_fail(parser->op, ST_INVALID_ARGUMENT,
                   "Unsupported data type for IS operator: %s. Supported data types are [MISSING, "
                   "NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST]" ST_PARTIQL__AT,
                   other ? other : "", ST_PARTIQL__AT_OF(tree->type_position));
}

static st_status partiql_compared(st_partiql__parser *parser, const st_partiql__tree *tree,
                                  st_partiql_kind kind, st_partiql_node *node)
{
    node->kind = kind;
    return partiql_operands(parser, tree, PARTIQL_CONDITION, node);
}

static st_status partiql_operator_condition(st_partiql__parser *parser,
                                            const st_partiql__tree *tree, st_partiql_node *node)
{
    switch ((st_partiql__operator)tree->operator_) {
    case ST_PARTIQL__OP_OR:
        return partiql_conditions(parser, tree, ST_PARTIQL_OR, node);
    case ST_PARTIQL__OP_AND:
        return partiql_conditions(parser, tree, ST_PARTIQL_AND, node);
    case ST_PARTIQL__OP_NOT:
        return partiql_conditions(parser, tree, ST_PARTIQL_NOT, node);
    case ST_PARTIQL__OP_EQUAL:
        return partiql_compared(parser, tree, ST_PARTIQL_EQUAL, node);
    case ST_PARTIQL__OP_NOT_EQUAL:
        return partiql_compared(parser, tree, ST_PARTIQL_NOT_EQUAL, node);
    case ST_PARTIQL__OP_LESS:
        return partiql_compared(parser, tree, ST_PARTIQL_LESS, node);
    case ST_PARTIQL__OP_AT_MOST:
        return partiql_compared(parser, tree, ST_PARTIQL_AT_MOST, node);
    case ST_PARTIQL__OP_GREATER:
        return partiql_compared(parser, tree, ST_PARTIQL_GREATER, node);
    case ST_PARTIQL__OP_AT_LEAST:
        return partiql_compared(parser, tree, ST_PARTIQL_AT_LEAST, node);
    case ST_PARTIQL__OP_BETWEEN:
        return partiql_compared(parser, tree, ST_PARTIQL_BETWEEN, node);
    case ST_PARTIQL__OP_IN:
        return partiql_in(parser, tree, node);
    default:
        return partiql_refuse_term(parser, PARTIQL_CONDITION, tree);
    }
}

st_status st_partiql__condition(st_partiql__parser *parser, const st_partiql__tree *tree,
                                st_partiql_node *out_node)
{
    *out_node = (st_partiql_node){.position = tree->position};
    switch ((st_partiql__tree_kind)tree->kind) {
    case ST_PARTIQL__TREE_OPERATOR:
        return partiql_operator_condition(parser, tree, out_node);
    case ST_PARTIQL__TREE_IS:
        return partiql_is_type(parser, tree, out_node);
    case ST_PARTIQL__TREE_CALL:
        ST_TRY(partiql_function(parser, tree, PARTIQL_CONDITION, out_node));
        break;
    default:
        ST_TRY(partiql_operand(parser, tree, PARTIQL_CONDITION, out_node));
        break;
    }
    bool is_boolean = out_node->kind != ST_PARTIQL_VALUE && out_node->kind != ST_PARTIQL_PATH &&
                      out_node->kind != ST_PARTIQL_SIZE;
    return is_boolean ? ST_OK
                      : st_fail(parser->op, ST_INVALID_ARGUMENT,
                                "WHERE clause must contain an expression that resolves to a "
                                "boolean");
}
