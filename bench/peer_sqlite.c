/* SQLite: a table without rowid, its primary key partition and sort number; write-ahead log,
 * synchronous FULL or OFF; a connection for each thread; every put a transaction of its own. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

typedef struct sqlite_bench_db {
    char path[1024];
    size_t cache_bytes;
    bool is_sync;
} sqlite_bench_db;

typedef struct sqlite_bench_session {
    sqlite3 *db;
    sqlite3_stmt *put, *get, *query, *scan;
} sqlite_bench_session;

static void sqlite_bench_exec(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        bench_die("sqlite", sqlite3_errmsg(db));
    }
}

static sqlite3_stmt *sqlite_bench_prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        bench_die("sqlite", sqlite3_errmsg(db));
    }
    return statement;
}

static void *sqlite_bench_session_open(void *db)
{
    sqlite_bench_db *self = db;
    sqlite_bench_session *session = bench_alloc(sizeof *session);
    char sql[128];
    if (sqlite3_open(self->path, &session->db) != SQLITE_OK) {
        bench_die("sqlite", sqlite3_errmsg(session->db));
    }
    sqlite3_busy_timeout(session->db, 60000);
    snprintf(sql, sizeof sql, "pragma cache_size = -%zu", self->cache_bytes >> 10);
    sqlite_bench_exec(session->db, sql);
    sqlite_bench_exec(session->db, "pragma journal_mode = wal");
    sqlite_bench_exec(session->db,
                      self->is_sync ? "pragma synchronous = full" : "pragma synchronous = off");
    sqlite_bench_exec(session->db, "create table if not exists bench"
                                   "(p text, s integer, v blob, primary key (p, s)) without rowid");
    session->put = sqlite_bench_prepare(session->db, "insert or replace into bench values(?,?,?)");
    session->get = sqlite_bench_prepare(session->db, "select v from bench where p = ? and s = ?");
    session->query = sqlite_bench_prepare(
        session->db, "select v from bench where p = ? and s >= ? order by s limit ?");
    session->scan = sqlite_bench_prepare(session->db, "select v from bench");
    return session;
}

static void sqlite_bench_session_close(void *session)
{
    sqlite_bench_session *self = session;
    sqlite3_finalize(self->put);
    sqlite3_finalize(self->get);
    sqlite3_finalize(self->query);
    sqlite3_finalize(self->scan);
    if (sqlite3_close(self->db) != SQLITE_OK) {
        bench_die("sqlite", "cannot close");
    }
    free(self);
}

static void *sqlite_bench_open(const char *path, size_t cache_bytes, bool is_sync)
{
    sqlite_bench_db *self = bench_alloc(sizeof *self);
    snprintf(self->path, sizeof self->path, "%s/bench.sqlite", path);
    (void)mkdir(path, 0777);
    self->cache_bytes = cache_bytes;
    self->is_sync = is_sync;
    return self;
}

static void sqlite_bench_settle(void *db)
{
    sqlite_bench_session *session = sqlite_bench_session_open(db);
    sqlite_bench_exec(session->db, "pragma wal_checkpoint(truncate)");
    sqlite_bench_exec(session->db, "vacuum");
    sqlite_bench_exec(session->db, "pragma wal_checkpoint(truncate)");
    sqlite_bench_session_close(session);
}

static void sqlite_bench_bind(sqlite_bench_session *self, sqlite3_stmt *statement,
                              const bench_key *key)
{
    if (sqlite3_bind_text(statement, 1, key->partition, BENCH_PARTITION_BYTES, SQLITE_STATIC) ||
        sqlite3_bind_int64(statement, 2, key->sort)) {
        bench_die("sqlite", sqlite3_errmsg(self->db));
    }
}

static bool sqlite_bench_step(sqlite_bench_session *self, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        bench_die("sqlite", sqlite3_errmsg(self->db));
    }
    if (code == SQLITE_DONE) {
        sqlite3_reset(statement);
    }
    return code == SQLITE_ROW;
}

static void sqlite_bench_put(void *session, const bench_key *key, const uint8_t *value)
{
    sqlite_bench_session *self = session;
    sqlite_bench_bind(self, self->put, key);
    sqlite3_bind_blob(self->put, 3, value, BENCH_VALUE_BYTES, SQLITE_STATIC);
    sqlite_bench_step(self, self->put);
}

static bool sqlite_bench_get(void *session, const bench_key *key, uint8_t *out_value)
{
    sqlite_bench_session *self = session;
    sqlite_bench_bind(self, self->get, key);
    if (!sqlite_bench_step(self, self->get)) {
        return false;
    }
    if (sqlite3_column_bytes(self->get, 0) != BENCH_VALUE_BYTES) {
        bench_die("sqlite", "a value of another length");
    }
    memcpy(out_value, sqlite3_column_blob(self->get, 0), BENCH_VALUE_BYTES);
    sqlite3_reset(self->get);
    return true;
}

static uint64_t sqlite_bench_drain(sqlite_bench_session *self, sqlite3_stmt *statement,
                                   uint64_t *out_bytes)
{
    uint64_t count = 0;
    for (; sqlite_bench_step(self, statement); count++) {
        *out_bytes += (uint64_t)sqlite3_column_bytes(statement, 0);
    }
    return count;
}

static uint64_t sqlite_bench_query(void *session, const bench_key *key, uint64_t limit,
                                   uint64_t *out_bytes)
{
    sqlite_bench_session *self = session;
    sqlite_bench_bind(self, self->query, key);
    sqlite3_bind_int64(self->query, 3, (sqlite3_int64)limit);
    return sqlite_bench_drain(self, self->query, out_bytes);
}

static uint64_t sqlite_bench_scan(void *session, uint64_t *out_bytes)
{
    sqlite_bench_session *self = session;
    return sqlite_bench_drain(self, self->scan, out_bytes);
}

const bench_engine bench_sqlite = {
    .name = "sqlite",
    .layer = "items",
    .version = sqlite3_libversion,
    .open = sqlite_bench_open,
    .settle = sqlite_bench_settle,
    .close = free,
    .session_open = sqlite_bench_session_open,
    .session_close = sqlite_bench_session_close,
    .put = sqlite_bench_put,
    .get = sqlite_bench_get,
    .query = sqlite_bench_query,
    .scan = sqlite_bench_scan,
};
