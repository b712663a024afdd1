/* The rows of a database as the input gives them: keys and values, pieces with their lengths in
 * front, written below the tables. What opens lists, describes and scans its tables; what also
 * verifies gives back whole items.
 */
#include "fuzz/fuzz_files.h"
#include "fuzz/fuzz_table.h"

#include "table/frame.h"

#define CATALOG_HEADER "stator 1; stripe crc32c 256; key 1; item 1"

/* docs/formats/catalog.md: the header of the manifest, and any rows. */
static void put_rows(st_op *op, st_env *env, st_slice input)
{
    st_lsm_options options;
    st_lsm *lsm;
    st_lsm_batch batch;
    st_lsm_options_init(&options);
    options.env = env;
    options.alloc = fuzz_alloc();
    options.path = "/db";
    options.inline_background = true;
    options.memory_budget_bytes = 1 << 20;
    options.header = st_slice_str(CATALOG_HEADER);
    FUZZ_CHECK(op, st_lsm_open(op, &options, &lsm) == ST_OK);
    st_lsm_batch_init(&batch, fuzz_alloc());
    while (input.size > 0) {
        st_slice key = fuzz_take_piece(&input);
        st_lsm_batch_put(&batch, key, fuzz_take_piece(&input));
    }
    if (batch.count > 0) {
        uint64_t sequence;
        FUZZ_CHECK(op, st_lsm_write(op, lsm, &batch, ST_DURABILITY_SYNC, &sequence) == ST_OK);
        FUZZ_CHECK(op, st_lsm_wait(op, lsm, sequence) == ST_OK);
    }
    st_lsm_batch_deinit(&batch);
    FUZZ_CHECK(op, st_lsm_close(op, lsm) == ST_OK);
}

static void run(st_op *op, st_database *database, st_buf *request, st_buf *result, bool is_verified)
{
    st_buf_clear(result);
    FUZZ_CHECK(op, !request->failed);
    FUZZ_CHECK(op, st_table_execute(op, database, st_buf_view(request), result) == ST_OK);
    if (is_verified) {
        fuzz_check_result(st_buf_view(request), st_buf_view(result));
    }
}

static void check_tables(st_op *op, st_database *database, bool is_verified)
{
    st_buf request, list, result;
    st_slice names;
    st_buf_init(&request, fuzz_alloc());
    st_buf_init(&list, fuzz_alloc());
    st_buf_init(&result, fuzz_alloc());
    st_buf_byte(&request, ST_FRAME_VERSION);
    st_buf_byte(&request, ST_REQUEST_LIST_TABLES);
    run(op, database, &request, &list, true);
    FUZZ_CHECK(op, fuzz_result_find(st_buf_view(&list), ST_RESULT_NAMES, &names));
    st_reader reader = st_reader_of(names);
    uint32_t count = st_reader_u32(&reader);
    FUZZ_CHECK(op, count == st_database_table_count(database));
    for (uint32_t i = 0; i < count; i++) {
        static const uint8_t operations[] = {ST_REQUEST_DESCRIBE_TABLE, ST_REQUEST_SCAN};
        st_slice name = st_reader_slice(&reader, st_reader_varint(&reader));
        for (size_t j = 0; j < sizeof operations; j++) {
            st_buf_clear(&request);
            st_buf_byte(&request, ST_FRAME_VERSION);
            st_buf_byte(&request, operations[j]);
            fuzz_request_field(&request, ST_FIELD_TABLE_NAME, name);
            run(op, database, &request, &result, is_verified);
        }
    }
    FUZZ_CHECK(op, !reader.failed && st_reader_left(&reader) == 0);
    st_buf_deinit(&result);
    st_buf_deinit(&list);
    st_buf_deinit(&request);
}

void fuzz_target(st_slice input)
{
    st_op op;
    st_database *database;
    st_database_options options;
    st_op_init(&op, fuzz_alloc());
    st_env *env = fuzz_env_create();
    put_rows(&op, env, input);
    st_database_options_init(&options);
    options.env = env;
    options.alloc = fuzz_alloc();
    options.inline_background = true;
    options.memory_budget_bytes = 1 << 20;
    st_status status = st_database_open(&op, st_slice_str("/db"), &options, &database);
    if (fuzz_is_ok(&op, status, SIZE_MAX / 2, fuzz_damages)) {
        status = st_database_verify(&op, database, fuzz_print_checked, NULL);
        bool is_verified = fuzz_is_ok(&op, status, SIZE_MAX / 2, fuzz_damages);
        st_op_clear(&op);
        check_tables(&op, database, is_verified);
        fuzz_database_close(&op, database);
    }
    st_env_destroy(env);
    st_op_deinit(&op);
}
