/* A directory whose manifest is the input, beside one sorted file that it may name. The first byte:
 * bit 0 makes its checksums right again. What opens and verifies reads the same in every way.
 */
#include "fuzz/fuzz_files.h"

#include "lsm/sst_internal.h"

/* 000000000007.sst: key/a put at 9 and at 2, key/b deleted at 5, [key/c, key/d) deleted at 7. */
static void put_sorted(st_op *op, st_env *env)
{
    st_file_identity identity = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, 7};
    st_entry entries[] = {
        {st_slice_str("key/a"), st_slice_str("new"), 9, ST_ENTRY_PUT},
        {st_slice_str("key/a"), st_slice_str("old"), 2, ST_ENTRY_PUT},
        {st_slice_str("key/b"), {0}, 5, ST_ENTRY_DELETE},
    };
    st_range_delete range = {st_slice_str("key/c"), st_slice_str("key/d"), 7};
    st_sst_writer *writer;
    st_sst_summary summary;
    FUZZ_CHECK(op, st_lsm__sst_writer_open(op, env, fuzz_alloc(), "/db/000000000007.sst", &identity,
                                           ST_SST_COMPRESS_NONE, &writer) == ST_OK);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        FUZZ_CHECK(op, st_lsm__sst_writer_add(op, writer, &entries[i]) == ST_OK);
    }
    FUZZ_CHECK(op, st_lsm__sst_writer_add_range(op, writer, &range) == ST_OK);
    FUZZ_CHECK(op, st_lsm__sst_writer_finish(op, writer, &summary) == ST_OK);
    st_lsm__sst_writer_destroy(writer);
}

void fuzz_target(st_slice input)
{
    bool is_repaired = fuzz_take_byte(&input) & 1;
    st_op op;
    st_buf file;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&file, fuzz_alloc());
    st_buf_slice(&file, input);
    if (is_repaired) {
        fuzz_repair_manifest(&file);
    }
    st_env *env = fuzz_env_create();
    fuzz_env_put_current(env);
    fuzz_env_put(env, "/db/MANIFEST-000000000001", st_buf_view(&file));
    put_sorted(&op, env);
    st_status status =
        st_lsm_inspect(&op, env, "/db/MANIFEST-000000000001", fuzz_print_checked, NULL);
    bool is_printed = fuzz_is_ok(&op, status, file.size, fuzz_inspect_statuses);
    bool is_verified = fuzz_database_lives(env);
    FUZZ_CHECK(&op, is_printed || !is_verified);
    st_env_destroy(env);
    st_buf_deinit(&file);
    st_op_deinit(&op);
}
