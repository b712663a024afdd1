/* Key conditions: taking an expression apart into clauses, and binding clauses to a key.
 *
 * Taking apart needs no table and is done before it is looked up; the first problem in written
 * order is told. Binding: equality on every partition part, then on the sort parts from the left
 * without a gap, and any condition on the last one used.
 */
#include "expr/expr_internal.h"

#include <string.h>

/* ---- taking apart ----------------------------------------------------------------------- */

typedef struct clause_list {
    st_op *op;
    st_key_clause *clauses;
    uint32_t count, capacity;
} clause_list;

static st_status clause_fail(st_op *op, const st_node *node, const char *text)
{
    return st_expr__fail(op, ST_EXPR_KEY_CONDITION, node->position, "%s", text);
}

static st_status clause_operator(st_op *op, const st_node *node, const char *name)
{
    return st_fail_at(op, ST_INVALID_ARGUMENT, node->position,
                      "Invalid operator used in KeyConditionExpression: %s", name);
}

static st_status clause_condition(st_op *op, const st_node *node, const char *text)
{
    return st_fail_at(op, ST_INVALID_ARGUMENT, node->position,
                      "Invalid condition in KeyConditionExpression: %s", text);
}

static st_status clause_check_kind(st_op *op, const st_node *node)
{
    switch (node->kind) {
    case ST_NODE_OR:
        return clause_operator(op, node, "OR");
    case ST_NODE_NOT:
        return clause_operator(op, node, "NOT");
    case ST_NODE_IN:
        return clause_operator(op, node, "IN");
    case ST_NODE_NOT_EQUAL:
        return clause_operator(op, node, "<>");
    case ST_NODE_FUNCTION:
        return node->function == ST_FUNCTION_BEGINS_WITH
                   ? ST_OK
                   : clause_operator(op, node, st_expr__function_name(node->function));
    default:
        return ST_OK;
    }
}

static st_key_condition clause_kind(const st_node *node, bool is_turned)
{
    switch (node->kind) {
    case ST_NODE_LESS:
        return is_turned ? ST_KEY_GREATER : ST_KEY_LESS;
    case ST_NODE_AT_MOST:
        return is_turned ? ST_KEY_AT_LEAST : ST_KEY_AT_MOST;
    case ST_NODE_GREATER:
        return is_turned ? ST_KEY_LESS : ST_KEY_GREATER;
    case ST_NODE_AT_LEAST:
        return is_turned ? ST_KEY_AT_MOST : ST_KEY_AT_LEAST;
    case ST_NODE_BETWEEN:
        return ST_KEY_BETWEEN;
    case ST_NODE_FUNCTION:
        return ST_KEY_BEGINS_WITH;
    default:
        return ST_KEY_EQUAL;
    }
}

/* Which operand is the attribute; everything else must be a value. */
static st_status clause_attribute(st_op *op, const st_node *node, uint32_t *out_index)
{
    bool has_path = false;
    for (uint32_t i = 0; i < node->count; i++) {
        const st_node *child = node->children[i];
        if (child->kind == ST_NODE_SIZE || child->kind == ST_NODE_FUNCTION) {
            return clause_fail(op, node,
                               "KeyConditionExpressions cannot contain nested operations");
        }
        if (child->kind != ST_NODE_PATH) {
            continue;
        }
        if (has_path) {
            return clause_condition(op, node, "Multiple attribute names used in one condition");
        }
        if (child->path.count > 1) {
            return clause_fail(op, node,
                               "KeyConditionExpressions cannot have conditions on nested "
                               "attributes");
        }
        has_path = true;
        *out_index = i;
    }
    if (!has_path) {
        return clause_condition(op, node, "No key attribute specified");
    }
    if (*out_index > 0 && (node->kind == ST_NODE_BETWEEN || node->kind == ST_NODE_FUNCTION)) {
        return clause_condition(op, node,
                                node->kind == ST_NODE_BETWEEN
                                    ? "BETWEEN operator must have the key attribute as its first "
                                      "operand"
                                    : "begins_with operator must have the key attribute as its "
                                      "first operand");
    }
    return ST_OK;
}

static st_status clause_add(clause_list *list, const st_node *node)
{
    st_op *op = list->op;
    uint32_t attribute = 0;
    ST_TRY(clause_check_kind(op, node));
    ST_TRY(clause_attribute(op, node, &attribute));
    ST_TRY(st_expr__check_node(op, ST_EXPR_KEY_CONDITION, node));
    st_slice name = node->children[attribute]->path.steps[0].name;
    for (uint32_t i = 0; i < list->count; i++) {
        if (st_slice_equal(list->clauses[i].name, name)) {
            return clause_fail(op, node,
                               "KeyConditionExpressions must only contain one condition per key");
        }
    }
    st_key_clause *clause = &list->clauses[list->count++];
    *clause = (st_key_clause){.name = name,
                              .condition = clause_kind(node, attribute > 0),
                              .first = node->children[attribute == 0 ? 1 : 0]->value,
                              .position = node->position};
    if (node->kind == ST_NODE_BETWEEN) {
        clause->second = node->children[2]->value;
    }
    for (uint32_t i = node->count; i-- > 0;) { /* the first is told */
        const st_node *child = node->children[i];
        if (i != attribute && child->value.type == ST_TYPE_NONE && child->placeholder.size > 0) {
            clause->undefined = child->placeholder;
            clause->position = child->position;
        }
    }
    return ST_OK;
}

static st_status clause_walk(clause_list *list, const st_node *node)
{
    if (node->kind != ST_NODE_AND) {
        return clause_add(list, node);
    }
    ST_TRY(clause_walk(list, node->children[0]));
    return clause_walk(list, node->children[1]);
}

st_status st_key_clauses_of(st_op *op, const st_condition *condition, st_key_clause **out_clauses,
                            uint32_t *out_count)
{
    size_t bytes = ((size_t)condition->operator_count + 1) * sizeof(st_key_clause);
    clause_list list = {.op = op, .clauses = st_arena_alloc(&op->arena, bytes)};
    if (!list.clauses) {
        return st_fail_memory(op, bytes);
    }
    ST_TRY(clause_walk(&list, condition->root));
    *out_clauses = list.clauses;
    *out_count = list.count;
    return ST_OK;
}

/* ---- binding ---------------------------------------------------------------------------- */

static const st_key_clause *bind_find(const st_key_clause *clauses, uint32_t count, st_slice name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (st_slice_equal(clauses[i].name, name)) {
            return &clauses[i];
        }
    }
    return NULL;
}

static void bind_names(const st_key_part *parts, uint32_t count, st_buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        st_buf_append(out, ", ", i > 0 ? 2 : 0);
        st_buf_slice(out, parts[i].name);
    }
}

static st_status bind_partition(st_op *op, const st_key_clause *clauses, uint32_t count,
                                const st_key_schema *schema)
{
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        st_slice name = schema->partition[i].name;
        const st_key_clause *clause = bind_find(clauses, count, name);
        if (clause && clause->condition == ST_KEY_EQUAL) {
            continue;
        }
        if (schema->partition_count == 1) {
            return clause ? st_fail(op, ST_INVALID_ARGUMENT, "Query key condition not supported")
                          : st_fail(op, ST_INVALID_ARGUMENT,
                                    "Query condition missed key schema element: %.*s",
                                    (int)name.size, (const char *)name.data);
        }
        st_buf names;
        st_buf_init(&names, op->alloc);
        bind_names(schema->partition, schema->partition_count, &names);
        st_status status = st_buf_check(op, &names);
        if (status == ST_OK) {
            status = st_fail(op, ST_INVALID_ARGUMENT,
                             "HASH key attributes %.*s must have equality conditions specified in "
                             "the query",
                             (int)names.size, (const char *)names.data);
        }
        st_buf_deinit(&names);
        return status;
    }
    return ST_OK;
}

static st_status bind_defined(st_op *op, const st_key_clause *clauses, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        st_slice undefined = clauses[i].undefined;
        if (undefined.size > 0) {
            return st_expr__fail(op, ST_EXPR_KEY_CONDITION, clauses[i].position,
                                 "An expression attribute value used in expression is not defined; "
                                 "attribute value: %.*s",
                                 (int)undefined.size, (const char *)undefined.data);
        }
    }
    return ST_OK;
}

/* A clause that names no part of the key. */
static st_status bind_strangers(st_op *op, const st_key_clause *clauses, uint32_t count,
                                const st_key_schema *schema)
{
    uint32_t known = schema->partition_count;
    for (uint32_t i = 0; i < schema->sort_count; i++) {
        known += bind_find(clauses, count, schema->sort[i].name) != NULL;
    }
    if (known == count) {
        return ST_OK;
    }
    for (uint32_t i = 0; i < schema->sort_count; i++) {
        st_slice name = schema->sort[i].name;
        if (!bind_find(clauses, count, name)) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "Query condition missed key schema element: %.*s", (int)name.size,
                           (const char *)name.data);
        }
    }
    return st_fail(op, ST_INVALID_ARGUMENT, "Query key condition not supported");
}

static st_status bind_gap(st_op *op, const st_key_schema *schema, uint32_t missing,
                          st_slice present)
{
    st_buf names;
    st_buf_init(&names, op->alloc);
    bind_names(schema->sort, missing, &names);
    st_status status = st_buf_check(op, &names);
    if (status == ST_OK) {
        status = st_fail(op, ST_INVALID_ARGUMENT,
                         "RANGE key attributes %.*s must have equality conditions specified in the "
                         "query because a condition is present on key attribute %.*s",
                         (int)names.size, (const char *)names.data, (int)present.size,
                         (const char *)present.data);
    }
    st_buf_deinit(&names);
    return status;
}

/* Fills equal, first, second and condition of the query. */
static st_status bind_sort(st_op *op, const st_key_clause *clauses, uint32_t count,
                           const st_key_schema *schema, st_value *equal, st_key_query *query)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < schema->sort_count; i++) {
        used = bind_find(clauses, count, schema->sort[i].name) ? i + 1 : used;
    }
    for (uint32_t i = 0; i < used; i++) {
        const st_key_clause *clause = bind_find(clauses, count, schema->sort[i].name);
        bool is_last = i + 1 == used;
        if (!clause || (!is_last && clause->condition != ST_KEY_EQUAL)) {
            return bind_gap(op, schema, used - 1, schema->sort[used - 1].name);
        }
        if (!is_last) {
            equal[query->equal_count++] = clause->first;
            continue;
        }
        query->condition = clause->condition;
        query->first = &clause->first;
        query->second = clause->condition == ST_KEY_BETWEEN ? &clause->second : NULL;
    }
    return ST_OK;
}

static st_status bind_type(st_op *op, const st_key_part *part, const st_key_clause *clause)
{
    if (!clause || (clause->first.type == part->type &&
                    (clause->condition != ST_KEY_BETWEEN || clause->second.type == part->type))) {
        return ST_OK;
    }
    return st_fail(op, ST_INVALID_ARGUMENT,
                   "One or more parameter values were invalid: Condition parameter type does not "
                   "match schema type");
}

st_status st_key_clauses_bind(st_op *op, const st_key_clause *clauses, uint32_t count,
                              const st_key_schema *schema, st_key_query *out_query)
{
    *out_query = (st_key_query){.condition = ST_KEY_ALL};
    uint32_t parts = schema->partition_count + schema->sort_count;
    if (count > parts) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The number of query conditions (%u) exceeds the number of key attributes "
                       "defined in the schema (%u)",
                       count, parts);
    }
    ST_TRY(bind_partition(op, clauses, count, schema));
    ST_TRY(bind_defined(op, clauses, count));
    ST_TRY(bind_strangers(op, clauses, count, schema));
    st_value *values = st_arena_alloc(&op->arena, 2 * ST_KEY_PARTS_MAX * sizeof *values);
    if (!values) {
        return st_fail_memory(op, 2 * ST_KEY_PARTS_MAX * sizeof *values);
    }
    ST_TRY(bind_sort(op, clauses, count, schema, values + ST_KEY_PARTS_MAX, out_query));
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        const st_key_clause *clause = bind_find(clauses, count, schema->partition[i].name);
        ST_TRY(bind_type(op, &schema->partition[i], clause));
        values[i] = clause->first;
    }
    for (uint32_t i = 0; i < schema->sort_count; i++) {
        ST_TRY(bind_type(op, &schema->sort[i], bind_find(clauses, count, schema->sort[i].name)));
    }
    out_query->partition = values;
    out_query->equal = values + ST_KEY_PARTS_MAX;
    return ST_OK;
}
