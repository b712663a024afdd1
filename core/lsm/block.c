/* Blocks: many entries, searched in place.
 *
 * payload = u32 count · u8 slot bytes (2, 4) · u8 0 · u16 prefix bytes · count x u8 fingerprint ·
 * count x slot (offset of the entry from the start of the payload) · prefix · entries entry   =
 * varint suffix bytes · suffix · varint (sequence << 3 | type) · varint value bytes · value
 *
 * The prefix is what all keys of the block begin with. A fingerprint is the low byte of the key's
 * hash: a get compares keys only where it matches.
 */
#include "lsm/sst_internal.h"

#include <string.h>

#define BLOCK_HEAD_BYTES 8u

void st_lsm__block_builder_init(st_block_builder *builder, const st_alloc *alloc)
{
    *builder = (st_block_builder){0};
    st_buf_init(&builder->entries, alloc);
    st_buf_init(&builder->offsets, alloc);
    st_buf_init(&builder->hashes, alloc);
}

void st_lsm__block_builder_deinit(st_block_builder *builder)
{
    st_buf_deinit(&builder->entries);
    st_buf_deinit(&builder->offsets);
    st_buf_deinit(&builder->hashes);
}

void st_lsm__block_builder_clear(st_block_builder *builder)
{
    st_buf_clear(&builder->entries);
    st_buf_clear(&builder->offsets);
    st_buf_clear(&builder->hashes);
    builder->count = 0;
    builder->prefix_bytes = 0;
}

/* While collecting an entry is u32 key bytes · key · u64 sequence << 3 | type · u32 value bytes ·
 * value. */
void st_lsm__block_builder_add(st_block_builder *builder, const st_entry *entry)
{
    st_buf_u32(&builder->offsets, (uint32_t)builder->entries.size);
    st_buf_byte(&builder->hashes, (uint8_t)st_lsm__key_hash(entry->key));
    st_buf_u32(&builder->entries, (uint32_t)entry->key.size);
    st_buf_slice(&builder->entries, entry->key);
    st_buf_u64(&builder->entries, entry->sequence << 3 | entry->type);
    st_buf_u32(&builder->entries, (uint32_t)entry->value.size);
    st_buf_slice(&builder->entries, entry->value);
    if (builder->entries.failed) {
        return;
    }
    if (builder->count == 0) {
        builder->prefix_bytes = entry->key.size < UINT16_MAX ? entry->key.size : UINT16_MAX;
    } else {
        st_slice first = st_slice_of(builder->entries.data + 4, builder->prefix_bytes);
        builder->prefix_bytes = st_slice_common(first, entry->key);
    }
    builder->count++;
}

size_t st_lsm__block_builder_bytes(const st_block_builder *builder)
{
    return builder->entries.size -
           builder->count * (builder->prefix_bytes < 8 ? builder->prefix_bytes : 8);
}

static void block_put_entry(st_buf *out, st_slice key, size_t prefix_bytes, uint64_t tag,
                            st_slice value)
{
    st_buf_varint(out, key.size - prefix_bytes);
    st_buf_append(out, key.data + prefix_bytes, key.size - prefix_bytes);
    st_buf_varint(out, tag);
    st_buf_varint(out, value.size);
    st_buf_slice(out, value);
}

st_status st_lsm__block_builder_finish(st_op *op, st_block_builder *builder, st_buf *out)
{
    ST_TRY(st_buf_check(op, &builder->entries));
    ST_TRY(st_buf_check(op, &builder->offsets));
    ST_TRY(st_buf_check(op, &builder->hashes));
    st_buf_clear(out);
    size_t count = builder->count;
    size_t most =
        BLOCK_HEAD_BYTES + count * 5 + builder->prefix_bytes + builder->entries.size + count * 8;
    uint8_t slot_bytes = most <= UINT16_MAX ? 2 : 4;
    st_buf_u32(out, builder->count);
    st_buf_byte(out, slot_bytes);
    st_buf_byte(out, 0);
    st_buf_u16(out, (uint16_t)builder->prefix_bytes);
    st_buf_slice(out, st_buf_view(&builder->hashes));
    size_t slots = out->size;
    (void)st_buf_extend(out, count * slot_bytes);
    st_buf_append(out, builder->entries.data + 4, count > 0 ? builder->prefix_bytes : 0);
    for (size_t i = 0; i < count && !out->failed; i++) {
        const uint8_t *entry = builder->entries.data + st_get_u32(builder->offsets.data + 4 * i);
        st_slice key = st_slice_of(entry + 4, st_get_u32(entry));
        const uint8_t *behind = key.data + key.size;
        st_slice value = st_slice_of(behind + 12, st_get_u32(behind + 8));
        if (slot_bytes == 2) {
            st_put_u16(out->data + slots + 2 * i, (uint16_t)out->size);
        } else {
            st_put_u32(out->data + slots + 4 * i, (uint32_t)out->size);
        }
        block_put_entry(out, key, builder->prefix_bytes, st_get_u64(behind), value);
    }
    return st_buf_check(op, out);
}

bool st_lsm__block_open(st_slice payload, st_block_view *out_view)
{
    *out_view = (st_block_view){.payload = payload};
    if (payload.size < BLOCK_HEAD_BYTES) {
        return false;
    }
    out_view->count = st_get_u32(payload.data);
    out_view->slot_bytes = payload.data[4];
    size_t prefix_bytes = st_get_u16(payload.data + 6);
    bool has_slots = out_view->slot_bytes == 2 || out_view->slot_bytes == 4;
    uint64_t heads =
        BLOCK_HEAD_BYTES + (uint64_t)out_view->count * (1u + out_view->slot_bytes) + prefix_bytes;
    if (!has_slots || heads > payload.size) {
        return false;
    }
    out_view->fingerprints = payload.data + BLOCK_HEAD_BYTES;
    out_view->slots = out_view->fingerprints + out_view->count;
    out_view->prefix =
        st_slice_of(out_view->slots + (size_t)out_view->count * out_view->slot_bytes, prefix_bytes);
    return true;
}

bool st_lsm__block_at(const st_block_view *view, uint32_t index, st_block_entry *out_entry)
{
    const uint8_t *slot = view->slots + (size_t)index * view->slot_bytes;
    st_reader reader = st_reader_of(view->payload);
    reader.at = view->slot_bytes == 2 ? st_get_u16(slot) : st_get_u32(slot);
    if (reader.at > view->payload.size) {
        return false;
    }
    out_entry->suffix = st_reader_slice(&reader, st_reader_varint(&reader));
    uint64_t tag = st_reader_varint(&reader);
    out_entry->value = st_reader_slice(&reader, st_reader_varint(&reader));
    out_entry->sequence = tag >> 3;
    out_entry->type = (uint8_t)(tag & 7);
    return !reader.failed;
}

/* Order of an entry relative to (key, sequence), where key is known to begin with the prefix up to
 * rest. */
static int block_order(const st_block_entry *entry, st_slice rest, uint64_t sequence)
{
    return st_lsm__order(entry->suffix, entry->sequence, rest, sequence);
}

uint32_t st_lsm__block_seek(const st_block_view *view, st_slice key, uint64_t sequence)
{
    size_t common = st_slice_common(view->prefix, key);
    if (common < view->prefix.size) {
        bool is_before = common == key.size || key.data[common] < view->prefix.data[common];
        return is_before ? 0 : view->count;
    }
    st_slice rest = st_slice_of(key.data + common, key.size - common);
    uint32_t low = 0, high = view->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        st_block_entry entry;
        if (!st_lsm__block_at(view, middle, &entry)) {
            return UINT32_MAX;
        }
        if (block_order(&entry, rest, sequence) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool st_lsm__block_find(const st_block_view *view, st_slice key, uint64_t hash,
                        uint64_t max_sequence, st_block_entry *out_entry, bool *out_malformed)
{
    *out_malformed = false;
    if (!st_slice_starts_with(key, view->prefix)) {
        return false;
    }
    st_slice rest = st_slice_of(key.data + view->prefix.size, key.size - view->prefix.size);
    const uint8_t *at = view->fingerprints;
    const uint8_t *end = at + view->count;
    while (at < end && (at = memchr(at, (uint8_t)hash, (size_t)(end - at))) != NULL) {
        if (!st_lsm__block_at(view, (uint32_t)(at - view->fingerprints), out_entry)) {
            *out_malformed = true;
            return false;
        }
        if (out_entry->sequence <= max_sequence && st_slice_equal(out_entry->suffix, rest)) {
            return true; /* versions stand newest first */
        }
        at++;
    }
    return false;
}
