/* LevelDB: key and value as bytes; a quarter of the memory for the write buffer, the rest for
 * blocks, ten filter bits a key; else its defaults. Group commit is its own. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <leveldb/c.h>

typedef struct leveldb_bench_db {
    leveldb_t *db;
    leveldb_options_t *options;
    leveldb_writeoptions_t *writing;
    leveldb_readoptions_t *reading;
    leveldb_cache_t *cache;
    leveldb_filterpolicy_t *filter;
} leveldb_bench_db;

static void leveldb_bench_must(const char *error)
{
    if (error) {
        bench_die("leveldb", error);
    }
}

static const char *leveldb_bench_version(void)
{
    static char text[32];
    snprintf(text, sizeof text, "%d.%d", leveldb_major_version(), leveldb_minor_version());
    return text;
}

static void *leveldb_bench_open(const char *path, size_t cache_bytes, bool is_sync)
{
    leveldb_bench_db *self = bench_alloc(sizeof *self);
    char *error = NULL;
    self->options = leveldb_options_create();
    self->writing = leveldb_writeoptions_create();
    self->reading = leveldb_readoptions_create();
    leveldb_options_set_create_if_missing(self->options, 1);
    leveldb_options_set_write_buffer_size(self->options, cache_bytes / 4);
    self->cache = leveldb_cache_create_lru(cache_bytes / 4 * 3);
    self->filter = leveldb_filterpolicy_create_bloom(10);
    leveldb_options_set_cache(self->options, self->cache);
    leveldb_options_set_filter_policy(self->options, self->filter);
    leveldb_writeoptions_set_sync(self->writing, is_sync);
    self->db = leveldb_open(self->options, path, &error);
    leveldb_bench_must(error);
    return self;
}

static void leveldb_bench_settle(void *db)
{
    leveldb_bench_db *self = db;
    leveldb_compact_range(self->db, NULL, 0, NULL, 0);
}

static void leveldb_bench_close(void *db)
{
    leveldb_bench_db *self = db;
    leveldb_close(self->db);
    leveldb_options_destroy(self->options);
    leveldb_filterpolicy_destroy(self->filter);
    leveldb_cache_destroy(self->cache);
    leveldb_writeoptions_destroy(self->writing);
    leveldb_readoptions_destroy(self->reading);
    free(self);
}

static void *leveldb_bench_session_open(void *db)
{
    return db;
}

static void leveldb_bench_session_close(void *session)
{
    (void)session;
}

static void leveldb_bench_put(void *session, const bench_key *key, const uint8_t *value)
{
    leveldb_bench_db *self = session;
    char *error = NULL;
    leveldb_put(self->db, self->writing, (const char *)key->bytes, BENCH_KEY_BYTES,
                (const char *)value, BENCH_VALUE_BYTES, &error);
    leveldb_bench_must(error);
}

static bool leveldb_bench_get(void *session, const bench_key *key, uint8_t *out_value)
{
    leveldb_bench_db *self = session;
    char *error = NULL;
    size_t bytes;
    char *value = leveldb_get(self->db, self->reading, (const char *)key->bytes, BENCH_KEY_BYTES,
                              &bytes, &error);
    leveldb_bench_must(error);
    if (!value) {
        return false;
    }
    if (bytes != BENCH_VALUE_BYTES) {
        bench_die("leveldb", "a value of another length");
    }
    memcpy(out_value, value, BENCH_VALUE_BYTES);
    leveldb_free(value);
    return true;
}

/* From key, or from the first; partition and limit end it. */
static uint64_t leveldb_bench_walk(leveldb_bench_db *self, const bench_key *key, uint64_t limit,
                                   uint64_t *out_bytes)
{
    leveldb_iterator_t *it = leveldb_create_iterator(self->db, self->reading);
    char *error = NULL;
    uint64_t count = 0;
    size_t bytes;
    if (key) {
        leveldb_iter_seek(it, (const char *)key->bytes, BENCH_KEY_BYTES);
    } else {
        leveldb_iter_seek_to_first(it);
    }
    for (; count < limit && leveldb_iter_valid(it); count++) {
        if (key && memcmp(leveldb_iter_key(it, &bytes), key->bytes, BENCH_PARTITION_BYTES) != 0) {
            break;
        }
        (void)leveldb_iter_value(it, &bytes);
        *out_bytes += bytes;
        leveldb_iter_next(it);
    }
    leveldb_iter_get_error(it, &error);
    leveldb_bench_must(error);
    leveldb_iter_destroy(it);
    return count;
}

static uint64_t leveldb_bench_query(void *session, const bench_key *key, uint64_t limit,
                                    uint64_t *out_bytes)
{
    return leveldb_bench_walk(session, key, limit, out_bytes);
}

static uint64_t leveldb_bench_scan(void *session, uint64_t *out_bytes)
{
    return leveldb_bench_walk(session, NULL, UINT64_MAX, out_bytes);
}

const bench_engine bench_leveldb = {
    .name = "leveldb",
    .layer = "bytes",
    .version = leveldb_bench_version,
    .open = leveldb_bench_open,
    .settle = leveldb_bench_settle,
    .close = leveldb_bench_close,
    .session_open = leveldb_bench_session_open,
    .session_close = leveldb_bench_session_close,
    .put = leveldb_bench_put,
    .get = leveldb_bench_get,
    .query = leveldb_bench_query,
    .scan = leveldb_bench_scan,
};
