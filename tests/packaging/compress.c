/* compress write|read DIR: fills a table whose items repeat themselves and merges its files, or
 * reads it again. Prints how many items it saw, or what went wrong. */
#include <stdio.h>
#include <string.h>

#include "stator.h"

enum { ITEMS = 2000, TEXT_BYTES = 400 };

static stator_error error;

static int fail(const char *what)
{
    printf("%s: %s\n", what, error.message);
    return 1;
}

static int write_all(stator_db *db, stator_table *table)
{
    char text[TEXT_BYTES];
    memset(text, 'x', sizeof text);
    for (int number = 0; number < ITEMS; number++) {
        stator_item *item = NULL;
        stator_status status = stator_item_new(&item);
        status = status ? status : stator_item_set_int64(item, "id", 2, number);
        status = status ? status : stator_item_set_string(item, "text", 4, text, sizeof text);
        status = status ? status : stator_put(table, item, NULL, &error);
        stator_item_free(item);
        if (status != STATOR_OK) {
            return fail("put");
        }
    }
    return stator_flush(db, &error) || stator_compact(db, &error) ? fail("compact") : 0;
}

static int read_all(stator_table *table)
{
    stator_scan *scan = NULL;
    stator_cursor *cursor = NULL;
    stator_item *item = NULL;
    int items = 0;
    if (stator_scan_new(table, &scan) || stator_scan_open(scan, &cursor, &error)) {
        return fail("scan");
    }
    stator_status status = stator_cursor_next(cursor, &item, &error);
    for (; status == STATOR_OK && item; items++) {
        status = stator_cursor_next(cursor, &item, &error);
    }
    stator_cursor_free(cursor);
    stator_scan_free(scan);
    if (status != STATOR_OK) {
        return fail("next");
    }
    printf("%d items\n", items);
    return 0;
}

int main(int count, char **words)
{
    stator_options options;
    stator_db *db = NULL;
    stator_schema *schema = NULL;
    stator_table *table = NULL;
    if (count != 3) {
        return 2;
    }
    stator_error_init(&error);
    stator_options_init(&options);
    options.durability = STATOR_DURABILITY_NONE;
    if (stator_open(words[2], strlen(words[2]), &options, &db, &error)) {
        return fail("open");
    }
    int is_wrong = stator_schema_new(&schema) ||
                   stator_schema_partition(schema, "id", 2, STATOR_TYPE_N) ||
                   stator_table_ensure(db, "items", 5, schema, &table, &error);
    stator_schema_free(schema);
    is_wrong = is_wrong                        ? fail("table")
               : strcmp(words[1], "read") == 0 ? read_all(table)
                                               : write_all(db, table);
    stator_table_free(table);
    return stator_close(db, &error) ? fail("close") : is_wrong;
}
