/* Iterators over a memtable: they work on a copy of one leaf's slots, taken at one moment. What was
 * inserted before is in it, and so is the way on: the leaf behind begins where this one ended when
 * it was copied, even if it has been split since. The leaf in front is found by the first key of
 * the copy.
 */
#include "lsm/memtable_internal.h"
#include "lsm/memtable_tree_internal.h"

#define MEMITER_AHEAD 8u /* slots */

typedef struct memiter {
    st_iter iter;
    const st_alloc *alloc;
    const st_memtree *tree;
    const st_memtree_entry *newest;  /* version of the current key */
    const st_memtree_entry *current; /* version */
    uint64_t depth;                  /* of current, in reverse */
    uint32_t at;                     /* slot of the current key */
    bool is_reverse;
    st_memtree_leaf leaf;
} memiter;

static st_status memiter_show(memiter *iter, const st_memtree_entry *entry)
{
    iter->current = entry;
    iter->iter.valid = true;
    iter->iter.entry = st_lsm__memtree_entry(entry);
    return ST_OK;
}

/* Entries are scattered: whoever walks on needs the one some slots away soon. */
static void memiter_prefetch(const memiter *iter, uint32_t at)
{
    uint32_t ahead = iter->is_reverse ? at - MEMITER_AHEAD : at + MEMITER_AHEAD;
    if (ahead < iter->leaf.count) {
        __builtin_prefetch(iter->leaf.entries[ahead], 0, 3);
    }
}

static st_status memiter_show_slot(memiter *iter, uint32_t at)
{
    memiter_prefetch(iter, at);
    iter->at = at;
    iter->newest = iter->leaf.entries[at];
    iter->depth = 0;
    return memiter_show(iter, iter->is_reverse ? st_lsm__memtree_at_depth(iter->newest, 0)
                                               : iter->newest);
}

/* To the slot, which may lie behind the last of its leaf. */
static st_status memiter_forward_to(memiter *iter, uint32_t at)
{
    while (at >= iter->leaf.count) {
        if (!iter->leaf.next) {
            iter->iter.valid = false;
            return ST_OK;
        }
        st_lsm__memtree_read_next(iter->leaf.next, &iter->leaf);
        at = 0;
    }
    return memiter_show_slot(iter, at);
}

/* To the last of the first `count` slots of the leaf, or of the leaves before it. */
static st_status memiter_back_to(memiter *iter, uint32_t count)
{
    if (count == 0) {
        if (iter->leaf.count == 0) {
            iter->iter.valid = false;
            return ST_OK;
        }
        st_slice first = st_lsm__memtree_key(iter->leaf.entries[0]);
        st_lsm__memtree_read(iter->tree, ST_MEMTREE_BEFORE, first, &iter->leaf);
        count = iter->leaf.index;
    }
    if (count == 0) {
        iter->iter.valid = false;
        return ST_OK;
    }
    return memiter_show_slot(iter, count - 1);
}

static st_status memiter_first(st_op *op, st_iter *base)
{
    (void)op;
    memiter *iter = (memiter *)base;
    st_lsm__memtree_read(iter->tree, iter->is_reverse ? ST_MEMTREE_LAST : ST_MEMTREE_FIRST,
                         (st_slice){0}, &iter->leaf);
    return iter->is_reverse ? memiter_back_to(iter, iter->leaf.count) : memiter_forward_to(iter, 0);
}

static st_status memiter_seek(st_op *op, st_iter *base, st_slice key)
{
    (void)op;
    memiter *iter = (memiter *)base;
    st_lsm__memtree_read(iter->tree, ST_MEMTREE_AT, key, &iter->leaf);
    return iter->is_reverse ? memiter_back_to(iter, iter->leaf.index + iter->leaf.is_found)
                            : memiter_forward_to(iter, iter->leaf.index);
}

static st_status memiter_next(st_op *op, st_iter *base)
{
    (void)op;
    memiter *iter = (memiter *)base;
    if (!iter->is_reverse) {
        return iter->current->older ? memiter_show(iter, iter->current->older)
                                    : memiter_forward_to(iter, iter->at + 1);
    }
    if (iter->current != iter->newest) {
        iter->depth++;
        return memiter_show(iter, st_lsm__memtree_at_depth(iter->newest, iter->depth));
    }
    return memiter_back_to(iter, iter->at);
}

static void memiter_destroy(st_iter *base)
{
    memiter *iter = (memiter *)base;
    st_alloc_free(iter->alloc, iter, sizeof *iter);
}

static const st_iter_calls memiter_calls = {memiter_first, memiter_seek, memiter_next,
                                            memiter_destroy};

st_status st_lsm__memtree_iter(st_op *op, const st_alloc *alloc, const st_memtree *tree,
                               bool is_reverse, st_iter **out_iter)
{
    *out_iter = NULL;
    memiter *iter = st_alloc_new(alloc, sizeof *iter);
    if (!iter) {
        return st_fail_memory(op, sizeof *iter);
    }
    iter->iter.calls = &memiter_calls;
    iter->alloc = alloc;
    iter->tree = tree;
    iter->is_reverse = is_reverse;
    *out_iter = &iter->iter;
    return ST_OK;
}
