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
    ffi_subject subject = {
        .type = FFI_BUFFER, .object = buffer, .destroy = ffi_buffer_destroy, .number = bytes->size};
    *out_buffer = ffi_handle_new(&subject);
    if (!*out_buffer) {
        st_alloc_free(ffi_alloc(), buffer, sizeof *buffer);
        return (stator_status)st_fail_memory(&call->op, sizeof *buffer);
    }
    buffer->bytes = *bytes;
    st_buf_init(bytes, bytes->alloc);
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
    void *object;
    uint64_t bytes;
    stator_status status = ffi_peek(token, FFI_BUFFER, &object, &bytes);
    if (status == STATOR_OK) {
        *out_data = bytes > 0 ? ((ffi_buffer *)object)->bytes.data : (const uint8_t *)"";
        *out_data_bytes = (size_t)bytes;
    }
    return status;
}

void stator_buffer_free(stator_buffer *buffer)
{
    (void)ffi_handle_free(buffer, FFI_BUFFER);
}
