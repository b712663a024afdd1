/* What the files of expr share: tokens and the parser on top of them. */
#ifndef STATOR_EXPR_EXPR_INTERNAL_H
#define STATOR_EXPR_EXPR_INTERNAL_H

#include "expr/expr.h"

typedef enum st_token_kind {
    ST_TOKEN_END,
    ST_TOKEN_NAME, /* a word: attribute or function */
    ST_TOKEN_AND,  /* keywords, in any case: these in conditions only */
    ST_TOKEN_OR,
    ST_TOKEN_NOT,
    ST_TOKEN_IN,
    ST_TOKEN_BETWEEN,
    ST_TOKEN_SET, /* and these in updates only; in the order of st_action_kind */
    ST_TOKEN_REMOVE,
    ST_TOKEN_ADD,
    ST_TOKEN_DELETE,
    ST_TOKEN_HASH,   /* #placeholder */
    ST_TOKEN_COLON,  /* :placeholder */
    ST_TOKEN_NUMBER, /* digits */
    ST_TOKEN_SIGN,   /* one of ( ) [ ] , . + - = < > */
    ST_TOKEN_NOT_EQUAL,
    ST_TOKEN_AT_MOST,
    ST_TOKEN_AT_LEAST,
    ST_TOKEN_OTHER, /* what no grammar knows */
} st_token_kind;

typedef struct st_token {
    st_token_kind kind;
    uint32_t begin, end; /* in the text */
    uint8_t sign;        /* SIGN */
} st_token;

/* One expression while it is parsed: the token before, the current one, and the one behind are
 * enough for every decision and every message. */
typedef struct st_parser {
    st_op *op;
    st_expr_kind kind;
    st_slice text;
    st_expr_scope *scope;
    st_token before, token, behind;
    uint32_t operator_count;
    uint32_t depth;
    bool has_undefined; /* a placeholder that the scope does not define */
    /* the leftmost complaint that is not about grammar: it is told when the grammar is right */
    st_status complaint;
    int64_t complaint_position;
    char complaint_text[ST_ERROR_MESSAGE_MAX]; /* last: undefined without a complaint */
} st_parser;

/* Refuses empty and oversized texts and goes to the first token. */
st_status st_expr__begin(st_parser *parser, st_op *op, st_expr_kind kind, st_slice text,
                         st_expr_scope *scope) ST_MUST_USE;
void st_expr__advance(st_parser *parser);
/* Refuses the current token. */
st_status st_expr__syntax_error(st_parser *parser) ST_MUST_USE;
bool st_expr__is_sign(const st_parser *parser, char sign);
bool st_expr__is_call(const st_parser *parser); /* a word and a parenthesis behind it */
st_status st_expr__expect_sign(st_parser *parser, char sign) ST_MUST_USE;
/* The text must be at its end; then tells the complaint, if there is one. */
st_status st_expr__finish(st_parser *parser) ST_MUST_USE;
/* Counts one more function, or group around an operand, at the current token; too many are refused.
 */
st_status st_expr__enter(st_parser *parser) ST_MUST_USE;
/* Behind what a group around an operand holds: its parenthesis, and whether that is a group. */
st_status st_expr__leave_group(st_parser *parser, int64_t position, bool holds_group) ST_MUST_USE;
st_status st_expr__redundant(st_parser *parser, int64_t position) ST_MUST_USE;
/* Notes a complaint, without the "Invalid ...Expression: " in front. */
void st_expr__complain(st_parser *parser, int64_t position, const char *format, ...)
    ST_PRINTF(3, 4);
st_slice st_expr__text(const st_parser *parser, const st_token *token);
/* Fails with "Invalid ...Expression: " in front. */
st_status st_expr__fail(st_op *op, st_expr_kind kind, int64_t position, const char *format, ...)
    ST_PRINTF(4, 5) ST_MUST_USE;

/* A document path at the current token. */
st_status st_expr__path(st_parser *parser, st_path *out_path) ST_MUST_USE;
bool st_expr__is_path(const st_parser *parser);
st_status st_expr__resolve_path(st_op *op, st_expr_kind kind, st_path *path,
                                st_expr_scope *scope) ST_MUST_USE;
/* What the placeholder stands for, which is used from now on; NULL: it is not defined. */
const st_expr_name *st_expr__use_name(st_expr_scope *scope, st_slice placeholder);
const st_expr_value *st_expr__use_value(st_expr_scope *scope, st_slice placeholder);
/* The :placeholder at the current token. */
void st_expr__value(st_parser *parser, st_slice *out_placeholder, st_value *out_value);
st_status st_expr__resolve_value(st_op *op, st_expr_kind kind, int64_t position,
                                 st_slice placeholder, st_expr_scope *scope,
                                 st_value *out_value) ST_MUST_USE;
bool st_expr__is_reserved(st_slice word);
st_function st_expr__function(st_slice word);
const char *st_expr__function_name(st_function function);

/* Whether paths overlap (one is the other, or leads through it) or conflict (one goes on with a
 * name where the other goes on with an index). */
typedef enum st_path_relation {
    ST_PATHS_APART,
    ST_PATHS_OVERLAP,
    ST_PATHS_CONFLICT,
} st_path_relation;

st_path_relation st_expr__relation(const st_path *a, const st_path *b);
/* Sorts so that paths through one container are neighbours: a container's own path comes before
 * those that lead through it, names before indexes, both in the order items have. */
void st_expr__sort_paths(const st_path **paths, uint32_t count);
/* Refuses two paths that overlap or conflict. */
st_status st_expr__check_paths(st_op *op, st_expr_kind kind, const st_path *const *paths,
                               uint32_t count) ST_MUST_USE;
/* Types of operands, bounds of BETWEEN, operands that must differ: in the node and below it. */
st_status st_expr__check_node(st_op *op, st_expr_kind kind, const st_node *node) ST_MUST_USE;
bool st_expr__values_equal(const st_value *a, const st_value *b);
/* "{S:a}", as the service prints a value that has an order in its messages. */
void st_expr__print_value(const st_value *value, st_buf *out);

#endif
