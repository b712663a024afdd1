/* The memtable against a sorted array, with keys that share prefixes, many versions of a key,
 * readers beside the writer, and an allocator that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "env/env.h"
#include "lsm/memtable_internal.h"
#include "support/fault_alloc.h"

/* ---- the model -------------------------------------------------------------------------- */

#define KEY_ROOM 64

typedef struct model_entry {
    uint8_t key[KEY_ROOM];
    size_t key_bytes;
    uint64_t sequence, value;
    uint8_t type;
} model_entry;

typedef struct model {
    st_memtable *memtable;
    st_op op;
    fault_alloc fault;
    st_rng rng;
    model_entry *entries; /* in order */
    size_t count;
    uint64_t sequence;
} model;

static int model_setup(void **state)
{
    model *m = calloc(1, sizeof *m);
    fault_alloc_init(&m->fault);
    st_op_init(&m->op, st_alloc_process());
    st_rng_seed(&m->rng, 7);
    assert_int_equal(st_lsm__memtable_create(&m->op, &m->fault.alloc, &m->memtable), ST_OK);
    m->entries = calloc(40000, sizeof *m->entries);
    m->sequence = 1;
    *state = m;
    return 0;
}

static int model_teardown(void **state)
{
    model *m = *state;
    st_lsm__memtable_destroy(m->memtable);
    fault_alloc_deinit(&m->fault);
    st_op_deinit(&m->op);
    free(m->entries);
    free(m);
    return 0;
}

static st_slice model_key(const model_entry *entry)
{
    return st_slice_of(entry->key, entry->key_bytes);
}

static int model_order(const void *a, const void *b)
{
    const model_entry *x = a, *y = b;
    return st_lsm__order(model_key(x), x->sequence, model_key(y), y->sequence);
}

static void model_insert(model *m, st_slice key, uint64_t sequence, uint64_t value, uint8_t type)
{
    st_entry entry = {key, {0}, sequence, type};
    if (type == ST_ENTRY_PUT) {
        entry.value = st_slice_of(&value, sizeof value);
    }
    assert_int_equal(st_lsm__memtable_reserve(&m->op, m->memtable, 1, key.size + entry.value.size),
                     ST_OK);
    st_lsm__memtable_insert(m->memtable, &entry);
    model_entry *added = &m->entries[m->count++];
    memset(added, 0, sizeof *added);
    if (key.size > 0) {
        memcpy(added->key, key.data, key.size);
    }
    added->key_bytes = key.size;
    added->sequence = sequence;
    added->value = value;
    added->type = type;
}

/* Sorts the model; of entries with the same key and sequence only the last one stays. */
static void model_settle(model *m)
{
    for (size_t i = 0; i < m->count; i++) {
        m->entries[i].key[KEY_ROOM - 4] = (uint8_t)(i >> 24);
        m->entries[i].key[KEY_ROOM - 3] = (uint8_t)(i >> 16);
        m->entries[i].key[KEY_ROOM - 2] = (uint8_t)(i >> 8);
        m->entries[i].key[KEY_ROOM - 1] = (uint8_t)i;
    }
    qsort(m->entries, m->count, sizeof *m->entries, model_order);
    size_t kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (kept > 0 && model_order(&m->entries[kept - 1], &m->entries[i]) == 0) {
            model_entry *last = &m->entries[kept - 1];
            if (memcmp(last->key + KEY_ROOM - 4, m->entries[i].key + KEY_ROOM - 4, 4) < 0) {
                *last = m->entries[i];
            }
        } else {
            m->entries[kept++] = m->entries[i];
        }
    }
    m->count = kept;
}

/* The index of the first entry at or behind (key, sequence). */
static size_t model_seek(const model *m, st_slice key, uint64_t sequence)
{
    size_t lo = 0, hi = m->count;
    while (lo < hi) {
        size_t middle = (lo + hi) / 2;
        const model_entry *at = &m->entries[middle];
        if (st_lsm__order(model_key(at), at->sequence, key, sequence) < 0) {
            lo = middle + 1;
        } else {
            hi = middle;
        }
    }
    return lo;
}

static bool model_is(const model_entry *entry, const st_entry *other)
{
    st_slice value = entry->type == ST_ENTRY_PUT ? st_slice_of(&entry->value, sizeof entry->value)
                                                 : (st_slice){0};
    return st_slice_equal(model_key(entry), other->key) && entry->sequence == other->sequence &&
           entry->type == other->type && st_slice_equal(value, other->value);
}

static void model_check_get(const model *m, st_slice key, uint64_t sequence)
{
    st_entry entry;
    size_t at = model_seek(m, key, sequence);
    bool is_there = at < m->count && st_slice_equal(model_key(&m->entries[at]), key);
    assert_int_equal(st_lsm__memtable_get(m->memtable, key, sequence, &entry), is_there);
    if (is_there) {
        assert_true(model_is(&m->entries[at], &entry));
    }
}

static st_iter *model_iter(model *m, bool is_reverse)
{
    st_iter *iter;
    assert_int_equal(st_lsm__memtable_iter(&m->op, &m->fault.alloc, m->memtable, is_reverse, &iter),
                     ST_OK);
    return iter;
}

static void model_check_walks(model *m)
{
    st_iter *iter = model_iter(m, false);
    assert_int_equal(st_lsm__iter_first(&m->op, iter), ST_OK);
    for (size_t i = 0; i < m->count; i++) {
        assert_true(iter->valid && model_is(&m->entries[i], &iter->entry));
        assert_int_equal(st_lsm__iter_next(&m->op, iter), ST_OK);
    }
    assert_false(iter->valid);
    st_lsm__iter_destroy(iter);
    iter = model_iter(m, true);
    assert_int_equal(st_lsm__iter_first(&m->op, iter), ST_OK);
    for (size_t i = m->count; i-- > 0;) {
        assert_true(iter->valid && model_is(&m->entries[i], &iter->entry));
        assert_int_equal(st_lsm__iter_next(&m->op, iter), ST_OK);
    }
    assert_false(iter->valid);
    st_lsm__iter_destroy(iter);
}

static void model_check_seek(model *m, st_iter *forward, st_iter *reverse, st_slice key)
{
    size_t at = model_seek(m, key, ST_SEQUENCE_MAX);
    assert_int_equal(st_lsm__iter_seek(&m->op, forward, key), ST_OK);
    assert_int_equal(forward->valid, at < m->count);
    for (int i = 0; i < 3 && forward->valid; i++, at++) {
        assert_true(model_is(&m->entries[at], &forward->entry));
        assert_int_equal(st_lsm__iter_next(&m->op, forward), ST_OK);
    }
    at = model_seek(m, key, 0); /* behind the oldest version of key */
    assert_int_equal(st_lsm__iter_seek(&m->op, reverse, key), ST_OK);
    assert_int_equal(reverse->valid, at > 0);
    for (int i = 0; i < 3 && reverse->valid; i++, at--) {
        assert_true(model_is(&m->entries[at - 1], &reverse->entry));
        assert_int_equal(st_lsm__iter_next(&m->op, reverse), ST_OK);
    }
}

/* ---- keys ------------------------------------------------------------------------------- */

typedef size_t (*key_maker)(st_rng *rng, uint64_t number, uint8_t to[KEY_ROOM]);

static size_t key_random(st_rng *rng, uint64_t number, uint8_t to[KEY_ROOM])
{
    (void)number;
    st_put_be64(to, st_rng_next(rng));
    st_put_be64(to + 8, st_rng_next(rng));
    return 16;
}

/* Long keys of few users, as a table has them. */
static size_t key_dense(st_rng *rng, uint64_t number, uint8_t to[KEY_ROOM])
{
    (void)number;
    return (size_t)snprintf(
        (char *)to, KEY_ROOM - 4, "constant/user#%05llu/order#2026-11-21T%04llu",
        (unsigned long long)st_rng_below(rng, 40), (unsigned long long)st_rng_below(rng, 2000));
}

/* Every length from 0, of few different bytes: keys are prefixes of each other and differ in zeros
 * that a head cannot show; and 255, which a head may be full of. */
static size_t key_zeros(st_rng *rng, uint64_t number, uint8_t to[KEY_ROOM])
{
    static const uint8_t bytes[] = {0, 0, 0, 255, 255, 1};
    (void)number;
    size_t size = (size_t)st_rng_below(rng, 20);
    for (size_t i = 0; i < size; i++) {
        to[i] = bytes[st_rng_below(rng, sizeof bytes)];
    }
    return size;
}

static size_t key_rising(st_rng *rng, uint64_t number, uint8_t to[KEY_ROOM])
{
    (void)rng;
    return (size_t)snprintf((char *)to, KEY_ROOM - 4, "rising/key/%012llu",
                            (unsigned long long)number);
}

static size_t key_falling(st_rng *rng, uint64_t number, uint8_t to[KEY_ROOM])
{
    return key_rising(rng, 1000000 - number, to);
}

/* Several groups, rising in each, with long prefixes that come and go. */
static size_t key_groups(st_rng *rng, uint64_t number, uint8_t to[KEY_ROOM])
{
    return (size_t)snprintf((char *)to, KEY_ROOM - 4, "%.*s/%06llu", (int)st_rng_below(rng, 4) * 8,
                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", (unsigned long long)number);
}

static void check_against_model(model *m, key_maker make, size_t inserts)
{
    uint8_t key[KEY_ROOM];
    for (size_t i = 0; i < inserts; i++) {
        m->sequence += st_rng_below(&m->rng, 3) > 0;
        bool is_again = m->count > 0 && st_rng_below(&m->rng, 4) == 0;
        st_slice chosen;
        if (is_again) {
            const model_entry *other = &m->entries[st_rng_below(&m->rng, m->count)];
            memcpy(key, other->key, KEY_ROOM);
            chosen = st_slice_of(key, other->key_bytes);
        } else {
            chosen = st_slice_of(key, make(&m->rng, i, key));
        }
        uint8_t type = st_rng_below(&m->rng, 5) == 0 ? ST_ENTRY_DELETE : ST_ENTRY_PUT;
        model_insert(m, chosen, m->sequence, i, type);
    }
    assert_int_equal(st_lsm__memtable_count(m->memtable), inserts);
    model_settle(m);
    model_check_walks(m);
    st_iter *forward = model_iter(m, false), *reverse = model_iter(m, true);
    for (size_t i = 0; i < inserts; i++) {
        bool is_there = i % 2 == 0;
        const model_entry *other = &m->entries[st_rng_below(&m->rng, m->count)];
        st_slice chosen =
            is_there ? model_key(other) : st_slice_of(key, make(&m->rng, i * 7 + 1, key));
        model_check_get(m, chosen, st_rng_below(&m->rng, m->sequence + 2));
        model_check_get(m, chosen, ST_SEQUENCE_MAX);
        if (i % 4 < 2) {
            model_check_seek(m, forward, reverse, chosen);
        }
    }
    st_lsm__iter_destroy(forward);
    st_lsm__iter_destroy(reverse);
}

static void test_random_keys_behave_as_a_sorted_array(void **state)
{
    check_against_model(*state, key_random, 20000);
}

static void test_long_keys_that_share_prefixes_behave_as_a_sorted_array(void **state)
{
    check_against_model(*state, key_dense, 20000);
}

static void test_keys_of_zeros_and_all_ones_behave_as_a_sorted_array(void **state)
{
    check_against_model(*state, key_zeros, 20000);
}

static void test_rising_keys_behave_as_a_sorted_array(void **state)
{
    check_against_model(*state, key_rising, 20000);
}

static void test_falling_keys_behave_as_a_sorted_array(void **state)
{
    check_against_model(*state, key_falling, 20000);
}

static void test_prefixes_that_come_and_go_behave_as_a_sorted_array(void **state)
{
    check_against_model(*state, key_groups, 20000);
}

/* ---- single promises -------------------------------------------------------------------- */

static void test_an_empty_memtable_has_nothing(void **state)
{
    model *m = *state;
    model_check_walks(m);
    model_check_get(m, st_slice_str("key"), ST_SEQUENCE_MAX);
    model_check_get(m, (st_slice){0}, ST_SEQUENCE_MAX);
    st_iter *forward = model_iter(m, false), *reverse = model_iter(m, true);
    model_check_seek(m, forward, reverse, st_slice_str("key"));
    st_lsm__iter_destroy(forward);
    st_lsm__iter_destroy(reverse);
    assert_int_equal(st_lsm__memtable_count(m->memtable), 0);
}

static void test_many_versions_of_one_key_are_found_at_every_sequence(void **state)
{
    model *m = *state;
    st_slice key = st_slice_str("counter");
    model_insert(m, st_slice_str("a"), 1, 0, ST_ENTRY_PUT);
    for (uint64_t i = 1; i <= 5000; i++) {
        model_insert(m, key, 2 * i, i, i % 7 == 0 ? ST_ENTRY_DELETE : ST_ENTRY_PUT);
    }
    model_insert(m, st_slice_str("z"), 10001, 0, ST_ENTRY_PUT);
    model_settle(m);
    for (uint64_t sequence = 0; sequence <= 10002; sequence++) {
        model_check_get(m, key, sequence);
    }
    model_check_walks(m);
}

static void test_of_two_entries_with_one_sequence_the_later_one_wins(void **state)
{
    model *m = *state;
    st_slice key = st_slice_str("key");
    model_insert(m, key, 3, 1, ST_ENTRY_PUT);
    model_insert(m, key, 5, 2, ST_ENTRY_PUT);
    model_insert(m, key, 5, 3, ST_ENTRY_DELETE);
    model_insert(m, key, 5, 4, ST_ENTRY_PUT);
    model_settle(m);
    assert_int_equal(m->count, 2);
    model_check_get(m, key, 5);
    model_check_get(m, key, 4);
    model_check_walks(m);
}

static void delete_range(model *m, const char *from, const char *to, uint64_t sequence)
{
    st_range_delete range = {st_slice_str(from), st_slice_str(to), sequence};
    assert_int_equal(
        st_lsm__memtable_reserve(&m->op, m->memtable, 1, range.from.size + range.to.size), ST_OK);
    st_lsm__memtable_delete_range(m->memtable, &range);
}

static void test_range_deletes_cover_from_their_first_key_up_to_their_last(void **state)
{
    model *m = *state;
    assert_null(st_lsm__memtable_next_range(m->memtable, NULL));
    delete_range(m, "b", "d", 5);
    delete_range(m, "c", "e", 8);
    static const struct {
        const char *key;
        uint64_t max_sequence, covering;
    } cases[] = {{"a", 99, 0}, {"b", 99, 5}, {"b", 4, 0}, {"b", 5, 5}, {"c", 99, 8},
                 {"c", 7, 5},  {"d", 99, 8}, {"d", 7, 0}, {"e", 99, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(st_lsm__memtable_covering(m->memtable, st_slice_str(cases[i].key),
                                                   cases[i].max_sequence),
                         cases[i].covering);
    }
    const st_memtable_range *newest = st_lsm__memtable_next_range(m->memtable, NULL);
    st_range_delete range = st_lsm__memtable_range(newest);
    assert_int_equal(range.sequence, 8);
    assert_true(st_slice_equal(range.from, st_slice_str("c")));
    assert_true(st_slice_equal(range.to, st_slice_str("e")));
    newest = st_lsm__memtable_next_range(m->memtable, newest);
    assert_int_equal(st_lsm__memtable_range(newest).sequence, 5);
    assert_null(st_lsm__memtable_next_range(m->memtable, newest));
    assert_int_equal(st_lsm__memtable_count(m->memtable), 2);
}

static void test_a_small_memtable_takes_little_memory(void **state)
{
    model *m = *state;
    assert_in_range(st_lsm__memtable_bytes(m->memtable), 1, 16384);
    model_insert(m, st_slice_str("key"), 1, 1, ST_ENTRY_PUT);
    assert_in_range(st_lsm__memtable_bytes(m->memtable), 1, 16384);
}

static void test_a_failed_reserve_leaves_the_memtable_as_it_was(void **state)
{
    model *m = *state;
    uint8_t key[KEY_ROOM];
    bool is_done = false;
    for (uint64_t i = 0; i < 3000; i++) {
        model_insert(m, st_slice_of(key, key_dense(&m->rng, i, key)), ++m->sequence, i,
                     ST_ENTRY_PUT);
    }
    for (uint64_t fail_at = 1; !is_done; fail_at++) {
        fault_alloc_fail_after(&m->fault, fail_at, false);
        st_status status = st_lsm__memtable_reserve(&m->op, m->memtable, 5000, 100000);
        is_done = !m->fault.has_failed;
        assert_int_equal(status, is_done ? ST_OK : ST_NO_MEMORY);
        st_op_clear(&m->op);
    }
    fault_alloc_fail_after(&m->fault, 1, true); /* what is reserved needs no more memory */
    for (uint64_t i = 0; i < 5000; i++) {
        key_dense(&m->rng, i, key);
        st_entry entry = {st_slice_of(key, 10 + i % 10), {0}, ++m->sequence, ST_ENTRY_DELETE};
        st_put_u32(key, (uint32_t)(i * 2654435761u));
        st_lsm__memtable_insert(m->memtable, &entry);
    }
    assert_false(m->fault.has_failed);
    st_iter *iter = NULL;
    assert_int_equal(st_lsm__memtable_iter(&m->op, &m->fault.alloc, m->memtable, false, &iter),
                     ST_NO_MEMORY);
    assert_null(iter);
    st_memtable *other = NULL;
    for (uint64_t fail_at = 1; fail_at <= 2; fail_at++) {
        fault_alloc_fail_after(&m->fault, fail_at, false);
        assert_int_equal(st_lsm__memtable_create(&m->op, &m->fault.alloc, &other), ST_NO_MEMORY);
        assert_null(other);
    }
    fault_alloc_fail_after(&m->fault, 0, false);
    assert_int_equal(st_lsm__memtable_count(m->memtable), 8000);
}

static void test_a_reserve_of_more_than_there_can_be_is_refused(void **state)
{
    model *m = *state;
    assert_int_equal(st_lsm__memtable_reserve(&m->op, m->memtable, SIZE_MAX / 16, 100),
                     ST_NO_MEMORY);
    st_op_clear(&m->op);
    assert_int_equal(st_lsm__memtable_reserve(&m->op, m->memtable, 1, SIZE_MAX - 8), ST_NO_MEMORY);
    st_op_clear(&m->op);
    model_insert(m, st_slice_str("key"), 1, 1, ST_ENTRY_PUT);
    model_check_walks(m);
}

int main(void)
{
#define MODEL_TEST(name) cmocka_unit_test_setup_teardown(name, model_setup, model_teardown)
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_random_keys_behave_as_a_sorted_array),
        MODEL_TEST(test_long_keys_that_share_prefixes_behave_as_a_sorted_array),
        MODEL_TEST(test_keys_of_zeros_and_all_ones_behave_as_a_sorted_array),
        MODEL_TEST(test_rising_keys_behave_as_a_sorted_array),
        MODEL_TEST(test_falling_keys_behave_as_a_sorted_array),
        MODEL_TEST(test_prefixes_that_come_and_go_behave_as_a_sorted_array),
        MODEL_TEST(test_an_empty_memtable_has_nothing),
        MODEL_TEST(test_many_versions_of_one_key_are_found_at_every_sequence),
        MODEL_TEST(test_of_two_entries_with_one_sequence_the_later_one_wins),
        MODEL_TEST(test_range_deletes_cover_from_their_first_key_up_to_their_last),
        MODEL_TEST(test_a_small_memtable_takes_little_memory),
        MODEL_TEST(test_a_failed_reserve_leaves_the_memtable_as_it_was),
        MODEL_TEST(test_a_reserve_of_more_than_there_can_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
