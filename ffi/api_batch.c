/* Batches: puts and deletes written together, or gets read together. */
#include "ffi_internal.h"

static void ffi_batch_destroy(void *object)
{
    ffi_batch *batch = object;
    st_buf_deinit(&batch->entries);
    st_alloc_free(ffi_alloc(), batch, sizeof *batch);
}

static void ffi_batch_reset(ffi_batch *batch)
{
    st_buf_clear(&batch->entries);
    batch->count = 0;
    batch->has_get = batch->has_write = false;
    batch->failure = (st_error){0};
}

stator_status stator_batch_new(stator_db *token, stator_batch **out_batch)
{
    if (!out_batch) {
        return STATOR_MISUSE;
    }
    *out_batch = NULL;
    ffi_hold db;
    stator_status status = ffi_enter(token, FFI_DB, NULL, &db);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_batch *batch = st_alloc_new(ffi_alloc(), sizeof *batch);
    if (batch) {
        st_buf_init(&batch->entries, ffi_alloc());
        ffi_subject subject = {
            .type = FFI_BATCH, .object = batch, .destroy = ffi_batch_destroy, .db_hold = &db};
        *out_batch = ffi_handle_new(&subject);
        if (!*out_batch) {
            ffi_batch_destroy(batch);
        }
    }
    ffi_leave(&db);
    return *out_batch ? STATOR_OK : STATOR_NO_MEMORY;
}

/* One entry: a whole request frame with a table of its own. */
static stator_status ffi_batch_put_entry(ffi_batch *batch, uint32_t table_id, ffi_item *item,
                                         uint8_t operation)
{
    st_op op;
    st_op_init(&op, ffi_alloc());
    st_slice relaxed;
    st_status status = ffi_item_relaxed(&op, item, &relaxed);
    if (status == ST_OK) {
        st_buf *entries = &batch->entries;
        st_buf_byte(entries, ST_FIELD_ENTRY);
        st_buf_u32(entries, 0);
        size_t begin = entries->size;
        ffi_frame_begin(entries, operation);
        ffi_frame_u32(entries, ST_FIELD_TABLE_ID, table_id);
        ffi_frame_field(entries, operation == ST_REQUEST_PUT ? ST_FIELD_ITEM : ST_FIELD_KEY,
                        relaxed);
        if (!entries->failed) {
            st_put_u32(entries->data + begin - 4, (uint32_t)(entries->size - begin));
        }
        status = st_buf_check(&op, entries);
        batch->count++;
        *(operation == ST_REQUEST_GET ? &batch->has_get : &batch->has_write) = true;
    }
    if (status != ST_OK && batch->failure.code == ST_OK) {
        batch->failure = op.error;
        batch->failure.text = batch->failure.detail = (st_slice){0}; /* memory of the operation */
    }
    st_op_deinit(&op);
    return (stator_status)status;
}

static stator_status ffi_batch_add(stator_batch *token, stator_table *table_token,
                                   stator_item *item_token, uint8_t operation)
{
    ffi_hold hold, table, item;
    stator_status status = ffi_enter(token, FFI_BATCH, NULL, &hold);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_batch *batch = hold.object;
    status = ffi_enter(table_token, FFI_TABLE, NULL, &table);
    if (status == STATOR_OK) {
        status = ffi_enter(item_token, FFI_ITEM, NULL, &item);
        if (status == STATOR_OK) {
            status =
                batch->failure.code != ST_OK ? (stator_status)batch->failure.code
                : table.db->database != hold.db->database
                    ? ffi_latch(&batch->failure, STATOR_INVALID_ARGUMENT,
                                "the table belongs to another database than the batch")
                    : ffi_batch_put_entry(batch, (uint32_t)table.number, item.object, operation);
            ffi_leave(&item);
        }
        ffi_leave(&table);
    }
    ffi_leave(&hold);
    return status;
}

stator_status stator_batch_put(stator_batch *batch, stator_table *table, stator_item *item)
{
    return ffi_batch_add(batch, table, item, ST_REQUEST_PUT);
}

stator_status stator_batch_delete(stator_batch *batch, stator_table *table, stator_item *key)
{
    return ffi_batch_add(batch, table, key, ST_REQUEST_DELETE);
}

stator_status stator_batch_get(stator_batch *batch, stator_table *table, stator_item *key)
{
    return ffi_batch_add(batch, table, key, ST_REQUEST_GET);
}

/* ---- running a batch -------------------------------------------------------------------- */

static stator_status ffi_batch_run(ffi_call *call, const ffi_hold *hold, uint8_t operation,
                                   uint32_t durability, uint32_t deadline_ms, uint32_t flags,
                                   st_buf *result)
{
    ffi_batch *batch = hold->object;
    bool is_write = operation == ST_REQUEST_BATCH_WRITE;
    st_status status = ffi_latched(&call->op, &batch->failure);
    if (status == ST_OK && (is_write ? batch->has_get : batch->has_write)) {
        status = st_fail(&call->op, ST_INVALID_ARGUMENT,
                         "a batch holds either gets, or puts and deletes");
    }
    st_buf request;
    st_buf_init(&request, ffi_alloc());
    ffi_frame_begin(&request, operation);
    ffi_frame_u8(&request, ST_FIELD_DURABILITY, (uint8_t)durability);
    ffi_frame_u32(&request, ST_FIELD_DEADLINE, deadline_ms);
    ffi_frame_u32(&request, ST_FIELD_FLAGS, flags);
    st_buf_slice(&request, st_buf_view(&batch->entries));
    status = status == ST_OK ? st_buf_check(&call->op, &request) : status;
    if (status == ST_OK) {
        status = st_table_execute(&call->op, hold->db->database, st_buf_view(&request), result);
    }
    st_buf_deinit(&request);
    ffi_batch_reset(batch);
    return (stator_status)status;
}

stator_status stator_batch_write(stator_batch *token, const stator_write_options *options,
                                 stator_error *error)
{
    stator_write_options checked;
    stator_write_options_init(&checked);
    stator_status status =
        options ? ffi_struct_in(options, &checked, sizeof checked, error) : STATOR_OK;
    ffi_hold hold;
    if (status == STATOR_OK && checked.durability > STATOR_DURABILITY_NONE) {
        status = ffi_refuse(error, STATOR_INVALID_ARGUMENT, "durability is 0 to 3");
    }
    if (status == STATOR_OK) {
        status = ffi_enter(token, FFI_BATCH, error, &hold);
    }
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf result;
    st_buf_init(&result, ffi_alloc());
    status = ffi_batch_run(&call, &hold, ST_REQUEST_BATCH_WRITE, checked.durability,
                           checked.deadline_ms, 0, &result);
    st_buf_deinit(&result);
    ffi_leave(&hold);
    return ffi_end(&call, status);
}

stator_status stator_batch_read(stator_batch *token, const stator_read_options *options,
                                stator_cursor **out_cursor, stator_error *error)
{
    if (!out_cursor) {
        return ffi_refuse(error, STATOR_MISUSE, "out_cursor is NULL");
    }
    *out_cursor = NULL;
    stator_read_options checked;
    stator_read_options_init(&checked);
    stator_status status =
        options ? ffi_struct_in(options, &checked, sizeof checked, error) : STATOR_OK;
    ffi_hold hold;
    if (status == STATOR_OK) {
        status = ffi_enter(token, FFI_BATCH, error, &hold);
    }
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf result;
    st_buf_init(&result, ffi_alloc());
    uint32_t flags = (checked.consistent ? ST_FLAG_CONSISTENT : 0) |
                     (checked.cached_only ? ST_FLAG_CACHED_ONLY : 0);
    status =
        ffi_batch_run(&call, &hold, ST_REQUEST_BATCH_GET, 0, checked.deadline_ms, flags, &result);
    if (status == STATOR_OK) {
        status = ffi_cursor_create(&call, &hold, NULL, &result, out_cursor);
    }
    st_buf_deinit(&result);
    ffi_leave(&hold);
    return ffi_end(&call, status);
}

void stator_batch_free(stator_batch *batch)
{
    (void)ffi_handle_free(batch, FFI_BATCH);
}
