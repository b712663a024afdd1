/* JSON in and out: plain, and DynamoDB's own. json */
#include "example.h"

static void print(stator_item *item, int32_t format)
{
    stator_buffer *json;
    const void *text;
    size_t bytes;
    must(stator_item_to_json(item, format, &json, &error));
    must(stator_buffer_data(json, &text, &bytes));
    printf("%.*s\n", (int)bytes, (const char *)text);
    stator_buffer_free(json);
}

int main(void)
{
    stator_item *item;
    stator_error_init(&error);
    must(stator_item_from_json(TEXT("{\"title\": \"Alien\", \"year\": 1979.0}"), STATOR_JSON_PLAIN,
                               &item, &error));
    print(item, STATOR_JSON_PLAIN);    /* → {"title":"Alien","year":1979} */
    print(item, STATOR_JSON_DYNAMODB); /* → {"title":{"S":"Alien"},"year":{"N":"1979"}} */
    stator_item_free(item);

    /* DynamoDB's JSON tells sets from lists, and bytes from text. */
    must(stator_item_from_json(
        TEXT("{\"id\": {\"B\": \"AAE=\"}, \"tags\": {\"SS\": [\"b\", \"a\"]}}"),
        STATOR_JSON_DYNAMODB, &item, &error));
    print(item, STATOR_JSON_DYNAMODB); /* → {"id":{"B":"AAE="},"tags":{"SS":["a","b"]}} */
    print(item, STATOR_JSON_PLAIN);    /* → {"id":"AAE=","tags":["a","b"]} */
    stator_item_free(item);

    /* An error says at which byte. */
    stator_status status =
        stator_item_from_json(TEXT("{\"title\": Alien}"), STATOR_JSON_PLAIN, &item, &error);
    printf("%s %d\n", stator_status_name(status), (int)error.position); /* → INVALID_ARGUMENT 10 */
    return 0;
}
