/* Updates from text to the new item, and every text they are refused with. */
#include "expr_support.h"

typedef struct update_row {
    const char *text, *names, *values, *item, *answer;
} update_row;

#define U "Invalid UpdateExpression: "
#define BAD_PATH "The document path provided in the update expression is invalid for update"
#define BAD_TYPE "An operand in the update expression has an incorrect data type"
#define MISSING "The provided expression refers to an attribute that does not exist in the item"
#define ONE "{':v':{'N':'1'}}"

static const char *answer_of(expr_case *c, const update_row *row)
{
    st_update *update;
    expr_case_init(c, st_alloc_process());
    assert_int_equal(expr_item(c, row->item), ST_OK);
    assert_int_equal(expr_scope(c, row->names, row->values), ST_OK);
    return expr_answer(c, expr_run_update(c, row->text, &update));
}

static void check_rows(const update_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expr_case c;
        const char *answer = answer_of(&c, &rows[i]);
        if (strcmp(answer, rows[i].answer) != 0) {
            print_error("%s\n", rows[i].text);
        }
        assert_string_equal(answer, rows[i].answer);
        expr_case_deinit(&c);
    }
}

#define CHECK(rows) check_rows(rows, sizeof rows / sizeof rows[0])

static void set_writes_what_its_operands_say(void **state)
{
    (void)state;
    static const update_row rows[] = {
        {"SET a = :v", NULL, ONE, "{}", "{'a':{'N':'1'}}"},
        {"SET a = :v", NULL, ONE, NULL, "{'a':{'N':'1'}}"},
        {"set a=:v,b=:v", NULL, ONE, "{'a':{'S':'x'}}", "{'a':{'N':'1'},'b':{'N':'1'}}"},
        {"SET a = b, b = a", NULL, NULL, "{'a':{'N':'1'},'b':{'S':'x'}}",
         "{'a':{'S':'x'},'b':{'N':'1'}}"},
        {"SET a = b REMOVE b", NULL, NULL, "{'b':{'S':'x'}}", "{'a':{'S':'x'}}"},
        {"SET a = a + :v", NULL, ONE, "{'a':{'N':'1.5'}}", "{'a':{'N':'2.5'}}"},
        {"SET a = :v - a", NULL, ONE, "{'a':{'N':'1.5'}}", "{'a':{'N':'-0.5'}}"},
        {"SET a = a-:v", NULL, ONE, "{'a':{'N':'1'}}", "{'a':{'N':'0'}}"},
        {"SET a = (a - :v)", NULL, ONE, "{'a':{'N':'3'}}", "{'a':{'N':'2'}}"},
        {"SET a = (a) - (:v)", NULL, ONE, "{'a':{'N':'3'}}", "{'a':{'N':'2'}}"},
        {"SET a = ((a) + :v)", NULL, ONE, "{'a':{'N':'3'}}", "{'a':{'N':'4'}}"},
        {"SET a = (:v)", NULL, ONE, "{}", "{'a':{'N':'1'}}"},
        {"SET #a = #b.#c[0]", "#a=data #b=m #c=x.y", NULL,
         "{'m':{'M':{'x.y':{'L':[{'S':'deep'}]}}}}",
         "{'data':{'S':'deep'},'m':{'M':{'x.y':{'L':[{'S':'deep'}]}}}}"},
        {"SET m.a = :v, m.b.c = :v", NULL, ONE, "{'m':{'M':{'b':{'M':{}},'z':{'NULL':true}}}}",
         "{'m':{'M':{'a':{'N':'1'},'b':{'M':{'c':{'N':'1'}}},'z':{'NULL':true}}}}"},
        {"SET b=:v,c=:v,d=:v,e=:v,f=:v,g=:v,h=:v,i=:v,m.b=:v,m.c=:v,m.d=:v,m.e=:v,m.f=:v", NULL,
         ONE, "{'a':{'N':'0'},'m':{'M':{'a':{'N':'0'}}}}",
         "{'a':{'N':'0'},'b':{'N':'1'},'c':{'N':'1'},'d':{'N':'1'},'e':{'N':'1'},'f':{'N':'1'},"
         "'g':{'N':'1'},'h':{'N':'1'},'i':{'N':'1'},'m':{'M':{'a':{'N':'0'},'b':{'N':'1'},'c':{'N':"
         "'1'},'d':{'N':'1'},'e':{'N':'1'},'f':{'N':'1'}}}}"},
        {"SET m = :v", NULL, ONE, "{'m':{'M':{'b':{'M':{}}}}}", "{'m':{'N':'1'}}"},
        {"SET a = if_not_exists(a, :v)", NULL, ONE, "{'a':{'S':'is'}}", "{'a':{'S':'is'}}"},
        {"SET a = if_not_exists(a, :v)", NULL, ONE, "{}", "{'a':{'N':'1'}}"},
        {"SET a = if_not_exists(b.c, if_not_exists(d, :v)) + :v", NULL, ONE, "{'d':{'N':'4'}}",
         "{'a':{'N':'5'},'d':{'N':'4'}}"},
        {"SET a = if_not_exists(b, c)", NULL, NULL, "{'b':{'N':'4'}}",
         "{'a':{'N':'4'},'b':{'N':'4'}}"},
        {"SET l = list_append(l, :v)", NULL, "{':v':{'L':[{'N':'2'}]}}", "{'l':{'L':[{'N':'1'}]}}",
         "{'l':{'L':[{'N':'1'},{'N':'2'}]}}"},
        {"SET l = list_append(:v, l)", NULL, "{':v':{'L':[{'N':'2'}]}}", "{'l':{'L':[{'N':'1'}]}}",
         "{'l':{'L':[{'N':'2'},{'N':'1'}]}}"},
        {"SET l = list_append(if_not_exists(l, :e), :v)", NULL,
         "{':v':{'L':[{'S':'x'}]},':e':{'L':[]}}", "{}", "{'l':{'L':[{'S':'x'}]}}"},
        {"SET l = list_append(l, l)", NULL, NULL, "{'l':{'L':[{'N':'1'}]}}",
         "{'l':{'L':[{'N':'1'},{'N':'1'}]}}"},
        {"SET a = :v + :w", NULL,
         "{':v':{'N':'99999999999999999999999999999999999999'},':w':{'N':'1'}}", "{}",
         "{'a':{'N':'100000000000000000000000000000000000000'}}"},
    };
    CHECK(rows);
}

static void lists_keep_their_indexes_while_actions_run(void **state)
{
    (void)state;
    static const update_row rows[] = {
        {"REMOVE l[0], l[1]", NULL, NULL, "{'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'}]}}",
         "{'l':{'L':[{'N':'2'}]}}"},
        {"SET l[1] = :v REMOVE l[0]", NULL, "{':v':{'S':'x'}}",
         "{'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'}]}}", "{'l':{'L':[{'S':'x'},{'N':'2'}]}}"},
        {"REMOVE l[0] SET l[1] = :v", NULL, "{':v':{'S':'x'}}",
         "{'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'}]}}", "{'l':{'L':[{'S':'x'},{'N':'2'}]}}"},
        {"SET l[9] = :v", NULL, "{':v':{'S':'x'}}", "{'l':{'L':[{'N':'0'}]}}",
         "{'l':{'L':[{'N':'0'},{'S':'x'}]}}"},
        {"SET l[7] = :a, l[3] = :b, l[5] = :c", NULL,
         "{':a':{'S':'7'},':b':{'S':'3'},':c':{'S':'5'}}", "{'l':{'L':[{'N':'0'}]}}",
         "{'l':{'L':[{'N':'0'},{'S':'3'},{'S':'5'},{'S':'7'}]}}"},
        {"SET l[5] = :a, l[1] = :b", NULL, "{':a':{'S':'5'},':b':{'S':'1'}}",
         "{'l':{'L':[{'N':'0'}]}}", "{'l':{'L':[{'N':'0'},{'S':'1'},{'S':'5'}]}}"},
        {"SET l[5] = :v REMOVE l[0], l[6]", NULL, "{':v':{'S':'x'}}", "{'l':{'L':[{'N':'0'}]}}",
         "{'l':{'L':[{'S':'x'}]}}"},
        {"ADD l[4] :v", NULL, ONE, "{'l':{'L':[{'N':'0'}]}}", "{'l':{'L':[{'N':'0'},{'N':'1'}]}}"},
        {"ADD l[0] :v", NULL, ONE, "{'l':{'L':[{'N':'9'}]}}", "{'l':{'L':[{'N':'10'}]}}"},
        {"SET l[3] = :v DELETE l[4] :s", NULL, "{':v':{'S':'x'},':s':{'SS':['a']}}",
         "{'l':{'L':[]}}", "{'l':{'L':[{'S':'x'}]}}"},
        {"DELETE l[0] :s", NULL, "{':s':{'SS':['a']}}", "{'l':{'L':[{'SS':['a']},{'N':'1'}]}}",
         "{'l':{'L':[{'N':'1'}]}}"},
        {"REMOVE l[1]", NULL, NULL, "{'l':{'L':[{'N':'0'}]}}", "{'l':{'L':[{'N':'0'}]}}"},
        {"REMOVE l[0]", NULL, NULL, "{'l':{'L':[{'N':'0'}]}}", "{'l':{'L':[]}}"},
        {"SET l[0][1].a = :v, l[1] = l[0][0]", NULL, ONE,
         "{'l':{'L':[{'L':[{'S':'p'},{'M':{}}]}]}}",
         "{'l':{'L':[{'L':[{'S':'p'},{'M':{'a':{'N':'1'}}}]},{'S':'p'}]}}"},
    };
    CHECK(rows);
}

static void remove_add_and_delete_change_what_is_there(void **state)
{
    (void)state;
    static const update_row rows[] = {
        {"REMOVE a", NULL, NULL, "{'a':{'N':'1'},'b':{'N':'2'}}", "{'b':{'N':'2'}}"},
        {"REMOVE a", NULL, NULL, "{'b':{'N':'2'}}", "{'b':{'N':'2'}}"},
        {"REMOVE a", NULL, NULL, NULL, "{}"},
        {"REMOVE m.a, m.z", NULL, NULL, "{'m':{'M':{'a':{'N':'1'},'b':{'N':'2'}}}}",
         "{'m':{'M':{'b':{'N':'2'}}}}"},
        {"ADD a :v", NULL, ONE, "{'a':{'N':'-0.5'}}", "{'a':{'N':'0.5'}}"},
        {"ADD a :v", NULL, ONE, "{}", "{'a':{'N':'1'}}"},
        {"ADD m.a :v", NULL, ONE, "{'m':{'M':{}}}", "{'m':{'M':{'a':{'N':'1'}}}}"},
        {"ADD s :v", NULL, "{':v':{'SS':['c','a']}}", "{'s':{'SS':['b','a']}}",
         "{'s':{'SS':['a','b','c']}}"},
        {"ADD s :v", NULL, "{':v':{'NS':['1.0','3']}}", "{'s':{'NS':['1','2']}}",
         "{'s':{'NS':['1','2','3']}}"},
        {"ADD s :v", NULL, "{':v':{'BS':['Ag==']}}", "{'s':{'BS':['AQ==']}}",
         "{'s':{'BS':['AQ==','Ag==']}}"},
        {"ADD s :v", NULL, "{':v':{'SS':['x']}}", "{}", "{'s':{'SS':['x']}}"},
        {"DELETE s :v", NULL, "{':v':{'SS':['c','a']}}", "{'s':{'SS':['b','a']}}",
         "{'s':{'SS':['b']}}"},
        {"DELETE s :v", NULL, "{':v':{'NS':['1.0','2']}}", "{'s':{'NS':['1','2']}}", "{}"},
        {"DELETE s :v", NULL, "{':v':{'SS':['c']}}", "{}", "{}"},
        {"SET a = :v REMOVE b ADD c :v DELETE d :s", NULL, "{':v':{'N':'1'},':s':{'SS':['x']}}",
         "{'b':{'N':'1'},'c':{'N':'1'},'d':{'SS':['x','y']}}",
         "{'a':{'N':'1'},'c':{'N':'2'},'d':{'SS':['y']}}"},
        {"delete d :s add c :v remove b set a = :v", NULL, "{':v':{'N':'1'},':s':{'SS':['x']}}",
         "{'b':{'N':'1'}}", "{'a':{'N':'1'},'c':{'N':'1'}}"},
    };
    CHECK(rows);
}

static void applying_refuses_paths_and_operands_that_do_not_fit(void **state)
{
    (void)state;
    static const update_row rows[] = {
        {"SET m.a = :v", NULL, ONE, "{}", BAD_PATH},
        {"SET m.a = :v", NULL, ONE, "{'m':{'S':'x'}}", BAD_PATH},
        {"SET m.a = :v", NULL, ONE, "{'m':{'L':[]}}", BAD_PATH},
        {"SET m[0] = :v", NULL, ONE, "{'m':{'M':{}}}", BAD_PATH},
        {"SET m[0] = :v", NULL, ONE, "{}", BAD_PATH},
        {"SET l[1].a = :v", NULL, ONE, "{'l':{'L':[{'M':{}}]}}", BAD_PATH},
        {"SET m.a.b = :v", NULL, ONE, "{'m':{'M':{}}}", BAD_PATH},
        {"REMOVE m.a", NULL, NULL, "{}", BAD_PATH},
        {"REMOVE m[0]", NULL, NULL, "{'m':{'M':{}}}", BAD_PATH},
        {"ADD m.a :v", NULL, ONE, "{}", BAD_PATH},
        {"DELETE m.a :v", NULL, "{':v':{'SS':['x']}}", "{}", BAD_PATH},
        {"SET a = b", NULL, NULL, "{}", MISSING},
        {"SET a = b", NULL, NULL, NULL, MISSING},
        {"SET a = b + :v", NULL, ONE, "{}", MISSING},
        {"SET a = l[1]", NULL, NULL, "{'l':{'L':[{'N':'1'}]}}", MISSING},
        {"SET a = list_append(b, :v)", NULL, "{':v':{'L':[]}}", "{}", MISSING},
        {"SET a = if_not_exists(b, c)", NULL, NULL, "{}", MISSING},
        {"SET x = :v, a = x", NULL, ONE, "{}", MISSING},
        {"SET a = b + :v", NULL, ONE, "{'b':{'S':'1'}}", BAD_TYPE},
        {"SET a = :v - b", NULL, ONE, "{'b':{'NS':['1']}}", BAD_TYPE},
        {"SET a = list_append(b, :v)", NULL, "{':v':{'L':[]}}", "{'b':{'S':'1'}}", BAD_TYPE},
        {"SET a = list_append(:v, :v) + :n", NULL, "{':v':{'L':[]},':n':{'N':'1'}}", "{}",
         BAD_TYPE},
        {"ADD a :v", NULL, ONE, "{'a':{'S':'1'}}", BAD_TYPE},
        {"ADD a :v", NULL, "{':v':{'SS':['x']}}", "{'a':{'NS':['1']}}", BAD_TYPE},
        {"DELETE a :v", NULL, "{':v':{'SS':['x']}}", "{'a':{'S':'x'}}", BAD_TYPE},
        {"SET m.a = :v ADD a :v", NULL, ONE, "{'a':{'S':'1'}}", BAD_TYPE},
        {"SET a = a + :v", NULL, ONE, "{'a':{'N':'1e100'}}",
         "Attempting to store more than 38 significant digits in a Number"},
        {"ADD a :v", NULL, "{':v':{'N':'9e125'}}", "{'a':{'N':'9e125'}}",
         "Number overflow. Attempting to store a number with magnitude larger than supported "
         "range"},
    };
    CHECK(rows);
}

static void syntax_errors_show_the_token_and_what_is_near(void **state)
{
    (void)state;
    static const update_row rows[] = {
        {"", NULL, NULL, NULL, U "The expression can not be empty;"},
        {"SET", NULL, NULL, NULL, U "Syntax error; token: \"<EOF>\", near: \"SET\""},
        {"SET a", NULL, NULL, NULL, U "Syntax error; token: \"<EOF>\", near: \"a\""},
        {"SET a =", NULL, NULL, NULL, U "Syntax error; token: \"<EOF>\", near: \"=\""},
        {"SET a = :v,", NULL, ONE, NULL, U "Syntax error; token: \"<EOF>\", near: \",\""},
        {"SET a = :v, REMOVE b", NULL, ONE, NULL,
         U "Syntax error; token: \"REMOVE\", near: \", REMOVE b\""},
        {"a = :v", NULL, ONE, NULL, U "Syntax error; token: \"a\", near: \"a =\""},
        {"HELLO b = :v", NULL, ONE, NULL, U "Syntax error; token: \"HELLO\", near: \"HELLO b\""},
        {"SET :a = :v", NULL, ONE, NULL, U "Syntax error; token: \":a\", near: \"SET :a =\""},
        {"SET _123 = :v", NULL, ONE, NULL, U "Syntax error; token: \"_\", near: \"SET _123\""},
        {"SET set = :v", NULL, ONE, NULL, U "Syntax error; token: \"set\", near: \"SET set =\""},
        {"SET a.add = :v", NULL, ONE, NULL, U "Syntax error; token: \"add\", near: \".add =\""},
        {"SET a = :v + :v + :v", NULL, ONE, NULL,
         U "Syntax error; token: \"+\", near: \":v + :v\""},
        {"SET a = (a + :v) - :v", NULL, ONE, NULL,
         U "Syntax error; token: \"-\", near: \") - :v\""},
        {"SET a = :v + (a - :v)", NULL, ONE, NULL,
         U "Syntax error; token: \"-\", near: \"a - :v\""},
        {"SET a = if_not_exists(a, (b + :v))", NULL, ONE, NULL,
         U "Syntax error; token: \"+\", near: \"b + :v\""},
        {"SET a = if_not_exists()", NULL, NULL, NULL, U "Syntax error; token: \")\", near: \"()\""},
        {"SET a = list_append(a,)", NULL, NULL, NULL, U "Syntax error; token: \")\", near: \",)\""},
        {"ADD a b", NULL, NULL, NULL, U "Syntax error; token: \"b\", near: \"a b\""},
        {"DELETE a = :v", NULL, ONE, NULL, U "Syntax error; token: \"=\", near: \"a = :v\""},
        {"REMOVE a :v", NULL, ONE, NULL, U "Syntax error; token: \":v\", near: \"a :v\""},
        {"SET a = (:v", NULL, ONE, NULL, U "Syntax error; token: \"<EOF>\", near: \":v\""},
        {"SET a = ((:v))", NULL, ONE, NULL, U "The expression has redundant parentheses;"},
        {"SET a = ((a + :v))", NULL, ONE, NULL, U "The expression has redundant parentheses;"},
    };
    CHECK(rows);
}

static void what_is_known_without_an_item_is_refused(void **state)
{
    (void)state;
    static const update_row rows[] = {
        {"SET data = :v", NULL, ONE, NULL,
         U "Attribute name is a reserved keyword; reserved keyword: data"},
        {"SET a = status", NULL, NULL, NULL,
         U "Attribute name is a reserved keyword; reserved keyword: status"},
        {"SET a = foo(b)", NULL, NULL, NULL, U "Invalid function name; function: foo"},
        {"SET a = size(b)", NULL, NULL, NULL,
         U "The function is not allowed in an update expression; function: size"},
        {"SET a = contains(b, :v)", NULL, ONE, NULL,
         U "The function is not allowed in an update expression; function: contains"},
        {"SET a = list_append(list_append(a, :v), :v)", NULL, ONE, NULL,
         U "The function is not allowed to be used this way in an expression; function: "
           "list_append"},
        {"SET a = :v SET b = :v", NULL, ONE, NULL,
         U "The \"SET\" section can only be used once in an update expression;"},
        {"remove a add b :v REMOVE c", NULL, ONE, NULL,
         U "The \"REMOVE\" section can only be used once in an update expression;"},
        {"SET a = list_append(b)", NULL, NULL, NULL,
         U "Incorrect number of operands for operator or function; operator or function: "
           "list_append, number of operands: 1"},
        {"SET a = if_not_exists(b, c, d)", NULL, NULL, NULL,
         U "Incorrect number of operands for operator or function; operator or function: "
           "if_not_exists, number of operands: 3"},
        {"SET a = if_not_exists(:v, :v)", NULL, ONE, NULL,
         U "Operator or function requires a document path; operator or function: if_not_exists"},
        {"SET a = if_not_exists(if_not_exists(b, :v), :v)", NULL, ONE, NULL,
         U "Operator or function requires a document path; operator or function: if_not_exists"},
        {"SET a = b + :v", NULL, "{':v':{'S':'1'}}", NULL,
         U "Incorrect operand type for operator or function; operator or function: +, operand "
           "type: S"},
        {"SET a = :v - b", NULL, "{':v':{'NS':['1']}}", NULL,
         U "Incorrect operand type for operator or function; operator or function: -, operand "
           "type: NS"},
        {"SET a = list_append(:v, b)", NULL, ONE, NULL,
         U "Incorrect operand type for operator or function; operator or function: list_append, "
           "operand type: N"},
        {"SET a = if_not_exists(b, :v + c)", NULL, ONE, NULL,
         U "Syntax error; token: \"+\", near: \":v + c\""},
        {"SET a = if_not_exists(b, :v)", NULL, NULL, NULL,
         U "An expression attribute value used in expression is not defined; attribute value: :v"},
        {"SET #a = :v", NULL, ONE, NULL,
         U "An expression attribute name used in the document path is not defined; attribute name: "
           "#a"},
        {"ADD a :v", NULL, "{':v':{'S':'1'}}", NULL,
         U "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, "
           "typeSet: ALLOWED_FOR_ADD_OPERAND"},
        {"ADD a :v", NULL, "{':v':{'B':'AQ=='}}", NULL,
         U "Incorrect operand type for operator or function; operator: ADD, operand type: Binary, "
           "typeSet: ALLOWED_FOR_ADD_OPERAND"},
        {"ADD a :v", NULL, "{':v':{'BOOL':true}}", NULL,
         U "Incorrect operand type for operator or function; operator: ADD, operand type: BOOL, "
           "typeSet: ALLOWED_FOR_ADD_OPERAND"},
        {"ADD a :v", NULL, "{':v':{'NULL':true}}", NULL,
         U "Incorrect operand type for operator or function; operator: ADD, operand type: NULL, "
           "typeSet: ALLOWED_FOR_ADD_OPERAND"},
        {"ADD a :v", NULL, "{':v':{'L':[]}}", NULL,
         U "Incorrect operand type for operator or function; operator: ADD, operand type: LIST, "
           "typeSet: ALLOWED_FOR_ADD_OPERAND"},
        {"DELETE a :v", NULL, "{':v':{'M':{}}}", NULL,
         U "Incorrect operand type for operator or function; operator: DELETE, operand type: MAP, "
           "typeSet: ALLOWED_FOR_ADD_OPERAND"},
        {"DELETE a :v", NULL, ONE, NULL,
         U "Incorrect operand type for operator or function; operator: DELETE, operand type: "
           "NUMBER, typeSet: ALLOWED_FOR_ADD_OPERAND"},
        {"SET a = :v", "#u=x", ONE, NULL,
         "Value provided in ExpressionAttributeNames unused in expressions: keys: {#u}"},
        {"REMOVE a", NULL, ONE, NULL,
         "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"},
    };
    CHECK(rows);
}

#define OVERLAP(one, two)                                                                \
    U "Two document paths overlap with each other; must remove or rewrite one of these " \
      "paths; path one: " one ", path two: " two
#define CONFLICT(one, two)                                                                \
    U "Two document paths conflict with each other; must remove or rewrite one of these " \
      "paths; path one: " one ", path two: " two

static void paths_in_each_others_way_are_refused(void **state)
{
    (void)state;
    static const update_row rows[] = {
        {"SET a = :v, a.b = :v", NULL, ONE, NULL, OVERLAP("[a]", "[a, b]")},
        {"SET a.b = :v, a = :v", NULL, ONE, NULL, OVERLAP("[a, b]", "[a]")},
        {"SET a = :v REMOVE a", NULL, ONE, NULL, OVERLAP("[a]", "[a]")},
        {"SET l[0].x = :v REMOVE l[0]", NULL, ONE, NULL, OVERLAP("[l, [0], x]", "[l, [0]]")},
        {"SET #a = :v, #b = :v", "#a=a.b #b=a.b", ONE, NULL, OVERLAP("[a.b]", "[a.b]")},
        {"SET a.b = :v, a[1] = :v", NULL, ONE, NULL, CONFLICT("[a, b]", "[a, [1]]")},
        {"REMOVE c1,c2,c3,c4,c5,c6,c7,c8,m.a,x,y,z,m", NULL, NULL, NULL, OVERLAP("[m, a]", "[m]")},
        {"REMOVE c1,c2,c3,c4,c5,c6,m[7].a,m[7].c,c7,c8,m[7].b,x,y,z,m[7][1]", NULL, NULL, NULL,
         CONFLICT("[m, [7], a]", "[m, [7], [1]]")},
        {"REMOVE c1,c2,c3,c4,c5,c6,m[7].a,m[8],c7,c8,m[10].b,m[7].b,x,y,z", NULL, NULL,
         "{'c1':{'N':'1'},'m':{'L':[{'M':{'a':{'N':'1'}}}]}}", BAD_PATH},
    };
    CHECK(rows);
}

/* ---- charge ----------------------------------------------------------------------------- */

static void the_charge_is_the_services(void **state)
{
    (void)state;
    static const struct {
        const char *text, *names;
        uint64_t charge;
    } rows[] = {
        {"SET a = :n", NULL, 3 + 19 + 1 + 2},
        {"SET abc = :s", NULL, 3 + 19 + 3 + 5},
        {"SET #x = :s", "#x=longer", 3 + 19 + 6 + 5},
        {"SET a.bc[12] = :n", NULL, 3 + 19 + 1 + 4 + 2 + 4 + 2 + 2},
        {"SET a[0] = :n", NULL, 3 + 19 + 1 + 4 + 1 + 2},
        {"SET a = b", NULL, 3 + 19 + 1 + 1 + 14 + 1},
        {"SET a = b.cd[100]", NULL, 3 + 19 + 1 + 1 + 14 + 1 + 14 + 2 + 14 + 3},
        {"SET a = a + :n", NULL, 3 + 19 + 1 + 34 + 15 + 1 + 2},
        {"SET a = (a - :n)", NULL, 3 + 19 + 1 + 37 + 15 + 1 + 2},
        {"SET a = if_not_exists(b, :n)", NULL, 3 + 19 + 1 + 39 + 16 + 2},
        {"SET a = list_append(b, :l)", NULL, 3 + 19 + 1 + 37 + 16 + 3 + 1 + 2},
        {"ADD a :n", NULL, 3 + 19 + 1 + 2},
        {"REMOVE a, b.c", NULL, 3 + 1 + 1 + 1 + 1 + 4 + 1},
        {"DELETE a :ss", NULL, 3 + 1 + 1},
        {"SET a = :s, b = :s", NULL, 3 + 2 * (19 + 1 + 5)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expr_case c;
        st_update *update;
        expr_case_init(&c, st_alloc_process());
        assert_int_equal(expr_scope(&c, rows[i].names,
                                    "{':n':{'N':'1'},':s':{'S':'hello'},':l':{'L':[{'N':'1'}]},"
                                    "':ss':{'SS':['abc']}}"),
                         ST_OK);
        assert_int_equal(st_update_parse(&c.op, st_slice_str(rows[i].text), &c.scope, &update),
                         ST_OK);
        assert_int_equal(st_update_resolve(&c.op, update, &c.scope), ST_OK);
        if (st_update_charge(update) != rows[i].charge) {
            print_error("%s\n", rows[i].text);
        }
        assert_int_equal(st_update_charge(update), rows[i].charge);
        expr_case_deinit(&c);
    }
}

/* ---- around ----------------------------------------------------------------------------- */

static void the_touched_attributes_are_told(void **state)
{
    (void)state;
    expr_case c;
    st_update *update;
    expr_case_init(&c, st_alloc_process());
    assert_int_equal(expr_item(&c, "{'l':{'L':[{'N':'1'},{'N':'2'}]},'m':{'M':{'a':{'N':'3'}}},"
                                   "'o':{'N':'9'}}"),
                     ST_OK);
    assert_int_equal(expr_scope(&c, NULL, ONE), ST_OK);
    assert_int_equal(expr_run_update(&c, "SET m.b = :v, l[1] = :v REMOVE m.a", &update), ST_OK);
    assert_int_equal(st_update_touches(update, st_slice_str("m"))->kind, ST_ACTION_SET);
    assert_null(st_update_touches(update, st_slice_str("o")));
    assert_int_equal(update->action_count, 3);

    st_projection *projection;
    assert_int_equal(st_update_projection(&c.op, update, &projection), ST_OK);
    st_buf taken;
    st_buf_init(&taken, st_alloc_process());
    assert_int_equal(st_projection_apply(&c.op, projection, st_buf_view(&c.out), &taken), ST_OK);
    st_buf_clear(&c.out);
    st_buf_slice(&c.out, st_buf_view(&taken));
    assert_string_equal(expr_answer(&c, ST_OK),
                        "{'l':{'L':[{'N':'1'}]},'m':{'M':{'b':{'N':'1'}}}}");
    st_buf_clear(&taken);
    assert_int_equal(st_projection_apply(&c.op, projection, st_buf_view(&c.frame), &taken), ST_OK);
    st_buf_clear(&c.out);
    st_buf_slice(&c.out, st_buf_view(&taken));
    assert_string_equal(expr_answer(&c, ST_OK),
                        "{'l':{'L':[{'N':'2'}]},'m':{'M':{'a':{'N':'3'}}}}");
    st_buf_deinit(&taken);
    expr_case_deinit(&c);
}

static void an_update_without_actions_changes_nothing(void **state)
{
    (void)state;
    expr_case c;
    st_update update = {0};
    expr_case_init(&c, st_alloc_process());
    assert_int_equal(expr_item(&c, "{'a':{'N':'1'}}"), ST_OK);
    st_slice item = st_buf_view(&c.frame);
    st_buf_clear(&c.relaxed);
    assert_int_equal(st_update_check(&c.op, &update), ST_OK);
    assert_int_equal(st_update_apply(&c.op, &update, item, item, &c.relaxed), ST_OK);
    assert_int_equal(st_item_canonicalize_updated(&c.op, st_buf_view(&c.relaxed), &c.out), ST_OK);
    assert_true(st_slice_equal(st_buf_view(&c.out), item));
    assert_int_equal(st_update_charge(&update), 3);
    expr_case_deinit(&c);
}

static void legacy_add_appends_to_lists(void **state)
{
    (void)state;
    expr_case c;
    expr_case_init(&c, st_alloc_process());
    assert_int_equal(expr_item(&c, "{'l':{'L':[{'N':'1'}]}}"), ST_OK);
    assert_int_equal(expr_scope(&c, NULL, "{':v':{'L':[{'S':'x'}]}}"), ST_OK);
    st_operand operand = {.kind = ST_OPERAND_VALUE, .value = c.scope.values[0].value};
    st_action action = {.kind = ST_ACTION_ADD, .operand = &operand, .is_legacy = true};
    st_update update = {.actions = &action, .action_count = 1};
    assert_int_equal(st_path_of_name(&c.op, st_slice_str("l"), &action.path), ST_OK);
    assert_int_equal(st_update_check(&c.op, &update), ST_OK);
    st_slice item = st_buf_view(&c.frame);
    st_buf_clear(&c.relaxed);
    assert_int_equal(st_update_apply(&c.op, &update, item, item, &c.relaxed), ST_OK);
    assert_int_equal(st_item_canonicalize_updated(&c.op, st_buf_view(&c.relaxed), &c.out), ST_OK);
    assert_string_equal(expr_answer(&c, ST_OK), "{'l':{'L':[{'N':'1'},{'S':'x'}]}}");
    expr_case_deinit(&c);
}

static void set_functions_add_and_take_members(void **state)
{
    (void)state;
    static const struct {
        st_operand_kind kind;
        const char *item, *answer;
    } rows[] = {
        {ST_OPERAND_SET_ADD, "{'s':{'SS':['a']}}", "{'s':{'SS':['a','b']}}"},
        {ST_OPERAND_SET_ADD, "{}", "{'s':{'SS':['b']}}"},
        {ST_OPERAND_SET_ADD, "{'s':{'NS':['1']}}", BAD_TYPE},
        {ST_OPERAND_SET_DELETE, "{'s':{'SS':['a','b']}}", "{'s':{'SS':['a']}}"},
        {ST_OPERAND_SET_DELETE, "{'s':{'SS':['b']}}", "{}"},
        {ST_OPERAND_SET_DELETE, "{}", "{}"},
        {ST_OPERAND_SET_DELETE, "{'s':{'S':'b'}}", BAD_TYPE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expr_case c;
        expr_case_init(&c, st_alloc_process());
        assert_int_equal(expr_item(&c, rows[i].item), ST_OK);
        assert_int_equal(expr_scope(&c, NULL, "{':v':{'SS':['b']}}"), ST_OK);
        st_operand path = {.kind = ST_OPERAND_PATH};
        assert_int_equal(st_path_of_name(&c.op, st_slice_str("s"), &path.path), ST_OK);
        st_operand value = {.kind = ST_OPERAND_VALUE, .value = c.scope.values[0].value};
        st_operand sum = {.kind = rows[i].kind, .left = &path, .right = &value};
        st_action action = {.kind = ST_ACTION_SET, .path = path.path, .operand = &sum};
        st_update update = {.actions = &action, .action_count = 1};
        st_slice item = st_buf_view(&c.frame);
        st_buf_clear(&c.relaxed);
        st_status status = st_update_check(&c.op, &update);
        assert_int_equal(status, ST_OK);
        status = st_update_apply(&c.op, &update, item, item, &c.relaxed);
        if (status == ST_OK) {
            status = st_item_canonicalize_updated(&c.op, st_buf_view(&c.relaxed), &c.out);
        }
        assert_string_equal(expr_answer(&c, status), rows[i].answer);
        expr_case_deinit(&c);
    }
}

static void operators_are_limited_and_nesting_is_not_in_the_way(void **state)
{
    (void)state;
    for (size_t count = 64; count <= 65; count++) {
        expr_case c;
        st_buf text;
        st_update *update;
        expr_case_init(&c, st_alloc_process());
        st_buf_init(&text, st_alloc_process());
        assert_int_equal(expr_scope(&c, NULL, ONE), ST_OK);
        st_buf_append(&text, "SET a=", 6);
        for (size_t i = 0; i < count; i++) {
            st_buf_append(&text, "if_not_exists(a,", 16);
        }
        st_buf_append(&text, ":v", 2);
        for (size_t i = 0; i < count; i++) {
            st_buf_byte(&text, ')');
        }
        st_buf_byte(&text, 0);
        const char *answer = expr_answer(&c, expr_run_update(&c, (const char *)text.data, &update));
        assert_string_equal(answer, count == 64 ? "{'a':{'N':'1'}}"
                                                : U "The expression is nested too deeply");
        st_buf_deinit(&text);
        expr_case_deinit(&c);
    }
    expr_case c;
    st_buf text;
    st_update *update;
    expr_case_init(&c, st_alloc_process());
    st_buf_init(&text, st_alloc_process());
    assert_int_equal(expr_scope(&c, NULL, ONE), ST_OK);
    for (int i = 0; i < 301; i++) {
        char part[32];
        int size = snprintf(part, sizeof part, "%s a%d=:v+:v", i == 0 ? "SET" : ",", i);
        st_buf_append(&text, part, (size_t)size);
    }
    st_buf_byte(&text, 0);
    assert_string_equal(expr_answer(&c, expr_run_update(&c, (const char *)text.data, &update)),
                        U "The expression contains too many operators; operator count: 301");
    st_buf_deinit(&text);
    expr_case_deinit(&c);
}

static void a_request_cannot_multiply_an_item_without_end(void **state)
{
    (void)state;
    expr_case c;
    st_buf item, text;
    st_update *update;
    expr_case_init(&c, st_alloc_process());
    st_buf_init(&item, st_alloc_process());
    st_buf_init(&text, st_alloc_process());
    st_buf_append(&item, "{'l':{'L':[{'S':'", 17);
    for (int i = 0; i < 300000; i++) {
        st_buf_byte(&item, 'x');
    }
    st_buf_append(&item, "'}]}}", 6);
    for (int i = 0; i < 150; i++) {
        char part[48];
        int size = snprintf(part, sizeof part, "%sa%d=list_append(l,l)", i == 0 ? "SET " : ",", i);
        st_buf_append(&text, part, (size_t)size);
    }
    st_buf_byte(&text, 0);
    assert_int_equal(expr_item(&c, (const char *)item.data), ST_OK);
    assert_string_equal(expr_answer(&c, expr_run_update(&c, (const char *)text.data, &update)),
                        "Item size to update has exceeded the maximum allowed size");
    assert_int_equal(c.relaxed.size, 0); /* nothing was written */
    st_buf_deinit(&text);
    st_buf_deinit(&item);
    expr_case_deinit(&c);
}

static void operands_read_the_old_item_and_write_the_base(void **state)
{
    (void)state;
    expr_case c;
    st_update *update;
    expr_case_init(&c, st_alloc_process());
    assert_int_equal(expr_item(&c, "{'pk':{'S':'k'}}"), ST_OK);
    assert_int_equal(expr_scope(&c, NULL, ONE), ST_OK);
    assert_int_equal(
        st_update_parse(&c.op, st_slice_str("SET a = if_not_exists(pk, :v)"), &c.scope, &update),
        ST_OK);
    st_buf_clear(&c.relaxed);
    st_slice none = {0};
    assert_int_equal(st_update_apply(&c.op, update, none, st_buf_view(&c.frame), &c.relaxed),
                     ST_OK);
    assert_int_equal(st_item_canonicalize_updated(&c.op, st_buf_view(&c.relaxed), &c.out), ST_OK);
    assert_string_equal(expr_answer(&c, ST_OK), "{'a':{'N':'1'},'pk':{'S':'k'}}");
    expr_case_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_writes_what_its_operands_say),
        cmocka_unit_test(lists_keep_their_indexes_while_actions_run),
        cmocka_unit_test(remove_add_and_delete_change_what_is_there),
        cmocka_unit_test(applying_refuses_paths_and_operands_that_do_not_fit),
        cmocka_unit_test(syntax_errors_show_the_token_and_what_is_near),
        cmocka_unit_test(what_is_known_without_an_item_is_refused),
        cmocka_unit_test(paths_in_each_others_way_are_refused),
        cmocka_unit_test(the_charge_is_the_services),
        cmocka_unit_test(the_touched_attributes_are_told),
        cmocka_unit_test(an_update_without_actions_changes_nothing),
        cmocka_unit_test(legacy_add_appends_to_lists),
        cmocka_unit_test(set_functions_add_and_take_members),
        cmocka_unit_test(operators_are_limited_and_nesting_is_not_in_the_way),
        cmocka_unit_test(a_request_cannot_multiply_an_item_without_end),
        cmocka_unit_test(operands_read_the_old_item_and_write_the_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
