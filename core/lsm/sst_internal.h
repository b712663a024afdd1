/* Sorted files and the block cache. Private to lsm. Format: docs/formats/sorted-file.md.
 *
 * A file is written once, from entries in order, and never changed. Its identity (origin database
 * id, file id) is in its header and in every checksum, so that a valid block in the wrong place
 * fails. Blocks are of the 4 KiB class, one format on disk (zstd per block, or plain) and in the
 * cache, searched in place. An entry too large for a 32 KiB block has a block of its own. Index
 * nodes and filter partitions are checksummed, cached, evictable blocks like data blocks.
 */
#ifndef STATOR_LSM_SST_INTERNAL_H
#define STATOR_LSM_SST_INTERNAL_H

#include "env/env.h"
#include "lsm/entry_internal.h"
#include "lsm/lsm.h"

/* shared by all files of a database; sharded, second chance (CLOCK) eviction */
typedef struct st_cache st_cache;

st_status st_lsm__cache_create(st_op *op, const st_alloc *alloc, uint64_t budget_bytes,
                               st_cache **out_cache) ST_MUST_USE;
void st_lsm__cache_destroy(st_cache *cache); /* NULL is fine; no pin may be left */
void st_lsm__cache_stats(const st_cache *cache, uint64_t *out_bytes, uint64_t *out_hits,
                         uint64_t *out_misses);

typedef struct st_file_identity {
    uint8_t database_id[16]; /* of the database that wrote the file */
    uint64_t file_id;        /* never reused within it */
} st_file_identity;

#define ST_SST_COMPRESS_NONE 0
#define ST_SST_COMPRESS_ZSTD 1

/* What the manifest keeps of a file. Keys are owned by whoever owns the structure. */
typedef struct st_sst_summary {
    st_file_identity identity;
    uint64_t file_bytes;
    uint64_t entry_count;
    uint64_t range_delete_count;
    uint64_t smallest_sequence, largest_sequence; /* over entries and range deletes */
    /* both inclusive; range deletes widen them, their exclusive end counting as key */
    st_slice smallest_key, largest_key;
} st_sst_summary;

typedef struct st_sst_writer st_sst_writer;

/* Writes path (which must not exist), all calls in order; compress: ST_SST_COMPRESS_... A failed
 * call leaves only abandon. */
st_status st_lsm__sst_writer_open(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                                  const st_file_identity *identity, int compress,
                                  st_sst_writer **out_writer) ST_MUST_USE;
st_status st_lsm__sst_writer_add(st_op *op, st_sst_writer *writer,
                                 const st_entry *entry) ST_MUST_USE;
st_status st_lsm__sst_writer_add_range(st_op *op, st_sst_writer *writer,
                                       const st_range_delete *range) ST_MUST_USE;
uint64_t st_lsm__sst_writer_bytes(const st_sst_writer *writer); /* written so far, about */
/* Writes filter, index and footer and syncs the file. Keys of the summary are borrowed from the
 * writer until destroyed. */
st_status st_lsm__sst_writer_finish(st_op *op, st_sst_writer *writer,
                                    st_sst_summary *out_summary) ST_MUST_USE;
/* NULL is fine; closes the file, does not remove it */
void st_lsm__sst_writer_destroy(st_sst_writer *writer);

typedef struct st_sst st_sst; /* an open file; all reads may run at the same time */

/* Checks header and footer only. cache_key is unique among the open files of the cache. */
st_status st_lsm__sst_open(st_op *op, st_env *env, const st_alloc *alloc, st_cache *cache,
                           const char *path, const st_sst_summary *summary,
                           st_sst **out_sst) ST_MUST_USE;
void st_lsm__sst_close(st_sst *sst); /* NULL is fine; drops its blocks from the cache */

typedef struct st_block_pin st_block_pin; /* a cached block, counted; keeps its bytes readable */
void st_lsm__block_unpin(st_block_pin *pin); /* NULL is fine */

/* Newest version of key with sequence <= max_sequence. out_entry is borrowed from *out_pin. */
st_status st_lsm__sst_get(st_op *op, st_sst *sst, st_slice key, uint64_t hash,
                          uint64_t max_sequence, st_entry *out_entry, bool *out_found,
                          st_block_pin **out_pin) ST_MUST_USE;
/* as for memtables */
uint64_t st_lsm__sst_covering(const st_sst *sst, st_slice key, uint64_t max_sequence);
size_t st_lsm__sst_range_count(const st_sst *sst);
st_range_delete st_lsm__sst_range_at(const st_sst *sst, size_t index);
st_status st_lsm__sst_iter(st_op *op, st_sst *sst, bool is_reverse, st_iter **out_iter) ST_MUST_USE;
/* Reads every byte: checksums, order, filter holds every key, index leads to every block,
 * counts. */
st_status st_lsm__sst_verify(st_op *op, st_sst *sst) ST_MUST_USE;
uint64_t st_lsm__sst_memory(const st_sst *sst); /* bytes held outside the cache */
/* The file in words; needs no summary. */
st_status st_lsm__sst_inspect(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                              st_lsm_print print, void *ctx) ST_MUST_USE;

#endif
