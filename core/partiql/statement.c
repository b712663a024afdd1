/* From the form of a statement to the statement: tables, projections, assignments, items. What is
 * refused is refused in written order, but for WHERE, which comes before SET and REMOVE.
 */
#include "partiql/partiql_internal.h"

/* ---- the table -------------------------------------------------------------------------- */

static st_status partiql_refuse_index(st_partiql__parser *parser, const st_partiql__form *form,
                                      const st_partiql__tree *table)
{
    if (form->verb == ST_PARTIQL_INSERT) {
        return st_fail(parser->op, ST_INVALID_ARGUMENT,
                       "FROM clause may only contain a single table name in data manipulation "
                       "statements" ST_PARTIQL__AT,
                       ST_PARTIQL__AT_OF(table->position));
    }
    return st_fail(parser->op, ST_INVALID_ARGUMENT, "This operation is not supported on an index");
}

static st_status partiql_bind_table(st_partiql__parser *parser, const st_partiql__form *form,
                                    st_partiql_statement *statement)
{
    const st_partiql__tree *table = form->from.first;
    if (form->is_aliased) {
        return st_fail(parser->op, ST_INVALID_ARGUMENT, "Aliasing is not supported");
    }
    if (form->from.count > 1 || !st_partiql__is_path(table)) {
        return st_fail(parser->op, ST_INVALID_ARGUMENT,
                       "Only select from a single table or index is supported.");
    }
    if (form->verb != ST_PARTIQL_SELECT && table->kind == ST_PARTIQL__TREE_PATH) {
        return partiql_refuse_index(parser, form, table);
    }
    if (table->count > 2) {
        return st_fail(parser->op, ST_INVALID_ARGUMENT,
                       "A path may contain at most 2 components in the FROM clause");
    }
    st_partiql_path path;
    ST_TRY(st_partiql__path(parser, table, &path));
    statement->table = path.steps[0].name;
    if (path.count == 2 && path.steps[1].is_index) {
        return st_fail(parser->op, ST_INVALID_ARGUMENT, "Unexpected path component" ST_PARTIQL__AT,
                       ST_PARTIQL__AT_OF(table->last->position));
    }
    if (path.count == 2) {
        statement->index = path.steps[1].name;
    }
    return ST_OK;
}

static st_status partiql_bind_unsupported(st_partiql__parser *parser, const st_partiql__form *form)
{
    return form->unsupported
               ? st_fail(parser->op, ST_INVALID_ARGUMENT, "Unsupported clause: %s" ST_PARTIQL__AT,
                         form->unsupported, ST_PARTIQL__AT_OF(form->unsupported_position))
               : ST_OK;
}

static st_status partiql_bind_where(st_partiql__parser *parser, const st_partiql__form *form,
                                    st_partiql_statement *statement)
{
    if (!form->where) {
        return ST_OK;
    }
    st_partiql_node *where = st_partiql__alloc(parser->op, 1, sizeof *where);
    if (!where) {
        return ST_NO_MEMORY;
    }
    statement->where = where;
    return st_partiql__condition(parser, form->where, where);
}

/* ---- SELECT ----------------------------------------------------------------------------- */

static st_status partiql_bind_paths(st_partiql__parser *parser, const st_partiql__list *trees,
                                    const st_partiql_path **out_paths, uint32_t *out_count)
{
    st_partiql_path *paths = st_partiql__alloc(parser->op, trees->count, sizeof *paths);
    if (!paths) {
        return ST_NO_MEMORY;
    }
    uint32_t count = 0;
    for (const st_partiql__tree *tree = trees->first; tree; tree = tree->next) {
        ST_TRY(st_partiql__path(parser, tree, &paths[count++]));
    }
    *out_paths = paths;
    *out_count = count;
    return ST_OK;
}

static const char *partiql_order_type(const st_partiql__tree *tree)
{
    switch ((st_partiql__tree_kind)tree->kind) {
    case ST_PARTIQL__TREE_PATH:
        return "PATH";
    case ST_PARTIQL__TREE_LIST:
        return "LIST";
    case ST_PARTIQL__TREE_BAG:
        return "BAG";
    case ST_PARTIQL__TREE_STRUCT:
        return "STRUCT";
    case ST_PARTIQL__TREE_PARAMETER:
        return "PARAMETER";
    case ST_PARTIQL__TREE_CALL:
        return "CALL";
    case ST_PARTIQL__TREE_MISSING:
        return "MISSING";
    default:
        return st_partiql__is_literal(tree) ? "LITERAL" : "NARY";
    }
}

static st_status partiql_bind_order(st_partiql__parser *parser, const st_partiql__form *form,
                                    st_partiql_statement *statement)
{
    st_partiql_order *order = st_partiql__alloc(parser->op, form->order.count, sizeof *order);
    if (!order) {
        return ST_NO_MEMORY;
    }
    statement->order = order;
    for (const st_partiql__tree *tree = form->order.first; tree; tree = tree->next) {
        bool is_name = tree->kind == ST_PARTIQL__TREE_ID;
        order[statement->order_count++] = (st_partiql_order){
            .position = tree->position,
            .name = is_name ? tree->text : (st_slice){0},
            .other = is_name ? NULL : partiql_order_type(tree),
            .is_descending = tree->is_negative,
        };
    }
    return ST_OK;
}

static st_status partiql_bind_select(st_partiql__parser *parser, const st_partiql__form *form,
                                     st_partiql_statement *statement)
{
    ST_TRY(partiql_bind_paths(parser, &form->projection, &statement->projection,
                              &statement->projection_count));
    ST_TRY(partiql_bind_table(parser, form, statement));
    ST_TRY(partiql_bind_where(parser, form, statement));
    ST_TRY(partiql_bind_unsupported(parser, form));
    return partiql_bind_order(parser, form, statement);
}

/* ---- writes ----------------------------------------------------------------------------- */

static st_status partiql_bind_item(st_partiql__parser *parser, const st_partiql__form *form,
                                   st_partiql_statement *statement)
{
    const st_partiql__tree *tree = form->item;
    bool is_struct = tree->kind == ST_PARTIQL__TREE_STRUCT;
    if (is_struct || tree->kind == ST_PARTIQL__TREE_PARAMETER) {
        st_value value;
        ST_TRY(st_partiql__literal(parser, tree, true, &statement->item));
        if (st_value_of(statement->item, &value) && value.type == ST_TYPE_M) {
            return ST_OK;
        }
    }
    return st_fail(parser->op, ST_INVALID_ARGUMENT, "Unsupported operation: %s",
                   st_partiql__tree_name(tree));
}

static const char *partiql_returning_text(uint8_t returning)
{
    static const char *const texts[] = {"", "ALL OLD", "ALL NEW", "MODIFIED OLD", "MODIFIED NEW"};
    return texts[returning];
}

static st_status partiql_bind_insert(st_partiql__parser *parser, const st_partiql__form *form,
                                     st_partiql_statement *statement)
{
    ST_TRY(partiql_bind_table(parser, form, statement));
    ST_TRY(partiql_bind_unsupported(parser, form));
    ST_TRY(partiql_bind_item(parser, form, statement));
    return form->returning == ST_PARTIQL_RETURNING_NONE
               ? ST_OK
               : st_fail(parser->op, ST_INVALID_ARGUMENT,
                         "Invalid returning clause: RETURNING %s *. A RETURNING clause is not "
                         "allowed in INSERT statements.",
                         partiql_returning_text(form->returning));
}

static st_status partiql_bind_delete(st_partiql__parser *parser, const st_partiql__form *form,
                                     st_partiql_statement *statement)
{
    ST_TRY(partiql_bind_table(parser, form, statement));
    ST_TRY(partiql_bind_where(parser, form, statement));
    return form->returning == ST_PARTIQL_RETURNING_NONE ||
                   form->returning == ST_PARTIQL_RETURNING_ALL_OLD
               ? ST_OK
               : st_fail(parser->op, ST_INVALID_ARGUMENT,
                         "Invalid returning clause: RETURNING %s *. Only RETURNING ALL OLD * is "
                         "allowed in DELETE statements.",
                         partiql_returning_text(form->returning));
}

static st_status partiql_bind_update(st_partiql__parser *parser, const st_partiql__form *form,
                                     st_partiql_statement *statement)
{
    ST_TRY(partiql_bind_table(parser, form, statement));
    ST_TRY(partiql_bind_where(parser, form, statement));
    st_partiql_assignment *assignments =
        st_partiql__alloc(parser->op, form->targets.count, sizeof *assignments);
    if (!assignments) {
        return ST_NO_MEMORY;
    }
    statement->assignments = assignments;
    const st_partiql__tree *value = form->values.first;
    for (const st_partiql__tree *target = form->targets.first; target; target = target->next) {
        st_partiql_assignment *assignment = &assignments[statement->assignment_count++];
        ST_TRY(st_partiql__path(parser, target, &assignment->path));
        ST_TRY(st_partiql__assigned(parser, value, &assignment->value));
        value = value->next;
    }
    return partiql_bind_paths(parser, &form->removals, &statement->removals,
                              &statement->removal_count);
}

st_status st_partiql__statement(st_partiql__parser *parser, const st_partiql__tree *tree,
                                st_partiql_statement **out_statement)
{
    *out_statement = NULL;
    bool is_exists = tree->kind == ST_PARTIQL__TREE_CALL;
    const st_partiql__form *form = is_exists ? tree->first->form : tree->form;
    st_partiql_statement *statement = st_partiql__alloc(parser->op, 1, sizeof *statement);
    if (!statement) {
        return ST_NO_MEMORY;
    }
    statement->verb = is_exists ? ST_PARTIQL_EXISTS : form->verb;
    statement->returning = (st_partiql_returning)form->returning;
    switch (form->verb) {
    case ST_PARTIQL_INSERT:
        ST_TRY(partiql_bind_insert(parser, form, statement));
        break;
    case ST_PARTIQL_UPDATE:
        ST_TRY(partiql_bind_update(parser, form, statement));
        break;
    case ST_PARTIQL_DELETE:
        ST_TRY(partiql_bind_delete(parser, form, statement));
        break;
    default:
        ST_TRY(partiql_bind_select(parser, form, statement));
        break;
    }
    *out_statement = statement;
    return ST_OK;
}
