/* Checking rows against what their tables say they are. */
#include "table/table_internal.h"

#include <stdio.h>

typedef enum verify_kind { VERIFY_ITEM, VERIFY_INDEX, VERIFY_EXPIRY, VERIFY_RECORD } verify_kind;

/* Whom an id belongs to. */
typedef struct verify_owner {
    verify_kind kind;
    const st_table *table;
    const st_index *index;
} verify_owner;

typedef struct verify_state {
    st_lsm *lsm;
    st_lsm_snapshot *snapshot; /* everything is read as of it */
    uint32_t owner_id;
    verify_owner owner; /* of owner_id */
    uint64_t entries, records;
    st_buf other;
    st_catalog_rows catalog; /* of the moment the rows are of, whatever is created or deleted */
    bool has_catalog;        /* all its rows have been seen */
    uint64_t items, tables;
    st_buf key;
} verify_state;

st_type st_database_sort_type(st_database *database, uint32_t table_id)
{
    st_table *table;
    st_type type = ST_TYPE_NONE;
    uint32_t ticket = st_table__gate_enter(&database->catalog.lookups);
    if (st_table__find(NULL, database, table_id, (st_slice){0}, &table) == ST_OK) {
        type = table->schema.sort_count > 0 ? table->schema.sort[0].type : ST_TYPE_NONE;
    }
    st_table__gate_leave(&database->catalog.lookups, ticket);
    return type;
}

/* Whom the id belongs to: rows come in the order of ids, so that the last answer mostly holds. */
static st_status verify_find_owner(st_op *op, verify_state *state, uint32_t id)
{
    if (state->owner.table && state->owner_id == id) {
        return ST_OK;
    }
    state->owner = (verify_owner){.table = NULL};
    state->owner_id = id;
    for (uint32_t i = 0; i < state->catalog.count; i++) {
        const st_table *table = state->catalog.tables[i];
        const st_definition *definition = &table->definition;
        if (table->id == id) {
            state->owner = (verify_owner){VERIFY_ITEM, table, NULL};
        } else if (definition->ttl_id == id) {
            state->owner = (verify_owner){VERIFY_EXPIRY, table, NULL};
        } else if (definition->stream_id == id) {
            state->owner = (verify_owner){VERIFY_RECORD, table, NULL};
        }
        for (uint32_t k = 0; k < definition->index_count; k++) {
            if (definition->indexes[k].id == id) {
                state->owner = (verify_owner){VERIFY_INDEX, table, &definition->indexes[k]};
            }
        }
    }
    return state->owner.table
               ? ST_OK
               : st_fail(op, ST_CORRUPT, "there is a row of table id %u, and no such table", id);
}

static st_status verify_end_catalog(st_op *op, verify_state *state)
{
    if (state->has_catalog) {
        return ST_OK;
    }
    state->has_catalog = true;
    state->tables = state->catalog.count;
    return st_table__rows_end(op, &state->catalog);
}

static st_status verify_differs(st_op *op, const verify_owner *owner, const char *what)
{
    const st_table *table = owner->table;
    return st_fail(op, ST_CORRUPT, "%s of table %.*s%s%.*s", what, (int)table->name.size,
                   (const char *)table->name.data, owner->index ? ", index " : "",
                   owner->index ? (int)owner->index->name.size : 0,
                   owner->index ? (const char *)owner->index->name.data : "");
}

/* What the snapshot has under the key, into other; empty: nothing. */
static st_status verify_get(st_op *op, verify_state *state, st_slice key, bool *out_found)
{
    st_lsm_pin pin;
    st_slice value;
    st_buf_clear(&state->other);
    st_status status = st_lsm_get(op, state->lsm, key, st_lsm_snapshot_sequence(state->snapshot),
                                  &pin, &value, out_found, NULL);
    if (status == ST_OK && *out_found) {
        st_buf_slice(&state->other, value);
        status = st_buf_check(op, &state->other);
    }
    st_lsm_pin_release(&pin);
    return status;
}

/* The entry that the index must have of the item. */
static st_status verify_has_entry(st_op *op, verify_state *state, const st_index *index,
                                  st_slice item)
{
    verify_owner owner = {VERIFY_INDEX, state->owner.table, index};
    bool is_found;
    if (index->state != ST_INDEX_ACTIVE || !st_table__is_indexed(index, item)) {
        return ST_OK;
    }
    st_buf_clear(&state->key);
    st_status status = st_table__entry_key(op, owner.table, index, item, &state->key);
    if (status == ST_INVALID_ARGUMENT) {
        st_op_clear(op); /* it was there before the index, which cannot hold it */
        return ST_OK;
    }
    ST_TRY(status);
    ST_TRY(verify_get(op, state, st_buf_view(&state->key), &is_found));
    return is_found ? ST_OK : verify_differs(op, &owner, "an entry is missing");
}

static st_status verify_item(st_op *op, verify_state *state, st_slice key, st_slice value)
{
    const st_table *table = state->owner.table;
    uint64_t expiry_us;
    bool is_found;
    ST_TRY(st_item_validate(op, value));
    st_buf_clear(&state->key);
    st_status status = st_key_of_item(op, table->id, &table->schema, value, &state->key);
    if (status == ST_INVALID_ARGUMENT) { /* what would be the caller's fault is damage here */
        st_op_clear(op);
        return st_fail(op, ST_CORRUPT, "an item of table %.*s has not the key attributes of it",
                       (int)table->name.size, (const char *)table->name.data);
    }
    ST_TRY(status);
    if (!st_slice_equal(st_buf_view(&state->key), key)) {
        return st_fail(op, ST_CORRUPT, "an item of table %.*s lies under the key of another",
                       (int)table->name.size, (const char *)table->name.data);
    }
    for (uint32_t i = 0; i < table->definition.index_count; i++) {
        ST_TRY(verify_has_entry(op, state, &table->definition.indexes[i], value));
    }
    if (st_table__expiry(table, value, &expiry_us) &&
        !(table->definition.flags & ST_DEFINITION_TTL_FILLING)) {
        st_buf_clear(&state->key);
        ST_TRY(st_table__expiry_key(op, table, expiry_us, value, &state->key));
        ST_TRY(verify_get(op, state, st_buf_view(&state->key), &is_found));
        if (!is_found) {
            return verify_differs(op, &state->owner, "an expiry entry is missing");
        }
    }
    state->items++;
    return ST_OK;
}

/* What would be the caller's fault is damage here. */
static st_status verify_damage(st_op *op, const verify_owner *owner, st_status status)
{
    if (status == ST_INVALID_ARGUMENT) {
        st_op_clear(op);
        return verify_differs(op, owner, "an entry is none that an item makes");
    }
    return status;
}

/* An entry is what the item it is of makes of it now. */
static st_status verify_index_entry(st_op *op, verify_state *state, st_slice key, st_slice value)
{
    const verify_owner *owner = &state->owner;
    bool is_found;
    st_buf_clear(&state->key);
    ST_TRY(st_item_validate(op, value));
    ST_TRY(verify_damage(
        op, owner,
        st_key_of_item(op, owner->table->id, &owner->table->schema, value, &state->key)));
    ST_TRY(verify_get(op, state, st_buf_view(&state->key), &is_found));
    if (!is_found || !st_table__is_indexed(owner->index, st_buf_view(&state->other))) {
        return verify_differs(op, owner, "an entry has no item");
    }
    st_buf made_key, made_item;
    st_buf_init(&made_key, op->alloc);
    st_buf_init(&made_item, op->alloc);
    st_slice item = st_buf_view(&state->other);
    st_status status = verify_damage(
        op, owner, st_table__entry_key(op, owner->table, owner->index, item, &made_key));
    if (status == ST_OK) {
        status = st_table__index_item(op, owner->table, owner->index, item, &made_item);
    }
    if (status == ST_OK && (!st_slice_equal(st_buf_view(&made_key), key) ||
                            !st_slice_equal(st_buf_view(&made_item), value))) {
        status = verify_differs(op, owner, "an entry is not that of its item");
    }
    st_buf_deinit(&made_key);
    st_buf_deinit(&made_item);
    state->entries++;
    return status;
}

static st_status verify_expiry(st_op *op, verify_state *state, st_slice key)
{
    uint64_t expiry_us;
    bool is_found = false;
    uint8_t id[4];
    st_put_be32(id, state->owner.table->id);
    st_buf_clear(&state->key);
    st_buf_append(&state->key, id, sizeof id);
    if (key.size > 13) {
        st_buf_append(&state->key, key.data + 13, key.size - 13);
    }
    ST_TRY(st_buf_check(op, &state->key));
    ST_TRY(verify_get(op, state, st_buf_view(&state->key), &is_found));
    bool is_right = is_found && key.size > 13 &&
                    st_table__expiry(state->owner.table, st_buf_view(&state->other), &expiry_us) &&
                    expiry_us == st_get_be64(key.data + 5);
    state->entries++;
    return is_right ? ST_OK
                    : verify_differs(op, &state->owner, "an expiry entry is not that of an item");
}

static st_status verify_row(st_op *op, verify_state *state, st_slice key, st_slice value)
{
    uint32_t id = key.size >= 4 ? st_get_be32(key.data) : ST_CATALOG_TABLE_ID;
    if (id == ST_CATALOG_TABLE_ID) {
        return st_table__rows_add(op, &state->catalog, key, value);
    }
    ST_TRY(verify_end_catalog(op, state));
    ST_TRY(verify_find_owner(op, state, id));
    switch (state->owner.kind) {
    case VERIFY_INDEX:
        return verify_index_entry(op, state, key, value);
    case VERIFY_EXPIRY:
        return verify_expiry(op, state, key);
    case VERIFY_RECORD:
        state->records++;
        return key.size == 20 && value.size > 11
                   ? ST_OK
                   : verify_differs(op, &state->owner, "a stream record is malformed");
    default:
        return verify_item(op, state, key, value);
    }
}

static st_status verify_walk(st_op *op, verify_state *state)
{
    st_lsm_range range = {.snapshot = state->snapshot};
    st_lsm_cursor *cursor;
    bool valid = true;
    st_slice key, value;
    ST_TRY(st_lsm_cursor_open(op, state->lsm, &range, &cursor));
    st_status status = st_lsm_cursor_next(op, cursor, &valid, &key, &value);
    while (status == ST_OK && valid) {
        status = verify_row(op, state, key, value);
        status = status == ST_OK ? st_lsm_cursor_next(op, cursor, &valid, &key, &value) : status;
        if (status == ST_OK) {
            st_arena_reset(&op->arena);
        }
    }
    st_lsm_cursor_close(cursor);
    return status == ST_OK ? verify_end_catalog(op, state) : status;
}

st_status st_database_verify(st_op *op, st_database *database, st_lsm_print print, void *ctx)
{
    verify_state state = {.lsm = database->lsm};
    ST_TRY(st_lsm_snapshot_open(op, database->lsm, &state.snapshot));
    st_buf_init(&state.key, op->alloc);
    st_buf_init(&state.other, op->alloc);
    st_table__rows_init(&state.catalog, database->alloc);
    st_status status = verify_walk(op, &state);
    st_lsm_snapshot_close(state.snapshot);
    st_table__rows_deinit(&state.catalog);
    st_buf_deinit(&state.key);
    st_buf_deinit(&state.other);
    char line[160];
    snprintf(line, sizeof line,
             "%s: %llu items in %llu tables: canonical, under their own keys; %llu entries of "
             "indexes and expiry, %llu stream records",
             status == ST_OK ? "rows" : "damaged rows behind", (unsigned long long)state.items,
             (unsigned long long)state.tables, (unsigned long long)state.entries,
             (unsigned long long)state.records);
    print(ctx, line);
    return status;
}
