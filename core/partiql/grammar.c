/* Expressions, as PartiQL has them: operators by precedence, terms, paths, calls, containers.
 *
 * The tree that comes out knows nothing of what DynamoDB supports. ANDs and ORs in a row are one
 * node, a row of NOTs is read in a loop, so that long conditions make no high tree; brackets count
 * against ST_PARTIQL__DEPTH_MAX.
 */
#include "partiql/partiql_internal.h"

#include <string.h>

static st_status partiql_unary(st_partiql__parser *parser, st_partiql__tree **out_tree);

void *st_partiql__alloc(st_op *op, size_t count, size_t bytes)
{
    size_t all = count > 0 && count <= SIZE_MAX / bytes ? count * bytes : count > 0 ? SIZE_MAX : 1;
    void *memory = st_arena_alloc(&op->arena, all);
    if (!memory) {
        (void)st_fail_memory(op, all);
        return NULL;
    }
    memset(memory, 0, all);
    return memory;
}

st_status st_partiql__malformed(st_partiql__parser *parser, const char *detail)
{
    return st_fail(parser->op, ST_INVALID_ARGUMENT, ST_PARTIQL__NOT_WELL_FORMED "%s", detail);
}

/* ---- trees and tokens ------------------------------------------------------------------- */

st_status st_partiql__tree_new(st_partiql__parser *parser, st_partiql__tree_kind kind,
                               const st_partiql__token *token, st_partiql__tree **out_tree)
{
    *out_tree = st_partiql__alloc(parser->op, 1, sizeof **out_tree);
    if (!*out_tree) {
        return ST_NO_MEMORY;
    }
    (*out_tree)->kind = (uint8_t)kind;
    (*out_tree)->operator_ = token->operator_;
    (*out_tree)->height = 1;
    (*out_tree)->parameter = token->parameter;
    (*out_tree)->position = token->position;
    (*out_tree)->text = token->text;
    return ST_OK;
}

st_status st_partiql__tree_add(st_partiql__parser *parser, st_partiql__tree *parent,
                               st_partiql__tree *child)
{
    st_partiql__list list = {parent->count, parent->first, parent->last};
    st_partiql__list_add(&list, child);
    parent->count = list.count;
    parent->first = list.first;
    parent->last = list.last;
    if (child->height >= parent->height) {
        parent->height = (uint16_t)(child->height + 1);
    }
    return parent->height > ST_PARTIQL__HEIGHT_MAX
               ? st_partiql__malformed(parser, "Expression is nested too deeply")
               : ST_OK;
}

void st_partiql__list_add(st_partiql__list *list, st_partiql__tree *tree)
{
    if (list->last) {
        list->last->next = tree;
    } else {
        list->first = tree;
    }
    list->last = tree;
    list->count++;
}

bool st_partiql__at_word(const st_partiql__parser *parser, st_partiql__word word)
{
    return parser->at->word == word;
}

bool st_partiql__skip_word(st_partiql__parser *parser, st_partiql__word word)
{
    bool is_there = st_partiql__at_word(parser, word);
    parser->at += is_there;
    return is_there;
}

bool st_partiql__skip(st_partiql__parser *parser, st_partiql__token_kind kind)
{
    bool is_there = parser->at->kind == kind;
    parser->at += is_there && kind != ST_PARTIQL__EOF;
    return is_there;
}

bool st_partiql__at_end(const st_partiql__parser *parser)
{
    const st_partiql__token *at = parser->at;
    return at[at->kind == ST_PARTIQL__SEMICOLON].kind == ST_PARTIQL__EOF;
}

static st_status partiql_expect(st_partiql__parser *parser, st_partiql__token_kind kind)
{
    if (st_partiql__skip(parser, kind)) {
        return ST_OK;
    }
    switch (kind) {
    case ST_PARTIQL__RIGHT_PAREN:
        return st_partiql__malformed(parser, "Expected RIGHT_PAREN");
    case ST_PARTIQL__RIGHT_BRACKET:
        return st_partiql__malformed(parser, "Expected RIGHT_BRACKET");
    case ST_PARTIQL__RIGHT_CURLY:
        return st_partiql__malformed(parser, "Expected RIGHT_CURLY");
    case ST_PARTIQL__RIGHT_DOUBLE_ANGLE_BRACKET:
        return st_partiql__malformed(parser, "Expected RIGHT_DOUBLE_ANGLE_BRACKET");
    default:
        return st_partiql__malformed(parser, "Expected COLON");
    }
}

/* An expression as the next child of parent. */
static st_status partiql_child(st_partiql__parser *parser, int precedence, st_partiql__tree *parent)
{
    st_partiql__tree *child;
    ST_TRY(st_partiql__expression(parser, precedence, &child));
    return st_partiql__tree_add(parser, parent, child);
}

/* Expressions with commas between them, at least one, and what closes them. */
static st_status partiql_children(st_partiql__parser *parser, st_partiql__tree *parent,
                                  st_partiql__token_kind close)
{
    do {
        ST_TRY(partiql_child(parser, 0, parent));
        if (close == ST_PARTIQL__RIGHT_CURLY) {
            ST_TRY(partiql_expect(parser, ST_PARTIQL__COLON));
            ST_TRY(partiql_child(parser, 0, parent));
        }
    } while (st_partiql__skip(parser, ST_PARTIQL__COMMA));
    return partiql_expect(parser, close);
}

/* ---- terms ------------------------------------------------------------------------------ */

/* [..], {..} or <<..>>, possibly empty. */
static st_status partiql_container(st_partiql__parser *parser, st_partiql__tree_kind kind,
                                   st_partiql__token_kind close, st_partiql__tree **out_tree)
{
    ST_TRY(st_partiql__tree_new(parser, kind, parser->at, out_tree));
    parser->at++;
    return st_partiql__skip(parser, close) ? ST_OK : partiql_children(parser, *out_tree, close);
}

/* In parentheses: one expression, or a list. */
static st_status partiql_group(st_partiql__parser *parser, st_partiql__tree **out_tree)
{
    ST_TRY(st_partiql__tree_new(parser, ST_PARTIQL__TREE_LIST, parser->at, out_tree));
    parser->at++;
    ST_TRY(partiql_children(parser, *out_tree, ST_PARTIQL__RIGHT_PAREN));
    if ((*out_tree)->count == 1) {
        *out_tree = (*out_tree)->first;
        (*out_tree)->is_group = true;
    }
    return ST_OK;
}

static bool partiql_is_aggregate(st_slice name)
{
    static const char *const aggregates[] = {"count", "avg", "max", "min", "sum"};
    for (size_t i = 0; i < sizeof aggregates / sizeof aggregates[0]; i++) {
        if (st_partiql__is_text(name, aggregates[i])) {
            return true;
        }
    }
    return false;
}

/* At the name; a parenthesis follows it. */
static st_status partiql_call(st_partiql__parser *parser, st_partiql__tree **out_tree)
{
    st_slice name = parser->at->text;
    st_partiql__tree_kind kind = st_partiql__is_text(name, "list")  ? ST_PARTIQL__TREE_LIST
                                 : st_partiql__is_text(name, "bag") ? ST_PARTIQL__TREE_BAG
                                                                    : ST_PARTIQL__TREE_CALL;
    ST_TRY(st_partiql__tree_new(parser, kind, parser->at, out_tree));
    parser->at += 2;
    bool is_aggregate = partiql_is_aggregate(name);
    if (is_aggregate && !st_partiql__skip_word(parser, ST_PARTIQL__WORD_DISTINCT)) {
        (void)st_partiql__skip_word(parser, ST_PARTIQL__WORD_ALL);
    }
    if (parser->at->kind == ST_PARTIQL__STAR) {
        if (!st_partiql__is_text(name, "count")) {
            return st_fail(parser->op, ST_INVALID_ARGUMENT,
                           ST_PARTIQL__NOT_WELL_FORMED "%.*s(*) is not allowed", (int)name.size,
                           (const char *)name.data);
        }
        parser->at++;
        return partiql_expect(parser, ST_PARTIQL__RIGHT_PAREN);
    }
    return st_partiql__skip(parser, ST_PARTIQL__RIGHT_PAREN)
               ? ST_OK
               : partiql_children(parser, *out_tree, ST_PARTIQL__RIGHT_PAREN);
}

static st_status partiql_case(st_partiql__parser *parser, st_partiql__tree **out_tree)
{
    const st_partiql__token *token = parser->at++;
    bool is_searched = st_partiql__at_word(parser, ST_PARTIQL__WORD_WHEN);
    ST_TRY(st_partiql__tree_new(
        parser, is_searched ? ST_PARTIQL__TREE_SEARCHED_CASE : ST_PARTIQL__TREE_SIMPLE_CASE, token,
        out_tree));
    if (!is_searched) {
        ST_TRY(partiql_child(parser, 0, *out_tree));
        if (!st_partiql__at_word(parser, ST_PARTIQL__WORD_WHEN)) {
            return st_partiql__malformed(parser, "Expected a WHEN clause in CASE");
        }
    }
    while (st_partiql__skip_word(parser, ST_PARTIQL__WORD_WHEN)) {
        ST_TRY(partiql_child(parser, 0, *out_tree));
        if (!st_partiql__skip_word(parser, ST_PARTIQL__WORD_THEN)) {
            return st_partiql__malformed(parser, "Expected THEN keyword");
        }
        ST_TRY(partiql_child(parser, 0, *out_tree));
    }
    if (st_partiql__skip_word(parser, ST_PARTIQL__WORD_ELSE)) {
        ST_TRY(partiql_child(parser, 0, *out_tree));
    }
    return st_partiql__skip_word(parser, ST_PARTIQL__WORD_END)
               ? ST_OK
               : st_partiql__malformed(parser, "Expected END keyword");
}

static st_status partiql_atom(st_partiql__parser *parser, st_partiql__tree_kind kind,
                              st_partiql__tree **out_tree)
{
    ST_TRY(st_partiql__tree_new(parser, kind, parser->at, out_tree));
    parser->at++;
    return ST_OK;
}

static st_status partiql_keyword(st_partiql__parser *parser, st_partiql__tree **out_tree)
{
    switch ((st_partiql__word)parser->at->word) {
    case ST_PARTIQL__WORD_TRUE:
        return partiql_atom(parser, ST_PARTIQL__TREE_TRUE, out_tree);
    case ST_PARTIQL__WORD_FALSE:
        return partiql_atom(parser, ST_PARTIQL__TREE_FALSE, out_tree);
    case ST_PARTIQL__WORD_NULL:
        return partiql_atom(parser, ST_PARTIQL__TREE_NULL, out_tree);
    case ST_PARTIQL__WORD_MISSING:
        return partiql_atom(parser, ST_PARTIQL__TREE_MISSING, out_tree);
    case ST_PARTIQL__WORD_CASE:
        return partiql_case(parser, out_tree);
    case ST_PARTIQL__WORD_SELECT:
        return st_partiql__form_parse(parser, out_tree);
    default:
        break;
    }
    if (parser->at->word == ST_PARTIQL__WORD_FUNCTION &&
        parser->at[1].kind == ST_PARTIQL__LEFT_PAREN) {
        return partiql_call(parser, out_tree);
    }
    if (parser->depth == 1 && st_partiql__at_statement(parser)) {
        return st_partiql__form_parse(parser, out_tree);
    }
    return st_partiql__malformed(parser, "Unexpected keyword");
}

static st_status partiql_operator_term(st_partiql__parser *parser, st_partiql__tree **out_tree)
{
    if (parser->at->operator_ != ST_PARTIQL__OP_SCOPE) {
        return st_partiql__malformed(parser, "Unexpected operator");
    }
    parser->at++;
    if (parser->at->kind != ST_PARTIQL__NAME && parser->at->kind != ST_PARTIQL__QUOTED_NAME) {
        return st_partiql__malformed(parser, "Identifier must follow @-operator");
    }
    return partiql_atom(parser, ST_PARTIQL__TREE_ID, out_tree);
}

static st_status partiql_term(st_partiql__parser *parser, st_partiql__tree **out_tree)
{
    switch ((st_partiql__token_kind)parser->at->kind) {
    case ST_PARTIQL__NAME:
    case ST_PARTIQL__QUOTED_NAME:
        return parser->at[1].kind == ST_PARTIQL__LEFT_PAREN
                   ? partiql_call(parser, out_tree)
                   : partiql_atom(parser, ST_PARTIQL__TREE_ID, out_tree);
    case ST_PARTIQL__KEYWORD:
        return partiql_keyword(parser, out_tree);
    case ST_PARTIQL__OPERATOR:
        return partiql_operator_term(parser, out_tree);
    case ST_PARTIQL__STRING:
        return partiql_atom(parser, ST_PARTIQL__TREE_STRING, out_tree);
    case ST_PARTIQL__NUMBER:
        return partiql_atom(parser, ST_PARTIQL__TREE_NUMBER, out_tree);
    case ST_PARTIQL__ION:
        return partiql_atom(parser, ST_PARTIQL__TREE_ION, out_tree);
    case ST_PARTIQL__QUESTION:
        return partiql_atom(parser, ST_PARTIQL__TREE_PARAMETER, out_tree);
    case ST_PARTIQL__LEFT_PAREN:
        return partiql_group(parser, out_tree);
    case ST_PARTIQL__LEFT_BRACKET:
        return partiql_container(parser, ST_PARTIQL__TREE_LIST, ST_PARTIQL__RIGHT_BRACKET,
                                 out_tree);
    case ST_PARTIQL__LEFT_CURLY:
        return partiql_container(parser, ST_PARTIQL__TREE_STRUCT, ST_PARTIQL__RIGHT_CURLY,
                                 out_tree);
    case ST_PARTIQL__LEFT_DOUBLE_ANGLE_BRACKET:
        return partiql_container(parser, ST_PARTIQL__TREE_BAG,
                                 ST_PARTIQL__RIGHT_DOUBLE_ANGLE_BRACKET, out_tree);
    default:
        return st_partiql__malformed(parser, "Unexpected term");
    }
}

/* ---- paths ------------------------------------------------------------------------------ */

static st_status partiql_dot_step(st_partiql__parser *parser, bool is_simple,
                                  st_partiql__tree **out_step)
{
    parser->at++;
    switch ((st_partiql__token_kind)parser->at->kind) {
    case ST_PARTIQL__NAME:
    case ST_PARTIQL__QUOTED_NAME:
        return partiql_atom(parser, ST_PARTIQL__TREE_ID, out_step);
    case ST_PARTIQL__STAR:
        return is_simple
                   ? st_partiql__malformed(parser, "Invalid path dot component for simple path")
                   : partiql_atom(parser, ST_PARTIQL__TREE_STAR, out_step);
    default:
        return st_partiql__malformed(parser, "Invalid path dot component");
    }
}

static st_status partiql_bracket_step(st_partiql__parser *parser, bool is_simple,
                                      st_partiql__tree **out_step)
{
    parser->at++;
    if (parser->at->kind == ST_PARTIQL__STAR) {
        ST_TRY(partiql_atom(parser, ST_PARTIQL__TREE_STAR, out_step));
    } else {
        ST_TRY(st_partiql__expression(parser, 0, out_step));
    }
    (*out_step)->is_group = true;
    ST_TRY(partiql_expect(parser, ST_PARTIQL__RIGHT_BRACKET));
    bool is_literal =
        (*out_step)->kind >= ST_PARTIQL__TREE_STRING && (*out_step)->kind <= ST_PARTIQL__TREE_NULL;
    return is_simple && !is_literal
               ? st_partiql__malformed(parser, "Invalid path component for simple path")
               : ST_OK;
}

/* Behind the root, which becomes the first child of a PATH when steps follow. */
static st_status partiql_steps(st_partiql__parser *parser, bool is_simple,
                               st_partiql__tree **tree_in_out)
{
    st_partiql__tree *root = *tree_in_out, *path = NULL;
    for (;;) {
        bool is_dot = parser->at->kind == ST_PARTIQL__DOT;
        if (!is_dot && parser->at->kind != ST_PARTIQL__LEFT_BRACKET) {
            return ST_OK;
        }
        if (!path) {
            st_partiql__token at_root = {.position = root->position};
            ST_TRY(st_partiql__tree_new(parser, ST_PARTIQL__TREE_PATH, &at_root, &path));
            ST_TRY(st_partiql__tree_add(parser, path, root));
            *tree_in_out = path;
        }
        st_partiql__tree *step;
        ST_TRY(is_dot ? partiql_dot_step(parser, is_simple, &step)
                      : partiql_bracket_step(parser, is_simple, &step));
        ST_TRY(st_partiql__tree_add(parser, path, step));
    }
}

st_status st_partiql__simple_path(st_partiql__parser *parser, st_partiql__tree **out_tree)
{
    *out_tree = NULL;
    if (parser->at->kind != ST_PARTIQL__NAME && parser->at->kind != ST_PARTIQL__QUOTED_NAME) {
        return st_partiql__malformed(parser, "Expected identifier for simple path");
    }
    ST_TRY(partiql_atom(parser, ST_PARTIQL__TREE_ID, out_tree));
    return partiql_steps(parser, true, out_tree);
}

/* ---- operators -------------------------------------------------------------------------- */

static st_status partiql_not_row(st_partiql__parser *parser, st_partiql__tree **out_tree)
{
    const st_partiql__token *first = parser->at;
    while (st_partiql__skip_word(parser, ST_PARTIQL__WORD_NOT)) {
    }
    const st_partiql__token *behind = parser->at;
    int precedence = st_partiql__operator_precedence(ST_PARTIQL__OP_NOT);
    ST_TRY(st_partiql__expression(parser, precedence, out_tree));
    for (const st_partiql__token *token = behind; token > first; token--) {
        st_partiql__tree *operand = *out_tree;
        ST_TRY(st_partiql__tree_new(parser, ST_PARTIQL__TREE_OPERATOR, token - 1, out_tree));
        ST_TRY(st_partiql__tree_add(parser, *out_tree, operand));
    }
    return ST_OK;
}

static st_status partiql_sign_term(st_partiql__parser *parser, st_partiql__tree **out_tree)
{
    const st_partiql__token *sign = parser->at++;
    ST_TRY(partiql_unary(parser, out_tree));
    if ((*out_tree)->kind == ST_PARTIQL__TREE_NUMBER) {
        (*out_tree)->is_negative ^= sign->operator_ == ST_PARTIQL__OP_MINUS;
        return ST_OK;
    }
    st_partiql__tree *operand = *out_tree;
    ST_TRY(st_partiql__tree_new(parser, ST_PARTIQL__TREE_OPERATOR, sign, out_tree));
    return st_partiql__tree_add(parser, *out_tree, operand);
}

static st_status partiql_nested(st_partiql__parser *parser)
{
    return parser->depth > ST_PARTIQL__DEPTH_MAX
               ? st_partiql__malformed(parser, "Expression is nested too deeply")
               : ST_OK;
}

static st_status partiql_unary(st_partiql__parser *parser, st_partiql__tree **out_tree)
{
    const st_partiql__token *at = parser->at;
    if (at->kind == ST_PARTIQL__OPERATOR && at->operator_ == ST_PARTIQL__OP_NOT) {
        return partiql_not_row(parser, out_tree);
    }
    if (at->kind == ST_PARTIQL__OPERATOR &&
        (at->operator_ == ST_PARTIQL__OP_PLUS || at->operator_ == ST_PARTIQL__OP_MINUS)) {
        parser->depth++;
        ST_TRY(partiql_nested(parser));
        ST_TRY(partiql_sign_term(parser, out_tree));
        parser->depth--;
        return ST_OK;
    }
    ST_TRY(partiql_term(parser, out_tree));
    return partiql_steps(parser, false, out_tree);
}

/* The type behind IS, and a NOT before it. */
static st_status partiql_is(st_partiql__parser *parser, st_partiql__tree *left,
                            st_partiql__tree **out_tree)
{
    const st_partiql__token *is = parser->at++;
    const st_partiql__token *negation = parser->at;
    bool is_negated = st_partiql__skip_word(parser, ST_PARTIQL__WORD_NOT);
    const st_partiql__token *type = parser->at;
    st_slice text = type->text;
    bool is_double =
        (type->word == ST_PARTIQL__WORD_DOUBLE && type[1].word == ST_PARTIQL__WORD_PRECISION) ||
        (type->word == ST_PARTIQL__WORD_CHARACTER && type[1].word == ST_PARTIQL__WORD_VARYING);
    if (is_double) {
        text = st_slice_str(type->word == ST_PARTIQL__WORD_DOUBLE ? "double precision"
                                                                  : "character varying");
    }
    st_type known;
    const char *other;
    if (type->kind != ST_PARTIQL__KEYWORD || !st_partiql__type_of(text, &known, &other)) {
        return st_partiql__malformed(parser, "Expected type name");
    }
    parser->at += is_double ? 2 : 1;
    ST_TRY(st_partiql__tree_new(parser, ST_PARTIQL__TREE_IS, is, out_tree));
    (*out_tree)->text = text;
    (*out_tree)->type_position = type->position;
    ST_TRY(st_partiql__tree_add(parser, *out_tree, left));
    if (!is_negated) {
        return ST_OK;
    }
    st_partiql__tree *operand = *out_tree;
    ST_TRY(st_partiql__tree_new(parser, ST_PARTIQL__TREE_OPERATOR, negation, out_tree));
    return st_partiql__tree_add(parser, *out_tree, operand);
}

/* Everything behind the operator, as the next children of tree. */
static st_status partiql_right(st_partiql__parser *parser, st_partiql__tree *tree)
{
    st_partiql__operator operator_ = (st_partiql__operator)tree->operator_;
    int precedence = st_partiql__operator_precedence(operator_);
    if (operator_ == ST_PARTIQL__OP_IN && parser->at->kind == ST_PARTIQL__LEFT_PAREN &&
        parser->at[1].word != ST_PARTIQL__WORD_SELECT &&
        parser->at[1].word != ST_PARTIQL__WORD_VALUES) {
        st_partiql__tree *list;
        ST_TRY(st_partiql__tree_new(parser, ST_PARTIQL__TREE_LIST, parser->at, &list));
        parser->at++;
        ST_TRY(partiql_children(parser, list, ST_PARTIQL__RIGHT_PAREN));
        return st_partiql__tree_add(parser, tree, list);
    }
    if (operator_ == ST_PARTIQL__OP_UNION || operator_ == ST_PARTIQL__OP_EXCEPT ||
        operator_ == ST_PARTIQL__OP_INTERSECT) {
        if (!st_partiql__skip_word(parser, ST_PARTIQL__WORD_ALL)) {
            (void)st_partiql__skip_word(parser, ST_PARTIQL__WORD_DISTINCT);
        }
    }
    if (parser->at->kind == ST_PARTIQL__EOF) {
        return st_partiql__malformed(parser,
                                     "Missing right-hand side expression of infix operator");
    }
    ST_TRY(partiql_child(parser, precedence, tree));
    if (operator_ == ST_PARTIQL__OP_BETWEEN) {
        if (!st_partiql__skip_word(parser, ST_PARTIQL__WORD_AND)) {
            return st_partiql__malformed(parser, "Expected AND keyword");
        }
        return st_partiql__at_end(parser)
                   ? st_partiql__malformed(parser, "Expected expression after AND")
                   : partiql_child(parser, precedence, tree);
    }
    if (operator_ == ST_PARTIQL__OP_LIKE &&
        st_partiql__skip_word(parser, ST_PARTIQL__WORD_ESCAPE)) {
        return st_partiql__at_end(parser)
                   ? st_partiql__malformed(parser, "Expected expression after ESCAPE")
                   : partiql_child(parser, precedence, tree);
    }
    return ST_OK;
}

/* The infix operator at the parser, and whether NOT comes before it; NONE when there is none. */
static st_partiql__operator partiql_infix_at(const st_partiql__parser *parser, bool *out_negated)
{
    const st_partiql__token *at = parser->at;
    *out_negated = false;
    if (at->kind != ST_PARTIQL__OPERATOR && at->kind != ST_PARTIQL__STAR) {
        return ST_PARTIQL__OP_NONE;
    }
    if (at->operator_ != ST_PARTIQL__OP_NOT) {
        return (st_partiql__operator)at->operator_;
    }
    *out_negated = true;
    switch ((st_partiql__word)at[1].word) {
    case ST_PARTIQL__WORD_IN:
        return ST_PARTIQL__OP_IN;
    case ST_PARTIQL__WORD_BETWEEN:
        return ST_PARTIQL__OP_BETWEEN;
    case ST_PARTIQL__WORD_LIKE:
        return ST_PARTIQL__OP_LIKE;
    default:
        return ST_PARTIQL__OP_NONE;
    }
}

static st_status partiql_infix(st_partiql__parser *parser, st_partiql__operator operator_,
                               bool is_negated, st_partiql__tree **tree_in_out)
{
    st_partiql__tree *left = *tree_in_out;
    if (operator_ == ST_PARTIQL__OP_IS) {
        return partiql_is(parser, left, tree_in_out);
    }
    const st_partiql__token *first = parser->at;
    const st_partiql__token *token = first + is_negated;
    parser->at = token + 1;
    bool is_row = operator_ == ST_PARTIQL__OP_AND || operator_ == ST_PARTIQL__OP_OR;
    if (is_row && left->kind == ST_PARTIQL__TREE_OPERATOR && left->operator_ == operator_ &&
        !left->is_group) {
        return partiql_right(parser, left);
    }
    ST_TRY(st_partiql__tree_new(parser, ST_PARTIQL__TREE_OPERATOR, token, tree_in_out));
    ST_TRY(st_partiql__tree_add(parser, *tree_in_out, left));
    ST_TRY(partiql_right(parser, *tree_in_out));
    if (!is_negated) {
        return ST_OK;
    }
    st_partiql__tree *operand = *tree_in_out;
    ST_TRY(st_partiql__tree_new(parser, ST_PARTIQL__TREE_OPERATOR, first, tree_in_out));
    return st_partiql__tree_add(parser, *tree_in_out, operand);
}

st_status st_partiql__expression(st_partiql__parser *parser, int precedence,
                                 st_partiql__tree **out_tree)
{
    *out_tree = NULL;
    parser->depth++;
    ST_TRY(partiql_nested(parser));
    ST_TRY(partiql_unary(parser, out_tree));
    for (;;) {
        bool is_negated;
        st_partiql__operator operator_ = partiql_infix_at(parser, &is_negated);
        if (st_partiql__operator_precedence(operator_) <= precedence) {
            break;
        }
        ST_TRY(partiql_infix(parser, operator_, is_negated, out_tree));
    }
    parser->depth--;
    return ST_OK;
}
