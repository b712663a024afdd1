/* Threads, mutexes and conditions, and the Envs used by several threads at once. Small enough for
 * the thread sanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "env/env.h"

#define THREADS_COUNT 4
#define THREADS_ROUNDS 500

typedef struct threads_shared {
    st_env *env;
    st_mutex mutex;
    st_cond cond;
    int count, turn;
    uint32_t slots[THREADS_COUNT];
    bool blocks_signals;
} threads_shared;

static void threads_run(threads_shared *shared, void (*run)(void *))
{
    st_op op;
    st_thread *threads[THREADS_COUNT];
    st_op_init(&op, st_alloc_process());
    shared->env = shared->env ? shared->env : st_env_posix();
    for (int i = 0; i < THREADS_COUNT; i++) {
        assert_int_equal(st_env_thread_start(&op, shared->env, "test", run, shared, &threads[i]),
                         ST_OK);
    }
    for (int i = 0; i < THREADS_COUNT; i++) {
        st_env_thread_join(threads[i]);
    }
    st_env_thread_join(NULL);
    st_op_deinit(&op);
}

static void threads_init(threads_shared *shared)
{
    *shared = (threads_shared){.count = 0};
    st_mutex_init(&shared->mutex);
    st_cond_init(&shared->cond);
}

static void threads_deinit(threads_shared *shared)
{
    st_cond_deinit(&shared->cond);
    st_mutex_deinit(&shared->mutex);
}

/* All are there at once before any goes on, so that no slot can be given twice. */
static void threads_meet(void *arg)
{
    threads_shared *shared = arg;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    st_mutex_lock(&shared->mutex);
    shared->blocks_signals = sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGALRM);
    shared->slots[shared->count++] = st_env_thread_slot();
    st_cond_broadcast(&shared->cond);
    while (shared->count < THREADS_COUNT) {
        st_cond_wait(&shared->cond, &shared->mutex);
    }
    st_mutex_unlock(&shared->mutex);
}

static void running_threads_have_different_slots_and_block_signals(void **state)
{
    (void)state;
    threads_shared shared;
    threads_init(&shared);
    threads_run(&shared, threads_meet);
    assert_int_equal(shared.count, THREADS_COUNT);
    assert_true(shared.blocks_signals);
    for (int i = 0; i < THREADS_COUNT; i++) {
        for (int j = 0; j < i; j++) {
            assert_int_not_equal(shared.slots[i], shared.slots[j]);
        }
    }
    assert_int_equal(st_env_thread_slot(), st_env_thread_slot());
    threads_deinit(&shared);
}

static void threads_add(void *arg)
{
    threads_shared *shared = arg;
    for (int i = 0; i < THREADS_ROUNDS; i++) {
        uint32_t round = 0;
        while (i % 2 && !st_mutex_try_lock(&shared->mutex)) {
            st_env_pause(round++);
        }
        if (i % 2 == 0) {
            st_mutex_lock(&shared->mutex);
        }
        shared->count++;
        st_mutex_unlock(&shared->mutex);
    }
}

static void a_mutex_admits_one_at_a_time(void **state)
{
    (void)state;
    threads_shared shared;
    threads_init(&shared);
    threads_run(&shared, threads_add);
    assert_int_equal(shared.count, THREADS_COUNT * THREADS_ROUNDS);
    threads_deinit(&shared);
}

static void threads_try(void *arg)
{
    threads_shared *shared = arg;
    shared->slots[0] += st_mutex_try_lock(&shared->mutex) ? 1 : 0;
}

static void a_held_mutex_is_not_taken_by_trying(void **state)
{
    (void)state;
    threads_shared shared;
    st_op op;
    st_thread *thread;
    threads_init(&shared);
    st_op_init(&op, st_alloc_process());
    st_mutex_lock(&shared.mutex);
    assert_int_equal(
        st_env_thread_start(&op, st_env_posix(), "test", threads_try, &shared, &thread), ST_OK);
    st_env_thread_join(thread);
    assert_int_equal(shared.slots[0], 0);
    st_mutex_unlock(&shared.mutex);
    assert_true(st_mutex_try_lock(&shared.mutex));
    st_mutex_unlock(&shared.mutex);
    st_op_deinit(&op);
    threads_deinit(&shared);
}

/* One after the other: who has the turn gives it on with a signal to the one that may be waiting.
 */
static void threads_take_turns(void *arg)
{
    threads_shared *shared = arg;
    st_mutex_lock(&shared->mutex);
    int mine = shared->count++;
    for (int i = 0; i < 20; i++) {
        while (shared->turn % THREADS_COUNT != mine) {
            (void)st_cond_wait_for(&shared->cond, &shared->mutex, 60000000);
        }
        shared->turn++;
        st_cond_broadcast(&shared->cond);
    }
    st_mutex_unlock(&shared->mutex);
}

static void conditions_hand_a_turn_around(void **state)
{
    (void)state;
    threads_shared shared;
    threads_init(&shared);
    threads_run(&shared, threads_take_turns);
    assert_int_equal(shared.turn, 20 * THREADS_COUNT);
    threads_deinit(&shared);
}

static void a_wait_that_nobody_ends_times_out(void **state)
{
    (void)state;
    threads_shared shared;
    threads_init(&shared);
    st_mutex_lock(&shared.mutex);
    uint64_t before = st_env_monotonic_us(st_env_posix());
    while (st_cond_wait_for(&shared.cond, &shared.mutex, 2000)) { /* woken without a reason */
    }
    assert_true(st_env_monotonic_us(st_env_posix()) - before >= 2000);
    assert_false(st_mutex_try_lock(&shared.mutex)); /* it is held again */
    st_mutex_unlock(&shared.mutex);
    threads_deinit(&shared);
}

static void threads_use_memory(void *arg)
{
    threads_shared *shared = arg;
    st_op op;
    st_file *file, *common;
    st_file_lock *lock;
    char path[2][32];
    uint32_t slot = st_env_thread_slot();
    st_op_init(&op, st_alloc_process());
    snprintf(path[0], sizeof path[0], "/d/%u", (unsigned)slot);
    snprintf(path[1], sizeof path[1], "/d/%u moved", (unsigned)slot);
    bool is_good = st_env_open(&op, shared->env, "/d/common", ST_OPEN_WRITE | ST_OPEN_CREATE,
                               &common) == ST_OK;
    for (uint32_t i = 0; is_good && i < 50; i++) {
        uint8_t back[8];
        size_t got;
        uint32_t flags = ST_OPEN_WRITE | ST_OPEN_CREATE;
        is_good = st_env_open(&op, shared->env, path[0], flags, &file) == ST_OK &&
                  st_env_rename(&op, shared->env, path[0], path[1]) == ST_OK &&
                  st_file_write_at(&op, file, 20000 * i, &slot, sizeof slot) == ST_OK &&
                  st_file_write_at(&op, common, 4096 * (uint64_t)slot, &i, sizeof i) == ST_OK &&
                  st_file_read_at(&op, file, 20000 * i, back, 8, &got) == ST_OK && got == 4 &&
                  memcmp(back, &slot, 4) == 0 && st_env_remove(&op, shared->env, path[1]) == ST_OK;
        st_file_close(file);
        if (st_env_lock(&op, shared->env, "/d/lock", &lock) == ST_OK) {
            st_env_unlock(lock);
        }
        st_op_clear(&op);
    }
    st_file_close(common);
    st_op_deinit(&op);
    st_mutex_lock(&shared->mutex);
    shared->count += is_good;
    st_mutex_unlock(&shared->mutex);
}

static void the_memory_env_serves_several_threads(void **state)
{
    (void)state;
    threads_shared shared;
    st_op op;
    threads_init(&shared);
    st_op_init(&op, st_alloc_process());
    assert_int_equal(st_env_memory_create(&op, st_alloc_process(), &shared.env), ST_OK);
    assert_int_equal(st_env_mkdir(&op, shared.env, "/d"), ST_OK);
    threads_run(&shared, threads_use_memory);
    assert_int_equal(shared.count, THREADS_COUNT);
    st_env_destroy(shared.env);
    st_op_deinit(&op);
    threads_deinit(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_threads_have_different_slots_and_block_signals),
        cmocka_unit_test(a_mutex_admits_one_at_a_time),
        cmocka_unit_test(a_held_mutex_is_not_taken_by_trying),
        cmocka_unit_test(conditions_hand_a_turn_around),
        cmocka_unit_test(a_wait_that_nobody_ends_times_out),
        cmocka_unit_test(the_memory_env_serves_several_threads),
    };
    return cmocka_run_group_tests_name("env_threads", tests, NULL, NULL);
}
