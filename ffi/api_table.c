/* Schemas and tables. */
#include "ffi_internal.h"

#include <string.h>

/* ---- schema ----------------------------------------------------------------------------- */

static void ffi_schema_destroy(void *object)
{
    ffi_schema *schema = object;
    st_buf_deinit(&schema->bytes);
    st_alloc_free(ffi_alloc(), schema, sizeof *schema);
}

stator_status stator_schema_new(stator_schema **out_schema)
{
    if (!out_schema) {
        return STATOR_MISUSE;
    }
    *out_schema = NULL;
    ffi_schema *schema = st_alloc_new(ffi_alloc(), sizeof *schema);
    if (!schema) {
        return STATOR_NO_MEMORY;
    }
    st_buf_init(&schema->bytes, ffi_alloc());
    st_buf_u16(&schema->bytes, 0); /* counts of partition and sort keys */
    ffi_subject subject = {.type = FFI_SCHEMA, .object = schema, .destroy = ffi_schema_destroy};
    *out_schema = schema->bytes.failed ? NULL : ffi_handle_new(&subject);
    if (!*out_schema) {
        ffi_schema_destroy(schema);
    }
    return *out_schema ? STATOR_OK : STATOR_NO_MEMORY;
}

static stator_status ffi_schema_add(ffi_schema *schema, bool is_sort, const void *name,
                                    size_t name_bytes, int32_t type)
{
    if (schema->failure.code != ST_OK) {
        return (stator_status)schema->failure.code;
    }
    if (is_sort ? !schema->has_partition || schema->has_sort : schema->has_partition) {
        return ffi_latch(&schema->failure, STATOR_INVALID_ARGUMENT,
                         "a schema has one partition key, and after it at most one sort key");
    }
    if (!ffi_is_bytes(name, name_bytes) || name_bytes == 0 || name_bytes > ST_KEY_NAME_BYTES_MAX) {
        return ffi_latch(&schema->failure, STATOR_INVALID_ARGUMENT,
                         "the name of a key attribute must be 1..255 bytes");
    }
    if (type < STATOR_TYPE_S || type > STATOR_TYPE_B) {
        return ffi_latch(&schema->failure, STATOR_INVALID_ARGUMENT,
                         "a key attribute must be of type S, N or B");
    }
    st_buf_byte(&schema->bytes, (uint8_t)type);
    st_buf_varint(&schema->bytes, name_bytes);
    st_buf_append(&schema->bytes, name, name_bytes);
    if (schema->bytes.failed) {
        return ffi_latch(&schema->failure, STATOR_NO_MEMORY, "out of memory");
    }
    schema->bytes.data[is_sort] = 1;
    *(is_sort ? &schema->has_sort : &schema->has_partition) = true;
    return STATOR_OK;
}

static stator_status ffi_schema_call(stator_schema *token, bool is_sort, const void *name,
                                     size_t name_bytes, int32_t type)
{
    ffi_hold schema;
    stator_status status = ffi_enter(token, FFI_SCHEMA, NULL, &schema);
    if (status == STATOR_OK) {
        status = ffi_schema_add(schema.object, is_sort, name, name_bytes, type);
        ffi_leave(&schema);
    }
    return status;
}

stator_status stator_schema_partition(stator_schema *schema, const void *name, size_t name_bytes,
                                      int32_t type)
{
    return ffi_schema_call(schema, false, name, name_bytes, type);
}

stator_status stator_schema_sort(stator_schema *schema, const void *name, size_t name_bytes,
                                 int32_t type)
{
    return ffi_schema_call(schema, true, name, name_bytes, type);
}

void stator_schema_free(stator_schema *schema)
{
    (void)ffi_handle_free(schema, FFI_SCHEMA);
}

/* ---- tables ----------------------------------------------------------------------------- */

/* A handle of the table that a result describes. */
static stator_status ffi_table_of_result(ffi_call *call, const ffi_hold *db, st_slice result,
                                         stator_table **out_table)
{
    st_slice described;
    if (!ffi_frame_find(result, ST_RESULT_TABLE, &described) || described.size < 4) {
        return (stator_status)st_fail(&call->op, ST_INTERNAL, "a result without a table");
    }
    ffi_subject subject = {.type = FFI_TABLE, .number = st_get_u32(described.data), .db_hold = db};
    *out_table = ffi_handle_new(&subject);
    return *out_table ? STATOR_OK : (stator_status)st_fail_memory(&call->op, sizeof subject);
}

/* Runs a request that names a table; out_table may be NULL. */
static stator_status ffi_table_request(stator_db *token, uint8_t operation, const void *name,
                                       size_t name_bytes, const ffi_schema *schema, uint32_t flags,
                                       stator_table **out_table, stator_error *error)
{
    if (!ffi_is_bytes(name, name_bytes)) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT,
                          "the table name is NULL or has an impossible length");
    }
    ffi_hold db;
    stator_status status = ffi_enter(token, FFI_DB, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf request, result;
    st_buf_init(&request, ffi_alloc());
    st_buf_init(&result, ffi_alloc());
    ffi_frame_begin(&request, operation);
    ffi_frame_field(&request, ST_FIELD_TABLE_NAME, ffi_slice(name, name_bytes));
    if (schema) {
        ffi_frame_field(&request, ST_FIELD_SCHEMA, st_buf_view(&schema->bytes));
        ffi_frame_u32(&request, ST_FIELD_FLAGS, flags);
    }
    status = (stator_status)st_buf_check(&call.op, &request);
    if (status == STATOR_OK) {
        status = (stator_status)st_table_execute(&call.op, db.db->database, st_buf_view(&request),
                                                 &result);
    }
    if (status == STATOR_OK && out_table) {
        status = ffi_table_of_result(&call, &db, st_buf_view(&result), out_table);
    }
    st_buf_deinit(&request);
    st_buf_deinit(&result);
    ffi_leave(&db);
    return ffi_end(&call, status);
}

static stator_status ffi_table_make(stator_db *db, const void *name, size_t name_bytes,
                                    stator_schema *token, uint32_t flags, stator_table **out_table,
                                    stator_error *error)
{
    if (out_table) {
        *out_table = NULL;
    }
    ffi_hold hold;
    stator_status status = ffi_enter(token, FFI_SCHEMA, error, &hold);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_schema *schema = hold.object;
    if (schema->failure.code != ST_OK) {
        status = ffi_refuse(error, (stator_status)schema->failure.code, schema->failure.message);
    } else if (!schema->has_partition) {
        status = ffi_refuse(error, STATOR_INVALID_ARGUMENT, "the schema has no partition key");
    } else {
        status = ffi_table_request(db, ST_REQUEST_CREATE_TABLE, name, name_bytes, schema, flags,
                                   out_table, error);
    }
    ffi_leave(&hold);
    return status;
}

stator_status stator_table_create(stator_db *db, const void *name, size_t name_bytes,
                                  stator_schema *schema, stator_table **out_table,
                                  stator_error *error)
{
    return ffi_table_make(db, name, name_bytes, schema, 0, out_table, error);
}

stator_status stator_table_ensure(stator_db *db, const void *name, size_t name_bytes,
                                  stator_schema *schema, stator_table **out_table,
                                  stator_error *error)
{
    return ffi_table_make(db, name, name_bytes, schema, ST_FLAG_ENSURE, out_table, error);
}

stator_status stator_table_open(stator_db *db, const void *name, size_t name_bytes,
                                stator_table **out_table, stator_error *error)
{
    if (!out_table) {
        return ffi_refuse(error, STATOR_MISUSE, "out_table is NULL");
    }
    *out_table = NULL;
    return ffi_table_request(db, ST_REQUEST_DESCRIBE_TABLE, name, name_bytes, NULL, 0, out_table,
                             error);
}

stator_status stator_table_delete(stator_db *db, const void *name, size_t name_bytes,
                                  stator_error *error)
{
    return ffi_table_request(db, ST_REQUEST_DELETE_TABLE, name, name_bytes, NULL, 0, NULL, error);
}

/* From the names of a result to texts with a NUL behind each. */
static st_status ffi_table_names(st_op *op, st_slice result, st_buf *names, size_t *out_count)
{
    st_slice payload;
    if (!ffi_frame_find(result, ST_RESULT_NAMES, &payload)) {
        return st_fail(op, ST_INTERNAL, "a result without names");
    }
    st_reader reader = st_reader_of(payload);
    *out_count = st_reader_u32(&reader);
    for (size_t i = 0; i < *out_count; i++) {
        st_buf_slice(names, st_reader_slice(&reader, st_reader_varint(&reader)));
        st_buf_byte(names, 0);
    }
    return st_buf_check(op, names);
}

stator_status stator_table_list(stator_db *token, stator_buffer **out_names, size_t *out_count,
                                stator_error *error)
{
    if (!out_names || !out_count) {
        return ffi_refuse(error, STATOR_MISUSE, "out_names or out_count is NULL");
    }
    *out_names = NULL;
    *out_count = 0;
    ffi_hold db;
    stator_status status = ffi_enter(token, FFI_DB, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    static const uint8_t ffi_list_request[2] = {ST_FRAME_VERSION, ST_REQUEST_LIST_TABLES};
    st_buf result, names;
    st_buf_init(&result, ffi_alloc());
    st_buf_init(&names, ffi_alloc());
    status = (stator_status)st_table_execute(&call.op, db.db->database,
                                             st_slice_of(ffi_list_request, 2), &result);
    size_t count = 0;
    if (status == STATOR_OK) {
        status = (stator_status)ffi_table_names(&call.op, st_buf_view(&result), &names, &count);
    }
    if (status == STATOR_OK) {
        status = ffi_buffer_of(&call, &names, out_names);
        *out_count = status == STATOR_OK ? count : 0;
    }
    st_buf_deinit(&names);
    st_buf_deinit(&result);
    ffi_leave(&db);
    return ffi_end(&call, status);
}

/* ---- describe --------------------------------------------------------------------------- */

static void ffi_table_copy_name(char to[STATOR_NAME_BYTES], st_slice name)
{
    size_t bytes = name.size < STATOR_NAME_BYTES ? name.size : STATOR_NAME_BYTES - 1;
    memcpy(to, name.data, bytes);
}

static void ffi_table_parse(st_slice payload, stator_table_description *out)
{
    st_reader reader = st_reader_of(payload);
    out->table_id = st_reader_u32(&reader);
    out->created_us = st_reader_u64(&reader);
    (void)st_reader_byte(&reader);
    bool has_sort = st_reader_byte(&reader) > 0;
    out->partition_type = st_reader_byte(&reader);
    ffi_table_copy_name(out->partition_name, st_reader_slice(&reader, st_reader_varint(&reader)));
    if (has_sort) {
        out->sort_type = st_reader_byte(&reader);
        ffi_table_copy_name(out->sort_name, st_reader_slice(&reader, st_reader_varint(&reader)));
    }
    ffi_table_copy_name(out->name, st_reader_slice(&reader, st_reader_varint(&reader)));
}

stator_status stator_table_describe(stator_table *token, stator_table_description *out_description,
                                    stator_error *error)
{
    if (!out_description) {
        return ffi_refuse(error, STATOR_MISUSE, "out_description is NULL");
    }
    ffi_hold table;
    stator_status status = ffi_enter(token, FFI_TABLE, error, &table);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf request, result;
    st_buf_init(&request, ffi_alloc());
    st_buf_init(&result, ffi_alloc());
    ffi_frame_begin(&request, ST_REQUEST_DESCRIBE_TABLE);
    ffi_frame_u32(&request, ST_FIELD_TABLE_ID, (uint32_t)table.number);
    status = (stator_status)st_buf_check(&call.op, &request);
    if (status == STATOR_OK) {
        status = (stator_status)st_table_execute(&call.op, table.db->database,
                                                 st_buf_view(&request), &result);
    }
    ffi_leave(&table);
    stator_table_description description = {0};
    st_slice payload;
    if (status == STATOR_OK && ffi_frame_find(st_buf_view(&result), ST_RESULT_TABLE, &payload)) {
        ffi_table_parse(payload, &description);
    }
    st_buf_deinit(&request);
    st_buf_deinit(&result);
    status = ffi_end(&call, status);
    return status == STATOR_OK
               ? ffi_struct_out(&description, out_description, sizeof description, error)
               : status;
}

void stator_table_free(stator_table *table)
{
    (void)ffi_handle_free(table, FFI_TABLE);
}
