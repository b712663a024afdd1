/* Who flushes and compacts: a worker thread that starts with the first work, or the writing thread
 * itself where no thread may be (the option inline_background, Envs without threads). And the
 * thread that syncs at intervals.
 */
#include "lsm/lsm_internal.h"

st_status st_lsm__do_work(st_op *op, st_lsm *lsm)
{
    st_mutex_lock(&lsm->work);
    st_mutex_lock(&lsm->state);
    bool is_stopped = lsm->is_failed || lsm->is_closing;
    /* A deadline is that of the writer whose turn it is, and not of the work. */
    uint64_t deadline_us = op->deadline_us;
    op->deadline_us = 0;
    lsm->is_work_wanted = false;
    lsm->is_working = true;
    st_mutex_unlock(&lsm->state);
    st_status status = is_stopped ? ST_OK : st_lsm__flush_all(op, lsm);
    bool did_work = !is_stopped;
    while (status == ST_OK && did_work) {
        status = st_lsm__compact_due(op, lsm, &did_work);
        if (status == ST_OK && did_work) {
            status = st_lsm__flush_all(op, lsm); /* writers may have filled a memtable meanwhile */
        }
    }
    st_mutex_lock(&lsm->state);
    lsm->is_working = false;
    lsm->work_runs++;
    lsm->work_error = op->error;
    lsm->work_error.code = status;
    lsm->work_error.text = lsm->work_error.detail = (st_slice){0}; /* memory of the operation */
    st_cond_broadcast(&lsm->worked);
    st_mutex_unlock(&lsm->state);
    st_mutex_unlock(&lsm->work);
    op->deadline_us = deadline_us;
    return status;
}

static void work_main(void *arg)
{
    st_lsm *lsm = arg;
    st_mutex_lock(&lsm->state);
    while (!lsm->is_closing) {
        if (!lsm->is_work_wanted) {
            st_cond_wait(&lsm->wanted, &lsm->state);
            continue;
        }
        st_mutex_unlock(&lsm->state);
        st_op op;
        st_op_init(&op, lsm->alloc);
        (void)!st_lsm__do_work(&op, lsm); /* kept in work_error; writers who stall are told */
        st_op_deinit(&op);
        st_mutex_lock(&lsm->state);
    }
    st_mutex_unlock(&lsm->state);
}

void st_lsm__want_work(st_lsm *lsm)
{
    lsm->is_work_wanted = true;
    if (!lsm->worker && !lsm->options.inline_background && !lsm->is_closing) {
        st_op op; /* without a thread the writers that stall do the work */
        st_op_init(&op, lsm->alloc);
        (void)!st_env_thread_start(&op, lsm->env, "stator-work", work_main, lsm, &lsm->worker);
        st_op_deinit(&op);
    }
    st_cond_signal(&lsm->wanted);
}

static void work_tick_main(void *arg)
{
    st_lsm *lsm = arg;
    st_mutex_lock(&lsm->state);
    while (!lsm->is_closing && !lsm->is_failed) {
        if (!lsm->has_relaxed) {
            st_cond_wait(&lsm->ticked, &lsm->state);
            continue;
        }
        uint64_t interval_us = (uint64_t)lsm->options.interval_ms * 1000;
        uint64_t passed = st_env_monotonic_us(lsm->env) - lsm->last_sync_us;
        if (passed < interval_us) {
            (void)st_cond_wait_for(&lsm->ticked, &lsm->state, interval_us - passed);
            continue;
        }
        st_op op;
        st_op_init(&op, lsm->alloc);
        (void)!st_lsm__sync(&op,
                            lsm); /* a failure stops all writing, and the next writer is told */
        st_op_deinit(&op);
    }
    st_mutex_unlock(&lsm->state);
}

void st_lsm__want_tick(st_lsm *lsm)
{
    if (lsm->options.inline_background || lsm->is_closing) {
        return;
    }
    if (!lsm->ticker) {
        st_op op;
        st_op_init(&op, lsm->alloc);
        (void)!st_env_thread_start(&op, lsm->env, "stator-sync", work_tick_main, lsm, &lsm->ticker);
        st_op_deinit(&op);
    }
    st_cond_signal(&lsm->ticked);
}

void st_lsm__stop_threads(st_lsm *lsm)
{
    st_env_thread_join(lsm->worker);
    st_env_thread_join(lsm->ticker);
    lsm->worker = lsm->ticker = NULL;
}

/* ---- on request ------------------------------------------------------------------------- */

static st_status work_check_writable(st_op *op, st_lsm *lsm)
{
    return lsm->options.read_only ? st_fail(op, ST_READ_ONLY, "the database was opened read-only")
                                  : ST_OK;
}

st_status st_lsm_flush(st_op *op, st_lsm *lsm)
{
    ST_TRY(work_check_writable(op, lsm));
    ST_TRY(st_lsm__freeze(op, lsm));
    st_mutex_lock(&lsm->work);
    st_status status = st_lsm__flush_all(op, lsm);
    st_mutex_unlock(&lsm->work);
    return status;
}

st_status st_lsm_compact(st_op *op, st_lsm *lsm)
{
    ST_TRY(st_lsm_flush(op, lsm));
    st_mutex_lock(&lsm->work);
    st_status status = st_lsm__compact_all(op, lsm);
    st_mutex_unlock(&lsm->work);
    return status;
}

st_status st_lsm_wait_idle(st_op *op, st_lsm *lsm)
{
    if (lsm->options.read_only) {
        return ST_OK;
    }
    st_status status = st_lsm__do_work(op, lsm);
    return status == ST_CANCELLED ? ST_OK : status;
}

void st_lsm_stats_read(st_lsm *lsm, st_lsm_stats *out_stats)
{
    *out_stats = (st_lsm_stats){.applied_sequence = atomic_load(&lsm->applied),
                                .published_sequence = atomic_load(&lsm->published),
                                .durable_sequence = atomic_load(&lsm->durable),
                                .memory_budget_bytes = lsm->options.memory_budget_bytes,
                                .recovered_frames = lsm->recovered_frames,
                                .recovered_torn_bytes = lsm->recovered_torn_bytes};
    st_mutex_lock(&lsm->state);
    st_set *set = st_lsm__set_retain(lsm);
    for (st_segment *segment = lsm->segments; segment; segment = segment->next) {
        out_stats->log_segments++;
        out_stats->log_bytes += segment->bytes;
    }
    out_stats->flushes = lsm->flushes;
    out_stats->compactions = lsm->compactions;
    out_stats->syncs = lsm->syncs;
    out_stats->stall_us = lsm->stall_us;
    out_stats->written_bytes_log = lsm->written_log;
    out_stats->written_bytes_flush = lsm->written_flush;
    out_stats->written_bytes_compaction = lsm->written_compaction;
    st_mutex_unlock(&lsm->state);
    for (uint32_t i = 0; i < set->memtable_count; i++) {
        out_stats->memtable_bytes += st_lsm__memtable_bytes(set->memtables[i]->memtable);
        out_stats->memtable_entries += st_lsm__memtable_count(set->memtables[i]->memtable);
    }
    out_stats->frozen_memtables = set->memtable_count - 1;
    for (uint32_t level = 0; level < ST_LSM_LEVELS; level++) {
        out_stats->level_files[level] = set->version->counts[level];
        for (uint32_t i = 0; i < set->version->counts[level]; i++) {
            out_stats->level_bytes[level] += set->version->files[level][i]->summary.file_bytes;
            out_stats->level_entries[level] += set->version->files[level][i]->summary.entry_count;
        }
    }
    st_lsm__set_release(set);
    st_lsm__cache_stats(lsm->cache, &out_stats->cache_bytes, &out_stats->cache_hits,
                        &out_stats->cache_misses);
    out_stats->memory_used_bytes = out_stats->memtable_bytes + out_stats->cache_bytes;
}
