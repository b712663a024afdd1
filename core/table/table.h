/* table: DynamoDB tables over an ordered store: catalog, indexes, one way to write, one way to
 * read, queries and scans, transactions, expiry, streams.
 *
 * Everything above (ffi, wire, partiql, later server) is a client of this face. A request comes as
 * a frame (docs/formats/request.md) or, from C, as an st_request; results are frames
 * (docs/formats/result.md). One write path: every write ends in one commit, together with its index
 * entries, expiry entries and stream records.
 *
 * Guarantees
 * 1. Opening a directory again in the same process gives a reference to the same database; the last
 *    close closes it.
 * 2. The catalog is rows of table 0, written by the same commit as items. Ids are never reused; a
 *    request by the id of a deleted table is TABLE_NOT_FOUND, even if the name lives again.
 * 3. A result frame is complete or not there: on failure out_result is as long as before the call.
 *
 * Threads: everything may be called from any thread, a cursor by one thread at a time.
 */
#ifndef STATOR_TABLE_TABLE_H
#define STATOR_TABLE_TABLE_H

#include "base/base.h"
#include "env/env.h"
#include "expr/expr.h"
#include "item/item.h"
#include "lsm/lsm.h"
#include "table/frame.h"

typedef struct st_database st_database;
typedef struct st_table_cursor st_table_cursor;

typedef struct st_database_options {
    st_env *env; /* NULL: posix, or a memory Env of its own when path is ":memory:" */
    const st_alloc *alloc;
    bool create;
    bool read_only;
    bool inline_background;
    st_durability durability;
    uint32_t interval_ms;
    uint64_t memory_budget_bytes;
    uint64_t memtable_bytes;
    uint64_t file_bytes;
} st_database_options;

void st_database_options_init(st_database_options *options);

st_status st_database_open(st_op *op, st_slice path, const st_database_options *options,
                           st_database **out_database) ST_MUST_USE;
/* Drops the reference; the last one closes the files and returns the status of the last sync. No
 * other call on this reference may be running. Cursors must be closed before (the ffi layer sees
 * to that). */
st_status st_database_close(st_op *op, st_database *database);
/* for flush, compact, verify, statistics; until close */
st_lsm *st_database_lsm(st_database *database);
st_env *st_database_env(st_database *database);
uint32_t st_database_table_count(st_database *database);

/* ---- requests --------------------------------------------------------------------------- */

/* A decoded request. Slices and expressions are borrowed for the call, or until the cursor is
 * closed. Start from zeros with the operation, or with st_table_request. */
typedef struct st_request st_request;
struct st_request {
    uint8_t operation;
    st_slice name;
    uint32_t table_id; /* 0: by name */
    st_slice key, item, schema, definition, expected_definition, partition, sort, start_after;
    st_slice start_key, index, token;
    bool has_key, has_item, has_schema, has_partition, has_sort, has_start_after, has_name;
    bool has_start_key, has_index, has_definition, has_token;
    st_durability durability;
    uint32_t deadline_ms, flags;
    uint32_t page_items; /* 0: no limit */
    uint32_t page_bytes; /* 0: 1 MiB */
    uint32_t segment, segment_count;
    uint64_t limit;
    uint8_t returns, select;
    bool wants_capacity;
    /* expressions, resolved; NULL: none */
    const st_condition *condition, *filter;
    const st_update *update;
    const st_projection *projection;
    const st_key_clause *clauses; /* of a query */
    uint32_t clause_count;
    /* of a batch or transaction */
    st_request *entries;
    uint32_t entry_count;
    uint64_t token_digest[2]; /* of what the transaction does, with has_token */
    st_slice frame;           /* empty: the request came from C */
};

/* Decodes a frame and parses its expressions, all into the arena of op. */
st_status st_table_request(st_op *op, st_slice frame, st_request *out_request) ST_MUST_USE;

/* Runs one request frame and appends one result frame. A failed condition or a cancelled
 * transaction has its item or its reasons in op->error.detail (result.md). */
st_status st_table_execute(st_op *op, st_database *database, st_slice request,
                           st_buf *out_result) ST_MUST_USE;
/* The same for a decoded request. */
st_status st_table_run(st_op *op, st_database *database, const st_request *request,
                       st_buf *out_result) ST_MUST_USE;

/* A cursor of a QUERY or SCAN request, which is copied. Each call of next_page appends one
 * result frame; a page without last key is the last one, further pages hold no items. */
st_status st_table_cursor_open(st_op *op, st_database *database, st_slice request,
                               st_table_cursor **out_cursor) ST_MUST_USE;
st_status st_table_cursor_next_page(st_op *op, st_table_cursor *cursor,
                                    st_buf *out_result) ST_MUST_USE;
/* True when no further page holds items: at the end, or at the limit (then the last page has a last
 * key nevertheless). */
bool st_table_cursor_has_ended(const st_table_cursor *cursor);
void st_table_cursor_close(st_table_cursor *cursor); /* NULL is fine */

/* The token that resumes this query or scan behind one of its items (a canonical frame). */
st_status st_table_cursor_token(st_op *op, st_table_cursor *cursor, st_slice item,
                                st_buf *out_token) ST_MUST_USE;

/* One field of a result frame, without copying; false when it has none. */
bool st_table_result_find(st_slice result, uint8_t number, st_slice *out_payload);

/* ---- definitions ------------------------------------------------------------------------ */

#define ST_INDEXES_MAX 30u

typedef struct st_index {
    st_slice name;
    uint8_t kind;       /* ST_INDEX_... */
    uint8_t projection; /* ST_PROJECT_... */
    uint8_t state;      /* ST_INDEX_ACTIVE, ... */
    uint32_t id;        /* 0: not yet given */
    st_key_schema schema;
    st_slice *include; /* names; include_count of them */
    uint32_t include_count;
    st_slice extra;
} st_index;

/* What a table is, decoded. Everything borrows from the encoded bytes. */
typedef struct st_definition {
    st_key_schema schema;
    st_index *indexes;
    uint32_t index_count;
    st_slice ttl;    /* attribute; empty: none */
    uint32_t ttl_id; /* 0: not yet given */
    uint8_t stream_view;
    uint32_t stream_id;
    uint64_t stream_created_us; /* what the stream's label is made of */
    uint32_t flags;
    st_slice extra;
    st_slice identity; /* 16 bytes, random; empty: not yet given */
} st_definition;

/* Decodes and checks; arrays are in the arena. */
st_status st_definition_decode(st_op *op, st_slice bytes,
                               st_definition *out_definition) ST_MUST_USE;
void st_definition_encode(const st_definition *definition, st_buf *out);

/* A table of this moment, for those who validate requests before they run them. */
typedef struct st_table_info {
    uint32_t id;
    uint64_t created_us;
    st_slice name;
    st_slice definition_bytes;
    st_definition definition;
} st_table_info;

/* By id or, when id is 0, by name. Everything is copied into the arena. */
st_status st_table_describe(st_op *op, st_database *database, uint32_t id, st_slice name,
                            st_table_info *out_info) ST_MUST_USE;
/* Items and bytes, by DynamoDB's measure, of a table or of one of its indexes, by counting. */
st_status st_table_measure(st_op *op, st_database *database, uint32_t id, uint64_t *out_items,
                           uint64_t *out_bytes) ST_MUST_USE;

/* ---- capacity --------------------------------------------------------------------------- */

#define ST_CAPACITY_FAILED 3u /* writes of statements that failed: of the table, of no arm */

/* The payload of ST_RESULT_CAPACITY: u32 tables, for each st_capacity_read: what one table and its
 * indexes were charged, in halves of a unit. */
typedef struct st_capacity_arm {
    uint8_t kind; /* 0: the table; else ST_INDEX_..., ST_CAPACITY_FAILED */
    st_slice name;
    uint64_t read_halves, write_halves;
} st_capacity_arm;

/* Walks the arms of all tables; the arms of a table follow its own. */
bool st_capacity_next(st_reader *reader, st_capacity_arm *out_arm);

/* ---- time ------------------------------------------------------------------------------- */

/* The database's clock: the Env's, moved. Microseconds since 1970. */
uint64_t st_database_time_us(st_database *database);
/* Moves it; expired items are gone when this returns. */
st_status st_database_set_clock(st_op *op, st_database *database, int64_t offset_us) ST_MUST_USE;
/* Removes what has expired, at most so many items (0: all). */
st_status st_database_reap(st_op *op, st_database *database, uint32_t most,
                           uint32_t *out_removed) ST_MUST_USE;

/* ---- streams ---------------------------------------------------------------------------- */

typedef enum st_event { ST_EVENT_INSERT = 1, ST_EVENT_MODIFY = 2, ST_EVENT_REMOVE = 3 } st_event;

typedef struct st_stream_record {
    uint64_t sequence;
    uint32_t index;
    uint64_t time_us;
    uint8_t event;
    bool is_expiry;
    bool has_old, has_new;
    st_slice keys, old_item, new_item; /* canonical frames, borrowed */
} st_stream_record;

typedef st_status (*st_stream_visit)(void *ctx, const st_stream_record *record,
                                     bool *out_is_enough);

/* Calls visit for the records of a stream above (sequence, index), oldest first. */
st_status st_stream_read(st_op *op, st_database *database, uint32_t stream_id, uint64_t sequence,
                         uint32_t index, st_stream_visit visit, void *ctx) ST_MUST_USE;
/* The newest published sequence: records from now on lie above it. */
uint64_t st_stream_now(st_database *database);

st_type st_database_sort_type(st_database *database,
                              uint32_t table_id); /* NONE: no sort key, or no table */
/* Checks what lsm cannot: every row lies in a table, every item is canonical, every key is that of
 * its item, and index and expiry entries are exactly those of the items. */
st_status st_database_verify(st_op *op, st_database *database, st_lsm_print print,
                             void *ctx) ST_MUST_USE;

#endif
