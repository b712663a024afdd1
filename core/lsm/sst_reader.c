/* Opening a sorted file, reading blocks through the cache, point reads and range deletes.
 *
 * A get walks the index inside a guard of the cache: blocks that are cached are read where they
 * lie, without lock or count. Only when one is missing does it leave the guard, read the file, and
 * go on with the block that it then holds. The value it hands out is in a counted pin.
 */
#include "lsm/sst_internal.h"

#include <string.h>

st_status st_lsm__sst_corrupt(st_op *op, const st_sst *sst, uint64_t offset, const char *what)
{
    return st_fail_at(op, ST_CORRUPT, (int64_t)offset, "%s: %s at offset %llu", sst->path, what,
                      (unsigned long long)offset);
}

static st_status reader_exact(st_op *op, st_sst *sst, uint64_t offset, void *to, size_t bytes)
{
    size_t got;
    ST_TRY(st_file_read_at(op, sst->file, offset, to, bytes, &got));
    return got == bytes ? ST_OK : st_lsm__sst_corrupt(op, sst, offset, "the file ends too early");
}

/* ---- opening ---------------------------------------------------------------------------- */

static st_status reader_header(st_op *op, st_sst *sst, const st_sst_summary *summary)
{
    uint8_t header[ST_SST_HEADER_BYTES];
    ST_TRY(reader_exact(op, sst, 0, header, sizeof header));
    if (memcmp(header, ST_SST_MAGIC, 8) != 0) {
        return st_lsm__sst_corrupt(op, sst, 0, "this is not a sorted file");
    }
    memcpy(sst->identity.database_id, header + 16, 16);
    sst->identity.file_id = st_get_u64(header + 32);
    if (st_get_u32(header + 76) != st_lsm__place_crc(&sst->identity, 0, header, 76)) {
        return st_lsm__sst_corrupt(op, sst, 0, "bad checksum of the file header");
    }
    if (st_get_u32(header + 8) != ST_SST_FORMAT) {
        return st_fail(op, ST_UNSUPPORTED, "%s: sorted file format %u of a later version",
                       sst->path, st_get_u32(header + 8));
    }
    uint64_t unknown = st_get_u64(header + 64); /* what everyone must know */
    if (unknown != 0) {
        return st_fail(op, ST_UNSUPPORTED, "%s: feature bit %u (%#llx) of a later version",
                       sst->path, (unsigned)__builtin_ctzll(unknown), (unsigned long long)unknown);
    }
    sst->trailer_bytes = st_get_u32(header + 12);
    if (sst->trailer_bytes > ST_SST_TRAILER_BYTES_MAX ||
        st_get_u64(header + 40) != ST_SST_GENERATION) {
        return st_lsm__sst_corrupt(op, sst, 0, "a file header that no version writes");
    }
    if (summary && (memcmp(sst->identity.database_id, summary->identity.database_id, 16) != 0 ||
                    sst->identity.file_id != summary->identity.file_id)) {
        return st_lsm__sst_corrupt(op, sst, 16, "this is another file than the manifest names");
    }
    return ST_OK;
}

static bool reader_is_inside(const st_sst *sst, st_block_handle handle)
{
    uint64_t end = sst->file_bytes - ST_SST_FOOTER_BYTES;
    return handle.bytes >= ST_BLOCK_HEADER_BYTES + sst->trailer_bytes &&
           handle.offset >= ST_SST_HEADER_BYTES && handle.offset <= end &&
           handle.bytes <= end - handle.offset;
}

/* Whether the numbers of the footer can be true together. */
static bool reader_footer_is_sound(const st_sst *sst)
{
    uint64_t end = sst->file_bytes - ST_SST_FOOTER_BYTES;
    bool has_entries = sst->entry_count > 0, has_ranges = sst->range_count > 0;
    if (sst->index_levels > ST_INDEX_LEVELS_MAX || has_entries != (sst->index_levels > 0) ||
        (has_entries && !reader_is_inside(sst, sst->root.block)) ||
        (sst->root.filter.bytes > 0) != (sst->index_levels == 1) ||
        (sst->index_levels == 1 && !reader_is_inside(sst, sst->root.filter))) {
        return false;
    }
    if (has_ranges != (sst->range_bytes > 0) || sst->range_bytes > end ||
        sst->range_offset > end - sst->range_bytes ||
        (has_ranges && sst->range_offset < ST_SST_HEADER_BYTES)) {
        return false;
    }
    return (has_entries || has_ranges) && sst->smallest_sequence > 0 &&
           sst->smallest_sequence <= sst->largest_sequence &&
           sst->largest_sequence <= ST_SEQUENCE_MAX;
}

static st_status reader_footer(st_op *op, st_sst *sst, const st_sst_summary *summary)
{
    ST_TRY(st_file_size(op, sst->file, &sst->file_bytes));
    if (sst->file_bytes < ST_SST_HEADER_BYTES + ST_SST_FOOTER_BYTES ||
        (summary && sst->file_bytes != summary->file_bytes)) {
        return st_lsm__sst_corrupt(op, sst, sst->file_bytes,
                                   "the file has another length than when it was written");
    }
    uint64_t offset = sst->file_bytes - ST_SST_FOOTER_BYTES;
    uint8_t footer[ST_SST_FOOTER_BYTES];
    ST_TRY(reader_exact(op, sst, offset, footer, sizeof footer));
    if (memcmp(footer, ST_SST_MAGIC, 8) != 0 ||
        st_get_u32(footer + 108) != st_lsm__place_crc(&sst->identity, offset, footer, 108)) {
        return st_lsm__sst_corrupt(op, sst, offset, "bad checksum of the footer");
    }
    sst->root.block = (st_block_handle){st_get_u64(footer + 8), st_get_u32(footer + 16)};
    sst->index_levels = st_get_u32(footer + 20);
    sst->root.filter = (st_block_handle){st_get_u64(footer + 24), st_get_u32(footer + 32)};
    sst->entry_count = st_get_u64(footer + 40);
    sst->range_offset = st_get_u64(footer + 48);
    sst->range_bytes = st_get_u64(footer + 56);
    sst->range_count = st_get_u64(footer + 64);
    sst->smallest_sequence = st_get_u64(footer + 72);
    sst->largest_sequence = st_get_u64(footer + 80);
    if (st_get_u64(footer + 88) != sst->file_bytes || !reader_footer_is_sound(sst)) {
        return st_lsm__sst_corrupt(op, sst, offset, "a footer that contradicts itself");
    }
    if (summary && (sst->entry_count != summary->entry_count ||
                    sst->smallest_sequence != summary->smallest_sequence ||
                    sst->largest_sequence != summary->largest_sequence)) {
        return st_lsm__sst_corrupt(op, sst, offset, "the footer contradicts the manifest");
    }
    return ST_OK;
}

st_status st_lsm__sst_open(st_op *op, st_env *env, const st_alloc *alloc, st_cache *cache,
                           const char *path, const st_sst_summary *summary, st_sst **out_sst)
{
    *out_sst = NULL;
    size_t path_bytes = strlen(path) + 1;
    st_sst *sst = st_alloc_new(alloc, sizeof *sst + path_bytes);
    if (!sst) {
        return st_fail_memory(op, sizeof *sst);
    }
    sst->env = env;
    sst->alloc = alloc;
    sst->cache = cache;
    sst->path_bytes = path_bytes;
    memcpy(sst->path, path, path_bytes);
    sst->cache_file = st_lsm__cache_new_file(cache);
    st_status status = st_env_open(op, env, path, ST_OPEN_READ, &sst->file);
    if (status == ST_OK) {
        status = reader_header(op, sst, summary);
    }
    if (status == ST_OK) {
        status = reader_footer(op, sst, summary);
    }
    if (status != ST_OK) {
        st_lsm__sst_close(sst);
        return status;
    }
    *out_sst = sst;
    return ST_OK;
}

void st_lsm__sst_close(st_sst *sst)
{
    if (sst) {
        st_lsm__cache_drop_file(sst->cache, sst->cache_file);
        st_file_close(sst->file);
        st_alloc_free(sst->alloc, sst, sizeof *sst + sst->path_bytes);
    }
}

/* ---- blocks ----------------------------------------------------------------------------- */

typedef struct reader_stored {
    uint8_t type, codec;
    uint32_t stored_bytes, raw_bytes, count;
} reader_stored;

static reader_stored reader_block_header(const uint8_t *header)
{
    return (reader_stored){header[0], header[1], st_get_u32(header + 4), st_get_u32(header + 8),
                           st_get_u32(header + 12)};
}

/* Whether the payload is what a block of this type must be. Children of a node stand before it. */
static bool reader_payload_is_sound(st_block_handle handle, uint8_t type, st_slice payload,
                                    uint32_t count)
{
    if (type == ST_BLOCK_INDEX) {
        return st_lsm__index_check(payload, count, ST_SST_HEADER_BYTES, handle.offset);
    }
    return type == ST_BLOCK_FILTER ? st_lsm__filter_check(payload)
                                   : st_lsm__block_check(payload, count, type);
}

static st_status reader_zstd_missing(st_op *op, st_sst *sst, uint64_t offset)
{
    return st_fail_at(op, ST_UNSUPPORTED, (int64_t)offset,
                      "%s: the block at offset %llu is compressed with zstd, and libzstd.so.1 is "
                      "not installed (package libzstd1)",
                      sst->path, (unsigned long long)offset);
}

/* Checks the stored bytes of a block and unpacks them into memory of the cache. */
static st_status reader_unpack(st_op *op, st_sst *sst, st_block_handle handle, uint8_t type,
                               const uint8_t *bytes, st_block_pin **out_pin)
{
    reader_stored block = reader_block_header(bytes);
    const uint8_t *stored = bytes + ST_BLOCK_HEADER_BYTES;
    uint32_t crc = st_lsm__place_crc(&sst->identity, handle.offset, bytes, 20);
    if (block.stored_bytes != handle.bytes - ST_BLOCK_HEADER_BYTES - sst->trailer_bytes ||
        st_get_u32(bytes + 20) != st_crc32c(crc, stored, block.stored_bytes)) {
        return st_lsm__sst_corrupt(op, sst, handle.offset, "bad checksum of a block");
    }
    bool is_plain = block.codec == ST_SST_COMPRESS_NONE;
    if (block.type != type || block.codec > ST_SST_COMPRESS_ZSTD ||
        block.raw_bytes > ST_BLOCK_BYTES_MAX ||
        (is_plain && block.raw_bytes != block.stored_bytes)) {
        return st_lsm__sst_corrupt(op, sst, handle.offset, "a block of another kind than expected");
    }
    st_slice payload = st_slice_of(stored, block.stored_bytes);
    if (!is_plain && !st_lsm__codec_has_zstd()) {
        return reader_zstd_missing(op, sst, handle.offset);
    }
    if (!is_plain && !st_lsm__codec_check(payload, block.raw_bytes)) {
        return st_lsm__sst_corrupt(op, sst, handle.offset, "a block that cannot be decompressed");
    }
    st_block_place place = {sst->cache_file, handle.offset, handle.bytes, type};
    st_block_pin *pin = st_lsm__cache_reserve(sst->cache, &place, block.raw_bytes);
    if (!pin) {
        return st_fail_memory(op, block.raw_bytes);
    }
    uint8_t *raw = st_lsm__pin_data(pin);
    bool is_sound = true;
    if (is_plain && payload.size > 0) {
        memcpy(raw, payload.data, payload.size);
    } else if (!is_plain) {
        is_sound = st_lsm__codec_decompress(payload, raw, block.raw_bytes);
    }
    st_slice content = st_slice_of(raw, block.raw_bytes);
    if (!is_sound || !reader_payload_is_sound(handle, type, content, block.count)) {
        st_lsm__block_unpin(pin);
        return st_lsm__sst_corrupt(op, sst, handle.offset, "a malformed block");
    }
    *out_pin = pin;
    return ST_OK;
}

/* Before each read of the file: who wants memory only, or is out of time, does not wait for it. */
static st_status reader_may_read(st_op *op, const st_sst *sst)
{
    if (op->flags & ST_OP_CACHED_ONLY) {
        return st_fail(op, ST_WOULD_BLOCK, "the answer is not in memory");
    }
    if (op->deadline_us != 0 && st_env_monotonic_us(sst->env) >= op->deadline_us) {
        return st_fail(op, ST_DEADLINE, "the deadline passed before %s was read", sst->path);
    }
    return ST_OK;
}

st_status st_lsm__sst_read_block(st_op *op, st_sst *sst, st_block_handle handle, uint8_t type,
                                 st_block_pin **out_pin)
{
    *out_pin = NULL;
    if (!reader_is_inside(sst, handle)) {
        return st_lsm__sst_corrupt(op, sst, handle.offset, "no block is where the index points");
    }
    ST_TRY(reader_may_read(op, sst));
    uint8_t room[2 * ST_BLOCK_TARGET_BYTES];
    uint8_t *bytes =
        handle.bytes <= sizeof room ? room : st_alloc_resize(sst->alloc, NULL, 0, handle.bytes);
    if (!bytes) {
        return st_fail_memory(op, handle.bytes);
    }
    st_status status = reader_exact(op, sst, handle.offset, bytes, handle.bytes);
    if (status == ST_OK) {
        status = reader_unpack(op, sst, handle, type, bytes, out_pin);
    }
    if (bytes != room) {
        st_alloc_free(sst->alloc, bytes, handle.bytes);
    }
    return status;
}

st_status st_lsm__sst_expect(st_op *op, const st_sst *sst, const st_block_pin *pin,
                             st_block_handle handle, uint8_t type)
{
    const st_block_place *place = st_lsm__pin_place(pin);
    if (place->type != type || place->disk_bytes != handle.bytes) {
        return st_lsm__sst_corrupt(op, sst, handle.offset, "a block of another kind than expected");
    }
    return ST_OK;
}

st_status st_lsm__sst_block(st_op *op, st_sst *sst, st_block_handle handle, uint8_t type,
                            st_block_pin **out_pin)
{
    st_lsm__cache_get(sst->cache, sst->cache_file, handle.offset, out_pin);
    if (!*out_pin) {
        ST_TRY(st_lsm__sst_read_block(op, sst, handle, type, out_pin));
        st_lsm__cache_insert(out_pin);
    }
    st_status status = st_lsm__sst_expect(op, sst, *out_pin, handle, type);
    if (status != ST_OK) {
        st_lsm__block_unpin(*out_pin);
        *out_pin = NULL;
    }
    return status;
}

st_status st_lsm__sst_node(st_op *op, const st_sst *sst, const st_block_pin *pin, uint32_t level,
                           st_index_view *out_view)
{
    *out_view = st_lsm__index_view(st_lsm__pin_data(pin));
    return out_view->level == level
               ? ST_OK
               : st_lsm__sst_corrupt(op, sst, st_lsm__pin_place(pin)->offset,
                                     "an index node of another level than expected");
}

st_status st_lsm__sst_walk(st_op *op, st_sst *sst, uint64_t offset, uint64_t end,
                           uint8_t out_header[ST_BLOCK_HEADER_BYTES], st_block_handle *out_handle)
{
    ST_TRY(reader_may_read(op, sst));
    if (end - offset < ST_BLOCK_HEADER_BYTES) {
        return st_lsm__sst_corrupt(op, sst, offset, "a block that ends too early");
    }
    ST_TRY(reader_exact(op, sst, offset, out_header, ST_BLOCK_HEADER_BYTES));
    uint64_t bytes = (uint64_t)ST_BLOCK_HEADER_BYTES + sst->trailer_bytes +
                     reader_block_header(out_header).stored_bytes;
    if (bytes > end - offset || bytes > UINT32_MAX) {
        return st_lsm__sst_corrupt(op, sst, offset, "a block that ends too late");
    }
    *out_handle = (st_block_handle){offset, (uint32_t)bytes};
    return ST_OK;
}

/* ---- point reads ------------------------------------------------------------------------ */

typedef struct reader_get {
    st_sst *sst;
    st_slice key;
    uint64_t hash, max_sequence;
    st_cache_guard guard;
    st_block_pin *held; /* the block that was read last, if the cache did not have it */
} reader_get;

/* Reads or counts a block, outside the guard. */
static st_status reader_hold(st_op *op, reader_get *get, st_block_handle handle, uint8_t type,
                             st_block_pin **out_block)
{
    st_lsm__cache_leave(&get->guard);
    st_lsm__block_unpin(get->held);
    st_status status = st_lsm__sst_block(op, get->sst, handle, type, &get->held);
    st_lsm__cache_enter(get->sst->cache, &get->guard);
    *out_block = get->held;
    return status;
}

/* A block, readable until the next call: in the cache under the guard, or held. */
static st_status reader_look(st_op *op, reader_get *get, st_block_handle handle, uint8_t type,
                             st_block_pin **out_block)
{
    *out_block = st_lsm__cache_peek(&get->guard, get->sst->cache_file, handle.offset);
    return *out_block ? st_lsm__sst_expect(op, get->sst, *out_block, handle, type)
                      : reader_hold(op, get, handle, type, out_block);
}

/* Down the index to the data block that may hold the key; *out_goes_on false when none does. */
static st_status reader_descend(st_op *op, reader_get *get, st_block_handle *out_data,
                                bool *out_goes_on)
{
    st_index_child child = get->sst->root;
    *out_goes_on = false;
    for (uint32_t level = get->sst->index_levels; level > 0; level--) {
        st_block_pin *block;
        if (level == 1) {
            ST_TRY(reader_look(op, get, child.filter, ST_BLOCK_FILTER, &block));
            st_slice filter = st_slice_of(st_lsm__pin_data(block), st_lsm__pin_bytes(block));
            if (!st_lsm__filter_may_contain(filter, get->hash)) {
                return ST_OK;
            }
        }
        st_index_view view;
        ST_TRY(reader_look(op, get, child.block, ST_BLOCK_INDEX, &block));
        ST_TRY(st_lsm__sst_node(op, get->sst, block, level, &view));
        uint32_t index = st_lsm__index_seek(&view, get->key, get->max_sequence);
        if (index == view.count) {
            return ST_OK;
        }
        child = st_lsm__index_child(&view, index);
    }
    *out_data = child.block;
    *out_goes_on = get->sst->index_levels > 0;
    return ST_OK;
}

/* Makes the block a pin: it is held, or counted now; false when it is just being evicted. */
static bool reader_keep(reader_get *get, st_block_pin *block, st_block_pin **out_pin)
{
    if (block != get->held && !st_lsm__block_retain(block)) {
        return false;
    }
    get->held = block == get->held ? NULL : get->held;
    *out_pin = block;
    return true;
}

static st_status reader_find(st_op *op, reader_get *get, st_entry *out_entry, bool *out_found,
                             st_block_pin **out_pin)
{
    st_block_handle handle;
    st_block_pin *block;
    bool goes_on;
    ST_TRY(reader_descend(op, get, &handle, &goes_on));
    if (!goes_on) {
        return ST_OK;
    }
    ST_TRY(reader_look(op, get, handle, ST_BLOCK_DATA, &block));
    for (;;) {
        st_block_view view = st_lsm__block_view(st_lsm__pin_data(block));
        st_block_entry entry;
        if (!st_lsm__block_find(&view, get->key, get->hash, get->max_sequence, &entry)) {
            return ST_OK;
        }
        if (reader_keep(get, block, out_pin)) {
            *out_entry = (st_entry){get->key, entry.value, entry.sequence, entry.type};
            *out_found = true;
            return ST_OK;
        }
        ST_TRY(reader_hold(op, get, handle, ST_BLOCK_DATA, &block));
    }
}

st_status st_lsm__sst_get(st_op *op, st_sst *sst, st_slice key, uint64_t hash,
                          uint64_t max_sequence, st_entry *out_entry, bool *out_found,
                          st_block_pin **out_pin)
{
    *out_found = false;
    *out_pin = NULL;
    reader_get get = {.sst = sst, .key = key, .hash = hash, .max_sequence = max_sequence};
    st_lsm__cache_enter(sst->cache, &get.guard);
    st_status status = reader_find(op, &get, out_entry, out_found, out_pin);
    st_lsm__cache_leave(&get.guard);
    st_lsm__block_unpin(get.held);
    return status;
}

/* ---- range deletes ---------------------------------------------------------------------- */

uint64_t st_lsm__sst_range_count(const st_sst *sst)
{
    return sst->range_count;
}

static st_status reader_visit_block(st_op *op, const st_block_view *view, st_buf *from,
                                    st_sst_visit_range visit, void *ctx)
{
    for (uint32_t i = 0; i < view->count; i++) {
        st_block_entry entry = st_lsm__block_at(view, i);
        st_buf_clear(from);
        if (!view->is_large) {
            st_buf_slice(from, view->prefix);
        }
        st_buf_slice(from, entry.suffix);
        ST_TRY(st_buf_check(op, from));
        st_range_delete range = {st_buf_view(from), entry.value, entry.sequence};
        ST_TRY(visit(ctx, op, &range));
    }
    return ST_OK;
}

st_status st_lsm__sst_ranges(st_op *op, st_sst *sst, st_sst_visit_range visit, void *ctx)
{
    uint64_t offset = sst->range_offset, end = sst->range_offset + sst->range_bytes, count = 0;
    st_buf from;
    st_buf_init(&from, sst->alloc);
    st_status status = ST_OK;
    while (status == ST_OK && offset < end) {
        uint8_t header[ST_BLOCK_HEADER_BYTES];
        st_block_handle handle;
        st_block_pin *pin = NULL;
        st_lsm__cache_get(sst->cache, sst->cache_file, offset, &pin);
        if (pin) {
            handle = (st_block_handle){offset, st_lsm__pin_place(pin)->disk_bytes};
            status = st_lsm__sst_expect(op, sst, pin, handle, ST_BLOCK_RANGE);
        } else {
            status = st_lsm__sst_walk(op, sst, offset, end, header, &handle);
            if (status == ST_OK) {
                status = st_lsm__sst_block(op, sst, handle, ST_BLOCK_RANGE, &pin);
            }
        }
        if (status == ST_OK) {
            st_block_view view = st_lsm__block_view(st_lsm__pin_data(pin));
            status = reader_visit_block(op, &view, &from, visit, ctx);
            count += view.count;
            offset += handle.bytes;
        }
        st_lsm__block_unpin(pin);
    }
    if (status == ST_OK && count != sst->range_count) {
        status = st_lsm__sst_corrupt(op, sst, sst->range_offset,
                                     "the footer has another count of range deletes");
    }
    st_buf_deinit(&from);
    return status;
}

typedef struct reader_cover {
    st_slice key;
    uint64_t max_sequence, sequence;
} reader_cover;

static st_status reader_cover_one(void *ctx, st_op *op, const st_range_delete *range)
{
    (void)op;
    reader_cover *cover = ctx;
    if (range->sequence <= cover->max_sequence && range->sequence > cover->sequence &&
        st_slice_compare(range->from, cover->key) <= 0 &&
        st_slice_compare(cover->key, range->to) < 0) {
        cover->sequence = range->sequence;
    }
    return ST_OK;
}

st_status st_lsm__sst_covering(st_op *op, st_sst *sst, st_slice key, uint64_t max_sequence,
                               uint64_t *out_sequence)
{
    reader_cover cover = {key, max_sequence, 0};
    *out_sequence = 0;
    ST_TRY(st_lsm__sst_ranges(op, sst, reader_cover_one, &cover));
    *out_sequence = cover.sequence;
    return ST_OK;
}
