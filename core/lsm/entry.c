/* The order of entries, and the functions that call an iterator's table. */
#include "lsm/entry_internal.h"

#include <string.h>

#define ENTRY_HASH_SEED 0x53544154u

int st_lsm__order(st_slice key, uint64_t sequence, st_slice other_key, uint64_t other_sequence)
{
    int order = st_slice_compare(key, other_key);
    return order != 0 ? order : (sequence < other_sequence) - (sequence > other_sequence);
}

uint64_t st_lsm__key_head(st_slice key, size_t skipped_bytes)
{
    if (key.size >= skipped_bytes + 8) {
        return st_get_be64(key.data + skipped_bytes);
    }
    uint8_t padded[8] = {0};
    if (key.size > skipped_bytes) {
        memcpy(padded, key.data + skipped_bytes, key.size - skipped_bytes);
    }
    return st_get_be64(padded);
}

uint64_t st_lsm__key_hash(st_slice key)
{
    return st_hash64(key, ENTRY_HASH_SEED);
}

st_status st_lsm__iter_first(st_op *op, st_iter *iter)
{
    iter->valid = false;
    return iter->calls->first(op, iter);
}

st_status st_lsm__iter_seek(st_op *op, st_iter *iter, st_slice key)
{
    iter->valid = false;
    return iter->calls->seek(op, iter, key);
}

st_status st_lsm__iter_next(st_op *op, st_iter *iter)
{
    ST_ASSERT(iter->valid);
    return iter->calls->next(op, iter);
}

void st_lsm__iter_destroy(st_iter *iter)
{
    if (iter) {
        iter->calls->destroy(iter);
    }
}
