/* Memory of your own: every byte comes from one function, which may refuse. allocator [FOLDER] */
#include "example.h"

#include <stdatomic.h>

static _Atomic size_t in_use, most;

/* Called from any thread. */
static void *resize(void *context, void *pointer, size_t old_bytes, size_t new_bytes)
{
    (void)context;
    void *moved = NULL;
    if (new_bytes == 0) {
        free(pointer);
    } else if (!(moved = realloc(pointer, new_bytes))) {
        return NULL; /* the call that needed it returns NO_MEMORY */
    }
    size_t now = atomic_fetch_add(&in_use, new_bytes - old_bytes) + new_bytes - old_bytes;
    if (now > atomic_load(&most)) {
        atomic_store(&most, now);
    }
    return moved;
}

int main(int count, char **words)
{
    stator_allocator allocator = {.struct_size = sizeof allocator, .resize = resize};
    must(stator_set_allocator(&allocator)); /* before any handle is made */

    stator_db *db = open_example(count, words);
    stator_table *notes = ensure_table(db, "notes", "id", STATOR_TYPE_S, NULL, 0);
    stator_item *note = item_of("{\"id\": \"a\"}");
    must(stator_put(notes, note, NULL, &error));
    stator_item_free(note);
    stator_table_free(notes);
    must(stator_close(db, &error));

    printf("%d\n", atomic_load(&most) > 0);                               /* → 1 */
    printf("%s\n", stator_status_name(stator_set_allocator(&allocator))); /* → MISUSE */
    return 0;
}
