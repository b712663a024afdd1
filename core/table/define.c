/* Creating, deleting, describing and listing tables.
 *
 * One change at a time, under the mutex changes. What memory can refuse is asked for before the
 * batch is logged, so that a change that fails has not happened; only a failed log leaves that
 * open, and then nothing is written until the database is opened again. Changes wait for their
 * durability without a deadline: what the catalog in memory says must be what the rows say.
 *
 * Deleting a table is one batch: the range delete of its id and the removal of its row. The table
 * is GOING first, and the writers that found it ALIVE are waited for, so that nothing of it is
 * written behind the range delete; later writers wait for the end and are told TABLE_NOT_FOUND, for
 * ever, because ids are never used again.
 */
#include "table/table_internal.h"

static st_status define_check_name(st_op *op, st_slice name)
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

/* Room for a description, before anything happens that is then described. */
static st_status define_reserve(st_op *op, st_slice name, size_t definition_bytes, st_buf *out)
{
    (void)st_buf_reserve(out, name.size + 2 * definition_bytes + 128);
    return st_buf_check(op, out);
}

static void define_put_part(const st_key_part *part, st_buf *out)
{
    st_buf_byte(out, (uint8_t)part->type);
    st_buf_varint(out, part->name.size);
    st_buf_slice(out, part->name);
}

static void define_description(const st_table *table, uint8_t operation, st_buf *out)
{
    const st_key_schema *schema = &table->schema;
    st_table__result_begin(out, operation);
    size_t place = st_table__result_open(out, ST_RESULT_TABLE);
    st_buf_u32(out, table->id);
    st_buf_u64(out, table->created_us);
    st_buf_byte(out, (uint8_t)schema->partition_count);
    st_buf_byte(out, (uint8_t)schema->sort_count);
    define_put_part(&schema->partition[0], out);
    if (schema->sort_count > 0) {
        define_put_part(&schema->sort[0], out);
    }
    st_buf_varint(out, table->name.size);
    st_buf_slice(out, table->name);
    st_table__result_shut(out, place);
    st_table__result_field(out, ST_RESULT_DEFINITION, table->definition_bytes);
}

static st_status define_commit(st_op *op, st_database *database, st_lsm_batch *batch,
                               st_durability durability, bool *out_is_logged)
{
    uint64_t sequence, deadline_us = op->deadline_us;
    *out_is_logged = false;
    ST_TRY(st_lsm_write(op, database->lsm, batch, durability, &sequence));
    *out_is_logged = true;
    op->deadline_us = 0;
    st_status status = st_lsm_wait(op, database->lsm, sequence);
    op->deadline_us = deadline_us;
    return status;
}

/* ---- create ----------------------------------------------------------------------------- */

/* The rows of a table and of the next id. */
static st_status define_write_rows(st_op *op, st_database *database, const st_table *table,
                                   uint32_t next, st_durability durability)
{
    st_catalog *catalog = &database->catalog;
    st_buf key, value, next_key;
    st_lsm_batch batch;
    uint8_t next_id[4];
    st_buf_init(&key, op->alloc);
    st_buf_init(&value, op->alloc);
    st_buf_init(&next_key, op->alloc);
    st_lsm_batch_init(&batch, op->alloc);
    st_table__row_key(ST_CATALOG_ROW_TABLE, table->name, &key);
    st_table__row(table, &value);
    st_table__row_key(ST_CATALOG_ROW_NEXT_ID, (st_slice){0}, &next_key);
    st_put_u32(next_id, next);
    st_lsm_batch_put(&batch, st_buf_view(&key), st_buf_view(&value));
    st_lsm_batch_put(&batch, st_buf_view(&next_key), st_slice_of(next_id, sizeof next_id));
    st_status status;
    bool is_logged;
    ST_TRY_OUT(st_buf_check(op, &key));
    ST_TRY_OUT(st_buf_check(op, &value));
    ST_TRY_OUT(st_buf_check(op, &next_key));
    status = define_commit(op, database, &batch, durability, &is_logged);
    catalog->next_id = is_logged ? next : catalog->next_id; /* the row may be found again */
out:
    st_lsm_batch_deinit(&batch);
    st_buf_deinit(&key);
    st_buf_deinit(&value);
    st_buf_deinit(&next_key);
    return status;
}

/* Gives ids to what has none yet. */
static st_status define_give_ids(st_op *op, st_database *database, st_definition *definition,
                                 uint32_t *next)
{
    if ((uint64_t)*next + ST_INDEXES_MAX + 2 > ST_LAST_TABLE_ID) {
        return st_fail(op, ST_UNSUPPORTED, "all table ids of this database are used up");
    }
    for (uint32_t i = 0; i < definition->index_count; i++) {
        st_index *index = &definition->indexes[i];
        index->id = index->id ? index->id : (*next)++;
    }
    if (definition->ttl.size > 0 && definition->ttl_id == 0) {
        definition->ttl_id = (*next)++;
    }
    if (definition->stream_view != ST_STREAM_OFF && definition->stream_id == 0) {
        definition->stream_id = (*next)++;
        definition->stream_created_us = st_database_time_us(database);
    }
    return ST_OK;
}

static st_status define_give_identity(st_op *op, st_database *database, st_definition *definition,
                                      uint8_t identity[16])
{
    if (definition->identity.size == 0) {
        ST_TRY(st_env_entropy(op, database->env, identity, 16));
        definition->identity = st_slice_of(identity, 16);
    }
    return ST_OK;
}

/* A table of a definition with all its ids. */
static st_status define_make(st_op *op, st_database *database, uint32_t id, uint64_t created_us,
                             st_slice name, const st_definition *definition, st_table **out_table)
{
    st_buf bytes;
    st_buf_init(&bytes, op->alloc);
    st_definition_encode(definition, &bytes);
    st_status status = st_buf_check(op, &bytes);
    if (status == ST_OK) {
        status = st_table__make(op, database->alloc, id, created_us, name, st_buf_view(&bytes),
                                out_table);
    }
    st_buf_deinit(&bytes);
    return status;
}

/* changes held. */
static st_status define_create(st_op *op, st_database *database, const st_request *request,
                               st_definition *definition, st_table **out_table)
{
    st_catalog *catalog = &database->catalog;
    st_catalog_view *view = NULL;
    st_table *table;
    uint8_t identity[16];
    uint32_t next = catalog->next_id + 1;
    if (catalog->next_id > ST_LAST_TABLE_ID) {
        return st_fail(op, ST_UNSUPPORTED, "all table ids of this database are used up");
    }
    ST_TRY(define_give_ids(op, database, definition, &next));
    ST_TRY(define_give_identity(op, database, definition, identity));
    ST_TRY(define_make(op, database, catalog->next_id, st_database_time_us(database), request->name,
                       definition, &table));
    st_status status =
        st_table__view_create(op, database->alloc, st_table__view(catalog), table, NULL, &view);
    if (status == ST_OK) {
        status = define_write_rows(op, database, table, next, request->durability);
    }
    if (status != ST_OK) {
        st_table__view_destroy(view, database->alloc);
        st_table__release(table);
        return status;
    }
    st_table__view_show(database, view);
    st_table__start_reaper(database);
    *out_table = table;
    return ST_OK;
}

static bool define_same_part(const st_key_part *a, const st_key_part *b)
{
    return a->type == b->type && st_slice_equal(a->name, b->name);
}

static bool define_same_keys(const st_key_schema *a, const st_key_schema *b)
{
    return a->sort_count == b->sort_count && define_same_part(&a->partition[0], &b->partition[0]) &&
           (a->sort_count == 0 || define_same_part(&a->sort[0], &b->sort[0]));
}

/* The definition of a request, or one of its schema alone. */
static st_status define_decode(st_op *op, const st_request *request, st_definition *out)
{
    if (request->has_definition) {
        return st_definition_decode(op, request->definition, out);
    }
    *out = (st_definition){.index_count = 0};
    return st_table__schema(op, request->schema, &out->schema);
}

st_status st_table__create(st_op *op, st_database *database, const st_request *request, st_buf *out)
{
    st_catalog *catalog = &database->catalog;
    if (!request->has_name || (!request->has_schema && !request->has_definition)) {
        return st_fail(op, ST_INVALID_ARGUMENT, "creating a table needs a name and a schema");
    }
    st_definition definition;
    ST_TRY(define_check_name(op, request->name));
    ST_TRY(define_decode(op, request, &definition));
    ST_TRY(define_reserve(op, request->name, request->schema.size + 2 * request->definition.size,
                          out));
    int shown = (int)request->name.size;
    const char *name = (const char *)request->name.data;
    st_mutex_lock(&catalog->changes);
    st_table *table = st_table__view_by_name(st_table__view(catalog), request->name);
    st_status status = ST_OK;
    if (!table) {
        status = define_create(op, database, request, &definition, &table);
    } else if (!(request->flags & ST_FLAG_ENSURE)) {
        status = st_fail(op, ST_TABLE_EXISTS, "Table already exists: %.*s", shown, name);
    } else if (!define_same_keys(&table->schema, &definition.schema)) {
        status = st_fail(op, ST_INVALID_ARGUMENT,
                         "table %.*s exists with other keys than the ones given", shown, name);
    }
    if (status == ST_OK) {
        define_description(table, request->operation, out);
    }
    st_mutex_unlock(&catalog->changes);
    return status;
}

/* ---- delete ----------------------------------------------------------------------------- */

/* Everything under one id; 0 is none. */
static void define_drop(st_lsm_batch *batch, uint32_t id)
{
    uint8_t from[4], to[4];
    if (id != 0) {
        st_put_be32(from, id);
        st_put_be32(to, id + 1);
        st_lsm_batch_delete_range(batch, st_slice_of(from, 4), st_slice_of(to, 4));
    }
}

/* changes held, no writer left. */
static st_status define_remove_rows(st_op *op, st_database *database, const st_table *table,
                                    st_durability durability)
{
    st_lsm_batch batch;
    st_buf key;
    bool is_logged;
    const st_definition *definition = &table->definition;
    st_lsm_batch_init(&batch, op->alloc);
    st_buf_init(&key, op->alloc);
    st_table__row_key(ST_CATALOG_ROW_TABLE, table->name, &key);
    st_lsm_batch_delete(&batch, st_buf_view(&key));
    define_drop(&batch, table->id);
    for (uint32_t i = 0; i < definition->index_count; i++) {
        define_drop(&batch, definition->indexes[i].id);
    }
    define_drop(&batch, definition->ttl_id);
    define_drop(&batch, definition->stream_id);
    st_status status = st_buf_check(op, &key);
    if (status == ST_OK) {
        status = define_commit(op, database, &batch, durability, &is_logged);
    }
    st_lsm_batch_deinit(&batch);
    st_buf_deinit(&key);
    return status;
}

/* changes held. */
static st_status define_delete(st_op *op, st_database *database, st_table *table,
                               st_durability durability)
{
    st_catalog *catalog = &database->catalog;
    st_catalog_view *view;
    ST_TRY(st_table__view_create(op, database->alloc, st_table__view(catalog), NULL, table, &view));
    st_mutex_lock(&catalog->going);
    atomic_store(&table->state, ST_TABLE_GOING);
    st_table__gate_drain(&catalog->writers);
    st_status status = define_remove_rows(op, database, table, durability);
    if (status == ST_OK) {
        atomic_store(&table->state, ST_TABLE_GONE);
        st_table__view_show(database, view);
    } else {
        atomic_store(&table->state, ST_TABLE_ALIVE);
        st_table__view_destroy(view, database->alloc);
    }
    st_mutex_unlock(&catalog->going);
    return status;
}

st_status st_table__delete(st_op *op, st_database *database, const st_request *request, st_buf *out)
{
    st_catalog *catalog = &database->catalog;
    st_table *table;
    st_mutex_lock(&catalog->changes);
    st_status status;
    ST_TRY_OUT(st_table__find(op, database, request->table_id, request->name, &table));
    ST_TRY_OUT(define_reserve(op, table->name, table->definition_bytes.size, out));
    if (table->definition.flags & ST_DEFINITION_PROTECTED) {
        ST_TRY_OUT(st_fail(op, ST_INVALID_ARGUMENT,
                           "Resource cannot be deleted as it is currently protected against "
                           "deletion. Disable deletion protection first."));
    }
    ST_TRY_OUT(define_delete(op, database, table, request->durability));
    define_description(table, request->operation, out);
    st_table__release(table); /* the catalog's reference */
out:
    st_mutex_unlock(&catalog->changes);
    return status;
}

/* ---- describe, list --------------------------------------------------------------------- */

st_status st_table__describe(st_op *op, st_database *database, const st_request *request,
                             st_buf *out)
{
    st_table *table;
    uint32_t ticket = st_table__gate_enter(&database->catalog.lookups);
    st_status status = st_table__find(op, database, request->table_id, request->name, &table);
    if (status == ST_OK) {
        define_description(table, request->operation, out);
    }
    st_table__gate_leave(&database->catalog.lookups, ticket);
    return status;
}

static void define_names(const st_catalog_view *view, const st_request *request, st_buf *out)
{
    st_slice after = request->has_start_after ? request->start_after : (st_slice){0};
    uint32_t at = st_table__view_place(view, after);
    at += at < view->count && st_slice_equal(view->by_name[at]->name, after);
    uint32_t count = view->count - at;
    bool is_cut = request->limit != 0 && request->limit < count;
    count = is_cut ? (uint32_t)request->limit : count;
    size_t place = st_table__result_open(out, ST_RESULT_NAMES);
    st_buf_u32(out, count);
    for (uint32_t i = at; i < at + count; i++) {
        st_buf_varint(out, view->by_name[i]->name.size);
        st_buf_slice(out, view->by_name[i]->name);
    }
    st_table__result_shut(out, place);
    if (is_cut) {
        st_table__result_field(out, ST_RESULT_LAST_KEY, view->by_name[at + count - 1]->name);
    }
}

void st_table__list(st_database *database, const st_request *request, st_buf *out)
{
    st_table__result_begin(out, request->operation);
    uint32_t ticket = st_table__gate_enter(&database->catalog.lookups);
    define_names(st_table__view(&database->catalog), request, out);
    st_table__gate_leave(&database->catalog.lookups, ticket);
}
