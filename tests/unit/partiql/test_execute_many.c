/* Statements in batches and transactions; statements in any form, and memory that runs out. */
#include "execute_support.h"
#include "support/fault_alloc.h"

#define CALLS_MAX 8
#define CONDITION_FAILED_TEXT "The conditional request failed"

/* The statements end with NULL. */
static uint32_t many_calls(st_partiql_call *calls, const char *const *statements, bool on_failure)
{
    uint32_t count = 0;
    for (; statements[count]; count++) {
        assert_true(count < CALLS_MAX);
        calls[count] = (st_partiql_call){.statement = st_slice_str(statements[count]),
                                         .returns_on_failure = on_failure};
    }
    return count;
}

static void many_begin(execute_case *c)
{
    st_op_clear(&c->parsed.op);
    st_arena_reset(&c->parsed.op.arena);
    st_buf_clear(&c->result);
}

static st_status many_batch(execute_case *c, const char *const *statements, bool on_failure)
{
    st_partiql_call calls[CALLS_MAX];
    many_begin(c);
    return st_partiql_batch(&c->parsed.op, c->database, calls,
                            many_calls(calls, statements, on_failure), &c->result);
}

static st_status many_transaction(execute_case *c, const char *const *statements, const char *token,
                                  bool on_failure)
{
    st_partiql_call calls[CALLS_MAX];
    many_begin(c);
    return st_partiql_transaction(&c->parsed.op, c->database, calls,
                                  many_calls(calls, statements, on_failure), st_slice_str(token),
                                  &c->result);
}

/* "STATUS table [text] item", one a line. */
static const char *many_members(execute_case *c)
{
    st_slice members;
    st_buf_clear(&c->text);
    assert_true(st_table_result_find(st_buf_view(&c->result), ST_RESULT_MEMBERS, &members));
    st_reader reader = st_reader_of(members);
    uint32_t count = st_reader_u32(&reader);
    for (uint32_t i = 0; i < count; i++) {
        const char *status = st_status_name((int32_t)st_reader_u32(&reader));
        st_buf_append(&c->text, status, strlen(status));
        st_buf_byte(&c->text, ' ');
        st_buf_slice(&c->text, st_reader_slice(&reader, st_reader_varint(&reader)));
        st_buf_append(&c->text, " [", 2);
        st_buf_slice(&c->text, st_reader_slice(&reader, st_reader_varint(&reader)));
        st_buf_append(&c->text, "] ", 2);
        st_slice item = st_reader_slice(&reader, st_reader_u32(&reader));
        if (item.size > 0) {
            assert_int_equal(st_item_to_dynamodb_json(&c->parsed.op, item, &c->text), ST_OK);
        }
        st_buf_byte(&c->text, '\n');
    }
    assert_false(reader.failed);
    assert_int_equal(st_reader_left(&reader), 0);
    st_buf_byte(&c->text, 0);
    return (const char *)c->text.data;
}

/* "reason [text] attributes of its item", one a line. */
static const char *many_reasons(execute_case *c)
{
    char line[32];
    st_buf_clear(&c->text);
    st_reader reader = st_reader_of(c->parsed.op.error.detail);
    uint32_t count = st_reader_u32(&reader);
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(line, sizeof line, "%u [", st_reader_byte(&reader));
        st_buf_append(&c->text, line, strlen(line));
        st_buf_slice(&c->text, st_reader_slice(&reader, st_reader_u32(&reader)));
        st_slice item = st_reader_slice(&reader, st_reader_u32(&reader));
        (void)snprintf(line, sizeof line, "] %u\n", item.size > 0 ? st_item_count(item) : 0);
        st_buf_append(&c->text, line, strlen(line));
    }
    assert_false(reader.failed);
    st_buf_byte(&c->text, 0);
    return (const char *)c->text.data;
}

static void members_of_a_batch_fail_alone(void **state)
{
    execute_case *c = *state;
    execute_must(c, "INSERT INTO hash VALUE {'pk':'a','n':1}");
    static const char *const statements[] = {
        "INSERT INTO hash VALUE {'pk':'a'}",
        "INSERT INTO hash VALUE {'pk':'b'}",
        "UPDATE hash SET x = 1 WHERE x = 2",
        "UPDATE hash SET pk = 'z' WHERE pk = 'b2'",
        "nonsense",
        "INSERT INTO nowhere VALUE {'pk':'b'}",
        "DELETE FROM hash WHERE pk = 'c' AND n = 1",
        NULL,
    };
    assert_int_equal(many_batch(c, statements, true), ST_OK);
    assert_string_equal(
        many_members(c),
        "DUPLICATE_ITEM hash [Duplicate primary key exists in table] "
        "{\"n\":{\"N\":\"1\"},\"pk\":{\"S\":\"a\"}}\n"
        "OK hash [] \n"
        "INVALID_ARGUMENT  [Where clause does not contain a mandatory equality on all key "
        "attributes] \n"
        "CONDITION_FAILED hash [" CONDITION_FAILED_TEXT "] \n"
        "INVALID_ARGUMENT  [Unsupported operation: Id] \n"
        "TABLE_NOT_FOUND nowhere [Requested resource not found] \n"
        "OK hash [] \n");
    execute_gives(c, "SELECT pk FROM hash WHERE pk = 'b'", "{\"pk\":{\"S\":\"b\"}}\n");
}

static void a_batch_reads_whole_keys(void **state)
{
    execute_case *c = *state;
    execute_must(c, "INSERT INTO range VALUE {'pk':'a','sk':'1','m':{'n':5}}");
    static const char *const statements[] = {
        "SELECT m.n FROM range WHERE pk = 'a' AND sk IN ['1']",
        "SELECT * FROM range WHERE pk = 'a' AND sk = '2'",
        "SELECT * FROM range WHERE pk = 'b' AND sk = '1' AND n = 2",
        "SELECT * FROM range WHERE pk = 'a'",
        "SELECT * FROM range WHERE pk = 'a' AND sk = 3",
        NULL,
    };
    assert_int_equal(many_batch(c, statements, false), ST_OK);
    assert_string_equal(
        many_members(c),
        "OK range [] {\"n\":{\"N\":\"5\"}}\n"
        "OK range [] \n"
        "OK range [] \n"
        "INVALID_ARGUMENT  [Select statements within BatchExecuteStatement must specify the "
        "primary key in the where clause.] \n"
        "INVALID_ARGUMENT  [Key attribute's data type should match its data type in table's "
        "schema: Key sk] \n");
}

static void a_batch_is_all_reads_or_all_writes_of_different_items(void **state)
{
    execute_case *c = *state;
    static const char *const mixed[] = {"INSERT INTO hash VALUE {'pk':'a'}",
                                        "SELECT * FROM hash WHERE pk = 'b'", NULL};
    static const char *const twice[] = {"INSERT INTO hash VALUE {'pk':'a'}",
                                        "DELETE FROM hash WHERE 'a' = pk", NULL};
    assert_int_equal(many_batch(c, mixed, false), ST_INVALID_ARGUMENT);
    assert_string_equal(c->parsed.op.error.message, "Read and write requests together in the same "
                                                    "batch is not supported.");
    assert_int_equal(many_batch(c, twice, false), ST_INVALID_ARGUMENT);
    assert_string_equal(c->parsed.op.error.message,
                        "Provided list of item keys contains duplicates");
    execute_gives(c, "SELECT * FROM hash", "");
}

static void a_transaction_is_whole_or_nothing(void **state)
{
    execute_case *c = *state;
    execute_must(c, "INSERT INTO hash VALUE {'pk':'a','n':1}");
    static const char *const fails[] = {
        "DELETE FROM hash WHERE pk = 'gone' AND n = 1",
        "INSERT INTO hash VALUE {'pk':'a'}",
        "UPDATE hash SET x = 1 WHERE pk = 'none'",
        "INSERT INTO hash VALUE {'pk':'c'}",
        NULL,
    };
    assert_int_equal(many_transaction(c, fails, "", true), ST_TRANSACTION_CANCELED);
    assert_string_equal(c->parsed.op.error.message,
                        "Transaction cancelled, please refer cancellation reasons for specific "
                        "reasons [ConditionalCheckFailed, DuplicateItem, ConditionalCheckFailed, "
                        "None]");
    assert_string_equal(many_reasons(c), "1 [" CONDITION_FAILED_TEXT "] 0\n"
                                         "4 [Duplicate primary key exists in table] 2\n"
                                         "1 [" CONDITION_FAILED_TEXT "] 0\n"
                                         "0 [] 0\n");
    execute_gives(c, "SELECT pk FROM hash", "{\"pk\":{\"S\":\"a\"}}\n");
    static const char *const works[] = {
        "DELETE FROM hash WHERE pk = 'gone' AND n = 1",
        "EXISTS(SELECT * FROM hash WHERE pk = 'a' AND n = 1)",
        "INSERT INTO range VALUE {'pk':'c','sk':'d'}",
        NULL,
    };
    assert_int_equal(many_transaction(c, works, "", false), ST_OK);
    execute_gives(c, "SELECT sk FROM range", "{\"sk\":{\"S\":\"d\"}}\n");
}

static void a_transaction_reads_one_moment(void **state)
{
    execute_case *c = *state;
    execute_must(c, "INSERT INTO hash VALUE {'pk':'a','m':{'n':1}}");
    static const char *const reads[] = {
        "SELECT m.n FROM hash WHERE pk = 'a'",
        "SELECT * FROM hash WHERE pk = 'none'",
        "SELECT pk FROM hash WHERE pk = 'b' AND n = 1",
        NULL,
    };
    assert_int_equal(many_transaction(c, reads, "", false), ST_OK);
    assert_string_equal(execute_items(c), "{\"n\":{\"N\":\"1\"}}\nnone\nnone\n");
}

static void what_a_transaction_may_not_hold_is_refused(void **state)
{
    execute_case *c = *state;
    static const struct {
        const char *statements[3];
        const char *text;
    } cases[] = {
        {{"INSERT INTO hash VALUE {'pk':'a'}", "SELECT * FROM"},
         "Validation failed in TransactStatements[1]: Statement wasn't well formed, can't be "
         "processed: Unexpected term"},
        {{"SELECT * FROM hash WHERE pk = 'a'", "DELETE FROM hash WHERE pk = 'b'"},
         "ExecuteTransaction API does not support both read and write operations in the same "
         "request."},
        {{"SELECT * FROM range WHERE pk = 'a'"},
         "Validation failed in TransactStatements[0]: Select statements within ExecuteTransaction "
         "must specify the primary key in the where clause."},
        {{"SELECT * FROM indexed.\"global\" WHERE g = 'a'"},
         "Validation failed in TransactStatements[0]: Reads on indices are not supported within "
         "transactions."},
        {{"DELETE FROM hash WHERE pk = 'a' RETURNING ALL OLD *"},
         "Validation failed in TransactStatements[0]: RETURNING clause is not supported in "
         "ExecuteTransaction."},
        {{"DELETE FROM hash WHERE pk = 'a'", "INSERT INTO hash VALUE {'pk':'a'}"},
         "Transaction request cannot include multiple operations on one item"},
        {{"SELECT * FROM hash WHERE pk = 'a'", "SELECT pk FROM hash WHERE pk = 'a'"},
         "Transaction request cannot include multiple operations on one item"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(many_transaction(c, cases[i].statements, "", false), ST_INVALID_ARGUMENT);
        if (i != 0) {
            assert_string_equal(c->parsed.op.error.message, cases[i].text);
        } else {
            assert_memory_equal(c->parsed.op.error.message, cases[i].text, 60);
        }
    }
}

static void missing_tables_and_keys_of_a_wrong_type_cancel_before_anything_runs(void **state)
{
    execute_case *c = *state;
    execute_must(c, "INSERT INTO hash VALUE {'pk':'a'}");
    static const char *const no_table[] = {"INSERT INTO hash VALUE {'pk':'a'}",
                                           "INSERT INTO nowhere VALUE {'pk':'a'}", NULL};
    assert_int_equal(many_transaction(c, no_table, "", false), ST_TRANSACTION_CANCELED);
    assert_string_equal(many_reasons(c), "0 [] 0\n5 [Requested resource not found] 0\n");
    static const char *const update[] = {"INSERT INTO hash VALUE {'pk':'a'}",
                                         "UPDATE hash SET x = 1 WHERE pk = 1", NULL};
    assert_int_equal(many_transaction(c, update, "", false), ST_TRANSACTION_CANCELED);
    assert_string_equal(many_reasons(c),
                        "0 [] 0\n2 [The provided key element does not match the schema] 0\n");
    static const char *const insert[] = {"INSERT INTO hash VALUE {'pk':1}", NULL};
    assert_int_equal(many_transaction(c, insert, "", false), ST_TRANSACTION_CANCELED);
    assert_string_equal(many_reasons(c), "2 [One or more parameter values were invalid: Type "
                                         "mismatch for key pk expected: S actual: N] 0\n");
}

static void a_token_makes_a_repeated_transaction_harmless(void **state)
{
    execute_case *c = *state;
    st_slice field;
    static const char *const statements[] = {"INSERT INTO hash VALUE {'pk':'a'}", NULL};
    static const char *const others[] = {"INSERT INTO hash VALUE {'pk':'b'}", NULL};
    assert_int_equal(many_transaction(c, statements, "t", false), ST_OK);
    assert_int_equal(many_transaction(c, statements, "t", false), ST_OK);
    assert_true(st_table_result_find(st_buf_view(&c->result), ST_RESULT_REPLAYED, &field));
    assert_int_equal(many_transaction(c, others, "t", false), ST_TOKEN_MISMATCH);
    assert_int_equal(many_transaction(c, statements, "t", true), ST_TOKEN_MISMATCH);
    assert_int_equal(many_transaction(c, others, "u", false), ST_OK);
}

static void many_ignore(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
}

/* ---- any form --------------------------------------------------------------------------- */

static void any_condition(st_rng *rng, char *text, size_t room, unsigned depth)
{
    static const char *const leaves[] = {
        "pk = '#'",     "pk IN ['a', '#']", "sk = #",
        "sk > #",       "sk <= #",          "sk BETWEEN # AND 4",
        "NOT sk = #",   "sk <> #",          "v = #",
        "sk IN [#, 1]", "v IS NOT MISSING", "attribute_exists(v) = attribute_type(sk, 'N')",
        "# < sk",       "'#' = pk",
    };
    char left[512] = "", right[512] = "";
    if (depth == 0 || st_rng_below(rng, 4) == 0) {
        const char *leaf = leaves[st_rng_below(rng, sizeof leaves / sizeof leaves[0])];
        char first = strstr(leaf, "'#'") ? 'a' : '1';
        (void)snprintf(text, room, "%s", leaf);
        char *place = strchr(text, '#');
        if (place) {
            *place = (char)(first + (char)st_rng_below(rng, 3));
        }
        return;
    }
    any_condition(rng, left, sizeof left, depth - 1);
    any_condition(rng, right, sizeof right, depth - 1);
    (void)snprintf(text, room, "(%.250s %s %.250s)", left, st_rng_below(rng, 2) ? "AND" : "OR",
                   right);
}

static int any_compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts the lines of the text. */
static void any_sort(const char *text, char *out)
{
    char copy[8192], *lines[128];
    size_t count = 0;
    strcpy(copy, text);
    for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
        lines[count++] = line;
    }
    qsort(lines, count, sizeof *lines, any_compare_lines);
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat(strcat(out, lines[i]), "\n");
    }
}

/* Ranges of keys spare reading and change nothing: a negation twice is always a scan. */
static void ranges_find_what_a_scan_finds(void **state)
{
    execute_case *c = *state;
    char statement[2048], condition[1024], keyed[8192], scanned[8192], paged[8192];
    st_rng rng;
    unsigned answered = 0;
    for (int i = 0; i < 15; i++) {
        (void)snprintf(statement, sizeof statement,
                       "INSERT INTO rangen VALUE {'pk':'%c','sk':%d,'v':%d}", 'a' + i / 5, i % 5,
                       i % 4);
        execute_must(c, statement);
    }
    st_rng_seed(&rng, 7);
    for (unsigned round = 0; round < 1500; round++) {
        any_condition(&rng, condition, sizeof condition, 3);
        (void)snprintf(statement, sizeof statement, "SELECT * FROM rangen WHERE %s", condition);
        c->call.limit = 0;
        c->call.next_token = (st_slice){0};
        st_status status = execute_with(c, statement, NULL);
        if (status != ST_OK) {
            assert_int_equal(status, ST_INVALID_ARGUMENT);
            if (!strstr(c->parsed.op.error.message, "Overlapping conditions")) {
                fail_msg("%s: %s", statement, c->parsed.op.error.message);
            }
            continue;
        }
        answered++;
        any_sort(execute_items(c), keyed);
        paged[0] = '\0';
        c->call.limit = 1 + st_rng_below(&rng, 3);
        do {
            execute_must(c, statement);
            strcat(paged, execute_items(c));
        } while (execute_keep_token(c));
        any_sort(paged, paged);
        assert_string_equal(paged, keyed);
        c->call.limit = 0;
        (void)snprintf(statement, sizeof statement, "SELECT * FROM rangen WHERE NOT NOT (%s)",
                       condition);
        execute_must(c, statement);
        any_sort(execute_items(c), scanned);
        assert_string_equal(keyed, scanned);
    }
    assert_in_range(answered, 500, 1500);
}

static void changed_statements_have_an_answer(void **state)
{
    static const char *const origins[] = {
        "SELECT m.n, a FROM range WHERE (pk = 'p' AND sk > '1') OR pk IN ['q', ?] ORDER BY pk, sk",
        "SELECT * FROM indexed.\"global\" WHERE g = 'G' AND h BETWEEN 1 AND ? ORDER BY h DESC",
        "SELECT z FROM indexed.\"local\" WHERE pk = 'p' AND contains(l, 'x') = true",
        "UPDATE range SET a = a + 1, l[1] = ? REMOVE m.n WHERE pk = 'p' AND sk = '1' RETURNING "
        "MODIFIED NEW *",
        "UPDATE hash SET s = set_add(s, <<'x'>>), n = if_not_exists(n, 1) WHERE pk = 'a'",
        "DELETE FROM indexed WHERE pk = 'p' AND sk = '1' AND z <> ? RETURNING ALL OLD *",
        "INSERT INTO indexed VALUE {'pk':'p','sk':'1','g':'G','h':2,'l':'x','z':?}",
        "INSERT INTO hash VALUE {'pk':'a','l':[1,{'k':<<1,2>>}]}",
        "EXISTS(SELECT * FROM hash WHERE pk = 'a' AND size(l) = ?)",
    };
    static const char signs[] = "()[]{}<>',\"?.*=+- 0123apqshgl\xC3";
    execute_case *c = *state;
    char text[512], other[512];
    const char *const pair[] = {text, other, NULL};
    unsigned served = 0;
    st_rng rng;
    st_rng_seed(&rng, 11);
    for (unsigned round = 0; round < 6000; round++) {
        strcpy(other, origins[st_rng_below(&rng, sizeof origins / sizeof origins[0])]);
        strcpy(text, origins[st_rng_below(&rng, sizeof origins / sizeof origins[0])]);
        for (uint64_t changes = st_rng_below(&rng, 3); changes > 0; changes--) {
            text[st_rng_below(&rng, strlen(text))] = signs[st_rng_below(&rng, sizeof signs - 1)];
        }
        c->call.limit = st_rng_below(&rng, 3);
        st_status status = round % 3 == 0   ? execute_with(c, text, "{\"p\":{\"N\":\"2\"}}")
                           : round % 3 == 1 ? many_batch(c, pair, true)
                                            : many_transaction(c, pair, "", true);
        served += status == ST_OK;
        if (status != ST_OK) {
            assert_int_not_equal(st_status_flags((int32_t)status) & ST_STATUS_CALLER, 0);
            assert_int_not_equal(c->parsed.op.error.message[0], '\0');
        }
    }
    assert_in_range(served, 1000, 6000);
    st_op_clear(&c->parsed.op);
    assert_int_equal(st_database_verify(&c->parsed.op, c->database, many_ignore, NULL), ST_OK);
}

/* ---- memory that runs out --------------------------------------------------------------- */

static st_status memory_run(st_op *op, execute_case *c, unsigned kind, st_buf *out)
{
    static const char *const statements[] = {
        "SELECT m.n, a FROM range WHERE (pk = 'p' AND sk > '1') OR (pk = 'q' AND v IS MISSING)",
        "SELECT * FROM indexed.\"global\" WHERE g = 'G' ORDER BY h DESC",
        "UPDATE range SET a = a + 1, l = list_append(l, [1]) WHERE pk = 'p' AND sk = '1' AND z = 1",
        "DELETE FROM range WHERE pk = 'nobody' AND sk = '1' AND z = 1",
        "INSERT INTO hash VALUE {'pk':'a','l':[1,{'k':<<1,2>>}]}",
        "SELECT * FROM hash WHERE pk = 'a'",
    };
    st_partiql_call calls[6];
    for (unsigned i = 0; i < 6; i++) {
        calls[i] = (st_partiql_call){.statement = st_slice_str(statements[i]),
                                     .returns_on_failure = true,
                                     .wants_capacity = true};
    }
    switch (kind) {
    case 6:
        return st_partiql_batch(op, c->database, &calls[2], 3, out);
    case 7:
        return st_partiql_transaction(op, c->database, &calls[2], 3, st_slice_str("t"), out);
    case 8:
        return st_partiql_transaction(op, c->database, &calls[5], 1, (st_slice){0}, out);
    default:
        return st_partiql_execute(op, c->database, &calls[kind], out);
    }
}

static void every_failing_allocation_is_reported(void **state)
{
    execute_case *c = *state;
    execute_must(c, "INSERT INTO range VALUE {'pk':'p','sk':'1','a':1,'l':[]}");
    execute_must(c, "INSERT INTO range VALUE {'pk':'p','sk':'2','a':2,'m':{'n':3}}");
    execute_must(c, "INSERT INTO hash VALUE {'pk':'a'}");
    execute_must(c, "INSERT INTO indexed VALUE {'pk':'p','sk':'1','g':'G','h':2}");
    for (unsigned kind = 0; kind < 9; kind++) {
        bool has_failed = true;
        for (uint64_t at = 1; has_failed; at++) {
            fault_alloc fault;
            st_op op;
            st_buf out;
            fault_alloc_init(&fault);
            st_op_init(&op, &fault.alloc);
            st_buf_init(&out, &fault.alloc);
            fault_alloc_fail_after(&fault, at, true);
            st_status status = memory_run(&op, c, kind, &out);
            has_failed = fault.has_failed;
            assert_int_equal(op.error.code, status);
            assert_int_equal(status == ST_OK, out.size > 0);
            assert_true(!has_failed || status == ST_NO_MEMORY);
            assert_int_not_equal(has_failed ? ST_OK : ST_NO_MEMORY, status);
            st_buf_deinit(&out);
            st_op_deinit(&op);
            fault_alloc_deinit(&fault);
            assert_in_range(at, 1, 500);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_of_a_batch_fail_alone, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(a_batch_reads_whole_keys, execute_setup, execute_teardown),
        cmocka_unit_test_setup_teardown(a_batch_is_all_reads_or_all_writes_of_different_items,
                                        execute_setup, execute_teardown),
        cmocka_unit_test_setup_teardown(a_transaction_is_whole_or_nothing, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(a_transaction_reads_one_moment, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(what_a_transaction_may_not_hold_is_refused, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(
            missing_tables_and_keys_of_a_wrong_type_cancel_before_anything_runs, execute_setup,
            execute_teardown),
        cmocka_unit_test_setup_teardown(a_token_makes_a_repeated_transaction_harmless,
                                        execute_setup, execute_teardown),
        cmocka_unit_test_setup_teardown(ranges_find_what_a_scan_finds, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(changed_statements_have_an_answer, execute_setup,
                                        execute_teardown),
        cmocka_unit_test_setup_teardown(every_failing_allocation_is_reported, execute_setup,
                                        execute_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
