/* Statements that nobody would write, and memory that runs out: an answer every time, no crash, no
 * leak, no read behind the text. */
#include "partiql_support.h"

static const char *const hostile_texts[] = {
    "SELECT \"a\"\"b\", c.d[1]['e'] FROM t.i WHERE (a = 'it''s' OR b = -1.5e3) AND NOT c IN "
    "[<<1, 2>>, <<'x'>>, {'k': [true, null, ?]}] AND d NOT BETWEEN 1 AND 2 AND e IS NOT MISSING "
    "AND begins_with(f, 'x') -- comment\n ORDER BY g DESC NULLS LAST;",
    "UPDATE t SET a = list_append(if_not_exists(a, []), [?]), s = set_add(s, <<'x', 'y'>>), n = n "
    "- 1 REMOVE b[0].c /* x */ WHERE pk = ? AND sk = 'x' RETURNING MODIFIED NEW *",
    "INSERT INTO t VALUE {'pk': 'x', 'm': {'l': [1, 2, {'d': <<1, 2, 3>>}]}, 'p': ?}",
    "FROM t WHERE a = 1 AND attribute_type(b, 'SS') SET c = `{{aGk=}}` REMOVE d",
    "EXISTS(SELECT * FROM t WHERE a = CASE x WHEN 1 THEN 2 ELSE 3 END)",
    "SELECT DISTINCT VALUE a FROM t LEFT OUTER JOIN u ON x = y, v AS w GROUP BY a, b HAVING c = 1 "
    "ORDER BY d.e LIMIT 5",
    "INSERT INTO t VALUE {} AT 1 ON CONFLICT WHERE a = 1 DO NOTHING RETURNING ALL OLD *",
};

static const char hostile_parameters[] =
    "{\"0\":{\"SS\":[\"a\",\"b\"]},\"1\":{\"NS\":[\"1\",\"2\"]},\"2\":{\"M\":{\"x\":{\"L\":[{"
    "\"B\":\"AQ==\"}]}}},\"3\":{\"N\":\"1.5\"}}";

#define HOSTILE_COUNT (sizeof hostile_texts / sizeof hostile_texts[0])

static void assert_answers(partiql_case *c, const uint8_t *text, size_t size)
{
    if (partiql_parse_bytes(c, st_slice_of(text, size)) != ST_OK) {
        assert_int_equal(c->op.error.code, ST_INVALID_ARGUMENT);
        size_t bad;
        assert_true(st_utf8_valid(st_slice_str(c->op.error.message), &bad));
        assert_int_not_equal(c->op.error.message[0], '\0');
    }
}

static void test_every_beginning_of_a_statement_has_an_answer(void **state)
{
    partiql_case *c = *state;
    partiql_parameters(c, hostile_parameters);
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        size_t size = strlen(hostile_texts[i]);
        for (size_t bytes = 0; bytes <= size; bytes++) {
            assert_answers(c, (const uint8_t *)hostile_texts[i], bytes);
        }
    }
}

static void test_changed_statements_have_an_answer(void **state)
{
    static const char signs[] = "()[]{}<>',\"`?;:.*=+-/|!@e0 \n\xC3\xFF\0aA_";
    partiql_case *c = *state;
    partiql_parameters(c, hostile_parameters);
    st_rng rng;
    st_rng_seed(&rng, 9);
    for (unsigned round = 0; round < 4000; round++) {
        const char *origin = hostile_texts[st_rng_below(&rng, HOSTILE_COUNT)];
        uint8_t text[1024];
        size_t size = strlen(origin);
        memcpy(text, origin, size);
        for (uint64_t changes = 1 + st_rng_below(&rng, 4); changes > 0; changes--) {
            size_t at = (size_t)st_rng_below(&rng, size), end = (size_t)st_rng_below(&rng, size);
            if (st_rng_below(&rng, 3) == 0 && at < end) {
                memmove(text + at, text + end, size - end);
                size -= end - at;
            } else {
                text[at] = (uint8_t)signs[st_rng_below(&rng, sizeof signs)];
            }
        }
        assert_answers(c, text, size);
    }
}

static void test_deep_and_long_statements_have_an_answer(void **state)
{
    static const char *const heads[] = {"", "SELECT * FROM t WHERE ", "SELECT * FROM t WHERE a = ",
                                        "UPDATE t SET a = ", "INSERT INTO t VALUE {'a': "};
    static const char *const pieces[] = {"(",          "[",
                                         "<<",         "{'a':",
                                         "NOT ",       "- ",
                                         "size(",      "a[",
                                         "a.",         "1 = ",
                                         "a + ",       "(SELECT ",
                                         "a AND ",     "a IN (",
                                         "CASE ",      "a,",
                                         "1 BETWEEN ", "?",
                                         "''",         "\"\"",
                                         "/**/ ",      "EXISTS(SELECT * FROM t WHERE "};
    partiql_case *c = *state;
    c->parameter_count = 0;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
            uint8_t text[8192];
            size_t size = strlen(heads[i]), piece = strlen(pieces[k]);
            memcpy(text, heads[i], size);
            for (; size + piece < sizeof text; size += piece) {
                memcpy(text + size, pieces[k], piece);
            }
            assert_answers(c, text, size);
        }
    }
}

/* Closed again, unlike above: the whole tree is made, or refused for its depth. */
static void test_nesting_is_bounded(void **state)
{
    partiql_case *c = *state;
    char text[8192];
    for (unsigned depth = 60; depth < 2000; depth += 485) {
        strcpy(text, "SELECT * FROM t WHERE ");
        size_t at = strlen(text);
        memset(text + at, '(', depth);
        memcpy(text + at + depth, "a = 1", 5);
        memset(text + at + depth + 5, ')', depth);
        text[at + 2 * depth + 5] = '\0';
        assert_int_equal(partiql_parse(c, text, NULL), depth < 100 ? ST_OK : ST_INVALID_ARGUMENT);
    }
    assert_string_equal(c->op.error.message, "Statement wasn't well formed, can't be processed: "
                                             "Expression is nested too deeply");
}

/* Fails from its n-th growth on, and counts what is not given back. */
typedef struct stingy {
    size_t left;
    size_t bytes;
} stingy;

static void *stingy_resize(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes)
{
    stingy *s = ctx;
    if (new_bytes > 0 && s->left == 0) {
        return NULL;
    }
    s->left -= new_bytes > 0;
    s->bytes += new_bytes;
    s->bytes -= old_bytes;
    return st_alloc_resize(st_alloc_process(), ptr, old_bytes, new_bytes);
}

static void test_every_failing_allocation_is_reported(void **state)
{
    partiql_case *c = *state;
    partiql_parameters(c, hostile_parameters);
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        st_status wanted = partiql_parse_bytes(c, st_slice_str(hostile_texts[i]));
        st_status status = ST_NO_MEMORY;
        size_t allowed = 0;
        for (; status == ST_NO_MEMORY && allowed < 1000; allowed++) {
            stingy s = {.left = allowed};
            st_alloc alloc = {stingy_resize, &s};
            st_op op;
            st_partiql_statement *statement;
            st_op_init(&op, &alloc);
            status = st_partiql_parse(&op, st_slice_str(hostile_texts[i]), c->parameters,
                                      c->parameter_count, &statement);
            assert_int_equal(op.error.code, status);
            assert_true((status == ST_OK) == (statement != NULL));
            st_op_deinit(&op);
            assert_int_equal(s.bytes, 0);
        }
        assert_int_equal(status, wanted);
        assert_in_range(allowed, 3, 100);
    }
}

int main(void)
{
#define MEMORY_TEST(name) cmocka_unit_test_setup_teardown(name, partiql_setup, partiql_teardown)
    const struct CMUnitTest tests[] = {
        MEMORY_TEST(test_every_beginning_of_a_statement_has_an_answer),
        MEMORY_TEST(test_changed_statements_have_an_answer),
        MEMORY_TEST(test_deep_and_long_statements_have_an_answer),
        MEMORY_TEST(test_nesting_is_bounded),
        MEMORY_TEST(test_every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests_name("partiql_memory", tests, NULL, NULL);
}
