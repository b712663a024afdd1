/* Walking a sorted file in either direction: one pinned block on each level of the index and one
 * data block. */
#include "lsm/sst_internal.h"

#define ITER_LEVELS_MAX 9u

typedef struct sst_level {
    st_block_pin *pin;
    st_block_view view;
    uint64_t offset;
    uint32_t index; /* of the current entry */
} sst_level;

typedef struct sst_iter {
    st_iter iter;
    st_sst *sst;
    bool is_reverse;
    uint32_t depth; /* levels of index; levels[depth] is data */
    sst_level levels[ITER_LEVELS_MAX];
    st_buf key;
} sst_iter;

static void sst_iter_release(sst_iter *iter)
{
    for (uint32_t i = 0; i <= iter->depth; i++) {
        st_lsm__block_unpin(iter->levels[i].pin);
        iter->levels[i].pin = NULL;
    }
    iter->iter.valid = false;
}

/* Pins the block of a level: the root, or what the current entry of the level above points at. */
static st_status sst_iter_load(st_op *op, sst_iter *iter, uint32_t level)
{
    st_block_handle handle = iter->sst->root, filter;
    if (level > 0) {
        sst_level *above = &iter->levels[level - 1];
        st_block_entry entry;
        if (!st_lsm__block_at(&above->view, above->index, &entry) ||
            !st_lsm__index_value(entry.value, &handle, &filter)) {
            return st_lsm__sst_corrupt(op, iter->sst, above->offset, "malformed index block");
        }
    }
    sst_level *at = &iter->levels[level];
    st_lsm__block_unpin(at->pin);
    at->pin = NULL;
    uint8_t type = level == iter->depth ? ST_BLOCK_DATA : ST_BLOCK_INDEX;
    ST_TRY(st_lsm__sst_block(op, iter->sst, handle, type, &at->pin, &at->view));
    at->offset = handle.offset;
    return at->view.count > 0 ? ST_OK
                              : st_lsm__sst_corrupt(op, iter->sst, handle.offset, "empty block");
}

static st_status sst_iter_show(st_op *op, sst_iter *iter)
{
    sst_level *data = &iter->levels[iter->depth];
    st_block_entry entry;
    if (!st_lsm__block_at(&data->view, data->index, &entry)) {
        return st_lsm__sst_corrupt(op, iter->sst, data->offset, "malformed data block");
    }
    st_buf_clear(&iter->key);
    st_buf_slice(&iter->key, data->view.prefix);
    st_buf_slice(&iter->key, entry.suffix);
    ST_TRY(st_buf_check(op, &iter->key));
    iter->iter.entry = (st_entry){st_buf_view(&iter->key), entry.value, entry.sequence, entry.type};
    iter->iter.valid = true;
    return ST_OK;
}

/* Loads the levels below `level`, each at its first entry in the direction. */
static st_status sst_iter_descend(st_op *op, sst_iter *iter, uint32_t level)
{
    for (uint32_t i = level + 1; i <= iter->depth; i++) {
        ST_TRY(sst_iter_load(op, iter, i));
        iter->levels[i].index = iter->is_reverse ? iter->levels[i].view.count - 1 : 0;
    }
    return sst_iter_show(op, iter);
}

static st_status sst_iter_step(st_op *op, sst_iter *iter)
{
    iter->iter.valid = false;
    for (uint32_t level = iter->depth + 1; level-- > 0;) {
        sst_level *at = &iter->levels[level];
        bool has_more = iter->is_reverse ? at->index > 0 : at->index + 1 < at->view.count;
        if (has_more) {
            at->index = iter->is_reverse ? at->index - 1 : at->index + 1;
            return sst_iter_descend(op, iter, level);
        }
    }
    sst_iter_release(iter);
    return ST_OK;
}

static st_status sst_iter_next(st_op *op, st_iter *base)
{
    sst_iter *iter = (sst_iter *)base;
    st_status status = sst_iter_step(op, iter);
    if (status != ST_OK) {
        sst_iter_release(iter);
    }
    return status;
}

static st_status sst_iter_first(st_op *op, st_iter *base)
{
    sst_iter *iter = (sst_iter *)base;
    st_status status = sst_iter_load(op, iter, 0);
    if (status == ST_OK) {
        iter->levels[0].index = iter->is_reverse ? iter->levels[0].view.count - 1 : 0;
        status = sst_iter_descend(op, iter, 0);
    }
    if (status != ST_OK) {
        sst_iter_release(iter);
    }
    return status;
}

/* To the first entry at or behind (key, sequence); *out_is_behind when there is none. */
static st_status sst_iter_lower_bound(st_op *op, sst_iter *iter, st_slice key, uint64_t sequence,
                                      bool *out_is_behind)
{
    *out_is_behind = false;
    for (uint32_t level = 0; level <= iter->depth; level++) {
        ST_TRY(sst_iter_load(op, iter, level));
        sst_level *at = &iter->levels[level];
        at->index = st_lsm__block_seek(&at->view, key, sequence);
        if (at->index == UINT32_MAX) {
            return st_lsm__sst_corrupt(op, iter->sst, at->offset, "malformed block");
        }
        if (at->index == at->view.count) { /* index: behind everything; data: the separator was
                                              longer than the last key */
            *out_is_behind = true;
            at->index--;
            for (uint32_t below = level + 1; below <= iter->depth; below++) {
                ST_TRY(sst_iter_load(op, iter, below));
                iter->levels[below].index = iter->levels[below].view.count - 1;
            }
            return ST_OK;
        }
    }
    return ST_OK;
}

/* Forward: to the first entry of a key at or behind key. Reverse: to the last entry of a key at or
 * before it, which is the one before the first entry behind (key, 0). */
static st_status sst_iter_position(st_op *op, sst_iter *iter, st_slice key)
{
    bool is_behind;
    ST_TRY(sst_iter_lower_bound(op, iter, key, iter->is_reverse ? 0 : ST_SEQUENCE_MAX, &is_behind));
    /* Standing on the last entry before the bound, or on the bound itself. */
    if (iter->is_reverse == is_behind) {
        return sst_iter_show(op, iter);
    }
    return sst_iter_step(op, iter);
}

static st_status sst_iter_seek(st_op *op, st_iter *base, st_slice key)
{
    sst_iter *iter = (sst_iter *)base;
    st_status status = sst_iter_position(op, iter, key);
    if (status != ST_OK) {
        sst_iter_release(iter);
    }
    return status;
}

static void sst_iter_destroy(st_iter *base)
{
    sst_iter *iter = (sst_iter *)base;
    sst_iter_release(iter);
    st_buf_deinit(&iter->key);
    st_alloc_free(iter->sst->alloc, iter, sizeof *iter);
}

static const st_iter_calls sst_iter_calls = {sst_iter_first, sst_iter_seek, sst_iter_next,
                                             sst_iter_destroy};

st_status st_lsm__sst_iter(st_op *op, st_sst *sst, bool is_reverse, st_iter **out_iter)
{
    *out_iter = NULL;
    sst_iter *iter = st_alloc_new(sst->alloc, sizeof *iter);
    if (!iter) {
        return st_fail_memory(op, sizeof *iter);
    }
    iter->iter.calls = &sst_iter_calls;
    iter->sst = sst;
    iter->is_reverse = is_reverse;
    iter->depth = sst->index_levels;
    st_buf_init(&iter->key, sst->alloc);
    *out_iter = &iter->iter;
    return ST_OK;
}
