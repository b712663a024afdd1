/* One sorted file in words: header and footer, its blocks in the order of the file, its entries. */
#include "lsm/sst_internal.h"

#include <stdio.h>

typedef struct inspect_output {
    st_lsm_print print;
    void *ctx;
} inspect_output;

static void inspect_key(char *to, size_t room, st_slice key)
{
    size_t at = 0;
    for (size_t i = 0; i < key.size && at + 5 < room; i++) {
        bool is_plain = key.data[i] > 32 && key.data[i] < 127;
        at += (size_t)(is_plain ? snprintf(to + at, room - at, "%c", key.data[i])
                                : snprintf(to + at, room - at, "\\%02x", key.data[i]));
    }
    to[at] = '\0';
}

static void inspect_file(const st_sst *sst, const inspect_output *output)
{
    char line[256];
    snprintf(line, sizeof line,
             "sorted file %llu: %llu bytes, %llu entries, %llu range deletes, sequences %llu to "
             "%llu, %u index levels, root at %llu",
             (unsigned long long)sst->identity.file_id, (unsigned long long)sst->file_bytes,
             (unsigned long long)sst->entry_count, (unsigned long long)sst->range_count,
             (unsigned long long)sst->smallest_sequence, (unsigned long long)sst->largest_sequence,
             sst->index_levels, (unsigned long long)sst->root.block.offset);
    output->print(output->ctx, line);
    int at = snprintf(line, sizeof line, "  database ");
    for (size_t i = 0; i < 16; i++) {
        at += snprintf(line + at, sizeof line - (size_t)at, "%02x", sst->identity.database_id[i]);
    }
    output->print(output->ctx, line);
}

static st_status inspect_blocks(st_op *op, st_sst *sst, const inspect_output *output)
{
    static const char *const names[] = {"unknown", "data", "index", "filter", "range"};
    uint64_t offset = ST_SST_HEADER_BYTES, end = sst->file_bytes - ST_SST_FOOTER_BYTES;
    while (offset < end) {
        char line[256];
        uint8_t header[ST_BLOCK_HEADER_BYTES];
        st_block_handle handle;
        ST_TRY(st_lsm__sst_walk(op, sst, offset, end, header, &handle));
        snprintf(line, sizeof line, "  %s block at %llu: %u bytes %s, %u unpacked, count %u",
                 names[header[0] <= ST_BLOCK_RANGE ? header[0] : 0], (unsigned long long)offset,
                 st_get_u32(header + 4), header[1] == ST_SST_COMPRESS_ZSTD ? "zstd" : "plain",
                 st_get_u32(header + 8), st_get_u32(header + 12));
        output->print(output->ctx, line);
        offset += handle.bytes;
    }
    return ST_OK;
}

static st_status inspect_entries(st_op *op, st_iter *iter, const inspect_output *output)
{
    char key[160], line[256];
    ST_TRY(st_lsm__iter_first(op, iter));
    while (iter->valid) {
        inspect_key(key, sizeof key, iter->entry.key);
        snprintf(line, sizeof line, "  %s sequence %llu key %s value %zu bytes",
                 iter->entry.type == ST_ENTRY_PUT ? "put" : "delete",
                 (unsigned long long)iter->entry.sequence, key, iter->entry.value.size);
        output->print(output->ctx, line);
        ST_TRY(st_lsm__iter_next(op, iter));
    }
    return ST_OK;
}

static st_status inspect_range(void *ctx, st_op *op, const st_range_delete *range)
{
    (void)op;
    const inspect_output *output = ctx;
    char from[80], to[80], line[256];
    inspect_key(from, sizeof from, range->from);
    inspect_key(to, sizeof to, range->to);
    snprintf(line, sizeof line, "  range delete sequence %llu from %s to %s",
             (unsigned long long)range->sequence, from, to);
    output->print(output->ctx, line);
    return ST_OK;
}

st_status st_lsm__sst_inspect(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                              st_lsm_print print, void *ctx)
{
    st_cache *cache;
    st_sst *sst = NULL;
    st_iter *iter = NULL;
    inspect_output output = {print, ctx};
    ST_TRY(st_lsm__cache_create(op, alloc, 0, &cache));
    st_status status;
    ST_TRY_OUT(st_lsm__sst_open(op, env, alloc, cache, path, NULL, &sst));
    inspect_file(sst, &output);
    ST_TRY_OUT(inspect_blocks(op, sst, &output));
    ST_TRY_OUT(st_lsm__sst_ranges(op, sst, inspect_range, &output));
    ST_TRY_OUT(st_lsm__sst_iter(op, sst, false, &iter));
    status = inspect_entries(op, iter, &output);
out:
    st_lsm__iter_destroy(iter);
    st_lsm__sst_close(sst);
    st_lsm__cache_destroy(cache);
    return status;
}
