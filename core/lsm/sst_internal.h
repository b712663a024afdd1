/* Sorted files. Private to lsm. Format: docs/formats/sorted-file.md.
 *
 * A file is written once, from entries in order, and never changed. Its identity (origin database
 * id, file id) is in its header and in every checksum, so that a valid block in the wrong place
 * fails. Blocks are of the 4 KiB class, one format on disk (zstd per block, or plain) and in the
 * cache, searched in place. Index nodes and filter partitions are checksummed, cached, evictable
 * blocks like data blocks.
 *
 * Whatever the bytes of a file are, reading it gives an answer or an error with file and offset:
 * never a crash, never a wait without end.
 */
#ifndef STATOR_LSM_SST_INTERNAL_H
#define STATOR_LSM_SST_INTERNAL_H

#include "env/env.h"
#include "lsm/block_internal.h"
#include "lsm/cache_internal.h"
#include "lsm/entry_internal.h"
#include "lsm/lsm.h"

typedef struct st_file_identity {
    uint8_t database_id[16]; /* of the database that wrote the file */
    uint64_t file_id;        /* never reused within it */
} st_file_identity;

/* The checksum of bytes that stand at an offset of a file: it covers the place. */
uint32_t st_lsm__place_crc(const st_file_identity *identity, uint64_t offset, const void *data,
                           size_t bytes);

/* What the manifest keeps of a file. Keys are owned by whoever owns the structure. */
typedef struct st_sst_summary {
    st_file_identity identity;
    uint64_t file_bytes;
    uint64_t entry_count;
    uint64_t smallest_sequence, largest_sequence; /* over entries and range deletes */
    /* Both inclusive. Range deletes widen them, their exclusive end counting as a key. */
    st_slice smallest_key, largest_key;
} st_sst_summary;

typedef struct st_sst_writer st_sst_writer;

/* Writes path (which must not exist), all calls in order; compress: ST_SST_COMPRESS_... A failed
 * call leaves only destroy. */
st_status st_lsm__sst_writer_open(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                                  const st_file_identity *identity, int compress,
                                  st_sst_writer **out_writer) ST_MUST_USE;
st_status st_lsm__sst_writer_add(st_op *op, st_sst_writer *writer,
                                 const st_entry *entry) ST_MUST_USE;
/* Range deletes come in the order of (from, sequence descending), at any time between entries. */
st_status st_lsm__sst_writer_add_range(st_op *op, st_sst_writer *writer,
                                       const st_range_delete *range) ST_MUST_USE;
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

/* The range deletes of the file, in order, the slices borrowed for the call of visit. */
typedef st_status (*st_sst_visit_range)(void *ctx, st_op *op, const st_range_delete *range);
uint64_t st_lsm__sst_range_count(const st_sst *sst);
st_status st_lsm__sst_ranges(st_op *op, st_sst *sst, st_sst_visit_range visit,
                             void *ctx) ST_MUST_USE;
/* The newest sequence <= max_sequence of a range delete that covers key, 0 when none does. */
st_status st_lsm__sst_covering(st_op *op, st_sst *sst, st_slice key, uint64_t max_sequence,
                               uint64_t *out_sequence) ST_MUST_USE;

/* Reads every byte: checksums, order, filters hold every key, counts. */
st_status st_lsm__sst_verify(st_op *op, st_sst *sst, uint64_t *out_entries) ST_MUST_USE;
st_status st_lsm__sst_inspect(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                              st_lsm_print print, void *ctx) ST_MUST_USE;

/* ---- what writer, reader, iterator and verify share ------------------------------------- */

#define ST_SST_MAGIC "STATORSF"
#define ST_SST_FORMAT 1u
#define ST_SST_GENERATION 1u /* a file's name is never used again */
#define ST_SST_HEADER_BYTES 80u
#define ST_SST_FOOTER_BYTES 112u
#define ST_BLOCK_HEADER_BYTES 24u
#define ST_SST_TRAILER_BYTES_MAX 64u

struct st_sst {
    st_env *env;
    const st_alloc *alloc;
    st_cache *cache;
    st_file *file;
    uint64_t cache_file;
    st_file_identity identity;
    uint64_t file_bytes, entry_count;
    uint64_t smallest_sequence, largest_sequence;
    st_index_child root;    /* its filter only if it is of level 1 */
    uint32_t index_levels;  /* 0 when there are no entries; level 1 points at data blocks */
    uint32_t trailer_bytes; /* behind the stored bytes of every block */
    uint64_t range_offset, range_bytes, range_count; /* blocks of range deletes */
    size_t path_bytes;
    char path[];
};

/* Reads a block past the cache, checks everything about it, and gives its payload in memory that
 * the cache may take over. */
st_status st_lsm__sst_read_block(st_op *op, st_sst *sst, st_block_handle handle, uint8_t type,
                                 st_block_pin **out_pin) ST_MUST_USE;
/* The same through the cache. */
st_status st_lsm__sst_block(st_op *op, st_sst *sst, st_block_handle handle, uint8_t type,
                            st_block_pin **out_pin) ST_MUST_USE;
/* A cached block is that which the index means. */
st_status st_lsm__sst_expect(st_op *op, const st_sst *sst, const st_block_pin *pin,
                             st_block_handle handle, uint8_t type) ST_MUST_USE;
st_status st_lsm__sst_node(st_op *op, const st_sst *sst, const st_block_pin *pin, uint32_t level,
                           st_index_view *out_view) ST_MUST_USE;
/* Where the block at an offset ends, by its own header, whose bytes are given back as well. */
st_status st_lsm__sst_walk(st_op *op, st_sst *sst, uint64_t offset, uint64_t end,
                           uint8_t out_header[ST_BLOCK_HEADER_BYTES],
                           st_block_handle *out_handle) ST_MUST_USE;
st_status st_lsm__sst_corrupt(st_op *op, const st_sst *sst, uint64_t offset, const char *what);

#endif
