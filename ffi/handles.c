/* Slots of handles.
 *
 * The word of a slot holds type, generation, and whether a call is inside (BUSY) or the handle was
 * freed (FREED). What else a slot holds is written before its word names a new generation, and read
 * between two looks at the word: when both see the same generation, what was read belongs to it.
 *
 * Exclusive handles set BUSY with one exchange, which keeps the object. Tables and buffers are
 * values inside the slot and need no keeping; what a table names, its database keeps.
 *
 * Slots lie in chunks that are never given back. Each belongs to one of several pools, each with a
 * queue of its own, so that threads that make and free handles seldom meet. A slot is used again
 * after all that were freed before it in its pool, and never once its generations are used up.
 *
 * A process has one salt. A forked child notices by its stamp that it is another process, takes a
 * new salt and begins with no slots; tokens that carry a salt of its ancestors are theirs.
 */
#include "handles_internal.h"

#include <assert.h>

#include "ffi_internal.h"

#define FFI_CHUNK_SLOTS 256u
#define FFI_POOLS 16u
#define FFI_REUSE_AFTER 256u /* free slots that stand in line before the first is used again */
#if UINTPTR_MAX > UINT32_MAX
#define FFI_SLOT_BITS 24
#define FFI_GENERATION_BITS 24
#define FFI_SALT_BITS 8
#define FFI_TYPE_BITS 8
#else
#define FFI_SLOT_BITS 14
#define FFI_GENERATION_BITS 10
#define FFI_SALT_BITS 4
#define FFI_TYPE_BITS 4
#endif
#define FFI_SLOTS_MAX ((uint32_t)1 << FFI_SLOT_BITS)
#define FFI_CHUNKS_MAX (FFI_SLOTS_MAX / FFI_CHUNK_SLOTS)
#define FFI_GENERATION_MAX (((uint32_t)1 << FFI_GENERATION_BITS) - 1)
#define FFI_SALTS ((uint32_t)1 << FFI_SALT_BITS)
#define FFI_SALT_SHIFT (FFI_GENERATION_BITS + FFI_SLOT_BITS)
#define FFI_TOKEN_TYPE_SHIFT (FFI_SALT_BITS + FFI_SALT_SHIFT)
#define FFI_NO_SLOT UINT32_MAX

/* Of a slot's word. */
#define FFI_BUSY ((uint64_t)1)
#define FFI_FREED ((uint64_t)2)
#define FFI_GENERATION_SHIFT 8
#define FFI_TYPE_SHIFT 56

static_assert(FFI_TYPE_BITS + FFI_SALT_BITS + FFI_GENERATION_BITS + FFI_SLOT_BITS ==
                  8 * sizeof(uintptr_t),
              "a token fills a pointer");

struct ffi_slot {
    _Alignas(64) _Atomic uint64_t word; /* 0: never used */
    _Atomic(void *) object;
    _Atomic(ffi_db *) db;
    _Atomic uintptr_t db_token;
    _Atomic uint64_t number;
    void (*destroy)(void *object);
    uint32_t next;  /* in the queue of its pool; guarded by the pool's lock */
    uint32_t index; /* constant, as is pool */
    uint16_t pool;
    _Atomic bool is_kept;
};

typedef struct ffi_pool {
    _Alignas(64) _Atomic bool is_locked;
    uint32_t first, last, count; /* free slots, oldest first */
    uint32_t fresh, fresh_end;   /* slots that were never used */
} ffi_pool;

static _Atomic(ffi_slot *) ffi_chunks[FFI_CHUNKS_MAX];
static _Atomic uint32_t ffi_chunk_count;
static ffi_pool ffi_pools[FFI_POOLS];

static _Atomic uint64_t ffi_process;      /* stamp of the process that all this belongs to */
static _Atomic uint64_t ffi_process_lock; /* stamp of the process that holds it; 0: nobody */
static _Atomic uint32_t ffi_salt;         /* 0: none left */
static _Atomic bool ffi_salts_of_ancestors[FFI_SALTS];

static ffi_db *ffi_spare_dbs; /* guarded by ffi_spare_lock */
static _Atomic bool ffi_spare_lock;

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

/* ---- the process ---------------------------------------------------------------------------- */

static void ffi_spin_lock(_Atomic bool *lock)
{
    for (uint32_t round = 0; atomic_exchange_explicit(lock, true, memory_order_acquire); round++) {
        st_env_pause(round);
    }
}

static void ffi_spin_unlock(_Atomic bool *lock)
{
    atomic_store_explicit(lock, false, memory_order_release);
}

/* A salt that neither this process nor an ancestor had; 0 when there is none. */
static uint32_t ffi_choose_salt(void)
{
    uint8_t byte = 0;
    st_op op;
    st_op_init(&op, st_alloc_process());
    if (st_env_entropy(&op, st_env_posix(), &byte, 1) != ST_OK) {
        byte = (uint8_t)((uintptr_t)&op >> 4);
    }
    st_op_deinit(&op);
    for (uint32_t i = 0; i < FFI_SALTS; i++) {
        uint32_t salt = (byte + i) % FFI_SALTS;
        if (salt != 0 &&
            !atomic_load_explicit(&ffi_salts_of_ancestors[salt], memory_order_relaxed)) {
            return salt;
        }
    }
    return 0;
}

/* The first call of a process. The lock may be one that the parent held when it forked: it names
 * its holder, and a holder from another process has gone. What that one left half done is thrown
 * away here anyway. */
static void ffi_process_begin(uint64_t stamp)
{
    uint64_t holder = 0;
    for (uint32_t round = 0; !atomic_compare_exchange_strong_explicit(
             &ffi_process_lock, &holder, stamp, memory_order_acquire, memory_order_relaxed);
         round++) {
        if (holder == stamp) {
            holder = 0;
            st_env_pause(round);
        }
    }
    if (atomic_load_explicit(&ffi_process, memory_order_relaxed) != stamp) {
        uint32_t old = atomic_load_explicit(&ffi_salt, memory_order_relaxed);
        atomic_store_explicit(&ffi_salts_of_ancestors[old], old != 0, memory_order_relaxed);
        uint32_t chunks = atomic_load_explicit(&ffi_chunk_count, memory_order_relaxed);
        for (uint32_t i = 0; i < chunks; i++) {
            atomic_store_explicit(&ffi_chunks[i], NULL, memory_order_relaxed);
        }
        atomic_store_explicit(&ffi_chunk_count, 0, memory_order_relaxed);
        for (uint32_t i = 0; i < FFI_POOLS; i++) {
            ffi_pool *pool = &ffi_pools[i];
            pool->first = pool->last = pool->count = pool->fresh = pool->fresh_end = 0;
            ffi_spin_unlock(&pool->is_locked);
        }
        ffi_spare_dbs = NULL;
        ffi_spin_unlock(&ffi_spare_lock);
        atomic_store_explicit(&ffi_salt, ffi_choose_salt(), memory_order_relaxed);
        atomic_store_explicit(&ffi_process, stamp, memory_order_release);
    }
    atomic_store_explicit(&ffi_process_lock, 0, memory_order_release);
}

static void ffi_process_check(void)
{
    uint64_t stamp = st_env_process_stamp();
    if (atomic_load_explicit(&ffi_process, memory_order_acquire) != stamp) {
        ffi_process_begin(stamp);
    }
}

static void *ffi_align(uint8_t *memory)
{
    return memory + (64 - (uintptr_t)memory % 64) % 64;
}

/* ---- slots ---------------------------------------------------------------------------------- */

static ffi_slot *ffi_slot_at(uint32_t index)
{
    ffi_slot *chunk =
        atomic_load_explicit(&ffi_chunks[index / FFI_CHUNK_SLOTS], memory_order_acquire);
    return chunk ? &chunk[index % FFI_CHUNK_SLOTS] : NULL;
}

/* A number for one more chunk; FFI_CHUNKS_MAX when there is none. */
static uint32_t ffi_chunk_number(void)
{
    uint32_t number = atomic_load_explicit(&ffi_chunk_count, memory_order_relaxed);
    while (number < FFI_CHUNKS_MAX &&
           !atomic_compare_exchange_weak_explicit(&ffi_chunk_count, &number, number + 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
    return number;
}

/* Gives the pool fresh slots; false when there is no memory or no number for them. Allocates
 * without a lock, for which it may find that another thread was faster. */
static bool ffi_pool_extend(ffi_pool *pool)
{
    size_t bytes = FFI_CHUNK_SLOTS * sizeof(ffi_slot) + 64;
    uint8_t *memory = st_alloc_new(ffi_alloc(), bytes);
    if (!memory) {
        return false;
    }
    ffi_slot *chunk = ffi_align(memory);
    uint32_t number = FFI_CHUNKS_MAX;
    ffi_spin_lock(&pool->is_locked);
    if (pool->fresh == pool->fresh_end) {
        number = ffi_chunk_number();
    }
    if (number < FFI_CHUNKS_MAX) {
        for (uint32_t i = 0; i < FFI_CHUNK_SLOTS; i++) {
            chunk[i].pool = (uint16_t)(pool - ffi_pools);
            chunk[i].index = number * FFI_CHUNK_SLOTS + i;
        }
        atomic_store_explicit(&ffi_chunks[number], chunk, memory_order_release);
        pool->fresh = number * FFI_CHUNK_SLOTS;
        pool->fresh_end = pool->fresh + FFI_CHUNK_SLOTS;
    }
    bool has_fresh = pool->fresh < pool->fresh_end;
    ffi_spin_unlock(&pool->is_locked);
    if (number >= FFI_CHUNKS_MAX) {
        st_alloc_free(ffi_alloc(), memory, bytes);
    }
    return has_fresh;
}

/* is_last_resort: the oldest free slot even if few stand in line. */
static uint32_t ffi_pool_take(ffi_pool *pool, bool is_last_resort)
{
    uint32_t index = FFI_NO_SLOT;
    ffi_spin_lock(&pool->is_locked);
    if (pool->count > (is_last_resort ? 0 : FFI_REUSE_AFTER)) {
        index = pool->first;
        pool->first = ffi_slot_at(index)->next;
        pool->count--;
    } else if (pool->fresh < pool->fresh_end) {
        index = pool->fresh++;
    }
    ffi_spin_unlock(&pool->is_locked);
    return index;
}

static uint32_t ffi_slot_take(void)
{
    uint32_t own = st_env_thread_slot();
    ffi_pool *pool = &ffi_pools[own % FFI_POOLS];
    uint32_t index = ffi_pool_take(pool, false);
    if (index == FFI_NO_SLOT && ffi_pool_extend(pool)) {
        index = ffi_pool_take(pool, false);
    }
    for (uint32_t i = 0; index == FFI_NO_SLOT && i < FFI_POOLS; i++) {
        index = ffi_pool_take(&ffi_pools[(own + i) % FFI_POOLS], true);
    }
    return index;
}

static void ffi_slot_give_back(ffi_slot *slot)
{
    ffi_pool *pool = &ffi_pools[slot->pool];
    ffi_spin_lock(&pool->is_locked);
    if (pool->count > 0) {
        ffi_slot_at(pool->last)->next = slot->index;
    } else {
        pool->first = slot->index;
    }
    pool->last = slot->index;
    pool->count++;
    ffi_spin_unlock(&pool->is_locked);
}

/* The one who set FREED, or left last after that. */
static void ffi_slot_end(ffi_slot *slot, uint64_t word)
{
    void *object = atomic_load_explicit(&slot->object, memory_order_relaxed);
    void (*destroy)(void *object) = slot->destroy;
    if ((word >> FFI_GENERATION_SHIFT & FFI_GENERATION_MAX) < FFI_GENERATION_MAX) {
        ffi_slot_give_back(slot);
    }
    if (destroy) {
        destroy(object);
    }
}

/* ---- tokens --------------------------------------------------------------------------------- */

static uintptr_t ffi_token_of(ffi_type type, uint64_t generation, uint32_t index)
{
    uintptr_t salt = atomic_load_explicit(&ffi_salt, memory_order_relaxed);
    return (uintptr_t)type << FFI_TOKEN_TYPE_SHIFT | salt << FFI_SALT_SHIFT |
           (uintptr_t)generation << FFI_SLOT_BITS | index;
}

static uint32_t ffi_token_index(uintptr_t token)
{
    return (uint32_t)(token & (FFI_SLOTS_MAX - 1));
}

/* Releases every field after the word that said FREED, so that who sees a new field sees that the
 * old handle has gone. db: of a database that is not open to anyone yet. */
static uintptr_t ffi_slot_fill(uint32_t index, const ffi_subject *subject, ffi_db *db)
{
    ffi_slot *slot = ffi_slot_at(index);
    uint64_t before = atomic_load_explicit(&slot->word, memory_order_relaxed);
    uint64_t generation = (before >> FFI_GENERATION_SHIFT & FFI_GENERATION_MAX) + 1;
    uintptr_t token = ffi_token_of(subject->type, generation, index);
    const ffi_hold *hold = subject->db_hold;
    atomic_store_explicit(&slot->object, subject->object, memory_order_release);
    atomic_store_explicit(&slot->db, hold ? hold->db : db, memory_order_release);
    atomic_store_explicit(&slot->db_token, hold ? hold->db_token : token, memory_order_release);
    atomic_store_explicit(&slot->number, subject->number, memory_order_release);
    atomic_store_explicit(&slot->is_kept, subject->is_kept, memory_order_release);
    slot->destroy = subject->destroy;
    if (db) {
        atomic_store_explicit(&db->token, token, memory_order_seq_cst);
    }
    atomic_store_explicit(
        &slot->word, (uint64_t)subject->type << FFI_TYPE_SHIFT | generation << FFI_GENERATION_SHIFT,
        memory_order_release);
    return token;
}

static uint32_t ffi_handle_slot(void)
{
    ffi_process_check();
    return atomic_load_explicit(&ffi_salt, memory_order_relaxed) ? ffi_slot_take() : FFI_NO_SLOT;
}

void *ffi_handle_new(const ffi_subject *subject)
{
    uint32_t index = ffi_handle_slot();
    return index == FFI_NO_SLOT ? NULL : (void *)ffi_slot_fill(index, subject, NULL);
}

/* OK when the word holds what the token names; CLOSED when it did once; MISUSE when it never did.
 */
static stator_status ffi_compare(uint64_t word, uintptr_t token, ffi_type type)
{
    uint64_t wanted = token >> FFI_SLOT_BITS & FFI_GENERATION_MAX;
    uint64_t now = word >> FFI_GENERATION_SHIFT & FFI_GENERATION_MAX;
    if (wanted == now && wanted != 0 && word >> FFI_TYPE_SHIFT == (uint64_t)type) {
        return word & FFI_FREED ? STATOR_CLOSED : STATOR_OK;
    }
    return wanted == 0 || wanted >= now ? STATOR_MISUSE : STATOR_CLOSED;
}

/* The slot of a token whose outside fits this type and this process, and the slot's word. */
static stator_status ffi_find(const void *handle, ffi_type type, ffi_slot **out_slot,
                              uint64_t *out_word)
{
    uintptr_t token = (uintptr_t)handle;
    if (token >> FFI_TOKEN_TYPE_SHIFT != (uintptr_t)type) {
        return STATOR_MISUSE;
    }
    ffi_process_check();
    uint32_t salt = (uint32_t)(token >> FFI_SALT_SHIFT & (FFI_SALTS - 1));
    if (salt != atomic_load_explicit(&ffi_salt, memory_order_relaxed) || salt == 0) {
        return atomic_load_explicit(&ffi_salts_of_ancestors[salt], memory_order_relaxed)
                   ? STATOR_FORKED
                   : STATOR_MISUSE;
    }
    *out_slot = ffi_slot_at(ffi_token_index(token));
    if (!*out_slot) {
        return STATOR_MISUSE;
    }
    *out_word = atomic_load_explicit(&(*out_slot)->word, memory_order_acquire);
    return ffi_compare(*out_word, token, type);
}

/* True while the slot still holds the generation of word: what was read in between belongs to it.
 */
static bool ffi_still(const ffi_slot *slot, uint64_t word)
{
    return ((atomic_load_explicit(&slot->word, memory_order_acquire) ^ word) & ~FFI_BUSY) == 0;
}

stator_status ffi_peek(const void *token, ffi_type type, void **out_object, uint64_t *out_number)
{
    ffi_slot *slot;
    uint64_t word;
    stator_status status = ffi_find(token, type, &slot, &word);
    if (status == STATOR_OK) {
        *out_object = atomic_load_explicit(&slot->object, memory_order_acquire);
        *out_number = atomic_load_explicit(&slot->number, memory_order_acquire);
        status = ffi_still(slot, word) ? STATOR_OK : STATOR_CLOSED;
    }
    return status;
}

/* ---- entering and leaving ------------------------------------------------------------------- */

bool ffi_db_enter_again(ffi_db *db, uintptr_t db_token, ffi_hold *out_hold)
{
    *out_hold = (ffi_hold){.db = db, .db_token = db_token};
    out_hold->stripe = &db->inside[st_env_thread_slot() % FFI_STRIPES].count;
    atomic_fetch_add_explicit(out_hold->stripe, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&db->token, memory_order_seq_cst) == db_token) {
        return true;
    }
    ffi_leave(out_hold);
    return false;
}

/* Takes an exclusive handle; word is what was last seen of it. */
static stator_status ffi_take(ffi_slot *slot, uint64_t word, uintptr_t token, ffi_type type)
{
    while (!(word & FFI_BUSY)) {
        if (atomic_compare_exchange_weak_explicit(&slot->word, &word, word | FFI_BUSY,
                                                  memory_order_acquire, memory_order_acquire)) {
            return STATOR_OK;
        }
        stator_status status = ffi_compare(word, token, type);
        if (status != STATOR_OK) {
            return status;
        }
    }
    return STATOR_BUSY;
}

static bool ffi_is_exclusive(ffi_type type)
{
    return type != FFI_DB && type != FFI_TABLE && type != FFI_BUFFER;
}

stator_status ffi_enter(const void *token, ffi_type type, stator_error *error, ffi_hold *out_hold)
{
    ffi_slot *slot;
    uint64_t word;
    *out_hold = (ffi_hold){.object = NULL};
    stator_status status = ffi_find(token, type, &slot, &word);
    bool is_exclusive = ffi_is_exclusive(type);
    if (status == STATOR_OK && is_exclusive) {
        status = ffi_take(slot, word, (uintptr_t)token, type);
    }
    if (status != STATOR_OK) {
        return ffi_refuse_handle(error, status, type);
    }
    ffi_hold hold = {.object = atomic_load_explicit(&slot->object, memory_order_acquire),
                     .number = atomic_load_explicit(&slot->number, memory_order_acquire)};
    ffi_db *db = atomic_load_explicit(&slot->db, memory_order_acquire);
    uintptr_t db_token = atomic_load_explicit(&slot->db_token, memory_order_acquire);
    if (!is_exclusive && !ffi_still(slot, word)) {
        return ffi_refuse_handle(error, STATOR_CLOSED, type);
    }
    bool is_open = !db || ffi_db_enter_again(db, db_token, out_hold);
    out_hold->object = hold.object;
    out_hold->number = hold.number;
    out_hold->slot = is_exclusive ? slot : NULL;
    if (!is_open) {
        out_hold->db = NULL;
        ffi_leave(out_hold);
        return ffi_refuse_handle(error, STATOR_CLOSED, FFI_DB);
    }
    return STATOR_OK;
}

void ffi_leave(ffi_hold *hold)
{
    ffi_db *db = hold->db;
    if (db) {
        atomic_fetch_sub_explicit(hold->stripe, 1, memory_order_seq_cst);
        if (atomic_load_explicit(&db->token, memory_order_seq_cst) != hold->db_token) {
            st_mutex_lock(&db->mutex);
            st_cond_broadcast(&db->left);
            st_mutex_unlock(&db->mutex);
        }
    }
    if (hold->slot) {
        uint64_t word =
            atomic_fetch_and_explicit(&hold->slot->word, ~FFI_BUSY, memory_order_acq_rel);
        if (word & FFI_FREED) {
            ffi_slot_end(hold->slot, word);
        }
    }
    *hold = (ffi_hold){.object = NULL};
}

static stator_status ffi_free(const void *token, ffi_type type, bool is_keeper)
{
    ffi_slot *slot;
    uint64_t word;
    stator_status status = ffi_find(token, type, &slot, &word);
    if (status != STATOR_OK) {
        return status;
    }
    if (!is_keeper && atomic_load_explicit(&slot->is_kept, memory_order_acquire)) {
        return ffi_still(slot, word) ? STATOR_OK : STATOR_CLOSED;
    }
    while (!atomic_compare_exchange_weak_explicit(&slot->word, &word, word | FFI_FREED,
                                                  memory_order_acq_rel, memory_order_acquire)) {
        status = ffi_compare(word, (uintptr_t)token, type);
        if (status != STATOR_OK) {
            return status;
        }
    }
    if (!(word & FFI_BUSY)) {
        ffi_slot_end(slot, word);
    }
    return STATOR_OK;
}

stator_status ffi_handle_free(const void *token, ffi_type type)
{
    return ffi_free(token, type, false);
}

void ffi_handle_free_kept(const void *token, ffi_type type)
{
    (void)ffi_free(token, type, true);
}

/* ---- databases ------------------------------------------------------------------------------ */

static ffi_db *ffi_db_take_spare(void)
{
    ffi_spin_lock(&ffi_spare_lock);
    ffi_db *db = ffi_spare_dbs;
    if (db) {
        ffi_spare_dbs = db->next_spare;
    }
    ffi_spin_unlock(&ffi_spare_lock);
    if (!db) {
        uint8_t *memory = st_alloc_new(ffi_alloc(), sizeof *db + 64);
        db = memory ? ffi_align(memory) : NULL;
        if (db) {
            st_mutex_init(&db->mutex);
            st_cond_init(&db->left);
        }
    }
    return db;
}

static void ffi_db_spare(ffi_db *db)
{
    db->database = NULL;
    ffi_spin_lock(&ffi_spare_lock);
    db->next_spare = ffi_spare_dbs;
    ffi_spare_dbs = db;
    ffi_spin_unlock(&ffi_spare_lock);
}

void *ffi_db_new(st_database *database)
{
    uint32_t index = ffi_handle_slot();
    ffi_db *db = index == FFI_NO_SLOT ? NULL : ffi_db_take_spare();
    if (!db) {
        if (index != FFI_NO_SLOT) {
            ffi_slot_give_back(ffi_slot_at(index));
        }
        return NULL;
    }
    db->database = database;
    db->cursors = NULL;
    ffi_subject subject = {.type = FFI_DB};
    return (void *)ffi_slot_fill(index, &subject, db);
}

stator_status ffi_db_shut(const void *token, stator_error *error, ffi_db **out_db)
{
    ffi_slot *slot;
    uint64_t word;
    stator_status status = ffi_find(token, FFI_DB, &slot, &word);
    if (status != STATOR_OK) {
        return ffi_refuse_handle(error, status, FFI_DB);
    }
    ffi_db *db = atomic_load_explicit(&slot->db, memory_order_acquire);
    uintptr_t open = (uintptr_t)token;
    if (!ffi_still(slot, word) || !atomic_compare_exchange_strong(&db->token, &open, 0)) {
        return ffi_refuse_handle(error, STATOR_CLOSED, FFI_DB);
    }
    st_mutex_lock(&db->mutex);
    for (uint32_t i = 0; i < FFI_STRIPES; i++) {
        while (atomic_load_explicit(&db->inside[i].count, memory_order_seq_cst) > 0) {
            st_cond_wait(&db->left, &db->mutex);
        }
    }
    st_mutex_unlock(&db->mutex);
    *out_db = db;
    return STATOR_OK;
}

void ffi_db_end(const void *token, ffi_db *db)
{
    (void)ffi_handle_free(token, FFI_DB);
    ffi_db_spare(db);
}
