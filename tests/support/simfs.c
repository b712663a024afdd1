/* The Env itself: calls on files and names, counted, and made to fail. */
#include "support/simfs_internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct simfs_file {
    st_file file;
    size_t node;
    bool is_dead;
    char path[]; /* for messages */
} simfs_file;

typedef struct simfs_lock {
    st_file_lock lock;
    size_t node;
} simfs_lock;

/* ---- counting and failing --------------------------------------------------------------- */

static st_status simfs_call(st_op *op, simfs *sim, bool is_mutating, const char *what,
                            const char *path)
{
    sim->time_us += 1000;
    if (is_mutating && !sim->has_crashed) {
        if (sim->hook) {
            sim->hook(sim->hook_ctx);
        }
        sim->mutations++;
        sim->has_crashed = sim->crash_at != 0 && sim->mutations >= sim->crash_at;
    }
    if (sim->has_crashed) {
        return st_fail(op, ST_IO, "cannot %s %s: the machine has crashed", what, path);
    }
    sim->io_calls++;
    if (sim->fail_at != 0 && (sim->io_calls == sim->fail_at ||
                              (sim->is_failing_for_ever && sim->io_calls > sim->fail_at))) {
        sim->has_failed = true;
        return st_fail(op, sim->fail_status, "cannot %s %s: injected failure", what, path);
    }
    return ST_OK;
}

static st_status simfs_missing(st_op *op, const char *what, const char *path)
{
    return st_fail(op, ST_NOT_FOUND, "cannot %s %s: no such file", what, path);
}

static void simfs_pend_name(simfs *sim, const char *path, const char *to, size_t node)
{
    simfs_pending *pending = simfs__add_pending(sim);
    pending->is_name = true;
    pending->path = simfs__text(path);
    pending->to = simfs__text(to);
    pending->node = node;
}

/* Adds a name, in a directory that exists. */
static st_status simfs_make(st_op *op, simfs *sim, const char *path, bool is_dir, size_t *out_node)
{
    bool has_parent = false;
    for (size_t i = 0; i < sim->written.count; i++) {
        const simfs_entry *entry = &sim->written.entries[i];
        has_parent |= sim->nodes[entry->node]->is_dir && simfs__is_in(entry->path, path);
    }
    if (!has_parent) {
        return simfs_missing(op, "make", path);
    }
    *out_node = simfs__add_node(sim, is_dir);
    simfs__link(&sim->written, path, *out_node);
    simfs_pend_name(sim, path, NULL, *out_node);
    return ST_OK;
}

/* ---- files ------------------------------------------------------------------------------ */

static st_status simfs_open(st_op *op, st_env *env, const char *path, uint32_t flags,
                            st_file **out_file)
{
    simfs *sim = (simfs *)env;
    const simfs_entry *entry = simfs__find(&sim->written, path);
    bool is_made = !entry && (flags & ST_OPEN_CREATE);
    size_t node = entry ? entry->node : 0;
    ST_TRY(simfs_call(op, sim, is_made, "open", path));
    if (!entry && !is_made) {
        return simfs_missing(op, "open", path);
    }
    if (entry && ((flags & ST_OPEN_EXCLUSIVE) || sim->nodes[node]->is_dir)) {
        return st_fail(op, ST_IO, "cannot open %s: it exists, or is a directory", path);
    }
    if (is_made) {
        ST_TRY(simfs_make(op, sim, path, false, &node));
    }
    simfs_file *file = simfs__new(NULL, sizeof *file + strlen(path) + 1);
    *file = (simfs_file){.file = {.env = env}, .node = node};
    strcpy(file->path, path);
    sim->handles++;
    *out_file = &file->file;
    return ST_OK;
}

static st_status simfs_read_at(st_op *op, st_file *base, uint64_t offset, void *to, size_t bytes,
                               size_t *out_bytes)
{
    simfs_file *file = (simfs_file *)base;
    simfs *sim = (simfs *)base->env;
    ST_TRY(simfs_call(op, sim, false, "read", file->path));
    const simfs_bytes *from = &sim->nodes[file->node]->written;
    if (offset < from->size) {
        *out_bytes = bytes < from->size - offset ? bytes : from->size - (size_t)offset;
        memcpy(to, from->data + offset, *out_bytes);
    }
    return ST_OK;
}

static st_status simfs_alive(st_op *op, const simfs_file *file)
{
    return file->is_dead ? st_fail(op, ST_FAILED,
                                   "%s: an earlier write or sync of this file failed", file->path)
                         : ST_OK;
}

/* The longest of what a file is and was: both take space. */
static uint64_t simfs_node_bytes(const simfs *sim, size_t index)
{
    bool is_used = false;
    for (size_t i = 0; i < sim->written.count; i++) {
        is_used |= sim->written.entries[i].node == index;
    }
    return is_used ? sim->nodes[index]->written.size : 0;
}

uint64_t simfs_used_bytes(const simfs *sim)
{
    uint64_t used = 0;
    for (size_t i = 0; i < sim->node_count; i++) {
        used += simfs_node_bytes(sim, i);
    }
    return used;
}

static st_status simfs_write_at(st_op *op, st_file *base, uint64_t offset, const void *from,
                                size_t bytes)
{
    simfs_file *file = (simfs_file *)base;
    simfs *sim = (simfs *)base->env;
    ST_TRY(simfs_alive(op, file));
    st_status status = simfs_call(op, sim, true, "write", file->path);
    simfs_bytes *to = &sim->nodes[file->node]->written;
    if (status == ST_OK && sim->budget != UINT64_MAX && offset + bytes > to->size &&
        simfs_used_bytes(sim) + (offset + bytes - to->size) > sim->budget) {
        status = st_fail(op, ST_NO_SPACE, "cannot write %s: no space left", file->path);
    }
    file->is_dead = status != ST_OK;
    if (status != ST_OK && status != ST_NO_SPACE) {
        return status;
    }
    bytes = status == ST_OK ? bytes : bytes / 2; /* a disk is full in the middle of a write */
    bool is_over_budget = sim->budget != UINT64_MAX && offset + bytes > to->size;
    if (status == ST_NO_SPACE && (bytes == 0 || is_over_budget)) {
        return status;
    }
    simfs__put(to, offset, from, bytes);
    simfs_pending *pending = simfs__add_pending(sim);
    pending->node = file->node;
    pending->offset = offset;
    pending->bytes = bytes;
    pending->data = simfs__new(NULL, bytes);
    memcpy(pending->data, from, bytes);
    return status;
}

static void simfs_drop_node_pending(simfs *sim, size_t node)
{
    for (size_t i = sim->pending_count; i-- > 0;) {
        if (!sim->pending[i].is_name && sim->pending[i].node == node) {
            simfs__drop_pending(sim, i);
        }
    }
}

static st_status simfs_sync(st_op *op, st_file *base)
{
    simfs_file *file = (simfs_file *)base;
    simfs *sim = (simfs *)base->env;
    ST_TRY(simfs_alive(op, file));
    st_status status = simfs_call(op, sim, true, "sync", file->path);
    simfs_node *node = sim->nodes[file->node];
    if (sim->has_crashed) {
        file->is_dead = true;
        return status;
    }
    simfs_drop_node_pending(sim, file->node);
    if (status == ST_OK) {
        simfs__copy(&node->durable, &node->written);
    } else {
        simfs__copy(&node->written, &node->durable);
        file->is_dead = true;
    }
    return status;
}

static st_status simfs_size_of(st_op *op, st_file *base, uint64_t *out_bytes)
{
    (void)op;
    simfs *sim = (simfs *)base->env;
    *out_bytes = sim->nodes[((simfs_file *)base)->node]->written.size;
    return ST_OK;
}

static st_status simfs_truncate(st_op *op, st_file *base, uint64_t bytes)
{
    simfs_file *file = (simfs_file *)base;
    simfs *sim = (simfs *)base->env;
    ST_TRY(simfs_alive(op, file));
    st_status status = simfs_call(op, sim, true, "truncate", file->path);
    if (status != ST_OK) {
        file->is_dead = true;
        return status;
    }
    simfs__resize(&sim->nodes[file->node]->written, (size_t)bytes);
    simfs_pending *pending = simfs__add_pending(sim);
    pending->node = file->node;
    pending->is_truncate = true;
    pending->offset = bytes;
    return ST_OK;
}

static void simfs_close(st_file *base)
{
    ((simfs *)base->env)->handles--;
    free(base);
}

/* ---- names ------------------------------------------------------------------------------ */

static st_status simfs_mkdir(st_op *op, st_env *env, const char *path)
{
    simfs *sim = (simfs *)env;
    size_t node;
    ST_TRY(simfs_call(op, sim, true, "make the directory", path));
    const simfs_entry *entry = simfs__find(&sim->written, path);
    if (entry) {
        return sim->nodes[entry->node]->is_dir ? ST_OK
                                               : st_fail(op, ST_IO, "%s: it is a file", path);
    }
    return simfs_make(op, sim, path, true, &node);
}

static st_status simfs_list(st_op *op, st_env *env, const char *path, st_buf *out_names)
{
    simfs *sim = (simfs *)env;
    ST_TRY(simfs_call(op, sim, false, "list", path));
    const simfs_entry *directory = simfs__find(&sim->written, path);
    if (!directory || !sim->nodes[directory->node]->is_dir) {
        return simfs_missing(op, "list", path);
    }
    for (size_t i = 0; i < sim->written.count; i++) {
        const char *name = sim->written.entries[i].path;
        if (simfs__is_in(path, name)) {
            name = strrchr(name, '/') + 1;
            st_buf_append(out_names, name, strlen(name) + 1);
        }
    }
    return st_buf_check(op, out_names);
}

static st_status simfs_remove(st_op *op, st_env *env, const char *path)
{
    simfs *sim = (simfs *)env;
    ST_TRY(simfs_call(op, sim, true, "remove", path));
    const simfs_entry *entry = simfs__find(&sim->written, path);
    if (!entry || sim->nodes[entry->node]->is_dir) {
        return simfs_missing(op, "remove", path);
    }
    simfs__unlink(&sim->written, path);
    simfs_pend_name(sim, path, NULL, SIZE_MAX);
    return ST_OK;
}

static st_status simfs_rename(st_op *op, st_env *env, const char *from, const char *to)
{
    simfs *sim = (simfs *)env;
    ST_TRY(simfs_call(op, sim, true, "rename", from));
    const simfs_entry *entry = simfs__find(&sim->written, from);
    if (!entry || sim->nodes[entry->node]->is_dir) {
        return simfs_missing(op, "rename", from);
    }
    size_t node = entry->node;
    simfs__unlink(&sim->written, from);
    simfs__link(&sim->written, to, node);
    simfs_pend_name(sim, from, to, node);
    return ST_OK;
}

static st_status simfs_sync_dir(st_op *op, st_env *env, const char *path)
{
    simfs *sim = (simfs *)env;
    ST_TRY(simfs_call(op, sim, true, "sync the directory", path));
    const simfs_entry *directory = simfs__find(&sim->written, path);
    if (!directory || !sim->nodes[directory->node]->is_dir) {
        return simfs_missing(op, "sync the directory", path);
    }
    for (size_t i = sim->durable.count; i-- > 0;) {
        if (simfs__is_in(path, sim->durable.entries[i].path)) {
            simfs__unlink(&sim->durable, sim->durable.entries[i].path);
        }
    }
    for (size_t i = 0; i < sim->written.count; i++) {
        if (simfs__is_in(path, sim->written.entries[i].path)) {
            simfs__link(&sim->durable, sim->written.entries[i].path, sim->written.entries[i].node);
        }
    }
    for (size_t i = sim->pending_count; i-- > 0;) {
        if (sim->pending[i].is_name && simfs__is_in(path, sim->pending[i].path)) {
            simfs__drop_pending(sim, i);
        }
    }
    return ST_OK;
}

static st_status simfs_stat(st_op *op, st_env *env, const char *path, uint64_t *out_bytes,
                            bool *out_is_dir)
{
    simfs *sim = (simfs *)env;
    ST_TRY(simfs_call(op, sim, false, "look at", path));
    const simfs_entry *entry = simfs__find(&sim->written, path);
    if (!entry) {
        return simfs_missing(op, "look at", path);
    }
    *out_bytes = sim->nodes[entry->node]->written.size;
    *out_is_dir = sim->nodes[entry->node]->is_dir;
    return ST_OK;
}

static st_status simfs_take_lock(st_op *op, st_env *env, const char *path, st_file_lock **out_lock)
{
    simfs *sim = (simfs *)env;
    const simfs_entry *entry = simfs__find(&sim->written, path);
    size_t node = entry ? entry->node : 0;
    ST_TRY(simfs_call(op, sim, !entry, "lock", path));
    if (!entry) {
        ST_TRY(simfs_make(op, sim, path, false, &node));
    }
    if (sim->nodes[node]->is_locked) {
        return st_fail(op, ST_LOCKED, "%s: locked by this process", path);
    }
    sim->nodes[node]->is_locked = true;
    simfs_lock *lock = simfs__new(NULL, sizeof *lock);
    *lock = (simfs_lock){{env}, node};
    sim->handles++;
    *out_lock = &lock->lock;
    return ST_OK;
}

static void simfs_drop_lock(st_file_lock *base)
{
    simfs *sim = (simfs *)base->env;
    sim->nodes[((simfs_lock *)base)->node]->is_locked = false;
    sim->handles--;
    free(base);
}

/* ---- clock, entropy, threads ------------------------------------------------------------ */

static uint64_t simfs_time_us(st_env *env)
{
    return ((simfs *)env)->time_us += 1000;
}

static st_status simfs_entropy(st_op *op, st_env *env, void *to, size_t bytes)
{
    (void)op;
    for (size_t i = 0; i < bytes; i++) {
        ((uint8_t *)to)[i] = (uint8_t)st_rng_next(&((simfs *)env)->rng);
    }
    return ST_OK;
}

static st_status simfs_thread_start(st_op *op, st_env *env, const char *name, void (*run)(void *),
                                    void *arg, st_thread **out_thread)
{
    (void)env, (void)run, (void)arg, (void)out_thread;
    return st_fail(op, ST_UNSUPPORTED, "no thread %s: this file system is simulated", name);
}

static void simfs_thread_join(st_thread *thread)
{
    (void)thread;
}

static const st_env_calls simfs_calls = {
    .open = simfs_open,
    .read_at = simfs_read_at,
    .write_at = simfs_write_at,
    .sync = simfs_sync,
    .size = simfs_size_of,
    .truncate = simfs_truncate,
    .close = simfs_close,
    .mkdir = simfs_mkdir,
    .list = simfs_list,
    .remove = simfs_remove,
    .rename = simfs_rename,
    .sync_dir = simfs_sync_dir,
    .stat = simfs_stat,
    .lock = simfs_take_lock,
    .unlock = simfs_drop_lock,
    .time_us = simfs_time_us,
    .monotonic_us = simfs_time_us,
    .entropy = simfs_entropy,
    .thread_start = simfs_thread_start,
    .thread_join = simfs_thread_join,
};

/* ---- the test's side -------------------------------------------------------------------- */

simfs *simfs__alloc(void)
{
    simfs *sim = simfs__new(NULL, sizeof *sim);
    *sim = (simfs){.env = {.calls = &simfs_calls, .alloc = st_alloc_process()},
                   .budget = UINT64_MAX,
                   .time_us = 1700000000000000};
    return sim;
}

simfs *simfs_create(uint64_t seed)
{
    simfs *sim = simfs__alloc();
    st_rng_seed(&sim->rng, seed);
    size_t root = simfs__add_node(sim, true);
    simfs__link(&sim->written, "/", root);
    simfs__link(&sim->durable, "/", root);
    return sim;
}

st_env *simfs_env(simfs *sim)
{
    return &sim->env;
}

uint64_t simfs_mutations(const simfs *sim)
{
    return sim->mutations;
}

uint64_t simfs_io_calls(const simfs *sim)
{
    return sim->io_calls;
}

uint64_t simfs_open_handles(const simfs *sim)
{
    return sim->handles;
}

void simfs_on_mutation(simfs *sim, void (*run)(void *ctx), void *ctx)
{
    sim->hook = run;
    sim->hook_ctx = ctx;
}

void simfs_crash_after(simfs *sim, uint64_t calls)
{
    sim->crash_at = sim->mutations + calls;
}

bool simfs_has_crashed(const simfs *sim)
{
    return sim->has_crashed;
}

void simfs_fail_after(simfs *sim, uint64_t calls, st_status status, bool is_for_ever)
{
    sim->fail_at = calls ? sim->io_calls + calls : 0;
    sim->fail_status = status;
    sim->is_failing_for_ever = is_for_ever;
    sim->has_failed = false;
}

bool simfs_has_failed(const simfs *sim)
{
    return sim->has_failed;
}

void simfs_set_budget(simfs *sim, uint64_t bytes)
{
    sim->budget = bytes;
}

const char *simfs_name(const simfs *sim, size_t index)
{
    for (size_t i = 0; i < sim->written.count; i++) {
        if (!sim->nodes[sim->written.entries[i].node]->is_dir && index-- == 0) {
            return sim->written.entries[i].path;
        }
    }
    return NULL;
}

static simfs_bytes *simfs_bytes_of(const simfs *sim, const char *path)
{
    const simfs_entry *entry = simfs__find(&sim->written, path);
    if (!entry) {
        abort();
    }
    return &sim->nodes[entry->node]->written;
}

uint64_t simfs_size(const simfs *sim, const char *path)
{
    return simfs_bytes_of(sim, path)->size;
}

uint8_t simfs_byte(const simfs *sim, const char *path, uint64_t offset)
{
    return simfs_bytes_of(sim, path)->data[offset];
}

void simfs_flip(simfs *sim, const char *path, uint64_t bit)
{
    simfs_bytes_of(sim, path)->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

void simfs_cut(simfs *sim, const char *path, uint64_t bytes)
{
    simfs__resize(simfs_bytes_of(sim, path), (size_t)bytes);
}
