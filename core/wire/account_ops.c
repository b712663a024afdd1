/* Expiry, tags, limits and endpoints. */
#include "wire/tables_internal.h"

#include <string.h>

#define ACCOUNT_INVALID "One or more parameter values were invalid: "
#define ACCOUNT_TAGS_MAX 50u

/* Changes the definition of a table; read again and again until nobody was in between. */
static st_status account_alter(wire_call *call, const st_table_info *info,
                               const st_definition *definition)
{
    st_buf encoded, result;
    st_buf_init(&encoded, call->op->alloc);
    st_buf_init(&result, call->op->alloc);
    st_definition_encode(definition, &encoded);
    st_status status = st_buf_check(call->op, &encoded);
    if (status == ST_OK) {
        st_request request = {.operation = ST_REQUEST_ALTER_TABLE,
                              .name = info->name,
                              .has_name = true,
                              .definition = st_buf_view(&encoded),
                              .has_definition = true,
                              .expected_definition = info->definition_bytes};
        status = st_table_run(call->op, call->database, &request, &result);
    }
    st_buf_deinit(&encoded);
    st_buf_deinit(&result);
    return status;
}

/* ---- expiry ----------------------------------------------------------------------------- */

st_status st_wire__update_ttl(wire_call *call)
{
    st_slice name;
    st_table_info info;
    bool is_enabled;
    st_status status;
    uint32_t node = st_wire__member(call, 0, "TimeToLiveSpecification");
    ST_TRY(st_wire__control_name(call, &name));
    if (node == 0) {
        st_wire__constraint(call, "Value null at 'timeToLiveSpecification' failed to satisfy "
                                  "constraint: Member must not be null");
        return st_wire__constraints_end(call);
    }
    uint32_t attribute_node = st_wire__member(call, node, "AttributeName");
    if (!st_wire__flag(call, node, "Enabled", &is_enabled, &status)) {
        st_wire__constraint(call, "Value null at 'timeToLiveSpecification.enabled' failed to "
                                  "satisfy constraint: Member must not be null");
    }
    if (attribute_node == 0) {
        st_wire__constraint(call, "Value null at 'timeToLiveSpecification.attributeName' failed to "
                                  "satisfy constraint: Member must not be null");
    } else if (call->doc.nodes[attribute_node].text.size == 0) {
        st_wire__constraint(call, "Value '' at 'timeToLiveSpecification.attributeName' failed to "
                                  "satisfy constraint: Member must have length greater than or "
                                  "equal to 1");
    }
    ST_TRY(st_wire__constraints_end(call));
    st_slice attribute = call->doc.nodes[attribute_node].text;
    ST_TRY(st_wire__control_describe(call, name, &info));
    st_definition definition = info.definition;
    bool is_same = st_slice_equal(definition.ttl, attribute);
    if (is_enabled && definition.ttl.size > 0) {
        return st_wire__refuse(call, is_same ? "TimeToLive is already enabled"
                                             : "TimeToLive is already enabled with a different "
                                               "attribute name");
    }
    if (!is_enabled && definition.ttl.size == 0) {
        return st_wire__refuse(call, "TimeToLive is already disabled");
    }
    if (!is_enabled && !is_same) {
        return st_wire__refuse(call,
                               "TimeToLive is active on a different AttributeName: current "
                               "AttributeName is %.*s",
                               (int)definition.ttl.size, (const char *)definition.ttl.data);
    }
    definition.ttl = is_enabled ? attribute : (st_slice){0};
    ST_TRY(account_alter(call, &info, &definition));
    st_wire__put_text(call->out, "{\"TimeToLiveSpecification\":{\"Enabled\":");
    st_wire__put_text(call->out, is_enabled ? "true" : "false");
    st_wire__put_text(call->out, ",\"AttributeName\":");
    st_json_put_string(call->out, attribute);
    st_wire__put_text(call->out, "}}");
    return ST_OK;
}

st_status st_wire__describe_ttl(wire_call *call)
{
    st_slice name;
    st_table_info info;
    ST_TRY(st_wire__control_name(call, &name));
    ST_TRY(st_wire__control_describe(call, name, &info));
    st_wire__put_text(call->out, "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":");
    if (info.definition.ttl.size > 0) {
        st_wire__put_text(call->out, "\"ENABLED\",\"AttributeName\":");
        st_json_put_string(call->out, info.definition.ttl);
        st_wire__put_text(call->out, "}}");
    } else {
        st_wire__put_text(call->out, "\"DISABLED\"}}");
    }
    return ST_OK;
}

/* ---- tags ------------------------------------------------------------------------------- */

static st_status account_resource(wire_call *call, bool is_list, st_table_info *out_info)
{
    st_slice arn = st_wire__member_text(call, 0, "ResourceArn");
    static const char account_prefix[] = "arn:aws:dynamodb:";
    if (st_wire__member(call, 0, "ResourceArn") == 0) {
        st_wire__constraint(
            call,
            "Value null at 'resourceArn' failed to satisfy constraint: Member must not be null");
        return st_wire__constraints_end(call);
    }
    if (arn.size == 0) {
        return st_wire__refuse(call, "Invalid TableArn");
    }
    const uint8_t *table = NULL;
    for (size_t i = 0; i + 7 <= arn.size && !table; i++) {
        table = memcmp(arn.data + i, ":table/", 7) == 0 ? arn.data + i + 7 : NULL;
    }
    if (!st_slice_starts_with(arn, st_slice_str(account_prefix)) || !table) {
        return st_wire__refuse(call, "Invalid TableArn: Invalid ResourceArn provided as input %.*s",
                               (int)arn.size, (const char *)arn.data);
    }
    st_slice name = st_slice_of(table, (size_t)(arn.data + arn.size - table));
    st_status status = st_table_describe(call->op, call->database, 0, name, out_info);
    if (status != ST_TABLE_NOT_FOUND) {
        return status;
    }
    st_op_clear(call->op);
    if (is_list) {
        return st_wire__fail(call, "AccessDeniedException",
                             "User: arn:aws:iam::%s:root is not authorized to perform: "
                             "dynamodb:ListTagsOfResource on resource: %.*s",
                             call->settings->account, (int)arn.size, (const char *)arn.data);
    }
    return st_wire__fail(call, "ResourceNotFoundException",
                         "Requested resource not found: ResourcArn: %.*s not found", (int)arn.size,
                         (const char *)arn.data);
}

/* Writes the tags that stay and those that come, as a JSON object of its own. */
static void account_put_tags(const wire_call *call, const wire_extra *before, uint32_t added,
                             uint32_t removed, st_buf *out)
{
    bool is_first = true;
    st_wire__put_text(out, "{\"tags\":[");
    for (int pass = 0; pass < 2; pass++) {
        const st_json_doc *doc = pass == 0 ? &before->doc : &call->doc;
        uint32_t list = pass == 0 ? before->tags : added;
        for (uint32_t at = list + 1; list && at < doc->nodes[list].next; at = doc->nodes[at].next) {
            st_slice key = st_wire__text(doc, st_wire__find(doc, at, "Key"));
            bool is_dropped = false;
            uint32_t other = pass == 0 ? (added ? added : removed) : 0;
            for (uint32_t o = other + 1; other && o < call->doc.nodes[other].next;
                 o = call->doc.nodes[o].next) {
                st_slice name =
                    added ? st_wire__member_text(call, o, "Key") : call->doc.nodes[o].text;
                is_dropped |= st_slice_equal(name, key);
            }
            if (is_dropped) {
                continue;
            }
            st_wire__put_text(out, is_first ? "{\"Key\":" : ",{\"Key\":");
            is_first = false;
            st_json_put_string(out, key);
            st_wire__put_text(out, ",\"Value\":");
            st_json_put_string(out, st_wire__text(doc, st_wire__find(doc, at, "Value")));
            st_wire__put_text(out, "}");
        }
    }
    st_wire__put_text(out, "]}");
}

static st_status account_change_tags(wire_call *call, uint32_t added, uint32_t removed)
{
    st_table_info info;
    wire_extra extra;
    st_slice text;
    ST_TRY(account_resource(call, false, &info));
    st_definition definition = info.definition;
    st_wire__extra_read(call, definition.extra, &extra);
    st_buf tags;
    st_buf_init(&tags, call->op->alloc);
    account_put_tags(call, &extra, added, removed, &tags);
    st_status status = st_wire__keep(call, &tags, &text);
    st_buf_deinit(&tags);
    ST_TRY(status);
    if (!st_wire__json(call->op, text, &extra.doc)) {
        return st_fail_memory(call->op, text.size);
    }
    extra.tags = st_wire__find(&extra.doc, 0, "tags");
    if (extra.doc.nodes[extra.tags].count > ACCOUNT_TAGS_MAX) {
        return st_wire__refuse(call, "One or more parameter values were invalid: Too many tags: a "
                                     "resource has at most 50");
    }
    st_buf encoded;
    st_buf_init(&encoded, call->op->alloc);
    st_wire__extra_write(&extra, &encoded);
    status = st_wire__keep(call, &encoded, &definition.extra);
    st_buf_deinit(&encoded);
    return status == ST_OK ? account_alter(call, &info, &definition) : status;
}

st_status st_wire__tag(wire_call *call)
{
    uint32_t tags = st_wire__member(call, 0, "Tags");
    if (tags == 0 || call->doc.nodes[tags].count == 0) {
        return st_wire__refuse(call, "Atleast one Tag needs to be provided as Input.");
    }
    return account_change_tags(call, tags, 0);
}

st_status st_wire__untag(wire_call *call)
{
    uint32_t keys = st_wire__member(call, 0, "TagKeys");
    if (keys == 0 || call->doc.nodes[keys].count == 0) {
        return st_wire__refuse(call, "Atleast one Tag Key needs to be provided as Input.");
    }
    return account_change_tags(call, 0, keys);
}

st_status st_wire__list_tags(wire_call *call)
{
    st_table_info info;
    wire_extra extra;
    ST_TRY(account_resource(call, true, &info));
    st_wire__extra_read(call, info.definition.extra, &extra);
    st_wire__put_text(call->out, "{\"Tags\":");
    st_wire__put_tags(&extra, call->out);
    st_wire__put_text(call->out, "}");
    return ST_OK;
}

/* ---- the account ------------------------------------------------------------------------ */

st_status st_wire__describe_limits(wire_call *call)
{
    st_wire__put_text(call->out,
                      "{\"AccountMaxReadCapacityUnits\":80000,\"AccountMaxWriteCapacityUnits\":"
                      "80000,\"TableMaxReadCapacityUnits\":40000,\"TableMaxWriteCapacityUnits\":"
                      "40000}");
    return ST_OK;
}

st_status st_wire__describe_endpoints(wire_call *call)
{
    st_wire__put_text(call->out, "{\"Endpoints\":[{\"Address\":\"dynamodb.");
    st_wire__put_text(call->out, call->settings->region);
    st_wire__put_text(call->out, ".amazonaws.com\",\"CachePeriodInMinutes\":1440}]}");
    return ST_OK;
}
