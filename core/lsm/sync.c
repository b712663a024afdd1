/* Durability and visibility.
 *
 * applied >= published, and published follows the rule: a frame is published when it has its level
 * and all frames before it are published. So published stands before the first frame that still
 * waits for a sync, or at applied when none does. One thread at a time syncs, for all that was
 * applied when it began; the others wait for it and lead the next one if they must.
 */
#include "lsm/lsm_internal.h"

void st_lsm__publish(st_lsm *lsm)
{
    if (lsm->is_failed) {
        return; /* the callers of what is not shown yet were told that it failed */
    }
    uint64_t durable = atomic_load_explicit(&lsm->durable, memory_order_relaxed);
    if (lsm->first_pending_sync != 0 && lsm->first_pending_sync <= durable) {
        /* Which of the later frames wait is not remembered one by one: the next one might. */
        lsm->first_pending_sync = lsm->last_pending_sync > durable ? durable + 1 : 0;
    }
    uint64_t applied = atomic_load_explicit(&lsm->applied, memory_order_relaxed);
    uint64_t limit = lsm->first_pending_sync ? lsm->first_pending_sync - 1 : applied;
    if (limit > atomic_load_explicit(&lsm->published, memory_order_relaxed)) {
        atomic_store_explicit(&lsm->published, limit, memory_order_release);
        st_cond_broadcast(&lsm->synced);
    }
}

/* The oldest segment with bytes that may not be on the disk. */
static st_segment *sync_next_segment(const st_lsm *lsm)
{
    st_segment *segment = lsm->segments;
    while (segment && !(segment->log && segment->has_unsynced)) {
        segment = segment->next;
    }
    return segment;
}

/* State held, is_syncing set: nobody else closes or removes segments. */
static st_status sync_segments(st_op *op, st_lsm *lsm)
{
    st_segment *segment;
    while ((segment = sync_next_segment(lsm)) != NULL) {
        segment->has_unsynced = false; /* bytes that come while it is synced set it again */
        bool is_last = segment == lsm->last_segment;
        st_mutex_unlock(&lsm->state);
        st_status status = st_log_sync(op, segment->log);
        st_mutex_lock(&lsm->state);
        ST_TRY(status);
        if (is_last) {
            break;
        }
    }
    return ST_OK;
}

st_status st_lsm__sync(st_op *op, st_lsm *lsm)
{
    while (lsm->is_syncing) {
        st_cond_wait(&lsm->synced, &lsm->state);
    }
    if (lsm->is_failed) {
        return st_lsm__failed(op, lsm);
    }
    uint64_t target = atomic_load_explicit(&lsm->applied, memory_order_relaxed);
    lsm->is_syncing = true;
    lsm->has_relaxed = false;
    st_status status = sync_segments(op, lsm);
    lsm->is_syncing = false;
    lsm->syncs++;
    lsm->last_sync_us = st_env_monotonic_us(lsm->env);
    if (status != ST_OK) {
        st_lsm__fail(lsm, op);
        st_op_clear(op);
        return st_lsm__failed(op, lsm);
    }
    if (target > atomic_load_explicit(&lsm->durable, memory_order_relaxed)) {
        atomic_store_explicit(&lsm->durable, target, memory_order_release);
    }
    st_lsm__publish(lsm);
    st_cond_broadcast(&lsm->synced);
    return ST_OK;
}

st_status st_lsm_wait(st_op *op, st_lsm *lsm, uint64_t sequence)
{
    if (atomic_load_explicit(&lsm->published, memory_order_acquire) >= sequence) {
        return ST_OK;
    }
    st_status status = ST_OK;
    st_mutex_lock(&lsm->state);
    while (status == ST_OK &&
           atomic_load_explicit(&lsm->published, memory_order_relaxed) < sequence) {
        if (lsm->is_failed) {
            status = st_lsm__failed(op, lsm);
        } else if (!lsm->is_syncing) {
            status = st_lsm__sync(op, lsm);
        } else if (op->deadline_us == 0) {
            st_cond_wait(&lsm->synced, &lsm->state);
        } else {
            uint64_t now = st_env_monotonic_us(lsm->env);
            if (now >= op->deadline_us) {
                status =
                    st_fail(op, ST_DEADLINE,
                            "the deadline passed while waiting for the disk; the write is applied");
            } else {
                (void)st_cond_wait_for(&lsm->synced, &lsm->state, op->deadline_us - now);
            }
        }
    }
    st_mutex_unlock(&lsm->state);
    return status;
}

/* ---- latches ---------------------------------------------------------------------------- */

#define SYNC_LATCH_SLOTS 1024u

void st_lsm_latches_init(st_lsm_latches *latches)
{
    *latches = (st_lsm_latches){{0}};
}

void st_lsm_latches_add(st_lsm_latches *latches, st_slice key)
{
    uint64_t slot = (st_lsm__key_hash(key) >> 20) % SYNC_LATCH_SLOTS;
    latches->slots[slot / 64] |= (uint64_t)1 << slot % 64;
}

static bool sync_are_free(const st_lsm *lsm, const st_lsm_latches *latches)
{
    for (size_t i = 0; i < SYNC_LATCH_SLOTS / 64; i++) {
        if (lsm->latched[i] & latches->slots[i]) {
            return false;
        }
    }
    return true;
}

/* All at once or none: nobody holds some while waiting for others. */
void st_lsm_latch(st_lsm *lsm, const st_lsm_latches *latches)
{
    st_mutex_lock(&lsm->latch);
    while (!sync_are_free(lsm, latches)) {
        st_cond_wait(&lsm->unlatched, &lsm->latch);
    }
    for (size_t i = 0; i < SYNC_LATCH_SLOTS / 64; i++) {
        lsm->latched[i] |= latches->slots[i];
    }
    st_mutex_unlock(&lsm->latch);
}

void st_lsm_unlatch(st_lsm *lsm, const st_lsm_latches *latches)
{
    st_mutex_lock(&lsm->latch);
    for (size_t i = 0; i < SYNC_LATCH_SLOTS / 64; i++) {
        lsm->latched[i] &= ~latches->slots[i];
    }
    st_mutex_unlock(&lsm->latch);
    st_cond_broadcast(&lsm->unlatched);
}
