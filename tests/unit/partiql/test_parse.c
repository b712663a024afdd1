/* What statements mean: each is printed in full, and what is printed means the same. */
#include "partiql_support.h"
#include "support/partiql_print.h"

typedef struct parse_row {
    const char *text, *parameters, *printed;
} parse_row;

static void assert_prints(partiql_case *c, const parse_row *row)
{
    if (partiql_parse(c, row->text, row->parameters) != ST_OK) {
        fail_msg("%s\nis refused: %s", row->text, c->op.error.message);
    }
    st_buf first, second;
    st_buf_init(&first, st_alloc_process());
    st_buf_init(&second, st_alloc_process());
    partiql_print(c->statement, &first);
    st_buf_byte(&first, 0);
    assert_string_equal((const char *)first.data, row->printed);
    if (!strchr(row->printed, '?') && !strstr(row->printed, "LITERAL")) {
        if (partiql_parse_bytes(c, st_slice_str((const char *)first.data)) != ST_OK) {
            fail_msg("%s\nis refused: %s", (const char *)first.data, c->op.error.message);
        }
        partiql_print(c->statement, &second);
        st_buf_byte(&second, 0);
        assert_string_equal((const char *)second.data, row->printed);
    }
    st_buf_deinit(&first);
    st_buf_deinit(&second);
}

static void assert_all_print(void **state, const parse_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_prints(*state, &rows[i]);
    }
}

#define ASSERT_ALL_PRINT(state, rows) assert_all_print(state, rows, sizeof rows / sizeof rows[0])

static void test_select_names_attributes_table_index_condition_and_order(void **state)
{
    static const parse_row rows[] = {
        {"SELECT * FROM t", NULL, "SELECT * FROM \"t\""},
        {"select*from t;", NULL, "SELECT * FROM \"t\""},
        {"SELECT ALL a, \"b c\" FROM \"t-1\"", NULL, "SELECT \"a\", \"b c\" FROM \"t-1\""},
        {"SELECT \"a.b\", c.d[1]['e'] FROM t", NULL,
         "SELECT \"a.b\", \"c\".\"d\"[1].\"e\" FROM \"t\""},
        {"SELECT \"a\"\"b\" FROM t", NULL, "SELECT \"a\"\"b\" FROM \"t\""},
        {"SELECT * FROM \"t\".\"i\"", NULL, "SELECT * FROM \"t\".\"i\""},
        {"SELECT * FROM t['i'] WHERE a=1", NULL, "SELECT * FROM \"t\".\"i\" WHERE \"a\" = 1"},
        {"SELECT year FROM t", NULL, "SELECT \"year\" FROM \"t\""},
        {"SELECT * FROM t WHERE a = 1 ORDER BY b", NULL,
         "SELECT * FROM \"t\" WHERE \"a\" = 1 ORDER BY \"b\" ASC"},
        {"SELECT * FROM t WHERE a = 1 ORDER BY b DESC NULLS LAST, a ASC NULLS FIRST", NULL,
         "SELECT * FROM \"t\" WHERE \"a\" = 1 ORDER BY \"b\" DESC, \"a\" ASC"},
        {"SELECT * FROM t -- the end\n WHERE /* all of\n it */ a = 1 ;", NULL,
         "SELECT * FROM \"t\" WHERE \"a\" = 1"},
        {"EXISTS(SELECT * FROM t WHERE a = 'x')", NULL,
         "EXISTS(SELECT * FROM \"t\" WHERE \"a\" = 'x')"},
        {"(SELECT a FROM t)", NULL, "SELECT \"a\" FROM \"t\""},
    };
    ASSERT_ALL_PRINT(state, rows);
}

static void test_conditions_follow_precedence_and_parentheses(void **state)
{
#define WHERE(condition, printed)                                                      \
    {                                                                                  \
        "SELECT * FROM t WHERE " condition, NULL, "SELECT * FROM \"t\" WHERE " printed \
    }
    static const parse_row rows[] = {
        WHERE("a = 1 OR b = 2 AND c = 3", "(\"a\" = 1 OR (\"b\" = 2 AND \"c\" = 3))"),
        WHERE("(a = 1 OR b = 2) AND c = 3", "((\"a\" = 1 OR \"b\" = 2) AND \"c\" = 3)"),
        WHERE("a = 1 AND b = 2 AND c = 3", "(\"a\" = 1 AND \"b\" = 2 AND \"c\" = 3)"),
        WHERE("a = 1 AND (b = 2 AND c = 3)", "(\"a\" = 1 AND (\"b\" = 2 AND \"c\" = 3))"),
        WHERE("(a = 1 AND b = 2) AND c = 3", "((\"a\" = 1 AND \"b\" = 2) AND \"c\" = 3)"),
        WHERE("NOT a = 1 AND b = 2", "(NOT \"a\" = 1 AND \"b\" = 2)"),
        WHERE("not not (a = 1 or b = 2)", "NOT NOT (\"a\" = 1 OR \"b\" = 2)"),
        WHERE("a <> 1 AND a != 2", "(\"a\" <> 1 AND \"a\" <> 2)"),
        WHERE("1 < a AND a <= b AND a > 0 AND a >= -1",
              "(1 < \"a\" AND \"a\" <= \"b\" AND \"a\" > 0 AND \"a\" >= -1)"),
        WHERE("a BETWEEN 1 AND 2 AND b = 1", "(\"a\" BETWEEN 1 AND 2 AND \"b\" = 1)"),
        WHERE("a NOT BETWEEN 'x' AND 'x'", "NOT \"a\" BETWEEN 'x' AND 'x'"),
        WHERE("a IN [1, 2] OR a IN (3) OR a NOT IN ('x', 'y')",
              "(\"a\" IN [1, 2] OR \"a\" IN [3] OR NOT \"a\" IN ['x', 'y'])"),
        WHERE("5 IN [a, b]", "5 IN [\"a\", \"b\"]"),
        WHERE("a IS MISSING AND b IS NOT NULL", "(\"a\" IS MISSING AND NOT \"b\" IS NULL)"),
        WHERE("a IS BOOLEAN AND a IS BLOB AND a IS STRING AND a IS NUMERIC",
              "(\"a\" IS BOOLEAN AND \"a\" IS BLOB AND \"a\" IS STRING AND \"a\" IS NUMERIC)"),
        WHERE("a IS STRUCT AND a IS TUPLE AND a IS list",
              "(\"a\" IS STRUCT AND \"a\" IS STRUCT AND \"a\" IS LIST)"),
        WHERE("attribute_exists(a.b) AND Attribute_Not_Exists(c)",
              "(attribute_exists(\"a\".\"b\") AND attribute_not_exists(\"c\"))"),
        WHERE("attribute_type(a, 'SS') OR begins_with(a, 'x') OR contains(a, 1)",
              "(attribute_type(\"a\", 'SS') OR begins_with(\"a\", 'x') OR contains(\"a\", 1))"),
        WHERE("SIZE(a) > 3 AND contains(a, 'x') = true",
              "(size(\"a\") > 3 AND contains(\"a\", 'x') = TRUE)"),
        WHERE("\"size\"(a) = 1", "size(\"a\") = 1"),
        WHERE("a = <<1>> AND b = <<'x', 'y'>>", "(\"a\" = <<1>> AND \"b\" = <<'x', 'y'>>)"),
        WHERE("@a = 1", "\"a\" = 1"),
    };
    ASSERT_ALL_PRINT(state, rows);
}

static void test_literals_keep_their_values(void **state)
{
    static const parse_row rows[] = {
        WHERE("a = 'it''s' OR a = '' OR a = 'öäü'",
              "(\"a\" = 'it''s' OR \"a\" = '' OR \"a\" = 'öäü')"),
        WHERE("a = .5 OR a = 1e5 OR a = 1.50 OR a = 5. OR a = 2.e1 OR a = 1E+3",
              "(\"a\" = .5 OR \"a\" = 1e5 OR \"a\" = 1.50 OR \"a\" = 5. OR \"a\" = 2.e1 OR \"a\" = "
              "1E+3)"),
        WHERE("a = +1 OR a = - 1 OR a = - -1", "(\"a\" = 1 OR \"a\" = -1 OR \"a\" = 1)"),
        WHERE("a = true OR a = FALSE OR a = Null",
              "(\"a\" = TRUE OR \"a\" = FALSE OR \"a\" = NULL)"),
        WHERE("a = [] OR a = {} OR a = [1, [2], {'x': {'y': []}}]",
              "(\"a\" = [] OR \"a\" = {} OR \"a\" = [1, [2], {'x': {'y': []}}])"),
        WHERE("a = (1, 2)", "\"a\" = [1, 2]"),
        WHERE("a = list(1) OR a = bag(1)", "(\"a\" = [1] OR \"a\" = <<1>>)"),
    };
    ASSERT_ALL_PRINT(state, rows);
#undef WHERE
}

static void test_parameters_take_the_place_of_question_marks(void **state)
{
    static const parse_row rows[] = {
        {"SELECT * FROM t WHERE a = ? AND b IN [?, ?]",
         "{\"0\":{\"S\":\"x\"},\"1\":{\"N\":\"2\"},\"2\":{\"SS\":[\"b\",\"a\"]}}",
         "SELECT * FROM \"t\" WHERE (\"a\" = 'x' AND \"b\" IN [2, <<'b', 'a'>>])"},
        {"INSERT INTO t VALUE {'a': ?, 'b': [?]}", "{\"0\":{\"BOOL\":true},\"1\":{\"NULL\":true}}",
         "INSERT INTO \"t\" VALUE {'a': TRUE, 'b': [NULL]}"},
        {"INSERT INTO t VALUE ?", "{\"0\":{\"M\":{\"a\":{\"L\":[{\"N\":\"1\"}]}}}}",
         "INSERT INTO \"t\" VALUE {'a': [1]}"},
        {"FROM t WHERE a = ? SET b = ?", "{\"0\":{\"N\":\"1\"},\"1\":{\"N\":\"2\"}}",
         "UPDATE \"t\" SET \"b\" = 2 WHERE \"a\" = 1"},
        {"UPDATE t SET b = ? WHERE a = '?'", "{\"0\":{\"B\":\"AQ==\"},\"1\":{\"N\":\"surplus\"}}",
         NULL},
        {"DELETE FROM t WHERE a = ?", "{\"0\":{\"B\":\"AQ==\"},\"1\":{\"BS\":[\"AQ==\",\"\"]}}",
         "DELETE FROM \"t\" WHERE \"a\" = ?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].printed) {
            assert_prints(*state, &rows[i]);
        } else {
            /* surplus parameters are checked like all others */
            assert_int_equal(partiql_parse(*state, rows[i].text, rows[i].parameters),
                             ST_INVALID_ARGUMENT);
        }
    }
}

static void test_writes_name_their_changes_and_what_they_return(void **state)
{
    static const parse_row rows[] = {
        {"INSERT INTO t VALUE {'pk': 'x', 'n': -1.5, 's': <<'a'>>, 'm': {}}", NULL,
         "INSERT INTO \"t\" VALUE {'pk': 'x', 'n': -1.5, 's': <<'a'>>, 'm': {}}"},
        {"insert into \"t\" value {};", NULL, "INSERT INTO \"t\" VALUE {}"},
        {"UPDATE t SET a = 1 WHERE pk = 'x'", NULL,
         "UPDATE \"t\" SET \"a\" = 1 WHERE \"pk\" = 'x'"},
        {"UPDATE t SET a = 1, b.c = b.d SET e = a + 1 REMOVE f REMOVE g[0] SET h = 1 - a", NULL,
         "UPDATE \"t\" SET \"a\" = 1, \"b\".\"c\" = \"b\".\"d\", \"e\" = (\"a\" + 1), \"h\" = (1 - "
         "\"a\") REMOVE \"f\" REMOVE \"g\"[0]"},
        {"UPDATE t REMOVE a WHERE pk = 'x' RETURNING MODIFIED OLD *", NULL,
         "UPDATE \"t\" REMOVE \"a\" WHERE \"pk\" = 'x' RETURNING MODIFIED OLD *"},
        {"UPDATE t SET a = list_append(a, [1]) SET b = if_not_exists(b, 0) + 1", NULL,
         "UPDATE \"t\" SET \"a\" = list_append(\"a\", [1]), \"b\" = (if_not_exists(\"b\", 0) + 1)"},
        {"UPDATE t SET s = SET_ADD(s, <<'x'>>), r.s = set_delete(r['s'], <<1>>)", NULL,
         "UPDATE \"t\" SET \"s\" = set_add(\"s\", <<'x'>>), \"r\".\"s\" = set_delete(\"r\".\"s\", "
         "<<1>>)"},
        {"FROM t WHERE pk = 'x' REMOVE a SET b = 1 RETURNING ALL NEW *", NULL,
         "UPDATE \"t\" SET \"b\" = 1 REMOVE \"a\" WHERE \"pk\" = 'x' RETURNING ALL NEW *"},
        {"UPDATE t SET a = 1 RETURNING ALL OLD *", NULL,
         "UPDATE \"t\" SET \"a\" = 1 RETURNING ALL OLD *"},
        {"UPDATE t SET a = 1 RETURNING MODIFIED NEW *", NULL,
         "UPDATE \"t\" SET \"a\" = 1 RETURNING MODIFIED NEW *"},
        {"DELETE FROM t WHERE pk = 'x' returning all old *", NULL,
         "DELETE FROM \"t\" WHERE \"pk\" = 'x' RETURNING ALL OLD *"},
        {"DELETE FROM t", NULL, "DELETE FROM \"t\""},
    };
    ASSERT_ALL_PRINT(state, rows);
}

static void test_positions_count_lines_and_code_points(void **state)
{
    partiql_case *c = *state;
    assert_int_equal(
        partiql_parse(c, "SELECT a, \"ö\", bc\r\nFROM t\rWHERE\n 'ü' = d.e ORDER BY x.y", NULL),
        ST_OK);
    const st_partiql_statement *s = c->statement;
    assert_int_equal(s->projection[1].position.column, 11);
    assert_int_equal(s->projection[1].position.length, 3);
    assert_int_equal(s->projection[2].position.line, 1);
    assert_int_equal(s->projection[2].position.column, 16);
    assert_int_equal(s->where->position.line, 4);
    assert_int_equal(s->where->position.column, 6);
    assert_int_equal(s->where->position.length, 1);
    assert_int_equal(s->where->operands[0].position.length, 3);
    assert_int_equal(s->where->operands[1].position.column, 8);
    assert_int_equal(s->order[0].position.column, 21);
    assert_int_equal(s->order[0].position.length, 1);
    assert_string_equal(s->order[0].other, "PATH");
    assert_int_equal(s->order[0].name.size, 0);
}

static void test_what_only_a_table_can_judge_is_parsed(void **state)
{
    static const char *const texts[] = {
        "SELECT * FROM t ORDER BY a",
        "SELECT * FROM t WHERE a = 1 ORDER BY 5",
        "SELECT * FROM t WHERE a = 1 ORDER BY b.c",
        "SELECT * FROM t WHERE pk = 1 OR pk = 1.0",
        "UPDATE t SET a = 1, a = 2",
        "DELETE FROM t WHERE a = 1 OR a = 2",
        "INSERT INTO t VALUE {'a': 1, 'a': 2}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(partiql_parse(*state, texts[i], NULL), ST_OK);
    }
}

int main(void)
{
#define PARSE_TEST(name) cmocka_unit_test_setup_teardown(name, partiql_setup, partiql_teardown)
    const struct CMUnitTest tests[] = {
        PARSE_TEST(test_select_names_attributes_table_index_condition_and_order),
        PARSE_TEST(test_conditions_follow_precedence_and_parentheses),
        PARSE_TEST(test_literals_keep_their_values),
        PARSE_TEST(test_parameters_take_the_place_of_question_marks),
        PARSE_TEST(test_writes_name_their_changes_and_what_they_return),
        PARSE_TEST(test_positions_count_lines_and_code_points),
        PARSE_TEST(test_what_only_a_table_can_judge_is_parsed),
    };
    return cmocka_run_group_tests_name("partiql_parse", tests, NULL, NULL);
}
