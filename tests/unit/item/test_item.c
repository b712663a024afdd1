/* Numbers, canonical frames, keys and ranges. */
#include "item_support.h"

/* ---- numbers ---------------------------------------------------------------------------- */

static void check_number(const char *text, const char *canonical)
{
    st_number number, again;
    uint8_t form[ST_NUMBER_BYTES_MAX];
    char back[ST_NUMBER_TEXT_MAX];
    assert_int_equal(st_number_parse(NULL, st_slice_str(text), &number), ST_OK);
    size_t bytes = st_number_encode(&number, form);
    assert_int_equal(st_number_form_bytes(st_slice_of(form, bytes)), bytes);
    assert_true(st_number_decode(st_slice_of(form, bytes), &again));
    assert_int_equal(st_number_text(&again, back), strlen(canonical));
    assert_string_equal(back, canonical);
}

static void test_numbers_have_one_text(void **state)
{
    (void)state;
    check_number("0", "0");
    check_number("-0.000e9", "0");
    check_number("1", "1");
    check_number("+1.0", "1");
    check_number("1E0", "1");
    check_number("0100", "100");
    check_number(".5", "0.5");
    check_number("5.", "5");
    check_number("1.e2", "100");
    check_number("-12.3400", "-12.34");
    check_number("0.00001", "0.00001");
    check_number("12345678901234567890123456789012345678",
                 "12345678901234567890123456789012345678");
    check_number("1234567890.1234567890123456789012345678",
                 "1234567890.1234567890123456789012345678");
    check_number("123456789012345678901234567890123456780000",
                 "123456789012345678901234567890123456780000");
    check_number("100000000000000000000000000000000000000",
                 "100000000000000000000000000000000000000");
}

static void check_refused(item_case *c, const char *text, const char *message)
{
    st_number number;
    st_op_clear(&c->op);
    assert_int_equal(st_number_parse(&c->op, st_slice_str(text), &number), ST_INVALID_ARGUMENT);
    assert_non_null(strstr(c->op.error.message, message));
}

static void test_what_is_no_number_is_refused_in_dynamodbs_words(void **state)
{
    item_case *c = *state;
    const char *bad[] = {"",   " 1",  "1 ",   "abc", "1+2",      "e5",
                         "1e", "--1", "0x10", "NaN", "Infinity", "."};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_refused(c, bad[i], "The parameter cannot be converted to a numeric value");
    }
    check_refused(c, "123456789012345678901234567890123456789", "more than 38 significant digits");
    check_refused(c, "1.00000000000000000000000000000000000001", "more than 38 significant digits");
    check_refused(c, "1e126", "Number overflow");
    check_refused(c, "10e125", "Number overflow");
    check_refused(c, "1e-131", "Number underflow");
    check_refused(c, "1e9223372036854775807", "Number overflow");
    check_refused(c, "1e-9223372036854775808", "Number underflow");
    check_refused(c, "1e9223372036854775808", "cannot be converted");
    check_refused(c, "1e-9223372036854775809", "cannot be converted");
    check_refused(c, "0e126", "Number overflow");
    check_refused(c, "0e-131", "Number underflow");
    check_refused(c, "0.0e-130", "Number underflow");
    check_refused(c, "-0.1e-130", "Number underflow");
}

static int compare_forms(const char *a, const char *b)
{
    st_number x, y;
    uint8_t fx[ST_NUMBER_BYTES_MAX], fy[ST_NUMBER_BYTES_MAX];
    assert_int_equal(st_number_parse(NULL, st_slice_str(a), &x), ST_OK);
    assert_int_equal(st_number_parse(NULL, st_slice_str(b), &y), ST_OK);
    size_t bx = st_number_encode(&x, fx), by = st_number_encode(&y, fy);
    return st_slice_compare(st_slice_of(fx, bx), st_slice_of(fy, by));
}

static void test_byte_order_is_numeric_order(void **state)
{
    (void)state;
    const char *ascending[] = {"-9.99e125", "-1e125", "-1979",  "-100", "-99.5", "-10",
                               "-9",        "-1.05",  "-1.005", "-1",   "-0.5",  "-0.05",
                               "-1e-130",   "0",      "1e-130", "0.05", "0.5",   "0.55",
                               "1",         "1.005",  "1.05",   "9",    "10",    "11",
                               "99",        "99.5",   "100",    "1979", "1e125", "9.99e125"};
    size_t count = sizeof ascending / sizeof ascending[0];
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int order = compare_forms(ascending[i], ascending[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
    st_rng rng;
    st_rng_seed(&rng, 7);
    for (int round = 0; round < 20000; round++) {
        long long a = (long long)st_rng_below(&rng, 2000001) - 1000000,
                  b = (long long)st_rng_below(&rng, 2000001) - 1000000;
        char ta[40], tb[40];
        snprintf(ta, sizeof ta, "%llde-3", a);
        snprintf(tb, sizeof tb, "%llde-3", b);
        int order = compare_forms(ta, tb);
        assert_int_equal((order > 0) - (order < 0), (a > b) - (a < b));
    }
}

/* ---- items ------------------------------------------------------------------------------ */

static void test_equal_items_have_equal_bytes(void **state)
{
    item_case *c = *state;
    assert_int_equal(item_of(c, "{\"b\":{\"N\":\"1.0\"},\"a\":{\"SS\":[\"y\",\"x\"]},\"m\":{\"M\":{"
                                "\"q\":{\"NULL\":true},"
                                "\"p\":{\"NS\":[\"2\",\"1e0\"]}}}}"),
                     ST_OK);
    st_buf first;
    st_buf_init(&first, st_alloc_process());
    st_buf_slice(&first, st_buf_view(&c->frame));
    assert_int_equal(item_of(c, "{\"a\":{\"SS\":[\"x\",\"y\"]},\"m\":{\"M\":{\"p\":{\"NS\":[\"1\","
                                "\"2.00\"]},\"q\":{\"NULL\":"
                                "true}}},\"b\":{\"N\":\"1\"}}"),
                     ST_OK);
    assert_true(st_slice_equal(st_buf_view(&first), st_buf_view(&c->frame)));
    assert_int_equal(st_item_validate(&c->op, st_buf_view(&first)), ST_OK);
    st_buf_deinit(&first);
    st_value value;
    assert_true(st_item_find(st_buf_view(&c->frame), st_slice_str("b"), &value));
    assert_int_equal(value.type, ST_TYPE_N);
    assert_false(st_item_find(st_buf_view(&c->frame), st_slice_str("c"), &value));
    assert_int_equal(value.type, ST_TYPE_NONE);
    /* a 1 + (1 + 1) · b 1 + 2 · m 1 + 3 + p (1 + 1 + 2 + 2) + q (1 + 1 + 1) */
    assert_int_equal(st_item_size(st_buf_view(&c->frame)), 3 + 3 + 4 + 6 + 3);
}

static void check_item_refused(item_case *c, const char *json, const char *message)
{
    assert_int_equal(item_of(c, json), ST_INVALID_ARGUMENT);
    if (!strstr(c->op.error.message, message)) {
        fail_msg("'%s' does not say '%s'", c->op.error.message, message);
    }
}

static void test_illegal_items_are_refused(void **state)
{
    item_case *c = *state;
    check_item_refused(c, "{\"a\":{\"SS\":[]}}", "An string set  may not be empty");
    check_item_refused(c, "{\"a\":{\"NS\":[]}}", "An number set  may not be empty");
    check_item_refused(c, "{\"a\":{\"BS\":[]}}", "Binary sets should not be empty");
    check_item_refused(c, "{\"a\":{\"SS\":[\"x\",\"x\"]}}", "contains duplicates");
    check_item_refused(c, "{\"a\":{\"NS\":[\"1\",\"1.0\"]}}", "contains duplicates");
    check_item_refused(c, "{\"a\":{\"S\":\"x\"},\"a\":{\"S\":\"y\"}}", "occurs twice");
    check_item_refused(c, "{\"\":{\"S\":\"x\"}}", "Empty attribute name");
    check_item_refused(c, "{\"a\":{\"N\":\"\"}}",
                       "The parameter cannot be converted to a numeric value");
    check_item_refused(c, "{\"a\":{\"NS\":[\"\"]}}",
                       "The parameter cannot be converted to a numeric value");
    assert_int_equal(
        item_of(c,
                "{\"a\":{\"S\":\"\"},\"b\":{\"B\":\"\"},\"c\":{\"SS\":[\"\"]},\"d\":{\"L\":[]}}"),
        ST_OK);
}

static void nested(char *json, int levels)
{
    strcpy(json, "{\"a\":");
    for (int i = 0; i < levels; i++) {
        strcat(json, "{\"M\":{\"a\":");
    }
    strcat(json, "{\"S\":\"x\"}");
    for (int i = 0; i < levels; i++) {
        strcat(json, "}}");
    }
    strcat(json, "}");
}

static void test_nesting_and_size_end_where_dynamodbs_do(void **state)
{
    item_case *c = *state;
    char json[2048];
    nested(json, 31);
    assert_int_equal(item_of(c, json), ST_OK);
    nested(json, 32);
    check_item_refused(c, json, "Nesting Levels have exceeded supported limits");
    char *big = malloc(ST_ITEM_BYTES_MAX + 64);
    for (int more = 0; more < 2; more++) {
        size_t content = ST_ITEM_BYTES_MAX - 1 + (size_t)more;
        strcpy(big, "{\"a\":{\"S\":\"");
        memset(big + 11, 'x', content);
        strcpy(big + 11 + content, "\"}}");
        assert_int_equal(item_of(c, big), more ? ST_INVALID_ARGUMENT : ST_OK);
    }
    assert_non_null(strstr(c->op.error.message, "Item size has exceeded the maximum allowed size"));
    free(big);
}

/* The first bytes of a form, with one bit (counted from 1) flipped: whatever is accepted is
 * canonical. */
static void check_survives(item_case *c, int form, st_slice bytes, size_t cut, size_t bit)
{
    uint8_t *copy = malloc(cut + 1);
    memcpy(copy, bytes.data, cut);
    if (bit > 0) {
        copy[(bit - 1) / 8] ^= (uint8_t)(1u << (bit - 1) % 8);
    }
    st_op_clear(&c->op);
    st_buf_clear(&c->to);
    st_slice damaged = st_slice_of(copy, cut);
    st_status status = form == 0 ? st_item_canonicalize(&c->op, damaged, &c->to)
                                 : st_item_validate(&c->op, damaged);
    if (status == ST_OK && form == 0) {
        assert_int_equal(st_item_validate(&c->op, st_buf_view(&c->to)), ST_OK);
    }
    st_arena_reset(&c->op.arena);
    free(copy);
}

static void test_no_bytes_crash_the_canonicaliser(void **state)
{
    item_case *c = *state;
    assert_int_equal(item_of(c, "{\"a\":{\"L\":[{\"N\":\"-1.5\"},{\"M\":{\"k\":{\"BS\":[\"AAE=\"]}}"
                                "},{\"BOOL\":false}]},"
                                "\"s\":{\"NS\":[\"1\",\"2\"]},\"z\":{\"S\":\"\xC3\xA4\"}}"),
                     ST_OK);
    st_slice forms[] = {st_buf_view(&c->relaxed), st_buf_view(&c->frame)};
    for (int form = 0; form < 2; form++) {
        for (size_t cut = 0; cut < forms[form].size; cut++) {
            check_survives(c, form, forms[form], cut, 0);
        }
        for (size_t bit = 0; bit < 8 * forms[form].size; bit++) {
            check_survives(c, form, forms[form], forms[form].size, bit + 1);
        }
    }
}

/* ---- keys ------------------------------------------------------------------------------- */

static const st_key_schema *schema_of(st_type partition, st_type sort)
{
    static st_key_schema schema;
    schema = (st_key_schema){.partition_count = 1, .sort_count = sort != ST_TYPE_NONE};
    schema.partition[0] = (st_key_part){st_slice_str("p"), partition};
    schema.sort[0] = (st_key_part){st_slice_str("s"), sort};
    return &schema;
}

static void test_key_order_is_dynamodbs_and_no_key_is_a_prefix(void **state)
{
    item_case *c = *state;
    const char *ascending[] = {
        "AA==", "AAA=", "AAE=", "AP8=", "AQ==", "AQA=", "/w==", "/wA=", "//8="};
    st_buf keys[9];
    for (int i = 0; i < 9; i++) {
        char json[128];
        snprintf(json, sizeof json, "{\"p\":{\"S\":\"same\"},\"s\":{\"B\":\"%s\"}}", ascending[i]);
        assert_int_equal(item_of(c, json), ST_OK);
        st_buf_init(&keys[i], st_alloc_process());
        assert_int_equal(st_key_of_item(&c->op, 7, schema_of(ST_TYPE_S, ST_TYPE_B),
                                        st_buf_view(&c->frame), &keys[i]),
                         ST_OK);
        assert_true(st_key_is_valid(st_buf_view(&keys[i]), 7, schema_of(ST_TYPE_S, ST_TYPE_B)));
        assert_false(st_key_is_valid(st_buf_view(&keys[i]), 8, schema_of(ST_TYPE_S, ST_TYPE_B)));
        for (int j = 0; j < i; j++) {
            assert_true(st_slice_compare(st_buf_view(&keys[j]), st_buf_view(&keys[i])) < 0);
            assert_false(st_slice_starts_with(st_buf_view(&keys[i]), st_buf_view(&keys[j])));
        }
    }
    for (int i = 0; i < 9; i++) {
        st_buf_deinit(&keys[i]);
    }
}

static void check_key_refused(item_case *c, const char *json, const char *message)
{
    assert_int_equal(item_of(c, json), ST_OK);
    st_buf_clear(&c->from);
    assert_int_equal(st_key_of_item(&c->op, 7, schema_of(ST_TYPE_S, ST_TYPE_N),
                                    st_buf_view(&c->frame), &c->from),
                     ST_INVALID_ARGUMENT);
    if (!strstr(c->op.error.message, message)) {
        fail_msg("'%s' does not say '%s'", c->op.error.message, message);
    }
}

static void test_bad_keys_are_refused_in_dynamodbs_words(void **state)
{
    item_case *c = *state;
    check_key_refused(c, "{\"s\":{\"N\":\"1\"}}", "Missing the key p in the item");
    check_key_refused(c, "{\"p\":{\"S\":\"x\"},\"s\":{\"S\":\"1\"}}",
                      "Type mismatch for key s expected: N actual: S");
    check_key_refused(c, "{\"p\":{\"S\":\"\"},\"s\":{\"N\":\"1\"}}",
                      "cannot contain an empty string value. Key: p");
    char json[2200];
    snprintf(json, sizeof json, "{\"p\":{\"S\":\"%02049d\"},\"s\":{\"N\":\"1\"}}", 0);
    check_key_refused(c, json, "Size of hashkey has exceeded the maximum size limit of2048 bytes");
    assert_int_equal(item_of(c, "{\"p\":{\"S\":\"x\"},\"s\":{\"N\":\"1\"},\"t\":{\"N\":\"1\"}}"),
                     ST_OK);
    assert_int_equal(st_key_of_request(&c->op, 7, schema_of(ST_TYPE_S, ST_TYPE_N),
                                       st_buf_view(&c->relaxed), &c->from),
                     ST_INVALID_ARGUMENT);
    assert_string_equal(c->op.error.message, "The provided key element does not match the schema");
}

/* Whether the sort key text is in the range of a condition. */
static bool in_range(item_case *c, st_type type, const char *sort, st_key_condition condition,
                     const char *a, const char *b)
{
    const st_key_schema *schema = schema_of(ST_TYPE_S, type);
    st_value partition = {.type = ST_TYPE_S, .bytes = st_slice_str("P")};
    st_value first = {.type = type, .bytes = st_slice_str(a), .is_text = type == ST_TYPE_N};
    st_value second = {.type = type, .bytes = st_slice_str(b), .is_text = type == ST_TYPE_N};
    assert_int_equal(
        st_key_range(&c->op, 7, schema, &partition, condition, &first, &second, &c->from, &c->to),
        ST_OK);
    char json[128];
    snprintf(json, sizeof json, "{\"p\":{\"S\":\"P\"},\"s\":{\"%s\":\"%s\"}}", st_type_name(type),
             sort);
    assert_int_equal(item_of(c, json), ST_OK);
    st_buf_clear(&c->text);
    assert_int_equal(st_key_of_item(&c->op, 7, schema, st_buf_view(&c->frame), &c->text), ST_OK);
    return st_slice_compare(st_buf_view(&c->text), st_buf_view(&c->from)) >= 0 &&
           st_slice_compare(st_buf_view(&c->text), st_buf_view(&c->to)) < 0;
}

static bool model_condition(double x, st_key_condition condition, double a, double b)
{
    switch (condition) {
    case ST_KEY_EQUAL:
        return x == a;
    case ST_KEY_LESS:
        return x < a;
    case ST_KEY_AT_MOST:
        return x <= a;
    case ST_KEY_GREATER:
        return x > a;
    case ST_KEY_AT_LEAST:
        return x >= a;
    case ST_KEY_BETWEEN:
        return x >= a && x <= b;
    default:
        return true;
    }
}

static void test_ranges_hold_what_their_condition_says(void **state)
{
    item_case *c = *state;
    const char *numbers[] = {"-100", "-10.5", "-10", "-1", "-0.5", "0",  "0.5",
                             "1",    "1.5",   "9",   "10", "100",  "101"};
    size_t count = sizeof numbers / sizeof numbers[0];
    for (st_key_condition condition = ST_KEY_ALL; condition <= ST_KEY_BETWEEN; condition++) {
        for (size_t x = 0; x < count; x++) {
            for (size_t a = 0; a < count; a++) {
                size_t b = a + 2 < count ? a + 2 : a;
                assert_int_equal(
                    in_range(c, ST_TYPE_N, numbers[x], condition, numbers[a], numbers[b]),
                    model_condition(atof(numbers[x]), condition, atof(numbers[a]),
                                    atof(numbers[b])));
            }
        }
        st_arena_reset(&c->op.arena);
    }
    assert_true(in_range(c, ST_TYPE_S, "abc", ST_KEY_BEGINS_WITH, "ab", ""));
    assert_true(in_range(c, ST_TYPE_S, "ab", ST_KEY_BEGINS_WITH, "ab", ""));
    assert_false(in_range(c, ST_TYPE_S, "ac", ST_KEY_BEGINS_WITH, "ab", ""));
    assert_false(in_range(c, ST_TYPE_S, "a", ST_KEY_BEGINS_WITH, "ab", ""));
    assert_true(in_range(c, ST_TYPE_S, "abc", ST_KEY_GREATER, "ab", ""));
    assert_false(in_range(c, ST_TYPE_S, "ab", ST_KEY_GREATER, "ab", ""));
}

static void test_segments_cover_every_stripe_once(void **state)
{
    item_case *c = *state;
    uint32_t counts[] = {1, 2, 3, 7, 256, 300, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        st_buf end;
        st_buf_init(&end, st_alloc_process());
        for (uint32_t segment = 0; segment < counts[i]; segment++) {
            st_key_segment(7, segment, counts[i], &c->from, &c->to);
            if (segment > 0) {
                assert_true(st_slice_equal(st_buf_view(&c->from), st_buf_view(&end)));
            } else {
                assert_memory_equal(c->from.data, "\0\0\0\7\0", 5);
            }
            st_buf_clear(&end);
            st_buf_slice(&end, st_buf_view(&c->to));
        }
        assert_int_equal(end.size, 4);
        assert_memory_equal(end.data, "\0\0\0\x8", 4);
        st_buf_deinit(&end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_have_one_text),
        cmocka_unit_test_setup_teardown(test_what_is_no_number_is_refused_in_dynamodbs_words,
                                        item_setup, item_teardown),
        cmocka_unit_test(test_byte_order_is_numeric_order),
        cmocka_unit_test_setup_teardown(test_equal_items_have_equal_bytes, item_setup,
                                        item_teardown),
        cmocka_unit_test_setup_teardown(test_illegal_items_are_refused, item_setup, item_teardown),
        cmocka_unit_test_setup_teardown(test_nesting_and_size_end_where_dynamodbs_do, item_setup,
                                        item_teardown),
        cmocka_unit_test_setup_teardown(test_no_bytes_crash_the_canonicaliser, item_setup,
                                        item_teardown),
        cmocka_unit_test_setup_teardown(test_key_order_is_dynamodbs_and_no_key_is_a_prefix,
                                        item_setup, item_teardown),
        cmocka_unit_test_setup_teardown(test_bad_keys_are_refused_in_dynamodbs_words, item_setup,
                                        item_teardown),
        cmocka_unit_test_setup_teardown(test_ranges_hold_what_their_condition_says, item_setup,
                                        item_teardown),
        cmocka_unit_test_setup_teardown(test_segments_cover_every_stripe_once, item_setup,
                                        item_teardown),
    };
    return cmocka_run_group_tests_name("item", tests, NULL, NULL);
}
