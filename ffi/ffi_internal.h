/* What the files of ffi share: handles, the frame around every call, and the objects behind the
 * handles. */
#ifndef STATOR_FFI_INTERNAL_H
#define STATOR_FFI_INTERNAL_H

#include "handles_internal.h"
#include "item/item.h"

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

typedef struct ffi_schema {
    st_buf bytes;
    bool has_partition, has_sort;
    st_error failure; /* the first error of a builder */
} ffi_schema;

#define FFI_ITEM_OF_CURSOR 1 /* the number of its handle */
#define FFI_NESTING_MAX 34   /* the item, and one level more than items may have */

/* What builds an item: a relaxed M value, and the containers in it that are still open. */
typedef struct ffi_builder {
    st_buf relaxed;
    struct {
        size_t begin; /* of the members in relaxed */
        uint32_t count;
        st_type type;
    } open[FFI_NESTING_MAX]; /* open[0] is the item */
    int depth;
    bool has_frame; /* the item's frame is that of relaxed */
    st_error failure;
} ffi_builder;

typedef struct ffi_item {
    ffi_builder *builder; /* NULL: the item was read and cannot be changed */
    st_buf bytes;         /* what frame lies in: a frame, a result, or the page of a cursor */
    st_slice frame;       /* canonical */
    st_buf relaxed;       /* of an item that was read, made when it is written again */
} ffi_item;

typedef struct ffi_buffer {
    st_buf bytes;
} ffi_buffer;

typedef struct ffi_request {
    uint32_t table_id;
    st_buf partition, sort, start_after;
    uint64_t limit;
    uint32_t page_items, flags, segment, segment_count;
    bool has_sort;
    st_error failure;
} ffi_request; /* behind stator_query and stator_scan */

typedef struct ffi_batch {
    st_buf entries;
    uint32_t count;
    bool has_get, has_write;
    st_error failure;
} ffi_batch;

struct ffi_cursor {
    ffi_db *db;
    uintptr_t db_token;
    st_table_cursor *cursor;     /* NULL once the database is closed, or for a batch */
    ffi_cursor *next, *previous; /* guarded by the mutex of db, as is is_listed */
    bool is_listed;
    st_buf pending; /* a page that was read and not shown or delivered yet */
    size_t at;      /* of the next item in the page, which the item holds */
    uint32_t left;  /* items in page */
    st_buf token;   /* of the page */
    bool has_page, is_last_page, is_paged, is_stepped, is_batch;
    void *item_token;
};

ffi_item *ffi_item_create(void); /* one that is read */
void ffi_item_destroy(void *object);
/* The relaxed M value of an item, complete; or its first error. */
st_status ffi_item_relaxed(st_op *op, ffi_item *item, st_slice *out_relaxed);
st_status ffi_item_frame(st_op *op, ffi_item *item, st_slice *out_frame);
/* A handle of an item that was read; takes over bytes, in which its frame lies, when it succeeds.
 */
stator_status ffi_item_of_frame(ffi_call *call, st_buf *bytes, st_slice frame,
                                stator_item **out_item);
stator_status ffi_buffer_of(ffi_call *call, st_buf *bytes,
                            stator_buffer **out_buffer); /* takes the bytes over */
/* Keeps the first error of a builder, and gives its status. */
stator_status ffi_latch(st_error *failure, stator_status status, const char *message);
st_status ffi_latched(st_op *op, const st_error *failure);
/* Takes source over, also on failure; page is the one page of a batch get, and taken over when it
 * succeeds. */
stator_status ffi_cursor_create(ffi_call *call, const ffi_hold *db_hold, st_table_cursor *source,
                                st_buf *page, stator_cursor **out_cursor);
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
