/* Statements and their clauses, as PartiQL has them. What the service does not have is read all the
 * same and noted, for it complains of it only when the whole text is well formed.
 */
#include "partiql/partiql_internal.h"

/* ---- SELECT ----------------------------------------------------------------------------- */

#define PARTIQL_SELECT_PRECEDENCE 6 /* UNION and its like end a clause */

static void partiql_unsupported(st_partiql__form *form, const char *clause,
                                st_partiql_position position)
{
    if (!form->unsupported) {
        form->unsupported = clause;
        form->unsupported_position = position;
    }
}

/* [AS] name; keyword_too: also AT name and BY name. */
static st_status partiql_alias(st_partiql__parser *parser, st_partiql__form *form, bool keyword_too)
{
    bool has_word = st_partiql__skip_word(parser, ST_PARTIQL__WORD_AS);
    if (!has_word && keyword_too) {
        has_word = st_partiql__skip_word(parser, ST_PARTIQL__WORD_AT) ||
                   st_partiql__skip_word(parser, ST_PARTIQL__WORD_BY);
    }
    bool is_name =
        parser->at->kind == ST_PARTIQL__NAME || parser->at->kind == ST_PARTIQL__QUOTED_NAME;
    if (is_name) {
        parser->at++;
        form->is_aliased = true;
        return ST_OK;
    }
    return has_word ? st_partiql__malformed(parser, "Expected identifier for AS-alias") : ST_OK;
}

static st_status partiql_select_list(st_partiql__parser *parser, st_partiql__form *form)
{
    do {
        st_partiql__tree *item;
        if (st_partiql__skip(parser, ST_PARTIQL__STAR)) {
            form->is_all = true;
            form->projection.count++;
            continue;
        }
        ST_TRY(st_partiql__expression(parser, 0, &item));
        st_partiql__list_add(&form->projection, item);
        ST_TRY(partiql_alias(parser, form, false));
    } while (st_partiql__skip(parser, ST_PARTIQL__COMMA));
    return form->is_all && form->projection.count > 1
               ? st_partiql__malformed(parser, "Other expressions may not be present in the select "
                                               "list when '*' is used without dot notation.")
               : ST_OK;
}

/* The words of a join, all of them but JOIN optional; false when there is no join here. */
static bool partiql_skip_join(st_partiql__parser *parser, bool *out_cross)
{
    static const st_partiql__word words[] = {
        ST_PARTIQL__WORD_INNER, ST_PARTIQL__WORD_LEFT,  ST_PARTIQL__WORD_RIGHT,
        ST_PARTIQL__WORD_FULL,  ST_PARTIQL__WORD_OUTER, ST_PARTIQL__WORD_CROSS,
    };
    const st_partiql__token *first = parser->at;
    *out_cross = false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (st_partiql__skip_word(parser, words[i])) {
            *out_cross = words[i] == ST_PARTIQL__WORD_CROSS;
        }
    }
    if (st_partiql__skip_word(parser, ST_PARTIQL__WORD_JOIN)) {
        return true;
    }
    parser->at = first;
    return false;
}

static st_status partiql_from_list(st_partiql__parser *parser, st_partiql__form *form)
{
    bool is_more = true, needs_on = false;
    while (is_more) {
        st_partiql__tree *table;
        ST_TRY(st_partiql__expression(parser, PARTIQL_SELECT_PRECEDENCE, &table));
        st_partiql__list_add(&form->from, table);
        ST_TRY(partiql_alias(parser, form, true));
        if (needs_on) {
            st_partiql__tree *condition;
            if (!st_partiql__skip_word(parser, ST_PARTIQL__WORD_ON)) {
                return st_partiql__malformed(parser, "Expected 'ON'");
            }
            ST_TRY(st_partiql__expression(parser, PARTIQL_SELECT_PRECEDENCE, &condition));
        }
        bool is_cross = true;
        is_more =
            st_partiql__skip(parser, ST_PARTIQL__COMMA) || partiql_skip_join(parser, &is_cross);
        needs_on = !is_cross;
    }
    return ST_OK;
}

static st_status partiql_where(st_partiql__parser *parser, st_partiql__form *form)
{
    return st_partiql__skip_word(parser, ST_PARTIQL__WORD_WHERE)
               ? st_partiql__expression(parser, PARTIQL_SELECT_PRECEDENCE, &form->where)
               : ST_OK;
}

static st_status partiql_expect_by(st_partiql__parser *parser)
{
    return st_partiql__skip_word(parser, ST_PARTIQL__WORD_BY)
               ? ST_OK
               : st_partiql__malformed(parser, "Expected BY");
}

/* NULLS is a word of this place only. */
static st_status partiql_nulls(st_partiql__parser *parser)
{
    if (parser->at->kind != ST_PARTIQL__NAME || !st_partiql__is_text(parser->at->text, "nulls")) {
        return ST_OK;
    }
    parser->at++;
    return st_partiql__skip_word(parser, ST_PARTIQL__WORD_FIRST) ||
                   st_partiql__skip_word(parser, ST_PARTIQL__WORD_LAST)
               ? ST_OK
               : st_partiql__malformed(parser, "Expected FIRST OR LAST keyword");
}

static st_status partiql_order_by(st_partiql__parser *parser, st_partiql__form *form)
{
    if (!st_partiql__skip_word(parser, ST_PARTIQL__WORD_ORDER)) {
        return ST_OK;
    }
    ST_TRY(partiql_expect_by(parser));
    do {
        st_partiql__tree *term;
        ST_TRY(st_partiql__expression(parser, PARTIQL_SELECT_PRECEDENCE, &term));
        term->is_negative ^= st_partiql__skip_word(parser, ST_PARTIQL__WORD_DESC);
        (void)st_partiql__skip_word(parser, ST_PARTIQL__WORD_ASC);
        ST_TRY(partiql_nulls(parser));
        st_partiql__list_add(&form->order, term);
    } while (st_partiql__skip(parser, ST_PARTIQL__COMMA));
    return ST_OK;
}

/* A clause of one expression, or of several. */
static st_status partiql_skip_clause(st_partiql__parser *parser, st_partiql__form *form,
                                     const char *clause)
{
    bool is_first = true;
    do {
        st_partiql__tree *tree;
        ST_TRY(st_partiql__expression(parser, PARTIQL_SELECT_PRECEDENCE, &tree));
        if (is_first) {
            partiql_unsupported(form, clause, tree->position);
        }
        is_first = false;
    } while (st_partiql__skip(parser, ST_PARTIQL__COMMA));
    return ST_OK;
}

static st_status partiql_select(st_partiql__parser *parser, st_partiql__form *form)
{
    form->verb = ST_PARTIQL_SELECT;
    st_partiql_position position = parser->at->position;
    if (st_partiql__skip_word(parser, ST_PARTIQL__WORD_DISTINCT)) {
        partiql_unsupported(form, "DISTINCT", position);
    } else {
        (void)st_partiql__skip_word(parser, ST_PARTIQL__WORD_ALL);
    }
    position = parser->at->position;
    if (st_partiql__skip_word(parser, ST_PARTIQL__WORD_VALUE)) {
        partiql_unsupported(form, "SELECT VALUE", position);
    }
    ST_TRY(partiql_select_list(parser, form));
    if (!st_partiql__skip_word(parser, ST_PARTIQL__WORD_FROM)) {
        return st_partiql__malformed(parser, "Expected FROM after SELECT list");
    }
    ST_TRY(partiql_from_list(parser, form));
    ST_TRY(partiql_where(parser, form));
    if (st_partiql__skip_word(parser, ST_PARTIQL__WORD_GROUP)) {
        ST_TRY(partiql_expect_by(parser));
        ST_TRY(partiql_skip_clause(parser, form, "GROUP BY"));
    }
    if (st_partiql__skip_word(parser, ST_PARTIQL__WORD_HAVING)) {
        ST_TRY(partiql_skip_clause(parser, form, "HAVING"));
    }
    ST_TRY(partiql_order_by(parser, form));
    return st_partiql__skip_word(parser, ST_PARTIQL__WORD_LIMIT)
               ? partiql_skip_clause(parser, form, "LIMIT")
               : ST_OK;
}

/* ---- writes ----------------------------------------------------------------------------- */

static st_status partiql_returning(st_partiql__parser *parser, st_partiql__form *form)
{
    if (!st_partiql__skip_word(parser, ST_PARTIQL__WORD_RETURNING)) {
        return ST_OK;
    }
    bool is_modified = st_partiql__skip_word(parser, ST_PARTIQL__WORD_MODIFIED);
    bool is_all = !is_modified && st_partiql__skip_word(parser, ST_PARTIQL__WORD_ALL);
    bool is_new = st_partiql__skip_word(parser, ST_PARTIQL__WORD_NEW);
    bool is_old = !is_new && st_partiql__skip_word(parser, ST_PARTIQL__WORD_OLD);
    if ((!is_modified && !is_all) || (!is_new && !is_old)) {
        return st_partiql__malformed(
            parser, "Expected ( MODIFIED | ALL ) ( NEW | OLD ) in each returning element.");
    }
    form->returning =
        (uint8_t)(is_all ? (is_new ? ST_PARTIQL_RETURNING_ALL_NEW : ST_PARTIQL_RETURNING_ALL_OLD)
                         : (is_new ? ST_PARTIQL_RETURNING_MODIFIED_NEW
                                   : ST_PARTIQL_RETURNING_MODIFIED_OLD));
    if (st_partiql__skip(parser, ST_PARTIQL__STAR)) {
        return ST_OK;
    }
    st_partiql__tree *column;
    ST_TRY(st_partiql__expression(parser, 0, &column));
    return st_partiql__malformed(parser, "Unsupported syntax in RETURNING columns.");
}

static st_status partiql_table(st_partiql__parser *parser, st_partiql__form *form)
{
    st_partiql__tree *table;
    ST_TRY(st_partiql__simple_path(parser, &table));
    st_partiql__list_add(&form->from, table);
    return partiql_alias(parser, form, true);
}

static st_status partiql_set(st_partiql__parser *parser, st_partiql__form *form)
{
    do {
        st_partiql__tree *target, *value;
        ST_TRY(st_partiql__simple_path(parser, &target));
        if (parser->at->operator_ != ST_PARTIQL__OP_EQUAL) {
            return st_partiql__malformed(parser, "Expected '='");
        }
        parser->at++;
        ST_TRY(st_partiql__expression(parser, 0, &value));
        st_partiql__list_add(&form->targets, target);
        st_partiql__list_add(&form->values, value);
    } while (st_partiql__skip(parser, ST_PARTIQL__COMMA));
    return ST_OK;
}

/* SET and REMOVE clauses, at least one, in any order. */
static st_status partiql_changes(st_partiql__parser *parser, st_partiql__form *form)
{
    for (;;) {
        if (st_partiql__skip_word(parser, ST_PARTIQL__WORD_SET)) {
            ST_TRY(partiql_set(parser, form));
        } else if (st_partiql__skip_word(parser, ST_PARTIQL__WORD_REMOVE)) {
            st_partiql__tree *path;
            ST_TRY(st_partiql__simple_path(parser, &path));
            st_partiql__list_add(&form->removals, path);
        } else {
            return form->targets.count + form->removals.count == 0
                       ? st_partiql__malformed(parser, "Expected data manipulation")
                       : ST_OK;
        }
    }
}

static st_status partiql_insert(st_partiql__parser *parser, st_partiql__form *form)
{
    form->verb = ST_PARTIQL_INSERT;
    st_partiql__tree *table;
    ST_TRY(st_partiql__simple_path(parser, &table));
    st_partiql__list_add(&form->from, table);
    st_partiql_position position = parser->at->position;
    if (!st_partiql__skip_word(parser, ST_PARTIQL__WORD_VALUE)) {
        partiql_unsupported(form, "INSERT", position);
    }
    ST_TRY(st_partiql__expression(parser, 0, &form->item));
    if (st_partiql__skip_word(parser, ST_PARTIQL__WORD_AT)) {
        ST_TRY(partiql_skip_clause(parser, form, "AT"));
    }
    position = parser->at->position;
    if (st_partiql__skip_word(parser, ST_PARTIQL__WORD_ON)) {
        partiql_unsupported(form, "ON CONFLICT", position);
        st_partiql__tree *condition;
        if (!st_partiql__skip_word(parser, ST_PARTIQL__WORD_CONFLICT) ||
            !st_partiql__skip_word(parser, ST_PARTIQL__WORD_WHERE)) {
            return st_partiql__malformed(parser, "Expected WHERE keyword");
        }
        ST_TRY(st_partiql__expression(parser, 0, &condition));
        if (!st_partiql__skip_word(parser, ST_PARTIQL__WORD_DO) ||
            !st_partiql__skip_word(parser, ST_PARTIQL__WORD_NOTHING)) {
            return st_partiql__malformed(parser, "Expected DO NOTHING keyword");
        }
    }
    return partiql_returning(parser, form);
}

static st_status partiql_delete(st_partiql__parser *parser, st_partiql__form *form)
{
    form->verb = ST_PARTIQL_DELETE;
    if (!st_partiql__skip_word(parser, ST_PARTIQL__WORD_FROM)) {
        return st_partiql__malformed(parser, "Expected FROM after DELETE");
    }
    ST_TRY(partiql_table(parser, form));
    ST_TRY(partiql_where(parser, form));
    return partiql_returning(parser, form);
}

/* UPDATE table changes WHERE, or FROM table WHERE changes. */
static st_status partiql_update(st_partiql__parser *parser, st_partiql__form *form, bool from_first)
{
    form->verb = ST_PARTIQL_UPDATE;
    if (from_first) {
        ST_TRY(partiql_from_list(parser, form));
        ST_TRY(partiql_where(parser, form));
        ST_TRY(partiql_changes(parser, form));
    } else {
        ST_TRY(partiql_table(parser, form));
        ST_TRY(partiql_changes(parser, form));
        ST_TRY(partiql_where(parser, form));
    }
    return partiql_returning(parser, form);
}

bool st_partiql__at_statement(const st_partiql__parser *parser)
{
    switch ((st_partiql__word)parser->at->word) {
    case ST_PARTIQL__WORD_SELECT:
    case ST_PARTIQL__WORD_UPDATE:
    case ST_PARTIQL__WORD_DELETE:
    case ST_PARTIQL__WORD_FROM:
        return true;
    case ST_PARTIQL__WORD_INSERT:
        return parser->at[1].word == ST_PARTIQL__WORD_INTO;
    default:
        return false;
    }
}

st_status st_partiql__form_parse(st_partiql__parser *parser, st_partiql__tree **out_tree)
{
    ST_TRY(st_partiql__tree_new(parser, ST_PARTIQL__TREE_STATEMENT, parser->at, out_tree));
    st_partiql__form *form = st_partiql__alloc(parser->op, 1, sizeof *form);
    if (!form) {
        return ST_NO_MEMORY;
    }
    (*out_tree)->form = form;
    switch ((st_partiql__word)(parser->at++)->word) {
    case ST_PARTIQL__WORD_SELECT:
        return partiql_select(parser, form);
    case ST_PARTIQL__WORD_INSERT:
        parser->at++;
        return partiql_insert(parser, form);
    case ST_PARTIQL__WORD_DELETE:
        return partiql_delete(parser, form);
    default:
        return partiql_update(parser, form, parser->at[-1].word == ST_PARTIQL__WORD_FROM);
    }
}
