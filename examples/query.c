/* Queries: one partition in the order of the sort key. query [FOLDER] */
#include "example.h"

/* Prints the sort keys that a query gives, and frees it. */
static void run(stator_query *query, const char *sort)
{
    stator_cursor *cursor;
    stator_item *item;
    stator_value value;
    stator_value_init(&value);
    must(stator_query_open(query, &cursor, &error));
    while (must(stator_cursor_next(cursor, &item, &error)), item) {
        must(stator_item_get(item, sort, strlen(sort), &value, &error));
        printf("%s%.*s ", value.number, (int)value.data_bytes, (const char *)value.data);
    }
    printf("\n");
    stator_cursor_free(cursor);
    stator_query_free(query);
}

static stator_query *web(stator_table *log)
{
    stator_query *query;
    must(stator_query_new(log, &query));
    stator_query_partition_string(query, TEXT("web"));
    return query;
}

static void conditions(stator_table *log)
{
    stator_query *query = web(log);
    run(query, "at"); /* → 1 2 3 4 5 6 7 8 9 */
    stator_query_sort_equal(query = web(log), TEXT("3"));
    run(query, "at"); /* → 3 */
    stator_query_sort_less(query = web(log), TEXT("3"));
    run(query, "at"); /* → 1 2 */
    stator_query_sort_at_most(query = web(log), TEXT("3"));
    run(query, "at"); /* → 1 2 3 */
    stator_query_sort_greater(query = web(log), TEXT("7"));
    run(query, "at"); /* → 8 9 */
    stator_query_sort_at_least(query = web(log), TEXT("7"));
    run(query, "at"); /* → 7 8 9 */
    stator_query_sort_between(query = web(log), TEXT("4"), TEXT("6"));
    run(query, "at"); /* → 4 5 6 */
    stator_query_reverse(query = web(log), 1);
    stator_query_limit(query, 3);
    run(query, "at"); /* → 9 8 7 */
}

/* Partitions are text, numbers or bytes; sort keys too. */
static void types(stator_db *db)
{
    stator_table *days = ensure_table(db, "days", "year", STATOR_TYPE_N, "day", STATOR_TYPE_S);
    stator_table *blobs = ensure_table(db, "blobs", "hash", STATOR_TYPE_B, NULL, 0);
    const char *names[] = {"{\"year\": 2024, \"day\": \"05-01\"}",
                           "{\"year\": 2024, \"day\": \"12-24\"}",
                           "{\"year\": 2024, \"day\": \"12-25\"}"};
    stator_query *query;
    stator_item *blob;
    for (size_t i = 0; i < 3; i++) {
        stator_item *day = item_of(names[i]);
        must(stator_put(days, day, NULL, &error));
        stator_item_free(day);
    }
    must(stator_query_new(days, &query));
    stator_query_partition_number(query, TEXT("2024.0")); /* the same number as 2024 */
    stator_query_sort_begins_with(query, TEXT("12-"));
    run(query, "day"); /* → 12-24 12-25 */

    must(stator_item_new(&blob));
    stator_item_set_binary(blob, TEXT("hash"), "\0\xff", 2);
    stator_item_set_string(blob, TEXT("name"), TEXT("two bytes"));
    must(stator_put(blobs, blob, NULL, &error));
    stator_item_free(blob);
    must(stator_query_new(blobs, &query));
    stator_query_partition_binary(query, "\0\xff", 2);
    run(query, "name"); /* → two bytes */
    stator_table_free(days);
    stator_table_free(blobs);
}

int main(int count, char **words)
{
    stator_db *db = open_example(count, words);
    stator_table *log = ensure_table(db, "log", "host", STATOR_TYPE_S, "at", STATOR_TYPE_N);
    stator_batch *batch;
    must(stator_batch_new(db, &batch));
    for (int64_t at = 1; at <= 9; at++) {
        stator_item *entry;
        must(stator_item_new(&entry));
        stator_item_set_string(entry, TEXT("host"), TEXT("web"));
        stator_item_set_int64(entry, TEXT("at"), at);
        stator_batch_put(batch, log, entry);
        stator_item_free(entry);
    }
    must(stator_batch_write(batch, NULL, &error));
    stator_batch_free(batch);
    conditions(log);
    types(db);
    stator_table_free(log);
    must(stator_close(db, &error));
    return 0;
}
