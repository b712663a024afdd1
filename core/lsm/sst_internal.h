/* Sorted files and the block cache. Private to lsm. Format: docs/formats/sorted-file.md.
 *
 * A file is written once, from entries in order, and never changed. Its identity (origin database
 * id, file id) is in its header and in every checksum, so that a valid block in the wrong place
 * fails. Blocks are of the 4 KiB class, one format on disk (zstd per block, or plain) and in the
 * cache, searched in place. Index nodes and filter partitions are checksummed, cached, evictable
 * blocks like data blocks.
 */
#ifndef STATOR_LSM_SST_INTERNAL_H
#define STATOR_LSM_SST_INTERNAL_H

#include "env/env.h"
#include "lsm/entry_internal.h"
#include "lsm/lsm.h"

/* ---- places and blocks ------------------------------------------------------------------ */

typedef struct st_file_identity {
    uint8_t database_id[16]; /* of the database that wrote the file */
    uint64_t file_id;        /* never reused within it */
} st_file_identity;

/* The checksum of bytes that stand at an offset of a file: it covers the place. */
uint32_t st_lsm__place_crc(const st_file_identity *identity, uint64_t offset, const void *data,
                           size_t bytes);

enum { ST_BLOCK_DATA = 1, ST_BLOCK_INDEX = 2, ST_BLOCK_FILTER = 3 };
#define ST_BLOCK_HEADER_BYTES 24u
#define ST_BLOCK_TARGET_BYTES 4096u
#define ST_BLOCK_BYTES_MAX ((uint32_t)1 << 30)

/* Where a block stands: bytes are those on disk, header included. */
typedef struct st_block_handle {
    uint64_t offset;
    uint32_t bytes;
} st_block_handle;

/* Collects entries of one block. */
typedef struct st_block_builder {
    st_buf entries;      /* whole entries, in order */
    st_buf offsets;      /* u32 of each in entries */
    st_buf hashes;       /* u8 of each */
    st_slice first_key;  /* in entries */
    size_t prefix_bytes; /* shared by all keys so far */
    uint32_t count;
} st_block_builder;

void st_lsm__block_builder_init(st_block_builder *builder, const st_alloc *alloc);
void st_lsm__block_builder_deinit(st_block_builder *builder);
void st_lsm__block_builder_clear(st_block_builder *builder);
void st_lsm__block_builder_add(st_block_builder *builder, const st_entry *entry);
size_t st_lsm__block_builder_bytes(const st_block_builder *builder); /* about, when finished */
/* Replaces out by the payload of the block. */
st_status st_lsm__block_builder_finish(st_op *op, st_block_builder *builder,
                                       st_buf *out) ST_MUST_USE;

/* A payload in memory, searched in place. */
typedef struct st_block_view {
    st_slice payload;
    uint32_t count;
    uint8_t slot_bytes;
    st_slice prefix;
    const uint8_t *fingerprints;
    const uint8_t *slots;
} st_block_view;

bool st_lsm__block_open(st_slice payload,
                        st_block_view *out_view); /* false when the head is malformed */
/* Entry at index; its key is prefix and suffix apart. False when it is malformed. */
typedef struct st_block_entry {
    st_slice suffix, value;
    uint64_t sequence;
    uint8_t type;
} st_block_entry;
bool st_lsm__block_at(const st_block_view *view, uint32_t index, st_block_entry *out_entry);
/* Index of the first entry at or behind (key, sequence); count when there is none; UINT32_MAX when
 * malformed. */
uint32_t st_lsm__block_seek(const st_block_view *view, st_slice key, uint64_t sequence);
/* Newest version of key with sequence <= max_sequence, by fingerprint; false when there is none. */
bool st_lsm__block_find(const st_block_view *view, st_slice key, uint64_t hash,
                        uint64_t max_sequence, st_block_entry *out_entry, bool *out_malformed);

/* ---- codec ------------------------------------------------------------------------------ */

#define ST_SST_COMPRESS_NONE 0
#define ST_SST_COMPRESS_ZSTD 1

bool st_lsm__codec_has_zstd(void);
/* Replaces out by the compressed bytes; false when that does not pay or cannot be done: store them
 * plain. */
bool st_lsm__codec_compress(st_slice raw, st_buf *out);
bool st_lsm__codec_decompress(st_slice stored, uint8_t *to, size_t raw_bytes);

/* ---- filter ----------------------------------------------------------------------------- */

void st_lsm__filter_build(const uint64_t *hashes, size_t count, st_buf *out);
bool st_lsm__filter_may_contain(st_slice filter, uint64_t hash);

/* ---- cache ------------------------------------------------------------------------------ */

typedef struct st_cache
    st_cache; /* shared by all files of a database; sharded, second chance (CLOCK) eviction */
typedef struct st_block_pin st_block_pin; /* a cached block, counted; keeps its bytes readable */

st_status st_lsm__cache_create(st_op *op, const st_alloc *alloc, uint64_t budget_bytes,
                               st_cache **out_cache) ST_MUST_USE;
void st_lsm__cache_destroy(st_cache *cache); /* NULL is fine; no pin may be left */
void st_lsm__cache_stats(st_cache *cache, uint64_t *out_bytes, uint64_t *out_hits,
                         uint64_t *out_misses);
/* A pin of the block of (file, offset) in *out_pin, or NULL. */
void st_lsm__cache_get(st_cache *cache, uint64_t file, uint64_t offset, st_block_pin **out_pin);
/* Memory for a block that is about to be read, pinned once and not yet findable. NULL when out of
 * memory. */
st_block_pin *st_lsm__cache_reserve(st_cache *cache, uint64_t file, uint64_t offset, size_t bytes);
/* Makes it findable; when another thread was faster its block is taken instead. */
void st_lsm__cache_insert(st_block_pin **pin);
void st_lsm__cache_drop_file(st_cache *cache, uint64_t file);
uint64_t st_lsm__cache_new_file(st_cache *cache); /* a number for one open file */
uint8_t *st_lsm__pin_data(st_block_pin *pin);
size_t st_lsm__pin_bytes(const st_block_pin *pin);
void st_lsm__block_unpin(st_block_pin *pin); /* NULL is fine */

/* ---- files ------------------------------------------------------------------------------ */

/* What the manifest keeps of a file. Keys are owned by whoever owns the structure. */
typedef struct st_sst_summary {
    st_file_identity identity;
    uint64_t file_bytes;
    uint64_t entry_count;
    uint64_t smallest_sequence, largest_sequence;
    st_slice smallest_key, largest_key; /* both inclusive */
} st_sst_summary;

typedef struct st_sst_writer st_sst_writer;

/* Writes path (which must not exist), all calls in order; compress: ST_SST_COMPRESS_... A failed
 * call leaves only destroy. */
st_status st_lsm__sst_writer_open(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                                  const st_file_identity *identity, int compress,
                                  st_sst_writer **out_writer) ST_MUST_USE;
st_status st_lsm__sst_writer_add(st_op *op, st_sst_writer *writer,
                                 const st_entry *entry) ST_MUST_USE;
uint64_t st_lsm__sst_writer_bytes(const st_sst_writer *writer); /* written so far, about */
/* Writes filters, index and footer and syncs the file. Keys of the summary are borrowed from the
 * writer until destroyed. */
st_status st_lsm__sst_writer_finish(st_op *op, st_sst_writer *writer,
                                    st_sst_summary *out_summary) ST_MUST_USE;
void st_lsm__sst_writer_destroy(
    st_sst_writer *writer); /* NULL is fine; closes the file, does not remove it */

typedef struct st_sst st_sst; /* an open file; all reads may run at the same time */

/* Checks header and footer only. summary may be NULL (inspect): then only the file's own word
 * counts. */
st_status st_lsm__sst_open(st_op *op, st_env *env, const st_alloc *alloc, st_cache *cache,
                           const char *path, const st_sst_summary *summary,
                           st_sst **out_sst) ST_MUST_USE;
void st_lsm__sst_close(st_sst *sst); /* NULL is fine; drops its blocks from the cache */
/* Newest version of key with sequence <= max_sequence. out_entry's value is borrowed from *out_pin;
 * its key is the caller's. */
st_status st_lsm__sst_get(st_op *op, st_sst *sst, st_slice key, uint64_t hash,
                          uint64_t max_sequence, st_entry *out_entry, bool *out_found,
                          st_block_pin **out_pin) ST_MUST_USE;
st_status st_lsm__sst_iter(st_op *op, st_sst *sst, bool is_reverse, st_iter **out_iter) ST_MUST_USE;
/* Reads every byte: checksums, order, filters hold every key, counts. */
st_status st_lsm__sst_verify(st_op *op, st_sst *sst, uint64_t *out_entries) ST_MUST_USE;
st_status st_lsm__sst_inspect(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                              st_lsm_print print, void *ctx) ST_MUST_USE;

/* ---- what reader, iterator and verify share --------------------------------------------- */

#define ST_SST_HEADER_BYTES 64u
#define ST_SST_FOOTER_BYTES 64u
#define ST_SST_MAGIC "STATORSF"
#define ST_SST_FORMAT 1u

struct st_sst {
    st_env *env;
    const st_alloc *alloc;
    st_cache *cache;
    st_file *file;
    uint64_t cache_file;
    st_file_identity identity;
    uint64_t file_bytes, entry_count;
    st_block_handle root;
    uint32_t index_levels; /* at least 2; level 1 points at data blocks */
    size_t path_bytes;
    char path[];
};

/* The payload of a block, through the cache. */
st_status st_lsm__sst_block(st_op *op, st_sst *sst, st_block_handle handle, uint8_t type,
                            st_block_pin **out_pin, st_block_view *out_view) ST_MUST_USE;
/* What an index entry points at; the filter is only there on level 2. */
bool st_lsm__index_value(st_slice value, st_block_handle *out_child, st_block_handle *out_filter);
st_status st_lsm__sst_corrupt(st_op *op, const st_sst *sst, uint64_t offset, const char *what);

#endif
