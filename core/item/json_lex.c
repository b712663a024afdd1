/* The tokens of JSON (RFC 8259), strictly: no comments, no trailing commas, no lone surrogates, no
 * bytes that are not UTF-8.
 *
 * A string without escapes is a slice of the text; one with escapes is decoded into the scratch
 * buffer and lives until the next string with escapes. Numbers stay text.
 */
#include "item/json_internal.h"

#include <string.h>

static st_status json_refuse_at(st_json *json, size_t at, const char *what)
{
    return st_fail_at(json->op, ST_INVALID_ARGUMENT, (int64_t)at, "JSON: %s at byte %zu", what, at);
}

st_status st_item__json_refuse(st_json *json, const char *what)
{
    return json_refuse_at(json, json->begin, what);
}

/* Four hexadecimal digits; UINT32_MAX when they are not. */
static uint32_t json_hex4(st_slice text, size_t at)
{
    uint32_t code = 0;
    if (text.size - at < 4) {
        return UINT32_MAX;
    }
    for (size_t i = at; i < at + 4; i++) {
        uint8_t c = text.data[i];
        uint32_t digit = c >= '0' && c <= '9'   ? c - (uint32_t)'0'
                         : c >= 'a' && c <= 'f' ? c - (uint32_t)'a' + 10
                         : c >= 'A' && c <= 'F' ? c - (uint32_t)'A' + 10
                                                : 16u;
        if (digit == 16) {
            return UINT32_MAX;
        }
        code = code << 4 | digit;
    }
    return code;
}

static size_t json_put_utf8(uint32_t code, uint8_t *to)
{
    if (code < 0x80) {
        to[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (uint8_t)(0xC0 | code >> 6);
        to[1] = (uint8_t)(0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (uint8_t)(0xE0 | code >> 12);
        to[1] = (uint8_t)(0x80 | (code >> 6 & 63));
        to[2] = (uint8_t)(0x80 | (code & 63));
        return 3;
    }
    to[0] = (uint8_t)(0xF0 | code >> 18);
    to[1] = (uint8_t)(0x80 | (code >> 12 & 63));
    to[2] = (uint8_t)(0x80 | (code >> 6 & 63));
    to[3] = (uint8_t)(0x80 | (code & 63));
    return 4;
}

size_t st_json_unescape(st_slice text, size_t *at, uint32_t lone, uint8_t *to)
{
    static const char json_letters[] = "\"\\/bfnrt", json_meanings[] = "\"\\/\b\f\n\r\t";
    if (*at >= text.size) {
        return 0;
    }
    char letter = (char)text.data[(*at)++];
    const char *found = letter ? strchr(json_letters, letter) : NULL;
    if (found) {
        to[0] = (uint8_t)json_meanings[found - json_letters];
        return 1;
    }
    uint32_t code = letter == 'u' ? json_hex4(text, *at) : UINT32_MAX;
    if (code == UINT32_MAX) {
        return 0;
    }
    *at += 4;
    if (code >= 0xD800 && code <= 0xDFFF) {
        bool has_second = code <= 0xDBFF && text.size - *at >= 6 && text.data[*at] == '\\' &&
                          text.data[*at + 1] == 'u';
        uint32_t low = has_second ? json_hex4(text, *at + 2) : UINT32_MAX;
        bool is_pair = low >= 0xDC00 && low <= 0xDFFF;
        if (!is_pair && lone == 0) {
            return 0;
        }
        *at += is_pair ? 6 : 0;
        code = is_pair ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : lone;
    }
    return json_put_utf8(code, to);
}

/* Decodes the escapes of raw, a part of the text, into the scratch buffer. */
static st_status json_unescape(st_json *json, st_slice raw)
{
    st_buf_clear(&json->scratch);
    if (!st_buf_reserve(&json->scratch, raw.size + 4)) {
        return st_buf_check(json->op, &json->scratch);
    }
    uint8_t *to = json->scratch.data;
    size_t size = 0;
    for (size_t i = 0; i < raw.size;) {
        if (raw.data[i] != '\\') {
            to[size++] = raw.data[i++];
            continue;
        }
        size_t begin = i++;
        size_t bytes = st_json_unescape(raw, &i, 0, to + size);
        if (bytes == 0) {
            return json_refuse_at(json, (size_t)(raw.data - json->text.data) + begin,
                                  "a bad escape or a lone surrogate");
        }
        size += bytes;
    }
    json->scratch.size = size;
    json->value = st_buf_view(&json->scratch);
    return ST_OK;
}

static st_status json_string(st_json *json)
{
    size_t begin = json->at, end = begin;
    bool has_escape = false;
    while (end < json->text.size && json->text.data[end] != '"' && json->text.data[end] >= 0x20) {
        has_escape |= json->text.data[end] == '\\';
        end += json->text.data[end] == '\\' ? 2 : 1;
    }
    if (end >= json->text.size) {
        return st_item__json_refuse(json, "a string that does not end");
    }
    if (json->text.data[end] != '"') {
        return json_refuse_at(json, end, "a control character in a string");
    }
    st_slice raw = st_slice_of(json->text.data + begin, end - begin);
    size_t bad;
    if (!st_utf8_valid(raw, &bad)) {
        return json_refuse_at(json, begin + bad, "invalid UTF-8 in a string");
    }
    json->at = end + 1;
    json->token = ST_JSON_STRING;
    json->value = raw;
    return has_escape ? json_unescape(json, raw) : ST_OK;
}

static size_t json_digits(st_slice text, size_t at)
{
    while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9') {
        at++;
    }
    return at;
}

static st_status json_number(st_json *json)
{
    st_slice text = json->text;
    size_t at = json->begin + (text.data[json->begin] == '-');
    size_t whole = at;
    at = json_digits(text, at);
    bool is_bad = at == whole || (at - whole > 1 && text.data[whole] == '0');
    if (at < text.size && text.data[at] == '.') {
        size_t fraction = ++at;
        at = json_digits(text, at);
        is_bad |= at == fraction;
    }
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        at += at < text.size && (text.data[at] == '+' || text.data[at] == '-');
        size_t exponent = at;
        at = json_digits(text, at);
        is_bad |= at == exponent;
    }
    if (is_bad) {
        return st_item__json_refuse(json, "a malformed number");
    }
    json->at = at;
    json->token = ST_JSON_NUMBER;
    json->value = st_slice_of(text.data + json->begin, at - json->begin);
    return ST_OK;
}

static st_status json_word(st_json *json)
{
    static const struct {
        const char *word;
        st_json_token token;
    } json_words[] = {{"true", ST_JSON_TRUE}, {"false", ST_JSON_FALSE}, {"null", ST_JSON_NULL}};
    st_slice rest = st_slice_of(json->text.data + json->begin, json->text.size - json->begin);
    for (size_t i = 0; i < sizeof json_words / sizeof json_words[0]; i++) {
        if (st_slice_starts_with(rest, st_slice_str(json_words[i].word))) {
            json->token = json_words[i].token;
            json->at = json->begin + strlen(json_words[i].word);
            return ST_OK;
        }
    }
    return st_item__json_refuse(json, "an unexpected character");
}

st_status st_item__json_next(st_json *json)
{
    while (json->at < json->text.size && json->text.data[json->at] &&
           strchr(" \t\r\n", json->text.data[json->at])) {
        json->at++;
    }
    json->begin = json->at;
    if (json->at >= json->text.size) {
        json->token = ST_JSON_END;
        return ST_OK;
    }
    static const char json_signs[] = "{}[]:,";
    char c = (char)json->text.data[json->at];
    const char *sign = c ? strchr(json_signs, c) : NULL;
    if (sign) {
        json->token = (st_json_token)(ST_JSON_OBJECT + (sign - json_signs));
        json->at++;
        return ST_OK;
    }
    if (c == '"') {
        json->at++;
        return json_string(json);
    }
    return c == '-' || (c >= '0' && c <= '9') ? json_number(json) : json_word(json);
}

st_status st_item__json_expect(st_json *json, st_json_token token, const char *what)
{
    if (json->token != token) {
        return st_item__json_refuse(json, what);
    }
    return st_item__json_next(json);
}
