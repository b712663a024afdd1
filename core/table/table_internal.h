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

/* ---- catalog ---------------------------------------------------------------------------- */

/* One table. Never changes but for the guarded fields; counted. */
typedef struct st_table {
    _Atomic uint32_t references;
    const st_alloc *alloc;
    uint32_t id;
    uint64_t created_us;
    st_slice name;
    st_slice schema_bytes; /* as in requests */
    st_key_schema schema;
    /* guarded by catalog.mutex */
    uint32_t writers; /* between look-up and the end of their st_lsm_write */
    bool is_deleted;  /* no new writers; the row is going or gone */
    size_t bytes;     /* of this structure with its texts */
} st_table;

typedef struct st_catalog {
    st_mutex mutex;    /* tables, and what is marked in them */
    st_mutex changes;  /* create and delete, one at a time; taken before mutex */
    st_cond idle;      /* a writer of a table that is being deleted is done */
    st_table **tables; /* sorted by name */
    uint32_t count, capacity;
    uint32_t next_id;
} st_catalog;

struct st_database {
    st_env *env;
    bool owns_env;
    const st_alloc *alloc;
    st_lsm *lsm;
    st_catalog catalog;
    st_database_options options;
    char *path;
    size_t path_bytes;
    uint32_t openings; /* guarded by the registry */
    bool is_busy;      /* being opened or closed; guarded by the registry */
    uint64_t process_stamp;
    st_database *next; /* in the registry */
};

void st_table__catalog_init(st_catalog *catalog);
void st_table__catalog_deinit(st_catalog *catalog, const st_alloc *alloc);
st_status st_table__catalog_load(st_op *op, st_database *database) ST_MUST_USE;

void st_table__release(st_table *table); /* NULL is fine */
/* A table by id or, when id is 0, by name; retained. is_writer: st_table__end_write must follow. */
st_status st_table__find(st_op *op, st_database *database, uint32_t id, st_slice name,
                         bool is_writer, st_table **out_table) ST_MUST_USE;
void st_table__end_write(st_database *database, st_table *table);

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

/* ---- operations ------------------------------------------------------------------------- */

st_status st_table__create(st_op *op, st_database *database, const st_request *request,
                           st_buf *out) ST_MUST_USE;
st_status st_table__delete(st_op *op, st_database *database, const st_request *request) ST_MUST_USE;
st_status st_table__describe(st_op *op, st_database *database, const st_request *request,
                             st_buf *out) ST_MUST_USE;
st_status st_table__list(st_op *op, st_database *database, const st_request *request,
                         st_buf *out) ST_MUST_USE;
st_status st_table__write_one(st_op *op, st_database *database, const st_request *request,
                              st_buf *out) ST_MUST_USE;
st_status st_table__write_batch(st_op *op, st_database *database, const st_request *request,
                                st_buf *out) ST_MUST_USE;
st_status st_table__get_one(st_op *op, st_database *database, const st_request *request,
                            st_buf *out) ST_MUST_USE;
st_status st_table__get_batch(st_op *op, st_database *database, const st_request *request,
                              st_buf *out) ST_MUST_USE;

#endif
