/* Reading values out of items. */
#include "ffi_internal.h"

#include <string.h>

void stator_value_init(stator_value *value)
{
    if (value) {
        memset(value, 0, sizeof *value);
        value->struct_size = sizeof *value;
    }
}

/* What a value inside a frame is to the caller. Containers hand out their whole encoding, for the
 * functions below. */
static stator_status ffi_value_out(const st_value *from, stator_value *to, stator_error *error)
{
    stator_value value;
    stator_value_init(&value);
    value.type = (int32_t)from->type;
    value.count = from->count;
    value.boolean = from->boolean;
    if (from->type == ST_TYPE_S || from->type == ST_TYPE_B) {
        value.data = from->bytes.size > 0 ? from->bytes.data : (const uint8_t *)"";
        value.data_bytes = from->bytes.size;
    } else if (from->type >= ST_TYPE_SS) {
        value.data = from->encoded.data;
        value.data_bytes = from->encoded.size;
    } else if (from->type == ST_TYPE_N) {
        st_number number;
        if (st_number_decode(from->bytes, &number)) {
            value.number_bytes = (uint32_t)st_number_text(&number, value.number);
        }
    }
    return ffi_struct_out(&value, to, sizeof value, error);
}

typedef struct ffi_lookup {
    st_slice name;
    size_t index;
    bool is_by_name;
} ffi_lookup;

static stator_status ffi_value_of_item(stator_item *token, const ffi_lookup *lookup,
                                       st_slice *out_name, stator_value *out_value,
                                       size_t *out_count, stator_error *error)
{
    ffi_hold hold;
    stator_status status = ffi_enter(token, FFI_ITEM, error, &hold);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_slice frame;
    st_value value = {0};
    status = (stator_status)ffi_item_frame(&call.op, hold.object, &frame);
    if (status == STATOR_OK && out_count) {
        *out_count = st_item_count(frame);
    } else if (status == STATOR_OK && lookup->is_by_name) {
        (void)st_item_find(frame, lookup->name, &value);
    } else if (status == STATOR_OK &&
               (lookup->index > UINT32_MAX ||
                !st_item_at(frame, (uint32_t)lookup->index, out_name, &value))) {
        status = (stator_status)st_fail(&call.op, ST_INVALID_ARGUMENT,
                                        "the item has %u attributes, there is no index %zu",
                                        st_item_count(frame), lookup->index);
    }
    status = ffi_end(&call, status);
    if (status == STATOR_OK && out_value) { /* inside: another call may advance the cursor */
        status = ffi_value_out(&value, out_value, error);
    }
    ffi_leave(&hold);
    return status;
}

stator_status stator_item_get(stator_item *item, const void *name, size_t name_bytes,
                              stator_value *out_value, stator_error *error)
{
    if (!out_value) {
        return ffi_refuse(error, STATOR_MISUSE, "out_value is NULL");
    }
    if (!ffi_is_bytes(name, name_bytes)) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT,
                          "name is NULL or has an impossible length");
    }
    ffi_lookup lookup = {.name = ffi_slice(name, name_bytes), .is_by_name = true};
    return ffi_value_of_item(item, &lookup, NULL, out_value, NULL, error);
}

stator_status stator_item_count(stator_item *item, size_t *out_count, stator_error *error)
{
    if (!out_count) {
        return ffi_refuse(error, STATOR_MISUSE, "out_count is NULL");
    }
    *out_count = 0;
    return ffi_value_of_item(item, NULL, NULL, NULL, out_count, error);
}

stator_status stator_item_at(stator_item *item, size_t index, const void **out_name,
                             size_t *out_name_bytes, stator_value *out_value, stator_error *error)
{
    if (!out_value || !out_name || !out_name_bytes) {
        return ffi_refuse(error, STATOR_MISUSE, "out_name, out_name_bytes or out_value is NULL");
    }
    *out_name = NULL;
    *out_name_bytes = 0;
    ffi_lookup lookup = {.index = index};
    st_slice name = {0};
    stator_status status = ffi_value_of_item(item, &lookup, &name, out_value, NULL, error);
    if (status == STATOR_OK) {
        *out_name = name.data;
        *out_name_bytes = name.size;
    }
    return status;
}

/* The container that the caller holds. */
static stator_status ffi_value_in(const stator_value *value, st_value *out_container,
                                  stator_error *error)
{
    st_reader reader =
        st_reader_of(value ? st_slice_of(value->data, value->data_bytes) : (st_slice){0});
    bool is_container = value && value->data && value->type >= STATOR_TYPE_SS &&
                        value->type <= STATOR_TYPE_M && value->data_bytes <= FFI_BYTES_MAX;
    if (!is_container || !st_value_read(&reader, out_container) ||
        (int32_t)out_container->type != value->type) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT, "the value is not a set, list or map");
    }
    stator_error_clear(error);
    return STATOR_OK;
}

stator_status stator_value_at(const stator_value *value, size_t index, const void **out_name,
                              size_t *out_name_bytes, stator_value *out_value, stator_error *error)
{
    st_value container, member;
    st_slice name;
    if (!out_value) {
        return ffi_refuse(error, STATOR_MISUSE, "out_value is NULL");
    }
    stator_status status = ffi_value_in(value, &container, error);
    if (status != STATOR_OK) {
        return status;
    }
    st_members members = st_members_of(&container);
    for (size_t i = 0; i <= index; i++) {
        if (!st_members_next(&members, &name, &member)) {
            return ffi_refuse(error, STATOR_INVALID_ARGUMENT,
                              "the index is behind the last member");
        }
    }
    if (out_name && out_name_bytes) {
        *out_name = name.data;
        *out_name_bytes = name.size;
    }
    return ffi_value_out(&member, out_value, error);
}

stator_status stator_value_find(const stator_value *value, const void *name, size_t name_bytes,
                                stator_value *out_value, stator_error *error)
{
    st_value container, member;
    st_slice found;
    if (!out_value) {
        return ffi_refuse(error, STATOR_MISUSE, "out_value is NULL");
    }
    stator_status status = ffi_value_in(value, &container, error);
    if (status != STATOR_OK) {
        return status;
    }
    if (container.type != ST_TYPE_M || !ffi_is_bytes(name, name_bytes)) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT,
                          "the value is not a map, or the name is NULL");
    }
    st_members members = st_members_of(&container);
    while (st_members_next(&members, &found, &member)) {
        if (st_slice_equal(found, ffi_slice(name, name_bytes))) {
            return ffi_value_out(&member, out_value, error);
        }
    }
    member = (st_value){0};
    return ffi_value_out(&member, out_value, error);
}
