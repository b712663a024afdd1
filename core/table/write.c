/* Writing items. Put, delete, update, batches and transactions of them all end in write_commit: one
 * batch of the store, one frame of the log.
 *
 * The latches of all keys are held from before the old items are read until the batch is applied,
 * so that what a write judges and returns is what it replaces, whatever else is written at the same
 * time. A write that has nothing to judge, and of which nothing follows, does not read.
 *
 * From before it looks up its tables until its batch is applied a writer is inside the catalog's
 * gate of writers: who deletes a table waits for it there. A writer that meets a table whose
 * deletion is on the way leaves the gate, waits for the end of the deletion, and begins anew.
 *
 * A transaction judges all of its entries before it fails, and its error carries a reason for each.
 * Two transactions that meet on a key do not conflict: the latches make one wait for the other,
 * which takes microseconds, because no latch is held across a sync.
 */
#include "table/table_internal.h"

#include <stdlib.h>
#include <string.h>

/* One write on its way. */
typedef struct write_entry {
    const st_request *request;
    st_table *table;
    st_slice key;   /* of the row; in the writer's buffers */
    st_slice frame; /* PUT: the item; UPDATE: the attributes of the key */
    size_t key_at, key_bytes, frame_at, frame_bytes;
    st_slice old_item, new_item; /* in the arena; empty: none */
    uint8_t reason;              /* ST_REASON_... */
    bool is_forgiven;            /* its condition failed on an absent item, which is fine */
    st_slice reason_text;
} write_entry;

typedef struct write_set {
    st_database *database;
    const st_request *request;
    bool is_transaction;
    write_entry *entries; /* in the arena */
    uint32_t count;
    bool is_held_up; /* by the deletion of a table */
    bool is_replay;  /* of a transaction whose token is known */
    uint32_t ticket; /* of the gate */
    st_buf keys, frames, token_key;
    st_lsm_latches latches;
    st_lsm_batch batch;
    st_charges charges;
} write_set;

static void write_init(write_set *set, st_op *op, st_database *database, const st_request *request)
{
    *set = (write_set){.database = database, .request = request};
    set->is_transaction = request->operation == ST_REQUEST_TRANSACT_WRITE;
    st_buf_init(&set->keys, op->alloc);
    st_buf_init(&set->frames, op->alloc);
    st_buf_init(&set->token_key, op->alloc);
    st_lsm_batch_init(&set->batch, op->alloc);
    st_lsm_latches_init(&set->latches);
}

static void write_deinit(write_set *set)
{
    st_buf_deinit(&set->keys);
    st_buf_deinit(&set->frames);
    st_buf_deinit(&set->token_key);
    st_lsm_batch_deinit(&set->batch);
}

/* ---- collecting ------------------------------------------------------------------------- */

/* Inside the gate of writers. */
static st_status write_find_table(st_op *op, write_set *set, const st_request *request,
                                  st_table **out_table)
{
    st_catalog *catalog = &set->database->catalog;
    uint32_t ticket = st_table__gate_enter(&catalog->lookups);
    st_status status =
        st_table__find(op, set->database, request->table_id, request->name, out_table);
    uint32_t state = status == ST_OK ? atomic_load(&(*out_table)->state) : ST_TABLE_ALIVE;
    uint32_t id = status == ST_OK ? (*out_table)->id : 0;
    st_table__gate_leave(&catalog->lookups, ticket);
    set->is_held_up = state == ST_TABLE_GOING;
    if (state == ST_TABLE_ALIVE) {
        return status;
    }
    *out_table = NULL;
    return state == ST_TABLE_GOING
               ? ST_BUSY /* never seen outside: the set is collected again */
               : st_fail(op, ST_TABLE_NOT_FOUND,
                         "Requested resource not found: Table: (id %u) not found", id);
}

static st_status write_check_shape(st_op *op, const st_request *request)
{
    bool is_put = request->operation == ST_REQUEST_PUT;
    if (is_put ? !request->has_item : !request->has_key) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       is_put ? "a put needs an item" : "a write needs a key");
    }
    if (request->operation == ST_REQUEST_CHECK && !request->condition) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a condition check needs a condition");
    }
    if (request->update && request->operation != ST_REQUEST_UPDATE) {
        return st_fail(op, ST_INVALID_ARGUMENT, "only an update has an update expression");
    }
    return ST_OK;
}

/* Makes the frame of what is written and the key it is written under. */
static st_status write_encode(st_op *op, write_set *set, write_entry *entry)
{
    const st_request *request = entry->request;
    const st_table *table = entry->table;
    if (request->operation == ST_REQUEST_PUT) {
        ST_TRY(st_item_canonicalize(op, request->item, &set->frames));
        entry->frame_bytes = set->frames.size - entry->frame_at;
        st_slice frame = st_slice_of(set->frames.data + entry->frame_at, entry->frame_bytes);
        ST_TRY(st_key_of_item(op, table->id, &table->schema, frame, &set->keys));
        return st_table__check_index_keys(op, table, frame, (st_slice){0}, false);
    }
    ST_TRY(st_key_of_request(op, table->id, &table->schema, request->key, &set->keys));
    if (request->operation == ST_REQUEST_UPDATE) {
        ST_TRY(st_item_canonicalize(op, request->key, &set->frames));
        entry->frame_bytes = set->frames.size - entry->frame_at;
    }
    return ST_OK;
}

static st_slice write_copy(st_op *op, st_slice bytes)
{
    uint8_t *copy = bytes.size > 0 ? st_arena_alloc(&op->arena, bytes.size) : NULL;
    if (copy) {
        memcpy(copy, bytes.data, bytes.size);
    }
    return st_slice_of(copy, copy ? bytes.size : 0);
}

/* Errors of these texts cancel a transaction as the reason of their entry; others are errors of the
 * whole request. */
static bool write_is_reason(st_slice message)
{
    static const char *const write_reasons[] = {
        "The provided key element does not match the schema",
        "One or more parameter values were invalid: Type mismatch for ",
        "One or more parameter values were invalid: Missing the key ",
        "Nesting Levels have exceeded supported limits",
        "Item size to update has exceeded the maximum allowed size",
    };
    for (size_t i = 0; i < sizeof write_reasons / sizeof write_reasons[0]; i++) {
        st_slice reason = st_slice_str(write_reasons[i]);
        bool is_whole = write_reasons[i][0] == 'N';
        if (is_whole ? st_slice_equal(message, reason) : st_slice_starts_with(message, reason)) {
            return true;
        }
    }
    return false;
}

/* Keeps the recorded error as the reason of the entry, or gives it back. */
static st_status write_keep_reason(st_op *op, const write_set *set, write_entry *entry,
                                   st_status status, bool is_any)
{
    if (!set->is_transaction || status != ST_INVALID_ARGUMENT ||
        (!is_any && !write_is_reason(st_op_message(op)))) {
        return status;
    }
    entry->reason = ST_REASON_VALIDATION;
    entry->reason_text = write_copy(op, st_op_message(op));
    st_op_clear(op);
    return entry->reason_text.size > 0 ? ST_OK : st_fail_memory(op, ST_ERROR_MESSAGE_MAX);
}

/* Checks one write and makes its key and frame. */
static st_status write_add(st_op *op, write_set *set, const st_request *request)
{
    st_table *table;
    ST_TRY(write_check_shape(op, request));
    ST_TRY(write_find_table(op, set, request, &table));
    write_entry *entry = &set->entries[set->count];
    *entry = (write_entry){
        .request = request, .table = table, .key_at = set->keys.size, .frame_at = set->frames.size};
    ST_TRY(write_keep_reason(op, set, entry, write_encode(op, set, entry), false));
    entry->key_bytes = entry->reason == ST_REASON_NONE ? set->keys.size - entry->key_at : 0;
    set->count++;
    return ST_OK;
}

static int write_compare_keys(const void *a, const void *b)
{
    return st_slice_compare(*(const st_slice *)a, *(const st_slice *)b);
}

static st_status write_check_duplicates(st_op *op, const write_set *set)
{
    size_t bytes = (set->count + 1) * sizeof(st_slice);
    st_slice *keys = st_arena_alloc(&op->arena, bytes);
    if (!keys) {
        return st_fail_memory(op, bytes);
    }
    for (uint32_t i = 0; i < set->count; i++) {
        keys[i] = st_slice_of(set->keys.data + set->entries[i].key_at, set->entries[i].key_bytes);
    }
    qsort(keys, set->count, sizeof *keys, write_compare_keys);
    for (uint32_t i = 1; i < set->count; i++) {
        if (keys[i].size > 0 && st_slice_equal(keys[i - 1], keys[i])) {
            return st_fail(
                op, ST_INVALID_ARGUMENT,
                set->is_transaction
                    ? "Transaction request cannot include multiple operations on one item"
                    : "Provided list of item keys contains duplicates");
        }
    }
    return ST_OK;
}

static bool write_may_hold(const write_set *set, uint8_t operation)
{
    return operation == ST_REQUEST_PUT || operation == ST_REQUEST_DELETE ||
           (set->is_transaction &&
            (operation == ST_REQUEST_UPDATE || operation == ST_REQUEST_CHECK));
}

static st_status write_collect(st_op *op, write_set *set)
{
    const st_request *request = set->request;
    if (request->entry_count == 0) {
        return write_add(op, set, request);
    }
    for (uint32_t i = 0; i < request->entry_count; i++) {
        const st_request *entry = &request->entries[i];
        if (!write_may_hold(set, entry->operation)) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "a batch write holds puts and deletes, not operation %u",
                           entry->operation);
        }
        ST_TRY(write_add(op, set, entry));
    }
    return write_check_duplicates(op, set);
}

/* The buffers have stopped moving: slices may be taken. */
static void write_fix(write_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        write_entry *entry = &set->entries[i];
        entry->key = st_slice_of(set->keys.data + entry->key_at, entry->key_bytes);
        entry->frame = st_slice_of(set->frames.data + entry->frame_at, entry->frame_bytes);
        if (entry->key.size > 0) {
            st_lsm_latches_add(&set->latches, entry->key);
        }
    }
    if (set->token_key.size > 0) {
        st_lsm_latches_add(&set->latches, st_buf_view(&set->token_key));
    }
}

/* ---- judging, under the latches --------------------------------------------------------- */

static bool write_needs_old(const write_set *set, const write_entry *entry)
{
    const st_request *request = entry->request;
    return entry->table->must_read_old || request->condition ||
           request->operation == ST_REQUEST_UPDATE || request->operation == ST_REQUEST_CHECK ||
           request->returns != ST_RETURNS_NONE || request->flags & ST_FLAG_RETURN_OLD ||
           set->request->wants_capacity || set->token_key.size > 0;
}

static st_status write_read_old(st_op *op, write_set *set, write_entry *entry)
{
    st_lsm_pin pin;
    st_slice value;
    bool is_found;
    st_status status = st_lsm_get(op, set->database->lsm, entry->key, ST_LSM_APPLIED, &pin, &value,
                                  &is_found, NULL);
    if (status == ST_OK && is_found) {
        entry->old_item = write_copy(op, value);
        status = entry->old_item.size > 0 ? ST_OK : st_fail_memory(op, value.size);
    }
    st_lsm_pin_release(&pin);
    return status;
}

static st_status write_check_keys(st_op *op, const write_entry *entry)
{
    const st_key_schema *schema = &entry->table->schema;
    for (uint32_t i = 0; i < schema->partition_count + schema->sort_count; i++) {
        st_slice name = i < schema->partition_count
                            ? schema->partition[i].name
                            : schema->sort[i - schema->partition_count].name;
        if (st_update_touches(entry->request->update, name)) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "One or more parameter values were invalid: Cannot update attribute "
                           "%.*s. This attribute is part of the key",
                           (int)name.size, (const char *)name.data);
        }
    }
    return ST_OK;
}

static st_status write_update(st_op *op, write_entry *entry)
{
    const st_update *update = entry->request->update;
    st_slice base = entry->old_item.size > 0 ? entry->old_item : entry->frame;
    if (!update) {
        entry->new_item = base;
        return ST_OK;
    }
    ST_TRY(write_check_keys(op, entry));
    st_buf relaxed, frame;
    st_buf_init(&relaxed, op->alloc);
    st_buf_init(&frame, op->alloc);
    st_status status = st_update_apply(op, update, entry->old_item, base, &relaxed);
    if (status == ST_OK) {
        status = st_item_canonicalize_updated(op, st_buf_view(&relaxed), &frame);
    }
    if (status == ST_OK) {
        entry->new_item = write_copy(op, st_buf_view(&frame));
        status = entry->new_item.size > 0 ? ST_OK : st_fail_memory(op, frame.size);
    }
    if (status == ST_OK) {
        status =
            st_table__check_index_keys(op, entry->table, entry->new_item, entry->old_item, true);
    }
    if (status == ST_OK && st_item_size(entry->new_item) > ST_ITEM_BYTES_MAX) {
        status = st_fail(op, ST_INVALID_ARGUMENT,
                         "Item size to update has exceeded the maximum allowed size");
    }
    st_buf_deinit(&relaxed);
    st_buf_deinit(&frame);
    return status;
}

/* The item that the failed condition saw, if it is asked for. */
static st_slice write_failure_item(const write_entry *entry)
{
    return entry->request->flags & ST_FLAG_RETURN_ON_FAILURE ? entry->old_item : (st_slice){0};
}

static st_status write_judge(st_op *op, write_set *set, write_entry *entry)
{
    const st_request *request = entry->request;
    if (write_needs_old(set, entry)) {
        ST_TRY(write_read_old(op, set, entry));
    }
    if (request->condition && !st_condition_is_met(request->condition, entry->old_item)) {
        if (request->flags & ST_FLAG_ABSENT_IS_FINE && entry->old_item.size == 0) {
            entry->is_forgiven = true;
            return ST_OK;
        }
        if (set->is_transaction) {
            entry->reason = ST_REASON_CONDITION;
            entry->reason_text = st_slice_str("The conditional request failed");
            return ST_OK;
        }
        st_status status = st_fail(op, ST_CONDITION_FAILED, "The conditional request failed");
        op->error.detail = write_failure_item(entry);
        return status;
    }
    switch (request->operation) {
    case ST_REQUEST_PUT:
        entry->new_item = entry->frame;
        return ST_OK;
    case ST_REQUEST_UPDATE:
        return write_keep_reason(op, set, entry, write_update(op, entry), true);
    case ST_REQUEST_CHECK:
        entry->new_item = entry->old_item;
        return ST_OK;
    default:
        return ST_OK;
    }
}

/* What was forgiven counts once the transaction fails for another reason. */
static void write_unforgive(write_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->entries[i].is_forgiven) {
            set->entries[i].reason = ST_REASON_CONDITION;
            set->entries[i].reason_text = st_slice_str("The conditional request failed");
        }
    }
}

/* u32 count, for each: u8 reason · u32 bytes · text · u32 bytes · item */
static st_status write_cancel(st_op *op, const write_set *set)
{
    st_buf detail;
    st_buf_init(&detail, op->alloc);
    st_buf_u32(&detail, set->count);
    for (uint32_t i = 0; i < set->count; i++) {
        const write_entry *entry = &set->entries[i];
        st_slice item =
            entry->reason == ST_REASON_CONDITION ? write_failure_item(entry) : (st_slice){0};
        st_buf_byte(&detail, entry->reason);
        st_buf_u32(&detail, (uint32_t)entry->reason_text.size);
        st_buf_slice(&detail, entry->reason_text);
        st_buf_u32(&detail, (uint32_t)item.size);
        st_buf_slice(&detail, item);
    }
    st_status status = st_buf_check(op, &detail);
    st_slice copy = status == ST_OK ? write_copy(op, st_buf_view(&detail)) : (st_slice){0};
    st_buf_deinit(&detail);
    if (copy.size == 0) {
        return st_fail_memory(op, 64);
    }
    st_buf names;
    st_buf_init(&names, op->alloc);
    static const char *const write_names[] = {"None", "ConditionalCheckFailed", "ValidationError",
                                              "TransactionConflict"};
    for (uint32_t i = 0; i < set->count; i++) {
        const char *name = write_names[set->entries[i].reason];
        st_buf_append(&names, ", ", i > 0 ? 2 : 0);
        st_buf_append(&names, name, strlen(name));
    }
    status = st_buf_check(op, &names);
    if (status == ST_OK) {
        status = st_fail(op, ST_TRANSACTION_CANCELED,
                         "Transaction cancelled, please refer cancellation reasons for specific "
                         "reasons [%.*s]",
                         (int)names.size, (const char *)names.data);
        op->error.detail = copy;
    }
    st_buf_deinit(&names);
    return status;
}

static bool write_has_reason(const write_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->entries[i].reason != ST_REASON_NONE) {
            return true;
        }
    }
    return false;
}

/* ---- what is written -------------------------------------------------------------------- */

static st_status write_charge_entry(st_op *op, write_set *set, const write_entry *entry,
                                    st_table_change *change)
{
    if (!set->request->wants_capacity) {
        return ST_OK;
    }
    st_charge *charge = st_table__charge(op, &set->charges, entry->table);
    if (!charge) {
        return ST_NO_MEMORY;
    }
    size_t before = entry->old_item.size > 0 ? st_item_size(entry->old_item) : 0;
    size_t after = entry->new_item.size > 0 ? st_item_size(entry->new_item) : 0;
    uint64_t halves = st_table__write_halves(before > after ? before : after);
    charge->write_halves += halves * (set->is_transaction ? 2 : 1);
    change->index_halves = charge->index_write_halves;
    return ST_OK;
}

static st_status write_fill_batch(st_op *op, write_set *set)
{
    uint64_t time_us = st_database_time_us(set->database);
    for (uint32_t i = 0; i < set->count; i++) {
        write_entry *entry = &set->entries[i];
        st_table_change change = {.table = entry->table,
                                  .key = entry->key,
                                  .old_item = entry->old_item,
                                  .new_item = entry->new_item};
        ST_TRY(write_charge_entry(op, set, entry, &change));
        if (entry->request->operation != ST_REQUEST_CHECK) {
            ST_TRY(st_table__follow(op, &change, time_us, i, &set->batch));
        }
    }
    return ST_OK;
}

/* ---- tokens ----------------------------------------------------------------------------- */

#define WRITE_TOKEN_US ((uint64_t)600 * 1000000)
#define WRITE_TOKEN_BYTES 24u

/* The row of a transaction's token: u64 time · u64 · u64 digest of what it did · for each entry,
 * u64 what reading the larger image costs. */
/* A repetition is charged as reading what the first call wrote. */
static st_status write_charge_replay(st_op *op, write_set *set, st_slice row)
{
    for (uint32_t i = 0; set->request->wants_capacity && i < set->count; i++) {
        size_t at = WRITE_TOKEN_BYTES + 8 * (size_t)i;
        st_charge *charge = st_table__charge(op, &set->charges, set->entries[i].table);
        if (!charge) {
            return ST_NO_MEMORY;
        }
        charge->read_halves += at + 8 <= row.size ? st_get_u64(row.data + at) : 0;
    }
    return ST_OK;
}

static st_status write_check_token(st_op *op, write_set *set)
{
    const st_request *request = set->request;
    st_lsm_pin pin;
    st_slice value;
    bool is_found;
    if (set->token_key.size == 0) {
        return ST_OK;
    }
    uint64_t now = st_database_time_us(set->database);
    st_status status = st_lsm_get(op, set->database->lsm, st_buf_view(&set->token_key),
                                  ST_LSM_APPLIED, &pin, &value, &is_found, NULL);
    if (status == ST_OK && is_found && value.size >= WRITE_TOKEN_BYTES &&
        now < st_get_u64(value.data) + WRITE_TOKEN_US) {
        set->is_replay = st_get_u64(value.data + 8) == request->token_digest[0] &&
                         st_get_u64(value.data + 16) == request->token_digest[1];
        if (!set->is_replay) {
            status = st_fail(op, ST_TOKEN_MISMATCH,
                             "The request uses the same client token as a previous, but "
                             "non-identical request. Do not reuse a client token with different "
                             "requests, unless the requests are identical");
        } else {
            status = write_charge_replay(op, set, value);
        }
    }
    st_lsm_pin_release(&pin);
    return status;
}

static st_status write_put_token(st_op *op, write_set *set)
{
    st_buf row;
    if (set->token_key.size == 0) {
        return ST_OK;
    }
    st_buf_init(&row, op->alloc);
    st_buf_u64(&row, st_database_time_us(set->database));
    st_buf_u64(&row, set->request->token_digest[0]);
    st_buf_u64(&row, set->request->token_digest[1]);
    for (uint32_t i = 0; i < set->count; i++) {
        const write_entry *entry = &set->entries[i];
        size_t before = entry->old_item.size > 0 ? st_item_size(entry->old_item) : 0;
        size_t after = entry->new_item.size > 0 ? st_item_size(entry->new_item) : 0;
        st_buf_u64(&row, 2 * st_table__read_halves(before > after ? before : after, true));
    }
    st_lsm_batch_put(&set->batch, st_buf_view(&set->token_key), st_buf_view(&row));
    st_status status = st_buf_check(op, &row);
    st_buf_deinit(&row);
    return status;
}

/* ---- results ---------------------------------------------------------------------------- */

static st_status write_projected(st_op *op, const write_entry *entry, uint8_t field, st_slice item,
                                 st_buf *out)
{
    st_projection *touched;
    st_buf frame;
    if (item.size == 0 || !entry->request->update) {
        return ST_OK;
    }
    ST_TRY(st_update_projection(op, entry->request->update, &touched));
    st_buf_init(&frame, op->alloc);
    st_status status = st_projection_apply(op, touched, item, &frame);
    if (status == ST_OK && st_item_count(st_buf_view(&frame)) > 0) {
        st_table__result_field(out, field, st_buf_view(&frame));
    }
    st_buf_deinit(&frame);
    return status;
}

static st_status write_answer(st_op *op, const write_set *set, st_buf *out)
{
    const write_entry *entry = &set->entries[0];
    uint8_t returns = entry->request->returns;
    if (set->request->entry_count > 0) {
        return ST_OK;
    }
    if ((returns == ST_RETURNS_ALL_OLD || entry->request->flags & ST_FLAG_RETURN_OLD) &&
        entry->old_item.size > 0) {
        st_table__result_field(out, ST_RESULT_OLD_ITEM, entry->old_item);
    }
    if (returns == ST_RETURNS_ALL_NEW && entry->new_item.size > 0) {
        st_table__result_field(out, ST_RESULT_NEW_ITEM, entry->new_item);
    }
    if (returns == ST_RETURNS_UPDATED_OLD) {
        return write_projected(op, entry, ST_RESULT_OLD_ITEM, entry->old_item, out);
    }
    if (returns == ST_RETURNS_UPDATED_NEW) {
        return write_projected(op, entry, ST_RESULT_NEW_ITEM, entry->new_item, out);
    }
    return ST_OK;
}

/* ---- committing ------------------------------------------------------------------------- */

/* Latches held. */
static st_status write_judge_all(st_op *op, write_set *set, st_buf *out)
{
    ST_TRY(write_check_token(op, set));
    for (uint32_t i = 0; i < set->count && !set->is_replay; i++) {
        if (set->entries[i].reason == ST_REASON_NONE) {
            ST_TRY(write_judge(op, set, &set->entries[i]));
        }
    }
    if (write_has_reason(set)) {
        write_unforgive(set);
        return write_cancel(op, set);
    }
    if (set->is_replay) {
        st_table__result_field(out, ST_RESULT_REPLAYED, (st_slice){0});
        if (set->request->wants_capacity) {
            st_table__put_charges(&set->charges, out);
        }
        return ST_OK;
    }
    ST_TRY(write_fill_batch(op, set));
    ST_TRY(write_put_token(op, set));
    ST_TRY(write_answer(op, set, out));
    if (set->request->wants_capacity) {
        st_table__put_charges(&set->charges, out);
    }
    (void)st_buf_reserve(out, 64); /* what is written can be answered */
    return st_buf_check(op, out);
}

/* Judges, logs and applies. The sequence is that of the write or, when there is nothing to write or
 * a condition failed, of the newest state it was judged on: it is waited for in either case. */
static st_status write_apply(st_op *op, write_set *set, st_buf *out, uint64_t *out_sequence)
{
    st_lsm *lsm = set->database->lsm;
    st_lsm_latch(lsm, &set->latches);
    st_status status = write_judge_all(op, set, out);
    *out_sequence = st_lsm_applied(lsm);
    if (status == ST_OK && set->batch.count > 0) {
        status = st_lsm_write(op, lsm, &set->batch, set->request->durability, out_sequence);
    }
    st_lsm_unlatch(lsm, &set->latches);
    return status;
}

static bool write_is_judgement(st_status status)
{
    return status == ST_CONDITION_FAILED || status == ST_TRANSACTION_CANCELED ||
           status == ST_INVALID_ARGUMENT;
}

static st_status write_wait(st_op *op, write_set *set, uint64_t sequence, st_status status)
{
    if (status == ST_OK) {
        status = st_lsm_wait(op, set->database->lsm, sequence);
        if (status != ST_OK && set->batch.count > 0) {
            op->error.flags |= ST_STATUS_MAYBE_APPLIED;
        }
        return status;
    }
    if (write_is_judgement(status) && !set->database->options.read_only) {
        st_op quiet; /* what it was judged on becomes visible before it is told */
        st_op_init(&quiet, op->alloc);
        quiet.deadline_us = op->deadline_us;
        (void)!st_lsm_wait(&quiet, set->database->lsm, sequence);
        st_op_deinit(&quiet);
    }
    return status;
}

/* The one way in. */
static st_status write_commit(st_op *op, write_set *set, st_buf *out)
{
    st_catalog *catalog = &set->database->catalog;
    uint64_t sequence = 0;
    set->ticket = st_table__gate_enter(&catalog->writers);
    st_status status = write_collect(op, set);
    while (status != ST_OK && set->is_held_up) {
        st_table__gate_leave(&catalog->writers, set->ticket);
        st_mutex_lock(&catalog->going); /* until the deletion or change has ended */
        st_mutex_unlock(&catalog->going);
        set->count = 0;
        st_buf_clear(&set->keys);
        st_buf_clear(&set->frames);
        set->ticket = st_table__gate_enter(&catalog->writers);
        status = write_collect(op, set);
    }
    if (status == ST_OK) {
        write_fix(set);
        status = write_apply(op, set, out, &sequence);
        st_table__gate_leave(&catalog->writers, set->ticket);
        status = write_wait(op, set, sequence, status);
    } else {
        st_table__gate_leave(&catalog->writers, set->ticket);
    }
    uint8_t bytes[8];
    st_put_u64(bytes, sequence);
    st_table__result_field(out, ST_RESULT_SEQUENCE, st_slice_of(bytes, sizeof bytes));
    return status;
}

static st_status write_begin(st_op *op, write_set *set)
{
    const st_request *request = set->request;
    uint64_t count = request->entry_count > 0 ? request->entry_count : 1;
    uint64_t bytes = count * sizeof *set->entries;
    if ((size_t)bytes == bytes) {
        set->entries = st_arena_alloc(&op->arena, (size_t)bytes);
    }
    if (!set->entries) {
        return st_fail_memory(op, (size_t)bytes);
    }
    if (request->has_token) {
        st_table__row_key(ST_CATALOG_ROW_TOKEN, request->token, &set->token_key);
    }
    return st_buf_check(op, &set->token_key);
}

st_status st_table__write(st_op *op, st_database *database, const st_request *request, st_buf *out)
{
    bool is_many = request->operation == ST_REQUEST_BATCH_WRITE ||
                   request->operation == ST_REQUEST_TRANSACT_WRITE;
    if (is_many && request->entry_count == 0) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "the batch is empty; it must hold at least one put or delete");
    }
    if (is_many && (request->flags & ST_FLAG_RETURN_OLD || request->returns)) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a batch does not return old items");
    }
    write_set set;
    write_init(&set, op, database, request);
    st_table__result_begin(out, request->operation);
    st_status status = write_begin(op, &set);
    if (status == ST_OK) {
        status = write_commit(op, &set, out);
    }
    write_deinit(&set);
    return status;
}
