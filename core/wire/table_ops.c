/* CreateTable, UpdateTable, DescribeTable, DeleteTable, ListTables.
 *
 * What the table layer does not look at (billing, throughput, tags, class) is kept as a JSON object
 * in the extra bytes of a definition.
 */
#include "wire/tables_internal.h"

#include <stdio.h>
#include <string.h>

/* What the service has ready for a table on demand. */
#define TABLES_WARM_READ 12000u
#define TABLES_WARM_WRITE 4000u

/* ---- names of the control plane --------------------------------------------------------- */

st_status st_wire__control_name(wire_call *call, st_slice *out_name)
{
    uint32_t node = st_wire__member(call, 0, "TableName");
    *out_name = st_wire__table_name(call, 0);
    if (node == 0) {
        return st_wire__refuse(
            call, "The parameter 'TableName' is required but was not present in the request");
    }
    if (out_name->size < 3 || out_name->size > 255) {
        return st_wire__refuse(
            call, "TableName must be at least 3 characters long and at most 255 characters long");
    }
    st_wire__check_name(call, *out_name, "tableName", true);
    return st_wire__constraints_end(call);
}

st_status st_wire__control_describe(wire_call *call, st_slice name, st_table_info *out_info)
{
    st_status status = st_table_describe(call->op, call->database, 0, name, out_info);
    if (status != ST_TABLE_NOT_FOUND) {
        return status;
    }
    st_op_clear(call->op);
    return st_wire__fail(call, "ResourceNotFoundException",
                         "Requested resource not found: Table: %.*s not found", (int)name.size,
                         (const char *)name.data);
}

/* ---- extra ------------------------------------------------------------------------------ */

void st_wire__extra_read(wire_call *call, st_slice extra, wire_extra *out)
{
    st_json_doc doc;
    *out = (wire_extra){.is_on_demand = true};
    if (extra.size == 0 || !st_wire__json(call->op, extra, &doc)) {
        return;
    }
    wire_call reader = *call;
    reader.doc = doc;
    int64_t number;
    bool is_odd;
    out->is_on_demand = st_wire__find(&doc, 0, "provisioned") == 0;
    out->read = st_wire__integer(&reader, 0, "read", &number, &is_odd) ? (uint64_t)number : 0;
    out->write = st_wire__integer(&reader, 0, "write", &number, &is_odd) ? (uint64_t)number : 0;
    out->on_demand_read = st_wire__integer(&reader, 0, "maxread", &number, &is_odd) ? number : 0;
    out->on_demand_write = st_wire__integer(&reader, 0, "maxwrite", &number, &is_odd) ? number : 0;
    out->is_infrequent = st_wire__find(&doc, 0, "infrequent") != 0;
    out->is_encrypted = st_wire__find(&doc, 0, "encrypted") != 0;
    out->tags = st_wire__find(&doc, 0, "tags");
    out->doc = doc;
}

static void tables_put_long(st_buf *out, const char *name, int64_t value)
{
    char text[64];
    int bytes = snprintf(text, sizeof text, ",\"%s\":%lld", name, (long long)value);
    st_buf_append(out, text, (size_t)bytes);
}

void st_wire__put_tags(const wire_extra *extra, st_buf *out)
{
    st_buf_byte(out, '[');
    for (uint32_t at = extra->tags + 1; extra->tags && at < extra->doc.nodes[extra->tags].next;
         at = extra->doc.nodes[at].next) {
        st_buf_append(out, ",", at > extra->tags + 1 ? 1 : 0);
        st_wire__put_text(out, "{\"Key\":");
        st_json_put_string(out, st_wire__text(&extra->doc, st_wire__find(&extra->doc, at, "Key")));
        st_wire__put_text(out, ",\"Value\":");
        st_json_put_string(out,
                           st_wire__text(&extra->doc, st_wire__find(&extra->doc, at, "Value")));
        st_buf_byte(out, '}');
    }
    st_buf_byte(out, ']');
}

void st_wire__extra_write(const wire_extra *extra, st_buf *out)
{
    st_wire__put_text(out, "{\"v\":1");
    if (!extra->is_on_demand) {
        tables_put_long(out, "provisioned", 1);
        tables_put_long(out, "read", (int64_t)extra->read);
        tables_put_long(out, "write", (int64_t)extra->write);
    }
    if (extra->on_demand_read) {
        tables_put_long(out, "maxread", extra->on_demand_read);
    }
    if (extra->on_demand_write) {
        tables_put_long(out, "maxwrite", extra->on_demand_write);
    }
    if (extra->is_infrequent) {
        tables_put_long(out, "infrequent", 1);
    }
    if (extra->is_encrypted) {
        tables_put_long(out, "encrypted", 1);
    }
    if (extra->tags) {
        st_wire__put_text(out, ",\"tags\":");
        st_wire__put_tags(extra, out);
    }
    st_wire__put_text(out, "}");
}

/* ---- descriptions ----------------------------------------------------------------------- */

static void tables_put_part(wire_call *call, const st_key_part *part, bool is_hash, bool *is_first)
{
    st_wire__put_comma(call, is_first);
    st_wire__put_text(call->out, "{\"AttributeName\":");
    st_json_put_string(call->out, part->name);
    st_wire__put_text(call->out, is_hash ? ",\"KeyType\":\"HASH\"}" : ",\"KeyType\":\"RANGE\"}");
}

static void tables_put_schema(wire_call *call, const st_key_schema *schema)
{
    bool is_first = true;
    st_wire__put_text(call->out, "\"KeySchema\":[");
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        tables_put_part(call, &schema->partition[i], true, &is_first);
    }
    for (uint32_t i = 0; i < schema->sort_count; i++) {
        tables_put_part(call, &schema->sort[i], false, &is_first);
    }
    st_wire__put_text(call->out, "]");
}

typedef struct tables_seen {
    st_slice names[(ST_INDEXES_MAX + 1) * 2 * ST_KEY_PARTS_MAX];
    uint32_t count;
} tables_seen;

static void tables_put_definition(wire_call *call, const st_key_part *part, tables_seen *seen)
{
    for (uint32_t i = 0; i < seen->count; i++) {
        if (st_slice_equal(seen->names[i], part->name)) {
            return;
        }
    }
    st_wire__put_text(call->out, seen->count > 0 ? ",{\"AttributeName\":" : "{\"AttributeName\":");
    seen->names[seen->count++] = part->name;
    st_json_put_string(call->out, part->name);
    st_wire__put_text(call->out, ",\"AttributeType\":\"");
    st_wire__put_text(call->out, st_type_name(part->type));
    st_wire__put_text(call->out, "\"}");
}

static void tables_put_definitions(wire_call *call, const st_definition *definition)
{
    tables_seen seen = {.count = 0};
    st_wire__put_text(call->out, "\"AttributeDefinitions\":[");
    for (uint32_t k = 0; k <= definition->index_count; k++) {
        const st_key_schema *schema =
            k == 0 ? &definition->schema : &definition->indexes[k - 1].schema;
        for (uint32_t i = 0; i < schema->partition_count; i++) {
            tables_put_definition(call, &schema->partition[i], &seen);
        }
        for (uint32_t i = 0; i < schema->sort_count; i++) {
            tables_put_definition(call, &schema->sort[i], &seen);
        }
    }
    st_wire__put_text(call->out, "]");
}

static void tables_put_throughput(wire_call *call, const wire_extra *extra)
{
    st_wire__put_text(call->out, ",\"ProvisionedThroughput\":{\"NumberOfDecreasesToday\":0,"
                                 "\"ReadCapacityUnits\":");
    st_wire__put_integer(call->out, extra->is_on_demand ? 0 : extra->read);
    st_wire__put_text(call->out, ",\"WriteCapacityUnits\":");
    st_wire__put_integer(call->out, extra->is_on_demand ? 0 : extra->write);
    st_wire__put_text(call->out, "}");
}

static void tables_put_warm(wire_call *call, const wire_extra *extra)
{
    st_wire__put_text(call->out, ",\"WarmThroughput\":{\"ReadUnitsPerSecond\":");
    st_wire__put_integer(call->out, extra->is_on_demand ? TABLES_WARM_READ : extra->read);
    st_wire__put_text(call->out, ",\"WriteUnitsPerSecond\":");
    st_wire__put_integer(call->out, extra->is_on_demand ? TABLES_WARM_WRITE : extra->write);
    st_wire__put_text(call->out, ",\"Status\":\"ACTIVE\"}");
}

static void tables_put_projection(wire_call *call, const st_index *index)
{
    static const char *const tables_projections[] = {"", "ALL", "KEYS_ONLY", "INCLUDE"};
    st_wire__put_text(call->out, ",\"Projection\":{\"ProjectionType\":\"");
    st_wire__put_text(call->out, tables_projections[index->projection]);
    st_wire__put_text(call->out, "\"");
    if (index->projection == ST_PROJECT_INCLUDE) {
        st_wire__put_text(call->out, ",\"NonKeyAttributes\":[");
        for (uint32_t i = 0; i < index->include_count; i++) {
            st_wire__put_text(call->out, i > 0 ? "," : "");
            st_json_put_string(call->out, index->include[i]);
        }
        st_wire__put_text(call->out, "]");
    }
    st_wire__put_text(call->out, "}");
}

static st_status tables_put_index(wire_call *call, const st_table_info *info, const st_index *index,
                                  const wire_description *how)
{
    wire_extra extra;
    uint64_t items = 0, bytes = 0;
    st_wire__extra_read(call, index->extra, &extra);
    if (!how->is_new) {
        ST_TRY(st_table_measure(call->op, call->database, index->id, &items, &bytes));
    }
    st_wire__put_text(call->out, "{\"IndexName\":");
    st_json_put_string(call->out, index->name);
    st_wire__put_text(call->out, ",");
    tables_put_schema(call, &index->schema);
    tables_put_projection(call, index);
    if (index->kind == ST_INDEX_GLOBAL) {
        bool is_changing =
            how->changing_index.size > 0 && st_slice_equal(how->changing_index, index->name);
        st_wire__put_text(call->out, ",\"IndexStatus\":\"");
        st_wire__put_text(call->out, how->is_new   ? "CREATING"
                                     : is_changing ? how->index_status
                                                   : "ACTIVE");
        st_wire__put_text(call->out, "\"");
        if (is_changing && strcmp(how->index_status, "CREATING") == 0) {
            st_wire__put_text(call->out, ",\"Backfilling\":false");
        }
        tables_put_throughput(call, &extra);
        if (!how->is_new) {
            tables_put_warm(call, &extra);
        }
    }
    st_wire__put_text(call->out, ",\"IndexSizeBytes\":");
    st_wire__put_integer(call->out, bytes);
    st_wire__put_text(call->out, ",\"ItemCount\":");
    st_wire__put_integer(call->out, items);
    st_wire__put_text(call->out, ",\"IndexArn\":\"");
    st_wire__put_arn(call, info->name, call->out);
    st_wire__put_text(call->out, "/index/");
    st_buf_slice(call->out, index->name);
    st_wire__put_text(call->out, "\"}");
    return ST_OK;
}

static st_status tables_put_indexes(wire_call *call, const st_table_info *info, uint8_t kind,
                                    const char *member, const wire_description *how)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < info->definition.index_count; i++) {
        const st_index *index = &info->definition.indexes[i];
        if (index->kind != kind) {
            continue;
        }
        st_wire__put_text(call->out, count > 0 ? "," : ",\"");
        if (count++ == 0) {
            st_wire__put_text(call->out, member);
            st_wire__put_text(call->out, "\":[");
        }
        ST_TRY(tables_put_index(call, info, index, how));
    }
    st_wire__put_text(call->out, count > 0 ? "]" : "");
    return ST_OK;
}

static void tables_put_identity(wire_call *call, st_slice identity)
{
    char text[40];
    size_t size = 0;
    for (size_t i = 0; i < identity.size && i < 16; i++) {
        bool has_dash = i == 4 || i == 6 || i == 8 || i == 10;
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%02x", has_dash ? "-" : "",
                                 identity.data[i]);
    }
    st_wire__put_text(call->out, ",\"TableId\":\"");
    st_buf_append(call->out, text, size);
    st_wire__put_text(call->out, "\"");
}

const char *st_wire__stream_view(uint8_t view)
{
    static const char *const tables_views[] = {"", "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE",
                                               "NEW_AND_OLD_IMAGES"};
    return tables_views[view];
}

static void tables_put_stream(wire_call *call, const st_table_info *info)
{
    const st_definition *definition = &info->definition;
    if (definition->stream_view != ST_STREAM_OFF) {
        st_wire__put_text(call->out,
                          ",\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":\"");
        st_wire__put_text(call->out, st_wire__stream_view(definition->stream_view));
        st_wire__put_text(call->out, "\"}");
    }
    if (definition->stream_id != 0) {
        st_wire__put_text(call->out, ",\"LatestStreamLabel\":\"");
        st_wire__put_label(definition->stream_created_us, call->out);
        st_wire__put_text(call->out, "\",\"LatestStreamArn\":\"");
        st_wire__put_arn(call, info->name, call->out);
        st_wire__put_text(call->out, "/stream/");
        st_wire__put_label(definition->stream_created_us, call->out);
        st_wire__put_text(call->out, "\"");
    }
}

static void tables_put_options(wire_call *call, const st_table_info *info, const wire_extra *extra)
{
    if (extra->is_on_demand) {
        st_wire__put_text(call->out, ",\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\","
                                     "\"LastUpdateToPayPerRequestDateTime\":");
        st_wire__put_time(call->out, info->created_us);
        st_wire__put_text(call->out, "}");
    }
    if (extra->on_demand_read || extra->on_demand_write) {
        st_wire__put_text(call->out, ",\"OnDemandThroughput\":{");
        size_t begin = call->out->size;
        if (extra->on_demand_read) {
            tables_put_long(call->out, "MaxReadRequestUnits", extra->on_demand_read);
        }
        if (extra->on_demand_write) {
            tables_put_long(call->out, "MaxWriteRequestUnits", extra->on_demand_write);
        }
        if (!call->out->failed) {
            call->out->data[begin] = ' '; /* the first comma */
        }
        st_wire__put_text(call->out, "}");
    }
    if (extra->is_infrequent) {
        st_wire__put_text(call->out,
                          ",\"TableClassSummary\":{\"TableClass\":\"STANDARD_INFREQUENT_ACCESS\"}");
    }
    if (extra->is_encrypted) {
        st_wire__put_text(call->out, ",\"SSEDescription\":{\"Status\":\"ENABLED\",\"SSEType\":"
                                     "\"KMS\",\"KMSMasterKeyArn\":\"arn:aws:kms:");
        st_wire__put_text(call->out, call->settings->region);
        st_wire__put_text(call->out, ":");
        st_wire__put_text(call->out, call->settings->account);
        st_wire__put_text(call->out, ":key/00000000-0000-0000-0000-000000000000\"}");
    }
    st_wire__put_text(call->out, info->definition.flags & ST_DEFINITION_PROTECTED
                                     ? ",\"DeletionProtectionEnabled\":true"
                                     : ",\"DeletionProtectionEnabled\":false");
}

st_status st_wire__put_description(wire_call *call, const st_table_info *info,
                                   const wire_description *how)
{
    wire_extra extra;
    uint64_t items = 0, bytes = 0;
    st_wire__extra_read(call, info->definition.extra, &extra);
    if (!how->is_new && !how->is_going) {
        ST_TRY(st_table_measure(call->op, call->database, info->id, &items, &bytes));
    }
    st_wire__put_text(call->out, "{");
    if (!how->is_going) {
        tables_put_definitions(call, &info->definition);
        st_wire__put_text(call->out, ",");
    }
    st_wire__put_text(call->out, "\"TableName\":");
    st_json_put_string(call->out, info->name);
    if (!how->is_going) {
        st_wire__put_text(call->out, ",");
        tables_put_schema(call, &info->definition.schema);
    }
    st_wire__put_text(call->out, ",\"TableStatus\":\"");
    st_wire__put_text(call->out, how->status);
    st_wire__put_text(call->out, "\"");
    if (!how->is_going) {
        st_wire__put_text(call->out, ",\"CreationDateTime\":");
        st_wire__put_time(call->out, info->created_us);
    }
    tables_put_throughput(call, &extra);
    st_wire__put_text(call->out, ",\"TableSizeBytes\":");
    st_wire__put_integer(call->out, bytes);
    st_wire__put_text(call->out, ",\"ItemCount\":");
    st_wire__put_integer(call->out, items);
    st_wire__put_text(call->out, ",\"TableArn\":\"");
    st_wire__put_arn(call, info->name, call->out);
    st_wire__put_text(call->out, "\"");
    tables_put_identity(call, info->definition.identity);
    if (!how->is_going) {
        ST_TRY(tables_put_indexes(call, info, ST_INDEX_LOCAL, "LocalSecondaryIndexes", how));
        ST_TRY(tables_put_indexes(call, info, ST_INDEX_GLOBAL, "GlobalSecondaryIndexes", how));
    }
    if (!how->is_going && !how->is_new) {
        tables_put_warm(call, &extra);
    }
    tables_put_stream(call, info);
    tables_put_options(call, info, &extra);
    st_wire__put_text(call->out, "}");
    return ST_OK;
}

/* ---- DescribeTable, DeleteTable, ListTables --------------------------------------------- */

st_status st_wire__describe_table(wire_call *call)
{
    st_slice name;
    st_table_info info;
    wire_description how = {.status = "ACTIVE"};
    ST_TRY(st_wire__control_name(call, &name));
    ST_TRY(st_wire__control_describe(call, name, &info));
    st_wire__put_text(call->out, "{\"Table\":");
    ST_TRY(st_wire__put_description(call, &info, &how));
    st_wire__put_text(call->out, "}");
    return ST_OK;
}

st_status st_wire__delete_table(wire_call *call)
{
    st_slice name;
    st_table_info info;
    wire_description how = {.status = "DELETING", .is_going = true};
    ST_TRY(st_wire__control_name(call, &name));
    ST_TRY(st_wire__control_describe(call, name, &info));
    st_request request = {
        .operation = ST_REQUEST_DELETE_TABLE, .table_id = info.id, .name = name, .has_name = true};
    st_buf result;
    st_buf_init(&result, call->op->alloc);
    st_status status = st_table_run(call->op, call->database, &request, &result);
    st_buf_deinit(&result);
    ST_TRY(status);
    st_wire__put_text(call->out, "{\"TableDescription\":");
    ST_TRY(st_wire__put_description(call, &info, &how));
    st_wire__put_text(call->out, "}");
    return ST_OK;
}

static void tables_put_names(wire_call *call, st_slice result)
{
    st_slice field;
    (void)st_table_result_find(result, ST_RESULT_NAMES, &field);
    st_reader reader = st_reader_of(field);
    uint32_t count = st_reader_u32(&reader);
    st_wire__put_text(call->out, "{\"TableNames\":[");
    for (uint32_t i = 0; i < count && !reader.failed; i++) {
        st_wire__put_text(call->out, i > 0 ? "," : "");
        st_json_put_string(call->out, st_reader_slice(&reader, st_reader_varint(&reader)));
    }
    st_wire__put_text(call->out, "]");
    if (st_table_result_find(result, ST_RESULT_LAST_KEY, &field)) {
        st_wire__put_text(call->out, ",\"LastEvaluatedTableName\":");
        st_json_put_string(call->out, field);
    }
    st_wire__put_text(call->out, "}");
}

st_status st_wire__list_tables(wire_call *call)
{
    int64_t limit;
    bool is_odd;
    uint32_t start = st_wire__member(call, 0, "ExclusiveStartTableName");
    st_request request = {.operation = ST_REQUEST_LIST_TABLES, .limit = 100};
    if (start) {
        bool was_new = call->is_new_layer;
        call->is_new_layer = true; /* three characters at least on either layer */
        st_wire__check_name(call, call->doc.nodes[start].text, "exclusiveStartTableName", true);
        call->is_new_layer = was_new;
        request.start_after = call->doc.nodes[start].text;
        request.has_start_after = true;
    }
    if (st_wire__integer(call, 0, "Limit", &limit, &is_odd)) {
        if (limit < 1 || limit > 100) {
            st_wire__constraint(call,
                                "Value '%lld' at 'limit' failed to satisfy constraint: Member must "
                                "have value %s",
                                (long long)limit,
                                limit < 1 ? "greater than or equal to 1"
                                          : "less than or equal to 100");
        }
        request.limit = (uint64_t)limit;
    }
    ST_TRY(st_wire__constraints_end(call));
    st_buf result;
    st_buf_init(&result, call->op->alloc);
    st_status status = st_table_run(call->op, call->database, &request, &result);
    if (status == ST_OK) {
        tables_put_names(call, st_buf_view(&result));
    }
    st_buf_deinit(&result);
    return status;
}
