/* Images: bytes, names, what is pending, and what a crash makes of them. */
#include "support/simfs_internal.h"

#include <stdlib.h>
#include <string.h>

void *simfs__new(void *old, size_t bytes)
{
    void *memory = realloc(old, bytes ? bytes : 1);
    if (!memory) {
        abort();
    }
    return memory;
}

char *simfs__text(const char *text)
{
    return text ? strcpy(simfs__new(NULL, strlen(text) + 1), text) : NULL;
}

void simfs__resize(simfs_bytes *bytes, size_t size)
{
    if (size > bytes->capacity) {
        size_t capacity = bytes->capacity ? bytes->capacity : 256;
        while (capacity < size) {
            capacity *= 2;
        }
        bytes->data = simfs__new(bytes->data, capacity);
        memset(bytes->data + bytes->capacity, 0, capacity - bytes->capacity);
        bytes->capacity = capacity;
    }
    if (size < bytes->size) {
        memset(bytes->data + size, 0, bytes->size - size);
    }
    bytes->size = size;
}

void simfs__put(simfs_bytes *bytes, uint64_t offset, const uint8_t *data, size_t size)
{
    if (offset + size > bytes->size) {
        simfs__resize(bytes, (size_t)offset + size);
    }
    if (size > 0) {
        memcpy(bytes->data + offset, data, size);
    }
}

void simfs__copy(simfs_bytes *to, const simfs_bytes *from)
{
    simfs__resize(to, 0);
    simfs__put(to, 0, from->data, from->size);
}

simfs_entry *simfs__find(const simfs_names *names, const char *path)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->entries[i].path, path) == 0) {
            return &names->entries[i];
        }
    }
    return NULL;
}

void simfs__unlink(simfs_names *names, const char *path)
{
    simfs_entry *entry = simfs__find(names, path);
    if (entry) {
        size_t index = (size_t)(entry - names->entries);
        free(entry->path);
        names->count--;
        memmove(entry, entry + 1, (names->count - index) * sizeof *entry);
    }
}

void simfs__link(simfs_names *names, const char *path, size_t node)
{
    char *copy = simfs__text(path);
    simfs__unlink(names, path);
    names->entries = simfs__new(names->entries, (names->count + 1) * sizeof *names->entries);
    size_t at = names->count++;
    while (at > 0 && strcmp(names->entries[at - 1].path, copy) > 0) {
        names->entries[at] = names->entries[at - 1];
        at--;
    }
    names->entries[at] = (simfs_entry){copy, node};
}

bool simfs__is_in(const char *directory, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t bytes = slash ? (size_t)(slash - path) : 0;
    bytes = slash == path && path[1] != '\0' ? 1 : bytes;
    return bytes > 0 && strlen(directory) == bytes && memcmp(directory, path, bytes) == 0;
}

size_t simfs__add_node(simfs *sim, bool is_dir)
{
    sim->nodes = simfs__new(sim->nodes, (sim->node_count + 1) * sizeof *sim->nodes);
    simfs_node *node = simfs__new(NULL, sizeof *node);
    *node = (simfs_node){.is_dir = is_dir};
    sim->nodes[sim->node_count] = node;
    return sim->node_count++;
}

simfs_pending *simfs__add_pending(simfs *sim)
{
    if (sim->pending_count == sim->pending_capacity) {
        sim->pending_capacity = sim->pending_capacity ? 2 * sim->pending_capacity : 64;
        sim->pending = simfs__new(sim->pending, sim->pending_capacity * sizeof *sim->pending);
    }
    simfs_pending *pending = &sim->pending[sim->pending_count++];
    *pending = (simfs_pending){0};
    return pending;
}

void simfs__drop_pending(simfs *sim, size_t index)
{
    simfs_pending *pending = &sim->pending[index];
    free(pending->data);
    free(pending->path);
    free(pending->to);
    sim->pending_count--;
    memmove(pending, pending + 1, (sim->pending_count - index) * sizeof *pending);
}

static void image_free_names(simfs_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->entries[i].path);
    }
    free(names->entries);
    *names = (simfs_names){0};
}

static void image_copy_names(simfs_names *to, const simfs_names *from)
{
    image_free_names(to);
    to->entries = simfs__new(NULL, from->count * sizeof *to->entries);
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        to->entries[i] = (simfs_entry){simfs__text(from->entries[i].path), from->entries[i].node};
    }
}

static void image_clear_pending(simfs *sim)
{
    while (sim->pending_count > 0) {
        simfs__drop_pending(sim, sim->pending_count - 1);
    }
}

void simfs_destroy(simfs *sim)
{
    if (!sim) {
        return;
    }
    image_clear_pending(sim);
    free(sim->pending);
    image_free_names(&sim->written);
    image_free_names(&sim->durable);
    for (size_t i = 0; i < sim->node_count; i++) {
        free(sim->nodes[i]->written.data);
        free(sim->nodes[i]->durable.data);
        free(sim->nodes[i]);
    }
    free(sim->nodes);
    free(sim);
}

/* Bytes that no name leads to, and none would after a crash, are not worth copying. */
static bool image_is_reachable(const simfs *sim, size_t node)
{
    bool is_reachable = false;
    for (size_t i = 0; i < sim->written.count; i++) {
        is_reachable |= sim->written.entries[i].node == node;
    }
    for (size_t i = 0; i < sim->durable.count; i++) {
        is_reachable |= sim->durable.entries[i].node == node;
    }
    for (size_t i = 0; i < sim->pending_count; i++) {
        is_reachable |= sim->pending[i].is_name && sim->pending[i].node == node;
    }
    return is_reachable;
}

simfs *simfs_clone(const simfs *sim)
{
    simfs *copy = simfs__alloc();
    copy->rng = sim->rng;
    copy->time_us = sim->time_us;
    copy->budget = sim->budget;
    for (size_t i = 0; i < sim->node_count; i++) {
        simfs__add_node(copy, sim->nodes[i]->is_dir);
        if (!image_is_reachable(sim, i)) {
            continue;
        }
        if (sim->nodes[i]->written.size > 0) {
            simfs__copy(&copy->nodes[i]->written, &sim->nodes[i]->written);
        }
        if (sim->nodes[i]->durable.size > 0) {
            simfs__copy(&copy->nodes[i]->durable, &sim->nodes[i]->durable);
        }
    }
    image_copy_names(&copy->written, &sim->written);
    image_copy_names(&copy->durable, &sim->durable);
    for (size_t i = 0; i < sim->pending_count; i++) {
        simfs_pending *to = simfs__add_pending(copy);
        *to = sim->pending[i];
        to->path = simfs__text(sim->pending[i].path);
        to->to = simfs__text(sim->pending[i].to);
        to->data = NULL;
        if (sim->pending[i].data) {
            to->data = memcpy(simfs__new(NULL, to->bytes), sim->pending[i].data, to->bytes);
        }
    }
    return copy;
}

/* ---- crashes ---------------------------------------------------------------------------- */

static void image_apply_name(simfs *sim, const simfs_pending *pending)
{
    simfs_entry *entry;
    if (!pending->to) {
        if (pending->node == SIZE_MAX) {
            simfs__unlink(&sim->durable, pending->path);
        } else {
            simfs__link(&sim->durable, pending->path, pending->node);
        }
    } else if ((entry = simfs__find(&sim->durable, pending->path)) != NULL) {
        size_t node = entry->node;
        simfs__unlink(&sim->durable, pending->path);
        simfs__link(&sim->durable, pending->to, node);
    }
}

void simfs__apply_bytes(simfs *sim, const simfs_pending *pending, size_t bytes)
{
    simfs_bytes *durable = &sim->nodes[pending->node]->durable;
    if (pending->is_truncate) {
        simfs__resize(durable, (size_t)pending->offset);
    } else {
        simfs__put(durable, pending->offset, pending->data, bytes);
    }
}

/* Applies a write up to some byte of it; half of all times the write is whole or missing, as most
 * are. */
static void image_tear(simfs *sim, const simfs_pending *pending, st_rng *rng)
{
    if (pending->is_truncate) {
        return;
    }
    uint64_t kept = st_rng_below(rng, pending->bytes + 1);
    kept = st_rng_below(rng, 2) ? kept : st_rng_below(rng, 2) * pending->bytes;
    simfs__apply_bytes(sim, pending, (size_t)kept);
}

static void image_torn_prefix(simfs *sim, st_rng *rng)
{
    if (sim->pending_count == 0) {
        return;
    }
    size_t last = (size_t)st_rng_below(rng, sim->pending_count);
    for (size_t i = 0; i < last; i++) {
        simfs_pending *pending = &sim->pending[i];
        if (pending->is_name) {
            image_apply_name(sim, pending);
        } else {
            simfs__apply_bytes(sim, pending, pending->bytes);
        }
    }
    if (!sim->pending[last].is_name) {
        image_tear(sim, &sim->pending[last], rng);
    }
}

/* All bytes that are not lost; the last write is torn. */
static void image_keep_torn_bytes(simfs *sim, st_rng *rng)
{
    size_t last = sim->pending_count;
    while (last > 0 && sim->pending[last - 1].is_name) {
        last--;
    }
    for (size_t i = 0; i + 1 < last; i++) {
        if (!sim->pending[i].is_name) {
            simfs__apply_bytes(sim, &sim->pending[i], sim->pending[i].bytes);
        }
    }
    if (last > 0) {
        image_tear(sim, &sim->pending[last - 1], rng);
    }
}

static void image_keep_bytes(simfs *sim)
{
    for (size_t i = 0; i < sim->pending_count; i++) {
        if (!sim->pending[i].is_name) {
            simfs__apply_bytes(sim, &sim->pending[i], sim->pending[i].bytes);
        }
    }
}

/* Of a file: any sector is as it was or as it would be, and so is the length. */
static void image_mix_sectors(simfs_bytes *old, const simfs_bytes *now, size_t sector, st_rng *rng)
{
    if (old->size != now->size && st_rng_below(rng, 2)) {
        simfs__resize(old, now->size);
    }
    size_t common = old->size < now->size ? old->size : now->size;
    for (size_t at = 0; at < common; at += sector) {
        if (st_rng_below(rng, 2)) {
            memcpy(old->data + at, now->data + at, common - at < sector ? common - at : sector);
        }
    }
}

static void image_random_sectors(simfs *sim, st_rng *rng)
{
    size_t name_count = (size_t)st_rng_below(rng, sim->pending_count + 1);
    for (size_t i = 0; i < name_count; i++) {
        if (sim->pending[i].is_name) {
            image_apply_name(sim, &sim->pending[i]);
        }
    }
    simfs_bytes *before = simfs__new(NULL, sim->node_count * sizeof *before);
    bool *is_pending = simfs__new(NULL, sim->node_count * sizeof *is_pending);
    memset(before, 0, sim->node_count * sizeof *before);
    memset(is_pending, 0, sim->node_count * sizeof *is_pending);
    for (size_t i = 0; i < sim->pending_count; i++) {
        size_t node = sim->pending[i].node;
        if (!sim->pending[i].is_name && !is_pending[node]) {
            is_pending[node] = true;
            simfs__copy(&before[node], &sim->nodes[node]->durable);
        }
    }
    image_keep_bytes(sim);
    size_t sector = st_rng_below(rng, 2) ? SIMFS_SECTOR : SIMFS_LARGE_SECTOR;
    for (size_t i = 0; i < sim->node_count; i++) {
        if (is_pending[i]) {
            simfs_bytes now = sim->nodes[i]->durable;
            image_mix_sectors(&before[i], &now, sector, rng);
            free(now.data);
            sim->nodes[i]->durable = before[i];
        }
    }
    free(before);
    free(is_pending);
}

static void image_zero_data(simfs *sim)
{
    for (size_t i = 0; i < sim->pending_count; i++) {
        simfs_pending *pending = &sim->pending[i];
        simfs_bytes *durable = pending->is_name ? NULL : &sim->nodes[pending->node]->durable;
        if (pending->is_name) {
            image_apply_name(sim, pending);
        } else if (pending->is_truncate) {
            simfs__resize(durable, (size_t)pending->offset);
        } else {
            if (pending->offset + pending->bytes > durable->size) {
                simfs__resize(durable, (size_t)pending->offset + pending->bytes);
            }
            memset(durable->data + pending->offset, 0, pending->bytes);
        }
    }
}

/* What is in a directory goes with it. Only the root is in none. */
static void image_drop_orphans(simfs *sim)
{
    for (size_t i = 1; i < sim->durable.count;) { /* sorted: a directory before what is in it */
        bool has_parent = false;
        for (size_t j = 0; j < sim->durable.count; j++) {
            has_parent |= simfs__is_in(sim->durable.entries[j].path, sim->durable.entries[i].path);
        }
        if (has_parent) {
            i++;
        } else {
            simfs__unlink(&sim->durable, sim->durable.entries[i].path);
        }
    }
}

static void image_reboot(simfs *sim, simfs_state state, uint64_t seed)
{
    st_rng rng;
    st_rng_seed(&rng, seed);
    switch (state) {
    case SIMFS_KEEP_ALL:
        image_keep_bytes(sim);
        image_copy_names(&sim->durable, &sim->written);
        break;
    case SIMFS_RANDOM_SECTORS:
        image_random_sectors(sim, &rng);
        break;
    case SIMFS_TORN_PREFIX:
        image_torn_prefix(sim, &rng);
        break;
    case SIMFS_LOSE_NAMES:
        image_keep_torn_bytes(sim, &rng);
        break;
    case SIMFS_ZERO_DATA:
        image_zero_data(sim);
        break;
    default:
        break;
    }
    image_clear_pending(sim);
    image_drop_orphans(sim);
    image_copy_names(&sim->written, &sim->durable);
    for (size_t i = 0; i < sim->node_count; i++) {
        if (sim->nodes[i]->written.data || sim->nodes[i]->durable.data) {
            simfs__copy(&sim->nodes[i]->written, &sim->nodes[i]->durable);
        }
    }
}

void simfs_restart(simfs *sim, simfs_state state, uint64_t seed)
{
    if (sim->handles > 0) {
        abort();
    }
    sim->has_crashed = false;
    sim->crash_at = sim->fail_at = 0;
    sim->fail_kinds = SIMFS_CALL_ANY;
    for (size_t i = 0; i < sim->node_count; i++) {
        sim->nodes[i]->is_locked = false;
    }
    if (state != SIMFS_KILL) {
        image_reboot(sim, state, seed);
    }
}

simfs *simfs_after(const simfs *sim, simfs_state state, uint64_t seed)
{
    simfs *copy = simfs_clone(sim);
    simfs_restart(copy, state, seed);
    return copy;
}
