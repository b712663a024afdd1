/* Writers and readers at the same time: groups of commits, mixed levels, flushes and compactions
 * behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lsm/lsm.h"

#define THREADS 4
#define WRITES 500

typedef struct worker {
    st_lsm *lsm;
    int number;
    bool has_failed;
} worker;

static st_slice key_of(int number, int i, char room[32])
{
    return st_slice_of(room, (size_t)snprintf(room, 32, "w%d/%05d", number, i));
}

/* What was acknowledged must be seen at once, by this thread too. */
static bool write_and_read(worker *w, st_op *op, int i)
{
    char room[32], text[32];
    st_slice key = key_of(w->number, i, room), value;
    st_lsm_batch batch;
    st_lsm_batch_init(&batch, st_alloc_process());
    snprintf(text, sizeof text, "value %d", i);
    st_lsm_batch_put(&batch, key, st_slice_str(text));
    uint64_t sequence;
    st_durability level = (st_durability)(ST_DURABILITY_SYNC + (i + w->number) % 3);
    bool is_ok = st_lsm_write(op, w->lsm, &batch, level, &sequence) == ST_OK &&
                 st_lsm_wait(op, w->lsm, sequence) == ST_OK && st_lsm_published(w->lsm) >= sequence;
    st_lsm_batch_deinit(&batch);
    st_lsm_pin pin;
    bool is_found = false;
    if (is_ok) {
        is_ok =
            st_lsm_get(op, w->lsm, key, ST_LSM_PUBLISHED, &pin, &value, &is_found, NULL) == ST_OK &&
            is_found && st_slice_equal(value, st_slice_str(text));
        st_lsm_pin_release(&pin);
    }
    return is_ok;
}

static void write_many(void *arg)
{
    worker *w = arg;
    st_op op;
    st_op_init(&op, st_alloc_process());
    for (int i = 0; i < WRITES && !w->has_failed; i++) {
        w->has_failed = !write_and_read(w, &op, i);
        st_arena_reset(&op.arena);
    }
    st_op_deinit(&op);
}

/* Keys of one writer appear in order and without gaps, whatever moment a cursor sees. */
static void walk_many(void *arg)
{
    worker *w = arg;
    st_op op;
    st_op_init(&op, st_alloc_process());
    for (int round = 0; round < 40 && !w->has_failed; round++) {
        st_lsm_cursor *cursor;
        st_lsm_range range = {.is_reverse = false};
        w->has_failed = st_lsm_cursor_open(&op, w->lsm, &range, &cursor) != ST_OK;
        int next[THREADS] = {0};
        bool valid = !w->has_failed;
        while (valid) {
            st_slice key, value;
            w->has_failed |= st_lsm_cursor_next(&op, cursor, &valid, &key, &value) != ST_OK;
            if (valid) {
                char room[32];
                int number = key.data[1] - '0';
                w->has_failed |= !st_slice_equal(key, key_of(number, next[number]++, room));
            }
        }
        st_lsm_cursor_close(cursor);
        st_arena_reset(&op.arena);
    }
    st_op_deinit(&op);
}

static void test_writers_and_readers_agree(void **state)
{
    (void)state;
    st_op op;
    st_env *env;
    st_lsm *lsm;
    st_op_init(&op, st_alloc_process());
    assert_int_equal(st_env_memory_create(&op, st_alloc_process(), &env), ST_OK);
    st_lsm_options options;
    st_lsm_options_init(&options);
    options.env = env;
    options.alloc = st_alloc_process();
    options.path = "/db";
    options.memory_budget_bytes = 1 << 20;
    options.memtable_bytes = 32768;
    options.file_bytes = 32768;
    options.interval_ms = 1;
    for (int opening = 0; opening < 2; opening++) {
        assert_int_equal(st_lsm_open(&op, &options, &lsm), ST_OK);
        worker workers[THREADS + 1];
        st_thread *threads[THREADS + 1];
        for (int i = 0; i <= THREADS; i++) {
            workers[i] = (worker){.lsm = lsm, .number = i};
            assert_int_equal(st_env_thread_start(&op, env, "test",
                                                 i < THREADS ? write_many : walk_many, &workers[i],
                                                 &threads[i]),
                             ST_OK);
        }
        for (int i = 0; i <= THREADS; i++) {
            st_env_thread_join(threads[i]);
            assert_false(workers[i].has_failed);
        }
        assert_int_equal(st_lsm_applied(lsm), (opening + 1) * THREADS * WRITES);
        assert_int_equal(st_lsm_published(lsm), st_lsm_applied(lsm));
        assert_int_equal(st_lsm_close(&op, lsm), ST_OK);
    }
    st_env_destroy(env);
    st_op_deinit(&op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_writers_and_readers_agree)};
    return cmocka_run_group_tests_name("lsm_threads", tests, NULL, NULL);
}
