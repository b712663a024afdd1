/* The members that expressions replaced: Expected, QueryFilter, ScanFilter, KeyConditions,
 * AttributeUpdates, AttributesToGet. They become the same trees as expressions do, so that there is
 * one way to judge and one way to update.
 */
#include "wire/wire_internal.h"

#include <string.h>

#define LEGACY_INVALID "One or more parameter values were invalid: "

typedef enum legacy_operator {
    LEGACY_EQ,
    LEGACY_NE,
    LEGACY_LE,
    LEGACY_LT,
    LEGACY_GE,
    LEGACY_GT,
    LEGACY_BEGINS_WITH,
    LEGACY_BETWEEN,
    LEGACY_IN,
    LEGACY_CONTAINS,
    LEGACY_NOT_CONTAINS,
    LEGACY_NULL,
    LEGACY_NOT_NULL,
    LEGACY_NONE, /* no operator */
} legacy_operator;

static const char *const legacy_names[] = {
    "EQ",      "NE", "LE",       "LT",           "GE",   "GT",      "BEGINS_WITH",
    "BETWEEN", "IN", "CONTAINS", "NOT_CONTAINS", "NULL", "NOT_NULL"};

typedef struct legacy_values {
    st_value *values; /* canonical, in the arena */
    uint32_t count;
} legacy_values;

/* ---- values ----------------------------------------------------------------------------- */

static st_status legacy_value(wire_call *call, uint32_t node, st_value *out_value)
{
    st_slice relaxed, kept;
    st_buf canonical;
    ST_TRY(st_wire__value(call, node, &relaxed));
    st_buf_init(&canonical, call->op->alloc);
    st_status status = st_value_canonicalize(call->op, relaxed, &canonical);
    if (status == ST_OK) {
        status = st_wire__keep(call, &canonical, &kept);
    }
    if (status == ST_OK) {
        (void)st_value_of(kept, out_value);
    }
    st_buf_deinit(&canonical);
    return status;
}

/* Of an AttributeValueList, or of one Value. */
static st_status legacy_list(wire_call *call, uint32_t node, bool is_one, legacy_values *out)
{
    uint32_t count = is_one ? 1 : call->doc.nodes[node].count;
    *out = (legacy_values){.values =
                               st_arena_alloc(&call->op->arena, (count + 1) * sizeof *out->values)};
    if (!out->values) {
        return st_fail_memory(call->op, (count + 1) * sizeof *out->values);
    }
    uint32_t at = is_one ? node : node + 1;
    for (; out->count < count; at = call->doc.nodes[at].next) {
        ST_TRY(legacy_value(call, at, &out->values[out->count]));
        out->count++;
    }
    return ST_OK;
}

/* ---- operators -------------------------------------------------------------------------- */

static bool legacy_find(st_slice text, legacy_operator *out)
{
    for (int i = 0; i < LEGACY_NONE; i++) {
        if (st_slice_equal(text, st_slice_str(legacy_names[i]))) {
            *out = (legacy_operator)i;
            return true;
        }
    }
    return false;
}

static st_status legacy_check_count(wire_call *call, legacy_operator op, uint32_t count)
{
    bool is_right = op == LEGACY_NULL || op == LEGACY_NOT_NULL ? count == 0
                    : op == LEGACY_BETWEEN                     ? count == 2
                    : op == LEGACY_IN                          ? count >= 1
                                                               : count == 1;
    return is_right ? ST_OK
                    : st_wire__refuse(call,
                                      LEGACY_INVALID
                                      "Invalid number of argument(s) for the %s ComparisonOperator",
                                      legacy_names[op]);
}

static bool legacy_takes(legacy_operator op, st_type type)
{
    bool is_text = type == ST_TYPE_S || type == ST_TYPE_B;
    switch (op) {
    case LEGACY_LT:
    case LEGACY_LE:
    case LEGACY_GT:
    case LEGACY_GE:
    case LEGACY_IN:
    case LEGACY_BETWEEN:
        return is_text || type == ST_TYPE_N;
    case LEGACY_BEGINS_WITH:
        return is_text;
    case LEGACY_CONTAINS:
    case LEGACY_NOT_CONTAINS:
        return is_text || type == ST_TYPE_N || type == ST_TYPE_BOOL || type == ST_TYPE_NULL;
    default:
        return true;
    }
}

static st_status legacy_check_types(wire_call *call, legacy_operator op,
                                    const legacy_values *values)
{
    for (uint32_t i = 0; i < values->count; i++) {
        if (!legacy_takes(op, values->values[i].type)) {
            return st_wire__refuse(call,
                                   LEGACY_INVALID
                                   "ComparisonOperator %s is not valid for %s AttributeValue type",
                                   legacy_names[op], st_type_name(values->values[i].type));
        }
    }
    if (op != LEGACY_BETWEEN) {
        return ST_OK;
    }
    const st_value *low = &values->values[0], *high = &values->values[1];
    if (low->type != high->type) {
        return st_wire__refuse(call, LEGACY_INVALID
                               "AttributeValues inside AttributeValueList must be of same type");
    }
    if (st_slice_compare(low->bytes, high->bytes) > 0) {
        return st_wire__refuse(call, "The BETWEEN condition was provided a range where the lower "
                                     "bound is greater than the upper bound");
    }
    return ST_OK;
}

/* ---- trees ------------------------------------------------------------------------------ */

static st_status legacy_node(wire_call *call, st_node_kind kind, uint32_t children,
                             st_node **out_node)
{
    *out_node = st_node_new(call->op, kind, children);
    return *out_node ? ST_OK : st_fail_memory(call->op, sizeof **out_node);
}

static st_status legacy_leaf(wire_call *call, const st_value *value, st_node **out_node)
{
    ST_TRY(legacy_node(call, ST_NODE_VALUE, 0, out_node));
    (*out_node)->value = *value;
    return ST_OK;
}

static st_node_kind legacy_kind(legacy_operator op)
{
    static const st_node_kind legacy_kinds[] = {
        ST_NODE_EQUAL,   ST_NODE_NOT_EQUAL, ST_NODE_AT_MOST, ST_NODE_LESS, ST_NODE_AT_LEAST,
        ST_NODE_GREATER, ST_NODE_FUNCTION,  ST_NODE_BETWEEN, ST_NODE_IN};
    return op <= LEGACY_IN ? legacy_kinds[op] : ST_NODE_FUNCTION;
}

static st_function legacy_function(legacy_operator op)
{
    switch (op) {
    case LEGACY_BEGINS_WITH:
        return ST_FUNCTION_BEGINS_WITH;
    case LEGACY_NULL:
        return ST_FUNCTION_NOT_EXISTS;
    case LEGACY_NOT_NULL:
        return ST_FUNCTION_EXISTS;
    case LEGACY_CONTAINS:
    case LEGACY_NOT_CONTAINS:
        return ST_FUNCTION_CONTAINS;
    default:
        return ST_FUNCTION_NONE;
    }
}

static st_status legacy_comparison(wire_call *call, st_slice name, legacy_operator op,
                                   const legacy_values *values, st_node **out_node)
{
    ST_TRY(legacy_node(call, legacy_kind(op), 1 + values->count, out_node));
    st_node *node = *out_node;
    node->function = legacy_function(op);
    ST_TRY(legacy_node(call, ST_NODE_PATH, 0, &node->children[0]));
    ST_TRY(st_path_of_name(call->op, name, &node->children[0]->path));
    for (uint32_t i = 0; i < values->count; i++) {
        ST_TRY(legacy_leaf(call, &values->values[i], &node->children[i + 1]));
    }
    if (op == LEGACY_NOT_CONTAINS) {
        ST_TRY(legacy_node(call, ST_NODE_NOT, 1, out_node));
        (*out_node)->children[0] = node;
    }
    return ST_OK;
}

static st_status legacy_join(wire_call *call, st_node *added, bool is_or, st_node **root)
{
    if (!*root) {
        *root = added;
        return ST_OK;
    }
    st_node *both;
    ST_TRY(legacy_node(call, is_or ? ST_NODE_OR : ST_NODE_AND, 2, &both));
    both->children[0] = *root;
    both->children[1] = added;
    *root = both;
    return ST_OK;
}

static st_status legacy_condition(wire_call *call, st_node *root, st_expr_kind kind,
                                  st_condition **out_condition)
{
    *out_condition = NULL;
    if (!root) {
        return ST_OK;
    }
    *out_condition = st_arena_alloc(&call->op->arena, sizeof **out_condition);
    if (!*out_condition) {
        return st_fail_memory(call->op, sizeof **out_condition);
    }
    **out_condition = (st_condition){.kind = kind, .root = root};
    return ST_OK;
}

static bool legacy_is_or(const wire_call *call, uint32_t object)
{
    return st_slice_equal(st_wire__member_text(call, object, "ConditionalOperator"),
                          st_slice_str("OR"));
}

st_status st_wire__check_operator(wire_call *call, uint32_t object, const char *const *lists)
{
    uint32_t node = st_wire__member(call, object, "ConditionalOperator"), count = 0;
    if (node == 0) {
        return ST_OK;
    }
    bool has_any = false;
    for (; *lists; lists++) {
        uint32_t list = st_wire__member(call, object, *lists);
        count += list ? call->doc.nodes[list].count : 0;
        has_any |= list != 0;
    }
    if (!has_any || count == 0) {
        return st_wire__refuse(call,
                               "ConditionalOperator cannot be used without Filter or Expected");
    }
    if (count < 2) {
        return st_wire__refuse(call, "ConditionalOperator can only be used when Filter or Expected "
                                     "has two or more elements");
    }
    st_slice text = call->doc.nodes[node].text;
    if (!st_slice_equal(text, st_slice_str("AND")) && !st_slice_equal(text, st_slice_str("OR"))) {
        if (!call->is_new_layer) {
            return st_wire__constraint_alone(
                call,
                "Value '%.*s' at 'conditionalOperator' failed to satisfy constraint: Member must "
                "satisfy enum value set: [OR, AND]",
                (int)text.size, text.size ? (const char *)text.data : "");
        }
        return st_wire__refuse(
            call, "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]");
    }
    return ST_OK;
}

/* ---- Expected --------------------------------------------------------------------------- */

typedef struct legacy_entry {
    st_slice name;
    legacy_operator op;
    bool has_exists, exists, has_value, has_list;
    legacy_values values;
} legacy_entry;

static st_status legacy_bad_operator(wire_call *call, const char *member, st_slice name,
                                     st_slice text)
{
    if (call->is_new_layer) {
        return st_wire__refuse(call, LEGACY_INVALID "Invalid comparison operator");
    }
    return st_wire__constraint_alone(
        call,
        "Value '%.*s' at '%s.%.*s.member.comparisonOperator' failed to satisfy constraint: Member "
        "must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, "
        "LE, BEGINS_WITH, GE, CONTAINS]",
        (int)text.size, text.size ? (const char *)text.data : "", member, (int)name.size,
        name.size ? (const char *)name.data : "");
}

static st_status legacy_read(wire_call *call, uint32_t at, legacy_entry *out)
{
    uint32_t object = at + 1;
    *out = (legacy_entry){.name = call->doc.nodes[at].text, .op = LEGACY_NONE};
    st_status status;
    out->has_exists = st_wire__flag(call, object, "Exists", &out->exists, &status);
    ST_TRY(status);
    uint32_t value = st_wire__member(call, object, "Value");
    uint32_t list = st_wire__member(call, object, "AttributeValueList");
    out->has_value = value != 0;
    out->has_list = list != 0;
    return value || list ? legacy_list(call, value ? value : list, value != 0, &out->values)
                         : ST_OK;
}

static st_status legacy_expect_fail(wire_call *call, const legacy_entry *entry, const char *text)
{
    return st_wire__refuse(call, LEGACY_INVALID "%s for Attribute: %.*s", text,
                           (int)entry->name.size,
                           entry->name.size ? (const char *)entry->name.data : "");
}

static st_status legacy_expect_operator(wire_call *call, const legacy_entry *entry)
{
    if (entry->has_exists) {
        return legacy_expect_fail(call, entry,
                                  "Exists and ComparisonOperator cannot be used together");
    }
    if (entry->has_value && entry->has_list) {
        return legacy_expect_fail(call, entry,
                                  "Value and AttributeValueList cannot be used together");
    }
    bool takes_none = entry->op == LEGACY_NULL || entry->op == LEGACY_NOT_NULL;
    if (!entry->has_value && !entry->has_list && !takes_none) {
        return st_wire__refuse(call,
                               LEGACY_INVALID
                               "Value or AttributeValueList must be used with ComparisonOperator: "
                               "%s for Attribute: %.*s",
                               legacy_names[entry->op], (int)entry->name.size,
                               entry->name.size ? (const char *)entry->name.data : "");
    }
    ST_TRY(legacy_check_count(call, entry->op, entry->values.count));
    return legacy_check_types(call, entry->op, &entry->values);
}

static st_status legacy_expect(wire_call *call, legacy_entry *entry, st_node **out_node)
{
    static const legacy_values legacy_nothing = {NULL, 0};
    if (entry->op != LEGACY_NONE) {
        ST_TRY(legacy_expect_operator(call, entry));
        return legacy_comparison(call, entry->name, entry->op, &entry->values, out_node);
    }
    if (entry->has_value && entry->has_list) {
        return legacy_expect_fail(call, entry,
                                  "Value and AttributeValueList cannot be used together");
    }
    if (entry->has_list) {
        return legacy_expect_fail(call, entry,
                                  "AttributeValueList can only be used with a ComparisonOperator");
    }
    if (entry->has_exists && !entry->exists) {
        return entry->has_value
                   ? legacy_expect_fail(call, entry, "Value cannot be used when Exists is false")
                   : legacy_comparison(call, entry->name, LEGACY_NULL, &legacy_nothing, out_node);
    }
    if (!entry->has_value) {
        return legacy_expect_fail(call, entry,
                                  entry->has_exists ? "Value must be provided when Exists is true"
                                                    : "Value must be provided when Exists is null");
    }
    return legacy_comparison(call, entry->name, LEGACY_EQ, &entry->values, out_node);
}

st_status st_wire__expected(wire_call *call, uint32_t object, st_condition **out_condition)
{
    uint32_t list = st_wire__member(call, object, "Expected");
    st_node *root = NULL, *node;
    *out_condition = NULL;
    if (list == 0) {
        return ST_OK;
    }
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next;
         at = call->doc.nodes[at + 1].next) {
        legacy_entry entry;
        ST_TRY(legacy_read(call, at, &entry));
        uint32_t name = st_wire__member(call, at + 1, "ComparisonOperator");
        if (name && !legacy_find(call->doc.nodes[name].text, &entry.op)) {
            return legacy_bad_operator(call, "expected", entry.name, call->doc.nodes[name].text);
        }
        ST_TRY(legacy_expect(call, &entry, &node));
        ST_TRY(legacy_join(call, node, legacy_is_or(call, object), &root));
    }
    return legacy_condition(call, root, ST_EXPR_CONDITION, out_condition);
}

/* ---- filters ---------------------------------------------------------------------------- */

static const char *legacy_path(const char *member)
{
    return strcmp(member, "ScanFilter") == 0    ? "scanFilter"
           : strcmp(member, "QueryFilter") == 0 ? "queryFilter"
                                                : "keyConditions";
}

/* One condition of a filter or of KeyConditions, with its operator. */
static st_status legacy_read_condition(wire_call *call, uint32_t at, const char *member,
                                       legacy_entry *out)
{
    uint32_t list = st_wire__member(call, at + 1, "AttributeValueList");
    uint32_t name = st_wire__member(call, at + 1, "ComparisonOperator");
    *out = (legacy_entry){.name = call->doc.nodes[at].text, .op = LEGACY_NONE};
    if (list) {
        ST_TRY(legacy_list(call, list, false, &out->values));
    }
    if (name && !legacy_find(call->doc.nodes[name].text, &out->op)) {
        return legacy_bad_operator(call, legacy_path(member), out->name,
                                   call->doc.nodes[name].text);
    }
    return ST_OK;
}

st_status st_wire__legacy_filter(wire_call *call, uint32_t object, const char *member,
                                 st_condition **out_condition)
{
    uint32_t list = st_wire__member(call, object, member);
    st_node *root = NULL, *node;
    *out_condition = NULL;
    if (list == 0) {
        return ST_OK;
    }
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next;
         at = call->doc.nodes[at + 1].next) {
        legacy_entry entry;
        ST_TRY(legacy_read_condition(call, at, member, &entry));
        ST_TRY(legacy_check_count(call, entry.op, entry.values.count));
        ST_TRY(legacy_check_types(call, entry.op, &entry.values));
        ST_TRY(legacy_comparison(call, entry.name, entry.op, &entry.values, &node));
        ST_TRY(legacy_join(call, node, legacy_is_or(call, object), &root));
    }
    return legacy_condition(call, root, ST_EXPR_FILTER, out_condition);
}

static st_key_condition legacy_key_condition(legacy_operator op)
{
    switch (op) {
    case LEGACY_LE:
        return ST_KEY_AT_MOST;
    case LEGACY_LT:
        return ST_KEY_LESS;
    case LEGACY_GE:
        return ST_KEY_AT_LEAST;
    case LEGACY_GT:
        return ST_KEY_GREATER;
    case LEGACY_BEGINS_WITH:
        return ST_KEY_BEGINS_WITH;
    case LEGACY_BETWEEN:
        return ST_KEY_BETWEEN;
    default:
        return ST_KEY_EQUAL;
    }
}

st_status st_wire__key_conditions(wire_call *call, uint32_t object, st_key_clause **out_clauses,
                                  uint32_t *out_count)
{
    uint32_t list = st_wire__member(call, object, "KeyConditions");
    *out_clauses = NULL;
    *out_count = 0;
    if (list == 0) {
        return ST_OK;
    }
    size_t bytes = (call->doc.nodes[list].count + 1) * sizeof(st_key_clause);
    st_key_clause *clauses = st_arena_alloc(&call->op->arena, bytes);
    if (!clauses) {
        return st_fail_memory(call->op, bytes);
    }
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next;
         at = call->doc.nodes[at + 1].next) {
        legacy_entry entry;
        ST_TRY(legacy_read_condition(call, at, "KeyConditions", &entry));
        ST_TRY(legacy_check_count(call, entry.op, entry.values.count));
        if (entry.op == LEGACY_NE || entry.op >= LEGACY_IN) {
            return st_wire__refuse(call, "Unsupported KeyConditions ComparisonOperator: %s",
                                   legacy_names[entry.op]);
        }
        ST_TRY(legacy_check_types(call, entry.op, &entry.values));
        clauses[(*out_count)++] = (st_key_clause){
            .name = entry.name,
            .condition = legacy_key_condition(entry.op),
            .first = entry.values.values[0],
            .second = entry.op == LEGACY_BETWEEN ? entry.values.values[1] : (st_value){0},
            .position = -1,
        };
    }
    *out_clauses = clauses;
    return ST_OK;
}

/* ---- AttributeUpdates ------------------------------------------------------------------- */

static bool legacy_is_set(st_type type)
{
    return type == ST_TYPE_SS || type == ST_TYPE_NS || type == ST_TYPE_BS;
}

static st_status legacy_action_kind(wire_call *call, uint32_t object, st_action_kind *out_kind)
{
    uint32_t node = st_wire__member(call, object, "Action");
    st_slice text = node ? call->doc.nodes[node].text : st_slice_str("PUT");
    *out_kind = st_slice_equal(text, st_slice_str("PUT"))      ? ST_ACTION_SET
                : st_slice_equal(text, st_slice_str("ADD"))    ? ST_ACTION_ADD
                : st_slice_equal(text, st_slice_str("DELETE")) ? ST_ACTION_DELETE
                                                               : ST_ACTION_REMOVE;
    return *out_kind != ST_ACTION_REMOVE
               ? ST_OK
               : st_wire__constraint_alone(
                     call, "Member must satisfy enum value set: [ADD, DELETE, PUT]' for Action");
}

static st_status legacy_action(wire_call *call, uint32_t at, st_action_kind kind,
                               st_action **out_action)
{
    uint32_t node = st_wire__member(call, at + 1, "Value");
    st_action *action = st_arena_alloc(&call->op->arena, sizeof *action);
    st_operand *operand = st_arena_alloc(&call->op->arena, sizeof *operand);
    if (!action || !operand) {
        return st_fail_memory(call->op, sizeof *action);
    }
    *operand = (st_operand){.kind = ST_OPERAND_VALUE, .position = -1};
    *action = (st_action){.kind = kind, .operand = operand, .is_legacy = true};
    *out_action = action;
    ST_TRY(st_path_of_name(call->op, call->doc.nodes[at].text, &action->path));
    if (node == 0) {
        action->kind = ST_ACTION_REMOVE;
        return kind == ST_ACTION_DELETE
                   ? ST_OK
                   : st_wire__refuse(call, LEGACY_INVALID "Only DELETE action is allowed when no "
                                                          "attribute value is specified");
    }
    ST_TRY(legacy_value(call, node, &operand->value));
    st_type type = operand->value.type;
    if (kind == ST_ACTION_DELETE && !legacy_is_set(type)) {
        return st_wire__refuse(
            call, LEGACY_INVALID "DELETE action with value is not supported for the type %s",
            st_type_name(type));
    }
    if (kind == ST_ACTION_ADD && !legacy_is_set(type) && type != ST_TYPE_N && type != ST_TYPE_L) {
        return st_wire__refuse(call, LEGACY_INVALID "ADD action is not supported for the type %s",
                               st_type_name(type));
    }
    return ST_OK;
}

st_status st_wire__attribute_updates(wire_call *call, uint32_t object, st_update **out_update)
{
    uint32_t list = st_wire__member(call, object, "AttributeUpdates");
    *out_update = NULL;
    if (list == 0) {
        return ST_OK;
    }
    st_update *update = st_arena_alloc(&call->op->arena, sizeof *update);
    if (!update) {
        return st_fail_memory(call->op, sizeof *update);
    }
    *update = (st_update){0};
    st_action **last = &update->actions;
    uint32_t end = call->doc.nodes[list].next;
    st_action_kind kind;
    for (uint32_t at = list + 1; at < end; at = call->doc.nodes[at + 1].next) {
        uint32_t value = st_wire__member(call, at + 1, "Value");
        st_value ignored;
        if (value) {
            ST_TRY(legacy_value(call, value, &ignored));
        }
    }
    for (uint32_t at = list + 1; at < end; at = call->doc.nodes[at + 1].next) {
        ST_TRY(legacy_action_kind(call, at + 1, &kind));
    }
    for (uint32_t at = list + 1; at < end; at = call->doc.nodes[at + 1].next) {
        ST_TRY(legacy_action_kind(call, at + 1, &kind));
        ST_TRY(legacy_action(call, at, kind, last));
        last = &(*last)->next;
        update->action_count++;
    }
    *out_update = update;
    return ST_OK;
}

/* ---- AttributesToGet -------------------------------------------------------------------- */

st_status st_wire__attributes_to_get(wire_call *call, uint32_t object,
                                     st_projection **out_projection)
{
    uint32_t list = st_wire__member(call, object, "AttributesToGet"), count = 0;
    *out_projection = NULL;
    if (list == 0 || call->doc.nodes[list].count == 0) {
        return ST_OK;
    }
    size_t bytes = call->doc.nodes[list].count * sizeof(st_path);
    st_path *paths = st_arena_alloc(&call->op->arena, bytes);
    if (!paths) {
        return st_fail_memory(call->op, bytes);
    }
    for (uint32_t at = list + 1; at < call->doc.nodes[list].next; at = call->doc.nodes[at].next) {
        st_slice name = call->doc.nodes[at].text;
        for (uint32_t i = 0; i < count; i++) {
            if (st_slice_equal(paths[i].steps[0].name, name)) {
                return st_wire__refuse_bare(
                    call, LEGACY_INVALID "Duplicate value in attribute name: %.*s", (int)name.size,
                    name.size ? (const char *)name.data : "");
            }
        }
        ST_TRY(st_path_of_name(call->op, name, &paths[count++]));
    }
    return st_projection_of_paths(call->op, paths, count, out_projection);
}
