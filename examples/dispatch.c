/* The DynamoDB JSON protocol without a socket: what an SDK sends, and what it gets. dispatch
 * [FOLDER] */
#include "example.h"

static void call(stator_db *db, const char *operation, const char *body)
{
    stator_buffer *answer;
    const void *text;
    size_t bytes;
    int32_t http_status;
    stator_dispatch_options options;
    stator_dispatch_options_init(&options);
    options.region = "eu-west-2"; /* what ARNs say */
    options.region_bytes = strlen("eu-west-2");
    must(stator_dispatch(db, operation, strlen(operation), body, strlen(body), &options,
                         &http_status, &answer, &error));
    must(stator_buffer_data(answer, &text, &bytes));
    printf("%d %.*s\n", (int)http_status, (int)bytes, (const char *)text);
    stator_buffer_free(answer);
}

int main(int count, char **words)
{
    stator_db *db = open_example(count, words);

    /* An operation that is not of the API, and what is no JSON. */
    call(db, "DynamoDB_20120810.Fly", "{}");
    /* → 400 {"__type":"com.amazon.coral.service#UnknownOperationException"} */
    call(db, "DynamoDB_20120810.ListTables", "{\"Limit\": ");
    /* → 400 {"__type":"com.amazon.coral.service#SerializationException"} */

    /* For tests: a day passes. What has expired by then is gone. */
    must(stator_clock_move(db, (int64_t)24 * 3600 * 1000000, &error));

    must(stator_close(db, &error));
    return 0;
}
