/* Requests of the JSON protocol on a small database, one a line: "OPERATION body". Every answer is
 * JSON; a refusal names its exception; nothing is an internal error; and whatever was written, the
 * database verifies.
 */
#include "fuzz/fuzz_table.h"

#include <string.h>

#include "wire/wire_internal.h"

#define DISPATCH_LINES_MAX 16

static void check_answer(st_op *op, uint32_t status, st_slice answer)
{
    st_json_doc doc;
    FUZZ_CHECK(op, status == 200 || status == 400);
    FUZZ_CHECK(op, answer.size == 0 || st_wire__json(op, answer, &doc));
    FUZZ_CHECK(op, answer.size > 0 || status == 200); /* tags are changed without a body */
    if (status != 200) {
        FUZZ_CHECK(op, st_wire__find(&doc, 0, "__type") != 0);
    }
}

static void dispatch(st_database *database, const st_wire_settings *settings, st_slice line)
{
    const uint8_t *blank = memchr(line.data, ' ', line.size);
    size_t target = blank ? (size_t)(blank - line.data) : line.size;
    st_slice body = blank ? st_slice_of(blank + 1, line.size - target - 1) : (st_slice){0};
    st_op op;
    st_buf answer;
    uint32_t status;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&answer, fuzz_alloc());
    FUZZ_CHECK(&op, st_wire_dispatch(&op, database, settings, st_slice_of(line.data, target), body,
                                     &status, &answer) == ST_OK);
    check_answer(&op, status, st_buf_view(&answer));
    st_buf_deinit(&answer);
    st_op_deinit(&op);
}

static void print_nothing(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
}

void fuzz_target(st_slice input)
{
    st_op op;
    st_wire_settings settings;
    st_op_init(&op, fuzz_alloc());
    st_wire_settings_init(&settings);
    settings.layer = input.size % 3 == 0   ? ST_WIRE_LAYER_CURRENT
                     : input.size % 3 == 1 ? ST_WIRE_LAYER_OLD
                                           : ST_WIRE_LAYER_NEW;
    st_database *database = fuzz_database_open(&op, fuzz_alloc());
    for (int lines = 0; lines < DISPATCH_LINES_MAX && input.size > 0; lines++) {
        const uint8_t *end = memchr(input.data, '\n', input.size);
        size_t bytes = end ? (size_t)(end - input.data) : input.size;
        dispatch(database, &settings, st_slice_of(input.data, bytes));
        bytes += end != NULL;
        input = st_slice_of(input.data + bytes, input.size - bytes);
    }
    st_op_clear(&op);
    FUZZ_CHECK(&op, st_database_verify(&op, database, print_nothing, NULL) == ST_OK);
    fuzz_database_close(&op, database);
    st_op_deinit(&op);
}
