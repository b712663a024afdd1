/* The Env itself: calls on files and names, counted, and made to fail. */
#include "support/simfs_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIMFS_CALL_CHANGES (1u << 31) /* beside the kind: a mutating call */

typedef struct simfs_file {
    st_file file;
    size_t node;
    bool is_dead, is_writable;
    char path[]; /* for messages */
} simfs_file;

typedef struct simfs_lock {
    st_file_lock lock;
    size_t node;
} simfs_lock;

/* ---- counting and failing --------------------------------------------------------------- */

static st_status simfs_fail(st_op *op, st_status status, const char *what, const char *path,
                            const char *why)
{
    bool is_first = op && op->error.code == ST_OK;
    (void)st_fail(op, status, "cannot %s %s: %s", what, path, why);
    if (is_first) {
        op->error.os_error = status == ST_NO_SPACE    ? ENOSPC
                             : status == ST_NOT_FOUND ? ENOENT
                             : status == ST_NO_MEMORY ? ENOMEM
                                                      : EIO;
    }
    return status;
}

static st_status simfs_call(st_op *op, simfs *sim, uint32_t kind, const char *what,
                            const char *path)
{
    sim->time_us += 1000;
    if ((kind & SIMFS_CALL_CHANGES) && !sim->has_crashed) {
        if (sim->hook) {
            sim->hook(sim->hook_ctx);
        }
        sim->mutations++;
        sim->has_crashed = sim->crash_at != 0 && sim->mutations >= sim->crash_at;
    }
    if (sim->has_crashed) {
        return simfs_fail(op, ST_IO, what, path, "the machine has crashed");
    }
    sim->io_calls++;
    if (!(kind & sim->fail_kinds)) {
        return ST_OK;
    }
    sim->kind_calls++;
    if (sim->fail_at != 0 && (sim->kind_calls == sim->fail_at ||
                              (sim->is_failing_for_ever && sim->kind_calls > sim->fail_at))) {
        sim->has_failed = true;
        return simfs_fail(op, sim->fail_status, what, path, "injected failure");
    }
    return ST_OK;
}

static st_status simfs_missing(st_op *op, const char *what, const char *path)
{
    return simfs_fail(op, ST_NOT_FOUND, what, path, "no such file");
}

static void simfs_pend_name(simfs *sim, const char *path, const char *to, size_t node)
{
    simfs_pending *pending = simfs__add_pending(sim);
    pending->is_name = true;
    pending->path = simfs__text(path);
    pending->to = simfs__text(to);
    pending->node = node;
}

static bool simfs_has_parent(const simfs *sim, const char *path)
{
    bool has_parent = false;
    for (size_t i = 0; i < sim->written.count; i++) {
        const simfs_entry *entry = &sim->written.entries[i];
        has_parent |= sim->nodes[entry->node]->is_dir && simfs__is_in(entry->path, path);
    }
    return has_parent;
}

/* Adds a name, in a directory that exists. */
static st_status simfs_make(st_op *op, simfs *sim, const char *path, bool is_dir, size_t *out_node)
{
    if (!simfs_has_parent(sim, path)) {
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
    ST_TRY(simfs_call(op, sim, SIMFS_CALL_OPEN | (is_made ? SIMFS_CALL_CHANGES : 0), "open", path));
    if (!entry && !is_made) {
        return simfs_missing(op, "open", path);
    }
    if (entry && ((flags & ST_OPEN_EXCLUSIVE) || sim->nodes[node]->is_dir)) {
        return simfs_fail(op, ST_IO, "open", path, "it exists, or is a directory");
    }
    if (is_made) {
        ST_TRY(simfs_make(op, sim, path, false, &node));
    }
    simfs_file *file = simfs__new(NULL, sizeof *file + strlen(path) + 1);
    *file = (simfs_file){
        .file = {.env = env}, .node = node, .is_writable = (flags & ST_OPEN_WRITE) != 0};
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
    ST_TRY(simfs_call(op, sim, SIMFS_CALL_READ, "read", file->path));
    const simfs_bytes *from = &sim->nodes[file->node]->written;
    if (offset < from->size) {
        *out_bytes = bytes < from->size - offset ? bytes : from->size - (size_t)offset;
        memcpy(to, from->data + offset, *out_bytes);
    }
    return ST_OK;
}

static st_status simfs_alive(st_op *op, const simfs_file *file)
{
    if (((const simfs *)file->file.env)->has_crashed) {
        return simfs_fail(op, ST_IO, "use", file->path, "the machine has crashed");
    }
    return file->is_dead ? st_fail(op, ST_FAILED,
                                   "%s: an earlier write or sync of this file failed", file->path)
                         : ST_OK;
}

static st_status simfs_may_write(st_op *op, const simfs_file *file)
{
    ST_TRY(simfs_alive(op, file));
    return file->is_writable ? ST_OK
                             : simfs_fail(op, ST_IO, "write", file->path, "opened for reading");
}

/* What a file without a name still takes is not counted. */
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
    ST_TRY(simfs_may_write(op, file));
    st_status status =
        simfs_call(op, sim, SIMFS_CALL_WRITE | SIMFS_CALL_CHANGES, "write", file->path);
    simfs_bytes *to = &sim->nodes[file->node]->written;
    if (status == ST_OK && sim->budget != UINT64_MAX && offset + bytes > to->size &&
        simfs_used_bytes(sim) + (offset + bytes - to->size) > sim->budget) {
        status = simfs_fail(op, ST_NO_SPACE, "write", file->path, "no space left");
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

/* Takes what is pending for a file off the list: to the disk, or into nothing. */
static void simfs_settle(simfs *sim, size_t node, bool is_durable)
{
    size_t kept = 0;
    for (size_t i = 0; i < sim->pending_count; i++) {
        simfs_pending *pending = &sim->pending[i];
        if (pending->is_name || pending->node != node) {
            sim->pending[kept++] = *pending;
            continue;
        }
        if (is_durable) {
            simfs__apply_bytes(sim, pending, pending->bytes);
        }
        free(pending->data);
    }
    sim->pending_count = kept;
}

static st_status simfs_sync(st_op *op, st_file *base)
{
    simfs_file *file = (simfs_file *)base;
    simfs *sim = (simfs *)base->env;
    ST_TRY(simfs_alive(op, file));
    st_status status =
        simfs_call(op, sim, SIMFS_CALL_SYNC | SIMFS_CALL_CHANGES, "sync", file->path);
    file->is_dead = status != ST_OK;
    if (!sim->has_crashed) {
        simfs_settle(sim, file->node, status == ST_OK);
    }
    return status;
}

static st_status simfs_size_of(st_op *op, st_file *base, uint64_t *out_bytes)
{
    simfs *sim = (simfs *)base->env;
    if (sim->has_crashed) {
        return simfs_fail(op, ST_IO, "look at", ((simfs_file *)base)->path,
                          "the machine has crashed");
    }
    *out_bytes = sim->nodes[((simfs_file *)base)->node]->written.size;
    return ST_OK;
}

static st_status simfs_truncate(st_op *op, st_file *base, uint64_t bytes)
{
    simfs_file *file = (simfs_file *)base;
    simfs *sim = (simfs *)base->env;
    ST_TRY(simfs_may_write(op, file));
    st_status status =
        simfs_call(op, sim, SIMFS_CALL_TRUNCATE | SIMFS_CALL_CHANGES, "truncate", file->path);
    uint64_t old = sim->nodes[file->node]->written.size;
    if (status == ST_OK && sim->budget != UINT64_MAX && bytes > old &&
        simfs_used_bytes(sim) + (bytes - old) > sim->budget) {
        status = simfs_fail(op, ST_NO_SPACE, "truncate", file->path, "no space left");
    }
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
    ST_TRY(simfs_call(op, sim, SIMFS_CALL_MKDIR | SIMFS_CALL_CHANGES, "make the directory", path));
    const simfs_entry *entry = simfs__find(&sim->written, path);
    if (entry) {
        return sim->nodes[entry->node]->is_dir
                   ? ST_OK
                   : simfs_fail(op, ST_IO, "make the directory", path, "it is a file");
    }
    return simfs_make(op, sim, path, true, &node);
}

static st_status simfs_list(st_op *op, st_env *env, const char *path, st_buf *out_names)
{
    simfs *sim = (simfs *)env;
    ST_TRY(simfs_call(op, sim, SIMFS_CALL_LIST, "list", path));
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
    ST_TRY(simfs_call(op, sim, SIMFS_CALL_REMOVE | SIMFS_CALL_CHANGES, "remove", path));
    const simfs_entry *entry = simfs__find(&sim->written, path);
    if (!entry) {
        return simfs_missing(op, "remove", path);
    }
    if (sim->nodes[entry->node]->is_dir) {
        return simfs_fail(op, ST_IO, "remove", path, "it is a directory");
    }
    simfs_pend_name(sim, path, NULL, SIZE_MAX); /* first: the path may be the name's own */
    simfs__unlink(&sim->written, path);
    return ST_OK;
}

static st_status simfs_rename(st_op *op, st_env *env, const char *from, const char *to)
{
    simfs *sim = (simfs *)env;
    ST_TRY(simfs_call(op, sim, SIMFS_CALL_RENAME | SIMFS_CALL_CHANGES, "rename", from));
    const simfs_entry *entry = simfs__find(&sim->written, from);
    const simfs_entry *replaced = simfs__find(&sim->written, to);
    if (!entry || !simfs_has_parent(sim, to)) {
        return simfs_missing(op, "rename", from);
    }
    if (sim->nodes[entry->node]->is_dir || (replaced && sim->nodes[replaced->node]->is_dir)) {
        return simfs_fail(op, ST_IO, "rename", from, "it is a directory, or would replace one");
    }
    if (replaced == entry) {
        return ST_OK;
    }
    size_t node = entry->node;
    simfs_pend_name(sim, from, to, node);
    simfs__link(&sim->written, to, node);
    simfs__unlink(&sim->written, sim->pending[sim->pending_count - 1].path);
    return ST_OK;
}

static st_status simfs_sync_dir(st_op *op, st_env *env, const char *path)
{
    simfs *sim = (simfs *)env;
    ST_TRY(
        simfs_call(op, sim, SIMFS_CALL_SYNC_DIR | SIMFS_CALL_CHANGES, "sync the directory", path));
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
    ST_TRY(simfs_call(op, sim, SIMFS_CALL_STAT, "look at", path));
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
    ST_TRY(simfs_call(op, sim, SIMFS_CALL_LOCK | (entry ? 0 : SIMFS_CALL_CHANGES), "lock", path));
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
                   .fail_kinds = SIMFS_CALL_ANY,
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
    simfs_fail_kinds_after(sim, SIMFS_CALL_ANY, calls, status, is_for_ever);
}

void simfs_fail_kinds_after(simfs *sim, uint32_t kinds, uint64_t calls, st_status status,
                            bool is_for_ever)
{
    sim->fail_kinds = kinds;
    sim->fail_at = calls ? sim->kind_calls + calls : 0;
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

static simfs_node *simfs_node_of(const simfs *sim, const char *path)
{
    const simfs_entry *entry = simfs__find(&sim->written, path);
    if (!entry) {
        abort();
    }
    return sim->nodes[entry->node];
}

uint64_t simfs_size(const simfs *sim, const char *path)
{
    return simfs_node_of(sim, path)->written.size;
}

uint8_t simfs_byte(const simfs *sim, const char *path, uint64_t offset)
{
    uint8_t byte;
    if (simfs_copy_out(sim, path, offset, &byte, 1) != 1) {
        abort();
    }
    return byte;
}

size_t simfs_copy_out(const simfs *sim, const char *path, uint64_t offset, void *to, size_t bytes)
{
    const simfs_bytes *from = &simfs_node_of(sim, path)->written;
    size_t left = offset < from->size ? from->size - (size_t)offset : 0;
    bytes = bytes < left ? bytes : left;
    if (bytes > 0) {
        memcpy(to, from->data + offset, bytes);
    }
    return bytes;
}

void simfs_flip(simfs *sim, const char *path, uint64_t bit)
{
    simfs_node *node = simfs_node_of(sim, path);
    if (bit / 8 >= node->written.size) {
        abort();
    }
    node->written.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (bit / 8 < node->durable.size) {
        node->durable.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

void simfs_cut(simfs *sim, const char *path, uint64_t bytes)
{
    simfs_node *node = simfs_node_of(sim, path);
    if (bytes > node->written.size) {
        abort();
    }
    simfs__resize(&node->written, (size_t)bytes);
    if (bytes < node->durable.size) {
        simfs__resize(&node->durable, (size_t)bytes);
    }
}
