/* Merging sorted sources: a binary heap of the sources that are valid, the next entry on top. After
 * a step only the top can be out of order, so that a run of entries from one source costs two
 * comparisons each.
 */
#include "lsm/entry_internal.h"

typedef struct merge_iter {
    st_iter iter;
    const st_alloc *alloc;
    bool is_reverse;
    size_t source_count, heap_count;
    st_iter **heap; /* source_count long; the first heap_count are valid and in heap order */
    st_iter *sources[];
} merge_iter;

static bool merge_is_before(const merge_iter *merge, const st_iter *a, const st_iter *b)
{
    int order = st_lsm__order(a->entry.key, a->entry.sequence, b->entry.key, b->entry.sequence);
    return merge->is_reverse ? order > 0 : order < 0;
}

static void merge_sift_down(merge_iter *merge, size_t at)
{
    st_iter *moving = merge->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= merge->heap_count) {
            break;
        }
        if (child + 1 < merge->heap_count &&
            merge_is_before(merge, merge->heap[child + 1], merge->heap[child])) {
            child++;
        }
        if (!merge_is_before(merge, merge->heap[child], moving)) {
            break;
        }
        merge->heap[at] = merge->heap[child];
        at = child;
    }
    merge->heap[at] = moving;
}

static void merge_show_top(merge_iter *merge)
{
    merge->iter.valid = merge->heap_count > 0;
    if (merge->iter.valid) {
        merge->iter.entry = merge->heap[0]->entry;
    }
}

static void merge_build(merge_iter *merge)
{
    merge->heap_count = 0;
    for (size_t i = 0; i < merge->source_count; i++) {
        if (merge->sources[i]->valid) {
            merge->heap[merge->heap_count++] = merge->sources[i];
        }
    }
    for (size_t i = merge->heap_count / 2; i-- > 0;) {
        merge_sift_down(merge, i);
    }
    merge_show_top(merge);
}

static st_status merge_first(st_op *op, st_iter *iter)
{
    merge_iter *merge = (merge_iter *)iter;
    for (size_t i = 0; i < merge->source_count; i++) {
        ST_TRY(st_lsm__iter_first(op, merge->sources[i]));
    }
    merge_build(merge);
    return ST_OK;
}

static st_status merge_seek(st_op *op, st_iter *iter, st_slice key)
{
    merge_iter *merge = (merge_iter *)iter;
    for (size_t i = 0; i < merge->source_count; i++) {
        ST_TRY(st_lsm__iter_seek(op, merge->sources[i], key));
    }
    merge_build(merge);
    return ST_OK;
}

static st_status merge_next(st_op *op, st_iter *iter)
{
    merge_iter *merge = (merge_iter *)iter;
    st_iter *top = merge->heap[0];
    st_status status = st_lsm__iter_next(op, top);
    if (status != ST_OK) {
        iter->valid = false;
        return status;
    }
    if (!top->valid) {
        merge->heap[0] = merge->heap[--merge->heap_count];
    }
    if (merge->heap_count > 1) {
        merge_sift_down(merge, 0);
    }
    merge_show_top(merge);
    return ST_OK;
}

static void merge_destroy(st_iter *iter)
{
    merge_iter *merge = (merge_iter *)iter;
    for (size_t i = 0; i < merge->source_count; i++) {
        st_lsm__iter_destroy(merge->sources[i]);
    }
    st_alloc_free(merge->alloc, merge, sizeof *merge + 2 * merge->source_count * sizeof(st_iter *));
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
    size_t bytes = sizeof(merge_iter) + 2 * source_count * sizeof(st_iter *);
    merge_iter *merge = st_alloc_new(alloc, bytes);
    if (!merge) {
        for (size_t i = 0; i < source_count; i++) {
            st_lsm__iter_destroy(sources[i]);
        }
        return st_fail_memory(op, bytes);
    }
    merge->iter.calls = &merge_calls;
    merge->alloc = alloc;
    merge->is_reverse = is_reverse;
    merge->source_count = source_count;
    merge->heap = merge->sources + source_count;
    for (size_t i = 0; i < source_count; i++) {
        merge->sources[i] = sources[i];
    }
    *out_iter = &merge->iter;
    return ST_OK;
}
