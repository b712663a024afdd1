/* Growing text, base64 and messages. */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void text_no_memory(void)
{
    fputs("stator: out of memory\n", stderr);
    exit(CLI_FAILED);
}

void *cli_allocate(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);
    if (!memory) {
        text_no_memory();
    }
    return memory;
}

void cli_text_add(cli_text *text, const void *data, size_t bytes)
{
    if (text->capacity - text->size <= bytes) {
        size_t capacity = text->capacity ? text->capacity : 256;
        while (capacity - text->size <= bytes) {
            capacity *= 2;
        }
        char *grown = realloc(text->data, capacity);
        if (!grown) {
            text_no_memory();
        }
        text->data = grown;
        text->capacity = capacity;
    }
    if (bytes > 0) {
        memcpy(text->data + text->size, data, bytes);
    }
    text->size += bytes;
    text->data[text->size] = '\0';
}

void cli_text_str(cli_text *text, const char *string)
{
    cli_text_add(text, string, strlen(string));
}

void cli_text_clear(cli_text *text)
{
    text->size = 0;
}

void cli_text_free(cli_text *text)
{
    free(text->data);
    *text = (cli_text){0};
}

static const char text_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *cli_base64(const void *data, size_t bytes)
{
    const uint8_t *from = data;
    char *text = cli_allocate((bytes + 2) / 3 * 4 + 1);
    char *to = text;
    for (size_t i = 0; i < bytes; i += 3) {
        size_t left = bytes - i;
        uint32_t word = (uint32_t)from[i] << 16 | (left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
                        (left > 2 ? from[i + 2] : 0u);
        *to++ = text_digits[word >> 18];
        *to++ = text_digits[word >> 12 & 63];
        *to++ = left > 1 ? text_digits[word >> 6 & 63] : '=';
        *to++ = left > 2 ? text_digits[word & 63] : '=';
    }
    return text;
}

void *cli_base64_decode(const char *text, size_t bytes, size_t *out_bytes)
{
    *out_bytes = 0;
    if (bytes % 4) {
        return NULL;
    }
    uint8_t *data = cli_allocate(bytes / 4 * 3 + 1);
    for (size_t i = 0; i < bytes; i += 4) {
        uint32_t word = 0;
        size_t digits = 0;
        for (; digits < 4; digits++) {
            const char *digit = text[i + digits] ? strchr(text_digits, text[i + digits]) : NULL;
            if (!digit) {
                break;
            }
            word |= (uint32_t)(digit - text_digits) << (18 - 6 * digits);
        }
        bool padded = i + 4 == bytes && digits >= 2 && text[i + 3] == '=' &&
                      (digits == 3 || text[i + 2] == '=');
        if (digits < 4 && !padded) {
            free(data);
            *out_bytes = 0;
            return NULL;
        }
        for (size_t j = 0; j + 1 < digits; j++) {
            data[(*out_bytes)++] = (uint8_t)(word >> (16 - 8 * j));
        }
    }
    return data;
}

void cli_complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("stator: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

int cli_report(const stator_error *error)
{
    cli_complain("%s: %s", stator_status_name(error->code), error->message);
    return CLI_FAILED;
}
