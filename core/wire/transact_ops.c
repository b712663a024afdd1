/* TransactWriteItems and TransactGetItems. */
#include "wire/wire_internal.h"

#include <stdio.h>
#include <string.h>

#define TRANSACT_ACTIONS_MAX 100u
#define TRANSACT_BYTES_MAX ((uint64_t)4 << 20)
#define TRANSACT_TOKEN_MAX 36u

static const char *const transact_kinds[] = {"ConditionCheck", "Put", "Delete", "Update", NULL};
static const char *const transact_paths[] = {"conditionCheck", "put", "delete", "update"};
static const char *const transact_condition[] = {"ConditionExpression", NULL};
static const char *const transact_update[] = {"UpdateExpression", "ConditionExpression", NULL};
static const char *const transact_projection[] = {"ProjectionExpression", NULL};

typedef struct transact_call {
    st_request request;
    uint32_t *nodes; /* of the actions, each inside its kind */
    uint8_t *kinds;
    wire_expressions *expressions;
    uint32_t count;
} transact_call;

/* ---- constraints ------------------------------------------------------------------------ */

static st_status transact_check_length(wire_call *call, uint32_t list)
{
    uint32_t count = list ? call->doc.nodes[list].count : 0;
    if (list == 0) {
        st_wire__constraint(call, "Value null at 'transactItems' failed to satisfy constraint: "
                                  "Member must not be null");
    } else if (count == 0 && call->is_new_layer) {
        st_wire__constraint(call, "Value at 'TransactItems' failed to satisfy constraint: Member "
                                  "must have length greater than or equal to 1");
    } else if (count == 0) {
        st_wire__constraint(call, "Value '[]' at 'transactItems' failed to satisfy constraint: "
                                  "Member must have length greater than or equal to 1");
    } else if (count > TRANSACT_ACTIONS_MAX) {
        st_wire__constraint(call,
                            "Value '[%.*s]' at 'transactItems' failed to satisfy constraint: "
                            "Member must have length less than or equal to 100",
                            (int)(call->body.size < 128 ? call->body.size : 128),
                            (const char *)call->body.data);
    }
    return st_wire__constraints_end(call);
}

static void transact_check_failures(wire_call *call, uint32_t list)
{
    static const char *const transact_failures[] = {"ALL_OLD", "NONE", NULL};
    char path[128];
    uint32_t number = 0;
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next; at = call->doc.nodes[at].next) {
        number++;
        for (int k = 0; transact_kinds[k]; k++) {
            uint32_t node = st_wire__member(call, at, transact_kinds[k]);
            (void)snprintf(path, sizeof path,
                           "transactItems.%u.member.%s.returnValuesOnConditionCheckFailure", number,
                           transact_paths[k]);
            if (node) {
                st_wire__check_enum(call, node, "ReturnValuesOnConditionCheckFailure", path,
                                    "ALL_OLD, NONE", transact_failures);
            }
        }
    }
}

static void transact_check_token(wire_call *call)
{
    st_slice token = st_wire__member_text(call, 0, "ClientRequestToken");
    if (token.size == 0 && st_wire__member(call, 0, "ClientRequestToken")) {
        st_wire__constraint(call, "Value '' at 'clientRequestToken' failed to satisfy constraint: "
                                  "Member must have length greater than or equal to 1");
    }
    if (token.size > TRANSACT_TOKEN_MAX) {
        st_wire__constraint(call,
                            "Value '%.*s' at 'clientRequestToken' failed to satisfy constraint: "
                            "Member must have length less than or equal to 36",
                            (int)(token.size < 256 ? token.size : 256), (const char *)token.data);
    }
}

static st_status transact_pick(wire_call *call, uint32_t list, transact_call *transact)
{
    uint32_t count = call->doc.nodes[list].count;
    transact->nodes = st_arena_alloc(&call->op->arena, count * sizeof *transact->nodes);
    transact->kinds = st_arena_alloc(&call->op->arena, count);
    transact->expressions = st_arena_alloc(&call->op->arena, count * sizeof *transact->expressions);
    transact->request.entries =
        st_arena_alloc(&call->op->arena, count * sizeof *transact->request.entries);
    if (!transact->nodes || !transact->kinds || !transact->expressions ||
        !transact->request.entries) {
        return st_fail_memory(call->op, count * sizeof *transact->expressions);
    }
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next; at = call->doc.nodes[at].next) {
        uint32_t found = 0;
        for (uint8_t k = 0; transact_kinds[k]; k++) {
            uint32_t node = st_wire__member(call, at, transact_kinds[k]);
            if (node) {
                transact->nodes[transact->count] = node;
                transact->kinds[transact->count] = k;
                found++;
            }
        }
        if (found == 0) {
            return st_wire__refuse(call, "Invalid Request: TransactWriteRequest should contain "
                                         "Delete or Put or Update request");
        }
        if (found > 1) {
            return st_wire__refuse(
                call, "TransactItems can only contain one of Check, Put, Update or Delete");
        }
        transact->count++;
    }
    return ST_OK;
}

static void transact_check_names(wire_call *call, const transact_call *transact, bool is_get)
{
    char path[128];
    for (uint32_t i = 0; i < transact->count; i++) {
        uint32_t node = st_wire__member(call, transact->nodes[i], "TableName");
        (void)snprintf(path, sizeof path, "transactItems.%u.member.%s.tableName", i + 1,
                       is_get ? "get" : transact_paths[transact->kinds[i]]);
        if (node) {
            bool was_new = call->is_new_layer;
            call->is_new_layer = true; /* short names are refused on either layer */
            st_wire__check_name(call, call->doc.nodes[node].text, path, false);
            call->is_new_layer = was_new;
        } else {
            st_wire__constraint(
                call, "Value null at '%s' failed to satisfy constraint: Member must not be null",
                path);
        }
    }
}

static uint32_t transact_map(const wire_call *call, const transact_call *transact, uint32_t i)
{
    bool is_put = transact->kinds && transact->kinds[i] == 1;
    return st_wire__member(call, transact->nodes[i], is_put ? "Item" : "Key");
}

static st_status transact_check_empty_names(wire_call *call, const transact_call *transact)
{
    for (uint32_t i = 0; i < transact->count; i++) {
        if (st_wire__has_empty_name(&call->doc, transact_map(call, transact, i), true)) {
            return st_wire__refuse(call, "Empty attribute name");
        }
    }
    return ST_OK;
}

/* ---- actions ---------------------------------------------------------------------------- */

static st_status transact_check_value(wire_call *call, st_slice relaxed)
{
    st_buf frame;
    st_buf_init(&frame, call->op->alloc);
    st_status status = st_item_canonicalize_any(call->op, relaxed, &frame);
    st_buf_deinit(&frame);
    return status;
}

static st_status transact_check_item(wire_call *call, st_slice relaxed)
{
    st_buf frame;
    st_buf_init(&frame, call->op->alloc);
    st_status status = st_item_canonicalize(call->op, relaxed, &frame);
    st_buf_deinit(&frame);
    return status;
}

static st_status transact_read_update(wire_call *call, uint32_t node, wire_expressions *out)
{
    ST_TRY(st_wire__parse_update(call, node, out));
    ST_TRY(st_wire__parse_condition(call, node, "ConditionExpression", ST_EXPR_CONDITION, out,
                                    &out->condition));
    if (out->update) {
        ST_TRY(st_update_check(call->op, out->update));
        ST_TRY(st_update_resolve(call->op, out->update, &out->scope));
    }
    return ST_OK;
}

static st_status transact_read_action(wire_call *call, transact_call *transact, uint32_t i)
{
    uint32_t node = transact->nodes[i];
    uint8_t kind = transact->kinds[i];
    wire_expressions *expressions = &transact->expressions[i];
    st_request *request = &transact->request.entries[i];
    static const uint8_t transact_operations[] = {ST_REQUEST_CHECK, ST_REQUEST_PUT,
                                                  ST_REQUEST_DELETE, ST_REQUEST_UPDATE};
    *expressions = (wire_expressions){.condition = NULL};
    *request = (st_request){.operation = transact_operations[kind],
                            .name = st_wire__table_name(call, node),
                            .has_item = kind == 1,
                            .has_key = kind != 1};
    uint32_t map = transact_map(call, transact, i);
    if (map == 0) {
        return st_wire__refuse(call, "The provided key element does not match the schema");
    }
    ST_TRY(st_wire__map(call, map, kind == 1 ? &request->item : &request->key));
    ST_TRY(transact_check_value(call, kind == 1 ? request->item : request->key));
    st_slice condition = st_wire__member_text(call, node, "ConditionExpression");
    if (condition.size > ST_EXPR_BYTES_MAX) {
        ST_TRY(st_wire__parse_condition(call, node, "ConditionExpression", ST_EXPR_CONDITION,
                                        expressions, &expressions->condition));
    }
    if (kind == 1) {
        ST_TRY(transact_check_item(call, request->item));
    }
    if (kind == 1 && st_wire__member(call, node, "ConditionExpression") == 0) {
        return ST_OK; /* values without a condition are let pass */
    }
    ST_TRY(
        st_wire__scope(call, node, kind == 3 ? transact_update : transact_condition, expressions));
    if (kind == 3) {
        ST_TRY(transact_read_update(call, node, expressions));
    } else {
        ST_TRY(st_wire__parse_condition(call, node, "ConditionExpression", ST_EXPR_CONDITION,
                                        expressions, &expressions->condition));
    }
    if (expressions->condition) {
        ST_TRY(st_condition_check(call->op, expressions->condition));
        ST_TRY(st_condition_resolve(call->op, expressions->condition, &expressions->scope));
    }
    ST_TRY(st_expr_check_unused(call->op, &expressions->scope));
    request->condition = expressions->condition;
    request->update = expressions->update;
    if (st_slice_equal(st_wire__member_text(call, node, "ReturnValuesOnConditionCheckFailure"),
                       st_slice_str("ALL_OLD"))) {
        request->flags |= ST_FLAG_RETURN_ON_FAILURE;
    }
    return kind == 0 && !request->condition
               ? st_wire__refuse(call, "The expression can not be empty;")
               : ST_OK;
}

/* The digest of a token's transaction: everything but what it is to be told. */
static void transact_digest(wire_call *call, uint32_t list, transact_call *transact)
{
    for (uint32_t at = list; at < call->doc.nodes[list].next; at++) {
        const st_json_node *node = &call->doc.nodes[at];
        uint8_t head[2] = {(uint8_t)node->kind, (uint8_t)node->count};
        for (int i = 0; i < 2; i++) {
            uint64_t seed = transact->request.token_digest[i] + (uint64_t)i + 1;
            seed = st_hash64(st_slice_of(head, sizeof head), seed);
            transact->request.token_digest[i] = st_hash64(node->text, seed);
        }
    }
}

static st_status transact_check_size(wire_call *call, const transact_call *transact)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < transact->count; i++) {
        const st_request *request = &transact->request.entries[i];
        st_buf frame;
        st_value value;
        st_buf_init(&frame, call->op->alloc);
        st_slice relaxed = request->has_item ? request->item : request->key;
        if (st_value_canonicalize(call->op, relaxed, &frame) == ST_OK &&
            st_value_of(st_buf_view(&frame), &value)) {
            bytes += st_value_size(&value);
        }
        st_buf_deinit(&frame);
    }
    return bytes <= TRANSACT_BYTES_MAX
               ? ST_OK
               : st_wire__refuse(call, "Member must have length less than or equal to 4194304");
}

/* ---- TransactWriteItems ----------------------------------------------------------------- */

static st_status transact_write_validate(wire_call *call, uint32_t list, transact_call *transact)
{
    ST_TRY(transact_check_length(call, list));
    transact_check_failures(call, list);
    transact_check_token(call);
    st_wire__check_capacity(call);
    st_wire__check_metrics(call);
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(transact_pick(call, list, transact));
    transact_check_names(call, transact, false);
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(transact_check_empty_names(call, transact));
    for (uint32_t i = 0; i < transact->count; i++) {
        ST_TRY(transact_read_action(call, transact, i));
    }
    for (uint32_t i = 0; i < transact->count; i++) {
        st_table_info info;
        ST_TRY(st_wire__describe(call, transact->request.entries[i].name, &info));
    }
    return transact_check_size(call, transact);
}

static void transact_put_metrics(wire_call *call, const transact_call *transact, bool *is_first)
{
    st_buf *out = call->out, all;
    bool is_first_table = true;
    st_buf_init(&all, call->op->alloc);
    for (uint32_t i = 0; i < transact->count; i++) {
        const st_request *entry = &transact->request.entries[i];
        st_table_info info;
        bool alone = true;
        st_buf one;
        if (entry->operation == ST_REQUEST_CHECK ||
            st_wire__describe(call, entry->name, &info) != ST_OK) {
            continue;
        }
        st_buf_init(&one, call->op->alloc);
        call->out = &one;
        st_wire__put_metrics(call, &info, entry->has_item ? entry->item : entry->key, &alone);
        call->out = &all;
        if (one.size > 24) {
            st_wire__put_comma(call, &is_first_table);
            st_json_put_string(&all, info.name);
            st_wire__put_text(&all, ":[");
            st_buf_append(&all, one.data + 24, one.size - 24); /* behind its name */
            st_wire__put_text(&all, "]");
        }
        call->out = out;
        st_buf_deinit(&one);
    }
    if (all.size > 0) {
        st_wire__put_comma(call, is_first);
        st_wire__put_text(out, "\"ItemCollectionMetrics\":{");
        st_buf_append(out, all.data, all.size);
        st_wire__put_text(out, "}");
    }
    st_buf_deinit(&all);
}

static st_status transact_run(wire_call *call, transact_call *transact)
{
    st_buf result;
    st_slice field;
    bool is_first = true;
    st_buf_init(&result, call->op->alloc);
    st_status status = st_table_run(call->op, call->database, &transact->request, &result);
    if (status == ST_TRANSACTION_CANCELED) {
        call->error_reasons = call->op->error.detail;
    }
    if (status == ST_OK) {
        bool is_replay = st_table_result_find(st_buf_view(&result), ST_RESULT_REPLAYED, &field);
        st_wire__put_text(call->out, "{");
        if (st_table_result_find(st_buf_view(&result), ST_RESULT_CAPACITY, &field)) {
            st_wire__put_capacity(call, field, true, true, is_replay, &is_first);
        }
        if (st_slice_equal(st_wire__member_text(call, 0, "ReturnItemCollectionMetrics"),
                           st_slice_str("SIZE"))) {
            transact_put_metrics(call, transact, &is_first);
        }
        st_wire__put_text(call->out, "}");
    }
    st_buf_deinit(&result);
    return status;
}

st_status st_wire__transact_write(wire_call *call)
{
    transact_call transact = {.request = {.operation = ST_REQUEST_TRANSACT_WRITE}};
    uint32_t list = st_wire__member(call, 0, "TransactItems");
    ST_TRY(transact_write_validate(call, list, &transact));
    transact.request.entry_count = transact.count;
    transact.request.wants_capacity = st_wire__capacity(call) != 0;
    transact.request.token = st_wire__member_text(call, 0, "ClientRequestToken");
    transact.request.has_token = transact.request.token.size > 0;
    transact_digest(call, list, &transact);
    return transact_run(call, &transact);
}

/* ---- TransactGetItems ------------------------------------------------------------------- */

static st_status transact_get_pick(wire_call *call, uint32_t list, transact_call *transact)
{
    uint32_t count = call->doc.nodes[list].count, number = 0;
    transact->nodes = st_arena_alloc(&call->op->arena, count * sizeof *transact->nodes);
    transact->expressions = st_arena_alloc(&call->op->arena, count * sizeof *transact->expressions);
    transact->request.entries =
        st_arena_alloc(&call->op->arena, count * sizeof *transact->request.entries);
    if (!transact->nodes || !transact->expressions || !transact->request.entries) {
        return st_fail_memory(call->op, count * sizeof *transact->expressions);
    }
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next; at = call->doc.nodes[at].next) {
        uint32_t node = st_wire__member(call, at, "Get");
        number++;
        if (node == 0) {
            st_wire__constraint(call,
                                "Value null at 'transactItems.%u.member.get' failed to satisfy "
                                "constraint: Member must not be null",
                                number);
        } else {
            transact->nodes[transact->count++] = node;
        }
    }
    if (call->constraint_count > 0) {
        st_wire__check_capacity(call);
    }
    return st_wire__constraints_end(call);
}

static st_status transact_read_get(wire_call *call, transact_call *transact, uint32_t i)
{
    wire_expressions *expressions = &transact->expressions[i];
    st_request *request = &transact->request.entries[i];
    *expressions = (wire_expressions){.condition = NULL};
    *request = (st_request){.operation = ST_REQUEST_GET,
                            .name = st_wire__table_name(call, transact->nodes[i]),
                            .has_key = true};
    uint32_t map = transact_map(call, transact, i);
    if (map == 0) {
        return st_wire__refuse(call, "The provided key element does not match the schema");
    }
    ST_TRY(st_wire__map(call, map, &request->key));
    return transact_check_value(call, request->key);
}

/* A key of another shape cancels; every other key is fine then. */
static st_status transact_check_get_keys(wire_call *call, transact_call *transact)
{
    st_buf detail, key;
    bool has_any = false;
    st_buf_init(&detail, call->op->alloc);
    st_buf_u32(&detail, transact->count);
    st_buf names;
    st_buf_init(&names, call->op->alloc);
    for (uint32_t i = 0; i < transact->count; i++) {
        const st_request *request = &transact->request.entries[i];
        st_table_info info;
        st_buf_init(&key, call->op->alloc);
        st_status status = st_wire__describe(call, request->name, &info);
        bool is_missing = status != ST_OK;
        if (status == ST_OK) {
            status =
                st_key_of_request(call->op, info.id, &info.definition.schema, request->key, &key);
        }
        st_buf_deinit(&key);
        if (is_missing) {
            st_buf_deinit(&detail);
            st_buf_deinit(&names);
            return status;
        }
        st_slice message = status == ST_OK ? (st_slice){0} : st_op_message(call->op);
        st_buf_byte(&detail, status == ST_OK ? ST_REASON_NONE : ST_REASON_VALIDATION);
        st_buf_u32(&detail, (uint32_t)message.size);
        st_buf_slice(&detail, message);
        st_buf_u32(&detail, 0);
        st_wire__put_text(&names, i > 0 ? ", " : "");
        st_wire__put_text(&names, status == ST_OK ? "None" : "ValidationError");
        if (status != ST_OK) {
            has_any = true;
            st_op_clear(call->op);
        }
    }
    st_status status = ST_OK;
    if (has_any) {
        status = st_wire__keep(call, &detail, &call->error_reasons);
        if (status == ST_OK) {
            status = st_fail(call->op, ST_TRANSACTION_CANCELED,
                             "Transaction cancelled, please refer cancellation reasons for "
                             "specific reasons [%.*s]",
                             (int)names.size, (const char *)names.data);
        }
    }
    st_buf_deinit(&detail);
    st_buf_deinit(&names);
    return status;
}

static st_status transact_check_get_duplicates(wire_call *call, const transact_call *transact)
{
    for (uint32_t i = 1; i < transact->count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            const st_request *a = &transact->request.entries[i], *b = &transact->request.entries[k];
            st_buf first, second;
            st_buf_init(&first, call->op->alloc);
            st_buf_init(&second, call->op->alloc);
            bool is_same = st_slice_equal(a->name, b->name) &&
                           st_item_canonicalize(call->op, a->key, &first) == ST_OK &&
                           st_item_canonicalize(call->op, b->key, &second) == ST_OK &&
                           st_slice_equal(st_buf_view(&first), st_buf_view(&second));
            st_buf_deinit(&first);
            st_buf_deinit(&second);
            if (is_same) {
                return st_wire__refuse(
                    call, "Transaction request cannot include multiple operations on one item");
            }
        }
    }
    return ST_OK;
}

static st_status transact_get_validate(wire_call *call, uint32_t list, transact_call *transact)
{
    if (list && call->doc.nodes[list].count <= TRANSACT_ACTIONS_MAX) {
        ST_TRY(transact_get_pick(call, list, transact));
    }
    ST_TRY(transact_check_length(call, list));
    st_wire__check_capacity(call);
    ST_TRY(st_wire__constraints_end(call));
    transact_check_names(call, transact, true);
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(transact_check_empty_names(call, transact));
    for (uint32_t i = 0; i < transact->count; i++) {
        ST_TRY(transact_read_get(call, transact, i));
    }
    for (uint32_t i = 0; i < transact->count; i++) {
        wire_expressions *expressions = &transact->expressions[i];
        ST_TRY(st_wire__scope(call, transact->nodes[i], transact_projection, expressions));
        ST_TRY(st_wire__parse_projection(call, transact->nodes[i], expressions));
        ST_TRY(st_expr_check_unused(call->op, &expressions->scope));
        transact->request.entries[i].projection = expressions->projection;
    }
    ST_TRY(transact_check_get_keys(call, transact));
    return transact_check_get_duplicates(call, transact);
}

st_status st_wire__transact_get(wire_call *call)
{
    transact_call transact = {.request = {.operation = ST_REQUEST_TRANSACT_GET}};
    uint32_t list = st_wire__member(call, 0, "TransactItems");
    st_slice items, charges;
    bool is_first = false;
    ST_TRY(transact_get_validate(call, list, &transact));
    transact.request.entry_count = transact.count;
    transact.request.wants_capacity = st_wire__capacity(call) != 0;
    st_buf result;
    st_buf_init(&result, call->op->alloc);
    st_status status = st_table_run(call->op, call->database, &transact.request, &result);
    if (status == ST_OK && st_table_result_find(st_buf_view(&result), ST_RESULT_ITEMS, &items)) {
        st_reader reader = st_reader_of(items);
        uint32_t count = st_reader_u32(&reader);
        st_wire__put_text(call->out, "{\"Responses\":[");
        for (uint32_t i = 0; i < count; i++) {
            st_slice item = st_reader_slice(&reader, st_reader_u32(&reader));
            st_wire__put_text(call->out, i > 0 ? ",{" : "{");
            if (item.size > 0 && st_item_count(item) > 0) {
                st_wire__put_text(call->out, "\"Item\":");
                st_wire__put_item(item, true, call->out);
            }
            st_wire__put_text(call->out, "}");
        }
        st_wire__put_text(call->out, "]");
        if (st_table_result_find(st_buf_view(&result), ST_RESULT_CAPACITY, &charges)) {
            st_wire__put_capacity(call, charges, true, true, true, &is_first);
        }
        st_wire__put_text(call->out, "}");
    }
    st_buf_deinit(&result);
    return status;
}
