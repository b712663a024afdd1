/* table: DynamoDB tables over an ordered store: catalog, commit, read, query, scan.
 *
 * Everything above (ffi, later server, wire, partiql) is a client of this face and speaks in frames
 * (docs/formats/request.md, result.md). One write path: every write ends in one commit. One read
 * path.
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

/* Runs one request frame and appends one result frame. */
st_status st_table_execute(st_op *op, st_database *database, st_slice request,
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

st_type st_database_sort_type(st_database *database,
                              uint32_t table_id); /* NONE: no sort key, or no table */
/* Checks what lsm cannot: every row lies in a table, every item is canonical, every key is that of
 * its item. */
st_status st_database_verify(st_op *op, st_database *database, st_lsm_print print,
                             void *ctx) ST_MUST_USE;

#endif
