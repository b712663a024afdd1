/* The block cache: 16 shards, each a hash table and a clock hand under one mutex that is held for a
 * lookup and nothing longer.
 *
 * A pin counts the users of a block; the cache itself is one of them while the block is findable.
 * Eviction takes blocks that nobody else uses and that were not asked for since the hand last
 * passed. Blocks in use are never waited for: the cache may then stand above its budget until they
 * are let go.
 */
#include "lsm/sst_internal.h"

#include <stdatomic.h>

#define CACHE_SHARDS 16u
#define CACHE_BUCKETS_MIN 64u

struct st_block_pin {
    st_cache *cache;
    st_block_pin *chain; /* of the bucket */
    st_block_pin *clock_next, *clock_previous;
    uint64_t file, offset;
    size_t bytes;
    _Atomic uint32_t users;
    _Atomic bool is_recent;
    bool is_findable;
    uint8_t data[];
};

typedef struct cache_shard {
    st_mutex mutex;
    st_block_pin **buckets;
    size_t bucket_count, block_count;
    st_block_pin *hand; /* of a ring of all findable blocks */
    uint64_t bytes, hits, misses;
} cache_shard;

struct st_cache {
    const st_alloc *alloc;
    uint64_t shard_budget;
    _Atomic uint64_t next_file;
    cache_shard shards[CACHE_SHARDS];
};

static uint64_t cache_hash(uint64_t file, uint64_t offset)
{
    uint64_t hash = (file * 0x9E3779B97F4A7C15u) ^ (offset * 0xC2B2AE3D27D4EB4Fu);
    return hash ^ hash >> 29;
}

static cache_shard *cache_shard_of(st_cache *cache, uint64_t hash)
{
    return &cache->shards[hash >> 60 & (CACHE_SHARDS - 1)];
}

static size_t cache_cost(const st_block_pin *pin)
{
    return sizeof *pin + pin->bytes;
}

st_status st_lsm__cache_create(st_op *op, const st_alloc *alloc, uint64_t budget_bytes,
                               st_cache **out_cache)
{
    *out_cache = NULL;
    st_cache *cache = st_alloc_new(alloc, sizeof *cache);
    if (!cache) {
        return st_fail_memory(op, sizeof *cache);
    }
    cache->alloc = alloc;
    cache->shard_budget = budget_bytes / CACHE_SHARDS;
    for (size_t i = 0; i < CACHE_SHARDS; i++) {
        st_mutex_init(&cache->shards[i].mutex);
    }
    *out_cache = cache;
    return ST_OK;
}

static void cache_free(st_block_pin *pin)
{
    st_alloc_free(pin->cache->alloc, pin, sizeof *pin + pin->bytes);
}

void st_lsm__cache_destroy(st_cache *cache)
{
    if (!cache) {
        return;
    }
    for (size_t i = 0; i < CACHE_SHARDS; i++) {
        cache_shard *shard = &cache->shards[i];
        for (size_t bucket = 0; bucket < shard->bucket_count; bucket++) {
            while (shard->buckets[bucket]) {
                st_block_pin *pin = shard->buckets[bucket];
                shard->buckets[bucket] = pin->chain;
                cache_free(pin);
            }
        }
        st_alloc_free(cache->alloc, shard->buckets, shard->bucket_count * sizeof *shard->buckets);
        st_mutex_deinit(&shard->mutex);
    }
    st_alloc_free(cache->alloc, cache, sizeof *cache);
}

void st_lsm__cache_stats(st_cache *cache, uint64_t *out_bytes, uint64_t *out_hits,
                         uint64_t *out_misses)
{
    *out_bytes = *out_hits = *out_misses = 0;
    for (size_t i = 0; i < CACHE_SHARDS; i++) {
        cache_shard *shard = &cache->shards[i];
        st_mutex_lock(&shard->mutex);
        *out_bytes += shard->bytes;
        *out_hits += shard->hits;
        *out_misses += shard->misses;
        st_mutex_unlock(&shard->mutex);
    }
}

uint64_t st_lsm__cache_new_file(st_cache *cache)
{
    return atomic_fetch_add_explicit(&cache->next_file, 1, memory_order_relaxed) + 1;
}

static st_block_pin **cache_bucket(cache_shard *shard, uint64_t hash)
{
    return &shard->buckets[hash & (shard->bucket_count - 1)];
}

static st_block_pin *cache_find(cache_shard *shard, uint64_t file, uint64_t offset, uint64_t hash)
{
    st_block_pin *pin = shard->bucket_count > 0 ? *cache_bucket(shard, hash) : NULL;
    while (pin && (pin->file != file || pin->offset != offset)) {
        pin = pin->chain;
    }
    return pin;
}

void st_lsm__cache_get(st_cache *cache, uint64_t file, uint64_t offset, st_block_pin **out_pin)
{
    uint64_t hash = cache_hash(file, offset);
    cache_shard *shard = cache_shard_of(cache, hash);
    st_mutex_lock(&shard->mutex);
    st_block_pin *pin = cache_find(shard, file, offset, hash);
    if (pin) {
        atomic_fetch_add_explicit(&pin->users, 1, memory_order_relaxed);
        atomic_store_explicit(&pin->is_recent, true, memory_order_relaxed);
        shard->hits++;
    } else {
        shard->misses++;
    }
    st_mutex_unlock(&shard->mutex);
    *out_pin = pin;
}

st_block_pin *st_lsm__cache_reserve(st_cache *cache, uint64_t file, uint64_t offset, size_t bytes)
{
    st_block_pin *pin = st_alloc_resize(cache->alloc, NULL, 0, sizeof *pin + bytes);
    if (!pin) {
        return NULL;
    }
    pin->cache = cache;
    pin->chain = pin->clock_next = pin->clock_previous = NULL;
    pin->file = file;
    pin->offset = offset;
    pin->bytes = bytes;
    pin->is_findable = false;
    atomic_init(&pin->users, 1);
    atomic_init(&pin->is_recent, false);
    return pin;
}

/* Takes a block out of table and ring. Called with the mutex held; the cache's own use is given up
 * by the caller. */
static void cache_unlink(cache_shard *shard, st_block_pin *pin)
{
    st_block_pin **at = cache_bucket(shard, cache_hash(pin->file, pin->offset));
    while (*at != pin) {
        at = &(*at)->chain;
    }
    *at = pin->chain;
    if (pin->clock_next == pin) {
        shard->hand = NULL;
    } else {
        pin->clock_next->clock_previous = pin->clock_previous;
        pin->clock_previous->clock_next = pin->clock_next;
        shard->hand = shard->hand == pin ? pin->clock_next : shard->hand;
    }
    pin->is_findable = false;
    shard->block_count--;
    shard->bytes -= cache_cost(pin);
}

static void cache_evict(st_cache *cache, cache_shard *shard)
{
    for (size_t looked = 0;
         shard->bytes > cache->shard_budget && shard->hand && looked < 2 * shard->block_count + 2;
         looked++) {
        st_block_pin *pin = shard->hand;
        shard->hand = pin->clock_next;
        bool was_recent = atomic_exchange_explicit(&pin->is_recent, false, memory_order_relaxed);
        if (!was_recent && atomic_load_explicit(&pin->users, memory_order_acquire) == 1) {
            cache_unlink(shard, pin);
            cache_free(pin);
        }
    }
}

static void cache_link(cache_shard *shard, st_block_pin *pin, uint64_t hash)
{
    st_block_pin **bucket = cache_bucket(shard, hash);
    pin->chain = *bucket;
    *bucket = pin;
    if (shard->hand) {
        pin->clock_next = shard->hand;
        pin->clock_previous = shard->hand->clock_previous;
        pin->clock_previous->clock_next = pin;
        shard->hand->clock_previous = pin;
    } else {
        shard->hand = pin->clock_next = pin->clock_previous = pin;
    }
}

/* Doubles the table when it is full. Without memory for it the chains grow longer, nothing worse.
 */
static bool cache_make_room(st_cache *cache, cache_shard *shard)
{
    if (shard->block_count < shard->bucket_count) {
        return true;
    }
    size_t bucket_count = shard->bucket_count ? 2 * shard->bucket_count : CACHE_BUCKETS_MIN;
    st_block_pin **buckets = st_alloc_new(cache->alloc, bucket_count * sizeof *buckets);
    if (!buckets) {
        return shard->bucket_count > 0;
    }
    for (size_t i = 0; i < shard->bucket_count; i++) {
        while (shard->buckets[i]) {
            st_block_pin *pin = shard->buckets[i];
            shard->buckets[i] = pin->chain;
            st_block_pin **bucket =
                &buckets[cache_hash(pin->file, pin->offset) & (bucket_count - 1)];
            pin->chain = *bucket;
            *bucket = pin;
        }
    }
    st_alloc_free(cache->alloc, shard->buckets, shard->bucket_count * sizeof *shard->buckets);
    shard->buckets = buckets;
    shard->bucket_count = bucket_count;
    return true;
}

void st_lsm__cache_insert(st_block_pin **pin)
{
    st_block_pin *added = *pin;
    st_cache *cache = added->cache;
    uint64_t hash = cache_hash(added->file, added->offset);
    cache_shard *shard = cache_shard_of(cache, hash);
    st_mutex_lock(&shard->mutex);
    st_block_pin *other = cache_find(shard, added->file, added->offset, hash);
    if (other) {
        atomic_fetch_add_explicit(&other->users, 1, memory_order_relaxed);
        cache_free(added);
        *pin = other;
    } else if (cache_make_room(cache, shard)) {
        atomic_fetch_add_explicit(&added->users, 1, memory_order_relaxed);
        added->is_findable = true;
        cache_link(shard, added, hash);
        shard->block_count++;
        shard->bytes += cache_cost(added);
        cache_evict(cache, shard);
    }
    st_mutex_unlock(&shard->mutex);
}

void st_lsm__cache_drop_file(st_cache *cache, uint64_t file)
{
    for (size_t i = 0; i < CACHE_SHARDS; i++) {
        cache_shard *shard = &cache->shards[i];
        st_mutex_lock(&shard->mutex);
        st_block_pin *pin = shard->hand;
        for (size_t left = shard->block_count; left > 0; left--) {
            st_block_pin *next = pin->clock_next;
            if (pin->file == file) {
                cache_unlink(shard, pin);
                st_lsm__block_unpin(pin);
            }
            pin = next;
        }
        st_mutex_unlock(&shard->mutex);
    }
}

uint8_t *st_lsm__pin_data(st_block_pin *pin)
{
    return pin->data;
}

size_t st_lsm__pin_bytes(const st_block_pin *pin)
{
    return pin->bytes;
}

void st_lsm__block_unpin(st_block_pin *pin)
{
    if (pin && atomic_fetch_sub_explicit(&pin->users, 1, memory_order_acq_rel) == 1) {
        cache_free(pin);
    }
}
