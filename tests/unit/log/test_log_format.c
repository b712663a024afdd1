/* The worked example of docs/formats/log.md: what the page says is what the code writes and reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "log/log.h"
#include "lsm/lsm.h"
#include "support/format_page.h"
#include "support/simfs.h"

static void format_write(st_op *op, st_env *env, const st_log_identity *identity)
{
    st_lsm_batch batch;
    st_lsm_batch_init(&batch, st_alloc_process());
    st_lsm_batch_put(&batch, st_slice_str("k"), st_slice_str("v1"));
    st_lsm_batch_delete(&batch, st_slice_str("x"));
    st_lsm_batch_delete_range(&batch, st_slice_str("a"), st_slice_str("c"));
    st_log_segment *segment;
    st_log_frame frame = {.type = 1,
                          .sequence = 3,
                          .time_us = 1700000000000000,
                          .durable = 2,
                          .body = st_buf_view(&batch.bytes)};
    assert_int_equal(st_log_create(op, env, st_alloc_process(), "/000000000007.log", "/", identity,
                                   1000, &segment),
                     ST_OK);
    st_log_group_begin(segment);
    st_log_group_add(segment, &frame);
    assert_int_equal(st_log_append(op, segment), ST_OK);
    st_log_close(segment);
    st_lsm_batch_deinit(&batch);
}

static void test_the_segment_of_the_page_is_what_the_code_writes(void **state)
{
    (void)state;
    simfs *sim = simfs_create(1);
    st_op op;
    st_op_init(&op, st_alloc_process());
    st_log_identity identity = {.file_id = 7};
    for (uint8_t i = 0; i < 16; i++) {
        identity.database_id[i] = i;
    }
    format_write(&op, simfs_env(sim), &identity);
    char *page = format_page_read(STATOR_FORMATS "/log.md");
    size_t at = 0;
    uint64_t offset = 0;
    st_buf bytes;
    st_buf_init(&bytes, st_alloc_process());
    for (int block = 0; block < 2; block++) {
        assert_true(format_page_hex(page, &at, &bytes));
        for (size_t i = 0; i < bytes.size; i++, offset++) {
            uint8_t written = simfs_byte(sim, "/000000000007.log", offset);
            if (written != bytes.data[i]) {
                fail_msg("offset %llu: code %02X, page %02X", (unsigned long long)offset, written,
                         bytes.data[i]);
            }
        }
        assert_int_equal(block == 0 ? offset : 64, 64);
    }
    assert_false(format_page_hex(page, &at, &bytes));
    st_log_reader *reader;
    st_log_frame frame;
    st_log_end end;
    assert_int_equal(st_log_reader_open(&op, simfs_env(sim), st_alloc_process(),
                                        "/000000000007.log", &identity, &reader),
                     ST_OK);
    st_log_reader_next(reader, &frame, &end);
    assert_int_equal(end, ST_LOG_END_NONE);
    assert_int_equal(st_log_reader_offset(reader), offset);
    st_log_reader_close(reader);
    st_buf_deinit(&bytes);
    free(page);
    st_op_deinit(&op);
    simfs_destroy(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_segment_of_the_page_is_what_the_code_writes),
    };
    return cmocka_run_group_tests_name("log_format", tests, NULL, NULL);
}
