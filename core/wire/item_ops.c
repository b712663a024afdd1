/* PutItem, UpdateItem, DeleteItem, GetItem: their checks in the service's order, then one request
 * to the table.
 */
#include "wire/wire_internal.h"

#include <string.h>

static const char *const item_expected[] = {"Expected", NULL};
static const char *const item_plain[] = {"Expected", "ConditionalOperator", NULL};
static const char *const item_condition[] = {"ConditionExpression", NULL};
static const char *const item_update_plain[] = {"AttributeUpdates", "Expected",
                                                "ConditionalOperator", NULL};
static const char *const item_update[] = {"UpdateExpression", "ConditionExpression", NULL};
static const char *const item_get_plain[] = {"AttributesToGet", NULL};
static const char *const item_projection[] = {"ProjectionExpression", NULL};

/* What a write is made of. */
typedef struct item_call {
    st_request request;
    wire_expressions expressions;
    st_condition *expected;
    st_table_info info;
    size_t bytes; /* of the item or key, by DynamoDB's measure */
} item_call;

/* ---- constraints ------------------------------------------------------------------------ */

static const char *const item_returns[] = {"NONE",    "ALL_OLD",     "UPDATED_OLD",
                                           "ALL_NEW", "UPDATED_NEW", NULL};

static bool item_returns_is_known(const wire_call *call, uint8_t *out_returns)
{
    uint32_t node = st_wire__member(call, 0, "ReturnValues");
    *out_returns = ST_RETURNS_NONE;
    for (uint8_t i = 0; node && item_returns[i]; i++) {
        if (st_slice_equal(call->doc.nodes[node].text, st_slice_str(item_returns[i]))) {
            *out_returns = i;
            return true;
        }
    }
    return node == 0;
}

static void item_check_returns(wire_call *call)
{
    uint8_t returns;
    if (item_returns_is_known(call, &returns)) {
        return;
    }
    st_slice value = st_wire__member_text(call, 0, "ReturnValues");
    if (call->is_new_layer) {
        st_wire__constraint(call, "Failed to satisfy constraint: Member must satisfy enum value "
                                  "set: [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]");
    } else {
        st_wire__constraint(call,
                            "Value '%.*s' at 'returnValues' failed to satisfy constraint: Member "
                            "must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, "
                            "UPDATED_NEW]",
                            (int)value.size, value.size ? (const char *)value.data : "");
    }
}

static st_status item_check_returns_use(wire_call *call, item_call *item)
{
    (void)item_returns_is_known(call, &item->request.returns);
    return item->request.returns <= ST_RETURNS_ALL_OLD
               ? ST_OK
               : st_wire__refuse(call, "ReturnValues can only be ALL_OLD or NONE");
}

static void item_check_null(wire_call *call, const char *member, const char *path)
{
    if (st_wire__member(call, 0, member) == 0) {
        st_wire__constraint(
            call, "Value null at '%s' failed to satisfy constraint: Member must not be null", path);
    }
}

/* ---- shared steps ----------------------------------------------------------------------- */

static st_status item_empty_names(wire_call *call)
{
    static const char *const item_maps[] = {"Item", "Key", "Expected", "AttributeUpdates", NULL};
    for (int i = 0; item_maps[i]; i++) {
        uint32_t node = st_wire__member(call, 0, item_maps[i]);
        if (node == 0) {
            continue;
        }
        bool is_empty = i < 2 && st_wire__has_empty_name(&call->doc, node, true);
        for (uint32_t at = node + 1; i >= 2 && at < call->doc.nodes[node].next;
             at = call->doc.nodes[at + 1].next) {
            is_empty |= call->doc.nodes[at].text.size == 0;
        }
        if (is_empty) {
            return st_wire__refuse(call, "Empty attribute name");
        }
    }
    uint32_t list = st_wire__member(call, 0, "AttributesToGet");
    for (uint32_t at = list + 1; list && at < call->doc.nodes[list].next;
         at = call->doc.nodes[at].next) {
        if (call->doc.nodes[at].text.size == 0) {
            return st_wire__refuse(call, "Empty attribute name");
        }
    }
    return ST_OK;
}

/* The relaxed map of a member, checked as a value without its table; and its size. */
static st_status item_map(wire_call *call, const char *member, st_slice *out_relaxed,
                          size_t *out_bytes)
{
    st_buf frame;
    uint32_t node = st_wire__member(call, 0, member);
    bool is_key = strcmp(member, "Key") == 0;
    if (is_key && st_wire__depth(&call->doc, node, true) > ST_ITEM_NESTING_MAX) {
        return st_wire__refuse(call, WIRE_NESTED);
    }
    st_status status = st_wire__map(call, node, out_relaxed);
    st_buf_init(&frame, call->op->alloc);
    if (status == ST_OK) {
        status = st_item_canonicalize_any(call->op, *out_relaxed, &frame);
    }
    *out_bytes = status == ST_OK ? st_item_size(st_buf_view(&frame)) : 0;
    st_buf_deinit(&frame);
    status = is_key ? status : st_wire__tell_first(call, node, status);
    if (is_key && status == ST_INVALID_ARGUMENT && st_wire__is_empty_set(st_op_message(call->op))) {
        call->is_bare = true;
    }
    return status;
}

static st_status item_find_table(wire_call *call, item_call *item)
{
    item->request.name = st_wire__table_name(call, 0);
    item->request.has_name = true;
    call->is_bare = true; /* what is refused from here on is never in the envelope */
    ST_TRY(st_wire__describe(call, item->request.name, &item->info));
    item->request.table_id = item->info.id;
    return ST_OK;
}

static void item_set_flags(wire_call *call, item_call *item)
{
    if (st_slice_equal(st_wire__member_text(call, 0, "ReturnValuesOnConditionCheckFailure"),
                       st_slice_str("ALL_OLD"))) {
        item->request.flags |= ST_FLAG_RETURN_ON_FAILURE;
    }
    item->request.wants_capacity = st_wire__capacity(call) != 0;
}

static st_status item_run(wire_call *call, item_call *item, st_buf *result)
{
    st_status status = st_table_run(call->op, call->database, &item->request, result);
    if (status == ST_CONDITION_FAILED) {
        call->error_item = call->op->error.detail;
    }
    return status;
}

static st_status item_answer(wire_call *call, item_call *item, st_slice result, st_slice key)
{
    st_slice field;
    bool is_first = true;
    uint8_t number =
        item->request.returns >= ST_RETURNS_ALL_NEW ? ST_RESULT_NEW_ITEM : ST_RESULT_OLD_ITEM;
    st_wire__put_text(call->out, "{");
    if (item->request.returns != ST_RETURNS_NONE && st_table_result_find(result, number, &field)) {
        is_first = false;
        st_wire__put_text(call->out, "\"Attributes\":");
        st_wire__put_item(field, false, call->out);
    }
    if (st_table_result_find(result, ST_RESULT_CAPACITY, &field)) {
        st_wire__put_capacity(call, field, false, false, false, &is_first);
    }
    if (st_slice_equal(st_wire__member_text(call, 0, "ReturnItemCollectionMetrics"),
                       st_slice_str("SIZE"))) {
        st_wire__put_metrics(call, &item->info, key, &is_first);
    }
    st_wire__put_text(call->out, "}");
    return ST_OK;
}

static st_status item_finish(wire_call *call, item_call *item, st_slice key)
{
    st_buf result;
    st_buf_init(&result, call->op->alloc);
    st_status status = item_run(call, item, &result);
    if (status == ST_OK) {
        status = item_answer(call, item, st_buf_view(&result), key);
    }
    st_buf_deinit(&result);
    return status;
}

/* Condition and unused placeholders of a put or delete. */
static st_status item_resolve_condition(wire_call *call, item_call *item)
{
    if (item->expressions.condition) {
        ST_TRY(
            st_condition_resolve(call->op, item->expressions.condition, &item->expressions.scope));
    }
    return st_expr_check_unused(call->op, &item->expressions.scope);
}

static st_status item_parse_condition(wire_call *call, item_call *item)
{
    ST_TRY(st_wire__parse_condition(call, 0, "ConditionExpression", ST_EXPR_CONDITION,
                                    &item->expressions, &item->expressions.condition));
    return item->expressions.condition ? st_condition_check(call->op, item->expressions.condition)
                                       : ST_OK;
}

static void item_choose_condition(item_call *item)
{
    item->request.condition =
        item->expressions.condition ? item->expressions.condition : item->expected;
}

/* ---- PutItem ---------------------------------------------------------------------------- */

st_status st_wire__put_item_run(wire_call *call)
{
    item_call item = {.request = {.operation = ST_REQUEST_PUT, .has_item = true}};
    ST_TRY(st_wire__check_empty_table(call));
    st_wire__check_table(call, 0);
    item_check_null(call, "Item", "item");
    st_wire__check_capacity(call);
    item_check_returns(call);
    st_wire__check_metrics(call);
    st_wire__check_on_failure(call, 0);
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(item_empty_names(call));
    ST_TRY(item_map(call, "Item", &item.request.item, &item.bytes));
    ST_TRY(st_wire__check_mixing(call, 0, item_plain, item_condition));
    ST_TRY(st_wire__scope(call, 0, item_condition, &item.expressions));
    ST_TRY(st_wire__check_operator(call, 0, item_expected));
    ST_TRY(item_parse_condition(call, &item));
    ST_TRY(item_check_returns_use(call, &item));
    ST_TRY(st_wire__expected(call, 0, &item.expected));
    if (item.bytes > ST_ITEM_BYTES_MAX) {
        return st_wire__refuse_bare(call, "Item size has exceeded the maximum allowed size");
    }
    ST_TRY(item_resolve_condition(call, &item));
    ST_TRY(item_find_table(call, &item));
    item_choose_condition(&item);
    item_set_flags(call, &item);
    return item_finish(call, &item, item.request.item);
}

/* ---- DeleteItem ------------------------------------------------------------------------- */

st_status st_wire__delete_item(wire_call *call)
{
    item_call item = {.request = {.operation = ST_REQUEST_DELETE, .has_key = true}};
    ST_TRY(st_wire__check_empty_table(call));
    st_wire__check_table(call, 0);
    item_check_null(call, "Key", "key");
    st_wire__check_capacity(call);
    item_check_returns(call);
    st_wire__check_metrics(call);
    st_wire__check_on_failure(call, 0);
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(item_check_returns_use(call, &item));
    ST_TRY(item_empty_names(call));
    ST_TRY(st_wire__check_mixing(call, 0, item_plain, item_condition));
    ST_TRY(st_wire__scope(call, 0, item_condition, &item.expressions));
    ST_TRY(st_wire__check_operator(call, 0, item_expected));
    ST_TRY(item_map(call, "Key", &item.request.key, &item.bytes));
    ST_TRY(item_parse_condition(call, &item));
    ST_TRY(item_resolve_condition(call, &item));
    ST_TRY(st_wire__expected(call, 0, &item.expected));
    ST_TRY(item_find_table(call, &item));
    item_choose_condition(&item);
    item_set_flags(call, &item);
    return item_finish(call, &item, item.request.key);
}

/* ---- UpdateItem ------------------------------------------------------------------------- */

/* Only the first of the bad enums is told. */
static st_status item_update_enums(wire_call *call)
{
    item_check_returns(call);
    ST_TRY(st_wire__constraints_end(call));
    st_wire__check_on_failure(call, 0);
    if (call->constraint_count > 0) {
        return st_wire__refuse_bare(call, "%.*s", (int)call->constraints.size,
                                    (const char *)call->constraints.data);
    }
    st_wire__check_metrics(call);
    ST_TRY(st_wire__constraints_end(call));
    st_wire__check_capacity(call);
    if (call->constraint_count > 0) {
        return st_wire__refuse_bare(call, "%.*s", (int)call->constraints.size,
                                    (const char *)call->constraints.data);
    }
    return ST_OK;
}

static st_status item_update_constraints(wire_call *call)
{
    ST_TRY(st_wire__check_empty_table(call));
    if (st_wire__member(call, 0, "Key") == 0) {
        call->is_new_layer = false;
        st_wire__check_capacity(call);
        st_wire__check_table(call, 0);
        item_check_returns(call);
        st_wire__check_on_failure(call, 0);
        st_wire__check_metrics(call);
        item_check_null(call, "Key", "key");
        return st_wire__constraints_end(call);
    }
    if (st_wire__member(call, 0, "TableName") == 0) {
        call->is_new_layer = false;
        st_wire__check_table(call, 0);
        item_check_returns(call);
        return st_wire__constraints_end(call);
    }
    st_wire__check_table(call, 0);
    if (!call->is_new_layer) {
        st_wire__check_capacity(call);
        item_check_returns(call);
        st_wire__check_metrics(call);
        st_wire__check_on_failure(call, 0);
        return st_wire__constraints_end(call);
    }
    ST_TRY(st_wire__constraints_end(call));
    return item_update_enums(call);
}

/* Text of the ConditionExpression, looked at before the update's when it is empty. */
static st_status item_update_expressions(wire_call *call, item_call *item)
{
    uint32_t condition = st_wire__member(call, 0, "ConditionExpression");
    wire_expressions *expressions = &item->expressions;
    if (condition && call->doc.nodes[condition].text.size == 0) {
        ST_TRY(item_parse_condition(call, item));
    }
    ST_TRY(st_wire__parse_update(call, 0, expressions));
    if (expressions->update) {
        ST_TRY(st_update_resolve(call->op, expressions->update, &expressions->scope));
        ST_TRY(st_update_check(call->op, expressions->update));
    }
    ST_TRY(st_wire__parse_condition(call, 0, "ConditionExpression", ST_EXPR_CONDITION, expressions,
                                    &expressions->condition));
    if (expressions->condition) {
        ST_TRY(st_condition_resolve(call->op, expressions->condition, &expressions->scope));
    }
    ST_TRY(st_expr_check_unused(call->op, &expressions->scope));
    return expressions->condition ? st_condition_check(call->op, expressions->condition) : ST_OK;
}

/* The values in AttributeUpdates and Expected, each below a member of an entry. */
static bool item_visit_values(wire_call *call, const char *member,
                              bool (*judge)(const st_json_doc *doc, uint32_t node))
{
    static const char *const item_value_members[] = {"Value", "AttributeValueList", NULL};
    uint32_t map = st_wire__member(call, 0, member);
    for (uint32_t at = map + 1; map && at < call->doc.nodes[map].next;
         at = call->doc.nodes[at + 1].next) {
        for (int i = 0; item_value_members[i]; i++) {
            uint32_t value = st_wire__member(call, at + 1, item_value_members[i]);
            if (value == 0) {
                continue;
            }
            uint32_t end = call->doc.nodes[value].next;
            for (uint32_t v = i == 0 ? value : value + 1; v < end; v = call->doc.nodes[v].next) {
                if (judge(&call->doc, v)) {
                    return true;
                }
            }
        }
    }
    return false;
}

static bool item_is_too_deep(const st_json_doc *doc, uint32_t node)
{
    return st_wire__depth(doc, node, false) > ST_ITEM_NESTING_MAX;
}

static bool item_has_false_null(wire_call *call)
{
    return item_visit_values(call, "AttributeUpdates", st_wire__has_false_null) ||
           item_visit_values(call, "Expected", st_wire__has_false_null);
}

static st_status item_check_depths(wire_call *call)
{
    bool is_deep =
        st_wire__depth(&call->doc, st_wire__member(call, 0, "Key"), true) > ST_ITEM_NESTING_MAX ||
        item_visit_values(call, "AttributeUpdates", item_is_too_deep) ||
        item_visit_values(call, "Expected", item_is_too_deep);
    return is_deep ? st_wire__refuse(call, WIRE_NESTED) : ST_OK;
}

st_status st_wire__update_item(wire_call *call)
{
    item_call item = {.request = {.operation = ST_REQUEST_UPDATE, .has_key = true}};
    st_update *legacy = NULL;
    ST_TRY(item_update_constraints(call));
    (void)item_returns_is_known(call, &item.request.returns);
    ST_TRY(item_empty_names(call));
    if (item_has_false_null(call)) {
        return st_wire__refuse(call, "One or more parameter values were invalid: Null attribute "
                                     "value types must have the value of true");
    }
    ST_TRY(st_wire__check_mixing(call, 0, item_update_plain, item_update));
    ST_TRY(st_wire__scope(call, 0, item_update, &item.expressions));
    ST_TRY(st_wire__check_operator(call, 0, item_expected));
    ST_TRY(item_check_depths(call));
    ST_TRY(item_map(call, "Key", &item.request.key, &item.bytes));
    ST_TRY(st_wire__attribute_updates(call, 0, &legacy));
    ST_TRY(st_wire__expected(call, 0, &item.expected));
    ST_TRY(item_update_expressions(call, &item));
    ST_TRY(item_find_table(call, &item));
    item.request.update = item.expressions.update ? item.expressions.update : legacy;
    item_choose_condition(&item);
    item_set_flags(call, &item);
    if (item.expressions.update) {
        st_buf key;
        st_buf_init(&key, call->op->alloc);
        st_status status = st_key_of_request(call->op, item.info.id, &item.info.definition.schema,
                                             item.request.key, &key);
        st_buf_deinit(&key);
        ST_TRY(status);
        if (st_update_charge(item.expressions.update) > ST_ITEM_BYTES_MAX) {
            return st_wire__refuse_bare(
                call, "Item size to update has exceeded the maximum allowed size");
        }
    }
    return item_finish(call, &item, item.request.key);
}

/* ---- GetItem ---------------------------------------------------------------------------- */

static st_status item_get_answer(wire_call *call, st_slice result)
{
    st_slice field;
    bool is_first = true;
    st_wire__put_text(call->out, "{");
    if (st_table_result_find(result, ST_RESULT_ITEM, &field)) {
        is_first = false;
        st_wire__put_text(call->out, "\"Item\":");
        st_wire__put_item(field, false, call->out);
    }
    if (st_table_result_find(result, ST_RESULT_CAPACITY, &field)) {
        st_wire__put_capacity(call, field, false, false, true, &is_first);
    }
    st_wire__put_text(call->out, "}");
    return ST_OK;
}

st_status st_wire__get_item(wire_call *call)
{
    item_call item = {.request = {.operation = ST_REQUEST_GET, .has_key = true}};
    bool is_consistent;
    st_status status;
    ST_TRY(st_wire__check_empty_table(call));
    item_check_null(call, "Key", "key");
    st_wire__check_table(call, 0);
    st_wire__check_capacity(call);
    uint32_t list = st_wire__member(call, 0, "AttributesToGet");
    if (list && call->doc.nodes[list].count == 0) {
        st_wire__constraint(call, "Value '[]' at 'attributesToGet' failed to satisfy constraint: "
                                  "Member must have length greater than or equal to 1");
    }
    ST_TRY(st_wire__constraints_end(call));
    ST_TRY(item_empty_names(call));
    ST_TRY(st_wire__check_mixing(call, 0, item_get_plain, item_projection));
    ST_TRY(st_wire__scope(call, 0, item_projection, &item.expressions));
    ST_TRY(item_map(call, "Key", &item.request.key, &item.bytes));
    st_projection *attributes;
    ST_TRY(st_wire__attributes_to_get(call, 0, &attributes));
    ST_TRY(st_wire__parse_projection(call, 0, &item.expressions));
    ST_TRY(st_expr_check_unused(call->op, &item.expressions.scope));
    ST_TRY(item_find_table(call, &item));
    item.request.projection =
        item.expressions.projection ? item.expressions.projection : attributes;
    (void)st_wire__flag(call, 0, "ConsistentRead", &is_consistent, &status);
    item.request.flags |= is_consistent ? ST_FLAG_CONSISTENT : 0;
    item.request.wants_capacity = st_wire__capacity(call) != 0;
    st_buf result;
    st_buf_init(&result, call->op->alloc);
    status = item_run(call, &item, &result);
    if (status == ST_OK) {
        status = item_get_answer(call, st_buf_view(&result));
    }
    st_buf_deinit(&result);
    return status;
}
