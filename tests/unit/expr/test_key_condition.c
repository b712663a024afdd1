/* Key conditions from text to a query, and every text they are refused with. */
#include "expr_support.h"

typedef struct key_row {
    const char *text, *values, *answer;
} key_row;

#define K "Invalid KeyConditionExpression: "
#define VALUES "{':p':{'S':'p'},':s':{'N':'5'},':t':{'N':'9'},':x':{'S':'x'},':b':{'BOOL':true}}"

static st_key_schema schema_of(uint32_t partitions, uint32_t sorts)
{
    static const char *const names[] = {"p1", "p2", "p3", "p4", "s1", "s2", "s3", "s4"};
    st_key_schema schema = {.partition_count = partitions, .sort_count = sorts};
    for (uint32_t i = 0; i < ST_KEY_PARTS_MAX; i++) {
        schema.partition[i] = (st_key_part){.name = st_slice_str(names[i]), .type = ST_TYPE_S};
        schema.sort[i] = (st_key_part){.name = st_slice_str(names[4 + i]), .type = ST_TYPE_N};
    }
    if (partitions == 1) {
        schema.partition[0].name = st_slice_str("pk");
    }
    if (sorts == 1) {
        schema.sort[0].name = st_slice_str("sk");
    }
    return schema;
}

static st_status run(expr_case *c, const char *text, const st_key_schema *schema,
                     st_key_query *out_query)
{
    st_condition *condition;
    st_key_clause *clauses;
    uint32_t count;
    ST_TRY(st_condition_parse(&c->op, ST_EXPR_KEY_CONDITION, st_slice_str(text), &c->scope,
                              &condition));
    ST_TRY(st_condition_check(&c->op, condition));
    ST_TRY(st_condition_resolve(&c->op, condition, &c->scope));
    ST_TRY(st_key_clauses_of(&c->op, condition, &clauses, &count));
    return st_key_clauses_bind(&c->op, clauses, count, schema, out_query);
}

static void print_value(const st_value *value, char *out, size_t size)
{
    char text[ST_NUMBER_TEXT_MAX];
    st_number number;
    if (value->type == ST_TYPE_N) {
        assert_true(st_number_decode(value->bytes, &number));
        st_number_text(&number, text);
        snprintf(out, size, "%.*s", (int)size - 1, text);
    } else {
        snprintf(out, size, "%.*s", (int)value->bytes.size, (const char *)value->bytes.data);
    }
}

/* "p | 5 | BETWEEN 5 9": partition values, equal values, condition. */
static const char *print_query(expr_case *c, const st_key_schema *schema, const st_key_query *query)
{
    static const char *const conditions[] = {"ALL", "=", "<", "<=", ">", ">=", "BETWEEN", "BEGINS"};
    char value[64];
    size_t at = 0;
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        print_value(&query->partition[i], value, sizeof value);
        at += (size_t)snprintf(c->answer + at, 64, "%s ", value);
    }
    at += (size_t)snprintf(c->answer + at, 64, "| ");
    for (uint32_t i = 0; i < query->equal_count; i++) {
        print_value(&query->equal[i], value, sizeof value);
        at += (size_t)snprintf(c->answer + at, 64, "%s ", value);
    }
    at += (size_t)snprintf(c->answer + at, 64, "| %s", conditions[query->condition]);
    const st_value *bounds[] = {query->first, query->second};
    for (int i = 0; i < 2; i++) {
        if (bounds[i]) {
            print_value(bounds[i], value, sizeof value);
            at += (size_t)snprintf(c->answer + at, 64, " %s", value);
        }
    }
    return c->answer;
}

static void check_rows(const st_key_schema *schema, const key_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expr_case c;
        st_key_query query;
        expr_case_init(&c, st_alloc_process());
        assert_int_equal(expr_scope(&c, "#p=pk", rows[i].values ? rows[i].values : VALUES), ST_OK);
        st_status status = run(&c, rows[i].text, schema, &query);
        const char *answer =
            status == ST_OK ? print_query(&c, schema, &query) : expr_answer(&c, status);
        if (strcmp(answer, rows[i].answer) != 0) {
            print_error("%s\n", rows[i].text);
        }
        assert_string_equal(answer, rows[i].answer);
        expr_case_deinit(&c);
    }
}

#define CHECK(partitions, sorts, rows)                                 \
    do {                                                               \
        st_key_schema check_schema = schema_of(partitions, sorts);     \
        check_rows(&check_schema, rows, sizeof rows / sizeof rows[0]); \
    } while (0)

static void clauses_bind_in_any_order_and_direction(void **state)
{
    (void)state;
    static const key_row rows[] = {
        {"pk = :p", NULL, "p | | ALL"},
        {"#p = :p", NULL, "p | | ALL"},
        {":p = pk", NULL, "p | | ALL"},
        {"(pk = :p) AND (sk = :s)", NULL, "p | | = 5"},
        {"sk < :s AND pk = :p", NULL, "p | | < 5"},
        {"pk = :p AND sk <= :s", NULL, "p | | <= 5"},
        {"pk = :p AND sk > :s", NULL, "p | | > 5"},
        {"pk = :p AND sk >= :s", NULL, "p | | >= 5"},
        {"pk = :p AND :s <= sk", NULL, "p | | >= 5"},
        {"pk = :p AND :s < sk", NULL, "p | | > 5"},
        {"pk = :p AND :s >= sk", NULL, "p | | <= 5"},
        {"pk = :p AND :s > sk", NULL, "p | | < 5"},
        {"pk = :p AND :s = sk", NULL, "p | | = 5"},
        {"pk = :p AND sk BETWEEN :s AND :t", NULL, "p | | BETWEEN 5 9"},
        {"sk BETWEEN :s AND :t AND pk = :p", NULL, "p | | BETWEEN 5 9"},
    };
    CHECK(1, 1, rows);
    static const key_row many[] = {
        {"p1 = :p AND p2 = :x", NULL, "p x | | ALL"},
        {"s1 = :s AND p2 = :x AND p1 = :p", NULL, "p x | | = 5"},
        {"p1 = :p AND p2 = :x AND s1 = :s AND s2 = :t AND s3 > :s", NULL, "p x | 5 9 | > 5"},
        {"s2 < :t AND s1 = :s AND p1 = :p AND p2 = :x", NULL, "p x | 5 | < 9"},
    };
    CHECK(2, 3, many);
    st_key_schema text = schema_of(1, 1);
    text.sort[0].type = ST_TYPE_S;
    static const key_row begins[] = {
        {"pk = :p AND begins_with(sk, :x)", NULL, "p | | BEGINS x"},
        {"begins_with (sk, :x) AND pk = :p", NULL, "p | | BEGINS x"},
    };
    check_rows(&text, begins, 2);
}

static void what_is_no_key_condition_is_refused_before_the_table(void **state)
{
    (void)state;
    static const key_row rows[] = {
        {"pk = :p OR sk = :s", NULL, "Invalid operator used in KeyConditionExpression: OR"},
        {"NOT pk = :p", NULL, "Invalid operator used in KeyConditionExpression: NOT"},
        {"pk IN (:p)", NULL, "Invalid operator used in KeyConditionExpression: IN"},
        {"pk <> :p", NULL, "Invalid operator used in KeyConditionExpression: <>"},
        {"attribute_exists(pk)", NULL,
         "Invalid operator used in KeyConditionExpression: attribute_exists"},
        {"pk = :p AND contains(sk, :s)", NULL,
         "Invalid operator used in KeyConditionExpression: contains"},
        {"pk = :p AND size(sk) = :s", NULL,
         K "KeyConditionExpressions cannot contain nested operations"},
        {"pk = :p AND sk.a = :s", NULL,
         K "KeyConditionExpressions cannot have conditions on nested attributes"},
        {"pk[0] = :p", NULL,
         K "KeyConditionExpressions cannot have conditions on nested attributes"},
        {"pk = :p AND pk = :p", NULL,
         K "KeyConditionExpressions must only contain one condition per key"},
        {"pk = :p AND sk > :s AND sk < :t", NULL,
         K "KeyConditionExpressions must only contain one condition per key"},
        {"pk = sk", NULL,
         "Invalid condition in KeyConditionExpression: Multiple attribute names used in one "
         "condition"},
        {":p = :p", NULL,
         "Invalid condition in KeyConditionExpression: No key attribute specified"},
        {"pk = :p AND :s BETWEEN sk AND :t", NULL,
         "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key "
         "attribute "
         "as its first operand"},
        {"pk = :p AND begins_with(:x, sk)", NULL,
         "Invalid condition in KeyConditionExpression: begins_with operator must have the key "
         "attribute as its first operand"},
        {"pk = :p AND begins_with(sk, :s)", NULL,
         K "Incorrect operand type for operator or function; operator or function: begins_with, "
           "operand type: N"},
        {"pk = :p AND sk > :b", NULL,
         K
         "Incorrect operand type for operator or function; operator or function: >, operand type: "
         "BOOL"},
        {"pk = :p AND sk BETWEEN :t AND :s", NULL,
         K
         "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
         "lower bound operand: AttributeValue: {N:9}, upper bound operand: AttributeValue: {N:5}"},
        {"pk <> :p AND sk > :b", NULL, "Invalid operator used in KeyConditionExpression: <>"},
        {"sk > :b AND pk <> :p", NULL,
         K
         "Incorrect operand type for operator or function; operator or function: >, operand type: "
         "BOOL"},
        {"pk = :p AND sk BETWEEN :b AND :s", NULL,
         K
         "Incorrect operand type for operator or function; operator or function: BETWEEN, operand "
         "type: BOOL"},
        {"((pk = :p))", NULL, K "The expression has redundant parentheses;"},
        {"pk = :zz", NULL,
         K "An expression attribute value used in expression is not defined; attribute value: :zz"},
        {"key = :p", NULL, K "Attribute name is a reserved keyword; reserved keyword: key"},
    };
    CHECK(1, 1, rows);
}

static void binding_refuses_in_the_services_order(void **state)
{
    (void)state;
    static const key_row one[] = {
        {"pk = :p AND sk = :s AND x = :s", NULL,
         "The number of query conditions (3) exceeds the number of key attributes defined in the "
         "schema (2)"},
        {"sk = :s", NULL, "Query condition missed key schema element: pk"},
        {"pk > :p", NULL, "Query key condition not supported"},
        {"pk > :p AND x = :s", NULL, "Query key condition not supported"},
        {"pk > :p AND sk = :zz", NULL, "Query key condition not supported"},
        {"sk = :zz", NULL, "Query condition missed key schema element: pk"},
        {"pk = :p AND x = :zz", NULL,
         K "An expression attribute value used in expression is not defined; attribute value: :zz"},
        {"pk = :p AND sk BETWEEN :y AND :z", NULL,
         K "An expression attribute value used in expression is not defined; attribute value: :y"},
        {"pk = :p AND #z BETWEEN :y AND :z", NULL,
         K "An expression attribute name used in the document path is not defined; attribute name: "
           "#z"},
        {"pk = :p AND x = :s", NULL, "Query condition missed key schema element: sk"},
        {"pk = :b", NULL,
         "One or more parameter values were invalid: Condition parameter type does not match "
         "schema type"},
        {"pk = :p AND sk = :x", NULL,
         "One or more parameter values were invalid: Condition parameter type does not match "
         "schema type"},
        {"pk = :p AND sk BETWEEN :x AND :x", NULL,
         "One or more parameter values were invalid: Condition parameter type does not match "
         "schema type"},
    };
    CHECK(1, 1, one);
    static const key_row hash[] = {
        {"pk = :p AND x = :s", NULL,
         "The number of query conditions (2) exceeds the number of key attributes defined in the "
         "schema (1)"},
    };
    CHECK(1, 0, hash);
    static const key_row many[] = {
        {"p1 = :p AND s1 = :s", NULL,
         "HASH key attributes p1, p2 must have equality conditions specified in the query"},
        {"p1 = :p AND p2 > :x", NULL,
         "HASH key attributes p1, p2 must have equality conditions specified in the query"},
        {"p1 = :p AND p2 = :x AND y = :s", NULL, "Query condition missed key schema element: s1"},
        {"p1 = :p AND p2 = :x AND s1 = :s AND y = :s", NULL,
         "Query condition missed key schema element: s2"},
        {"p1 = :p AND p2 = :x AND s3 = :s", NULL,
         "RANGE key attributes s1, s2 must have equality conditions specified in the query because "
         "a condition is present on key attribute s3"},
        {"p1 = :p AND p2 = :x AND s1 > :s AND s2 = :s", NULL,
         "RANGE key attributes s1 must have equality conditions specified in the query because a "
         "condition is present on key attribute s2"},
        {"p1 = :p AND p2 = :x AND s1 = :s AND s2 = :x", NULL,
         "One or more parameter values were invalid: Condition parameter type does not match "
         "schema type"},
        {"p1 = :p AND p2 = :x AND s1 = :s AND s2 = :s AND s3 = :s AND y = :s", NULL,
         "The number of query conditions (6) exceeds the number of key attributes defined in the "
         "schema (5)"},
    };
    CHECK(2, 3, many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clauses_bind_in_any_order_and_direction),
        cmocka_unit_test(what_is_no_key_condition_is_refused_before_the_table),
        cmocka_unit_test(binding_refuses_in_the_services_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
