/* Reading items by key. What the store lends for the call is copied into the result. */
#include "table/table_internal.h"

static void read_apply_flags(st_op *op, const st_request *request)
{
    if (request->flags & ST_FLAG_CACHED_ONLY) {
        op->flags |= ST_OP_CACHED_ONLY;
    }
}

/* Appends the item with its length (batch) or as a field (one); nothing, or an empty entry, when it
 * is absent. */
static st_status read_item(st_op *op, st_database *database, const st_request *request, st_buf *key,
                           bool is_batch, st_buf *out)
{
    if (!request->has_key) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a get needs a key");
    }
    st_table *table;
    ST_TRY(st_table__find(op, database, request->table_id, request->name, false, &table));
    st_buf_clear(key);
    st_status status = st_key_of_request(op, table->id, &table->schema, request->key, key);
    st_table__release(table);
    ST_TRY(status);
    st_lsm_pin pin;
    st_slice value;
    bool is_found;
    status = st_lsm_get(op, database->lsm, st_buf_view(key), ST_LSM_PUBLISHED, &pin, &value,
                        &is_found, NULL);
    if (status == ST_OK && is_batch) {
        st_buf_u32(out, (uint32_t)value.size);
        st_buf_slice(out, value);
    } else if (status == ST_OK && is_found) {
        st_table__result_field(out, ST_RESULT_ITEM, value);
    }
    st_lsm_pin_release(&pin);
    return status;
}

st_status st_table__get_one(st_op *op, st_database *database, const st_request *request,
                            st_buf *out)
{
    st_buf key;
    st_buf_init(&key, op->alloc);
    read_apply_flags(op, request);
    st_table__result_begin(out, request->operation);
    st_status status = read_item(op, database, request, &key, false, out);
    st_buf_deinit(&key);
    return status;
}

static st_status read_entries(st_op *op, st_database *database, const st_request *request,
                              st_buf *key, st_buf *out)
{
    size_t at = 0;
    st_slice frame;
    while (st_table__next_entry(request, &at, &frame)) {
        st_request entry;
        ST_TRY(st_table__request(op, frame, &entry));
        if (entry.operation != ST_REQUEST_GET) {
            return st_fail(op, ST_INVALID_ARGUMENT, "a batch get holds gets, not operation %u",
                           entry.operation);
        }
        ST_TRY(read_item(op, database, &entry, key, true, out));
    }
    return ST_OK;
}

st_status st_table__get_batch(st_op *op, st_database *database, const st_request *request,
                              st_buf *out)
{
    if (request->entry_count == 0) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "the batch is empty; it must hold at least one get");
    }
    st_buf key;
    st_buf_init(&key, op->alloc);
    read_apply_flags(op, request);
    st_table__result_begin(out, request->operation);
    size_t place = st_table__result_open(out, ST_RESULT_ITEMS);
    st_buf_u32(out, request->entry_count);
    st_status status = read_entries(op, database, request, &key, out);
    st_table__result_shut(out, place);
    st_buf_deinit(&key);
    return status;
}
