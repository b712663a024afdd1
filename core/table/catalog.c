/* The catalog in memory: all tables of the moment, in which every request looks its table up.
 *
 * A view is constant. Creating or deleting a table makes another one, shows it with one store, and
 * waits until nobody looks at the one before: a look-up takes no lock and writes nothing that
 * another thread writes.
 *
 * A table that is being deleted is GOING: its readers go on, because until the deletion is
 * published its items are there, and its writers wait. A reader that finds nothing in such a table
 * asks st_table__confirm whether it read before the deletion or behind it.
 */
#include "table/table_internal.h"

#include <stdlib.h>
#include <string.h>

void st_table__catalog_init(st_catalog *catalog)
{
    memset(catalog, 0, sizeof *catalog);
    atomic_init(&catalog->view, NULL);
    st_mutex_init(&catalog->changes);
    st_mutex_init(&catalog->going);
}

void st_table__catalog_deinit(st_catalog *catalog, const st_alloc *alloc)
{
    st_catalog_view *view = atomic_load(&catalog->view);
    for (uint32_t i = 0; view && i < view->count; i++) {
        st_table__release(view->by_id[i]);
    }
    st_table__view_destroy(view, alloc);
    st_mutex_deinit(&catalog->going);
    st_mutex_deinit(&catalog->changes);
}

/* ---- tables ----------------------------------------------------------------------------- */

static bool catalog_must_read_old(const st_definition *definition)
{
    return definition->index_count > 0 || definition->ttl.size > 0 ||
           definition->stream_view != ST_STREAM_OFF;
}

st_status st_table__make(st_op *op, const st_alloc *alloc, uint32_t id, uint64_t created_us,
                         st_slice name, st_slice definition, st_table **out_table)
{
    size_t bytes = sizeof(st_table) + name.size + definition.size;
    st_table *table = st_alloc_new(alloc, bytes);
    *out_table = table;
    if (!table) {
        return st_fail_memory(op, bytes);
    }
    uint8_t *texts = (uint8_t *)(table + 1);
    memcpy(texts, name.data, name.size);
    memcpy(texts + name.size, definition.data, definition.size);
    atomic_init(&table->references, 1);
    atomic_init(&table->state, ST_TABLE_ALIVE);
    st_op_init(&table->keeper, alloc);
    table->alloc = alloc;
    table->bytes = bytes;
    table->id = id;
    table->created_us = created_us;
    table->name = st_slice_of(texts, name.size);
    table->definition_bytes = st_slice_of(texts + name.size, definition.size);
    st_status status =
        st_definition_decode(&table->keeper, table->definition_bytes, &table->definition);
    table->schema = table->definition.schema;
    if (status == ST_OK) {
        status = st_table__prepare(&table->keeper, table);
    }
    table->must_read_old = catalog_must_read_old(&table->definition);
    if (status != ST_OK) {
        (void)st_fail(op, status, "%s", table->keeper.error.message);
        st_table__release(table);
        *out_table = NULL;
    }
    return status;
}

void st_table__retain(st_table *table)
{
    atomic_fetch_add_explicit(&table->references, 1, memory_order_relaxed);
}

void st_table__release(st_table *table)
{
    if (table && atomic_fetch_sub_explicit(&table->references, 1, memory_order_acq_rel) == 1) {
        st_op_deinit(&table->keeper);
        st_alloc_free(table->alloc, table, table->bytes);
    }
}

/* ---- views ------------------------------------------------------------------------------ */

static size_t catalog_view_bytes(uint32_t count)
{
    return sizeof(st_catalog_view) + 2 * (size_t)count * sizeof(st_table *);
}

static st_catalog_view *catalog_view_new(st_op *op, const st_alloc *alloc, uint32_t count)
{
    st_catalog_view *view = st_alloc_new(alloc, catalog_view_bytes(count));
    if (!view) {
        (void)st_fail_memory(op, catalog_view_bytes(count));
        return NULL;
    }
    view->count = count;
    view->by_name = (st_table **)(void *)(view + 1);
    view->by_id = view->by_name + count;
    return view;
}

void st_table__view_destroy(st_catalog_view *view, const st_alloc *alloc)
{
    if (view) {
        st_alloc_free(alloc, view, catalog_view_bytes(view->count));
    }
}

uint32_t st_table__view_place(const st_catalog_view *view, st_slice name)
{
    uint32_t low = 0, high = view->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (st_slice_compare(view->by_name[middle]->name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

st_table *st_table__view_by_name(const st_catalog_view *view, st_slice name)
{
    uint32_t at = st_table__view_place(view, name);
    bool is_there = at < view->count && st_slice_equal(view->by_name[at]->name, name);
    return is_there ? view->by_name[at] : NULL;
}

static st_table *catalog_by_id(const st_catalog_view *view, uint32_t id)
{
    uint32_t low = 0, high = view->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (view->by_id[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < view->count && view->by_id[low]->id == id ? view->by_id[low] : NULL;
}

static void catalog_add_by_name(st_table **to, uint32_t count, st_table *table)
{
    uint32_t at = count;
    for (; at > 0 && st_slice_compare(to[at - 1]->name, table->name) > 0; at--) {
        to[at] = to[at - 1];
    }
    to[at] = table;
}

st_status st_table__view_create(st_op *op, const st_alloc *alloc, const st_catalog_view *view,
                                st_table *added, const st_table *removed,
                                st_catalog_view **out_view)
{
    uint32_t before = view ? view->count : 0, names = 0, ids = 0;
    uint32_t count = before + (added ? 1 : 0) - (removed ? 1 : 0);
    st_catalog_view *made = catalog_view_new(op, alloc, count);
    *out_view = made;
    if (!made) {
        return ST_NO_MEMORY;
    }
    for (uint32_t i = 0; i < before; i++) {
        if (view->by_name[i] != removed) {
            made->by_name[names++] = view->by_name[i];
        }
        if (view->by_id[i] != removed) {
            made->by_id[ids++] = view->by_id[i];
        }
    }
    if (added) {
        catalog_add_by_name(made->by_name, names, added);
        for (; ids > 0 && made->by_id[ids - 1]->id > added->id; ids--) {
            made->by_id[ids] = made->by_id[ids - 1];
        }
        made->by_id[ids] = added;
    }
    return ST_OK;
}

st_catalog_view *st_table__view(st_catalog *catalog)
{
    return atomic_load(&catalog->view);
}

void st_table__view_show(st_database *database, st_catalog_view *view)
{
    st_catalog *catalog = &database->catalog;
    st_catalog_view *before = atomic_exchange(&catalog->view, view);
    st_table__gate_drain(&catalog->lookups);
    st_table__view_destroy(before, database->alloc);
}

/* ---- loading ---------------------------------------------------------------------------- */

static int catalog_compare_names(const void *a, const void *b)
{
    const st_table *const *left = a, *const *right = b;
    return st_slice_compare((*left)->name, (*right)->name);
}

/* The tables become the catalog's. */
static st_status catalog_adopt(st_op *op, st_database *database, st_catalog_rows *rows)
{
    st_catalog_view *view = catalog_view_new(op, database->alloc, rows->count);
    if (!view) {
        return ST_NO_MEMORY;
    }
    if (rows->count > 0) {
        memcpy(view->by_id, rows->tables, rows->count * sizeof *view->by_id);
        memcpy(view->by_name, rows->tables, rows->count * sizeof *view->by_name);
        qsort(view->by_name, view->count, sizeof *view->by_name, catalog_compare_names);
    }
    rows->count = 0;
    database->catalog.next_id = rows->next_id;
    atomic_store(&database->catalog.view, view);
    return ST_OK;
}

st_status st_table__catalog_load(st_op *op, st_database *database)
{
    static const uint8_t catalog_end[4] = {0, 0, 0, 1};
    st_lsm_range range = {.to = st_slice_of(catalog_end, sizeof catalog_end)};
    st_lsm_cursor *cursor;
    st_catalog_rows rows;
    ST_TRY(st_lsm_cursor_open(op, database->lsm, &range, &cursor));
    st_table__rows_init(&rows, database->alloc);
    bool valid = true;
    st_slice key, value;
    st_status status;
    while ((status = st_lsm_cursor_next(op, cursor, &valid, &key, &value)) == ST_OK && valid) {
        ST_TRY_OUT(st_table__rows_add(op, &rows, key, value));
    }
    ST_TRY_OUT(status);
    ST_TRY_OUT(st_table__rows_end(op, &rows));
    ST_TRY_OUT(catalog_adopt(op, database, &rows));
out:
    st_table__rows_deinit(&rows);
    st_lsm_cursor_close(cursor);
    return status;
}

/* ---- looking up ------------------------------------------------------------------------- */

static st_status catalog_not_found(st_op *op, uint32_t id, st_slice name)
{
    if (id != 0) {
        return st_fail(op, ST_TABLE_NOT_FOUND,
                       "Requested resource not found: Table: (id %u) not found", id);
    }
    int shown = (int)(name.size < ST_TABLE_NAME_MAX ? name.size : ST_TABLE_NAME_MAX);
    return st_fail(op, ST_TABLE_NOT_FOUND, "Requested resource not found: Table: %.*s not found",
                   shown, name.data ? (const char *)name.data : "");
}

st_status st_table__find(st_op *op, st_database *database, uint32_t id, st_slice name,
                         st_table **out_table)
{
    *out_table = NULL;
    if (id == 0 && name.size == 0) {
        return st_fail(op, ST_INVALID_ARGUMENT, "the request names no table");
    }
    const st_catalog_view *view = st_table__view(&database->catalog);
    st_table *table = id != 0 ? catalog_by_id(view, id) : st_table__view_by_name(view, name);
    if (!table || atomic_load(&table->state) == ST_TABLE_GONE) {
        return catalog_not_found(op, id, name);
    }
    *out_table = table;
    return ST_OK;
}

/* Whether the row of the table is there: what was read before this was read before the deletion. */
static st_status catalog_confirm_row(st_op *op, st_database *database, uint32_t id, st_slice key)
{
    st_lsm_pin pin;
    st_slice value;
    bool is_found;
    st_status status =
        st_lsm_get(op, database->lsm, key, ST_LSM_PUBLISHED, &pin, &value, &is_found, NULL);
    bool is_there =
        status == ST_OK && is_found && value.size >= 5 && st_get_u32(value.data + 1) == id;
    st_lsm_pin_release(&pin);
    return status != ST_OK || is_there ? status : catalog_not_found(op, id, (st_slice){0});
}

st_status st_table__confirm(st_op *op, st_database *database, uint32_t id)
{
    st_catalog *catalog = &database->catalog;
    st_buf key;
    st_buf_init(&key, op->alloc);
    uint32_t ticket = st_table__gate_enter(&catalog->lookups);
    const st_table *table = catalog_by_id(st_table__view(catalog), id);
    uint32_t state = table ? atomic_load(&table->state) : ST_TABLE_GONE;
    if (state == ST_TABLE_GOING) {
        st_table__row_key(ST_CATALOG_ROW_TABLE, table->name, &key);
    }
    st_table__gate_leave(&catalog->lookups, ticket);
    st_status status = st_buf_check(op, &key);
    if (status == ST_OK && state == ST_TABLE_GONE) {
        status = catalog_not_found(op, id, (st_slice){0});
    } else if (status == ST_OK && state == ST_TABLE_GOING) {
        status = catalog_confirm_row(op, database, id, st_buf_view(&key));
    }
    st_buf_deinit(&key);
    return status;
}

uint32_t st_database_table_count(st_database *database)
{
    uint32_t ticket = st_table__gate_enter(&database->catalog.lookups);
    uint32_t count = st_table__view(&database->catalog)->count;
    st_table__gate_leave(&database->catalog.lookups, ticket);
    return count;
}
