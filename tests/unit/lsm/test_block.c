/* Blocks and index nodes by themselves: finding, seeking, cutting, refusing what is malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lsm/block_internal.h"

typedef struct block_case {
    st_op op;
    st_block_builder builder;
    st_buf payload;
} block_case;

static int setup(void **state)
{
    block_case *c = calloc(1, sizeof *c);
    st_op_init(&c->op, st_alloc_process());
    st_lsm__block_builder_init(&c->builder, st_alloc_process());
    st_buf_init(&c->payload, st_alloc_process());
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    block_case *c = *state;
    st_lsm__block_builder_deinit(&c->builder);
    st_buf_deinit(&c->payload);
    st_op_deinit(&c->op);
    free(c);
    return 0;
}

static void add(block_case *c, const char *key, uint64_t sequence, uint64_t hash)
{
    st_entry entry = {st_slice_str(key), st_slice_str(key), sequence, ST_ENTRY_PUT};
    assert_true(st_lsm__block_builder_add(&c->builder, &entry, hash));
}

static st_block_view finish(block_case *c, uint32_t count)
{
    assert_int_equal(st_lsm__block_builder_finish(&c->op, &c->builder, count, &c->payload), ST_OK);
    assert_true(st_lsm__block_check(st_buf_view(&c->payload), count, ST_BLOCK_DATA));
    return st_lsm__block_view(c->payload.data);
}

static void test_a_fingerprint_finds_each_entry_in_every_lane(void **state)
{
    block_case *c = *state;
    for (uint32_t count = 1; count <= 70; count++) {
        for (uint32_t i = 0; i < count; i++) {
            char key[16];
            sprintf(key, "row%03u", i);
            add(c, key, 5, i % 3 == 0 ? 0 : i); /* 0 is also what fills the lanes up */
        }
        st_block_view view = finish(c, count);
        for (uint32_t i = 0; i < count + 1; i++) {
            char key[16];
            sprintf(key, "row%03u", i);
            st_block_entry entry;
            bool is_found =
                st_lsm__block_find(&view, st_slice_str(key), i % 3 == 0 ? 0 : i, 5, &entry);
            assert_int_equal(is_found, i < count);
            assert_true(!is_found || st_slice_equal(entry.value, st_slice_str(key)));
            assert_false(
                st_lsm__block_find(&view, st_slice_str(key), i % 3 == 0 ? 0 : i, 4, &entry));
        }
        st_lsm__block_builder_drop(&c->builder, count);
    }
}

static void test_all_equal_fingerprints_still_find_the_newest_visible_version(void **state)
{
    block_case *c = *state;
    static const char *const keys[] = {"", "a", "a\x01", "aa", "b"};
    for (size_t k = 0; k < 5; k++) {
        for (uint64_t sequence = 30; sequence > 0; sequence -= 10) {
            add(c, keys[k], sequence, 0xab);
        }
    }
    st_block_view view = finish(c, 15);
    for (size_t k = 0; k < 5; k++) {
        for (uint64_t max = 0; max < 40; max++) {
            st_block_entry entry;
            bool is_found = st_lsm__block_find(&view, st_slice_str(keys[k]), 0xab, max, &entry);
            assert_int_equal(is_found, max >= 10);
            assert_true(!is_found || entry.sequence == (max > 30 ? 30 : max / 10 * 10));
            uint32_t index = st_lsm__block_seek(&view, st_slice_str(keys[k]), max);
            uint32_t expected = (uint32_t)(3 * k + (max >= 30   ? 0
                                                    : max >= 20 ? 1
                                                    : max >= 10 ? 2
                                                                : 3));
            assert_int_equal(index, expected);
        }
    }
}

static void test_keys_beside_the_prefix_are_sought_before_or_behind_the_block(void **state)
{
    block_case *c = *state;
    add(c, "prefix/a", 5, 1);
    add(c, "prefix/b", 5, 2);
    st_block_view view = finish(c, 2);
    assert_int_equal(view.prefix.size, 7);
    static const struct {
        const char *key;
        uint32_t index;
    } cases[] = {{"", 0},          {"p", 0},        {"prefix", 0},    {"prefix/", 0},
                 {"prefix.zz", 0}, {"prefix/a", 0}, {"prefix/aa", 1}, {"prefix/c", 2},
                 {"prefix0", 2},   {"q", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(st_lsm__block_seek(&view, st_slice_str(cases[i].key), ST_SEQUENCE_MAX),
                         cases[i].index);
    }
}

static void test_a_block_is_cut_in_its_last_quarter_where_keys_share_least(void **state)
{
    block_case *c = *state;
    for (uint32_t i = 0; i < 40; i++) {
        char key[32];
        sprintf(key, "user%02u/order%03u", i < 35 ? 1 : 2, i);
        add(c, key, 5, i);
    }
    assert_int_equal(st_lsm__block_builder_cut(&c->builder, st_slice_str("user02/order999")), 35);
    assert_int_equal(st_lsm__block_builder_cut(&c->builder, st_slice_str("z")), 40);
    st_lsm__block_builder_drop(&c->builder, 35);
    assert_int_equal(c->builder.count, 5);
    assert_int_equal(c->builder.prefix_bytes, strlen("user02/order03"));
    st_block_view view = finish(c, 5);
    st_block_entry entry = st_lsm__block_at(&view, 0);
    assert_true(st_slice_equal(entry.value, st_slice_str("user02/order035")));
}

static void test_the_size_is_never_said_too_small(void **state)
{
    block_case *c = *state;
    st_rng rng;
    st_rng_seed(&rng, 3);
    for (uint32_t i = 0; i < 300; i++) {
        char key[64];
        int bytes = sprintf(key, "%06u", i);
        memset(key + bytes, 'x', 50);
        key[bytes + (int)st_rng_below(&rng, 50)] = '\0';
        add(c, key, 5, i);
        size_t said = st_lsm__block_builder_bytes(&c->builder, NULL);
        finish(c, c->builder.count);
        assert_true(c->payload.size <= said && said < c->payload.size + 16 + 3 * i);
    }
}

static void test_no_flip_or_cut_of_a_payload_is_read_outside_of_it(void **state)
{
    block_case *c = *state;
    for (uint32_t i = 0; i < 20; i++) {
        char key[16];
        sprintf(key, "row%03u", i);
        add(c, key, 5, i);
    }
    finish(c, 20);
    size_t bytes = c->payload.size;
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        uint8_t *copy = malloc(bytes); /* of its own, so that a sanitizer sees its end */
        memcpy(copy, c->payload.data, bytes);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (st_lsm__block_check(st_slice_of(copy, bytes), 20, ST_BLOCK_DATA)) {
            st_block_view view = st_lsm__block_view(copy);
            for (uint32_t i = 0; i < 20; i++) {
                st_block_entry entry = st_lsm__block_at(&view, i);
                assert_true(entry.value.data + entry.value.size <= copy + bytes);
            }
            assert_true(st_lsm__block_seek(&view, st_slice_str("row010"), 5) <= 20);
        }
        free(copy);
    }
    for (size_t cut = 0; cut < bytes; cut++) {
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, c->payload.data, cut);
        assert_false(st_lsm__block_check(st_slice_of(copy, cut), 20, ST_BLOCK_DATA));
        free(copy);
    }
    assert_false(st_lsm__block_check(st_buf_view(&c->payload), 19, ST_BLOCK_DATA));
    assert_false(st_lsm__block_check(st_buf_view(&c->payload), 20, ST_BLOCK_RANGE));
}

/* ---- index nodes ------------------------------------------------------------------------ */

/* Fences whose heads tie, whose keys are short, and versions of one key. */
static size_t fence_key(uint32_t shape, uint32_t i, char *to, uint64_t *out_sequence)
{
    *out_sequence = 0;
    if (shape == 0) {
        return (size_t)sprintf(to, "same-first-eight-bytes/%03u", i);
    }
    if (shape == 1) {
        return (size_t)sprintf(to, "%c%.*s", (char)(40 + i), (int)(i % 4), "zzzz");
    }
    if (shape == 2) {
        *out_sequence = 1000 - i;
        return (size_t)sprintf(to, "one-key");
    }
    return (size_t)sprintf(to, "%c-tied-head/%03u", (char)(65 + i / 20), i);
}

static void test_a_node_of_any_count_leads_to_the_first_fence_at_or_behind(void **state)
{
    block_case *c = *state;
    for (uint32_t shape = 0; shape < 4; shape++) {
        for (uint32_t count = 1; count <= ST_INDEX_FENCES_MAX; count++) {
            st_index_builder *node = calloc(1, sizeof *node);
            st_buf_init(&node->keys, st_alloc_process());
            char key[64];
            uint64_t sequence;
            for (uint32_t i = 0; i < count; i++) {
                size_t bytes = fence_key(shape, i, key, &sequence);
                st_index_child child = {{100 + i, 30}, {500 + i, 40}};
                assert_true(
                    st_lsm__index_builder_add(node, st_slice_of(key, bytes), sequence, &child));
            }
            uint32_t level = 1 + count % 3;
            assert_int_equal(st_lsm__index_builder_finish(&c->op, node, level, &c->payload), ST_OK);
            assert_true(st_lsm__index_check(st_buf_view(&c->payload), count, 100, 1000));
            assert_false(st_lsm__index_check(st_buf_view(&c->payload), count, 100, 120));
            st_index_view view = st_lsm__index_view(c->payload.data);
            for (uint32_t i = 0; i < count; i++) {
                size_t bytes = fence_key(shape, i, key, &sequence);
                st_slice exact = st_slice_of(key, bytes);
                assert_int_equal(st_lsm__index_seek(&view, exact, sequence), i);
                assert_int_equal(st_lsm__index_seek(&view, exact, sequence + 1),
                                 shape == 2 && i > 0 ? i - 1 : i);
                if (sequence > 0) {
                    assert_int_equal(st_lsm__index_seek(&view, exact, sequence - 1), i + 1);
                }
                key[bytes] = '\0'; /* the next key there is */
                uint32_t behind = shape == 2 ? count : i + 1;
                assert_int_equal(st_lsm__index_seek(&view, st_slice_of(key, bytes + 1), 9), behind);
                st_index_child child = st_lsm__index_child(&view, i);
                assert_int_equal(child.block.offset, 100 + i);
                assert_int_equal(child.filter.offset, level == 2 ? 500 + i : 0);
            }
            assert_int_equal(st_lsm__index_seek(&view, st_slice_of("", 0), 9), 0);
            assert_int_equal(st_lsm__index_seek(&view, st_slice_str("\xff\xff"), 9), count);
            st_buf_deinit(&node->keys);
            free(node);
        }
    }
}

static void test_every_flip_of_a_node_is_refused_or_harmless(void **state)
{
    block_case *c = *state;
    st_index_builder *node = calloc(1, sizeof *node);
    st_buf_init(&node->keys, st_alloc_process());
    for (uint32_t i = 0; i < 11; i++) {
        char key[64];
        uint64_t sequence;
        size_t bytes = fence_key(3, i, key, &sequence);
        st_index_child child = {{100 + i, 30}, {500 + i, 40}};
        assert_true(st_lsm__index_builder_add(node, st_slice_of(key, bytes), sequence, &child));
    }
    assert_int_equal(st_lsm__index_builder_finish(&c->op, node, 2, &c->payload), ST_OK);
    size_t bytes = c->payload.size;
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        uint8_t *copy = malloc(bytes);
        memcpy(copy, c->payload.data, bytes);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (st_lsm__index_check(st_slice_of(copy, bytes), 11, 100, 1000)) {
            st_index_view view = st_lsm__index_view(copy);
            assert_true(st_lsm__index_seek(&view, st_slice_str("A-tied-head/005"), 9) <= 11);
        }
        free(copy);
    }
    for (size_t cut = 0; cut < bytes; cut++) {
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, c->payload.data, cut);
        assert_false(st_lsm__index_check(st_slice_of(copy, cut), 11, 100, 1000));
        free(copy);
    }
    st_buf_deinit(&node->keys);
    free(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define BLOCK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        BLOCK_TEST(test_a_fingerprint_finds_each_entry_in_every_lane),
        BLOCK_TEST(test_all_equal_fingerprints_still_find_the_newest_visible_version),
        BLOCK_TEST(test_keys_beside_the_prefix_are_sought_before_or_behind_the_block),
        BLOCK_TEST(test_a_block_is_cut_in_its_last_quarter_where_keys_share_least),
        BLOCK_TEST(test_the_size_is_never_said_too_small),
        BLOCK_TEST(test_no_flip_or_cut_of_a_payload_is_read_outside_of_it),
        BLOCK_TEST(test_a_node_of_any_count_leads_to_the_first_fence_at_or_behind),
        BLOCK_TEST(test_every_flip_of_a_node_is_refused_or_harmless),
    };
    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
