/* What is refused without a table, word for word, and what is refused first. */
#include "partiql_support.h"

#define NWF "Statement wasn't well formed, can't be processed: "
#define INVALID "One or more parameter values were invalid: "

typedef struct refusal_row {
    const char *text, *message;
} refusal_row;

static void assert_refused(partiql_case *c, const char *text, const char *parameters,
                           const char *message)
{
    if (partiql_parse(c, text, parameters) == ST_OK) {
        fail_msg("%s\nis not refused", text);
    }
    if (strcmp(c->op.error.message, message) != 0) {
        fail_msg("%s\nis refused with: %s\ninstead of:      %s", text, c->op.error.message,
                 message);
    }
    assert_int_equal(c->op.error.code, ST_INVALID_ARGUMENT);
}

static void assert_all_refused(void **state, const refusal_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_refused(*state, rows[i].text, NULL, rows[i].message);
    }
}

#define ASSERT_ALL_REFUSED(state, rows) \
    assert_all_refused(state, rows, sizeof rows / sizeof rows[0])

static void test_texts_that_are_no_tokens_are_refused_without_a_reason(void **state)
{
    static const refusal_row rows[] = {
        {"SELECT * FROM t WHERE a = 'x", NWF},
        {"SELECT * FROM t WHERE \"a = 'x'", NWF},
        {"SELECT * FROM t WHERE a = ö", NWF},
        {"SELECT * FROM t WHERE\xC2\xA0"
         "a = 1",
         NWF},
        {"SELECT * FROM t WHERE a = 5e", NWF},
        {"SELECT * FROM t WHERE a = 5e+", NWF},
        {"SELECT * FROM t WHERE a = 5ex", NWF},
        {"SELECT * FROM t WHERE a = 1e2147483648", NWF},
        {"SELECT * FROM t WHERE a = 1e-2147483648", NWF},
        {"SELECT * FROM t /* never closed", NWF},
        {"SELECT * FROM t WHERE a ! 1", NWF},
        {"SELECT * FROM t WHERE a | 1", NWF},
        {"SELECT * FROM t WHERE a ^ 1", NWF},
        {"SELECT * FROM t WHERE a = `x", NWF},
        {"SELECT * FROM t WHERE a = #b", NWF},
        {"SELECT * FROM t WHERE a = '\xFF'", NWF},
    };
    ASSERT_ALL_REFUSED(state, rows);
}

static void test_malformed_statements_are_refused_with_the_first_fault(void **state)
{
    static const refusal_row rows[] = {
        {"SELECT * FROM t; SELECT * FROM t",
         NWF "Unexpected token after semicolon. (Only one query is allowed.)"},
        {"SELECT * FROM t;;", NWF "Unexpected token after semicolon. (Only one query is allowed.)"},
        {"SELECT * FROM t WHERE a = 1 b", NWF "Unexpected token after expression"},
        {"SELECT * FROM t WHERE a = 1.2.3", NWF "Unexpected token after expression"},
        {"SELECT * FROM t WHERE a = X'00'", NWF "Unexpected token after expression"},
        {"UPDATE t REMOVE a, b", NWF "Unexpected token after expression"},
        {"SELECT * FROM t WHERE", NWF "Unexpected term"},
        {"SELECT * FROM t WHERE a = [1,]", NWF "Unexpected term"},
        {"SELECT * FROM t WHERE ()", NWF "Unexpected term"},
        {"SELECT * FROM t WHERE a = = 1", NWF "Unexpected operator"},
        {"SELECT * FROM t WHERE AND", NWF "Unexpected operator"},
        {"SELECT * FROM t WHERE a = date", NWF "Unexpected keyword"},
        {"SELECT FROM t", NWF "Unexpected keyword"},
        {"INSERT INTO t (a, key) VALUES (1, 2)", NWF "Unexpected keyword"},
        {"CREATE TABLE t", NWF "Unexpected keyword"},
        {"SELECT * FROM t WHERE a =", NWF "Missing right-hand side expression of infix operator"},
        {"SELECT * FROM t WHERE a = 1 AND",
         NWF "Missing right-hand side expression of infix operator"},
        {"SELECT * FROM t WHERE a BETWEEN 1 AND", NWF "Expected expression after AND"},
        {"SELECT * FROM t WHERE a BETWEEN 1 AND;", NWF "Expected expression after AND"},
        {"SELECT * FROM t WHERE a BETWEEN 1", NWF "Expected AND keyword"},
        {"SELECT * FROM t WHERE a BETWEEN 1 OR 2", NWF "Expected AND keyword"},
        {"UPDATE 't' SET a = 1", NWF "Expected identifier for simple path"},
        {"DELETE FROM 5", NWF "Expected identifier for simple path"},
        {"INSERT INTO VALUE {}", NWF "Expected identifier for simple path"},
        {"SELECT a. FROM t", NWF "Invalid path dot component"},
        {"SELECT a.date FROM t", NWF "Invalid path dot component"},
        {"SELECT a.order FROM t", NWF "Invalid path dot component"},
        {"SELECT * FROM t WHERE a IS", NWF "Expected type name"},
        {"SELECT * FROM t WHERE a IS NOT b", NWF "Expected type name"},
        {"DELETE t WHERE a = 1", NWF "Expected FROM after DELETE"},
        {"SELECT * FROM t WHERE size(a = 1", NWF "Expected RIGHT_PAREN"},
        {"SELECT * FROM t WHERE a IN (1, 2", NWF "Expected RIGHT_PAREN"},
        {"SELECT a[0 FROM t", NWF "Expected RIGHT_BRACKET"},
        {"SELECT * FROM t WHERE a IN [1", NWF "Expected RIGHT_BRACKET"},
        {"INSERT INTO t VALUE {'a': 1", NWF "Expected RIGHT_CURLY"},
        {"SELECT * FROM t WHERE a = <<1", NWF "Expected RIGHT_DOUBLE_ANGLE_BRACKET"},
        {"INSERT INTO t VALUE {'a' 1}", NWF "Expected COLON"},
        {"FROM \"t\"", NWF "Expected data manipulation"},
        {"FROM t WHERE a = 1", NWF "Expected data manipulation"},
        {"UPDATE a-b SET c = 1", NWF "Expected data manipulation"},
        {"UPDATE t WHERE a = 1", NWF "Expected data manipulation"},
        {"UPDATE t SET a", NWF "Expected '='"},
        {"SELECT a", NWF "Expected FROM after SELECT list"},
    };
    ASSERT_ALL_REFUSED(state, rows);
}

static void test_what_is_no_statement_is_refused_by_what_it_is(void **state)
{
    static const refusal_row rows[] = {
        {"a", "Unsupported operation: Id"},
        {"a.b[0]", "Unsupported operation: Path"},
        {"5", "Unsupported operation: Lit"},
        {"'x';", "Unsupported operation: Lit"},
        {"NULL", "Unsupported operation: Lit"},
        {"[1]", "Unsupported operation: List"},
        {"{'a': 1}", "Unsupported operation: Struct"},
        {"<<1>>", "Unsupported operation: Bag"},
        {"?", "Unsupported operation: Parameter"},
        {"MISSING", "Unsupported operation: Missing"},
        {"a IS NULL", "Unsupported operation: IsType"},
        {"CASE a WHEN 1 THEN 2 END", "Unsupported operation: SimpleCase"},
        {"CASE WHEN a THEN 2 ELSE 3 END", "Unsupported operation: SearchedCase"},
        {"a = 1", "EXISTS can only be used in ExecuteTransaction write requests."},
        {"a + 1", "EXISTS can only be used in ExecuteTransaction write requests."},
        {"NOT a", "EXISTS can only be used in ExecuteTransaction write requests."},
        {"size(a)", "EXISTS can only be used in ExecuteTransaction write requests."},
        {"EXISTS(a)", "EXISTS can only be used in ExecuteTransaction write requests."},
        {"SELECT * FROM t UNION SELECT * FROM t",
         "EXISTS can only be used in ExecuteTransaction write requests."},
    };
    ASSERT_ALL_REFUSED(state, rows);
}

static void test_tables_and_projections_are_plain(void **state)
{
    static const refusal_row rows[] = {
        {"SELECT * FROM t AS x", "Aliasing is not supported"},
        {"SELECT * FROM t x WHERE x.a = 1", "Aliasing is not supported"},
        {"SELECT a AS b FROM t", "Aliasing is not supported"},
        {"UPDATE t AS x SET a = 1", "Aliasing is not supported"},
        {"SELECT * FROM t, u", "Only select from a single table or index is supported."},
        {"SELECT * FROM t JOIN u ON a = b",
         "Only select from a single table or index is supported."},
        {"SELECT * FROM t CROSS JOIN u", "Only select from a single table or index is supported."},
        {"SELECT * FROM t.i.x", "A path may contain at most 2 components in the FROM clause"},
        {"SELECT * FROM \"\"", "Path component cannot be an empty string"},
        {"SELECT * FROM t.\"\"", "Path component cannot be an empty string"},
        {"INSERT INTO t.i VALUE {'a': 1}",
         "FROM clause may only contain a single table name in data manipulation statements at "
         "1:13:1"},
        {"UPDATE \"t\".\"i\" SET a = 1", "This operation is not supported on an index"},
        {"DELETE FROM \"t\".\"i\" WHERE a = 1", "This operation is not supported on an index"},
        {"SELECT count(*) FROM t", "Unexpected path component at 1:8:5"},
        {"SELECT size(a) FROM t", "Unexpected path component at 1:8:4"},
        {"SELECT a,\n max (b) FROM t", "Unexpected path component at 2:2:3"},
        {"SELECT a[b] FROM t", "Unexpected path component at 1:10:1"},
        {"SELECT a[-1] FROM t", "Unexpected path component at 1:11:1"},
        {"SELECT a.* FROM t", "Unexpected path component at 1:10:1"},
        {"SELECT 5 FROM t", "Unexpected path component at 1:8:1"},
        {"SELECT id FROM dbimp_page LIMIT 5", "Unsupported clause: LIMIT at 1:33:1"},
        {"SELECT *, a FROM t",
         NWF "Other expressions may not be present in the select list when '*' is used without dot "
             "notation."},
    };
    ASSERT_ALL_REFUSED(state, rows);
}

#define WHERE "SELECT * FROM t WHERE "

static void test_conditions_have_no_other_operators_functions_and_terms(void **state)
{
    static const refusal_row rows[] = {
        {WHERE "a = MISSING", "MISSING must be compared using IS operator"},
        {WHERE "MISSING", "MISSING must be compared using IS operator"},
        {WHERE "a = 1 AND b = 2 AND foo(c) = 1", "Unrecognized function: foo at 1:43:3"},
        {WHERE "Foo(c)", "Unrecognized function: foo at 1:23:3"},
        {WHERE "exists(SELECT * FROM u)", "Unrecognized function: exists at 1:23:6"},
        {WHERE "set_add(a, <<1>>) = b", "Unrecognized function: set_add at 1:23:7"},
        {WHERE "a IS INT",
         "Unsupported data type for IS operator: IntegerType. Supported data types are [MISSING, "
         "NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST] at 1:28:3"},
        {WHERE "a IS NOT double precision",
         "Unsupported data type for IS operator: DoublePrecisionType. Supported data types are "
         "[MISSING, NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST] at 1:32:6"},
        {WHERE "a = (SELECT b FROM u)", "Unsupported token in expression: SELECT at 1:28:6"},
        {WHERE "a IN (SELECT b FROM u)", "Unsupported token in expression: SELECT at 1:29:6"},
        {WHERE "a", "WHERE clause must contain an expression that resolves to a boolean"},
        {WHERE "a = 1 AND true",
         "WHERE clause must contain an expression that resolves to a boolean"},
        {WHERE "size(a)", "WHERE clause must contain an expression that resolves to a boolean"},
        {WHERE "a + 1", "Unsupported operator in Condition Expression. Operator: +"},
        {WHERE "a = b + 1", "Unsupported operator in Condition Expression. Operator: +"},
        {WHERE "a = -b", "Unsupported operator in Condition Expression. Operator: -"},
        {WHERE "a || 'x' = 'y'", "Unsupported operator in Condition Expression. Operator: ||"},
        {WHERE "a LIKE 'x%'", "Unsupported operator in Condition Expression. Operator: LIKE"},
        {WHERE "a IN b", "Unsupported operator in Condition Expression. Operator: IN"},
        {"UPDATE t SET a = foo(b)", "Unrecognized function: foo at 1:18:3"},
        {"UPDATE t SET a = size(b)", "Unrecognized function: size at 1:18:4"},
        {"UPDATE t SET a = b = 1", "Unsupported operator in Update Expression. Operator: ="},
        {"UPDATE t SET a = b * 2", "Unsupported operator in Update Expression. Operator: *"},
    };
    ASSERT_ALL_REFUSED(state, rows);
}

static void test_literals_hold_what_items_hold(void **state)
{
    static const refusal_row rows[] = {
        {WHERE "a = <<true>>", "Unsupported data type in Bag. DynamoDB only supports either "
                               "numbers or strings in bags at "
                               "1:29:4"},
        {WHERE "a = <<'x', 1>>", "Unsupported data type in Bag. DynamoDB only supports either "
                                 "numbers or strings in bags at "
                                 "1:34:1"},
        {WHERE "a = <<1, 'x'>>",
         "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"},
        {WHERE "a = << >>", "Empty bags are not supported"},
        {WHERE "a = <<?>>", "Unsupported data type: Parameter under key root at 1:29:1"},
        {WHERE "a = [b]", "Unsupported data type: Id under key root[0] at 1:28:1"},
        {WHERE "a = {'x': MISSING}", "Unsupported data type: Missing under key root.x at 1:33:7"},
        {WHERE "a = `{{aGk=}}`", "Ion Literals are not supported: BLOB under key root at 1:27:10"},
        {WHERE "a = [`{{\"x\"}}`]",
         "Ion Literals are not supported: CLOB under key root[0] at 1:28:9"},
        {WHERE "a = <<1, null>>", INVALID "Numeric sets may not contain null under root"},
        {WHERE "a = <<1, 1>>", INVALID "Input collection [1, 1] contains duplicates! under root"},
        {WHERE "a = {'s': <<1, 1.0>>}",
         INVALID "Input collection [1, 1.0] contains duplicates! under root.s"},
        {WHERE "a = <<'x', 'x'>>", INVALID "Input collection [x, x] contains duplicates."},
        {WHERE "a = 1e126",
         "Number overflow. Attempting to store a number with magnitude larger than supported range "
         "under root"},
        {WHERE "a = {'x': 1e-131}",
         "Number underflow. Attempting to store a number with magnitude smaller than supported "
         "range under root.x"},
        {WHERE "a = [0, 123456789012345678901234567890123456789]",
         "Attempting to store more than 38 significant digits in a Number under root[1]"},
        {"INSERT INTO t VALUE {'x': [{'y': 1e126}]}",
         "Number overflow. Attempting to store a number with magnitude larger than supported range "
         "under root.x[0].y"},
        {"INSERT INTO t VALUE 5", "Unsupported operation: Lit"},
        {"INSERT INTO t VALUE [1]", "Unsupported operation: List"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_refused(*state, rows[i].text, "{\"0\":{\"N\":\"1\"}}", rows[i].message);
    }
}

static void test_operands_have_types_bounds_and_differ(void **state)
{
    static const refusal_row rows[] = {
        {WHERE "a < true",
         "Incorrect operand type for operator or function; operator or function: <, operand type: "
         "BOOL"},
        {WHERE "NOT a >= <<'x'>>",
         "Incorrect operand type for operator or function; operator or function: >=, operand type: "
         "SS"},
        {WHERE "a > contains(b, 1)",
         "Incorrect operand type for operator or function; operator or function: >, operand type: "
         "BOOL"},
        {WHERE "m.a = m.a",
         "The first operand must be distinct from the remaining operands for this operator or "
         "function; operator: =, first operand: [m, a]"},
        {WHERE "l[0] <> l[0]",
         "The first operand must be distinct from the remaining operands for this operator or "
         "function; operator: <>, first operand: [l, [0]]"},
        {WHERE "a IN [1, a]",
         "The first operand must be distinct from the remaining operands for this operator or "
         "function; operator: IN, first operand: [a]"},
        {WHERE "contains(a, a)",
         "The first operand must be distinct from the remaining operands for this operator or "
         "function; operator: contains, first operand: [a]"},
        {WHERE "a BETWEEN 3 AND 1",
         "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
         "lower bound operand: AttributeValue: {N:3}, upper bound operand: AttributeValue: {N:1}"},
        {WHERE "a BETWEEN 10 AND 9.5",
         "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
         "lower bound operand: AttributeValue: {N:10}, upper bound operand: AttributeValue: "
         "{N:9.5}"},
        {WHERE "a NOT BETWEEN 'b' AND 'a'",
         "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
         "lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}"},
        {WHERE "a BETWEEN 'b' AND 1",
         "The BETWEEN operator requires same data type for lower and upper bounds; lower bound "
         "operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {N:1}"},
        {WHERE "a BETWEEN null AND 1",
         "Incorrect operand type for operator or function; operator or function: BETWEEN, operand "
         "type: NULL"},
        {WHERE "attribute_exists('x')",
         "Operator or function requires a document path; operator or function: attribute_exists"},
        {WHERE "attribute_type('x', 'S')",
         "Operator or function requires a document path; operator or function: attribute_type"},
        {WHERE "size() = 1",
         "Incorrect number of operands for operator or function; operator or function: size, "
         "number of operands: 0"},
        {WHERE "begins_with(a, 'x', 'y')",
         "Incorrect number of operands for operator or function; operator or function: "
         "begins_with, number of operands: 3"},
        {WHERE "begins_with(a, 1)",
         "Incorrect operand type for operator or function; operator or function: begins_with, "
         "operand type: N"},
        {WHERE "a IN []",
         "Incorrect number of operands for operator or function; operator or function: IN, number "
         "of operands: 1"},
        {WHERE "attribute_type(a, 'X')", "Invalid attribute type name found; type: X, valid types: "
                                         "{N,BS,L,B,NULL,M,S,SS,NS,BOOL}"},
        {WHERE "size(1) = 1",
         "Incorrect operand type for operator or function; operator or function: size, operand "
         "type: N"},
        {"UPDATE t SET a = b + 'x'",
         "Incorrect operand type for operator or function; operator or function: +, operand type: "
         "S"},
        {"UPDATE t SET a = list_append(a, 1)",
         "Incorrect operand type for operator or function; operator or function: list_append, "
         "operand type: N"},
        {"UPDATE t SET a = if_not_exists(1, 1)",
         "Operator or function requires a document path; operator or function: if_not_exists"},
        {"UPDATE t SET abcdefg = set_add(b, <<1>>)",
         "The first argument to SET_ADD must equal the assignment value at 1:24:7"},
        {"UPDATE t SET a = set_add(a, 1)",
         "The second argument to SET_ADD must be a value with type SET at 1:18:7"},
        {"UPDATE t SET a = set_delete(a, b)",
         "The second argument to SET_DELETE must be a value with type SET at 1:18:10"},
        {"UPDATE t SET a = if_not_exists(b, set_add(a, <<1>>))",
         "The first argument to SET_ADD must equal the assignment value at 1:35:7"},
        {"DELETE FROM t WHERE a = 1 RETURNING ALL NEW *",
         "Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is allowed in "
         "DELETE statements."},
        {"DELETE FROM t RETURNING MODIFIED OLD *",
         "Invalid returning clause: RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is allowed "
         "in DELETE statements."},
    };
    ASSERT_ALL_REFUSED(state, rows);
}

static void test_every_parameter_is_checked_used_or_not(void **state)
{
    static const struct {
        const char *parameters, *message;
    } rows[] = {
        {"{\"0\":{\"N\":\"x\"}}", "The parameter cannot be converted to a numeric value: x"},
        {"{\"0\":{\"N\":\"\"}}", "The parameter cannot be converted to a numeric value"},
        {"{\"0\":{\"N\":\"1e126\"}}",
         "Number overflow. Attempting to store a number with magnitude larger than supported "
         "range"},
        {"{\"0\":{\"N\":\"1e2147483647\"}}",
         "Number underflow. Attempting to store a number with magnitude smaller than supported "
         "range"},
        {"{\"0\":{\"N\":\"1e2147483648\"}}",
         "The parameter cannot be converted to a numeric value: 1e2147483648"},
        {"{\"0\":{\"N\":\"0.1e-2147483648\"}}",
         "The parameter cannot be converted to a numeric value: 0.1e-2147483648"},
        {"{\"0\":{\"SS\":[]}}", INVALID "An string set  may not be empty"},
        {"{\"0\":{\"NS\":[]}}", INVALID "An number set  may not be empty"},
        {"{\"0\":{\"BS\":[]}}", INVALID "Binary sets should not be empty"},
        {"{\"0\":{\"SS\":[\"a\",\"b\",\"a\"]}}",
         INVALID "Input collection [a, b, a] contains duplicates."},
        {"{\"0\":{\"NS\":[\"1\",\"1.0\"]}}", "Input collection contains duplicates"},
        {"{\"0\":{\"BS\":[\"YQ==\",\"YQ==\"]}}",
         INVALID "Input collection [YQ==, YQ==]of type BS contains duplicates."},
        {"{\"0\":{\"BS\":[\"YWI=\",\"YWJj\",\"YWJj\"]}}",
         INVALID "Input collection [YWI=, YWJj, YWJj]of type BS contains duplicates."},
        {"{\"0\":{\"M\":{\"\":{\"S\":\"x\"}}}}", "Empty attribute name"},
        {"{\"0\":{\"L\":[{\"M\":{\"x\":{\"SS\":[]}}}]}}",
         INVALID "An string set  may not be empty"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_refused(*state, "not even a statement", rows[i].parameters, rows[i].message);
    }
    partiql_case *c = *state;
    c->parameters[0] = st_slice_of("\x0A\x01", 2);
    c->parameter_count = 1;
    assert_int_equal(partiql_parse_bytes(c, st_slice_str(WHERE "a = ?")), ST_INVALID_ARGUMENT);
}

/* lists around one parameter */
static void nested_parameter(partiql_case *c, unsigned depth)
{
    st_buf_clear(&c->relaxed);
    for (unsigned i = 0; i < depth; i++) {
        st_buf_byte(&c->relaxed, ST_TAG_L);
        st_buf_u32(&c->relaxed, (depth - 1 - i) * 9 + 1);
        st_buf_u32(&c->relaxed, 1);
    }
    st_buf_byte(&c->relaxed, ST_TAG_NULL);
    c->parameters[0] = st_buf_view(&c->relaxed);
    c->parameter_count = 1;
}

static void test_parameters_nest_32_levels_and_literals_31(void **state)
{
    partiql_case *c = *state;
    char text[256];
    nested_parameter(c, 32);
    assert_int_equal(partiql_parse_bytes(c, st_slice_str(WHERE "a = ?")), ST_OK);
    nested_parameter(c, 33);
    assert_int_equal(partiql_parse_bytes(c, st_slice_str(WHERE "a = ?")), ST_INVALID_ARGUMENT);
    assert_string_equal(c->op.error.message,
                        "Nesting Levels have exceeded supported limits: Attributes in the item "
                        "have nested levels beyond supported limit");
    snprintf(text, sizeof text, WHERE "a = %.31s%.31s", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
             "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    assert_int_equal(partiql_parse(c, text, NULL), ST_OK);
    snprintf(text, sizeof text, WHERE "a = %.32s%.32s", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
             "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    assert_refused(c, text, NULL,
                   "Nesting Levels have exceeded supported limits under "
                   "root[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
                   "[0][0][0][0][0][0]");
    snprintf(text, sizeof text, "INSERT INTO t VALUE {'x': %.31s%.31s}",
             "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    assert_int_equal(partiql_parse(c, text, NULL), ST_OK);
    snprintf(text, sizeof text, "INSERT INTO t VALUE {'x': %.32s%.32s}",
             "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    assert_int_equal(partiql_parse(c, text, NULL), ST_INVALID_ARGUMENT);
}

static void test_too_few_parameters_are_refused_and_surplus_ones_are_not(void **state)
{
    assert_refused(*state, WHERE "a = ?", NULL,
                   "Number of parameters in request and statement don't match.");
    assert_refused(*state, WHERE "a = ? AND b = ?", "{\"0\":{\"S\":\"x\"}}",
                   "Number of parameters in request and statement don't match.");
    assert_int_equal(partiql_parse(*state, WHERE "a = 1", "{\"0\":{\"S\":\"x\"}}"), ST_OK);
}

static void test_faults_are_told_in_the_services_order(void **state)
{
    static const struct {
        const char *text, *parameters, *message;
    } rows[] = {
        {"SELECT size(a) FROM t WHERE (", "{\"0\":{\"SS\":[]}}",
         INVALID "An string set  may not be empty"},
        {"SELECT size(a) FROM t WHERE (", NULL, "Unexpected path component at 1:8:4"},
        {"SELECT a FROM t.i.x WHERE (", NULL, NWF "Unexpected term"},
        {WHERE "a < true AND foo(b)", NULL, "Unrecognized function: foo at 1:36:3"},
        {WHERE "foo(b) AND a = <<>>", NULL, "Unrecognized function: foo at 1:23:3"},
        {WHERE "a = <<>> AND foo(b)", NULL, "Empty bags are not supported"},
        {"UPDATE t SET a = <<>> WHERE foo(b)", NULL, "Unrecognized function: foo at 1:29:3"},
        {"UPDATE t SET a = bar(b) WHERE c < true", NULL, "Unrecognized function: bar at 1:18:3"},
        {"UPDATE t SET a = b + 'x' WHERE c < true", NULL,
         "Incorrect operand type for operator or function; operator or function: <, operand type: "
         "BOOL"},
        {WHERE "a = ? AND b = <<>>", NULL,
         "Number of parameters in request and statement don't match."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_refused(*state, rows[i].text, rows[i].parameters, rows[i].message);
    }
}

/* head, then piece count times with between, then tail */
static char *repeated(const char *head, const char *piece, const char *between, unsigned count,
                      const char *tail)
{
    size_t size = strlen(head) + strlen(tail) + 1 + count * (strlen(piece) + strlen(between));
    char *text = malloc(size);
    strcpy(text, head);
    size_t at = strlen(head);
    for (unsigned i = 0; i < count; i++) {
        at += (size_t)sprintf(text + at, "%s%s", i > 0 ? between : "", piece);
    }
    strcpy(text + at, tail);
    return text;
}

static void assert_limit(partiql_case *c, char *text, const char *message)
{
    if (message) {
        assert_refused(c, text, NULL, message);
    } else if (partiql_parse(c, text, NULL) != ST_OK) {
        fail_msg("%s", c->op.error.message);
    }
    free(text);
}

static void test_operators_and_candidates_of_in_are_counted(void **state)
{
    const char *message = "The expression contains too many operators; operator count: 301";
    /* 150 comparisons and 149 ORs, 1 more NOT each */
    assert_limit(*state, repeated(WHERE "NOT ", "a=1", " OR ", 150, ""), NULL);
    assert_limit(*state, repeated(WHERE "NOT NOT ", "a=1", " OR ", 150, ""), message);
    assert_limit(*state, repeated(WHERE, "NOT", " ", 299, " a IS NULL"), NULL);
    assert_limit(*state, repeated(WHERE, "NOT", " ", 300, " a IS NULL"), message);
    /* AND of BETWEEN is none */
    assert_limit(*state, repeated(WHERE, "a BETWEEN 1 AND 2", " AND ", 150, ""), NULL);
    assert_limit(*state, repeated(WHERE, "a IN [1]", " AND ", 151, ""), message);
    assert_limit(*state, repeated(WHERE, "contains(a,1)", " OR ", 151, ""), message);
    assert_limit(*state, repeated(WHERE "a IN [", "1", ",", 100, "]"), NULL);
    assert_limit(*state, repeated(WHERE "a IN (", "1", ",", 101, ")"),
                 "The IN operator is provided with too many operands; number of operands: 101");
}

static void test_a_statement_has_at_most_8192_code_points(void **state)
{
    assert_limit(*state, repeated(WHERE "a='", "ö", "", 8192 - 26, "'"), NULL);
    char *text = repeated(WHERE "a='", "ö", "", 8192 - 25, "'");
    partiql_case *c = *state;
    assert_int_equal(partiql_parse(c, text, NULL), ST_INVALID_ARGUMENT);
    assert_non_null(strstr(c->op.error.message, "1 validation error detected: Value 'SELECT * FROM "
                                                "t WHERE a='ö"));
    assert_non_null(strstr(c->op.error.message,
                           "' at 'statement' failed to satisfy constraint: Member must have length "
                           "less than or equal to 8192"));
    free(text);
    assert_refused(c, "", NULL,
                   "1 validation error detected: Value '' at 'statement' failed to satisfy "
                   "constraint: Member must have length greater than or equal to 1");
}

static void test_keywords_are_refused_as_dot_components(void **state)
{
    static const char *const some[] = {"absolute", "Returning", "INT8",    "zone", "size",
                                       "exists",   "and",       "missing", "NULL", "tuple"};
    char text[64];
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        snprintf(text, sizeof text, "SELECT a.%s FROM t", some[i]);
        assert_refused(*state, text, NULL, NWF "Invalid path dot component");
        snprintf(text, sizeof text, "SELECT a.\"%s\" FROM t", some[i]);
        assert_int_equal(partiql_parse(*state, text, NULL), ST_OK);
    }
}

int main(void)
{
#define REFUSAL_TEST(name) cmocka_unit_test_setup_teardown(name, partiql_setup, partiql_teardown)
    const struct CMUnitTest tests[] = {
        REFUSAL_TEST(test_texts_that_are_no_tokens_are_refused_without_a_reason),
        REFUSAL_TEST(test_malformed_statements_are_refused_with_the_first_fault),
        REFUSAL_TEST(test_what_is_no_statement_is_refused_by_what_it_is),
        REFUSAL_TEST(test_tables_and_projections_are_plain),
        REFUSAL_TEST(test_conditions_have_no_other_operators_functions_and_terms),
        REFUSAL_TEST(test_literals_hold_what_items_hold),
        REFUSAL_TEST(test_operands_have_types_bounds_and_differ),
        REFUSAL_TEST(test_every_parameter_is_checked_used_or_not),
        REFUSAL_TEST(test_parameters_nest_32_levels_and_literals_31),
        REFUSAL_TEST(test_too_few_parameters_are_refused_and_surplus_ones_are_not),
        REFUSAL_TEST(test_faults_are_told_in_the_services_order),
        REFUSAL_TEST(test_operators_and_candidates_of_in_are_counted),
        REFUSAL_TEST(test_a_statement_has_at_most_8192_code_points),
        REFUSAL_TEST(test_keywords_are_refused_as_dot_components),
    };
    return cmocka_run_group_tests_name("partiql_refusals", tests, NULL, NULL);
}
