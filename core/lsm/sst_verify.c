/* Checking one sorted file. First block by block from header to footer, without the index, so that
 * every byte is read from the disk; then entry by entry in order, each asked for once more by a
 * get, which goes through filter, fences and fingerprints. Entries that the index does not lead to
 * show as a difference of the two counts.
 */
#include "lsm/sst_internal.h"

typedef struct sst_verify_state {
    st_buf last;
    uint64_t last_sequence, count, smallest_sequence, largest_sequence;
    uint64_t stored_entries, stored_ranges; /* as the blocks say */
} sst_verify_state;

static bool verify_is_next(sst_verify_state *state, st_slice key, uint64_t sequence)
{
    return state->count == 0 ||
           st_lsm__order(st_buf_view(&state->last), state->last_sequence, key, sequence) < 0;
}

static void verify_note(sst_verify_state *state, st_slice key, uint64_t sequence)
{
    st_buf_clear(&state->last);
    st_buf_slice(&state->last, key);
    state->last_sequence = sequence;
    state->count++;
    if (sequence < state->smallest_sequence) {
        state->smallest_sequence = sequence;
    }
    if (sequence > state->largest_sequence) {
        state->largest_sequence = sequence;
    }
}

static st_status verify_blocks(st_op *op, st_sst *sst, sst_verify_state *state)
{
    uint64_t offset = ST_SST_HEADER_BYTES, end = sst->file_bytes - ST_SST_FOOTER_BYTES;
    while (offset < end) {
        uint8_t header[ST_BLOCK_HEADER_BYTES];
        st_block_handle handle;
        st_block_pin *pin;
        ST_TRY(st_lsm__sst_walk(op, sst, offset, end, header, &handle));
        if (header[0] < ST_BLOCK_DATA || header[0] > ST_BLOCK_RANGE) {
            return st_lsm__sst_corrupt(op, sst, offset, "a block of no known kind");
        }
        ST_TRY(st_lsm__sst_read_block(op, sst, handle, header[0], &pin));
        st_lsm__block_unpin(pin);
        uint32_t count = st_get_u32(header + 12);
        state->stored_entries += header[0] == ST_BLOCK_DATA ? count : 0;
        state->stored_ranges += header[0] == ST_BLOCK_RANGE ? count : 0;
        offset += handle.bytes;
    }
    return ST_OK;
}

static st_status verify_entry(st_op *op, st_sst *sst, sst_verify_state *state,
                              const st_entry *entry)
{
    if (!verify_is_next(state, entry->key, entry->sequence)) {
        return st_lsm__sst_corrupt(op, sst, 0, "entries out of order");
    }
    st_entry found;
    bool is_found;
    st_block_pin *pin;
    ST_TRY(st_lsm__sst_get(op, sst, entry->key, st_lsm__key_hash(entry->key), entry->sequence,
                           &found, &is_found, &pin));
    bool is_same = is_found && found.sequence == entry->sequence && found.type == entry->type &&
                   st_slice_equal(found.value, entry->value);
    st_lsm__block_unpin(pin);
    if (!is_same) {
        return st_lsm__sst_corrupt(op, sst, 0, "a filter or index does not lead to an entry");
    }
    verify_note(state, entry->key, entry->sequence);
    return st_buf_check(op, &state->last);
}

static st_status verify_entries(st_op *op, st_sst *sst, sst_verify_state *state)
{
    st_iter *iter;
    ST_TRY(st_lsm__sst_iter(op, sst, false, &iter));
    st_status status = st_lsm__iter_first(op, iter);
    while (status == ST_OK && iter->valid) {
        status = verify_entry(op, sst, state, &iter->entry);
        if (status == ST_OK) {
            status = st_lsm__iter_next(op, iter);
        }
    }
    st_lsm__iter_destroy(iter);
    return status;
}

typedef struct sst_verify_ranges {
    st_sst *sst;
    sst_verify_state *state;
} sst_verify_ranges;

static st_status verify_range(void *ctx, st_op *op, const st_range_delete *range)
{
    sst_verify_ranges *ranges = ctx;
    if (!verify_is_next(ranges->state, range->from, range->sequence)) {
        return st_lsm__sst_corrupt(op, ranges->sst, ranges->sst->range_offset,
                                   "range deletes out of order");
    }
    verify_note(ranges->state, range->from, range->sequence);
    return st_buf_check(op, &ranges->state->last);
}

static st_status verify_all(st_op *op, st_sst *sst, sst_verify_state *state)
{
    uint64_t footer = sst->file_bytes - ST_SST_FOOTER_BYTES;
    ST_TRY(verify_blocks(op, sst, state));
    ST_TRY(verify_entries(op, sst, state));
    if (state->count != sst->entry_count || state->count != state->stored_entries) {
        return st_lsm__sst_corrupt(op, sst, footer, "the footer has another entry count");
    }
    state->count = 0;
    sst_verify_ranges ranges = {sst, state};
    ST_TRY(st_lsm__sst_ranges(op, sst, verify_range, &ranges));
    if (state->count != state->stored_ranges) {
        return st_lsm__sst_corrupt(op, sst, footer,
                                   "the footer has another count of range deletes");
    }
    if (state->smallest_sequence != sst->smallest_sequence ||
        state->largest_sequence != sst->largest_sequence) {
        return st_lsm__sst_corrupt(op, sst, footer, "the footer has other sequences");
    }
    return ST_OK;
}

st_status st_lsm__sst_verify(st_op *op, st_sst *sst, uint64_t *out_entries)
{
    *out_entries = sst->entry_count;
    sst_verify_state state = {.smallest_sequence = UINT64_MAX};
    st_buf_init(&state.last, sst->alloc);
    st_status status = verify_all(op, sst, &state);
    st_buf_deinit(&state.last);
    return status;
}
