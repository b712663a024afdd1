/* Files of the process. EINTR and short transfers are looped here and nowhere else; no page of a
 * file is ever mapped. */
#include "env/env_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POSIX_TRANSFER_MAX ((size_t)1 << 30)

typedef struct posix_file {
    st_file file;
    int descriptor;
    _Atomic bool is_dead; /* a write or sync failed: nothing more may be written */
    size_t path_bytes;
    char path[];
} posix_file;

static st_status posix_status_of(int number)
{
    return number == ENOENT                       ? ST_NOT_FOUND
           : number == ENOSPC || number == EDQUOT ? ST_NO_SPACE
           : number == ENOMEM                     ? ST_NO_MEMORY
                                                  : ST_IO;
}

st_status st_env__fail_errno(st_op *op, int number, const char *what, const char *path)
{
    char text[96];
    const char *reason = strerror_r(number, text, sizeof text);
    bool is_first = op && op->error.code == ST_OK; /* an earlier error keeps its own errno */
    st_status status = st_fail(op, posix_status_of(number), "%s %s: %s", what, path, reason);
    if (is_first) {
        op->error.os_error = number;
    }
    return status;
}

st_status st_env__fail_errno_at(st_op *op, int number, const char *what, const char *path,
                                uint64_t offset)
{
    char text[96];
    const char *reason = strerror_r(number, text, sizeof text);
    bool is_first = op && op->error.code == ST_OK;
    int64_t position = offset <= INT64_MAX ? (int64_t)offset : -1;
    st_status status = st_fail_at(op, posix_status_of(number), position, "%s %s at offset %llu: %s",
                                  what, path, (unsigned long long)offset, reason);
    if (is_first) {
        op->error.os_error = number;
    }
    return status;
}

st_status st_env__posix_open(st_op *op, st_env *env, const char *path, uint32_t flags,
                             st_file **out_file)
{
    int mode = O_CLOEXEC | (flags & ST_OPEN_WRITE ? O_RDWR : O_RDONLY);
    mode |= flags & ST_OPEN_CREATE ? O_CREAT : 0;
    mode |= flags & ST_OPEN_EXCLUSIVE ? O_EXCL : 0;
    size_t path_bytes = strlen(path) + 1;
    posix_file *file = st_alloc_new(env->alloc, sizeof *file + path_bytes);
    if (!file) {
        return st_fail_memory(op, sizeof *file + path_bytes);
    }
    do {
        file->descriptor = open(path, mode, 0644);
    } while (file->descriptor < 0 && errno == EINTR);
    struct stat stat_of;
    int number = file->descriptor < 0 || fstat(file->descriptor, &stat_of) != 0 ? errno
                 : S_ISREG(stat_of.st_mode)                                     ? 0
                                                                                : EISDIR;
    if (number != 0) {
        if (file->descriptor >= 0) {
            (void)close(file->descriptor);
        }
        st_alloc_free(env->alloc, file, sizeof *file + path_bytes);
        return st_env__fail_errno(op, number, "cannot open", path);
    }
    file->file.env = env;
    file->path_bytes = path_bytes;
    memcpy(file->path, path, path_bytes);
    *out_file = &file->file;
    return ST_OK;
}

st_status st_env__posix_read_at(st_op *op, st_file *base, uint64_t offset, void *to, size_t bytes,
                                size_t *out_bytes)
{
    posix_file *file = (posix_file *)base;
    uint8_t *at = to;
    while (bytes > 0) {
        size_t part = bytes < POSIX_TRANSFER_MAX ? bytes : POSIX_TRANSFER_MAX;
        ssize_t got = pread(file->descriptor, at, part, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return st_env__fail_errno_at(op, errno, "cannot read", file->path, offset);
        }
        if (got == 0) {
            break;
        }
        at += got;
        offset += (uint64_t)got;
        bytes -= (size_t)got;
        *out_bytes += (size_t)got;
    }
    return ST_OK;
}

static st_status posix_check_alive(st_op *op, posix_file *file)
{
    if (atomic_load_explicit(&file->is_dead, memory_order_relaxed)) {
        return st_fail(op, ST_FAILED, "%s: an earlier write or sync of this file failed",
                       file->path);
    }
    return ST_OK;
}

st_status st_env__posix_write_at(st_op *op, st_file *base, uint64_t offset, const void *from,
                                 size_t bytes)
{
    posix_file *file = (posix_file *)base;
    ST_TRY(posix_check_alive(op, file));
    const uint8_t *at = from;
    while (bytes > 0) {
        size_t part = bytes < POSIX_TRANSFER_MAX ? bytes : POSIX_TRANSFER_MAX;
        ssize_t put = pwrite(file->descriptor, at, part, (off_t)offset);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            int number = put < 0 ? errno : EIO;
            atomic_store_explicit(&file->is_dead, true, memory_order_relaxed);
            return st_env__fail_errno_at(op, number, "cannot write", file->path, offset);
        }
        at += put;
        offset += (uint64_t)put;
        bytes -= (size_t)put;
    }
    return ST_OK;
}

st_status st_env__posix_sync(st_op *op, st_file *base)
{
    posix_file *file = (posix_file *)base;
    ST_TRY(posix_check_alive(op, file));
#ifdef __APPLE__
    int failed = fcntl(file->descriptor, F_FULLFSYNC);
#else
    int failed = fdatasync(file->descriptor);
#endif
    if (failed != 0) {
        int number = errno;
        atomic_store_explicit(&file->is_dead, true, memory_order_relaxed);
        return st_env__fail_errno(op, number, "cannot sync", file->path);
    }
    return ST_OK;
}

st_status st_env__posix_size(st_op *op, st_file *base, uint64_t *out_bytes)
{
    posix_file *file = (posix_file *)base;
    struct stat stat_of;
    if (fstat(file->descriptor, &stat_of) != 0) {
        return st_env__fail_errno(op, errno, "cannot look at", file->path);
    }
    *out_bytes = (uint64_t)stat_of.st_size;
    return ST_OK;
}

st_status st_env__posix_truncate(st_op *op, st_file *base, uint64_t bytes)
{
    posix_file *file = (posix_file *)base;
    ST_TRY(posix_check_alive(op, file));
    int failed;
    do {
        failed = ftruncate(file->descriptor, (off_t)bytes);
    } while (failed != 0 && errno == EINTR);
    if (failed != 0) {
        int number = errno;
        atomic_store_explicit(&file->is_dead, true, memory_order_relaxed);
        return st_env__fail_errno(op, number, "cannot set the size of", file->path);
    }
    return ST_OK;
}

void st_env__posix_close(st_file *base)
{
    posix_file *file = (posix_file *)base;
    (void)close(file->descriptor);
    st_alloc_free(file->file.env->alloc, file, sizeof *file + file->path_bytes);
}
