/* Tables: made, opened, described, listed, deleted. tables [FOLDER] */
#include "example.h"

static void list(stator_db *db)
{
    stator_buffer *names;
    const void *data;
    size_t count, bytes;
    must(stator_table_list(db, &names, &count, &error));
    must(stator_buffer_data(names, &data, &bytes));
    const char *name = data; /* each ends with a NUL */
    printf("%zu:", count);
    for (size_t i = 0; i < count; i++, name += strlen(name) + 1) {
        printf(" %s", name);
    }
    printf("\n");
    stator_buffer_free(names);
}

int main(int count, char **words)
{
    stator_db *db = open_example(count, words);
    stator_schema *schema;
    stator_table *films, *again;
    must(stator_schema_new(&schema));
    must(stator_schema_partition(schema, TEXT("title"), STATOR_TYPE_S));
    must(stator_schema_sort(schema, TEXT("year"), STATOR_TYPE_N));
    must(stator_table_create(db, TEXT("films"), schema, &films, &error));

    /* create refuses a name that is taken; ensure opens the table that has it. */
    stator_status status = stator_table_create(db, TEXT("films"), schema, NULL, &error);
    printf("%s\n", stator_status_name(status)); /* → TABLE_EXISTS */
    must(stator_table_ensure(db, TEXT("films"), schema, &again, &error));
    stator_table_free(again);
    must(stator_table_ensure(db, TEXT("actors"), schema, NULL, &error));
    stator_schema_free(schema);

    must(stator_table_open(db, TEXT("films"), &again, &error));
    stator_table_description about = {.struct_size = sizeof about};
    must(stator_table_describe(again, &about, &error));
    printf("%s %s %s\n", about.name, about.partition_name,
           about.sort_name);                          /* → films title year */
    printf("%d\n", about.sort_type == STATOR_TYPE_N); /* → 1 */
    stator_table_free(again);

    list(db); /* → 2: actors films */
    must(stator_table_delete(db, TEXT("actors"), &error));
    must(stator_table_delete(db, TEXT("films"), &error));
    list(db); /* → 0: */

    /* A handle knows that its table is gone. */
    status = stator_table_describe(films, &about, &error);
    printf("%s\n", stator_status_name(status)); /* → TABLE_NOT_FOUND */
    stator_table_free(films);
    must(stator_close(db, &error));
    return 0;
}
