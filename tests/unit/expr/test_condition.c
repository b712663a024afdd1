/* Conditions from text to answer, and every text they are refused with. */
#include "expr_support.h"

typedef struct condition_row {
    const char *text, *names, *values, *item, *answer;
} condition_row;

#define ITEM                                                                                 \
    "{'pk':{'S':'k'},'s':{'S':'hello'},'n':{'N':'5'},'neg':{'N':'-1.5'},'b':{'B':'AQID'},"   \
    "'t':{'BOOL':true},'f':{'BOOL':false},'z':{'NULL':true},'ss':{'SS':['a','b']},"          \
    "'ns':{'NS':['1','2.5']},'bs':{'BS':['AQ==']},'l':{'L':[{'S':'x'},{'N':'7'},{'L':[]}]}," \
    "'m':{'M':{'a':{'S':'in'},'d':{'M':{'e':{'L':[{'N':'1'}]}}}}},'uni':{'S':'a\xc3\xa9\xf0" \
    "\x9f\x98\x80'},'blank':{'S':''},'el':{'L':[]},'x.y':{'N':'1'}}"
#define C "Invalid ConditionExpression: "

static void check_rows(st_expr_kind kind, const condition_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const condition_row *row = &rows[i];
        expr_case c;
        expr_case_init(&c, st_alloc_process());
        assert_int_equal(expr_item(&c, row->item), ST_OK);
        st_status status = expr_scope(&c, row->names, row->values);
        const char *answer =
            status == ST_OK ? expr_condition_answer(&c, kind, row->text) : expr_answer(&c, status);
        if (strcmp(answer, row->answer) != 0) {
            print_error("%s\n", row->text);
        }
        assert_string_equal(answer, row->answer);
        expr_case_deinit(&c);
    }
}

#define CHECK(kind, rows) check_rows(kind, rows, sizeof rows / sizeof rows[0])

static void comparisons_follow_the_types(void **state)
{
    (void)state;
    static const condition_row rows[] = {
        {"s = :v", NULL, "{':v':{'S':'hello'}}", ITEM, "true"},
        {"s = :v", NULL, "{':v':{'S':'hellO'}}", ITEM, "false"},
        {"s <> :v", NULL, "{':v':{'S':'hellO'}}", ITEM, "true"},
        {"s = :v", NULL, "{':v':{'B':'AQID'}}", ITEM, "false"},
        {"s <> :v", NULL, "{':v':{'N':'5'}}", ITEM, "true"},
        {"n = :v", NULL, "{':v':{'N':'5.0'}}", ITEM, "true"},
        {"n < :v", NULL, "{':v':{'N':'10'}}", ITEM, "true"},
        {"n < :v", NULL, "{':v':{'N':'5'}}", ITEM, "false"},
        {"n <= :v", NULL, "{':v':{'N':'5'}}", ITEM, "true"},
        {"n > :v", NULL, "{':v':{'N':'-1e10'}}", ITEM, "true"},
        {"n >= :v", NULL, "{':v':{'N':'5'}}", ITEM, "true"},
        {"n >= :v", NULL, "{':v':{'N':'5.0000001'}}", ITEM, "false"},
        {"neg < :v", NULL, "{':v':{'N':'-1.4'}}", ITEM, "true"},
        {"n < :v", NULL, "{':v':{'S':'9'}}", ITEM, "false"},
        {"n > :v", NULL, "{':v':{'S':'0'}}", ITEM, "false"},
        {"b = :v", NULL, "{':v':{'B':'AQID'}}", ITEM, "true"},
        {"b > :v", NULL, "{':v':{'B':'AQI='}}", ITEM, "true"},
        {"t = :v", NULL, "{':v':{'BOOL':true}}", ITEM, "true"},
        {"t = :v", NULL, "{':v':{'BOOL':false}}", ITEM, "false"},
        {"t <> f", NULL, NULL, ITEM, "true"},
        {"z = :v", NULL, "{':v':{'NULL':true}}", ITEM, "true"},
        {"ss = :v", NULL, "{':v':{'SS':['b','a']}}", ITEM, "true"},
        {"ns = :v", NULL, "{':v':{'NS':['2.50','1']}}", ITEM, "true"},
        {"bs = :v", NULL, "{':v':{'BS':['AQ==','Ag==']}}", ITEM, "false"},
        {"l = :v", NULL, "{':v':{'L':[{'S':'x'},{'N':'7.0'},{'L':[]}]}}", ITEM, "true"},
        {"l = :v", NULL, "{':v':{'L':[{'S':'x'},{'L':[]},{'N':'7'}]}}", ITEM, "false"},
        {"m.d = :v", NULL, "{':v':{'M':{'e':{'L':[{'N':'1'}]}}}}", ITEM, "true"},
        {"el = :v", NULL, "{':v':{'M':{}}}", ITEM, "false"},
        {":v < n", NULL, "{':v':{'N':'4'}}", ITEM, "true"},
        {":v = :w", NULL, "{':v':{'N':'4'},':w':{'N':'4.0'}}", ITEM, "true"},
        {"neg < n", NULL, NULL, ITEM, "true"},
        {"a = :v", NULL, "{':v':{'N':'4'}}", NULL, "false"},
        {"a <> :v", NULL, "{':v':{'N':'4'}}", NULL, "true"},
        {"a <> b", NULL, NULL, NULL, "true"},
        {"a = b", NULL, NULL, NULL, "false"},
        {"a < :v", NULL, "{':v':{'N':'4'}}", NULL, "false"},
        {"NOT a < :v", NULL, "{':v':{'N':'4'}}", NULL, "true"},
        {"a IN (:v)", NULL, "{':v':{'N':'4'}}", NULL, "false"},
        {"a BETWEEN :v AND :w", NULL, "{':v':{'N':'4'},':w':{'N':'5'}}", NULL, "false"},
    };
    CHECK(ST_EXPR_CONDITION, rows);
}

static void paths_lead_into_documents(void **state)
{
    (void)state;
    static const condition_row rows[] = {
        {"m.a = :v", NULL, "{':v':{'S':'in'}}", ITEM, "true"},
        {"m.d.e[0] = :v", NULL, "{':v':{'N':'1'}}", ITEM, "true"},
        {"m . d\t.\ne [ 0 ] = :v", NULL, "{':v':{'N':'1'}}", ITEM, "true"},
        {"l[1] = :v", NULL, "{':v':{'N':'7'}}", ITEM, "true"},
        {"l[3] = :v", NULL, "{':v':{'N':'7'}}", ITEM, "false"},
        {"l[2147483647] = :v", NULL, "{':v':{'N':'7'}}", ITEM, "false"},
        {"l.a = :v", NULL, "{':v':{'N':'7'}}", ITEM, "false"},
        {"m[0] = :v", NULL, "{':v':{'N':'7'}}", ITEM, "false"},
        {"s.a = :v", NULL, "{':v':{'N':'7'}}", ITEM, "false"},
        {"#d = :v", "#d=x.y", "{':v':{'N':'1'}}", ITEM, "true"},
        {"m.#d.#e[0] = :v", "#d=d #e=e", "{':v':{'N':'1'}}", ITEM, "true"},
        {"#h = :v", "#h=#h", "{':v':{'N':'1'}}", ITEM, "false"},
        {"attribute_exists(m.d.e[0])", NULL, NULL, ITEM, "true"},
        {"attribute_exists(m.d.e[1])", NULL, NULL, ITEM, "false"},
        {"attribute_not_exists(m.d.f)", NULL, NULL, ITEM, "true"},
        {"attribute_exists(m.z)", NULL, NULL, ITEM, "false"},
        {"attribute_exists(m.A)", NULL, NULL, ITEM, "false"},
    };
    CHECK(ST_EXPR_CONDITION, rows);
}

static void functions_judge_as_the_service_does(void **state)
{
    (void)state;
    static const condition_row rows[] = {
        {"attribute_exists(s)", NULL, NULL, ITEM, "true"},
        {"attribute_exists(s)", NULL, NULL, NULL, "false"},
        {"attribute_not_exists(s)", NULL, NULL, ITEM, "false"},
        {"attribute_not_exists(s)", NULL, NULL, NULL, "true"},
        {"attribute_exists(z)", NULL, NULL, ITEM, "true"},
        {"attribute_type(n, :t)", NULL, "{':t':{'S':'N'}}", ITEM, "true"},
        {"attribute_type(n, :t)", NULL, "{':t':{'S':'S'}}", ITEM, "false"},
        {"attribute_type(z, :t)", NULL, "{':t':{'S':'NULL'}}", ITEM, "true"},
        {"attribute_type(ss, :t)", NULL, "{':t':{'S':'SS'}}", ITEM, "true"},
        {"attribute_type(nope, :t)", NULL, "{':t':{'S':'S'}}", ITEM, "false"},
        {"begins_with(s, :v)", NULL, "{':v':{'S':'hel'}}", ITEM, "true"},
        {"begins_with(s, :v)", NULL, "{':v':{'S':''}}", ITEM, "true"},
        {"begins_with(s, :v)", NULL, "{':v':{'S':'Hel'}}", ITEM, "false"},
        {"begins_with(b, :v)", NULL, "{':v':{'B':'AQI='}}", ITEM, "true"},
        {"begins_with(s, :v)", NULL, "{':v':{'B':'AQI='}}", ITEM, "false"},
        {"begins_with(n, :v)", NULL, "{':v':{'S':'5'}}", ITEM, "false"},
        {"begins_with(nope, :v)", NULL, "{':v':{'S':''}}", ITEM, "false"},
        {"contains(s, :v)", NULL, "{':v':{'S':'ell'}}", ITEM, "true"},
        {"contains(s, :v)", NULL, "{':v':{'S':'lo'}}", ITEM, "true"},
        {"contains(s, :v)", NULL, "{':v':{'S':'hello'}}", ITEM, "true"},
        {"contains(s, :v)", NULL, "{':v':{'S':'hellol'}}", ITEM, "false"},
        {"contains(s, :v)", NULL, "{':v':{'S':'lx'}}", ITEM, "false"},
        {"contains(s, :v)", NULL, "{':v':{'S':''}}", ITEM, "true"},
        {"contains(blank, :v)", NULL, "{':v':{'S':'a'}}", ITEM, "false"},
        {"contains(s, :v)", NULL, "{':v':{'N':'1'}}", ITEM, "false"},
        {"contains(b, :v)", NULL, "{':v':{'B':'AgM='}}", ITEM, "true"},
        {"contains(ss, :v)", NULL, "{':v':{'S':'b'}}", ITEM, "true"},
        {"contains(ss, :v)", NULL, "{':v':{'S':'c'}}", ITEM, "false"},
        {"contains(ns, :v)", NULL, "{':v':{'N':'2.50'}}", ITEM, "true"},
        {"contains(ns, :v)", NULL, "{':v':{'S':'1'}}", ITEM, "false"},
        {"contains(bs, :v)", NULL, "{':v':{'B':'AQ=='}}", ITEM, "true"},
        {"contains(l, :v)", NULL, "{':v':{'N':'7.0'}}", ITEM, "true"},
        {"contains(l, :v)", NULL, "{':v':{'L':[]}}", ITEM, "true"},
        {"contains(l, :v)", NULL, "{':v':{'N':'8'}}", ITEM, "false"},
        {"contains(m, :v)", NULL, "{':v':{'S':'in'}}", ITEM, "false"},
        {"contains(nope, :v)", NULL, "{':v':{'S':'in'}}", ITEM, "false"},
        {"contains(:v, s)", NULL, "{':v':{'S':'say hello'}}", ITEM, "true"},
        {"size(s) = :v", NULL, "{':v':{'N':'5'}}", ITEM, "true"},
        {"size(uni) = :v", NULL, "{':v':{'N':'4'}}", ITEM, "true"},
        {"size(b) = :v", NULL, "{':v':{'N':'3'}}", ITEM, "true"},
        {"size(ss) = :v", NULL, "{':v':{'N':'2'}}", ITEM, "true"},
        {"size(m) = :v", NULL, "{':v':{'N':'2'}}", ITEM, "true"},
        {"size(l) > :v", NULL, "{':v':{'N':'2'}}", ITEM, "true"},
        {"size(blank) = :v", NULL, "{':v':{'N':'0'}}", ITEM, "true"},
        {"size(el) < size(l)", NULL, NULL, ITEM, "true"},
        {"size(n) = :v", NULL, "{':v':{'N':'1'}}", ITEM, "false"},
        {"size(n) <> :v", NULL, "{':v':{'N':'1'}}", ITEM, "true"},
        {"size(t) >= :v", NULL, "{':v':{'N':'0'}}", ITEM, "false"},
        {"size(nope) >= :v", NULL, "{':v':{'N':'0'}}", ITEM, "false"},
        {"size(:v) = :n", NULL, "{':v':{'S':'abcdefghijklmnopqrst'},':n':{'N':'20'}}", ITEM,
         "true"},
        {"size(:v) = :n", NULL,
         "{':v':{'S':'0123456789012345678901234567890123456789012345678901234567890123456789"
         "012345678901234567890123456789'},':n':{'N':'100'}}",
         ITEM, "true"},
        {"size(s) BETWEEN :a AND :b", NULL, "{':a':{'N':'5'},':b':{'N':'5'}}", ITEM, "true"},
        {"size(s) IN (:a, n)", NULL, "{':a':{'N':'6'}}", ITEM, "true"},
        {"contains(l, size(l))", NULL, NULL, "{'l':{'L':[{'N':'1'}]}}", "true"},
    };
    CHECK(ST_EXPR_CONDITION, rows);
}

static void logic_binds_not_then_and_then_or(void **state)
{
    (void)state;
    static const condition_row rows[] = {
        {"s = s2 OR t = :t AND n = :n", NULL, "{':t':{'BOOL':true},':n':{'N':'5'}}", ITEM, "true"},
        {"t = :t OR f = :t AND f = :t", NULL, "{':t':{'BOOL':true}}", ITEM, "true"},
        {"(t = :t OR f = :t) AND f = :t", NULL, "{':t':{'BOOL':true}}", ITEM, "false"},
        {"f = :t AND f = :t OR t = :t", NULL, "{':t':{'BOOL':true}}", ITEM, "true"},
        {"f = :t AND (f = :t OR t = :t)", NULL, "{':t':{'BOOL':true}}", ITEM, "false"},
        {"f = :t AND t = :t AND t = :t OR NOT f = :t AND t = :t OR f = :t", NULL,
         "{':t':{'BOOL':true}}", ITEM, "true"},
        {"NOT f = :t AND t = :t", NULL, "{':t':{'BOOL':true}}", ITEM, "true"},
        {"NOT (f = :t AND t = :t)", NULL, "{':t':{'BOOL':true}}", ITEM, "true"},
        {"NOT (t = :t OR f = :t)", NULL, "{':t':{'BOOL':true}}", ITEM, "false"},
        {"NOT NOT t = :t", NULL, "{':t':{'BOOL':true}}", ITEM, "true"},
        {"not t = :t Or NoT f = :t aNd t = :t", NULL, "{':t':{'BOOL':true}}", ITEM, "true"},
        {"n between :a and :b AND t = :t", NULL,
         "{':a':{'N':'5'},':b':{'N':'6'},':t':{'BOOL':true}}", ITEM, "true"},
        {"n BETWEEN :a AND :b", NULL, "{':a':{'N':'6'},':b':{'N':'7'}}", ITEM, "false"},
        {":a BETWEEN neg AND n", NULL, "{':a':{'N':'0'}}", ITEM, "true"},
        {"NOT n IN (:a, :b)", NULL, "{':a':{'N':'6'},':b':{'N':'7'}}", ITEM, "true"},
        {"n in (:a,:b)", NULL, "{':a':{'S':'5'},':b':{'N':'5'}}", ITEM, "true"},
        {"(n) = (:a)", NULL, "{':a':{'N':'5'}}", ITEM, "true"},
        {"(n) IN ((:a), (:b))", NULL, "{':a':{'N':'4'},':b':{'N':'5'}}", ITEM, "true"},
        {"(size((s)) = :a)", NULL, "{':a':{'N':'5'}}", ITEM, "true"},
        {"((size(s)) = :a AND (n) = :a)", NULL, "{':a':{'N':'5'}}", ITEM, "true"},
        {"(attribute_exists(s)) AND (attribute_exists(n))", NULL, NULL, ITEM, "true"},
        {"NOT (n) = :a", NULL, "{':a':{'N':'5'}}", ITEM, "false"},
        {"(n) BETWEEN (:a) AND (:b)", NULL, "{':a':{'N':'5'},':b':{'N':'5'}}", ITEM, "true"},
    };
    CHECK(ST_EXPR_CONDITION, rows);
}

static void syntax_errors_show_the_token_and_what_is_near(void **state)
{
    (void)state;
    static const condition_row rows[] = {
        {"", NULL, NULL, NULL, C "The expression can not be empty;"},
        {"  ", NULL, NULL, NULL, C "Syntax error; token: \"<EOF>\", near: \"  \""},
        {"a", NULL, NULL, NULL, C "Syntax error; token: \"<EOF>\", near: \"a\""},
        {"a =", NULL, NULL, NULL, C "Syntax error; token: \"<EOF>\", near: \"=\""},
        {"a = ", NULL, NULL, NULL, C "Syntax error; token: \"<EOF>\", near: \"=\""},
        {"a = :v x y", NULL, NULL, NULL, C "Syntax error; token: \"x\", near: \":v x y\""},
        {"(a = :v) x  y z", NULL, NULL, NULL, C "Syntax error; token: \"x\", near: \") x  y\""},
        {"= :v", NULL, NULL, NULL, C "Syntax error; token: \"=\", near: \"= :v\""},
        {"attribute_exists(pk,)", NULL, NULL, NULL, C "Syntax error; token: \")\", near: \",)\""},
        {"attribute_exists()", NULL, NULL, NULL, C "Syntax error; token: \")\", near: \"()\""},
        {"a == :v", NULL, NULL, NULL, C "Syntax error; token: \"=\", near: \"== :v\""},
        {"a < > :v", NULL, NULL, NULL, C "Syntax error; token: \">\", near: \"< > :v\""},
        {"l[00] = :v", NULL, NULL, NULL, C "Syntax error; token: \"0\", near: \"00]\""},
        {"l[01] = :v", NULL, NULL, NULL, C "Syntax error; token: \"1\", near: \"01]\""},
        {"l[-1] = :v", NULL, NULL, NULL, C "Syntax error; token: \"-\", near: \"[-1\""},
        {"l[] = :v", NULL, NULL, NULL, C "Syntax error; token: \"]\", near: \"[] =\""},
        {"l[a] = :v", NULL, NULL, NULL, C "Syntax error; token: \"a\", near: \"[a]\""},
        {"a. = :v", NULL, NULL, NULL, C "Syntax error; token: \"=\", near: \". = :v\""},
        {"a..b = :v", NULL, NULL, NULL, C "Syntax error; token: \".\", near: \"..b\""},
        {"_a = :v", NULL, NULL, NULL, C "Syntax error; token: \"_\", near: \"_a\""},
        {"1a = :v", NULL, NULL, NULL, C "Syntax error; token: \"1\", near: \"1a\""},
        {"a = 1", NULL, NULL, NULL, C "Syntax error; token: \"1\", near: \"= 1\""},
        {"a = :v;", NULL, NULL, NULL, C "Syntax error; token: \";\", near: \":v;\""},
        {"a = \xc3\xa9 b", NULL, NULL, NULL,
         C "Syntax error; token: \"\xc3\xa9\", near: \"= \xc3\xa9 b\""},
        {"a\xc2\xa0= :v", NULL, NULL, NULL,
         C "Syntax error; token: \"\xc2\xa0\", near: \"a\xc2\xa0=\""},
        {"a = #", NULL, NULL, NULL, C "Syntax error; token: \"#\", near: \"= #\""},
        {"a = :", NULL, NULL, NULL, C "Syntax error; token: \":\", near: \"= :\""},
        {"a = and", NULL, NULL, NULL, C "Syntax error; token: \"and\", near: \"= and\""},
        {"in = :v", NULL, NULL, NULL, C "Syntax error; token: \"in\", near: \"in =\""},
        {"a.not = :v", NULL, NULL, NULL, C "Syntax error; token: \"not\", near: \".not =\""},
        {"a IN :v", NULL, NULL, NULL, C "Syntax error; token: \":v\", near: \"IN :v\""},
        {"a IN ()", NULL, NULL, NULL, C "Syntax error; token: \")\", near: \"()\""},
        {"a BETWEEN :v", NULL, NULL, NULL, C "Syntax error; token: \"<EOF>\", near: \":v\""},
        {"a BETWEEN :v OR :w", NULL, NULL, NULL,
         C "Syntax error; token: \"OR\", near: \":v OR :w\""},
        {"(a = :v", NULL, NULL, NULL, C "Syntax error; token: \"<EOF>\", near: \":v\""},
        {"a = :v)", NULL, NULL, NULL, C "Syntax error; token: \")\", near: \":v)\""},
        {"(a) AND b = :v", NULL, NULL, NULL, C "Syntax error; token: \"AND\", near: \") AND b\""},
        {"(a)", NULL, NULL, NULL, C "Syntax error; token: \"<EOF>\", near: \")\""},
        {"(a = :v) = :v", NULL, NULL, NULL, C "Syntax error; token: \"=\", near: \") = :v\""},
        {"a AND b", NULL, NULL, NULL, C "Syntax error; token: \"AND\", near: \"a AND b\""},
        {"a = :v AND", NULL, NULL, NULL, C "Syntax error; token: \"<EOF>\", near: \"AND\""},
        {"AND a = :v", NULL, NULL, NULL, C "Syntax error; token: \"AND\", near: \"AND a\""},
        {"NOT", NULL, NULL, NULL, C "Syntax error; token: \"<EOF>\", near: \"NOT\""},
        {"NOT a", NULL, NULL, NULL, C "Syntax error; token: \"<EOF>\", near: \"a\""},
        {":v", NULL, NULL, NULL, C "Syntax error; token: \"<EOF>\", near: \":v\""},
        {"status x", NULL, NULL, NULL, C "Syntax error; token: \"x\", near: \"status x\""},
    };
    CHECK(ST_EXPR_CONDITION, rows);
}

static void complaints_come_leftmost_first(void **state)
{
    (void)state;
    static const condition_row rows[] = {
        {"((a = :v))", NULL, NULL, NULL, C "The expression has redundant parentheses;"},
        {"((a = :v) ) x", NULL, NULL, NULL, C "The expression has redundant parentheses;"},
        {"((a)) = :v", NULL, NULL, NULL, C "The expression has redundant parentheses;"},
        {"a = ((:v))", NULL, NULL, NULL, C "The expression has redundant parentheses;"},
        {"size(((a))) = :v", NULL, NULL, NULL, C "The expression has redundant parentheses;"},
        {"((NOT (a = :v)))", NULL, NULL, NULL, C "The expression has redundant parentheses;"},
        {"((a) = :v)", NULL, "{':v':{'N':'1'}}", NULL, "false"},
        {"((a = :v) AND b = :v)", NULL, "{':v':{'N':'1'}}", NULL, "false"},
        {"data = :v", NULL, NULL, NULL,
         C "Attribute name is a reserved keyword; reserved keyword: data"},
        {"a.b[1].Status = :v", NULL, NULL, NULL,
         C "Attribute name is a reserved keyword; reserved keyword: Status"},
        {"attribute_exists(zone)", NULL, NULL, NULL,
         C "Attribute name is a reserved keyword; reserved keyword: zone"},
        {"size(size) > :v", NULL, NULL, NULL,
         C "Attribute name is a reserved keyword; reserved keyword: size"},
        {"foo(a)", NULL, NULL, NULL, C "Invalid function name; function: foo"},
        {"ATTRIBUTE_EXISTS(a)", NULL, NULL, NULL,
         C "Invalid function name; function: ATTRIBUTE_EXISTS"},
        {"foo(data)", NULL, NULL, NULL, C "Invalid function name; function: foo"},
        {"data = :v AND foo(a)", NULL, NULL, NULL,
         C "Attribute name is a reserved keyword; reserved keyword: data"},
        {"if_not_exists(a, :v) = :v", NULL, NULL, NULL,
         C "The function is not allowed in a condition expression; function: if_not_exists"},
        {"a = list_append(a, :v)", NULL, NULL, NULL,
         C "The function is not allowed in a condition expression; function: list_append"},
        {"size(a)", NULL, NULL, NULL,
         C "The function is not allowed to be used this way in an expression; function: size"},
        {"a = :v AND (size(a))", NULL, NULL, NULL,
         C "The function is not allowed to be used this way in an expression; function: size"},
        {"NOT size(a)", NULL, NULL, NULL,
         C "The function is not allowed to be used this way in an expression; function: size"},
        {"contains(a, :v) = :v", NULL, NULL, NULL,
         C "The function is not allowed to be used this way in an expression; function: contains"},
        {":v = contains(a, :v)", NULL, NULL, NULL,
         C "The function is not allowed to be used this way in an expression; function: contains"},
        {"size(contains(a, :v)) = :v", NULL, NULL, NULL,
         C "The function is not allowed to be used this way in an expression; function: contains"},
        {"attribute_exists(a) IN (:v)", NULL, NULL, NULL,
         C "The function is not allowed to be used this way in an expression; function: "
           "attribute_exists"},
        {"attribute_exists(a, b)", NULL, NULL, NULL,
         C "Incorrect number of operands for operator or function; operator or function: "
           "attribute_exists, number of operands: 2"},
        {"contains(a)", NULL, NULL, NULL,
         C "Incorrect number of operands for operator or function; operator or function: contains, "
           "number of operands: 1"},
        {"begins_with(a, b, c, d, e)", NULL, NULL, NULL,
         C "Incorrect number of operands for operator or function; operator or function: "
           "begins_with, number of operands: 5"},
        {"a[2147483648] = :v", NULL, NULL, NULL,
         C "List index is not within the allowable range; index: [2147483648]"},
        {"a[99999999999999999999999] = :v", NULL, NULL, NULL,
         C "List index is not within the allowable range; index: [99999999999999999999999]"},
        {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = :v", NULL, NULL, NULL,
         C "The document path has too many nesting levels; nesting levels: 33"},
        {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = :v", NULL,
         "{':v':{'S':''}}", NULL, "false"},
    };
    CHECK(ST_EXPR_CONDITION, rows);
}

static void operands_are_checked_without_an_item(void **state)
{
    (void)state;
    static const condition_row rows[] = {
        {"a < :v", NULL, "{':v':{'BOOL':true}}", NULL,
         C "Incorrect operand type for operator or function; operator or function: <, operand "
           "type: BOOL"},
        {"NOT :v >= a", NULL, "{':v':{'L':[]}}", NULL,
         C "Incorrect operand type for operator or function; operator or function: >=, operand "
           "type: L"},
        {"a <= :v", NULL, "{':v':{'NS':['1']}}", NULL,
         C "Incorrect operand type for operator or function; operator or function: <=, operand "
           "type: NS"},
        {"a > :v", NULL, "{':v':{'M':{}}}", NULL,
         C "Incorrect operand type for operator or function; operator or function: >, operand "
           "type: M"},
        {"a BETWEEN :v AND :v", NULL, "{':v':{'NULL':true}}", NULL,
         C "Incorrect operand type for operator or function; operator or function: BETWEEN, "
           "operand type: NULL"},
        {"a = :v AND a <> :v", NULL, "{':v':{'M':{}}}", NULL, "false"},
        {"a IN (:v)", NULL, "{':v':{'M':{}}}", NULL, "false"},
        {"a BETWEEN :v AND :w", NULL, "{':v':{'N':'3'},':w':{'N':'1'}}", NULL,
         C
         "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
         "lower bound operand: AttributeValue: {N:3}, upper bound operand: AttributeValue: {N:1}"},
        {"a BETWEEN :v AND :w", NULL, "{':v':{'S':'b'},':w':{'S':'a'}}", NULL,
         C
         "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
         "lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}"},
        {"a BETWEEN :v AND :w", NULL, "{':v':{'B':'Ag=='},':w':{'B':'AQID'}}", NULL,
         C "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
           "lower bound operand: AttributeValue: {B:java.nio.HeapByteBuffer[pos=0 lim=1 cap=1]}, "
           "upper bound operand: AttributeValue: {B:java.nio.HeapBy"},
        {"a <> a", NULL, NULL, NULL,
         C "The first operand must be distinct from the remaining operands for this operator or "
           "function; operator: <>, first operand: [a]"},
        {"a BETWEEN :v AND :w", NULL, "{':v':{'S':'b'},':w':{'N':'-1.50'}}", NULL,
         C "The BETWEEN operator requires same data type for lower and upper bounds; lower bound "
           "operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {N:-1.5}"},
        {"a BETWEEN :v AND :w", NULL, "{':v':{'S':'b'},':w':{'S':'b'}}", NULL, "false"},
        {"contains(a, a)", NULL, NULL, NULL,
         C "The first operand must be distinct from the remaining operands for this operator or "
           "function; operator: contains, first operand: [a]"},
        {"a.#b[1] = a.b[1]", "#b=b", NULL, NULL,
         C "The first operand must be distinct from the remaining operands for this operator or "
           "function; operator: =, first operand: [a, b, [1]]"},
        {"contains(#a, #b)", "#a=data #b=data", NULL, NULL,
         C "The first operand must be distinct from the remaining operands for this operator or "
           "function; operator: contains, first operand: [data]"},
        {"a IN (:v, a)", NULL, "{':v':{'M':{}}}", NULL,
         C "The first operand must be distinct from the remaining operands for this operator or "
           "function; operator: IN, first operand: [a]"},
        {"a BETWEEN b AND a", NULL, NULL, NULL,
         C "The first operand must be distinct from the remaining operands for this operator or "
           "function; operator: BETWEEN, first operand: [a]"},
        {"a[1] = a[2]", NULL, NULL, NULL, "false"},
        {"begins_with(a, :v)", NULL, "{':v':{'N':'1'}}", NULL,
         C "Incorrect operand type for operator or function; operator or function: begins_with, "
           "operand type: N"},
        {"begins_with(a, size(b))", NULL, NULL, NULL,
         C "Incorrect operand type for operator or function; operator or function: begins_with, "
           "operand type: N"},
        {"size(:v) = :v", NULL, "{':v':{'BOOL':true}}", NULL,
         C "Incorrect operand type for operator or function; operator or function: size, operand "
           "type: BOOL"},
        {"size(size(a)) = :v", NULL, "{':v':{'BOOL':true}}", NULL,
         C "Incorrect operand type for operator or function; operator or function: size, operand "
           "type: N"},
        {"attribute_exists(:v)", NULL, "{':v':{'BOOL':true}}", NULL,
         C "Operator or function requires a document path; operator or function: "
           "attribute_exists"},
        {"attribute_not_exists(size(a))", NULL, NULL, NULL,
         C "Operator or function requires a document path; operator or function: "
           "attribute_not_exists"},
        {"attribute_type(a, :v)", NULL, "{':v':{'S':'STRING'}}", NULL,
         C "Invalid attribute type name found; type: STRING, valid types: "
           "{S,SS,N,NS,B,BS,BOOL,NULL,L,M}"},
        {"attribute_type(a, :v)", NULL, "{':v':{'N':'1'}}", NULL,
         C "Incorrect operand type for operator or function; operator or function: attribute_type, "
           "operand type: N"},
        {"attribute_type(a, b)", NULL, NULL, NULL,
         C "Incorrect operand type for operator or function; operator or function: attribute_type, "
           "operand type: {S,SS,N,NS,B,BS,BOOL,NULL,L,M,HD,DOUBLE,FLOAT,HDS,FS,DOUBLESET,DICT,"
           "DECIMAL,INT,DECIMALSET,INTSET}"},
    };
    CHECK(ST_EXPR_CONDITION, rows);
}

static void placeholders_are_defined_and_used(void **state)
{
    (void)state;
    static const condition_row rows[] = {
        {"#a = :v", NULL, "{':v':{'N':'1'}}", NULL,
         C "An expression attribute name used in the document path is not defined; attribute name: "
           "#a"},
        {"a.#b = :v", "#a=x", "{':v':{'N':'1'}}", NULL,
         C "An expression attribute name used in the document path is not defined; attribute name: "
           "#b"},
        {"a = :w", NULL, "{':v':{'N':'1'}}", NULL,
         C "An expression attribute value used in expression is not defined; attribute value: :w"},
        {"a < :w", NULL, NULL, NULL,
         C "An expression attribute value used in expression is not defined; attribute value: :w"},
        {"a = :v", "#a=a #b=b", "{':v':{'N':'1'},':w':{'N':'1'}}", NULL,
         "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}"},
        {"#a = :v", "#a=a", "{':v':{'N':'1'},':w':{'N':'1'}}", NULL,
         "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"},
        {"attribute_exists(#A)", "#a=a", NULL, NULL,
         C "An expression attribute name used in the document path is not defined; attribute name: "
           "#A"},
    };
    CHECK(ST_EXPR_CONDITION, rows);
}

static void every_kind_has_its_name(void **state)
{
    (void)state;
    static const condition_row filter[] = {
        {"a =", NULL, NULL, NULL,
         "Invalid FilterExpression: Syntax error; token: \"<EOF>\", near: \"=\""},
        {"attribute_type(a, :v)", NULL, "{':v':{'S':'STRING'}}", NULL,
         "Invalid FilterExpression: Invalid attribute type name found; type: STRING, valid types: "
         "{N,BS,L,B,NULL,M,S,SS,NS,BOOL}"}};
    static const condition_row key[] = {
        {"data = :v", NULL, NULL, NULL,
         "Invalid KeyConditionExpression: Attribute name is a reserved keyword; reserved keyword: "
         "data"}};
    static const condition_row search[] = {
        {"", NULL, NULL, NULL,
         "Invalid SearchConditionExpression: The expression can not be "
         "empty;"}};
    CHECK(ST_EXPR_FILTER, filter);
    CHECK(ST_EXPR_KEY_CONDITION, key);
    CHECK(ST_EXPR_SEARCH_CONDITION, search);
}

/* ---- limits ----------------------------------------------------------------------------- */

static const char *long_answer(expr_case *c, st_buf *text)
{
    st_buf_byte(text, 0);
    return expr_condition_answer(c, ST_EXPR_CONDITION, (const char *)text->data);
}

static void repeat(st_buf *text, const char *part, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        st_buf_append(text, part, strlen(part));
    }
}

typedef struct limit_row {
    const char *begin, *part, *end, *after;
    size_t count;
    const char *answer;
} limit_row;

static void limits_are_the_services(void **state)
{
    (void)state;
    static const limit_row rows[] = {
        {"a IN (:v", ",:v", ")", "", 99, "true"},
        {"a IN (:v", ",:v", ")", "", 100,
         C "The IN operator is provided with too many operands; number of operands: 101"},
        {"a=:v", " OR a=:v", "", "", 149, "true"},
        {"a=:v", " OR a=:v", " OR NOT a=:v", "", 148, "true"},
        {"a=:v", " OR a=:v", "", "", 150,
         C "The expression contains too many operators; operator count: 301"},
        {"", "NOT ", "a=:v", "", 299, "false"},
        {"", "NOT ", "a=:v", "", 300,
         C "The expression contains too many operators; operator count: 301"},
        {"", "NOT (", "a=:v", ")", 299, "false"},
        {"", "NOT (", "a=:v", ")", 300,
         C "The expression contains too many operators; operator count: 301"},
        {"", "(", "a=:v", ")", 2000, C "The expression has redundant parentheses;"},
        {"", "(", "a=:v", "", 4000, C "Syntax error; token: \"<EOF>\", near: \":v\""},
        {"a=:v OR ", "(NOT ", "a=:v", ")", 297, "true"},
        {"", "(a=:v AND ", "a=:v", ")", 149, "true"},
        {"a=", "(", ":v", ")", 63, C "The expression has redundant parentheses;"},
        {"a=", "(", "", "", 4000, C "The expression has redundant parentheses;"},
        {"", "size(", "a", ")", 64,
         C "The function is not allowed to be used this way in an expression; function: size"},
        {"", "size(", "a", ")", 65, C "The expression is nested too deeply"},
        {"", "NOT ", "", "", 1024, C "Syntax error; token: \"<EOF>\", near: \"NOT\""},
        {"a=:v", " ", "", "", 4092, "true"},
        {"a=:v", " ", "", "", 4093, C "Expression size has exceeded the maximum allowed size;"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expr_case c;
        st_buf text;
        expr_case_init(&c, st_alloc_process());
        st_buf_init(&text, st_alloc_process());
        assert_int_equal(expr_item(&c, "{'a':{'N':'1'}}"), ST_OK);
        assert_int_equal(expr_scope(&c, NULL, "{':v':{'N':'1'}}"), ST_OK);
        repeat(&text, rows[i].begin, 1);
        repeat(&text, rows[i].part, rows[i].count);
        repeat(&text, rows[i].end, 1);
        repeat(&text, rows[i].after, rows[i].after[0] ? rows[i].count : 0);
        assert_string_equal(long_answer(&c, &text), rows[i].answer);
        st_buf_deinit(&text);
        expr_case_deinit(&c);
    }
}

static void errors_have_their_position(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t position;
    } rows[] = {
        {"a = :v x", 7},
        {"a = ", 4},
        {"a AND data = :v", 2},
        {"a = :v OR foo(b)", 10},
        {"a = :v OR b = :x", 14},
        {"a = #x", 4},
        {"b = :v OR a < :b", 12},
        {"((a = :v))", 0},
        {"b = :v OR a.data = :v", 12},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expr_case c;
        expr_case_init(&c, st_alloc_process());
        assert_int_equal(expr_scope(&c, NULL, "{':v':{'N':'1'},':b':{'BOOL':true}}"), ST_OK);
        bool is_met;
        assert_int_equal(expr_run_condition(&c, ST_EXPR_CONDITION, rows[i].text, &is_met),
                         ST_INVALID_ARGUMENT);
        assert_int_equal(c.op.error.position, rows[i].position);
        expr_case_deinit(&c);
    }
}

/* ---- scopes ----------------------------------------------------------------------------- */

static void thousands_of_placeholders_are_found(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    static char names[MANY][12], values[MANY][12];
    expr_case c;
    expr_case_init(&c, st_alloc_process());
    assert_int_equal(st_expr_scope_begin(&c.op, MANY, MANY, &c.scope), ST_OK);
    for (unsigned i = 0; i < MANY; i++) {
        uint8_t number[] = {ST_TAG_NUMBER_TEXT, 1, (uint8_t)('0' + i % 10)};
        snprintf(names[i], sizeof names[i], "#n%u", i);
        snprintf(values[i], sizeof values[i], ":v%u", i);
        st_expr_scope_add_name(&c.scope, st_slice_str(names[i]), st_slice_str(names[i] + 1));
        assert_int_equal(st_expr_scope_add_value(&c.op, &c.scope, st_slice_str(values[i]),
                                                 st_slice_of(number, sizeof number)),
                         ST_OK);
    }
    assert_int_equal(expr_item(&c, "{'n0':{'N':'9'},'n19999':{'N':'3'}}"), ST_OK);
    for (unsigned i = 0; i < MANY; i++) {
        char text[64];
        st_condition *condition;
        snprintf(text, sizeof text, "#n%u = :v%u", i, i);
        assert_int_equal(
            st_condition_parse(&c.op, ST_EXPR_FILTER, st_slice_str(text), &c.scope, &condition),
            ST_OK);
        assert_true(condition->is_resolved);
        const st_node *root = condition->root;
        assert_true(
            st_slice_equal(root->children[0]->path.steps[0].name, st_slice_str(names[i] + 1)));
        assert_int_equal(root->children[1]->value.type, ST_TYPE_N);
    }
    assert_int_equal(st_expr_check_unused(&c.op, &c.scope), ST_OK);
    assert_string_equal(expr_condition_answer(&c, ST_EXPR_FILTER, "#n0 = :v9 AND #n19999 = :v13"),
                        "true");
    assert_string_equal(expr_condition_answer(&c, ST_EXPR_FILTER, "#n20000 = :v9"),
                        "Invalid FilterExpression: An expression attribute name used in the "
                        "document path is not defined; attribute name: #n20000");
    expr_case_deinit(&c);
}

static void a_scope_may_come_after_parsing(void **state)
{
    (void)state;
    expr_case c;
    st_condition *condition;
    st_update *update;
    st_projection *projection;
    expr_case_init(&c, st_alloc_process());
    assert_int_equal(expr_item(&c, "{'a':{'N':'1'}}"), ST_OK);
    assert_int_equal(expr_scope(&c, "#a=a", "{':v':{'N':'1'}}"), ST_OK);
    assert_int_equal(
        st_condition_parse(&c.op, ST_EXPR_FILTER, st_slice_str("#a = :v"), NULL, &condition),
        ST_OK);
    assert_false(condition->is_resolved);
    assert_int_equal(st_condition_resolve(&c.op, condition, &c.scope), ST_OK);
    assert_true(st_condition_is_met(condition, st_buf_view(&c.frame)));
    assert_int_equal(st_expr_check_unused(&c.op, &c.scope), ST_OK);

    assert_int_equal(
        st_update_parse(&c.op, st_slice_str("SET x = if_not_exists(#a, :v) + :v"), NULL, &update),
        ST_OK);
    assert_int_equal(st_update_resolve(&c.op, update, &c.scope), ST_OK);
    st_buf_clear(&c.relaxed);
    assert_int_equal(
        st_update_apply(&c.op, update, st_buf_view(&c.frame), st_buf_view(&c.frame), &c.relaxed),
        ST_OK);
    assert_int_equal(st_item_canonicalize_updated(&c.op, st_buf_view(&c.relaxed), &c.out), ST_OK);
    assert_string_equal(expr_answer(&c, ST_OK), "{'a':{'N':'1'},'x':{'N':'2'}}");

    assert_int_equal(st_projection_parse(&c.op, st_slice_str("#a"), NULL, &projection), ST_OK);
    assert_int_equal(st_projection_resolve(&c.op, projection, &c.scope), ST_OK);
    st_buf_clear(&c.out);
    assert_int_equal(st_projection_apply(&c.op, projection, st_buf_view(&c.frame), &c.out), ST_OK);
    assert_string_equal(expr_answer(&c, ST_OK), "{'a':{'N':'1'}}");
    expr_case_deinit(&c);
}

static void values_are_checked_as_items_are(void **state)
{
    (void)state;
    static const condition_row rows[] = {
        {"a = :v", NULL, "{':v':{'N':'x'}}", NULL,
         "The parameter cannot be converted to a numeric value: x"},
        {"a = :v", NULL, "{':v':{'SS':['a','a']}}", NULL,
         "One or more parameter values were invalid: Input collection [\"a\", \"a\"] contains "
         "duplicates."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expr_case c;
        expr_case_init(&c, st_alloc_process());
        assert_int_equal(expr_scope(&c, NULL, rows[i].values), ST_INVALID_ARGUMENT);
        assert_string_equal(c.op.error.message, rows[i].answer);
        expr_case_deinit(&c);
    }
}

static void placeholders_have_a_form(void **state)
{
    (void)state;
    static const char *const good[] = {"#a", "#_", "#1", "#aB_9"};
    static const char *const bad[] = {"", "#", "a", ":a", "#a-b", "#a b", "##", "#\xc3\xa9"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(st_expr_is_placeholder(st_slice_str(good[i]), '#'));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(st_expr_is_placeholder(st_slice_str(bad[i]), '#'));
    }
    assert_true(st_expr_is_placeholder(st_slice_str(":a"), ':'));
}

static void count_name(void *ctx, const st_path *path)
{
    uint32_t *count = ctx;
    assert_true(path->count > 0);
    (*count)++;
}

static void the_attributes_a_condition_reads_are_told(void **state)
{
    (void)state;
    expr_case c;
    st_condition *condition;
    uint32_t count = 0;
    expr_case_init(&c, st_alloc_process());
    assert_int_equal(st_condition_parse(&c.op, ST_EXPR_FILTER,
                                        st_slice_str("a = b.c AND NOT size(d) IN (e[1], :v)"),
                                        &c.scope, &condition),
                     ST_OK);
    st_condition_names(condition->root, count_name, &count);
    assert_int_equal(count, 4);
    assert_int_equal(condition->operator_count, 5);
    expr_case_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_follow_the_types),
        cmocka_unit_test(paths_lead_into_documents),
        cmocka_unit_test(functions_judge_as_the_service_does),
        cmocka_unit_test(logic_binds_not_then_and_then_or),
        cmocka_unit_test(syntax_errors_show_the_token_and_what_is_near),
        cmocka_unit_test(complaints_come_leftmost_first),
        cmocka_unit_test(operands_are_checked_without_an_item),
        cmocka_unit_test(placeholders_are_defined_and_used),
        cmocka_unit_test(every_kind_has_its_name),
        cmocka_unit_test(limits_are_the_services),
        cmocka_unit_test(errors_have_their_position),
        cmocka_unit_test(thousands_of_placeholders_are_found),
        cmocka_unit_test(a_scope_may_come_after_parsing),
        cmocka_unit_test(values_are_checked_as_items_are),
        cmocka_unit_test(placeholders_have_a_form),
        cmocka_unit_test(the_attributes_a_condition_reads_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
