/* Scans: a whole table, at once, in parts or page by page. scan [FOLDER] */
#include "example.h"

static unsigned drain(stator_cursor *cursor)
{
    stator_item *item;
    unsigned items = 0;
    while (must(stator_cursor_next(cursor, &item, &error)), item) {
        items++;
    }
    stator_cursor_free(cursor);
    return items;
}

/* Four scans that together see every item once: one for each thread. */
static void segments(stator_table *points)
{
    unsigned items = 0;
    for (uint32_t segment = 0; segment < 4; segment++) {
        stator_scan *scan;
        stator_cursor *cursor;
        must(stator_scan_new(points, &scan));
        stator_scan_segment(scan, segment, 4);
        must(stator_scan_open(scan, &cursor, &error));
        items += drain(cursor);
        stator_scan_free(scan);
    }
    printf("%u\n", items); /* → 100 */
}

/* Stops after 60 items and goes on behind them, perhaps days later in another process. */
static void resume(stator_table *points)
{
    stator_scan *scan;
    stator_cursor *cursor;
    stator_buffer *token;
    stator_item *item;
    const void *bytes;
    size_t token_bytes;
    unsigned items = 0;
    must(stator_scan_new(points, &scan));
    stator_scan_limit(scan, 60);
    must(stator_scan_open(scan, &cursor, &error));
    for (int i = 0; i < 60; i++, items++) {
        must(stator_cursor_next(cursor, &item, &error));
    }
    must(stator_cursor_last_key(cursor, &token, &error));
    must(stator_buffer_data(token, &bytes, &token_bytes));
    stator_scan_start_after(scan, bytes, token_bytes); /* the limit counts anew */
    stator_cursor_free(cursor);
    stator_buffer_free(token);
    must(stator_scan_open(scan, &cursor, &error));
    printf("%u %u\n", items, drain(cursor)); /* → 60 40 */
    stator_scan_free(scan);
}

/* What is written while a snapshot is read stays unseen. */
static void snapshot(stator_table *points)
{
    stator_scan *scan;
    stator_cursor *cursor;
    stator_item *late = item_of("{\"id\": 1000}"), *first;
    must(stator_scan_new(points, &scan));
    stator_scan_snapshot(scan, 1);
    stator_scan_page_items(scan, 10);
    must(stator_scan_open(scan, &cursor, &error));
    must(stator_cursor_next(cursor, &first, &error));
    must(stator_put(points, late, NULL, &error));
    printf("%u\n", 1 + drain(cursor)); /* → 100 */
    must(stator_delete(points, late, NULL, &error));
    stator_item_free(late);
    stator_scan_free(scan);
}

int main(int count, char **words)
{
    stator_db *db = open_example(count, words);
    stator_table *points = ensure_table(db, "points", "id", STATOR_TYPE_N, NULL, 0);
    for (int64_t id = 0; id < 100; id++) {
        stator_item *point;
        must(stator_item_new(&point));
        stator_item_set_int64(point, TEXT("id"), id);
        must(stator_put(points, point, NULL, &error));
        stator_item_free(point);
    }
    segments(points);
    resume(points);
    snapshot(points);
    stator_table_free(points);
    must(stator_close(db, &error));
    return 0;
}
