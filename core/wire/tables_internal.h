/* What the operations on tables share. */
#ifndef STATOR_WIRE_TABLES_INTERNAL_H
#define STATOR_WIRE_TABLES_INTERNAL_H

#include "wire/wire_internal.h"

/* What a definition keeps for this folder: a JSON object. */
typedef struct wire_extra {
    bool is_on_demand, is_infrequent, is_encrypted;
    uint64_t read, write;                    /* provisioned units */
    int64_t on_demand_read, on_demand_write; /* 0: none */
    st_json_doc doc;                         /* tags is a node of it; 0: none */
    uint32_t tags;
} wire_extra;

void st_wire__extra_read(wire_call *call, st_slice extra, wire_extra *out);
void st_wire__extra_write(const wire_extra *extra, st_buf *out);
void st_wire__put_tags(const wire_extra *extra, st_buf *out);

/* How a table is shown. */
typedef struct wire_description {
    const char *status;
    bool is_new, is_going;
    st_slice changing_index; /* whose status is index_status */
    const char *index_status;
} wire_description;

st_status st_wire__put_description(wire_call *call, const st_table_info *info,
                                   const wire_description *how) ST_MUST_USE;
const char *st_wire__stream_view(uint8_t view);
st_status st_wire__control_name(wire_call *call, st_slice *out_name) ST_MUST_USE;
st_status st_wire__control_describe(wire_call *call, st_slice name,
                                    st_table_info *out_info) ST_MUST_USE;

/* Definitions of attributes by their names; parts of keys take their types from them. */
st_type st_wire__attribute_type(const wire_call *call, uint32_t definitions, st_slice name);
/* A KeySchema list; label: "" for the table, else the index. */
st_status st_wire__read_schema(wire_call *call, uint32_t list, uint32_t definitions, bool is_global,
                               st_key_schema *out) ST_MUST_USE;
st_status st_wire__read_index(wire_call *call, uint32_t node, uint32_t definitions, uint8_t kind,
                              st_index *out) ST_MUST_USE;
st_status st_wire__read_stream(wire_call *call, uint32_t node, bool is_create,
                               uint8_t *out_view) ST_MUST_USE;

st_status st_wire__check_on_demand(wire_call *call, bool is_on_demand, bool is_create) ST_MUST_USE;
/* The units of a throughput, at the path. */
void st_wire__check_units(wire_call *call, uint32_t throughput, const char *path);
bool st_wire__is_on_demand(const wire_call *call); /* as the request says */
/* The extra bytes of an index with this throughput (0: none), and of a table. */
st_status st_wire__index_extra(wire_call *call, uint32_t throughput,
                               st_slice *out_extra) ST_MUST_USE;
st_status st_wire__table_extra(wire_call *call, bool is_on_demand, const wire_extra *before,
                               st_slice *out_extra) ST_MUST_USE;
/* Creates or alters a table. expected: the definition that must still stand; empty: any. */
st_status st_wire__run_definition(wire_call *call, uint8_t operation, st_slice name,
                                  const st_definition *definition, st_slice expected) ST_MUST_USE;

#endif
