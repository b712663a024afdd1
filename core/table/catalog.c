/* The catalog: rows of table 0, and a copy in memory that every request looks its table up in.
 * docs/formats/catalog.md.
 *
 * Deleting a table is one range delete and the removal of its row. Writers that found the table
 * before are waited for, so that no item appears behind the range delete; later ones are told
 * TABLE_NOT_FOUND, for ever, because ids are never used again.
 */
#include "table/table_internal.h"

#include <string.h>

#define CATALOG_ROW_VERSION 1
enum { CATALOG_KIND_TABLE = 1, CATALOG_KIND_NEXT_ID = 2 };

void st_table__catalog_init(st_catalog *catalog)
{
    *catalog = (st_catalog){.next_id = ST_FIRST_TABLE_ID};
    st_mutex_init(&catalog->mutex);
    st_mutex_init(&catalog->changes);
    st_cond_init(&catalog->idle);
}

void st_table__catalog_deinit(st_catalog *catalog, const st_alloc *alloc)
{
    for (uint32_t i = 0; i < catalog->count; i++) {
        st_table__release(catalog->tables[i]);
    }
    st_alloc_free(alloc, catalog->tables, catalog->capacity * sizeof(st_table *));
    st_mutex_deinit(&catalog->mutex);
    st_mutex_deinit(&catalog->changes);
    st_cond_deinit(&catalog->idle);
}

/* ---- tables ----------------------------------------------------------------------------- */

void st_table__release(st_table *table)
{
    if (table && atomic_fetch_sub_explicit(&table->references, 1, memory_order_acq_rel) == 1) {
        st_alloc_free(table->alloc, table, table->bytes);
    }
}

static st_status catalog_make(st_op *op, const st_alloc *alloc, uint32_t id, uint64_t created_us,
                              st_slice name, st_slice schema, st_table **out_table)
{
    size_t bytes = sizeof(st_table) + name.size + schema.size;
    st_table *table = st_alloc_new(alloc, bytes);
    *out_table = table;
    if (!table) {
        return st_fail_memory(op, bytes);
    }
    uint8_t *texts = (uint8_t *)(table + 1);
    memcpy(texts, name.data, name.size);
    memcpy(texts + name.size, schema.data, schema.size);
    atomic_init(&table->references, 1);
    table->alloc = alloc;
    table->id = id;
    table->created_us = created_us;
    table->name = st_slice_of(texts, name.size);
    table->schema_bytes = st_slice_of(texts + name.size, schema.size);
    table->bytes = bytes;
    st_status status = st_table__schema(op, table->schema_bytes, &table->schema);
    if (status != ST_OK) {
        st_table__release(table);
        *out_table = NULL;
    }
    return status;
}

/* Index of the first table whose name is not before the name. */
static uint32_t catalog_place(const st_catalog *catalog, st_slice name)
{
    uint32_t low = 0, high = catalog->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (st_slice_compare(catalog->tables[middle]->name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static st_table *catalog_by_name(const st_catalog *catalog, st_slice name)
{
    uint32_t at = catalog_place(catalog, name);
    bool is_there = at < catalog->count && st_slice_equal(catalog->tables[at]->name, name);
    return is_there ? catalog->tables[at] : NULL;
}

static st_table *catalog_by_id(const st_catalog *catalog, uint32_t id)
{
    for (uint32_t i = 0; i < catalog->count; i++) {
        if (catalog->tables[i]->id == id) {
            return catalog->tables[i];
        }
    }
    return NULL;
}

/* Room for one more, so that catalog_insert cannot fail. */
static st_status catalog_reserve(st_op *op, st_catalog *catalog, const st_alloc *alloc)
{
    if (catalog->count < catalog->capacity) {
        return ST_OK;
    }
    uint32_t capacity = catalog->capacity ? 2 * catalog->capacity : 16;
    st_table **tables = st_alloc_resize(alloc, catalog->tables, catalog->capacity * sizeof *tables,
                                        capacity * sizeof *tables);
    if (!tables) {
        return st_fail_memory(op, capacity * sizeof *tables);
    }
    catalog->tables = tables;
    catalog->capacity = capacity;
    return ST_OK;
}

static void catalog_insert(st_catalog *catalog, st_table *table)
{
    uint32_t at = catalog_place(catalog, table->name);
    memmove(&catalog->tables[at + 1], &catalog->tables[at],
            (catalog->count - at) * sizeof(st_table *));
    catalog->tables[at] = table;
    catalog->count++;
}

static void catalog_take_out(st_catalog *catalog, st_table *table)
{
    uint32_t at = catalog_place(catalog, table->name);
    catalog->count--;
    memmove(&catalog->tables[at], &catalog->tables[at + 1],
            (catalog->count - at) * sizeof(st_table *));
}

static st_status catalog_not_found(st_op *op, uint32_t id, st_slice name)
{
    if (id != 0) {
        return st_fail(op, ST_TABLE_NOT_FOUND,
                       "Requested resource not found: Table: (id %u) not found", id);
    }
    int shown = (int)(name.size < ST_TABLE_NAME_MAX ? name.size : ST_TABLE_NAME_MAX);
    return st_fail(op, ST_TABLE_NOT_FOUND, "Requested resource not found: Table: %.*s not found",
                   shown, (const char *)name.data);
}

st_status st_table__find(st_op *op, st_database *database, uint32_t id, st_slice name,
                         bool is_writer, st_table **out_table)
{
    st_catalog *catalog = &database->catalog;
    *out_table = NULL;
    if (id == 0 && name.size == 0) {
        return st_fail(op, ST_INVALID_ARGUMENT, "the request names no table");
    }
    st_mutex_lock(&catalog->mutex);
    st_table *table = id != 0 ? catalog_by_id(catalog, id) : catalog_by_name(catalog, name);
    if (table && !table->is_deleted) {
        atomic_fetch_add_explicit(&table->references, 1, memory_order_relaxed);
        table->writers += is_writer;
        *out_table = table;
    }
    st_mutex_unlock(&catalog->mutex);
    return *out_table ? ST_OK : catalog_not_found(op, id, name);
}

void st_table__end_write(st_database *database, st_table *table)
{
    st_catalog *catalog = &database->catalog;
    st_mutex_lock(&catalog->mutex);
    table->writers--;
    if (table->is_deleted && table->writers == 0) {
        st_cond_broadcast(&catalog->idle);
    }
    st_mutex_unlock(&catalog->mutex);
}

uint32_t st_database_table_count(st_database *database)
{
    st_mutex_lock(&database->catalog.mutex);
    uint32_t count = database->catalog.count;
    st_mutex_unlock(&database->catalog.mutex);
    return count;
}

/* ---- rows ------------------------------------------------------------------------------- */

/* Key of a catalog row: table id 0 · stripe 0 · kind · name. */
static void catalog_key(uint8_t kind, st_slice name, st_buf *out)
{
    uint8_t head[6] = {0, 0, 0, 0, 0, kind};
    st_buf_append(out, head, sizeof head);
    st_buf_slice(out, name);
}

/* u8 version · u32 table id · u64 created · u32 schema bytes · schema · name */
static void catalog_row(const st_table *table, st_buf *out)
{
    st_buf_byte(out, CATALOG_ROW_VERSION);
    st_buf_u32(out, table->id);
    st_buf_u64(out, table->created_us);
    st_buf_u32(out, (uint32_t)table->schema_bytes.size);
    st_buf_slice(out, table->schema_bytes);
    st_buf_slice(out, table->name);
}

static st_status catalog_load_row(st_op *op, st_database *database, st_slice key, st_slice value)
{
    st_catalog *catalog = &database->catalog;
    st_reader reader = st_reader_of(value);
    if (key.size == 6 && key.data[5] == CATALOG_KIND_NEXT_ID) {
        catalog->next_id = st_reader_u32(&reader);
        return reader.failed
                   ? st_fail(op, ST_CORRUPT, "the catalog's row of the next table id is malformed")
                   : ST_OK;
    }
    uint8_t version = st_reader_byte(&reader);
    if (key.size < 6 || key.data[5] != CATALOG_KIND_TABLE || version != CATALOG_ROW_VERSION) {
        return st_fail(op, ST_UNSUPPORTED, "the catalog has a row of a later version");
    }
    uint32_t id = st_reader_u32(&reader);
    uint64_t created_us = st_reader_u64(&reader);
    st_slice schema = st_reader_slice(&reader, st_reader_u32(&reader));
    st_slice name = st_reader_slice(&reader, st_reader_left(&reader));
    if (reader.failed || name.size == 0) {
        return st_fail(op, ST_CORRUPT, "a row of the catalog is malformed");
    }
    st_table *table;
    ST_TRY(catalog_reserve(op, catalog, database->alloc));
    ST_TRY(catalog_make(op, database->alloc, id, created_us, name, schema, &table));
    catalog_insert(catalog, table);
    return ST_OK;
}

st_status st_table__catalog_load(st_op *op, st_database *database)
{
    static const uint8_t catalog_end[4] = {0, 0, 0, 1};
    st_lsm_range range = {.to = st_slice_of(catalog_end, sizeof catalog_end)};
    st_lsm_cursor *cursor;
    ST_TRY(st_lsm_cursor_open(op, database->lsm, &range, &cursor));
    bool valid = true;
    st_slice key, value;
    st_status status = st_lsm_cursor_next(op, cursor, &valid, &key, &value);
    while (status == ST_OK && valid) {
        status = catalog_load_row(op, database, key, value);
        if (status == ST_OK) {
            status = st_lsm_cursor_next(op, cursor, &valid, &key, &value);
        }
    }
    st_lsm_cursor_close(cursor);
    return status;
}

/* ---- operations ------------------------------------------------------------------------- */

static st_status catalog_check_name(st_op *op, st_slice name)
{
    if (name.size < ST_TABLE_NAME_MIN || name.size > ST_TABLE_NAME_MAX) {
        return st_fail(
            op, ST_INVALID_ARGUMENT,
            "TableName must be at least 3 characters long and at most 255 characters long");
    }
    for (size_t i = 0; i < name.size; i++) {
        char c = (char)name.data[i];
        bool is_legal = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
        if (!is_legal) {
            return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)i,
                              "TableName must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
        }
    }
    return ST_OK;
}

static void catalog_description(const st_table *table, uint8_t operation, st_buf *out)
{
    st_table__result_begin(out, operation);
    size_t place = st_table__result_open(out, ST_RESULT_TABLE);
    st_buf_u32(out, table->id);
    st_buf_u64(out, table->created_us);
    st_buf_slice(out, table->schema_bytes);
    st_buf_varint(out, table->name.size);
    st_buf_slice(out, table->name);
    st_table__result_shut(out, place);
}

static st_status catalog_commit(st_op *op, st_database *database, st_lsm_batch *batch,
                                st_durability durability)
{
    uint64_t sequence;
    ST_TRY(st_lsm_write(op, database->lsm, batch, durability, &sequence));
    return st_lsm_wait(op, database->lsm, sequence);
}

/* changes held. */
static st_status catalog_create(st_op *op, st_database *database, const st_request *request,
                                st_table **out_table)
{
    st_catalog *catalog = &database->catalog;
    st_table *table;
    ST_TRY(catalog_make(op, database->alloc, catalog->next_id, st_env_time_us(database->env),
                        request->name, request->schema, &table));
    st_buf key, value;
    st_lsm_batch batch;
    st_buf_init(&key, op->alloc);
    st_buf_init(&value, op->alloc);
    st_lsm_batch_init(&batch, op->alloc);
    catalog_key(CATALOG_KIND_TABLE, table->name, &key);
    catalog_row(table, &value);
    st_lsm_batch_put(&batch, st_buf_view(&key), st_buf_view(&value));
    st_status status = st_buf_check(op, &key); /* clearing forgets a failure */
    st_buf_clear(&key);
    uint8_t next_id[4];
    st_put_u32(next_id, catalog->next_id + 1);
    catalog_key(CATALOG_KIND_NEXT_ID, (st_slice){0}, &key);
    st_lsm_batch_put(&batch, st_buf_view(&key), st_slice_of(next_id, sizeof next_id));
    st_mutex_lock(&catalog->mutex);
    status = status == ST_OK ? catalog_reserve(op, catalog, database->alloc) : status;
    st_mutex_unlock(&catalog->mutex);
    status = status == ST_OK ? st_buf_check(op, &key) : status;
    status = status == ST_OK ? st_buf_check(op, &value) : status;
    status = status == ST_OK ? catalog_commit(op, database, &batch, request->durability) : status;
    if (status == ST_OK) {
        catalog->next_id++;
        st_mutex_lock(&catalog->mutex);
        catalog_insert(catalog, table);
        atomic_fetch_add_explicit(&table->references, 1, memory_order_relaxed);
        st_mutex_unlock(&catalog->mutex);
        *out_table = table;
    } else {
        st_table__release(table);
    }
    st_lsm_batch_deinit(&batch);
    st_buf_deinit(&key);
    st_buf_deinit(&value);
    return status;
}

st_status st_table__create(st_op *op, st_database *database, const st_request *request, st_buf *out)
{
    st_catalog *catalog = &database->catalog;
    if (!request->has_name || !request->has_schema) {
        return st_fail(op, ST_INVALID_ARGUMENT, "creating a table needs a name and a schema");
    }
    st_key_schema schema;
    ST_TRY(catalog_check_name(op, request->name));
    ST_TRY(st_table__schema(op, request->schema, &schema));
    (void)st_buf_reserve(out, request->name.size + request->schema.size + 64);
    ST_TRY(st_buf_check(op, out)); /* what is created can be described */
    st_mutex_lock(&catalog->changes);
    st_mutex_lock(&catalog->mutex);
    st_table *table = catalog_by_name(catalog, request->name);
    if (table) {
        atomic_fetch_add_explicit(&table->references, 1, memory_order_relaxed);
    }
    st_mutex_unlock(&catalog->mutex);
    st_status status = ST_OK;
    int shown = (int)request->name.size;
    const char *name = (const char *)request->name.data;
    if (!table) {
        status = catalog_create(op, database, request, &table);
    } else if (!(request->flags & ST_FLAG_ENSURE)) {
        status = st_fail(op, ST_TABLE_EXISTS, "Table already exists: %.*s", shown, name);
    } else if (!st_slice_equal(table->schema_bytes, request->schema)) {
        status = st_fail(op, ST_INVALID_ARGUMENT,
                         "table %.*s exists with other keys than the ones given", shown, name);
    }
    st_mutex_unlock(&catalog->changes);
    if (status == ST_OK) {
        catalog_description(table, request->operation, out);
    }
    st_table__release(table);
    return status;
}

/* changes held, no writer left. */
static st_status catalog_delete(st_op *op, st_database *database, const st_table *table,
                                st_durability durability)
{
    st_lsm_batch batch;
    st_buf key;
    uint8_t from[4], to[4];
    st_put_be32(from, table->id);
    st_put_be32(to, table->id + 1);
    st_lsm_batch_init(&batch, op->alloc);
    st_buf_init(&key, op->alloc);
    catalog_key(CATALOG_KIND_TABLE, table->name, &key);
    st_lsm_batch_delete(&batch, st_buf_view(&key));
    st_lsm_batch_delete_range(&batch, st_slice_of(from, 4), st_slice_of(to, 4));
    st_status status = st_buf_check(op, &key);
    status = status == ST_OK ? catalog_commit(op, database, &batch, durability) : status;
    st_lsm_batch_deinit(&batch);
    st_buf_deinit(&key);
    return status;
}

st_status st_table__delete(st_op *op, st_database *database, const st_request *request)
{
    st_catalog *catalog = &database->catalog;
    st_table *table;
    st_mutex_lock(&catalog->changes);
    st_status status =
        st_table__find(op, database, request->table_id, request->name, false, &table);
    if (status != ST_OK) {
        st_mutex_unlock(&catalog->changes);
        return status;
    }
    st_mutex_lock(&catalog->mutex);
    table->is_deleted = true;
    while (table->writers > 0) {
        st_cond_wait(&catalog->idle, &catalog->mutex);
    }
    st_mutex_unlock(&catalog->mutex);
    status = catalog_delete(op, database, table, request->durability);
    st_mutex_lock(&catalog->mutex);
    if (status == ST_OK) {
        catalog_take_out(catalog, table);
    } else {
        table->is_deleted = false;
    }
    st_mutex_unlock(&catalog->mutex);
    st_mutex_unlock(&catalog->changes);
    if (status == ST_OK) {
        st_table__release(table); /* the catalog's own */
    }
    st_table__release(table);
    return status;
}

st_status st_table__describe(st_op *op, st_database *database, const st_request *request,
                             st_buf *out)
{
    st_table *table;
    ST_TRY(st_table__find(op, database, request->table_id, request->name, false, &table));
    catalog_description(table, request->operation, out);
    st_table__release(table);
    return ST_OK;
}

st_status st_table__list(st_op *op, st_database *database, const st_request *request, st_buf *out)
{
    (void)op;
    st_catalog *catalog = &database->catalog;
    st_table__result_begin(out, request->operation);
    size_t place = st_table__result_open(out, ST_RESULT_NAMES);
    st_mutex_lock(&catalog->mutex);
    uint32_t at = request->has_start_after ? catalog_place(catalog, request->start_after) : 0;
    bool is_exact = request->has_start_after && at < catalog->count &&
                    st_slice_equal(catalog->tables[at]->name, request->start_after);
    at += is_exact;
    uint32_t count = catalog->count - at;
    bool is_cut = request->limit != 0 && request->limit < count;
    count = is_cut ? (uint32_t)request->limit : count;
    st_buf_u32(out, count);
    for (uint32_t i = at; i < at + count; i++) {
        st_buf_varint(out, catalog->tables[i]->name.size);
        st_buf_slice(out, catalog->tables[i]->name);
    }
    st_table__result_shut(out, place);
    if (is_cut) {
        st_table__result_field(out, ST_RESULT_LAST_KEY, catalog->tables[at + count - 1]->name);
    }
    st_mutex_unlock(&catalog->mutex);
    return ST_OK;
}
