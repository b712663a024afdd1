/* The first lines. first_lines [FOLDER] */
#include <stator.h>
#include <stdio.h>
#include <string.h>

int main(int count, char **words)
{
    const char *path = count > 1 ? words[1] : "shop.stator";
    stator_error error;
    stator_db *db = NULL;
    stator_schema *schema = NULL;
    stator_table *movies = NULL;
    stator_item *alien = NULL, *item;
    stator_query *query = NULL;
    stator_cursor *cursor = NULL;
    stator_status status;

    stator_error_init(&error);
    status = stator_open(path, strlen(path), NULL, &db, &error);
    if (status == STATOR_OK) {
        stator_schema_new(&schema);
        stator_schema_partition(schema, "title", 5, STATOR_TYPE_S);
        stator_schema_sort(schema, "year", 4, STATOR_TYPE_N);
        status = stator_table_ensure(db, "movies", 6, schema, &movies, &error);
    }
    if (status == STATOR_OK) {
        stator_item_new(&alien);
        stator_item_set_string(alien, "title", 5, "Alien", 5);
        stator_item_set_number(alien, "year", 4, "1979", 4);
        status = stator_put(movies, alien, NULL, &error);
    }
    if (status == STATOR_OK) {
        stator_query_new(movies, &query);
        stator_query_partition_string(query, "Alien", 5);
        stator_query_sort_at_least(query, "1970", 4);
        status = stator_query_open(query, &cursor, &error);
    }
    while (status == STATOR_OK &&
           (status = stator_cursor_next(cursor, &item, &error)) == STATOR_OK && item) {
        stator_value year;
        stator_value_init(&year);
        stator_item_get(item, "year", 4, &year, &error);
        printf("%s\n", year.number); /* → 1979 */
    }
    if (status != STATOR_OK) {
        fprintf(stderr, "%s\n", error.message);
    }
    stator_cursor_free(cursor);
    stator_query_free(query);
    stator_item_free(alien);
    stator_table_free(movies);
    stator_schema_free(schema);
    stator_close(db, NULL);
    return status != STATOR_OK;
}
