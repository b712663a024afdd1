/* Sets: the memtables and the version that readers see together, and iterators over them. */
#include "lsm/lsm_internal.h"

st_status st_lsm__memtable_new(st_op *op, st_lsm *lsm, st_counted_memtable **out_memtable)
{
    *out_memtable = NULL;
    st_counted_memtable *counted = st_alloc_new(lsm->alloc, sizeof *counted);
    if (!counted) {
        return st_fail_memory(op, sizeof *counted);
    }
    atomic_init(&counted->references, 1);
    counted->alloc = lsm->alloc;
    st_status status = st_lsm__memtable_create(op, lsm->alloc, &counted->memtable);
    if (status != ST_OK) {
        st_lsm__memtable_release(counted);
        return status;
    }
    *out_memtable = counted;
    return ST_OK;
}

void st_lsm__memtable_release(st_counted_memtable *memtable)
{
    if (memtable &&
        atomic_fetch_sub_explicit(&memtable->references, 1, memory_order_acq_rel) == 1) {
        st_lsm__memtable_destroy(memtable->memtable);
        st_alloc_free(memtable->alloc, memtable, sizeof *memtable);
    }
}

st_status st_lsm__set_create(st_op *op, st_lsm *lsm, st_counted_memtable **memtables,
                             uint32_t memtable_count, st_version *version, st_set **out_set)
{
    ST_TRY(st_lsm__set_reserve(op, lsm, out_set));
    st_lsm__set_fill(*out_set, memtables, memtable_count, version);
    return ST_OK;
}

st_status st_lsm__set_reserve(st_op *op, st_lsm *lsm, st_set **out_set)
{
    st_set *set = st_alloc_new(lsm->alloc, sizeof *set);
    *out_set = set;
    if (!set) {
        return st_fail_memory(op, sizeof *set);
    }
    atomic_init(&set->references, 1);
    set->lsm = lsm;
    return ST_OK;
}

void st_lsm__set_unreserve(st_lsm *lsm, st_set *set)
{
    st_alloc_free(lsm->alloc, set, sizeof *set);
}

void st_lsm__set_fill(st_set *set, st_counted_memtable **memtables, uint32_t memtable_count,
                      st_version *version)
{
    set->memtable_count = memtable_count;
    for (uint32_t i = 0; i < memtable_count; i++) {
        set->memtables[i] = memtables[i];
        atomic_fetch_add_explicit(&memtables[i]->references, 1, memory_order_relaxed);
    }
    set->version = version;
    atomic_fetch_add_explicit(&version->references, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&set->lsm->handles, 1, memory_order_relaxed);
}

st_set *st_lsm__set_retain(st_lsm *lsm)
{
    atomic_fetch_add_explicit(&lsm->set->references, 1, memory_order_relaxed);
    return lsm->set;
}

st_version *st_lsm__version_of(st_lsm *lsm)
{
    st_mutex_lock(&lsm->state);
    st_version *version = lsm->set->version;
    st_mutex_unlock(&lsm->state);
    return version;
}

void st_lsm__set_release(st_set *set)
{
    if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    st_lsm *lsm = set->lsm;
    for (uint32_t i = 0; i < set->memtable_count; i++) {
        st_lsm__memtable_release(set->memtables[i]);
    }
    st_lsm__version_release(set->version);
    st_alloc_free(lsm->alloc, set, sizeof *set);
    st_lsm__let_go(lsm);
}

uint64_t st_lsm__set_covering(const st_set *set, st_slice key, uint64_t max_sequence)
{
    uint64_t covering = st_lsm__version_covering(set->version, key, max_sequence);
    for (uint32_t i = 0; i < set->memtable_count; i++) {
        uint64_t other = st_lsm__memtable_covering(set->memtables[i]->memtable, key, max_sequence);
        covering = other > covering ? other : covering;
    }
    return covering;
}

bool st_lsm__set_has_ranges(const st_set *set)
{
    bool has_ranges = set->version->range_count > 0;
    for (uint32_t i = 0; i < set->memtable_count; i++) {
        has_ranges |= st_lsm__memtable_next_range(set->memtables[i]->memtable, NULL) != NULL;
    }
    return has_ranges;
}

/* ---- disjoint files one behind the other ------------------------------------------------ */

typedef struct set_files_iter {
    st_iter iter;
    const st_alloc *alloc;
    st_table_file **files; /* of the version, which the iterator's user holds */
    uint32_t count, at;
    bool is_reverse;
    st_iter *current;
} set_files_iter;

static st_status set_files_open(st_op *op, set_files_iter *iter, uint32_t at)
{
    st_lsm__iter_destroy(iter->current);
    iter->current = NULL;
    iter->at = at;
    return st_lsm__sst_iter(op, iter->files[at]->sst, iter->is_reverse, &iter->current);
}

/* Shows the current entry, going on to the next file while the current one has ended. */
static st_status set_files_show(st_op *op, set_files_iter *iter)
{
    while (!iter->current->valid) {
        bool has_more = iter->is_reverse ? iter->at > 0 : iter->at + 1 < iter->count;
        if (!has_more) {
            iter->iter.valid = false;
            return ST_OK;
        }
        ST_TRY(set_files_open(op, iter, iter->is_reverse ? iter->at - 1 : iter->at + 1));
        ST_TRY(st_lsm__iter_first(op, iter->current));
    }
    iter->iter.valid = true;
    iter->iter.entry = iter->current->entry;
    return ST_OK;
}

static st_status set_files_first(st_op *op, st_iter *base)
{
    set_files_iter *iter = (set_files_iter *)base;
    ST_TRY(set_files_open(op, iter, iter->is_reverse ? iter->count - 1 : 0));
    ST_TRY(st_lsm__iter_first(op, iter->current));
    return set_files_show(op, iter);
}

static st_status set_files_seek(st_op *op, st_iter *base, st_slice key)
{
    set_files_iter *iter = (set_files_iter *)base;
    uint32_t at = 0;
    while (at + 1 < iter->count) { /* forward: first file that ends at or behind key; reverse: last
                                      that begins at or before */
        const st_sst_summary *file = &iter->files[at]->summary,
                             *next = &iter->files[at + 1]->summary;
        if (iter->is_reverse ? st_slice_compare(next->smallest_key, key) > 0
                             : st_slice_compare(file->largest_key, key) >= 0) {
            break;
        }
        at++;
    }
    ST_TRY(set_files_open(op, iter, at));
    ST_TRY(st_lsm__iter_seek(op, iter->current, key));
    return set_files_show(op, iter);
}

static st_status set_files_next(st_op *op, st_iter *base)
{
    set_files_iter *iter = (set_files_iter *)base;
    iter->iter.valid = false;
    ST_TRY(st_lsm__iter_next(op, iter->current));
    return set_files_show(op, iter);
}

static void set_files_destroy(st_iter *base)
{
    set_files_iter *iter = (set_files_iter *)base;
    st_lsm__iter_destroy(iter->current);
    st_alloc_free(iter->alloc, iter, sizeof *iter);
}

static const st_iter_calls set_files_calls = {set_files_first, set_files_seek, set_files_next,
                                              set_files_destroy};

st_status st_lsm__files_iter(st_op *op, const st_alloc *alloc, st_table_file **files,
                             uint32_t count, bool is_reverse, st_iter **out_iter)
{
    *out_iter = NULL;
    set_files_iter *iter = st_alloc_new(alloc, sizeof *iter);
    if (!iter) {
        return st_fail_memory(op, sizeof *iter);
    }
    iter->iter.calls = &set_files_calls;
    iter->alloc = alloc;
    iter->files = files;
    iter->count = count;
    iter->is_reverse = is_reverse;
    *out_iter = &iter->iter;
    return ST_OK;
}

/* ---- all of a set ----------------------------------------------------------------------- */

static st_status set_collect(st_op *op, st_set *set, bool is_reverse, st_iter **sources,
                             size_t *count)
{
    const st_alloc *alloc = set->lsm->alloc;
    const st_version *version = set->version;
    for (uint32_t i = 0; i < set->memtable_count; i++) {
        ST_TRY(st_lsm__memtable_iter(op, alloc, set->memtables[i]->memtable, is_reverse,
                                     &sources[*count]));
        *count += 1;
    }
    for (uint32_t i = 0; i < version->counts[0]; i++) {
        ST_TRY(st_lsm__sst_iter(op, version->files[0][i]->sst, is_reverse, &sources[*count]));
        *count += 1;
    }
    for (uint32_t level = 1; level < ST_LSM_LEVELS; level++) {
        if (version->counts[level] > 0) {
            ST_TRY(st_lsm__files_iter(op, alloc, version->files[level], version->counts[level],
                                      is_reverse, &sources[*count]));
            *count += 1;
        }
    }
    return ST_OK;
}

st_status st_lsm__set_iter(st_op *op, st_set *set, bool is_reverse, st_iter **out_iter)
{
    *out_iter = NULL;
    size_t most = set->memtable_count + set->version->counts[0] + ST_LSM_LEVELS;
    st_iter **sources = st_arena_alloc(&op->arena, most * sizeof(st_iter *));
    if (!sources) {
        return st_fail_memory(op, most * sizeof(st_iter *));
    }
    size_t count = 0;
    st_status status = set_collect(op, set, is_reverse, sources, &count);
    if (status != ST_OK) {
        for (size_t i = 0; i < count; i++) {
            st_lsm__iter_destroy(sources[i]);
        }
        return status;
    }
    return st_lsm__merge_create(op, set->lsm->alloc, sources, count, is_reverse, out_iter);
}
