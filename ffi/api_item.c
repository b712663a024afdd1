/* Items: the builder, which writes a relaxed value, and reading, which looks into the canonical
 * frame. */
#include "ffi_internal.h"

#include <string.h>

/* ---- the object ------------------------------------------------------------------------- */

static void ffi_builder_reset(ffi_builder *builder)
{
    st_buf_clear(&builder->relaxed);
    builder->depth = 0;
    builder->has_frame = false;
    builder->failure = (st_error){0};
    st_buf_byte(&builder->relaxed, ST_TAG_M);
    st_buf_u64(&builder->relaxed, 0); /* bytes and count, filled in when the container is closed */
    builder->open[0].begin = builder->relaxed.size;
    builder->open[0].count = 0;
    builder->open[0].type = ST_TYPE_M;
    if (builder->relaxed.failed) {
        (void)ffi_latch(&builder->failure, STATOR_NO_MEMORY, "out of memory");
    }
}

static ffi_builder *ffi_builder_create(void)
{
    ffi_builder *builder = st_alloc_new(ffi_alloc(), sizeof *builder);
    if (builder) {
        st_buf_init(&builder->relaxed, ffi_alloc());
        ffi_builder_reset(builder);
    }
    return builder;
}

ffi_item *ffi_item_create(void)
{
    ffi_item *item = st_alloc_new(ffi_alloc(), sizeof *item);
    if (item) {
        st_buf_init(&item->bytes, ffi_alloc());
        st_buf_init(&item->relaxed, ffi_alloc());
    }
    return item;
}

void ffi_item_destroy(void *object)
{
    ffi_item *item = object;
    if (item) {
        if (item->builder) {
            st_buf_deinit(&item->builder->relaxed);
            st_alloc_free(ffi_alloc(), item->builder, sizeof *item->builder);
        }
        st_buf_deinit(&item->bytes);
        st_buf_deinit(&item->relaxed);
        st_alloc_free(ffi_alloc(), item, sizeof *item);
    }
}

static void ffi_builder_close_container(ffi_builder *builder)
{
    size_t begin = builder->open[builder->depth].begin;
    st_put_u32(builder->relaxed.data + begin - 8, (uint32_t)(builder->relaxed.size - begin));
    st_put_u32(builder->relaxed.data + begin - 4, builder->open[builder->depth].count);
}

/* The item of a cursor is empty before the first step and behind the last. */
static st_status ffi_item_check(st_op *op, const ffi_item *item)
{
    return item->builder || item->frame.size > 0
               ? ST_OK
               : st_fail(op, ST_MISUSE, "the cursor of this item stands on none");
}

st_status ffi_item_relaxed(st_op *op, ffi_item *item, st_slice *out_relaxed)
{
    ffi_builder *builder = item->builder;
    ST_TRY(ffi_item_check(op, item));
    if (!builder) {
        if (item->relaxed.size == 0) { /* items that were read are seldom written again */
            st_buf_clear(&item->relaxed);
            st_item_to_relaxed(item->frame, &item->relaxed);
        }
        *out_relaxed = st_buf_view(&item->relaxed);
        return st_buf_check(op, &item->relaxed);
    }
    ST_TRY(ffi_latched(op, &builder->failure));
    if (builder->depth > 0) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "a container of the item is still open; stator_item_end closes it");
    }
    ffi_builder_close_container(builder);
    *out_relaxed = st_buf_view(&builder->relaxed);
    return ST_OK;
}

st_status ffi_item_frame(st_op *op, ffi_item *item, st_slice *out_frame)
{
    ffi_builder *builder = item->builder;
    ST_TRY(ffi_item_check(op, item));
    if (builder && !builder->has_frame) {
        st_slice relaxed;
        ST_TRY(ffi_item_relaxed(op, item, &relaxed));
        st_buf_clear(&item->bytes);
        ST_TRY(st_item_canonicalize(op, relaxed, &item->bytes));
        item->frame = st_buf_view(&item->bytes);
        builder->has_frame = true;
    }
    *out_frame = item->frame;
    return ST_OK;
}

/* Takes item over, also on failure; NULL: there was no memory for it. */
static stator_status ffi_item_publish(ffi_item *item, stator_item **out_item)
{
    ffi_subject subject = {.type = FFI_ITEM, .object = item, .destroy = ffi_item_destroy};
    *out_item = item ? ffi_handle_new(&subject) : NULL;
    if (!*out_item) {
        ffi_item_destroy(item);
    }
    return *out_item ? STATOR_OK : STATOR_NO_MEMORY;
}

stator_status ffi_item_of_frame(ffi_call *call, st_buf *bytes, st_slice frame,
                                stator_item **out_item)
{
    ffi_item *item = ffi_item_create();
    if (item) {
        item->bytes = *bytes;
        item->frame = frame;
        ffi_subject subject = {.type = FFI_ITEM, .object = item, .destroy = ffi_item_destroy};
        *out_item = ffi_handle_new(&subject);
        if (*out_item) {
            st_buf_init(bytes, ffi_alloc());
            return STATOR_OK;
        }
        st_alloc_free(ffi_alloc(), item, sizeof *item);
    }
    return (stator_status)st_fail_memory(&call->op, sizeof *item);
}

stator_status stator_item_new(stator_item **out_item)
{
    if (!out_item) {
        return STATOR_MISUSE;
    }
    *out_item = NULL;
    ffi_item *item = ffi_item_create();
    if (item) {
        item->builder = ffi_builder_create();
        if (!item->builder) {
            ffi_item_destroy(item);
            item = NULL;
        }
    }
    return ffi_item_publish(item, out_item);
}

void stator_item_free(stator_item *item)
{
    (void)ffi_handle_free(item, FFI_ITEM);
}

stator_status stator_item_clear(stator_item *token)
{
    ffi_hold hold;
    stator_status status = ffi_enter(token, FFI_ITEM, NULL, &hold);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_item *item = hold.object;
    if (hold.number == FFI_ITEM_OF_CURSOR) {
        status = STATOR_MISUSE;
    } else if (item->builder) {
        ffi_builder_reset(item->builder);
    } else {
        item->builder = ffi_builder_create();
        status = item->builder ? STATOR_OK : STATOR_NO_MEMORY;
    }
    ffi_leave(&hold);
    return status;
}

/* ---- building --------------------------------------------------------------------------- */

static bool ffi_builder_fits(st_type container, uint8_t tag)
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
static stator_status ffi_builder_put_head(ffi_builder *builder, const void *name, size_t name_bytes,
                                          uint8_t tag)
{
    st_type container = builder->open[builder->depth].type;
    if (container == ST_TYPE_M ? !ffi_is_bytes(name, name_bytes)
                               : name != NULL || name_bytes != 0) {
        return ffi_latch(&builder->failure, STATOR_INVALID_ARGUMENT,
                         container == ST_TYPE_M
                             ? "a name is NULL or has an impossible length"
                             : "members of lists and sets have no name: pass NULL and 0");
    }
    if (!ffi_builder_fits(container, tag)) {
        return ffi_latch(&builder->failure, STATOR_INVALID_ARGUMENT,
                         "a set takes only members of its own type");
    }
    if (container == ST_TYPE_M) {
        st_buf_varint(&builder->relaxed, name_bytes);
        st_buf_append(&builder->relaxed, name, name_bytes);
    }
    if (container == ST_TYPE_M || container == ST_TYPE_L) {
        st_buf_byte(&builder->relaxed, tag);
    }
    builder->open[builder->depth].count++;
    return STATOR_OK;
}

static stator_status ffi_builder_put(ffi_builder *builder, const void *name, size_t name_bytes,
                                     uint8_t tag, const void *value, size_t value_bytes)
{
    if (!ffi_is_bytes(value, value_bytes)) {
        return ffi_latch(&builder->failure, STATOR_INVALID_ARGUMENT,
                         "a value is NULL or has an impossible length");
    }
    stator_status status = ffi_builder_put_head(builder, name, name_bytes, tag);
    if (status == STATOR_OK && (tag == ST_TAG_S || tag == ST_TAG_NUMBER_TEXT || tag == ST_TAG_B)) {
        st_buf_varint(&builder->relaxed, value_bytes);
        st_buf_append(&builder->relaxed, value, value_bytes);
    }
    return status;
}

/* The builder behind an item that may be changed, or the first error it keeps. */
static stator_status ffi_builder_enter(stator_item *token, ffi_hold *hold,
                                       ffi_builder **out_builder)
{
    stator_status status = ffi_enter(token, FFI_ITEM, NULL, hold);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_builder *builder = ((ffi_item *)hold->object)->builder;
    status = builder ? (stator_status)builder->failure.code : STATOR_MISUSE;
    if (status != STATOR_OK) {
        ffi_leave(hold);
        return status;
    }
    builder->has_frame = false;
    *out_builder = builder;
    return STATOR_OK;
}

/* Every setter ends here: memory that ran out anywhere becomes the builder's error. */
static stator_status ffi_builder_leave(ffi_hold *hold, ffi_builder *builder)
{
    if (builder->relaxed.failed) {
        (void)ffi_latch(&builder->failure, STATOR_NO_MEMORY, "out of memory");
    }
    stator_status status = (stator_status)builder->failure.code;
    ffi_leave(hold);
    return status;
}

static stator_status ffi_item_set(stator_item *token, const void *name, size_t name_bytes,
                                  uint8_t tag, const void *value, size_t value_bytes)
{
    ffi_hold hold;
    ffi_builder *builder;
    stator_status status = ffi_builder_enter(token, &hold, &builder);
    if (status != STATOR_OK) {
        return status;
    }
    (void)ffi_builder_put(builder, name, name_bytes, tag, value, value_bytes);
    return ffi_builder_leave(&hold, builder);
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

static stator_status ffi_builder_open_container(ffi_builder *builder, const void *name,
                                                size_t name_bytes, int32_t type)
{
    static const uint8_t ffi_container_tags[] = {ST_TAG_SS, ST_TAG_NS_TEXT, ST_TAG_BS, ST_TAG_L,
                                                 ST_TAG_M};
    if (type < STATOR_TYPE_SS || type > STATOR_TYPE_M) {
        return ffi_latch(&builder->failure, STATOR_INVALID_ARGUMENT,
                         "a container is of type SS, NS, BS, L or M");
    }
    if (builder->open[builder->depth].type < ST_TYPE_L) {
        return ffi_latch(&builder->failure, STATOR_INVALID_ARGUMENT,
                         "a set takes only members of its own type");
    }
    if (builder->depth + 1 >= FFI_NESTING_MAX) {
        return ffi_latch(&builder->failure, STATOR_INVALID_ARGUMENT,
                         "Nesting Levels have exceeded supported limits: Attributes in the item "
                         "have nested levels beyond "
                         "supported limit");
    }
    stator_status status =
        ffi_builder_put_head(builder, name, name_bytes, ffi_container_tags[type - STATOR_TYPE_SS]);
    if (status == STATOR_OK) {
        st_buf_u64(&builder->relaxed, 0);
        builder->depth++;
        builder->open[builder->depth].begin = builder->relaxed.size;
        builder->open[builder->depth].count = 0;
        builder->open[builder->depth].type = (st_type)type;
    }
    return status;
}

stator_status stator_item_begin(stator_item *token, const void *name, size_t name_bytes,
                                int32_t type)
{
    ffi_hold hold;
    ffi_builder *builder;
    stator_status status = ffi_builder_enter(token, &hold, &builder);
    if (status != STATOR_OK) {
        return status;
    }
    (void)ffi_builder_open_container(builder, name, name_bytes, type);
    return ffi_builder_leave(&hold, builder);
}

stator_status stator_item_end(stator_item *token)
{
    ffi_hold hold;
    ffi_builder *builder;
    stator_status status = ffi_builder_enter(token, &hold, &builder);
    if (status != STATOR_OK) {
        return status;
    }
    if (builder->depth == 0) {
        (void)ffi_latch(&builder->failure, STATOR_INVALID_ARGUMENT,
                        "no container of the item is open");
    } else {
        ffi_builder_close_container(builder);
        builder->depth--;
    }
    return ffi_builder_leave(&hold, builder);
}

/* ---- JSON and frames -------------------------------------------------------------------- */

static stator_status ffi_item_of_relaxed(ffi_call *call, st_slice relaxed, stator_item **out_item)
{
    st_buf frame;
    st_buf_init(&frame, ffi_alloc());
    stator_status status = (stator_status)st_item_canonicalize(&call->op, relaxed, &frame);
    if (status == STATOR_OK) {
        status = ffi_item_of_frame(call, &frame, st_buf_view(&frame), out_item);
    }
    st_buf_deinit(&frame);
    return status;
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
        status = ffi_item_of_relaxed(&call, st_buf_view(&relaxed), out_item);
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
    st_buf copy;
    st_buf_init(&copy, ffi_alloc());
    stator_status status;
    if (bytes.data[0] == ST_TAG_M) {
        status = ffi_item_of_relaxed(&call, bytes, out_item);
    } else {
        status = (stator_status)st_item_validate(&call.op, bytes);
        if (status == STATOR_CORRUPT) { /* of the caller, not of a file */
            call.op.error.code = ST_INVALID_ARGUMENT;
            call.op.error.flags = st_status_flags(STATOR_INVALID_ARGUMENT);
            status = STATOR_INVALID_ARGUMENT;
        }
        if (status == STATOR_OK) {
            st_buf_slice(&copy, bytes);
            status = (stator_status)st_buf_check(&call.op, &copy);
        }
        if (status == STATOR_OK) {
            status = ffi_item_of_frame(&call, &copy, st_buf_view(&copy), out_item);
        }
    }
    st_buf_deinit(&copy);
    return ffi_end(&call, status);
}

stator_status stator_item_to_json(stator_item *token, int32_t format, stator_buffer **out_json,
                                  stator_error *error)
{
    if (!out_json) {
        return ffi_refuse(error, STATOR_MISUSE, "out_json is NULL");
    }
    *out_json = NULL;
    ffi_hold hold;
    stator_status status = ffi_enter(token, FFI_ITEM, error, &hold);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf json;
    st_slice frame;
    st_buf_init(&json, ffi_alloc());
    status = (stator_status)ffi_item_frame(&call.op, hold.object, &frame);
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
    ffi_leave(&hold);
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
    ffi_hold hold;
    stator_status status = ffi_enter(token, FFI_ITEM, error, &hold);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_slice frame;
    status = (stator_status)ffi_item_frame(&call.op, hold.object, &frame);
    if (status == STATOR_OK) {
        *out_frame = frame.data;
        *out_frame_bytes = frame.size;
    }
    ffi_leave(&hold);
    return ffi_end(&call, status);
}
