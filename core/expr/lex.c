/* Tokens, and what every parser of expressions does with them.
 *
 * The service's syntax error shows the offending token and what is near: from the token before it
 * to the one behind it, with the blanks as written. So the parser always has three tokens. What is
 * wrong besides grammar (reserved words, unknown functions) is told only when the grammar is right;
 * the leftmost such complaint is kept until then. Redundant parentheses are refused where they
 * close.
 *
 * A name as it is written begins with a letter: an underscore there is a token of its own that no
 * grammar knows, as is every character outside ASCII.
 */
#include "expr/expr_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *st_expr_kind_name(st_expr_kind kind)
{
    static const char *const lex_kinds[] = {
        "ConditionExpression", "FilterExpression",     "KeyConditionExpression",
        "UpdateExpression",    "ProjectionExpression", "SearchConditionExpression",
    };
    return lex_kinds[kind];
}

/* ---- failing ---------------------------------------------------------------------------- */

st_status st_expr__fail(st_op *op, st_expr_kind kind, int64_t position, const char *format, ...)
{
    char text[ST_ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return st_fail_at(op, ST_INVALID_ARGUMENT, position, "Invalid %s: %s", st_expr_kind_name(kind),
                      text);
}

void st_expr__complain(st_parser *parser, int64_t position, const char *format, ...)
{
    if (parser->complaint != ST_OK && position >= parser->complaint_position) {
        return;
    }
    parser->complaint = ST_INVALID_ARGUMENT;
    parser->complaint_position = position;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(parser->complaint_text, sizeof parser->complaint_text, format, arguments);
    va_end(arguments);
}

st_slice st_expr__text(const st_parser *parser, const st_token *token)
{
    return st_slice_of(parser->text.data + token->begin, token->end - token->begin);
}

st_status st_expr__syntax_error(st_parser *parser)
{
    bool is_end = parser->token.kind == ST_TOKEN_END;
    bool has_before = parser->before.end > parser->before.begin;
    size_t begin = has_before ? parser->before.begin : parser->token.begin;
    size_t end = parser->behind.end;
    if (is_end) {
        begin = has_before ? parser->before.begin : 0;
        end = has_before ? parser->before.end : parser->text.size;
    } else if (parser->behind.kind == ST_TOKEN_END) {
        end = parser->token.end;
    }
    st_slice near = st_slice_of(parser->text.data + begin, end - begin);
    st_slice token = is_end ? st_slice_str("<EOF>") : st_expr__text(parser, &parser->token);
    return st_expr__fail(parser->op, parser->kind, (int64_t)parser->token.begin,
                         "Syntax error; token: \"%.*s\", near: \"%.*s\"", (int)token.size,
                         (const char *)token.data, (int)near.size, (const char *)near.data);
}

/* ---- tokens ----------------------------------------------------------------------------- */

#define LEX_BLANK 1u
#define LEX_SIGN 2u
#define LEX_DIGIT 4u
#define LEX_LETTER 8u
#define LEX_UNDERSCORE 16u
#define LEX_PART (LEX_DIGIT | LEX_LETTER | LEX_UNDERSCORE) /* of a word behind its first */

/* What a character is; one that is nothing is a token of its own, or begins a placeholder. */
static const uint8_t lex_classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0,  /* \t \n \r */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  /* none */
    1, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 2, 2, 2, 2, 0,  /* blank ( ) + , - . */
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 0, 0, 2, 2, 2, 0,  /* 0-9 < = > */
    0, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,  /* A-O */
    8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 2, 0, 2, 0, 16, /* P-Z [ ] _ */
    0, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,  /* a-o */
    8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 0, 0, 0, 0, 0,  /* p-z */
};

static bool lex_is(uint8_t byte, uint8_t classes)
{
    return (lex_classes[byte] & classes) != 0;
}

static size_t lex_word_end(st_slice text, size_t at)
{
    while (at < text.size && lex_is(text.data[at], LEX_PART)) {
        at++;
    }
    return at;
}

static bool lex_is_same(st_slice word, const char *upper, size_t bytes)
{
    if (word.size != bytes) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        if ((word.data[i] & 0xdf) != (uint8_t)upper[i]) {
            return false;
        }
    }
    return true;
}

#define LEX_KEYWORD(kind, text)     \
    {                               \
        kind, sizeof text - 1, text \
    }
#define LEX_KEYWORD_BYTES_MAX 7

/* NAME, or the keyword the word is. */
static st_token_kind lex_word_kind(st_expr_kind kind, st_slice word)
{
    static const struct {
        st_token_kind kind;
        uint8_t bytes;
        char text[LEX_KEYWORD_BYTES_MAX + 1];
    } lex_keywords[] = {
        LEX_KEYWORD(ST_TOKEN_AND, "AND"),         LEX_KEYWORD(ST_TOKEN_OR, "OR"),
        LEX_KEYWORD(ST_TOKEN_NOT, "NOT"),         LEX_KEYWORD(ST_TOKEN_IN, "IN"),
        LEX_KEYWORD(ST_TOKEN_BETWEEN, "BETWEEN"), LEX_KEYWORD(ST_TOKEN_SET, "SET"),
        LEX_KEYWORD(ST_TOKEN_REMOVE, "REMOVE"),   LEX_KEYWORD(ST_TOKEN_ADD, "ADD"),
        LEX_KEYWORD(ST_TOKEN_DELETE, "DELETE"),
    };
    if (word.size > LEX_KEYWORD_BYTES_MAX || kind == ST_EXPR_PROJECTION) {
        return ST_TOKEN_NAME;
    }
    int first = kind == ST_EXPR_UPDATE ? 5 : 0, end = kind == ST_EXPR_UPDATE ? 9 : 5;
    for (int i = first; i < end; i++) {
        if (lex_is_same(word, lex_keywords[i].text, lex_keywords[i].bytes)) {
            return lex_keywords[i].kind;
        }
    }
    return ST_TOKEN_NAME;
}

/* One character that no grammar knows; UTF-8 sequences stay whole. */
static size_t lex_other_end(st_slice text, size_t at)
{
    at++;
    while (at < text.size && (text.data[at] & 0xc0) == 0x80) {
        at++;
    }
    return at;
}

static st_token_kind lex_pair(uint8_t first, uint8_t second)
{
    if (first != '<' && first != '>') {
        return ST_TOKEN_SIGN;
    }
    if (second == '=') {
        return first == '<' ? ST_TOKEN_AT_MOST : ST_TOKEN_AT_LEAST;
    }
    return first == '<' && second == '>' ? ST_TOKEN_NOT_EQUAL : ST_TOKEN_SIGN;
}

/* A zero stands alone: "00" is two tokens. */
static size_t lex_number_end(st_slice text, size_t at)
{
    bool is_zero = text.data[at] == '0';
    at++;
    while (!is_zero && at < text.size && lex_is(text.data[at], LEX_DIGIT)) {
        at++;
    }
    return at;
}

static st_token lex_next(st_expr_kind kind, st_slice text, size_t at)
{
    while (at < text.size && lex_is(text.data[at], LEX_BLANK)) {
        at++;
    }
    st_token token = {.kind = ST_TOKEN_END, .begin = (uint32_t)at, .end = (uint32_t)at};
    if (at >= text.size) {
        return token;
    }
    uint8_t byte = text.data[at];
    uint8_t next = at + 1 < text.size ? text.data[at + 1] : 0;
    size_t end = at + 1;
    if (lex_is(byte, LEX_LETTER)) {
        end = lex_word_end(text, end);
        token.kind = lex_word_kind(kind, st_slice_of(text.data + at, end - at));
    } else if (lex_is(byte, LEX_SIGN)) {
        token.kind = lex_pair(byte, next);
        end += token.kind != ST_TOKEN_SIGN;
        token.sign = byte;
    } else if ((byte == '#' || byte == ':') && lex_is(next, LEX_PART)) {
        end = lex_word_end(text, end);
        token.kind = byte == '#' ? ST_TOKEN_HASH : ST_TOKEN_COLON;
    } else if (lex_is(byte, LEX_DIGIT)) {
        end = lex_number_end(text, at);
        token.kind = ST_TOKEN_NUMBER;
    } else {
        end = lex_other_end(text, at);
        token.kind = ST_TOKEN_OTHER;
    }
    token.end = (uint32_t)end;
    return token;
}

void st_expr__advance(st_parser *parser)
{
    parser->before = parser->token;
    parser->token = parser->behind;
    parser->behind = lex_next(parser->kind, parser->text, parser->behind.end);
}

/* ---- beginning and end ------------------------------------------------------------------ */

st_status st_expr__begin(st_parser *parser, st_op *op, st_expr_kind kind, st_slice text,
                         st_expr_scope *scope)
{
    memset(parser, 0, offsetof(st_parser, complaint_text));
    parser->op = op;
    parser->kind = kind;
    parser->text = text;
    parser->scope = scope;
    if (text.size == 0) {
        return st_expr__fail(op, kind, 0, "The expression can not be empty;");
    }
    if (text.size > ST_EXPR_BYTES_MAX) {
        return st_expr__fail(op, kind, ST_EXPR_BYTES_MAX,
                             "Expression size has exceeded the maximum allowed size;");
    }
    parser->token = lex_next(kind, text, 0);
    parser->behind = lex_next(kind, text, parser->token.end);
    return ST_OK;
}

bool st_expr__is_sign(const st_parser *parser, char sign)
{
    return parser->token.kind == ST_TOKEN_SIGN && parser->token.sign == (uint8_t)sign;
}

bool st_expr__is_call(const st_parser *parser)
{
    return parser->token.kind == ST_TOKEN_NAME && parser->behind.kind == ST_TOKEN_SIGN &&
           parser->behind.sign == '(';
}

st_status st_expr__expect_sign(st_parser *parser, char sign)
{
    if (!st_expr__is_sign(parser, sign)) {
        return st_expr__syntax_error(parser);
    }
    st_expr__advance(parser);
    return ST_OK;
}

st_status st_expr__redundant(st_parser *parser, int64_t position)
{
    return st_expr__fail(parser->op, parser->kind, position,
                         "The expression has redundant parentheses;");
}

st_status st_expr__enter(st_parser *parser)
{
    if (++parser->depth <= ST_EXPR_DEPTH_MAX) {
        return ST_OK;
    }
    if (st_expr__is_sign(parser, '(')) { /* so many around an operand */
        return st_expr__redundant(parser, (int64_t)parser->token.begin);
    }
    return st_expr__fail(parser->op, parser->kind, (int64_t)parser->token.begin,
                         "The expression is nested too deeply");
}

st_status st_expr__leave_group(st_parser *parser, int64_t position, bool holds_group)
{
    ST_TRY(st_expr__expect_sign(parser, ')'));
    parser->depth--;
    return holds_group ? st_expr__redundant(parser, position) : ST_OK;
}

st_status st_expr__finish(st_parser *parser)
{
    if (parser->token.kind != ST_TOKEN_END) {
        return st_expr__syntax_error(parser);
    }
    if (parser->complaint != ST_OK) {
        return st_expr__fail(parser->op, parser->kind, parser->complaint_position, "%s",
                             parser->complaint_text);
    }
    if (parser->operator_count > ST_EXPR_OPERATORS_MAX) {
        return st_expr__fail(parser->op, parser->kind, -1,
                             "The expression contains too many operators; operator count: %u",
                             parser->operator_count);
    }
    return ST_OK;
}

/* ---- functions -------------------------------------------------------------------------- */

#define LEX_FUNCTION(text)    \
    {                         \
        sizeof text - 1, text \
    }

/* In the order of st_function. */
static const struct {
    uint8_t bytes;
    char text[23];
} lex_functions[] = {
    LEX_FUNCTION(""),
    LEX_FUNCTION("attribute_exists"),
    LEX_FUNCTION("attribute_not_exists"),
    LEX_FUNCTION("attribute_type"),
    LEX_FUNCTION("begins_with"),
    LEX_FUNCTION("contains"),
    LEX_FUNCTION("size"),
    LEX_FUNCTION("if_not_exists"),
    LEX_FUNCTION("list_append"),
};

st_function st_expr__function(st_slice word)
{
    for (int i = ST_FUNCTION_EXISTS; i <= ST_FUNCTION_LIST_APPEND; i++) {
        if (word.size == lex_functions[i].bytes &&
            memcmp(word.data, lex_functions[i].text, word.size) == 0) {
            return (st_function)i;
        }
    }
    return ST_FUNCTION_NONE;
}

const char *st_expr__function_name(st_function function)
{
    return lex_functions[function].text;
}
