/* The parse of a statement, in the order in which the service complains: length, parameters, a call
 * in the SELECT list, syntax, what the statement is, the number of parameters, terms, operands.
 */
#include "partiql/partiql_internal.h"

#define PARTIQL_SHOWN 96u /* bytes of a statement of a wrong length in the message */

static st_status partiql_check_length(st_op *op, st_slice text)
{
    size_t length = st_partiql_text_length(text);
    if (length >= 1 && length <= ST_PARTIQL_TEXT_MAX) {
        return ST_OK;
    }
    size_t bytes = text.size < PARTIQL_SHOWN ? text.size : PARTIQL_SHOWN;
    size_t valid = bytes;
    st_partiql__line line = {.size = 0};
    (void)st_utf8_valid(st_slice_of(text.data, bytes), &valid);
    st_partiql__line_add(&line, st_slice_of(text.data, valid < bytes ? valid : bytes));
    return st_fail(op, ST_INVALID_ARGUMENT,
                   "1 validation error detected: Value '%s' at 'statement' failed to satisfy "
                   "constraint: Member must have length %s than or equal to %u",
                   line.text, length < 1 ? "greater" : "less",
                   length < 1 ? 1u : ST_PARTIQL_TEXT_MAX);
}

/* Calls between SELECT and FROM, whatever else is wrong there. */
static st_status partiql_check_select_calls(st_op *op, const st_partiql__token *tokens)
{
    if (tokens->word != ST_PARTIQL__WORD_SELECT) {
        return ST_OK;
    }
    for (const st_partiql__token *token = tokens + 1;
         token->kind != ST_PARTIQL__EOF && token->word != ST_PARTIQL__WORD_FROM; token++) {
        bool is_name = token->kind == ST_PARTIQL__NAME || token->kind == ST_PARTIQL__QUOTED_NAME ||
                       token->word == ST_PARTIQL__WORD_FUNCTION;
        if (is_name && token[1].kind == ST_PARTIQL__LEFT_PAREN) {
            return st_fail(op, ST_INVALID_ARGUMENT, "Unexpected path component" ST_PARTIQL__AT,
                           ST_PARTIQL__AT_OF(token->position));
        }
    }
    return ST_OK;
}

static st_status partiql_parse_all(st_partiql__parser *parser, st_partiql__tree **out_tree)
{
    ST_TRY(st_partiql__expression(parser, 0, out_tree));
    if (st_partiql__at_end(parser)) {
        return ST_OK;
    }
    return st_partiql__malformed(
        parser, parser->at->kind == ST_PARTIQL__SEMICOLON
                    ? "Unexpected token after semicolon. (Only one query is allowed.)"
                    : "Unexpected token after expression");
}

static st_status partiql_check_operation(st_op *op, const st_partiql__tree *tree)
{
    bool is_exists = tree->kind == ST_PARTIQL__TREE_CALL &&
                     st_partiql__is_text(tree->text, "exists") && tree->count == 1 &&
                     tree->first->kind == ST_PARTIQL__TREE_STATEMENT;
    if (is_exists || tree->kind == ST_PARTIQL__TREE_STATEMENT) {
        return ST_OK;
    }
    if (tree->kind == ST_PARTIQL__TREE_CALL || tree->kind == ST_PARTIQL__TREE_OPERATOR) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "EXISTS can only be used in ExecuteTransaction write requests.");
    }
    return st_fail(op, ST_INVALID_ARGUMENT, "Unsupported operation: %s",
                   st_partiql__tree_name(tree));
}

st_status st_partiql_parse(st_op *op, st_slice text, const st_slice *parameters,
                           uint32_t parameter_count, st_partiql_statement **out_statement)
{
    *out_statement = NULL;
    ST_TRY(partiql_check_length(op, text));
    for (uint32_t i = 0; i < parameter_count; i++) {
        ST_TRY(st_partiql__check_parameter(op, parameters[i]));
    }
    st_partiql__token *tokens;
    uint32_t question_count;
    ST_TRY(st_partiql__lex(op, text, &tokens, &question_count));
    ST_TRY(partiql_check_select_calls(op, tokens));
    st_partiql__parser parser = {
        .op = op,
        .at = tokens,
        .parameters = parameters,
        .parameter_count = parameter_count,
    };
    st_partiql__tree *tree;
    ST_TRY(partiql_parse_all(&parser, &tree));
    ST_TRY(partiql_check_operation(op, tree));
    if (question_count > parameter_count) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Number of parameters in request and statement don't match.");
    }
    st_partiql_statement *statement;
    ST_TRY(st_partiql__statement(&parser, tree, &statement));
    ST_TRY(st_partiql__check_operands(op, statement));
    *out_statement = statement;
    return ST_OK;
}
