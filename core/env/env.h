/* env: the only door to the operating system: files, sync, directories, locks, clock, threads,
 * entropy.
 *
 * An st_env is a table of functions with a state. Three stand in the tree: posix (the process' own
 * files), memory (files that live as long as the env), and in tests/support simfs, which can crash,
 * tear, fill, fail and reorder at every call.
 *
 * Guarantees
 * 1. Short reads and writes and EINTR are looped here and nowhere else. A read returns fewer bytes
 *    only at end of file.
 * 2. After a failed write or sync the file is dead: every later write or sync on it returns FAILED.
 *    A failed sync is never retried.
 * 3. rename, remove and creation are durable only after st_env_sync_dir of the directory.
 * 4. Errors carry the errno in op->error.os_error and name the path. ENOSPC and EDQUOT are
 *    NO_SPACE, ENOENT is NOT_FOUND, ENOMEM is NO_MEMORY, everything else IO. A failed read or
 *    write names the offset too.
 * 5. Background threads started here block all signals. Files are opened O_CLOEXEC. Nothing is
 *    printed.
 *
 * Paths are NUL-terminated; '/' separates. All functions may be called from any thread.
 */
#ifndef STATOR_ENV_ENV_H
#define STATOR_ENV_ENV_H

#include "base/base.h"

#define ST_ENV_PATH_MAX 4096

#define ST_OPEN_READ 1u
#define ST_OPEN_WRITE 2u     /* implies read */
#define ST_OPEN_CREATE 4u    /* create if missing */
#define ST_OPEN_EXCLUSIVE 8u /* with CREATE: fail if it exists */

typedef struct st_env st_env;
typedef struct st_file st_file;
typedef struct st_file_lock st_file_lock;
typedef struct st_thread st_thread;

/* What every implementation fills in; callers use the functions below. All take the owning
 * st_env or st_file. */
typedef struct st_env_calls {
    st_status (*open)(st_op *op, st_env *env, const char *path, uint32_t flags, st_file **out_file);
    st_status (*read_at)(st_op *op, st_file *file, uint64_t offset, void *to, size_t bytes,
                         size_t *out_bytes);
    st_status (*write_at)(st_op *op, st_file *file, uint64_t offset, const void *from,
                          size_t bytes);
    st_status (*sync)(st_op *op, st_file *file);
    st_status (*size)(st_op *op, st_file *file, uint64_t *out_bytes);
    st_status (*truncate)(st_op *op, st_file *file, uint64_t bytes);
    void (*close)(st_file *file);
    st_status (*mkdir)(st_op *op, st_env *env, const char *path);
    st_status (*list)(st_op *op, st_env *env, const char *path, st_buf *out_names);
    st_status (*remove)(st_op *op, st_env *env, const char *path);
    st_status (*rename)(st_op *op, st_env *env, const char *from, const char *to);
    st_status (*sync_dir)(st_op *op, st_env *env, const char *path);
    st_status (*stat)(st_op *op, st_env *env, const char *path, uint64_t *out_bytes,
                      bool *out_is_dir);
    st_status (*lock)(st_op *op, st_env *env, const char *path, st_file_lock **out_lock);
    void (*unlock)(st_file_lock *lock);
    uint64_t (*time_us)(st_env *env);
    uint64_t (*monotonic_us)(st_env *env);
    st_status (*entropy)(st_op *op, st_env *env, void *to, size_t bytes);
    st_status (*real_path)(st_op *op, st_env *env, const char *path,
                           st_buf *out_path); /* NULL: paths are real already */
    st_status (*thread_start)(st_op *op, st_env *env, const char *name, void (*run)(void *),
                              void *arg, st_thread **out_thread);
    void (*thread_join)(st_thread *thread);
    void (*destroy)(st_env *env);
} st_env_calls;

/* Every implementation's own structure begins with these. */
struct st_env {
    const st_env_calls *calls;
    const st_alloc *alloc;
    bool lends_bytes; /* files are memory already: the block cache need not hold them twice */
};
struct st_file {
    st_env *env;
};

/* ---- implementations -------------------------------------------------------------------- */

st_env *st_env_posix(void); /* one for the process; destroying it does nothing */
/* A write that ends with NO_MEMORY changes nothing and leaves the file alive. */
st_status st_env_memory_create(st_op *op, const st_alloc *alloc, st_env **out_env) ST_MUST_USE;
void st_env_destroy(st_env *env); /* NULL is fine; all its files must be closed */

/* ---- files ------------------------------------------------------------------------------ */

st_status st_env_open(st_op *op, st_env *env, const char *path, uint32_t flags,
                      st_file **out_file) ST_MUST_USE;
st_status st_file_read_at(st_op *op, st_file *file, uint64_t offset, void *to, size_t bytes,
                          size_t *out_bytes) ST_MUST_USE;
st_status st_file_write_at(st_op *op, st_file *file, uint64_t offset, const void *from,
                           size_t bytes) ST_MUST_USE;
st_status st_file_sync(st_op *op, st_file *file) ST_MUST_USE; /* fdatasync; F_FULLFSYNC on macOS */
st_status st_file_size(st_op *op, st_file *file, uint64_t *out_bytes) ST_MUST_USE;
st_status st_file_truncate(st_op *op, st_file *file, uint64_t bytes) ST_MUST_USE;
void st_file_close(st_file *file); /* NULL is fine; says nothing about durability: sync first */

/* ---- directories ------------------------------------------------------------------------ */

/* OK if it is there already */
st_status st_env_mkdir(st_op *op, st_env *env, const char *path) ST_MUST_USE;
/* NUL after each, sorted */
st_status st_env_list(st_op *op, st_env *env, const char *path, st_buf *out_names) ST_MUST_USE;
/* a file; NOT_FOUND if missing */
st_status st_env_remove(st_op *op, st_env *env, const char *path) ST_MUST_USE;
/* replaces to */
st_status st_env_rename(st_op *op, st_env *env, const char *from, const char *to) ST_MUST_USE;
st_status st_env_sync_dir(st_op *op, st_env *env, const char *path) ST_MUST_USE;
st_status st_env_stat(st_op *op, st_env *env, const char *path, uint64_t *out_bytes,
                      bool *out_is_dir) ST_MUST_USE;

/* Replaces out_path by the absolute path without links, NUL-terminated; the last part need not
 * exist. */
st_status st_env_real_path(st_op *op, st_env *env, const char *path, st_buf *out_path) ST_MUST_USE;

/* Takes the exclusive lock of a lock file, created if missing, which then holds "pid start-time
 * host" as text. LOCKED, with the holder's pid in the message, if another process has it. A
 * forked child that inherits the lock drops only its descriptor. */
st_status st_env_lock(st_op *op, st_env *env, const char *path,
                      st_file_lock **out_lock) ST_MUST_USE;
void st_env_unlock(st_file_lock *lock); /* NULL is fine */

/* ---- clock, entropy --------------------------------------------------------------------- */

uint64_t st_env_time_us(st_env *env);      /* wall clock, microseconds since 1970 */
uint64_t st_env_monotonic_us(st_env *env); /* for intervals and deadlines */
st_status st_env_entropy(st_op *op, st_env *env, void *to, size_t bytes) ST_MUST_USE;

/* ---- threads and locks ------------------------------------------------------------------ */

/* UNSUPPORTED from an Env without threads (simfs): the caller then does the work inline. */
st_status st_env_thread_start(st_op *op, st_env *env, const char *name, void (*run)(void *),
                              void *arg, st_thread **out_thread) ST_MUST_USE;
void st_env_thread_join(st_thread *thread); /* NULL is fine; frees it */

typedef struct st_mutex {
    _Alignas(16) uint8_t storage[64];
} st_mutex;
typedef struct st_cond {
    _Alignas(16) uint8_t storage[64];
} st_cond;

void st_mutex_init(st_mutex *mutex);
void st_mutex_deinit(st_mutex *mutex);
void st_mutex_lock(st_mutex *mutex);
bool st_mutex_try_lock(st_mutex *mutex);
void st_mutex_unlock(st_mutex *mutex);
void st_cond_init(st_cond *cond); /* waits on the monotonic clock */
void st_cond_deinit(st_cond *cond);
void st_cond_wait(st_cond *cond, st_mutex *mutex);
bool st_cond_wait_for(st_cond *cond, st_mutex *mutex, uint64_t microseconds); /* false on timeout */
void st_cond_signal(st_cond *cond);
void st_cond_broadcast(st_cond *cond);
/* in every spin loop: a processor hint, an OS yield from round 100 on */
void st_env_pause(uint32_t round);
/* a small number that differs between running threads: picks a stripe */
uint32_t st_env_thread_slot(void);

/* ---- process ---------------------------------------------------------------------------- */

/* Counts forks: a value read before differs in a forked child. No system call; may be called
 * before any lock. */
uint64_t st_env_process_stamp(void);

#endif
