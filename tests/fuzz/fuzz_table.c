#include "fuzz/fuzz_table.h"

#include <string.h>

#include "table/frame.h"

/* ---- requests --------------------------------------------------------------------------- */

void fuzz_request_begin(st_buf *to, uint8_t operation, const char *table)
{
    st_buf_clear(to);
    st_buf_byte(to, ST_FRAME_VERSION);
    st_buf_byte(to, operation);
    fuzz_request_field(to, ST_FIELD_TABLE_NAME, st_slice_str(table));
}

void fuzz_request_field(st_buf *to, uint8_t number, st_slice payload)
{
    st_buf_byte(to, number);
    st_buf_u32(to, (uint32_t)payload.size);
    st_buf_slice(to, payload);
}

static void fuzz_run(st_op *op, st_database *database, const st_buf *request)
{
    st_buf result;
    st_buf_init(&result, op->alloc);
    FUZZ_CHECK(op, !request->failed);
    FUZZ_CHECK(op, st_table_execute(op, database, st_buf_view(request), &result) == ST_OK);
    st_buf_deinit(&result);
}

/* A schema as hexadecimal digits are easier to read than calls: bytes as in docs/formats. */
static void fuzz_create(st_op *op, st_database *database, const char *table, const char *schema,
                        size_t schema_bytes)
{
    st_buf request;
    st_buf_init(&request, op->alloc);
    fuzz_request_begin(&request, ST_REQUEST_CREATE_TABLE, table);
    fuzz_request_field(&request, ST_FIELD_SCHEMA, st_slice_of(schema, schema_bytes));
    fuzz_run(op, database, &request);
    st_buf_deinit(&request);
}

static void fuzz_put(st_op *op, st_database *database, const char *table, const char *json)
{
    st_buf request, relaxed;
    st_buf_init(&request, op->alloc);
    st_buf_init(&relaxed, op->alloc);
    FUZZ_CHECK(op, st_item_from_dynamodb_json(op, st_slice_str(json), &relaxed) == ST_OK);
    fuzz_request_begin(&request, ST_REQUEST_PUT, table);
    fuzz_request_field(&request, ST_FIELD_ITEM, st_buf_view(&relaxed));
    fuzz_run(op, database, &request);
    st_buf_deinit(&relaxed);
    st_buf_deinit(&request);
}

/* ---- the database ----------------------------------------------------------------------- */

st_database *fuzz_database_open(st_op *op, const st_alloc *alloc)
{
    static const char *const sorted[] = {
        "{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"-1\"}}",
        "{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"0\"},\"l\":{\"L\":[{\"NULL\":true}]}}",
        "{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"1\"},\"t\":{\"BOOL\":true}}",
        "{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"2\"},\"s\":{\"SS\":[\"x\",\"y\"]}}",
        "{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"1979\"}}",
        "{\"id\":{\"S\":\"b\"},\"n\":{\"N\":\"1\"},\"m\":{\"M\":{}}}",
        "{\"id\":{\"S\":\"\\u0000\"},\"n\":{\"N\":\"5\"}}"};
    st_database_options options;
    st_database *database;
    st_database_options_init(&options);
    options.alloc = alloc;
    options.create = true;
    options.inline_background = true;
    options.memory_budget_bytes = 1 << 20;
    FUZZ_CHECK(op, st_database_open(op, st_slice_str(":memory:"), &options, &database) == ST_OK);
    fuzz_create(op, database, "sorted", "\1\1\1\2id\2\1n", 9);
    fuzz_create(op, database, "plain", "\1\0\3\1k", 5);
    fuzz_create(op, database, "other", "\1\1\2\2id\1\1n", 9);
    for (size_t i = 0; i < sizeof sorted / sizeof *sorted; i++) {
        fuzz_put(op, database, "sorted", sorted[i]);
    }
    fuzz_put(op, database, "plain", "{\"k\":{\"B\":\"AQ==\"},\"x\":{\"S\":\"y\"}}");
    fuzz_put(op, database, "plain", "{\"k\":{\"B\":\"/w==\"}}");
    fuzz_put(op, database, "other", "{\"id\":{\"N\":\"1\"},\"n\":{\"S\":\"x\"}}");
    return database;
}

void fuzz_database_close(st_op *op, st_database *database)
{
    st_op_clear(op);
    FUZZ_CHECK(op, st_database_close(op, database) == ST_OK);
}

/* ---- results ---------------------------------------------------------------------------- */

bool fuzz_result_find(st_slice result, uint8_t number, st_slice *out_payload)
{
    st_reader reader = st_reader_of(result);
    (void)st_reader_u16(&reader);
    while (st_reader_left(&reader) > 0) {
        uint8_t found = st_reader_byte(&reader);
        *out_payload = st_reader_slice(&reader, st_reader_u32(&reader));
        FUZZ_CHECK(NULL, !reader.failed);
        if (found == number) {
            return true;
        }
    }
    *out_payload = (st_slice){0};
    return false;
}

bool fuzz_result_next(st_slice items, size_t *at, st_slice *out_item)
{
    st_reader reader = st_reader_of(items);
    reader.at = *at ? *at : 4;
    if (st_reader_left(&reader) == 0) {
        return false;
    }
    *out_item = st_reader_slice(&reader, st_reader_u32(&reader));
    FUZZ_CHECK(NULL, !reader.failed);
    *at = reader.at;
    return true;
}

static void fuzz_check_item(st_slice item)
{
    st_op op;
    st_op_init(&op, fuzz_alloc());
    FUZZ_CHECK(&op, st_item_validate(&op, item) == ST_OK);
    st_op_deinit(&op);
}

static void fuzz_check_items(st_slice items, bool may_be_absent)
{
    st_slice item;
    size_t at = 0;
    uint32_t count = 0;
    FUZZ_CHECK(NULL, items.size >= 4);
    while (fuzz_result_next(items, &at, &item)) {
        FUZZ_CHECK(NULL, item.size > 0 || may_be_absent);
        if (item.size > 0) {
            fuzz_check_item(item);
        }
        count++;
    }
    FUZZ_CHECK(NULL, count == st_get_u32(items.data));
}

void fuzz_check_result(st_slice request, st_slice result)
{
    st_reader reader = st_reader_of(result);
    FUZZ_CHECK(NULL, st_reader_byte(&reader) == ST_FRAME_VERSION);
    uint8_t operation = st_reader_byte(&reader);
    FUZZ_CHECK(NULL, operation == request.data[1]);
    uint64_t seen = 0;
    while (st_reader_left(&reader) > 0) {
        uint8_t number = st_reader_byte(&reader);
        st_slice payload = st_reader_slice(&reader, st_reader_u32(&reader));
        FUZZ_CHECK(NULL, !reader.failed && number >= 1 && number < 64);
        FUZZ_CHECK(NULL, (seen >> number & 1) == 0);
        seen |= (uint64_t)1 << number;
        if (number == ST_RESULT_ITEM || number == ST_RESULT_OLD_ITEM) {
            fuzz_check_item(payload);
        } else if (number == ST_RESULT_ITEMS) {
            fuzz_check_items(payload, operation == ST_REQUEST_BATCH_GET);
        }
    }
}
