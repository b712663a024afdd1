/* The block cache of a database: payloads of blocks, by open file and offset. Private to lsm. */
#ifndef STATOR_LSM_CACHE_INTERNAL_H
#define STATOR_LSM_CACHE_INTERNAL_H

#include "base/base.h"

/* Shared by all files of a database; sharded, second chance (CLOCK) eviction. */
typedef struct st_cache st_cache;
typedef struct st_block_pin st_block_pin; /* a cached block, counted; keeps its bytes readable */

st_status st_lsm__cache_create(st_op *op, const st_alloc *alloc, uint64_t budget_bytes,
                               st_cache **out_cache) ST_MUST_USE;
void st_lsm__cache_destroy(st_cache *cache); /* NULL is fine; no pin may be left */
void st_lsm__cache_stats(st_cache *cache, uint64_t *out_bytes, uint64_t *out_hits,
                         uint64_t *out_misses);
uint64_t st_lsm__cache_new_file(st_cache *cache); /* a number for one open file */
void st_lsm__cache_drop_file(st_cache *cache, uint64_t file);

/* Which block this is. type and disk_bytes stand in the index as well: who finds a block compares
 * them. */
typedef struct st_block_place {
    uint64_t file, offset;
    uint32_t disk_bytes;
    uint8_t type;
} st_block_place;

/* A pin of the block of (file, offset) in *out_pin, or NULL. */
void st_lsm__cache_get(st_cache *cache, uint64_t file, uint64_t offset, st_block_pin **out_pin);
/* Memory for a block that is about to be read, pinned once and not yet findable. NULL when out of
 * memory. */
st_block_pin *st_lsm__cache_reserve(st_cache *cache, const st_block_place *place, size_t bytes);
/* Makes it findable; when another thread was faster its block is taken instead. */
void st_lsm__cache_insert(st_block_pin **pin);
uint8_t *st_lsm__pin_data(const st_block_pin *pin); /* aligned to 64 bytes */
size_t st_lsm__pin_bytes(const st_block_pin *pin);
const st_block_place *st_lsm__pin_place(const st_block_pin *pin);
void st_lsm__block_unpin(st_block_pin *pin); /* NULL is fine */

/* Inside a guard blocks are read without counting: what peek found stays readable until leave.
 * A guard never covers a file read or a wait, and never outlives the call. */
typedef struct st_cache_guard {
    st_cache *cache;
    void *stripe;
    uint32_t parity, hits;
} st_cache_guard;

void st_lsm__cache_enter(st_cache *cache, st_cache_guard *out_guard);
void st_lsm__cache_leave(st_cache_guard *guard);
/* NULL: not in the cache, or, rarely, not seen because its table is being changed. */
st_block_pin *st_lsm__cache_peek(st_cache_guard *guard, uint64_t file, uint64_t offset);
/* Makes a block that was peeked at a pin; false when it is being evicted. */
bool st_lsm__block_retain(st_block_pin *block);

#endif
