/* What the files that run statements share.
 *
 * A statement becomes a plan: its table, its WHERE as a condition of expr, and, for reads, the
 * ranges of keys that its WHERE leaves. A plan becomes requests of table.
 */
#ifndef STATOR_PARTIQL_EXECUTE_INTERNAL_H
#define STATOR_PARTIQL_EXECUTE_INTERNAL_H

#include "expr/expr.h"
#include "partiql/partiql_internal.h"
#include "table/table.h"

/* ---- from terms of PartiQL to those of expr --------------------------------------------- */

/* All in the arena. */
st_status st_partiql__lower_path(st_op *op, const st_partiql_path *path,
                                 st_path *out_path) ST_MUST_USE;
st_status st_partiql__lower_value(st_op *op, st_slice relaxed, st_value *out_value) ST_MUST_USE;
st_status st_partiql__lower_condition(st_op *op, const st_partiql_node *node,
                                      st_node **out_node) ST_MUST_USE;
/* SET and REMOVE; paths that overlap are refused. */
st_status st_partiql__lower_update(st_op *op, const st_partiql_statement *statement,
                                   st_update *out_update) ST_MUST_USE;
/* Bytes in the arena. */
st_status st_partiql__copy(st_op *op, st_slice bytes, st_slice *out) ST_MUST_USE;
st_status st_partiql__keep(st_op *op, const st_buf *bytes, st_slice *out) ST_MUST_USE;

/* ---- keys ------------------------------------------------------------------------------- */

/* One range of keys that a read looks at. */
typedef struct st_partiql__range {
    st_key_clause *clauses;
    uint32_t clause_count;
    st_slice from, to; /* by the order of keys; not those of the store */
    bool is_point;     /* one key at most */
} st_partiql__range;

/* What WHERE says about the key of a table or index. */
typedef struct st_partiql__keys {
    bool is_keyed; /* every branch gives the whole partition key */
    bool is_reverse;
    uint32_t count; /* 0 when it is not keyed */
    st_partiql__range *ranges;
} st_partiql__keys;

/* Checks ORDER BY and the types of key values, refuses ranges that share a key. */
st_status st_partiql__read_keys(st_op *op, const st_partiql_statement *statement,
                                const st_key_schema *schema,
                                st_partiql__keys *out_keys) ST_MUST_USE;

typedef enum st_partiql__pin {
    ST_PARTIQL__PIN_EQUAL,  /* writes: equalities only */
    ST_PARTIQL__PIN_SELECT, /* an IN of one value, too */
} st_partiql__pin;

/* A whole key out of top-level equalities. */
typedef struct st_partiql__pinned {
    bool is_whole;
    bool is_all;                 /* WHERE says nothing else */
    const st_key_part *twice;    /* given two values; NULL: none */
    const st_key_part *parts[2]; /* of the table: partition, sort */
    st_slice values[2];          /* relaxed */
    st_slice key;                /* relaxed M, when it is whole */
} st_partiql__pinned;

st_status st_partiql__pin_key(st_op *op, const st_partiql_node *where, const st_key_schema *schema,
                              st_partiql__pin how, st_partiql__pinned *out_pinned) ST_MUST_USE;
/* The key of values[]. */
st_status st_partiql__make_key(st_op *op, const st_key_schema *schema,
                               st_partiql__pinned *pinned) ST_MUST_USE;
st_status st_partiql__check_pins(st_op *op, const st_partiql__pinned *pinned) ST_MUST_USE;
/* A key value that cannot be one, in the words of statements. */
st_status st_partiql__check_key_value(st_op *op, const st_key_part *part,
                                      const st_value *value) ST_MUST_USE;

/* ---- plans ------------------------------------------------------------------------------ */

typedef struct st_partiql__plan {
    const st_partiql_call *call;
    const st_partiql_statement *statement;
    st_table_info table;
    const st_index *index;     /* NULL: the table */
    st_condition where;        /* root NULL: none */
    st_projection *projection; /* of top-level names; NULL: all */
    st_path *paths;            /* as they are returned, ascending by their last names */
    uint32_t path_count;
    bool is_reshaped; /* items are put together from paths */
} st_partiql__plan;

/* Parses; nothing is looked up. */
st_status st_partiql__plan_parse(st_op *op, const st_partiql_call *call,
                                 st_partiql__plan *out_plan) ST_MUST_USE;
/* Finds the table and lowers what the statement holds. */
st_status st_partiql__plan_bind(st_op *op, st_database *database,
                                st_partiql__plan *plan) ST_MUST_USE;
/* Refuses EXISTS, which is for transactions. */
st_status st_partiql__no_exists(st_op *op, const st_partiql__plan *plan) ST_MUST_USE;
bool st_partiql__is_read(const st_partiql__plan *plan); /* SELECT; EXISTS goes with writes */
/* What the projection makes of an item. */
st_status st_partiql__reshape(st_op *op, const st_partiql__plan *plan, st_slice frame,
                              st_buf *out_frame) ST_MUST_USE;

st_status st_partiql__select(st_op *op, st_database *database, const st_partiql__plan *plan,
                             st_buf *out) ST_MUST_USE;

/* The request of a write, of EXISTS, or of a SELECT of one item, and what it points to. A SELECT
 * whose key is not whole has no key. */
typedef struct st_partiql__parts {
    st_update update;
    st_condition condition;
    st_partiql__pinned pinned;
} st_partiql__parts;

st_status st_partiql__request(st_op *op, const st_partiql__plan *plan, st_partiql__parts *out_parts,
                              st_request *out_request) ST_MUST_USE;
/* An attribute of what is inserted; false: it has none. */
bool st_partiql__inserted(const st_partiql__plan *plan, st_slice name, st_value *out_value);
/* The key that is written or read, a relaxed M; empty when an INSERT lacks a part of it. */
st_status st_partiql__key(st_op *op, const st_partiql__plan *plan, const st_partiql__pinned *pinned,
                          st_slice *out_key) ST_MUST_USE;
/* The same in the bytes of the store; empty also when a part of it cannot be one. */
st_status st_partiql__store_key(st_op *op, const st_partiql__plan *plan,
                                const st_partiql__pinned *pinned, st_slice *out_key) ST_MUST_USE;
/* What WHERE and the projection leave of an item; empty when there is none. */
st_status st_partiql__shape(st_op *op, const st_partiql__plan *plan, st_slice item,
                            st_buf *out) ST_MUST_USE;
/* Runs the request of one statement. An INSERT of a key that exists is DUPLICATE_ITEM. */
st_status st_partiql__run(st_op *op, st_database *database, const st_partiql__plan *plan,
                          const st_request *request, st_buf *out) ST_MUST_USE;

/* ---- tokens ----------------------------------------------------------------------------- */

/* Statement and parameters: numbers by value and scale, sets in any order. out_resumes: false when
 * a list or map is among the parameters, which no token goes with. */
st_status st_partiql__digest(st_op *op, const st_partiql_call *call, uint64_t out_digest[2],
                             bool *out_resumes) ST_MUST_USE;

/* ---- results ---------------------------------------------------------------------------- */

void st_partiql__result_begin(st_buf *out, uint8_t operation);
void st_partiql__result_field(st_buf *out, uint8_t number, st_slice payload);
size_t st_partiql__result_open(st_buf *out, uint8_t number);
void st_partiql__result_shut(st_buf *out, size_t place);

/* Charges of several requests, put together. Starts from zeros. */
typedef struct st_partiql__charges {
    struct {
        st_capacity_arm arm;
        st_slice table;
    } * arms;
    uint32_t count, capacity;
} st_partiql__charges;

st_status st_partiql__charges_add(st_op *op, st_partiql__charges *charges,
                                  st_slice result) ST_MUST_USE;
/* The write that a failed statement tried. */
st_status st_partiql__charges_add_failure(st_op *op, st_partiql__charges *charges, st_slice table,
                                          uint64_t bytes) ST_MUST_USE;
void st_partiql__charges_put(const st_partiql__charges *charges, st_buf *out);

#endif
