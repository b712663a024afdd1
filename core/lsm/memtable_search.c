/* Searching a memtable's tree: inside one node, and from the root down, without a lock.
 *
 * Inside a node: the prefix decides, or a search of the heads with a fixed number of steps and no
 * branch to mispredict; only keys whose heads are equal are compared in full.
 */
#include "lsm/memtable_tree_internal.h"

#include <string.h>

void st_lsm__memtree_prefetch(const st_memtree_node *node)
{
    const uint8_t *at = (const uint8_t *)node;
    for (size_t i = 0; i < offsetof(st_memtree_node, entries); i += 64) {
        __builtin_prefetch(at + i, 0, 3);
    }
}

/* How many heads are smaller. */
static uint32_t memtree_heads_below(const st_memtree_node *node, uint64_t head)
{
    uint32_t at = 0;
    for (uint32_t step = ST_MEMTREE_SLOTS / 2; step > 0; step /= 2) {
        uint64_t probe = atomic_load_explicit(&node->heads[at + step - 1], memory_order_acquire);
        at += probe < head ? step : 0;
    }
    return at + (atomic_load_explicit(&node->heads[at], memory_order_acquire) < head);
}

/* Order of key and the prefix: 0 when key begins with it. */
static int memtree_prefix_order(const st_memtree_node *node, st_slice key, size_t prefix_bytes)
{
    const st_memtree_entry *entry = atomic_load_explicit(&node->prefix_of, memory_order_acquire);
    if (!entry) {
        return 0;
    }
    st_slice prefix = st_lsm__memtree_key(entry);
    prefix.size = prefix.size < prefix_bytes ? prefix.size : prefix_bytes;
    size_t common = key.size < prefix.size ? key.size : prefix.size;
    int order = common > 0 ? memcmp(key.data, prefix.data, common) : 0;
    return order == 0 && key.size < prefix.size ? -1 : order;
}

static int memtree_order(st_slice key, st_slice other, size_t prefix_bytes)
{
    size_t shared = key.size < prefix_bytes || other.size < prefix_bytes ? 0 : prefix_bytes;
    if (shared == 0) {
        return st_slice_compare(key, other);
    }
    return st_slice_compare(st_slice_of(key.data + shared, key.size - shared),
                            st_slice_of(other.data + shared, other.size - shared));
}

/* Among slots with the same head, from lo on. */
static uint32_t memtree_search_ties(const st_memtree_node *node, st_slice key, uint64_t head,
                                    size_t prefix_bytes, uint32_t lo, uint32_t count,
                                    bool *out_found)
{
    uint32_t hi = lo + 1;
    if (hi < count && atomic_load_explicit(&node->heads[hi], memory_order_acquire) == head) {
        hi = head == UINT64_MAX ? count : memtree_heads_below(node, head + 1);
        hi = hi < count ? hi : count;
    }
    while (lo < hi) {
        uint32_t middle = lo + (hi - lo) / 2;
        const st_memtree_entry *entry =
            atomic_load_explicit(&node->entries[middle], memory_order_acquire);
        if (!entry) {
            return lo;
        }
        int order = memtree_order(key, st_lsm__memtree_key(entry), prefix_bytes);
        if (order == 0) {
            *out_found = true;
            return middle;
        }
        if (order > 0) {
            lo = middle + 1;
        } else {
            hi = middle;
        }
    }
    return lo;
}

uint32_t st_lsm__memtree_search(const st_memtree_node *node, st_slice key, bool *out_found)
{
    *out_found = false;
    uint32_t count = atomic_load_explicit(&node->count, memory_order_acquire);
    size_t prefix_bytes = atomic_load_explicit(&node->prefix_bytes, memory_order_acquire);
    if (prefix_bytes > 0) {
        int order = memtree_prefix_order(node, key, prefix_bytes);
        if (order != 0) {
            return order < 0 ? 0 : count;
        }
    }
    uint64_t head = st_lsm__key_head(key, prefix_bytes);
    uint32_t lo = memtree_heads_below(node, head);
    if (lo >= count || atomic_load_explicit(&node->heads[lo], memory_order_acquire) != head) {
        return lo < count ? lo : count;
    }
    return memtree_search_ties(node, key, head, prefix_bytes, lo, count, out_found);
}

/* ---- readers ---------------------------------------------------------------------------- */

static bool memtree_is_stable(uint64_t version)
{
    return (version & 1) == 0;
}

static bool memtree_is_still(const st_memtree_node *node, uint64_t version)
{
    return atomic_load_explicit(&node->version, memory_order_acquire) == version;
}

static uint32_t memtree_child_index(const st_memtree_node *node, st_memtree_where where,
                                    st_slice key)
{
    if (where == ST_MEMTREE_FIRST) {
        return 0;
    }
    if (where == ST_MEMTREE_LAST) {
        return atomic_load_explicit(&node->count, memory_order_acquire);
    }
    bool is_found;
    uint32_t index = st_lsm__memtree_search(node, key, &is_found);
    return where == ST_MEMTREE_AT ? index + is_found : index;
}

/* One try to reach a leaf; NULL when a node changed under way. */
static const st_memtree_node *memtree_try_descend(const st_memtree *tree, st_memtree_where where,
                                                  st_slice key, uint64_t *out_version)
{
    const st_memtree_node *node = atomic_load_explicit(&tree->root, memory_order_acquire);
    uint64_t version = atomic_load_explicit(&node->version, memory_order_acquire);
    if (!memtree_is_stable(version) ||
        atomic_load_explicit(&tree->root, memory_order_acquire) != node) {
        return NULL;
    }
    while (node->level > 0) {
        uint32_t index = memtree_child_index(node, where, key);
        const st_memtree_node *child =
            atomic_load_explicit(&node->children[index], memory_order_acquire);
        if (!child) {
            return NULL;
        }
        st_lsm__memtree_prefetch(child);
        uint64_t child_version = atomic_load_explicit(&child->version, memory_order_acquire);
        if (!memtree_is_stable(child_version) || !memtree_is_still(node, version)) {
            return NULL;
        }
        node = child;
        version = child_version;
    }
    *out_version = version;
    return node;
}

const st_memtree_entry *st_lsm__memtree_get(const st_memtree *tree, st_slice key)
{
    for (uint32_t round = 0;; round++) {
        if (round > 0) {
            st_env_pause(round);
        }
        uint64_t version = 0;
        const st_memtree_node *leaf = memtree_try_descend(tree, ST_MEMTREE_AT, key, &version);
        if (!leaf) {
            continue;
        }
        bool is_found;
        uint32_t index = st_lsm__memtree_search(leaf, key, &is_found);
        const st_memtree_entry *entry =
            is_found ? atomic_load_explicit(&leaf->entries[index], memory_order_acquire) : NULL;
        if (memtree_is_still(leaf, version)) {
            return entry;
        }
    }
}

static void memtree_copy_leaf(const st_memtree_node *leaf, st_memtree_leaf *out_leaf)
{
    out_leaf->count = atomic_load_explicit(&leaf->count, memory_order_acquire);
    out_leaf->next = atomic_load_explicit(&leaf->next, memory_order_acquire);
    for (uint32_t i = 0; i < out_leaf->count; i++) {
        out_leaf->entries[i] = atomic_load_explicit(&leaf->entries[i], memory_order_acquire);
    }
}

void st_lsm__memtree_read(const st_memtree *tree, st_memtree_where where, st_slice key,
                          st_memtree_leaf *out_leaf)
{
    for (uint32_t round = 0;; round++) {
        if (round > 0) {
            st_env_pause(round);
        }
        uint64_t version = 0;
        const st_memtree_node *leaf = memtree_try_descend(tree, where, key, &version);
        if (!leaf) {
            continue;
        }
        out_leaf->is_found = false;
        if (where == ST_MEMTREE_AT || where == ST_MEMTREE_BEFORE) {
            out_leaf->index = st_lsm__memtree_search(leaf, key, &out_leaf->is_found);
        }
        memtree_copy_leaf(leaf, out_leaf);
        if (memtree_is_still(leaf, version)) {
            return;
        }
    }
}

void st_lsm__memtree_read_next(const st_memtree_node *leaf, st_memtree_leaf *out_leaf)
{
    for (uint32_t round = 0;; round++) {
        if (round > 0) {
            st_env_pause(round);
        }
        uint64_t version = atomic_load_explicit(&leaf->version, memory_order_acquire);
        memtree_copy_leaf(leaf, out_leaf);
        if (memtree_is_stable(version) && memtree_is_still(leaf, version)) {
            return;
        }
    }
}
