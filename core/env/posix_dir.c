/* Directories and the lock file of the process' own file system, and the table of the posix Env.
 *
 * The lock is an OFD lock: it belongs to the open file, not to the process, so that closing another
 * descriptor of the file does not drop it, and a second opener in the same process is refused as
 * well. A forked child shares the open file; its fork handler closes the child's descriptors, which
 * leaves the parent's lock alone. A descriptor that could hold the lock exists only while it is in
 * the list or the mutex of the list is held: a fork waits for that mutex, so that no child inherits
 * one it does not know of.
 */
#include "env/env_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static st_status posix_mkdir(st_op *op, st_env *env, const char *path)
{
    (void)env;
    struct stat stat_of;
    if (mkdir(path, 0755) == 0) {
        return ST_OK;
    }
    int number = errno;
    if (number == EEXIST && stat(path, &stat_of) == 0 && S_ISDIR(stat_of.st_mode)) {
        return ST_OK;
    }
    return st_env__fail_errno(op, number == EEXIST ? ENOTDIR : number, "cannot make the directory",
                              path);
}

static int posix_compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Replaces names in the order of the directory by sorted ones. */
static st_status posix_sort_names(st_op *op, st_buf *names)
{
    size_t count = 0;
    for (size_t i = 0; i < names->size; i++) {
        count += names->data[i] == 0;
    }
    if (count < 2) {
        return ST_OK;
    }
    const char **sorted = st_arena_alloc(&op->arena, count * sizeof *sorted);
    char *copy = st_arena_alloc(&op->arena, names->size);
    if (!sorted || !copy) {
        return st_fail_memory(op, names->size);
    }
    memcpy(copy, names->data, names->size);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = copy + at;
        at += strlen(copy + at) + 1;
    }
    qsort(sorted, count, sizeof *sorted, posix_compare_names);
    st_buf_clear(names);
    for (size_t i = 0; i < count; i++) {
        st_buf_append(names, sorted[i], strlen(sorted[i]) + 1);
    }
    return st_buf_check(op, names);
}

static st_status posix_list(st_op *op, st_env *env, const char *path, st_buf *out_names)
{
    (void)env;
    DIR *directory = opendir(path);
    if (!directory) {
        return st_env__fail_errno(op, errno, "cannot list", path);
    }
    struct dirent *entry;
    errno = 0;
    while ((entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            st_buf_append(out_names, entry->d_name, strlen(entry->d_name) + 1);
        }
        errno = 0;
    }
    int number = errno;
    (void)closedir(directory);
    if (number != 0) {
        return st_env__fail_errno(op, number, "cannot list", path);
    }
    ST_TRY(st_buf_check(op, out_names));
    return posix_sort_names(op, out_names);
}

static st_status posix_remove(st_op *op, st_env *env, const char *path)
{
    (void)env;
    return unlink(path) == 0 ? ST_OK : st_env__fail_errno(op, errno, "cannot remove", path);
}

static st_status posix_rename(st_op *op, st_env *env, const char *from, const char *to)
{
    (void)env;
    return rename(from, to) == 0 ? ST_OK : st_env__fail_errno(op, errno, "cannot rename", from);
}

static st_status posix_sync_dir(st_op *op, st_env *env, const char *path)
{
    (void)env;
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        return st_env__fail_errno(op, errno, "cannot open", path);
    }
    int number = fsync(descriptor) == 0 ? 0 : errno;
    (void)close(descriptor);
    return number == 0 ? ST_OK : st_env__fail_errno(op, number, "cannot sync the directory", path);
}

static st_status posix_stat(st_op *op, st_env *env, const char *path, uint64_t *out_bytes,
                            bool *out_is_dir)
{
    (void)env;
    struct stat stat_of;
    if (stat(path, &stat_of) != 0) {
        return st_env__fail_errno(op, errno, "cannot look at", path);
    }
    *out_bytes = (uint64_t)stat_of.st_size;
    *out_is_dir = S_ISDIR(stat_of.st_mode);
    return ST_OK;
}

/* Of the directory that holds the last part, and the last part behind it, when the whole does not
 * exist yet. */
static st_status posix_real_parent(st_op *op, const char *path, st_buf *out_path)
{
    size_t bytes = strlen(path);
    while (bytes > 1 && path[bytes - 1] == '/') {
        bytes--;
    }
    size_t name = bytes;
    while (name > 0 && path[name - 1] != '/') {
        name--;
    }
    char parent[ST_ENV_PATH_MAX], resolved[ST_ENV_PATH_MAX];
    if (bytes >= sizeof parent) {
        return st_env__fail_errno(op, ENAMETOOLONG, "cannot resolve", path);
    }
    memcpy(parent, path, name);
    parent[name] = '\0';
    if (!realpath(name > 0 ? parent : ".", resolved)) {
        return st_env__fail_errno(op, errno, "cannot resolve", path);
    }
    st_buf_append(out_path, resolved, strlen(resolved));
    st_buf_byte(out_path, '/');
    st_buf_append(out_path, path + name, bytes - name);
    st_buf_byte(out_path, 0);
    return st_buf_check(op, out_path);
}

static st_status posix_real_path(st_op *op, st_env *env, const char *path, st_buf *out_path)
{
    (void)env;
    char resolved[ST_ENV_PATH_MAX];
    if (!realpath(path, resolved)) {
        return errno == ENOENT ? posix_real_parent(op, path, out_path)
                               : st_env__fail_errno(op, errno, "cannot resolve", path);
    }
    st_buf_append(out_path, resolved, strlen(resolved) + 1);
    return st_buf_check(op, out_path);
}

/* ---- lock ------------------------------------------------------------------------------- */

typedef struct posix_file_lock {
    st_file_lock lock;
    int descriptor;
    struct posix_file_lock *next;
} posix_file_lock;

static pthread_mutex_t posix_locks_mutex = PTHREAD_MUTEX_INITIALIZER;
static posix_file_lock *posix_locks; /* all that are held, for the fork handler */
static pthread_once_t posix_locks_once = PTHREAD_ONCE_INIT;

static void posix_locks_before_fork(void)
{
    (void)pthread_mutex_lock(&posix_locks_mutex);
}

static void posix_locks_in_parent(void)
{
    (void)pthread_mutex_unlock(&posix_locks_mutex);
}

static void posix_locks_in_child(void)
{
    for (posix_file_lock *lock = posix_locks; lock; lock = lock->next) {
        (void)close(lock->descriptor);
        lock->descriptor = -1;
    }
    (void)pthread_mutex_unlock(&posix_locks_mutex);
}

static void posix_locks_setup(void)
{
    (void)pthread_atfork(posix_locks_before_fork, posix_locks_in_parent, posix_locks_in_child);
}

static st_status posix_lock_refused(st_op *op, const char *path, int descriptor)
{
    char text[32] = "";
    ssize_t got = pread(descriptor, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    text[strspn(text, "0123456789")] = '\0';
    return st_fail(op, ST_LOCKED,
                   "%s: locked by pid %s; only one process may write, others can open it read-only",
                   path, text[0] ? text : "unknown");
}

static int posix_lock_write_owner(int descriptor)
{
    char host[128] = "";
    char text[256];
    (void)gethostname(host, sizeof host - 1);
    int bytes = snprintf(text, sizeof text, "%ld %llu %s\n", (long)getpid(),
                         (unsigned long long)st_env__process_start_s(), host);
    if (ftruncate(descriptor, 0) != 0) {
        return errno;
    }
    ssize_t put = pwrite(descriptor, text, (size_t)bytes, 0);
    return put == bytes ? 0 : put < 0 ? errno : ENOSPC;
}

/* Opens and locks the file. Called with the mutex of the list held. */
static st_status posix_lock_open(st_op *op, const char *path, int *out_descriptor)
{
    int descriptor;
    do {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) {
        return st_env__fail_errno(op, errno, "cannot open", path);
    }
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    st_status status = ST_OK;
    if (fcntl(descriptor, F_OFD_SETLK, &range) != 0) {
        status = errno == EAGAIN || errno == EACCES
                     ? posix_lock_refused(op, path, descriptor)
                     : st_env__fail_errno(op, errno, "cannot lock", path);
    } else {
        int number = posix_lock_write_owner(descriptor);
        status = number == 0 ? ST_OK : st_env__fail_errno(op, number, "cannot write", path);
    }
    if (status != ST_OK) {
        (void)close(descriptor);
        return status;
    }
    *out_descriptor = descriptor;
    return ST_OK;
}

static st_status posix_lock(st_op *op, st_env *env, const char *path, st_file_lock **out_lock)
{
    (void)pthread_once(&posix_locks_once, posix_locks_setup);
    posix_file_lock *lock = st_alloc_new(env->alloc, sizeof *lock);
    if (!lock) {
        return st_fail_memory(op, sizeof *lock);
    }
    *lock = (posix_file_lock){.lock = {env}, .descriptor = -1};
    (void)pthread_mutex_lock(&posix_locks_mutex);
    st_status status = posix_lock_open(op, path, &lock->descriptor);
    if (status == ST_OK) {
        lock->next = posix_locks;
        posix_locks = lock;
    }
    (void)pthread_mutex_unlock(&posix_locks_mutex);
    if (status != ST_OK) {
        st_alloc_free(env->alloc, lock, sizeof *lock);
        return status;
    }
    *out_lock = &lock->lock;
    return ST_OK;
}

static void posix_unlock(st_file_lock *base)
{
    posix_file_lock *lock = (posix_file_lock *)base;
    (void)pthread_mutex_lock(&posix_locks_mutex);
    for (posix_file_lock **at = &posix_locks; *at; at = &(*at)->next) {
        if (*at == lock) {
            *at = lock->next;
            break;
        }
    }
    if (lock->descriptor >= 0) {
        /* A child forked just now holds a copy until its handler has run: closing ours is not
         * enough. */
        struct flock range = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
        (void)fcntl(lock->descriptor, F_OFD_SETLK, &range);
        (void)close(lock->descriptor);
    }
    (void)pthread_mutex_unlock(&posix_locks_mutex);
    st_alloc_free(lock->lock.env->alloc, lock, sizeof *lock);
}

static const st_env_calls posix_calls = {
    .open = st_env__posix_open,
    .read_at = st_env__posix_read_at,
    .write_at = st_env__posix_write_at,
    .sync = st_env__posix_sync,
    .size = st_env__posix_size,
    .truncate = st_env__posix_truncate,
    .close = st_env__posix_close,
    .mkdir = posix_mkdir,
    .list = posix_list,
    .remove = posix_remove,
    .rename = posix_rename,
    .sync_dir = posix_sync_dir,
    .stat = posix_stat,
    .lock = posix_lock,
    .unlock = posix_unlock,
    .time_us = st_env__time_us,
    .monotonic_us = st_env__monotonic_us,
    .entropy = st_env__entropy,
    .real_path = posix_real_path,
    .thread_start = st_env__thread_start,
    .thread_join = st_env__thread_join,
};

static st_env posix_env = {.calls = &posix_calls};
static pthread_once_t posix_env_once = PTHREAD_ONCE_INIT;

static void posix_env_setup(void)
{
    posix_env.alloc = st_alloc_process();
}

st_env *st_env_posix(void)
{
    (void)pthread_once(&posix_env_once, posix_env_setup);
    return &posix_env;
}
