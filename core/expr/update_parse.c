/* The grammar of updates.
 *
 *     update  = { SET set { , set } | REMOVE path { , path } | ADD path :value { , ... }
 *               | DELETE path :value { , ... } }     each section once
 *     set     = path = value
 *     value   = operand [ + operand | - operand ] | ( value )
 *     operand = path | :value | function ( operand { , operand } ) | ( operand )
 *
 * A sum in parentheses is no operand: (a + b) - c is a syntax error at the minus. Of the functions
 * only if_not_exists may stand inside another.
 */
#include "expr/expr_internal.h"

#include <string.h>

static const char *const update_sections[] = {"SET", "REMOVE", "ADD", "DELETE"};

typedef struct update_builder {
    st_parser parser;
    st_update *update;
    st_action **last;
    bool has_section[4];
} update_builder;

static st_operand *update_operand_new(st_parser *parser, st_operand_kind kind)
{
    st_operand *operand = st_arena_alloc(&parser->op->arena, sizeof *operand);
    if (operand) {
        *operand = (st_operand){.kind = kind, .position = (int64_t)parser->token.begin};
    }
    return operand;
}

static st_status update_value(st_parser *parser, st_operand **out_operand, bool *out_is_group);
static st_status update_operand(st_parser *parser, bool may_sum, st_operand **out_operand,
                                bool *out_is_group);

/* ---- operands --------------------------------------------------------------------------- */

static st_status update_placeholder(st_parser *parser, st_operand **out_operand)
{
    if (parser->token.kind != ST_TOKEN_COLON) {
        return st_expr__syntax_error(parser);
    }
    st_operand *operand = update_operand_new(parser, ST_OPERAND_VALUE);
    if (!operand) {
        return st_fail_memory(parser->op, sizeof *operand);
    }
    st_expr__value(parser, &operand->placeholder, &operand->value);
    *out_operand = operand;
    return ST_OK;
}

static void update_judge_function(st_parser *parser, st_slice name, int64_t position)
{
    st_function function = st_expr__function(name);
    if (function == ST_FUNCTION_NONE) {
        st_expr__complain(parser, position, "Invalid function name; function: %.*s", (int)name.size,
                          (const char *)name.data);
    } else if (function < ST_FUNCTION_IF_NOT_EXISTS) {
        st_expr__complain(parser, position,
                          "The function is not allowed in an update expression; function: %s",
                          st_expr__function_name(function));
    }
}

static st_status update_argument(st_parser *parser, st_operand **out_operand)
{
    bool is_group;
    ST_TRY(update_operand(parser, false, out_operand, &is_group));
    if ((*out_operand)->kind == ST_OPERAND_LIST_APPEND) {
        st_expr__complain(parser, (*out_operand)->position,
                          "The function is not allowed to be used this way in an expression; "
                          "function: list_append");
    }
    return ST_OK;
}

static st_status update_function(st_parser *parser, st_operand **out_operand)
{
    st_slice name = st_expr__text(parser, &parser->token);
    bool is_append = st_expr__function(name) == ST_FUNCTION_LIST_APPEND;
    st_operand *operand =
        update_operand_new(parser, is_append ? ST_OPERAND_LIST_APPEND : ST_OPERAND_IF_NOT_EXISTS);
    if (!operand) {
        return st_fail_memory(parser->op, sizeof *operand);
    }
    update_judge_function(parser, name, operand->position);
    parser->operator_count++;
    ST_TRY(st_expr__enter(parser));
    st_expr__advance(parser);
    do {
        st_operand *argument;
        st_expr__advance(parser); /* the parenthesis, or the comma */
        ST_TRY(update_argument(parser, &argument));
        operand->left = operand->argument_count == 0 ? argument : operand->left;
        operand->right = operand->argument_count == 1 ? argument : operand->right;
        operand->argument_count++;
    } while (st_expr__is_sign(parser, ','));
    parser->depth--;
    *out_operand = operand;
    return st_expr__expect_sign(parser, ')');
}

/* may_sum: a group may hold a sum, not only an operand. */
static st_status update_operand(st_parser *parser, bool may_sum, st_operand **out_operand,
                                bool *out_is_group)
{
    *out_is_group = st_expr__is_sign(parser, '(');
    if (*out_is_group) {
        int64_t position = (int64_t)parser->token.begin;
        bool holds_group;
        ST_TRY(st_expr__enter(parser));
        st_expr__advance(parser);
        ST_TRY(may_sum ? update_value(parser, out_operand, &holds_group)
                       : update_operand(parser, false, out_operand, &holds_group));
        return st_expr__leave_group(parser, position, holds_group);
    }
    if (st_expr__is_call(parser)) {
        return update_function(parser, out_operand);
    }
    if (!st_expr__is_path(parser)) {
        return update_placeholder(parser, out_operand);
    }
    st_operand *operand = update_operand_new(parser, ST_OPERAND_PATH);
    if (!operand) {
        return st_fail_memory(parser->op, sizeof *operand);
    }
    *out_operand = operand;
    return st_expr__path(parser, &operand->path);
}

static st_status update_value(st_parser *parser, st_operand **out_operand, bool *out_is_group)
{
    st_operand *left;
    ST_TRY(update_operand(parser, true, &left, out_is_group));
    *out_operand = left;
    bool is_plus = st_expr__is_sign(parser, '+');
    bool is_sum = left->kind == ST_OPERAND_PLUS || left->kind == ST_OPERAND_MINUS;
    if (is_sum || (!is_plus && !st_expr__is_sign(parser, '-'))) {
        return ST_OK;
    }
    st_operand *sum = update_operand_new(parser, is_plus ? ST_OPERAND_PLUS : ST_OPERAND_MINUS);
    if (!sum) {
        return st_fail_memory(parser->op, sizeof *sum);
    }
    parser->operator_count++;
    st_expr__advance(parser);
    sum->left = left;
    *out_operand = sum;
    ST_TRY(update_operand(parser, false, &sum->right, out_is_group));
    *out_is_group = false;
    return ST_OK;
}

/* ---- sections --------------------------------------------------------------------------- */

static st_status update_action(update_builder *builder, st_action_kind kind)
{
    st_parser *parser = &builder->parser;
    st_action *action = st_arena_alloc(&parser->op->arena, sizeof *action);
    if (!action) {
        return st_fail_memory(parser->op, sizeof *action);
    }
    *action = (st_action){.kind = kind};
    ST_TRY(st_expr__path(parser, &action->path));
    if (kind == ST_ACTION_SET) {
        ST_TRY(st_expr__expect_sign(parser, '='));
        bool is_group;
        ST_TRY(update_value(parser, &action->operand, &is_group));
    } else if (kind != ST_ACTION_REMOVE) {
        ST_TRY(update_placeholder(parser, &action->operand));
    }
    *builder->last = action;
    builder->last = &action->next;
    builder->update->action_count++;
    return ST_OK;
}

static st_status update_sections_parse(update_builder *builder)
{
    st_parser *parser = &builder->parser;
    do {
        int section = (int)parser->token.kind - ST_TOKEN_SET;
        if (section < 0 || section > ST_ACTION_DELETE) {
            return st_expr__syntax_error(parser);
        }
        if (builder->has_section[section]) {
            st_expr__complain(parser, (int64_t)parser->token.begin,
                              "The \"%s\" section can only be used once in an update expression;",
                              update_sections[section]);
        }
        builder->has_section[section] = true;
        do {
            st_expr__advance(parser); /* the section's word, or the comma */
            ST_TRY(update_action(builder, (st_action_kind)section));
        } while (st_expr__is_sign(parser, ','));
    } while (parser->token.kind != ST_TOKEN_END);
    return st_expr__finish(parser);
}

st_status st_update_parse(st_op *op, st_slice text, st_expr_scope *scope, st_update **out_update)
{
    *out_update = NULL;
    update_builder builder;
    memset(builder.has_section, 0, sizeof builder.has_section);
    ST_TRY(st_expr__begin(&builder.parser, op, ST_EXPR_UPDATE, text, scope));
    st_update *update = st_arena_alloc(&op->arena, sizeof *update);
    if (!update) {
        return st_fail_memory(op, sizeof *update);
    }
    *update = (st_update){0};
    builder.update = update;
    builder.last = &update->actions;
    ST_TRY(update_sections_parse(&builder));
    update->operator_count = builder.parser.operator_count;
    update->is_resolved = !builder.parser.has_undefined;
    *out_update = update;
    return ST_OK;
}

/* ---- resolving -------------------------------------------------------------------------- */

static st_status update_resolve_operand(st_op *op, st_operand *operand, st_expr_scope *scope)
{
    if (!operand) {
        return ST_OK;
    }
    ST_TRY(update_resolve_operand(op, operand->left, scope));
    ST_TRY(update_resolve_operand(op, operand->right, scope));
    if (operand->kind == ST_OPERAND_PATH) {
        return st_expr__resolve_path(op, ST_EXPR_UPDATE, &operand->path, scope);
    }
    return operand->kind == ST_OPERAND_VALUE && operand->placeholder.size > 0
               ? st_expr__resolve_value(op, ST_EXPR_UPDATE, operand->position, operand->placeholder,
                                        scope, &operand->value)
               : ST_OK;
}

st_status st_update_resolve(st_op *op, const st_update *update, st_expr_scope *scope)
{
    if (update->is_resolved) {
        return ST_OK;
    }
    for (st_action *action = update->actions; action; action = action->next) {
        ST_TRY(st_expr__resolve_path(op, ST_EXPR_UPDATE, &action->path, scope));
        ST_TRY(update_resolve_operand(op, action->operand, scope));
    }
    return ST_OK;
}
