/* base64 (RFC 4648), strict: what is read back is what was written, and nothing else is read. */
#include "item/item_internal.h"

static int base64_digit(uint8_t c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* Four characters to 3 - padding bytes; false when they are malformed. */
static bool base64_group(const uint8_t *text, size_t padding, uint8_t *to)
{
    uint32_t word = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i >= 4 - padding ? 0 : base64_digit(text[i]);
        if (digit < 0) {
            return false;
        }
        word = word << 6 | (uint32_t)digit;
    }
    for (size_t i = 0; i < 3; i++) {
        uint8_t byte = (uint8_t)(word >> (16 - 8 * i));
        if (i < 3 - padding) {
            to[i] = byte;
        } else if (byte != 0) {
            return false;
        }
    }
    return true;
}

bool st_base64_decode(st_slice text, st_buf *out)
{
    if (text.size % 4 != 0) {
        return false;
    }
    if (text.size == 0) {
        return true;
    }
    const uint8_t *end = text.data + text.size;
    size_t padding = end[-1] == '=' ? 1u + (end[-2] == '=') : 0;
    size_t begin = out->size;
    uint8_t *to = st_buf_extend(out, text.size / 4 * 3 - padding);
    if (!to) {
        return true; /* the caller sees the failed buffer */
    }
    for (const uint8_t *from = text.data; from < end; from += 4, to += 3) {
        if (!base64_group(from, from + 4 == end ? padding : 0, to)) {
            out->size = begin;
            return false;
        }
    }
    return true;
}

void st_base64_encode(st_slice bytes, st_buf *out)
{
    static const char base64_digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *to = bytes.size ? st_buf_extend(out, (bytes.size + 2) / 3 * 4) : NULL;
    for (size_t i = 0; to && i < bytes.size; i += 3, to += 4) {
        size_t left = bytes.size - i;
        uint32_t word = (uint32_t)bytes.data[i] << 16 |
                        (left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0) |
                        (left > 2 ? bytes.data[i + 2] : 0u);
        to[0] = (uint8_t)base64_digits[word >> 18];
        to[1] = (uint8_t)base64_digits[word >> 12 & 63];
        to[2] = left > 1 ? (uint8_t)base64_digits[word >> 6 & 63] : '=';
        to[3] = left > 2 ? (uint8_t)base64_digits[word & 63] : '=';
    }
}
