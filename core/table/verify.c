/* Checking rows against what their tables say they are. */
#include "table/table_internal.h"

#include <stdio.h>

typedef struct verify_state {
    st_catalog_rows catalog; /* of the moment the rows are of, whatever is created or deleted */
    bool has_catalog;        /* all its rows have been seen */
    uint32_t table;          /* index of the table whose rows are being read */
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

/* Rows come in the order of table ids, those of the catalog first. */
static st_status verify_find_table(st_op *op, verify_state *state, uint32_t id,
                                   const st_table **out_table)
{
    st_catalog_rows *catalog = &state->catalog;
    while (state->table < catalog->count && catalog->tables[state->table]->id < id) {
        state->table++;
    }
    if (state->table == catalog->count || catalog->tables[state->table]->id != id) {
        return st_fail(op, ST_CORRUPT, "there is a row of table id %u, and no such table", id);
    }
    *out_table = catalog->tables[state->table];
    return ST_OK;
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

static st_status verify_row(st_op *op, verify_state *state, st_slice key, st_slice value)
{
    uint32_t id = key.size >= 4 ? st_get_be32(key.data) : ST_CATALOG_TABLE_ID;
    if (id == ST_CATALOG_TABLE_ID) {
        return st_table__rows_add(op, &state->catalog, key, value);
    }
    const st_table *table = NULL;
    ST_TRY(verify_end_catalog(op, state));
    ST_TRY(verify_find_table(op, state, id, &table));
    ST_TRY(st_item_validate(op, value));
    st_buf_clear(&state->key);
    st_status status = st_key_of_item(op, id, &table->schema, value, &state->key);
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
    state->items++;
    return ST_OK;
}

st_status st_database_verify(st_op *op, st_database *database, st_lsm_print print, void *ctx)
{
    verify_state state = {.has_catalog = false};
    st_lsm_range range = {.is_reverse = false};
    st_lsm_cursor *cursor;
    bool valid = true;
    st_slice key, value;
    ST_TRY(st_lsm_cursor_open(op, database->lsm, &range, &cursor));
    st_buf_init(&state.key, op->alloc);
    st_table__rows_init(&state.catalog, database->alloc);
    st_status status = st_lsm_cursor_next(op, cursor, &valid, &key, &value);
    while (status == ST_OK && valid) {
        status = verify_row(op, &state, key, value);
        status = status == ST_OK ? st_lsm_cursor_next(op, cursor, &valid, &key, &value) : status;
        st_arena_reset(&op->arena);
    }
    status = status == ST_OK ? verify_end_catalog(op, &state) : status;
    st_lsm_cursor_close(cursor);
    st_table__rows_deinit(&state.catalog);
    st_buf_deinit(&state.key);
    char line[128];
    snprintf(line, sizeof line, "%s: %llu items in %llu tables: canonical, under their own keys",
             status == ST_OK ? "rows" : "damaged rows behind", (unsigned long long)state.items,
             (unsigned long long)state.tables);
    print(ctx, line);
    return status;
}
