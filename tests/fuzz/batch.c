/* The operations of a batch. What is read, written again, reads the same, and to the byte where
 * lengths have their shortest form.
 */
#include "lsm/batch_internal.h"

#include "fuzz/fuzz.h"

static void add(st_lsm_batch *batch, const st_batch_reader *at)
{
    if (at->type == ST_ENTRY_PUT) {
        st_lsm_batch_put(batch, at->key, at->value);
    } else if (at->type == ST_ENTRY_DELETE) {
        FUZZ_CHECK(NULL, at->value.size == 0);
        st_lsm_batch_delete(batch, at->key);
    } else {
        FUZZ_CHECK(NULL, at->type == ST_ENTRY_DELETE_RANGE);
        st_lsm_batch_delete_range(batch, at->key, at->value);
    }
}

/* Reads all operations into a batch of its own; false at the one that is wrong. */
static bool read_all(st_op *op, st_slice bytes, st_lsm_batch *batch, size_t *out_payload_bytes)
{
    st_batch_reader reader = st_lsm__batch_reader(bytes);
    bool valid = true;
    *out_payload_bytes = 0;
    while (valid) {
        st_status status = st_lsm__batch_next(op, &reader, &valid);
        if (!fuzz_is_ok(op, status, bytes.size, fuzz_damages)) {
            FUZZ_CHECK(op, !valid);
            return false;
        }
        if (valid) {
            add(batch, &reader);
            *out_payload_bytes += reader.key.size + reader.value.size;
        }
    }
    FUZZ_CHECK(op, !batch->bytes.failed);
    return true;
}

void fuzz_target(st_slice input)
{
    st_op op;
    st_lsm_batch batch, again;
    size_t payload_bytes, measured_count, measured_bytes;
    st_op_init(&op, fuzz_alloc());
    st_lsm_batch_init(&batch, fuzz_alloc());
    st_lsm_batch_init(&again, fuzz_alloc());
    bool is_batch = read_all(&op, input, &batch, &payload_bytes);
    st_op_clear(&op);
    st_status status = st_lsm__batch_measure(&op, input, &measured_count, &measured_bytes);
    FUZZ_CHECK(&op, fuzz_is_ok(&op, status, input.size, fuzz_damages) == is_batch);
    if (is_batch) {
        FUZZ_CHECK(&op, measured_count == batch.count && measured_bytes == payload_bytes);
        FUZZ_CHECK(&op, batch.bytes.size <= input.size);
        FUZZ_CHECK(&op, batch.bytes.size < input.size ||
                            st_slice_equal(input, st_buf_view(&batch.bytes)));
        FUZZ_CHECK(&op, read_all(&op, st_buf_view(&batch.bytes), &again, &measured_bytes));
        FUZZ_CHECK(&op, again.count == batch.count && measured_bytes == payload_bytes);
        FUZZ_CHECK(&op, st_slice_equal(st_buf_view(&batch.bytes), st_buf_view(&again.bytes)));
    }
    st_lsm_batch_deinit(&again);
    st_lsm_batch_deinit(&batch);
    st_op_deinit(&op);
}
