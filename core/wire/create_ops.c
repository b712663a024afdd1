/* CreateTable: from its members to a definition. */
#include "wire/tables_internal.h"

#include <stdio.h>
#include <string.h>

#define CREATE_INVALID "One or more parameter values were invalid: "
#define CREATE_CONSTRAINTS_MAX 10u
#define CREATE_LOCAL_MAX 5u
#define CREATE_GLOBAL_MAX 20u

/* ---- constraints ------------------------------------------------------------------------ */

static void create_null(wire_call *call, const char *path)
{
    if (call->constraint_count < CREATE_CONSTRAINTS_MAX) {
        st_wire__constraint(
            call, "Value null at '%s' failed to satisfy constraint: Member must not be null", path);
    }
}

void st_wire__check_units(wire_call *call, uint32_t throughput, const char *path)
{
    static const char *const create_members[] = {"WriteCapacityUnits", "ReadCapacityUnits"};
    static const char *const create_paths[] = {"writeCapacityUnits", "readCapacityUnits"};
    char text[256];
    for (int i = 0; i < 2; i++) {
        int64_t value;
        bool is_odd;
        (void)snprintf(text, sizeof text, "%s.%s", path, create_paths[i]);
        if (!st_wire__integer(call, throughput, create_members[i], &value, &is_odd)) {
            create_null(call, text);
        } else if (value < 1 && call->constraint_count < CREATE_CONSTRAINTS_MAX) {
            st_wire__constraint(call,
                                "Value '%lld' at '%s' failed to satisfy constraint: Member must "
                                "have value greater than or equal to 1",
                                (long long)value, text);
        }
    }
}

static void create_enum(wire_call *call, uint32_t node, const char *path, const char *set,
                        const char *const *values)
{
    st_slice value = call->doc.nodes[node].text;
    for (; *values; values++) {
        if (st_slice_equal(value, st_slice_str(*values))) {
            return;
        }
    }
    if (call->constraint_count < CREATE_CONSTRAINTS_MAX) {
        st_wire__constraint(call,
                            "Value '%.*s' at '%s' failed to satisfy constraint: Member must "
                            "satisfy enum value set: [%s]",
                            (int)value.size, value.size ? (const char *)value.data : "", path, set);
    }
}

static void create_length(wire_call *call, const char *value, const char *path, const char *rule)
{
    if (call->constraint_count < CREATE_CONSTRAINTS_MAX) {
        st_wire__constraint(call,
                            "Value '%s' at '%s' failed to satisfy constraint: Member must have "
                            "length %s",
                            value, path, rule);
    }
}

static void create_check_schema(wire_call *call, uint32_t list, const char *path, bool is_global)
{
    static const char *const create_key_types[] = {"HASH", "RANGE", NULL};
    char text[256];
    if (list == 0) {
        create_null(call, path);
        return;
    }
    uint32_t count = call->doc.nodes[list].count, number = 0, most = is_global ? 8 : 2;
    if (count == 0) {
        create_length(call, "[]", path, "greater than or equal to 1");
    }
    if (count > most && call->constraint_count < CREATE_CONSTRAINTS_MAX) {
        st_buf echo;
        st_buf_init(&echo, call->op->alloc);
        for (uint32_t at = list + 1; at < call->doc.nodes[list].next;
             at = call->doc.nodes[at].next) {
            st_wire__put_text(&echo, echo.size ? ", KeySchemaElement(attributeName="
                                               : "KeySchemaElement(attributeName=");
            st_buf_slice(&echo, st_wire__member_text(call, at, "AttributeName"));
            st_wire__put_text(&echo, ", keyType=");
            st_buf_slice(&echo, st_wire__member_text(call, at, "KeyType"));
            st_wire__put_text(&echo, ")");
        }
        st_wire__constraint(call,
                            "Value '[%.*s]' at '%s' failed to satisfy constraint: Member must have "
                            "length less than or equal to %u",
                            (int)echo.size, echo.size ? (const char *)echo.data : "",
                            is_global ? "keySchema" : path, most);
        st_buf_deinit(&echo);
    }
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next; at = call->doc.nodes[at].next) {
        uint32_t name = st_wire__member(call, at, "AttributeName");
        uint32_t type = st_wire__member(call, at, "KeyType");
        number++;
        (void)snprintf(text, sizeof text, "%s.%u.member.attributeName", path, number);
        if (name == 0) {
            create_null(call, text);
        } else if (call->doc.nodes[name].text.size == 0) {
            create_length(call, "", text, "greater than or equal to 1");
        }
        (void)snprintf(text, sizeof text, "%s.%u.member.keyType", path, number);
        if (type == 0) {
            create_null(call, text);
        } else {
            create_enum(call, type, text, "HASH, RANGE", create_key_types);
        }
    }
}

static void create_check_definitions(wire_call *call)
{
    static const char *const create_types[] = {"B", "N", "S", NULL};
    uint32_t list = st_wire__member(call, 0, "AttributeDefinitions"), number = 0;
    char text[128];
    if (list == 0) {
        create_null(call, "attributeDefinitions");
        return;
    }
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next; at = call->doc.nodes[at].next) {
        uint32_t type = st_wire__member(call, at, "AttributeType");
        number++;
        if (st_wire__member(call, at, "AttributeName") == 0) {
            (void)snprintf(text, sizeof text, "attributeDefinitions.%u.member.attributeName",
                           number);
            create_null(call, text);
        }
        (void)snprintf(text, sizeof text, "attributeDefinitions.%u.member.attributeType", number);
        if (type == 0) {
            create_null(call, text);
        } else {
            create_enum(call, type, text, "B, N, S", create_types);
        }
    }
}

static void create_check_projection(wire_call *call, uint32_t projection, const char *path)
{
    static const char *const create_projections[] = {"ALL", "INCLUDE", "KEYS_ONLY", NULL};
    char text[320];
    if (projection == 0) {
        create_null(call, path);
        return;
    }
    uint32_t type = st_wire__member(call, projection, "ProjectionType");
    uint32_t list = st_wire__member(call, projection, "NonKeyAttributes");
    if (type) {
        (void)snprintf(text, sizeof text, "%s.projectionType", path);
        create_enum(call, type, text, "ALL, INCLUDE, KEYS_ONLY", create_projections);
    }
    if (list && call->doc.nodes[list].count == 0) {
        (void)snprintf(text, sizeof text, "%s.nonKeyAttributes", path);
        create_length(call, "[]", text, "greater than or equal to 1");
    }
}

static void create_check_index_name(wire_call *call, uint32_t index, const char *path)
{
    uint32_t name = st_wire__member(call, index, "IndexName");
    if (name == 0) {
        create_null(call, path);
        return;
    }
    bool was_new = call->is_new_layer;
    call->is_new_layer = true; /* three characters at least on either layer */
    st_wire__check_name(call, call->doc.nodes[name].text, path, true);
    call->is_new_layer = was_new;
}

static void create_check_indexes(wire_call *call, const char *member, const char *path,
                                 bool is_global)
{
    uint32_t list = st_wire__member(call, 0, member), number = 0;
    char text[256];
    for (uint32_t at = list + 1; list && at < call->doc.nodes[list].next;
         at = call->doc.nodes[at].next) {
        uint32_t throughput = st_wire__member(call, at, "ProvisionedThroughput");
        number++;
        if (!is_global) {
            (void)snprintf(text, sizeof text, "%s.%u.member.indexName", path, number);
            create_check_index_name(call, at, text);
        }
        (void)snprintf(text, sizeof text, "%s.%u.member.keySchema", path, number);
        create_check_schema(call, st_wire__member(call, at, "KeySchema"), text, is_global);
        (void)snprintf(text, sizeof text, "%s.%u.member.projection", path, number);
        create_check_projection(call, st_wire__member(call, at, "Projection"), text);
        if (is_global) {
            (void)snprintf(text, sizeof text, "%s.%u.member.indexName", path, number);
            create_check_index_name(call, at, text);
        }
        if (throughput) {
            (void)snprintf(text, sizeof text, "%s.%u.member.provisionedThroughput", path, number);
            st_wire__check_units(call, throughput, text);
        }
    }
}

static st_status create_constraints(wire_call *call)
{
    static const char *const create_billing[] = {"PROVISIONED", "PAY_PER_REQUEST", NULL};
    static const char *const create_classes[] = {"STANDARD", "STANDARD_INFREQUENT_ACCESS", NULL};
    uint32_t billing = st_wire__member(call, 0, "BillingMode");
    uint32_t throughput = st_wire__member(call, 0, "ProvisionedThroughput");
    uint32_t class = st_wire__member(call, 0, "TableClass");
    uint32_t name = st_wire__member(call, 0, "TableName");
    if (name == 0) {
        return st_wire__refuse(
            call, "The parameter 'TableName' is required but was not present in the request");
    }
    bool was_new = call->is_new_layer;
    call->is_new_layer = true; /* three characters at least on either layer */
    st_wire__check_name(call, call->doc.nodes[name].text, "tableName", true);
    call->is_new_layer = was_new;
    if (billing) {
        create_enum(call, billing, "billingMode", "PROVISIONED, PAY_PER_REQUEST", create_billing);
    }
    if (throughput) {
        st_wire__check_units(call, throughput, "provisionedThroughput");
    }
    create_check_schema(call, st_wire__member(call, 0, "KeySchema"), "keySchema", false);
    create_check_definitions(call);
    create_check_indexes(call, "GlobalSecondaryIndexes", "globalSecondaryIndexes", true);
    create_check_indexes(call, "LocalSecondaryIndexes", "localSecondaryIndexes", false);
    if (class) {
        create_enum(call, class, "tableClass", "STANDARD, STANDARD_INFREQUENT_ACCESS",
                    create_classes);
    }
    return st_wire__constraints_end(call);
}

/* ---- schemas ---------------------------------------------------------------------------- */

st_type st_wire__attribute_type(const wire_call *call, uint32_t definitions, st_slice name)
{
    for (uint32_t at = definitions + 1; definitions && at < call->doc.nodes[definitions].next;
         at = call->doc.nodes[at].next) {
        if (st_slice_equal(st_wire__member_text(call, at, "AttributeName"), name)) {
            return st_type_of_name(st_wire__member_text(call, at, "AttributeType"));
        }
    }
    return ST_TYPE_NONE;
}

static bool create_is_hash(const wire_call *call, uint32_t element)
{
    return st_slice_equal(st_wire__member_text(call, element, "KeyType"), st_slice_str("HASH"));
}

static st_status create_check_shape(wire_call *call, uint32_t list, bool is_global)
{
    uint32_t count = call->doc.nodes[list].count, hashes = 0, ranges = 0;
    bool has_range = false, is_mixed = false;
    if (!create_is_hash(call, list + 1)) {
        return st_wire__refuse(
            call, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
    }
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next; at = call->doc.nodes[at].next) {
        bool is_hash = create_is_hash(call, at);
        is_mixed |= is_hash && has_range;
        has_range |= !is_hash;
        hashes += is_hash;
        ranges += !is_hash;
        for (uint32_t other = list + 1; other < at; other = call->doc.nodes[other].next) {
            if (st_slice_equal(st_wire__member_text(call, at, "AttributeName"),
                               st_wire__member_text(call, other, "AttributeName"))) {
                return st_wire__refuse(
                    call, count == 2 ? "Both the Hash Key and the Range Key element in the "
                                       "KeySchema have the same name"
                                     : "The KeySchema contains multiple key attributes with the "
                                       "same name");
            }
        }
    }
    if (!is_global) {
        return count == 2 && ranges == 0
                   ? st_wire__refuse(
                         call,
                         "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
                   : ST_OK;
    }
    if (is_mixed) {
        return st_wire__refuse(call,
                               CREATE_INVALID "All HASH key attributes must precede RANGE key "
                                              "attributes in the KeySchema");
    }
    if (hashes > ST_KEY_PARTS_MAX || ranges > ST_KEY_PARTS_MAX) {
        return st_wire__refuse(call,
                               CREATE_INVALID "The KeySchema exceeds the maximum allowed number of "
                                              "%s key attributes",
                               hashes > ST_KEY_PARTS_MAX ? "HASH" : "RANGE");
    }
    return ST_OK;
}

static void create_put_names(const wire_call *call, uint32_t list, const char *member, st_buf *out)
{
    for (uint32_t at = list + 1; list && at < call->doc.nodes[list].next;
         at = call->doc.nodes[at].next) {
        st_wire__put_text(out, out->size > 0 ? ", " : "");
        st_buf_slice(out, st_wire__member_text(call, at, member));
    }
}

static st_status create_undefined(wire_call *call, uint32_t list, uint32_t definitions,
                                  bool is_index)
{
    st_buf keys, names;
    st_buf_init(&keys, call->op->alloc);
    st_buf_init(&names, call->op->alloc);
    create_put_names(call, list, "AttributeName", &keys);
    create_put_names(call, definitions, "AttributeName", &names);
    st_status status = st_buf_check(call->op, keys.failed ? &keys : &names);
    if (status == ST_OK) {
        status = st_wire__refuse(call,
                                 CREATE_INVALID "Some index key attributes are not defined in "
                                                "AttributeDefinitions. Keys: [%.*s], "
                                                "AttributeDefinitions: [%.*s]",
                                 (int)keys.size, (const char *)keys.data, (int)names.size,
                                 names.size ? (const char *)names.data : "");
    }
    (void)is_index;
    st_buf_deinit(&keys);
    st_buf_deinit(&names);
    return status;
}

st_status st_wire__read_schema(wire_call *call, uint32_t list, uint32_t definitions, bool is_global,
                               st_key_schema *out)
{
    *out = (st_key_schema){0};
    uint32_t defined = definitions ? call->doc.nodes[definitions].count : 0;
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next; at = call->doc.nodes[at].next) {
        if (st_wire__attribute_type(call, definitions,
                                    st_wire__member_text(call, at, "AttributeName")) ==
            ST_TYPE_NONE) {
            if (defined < call->doc.nodes[list].count) {
                return st_wire__refuse(call, "Invalid KeySchema: Some index key attribute have no "
                                             "definition");
            }
            return create_undefined(call, list, definitions, is_global);
        }
    }
    ST_TRY(create_check_shape(call, list, is_global));
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next; at = call->doc.nodes[at].next) {
        st_slice name = st_wire__member_text(call, at, "AttributeName");
        st_key_part part = {.name = name, .type = st_wire__attribute_type(call, definitions, name)};
        if (create_is_hash(call, at)) {
            out->partition[out->partition_count++] = part;
        } else {
            out->sort[out->sort_count++] = part;
        }
    }
    return ST_OK;
}

/* ---- indexes ---------------------------------------------------------------------------- */

static st_status create_read_projection(wire_call *call, uint32_t node, st_index *out)
{
    uint32_t projection = st_wire__member(call, node, "Projection");
    st_slice type = st_wire__member_text(call, projection, "ProjectionType");
    uint32_t list = projection ? st_wire__member(call, projection, "NonKeyAttributes") : 0;
    if (!projection || type.size == 0) {
        return st_wire__refuse(call, CREATE_INVALID "Unknown ProjectionType: null");
    }
    out->projection = st_slice_equal(type, st_slice_str("ALL"))         ? ST_PROJECT_ALL
                      : st_slice_equal(type, st_slice_str("KEYS_ONLY")) ? ST_PROJECT_KEYS_ONLY
                                                                        : ST_PROJECT_INCLUDE;
    if (out->projection == ST_PROJECT_INCLUDE && list == 0) {
        return st_wire__refuse(call, CREATE_INVALID
                               "ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
    }
    if (out->projection != ST_PROJECT_INCLUDE && list != 0) {
        return st_wire__refuse(
            call, CREATE_INVALID "ProjectionType is %s, but NonKeyAttributes is specified",
            out->projection == ST_PROJECT_ALL ? "ALL" : "KEYS_ONLY");
    }
    uint32_t count = list ? call->doc.nodes[list].count : 0;
    out->include = st_arena_alloc(&call->op->arena, (count + 1) * sizeof *out->include);
    if (!out->include) {
        return st_fail_memory(call->op, (count + 1) * sizeof *out->include);
    }
    for (uint32_t at = list + 1; list && at < call->doc.nodes[list].next;
         at = call->doc.nodes[at].next) {
        out->include[out->include_count++] = call->doc.nodes[at].text;
    }
    return ST_OK;
}

st_status st_wire__index_extra(wire_call *call, uint32_t throughput, st_slice *out_extra)
{
    wire_extra extra = {.is_on_demand = throughput == 0};
    int64_t units = 0;
    bool is_odd;
    if (throughput) {
        (void)st_wire__integer(call, throughput, "ReadCapacityUnits", &units, &is_odd);
        extra.read = (uint64_t)units;
        (void)st_wire__integer(call, throughput, "WriteCapacityUnits", &units, &is_odd);
        extra.write = (uint64_t)units;
    }
    st_buf text;
    st_buf_init(&text, call->op->alloc);
    st_wire__extra_write(&extra, &text);
    st_status status = st_wire__keep(call, &text, out_extra);
    st_buf_deinit(&text);
    return status;
}

st_status st_wire__read_index(wire_call *call, uint32_t node, uint32_t definitions, uint8_t kind,
                              st_index *out)
{
    *out = (st_index){.kind = kind, .state = ST_INDEX_ACTIVE};
    out->name = st_wire__member_text(call, node, "IndexName");
    ST_TRY(st_wire__read_schema(call, st_wire__member(call, node, "KeySchema"), definitions,
                                kind == ST_INDEX_GLOBAL, &out->schema));
    ST_TRY(create_read_projection(call, node, out));
    return st_wire__index_extra(call, st_wire__member(call, node, "ProvisionedThroughput"),
                                &out->extra);
}

static st_status create_check_local(wire_call *call, const st_definition *definition,
                                    const st_index *index)
{
    st_slice hash = index->schema.partition[0].name, table = definition->schema.partition[0].name;
    if (definition->schema.sort_count == 0) {
        return st_wire__refuse(call,
                               CREATE_INVALID "Table KeySchema does not have a range key, which is "
                                              "required when specifying a LocalSecondaryIndex");
    }
    if (index->schema.sort_count == 0) {
        return st_wire__refuse(
            call, CREATE_INVALID "Index KeySchema does not have a range key for index: %.*s",
            (int)index->name.size, (const char *)index->name.data);
    }
    if (!st_slice_equal(hash, table)) {
        return st_wire__refuse(call,
                               CREATE_INVALID "Index KeySchema does not have the same leading hash "
                                              "key as table KeySchema for index: %.*s. index hash "
                                              "key: %.*s, table hash key: %.*s",
                               (int)index->name.size, (const char *)index->name.data,
                               (int)hash.size, (const char *)hash.data, (int)table.size,
                               (const char *)table.data);
    }
    return ST_OK;
}

static st_status create_check_name(wire_call *call, const st_definition *definition,
                                   const st_index *index)
{
    for (uint32_t i = 0; i < definition->index_count; i++) {
        if (st_slice_equal(definition->indexes[i].name, index->name)) {
            return st_wire__refuse(call, CREATE_INVALID "Duplicate index name: %.*s",
                                   (int)index->name.size, (const char *)index->name.data);
        }
    }
    return ST_OK;
}

static st_status create_read_indexes(wire_call *call, const char *member, uint32_t definitions,
                                     uint8_t kind, bool is_on_demand, st_definition *definition)
{
    uint32_t list = st_wire__member(call, 0, member);
    bool is_local = kind == ST_INDEX_LOCAL;
    if (list == 0) {
        return ST_OK;
    }
    if (call->doc.nodes[list].count == 0) {
        return st_wire__refuse(call, CREATE_INVALID "List of %s is empty", member);
    }
    if (call->doc.nodes[list].count > (is_local ? CREATE_LOCAL_MAX : CREATE_GLOBAL_MAX)) {
        return st_wire__refuse(call, is_local ? CREATE_INVALID
                                         "Number of LocalSecondaryIndexes exceeds per-table "
                                         "limit of 5"
                                              : CREATE_INVALID
                                         "GlobalSecondaryIndex count exceeds the per-table limit "
                                         "of 20");
    }
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next; at = call->doc.nodes[at].next) {
        st_index index;
        ST_TRY(st_wire__read_index(call, at, definitions, kind, &index));
        if (is_local) {
            ST_TRY(create_check_local(call, definition, &index));
        } else if (is_on_demand && st_wire__member(call, at, "ProvisionedThroughput")) {
            return st_wire__refuse(
                call,
                CREATE_INVALID "ProvisionedThroughput should not be specified for index: %.*s when "
                               "BillingMode is PAY_PER_REQUEST",
                (int)index.name.size, (const char *)index.name.data);
        }
        ST_TRY(create_check_name(call, definition, &index));
        definition->indexes[definition->index_count++] = index;
    }
    return ST_OK;
}

/* ---- definitions of attributes ---------------------------------------------------------- */

static bool create_uses(const st_definition *definition, st_slice name)
{
    for (uint32_t k = 0; k <= definition->index_count; k++) {
        const st_key_schema *schema =
            k == 0 ? &definition->schema : &definition->indexes[k - 1].schema;
        for (uint32_t i = 0; i < schema->partition_count; i++) {
            if (st_slice_equal(schema->partition[i].name, name)) {
                return true;
            }
        }
        for (uint32_t i = 0; i < schema->sort_count; i++) {
            if (st_slice_equal(schema->sort[i].name, name)) {
                return true;
            }
        }
    }
    return false;
}

/* The order in which Java's HashMap lists names. */
static uint32_t create_java_hash(st_slice name)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < name.size; i++) {
        hash = hash * 31 + name.data[i];
    }
    return hash ^ hash >> 16;
}

static void create_put_hashed(st_slice *names, uint32_t count, uint32_t least, st_buf *out)
{
    uint32_t buckets = 1;
    while (buckets < least || (uint64_t)buckets * 3 < (uint64_t)count * 4) {
        buckets *= 2;
    }
    for (uint32_t bucket = 0; bucket < buckets; bucket++) {
        for (uint32_t i = 0; i < count; i++) {
            if ((create_java_hash(names[i]) & (buckets - 1)) == bucket) {
                st_wire__put_text(out, out->size > 0 ? ", " : "");
                st_buf_slice(out, names[i]);
            }
        }
    }
}

static st_status create_unused(wire_call *call, uint32_t definitions,
                               const st_definition *definition)
{
    st_slice all[64], used[64];
    uint32_t all_count = 0, used_count = 0;
    for (uint32_t at = definitions + 1; at < call->doc.nodes[definitions].next && all_count < 64;
         at = call->doc.nodes[at].next) {
        st_slice name = st_wire__member_text(call, at, "AttributeName");
        all[all_count++] = name;
        if (create_uses(definition, name)) {
            used[used_count++] = name;
        }
    }
    st_buf first, second;
    st_buf_init(&first, call->op->alloc);
    st_buf_init(&second, call->op->alloc);
    create_put_hashed(all, all_count, 1, &first);
    create_put_hashed(used, used_count, 16, &second);
    st_status status = st_buf_check(call->op, first.failed ? &first : &second);
    if (status == ST_OK) {
        status = st_wire__refuse(call,
                                 CREATE_INVALID "Some AttributeDefinitions are not used. "
                                                "AttributeDefinitions: [%.*s], keys used: [%.*s]",
                                 (int)first.size, (const char *)first.data, (int)second.size,
                                 (const char *)second.data);
    }
    st_buf_deinit(&first);
    st_buf_deinit(&second);
    return status;
}

static st_status create_check_used(wire_call *call, uint32_t definitions,
                                   const st_definition *definition)
{
    for (uint32_t at = definitions + 1; at < call->doc.nodes[definitions].next;
         at = call->doc.nodes[at].next) {
        if (!create_uses(definition, st_wire__member_text(call, at, "AttributeName"))) {
            return definition->index_count == 0
                       ? st_wire__refuse(call, CREATE_INVALID
                                         "Number of attributes in KeySchema does not exactly match "
                                         "number of attributes defined in AttributeDefinitions")
                       : create_unused(call, definitions, definition);
        }
    }
    return ST_OK;
}

/* ---- billing, streams ------------------------------------------------------------------- */

bool st_wire__is_on_demand(const wire_call *call)
{
    return st_slice_equal(st_wire__member_text(call, 0, "BillingMode"),
                          st_slice_str("PAY_PER_REQUEST"));
}

static st_status create_check_billing(wire_call *call, bool is_on_demand)
{
    uint32_t throughput = st_wire__member(call, 0, "ProvisionedThroughput");
    static const char *const create_members[] = {"ReadCapacityUnits", "WriteCapacityUnits"};
    int64_t units = 0;
    bool is_odd;
    if (is_on_demand && throughput) {
        return st_wire__refuse(call, CREATE_INVALID
                               "Neither ReadCapacityUnits nor WriteCapacityUnits can be "
                               "specified when BillingMode is PAY_PER_REQUEST");
    }
    if (!is_on_demand && !throughput) {
        return st_wire__refuse(call,
                               CREATE_INVALID "ReadCapacityUnits and WriteCapacityUnits must both "
                                              "be specified when BillingMode is PROVISIONED");
    }
    for (int i = 0; throughput && i < 2; i++) {
        (void)st_wire__integer(call, throughput, create_members[i], &units, &is_odd);
        st_slice text = st_wire__member_text(call, throughput, create_members[i]);
        if (text.size > 13 || (text.size == 13 && memcmp(text.data, "1000000000000", 13) > 0)) {
            return st_wire__refuse(call, "Given value %.*s for %s is out of bounds", (int)text.size,
                                   (const char *)text.data, create_members[i]);
        }
    }
    return ST_OK;
}

/* Limits of a table on demand: at least 1; -1 takes one away, in an update. */
st_status st_wire__check_on_demand(wire_call *call, bool is_on_demand, bool is_create)
{
    static const char *const create_limits[] = {"MaxReadRequestUnits", "MaxWriteRequestUnits"};
    uint32_t node = st_wire__member(call, 0, "OnDemandThroughput");
    int64_t units = 0;
    bool is_odd;
    for (int i = 0; node && i < 2; i++) {
        if (!st_wire__integer(call, node, create_limits[i], &units, &is_odd)) {
            continue;
        }
        if (!is_on_demand) {
            return st_wire__refuse(call,
                                   CREATE_INVALID "%s for OnDemandThroughput cannot be specified "
                                                  "when %stable BillingMode is PROVISIONED%s",
                                   create_limits[i], is_create ? "" : "the ", is_create ? "." : "");
        }
        if (units < 1 && (is_create || units != -1)) {
            return st_wire__refuse(
                call,
                CREATE_INVALID "Requested %s for OnDemandThroughput for table is outside of valid "
                               "range",
                create_limits[i]);
        }
    }
    return ST_OK;
}

st_status st_wire__read_stream(wire_call *call, uint32_t node, bool is_create, uint8_t *out_view)
{
    bool is_enabled;
    st_status status;
    st_slice view = st_wire__member_text(call, node, "StreamViewType");
    (void)st_wire__flag(call, node, "StreamEnabled", &is_enabled, &status);
    *out_view = ST_STREAM_OFF;
    if (!is_enabled) {
        return view.size == 0 || !is_create
                   ? ST_OK
                   : st_wire__refuse(call, CREATE_INVALID
                                     "Table is being created with a stream disabled, "
                                     "UpdateViewType should not be specified");
    }
    for (uint8_t i = ST_STREAM_KEYS_ONLY; i <= ST_STREAM_NEW_AND_OLD_IMAGES; i++) {
        if (st_slice_equal(view, st_slice_str(st_wire__stream_view(i)))) {
            *out_view = i;
        }
    }
    return *out_view != ST_STREAM_OFF
               ? ST_OK
               : st_wire__refuse(call,
                                 CREATE_INVALID "StreamViewType is required when StreamEnabled is "
                                                "true");
}

st_status st_wire__table_extra(wire_call *call, bool is_on_demand, const wire_extra *before,
                               st_slice *out_extra)
{
    wire_extra extra = before ? *before : (wire_extra){0};
    uint32_t throughput = st_wire__member(call, 0, "ProvisionedThroughput");
    uint32_t limits = st_wire__member(call, 0, "OnDemandThroughput");
    uint32_t encryption = st_wire__member(call, 0, "SSESpecification");
    int64_t units = 0;
    bool is_odd, flag;
    st_status status;
    extra.is_on_demand = is_on_demand;
    if (throughput) {
        (void)st_wire__integer(call, throughput, "ReadCapacityUnits", &units, &is_odd);
        extra.read = (uint64_t)units;
        (void)st_wire__integer(call, throughput, "WriteCapacityUnits", &units, &is_odd);
        extra.write = (uint64_t)units;
    }
    if (limits && st_wire__integer(call, limits, "MaxReadRequestUnits", &units, &is_odd)) {
        extra.on_demand_read = units < 0 ? 0 : units;
    }
    if (limits && st_wire__integer(call, limits, "MaxWriteRequestUnits", &units, &is_odd)) {
        extra.on_demand_write = units < 0 ? 0 : units;
    }
    if (!is_on_demand) {
        extra.on_demand_read = extra.on_demand_write = 0;
    }
    if (st_wire__member(call, 0, "TableClass")) {
        extra.is_infrequent = st_slice_equal(st_wire__member_text(call, 0, "TableClass"),
                                             st_slice_str("STANDARD_INFREQUENT_ACCESS"));
    }
    if (encryption) {
        (void)st_wire__flag(call, encryption, "Enabled", &flag, &status);
        extra.is_encrypted = flag;
    }
    if (st_wire__member(call, 0, "Tags")) {
        extra.doc = call->doc;
        extra.tags = st_wire__member(call, 0, "Tags");
    }
    st_buf text;
    st_buf_init(&text, call->op->alloc);
    st_wire__extra_write(&extra, &text);
    status = st_wire__keep(call, &text, out_extra);
    st_buf_deinit(&text);
    return status;
}

/* ---- CreateTable ------------------------------------------------------------------------ */

static st_status create_read(wire_call *call, st_definition *definition)
{
    uint32_t definitions = st_wire__member(call, 0, "AttributeDefinitions");
    uint32_t stream = st_wire__member(call, 0, "StreamSpecification");
    bool is_on_demand = st_wire__is_on_demand(call), is_protected;
    st_status status;
    *definition = (st_definition){0};
    definition->indexes = st_arena_alloc(&call->op->arena, (ST_INDEXES_MAX + 1) * sizeof(st_index));
    if (!definition->indexes) {
        return st_fail_memory(call->op, ST_INDEXES_MAX * sizeof(st_index));
    }
    ST_TRY(create_check_billing(call, is_on_demand));
    ST_TRY(st_wire__check_on_demand(call, is_on_demand, true));
    ST_TRY(st_wire__read_schema(call, st_wire__member(call, 0, "KeySchema"), definitions, false,
                                &definition->schema));
    ST_TRY(create_read_indexes(call, "LocalSecondaryIndexes", definitions, ST_INDEX_LOCAL,
                               is_on_demand, definition));
    ST_TRY(create_read_indexes(call, "GlobalSecondaryIndexes", definitions, ST_INDEX_GLOBAL,
                               is_on_demand, definition));
    ST_TRY(create_check_used(call, definitions, definition));
    if (stream) {
        ST_TRY(st_wire__read_stream(call, stream, true, &definition->stream_view));
    }
    if (st_wire__flag(call, 0, "DeletionProtectionEnabled", &is_protected, &status) &&
        is_protected) {
        definition->flags |= ST_DEFINITION_PROTECTED;
    }
    return st_wire__table_extra(call, is_on_demand, NULL, &definition->extra);
}

st_status st_wire__run_definition(wire_call *call, uint8_t operation, st_slice name,
                                  const st_definition *definition, st_slice expected)
{
    st_buf encoded, result;
    st_buf_init(&encoded, call->op->alloc);
    st_buf_init(&result, call->op->alloc);
    st_definition_encode(definition, &encoded);
    st_status status = st_buf_check(call->op, &encoded);
    if (status == ST_OK) {
        st_request request = {.operation = operation,
                              .name = name,
                              .has_name = true,
                              .definition = st_buf_view(&encoded),
                              .has_definition = true,
                              .expected_definition = expected};
        status = st_table_run(call->op, call->database, &request, &result);
    }
    st_buf_deinit(&encoded);
    st_buf_deinit(&result);
    return status;
}

st_status st_wire__create_table(wire_call *call)
{
    st_definition definition;
    st_table_info info;
    wire_description how = {.status = "CREATING", .is_new = true};
    static const char *const create_unbuilt[] = {"VectorIndexes", "ResourcePolicy",
                                                 "GlobalTableSourceArn", "WarmThroughput", NULL};
    ST_TRY(create_constraints(call));
    for (int i = 0; create_unbuilt[i]; i++) {
        if (st_wire__member(call, 0, create_unbuilt[i])) {
            return st_wire__refuse(call, "%s is not supported", create_unbuilt[i]);
        }
    }
    ST_TRY(create_read(call, &definition));
    st_slice name = st_wire__table_name(call, 0);
    ST_TRY(
        st_wire__run_definition(call, ST_REQUEST_CREATE_TABLE, name, &definition, (st_slice){0}));
    ST_TRY(st_wire__control_describe(call, name, &info));
    st_wire__put_text(call->out, "{\"TableDescription\":");
    ST_TRY(st_wire__put_description(call, &info, &how));
    st_wire__put_text(call->out, "}");
    return ST_OK;
}
