/* Merging against sorting: any number of sources, both directions, seeks, and sources that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lsm/entry_internal.h"
#include "support/fault_alloc.h"

#define ITEMS_MAX 600
#define SOURCES_MAX 9

typedef struct item {
    char key[32];
    size_t key_bytes;
    uint64_t sequence;
} item;

/* A source over an array in the order of its direction. */
typedef struct list_iter {
    st_iter iter;
    const item *items;
    size_t count, at;
    size_t fail_after; /* moves until one fails, from 1; 0: never */
    bool is_reverse;
    int *destroyed;
} list_iter;

static st_slice item_key(const item *it)
{
    return st_slice_of(it->key, it->key_bytes);
}

static int item_order(const void *a, const void *b)
{
    const item *x = a, *y = b;
    return st_lsm__order(item_key(x), x->sequence, item_key(y), y->sequence);
}

static st_status list_show(st_op *op, list_iter *list)
{
    list->iter.valid = false;
    if (list->fail_after > 0 && --list->fail_after == 0) {
        return st_fail(op, ST_IO, "the source broke");
    }
    if (list->at < list->count) {
        const item *it = &list->items[list->is_reverse ? list->count - 1 - list->at : list->at];
        list->iter.valid = true;
        list->iter.entry = (st_entry){item_key(it), {0}, it->sequence, ST_ENTRY_DELETE};
    }
    return ST_OK;
}

static st_status list_first(st_op *op, st_iter *iter)
{
    list_iter *list = (list_iter *)iter;
    list->at = 0;
    return list_show(op, list);
}

static st_status list_seek(st_op *op, st_iter *iter, st_slice key)
{
    list_iter *list = (list_iter *)iter;
    for (list->at = 0; list->at < list->count; list->at++) {
        const item *it = &list->items[list->is_reverse ? list->count - 1 - list->at : list->at];
        int order = st_slice_compare(item_key(it), key);
        if (list->is_reverse ? order <= 0 : order >= 0) {
            break;
        }
    }
    return list_show(op, list);
}

static st_status list_next(st_op *op, st_iter *iter)
{
    list_iter *list = (list_iter *)iter;
    list->at++;
    return list_show(op, list);
}

static void list_destroy(st_iter *iter)
{
    list_iter *list = (list_iter *)iter;
    *list->destroyed += 1;
    free(list);
}

static const st_iter_calls list_calls = {list_first, list_seek, list_next, list_destroy};

typedef struct merged {
    st_op op;
    fault_alloc fault;
    item items[ITEMS_MAX]; /* of all sources, sorted */
    size_t count;
    item split[SOURCES_MAX][ITEMS_MAX];
    list_iter *lists[SOURCES_MAX];
    int destroyed;
} merged;

static int merged_setup(void **state)
{
    merged *m = calloc(1, sizeof *m);
    st_op_init(&m->op, st_alloc_process());
    fault_alloc_init(&m->fault);
    *state = m;
    return 0;
}

static int merged_teardown(void **state)
{
    merged *m = *state;
    st_op_deinit(&m->op);
    fault_alloc_deinit(&m->fault);
    free(m);
    return 0;
}

/* kind 0: short keys; 1: a long prefix that some keys leave late; 2: zeros and all ones. */
static void merged_fill(merged *m, st_rng *rng, int kind, size_t count)
{
    m->count = count;
    for (size_t i = 0; i < count; i++) {
        item *it = &m->items[i];
        unsigned number = (unsigned)st_rng_below(rng, 300);
        memset(it, 0, sizeof *it);
        it->sequence = i + 1;
        if (kind == 0) {
            it->key_bytes = (size_t)snprintf(it->key, sizeof it->key, "%x", number);
        } else if (kind == 1) {
            int shared = number < 280 ? 20 : (int)(number - 280);
            it->key_bytes = (size_t)snprintf(it->key, sizeof it->key, "%.*s%03u", shared,
                                             "nnnnnnnnnnnnnnnnnnnn", number);
        } else {
            it->key_bytes = number % 12;
            memset(it->key, number % 2 ? 0 : 0xFF, it->key_bytes);
        }
    }
    qsort(m->items, count, sizeof *m->items, item_order);
}

static st_status merged_create(merged *m, st_rng *rng, size_t source_count, bool is_reverse,
                               st_iter **out_iter)
{
    st_iter *sources[SOURCES_MAX];
    size_t counts[SOURCES_MAX] = {0};
    for (size_t i = 0; i < m->count; i++) {
        size_t to = (size_t)st_rng_below(rng, source_count);
        m->split[to][counts[to]++] = m->items[i];
    }
    m->destroyed = 0;
    for (size_t i = 0; i < source_count; i++) {
        m->lists[i] = calloc(1, sizeof *m->lists[i]);
        *m->lists[i] = (list_iter){.iter = {.calls = &list_calls},
                                   .items = m->split[i],
                                   .count = counts[i],
                                   .is_reverse = is_reverse,
                                   .destroyed = &m->destroyed};
        sources[i] = &m->lists[i]->iter;
    }
    return st_lsm__merge_create(&m->op, &m->fault.alloc, sources, source_count, is_reverse,
                                out_iter);
}

static const item *merged_at(const merged *m, bool is_reverse, size_t index)
{
    return &m->items[is_reverse ? m->count - 1 - index : index];
}

/* Walks from the index on, up to `most` entries. */
static void merged_expect(merged *m, st_iter *iter, bool is_reverse, size_t index, size_t most)
{
    for (; index < m->count && most > 0; index++, most--) {
        const item *it = merged_at(m, is_reverse, index);
        assert_true(iter->valid);
        assert_true(st_slice_equal(iter->entry.key, item_key(it)));
        assert_int_equal(iter->entry.sequence, it->sequence);
        assert_int_equal(st_lsm__iter_next(&m->op, iter), ST_OK);
    }
    assert_true(iter->valid == (index < m->count));
}

static void merged_check(merged *m, st_rng *rng, size_t source_count, bool is_reverse)
{
    st_iter *iter;
    assert_int_equal(merged_create(m, rng, source_count, is_reverse, &iter), ST_OK);
    assert_int_equal(st_lsm__iter_first(&m->op, iter), ST_OK);
    merged_expect(m, iter, is_reverse, 0, m->count + 1);
    for (int i = 0; i < 10 && m->count > 0; i++) {
        st_slice key = item_key(&m->items[st_rng_below(rng, m->count)]);
        key.size -= key.size > 0 ? (size_t)st_rng_below(rng, 2) : 0;
        size_t index = 0;
        while (index < m->count) {
            int order = st_slice_compare(item_key(merged_at(m, is_reverse, index)), key);
            if (is_reverse ? order <= 0 : order >= 0) {
                break;
            }
            index++;
        }
        assert_int_equal(st_lsm__iter_seek(&m->op, iter, key), ST_OK);
        merged_expect(m, iter, is_reverse, index, 40);
    }
    st_lsm__iter_destroy(iter);
    assert_int_equal(m->destroyed, (int)source_count);
}

static void test_a_merge_yields_what_sorting_yields(void **state)
{
    st_rng rng;
    st_rng_seed(&rng, 5);
    for (int round = 0; round < 200; round++) {
        size_t count = round % 10 == 0 ? 0 : (size_t)st_rng_below(&rng, ITEMS_MAX);
        merged_fill(*state, &rng, round % 3, count);
        merged_check(*state, &rng, 1 + (size_t)round % SOURCES_MAX, round % 2 == 1);
    }
}

static void test_one_source_is_returned_itself_and_none_yields_nothing(void **state)
{
    merged *m = *state;
    st_rng rng;
    st_rng_seed(&rng, 5);
    st_iter *iter;
    merged_fill(m, &rng, 0, 3);
    assert_int_equal(merged_create(m, &rng, 1, false, &iter), ST_OK);
    assert_ptr_equal(iter, &m->lists[0]->iter);
    assert_int_equal(m->fault.calls, 0);
    st_lsm__iter_destroy(iter);
    assert_int_equal(st_lsm__merge_create(&m->op, &m->fault.alloc, NULL, 0, false, &iter), ST_OK);
    assert_int_equal(st_lsm__iter_first(&m->op, iter), ST_OK);
    assert_false(iter->valid);
    assert_int_equal(st_lsm__iter_seek(&m->op, iter, st_slice_str("a")), ST_OK);
    assert_false(iter->valid);
    st_lsm__iter_destroy(iter);
}

static void test_without_memory_the_sources_are_destroyed(void **state)
{
    merged *m = *state;
    st_rng rng;
    st_rng_seed(&rng, 5);
    st_iter *iter = NULL;
    merged_fill(m, &rng, 0, 20);
    fault_alloc_fail_after(&m->fault, 1, false);
    assert_int_equal(merged_create(m, &rng, 4, false, &iter), ST_NO_MEMORY);
    assert_null(iter);
    assert_int_equal(m->destroyed, 4);
}

/* Whichever move fails, the merge says so, shows nothing, and is good again once positioned. */
static void test_a_failed_read_is_never_taken_for_the_end(void **state)
{
    merged *m = *state;
    st_rng rng;
    st_rng_seed(&rng, 9);
    merged_fill(m, &rng, 1, 60);
    for (size_t fail_after = 1; fail_after <= 12; fail_after++) {
        bool is_reverse = fail_after % 2 == 0;
        st_iter *iter;
        assert_int_equal(merged_create(m, &rng, 3, is_reverse, &iter), ST_OK);
        m->lists[1]->fail_after = fail_after;
        size_t seen = 0;
        st_status status = st_lsm__iter_first(&m->op, iter);
        while (status == ST_OK && iter->valid) {
            seen++;
            status = st_lsm__iter_next(&m->op, iter);
        }
        assert_int_equal(status, ST_IO);
        assert_false(iter->valid);
        assert_true(seen < m->count);
        st_op_clear(&m->op);
        assert_int_equal(iter->calls->next(&m->op, iter), ST_IO);
        assert_false(iter->valid);
        st_op_clear(&m->op);
        assert_int_equal(st_lsm__iter_first(&m->op, iter), ST_OK);
        merged_expect(m, iter, is_reverse, 0, m->count);
        st_lsm__iter_destroy(iter);
    }
}

static void test_heads_never_contradict_the_order_of_keys(void **state)
{
    (void)state;
    static const char *keys[] = {"", "a", "ab", "abcdefgh", "abcdefghi", "abcdefgz", "b"};
    for (size_t i = 0; i + 1 < sizeof keys / sizeof keys[0]; i++) {
        st_slice key = st_slice_str(keys[i]), next = st_slice_str(keys[i + 1]);
        assert_true(st_lsm__key_head(key, 0) <= st_lsm__key_head(next, 0));
    }
    assert_int_equal(st_lsm__key_head(st_slice_str("abc"), 1), (uint64_t)0x6263 << 48);
    assert_int_equal(st_lsm__key_head(st_slice_str("abc"), 3), 0);
    assert_int_equal(st_lsm__key_head((st_slice){0}, 9), 0);
}

int main(void)
{
#define MERGED_TEST(name) cmocka_unit_test_setup_teardown(name, merged_setup, merged_teardown)
    const struct CMUnitTest tests[] = {
        MERGED_TEST(test_a_merge_yields_what_sorting_yields),
        MERGED_TEST(test_one_source_is_returned_itself_and_none_yields_nothing),
        MERGED_TEST(test_without_memory_the_sources_are_destroyed),
        MERGED_TEST(test_a_failed_read_is_never_taken_for_the_end),
        MERGED_TEST(test_heads_never_contradict_the_order_of_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
