/* What the files of table share. */
#ifndef STATOR_TABLE_INTERNAL_H
#define STATOR_TABLE_INTERNAL_H

#include <stdatomic.h>

#include "item/item.h"
#include "table/frame.h"
#include "table/table.h"

#define ST_TABLE_NAME_MIN 3u
#define ST_TABLE_NAME_MAX 255u
#define ST_CATALOG_TABLE_ID 0u
#define ST_FIRST_TABLE_ID 1u
#define ST_LAST_TABLE_ID (UINT32_MAX - 1) /* the id behind it bounds its keys */

/* ---- gate ------------------------------------------------------------------------------- */

#define ST_TABLE_GATE_STRIPES 16u

/* Who is inside, counted so that threads that come and go do not meet, and so that one who makes a
 * change can wait for those who may not have seen it. gate.c. Zeros to begin with. */
typedef struct st_table_gate {
    _Atomic uint32_t phase;
    uint8_t apart[60]; /* what is written often shares no cache line with what is read often */
    struct {
        _Atomic uint32_t inside[2];
        uint8_t apart[56];
    } stripes[ST_TABLE_GATE_STRIPES];
} st_table_gate;

/* Never waits. The ticket is for the leave of the same thread or another. */
uint32_t st_table__gate_enter(st_table_gate *gate);
void st_table__gate_leave(st_table_gate *gate, uint32_t ticket);
/* Returns when all who were inside when it was called have left; who enters meanwhile sees every
 * sequentially consistent store made before the call. One caller at a time. */
void st_table__gate_drain(st_table_gate *gate);

/* ---- catalog ---------------------------------------------------------------------------- */

enum {
    ST_TABLE_ALIVE = 0,
    ST_TABLE_GOING = 1, /* its deletion is on the way: may be read, not written */
    ST_TABLE_GONE = 2,
};

/* One table. Constant but for the atomics; counted: one reference of the catalog, one of each
 * cursor. */
typedef struct st_table {
    _Atomic uint32_t references;
    _Atomic uint32_t state;
    const st_alloc *alloc;
    size_t bytes; /* of this structure with its texts */
    uint32_t id;
    uint64_t created_us;
    st_slice name;
    st_slice definition_bytes;
    st_key_schema schema;     /* of the definition */
    st_definition definition; /* decoded, in the arena of keeper */
    st_op keeper;
    const st_projection *keys;         /* the key attributes; these three in the arena of keeper */
    const st_projection **index_parts; /* what each index keeps; NULL: all */
    bool must_read_old;                /* a write has to know what it replaces */
} st_table;

/* All tables of a moment. Constant. */
typedef struct st_catalog_view {
    uint32_t count;
    st_table **by_name, **by_id; /* sorted; behind this structure */
} st_catalog_view;

typedef struct st_catalog {
    _Atomic(st_catalog_view *) view; /* never NULL once loaded */
    st_table_gate lookups;           /* who uses a view, or a table it found there */
    st_table_gate writers;           /* who found a table to write and has not written yet */
    st_mutex changes;                /* create, alter and delete, one at a time */
    st_mutex going;                  /* held while a table is GOING; behind changes */
    uint32_t next_id;                /* guarded by changes */
} st_catalog;

struct st_database {
    /* constant once open */
    st_env *env;
    bool owns_env;
    const st_alloc *alloc;
    st_lsm *lsm;
    st_database_options options;
    char *path;
    size_t path_bytes;
    uint64_t process_stamp;
    _Atomic int64_t clock_offset_us;
    _Atomic uint64_t next_token_sweep_us;
    /* guarded by itself */
    st_catalog catalog;
    /* guarded by the registry's lock */
    uint32_t openings;
    uint32_t waiters; /* openings that wait while it is busy */
    st_database *next;
    /* guarded by reaper_mutex */
    st_thread *reaper; /* NULL: not started */
    bool is_reaper_ending;
    st_mutex reaper_mutex;
    st_cond reaper_wakes;
    /* guarded by busy_mutex; written under the registry's lock too */
    bool is_busy; /* being opened or closed */
    st_mutex busy_mutex;
    st_cond busy_ended;
};

/* Starts the thread that removes what has expired, once a table has expiry. */
void st_table__start_reaper(st_database *database);
void st_table__stop_reaper(st_database *database);

void st_table__catalog_init(st_catalog *catalog);
void st_table__catalog_deinit(st_catalog *catalog, const st_alloc *alloc);
st_status st_table__catalog_load(st_op *op, st_database *database) ST_MUST_USE;

st_status st_table__make(st_op *op, const st_alloc *alloc, uint32_t id, uint64_t created_us,
                         st_slice name, st_slice definition, st_table **out_table) ST_MUST_USE;
void st_table__retain(st_table *table);
void st_table__release(st_table *table); /* NULL is fine */

/* A view with one table more, or one less; both may be NULL. view may be NULL. */
st_status st_table__view_create(st_op *op, const st_alloc *alloc, const st_catalog_view *view,
                                st_table *added, const st_table *removed,
                                st_catalog_view **out_view) ST_MUST_USE;
void st_table__view_destroy(st_catalog_view *view, const st_alloc *alloc); /* NULL is fine */
/* The index of the first table whose name is not before the name. */
uint32_t st_table__view_place(const st_catalog_view *view, st_slice name);
st_table *st_table__view_by_name(const st_catalog_view *view, st_slice name);
/* The view of this moment: inside lookups, or with changes held. */
st_catalog_view *st_table__view(st_catalog *catalog);
/* changes held: shows the view and frees the one before. */
void st_table__view_show(st_database *database, st_catalog_view *view);

/* A table by id or, when id is 0, by name. It stays for as long as the caller is inside lookups, or
 * inside writers if its state was ALIVE, or retains it. */
st_status st_table__find(st_op *op, st_database *database, uint32_t id, st_slice name,
                         st_table **out_table) ST_MUST_USE;
/* For a reader that found nothing: OK if what it read was read before the table was deleted. */
st_status st_table__confirm(st_op *op, st_database *database, uint32_t id) ST_MUST_USE;

/* ---- catalog rows ----------------------------------------------------------------------- */

enum { ST_CATALOG_ROW_TABLE = 1, ST_CATALOG_ROW_NEXT_ID = 2, ST_CATALOG_ROW_TOKEN = 3 };

void st_table__row_key(uint8_t kind, st_slice name, st_buf *out);
void st_table__row(const st_table *table, st_buf *out);

/* The rows of table 0, gathered in key order. */
typedef struct st_catalog_rows {
    const st_alloc *alloc;
    st_table **tables; /* by id from st_table__rows_end on */
    uint32_t count, capacity;
    uint32_t next_id;
    bool has_next_id;
} st_catalog_rows;

void st_table__rows_init(st_catalog_rows *rows, const st_alloc *alloc);
void st_table__rows_deinit(st_catalog_rows *rows);
st_status st_table__rows_add(st_op *op, st_catalog_rows *rows, st_slice key,
                             st_slice value) ST_MUST_USE;
/* Checks what no single row shows. */
st_status st_table__rows_end(st_op *op, st_catalog_rows *rows) ST_MUST_USE;

/* ---- requests --------------------------------------------------------------------------- */

/* Decodes and checks the payload of a schema. Names point into it. */
st_status st_table__schema(st_op *op, st_slice bytes, st_key_schema *out_schema) ST_MUST_USE;

/* ---- results ---------------------------------------------------------------------------- */

void st_table__result_begin(st_buf *out, uint8_t operation);
void st_table__result_field(st_buf *out, uint8_t number, st_slice payload);
size_t st_table__result_open(st_buf *out,
                             uint8_t number); /* a field of unknown length; gives its place */
void st_table__result_shut(st_buf *out, size_t place);

/* ---- keys and indexes ------------------------------------------------------------------- */

/* Appends the key of the item's row in the table, or of its entry in the index. The item has all
 * of the key. */
st_status st_table__entry_key(st_op *op, const st_table *table, const st_index *index,
                              st_slice frame, st_buf *out_key) ST_MUST_USE;
/* Whether the item has an entry in the index. */
bool st_table__is_indexed(const st_index *index, st_slice frame);
/* Appends what the index keeps of the item. */
st_status st_table__index_item(st_op *op, const st_table *table, const st_index *index,
                               st_slice frame, st_buf *out_frame) ST_MUST_USE;
/* Refuses an item whose attributes no index can hold. old: what it replaces; only what an update
 * changes is looked at. Empty old and !is_update: everything. */
st_status st_table__check_index_keys(st_op *op, const st_table *table, st_slice frame, st_slice old,
                                     bool is_update) ST_MUST_USE;
/* Makes keys and index_parts. */
st_status st_table__prepare(st_op *op, st_table *table) ST_MUST_USE;
const st_index *st_table__index(const st_table *table, st_slice name); /* NULL: none */
/* When the item expires, in microseconds; false: never. */
bool st_table__expiry(const st_table *table, st_slice frame, uint64_t *out_us);
/* Appends the key of the expiry entry of the item. */
st_status st_table__expiry_key(st_op *op, const st_table *table, uint64_t expiry_us, st_slice frame,
                               st_buf *out_key) ST_MUST_USE;

/* What one write does to everything that follows from its item: index entries, expiry entry,
 * stream record. Slices are borrowed until the batch is written. */
typedef struct st_table_change {
    const st_table *table;
    st_slice key;      /* of the row */
    st_slice old_item; /* empty: there was none */
    st_slice new_item; /* empty: there is none afterwards */
    bool is_expiry;
    uint64_t table_halves;  /* write units of the table, doubled */
    uint64_t *index_halves; /* of each index */
} st_table_change;

/* Adds the row and all that follows from it to the batch. time_us and index go into the stream
 * record. */
st_status st_table__follow(st_op *op, const st_table_change *change, uint64_t time_us,
                           uint32_t index, st_lsm_batch *batch) ST_MUST_USE;

/* ---- capacity --------------------------------------------------------------------------- */

/* The charges of one request. */
typedef struct st_charge {
    const st_table *table;
    uint64_t read_halves, write_halves; /* of the table */
    uint64_t *index_read_halves, *index_write_halves;
} st_charge;

typedef struct st_charges {
    st_charge *charges; /* in the arena; one a table */
    uint32_t count, capacity;
} st_charges;

/* The table's charge, new or known; NULL: out of memory. */
st_charge *st_table__charge(st_op *op, st_charges *charges, const st_table *table);
uint64_t st_table__read_halves(uint64_t bytes, bool is_consistent); /* 4 KiB steps */
uint64_t st_table__write_halves(uint64_t bytes);                    /* 1 KiB steps */
void st_table__put_charges(const st_charges *charges, st_buf *out);

/* ---- queries and scans ------------------------------------------------------------------ */

/* What a query or scan reads. */
typedef struct st_range {
    const st_table *table;
    const st_index *index; /* NULL: the table */
    uint32_t id;           /* of either */
    const st_key_schema *schema;
    st_buf from, to; /* half-open; empty when from is not before to */
} st_range;

/* Fills range, whose buffers the caller has made, behind the request's token or key. */
st_status st_table__range(st_op *op, const st_request *request, st_range *range) ST_MUST_USE;
void st_table__token(const st_range *range, st_slice key, st_buf *out);

/* ---- operations ------------------------------------------------------------------------- */

st_status st_table__create(st_op *op, st_database *database, const st_request *request,
                           st_buf *out) ST_MUST_USE;
st_status st_table__alter(st_op *op, st_database *database, const st_request *request,
                          st_buf *out) ST_MUST_USE;
st_status st_table__delete(st_op *op, st_database *database, const st_request *request,
                           st_buf *out) ST_MUST_USE;
st_status st_table__describe(st_op *op, st_database *database, const st_request *request,
                             st_buf *out) ST_MUST_USE;
void st_table__list(st_database *database, const st_request *request, st_buf *out);
/* Puts, deletes, updates: one, a batch, a transaction. */
st_status st_table__write(st_op *op, st_database *database, const st_request *request,
                          st_buf *out) ST_MUST_USE;
st_status st_table__get_one(st_op *op, st_database *database, const st_request *request,
                            st_buf *out) ST_MUST_USE;
st_status st_table__get_batch(st_op *op, st_database *database, const st_request *request,
                              st_buf *out) ST_MUST_USE;
/* One page of a query or scan. */
st_status st_table__page(st_op *op, st_database *database, const st_request *request,
                         st_buf *out) ST_MUST_USE;
/* Fills what a crash left incomplete. Nobody else uses the database yet. */
st_status st_table__fill_all(st_op *op, st_database *database) ST_MUST_USE;

#endif
