/* The state of an open store, and what the files of the engine call of each other. Private to lsm.
 *
 * Two mutexes, taken in this order (docs/locking.md): `work` is held for a whole flush or
 * compaction; `state` guards what is marked so below and is never held across a system call.
 *
 * Readers work on a set: the memtables and the version that belong together. A set never changes;
 * every change makes a new one. Sets, versions, files and memtables are counted.
 */
#ifndef STATOR_LSM_INTERNAL_H
#define STATOR_LSM_INTERNAL_H

#include <stdatomic.h>

#include "log/log.h"
#include "lsm/batch_internal.h"
#include "lsm/lsm.h"
#include "lsm/memtable_internal.h"
#include "lsm/sst_internal.h"

#define ST_FROZEN_MAX 4u
#define ST_FROZEN_STALL 2u /* frozen memtables at which writers wait for a flush */
#define ST_LEVEL0_TRIGGER 4u
#define ST_LEVEL0_STALL 20u

enum { ST_FRAME_BATCH = 1 }; /* types of log frames */

/* ---- counted parts ---------------------------------------------------------------------- */

/* A sorted file of the store. */
typedef struct st_table_file {
    _Atomic uint32_t references;
    st_lsm *lsm;
    st_sst *sst;
    st_sst_summary summary;   /* its keys are owned */
    _Atomic bool is_obsolete; /* no version on disk names it: removed with the last reference */
} st_table_file;

typedef struct st_version {
    _Atomic uint32_t references;
    st_lsm *lsm;
    uint32_t counts[ST_LSM_LEVELS];
    st_table_file **files[ST_LSM_LEVELS]; /* level 0 newest first, others by key */
    uint32_t range_count, range_capacity;
    st_range_delete *ranges; /* keys are owned */
} st_version;

typedef struct st_counted_memtable {
    _Atomic uint32_t references;
    const st_alloc *alloc;
    st_memtable *memtable;
    uint64_t first_log;     /* id of the oldest log segment that holds a part of it */
    uint64_t last_sequence; /* once frozen */
} st_counted_memtable;

typedef struct st_set {
    _Atomic uint32_t references;
    st_lsm *lsm;
    st_counted_memtable *memtables[ST_FROZEN_MAX + 1]; /* newest first; [0] is the active one */
    uint32_t memtable_count;
    st_version *version;
} st_set;

typedef struct st_segment {
    struct st_segment *next; /* newer */
    uint64_t id;
    st_log_segment *log; /* NULL: found at open */
    uint64_t bytes;
    bool has_unsynced;
} st_segment;

struct st_lsm_snapshot {
    st_lsm *lsm;    /* kept alive by lsm->handles */
    bool is_orphan; /* the store is closed; guarded by state */
    uint64_t sequence;
    struct st_lsm_snapshot *next, *previous;
};

struct st_lsm_cursor {
    st_lsm *lsm;            /* kept alive by the set */
    _Atomic bool is_orphan; /* the store is closed */
    st_set *set;
    st_iter *iter;
    uint64_t sequence;
    bool is_reverse, is_started, is_ended, has_key;
    bool has_ranges;
    st_buf from, to, key, value, seek;
    bool has_seek;
    st_status failure; /* of an earlier read */
    struct st_lsm_cursor *next, *previous;
};

/* A writer in the queue; on its own stack. */
typedef struct st_commit {
    struct st_commit *next;
    st_slice batch;  /* empty: freeze the memtable */
    st_slice stamps; /* of the batch */
    size_t count, payload_bytes;
    st_durability durability;
    uint64_t sequence;
    st_status status;
    st_error error;
    bool is_done, is_waiting;
    st_cond cond;
} st_commit;

struct st_lsm {
    /* constant after open */
    st_env *env;
    const st_alloc *alloc;
    st_lsm_options options;
    uint8_t database_id[16];
    st_buf path, header;
    st_file_lock *lock;
    st_cache *cache;
    uint64_t recovered_frames, recovered_torn_bytes;

    /* guarded by work */
    st_mutex work;
    uint64_t manifest_id;      /* of the manifest that CURRENT names */
    uint64_t manifest_durable; /* the durable sequence that it records */
    uint64_t sorted_sequence;  /* everything up to it is in sorted files */
    uint32_t next_compact_level_cursor[ST_LSM_LEVELS];

    /* guarded by state */
    st_mutex state;
    st_set *set;
    st_commit *queue_first, *queue_last;
    bool is_committing; /* a leader works outside the mutex */
    st_segment *segments,
        *last_segment;     /* oldest first; the last one is written while its log is not NULL */
    st_segment *writes_to; /* takes the next group; NULL: a new one will */
    uint64_t next_segment_bytes; /* of the leader */
    uint64_t first_pending_sync; /* at or before the oldest frame that waits for a sync; 0: none */
    uint64_t last_pending_sync;
    uint64_t last_time_us;
    uint64_t last_sync_us;
    bool is_syncing, has_relaxed;
    bool is_failed, is_closing, is_closed;
    st_error failure;
    uint64_t work_runs;  /* flushes and compactions that were tried */
    st_error work_error; /* of the last one; code OK: it went well */
    st_cond synced;      /* a sync or publication ended */
    st_cond worked;      /* a flush or compaction ended, or failed */
    st_cond wanted;      /* the worker has something to do */
    st_cond ticked;      /* wakes the interval thread */
    bool is_work_wanted, is_working;
    st_thread *worker, *ticker;
    st_lsm_snapshot *snapshots;
    st_lsm_cursor *cursors;
    uint64_t flushes, compactions, syncs, stall_us;
    uint64_t written_log, written_flush, written_compaction;

    /* atomic */
    _Atomic uint64_t next_file_id;
    _Atomic uint64_t applied, published, durable;
    _Atomic uint32_t handles; /* sets alive: the structure outlives close while cursors hold one */

    /* latches */
    st_mutex latch;
    st_cond unlatched;
    uint64_t latched[16];
};

/* names.c */
typedef enum st_name_kind {
    ST_NAME_FOREIGN,
    ST_NAME_LOCK,
    ST_NAME_CURRENT,
    ST_NAME_TEMPORARY,
    ST_NAME_MANIFEST,
    ST_NAME_LOG,
    ST_NAME_SORTED,
} st_name_kind;
st_name_kind st_lsm__name_parse(const char *name, uint64_t *out_id);
#define ST_NAME_ROOM 40
/* Names hold 18 digits; a database whose numbers are beyond this one is refused, so that they do
 * not run out. */
#define ST_FILE_ID_MAX UINT64_C(100000000000000000)
/* The same for sequences: no database comes this far by counting. */
#define ST_SEQUENCE_OPEN_MAX (ST_SEQUENCE_MAX / 2)
void st_lsm__name(st_name_kind kind, uint64_t id, char to[ST_NAME_ROOM]);
/* In the database directory; in the arena of op, NULL: no memory. */
const char *st_lsm__path(st_op *op, const st_lsm *lsm, st_name_kind kind, uint64_t id);

/* version.c */
st_status st_lsm__version_create(st_op *op, st_lsm *lsm, st_version **out_version) ST_MUST_USE;
void st_lsm__version_release(st_version *version);
st_status st_lsm__version_add(st_op *op, st_version *version, uint32_t level,
                              st_table_file *file) ST_MUST_USE;
st_status st_lsm__version_add_range(st_op *op, st_version *version,
                                    const st_range_delete *range) ST_MUST_USE;
/* A copy of base without the files in `without` (NULL-terminated). */
st_status st_lsm__version_copy(st_op *op, const st_version *base, st_table_file **without,
                               st_version **out_version) ST_MUST_USE;
st_status st_lsm__version_check(st_op *op,
                                const st_version *version) ST_MUST_USE; /* order and overlaps */
void st_lsm__version_trim_ranges(
    st_version *version); /* forgets range deletes that hide nothing any more */
uint64_t st_lsm__version_covering(const st_version *version, st_slice key, uint64_t max_sequence);
uint32_t st_lsm__version_find(const st_version *version, uint32_t level,
                              st_slice key); /* first file with largest >= key */
st_status st_lsm__file_create(st_op *op, st_lsm *lsm, const st_sst_summary *summary,
                              st_table_file **out_file) ST_MUST_USE;
void st_lsm__file_release(st_table_file *file);
/* A new file that no version took: removed with its last reference, unless the manifest that names
 * it may be the one that counts. */
void st_lsm__file_abandon(st_table_file *file);

/* set.c */
st_status st_lsm__memtable_new(st_op *op, st_lsm *lsm,
                               st_counted_memtable **out_memtable) ST_MUST_USE;
void st_lsm__memtable_release(st_counted_memtable *memtable);
/* A set of these parts, each retained. */
st_status st_lsm__set_create(st_op *op, st_lsm *lsm, st_counted_memtable **memtables,
                             uint32_t memtable_count, st_version *version,
                             st_set **out_set) ST_MUST_USE;
/* The same in two steps, of which the second cannot fail. */
st_status st_lsm__set_reserve(st_op *op, st_lsm *lsm, st_set **out_set) ST_MUST_USE;
void st_lsm__set_fill(st_set *set, st_counted_memtable **memtables, uint32_t memtable_count,
                      st_version *version);
void st_lsm__set_unreserve(st_lsm *lsm, st_set *set); /* one that was not filled */
st_set *st_lsm__set_retain(st_lsm *lsm);              /* state held */
/* The version in use. work held: only its holder puts another one in, so that this one stays. */
st_version *st_lsm__version_of(st_lsm *lsm);
void st_lsm__set_release(st_set *set); /* state not held */
uint64_t st_lsm__set_covering(const st_set *set, st_slice key, uint64_t max_sequence);
bool st_lsm__set_has_ranges(const st_set *set);
/* Merged iterator over all of it. */
st_status st_lsm__set_iter(st_op *op, st_set *set, bool is_reverse, st_iter **out_iter) ST_MUST_USE;
st_status st_lsm__files_iter(st_op *op, const st_alloc *alloc, st_table_file **files,
                             uint32_t count, bool is_reverse, st_iter **out_iter)
    ST_MUST_USE; /* disjoint files of one level, in order */

/* manifest.c */
typedef struct st_manifest {
    uint8_t database_id[16];
    uint64_t file_id; /* its own */
    uint64_t next_file_id;
    uint64_t log_start; /* id of the oldest log segment needed */
    uint64_t sequence;  /* everything up to it is in sorted files */
    uint64_t durable;   /* highest sequence known durable */
    uint64_t time_us;   /* newest commit time */
    st_buf header;
} st_manifest;
st_status st_lsm__manifest_write(st_op *op, st_lsm *lsm, st_version *version, uint64_t log_start,
                                 uint64_t sequence) ST_MUST_USE;
/* Reads what CURRENT names; opens its files into *out_version. out_manifest is initialised by the
 * caller, and its header is the caller's to free. */
st_status st_lsm__manifest_read(st_op *op, st_lsm *lsm, st_manifest *out_manifest,
                                st_version **out_version) ST_MUST_USE;
/* Appends to text. */
st_status st_lsm__current_inspect(st_op *op, st_buf *text, const char *path, st_lsm_print print,
                                  void *ctx) ST_MUST_USE;
st_status st_lsm__manifest_inspect(st_op *op, st_slice bytes, const char *path, st_lsm_print print,
                                   void *ctx) ST_MUST_USE;

/* recovery.c */
st_status st_lsm__recover(st_op *op, st_lsm *lsm, const st_manifest *manifest,
                          st_counted_memtable *memtable) ST_MUST_USE;
/* Reads all segments again and checks that they reach what is known durable. */
st_status st_lsm__log_verify(st_op *op, st_lsm *lsm, const st_manifest *manifest,
                             uint64_t *out_segments, uint64_t *out_frames) ST_MUST_USE;
/* The last step of opening: what was replayed and is not proven durable goes to a sorted file. */
st_status st_lsm__recovery_settle(st_op *op, st_lsm *lsm) ST_MUST_USE;

/* commit.c, sync.c */
st_status st_lsm__fail(st_lsm *lsm, st_op *op); /* state held: the error of op stops all writing */
st_status st_lsm__failed(st_op *op,
                         const st_lsm *lsm); /* state held: FAILED with the first cause */
st_status st_lsm__freeze(st_op *op, st_lsm *lsm) ST_MUST_USE; /* by way of the queue */
void st_lsm__publish(st_lsm *lsm);                            /* state held */
st_status st_lsm__sync(st_op *op,
                       st_lsm *lsm) ST_MUST_USE; /* state held; released while the disk works */

/* flush.c, compact.c, work.c */
st_status st_lsm__flush_all(st_op *op, st_lsm *lsm) ST_MUST_USE; /* work held */
st_status st_lsm__install(st_op *op, st_lsm *lsm, st_version *version,
                          st_counted_memtable *flushed) ST_MUST_USE; /* work held */
st_status st_lsm__compact_due(st_op *op, st_lsm *lsm,
                              bool *out_did_work) ST_MUST_USE;     /* work held: one step */
st_status st_lsm__compact_all(st_op *op, st_lsm *lsm) ST_MUST_USE; /* work held */
void st_lsm__want_work(st_lsm *lsm);                               /* state held */
st_status st_lsm__do_work(st_op *op, st_lsm *lsm) ST_MUST_USE; /* all that is due, in this thread */
void st_lsm__want_tick(st_lsm *lsm);                           /* state held */
void st_lsm__stop_threads(st_lsm *lsm);

/* open.c */
void st_lsm__let_go(
    st_lsm *lsm); /* the last of close and the sets that are left frees the structure */

#endif
