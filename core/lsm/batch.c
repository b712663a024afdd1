/* The operations of a batch: docs/formats/batch.md. Writing them goes into a buffer that remembers
 * a failure; reading them trusts no byte.
 */
#include "lsm/batch_internal.h"

void st_lsm_batch_init(st_lsm_batch *batch, const st_alloc *alloc)
{
    st_buf_init(&batch->bytes, alloc);
    st_buf_init(&batch->stamps, alloc);
    batch->count = 0;
}

void st_lsm_batch_deinit(st_lsm_batch *batch)
{
    st_buf_deinit(&batch->bytes);
    st_buf_deinit(&batch->stamps);
    batch->count = 0;
}

void st_lsm_batch_clear(st_lsm_batch *batch)
{
    st_buf_clear(&batch->bytes);
    st_buf_clear(&batch->stamps);
    batch->count = 0;
}

static void batch_add(st_lsm_batch *batch, uint8_t type, st_slice key)
{
    st_buf_byte(&batch->bytes, type);
    st_buf_varint(&batch->bytes, key.size);
    st_buf_slice(&batch->bytes, key);
    batch->count++;
}

void st_lsm_batch_put(st_lsm_batch *batch, st_slice key, st_slice value)
{
    batch_add(batch, ST_ENTRY_PUT, key);
    st_buf_varint(&batch->bytes, value.size);
    st_buf_slice(&batch->bytes, value);
}

void st_lsm_batch_put_stamped(st_lsm_batch *batch, st_slice key, size_t key_offset, st_slice value)
{
    size_t before = batch->bytes.size;
    st_lsm_batch_put(batch, key, value);
    if (batch->bytes.failed) {
        return;
    }
    st_reader reader = st_reader_of(st_buf_view(&batch->bytes));
    reader.at = before + 1;
    (void)st_reader_varint(&reader);
    st_buf_u64(&batch->stamps, reader.at + key_offset);
}

void st_lsm__batch_stamp(st_slice bytes, st_slice stamps, uint64_t sequence)
{
    for (size_t at = 0; at + 8 <= stamps.size; at += 8) {
        /* the bytes are the batch's own, which waits for its commit */
        st_put_be64((uint8_t *)bytes.data + st_get_u64(stamps.data + at), sequence);
    }
}

void st_lsm_batch_delete(st_lsm_batch *batch, st_slice key)
{
    batch_add(batch, ST_ENTRY_DELETE, key);
}

void st_lsm_batch_delete_range(st_lsm_batch *batch, st_slice from, st_slice to)
{
    batch_add(batch, ST_ENTRY_DELETE_RANGE, from);
    st_buf_varint(&batch->bytes, to.size);
    st_buf_slice(&batch->bytes, to);
}

st_batch_reader st_lsm__batch_reader(st_slice bytes)
{
    return (st_batch_reader){.reader = st_reader_of(bytes)};
}

static st_status batch_bad_type(st_op *op, uint8_t type, int64_t position)
{
    const char *name = type == ST_ENTRY_ADD         ? "add"
                       : type == ST_ENTRY_SEPARATED ? "separated value"
                                                    : "unknown";
    return st_fail_at(op, ST_UNSUPPORTED, position, "record type %u (%s) at byte %lld of a batch",
                      type, name, (long long)position);
}

/* An operation that ends where the bytes end, or a key that is too long. */
static st_status batch_check(st_op *op, const st_batch_reader *batch, int64_t position)
{
    if (batch->reader.failed) {
        return st_fail_at(op, ST_CORRUPT, position,
                          "the operation at byte %lld of a batch is malformed",
                          (long long)position);
    }
    size_t key_bytes = batch->key.size;
    if (batch->type == ST_ENTRY_DELETE_RANGE && batch->value.size > key_bytes) {
        key_bytes = batch->value.size;
    }
    if (key_bytes > ST_LSM_KEY_BYTES_MAX) {
        return st_fail_at(op, ST_CORRUPT, position,
                          "the operation at byte %lld of a batch has a key of %zu bytes; at most "
                          "%u are possible",
                          (long long)position, key_bytes, ST_LSM_KEY_BYTES_MAX);
    }
    return ST_OK;
}

st_status st_lsm__batch_next(st_op *op, st_batch_reader *batch, bool *out_valid)
{
    st_reader *reader = &batch->reader;
    *out_valid = false;
    if (st_reader_left(reader) == 0) {
        return ST_OK;
    }
    int64_t position = (int64_t)reader->at;
    batch->type = st_reader_byte(reader);
    batch->key = batch->value = (st_slice){0};
    if (batch->type < ST_ENTRY_PUT || batch->type > ST_ENTRY_DELETE_RANGE) {
        return batch_bad_type(op, batch->type, position);
    }
    batch->key = st_reader_slice(reader, st_reader_varint(reader));
    if (batch->type != ST_ENTRY_DELETE) {
        batch->value = st_reader_slice(reader, st_reader_varint(reader));
    }
    ST_TRY(batch_check(op, batch, position));
    *out_valid = true;
    return ST_OK;
}

st_status st_lsm__batch_measure(st_op *op, st_slice bytes, size_t *out_count,
                                size_t *out_payload_bytes)
{
    st_batch_reader batch = st_lsm__batch_reader(bytes);
    bool valid;
    *out_count = *out_payload_bytes = 0;
    ST_TRY(st_lsm__batch_next(op, &batch, &valid));
    while (valid) {
        *out_count += 1;
        *out_payload_bytes += batch.key.size + batch.value.size;
        ST_TRY(st_lsm__batch_next(op, &batch, &valid));
    }
    return ST_OK;
}
