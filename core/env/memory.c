/* The memory Env: files that live as long as the Env. Bytes are kept in pages, so that a growing
 * file is never copied and a failed allocation leaves the file as it was. Names are whole paths; a
 * directory is a name too, made without asking for the one it is in; a file wants its directory.
 * One mutex guards the names, one per file its bytes. A removed file lives on until its last handle
 * is closed. A write for which there is no memory changes nothing of the file, so that the handle
 * stays alive: who wrote may write again when there is memory.
 */
#include "env/env_internal.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_PAGE_BYTES ((size_t)16384)
/* Half of what can be addressed, where that is less: sizes of tables of pages do not overflow. */
#define MEMORY_FILE_BYTES_MAX ((uint64_t)(SIZE_MAX >> (SIZE_MAX > UINT32_MAX ? 18 : 1)))

typedef struct memory_node {
    struct memory_node
        *next;  /* guarded by memory_env.mutex, as are path, references and is_locked */
    char *path; /* NULL: removed */
    size_t path_bytes;
    uint32_t references;
    bool is_dir;
    bool is_locked;
    st_mutex mutex; /* guards what follows */
    uint8_t **pages;
    size_t page_count, page_capacity;
    uint64_t bytes;
} memory_node;

typedef struct memory_env {
    st_env env;
    st_mutex mutex;
    memory_node *nodes;
} memory_env;

typedef struct memory_file {
    st_file file;
    memory_node *node;
    bool is_writable;
    _Atomic bool is_dead; /* a write failed: nothing more may be written */
    size_t path_bytes;
    char path[]; /* as it was opened, for messages */
} memory_file;

typedef struct memory_lock {
    st_file_lock lock;
    memory_node *node;
} memory_lock;

static memory_node *memory_find(memory_env *env, const char *path)
{
    for (memory_node *node = env->nodes; node; node = node->next) {
        if (node->path && strcmp(node->path, path) == 0) {
            return node;
        }
    }
    return NULL;
}

static void memory_free_node(memory_env *env, memory_node *node)
{
    const st_alloc *alloc = env->env.alloc;
    for (size_t i = 0; i < node->page_count; i++) {
        st_alloc_free(alloc, node->pages[i], MEMORY_PAGE_BYTES);
    }
    st_alloc_free(alloc, node->pages, node->page_capacity * sizeof *node->pages);
    st_alloc_free(alloc, node->path, node->path_bytes);
    st_mutex_deinit(&node->mutex);
    st_alloc_free(alloc, node, sizeof *node);
}

/* Drops a node that has neither name nor user. Called with the mutex of the Env held. */
static void memory_drop_if_unused(memory_env *env, memory_node *node)
{
    if (node->path || node->references > 0) {
        return;
    }
    for (memory_node **at = &env->nodes; *at; at = &(*at)->next) {
        if (*at == node) {
            *at = node->next;
            break;
        }
    }
    memory_free_node(env, node);
}

static memory_node *memory_create(memory_env *env, const char *path, bool is_dir)
{
    size_t path_bytes = strlen(path) + 1;
    memory_node *node = st_alloc_new(env->env.alloc, sizeof *node);
    char *copy = st_alloc_new(env->env.alloc, path_bytes);
    if (!node || !copy) {
        st_alloc_free(env->env.alloc, node, sizeof *node);
        st_alloc_free(env->env.alloc, copy, path_bytes);
        return NULL;
    }
    memcpy(copy, path, path_bytes);
    node->path = copy;
    node->path_bytes = path_bytes;
    node->is_dir = is_dir;
    st_mutex_init(&node->mutex);
    node->next = env->nodes;
    env->nodes = node;
    return node;
}

/* Whether the directory of a path is there; a path without one is. */
static bool memory_has_parent(memory_env *env, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t bytes = slash ? (size_t)(slash - path) : 0;
    for (memory_node *node = env->nodes; bytes > 0 && node; node = node->next) {
        if (node->path && node->is_dir && strlen(node->path) == bytes &&
            memcmp(node->path, path, bytes) == 0) {
            return true;
        }
    }
    return bytes == 0;
}

static st_status memory_open_node(st_op *op, memory_env *env, const char *path, uint32_t flags,
                                  memory_node **out_node)
{
    memory_node *node = memory_find(env, path);
    if (node && node->is_dir) {
        return st_env__fail_errno(op, EISDIR, "cannot open", path);
    }
    if (node && (flags & ST_OPEN_EXCLUSIVE)) {
        return st_env__fail_errno(op, EEXIST, "cannot open", path);
    }
    if (!node && (!(flags & ST_OPEN_CREATE) || !memory_has_parent(env, path))) {
        return st_env__fail_errno(op, ENOENT, "cannot open", path);
    }
    if (!node && !(node = memory_create(env, path, false))) {
        return st_fail_memory(op, sizeof *node);
    }
    node->references++;
    *out_node = node;
    return ST_OK;
}

static st_status memory_open(st_op *op, st_env *base, const char *path, uint32_t flags,
                             st_file **out_file)
{
    memory_env *env = (memory_env *)base;
    size_t path_bytes = strlen(path) + 1;
    memory_file *file = st_alloc_new(base->alloc, sizeof *file + path_bytes);
    if (!file) {
        return st_fail_memory(op, sizeof *file + path_bytes);
    }
    st_mutex_lock(&env->mutex);
    st_status status = memory_open_node(op, env, path, flags, &file->node);
    st_mutex_unlock(&env->mutex);
    if (status != ST_OK) {
        st_alloc_free(base->alloc, file, sizeof *file + path_bytes);
        return status;
    }
    file->file.env = base;
    file->is_writable = (flags & ST_OPEN_WRITE) != 0;
    file->path_bytes = path_bytes;
    memcpy(file->path, path, path_bytes);
    *out_file = &file->file;
    return ST_OK;
}

static st_status memory_read_at(st_op *op, st_file *base, uint64_t offset, void *to, size_t bytes,
                                size_t *out_bytes)
{
    (void)op;
    memory_node *node = ((memory_file *)base)->node;
    st_mutex_lock(&node->mutex);
    uint64_t left = offset < node->bytes ? node->bytes - offset : 0;
    size_t total = bytes < left ? bytes : (size_t)left;
    uint8_t *at = to;
    for (size_t done = 0; done < total;) {
        size_t in_page = (size_t)((offset + done) % MEMORY_PAGE_BYTES);
        size_t part =
            MEMORY_PAGE_BYTES - in_page < total - done ? MEMORY_PAGE_BYTES - in_page : total - done;
        memcpy(at + done, node->pages[(offset + done) / MEMORY_PAGE_BYTES] + in_page, part);
        done += part;
    }
    st_mutex_unlock(&node->mutex);
    *out_bytes = total;
    return ST_OK;
}

static st_status memory_check_alive(st_op *op, memory_file *file, const char *what)
{
    if (atomic_load_explicit(&file->is_dead, memory_order_relaxed)) {
        return st_fail(op, ST_FAILED, "%s: an earlier write or sync of this file failed",
                       file->path);
    }
    return file->is_writable ? ST_OK : st_env__fail_errno(op, EBADF, what, file->path);
}

/* Makes room for a file of so many bytes; new pages are zeros. */
static st_status memory_grow(st_op *op, const st_alloc *alloc, memory_node *node, uint64_t bytes)
{
    size_t count = (size_t)((bytes + MEMORY_PAGE_BYTES - 1) / MEMORY_PAGE_BYTES);
    if (count > node->page_capacity) {
        size_t capacity = node->page_capacity ? node->page_capacity : 8;
        while (capacity < count) {
            capacity *= 2;
        }
        uint8_t **pages = st_alloc_resize(alloc, node->pages, node->page_capacity * sizeof *pages,
                                          capacity * sizeof *pages);
        if (!pages) {
            return st_fail_memory(op, capacity * sizeof *pages);
        }
        node->pages = pages;
        node->page_capacity = capacity;
    }
    while (node->page_count < count) {
        uint8_t *page = st_alloc_new(alloc, MEMORY_PAGE_BYTES);
        if (!page) {
            return st_fail_memory(op, MEMORY_PAGE_BYTES);
        }
        node->pages[node->page_count++] = page;
    }
    return ST_OK;
}

static st_status memory_write_at(st_op *op, st_file *base, uint64_t offset, const void *from,
                                 size_t bytes)
{
    memory_file *file = (memory_file *)base;
    memory_node *node = file->node;
    const uint8_t *at = from;
    ST_TRY(memory_check_alive(op, file, "cannot write"));
    if (bytes > MEMORY_FILE_BYTES_MAX || offset > MEMORY_FILE_BYTES_MAX - bytes) {
        atomic_store_explicit(&file->is_dead, true, memory_order_relaxed);
        return st_env__fail_errno_at(op, EFBIG, "cannot write", file->path, offset);
    }
    if (bytes == 0) {
        return ST_OK;
    }
    st_mutex_lock(&node->mutex);
    st_status status = memory_grow(op, base->env->alloc, node, offset + bytes);
    for (size_t done = 0; status == ST_OK && done < bytes;) {
        size_t in_page = (size_t)((offset + done) % MEMORY_PAGE_BYTES);
        size_t part =
            MEMORY_PAGE_BYTES - in_page < bytes - done ? MEMORY_PAGE_BYTES - in_page : bytes - done;
        memcpy(node->pages[(offset + done) / MEMORY_PAGE_BYTES] + in_page, at + done, part);
        done += part;
    }
    if (status == ST_OK && offset + bytes > node->bytes) {
        node->bytes = offset + bytes;
    }
    st_mutex_unlock(&node->mutex);
    return status;
}

static st_status memory_sync(st_op *op, st_file *base)
{
    memory_file *file = (memory_file *)base;
    bool is_dead = atomic_load_explicit(&file->is_dead, memory_order_relaxed);
    return is_dead ? memory_check_alive(op, file, "cannot sync") : ST_OK;
}

static st_status memory_size(st_op *op, st_file *base, uint64_t *out_bytes)
{
    (void)op;
    memory_node *node = ((memory_file *)base)->node;
    st_mutex_lock(&node->mutex);
    *out_bytes = node->bytes;
    st_mutex_unlock(&node->mutex);
    return ST_OK;
}

static st_status memory_truncate(st_op *op, st_file *base, uint64_t bytes)
{
    memory_file *file = (memory_file *)base;
    memory_node *node = file->node;
    const st_alloc *alloc = base->env->alloc;
    ST_TRY(memory_check_alive(op, file, "cannot set the size of"));
    if (bytes > MEMORY_FILE_BYTES_MAX) {
        atomic_store_explicit(&file->is_dead, true, memory_order_relaxed);
        return st_env__fail_errno(op, EFBIG, "cannot set the size of", file->path);
    }
    st_mutex_lock(&node->mutex);
    st_status status = memory_grow(op, alloc, node, bytes);
    if (status == ST_OK) {
        size_t count = (size_t)((bytes + MEMORY_PAGE_BYTES - 1) / MEMORY_PAGE_BYTES);
        while (node->page_count > count) {
            st_alloc_free(alloc, node->pages[--node->page_count], MEMORY_PAGE_BYTES);
        }
        size_t in_page = (size_t)(bytes % MEMORY_PAGE_BYTES);
        if (bytes < node->bytes && in_page > 0) {
            memset(node->pages[count - 1] + in_page, 0, MEMORY_PAGE_BYTES - in_page);
        }
        node->bytes = bytes;
    }
    st_mutex_unlock(&node->mutex);
    return status;
}

static void memory_unreference(memory_env *env, memory_node *node)
{
    st_mutex_lock(&env->mutex);
    node->references--;
    memory_drop_if_unused(env, node);
    st_mutex_unlock(&env->mutex);
}

static void memory_close(st_file *base)
{
    memory_file *file = (memory_file *)base;
    memory_unreference((memory_env *)base->env, file->node);
    st_alloc_free(base->env->alloc, file, sizeof *file + file->path_bytes);
}

/* ---- names ------------------------------------------------------------------------------ */

static st_status memory_mkdir(st_op *op, st_env *base, const char *path)
{
    memory_env *env = (memory_env *)base;
    st_mutex_lock(&env->mutex);
    memory_node *node = memory_find(env, path);
    st_status status = ST_OK;
    if (node && !node->is_dir) {
        status = st_env__fail_errno(op, ENOTDIR, "cannot make the directory", path);
    } else if (!node && !memory_create(env, path, true)) {
        status = st_fail_memory(op, sizeof *node);
    }
    st_mutex_unlock(&env->mutex);
    return status;
}

/* The name below the directory, or NULL when the path is not directly in it. */
static const char *memory_name_in(const char *directory, const char *path)
{
    size_t bytes = strlen(directory);
    if (!path || strncmp(path, directory, bytes) != 0 || path[bytes] != '/' ||
        strchr(path + bytes + 1, '/')) {
        return NULL;
    }
    return path + bytes + 1;
}

static st_status memory_list(st_op *op, st_env *base, const char *path, st_buf *out_names)
{
    memory_env *env = (memory_env *)base;
    st_mutex_lock(&env->mutex);
    memory_node *directory = memory_find(env, path);
    st_status status =
        directory && directory->is_dir
            ? ST_OK
            : st_env__fail_errno(op, directory ? ENOTDIR : ENOENT, "cannot list", path);
    const char *before = "";
    while (status == ST_OK) { /* the smallest name behind the one before: few files, no memory */
        const char *smallest = NULL;
        for (memory_node *node = env->nodes; node; node = node->next) {
            const char *name = memory_name_in(path, node->path);
            if (name && strcmp(name, before) > 0 && (!smallest || strcmp(name, smallest) < 0)) {
                smallest = name;
            }
        }
        if (!smallest) {
            break;
        }
        st_buf_append(out_names, smallest, strlen(smallest) + 1);
        before = smallest;
    }
    st_mutex_unlock(&env->mutex);
    return status == ST_OK ? st_buf_check(op, out_names) : status;
}

/* Takes the name away from a node. Called with the mutex held. */
static void memory_unname(memory_env *env, memory_node *node)
{
    st_alloc_free(env->env.alloc, node->path, node->path_bytes);
    node->path = NULL;
    node->path_bytes = 0;
    memory_drop_if_unused(env, node);
}

static st_status memory_remove(st_op *op, st_env *base, const char *path)
{
    memory_env *env = (memory_env *)base;
    st_mutex_lock(&env->mutex);
    memory_node *node = memory_find(env, path);
    st_status status = node && !node->is_dir
                           ? ST_OK
                           : st_env__fail_errno(op, node ? EISDIR : ENOENT, "cannot remove", path);
    if (status == ST_OK) {
        memory_unname(env, node);
    }
    st_mutex_unlock(&env->mutex);
    return status;
}

static st_status memory_rename(st_op *op, st_env *base, const char *from, const char *to)
{
    memory_env *env = (memory_env *)base;
    size_t bytes = strlen(to) + 1;
    char *copy = st_alloc_new(base->alloc, bytes);
    if (!copy) {
        return st_fail_memory(op, bytes);
    }
    memcpy(copy, to, bytes);
    st_mutex_lock(&env->mutex);
    memory_node *node = memory_find(env, from);
    memory_node *replaced = memory_find(env, to);
    int number = !node || !memory_has_parent(env, to)             ? ENOENT
                 : node->is_dir || (replaced && replaced->is_dir) ? EISDIR
                                                                  : 0;
    if (number != 0) {
        st_mutex_unlock(&env->mutex);
        st_alloc_free(base->alloc, copy, bytes);
        return st_env__fail_errno(op, number, "cannot rename", from);
    }
    if (replaced && replaced != node) {
        memory_unname(env, replaced);
    }
    st_alloc_free(base->alloc, node->path, node->path_bytes);
    node->path = copy;
    node->path_bytes = bytes;
    st_mutex_unlock(&env->mutex);
    return ST_OK;
}

static st_status memory_sync_dir(st_op *op, st_env *base, const char *path)
{
    (void)op;
    (void)base;
    (void)path;
    return ST_OK;
}

static st_status memory_stat(st_op *op, st_env *base, const char *path, uint64_t *out_bytes,
                             bool *out_is_dir)
{
    memory_env *env = (memory_env *)base;
    st_mutex_lock(&env->mutex);
    memory_node *node = memory_find(env, path);
    if (node) {
        st_mutex_lock(&node->mutex);
        *out_bytes = node->bytes;
        st_mutex_unlock(&node->mutex);
        *out_is_dir = node->is_dir;
    }
    st_mutex_unlock(&env->mutex);
    return node ? ST_OK : st_env__fail_errno(op, ENOENT, "cannot look at", path);
}

static st_status memory_lock_file(st_op *op, st_env *base, const char *path,
                                  st_file_lock **out_lock)
{
    memory_env *env = (memory_env *)base;
    memory_lock *lock = st_alloc_new(base->alloc, sizeof *lock);
    if (!lock) {
        return st_fail_memory(op, sizeof *lock);
    }
    st_mutex_lock(&env->mutex);
    st_status status = memory_open_node(op, env, path, ST_OPEN_CREATE, &lock->node);
    if (status == ST_OK && lock->node->is_locked) {
        lock->node->references--;
        status =
            st_fail(op, ST_LOCKED, "%s: locked by pid %ld, this process", path, (long)getpid());
    } else if (status == ST_OK) {
        lock->node->is_locked = true;
    }
    st_mutex_unlock(&env->mutex);
    if (status != ST_OK) {
        st_alloc_free(base->alloc, lock, sizeof *lock);
        return status;
    }
    lock->lock.env = base;
    *out_lock = &lock->lock;
    return ST_OK;
}

static void memory_unlock_file(st_file_lock *base)
{
    memory_lock *lock = (memory_lock *)base;
    memory_env *env = (memory_env *)base->env;
    st_mutex_lock(&env->mutex);
    lock->node->is_locked = false;
    st_mutex_unlock(&env->mutex);
    memory_unreference(env, lock->node);
    st_alloc_free(env->env.alloc, lock, sizeof *lock);
}

static void memory_destroy(st_env *base)
{
    memory_env *env = (memory_env *)base;
    while (env->nodes) {
        memory_node *node = env->nodes;
        env->nodes = node->next;
        memory_free_node(env, node);
    }
    st_mutex_deinit(&env->mutex);
    st_alloc_free(base->alloc, env, sizeof *env);
}

static const st_env_calls memory_calls = {
    .open = memory_open,
    .read_at = memory_read_at,
    .write_at = memory_write_at,
    .sync = memory_sync,
    .size = memory_size,
    .truncate = memory_truncate,
    .close = memory_close,
    .mkdir = memory_mkdir,
    .list = memory_list,
    .remove = memory_remove,
    .rename = memory_rename,
    .sync_dir = memory_sync_dir,
    .stat = memory_stat,
    .lock = memory_lock_file,
    .unlock = memory_unlock_file,
    .time_us = st_env__time_us,
    .monotonic_us = st_env__monotonic_us,
    .entropy = st_env__entropy,
    .thread_start = st_env__thread_start,
    .thread_join = st_env__thread_join,
    .destroy = memory_destroy,
};

st_status st_env_memory_create(st_op *op, const st_alloc *alloc, st_env **out_env)
{
    *out_env = NULL;
    memory_env *env = st_alloc_new(alloc, sizeof *env);
    if (!env) {
        return st_fail_memory(op, sizeof *env);
    }
    env->env = (st_env){.calls = &memory_calls, .alloc = alloc, .lends_bytes = true};
    st_mutex_init(&env->mutex);
    *out_env = &env->env;
    return ST_OK;
}
