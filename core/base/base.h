/* base: what every other folder stands on. Nothing here touches the operating system or blocks.
 *
 * Status and error record, the allocator door, slices (borrow) and buffers (own), the call arena,
 * byte coding, CRC32C, hash, UTF-8 and a seeded random number generator.
 *
 * Every fallible function takes the operation context st_op first, returns st_status, and on
 * failure has put one line of text into op->error with st_fail. The text is written where the
 * failure is known and is never replaced on the way up.
 */
#ifndef STATOR_BASE_BASE_H
#define STATOR_BASE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- status ---------------------------------------------------------------------------------- */

#define ST_STATUS_RETRYABLE 1u     /* the same call may succeed later */
#define ST_STATUS_MAYBE_APPLIED 2u /* the write may have been applied */
#define ST_STATUS_CALLER 4u        /* the caller's fault: repeating the call does not help */

typedef enum st_status {
#define ST_STATUS(name, number, text, exception, flags) ST_##name = number,
#include "base/status.def"
#undef ST_STATUS
} st_status;

#define ST_MUST_USE __attribute__((warn_unused_result))
#define ST_PRINTF(text, first) __attribute__((format(printf, text, first)))

const char *st_status_name(int32_t code);      /* "NO_SPACE"; "UNKNOWN" for a foreign number */
const char *st_status_text(int32_t code);      /* one lower-case phrase, static */
const char *st_status_exception(int32_t code); /* DynamoDB's exception name, or "" */
uint32_t st_status_flags(int32_t code);        /* ST_STATUS_... of the code */

/* ---- slices ---------------------------------------------------------------------------------- */

/* Borrowed bytes: whoever hands out a slice says how long it lives. data may be NULL only when
 * size is 0. */
typedef struct st_slice {
    const uint8_t *data;
    size_t size;
} st_slice;

st_slice st_slice_of(const void *data, size_t size);
st_slice st_slice_str(const char *text); /* without the terminating NUL */
int st_slice_compare(st_slice a, st_slice b); /* memcmp order, shorter first; <0, 0, >0 */
bool st_slice_equal(st_slice a, st_slice b);
bool st_slice_starts_with(st_slice a, st_slice prefix);
size_t st_slice_common(st_slice a, st_slice b); /* length of the common prefix */

/* ---- memory ---------------------------------------------------------------------------------- */

/* The allocator given at open. resize(ctx, NULL, 0, n) allocates, resize(ctx, p, old, 0) frees
 * and returns NULL. */
typedef struct st_alloc {
    void *(*resize)(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes);
    void *ctx;
} st_alloc;

const st_alloc *st_alloc_process(void); /* malloc's family; lives for the process */
void *st_alloc_new(const st_alloc *alloc, size_t bytes);  /* zeroed; NULL when out of memory */
void *st_alloc_resize(const st_alloc *alloc, void *ptr, size_t old_bytes, size_t new_bytes);
void st_alloc_free(const st_alloc *alloc, void *ptr, size_t bytes); /* NULL is fine */

/* A bump arena for memory that ends with the call. Blocks double from 1 KiB; one reset frees
 * all. */
typedef struct st_arena_block st_arena_block;
typedef struct st_arena {
    const st_alloc *alloc;
    st_arena_block *blocks; /* newest first */
    uint8_t *next;
    uint8_t *end;
} st_arena;

void st_arena_init(st_arena *arena, const st_alloc *alloc);
/* 8-byte aligned, not zeroed; NULL when out of memory */
void *st_arena_alloc(st_arena *arena, size_t bytes);
void st_arena_reset(st_arena *arena);                /* frees everything; the arena stays usable */

/* ---- the operation context ------------------------------------------------------------------- */

#define ST_ERROR_MESSAGE_MAX 256

typedef struct st_error {
    st_status code;
    uint32_t flags;    /* ST_STATUS_... */
    int64_t position;  /* byte position in a text or file, -1 when there is none */
    int32_t os_error;  /* errno of the failing system call, 0 when there is none */
    char message[ST_ERROR_MESSAGE_MAX];
    /* Both in the arena of the operation. text: the whole message when it is longer than message,
     * else empty. detail: what the caller may want to know besides (result.md). */
    st_slice text, detail;
} st_error;

#define ST_OP_CACHED_ONLY 1u /* answer WOULD_BLOCK instead of reading a file or waiting */

/* One per call, on the caller's stack. Not shared between threads. */
typedef struct st_op {
    const st_alloc *alloc;
    st_arena arena; /* dropped by st_op_deinit */
    st_error error;
    uint32_t flags; /* ST_OP_... */
    uint64_t deadline_us; /* monotonic time of the Env; 0 = none */
} st_op;

void st_op_init(st_op *op, const st_alloc *alloc);
void st_op_deinit(st_op *op);

/* Records code and text (the first failure wins until st_op_clear) and returns code. Bytes of the
 * text that are not UTF-8 become question marks. op may be NULL. */
st_status st_fail(st_op *op, st_status code, const char *format, ...) ST_PRINTF(3, 4);
st_status st_fail_at(st_op *op, st_status code, int64_t position, const char *format, ...)
    ST_PRINTF(4, 5);
st_status st_fail_memory(st_op *op, size_t bytes);
void st_op_clear(st_op *op); /* forgets the recorded error */
/* The whole text of the recorded error. */
st_slice st_op_message(const st_op *op);

/* The only two macros that hide a jump. ST_TRY: in functions that own nothing. ST_TRY_OUT: in
 * functions that own something, with a local `st_status status` and exactly one label `out:`. */
#define ST_TRY(call)                              \
    do {                                          \
        st_status st_try_status = (call);         \
        if (st_try_status != ST_OK) {             \
            return st_try_status;                 \
        }                                         \
    } while (0)
#define ST_TRY_OUT(call)          \
    do {                          \
        status = (call);          \
        if (status != ST_OK) {    \
            goto out;             \
        }                         \
    } while (0)

/* Programmer errors: debug builds only. Release builds never abort. */
#ifdef STATOR_DEBUG
void st_assert_failed(const char *expression, const char *file, int line);
#define ST_ASSERT(expression) \
    ((expression) ? (void)0 : st_assert_failed(#expression, __FILE__, __LINE__))
#else
#define ST_ASSERT(expression) ((void)0)
#endif

/* ---- buffers --------------------------------------------------------------------------------- */

/* Owned, growing bytes with a sticky failure: after a failed growth every append is ignored and
 * failed stays true, so that an encoder checks once at its end. */
typedef struct st_buf {
    const st_alloc *alloc;
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed;
} st_buf;

void st_buf_init(st_buf *buf, const st_alloc *alloc);
void st_buf_deinit(st_buf *buf);
void st_buf_clear(st_buf *buf); /* keeps the memory; resets failed */
bool st_buf_reserve(st_buf *buf, size_t more);
/* size grows by bytes, content undefined; NULL on failure */
uint8_t *st_buf_extend(st_buf *buf, size_t bytes);
void st_buf_append(st_buf *buf, const void *data, size_t bytes);
void st_buf_slice(st_buf *buf, st_slice bytes);
void st_buf_byte(st_buf *buf, uint8_t value);
void st_buf_u16(st_buf *buf, uint16_t value); /* all little-endian */
void st_buf_u32(st_buf *buf, uint32_t value);
void st_buf_u64(st_buf *buf, uint64_t value);
void st_buf_varint(st_buf *buf, uint64_t value); /* LEB128, at most 10 bytes */
st_slice st_buf_view(const st_buf *buf);         /* until the next append */
/* NO_MEMORY if an append failed */
st_status st_buf_check(st_op *op, const st_buf *buf) ST_MUST_USE;

/* ---- coding ---------------------------------------------------------------------------------- */

void st_put_u16(uint8_t *to, uint16_t value);
void st_put_u32(uint8_t *to, uint32_t value);
void st_put_u64(uint8_t *to, uint64_t value);
uint16_t st_get_u16(const uint8_t *from);
uint32_t st_get_u32(const uint8_t *from);
uint64_t st_get_u64(const uint8_t *from);
void st_put_be32(uint8_t *to, uint32_t value);
void st_put_be64(uint8_t *to, uint64_t value);
uint32_t st_get_be32(const uint8_t *from);
uint64_t st_get_be64(const uint8_t *from);

/* A reader over a slice with a sticky failure: a read past the end returns 0 or an empty slice
 * and sets failed. */
typedef struct st_reader {
    const uint8_t *data;
    size_t size;
    size_t at;
    bool failed;
} st_reader;

st_reader st_reader_of(st_slice bytes);
uint8_t st_reader_byte(st_reader *reader);
uint16_t st_reader_u16(st_reader *reader);
uint32_t st_reader_u32(st_reader *reader);
uint64_t st_reader_u64(st_reader *reader);
uint64_t st_reader_varint(st_reader *reader); /* fails on more than 10 bytes or overflow */
st_slice st_reader_slice(st_reader *reader, uint64_t bytes);
size_t st_reader_left(const st_reader *reader);

/* ---- checksums, hash, UTF-8, random ---------------------------------------------------------- */

/* Castagnoli; start with 0, chainable */
uint32_t st_crc32c(uint32_t crc, const void *data, size_t bytes);
/* the same, without the instruction */
uint32_t st_crc32c_portable(uint32_t crc, const void *data, size_t bytes);
/* changing it changes the filters of every file */
uint64_t st_hash64(st_slice bytes, uint64_t seed);
/* position of the first bad byte */
bool st_utf8_valid(st_slice text, size_t *out_position);

typedef struct st_rng {
    uint64_t state[4];
} st_rng;

void st_rng_seed(st_rng *rng, uint64_t seed);
uint64_t st_rng_next(st_rng *rng);
uint64_t st_rng_below(st_rng *rng, uint64_t limit); /* uniform in [0, limit); limit > 0 */

#endif
