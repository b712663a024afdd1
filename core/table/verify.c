/* Checking rows against what their tables say they are. */
#include "table/table_internal.h"

#include <stdio.h>

typedef struct verify_state {
    st_database *database;
    st_table *table; /* of the rows being read; NULL for catalog rows */
    uint64_t items, tables;
    st_buf key;
} verify_state;

st_type st_database_sort_type(st_database *database, uint32_t table_id)
{
    st_op op;
    st_table *table;
    st_op_init(&op, database->alloc);
    st_type type = ST_TYPE_NONE;
    if (st_table__find(&op, database, table_id, (st_slice){0}, false, &table) == ST_OK) {
        type = table->schema.sort_count > 0 ? table->schema.sort[0].type : ST_TYPE_NONE;
        st_table__release(table);
    }
    st_op_deinit(&op);
    return type;
}

static st_status verify_row(st_op *op, verify_state *state, st_slice key, st_slice value)
{
    uint32_t id = key.size >= 4 ? st_get_be32(key.data) : 0;
    if (id == ST_CATALOG_TABLE_ID) {
        return ST_OK; /* read and checked when the database was opened */
    }
    if (!state->table || state->table->id != id) {
        st_table__release(state->table);
        state->table = NULL;
        if (st_table__find(op, state->database, id, (st_slice){0}, false, &state->table) != ST_OK) {
            st_op_clear(op);
            return st_fail(op, ST_CORRUPT, "there is a row of table id %u, and no such table", id);
        }
        state->tables++;
    }
    ST_TRY(st_item_validate(op, value));
    st_buf_clear(&state->key);
    ST_TRY(st_key_of_item(op, id, &state->table->schema, value, &state->key));
    if (!st_slice_equal(st_buf_view(&state->key), key)) {
        return st_fail(op, ST_CORRUPT, "an item of table %.*s lies under the key of another",
                       (int)state->table->name.size, (const char *)state->table->name.data);
    }
    state->items++;
    return ST_OK;
}

st_status st_database_verify(st_op *op, st_database *database, st_lsm_print print, void *ctx)
{
    verify_state state = {.database = database};
    st_lsm_range range = {.is_reverse = false};
    st_lsm_cursor *cursor;
    bool valid = true;
    st_slice key, value;
    st_buf_init(&state.key, op->alloc);
    ST_TRY(st_lsm_cursor_open(op, database->lsm, &range, &cursor));
    st_status status = st_lsm_cursor_next(op, cursor, &valid, &key, &value);
    while (status == ST_OK && valid) {
        status = verify_row(op, &state, key, value);
        status = status == ST_OK ? st_lsm_cursor_next(op, cursor, &valid, &key, &value) : status;
        st_arena_reset(&op->arena);
    }
    st_lsm_cursor_close(cursor);
    st_table__release(state.table);
    st_buf_deinit(&state.key);
    char line[128];
    snprintf(line, sizeof line, "%s: %llu items in %llu tables: canonical, under their own keys",
             status == ST_OK ? "rows" : "damaged rows behind", (unsigned long long)state.items,
             (unsigned long long)state.tables);
    print(ctx, line);
    return status;
}
