/* A statement with four parameters. What is parsed can be printed; what is printed parses, unless
 * its quotes and parentheses make it too long or too deep, and prints the same. Every node says
 * where it stands.
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "partiql/partiql.h"
#include "support/partiql_print.h"

static st_status parse(st_op *op, st_slice text, st_partiql_statement **out_statement)
{
    static const uint8_t string[] = {ST_TAG_S, 2, 'i', 't'};
    static const uint8_t number[] = {ST_TAG_NUMBER_TEXT, 3, '1', '.', '5'};
    static const uint8_t set[] = {ST_TAG_SS, 4, 0, 0, 0, 2, 0, 0, 0, 1, 'a', 1, 'b'};
    static const uint8_t map[] = {ST_TAG_M, 3, 0, 0, 0, 1, 0, 0, 0, 1, 'k', ST_TAG_TRUE};
    const st_slice parameters[] = {st_slice_of(map, sizeof map), st_slice_of(string, sizeof string),
                                   st_slice_of(set, sizeof set),
                                   st_slice_of(number, sizeof number)};
    st_op_clear(op);
    st_status status = st_partiql_parse(op, text, parameters, 4, out_statement);
    FUZZ_CHECK(op, (status == ST_OK) == (*out_statement != NULL));
    return status;
}

static void check_node(const st_op *op, const st_partiql_node *node)
{
    FUZZ_CHECK(op, node->position.line >= 1 && node->position.column >= 1);
    FUZZ_CHECK(op, node->position.length >= 1);
    for (uint32_t i = 0; i < node->count; i++) {
        check_node(op, &node->operands[i]);
    }
}

/* Whether what is printed says all that was parsed. */
static bool has_names_to_order_by(const st_partiql_statement *statement)
{
    for (uint32_t i = 0; i < statement->order_count; i++) {
        if (statement->order[i].other) {
            return false;
        }
    }
    return true;
}

static void check_round(st_op *op, const st_partiql_statement *statement)
{
    st_buf first, second;
    st_buf_init(&first, fuzz_alloc());
    st_buf_init(&second, fuzz_alloc());
    partiql_print(statement, &first);
    st_partiql_statement *again;
    st_status status = parse(op, st_buf_view(&first), &again);
    if (status == ST_OK) {
        partiql_print(again, &second);
        FUZZ_CHECK(op, st_slice_equal(st_buf_view(&first), st_buf_view(&second)));
    } else {
        FUZZ_CHECK(op, strstr(op->error.message, "nested too deeply") ||
                           strstr(op->error.message, "less than or equal to 8192"));
    }
    st_buf_deinit(&second);
    st_buf_deinit(&first);
}

void fuzz_target(st_slice input)
{
    st_op op;
    st_op_init(&op, fuzz_alloc());
    st_partiql_statement *statement;
    st_status status = parse(&op, input, &statement);
    if (fuzz_is_ok(&op, status, input.size, fuzz_refusals)) {
        if (statement->where) {
            check_node(&op, statement->where);
        }
        for (uint32_t i = 0; i < statement->assignment_count; i++) {
            check_node(&op, &statement->assignments[i].value);
        }
        if (has_names_to_order_by(statement)) {
            check_round(&op, statement);
        }
    }
    st_op_deinit(&op);
}
