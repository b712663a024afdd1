/* The functions that callers use: they check nothing and forward to the implementation's table. */
#include "env/env_internal.h"

st_status st_env_open(st_op *op, st_env *env, const char *path, uint32_t flags, st_file **out_file)
{
    *out_file = NULL;
    return env->calls->open(op, env, path, flags, out_file);
}

st_status st_file_read_at(st_op *op, st_file *file, uint64_t offset, void *to, size_t bytes,
                          size_t *out_bytes)
{
    *out_bytes = 0;
    return file->env->calls->read_at(op, file, offset, to, bytes, out_bytes);
}

st_status st_file_write_at(st_op *op, st_file *file, uint64_t offset, const void *from,
                           size_t bytes)
{
    return file->env->calls->write_at(op, file, offset, from, bytes);
}

st_status st_file_sync(st_op *op, st_file *file)
{
    return file->env->calls->sync(op, file);
}

st_status st_file_size(st_op *op, st_file *file, uint64_t *out_bytes)
{
    *out_bytes = 0;
    return file->env->calls->size(op, file, out_bytes);
}

st_status st_file_truncate(st_op *op, st_file *file, uint64_t bytes)
{
    return file->env->calls->truncate(op, file, bytes);
}

void st_file_close(st_file *file)
{
    if (file) {
        file->env->calls->close(file);
    }
}

st_status st_env_mkdir(st_op *op, st_env *env, const char *path)
{
    return env->calls->mkdir(op, env, path);
}

st_status st_env_list(st_op *op, st_env *env, const char *path, st_buf *out_names)
{
    st_buf_clear(out_names);
    return env->calls->list(op, env, path, out_names);
}

st_status st_env_remove(st_op *op, st_env *env, const char *path)
{
    return env->calls->remove(op, env, path);
}

st_status st_env_rename(st_op *op, st_env *env, const char *from, const char *to)
{
    return env->calls->rename(op, env, from, to);
}

st_status st_env_sync_dir(st_op *op, st_env *env, const char *path)
{
    return env->calls->sync_dir(op, env, path);
}

st_status st_env_stat(st_op *op, st_env *env, const char *path, uint64_t *out_bytes,
                      bool *out_is_dir)
{
    *out_bytes = 0;
    *out_is_dir = false;
    return env->calls->stat(op, env, path, out_bytes, out_is_dir);
}

st_status st_env_real_path(st_op *op, st_env *env, const char *path, st_buf *out_path)
{
    st_buf_clear(out_path);
    if (env->calls->real_path) {
        return env->calls->real_path(op, env, path, out_path);
    }
    st_slice text = st_slice_str(path);
    st_buf_append(out_path, path, text.size + 1);
    return st_buf_check(op, out_path);
}

st_status st_env_lock(st_op *op, st_env *env, const char *path, st_file_lock **out_lock)
{
    *out_lock = NULL;
    return env->calls->lock(op, env, path, out_lock);
}

void st_env_unlock(st_file_lock *lock)
{
    if (lock) {
        lock->env->calls->unlock(lock);
    }
}

uint64_t st_env_time_us(st_env *env)
{
    return env->calls->time_us(env);
}

uint64_t st_env_monotonic_us(st_env *env)
{
    return env->calls->monotonic_us(env);
}

st_status st_env_entropy(st_op *op, st_env *env, void *to, size_t bytes)
{
    return env->calls->entropy(op, env, to, bytes);
}

st_status st_env_thread_start(st_op *op, st_env *env, const char *name, void (*run)(void *),
                              void *arg, st_thread **out_thread)
{
    *out_thread = NULL;
    return env->calls->thread_start(op, env, name, run, arg, out_thread);
}

void st_env_destroy(st_env *env)
{
    if (env && env->calls->destroy) {
        env->calls->destroy(env);
    }
}
