/* Leveled compaction. Level 0 holds memtables as they were flushed; level 1 is about four files
 * large, each further level ten times larger, and within a level files do not overlap. A step
 * merges one file (level 0: all of them) with those it overlaps in the next level.
 *
 * What is dropped: a version when a newer version of its key, or a range delete over it, is seen by
 * every reader who would see it; a delete when nothing older can lie below and no snapshot stands
 * before it. Readers are the open snapshots and whoever reads at the published sequence; cursors
 * have their own version and need no care.
 */
#include "lsm/lsm_internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct compact_job {
    st_lsm *lsm;
    st_version *base;
    uint32_t output_level;
    st_table_file **inputs; /* NULL-terminated, in the arena */
    uint32_t input_count;
    uint64_t *readers; /* sequences, ascending */
    uint32_t reader_count;
    st_table_file **outputs; /* in the arena; each with a reference of ours */
    uint32_t output_count, output_capacity;
    bool is_move; /* the output is the input: nothing is written */
    st_sst_writer *writer;
    const char *writer_path; /* of a file that no version holds yet; NULL: there is none */
} compact_job;

/* ---- what to keep ----------------------------------------------------------------------- */

static int compact_compare_sequences(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static st_status compact_readers(st_op *op, compact_job *job)
{
    st_lsm *lsm = job->lsm;
    uint32_t count = 1;
    st_mutex_lock(&lsm->state);
    for (st_lsm_snapshot *snapshot = lsm->snapshots; snapshot; snapshot = snapshot->next) {
        count++;
    }
    job->readers = st_arena_alloc(&op->arena, count * sizeof *job->readers);
    if (job->readers) {
        job->readers[job->reader_count++] =
            atomic_load_explicit(&lsm->published, memory_order_relaxed);
        for (st_lsm_snapshot *snapshot = lsm->snapshots; snapshot; snapshot = snapshot->next) {
            job->readers[job->reader_count++] = snapshot->sequence;
        }
    }
    st_mutex_unlock(&lsm->state);
    if (!job->readers) {
        return st_fail_memory(op, count * sizeof *job->readers);
    }
    qsort(job->readers, job->reader_count, sizeof *job->readers, compact_compare_sequences);
    return ST_OK;
}

/* The number of readers before a sequence: two versions with the same number are seen by the same
 * readers. */
static uint32_t compact_stripe(const compact_job *job, uint64_t sequence)
{
    uint32_t stripe = 0;
    while (stripe < job->reader_count && job->readers[stripe] < sequence) {
        stripe++;
    }
    return stripe;
}

static bool compact_is_covered(const compact_job *job, const st_entry *entry)
{
    for (uint32_t i = 0; i < job->base->range_count; i++) {
        const st_range_delete *range = &job->base->ranges[i];
        if (entry->sequence < range->sequence && st_slice_compare(range->from, entry->key) <= 0 &&
            st_slice_compare(entry->key, range->to) < 0 &&
            compact_stripe(job, entry->sequence) == compact_stripe(job, range->sequence)) {
            return true;
        }
    }
    return false;
}

static bool compact_has_older_below(const compact_job *job, st_slice key)
{
    for (uint32_t level = job->output_level + 1; level < ST_LSM_LEVELS; level++) {
        uint32_t at = st_lsm__version_find(job->base, level, key);
        if (at < job->base->counts[level] &&
            st_slice_compare(job->base->files[level][at]->summary.smallest_key, key) <= 0) {
            return true;
        }
    }
    return false;
}

/* ---- writing ---------------------------------------------------------------------------- */

static st_status compact_open_output(st_op *op, compact_job *job)
{
    st_lsm *lsm = job->lsm;
    st_file_identity identity = {
        .file_id = atomic_fetch_add_explicit(&lsm->next_file_id, 1, memory_order_relaxed)};
    memcpy(identity.database_id, lsm->database_id, 16);
    const char *path = st_lsm__path(op, lsm, ST_NAME_SORTED, identity.file_id);
    if (!path) {
        return st_fail_memory(op, lsm->path.size);
    }
    job->writer_path = path;
    return st_lsm__sst_writer_open(op, lsm->env, lsm->alloc, path, &identity, ST_SST_COMPRESS_ZSTD,
                                   &job->writer);
}

/* What a failed merge began is removed at once: it may be the disk that is full. */
static void compact_abandon_output(compact_job *job)
{
    st_lsm__sst_writer_destroy(job->writer);
    job->writer = NULL;
    if (job->writer_path) {
        st_op quiet;
        st_op_init(&quiet, job->lsm->alloc);
        (void)!st_env_remove(&quiet, job->lsm->env, job->writer_path);
        st_op_deinit(&quiet);
    }
}

static st_status compact_close_output(st_op *op, compact_job *job)
{
    if (!job->writer) {
        return ST_OK;
    }
    if (job->output_count == job->output_capacity) {
        uint32_t capacity = job->output_capacity ? 2 * job->output_capacity : 8;
        st_table_file **outputs = st_arena_alloc(&op->arena, capacity * sizeof *outputs);
        if (!outputs) {
            return st_fail_memory(op, capacity * sizeof *outputs);
        }
        if (job->output_count > 0) {
            memcpy(outputs, job->outputs, job->output_count * sizeof *outputs);
        }
        job->outputs = outputs;
        job->output_capacity = capacity;
    }
    st_sst_summary summary;
    ST_TRY(st_lsm__sst_writer_finish(op, job->writer, &summary));
    ST_TRY(st_lsm__file_create(op, job->lsm, &summary, &job->outputs[job->output_count]));
    job->output_count++;
    st_lsm__sst_writer_destroy(job->writer);
    job->writer = NULL;
    job->writer_path = NULL;
    return ST_OK;
}

static bool compact_is_closing(st_lsm *lsm)
{
    st_mutex_lock(&lsm->state);
    bool is_closing = lsm->is_closing;
    st_mutex_unlock(&lsm->state);
    return is_closing;
}

static st_status compact_merge(st_op *op, compact_job *job, st_iter *iter)
{
    st_buf last;
    st_buf_init(&last, job->lsm->alloc);
    bool has_last = false;
    uint32_t last_stripe = 0;
    uint64_t steps = 0;
    st_status status = st_lsm__iter_first(op, iter);
    while (status == ST_OK && iter->valid) {
        const st_entry *entry = &iter->entry;
        bool is_same = has_last && st_slice_equal(st_buf_view(&last), entry->key);
        uint32_t stripe = compact_stripe(job, entry->sequence);
        bool is_dropped = (is_same && stripe == last_stripe) || compact_is_covered(job, entry) ||
                          (entry->type == ST_ENTRY_DELETE && stripe == 0 &&
                           !compact_has_older_below(job, entry->key));
        bool is_full =
            job->writer && st_lsm__sst_writer_bytes(job->writer) >= job->lsm->options.file_bytes;
        if (is_full && !is_same) {
            status = compact_close_output(op, job);
        }
        if (status == ST_OK && !is_dropped && !job->writer) {
            status = compact_open_output(op, job);
        }
        if (status == ST_OK && !is_dropped) {
            status = st_lsm__sst_writer_add(op, job->writer, entry);
        }
        if (!is_same) {
            st_buf_clear(&last);
            st_buf_slice(&last, entry->key);
            has_last = true;
        }
        last_stripe = stripe;
        status = status == ST_OK ? st_buf_check(op, &last) : status;
        status = status == ST_OK ? st_lsm__iter_next(op, iter) : status;
        if (status == ST_OK && ++steps % 4096 == 0 && compact_is_closing(job->lsm)) {
            status = st_fail(op, ST_CANCELLED, "the database is being closed");
        }
    }
    st_buf_deinit(&last);
    return status == ST_OK ? compact_close_output(op, job) : status;
}

static st_status compact_sources(st_op *op, const compact_job *job, st_iter **out_iter)
{
    st_iter **sources = st_arena_alloc(&op->arena, job->input_count * sizeof *sources);
    if (!sources) {
        return st_fail_memory(op, job->input_count * sizeof *sources);
    }
    for (uint32_t i = 0; i < job->input_count; i++) {
        st_status status = st_lsm__sst_iter(op, job->inputs[i]->sst, false, &sources[i]);
        if (status != ST_OK) {
            while (i-- > 0) {
                st_lsm__iter_destroy(sources[i]);
            }
            return status;
        }
    }
    return st_lsm__merge_create(op, job->lsm->alloc, sources, job->input_count, false, out_iter);
}

static st_status compact_install(st_op *op, compact_job *job)
{
    st_version *version;
    ST_TRY(st_lsm__version_copy(op, job->base, job->inputs, &version));
    st_status status = ST_OK;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < job->output_count && status == ST_OK; i++) {
        status = st_lsm__version_add(op, version, job->output_level, job->outputs[i]);
        bytes += job->is_move ? 0 : job->outputs[i]->summary.file_bytes;
    }
    if (status == ST_OK) {
        status = st_lsm__install(op, job->lsm, version, NULL);
    }
    if (status == ST_OK) {
        st_mutex_lock(&job->lsm->state);
        job->lsm->compactions++;
        job->lsm->written_compaction += bytes;
        st_mutex_unlock(&job->lsm->state);
    }
    st_lsm__version_release(version);
    return status;
}

static st_status compact_run(st_op *op, compact_job *job)
{
    st_iter *iter = NULL;
    st_status status;
    ST_TRY_OUT(compact_readers(op, job));
    ST_TRY_OUT(compact_sources(op, job, &iter));
    ST_TRY_OUT(compact_merge(op, job, iter));
    st_lsm__iter_destroy(iter); /* installing closes the files it reads */
    iter = NULL;
    status = compact_install(op, job);
out:
    st_lsm__iter_destroy(iter);
    compact_abandon_output(job);
    for (uint32_t i = 0; i < job->output_count; i++) {
        if (status != ST_OK) {
            st_lsm__file_abandon(job->outputs[i]);
        }
        st_lsm__file_release(job->outputs[i]);
    }
    return status;
}

/* ---- what to merge ---------------------------------------------------------------------- */

static st_status compact_begin(st_op *op, st_lsm *lsm, compact_job *job)
{
    *job = (compact_job){
        .lsm = lsm,
        .base = st_lsm__version_of(lsm)}; /* only a holder of work changes the version */
    uint32_t most = 1;
    for (uint32_t level = 0; level < ST_LSM_LEVELS; level++) {
        most += job->base->counts[level];
    }
    job->inputs = st_arena_alloc(&op->arena, most * sizeof *job->inputs);
    if (!job->inputs) {
        return st_fail_memory(op, most * sizeof *job->inputs);
    }
    memset(job->inputs, 0, most * sizeof *job->inputs);
    return ST_OK;
}

static void compact_add_input(compact_job *job, st_table_file *file)
{
    job->inputs[job->input_count++] = file;
}

/* All files of a level that overlap the inputs so far. */
static void compact_add_overlapping(compact_job *job, uint32_t level)
{
    st_slice smallest = job->inputs[0]->summary.smallest_key,
             largest = job->inputs[0]->summary.largest_key;
    for (uint32_t i = 1; i < job->input_count; i++) {
        const st_sst_summary *file = &job->inputs[i]->summary;
        smallest =
            st_slice_compare(file->smallest_key, smallest) < 0 ? file->smallest_key : smallest;
        largest = st_slice_compare(file->largest_key, largest) > 0 ? file->largest_key : largest;
    }
    for (uint32_t i = st_lsm__version_find(job->base, level, smallest);
         i < job->base->counts[level]; i++) {
        if (st_slice_compare(job->base->files[level][i]->summary.smallest_key, largest) > 0) {
            break;
        }
        compact_add_input(job, job->base->files[level][i]);
    }
}

static uint64_t compact_level_bytes(const st_version *version, uint32_t level)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < version->counts[level]; i++) {
        bytes += version->files[level][i]->summary.file_bytes;
    }
    return bytes;
}

/* The level that most needs to give something down; ST_LSM_LEVELS when none does. */
static uint32_t compact_pick_level(st_lsm *lsm)
{
    const st_version *version = st_lsm__version_of(lsm);
    if (version->counts[0] >= ST_LEVEL0_TRIGGER) {
        return 0;
    }
    uint64_t most = 4 * lsm->options.file_bytes;
    for (uint32_t level = 1; level + 1 < ST_LSM_LEVELS; level++, most *= 10) {
        if (compact_level_bytes(version, level) > most) {
            return level;
        }
    }
    return ST_LSM_LEVELS;
}

/* A file that range deletes hide wholly, from every reader, needs no reading to be dropped. */
static st_table_file *compact_hidden_file(const compact_job *job)
{
    for (uint32_t level = 0; level < ST_LSM_LEVELS; level++) {
        for (uint32_t i = 0; i < job->base->counts[level]; i++) {
            const st_sst_summary *file = &job->base->files[level][i]->summary;
            for (uint32_t r = 0; r < job->base->range_count; r++) {
                const st_range_delete *range = &job->base->ranges[r];
                if (file->largest_sequence < range->sequence &&
                    st_slice_compare(range->from, file->smallest_key) <= 0 &&
                    st_slice_compare(file->largest_key, range->to) < 0 &&
                    compact_stripe(job, file->smallest_sequence) ==
                        compact_stripe(job, range->sequence)) {
                    return job->base->files[level][i];
                }
            }
        }
    }
    return NULL;
}

static st_status compact_drop_hidden(st_op *op, st_lsm *lsm, bool *out_did_work)
{
    compact_job job;
    ST_TRY(compact_begin(op, lsm, &job));
    if (job.base->range_count == 0) {
        return ST_OK;
    }
    ST_TRY(compact_readers(op, &job));
    st_table_file *hidden = compact_hidden_file(&job);
    if (!hidden) {
        return ST_OK;
    }
    compact_add_input(&job, hidden);
    *out_did_work = true;
    return compact_install(op, &job);
}

st_status st_lsm__compact_due(st_op *op, st_lsm *lsm, bool *out_did_work)
{
    *out_did_work = false;
    ST_TRY(compact_drop_hidden(op, lsm, out_did_work));
    uint32_t level = compact_pick_level(lsm);
    if (*out_did_work || level == ST_LSM_LEVELS) {
        return ST_OK;
    }
    *out_did_work = true;
    compact_job job;
    ST_TRY(compact_begin(op, lsm, &job));
    job.output_level = level + 1;
    if (level == 0) {
        for (uint32_t i = 0; i < job.base->counts[0]; i++) {
            compact_add_input(&job, job.base->files[0][i]);
        }
    } else {
        uint32_t at = lsm->next_compact_level_cursor[level]++ % job.base->counts[level];
        compact_add_input(&job, job.base->files[level][at]);
    }
    compact_add_overlapping(&job, job.output_level);
    if (level > 0 && job.input_count == 1) { /* nothing below: it only changes its level */
        st_table_file *moved = job.inputs[0];
        job.outputs = job.inputs;
        job.output_count = 1;
        job.is_move = true;
        atomic_fetch_add_explicit(&moved->references, 1, memory_order_relaxed);
        st_status status = compact_install(op, &job);
        st_lsm__file_release(moved);
        return status;
    }
    return compact_run(op, &job);
}

st_status st_lsm__compact_all(st_op *op, st_lsm *lsm)
{
    compact_job job;
    ST_TRY(compact_begin(op, lsm, &job));
    job.output_level = 1;
    for (uint32_t level = 0; level < ST_LSM_LEVELS; level++) {
        for (uint32_t i = 0; i < job.base->counts[level]; i++) {
            compact_add_input(&job, job.base->files[level][i]);
            job.output_level = level > 1 ? level : job.output_level;
        }
    }
    return job.input_count > 0 ? compact_run(op, &job) : ST_OK;
}
