/* Merging sorted sources: a loser tree. Every inner node of a complete tree over the sources keeps
 * the source that lost there; the one that lost nowhere is shown. A step moves that source and
 * plays its way up again: one comparison a level, against losers only.
 *
 * Sources compare by heads: the 8 bytes behind the prefix that all keys shown since the last seek
 * share, turned over in reverse, so that the smaller head is always first. Only equal heads look at
 * keys. When a key comes that does not begin with the prefix, the prefix is shortened and the tree
 * played anew; that happens at most once for each of its bytes.
 *
 * A source that has ended loses against all others. After a failed read the merge is not valid, and
 * every step answers with that failure until it is positioned again.
 */
#include "lsm/entry_internal.h"

#include <string.h>

#define MERGE_PREFIX_MAX 64u

typedef struct merge_source {
    st_iter *iter;
    uint64_t head;
} merge_source;

typedef struct merge_iter {
    st_iter iter;
    const st_alloc *alloc;
    bool is_reverse;
    st_status failure;
    uint8_t prefix[MERGE_PREFIX_MAX];
    size_t prefix_bytes;
    size_t source_count;
    size_t *losers; /* by node from 1 on; [0] is the source that is shown */
    merge_source sources[];
} merge_iter;

static size_t merge_bytes(size_t source_count)
{
    return sizeof(merge_iter) + source_count * (sizeof(merge_source) + sizeof(size_t));
}

static bool merge_is_before(const merge_iter *merge, size_t a, size_t b)
{
    const merge_source *x = &merge->sources[a], *y = &merge->sources[b];
    if (x->head != y->head) {
        return x->head < y->head;
    }
    if (!x->iter->valid || !y->iter->valid) {
        return x->iter->valid;
    }
    const st_entry *e = &x->iter->entry, *f = &y->iter->entry;
    int order = st_lsm__order(e->key, e->sequence, f->key, f->sequence);
    return merge->is_reverse ? order > 0 : order < 0;
}

static void merge_set_head(merge_iter *merge, size_t index)
{
    merge_source *source = &merge->sources[index];
    source->head = UINT64_MAX;
    if (source->iter->valid) {
        uint64_t head = st_lsm__key_head(source->iter->entry.key, merge->prefix_bytes);
        source->head = merge->is_reverse ? ~head : head;
    }
}

/* The first source below node; the losers stay on the way. */
static size_t merge_play(merge_iter *merge, size_t node)
{
    if (node >= merge->source_count) {
        return node - merge->source_count;
    }
    size_t a = merge_play(merge, 2 * node), b = merge_play(merge, 2 * node + 1);
    bool is_a = merge_is_before(merge, a, b);
    merge->losers[node] = is_a ? b : a;
    return is_a ? a : b;
}

static void merge_replay(merge_iter *merge, size_t source)
{
    for (size_t node = (merge->source_count + source) / 2; node > 0; node /= 2) {
        size_t other = merge->losers[node];
        bool is_other = merge_is_before(merge, other, source);
        merge->losers[node] = is_other ? source : other;
        source = is_other ? other : source;
    }
    merge->losers[0] = source;
}

static void merge_show(merge_iter *merge)
{
    const st_iter *first = merge->sources[merge->losers[0]].iter;
    merge->iter.valid = first->valid;
    if (first->valid) {
        merge->iter.entry = first->entry;
    }
}

static void merge_play_all(merge_iter *merge)
{
    for (size_t i = 0; i < merge->source_count; i++) {
        merge_set_head(merge, i);
    }
    if (merge->source_count > 0) {
        merge->losers[0] = merge_play(merge, 1);
        merge_show(merge);
    }
}

static void merge_fit_prefix(merge_iter *merge, st_slice key)
{
    merge->prefix_bytes = st_slice_common(st_slice_of(merge->prefix, merge->prefix_bytes), key);
}

static void merge_build(merge_iter *merge)
{
    bool is_first = true;
    merge->prefix_bytes = 0;
    for (size_t i = 0; i < merge->source_count; i++) {
        const st_iter *iter = merge->sources[i].iter;
        if (iter->valid && is_first) {
            size_t bytes = iter->entry.key.size;
            merge->prefix_bytes = bytes < MERGE_PREFIX_MAX ? bytes : MERGE_PREFIX_MAX;
            if (bytes > 0) {
                memcpy(merge->prefix, iter->entry.key.data, merge->prefix_bytes);
            }
            is_first = false;
        } else if (iter->valid) {
            merge_fit_prefix(merge, iter->entry.key);
        }
    }
    merge_play_all(merge);
}

/* Positions all sources: at key, or at their first entry when it is NULL. */
static st_status merge_position(st_op *op, merge_iter *merge, const st_slice *key)
{
    merge->failure = ST_OK;
    for (size_t i = 0; i < merge->source_count; i++) {
        st_iter *iter = merge->sources[i].iter;
        st_status status = key ? st_lsm__iter_seek(op, iter, *key) : st_lsm__iter_first(op, iter);
        if (status != ST_OK) {
            merge->failure = status;
            return status;
        }
    }
    merge_build(merge);
    return ST_OK;
}

static st_status merge_first(st_op *op, st_iter *iter)
{
    return merge_position(op, (merge_iter *)iter, NULL);
}

static st_status merge_seek(st_op *op, st_iter *iter, st_slice key)
{
    return merge_position(op, (merge_iter *)iter, &key);
}

static st_status merge_next(st_op *op, st_iter *iter)
{
    merge_iter *merge = (merge_iter *)iter;
    if (merge->failure != ST_OK) {
        return st_fail(op, merge->failure, "an earlier read of a merged source failed");
    }
    size_t moved = merge->losers[0];
    st_iter *source = merge->sources[moved].iter;
    st_status status = st_lsm__iter_next(op, source);
    if (status != ST_OK) {
        iter->valid = false;
        merge->failure = status;
        return status;
    }
    if (source->valid &&
        !st_slice_starts_with(source->entry.key, st_slice_of(merge->prefix, merge->prefix_bytes))) {
        merge_fit_prefix(merge, source->entry.key);
        merge_play_all(merge);
        return ST_OK;
    }
    merge_set_head(merge, moved);
    merge_replay(merge, moved);
    merge_show(merge);
    return ST_OK;
}

static void merge_destroy(st_iter *iter)
{
    merge_iter *merge = (merge_iter *)iter;
    for (size_t i = 0; i < merge->source_count; i++) {
        st_lsm__iter_destroy(merge->sources[i].iter);
    }
    st_alloc_free(merge->alloc, merge, merge_bytes(merge->source_count));
}

static const st_iter_calls merge_calls = {merge_first, merge_seek, merge_next, merge_destroy};

st_status st_lsm__merge_create(st_op *op, const st_alloc *alloc, st_iter **sources,
                               size_t source_count, bool is_reverse, st_iter **out_iter)
{
    *out_iter = NULL;
    if (source_count == 1) {
        *out_iter = sources[0];
        return ST_OK;
    }
    merge_iter *merge = st_alloc_new(alloc, merge_bytes(source_count));
    if (!merge) {
        for (size_t i = 0; i < source_count; i++) {
            st_lsm__iter_destroy(sources[i]);
        }
        return st_fail_memory(op, merge_bytes(source_count));
    }
    merge->iter.calls = &merge_calls;
    merge->alloc = alloc;
    merge->is_reverse = is_reverse;
    merge->source_count = source_count;
    merge->losers = (size_t *)(merge->sources + source_count);
    for (size_t i = 0; i < source_count; i++) {
        merge->sources[i].iter = sources[i];
    }
    *out_iter = &merge->iter;
    return ST_OK;
}
