/* What the files of ffi share: handles, the frame around every call, and the objects behind the
 * handles. */
#ifndef STATOR_FFI_INTERNAL_H
#define STATOR_FFI_INTERNAL_H

#include <stdatomic.h>

#include "include/stator.h"
#include "item/item.h"
#include "table/table.h"

/* ---- handles (handles.c) ---------------------------------------------------------------- */

/* Types of handles; 00 and ff are never used. */
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

/* A new token for the object; NULL when out of memory. destroy runs once, when the handle is freed
 * and no call uses it. */
void *ffi_handle_new(ffi_type type, void *object, void (*destroy)(void *object));
/* Finds the object and keeps it until ffi_handle_leave. is_exclusive: BUSY while another exclusive
 * call is inside. */
stator_status ffi_handle_enter(const void *token, ffi_type type, bool is_exclusive,
                               void **out_object);
void ffi_handle_leave(const void *token, bool is_exclusive);
stator_status ffi_handle_free(const void *token, ffi_type type);
const char *ffi_type_name(ffi_type type);

/* ---- allocation ------------------------------------------------------------------------- */

const st_alloc *ffi_alloc(void);

/* ---- the frame around a call ------------------------------------------------------------ */

typedef struct ffi_call {
    st_op op;
    stator_error *error;
} ffi_call;

void ffi_begin(ffi_call *call, stator_error *error);
stator_status ffi_end(ffi_call *call, stator_status status);
stator_status ffi_refuse(stator_error *error, stator_status status, const char *message);
/* The text of a failed ffi_handle_enter. */
stator_status ffi_refuse_handle(stator_error *error, stator_status status, ffi_type type);

#define FFI_BYTES_MAX ((size_t)1 << 30)
/* False for a length that no call can mean, or NULL with a length. */
bool ffi_is_bytes(const void *data, size_t bytes);
st_slice ffi_slice(const void *data, size_t bytes);

/* Size-first structs: a copy of the caller's with defaults where it is shorter, in to, which holds
 * the defaults before. INVALID_ARGUMENT for an absurd size, UNSUPPORTED when an unknown tail is not
 * zero. */
stator_status ffi_struct_in(const void *from, void *to, size_t bytes, stator_error *error);
stator_status ffi_struct_out(const void *from, void *to, size_t bytes, stator_error *error);

/* ---- objects ---------------------------------------------------------------------------- */

#define FFI_STRIPES 16u

typedef struct ffi_cursor ffi_cursor;

typedef struct ffi_db {
    _Atomic uint32_t references; /* the handle, and each child */
    st_database *database;       /* NULL once closed */
    uint64_t process_stamp;
    _Atomic bool is_closing;
    struct {
        _Alignas(64) _Atomic uint32_t count;
    } active[FFI_STRIPES]; /* calls in flight, by thread */
    st_mutex mutex;
    ffi_cursor *cursors; /* guarded by mutex */
} ffi_db;

ffi_db *ffi_db_retain(ffi_db *db);
void ffi_db_release(ffi_db *db);
/* Between enter and leave the database stays open. CLOSED or FORKED otherwise. */
stator_status ffi_db_enter(ffi_db *db);
void ffi_db_leave(ffi_db *db);
/* Enters a database by its token. */
stator_status ffi_db_open_call(const void *token, stator_error *error, ffi_db **out_db);
void ffi_db_end_call(const void *token, ffi_db *db);
bool ffi_is_forked(void);

typedef struct ffi_table {
    ffi_db *db;
    uint32_t id;
} ffi_table;

typedef struct ffi_schema {
    st_buf bytes;
    bool has_partition, has_sort;
    st_error failure; /* the first error of a builder */
} ffi_schema;

#define FFI_NESTING_MAX 40

typedef struct ffi_item {
    st_buf relaxed;
    struct {
        size_t begin; /* of the members in relaxed */
        uint32_t count;
        st_type type;
    } open[FFI_NESTING_MAX]; /* open[0] is the item */
    int depth;
    st_buf frame;  /* canonical, made when it is asked for */
    st_slice view; /* an item that was read: its frame */
    bool is_read, is_of_cursor, has_frame;
    st_error failure;
} ffi_item;

typedef struct ffi_buffer {
    st_buf bytes;
} ffi_buffer;

typedef struct ffi_request {
    ffi_db *db;
    uint32_t table_id;
    st_buf partition, sort, start_after;
    uint64_t limit;
    uint32_t page_items, flags, segment, segment_count;
    bool has_sort;
    st_error failure;
} ffi_request; /* behind stator_query and stator_scan */

typedef struct ffi_batch {
    ffi_db *db;
    st_buf entries;
    uint32_t count;
    bool has_get, has_write;
    st_error failure;
} ffi_batch;

struct ffi_cursor {
    ffi_db *db;
    st_table_cursor *cursor; /* NULL once the database is closed, or for a batch */
    ffi_cursor *next, *previous;
    st_buf page;
    size_t at;      /* of the next item in page */
    uint32_t left;  /* items in page */
    st_buf token;   /* of the page */
    bool is_listed; /* guarded by the mutex of db */
    bool has_page, is_last_page, is_paged, is_stepped, is_batch;
    void *item_token;
    ffi_item *item;
};

ffi_item *ffi_item_create(void);
void ffi_item_destroy(void *object);
/* The relaxed M value of an item, complete; or its first error. */
st_status ffi_item_relaxed(st_op *op, ffi_item *item, st_slice *out_relaxed);
st_status ffi_item_frame(st_op *op, ffi_item *item, st_slice *out_frame);
/* A handle of an item that was read; the frame is copied. */
stator_status ffi_item_of_frame(ffi_call *call, st_slice frame, stator_item **out_item);
stator_status ffi_buffer_of(ffi_call *call, st_buf *bytes,
                            stator_buffer **out_buffer); /* takes the bytes over */
/* Keeps the first error of a builder, and gives its status. */
stator_status ffi_latch(st_error *failure, stator_status status, const char *message);
st_status ffi_latched(st_op *op, const st_error *failure);
/* Takes source over, also on failure; page is the one page of a batch get, and taken over too. */
stator_status ffi_cursor_create(ffi_call *call, ffi_db *db, st_table_cursor *source, st_buf *page,
                                stator_cursor **out_cursor);
void ffi_cursor_forget(ffi_db *db); /* closing: cursors lose the database */

/* ---- frames ----------------------------------------------------------------------------- */

void ffi_frame_begin(st_buf *frame, uint8_t operation);
void ffi_frame_field(st_buf *frame, uint8_t number, st_slice payload);
void ffi_frame_u32(st_buf *frame, uint8_t number, uint32_t value);
void ffi_frame_u64(st_buf *frame, uint8_t number, uint64_t value);
void ffi_frame_u8(st_buf *frame, uint8_t number, uint8_t value);
bool ffi_frame_find(st_slice frame, uint8_t number, st_slice *out_payload);
/* Copies a result into the caller's memory or into a buffer. */
stator_status ffi_deliver(ffi_call *call, st_buf *result, void *to, size_t capacity,
                          size_t *out_bytes, stator_buffer **out_buffer);

#endif
