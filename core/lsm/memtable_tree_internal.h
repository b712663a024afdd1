/* The tree inside a memtable. Private to the memtable_*.c files.
 *
 * A B+tree of nodes with 64 slots. A leaf's slot is one key: it points at the newest entry of the
 * key, which points at the next older one. An inner node's slot is a separator: the child behind it
 * holds the keys at and above it. Every leaf but the leftmost holds the key that separates it from
 * the one before it, and no node is ever emptied or freed: so a descent never has to turn round,
 * and a leaf's `next` may be followed at any later time.
 *
 * Entries never change once they can be reached. They and the nodes live in the memtable's blocks
 * until it is destroyed: a reader may follow any pointer it has read, however stale.
 *
 * Node: version · count · prefix · heads · entries · children. All keys of a node begin with its
 * prefix, which is borrowed from one of them; a head is the 8 bytes behind it, big-endian, padded
 * with zeros, so that most comparisons are of integers. Heads behind the last are all ones.
 *
 * Concurrency. One writer at a time; readers take no lock and write nothing. A node's version is
 * odd while the writer changes it. A reader notes an even version, reads, and reads the version
 * again: if it differs, what was read is void. A child's version is noted before its parent's is
 * read again. All fields are atomics, written with release between the two stores of the version
 * and read with acquire: so who reads a field of a change also reads the version that began it, and
 * no fence is needed. A void read may mix fields of two states: searches stay inside the arrays and
 * inside keys for any mixture. Hanging a newer version into a slot is one store and changes no
 * version.
 */
#ifndef STATOR_LSM_MEMTABLE_TREE_INTERNAL_H
#define STATOR_LSM_MEMTABLE_TREE_INTERNAL_H

#include "env/env.h"
#include "lsm/memtable_internal.h"

#include <stdatomic.h>

#define ST_MEMTREE_SLOTS 64u
#define ST_MEMTREE_LEVELS_MAX 16u

/* Layout: head · older_link if there is an older version · key · value. */
typedef struct st_memtree_entry st_memtree_entry;
struct st_memtree_entry {
    const st_memtree_entry *older; /* version of this key; NULL: this is the oldest */
    uint64_t sequence_type;        /* sequence << 8 | type */
    uint32_t key_bytes, value_bytes;
    uint8_t bytes[];
};

/* What makes a long chain of versions searchable in logarithmic time: jump leads to an older
 * version, at distances that double like the digits of a skew-binary number. */
typedef struct st_memtree_older_link {
    const st_memtree_entry *jump;
    uint64_t depth; /* older versions below this one; the oldest has 0 and no link */
} st_memtree_older_link;

typedef struct st_memtree_node st_memtree_node;
struct st_memtree_node {
    _Atomic uint64_t version; /* odd: being changed */
    _Atomic uint32_t count;
    _Atomic uint32_t prefix_bytes;
    _Atomic(const st_memtree_entry *) prefix_of; /* its key begins with the prefix */
    _Atomic(st_memtree_node *) next;             /* leaf: the one behind it */
    uint32_t level;                              /* constant; 0: leaf */
    _Atomic uint64_t heads[ST_MEMTREE_SLOTS];
    _Atomic(const st_memtree_entry *) entries[ST_MEMTREE_SLOTS];
    _Atomic(st_memtree_node *) children[]; /* inner: one more than slots */
};

#define ST_MEMTREE_LEAF_BYTES sizeof(st_memtree_node)
#define ST_MEMTREE_INNER_BYTES \
    (sizeof(st_memtree_node) + (ST_MEMTREE_SLOTS + 1) * sizeof(_Atomic(st_memtree_node *)))

/* One is part of every memtable. All but root are the writer's. */
typedef struct st_memtree {
    _Atomic(st_memtree_node *) root;
    st_memtree_node *spare_leaves, *spare_inners; /* by next; enough for what is reserved */
    uint64_t spare_leaf_count, spare_inner_count;
    uint64_t level_nodes[ST_MEMTREE_LEVELS_MAX]; /* nodes in use of each level */
} st_memtree;

static inline st_slice st_lsm__memtree_key(const st_memtree_entry *entry)
{
    return st_slice_of(entry->bytes + (entry->older ? sizeof(st_memtree_older_link) : 0),
                       entry->key_bytes);
}

static inline uint64_t st_lsm__memtree_sequence(const st_memtree_entry *entry)
{
    return entry->sequence_type >> 8;
}

st_entry st_lsm__memtree_entry(const st_memtree_entry *entry);
size_t st_lsm__memtree_entry_bytes(bool has_older, size_t key_bytes, size_t value_bytes);
uint64_t st_lsm__memtree_depth(const st_memtree_entry *entry);
/* The newest version with sequence <= max_sequence; NULL when there is none. */
const st_memtree_entry *st_lsm__memtree_at_sequence(const st_memtree_entry *newest,
                                                    uint64_t max_sequence);
/* The version that has so many older ones; depth is at most that of newest. */
const st_memtree_entry *st_lsm__memtree_at_depth(const st_memtree_entry *newest, uint64_t depth);
/* Fills the room that memtree_entry_bytes asked for. older: the newest version so far, or NULL. */
void st_lsm__memtree_fill(st_memtree_entry *to, const st_entry *from,
                          const st_memtree_entry *older);

/* ---- searching a node, by the writer and by readers -------------------------------------- */

/* Index of the first slot with a key >= key, at most 64, and whether it is key itself. */
uint32_t st_lsm__memtree_search(const st_memtree_node *node, st_slice key, bool *out_found);
/* Starts loading the lines that a search of node reads. */
void st_lsm__memtree_prefetch(const st_memtree_node *node);

/* ---- the writer ------------------------------------------------------------------------- */

/* How many more nodes the tree must have spare for that many inserts. */
void st_lsm__memtree_nodes_missing(const st_memtree *tree, uint64_t inserts, uint64_t *out_leaves,
                                   uint64_t *out_inners);
void st_lsm__memtree_add_spare(st_memtree *tree, void *memory, bool is_leaf); /* zeroes it */
void st_lsm__memtree_plant(st_memtree *tree); /* an empty root; takes a spare leaf */

/* Where a key is or would be. Good until the next insert_new. */
typedef struct st_memtree_place {
    st_memtree_node *nodes[ST_MEMTREE_LEVELS_MAX]; /* by level */
    uint32_t indexes[ST_MEMTREE_LEVELS_MAX];       /* children taken; [0]: the slot */
    uint32_t levels;
    bool is_found;
} st_memtree_place;
void st_lsm__memtree_find(const st_memtree *tree, st_slice key, st_memtree_place *out_place);
const st_memtree_entry *st_lsm__memtree_newest(const st_memtree_place *place); /* when found */
void st_lsm__memtree_hang(const st_memtree_place *place, const st_memtree_entry *entry);
void st_lsm__memtree_insert_new(st_memtree *tree, const st_memtree_place *place,
                                const st_memtree_entry *entry);

/* ---- readers ---------------------------------------------------------------------------- */

/* The newest version of key, or NULL. */
const st_memtree_entry *st_lsm__memtree_get(const st_memtree *tree, st_slice key);

typedef enum st_memtree_where {
    ST_MEMTREE_AT,     /* the leaf that holds key, or would */
    ST_MEMTREE_BEFORE, /* the leaf of the last key before key */
    ST_MEMTREE_FIRST,
    ST_MEMTREE_LAST,
} st_memtree_where;

/* A copy of a leaf's slots as they stood at one moment. */
typedef struct st_memtree_leaf {
    const st_memtree_entry *entries[ST_MEMTREE_SLOTS];
    const st_memtree_node *next;
    uint32_t count;
    uint32_t index; /* of the first key >= key; with FIRST and LAST not set */
    bool is_found;  /* it is key itself */
} st_memtree_leaf;
void st_lsm__memtree_read(const st_memtree *tree, st_memtree_where where, st_slice key,
                          st_memtree_leaf *out_leaf);
void st_lsm__memtree_read_next(const st_memtree_node *leaf, st_memtree_leaf *out_leaf);

/* memtable_iter.c */
st_status st_lsm__memtree_iter(st_op *op, const st_alloc *alloc, const st_memtree *tree,
                               bool is_reverse, st_iter **out_iter) ST_MUST_USE;

#endif
