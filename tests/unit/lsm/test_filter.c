/* The Bloom filter: no key is ever missed, and few others are let through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lsm/block_internal.h"

static uint64_t hash_of(uint32_t number)
{
    char key[32];
    int bytes = sprintf(key, "user#%08u", number);
    return st_lsm__key_hash(st_slice_of(key, (size_t)bytes));
}

static void test_every_key_is_found_and_few_others_are(void **state)
{
    (void)state;
    st_buf filter;
    st_buf_init(&filter, st_alloc_process());
    static const uint32_t counts[] = {1, 2, 51, 52, 1000, 65536};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        uint64_t *hashes = malloc(counts[c] * sizeof *hashes);
        for (uint32_t i = 0; i < counts[c]; i++) {
            hashes[i] = hash_of(i);
        }
        st_lsm__filter_build(hashes, counts[c], &filter);
        assert_true(st_lsm__filter_check(st_buf_view(&filter)));
        assert_true(filter.size <= counts[c] * 10 / 8 + 64);
        uint32_t false_positives = 0;
        for (uint32_t i = 0; i < counts[c]; i++) {
            assert_true(st_lsm__filter_may_contain(st_buf_view(&filter), hashes[i]));
        }
        for (uint32_t i = 0; i < 100000; i++) {
            false_positives +=
                st_lsm__filter_may_contain(st_buf_view(&filter), hash_of(1u << 30 | i));
        }
        assert_true(false_positives < 2000); /* 2 % */
        free(hashes);
    }
    st_buf_deinit(&filter);
}

static void test_only_whole_lines_are_a_filter(void **state)
{
    (void)state;
    uint8_t lines[128] = {0};
    assert_false(st_lsm__filter_check(st_slice_of(lines, 0)));
    assert_false(st_lsm__filter_check(st_slice_of(lines, 63)));
    assert_true(st_lsm__filter_check(st_slice_of(lines, 64)));
    assert_false(st_lsm__filter_check(st_slice_of(lines, 65)));
    assert_true(st_lsm__filter_check(st_slice_of(lines, 128)));
    assert_false(st_lsm__filter_may_contain(st_slice_of(lines, 128), hash_of(1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_is_found_and_few_others_are),
        cmocka_unit_test(test_only_whole_lines_are_a_filter),
    };
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
