/* Cursors: item by item for people, page by page for packages. And requests that come as frames.
 *
 * A cursor holds one page and one item handle, which shows the current item of the page. When its
 * database is closed it keeps both, so that memory it had lent stays valid until it is freed.
 */
#include "ffi_internal.h"

/* Takes the cursor off the list of its database, and its source with it; NULL when closing has
 * taken it before. Mutex held. */
static st_table_cursor *ffi_cursor_unlist(ffi_db *db, ffi_cursor *cursor)
{
    st_table_cursor *source = cursor->cursor;
    if (!cursor->is_listed) {
        return NULL;
    }
    *(cursor->previous ? &cursor->previous->next : &db->cursors) = cursor->next;
    if (cursor->next) {
        cursor->next->previous = cursor->previous;
    }
    cursor->is_listed = false;
    cursor->cursor = NULL;
    return source;
}

/* The source is closed while the database is open: inside its gate, or, when that is shut already,
 * under the mutex that closing needs to get at the cursors. */
static void ffi_cursor_close_source(ffi_cursor *cursor)
{
    ffi_hold hold;
    bool is_open = ffi_db_enter_again(cursor->db, cursor->db_token, &hold);
    st_mutex_lock(&cursor->db->mutex);
    st_table_cursor *source = ffi_cursor_unlist(cursor->db, cursor);
    if (!is_open) {
        st_table_cursor_close(source);
    }
    st_mutex_unlock(&cursor->db->mutex);
    if (is_open) {
        st_table_cursor_close(source);
        ffi_leave(&hold);
    }
}

static void ffi_cursor_destroy(void *object)
{
    ffi_cursor *cursor = object;
    ffi_cursor_close_source(cursor);
    ffi_handle_free_kept(cursor->item_token, FFI_ITEM);
    st_buf_deinit(&cursor->pending);
    st_buf_deinit(&cursor->token);
    st_alloc_free(ffi_alloc(), cursor, sizeof *cursor);
}

void ffi_cursor_forget(ffi_db *db)
{
    st_mutex_lock(&db->mutex);
    while (db->cursors) {
        st_table_cursor_close(ffi_cursor_unlist(db, db->cursors));
    }
    st_mutex_unlock(&db->mutex);
}

/* A cursor that is on no list yet; NULL when out of memory. */
static ffi_cursor *ffi_cursor_new(const ffi_hold *db_hold)
{
    ffi_cursor *cursor = st_alloc_new(ffi_alloc(), sizeof *cursor);
    ffi_item *item = cursor ? ffi_item_create() : NULL;
    ffi_subject subject = {.type = FFI_ITEM,
                           .object = item,
                           .destroy = ffi_item_destroy,
                           .number = FFI_ITEM_OF_CURSOR,
                           .is_kept = true};
    void *item_token = item ? ffi_handle_new(&subject) : NULL;
    if (!item_token) {
        ffi_item_destroy(item);
        st_alloc_free(ffi_alloc(), cursor, sizeof *cursor);
        return NULL;
    }
    cursor->db = db_hold->db;
    cursor->db_token = db_hold->db_token;
    cursor->item_token = item_token;
    st_buf_init(&cursor->pending, ffi_alloc());
    st_buf_init(&cursor->token, ffi_alloc());
    return cursor;
}

stator_status ffi_cursor_create(ffi_call *call, const ffi_hold *db_hold, st_table_cursor *source,
                                st_buf *page, stator_cursor **out_cursor)
{
    ffi_cursor *cursor = ffi_cursor_new(db_hold);
    if (!cursor) {
        st_table_cursor_close(source);
        return (stator_status)st_fail_memory(&call->op, sizeof *cursor);
    }
    ffi_db *db = db_hold->db;
    cursor->cursor = source;
    cursor->is_batch = page != NULL;
    st_mutex_lock(&db->mutex);
    cursor->next = db->cursors;
    if (db->cursors) {
        db->cursors->previous = cursor;
    }
    db->cursors = cursor;
    cursor->is_listed = true;
    st_mutex_unlock(&db->mutex);
    ffi_subject subject = {
        .type = FFI_CURSOR, .object = cursor, .destroy = ffi_cursor_destroy, .db_hold = db_hold};
    *out_cursor = ffi_handle_new(&subject);
    if (!*out_cursor) {
        ffi_cursor_destroy(cursor);
        return (stator_status)st_fail_memory(&call->op, sizeof *cursor);
    }
    if (page) {
        cursor->pending = *page;
        st_buf_init(page, ffi_alloc());
    }
    return STATOR_OK;
}

void stator_cursor_free(stator_cursor *cursor)
{
    (void)ffi_handle_free(cursor, FFI_CURSOR);
}

/* ---- item by item ----------------------------------------------------------------------- */

/* Makes the page that waits in pending the current one. item is held. */
static st_status ffi_cursor_use_page(st_op *op, ffi_cursor *cursor, ffi_item *item)
{
    st_slice items, token, page = st_buf_view(&cursor->pending);
    if (!ffi_frame_find(page, ST_RESULT_ITEMS, &items) || items.size < 4) {
        return st_fail(op, ST_INTERNAL, "a page without items");
    }
    (void)ffi_frame_find(page, ST_RESULT_LAST_KEY, &token);
    st_buf_clear(&cursor->token);
    st_buf_slice(&cursor->token, token);
    ST_TRY(st_buf_check(op, &cursor->token));
    st_buf_deinit(&item->bytes);
    item->bytes = cursor->pending;
    st_buf_init(&cursor->pending, ffi_alloc());
    item->frame = (st_slice){0};
    st_buf_clear(&item->relaxed);
    cursor->left = st_get_u32(items.data);
    cursor->at = (size_t)(items.data - item->bytes.data) + 4;
    cursor->has_page = true;
    cursor->is_last_page = cursor->is_batch || st_table_cursor_has_ended(cursor->cursor);
    return ST_OK;
}

/* Reads the next page into pending, unless one waits there because it could not be delivered. */
static st_status ffi_cursor_fetch(st_op *op, ffi_cursor *cursor)
{
    if (cursor->pending.size > 0) {
        return ST_OK;
    }
    st_status status = st_table_cursor_next_page(op, cursor->cursor, &cursor->pending);
    if (status != ST_OK) {
        st_buf_clear(&cursor->pending);
    }
    return status;
}

/* Shows the next item; *out_valid false at the end. Absent items of a batch get are passed over. */
static st_status ffi_cursor_step(st_op *op, ffi_cursor *cursor, ffi_item *item, bool *out_valid)
{
    *out_valid = false;
    for (;;) {
        while (cursor->left > 0) {
            const uint8_t *at = item->bytes.data + cursor->at;
            st_slice frame = st_slice_of(at + 4, st_get_u32(at));
            cursor->at += 4 + frame.size;
            cursor->left--;
            if (frame.size > 0) {
                item->frame = frame;
                st_buf_clear(&item->relaxed);
                *out_valid = true;
                return ST_OK;
            }
        }
        if (cursor->has_page && cursor->is_last_page) {
            item->frame = (st_slice){0};
            st_buf_clear(&item->relaxed);
            return ST_OK;
        }
        ST_TRY(ffi_cursor_fetch(op, cursor));
        ST_TRY(ffi_cursor_use_page(op, cursor, item));
    }
}

stator_status stator_cursor_next(stator_cursor *token, stator_item **out_item, stator_error *error)
{
    if (!out_item) {
        return ffi_refuse(error, STATOR_MISUSE, "out_item is NULL");
    }
    *out_item = NULL;
    ffi_hold hold, item;
    stator_status status = ffi_enter(token, FFI_CURSOR, error, &hold);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_cursor *cursor = hold.object;
    status = ffi_enter(cursor->item_token, FFI_ITEM, error, &item); /* BUSY while it is read */
    if (status != STATOR_OK) {
        ffi_leave(&hold);
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    bool valid = false;
    if (cursor->is_paged) {
        status = (stator_status)st_fail(&call.op, ST_MISUSE,
                                        "stator_cursor_next_page was called on this cursor");
    } else {
        cursor->is_stepped = true;
        status = (stator_status)ffi_cursor_step(&call.op, cursor, item.object, &valid);
    }
    *out_item = valid ? cursor->item_token : NULL;
    ffi_leave(&item);
    ffi_leave(&hold);
    return ffi_end(&call, status);
}

/* A token is made of the current item; behind the last item of a page it is the page's own. */
static st_status ffi_cursor_token(st_op *op, ffi_cursor *cursor, st_buf *out)
{
    if (cursor->is_paged || cursor->is_batch || cursor->left == 0) {
        st_buf_slice(out, st_buf_view(&cursor->token));
        return st_buf_check(op, out);
    }
    ffi_hold hold;
    stator_status status = ffi_enter(cursor->item_token, FFI_ITEM, NULL, &hold);
    if (status != STATOR_OK) {
        return st_fail(op, (st_status)status, "the item of the cursor is in use by another call");
    }
    st_slice frame = ((ffi_item *)hold.object)->frame;
    st_status made = st_table_cursor_token(op, cursor->cursor, frame, out);
    ffi_leave(&hold);
    return made;
}

stator_status stator_cursor_last_key(stator_cursor *token, stator_buffer **out_token,
                                     stator_error *error)
{
    if (!out_token) {
        return ffi_refuse(error, STATOR_MISUSE, "out_token is NULL");
    }
    *out_token = NULL;
    ffi_hold hold;
    stator_status status = ffi_enter(token, FFI_CURSOR, error, &hold);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf bytes;
    st_buf_init(&bytes, ffi_alloc());
    status = (stator_status)ffi_cursor_token(&call.op, hold.object, &bytes);
    if (status == STATOR_OK && bytes.size > 0) {
        status = ffi_buffer_of(&call, &bytes, out_token);
    }
    st_buf_deinit(&bytes);
    ffi_leave(&hold);
    return ffi_end(&call, status);
}

/* ---- page by page ----------------------------------------------------------------------- */

stator_status stator_cursor_next_page(stator_cursor *token, void *result, size_t result_capacity,
                                      size_t *out_result_bytes, stator_buffer **out_buffer,
                                      stator_error *error)
{
    if (!out_result_bytes || !out_buffer) {
        return ffi_refuse(error, STATOR_MISUSE, "out_result_bytes or out_buffer is NULL");
    }
    *out_result_bytes = 0;
    *out_buffer = NULL;
    ffi_hold hold;
    stator_status status = ffi_enter(token, FFI_CURSOR, error, &hold);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_cursor *cursor = hold.object;
    ffi_call call;
    ffi_begin(&call, error);
    if (cursor->is_stepped || cursor->is_batch) {
        status = (stator_status)st_fail(&call.op, ST_MISUSE,
                                        "stator_cursor_next was called on this cursor");
    } else {
        st_slice key;
        cursor->is_paged = true;
        status = (stator_status)ffi_cursor_fetch(&call.op, cursor);
        if (status == STATOR_OK) {
            (void)ffi_frame_find(st_buf_view(&cursor->pending), ST_RESULT_LAST_KEY, &key);
            st_buf_clear(&cursor->token);
            st_buf_slice(&cursor->token, key);
            status = (stator_status)st_buf_check(&call.op, &cursor->token);
        }
        if (status == STATOR_OK) {
            status = ffi_deliver(&call, &cursor->pending, result, result_capacity, out_result_bytes,
                                 out_buffer);
        }
        if (status == STATOR_OK) {
            st_buf_clear(&cursor->pending);
        }
    }
    ffi_leave(&hold);
    return ffi_end(&call, status);
}

/* ---- frames ----------------------------------------------------------------------------- */

stator_status stator_cursor_open(stator_db *token, const void *request, size_t request_bytes,
                                 stator_cursor **out_cursor, stator_error *error)
{
    if (!out_cursor) {
        return ffi_refuse(error, STATOR_MISUSE, "out_cursor is NULL");
    }
    *out_cursor = NULL;
    if (!ffi_is_bytes(request, request_bytes)) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT,
                          "the request is NULL or has an impossible length");
    }
    ffi_hold db;
    stator_status status = ffi_enter(token, FFI_DB, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_table_cursor *source;
    status = (stator_status)st_table_cursor_open(&call.op, db.db->database,
                                                 ffi_slice(request, request_bytes), &source);
    if (status == STATOR_OK) {
        status = ffi_cursor_create(&call, &db, source, NULL, out_cursor);
    }
    ffi_leave(&db);
    return ffi_end(&call, status);
}

stator_status stator_execute(stator_db *token, const void *request, size_t request_bytes,
                             void *result, size_t result_capacity, size_t *out_result_bytes,
                             stator_buffer **out_buffer, stator_error *error)
{
    if (!out_result_bytes || !out_buffer) {
        return ffi_refuse(error, STATOR_MISUSE, "out_result_bytes or out_buffer is NULL");
    }
    *out_result_bytes = 0;
    *out_buffer = NULL;
    if (!ffi_is_bytes(request, request_bytes)) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT,
                          "the request is NULL or has an impossible length");
    }
    ffi_hold db;
    stator_status status = ffi_enter(token, FFI_DB, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf frame;
    st_buf_init(&frame, ffi_alloc());
    status = (stator_status)st_table_execute(&call.op, db.db->database,
                                             ffi_slice(request, request_bytes), &frame);
    if (status == STATOR_OK) {
        status = ffi_deliver(&call, &frame, result, result_capacity, out_result_bytes, out_buffer);
    }
    st_buf_deinit(&frame);
    ffi_leave(&db);
    return ffi_end(&call, status);
}
