/* Entries and iterators: what memtable, sorted files and merges have in common. Private to lsm.
 *
 * An entry is one version of one key. Order: key ascending (memcmp), then sequence descending, so
 * that the newest version of a key comes first. A reverse iterator yields exactly the reverse: keys
 * descending, the oldest version of a key first.
 *
 * A range delete is not an entry: it is the triple (from, to, sequence) and hides every entry of a
 * key in [from, to) whose sequence is smaller. There are few (dropping a table makes one), so that
 * memtables and versions keep them as lists.
 */
#ifndef STATOR_LSM_ENTRY_INTERNAL_H
#define STATOR_LSM_ENTRY_INTERNAL_H

#include "base/base.h"

/* Record types of format 1. They stand on disk in logs and sorted files; numbers are never reused.
 */
typedef enum st_entry_type {
    ST_ENTRY_PUT = 1,
    ST_ENTRY_DELETE = 2,
    ST_ENTRY_DELETE_RANGE = 3,
    ST_ENTRY_ADD = 4,       /* reserved: signed delta folded by reads and compaction */
    ST_ENTRY_SEPARATED = 5, /* reserved: value kept outside the tree */
} st_entry_type;

#define ST_SEQUENCE_MAX (((uint64_t)1 << 56) - 1)

typedef struct st_entry {
    st_slice key;
    st_slice value;    /* empty for DELETE */
    uint64_t sequence; /* 1 .. ST_SEQUENCE_MAX */
    uint8_t type;      /* ST_ENTRY_PUT or ST_ENTRY_DELETE */
} st_entry;

typedef struct st_range_delete {
    st_slice from;
    st_slice to;
    uint64_t sequence;
} st_range_delete;

/* Order of (key, sequence) pairs: <0, 0, >0. */
int st_lsm__order(st_slice key, uint64_t sequence, st_slice other_key, uint64_t other_sequence);

/* An iterator has a fixed direction. While valid, entry is borrowed until it is moved or destroyed.
 * A read error is returned by the call that met it, and the iterator is invalid then: the end of
 * data is only valid == false with ST_OK. */
typedef struct st_iter st_iter;
typedef struct st_iter_calls {
    st_status (*first)(st_op *op, st_iter *iter); /* to the first entry in its direction */
    /* Forward: to the first entry with key >= key. Reverse: to the last entry with key <= key. */
    st_status (*seek)(st_op *op, st_iter *iter, st_slice key);
    st_status (*next)(st_op *op, st_iter *iter); /* only while valid */
    void (*destroy)(st_iter *iter);
} st_iter_calls;

struct st_iter {
    const st_iter_calls *calls;
    bool valid;
    st_entry entry;
};

st_status st_lsm__iter_first(st_op *op, st_iter *iter) ST_MUST_USE;
st_status st_lsm__iter_seek(st_op *op, st_iter *iter, st_slice key) ST_MUST_USE;
st_status st_lsm__iter_next(st_op *op, st_iter *iter) ST_MUST_USE;
void st_lsm__iter_destroy(st_iter *iter); /* NULL is fine */

/* Merges iterators of one direction into one ordered stream of all versions; with one source it is
 * that source. Takes over the sources, also on failure. Two sources never hold the same (key,
 * sequence). */
st_status st_lsm__merge_create(st_op *op, const st_alloc *alloc, st_iter **sources,
                               size_t source_count, bool is_reverse,
                               st_iter **out_iter) ST_MUST_USE;

/* The 8 bytes behind the first skipped_bytes of key, big-endian, padded with zeros: of keys that
 * agree in what is skipped, the one with the smaller head is smaller; equal heads say nothing. */
uint64_t st_lsm__key_head(st_slice key, size_t skipped_bytes);

/* The hash that filters and block fingerprints share: computed once a get. */
uint64_t st_lsm__key_hash(st_slice key);

#endif
