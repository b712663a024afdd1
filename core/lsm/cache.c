/* The block cache: up to 16 shards, each a hash table, a clock ring of the blocks in it, and a
 * mutex that whoever changes them holds.
 *
 * Finding takes no lock and writes no shared word. A reader enters a guard, which counts it in a
 * stripe of its own under the parity of the current epoch, walks the chains, and leaves. What is
 * taken out of the table is freed two epochs later; the epoch advances from E to E + 1 only when
 * nobody is left who entered at E - 1. So a block that a reader may still see is never freed under
 * it. A reader that looks while the table grows may miss what is there: it then looks again under
 * the mutex, as it would have done before reading the file anyway.
 *
 * A pin counts the users of a block; the table is one of them while the block is findable. Eviction
 * takes blocks that nobody else uses and that were not asked for since the hand last passed. Blocks
 * in use are never waited for: the cache may then stand above its budget until they are let go.
 *
 * A block is one allocation: its head of two lines, of which a hit reads the first, then its bytes.
 * So the bytes can be fetched ahead while the head is still on its way.
 */
#include "lsm/cache_internal.h"

#include "env/env.h"

#include <stdatomic.h>
#include <stddef.h>

#define CACHE_SHARDS_MAX 16u
#define CACHE_SHARD_BYTES_MIN ((uint64_t)1 << 20)
#define CACHE_STRIPES 32u
#define CACHE_BUCKETS_MIN 64u
#define CACHE_CHAIN_MAX 64u /* a reader that walks further met a table being changed */
#define CACHE_LINE_BYTES 64u
#define CACHE_LIMBO_BYTES 16384u /* of a shard: more is tried to be freed */

struct st_block_pin {
    st_block_place place;
    _Atomic(st_block_pin *) chain; /* of the bucket */
    size_t bytes;
    st_cache *cache;
    _Atomic uint32_t users;
    _Atomic bool is_recent;
    bool was_findable; /* others may see it: it is freed through limbo */
    uint8_t rest_of_line[2];
    void *memory;                              /* of the whole block */
    st_block_pin *clock_next, *clock_previous; /* in limbo: next is the one retired after it */
    uint64_t retired;                          /* the epoch then */
};

#define CACHE_HEAD_BYTES (2 * CACHE_LINE_BYTES)
_Static_assert(sizeof(st_block_pin) <= CACHE_HEAD_BYTES, "the head of a block has two lines");
_Static_assert(offsetof(st_block_pin, was_findable) < CACHE_LINE_BYTES, "a hit reads one line");

typedef struct cache_table {
    struct cache_table *older; /* readers may still walk it: freed with the cache */
    size_t bucket_count;
    _Atomic(st_block_pin *) buckets[];
} cache_table;

typedef struct cache_shard {
    st_mutex mutex;
    _Atomic(cache_table *) table;
    size_t block_count;
    st_block_pin *hand; /* of a ring of all findable blocks */
    st_block_pin *limbo_first, *limbo_last;
    uint64_t bytes, limbo_bytes, hits, misses;
} cache_shard;

typedef struct cache_stripe {
    _Atomic uint32_t readers[2]; /* by parity of the epoch they entered at */
    _Atomic uint64_t hits;
    uint8_t padding[CACHE_LINE_BYTES - 16];
} cache_stripe;

struct st_cache {
    const st_alloc *alloc;
    uint64_t shard_budget;
    uint32_t shard_count;
    _Atomic uint64_t next_file, memory_bytes, epoch;
    cache_shard shards[CACHE_SHARDS_MAX];
    cache_stripe stripes[CACHE_STRIPES];
};

static uint64_t cache_hash(uint64_t file, uint64_t offset)
{
    uint64_t hash = (file * 0x9E3779B97F4A7C15u) ^ (offset * 0xC2B2AE3D27D4EB4Fu);
    return (hash ^ hash >> 29) * 0x165667B19E3779F9u;
}

static cache_shard *cache_shard_of(st_cache *cache, uint64_t hash)
{
    return &cache->shards[hash >> 60 & (cache->shard_count - 1)];
}

static _Atomic(st_block_pin *) *cache_bucket(cache_table *table, uint64_t hash)
{
    return &table->buckets[hash >> 20 & (table->bucket_count - 1)];
}

static size_t cache_cost(size_t bytes)
{
    return CACHE_HEAD_BYTES + CACHE_LINE_BYTES - 1 + bytes;
}

/* ---- life ------------------------------------------------------------------------------- */

st_status st_lsm__cache_create(st_op *op, const st_alloc *alloc, uint64_t budget_bytes,
                               st_cache **out_cache)
{
    *out_cache = NULL;
    st_cache *cache = st_alloc_new(alloc, sizeof *cache);
    if (!cache) {
        return st_fail_memory(op, sizeof *cache);
    }
    cache->alloc = alloc;
    cache->shard_count = CACHE_SHARDS_MAX;
    while (cache->shard_count > 1 && budget_bytes / cache->shard_count < CACHE_SHARD_BYTES_MIN) {
        cache->shard_count /= 2;
    }
    cache->shard_budget = budget_bytes / cache->shard_count;
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        st_mutex_init(&cache->shards[i].mutex);
    }
    *out_cache = cache;
    return ST_OK;
}

static void cache_free(st_block_pin *pin)
{
    st_cache *cache = pin->cache;
    size_t cost = cache_cost(pin->bytes);
    atomic_fetch_sub_explicit(&cache->memory_bytes, cost, memory_order_relaxed);
    st_alloc_free(cache->alloc, pin->memory, cost);
}

static void cache_free_shard(st_cache *cache, cache_shard *shard)
{
    for (size_t left = shard->block_count; left > 0; left--) {
        st_block_pin *pin = shard->hand;
        shard->hand = pin->clock_next;
        cache_free(pin);
    }
    while (shard->limbo_first) {
        st_block_pin *pin = shard->limbo_first;
        shard->limbo_first = pin->clock_next;
        cache_free(pin);
    }
    cache_table *table = atomic_load_explicit(&shard->table, memory_order_relaxed);
    while (table) {
        cache_table *older = table->older;
        size_t bytes = sizeof *table + table->bucket_count * sizeof table->buckets[0];
        st_alloc_free(cache->alloc, table, bytes);
        table = older;
    }
    st_mutex_deinit(&shard->mutex);
}

void st_lsm__cache_destroy(st_cache *cache)
{
    if (!cache) {
        return;
    }
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        cache_free_shard(cache, &cache->shards[i]);
    }
    st_alloc_free(cache->alloc, cache, sizeof *cache);
}

void st_lsm__cache_stats(st_cache *cache, uint64_t *out_bytes, uint64_t *out_hits,
                         uint64_t *out_misses)
{
    *out_bytes = atomic_load_explicit(&cache->memory_bytes, memory_order_relaxed);
    *out_hits = *out_misses = 0;
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        cache_shard *shard = &cache->shards[i];
        st_mutex_lock(&shard->mutex);
        *out_hits += shard->hits;
        *out_misses += shard->misses;
        st_mutex_unlock(&shard->mutex);
    }
    for (uint32_t i = 0; i < CACHE_STRIPES; i++) {
        *out_hits += atomic_load_explicit(&cache->stripes[i].hits, memory_order_relaxed);
    }
}

uint64_t st_lsm__cache_new_file(st_cache *cache)
{
    return atomic_fetch_add_explicit(&cache->next_file, 1, memory_order_relaxed) + 1;
}

/* ---- guards and epochs ------------------------------------------------------------------ */

/* The count goes up before the epoch is read again, and whoever advances the epoch reads the counts
 * after it: with all four sequentially consistent, either this reader sees the new epoch or its
 * count is seen. */
void st_lsm__cache_enter(st_cache *cache, st_cache_guard *out_guard)
{
    cache_stripe *stripe = &cache->stripes[st_env_thread_slot() % CACHE_STRIPES];
    for (;;) {
        uint64_t epoch = atomic_load(&cache->epoch);
        atomic_fetch_add(&stripe->readers[epoch & 1], 1);
        if (atomic_load(&cache->epoch) == epoch) {
            *out_guard = (st_cache_guard){cache, stripe, (uint32_t)(epoch & 1), 0};
            return;
        }
        atomic_fetch_sub(&stripe->readers[epoch & 1], 1);
    }
}

void st_lsm__cache_leave(st_cache_guard *guard)
{
    cache_stripe *stripe = guard->stripe;
    if (guard->hits > 0) {
        atomic_fetch_add_explicit(&stripe->hits, guard->hits, memory_order_relaxed);
        guard->hits = 0;
    }
    atomic_fetch_sub_explicit(&stripe->readers[guard->parity], 1, memory_order_release);
}

static void cache_advance(st_cache *cache)
{
    uint64_t epoch = atomic_load(&cache->epoch);
    for (uint32_t i = 0; i < CACHE_STRIPES; i++) {
        if (atomic_load(&cache->stripes[i].readers[(epoch + 1) & 1]) != 0) {
            return;
        }
    }
    atomic_compare_exchange_strong(&cache->epoch, &epoch, epoch + 1);
}

/* Keeps a block that is out of the table until nobody can see it. Under the mutex. The epoch is
 * read by an exchange, so that whoever advances it later has seen the block go. */
static void cache_retire(st_cache *cache, cache_shard *shard, st_block_pin *pin)
{
    pin->retired = atomic_fetch_add_explicit(&cache->epoch, 0, memory_order_acq_rel);
    pin->clock_next = NULL;
    if (shard->limbo_last) {
        shard->limbo_last->clock_next = pin;
    } else {
        shard->limbo_first = pin;
    }
    shard->limbo_last = pin;
    shard->limbo_bytes += cache_cost(pin->bytes);
    if (shard->limbo_bytes < CACHE_LIMBO_BYTES) {
        return;
    }
    cache_advance(cache);
    uint64_t epoch = atomic_load_explicit(&cache->epoch, memory_order_acquire);
    while (shard->limbo_first && shard->limbo_first->retired + 2 <= epoch) {
        st_block_pin *oldest = shard->limbo_first;
        shard->limbo_first = oldest->clock_next;
        shard->limbo_last = shard->limbo_first ? shard->limbo_last : NULL;
        shard->limbo_bytes -= cache_cost(oldest->bytes);
        cache_free(oldest);
    }
}

/* ---- finding ---------------------------------------------------------------------------- */

static st_block_pin *cache_find(cache_shard *shard, uint64_t file, uint64_t offset, uint64_t hash,
                                size_t steps)
{
    cache_table *table = atomic_load_explicit(&shard->table, memory_order_acquire);
    if (!table) {
        return NULL;
    }
    st_block_pin *pin = atomic_load_explicit(cache_bucket(table, hash), memory_order_acquire);
    __builtin_prefetch((const uint8_t *)pin + CACHE_HEAD_BYTES);
    __builtin_prefetch((const uint8_t *)pin + CACHE_HEAD_BYTES + CACHE_LINE_BYTES);
    while (pin && (pin->place.offset != offset || pin->place.file != file)) {
        pin = steps-- > 0 ? atomic_load_explicit(&pin->chain, memory_order_acquire) : NULL;
    }
    return pin;
}

static void cache_touch(st_block_pin *pin)
{
    if (!atomic_load_explicit(&pin->is_recent, memory_order_relaxed)) {
        atomic_store_explicit(&pin->is_recent, true, memory_order_relaxed);
    }
}

st_block_pin *st_lsm__cache_peek(st_cache_guard *guard, uint64_t file, uint64_t offset)
{
    uint64_t hash = cache_hash(file, offset);
    cache_shard *shard = cache_shard_of(guard->cache, hash);
    st_block_pin *pin = cache_find(shard, file, offset, hash, CACHE_CHAIN_MAX);
    if (pin) {
        cache_touch(pin);
        guard->hits++;
    }
    return pin;
}

bool st_lsm__block_retain(st_block_pin *block)
{
    uint32_t users = atomic_load_explicit(&block->users, memory_order_relaxed);
    while (users > 0) {
        if (atomic_compare_exchange_weak_explicit(&block->users, &users, users + 1,
                                                  memory_order_acquire, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

void st_lsm__cache_get(st_cache *cache, uint64_t file, uint64_t offset, st_block_pin **out_pin)
{
    st_cache_guard guard;
    st_lsm__cache_enter(cache, &guard);
    st_block_pin *pin = st_lsm__cache_peek(&guard, file, offset);
    bool is_retained = pin && st_lsm__block_retain(pin);
    st_lsm__cache_leave(&guard);
    if (!is_retained) {
        uint64_t hash = cache_hash(file, offset);
        cache_shard *shard = cache_shard_of(cache, hash);
        st_mutex_lock(&shard->mutex);
        pin = cache_find(shard, file, offset, hash, SIZE_MAX);
        is_retained = pin && st_lsm__block_retain(pin);
        *(is_retained ? &shard->hits : &shard->misses) += 1;
        st_mutex_unlock(&shard->mutex);
    }
    *out_pin = is_retained ? pin : NULL;
}

/* ---- filling ---------------------------------------------------------------------------- */

st_block_pin *st_lsm__cache_reserve(st_cache *cache, const st_block_place *place, size_t bytes)
{
    uint8_t *memory = st_alloc_resize(cache->alloc, NULL, 0, cache_cost(bytes));
    if (!memory) {
        return NULL;
    }
    atomic_fetch_add_explicit(&cache->memory_bytes, cache_cost(bytes), memory_order_relaxed);
    st_block_pin *pin =
        (st_block_pin *)(void *)(memory + (0 - (uintptr_t)memory) % CACHE_LINE_BYTES);
    *pin = (st_block_pin){.place = *place, .bytes = bytes, .cache = cache, .memory = memory};
    atomic_init(&pin->users, 1);
    return pin;
}

/* Takes a block out of table and ring, under the mutex. The table's own use is given up by the
 * caller. */
static void cache_unlink(cache_shard *shard, st_block_pin *pin)
{
    cache_table *table = atomic_load_explicit(&shard->table, memory_order_relaxed);
    uint64_t hash = cache_hash(pin->place.file, pin->place.offset);
    _Atomic(st_block_pin *) *at = cache_bucket(table, hash);
    st_block_pin *other;
    while ((other = atomic_load_explicit(at, memory_order_relaxed)) != pin) {
        at = &other->chain;
    }
    atomic_store_explicit(at, atomic_load_explicit(&pin->chain, memory_order_relaxed),
                          memory_order_release);
    if (pin->clock_next == pin) {
        shard->hand = NULL;
    } else {
        pin->clock_next->clock_previous = pin->clock_previous;
        pin->clock_previous->clock_next = pin->clock_next;
        shard->hand = shard->hand == pin ? pin->clock_next : shard->hand;
    }
    shard->block_count--;
    shard->bytes -= cache_cost(pin->bytes);
}

static void cache_evict(st_cache *cache, cache_shard *shard)
{
    size_t steps = 2 * shard->block_count + 2;
    while (shard->bytes > cache->shard_budget && shard->hand && steps-- > 0) {
        st_block_pin *pin = shard->hand;
        shard->hand = pin->clock_next;
        bool was_recent = atomic_exchange_explicit(&pin->is_recent, false, memory_order_relaxed);
        uint32_t users = 1;
        if (!was_recent &&
            atomic_compare_exchange_strong_explicit(&pin->users, &users, 0, memory_order_acq_rel,
                                                    memory_order_relaxed)) {
            cache_unlink(shard, pin);
            cache_retire(cache, shard, pin);
        }
    }
}

static void cache_link(cache_shard *shard, st_block_pin *pin, uint64_t hash)
{
    cache_table *table = atomic_load_explicit(&shard->table, memory_order_relaxed);
    _Atomic(st_block_pin *) *bucket = cache_bucket(table, hash);
    atomic_store_explicit(&pin->chain, atomic_load_explicit(bucket, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(bucket, pin, memory_order_release);
    if (shard->hand) {
        pin->clock_next = shard->hand;
        pin->clock_previous = shard->hand->clock_previous;
        pin->clock_previous->clock_next = pin;
        shard->hand->clock_previous = pin;
    } else {
        shard->hand = pin->clock_next = pin->clock_previous = pin;
    }
    shard->block_count++;
    shard->bytes += cache_cost(pin->bytes);
}

/* Doubles the table when it is full. Without memory for it the chains grow longer, nothing worse.
 */
static bool cache_make_room(st_cache *cache, cache_shard *shard)
{
    cache_table *old = atomic_load_explicit(&shard->table, memory_order_relaxed);
    if (old && shard->block_count < old->bucket_count) {
        return true;
    }
    size_t bucket_count = old ? 2 * old->bucket_count : CACHE_BUCKETS_MIN;
    cache_table *table =
        st_alloc_new(cache->alloc, sizeof *table + bucket_count * sizeof table->buckets[0]);
    if (!table) {
        return old != NULL;
    }
    table->older = old;
    table->bucket_count = bucket_count;
    st_block_pin *pin = shard->hand;
    for (size_t left = shard->block_count; left > 0; left--) {
        uint64_t hash = cache_hash(pin->place.file, pin->place.offset);
        _Atomic(st_block_pin *) *bucket = cache_bucket(table, hash);
        atomic_store_explicit(&pin->chain, atomic_load_explicit(bucket, memory_order_relaxed),
                              memory_order_release);
        atomic_store_explicit(bucket, pin, memory_order_relaxed);
        pin = pin->clock_next;
    }
    atomic_store_explicit(&shard->table, table, memory_order_release);
    return true;
}

void st_lsm__cache_insert(st_block_pin **pin)
{
    st_block_pin *added = *pin;
    st_cache *cache = added->cache;
    uint64_t hash = cache_hash(added->place.file, added->place.offset);
    cache_shard *shard = cache_shard_of(cache, hash);
    st_mutex_lock(&shard->mutex);
    st_block_pin *other = cache_find(shard, added->place.file, added->place.offset, hash, SIZE_MAX);
    if (other && st_lsm__block_retain(other)) {
        cache_free(added);
        *pin = other;
    } else if (cache_make_room(cache, shard)) {
        atomic_fetch_add_explicit(&added->users, 1, memory_order_relaxed);
        added->was_findable = true;
        cache_link(shard, added, hash);
        cache_evict(cache, shard);
    }
    st_mutex_unlock(&shard->mutex);
}

void st_lsm__cache_drop_file(st_cache *cache, uint64_t file)
{
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        cache_shard *shard = &cache->shards[i];
        st_mutex_lock(&shard->mutex);
        st_block_pin *pin = shard->hand;
        for (size_t left = shard->block_count; left > 0; left--) {
            st_block_pin *next = pin->clock_next;
            if (pin->place.file == file) {
                cache_unlink(shard, pin);
                if (atomic_fetch_sub_explicit(&pin->users, 1, memory_order_acq_rel) == 1) {
                    cache_retire(cache, shard, pin);
                }
            }
            pin = next;
        }
        st_mutex_unlock(&shard->mutex);
    }
}

/* ---- pins ------------------------------------------------------------------------------- */

uint8_t *st_lsm__pin_data(const st_block_pin *pin)
{
    return (uint8_t *)(uintptr_t)pin + CACHE_HEAD_BYTES;
}

size_t st_lsm__pin_bytes(const st_block_pin *pin)
{
    return pin->bytes;
}

const st_block_place *st_lsm__pin_place(const st_block_pin *pin)
{
    return &pin->place;
}

void st_lsm__block_unpin(st_block_pin *pin)
{
    if (!pin || atomic_fetch_sub_explicit(&pin->users, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (!pin->was_findable) {
        cache_free(pin);
        return;
    }
    st_cache *cache = pin->cache;
    cache_shard *shard = cache_shard_of(cache, cache_hash(pin->place.file, pin->place.offset));
    st_mutex_lock(&shard->mutex);
    cache_retire(cache, shard, pin);
    st_mutex_unlock(&shard->mutex);
}
