/* The memtable: the newest entries, in memory, ordered. One writer at a time (the commit leader),
 * any number of readers that take no lock. Private to lsm.
 *
 * Reserve before insert: after st_lsm__memtable_reserve the inserts of one batch cannot fail, so
 * that a batch is never in the log and half in memory.
 */
#ifndef STATOR_LSM_MEMTABLE_INTERNAL_H
#define STATOR_LSM_MEMTABLE_INTERNAL_H

#include "lsm/entry_internal.h"

typedef struct st_memtable st_memtable;

/* Its arena starts at 16 KiB and doubles up to 1 MiB blocks; nothing is freed before destroy. */
st_status st_lsm__memtable_create(st_op *op, const st_alloc *alloc,
                                  st_memtable **out_memtable) ST_MUST_USE;
void st_lsm__memtable_destroy(st_memtable *memtable); /* NULL is fine; no reader may be left */

/* Room for entry_count entries or range deletes whose keys and values sum up to payload_bytes. */
st_status st_lsm__memtable_reserve(st_op *op, st_memtable *memtable, size_t entry_count,
                                   size_t payload_bytes) ST_MUST_USE;
/* Copies the entry. Sequences never decrease; the same (key, sequence) twice: the later one wins.
 */
void st_lsm__memtable_insert(st_memtable *memtable, const st_entry *entry);
void st_lsm__memtable_delete_range(st_memtable *memtable, const st_range_delete *range);

/* Newest version of key with sequence <= max_sequence. The entry lives as long as the memtable. */
bool st_lsm__memtable_get(const st_memtable *memtable, st_slice key, uint64_t max_sequence,
                          st_entry *out_entry);
/* The largest sequence <= max_sequence of a range delete that covers key; 0 when there is none. */
uint64_t st_lsm__memtable_covering(const st_memtable *memtable, st_slice key,
                                   uint64_t max_sequence);
/* Range deletes, newest first: NULL gives the first, the last gives NULL. */
typedef struct st_memtable_range st_memtable_range;
const st_memtable_range *st_lsm__memtable_next_range(const st_memtable *memtable,
                                                     const st_memtable_range *range);
st_range_delete st_lsm__memtable_range(const st_memtable_range *range);

/* Sees at least what was inserted before it was positioned; entries inserted later may or may not
 * show. */
st_status st_lsm__memtable_iter(st_op *op, const st_alloc *alloc, const st_memtable *memtable,
                                bool is_reverse, st_iter **out_iter) ST_MUST_USE;

size_t st_lsm__memtable_bytes(const st_memtable *memtable);   /* arena memory */
uint64_t st_lsm__memtable_count(const st_memtable *memtable); /* entries and range deletes */

#endif
