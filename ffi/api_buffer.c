/* Buffers: bytes that the library owns and the caller frees. */
#include "ffi_internal.h"

static void ffi_buffer_destroy(void *object)
{
    ffi_buffer *buffer = object;
    st_buf_deinit(&buffer->bytes);
    st_alloc_free(ffi_alloc(), buffer, sizeof *buffer);
}

stator_status ffi_buffer_of(ffi_call *call, st_buf *bytes, stator_buffer **out_buffer)
{
    ffi_buffer *buffer = st_alloc_new(ffi_alloc(), sizeof *buffer);
    if (!buffer) {
        return (stator_status)st_fail_memory(&call->op, sizeof *buffer);
    }
    buffer->bytes = *bytes;
    st_buf_init(bytes, bytes->alloc);
    *out_buffer = ffi_handle_new(FFI_BUFFER, buffer, ffi_buffer_destroy);
    if (!*out_buffer) {
        ffi_buffer_destroy(buffer);
        return (stator_status)st_fail_memory(&call->op, sizeof *buffer);
    }
    return STATOR_OK;
}

stator_status stator_buffer_data(stator_buffer *token, const void **out_data,
                                 size_t *out_data_bytes)
{
    if (!out_data || !out_data_bytes) {
        return STATOR_MISUSE;
    }
    *out_data = NULL;
    *out_data_bytes = 0;
    if (ffi_is_forked()) {
        return STATOR_FORKED;
    }
    void *object;
    stator_status status = ffi_handle_enter(token, FFI_BUFFER, false, &object);
    if (status == STATOR_OK) {
        ffi_buffer *buffer = object;
        *out_data = buffer->bytes.size > 0 ? buffer->bytes.data : (const uint8_t *)"";
        *out_data_bytes = buffer->bytes.size;
        ffi_handle_leave(token, false);
    }
    return status;
}

void stator_buffer_free(stator_buffer *buffer)
{
    if (buffer && !ffi_is_forked()) {
        (void)ffi_handle_free(buffer, FFI_BUFFER);
    }
}
