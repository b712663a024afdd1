/* Changing a memtable's tree: the one writer's side.
 *
 * A key that is new goes into its leaf. When the leaf is full, every node that the insert will
 * change is locked first (its version made odd): the leaf, its full ancestors, and the first
 * ancestor with room. Then halves are made from the bottom up, each entered into its parent, and
 * all are unlocked. A new right half needs no lock: nobody can reach it before its locked parent or
 * its locked left neighbour is let go.
 *
 * A full node splits in the middle, but the last node of its level stays full when the new key goes
 * behind it, so that keys inserted in order fill the tree.
 *
 * The prefix grows only in a split, when the heads of a half agree in their upper four bytes, and
 * shrinks when a key arrives that does not begin with it.
 */
#include "lsm/memtable_tree_internal.h"

#include <string.h>

#define MEMTREE_HALF (ST_MEMTREE_SLOTS / 2)

/* ---- spare nodes ------------------------------------------------------------------------ */

/* Nodes that split while so many are inserted into a level: each node that is there once, and then
 * once more for every half that fills up again. */
static uint64_t memtree_splits(uint64_t nodes, uint64_t inserts)
{
    uint64_t most = nodes + inserts / (MEMTREE_HALF / 2) + 1;
    return inserts < most ? inserts : most;
}

void st_lsm__memtree_nodes_missing(const st_memtree *tree, uint64_t inserts, uint64_t *out_leaves,
                                   uint64_t *out_inners)
{
    uint64_t splits = memtree_splits(tree->level_nodes[0], inserts);
    *out_leaves = splits > tree->spare_leaf_count ? splits - tree->spare_leaf_count : 0;
    uint64_t inners = 0;
    for (uint32_t level = 1; level < ST_MEMTREE_LEVELS_MAX; level++) {
        splits = memtree_splits(tree->level_nodes[level], splits);
        inners += splits;
        if (tree->level_nodes[level] == 0 && splits <= 1) {
            break;
        }
    }
    *out_inners = inners > tree->spare_inner_count ? inners - tree->spare_inner_count : 0;
}

void st_lsm__memtree_add_spare(st_memtree *tree, void *memory, bool is_leaf)
{
    st_memtree_node *node = memory;
    st_memtree_node **list = is_leaf ? &tree->spare_leaves : &tree->spare_inners;
    memset(memory, 0, is_leaf ? ST_MEMTREE_LEAF_BYTES : ST_MEMTREE_INNER_BYTES);
    atomic_init(&node->next, *list);
    *list = node;
    *(is_leaf ? &tree->spare_leaf_count : &tree->spare_inner_count) += 1;
}

static st_memtree_node *memtree_take(st_memtree *tree, uint32_t level)
{
    st_memtree_node **list = level == 0 ? &tree->spare_leaves : &tree->spare_inners;
    st_memtree_node *node = *list;
    ST_ASSERT(node);
    *list = atomic_load_explicit(&node->next, memory_order_relaxed);
    *(level == 0 ? &tree->spare_leaf_count : &tree->spare_inner_count) -= 1;
    tree->level_nodes[level]++;
    node->level = level;
    atomic_store_explicit(&node->next, NULL, memory_order_relaxed);
    for (uint32_t i = 0; i < ST_MEMTREE_SLOTS; i++) {
        atomic_store_explicit(&node->heads[i], UINT64_MAX, memory_order_relaxed);
    }
    return node;
}

void st_lsm__memtree_plant(st_memtree *tree)
{
    atomic_init(&tree->root, memtree_take(tree, 0));
}

/* ---- fields of a node, as the writer reads and stores them ------------------------------ */

static uint32_t memtree_count(const st_memtree_node *node)
{
    return atomic_load_explicit(&node->count, memory_order_relaxed);
}

static const st_memtree_entry *memtree_entry_at(const st_memtree_node *node, uint32_t index)
{
    return atomic_load_explicit(&node->entries[index], memory_order_relaxed);
}

static st_memtree_node *memtree_child_at(const st_memtree_node *node, uint32_t index)
{
    return atomic_load_explicit(&node->children[index], memory_order_relaxed);
}

static uint64_t memtree_head_at(const st_memtree_node *node, uint32_t index)
{
    return atomic_load_explicit(&node->heads[index], memory_order_relaxed);
}

static void memtree_set_slot(st_memtree_node *node, uint32_t index, uint64_t head,
                             const st_memtree_entry *entry)
{
    atomic_store_explicit(&node->heads[index], head, memory_order_release);
    atomic_store_explicit(&node->entries[index], entry, memory_order_release);
}

static void memtree_set_child(st_memtree_node *node, uint32_t index, st_memtree_node *child)
{
    atomic_store_explicit(&node->children[index], child, memory_order_release);
}

static void memtree_step_version(st_memtree_node *node)
{
    uint64_t version = atomic_load_explicit(&node->version, memory_order_relaxed);
    atomic_store_explicit(&node->version, version + 1, memory_order_release);
}

/* ---- prefixes --------------------------------------------------------------------------- */

static void memtree_set_prefix(st_memtree_node *node, const st_memtree_entry *of, size_t bytes)
{
    atomic_store_explicit(&node->prefix_of, of, memory_order_release);
    atomic_store_explicit(&node->prefix_bytes, (uint32_t)bytes, memory_order_release);
    uint32_t count = memtree_count(node);
    for (uint32_t i = 0; i < count; i++) {
        st_slice key = st_lsm__memtree_key(memtree_entry_at(node, i));
        atomic_store_explicit(&node->heads[i], st_lsm__key_head(key, bytes), memory_order_release);
    }
}

static size_t memtree_prefix_bytes(const st_memtree_node *node)
{
    return atomic_load_explicit(&node->prefix_bytes, memory_order_relaxed);
}

/* Shortens the prefix to what key shares with it. */
static void memtree_fit_prefix(st_memtree_node *node, st_slice key)
{
    size_t bytes = memtree_prefix_bytes(node);
    if (bytes == 0) {
        return;
    }
    const st_memtree_entry *of = atomic_load_explicit(&node->prefix_of, memory_order_relaxed);
    st_slice prefix = st_lsm__memtree_key(of);
    prefix.size = bytes;
    size_t common = st_slice_common(prefix, key);
    if (common < bytes) {
        memtree_set_prefix(node, of, common);
    }
}

/* Lengthens the prefix when the heads tell too little apart. */
static void memtree_grow_prefix(st_memtree_node *node)
{
    uint32_t count = memtree_count(node);
    if (count < 2 || memtree_head_at(node, 0) >> 32 != memtree_head_at(node, count - 1) >> 32) {
        return;
    }
    const st_memtree_entry *first = memtree_entry_at(node, 0);
    size_t common = st_slice_common(st_lsm__memtree_key(first),
                                    st_lsm__memtree_key(memtree_entry_at(node, count - 1)));
    if (common > memtree_prefix_bytes(node)) {
        memtree_set_prefix(node, first, common);
    }
}

/* ---- finding, inserting, splitting ------------------------------------------------------ */

void st_lsm__memtree_find(const st_memtree *tree, st_slice key, st_memtree_place *out_place)
{
    st_memtree_node *node = atomic_load_explicit(&tree->root, memory_order_relaxed);
    out_place->levels = node->level + 1;
    for (;;) {
        bool is_found;
        uint32_t index = st_lsm__memtree_search(node, key, &is_found);
        out_place->nodes[node->level] = node;
        out_place->indexes[node->level] = index + (node->level > 0 && is_found);
        if (node->level == 0) {
            out_place->is_found = is_found;
            return;
        }
        node = memtree_child_at(node, index + is_found);
        st_lsm__memtree_prefetch(node);
    }
}

const st_memtree_entry *st_lsm__memtree_newest(const st_memtree_place *place)
{
    return memtree_entry_at(place->nodes[0], place->indexes[0]);
}

void st_lsm__memtree_hang(const st_memtree_place *place, const st_memtree_entry *entry)
{
    atomic_store_explicit(&place->nodes[0]->entries[place->indexes[0]], entry,
                          memory_order_release);
}

/* Into a locked node with room. right, on inner nodes, is the child behind the separator. */
static void memtree_put(st_memtree_node *node, uint32_t index, const st_memtree_entry *entry,
                        st_memtree_node *right)
{
    st_slice key = st_lsm__memtree_key(entry);
    memtree_fit_prefix(node, key);
    uint32_t count = memtree_count(node);
    for (uint32_t i = count; i > index; i--) {
        memtree_set_slot(node, i, memtree_head_at(node, i - 1), memtree_entry_at(node, i - 1));
    }
    memtree_set_slot(node, index, st_lsm__key_head(key, memtree_prefix_bytes(node)), entry);
    if (right) {
        for (uint32_t i = count + 1; i > index + 1; i--) {
            memtree_set_child(node, i, memtree_child_at(node, i - 1));
        }
        memtree_set_child(node, index + 1, right);
    }
    atomic_store_explicit(&node->count, count + 1, memory_order_release);
}

/* Moves the slots from `from` on to the empty node right; of an inner node the children behind
 * them too. */
static void memtree_move(st_memtree_node *node, uint32_t from, st_memtree_node *right)
{
    uint32_t count = memtree_count(node);
    atomic_store_explicit(&right->prefix_of,
                          atomic_load_explicit(&node->prefix_of, memory_order_relaxed),
                          memory_order_release);
    atomic_store_explicit(&right->prefix_bytes, (uint32_t)memtree_prefix_bytes(node),
                          memory_order_release);
    for (uint32_t i = from; i < count; i++) {
        memtree_set_slot(right, i - from, memtree_head_at(node, i), memtree_entry_at(node, i));
        atomic_store_explicit(&node->heads[i], UINT64_MAX, memory_order_release);
    }
    if (node->level > 0) {
        for (uint32_t i = from; i <= count; i++) {
            memtree_set_child(right, i - from, memtree_child_at(node, i));
        }
    }
    atomic_store_explicit(&right->count, count - from, memory_order_release);
    atomic_store_explicit(&node->count, from, memory_order_release);
}

/* Splits a full leaf and puts the entry into one half. The key of *out_separator is the first of
 * the right half, which is returned. */
static st_memtree_node *memtree_split_leaf(st_memtree *tree, st_memtree_node *leaf, uint32_t index,
                                           const st_memtree_entry *entry,
                                           const st_memtree_entry **out_separator)
{
    st_memtree_node *right = memtree_take(tree, 0);
    st_memtree_node *next = atomic_load_explicit(&leaf->next, memory_order_relaxed);
    bool is_appended = index == ST_MEMTREE_SLOTS && !next;
    uint32_t from = is_appended ? ST_MEMTREE_SLOTS : MEMTREE_HALF;
    memtree_move(leaf, from, right);
    if (is_appended || index > from) {
        memtree_put(right, index - from, entry, NULL);
    } else {
        memtree_put(leaf, index, entry, NULL);
    }
    memtree_grow_prefix(leaf);
    memtree_grow_prefix(right);
    atomic_store_explicit(&right->next, next, memory_order_release);
    atomic_store_explicit(&leaf->next, right, memory_order_release);
    *out_separator = memtree_entry_at(right, 0);
    return right;
}

/* Splits a full inner node and puts separator and child into one half; *separator goes on to the
 * parent, with the right half that is returned. */
static st_memtree_node *memtree_split_inner(st_memtree *tree, st_memtree_node *node, uint32_t index,
                                            bool is_last, st_memtree_node *child,
                                            const st_memtree_entry **separator)
{
    st_memtree_node *right = memtree_take(tree, node->level);
    if (index == ST_MEMTREE_SLOTS && is_last) {
        atomic_store_explicit(&right->children[0], child, memory_order_release);
        return right;
    }
    const st_memtree_entry *up = memtree_entry_at(node, MEMTREE_HALF);
    memtree_move(node, MEMTREE_HALF + 1, right);
    atomic_store_explicit(&node->heads[MEMTREE_HALF], UINT64_MAX, memory_order_release);
    atomic_store_explicit(&node->count, MEMTREE_HALF, memory_order_release);
    if (index > MEMTREE_HALF) {
        memtree_put(right, index - MEMTREE_HALF - 1, *separator, child);
    } else {
        memtree_put(node, index, *separator, child);
    }
    memtree_grow_prefix(node);
    memtree_grow_prefix(right);
    *separator = up;
    return right;
}

/* A root above the locked old one and its right half. It begins with the old one's prefix, so that
 * its heads tell keys apart from the first. */
static void memtree_raise(st_memtree *tree, st_memtree_node *left,
                          const st_memtree_entry *separator, st_memtree_node *right)
{
    st_memtree_node *root = memtree_take(tree, left->level + 1);
    atomic_store_explicit(&root->children[0], left, memory_order_release);
    memtree_set_prefix(root, atomic_load_explicit(&left->prefix_of, memory_order_relaxed),
                       memtree_prefix_bytes(left));
    memtree_put(root, 0, separator, right);
    atomic_store_explicit(&tree->root, root, memory_order_release);
}

/* Nodes that an insert at place changes, from the leaf up. */
static uint32_t memtree_changed_levels(const st_memtree_place *place)
{
    uint32_t levels = 1;
    while (levels < place->levels && memtree_count(place->nodes[levels - 1]) == ST_MEMTREE_SLOTS) {
        levels++;
    }
    return levels;
}

/* Whether the node of this level is the last one of it. */
static bool memtree_is_last(const st_memtree_place *place, uint32_t level)
{
    for (uint32_t i = level + 1; i < place->levels; i++) {
        if (place->indexes[i] != memtree_count(place->nodes[i])) {
            return false;
        }
    }
    return true;
}

static void memtree_insert_split(st_memtree *tree, const st_memtree_place *place,
                                 const st_memtree_entry *entry)
{
    const st_memtree_entry *separator;
    st_memtree_node *right =
        memtree_split_leaf(tree, place->nodes[0], place->indexes[0], entry, &separator);
    for (uint32_t level = 1; level < place->levels; level++) {
        st_memtree_node *node = place->nodes[level];
        if (memtree_count(node) < ST_MEMTREE_SLOTS) {
            memtree_put(node, place->indexes[level], separator, right);
            return;
        }
        right = memtree_split_inner(tree, node, place->indexes[level],
                                    memtree_is_last(place, level), right, &separator);
    }
    memtree_raise(tree, place->nodes[place->levels - 1], separator, right);
}

void st_lsm__memtree_insert_new(st_memtree *tree, const st_memtree_place *place,
                                const st_memtree_entry *entry)
{
    uint32_t changed = memtree_changed_levels(place);
    for (uint32_t i = 0; i < changed; i++) {
        memtree_step_version(place->nodes[i]);
    }
    if (memtree_count(place->nodes[0]) < ST_MEMTREE_SLOTS) {
        memtree_put(place->nodes[0], place->indexes[0], entry, NULL);
    } else {
        memtree_insert_split(tree, place, entry);
    }
    for (uint32_t i = changed; i-- > 0;) {
        memtree_step_version(place->nodes[i]);
    }
}
