#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/fault_alloc.h"

const st_status fuzz_refusals[] = {ST_INVALID_ARGUMENT, ST_UNSUPPORTED, ST_OK};
const st_status fuzz_damages[] = {ST_CORRUPT, ST_UNSUPPORTED, ST_OK};

static fault_alloc fuzz_memory;

const st_alloc *fuzz_alloc(void)
{
    return &fuzz_memory.alloc;
}

_Noreturn void fuzz_failed(const char *expression, const char *file, int line, const st_op *op)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, expression);
    if (op && op->error.code != ST_OK) {
        fprintf(stderr, "%s: %s\n", st_status_name(op->error.code), op->error.message);
    }
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fault_alloc_init(&fuzz_memory);
    fuzz_target(st_slice_of(data, bytes));
    fault_alloc_deinit(&fuzz_memory);
    return 0;
}

/* ---- failures --------------------------------------------------------------------------- */

void fuzz_check_failure(const st_op *op, st_status status, size_t input_bytes)
{
    FUZZ_CHECK(op, status != ST_OK && op->error.code == status);
    size_t bad;
    FUZZ_CHECK(op, op->error.message[0] != '\0');
    FUZZ_CHECK(op, st_utf8_valid(st_slice_str(op->error.message), &bad));
    FUZZ_CHECK(op, op->error.position >= -1);
    FUZZ_CHECK(op, op->error.position <= (int64_t)input_bytes);
}

bool fuzz_is_ok(const st_op *op, st_status status, size_t input_bytes, const st_status *allowed)
{
    if (status == ST_OK) {
        FUZZ_CHECK(op, op->error.code == ST_OK);
        return true;
    }
    fuzz_check_failure(op, status, input_bytes);
    while (*allowed != ST_OK && *allowed != status) {
        allowed++;
    }
    FUZZ_CHECK(op, *allowed == status);
    return false;
}

/* ---- input ------------------------------------------------------------------------------ */

uint8_t fuzz_take_byte(st_slice *input)
{
    uint8_t byte = input->size > 0 ? input->data[0] : 0;
    size_t taken = input->size > 0;
    *input = st_slice_of(input->data + taken, input->size - taken);
    return byte;
}

st_slice fuzz_take_piece(st_slice *input)
{
    size_t low = fuzz_take_byte(input);
    size_t bytes = low | (size_t)fuzz_take_byte(input) << 8;
    bytes = bytes < input->size ? bytes : input->size;
    st_slice piece = st_slice_of(input->data, bytes);
    *input = st_slice_of(input->data + bytes, input->size - bytes);
    return piece;
}
