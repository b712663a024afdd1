/* Data blocks: entries in order, found by fingerprint.
 *
 * payload = u16 count · u16 prefix bytes · u8 shape · 3 zero bytes · body; little-endian
 * body of shape 0 = fingerprint u8 x count, zeros up to a multiple of 16 · slot u16 x count ·
 *     prefix · entries; a slot is the place of an entry in the payload
 * entry = varint suffix bytes · varint value bytes · u64 (sequence << 8 | type) · suffix · value
 * body of shape 1, for one large entry = u32 key bytes · u32 value bytes ·
 *     u64 (sequence << 8 | type) · key · value
 *
 * The prefix is what all keys begin with. The fingerprint of an entry is the low byte of its key's
 * hash: a get compares 16 at a time and looks at entries only where they match. A get touches the
 * head of the block and one entry: two cache misses.
 *
 * While collecting, an entry is u32 key bytes · u32 value bytes · u64 tag · key · value.
 */
#include "lsm/block_internal.h"

#include <string.h>

#if defined(__SSE2__) && !defined(STATOR_PORTABLE)
#include <emmintrin.h>
#endif

#define BLOCK_HEAD_BYTES 8u
#define BLOCK_RAW_HEAD_BYTES 16u
#define BLOCK_LANES 16u

/* ---- collecting ------------------------------------------------------------------------- */

void st_lsm__block_builder_init(st_block_builder *builder, const st_alloc *alloc)
{
    *builder = (st_block_builder){.count = 0};
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

static size_t block_varint_bytes(size_t value)
{
    size_t bytes = 1;
    for (; value >= 0x80; value >>= 7) {
        bytes++;
    }
    return bytes;
}

/* Encoded with its whole key; the length of a suffix is never longer than that of its key. */
static size_t block_entry_bytes(size_t key_bytes, size_t value_bytes)
{
    return block_varint_bytes(key_bytes) + block_varint_bytes(value_bytes) + 8 + key_bytes +
           value_bytes;
}

static size_t block_padded(size_t count)
{
    return (count + BLOCK_LANES - 1) / BLOCK_LANES * BLOCK_LANES;
}

st_entry st_lsm__block_builder_at(const st_block_builder *builder, uint32_t index)
{
    const uint8_t *raw = builder->entries.data + st_get_u32(builder->offsets.data + 4 * index);
    size_t key_bytes = st_get_u32(raw), value_bytes = st_get_u32(raw + 4);
    uint64_t tag = st_get_u64(raw + 8);
    raw += BLOCK_RAW_HEAD_BYTES;
    return (st_entry){st_slice_of(raw, key_bytes), st_slice_of(raw + key_bytes, value_bytes),
                      tag >> 8, (uint8_t)tag};
}

uint64_t st_lsm__block_builder_hash(const st_block_builder *builder, uint32_t index)
{
    return st_get_u64(builder->hashes.data + 8 * (size_t)index);
}

/* Of all keys, with one more: keys come in order, so the last one shares the least with the first.
 */
static size_t block_prefix_with(const st_block_builder *builder, st_slice key)
{
    if (builder->count == 0) {
        return key.size;
    }
    st_slice first = st_lsm__block_builder_at(builder, 0).key;
    return st_slice_common(st_slice_of(first.data, builder->prefix_bytes), key);
}

bool st_lsm__block_builder_add(st_block_builder *builder, const st_entry *entry, uint64_t hash)
{
    size_t prefix_bytes = block_prefix_with(builder, entry->key);
    size_t offset = builder->entries.size;
    st_buf_u32(&builder->entries, (uint32_t)entry->key.size);
    st_buf_u32(&builder->entries, (uint32_t)entry->value.size);
    st_buf_u64(&builder->entries, entry->sequence << 8 | entry->type);
    st_buf_slice(&builder->entries, entry->key);
    st_buf_slice(&builder->entries, entry->value);
    st_buf_u32(&builder->offsets, (uint32_t)offset);
    st_buf_u64(&builder->hashes, hash);
    if (builder->entries.failed || builder->offsets.failed || builder->hashes.failed) {
        return false;
    }
    builder->prefix_bytes = prefix_bytes;
    builder->entry_bytes += block_entry_bytes(entry->key.size, entry->value.size);
    builder->count++;
    return true;
}

static size_t block_bytes_of(size_t count, size_t prefix_bytes, size_t entry_bytes)
{
    size_t suffix_bytes = entry_bytes - count * prefix_bytes;
    return BLOCK_HEAD_BYTES + block_padded(count) + 2 * count + prefix_bytes + suffix_bytes;
}

size_t st_lsm__block_builder_bytes(const st_block_builder *builder, const st_entry *next)
{
    if (!next) {
        return block_bytes_of(builder->count, builder->prefix_bytes, builder->entry_bytes);
    }
    size_t bytes = block_entry_bytes(next->key.size, next->value.size);
    return block_bytes_of(builder->count + 1, block_prefix_with(builder, next->key),
                          builder->entry_bytes + bytes);
}

uint32_t st_lsm__block_builder_cut(const st_block_builder *builder, st_slice next_key)
{
    size_t all = builder->entries.size;
    uint32_t best = builder->count;
    size_t least = SIZE_MAX;
    st_slice behind = next_key;
    for (uint32_t at = builder->count; at > 0; at--) {
        size_t offset = at == builder->count ? all : st_get_u32(builder->offsets.data + 4 * at);
        if (offset < all - all / 4) {
            break;
        }
        st_slice key = st_lsm__block_builder_at(builder, at - 1).key;
        bool is_same = st_slice_equal(key, behind);
        size_t common = is_same ? SIZE_MAX - 1 : st_slice_common(key, behind);
        if (common < least) {
            least = common;
            best = at;
        }
        behind = key;
    }
    return best;
}

void st_lsm__block_builder_drop(st_block_builder *builder, uint32_t count)
{
    size_t left = builder->count - count;
    size_t from =
        left > 0 ? st_get_u32(builder->offsets.data + 4 * (size_t)count) : builder->entries.size;
    builder->entries.size -= from;
    if (left > 0) {
        memmove(builder->entries.data, builder->entries.data + from, builder->entries.size);
        memmove(builder->hashes.data, builder->hashes.data + 8 * (size_t)count, 8 * left);
    }
    builder->offsets.size = 4 * left;
    builder->hashes.size = 8 * left;
    builder->count = (uint32_t)left;
    builder->entry_bytes = 0;
    builder->prefix_bytes = 0;
    for (size_t i = 0; i < left; i++) {
        size_t offset = st_get_u32(builder->offsets.data + 4 * (i + count)) - from;
        st_put_u32(builder->offsets.data + 4 * i, (uint32_t)offset);
        st_entry entry = st_lsm__block_builder_at(builder, (uint32_t)i);
        builder->entry_bytes += block_entry_bytes(entry.key.size, entry.value.size);
    }
    if (left > 0) {
        st_slice first = st_lsm__block_builder_at(builder, 0).key;
        st_slice last = st_lsm__block_builder_at(builder, (uint32_t)left - 1).key;
        builder->prefix_bytes = st_slice_common(first, last);
    }
}

static void block_put_head(st_buf *out, size_t count, size_t prefix_bytes, uint8_t shape)
{
    st_buf_u16(out, (uint16_t)count);
    st_buf_u16(out, (uint16_t)prefix_bytes);
    st_buf_u32(out, shape);
}

static void block_put_large(st_buf *out, const st_entry *entry)
{
    block_put_head(out, 1, 0, 1);
    st_buf_u32(out, (uint32_t)entry->key.size);
    st_buf_u32(out, (uint32_t)entry->value.size);
    st_buf_u64(out, entry->sequence << 8 | entry->type);
    st_buf_slice(out, entry->key);
    st_buf_slice(out, entry->value);
}

st_status st_lsm__block_builder_finish(st_op *op, const st_block_builder *builder, uint32_t count,
                                       st_buf *out)
{
    st_buf_clear(out);
    st_entry first = st_lsm__block_builder_at(builder, 0);
    if (block_entry_bytes(first.key.size, first.value.size) > ST_BLOCK_ENTRY_BYTES_MAX) {
        ST_ASSERT(count == 1);
        block_put_large(out, &first);
        return st_buf_check(op, out);
    }
    st_slice last = st_lsm__block_builder_at(builder, count - 1).key;
    size_t prefix_bytes = st_slice_common(first.key, last);
    block_put_head(out, count, prefix_bytes, 0);
    size_t fingerprints = out->size, slots = fingerprints + block_padded(count);
    uint8_t *heads = st_buf_extend(out, block_padded(count) + 2 * (size_t)count);
    if (heads) {
        memset(heads, 0, block_padded(count));
    }
    st_buf_append(out, first.key.data, prefix_bytes);
    for (uint32_t i = 0; i < count && !out->failed; i++) {
        st_entry entry = st_lsm__block_builder_at(builder, i);
        out->data[fingerprints + i] = (uint8_t)st_lsm__block_builder_hash(builder, i);
        st_put_u16(out->data + slots + 2 * i, (uint16_t)out->size);
        st_buf_varint(out, entry.key.size - prefix_bytes);
        st_buf_varint(out, entry.value.size);
        st_buf_u64(out, entry.sequence << 8 | entry.type);
        st_buf_append(out, entry.key.data + prefix_bytes, entry.key.size - prefix_bytes);
        st_buf_slice(out, entry.value);
    }
    return st_buf_check(op, out);
}

/* ---- checking --------------------------------------------------------------------------- */

/* A block of range deletes holds nothing else, and no other block holds one. */
static bool block_check_tag(uint64_t tag, uint8_t block_type)
{
    uint8_t type = (uint8_t)tag;
    bool is_known = block_type == ST_BLOCK_RANGE ? type == ST_ENTRY_DELETE_RANGE
                                                 : type == ST_ENTRY_PUT || type == ST_ENTRY_DELETE;
    return is_known && tag >> 8 != 0;
}

static bool block_check_large(st_reader *reader, uint32_t count, size_t prefix_bytes, uint8_t type)
{
    uint64_t key_bytes = st_reader_u32(reader), value_bytes = st_reader_u32(reader);
    uint64_t tag = st_reader_u64(reader);
    return count == 1 && prefix_bytes == 0 && !reader->failed && block_check_tag(tag, type) &&
           st_reader_left(reader) == key_bytes + value_bytes;
}

bool st_lsm__block_check(st_slice payload, uint32_t count, uint8_t type)
{
    st_reader reader = st_reader_of(payload);
    bool is_counted = st_reader_u16(&reader) == count && count > 0;
    size_t prefix_bytes = st_reader_u16(&reader);
    uint32_t shape = st_reader_u32(&reader);
    if (reader.failed || !is_counted || shape > 1) {
        return false;
    }
    if (shape == 1) {
        return block_check_large(&reader, count, prefix_bytes, type);
    }
    if (payload.size > UINT16_MAX) {
        return false;
    }
    st_slice fingerprints = st_reader_slice(&reader, block_padded(count));
    st_slice slots = st_reader_slice(&reader, 2 * (size_t)count);
    (void)st_reader_slice(&reader, prefix_bytes);
    for (size_t i = count; i < fingerprints.size; i++) {
        if (fingerprints.data[i] != 0) {
            return false;
        }
    }
    for (uint32_t i = 0; i < count && !reader.failed; i++) {
        bool is_placed = st_get_u16(slots.data + 2 * (size_t)i) == reader.at;
        uint64_t suffix_bytes = st_reader_varint(&reader);
        uint64_t value_bytes = st_reader_varint(&reader);
        uint64_t tag = st_reader_u64(&reader);
        if (!is_placed || suffix_bytes > UINT16_MAX || value_bytes > UINT16_MAX ||
            !block_check_tag(tag, type)) {
            return false;
        }
        (void)st_reader_slice(&reader, suffix_bytes + value_bytes);
    }
    return !reader.failed && st_reader_left(&reader) == 0;
}

/* ---- reading ---------------------------------------------------------------------------- */

st_block_view st_lsm__block_view(const uint8_t *payload)
{
    st_block_view view = {.data = payload, .count = st_get_u16(payload)};
    view.is_large = payload[4] == 1;
    view.slots = payload + BLOCK_HEAD_BYTES + block_padded(view.count);
    view.prefix = st_slice_of(view.slots + 2 * (size_t)view.count, st_get_u16(payload + 2));
    return view;
}

static const uint8_t *block_varint(const uint8_t *at, size_t *out_value)
{
    size_t value = *at & 0x7f;
    for (uint32_t shift = 7; *at++ & 0x80; shift += 7) {
        value |= (size_t)(*at & 0x7f) << shift;
    }
    *out_value = value;
    return at;
}

static st_block_entry block_large(const st_block_view *view)
{
    const uint8_t *at = view->data + BLOCK_HEAD_BYTES;
    size_t key_bytes = st_get_u32(at), value_bytes = st_get_u32(at + 4);
    uint64_t tag = st_get_u64(at + 8);
    at += 16;
    return (st_block_entry){st_slice_of(at, key_bytes), st_slice_of(at + key_bytes, value_bytes),
                            tag >> 8, (uint8_t)tag};
}

st_block_entry st_lsm__block_at(const st_block_view *view, uint32_t index)
{
    if (view->is_large) {
        return block_large(view);
    }
    size_t suffix_bytes, value_bytes;
    const uint8_t *at = view->data + st_get_u16(view->slots + 2 * (size_t)index);
    at = block_varint(at, &suffix_bytes);
    at = block_varint(at, &value_bytes);
    uint64_t tag = st_get_u64(at);
    at += 8;
    return (st_block_entry){st_slice_of(at, suffix_bytes),
                            st_slice_of(at + suffix_bytes, value_bytes), tag >> 8, (uint8_t)tag};
}

uint32_t st_lsm__block_seek(const st_block_view *view, st_slice key, uint64_t sequence)
{
    st_slice rest = key;
    if (!view->is_large && view->prefix.size > 0) {
        if (!st_slice_starts_with(key, view->prefix)) {
            return st_slice_compare(key, view->prefix) < 0 ? 0 : view->count;
        }
        rest = st_slice_of(key.data + view->prefix.size, key.size - view->prefix.size);
    }
    uint32_t low = 0, high = view->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        st_block_entry entry = st_lsm__block_at(view, middle);
        if (st_lsm__order(entry.suffix, entry.sequence, rest, sequence) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* One bit for each of 16 bytes that equals the fingerprint. */
static uint32_t block_matches(const uint8_t *fingerprints, uint8_t fingerprint)
{
#if defined(__SSE2__) && !defined(STATOR_PORTABLE)
    __m128i lanes = _mm_loadu_si128((const __m128i *)(const void *)fingerprints);
    __m128i equal = _mm_cmpeq_epi8(lanes, _mm_set1_epi8((char)fingerprint));
    return (uint32_t)_mm_movemask_epi8(equal);
#else
    /* A byte of difference is zero where it matches: 0x7f + its low bits carries into the high bit
     * unless all are zero. The multiplication gathers the eight high bits. */
    const uint64_t low = 0x7f7f7f7f7f7f7f7fu;
    uint32_t bits = 0;
    for (uint32_t half = 0; half < 2; half++) {
        uint64_t difference =
            st_get_u64(fingerprints + 8 * half) ^ (0x0101010101010101u * fingerprint);
        uint64_t zero = ~(((difference & low) + low) | difference | low) >> 7;
        bits |= (uint32_t)(zero * 0x0102040810204080u >> 56) << (8 * half);
    }
    return bits;
#endif
}

bool st_lsm__block_find(const st_block_view *view, st_slice key, uint64_t hash,
                        uint64_t max_sequence, st_block_entry *out_entry)
{
    if (view->is_large) {
        *out_entry = block_large(view);
        return out_entry->sequence <= max_sequence && st_slice_equal(out_entry->suffix, key);
    }
    if (!st_slice_starts_with(key, view->prefix)) {
        return false;
    }
    size_t suffix_bytes = key.size - view->prefix.size;
    const uint8_t *suffix = key.size > 0 ? key.data + view->prefix.size : NULL;
    const uint8_t *fingerprints = view->data + BLOCK_HEAD_BYTES;
    for (uint32_t base = 0; base < view->count; base += BLOCK_LANES) {
        uint32_t bits = block_matches(fingerprints + base, (uint8_t)hash);
        for (; bits != 0; bits &= bits - 1) {
            uint32_t index = base + (uint32_t)__builtin_ctz(bits);
            if (index >= view->count) {
                return false; /* the padding */
            }
            *out_entry = st_lsm__block_at(view, index);
            if (out_entry->sequence <= max_sequence && out_entry->suffix.size == suffix_bytes &&
                (suffix_bytes == 0 || memcmp(out_entry->suffix.data, suffix, suffix_bytes) == 0)) {
                return true; /* versions stand newest first */
            }
        }
    }
    return false;
}
