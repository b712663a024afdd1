/* Reading items by key. What the store lends for the call is copied into the result. */
#include "table/table_internal.h"

/* An item is asked for by few bytes: a small request must not make an endless answer. */
#define READ_BATCH_BYTES_MAX ((size_t)512 << 20)

static void read_apply_flags(st_op *op, const st_request *request)
{
    if (request->flags & ST_FLAG_CACHED_ONLY) {
        op->flags |= ST_OP_CACHED_ONLY;
    }
}

static st_status read_check_deadline(st_op *op, st_database *database)
{
    if (op->deadline_us != 0 && st_env_monotonic_us(database->env) >= op->deadline_us) {
        return st_fail(op, ST_DEADLINE, "the deadline passed while a batch of items was read");
    }
    return ST_OK;
}

/* The key of a get, and the id of its table. */
static st_status read_key(st_op *op, st_database *database, const st_request *request, st_buf *key,
                          uint32_t *out_table_id)
{
    st_table *table;
    uint32_t ticket = st_table__gate_enter(&database->catalog.lookups);
    st_status status = st_table__find(op, database, request->table_id, request->name, &table);
    if (status == ST_OK) {
        *out_table_id = table->id;
        status = st_key_of_request(op, table->id, &table->schema, request->key, key);
    }
    st_table__gate_leave(&database->catalog.lookups, ticket);
    return status;
}

/* Appends the item with its length (batch) or as a field (one); nothing, or an empty entry, when it
 * is absent. */
static st_status read_item(st_op *op, st_database *database, const st_request *request, st_buf *key,
                           bool is_batch, st_buf *out)
{
    if (!request->has_key) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a get needs a key");
    }
    uint32_t table_id = 0;
    st_buf_clear(key);
    ST_TRY(read_key(op, database, request, key, &table_id));
    st_lsm_pin pin;
    st_slice value;
    bool is_found;
    st_status status = st_lsm_get(op, database->lsm, st_buf_view(key), ST_LSM_PUBLISHED, &pin,
                                  &value, &is_found, NULL);
    if (status == ST_OK && is_batch) {
        st_buf_u32(out, (uint32_t)value.size);
        st_buf_slice(out, value);
    } else if (status == ST_OK && is_found) {
        st_table__result_field(out, ST_RESULT_ITEM, value);
    }
    st_lsm_pin_release(&pin);
    return status == ST_OK && !is_found ? st_table__confirm(op, database, table_id) : status;
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
    size_t at = 0, begin = out->size;
    st_slice frame;
    while (st_table__next_entry(request, &at, &frame)) {
        st_request entry;
        ST_TRY(st_table__request(op, frame, &entry));
        if (entry.operation != ST_REQUEST_GET) {
            return st_fail(op, ST_INVALID_ARGUMENT, "a batch get holds gets, not operation %u",
                           entry.operation);
        }
        ST_TRY(read_item(op, database, &entry, key, true, out));
        if (out->size - begin > READ_BATCH_BYTES_MAX) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "the items of a batch get are larger than 512 MiB together; ask for "
                           "fewer at once");
        }
        ST_TRY(read_check_deadline(op, database));
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
