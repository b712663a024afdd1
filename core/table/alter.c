/* Changing what a table is: indexes come and go, expiry and streams are turned on and off.
 *
 * The new definition is compared with the one that stands, and its new indexes are FILLING. The old
 * one is GOING, the writers that found it are waited for, and later ones wait, while one batch
 * changes the row and drops by range deletes what is taken away: an opening finds all of that or
 * nothing, and nothing is written behind the range deletes.
 *
 * From then on every write keeps the new indexes. The rows that were there before are walked and
 * their entries put, a few rows at a time under their latches. Then the indexes are ACTIVE. An
 * opening that finds a FILLING index fills it again: putting an entry twice is harmless.
 */
#include "table/table_internal.h"

#define ALTER_ROWS_AT_ONCE 64u

typedef struct alter_call {
    st_database *database;
    const st_request *request;
    st_table *before, *after;
    uint32_t next_id;
} alter_call;

/* ---- comparing -------------------------------------------------------------------------- */

static st_index *alter_find(const st_definition *definition, st_slice name)
{
    for (uint32_t i = 0; i < definition->index_count; i++) {
        if (st_slice_equal(definition->indexes[i].name, name)) {
            return &definition->indexes[i];
        }
    }
    return NULL;
}

/* Takes over the ids of what stays, gives new ones to what comes, marks it FILLING. */
static st_status alter_settle(st_op *op, alter_call *call, st_definition *definition)
{
    const st_definition *before = &call->before->definition;
    uint32_t next = call->database->catalog.next_id;
    if ((uint64_t)next + ST_INDEXES_MAX + 2 > ST_LAST_TABLE_ID) {
        return st_fail(op, ST_UNSUPPORTED, "all table ids of this database are used up");
    }
    for (uint32_t i = 0; i < definition->index_count; i++) {
        st_index *index = &definition->indexes[i];
        const st_index *same = alter_find(before, index->name);
        bool stays = same && index->id == same->id;
        index->id = stays ? same->id : next++;
        index->state = stays ? same->state : ST_INDEX_FILLING;
    }
    bool keeps_ttl = before->ttl.size > 0 && st_slice_equal(before->ttl, definition->ttl);
    definition->ttl_id = definition->ttl.size == 0 ? 0 : keeps_ttl ? before->ttl_id : next++;
    definition->flags &= ~(uint32_t)ST_DEFINITION_TTL_FILLING;
    if (definition->ttl.size > 0) {
        definition->flags |=
            keeps_ttl ? before->flags & ST_DEFINITION_TTL_FILLING : ST_DEFINITION_TTL_FILLING;
    }
    bool turns_on =
        definition->stream_view != ST_STREAM_OFF && before->stream_view == ST_STREAM_OFF;
    definition->stream_id = turns_on ? next++ : before->stream_id;
    definition->stream_created_us =
        turns_on ? st_database_time_us(call->database) : before->stream_created_us;
    definition->identity = before->identity;
    definition->schema = before->schema;
    call->next_id = next;
    return ST_OK;
}

/* ---- the row ---------------------------------------------------------------------------- */

static void alter_drop(st_lsm_batch *batch, uint32_t id)
{
    uint8_t from[4], to[4];
    st_put_be32(from, id);
    st_put_be32(to, id + 1);
    st_lsm_batch_delete_range(batch, st_slice_of(from, 4), st_slice_of(to, 4));
}

/* What the old definition has and the new one has not. */
static void alter_drop_gone(const st_table *before, const st_table *after, st_lsm_batch *batch)
{
    const st_definition *old = &before->definition, *new = &after->definition;
    for (uint32_t i = 0; i < old->index_count; i++) {
        const st_index *same = alter_find(new, old->indexes[i].name);
        if (!same || same->id != old->indexes[i].id) {
            alter_drop(batch, old->indexes[i].id);
        }
    }
    if (old->ttl_id != 0 && old->ttl_id != new->ttl_id) {
        alter_drop(batch, old->ttl_id);
    }
    if (old->stream_id != 0 && old->stream_id != new->stream_id) {
        alter_drop(batch, old->stream_id);
    }
}

/* before: NULL when nothing goes. */
static st_status alter_write(st_op *op, st_database *database, const st_table *before,
                             const st_table *after, uint32_t next_id, st_durability durability)
{
    st_buf key, row, next_key;
    st_lsm_batch batch;
    uint8_t next[4];
    uint64_t sequence, deadline_us = op->deadline_us;
    st_buf_init(&key, op->alloc);
    st_buf_init(&row, op->alloc);
    st_buf_init(&next_key, op->alloc);
    st_lsm_batch_init(&batch, op->alloc);
    st_table__row_key(ST_CATALOG_ROW_TABLE, after->name, &key);
    st_table__row(after, &row);
    st_table__row_key(ST_CATALOG_ROW_NEXT_ID, (st_slice){0}, &next_key);
    st_put_u32(next, next_id);
    st_lsm_batch_put(&batch, st_buf_view(&key), st_buf_view(&row));
    st_lsm_batch_put(&batch, st_buf_view(&next_key), st_slice_of(next, sizeof next));
    if (before) {
        alter_drop_gone(before, after, &batch);
    }
    st_status status;
    ST_TRY_OUT(st_buf_check(op, &key));
    ST_TRY_OUT(st_buf_check(op, &row));
    ST_TRY_OUT(st_buf_check(op, &next_key));
    ST_TRY_OUT(st_lsm_write(op, database->lsm, &batch, durability, &sequence));
    database->catalog.next_id = next_id;
    op->deadline_us = 0; /* what the catalog in memory says must be what the rows say */
    ST_TRY_OUT(st_lsm_wait(op, database->lsm, sequence));
out:
    op->deadline_us = deadline_us;
    st_lsm_batch_deinit(&batch);
    st_buf_deinit(&key);
    st_buf_deinit(&row);
    st_buf_deinit(&next_key);
    return status;
}

/* Puts after in the place of before, and waits for who found before. */
static st_status alter_show(st_op *op, st_database *database, st_table *before, st_table *after)
{
    st_catalog *catalog = &database->catalog;
    st_catalog_view *view;
    ST_TRY(
        st_table__view_create(op, database->alloc, st_table__view(catalog), after, before, &view));
    st_table__view_show(database, view);
    st_table__gate_drain(&catalog->writers);
    st_table__release(before);
    return ST_OK;
}

/* changes held. The row, what it drops, and the view change while no writer is inside. before stays
 * the caller's to release. */
static st_status alter_replace(st_op *op, alter_call *call)
{
    st_database *database = call->database;
    st_catalog *catalog = &database->catalog;
    st_catalog_view *view;
    ST_TRY(st_table__view_create(op, database->alloc, st_table__view(catalog), call->after,
                                 call->before, &view));
    st_mutex_lock(&catalog->going); /* not for as long as the filling takes */
    atomic_store(&call->before->state, ST_TABLE_GOING);
    st_table__gate_drain(&catalog->writers);
    st_status status = alter_write(op, database, call->before, call->after, call->next_id,
                                   call->request->durability);
    if (status == ST_OK) {
        st_table__view_show(database, view);
    } else {
        atomic_store(&call->before->state, ST_TABLE_ALIVE);
        st_table__view_destroy(view, database->alloc);
    }
    st_mutex_unlock(&catalog->going);
    return status;
}

/* ---- filling ---------------------------------------------------------------------------- */

typedef struct alter_fill {
    st_database *database;
    const st_table *table;
    st_buf keys; /* of the rows at hand: u32 bytes · key */
    uint32_t count;
} alter_fill;

static st_status alter_entry(st_op *op, alter_fill *fill, const st_index *index, st_slice row,
                             st_lsm_batch *batch)
{
    st_buf key, item;
    if (!st_table__is_indexed(index, row)) {
        return ST_OK;
    }
    st_buf_init(&key, op->alloc);
    st_buf_init(&item, op->alloc);
    st_status status = st_table__entry_key(op, fill->table, index, row, &key);
    if (status == ST_OK) {
        status = st_table__index_item(op, fill->table, index, row, &item);
    }
    if (status == ST_OK) {
        st_lsm_batch_put(batch, st_buf_view(&key), st_buf_view(&item));
    } else if (status == ST_INVALID_ARGUMENT) {
        st_op_clear(op); /* an item that the index cannot hold is left out */
        status = ST_OK;
    }
    st_buf_deinit(&key);
    st_buf_deinit(&item);
    return status;
}

static st_status alter_expiry(st_op *op, alter_fill *fill, st_slice row, st_lsm_batch *batch)
{
    uint64_t expiry_us;
    st_buf key;
    if (!(fill->table->definition.flags & ST_DEFINITION_TTL_FILLING) ||
        !st_table__expiry(fill->table, row, &expiry_us)) {
        return ST_OK;
    }
    st_buf_init(&key, op->alloc);
    st_status status = st_table__expiry_key(op, fill->table, expiry_us, row, &key);
    if (status == ST_OK) {
        st_lsm_batch_put(batch, st_buf_view(&key), (st_slice){0});
    }
    st_buf_deinit(&key);
    return status;
}

/* Under the row's latch: as it is now, not as the walk saw it. */
static st_status alter_row(st_op *op, alter_fill *fill, st_slice key, st_lsm_batch *batch)
{
    st_lsm_pin pin;
    st_slice row;
    bool is_found;
    const st_definition *definition = &fill->table->definition;
    st_status status =
        st_lsm_get(op, fill->database->lsm, key, ST_LSM_APPLIED, &pin, &row, &is_found, NULL);
    for (uint32_t i = 0; status == ST_OK && is_found && i < definition->index_count; i++) {
        if (definition->indexes[i].state == ST_INDEX_FILLING) {
            status = alter_entry(op, fill, &definition->indexes[i], row, batch);
        }
    }
    if (status == ST_OK && is_found) {
        status = alter_expiry(op, fill, row, batch);
    }
    st_lsm_pin_release(&pin);
    return status;
}

static st_status alter_rows(st_op *op, alter_fill *fill)
{
    st_lsm *lsm = fill->database->lsm;
    st_lsm_latches latches;
    st_lsm_batch batch;
    st_reader reader = st_reader_of(st_buf_view(&fill->keys));
    st_lsm_latches_init(&latches);
    st_lsm_batch_init(&batch, op->alloc);
    for (uint32_t i = 0; i < fill->count; i++) {
        st_lsm_latches_add(&latches, st_reader_slice(&reader, st_reader_u32(&reader)));
    }
    reader.at = 0;
    st_status status = ST_OK;
    st_lsm_latch(lsm, &latches);
    for (uint32_t i = 0; status == ST_OK && i < fill->count; i++) {
        status = alter_row(op, fill, st_reader_slice(&reader, st_reader_u32(&reader)), &batch);
    }
    if (status == ST_OK && batch.count > 0) {
        status = st_lsm_write(op, lsm, &batch, ST_DURABILITY_NONE, NULL);
    }
    st_lsm_unlatch(lsm, &latches);
    st_lsm_batch_deinit(&batch);
    st_buf_clear(&fill->keys);
    fill->count = 0;
    return status;
}

static st_status alter_walk(st_op *op, alter_fill *fill, st_lsm_cursor *cursor)
{
    bool valid;
    st_slice key, value;
    for (;;) {
        ST_TRY(st_lsm_cursor_next(op, cursor, &valid, &key, &value));
        if (valid) {
            st_buf_u32(&fill->keys, (uint32_t)key.size);
            st_buf_slice(&fill->keys, key);
            ST_TRY(st_buf_check(op, &fill->keys));
            fill->count++;
        }
        if (fill->count == ALTER_ROWS_AT_ONCE || (!valid && fill->count > 0)) {
            ST_TRY(alter_rows(op, fill));
        }
        if (!valid) {
            return ST_OK;
        }
    }
}

static st_status alter_fill_all(st_op *op, st_database *database, const st_table *table)
{
    uint8_t from[4], to[4];
    st_put_be32(from, table->id);
    st_put_be32(to, table->id + 1);
    st_lsm_range range = {
        .from = st_slice_of(from, 4), .to = st_slice_of(to, 4), .is_applied = true};
    st_lsm_cursor *cursor;
    alter_fill fill = {.database = database, .table = table};
    ST_TRY(st_lsm_cursor_open(op, database->lsm, &range, &cursor));
    st_buf_init(&fill.keys, op->alloc);
    st_status status = alter_walk(op, &fill, cursor);
    st_buf_deinit(&fill.keys);
    st_lsm_cursor_close(cursor);
    return status;
}

static bool alter_is_filling(const st_table *table)
{
    if (table->definition.flags & ST_DEFINITION_TTL_FILLING) {
        return true;
    }
    for (uint32_t i = 0; i < table->definition.index_count; i++) {
        if (table->definition.indexes[i].state == ST_INDEX_FILLING) {
            return true;
        }
    }
    return false;
}

/* The same table with its indexes ACTIVE. */
static st_status alter_finish(st_op *op, st_database *database, st_table *table,
                              st_durability durability, st_table **out_table)
{
    st_definition definition;
    st_buf bytes;
    st_table *done = NULL;
    ST_TRY(st_definition_decode(op, table->definition_bytes, &definition));
    for (uint32_t i = 0; i < definition.index_count; i++) {
        definition.indexes[i].state = ST_INDEX_ACTIVE;
    }
    definition.flags &= ~(uint32_t)ST_DEFINITION_TTL_FILLING;
    st_buf_init(&bytes, op->alloc);
    st_definition_encode(&definition, &bytes);
    st_status status = st_buf_check(op, &bytes);
    if (status == ST_OK) {
        status = st_table__make(op, database->alloc, table->id, table->created_us, table->name,
                                st_buf_view(&bytes), &done);
    }
    if (status == ST_OK) {
        status = alter_write(op, database, NULL, done, database->catalog.next_id, durability);
    }
    if (status == ST_OK) {
        status = alter_show(op, database, table, done);
    }
    if (status != ST_OK) {
        st_table__release(done);
    } else {
        *out_table = done;
    }
    st_buf_deinit(&bytes);
    return status;
}

st_status st_table__fill_all(st_op *op, st_database *database)
{
    for (;;) {
        const st_catalog_view *view = st_table__view(&database->catalog);
        st_table *table = NULL, *done;
        for (uint32_t i = 0; i < view->count && !table; i++) {
            table = alter_is_filling(view->by_id[i]) ? view->by_id[i] : NULL;
        }
        if (!table) {
            return ST_OK;
        }
        ST_TRY(alter_fill_all(op, database, table));
        ST_TRY(alter_finish(op, database, table, ST_DURABILITY_DEFAULT, &done));
    }
}

/* ---- the operation ---------------------------------------------------------------------- */

static st_status alter_make(st_op *op, alter_call *call)
{
    st_definition definition;
    st_buf bytes;
    ST_TRY(st_definition_decode(op, call->request->definition, &definition));
    ST_TRY(alter_settle(op, call, &definition));
    st_buf_init(&bytes, op->alloc);
    st_definition_encode(&definition, &bytes);
    st_status status = st_buf_check(op, &bytes);
    if (status == ST_OK) {
        status =
            st_table__make(op, call->database->alloc, call->before->id, call->before->created_us,
                           call->before->name, st_buf_view(&bytes), &call->after);
    }
    st_buf_deinit(&bytes);
    return status;
}

/* changes held. */
static st_status alter_run(st_op *op, alter_call *call)
{
    st_database *database = call->database;
    ST_TRY(alter_make(op, call));
    st_status status = alter_replace(op, call);
    if (status != ST_OK) {
        st_table__release(call->after);
        return status;
    }
    st_table__release(call->before); /* the catalog's reference */
    if (alter_is_filling(call->after)) {
        ST_TRY(alter_fill_all(op, database, call->after));
        ST_TRY(alter_finish(op, database, call->after, call->request->durability, &call->after));
    }
    st_table__start_reaper(database);
    return ST_OK;
}

st_status st_table__alter(st_op *op, st_database *database, const st_request *request, st_buf *out)
{
    st_catalog *catalog = &database->catalog;
    alter_call call = {.database = database, .request = request};
    if (!request->has_definition) {
        return st_fail(op, ST_INVALID_ARGUMENT, "changing a table needs a definition");
    }
    st_mutex_lock(&catalog->changes);
    st_status status;
    ST_TRY_OUT(st_table__find(op, database, request->table_id, request->name, &call.before));
    if (request->expected_definition.size > 0 &&
        !st_slice_equal(request->expected_definition, call.before->definition_bytes)) {
        ST_TRY_OUT(st_fail(op, ST_TRANSACTION_CONFLICT,
                           "the table was changed by another request; read it again"));
    }
    ST_TRY_OUT(alter_run(op, &call));
    st_table__result_begin(out, request->operation);
    st_table__result_field(out, ST_RESULT_DEFINITION, call.after->definition_bytes);
out:
    st_mutex_unlock(&catalog->changes);
    return status;
}
