/* What the fuzz targets share. A target is one file with one function, fuzz_target: it parses the
 * input with one of our parsers and checks what must hold whatever the input is. README.md says how
 * to add one.
 *
 * fuzz.c makes libFuzzer's LLVMFuzzerTestOneInput of it and checks behind every input that all
 * memory is given back. What a target does follows from its input alone: no clock, no entropy, no
 * state that one input leaves to the next, no threads.
 */
#ifndef STATOR_TESTS_FUZZ_H
#define STATOR_TESTS_FUZZ_H

#include "base/base.h"
#include "env/env.h"
#include "lsm/lsm.h"

void fuzz_target(st_slice input);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Ends the program with the place and the error of the operation, in every build. */
_Noreturn void fuzz_failed(const char *expression, const char *file, int line, const st_op *op);
#define FUZZ_CHECK(op, expression) \
    ((expression) ? (void)0 : fuzz_failed(#expression, __FILE__, __LINE__, op))

/* Knows every size and what is alive; everything of a target comes from it. */
const st_alloc *fuzz_alloc(void);

/* What every failure keeps: status is recorded in op, the text is UTF-8, and the position
 * lies in the input_bytes or is -1. */
void fuzz_check_failure(const st_op *op, st_status status, size_t input_bytes);
/* The status is OK or one of this list, which ends with ST_OK; a failure is a whole one. True for
 * OK. */
bool fuzz_is_ok(const st_op *op, st_status status, size_t input_bytes, const st_status *allowed);
/* What a parser of callers' bytes may answer, and what one of bytes from disk may. */
extern const st_status fuzz_refusals[];
extern const st_status fuzz_damages[];

/* Takes one byte from the front; 0 when there is none. */
uint8_t fuzz_take_byte(st_slice *input);
/* Takes a piece with its length in front, u16 little-endian, at most what is left. */
st_slice fuzz_take_piece(st_slice *input);

#endif
