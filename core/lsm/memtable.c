/* The memtable as a skip list: one writer links nodes bottom up with release stores, readers follow
 * with acquire loads and take no lock. Nodes are never unlinked, so that a reader is safe for as
 * long as the memtable lives.
 *
 * Node layout: fixed head · height pointers · key · value. Heights come from a fixed seed: the same
 * inserts give the same list. The value of a (key, sequence) that is written again within one batch
 * is replaced by linking the new node before the old one; readers meet the new one first, and
 * iterators skip the double.
 */
#include "lsm/memtable_internal.h"

#include <stdatomic.h>
#include <string.h>

#define MEMTABLE_HEIGHT_MAX 14
#define MEMTABLE_BLOCK_BYTES_MIN ((size_t)16384)
#define MEMTABLE_BLOCK_BYTES_MAX ((size_t)1 << 20)

typedef struct memtable_node memtable_node;
struct memtable_node {
    uint64_t sequence;
    uint32_t key_bytes;
    uint32_t value_bytes;
    uint8_t type;
    uint8_t height;
    _Atomic(memtable_node *) next[];
};

typedef struct memtable_block {
    struct memtable_block *next;
    size_t bytes;
} memtable_block;

struct st_memtable_range {
    const st_memtable_range *next;
    uint64_t sequence;
    uint32_t from_bytes, to_bytes;
    uint8_t keys[];
};

struct st_memtable {
    const st_alloc *alloc;
    memtable_block *blocks; /* of the writer, as are the next four */
    uint8_t *free, *end;
    size_t next_block_bytes;
    st_rng rng;
    memtable_node *head;
    _Atomic size_t bytes;
    _Atomic uint64_t count;
    _Atomic(const st_memtable_range *) ranges; /* newest first */
};

static const uint8_t *memtable_key_data(const memtable_node *node)
{
    return (const uint8_t *)&node->next[node->height];
}

static st_slice memtable_key(const memtable_node *node)
{
    return st_slice_of(memtable_key_data(node), node->key_bytes);
}

static st_entry memtable_entry(const memtable_node *node)
{
    return (st_entry){.key = memtable_key(node),
                      .value =
                          st_slice_of(memtable_key_data(node) + node->key_bytes, node->value_bytes),
                      .sequence = node->sequence,
                      .type = node->type};
}

static size_t memtable_node_bytes(size_t height, size_t payload_bytes)
{
    size_t bytes =
        sizeof(memtable_node) + height * sizeof(_Atomic(memtable_node *)) + payload_bytes;
    return (bytes + 7) & ~(size_t)7;
}

static bool memtable_grow(st_memtable *memtable, size_t least)
{
    size_t bytes = memtable->next_block_bytes;
    bytes = bytes < least + sizeof(memtable_block) ? least + sizeof(memtable_block) : bytes;
    memtable_block *block = st_alloc_resize(memtable->alloc, NULL, 0, bytes);
    if (!block) {
        return false;
    }
    block->next = memtable->blocks;
    block->bytes = bytes;
    memtable->blocks = block;
    memtable->free = (uint8_t *)(block + 1);
    memtable->end = (uint8_t *)block + bytes;
    if (memtable->next_block_bytes < MEMTABLE_BLOCK_BYTES_MAX) {
        memtable->next_block_bytes *= 2;
    }
    atomic_fetch_add_explicit(&memtable->bytes, bytes, memory_order_relaxed);
    return true;
}

static void *memtable_take(st_memtable *memtable, size_t bytes)
{
    ST_ASSERT((size_t)(memtable->end - memtable->free) >= bytes);
    void *taken = memtable->free;
    memtable->free += bytes;
    return taken;
}

st_status st_lsm__memtable_create(st_op *op, const st_alloc *alloc, st_memtable **out_memtable)
{
    *out_memtable = NULL;
    st_memtable *memtable = st_alloc_new(alloc, sizeof *memtable);
    if (!memtable) {
        return st_fail_memory(op, sizeof *memtable);
    }
    memtable->alloc = alloc;
    memtable->next_block_bytes = MEMTABLE_BLOCK_BYTES_MIN;
    st_rng_seed(&memtable->rng, 1);
    if (!memtable_grow(memtable, memtable_node_bytes(MEMTABLE_HEIGHT_MAX, 0))) {
        st_lsm__memtable_destroy(memtable);
        return st_fail_memory(op, MEMTABLE_BLOCK_BYTES_MIN);
    }
    size_t head_bytes = memtable_node_bytes(MEMTABLE_HEIGHT_MAX, 0);
    memtable->head = memtable_take(memtable, head_bytes);
    memset(memtable->head, 0, head_bytes);
    memtable->head->height = MEMTABLE_HEIGHT_MAX;
    *out_memtable = memtable;
    return ST_OK;
}

void st_lsm__memtable_destroy(st_memtable *memtable)
{
    if (!memtable) {
        return;
    }
    while (memtable->blocks) {
        memtable_block *block = memtable->blocks;
        memtable->blocks = block->next;
        st_alloc_free(memtable->alloc, block, block->bytes);
    }
    st_alloc_free(memtable->alloc, memtable, sizeof *memtable);
}

st_status st_lsm__memtable_reserve(st_op *op, st_memtable *memtable, size_t entry_count,
                                   size_t payload_bytes)
{
    size_t most = entry_count * (memtable_node_bytes(MEMTABLE_HEIGHT_MAX, 0) + 8) + payload_bytes;
    if ((size_t)(memtable->end - memtable->free) >= most) {
        return ST_OK;
    }
    return memtable_grow(memtable, most) ? ST_OK : st_fail_memory(op, most);
}

/* The last node before (key, sequence) on every level; the first node at or behind it. */
static memtable_node *memtable_seek(const st_memtable *memtable, st_slice key, uint64_t sequence,
                                    memtable_node **before)
{
    memtable_node *node = memtable->head;
    memtable_node *next = NULL;
    for (int level = MEMTABLE_HEIGHT_MAX - 1; level >= 0; level--) {
        for (;;) {
            next = atomic_load_explicit(&node->next[level], memory_order_acquire);
            if (!next || st_lsm__order(memtable_key(next), next->sequence, key, sequence) >= 0) {
                break;
            }
            node = next;
        }
        if (before) {
            before[level] = node;
        }
    }
    return next;
}

/* The last node before (key, sequence), NULL when there is none. */
static memtable_node *memtable_before(const st_memtable *memtable, st_slice key, uint64_t sequence)
{
    memtable_node *before[MEMTABLE_HEIGHT_MAX];
    (void)memtable_seek(memtable, key, sequence, before);
    return before[0] == memtable->head ? NULL : before[0];
}

void st_lsm__memtable_insert(st_memtable *memtable, const st_entry *entry)
{
    memtable_node *before[MEMTABLE_HEIGHT_MAX];
    (void)memtable_seek(memtable, entry->key, entry->sequence, before);
    uint8_t height = 1;
    for (uint64_t bits = st_rng_next(&memtable->rng);
         height < MEMTABLE_HEIGHT_MAX && (bits & 3) == 0; bits >>= 2) {
        height++;
    }
    memtable_node *node =
        memtable_take(memtable, memtable_node_bytes(height, entry->key.size + entry->value.size));
    node->sequence = entry->sequence;
    node->key_bytes = (uint32_t)entry->key.size;
    node->value_bytes = (uint32_t)entry->value.size;
    node->type = entry->type;
    node->height = height;
    uint8_t *bytes = (uint8_t *)&node->next[height];
    if (entry->key.size > 0) {
        memcpy(bytes, entry->key.data, entry->key.size);
    }
    if (entry->value.size > 0) {
        memcpy(bytes + entry->key.size, entry->value.data, entry->value.size);
    }
    for (uint8_t level = 0; level < height; level++) {
        memtable_node *next =
            atomic_load_explicit(&before[level]->next[level], memory_order_relaxed);
        atomic_store_explicit(&node->next[level], next, memory_order_relaxed);
        atomic_store_explicit(&before[level]->next[level], node, memory_order_release);
    }
    atomic_fetch_add_explicit(&memtable->count, 1, memory_order_relaxed);
}

void st_lsm__memtable_delete_range(st_memtable *memtable, const st_range_delete *range)
{
    size_t bytes = (sizeof(st_memtable_range) + range->from.size + range->to.size + 7) & ~(size_t)7;
    st_memtable_range *added = memtable_take(memtable, bytes);
    added->next = atomic_load_explicit(&memtable->ranges, memory_order_relaxed);
    added->sequence = range->sequence;
    added->from_bytes = (uint32_t)range->from.size;
    added->to_bytes = (uint32_t)range->to.size;
    memcpy(added->keys, range->from.data, range->from.size);
    memcpy(added->keys + range->from.size, range->to.data, range->to.size);
    atomic_store_explicit(&memtable->ranges, added, memory_order_release);
    atomic_fetch_add_explicit(&memtable->count, 1, memory_order_relaxed);
}

bool st_lsm__memtable_get(const st_memtable *memtable, st_slice key, uint64_t max_sequence,
                          st_entry *out_entry)
{
    const memtable_node *node = memtable_seek(memtable, key, max_sequence, NULL);
    if (!node || !st_slice_equal(memtable_key(node), key)) {
        return false;
    }
    *out_entry = memtable_entry(node);
    return true;
}

const st_memtable_range *st_lsm__memtable_next_range(const st_memtable *memtable,
                                                     const st_memtable_range *range)
{
    return range ? range->next : atomic_load_explicit(&memtable->ranges, memory_order_acquire);
}

st_range_delete st_lsm__memtable_range(const st_memtable_range *range)
{
    return (st_range_delete){.from = st_slice_of(range->keys, range->from_bytes),
                             .to = st_slice_of(range->keys + range->from_bytes, range->to_bytes),
                             .sequence = range->sequence};
}

uint64_t st_lsm__memtable_covering(const st_memtable *memtable, st_slice key, uint64_t max_sequence)
{
    const st_memtable_range *at = NULL;
    while ((at = st_lsm__memtable_next_range(memtable, at)) != NULL) {
        st_range_delete range = st_lsm__memtable_range(at);
        if (range.sequence <= max_sequence && st_slice_compare(range.from, key) <= 0 &&
            st_slice_compare(key, range.to) < 0) {
            return range.sequence;
        }
    }
    return 0;
}

size_t st_lsm__memtable_bytes(const st_memtable *memtable)
{
    return atomic_load_explicit(&memtable->bytes, memory_order_relaxed);
}

uint64_t st_lsm__memtable_count(const st_memtable *memtable)
{
    return atomic_load_explicit(&memtable->count, memory_order_relaxed);
}

/* ---- iterator --------------------------------------------------------------------------- */

typedef struct memtable_iter {
    st_iter iter;
    const st_alloc *alloc;
    const st_memtable *memtable;
    const memtable_node *node;
    bool is_reverse;
} memtable_iter;

static bool memtable_is_double(const memtable_node *a, const memtable_node *b)
{
    return a->sequence == b->sequence && st_slice_equal(memtable_key(a), memtable_key(b));
}

static st_status memtable_show(memtable_iter *iter, const memtable_node *node)
{
    iter->node = node;
    iter->iter.valid = node != NULL;
    if (node) {
        iter->iter.entry = memtable_entry(node);
    }
    return ST_OK;
}

/* In reverse the older of two doubles comes first: the one before it in the list is the one that
 * counts. */
static st_status memtable_show_reverse(memtable_iter *iter, const memtable_node *node)
{
    if (node) {
        node = memtable_seek(iter->memtable, memtable_key(node), node->sequence, NULL);
    }
    return memtable_show(iter, node);
}

static st_status memtable_iter_first(st_op *op, st_iter *base)
{
    (void)op;
    memtable_iter *iter = (memtable_iter *)base;
    const memtable_node *node = iter->memtable->head;
    if (!iter->is_reverse) {
        return memtable_show(iter, atomic_load_explicit(&node->next[0], memory_order_acquire));
    }
    for (int level = MEMTABLE_HEIGHT_MAX - 1; level >= 0; level--) {
        const memtable_node *next;
        while ((next = atomic_load_explicit(&node->next[level], memory_order_acquire)) != NULL) {
            node = next;
        }
    }
    return memtable_show_reverse(iter, node == iter->memtable->head ? NULL : node);
}

static st_status memtable_iter_seek(st_op *op, st_iter *base, st_slice key)
{
    (void)op;
    memtable_iter *iter = (memtable_iter *)base;
    if (!iter->is_reverse) {
        return memtable_show(iter, memtable_seek(iter->memtable, key, ST_SEQUENCE_MAX, NULL));
    }
    return memtable_show_reverse(iter, memtable_before(iter->memtable, key, 0));
}

static st_status memtable_iter_next(st_op *op, st_iter *base)
{
    (void)op;
    memtable_iter *iter = (memtable_iter *)base;
    const memtable_node *node = iter->node;
    if (iter->is_reverse) {
        return memtable_show_reverse(
            iter, memtable_before(iter->memtable, memtable_key(node), node->sequence));
    }
    const memtable_node *next = node;
    do {
        next = atomic_load_explicit(&next->next[0], memory_order_acquire);
    } while (next && memtable_is_double(next, node));
    return memtable_show(iter, next);
}

static void memtable_iter_destroy(st_iter *base)
{
    memtable_iter *iter = (memtable_iter *)base;
    st_alloc_free(iter->alloc, iter, sizeof *iter);
}

static const st_iter_calls memtable_iter_calls = {memtable_iter_first, memtable_iter_seek,
                                                  memtable_iter_next, memtable_iter_destroy};

st_status st_lsm__memtable_iter(st_op *op, const st_alloc *alloc, const st_memtable *memtable,
                                bool is_reverse, st_iter **out_iter)
{
    *out_iter = NULL;
    memtable_iter *iter = st_alloc_new(alloc, sizeof *iter);
    if (!iter) {
        return st_fail_memory(op, sizeof *iter);
    }
    iter->iter.calls = &memtable_iter_calls;
    iter->alloc = alloc;
    iter->memtable = memtable;
    iter->is_reverse = is_reverse;
    *out_iter = &iter->iter;
    return ST_OK;
}
