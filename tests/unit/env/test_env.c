/* One contract, run over the posix, the memory and the simulated Env. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "env/env.h"
#include "support/simfs.h"

typedef struct env_case {
    st_op op;
    st_env *env;
    simfs *sim; /* NULL: another Env */
    char dir[64];
    char path[2][128];
} env_case;

typedef enum env_kind { ENV_POSIX, ENV_MEMORY, ENV_SIMFS } env_kind;

static int env_setup(void **state, env_kind kind)
{
    env_case *c = calloc(1, sizeof *c);
    st_op_init(&c->op, st_alloc_process());
    strcpy(c->dir, kind == ENV_POSIX ? "/tmp/stator-env-XXXXXX" : "/files");
    if (kind == ENV_POSIX) {
        c->env = st_env_posix();
        assert_non_null(mkdtemp(c->dir));
    } else if (kind == ENV_MEMORY) {
        assert_int_equal(st_env_memory_create(&c->op, st_alloc_process(), &c->env), ST_OK);
    } else {
        c->sim = simfs_create(1);
        c->env = simfs_env(c->sim);
    }
    assert_int_equal(st_env_mkdir(&c->op, c->env, c->dir), ST_OK);
    snprintf(c->path[0], sizeof c->path[0], "%s/one", c->dir);
    snprintf(c->path[1], sizeof c->path[1], "%s/two", c->dir);
    *state = c;
    return 0;
}

static int setup_posix(void **state)
{
    return env_setup(state, ENV_POSIX);
}

static int setup_memory(void **state)
{
    return env_setup(state, ENV_MEMORY);
}

static int setup_simfs(void **state)
{
    return env_setup(state, ENV_SIMFS);
}

static int teardown(void **state)
{
    env_case *c = *state;
    for (int i = 0; i < 2; i++) {
        st_op_clear(&c->op);
        (void)!st_env_remove(&c->op, c->env, c->path[i]);
    }
    if (c->sim) {
        assert_int_equal(simfs_open_handles(c->sim), 0);
        simfs_destroy(c->sim);
    } else if (c->env == st_env_posix()) {
        assert_int_equal(rmdir(c->dir), 0);
    } else {
        st_env_destroy(c->env);
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

static void test_clocks_go_on_and_entropy_differs(void **state)
{
    env_case *c = *state;
    uint8_t random[2][16];
    assert_int_equal(st_env_entropy(&c->op, c->env, random[0], 16), ST_OK);
    assert_int_equal(st_env_entropy(&c->op, c->env, random[1], 16), ST_OK);
    assert_memory_not_equal(random[0], random[1], 16);
    uint64_t before = st_env_monotonic_us(c->env);
    assert_true(before <= st_env_monotonic_us(c->env));
    assert_true(st_env_time_us(c->env) > 1600000000000000); /* 2020 */
}

static void test_a_handle_opened_for_reading_does_not_write(void **state)
{
    env_case *c = *state;
    st_file_close(env_open(c, 0, ST_OPEN_WRITE | ST_OPEN_CREATE));
    st_file *file = env_open(c, 0, ST_OPEN_READ);
    assert_int_equal(st_file_write_at(&c->op, file, 0, "abc", 3), ST_IO);
    st_op_clear(&c->op);
    uint64_t bytes;
    assert_int_equal(st_file_size(&c->op, file, &bytes), ST_OK);
    assert_int_equal(bytes, 0);
    st_file_close(file);
}

static void test_two_handles_see_one_file(void **state)
{
    env_case *c = *state;
    st_file *writer = env_open(c, 0, ST_OPEN_WRITE | ST_OPEN_CREATE);
    st_file *reader = env_open(c, 0, ST_OPEN_READ);
    assert_int_equal(st_file_write_at(&c->op, writer, 16380, "across a page", 13), ST_OK);
    char back[13];
    size_t bytes;
    assert_int_equal(st_file_read_at(&c->op, reader, 16380, back, sizeof back, &bytes), ST_OK);
    assert_int_equal(bytes, 13);
    assert_memory_equal(back, "across a page", 13);
    st_file_close(writer);
    st_file_close(reader);
}

static void test_what_is_missing_is_not_found_with_its_errno(void **state)
{
    env_case *c = *state;
    char inside[256];
    snprintf(inside, sizeof inside, "%s/none/file", c->dir);
    st_file *file;
    uint64_t bytes;
    bool is_dir;
    st_buf names;
    st_buf_init(&names, st_alloc_process());
    st_status found[6] = {
        st_env_open(NULL, c->env, inside, ST_OPEN_WRITE | ST_OPEN_CREATE, &file),
        st_env_open(NULL, c->env, c->path[0], ST_OPEN_WRITE, &file),
        st_env_list(NULL, c->env, c->path[0], &names),
        st_env_remove(NULL, c->env, c->path[0]),
        st_env_rename(NULL, c->env, c->path[0], c->path[1]),
        st_env_stat(&c->op, c->env, c->path[0], &bytes, &is_dir),
    };
    for (int i = 0; i < 6; i++) {
        assert_int_equal(found[i], ST_NOT_FOUND);
    }
    assert_int_equal(c->op.error.os_error, ENOENT);
    assert_non_null(strstr(c->op.error.message, c->path[0]));
    st_buf_deinit(&names);
}

static void test_a_directory_is_no_file(void **state)
{
    env_case *c = *state;
    assert_int_equal(st_env_remove(&c->op, c->env, c->dir), ST_IO);
    st_op_clear(&c->op);
    st_file_close(env_open(c, 0, ST_OPEN_WRITE | ST_OPEN_CREATE));
    assert_int_equal(st_env_mkdir(&c->op, c->env, c->path[0]), ST_IO);
    st_op_clear(&c->op);
    assert_int_equal(st_env_rename(&c->op, c->env, c->path[0], c->dir), ST_IO);
    st_op_clear(&c->op);
    uint64_t bytes;
    bool is_dir;
    assert_int_equal(st_env_stat(&c->op, c->env, c->path[0], &bytes, &is_dir), ST_OK);
    assert_false(is_dir);
}

static void test_a_rename_replaces_what_others_still_read(void **state)
{
    env_case *c = *state;
    st_file *old = env_open(c, 0, ST_OPEN_WRITE | ST_OPEN_CREATE);
    assert_int_equal(st_file_write_at(&c->op, old, 0, "old", 3), ST_OK);
    st_file *file = env_open(c, 1, ST_OPEN_WRITE | ST_OPEN_CREATE);
    assert_int_equal(st_file_write_at(&c->op, file, 0, "newer", 5), ST_OK);
    st_file_close(file);
    assert_int_equal(st_env_rename(&c->op, c->env, c->path[1], c->path[0]), ST_OK);
    assert_int_equal(st_env_rename(&c->op, c->env, c->path[0], c->path[0]), ST_OK);
    char back[8];
    size_t bytes;
    assert_int_equal(st_file_read_at(&c->op, old, 0, back, sizeof back, &bytes), ST_OK);
    assert_int_equal(bytes, 3);
    file = env_open(c, 0, ST_OPEN_READ);
    assert_int_equal(st_file_read_at(&c->op, file, 0, back, sizeof back, &bytes), ST_OK);
    assert_int_equal(bytes, 5);
    st_file_close(old);
    st_file_close(file);
}

#define ENV_TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define ENV_TESTS(setup)                                                   \
    ENV_TEST(test_bytes_come_back_and_gaps_are_zeros, setup),              \
        ENV_TEST(test_opening_follows_its_flags, setup),                   \
        ENV_TEST(test_names_are_listed_renamed_and_removed, setup),        \
        ENV_TEST(test_a_removed_file_stays_readable_while_open, setup),    \
        ENV_TEST(test_a_lock_is_held_by_one, setup),                       \
        ENV_TEST(test_clocks_go_on_and_entropy_differs, setup),            \
        ENV_TEST(test_a_handle_opened_for_reading_does_not_write, setup),  \
        ENV_TEST(test_two_handles_see_one_file, setup),                    \
        ENV_TEST(test_what_is_missing_is_not_found_with_its_errno, setup), \
        ENV_TEST(test_a_directory_is_no_file, setup),                      \
        ENV_TEST(test_a_rename_replaces_what_others_still_read, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENV_TESTS(setup_posix),
        ENV_TESTS(setup_memory),
        ENV_TESTS(setup_simfs),
    };
    return cmocka_run_group_tests_name("env", tests, NULL, NULL);
}
