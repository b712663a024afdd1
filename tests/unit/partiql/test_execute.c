/* Statements one at a time. */
#include "execute_support.h"

#define ROW(sk) "{\"sk\":{\"S\":\"" sk "\"}}\n"

static void execute_fill_range(execute_case *c)
{
    execute_must(c, "INSERT INTO \"range\" VALUE {'pk':'p','sk':'1','a':1,'s':<<'x','y'>>}");
    execute_must(c, "INSERT INTO \"range\" VALUE {'pk':'p','sk':'2','a':2,'m':{'k':'v',"
                    "'n':{'o':7}}}");
    execute_must(c, "INSERT INTO \"range\" VALUE {'pk':'p','sk':'3','a':'text','l':[1,2,3]}");
    execute_must(c, "INSERT INTO \"range\" VALUE {'pk':'p','sk':'4','b':true}");
    execute_must(c, "INSERT INTO \"range\" VALUE {'pk':'q','sk':'5','a':1,'z':null}");
}

static void a_select_reads_what_its_key_conditions_leave(void **state)
{
    execute_case *c = *state;
    execute_fill_range(c);
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p'", ROW("1") ROW("2") ROW("3") ROW("4"));
    execute_gives(c, "SELECT sk FROM range WHERE 'p' = pk AND '2' < sk", ROW("3") ROW("4"));
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p' AND sk BETWEEN '2' AND '3'",
                  ROW("2") ROW("3"));
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p' AND begins_with(sk, '3')", ROW("3"));
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p' AND sk = '2'", ROW("2"));
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'none'", "");
    execute_gives(c,
                  "SELECT sk FROM range WHERE pk IN ['q','p'] AND sk IN ['5','2'] ORDER BY pk, sk",
                  ROW("2") ROW("5"));
    execute_gives(c,
                  "SELECT sk FROM range WHERE (pk = 'p' AND sk > '3') OR (pk = 'p' AND sk < '2')",
                  ROW("1") ROW("4"));
}

static void order_by_turns_partitions_and_rows(void **state)
{
    execute_case *c = *state;
    execute_fill_range(c);
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p' ORDER BY sk DESC",
                  ROW("4") ROW("3") ROW("2") ROW("1"));
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p' ORDER BY pk",
                  ROW("4") ROW("3") ROW("2") ROW("1"));
    execute_gives(c, "SELECT sk FROM range WHERE pk IN ['p','q'] ORDER BY pk DESC, sk",
                  ROW("5") ROW("1") ROW("2") ROW("3") ROW("4"));
    execute_gives(c,
                  "SELECT sk FROM range WHERE (pk = 'p' AND sk < '2') OR (pk = 'p' AND sk > '3') "
                  "ORDER BY pk, sk DESC",
                  ROW("4") ROW("1"));
}

static void conditions_decide_what_keys_do_not(void **state)
{
    execute_case *c = *state;
    execute_fill_range(c);
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p' AND a <> 1", ROW("2") ROW("3") ROW("4"));
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p' AND NOT a = 1",
                  ROW("2") ROW("3") ROW("4"));
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p' AND a NOT IN [1, 2]", ROW("3") ROW("4"));
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p' AND a IS MISSING", ROW("4"));
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p' AND a IS NOT STRING",
                  ROW("1") ROW("2") ROW("4"));
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p' AND attribute_exists(a) = false",
                  ROW("4"));
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p' AND contains(s, 'x') = contains(s, 'y')",
                  ROW("1") ROW("2") ROW("3") ROW("4"));
    execute_gives(c, "SELECT sk FROM range WHERE pk = 'p' AND true IN (attribute_exists(l), b)",
                  ROW("3") ROW("4"));
    execute_gives(c,
                  "SELECT sk FROM range WHERE s = <<'y','x'>> OR m.n.o = 7.0 AND size(m) = 2 "
                  "OR l[1] = 2 AND pk = 'q'",
                  ROW("1") ROW("2"));
}

static void a_select_projects_by_last_names(void **state)
{
    execute_case *c = *state;
    execute_fill_range(c);
    execute_gives(c, "SELECT m.n.o, a, a FROM range WHERE pk = 'p' AND sk = '2'",
                  "{\"a\":{\"N\":\"2\"},\"o\":{\"N\":\"7\"}}\n");
    execute_gives(
        c, "SELECT m.k, m FROM range WHERE pk = 'p' AND sk = '2'",
        "{\"k\":{\"S\":\"v\"},\"m\":{\"M\":{\"k\":{\"S\":\"v\"},\"n\":{\"M\":{\"o\":{\"N\":"
        "\"7\"}}}}}}\n");
    execute_gives(c, "SELECT zz FROM range WHERE pk = 'p' AND sk = '2'", "{}\n");
}

static void a_limit_counts_rows_and_a_token_gives_the_rest(void **state)
{
    execute_case *c = *state;
    const char *statement = "SELECT sk FROM range WHERE pk IN ['p','q'] AND a = 1 ORDER BY pk";
    execute_fill_range(c);
    c->call.limit = 3;
    execute_gives(c, statement, "");
    assert_true(execute_keep_token(c));
    execute_gives(c, statement, ROW("1") ROW("5"));
    (void)execute_keep_token(c);
    c->call.limit = 1;
    c->call.next_token = (st_slice){0};
    uint32_t pages = 0;
    do {
        execute_must(c, statement);
        pages++;
    } while (execute_keep_token(c));
    assert_in_range(pages, 5, 6);
}

static void a_token_is_bound_to_its_statement(void **state)
{
    execute_case *c = *state;
    const char *statement = "SELECT sk FROM range WHERE pk = 'p' AND a <> ?";
    execute_fill_range(c);
    c->call.limit = 1;
    assert_int_equal(execute_with(c, statement, "{\"p\":{\"NS\":[\"1\",\"2\"]}}"), ST_OK);
    assert_true(execute_keep_token(c));
    assert_int_equal(execute_with(c, statement, "{\"p\":{\"NS\":[\"2\",\"1\"]}}"), ST_OK);
    assert_string_equal(execute_items(c), ROW("2"));
    assert_int_equal(execute_with(c, statement, "{\"p\":{\"NS\":[\"2\",\"3\"]}}"),
                     ST_INVALID_ARGUMENT);
    assert_string_equal(c->parsed.op.error.message, "NextToken does not match request");
    c->call.next_token = st_slice_str("nonsense");
    execute_fails(c, "SELECT sk FROM range", ST_INVALID_ARGUMENT, "Invalid NextToken");
    c->call.next_token = (st_slice){0};
    assert_int_equal(execute_with(c, statement, "{\"p\":{\"N\":\"5\"}}"), ST_OK);
    assert_true(execute_keep_token(c));
    assert_int_equal(execute_with(c, statement, "{\"p\":{\"N\":\"50e-1\"}}"), ST_INVALID_ARGUMENT);
    assert_int_equal(execute_with(c, statement, "{\"p\":{\"N\":\"0.5e1\"}}"), ST_OK);
}

static void ranges_that_share_a_key_are_refused(void **state)
{
    execute_case *c = *state;
    const char *text = "Overlapping conditions with range keys are not supported in where clause";
    execute_fill_range(c);
    execute_fails(c, "SELECT * FROM range WHERE (pk = 'p' AND sk > '1') OR (pk = 'p' AND sk > '2')",
                  ST_INVALID_ARGUMENT, text);
    execute_fails(c, "SELECT * FROM range WHERE pk IN ['p', 'p'] AND sk = '1'", ST_INVALID_ARGUMENT,
                  text);
    execute_fails(c, "SELECT * FROM rangen WHERE (pk = 'p' AND sk = 1) OR (pk = 'p' AND sk = 1.0)",
                  ST_INVALID_ARGUMENT, text);
    execute_gives(c,
                  "SELECT sk FROM range WHERE (pk = 'p' AND sk > '1' AND sk < '3') OR (pk = 'p' "
                  "AND sk > '2')",
                  ROW("2") ROW("3") ROW("4"));
}

static void what_a_read_may_not_ask_of_a_table_is_refused(void **state)
{
    execute_case *c = *state;
    execute_fails(c, "SELECT * FROM \"missing\".\"ind\"", ST_TABLE_NOT_FOUND,
                  "Requested resource not found");
    execute_fails(c, "SELECT * FROM range.\"nope\" ORDER BY zz", ST_INVALID_ARGUMENT,
                  "The table does not have the specified index");
    execute_fails(c, "SELECT * FROM range ORDER BY a", ST_INVALID_ARGUMENT,
                  "Must have WHERE clause in the statement when using ORDER BY clause.");
    execute_fails(c, "SELECT * FROM range WHERE sk = 'a' ORDER BY sk", ST_INVALID_ARGUMENT,
                  "Must have at least one non-optional hash key condition in WHERE clause when "
                  "using ORDER BY clause.");
    execute_fails(c, "SELECT * FROM range WHERE pk IN ['a','b'] ORDER BY sk", ST_INVALID_ARGUMENT,
                  "Must have hash key in ORDER BY clause when more than one hash key condition "
                  "specified in WHERE clause.");
    execute_fails(c, "SELECT * FROM range WHERE pk = 1 ORDER BY zz", ST_INVALID_ARGUMENT,
                  "Attribute zz in ORDER BY clause must be part of the primary key");
    execute_fails(c, "SELECT * FROM range WHERE pk = 'a' ORDER BY m.a", ST_INVALID_ARGUMENT,
                  "Argument to ORDER BY must be of type VariableReference. Type: PATH at 1:45:1");
    execute_fails(c, "SELECT * FROM range WHERE pk = {'a':1}", ST_INVALID_ARGUMENT,
                  "Key value must be of type S, N, or B. Key name: pk, Key type: M");
    execute_fails(c, "SELECT * FROM range WHERE pk = 'a' AND sk = 1", ST_INVALID_ARGUMENT,
                  "Key attribute's data type should match its data type in table's schema: Key sk");
    execute_fails(c, "EXISTS(SELECT * FROM range)", ST_INVALID_ARGUMENT,
                  "EXISTS can only be used in ExecuteTransaction write requests.");
}

static void an_index_answers_what_it_keeps(void **state)
{
    execute_case *c = *state;
    execute_must(c, "INSERT INTO indexed VALUE {'pk':'p','sk':'1','l':'x','g':'G','h':2,'a':1,"
                    "'z':5}");
    execute_must(c, "INSERT INTO indexed VALUE {'pk':'p','sk':'2','l':'w','g':'G','h':1,'a':2,"
                    "'z':6}");
    execute_gives(c, "SELECT sk FROM indexed.\"global\" WHERE g = 'G'", ROW("2") ROW("1"));
    execute_gives(c, "SELECT sk FROM indexed.\"global\" WHERE g = 'G' AND a = 1", ROW("1"));
    execute_gives(c, "SELECT sk FROM indexed.\"global\" WHERE g = 'G' ORDER BY h DESC",
                  ROW("1") ROW("2"));
    execute_gives(c, "SELECT z FROM indexed.\"local\" WHERE pk = 'p'",
                  "{\"z\":{\"N\":\"6\"}}\n{\"z\":{\"N\":\"5\"}}\n");
    execute_gives(c, "SELECT * FROM indexed.\"global\" WHERE z = 5", "");
    execute_fails(c, "SELECT z FROM indexed.\"global\" WHERE g = 'G'", ST_INVALID_ARGUMENT,
                  "One or more parameter values were invalid: Global secondary index global does "
                  "not project [z]");
    execute_fails(c, "SELECT * FROM indexed.\"global\" WHERE g = 'G' AND z = 1 AND y = 1 AND z = 2",
                  ST_INVALID_ARGUMENT,
                  "One or more parameter values were invalid: Secondary index global does not "
                  "project one or more filter attributes: [z, y]");
    c->call.is_consistent = true;
    execute_fails(c, "SELECT * FROM indexed.\"global\" WHERE g = 'G'", ST_INVALID_ARGUMENT,
                  "Strongly consistent read is not supported on Global Secondary Indexes");
}

static void an_insert_does_not_replace(void **state)
{
    execute_case *c = *state;
    execute_must(c, "INSERT INTO hash VALUE {'pk':'a','n':1}");
    execute_fails(c, "INSERT INTO hash VALUE {'pk':'a'}", ST_DUPLICATE_ITEM,
                  "Duplicate primary key exists in table");
    assert_int_equal(c->parsed.op.error.detail.size, 0);
    c->call.returns_on_failure = true;
    execute_fails(c, "INSERT INTO hash VALUE {'pk':'a'}", ST_DUPLICATE_ITEM,
                  "Duplicate primary key exists in table");
    assert_int_equal(st_item_count(c->parsed.op.error.detail), 2);
    execute_gives(c, "SELECT * FROM hash", "{\"n\":{\"N\":\"1\"},\"pk\":{\"S\":\"a\"}}\n");
    execute_fails(c, "INSERT INTO hash VALUE {'x':'a'}", ST_INVALID_ARGUMENT,
                  "One or more parameter values were invalid: Missing the key pk in the item");
}

static void an_insert_nested_too_deep_is_a_duplicate_first(void **state)
{
    execute_case *c = *state;
    char json[512] = "{\"p\":";
    for (int i = 0; i < 32; i++) {
        strcat(json, "{\"L\":[");
    }
    for (int i = 0; i < 32; i++) {
        strcat(json, "]}");
    }
    strcat(json, "}");
    const char *statement = "INSERT INTO hash VALUE {'pk':'a','x':?}";
    assert_int_equal(execute_with(c, statement, json), ST_INVALID_ARGUMENT);
    execute_must(c, "INSERT INTO hash VALUE {'pk':'a'}");
    c->call.returns_on_failure = true;
    assert_int_equal(execute_with(c, statement, json), ST_DUPLICATE_ITEM);
    assert_int_equal(st_item_count(c->parsed.op.error.detail), 1);
}

static void an_update_changes_what_is_there(void **state)
{
    execute_case *c = *state;
    execute_must(c, "INSERT INTO hash VALUE {'pk':'a','n':1,'l':[1,2,3],'s':<<'x'>>,'c':1}");
    execute_gives(c,
                  "UPDATE hash SET n = n + 2, l = list_append(l, [4]) SET s = set_add(s, <<'y'>>) "
                  "REMOVE c SET d = if_not_exists(d, 9) WHERE pk = 'a'",
                  "");
    execute_gives(c, "SELECT * FROM hash WHERE pk = 'a'",
                  "{\"d\":{\"N\":\"9\"},\"l\":{\"L\":[{\"N\":\"1\"},{\"N\":\"2\"},{\"N\":\"3\"},"
                  "{\"N\":\"4\"}]},\"n\":{\"N\":\"3\"},\"pk\":{\"S\":\"a\"},\"s\":{\"SS\":[\"x\","
                  "\"y\"]}}\n");
    execute_gives(c, "UPDATE hash SET l[0] = 9, l[2] = 8 WHERE pk = 'a' RETURNING MODIFIED NEW *",
                  "{\"l\":{\"L\":[{\"N\":\"9\"},{\"N\":\"8\"}]}}\n");
    execute_gives(c, "UPDATE hash REMOVE d WHERE pk = 'a' RETURNING MODIFIED NEW *", "");
    execute_fails(c, "UPDATE hash SET x = 1 WHERE pk = 'b'", ST_CONDITION_FAILED,
                  "The conditional request failed");
    execute_gives(c, "SELECT * FROM hash WHERE pk = 'b'", "");
    execute_fails(c, "UPDATE hash SET pk = 'z' WHERE pk = 'a'", ST_INVALID_ARGUMENT,
                  "One or more parameter values were invalid: Cannot update attribute pk. This "
                  "attribute is part of the key");
    assert_int_equal(execute_with(c, "UPDATE hash SET a = 1, a.b = 2 WHERE pk = 'a'", NULL),
                     ST_INVALID_ARGUMENT);
    assert_non_null(strstr(c->parsed.op.error.message, "path one: [a, b], path two: [a]"));
}

static void a_delete_forgives_absent_items(void **state)
{
    execute_case *c = *state;
    execute_must(c, "INSERT INTO hash VALUE {'pk':'a','n':1}");
    execute_gives(c, "DELETE FROM hash WHERE pk = 'b' AND n = 5", "");
    c->call.returns_on_failure = true;
    execute_fails(c, "DELETE FROM hash WHERE pk = 'a' AND n = 5", ST_CONDITION_FAILED,
                  "The conditional request failed");
    assert_int_equal(st_item_count(c->parsed.op.error.detail), 2);
    execute_gives(c, "DELETE FROM hash WHERE pk = 'a' RETURNING ALL OLD *",
                  "{\"n\":{\"N\":\"1\"},\"pk\":{\"S\":\"a\"}}\n");
    execute_gives(c, "SELECT * FROM hash", "");
}

static void a_write_names_one_key(void **state)
{
    execute_case *c = *state;
    const char *text = "Where clause does not contain a mandatory equality on all key attributes";
    static const char *const statements[] = {
        "DELETE FROM range",
        "DELETE FROM range WHERE pk = 'a'",
        "UPDATE range SET x = 1 WHERE pk = 'a' AND sk > 'b'",
        "UPDATE range SET x = 1 WHERE pk = 'a' AND (sk = 'b' OR x = 2)",
        "UPDATE range SET x = 1 WHERE pk = 'a' AND sk IN ['b']",
        "UPDATE range SET x = 1 WHERE pk = 'a' AND NOT sk = 'b'",
    };
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        execute_fails(c, statements[i], ST_INVALID_ARGUMENT, text);
    }
    execute_fails(c, "UPDATE range SET x = 1 WHERE pk = 'a' AND pk = 'b' AND sk = 'c'",
                  ST_INVALID_ARGUMENT,
                  "Multiple conditions on same key pk. Only single item Update/Insert/Delete are "
                  "supported");
    execute_fails(c, "UPDATE hash SET x = 1 WHERE pk = 1", ST_INVALID_ARGUMENT,
                  "Key attribute's data type should match its data type in table's schema: Key pk");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_select_reads_what_its_key_conditions_leave, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(order_by_turns_partitions_and_rows, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(conditions_decide_what_keys_do_not, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(a_select_projects_by_last_names, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(a_limit_counts_rows_and_a_token_gives_the_rest,
                                        execute_setup, execute_teardown),
        cmocka_unit_test_setup_teardown(a_token_is_bound_to_its_statement, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(ranges_that_share_a_key_are_refused, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(what_a_read_may_not_ask_of_a_table_is_refused,
                                        execute_setup, execute_teardown),
        cmocka_unit_test_setup_teardown(an_index_answers_what_it_keeps, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(an_insert_does_not_replace, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(an_insert_nested_too_deep_is_a_duplicate_first,
                                        execute_setup, execute_teardown),
        cmocka_unit_test_setup_teardown(an_update_changes_what_is_there, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(a_delete_forgives_absent_items, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(a_write_names_one_key, execute_setup, execute_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
