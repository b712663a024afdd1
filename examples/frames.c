/* Frames: what a language package sends, and how items travel. docs/formats has every byte.
 * frames [FOLDER] */
#include "example.h"

#define QUERY 10

/* A field of a frame: number, length, bytes; little-endian. */
static size_t field(unsigned char *to, unsigned char number, const void *payload, size_t bytes)
{
    to[0] = number;
    for (int i = 0; i < 4; i++) {
        to[1 + i] = (unsigned char)(bytes >> 8 * i);
    }
    memcpy(to + 5, payload, bytes);
    return 5 + bytes;
}

/* A query for the items of the partition "web" of the table "log". */
static size_t query_frame(unsigned char *frame)
{
    size_t at = 2;
    frame[0] = 1; /* version */
    frame[1] = QUERY;
    at += field(frame + at, 1, TEXT("log"));         /* the table's name */
    at += field(frame + at, 9, TEXT("\x01\x03web")); /* the partition: type S, length, text */
    at += field(frame + at, 12, "\x02\0\0\0", 4);    /* two items in a page */
    return at;
}

/* An item's frame: equal items have equal bytes. */
static void items(void)
{
    stator_item *item = item_of("{\"host\": \"web\", \"at\": 1}"), *copy;
    const void *frame;
    size_t bytes;
    must(stator_item_frame(item, &frame, &bytes, &error));
    must(stator_item_from_frame(frame, bytes, &copy, &error));
    show(copy); /* → {"at":1,"host":"web"} */
    stator_item_free(copy);
    stator_item_free(item);
}

int main(int count, char **words)
{
    stator_db *db = open_example(count, words);
    stator_table *log = ensure_table(db, "log", "host", STATOR_TYPE_S, "at", STATOR_TYPE_N);
    unsigned char request[64], result[4096];
    stator_buffer *large;
    stator_cursor *cursor;
    size_t bytes;
    const char *entries[] = {"{\"host\": \"web\", \"at\": 1}", "{\"host\": \"web\", \"at\": 2}",
                             "{\"host\": \"web\", \"at\": 3}"};
    for (int i = 0; i < 3; i++) {
        stator_item *entry = item_of(entries[i]);
        must(stator_put(log, entry, NULL, &error));
        stator_item_free(entry);
    }
    items();

    /* One request, one result: in our memory, or in a buffer if it is too large for it. */
    size_t request_bytes = query_frame(request);
    must(stator_execute(db, request, request_bytes, result, sizeof result, &bytes, &large, &error));
    printf("%d %d\n", result[1] == QUERY, large == NULL); /* → 1 1 */
    must(stator_execute(db, request, request_bytes, result, 1, &bytes, &large, &error));
    printf("%zu %d\n", bytes, large != NULL); /* → 0 1 */
    stator_buffer_free(large);

    /* A cursor gives page after page: field 2 begins with the number of items in it. */
    must(stator_cursor_open(db, request, request_bytes, &cursor, &error));
    for (int page = 0; page < 2; page++) {
        must(stator_cursor_next_page(cursor, result, sizeof result, &bytes, &large, &error));
        printf("%d items\n", result[7]);
    }
    /* → 2 items */
    /* → 1 items */
    stator_cursor_free(cursor);
    stator_table_free(log);
    must(stator_close(db, &error));
    return 0;
}
