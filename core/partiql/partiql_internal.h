/* What the files of partiql share: tokens, the tree that the grammar makes, the parse itself.
 *
 * Parsing has three stages: lex.c makes tokens of the whole text, grammar.c and clauses.c make a
 * tree of them that follows PartiQL and knows nothing of DynamoDB, terms.c and statement.c turn the
 * tree into a statement and refuse what the service does not have. operands.c judges the finished
 * expressions.
 *
 * Invariant: every recursion is bounded by ST_PARTIQL__DEPTH_MAX (brackets, checked by the grammar)
 * or ST_PARTIQL__HEIGHT_MAX (trees, checked where a node gets its children).
 */
#ifndef STATOR_PARTIQL_PARTIQL_INTERNAL_H
#define STATOR_PARTIQL_PARTIQL_INTERNAL_H

#include "partiql/partiql.h"

#define ST_PARTIQL__DEPTH_MAX 128u
#define ST_PARTIQL__HEIGHT_MAX 512u

#define ST_PARTIQL__NOT_WELL_FORMED "Statement wasn't well formed, can't be processed: "
#define ST_PARTIQL__INVALID "One or more parameter values were invalid: "

/* ---- tokens ----------------------------------------------------------------------------- */

typedef enum st_partiql__token_kind {
    ST_PARTIQL__EOF,
    ST_PARTIQL__NAME,        /* an identifier that is no keyword */
    ST_PARTIQL__QUOTED_NAME, /* "..." */
    ST_PARTIQL__KEYWORD,
    ST_PARTIQL__STRING,
    ST_PARTIQL__NUMBER,
    ST_PARTIQL__ION, /* `...` */
    ST_PARTIQL__QUESTION,
    ST_PARTIQL__OPERATOR, /* signs and words; STAR, DOT and the brackets are kinds of their own */
    ST_PARTIQL__STAR,
    ST_PARTIQL__DOT,
    ST_PARTIQL__COMMA,
    ST_PARTIQL__COLON,
    ST_PARTIQL__SEMICOLON,
    ST_PARTIQL__LEFT_PAREN,
    ST_PARTIQL__RIGHT_PAREN,
    ST_PARTIQL__LEFT_BRACKET,
    ST_PARTIQL__RIGHT_BRACKET,
    ST_PARTIQL__LEFT_CURLY,
    ST_PARTIQL__RIGHT_CURLY,
    ST_PARTIQL__LEFT_DOUBLE_ANGLE_BRACKET,
    ST_PARTIQL__RIGHT_DOUBLE_ANGLE_BRACKET,
} st_partiql__token_kind;

/* Keywords that the grammar asks for; all others are ST_PARTIQL__WORD_OTHER. */
typedef enum st_partiql__word {
    ST_PARTIQL__WORD_NONE,
    ST_PARTIQL__WORD_OTHER,
    ST_PARTIQL__WORD_FUNCTION, /* a keyword that may be called */
#define ST_PARTIQL__WORD(name) ST_PARTIQL__WORD_##name,
#include "partiql/words.def"
#undef ST_PARTIQL__WORD
} st_partiql__word;

/* Operators of the grammar, more than the dialect has. */
typedef enum st_partiql__operator {
    ST_PARTIQL__OP_NONE,
#define ST_PARTIQL__OP(name, text, precedence) ST_PARTIQL__OP_##name,
#include "partiql/operators.def"
#undef ST_PARTIQL__OP
} st_partiql__operator;

typedef struct st_partiql__token {
    uint8_t kind;      /* st_partiql__token_kind */
    uint8_t word;      /* KEYWORD, and operators that are words: st_partiql__word */
    uint8_t operator_; /* OPERATOR and STAR: st_partiql__operator */
    st_partiql_position position;
    uint32_t parameter; /* QUESTION: from 0 */
    st_slice text;      /* unquoted; keywords as written */
} st_partiql__token;

/* Makes the tokens of a whole text; the last is EOF. */
st_status st_partiql__lex(st_op *op, st_slice text, st_partiql__token **out_tokens,
                          uint32_t *out_parameter_count) ST_MUST_USE;

/* The keyword of an identifier, case aside; NONE when it is none. */
st_partiql__word st_partiql__word_of(st_slice text);
bool st_partiql__is_text(st_slice text, const char *lower); /* equal, ASCII case aside */
const char *st_partiql__operator_text(st_partiql__operator op);
int st_partiql__operator_precedence(st_partiql__operator op);
/* The type that IS may ask for, or the name that the service has for another; false: no type. */
bool st_partiql__type_of(st_slice text, st_type *out_type, const char **out_other);

/* ---- the tree of the grammar ------------------------------------------------------------ */

typedef enum st_partiql__tree_kind {
    ST_PARTIQL__TREE_ID,
    ST_PARTIQL__TREE_STRING,
    ST_PARTIQL__TREE_NUMBER,
    ST_PARTIQL__TREE_TRUE,
    ST_PARTIQL__TREE_FALSE,
    ST_PARTIQL__TREE_NULL,
    ST_PARTIQL__TREE_MISSING,
    ST_PARTIQL__TREE_ION,
    ST_PARTIQL__TREE_PARAMETER,
    ST_PARTIQL__TREE_LIST,
    ST_PARTIQL__TREE_BAG,
    ST_PARTIQL__TREE_STRUCT, /* children: name, value, name, value, ... */
    ST_PARTIQL__TREE_PATH,   /* root, then steps: ID by a dot, STAR, others in brackets */
    ST_PARTIQL__TREE_STAR,
    ST_PARTIQL__TREE_CALL, /* text: the name */
    ST_PARTIQL__TREE_OPERATOR,
    ST_PARTIQL__TREE_IS, /* text: the type */
    ST_PARTIQL__TREE_SIMPLE_CASE,
    ST_PARTIQL__TREE_SEARCHED_CASE,
    ST_PARTIQL__TREE_STATEMENT,
} st_partiql__tree_kind;

typedef struct st_partiql__form st_partiql__form;
typedef struct st_partiql__tree st_partiql__tree;
struct st_partiql__tree {
    uint8_t kind;      /* st_partiql__tree_kind */
    uint8_t operator_; /* OPERATOR */
    bool is_negative;  /* NUMBER: a minus before it; terms of ORDER BY: DESC behind it */
    bool is_group;     /* in parentheses, or a step in brackets */
    uint16_t height;
    uint32_t parameter;
    uint32_t count;
    st_partiql_position position, type_position; /* the latter: IS */
    st_slice text;
    st_partiql__tree *first, *last, *next;
    const st_partiql__form *form; /* STATEMENT */
};

/* A statement as written. */
typedef struct st_partiql__list {
    uint32_t count;
    st_partiql__tree *first, *last;
} st_partiql__list;

struct st_partiql__form {
    st_partiql_verb verb;
    bool is_all, is_aliased;
    uint8_t returning;           /* st_partiql_returning */
    st_partiql__list projection; /* SELECT */
    st_partiql__list from;       /* SELECT: any expressions; others: one path */
    st_partiql__tree *where;
    const char *unsupported; /* the first clause that the service does not have */
    st_partiql_position unsupported_position;
    st_partiql__list order;
    st_partiql__list targets, values; /* SET, in pairs */
    st_partiql__list removals;
    st_partiql__tree *item; /* INSERT */
};

/* The whole parse. */
typedef struct st_partiql__parser {
    st_op *op;
    const st_partiql__token *at;
    uint32_t depth;
    const st_slice *parameters;
    uint32_t parameter_count;
} st_partiql__parser;

/* INVALID_ARGUMENT: {not well formed}detail */
st_status st_partiql__malformed(st_partiql__parser *parser, const char *detail) ST_MUST_USE;
st_status st_partiql__tree_new(st_partiql__parser *parser, st_partiql__tree_kind kind,
                               const st_partiql__token *token,
                               st_partiql__tree **out_tree) ST_MUST_USE;
/* Fails when the tree grows too high. */
st_status st_partiql__tree_add(st_partiql__parser *parser, st_partiql__tree *parent,
                               st_partiql__tree *child) ST_MUST_USE;
void st_partiql__list_add(st_partiql__list *list, st_partiql__tree *tree);
/* precedence: of the operator on the left, 0 for none */
st_status st_partiql__expression(st_partiql__parser *parser, int precedence,
                                 st_partiql__tree **out_tree) ST_MUST_USE;
/* A path of names and literals. */
st_status st_partiql__simple_path(st_partiql__parser *parser,
                                  st_partiql__tree **out_tree) ST_MUST_USE;
bool st_partiql__at_word(const st_partiql__parser *parser, st_partiql__word word);
bool st_partiql__skip_word(st_partiql__parser *parser, st_partiql__word word);
bool st_partiql__skip(st_partiql__parser *parser, st_partiql__token_kind kind);
bool st_partiql__at_end(const st_partiql__parser *parser); /* EOF, or a last semicolon */
/* At SELECT, INSERT, UPDATE, DELETE or FROM. */
bool st_partiql__at_statement(const st_partiql__parser *parser);
st_status st_partiql__form_parse(st_partiql__parser *parser,
                                 st_partiql__tree **out_tree) ST_MUST_USE;

/* ---- from the tree to the statement ----------------------------------------------------- */

/* " at line:column:length" in a format, and its arguments. */
#define ST_PARTIQL__AT " at %u:%u:%u"
#define ST_PARTIQL__AT_OF(position) (position).line, (position).column, (position).length

/* What the service calls a tree in its messages: "Id", "Lit", "Struct". */
const char *st_partiql__tree_name(const st_partiql__tree *tree);
bool st_partiql__is_literal(const st_partiql__tree *tree); /* may st_partiql__literal take it */
/* The relaxed bytes of a literal or parameter, in the arena. is_item: the outermost struct is an
 * item, which does not count as a level of nesting. */
st_status st_partiql__literal(st_partiql__parser *parser, const st_partiql__tree *tree,
                              bool is_item, st_slice *out_value) ST_MUST_USE;
st_status st_partiql__path(st_partiql__parser *parser, const st_partiql__tree *tree,
                           st_partiql_path *out_path) ST_MUST_USE;
bool st_partiql__is_path(const st_partiql__tree *tree);
st_status st_partiql__condition(st_partiql__parser *parser, const st_partiql__tree *tree,
                                st_partiql_node *out_node) ST_MUST_USE;
st_status st_partiql__assigned(st_partiql__parser *parser, const st_partiql__tree *tree,
                               st_partiql_node *out_node) ST_MUST_USE;
st_status st_partiql__statement(st_partiql__parser *parser, const st_partiql__tree *tree,
                                st_partiql_statement **out_statement) ST_MUST_USE;
st_status st_partiql__check_operands(st_op *op, const st_partiql_statement *statement) ST_MUST_USE;

/* ---- values ----------------------------------------------------------------------------- */

/* Text for a message; what does not fit is left out, whole characters at a time. */
typedef struct st_partiql__line {
    char text[ST_ERROR_MESSAGE_MAX]; /* NUL behind it */
    size_t size;
} st_partiql__line;

void st_partiql__line_add(st_partiql__line *line, st_slice text);
void st_partiql__line_number(st_partiql__line *line, uint32_t number);
/* "[a, b]" */
void st_partiql__line_list(st_partiql__line *line, const st_slice *slices, uint32_t count);

st_status st_partiql__check_parameter(st_op *op, st_slice parameter) ST_MUST_USE;
/* Whether a slice repeats an earlier one. */
st_status st_partiql__repeats(st_op *op, const st_slice *slices, uint32_t count,
                              bool *out_repeats) ST_MUST_USE;
/* The ordered form of a number in the arena. */
st_status st_partiql__number_form(st_op *op, const st_number *number,
                                  st_slice *out_form) ST_MUST_USE;
void *st_partiql__alloc(st_op *op, size_t count, size_t bytes); /* zeroed; NULL: recorded */

#endif
