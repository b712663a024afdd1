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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_type_goes_both_ways, item_setup, item_teardown),
        cmocka_unit_test_setup_teardown(test_plain_json_keeps_exact_numbers, item_setup,
                                        item_teardown),
        cmocka_unit_test_setup_teardown(test_malformed_json_is_refused_with_its_position,
                                        item_setup, item_teardown),
    };
    return cmocka_run_group_tests_name("item_json", tests, NULL, NULL);
}
