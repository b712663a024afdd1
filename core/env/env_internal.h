/* What the files of env share. */
#ifndef STATOR_ENV_INTERNAL_H
#define STATOR_ENV_INTERNAL_H

#include "env/env.h"

/* Every implementation's lock begins with this. */
struct st_file_lock {
    st_env *env;
};

/* The status of an errno (ENOENT: NOT_FOUND; ENOSPC, EDQUOT: NO_SPACE; ENOMEM: NO_MEMORY; else IO);
 * its text goes behind "what path". */
st_status st_env__fail_errno(st_op *op, int number, const char *what, const char *path);
/* The same at a place in the file, which is the position of the error too. */
st_status st_env__fail_errno_at(st_op *op, int number, const char *what, const char *path,
                                uint64_t offset);

/* Clock, entropy and threads of the process: shared by posix and memory. */
uint64_t st_env__time_us(st_env *env);
uint64_t st_env__monotonic_us(st_env *env);
st_status st_env__entropy(st_op *op, st_env *env, void *to, size_t bytes);
st_status st_env__thread_start(st_op *op, st_env *env, const char *name, void (*run)(void *),
                               void *arg, st_thread **out_thread);
void st_env__thread_join(st_thread *thread);

/* process.c: wall clock in seconds when this process started; the same for its whole life, give or
 * take a second. */
uint64_t st_env__process_start_s(void);

/* posix_file.c */
st_status st_env__posix_open(st_op *op, st_env *env, const char *path, uint32_t flags,
                             st_file **out_file);
st_status st_env__posix_read_at(st_op *op, st_file *file, uint64_t offset, void *to, size_t bytes,
                                size_t *out_bytes);
st_status st_env__posix_write_at(st_op *op, st_file *file, uint64_t offset, const void *from,
                                 size_t bytes);
st_status st_env__posix_sync(st_op *op, st_file *file);
st_status st_env__posix_size(st_op *op, st_file *file, uint64_t *out_bytes);
st_status st_env__posix_truncate(st_op *op, st_file *file, uint64_t bytes);
void st_env__posix_close(st_file *file);

#endif
