/* Cursors: the visible versions of the keys of a range, in either direction.
 *
 * Forward, the first version of a key that the cursor may see decides, and the others are passed
 * over. In reverse the versions of a key come oldest first: the last one that the cursor may see
 * decides, so that key and value are copied until the key changes.
 */
#include "lsm/lsm_internal.h"

static bool cursor_is_orphan(st_op *op, const st_lsm_cursor *cursor, st_status *out_status)
{
    if (!atomic_load_explicit(&cursor->is_orphan, memory_order_acquire)) {
        return false;
    }
    *out_status = st_fail(op, ST_CLOSED, "the database of this cursor is closed");
    return true;
}

static st_status cursor_prepare(st_op *op, st_lsm_cursor *cursor, const st_lsm_range *range)
{
    st_buf *bufs[] = {&cursor->from, &cursor->to, &cursor->key, &cursor->value, &cursor->seek};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        st_buf_init(bufs[i], cursor->lsm->alloc);
    }
    st_buf_slice(&cursor->from, range->from);
    st_buf_slice(&cursor->to, range->to);
    ST_TRY(st_buf_check(op, &cursor->from));
    ST_TRY(st_buf_check(op, &cursor->to));
    cursor->is_reverse = range->is_reverse;
    return st_lsm__set_iter(op, cursor->set, range->is_reverse, &cursor->iter);
}

st_status st_lsm_cursor_open(st_op *op, st_lsm *lsm, const st_lsm_range *range,
                             st_lsm_cursor **out_cursor)
{
    *out_cursor = NULL;
    st_lsm_cursor *cursor = st_alloc_new(lsm->alloc, sizeof *cursor);
    if (!cursor) {
        return st_fail_memory(op, sizeof *cursor);
    }
    cursor->lsm = lsm;
    st_mutex_lock(&lsm->state);
    cursor->set = st_lsm__set_retain(lsm);
    cursor->sequence = range->snapshot     ? range->snapshot->sequence
                       : range->is_applied ? st_lsm_applied(lsm)
                                           : st_lsm_published(lsm);
    cursor->next = lsm->cursors;
    if (lsm->cursors) {
        lsm->cursors->previous = cursor;
    }
    lsm->cursors = cursor;
    st_mutex_unlock(&lsm->state);
    st_status status = cursor_prepare(op, cursor, range);
    if (status != ST_OK) {
        st_lsm_cursor_close(cursor);
        return status;
    }
    *out_cursor = cursor;
    return ST_OK;
}

void st_lsm_cursor_close(st_lsm_cursor *cursor)
{
    if (!cursor) {
        return;
    }
    st_lsm *lsm = cursor->lsm;
    st_mutex_lock(&lsm->state);
    if (cursor->previous) {
        cursor->previous->next = cursor->next;
    } else {
        lsm->cursors = cursor->next;
    }
    if (cursor->next) {
        cursor->next->previous = cursor->previous;
    }
    st_mutex_unlock(&lsm->state);
    st_lsm__iter_destroy(cursor->iter);
    st_buf *bufs[] = {&cursor->from, &cursor->to, &cursor->key, &cursor->value, &cursor->seek};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        st_buf_deinit(bufs[i]);
    }
    st_set *set = cursor->set;
    st_alloc_free(lsm->alloc, cursor, sizeof *cursor);
    st_lsm__set_release(set); /* the last thing: it may free the store */
}

static bool cursor_is_hidden(const st_lsm_cursor *cursor, const st_entry *entry)
{
    return entry->type != ST_ENTRY_PUT ||
           (cursor->has_ranges &&
            st_lsm__set_covering(cursor->set, entry->key, cursor->sequence) > entry->sequence);
}

/* To the first entry of the range, or of what is left of it behind a seek. */
static st_status cursor_start(st_op *op, st_lsm_cursor *cursor)
{
    cursor->is_started = true;
    cursor->has_ranges = st_lsm__set_has_ranges(cursor->set);
    st_slice bound = st_buf_view(cursor->is_reverse ? &cursor->to : &cursor->from);
    bool is_exclusive = cursor->is_reverse;
    if (cursor->has_seek) {
        st_slice seek = st_buf_view(&cursor->seek);
        bool is_inside =
            bound.size == 0 || (cursor->is_reverse ? st_slice_compare(seek, bound) < 0
                                                   : st_slice_compare(seek, bound) > 0);
        bound = is_inside ? seek : bound;
        is_exclusive = is_exclusive && !is_inside;
    }
    if (bound.size == 0 && !cursor->has_seek) {
        return st_lsm__iter_first(op, cursor->iter);
    }
    ST_TRY(st_lsm__iter_seek(op, cursor->iter, bound));
    while (is_exclusive && cursor->iter->valid &&
           st_slice_compare(cursor->iter->entry.key, bound) >= 0) {
        ST_TRY(st_lsm__iter_next(op, cursor->iter));
    }
    return ST_OK;
}

static st_status cursor_next_forward(st_op *op, st_lsm_cursor *cursor, bool *out_valid)
{
    st_iter *iter = cursor->iter;
    while (iter->valid) {
        bool is_same =
            cursor->has_key && st_slice_equal(iter->entry.key, st_buf_view(&cursor->key));
        if (is_same || iter->entry.sequence > cursor->sequence) {
            ST_TRY(st_lsm__iter_next(op, iter));
            continue;
        }
        if (cursor->to.size > 0 &&
            st_slice_compare(iter->entry.key, st_buf_view(&cursor->to)) >= 0) {
            return ST_OK;
        }
        st_buf_clear(&cursor->key);
        st_buf_slice(&cursor->key, iter->entry.key);
        ST_TRY(st_buf_check(op, &cursor->key));
        cursor->has_key = true;
        if (!cursor_is_hidden(cursor, &iter->entry)) {
            *out_valid = true;
            return ST_OK;
        }
        ST_TRY(st_lsm__iter_next(op, iter));
    }
    return ST_OK;
}

static st_status cursor_next_reverse(st_op *op, st_lsm_cursor *cursor, bool *out_valid)
{
    st_iter *iter = cursor->iter;
    while (iter->valid) {
        if (cursor->from.size > 0 &&
            st_slice_compare(iter->entry.key, st_buf_view(&cursor->from)) < 0) {
            return ST_OK;
        }
        st_buf_clear(&cursor->key);
        st_buf_slice(&cursor->key, iter->entry.key);
        ST_TRY(st_buf_check(op, &cursor->key));
        bool is_seen = false, is_hidden = false;
        while (iter->valid && st_slice_equal(iter->entry.key, st_buf_view(&cursor->key))) {
            if (iter->entry.sequence <= cursor->sequence) {
                is_seen = true;
                is_hidden = cursor_is_hidden(cursor, &iter->entry);
                st_buf_clear(&cursor->value);
                st_buf_slice(&cursor->value, iter->entry.value);
                ST_TRY(st_buf_check(op, &cursor->value));
            }
            ST_TRY(st_lsm__iter_next(op, iter));
        }
        if (is_seen && !is_hidden) {
            *out_valid = true;
            return ST_OK;
        }
    }
    return ST_OK;
}

st_status st_lsm_cursor_next(st_op *op, st_lsm_cursor *cursor, bool *out_valid, st_slice *out_key,
                             st_slice *out_value)
{
    *out_valid = false;
    *out_key = *out_value = (st_slice){0};
    st_status status = ST_OK;
    if (cursor_is_orphan(op, cursor, &status) || cursor->is_ended) {
        return status;
    }
    if (cursor->failure != ST_OK) {
        return st_fail(op, cursor->failure,
                       "an earlier read of this cursor failed; open a new one behind its last key");
    }
    if (!cursor->is_started) {
        status = cursor_start(op, cursor);
    }
    if (status == ST_OK) {
        status = cursor->is_reverse ? cursor_next_reverse(op, cursor, out_valid)
                                    : cursor_next_forward(op, cursor, out_valid);
    }
    if (status != ST_OK) {
        cursor->failure = status;
        *out_valid = false;
        return status;
    }
    cursor->is_ended = !*out_valid;
    if (*out_valid) {
        *out_key = st_buf_view(&cursor->key);
        *out_value = cursor->is_reverse ? st_buf_view(&cursor->value) : cursor->iter->entry.value;
    }
    return ST_OK;
}

st_status st_lsm_cursor_seek(st_op *op, st_lsm_cursor *cursor, st_slice key)
{
    st_status status = ST_OK;
    if (cursor_is_orphan(op, cursor, &status)) {
        return status;
    }
    st_buf_clear(&cursor->seek);
    st_buf_slice(&cursor->seek, key);
    cursor->has_seek = true;
    cursor->is_started = cursor->is_ended = cursor->has_key = false;
    return st_buf_check(op, &cursor->seek);
}
