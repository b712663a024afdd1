/* Walking a sorted file in either direction: one pinned block on each level of the index and one
 * data block. What is shown of an entry is its value in the block and its key in a buffer of the
 * iterator, whose beginning, the prefix of the block, is copied once a block.
 */
#include "lsm/sst_internal.h"

typedef struct sst_level {
    st_block_pin *pin;
    uint32_t index, count; /* the current entry or child, and how many there are */
} sst_level;

typedef struct sst_iter {
    st_iter iter;
    st_sst *sst;
    bool is_reverse;
    uint32_t depth; /* levels of index; levels[depth] is data */
    st_block_view data;
    st_buf key;
    sst_level levels[ST_INDEX_LEVELS_MAX + 1];
} sst_iter;

static void sst_iter_release(sst_iter *iter)
{
    for (uint32_t i = 0; i <= iter->depth; i++) {
        st_lsm__block_unpin(iter->levels[i].pin);
        iter->levels[i].pin = NULL;
    }
    iter->iter.valid = false;
}

static st_index_view sst_iter_node(const sst_iter *iter, uint32_t level)
{
    return st_lsm__index_view(st_lsm__pin_data(iter->levels[level].pin));
}

/* Pins the block of a level: the root, or what the current fence of the level above leads to. */
static st_status sst_iter_load(st_op *op, sst_iter *iter, uint32_t level)
{
    st_block_handle handle = iter->sst->root.block;
    if (level > 0) {
        st_index_view above = sst_iter_node(iter, level - 1);
        handle = st_lsm__index_child(&above, iter->levels[level - 1].index).block;
    }
    sst_level *at = &iter->levels[level];
    st_lsm__block_unpin(at->pin);
    at->pin = NULL;
    if (level < iter->depth) {
        st_index_view view;
        ST_TRY(st_lsm__sst_block(op, iter->sst, handle, ST_BLOCK_INDEX, &at->pin));
        ST_TRY(st_lsm__sst_node(op, iter->sst, at->pin, iter->depth - level, &view));
        at->count = view.count;
        return ST_OK;
    }
    ST_TRY(st_lsm__sst_block(op, iter->sst, handle, ST_BLOCK_DATA, &at->pin));
    iter->data = st_lsm__block_view(st_lsm__pin_data(at->pin));
    if (iter->data.is_large) {
        iter->data.prefix.size = 0;
    }
    at->count = iter->data.count;
    st_buf_clear(&iter->key);
    st_buf_slice(&iter->key, iter->data.prefix);
    return st_buf_check(op, &iter->key);
}

static st_status sst_iter_show(st_op *op, sst_iter *iter)
{
    st_block_entry entry = st_lsm__block_at(&iter->data, iter->levels[iter->depth].index);
    iter->key.size = iter->data.prefix.size;
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
        iter->levels[i].index = iter->is_reverse ? iter->levels[i].count - 1 : 0;
    }
    return sst_iter_show(op, iter);
}

static st_status sst_iter_step(st_op *op, sst_iter *iter)
{
    iter->iter.valid = false;
    for (uint32_t level = iter->depth + 1; level-- > 0;) {
        sst_level *at = &iter->levels[level];
        if (iter->is_reverse ? at->index > 0 : at->index + 1 < at->count) {
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
    iter->iter.valid = false;
    if (iter->depth == 0) {
        return ST_OK;
    }
    st_status status = sst_iter_load(op, iter, 0);
    if (status == ST_OK) {
        iter->levels[0].index = iter->is_reverse ? iter->levels[0].count - 1 : 0;
        status = sst_iter_descend(op, iter, 0);
    }
    if (status != ST_OK) {
        sst_iter_release(iter);
    }
    return status;
}

static uint32_t sst_iter_find(const sst_iter *iter, uint32_t level, st_slice key, uint64_t sequence)
{
    if (level == iter->depth) {
        return st_lsm__block_seek(&iter->data, key, sequence);
    }
    st_index_view view = sst_iter_node(iter, level);
    return st_lsm__index_seek(&view, key, sequence);
}

/* To the first entry at or behind (key, sequence), or, with *out_is_behind, to the last one before
 * it: at the end of the file, or of a block whose fence is behind its last entry. */
static st_status sst_iter_lower_bound(st_op *op, sst_iter *iter, st_slice key, uint64_t sequence,
                                      bool *out_is_behind)
{
    *out_is_behind = false;
    for (uint32_t level = 0; level <= iter->depth; level++) {
        ST_TRY(sst_iter_load(op, iter, level));
        sst_level *at = &iter->levels[level];
        at->index = *out_is_behind ? at->count : sst_iter_find(iter, level, key, sequence);
        if (at->index == at->count) {
            *out_is_behind = true;
            at->index--;
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
    iter->iter.valid = false;
    if (iter->depth == 0) {
        return ST_OK;
    }
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
