/* Stator by its handle layer: a value is the attribute v of an item with the keys p (S) and s (N).
 * Items are built and read attribute by attribute, as a program in C would. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#include "stator.h"

typedef struct bench_stator_db {
    stator_db *db;
    stator_table *table;
} bench_stator_db;

typedef struct bench_stator_session {
    stator_table *table;
    stator_item *item;
} bench_stator_session;

static void stator_must(stator_status status, const stator_error *error)
{
    if (status != STATOR_OK) {
        bench_die("stator", error ? error->message : stator_status_name(status));
    }
}

static void *stator_bench_open(const char *path, size_t cache_bytes, bool is_sync)
{
    stator_options options;
    stator_error error;
    stator_schema *schema;
    bench_stator_db *self = bench_alloc(sizeof *self);
    stator_error_init(&error);
    stator_options_init(&options);
    options.memory_budget_bytes = cache_bytes;
    options.durability = is_sync ? STATOR_DURABILITY_SYNC : STATOR_DURABILITY_NONE;
    stator_must(stator_open(path, strlen(path), &options, &self->db, &error), &error);
    stator_must(stator_schema_new(&schema), NULL);
    stator_must(stator_schema_partition(schema, "p", 1, STATOR_TYPE_S), NULL);
    stator_must(stator_schema_sort(schema, "s", 1, STATOR_TYPE_N), NULL);
    stator_must(stator_table_ensure(self->db, "bench", 5, schema, &self->table, &error), &error);
    stator_schema_free(schema);
    return self;
}

static void stator_bench_settle(void *db)
{
    bench_stator_db *self = db;
    stator_error error;
    stator_error_init(&error);
    stator_must(stator_compact(self->db, &error), &error);
}

static void stator_bench_close(void *db)
{
    bench_stator_db *self = db;
    stator_error error;
    stator_error_init(&error);
    stator_table_free(self->table);
    stator_must(stator_close(self->db, &error), &error);
    free(self);
}

static void *stator_bench_session_open(void *db)
{
    bench_stator_session *session = bench_alloc(sizeof *session);
    session->table = ((bench_stator_db *)db)->table;
    stator_must(stator_item_new(&session->item), NULL);
    return session;
}

static void stator_bench_session_close(void *session)
{
    stator_item_free(((bench_stator_session *)session)->item);
    free(session);
}

static void stator_bench_key(stator_item *item, const bench_key *key)
{
    stator_must(stator_item_clear(item), NULL);
    stator_must(stator_item_set_string(item, "p", 1, key->partition, BENCH_PARTITION_BYTES), NULL);
    stator_must(stator_item_set_int64(item, "s", 1, (int64_t)key->sort), NULL);
}

static void stator_bench_put(void *session, const bench_key *key, const uint8_t *value)
{
    bench_stator_session *self = session;
    stator_error error;
    stator_error_init(&error);
    stator_bench_key(self->item, key);
    stator_must(stator_item_set_binary(self->item, "v", 1, value, BENCH_VALUE_BYTES), NULL);
    stator_must(stator_put(self->table, self->item, NULL, &error), &error);
}

static bool stator_bench_get(void *session, const bench_key *key, uint8_t *out_value)
{
    bench_stator_session *self = session;
    stator_error error;
    stator_item *item;
    stator_error_init(&error);
    stator_bench_key(self->item, key);
    stator_must(stator_get(self->table, self->item, NULL, &item, &error), &error);
    if (!item) {
        return false;
    }
    stator_value value;
    stator_value_init(&value);
    stator_must(stator_item_get(item, "v", 1, &value, &error), &error);
    if (value.data_bytes != BENCH_VALUE_BYTES) {
        bench_die("stator", "a value of another length");
    }
    memcpy(out_value, value.data, BENCH_VALUE_BYTES);
    stator_item_free(item);
    return true;
}

static uint64_t stator_bench_drain(stator_cursor *cursor, uint64_t *out_bytes)
{
    stator_error error;
    stator_item *item;
    uint64_t count = 0;
    stator_error_init(&error);
    for (;; count++) {
        stator_must(stator_cursor_next(cursor, &item, &error), &error);
        if (!item) {
            break;
        }
        stator_value value;
        stator_value_init(&value);
        stator_must(stator_item_get(item, "v", 1, &value, &error), &error);
        *out_bytes += value.data_bytes;
    }
    stator_cursor_free(cursor);
    return count;
}

static uint64_t stator_bench_query(void *session, const bench_key *key, uint64_t limit,
                                   uint64_t *out_bytes)
{
    bench_stator_session *self = session;
    stator_error error;
    stator_query *query;
    stator_cursor *cursor;
    char digits[16];
    size_t at = sizeof digits;
    uint32_t rest = key->sort;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    stator_error_init(&error);
    stator_must(stator_query_new(self->table, &query), NULL);
    stator_must(stator_query_partition_string(query, key->partition, BENCH_PARTITION_BYTES), NULL);
    stator_must(stator_query_sort_at_least(query, digits + at, sizeof digits - at), NULL);
    stator_must(stator_query_limit(query, limit), NULL);
    stator_must(stator_query_open(query, &cursor, &error), &error);
    uint64_t count = stator_bench_drain(cursor, out_bytes);
    stator_query_free(query);
    return count;
}

static uint64_t stator_bench_scan(void *session, uint64_t *out_bytes)
{
    bench_stator_session *self = session;
    stator_error error;
    stator_scan *scan;
    stator_cursor *cursor;
    stator_error_init(&error);
    stator_must(stator_scan_new(self->table, &scan), NULL);
    stator_must(stator_scan_open(scan, &cursor, &error), &error);
    uint64_t count = stator_bench_drain(cursor, out_bytes);
    stator_scan_free(scan);
    return count;
}

const bench_engine bench_stator = {
    .name = "stator",
    .layer = "items",
    .version = stator_version,
    .open = stator_bench_open,
    .settle = stator_bench_settle,
    .close = stator_bench_close,
    .session_open = stator_bench_session_open,
    .session_close = stator_bench_session_close,
    .put = stator_bench_put,
    .get = stator_bench_get,
    .query = stator_bench_query,
    .scan = stator_bench_scan,
};
