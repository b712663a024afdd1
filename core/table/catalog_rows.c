/* The catalog on disk: rows of table 0. docs/formats/catalog.md.
 *
 * Rows come from disk and are believed only as far as they are checked: one row by itself in
 * st_table__rows_add, all of them against each other in st_table__rows_end.
 */
#include "table/table_internal.h"

#include <stdlib.h>

#define CATALOG_ROW_VERSION 2
#define CATALOG_KEY_HEAD_BYTES 6u

/* Table id 0 · stripe 0 · kind · name. */
void st_table__row_key(uint8_t kind, st_slice name, st_buf *out)
{
    uint8_t head[CATALOG_KEY_HEAD_BYTES] = {0, 0, 0, 0, 0, kind};
    st_buf_append(out, head, sizeof head);
    st_buf_slice(out, name);
}

/* u8 version · u32 table id · u64 created · u32 definition bytes · definition · name */
void st_table__row(const st_table *table, st_buf *out)
{
    st_buf_byte(out, CATALOG_ROW_VERSION);
    st_buf_u32(out, table->id);
    st_buf_u64(out, table->created_us);
    st_buf_u32(out, (uint32_t)table->definition_bytes.size);
    st_buf_slice(out, table->definition_bytes);
    st_buf_slice(out, table->name);
}

void st_table__rows_init(st_catalog_rows *rows, const st_alloc *alloc)
{
    *rows = (st_catalog_rows){.alloc = alloc, .next_id = ST_FIRST_TABLE_ID};
}

void st_table__rows_deinit(st_catalog_rows *rows)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        st_table__release(rows->tables[i]);
    }
    st_alloc_free(rows->alloc, rows->tables, rows->capacity * sizeof *rows->tables);
}

static st_status catalog_rows_reserve(st_op *op, st_catalog_rows *rows)
{
    if (rows->count < rows->capacity) {
        return ST_OK;
    }
    uint32_t capacity = rows->capacity ? 2 * rows->capacity : 16;
    st_table **tables = st_alloc_resize(rows->alloc, rows->tables, rows->capacity * sizeof *tables,
                                        capacity * sizeof *tables);
    if (!tables) {
        return st_fail_memory(op, capacity * sizeof *tables);
    }
    rows->tables = tables;
    rows->capacity = capacity;
    return ST_OK;
}

static st_status catalog_add_next_id(st_op *op, st_catalog_rows *rows, st_slice key, st_slice value)
{
    if (key.size != CATALOG_KEY_HEAD_BYTES || value.size != 4) {
        return st_fail(op, ST_CORRUPT, "the catalog's row of the next table id is malformed");
    }
    rows->next_id = st_get_u32(value.data);
    rows->has_next_id = true;
    return ST_OK;
}

static st_status catalog_bad_row(st_op *op, st_slice name)
{
    st_op_clear(op);
    int shown = (int)(name.size < ST_TABLE_NAME_MAX ? name.size : ST_TABLE_NAME_MAX);
    return st_fail(op, ST_CORRUPT, "the catalog's row of the table %.*s is malformed", shown,
                   (const char *)name.data);
}

static st_status catalog_add_table(st_op *op, st_catalog_rows *rows, st_slice key, st_slice value)
{
    st_reader reader = st_reader_of(value);
    uint8_t version = st_reader_byte(&reader);
    uint32_t id = st_reader_u32(&reader);
    uint64_t created_us = st_reader_u64(&reader);
    st_slice definition = st_reader_slice(&reader, st_reader_u32(&reader));
    st_slice name = st_reader_slice(&reader, st_reader_left(&reader));
    st_slice key_name =
        st_slice_of(key.data + CATALOG_KEY_HEAD_BYTES, key.size - CATALOG_KEY_HEAD_BYTES);
    if (value.size > 0 && version != CATALOG_ROW_VERSION) {
        return st_fail(op, ST_UNSUPPORTED, "the catalog has a row of version %u", version);
    }
    if (reader.failed || name.size == 0 || !st_slice_equal(name, key_name) ||
        id < ST_FIRST_TABLE_ID || id > ST_LAST_TABLE_ID) {
        return catalog_bad_row(op, key_name);
    }
    ST_TRY(catalog_rows_reserve(op, rows));
    st_table *table;
    st_status status = st_table__make(op, rows->alloc, id, created_us, name, definition, &table);
    if (status == ST_INVALID_ARGUMENT) {
        return catalog_bad_row(op, name);
    }
    if (status == ST_OK) {
        rows->tables[rows->count++] = table;
    }
    return status;
}

st_status st_table__rows_add(st_op *op, st_catalog_rows *rows, st_slice key, st_slice value)
{
    if (key.size < CATALOG_KEY_HEAD_BYTES || st_get_be32(key.data) != ST_CATALOG_TABLE_ID ||
        key.data[4] != 0) {
        return st_fail(op, ST_CORRUPT, "the catalog has a row under a key that is none of its own");
    }
    switch (key.data[5]) {
    case ST_CATALOG_ROW_TABLE:
        return catalog_add_table(op, rows, key, value);
    case ST_CATALOG_ROW_NEXT_ID:
        return catalog_add_next_id(op, rows, key, value);
    case ST_CATALOG_ROW_TOKEN: /* of a transaction; nothing to load */
        return ST_OK;
    default:
        return st_fail(op, ST_UNSUPPORTED, "the catalog has a row of kind %u", key.data[5]);
    }
}

static int catalog_compare_ids(const void *a, const void *b)
{
    const st_table *const *left = a, *const *right = b;
    return (*left)->id < (*right)->id ? -1 : (*left)->id > (*right)->id;
}

/* Of the table and what belongs to it. */
static uint32_t catalog_highest_id(const st_table *table)
{
    const st_definition *definition = &table->definition;
    uint32_t highest = table->id > definition->ttl_id ? table->id : definition->ttl_id;
    highest = definition->stream_id > highest ? definition->stream_id : highest;
    for (uint32_t i = 0; i < definition->index_count; i++) {
        highest = definition->indexes[i].id > highest ? definition->indexes[i].id : highest;
    }
    return highest;
}

st_status st_table__rows_end(st_op *op, st_catalog_rows *rows)
{
    if (rows->count == 0) {
        return ST_OK;
    }
    qsort(rows->tables, rows->count, sizeof *rows->tables, catalog_compare_ids);
    for (uint32_t i = 1; i < rows->count; i++) {
        if (rows->tables[i]->id == rows->tables[i - 1]->id) {
            return st_fail(op, ST_CORRUPT, "two tables of the catalog have the id %u",
                           rows->tables[i]->id);
        }
    }
    uint32_t last = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t highest = catalog_highest_id(rows->tables[i]);
        last = highest > last ? highest : last;
    }
    if (!rows->has_next_id || rows->next_id <= last) {
        return st_fail(op, ST_CORRUPT,
                       "the catalog's row of the next table id does not go beyond id %u", last);
    }
    return ST_OK;
}
