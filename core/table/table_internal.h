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
    st_slice schema_bytes; /* as in requests */
    st_key_schema schema;
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
    st_mutex changes;                /* create and delete, one at a time */
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
    /* guarded by itself */
    st_catalog catalog;
    /* guarded by the registry's lock */
    uint32_t openings;
    uint32_t waiters; /* openings that wait while it is busy */
    st_database *next;
    /* guarded by busy_mutex; written under the registry's lock too */
    bool is_busy; /* being opened or closed */
    st_mutex busy_mutex;
    st_cond busy_ended;
};

void st_table__catalog_init(st_catalog *catalog);
void st_table__catalog_deinit(st_catalog *catalog, const st_alloc *alloc);
st_status st_table__catalog_load(st_op *op, st_database *database) ST_MUST_USE;

st_status st_table__make(st_op *op, const st_alloc *alloc, uint32_t id, uint64_t created_us,
                         st_slice name, st_slice schema, st_table **out_table) ST_MUST_USE;
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

enum { ST_CATALOG_ROW_TABLE = 1, ST_CATALOG_ROW_NEXT_ID = 2 };

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

/* A decoded request; slices point into the frame. */
typedef struct st_request {
    uint8_t operation;
    st_slice name;
    uint32_t table_id;
    st_slice key, item, schema, partition, sort, start_after;
    bool has_key, has_item, has_schema, has_partition, has_sort, has_start_after, has_name;
    st_durability durability;
    uint32_t deadline_ms, flags, page_items, page_bytes;
    uint32_t segment, segment_count;
    uint64_t limit;
    uint32_t entry_count;
    st_slice frame; /* all of it: to walk the entries */
} st_request;

st_status st_table__request(st_op *op, st_slice frame, st_request *out_request) ST_MUST_USE;
/* The entries of a batch, one by one: *at 0 to begin; false at the end. The request has been
 * checked. */
bool st_table__next_entry(const st_request *request, size_t *at, st_slice *out_entry);
/* Decodes and checks the payload of a schema. Names point into it. */
st_status st_table__schema(st_op *op, st_slice bytes, st_key_schema *out_schema) ST_MUST_USE;

/* ---- results ---------------------------------------------------------------------------- */

void st_table__result_begin(st_buf *out, uint8_t operation);
void st_table__result_field(st_buf *out, uint8_t number, st_slice payload);
size_t st_table__result_open(st_buf *out,
                             uint8_t number); /* a field of unknown length; gives its place */
void st_table__result_shut(st_buf *out, size_t place);

/* ---- queries and scans ------------------------------------------------------------------ */

/* The half-open range of keys that a query or scan asks for, behind its token; empty when from is
 * not before to. Both are replaced, on failure with anything. */
st_status st_table__range(st_op *op, const st_table *table, const st_request *request, st_buf *from,
                          st_buf *to) ST_MUST_USE;
void st_table__token(uint32_t table_id, st_slice key, st_buf *out);

/* ---- operations ------------------------------------------------------------------------- */

st_status st_table__create(st_op *op, st_database *database, const st_request *request,
                           st_buf *out) ST_MUST_USE;
st_status st_table__delete(st_op *op, st_database *database, const st_request *request,
                           st_buf *out) ST_MUST_USE;
st_status st_table__describe(st_op *op, st_database *database, const st_request *request,
                             st_buf *out) ST_MUST_USE;
void st_table__list(st_database *database, const st_request *request, st_buf *out);
st_status st_table__write_one(st_op *op, st_database *database, const st_request *request,
                              st_buf *out) ST_MUST_USE;
st_status st_table__write_batch(st_op *op, st_database *database, const st_request *request,
                                st_buf *out) ST_MUST_USE;
st_status st_table__get_one(st_op *op, st_database *database, const st_request *request,
                            st_buf *out) ST_MUST_USE;
st_status st_table__get_batch(st_op *op, st_database *database, const st_request *request,
                              st_buf *out) ST_MUST_USE;

#endif
