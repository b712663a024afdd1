/* Entries of a memtable and their chains of versions. */
#include "lsm/memtable_tree_internal.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(st_memtree_entry) % _Alignof(st_memtree_older_link) == 0,
              "the link stands aligned behind the entry");

st_entry st_lsm__memtree_entry(const st_memtree_entry *entry)
{
    st_slice key = st_lsm__memtree_key(entry);
    return (st_entry){.key = key,
                      .value = st_slice_of(key.data + key.size, entry->value_bytes),
                      .sequence = st_lsm__memtree_sequence(entry),
                      .type = (uint8_t)entry->sequence_type};
}

size_t st_lsm__memtree_entry_bytes(bool has_older, size_t key_bytes, size_t value_bytes)
{
    size_t bytes = sizeof(st_memtree_entry) + (has_older ? sizeof(st_memtree_older_link) : 0) +
                   key_bytes + value_bytes;
    return (bytes + 7) & ~(size_t)7;
}

static const st_memtree_older_link *memtree_link(const st_memtree_entry *entry)
{
    return (const st_memtree_older_link *)(const void *)entry->bytes;
}

uint64_t st_lsm__memtree_depth(const st_memtree_entry *entry)
{
    return entry->older ? memtree_link(entry)->depth : 0;
}

static const st_memtree_entry *memtree_jump(const st_memtree_entry *entry)
{
    return entry->older ? memtree_link(entry)->jump : entry;
}

void st_lsm__memtree_fill(st_memtree_entry *to, const st_entry *from, const st_memtree_entry *older)
{
    to->older = older;
    to->sequence_type = from->sequence << 8 | from->type;
    to->key_bytes = (uint32_t)from->key.size;
    to->value_bytes = (uint32_t)from->value.size;
    uint8_t *at = to->bytes;
    if (older) {
        const st_memtree_entry *jump = memtree_jump(older);
        uint64_t depth = st_lsm__memtree_depth(older), jump_depth = st_lsm__memtree_depth(jump);
        uint64_t second_depth = st_lsm__memtree_depth(memtree_jump(jump));
        /* Two equal distances in a row join into one of twice the length and one. */
        bool is_joined = depth - jump_depth == jump_depth - second_depth;
        st_memtree_older_link link = {is_joined ? memtree_jump(jump) : older, depth + 1};
        memcpy(at, &link, sizeof link);
        at += sizeof link;
    }
    if (from->key.size > 0) {
        memcpy(at, from->key.data, from->key.size);
    }
    if (from->value.size > 0) {
        memcpy(at + from->key.size, from->value.data, from->value.size);
    }
}

const st_memtree_entry *st_lsm__memtree_at_sequence(const st_memtree_entry *newest,
                                                    uint64_t max_sequence)
{
    const st_memtree_entry *entry = newest;
    while (entry && st_lsm__memtree_sequence(entry) > max_sequence) {
        const st_memtree_entry *jump = memtree_jump(entry);
        entry =
            st_lsm__memtree_sequence(jump) > max_sequence && jump != entry ? jump : entry->older;
    }
    return entry;
}

const st_memtree_entry *st_lsm__memtree_at_depth(const st_memtree_entry *newest, uint64_t depth)
{
    const st_memtree_entry *entry = newest;
    while (st_lsm__memtree_depth(entry) > depth) {
        const st_memtree_entry *jump = memtree_jump(entry);
        entry = st_lsm__memtree_depth(jump) >= depth ? jump : entry->older;
    }
    return entry;
}
