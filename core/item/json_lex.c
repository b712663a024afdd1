/* The tokens of JSON, and base64. */
#include "item/json_internal.h"

#include <string.h>

st_status st_item__json_refuse(st_json *json, const char *what)
{
    return st_fail_at(json->op, ST_INVALID_ARGUMENT, (int64_t)json->begin, "JSON: %s at byte %zu",
                      what, json->begin);
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

/* One escape behind the backslash at *at; writes at most 4 bytes. 0: malformed. */
static size_t json_escape(st_slice text, size_t *at, uint8_t *to)
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
    if (code == UINT32_MAX || (code >= 0xDC00 && code <= 0xDFFF)) {
        return 0;
    }
    *at += 4;
    if (code >= 0xD800 && code <= 0xDBFF) {
        bool has_second =
            text.size - *at >= 6 && text.data[*at] == '\\' && text.data[*at + 1] == 'u';
        uint32_t low = has_second ? json_hex4(text, *at + 2) : UINT32_MAX;
        if (low < 0xDC00 || low > 0xDFFF) {
            return 0; /* a lone surrogate has no UTF-8 */
        }
        *at += 6;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    return json_put_utf8(code, to);
}

static st_status json_string(st_json *json)
{
    size_t end = json->at;
    bool has_escape = false;
    while (end < json->text.size && json->text.data[end] != '"' && json->text.data[end] >= 0x20) {
        has_escape |= json->text.data[end] == '\\';
        end += json->text.data[end] == '\\' ? 2 : 1;
    }
    if (end >= json->text.size || json->text.data[end] != '"') {
        return st_item__json_refuse(json, end >= json->text.size
                                              ? "a string that does not end"
                                              : "a control character in a string");
    }
    st_slice raw = st_slice_of(json->text.data + json->at, end - json->at);
    json->at = end + 1;
    json->token = ST_JSON_STRING;
    json->value = raw;
    if (has_escape) {
        uint8_t *decoded = st_arena_alloc(&json->op->arena, raw.size + 4);
        if (!decoded) {
            return st_fail_memory(json->op, raw.size);
        }
        size_t size = 0;
        for (size_t i = 0; i < raw.size;) {
            if (raw.data[i] != '\\') {
                decoded[size++] = raw.data[i++];
                continue;
            }
            i++;
            size_t bytes = json_escape(raw, &i, decoded + size);
            if (bytes == 0) {
                return st_item__json_refuse(json, "a bad escape or a lone surrogate in the string");
            }
            size += bytes;
        }
        json->value = st_slice_of(decoded, size);
    }
    size_t position;
    return st_utf8_valid(json->value, &position)
               ? ST_OK
               : st_item__json_refuse(json, "invalid UTF-8 in the string");
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

/* ---- base64 ----------------------------------------------------------------------------- */

static int json_base64_digit(uint8_t c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

bool st_item__base64_decode(st_slice text, st_buf *out)
{
    if (text.size % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.size; i += 4) {
        bool is_last = i + 4 == text.size;
        size_t padding = is_last && text.data[i + 3] == '=' ? 1u + (text.data[i + 2] == '=') : 0;
        uint32_t word = 0;
        for (size_t j = 0; j < 4; j++) {
            int digit = j >= 4 - padding ? 0 : json_base64_digit(text.data[i + j]);
            if (digit < 0) {
                return false;
            }
            word = word << 6 | (uint32_t)digit;
        }
        if ((padding == 1 && (word & 0xFF)) || (padding == 2 && (word & 0xFFFF))) {
            return false;
        }
        for (size_t j = 0; j < 3 - padding; j++) {
            st_buf_byte(out, (uint8_t)(word >> (16 - 8 * j)));
        }
    }
    return true;
}

void st_item__base64_encode(st_slice bytes, st_buf *out)
{
    static const char json_digits64[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t word = (uint32_t)bytes.data[i] << 16 |
                        (left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0) |
                        (left > 2 ? bytes.data[i + 2] : 0u);
        st_buf_byte(out, (uint8_t)json_digits64[word >> 18]);
        st_buf_byte(out, (uint8_t)json_digits64[word >> 12 & 63]);
        st_buf_byte(out, left > 1 ? (uint8_t)json_digits64[word >> 6 & 63] : '=');
        st_buf_byte(out, left > 2 ? (uint8_t)json_digits64[word & 63] : '=');
    }
}
