/* What the examples share: text as the pair (bytes, length) that stator.h wants, the folder to work
 * in, and stopping at the first error. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <stator.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal) (literal), sizeof(literal) - 1

static stator_error error; /* zero until the first call fills it: stator_error_init says the size */

static inline void must(stator_status status)
{
    if (status != STATOR_OK) {
        fprintf(stderr, "%s: %s\n", stator_status_name(status), error.message);
        exit(1);
    }
}

/* The database in the folder that the command line names, or one in memory. */
static inline stator_db *open_example(int count, char **words)
{
    const char *path = count > 1 ? words[1] : ":memory:";
    stator_db *db;
    stator_error_init(&error);
    must(stator_open(path, strlen(path), NULL, &db, &error));
    return db;
}

/* Opens a table, or makes it; sort may be NULL. */
static inline stator_table *ensure_table(stator_db *db, const char *name, const char *partition,
                                         int32_t partition_type, const char *sort,
                                         int32_t sort_type)
{
    stator_schema *schema;
    stator_table *table;
    must(stator_schema_new(&schema));
    stator_schema_partition(schema, partition, strlen(partition), partition_type);
    if (sort) {
        stator_schema_sort(schema, sort, strlen(sort), sort_type);
    }
    /* A builder keeps its first error: it comes out of the call that uses it. */
    must(stator_table_ensure(db, name, strlen(name), schema, &table, &error));
    stator_schema_free(schema);
    return table;
}

static inline stator_item *item_of(const char *json)
{
    stator_item *item;
    must(stator_item_from_json(json, strlen(json), STATOR_JSON_PLAIN, &item, &error));
    return item;
}

/* Prints an item as one line of JSON; "none" for NULL. */
static inline void show(stator_item *item)
{
    stator_buffer *json;
    const void *text;
    size_t bytes;
    if (!item) {
        puts("none");
        return;
    }
    must(stator_item_to_json(item, STATOR_JSON_PLAIN, &json, &error));
    must(stator_buffer_data(json, &text, &bytes));
    printf("%.*s\n", (int)bytes, (const char *)text);
    stator_buffer_free(json);
}

#endif
