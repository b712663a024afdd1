/* Writing: a queue of batches, a leader that logs a group of them with one write call and applies
 * them in order.
 *
 * The first in the queue leads. It makes room in the memtable, takes as many batches as a group
 * holds, and works outside the mutex: reserve memory, log, apply. Memory is reserved before the
 * group is logged, so that a logged batch is always applied.
 */
#include "lsm/lsm_internal.h"

#include <string.h>

#define COMMIT_GROUP_BYTES ((size_t)1 << 20)
#define COMMIT_SEGMENT_BYTES_MIN ((uint64_t)16384)
#define COMMIT_SEGMENT_BYTES_MAX ((uint64_t)64 << 20)

/* ---- failure ---------------------------------------------------------------------------- */

st_status st_lsm__failed(st_op *op, const st_lsm *lsm)
{
    st_status status =
        st_fail(op, ST_FAILED, "writing has stopped until the database is opened again: %.200s",
                lsm->failure.message);
    if (op && op->error.os_error == 0) {
        op->error.os_error = lsm->failure.os_error;
    }
    return status;
}

st_status st_lsm__fail(st_lsm *lsm, st_op *op)
{
    if (!lsm->is_failed) {
        lsm->is_failed = true;
        lsm->failure = op->error;
    }
    st_cond_broadcast(&lsm->synced);
    st_cond_broadcast(&lsm->worked);
    return op->error.code;
}

/* ---- segments --------------------------------------------------------------------------- */

/* The number of the segment is the memtable's from the moment it exists: a flush that ends
 * meanwhile must not record that the log begins behind it. */
static uint64_t commit_number_segment(st_lsm *lsm)
{
    st_mutex_lock(&lsm->state);
    uint64_t id = atomic_fetch_add_explicit(&lsm->next_file_id, 1, memory_order_relaxed);
    if (lsm->set->memtables[0]->first_log == 0) {
        lsm->set->memtables[0]->first_log = id;
    }
    st_mutex_unlock(&lsm->state);
    return id;
}

static st_status commit_new_segment(st_op *op, st_lsm *lsm, uint64_t least_bytes)
{
    uint64_t id = commit_number_segment(lsm);
    const char *path = st_lsm__path(op, lsm, ST_NAME_LOG, id);
    st_segment *segment = st_alloc_new(lsm->alloc, sizeof *segment);
    if (!path || !segment) {
        st_alloc_free(lsm->alloc, segment, sizeof *segment);
        return st_fail_memory(op, sizeof *segment);
    }
    st_log_identity identity = {.file_id = id};
    memcpy(identity.database_id, lsm->database_id, 16);
    uint64_t room = least_bytes > COMMIT_SEGMENT_BYTES_MIN ? least_bytes : COMMIT_SEGMENT_BYTES_MIN;
    st_status status = st_log_create(op, lsm->env, lsm->alloc, path, (const char *)lsm->path.data,
                                     &identity, room, &segment->log);
    if (status != ST_OK) {
        st_alloc_free(lsm->alloc, segment, sizeof *segment);
        return status;
    }
    segment->id = id;
    st_mutex_lock(&lsm->state);
    if (lsm->last_segment) {
        lsm->last_segment->next = segment;
    } else {
        lsm->segments = segment;
    }
    lsm->last_segment = segment;
    lsm->writes_to = segment;
    st_mutex_unlock(&lsm->state);
    return ST_OK;
}

/* A segment that takes so many more bytes. Segments double up to 64 MiB; a giant gets one of its
 * own. */
static st_status commit_segment(st_op *op, st_lsm *lsm, uint64_t bytes)
{
    st_segment *segment = lsm->writes_to;
    bool has_room = segment && (st_log_bytes(segment->log) + bytes <= lsm->next_segment_bytes ||
                                st_log_bytes(segment->log) == ST_LOG_HEADER_BYTES);
    if (has_room) {
        return ST_OK;
    }
    if (segment && lsm->next_segment_bytes < COMMIT_SEGMENT_BYTES_MAX) {
        lsm->next_segment_bytes *= 2;
    }
    return commit_new_segment(op, lsm, bytes);
}

/* ---- the leader's work, outside the mutex ----------------------------------------------- */

/* A group is its first and its last commit: others join the queue behind the last one meanwhile. */
static st_commit *commit_after(const st_commit *commit, const st_commit *last)
{
    return commit == last ? NULL : commit->next;
}

static void commit_encode(st_lsm *lsm, st_commit *first, const st_commit *last, uint64_t sequence,
                          uint64_t time_us)
{
    st_log_segment *log = lsm->writes_to->log;
    st_log_group_begin(log);
    for (st_commit *commit = first; commit; commit = commit_after(commit, last)) {
        st_lsm__batch_stamp(commit->batch, commit->stamps, sequence);
        st_log_frame frame = {.type = ST_FRAME_BATCH,
                              .sequence = sequence++,
                              .time_us = time_us,
                              .durable = atomic_load_explicit(&lsm->durable, memory_order_relaxed),
                              .body = commit->batch};
        st_log_group_add(log, &frame);
    }
}

static void commit_apply(st_memtable *memtable, st_slice bytes, uint64_t sequence)
{
    st_batch_reader batch = st_lsm__batch_reader(bytes);
    bool valid;
    while (st_lsm__batch_next(NULL, &batch, &valid) == ST_OK && valid) {
        if (batch.type == ST_ENTRY_DELETE_RANGE) {
            st_range_delete range = {batch.key, batch.value, sequence};
            st_lsm__memtable_delete_range(memtable, &range);
        } else {
            st_entry entry = {batch.key, batch.value, sequence, batch.type};
            st_lsm__memtable_insert(memtable, &entry);
        }
    }
}

/* Logs and applies the commits from first to last. *out_is_fatal: the log itself failed. */
static st_status commit_group(st_op *op, st_lsm *lsm, st_memtable *memtable, st_commit *first,
                              const st_commit *last, uint64_t time_us, bool *out_is_fatal)
{
    *out_is_fatal = false;
    size_t count = 0, payload_bytes = 0, log_bytes = 0;
    for (st_commit *commit = first; commit; commit = commit_after(commit, last)) {
        count += commit->count;
        payload_bytes += commit->payload_bytes;
        log_bytes += commit->batch.size + ST_LOG_FRAME_HEADER_BYTES;
    }
    ST_TRY(st_lsm__memtable_reserve(op, memtable, count, payload_bytes));
    ST_TRY(commit_segment(op, lsm, log_bytes));
    uint64_t sequence = atomic_load_explicit(&lsm->applied, memory_order_relaxed) + 1;
    commit_encode(lsm, first, last, sequence, time_us);
    st_status status = st_log_append(op, lsm->writes_to->log);
    if (status != ST_OK) {
        *out_is_fatal = st_log_is_dead(lsm->writes_to->log);
        if (status == ST_NO_SPACE) {
            /* Its zeros ended: the next group gets a new segment, if there is space for one. */
            st_mutex_lock(&lsm->state);
            lsm->writes_to = NULL;
            st_mutex_unlock(&lsm->state);
        }
        return status;
    }
    for (st_commit *commit = first; commit; commit = commit_after(commit, last)) {
        commit->sequence = sequence++;
        commit_apply(memtable, commit->batch, commit->sequence);
    }
    return ST_OK;
}

/* ---- the queue -------------------------------------------------------------------------- */

static bool commit_is_sync(const st_lsm *lsm, const st_commit *commit)
{
    st_durability level =
        commit->durability == ST_DURABILITY_DEFAULT ? lsm->options.durability : commit->durability;
    return level == ST_DURABILITY_SYNC;
}

static bool commit_is_interval(const st_lsm *lsm, const st_commit *commit)
{
    st_durability level =
        commit->durability == ST_DURABILITY_DEFAULT ? lsm->options.durability : commit->durability;
    return level == ST_DURABILITY_INTERVAL;
}

/* State held. Takes what the leader did into account, and wakes those it did it for. */
static void commit_finish(st_op *op, st_lsm *lsm, st_commit *last, st_status status)
{
    st_commit *newest = NULL, *commit;
    do {
        commit = lsm->queue_first;
        lsm->queue_first = commit->next;
        commit->status = status;
        if (status != ST_OK) {
            commit->error = op->error;
            commit->error.text = commit->error.detail = (st_slice){0}; /* the leader's memory */
        } else if (commit->batch.size > 0) {
            newest = commit;
            if (commit_is_sync(lsm, commit)) {
                lsm->first_pending_sync =
                    lsm->first_pending_sync ? lsm->first_pending_sync : commit->sequence;
                lsm->last_pending_sync = commit->sequence;
            }
            lsm->has_relaxed |= commit_is_interval(lsm, commit);
        }
        commit->is_done = true;
        if (commit->is_waiting) {
            st_cond_signal(&commit->cond);
        }
    } while (commit != last);
    if (!lsm->queue_first) {
        lsm->queue_last = NULL;
    }
    if (newest) {
        atomic_store_explicit(&lsm->applied, newest->sequence, memory_order_release);
        st_segment *segment = lsm->writes_to;
        lsm->written_log += st_log_bytes(segment->log) - segment->bytes;
        segment->bytes = st_log_bytes(segment->log);
        segment->has_unsynced = true;
        st_lsm__publish(lsm);
    }
    if (lsm->queue_first && lsm->queue_first->is_waiting) {
        st_cond_signal(&lsm->queue_first->cond);
    }
}

/* State held, as leader. Puts an empty memtable in front. */
static st_status commit_freeze(st_op *op, st_lsm *lsm)
{
    st_set *old = lsm->set, *set;
    st_counted_memtable *memtables[ST_FROZEN_MAX + 1];
    ST_TRY(st_lsm__memtable_new(op, lsm, &memtables[0]));
    for (uint32_t i = 0; i < old->memtable_count; i++) {
        memtables[i + 1] = old->memtables[i];
    }
    st_status status =
        st_lsm__set_create(op, lsm, memtables, old->memtable_count + 1, old->version, &set);
    st_lsm__memtable_release(memtables[0]);
    ST_TRY(status);
    old->memtables[0]->last_sequence = atomic_load_explicit(&lsm->applied, memory_order_relaxed);
    lsm->writes_to =
        NULL; /* each memtable begins with a segment of its own, so that old ones can go */
    lsm->set = set;
    st_mutex_unlock(&lsm->state);
    st_lsm__set_release(old);
    st_mutex_lock(&lsm->state);
    return ST_OK;
}

static bool commit_must_stall(const st_lsm *lsm)
{
    return lsm->set->memtable_count > ST_FROZEN_STALL ||
           lsm->set->version->counts[0] >= ST_LEVEL0_STALL;
}

/* State held, as leader. What the work that makes room came to, when it was tried once more and
 * still there is none. */
static st_status commit_await_work(st_op *op, st_lsm *lsm)
{
    if (lsm->options.inline_background || !lsm->worker) {
        st_mutex_unlock(&lsm->state);
        st_status status = st_lsm__do_work(op, lsm);
        st_mutex_lock(&lsm->state);
        return status;
    }
    uint64_t run = lsm->work_runs + (lsm->is_working ? 2 : 1);
    while (commit_must_stall(lsm) && lsm->work_runs < run && !lsm->is_failed && !lsm->is_closing) {
        st_lsm__want_work(lsm);
        st_cond_wait(&lsm->worked, &lsm->state);
    }
    if (commit_must_stall(lsm) && lsm->work_error.code != ST_OK && !lsm->is_failed) {
        return st_fail(op, lsm->work_error.code,
                       "memory is full and cannot be written to sorted files: %.200s",
                       lsm->work_error.message);
    }
    return ST_OK;
}

/* State held, as leader. Waits while flushes or compactions lag behind. */
static st_status commit_stall(st_op *op, st_lsm *lsm)
{
    uint64_t begun = st_env_monotonic_us(lsm->env);
    st_status status = ST_OK;
    while (status == ST_OK && commit_must_stall(lsm) && !lsm->is_failed) {
        status = lsm->is_closing ? st_fail(op, ST_CLOSED, "the database is being closed")
                                 : commit_await_work(op, lsm);
    }
    lsm->stall_us += st_env_monotonic_us(lsm->env) - begun;
    return status;
}

static st_status commit_make_room(st_op *op, st_lsm *lsm)
{
    if (lsm->is_failed) {
        return st_lsm__failed(op, lsm);
    }
    if (st_lsm__memtable_bytes(lsm->set->memtables[0]->memtable) < lsm->options.memtable_bytes) {
        return ST_OK;
    }
    if (commit_must_stall(lsm)) {
        ST_TRY(commit_stall(op, lsm));
    }
    if (lsm->is_failed) {
        return st_lsm__failed(op, lsm);
    }
    ST_TRY(commit_freeze(op, lsm));
    st_lsm__want_work(lsm);
    return ST_OK;
}

/* State held; lead is first in the queue. Does the group that begins with it. */
static void commit_lead(st_op *op, st_lsm *lsm, st_commit *lead)
{
    if (lead->batch.size == 0) { /* a request to freeze */
        bool is_empty = st_lsm__memtable_count(lsm->set->memtables[0]->memtable) == 0;
        st_status status = lsm->is_failed ? st_lsm__failed(op, lsm) : ST_OK;
        if (status == ST_OK && !is_empty && lsm->set->memtable_count > ST_FROZEN_MAX - 1) {
            status = commit_stall(op, lsm);
        }
        status = status == ST_OK && !is_empty ? commit_freeze(op, lsm) : status;
        commit_finish(op, lsm, lead, status);
        return;
    }
    st_status status = commit_make_room(op, lsm);
    st_commit *last = lead;
    size_t bytes = lead->batch.size;
    while (last->next && last->next->batch.size > 0 &&
           bytes + last->next->batch.size <= COMMIT_GROUP_BYTES) {
        last = last->next;
        bytes += last->batch.size;
    }
    if (status == ST_OK) {
        uint64_t now = st_env_time_us(lsm->env);
        lsm->last_time_us = now > lsm->last_time_us ? now : lsm->last_time_us;
        uint64_t time_us = lsm->last_time_us;
        bool is_fatal;
        /* Only a leader puts another memtable in front; the set around it may change meanwhile. */
        st_memtable *memtable = lsm->set->memtables[0]->memtable;
        lsm->is_committing = true;
        st_mutex_unlock(&lsm->state);
        status = commit_group(op, lsm, memtable, lead, last, time_us, &is_fatal);
        st_mutex_lock(&lsm->state);
        lsm->is_committing = false;
        if (is_fatal) {
            st_lsm__fail(lsm, op);
            st_op_clear(op);
            status = st_lsm__failed(op, lsm);
        }
    }
    commit_finish(op, lsm, last, status);
}

/* Enters the queue and returns when the commit is done, by this thread or by another. */
static st_status commit_run(st_op *op, st_lsm *lsm, st_commit *commit)
{
    st_mutex_lock(&lsm->state);
    if (lsm->queue_last) {
        lsm->queue_last->next = commit;
        lsm->queue_last = commit;
        commit->is_waiting = true;
        st_cond_init(&commit->cond);
        while (!commit->is_done && lsm->queue_first != commit) {
            st_cond_wait(&commit->cond, &lsm->state);
        }
        st_cond_deinit(&commit->cond);
        commit->is_waiting = false;
    } else {
        lsm->queue_first = lsm->queue_last = commit;
    }
    bool is_leader = !commit->is_done;
    if (is_leader) {
        commit_lead(op, lsm, commit);
    }
    st_mutex_unlock(&lsm->state);
    if (commit->status != ST_OK && !is_leader && op->error.code == ST_OK) {
        op->error = commit->error;
    }
    return commit->status;
}

st_status st_lsm__freeze(st_op *op, st_lsm *lsm)
{
    st_commit commit = {.status = ST_OK};
    return commit_run(op, lsm, &commit);
}

/* Interval syncs and overdue work, where no thread does them. */
static st_status commit_inline_duties(st_op *op, st_lsm *lsm)
{
    uint64_t now = st_env_monotonic_us(lsm->env);
    st_mutex_lock(&lsm->state);
    st_status status = ST_OK;
    if (lsm->has_relaxed && !lsm->is_failed &&
        now - lsm->last_sync_us >= (uint64_t)lsm->options.interval_ms * 1000) {
        status = st_lsm__sync(op, lsm);
    }
    bool is_wanted = lsm->is_work_wanted;
    st_mutex_unlock(&lsm->state);
    if (status == ST_OK && is_wanted) {
        st_op quiet; /* what fails here fails the write that needs it */
        st_op_init(&quiet, lsm->alloc);
        (void)!st_lsm__do_work(&quiet, lsm);
        st_op_deinit(&quiet);
    }
    return status;
}

st_status st_lsm_write(st_op *op, st_lsm *lsm, const st_lsm_batch *batch, st_durability durability,
                       uint64_t *out_sequence)
{
    if (lsm->options.read_only) {
        return st_fail(op, ST_READ_ONLY, "the database was opened read-only");
    }
    ST_TRY(st_buf_check(op, &batch->bytes));
    if (batch->count == 0) {
        return st_fail(op, ST_INVALID_ARGUMENT, "an empty batch");
    }
    if (batch->bytes.size > ST_LSM_BATCH_BYTES_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a batch of %zu bytes is larger than 512 MiB",
                       batch->bytes.size);
    }
    ST_TRY(st_buf_check(op, &batch->stamps));
    st_commit commit = {.batch = st_buf_view(&batch->bytes),
                        .stamps = st_buf_view(&batch->stamps),
                        .durability = durability};
    if (st_lsm__batch_measure(NULL, commit.batch, &commit.count, &commit.payload_bytes) != ST_OK) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a batch holds a key of more than %u bytes",
                       ST_LSM_KEY_BYTES_MAX);
    }
    ST_TRY(commit_run(op, lsm, &commit));
    if (out_sequence) {
        *out_sequence = commit.sequence;
    }
    if (commit_is_interval(lsm, &commit)) {
        st_mutex_lock(&lsm->state);
        st_lsm__want_tick(lsm);
        st_mutex_unlock(&lsm->state);
    }
    return lsm->options.inline_background ? commit_inline_duties(op, lsm) : ST_OK;
}
