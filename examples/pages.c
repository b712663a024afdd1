/* Queries in pages: a web page shows three entries and a link to the next. pages [FOLDER] */
#include "example.h"

/* Shows the page behind the token that the link carried, and gives the token of the next link;
 * NULL when nothing is left. */
static stator_buffer *page(stator_table *log, stator_buffer *link)
{
    stator_query *query;
    stator_cursor *cursor;
    stator_item *item;
    stator_value at;
    stator_buffer *next;
    const void *token;
    size_t token_bytes;
    stator_value_init(&at);
    must(stator_query_new(log, &query));
    stator_query_partition_string(query, TEXT("web"));
    stator_query_page_items(query, 3); /* read together */
    stator_query_limit(query, 3);      /* and no more than these */
    stator_query_snapshot(query, 1);
    if (link) {
        must(stator_buffer_data(link, &token, &token_bytes));
        stator_query_start_after(query, token, token_bytes);
        stator_buffer_free(link);
    }
    must(stator_query_open(query, &cursor, &error));
    for (int i = 0; i < 3 && (must(stator_cursor_next(cursor, &item, &error)), item); i++) {
        must(stator_item_get(item, TEXT("at"), &at, &error));
        printf("%s ", at.number);
    }
    must(stator_cursor_last_key(cursor, &next, &error));
    printf("%s\n", next ? "next" : "end");
    stator_cursor_free(cursor);
    stator_query_free(query);
    return next;
}

int main(int count, char **words)
{
    stator_db *db = open_example(count, words);
    stator_table *log = ensure_table(db, "log", "host", STATOR_TYPE_S, "at", STATOR_TYPE_N);
    for (int64_t at = 1; at <= 8; at++) {
        stator_item *entry;
        must(stator_item_new(&entry));
        stator_item_set_string(entry, TEXT("host"), TEXT("web"));
        stator_item_set_int64(entry, TEXT("at"), at);
        must(stator_put(log, entry, NULL, &error));
        stator_item_free(entry);
    }
    stator_buffer *link = page(log, NULL); /* → 1 2 3 next */
    link = page(log, link);                /* → 4 5 6 next */
    link = page(log, link);                /* → 7 8 end */
    stator_buffer_free(link);
    stator_table_free(log);
    must(stator_close(db, &error));
    return 0;
}
