/* From frozen memtables to sorted files of level 0, and taking a new version into use. */
#include "lsm/lsm_internal.h"

#include <string.h>

/* ---- taking a version into use ---------------------------------------------------------- */

/* State held. Log segments whose frames are all in sorted files; they are cut off the list. */
static st_segment *flush_take_old_segments(st_lsm *lsm, uint64_t log_start)
{
    while (lsm->is_syncing) {
        st_cond_wait(&lsm->synced, &lsm->state);
    }
    st_segment *taken = NULL, **behind = &taken;
    while (lsm->segments && lsm->segments->id < log_start && lsm->segments != lsm->writes_to) {
        st_segment *segment = lsm->segments;
        lsm->segments = segment->next;
        segment->next = NULL;
        *behind = segment;
        behind = &segment->next;
    }
    if (!lsm->segments) {
        lsm->last_segment = NULL;
    }
    return taken;
}

static void flush_remove_segments(st_lsm *lsm, st_segment *segment)
{
    while (segment) {
        st_segment *next = segment->next;
        st_op op;
        st_op_init(&op, lsm->alloc);
        st_log_close(segment->log);
        const char *path = st_lsm__path(&op, lsm, ST_NAME_LOG, segment->id);
        if (path) {
            (void)!st_env_remove(&op, lsm->env, path); /* what stays is removed at the next open */
        }
        st_op_deinit(&op);
        st_alloc_free(lsm->alloc, segment, sizeof *segment);
        segment = next;
    }
}

/* State held. The oldest segment that a memtable other than flushed needs; all of them when there
 * is none. */
static uint64_t flush_log_start(const st_lsm *lsm, const st_counted_memtable *flushed)
{
    uint64_t start = 0;
    for (uint32_t i = 0; i < lsm->set->memtable_count; i++) {
        const st_counted_memtable *memtable = lsm->set->memtables[i];
        if (memtable != flushed && memtable->first_log != 0 &&
            (start == 0 || memtable->first_log < start)) {
            start = memtable->first_log;
        }
    }
    return start != 0 ? start : atomic_load_explicit(&lsm->next_file_id, memory_order_relaxed);
}

static void flush_mark_obsolete(const st_version *old, const st_version *version)
{
    for (uint32_t level = 0; level < ST_LSM_LEVELS; level++) {
        for (uint32_t i = 0; i < old->counts[level]; i++) {
            bool is_kept = false;
            for (uint32_t other = 0; other < ST_LSM_LEVELS && !is_kept; other++) {
                for (uint32_t j = 0; j < version->counts[other] && !is_kept; j++) {
                    is_kept = version->files[other][j] == old->files[level][i];
                }
            }
            if (!is_kept) {
                atomic_store_explicit(&old->files[level][i]->is_obsolete, true,
                                      memory_order_release);
            }
        }
    }
}

st_status st_lsm__install(st_op *op, st_lsm *lsm, st_version *version, st_counted_memtable *flushed)
{
    st_set *set;
    st_lsm__version_trim_ranges(version);
    ST_TRY(st_lsm__version_check(op, version));
    ST_TRY(st_lsm__set_reserve(op, lsm, &set)); /* nothing may fail once the manifest is written */
    st_mutex_lock(&lsm->state);
    uint64_t log_start = flush_log_start(lsm, flushed);
    st_mutex_unlock(&lsm->state);
    uint64_t sorted = flushed ? flushed->last_sequence : lsm->sorted_sequence;
    st_status status = st_lsm__manifest_write(op, lsm, version, log_start, sorted);
    if (status != ST_OK) {
        st_lsm__set_unreserve(lsm, set);
        return status;
    }
    lsm->sorted_sequence = sorted;
    st_mutex_lock(&lsm->state);
    st_set *old = lsm->set;
    st_counted_memtable *memtables[ST_FROZEN_MAX + 1];
    uint32_t count = 0;
    for (uint32_t i = 0; i < old->memtable_count; i++) {
        if (old->memtables[i] != flushed) {
            memtables[count++] = old->memtables[i];
        }
    }
    st_lsm__set_fill(set, memtables, count, version);
    flush_mark_obsolete(old->version, version);
    lsm->set = set;
    if (sorted > atomic_load_explicit(&lsm->durable, memory_order_relaxed)) {
        atomic_store_explicit(&lsm->durable, sorted, memory_order_release);
        st_lsm__publish(lsm);
    }
    st_segment *removed = flushed ? flush_take_old_segments(lsm, log_start) : NULL;
    st_cond_broadcast(&lsm->worked);
    st_mutex_unlock(&lsm->state);
    st_lsm__set_release(old);
    flush_remove_segments(lsm, removed);
    return ST_OK;
}

/* ---- one memtable ----------------------------------------------------------------------- */

static st_status flush_write_entries(st_op *op, st_iter *iter, st_sst_writer *writer)
{
    ST_TRY(st_lsm__iter_first(op, iter));
    while (iter->valid) {
        ST_TRY(st_lsm__sst_writer_add(op, writer, &iter->entry));
        ST_TRY(st_lsm__iter_next(op, iter));
    }
    return ST_OK;
}

/* A new sorted file of all entries; *out_file NULL when there are none. The file has no durable
 * name yet. */
static st_status flush_write_file(st_op *op, st_lsm *lsm, const st_memtable *memtable,
                                  st_table_file **out_file)
{
    *out_file = NULL;
    st_file_identity identity = {
        .file_id = atomic_fetch_add_explicit(&lsm->next_file_id, 1, memory_order_relaxed)};
    memcpy(identity.database_id, lsm->database_id, 16);
    const char *path = st_lsm__path(op, lsm, ST_NAME_SORTED, identity.file_id);
    st_iter *iter = NULL;
    st_sst_writer *writer = NULL;
    st_sst_summary summary;
    st_status status;
    ST_TRY_OUT(path ? ST_OK : st_fail_memory(op, lsm->path.size));
    ST_TRY_OUT(st_lsm__memtable_iter(op, lsm->alloc, memtable, false, &iter));
    ST_TRY_OUT(st_lsm__iter_first(op, iter));
    if (!iter->valid) {
        goto out;
    }
    ST_TRY_OUT(st_lsm__sst_writer_open(op, lsm->env, lsm->alloc, path, &identity,
                                       ST_SST_COMPRESS_NONE, &writer));
    ST_TRY_OUT(flush_write_entries(op, iter, writer));
    ST_TRY_OUT(st_lsm__sst_writer_finish(op, writer, &summary));
    status = st_lsm__file_create(op, lsm, &summary, out_file);
out:
    st_lsm__sst_writer_destroy(writer);
    st_lsm__iter_destroy(iter);
    if (status != ST_OK && path) {
        st_op quiet;
        st_op_init(&quiet, lsm->alloc);
        (void)!st_env_remove(&quiet, lsm->env, path);
        st_op_deinit(&quiet);
    }
    return status;
}

static st_status flush_memtable(st_op *op, st_lsm *lsm, st_counted_memtable *memtable)
{
    st_table_file *file = NULL;
    st_version *version = NULL;
    st_status status;
    ST_TRY_OUT(flush_write_file(op, lsm, memtable->memtable, &file));
    ST_TRY_OUT(st_lsm__version_copy(op, st_lsm__version_of(lsm), NULL, &version));
    if (file) {
        ST_TRY_OUT(st_lsm__version_add(op, version, 0, file));
    }
    const st_memtable_range *range = NULL;
    while ((range = st_lsm__memtable_next_range(memtable->memtable, range)) != NULL) {
        st_range_delete copy = st_lsm__memtable_range(range);
        ST_TRY_OUT(st_lsm__version_add_range(op, version, &copy));
    }
    status = st_lsm__install(op, lsm, version, memtable);
    if (status == ST_OK) {
        st_mutex_lock(&lsm->state);
        lsm->flushes++;
        lsm->written_flush += file ? file->summary.file_bytes : 0;
        st_mutex_unlock(&lsm->state);
    }
out:
    st_lsm__version_release(version);
    if (file && status != ST_OK) {
        st_lsm__file_abandon(file);
    }
    st_lsm__file_release(file);
    return status;
}

st_status st_lsm__flush_all(st_op *op, st_lsm *lsm)
{
    for (;;) {
        st_mutex_lock(&lsm->state);
        uint32_t count = lsm->set->memtable_count;
        st_counted_memtable *oldest = lsm->set->memtables[count - 1];
        atomic_fetch_add_explicit(&oldest->references, 1, memory_order_relaxed);
        st_mutex_unlock(&lsm->state);
        st_status status = count > 1 ? flush_memtable(op, lsm, oldest) : ST_OK;
        st_lsm__memtable_release(oldest);
        if (count == 1 || status != ST_OK) {
            return status;
        }
    }
}
