/* The grammar of conditions, filters and key conditions.
 *
 *     or      = and { OR and }
 *     and     = not { AND not }
 *     not     = { NOT } test
 *     test    = ( or ) | operand [ comparator operand | BETWEEN operand AND operand
 *                                | IN ( operand { , operand } ) ]
 *     operand = path | :value | function ( operand { , operand } ) | ( operand )
 *
 * Whether a parenthesis begins a condition or an operand shows only behind it: so a group may hold
 * an operand alone, and what stands behind the group tells. Groups that are open are kept in a list
 * and not on the stack: their depth has no other limit than the text. Chains of AND and OR lean to
 * the right, so that evaluating them needs no stack either. Which functions stand where, and with
 * how many operands, is no matter of grammar: it is a complaint, told behind syntax errors.
 */
#include "expr/expr_internal.h"

#include <string.h>

/* What was read. */
typedef struct cond_term {
    st_node *node;
    bool is_group;   /* parentheses and nothing else */
    bool is_operand; /* may be compared; only functions may also stand alone */
} cond_term;

/* A group that is open: what was read of it, with a place for what is missing. The outermost is the
 * whole text. */
typedef struct cond_open cond_open;
struct cond_open {
    cond_open *outer; /* NULL: the whole text */
    int64_t position;
    st_node *root;   /* of the group; NULL: nothing yet */
    st_node **place; /* where the next term belongs: in the last OR, AND or NOT, or root */
    st_node **last;  /* where that term begins, with its NOTs */
    st_node **chain; /* where the chain of ANDs begins that it is in */
};

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

#define COND_ARGUMENTS_MAX 3u /* more are counted, not kept: no function takes them */

static st_status cond_operand(st_parser *parser, cond_term *term);

static void cond_misused(st_parser *parser, const st_node *node)
{
    if (node->kind == ST_NODE_SIZE ||
        (node->kind == ST_NODE_FUNCTION && node->function != ST_FUNCTION_NONE)) {
        st_expr__complain(parser, node->position,
                          "The function is not allowed to be used this way in an expression; "
                          "function: %s",
                          st_expr__function_name(node->function));
    }
}

/* An operand in its place: the only function among them is size. */
static st_status cond_inner(st_parser *parser, st_node **out_node)
{
    cond_term term;
    ST_TRY(cond_operand(parser, &term));
    if (term.node->kind == ST_NODE_FUNCTION) {
        cond_misused(parser, term.node);
    }
    *out_node = term.node;
    return ST_OK;
}

static uint32_t cond_function_operands(st_function function)
{
    return function == ST_FUNCTION_EXISTS || function == ST_FUNCTION_NOT_EXISTS ||
                   function == ST_FUNCTION_SIZE
               ? 1
               : 2;
}

static void cond_judge_function(st_parser *parser, const st_node *node, st_slice name,
                                uint32_t count)
{
    if (node->function == ST_FUNCTION_NONE) {
        st_expr__complain(parser, node->position, "Invalid function name; function: %.*s",
                          (int)name.size, (const char *)name.data);
    } else if (node->function >= ST_FUNCTION_IF_NOT_EXISTS) {
        st_expr__complain(parser, node->position,
                          "The function is not allowed in a condition expression; function: %s",
                          st_expr__function_name(node->function));
    } else if (count != cond_function_operands(node->function)) {
        st_expr__complain(parser, node->position,
                          "Incorrect number of operands for operator or function; operator or "
                          "function: %s, number of operands: %u",
                          st_expr__function_name(node->function), count);
    }
}

static st_status cond_function(st_parser *parser, st_node **out_node)
{
    st_slice name = st_expr__text(parser, &parser->token);
    st_function function = st_expr__function(name);
    st_node_kind kind = function == ST_FUNCTION_SIZE ? ST_NODE_SIZE : ST_NODE_FUNCTION;
    ST_TRY(cond_node(parser, kind, COND_ARGUMENTS_MAX, out_node));
    (*out_node)->function = function;
    parser->operator_count++;
    ST_TRY(st_expr__enter(parser));
    st_expr__advance(parser);
    uint32_t count = 0;
    do {
        st_node *argument;
        st_expr__advance(parser); /* the parenthesis, or the comma */
        ST_TRY(cond_inner(parser, &argument));
        if (count < COND_ARGUMENTS_MAX) {
            (*out_node)->children[count] = argument;
        }
        count++;
    } while (st_expr__is_sign(parser, ','));
    parser->depth--;
    (*out_node)->count = count < COND_ARGUMENTS_MAX ? count : COND_ARGUMENTS_MAX;
    cond_judge_function(parser, *out_node, name, count);
    return st_expr__expect_sign(parser, ')');
}

static st_status cond_plain(st_parser *parser, cond_term *term)
{
    *term = (cond_term){.is_operand = true};
    if (st_expr__is_call(parser)) {
        return cond_function(parser, &term->node);
    }
    if (parser->token.kind == ST_TOKEN_COLON) {
        ST_TRY(cond_node(parser, ST_NODE_VALUE, 0, &term->node));
        st_expr__value(parser, &term->node->placeholder, &term->node->value);
        return ST_OK;
    }
    if (!st_expr__is_path(parser)) {
        return st_expr__syntax_error(parser);
    }
    ST_TRY(cond_node(parser, ST_NODE_PATH, 0, &term->node));
    return st_expr__path(parser, &term->node->path);
}

static st_status cond_operand(st_parser *parser, cond_term *term)
{
    if (!st_expr__is_sign(parser, '(')) {
        return cond_plain(parser, term);
    }
    int64_t position = (int64_t)parser->token.begin;
    ST_TRY(st_expr__enter(parser));
    st_expr__advance(parser);
    ST_TRY(cond_operand(parser, term));
    ST_TRY(st_expr__leave_group(parser, position, term->is_group));
    term->is_group = true;
    return ST_OK;
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
    case ST_TOKEN_BETWEEN:
        *out_kind = ST_NODE_BETWEEN;
        return true;
    case ST_TOKEN_IN:
        *out_kind = ST_NODE_IN;
        return true;
    case ST_TOKEN_SIGN:
        *out_kind = parser->token.sign == '='   ? ST_NODE_EQUAL
                    : parser->token.sign == '<' ? ST_NODE_LESS
                                                : ST_NODE_GREATER;
        return parser->token.sign == '=' || parser->token.sign == '<' || parser->token.sign == '>';
    default:
        return false;
    }
}

/* Behind IN. */
static st_status cond_list(st_parser *parser, st_node *left, int64_t position, st_node **out_node)
{
    st_node *operands[ST_EXPR_IN_MAX];
    uint32_t count = 0;
    if (!st_expr__is_sign(parser, '(')) {
        return st_expr__syntax_error(parser);
    }
    do {
        st_node *operand;
        st_expr__advance(parser); /* the parenthesis, or the comma */
        ST_TRY(cond_inner(parser, &operand));
        if (count < ST_EXPR_IN_MAX) {
            operands[count] = operand;
        }
        count++;
    } while (st_expr__is_sign(parser, ','));
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
    return ST_OK;
}

/* At the comparator. */
static st_status cond_compare(st_parser *parser, st_node_kind kind, st_node *left,
                              st_node **out_node)
{
    int64_t position = (int64_t)parser->token.begin;
    parser->operator_count++;
    if (left->kind == ST_NODE_FUNCTION) {
        cond_misused(parser, left);
    }
    st_expr__advance(parser);
    if (kind == ST_NODE_IN) {
        return cond_list(parser, left, position, out_node);
    }
    ST_TRY(cond_node(parser, kind, kind == ST_NODE_BETWEEN ? 3 : 2, out_node));
    (*out_node)->position = position;
    (*out_node)->children[0] = left;
    ST_TRY(cond_inner(parser, &(*out_node)->children[1]));
    if (kind != ST_NODE_BETWEEN) {
        return ST_OK;
    }
    if (parser->token.kind != ST_TOKEN_AND) {
        return st_expr__syntax_error(parser);
    }
    st_expr__advance(parser);
    return cond_inner(parser, &(*out_node)->children[2]);
}

/* Behind a term: the comparison it is the left side of, if there is one. */
static st_status cond_test(st_parser *parser, cond_term *term)
{
    st_node_kind kind;
    if (!cond_comparator(parser, &kind)) {
        return ST_OK;
    }
    if (!term->is_operand) {
        return st_expr__syntax_error(parser);
    }
    *term = (cond_term){.node = term->node};
    return cond_compare(parser, kind, term->node, &term->node);
}

/* ---- logic ------------------------------------------------------------------------------ */

/* What was read stands where a condition must. */
static st_status cond_must_judge(st_parser *parser, cond_term *term)
{
    if (term->node->kind == ST_NODE_PATH || term->node->kind == ST_NODE_VALUE) {
        return st_expr__syntax_error(parser);
    }
    if (term->node->kind == ST_NODE_SIZE) {
        cond_misused(parser, term->node);
    }
    term->is_operand = false;
    return ST_OK;
}

static st_status cond_open_group(st_parser *parser, cond_open **open)
{
    cond_open *inner = st_arena_alloc(&parser->op->arena, sizeof *inner);
    if (!inner) {
        return st_fail_memory(parser->op, sizeof *inner);
    }
    *inner = (cond_open){.outer = *open, .position = (int64_t)parser->token.begin};
    inner->place = &inner->root;
    inner->last = &inner->root;
    inner->chain = &inner->root;
    *open = inner;
    return ST_OK;
}

/* Every NOT and every group that begins here, then a path, value or function. */
static st_status cond_begin(st_parser *parser, cond_open **open, cond_term *term)
{
    for (;;) {
        if (st_expr__is_sign(parser, '(')) {
            ST_TRY(cond_open_group(parser, open));
        } else if (parser->token.kind == ST_TOKEN_NOT) {
            ST_TRY(cond_node(parser, ST_NODE_NOT, 1, (*open)->place));
            (*open)->place = &(*(*open)->place)->children[0];
            parser->operator_count++;
        } else {
            return cond_plain(parser, term);
        }
        st_expr__advance(parser);
    }
}

/* The term ends here or at AND or OR: puts it in its place. */
static st_status cond_settle(st_parser *parser, cond_open *open, cond_term *term)
{
    ST_TRY(cond_must_judge(parser, term));
    *open->place = term->node;
    return ST_OK;
}

/* At AND or OR, behind the left side. AND takes the last term (with its NOTs) of a chain, OR the
 * whole chain; what follows is its right side. */
static st_status cond_join(st_parser *parser, cond_open *open, cond_term *term)
{
    bool is_and = parser->token.kind == ST_TOKEN_AND;
    st_node *node;
    ST_TRY(cond_settle(parser, open, term));
    ST_TRY(cond_node(parser, is_and ? ST_NODE_AND : ST_NODE_OR, 2, &node));
    st_node **left = is_and ? open->last : open->chain;
    node->children[0] = *left;
    *left = node;
    open->place = &node->children[1];
    open->last = open->place;
    open->chain = is_and ? open->chain : open->place;
    parser->operator_count++;
    st_expr__advance(parser);
    return ST_OK;
}

/* At a parenthesis that closes: the group as a term of the one around it. */
static st_status cond_close_group(st_parser *parser, cond_open **open, cond_term *term)
{
    cond_open *inner = *open;
    if (term->is_group && inner->place == &inner->root) {
        return st_expr__redundant(parser, inner->position);
    }
    if (inner->place != &inner->root) {
        ST_TRY(cond_settle(parser, inner, term));
        *term = (cond_term){.node = inner->root};
    }
    term->is_group = true;
    *open = inner->outer;
    st_expr__advance(parser);
    return ST_OK;
}

static st_status cond_whole(st_parser *parser, st_node **out_root)
{
    cond_open *open = NULL;
    cond_term term;
    ST_TRY(cond_open_group(parser, &open));
    ST_TRY(cond_begin(parser, &open, &term));
    for (;;) {
        ST_TRY(cond_test(parser, &term));
        if (parser->token.kind == ST_TOKEN_AND || parser->token.kind == ST_TOKEN_OR) {
            ST_TRY(cond_join(parser, open, &term));
            ST_TRY(cond_begin(parser, &open, &term));
        } else if (st_expr__is_sign(parser, ')') && open->outer) {
            ST_TRY(cond_close_group(parser, &open, &term));
        } else {
            break;
        }
    }
    ST_TRY(cond_settle(parser, open, &term));
    *out_root = open->root;
    return open->outer ? st_expr__syntax_error(parser) : st_expr__finish(parser);
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
    st_node *root = NULL;
    ST_TRY(cond_whole(&parser, &root));
    *condition = (st_condition){.kind = kind,
                                .root = root,
                                .operator_count = parser.operator_count,
                                .is_resolved = !parser.has_undefined};
    *out_condition = condition;
    return ST_OK;
}
