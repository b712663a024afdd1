/* Blocks: entries of data blocks, fences of index nodes, lines of filters; their payloads are the
 * same on disk and in the cache and are searched in place. Private to lsm. Format:
 * docs/formats/sorted-file.md.
 *
 * A payload that comes from a file goes through its check once. Everything else trusts it.
 */
#ifndef STATOR_LSM_BLOCK_INTERNAL_H
#define STATOR_LSM_BLOCK_INTERNAL_H

#include "lsm/entry_internal.h"

enum { ST_BLOCK_DATA = 1, ST_BLOCK_INDEX = 2, ST_BLOCK_FILTER = 3, ST_BLOCK_RANGE = 4 };

#define ST_BLOCK_TARGET_BYTES 4096u
#define ST_BLOCK_ENTRY_BYTES_MAX 32768u /* a larger entry has a block of its own */
#define ST_BLOCK_BYTES_MAX ((uint32_t)1 << 30)

/* Where a block stands: bytes are those on disk, header and trailer included; 0: there is none. */
typedef struct st_block_handle {
    uint64_t offset;
    uint32_t bytes;
} st_block_handle;

/* ---- data blocks ------------------------------------------------------------------------ */

/* Collects entries in order; blocks are made of the first of them. */
typedef struct st_block_builder {
    st_buf entries;      /* as they came: see block.c */
    st_buf offsets;      /* u32 of each in entries */
    st_buf hashes;       /* u64 of each */
    size_t entry_bytes;  /* of all, encoded, keys in full, at most */
    size_t prefix_bytes; /* shared by all keys */
    uint32_t count;
} st_block_builder;

void st_lsm__block_builder_init(st_block_builder *builder, const st_alloc *alloc);
void st_lsm__block_builder_deinit(st_block_builder *builder);
/* False when out of memory. */
bool st_lsm__block_builder_add(st_block_builder *builder, const st_entry *entry, uint64_t hash);
/* Bytes of the payload at most, with one more entry when next is not NULL. */
size_t st_lsm__block_builder_bytes(const st_block_builder *builder, const st_entry *next);
/* How many entries the next block takes, so that it is cut where a separator is short. */
uint32_t st_lsm__block_builder_cut(const st_block_builder *builder, st_slice next_key);
st_entry st_lsm__block_builder_at(const st_block_builder *builder, uint32_t index);
uint64_t st_lsm__block_builder_hash(const st_block_builder *builder, uint32_t index);
/* Replaces out by the payload of the first count entries. */
st_status st_lsm__block_builder_finish(st_op *op, const st_block_builder *builder, uint32_t count,
                                       st_buf *out) ST_MUST_USE;
void st_lsm__block_builder_drop(st_block_builder *builder, uint32_t count); /* the first of them */

typedef struct st_block_view {
    const uint8_t *data;
    const uint8_t *slots;
    st_slice prefix;
    uint32_t count;
    bool is_large; /* one entry with 32-bit lengths */
} st_block_view;

/* An entry's key is the block's prefix and its suffix. */
typedef struct st_block_entry {
    st_slice suffix, value;
    uint64_t sequence;
    uint8_t type;
} st_block_entry;

/* Whether all lengths and places are those of a block of count entries; type: ST_BLOCK_DATA or
 * ST_BLOCK_RANGE. */
bool st_lsm__block_check(st_slice payload, uint32_t count, uint8_t type);
st_block_view st_lsm__block_view(const uint8_t *payload);
st_block_entry st_lsm__block_at(const st_block_view *view, uint32_t index);
/* Index of the first entry at or behind (key, sequence); count when there is none. */
uint32_t st_lsm__block_seek(const st_block_view *view, st_slice key, uint64_t sequence);
/* Newest version of key with sequence <= max_sequence, by fingerprint; false when there is none. */
bool st_lsm__block_find(const st_block_view *view, st_slice key, uint64_t hash,
                        uint64_t max_sequence, st_block_entry *out_entry);

/* ---- index nodes ------------------------------------------------------------------------ */

#define ST_INDEX_FENCES_MAX 64u
#define ST_INDEX_LEVELS_MAX 32u

/* A child and, when it is a node of level 1, the filter of the keys under it. */
typedef struct st_index_child {
    st_block_handle block, filter;
} st_index_child;

/* Collects the fences of one node. The fence (key, sequence) of a child is at or behind its last
 * entry and before the first entry of the next child. */
typedef struct st_index_builder {
    st_buf keys;
    uint32_t key_at[ST_INDEX_FENCES_MAX + 1];
    uint64_t sequences[ST_INDEX_FENCES_MAX];
    st_index_child children[ST_INDEX_FENCES_MAX];
    uint32_t count;
} st_index_builder;

/* Whether the node should be closed before this key is added. */
bool st_lsm__index_builder_is_full(const st_index_builder *builder, st_slice key);
bool st_lsm__index_builder_add(st_index_builder *builder, st_slice key, uint64_t sequence,
                               const st_index_child *child); /* false when out of memory */
st_slice st_lsm__index_builder_key(const st_index_builder *builder, uint32_t index);
/* Replaces out by the payload of a node of this level; level 1 stands above data blocks. */
st_status st_lsm__index_builder_finish(st_op *op, const st_index_builder *builder, uint32_t level,
                                       st_buf *out) ST_MUST_USE;

typedef struct st_index_view {
    const uint8_t *data;
    uint32_t count, level;
} st_index_view;

/* Whether it is a node of count fences whose children lie in [first, end) of the file. */
bool st_lsm__index_check(st_slice payload, uint32_t count, uint64_t first, uint64_t end);
st_index_view st_lsm__index_view(const uint8_t *payload);
st_index_child st_lsm__index_child(const st_index_view *view, uint32_t index);
/* Replaces out by the key of a fence. */
uint64_t st_lsm__index_fence(const st_index_view *view, uint32_t index, st_buf *out_key);
/* Index of the first fence at or behind (key, sequence); count when there is none. */
uint32_t st_lsm__index_seek(const st_index_view *view, st_slice key, uint64_t sequence);

/* ---- filters ---------------------------------------------------------------------------- */

void st_lsm__filter_build(const uint64_t *hashes, size_t count, st_buf *out);
bool st_lsm__filter_check(st_slice payload);
bool st_lsm__filter_may_contain(st_slice filter, uint64_t hash);

/* ---- codec ------------------------------------------------------------------------------ */

#define ST_SST_COMPRESS_NONE 0
#define ST_SST_COMPRESS_ZSTD 1

typedef struct st_codec st_codec; /* what compressing keeps between blocks */

bool st_lsm__codec_has_zstd(void);
st_codec *st_lsm__codec_create(void);        /* NULL without zstd, or without memory for it */
void st_lsm__codec_destroy(st_codec *codec); /* NULL is fine */
/* Replaces out by the compressed bytes; false when that does not pay or cannot be done: store them
 * plain. codec may be NULL. */
bool st_lsm__codec_compress(st_codec *codec, st_slice raw, st_buf *out);
/* Whether these are compressed bytes that say of themselves that they are raw_bytes long. */
bool st_lsm__codec_check(st_slice stored, size_t raw_bytes);
bool st_lsm__codec_decompress(st_slice stored, uint8_t *to, size_t raw_bytes);

#endif
