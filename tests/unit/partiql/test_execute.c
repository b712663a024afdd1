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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_select_reads_what_its_key_conditions_leave, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(order_by_turns_partitions_and_rows, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(conditions_decide_what_keys_do_not, execute_setup,
                                        execute_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
