/* Epochs: nothing is freed that a reader may still use, everything is freed once it has left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lsm/epoch_internal.h"

typedef struct object {
    st_epoch_node node;
    int *order, *freed; /* freed: how many were before this one */
} object;

static void object_free(void *arg)
{
    object *o = arg;
    *o->order = (*o->freed)++;
}

static void test_what_is_retired_is_freed_in_order_when_nobody_reads(void **state)
{
    (void)state;
    st_epoch_domain domain;
    st_lsm__epoch_init(&domain);
    assert_true(st_lsm__epoch_poll(&domain));
    int orders[5], freed = 0;
    object objects[5];
    for (int round = 0; round < 4; round++) {
        freed = 0;
        for (int i = 0; i < 5; i++) {
            objects[i] = (object){.order = &orders[i], .freed = &freed};
            st_lsm__epoch_retire(&domain, &objects[i].node, object_free, &objects[i]);
        }
        assert_int_equal(freed, 0);
        assert_true(st_lsm__epoch_poll(&domain));
        assert_int_equal(freed, 5);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(orders[i], i);
        }
    }
    st_lsm__epoch_deinit(&domain);
}

static void test_a_reader_keeps_what_was_retired_after_it_entered(void **state)
{
    (void)state;
    st_epoch_domain domain;
    st_lsm__epoch_init(&domain);
    int order, freed = 0;
    for (int steps = 0; steps < 5; steps++) { /* whatever the epoch modulo 3 */
        freed = 0;
        object first = {.order = &order, .freed = &freed}, second = first;
        st_epoch_token early = st_lsm__epoch_enter(&domain);
        st_lsm__epoch_retire(&domain, &first.node, object_free, &first);
        for (int i = 0; i < 5; i++) {
            assert_false(st_lsm__epoch_poll(&domain));
        }
        assert_int_equal(freed, 0);
        st_epoch_token late = st_lsm__epoch_enter(&domain);
        st_lsm__epoch_retire(&domain, &second.node, object_free, &second);
        st_lsm__epoch_leave(&domain, early);
        for (int i = 0; i < 5; i++) {
            assert_false(st_lsm__epoch_poll(&domain));
        }
        assert_in_range(freed, 0, 1); /* not the second one */
        st_lsm__epoch_leave(&domain, late);
        assert_true(st_lsm__epoch_poll(&domain));
        assert_int_equal(freed, 2);
    }
    st_lsm__epoch_deinit(&domain);
}

static void test_a_reader_that_enters_later_keeps_nothing(void **state)
{
    (void)state;
    st_epoch_domain domain;
    st_lsm__epoch_init(&domain);
    int order, freed = 0;
    object one = {.order = &order, .freed = &freed};
    st_epoch_token early = st_lsm__epoch_enter(&domain);
    st_lsm__epoch_retire(&domain, &one.node, object_free, &one);
    assert_false(st_lsm__epoch_poll(&domain)); /* steps once: early is in the epoch before */
    st_epoch_token late = st_lsm__epoch_enter(&domain);
    st_lsm__epoch_leave(&domain, early);
    assert_true(st_lsm__epoch_poll(&domain));
    assert_int_equal(freed, 1);
    st_lsm__epoch_leave(&domain, late);
    st_lsm__epoch_deinit(&domain);
}

static void test_deinit_frees_what_is_left_and_what_callbacks_retire(void **state)
{
    (void)state;
    st_epoch_domain domain;
    st_lsm__epoch_init(&domain);
    int orders[2], freed = 0;
    object objects[2];
    for (int i = 0; i < 2; i++) {
        objects[i] = (object){.order = &orders[i], .freed = &freed};
        st_epoch_token token = st_lsm__epoch_enter(&domain);
        st_lsm__epoch_retire(&domain, &objects[i].node, object_free, &objects[i]);
        assert_false(st_lsm__epoch_poll(&domain));
        st_lsm__epoch_leave(&domain, token);
    }
    st_lsm__epoch_deinit(&domain);
    assert_int_equal(freed, 2);
}

/* ---- threads ---------------------------------------------------------------------------- */

#define SWAPS 100000u
#define READERS 3

typedef struct shared_object {
    st_epoch_node node;
    uint64_t number, copy; /* plain: who reads them after they were freed is a race */
} shared_object;

typedef struct race {
    st_epoch_domain domain;
    _Atomic(shared_object *) current;
    _Atomic uint64_t freed;
    _Atomic uint32_t reading;
    _Atomic bool is_done, has_failed;
} race;

static race *race_freeing; /* of the test that runs */

static void race_free(void *arg)
{
    shared_object *o = arg;
    o->number = o->copy = UINT64_MAX;
    free(o);
    atomic_fetch_add(&race_freeing->freed, 1);
}

static void race_read(void *arg)
{
    race *r = arg;
    uint64_t last = 0;
    atomic_fetch_add(&r->reading, 1);
    while (!atomic_load(&r->is_done)) {
        for (int i = 0; i < 100; i++) {
            st_epoch_token token = st_lsm__epoch_enter(&r->domain);
            const shared_object *o = atomic_load_explicit(&r->current, memory_order_acquire);
            bool is_ok = o->number == o->copy && o->number >= last && o->number != UINT64_MAX;
            last = o->number;
            st_lsm__epoch_leave(&r->domain, token);
            if (!is_ok) {
                atomic_store(&r->has_failed, true);
            }
        }
    }
}

static shared_object *race_object(uint64_t number)
{
    shared_object *o = calloc(1, sizeof *o);
    o->number = o->copy = number;
    return o;
}

static void test_readers_never_see_what_was_freed(void **state)
{
    (void)state;
    static race r;
    race_freeing = &r;
    st_op op;
    st_op_init(&op, st_alloc_process());
    st_lsm__epoch_init(&r.domain);
    atomic_store(&r.current, race_object(0));
    st_thread *threads[READERS];
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(
            st_env_thread_start(&op, st_env_posix(), "reader", race_read, &r, &threads[i]), ST_OK);
    }
    for (uint32_t round = 0; atomic_load(&r.reading) < READERS; round++) {
        st_env_pause(round);
    }
    for (uint64_t i = 1; i <= SWAPS; i++) {
        shared_object *old = atomic_load(&r.current);
        atomic_store_explicit(&r.current, race_object(i), memory_order_release);
        st_lsm__epoch_retire(&r.domain, &old->node, race_free, old);
        (void)st_lsm__epoch_poll(&r.domain);
    }
    atomic_store(&r.is_done, true);
    for (int i = 0; i < READERS; i++) {
        st_env_thread_join(threads[i]);
    }
    assert_false(atomic_load(&r.has_failed));
    st_lsm__epoch_deinit(&r.domain);
    assert_int_equal(atomic_load(&r.freed), SWAPS);
    free(atomic_load(&r.current));
    st_op_deinit(&op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_retired_is_freed_in_order_when_nobody_reads),
        cmocka_unit_test(test_a_reader_keeps_what_was_retired_after_it_entered),
        cmocka_unit_test(test_a_reader_that_enters_later_keeps_nothing),
        cmocka_unit_test(test_deinit_frees_what_is_left_and_what_callbacks_retire),
        cmocka_unit_test(test_readers_never_see_what_was_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
