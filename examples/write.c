/* One item: put, get, delete, and what they answer. write [FOLDER] */
#include "example.h"

int main(int count, char **words)
{
    stator_db *db = open_example(count, words);
    stator_table *movies =
        ensure_table(db, "movies", "title", STATOR_TYPE_S, "year", STATOR_TYPE_N);
    stator_item *key = item_of("{\"title\": \"Alien\", \"year\": 1979}");
    stator_item *first = item_of("{\"title\": \"Alien\", \"year\": 1979, \"stars\": 4}");
    stator_item *second = item_of("{\"title\": \"Alien\", \"year\": 1979, \"stars\": 5}");
    stator_item *item, *old;

    /* After OK the write survives power loss. */
    must(stator_put(movies, first, NULL, &error));

    /* One write may ask for less, and no call need wait for ever. */
    stator_write_options quick;
    stator_write_options_init(&quick);
    quick.durability = STATOR_DURABILITY_NONE;
    quick.deadline_ms = 5000;
    must(stator_put_returning(movies, second, &quick, &old, &error));
    show(old); /* → {"stars":4,"title":"Alien","year":1979} */
    stator_item_free(old);

    stator_read_options read;
    stator_read_options_init(&read);
    read.cached_only = 1; /* WOULD_BLOCK instead of reading a file */
    must(stator_get(movies, key, &read, &item, &error));
    show(item); /* → {"stars":5,"title":"Alien","year":1979} */
    stator_item_free(item);

    must(stator_delete_returning(movies, key, NULL, &old, &error));
    show(old); /* → {"stars":5,"title":"Alien","year":1979} */
    stator_item_free(old);
    must(stator_delete(movies, key, NULL, &error)); /* deleting what is absent is fine */
    must(stator_get(movies, key, NULL, &item, &error));
    show(item); /* → none */

    stator_item_free(key);
    stator_item_free(first);
    stator_item_free(second);
    stator_table_free(movies);
    must(stator_close(db, &error));
    return 0;
}
