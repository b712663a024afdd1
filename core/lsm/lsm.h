/* lsm: ordered byte keys to byte values, atomic batches, snapshots; durable by a log and sorted
 * files.
 *
 * Guarantees
 * 1. A batch is one frame of the log: all of it survives, or none. One sequence per batch.
 * 2. st_lsm_write puts a batch into the log (with the kernel) and applies it; from then on reads at
 *    ST_LSM_APPLIED see it. st_lsm_wait returns when it has its durability level and every earlier
 *    batch is published: only then do ordinary reads, cursors and snapshots see it. Visible =
 *    acknowledged.
 * 3. Reads never wait for a sync, a flush or a compaction. A get is a pointer into memtable or
 *    cache for as long as its pin.
 * 4. A failed write or sync of the live log or manifest makes the database read-only (FAILED) until
 *    it is opened again; batches that were not published are never shown, their callers get FAILED,
 *    which carries MAYBE_APPLIED.
 * 5. No space while preparing a segment or a sorted file is NO_SPACE, and writing goes on when
 *    space returns.
 * 6. Damage in any file is CORRUPT with file and offset, at open or at the first read that touches
 *    it.
 *
 * Threads: everything may be called from any thread, a cursor by one thread at a time.
 */
#ifndef STATOR_LSM_LSM_H
#define STATOR_LSM_LSM_H

#include "base/base.h"
#include "env/env.h"

#define ST_LSM_KEY_BYTES_MAX 32768u
#define ST_LSM_BATCH_BYTES_MAX ((uint64_t)512 << 20)
#define ST_LSM_HEADER_BYTES_MAX 1024u

typedef struct st_lsm st_lsm;
typedef struct st_lsm_cursor st_lsm_cursor;
typedef struct st_lsm_snapshot st_lsm_snapshot;

typedef enum st_durability {
    ST_DURABILITY_DEFAULT = 0, /* the database's */
    ST_DURABILITY_SYNC = 1,    /* survives power loss */
    /* survives the process; power loss up to interval_ms back, as a prefix */
    ST_DURABILITY_INTERVAL = 2,
    ST_DURABILITY_NONE = 3, /* survives the process, not the machine */
} st_durability;

typedef struct st_lsm_options {
    st_env *env;
    const st_alloc *alloc;
    const char *path; /* a directory */
    bool create;      /* create the directory and the database if there is none */
    bool read_only;   /* open without the lock, replay into memory, write nothing */
    /* flush and compact in the writing thread, no threads: deterministic tests */
    bool inline_background;
    st_durability durability; /* default SYNC */
    uint32_t interval_ms;     /* default 100 */
    /* default 64 MiB, at least 1 MiB: memtables, cache, filters, indexes */
    uint64_t memory_budget_bytes;
    uint64_t memtable_bytes; /* 0: min(64 MiB, budget / 4) */
    uint64_t file_bytes;     /* target size of a sorted file; 0: 32 MiB */
    /* on creation: stored in the manifest for the caller, at most 1,024 bytes */
    st_slice header;
} st_lsm_options;

void st_lsm_options_init(st_lsm_options *options);

st_status st_lsm_open(st_op *op, const st_lsm_options *options, st_lsm **out_lsm) ST_MUST_USE;
/* Stops threads, syncs the log, records its clean end, releases the lock; the status is that of
 * the last sync. Memory of a cursor or snapshot that is still open stays valid until it is
 * closed, but any other call on it returns CLOSED. */
st_status st_lsm_close(st_op *op, st_lsm *lsm);
st_slice st_lsm_header(const st_lsm *lsm);            /* as stored at creation; until close */
const uint8_t *st_lsm_database_id(const st_lsm *lsm); /* 16 bytes */

/* ---- writing ---------------------------------------------------------------------------- */

/* The encoded operations of one batch. A later operation on the same key wins. */
typedef struct st_lsm_batch {
    st_buf bytes;
    uint32_t count;
    st_buf stamps; /* u64 each: where in bytes the sequence goes */
} st_lsm_batch;

void st_lsm_batch_init(st_lsm_batch *batch, const st_alloc *alloc);
void st_lsm_batch_deinit(st_lsm_batch *batch);
void st_lsm_batch_clear(st_lsm_batch *batch);
void st_lsm_batch_put(st_lsm_batch *batch, st_slice key, st_slice value);
/* The same, and the 8 bytes of the key at key_offset are replaced by the big-endian sequence that
 * the batch gets: rows in the order of commits. */
void st_lsm_batch_put_stamped(st_lsm_batch *batch, st_slice key, size_t key_offset, st_slice value);
void st_lsm_batch_delete(st_lsm_batch *batch, st_slice key);
void st_lsm_batch_delete_range(st_lsm_batch *batch, st_slice from, st_slice to); /* [from, to) */

/* Logs and applies. An empty batch is refused. out_sequence may be NULL. */
st_status st_lsm_write(st_op *op, st_lsm *lsm, const st_lsm_batch *batch, st_durability durability,
                       uint64_t *out_sequence) ST_MUST_USE;
st_status st_lsm_wait(st_op *op, st_lsm *lsm, uint64_t sequence) ST_MUST_USE;
uint64_t st_lsm_applied(const st_lsm *lsm);   /* newest applied sequence */
uint64_t st_lsm_published(const st_lsm *lsm); /* newest published sequence */

/* Latches serialise writers that judge a condition on what they then write. The slots of all
 * keys are taken in one fixed order, so that two callers cannot deadlock; hold them from before
 * the first read at ST_LSM_APPLIED until st_lsm_write has returned, never across st_lsm_wait. */
typedef struct st_lsm_latches {
    uint64_t slots[16]; /* bit set of 1,024 slots */
} st_lsm_latches;

void st_lsm_latches_init(st_lsm_latches *latches);
void st_lsm_latches_add(st_lsm_latches *latches, st_slice key);
void st_lsm_latch(st_lsm *lsm, const st_lsm_latches *latches);
void st_lsm_unlatch(st_lsm *lsm, const st_lsm_latches *latches);

/* ---- reading ---------------------------------------------------------------------------- */

#define ST_LSM_PUBLISHED UINT64_MAX /* read at the newest published sequence */
/* Read at the newest applied sequence: for conditions under latches. */
#define ST_LSM_APPLIED (UINT64_MAX - 1)

/* Keeps what a get returned. On the caller's stack, released before the call that made it
 * returns; not copied. */
typedef struct st_lsm_pin {
    void *parts[4];
} st_lsm_pin;

/* out_value is NULL/0 and *out_found false when the key is absent. out_sequence (may be NULL):
 * of the version found, or the sequence the read saw when absent. Release the pin in every case,
 * also after an error. */
st_status st_lsm_get(st_op *op, st_lsm *lsm, st_slice key, uint64_t at, st_lsm_pin *pin,
                     st_slice *out_value, bool *out_found, uint64_t *out_sequence) ST_MUST_USE;
void st_lsm_pin_release(st_lsm_pin *pin);

st_status st_lsm_snapshot_open(st_op *op, st_lsm *lsm, st_lsm_snapshot **out_snapshot) ST_MUST_USE;
uint64_t st_lsm_snapshot_sequence(const st_lsm_snapshot *snapshot);
/* NULL is fine; also after the database is closed */
void st_lsm_snapshot_close(st_lsm_snapshot *snapshot);

typedef struct st_lsm_range {
    st_slice from; /* inclusive; empty: the first key */
    st_slice to;   /* exclusive; empty: no bound */
    bool is_reverse;
    const st_lsm_snapshot *snapshot; /* NULL: what is published when the cursor is opened */
    bool is_applied;                 /* what is applied instead: for conditions under latches */
} st_lsm_range;

/* A cursor stands before its first entry. It owns the version it reads: what it yields never
 * changes. */
st_status st_lsm_cursor_open(st_op *op, st_lsm *lsm, const st_lsm_range *range,
                             st_lsm_cursor **out_cursor) ST_MUST_USE;
/* *out_valid false at the end. key and value are borrowed from the cursor until it is moved or
 * closed. */
st_status st_lsm_cursor_next(st_op *op, st_lsm_cursor *cursor, bool *out_valid, st_slice *out_key,
                             st_slice *out_value) ST_MUST_USE;
/* The next st_lsm_cursor_next yields the first entry at or after key (reverse: at or before it),
 * within the range. */
st_status st_lsm_cursor_seek(st_op *op, st_lsm_cursor *cursor, st_slice key) ST_MUST_USE;
void st_lsm_cursor_close(st_lsm_cursor *cursor); /* NULL is fine */

/* ---- care ------------------------------------------------------------------------------- */

/* everything applied is in sorted files afterwards */
st_status st_lsm_flush(st_op *op, st_lsm *lsm) ST_MUST_USE;
/* flush, then merge all into the last level */
st_status st_lsm_compact(st_op *op, st_lsm *lsm) ST_MUST_USE;
/* no flush or compaction is due or running */
st_status st_lsm_wait_idle(st_op *op, st_lsm *lsm) ST_MUST_USE;

#define ST_LSM_LEVELS 7

typedef struct st_lsm_stats {
    uint64_t applied_sequence, published_sequence, durable_sequence;
    uint64_t memtable_bytes, memtable_entries, frozen_memtables;
    uint64_t log_segments, log_bytes;
    uint64_t level_files[ST_LSM_LEVELS], level_bytes[ST_LSM_LEVELS], level_entries[ST_LSM_LEVELS];
    uint64_t cache_bytes, cache_hits, cache_misses;
    uint64_t written_bytes_log, written_bytes_flush, written_bytes_compaction;
    uint64_t flushes, compactions, syncs, stall_us;
    uint64_t memory_used_bytes, memory_budget_bytes;
    uint64_t recovered_frames, recovered_torn_bytes; /* of the last open */
} st_lsm_stats;

void st_lsm_stats_read(st_lsm *lsm, st_lsm_stats *out_stats);

/* Reads every byte of every file that the manifest names and checks it: checksums, places,
 * order, overlaps, counts. Each line of what was checked or found goes to print. CORRUPT if
 * anything is wrong. */
typedef void (*st_lsm_print)(void *ctx, const char *line);
st_status st_lsm_verify(st_op *op, st_lsm *lsm, st_lsm_print print, void *ctx) ST_MUST_USE;

/* Prints one file in words: a log segment, a manifest, CURRENT, or a sorted file, by its magic.
 * No database is opened. */
st_status st_lsm_inspect(st_op *op, st_env *env, const char *path, st_lsm_print print,
                         void *ctx) ST_MUST_USE;

#endif
