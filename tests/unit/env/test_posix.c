/* What only the process' own files can show: the lock between processes and over forks, the texts
 * of the system's errors, the death of a file whose write failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "env/env.h"
#include "env/env_internal.h"

typedef struct posix_case {
    st_op op;
    st_env *env;
    char dir[64];
    char path[128];
} posix_case;

static int setup(void **state)
{
    posix_case *c = calloc(1, sizeof *c);
    st_op_init(&c->op, st_alloc_process());
    c->env = st_env_posix();
    strcpy(c->dir, "/tmp/stator-env-XXXXXX");
    assert_non_null(mkdtemp(c->dir));
    snprintf(c->path, sizeof c->path, "%s/file", c->dir);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    posix_case *c = *state;
    unlink(c->path);
    assert_int_equal(rmdir(c->dir), 0);
    st_op_deinit(&c->op);
    free(c);
    return 0;
}

/* Runs in a child; what it returns is its answer, one character. */
static char posix_in_child(posix_case *c, char (*run)(posix_case *c, void *arg), void *arg)
{
    int answer;
    pid_t child = fork();
    if (child == 0) {
        _exit(run(c, arg));
    }
    assert_int_equal(waitpid(child, &answer, 0), child);
    assert_true(WIFEXITED(answer));
    return (char)WEXITSTATUS(answer);
}

/* ---- lock ------------------------------------------------------------------------------- */

static char posix_try_lock(posix_case *c, void *arg)
{
    (void)arg;
    st_file_lock *lock;
    char pid[32];
    snprintf(pid, sizeof pid, "locked by pid %ld;", (long)getppid());
    st_status status = st_env_lock(&c->op, c->env, c->path, &lock);
    return status == ST_OK                    ? 'O'
           : status != ST_LOCKED              ? 'E'
           : strstr(c->op.error.message, pid) ? 'L'
                                              : 'M';
}

static void another_process_is_told_who_has_the_lock(void **state)
{
    posix_case *c = *state;
    st_file_lock *lock, *second;
    assert_int_equal(st_env_lock(&c->op, c->env, c->path, &lock), ST_OK);
    assert_int_equal(posix_in_child(c, posix_try_lock, NULL), 'L');
    assert_int_equal(st_env_lock(&c->op, c->env, c->path, &second), ST_LOCKED);
    assert_null(second);
    st_op_clear(&c->op);
    st_env_unlock(lock);
    assert_int_equal(posix_in_child(c, posix_try_lock, NULL), 'O');
    assert_int_equal(st_env_lock(&c->op, c->env, c->path, &lock), ST_OK); /* the child has ended */
    st_env_unlock(lock);
}

static void the_lock_file_names_the_process_its_start_and_its_host(void **state)
{
    posix_case *c = *state;
    long pid;
    unsigned long long start[2];
    char host[2][128] = {"", ""};
    for (int i = 0; i < 2; i++) {
        st_file_lock *lock;
        assert_int_equal(st_env_lock(&c->op, c->env, c->path, &lock), ST_OK);
        FILE *text = fopen(c->path, "r");
        assert_int_equal(fscanf(text, "%ld %llu %127s", &pid, &start[i], host[i]), 3);
        fclose(text);
        st_env_unlock(lock);
        assert_int_equal(pid, getpid());
    }
    assert_true(start[1] + 1 >= start[0] && start[0] + 1 >= start[1]);
    assert_true(start[0] <= st_env_time_us(c->env) / 1000000 + 1);
    char real[128] = "";
    gethostname(real, sizeof real - 1);
    assert_string_equal(host[0], real);
}

typedef struct posix_inherited {
    st_file_lock *lock;
    int told[2], ends[2];
} posix_inherited;

static void a_living_child_keeps_no_lock(void **state)
{
    posix_case *c = *state;
    posix_inherited inherited;
    assert_int_equal(pipe(inherited.told) | pipe(inherited.ends), 0);
    assert_int_equal(st_env_lock(&c->op, c->env, c->path, &inherited.lock), ST_OK);
    pid_t child = fork();
    char byte = 'x';
    if (child == 0) {
        (void)!write(inherited.told[1], &byte, 1);
        (void)!read(inherited.ends[0], &byte, 1);
        _exit(0);
    }
    assert_int_equal(read(inherited.told[0], &byte, 1), 1);
    assert_int_equal(posix_in_child(c, posix_try_lock, NULL), 'L');
    st_env_unlock(inherited.lock);
    assert_int_equal(st_env_lock(&c->op, c->env, c->path, &inherited.lock), ST_OK);
    st_env_unlock(inherited.lock);
    assert_int_equal(write(inherited.ends[1], &byte, 1), 1);
    assert_int_equal(waitpid(child, NULL, 0), child);
    for (int i = 0; i < 2; i++) {
        close(inherited.told[i]);
        close(inherited.ends[i]);
    }
}

static char posix_drop_inherited(posix_case *c, void *arg)
{
    (void)c;
    int descriptor = dup(STDERR_FILENO); /* gets the number that the lock had */
    st_env_unlock(arg);
    return fcntl(descriptor, F_GETFD) >= 0 ? 'O' : 'C';
}

static void a_child_that_drops_the_lock_leaves_it_and_its_own_files_alone(void **state)
{
    posix_case *c = *state;
    st_file_lock *lock;
    assert_int_equal(st_env_lock(&c->op, c->env, c->path, &lock), ST_OK);
    assert_int_equal(posix_in_child(c, posix_drop_inherited, lock), 'O');
    assert_int_equal(posix_in_child(c, posix_try_lock, NULL), 'L');
    st_env_unlock(lock);
}

/* ---- fork stamp ------------------------------------------------------------------------- */

static char posix_stamp_in_grandchild(posix_case *c, void *arg)
{
    (void)c;
    const uint64_t *stamps = arg;
    uint64_t stamp = st_env_process_stamp();
    return stamp != stamps[0] && stamp != stamps[1] ? 'D' : 'S';
}

static char posix_stamp_in_child(posix_case *c, void *arg)
{
    uint64_t stamps[2] = {*(uint64_t *)arg, st_env_process_stamp()};
    if (stamps[1] == stamps[0] || stamps[1] != st_env_process_stamp()) {
        return 'S';
    }
    return posix_in_child(c, posix_stamp_in_grandchild, stamps);
}

static void the_stamp_differs_in_children_and_their_children(void **state)
{
    uint64_t stamp = st_env_process_stamp();
    assert_int_equal(posix_in_child(*state, posix_stamp_in_child, &stamp), 'D');
    assert_int_equal(st_env_process_stamp(), stamp);
}

/* ---- errors ----------------------------------------------------------------------------- */

static void every_errno_has_its_status_and_text(void **state)
{
    posix_case *c = *state;
    static const struct {
        int number;
        st_status status;
    } rows[] = {{ENOENT, ST_NOT_FOUND}, {ENOSPC, ST_NO_SPACE}, {EDQUOT, ST_NO_SPACE},
                {ENOMEM, ST_NO_MEMORY}, {EIO, ST_IO},          {EACCES, ST_IO}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int number = rows[i].number;
        assert_int_equal(st_env__fail_errno_at(&c->op, number, "cannot read", "/a/b", 512),
                         rows[i].status);
        assert_int_equal(c->op.error.os_error, number);
        assert_int_equal(c->op.error.position, 512);
        assert_non_null(strstr(c->op.error.message, "/a/b at offset 512"));
        assert_non_null(strstr(c->op.error.message, strerror(number)));
        st_op_clear(&c->op);
    }
    assert_int_equal(st_env__fail_errno_at(&c->op, EIO, "cannot read", "/a/b", UINT64_MAX), ST_IO);
    assert_int_equal(c->op.error.position, -1);
}

static void a_later_error_leaves_the_errno_of_the_first(void **state)
{
    posix_case *c = *state;
    (void)st_fail(&c->op, ST_CORRUPT, "first");
    (void)st_env__fail_errno(&c->op, EIO, "cannot read", "/a/b");
    assert_int_equal(c->op.error.code, ST_CORRUPT);
    assert_int_equal(c->op.error.os_error, 0);
}

static void a_file_whose_write_failed_is_dead_but_reads(void **state)
{
    posix_case *c = *state;
    st_file *file, *second;
    struct rlimit before, limit;
    static char bytes[16384], back[16384];
    memset(bytes, 'b', sizeof bytes);
    assert_int_equal(st_env_open(&c->op, c->env, c->path, ST_OPEN_WRITE | ST_OPEN_CREATE, &file),
                     ST_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 12288;
    void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    st_status status = st_file_write_at(&c->op, file, 0, bytes, sizeof bytes);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, old);
    assert_int_equal(status, ST_IO);
    assert_int_equal(c->op.error.os_error, EFBIG);
    assert_int_equal(c->op.error.position, 12288); /* the part before it was written */
    assert_non_null(strstr(c->op.error.message, c->path));
    st_op_clear(&c->op);
    size_t got;
    assert_int_equal(st_file_write_at(&c->op, file, 0, bytes, 1), ST_FAILED);
    assert_int_equal(st_file_sync(&c->op, file), ST_FAILED);
    assert_int_equal(st_file_truncate(&c->op, file, 0), ST_FAILED);
    assert_int_equal(st_file_read_at(&c->op, file, 0, back, sizeof back, &got), ST_OK);
    assert_int_equal(got, 12288);
    st_op_clear(&c->op);
    assert_int_equal(st_env_open(&c->op, c->env, c->path, ST_OPEN_WRITE, &second), ST_OK);
    assert_int_equal(st_file_write_at(&c->op, second, 0, bytes, 1), ST_OK); /* it was the handle */
    st_file_close(second);
    st_file_close(file);
}

static void a_path_is_made_real(void **state)
{
    posix_case *c = *state;
    char link[160], through[192];
    snprintf(link, sizeof link, "%s/link", c->dir);
    snprintf(through, sizeof through, "%s/../link/file", link);
    assert_int_equal(symlink(c->dir, link), 0);
    st_buf real;
    st_buf_init(&real, st_alloc_process());
    snprintf(through, sizeof through, "%s/./file", link);
    assert_int_equal(st_env_real_path(&c->op, c->env, through, &real), ST_OK);
    char wanted[4096];
    assert_non_null(realpath(c->dir, wanted));
    strcat(wanted, "/file"); /* which does not exist */
    assert_string_equal((const char *)real.data, wanted);
    st_buf_deinit(&real);
    assert_int_equal(unlink(link), 0);
}

int main(void)
{
#define POSIX_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        POSIX_TEST(another_process_is_told_who_has_the_lock),
        POSIX_TEST(the_lock_file_names_the_process_its_start_and_its_host),
        POSIX_TEST(a_living_child_keeps_no_lock),
        POSIX_TEST(a_child_that_drops_the_lock_leaves_it_and_its_own_files_alone),
        POSIX_TEST(the_stamp_differs_in_children_and_their_children),
        POSIX_TEST(every_errno_has_its_status_and_text),
        POSIX_TEST(a_later_error_leaves_the_errno_of_the_first),
        POSIX_TEST(a_file_whose_write_failed_is_dead_but_reads),
        POSIX_TEST(a_path_is_made_real),
    };
    return cmocka_run_group_tests_name("env_posix", tests, NULL, NULL);
}
