/* Writing items. Put, delete and batches of them all end in write_commit: one batch of the store,
 * one frame of the log.
 *
 * The latches of all keys are held from before the old items are read until the batch is applied,
 * so that what a write returns as old is what it replaced, whatever else is written at the same
 * time.
 *
 * From before it looks up its tables until its batch is applied a writer is inside the catalog's
 * gate of writers: who deletes a table waits for it there. A writer that meets a table whose
 * deletion is on the way leaves the gate, waits for the end of the deletion, and begins anew.
 */
#include "table/table_internal.h"

#include <stdlib.h>

/* One put or delete on its way. */
typedef struct write_entry {
    st_slice key, frame; /* in the writer's buffers; frame is empty for a delete */
    size_t key_at, key_bytes, frame_at, frame_bytes;
    bool is_put;
} write_entry;

typedef struct write_set {
    st_database *database;
    write_entry *entries; /* in the arena */
    uint32_t count;
    bool is_held_up; /* by the deletion of a table */
    uint32_t ticket; /* of the gate */
    st_buf keys, frames;
    st_lsm_latches latches;
    st_lsm_batch batch;
} write_set;

/* Checks requests and adds them to the set. */
typedef st_status write_collect_call(st_op *op, write_set *set, const st_request *request);

static void write_init(write_set *set, st_op *op, st_database *database)
{
    *set = (write_set){.database = database};
    st_buf_init(&set->keys, op->alloc);
    st_buf_init(&set->frames, op->alloc);
    st_lsm_batch_init(&set->batch, op->alloc);
    st_lsm_latches_init(&set->latches);
}

static void write_deinit(write_set *set)
{
    st_buf_deinit(&set->keys);
    st_buf_deinit(&set->frames);
    st_lsm_batch_deinit(&set->batch);
}

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

/* Checks one put or delete and makes its key and canonical frame. */
static st_status write_add(st_op *op, write_set *set, const st_request *request)
{
    bool is_put = request->operation == ST_REQUEST_PUT;
    if (is_put ? !request->has_item : !request->has_key) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       is_put ? "a put needs an item" : "a delete needs a key");
    }
    st_table *table;
    ST_TRY(write_find_table(op, set, request, &table));
    write_entry *entry = &set->entries[set->count];
    *entry =
        (write_entry){.is_put = is_put, .key_at = set->keys.size, .frame_at = set->frames.size};
    if (is_put) {
        ST_TRY(st_item_canonicalize(op, request->item, &set->frames));
        entry->frame_bytes = set->frames.size - entry->frame_at;
        st_slice frame = st_slice_of(set->frames.data + entry->frame_at, entry->frame_bytes);
        ST_TRY(st_key_of_item(op, table->id, &table->schema, frame, &set->keys));
    } else {
        ST_TRY(st_key_of_request(op, table->id, &table->schema, request->key, &set->keys));
    }
    entry->key_bytes = set->keys.size - entry->key_at;
    set->count++;
    return ST_OK;
}

/* The buffers have stopped moving: slices may be taken. */
static void write_fix(write_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        write_entry *entry = &set->entries[i];
        entry->key = st_slice_of(set->keys.data + entry->key_at, entry->key_bytes);
        entry->frame = st_slice_of(set->frames.data + entry->frame_at, entry->frame_bytes);
        st_lsm_latches_add(&set->latches, entry->key);
        if (entry->is_put) {
            st_lsm_batch_put(&set->batch, entry->key, entry->frame);
        } else {
            st_lsm_batch_delete(&set->batch, entry->key);
        }
    }
}

/* Appends the item that is about to go to the result. */
static st_status write_old_item(st_op *op, write_set *set, st_buf *out)
{
    st_lsm_pin pin;
    st_slice value;
    bool is_found;
    st_status status = st_lsm_get(op, set->database->lsm, set->entries[0].key, ST_LSM_APPLIED, &pin,
                                  &value, &is_found, NULL);
    if (status == ST_OK && is_found) {
        st_table__result_field(out, ST_RESULT_OLD_ITEM, value);
    }
    st_lsm_pin_release(&pin);
    return status;
}

/* Logs and applies. */
static st_status write_apply(st_op *op, write_set *set, const st_request *request, st_buf *out,
                             uint64_t *out_sequence)
{
    st_lsm *lsm = set->database->lsm;
    st_lsm_latch(lsm, &set->latches);
    st_status status = request->flags & ST_FLAG_RETURN_OLD ? write_old_item(op, set, out) : ST_OK;
    if (status == ST_OK) {
        (void)st_buf_reserve(out, 64); /* what is written can be answered */
        status = st_buf_check(op, out);
    }
    if (status == ST_OK) {
        status = st_lsm_write(op, lsm, &set->batch, request->durability, out_sequence);
    }
    st_lsm_unlatch(lsm, &set->latches);
    return status;
}

/* The one way in. */
static st_status write_commit(st_op *op, write_set *set, const st_request *request,
                              write_collect_call *collect, st_buf *out)
{
    st_catalog *catalog = &set->database->catalog;
    uint64_t sequence = 0;
    set->ticket = st_table__gate_enter(&catalog->writers);
    st_status status = collect(op, set, request);
    while (status != ST_OK && set->is_held_up) {
        st_table__gate_leave(&catalog->writers, set->ticket);
        st_mutex_lock(&catalog->changes); /* until the deletion has ended */
        st_mutex_unlock(&catalog->changes);
        set->count = 0;
        st_buf_clear(&set->keys);
        st_buf_clear(&set->frames);
        set->ticket = st_table__gate_enter(&catalog->writers);
        status = collect(op, set, request);
    }
    if (status == ST_OK) {
        write_fix(set);
        status = write_apply(op, set, request, out, &sequence);
    }
    st_table__gate_leave(&catalog->writers, set->ticket);
    if (status == ST_OK) {
        status = st_lsm_wait(op, set->database->lsm, sequence);
        if (status != ST_OK) {
            op->error.flags |= ST_STATUS_MAYBE_APPLIED;
        }
    }
    uint8_t bytes[8];
    st_put_u64(bytes, sequence);
    st_table__result_field(out, ST_RESULT_SEQUENCE, st_slice_of(bytes, sizeof bytes));
    return status;
}

static st_status write_begin(st_op *op, write_set *set, uint32_t count)
{
    uint64_t bytes = (uint64_t)count * sizeof *set->entries;
    if ((size_t)bytes == bytes) {
        set->entries = st_arena_alloc(&op->arena, (size_t)bytes);
    }
    return set->entries ? ST_OK : st_fail_memory(op, (size_t)bytes);
}

static st_status write_run(st_op *op, st_database *database, const st_request *request,
                           uint32_t count, write_collect_call *collect, st_buf *out)
{
    write_set set;
    write_init(&set, op, database);
    st_table__result_begin(out, request->operation);
    st_status status = write_begin(op, &set, count);
    if (status == ST_OK) {
        status = write_commit(op, &set, request, collect, out);
    }
    write_deinit(&set);
    return status;
}

st_status st_table__write_one(st_op *op, st_database *database, const st_request *request,
                              st_buf *out)
{
    return write_run(op, database, request, 1, write_add, out);
}

/* ---- batches ---------------------------------------------------------------------------- */

static int write_compare_keys(const void *a, const void *b)
{
    return st_slice_compare(*(const st_slice *)a, *(const st_slice *)b);
}

static st_status write_check_duplicates(st_op *op, const write_set *set)
{
    st_slice *keys = st_arena_alloc(&op->arena, set->count * sizeof *keys);
    if (!keys) {
        return st_fail_memory(op, set->count * sizeof *keys);
    }
    for (uint32_t i = 0; i < set->count; i++) {
        keys[i] = st_slice_of(set->keys.data + set->entries[i].key_at, set->entries[i].key_bytes);
    }
    qsort(keys, set->count, sizeof *keys, write_compare_keys);
    for (uint32_t i = 1; i < set->count; i++) {
        if (st_slice_equal(keys[i - 1], keys[i])) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "Provided list of item keys contains duplicates");
        }
    }
    return ST_OK;
}

static st_status write_collect(st_op *op, write_set *set, const st_request *request)
{
    size_t at = 0;
    st_slice frame;
    while (st_table__next_entry(request, &at, &frame)) {
        st_request entry;
        ST_TRY(st_table__request(op, frame, &entry));
        if (entry.operation != ST_REQUEST_PUT && entry.operation != ST_REQUEST_DELETE) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "a batch write holds puts and deletes, not operation %u",
                           entry.operation);
        }
        ST_TRY(write_add(op, set, &entry));
    }
    return write_check_duplicates(op, set);
}

st_status st_table__write_batch(st_op *op, st_database *database, const st_request *request,
                                st_buf *out)
{
    if (request->entry_count == 0) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "the batch is empty; it must hold at least one put or delete");
    }
    if (request->flags & ST_FLAG_RETURN_OLD) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a batch does not return old items");
    }
    return write_run(op, database, request, request->entry_count, write_collect, out);
}
