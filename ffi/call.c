/* The frame around every call: errors out, structs in and out, bytes checked, frames composed. */
#include "ffi_internal.h"

#include <string.h>

#define FFI_STRUCT_BYTES_MAX 65536u

/* docs/formats/error.md; the fields of items and reasons follow that of the text. */
#define FFI_DETAIL_VERSION 1
enum { FFI_DETAIL_TEXT = 1 };

/* ---- allocation ------------------------------------------------------------------------- */

static stator_allocator ffi_allocator;
static st_alloc ffi_own_alloc;
static _Atomic int ffi_alloc_state; /* 0 open, 1 being set, 2 set, 3 fixed on the process' own */

static void *ffi_resize(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes)
{
    (void)ctx;
    return ffi_allocator.resize(ffi_allocator.context, ptr, old_bytes, new_bytes);
}

const st_alloc *ffi_alloc(void)
{
    int state = atomic_load_explicit(&ffi_alloc_state, memory_order_acquire);
    if (state == 0) {
        (void)atomic_compare_exchange_strong(&ffi_alloc_state, &state, 3);
        state = atomic_load_explicit(&ffi_alloc_state, memory_order_acquire);
    }
    return state == 2 ? &ffi_own_alloc : st_alloc_process();
}

stator_status stator_set_allocator(const stator_allocator *allocator)
{
    stator_allocator checked = {.resize = NULL};
    int open = 0;
    if (!allocator) {
        return STATOR_MISUSE;
    }
    stator_status status = ffi_struct_in(allocator, &checked, sizeof checked, NULL);
    if (status != STATOR_OK) {
        return status;
    }
    if (!checked.resize) {
        return STATOR_INVALID_ARGUMENT;
    }
    if (!atomic_compare_exchange_strong(&ffi_alloc_state, &open, 1)) {
        return STATOR_MISUSE;
    }
    ffi_allocator = checked;
    ffi_own_alloc = (st_alloc){.resize = ffi_resize};
    atomic_store_explicit(&ffi_alloc_state, 2, memory_order_release);
    return STATOR_OK;
}

/* ---- errors ----------------------------------------------------------------------------- */

static bool ffi_error_is_sound(const stator_error *error)
{
    return error && error->struct_size >= sizeof(stator_error) &&
           error->struct_size <= FFI_STRUCT_BYTES_MAX;
}

void stator_error_init(stator_error *error)
{
    if (error) {
        memset(error, 0, sizeof *error);
        error->struct_size = sizeof *error;
        error->position = -1;
    }
}

void stator_error_clear(stator_error *error)
{
    if (!ffi_error_is_sound(error)) {
        return;
    }
    if (error->detail) {
        st_alloc_free(ffi_alloc(), error->detail, error->detail_bytes);
    }
    error->code = STATOR_OK;
    error->flags = 0;
    error->os_error = 0;
    error->position = -1;
    error->message[0] = '\0';
    error->detail = NULL;
    error->detail_bytes = 0;
}

void ffi_begin(ffi_call *call, stator_error *error)
{
    st_op_init(&call->op, ffi_alloc());
    call->error = error;
    stator_error_clear(error);
}

/* What message and code leave out, as docs/formats/error.md has it. Without memory for it there is
 * no detail: the error itself is worth more. */
static void ffi_fill_detail(stator_error *error, const st_error *from, stator_status status)
{
    st_slice item = status == STATOR_CONDITION_FAILED ? from->detail : (st_slice){0};
    st_slice reasons = status == STATOR_TRANSACTION_CANCELED ? from->detail : (st_slice){0};
    if (from->text.size + item.size + reasons.size == 0) {
        return;
    }
    st_buf detail;
    st_buf_init(&detail, ffi_alloc());
    st_buf_byte(&detail, FFI_DETAIL_VERSION);
    st_buf_byte(&detail, 0);
    const st_slice payloads[] = {from->text, item, reasons};
    for (uint8_t i = 0; i < 3; i++) {
        if (payloads[i].size > 0) {
            ffi_frame_field(&detail, (uint8_t)(FFI_DETAIL_TEXT + i), payloads[i]);
        }
    }
    if (!detail.failed) {
        void *exact = st_alloc_resize(ffi_alloc(), detail.data, detail.capacity, detail.size);
        if (exact) {
            error->detail = exact;
            error->detail_bytes = detail.size;
            return;
        }
    }
    st_buf_deinit(&detail);
}

static void ffi_fill_error(stator_error *error, const st_error *from, stator_status status)
{
    if (!ffi_error_is_sound(error)) {
        return;
    }
    bool is_recorded = (uint32_t)from->code == (uint32_t)status;
    error->code = status;
    error->flags = is_recorded ? from->flags : st_status_flags(status);
    error->os_error = from->os_error;
    error->position = from->position;
    const char *text = from->message[0] ? from->message : st_status_text(status);
    size_t bytes = strlen(text);
    bytes = bytes < sizeof error->message ? bytes : sizeof error->message - 1;
    memcpy(error->message, text, bytes);
    error->message[bytes] = '\0';
    if (is_recorded) {
        ffi_fill_detail(error, from, status);
    }
}

stator_status ffi_end(ffi_call *call, stator_status status)
{
    if (status != STATOR_OK) {
        ffi_fill_error(call->error, &call->op.error, status);
    }
    st_op_deinit(&call->op);
    return status;
}

stator_status ffi_refuse(stator_error *error, stator_status status, const char *message)
{
    stator_error_clear(error);
    st_error record = {.code = (st_status)status, .flags = st_status_flags(status), .position = -1};
    size_t bytes = strlen(message);
    memcpy(record.message, message,
           bytes < sizeof record.message ? bytes : sizeof record.message - 1);
    ffi_fill_error(error, &record, status);
    return status;
}

stator_status ffi_refuse_handle(stator_error *error, stator_status status, ffi_type type)
{
    if (!error) {
        return status;
    }
    char message[96] = "";
    const char *name = ffi_type_name(type);
    const char *what = status == STATOR_CLOSED ? " is closed or freed"
                       : status == STATOR_FORKED
                           ? " belongs to the parent process; open the database again in this one"
                       : status == STATOR_BUSY
                           ? " is in use by another call"
                           : " expected; this is NULL or another kind of handle";
    memcpy(message, name, strlen(name));
    memcpy(message + strlen(name), what, strlen(what));
    return ffi_refuse(error, status, message);
}

stator_status ffi_latch(st_error *failure, stator_status status, const char *message)
{
    if (failure->code == ST_OK && status != STATOR_OK) {
        *failure =
            (st_error){.code = (st_status)status, .flags = st_status_flags(status), .position = -1};
        size_t bytes = strlen(message);
        memcpy(failure->message, message,
               bytes < sizeof failure->message ? bytes : sizeof failure->message - 1);
    }
    return (stator_status)failure->code;
}

st_status ffi_latched(st_op *op, const st_error *failure)
{
    if (failure->code != ST_OK && op->error.code == ST_OK) {
        op->error = *failure;
    }
    return failure->code;
}

/* ---- bytes and structs ------------------------------------------------------------------ */

bool ffi_is_bytes(const void *data, size_t bytes)
{
    return bytes <= FFI_BYTES_MAX && (data || bytes == 0);
}

st_slice ffi_slice(const void *data, size_t bytes)
{
    return st_slice_of(bytes > 0 ? data : "", bytes);
}

static uint32_t ffi_struct_size(const void *structure)
{
    uint32_t size;
    memcpy(&size, structure, sizeof size);
    return size;
}

stator_status ffi_struct_in(const void *from, void *to, size_t bytes, stator_error *error)
{
    uint32_t size = ffi_struct_size(from);
    if (size < 2 * sizeof(uint32_t) || size > FFI_STRUCT_BYTES_MAX) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT,
                          "struct_size is not set; use the init function of the structure");
    }
    for (size_t i = bytes; i < size; i++) {
        if (((const uint8_t *)from)[i] != 0) {
            return ffi_refuse(error, STATOR_UNSUPPORTED,
                              "the structure has options that this version does not know");
        }
    }
    memcpy(to, from, size < bytes ? size : bytes);
    return STATOR_OK;
}

stator_status ffi_struct_out(const void *from, void *to, size_t bytes, stator_error *error)
{
    uint32_t size = to ? ffi_struct_size(to) : 0;
    if (size < 2 * sizeof(uint32_t) || size > FFI_STRUCT_BYTES_MAX) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT, "struct_size of the output is not set");
    }
    size_t copied = size < bytes ? size : bytes;
    memset((uint8_t *)to + sizeof(uint32_t), 0, size - sizeof(uint32_t));
    memcpy((uint8_t *)to + sizeof(uint32_t), (const uint8_t *)from + sizeof(uint32_t),
           copied - sizeof(uint32_t));
    return STATOR_OK;
}

/* ---- frames ----------------------------------------------------------------------------- */

void ffi_frame_begin(st_buf *frame, uint8_t operation)
{
    st_buf_byte(frame, ST_FRAME_VERSION);
    st_buf_byte(frame, operation);
}

void ffi_frame_field(st_buf *frame, uint8_t number, st_slice payload)
{
    st_buf_byte(frame, number);
    st_buf_u32(frame, (uint32_t)payload.size);
    st_buf_slice(frame, payload);
}

void ffi_frame_u8(st_buf *frame, uint8_t number, uint8_t value)
{
    ffi_frame_field(frame, number, st_slice_of(&value, 1));
}

void ffi_frame_u32(st_buf *frame, uint8_t number, uint32_t value)
{
    uint8_t bytes[4];
    st_put_u32(bytes, value);
    ffi_frame_field(frame, number, st_slice_of(bytes, sizeof bytes));
}

void ffi_frame_u64(st_buf *frame, uint8_t number, uint64_t value)
{
    uint8_t bytes[8];
    st_put_u64(bytes, value);
    ffi_frame_field(frame, number, st_slice_of(bytes, sizeof bytes));
}

bool ffi_frame_find(st_slice frame, uint8_t number, st_slice *out_payload)
{
    st_reader reader = st_reader_of(frame);
    (void)st_reader_u16(&reader);
    while (st_reader_left(&reader) > 0 && !reader.failed) {
        uint8_t found = st_reader_byte(&reader);
        *out_payload = st_reader_slice(&reader, st_reader_u32(&reader));
        if (found == number && !reader.failed) {
            return true;
        }
    }
    *out_payload = (st_slice){0};
    return false;
}

stator_status ffi_deliver(ffi_call *call, st_buf *result, void *to, size_t capacity,
                          size_t *out_bytes, stator_buffer **out_buffer)
{
    if (to && result->size <= capacity) {
        memcpy(to, result->data, result->size);
        *out_bytes = result->size;
        return STATOR_OK;
    }
    return ffi_buffer_of(call, result, out_buffer);
}
