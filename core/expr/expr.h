/* expr: DynamoDB's expressions: conditions and filters, updates, projections, key conditions.
 *
 * An expression goes through four steps, in the service's order, so that the first complaint is the
 * service's: *parse* (grammar, reserved words, functions, operators), *check* (types that are known
 * without an item), *resolve* (every placeholder is defined), and, once all expressions of a
 * request are resolved, *unused* (every placeholder is used). Placeholders that are defined are
 * filled in while it parses: resolving tells of the others. After that it is evaluated, any
 * number of times and by any number of threads, against canonical frames (item.h).
 *
 * Everything that parsing makes lies in the arena of the operation and lives as long as it; texts,
 * names and values are borrowed and must live as long. All functions are pure. Errors are
 * INVALID_ARGUMENT with the service's text and, where a text is at fault, the position in it.
 */
#ifndef STATOR_EXPR_EXPR_H
#define STATOR_EXPR_EXPR_H

#include "base/base.h"
#include "item/item.h"

#define ST_EXPR_BYTES_MAX 4096u    /* of one expression, placeholders not replaced */
#define ST_EXPR_OPERATORS_MAX 300u /* of one expression */
#define ST_EXPR_IN_MAX 100u        /* operands of IN */
#define ST_EXPR_DEPTH_MAX 64u      /* functions, and groups around operands, in each other */
#define ST_EXPR_PATH_MAX 32u       /* steps of one path */
#define ST_EXPR_INDEX_MAX 2147483647u

typedef enum st_expr_kind {
    ST_EXPR_CONDITION,
    ST_EXPR_FILTER,
    ST_EXPR_KEY_CONDITION,
    ST_EXPR_UPDATE,
    ST_EXPR_PROJECTION,
    ST_EXPR_SEARCH_CONDITION,
} st_expr_kind;

const char *st_expr_kind_name(st_expr_kind kind); /* "ConditionExpression", ... */

/* ---- placeholders ----------------------------------------------------------------------- */

typedef struct st_expr_name {
    st_slice placeholder; /* with its '#' */
    st_slice name;
    bool is_used;
} st_expr_name;

typedef struct st_expr_value {
    st_slice placeholder; /* with its ':' */
    st_value value;       /* canonical */
    bool is_used;
} st_expr_value;

/* What the expressions of one request share. */
typedef struct st_expr_scope {
    st_expr_name *names;
    uint32_t name_count;
    st_expr_value *values;
    uint32_t value_count;
    /* hash tables of number + 1, when there are many; NULL: none */
    uint32_t *name_slots, *value_slots;
    uint32_t name_mask, value_mask;
} st_expr_scope;

/* Adds to the arena. The count is known at first. The value is relaxed: it is checked and made
 * canonical, and what is wrong with it has the text of st_item_canonicalize. */
st_status st_expr_scope_begin(st_op *op, uint32_t name_count, uint32_t value_count,
                              st_expr_scope *out_scope) ST_MUST_USE;
st_status st_expr_scope_add_value(st_op *op, st_expr_scope *scope, st_slice placeholder,
                                  st_slice relaxed) ST_MUST_USE;
void st_expr_scope_add_name(st_expr_scope *scope, st_slice placeholder, st_slice name);
/* "#name" or ":value": a sign and letters, digits, underscores behind it. */
bool st_expr_is_placeholder(st_slice text, char sign);
/* Refuses placeholders that no expression has used: names first. */
st_status st_expr_check_unused(st_op *op, const st_expr_scope *scope) ST_MUST_USE;

/* ---- paths ------------------------------------------------------------------------------ */

typedef struct st_path_step {
    bool is_index;
    uint32_t index;
    st_slice name;        /* resolved; as written while its placeholder is not defined */
    st_slice placeholder; /* "#name"; empty: written as it is */
    int64_t position;     /* in the text; -1: made without one */
} st_path_step;

/* The first step is always a name. */
typedef struct st_path {
    st_path_step *steps;
    uint32_t count;
} st_path;

/* The value at the path in a canonical frame; type NONE when there is none. */
st_value st_path_find(const st_path *path, st_slice frame);
bool st_path_equal(const st_path *a, const st_path *b);
/* Appends "[a, b, [0]]". */
void st_path_print(const st_path *path, st_buf *out);
/* A path of one name. */
st_status st_path_of_name(st_op *op, st_slice name, st_path *out_path) ST_MUST_USE;

/* ---- conditions ------------------------------------------------------------------------- */

typedef enum st_node_kind {
    ST_NODE_AND,
    ST_NODE_OR,
    ST_NODE_NOT,
    ST_NODE_EQUAL,
    ST_NODE_NOT_EQUAL,
    ST_NODE_LESS,
    ST_NODE_AT_MOST,
    ST_NODE_GREATER,
    ST_NODE_AT_LEAST,
    ST_NODE_BETWEEN,
    ST_NODE_IN,
    ST_NODE_FUNCTION, /* one that is true or false */
    ST_NODE_PATH,
    ST_NODE_VALUE,
    ST_NODE_SIZE,
} st_node_kind;

typedef enum st_function {
    ST_FUNCTION_NONE,
    ST_FUNCTION_EXISTS,
    ST_FUNCTION_NOT_EXISTS,
    ST_FUNCTION_TYPE,
    ST_FUNCTION_BEGINS_WITH,
    ST_FUNCTION_CONTAINS,
    ST_FUNCTION_SIZE,
    ST_FUNCTION_IF_NOT_EXISTS, /* updates only, as those below */
    ST_FUNCTION_LIST_APPEND,
} st_function;

typedef struct st_node st_node;
struct st_node {
    st_node_kind kind;
    st_function function;
    int64_t position;   /* in the text; -1: made without one */
    st_node **children; /* operands */
    uint32_t count;
    st_path path;         /* PATH */
    st_slice placeholder; /* VALUE, until it is resolved */
    st_value value;       /* VALUE: canonical; type NONE while it is not resolved */
};

typedef struct st_condition {
    st_expr_kind kind;
    st_node *root;
    uint32_t operator_count;
    bool is_resolved; /* while it was parsed */
} st_condition;

st_status st_condition_parse(st_op *op, st_expr_kind kind, st_slice text, st_expr_scope *scope,
                             st_condition **out_condition) ST_MUST_USE;
/* Types of operands, bounds of BETWEEN, operands that must differ. Those of key conditions are told
 * by st_key_clauses_of, with what else is wrong with a clause. */
st_status st_condition_check(st_op *op, const st_condition *condition) ST_MUST_USE;
/* Values of a key condition that are not defined are told when it is bound. */
st_status st_condition_resolve(st_op *op, const st_condition *condition,
                               st_expr_scope *scope) ST_MUST_USE;
/* frame: canonical; empty when there is no item. A condition that cannot be judged is false. */
bool st_condition_is_met(const st_condition *condition, st_slice frame);
/* Whether it holds, for nodes made elsewhere (legacy members, PartiQL). */
bool st_node_is_true(const st_node *node, st_slice frame);
/* For those: nodes in the arena; children are filled in by the caller. NULL: out of memory. */
st_node *st_node_new(st_op *op, st_node_kind kind, uint32_t child_count);
/* Calls visit for every top-level attribute a condition reads. */
void st_condition_names(const st_node *node, void (*visit)(void *ctx, const st_path *path),
                        void *ctx);

/* ---- updates ---------------------------------------------------------------------------- */

typedef enum st_operand_kind {
    ST_OPERAND_VALUE,
    ST_OPERAND_PATH,
    ST_OPERAND_PLUS,
    ST_OPERAND_MINUS,
    ST_OPERAND_IF_NOT_EXISTS, /* left: path */
    ST_OPERAND_LIST_APPEND,
    ST_OPERAND_SET_ADD, /* PartiQL's: left: path, right: a set */
    ST_OPERAND_SET_DELETE,
} st_operand_kind;

typedef struct st_operand st_operand;
struct st_operand {
    st_operand_kind kind;
    int64_t position;
    st_path path;
    st_slice placeholder;
    st_value value;
    st_operand *left, *right;
    uint32_t argument_count; /* of a function as it is written; 0: made elsewhere */
};

typedef enum st_action_kind {
    ST_ACTION_SET,
    ST_ACTION_REMOVE,
    ST_ACTION_ADD,
    ST_ACTION_DELETE,
} st_action_kind;

typedef struct st_action st_action;
struct st_action {
    st_action_kind kind;
    st_path path;
    st_operand *operand; /* NULL for REMOVE; ADD and DELETE: a value */
    bool is_legacy;      /* AttributeUpdates: ADD appends to lists */
    st_action *next;     /* in the order they are written */
};

typedef struct st_update {
    st_action *actions;
    uint32_t action_count, operator_count;
    bool is_resolved; /* while it was parsed */
} st_update;

st_status st_update_parse(st_op *op, st_slice text, st_expr_scope *scope,
                          st_update **out_update) ST_MUST_USE;
st_status st_update_resolve(st_op *op, const st_update *update, st_expr_scope *scope) ST_MUST_USE;
/* Types known without an item, then paths that overlap. */
st_status st_update_check(st_op *op, const st_update *update) ST_MUST_USE;
/* The service's charge for the request, in bytes. */
uint64_t st_update_charge(const st_update *update);
/* Appends the updated item as a relaxed M value of canonical parts, for
 * st_item_canonicalize_updated. old: the canonical item that operands are read from, empty when
 * there is none; base: what is changed, the same item or the key attributes of a new one. */
st_status st_update_apply(st_op *op, const st_update *update, st_slice old, st_slice base,
                          st_buf *out_relaxed) ST_MUST_USE;
/* The first action that touches the top-level attribute; NULL: none does. */
const st_action *st_update_touches(const st_update *update, st_slice name);
/* The touched paths of the actions, as a projection of the old or the new item. */
typedef struct st_projection st_projection;
st_status st_update_projection(st_op *op, const st_update *update,
                               st_projection **out_projection) ST_MUST_USE;

/* ---- projections ------------------------------------------------------------------------ */

st_status st_projection_parse(st_op *op, st_slice text, st_expr_scope *scope,
                              st_projection **out_projection) ST_MUST_USE;
st_status st_projection_resolve(st_op *op, st_projection *projection,
                                st_expr_scope *scope) ST_MUST_USE; /* and overlaps */
/* Paths made elsewhere: top-level names, or whole paths. They must not overlap. */
st_status st_projection_of_paths(st_op *op, const st_path *paths, uint32_t count,
                                 st_projection **out_projection) ST_MUST_USE;
/* Appends what the projection takes of a canonical frame, as a canonical frame. It may have no
 * attributes. */
st_status st_projection_apply(st_op *op, const st_projection *projection, st_slice frame,
                              st_buf *out_frame) ST_MUST_USE;
const st_path *st_projection_paths(const st_projection *projection, uint32_t *out_count);

/* ---- key conditions --------------------------------------------------------------------- */

/* One conjunct of a key condition: attribute, operator, one or two values. */
typedef struct st_key_clause {
    st_slice name;
    st_key_condition condition;
    st_value first, second; /* canonical; BETWEEN: both */
    st_slice undefined;     /* a placeholder of theirs that is not defined; empty: none */
    int64_t position;
} st_key_clause;

/* Takes a parsed and resolved condition apart: names, comparators, BETWEEN and begins_with joined
 * by AND; anything else is refused in the service's words. */
st_status st_key_clauses_of(st_op *op, const st_condition *condition, st_key_clause **out_clauses,
                            uint32_t *out_count) ST_MUST_USE;
/* Binds the clauses to a key. The query's values point into the arena. */
st_status st_key_clauses_bind(st_op *op, const st_key_clause *clauses, uint32_t count,
                              const st_key_schema *schema, st_key_query *out_query) ST_MUST_USE;

#endif
