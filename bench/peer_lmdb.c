/* LMDB: one map of 1 GiB, key and value as bytes; a transaction for each call; MDB_NOSYNC when
 * writes need not be durable. It has no cache of its own, so that cache_bytes says nothing to it.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <lmdb.h>

typedef struct lmdb_bench_db {
    MDB_env *env;
    MDB_dbi dbi;
} lmdb_bench_db;

typedef struct lmdb_bench_session {
    lmdb_bench_db *db;
    MDB_txn *reader;
} lmdb_bench_session;

static void lmdb_bench_must(int code)
{
    if (code != MDB_SUCCESS) {
        bench_die("lmdb", mdb_strerror(code));
    }
}

static const char *lmdb_bench_version(void)
{
    static char text[32];
    int major, minor, patch;
    mdb_version(&major, &minor, &patch);
    snprintf(text, sizeof text, "%d.%d.%d", major, minor, patch);
    return text;
}

static void *lmdb_bench_open(const char *path, size_t cache_bytes, bool is_sync)
{
    lmdb_bench_db *self = bench_alloc(sizeof *self);
    MDB_txn *txn;
    (void)cache_bytes;
    (void)mkdir(path, 0777);
    lmdb_bench_must(mdb_env_create(&self->env));
    lmdb_bench_must(mdb_env_set_mapsize(self->env, (size_t)1 << 30));
    lmdb_bench_must(mdb_env_open(self->env, path, (is_sync ? 0 : MDB_NOSYNC) | MDB_NOTLS, 0666));
    lmdb_bench_must(mdb_txn_begin(self->env, NULL, 0, &txn));
    lmdb_bench_must(mdb_dbi_open(txn, NULL, 0, &self->dbi));
    lmdb_bench_must(mdb_txn_commit(txn));
    return self;
}

static void lmdb_bench_settle(void *db)
{
    lmdb_bench_must(mdb_env_sync(((lmdb_bench_db *)db)->env, 1));
}

static void lmdb_bench_close(void *db)
{
    mdb_env_close(((lmdb_bench_db *)db)->env);
    free(db);
}

static void *lmdb_bench_session_open(void *db)
{
    lmdb_bench_session *session = bench_alloc(sizeof *session);
    session->db = db;
    lmdb_bench_must(mdb_txn_begin(session->db->env, NULL, MDB_RDONLY, &session->reader));
    mdb_txn_reset(session->reader);
    return session;
}

static void lmdb_bench_session_close(void *session)
{
    mdb_txn_abort(((lmdb_bench_session *)session)->reader);
    free(session);
}

static void lmdb_bench_put(void *session, const bench_key *key, const uint8_t *value)
{
    lmdb_bench_session *self = session;
    MDB_txn *txn;
    MDB_val k = {BENCH_KEY_BYTES, (void *)(uintptr_t)key->bytes};
    MDB_val v = {BENCH_VALUE_BYTES, (void *)(uintptr_t)value};
    lmdb_bench_must(mdb_txn_begin(self->db->env, NULL, 0, &txn));
    lmdb_bench_must(mdb_put(txn, self->db->dbi, &k, &v, 0));
    lmdb_bench_must(mdb_txn_commit(txn));
}

static bool lmdb_bench_get(void *session, const bench_key *key, uint8_t *out_value)
{
    lmdb_bench_session *self = session;
    MDB_val k = {BENCH_KEY_BYTES, (void *)(uintptr_t)key->bytes}, v;
    lmdb_bench_must(mdb_txn_renew(self->reader));
    int code = mdb_get(self->reader, self->db->dbi, &k, &v);
    if (code == MDB_NOTFOUND) {
        mdb_txn_reset(self->reader);
        return false;
    }
    lmdb_bench_must(code);
    if (v.mv_size != BENCH_VALUE_BYTES) {
        bench_die("lmdb", "a value of another length");
    }
    memcpy(out_value, v.mv_data, BENCH_VALUE_BYTES);
    mdb_txn_reset(self->reader);
    return true;
}

/* From key, or from the first; prefix_bytes of the key have to match. */
static uint64_t lmdb_bench_walk(lmdb_bench_session *self, const bench_key *key, size_t prefix_bytes,
                                uint64_t limit, uint64_t *out_bytes)
{
    MDB_cursor *cursor;
    MDB_val k = {0, NULL}, v;
    uint64_t count = 0;
    if (key) {
        k = (MDB_val){BENCH_KEY_BYTES, (void *)(uintptr_t)key->bytes};
    }
    lmdb_bench_must(mdb_txn_renew(self->reader));
    lmdb_bench_must(mdb_cursor_open(self->reader, self->db->dbi, &cursor));
    int code = mdb_cursor_get(cursor, &k, &v, key ? MDB_SET_RANGE : MDB_FIRST);
    while (code == MDB_SUCCESS && count < limit &&
           (!key || memcmp(k.mv_data, key->bytes, prefix_bytes) == 0)) {
        *out_bytes += v.mv_size;
        count++;
        code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    if (code != MDB_NOTFOUND) {
        lmdb_bench_must(code);
    }
    mdb_cursor_close(cursor);
    mdb_txn_reset(self->reader);
    return count;
}

static uint64_t lmdb_bench_query(void *session, const bench_key *key, uint64_t limit,
                                 uint64_t *out_bytes)
{
    return lmdb_bench_walk(session, key, BENCH_PARTITION_BYTES, limit, out_bytes);
}

static uint64_t lmdb_bench_scan(void *session, uint64_t *out_bytes)
{
    return lmdb_bench_walk(session, NULL, 0, UINT64_MAX, out_bytes);
}

const bench_engine bench_lmdb = {
    .name = "lmdb",
    .layer = "bytes",
    .version = lmdb_bench_version,
    .open = lmdb_bench_open,
    .settle = lmdb_bench_settle,
    .close = lmdb_bench_close,
    .session_open = lmdb_bench_session_open,
    .session_close = lmdb_bench_session_close,
    .put = lmdb_bench_put,
    .get = lmdb_bench_get,
    .query = lmdb_bench_query,
    .scan = lmdb_bench_scan,
};
