/* Items: the builder, which writes a relaxed value, and reading, which looks into the canonical
 * frame. */
#include "ffi_internal.h"

#include <string.h>

/* ---- the object ------------------------------------------------------------------------- */

static void ffi_item_reset(ffi_item *item)
{
    st_buf_clear(&item->relaxed);
    st_buf_clear(&item->frame);
    item->depth = 0;
    item->has_frame = false;
    item->failure = (st_error){0};
    st_buf_byte(&item->relaxed, ST_TAG_M);
    st_buf_u64(&item->relaxed, 0);
    item->open[0].begin = item->relaxed.size;
    item->open[0].count = 0;
    item->open[0].type = ST_TYPE_M;
}

ffi_item *ffi_item_create(void)
{
    ffi_item *item = st_alloc_new(ffi_alloc(), sizeof *item);
    if (item) {
        st_buf_init(&item->relaxed, ffi_alloc());
        st_buf_init(&item->frame, ffi_alloc());
        ffi_item_reset(item);
    }
    return item;
}

void ffi_item_destroy(void *object)
{
    ffi_item *item = object;
    if (item) {
        st_buf_deinit(&item->relaxed);
        st_buf_deinit(&item->frame);
        st_alloc_free(ffi_alloc(), item, sizeof *item);
    }
}

static void ffi_item_close_container(ffi_item *item)
{
    size_t begin = item->open[item->depth].begin;
    if (!item->relaxed.failed) {
        st_put_u32(item->relaxed.data + begin - 8, (uint32_t)(item->relaxed.size - begin));
        st_put_u32(item->relaxed.data + begin - 4, item->open[item->depth].count);
    }
}

st_status ffi_item_relaxed(st_op *op, ffi_item *item, st_slice *out_relaxed)
{
    ST_TRY(ffi_latched(op, &item->failure));
    if (item->is_read) {
        if (item->relaxed.size <= 9) { /* read items are seldom written again: made only then */
            st_buf_clear(&item->relaxed);
            st_item_to_relaxed(item->view, &item->relaxed);
        }
    } else {
        if (item->depth > 0) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "a container of the item is still open; stator_item_end closes it");
        }
        ffi_item_close_container(item);
    }
    ST_TRY(st_buf_check(op, &item->relaxed));
    *out_relaxed = st_buf_view(&item->relaxed);
    return ST_OK;
}

st_status ffi_item_frame(st_op *op, ffi_item *item, st_slice *out_frame)
{
    if (item->is_read) {
        *out_frame = item->view;
        return ST_OK;
    }
    if (!item->has_frame) {
        st_slice relaxed;
        ST_TRY(ffi_item_relaxed(op, item, &relaxed));
        st_buf_clear(&item->frame);
        ST_TRY(st_item_canonicalize(op, relaxed, &item->frame));
        item->has_frame = true;
    }
    *out_frame = st_buf_view(&item->frame);
    return ST_OK;
}

static stator_status ffi_item_publish(ffi_call *call, ffi_item *item, stator_item **out_item)
{
    *out_item = item ? ffi_handle_new(FFI_ITEM, item, ffi_item_destroy) : NULL;
    if (!*out_item) {
        ffi_item_destroy(item);
        return (stator_status)st_fail_memory(&call->op, sizeof *item);
    }
    return STATOR_OK;
}

stator_status ffi_item_of_frame(ffi_call *call, st_slice frame, stator_item **out_item)
{
    ffi_item *item = ffi_item_create();
    if (item) {
        st_buf_slice(&item->frame, frame);
        item->view = st_buf_view(&item->frame);
        item->is_read = item->has_frame = true;
        if (item->frame.failed) {
            ffi_item_destroy(item);
            item = NULL;
        }
    }
    return ffi_item_publish(call, item, out_item);
}

stator_status stator_item_new(stator_item **out_item)
{
    if (!out_item) {
        return STATOR_MISUSE;
    }
    ffi_call call;
    ffi_begin(&call, NULL);
    return ffi_end(&call, ffi_item_publish(&call, ffi_item_create(), out_item));
}

void stator_item_free(stator_item *token)
{
    void *object;
    if (!token || ffi_is_forked() ||
        ffi_handle_enter(token, FFI_ITEM, false, &object) != STATOR_OK) {
        return;
    }
    if (!((ffi_item *)object)->is_of_cursor) {
        (void)ffi_handle_free(token, FFI_ITEM);
    }
    ffi_handle_leave(token, false);
}

static stator_status ffi_item_enter(const stator_item *token, ffi_item **out_item)
{
    void *object = NULL;
    stator_status status =
        ffi_is_forked() ? STATOR_FORKED : ffi_handle_enter(token, FFI_ITEM, true, &object);
    *out_item = object;
    return status;
}

stator_status stator_item_clear(stator_item *token)
{
    ffi_item *item;
    stator_status status = ffi_item_enter(token, &item);
    if (status != STATOR_OK) {
        return status;
    }
    if (item->is_of_cursor) {
        status = STATOR_MISUSE;
    } else {
        item->is_read = false;
        ffi_item_reset(item);
    }
    ffi_handle_leave(token, true);
    return status;
}

/* ---- building --------------------------------------------------------------------------- */

static bool ffi_item_fits(st_type container, uint8_t tag)
{
    switch (container) {
    case ST_TYPE_SS:
        return tag == ST_TAG_S;
    case ST_TYPE_NS:
        return tag == ST_TAG_NUMBER_TEXT;
    case ST_TYPE_BS:
        return tag == ST_TAG_B;
    default:
        return true;
    }
}

/* Name and tag of a value that comes next; in sets members have neither. */
static stator_status ffi_item_put_head(ffi_item *item, const void *name, size_t name_bytes,
                                       uint8_t tag)
{
    st_type container = item->open[item->depth].type;
    if (container == ST_TYPE_M ? !ffi_is_bytes(name, name_bytes)
                               : name != NULL || name_bytes != 0) {
        return ffi_latch(&item->failure, STATOR_INVALID_ARGUMENT,
                         container == ST_TYPE_M
                             ? "a name is NULL or has an impossible length"
                             : "members of lists and sets have no name: pass NULL and 0");
    }
    if (!ffi_item_fits(container, tag)) {
        return ffi_latch(&item->failure, STATOR_INVALID_ARGUMENT,
                         "a set takes only members of its own type");
    }
    if (container == ST_TYPE_M) {
        st_buf_varint(&item->relaxed, name_bytes);
        st_buf_append(&item->relaxed, name, name_bytes);
    }
    if (container == ST_TYPE_M || container == ST_TYPE_L) {
        st_buf_byte(&item->relaxed, tag);
    }
    item->open[item->depth].count++;
    return STATOR_OK;
}

static stator_status ffi_item_put(ffi_item *item, const void *name, size_t name_bytes, uint8_t tag,
                                  const void *value, size_t value_bytes)
{
    if (!ffi_is_bytes(value, value_bytes)) {
        return ffi_latch(&item->failure, STATOR_INVALID_ARGUMENT,
                         "a value is NULL or has an impossible length");
    }
    stator_status status = ffi_item_put_head(item, name, name_bytes, tag);
    if (status == STATOR_OK && (tag == ST_TAG_S || tag == ST_TAG_NUMBER_TEXT || tag == ST_TAG_B)) {
        st_buf_varint(&item->relaxed, value_bytes);
        st_buf_append(&item->relaxed, value, value_bytes);
    }
    if (item->relaxed.failed) {
        status = ffi_latch(&item->failure, STATOR_NO_MEMORY, "out of memory");
    }
    return status;
}

static stator_status ffi_item_set(stator_item *token, const void *name, size_t name_bytes,
                                  uint8_t tag, const void *value, size_t value_bytes)
{
    ffi_item *item;
    stator_status status = ffi_item_enter(token, &item);
    if (status != STATOR_OK) {
        return status;
    }
    item->has_frame = item->has_frame && item->is_read;
    status = item->is_read ? STATOR_MISUSE
             : item->failure.code != ST_OK
                 ? (stator_status)item->failure.code
                 : ffi_item_put(item, name, name_bytes, tag, value, value_bytes);
    ffi_handle_leave(token, true);
    return status;
}

stator_status stator_item_set_string(stator_item *item, const void *name, size_t name_bytes,
                                     const void *value, size_t value_bytes)
{
    return ffi_item_set(item, name, name_bytes, ST_TAG_S, value, value_bytes);
}

stator_status stator_item_set_number(stator_item *item, const void *name, size_t name_bytes,
                                     const void *value, size_t value_bytes)
{
    return ffi_item_set(item, name, name_bytes, ST_TAG_NUMBER_TEXT, value, value_bytes);
}

stator_status stator_item_set_int64(stator_item *item, const void *name, size_t name_bytes,
                                    int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0) {
        digits[--at] = '-';
    }
    return ffi_item_set(item, name, name_bytes, ST_TAG_NUMBER_TEXT, digits + at,
                        sizeof digits - at);
}

stator_status stator_item_set_binary(stator_item *item, const void *name, size_t name_bytes,
                                     const void *value, size_t value_bytes)
{
    return ffi_item_set(item, name, name_bytes, ST_TAG_B, value, value_bytes);
}

stator_status stator_item_set_bool(stator_item *item, const void *name, size_t name_bytes,
                                   int32_t value)
{
    return ffi_item_set(item, name, name_bytes, value ? ST_TAG_TRUE : ST_TAG_FALSE, NULL, 0);
}

stator_status stator_item_set_null(stator_item *item, const void *name, size_t name_bytes)
{
    return ffi_item_set(item, name, name_bytes, ST_TAG_NULL, NULL, 0);
}

static stator_status ffi_item_open_container(ffi_item *item, const void *name, size_t name_bytes,
                                             int32_t type)
{
    static const uint8_t ffi_container_tags[] = {ST_TAG_SS, ST_TAG_NS_TEXT, ST_TAG_BS, ST_TAG_L,
                                                 ST_TAG_M};
    if (type < STATOR_TYPE_SS || type > STATOR_TYPE_M) {
        return ffi_latch(&item->failure, STATOR_INVALID_ARGUMENT,
                         "a container is of type SS, NS, BS, L or M");
    }
    if (item->open[item->depth].type < ST_TYPE_L) {
        return ffi_latch(&item->failure, STATOR_INVALID_ARGUMENT,
                         "a set takes only members of its own type");
    }
    if (item->depth + 1 >= FFI_NESTING_MAX) {
        return ffi_latch(&item->failure, STATOR_INVALID_ARGUMENT,
                         "Nesting Levels have exceeded supported limits: Attributes in the item "
                         "have nested levels beyond "
                         "supported limit");
    }
    stator_status status =
        ffi_item_put_head(item, name, name_bytes, ffi_container_tags[type - STATOR_TYPE_SS]);
    if (status == STATOR_OK) {
        st_buf_u64(&item->relaxed, 0);
        item->depth++;
        item->open[item->depth].begin = item->relaxed.size;
        item->open[item->depth].count = 0;
        item->open[item->depth].type = (st_type)type;
    }
    return status;
}

stator_status stator_item_begin(stator_item *token, const void *name, size_t name_bytes,
                                int32_t type)
{
    ffi_item *item;
    stator_status status = ffi_item_enter(token, &item);
    if (status != STATOR_OK) {
        return status;
    }
    status = item->is_read                 ? STATOR_MISUSE
             : item->failure.code != ST_OK ? (stator_status)item->failure.code
                                           : ffi_item_open_container(item, name, name_bytes, type);
    item->has_frame = item->has_frame && item->is_read;
    ffi_handle_leave(token, true);
    return status;
}

stator_status stator_item_end(stator_item *token)
{
    ffi_item *item;
    stator_status status = ffi_item_enter(token, &item);
    if (status != STATOR_OK) {
        return status;
    }
    if (item->is_read) {
        status = STATOR_MISUSE;
    } else if (item->failure.code != ST_OK) {
        status = (stator_status)item->failure.code;
    } else if (item->depth == 0) {
        status =
            ffi_latch(&item->failure, STATOR_INVALID_ARGUMENT, "no container of the item is open");
    } else {
        ffi_item_close_container(item);
        item->depth--;
    }
    ffi_handle_leave(token, true);
    return status;
}

/* ---- JSON and frames -------------------------------------------------------------------- */

/* An item whose relaxed value is already there. */
static stator_status ffi_item_of_relaxed(ffi_call *call, st_buf *relaxed, stator_item **out_item)
{
    ffi_item *item = ffi_item_create();
    if (!item) {
        return (stator_status)st_fail_memory(&call->op, sizeof *item);
    }
    st_status status = st_item_canonicalize(&call->op, st_buf_view(relaxed), &item->frame);
    if (status != ST_OK) {
        ffi_item_destroy(item);
        return (stator_status)status;
    }
    item->view = st_buf_view(&item->frame);
    item->is_read = item->has_frame = true;
    return ffi_item_publish(call, item, out_item);
}

stator_status stator_item_from_json(const void *json, size_t json_bytes, int32_t format,
                                    stator_item **out_item, stator_error *error)
{
    if (!out_item) {
        return ffi_refuse(error, STATOR_MISUSE, "out_item is NULL");
    }
    *out_item = NULL;
    if (!ffi_is_bytes(json, json_bytes) ||
        (format != STATOR_JSON_PLAIN && format != STATOR_JSON_DYNAMODB)) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT,
                          "the text is NULL or too long, or the format is unknown");
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf relaxed;
    st_buf_init(&relaxed, ffi_alloc());
    st_slice text = ffi_slice(json, json_bytes);
    stator_status status =
        (stator_status)(format == STATOR_JSON_PLAIN
                            ? st_item_from_plain_json(&call.op, text, &relaxed)
                            : st_item_from_dynamodb_json(&call.op, text, &relaxed));
    if (status == STATOR_OK) {
        status = ffi_item_of_relaxed(&call, &relaxed, out_item);
    }
    st_buf_deinit(&relaxed);
    return ffi_end(&call, status);
}

stator_status stator_item_from_frame(const void *frame, size_t frame_bytes, stator_item **out_item,
                                     stator_error *error)
{
    if (!out_item) {
        return ffi_refuse(error, STATOR_MISUSE, "out_item is NULL");
    }
    *out_item = NULL;
    if (!ffi_is_bytes(frame, frame_bytes) || frame_bytes == 0) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT, "the frame is NULL, empty or too long");
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_slice bytes = ffi_slice(frame, frame_bytes);
    stator_status status;
    if (bytes.data[0] == ST_TAG_M) {
        st_buf relaxed = {.data = (uint8_t *)(uintptr_t)bytes.data, .size = bytes.size};
        status = ffi_item_of_relaxed(&call, &relaxed, out_item);
    } else {
        status = (stator_status)st_item_validate(&call.op, bytes);
        if (status == STATOR_CORRUPT) {
            call.op.error.code =
                ST_INVALID_ARGUMENT; /* the bytes come from the caller, not from a file */
            call.op.error.flags = st_status_flags(STATOR_INVALID_ARGUMENT);
            status = STATOR_INVALID_ARGUMENT;
        }
        status = status == STATOR_OK ? ffi_item_of_frame(&call, bytes, out_item) : status;
    }
    return ffi_end(&call, status);
}

stator_status stator_item_to_json(stator_item *token, int32_t format, stator_buffer **out_json,
                                  stator_error *error)
{
    if (!out_json) {
        return ffi_refuse(error, STATOR_MISUSE, "out_json is NULL");
    }
    *out_json = NULL;
    ffi_item *item;
    stator_status status = ffi_item_enter(token, &item);
    if (status != STATOR_OK) {
        return ffi_refuse_handle(error, status, FFI_ITEM);
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf json;
    st_slice frame;
    st_buf_init(&json, ffi_alloc());
    status = (stator_status)ffi_item_frame(&call.op, item, &frame);
    if (status == STATOR_OK && format == STATOR_JSON_PLAIN) {
        status = (stator_status)st_item_to_plain_json(&call.op, frame, &json);
    } else if (status == STATOR_OK && format == STATOR_JSON_DYNAMODB) {
        status = (stator_status)st_item_to_dynamodb_json(&call.op, frame, &json);
    } else if (status == STATOR_OK) {
        status = (stator_status)st_fail(&call.op, ST_INVALID_ARGUMENT, "JSON format %d is unknown",
                                        (int)format);
    }
    if (status == STATOR_OK) {
        status = ffi_buffer_of(&call, &json, out_json);
    }
    st_buf_deinit(&json);
    ffi_handle_leave(token, true);
    return ffi_end(&call, status);
}

stator_status stator_item_frame(stator_item *token, const void **out_frame, size_t *out_frame_bytes,
                                stator_error *error)
{
    if (!out_frame || !out_frame_bytes) {
        return ffi_refuse(error, STATOR_MISUSE, "out_frame or out_frame_bytes is NULL");
    }
    *out_frame = NULL;
    *out_frame_bytes = 0;
    ffi_item *item;
    stator_status status = ffi_item_enter(token, &item);
    if (status != STATOR_OK) {
        return ffi_refuse_handle(error, status, FFI_ITEM);
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_slice frame;
    status = (stator_status)ffi_item_frame(&call.op, item, &frame);
    if (status == STATOR_OK) {
        *out_frame = frame.data;
        *out_frame_bytes = frame.size;
    }
    ffi_handle_leave(token, true);
    return ffi_end(&call, status);
}
