/* Opening a sorted file, reading blocks through the cache, and point reads. */
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

static st_status reader_header(st_op *op, st_sst *sst, const st_sst_summary *summary)
{
    uint8_t header[ST_SST_HEADER_BYTES];
    ST_TRY(reader_exact(op, sst, 0, header, sizeof header));
    if (memcmp(header, ST_SST_MAGIC, 8) != 0) {
        return st_lsm__sst_corrupt(op, sst, 0, "this is not a sorted file");
    }
    memcpy(sst->identity.database_id, header + 16, 16);
    sst->identity.file_id = st_get_u64(header + 32);
    if (st_get_u32(header + 60) != st_lsm__place_crc(&sst->identity, 0, header, 60)) {
        return st_lsm__sst_corrupt(op, sst, 0, "bad checksum of the file header");
    }
    if (st_get_u32(header + 8) != ST_SST_FORMAT || st_get_u32(header + 12) != 0) {
        return st_fail(op, ST_UNSUPPORTED, "%s: sorted file format %u of a later version",
                       sst->path, st_get_u32(header + 8));
    }
    if (st_get_u32(header + 48) != 0) { /* what everyone must know */
        return st_fail(op, ST_UNSUPPORTED, "%s: feature bits %#x of a later version", sst->path,
                       st_get_u32(header + 48));
    }
    if (summary && (memcmp(sst->identity.database_id, summary->identity.database_id, 16) != 0 ||
                    sst->identity.file_id != summary->identity.file_id)) {
        return st_lsm__sst_corrupt(op, sst, 16, "this is another file than the manifest names");
    }
    return ST_OK;
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
    if (st_get_u32(footer + 60) != st_lsm__place_crc(&sst->identity, offset, footer, 60)) {
        return st_lsm__sst_corrupt(op, sst, offset, "bad checksum of the footer");
    }
    sst->root = (st_block_handle){st_get_u64(footer + 8), st_get_u32(footer + 16)};
    sst->index_levels = st_get_u32(footer + 20);
    sst->entry_count = st_get_u64(footer + 24);
    if (sst->index_levels < 2 || sst->index_levels > 8 ||
        (summary && sst->entry_count != summary->entry_count)) {
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

/* Checks the stored bytes of a block and unpacks them into a reserved place of the cache. */
static st_status reader_unpack(st_op *op, st_sst *sst, st_block_handle handle, uint8_t type,
                               const uint8_t *stored, st_block_pin **out_pin)
{
    uint32_t stored_bytes = st_get_u32(stored + 4), raw_bytes = st_get_u32(stored + 8);
    uint32_t crc = st_lsm__place_crc(&sst->identity, handle.offset, stored, 20);
    if (stored_bytes != handle.bytes - ST_BLOCK_HEADER_BYTES ||
        st_get_u32(stored + 20) != st_crc32c(crc, stored + ST_BLOCK_HEADER_BYTES, stored_bytes)) {
        return st_lsm__sst_corrupt(op, sst, handle.offset, "bad checksum of a block");
    }
    bool is_plain = stored[1] == ST_SST_COMPRESS_NONE;
    if (stored[0] != type || raw_bytes > ST_BLOCK_BYTES_MAX ||
        (is_plain && raw_bytes != stored_bytes)) {
        return st_lsm__sst_corrupt(op, sst, handle.offset, "a block of another kind than expected");
    }
    st_block_pin *pin =
        st_lsm__cache_reserve(sst->cache, sst->cache_file, handle.offset, raw_bytes);
    if (!pin) {
        return st_fail_memory(op, raw_bytes);
    }
    st_slice payload = st_slice_of(stored + ST_BLOCK_HEADER_BYTES, stored_bytes);
    if (is_plain) {
        memcpy(st_lsm__pin_data(pin), payload.data, raw_bytes);
    } else if (!st_lsm__codec_decompress(payload, st_lsm__pin_data(pin), raw_bytes)) {
        st_lsm__block_unpin(pin);
        if (!st_lsm__codec_has_zstd()) {
            return st_fail_at(op, ST_UNSUPPORTED, (int64_t)handle.offset,
                              "%s: the block at offset %llu is compressed with zstd, and "
                              "libzstd.so.1 is not installed (package "
                              "libzstd1)",
                              sst->path, (unsigned long long)handle.offset);
        }
        return st_lsm__sst_corrupt(op, sst, handle.offset, "a block that cannot be decompressed");
    }
    *out_pin = pin;
    return ST_OK;
}

static st_status reader_load(st_op *op, st_sst *sst, st_block_handle handle, uint8_t type,
                             st_block_pin **out_pin)
{
    bool is_inside = handle.offset >= ST_SST_HEADER_BYTES &&
                     handle.bytes >= ST_BLOCK_HEADER_BYTES &&
                     handle.offset <= sst->file_bytes - ST_SST_FOOTER_BYTES &&
                     handle.bytes <= sst->file_bytes - ST_SST_FOOTER_BYTES - handle.offset;
    if (!is_inside) {
        return st_lsm__sst_corrupt(op, sst, handle.offset, "the index points outside the file");
    }
    if (op->flags & ST_OP_CACHED_ONLY) {
        return st_fail(op, ST_WOULD_BLOCK, "the answer is not in memory");
    }
    uint8_t room[2 * ST_BLOCK_TARGET_BYTES];
    uint8_t *stored = room;
    if (handle.bytes > sizeof room &&
        !(stored = st_alloc_resize(sst->alloc, NULL, 0, handle.bytes))) {
        return st_fail_memory(op, handle.bytes);
    }
    st_status status = reader_exact(op, sst, handle.offset, stored, handle.bytes);
    if (status == ST_OK) {
        status = reader_unpack(op, sst, handle, type, stored, out_pin);
    }
    if (stored != room) {
        st_alloc_free(sst->alloc, stored, handle.bytes);
    }
    return status;
}

st_status st_lsm__sst_block(st_op *op, st_sst *sst, st_block_handle handle, uint8_t type,
                            st_block_pin **out_pin, st_block_view *out_view)
{
    st_lsm__cache_get(sst->cache, sst->cache_file, handle.offset, out_pin);
    if (!*out_pin) {
        ST_TRY(reader_load(op, sst, handle, type, out_pin));
        st_lsm__cache_insert(out_pin);
    }
    *out_view = (st_block_view){
        .payload = st_slice_of(st_lsm__pin_data(*out_pin), st_lsm__pin_bytes(*out_pin))};
    if (type != ST_BLOCK_FILTER && !st_lsm__block_open(out_view->payload, out_view)) {
        st_lsm__block_unpin(*out_pin);
        *out_pin = NULL;
        return st_lsm__sst_corrupt(op, sst, handle.offset, "malformed block");
    }
    return ST_OK;
}

static st_block_handle reader_handle(st_reader *reader)
{
    st_block_handle handle = {.offset = st_reader_varint(reader)};
    uint64_t bytes = st_reader_varint(reader);
    handle.bytes = bytes <= UINT32_MAX ? (uint32_t)bytes : 0;
    return handle;
}

bool st_lsm__index_value(st_slice value, st_block_handle *out_child, st_block_handle *out_filter)
{
    st_reader reader = st_reader_of(value);
    *out_child = reader_handle(&reader);
    *out_filter = (st_block_handle){0};
    if (st_reader_left(&reader) > 0) {
        *out_filter = reader_handle(&reader);
    }
    return !reader.failed && st_reader_left(&reader) == 0;
}

/* One step down the index: the child that may hold (key, sequence); *out_found false when all is
 * before it. */
static st_status reader_descend(st_op *op, st_sst *sst, st_block_handle *handle, st_slice key,
                                uint64_t sequence, st_block_handle *out_filter, bool *out_found)
{
    st_block_pin *pin;
    st_block_view view;
    ST_TRY(st_lsm__sst_block(op, sst, *handle, ST_BLOCK_INDEX, &pin, &view));
    uint32_t index = st_lsm__block_seek(&view, key, sequence);
    st_block_entry entry;
    *out_found = index < view.count;
    bool is_sound = index != UINT32_MAX &&
                    (!*out_found || (st_lsm__block_at(&view, index, &entry) &&
                                     st_lsm__index_value(entry.value, handle, out_filter)));
    uint64_t offset = handle->offset;
    st_lsm__block_unpin(pin);
    return is_sound ? ST_OK : st_lsm__sst_corrupt(op, sst, offset, "malformed index block");
}

static st_status reader_filter(st_op *op, st_sst *sst, st_block_handle filter, uint64_t hash,
                               bool *out_may_contain)
{
    st_block_pin *pin;
    st_block_view view;
    ST_TRY(st_lsm__sst_block(op, sst, filter, ST_BLOCK_FILTER, &pin, &view));
    *out_may_contain = st_lsm__filter_may_contain(view.payload, hash);
    st_lsm__block_unpin(pin);
    return ST_OK;
}

st_status st_lsm__sst_get(st_op *op, st_sst *sst, st_slice key, uint64_t hash,
                          uint64_t max_sequence, st_entry *out_entry, bool *out_found,
                          st_block_pin **out_pin)
{
    *out_found = false;
    *out_pin = NULL;
    st_block_handle handle = sst->root, filter;
    bool goes_on = true;
    for (uint32_t level = sst->index_levels; level > 0; level--) {
        ST_TRY(reader_descend(op, sst, &handle, key, max_sequence, &filter, &goes_on));
        if (goes_on && level == 2) {
            ST_TRY(reader_filter(op, sst, filter, hash, &goes_on));
        }
        if (!goes_on) {
            return ST_OK;
        }
    }
    st_block_pin *pin;
    st_block_view view;
    ST_TRY(st_lsm__sst_block(op, sst, handle, ST_BLOCK_DATA, &pin, &view));
    st_block_entry entry;
    bool is_malformed;
    if (st_lsm__block_find(&view, key, hash, max_sequence, &entry, &is_malformed)) {
        *out_entry = (st_entry){key, entry.value, entry.sequence, entry.type};
        *out_found = true;
        *out_pin = pin;
        return ST_OK;
    }
    st_lsm__block_unpin(pin);
    return is_malformed ? st_lsm__sst_corrupt(op, sst, handle.offset, "malformed data block")
                        : ST_OK;
}
