/* A small database in memory for targets above table, and a reader of its answers. */
#ifndef STATOR_TESTS_FUZZ_TABLE_H
#define STATOR_TESTS_FUZZ_TABLE_H

#include "fuzz/fuzz.h"
#include "table/table.h"

/* Tables: 1 "sorted" {id: S, n: N}, 2 "plain" {k: B}, 3 "other" {id: N, n: S}. Items:
 * sorted a: -1, 0, 1, 2, 1979; b: 1; "\0": 5. plain: 01, FF. other 1: "x". */
st_database *fuzz_database_open(st_op *op, const st_alloc *alloc);
void fuzz_database_close(st_op *op, st_database *database);

/* Requests, field by field. */
void fuzz_request_begin(st_buf *to, uint8_t operation, const char *table);
void fuzz_request_field(st_buf *to, uint8_t number, st_slice payload);

/* A result frame is whole: version, operation, fields once each and within it, every item a
 * canonical frame. */
void fuzz_check_result(st_slice request, st_slice result);
bool fuzz_result_find(st_slice result, uint8_t number, st_slice *out_payload);
/* Items one by one: *at 0 to begin; false behind the last. An empty one is absent. */
bool fuzz_result_next(st_slice items, size_t *at, st_slice *out_item);

#endif
