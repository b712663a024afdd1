/* Writing a sorted file: data blocks as they fill; behind each full index node of level 1 the
 * filter of the keys under it; upper index nodes up to one root; range deletes; footer; sync. The
 * whole layout is in docs/formats/sorted-file.md.
 *
 * The fence (key, sequence) of a block is at or behind its last entry and before the first entry of
 * the next one. It is the shortest such key, with sequence 0, except between versions of one key.
 * Blocks are cut within their last quarter where neighbouring keys share least, so that fences are
 * short and blocks end where partitions end.
 *
 * A child stands before its parent in the file, so that an index cannot run in circles.
 */
#include "lsm/sst_internal.h"

#include <string.h>

#define WRITER_FLUSH_BYTES 65536u

struct st_sst_writer {
    const st_alloc *alloc;
    st_file *file;
    st_file_identity identity;
    st_codec *codec; /* NULL: blocks are stored plain */
    uint64_t entry_count, range_count, smallest_sequence, largest_sequence;
    uint64_t offset; /* of the next byte, those in out included */
    st_buf out;      /* not yet with the file */
    st_block_builder data, ranges;
    st_index_builder *index[ST_INDEX_LEVELS_MAX + 1]; /* by level, from 1 */
    uint32_t level_count;
    st_buf hashes; /* u64 of each key under the node of level 1 that is being filled */
    st_buf last_key, smallest_key, separator;
    st_buf range_from, range_largest;
    uint64_t last_sequence, separator_sequence, range_sequence;
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

/* ---- life ------------------------------------------------------------------------------- */

static void writer_each_buf(st_sst_writer *writer, void (*call)(st_buf *buf, const st_alloc *alloc))
{
    st_buf *bufs[] = {&writer->out,           &writer->hashes,    &writer->last_key,
                      &writer->smallest_key,  &writer->separator, &writer->range_from,
                      &writer->range_largest, &writer->payload,   &writer->packed};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        call(bufs[i], writer->alloc);
    }
}

static void writer_deinit_buf(st_buf *buf, const st_alloc *alloc)
{
    (void)alloc;
    st_buf_deinit(buf);
}

static void writer_header(st_sst_writer *writer)
{
    uint8_t header[ST_SST_HEADER_BYTES] = ST_SST_MAGIC;
    st_put_u32(header + 8, ST_SST_FORMAT);
    memcpy(header + 16, writer->identity.database_id, 16);
    st_put_u64(header + 32, writer->identity.file_id);
    st_put_u64(header + 40, ST_SST_GENERATION);
    st_put_u32(header + 76, st_lsm__place_crc(&writer->identity, 0, header, 76));
    st_buf_append(&writer->out, header, sizeof header);
    writer->offset = sizeof header;
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
    writer->alloc = alloc;
    writer->identity = *identity;
    writer->smallest_sequence = UINT64_MAX;
    writer->path_bytes = path_bytes;
    memcpy(writer->path, path, path_bytes);
    st_lsm__block_builder_init(&writer->data, alloc);
    st_lsm__block_builder_init(&writer->ranges, alloc);
    writer_each_buf(writer, st_buf_init);
    writer->codec = compress == ST_SST_COMPRESS_ZSTD ? st_lsm__codec_create() : NULL;
    writer_header(writer);
    st_status status = st_buf_check(op, &writer->out);
    if (status == ST_OK) {
        status = st_env_open(op, env, path, ST_OPEN_WRITE | ST_OPEN_CREATE | ST_OPEN_EXCLUSIVE,
                             &writer->file);
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
    st_lsm__codec_destroy(writer->codec);
    st_lsm__block_builder_deinit(&writer->data);
    st_lsm__block_builder_deinit(&writer->ranges);
    for (size_t level = 0; level <= ST_INDEX_LEVELS_MAX; level++) {
        if (writer->index[level]) {
            st_buf_deinit(&writer->index[level]->keys);
            st_alloc_free(writer->alloc, writer->index[level], sizeof *writer->index[level]);
        }
    }
    writer_each_buf(writer, writer_deinit_buf);
    st_alloc_free(writer->alloc, writer, sizeof *writer + writer->path_bytes);
}

/* ---- bytes and blocks ------------------------------------------------------------------- */

static st_status writer_flush(st_op *op, st_sst_writer *writer)
{
    st_slice out = st_buf_view(&writer->out);
    ST_TRY(st_file_write_at(op, writer->file, writer->offset - out.size, out.data, out.size));
    st_buf_clear(&writer->out);
    return ST_OK;
}

static st_status writer_put(st_op *op, st_sst_writer *writer, const void *data, size_t bytes)
{
    if (writer->out.size + bytes > WRITER_FLUSH_BYTES && writer->out.size > 0) {
        ST_TRY(writer_flush(op, writer));
    }
    if (bytes > WRITER_FLUSH_BYTES) {
        ST_TRY(st_file_write_at(op, writer->file, writer->offset, data, bytes));
    } else {
        st_buf_append(&writer->out, data, bytes);
        ST_TRY(st_buf_check(op, &writer->out));
    }
    writer->offset += bytes;
    return ST_OK;
}

/* Writes writer->payload as one block. */
static st_status writer_block(st_op *op, st_sst_writer *writer, uint8_t type, uint32_t count,
                              st_block_handle *out_handle)
{
    if (writer->payload.size > ST_BLOCK_BYTES_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT, "%s: a block of %zu bytes is too large",
                       writer->path, writer->payload.size);
    }
    st_slice stored = st_buf_view(&writer->payload);
    uint8_t codec = ST_SST_COMPRESS_NONE;
    if (type != ST_BLOCK_FILTER && st_lsm__codec_compress(writer->codec, stored, &writer->packed)) {
        codec = ST_SST_COMPRESS_ZSTD;
        stored = st_buf_view(&writer->packed);
    }
    ST_TRY(st_buf_check(op, &writer->packed));
    uint8_t header[ST_BLOCK_HEADER_BYTES] = {type, codec};
    st_put_u32(header + 4, (uint32_t)stored.size);
    st_put_u32(header + 8, (uint32_t)writer->payload.size);
    st_put_u32(header + 12, count);
    uint32_t crc = st_lsm__place_crc(&writer->identity, writer->offset, header, 20);
    st_put_u32(header + 20, st_crc32c(crc, stored.data, stored.size));
    *out_handle = (st_block_handle){writer->offset, (uint32_t)stored.size + ST_BLOCK_HEADER_BYTES};
    ST_TRY(writer_put(op, writer, header, sizeof header));
    return writer_put(op, writer, stored.data, stored.size);
}

/* ---- index ------------------------------------------------------------------------------ */

/* Writes the filter of a node of level 1, then the node. */
static st_status writer_node(st_op *op, st_sst_writer *writer, uint32_t level,
                             st_index_child *out_child)
{
    *out_child = (st_index_child){.block = {0, 0}};
    if (level == 1) {
        size_t count = writer->hashes.size / sizeof(uint64_t);
        st_lsm__filter_build((const uint64_t *)(const void *)writer->hashes.data, count,
                             &writer->payload);
        ST_TRY(st_buf_check(op, &writer->payload));
        ST_TRY(writer_block(op, writer, ST_BLOCK_FILTER, (uint32_t)count, &out_child->filter));
        st_buf_clear(&writer->hashes);
    }
    st_index_builder *builder = writer->index[level];
    ST_TRY(st_lsm__index_builder_finish(op, builder, level, &writer->payload));
    ST_TRY(writer_block(op, writer, ST_BLOCK_INDEX, builder->count, &out_child->block));
    return ST_OK;
}

static st_status writer_index_level(st_op *op, st_sst_writer *writer, uint32_t level)
{
    if (level > ST_INDEX_LEVELS_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT, "%s: the index has too many levels", writer->path);
    }
    writer->index[level] = st_alloc_new(writer->alloc, sizeof *writer->index[level]);
    if (!writer->index[level]) {
        return st_fail_memory(op, sizeof *writer->index[level]);
    }
    st_buf_init(&writer->index[level]->keys, writer->alloc);
    writer->level_count = level;
    return ST_OK;
}

static st_status writer_index_add(st_op *op, st_sst_writer *writer, uint32_t level, st_slice key,
                                  uint64_t sequence, const st_index_child *child);

/* Closes the node of a level and hands it to the level above under its last fence. */
static st_status writer_index_cut(st_op *op, st_sst_writer *writer, uint32_t level)
{
    st_index_builder *builder = writer->index[level];
    st_index_child child;
    ST_TRY(writer_node(op, writer, level, &child));
    ST_TRY(writer_index_add(op, writer, level + 1,
                            st_lsm__index_builder_key(builder, builder->count - 1),
                            builder->sequences[builder->count - 1], &child));
    st_buf_clear(&builder->keys);
    builder->count = 0;
    return ST_OK;
}

/* Makes sure that the node of a level takes one more fence. */
static st_status writer_index_ready(st_op *op, st_sst_writer *writer, uint32_t level, st_slice key)
{
    if (level > writer->level_count) {
        return writer_index_level(op, writer, level);
    }
    if (st_lsm__index_builder_is_full(writer->index[level], key)) {
        return writer_index_cut(op, writer, level);
    }
    return ST_OK;
}

static st_status writer_index_add(st_op *op, st_sst_writer *writer, uint32_t level, st_slice key,
                                  uint64_t sequence, const st_index_child *child)
{
    ST_TRY(writer_index_ready(op, writer, level, key));
    if (!st_lsm__index_builder_add(writer->index[level], key, sequence, child)) {
        return st_fail_memory(op, key.size);
    }
    return ST_OK;
}

/* ---- data blocks ------------------------------------------------------------------------ */

/* A shortest key S with last <= S < next. */
static void writer_separate(st_buf *out, st_slice last, st_slice next)
{
    size_t common = st_slice_common(last, next);
    st_buf_clear(out);
    if (common + 1 < next.size) {
        st_buf_append(out, next.data, common + 1);
        return;
    }
    /* What is left of last, made larger at the first byte behind common that can grow: still
     * before next, from which it differs at common. */
    for (size_t at = common + 1; at < last.size; at++) {
        if (last.data[at] != UINT8_MAX) {
            st_buf_append(out, last.data, at);
            st_buf_byte(out, (uint8_t)(last.data[at] + 1));
            return;
        }
    }
    st_buf_slice(out, last);
}

static st_status writer_fence(st_op *op, st_sst_writer *writer, const st_entry *last,
                              const st_entry *next)
{
    writer->separator_sequence = 0;
    if (next && st_slice_equal(next->key, last->key)) {
        writer->separator_sequence = last->sequence;
        next = NULL;
    }
    if (next) {
        writer_separate(&writer->separator, last->key, next->key);
    } else {
        st_buf_clear(&writer->separator);
        st_buf_slice(&writer->separator, last->key);
    }
    return st_buf_check(op, &writer->separator);
}

/* The filter holds all keys of its blocks: a key whose versions cross nodes is in both. */
static st_status writer_hash(st_op *op, st_sst_writer *writer, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t hash = st_lsm__block_builder_hash(&writer->data, i);
        size_t size = writer->hashes.size;
        if (size == 0 || memcmp(writer->hashes.data + size - 8, &hash, 8) != 0) {
            st_buf_append(&writer->hashes, &hash, 8);
        }
    }
    return st_buf_check(op, &writer->hashes);
}

/* Writes the first count entries as a block; next is the entry that follows them all, or NULL. */
static st_status writer_data_cut(st_op *op, st_sst_writer *writer, uint32_t count,
                                 const st_entry *next)
{
    st_entry last = st_lsm__block_builder_at(&writer->data, count - 1);
    st_entry first_left;
    if (count < writer->data.count) {
        first_left = st_lsm__block_builder_at(&writer->data, count);
        next = &first_left;
    }
    ST_TRY(writer_fence(op, writer, &last, next));
    st_slice separator = st_buf_view(&writer->separator);
    ST_TRY(writer_index_ready(op, writer, 1, separator));
    ST_TRY(writer_hash(op, writer, count));
    ST_TRY(st_lsm__block_builder_finish(op, &writer->data, count, &writer->payload));
    st_index_child child = {.block = {0, 0}};
    ST_TRY(writer_block(op, writer, ST_BLOCK_DATA, count, &child.block));
    st_lsm__block_builder_drop(&writer->data, count);
    return writer_index_add(op, writer, 1, separator, writer->separator_sequence, &child);
}

static void writer_note_sequence(st_sst_writer *writer, uint64_t sequence)
{
    if (sequence < writer->smallest_sequence) {
        writer->smallest_sequence = sequence;
    }
    if (sequence > writer->largest_sequence) {
        writer->largest_sequence = sequence;
    }
}

st_status st_lsm__sst_writer_add(st_op *op, st_sst_writer *writer, const st_entry *entry)
{
    st_slice last_key = st_buf_view(&writer->last_key);
    if (writer->entry_count > 0 &&
        st_lsm__order(last_key, writer->last_sequence, entry->key, entry->sequence) >= 0) {
        return st_fail(op, ST_INTERNAL, "%s: entries come out of order", writer->path);
    }
    if (entry->key.size > ST_LSM_KEY_BYTES_MAX || entry->value.size > ST_BLOCK_BYTES_MAX / 2) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "%s: an entry of %zu key bytes and %zu value bytes is too large",
                       writer->path, entry->key.size, entry->value.size);
    }
    while (writer->data.count > 0 &&
           st_lsm__block_builder_bytes(&writer->data, entry) > ST_BLOCK_TARGET_BYTES) {
        uint32_t count = st_lsm__block_builder_cut(&writer->data, entry->key);
        ST_TRY(writer_data_cut(op, writer, count, entry));
    }
    if (!st_lsm__block_builder_add(&writer->data, entry, st_lsm__key_hash(entry->key))) {
        return st_fail_memory(op, entry->key.size + entry->value.size);
    }
    if (writer->entry_count == 0) {
        st_buf_slice(&writer->smallest_key, entry->key);
    }
    st_buf_clear(&writer->last_key);
    st_buf_slice(&writer->last_key, entry->key);
    writer->last_sequence = entry->sequence;
    writer->entry_count++;
    writer_note_sequence(writer, entry->sequence);
    ST_TRY(st_buf_check(op, &writer->smallest_key));
    return st_buf_check(op, &writer->last_key);
}

uint64_t st_lsm__sst_writer_bytes(const st_sst_writer *writer)
{
    return writer->offset + writer->data.entries.size + writer->ranges.entries.size;
}

/* ---- range deletes ---------------------------------------------------------------------- */

st_status st_lsm__sst_writer_add_range(st_op *op, st_sst_writer *writer,
                                       const st_range_delete *range)
{
    if (writer->range_count > 0 &&
        st_lsm__order(st_buf_view(&writer->range_from), writer->range_sequence, range->from,
                      range->sequence) >= 0) {
        return st_fail(op, ST_INTERNAL, "%s: range deletes come out of order", writer->path);
    }
    if (range->from.size > ST_LSM_KEY_BYTES_MAX || range->to.size > ST_LSM_KEY_BYTES_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT, "%s: the key of a range delete is too large",
                       writer->path);
    }
    st_entry entry = {range->from, range->to, range->sequence, ST_ENTRY_DELETE_RANGE};
    if (!st_lsm__block_builder_add(&writer->ranges, &entry, st_lsm__key_hash(range->from))) {
        return st_fail_memory(op, range->from.size + range->to.size);
    }
    if (writer->range_count == 0 ||
        st_slice_compare(st_buf_view(&writer->range_largest), range->to) < 0) {
        st_buf_clear(&writer->range_largest);
        st_buf_slice(&writer->range_largest, range->to);
    }
    st_buf_clear(&writer->range_from);
    st_buf_slice(&writer->range_from, range->from);
    writer->range_sequence = range->sequence;
    writer->range_count++;
    writer_note_sequence(writer, range->sequence);
    ST_TRY(st_buf_check(op, &writer->range_from));
    return st_buf_check(op, &writer->range_largest);
}

/* As many of the first range deletes as fit into one block of the target size. */
static uint32_t writer_range_fit(const st_block_builder *ranges)
{
    size_t bytes = 0;
    uint32_t count = 0;
    while (count < ranges->count) {
        st_entry entry = st_lsm__block_builder_at(ranges, count);
        bytes += entry.key.size + entry.value.size + 32;
        if (count > 0 && bytes > ST_BLOCK_TARGET_BYTES) {
            break;
        }
        count++;
    }
    return count;
}

static st_status writer_ranges(st_op *op, st_sst_writer *writer, uint64_t *out_offset)
{
    *out_offset = writer->range_count > 0 ? writer->offset : 0;
    if (writer->range_count > 0) {
        st_slice from = st_lsm__block_builder_at(&writer->ranges, 0).key;
        if (writer->entry_count == 0 ||
            st_slice_compare(from, st_buf_view(&writer->smallest_key)) < 0) {
            st_buf_clear(&writer->smallest_key);
            st_buf_slice(&writer->smallest_key, from);
        }
        ST_TRY(st_buf_check(op, &writer->smallest_key));
    }
    while (writer->ranges.count > 0) {
        st_block_handle handle;
        uint32_t count = writer_range_fit(&writer->ranges);
        ST_TRY(st_lsm__block_builder_finish(op, &writer->ranges, count, &writer->payload));
        ST_TRY(writer_block(op, writer, ST_BLOCK_RANGE, count, &handle));
        st_lsm__block_builder_drop(&writer->ranges, count);
    }
    return ST_OK;
}

/* ---- the end ---------------------------------------------------------------------------- */

/* Closes all levels. The one node of the highest is the root. */
static st_status writer_root(st_op *op, st_sst_writer *writer, st_index_child *out_root)
{
    *out_root = (st_index_child){.block = {0, 0}};
    while (writer->data.count > 0) {
        ST_TRY(writer_data_cut(op, writer, writer->data.count, NULL));
    }
    for (uint32_t level = 1; level < writer->level_count; level++) {
        ST_TRY(writer_index_cut(op, writer, level));
    }
    return writer->level_count > 0 ? writer_node(op, writer, writer->level_count, out_root) : ST_OK;
}

static st_status writer_footer(st_op *op, st_sst_writer *writer, const st_index_child *root,
                               uint64_t range_offset, uint64_t range_bytes)
{
    uint8_t footer[ST_SST_FOOTER_BYTES] = ST_SST_MAGIC;
    st_put_u64(footer + 8, root->block.offset);
    st_put_u32(footer + 16, root->block.bytes);
    st_put_u32(footer + 20, writer->level_count);
    st_put_u64(footer + 24, root->filter.offset);
    st_put_u32(footer + 32, root->filter.bytes);
    st_put_u64(footer + 40, writer->entry_count);
    st_put_u64(footer + 48, range_offset);
    st_put_u64(footer + 56, range_bytes);
    st_put_u64(footer + 64, writer->range_count);
    st_put_u64(footer + 72, writer->smallest_sequence);
    st_put_u64(footer + 80, writer->largest_sequence);
    st_put_u64(footer + 88, writer->offset + sizeof footer);
    st_put_u32(footer + 108, st_lsm__place_crc(&writer->identity, writer->offset, footer, 108));
    ST_TRY(writer_put(op, writer, footer, sizeof footer));
    return writer_flush(op, writer);
}

st_status st_lsm__sst_writer_finish(st_op *op, st_sst_writer *writer, st_sst_summary *out_summary)
{
    if (writer->entry_count + writer->range_count == 0) {
        return st_fail(op, ST_INTERNAL, "%s: a sorted file without entries", writer->path);
    }
    st_index_child root;
    uint64_t range_offset;
    ST_TRY(writer_root(op, writer, &root));
    ST_TRY(writer_ranges(op, writer, &range_offset));
    uint64_t range_bytes = range_offset > 0 ? writer->offset - range_offset : 0;
    ST_TRY(writer_footer(op, writer, &root, range_offset, range_bytes));
    ST_TRY(st_file_sync(op, writer->file));
    st_slice largest = st_buf_view(&writer->last_key);
    if (writer->range_count > 0 &&
        (writer->entry_count == 0 ||
         st_slice_compare(largest, st_buf_view(&writer->range_largest)) < 0)) {
        largest = st_buf_view(&writer->range_largest);
    }
    *out_summary = (st_sst_summary){.identity = writer->identity,
                                    .file_bytes = writer->offset,
                                    .entry_count = writer->entry_count,
                                    .smallest_sequence = writer->smallest_sequence,
                                    .largest_sequence = writer->largest_sequence,
                                    .smallest_key = st_buf_view(&writer->smallest_key),
                                    .largest_key = largest};
    return ST_OK;
}
