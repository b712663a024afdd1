/* One sorted file and one small cache under several threads: gets, walks, and other files that come
 * and go, so that blocks are evicted, dropped and read again all the time. */
#include "sst_support.h"

#define THREADS 4
#define KEYS 4000u

typedef struct thread_work {
    sst_case *c;
    uint32_t number;
    uint32_t wrong;
} thread_work;

static size_t key_of(uint32_t number, char *to)
{
    return (size_t)sprintf(to, "user#%03u/order#%05u", number / 40, number);
}

static void get_some(thread_work *work, st_op *op)
{
    st_rng rng;
    st_rng_seed(&rng, work->number);
    for (uint32_t i = 0; i < 6000; i++) {
        char key[32];
        uint32_t number = (uint32_t)st_rng_below(&rng, KEYS + 100);
        st_slice slice = st_slice_of(key, key_of(number, key));
        st_entry entry;
        bool is_found;
        st_block_pin *pin;
        st_status status = st_lsm__sst_get(op, work->c->sst, slice, st_lsm__key_hash(slice),
                                           ST_SEQUENCE_MAX, &entry, &is_found, &pin);
        const st_entry *expected = sst_model_get(work->c, slice, ST_SEQUENCE_MAX);
        work->wrong += status != ST_OK || is_found != (expected != NULL) ||
                       (is_found && !st_slice_equal(entry.value, expected->value));
        st_lsm__block_unpin(pin);
    }
}

static void walk_some(thread_work *work, st_op *op, bool is_reverse)
{
    st_iter *iter;
    size_t count = 0;
    st_status status = st_lsm__sst_iter(op, work->c->sst, is_reverse, &iter);
    if (status == ST_OK) {
        status = st_lsm__iter_first(op, iter);
    }
    while (status == ST_OK && iter->valid) {
        size_t at = is_reverse ? work->c->count - 1 - count : count;
        work->wrong += !st_slice_equal(iter->entry.value, work->c->entries[at].value);
        count++;
        status = st_lsm__iter_next(op, iter);
    }
    work->wrong += status != ST_OK || count != work->c->count;
    st_lsm__iter_destroy(iter);
}

/* Another opening of the file: another place in the cache, dropped when it is closed. */
static void open_some(thread_work *work, st_op *op)
{
    sst_case *c = work->c;
    for (uint32_t i = 0; i < 20; i++) {
        st_sst *sst;
        uint64_t entries = 0;
        st_status status =
            st_lsm__sst_open(op, c->env, c->alloc, c->cache, SST_PATH, &c->summary, &sst);
        if (status == ST_OK && i % 10 == 0) {
            status = st_lsm__sst_verify(op, sst, &entries);
        }
        work->wrong += status != ST_OK;
        char key[32];
        for (uint32_t number = i; number < KEYS && status == ST_OK; number += 97) {
            st_slice slice = st_slice_of(key, key_of(number, key));
            st_entry entry;
            bool is_found;
            st_block_pin *pin;
            status = st_lsm__sst_get(op, sst, slice, st_lsm__key_hash(slice), ST_SEQUENCE_MAX,
                                     &entry, &is_found, &pin);
            work->wrong += status != ST_OK || !is_found;
            st_lsm__block_unpin(pin);
        }
        st_lsm__sst_close(sst);
    }
}

static void work_run(void *arg)
{
    thread_work *work = arg;
    st_op op;
    st_op_init(&op, st_alloc_process());
    if (work->number == 0) {
        open_some(work, &op);
    }
    if (work->number == 1) {
        walk_some(work, &op, false);
        walk_some(work, &op, true);
    }
    get_some(work, &op);
    st_op_deinit(&op);
}

static void test_threads_read_one_file_through_a_small_cache(void **state)
{
    sst_case *c = *state;
    for (uint32_t i = 0; i < KEYS; i++) {
        char key[32];
        sst_model_add(c, st_slice_of(key, key_of(i, key)), 1 + i, 100, true);
    }
    sst_model_sort(c);
    sst_write(c, ST_SST_COMPRESS_ZSTD);
    static const uint64_t budgets[] = {0, 150000, 8 << 20};
    for (size_t b = 0; b < 3; b++) {
        sst_close(c);
        sst_new_cache(c, budgets[b]);
        sst_open(c);
        thread_work works[THREADS];
        st_thread *threads[THREADS];
        for (uint32_t i = 0; i < THREADS; i++) {
            works[i] = (thread_work){c, i, 0};
            sst_check(c, st_env_thread_start(&c->op, st_env_posix(), "reader", work_run, &works[i],
                                             &threads[i]));
        }
        for (uint32_t i = 0; i < THREADS; i++) {
            st_env_thread_join(threads[i]);
            assert_int_equal(works[i].wrong, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_threads_read_one_file_through_a_small_cache, sst_setup,
                                        sst_teardown),
    };
    return cmocka_run_group_tests_name("sst_threads", tests, NULL, NULL);
}
