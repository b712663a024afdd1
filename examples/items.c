/* Items: every type of value, written with setters and read back. items [FOLDER] */
#include "example.h"

static stator_item *build(void)
{
    stator_item *item;
    must(stator_item_new(&item));
    stator_item_set_string(item, TEXT("forgotten"), TEXT("x"));
    stator_item_clear(item); /* empty again */

    /* Setters need no checks: the first error is kept and comes out of the call that uses the
     * item. */
    stator_item_set_string(item, TEXT("id"), TEXT("a"));
    stator_item_set_int64(item, TEXT("count"), 42);
    stator_item_set_number(item, TEXT("price"), TEXT("9.990")); /* exact decimals, as text */
    stator_item_set_binary(item, TEXT("bytes"), "\0\1\2", 3);
    stator_item_set_bool(item, TEXT("open"), 1);
    stator_item_set_null(item, TEXT("nothing"));
    stator_item_begin(item, TEXT("tags"), STATOR_TYPE_SS);
    stator_item_set_string(item, NULL, 0, TEXT("red")); /* members of sets and lists are nameless */
    stator_item_set_string(item, NULL, 0, TEXT("green"));
    stator_item_end(item);
    stator_item_begin(item, TEXT("where"), STATOR_TYPE_M);
    stator_item_set_string(item, TEXT("city"), TEXT("Bern"));
    stator_item_begin(item, TEXT("floors"), STATOR_TYPE_L);
    stator_item_set_int64(item, NULL, 0, 3);
    stator_item_end(item);
    stator_item_end(item);
    return item;
}

/* The attributes come in the order of their names. */
static void list(stator_item *item)
{
    size_t count, name_bytes;
    const void *name;
    stator_value value;
    stator_value_init(&value);
    must(stator_item_count(item, &count, &error));
    for (size_t i = 0; i < count; i++) {
        must(stator_item_at(item, i, &name, &name_bytes, &value, &error));
        printf("%.*s:%d ", (int)name_bytes, (const char *)name, value.type);
    }
    printf("\n");
}

int main(int count, char **words)
{
    stator_db *db = open_example(count, words);
    stator_table *things = ensure_table(db, "things", "id", STATOR_TYPE_S, NULL, 0);
    stator_item *item = build(), *found;
    must(stator_put(things, item, NULL, &error));
    stator_item_free(item);

    stator_item *key = item_of("{\"id\": \"a\"}");
    must(stator_get(things, key, NULL, &found, &error));
    stator_item_free(key);
    list(found); /* → bytes:3 count:2 id:1 nothing:5 open:4 price:2 tags:6 where:10 */

    stator_value value, member;
    const void *name;
    size_t name_bytes;
    stator_value_init(&value);
    stator_value_init(&member);
    must(stator_item_get(found, TEXT("price"), &value, &error));
    printf("%s\n", value.number); /* → 9.99 */
    must(stator_item_get(found, TEXT("rooms"), &value, &error));
    printf("%d\n", value.type == STATOR_TYPE_NONE); /* → 1 */

    /* Containers: by index, and in maps by name. */
    must(stator_item_get(found, TEXT("tags"), &value, &error));
    must(stator_value_at(&value, 0, NULL, NULL, &member, &error));
    printf("%u %.*s\n", value.count, (int)member.data_bytes,
           (const char *)member.data); /* → 2 green */
    must(stator_item_get(found, TEXT("where"), &value, &error));
    must(stator_value_find(&value, TEXT("city"), &member, &error));
    printf("%.*s\n", (int)member.data_bytes, (const char *)member.data); /* → Bern */
    must(stator_value_at(&value, 1, &name, &name_bytes, &member, &error));
    printf("%.*s %u\n", (int)name_bytes, (const char *)name, member.count); /* → floors 1 */

    stator_item_free(found);
    stator_table_free(things);
    must(stator_close(db, &error));
    return 0;
}
