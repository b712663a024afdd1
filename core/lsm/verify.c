/* Checking a whole store, and printing single files in words. */
#include "lsm/lsm_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- verify ----------------------------------------------------------------------------- */

/* Smallest and largest key of a file, gathered from its entries and range deletes. */
typedef struct verify_bounds {
    st_buf smallest, largest;
    bool has_any;
} verify_bounds;

static void verify_widen(verify_bounds *bounds, st_slice smallest, st_slice largest)
{
    if (!bounds->has_any || st_slice_compare(smallest, st_buf_view(&bounds->smallest)) < 0) {
        st_buf_clear(&bounds->smallest);
        st_buf_slice(&bounds->smallest, smallest);
    }
    if (!bounds->has_any || st_slice_compare(largest, st_buf_view(&bounds->largest)) > 0) {
        st_buf_clear(&bounds->largest);
        st_buf_slice(&bounds->largest, largest);
    }
    bounds->has_any = true;
}

static st_status verify_widen_range(void *ctx, st_op *op, const st_range_delete *range)
{
    (void)op;
    verify_widen(ctx, range->from, range->to);
    return ST_OK;
}

static st_status verify_widen_entry(st_op *op, st_sst *sst, bool is_last, verify_bounds *bounds)
{
    st_iter *iter;
    ST_TRY(st_lsm__sst_iter(op, sst, is_last, &iter));
    st_status status = st_lsm__iter_first(op, iter);
    if (status == ST_OK && iter->valid) {
        verify_widen(bounds, iter->entry.key, iter->entry.key);
    }
    st_lsm__iter_destroy(iter);
    return status;
}

/* A get believes the keys that the manifest keeps of a file. Its entries are in order. */
static st_status verify_keys(st_op *op, st_sst *sst, const st_sst_summary *summary)
{
    verify_bounds bounds = {.has_any = false};
    st_buf_init(&bounds.smallest, sst->alloc);
    st_buf_init(&bounds.largest, sst->alloc);
    st_status status;
    ST_TRY_OUT(verify_widen_entry(op, sst, false, &bounds));
    ST_TRY_OUT(verify_widen_entry(op, sst, true, &bounds));
    ST_TRY_OUT(st_lsm__sst_ranges(op, sst, verify_widen_range, &bounds));
    ST_TRY_OUT(st_buf_check(op, &bounds.smallest));
    ST_TRY_OUT(st_buf_check(op, &bounds.largest));
    if (!st_slice_equal(st_buf_view(&bounds.smallest), summary->smallest_key) ||
        !st_slice_equal(st_buf_view(&bounds.largest), summary->largest_key)) {
        status = st_lsm__sst_corrupt(op, sst, 0, "the manifest knows other keys of this file");
    }
out:
    st_buf_deinit(&bounds.largest);
    st_buf_deinit(&bounds.smallest);
    return status;
}

/* Opens the file once more, past the cache, so that every byte is read from the disk. */
static st_status verify_file(st_op *op, st_lsm *lsm, const st_sst_summary *summary,
                             uint64_t *out_entries)
{
    st_cache *cache;
    st_sst *sst = NULL;
    ST_TRY(st_lsm__cache_create(op, lsm->alloc, 0, &cache));
    const char *path = st_lsm__path(op, lsm, ST_NAME_SORTED, summary->identity.file_id);
    st_status status = path ? st_lsm__sst_open(op, lsm->env, lsm->alloc, cache, path, summary, &sst)
                            : st_fail_memory(op, lsm->path.size);
    if (status == ST_OK) {
        status = st_lsm__sst_verify(op, sst, out_entries);
    }
    if (status == ST_OK) {
        status = verify_keys(op, sst, summary);
    }
    st_lsm__sst_close(sst);
    st_lsm__cache_destroy(cache);
    return status;
}

static st_status verify_version(st_op *op, st_lsm *lsm, const st_version *version,
                                st_lsm_print print, void *ctx)
{
    char line[256];
    st_status worst = ST_OK;
    for (uint32_t level = 0; level < ST_LSM_LEVELS; level++) {
        uint64_t entries = 0, bytes = 0;
        for (uint32_t i = 0; i < version->counts[level]; i++) {
            const st_sst_summary *summary = &version->files[level][i]->summary;
            st_op each;
            st_op_init(&each, lsm->alloc);
            uint64_t file_entries = 0;
            st_status status = verify_file(&each, lsm, summary, &file_entries);
            if (status != ST_OK) {
                snprintf(line, sizeof line, "damaged: %.240s", each.error.message);
                print(ctx, line);
                each.error.text = (st_slice){0}; /* memory of each */
                op->error = worst == ST_OK ? each.error : op->error;
                worst = worst == ST_OK ? status : worst;
            }
            st_op_deinit(&each);
            entries += file_entries;
            bytes += summary->file_bytes;
        }
        if (version->counts[level] > 0) {
            snprintf(line, sizeof line,
                     "level %u: %u sorted files, %llu entries, %llu bytes: checksums, order, index "
                     "and filters read",
                     level, version->counts[level], (unsigned long long)entries,
                     (unsigned long long)bytes);
            print(ctx, line);
        }
    }
    return worst;
}

/* Reads CURRENT and the manifest from the disk again, with the headers of all that it names. */
static st_status verify_manifest(st_op *op, st_lsm *lsm, st_manifest *out_manifest,
                                 st_lsm_print print, void *ctx)
{
    char line[128];
    st_version *version;
    ST_TRY(st_lsm__manifest_read(op, lsm, out_manifest, &version));
    st_lsm__version_release(version);
    if (!lsm->options.read_only && out_manifest->file_id != lsm->manifest_id) {
        return st_fail(op, ST_CORRUPT, "%s/CURRENT: names manifest %llu instead of %llu",
                       (const char *)lsm->path.data, (unsigned long long)out_manifest->file_id,
                       (unsigned long long)lsm->manifest_id);
    }
    snprintf(line, sizeof line, "manifest %llu: read again, names every file once, no overlaps",
             (unsigned long long)out_manifest->file_id);
    print(ctx, line);
    return ST_OK;
}

static st_status verify_log(st_op *op, st_lsm *lsm, const st_manifest *manifest, st_lsm_print print,
                            void *ctx)
{
    char line[256];
    uint64_t segments = 0, frames = 0;
    st_status status = st_lsm__log_verify(op, lsm, manifest, &segments, &frames);
    if (status == ST_OK) {
        snprintf(line, sizeof line, "log: %llu segments, %llu frames not in sorted files yet",
                 (unsigned long long)segments, (unsigned long long)frames);
    } else {
        snprintf(line, sizeof line, "damaged: %.240s", op->error.message);
    }
    print(ctx, line);
    return status;
}

st_status st_lsm_verify(st_op *op, st_lsm *lsm, st_lsm_print print, void *ctx)
{
    st_mutex_lock(&lsm->work); /* no file comes or goes meanwhile, but for new log segments */
    st_mutex_lock(&lsm->state);
    st_set *set = st_lsm__set_retain(lsm);
    st_mutex_unlock(&lsm->state);
    st_manifest manifest = {0};
    st_buf_init(&manifest.header, lsm->alloc);
    st_status status = verify_manifest(op, lsm, &manifest, print, ctx);
    if (status == ST_OK) {
        status = st_lsm__version_check(op, set->version);
    }
    if (status == ST_OK) {
        status = verify_version(op, lsm, set->version, print, ctx);
    }
    if (status == ST_OK) {
        status = verify_log(op, lsm, &manifest, print, ctx);
    }
    st_buf_deinit(&manifest.header);
    st_lsm__set_release(set);
    st_mutex_unlock(&lsm->work);
    return status;
}

/* ---- inspect ---------------------------------------------------------------------------- */

static st_status verify_inspect_log(st_op *op, st_env *env, const char *path, st_lsm_print print,
                                    void *ctx)
{
    char line[256];
    st_log_reader *reader;
    ST_TRY(st_log_reader_open(op, env, op->alloc, path, NULL, &reader));
    snprintf(line, sizeof line, "log segment %llu",
             (unsigned long long)st_log_reader_identity(reader)->file_id);
    print(ctx, line);
    st_log_frame frame;
    st_log_end end;
    st_status status = ST_OK;
    for (;;) {
        uint64_t offset = st_log_reader_offset(reader);
        st_log_reader_next(reader, &frame, &end);
        if (end != ST_LOG_END_NONE) {
            break;
        }
        size_t count = 0, payload_bytes = 0;
        status = st_lsm__batch_measure(op, frame.body, &count, &payload_bytes);
        snprintf(
            line, sizeof line,
            "  offset %llu: sequence %llu, durable %llu, time %llu us, %zu operations, %zu bytes",
            (unsigned long long)offset, (unsigned long long)frame.sequence,
            (unsigned long long)frame.durable, (unsigned long long)frame.time_us, count,
            frame.body.size);
        print(ctx, line);
        if (status != ST_OK) {
            st_op_clear(op);
            status = st_fail_at(op, status, (int64_t)offset,
                                "%s: malformed batch in the frame at offset %llu", path,
                                (unsigned long long)offset);
            break;
        }
    }
    if (status == ST_OK && end == ST_LOG_END_BROKEN) {
        snprintf(line, sizeof line,
                 "  offset %llu: %llu bytes that are no frame (a torn tail, or damage)",
                 (unsigned long long)st_log_reader_offset(reader),
                 (unsigned long long)st_log_reader_tail(reader));
        print(ctx, line);
    }
    st_log_reader_close(reader);
    return status;
}

#define VERIFY_SMALL_FILE_BYTES ((uint64_t)64 << 20)

static st_status verify_read(st_op *op, st_env *env, const char *path, st_buf *out)
{
    st_file *file;
    uint64_t bytes;
    ST_TRY(st_env_open(op, env, path, ST_OPEN_READ, &file));
    st_status status = st_file_size(op, file, &bytes);
    bytes = bytes < VERIFY_SMALL_FILE_BYTES ? bytes : VERIFY_SMALL_FILE_BYTES;
    if (status == ST_OK && bytes > 0) {
        uint8_t *to = st_buf_extend(out, (size_t)bytes);
        size_t got = 0;
        status = to ? st_file_read_at(op, file, 0, to, (size_t)bytes, &got) : st_buf_check(op, out);
        out->size = got;
    }
    st_file_close(file);
    return status;
}

st_status st_lsm_inspect(st_op *op, st_env *env, const char *path, st_lsm_print print, void *ctx)
{
    st_buf bytes;
    st_buf_init(&bytes, op->alloc);
    st_status status = verify_read(op, env, path, &bytes);
    st_slice content = st_buf_view(&bytes);
    if (status != ST_OK) {
        st_buf_deinit(&bytes);
        return status;
    }
    if (st_slice_starts_with(content, st_slice_str(ST_LOG_MAGIC))) {
        status = verify_inspect_log(op, env, path, print, ctx);
    } else if (st_slice_starts_with(content, st_slice_str(ST_SST_MAGIC))) {
        status = st_lsm__sst_inspect(op, env, op->alloc, path, print, ctx);
    } else if (st_slice_starts_with(content, st_slice_str("STATORMF"))) {
        status = st_lsm__manifest_inspect(op, content, path, print, ctx);
    } else if (st_slice_starts_with(content, st_slice_str("stator 1 "))) {
        status = st_lsm__current_inspect(op, &bytes, path, print, ctx);
    } else {
        status = st_fail(op, ST_NOT_A_DATABASE,
                         "%s: neither a log segment nor a manifest nor a sorted file", path);
    }
    st_buf_deinit(&bytes);
    return status;
}
