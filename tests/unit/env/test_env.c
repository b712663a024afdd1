/* One contract, run over the posix and the memory Env. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "env/env.h"

typedef struct env_case {
    st_op op;
    st_env *env;
    char dir[64];
    char path[2][128];
} env_case;

static int env_setup(void **state, bool is_memory)
{
    env_case *c = calloc(1, sizeof *c);
    st_op_init(&c->op, st_alloc_process());
    strcpy(c->dir, "/tmp/stator-env-XXXXXX");
    if (is_memory) {
        assert_int_equal(st_env_memory_create(&c->op, st_alloc_process(), &c->env), ST_OK);
        assert_int_equal(st_env_mkdir(&c->op, c->env, c->dir), ST_OK);
    } else {
        c->env = st_env_posix();
        assert_non_null(mkdtemp(c->dir));
    }
    snprintf(c->path[0], sizeof c->path[0], "%s/one", c->dir);
    snprintf(c->path[1], sizeof c->path[1], "%s/two", c->dir);
    *state = c;
    return 0;
}

static int setup_posix(void **state)
{
    return env_setup(state, false);
}

static int setup_memory(void **state)
{
    return env_setup(state, true);
}

static int teardown(void **state)
{
    env_case *c = *state;
    st_op_clear(&c->op);
    (void)!st_env_remove(&c->op, c->env, c->path[0]);
    st_op_clear(&c->op);
    (void)!st_env_remove(&c->op, c->env, c->path[1]);
    if (c->env != st_env_posix()) {
        st_env_destroy(c->env);
    } else {
        rmdir(c->dir);
    }
    st_op_deinit(&c->op);
    free(c);
    return 0;
}

static st_file *env_open(env_case *c, int which, uint32_t flags)
{
    st_file *file;
    assert_int_equal(st_env_open(&c->op, c->env, c->path[which], flags, &file), ST_OK);
    return file;
}

static void test_bytes_come_back_and_gaps_are_zeros(void **state)
{
    env_case *c = *state;
    st_file *file = env_open(c, 0, ST_OPEN_WRITE | ST_OPEN_CREATE);
    assert_int_equal(st_file_write_at(&c->op, file, 40000, "hello", 5), ST_OK);
    assert_int_equal(st_file_write_at(&c->op, file, 1, "x", 1), ST_OK);
    uint8_t back[16];
    size_t bytes;
    assert_int_equal(st_file_read_at(&c->op, file, 39998, back, sizeof back, &bytes), ST_OK);
    assert_int_equal(bytes, 7);
    assert_memory_equal(back, "\0\0hello", 7);
    assert_int_equal(st_file_read_at(&c->op, file, 90000, back, sizeof back, &bytes), ST_OK);
    assert_int_equal(bytes, 0);
    uint64_t size;
    assert_int_equal(st_file_size(&c->op, file, &size), ST_OK);
    assert_int_equal(size, 40005);
    assert_int_equal(st_file_truncate(&c->op, file, 2), ST_OK);
    assert_int_equal(st_file_truncate(&c->op, file, 8), ST_OK);
    assert_int_equal(st_file_read_at(&c->op, file, 0, back, sizeof back, &bytes), ST_OK);
    assert_int_equal(bytes, 8);
    assert_memory_equal(back, "\0x\0\0\0\0\0\0", 8);
    assert_int_equal(st_file_sync(&c->op, file), ST_OK);
    st_file_close(file);
}

static void test_opening_follows_its_flags(void **state)
{
    env_case *c = *state;
    st_file *file;
    assert_int_equal(st_env_open(&c->op, c->env, c->path[0], ST_OPEN_READ, &file), ST_NOT_FOUND);
    assert_null(file);
    assert_non_null(strstr(c->op.error.message, c->path[0]));
    st_op_clear(&c->op);
    st_file_close(env_open(c, 0, ST_OPEN_WRITE | ST_OPEN_CREATE | ST_OPEN_EXCLUSIVE));
    assert_int_equal(st_env_open(&c->op, c->env, c->path[0],
                                 ST_OPEN_WRITE | ST_OPEN_CREATE | ST_OPEN_EXCLUSIVE, &file),
                     ST_IO);
    st_op_clear(&c->op);
    assert_int_equal(st_env_open(&c->op, c->env, c->dir, ST_OPEN_READ, &file), ST_IO);
}

static void test_names_are_listed_renamed_and_removed(void **state)
{
    env_case *c = *state;
    st_file_close(env_open(c, 1, ST_OPEN_WRITE | ST_OPEN_CREATE));
    st_file_close(env_open(c, 0, ST_OPEN_WRITE | ST_OPEN_CREATE));
    st_buf names;
    st_buf_init(&names, st_alloc_process());
    assert_int_equal(st_env_list(&c->op, c->env, c->dir, &names), ST_OK);
    assert_int_equal(names.size, 8);
    assert_memory_equal(names.data, "one\0two\0", 8);
    assert_int_equal(st_env_rename(&c->op, c->env, c->path[1], c->path[0]), ST_OK);
    assert_int_equal(st_env_sync_dir(&c->op, c->env, c->dir), ST_OK);
    assert_int_equal(st_env_list(&c->op, c->env, c->dir, &names), ST_OK);
    assert_int_equal(names.size, 4);
    assert_int_equal(st_env_remove(&c->op, c->env, c->path[0]), ST_OK);
    assert_int_equal(st_env_remove(&c->op, c->env, c->path[0]), ST_NOT_FOUND);
    st_op_clear(&c->op);
    uint64_t bytes;
    bool is_dir;
    assert_int_equal(st_env_stat(&c->op, c->env, c->dir, &bytes, &is_dir), ST_OK);
    assert_true(is_dir);
    assert_int_equal(st_env_mkdir(&c->op, c->env, c->dir), ST_OK);
    st_buf_deinit(&names);
}

static void test_a_removed_file_stays_readable_while_open(void **state)
{
    env_case *c = *state;
    st_file *file = env_open(c, 0, ST_OPEN_WRITE | ST_OPEN_CREATE);
    assert_int_equal(st_file_write_at(&c->op, file, 0, "abc", 3), ST_OK);
    assert_int_equal(st_env_remove(&c->op, c->env, c->path[0]), ST_OK);
    char back[3];
    size_t bytes;
    assert_int_equal(st_file_read_at(&c->op, file, 0, back, 3, &bytes), ST_OK);
    assert_memory_equal(back, "abc", 3);
    st_file_close(file);
}

static void test_a_lock_is_held_by_one(void **state)
{
    env_case *c = *state;
    st_file_lock *lock, *second;
    assert_int_equal(st_env_lock(&c->op, c->env, c->path[0], &lock), ST_OK);
    assert_int_equal(st_env_lock(&c->op, c->env, c->path[0], &second), ST_LOCKED);
    assert_null(second);
    st_op_clear(&c->op);
    st_env_unlock(lock);
    assert_int_equal(st_env_lock(&c->op, c->env, c->path[0], &lock), ST_OK);
    st_env_unlock(lock);
}

static void test_another_process_is_told_the_pid_and_a_child_keeps_no_lock(void **state)
{
    env_case *c = *state;
    st_file_lock *lock, *second;
    uint64_t stamp = st_env_process_stamp();
    assert_int_equal(st_env_lock(&c->op, c->env, c->path[0], &lock), ST_OK);
    int held[2], report[2];
    assert_int_equal(pipe(held) | pipe(report), 0);
    pid_t child = fork();
    if (child == 0) {
        char answer = st_env_process_stamp() == stamp ? 'S' : 'D';
        if (st_env_lock(&c->op, c->env, c->path[0], &second) != ST_LOCKED) {
            answer = 'L';
        }
        char pid[32];
        snprintf(pid, sizeof pid, "pid %ld;", (long)getppid());
        if (!strstr(c->op.error.message, pid)) {
            answer = 'M';
        }
        (void)!write(report[1], &answer, 1);
        (void)!read(held[0], &answer, 1);
        _exit(0);
    }
    char answer;
    assert_int_equal(read(report[0], &answer, 1), 1);
    assert_int_equal(answer, 'D');
    assert_int_equal(st_env_process_stamp(), stamp);
    st_env_unlock(lock); /* the child still lives */
    assert_int_equal(st_env_lock(&c->op, c->env, c->path[0], &lock), ST_OK);
    st_env_unlock(lock);
    assert_int_equal(write(held[1], "x", 1), 1);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(held[0]), close(held[1]), close(report[0]), close(report[1]);
}

typedef struct env_counter {
    st_mutex mutex;
    st_cond cond;
    int count;
    uint32_t slots[2];
} env_counter;

static void env_count(void *arg)
{
    env_counter *counter = arg;
    st_mutex_lock(&counter->mutex);
    counter->slots[counter->count++] = st_env_thread_slot();
    st_cond_broadcast(&counter->cond);
    st_mutex_unlock(&counter->mutex);
}

static void test_threads_wait_for_each_other(void **state)
{
    env_case *c = *state;
    env_counter counter = {.count = 0};
    st_mutex_init(&counter.mutex);
    st_cond_init(&counter.cond);
    st_thread *threads[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            st_env_thread_start(&c->op, c->env, "test", env_count, &counter, &threads[i]), ST_OK);
    }
    st_mutex_lock(&counter.mutex);
    while (counter.count < 2) {
        st_cond_wait(&counter.cond, &counter.mutex);
    }
    assert_false(st_cond_wait_for(&counter.cond, &counter.mutex, 1));
    st_mutex_unlock(&counter.mutex);
    st_env_thread_join(threads[0]);
    st_env_thread_join(threads[1]);
    assert_int_not_equal(counter.slots[0], counter.slots[1]);
    st_cond_deinit(&counter.cond);
    st_mutex_deinit(&counter.mutex);
    uint8_t random[2][16];
    assert_int_equal(st_env_entropy(&c->op, c->env, random[0], 16), ST_OK);
    assert_int_equal(st_env_entropy(&c->op, c->env, random[1], 16), ST_OK);
    assert_memory_not_equal(random[0], random[1], 16);
    assert_true(st_env_monotonic_us(c->env) <= st_env_monotonic_us(c->env));
}

#define ENV_TESTS(setup)                                                                       \
    cmocka_unit_test_setup_teardown(test_bytes_come_back_and_gaps_are_zeros, setup, teardown), \
        cmocka_unit_test_setup_teardown(test_opening_follows_its_flags, setup, teardown),      \
        cmocka_unit_test_setup_teardown(test_names_are_listed_renamed_and_removed, setup,      \
                                        teardown),                                             \
        cmocka_unit_test_setup_teardown(test_a_removed_file_stays_readable_while_open, setup,  \
                                        teardown),                                             \
        cmocka_unit_test_setup_teardown(test_a_lock_is_held_by_one, setup, teardown),          \
        cmocka_unit_test_setup_teardown(test_threads_wait_for_each_other, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENV_TESTS(setup_posix),
        ENV_TESTS(setup_memory),
        cmocka_unit_test_setup_teardown(
            test_another_process_is_told_the_pid_and_a_child_keeps_no_lock, setup_posix, teardown),
    };
    return cmocka_run_group_tests_name("env", tests, NULL, NULL);
}
