/* Versions: which sorted files make up the store. A version never changes once it is in a set. */
#include "lsm/lsm_internal.h"

#include <string.h>

/* ---- files ------------------------------------------------------------------------------ */

static bool version_copy_key(const st_alloc *alloc, st_slice *key)
{
    uint8_t *copy = st_alloc_new(alloc, key->size + 1);
    if (copy && key->size > 0) {
        memcpy(copy, key->data, key->size);
    }
    key->data = copy;
    return copy != NULL;
}

static void version_free_key(const st_alloc *alloc, st_slice key)
{
    st_alloc_free(alloc, (void *)(uintptr_t)key.data, key.size + 1);
}

st_status st_lsm__file_create(st_op *op, st_lsm *lsm, const st_sst_summary *summary,
                              st_table_file **out_file)
{
    *out_file = NULL;
    st_table_file *file = st_alloc_new(lsm->alloc, sizeof *file);
    if (!file) {
        return st_fail_memory(op, sizeof *file);
    }
    atomic_init(&file->references, 1);
    file->lsm = lsm;
    file->summary = *summary;
    bool has_keys = version_copy_key(lsm->alloc, &file->summary.smallest_key);
    has_keys = version_copy_key(lsm->alloc, &file->summary.largest_key) && has_keys;
    const char *path = st_lsm__path(op, lsm, ST_NAME_SORTED, summary->identity.file_id);
    st_status status = has_keys && path ? ST_OK : st_fail_memory(op, summary->largest_key.size);
    if (status == ST_OK) {
        status = st_lsm__sst_open(op, lsm->env, lsm->alloc, lsm->cache, path, &file->summary,
                                  &file->sst);
    }
    if (status != ST_OK) {
        st_lsm__file_release(file);
        return status;
    }
    *out_file = file;
    return ST_OK;
}

void st_lsm__file_release(st_table_file *file)
{
    if (!file || atomic_fetch_sub_explicit(&file->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    st_lsm *lsm = file->lsm;
    st_lsm__sst_close(file->sst);
    if (atomic_load_explicit(&file->is_obsolete, memory_order_acquire)) {
        st_op op;
        st_op_init(&op, lsm->alloc);
        const char *path = st_lsm__path(&op, lsm, ST_NAME_SORTED, file->summary.identity.file_id);
        if (path) {
            (void)!st_env_remove(&op, lsm->env, path); /* what stays is removed at the next open */
        }
        st_op_deinit(&op);
    }
    if (file->summary.smallest_key.data) {
        version_free_key(lsm->alloc, file->summary.smallest_key);
    }
    if (file->summary.largest_key.data) {
        version_free_key(lsm->alloc, file->summary.largest_key);
    }
    st_alloc_free(lsm->alloc, file, sizeof *file);
}

void st_lsm__file_abandon(st_table_file *file)
{
    st_mutex_lock(&file->lsm->state);
    bool is_certain = !file->lsm->is_failed;
    st_mutex_unlock(&file->lsm->state);
    if (is_certain) {
        atomic_store_explicit(&file->is_obsolete, true, memory_order_release);
    }
}

/* ---- versions --------------------------------------------------------------------------- */

st_status st_lsm__version_create(st_op *op, st_lsm *lsm, st_version **out_version)
{
    st_version *version = st_alloc_new(lsm->alloc, sizeof *version);
    *out_version = version;
    if (!version) {
        return st_fail_memory(op, sizeof *version);
    }
    atomic_init(&version->references, 1);
    version->lsm = lsm;
    return ST_OK;
}

static void version_drop_range(st_version *version, uint32_t index)
{
    version_free_key(version->lsm->alloc, version->ranges[index].from);
    version_free_key(version->lsm->alloc, version->ranges[index].to);
}

void st_lsm__version_release(st_version *version)
{
    if (!version || atomic_fetch_sub_explicit(&version->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    const st_alloc *alloc = version->lsm->alloc;
    for (uint32_t level = 0; level < ST_LSM_LEVELS; level++) {
        for (uint32_t i = 0; i < version->counts[level]; i++) {
            st_lsm__file_release(version->files[level][i]);
        }
        st_alloc_free(alloc, version->files[level],
                      version->counts[level] * sizeof(st_table_file *));
    }
    for (uint32_t i = 0; i < version->range_count; i++) {
        version_drop_range(version, i);
    }
    st_alloc_free(alloc, version->ranges, version->range_capacity * sizeof *version->ranges);
    st_alloc_free(alloc, version, sizeof *version);
}

/* Where a file belongs: level 0 newest first, other levels by key. */
static uint32_t version_place(const st_version *version, uint32_t level, const st_table_file *file)
{
    uint32_t at = 0;
    for (; at < version->counts[level]; at++) {
        const st_sst_summary *other = &version->files[level][at]->summary;
        bool is_before =
            level == 0 ? file->summary.largest_sequence > other->largest_sequence
                       : st_slice_compare(file->summary.smallest_key, other->smallest_key) < 0;
        if (is_before) {
            break;
        }
    }
    return at;
}

st_status st_lsm__version_add(st_op *op, st_version *version, uint32_t level, st_table_file *file)
{
    uint32_t count = version->counts[level];
    st_table_file **files = st_alloc_resize(version->lsm->alloc, version->files[level],
                                            count * sizeof *files, (count + 1) * sizeof *files);
    if (!files) {
        return st_fail_memory(op, (count + 1) * sizeof *files);
    }
    version->files[level] = files;
    uint32_t at = version_place(version, level, file);
    memmove(&files[at + 1], &files[at], (count - at) * sizeof *files);
    files[at] = file;
    version->counts[level]++;
    atomic_fetch_add_explicit(&file->references, 1, memory_order_relaxed);
    return ST_OK;
}

st_status st_lsm__version_add_range(st_op *op, st_version *version, const st_range_delete *range)
{
    const st_alloc *alloc = version->lsm->alloc;
    uint32_t count = version->range_count;
    st_range_delete copy = *range;
    bool has_from = version_copy_key(alloc, &copy.from);
    bool has_to = version_copy_key(alloc, &copy.to);
    st_range_delete *ranges =
        has_from && has_to
            ? st_alloc_resize(alloc, version->ranges, version->range_capacity * sizeof *ranges,
                              (version->range_capacity + 1) * sizeof *ranges)
            : NULL;
    if (!ranges) {
        if (has_from) {
            version_free_key(alloc, copy.from);
        }
        if (has_to) {
            version_free_key(alloc, copy.to);
        }
        return st_fail_memory(op, range->from.size + range->to.size);
    }
    version->ranges = ranges;
    version->range_capacity++;
    ranges[count] = copy;
    version->range_count++;
    return ST_OK;
}

static bool version_is_in(st_table_file **files, const st_table_file *file)
{
    for (; files && *files; files++) {
        if (*files == file) {
            return true;
        }
    }
    return false;
}

st_status st_lsm__version_copy(st_op *op, const st_version *base, st_table_file **without,
                               st_version **out_version)
{
    ST_TRY(st_lsm__version_create(op, base->lsm, out_version));
    st_status status = ST_OK;
    for (uint32_t level = 0; level < ST_LSM_LEVELS; level++) {
        for (uint32_t i = 0; i < base->counts[level] && status == ST_OK; i++) {
            if (!version_is_in(without, base->files[level][i])) {
                status = st_lsm__version_add(op, *out_version, level, base->files[level][i]);
            }
        }
    }
    for (uint32_t i = 0; i < base->range_count && status == ST_OK; i++) {
        status = st_lsm__version_add_range(op, *out_version, &base->ranges[i]);
    }
    if (status != ST_OK) {
        st_lsm__version_release(*out_version);
        *out_version = NULL;
    }
    return status;
}

st_status st_lsm__version_check(st_op *op, const st_version *version)
{
    for (uint32_t level = 0; level < ST_LSM_LEVELS; level++) {
        for (uint32_t i = 0; i < version->counts[level]; i++) {
            const st_sst_summary *file = &version->files[level][i]->summary;
            const st_sst_summary *next =
                i + 1 < version->counts[level] ? &version->files[level][i + 1]->summary : NULL;
            bool is_sound = st_slice_compare(file->smallest_key, file->largest_key) <= 0 &&
                            file->smallest_sequence <= file->largest_sequence;
            bool is_ordered =
                !next || (level == 0 ? next->largest_sequence < file->smallest_sequence
                                     : st_slice_compare(file->largest_key, next->smallest_key) < 0);
            if (!is_sound || !is_ordered) {
                return st_fail(op, ST_CORRUPT,
                               "%.*s: sorted file %llu of level %u overlaps another",
                               (int)version->lsm->path.size, (const char *)version->lsm->path.data,
                               (unsigned long long)file->identity.file_id, level);
            }
        }
    }
    return ST_OK;
}

static bool version_hides_something(const st_version *version, const st_range_delete *range)
{
    for (uint32_t level = 0; level < ST_LSM_LEVELS; level++) {
        for (uint32_t i = 0; i < version->counts[level]; i++) {
            const st_sst_summary *file = &version->files[level][i]->summary;
            if (file->smallest_sequence < range->sequence &&
                st_slice_compare(file->smallest_key, range->to) < 0 &&
                st_slice_compare(file->largest_key, range->from) >= 0) {
                return true;
            }
        }
    }
    return false;
}

void st_lsm__version_trim_ranges(st_version *version)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < version->range_count; i++) {
        if (version_hides_something(version, &version->ranges[i])) {
            version->ranges[kept++] = version->ranges[i];
        } else {
            version_drop_range(version, i);
        }
    }
    version->range_count = kept;
}

uint64_t st_lsm__version_covering(const st_version *version, st_slice key, uint64_t max_sequence)
{
    uint64_t covering = 0;
    for (uint32_t i = 0; i < version->range_count; i++) {
        const st_range_delete *range = &version->ranges[i];
        if (range->sequence <= max_sequence && range->sequence > covering &&
            st_slice_compare(range->from, key) <= 0 && st_slice_compare(key, range->to) < 0) {
            covering = range->sequence;
        }
    }
    return covering;
}

uint32_t st_lsm__version_find(const st_version *version, uint32_t level, st_slice key)
{
    uint32_t low = 0, high = version->counts[level];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (st_slice_compare(version->files[level][middle]->summary.largest_key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
