/* UpdateTable: the definition that stands, changed. */
#include "wire/tables_internal.h"

#include <string.h>

#define UPDATE_INVALID "One or more parameter values were invalid: "
#define UPDATE_GLOBAL_MAX 20u

typedef struct update_call {
    st_table_info info;
    st_definition definition; /* of info, changed */
    wire_extra extra;
    wire_description how;
} update_call;

static st_index *update_find_index(update_call *update, st_slice name)
{
    for (uint32_t i = 0; i < update->definition.index_count; i++) {
        if (st_slice_equal(update->definition.indexes[i].name, name)) {
            return &update->definition.indexes[i];
        }
    }
    return NULL;
}

static st_status update_create_index(wire_call *call, update_call *update, uint32_t node)
{
    st_index index;
    if (update_find_index(update, st_wire__member_text(call, node, "IndexName"))) {
        return st_wire__refuse(call, "Attempting to create an index which already exists");
    }
    ST_TRY(st_wire__read_index(call, node, st_wire__member(call, 0, "AttributeDefinitions"),
                               ST_INDEX_GLOBAL, &index));
    uint32_t globals = 0;
    for (uint32_t i = 0; i < update->definition.index_count; i++) {
        globals += update->definition.indexes[i].kind == ST_INDEX_GLOBAL;
    }
    if (globals >= UPDATE_GLOBAL_MAX) {
        return st_wire__refuse(call, UPDATE_INVALID
                               "GlobalSecondaryIndex count exceeds the per-table limit of 20");
    }
    st_index *grown = st_arena_alloc(&call->op->arena, (ST_INDEXES_MAX + 1) * sizeof *grown);
    if (!grown) {
        return st_fail_memory(call->op, ST_INDEXES_MAX * sizeof *grown);
    }
    memcpy(grown, update->definition.indexes, update->definition.index_count * sizeof *grown);
    grown[update->definition.index_count++] = index;
    update->definition.indexes = grown;
    update->how.changing_index = index.name;
    update->how.index_status = "CREATING";
    return ST_OK;
}

static st_status update_delete_index(wire_call *call, update_call *update, uint32_t node)
{
    st_slice name = st_wire__member_text(call, node, "IndexName");
    st_index *index = update_find_index(update, name);
    if (!index || index->kind != ST_INDEX_GLOBAL) {
        return st_wire__fail(call, "ResourceNotFoundException",
                             "Requested resource not found: Index %.*s for table %.*s",
                             (int)name.size, name.size ? (const char *)name.data : "",
                             (int)update->info.name.size, (const char *)update->info.name.data);
    }
    size_t behind =
        (size_t)(update->definition.indexes + update->definition.index_count - index) - 1;
    memmove(index, index + 1, behind * sizeof *index);
    update->definition.index_count--;
    update->how.changing_index = name;
    update->how.index_status = "DELETING";
    return ST_OK;
}

static st_status update_index_units(wire_call *call, update_call *update, uint32_t node)
{
    st_index *index = update_find_index(update, st_wire__member_text(call, node, "IndexName"));
    uint32_t throughput = st_wire__member(call, node, "ProvisionedThroughput");
    if (!index) {
        return st_wire__refuse(call, "This operation cannot be performed with given input values. "
                                     "Please contact DynamoDB service team for more info: Action "
                                     "Blocked: IndexUpdate");
    }
    return throughput ? st_wire__index_extra(call, throughput, &index->extra) : ST_OK;
}

static st_status update_indexes(wire_call *call, update_call *update)
{
    uint32_t list = st_wire__member(call, 0, "GlobalSecondaryIndexUpdates"), online = 0;
    for (uint32_t at = list + 1; list && at < call->doc.nodes[list].next;
         at = call->doc.nodes[at].next) {
        uint32_t create = st_wire__member(call, at, "Create");
        uint32_t change = st_wire__member(call, at, "Update");
        uint32_t remove = st_wire__member(call, at, "Delete");
        if (!create && !change && !remove) {
            return st_wire__refuse(call,
                                   UPDATE_INVALID "One of GlobalSecondaryIndexUpdate.Update, "
                                                  "GlobalSecondaryIndexUpdate.Create, "
                                                  "GlobalSecondaryIndexUpdate.Delete must not be "
                                                  "null");
        }
        st_slice name = st_wire__member_text(call,
                                             create   ? create
                                             : change ? change
                                                      : remove,
                                             "IndexName");
        for (uint32_t other = list + 1; other < at; other = call->doc.nodes[other].next) {
            uint32_t inner = other + 2;
            if (st_slice_equal(st_wire__member_text(call, inner, "IndexName"), name)) {
                return st_wire__refuse(call,
                                       UPDATE_INVALID
                                       "Only one global secondary index update per index is "
                                       "allowed simultaneously. Index: %.*s",
                                       (int)name.size, (const char *)name.data);
            }
        }
        online += create || remove;
        if (online > 1) {
            return st_wire__fail(call, "LimitExceededException",
                                 "Subscriber limit exceeded: Only 1 online index can be created or "
                                 "deleted simultaneously per table");
        }
        ST_TRY(create   ? update_create_index(call, update, create)
               : remove ? update_delete_index(call, update, remove)
                        : update_index_units(call, update, change));
    }
    return ST_OK;
}

static st_status update_unchanged(wire_call *call, const update_call *update)
{
    uint32_t throughput = st_wire__member(call, 0, "ProvisionedThroughput");
    int64_t read = 0, write = 0;
    bool is_odd;
    if (!throughput || update->extra.is_on_demand) {
        return ST_OK;
    }
    (void)st_wire__integer(call, throughput, "ReadCapacityUnits", &read, &is_odd);
    (void)st_wire__integer(call, throughput, "WriteCapacityUnits", &write, &is_odd);
    if ((uint64_t)read != update->extra.read || (uint64_t)write != update->extra.write ||
        st_wire__member(call, 0, "GlobalSecondaryIndexUpdates")) {
        return ST_OK;
    }
    return st_wire__refuse(
        call,
        "The provisioned throughput for the table will not change. The requested value equals the "
        "current value. Current ReadCapacityUnits provisioned for the table: %lld. Requested "
        "ReadCapacityUnits: %lld. Current WriteCapacityUnits provisioned for the table: %lld. "
        "Requested WriteCapacityUnits: %lld. Refer to the Amazon DynamoDB Developer Guide for "
        "current limits and how to request higher limits.",
        (long long)read, (long long)read, (long long)write, (long long)write);
}

static st_status update_validate(wire_call *call)
{
    static const char *const update_members[] = {"ProvisionedThroughput",
                                                 "BillingMode",
                                                 "StreamSpecification",
                                                 "ReplicaUpdates",
                                                 "SSESpecification",
                                                 "GlobalSecondaryIndexUpdates",
                                                 "TableClass",
                                                 "OnDemandThroughput",
                                                 "DeletionProtectionEnabled",
                                                 "VectorIndexUpdates",
                                                 NULL};
    static const char *const update_unbuilt[] = {"ReplicaUpdates", "VectorIndexUpdates",
                                                 "WarmThroughput", NULL};
    uint32_t throughput = st_wire__member(call, 0, "ProvisionedThroughput");
    bool has_any = false;
    if (throughput) {
        st_wire__check_units(call, throughput, "provisionedThroughput");
    }
    ST_TRY(st_wire__constraints_end(call));
    for (int i = 0; update_unbuilt[i]; i++) {
        if (st_wire__member(call, 0, update_unbuilt[i])) {
            return st_wire__refuse(call, "%s is not supported", update_unbuilt[i]);
        }
    }
    for (int i = 0; update_members[i]; i++) {
        has_any |= st_wire__member(call, 0, update_members[i]) != 0;
    }
    return has_any ? ST_OK
                   : st_wire__refuse(
                         call,
                         "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
                         "GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is "
                         "required");
}

static st_status update_billing(wire_call *call, update_call *update)
{
    bool is_on_demand = update->extra.is_on_demand;
    uint32_t throughput = st_wire__member(call, 0, "ProvisionedThroughput");
    if (st_wire__member(call, 0, "BillingMode")) {
        is_on_demand = st_wire__is_on_demand(call);
    }
    if (is_on_demand && throughput) {
        return st_wire__refuse(call, UPDATE_INVALID
                               "Neither ReadCapacityUnits nor WriteCapacityUnits can be "
                               "specified when BillingMode is PAY_PER_REQUEST");
    }
    if (!is_on_demand && update->extra.is_on_demand && !throughput) {
        return st_wire__refuse(call, UPDATE_INVALID "ProvisionedThroughput must be specified when "
                                                    "BillingMode is PROVISIONED");
    }
    ST_TRY(st_wire__check_on_demand(call, is_on_demand, false));
    ST_TRY(update_unchanged(call, update));
    return st_wire__table_extra(call, is_on_demand, &update->extra, &update->definition.extra);
}

static st_status update_stream(wire_call *call, update_call *update)
{
    uint32_t stream = st_wire__member(call, 0, "StreamSpecification");
    uint8_t view;
    if (stream == 0) {
        return ST_OK;
    }
    ST_TRY(st_wire__read_stream(call, stream, false, &view));
    if (view != ST_STREAM_OFF && update->definition.stream_view != ST_STREAM_OFF) {
        return st_wire__refuse(
            call, UPDATE_INVALID "Table already has an enabled stream: TableName: %.*s",
            (int)update->info.name.size, (const char *)update->info.name.data);
    }
    if (view == ST_STREAM_OFF && update->definition.stream_view == ST_STREAM_OFF) {
        return st_wire__refuse(call,
                               UPDATE_INVALID "Table has no stream to disable: TableName: %.*s",
                               (int)update->info.name.size, (const char *)update->info.name.data);
    }
    update->definition.stream_view = view;
    return ST_OK;
}

st_status st_wire__update_table(wire_call *call)
{
    update_call update = {.how = {.status = "UPDATING"}};
    st_slice name;
    bool is_protected;
    st_status status;
    ST_TRY(st_wire__control_name(call, &name));
    ST_TRY(update_validate(call));
    ST_TRY(st_wire__control_describe(call, name, &update.info));
    ST_TRY(st_definition_decode(call->op, update.info.definition_bytes, &update.definition));
    st_wire__extra_read(call, update.definition.extra, &update.extra);
    ST_TRY(update_billing(call, &update));
    ST_TRY(update_indexes(call, &update));
    ST_TRY(update_stream(call, &update));
    if (st_wire__flag(call, 0, "DeletionProtectionEnabled", &is_protected, &status)) {
        update.definition.flags &= ~(uint32_t)ST_DEFINITION_PROTECTED;
        update.definition.flags |= is_protected ? ST_DEFINITION_PROTECTED : 0;
    }
    st_table_info before = update.info;
    ST_TRY(st_wire__run_definition(call, ST_REQUEST_ALTER_TABLE, name, &update.definition,
                                   update.info.definition_bytes));
    ST_TRY(st_wire__control_describe(call, name, &update.info));
    bool shows_old = st_wire__member(call, 0, "ProvisionedThroughput") != 0;
    if (shows_old) {
        update.info.definition.extra = before.definition.extra;
    }
    st_wire__put_text(call->out, "{\"TableDescription\":");
    ST_TRY(st_wire__put_description(call, &update.info, &update.how));
    st_wire__put_text(call->out, "}");
    return ST_OK;
}
