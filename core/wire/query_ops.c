/* Query and Scan: their checks in the service's order, then one page. */
#include "wire/wire_internal.h"

#include <string.h>

static const char *const query_plain[] = {"AttributesToGet", "QueryFilter", "ConditionalOperator",
                                          "KeyConditions", NULL};
static const char *const query_expressions[] = {"ProjectionExpression", "FilterExpression",
                                                "KeyConditionExpression", NULL};
static const char *const scan_plain[] = {"AttributesToGet", "ScanFilter", "ConditionalOperator",
                                         NULL};
static const char *const scan_expressions[] = {"ProjectionExpression", "FilterExpression", NULL};
static const char *const query_filters[] = {"QueryFilter", NULL};
static const char *const scan_filters[] = {"ScanFilter", NULL};

#define QUERY_SEGMENTS_MAX 1000000

typedef struct query_call {
    bool is_query;
    st_request request;
    wire_expressions expressions;
    st_condition *filter;
    st_projection *attributes;
    st_key_clause *clauses;
    uint32_t clause_count;
    st_table_info info;
    const st_index *index;
    st_slice select;
} query_call;

/* ---- constraints ------------------------------------------------------------------------ */

static void query_check_select(wire_call *call)
{
    static const char *const query_selects[] = {"SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES",
                                                "ALL_PROJECTED_ATTRIBUTES", NULL};
    st_wire__check_enum(call, 0, "Select", "select",
                        "SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES",
                        query_selects);
}

static void query_check_number(wire_call *call, const char *member, const char *path, int64_t least,
                               int64_t most)
{
    int64_t value;
    bool is_odd;
    if (!st_wire__integer(call, 0, member, &value, &is_odd) || (value >= least && value <= most)) {
        return;
    }
    const char *rule = value < least ? "greater than or equal to" : "less than or equal to";
    long long bound = value < least ? least : most;
    if (call->is_new_layer) {
        st_wire__constraint(call,
                            "Value at '%s' failed to satisfy constraint: Member must have value "
                            "%s %lld",
                            member, rule, bound);
    } else {
        st_wire__constraint(call,
                            "Value '%lld' at '%s' failed to satisfy constraint: Member must have "
                            "value %s %lld",
                            (long long)value, path, rule, bound);
    }
}

static void query_check_joined_operator(wire_call *call)
{
    static const char *const query_operators[] = {"OR", "AND", NULL};
    st_wire__check_enum(call, 0, "ConditionalOperator", "conditionalOperator", "OR, AND",
                        query_operators);
}

static void query_check_missing_operators(wire_call *call, const char *member, const char *path)
{
    uint32_t list = st_wire__member(call, 0, member);
    for (uint32_t at = list + 1; list && at < call->doc.nodes[list].next;
         at = call->doc.nodes[at + 1].next) {
        st_slice name = call->doc.nodes[at].text;
        if (st_wire__member(call, at + 1, "ComparisonOperator") == 0) {
            st_wire__constraint(call,
                                "Value null at '%s.%.*s.member.comparisonOperator' failed to "
                                "satisfy constraint: Member must not be null",
                                path, (int)name.size, name.size ? (const char *)name.data : "");
        }
    }
}

static void query_check_index_name(wire_call *call)
{
    uint32_t node = st_wire__member(call, 0, "IndexName");
    if (node) {
        st_wire__check_name(call, call->doc.nodes[node].text, "indexName", true);
    }
}

static bool query_has_odd_number(const wire_call *call, const char *member)
{
    int64_t value;
    bool is_odd = false;
    (void)st_wire__integer(call, 0, member, &value, &is_odd);
    return is_odd;
}

static bool query_falls_back(const wire_call *call)
{
    return st_wire__member(call, 0, "TableName") == 0 || query_has_odd_number(call, "Limit") ||
           query_has_odd_number(call, "Segment") || query_has_odd_number(call, "TotalSegments");
}

static st_status query_constraints(wire_call *call)
{
    call->is_new_layer = call->is_new_layer && !query_falls_back(call);
    if (!call->is_new_layer) {
        query_check_select(call);
        st_wire__check_capacity(call);
        st_wire__check_table(call, 0);
        query_check_missing_operators(call, "QueryFilter", "queryFilter");
        query_check_missing_operators(call, "KeyConditions", "keyConditions");
        query_check_number(call, "Limit", "limit", 1, INT32_MAX);
        return st_wire__constraints_end(call);
    }
    query_check_number(call, "Limit", "limit", 1, INT32_MAX);
    if (st_wire__member_text(call, 0, "TableName").size == 0) {
        st_wire__constraint(call, "Value at 'TableName' failed to satisfy constraint: Member must "
                                  "have length greater than or equal to 1");
    }
    ST_TRY(st_wire__constraints_end(call));
    st_wire__check_table(call, 0);
    st_wire__check_capacity(call);
    return st_wire__constraints_end(call);
}

static st_status scan_constraints(wire_call *call)
{
    call->is_new_layer = call->is_new_layer && !query_falls_back(call);
    uint32_t filter = st_wire__member(call, 0, "ScanFilter");
    for (uint32_t at = filter + 1; filter && at < call->doc.nodes[filter].next;
         at = call->doc.nodes[at + 1].next) {
        if (st_wire__member(call, at + 1, "ComparisonOperator") == 0) {
            call->is_new_layer = false;
        }
    }
    if (!call->is_new_layer) {
        query_check_select(call);
        query_check_number(call, "TotalSegments", "totalSegments", 1, QUERY_SEGMENTS_MAX);
        st_wire__check_capacity(call);
        st_wire__check_table(call, 0);
        query_check_joined_operator(call);
        query_check_missing_operators(call, "ScanFilter", "scanFilter");
        query_check_number(call, "Segment", "segment", 0, QUERY_SEGMENTS_MAX - 1);
        query_check_number(call, "Limit", "limit", 1, INT32_MAX);
        return st_wire__constraints_end(call);
    }
    query_check_number(call, "Limit", "limit", 1, INT32_MAX);
    query_check_number(call, "Segment", "segment", 0, QUERY_SEGMENTS_MAX - 1);
    query_check_number(call, "TotalSegments", "totalSegments", 1, QUERY_SEGMENTS_MAX);
    if (st_wire__member_text(call, 0, "TableName").size == 0) {
        st_wire__constraint(call, "Value at 'TableName' failed to satisfy constraint: Member must "
                                  "have length greater than or equal to 1");
    }
    ST_TRY(st_wire__constraints_end(call));
    st_wire__check_table(call, 0);
    st_wire__check_capacity(call);
    return st_wire__constraints_end(call);
}

static st_status query_empty_names(wire_call *call)
{
    uint32_t start = st_wire__member(call, 0, "ExclusiveStartKey");
    bool is_empty = st_wire__has_empty_name(&call->doc, start, true);
    uint32_t list = st_wire__member(call, 0, "AttributesToGet");
    for (uint32_t at = list + 1; list && at < call->doc.nodes[list].next;
         at = call->doc.nodes[at].next) {
        is_empty |= call->doc.nodes[at].text.size == 0;
    }
    return is_empty ? st_wire__refuse(call, "Empty attribute name") : ST_OK;
}

/* ---- Select ----------------------------------------------------------------------------- */

static bool query_selects(const query_call *query, const char *what)
{
    return st_slice_equal(query->select, st_slice_str(what));
}

/* In the envelope on the new layer. */
static st_status query_select_refuse(wire_call *call, const char *text, st_slice word,
                                     const char *rest)
{
    if (call->is_new_layer) {
        return st_wire__constraint_alone(call, "%s%.*s%s", text, (int)word.size,
                                         word.size ? (const char *)word.data : "", rest);
    }
    return st_wire__refuse(call, "%s%.*s%s", text, (int)word.size,
                           word.size ? (const char *)word.data : "", rest);
}

static st_status query_check_select_use(wire_call *call, query_call *query)
{
    bool has_attributes = st_wire__member(call, 0, "AttributesToGet") != 0;
    bool has_projection = st_wire__member(call, 0, "ProjectionExpression") != 0;
    st_slice none = {0};
    if (query->select.size == 0) {
        return ST_OK;
    }
    if (query_selects(query, "SPECIFIC_ATTRIBUTES")) {
        return has_attributes || has_projection
                   ? ST_OK
                   : query_select_refuse(call,
                                         "Must specify the AttributesToGet or ProjectionExpression "
                                         "when choosing to get SPECIFIC_ATTRIBUTES",
                                         none, "");
    }
    if (has_attributes || has_projection) {
        const char *text = has_projection
                               ? "Cannot specify the ProjectionExpression when choosing to get "
                               : "Cannot specify the AttributesToGet when choosing to get ";
        return query_selects(query, "COUNT")
                   ? query_select_refuse(call, text, st_slice_str("only the Count"), "")
                   : query_select_refuse(call, text, query->select, "");
    }
    if (query_selects(query, "ALL_PROJECTED_ATTRIBUTES") &&
        st_wire__member(call, 0, "IndexName") == 0) {
        return query_select_refuse(call,
                                   "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using "
                                   "an IndexName",
                                   none, "");
    }
    return ST_OK;
}

/* ---- starting keys ---------------------------------------------------------------------- */

/* The values of ExclusiveStartKey, each by itself. */
static st_status query_start_values(wire_call *call, query_call *query)
{
    uint32_t node = st_wire__member(call, 0, "ExclusiveStartKey");
    if (node == 0) {
        return ST_OK;
    }
    st_status status = st_wire__map(call, node, &query->request.start_key);
    st_buf canonical;
    st_buf_init(&canonical, call->op->alloc);
    if (status == ST_OK) {
        status = st_value_canonicalize(call->op, query->request.start_key, &canonical);
    }
    st_buf_deinit(&canonical);
    st_slice message = st_op_message(call->op);
    bool is_prefixed = status == ST_INVALID_ARGUMENT && !call->exception &&
                       (st_slice_starts_with(message, st_slice_str("Supplied AttributeValue")) ||
                        st_slice_starts_with(message, st_slice_str("Nesting Levels")));
    if (is_prefixed) {
        st_buf text;
        st_buf_init(&text, call->op->alloc);
        st_buf_slice(&text, message);
        st_buf_byte(&text, '\0');
        status = st_buf_check(call->op, &text);
        st_op_clear(call->op);
        if (status == ST_OK) {
            status = st_wire__refuse(call, "The provided starting key is invalid: %s",
                                     (const char *)text.data);
        }
        st_buf_deinit(&text);
    }
    query->request.has_start_key = true;
    return status;
}

static bool query_is_key_type(const st_key_schema *schema, st_slice name, st_type *out_type)
{
    for (uint32_t i = 0; i < schema->partition_count + schema->sort_count; i++) {
        const st_key_part *part = i < schema->partition_count
                                      ? &schema->partition[i]
                                      : &schema->sort[i - schema->partition_count];
        if (st_slice_equal(part->name, name)) {
            *out_type = part->type;
            return true;
        }
    }
    return false;
}

/* Exactly the attributes of the keys of table and index, of their types. */
static st_status query_check_start_shape(wire_call *call, const query_call *query)
{
    const st_key_schema *table = &query->info.definition.schema;
    const st_key_schema *index = query->index ? &query->index->schema : table;
    uint32_t wanted = table->partition_count + table->sort_count;
    st_value map, value;
    st_slice name;
    st_type type = ST_TYPE_NONE;
    if (!query->request.has_start_key || !st_value_of(query->request.start_key, &map)) {
        return ST_OK;
    }
    for (uint32_t i = 0; query->index && i < index->partition_count + index->sort_count; i++) {
        st_slice part = i < index->partition_count ? index->partition[i].name
                                                   : index->sort[i - index->partition_count].name;
        wanted += !query_is_key_type(table, part, &type);
    }
    bool is_right = map.count == wanted;
    st_members walk = st_members_of(&map);
    while (is_right && st_members_next(&walk, &name, &value)) {
        is_right =
            (query_is_key_type(table, name, &type) || query_is_key_type(index, name, &type)) &&
            value.type == type;
    }
    if (is_right) {
        return ST_OK;
    }
    return st_wire__refuse(call, call->is_new_layer
                                     ? "The provided starting key is invalid"
                                     : "The provided starting key is invalid: The provided key "
                                       "element does not match the schema");
}

static st_status query_check_start(wire_call *call, query_call *query)
{
    if (!query->request.has_start_key) {
        return ST_OK;
    }
    ST_TRY(query_check_start_shape(call, query));
    const st_definition *definition = &query->info.definition;
    st_value map, value;
    st_slice name;
    (void)st_value_of(query->request.start_key, &map);
    for (int k = 0; k < 2; k++) {
        const st_key_schema *schema = k == 0         ? &definition->schema
                                      : query->index ? &query->index->schema
                                                     : NULL;
        for (uint32_t i = 0; schema && i < schema->partition_count + schema->sort_count; i++) {
            const st_key_part *part = i < schema->partition_count
                                          ? &schema->partition[i]
                                          : &schema->sort[i - schema->partition_count];
            st_members walk = st_members_of(&map);
            while (st_members_next(&walk, &name, &value)) {
                if (st_slice_equal(name, part->name) && value.type == part->type &&
                    value.type != ST_TYPE_N && value.bytes.size == 0) {
                    return st_wire__refuse(call,
                                           "One or more parameter values are not valid. The "
                                           "AttributeValue for a key attribute cannot contain an "
                                           "empty %s value. Key: %.*s",
                                           value.type == ST_TYPE_S ? "string" : "binary",
                                           (int)name.size, (const char *)name.data);
                }
            }
        }
    }
    return ST_OK;
}

/* ---- filters on keys -------------------------------------------------------------------- */

typedef struct query_key_use {
    const st_key_schema *schema;
    bool is_used, is_nested;
    st_slice name;
} query_key_use;

static void query_visit_path(void *ctx, const st_path *path)
{
    query_key_use *use = ctx;
    for (uint32_t i = 0; i < use->schema->partition_count + use->schema->sort_count; i++) {
        st_slice name = i < use->schema->partition_count
                            ? use->schema->partition[i].name
                            : use->schema->sort[i - use->schema->partition_count].name;
        if (!use->is_used && st_slice_equal(path->steps[0].name, name)) {
            use->is_used = true;
            use->is_nested = path->count > 1;
            use->name = name;
        }
    }
}

/* A scan's filter may use keys, but not look into them. */
static st_status query_check_filter_keys(wire_call *call, query_call *query)
{
    const st_condition *filter =
        query->expressions.filter ? query->expressions.filter : query->filter;
    query_key_use use = {.schema =
                             query->index ? &query->index->schema : &query->info.definition.schema};
    if (!filter) {
        return ST_OK;
    }
    st_condition_names(filter->root, query_visit_path, &use);
    if (!use.is_used || (!query->is_query && !use.is_nested)) {
        return ST_OK;
    }
    if (use.is_nested) {
        return st_wire__refuse(call,
                               "Key attributes must be scalars; list random access '[]' and map "
                               "lookup '.' are not allowed: %s: %.*s",
                               query->index ? "IndexKey" : "Key", (int)use.name.size,
                               (const char *)use.name.data);
    }
    return st_wire__refuse(call,
                           query->expressions.filter
                               ? "Filter Expression can only contain non-primary key attributes: "
                                 "Primary key attribute: %.*s"
                               : "QueryFilter can only contain non-primary key attributes: Primary "
                                 "key attribute: %.*s",
                           (int)use.name.size, (const char *)use.name.data);
}

/* ---- shared steps ----------------------------------------------------------------------- */

static st_status query_parse_filter(wire_call *call, query_call *query)
{
    wire_expressions *expressions = &query->expressions;
    ST_TRY(st_wire__parse_condition(call, 0, "FilterExpression", ST_EXPR_FILTER, expressions,
                                    &expressions->filter));
    if (!expressions->filter) {
        return ST_OK;
    }
    ST_TRY(st_condition_resolve(call->op, expressions->filter, &expressions->scope));
    return st_condition_check(call->op, expressions->filter);
}

static st_status query_parse_key(wire_call *call, query_call *query)
{
    wire_expressions *expressions = &query->expressions;
    st_condition *condition;
    ST_TRY(st_wire__parse_condition(call, 0, "KeyConditionExpression", ST_EXPR_KEY_CONDITION,
                                    expressions, &condition));
    if (!condition) {
        return ST_OK;
    }
    ST_TRY(st_condition_resolve(call->op, condition, &expressions->scope));
    ST_TRY(st_condition_check(call->op, condition));
    expressions->key_condition = condition;
    return st_key_clauses_of(call->op, condition, &query->clauses, &query->clause_count);
}

static st_status query_find_table(wire_call *call, query_call *query)
{
    uint32_t index = st_wire__member(call, 0, "IndexName");
    query->request.name = st_wire__table_name(call, 0);
    query->request.has_name = true;
    ST_TRY(st_wire__describe(call, query->request.name, &query->info));
    query->request.table_id = query->info.id;
    if (index == 0) {
        return ST_OK;
    }
    st_slice name = call->doc.nodes[index].text;
    for (uint32_t i = 0; i < query->info.definition.index_count; i++) {
        if (st_slice_equal(query->info.definition.indexes[i].name, name)) {
            query->index = &query->info.definition.indexes[i];
        }
    }
    query->request.index = name;
    query->request.has_index = true;
    return query->index ? ST_OK
                        : st_wire__refuse(call, "The table does not have the specified index: %.*s",
                                          (int)name.size, name.size ? (const char *)name.data : "");
}

static void query_set_page(wire_call *call, query_call *query)
{
    int64_t limit;
    bool is_odd, is_consistent;
    st_status ignored;
    st_request *request = &query->request;
    if (st_wire__integer(call, 0, "Limit", &limit, &is_odd)) {
        request->page_items = (uint32_t)limit;
    }
    (void)st_wire__flag(call, 0, "ConsistentRead", &is_consistent, &ignored);
    request->flags |= ST_FLAG_EXACT_PAGES | ST_FLAG_LAST_KEY_ITEM;
    request->flags |= is_consistent ? ST_FLAG_CONSISTENT : 0;
    request->wants_capacity = st_wire__capacity(call) != 0;
    request->filter = query->expressions.filter ? query->expressions.filter : query->filter;
    request->projection =
        query->expressions.projection ? query->expressions.projection : query->attributes;
    request->clauses = query->clauses;
    request->clause_count = query->clause_count;
    request->select = query_selects(query, "COUNT")            ? ST_SELECT_COUNT
                      : query_selects(query, "ALL_ATTRIBUTES") ? ST_SELECT_ALL_ATTRIBUTES
                                                               : ST_SELECT_DEFAULT;
}

static st_status query_check_consistent(wire_call *call, const query_call *query)
{
    bool is_consistent;
    st_status ignored;
    (void)st_wire__flag(call, 0, "ConsistentRead", &is_consistent, &ignored);
    return is_consistent && query->index && query->index->kind == ST_INDEX_GLOBAL
               ? st_wire__refuse(call,
                                 "Consistent reads are not supported on global secondary indexes")
               : ST_OK;
}

/* ---- the answer ------------------------------------------------------------------------- */

static void query_put_items(wire_call *call, st_slice items, bool is_java)
{
    st_reader reader = st_reader_of(items);
    uint32_t count = st_reader_u32(&reader);
    st_wire__put_text(call->out, "\"Items\":[");
    for (uint32_t i = 0; i < count && !reader.failed; i++) {
        st_buf_append(call->out, ",", i > 0 ? 1 : 0);
        st_wire__put_item(st_reader_slice(&reader, st_reader_u32(&reader)), is_java, call->out);
    }
    st_wire__put_text(call->out, "],");
}

static uint64_t query_u64(st_slice result, uint8_t number)
{
    st_slice field;
    return st_table_result_find(result, number, &field) ? st_get_u64(field.data) : 0;
}

static void query_answer(wire_call *call, const query_call *query, st_slice result)
{
    st_slice field;
    bool is_first = false;
    st_wire__put_text(call->out, "{");
    if (query->request.select != ST_SELECT_COUNT &&
        st_table_result_find(result, ST_RESULT_ITEMS, &field)) {
        query_put_items(call, field, !query->is_query);
    }
    st_wire__put_text(call->out, "\"Count\":");
    st_wire__put_integer(call->out, query_u64(result, ST_RESULT_COUNT));
    st_wire__put_text(call->out, ",\"ScannedCount\":");
    st_wire__put_integer(call->out, query_u64(result, ST_RESULT_SCANNED));
    if (st_table_result_find(result, ST_RESULT_LAST_KEY_ITEM, &field)) {
        st_wire__put_text(call->out, ",\"LastEvaluatedKey\":");
        st_wire__put_item(field, false, call->out);
    }
    if (st_table_result_find(result, ST_RESULT_CAPACITY, &field)) {
        st_wire__put_capacity(call, field, false, false, true, &is_first);
    }
    st_wire__put_text(call->out, "}");
}

static st_status query_run(wire_call *call, query_call *query)
{
    st_buf result;
    query_set_page(call, query);
    st_buf_init(&result, call->op->alloc);
    st_status status = st_table_run(call->op, call->database, &query->request, &result);
    if (status == ST_OK) {
        query_answer(call, query, st_buf_view(&result));
    }
    st_buf_deinit(&result);
    return status;
}

/* ---- Query ------------------------------------------------------------------------------ */

static st_status query_validate(wire_call *call, query_call *query)
{
    ST_TRY(query_constraints(call));
    query_check_index_name(call);
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(query_empty_names(call));
    ST_TRY(st_wire__check_mixing(call, 0, query_plain, query_expressions));
    ST_TRY(st_wire__scope(call, 0, query_expressions, &query->expressions));
    query_check_select(call);
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(st_wire__check_operator(call, 0, query_filters));
    query_check_missing_operators(call, "QueryFilter", "queryFilter");
    query_check_missing_operators(call, "KeyConditions", "keyConditions");
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(st_wire__legacy_filter(call, 0, "QueryFilter", &query->filter));
    if (st_wire__member(call, 0, "KeyConditionExpression") == 0) {
        ST_TRY(st_wire__key_conditions(call, 0, &query->clauses, &query->clause_count));
    }
    ST_TRY(st_wire__attributes_to_get(call, 0, &query->attributes));
    ST_TRY(query_start_values(call, query));
    ST_TRY(query_parse_filter(call, query));
    ST_TRY(st_wire__parse_projection(call, 0, &query->expressions));
    ST_TRY(query_check_select_use(call, query));
    ST_TRY(query_parse_key(call, query));
    return st_expr_check_unused(call->op, &query->expressions.scope);
}

/* Whether the start key lies in the query, which is told before what is wrong with the filter. */
static st_status query_probe_start(wire_call *call, const query_call *query)
{
    if (!query->request.has_start_key || (!query->expressions.filter && !query->filter)) {
        return ST_OK;
    }
    st_buf result;
    st_request probe = query->request;
    probe.clauses = query->clauses;
    probe.clause_count = query->clause_count;
    probe.page_items = 1;
    st_buf_init(&result, call->op->alloc);
    st_status status = st_table_run(call->op, call->database, &probe, &result);
    st_buf_deinit(&result);
    return status;
}

static st_status query_bind(wire_call *call, query_call *query)
{
    st_key_query ignored;
    const st_key_schema *schema =
        query->index ? &query->index->schema : &query->info.definition.schema;
    if (!query->clauses) {
        return st_wire__refuse(call, "Either the KeyConditions or KeyConditionExpression parameter "
                                     "must be specified in the request.");
    }
    ST_TRY(query_check_consistent(call, query));
    ST_TRY(query_check_start(call, query));
    ST_TRY(st_key_clauses_bind(call->op, query->clauses, query->clause_count, schema, &ignored));
    ST_TRY(query_probe_start(call, query));
    return query_check_filter_keys(call, query);
}

st_status st_wire__query(wire_call *call)
{
    query_call query = {.is_query = true, .request = {.operation = ST_REQUEST_QUERY}};
    bool is_forward;
    st_status status;
    query.select = st_wire__member_text(call, 0, "Select");
    ST_TRY(query_validate(call, &query));
    ST_TRY(query_find_table(call, &query));
    ST_TRY(query_bind(call, &query));
    if (st_wire__flag(call, 0, "ScanIndexForward", &is_forward, &status) && !is_forward) {
        query.request.flags |= ST_FLAG_REVERSE;
    }
    return query_run(call, &query);
}

/* ---- Scan ------------------------------------------------------------------------------- */

static st_status scan_segments(wire_call *call, query_call *query)
{
    int64_t segment = 0, total = 0;
    bool is_odd;
    bool has_segment = st_wire__integer(call, 0, "Segment", &segment, &is_odd);
    bool has_total = st_wire__integer(call, 0, "TotalSegments", &total, &is_odd);
    if (has_segment && !has_total) {
        return st_wire__refuse(call, "The TotalSegments parameter is required but was not present "
                                     "in the request when Segment parameter is present");
    }
    if (has_total && !has_segment) {
        return st_wire__refuse(call, "The Segment parameter is required but was not present in the "
                                     "request when parameter TotalSegments is present");
    }
    if (has_total && segment >= total) {
        return st_wire__refuse(call, "The Segment parameter is zero-based and must be less than "
                                     "parameter TotalSegments");
    }
    query->request.segment = (uint32_t)segment;
    query->request.segment_count = (uint32_t)total;
    return ST_OK;
}

static st_status scan_validate(wire_call *call, query_call *query)
{
    ST_TRY(scan_constraints(call));
    query_check_index_name(call);
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(query_empty_names(call));
    ST_TRY(st_wire__check_mixing(call, 0, scan_plain, scan_expressions));
    ST_TRY(st_wire__scope(call, 0, scan_expressions, &query->expressions));
    ST_TRY(st_wire__check_operator(call, 0, scan_filters));
    ST_TRY(st_wire__legacy_filter(call, 0, "ScanFilter", &query->filter));
    ST_TRY(st_wire__attributes_to_get(call, 0, &query->attributes));
    ST_TRY(query_start_values(call, query));
    ST_TRY(query_parse_filter(call, query));
    ST_TRY(st_wire__parse_projection(call, 0, &query->expressions));
    ST_TRY(st_expr_check_unused(call->op, &query->expressions.scope));
    query_check_select(call);
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(query_check_select_use(call, query));
    return scan_segments(call, query);
}

static st_status scan_check_type(wire_call *call, const st_key_schema *schema, st_slice index,
                                 const st_value *map)
{
    st_members walk = st_members_of(map);
    st_value value;
    st_slice name;
    st_type type;
    while (st_members_next(&walk, &name, &value)) {
        if (query_is_key_type(schema, name, &type) && value.type != type) {
            return st_wire__refuse(call,
                                   "One or more parameter values were invalid: Type mismatch for "
                                   "Index Key %.*s Expected: %s Actual: %s IndexName: %.*s",
                                   (int)name.size, (const char *)name.data, st_type_name(type),
                                   st_type_name(value.type), (int)index.size,
                                   (const char *)index.data);
        }
    }
    return ST_OK;
}

/* On a table with indexes a start key's types are told as those of an index. */
static st_status scan_check_start(wire_call *call, query_call *query)
{
    const st_definition *definition = &query->info.definition;
    st_value map;
    if (query->index && query->index->kind == ST_INDEX_GLOBAL &&
        query->index->projection != ST_PROJECT_ALL && query_selects(query, "ALL_ATTRIBUTES")) {
        return st_wire__refuse(call,
                               "One or more parameter values were invalid: Select type "
                               "ALL_ATTRIBUTES is not supported for global secondary index %.*s "
                               "because its projection type is not ALL",
                               (int)query->index->name.size, (const char *)query->index->name.data);
    }
    if (query->request.has_start_key && definition->index_count > 0 &&
        st_value_of(query->request.start_key, &map)) {
        const st_index *told = query->index ? query->index : &definition->indexes[0];
        ST_TRY(scan_check_type(call, &definition->schema, told->name, &map));
        if (query->index) {
            ST_TRY(scan_check_type(call, &query->index->schema, told->name, &map));
        }
    }
    ST_TRY(query_check_start_shape(call, query));
    return query_check_filter_keys(call, query);
}

st_status st_wire__scan(wire_call *call)
{
    query_call query = {.request = {.operation = ST_REQUEST_SCAN}};
    query.select = st_wire__member_text(call, 0, "Select");
    ST_TRY(scan_validate(call, &query));
    ST_TRY(query_find_table(call, &query));
    ST_TRY(query_check_consistent(call, &query));
    ST_TRY(scan_check_start(call, &query));
    return query_run(call, &query);
}
