/* Plain and DynamoDB JSON. */
#include "item_support.h"

static void check_round(item_case *c, const char *in, bool is_typed, const char *typed,
                        const char *plain)
{
    st_op_clear(&c->op);
    st_buf_clear(&c->relaxed);
    st_buf_clear(&c->frame);
    st_buf_clear(&c->text);
    st_status status = is_typed ? st_item_from_dynamodb_json(&c->op, st_slice_str(in), &c->relaxed)
                                : st_item_from_plain_json(&c->op, st_slice_str(in), &c->relaxed);
    assert_int_equal(status, ST_OK);
    assert_int_equal(st_item_canonicalize(&c->op, st_buf_view(&c->relaxed), &c->frame), ST_OK);
    assert_int_equal(st_item_to_dynamodb_json(&c->op, st_buf_view(&c->frame), &c->text), ST_OK);
    st_buf_byte(&c->text, 0);
    assert_string_equal((char *)c->text.data, typed);
    st_buf_clear(&c->text);
    assert_int_equal(st_item_to_plain_json(&c->op, st_buf_view(&c->frame), &c->text), ST_OK);
    st_buf_byte(&c->text, 0);
    assert_string_equal((char *)c->text.data, plain);
}

static void test_every_type_goes_both_ways(void **state)
{
    item_case *c = *state;
    const char *all = "{\"b\":{\"B\":\"AAH/\"},\"bs\":{\"BS\":[\"AA==\",\"/"
                      "w==\"]},\"f\":{\"BOOL\":false},\"l\":{\"L\":[{\"S\":"
                      "\"x\"},{\"NULL\":true}]},\"m\":{\"M\":{\"k\":{\"N\":\"-1.5\"}}},\"n\":{"
                      "\"N\":\"12345678901234567890\"},"
                      "\"ns\":{\"NS\":[\"-2\",\"1\"]},\"s\":{\"S\":"
                      "\"a\\\"\\\\\\n\\u0001\xF0\x9F\x98\x80\"},\"ss\":{\"SS\":[\"a\","
                      "\"b\"]},\"t\":{\"BOOL\":true}}";
    check_round(c, all, true, all,
                "{\"b\":\"AAH/\",\"bs\":[\"AA==\",\"/"
                "w==\"],\"f\":false,\"l\":[\"x\",null],\"m\":{\"k\":-1.5},\"n\":"
                "12345678901234567890,\"ns\":[-2,1],\"s\":\"a\\\"\\\\\\n\\u0001\xF0\x9F\x98\x80\","
                "\"ss\":[\"a\",\"b\"],\"t\":"
                "true}");
}

static void test_plain_json_keeps_exact_numbers(void **state)
{
    check_round(
        *state,
        " {\"n\" : 0.1000000000000000055511151231257827 , \"e\": 1e2, \"u\": "
        "\"\\ud83d\\ude00\\/\"} ",
        false,
        "{\"e\":{\"N\":\"100\"},\"n\":{\"N\":\"0.1000000000000000055511151231257827\"},\"u\":{"
        "\"S\":\"\xF0\x9F\x98"
        "\x80/\"}}",
        "{\"e\":100,\"n\":0.1000000000000000055511151231257827,\"u\":\"\xF0\x9F\x98\x80/\"}");
}

static void check_bad(item_case *c, const char *json, bool is_typed, int position)
{
    st_op_clear(&c->op);
    st_buf_clear(&c->relaxed);
    st_status status = is_typed
                           ? st_item_from_dynamodb_json(&c->op, st_slice_str(json), &c->relaxed)
                           : st_item_from_plain_json(&c->op, st_slice_str(json), &c->relaxed);
    if (status != ST_INVALID_ARGUMENT || c->op.error.position != position) {
        fail_msg("%s: status %d at %d: %s", json, (int)status, (int)c->op.error.position,
                 c->op.error.message);
    }
}

static void test_malformed_json_is_refused_with_its_position(void **state)
{
    item_case *c = *state;
    check_bad(c, "", false, 0);
    check_bad(c, "[1]", false, 0);
    check_bad(c, "{\"a\":1} x", false, 8);
    check_bad(c, "{\"a\":01}", false, 5);
    check_bad(c, "{\"a\":1.}", false, 5);
    check_bad(c, "{\"a\":nul}", false, 5);
    check_bad(c, "{\"a\" 1}", false, 5);
    check_bad(c, "{\"a\":1,}", false, 7);
    check_bad(c, "{\"a\":\"\\ud800\"}", false, 6);
    check_bad(c, "{\"a\":\"\\x\"}", false, 6);
    check_bad(c, "{\"a\":\"x", false, 5);
    check_bad(c, "{\"a\":\"\xFF\"}", false, 6);
    check_bad(c, "{\"a\":[1 2]}", false, 8);
    check_bad(c, "{\"a\":\"x\"}", true, 5);
    check_bad(c, "{\"a\":{\"X\":\"x\"}}", true, 6);
    check_bad(c, "{\"a\":{\"S\":\"x\",\"N\":\"1\"}}", true, 5);
    check_bad(c, "{\"a\":{\"N\":1}}", true, 10);
    check_bad(c, "{\"a\":{\"B\":\"A\"}}", true, 10);
    check_bad(c, "{\"a\":{\"NULL\":false}}", true, 13);
    char deep[512] = "{\"a\":";
    for (int i = 0; i < 200; i++) {
        strcat(deep, "[");
    }
    st_buf_clear(&c->relaxed);
    st_op_clear(&c->op);
    assert_int_equal(st_item_from_plain_json(&c->op, st_slice_str(deep), &c->relaxed),
                     ST_INVALID_ARGUMENT);
    assert_non_null(strstr(c->op.error.message, "Nesting"));
}

static void check_relaxed(item_case *c, const char *in, bool is_typed, const char *typed)
{
    st_op_clear(&c->op);
    st_buf_clear(&c->relaxed);
    st_buf_clear(&c->frame);
    st_buf_clear(&c->text);
    st_status status = is_typed ? st_item_from_dynamodb_json(&c->op, st_slice_str(in), &c->relaxed)
                                : st_item_from_plain_json(&c->op, st_slice_str(in), &c->relaxed);
    assert_int_equal(status, ST_OK);
    assert_int_equal(st_item_canonicalize(&c->op, st_buf_view(&c->relaxed), &c->frame), ST_OK);
    assert_int_equal(st_item_to_dynamodb_json(&c->op, st_buf_view(&c->frame), &c->text), ST_OK);
    st_buf_byte(&c->text, 0);
    assert_string_equal((char *)c->text.data, typed);
}

static void test_booleans_and_null_may_be_words(void **state)
{
    item_case *c = *state;
    static const char *const yes[] = {"true", "\"true\"", "\"T\"", "\"YES\"", "\"y\"", "\"1\""};
    static const char *const no[] = {"false", "\"False\"", "\"f\"", "\"no\"", "\"N\"", "\"0\""};
    char json[100];
    for (size_t i = 0; i < 6; i++) {
        snprintf(json, sizeof json, "{\"a\":{\"BOOL\":%s},\"b\":{\"BOOL\":%s},\"n\":{\"NULL\":%s}}",
                 yes[i], no[i], yes[i]);
        check_relaxed(c, json, true,
                      "{\"a\":{\"BOOL\":true},\"b\":{\"BOOL\":false},\"n\":{\"NULL\":true}}");
        snprintf(json, sizeof json, "{\"n\":{\"NULL\":%s}}", no[i]);
        check_bad(c, json, true, 13);
        assert_non_null(strstr(c->op.error.message, "must have the value of true"));
    }
    check_bad(c, "{\"a\":{\"BOOL\":\"maybe\"}}", true, 13);
    check_bad(c, "{\"a\":{\"BOOL\":\"\"}}", true, 13);
    check_bad(c, "{\"a\":{\"BOOL\":\"\\u0011\"}}", true, 13);
    check_bad(c, "{\"a\":{\"BOOL\":1}}", true, 13);
}

static void test_an_attribute_value_holds_one_type(void **state)
{
    item_case *c = *state;
    check_relaxed(c, "{\"a\":{\"N\":null,\"S\":\"x\",\"B\":null}}", true, "{\"a\":{\"S\":\"x\"}}");
    check_bad(c, "{\"a\":{}}", true, 5);
    assert_string_equal(c->op.error.message, "Supplied AttributeValue is empty, must contain "
                                             "exactly one of the supported datatypes");
    check_bad(c, "{\"a\":{\"S\":null}}", true, 5);
    check_bad(c, "{\"a\":{\"S\":\"x\",\"BOOL\":true}}", true, 5);
    assert_string_equal(c->op.error.message,
                        "Supplied AttributeValue has more than one datatypes set, must contain "
                        "exactly one of the supported datatypes");
    check_bad(c, "{\"a\":{\"S\":\"x\",}}", true, 14);
    check_bad(c, "{\"a\":null}", true, 5);
    check_bad(c, "{\"a\":{\"s\":\"x\"}}", true, 6);
}

static void test_strings_with_escapes_keep_their_neighbours(void **state)
{
    check_relaxed(
        *state, "{\"\\u0061\":[\"\\u0062\",\"c\",\"\\u0064\\u20AC\\b\\f\"],\"\\u00e9\":\"\\/\"}",
        false,
        "{\"a\":{\"L\":[{\"S\":\"b\"},{\"S\":\"c\"},{\"S\":\"d\xE2\x82\xAC\\u0008\\u000c\"}"
        "]},\"\xC3\xA9\":{\"S\":\"/\"}}");
    check_relaxed(*state, "{\"n\\u0061\":{\"SS\":[\"\\u0062\",\"\\u0061\"]}}", true,
                  "{\"na\":{\"SS\":[\"a\",\"b\"]}}");
    check_relaxed(*state, "{\"z\":\"\\u0000\"}", false, "{\"z\":{\"S\":\"\\u0000\"}}");
}

static void test_what_looks_like_json_is_refused(void **state)
{
    item_case *c = *state;
    static const struct {
        const char *json;
        int position;
    } cases[] = {
        {"{", 1},
        {"{\"a\"", 4},
        {"{\"a\":", 5},
        {"{\"a\":1", 6},
        {"{,}", 1},
        {"{a:1}", 1},
        {"{'a':1}", 1},
        {"{\"a\":+1}", 5},
        {"{\"a\":.5}", 5},
        {"{\"a\":-}", 5},
        {"{\"a\":1e}", 5},
        {"{\"a\":1e+}", 5},
        {"{\"a\":-01}", 5},
        {"{\"a\":0x1}", 6},
        {"{\"a\":NaN}", 5},
        {"{\"a\":True}", 5},
        {"{\"a\":[}", 6},
        {"{\"a\":[1,]}", 8},
        {"{\"a\":[,1]}", 6},
        {"{\"a\":1]", 6},
        {"{\"a\":[1}", 7},
        {"{\"a\":1}{}", 7},
        {"/**/{}", 0},
        {"\xEF\xBB\xBF{}", 0},
        {"{\"a\":\"\t\"}", 6},
        {"{\"a\":\"\\u12\"}", 6},
        {"{\"a\":\"x\\\"}", 5},
        {"{\"a\":\"\\udc00\"}", 6},
        {"{\"a\":\"x\\ud800\\u0041\"}", 7},
        {"{\"a\":\"\\ud800x\"}", 6},
        {"{\"a\":\"xy\xED\xA0\x80\"}", 8},
        {"{\"a\":\"\xC0\x80\"}", 6},
        {"{\"a\":nulll}", 9},
        {"{\"a\":1 \"b\":2}", 7},
        {"{\"a\":1,\"b\"}", 10},
        {"null", 0},
        {"\"x\"", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_bad(c, cases[i].json, false, cases[i].position);
        assert_int_equal(c->relaxed.size, 0);
    }
}

static void test_base64_is_strict(void **state)
{
    item_case *c = *state;
    static const char *const good[] = {"", "AA==", "AAA=", "AAAA", "/+8=", "Zm9vYmFy", "Zm9vYmE="};
    static const char *const bad[] = {"A",
                                      "AA",
                                      "AAA",
                                      "AA=",
                                      "====",
                                      "A===",
                                      "AA=A",
                                      "AB==",
                                      "AAB=",
                                      "A-A=",
                                      "A A=",
                                      "AAAA\\n",
                                      "AA==AAAA",
                                      "=AAA",
                                      "AAAAA",
                                      "AAAA====",
                                      "\xC3\xA4\xC3\xA4",
                                      "A=A="};
    char json[100];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(json, sizeof json, "{\"a\":{\"B\":\"%s\"}}", good[i]);
        check_relaxed(c, json, true, json);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(json, sizeof json, "{\"a\":{\"BS\":[\"AA==\",\"%s\"]}}", bad[i]);
        check_bad(c, json, true, 19);
        assert_non_null(strstr(c->op.error.message, "malformed base64"));
    }
}

static void test_names_that_occur_twice_are_refused(void **state)
{
    item_case *c = *state;
    static const char *const cases[] = {"{\"a\":1,\"b\":2,\"a\":3}",
                                        "{\"m\":{\"x\":1,\"\\u0078\":2}}",
                                        "{\"l\":[{\"q\":1,\"q\":1}]}"};
    for (size_t i = 0; i < 3; i++) {
        st_buf_clear(&c->relaxed);
        st_op_clear(&c->op);
        assert_int_equal(st_item_from_plain_json(&c->op, st_slice_str(cases[i]), &c->relaxed),
                         ST_OK);
        assert_int_equal(st_item_canonicalize(&c->op, st_buf_view(&c->relaxed), &c->frame),
                         ST_INVALID_ARGUMENT);
        assert_non_null(strstr(c->op.error.message, "occurs twice"));
    }
}

static void test_extreme_numbers_are_written_out_and_read_back(void **state)
{
    item_case *c = *state;
    static const char *const numbers[] = {"1e125", "-1e125", "1e-130",
                                          "-9.9999999999999999999999999999999999999E+125",
                                          "1.2345678901234567890123456789012345678e-130"};
    for (size_t i = 0; i < 5; i++) {
        char json[100];
        snprintf(json, sizeof json, "{\"a\":%s}", numbers[i]);
        st_op_clear(&c->op);
        for (int round = 0; round < 2; round++) {
            st_buf_clear(&c->relaxed);
            st_buf_clear(&c->to);
            st_slice text = round ? st_buf_view(&c->text) : st_slice_str(json);
            assert_int_equal(st_item_from_plain_json(&c->op, text, &c->relaxed), ST_OK);
            assert_int_equal(st_item_canonicalize(&c->op, st_buf_view(&c->relaxed), &c->to), ST_OK);
            if (round == 0) {
                st_buf_clear(&c->frame);
                st_buf_slice(&c->frame, st_buf_view(&c->to));
                st_buf_clear(&c->text);
                assert_int_equal(st_item_to_plain_json(&c->op, st_buf_view(&c->to), &c->text),
                                 ST_OK);
                assert_null(memchr(c->text.data, 'e', c->text.size));
                assert_null(memchr(c->text.data, 'E', c->text.size));
            }
        }
        assert_true(st_slice_equal(st_buf_view(&c->frame), st_buf_view(&c->to)));
    }
}

/* Every beginning and every flipped bit: refused or read, and what is read is written and read back
 * to the same. */
static void test_no_text_crashes_the_parser(void **state)
{
    item_case *c = *state;
    const char *typed =
        "{\"a\":{\"L\":[{\"N\":\"-1.5\"},{\"M\":{\"k\":{\"BS\":[\"AAE=\"]}}},{\"BOOL\":"
        "false},{\"NULL\":true}]},\"s\":{\"NS\":[\"1\",\"2\"]},\"\\u00e4\":{\"S\":"
        "\"\xC3\xA4\\ud83d\\ude00\"}}";
    const char *plain =
        "{\"a\":[-1.5e0,{\"k\":null},false],\"\\u00e4\":\"\xC3\xA4\\ud83d\\ude00\"}";
    for (int form = 0; form < 2; form++) {
        const char *text = form ? typed : plain;
        size_t whole = strlen(text);
        for (size_t i = 0; i < whole * 9; i++) {
            size_t size = i < whole ? i : whole, bit = i - size;
            char *copy = malloc(size ? size : 1);
            memcpy(copy, text, size);
            if (i >= whole) {
                copy[bit / 8] ^= (char)(1u << bit % 8);
            }
            st_op_clear(&c->op);
            st_arena_reset(&c->op.arena);
            st_buf_clear(&c->relaxed);
            st_buf_clear(&c->frame);
            st_slice json = st_slice_of(copy, size);
            st_status status = form ? st_item_from_dynamodb_json(&c->op, json, &c->relaxed)
                                    : st_item_from_plain_json(&c->op, json, &c->relaxed);
            assert_int_equal(c->relaxed.size > 0, status == ST_OK);
            assert_true(i >= whole || status == ST_INVALID_ARGUMENT);
            assert_true(status == ST_OK || c->op.error.position >= 0);
            if (status == ST_OK &&
                st_item_canonicalize(&c->op, st_buf_view(&c->relaxed), &c->frame) == ST_OK) {
                st_buf_clear(&c->text);
                st_buf_clear(&c->relaxed);
                st_buf_clear(&c->to);
                assert_int_equal(st_item_to_dynamodb_json(&c->op, st_buf_view(&c->frame), &c->text),
                                 ST_OK);
                assert_int_equal(
                    st_item_from_dynamodb_json(&c->op, st_buf_view(&c->text), &c->relaxed), ST_OK);
                assert_int_equal(st_item_canonicalize(&c->op, st_buf_view(&c->relaxed), &c->to),
                                 ST_OK);
                assert_true(st_slice_equal(st_buf_view(&c->frame), st_buf_view(&c->to)));
            }
            free(copy);
        }
    }
}

/* A list [null] in attribute x that says it has 2, then 0 members. */
static void test_no_json_is_made_of_a_container_with_another_count(void **state)
{
    item_case *c = *state;
    static const char bytes[] = "\x01\x00\x01\x00\x00\x00\x0A\x00\x00\x00\x01x"
                                "\x0A\x01\x00\x00\x00\x01\x00\x00\x00\x06";
    for (int count = 0; count < 3; count++) {
        char frame[sizeof bytes];
        memcpy(frame, bytes, sizeof bytes);
        frame[17] = (char)count;
        st_op_clear(&c->op);
        st_buf_clear(&c->text);
        st_status status =
            st_item_to_plain_json(&c->op, st_slice_of(frame, sizeof bytes - 1), &c->text);
        assert_int_equal(status, count == 1 ? ST_OK : ST_CORRUPT);
        assert_int_equal(c->text.size, count == 1 ? strlen("{\"x\":[null]}") : 0);
    }
}

static void test_a_stream_is_cut_at_the_ends_of_objects_however_it_arrives(void **state)
{
    item_case *c = *state;
    const char *stream = " {\"a\":\"}\\\"{\\\\\"}\n{\"b\":[1,{\"c\":\"]\"}]}{} } [2] {\"open\":1";
    const char *const objects[] = {" {\"a\":\"}\\\"{\\\\\"}", "\n{\"b\":[1,{\"c\":\"]\"}]}", "{}",
                                   " }", " [2]"};
    for (size_t piece = 1; piece < 60; piece++) {
        st_json_splitter splitter = {0};
        size_t found = 0, at = 0, size = strlen(stream);
        st_buf_clear(&c->text);
        while (at < size) {
            size_t bytes, more = size - at < piece ? size - at : piece;
            bool is_end = st_json_split(&splitter, st_slice_of(stream + at, more), &bytes);
            assert_true(is_end || bytes == more);
            st_buf_append(&c->text, stream + at, bytes);
            at += bytes;
            if (is_end) {
                assert_true(found < 5);
                assert_true(st_slice_equal(st_buf_view(&c->text), st_slice_str(objects[found])));
                found++;
                st_buf_clear(&c->text);
            }
        }
        assert_int_equal(found, 5);
        assert_true(st_slice_equal(st_buf_view(&c->text), st_slice_str(" {\"open\":1")));
        assert_int_equal(splitter.depth, 1);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, item_setup, item_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_every_type_goes_both_ways),
        CASE(test_plain_json_keeps_exact_numbers),
        CASE(test_malformed_json_is_refused_with_its_position),
        CASE(test_booleans_and_null_may_be_words),
        CASE(test_an_attribute_value_holds_one_type),
        CASE(test_strings_with_escapes_keep_their_neighbours),
        CASE(test_what_looks_like_json_is_refused),
        CASE(test_base64_is_strict),
        CASE(test_names_that_occur_twice_are_refused),
        CASE(test_extreme_numbers_are_written_out_and_read_back),
        CASE(test_no_text_crashes_the_parser),
        CASE(test_no_json_is_made_of_a_container_with_another_count),
        CASE(test_a_stream_is_cut_at_the_ends_of_objects_however_it_arrives),
    };
    return cmocka_run_group_tests_name("item_json", tests, NULL, NULL);
}
