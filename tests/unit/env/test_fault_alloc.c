/* The failing allocator fails when told, and ends a program that gives back the wrong size or
 * leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/fault_alloc.h"

static void it_counts_what_is_alive(void **state)
{
    (void)state;
    fault_alloc fault;
    fault_alloc_init(&fault);
    char *a = st_alloc_new(&fault.alloc, 10), *b = st_alloc_resize(&fault.alloc, NULL, 0, 100);
    strcpy(a, "kept");
    assert_int_equal(fault.live_blocks, 2);
    assert_int_equal(fault.live_bytes, 110);
    a = st_alloc_resize(&fault.alloc, a, 10, 50);
    assert_string_equal(a, "kept");
    assert_int_equal(fault.live_blocks, 2);
    assert_int_equal(fault.live_bytes, 150);
    st_alloc_free(&fault.alloc, a, 50);
    st_alloc_free(&fault.alloc, b, 100);
    assert_int_equal(fault.live_blocks, 0);
    assert_int_equal(fault.live_bytes, 0);
    assert_int_equal(fault.calls, 3);
    fault_alloc_deinit(&fault);
}

static void an_allocation_fails_once_or_for_ever(void **state)
{
    (void)state;
    fault_alloc fault;
    fault_alloc_init(&fault);
    char *a = st_alloc_new(&fault.alloc, 10);
    strcpy(a, "kept");
    fault_alloc_fail_after(&fault, 2, false);
    char *b = st_alloc_new(&fault.alloc, 10);
    assert_non_null(b);
    assert_false(fault.has_failed);
    assert_null(st_alloc_resize(&fault.alloc, a, 10, 20));
    assert_true(fault.has_failed);
    assert_string_equal(a, "kept"); /* a block that could not grow is as it was */
    a = st_alloc_resize(&fault.alloc, a, 10, 20);
    assert_non_null(a);
    fault_alloc_fail_after(&fault, 1, true);
    for (int i = 0; i < 3; i++) {
        assert_null(st_alloc_new(&fault.alloc, 1));
    }
    st_alloc_free(&fault.alloc, b, 10); /* giving back never fails */
    st_alloc_free(&fault.alloc, a, 20);
    fault_alloc_deinit(&fault);
}

static void fault_wrong_free(fault_alloc *fault)
{
    st_alloc_free(&fault->alloc, st_alloc_new(&fault->alloc, 10), 11);
}

static void fault_wrong_resize(fault_alloc *fault)
{
    (void)st_alloc_resize(&fault->alloc, st_alloc_new(&fault->alloc, 10), 9, 20);
}

static void fault_leak(fault_alloc *fault)
{
    (void)st_alloc_new(&fault->alloc, 10);
    fault_alloc_deinit(fault);
}

static void fault_nothing(fault_alloc *fault)
{
    fault_alloc_deinit(fault);
}

static bool fault_ends(void (*run)(fault_alloc *fault))
{
    int end;
    pid_t child = fork();
    if (child == 0) {
        fault_alloc fault;
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        signal(SIGABRT, SIG_DFL); /* not what the test's framework makes of it */
        fault_alloc_init(&fault);
        run(&fault);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &end, 0), child);
    return WIFSIGNALED(end) && WTERMSIG(end) == SIGABRT;
}

static void wrong_sizes_and_leaks_end_the_program(void **state)
{
    (void)state;
    assert_true(fault_ends(fault_wrong_free));
    assert_true(fault_ends(fault_wrong_resize));
    assert_true(fault_ends(fault_leak));
    assert_false(fault_ends(fault_nothing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_counts_what_is_alive),
        cmocka_unit_test(an_allocation_fails_once_or_for_ever),
        cmocka_unit_test(wrong_sizes_and_leaks_end_the_program),
    };
    return cmocka_run_group_tests_name("env_fault_alloc", tests, NULL, NULL);
}
