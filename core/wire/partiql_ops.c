/* ExecuteStatement, BatchExecuteStatement, ExecuteTransaction. The statements themselves are run by
 * partiql; here are the members of requests and answers.
 */
#include "partiql/partiql.h"
#include "wire/wire_internal.h"

#include <stdio.h>
#include <string.h>

#define STATEMENT_SHOWN 1024
#define STATEMENT_BATCH_MAX 25u
#define STATEMENT_TRANSACTION_MAX 100u
#define STATEMENT_TOKEN_MAX 36u

/* ---- constraints ------------------------------------------------------------------------ */

static int statement_shown(st_slice text)
{
    size_t bytes = text.size < STATEMENT_SHOWN ? text.size : STATEMENT_SHOWN;
    size_t valid = bytes;
    return st_utf8_valid(st_slice_of(text.data, bytes), &valid) ? (int)bytes : (int)valid;
}

static void statement_check_text(wire_call *call, uint32_t object, const char *prefix)
{
    uint32_t node = st_wire__member(call, object, "Statement");
    if (node == 0) {
        st_wire__constraint(call,
                            "Value null at '%sstatement' failed to satisfy constraint: Member must "
                            "not be null",
                            prefix);
        return;
    }
    st_slice text = call->doc.nodes[node].text;
    size_t length = st_partiql_text_length(text);
    if (length < 1 || length > ST_PARTIQL_TEXT_MAX) {
        st_wire__constraint(call,
                            "Value '%.*s' at '%sstatement' failed to satisfy constraint: Member "
                            "must have length %s than or equal to %u",
                            statement_shown(text), text.size > 0 ? (const char *)text.data : "",
                            prefix, length < 1 ? "greater" : "less",
                            length < 1 ? 1u : ST_PARTIQL_TEXT_MAX);
    }
}

static void statement_check_parameters(wire_call *call, uint32_t object, const char *prefix)
{
    uint32_t node = st_wire__member(call, object, "Parameters");
    if (node != 0 && call->doc.nodes[node].count == 0) {
        st_wire__constraint(call,
                            "Value '[]' at '%sparameters' failed to satisfy constraint: Member "
                            "must have length greater than or equal to 1",
                            prefix);
    }
}

static void statement_check_limit(wire_call *call)
{
    int64_t limit;
    bool is_odd;
    if (st_wire__integer(call, 0, "Limit", &limit, &is_odd) && limit < 1) {
        st_wire__constraint(call,
                            "Value '%lld' at 'limit' failed to satisfy constraint: Member must "
                            "have value greater than or equal to 1",
                            (long long)limit);
    }
}

static void statement_check_list(wire_call *call, uint32_t list, const char *path, uint32_t most)
{
    uint32_t count = list ? call->doc.nodes[list].count : 0;
    if (list == 0) {
        st_wire__constraint(call,
                            "Value null at '%s' failed to satisfy constraint: Member must not be "
                            "null",
                            path);
    } else if (count == 0) {
        st_wire__constraint(call,
                            "Value '[]' at '%s' failed to satisfy constraint: Member must have "
                            "length greater than or equal to 1",
                            path);
    } else if (count > most) {
        st_wire__constraint(call,
                            "Value '%.*s' at '%s' failed to satisfy constraint: Member must have "
                            "length less than or equal to %u",
                            statement_shown(call->body), (const char *)call->body.data, path, most);
    }
}

static void statement_check_members(wire_call *call, uint32_t list, const char *path)
{
    static const char *const statement_failures[] = {"ALL_OLD", "NONE", NULL};
    char prefix[64], failure[112];
    uint32_t number = 0;
    for (uint32_t at = list + 1; list && at < call->doc.nodes[list].next;
         at = call->doc.nodes[at].next) {
        (void)snprintf(prefix, sizeof prefix, "%s.%u.member.", path, ++number);
        (void)snprintf(failure, sizeof failure, "%sreturnValuesOnConditionCheckFailure", prefix);
        st_wire__check_enum(call, at, "ReturnValuesOnConditionCheckFailure", failure,
                            "ALL_OLD, NONE", statement_failures);
        statement_check_text(call, at, prefix);
        statement_check_parameters(call, at, prefix);
    }
}

/* ---- calls ------------------------------------------------------------------------------ */

static st_status statement_parameters(wire_call *call, uint32_t list, st_partiql_call *out)
{
    uint32_t count = list ? call->doc.nodes[list].count : 0;
    st_slice *values = st_arena_alloc(&call->op->arena, (count + 1) * sizeof *values);
    if (!values) {
        return st_fail_memory(call->op, (count + 1) * sizeof *values);
    }
    for (uint32_t at = list + 1; list && at < call->doc.nodes[list].next;
         at = call->doc.nodes[at].next) {
        ST_TRY(st_wire__value(call, at, &values[out->parameter_count++]));
    }
    out->parameters = values;
    return ST_OK;
}

static st_status statement_read(wire_call *call, uint32_t object, st_partiql_call *out)
{
    st_status status;
    *out = (st_partiql_call){.statement = st_wire__member_text(call, object, "Statement"),
                             .wants_capacity = st_wire__capacity(call) != 0};
    (void)st_wire__flag(call, object, "ConsistentRead", &out->is_consistent, &status);
    ST_TRY(status);
    out->returns_on_failure =
        st_slice_equal(st_wire__member_text(call, object, "ReturnValuesOnConditionCheckFailure"),
                       st_slice_str("ALL_OLD"));
    return statement_parameters(call, st_wire__member(call, object, "Parameters"), out);
}

static st_status statement_read_all(wire_call *call, uint32_t list, st_partiql_call **out_calls)
{
    uint32_t count = 0;
    size_t bytes = call->doc.nodes[list].count * sizeof **out_calls;
    *out_calls = st_arena_alloc(&call->op->arena, bytes);
    if (!*out_calls) {
        return st_fail_memory(call->op, bytes);
    }
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next; at = call->doc.nodes[at].next) {
        ST_TRY(statement_read(call, at, &(*out_calls)[count++]));
    }
    return ST_OK;
}

static st_status statement_read_token(wire_call *call, st_partiql_call *statement)
{
    uint32_t node = st_wire__member(call, 0, "NextToken");
    st_buf token;
    if (node == 0) {
        return ST_OK;
    }
    st_buf_init(&token, call->op->alloc);
    bool is_token = st_base64_decode(call->doc.nodes[node].text, &token) && token.size > 0;
    st_status status = is_token ? st_wire__keep(call, &token, &statement->next_token)
                                : st_wire__refuse(call, "Invalid NextToken");
    st_buf_deinit(&token);
    return status;
}

/* ---- answers ---------------------------------------------------------------------------- */

static void statement_put_items(wire_call *call, st_slice items)
{
    st_reader reader = st_reader_of(items);
    uint32_t count = st_reader_u32(&reader);
    st_wire__put_text(call->out, "\"Items\":[");
    for (uint32_t i = 0; i < count; i++) {
        st_wire__put_text(call->out, i > 0 ? "," : "");
        st_wire__put_item(st_reader_slice(&reader, st_reader_u32(&reader)), true, call->out);
    }
    st_wire__put_text(call->out, "]");
}

static void statement_put_token(wire_call *call, st_slice token)
{
    st_wire__put_text(call->out, ",\"NextToken\":\"");
    st_base64_encode(token, call->out);
    st_wire__put_text(call->out, "\"");
}

static void statement_answer(wire_call *call, st_slice result)
{
    st_slice field = {0};
    bool is_first = false;
    st_wire__put_text(call->out, "{");
    (void)st_table_result_find(result, ST_RESULT_ITEMS, &field);
    statement_put_items(call, field);
    if (st_table_result_find(result, ST_RESULT_LAST_KEY, &field)) {
        statement_put_token(call, field);
    }
    if (st_table_result_find(result, ST_RESULT_LAST_KEY_ITEM, &field)) {
        st_wire__put_text(call->out, ",\"LastEvaluatedKey\":");
        st_wire__put_item(field, true, call->out);
    }
    if (st_table_result_find(result, ST_RESULT_CAPACITY, &field)) {
        st_wire__put_capacity(call, field, false, false, false, &is_first);
    }
    st_wire__put_text(call->out, "}");
}

st_status st_wire__execute_statement(wire_call *call)
{
    st_partiql_call statement;
    int64_t limit;
    bool is_odd;
    call->is_java = true;
    st_wire__check_on_failure(call, 0);
    statement_check_limit(call);
    statement_check_text(call, 0, "");
    st_wire__check_capacity(call);
    statement_check_parameters(call, 0, "");
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(statement_read(call, 0, &statement));
    if (st_wire__integer(call, 0, "Limit", &limit, &is_odd)) {
        statement.limit = (uint64_t)limit;
    }
    ST_TRY(statement_read_token(call, &statement));
    st_buf result;
    st_buf_init(&result, call->op->alloc);
    st_status status = st_partiql_execute(call->op, call->database, &statement, &result);
    if (status == ST_OK) {
        statement_answer(call, st_buf_view(&result));
    } else if (status == ST_CONDITION_FAILED || status == ST_DUPLICATE_ITEM) {
        call->error_item = call->op->error.detail;
        call->capital_message = call->error_item.size > 0;
    }
    st_buf_deinit(&result);
    return status;
}

/* ---- batches ---------------------------------------------------------------------------- */

static const char *statement_code(uint32_t status)
{
    switch (status) {
    case ST_CONDITION_FAILED:
        return "ConditionalCheckFailed";
    case ST_DUPLICATE_ITEM:
        return "DuplicateItem";
    case ST_TABLE_NOT_FOUND:
        return "ResourceNotFound";
    case ST_TRANSACTION_CONFLICT:
        return "TransactionConflict";
    case ST_INVALID_ARGUMENT:
        return "ValidationError";
    default:
        return "InternalServerError";
    }
}

static void statement_put_failure(wire_call *call, uint32_t status, st_slice text, st_slice item)
{
    st_wire__put_text(call->out, "\"Error\":{\"Code\":\"");
    st_wire__put_text(call->out, statement_code(status));
    st_wire__put_text(call->out, "\",\"Message\":");
    st_json_put_string(call->out, text);
    if (item.size > 0) {
        st_wire__put_text(call->out, ",\"Item\":");
        st_wire__put_item(item, true, call->out);
    }
    st_wire__put_text(call->out, "}");
}

static void statement_put_member(wire_call *call, st_reader *reader)
{
    bool is_first = true;
    uint32_t status = st_reader_u32(reader);
    st_slice table = st_reader_slice(reader, st_reader_varint(reader));
    st_slice text = st_reader_slice(reader, st_reader_varint(reader));
    st_slice item = st_reader_slice(reader, st_reader_u32(reader));
    st_wire__put_text(call->out, "{");
    if (status != ST_OK) {
        st_wire__put_comma(call, &is_first);
        statement_put_failure(call, status, text, item);
    }
    if (table.size > 0) {
        st_wire__put_comma(call, &is_first);
        st_wire__put_text(call->out, "\"TableName\":");
        st_json_put_string(call->out, table);
    }
    if (status == ST_OK && item.size > 0) {
        st_wire__put_comma(call, &is_first);
        st_wire__put_text(call->out, "\"Item\":");
        st_wire__put_item(item, true, call->out);
    }
    st_wire__put_text(call->out, "}");
}

static void statement_answer_batch(wire_call *call, st_slice result)
{
    st_slice field = {0};
    bool is_first = false;
    (void)st_table_result_find(result, ST_RESULT_MEMBERS, &field);
    st_reader reader = st_reader_of(field);
    uint32_t count = st_reader_u32(&reader);
    st_wire__put_text(call->out, "{\"Responses\":[");
    for (uint32_t i = 0; i < count && !reader.failed; i++) {
        st_wire__put_text(call->out, i > 0 ? "," : "");
        statement_put_member(call, &reader);
    }
    st_wire__put_text(call->out, "]");
    if (st_table_result_find(result, ST_RESULT_CAPACITY, &field)) {
        st_wire__put_capacity(call, field, true, false, false, &is_first);
    }
    st_wire__put_text(call->out, "}");
}

st_status st_wire__batch_statement(wire_call *call)
{
    st_partiql_call *statements;
    uint32_t list = st_wire__member(call, 0, "Statements");
    call->is_java = true;
    st_wire__check_capacity(call);
    statement_check_list(call, list, "statements", STATEMENT_BATCH_MAX);
    statement_check_members(call, list, "statements");
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(statement_read_all(call, list, &statements));
    st_buf result;
    st_buf_init(&result, call->op->alloc);
    st_status status = st_partiql_batch(call->op, call->database, statements,
                                        call->doc.nodes[list].count, &result);
    if (status == ST_OK) {
        statement_answer_batch(call, st_buf_view(&result));
    }
    st_buf_deinit(&result);
    return status;
}

/* ---- transactions ----------------------------------------------------------------------- */

static void statement_check_token(wire_call *call)
{
    st_slice token = st_wire__member_text(call, 0, "ClientRequestToken");
    if (token.size > STATEMENT_TOKEN_MAX) {
        st_wire__constraint(call,
                            "Value '%.*s' at 'clientRequestToken' failed to satisfy constraint: "
                            "Member must have length less than or equal to 36",
                            statement_shown(token), (const char *)token.data);
    }
}

static void statement_answer_transaction(wire_call *call, st_slice result)
{
    st_slice items = {0}, field;
    bool is_first = false;
    bool is_read = st_table_result_find(result, ST_RESULT_ITEMS, &items);
    bool is_replay = st_table_result_find(result, ST_RESULT_REPLAYED, &field);
    st_reader reader = st_reader_of(items);
    uint32_t count = is_read ? st_reader_u32(&reader) : 0;
    st_wire__put_text(call->out, "{\"Responses\":[");
    for (uint32_t i = 0; i < count; i++) {
        st_slice item = st_reader_slice(&reader, st_reader_u32(&reader));
        st_wire__put_text(call->out, i > 0 ? ",{" : "{");
        if (item.size > 0) {
            st_wire__put_text(call->out, "\"Item\":");
            st_wire__put_item(item, true, call->out);
        }
        st_wire__put_text(call->out, "}");
    }
    st_wire__put_text(call->out, "]");
    if (st_table_result_find(result, ST_RESULT_CAPACITY, &field)) {
        st_wire__put_capacity(call, field, true, true, is_read || is_replay, &is_first);
    }
    st_wire__put_text(call->out, "}");
}

st_status st_wire__execute_transaction(wire_call *call)
{
    st_partiql_call *statements;
    uint32_t list = st_wire__member(call, 0, "TransactStatements");
    call->is_java = true;
    statement_check_token(call);
    statement_check_list(call, list, "transactStatements", STATEMENT_TRANSACTION_MAX);
    statement_check_members(call, list, "transactStatements");
    st_wire__check_capacity(call);
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(statement_read_all(call, list, &statements));
    st_buf result;
    st_buf_init(&result, call->op->alloc);
    st_status status =
        st_partiql_transaction(call->op, call->database, statements, call->doc.nodes[list].count,
                               st_wire__member_text(call, 0, "ClientRequestToken"), &result);
    if (status == ST_OK) {
        statement_answer_transaction(call, st_buf_view(&result));
    } else if (status == ST_TRANSACTION_CANCELED) {
        call->error_reasons = call->op->error.detail;
    }
    st_buf_deinit(&result);
    return status;
}
