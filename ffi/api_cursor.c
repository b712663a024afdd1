/* Cursors: item by item for people, page by page for packages. And requests that come as frames.
 *
 * A cursor holds one page and one item handle, which shows the current item of the page. When its
 * database is closed it keeps both, so that memory it had lent stays valid until it is freed.
 */
#include "ffi_internal.h"

static void ffi_cursor_unlink(ffi_cursor *cursor)
{
    ffi_db *db = cursor->db;
    st_mutex_lock(&db->mutex);
    if (cursor->is_listed) {
        *(cursor->previous ? &cursor->previous->next : &db->cursors) = cursor->next;
        if (cursor->next) {
            cursor->next->previous = cursor->previous;
        }
        cursor->is_listed = false;
    }
    st_mutex_unlock(&db->mutex);
}

static void ffi_cursor_destroy(void *object)
{
    ffi_cursor *cursor = object;
    if (ffi_db_enter(cursor->db) == STATOR_OK) {
        ffi_cursor_unlink(cursor);
        st_table_cursor_close(cursor->cursor);
        ffi_db_leave(cursor->db);
    } else {
        /* Closing takes the source away; it holds the mutex while it does. */
        st_mutex_lock(&cursor->db->mutex);
        st_table_cursor *source = cursor->cursor;
        cursor->cursor = NULL;
        bool was_listed = cursor->is_listed;
        st_mutex_unlock(&cursor->db->mutex);
        if (was_listed) {
            ffi_cursor_unlink(cursor);
            st_table_cursor_close(source);
        }
    }
    if (cursor->item_token) {
        (void)ffi_handle_free(cursor->item_token, FFI_ITEM);
    }
    st_buf_deinit(&cursor->page);
    st_buf_deinit(&cursor->token);
    ffi_db_release(cursor->db);
    st_alloc_free(ffi_alloc(), cursor, sizeof *cursor);
}

void ffi_cursor_forget(ffi_db *db)
{
    st_mutex_lock(&db->mutex);
    while (db->cursors) {
        ffi_cursor *cursor = db->cursors;
        db->cursors = cursor->next;
        cursor->is_listed = false;
        st_table_cursor_close(cursor->cursor);
        cursor->cursor = NULL;
    }
    st_mutex_unlock(&db->mutex);
}

/* Takes source over, also on failure. page: the one page of a batch get; taken over. */
stator_status ffi_cursor_create(ffi_call *call, ffi_db *db, st_table_cursor *source, st_buf *page,
                                stator_cursor **out_cursor)
{
    ffi_cursor *cursor = st_alloc_new(ffi_alloc(), sizeof *cursor);
    ffi_item *item = ffi_item_create();
    void *item_token = item ? ffi_handle_new(FFI_ITEM, item, ffi_item_destroy) : NULL;
    if (!cursor || !item_token) {
        st_table_cursor_close(source);
        if (!item_token) {
            ffi_item_destroy(item);
        } else {
            (void)ffi_handle_free(item_token, FFI_ITEM);
        }
        st_alloc_free(ffi_alloc(), cursor, sizeof *cursor);
        return (stator_status)st_fail_memory(&call->op, sizeof *cursor);
    }
    item->is_read = item->is_of_cursor = item->has_frame = true;
    cursor->db = ffi_db_retain(db);
    cursor->cursor = source;
    cursor->item = item;
    cursor->item_token = item_token;
    st_buf_init(&cursor->page, ffi_alloc());
    st_buf_init(&cursor->token, ffi_alloc());
    if (page) {
        cursor->page = *page;
        st_buf_init(page, ffi_alloc());
        cursor->is_batch = true;
    }
    st_mutex_lock(&db->mutex);
    cursor->next = db->cursors;
    if (db->cursors) {
        db->cursors->previous = cursor;
    }
    db->cursors = cursor;
    cursor->is_listed = true;
    st_mutex_unlock(&db->mutex);
    *out_cursor = ffi_handle_new(FFI_CURSOR, cursor, ffi_cursor_destroy);
    if (!*out_cursor) {
        ffi_cursor_destroy(cursor);
        return (stator_status)st_fail_memory(&call->op, sizeof *cursor);
    }
    return STATOR_OK;
}

void stator_cursor_free(stator_cursor *cursor)
{
    if (cursor && !ffi_is_forked()) {
        (void)ffi_handle_free(cursor, FFI_CURSOR);
    }
}

/* ---- entering --------------------------------------------------------------------------- */

static stator_status ffi_cursor_enter(stator_cursor *token, stator_error *error,
                                      ffi_cursor **out_cursor)
{
    void *object = NULL;
    stator_status status =
        ffi_is_forked() ? STATOR_FORKED : ffi_handle_enter(token, FFI_CURSOR, true, &object);
    if (status != STATOR_OK) {
        return ffi_refuse_handle(error, status, FFI_CURSOR);
    }
    *out_cursor = object;
    status = ffi_db_enter((*out_cursor)->db);
    if (status != STATOR_OK) {
        ffi_handle_leave(token, true);
        return ffi_refuse_handle(error, status, FFI_DB);
    }
    return STATOR_OK;
}

static void ffi_cursor_leave(stator_cursor *token, ffi_cursor *cursor)
{
    ffi_db_leave(cursor->db);
    ffi_handle_leave(token, true);
}

/* ---- item by item ----------------------------------------------------------------------- */

/* Makes cursor->page the current page. */
static st_status ffi_cursor_use_page(st_op *op, ffi_cursor *cursor)
{
    st_slice items, token;
    if (!ffi_frame_find(st_buf_view(&cursor->page), ST_RESULT_ITEMS, &items) || items.size < 4) {
        return st_fail(op, ST_INTERNAL, "a page without items");
    }
    cursor->left = st_get_u32(items.data);
    cursor->at = (size_t)(items.data - cursor->page.data) + 4;
    cursor->has_page = true;
    st_buf_clear(&cursor->token);
    cursor->is_last_page = cursor->is_batch;
    (void)ffi_frame_find(st_buf_view(&cursor->page), ST_RESULT_LAST_KEY, &token);
    st_buf_slice(&cursor->token, token);
    return st_buf_check(op, &cursor->token);
}

static st_status ffi_cursor_fetch(st_op *op, ffi_cursor *cursor)
{
    if (cursor->is_batch) {
        return ffi_cursor_use_page(op, cursor);
    }
    st_buf page;
    st_buf_init(&page, ffi_alloc());
    st_status status = st_table_cursor_next_page(op, cursor->cursor, &page);
    if (status == ST_OK) {
        st_buf_deinit(&cursor->page);
        cursor->page = page;
        ST_TRY(ffi_cursor_use_page(op, cursor));
        cursor->is_last_page = st_table_cursor_has_ended(cursor->cursor);
        return ST_OK;
    }
    st_buf_deinit(&page);
    return status;
}

/* Shows the next item; *out_valid false at the end. Absent items of a batch get are passed over. */
static st_status ffi_cursor_step(st_op *op, ffi_cursor *cursor, bool *out_valid)
{
    *out_valid = false;
    for (;;) {
        while (cursor->left > 0) {
            const uint8_t *at = cursor->page.data + cursor->at;
            st_slice frame = st_slice_of(at + 4, st_get_u32(at));
            cursor->at += 4 + frame.size;
            cursor->left--;
            if (frame.size > 0) {
                cursor->item->view = frame;
                st_buf_clear(&cursor->item->relaxed);
                *out_valid = true;
                return ST_OK;
            }
        }
        if (cursor->has_page && cursor->is_last_page) {
            cursor->item->view = (st_slice){0};
            return ST_OK;
        }
        ST_TRY(ffi_cursor_fetch(op, cursor));
    }
}

stator_status stator_cursor_next(stator_cursor *token, stator_item **out_item, stator_error *error)
{
    if (!out_item) {
        return ffi_refuse(error, STATOR_MISUSE, "out_item is NULL");
    }
    *out_item = NULL;
    ffi_cursor *cursor;
    stator_status status = ffi_cursor_enter(token, error, &cursor);
    if (status != STATOR_OK) {
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
        status = (stator_status)ffi_cursor_step(&call.op, cursor, &valid);
    }
    *out_item = valid ? cursor->item_token : NULL;
    ffi_cursor_leave(token, cursor);
    return ffi_end(&call, status);
}

/* A token is made of the current item; behind the last item of a page it is the page's own. */
static st_status ffi_cursor_token(st_op *op, ffi_cursor *cursor, st_buf *out)
{
    if (cursor->is_paged || cursor->is_batch || !cursor->has_page) {
        st_buf_slice(out, st_buf_view(&cursor->token));
        return st_buf_check(op, out);
    }
    if (cursor->left == 0) { /* the last item of the page, or the end */
        st_buf_slice(out, st_buf_view(&cursor->token));
        return st_buf_check(op, out);
    }
    return st_table_cursor_token(op, cursor->cursor, cursor->item->view, out);
}

stator_status stator_cursor_last_key(stator_cursor *token, stator_buffer **out_token,
                                     stator_error *error)
{
    if (!out_token) {
        return ffi_refuse(error, STATOR_MISUSE, "out_token is NULL");
    }
    *out_token = NULL;
    ffi_cursor *cursor;
    stator_status status = ffi_cursor_enter(token, error, &cursor);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf bytes;
    st_buf_init(&bytes, ffi_alloc());
    status = (stator_status)ffi_cursor_token(&call.op, cursor, &bytes);
    if (status == STATOR_OK && bytes.size > 0) {
        status = ffi_buffer_of(&call, &bytes, out_token);
    }
    st_buf_deinit(&bytes);
    ffi_cursor_leave(token, cursor);
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
    ffi_cursor *cursor;
    stator_status status = ffi_cursor_enter(token, error, &cursor);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    if (cursor->is_stepped || cursor->is_batch) {
        status = (stator_status)st_fail(&call.op, ST_MISUSE,
                                        "stator_cursor_next was called on this cursor");
    } else {
        cursor->is_paged = true;
        st_buf page;
        st_slice key;
        st_buf_init(&page, ffi_alloc());
        status = (stator_status)st_table_cursor_next_page(&call.op, cursor->cursor, &page);
        if (status == STATOR_OK) {
            st_buf_clear(&cursor->token);
            (void)ffi_frame_find(st_buf_view(&page), ST_RESULT_LAST_KEY, &key);
            st_buf_slice(&cursor->token, key);
            status =
                ffi_deliver(&call, &page, result, result_capacity, out_result_bytes, out_buffer);
        }
        st_buf_deinit(&page);
    }
    ffi_cursor_leave(token, cursor);
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
    ffi_db *db;
    stator_status status = ffi_db_open_call(token, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_table_cursor *source;
    status = (stator_status)st_table_cursor_open(&call.op, db->database,
                                                 ffi_slice(request, request_bytes), &source);
    if (status == STATOR_OK) {
        status = ffi_cursor_create(&call, db, source, NULL, out_cursor);
    }
    ffi_db_end_call(token, db);
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
    ffi_db *db;
    stator_status status = ffi_db_open_call(token, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf frame;
    st_buf_init(&frame, ffi_alloc());
    status = (stator_status)st_table_execute(&call.op, db->database,
                                             ffi_slice(request, request_bytes), &frame);
    if (status == STATOR_OK) {
        status = ffi_deliver(&call, &frame, result, result_capacity, out_result_bytes, out_buffer);
    }
    st_buf_deinit(&frame);
    ffi_db_end_call(token, db);
    return ffi_end(&call, status);
}
