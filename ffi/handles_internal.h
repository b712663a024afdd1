/* Handles: tokens for objects, and the gates through which calls enter databases.
 *
 * A token is type (8 bits) · salt of this process (8) · generation (24) · slot (24); on 32-bit
 * machines 4 · 4 · 10 · 14. It is never dereferenced: the slot it names says what it is.
 *
 * Guarantees
 * 1. A closed, freed, forged or foreign token is told from a living one without reading memory that
 *    may have been freed. A token never comes to name another object.
 * 2. An object is destroyed once: when its handle is freed, or by the call that was inside then.
 * 3. A database stays open while a call is inside its gate. Entering writes one word of the calling
 *    thread's stripe, and nothing that all threads share.
 * 4. A forked child has handles of its own; those of its parent are FORKED there, and untouched.
 */
#ifndef STATOR_HANDLES_INTERNAL_H
#define STATOR_HANDLES_INTERNAL_H

#include <stdatomic.h>

#include "include/stator.h"
#include "table/table.h"

/* Types of handles; 0 and the highest number of their bits are never used. */
typedef enum ffi_type {
    FFI_DB = 1,
    FFI_SCHEMA = 2,
    FFI_TABLE = 3,
    FFI_ITEM = 4,
    FFI_BATCH = 5,
    FFI_QUERY = 6,
    FFI_SCAN = 7,
    FFI_CURSOR = 8,
    FFI_BUFFER = 9,
} ffi_type;

const char *ffi_type_name(ffi_type type);

#define FFI_STRIPES 16u

typedef struct ffi_cursor ffi_cursor;
typedef struct ffi_slot ffi_slot;

/* The gate of one opening of a database. Its memory is never given back, only used again, so that
 * whoever comes with an old token may look at it. */
typedef struct ffi_db ffi_db;
struct ffi_db {
    struct {
        _Alignas(64) _Atomic uint32_t count;
    } inside[FFI_STRIPES];   /* calls, by thread */
    _Atomic uintptr_t token; /* whom it lets in; 0 once closing */
    st_database *database;   /* constant while token is set */
    st_mutex mutex;          /* for waiting, and the list of cursors */
    st_cond left;            /* a call left while closing */
    ffi_cursor *cursors;     /* guarded by mutex */
    ffi_db *next_spare;      /* guarded by the lock of spares */
};

/* What one call holds of one handle, from ffi_enter to ffi_leave. */
typedef struct ffi_hold {
    void *object;    /* NULL for databases and tables */
    ffi_db *db;      /* open until ffi_leave; NULL for what belongs to none */
    uint64_t number; /* as given to ffi_handle_new */
    ffi_slot *slot;  /* of an exclusive handle */
    uintptr_t db_token;
    _Atomic uint32_t *stripe;
} ffi_hold;

/* What a handle stands for. object is destroyed with it; number is the id of a table, the size of
 * a buffer. db_hold: a call inside the database that the new handle belongs to, or NULL. */
typedef struct ffi_subject {
    ffi_type type;
    void *object;
    void (*destroy)(void *object);
    uint64_t number;
    const ffi_hold *db_hold;
    bool is_kept; /* stator_item_free leaves it alone: it is freed by ffi_handle_free_kept */
} ffi_subject;

/* A new token; NULL when there is no memory or no token left, and nothing is taken over then. */
void *ffi_handle_new(const ffi_subject *subject);

/* MISUSE, CLOSED, FORKED, or BUSY when another call is inside an exclusive handle (all but
 * databases, tables and buffers). Fills error. */
stator_status ffi_enter(const void *token, ffi_type type, stator_error *error, ffi_hold *out_hold);
void ffi_leave(ffi_hold *hold);
/* Buffers are never held: their object and number are read. */
stator_status ffi_peek(const void *token, ffi_type type, void **out_object, uint64_t *out_number);

stator_status ffi_handle_free(const void *token, ffi_type type);
void ffi_handle_free_kept(const void *token, ffi_type type);

/* ---- databases ------------------------------------------------------------------------------ */

/* A gate and its token. NULL when out of memory. */
void *ffi_db_new(st_database *database);
/* Lets nobody in any more and waits until all calls have left; the caller alone has the database
 * then, and ends with ffi_db_end. */
stator_status ffi_db_shut(const void *token, stator_error *error, ffi_db **out_db);
void ffi_db_end(const void *token, ffi_db *db);
/* Enters again on behalf of a hold that has ended; false when the database is closed. */
bool ffi_db_enter_again(ffi_db *db, uintptr_t db_token, ffi_hold *out_hold);

#endif
