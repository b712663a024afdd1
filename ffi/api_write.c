/* One item: put, get, delete. */
#include "ffi_internal.h"

#include <string.h>

void stator_write_options_init(stator_write_options *options)
{
    if (options) {
        memset(options, 0, sizeof *options);
        options->struct_size = sizeof *options;
    }
}

void stator_read_options_init(stator_read_options *options)
{
    if (options) {
        memset(options, 0, sizeof *options);
        options->struct_size = sizeof *options;
    }
}

/* A table and an item, both held for one call. */
typedef struct ffi_item_call {
    ffi_hold table, item;
} ffi_item_call;

static void ffi_item_call_end(ffi_item_call *call)
{
    ffi_leave(&call->item);
    ffi_leave(&call->table);
}

static stator_status ffi_item_call_begin(ffi_item_call *call, const void *table, const void *item,
                                         stator_error *error)
{
    stator_status status = ffi_enter(table, FFI_TABLE, error, &call->table);
    if (status == STATOR_OK) {
        status = ffi_enter(item, FFI_ITEM, error, &call->item);
        if (status != STATOR_OK) {
            ffi_leave(&call->table);
        }
    }
    return status;
}

static stator_status ffi_write_options(const stator_write_options *from, stator_write_options *to,
                                       stator_error *error)
{
    stator_write_options_init(to);
    stator_status status = from ? ffi_struct_in(from, to, sizeof *to, error) : STATOR_OK;
    if (status == STATOR_OK && to->durability > STATOR_DURABILITY_NONE) {
        status = ffi_refuse(error, STATOR_INVALID_ARGUMENT, "durability is 0 to 3");
    }
    return status;
}

/* Runs a request about one item and gives the item of a result field, if it is there and asked for.
 */
static stator_status ffi_item_request(ffi_item_call *entered, uint8_t operation,
                                      uint32_t durability, uint32_t deadline_ms, uint32_t flags,
                                      uint8_t result_field, stator_item **out_item,
                                      stator_error *error)
{
    ffi_call call;
    ffi_begin(&call, error);
    st_buf request, result;
    st_slice relaxed = {0}, found;
    st_buf_init(&request, ffi_alloc());
    st_buf_init(&result, ffi_alloc());
    stator_status status =
        (stator_status)ffi_item_relaxed(&call.op, entered->item.object, &relaxed);
    ffi_frame_begin(&request, operation);
    ffi_frame_u32(&request, ST_FIELD_TABLE_ID, (uint32_t)entered->table.number);
    ffi_frame_field(&request, operation == ST_REQUEST_PUT ? ST_FIELD_ITEM : ST_FIELD_KEY, relaxed);
    ffi_frame_u8(&request, ST_FIELD_DURABILITY, (uint8_t)durability);
    ffi_frame_u32(&request, ST_FIELD_DEADLINE, deadline_ms);
    ffi_frame_u32(&request, ST_FIELD_FLAGS, flags);
    if (status == STATOR_OK) {
        status = (stator_status)st_buf_check(&call.op, &request);
    }
    if (status == STATOR_OK) {
        status = (stator_status)st_table_execute(&call.op, entered->table.db->database,
                                                 st_buf_view(&request), &result);
    }
    if (status == STATOR_OK && out_item &&
        ffi_frame_find(st_buf_view(&result), result_field, &found)) {
        status = ffi_item_of_frame(&call, &result, found, out_item);
    }
    st_buf_deinit(&request);
    st_buf_deinit(&result);
    return ffi_end(&call, status);
}

static stator_status ffi_write(stator_table *table, stator_item *item, uint8_t operation,
                               uint32_t flags, const stator_write_options *options,
                               stator_item **out_old, stator_error *error)
{
    stator_write_options checked;
    stator_status status = ffi_write_options(options, &checked, error);
    ffi_item_call call;
    if (status == STATOR_OK) {
        status = ffi_item_call_begin(&call, table, item, error);
    }
    if (status != STATOR_OK) {
        return status;
    }
    status = ffi_item_request(&call, operation, checked.durability, checked.deadline_ms, flags,
                              ST_RESULT_OLD_ITEM, out_old, error);
    ffi_item_call_end(&call);
    return status;
}

stator_status stator_put(stator_table *table, stator_item *item,
                         const stator_write_options *options, stator_error *error)
{
    return ffi_write(table, item, ST_REQUEST_PUT, 0, options, NULL, error);
}

stator_status stator_put_returning(stator_table *table, stator_item *item,
                                   const stator_write_options *options, stator_item **out_old,
                                   stator_error *error)
{
    if (!out_old) {
        return ffi_refuse(error, STATOR_MISUSE, "out_old is NULL");
    }
    *out_old = NULL;
    return ffi_write(table, item, ST_REQUEST_PUT, ST_FLAG_RETURN_OLD, options, out_old, error);
}

stator_status stator_delete(stator_table *table, stator_item *key,
                            const stator_write_options *options, stator_error *error)
{
    return ffi_write(table, key, ST_REQUEST_DELETE, 0, options, NULL, error);
}

stator_status stator_delete_returning(stator_table *table, stator_item *key,
                                      const stator_write_options *options, stator_item **out_old,
                                      stator_error *error)
{
    if (!out_old) {
        return ffi_refuse(error, STATOR_MISUSE, "out_old is NULL");
    }
    *out_old = NULL;
    return ffi_write(table, key, ST_REQUEST_DELETE, ST_FLAG_RETURN_OLD, options, out_old, error);
}

stator_status stator_get(stator_table *table, stator_item *key, const stator_read_options *options,
                         stator_item **out_item, stator_error *error)
{
    if (!out_item) {
        return ffi_refuse(error, STATOR_MISUSE, "out_item is NULL");
    }
    *out_item = NULL;
    stator_read_options checked;
    stator_read_options_init(&checked);
    stator_status status =
        options ? ffi_struct_in(options, &checked, sizeof checked, error) : STATOR_OK;
    ffi_item_call call;
    if (status == STATOR_OK) {
        status = ffi_item_call_begin(&call, table, key, error);
    }
    if (status != STATOR_OK) {
        return status;
    }
    uint32_t flags = (checked.consistent ? ST_FLAG_CONSISTENT : 0) |
                     (checked.cached_only ? ST_FLAG_CACHED_ONLY : 0);
    status = ffi_item_request(&call, ST_REQUEST_GET, 0, checked.deadline_ms, flags, ST_RESULT_ITEM,
                              out_item, error);
    ffi_item_call_end(&call);
    return status;
}
