/* What is wrong with a finished condition or assignment whatever the item: the number of operators
 * and operands, types that are known from the text, bounds in the wrong order, an operand compared
 * with itself.
 */
#include "partiql/partiql_internal.h"

static st_status partiql_judge(st_op *op, const st_partiql_node *node);

static uint32_t partiql_operator_count(const st_partiql_node *node)
{
    bool is_row = node->kind == ST_PARTIQL_OR || node->kind == ST_PARTIQL_AND;
    uint32_t count = is_row ? node->count - 1 : node->kind > ST_PARTIQL_PATH;
    for (uint32_t i = 0; i < node->count; i++) {
        count += partiql_operator_count(&node->operands[i]);
    }
    return count;
}

/* ---- texts ------------------------------------------------------------------------------ */

static st_status partiql_operand_type(st_op *op, const st_partiql_node *node, st_type type)
{
    return st_fail(op, ST_INVALID_ARGUMENT,
                   "Incorrect operand type for operator or function; operator or function: %s, "
                   "operand type: %s",
                   st_partiql_kind_text(node->kind), st_type_name(type));
}

static st_status partiql_operand_count(st_op *op, const st_partiql_node *node, uint32_t wanted)
{
    return node->count == wanted
               ? ST_OK
               : st_fail(op, ST_INVALID_ARGUMENT,
                         "Incorrect number of operands for operator or function; operator or "
                         "function: %s, number of operands: %u",
                         st_partiql_kind_text(node->kind), node->count);
}

static st_status partiql_first_is_path(st_op *op, const st_partiql_node *node)
{
    return node->operands[0].kind == ST_PARTIQL_PATH
               ? ST_OK
               : st_fail(op, ST_INVALID_ARGUMENT,
                         "Operator or function requires a document path; operator or function: %s",
                         st_partiql_kind_text(node->kind));
}

/* ---- types ------------------------------------------------------------------------------ */

/* What an operand is for certain; NONE when only the item tells. */
static st_type partiql_known_type(const st_partiql_node *node)
{
    st_value value;
    if (node->kind == ST_PARTIQL_VALUE) {
        return st_value_of(node->value, &value) ? value.type : ST_TYPE_NONE;
    }
    if (node->kind == ST_PARTIQL_SIZE) {
        return ST_TYPE_N;
    }
    return node->kind >= ST_PARTIQL_ATTRIBUTE_EXISTS && node->kind <= ST_PARTIQL_CONTAINS
               ? ST_TYPE_BOOL
               : ST_TYPE_NONE;
}

#define PARTIQL_TYPE(type) (1u << (type))
#define PARTIQL_ORDERED \
    (PARTIQL_TYPE(ST_TYPE_S) | PARTIQL_TYPE(ST_TYPE_N) | PARTIQL_TYPE(ST_TYPE_B))
#define PARTIQL_SETS \
    (PARTIQL_TYPE(ST_TYPE_SS) | PARTIQL_TYPE(ST_TYPE_NS) | PARTIQL_TYPE(ST_TYPE_BS))

/* All operands have one of the types, as far as they are known. */
static st_status partiql_operand_types(st_op *op, const st_partiql_node *node, uint32_t types)
{
    for (uint32_t i = 0; i < node->count; i++) {
        st_type type = partiql_known_type(&node->operands[i]);
        if (type != ST_TYPE_NONE && (types & PARTIQL_TYPE(type)) == 0) {
            return partiql_operand_type(op, node, type);
        }
    }
    return ST_OK;
}

/* ---- paths ------------------------------------------------------------------------------ */

static bool partiql_same_path(const st_partiql_path *a, const st_partiql_path *b)
{
    for (uint32_t i = 0; a->count == b->count && i < a->count; i++) {
        const st_partiql_step *x = &a->steps[i], *y = &b->steps[i];
        if (x->is_index != y->is_index || x->index != y->index ||
            !st_slice_equal(x->name, y->name)) {
            return false;
        }
    }
    return a->count == b->count;
}

static void partiql_path_text(const st_partiql_path *path, st_partiql__line *line)
{
    st_partiql__line_add(line, st_slice_str("["));
    for (uint32_t i = 0; i < path->count; i++) {
        const st_partiql_step *step = &path->steps[i];
        st_partiql__line_add(line, st_slice_str(i > 0 ? ", " : ""));
        if (step->is_index) {
            st_partiql__line_add(line, st_slice_str("["));
            st_partiql__line_number(line, step->index);
            st_partiql__line_add(line, st_slice_str("]"));
        } else {
            st_partiql__line_add(line, step->name);
        }
    }
    st_partiql__line_add(line, st_slice_str("]"));
}

static st_status partiql_distinct(st_op *op, const st_partiql_node *node)
{
    for (uint32_t i = 1; i < node->count; i++) {
        const st_partiql_node *first = &node->operands[0], *other = &node->operands[i];
        if (first->kind == ST_PARTIQL_PATH && other->kind == ST_PARTIQL_PATH &&
            partiql_same_path(&first->path, &other->path)) {
            st_partiql__line line = {.size = 0};
            partiql_path_text(&first->path, &line);
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "The first operand must be distinct from the remaining operands for "
                           "this operator or function; operator: %s, first operand: %s",
                           st_partiql_kind_text(node->kind), line.text);
        }
    }
    return ST_OK;
}

/* ---- bounds ----------------------------------------------------------------------------- */

/* A value as messages show it: "{N:3}". */
static void partiql_value_text(const st_value *value, st_partiql__line *line)
{
    st_partiql__line_add(line, st_slice_str("{"));
    st_partiql__line_add(line, st_slice_str(st_type_name(value->type)));
    st_partiql__line_add(line, st_slice_str(":"));
    st_number number;
    char text[ST_NUMBER_TEXT_MAX];
    if (value->type == ST_TYPE_N && !value->is_text && st_number_decode(value->bytes, &number)) {
        st_partiql__line_add(line, st_slice_of(text, st_number_text(&number, text)));
    } else {
        st_partiql__line_add(line, value->bytes);
    }
    st_partiql__line_add(line, st_slice_str("}"));
}

static st_status partiql_refuse_bounds(st_op *op, const st_value *lower, const st_value *upper,
                                       const char *what)
{
    st_partiql__line low = {.size = 0}, high = {.size = 0};
    partiql_value_text(lower, &low);
    partiql_value_text(upper, &high);
    return st_fail(op, ST_INVALID_ARGUMENT,
                   "The BETWEEN operator requires %s; lower bound operand: AttributeValue: %s, "
                   "upper bound operand: AttributeValue: %s",
                   what, low.text, high.text);
}

static st_status partiql_number_of(st_op *op, const st_value *value, st_number *out_number)
{
    if (!value->is_text && st_number_decode(value->bytes, out_number)) {
        return ST_OK;
    }
    return st_number_parse(op, value->bytes, out_number);
}

static st_status partiql_bounds(st_op *op, const st_partiql_node *node)
{
    ST_TRY(partiql_distinct(op, node));
    ST_TRY(partiql_operand_types(op, node, PARTIQL_ORDERED));
    const st_partiql_node *low = &node->operands[1], *high = &node->operands[2];
    st_value lower, upper;
    if (low->kind != ST_PARTIQL_VALUE || high->kind != ST_PARTIQL_VALUE ||
        !st_value_of(low->value, &lower) || !st_value_of(high->value, &upper)) {
        return ST_OK;
    }
    if (lower.type != upper.type) {
        return partiql_refuse_bounds(op, &lower, &upper,
                                     "same data type for lower and upper bounds");
    }
    int order = st_slice_compare(lower.bytes, upper.bytes);
    if (lower.type == ST_TYPE_N) {
        st_number from, to;
        ST_TRY(partiql_number_of(op, &lower, &from));
        ST_TRY(partiql_number_of(op, &upper, &to));
        order = st_number_compare(&from, &to);
    }
    return order <= 0
               ? ST_OK
               : partiql_refuse_bounds(op, &lower, &upper,
                                       "upper bound to be greater than or equal to lower bound");
}

/* ---- functions -------------------------------------------------------------------------- */

static st_status partiql_in_operands(st_op *op, const st_partiql_node *node)
{
    if (node->count < 2) {
        return partiql_operand_count(op, node, 2);
    }
    if (node->count - 1 > ST_PARTIQL_IN_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The IN operator is provided with too many operands; number of operands: %u",
                       node->count - 1);
    }
    return partiql_distinct(op, node);
}

static st_status partiql_attribute_type(st_op *op, const st_partiql_node *node)
{
    ST_TRY(partiql_operand_count(op, node, 2));
    ST_TRY(partiql_first_is_path(op, node));
    const st_partiql_node *name = &node->operands[1];
    st_type type = partiql_known_type(name);
    st_value value;
    if (name->kind != ST_PARTIQL_VALUE || type != ST_TYPE_S || !st_value_of(name->value, &value)) {
        return partiql_operand_type(op, node, type);
    }
    if (st_type_of_name(value.bytes) != ST_TYPE_NONE) {
        return ST_OK;
    }
    st_partiql__line line = {.size = 0};
    st_partiql__line_add(&line, value.bytes);
    return st_fail(op, ST_INVALID_ARGUMENT,
                   "Invalid attribute type name found; type: %s, valid types: "
                   "{N,BS,L,B,NULL,M,S,SS,NS,BOOL}",
                   line.text);
}

static st_status partiql_function_operands(st_op *op, const st_partiql_node *node)
{
    bool is_unary = node->kind == ST_PARTIQL_SIZE || node->kind == ST_PARTIQL_ATTRIBUTE_EXISTS ||
                    node->kind == ST_PARTIQL_ATTRIBUTE_NOT_EXISTS;
    ST_TRY(partiql_operand_count(op, node, is_unary ? 1 : 2));
    switch (node->kind) {
    case ST_PARTIQL_ATTRIBUTE_EXISTS:
    case ST_PARTIQL_ATTRIBUTE_NOT_EXISTS:
    case ST_PARTIQL_IF_NOT_EXISTS:
        return partiql_first_is_path(op, node);
    case ST_PARTIQL_BEGINS_WITH:
        ST_TRY(partiql_operand_types(op, node, PARTIQL_TYPE(ST_TYPE_S) | PARTIQL_TYPE(ST_TYPE_B)));
        return partiql_distinct(op, node);
    case ST_PARTIQL_CONTAINS:
        return partiql_distinct(op, node);
    case ST_PARTIQL_SIZE:
        return partiql_operand_types(op, node,
                                     PARTIQL_SETS | PARTIQL_TYPE(ST_TYPE_S) |
                                         PARTIQL_TYPE(ST_TYPE_B) | PARTIQL_TYPE(ST_TYPE_L) |
                                         PARTIQL_TYPE(ST_TYPE_M));
    case ST_PARTIQL_LIST_APPEND:
        return partiql_operand_types(op, node, PARTIQL_TYPE(ST_TYPE_L));
    case ST_PARTIQL_PLUS:
    case ST_PARTIQL_MINUS:
        return partiql_operand_types(op, node, PARTIQL_TYPE(ST_TYPE_N));
    default:
        return ST_OK;
    }
}

static st_status partiql_judge_itself(st_op *op, const st_partiql_node *node)
{
    switch (node->kind) {
    case ST_PARTIQL_VALUE:
    case ST_PARTIQL_PATH:
    case ST_PARTIQL_OR:
    case ST_PARTIQL_AND:
    case ST_PARTIQL_NOT:
    case ST_PARTIQL_IS:
        return ST_OK;
    case ST_PARTIQL_EQUAL:
    case ST_PARTIQL_NOT_EQUAL:
        return partiql_distinct(op, node);
    case ST_PARTIQL_LESS:
    case ST_PARTIQL_AT_MOST:
    case ST_PARTIQL_GREATER:
    case ST_PARTIQL_AT_LEAST:
        ST_TRY(partiql_distinct(op, node));
        return partiql_operand_types(op, node, PARTIQL_ORDERED);
    case ST_PARTIQL_BETWEEN:
        return partiql_bounds(op, node);
    case ST_PARTIQL_IN:
        return partiql_in_operands(op, node);
    case ST_PARTIQL_ATTRIBUTE_TYPE:
        return partiql_attribute_type(op, node);
    default:
        return partiql_function_operands(op, node);
    }
}

static st_status partiql_judge(st_op *op, const st_partiql_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        ST_TRY(partiql_judge(op, &node->operands[i]));
    }
    return partiql_judge_itself(op, node);
}

/* ---- assignments ------------------------------------------------------------------------ */

/* set_add(path, set) and set_delete(path, set) change the assigned set itself. */
static st_status partiql_set_function(st_op *op, const st_partiql_assignment *assignment)
{
    const st_partiql_node *node = &assignment->value;
    bool is_add = node->kind == ST_PARTIQL_SET_ADD;
    if (!is_add && node->kind != ST_PARTIQL_SET_DELETE) {
        return ST_OK;
    }
    const char *name = is_add ? "SET_ADD" : "SET_DELETE";
    if (node->operands[0].kind != ST_PARTIQL_PATH ||
        !partiql_same_path(&node->operands[0].path, &assignment->path)) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The first argument to %s must equal the assignment value" ST_PARTIQL__AT,
                       name, ST_PARTIQL__AT_OF(node->position));
    }
    st_type type = partiql_known_type(&node->operands[1]);
    if (node->operands[1].kind != ST_PARTIQL_VALUE || (PARTIQL_SETS & PARTIQL_TYPE(type)) == 0) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The second argument to %s must be a value with type SET" ST_PARTIQL__AT,
                       name, ST_PARTIQL__AT_OF(node->position));
    }
    return ST_OK;
}

/* They stand for a whole assigned value only. */
static st_status partiql_no_set_function(st_op *op, const st_partiql_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        const st_partiql_node *operand = &node->operands[i];
        if (operand->kind == ST_PARTIQL_SET_ADD || operand->kind == ST_PARTIQL_SET_DELETE) {
            return st_fail(
                op, ST_INVALID_ARGUMENT,
                "The first argument to %s must equal the assignment value" ST_PARTIQL__AT,
                operand->kind == ST_PARTIQL_SET_ADD ? "SET_ADD" : "SET_DELETE",
                ST_PARTIQL__AT_OF(operand->position));
        }
        ST_TRY(partiql_no_set_function(op, operand));
    }
    return ST_OK;
}

st_status st_partiql__check_operands(st_op *op, const st_partiql_statement *statement)
{
    if (statement->where) {
        uint32_t count = partiql_operator_count(statement->where);
        if (count > ST_PARTIQL_OPERATORS_MAX) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "The expression contains too many operators; operator count: %u", count);
        }
        ST_TRY(partiql_judge(op, statement->where));
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < statement->assignment_count; i++) {
        count += partiql_operator_count(&statement->assignments[i].value);
    }
    if (count > ST_PARTIQL_OPERATORS_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The expression contains too many operators; operator count: %u", count);
    }
    for (uint32_t i = 0; i < statement->assignment_count; i++) {
        const st_partiql_assignment *assignment = &statement->assignments[i];
        ST_TRY(partiql_judge(op, &assignment->value));
        ST_TRY(partiql_set_function(op, assignment));
        ST_TRY(partiql_no_set_function(op, &assignment->value));
    }
    return ST_OK;
}
