/* The JSON protocol below the conformance cases: JSON, the order of number sets, and memory that
 * ends at any allocation of a tour through the operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/fault_alloc.h"
#include "wire/wire_internal.h"

/* ---- JSON ------------------------------------------------------------------------------- */

static void test_json_is_read_strictly(void **state)
{
    (void)state;
    static const char *const good[] = {"{}",
                                       " [1, -2.5e3, \"a\\u00e9\\ud83d\\ude00\", true, null] ",
                                       "{\"a\": {\"b\": [[], {}]}}", "\"\\ud800\"", "0"};
    static const char *const bad[] = {
        "",    "{",      "[1,]",      "{\"a\":1,}", "{'a': 1}", "01", "1.",  "[1 2]",    "nul",
        "\"a", "\"\t\"", "{\"a\" 1}", "{} {}",      "\"\\x\"",  "-",  "[1}", "\"\xff\"", "{1: 2}"};
    st_op op;
    st_json_doc doc;
    st_op_init(&op, st_alloc_process());
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(st_wire__json(&op, st_slice_str(good[i]), &doc));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (st_wire__json(&op, st_slice_str(bad[i]), &doc)) {
            fail_msg("'%s' was read", bad[i]);
        }
    }
    st_op_deinit(&op);
}

static void test_members_are_found_and_null_is_absent(void **state)
{
    (void)state;
    st_op op;
    st_json_doc doc;
    st_op_init(&op, st_alloc_process());
    assert_true(st_wire__json(
        &op, st_slice_str("{\"a\": 1, \"b\": null, \"c\": [1, {\"a\": 2}], \"a\": \"last\"}"),
        &doc));
    assert_true(
        st_slice_equal(st_wire__text(&doc, st_wire__find(&doc, 0, "a")), st_slice_str("last")));
    assert_int_equal(st_wire__find(&doc, 0, "b"), 0);
    assert_int_equal(st_wire__find(&doc, 0, "d"), 0);
    assert_int_equal(doc.nodes[st_wire__find(&doc, 0, "c")].count, 2);
    st_op_deinit(&op);
}

static void test_any_depth_of_json_costs_no_stack(void **state)
{
    (void)state;
    enum { DEPTH = 1999, TOO_DEEP = 100000 };
    st_op op;
    st_json_doc doc;
    st_op_init(&op, st_alloc_process());
    char *text = test_malloc(2 * TOO_DEEP + 1);
    memset(text, '[', TOO_DEEP);
    memset(text + TOO_DEEP, ']', TOO_DEEP);
    assert_true(st_wire__json(&op, st_slice_of(text + TOO_DEEP - DEPTH, 2 * DEPTH), &doc));
    assert_false(st_wire__json(&op, st_slice_of(text, 2 * TOO_DEEP), &doc));
    test_free(text);
    st_op_deinit(&op);
}

/* ---- a tour, with every allocation failing ---------------------------------------------- */

typedef struct tour_step {
    const char *operation, *body;
} tour_step;

static const tour_step tour[] = {
    {"CreateTable",
     "{\"TableName\":\"tour\",\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":"
     "\"S\"},{\"AttributeName\":\"g\",\"AttributeType\":\"N\"}],\"KeySchema\":[{\"AttributeName\":"
     "\"p\",\"KeyType\":\"HASH\"}],\"BillingMode\":\"PAY_PER_REQUEST\",\"GlobalSecondaryIndexes\":["
     "{"
     "\"IndexName\":\"byg\",\"KeySchema\":[{\"AttributeName\":\"g\",\"KeyType\":\"HASH\"}],"
     "\"Projection\":{\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[\"x\"]}}],"
     "\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"}}"},
    {"PutItem",
     "{\"TableName\":\"tour\",\"Item\":{\"p\":{\"S\":\"a\"},\"g\":{\"N\":\"1\"},\"x\":{\"NS\":["
     "\"1\",\"-2\",\"300\"]},\"l\":{\"L\":[{\"M\":{\"k\":{\"B\":\"AAE=\"}}}]}},"
     "\"ConditionExpression\":\"attribute_not_exists(#p)\",\"ExpressionAttributeNames\":{\"#p\":"
     "\"p\"},\"ReturnConsumedCapacity\":\"INDEXES\"}"},
    {"UpdateItem",
     "{\"TableName\":\"tour\",\"Key\":{\"p\":{\"S\":\"a\"}},\"UpdateExpression\":\"SET g = g + :o, "
     "l[1] = :o REMOVE l[0].k\",\"ExpressionAttributeValues\":{\":o\":{\"N\":\"1\"}},"
     "\"ReturnValues\":\"UPDATED_NEW\"}"},
    {"Query", "{\"TableName\":\"tour\",\"IndexName\":\"byg\",\"KeyConditionExpression\":\"g = :g\","
              "\"FilterExpression\":\"contains(x, "
              ":one)\",\"ExpressionAttributeValues\":{\":g\":{\"N\":\"2\"}"
              ",\":one\":{\"N\":\"300\"}},\"Limit\":1}"},
    {"TransactWriteItems",
     "{\"ClientRequestToken\":\"t\",\"TransactItems\":[{\"Put\":{\"TableName\":\"tour\",\"Item\":{"
     "\"p\":{\"S\":\"b\"}}}},{\"Delete\":{\"TableName\":\"tour\",\"Key\":{\"p\":{\"S\":\"a\"}}}}]"
     "}"},
    {"Scan", "{\"TableName\":\"tour\",\"ReturnConsumedCapacity\":\"TOTAL\"}"},
    {"ExecuteStatement", "{\"Statement\":\"SELECT p FROM tour WHERE p = 'b'\"}"},
    {"UpdateTimeToLive",
     "{\"TableName\":\"tour\",\"TimeToLiveSpecification\":{\"Enabled\":true,\"AttributeName\":"
     "\"e\"}}"},
    {"DescribeTable", "{\"TableName\":\"tour\"}"},
    {"ListStreams", "{}"},
};

#define TOUR_STEPS (sizeof tour / sizeof tour[0])

/* Memory that ends is told: as the status of the call, or in its answer. */
static bool tour_step_is_sound(st_status status, uint32_t http_status, st_slice answer,
                               bool has_failed)
{
    static const char internal[] =
        "{\"__type\":\"com.amazonaws.dynamodb.v20120810#InternalServerError\"";
    if (!has_failed) {
        return status == ST_OK && http_status == 200;
    }
    return status == ST_NO_MEMORY || http_status == 200 ||
           (http_status == 500 && st_slice_starts_with(answer, st_slice_str(internal)));
}

static st_database *tour_open(void)
{
    st_op op;
    st_database *database;
    st_database_options options;
    st_op_init(&op, st_alloc_process());
    st_database_options_init(&options);
    options.alloc = st_alloc_process();
    options.inline_background = true;
    assert_int_equal(st_database_open(&op, st_slice_str(":memory:"), &options, &database), ST_OK);
    st_op_deinit(&op);
    return database;
}

static void tour_close(st_database *database)
{
    st_op op;
    st_op_init(&op, st_alloc_process());
    assert_int_equal(st_database_close(&op, database), ST_OK);
    st_op_deinit(&op);
}

/* One step with the n-th allocation of the call failing; false: there was no n-th. */
static bool tour_fail_step(st_database *database, const tour_step *step, uint64_t after)
{
    fault_alloc fault;
    st_op op;
    st_buf answer;
    uint32_t http_status = 0;
    st_wire_settings settings;
    st_wire_settings_init(&settings);
    fault_alloc_init(&fault);
    st_op_init(&op, &fault.alloc);
    st_buf_init(&answer, &fault.alloc);
    fault_alloc_fail_after(&fault, after, after % 2 == 0);
    st_status status = st_wire_dispatch(&op, database, &settings, st_slice_str(step->operation),
                                        st_slice_str(step->body), &http_status, &answer);
    bool has_failed = fault.has_failed;
    if (!tour_step_is_sound(status, http_status, st_buf_view(&answer), has_failed)) {
        fail_msg("%s, allocation %llu: %d %u %.*s", step->operation, (unsigned long long)after,
                 (int)status, http_status, (int)answer.size, (const char *)answer.data);
    }
    st_buf_deinit(&answer);
    st_op_deinit(&op);
    fault_alloc_deinit(&fault);
    return has_failed;
}

static void test_memory_may_end_at_every_allocation_of_a_tour(void **state)
{
    (void)state;
    uint64_t failures = 0;
    for (size_t last = 0; last < TOUR_STEPS; last++) {
        for (uint64_t after = 1;; after++) {
            st_database *database = tour_open();
            for (size_t i = 0; i < last; i++) {
                assert_false(tour_fail_step(database, &tour[i], 0));
            }
            bool has_failed = tour_fail_step(database, &tour[last], after);
            tour_close(database);
            failures += has_failed;
            if (!has_failed) {
                break;
            }
        }
    }
    assert_true(failures > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_is_read_strictly),
        cmocka_unit_test(test_members_are_found_and_null_is_absent),
        cmocka_unit_test(test_any_depth_of_json_costs_no_stack),
        cmocka_unit_test(test_memory_may_end_at_every_allocation_of_a_tour),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
