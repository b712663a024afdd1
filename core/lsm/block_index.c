/* Index nodes: up to 64 fences, searched in two lines of heads.
 *
 * payload = head · heads · children · filters · prefix · fences; little-endian
 * head = u8 level · u8 count · u16 prefix bytes · u32 zero · 7 x u64 pivot
 * heads = u64 x count, filled up with all ones to a multiple of 8
 * children = (u64 offset · u32 bytes · u32 place of the fence in the payload) x count
 * filters, on level 2 only = (u64 offset · u32 bytes) x count
 * fence = u64 sequence · u16 suffix bytes · suffix
 *
 * The prefix is what all fences begin with. The head of a fence is the first 8 bytes behind the
 * prefix as a big-endian number, zeros behind its end; pivot i is head 8 i + 7, all ones where
 * there is none. A search counts the pivots before its own head, then the heads of one group of 8,
 * all without a branch; only fences with an equal head are compared in full.
 */
#include "lsm/block_internal.h"

#include <string.h>

#define INDEX_HEAD_BYTES 64u
#define INDEX_PIVOTS 7u
#define INDEX_GROUP 8u
#define INDEX_CHILD_BYTES 16u
#define INDEX_FILTER_BYTES 12u
#define INDEX_FENCE_BYTES 10u /* and the suffix */
#define INDEX_BYTES_TARGET 16384u
#define INDEX_FENCES_MIN 8u /* however long the keys are: so that the levels are enough */

/* ---- collecting ------------------------------------------------------------------------- */

bool st_lsm__index_builder_is_full(const st_index_builder *builder, st_slice key)
{
    if (builder->count < INDEX_FENCES_MIN || builder->count == ST_INDEX_FENCES_MAX) {
        return builder->count == ST_INDEX_FENCES_MAX;
    }
    size_t prefix_bytes = st_slice_common(st_lsm__index_builder_key(builder, 0), key);
    size_t bytes = builder->keys.size + key.size - builder->count * prefix_bytes;
    return bytes > INDEX_BYTES_TARGET;
}

bool st_lsm__index_builder_add(st_index_builder *builder, st_slice key, uint64_t sequence,
                               const st_index_child *child)
{
    ST_ASSERT(builder->count < ST_INDEX_FENCES_MAX);
    st_buf_slice(&builder->keys, key);
    if (builder->keys.failed) {
        return false;
    }
    builder->sequences[builder->count] = sequence;
    builder->children[builder->count] = *child;
    builder->key_at[++builder->count] = (uint32_t)builder->keys.size;
    return true;
}

st_slice st_lsm__index_builder_key(const st_index_builder *builder, uint32_t index)
{
    uint32_t at = builder->key_at[index];
    size_t bytes = builder->key_at[index + 1] - at;
    return st_slice_of(bytes > 0 ? builder->keys.data + at : NULL, bytes);
}

static uint64_t index_head(const uint8_t *suffix, size_t bytes)
{
    if (bytes >= 8) {
        return st_get_be64(suffix);
    }
    uint64_t head = 0;
    for (size_t i = 0; i < bytes; i++) {
        head |= (uint64_t)suffix[i] << (56 - 8 * i);
    }
    return head;
}

static uint32_t index_groups(uint32_t count)
{
    return (count + INDEX_GROUP - 1) / INDEX_GROUP;
}

static void index_put_heads(st_buf *out, const uint64_t *heads, uint32_t count)
{
    for (uint32_t i = 0; i < INDEX_PIVOTS; i++) {
        uint32_t at = INDEX_GROUP * i + INDEX_GROUP - 1;
        st_buf_u64(out, at < count ? heads[at] : UINT64_MAX);
    }
    for (uint32_t i = 0; i < index_groups(count) * INDEX_GROUP; i++) {
        st_buf_u64(out, i < count ? heads[i] : UINT64_MAX);
    }
}

st_status st_lsm__index_builder_finish(st_op *op, const st_index_builder *builder, uint32_t level,
                                       st_buf *out)
{
    uint32_t count = builder->count;
    st_slice first = st_lsm__index_builder_key(builder, 0);
    size_t prefix_bytes = st_slice_common(first, st_lsm__index_builder_key(builder, count - 1));
    uint64_t heads[ST_INDEX_FENCES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        st_slice key = st_lsm__index_builder_key(builder, i);
        heads[i] = index_head(prefix_bytes > 0 ? key.data + prefix_bytes : key.data,
                              key.size - prefix_bytes);
    }
    st_buf_clear(out);
    st_buf_byte(out, (uint8_t)level);
    st_buf_byte(out, (uint8_t)count);
    st_buf_u16(out, (uint16_t)prefix_bytes);
    st_buf_u32(out, 0);
    index_put_heads(out, heads, count);
    size_t fence = out->size + count * INDEX_CHILD_BYTES +
                   (level == 2 ? count * INDEX_FILTER_BYTES : 0) + prefix_bytes;
    for (uint32_t i = 0; i < count; i++) {
        st_buf_u64(out, builder->children[i].block.offset);
        st_buf_u32(out, builder->children[i].block.bytes);
        st_buf_u32(out, (uint32_t)fence);
        fence += INDEX_FENCE_BYTES + st_lsm__index_builder_key(builder, i).size - prefix_bytes;
    }
    for (uint32_t i = 0; i < count && level == 2; i++) {
        st_buf_u64(out, builder->children[i].filter.offset);
        st_buf_u32(out, builder->children[i].filter.bytes);
    }
    st_buf_append(out, first.data, prefix_bytes);
    for (uint32_t i = 0; i < count; i++) {
        st_slice key = st_lsm__index_builder_key(builder, i);
        st_buf_u64(out, builder->sequences[i]);
        st_buf_u16(out, (uint16_t)(key.size - prefix_bytes));
        if (key.size > prefix_bytes) {
            st_buf_append(out, key.data + prefix_bytes, key.size - prefix_bytes);
        }
    }
    return st_buf_check(op, out);
}

/* ---- reading ---------------------------------------------------------------------------- */

typedef struct index_fence {
    uint64_t sequence;
    st_slice suffix;
} index_fence;

st_index_view st_lsm__index_view(const uint8_t *payload)
{
    return (st_index_view){payload, payload[1], payload[0]};
}

static const uint8_t *index_children(const st_index_view *view)
{
    return view->data + INDEX_HEAD_BYTES + (size_t)index_groups(view->count) * INDEX_GROUP * 8;
}

static st_slice index_prefix(const st_index_view *view)
{
    const uint8_t *behind = index_children(view) + (size_t)view->count * INDEX_CHILD_BYTES;
    behind += view->level == 2 ? (size_t)view->count * INDEX_FILTER_BYTES : 0;
    return st_slice_of(behind, st_get_u16(view->data + 2));
}

st_index_child st_lsm__index_child(const st_index_view *view, uint32_t index)
{
    const uint8_t *children = index_children(view);
    const uint8_t *at = children + (size_t)index * INDEX_CHILD_BYTES;
    st_index_child child = {.block = {st_get_u64(at), st_get_u32(at + 8)}};
    if (view->level == 2) {
        at =
            children + (size_t)view->count * INDEX_CHILD_BYTES + (size_t)index * INDEX_FILTER_BYTES;
        child.filter = (st_block_handle){st_get_u64(at), st_get_u32(at + 8)};
    }
    return child;
}

static index_fence index_fence_at(const st_index_view *view, uint32_t index)
{
    const uint8_t *child = index_children(view) + (size_t)index * INDEX_CHILD_BYTES;
    const uint8_t *at = view->data + st_get_u32(child + 12);
    return (index_fence){st_get_u64(at), st_slice_of(at + INDEX_FENCE_BYTES, st_get_u16(at + 8))};
}

uint64_t st_lsm__index_fence(const st_index_view *view, uint32_t index, st_buf *out_key)
{
    index_fence fence = index_fence_at(view, index);
    st_buf_clear(out_key);
    st_buf_slice(out_key, index_prefix(view));
    st_buf_slice(out_key, fence.suffix);
    return fence.sequence;
}

static uint32_t index_before(const uint8_t *heads, uint32_t count, uint64_t head)
{
    uint32_t before = 0;
    for (uint32_t i = 0; i < count; i++) {
        before += st_get_u64(heads + 8 * i) < head;
    }
    return before;
}

uint32_t st_lsm__index_seek(const st_index_view *view, st_slice key, uint64_t sequence)
{
    st_slice prefix = index_prefix(view);
    st_slice rest = key;
    if (prefix.size > 0) {
        if (!st_slice_starts_with(key, prefix)) {
            return st_slice_compare(key, prefix) < 0 ? 0 : view->count;
        }
        rest = st_slice_of(key.data + prefix.size, key.size - prefix.size);
    }
    uint64_t head = index_head(rest.data, rest.size);
    const uint8_t *heads = view->data + INDEX_HEAD_BYTES;
    uint32_t group = index_before(view->data + 8, INDEX_PIVOTS, head);
    uint32_t low = INDEX_GROUP * group;
    if (low >= view->count) {
        return view->count;
    }
    low += index_before(heads + 8 * (size_t)low, INDEX_GROUP, head);
    uint32_t high = low;
    while (high < view->count && st_get_u64(heads + 8 * (size_t)high) == head) {
        high++;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        index_fence fence = index_fence_at(view, middle);
        if (st_lsm__order(fence.suffix, fence.sequence, rest, sequence) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* ---- checking --------------------------------------------------------------------------- */

static bool index_is_inside(st_block_handle handle, uint64_t first, uint64_t end)
{
    return handle.offset >= first && handle.offset <= end && handle.bytes <= end - handle.offset;
}

static bool index_check_fences(const st_index_view *view, size_t at, size_t end)
{
    for (uint32_t i = 0; i < view->count; i++) {
        const uint8_t *child = index_children(view) + (size_t)i * INDEX_CHILD_BYTES;
        if (st_get_u32(child + 12) != at || end - at < INDEX_FENCE_BYTES) {
            return false;
        }
        index_fence fence = index_fence_at(view, i);
        if (end - at - INDEX_FENCE_BYTES < fence.suffix.size) {
            return false;
        }
        at += INDEX_FENCE_BYTES + fence.suffix.size;
        const uint8_t *head = view->data + INDEX_HEAD_BYTES + 8 * (size_t)i;
        if (st_get_u64(head) != index_head(fence.suffix.data, fence.suffix.size)) {
            return false;
        }
        if (i > 0) {
            index_fence before = index_fence_at(view, i - 1);
            if (st_lsm__order(before.suffix, before.sequence, fence.suffix, fence.sequence) >= 0) {
                return false;
            }
        }
    }
    return at == end;
}

static bool index_check_heads(const st_index_view *view)
{
    const uint8_t *heads = view->data + INDEX_HEAD_BYTES;
    for (uint32_t i = view->count; i < index_groups(view->count) * INDEX_GROUP; i++) {
        if (st_get_u64(heads + 8 * (size_t)i) != UINT64_MAX) {
            return false;
        }
    }
    for (uint32_t i = 0; i < INDEX_PIVOTS; i++) {
        uint32_t at = INDEX_GROUP * i + INDEX_GROUP - 1;
        uint64_t expected = at < view->count ? st_get_u64(heads + 8 * (size_t)at) : UINT64_MAX;
        if (st_get_u64(view->data + 8 + 8 * (size_t)i) != expected) {
            return false;
        }
    }
    return true;
}

bool st_lsm__index_check(st_slice payload, uint32_t count, uint64_t first, uint64_t end)
{
    if (payload.size < INDEX_HEAD_BYTES || st_get_u32(payload.data + 4) != 0) {
        return false;
    }
    st_index_view view = st_lsm__index_view(payload.data);
    if (view.count != count || count == 0 || count > ST_INDEX_FENCES_MAX || view.level == 0 ||
        view.level > ST_INDEX_LEVELS_MAX) {
        return false;
    }
    st_slice prefix = index_prefix(&view);
    size_t fences = (size_t)(prefix.data - payload.data) + prefix.size;
    if (fences > payload.size || !index_check_heads(&view) ||
        !index_check_fences(&view, fences, payload.size)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        st_index_child child = st_lsm__index_child(&view, i);
        if (!index_is_inside(child.block, first, end) ||
            (view.level == 2 && !index_is_inside(child.filter, first, end))) {
            return false;
        }
    }
    return true;
}
