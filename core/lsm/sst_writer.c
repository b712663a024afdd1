/* Writing a sorted file: data blocks as they fill, leaf index blocks with the filter of their keys
 * behind them, upper index blocks up to one root, footer, sync. The whole layout is in
 * docs/formats/sorted-file.md.
 *
 * An index entry (key, sequence) is at or behind the last entry of its child and before the first
 * entry of the next one. It is the shortest such key, except between versions of one key.
 */
#include "lsm/sst_internal.h"

#include <string.h>

#define WRITER_LEVELS_MAX 8u
#define WRITER_FANOUT_MIN 16u /* however long the keys are: so that the levels are enough */

struct st_sst_writer {
    st_env *env;
    const st_alloc *alloc;
    st_file *file;
    st_file_identity identity;
    int compress;
    uint64_t offset, entry_count, smallest_sequence, largest_sequence;
    st_block_builder data;
    st_block_builder index[WRITER_LEVELS_MAX]; /* [0] points at data blocks */
    uint32_t level_count;
    st_buf hashes; /* u64 of each key under the leaf index block that is being filled */
    st_buf first_key, last_key, separator;
    uint64_t last_sequence, separator_sequence;
    st_buf payload, packed; /* of the block being written */
    size_t path_bytes;
    char path[];
};

uint32_t st_lsm__place_crc(const st_file_identity *identity, uint64_t offset, const void *data,
                           size_t bytes)
{
    uint8_t place[32];
    memcpy(place, identity->database_id, 16);
    st_put_u64(place + 16, identity->file_id);
    st_put_u64(place + 24, offset);
    return st_crc32c(st_crc32c(0, place, sizeof place), data, bytes);
}

static st_status writer_write(st_op *op, st_sst_writer *writer, const void *data, size_t bytes)
{
    ST_TRY(st_file_write_at(op, writer->file, writer->offset, data, bytes));
    writer->offset += bytes;
    return ST_OK;
}

static st_status writer_header(st_op *op, st_sst_writer *writer)
{
    uint8_t header[ST_SST_HEADER_BYTES] = ST_SST_MAGIC;
    st_put_u32(header + 8, ST_SST_FORMAT);
    memcpy(header + 16, writer->identity.database_id, 16);
    st_put_u64(header + 32, writer->identity.file_id);
    st_put_u32(header + 60, st_lsm__place_crc(&writer->identity, 0, header, 60));
    return writer_write(op, writer, header, sizeof header);
}

st_status st_lsm__sst_writer_open(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                                  const st_file_identity *identity, int compress,
                                  st_sst_writer **out_writer)
{
    *out_writer = NULL;
    size_t path_bytes = strlen(path) + 1;
    st_sst_writer *writer = st_alloc_new(alloc, sizeof *writer + path_bytes);
    if (!writer) {
        return st_fail_memory(op, sizeof *writer);
    }
    writer->env = env;
    writer->alloc = alloc;
    writer->identity = *identity;
    writer->compress = compress;
    writer->smallest_sequence = UINT64_MAX;
    writer->path_bytes = path_bytes;
    memcpy(writer->path, path, path_bytes);
    st_lsm__block_builder_init(&writer->data, alloc);
    for (size_t i = 0; i < WRITER_LEVELS_MAX; i++) {
        st_lsm__block_builder_init(&writer->index[i], alloc);
    }
    st_buf *bufs[] = {&writer->hashes,    &writer->first_key, &writer->last_key,
                      &writer->separator, &writer->payload,   &writer->packed};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        st_buf_init(bufs[i], alloc);
    }
    uint32_t flags = ST_OPEN_WRITE | ST_OPEN_CREATE | ST_OPEN_EXCLUSIVE;
    st_status status = st_env_open(op, env, path, flags, &writer->file);
    if (status == ST_OK) {
        status = writer_header(op, writer);
    }
    if (status != ST_OK) {
        st_lsm__sst_writer_destroy(writer);
        return status;
    }
    *out_writer = writer;
    return ST_OK;
}

void st_lsm__sst_writer_destroy(st_sst_writer *writer)
{
    if (!writer) {
        return;
    }
    st_file_close(writer->file);
    st_lsm__block_builder_deinit(&writer->data);
    for (size_t i = 0; i < WRITER_LEVELS_MAX; i++) {
        st_lsm__block_builder_deinit(&writer->index[i]);
    }
    st_buf *bufs[] = {&writer->hashes,    &writer->first_key, &writer->last_key,
                      &writer->separator, &writer->payload,   &writer->packed};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        st_buf_deinit(bufs[i]);
    }
    st_alloc_free(writer->alloc, writer, sizeof *writer + writer->path_bytes);
}

/* Writes writer->payload as one block. */
static st_status writer_block(st_op *op, st_sst_writer *writer, uint8_t type, uint32_t count,
                              st_block_handle *out_handle)
{
    ST_TRY(st_buf_check(op, &writer->payload));
    st_slice stored = st_buf_view(&writer->payload);
    uint8_t codec = ST_SST_COMPRESS_NONE;
    if (writer->compress == ST_SST_COMPRESS_ZSTD && type != ST_BLOCK_FILTER &&
        st_lsm__codec_compress(stored, &writer->packed)) {
        codec = ST_SST_COMPRESS_ZSTD;
    }
    ST_TRY(st_buf_check(op, &writer->packed));
    stored = codec == ST_SST_COMPRESS_ZSTD ? st_buf_view(&writer->packed) : stored;
    if (writer->payload.size > ST_BLOCK_BYTES_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT, "%s: a block of %zu bytes is too large",
                       writer->path, writer->payload.size);
    }
    uint8_t header[ST_BLOCK_HEADER_BYTES] = {type, codec};
    st_put_u32(header + 4, (uint32_t)stored.size);
    st_put_u32(header + 8, (uint32_t)writer->payload.size);
    st_put_u32(header + 12, count);
    uint32_t crc = st_lsm__place_crc(&writer->identity, writer->offset, header, 20);
    st_put_u32(header + 20, st_crc32c(crc, stored.data, stored.size));
    *out_handle = (st_block_handle){writer->offset, (uint32_t)stored.size + ST_BLOCK_HEADER_BYTES};
    ST_TRY(writer_write(op, writer, header, sizeof header));
    return writer_write(op, writer, stored.data, stored.size);
}

static void writer_put_handle(uint8_t *to, size_t *size, st_block_handle handle)
{
    uint64_t parts[2] = {handle.offset, handle.bytes};
    for (size_t i = 0; i < 2; i++) {
        uint64_t value = parts[i];
        for (; value >= 0x80; value >>= 7) {
            to[(*size)++] = (uint8_t)(value | 0x80);
        }
        to[(*size)++] = (uint8_t)value;
    }
}

static st_status writer_index_add(st_op *op, st_sst_writer *writer, uint32_t level,
                                  st_block_handle child, const st_block_handle *filter);

/* Writes the index block of a level, and points at it from the level above. */
static st_status writer_index_cut(st_op *op, st_sst_writer *writer, uint32_t level)
{
    st_block_builder *builder = &writer->index[level];
    st_block_handle filter, child;
    if (level == 0) {
        st_lsm__filter_build((const uint64_t *)(const void *)writer->hashes.data,
                             writer->hashes.size / 8, &writer->payload);
        ST_TRY(writer_block(op, writer, ST_BLOCK_FILTER, (uint32_t)(writer->hashes.size / 8),
                            &filter));
        st_buf_clear(&writer->hashes);
    }
    ST_TRY(st_lsm__block_builder_finish(op, builder, &writer->payload));
    ST_TRY(writer_block(op, writer, ST_BLOCK_INDEX, builder->count, &child));
    st_lsm__block_builder_clear(builder);
    return writer_index_add(op, writer, level + 1, child, level == 0 ? &filter : NULL);
}

static st_status writer_index_add(st_op *op, st_sst_writer *writer, uint32_t level,
                                  st_block_handle child, const st_block_handle *filter)
{
    if (level >= WRITER_LEVELS_MAX) {
        return st_fail(op, ST_INTERNAL, "%s: the index has too many levels", writer->path);
    }
    uint8_t value[64];
    size_t size = 0;
    writer_put_handle(value, &size, child);
    if (filter) {
        writer_put_handle(value, &size, *filter);
    }
    st_entry entry = {st_buf_view(&writer->separator), st_slice_of(value, size),
                      writer->separator_sequence, ST_ENTRY_PUT};
    st_lsm__block_builder_add(&writer->index[level], &entry);
    writer->level_count = writer->level_count > level + 1 ? writer->level_count : level + 1;
    if (st_lsm__block_builder_bytes(&writer->index[level]) >= ST_BLOCK_TARGET_BYTES &&
        writer->index[level].count >= WRITER_FANOUT_MIN) {
        return writer_index_cut(op, writer, level);
    }
    return ST_OK;
}

/* The shortest key between the last one and the next: behind all versions of the former, before the
 * latter. */
static void writer_separate(st_sst_writer *writer, const st_entry *next)
{
    st_slice last = st_buf_view(&writer->last_key);
    st_buf_clear(&writer->separator);
    writer->separator_sequence = 0;
    if (next && st_slice_equal(next->key, last)) {
        st_buf_slice(&writer->separator, last);
        writer->separator_sequence = writer->last_sequence;
        return;
    }
    size_t common = next ? st_slice_common(last, next->key) : 0;
    if (next && common + 1 < next->key.size) {
        st_buf_append(&writer->separator, next->key.data, common + 1);
    } else {
        st_buf_slice(&writer->separator, last);
    }
}

static st_status writer_data_cut(st_op *op, st_sst_writer *writer, const st_entry *next)
{
    st_block_handle child;
    writer_separate(writer, next);
    ST_TRY(st_buf_check(op, &writer->separator));
    ST_TRY(st_lsm__block_builder_finish(op, &writer->data, &writer->payload));
    ST_TRY(writer_block(op, writer, ST_BLOCK_DATA, writer->data.count, &child));
    st_lsm__block_builder_clear(&writer->data);
    return writer_index_add(op, writer, 0, child, NULL);
}

st_status st_lsm__sst_writer_add(st_op *op, st_sst_writer *writer, const st_entry *entry)
{
    bool is_first = writer->entry_count == 0;
    if (!is_first && st_lsm__order(st_buf_view(&writer->last_key), writer->last_sequence,
                                   entry->key, entry->sequence) >= 0) {
        return st_fail(op, ST_INTERNAL, "%s: entries come out of order", writer->path);
    }
    size_t bytes = entry->key.size + entry->value.size + 16;
    if (writer->data.count > 0 &&
        st_lsm__block_builder_bytes(&writer->data) + bytes > ST_BLOCK_TARGET_BYTES) {
        ST_TRY(writer_data_cut(op, writer, entry));
    }
    /* Each leaf's filter holds all keys of its blocks: a key whose versions cross a leaf is in
     * both. */
    bool is_new_key = is_first || !st_slice_equal(st_buf_view(&writer->last_key), entry->key);
    if (is_new_key || writer->hashes.size == 0) {
        st_buf_u64(&writer->hashes, 0);
        if (!writer->hashes.failed) {
            uint64_t hash = st_lsm__key_hash(entry->key);
            memcpy(writer->hashes.data + writer->hashes.size - 8, &hash, 8);
        }
    }
    st_lsm__block_builder_add(&writer->data, entry);
    if (is_first) {
        st_buf_slice(&writer->first_key, entry->key);
    }
    if (is_new_key) {
        st_buf_clear(&writer->last_key);
        st_buf_slice(&writer->last_key, entry->key);
    }
    writer->last_sequence = entry->sequence;
    writer->entry_count++;
    writer->smallest_sequence =
        entry->sequence < writer->smallest_sequence ? entry->sequence : writer->smallest_sequence;
    writer->largest_sequence =
        entry->sequence > writer->largest_sequence ? entry->sequence : writer->largest_sequence;
    ST_TRY(st_buf_check(op, &writer->first_key));
    ST_TRY(st_buf_check(op, &writer->last_key));
    return st_buf_check(op, &writer->hashes);
}

uint64_t st_lsm__sst_writer_bytes(const st_sst_writer *writer)
{
    return writer->offset + st_lsm__block_builder_bytes(&writer->data);
}

static st_status writer_footer(st_op *op, st_sst_writer *writer, st_block_handle root)
{
    uint8_t footer[ST_SST_FOOTER_BYTES] = ST_SST_MAGIC;
    st_put_u64(footer + 8, root.offset);
    st_put_u32(footer + 16, root.bytes);
    st_put_u32(footer + 20, writer->level_count);
    st_put_u64(footer + 24, writer->entry_count);
    st_put_u64(footer + 32, writer->offset + sizeof footer);
    st_put_u32(footer + 60, st_lsm__place_crc(&writer->identity, writer->offset, footer, 60));
    return writer_write(op, writer, footer, sizeof footer);
}

st_status st_lsm__sst_writer_finish(st_op *op, st_sst_writer *writer, st_sst_summary *out_summary)
{
    if (writer->entry_count == 0) {
        return st_fail(op, ST_INTERNAL, "%s: a sorted file without entries", writer->path);
    }
    ST_TRY(writer_data_cut(op, writer, NULL));
    /* Every level that has entries below the top is closed; the top one becomes the root. Level 1
     * exists always, because it names the filters. */
    for (uint32_t level = 0; level + 1 < writer->level_count || level == 0; level++) {
        if (writer->index[level].count > 0) {
            ST_TRY(writer_index_cut(op, writer, level));
        }
    }
    st_block_builder *top = &writer->index[writer->level_count - 1];
    st_block_handle root;
    ST_TRY(st_lsm__block_builder_finish(op, top, &writer->payload));
    ST_TRY(writer_block(op, writer, ST_BLOCK_INDEX, top->count, &root));
    ST_TRY(writer_footer(op, writer, root));
    ST_TRY(st_file_sync(op, writer->file));
    *out_summary = (st_sst_summary){.identity = writer->identity,
                                    .file_bytes = writer->offset,
                                    .entry_count = writer->entry_count,
                                    .smallest_sequence = writer->smallest_sequence,
                                    .largest_sequence = writer->largest_sequence,
                                    .smallest_key = st_buf_view(&writer->first_key),
                                    .largest_key = st_buf_view(&writer->last_key)};
    return ST_OK;
}
