/* partiql: statements of DynamoDB's PartiQL dialect. Parsing is pure: it knows no tables. Running
 * a statement makes requests of table out of it.
 *
 * A statement is parsed against its parameters, so that what comes out holds values, not question
 * marks. It lives in the arena of the call; names and strings may point into the text, values into
 * the parameters, so that both have to live as long as it.
 *
 * What the service refuses without looking at a table is refused here, in its order and its words,
 * as INVALID_ARGUMENT: parameters, length, a call in the SELECT list, syntax, the number of
 * parameters, terms as they are written (WHERE before SET), operands. The list of what a statement
 * may ask of a table (keys, ORDER BY, the form of a read in a transaction) is checked when it runs.
 */
#ifndef STATOR_PARTIQL_PARTIQL_H
#define STATOR_PARTIQL_PARTIQL_H

#include "item/item.h"
#include "table/table.h"

#define ST_PARTIQL_TEXT_MAX 8192u /* code points of a statement */
#define ST_PARTIQL_OPERATORS_MAX 300u
#define ST_PARTIQL_IN_MAX 100u

/* Where something stands in the text: line and column from 1, all in code points. */
typedef struct st_partiql_position {
    uint32_t line, column, length;
} st_partiql_position;

/* ---- expressions ------------------------------------------------------------------------ */

typedef struct st_partiql_step {
    st_slice name; /* of an attribute or map member; not for an index */
    uint32_t index;
    bool is_index;
} st_partiql_step;

typedef struct st_partiql_path {
    st_partiql_position position;
    uint32_t count;
    const st_partiql_step *steps; /* the first is a name */
} st_partiql_path;

typedef enum st_partiql_kind {
    ST_PARTIQL_VALUE,
    ST_PARTIQL_PATH,
    ST_PARTIQL_OR,  /* two operands or more */
    ST_PARTIQL_AND, /* two operands or more */
    ST_PARTIQL_NOT,
    ST_PARTIQL_EQUAL,
    ST_PARTIQL_NOT_EQUAL,
    ST_PARTIQL_LESS,
    ST_PARTIQL_AT_MOST,
    ST_PARTIQL_GREATER,
    ST_PARTIQL_AT_LEAST,
    ST_PARTIQL_BETWEEN, /* operand, lower, upper bound */
    ST_PARTIQL_IN,      /* operand, then the candidates */
    ST_PARTIQL_IS,
    ST_PARTIQL_ATTRIBUTE_EXISTS,
    ST_PARTIQL_ATTRIBUTE_NOT_EXISTS,
    ST_PARTIQL_ATTRIBUTE_TYPE,
    ST_PARTIQL_BEGINS_WITH,
    ST_PARTIQL_CONTAINS,
    ST_PARTIQL_SIZE,
    ST_PARTIQL_LIST_APPEND, /* from here on only behind SET */
    ST_PARTIQL_IF_NOT_EXISTS,
    ST_PARTIQL_SET_ADD,
    ST_PARTIQL_SET_DELETE,
    ST_PARTIQL_PLUS,
    ST_PARTIQL_MINUS,
} st_partiql_kind;

typedef struct st_partiql_node st_partiql_node;
struct st_partiql_node {
    st_partiql_kind kind;
    st_type type;                 /* IS: the type asked for; NONE is MISSING */
    st_partiql_position position; /* of the operator, the function's name, the value or path */
    st_slice value;               /* VALUE: relaxed encoded */
    st_partiql_path path;         /* PATH */
    uint32_t count;
    const st_partiql_node *operands;
};

/* As it is written: "=", "<>", "BETWEEN", "begins_with"; "" for VALUE and PATH. */
const char *st_partiql_kind_text(st_partiql_kind kind);

/* ---- statements ------------------------------------------------------------------------- */

typedef enum st_partiql_verb {
    ST_PARTIQL_SELECT,
    ST_PARTIQL_INSERT,
    ST_PARTIQL_UPDATE,
    ST_PARTIQL_DELETE,
    ST_PARTIQL_EXISTS, /* EXISTS(SELECT ...): the condition check of a transaction */
} st_partiql_verb;

/* Only a name may be ordered by, which is refused no earlier than a missing table. */
typedef struct st_partiql_order {
    st_partiql_position position;
    st_slice name; /* empty when it is no name: then other says what it is ("PATH") */
    const char *other;
    bool is_descending;
} st_partiql_order;

typedef struct st_partiql_assignment {
    st_partiql_path path;
    st_partiql_node value;
} st_partiql_assignment;

typedef enum st_partiql_returning {
    ST_PARTIQL_RETURNING_NONE,
    ST_PARTIQL_RETURNING_ALL_OLD,
    ST_PARTIQL_RETURNING_ALL_NEW,
    ST_PARTIQL_RETURNING_MODIFIED_OLD,
    ST_PARTIQL_RETURNING_MODIFIED_NEW,
} st_partiql_returning;

typedef struct st_partiql_statement {
    st_partiql_verb verb;
    st_partiql_returning returning;
    st_slice table;
    st_slice index;                    /* empty: none; SELECT and EXISTS only */
    const st_partiql_node *where;      /* NULL: none */
    uint32_t projection_count;         /* 0: all attributes */
    const st_partiql_path *projection; /* SELECT, EXISTS */
    uint32_t order_count;
    const st_partiql_order *order; /* SELECT, EXISTS */
    uint32_t assignment_count;
    const st_partiql_assignment *assignments; /* UPDATE: SET, in written order */
    uint32_t removal_count;
    const st_partiql_path *removals; /* UPDATE: REMOVE, in written order */
    st_slice item;                   /* INSERT: a relaxed M value */
} st_partiql_statement;

/* parameters: relaxed encoded values, in the order of the question marks; more than the statement
 * has are ignored, but checked all the same. */
st_status st_partiql_parse(st_op *op, st_slice text, const st_slice *parameters,
                           uint32_t parameter_count,
                           st_partiql_statement **out_statement) ST_MUST_USE;

/* ---- running ---------------------------------------------------------------------------- */

typedef struct st_partiql_call {
    st_slice statement;
    const st_slice *parameters; /* relaxed values */
    uint32_t parameter_count;
    bool is_consistent, returns_on_failure, wants_capacity;
    uint64_t limit;      /* rows to be read; 0: no limit */
    st_slice next_token; /* of the page before; empty: none */
} st_partiql_call;

/* Each appends one result frame (docs/formats/result.md), complete or not there. Everything that
 * the calls hold is borrowed.
 *
 * One statement: items (what a SELECT found, or what RETURNING gives), a token when there is more.
 * A failed condition, or DUPLICATE_ITEM, has its item in op->error.detail. */
st_status st_partiql_execute(st_op *op, st_database *database, const st_partiql_call *call,
                             st_buf *out_result) ST_MUST_USE;
/* All reads of one item or all writes, each for itself: one entry of ST_RESULT_MEMBERS each. What
 * is wrong with the batch as a whole fails the call. Capacity is asked for by the first call. */
st_status st_partiql_batch(st_op *op, st_database *database, const st_partiql_call *calls,
                           uint32_t count, st_buf *out_result) ST_MUST_USE;
/* All reads of one item (then ITEMS has an entry each, of 0 bytes for none) or all writes, together
 * or not at all. token: of the writes; empty: none. TRANSACTION_CANCELED has its reasons in
 * op->error.detail. */
st_status st_partiql_transaction(st_op *op, st_database *database, const st_partiql_call *calls,
                                 uint32_t count, st_slice token, st_buf *out_result) ST_MUST_USE;

/* Code points of a text, for the limit on its length. */
size_t st_partiql_text_length(st_slice text);

#endif
