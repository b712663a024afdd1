/* Status codes and the error record of an operation. The table is status.def. */
#include "base/base.h"

#include <stdio.h>
#include <string.h>

typedef struct base_status_row {
    int32_t code;
    uint32_t flags;
    const char *name;
    const char *text;
    const char *exception;
} base_status_row;

static const base_status_row base_status_rows[] = {
#define ST_STATUS(name, number, text, exception, flags) {number, flags, #name, text, exception},
#include "base/status.def"
#undef ST_STATUS
};

static const base_status_row *base_status_find(int32_t code)
{
    for (size_t i = 0; i < sizeof base_status_rows / sizeof base_status_rows[0]; i++) {
        if (base_status_rows[i].code == code) {
            return &base_status_rows[i];
        }
    }
    return NULL;
}

const char *st_status_name(int32_t code)
{
    const base_status_row *row = base_status_find(code);
    return row != NULL ? row->name : "UNKNOWN";
}

const char *st_status_text(int32_t code)
{
    const base_status_row *row = base_status_find(code);
    return row != NULL ? row->text : "unknown status code";
}

const char *st_status_exception(int32_t code)
{
    const base_status_row *row = base_status_find(code);
    return row != NULL ? row->exception : "";
}

uint32_t st_status_flags(int32_t code)
{
    const base_status_row *row = base_status_find(code);
    return row != NULL ? row->flags : 0;
}

void st_op_init(st_op *op, const st_alloc *alloc)
{
    memset(op, 0, sizeof *op);
    op->alloc = alloc;
    op->error.position = -1;
    st_arena_init(&op->arena, alloc);
}

void st_op_deinit(st_op *op)
{
    st_arena_reset(&op->arena);
}

void st_op_clear(st_op *op)
{
    memset(&op->error, 0, sizeof op->error);
    op->error.position = -1;
}

/* The message is UTF-8 whatever the caller's bytes in it: one that is not becomes a question mark,
 * and what vsnprintf cut in half at the end of the buffer is left out. */
static void base_make_utf8(char *message)
{
    size_t size = strlen(message);
    size_t position = 0;
    while (!st_utf8_valid(st_slice_of(message, size), &position)) {
        bool is_cut = size == ST_ERROR_MESSAGE_MAX - 1 && size - position < 4;
        message[position] = is_cut ? '\0' : '?';
        size = is_cut ? position : size;
    }
}

static st_status base_fail(st_op *op, st_status code, int64_t position, const char *format,
                           va_list arguments) __attribute__((format(printf, 4, 0)));

static st_status base_fail(st_op *op, st_status code, int64_t position, const char *format,
                           va_list arguments)
{
    if (op == NULL || op->error.code != ST_OK) {
        return code;
    }
    op->error.code = code;
    op->error.flags = st_status_flags(code);
    op->error.position = position;
    va_list again;
    va_copy(again, arguments);
    int bytes = vsnprintf(op->error.message, sizeof op->error.message, format, arguments);
    base_make_utf8(op->error.message);
    if (bytes >= (int)sizeof op->error.message && op->alloc) {
        char *text = st_arena_alloc(&op->arena, (size_t)bytes + 1);
        if (text) {
            vsnprintf(text, (size_t)bytes + 1, format, again);
            base_make_utf8(text);
            op->error.text = st_slice_str(text);
        }
    }
    va_end(again);
    return code;
}

st_slice st_op_message(const st_op *op)
{
    return op->error.text.size > 0 ? op->error.text : st_slice_str(op->error.message);
}

st_status st_fail(st_op *op, st_status code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    base_fail(op, code, -1, format, arguments);
    va_end(arguments);
    return code;
}

st_status st_fail_at(st_op *op, st_status code, int64_t position, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    base_fail(op, code, position, format, arguments);
    va_end(arguments);
    return code;
}

st_status st_fail_memory(st_op *op, size_t bytes)
{
    return st_fail(op, ST_NO_MEMORY, "out of memory: %zu bytes could not be allocated", bytes);
}

#ifdef STATOR_DEBUG
#include <stdlib.h>
void st_assert_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
    abort();
}
#endif
