/* The memtable: blocks of memory, a tree of keys, a Bloom filter in front of it, and a list of
 * range deletes.
 *
 * Everything that readers can reach lies in blocks that are only freed with the memtable. Blocks
 * double from 16 KiB to 1 MiB; what is larger, or would end a block early, gets one of its own.
 *
 * Reserve takes all memory that the inserts may need: one stretch for entries, spare nodes for
 * every split that could happen, room in the filter. Inserts only take from that. What they leave
 * is used by later ones.
 */
#include "lsm/memtable_filter_internal.h"
#include "lsm/memtable_internal.h"
#include "lsm/memtable_tree_internal.h"

#include <string.h>

#define MEMTABLE_BLOCK_BYTES_MIN ((size_t)16384)
#define MEMTABLE_BLOCK_BYTES_MAX ((size_t)1 << 20)
#define MEMTABLE_LINE_BYTES ((size_t)64)

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
    /* read by everybody */
    const st_alloc *alloc;
    st_memtree tree;
    st_memfilter filter;
    _Atomic(const st_memtable_range *) ranges; /* newest first */

    /* changed by every insert: on other lines than what readers need */
    uint8_t apart[MEMTABLE_LINE_BYTES];
    memtable_block *blocks;
    uint8_t *free, *end;
    size_t next_block_bytes;
    _Atomic size_t bytes;
    _Atomic uint64_t count;
};

/* ---- memory ----------------------------------------------------------------------------- */

static memtable_block *memtable_block_new(st_memtable *memtable, size_t bytes)
{
    memtable_block *block = st_alloc_resize(memtable->alloc, NULL, 0, bytes);
    if (block) {
        block->next = memtable->blocks;
        block->bytes = bytes;
        memtable->blocks = block;
        atomic_fetch_add_explicit(&memtable->bytes, bytes, memory_order_relaxed);
    }
    return block;
}

/* Makes room for entries of so many bytes, one behind the other. */
static bool memtable_make_room(st_memtable *memtable, size_t least)
{
    if ((size_t)(memtable->end - memtable->free) >= least) {
        return true;
    }
    if (least > SIZE_MAX - sizeof(memtable_block)) {
        return false;
    }
    size_t bytes = memtable->next_block_bytes;
    bytes = bytes < least + sizeof(memtable_block) ? least + sizeof(memtable_block) : bytes;
    memtable_block *block = memtable_block_new(memtable, bytes);
    if (!block) {
        return false;
    }
    memtable->free = (uint8_t *)(block + 1);
    memtable->end = (uint8_t *)block + bytes;
    if (memtable->next_block_bytes < MEMTABLE_BLOCK_BYTES_MAX) {
        memtable->next_block_bytes *= 2;
    }
    return true;
}

static void *memtable_take(st_memtable *memtable, size_t bytes)
{
    ST_ASSERT((size_t)(memtable->end - memtable->free) >= bytes);
    void *taken = memtable->free;
    memtable->free += bytes;
    return taken;
}

static uint8_t *memtable_to_line(uint8_t *at)
{
    uintptr_t past = (uintptr_t)at & (MEMTABLE_LINE_BYTES - 1);
    return past == 0 ? at : at + (MEMTABLE_LINE_BYTES - past);
}

/* Memory that begins a line, where blocks have room or in a block of its own; NULL: none. */
static void *memtable_take_lines(st_memtable *memtable, size_t bytes)
{
    size_t least = bytes + MEMTABLE_LINE_BYTES;
    if ((size_t)(memtable->end - memtable->free) < least &&
        least > memtable->next_block_bytes / 4) {
        memtable_block *block = memtable_block_new(memtable, least + sizeof(memtable_block));
        return block ? memtable_to_line((uint8_t *)(block + 1)) : NULL;
    }
    if (!memtable_make_room(memtable, least)) {
        return NULL;
    }
    uint8_t *at = memtable_to_line(memtable->free);
    memtable->free = at + bytes;
    return at;
}

static bool memtable_spare(st_memtable *memtable, uint64_t count, bool is_leaf)
{
    size_t bytes = is_leaf ? ST_MEMTREE_LEAF_BYTES : ST_MEMTREE_INNER_BYTES;
    bytes = (bytes + MEMTABLE_LINE_BYTES - 1) & ~(MEMTABLE_LINE_BYTES - 1);
    if (count == 0) {
        return true;
    }
    if (count > (SIZE_MAX - 2 * MEMTABLE_LINE_BYTES) / bytes) {
        return false;
    }
    uint8_t *at = memtable_take_lines(memtable, (size_t)count * bytes);
    for (uint64_t i = 0; at && i < count; i++) {
        st_lsm__memtree_add_spare(&memtable->tree, at + i * bytes, is_leaf);
    }
    return at != NULL;
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
    if (!memtable_spare(memtable, 1, true)) {
        st_lsm__memtable_destroy(memtable);
        return st_fail_memory(op, MEMTABLE_BLOCK_BYTES_MIN);
    }
    st_lsm__memtree_plant(&memtable->tree);
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

/* Bytes of entries or range deletes, whatever their keys; SIZE_MAX: more than there can be. */
static size_t memtable_room_for(size_t entry_count, size_t payload_bytes)
{
    size_t each = st_lsm__memtree_entry_bytes(true, 0, 0) + 8;
    each = each < sizeof(st_memtable_range) + 8 ? sizeof(st_memtable_range) + 8 : each;
    if (entry_count > (SIZE_MAX - payload_bytes) / each) {
        return SIZE_MAX;
    }
    return entry_count * each + payload_bytes;
}

st_status st_lsm__memtable_reserve(st_op *op, st_memtable *memtable, size_t entry_count,
                                   size_t payload_bytes)
{
    uint64_t leaves, inners;
    st_lsm__memtree_nodes_missing(&memtable->tree, entry_count, &leaves, &inners);
    size_t filter_bytes = st_lsm__memfilter_bytes_missing(&memtable->filter, entry_count);
    size_t entry_bytes = memtable_room_for(entry_count, payload_bytes);
    if (!memtable_spare(memtable, leaves, true) || !memtable_spare(memtable, inners, false)) {
        return st_fail_memory(op, (size_t)(leaves + inners) * ST_MEMTREE_INNER_BYTES);
    }
    if (filter_bytes > 0) {
        void *part =
            filter_bytes < SIZE_MAX / 2 ? memtable_take_lines(memtable, filter_bytes) : NULL;
        if (!part) {
            return st_fail_memory(op, filter_bytes);
        }
        st_lsm__memfilter_add_part(&memtable->filter, part, filter_bytes);
    }
    return memtable_make_room(memtable, entry_bytes) ? ST_OK : st_fail_memory(op, entry_bytes);
}

static void memtable_count_one(st_memtable *memtable)
{
    uint64_t count = atomic_load_explicit(&memtable->count, memory_order_relaxed);
    atomic_store_explicit(&memtable->count, count + 1, memory_order_relaxed);
}

/* The version that the new one hangs before: one of the same sequence is left out, so that the
 * later one wins. */
static const st_memtree_entry *memtable_older(const st_memtree_entry *newest, uint64_t sequence)
{
    ST_ASSERT(st_lsm__memtree_sequence(newest) <= sequence);
    return st_lsm__memtree_sequence(newest) == sequence ? newest->older : newest;
}

void st_lsm__memtable_insert(st_memtable *memtable, const st_entry *entry)
{
    st_memtree_place place;
    st_lsm__memtree_find(&memtable->tree, entry->key, &place);
    const st_memtree_entry *older =
        place.is_found ? memtable_older(st_lsm__memtree_newest(&place), entry->sequence) : NULL;
    st_memtree_entry *added = memtable_take(
        memtable, st_lsm__memtree_entry_bytes(older != NULL, entry->key.size, entry->value.size));
    st_lsm__memtree_fill(added, entry, older);
    if (place.is_found) {
        st_lsm__memtree_hang(&place, added);
    } else {
        st_lsm__memfilter_add(&memtable->filter, st_lsm__key_hash(entry->key));
        st_lsm__memtree_insert_new(&memtable->tree, &place, added);
    }
    memtable_count_one(memtable);
}

void st_lsm__memtable_delete_range(st_memtable *memtable, const st_range_delete *range)
{
    size_t bytes = (sizeof(st_memtable_range) + range->from.size + range->to.size + 7) & ~(size_t)7;
    st_memtable_range *added = memtable_take(memtable, bytes);
    added->next = atomic_load_explicit(&memtable->ranges, memory_order_relaxed);
    added->sequence = range->sequence;
    added->from_bytes = (uint32_t)range->from.size;
    added->to_bytes = (uint32_t)range->to.size;
    if (range->from.size > 0) {
        memcpy(added->keys, range->from.data, range->from.size);
    }
    if (range->to.size > 0) {
        memcpy(added->keys + range->from.size, range->to.data, range->to.size);
    }
    atomic_store_explicit(&memtable->ranges, added, memory_order_release);
    memtable_count_one(memtable);
}

bool st_lsm__memtable_get(const st_memtable *memtable, st_slice key, uint64_t max_sequence,
                          st_entry *out_entry)
{
    if (!st_lsm__memfilter_may_contain(&memtable->filter, st_lsm__key_hash(key))) {
        return false;
    }
    const st_memtree_entry *entry = st_lsm__memtree_get(&memtable->tree, key);
    entry = entry ? st_lsm__memtree_at_sequence(entry, max_sequence) : NULL;
    if (!entry) {
        return false;
    }
    *out_entry = st_lsm__memtree_entry(entry);
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

st_status st_lsm__memtable_iter(st_op *op, const st_alloc *alloc, const st_memtable *memtable,
                                bool is_reverse, st_iter **out_iter)
{
    return st_lsm__memtree_iter(op, alloc, &memtable->tree, is_reverse, out_iter);
}
