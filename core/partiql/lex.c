/* From the text to tokens.
 *
 * The text is read twice: once to find what is no token at all, which is refused before anything
 * else and without a reason, and to count; once to fill exactly as many tokens. Outside strings,
 * quoted names and comments only ASCII is a token. A doubled quote stands for one.
 *
 * Columns count code points from 1; a line ends with LF, CR, or both.
 */
#include "partiql/partiql_internal.h"

#include <string.h>

typedef struct partiql_lexer {
    st_op *op;
    st_slice text;
    size_t at;
    uint32_t line, column; /* of the code point at at */
    uint32_t parameter_count;
    bool keeps; /* the second reading: strings are copied */
} partiql_lexer;

static st_status partiql_lex_refuse(partiql_lexer *lexer)
{
    size_t at = lexer->at < lexer->text.size ? lexer->at : lexer->text.size;
    return st_fail_at(lexer->op, ST_INVALID_ARGUMENT, (int64_t)at, ST_PARTIQL__NOT_WELL_FORMED);
}

/* 0 behind the end */
static uint8_t partiql_lex_peek(const partiql_lexer *lexer, size_t ahead)
{
    return lexer->at + ahead < lexer->text.size ? lexer->text.data[lexer->at + ahead] : 0;
}

static bool partiql_lex_is_end(const partiql_lexer *lexer)
{
    return lexer->at >= lexer->text.size;
}

static void partiql_lex_skip(partiql_lexer *lexer)
{
    uint8_t byte = partiql_lex_peek(lexer, 0);
    bool is_line_end = byte == '\n' || (byte == '\r' && partiql_lex_peek(lexer, 1) != '\n');
    lexer->at++;
    if (is_line_end) {
        lexer->line++;
        lexer->column = 1;
    } else if ((partiql_lex_peek(lexer, 0) & 0xC0) != 0x80) {
        lexer->column++;
    }
}

static void partiql_lex_skip_bytes(partiql_lexer *lexer, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        partiql_lex_skip(lexer);
    }
}

static bool partiql_lex_is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool partiql_lex_is_name(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           byte == '$';
}

static bool partiql_lex_is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* White space and comments. */
static st_status partiql_lex_gap(partiql_lexer *lexer)
{
    for (;;) {
        uint8_t first = partiql_lex_peek(lexer, 0), second = partiql_lex_peek(lexer, 1);
        if (partiql_lex_is_end(lexer)) {
            return ST_OK;
        }
        if (partiql_lex_is_space(first)) {
            partiql_lex_skip(lexer);
        } else if (first == '-' && second == '-') {
            while (!partiql_lex_is_end(lexer) && partiql_lex_peek(lexer, 0) != '\n' &&
                   partiql_lex_peek(lexer, 0) != '\r') {
                partiql_lex_skip(lexer);
            }
        } else if (first == '/' && second == '*') {
            partiql_lex_skip_bytes(lexer, 2);
            while (partiql_lex_peek(lexer, 0) != '*' || partiql_lex_peek(lexer, 1) != '/') {
                if (partiql_lex_is_end(lexer)) {
                    return partiql_lex_refuse(lexer);
                }
                partiql_lex_skip(lexer);
            }
            partiql_lex_skip_bytes(lexer, 2);
        } else {
            return ST_OK;
        }
    }
}

/* ---- tokens with a text ----------------------------------------------------------------- */

static st_status partiql_lex_quoted(partiql_lexer *lexer, st_partiql__token *token)
{
    uint8_t quote = partiql_lex_peek(lexer, 0);
    partiql_lex_skip(lexer);
    size_t begin = lexer->at, doubled = 0;
    while (partiql_lex_peek(lexer, 0) != quote || partiql_lex_peek(lexer, 1) == quote) {
        if (partiql_lex_is_end(lexer)) {
            return partiql_lex_refuse(lexer);
        }
        if (partiql_lex_peek(lexer, 0) == quote) {
            doubled++;
            partiql_lex_skip(lexer);
        }
        partiql_lex_skip(lexer);
    }
    token->kind = quote == '\'' ? ST_PARTIQL__STRING : ST_PARTIQL__QUOTED_NAME;
    token->text = st_slice_of(lexer->text.data + begin, lexer->at - begin);
    partiql_lex_skip(lexer);
    if (doubled == 0 || !lexer->keeps) {
        return ST_OK;
    }
    uint8_t *copy = st_partiql__alloc(lexer->op, token->text.size - doubled, 1);
    if (!copy) {
        return ST_NO_MEMORY;
    }
    size_t size = 0;
    for (size_t i = 0; i < token->text.size; i++) {
        copy[size++] = token->text.data[i];
        i += token->text.data[i] == quote;
    }
    token->text = st_slice_of(copy, size);
    return ST_OK;
}

/* Up to the next back-tick that is not in a string of Ion. */
static st_status partiql_lex_ion(partiql_lexer *lexer, st_partiql__token *token)
{
    partiql_lex_skip(lexer);
    size_t begin = lexer->at;
    bool is_in_string = false;
    while (is_in_string || partiql_lex_peek(lexer, 0) != '`') {
        if (partiql_lex_is_end(lexer)) {
            return partiql_lex_refuse(lexer);
        }
        if (is_in_string && partiql_lex_peek(lexer, 0) == '\\') {
            partiql_lex_skip(lexer);
        } else if (partiql_lex_peek(lexer, 0) == '"') {
            is_in_string = !is_in_string;
        }
        partiql_lex_skip(lexer);
    }
    token->kind = ST_PARTIQL__ION;
    token->text = st_slice_of(lexer->text.data + begin, lexer->at - begin);
    partiql_lex_skip(lexer);
    return ST_OK;
}

static void partiql_lex_digits(partiql_lexer *lexer)
{
    while (partiql_lex_is_digit(partiql_lex_peek(lexer, 0))) {
        partiql_lex_skip(lexer);
    }
}

static st_status partiql_lex_exponent(partiql_lexer *lexer)
{
    partiql_lex_skip(lexer);
    if (partiql_lex_peek(lexer, 0) == '+' || partiql_lex_peek(lexer, 0) == '-') {
        partiql_lex_skip(lexer);
    }
    if (!partiql_lex_is_digit(partiql_lex_peek(lexer, 0))) {
        return partiql_lex_refuse(lexer);
    }
    uint64_t exponent = 0;
    for (; partiql_lex_is_digit(partiql_lex_peek(lexer, 0)); partiql_lex_skip(lexer)) {
        exponent = exponent * 10 + (partiql_lex_peek(lexer, 0) - (uint64_t)'0');
        if (exponent > INT32_MAX) {
            return partiql_lex_refuse(lexer);
        }
    }
    return ST_OK;
}

static st_status partiql_lex_number(partiql_lexer *lexer, st_partiql__token *token)
{
    size_t begin = lexer->at;
    partiql_lex_digits(lexer);
    if (partiql_lex_peek(lexer, 0) == '.') {
        partiql_lex_skip(lexer);
        partiql_lex_digits(lexer);
        if (lexer->text.data[lexer->at - 1] == '.' && partiql_lex_peek(lexer, 0) == '.') {
            return partiql_lex_refuse(lexer);
        }
    }
    if (partiql_lex_peek(lexer, 0) == 'e' || partiql_lex_peek(lexer, 0) == 'E') {
        ST_TRY(partiql_lex_exponent(lexer));
    }
    token->kind = ST_PARTIQL__NUMBER;
    token->text = st_slice_of(lexer->text.data + begin, lexer->at - begin);
    return ST_OK;
}

static st_partiql__operator partiql_lex_word_operator(st_partiql__word word)
{
    switch (word) {
    case ST_PARTIQL__WORD_OR:
        return ST_PARTIQL__OP_OR;
    case ST_PARTIQL__WORD_AND:
        return ST_PARTIQL__OP_AND;
    case ST_PARTIQL__WORD_NOT:
        return ST_PARTIQL__OP_NOT;
    case ST_PARTIQL__WORD_IS:
        return ST_PARTIQL__OP_IS;
    case ST_PARTIQL__WORD_IN:
        return ST_PARTIQL__OP_IN;
    case ST_PARTIQL__WORD_BETWEEN:
        return ST_PARTIQL__OP_BETWEEN;
    case ST_PARTIQL__WORD_LIKE:
        return ST_PARTIQL__OP_LIKE;
    case ST_PARTIQL__WORD_UNION:
        return ST_PARTIQL__OP_UNION;
    case ST_PARTIQL__WORD_EXCEPT:
        return ST_PARTIQL__OP_EXCEPT;
    case ST_PARTIQL__WORD_INTERSECT:
        return ST_PARTIQL__OP_INTERSECT;
    default:
        return ST_PARTIQL__OP_NONE;
    }
}

static void partiql_lex_name(partiql_lexer *lexer, st_partiql__token *token)
{
    size_t begin = lexer->at;
    while (partiql_lex_is_name(partiql_lex_peek(lexer, 0)) ||
           partiql_lex_is_digit(partiql_lex_peek(lexer, 0))) {
        partiql_lex_skip(lexer);
    }
    token->text = st_slice_of(lexer->text.data + begin, lexer->at - begin);
    st_partiql__word word = st_partiql__word_of(token->text);
    token->word = (uint8_t)word;
    token->operator_ = (uint8_t)partiql_lex_word_operator(word);
    token->kind = word == ST_PARTIQL__WORD_NONE ? ST_PARTIQL__NAME
                  : token->operator_            ? ST_PARTIQL__OPERATOR
                                                : ST_PARTIQL__KEYWORD;
}

/* ---- signs ------------------------------------------------------------------------------ */

typedef struct partiql_lex_sign_row {
    char text[3];
    st_partiql__token_kind kind;
    st_partiql__operator operator_;
} partiql_lex_sign_row;

/* Longer signs first. */
static const partiql_lex_sign_row partiql_lex_signs[] = {
    {"<<", ST_PARTIQL__LEFT_DOUBLE_ANGLE_BRACKET, ST_PARTIQL__OP_NONE},
    {">>", ST_PARTIQL__RIGHT_DOUBLE_ANGLE_BRACKET, ST_PARTIQL__OP_NONE},
    {"<=", ST_PARTIQL__OPERATOR, ST_PARTIQL__OP_AT_MOST},
    {">=", ST_PARTIQL__OPERATOR, ST_PARTIQL__OP_AT_LEAST},
    {"<>", ST_PARTIQL__OPERATOR, ST_PARTIQL__OP_NOT_EQUAL},
    {"!=", ST_PARTIQL__OPERATOR, ST_PARTIQL__OP_NOT_EQUAL},
    {"||", ST_PARTIQL__OPERATOR, ST_PARTIQL__OP_CONCAT},
    {"<", ST_PARTIQL__OPERATOR, ST_PARTIQL__OP_LESS},
    {">", ST_PARTIQL__OPERATOR, ST_PARTIQL__OP_GREATER},
    {"=", ST_PARTIQL__OPERATOR, ST_PARTIQL__OP_EQUAL},
    {"+", ST_PARTIQL__OPERATOR, ST_PARTIQL__OP_PLUS},
    {"-", ST_PARTIQL__OPERATOR, ST_PARTIQL__OP_MINUS},
    {"/", ST_PARTIQL__OPERATOR, ST_PARTIQL__OP_DIVIDE},
    {"%", ST_PARTIQL__OPERATOR, ST_PARTIQL__OP_MODULO},
    {"@", ST_PARTIQL__OPERATOR, ST_PARTIQL__OP_SCOPE},
    {"*", ST_PARTIQL__STAR, ST_PARTIQL__OP_TIMES},
    {".", ST_PARTIQL__DOT, ST_PARTIQL__OP_NONE},
    {",", ST_PARTIQL__COMMA, ST_PARTIQL__OP_NONE},
    {":", ST_PARTIQL__COLON, ST_PARTIQL__OP_NONE},
    {";", ST_PARTIQL__SEMICOLON, ST_PARTIQL__OP_NONE},
    {"?", ST_PARTIQL__QUESTION, ST_PARTIQL__OP_NONE},
    {"(", ST_PARTIQL__LEFT_PAREN, ST_PARTIQL__OP_NONE},
    {")", ST_PARTIQL__RIGHT_PAREN, ST_PARTIQL__OP_NONE},
    {"[", ST_PARTIQL__LEFT_BRACKET, ST_PARTIQL__OP_NONE},
    {"]", ST_PARTIQL__RIGHT_BRACKET, ST_PARTIQL__OP_NONE},
    {"{", ST_PARTIQL__LEFT_CURLY, ST_PARTIQL__OP_NONE},
    {"}", ST_PARTIQL__RIGHT_CURLY, ST_PARTIQL__OP_NONE},
};

static st_status partiql_lex_sign(partiql_lexer *lexer, st_partiql__token *token)
{
    st_slice rest = st_slice_of(lexer->text.data + lexer->at, lexer->text.size - lexer->at);
    for (size_t i = 0; i < sizeof partiql_lex_signs / sizeof partiql_lex_signs[0]; i++) {
        const partiql_lex_sign_row *row = &partiql_lex_signs[i];
        st_slice sign = st_slice_str(row->text);
        if (!st_slice_starts_with(rest, sign)) {
            continue;
        }
        token->kind = (uint8_t)row->kind;
        token->operator_ = (uint8_t)row->operator_;
        token->text = st_slice_of(rest.data, sign.size);
        if (row->kind == ST_PARTIQL__QUESTION) {
            token->parameter = lexer->parameter_count++;
        }
        partiql_lex_skip_bytes(lexer, sign.size);
        return ST_OK;
    }
    return partiql_lex_refuse(lexer);
}

/* ---- the text --------------------------------------------------------------------------- */

static st_status partiql_lex_next(partiql_lexer *lexer, st_partiql__token *token)
{
    ST_TRY(partiql_lex_gap(lexer));
    *token = (st_partiql__token){.position = {lexer->line, lexer->column, 0}};
    size_t begin = lexer->at;
    uint8_t first = partiql_lex_peek(lexer, 0);
    if (partiql_lex_is_end(lexer)) {
        token->kind = ST_PARTIQL__EOF;
    } else if (first == '\'' || first == '"') {
        ST_TRY(partiql_lex_quoted(lexer, token));
    } else if (first == '`') {
        ST_TRY(partiql_lex_ion(lexer, token));
    } else if (partiql_lex_is_name(first)) {
        partiql_lex_name(lexer, token);
    } else if (partiql_lex_is_digit(first) ||
               (first == '.' && partiql_lex_is_digit(partiql_lex_peek(lexer, 1)))) {
        ST_TRY(partiql_lex_number(lexer, token));
    } else {
        ST_TRY(partiql_lex_sign(lexer, token));
    }
    token->position.length =
        (uint32_t)st_partiql_text_length(st_slice_of(lexer->text.data + begin, lexer->at - begin));
    return ST_OK;
}

size_t st_partiql_text_length(st_slice text)
{
    size_t length = 0;
    for (size_t i = 0; i < text.size; i++) {
        length += (text.data[i] & 0xC0) != 0x80;
    }
    return length;
}

st_status st_partiql__lex(st_op *op, st_slice text, st_partiql__token **out_tokens,
                          uint32_t *out_parameter_count)
{
    *out_tokens = NULL;
    *out_parameter_count = 0;
    partiql_lexer lexer = {.op = op, .text = text, .line = 1, .column = 1};
    if (!st_utf8_valid(text, &lexer.at)) {
        return partiql_lex_refuse(&lexer);
    }
    lexer.at = 0;
    size_t count = 0;
    st_partiql__token token;
    do {
        ST_TRY(partiql_lex_next(&lexer, &token));
        count++;
    } while (token.kind != ST_PARTIQL__EOF);
    st_partiql__token *tokens = st_partiql__alloc(op, count, sizeof token);
    if (!tokens) {
        return ST_NO_MEMORY;
    }
    lexer = (partiql_lexer){.op = op, .text = text, .line = 1, .column = 1, .keeps = true};
    for (size_t i = 0; i < count; i++) {
        ST_TRY(partiql_lex_next(&lexer, &tokens[i]));
    }
    *out_tokens = tokens;
    *out_parameter_count = lexer.parameter_count;
    return ST_OK;
}
