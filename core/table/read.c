/* Reading items by key. What the store lends for the call is copied into the result. */
#include "table/table_internal.h"

/* An item is asked for by few bytes: a small request must not make an endless answer. */
#define READ_BATCH_BYTES_MAX ((size_t)512 << 20)

typedef struct read_call {
    st_database *database;
    const st_request *request; /* the whole one */
    uint64_t at;               /* the sequence to read at, or ST_LSM_PUBLISHED */
    bool is_batch;
    st_buf key, frame;
    st_charges charges;
} read_call;

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

static st_status read_charge(st_op *op, read_call *call, const st_table *table,
                             const st_request *request, st_slice item)
{
    if (!call->request->wants_capacity) {
        return ST_OK;
    }
    st_charge *charge = st_table__charge(op, &call->charges, table);
    if (!charge) {
        return ST_NO_MEMORY;
    }
    bool is_transaction = call->request->operation == ST_REQUEST_TRANSACT_GET;
    bool is_consistent = is_transaction || request->flags & ST_FLAG_CONSISTENT;
    uint64_t halves = st_table__read_halves(item.size > 0 ? st_item_size(item) : 0, is_consistent);
    charge->read_halves += is_transaction ? 2 * halves : halves;
    return ST_OK;
}

/* Appends the item with its length (batch) or as a field (one); nothing, or an empty entry, when it
 * is absent. */
static st_status read_put(st_op *op, read_call *call, const st_request *request, st_slice item,
                          bool is_found, st_buf *out)
{
    st_slice part = item;
    if (is_found && request->projection) {
        st_buf_clear(&call->frame);
        ST_TRY(st_projection_apply(op, request->projection, item, &call->frame));
        part = st_buf_view(&call->frame);
    }
    if (call->is_batch) {
        st_buf_u32(out, (uint32_t)part.size);
        st_buf_slice(out, part);
    } else if (is_found) {
        st_table__result_field(out, ST_RESULT_ITEM, part);
    }
    return ST_OK;
}

/* Inside the lookups. */
static st_status read_at(st_op *op, read_call *call, const st_table *table,
                         const st_request *request, bool *out_found, st_buf *out)
{
    st_lsm_pin pin;
    st_slice value;
    st_buf_clear(&call->key);
    ST_TRY(st_key_of_request(op, table->id, &table->schema, request->key, &call->key));
    st_status status = st_lsm_get(op, call->database->lsm, st_buf_view(&call->key), call->at, &pin,
                                  &value, out_found, NULL);
    if (status == ST_OK) {
        status = read_charge(op, call, table, request, value);
    }
    if (status == ST_OK) {
        status = read_put(op, call, request, value, *out_found, out);
    }
    st_lsm_pin_release(&pin);
    return status;
}

static st_status read_item(st_op *op, read_call *call, const st_request *request, st_buf *out)
{
    st_database *database = call->database;
    bool is_found = true;
    st_table *table;
    if (!request->has_key) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a get needs a key");
    }
    uint32_t table_id = 0, ticket = st_table__gate_enter(&database->catalog.lookups);
    st_status status = st_table__find(op, database, request->table_id, request->name, &table);
    if (status == ST_OK) {
        table_id = table->id;
        status = read_at(op, call, table, request, &is_found, out);
    }
    if (status == ST_OK && call->request->wants_capacity && !call->is_batch) {
        st_table__put_charges(&call->charges, out); /* while its table stays */
    }
    st_table__gate_leave(&database->catalog.lookups, ticket);
    return status == ST_OK && !is_found ? st_table__confirm(op, database, table_id) : status;
}

static void read_begin(st_op *op, read_call *call)
{
    st_buf_init(&call->key, op->alloc);
    st_buf_init(&call->frame, op->alloc);
    read_apply_flags(op, call->request);
}

static void read_end(read_call *call)
{
    st_buf_deinit(&call->key);
    st_buf_deinit(&call->frame);
}

st_status st_table__get_one(st_op *op, st_database *database, const st_request *request,
                            st_buf *out)
{
    read_call call = {.database = database, .request = request, .at = ST_LSM_PUBLISHED};
    read_begin(op, &call);
    st_table__result_begin(out, request->operation);
    st_status status = read_item(op, &call, request, out);
    read_end(&call);
    return status;
}

/* ---- batches ---------------------------------------------------------------------------- */

static st_status read_entries(st_op *op, read_call *call, st_buf *out)
{
    size_t begin = out->size;
    for (uint32_t i = 0; i < call->request->entry_count; i++) {
        const st_request *entry = &call->request->entries[i];
        if (entry->operation != ST_REQUEST_GET) {
            return st_fail(op, ST_INVALID_ARGUMENT, "a batch get holds gets, not operation %u",
                           entry->operation);
        }
        ST_TRY(read_item(op, call, entry, out));
        if (out->size - begin > READ_BATCH_BYTES_MAX) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "the items of a batch get are larger than 512 MiB together; ask for "
                           "fewer at once");
        }
        ST_TRY(read_check_deadline(op, call->database));
    }
    return ST_OK;
}

static st_status read_batch(st_op *op, read_call *call, st_buf *out)
{
    st_catalog *catalog = &call->database->catalog;
    uint32_t ticket = 0;
    if (call->request->wants_capacity) {
        ticket = st_table__gate_enter(&catalog->lookups); /* so that its tables stay */
    }
    size_t place = st_table__result_open(out, ST_RESULT_ITEMS);
    st_buf_u32(out, call->request->entry_count);
    st_status status = read_entries(op, call, out);
    st_table__result_shut(out, place);
    if (call->request->wants_capacity) {
        st_table__put_charges(&call->charges, out);
        st_table__gate_leave(&catalog->lookups, ticket);
    }
    return status;
}

st_status st_table__get_batch(st_op *op, st_database *database, const st_request *request,
                              st_buf *out)
{
    if (request->entry_count == 0) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "the batch is empty; it must hold at least one get");
    }
    st_lsm_snapshot *snapshot = NULL;
    read_call call = {
        .database = database, .request = request, .at = ST_LSM_PUBLISHED, .is_batch = true};
    if (request->operation == ST_REQUEST_TRANSACT_GET) {
        ST_TRY(st_lsm_snapshot_open(op, database->lsm, &snapshot));
        call.at = st_lsm_snapshot_sequence(snapshot);
    }
    read_begin(op, &call);
    st_table__result_begin(out, request->operation);
    st_status status = read_batch(op, &call, out);
    read_end(&call);
    st_lsm_snapshot_close(snapshot);
    return status;
}
