/* What an engine must do to be measured, and what all of them are given.
 *
 * The key is a partition (text of seven characters) and a sort number. Engines of plain bytes get
 * both as bench_key_bytes; memcmp order of those is the order of queries. Every function ends the
 * program on an error, so that no failed call is ever counted as a fast one.
 *
 * A database is opened once for all threads; each thread makes a session of its own.
 */
#ifndef STATOR_BENCH_H
#define STATOR_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_PARTITION_BYTES = 7, BENCH_KEY_BYTES = 11, BENCH_VALUE_BYTES = 100 };

typedef struct bench_key {
    char partition[BENCH_PARTITION_BYTES + 1];
    uint32_t sort;
    uint8_t bytes[BENCH_KEY_BYTES]; /* partition, then sort big-endian */
} bench_key;

typedef struct bench_engine {
    const char *name;
    const char *layer; /* "items" or "bytes" */
    const char *(*version)(void);
    /* cache_bytes: all the memory the engine may use of its own, where it can be told. */
    void *(*open)(const char *path, size_t cache_bytes, bool is_sync);
    void (*settle)(void *db); /* everything into files, merged */
    void (*close)(void *db);
    void *(*session_open)(void *db);
    void (*session_close)(void *session);
    void (*put)(void *session, const bench_key *key, const uint8_t *value);
    /* Copies the value out; false when the key is absent. */
    bool (*get)(void *session, const bench_key *key, uint8_t *out_value);
    /* Items of the partition from key on, at most limit; adds up their value bytes. */
    uint64_t (*query)(void *session, const bench_key *key, uint64_t limit, uint64_t *out_bytes);
    uint64_t (*scan)(void *session, uint64_t *out_bytes); /* all items */
} bench_engine;

extern const bench_engine bench_stator, bench_sqlite, bench_lmdb, bench_leveldb, bench_rocksdb;

_Noreturn void bench_die(const char *what, const char *why);
void *bench_alloc(size_t bytes); /* zeroed */

#endif
