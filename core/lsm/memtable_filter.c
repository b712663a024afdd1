/* The Bloom filter of a memtable. */
#include "lsm/memtable_filter_internal.h"

#include <string.h>

#define MEMFILTER_BLOCK_BYTES ((size_t)64)
#define MEMFILTER_KEYS_PER_BLOCK 32u /* 16 bits a key */
#define MEMFILTER_KEYS_MIN ((uint64_t)512)
#define MEMFILTER_KEYS_MAX ((uint64_t)1 << 32) /* of one part */
#define MEMFILTER_PROBES 6

/* Blocks stand on whole lines, wherever the part stands. */
static _Atomic uint64_t *memfilter_block(const st_memfilter_part *part, uint64_t hash)
{
    uintptr_t first = ((uintptr_t)part->words + MEMFILTER_BLOCK_BYTES - 1) &
                      ~(uintptr_t)(MEMFILTER_BLOCK_BYTES - 1);
    uint64_t index = ((hash >> 32) * part->block_count) >> 32;
    return (_Atomic uint64_t *)(first + (uintptr_t)index * MEMFILTER_BLOCK_BYTES);
}

/* 6 x 9 bits that are independent of those that choose the block. */
static uint64_t memfilter_probes(uint64_t hash)
{
    return (hash * 0x9E3779B97F4A7C15u) >> 10;
}

size_t st_lsm__memfilter_bytes_missing(const st_memfilter *filter, uint64_t keys)
{
    const st_memfilter_part *part = atomic_load_explicit(&filter->newest, memory_order_relaxed);
    if (part && part->keys_max - part->key_count >= keys) {
        return 0;
    }
    uint64_t most = part ? part->keys_max * 4 : MEMFILTER_KEYS_MIN;
    most = most < keys ? keys : most;
    most = most < MEMFILTER_KEYS_MAX ? most : MEMFILTER_KEYS_MAX;
    uint64_t blocks = (most + MEMFILTER_KEYS_PER_BLOCK - 1) / MEMFILTER_KEYS_PER_BLOCK;
    uint64_t bytes = sizeof(st_memfilter_part) + (blocks + 1) * MEMFILTER_BLOCK_BYTES;
    return bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX;
}

void st_lsm__memfilter_add_part(st_memfilter *filter, void *memory, size_t bytes)
{
    st_memfilter_part *part = memory;
    memset(part, 0, bytes);
    part->older = atomic_load_explicit(&filter->newest, memory_order_relaxed);
    part->block_count = (uint32_t)((bytes - sizeof *part) / MEMFILTER_BLOCK_BYTES - 1);
    part->keys_max = (uint64_t)part->block_count * MEMFILTER_KEYS_PER_BLOCK;
    atomic_store_explicit(&filter->newest, part, memory_order_release);
}

void st_lsm__memfilter_add(st_memfilter *filter, uint64_t hash)
{
    st_memfilter_part *part = atomic_load_explicit(&filter->newest, memory_order_relaxed);
    _Atomic uint64_t *block = memfilter_block(part, hash);
    uint64_t probes = memfilter_probes(hash);
    for (int i = 0; i < MEMFILTER_PROBES; i++, probes >>= 9) {
        _Atomic uint64_t *word = &block[(probes >> 6) & 7];
        uint64_t bits = atomic_load_explicit(word, memory_order_relaxed);
        atomic_store_explicit(word, bits | (uint64_t)1 << (probes & 63), memory_order_relaxed);
    }
    part->key_count++;
}

static bool memfilter_has(const st_memfilter_part *part, uint64_t hash)
{
    const _Atomic uint64_t *block = memfilter_block(part, hash);
    uint64_t probes = memfilter_probes(hash);
    for (int i = 0; i < MEMFILTER_PROBES; i++, probes >>= 9) {
        uint64_t bits = atomic_load_explicit(&block[(probes >> 6) & 7], memory_order_relaxed);
        if ((bits >> (probes & 63) & 1) == 0) {
            return false;
        }
    }
    return true;
}

bool st_lsm__memfilter_may_contain(const st_memfilter *filter, uint64_t hash)
{
    const st_memfilter_part *part = atomic_load_explicit(&filter->newest, memory_order_acquire);
    while (part && !memfilter_has(part, hash)) {
        part = part->older;
    }
    return part != NULL;
}
