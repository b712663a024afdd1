/* Tokens: type (8 bits) · salt of this loaded copy (8) · generation (24) · slot (24). On 32-bit
 * machines 4 · 4 · 10 · 14.
 *
 * A slot has one word: type and generation of what it holds, how many calls are inside, whether one
 * of them is exclusive, whether it was freed. The object goes with the last call inside. Slots are
 * used again oldest first, and retired when their generations are used up, so that an old token
 * never names a new object.
 */
#include "ffi_internal.h"

#define FFI_CHUNK_SLOTS 1024u
#define FFI_REUSE_AFTER 4096u /* free slots that must wait in line before the first is used again \
                               */
#if UINTPTR_MAX > UINT32_MAX
#define FFI_SLOT_BITS 24
#define FFI_GENERATION_BITS 24
#define FFI_SALT_BITS 8
#else
#define FFI_SLOT_BITS 14
#define FFI_GENERATION_BITS 10
#define FFI_SALT_BITS 4
#endif
#define FFI_SLOTS_MAX ((uint32_t)1 << FFI_SLOT_BITS)
#define FFI_CHUNKS_MAX (FFI_SLOTS_MAX / FFI_CHUNK_SLOTS)
#define FFI_GENERATION_MAX (((uint32_t)1 << FFI_GENERATION_BITS) - 1)

/* Of a slot's word. */
#define FFI_USERS ((uint64_t)0xFFFFF)
#define FFI_BUSY ((uint64_t)1 << 20)
#define FFI_FREED ((uint64_t)1 << 21)
#define FFI_GENERATION_SHIFT 24
#define FFI_TYPE_SHIFT 56

typedef struct ffi_slot {
    _Atomic uint64_t word; /* 0: never used */
    void *object;
    void (*destroy)(void *object);
    uint32_t next_free;
} ffi_slot;

static _Atomic(ffi_slot *) ffi_chunks[FFI_CHUNKS_MAX];
static _Atomic bool ffi_slots_lock; /* spins: guards what follows */
static uint32_t ffi_slot_count, ffi_free_first, ffi_free_last, ffi_free_count;
static _Atomic uint32_t ffi_salt; /* 0: not chosen */

static void ffi_lock_slots(void)
{
    for (uint32_t round = 0; atomic_exchange_explicit(&ffi_slots_lock, true, memory_order_acquire);
         round++) {
        st_env_pause(round);
    }
}

static void ffi_unlock_slots(void)
{
    atomic_store_explicit(&ffi_slots_lock, false, memory_order_release);
}

const char *ffi_type_name(ffi_type type)
{
    static const char *const ffi_names[] = {"",
                                            "stator_db",
                                            "stator_schema",
                                            "stator_table",
                                            "stator_item",
                                            "stator_batch",
                                            "stator_query",
                                            "stator_scan",
                                            "stator_cursor",
                                            "stator_buffer"};
    return (unsigned)type < sizeof ffi_names / sizeof ffi_names[0] ? ffi_names[type] : "handle";
}

static uint32_t ffi_salt_of_this_copy(void)
{
    uint32_t salt = atomic_load_explicit(&ffi_salt, memory_order_relaxed);
    if (salt == 0) {
        uint8_t byte = 0;
        st_op op;
        st_op_init(&op, st_alloc_process());
        if (st_env_entropy(&op, st_env_posix(), &byte, 1) != ST_OK) {
            byte = (uint8_t)(uintptr_t)&op;
        }
        st_op_deinit(&op);
        uint32_t chosen = (byte & (((uint32_t)1 << FFI_SALT_BITS) - 1)) | 1u;
        uint32_t none = 0;
        (void)atomic_compare_exchange_strong(&ffi_salt, &none, chosen);
        salt = atomic_load_explicit(&ffi_salt, memory_order_relaxed);
    }
    return salt;
}

static ffi_slot *ffi_slot_at(uint32_t index)
{
    ffi_slot *chunk =
        atomic_load_explicit(&ffi_chunks[index / FFI_CHUNK_SLOTS], memory_order_acquire);
    return chunk ? &chunk[index % FFI_CHUNK_SLOTS] : NULL;
}

/* Lock held. A slot that was never used; UINT32_MAX when there is no memory for one. */
static uint32_t ffi_slot_extend(void)
{
    uint32_t index = ffi_slot_count;
    if (index >= FFI_SLOTS_MAX) {
        return UINT32_MAX;
    }
    if (index % FFI_CHUNK_SLOTS == 0) {
        ffi_slot *chunk = st_alloc_new(ffi_alloc(), FFI_CHUNK_SLOTS * sizeof *chunk);
        if (!chunk) {
            return UINT32_MAX;
        }
        atomic_store_explicit(&ffi_chunks[index / FFI_CHUNK_SLOTS], chunk, memory_order_release);
    }
    ffi_slot_count++;
    return index;
}

static uint32_t ffi_slot_take(void)
{
    ffi_lock_slots();
    uint32_t index = ffi_free_count > FFI_REUSE_AFTER ? UINT32_MAX : ffi_slot_extend();
    if (index == UINT32_MAX && ffi_free_count > 0) {
        index = ffi_free_first;
        ffi_free_first = ffi_slot_at(index)->next_free;
        ffi_free_count--;
    }
    ffi_unlock_slots();
    return index;
}

static void ffi_slot_give_back(uint32_t index)
{
    ffi_lock_slots();
    ffi_slot_at(index)->next_free = 0;
    if (ffi_free_count > 0) {
        ffi_slot_at(ffi_free_last)->next_free = index;
    } else {
        ffi_free_first = index;
    }
    ffi_free_last = index;
    ffi_free_count++;
    ffi_unlock_slots();
}

void *ffi_handle_new(ffi_type type, void *object, void (*destroy)(void *object))
{
    uint32_t salt = ffi_salt_of_this_copy();
    uint32_t index = ffi_slot_take();
    if (index == UINT32_MAX) {
        return NULL;
    }
    ffi_slot *slot = ffi_slot_at(index);
    uint64_t before = atomic_load_explicit(&slot->word, memory_order_relaxed);
    uint64_t generation = (before >> FFI_GENERATION_SHIFT & FFI_GENERATION_MAX) + 1;
    slot->object = object;
    slot->destroy = destroy;
    uint64_t word = (uint64_t)type << FFI_TYPE_SHIFT | generation << FFI_GENERATION_SHIFT;
    atomic_store_explicit(&slot->word, word, memory_order_release);
    uintptr_t token = (uintptr_t)type << (FFI_SALT_BITS + FFI_GENERATION_BITS + FFI_SLOT_BITS) |
                      (uintptr_t)salt << (FFI_GENERATION_BITS + FFI_SLOT_BITS) |
                      (uintptr_t)generation << FFI_SLOT_BITS | index;
    return (void *)token;
}

/* The slot of a token, when its outside fits; what it holds now is for the caller to compare. */
static ffi_slot *ffi_slot_of(const void *token, ffi_type type, uint64_t *out_generation,
                             uint32_t *out_index)
{
    uintptr_t value = (uintptr_t)token;
    uint32_t index = (uint32_t)(value & (FFI_SLOTS_MAX - 1));
    *out_generation = value >> FFI_SLOT_BITS & FFI_GENERATION_MAX;
    *out_index = index;
    uintptr_t salt =
        value >> (FFI_GENERATION_BITS + FFI_SLOT_BITS) & (((uintptr_t)1 << FFI_SALT_BITS) - 1);
    uintptr_t kind = value >> (FFI_SALT_BITS + FFI_GENERATION_BITS + FFI_SLOT_BITS);
    if (kind != (uintptr_t)type || salt != atomic_load_explicit(&ffi_salt, memory_order_relaxed) ||
        salt == 0) {
        return NULL;
    }
    return ffi_slot_at(index);
}

/* OK when the word holds what the token names; CLOSED when it did once; MISUSE when it never did.
 */
static stator_status ffi_compare(uint64_t word, ffi_type type, uint64_t generation)
{
    uint64_t now = word >> FFI_GENERATION_SHIFT & FFI_GENERATION_MAX;
    if (generation == 0 || now < generation) {
        return STATOR_MISUSE;
    }
    bool is_it =
        now == generation && word >> FFI_TYPE_SHIFT == (uint64_t)type && !(word & FFI_FREED);
    return is_it ? STATOR_OK : STATOR_CLOSED;
}

stator_status ffi_handle_enter(const void *token, ffi_type type, bool is_exclusive,
                               void **out_object)
{
    uint64_t generation;
    uint32_t index;
    *out_object = NULL;
    ffi_slot *slot = ffi_slot_of(token, type, &generation, &index);
    if (!slot) {
        return STATOR_MISUSE;
    }
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
    for (;;) {
        stator_status status = ffi_compare(word, type, generation);
        if (status != STATOR_OK) {
            return status;
        }
        if (is_exclusive && (word & FFI_BUSY)) {
            return STATOR_BUSY;
        }
        uint64_t inside = (word + 1) | (is_exclusive ? FFI_BUSY : 0);
        if (atomic_compare_exchange_weak_explicit(&slot->word, &word, inside, memory_order_acquire,
                                                  memory_order_acquire)) {
            *out_object = slot->object;
            return STATOR_OK;
        }
    }
}

static void ffi_slot_end(ffi_slot *slot, uint32_t index)
{
    void *object = slot->object;
    void (*destroy)(void *object) = slot->destroy;
    slot->object = NULL;
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);
    bool is_used_up = (word >> FFI_GENERATION_SHIFT & FFI_GENERATION_MAX) == FFI_GENERATION_MAX;
    if (!is_used_up) {
        ffi_slot_give_back(index);
    }
    destroy(object);
}

void ffi_handle_leave(const void *token, bool is_exclusive)
{
    uint32_t index = (uint32_t)((uintptr_t)token & (FFI_SLOTS_MAX - 1));
    ffi_slot *slot = ffi_slot_at(index);
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);
    uint64_t outside;
    do {
        outside = (word - 1) & ~(is_exclusive ? FFI_BUSY : 0);
    } while (!atomic_compare_exchange_weak_explicit(&slot->word, &word, outside,
                                                    memory_order_acq_rel, memory_order_relaxed));
    if ((outside & FFI_FREED) && (outside & FFI_USERS) == 0) {
        ffi_slot_end(slot, index);
    }
}

stator_status ffi_handle_free(const void *token, ffi_type type)
{
    uint64_t generation;
    uint32_t index;
    ffi_slot *slot = ffi_slot_of(token, type, &generation, &index);
    if (!slot) {
        return STATOR_MISUSE;
    }
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
    do {
        stator_status status = ffi_compare(word, type, generation);
        if (status != STATOR_OK) {
            return status;
        }
    } while (!atomic_compare_exchange_weak_explicit(&slot->word, &word, word | FFI_FREED,
                                                    memory_order_acq_rel, memory_order_acquire));
    if ((word & FFI_USERS) == 0) {
        ffi_slot_end(slot, index);
    }
    return STATOR_OK;
}
