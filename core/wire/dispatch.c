/* From a target and a body to an answer.
 *
 * The order is the service's: JSON, then the operation, then the JSON types of its members, then
 * the operation's own checks. An operation of the API that is not built answers what the service
 * answers to a name it does not know.
 */
#include "wire/wire_internal.h"

#include <string.h>

#define DISPATCH_ANSWER_BYTES 512

static const wire_operation dispatch_operations[] = {
    {"PutItem", false, true, true, st_wire__put_item_run},
    {"UpdateItem", false, true, true, st_wire__update_item},
    {"DeleteItem", false, true, true, st_wire__delete_item},
    {"GetItem", false, true, false, st_wire__get_item},
    {"Query", false, true, false, st_wire__query},
    {"Scan", false, true, false, st_wire__scan},
    {"BatchGetItem", false, true, false, st_wire__batch_get},
    {"BatchWriteItem", false, false, false, st_wire__batch_write},
    {"TransactWriteItems", false, false, false, st_wire__transact_write},
    {"TransactGetItems", false, false, false, st_wire__transact_get},
    {"ExecuteStatement", false, false, false, st_wire__execute_statement},
    {"BatchExecuteStatement", false, false, false, st_wire__batch_statement},
    {"ExecuteTransaction", false, false, false, st_wire__execute_transaction},
    {"CreateTable", false, false, false, st_wire__create_table},
    {"UpdateTable", false, false, false, st_wire__update_table},
    {"DeleteTable", false, false, false, st_wire__delete_table},
    {"DescribeTable", false, false, false, st_wire__describe_table},
    {"ListTables", false, false, false, st_wire__list_tables},
    {"UpdateTimeToLive", false, false, false, st_wire__update_ttl},
    {"DescribeTimeToLive", false, false, false, st_wire__describe_ttl},
    {"TagResource", false, false, false, st_wire__tag},
    {"UntagResource", false, false, false, st_wire__untag},
    {"ListTagsOfResource", false, false, false, st_wire__list_tags},
    {"DescribeLimits", false, false, false, st_wire__describe_limits},
    {"DescribeEndpoints", false, false, false, st_wire__describe_endpoints},
    {"ListStreams", true, false, false, st_wire__list_streams},
    {"DescribeStream", true, false, false, st_wire__describe_stream},
    {"GetShardIterator", true, false, false, st_wire__shard_iterator},
    {"GetRecords", true, false, false, st_wire__get_records},
    {NULL, false, false, false, NULL},
};

const wire_operation *st_wire__operation(st_slice name, bool is_stream)
{
    for (const wire_operation *at = dispatch_operations; at->name; at++) {
        if (at->is_stream == is_stream && st_wire__is(name, at->name)) {
            return at;
        }
    }
    return NULL;
}

void st_wire_settings_init(st_wire_settings *settings)
{
    *settings = (st_wire_settings){.layer = ST_WIRE_LAYER_CURRENT};
    memcpy(settings->region, "us-east-1", sizeof "us-east-1");
    memcpy(settings->account, "000000000000", sizeof "000000000000");
}

static bool dispatch_cut(st_slice *target, const char *prefix)
{
    size_t bytes = strlen(prefix);
    if (!st_slice_starts_with(*target, st_slice_str(prefix))) {
        return false;
    }
    *target = st_slice_of(target->data + bytes, target->size - bytes);
    return true;
}

/* The operation alone names one of either model: no name is in both. */
static const wire_operation *dispatch_find(st_slice target)
{
    if (dispatch_cut(&target, "DynamoDBStreams_20120810.")) {
        return st_wire__operation(target, true);
    }
    if (dispatch_cut(&target, "DynamoDB_20120810.")) {
        return st_wire__operation(target, false);
    }
    const wire_operation *found = st_wire__operation(target, false);
    return found ? found : st_wire__operation(target, true);
}

static st_status dispatch_call(wire_call *call, st_slice target)
{
    if (!st_wire__json(call->op, call->body, &call->doc)) {
        if (call->doc.lacks_memory) {
            return st_fail_memory(call->op, call->body.size);
        }
        return st_wire__serialization(call, "%s", "");
    }
    call->operation = dispatch_find(target);
    if (!call->operation) {
        return st_wire__fail(call, "UnknownOperationException", "%s", "");
    }
    call->is_new_layer =
        call->settings->layer == ST_WIRE_LAYER_NEW ||
        (call->settings->layer == ST_WIRE_LAYER_CURRENT && call->operation->is_new);
    call->wraps = call->operation->is_item;
    ST_TRY(st_wire__check_types(call));
    return call->operation->run(call);
}

st_status st_wire_dispatch(st_op *op, st_database *database, const st_wire_settings *settings,
                           st_slice target, st_slice body, uint32_t *out_http_status,
                           st_buf *out_body)
{
    size_t begin = out_body->size;
    wire_call call = {
        .op = op, .database = database, .settings = settings, .body = body, .out = out_body};
    st_buf_init(&call.constraints, op->alloc);
    (void)st_buf_reserve(out_body, DISPATCH_ANSWER_BYTES); /* most fit */
    st_status status = dispatch_call(&call, target);
    *out_http_status = 200;
    if (status == ST_OK) {
        status = st_buf_check(op, out_body);
    }
    if (status != ST_OK) {
        out_body->size = begin;
        *out_http_status = st_wire__put_error(&call, status, out_body);
        status = st_buf_check(op, out_body);
        if (status == ST_OK) {
            st_op_clear(op);
        }
    }
    st_buf_deinit(&call.constraints);
    return status;
}
