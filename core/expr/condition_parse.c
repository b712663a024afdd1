/* The grammar of conditions, filters and key conditions.
 *
 *     or      = and { OR and }
 *     and     = not { AND not }
 *     not     = { NOT } primary
 *     primary = ( or ) | operand [ comparator operand | BETWEEN operand AND operand
 *                                | IN ( operand { , operand } ) ]
 *     operand = path | :value | function ( [ operand { , operand } ] )
 *
 * Which functions stand where, and with how many operands, is no matter of grammar: it is a
 * complaint, told behind syntax errors.
 */
#include "expr/expr_internal.h"

#include <string.h>

static st_status cond_or(st_parser *parser, st_node **out_node, bool *out_is_group);

st_node *st_node_new(st_op *op, st_node_kind kind, uint32_t child_count)
{
    size_t bytes = sizeof(st_node) + (size_t)child_count * sizeof(st_node *);
    st_node *node = st_arena_alloc(&op->arena, bytes);
    if (!node) {
        return NULL;
    }
    memset(node, 0, bytes);
    node->kind = kind;
    node->position = -1;
    node->count = child_count;
    node->children = (st_node **)(void *)(node + 1);
    return node;
}

static st_status cond_node(st_parser *parser, st_node_kind kind, uint32_t child_count,
                           st_node **out_node)
{
    *out_node = st_node_new(parser->op, kind, child_count);
    if (!*out_node) {
        return st_fail_memory(parser->op, sizeof(st_node));
    }
    (*out_node)->position = (int64_t)parser->token.begin;
    return ST_OK;
}

/* ---- operands --------------------------------------------------------------------------- */

#define COND_ARGUMENTS_MAX 16u /* more are counted, not kept: no function takes them */

static st_status cond_operand(st_parser *parser, st_node **out_node);

static st_status cond_arguments(st_parser *parser, st_node **arguments, uint32_t *out_count)
{
    uint32_t count = 0;
    st_expr__advance(parser); /* the parenthesis */
    while (!st_expr__is_sign(parser, ')') || count > 0) {
        st_node *argument;
        ST_TRY(cond_operand(parser, &argument));
        if (count < COND_ARGUMENTS_MAX) {
            arguments[count] = argument;
        }
        count++;
        if (!st_expr__is_sign(parser, ',')) {
            break;
        }
        st_expr__advance(parser);
    }
    *out_count = count;
    return st_expr__expect_sign(parser, ')');
}

static uint32_t cond_function_operands(st_function function)
{
    return function == ST_FUNCTION_EXISTS || function == ST_FUNCTION_NOT_EXISTS ||
                   function == ST_FUNCTION_SIZE
               ? 1
               : 2;
}

static void cond_judge_function(st_parser *parser, const st_node *node, st_slice name,
                                uint32_t count, st_node *const *arguments)
{
    if (node->function == ST_FUNCTION_NONE) {
        st_expr__complain(parser, node->position, "Invalid function name; function: %.*s",
                          (int)name.size, (const char *)name.data);
    } else if (node->function >= ST_FUNCTION_IF_NOT_EXISTS) {
        const char *where = parser->kind == ST_EXPR_FILTER          ? "filter"
                            : parser->kind == ST_EXPR_KEY_CONDITION ? "key condition"
                                                                    : "condition";
        st_expr__complain(parser, node->position,
                          "The function is not allowed in a %s expression; function: %s", where,
                          st_expr__function_name(node->function));
    } else if (count != cond_function_operands(node->function)) {
        st_expr__complain(parser, node->position,
                          "Incorrect number of operands for operator or function; operator or "
                          "function: %s, number of operands: %u",
                          st_expr__function_name(node->function), count);
    } else if ((node->function == ST_FUNCTION_EXISTS || node->function == ST_FUNCTION_NOT_EXISTS) &&
               arguments[0]->kind != ST_NODE_PATH) {
        st_expr__complain(parser, node->position,
                          "Operator or function requires a document path; operator or function: %s",
                          st_expr__function_name(node->function));
    }
}

static st_status cond_function(st_parser *parser, st_node **out_node)
{
    st_slice name = st_expr__text(parser, &parser->token);
    st_function function = st_expr__function(name);
    int64_t position = (int64_t)parser->token.begin;
    st_node *arguments[COND_ARGUMENTS_MAX];
    uint32_t count;
    parser->operator_count++;
    st_expr__advance(parser);
    if (++parser->depth > ST_EXPR_DEPTH_MAX) {
        return st_expr__fail(parser->op, parser->kind, position,
                             "The expression is nested too deeply");
    }
    ST_TRY(cond_arguments(parser, arguments, &count));
    parser->depth--;
    uint32_t kept = count < COND_ARGUMENTS_MAX ? count : COND_ARGUMENTS_MAX;
    st_node_kind kind = function == ST_FUNCTION_SIZE ? ST_NODE_SIZE : ST_NODE_FUNCTION;
    ST_TRY(cond_node(parser, kind, kept, out_node));
    (*out_node)->function = function;
    (*out_node)->position = position;
    for (uint32_t i = 0; i < kept; i++) {
        (*out_node)->children[i] = arguments[i];
        if (arguments[i]->kind == ST_NODE_FUNCTION) {
            st_expr__complain(parser, arguments[i]->position,
                              "The function is not allowed to be used this way in an expression; "
                              "function: %s",
                              st_expr__function_name(arguments[i]->function));
        }
    }
    cond_judge_function(parser, *out_node, name, count, arguments);
    return ST_OK;
}

static st_status cond_operand(st_parser *parser, st_node **out_node)
{
    if (parser->token.kind == ST_TOKEN_NAME && parser->behind.kind == ST_TOKEN_SIGN &&
        parser->behind.sign == '(') {
        return cond_function(parser, out_node);
    }
    if (parser->token.kind == ST_TOKEN_COLON) {
        ST_TRY(cond_node(parser, ST_NODE_VALUE, 0, out_node));
        (*out_node)->placeholder = st_expr__text(parser, &parser->token);
        const st_expr_value *value = st_expr__find_value(parser->scope, (*out_node)->placeholder);
        if (value) {
            (*out_node)->value = value->value;
        }
        st_expr__advance(parser);
        return ST_OK;
    }
    if (!st_expr__is_path(parser)) {
        return st_expr__syntax_error(parser);
    }
    ST_TRY(cond_node(parser, ST_NODE_PATH, 0, out_node));
    return st_expr__path(parser, &(*out_node)->path);
}

/* ---- comparisons ------------------------------------------------------------------------ */

static bool cond_comparator(const st_parser *parser, st_node_kind *out_kind)
{
    switch (parser->token.kind) {
    case ST_TOKEN_NOT_EQUAL:
        *out_kind = ST_NODE_NOT_EQUAL;
        return true;
    case ST_TOKEN_AT_MOST:
        *out_kind = ST_NODE_AT_MOST;
        return true;
    case ST_TOKEN_AT_LEAST:
        *out_kind = ST_NODE_AT_LEAST;
        return true;
    case ST_TOKEN_SIGN:
        *out_kind = parser->token.sign == '='   ? ST_NODE_EQUAL
                    : parser->token.sign == '<' ? ST_NODE_LESS
                                                : ST_NODE_GREATER;
        return memchr("=<>", parser->token.sign, 3) != NULL;
    default:
        return false;
    }
}

static void cond_judge_operand(st_parser *parser, const st_node *node)
{
    if (node->kind == ST_NODE_FUNCTION && node->function != ST_FUNCTION_NONE) {
        st_expr__complain(parser, node->position,
                          "The function is not allowed to be used this way in an expression; "
                          "function: %s",
                          st_expr__function_name(node->function));
    }
}

static st_status cond_between(st_parser *parser, st_node *left, st_node **out_node)
{
    ST_TRY(cond_node(parser, ST_NODE_BETWEEN, 3, out_node));
    st_node **children = (*out_node)->children;
    st_expr__advance(parser);
    children[0] = left;
    ST_TRY(cond_operand(parser, &children[1]));
    if (!st_expr__is_word(parser, "AND")) {
        return st_expr__syntax_error(parser);
    }
    st_expr__advance(parser);
    ST_TRY(cond_operand(parser, &children[2]));
    for (int i = 0; i < 3; i++) {
        cond_judge_operand(parser, children[i]);
    }
    return ST_OK;
}

static st_status cond_in(st_parser *parser, st_node *left, st_node **out_node)
{
    st_node *operands[ST_EXPR_IN_MAX];
    uint32_t count = 0;
    int64_t position = (int64_t)parser->token.begin;
    st_expr__advance(parser);
    ST_TRY(st_expr__expect_sign(parser, '('));
    for (;;) {
        st_node *operand;
        ST_TRY(cond_operand(parser, &operand));
        cond_judge_operand(parser, operand);
        if (count < ST_EXPR_IN_MAX) {
            operands[count] = operand;
        }
        count++;
        if (!st_expr__is_sign(parser, ',')) {
            break;
        }
        st_expr__advance(parser);
    }
    ST_TRY(st_expr__expect_sign(parser, ')'));
    if (count > ST_EXPR_IN_MAX) {
        st_expr__complain(parser, position,
                          "The IN operator is provided with too many operands; number of operands: "
                          "%u",
                          count);
        count = ST_EXPR_IN_MAX;
    }
    ST_TRY(cond_node(parser, ST_NODE_IN, count + 1, out_node));
    (*out_node)->position = position;
    (*out_node)->children[0] = left;
    memcpy((*out_node)->children + 1, operands, count * sizeof *operands);
    cond_judge_operand(parser, left);
    return ST_OK;
}

static st_status cond_comparison(st_parser *parser, st_node **out_node)
{
    st_node *left;
    st_node_kind kind;
    ST_TRY(cond_operand(parser, &left));
    if (st_expr__is_word(parser, "BETWEEN")) {
        parser->operator_count++;
        return cond_between(parser, left, out_node);
    }
    if (st_expr__is_word(parser, "IN")) {
        parser->operator_count++;
        return cond_in(parser, left, out_node);
    }
    if (cond_comparator(parser, &kind)) {
        parser->operator_count++;
        ST_TRY(cond_node(parser, kind, 2, out_node));
        st_expr__advance(parser);
        (*out_node)->children[0] = left;
        ST_TRY(cond_operand(parser, &(*out_node)->children[1]));
        cond_judge_operand(parser, left);
        cond_judge_operand(parser, (*out_node)->children[1]);
        return ST_OK;
    }
    if (left->kind == ST_NODE_SIZE) {
        st_expr__complain(parser, left->position,
                          "The function is not allowed to be used this way in an expression; "
                          "function: size");
    } else if (left->kind != ST_NODE_FUNCTION) {
        return st_expr__syntax_error(parser);
    }
    *out_node = left;
    return ST_OK;
}

/* ---- logic ------------------------------------------------------------------------------ */

static st_status cond_primary(st_parser *parser, st_node **out_node, bool *out_is_group)
{
    *out_is_group = false;
    if (!st_expr__is_sign(parser, '(')) {
        return cond_comparison(parser, out_node);
    }
    int64_t position = (int64_t)parser->token.begin;
    bool holds_group;
    if (++parser->depth > ST_EXPR_DEPTH_MAX) {
        return st_expr__fail(parser->op, parser->kind, position,
                             "The expression has redundant parentheses;");
    }
    st_expr__advance(parser);
    ST_TRY(cond_or(parser, out_node, &holds_group));
    ST_TRY(st_expr__expect_sign(parser, ')'));
    parser->depth--;
    if (holds_group) {
        st_expr__complain(parser, position, "The expression has redundant parentheses;");
    }
    *out_is_group = true;
    return ST_OK;
}

static st_status cond_not(st_parser *parser, st_node **out_node, bool *out_is_group)
{
    st_node *outer = NULL, *inner = NULL;
    while (st_expr__is_word(parser, "NOT")) {
        st_node *node;
        ST_TRY(cond_node(parser, ST_NODE_NOT, 1, &node));
        parser->operator_count++;
        st_expr__advance(parser);
        if (inner) {
            inner->children[0] = node;
        }
        outer = outer ? outer : node;
        inner = node;
    }
    if (!inner) {
        return cond_primary(parser, out_node, out_is_group);
    }
    ST_TRY(cond_primary(parser, &inner->children[0], out_is_group));
    *out_is_group = false;
    *out_node = outer;
    return ST_OK;
}

static st_status cond_chain(st_parser *parser, st_node_kind kind, st_node **out_node,
                            bool *out_is_group)
{
    bool is_and = kind == ST_NODE_AND;
    ST_TRY(is_and ? cond_not(parser, out_node, out_is_group)
                  : cond_chain(parser, ST_NODE_AND, out_node, out_is_group));
    while (st_expr__is_word(parser, is_and ? "AND" : "OR")) {
        st_node *node;
        bool ignored;
        ST_TRY(cond_node(parser, kind, 2, &node));
        parser->operator_count++;
        st_expr__advance(parser);
        node->children[0] = *out_node;
        ST_TRY(is_and ? cond_not(parser, &node->children[1], &ignored)
                      : cond_chain(parser, ST_NODE_AND, &node->children[1], &ignored));
        *out_node = node;
        *out_is_group = false;
    }
    return ST_OK;
}

static st_status cond_or(st_parser *parser, st_node **out_node, bool *out_is_group)
{
    return cond_chain(parser, ST_NODE_OR, out_node, out_is_group);
}

st_status st_condition_parse(st_op *op, st_expr_kind kind, st_slice text, st_expr_scope *scope,
                             st_condition **out_condition)
{
    *out_condition = NULL;
    st_parser parser;
    ST_TRY(st_expr__begin(&parser, op, kind, text, scope));
    st_condition *condition = st_arena_alloc(&op->arena, sizeof *condition);
    if (!condition) {
        return st_fail_memory(op, sizeof *condition);
    }
    bool is_group;
    *condition = (st_condition){.kind = kind};
    ST_TRY(cond_or(&parser, &condition->root, &is_group));
    ST_TRY(st_expr__finish(&parser));
    condition->operator_count = parser.operator_count;
    *out_condition = condition;
    return ST_OK;
}
