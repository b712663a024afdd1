/* What is known of an update without an item: types of operands, paths in each other's way, and
 * the service's charge.
 *
 * The charge, in bytes: 3 and the actions. SET 19 + target + operand, ADD 19 + target + value,
 * REMOVE and DELETE 1 + target. A target is its first element and 4 more for each further one; an
 * element is the bytes of its name or the digits of its index. Operands: a value its size, a path 1
 * and 14 + element for each, plus 34, minus 37, if_not_exists 39, list_append 37, with what they
 * hold.
 */
#include "expr/expr_internal.h"

/* ---- types ------------------------------------------------------------------------------ */

/* A value among the operands that is of another type. */
static st_status check_operands(st_op *op, const st_operand *operand, st_type wanted,
                                const char *name)
{
    const st_operand *sides[] = {operand->left, operand->right};
    for (int i = 0; i < 2; i++) {
        st_type type = sides[i]->value.type;
        if (type != ST_TYPE_NONE && type != wanted) {
            return st_expr__fail(op, ST_EXPR_UPDATE, operand->position,
                                 "Incorrect operand type for operator or function; operator or "
                                 "function: %s, operand type: %s",
                                 name, st_type_name(type));
        }
    }
    return ST_OK;
}

static st_status check_arguments(st_op *op, const st_operand *operand, const char *name)
{
    if (operand->argument_count != 0 && operand->argument_count != 2) {
        return st_expr__fail(op, ST_EXPR_UPDATE, operand->position,
                             "Incorrect number of operands for operator or function; operator or "
                             "function: %s, number of operands: %u",
                             name, operand->argument_count);
    }
    return ST_OK;
}

static st_status check_operand(st_op *op, const st_operand *operand)
{
    switch (operand->kind) {
    case ST_OPERAND_IF_NOT_EXISTS:
        ST_TRY(check_arguments(op, operand, "if_not_exists"));
        if (operand->left->kind != ST_OPERAND_PATH) {
            return st_expr__fail(op, ST_EXPR_UPDATE, operand->position,
                                 "Operator or function requires a document path; operator or "
                                 "function: if_not_exists");
        }
        return check_operand(op, operand->right);
    case ST_OPERAND_LIST_APPEND:
        ST_TRY(check_arguments(op, operand, "list_append"));
        break;
    case ST_OPERAND_PLUS:
    case ST_OPERAND_MINUS:
        break;
    default:
        return ST_OK;
    }
    ST_TRY(check_operand(op, operand->left));
    ST_TRY(check_operand(op, operand->right));
    return operand->kind == ST_OPERAND_LIST_APPEND
               ? check_operands(op, operand, ST_TYPE_L, "list_append")
               : check_operands(op, operand, ST_TYPE_N,
                                operand->kind == ST_OPERAND_PLUS ? "+" : "-");
}

static bool check_is_set(st_type type)
{
    return type == ST_TYPE_SS || type == ST_TYPE_NS || type == ST_TYPE_BS;
}

static st_status check_add_or_delete(st_op *op, const st_action *action)
{
    static const char *const check_long_names[] = {
        "", "STRING", "NUMBER", "Binary", "BOOL", "NULL", "SS", "NS", "BS", "LIST", "MAP"};
    st_type type = action->operand->value.type;
    bool is_add = action->kind == ST_ACTION_ADD;
    bool is_added = type == ST_TYPE_N || (type == ST_TYPE_L && action->is_legacy);
    if (type == ST_TYPE_NONE || check_is_set(type) || (is_add && is_added)) {
        return ST_OK;
    }
    return st_expr__fail(op, ST_EXPR_UPDATE, action->operand->position,
                         "Incorrect operand type for operator or function; operator: %s, operand "
                         "type: %s, typeSet: ALLOWED_FOR_ADD_OPERAND",
                         is_add ? "ADD" : "DELETE", check_long_names[type]);
}

st_status st_update_check(st_op *op, const st_update *update)
{
    size_t bytes = ((size_t)update->action_count + 1) * sizeof(st_path *); /* there may be none */
    const st_path **paths = st_arena_alloc(&op->arena, bytes);
    if (!paths) {
        return st_fail_memory(op, bytes);
    }
    uint32_t count = 0;
    for (const st_action *action = update->actions; action; action = action->next) {
        paths[count++] = &action->path;
        if (action->kind == ST_ACTION_SET) {
            ST_TRY(check_operand(op, action->operand));
        } else if (action->kind != ST_ACTION_REMOVE) {
            ST_TRY(check_add_or_delete(op, action));
        }
    }
    return st_expr__check_paths(op, ST_EXPR_UPDATE, paths, count);
}

const st_action *st_update_touches(const st_update *update, st_slice name)
{
    for (const st_action *action = update->actions; action; action = action->next) {
        if (st_slice_equal(action->path.steps[0].name, name)) {
            return action;
        }
    }
    return NULL;
}

/* ---- charge ----------------------------------------------------------------------------- */

static uint64_t charge_element(const st_path_step *step)
{
    uint64_t digits = 1;
    if (!step->is_index) {
        return step->name.size;
    }
    for (uint32_t index = step->index; index >= 10; index /= 10) {
        digits++;
    }
    return digits;
}

static uint64_t charge_target(const st_path *path)
{
    uint64_t charge = 0;
    for (uint32_t i = 0; i < path->count; i++) {
        charge += charge_element(&path->steps[i]) + (i > 0 ? 4 : 0);
    }
    return charge;
}

static uint64_t charge_operand(const st_operand *operand)
{
    uint64_t charge = 0;
    if (operand->left) {
        charge += charge_operand(operand->left);
    }
    if (operand->right) {
        charge += charge_operand(operand->right);
    }
    switch (operand->kind) {
    case ST_OPERAND_VALUE:
        return st_value_size(&operand->value);
    case ST_OPERAND_PATH:
        charge = 1;
        for (uint32_t i = 0; i < operand->path.count; i++) {
            charge += 14 + charge_element(&operand->path.steps[i]);
        }
        return charge;
    case ST_OPERAND_PLUS:
        return charge + 34;
    case ST_OPERAND_IF_NOT_EXISTS:
        return charge + 39;
    default:
        return charge + 37;
    }
}

uint64_t st_update_charge(const st_update *update)
{
    uint64_t charge = 3;
    for (const st_action *action = update->actions; action; action = action->next) {
        bool writes = action->kind == ST_ACTION_SET || action->kind == ST_ACTION_ADD;
        charge += charge_target(&action->path) + (writes ? 19 : 1);
        charge += writes ? charge_operand(action->operand) : 0;
    }
    return charge;
}
