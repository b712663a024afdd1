/* The worked example of docs/formats/sorted-file.md: the writer makes these bytes, the reader reads
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lsm/sst_internal.h"
#include "support/format_page.h"

static const struct {
    const char *key, *value;
    uint64_t sequence;
    uint8_t type;
} format_entries[] = {
    {"key/a", "new", 9, ST_ENTRY_PUT},
    {"key/a", "old", 2, ST_ENTRY_PUT},
    {"key/b", "", 5, ST_ENTRY_DELETE},
};
static st_range_delete format_range(void)
{
    return (st_range_delete){st_slice_str("key/c"), st_slice_str("key/d"), 7};
}
#define FORMAT_ENTRIES (sizeof format_entries / sizeof format_entries[0])

typedef struct format_case {
    st_op op;
    st_env *env;
    st_cache *cache;
    st_buf page;
    st_file_identity identity;
} format_case;

static int setup(void **state)
{
    format_case *c = calloc(1, sizeof *c);
    st_op_init(&c->op, st_alloc_process());
    st_buf_init(&c->page, st_alloc_process());
    assert_int_equal(st_env_memory_create(&c->op, st_alloc_process(), &c->env), ST_OK);
    assert_int_equal(st_env_mkdir(&c->op, c->env, "/db"), ST_OK);
    assert_int_equal(st_lsm__cache_create(&c->op, st_alloc_process(), 1 << 20, &c->cache), ST_OK);
    for (uint8_t i = 0; i < 16; i++) {
        c->identity.database_id[i] = i;
    }
    c->identity.file_id = 7;
    char *text = format_page_read(STATOR_FORMATS "/sorted-file.md");
    assert_non_null(text);
    size_t at = 0;
    assert_true(format_page_hex(text, &at, &c->page));
    free(text);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    format_case *c = *state;
    st_lsm__cache_destroy(c->cache);
    st_env_destroy(c->env);
    st_buf_deinit(&c->page);
    st_op_deinit(&c->op);
    free(c);
    return 0;
}

static void test_the_writer_makes_the_bytes_of_the_page(void **state)
{
    format_case *c = *state;
    st_sst_writer *writer;
    st_sst_summary summary;
    assert_int_equal(st_lsm__sst_writer_open(&c->op, c->env, st_alloc_process(), "/db/f",
                                             &c->identity, ST_SST_COMPRESS_NONE, &writer),
                     ST_OK);
    for (size_t i = 0; i < FORMAT_ENTRIES; i++) {
        st_entry entry = {st_slice_str(format_entries[i].key),
                          st_slice_str(format_entries[i].value), format_entries[i].sequence,
                          format_entries[i].type};
        assert_int_equal(st_lsm__sst_writer_add(&c->op, writer, &entry), ST_OK);
    }
    st_range_delete range = format_range();
    assert_int_equal(st_lsm__sst_writer_add_range(&c->op, writer, &range), ST_OK);
    assert_int_equal(st_lsm__sst_writer_finish(&c->op, writer, &summary), ST_OK);
    st_lsm__sst_writer_destroy(writer);
    uint8_t written[1024];
    size_t bytes;
    st_file *file;
    assert_int_equal(st_env_open(&c->op, c->env, "/db/f", ST_OPEN_READ, &file), ST_OK);
    assert_int_equal(st_file_read_at(&c->op, file, 0, written, sizeof written, &bytes), ST_OK);
    st_file_close(file);
    if (bytes != c->page.size || memcmp(written, c->page.data, bytes) != 0) {
        for (size_t i = 0; i < bytes; i++) {
            printf("%02X%c", written[i], i % 16 == 15 ? '\n' : ' ');
        }
        fail_msg("the page has other bytes (%zu) than the writer (%zu)", c->page.size, bytes);
    }
}

static st_status expect_the_range(void *ctx, st_op *op, const st_range_delete *range)
{
    (void)op;
    uint32_t *count = ctx;
    st_range_delete expected = format_range();
    assert_true(st_slice_equal(range->from, expected.from));
    assert_true(st_slice_equal(range->to, expected.to));
    assert_int_equal(range->sequence, expected.sequence);
    (*count)++;
    return ST_OK;
}

static void test_the_reader_reads_the_bytes_of_the_page(void **state)
{
    format_case *c = *state;
    st_file *file;
    st_sst *sst;
    st_iter *iter;
    assert_int_equal(st_env_open(&c->op, c->env, "/db/f", ST_OPEN_WRITE | ST_OPEN_CREATE, &file),
                     ST_OK);
    assert_int_equal(st_file_write_at(&c->op, file, 0, c->page.data, c->page.size), ST_OK);
    st_file_close(file);
    assert_int_equal(
        st_lsm__sst_open(&c->op, c->env, st_alloc_process(), c->cache, "/db/f", NULL, &sst), ST_OK);
    assert_int_equal(st_lsm__sst_iter(&c->op, sst, false, &iter), ST_OK);
    assert_int_equal(st_lsm__iter_first(&c->op, iter), ST_OK);
    for (size_t i = 0; i < FORMAT_ENTRIES; i++) {
        assert_true(iter->valid);
        assert_true(st_slice_equal(iter->entry.key, st_slice_str(format_entries[i].key)));
        assert_true(st_slice_equal(iter->entry.value, st_slice_str(format_entries[i].value)));
        assert_int_equal(iter->entry.sequence, format_entries[i].sequence);
        assert_int_equal(iter->entry.type, format_entries[i].type);
        assert_int_equal(st_lsm__iter_next(&c->op, iter), ST_OK);
    }
    assert_false(iter->valid);
    st_lsm__iter_destroy(iter);
    uint32_t ranges = 0;
    assert_int_equal(st_lsm__sst_ranges(&c->op, sst, expect_the_range, &ranges), ST_OK);
    assert_int_equal(ranges, 1);
    uint64_t entries;
    assert_int_equal(st_lsm__sst_verify(&c->op, sst, &entries), ST_OK);
    assert_int_equal(entries, FORMAT_ENTRIES);
    st_lsm__sst_close(sst);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_writer_makes_the_bytes_of_the_page, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_reader_reads_the_bytes_of_the_page, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("sst_format", tests, NULL, NULL);
}
