/* Reading the encoded operations of a batch: docs/formats/batch.md. Private to lsm. */
#ifndef STATOR_LSM_BATCH_INTERNAL_H
#define STATOR_LSM_BATCH_INTERNAL_H

#include "lsm/entry_internal.h"
#include "lsm/lsm.h"

typedef struct st_batch_reader {
    st_reader reader;
    uint8_t type;   /* of the current operation */
    st_slice key;   /* DELETE_RANGE: from */
    st_slice value; /* DELETE_RANGE: to */
} st_batch_reader;

st_batch_reader st_lsm__batch_reader(st_slice bytes);
/* *out_valid false at the end. Slices are borrowed from the bytes. Fails with the position of the
 * operation: CORRUPT when it is malformed or a key longer than ST_LSM_KEY_BYTES_MAX, UNSUPPORTED
 * for types of later formats. A reader that failed is used no more. */
st_status st_lsm__batch_next(st_op *op, st_batch_reader *batch, bool *out_valid) ST_MUST_USE;
/* Writes the sequence where the stamps say. */
void st_lsm__batch_stamp(st_slice bytes, st_slice stamps, uint64_t sequence);
/* Walks all of it: operations, and bytes of keys and values. */
st_status st_lsm__batch_measure(st_op *op, st_slice bytes, size_t *out_count,
                                size_t *out_payload_bytes) ST_MUST_USE;

#endif
