/* What the memory Env promises beyond the contract of every Env: a failed allocation changes
 * nothing, and nothing is left when the Env is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "env/env.h"
#include "support/fault_alloc.h"

typedef struct memory_case {
    fault_alloc fault;
    st_op op;
    st_env *env;
    st_file *file;
} memory_case;

static int setup(void **state)
{
    memory_case *c = calloc(1, sizeof *c);
    fault_alloc_init(&c->fault);
    st_op_init(&c->op, &c->fault.alloc);
    assert_int_equal(st_env_memory_create(&c->op, &c->fault.alloc, &c->env), ST_OK);
    assert_int_equal(st_env_open(&c->op, c->env, "file", ST_OPEN_WRITE | ST_OPEN_CREATE, &c->file),
                     ST_OK);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    memory_case *c = *state;
    st_file_close(c->file);
    st_env_destroy(c->env);
    st_op_deinit(&c->op);
    fault_alloc_deinit(&c->fault); /* ends the program when anything is left */
    free(c);
    return 0;
}

static uint64_t memory_size_of(memory_case *c)
{
    uint64_t bytes;
    assert_int_equal(st_file_size(&c->op, c->file, &bytes), ST_OK);
    return bytes;
}

static void a_write_without_memory_changes_nothing_and_may_be_repeated(void **state)
{
    memory_case *c = *state;
    static uint8_t bytes[200000], back[200000];
    memset(bytes, 'b', sizeof bytes);
    assert_int_equal(st_file_write_at(&c->op, c->file, 0, "old", 3), ST_OK);
    uint64_t failures = 0;
    for (uint64_t at = 1;; at++) {
        fault_alloc_fail_after(&c->fault, at, false);
        st_status status = st_file_write_at(&c->op, c->file, 0, bytes, sizeof bytes);
        bool has_failed = c->fault.has_failed;
        fault_alloc_fail_after(&c->fault, 0, false);
        if (!has_failed) {
            assert_int_equal(status, ST_OK);
            break;
        }
        failures++;
        assert_int_equal(status, ST_NO_MEMORY);
        st_op_clear(&c->op);
        size_t got;
        assert_int_equal(memory_size_of(c), 3);
        assert_int_equal(st_file_read_at(&c->op, c->file, 0, back, sizeof back, &got), ST_OK);
        assert_int_equal(got, 3);
        assert_memory_equal(back, "old", 3);
        assert_int_equal(st_file_sync(&c->op, c->file), ST_OK);
    }
    assert_true(failures > 0);
    size_t got;
    assert_int_equal(st_file_read_at(&c->op, c->file, 0, back, sizeof back, &got), ST_OK);
    assert_int_equal(got, sizeof bytes);
    assert_memory_equal(back, bytes, sizeof bytes);
}

static void a_longer_file_without_memory_keeps_its_length(void **state)
{
    memory_case *c = *state;
    assert_int_equal(st_file_write_at(&c->op, c->file, 0, "old", 3), ST_OK);
    fault_alloc_fail_after(&c->fault, 1, true);
    assert_int_equal(st_file_truncate(&c->op, c->file, 1000000), ST_NO_MEMORY);
    fault_alloc_fail_after(&c->fault, 0, false);
    st_op_clear(&c->op);
    assert_int_equal(memory_size_of(c), 3);
    assert_int_equal(st_file_truncate(&c->op, c->file, 1000000), ST_OK);
    assert_int_equal(memory_size_of(c), 1000000);
}

static void names_are_unchanged_when_there_is_no_memory_for_them(void **state)
{
    memory_case *c = *state;
    st_file *file;
    st_file_lock *lock;
    st_buf names;
    fault_alloc_fail_after(&c->fault, 1, true);
    assert_int_equal(st_env_open(&c->op, c->env, "new", ST_OPEN_WRITE | ST_OPEN_CREATE, &file),
                     ST_NO_MEMORY);
    assert_null(file);
    assert_int_equal(st_env_mkdir(&c->op, c->env, "directory"), ST_NO_MEMORY);
    assert_int_equal(st_env_rename(&c->op, c->env, "file", "new"), ST_NO_MEMORY);
    assert_int_equal(st_env_lock(&c->op, c->env, "lock", &lock), ST_NO_MEMORY);
    assert_null(lock);
    fault_alloc_fail_after(&c->fault, 2, false); /* the name's copy, not what holds it */
    assert_int_equal(st_env_mkdir(&c->op, c->env, "directory"), ST_NO_MEMORY);
    fault_alloc_fail_after(&c->fault, 0, false);
    st_op_clear(&c->op);
    uint64_t bytes;
    bool is_dir;
    assert_int_equal(st_env_stat(&c->op, c->env, "file", &bytes, &is_dir), ST_OK);
    static const char *const missing[] = {"new", "directory", "lock"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(st_env_stat(&c->op, c->env, missing[i], &bytes, &is_dir), ST_NOT_FOUND);
        st_op_clear(&c->op);
    }
    assert_int_equal(st_env_mkdir(&c->op, c->env, "directory"), ST_OK);
    assert_int_equal(
        st_env_open(&c->op, c->env, "directory/x", ST_OPEN_WRITE | ST_OPEN_CREATE, &file), ST_OK);
    st_file_close(file);
    st_buf_init(&names, &c->fault.alloc);
    fault_alloc_fail_after(&c->fault, 1, true);
    assert_int_equal(st_env_list(&c->op, c->env, "directory", &names), ST_NO_MEMORY);
    fault_alloc_fail_after(&c->fault, 0, false);
    st_buf_deinit(&names);
}

static void offsets_past_every_file_are_refused(void **state)
{
    memory_case *c = *state;
    st_file *file;
    assert_int_equal(st_env_open(&c->op, c->env, "file", ST_OPEN_WRITE, &file), ST_OK);
    assert_int_equal(st_file_write_at(&c->op, file, UINT64_MAX - 1, "abc", 3), ST_IO);
    assert_int_equal(c->op.error.position, -1);
    st_op_clear(&c->op);
    assert_int_equal(st_file_write_at(&c->op, file, 0, "abc", 3), ST_FAILED);
    st_op_clear(&c->op);
    st_file_close(file);
    assert_int_equal(memory_size_of(c), 0);
    assert_int_equal(st_file_write_at(&c->op, c->file, 0, "abc", 3), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_write_without_memory_changes_nothing_and_may_be_repeated,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_longer_file_without_memory_keeps_its_length, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(names_are_unchanged_when_there_is_no_memory_for_them, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(offsets_past_every_file_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests_name("env_memory", tests, NULL, NULL);
}
