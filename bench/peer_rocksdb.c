/* RocksDB: key and value as bytes; a quarter of the memory for the write buffer, the rest for
 * blocks, ten filter bits a key; values are read pinned, without a copy of its own; else its
 * defaults. Group commit is its own. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#include <rocksdb/c.h>

typedef struct rocksdb_bench_db {
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_writeoptions_t *writing;
    rocksdb_readoptions_t *reading;
    rocksdb_cache_t *cache;
    rocksdb_block_based_table_options_t *blocks;
} rocksdb_bench_db;

static void rocksdb_bench_must(const char *error)
{
    if (error) {
        bench_die("rocksdb", error);
    }
}

static const char *rocksdb_bench_version(void)
{
    return BENCH_ROCKSDB_VERSION;
}

static void *rocksdb_bench_open(const char *path, size_t cache_bytes, bool is_sync)
{
    rocksdb_bench_db *self = bench_alloc(sizeof *self);
    char *error = NULL;
    self->options = rocksdb_options_create();
    self->writing = rocksdb_writeoptions_create();
    self->reading = rocksdb_readoptions_create();
    rocksdb_options_set_create_if_missing(self->options, 1);
    rocksdb_options_set_write_buffer_size(self->options, cache_bytes / 4);
    self->cache = rocksdb_cache_create_lru(cache_bytes / 4 * 3);
    self->blocks = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(self->blocks, self->cache);
    rocksdb_block_based_options_set_filter_policy(self->blocks,
                                                  rocksdb_filterpolicy_create_bloom_full(10));
    rocksdb_options_set_block_based_table_factory(self->options, self->blocks);
    rocksdb_writeoptions_set_sync(self->writing, is_sync);
    self->db = rocksdb_open(self->options, path, &error);
    rocksdb_bench_must(error);
    return self;
}

static void rocksdb_bench_settle(void *db)
{
    rocksdb_bench_db *self = db;
    char *error = NULL;
    rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
    rocksdb_flush(self->db, flush, &error);
    rocksdb_bench_must(error);
    rocksdb_flushoptions_destroy(flush);
    rocksdb_compact_range(self->db, NULL, 0, NULL, 0);
}

static void rocksdb_bench_close(void *db)
{
    rocksdb_bench_db *self = db;
    rocksdb_close(self->db);
    rocksdb_options_destroy(self->options);
    rocksdb_block_based_options_destroy(self->blocks);
    rocksdb_cache_destroy(self->cache);
    rocksdb_writeoptions_destroy(self->writing);
    rocksdb_readoptions_destroy(self->reading);
    free(self);
}

static void *rocksdb_bench_session_open(void *db)
{
    return db;
}

static void rocksdb_bench_session_close(void *session)
{
    (void)session;
}

static void rocksdb_bench_put(void *session, const bench_key *key, const uint8_t *value)
{
    rocksdb_bench_db *self = session;
    char *error = NULL;
    rocksdb_put(self->db, self->writing, (const char *)key->bytes, BENCH_KEY_BYTES,
                (const char *)value, BENCH_VALUE_BYTES, &error);
    rocksdb_bench_must(error);
}

static bool rocksdb_bench_get(void *session, const bench_key *key, uint8_t *out_value)
{
    rocksdb_bench_db *self = session;
    char *error = NULL;
    size_t bytes;
    rocksdb_pinnableslice_t *slice = rocksdb_get_pinned(
        self->db, self->reading, (const char *)key->bytes, BENCH_KEY_BYTES, &error);
    rocksdb_bench_must(error);
    if (!slice) {
        return false;
    }
    const char *value = rocksdb_pinnableslice_value(slice, &bytes);
    if (!value || bytes != BENCH_VALUE_BYTES) {
        bench_die("rocksdb", "a value of another length");
    }
    memcpy(out_value, value, BENCH_VALUE_BYTES);
    rocksdb_pinnableslice_destroy(slice);
    return true;
}

/* From key, or from the first; partition and limit end it. */
static uint64_t rocksdb_bench_walk(rocksdb_bench_db *self, const bench_key *key, uint64_t limit,
                                   uint64_t *out_bytes)
{
    rocksdb_iterator_t *it = rocksdb_create_iterator(self->db, self->reading);
    char *error = NULL;
    uint64_t count = 0;
    size_t bytes;
    if (key) {
        rocksdb_iter_seek(it, (const char *)key->bytes, BENCH_KEY_BYTES);
    } else {
        rocksdb_iter_seek_to_first(it);
    }
    for (; count < limit && rocksdb_iter_valid(it); count++) {
        if (key && memcmp(rocksdb_iter_key(it, &bytes), key->bytes, BENCH_PARTITION_BYTES) != 0) {
            break;
        }
        (void)rocksdb_iter_value(it, &bytes);
        *out_bytes += bytes;
        rocksdb_iter_next(it);
    }
    rocksdb_iter_get_error(it, &error);
    rocksdb_bench_must(error);
    rocksdb_iter_destroy(it);
    return count;
}

static uint64_t rocksdb_bench_query(void *session, const bench_key *key, uint64_t limit,
                                    uint64_t *out_bytes)
{
    return rocksdb_bench_walk(session, key, limit, out_bytes);
}

static uint64_t rocksdb_bench_scan(void *session, uint64_t *out_bytes)
{
    return rocksdb_bench_walk(session, NULL, UINT64_MAX, out_bytes);
}

const bench_engine bench_rocksdb = {
    .name = "rocksdb",
    .layer = "bytes",
    .version = rocksdb_bench_version,
    .open = rocksdb_bench_open,
    .settle = rocksdb_bench_settle,
    .close = rocksdb_bench_close,
    .session_open = rocksdb_bench_session_open,
    .session_close = rocksdb_bench_session_close,
    .put = rocksdb_bench_put,
    .get = rocksdb_bench_get,
    .query = rocksdb_bench_query,
    .scan = rocksdb_bench_scan,
};
