/* The Bloom filter in front of a memtable's tree. Private to the memtable_*.c files.
 *
 * It grows by parts: each has room for at least four times the keys of the one before it, and a key
 * is entered into the newest only. So nothing is ever built anew while writers wait; an absent key
 * is looked up in every part, of which all but the newest are small enough to be in the processor's
 * cache. A part is an array of 64-byte blocks; a key sets six bits of one block, so that a lookup
 * touches one line. With 16 bits a key about 3 absent keys in 1,000 pass a full part.
 *
 * One writer, readers without a lock: words are atomics that only gain bits, and parts live as long
 * as the memtable. A key's bits are set before the key can be found in the tree.
 */
#ifndef STATOR_LSM_MEMTABLE_FILTER_INTERNAL_H
#define STATOR_LSM_MEMTABLE_FILTER_INTERNAL_H

#include "base/base.h"

#include <stdatomic.h>

typedef struct st_memfilter_part {
    const struct st_memfilter_part *older;
    uint64_t keys_max;
    uint64_t key_count; /* the writer's */
    uint32_t block_count;
    _Atomic uint64_t words[]; /* 8 a block */
} st_memfilter_part;

typedef struct st_memfilter {
    _Atomic(st_memfilter_part *) newest; /* NULL: no keys yet */
} st_memfilter;

/* Bytes of the part that must be added before so many more keys come; 0: there is room. */
size_t st_lsm__memfilter_bytes_missing(const st_memfilter *filter, uint64_t keys);
void st_lsm__memfilter_add_part(st_memfilter *filter, void *memory, size_t bytes);
void st_lsm__memfilter_add(st_memfilter *filter, uint64_t hash);
bool st_lsm__memfilter_may_contain(const st_memfilter *filter, uint64_t hash);

#endif
