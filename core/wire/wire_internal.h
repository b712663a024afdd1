/* What the files of wire share. */
#ifndef STATOR_WIRE_WIRE_INTERNAL_H
#define STATOR_WIRE_WIRE_INTERNAL_H

#include <string.h>

#include "wire/wire.h"

#define WIRE_NESTED                                                                             \
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels " \
    "beyond supported limit"

/* ---- JSON ------------------------------------------------------------------------------- */

typedef enum st_json_kind {
    ST_JSON_IS_NULL,
    ST_JSON_IS_TRUE,
    ST_JSON_IS_FALSE,
    ST_JSON_IS_NUMBER,  /* an integer */
    ST_JSON_IS_DECIMAL, /* written with a point or an exponent */
    ST_JSON_IS_STRING,
    ST_JSON_IS_ARRAY,
    ST_JSON_IS_OBJECT,
} st_json_kind;

/* In an object a string node, the name, stands before each value. */
typedef struct st_json_node {
    st_json_kind kind;
    uint32_t next;   /* the node behind this one and all in it */
    uint32_t count;  /* members or elements */
    uint32_t parent; /* while it is parsed */
    st_slice text;   /* STRING, NUMBER, DECIMAL */
} st_json_node;

/* Node 0 is the root. */
typedef struct st_json_doc {
    st_json_node *nodes;
    uint32_t count;
    bool lacks_memory; /* that, and not the text, is why it could not be read */
} st_json_doc;

bool st_wire__json(st_op *op, st_slice text, st_json_doc *out_doc); /* false: not JSON */
/* The member's value; 0: absent or null. The last of equal names. */
uint32_t st_wire__find(const st_json_doc *doc, uint32_t object, const char *name);
st_slice st_wire__text(const st_json_doc *doc, uint32_t node); /* empty for node 0 */
/* Without the length of the word: most comparisons end at the first byte. */
static inline bool st_wire__is(st_slice text, const char *word)
{
    size_t i = 0;
    while (i < text.size && (uint8_t)word[i] == text.data[i] && word[i] != '\0') {
        i++;
    }
    return i == text.size && word[i] == '\0';
}

/* As it is; the length of a literal is known when it is compiled. */
static inline void st_wire__put_text(st_buf *out, const char *text)
{
    st_buf_append(out, text, strlen(text));
}

/* ---- calls ------------------------------------------------------------------------------ */

typedef struct wire_operation wire_operation;

typedef struct wire_call {
    st_op *op;
    st_database *database;
    const st_wire_settings *settings;
    const wire_operation *operation;
    st_json_doc doc;
    st_slice body;
    st_buf *out;
    const char *exception; /* instead of the status' own */
    bool is_new_layer;     /* of wording */
    bool wraps;            /* refusals are put into the envelope of constraint errors */
    bool is_bare;          /* but this one is not */
    bool capital_message;
    st_slice error_item;    /* frame: of a failed condition */
    st_slice error_reasons; /* of a cancelled transaction */
    bool is_java;           /* number sets of the answer are in Java's order */
    uint64_t oversize;      /* bytes of an expression that was refused for them */
    /* constraint errors that are told together */
    st_buf constraints;
    uint32_t constraint_count;
} wire_call;

typedef st_status wire_run(wire_call *call);

struct wire_operation {
    const char *name;
    bool is_stream;
    bool is_new;  /* its current layer of wording */
    bool is_item; /* Put-, Update-, DeleteItem: refusals are wrapped on the new layer */
    wire_run *run;
};

/* One of Put-, Get-, ... by its name; NULL: not built. */
const wire_operation *st_wire__operation(st_slice name, bool is_stream);
bool st_wire__is_known(st_slice name, bool is_stream);

/* ---- failing ---------------------------------------------------------------------------- */

st_status st_wire__refuse(wire_call *call, const char *format, ...) ST_PRINTF(2, 3) ST_MUST_USE;
/* The same, never in the envelope. */
st_status st_wire__refuse_bare(wire_call *call, const char *format, ...)
    ST_PRINTF(2, 3) ST_MUST_USE;
st_status st_wire__fail(wire_call *call, const char *exception, const char *format, ...)
    ST_PRINTF(3, 4) ST_MUST_USE;
st_status st_wire__serialization(wire_call *call, const char *format, ...)
    ST_PRINTF(2, 3) ST_MUST_USE;
st_status st_wire__value_refuse(wire_call *call, const char *text) ST_MUST_USE;
/* Gathers a constraint error; st_wire__constraints_end tells all of them, if there are any. */
void st_wire__constraint(wire_call *call, const char *format, ...) ST_PRINTF(2, 3);
st_status st_wire__constraints_end(wire_call *call) ST_MUST_USE;
st_status st_wire__constraint_alone(wire_call *call, const char *format, ...)
    ST_PRINTF(2, 3) ST_MUST_USE;
/* Writes the body of the error that is recorded; returns its HTTP status. */
uint32_t st_wire__put_error(wire_call *call, st_status status, st_buf *out);

/* ---- values ----------------------------------------------------------------------------- */

/* relaxed: in the arena */
st_status st_wire__value(wire_call *call, uint32_t node, st_slice *out_relaxed) ST_MUST_USE;
st_status st_wire__map(wire_call *call, uint32_t node, st_slice *out_relaxed) ST_MUST_USE;
/* A map of values was refused: the service tells sets first, then numbers, then the rest. */
st_status st_wire__tell_first(wire_call *call, uint32_t node, st_status status) ST_MUST_USE;
st_status st_wire__keep(wire_call *call, const st_buf *bytes, st_slice *out) ST_MUST_USE;
/* Flags of requests have a wording of their own. */
st_status st_wire__boolean(wire_call *call, uint32_t node, bool is_flag,
                           bool *out_value) ST_MUST_USE;
st_status st_wire__wrong_kind(wire_call *call, uint32_t node, const char *wanted) ST_MUST_USE;
uint32_t st_wire__depth(const st_json_doc *doc, uint32_t node, bool is_map);
bool st_wire__has_false_null(const st_json_doc *doc, uint32_t node);
bool st_wire__is_empty_set(st_slice message);
bool st_wire__falls_back(const st_json_doc *doc, uint32_t node);
bool st_wire__has_empty_name(const st_json_doc *doc, uint32_t node, bool is_map);
void st_wire__put_value(const st_value *value, bool is_java, st_buf *out);
void st_wire__put_item(st_slice frame, bool is_java, st_buf *out);
void st_wire__put_java_numbers(const st_value *set, st_buf *out);

/* ---- shapes ----------------------------------------------------------------------------- */

/* Checks the JSON types of the body against the operation's input. */
st_status st_wire__check_types(wire_call *call) ST_MUST_USE;

/* ---- what operations share -------------------------------------------------------------- */

uint32_t st_wire__member(const wire_call *call, uint32_t object, const char *name);
st_slice st_wire__member_text(const wire_call *call, uint32_t object, const char *name);
/* Integers are 32-bit, saturated; a fraction is dropped. false: absent, and *out_value stays. */
bool st_wire__integer(const wire_call *call, uint32_t object, const char *name, int64_t *out_value,
                      bool *out_is_odd);
bool st_wire__flag(wire_call *call, uint32_t object, const char *name, bool *out_value,
                   st_status *out_status);
/* An empty name, told alone before everything else; and the other rules of names. */
st_status st_wire__check_empty_table(wire_call *call) ST_MUST_USE;
void st_wire__check_table(wire_call *call, uint32_t object);
/* tells_all: a name may break two rules. */
void st_wire__check_name(wire_call *call, st_slice text, const char *path, bool tells_all);
/* The name, or the name in an ARN. */
st_slice st_wire__table_name(const wire_call *call, uint32_t object);
void st_wire__check_enum(wire_call *call, uint32_t object, const char *member, const char *path,
                         const char *set, const char *const *values);
void st_wire__check_capacity(wire_call *call);
void st_wire__check_metrics(wire_call *call);
void st_wire__check_on_failure(wire_call *call, uint32_t object);
/* What the request asks to be told: 0 NONE, 1 TOTAL, 2 INDEXES. */
int st_wire__capacity(const wire_call *call);

/* The expressions of one object of a request (the body, or an action of a transaction). */
typedef struct wire_expressions {
    st_expr_scope scope;
    bool has_names, has_values;
    st_condition *condition, *filter, *key_condition;
    st_update *update;
    st_projection *projection;
    st_status values_status;
} wire_expressions;

/* Names an expression member may not stand beside, and those it is about; NULL-terminated. */
st_status st_wire__check_mixing(wire_call *call, uint32_t object, const char *const *plain,
                                const char *const *expressions) ST_MUST_USE;
/* Names and values; what they are for is given for the message when there is no expression. */
st_status st_wire__scope(wire_call *call, uint32_t object, const char *const *expressions,
                         wire_expressions *out) ST_MUST_USE;
st_status st_wire__parse_condition(wire_call *call, uint32_t object, const char *member,
                                   st_expr_kind kind, wire_expressions *expressions,
                                   st_condition **out_condition) ST_MUST_USE;
st_status st_wire__parse_projection(wire_call *call, uint32_t object,
                                    wire_expressions *expressions) ST_MUST_USE;
st_status st_wire__parse_update(wire_call *call, uint32_t object,
                                wire_expressions *expressions) ST_MUST_USE;
/* AttributesToGet as a projection. */
st_status st_wire__attributes_to_get(wire_call *call, uint32_t object,
                                     st_projection **out_projection) ST_MUST_USE;

/* ---- legacy members --------------------------------------------------------------------- */

st_status st_wire__check_operator(wire_call *call, uint32_t object,
                                  const char *const *lists) ST_MUST_USE;
st_status st_wire__expected(wire_call *call, uint32_t object,
                            st_condition **out_condition) ST_MUST_USE;
st_status st_wire__legacy_filter(wire_call *call, uint32_t object, const char *member,
                                 st_condition **out_condition) ST_MUST_USE;
st_status st_wire__key_conditions(wire_call *call, uint32_t object, st_key_clause **out_clauses,
                                  uint32_t *out_count) ST_MUST_USE;
st_status st_wire__attribute_updates(wire_call *call, uint32_t object,
                                     st_update **out_update) ST_MUST_USE;

/* ---- answers ---------------------------------------------------------------------------- */

/* Looks a table up; a missing one is the service's error of the data plane. */
st_status st_wire__describe(wire_call *call, st_slice name, st_table_info *out_info) ST_MUST_USE;
/* "ConsumedCapacity":{...} of the first table, or [...] of all, behind a comma if one is due. */
void st_wire__put_capacity(wire_call *call, st_slice charges, bool is_list, bool is_split,
                           bool is_read, bool *is_first);
/* "ItemCollectionMetrics": of one item's partition. */
void st_wire__put_metrics(wire_call *call, const st_table_info *info, st_slice key_or_item,
                          bool *is_first);
void st_wire__put_comma(wire_call *call, bool *is_first);
void st_wire__put_number(st_buf *out, double value); /* 0.5, 3.0 */
void st_wire__put_integer(st_buf *out, uint64_t value);
void st_wire__put_time(st_buf *out, uint64_t time_us);               /* seconds with milliseconds */
void st_wire__put_arn(wire_call *call, st_slice table, st_buf *out); /* without quotes */
/* 2026-11-21T08:00:00.000 */
void st_wire__put_label(uint64_t time_us, st_buf *out);

wire_run st_wire__put_item_run, st_wire__get_item, st_wire__update_item, st_wire__delete_item;
wire_run st_wire__query, st_wire__scan, st_wire__batch_get, st_wire__batch_write;
wire_run st_wire__transact_write, st_wire__transact_get;
wire_run st_wire__execute_statement, st_wire__batch_statement, st_wire__execute_transaction;
wire_run st_wire__create_table, st_wire__update_table, st_wire__delete_table;
wire_run st_wire__describe_table, st_wire__list_tables;
wire_run st_wire__update_ttl, st_wire__describe_ttl;
wire_run st_wire__tag, st_wire__untag, st_wire__list_tags;
wire_run st_wire__describe_limits, st_wire__describe_endpoints;
wire_run st_wire__list_streams, st_wire__describe_stream, st_wire__shard_iterator;
wire_run st_wire__get_records;

#endif
