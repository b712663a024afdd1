/* The block cache: budget, pins, eviction, dropped files, no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lsm/cache_internal.h"
#include "support/fault_alloc.h"

#define BLOCK_BYTES 4000u

typedef struct cache_case {
    st_op op;
    fault_alloc fault;
    st_cache *cache;
} cache_case;

static int setup(void **state)
{
    cache_case *c = calloc(1, sizeof *c);
    fault_alloc_init(&c->fault);
    st_op_init(&c->op, st_alloc_process());
    assert_int_equal(st_lsm__cache_create(&c->op, &c->fault.alloc, 100 * 4096, &c->cache), ST_OK);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    cache_case *c = *state;
    st_lsm__cache_destroy(c->cache);
    fault_alloc_deinit(&c->fault);
    st_op_deinit(&c->op);
    free(c);
    return 0;
}

/* A pin of a new block, NULL when out of memory. */
static st_block_pin *add(cache_case *c, uint64_t file, uint64_t offset)
{
    st_block_place place = {file, offset, BLOCK_BYTES, 1};
    st_block_pin *pin = st_lsm__cache_reserve(c->cache, &place, BLOCK_BYTES);
    if (pin) {
        memset(st_lsm__pin_data(pin), (int)(file * 31 + offset), BLOCK_BYTES);
        st_lsm__cache_insert(&pin);
    }
    return pin;
}

static bool has(cache_case *c, uint64_t file, uint64_t offset)
{
    st_block_pin *pin;
    st_lsm__cache_get(c->cache, file, offset, &pin);
    if (pin) {
        assert_int_equal(st_lsm__pin_place(pin)->offset, offset);
        assert_int_equal(st_lsm__pin_bytes(pin), BLOCK_BYTES);
        assert_int_equal(st_lsm__pin_data(pin)[BLOCK_BYTES - 1], (uint8_t)(file * 31 + offset));
        assert_int_equal((uintptr_t)st_lsm__pin_data(pin) % 64, 0);
    }
    st_lsm__block_unpin(pin);
    return pin != NULL;
}

static uint64_t bytes_of(cache_case *c)
{
    uint64_t bytes, hits, misses;
    st_lsm__cache_stats(c->cache, &bytes, &hits, &misses);
    return bytes;
}

static void test_the_cache_stays_within_its_budget_and_a_little_limbo(void **state)
{
    cache_case *c = *state;
    for (uint64_t i = 0; i < 5000; i++) {
        st_lsm__block_unpin(add(c, 1, i));
        assert_true(bytes_of(c) <= 100 * 4096 + 8 * 4352);
    }
    assert_true(bytes_of(c) > 80 * 4096);
    assert_true(has(c, 1, 4999));
    assert_false(has(c, 1, 0));
}

static void test_what_is_asked_for_stays_while_the_rest_passes(void **state)
{
    cache_case *c = *state;
    for (uint64_t i = 0; i < 20; i++) {
        st_lsm__block_unpin(add(c, 1, i));
    }
    for (uint64_t i = 0; i < 2000; i++) {
        for (uint64_t kept = 0; kept < 20; kept++) {
            assert_true(has(c, 1, kept));
        }
        st_lsm__block_unpin(add(c, 2, i));
    }
}

static void test_pinned_blocks_survive_a_budget_of_nothing(void **state)
{
    cache_case *c = *state;
    st_lsm__cache_destroy(c->cache);
    assert_int_equal(st_lsm__cache_create(&c->op, &c->fault.alloc, 0, &c->cache), ST_OK);
    st_block_pin *pins[50];
    for (uint64_t i = 0; i < 50; i++) {
        pins[i] = add(c, 1, i);
    }
    for (uint64_t i = 0; i < 500; i++) {
        st_lsm__block_unpin(add(c, 2, i));
    }
    for (uint64_t i = 0; i < 50; i++) {
        assert_true(has(c, 1, i));
        assert_int_equal(st_lsm__pin_data(pins[i])[0], (uint8_t)(31 + i));
        st_lsm__block_unpin(pins[i]);
    }
    for (uint64_t i = 0; i < 500; i++) {
        st_lsm__block_unpin(add(c, 3, i));
    }
    assert_true(bytes_of(c) < 16 * 4352);
}

static void test_a_dropped_file_is_gone_but_its_pins_stay_readable(void **state)
{
    cache_case *c = *state;
    st_block_pin *pin = add(c, 1, 7);
    st_lsm__block_unpin(add(c, 1, 8));
    st_lsm__block_unpin(add(c, 2, 7));
    st_lsm__cache_drop_file(c->cache, 1);
    assert_false(has(c, 1, 7));
    assert_false(has(c, 1, 8));
    assert_true(has(c, 2, 7));
    assert_int_equal(st_lsm__pin_data(pin)[100], 31 + 7);
    st_lsm__block_unpin(pin);
}

static void test_the_first_of_two_equal_blocks_wins(void **state)
{
    cache_case *c = *state;
    st_block_pin *first = add(c, 1, 7), *second = add(c, 1, 7);
    assert_ptr_equal(first, second);
    st_lsm__block_unpin(first);
    st_lsm__block_unpin(second);
}

static void test_a_guard_keeps_what_it_saw_until_it_is_left(void **state)
{
    cache_case *c = *state;
    st_lsm__block_unpin(add(c, 1, 7));
    st_cache_guard guard;
    st_lsm__cache_enter(c->cache, &guard);
    st_block_pin *seen = st_lsm__cache_peek(&guard, 1, 7);
    assert_non_null(seen);
    st_lsm__cache_drop_file(c->cache, 1);
    assert_null(st_lsm__cache_peek(&guard, 1, 7));
    assert_false(st_lsm__block_retain(seen));
    for (uint64_t i = 0; i < 300; i++) { /* many evictions: none frees it */
        st_lsm__block_unpin(add(c, 2, i));
    }
    assert_int_equal(st_lsm__pin_data(seen)[BLOCK_BYTES - 1], 31 + 7);
    st_lsm__cache_leave(&guard);
    uint64_t before = bytes_of(c);
    for (uint64_t i = 300; i < 310; i++) {
        st_lsm__block_unpin(add(c, 2, i));
    }
    assert_true(bytes_of(c) + 100 * 4096 < before);
}

static void test_hits_and_misses_are_counted(void **state)
{
    cache_case *c = *state;
    uint64_t bytes, hits, misses;
    assert_false(has(c, 1, 7));
    st_lsm__block_unpin(add(c, 1, 7));
    for (int i = 0; i < 5; i++) {
        assert_true(has(c, 1, 7));
    }
    st_lsm__cache_stats(c->cache, &bytes, &hits, &misses);
    assert_int_equal(hits, 5);
    assert_int_equal(misses, 1);
}

static void test_no_failing_allocation_loses_or_breaks_anything(void **state)
{
    cache_case *c = *state;
    for (uint64_t n = 1; n < 300; n++) {
        fault_alloc_fail_after(&c->fault, n, n % 2 == 0);
        for (uint64_t i = 0; i < 140; i++) {
            st_block_pin *pin = add(c, n, i);
            assert_true(pin || c->fault.has_failed);
            assert_true(!pin || st_lsm__pin_data(pin)[9] == (uint8_t)(n * 31 + i));
            st_lsm__block_unpin(pin);
        }
        fault_alloc_fail_after(&c->fault, 0, false);
    }
    st_lsm__block_unpin(add(c, 1000, 1));
    assert_true(has(c, 1000, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CACHE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CACHE_TEST(test_the_cache_stays_within_its_budget_and_a_little_limbo),
        CACHE_TEST(test_what_is_asked_for_stays_while_the_rest_passes),
        CACHE_TEST(test_pinned_blocks_survive_a_budget_of_nothing),
        CACHE_TEST(test_a_dropped_file_is_gone_but_its_pins_stay_readable),
        CACHE_TEST(test_the_first_of_two_equal_blocks_wins),
        CACHE_TEST(test_a_guard_keeps_what_it_saw_until_it_is_left),
        CACHE_TEST(test_hits_and_misses_are_counted),
        CACHE_TEST(test_no_failing_allocation_loses_or_breaks_anything),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
