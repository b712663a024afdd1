/* Readers beside the one writer of a memtable: what was inserted before is always found, in order,
 * in both directions. */
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

#define KEYS 20000u
#define READERS 2
#define RANGE_EVERY 4000u

typedef struct race {
    st_memtable *memtable;
    bool is_long;          /* keys */
    _Atomic uint64_t done; /* sequences inserted; sequence s is key number s - 1 or an update */
    _Atomic uint32_t reading;
    _Atomic bool has_failed;
} race;

/* Numbers in a scattered order, so that leaves split everywhere. */
static size_t race_key(const race *r, uint64_t number, char to[64])
{
    unsigned long long scattered = (unsigned long long)(number * 7919 % KEYS);
    return (size_t)(r->is_long ? snprintf(to, 64, "constant/user#%03llu/order#%08llu",
                                          scattered / 500, scattered)
                               : snprintf(to, 64, "%08llu", scattered));
}

/* Two of three sequences bring a new key, the third updates an old one. */
static uint64_t race_number(uint64_t sequence)
{
    return sequence % 3 == 0 ? sequence / 4 * 2 / 3 : sequence - sequence / 3 - 1;
}

static void race_write(void *arg)
{
    race *r = arg;
    st_op op;
    st_op_init(&op, st_alloc_process());
    char room[64];
    for (uint32_t round = 0; atomic_load(&r->reading) < READERS; round++) {
        st_env_pause(round);
    }
    for (uint64_t sequence = 1; sequence <= KEYS && !atomic_load(&r->has_failed); sequence++) {
        st_slice key = st_slice_of(room, race_key(r, race_number(sequence), room));
        if (st_lsm__memtable_reserve(&op, r->memtable, 2, 2 * key.size + 9) != ST_OK) {
            atomic_store(&r->has_failed, true);
            break;
        }
        st_entry entry = {key, st_slice_of(&sequence, sizeof sequence), sequence, ST_ENTRY_PUT};
        st_lsm__memtable_insert(r->memtable, &entry);
        if (sequence % RANGE_EVERY == 0) {
            st_range_delete range = {st_slice_str("a"), st_slice_str("b"), sequence};
            st_lsm__memtable_delete_range(r->memtable, &range);
        }
        atomic_store_explicit(&r->done, sequence, memory_order_release);
    }
    st_op_deinit(&op);
}

static bool race_get(race *r, st_rng *rng)
{
    uint64_t done = atomic_load_explicit(&r->done, memory_order_acquire);
    if (done == 0) {
        return true;
    }
    char room[64];
    uint64_t sequence = 1 + st_rng_below(rng, done);
    st_slice key = st_slice_of(room, race_key(r, race_number(sequence), room));
    st_entry entry;
    /* The newest version at the sequence that wrote the key is that write. */
    return st_lsm__memtable_get(r->memtable, key, sequence, &entry) && entry.sequence == sequence &&
           st_slice_equal(entry.key, key) &&
           memcmp(entry.value.data, &sequence, sizeof sequence) == 0 &&
           st_lsm__memtable_covering(r->memtable, st_slice_str("aa"), done) ==
               done / RANGE_EVERY * RANGE_EVERY;
}

/* A walk is in order and meets everything that was there when it began. */
static bool race_walk(race *r, st_op *op, bool is_reverse, bool is_seek)
{
    uint64_t done = atomic_load_explicit(&r->done, memory_order_acquire), met = 0;
    st_iter *iter;
    if (st_lsm__memtable_iter(op, st_alloc_process(), r->memtable, is_reverse, &iter) != ST_OK) {
        return false;
    }
    char last_key[64];
    size_t last_bytes = 0;
    uint64_t last_sequence = 0;
    st_slice edge = st_slice_str(is_reverse ? "z" : "");
    bool is_ok =
        (is_seek ? st_lsm__iter_seek(op, iter, edge) : st_lsm__iter_first(op, iter)) == ST_OK;
    while (is_ok && iter->valid) {
        if (last_bytes > 0) {
            int order = st_lsm__order(st_slice_of(last_key, last_bytes), last_sequence,
                                      iter->entry.key, iter->entry.sequence);
            is_ok = is_reverse ? order > 0 : order < 0;
        }
        last_bytes = iter->entry.key.size;
        memcpy(last_key, iter->entry.key.data, last_bytes);
        last_sequence = iter->entry.sequence;
        met += last_sequence <= done;
        is_ok = is_ok && st_lsm__iter_next(op, iter) == ST_OK;
    }
    st_lsm__iter_destroy(iter);
    return is_ok && met == done;
}

static void race_read(void *arg)
{
    race *r = arg;
    st_op op;
    st_op_init(&op, st_alloc_process());
    st_rng rng;
    st_rng_seed(&rng, 3);
    atomic_fetch_add(&r->reading, 1);
    for (uint32_t round = 0; atomic_load(&r->done) < KEYS && !atomic_load(&r->has_failed);
         round++) {
        bool is_ok = true;
        for (int i = 0; i < 500 && is_ok; i++) {
            is_ok = race_get(r, &rng);
        }
        if (!is_ok || !race_walk(r, &op, (round & 1) != 0, (round & 2) != 0)) {
            atomic_store(&r->has_failed, true);
        }
    }
    st_op_deinit(&op);
}

static void race_run(bool is_long)
{
    race r = {.is_long = is_long};
    st_op op;
    st_op_init(&op, st_alloc_process());
    assert_int_equal(st_lsm__memtable_create(&op, st_alloc_process(), &r.memtable), ST_OK);
    st_thread *threads[READERS + 1];
    for (int i = 0; i <= READERS; i++) {
        assert_int_equal(st_env_thread_start(&op, st_env_posix(), "race",
                                             i < READERS ? race_read : race_write, &r, &threads[i]),
                         ST_OK);
    }
    for (int i = 0; i <= READERS; i++) {
        st_env_thread_join(threads[i]);
    }
    assert_false(atomic_load(&r.has_failed));
    assert_int_equal(atomic_load(&r.done), KEYS);
    assert_true(race_walk(&r, &op, false, false) && race_walk(&r, &op, true, true));
    st_lsm__memtable_destroy(r.memtable);
    st_op_deinit(&op);
}

static void test_readers_find_short_keys_while_the_writer_inserts(void **state)
{
    (void)state;
    race_run(false);
}

static void test_readers_find_long_keys_while_the_writer_inserts(void **state)
{
    (void)state;
    race_run(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers_find_short_keys_while_the_writer_inserts),
        cmocka_unit_test(test_readers_find_long_keys_while_the_writer_inserts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
