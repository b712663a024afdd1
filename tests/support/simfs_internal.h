/* What the files of simfs share: images of a file system and the operations on them. */
#ifndef STATOR_TESTS_SIMFS_INTERNAL_H
#define STATOR_TESTS_SIMFS_INTERNAL_H

#include "env/env_internal.h"
#include "support/simfs.h"

#define SIMFS_SECTOR 512u
#define SIMFS_LARGE_SECTOR 4096u

typedef struct simfs_bytes {
    uint8_t *data;
    size_t size, capacity; /* what lies behind size is zeros */
} simfs_bytes;

/* An operation that is not durable: on bytes (is_name false) or on names. */
typedef struct simfs_pending {
    bool is_name, is_truncate;
    size_t node;
    uint64_t offset;
    size_t bytes;
    uint8_t *data;   /* owned */
    char *path, *to; /* owned; name operations: link path, unlink path, or rename path to `to` */
} simfs_pending;

typedef struct simfs_node {
    bool is_dir, is_locked;
    simfs_bytes written, durable;
} simfs_node;

typedef struct simfs_entry {
    char *path; /* owned */
    size_t node;
} simfs_entry;

typedef struct simfs_names {
    simfs_entry *entries;
    size_t count;
} simfs_names;

struct simfs {
    st_env env;
    simfs_node **nodes; /* never removed, so that a handle outlives its name */
    size_t node_count;
    simfs_names written, durable;
    simfs_pending *pending; /* in call order */
    size_t pending_count, pending_capacity;
    st_rng rng;
    uint64_t time_us, mutations, io_calls, handles, budget;
    uint64_t crash_at, fail_at, kind_calls; /* kind_calls: I/O calls of the kinds that may fail */
    uint32_t fail_kinds;
    st_status fail_status;
    bool has_crashed, is_failing_for_ever, has_failed;
    void (*hook)(void *ctx);
    void *hook_ctx;
};

void *simfs__new(void *old, size_t bytes); /* ends the program when there is no memory */
char *simfs__text(const char *text);
void simfs__resize(simfs_bytes *bytes, size_t size);
void simfs__put(simfs_bytes *bytes, uint64_t offset, const uint8_t *data, size_t size);
void simfs__copy(simfs_bytes *to, const simfs_bytes *from);
simfs_entry *simfs__find(const simfs_names *names, const char *path);
void simfs__link(simfs_names *names, const char *path, size_t node);
void simfs__unlink(simfs_names *names, const char *path);
bool simfs__is_in(const char *directory, const char *path);
size_t simfs__add_node(simfs *sim, bool is_dir);
simfs_pending *simfs__add_pending(simfs *sim);
void simfs__drop_pending(simfs *sim, size_t index);
/* Makes the first so many bytes of a pending write durable, or a pending truncation. */
void simfs__apply_bytes(simfs *sim, const simfs_pending *pending, size_t bytes);
simfs *simfs__alloc(void);

#endif
