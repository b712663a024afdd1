/* Sorted files against a sorted array: every answer, in every shape of file, after every damage. */
#include "sst_support.h"
#include "support/fault_alloc.h"

/* ---- answers ---------------------------------------------------------------------------- */

static size_t random_key(sst_case *c, uint8_t *to)
{
    static const char *const users[] = {"user#0001", "user#0002", "user#07", "u", ""};
    int bytes = sprintf((char *)to, "%s/order#%04u", users[st_rng_below(&c->rng, 5)],
                        (unsigned)st_rng_below(&c->rng, 700));
    return (size_t)bytes - (size_t)st_rng_below(&c->rng, 3);
}

static void fill_random(sst_case *c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t key[64];
        size_t bytes = random_key(c, key);
        sst_model_add(c, st_slice_of(key, bytes), 1 + st_rng_below(&c->rng, 900),
                      (size_t)st_rng_below(&c->rng, 120), st_rng_below(&c->rng, 5) > 0);
    }
    sst_model_sort(c);
}

static void test_every_answer_is_that_of_a_sorted_array(void **state)
{
    sst_case *c = *state;
    static const size_t counts[] = {1, 2, 40, 3000, 12000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (int compress = 0; compress < 2; compress++) {
            fill_random(c, counts[i]);
            sst_write(c, compress);
            sst_open(c);
            sst_expect_right(c);
            sst_close(c);
            sst_model_clear(c);
        }
    }
}

static void test_every_answer_is_right_with_a_cache_that_holds_nothing(void **state)
{
    sst_case *c = *state;
    fill_random(c, 3000);
    sst_write(c, ST_SST_COMPRESS_ZSTD);
    sst_new_cache(c, 0);
    sst_open(c);
    sst_expect_right(c);
}

static void test_large_values_and_long_keys_have_blocks_of_their_own(void **state)
{
    sst_case *c = *state;
    uint8_t *key = malloc(15000);
    memset(key, 'k', 15000);
    for (uint32_t i = 0; i < 150; i++) {
        st_put_be32(key + 14990, i * 77);
        sst_model_add(c, st_slice_of(key, 15000 - i % 3), 10 + i, i % 50, true);
    }
    for (uint32_t i = 0; i < 12; i++) {
        st_put_be32(key, i);
        sst_model_add(c, st_slice_of(key, 4 + i), 5, i % 4 == 0 ? 400000 : 32768 - 20 + i, true);
        sst_model_add(c, st_slice_of(key, 4 + i), 4, 0, true);
    }
    free(key);
    sst_model_add(c, st_slice_of("", 0), 9, 17, true); /* the empty key */
    sst_model_sort(c);
    for (int compress = 0; compress < 2; compress++) {
        sst_write(c, compress);
        sst_open(c);
        sst_expect_right(c);
    }
}

static void test_the_versions_of_one_key_fill_many_blocks(void **state)
{
    sst_case *c = *state;
    sst_model_add_text(c, "a", 5, "before");
    for (uint64_t sequence = 1; sequence <= 20000; sequence++) {
        sst_model_add(c, st_slice_str("counter"), sequence * 2, 3, sequence % 9 > 0);
    }
    sst_model_add_text(c, "counter!", 7, "behind");
    sst_model_sort(c);
    sst_write(c, ST_SST_COMPRESS_NONE);
    sst_open(c);
    assert_true(c->sst->index_levels >= 2);
    sst_expect_right(c);
}

static void test_separators_are_short_and_blocks_end_where_partitions_end(void **state)
{
    sst_case *c = *state;
    for (unsigned user = 0; user < 400; user++) {
        for (unsigned order = 0; order < 9; order++) {
            char key[96];
            int bytes =
                sprintf(key, "user#%05u|order#2026-11-21T08:15:%02u#0123456789", user, order);
            sst_model_add(c, st_slice_of(key, (size_t)bytes), 3, 80, true);
        }
    }
    sst_model_sort(c);
    sst_write(c, ST_SST_COMPRESS_NONE);
    sst_open(c);
    st_index_child child = c->sst->root;
    size_t fences = 0, fence_bytes = 0, ends = 0;
    for (uint32_t level = c->sst->index_levels; level > 0; level--) {
        st_block_pin *pin;
        sst_check(c, st_lsm__sst_block(&c->op, c->sst, child.block, ST_BLOCK_INDEX, &pin));
        st_index_view view = st_lsm__index_view(st_lsm__pin_data(pin));
        st_buf key;
        st_buf_init(&key, c->alloc);
        for (uint32_t i = 0; i + 1 < view.count && level == 1; i++) {
            assert_int_equal(st_lsm__index_fence(&view, i, &key), 0);
            fences++;
            fence_bytes += key.size;
            ends += key.size <= 11; /* user#NNNNN: nothing of an order */
        }
        st_buf_deinit(&key);
        child = st_lsm__index_child(&view, 0);
        st_lsm__block_unpin(pin);
    }
    assert_true(fences > 30);
    assert_true(ends * 10 >= fences * 9);
    assert_true(fence_bytes < 14 * fences);
}

/* ---- range deletes ---------------------------------------------------------------------- */

static st_status count_range(void *ctx, st_op *op, const st_range_delete *range)
{
    (void)op;
    uint64_t *next = ctx;
    char from[16];
    sprintf(from, "k%05llu", (unsigned long long)*next);
    assert_true(st_slice_equal(range->from, st_slice_str(from)));
    assert_int_equal(range->sequence, 100 + *next);
    ++*next;
    return ST_OK;
}

static void write_ranges(sst_case *c, bool has_entry)
{
    st_sst_writer *writer;
    sst_check(c, st_lsm__sst_writer_open(&c->op, c->env, c->alloc, SST_PATH, &c->identity,
                                         ST_SST_COMPRESS_ZSTD, &writer));
    for (uint64_t i = 0; i < 1000; i++) {
        char from[16], to[16];
        sprintf(from, "k%05llu", (unsigned long long)i);
        sprintf(to, "k%05llu", (unsigned long long)i + 3);
        st_range_delete range = {st_slice_str(from), st_slice_str(to), 100 + i};
        sst_check(c, st_lsm__sst_writer_add_range(&c->op, writer, &range));
    }
    if (has_entry) {
        st_entry entry = {st_slice_str("k00500"), st_slice_str("v"), 5000, ST_ENTRY_PUT};
        sst_check(c, st_lsm__sst_writer_add(&c->op, writer, &entry));
    }
    sst_check(c, st_lsm__sst_writer_finish(&c->op, writer, &c->summary));
    assert_true(st_slice_equal(c->summary.smallest_key, st_slice_str("k00000")));
    assert_true(st_slice_equal(c->summary.largest_key, st_slice_str("k01002")));
    assert_int_equal(c->summary.smallest_sequence, 100);
    assert_int_equal(c->summary.largest_sequence, has_entry ? 5000 : 1099);
    st_lsm__sst_writer_destroy(writer);
}

static void test_range_deletes_are_kept_with_and_without_entries(void **state)
{
    sst_case *c = *state;
    for (int has_entry = 0; has_entry < 2; has_entry++) {
        write_ranges(c, has_entry != 0);
        sst_open(c);
        uint64_t next = 0, sequence, entries;
        assert_int_equal(st_lsm__sst_range_count(c->sst), 1000);
        for (int round = 0; round < 2; round++) { /* from the file, from the cache */
            next = 0;
            sst_check(c, st_lsm__sst_ranges(&c->op, c->sst, count_range, &next));
            assert_int_equal(next, 1000);
        }
        st_slice key = st_slice_str("k00500");
        sst_check(c, st_lsm__sst_covering(&c->op, c->sst, key, ST_SEQUENCE_MAX, &sequence));
        assert_int_equal(sequence, 600);
        sst_check(c, st_lsm__sst_covering(&c->op, c->sst, key, 599, &sequence));
        assert_int_equal(sequence, 599);
        sst_check(c, st_lsm__sst_covering(&c->op, c->sst, key, 597, &sequence));
        assert_int_equal(sequence, 0);
        sst_check(c, st_lsm__sst_covering(&c->op, c->sst, st_slice_str("k01002"), ST_SEQUENCE_MAX,
                                          &sequence));
        assert_int_equal(sequence, 0);
        sst_check(c, st_lsm__sst_verify(&c->op, c->sst, &entries));
        assert_int_equal(entries, has_entry);
        st_iter *iter;
        sst_check(c, st_lsm__sst_iter(&c->op, c->sst, true, &iter));
        sst_check(c, st_lsm__iter_first(&c->op, iter));
        assert_int_equal(iter->valid, has_entry);
        sst_check(c, st_lsm__iter_seek(&c->op, iter, key));
        assert_int_equal(iter->valid, has_entry);
        st_lsm__iter_destroy(iter);
        sst_close(c);
        sst_check(c, st_env_remove(&c->op, c->env, SST_PATH));
    }
}

/* ---- order, blocking, features ---------------------------------------------------------- */

static void test_entries_out_of_order_are_refused(void **state)
{
    sst_case *c = *state;
    static const struct {
        const char *key;
        uint64_t sequence;
    } second[] = {{"a", 9}, {"b", 5}, {"b", 6}};
    for (size_t i = 0; i < 3; i++) {
        sst_model_add_text(c, "b", 5, "x");
        sst_model_add_text(c, second[i].key, second[i].sequence, "y");
        (void)!st_env_remove(&c->op, c->env, SST_PATH);
        st_op_clear(&c->op);
        assert_int_equal(sst_try_write(c, ST_SST_COMPRESS_NONE), ST_INTERNAL);
        sst_model_clear(c);
    }
    (void)!st_env_remove(&c->op, c->env, SST_PATH);
    st_op_clear(&c->op);
    assert_int_equal(sst_try_write(c, ST_SST_COMPRESS_NONE), ST_INTERNAL); /* nothing at all */
}

static void test_what_is_not_cached_would_block_and_what_is_does_not(void **state)
{
    sst_case *c = *state;
    fill_random(c, 3000);
    sst_write(c, ST_SST_COMPRESS_ZSTD);
    sst_open(c);
    st_op op;
    st_op_init(&op, c->alloc);
    op.flags = ST_OP_CACHED_ONLY;
    st_status status;
    assert_true(sst_answers_are_right(c, &op, &status));
    assert_int_equal(status, ST_WOULD_BLOCK);
    st_op_clear(&op);
    sst_expect_right(c);
    assert_true(sst_answers_are_right(c, &op, &status));
    assert_int_equal(status, ST_OK);
    st_op_deinit(&op);
}

static void store_header(sst_case *c, st_buf *file)
{
    st_put_u32(file->data + 76, st_lsm__place_crc(&c->identity, 0, file->data, 76));
    sst_file_store(c, file->data, file->size);
}

static void test_an_unknown_feature_bit_that_everyone_must_know_is_named(void **state)
{
    sst_case *c = *state;
    fill_random(c, 10);
    sst_write(c, ST_SST_COMPRESS_NONE);
    st_buf file;
    st_buf_init(&file, c->alloc);
    sst_file_load(c, &file);
    st_put_u64(file.data + 48, UINT64_MAX); /* readers may ignore */
    st_put_u64(file.data + 56, UINT64_MAX); /* writers must know */
    store_header(c, &file);
    sst_open(c);
    sst_expect_right(c);
    sst_close(c);
    st_put_u64(file.data + 64, (uint64_t)1 << 33);
    store_header(c, &file);
    assert_int_equal(st_lsm__sst_open(&c->op, c->env, c->alloc, c->cache, SST_PATH, NULL, &c->sst),
                     ST_UNSUPPORTED);
    assert_non_null(strstr(c->op.error.message, SST_PATH));
    assert_non_null(strstr(c->op.error.message, "bit 33"));
    st_op_clear(&c->op);
    st_put_u64(file.data + 64, 0);
    st_put_u32(file.data + 8, 2);
    store_header(c, &file);
    assert_int_equal(st_lsm__sst_open(&c->op, c->env, c->alloc, c->cache, SST_PATH, NULL, &c->sst),
                     ST_UNSUPPORTED);
    st_buf_deinit(&file);
}

/* ---- damage ----------------------------------------------------------------------------- */

/* Opens what lies there and asks everything. True: an error, or every answer right. */
static bool survives(sst_case *c, bool has_summary, bool *out_is_error)
{
    st_op op;
    st_op_init(&op, c->alloc);
    st_sst *sst;
    st_status status = st_lsm__sst_open(&op, c->env, c->alloc, c->cache, SST_PATH,
                                        has_summary ? &c->summary : NULL, &sst);
    bool is_right = true;
    c->sst = sst;
    if (status == ST_OK) {
        is_right = sst_answers_are_right(c, &op, &status);
        uint64_t entries;
        if (status == ST_OK) {
            status = st_lsm__sst_verify(&op, sst, &entries);
        }
    }
    *out_is_error = status != ST_OK;
    if (status != ST_OK) {
        assert_true(status == ST_CORRUPT || status == ST_UNSUPPORTED);
        assert_non_null(strstr(op.error.message, SST_PATH));
        assert_true(status != ST_CORRUPT || strstr(op.error.message, "at offset"));
    }
    sst_close(c);
    st_op_deinit(&op);
    return is_right;
}

static void fill_small(sst_case *c)
{
    sst_model_add_text(c, "key/a", 9, "new");
    sst_model_add_text(c, "key/a", 2, "old");
    sst_model_add_text(c, "key/b", 5, NULL);
    sst_model_add_text(c, "key/c", 7, "");
    for (uint32_t i = 0; i < 40; i++) {
        char key[16];
        sprintf(key, "row/%03u", i);
        sst_model_add_text(c, key, 20 + i, "the same value again and again and again");
    }
    sst_model_sort(c);
}

static void test_every_flipped_bit_is_an_error(void **state)
{
    sst_case *c = *state;
    fill_small(c);
    st_buf file;
    st_buf_init(&file, c->alloc);
    for (int compress = 0; compress < 2; compress++) {
        sst_write(c, compress);
        sst_file_load(c, &file);
        for (size_t bit = 0; bit < 8 * file.size; bit++) {
            bool is_error;
            file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            sst_file_store(c, file.data, file.size);
            if (!survives(c, true, &is_error) || !is_error) {
                fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
            }
            file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    st_buf_deinit(&file);
}

static void test_every_length_but_the_whole_is_an_error(void **state)
{
    sst_case *c = *state;
    fill_small(c);
    sst_write(c, ST_SST_COMPRESS_ZSTD);
    st_buf file;
    st_buf_init(&file, c->alloc);
    sst_file_load(c, &file);
    for (size_t bytes = 0; bytes < file.size; bytes++) {
        for (int has_summary = 0; has_summary < 2; has_summary++) {
            bool is_error;
            sst_file_store(c, file.data, bytes);
            assert_true(survives(c, has_summary != 0, &is_error));
            assert_true(is_error);
        }
    }
    st_buf_byte(&file, 0);
    sst_file_store(c, file.data, file.size);
    bool is_error;
    assert_true(survives(c, false, &is_error));
    assert_true(is_error);
    st_buf_deinit(&file);
}

static void test_a_whole_block_in_another_place_or_file_is_an_error(void **state)
{
    sst_case *c = *state;
    for (uint32_t i = 0; i < 200; i++) { /* blocks of equal length */
        uint8_t key[4];
        st_put_be32(key, i);
        sst_model_add(c, st_slice_of(key, 4), 77, 100, true);
    }
    sst_write(c, ST_SST_COMPRESS_NONE);
    st_buf file;
    st_buf_init(&file, c->alloc);
    sst_file_load(c, &file);
    uint64_t first = ST_SST_HEADER_BYTES;
    uint64_t bytes = ST_BLOCK_HEADER_BYTES + st_get_u32(file.data + first + 4);
    assert_int_equal(st_get_u32(file.data + first + bytes + 4), bytes - ST_BLOCK_HEADER_BYTES);
    uint8_t *copy = malloc(bytes);
    memcpy(copy, file.data + first, bytes);
    memcpy(file.data + first, file.data + first + bytes, bytes);
    memcpy(file.data + first + bytes, copy, bytes);
    free(copy);
    sst_file_store(c, file.data, file.size);
    bool is_error;
    assert_true(survives(c, true, &is_error));
    assert_true(is_error);
    c->identity.file_id++; /* the same entries, another file under the name */
    st_sst_summary summary = c->summary;
    sst_write(c, ST_SST_COMPRESS_NONE);
    c->summary = summary;
    assert_true(survives(c, true, &is_error));
    assert_true(is_error);
    st_buf_deinit(&file);
}

/* Whatever a block says when its checksum is right: no crash, no endless walk. Answers may differ.
 */
static void test_absurd_values_under_right_checksums_do_no_harm(void **state)
{
    sst_case *c = *state;
    fill_small(c);
    sst_write(c, ST_SST_COMPRESS_NONE);
    st_buf file;
    st_buf_init(&file, c->alloc);
    sst_file_load(c, &file);
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    size_t footer = file.size - ST_SST_FOOTER_BYTES;
    uint64_t block = ST_SST_HEADER_BYTES;
    uint64_t end = block + ST_BLOCK_HEADER_BYTES + st_get_u32(file.data + block + 4);
    size_t errors = 0;
    for (size_t at = ST_SST_HEADER_BYTES; at + 4 < file.size; at++) {
        if (at < footer && at >= end) {
            block = end;
            end = block + ST_BLOCK_HEADER_BYTES + st_get_u32(file.data + block + 4);
        }
        bool is_checksum = at < footer && at - block >= 20 && at - block < 24;
        bool is_length = at < footer && at - block >= 4 && at - block < 8;
        for (size_t k = 0; k < sizeof values && !is_checksum && !is_length; k++) {
            uint8_t old = file.data[at];
            file.data[at] = values[k];
            if (at < footer) {
                sst_block_seal(c, file.data, block);
            } else {
                uint32_t crc = st_lsm__place_crc(&c->identity, footer, file.data + footer, 108);
                st_put_u32(file.data + footer + 108, crc);
            }
            sst_file_store(c, file.data, file.size);
            bool is_error;
            (void)survives(c, false, &is_error);
            errors += is_error;
            file.data[at] = old;
        }
        if (at < footer) {
            sst_block_seal(c, file.data, block);
        }
    }
    assert_true(errors > file.size);
    st_buf_deinit(&file);
}

static void test_random_bytes_under_right_checksums_do_no_harm(void **state)
{
    sst_case *c = *state;
    fill_random(c, 2500);
    sst_write(c, ST_SST_COMPRESS_NONE);
    assert_true(c->summary.entry_count > 1500);
    st_buf file;
    st_buf_init(&file, c->alloc);
    for (uint32_t round = 0; round < 200; round++) {
        sst_write(c, ST_SST_COMPRESS_NONE);
        sst_file_load(c, &file);
        uint64_t end = file.size - ST_SST_FOOTER_BYTES;
        for (uint64_t at = ST_SST_HEADER_BYTES; at < end;) {
            uint32_t bytes = st_get_u32(file.data + at + 4);
            for (uint32_t i = st_rng_below(&c->rng, 8) == 0 ? 3 : 0; i > 0; i--) {
                uint64_t where = at + ST_BLOCK_HEADER_BYTES + st_rng_below(&c->rng, bytes);
                file.data[where] = (uint8_t)st_rng_next(&c->rng);
            }
            sst_block_seal(c, file.data, at);
            at += ST_BLOCK_HEADER_BYTES + bytes;
        }
        sst_file_store(c, file.data, file.size);
        bool is_error;
        (void)survives(c, true, &is_error);
    }
    st_buf_deinit(&file);
}

/* ---- memory ----------------------------------------------------------------------------- */

static st_status write_and_read(sst_case *c)
{
    st_status status = sst_try_write(c, ST_SST_COMPRESS_ZSTD);
    if (status == ST_OK) {
        status = st_lsm__cache_create(&c->op, c->alloc, 1 << 20, &c->cache);
    }
    if (status == ST_OK) {
        status =
            st_lsm__sst_open(&c->op, c->env, c->alloc, c->cache, SST_PATH, &c->summary, &c->sst);
    }
    if (status == ST_OK) {
        assert_true(sst_answers_are_right(c, &c->op, &status));
    }
    sst_close(c);
    st_lsm__cache_destroy(c->cache);
    c->cache = NULL;
    return status;
}

static void test_every_failing_allocation_is_an_error_and_leaks_nothing(void **state)
{
    sst_case *c = *state;
    fill_random(c, 300);
    sst_model_add(c, st_slice_str("zz"), 5, 50000, true);
    st_lsm__cache_destroy(c->cache);
    c->cache = NULL;
    fault_alloc fault;
    fault_alloc_init(&fault);
    c->alloc = &fault.alloc;
    st_status status = ST_NO_MEMORY;
    for (uint64_t n = 1; status != ST_OK || fault.has_failed; n++) {
        (void)!st_env_remove(&c->op, c->env, SST_PATH);
        st_op_clear(&c->op);
        fault_alloc_fail_after(&fault, n, false);
        status = write_and_read(c);
        assert_true(status == ST_OK || status == ST_NO_MEMORY);
        assert_int_equal(fault.live_blocks, 0);
        assert_true(n < 100000);
    }
    c->alloc = st_alloc_process();
    fault_alloc_deinit(&fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define SST_TEST(name) cmocka_unit_test_setup_teardown(name, sst_setup, sst_teardown)
        SST_TEST(test_every_answer_is_that_of_a_sorted_array),
        SST_TEST(test_every_answer_is_right_with_a_cache_that_holds_nothing),
        SST_TEST(test_large_values_and_long_keys_have_blocks_of_their_own),
        SST_TEST(test_the_versions_of_one_key_fill_many_blocks),
        SST_TEST(test_separators_are_short_and_blocks_end_where_partitions_end),
        SST_TEST(test_range_deletes_are_kept_with_and_without_entries),
        SST_TEST(test_entries_out_of_order_are_refused),
        SST_TEST(test_what_is_not_cached_would_block_and_what_is_does_not),
        SST_TEST(test_an_unknown_feature_bit_that_everyone_must_know_is_named),
        SST_TEST(test_every_flipped_bit_is_an_error),
        SST_TEST(test_every_length_but_the_whole_is_an_error),
        SST_TEST(test_a_whole_block_in_another_place_or_file_is_an_error),
        SST_TEST(test_absurd_values_under_right_checksums_do_no_harm),
        SST_TEST(test_random_bytes_under_right_checksums_do_no_harm),
        SST_TEST(test_every_failing_allocation_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests_name("sst", tests, NULL, NULL);
}
