/* Errors: what a call returns, what it fills in, and what may be done. errors [FOLDER] */
#include "example.h"

int main(int count, char **words)
{
    printf("%s %u\n", stator_version(), stator_abi_version()); /* → 0.1.0 1 */

    /* Statuses have names, texts, and the names of DynamoDB's exceptions. */
    puts(stator_status_name(STATOR_NO_SPACE));             /* → NO_SPACE */
    puts(stator_status_text(STATOR_NO_SPACE));             /* → no space left */
    puts(stator_status_exception(STATOR_TABLE_NOT_FOUND)); /* → ResourceNotFoundException */
    printf("%d\n", (stator_status_flags(STATOR_BUSY) & STATOR_ERROR_RETRYABLE) != 0); /* → 1 */

    /* A call that gets a stator_error clears it first and fills it when it fails. */
    stator_db *db = open_example(count, words);
    stator_table *table;
    stator_error why;
    stator_error_init(&why);
    if (stator_table_open(db, TEXT("missing"), &table, &why) != STATOR_OK) {
        puts(why.message); /* → Requested resource not found: Table: missing not found */
        printf("%d\n", (why.flags & STATOR_ERROR_CALLER) != 0); /* → 1 */
    }
    stator_error_clear(&why); /* frees what it may own */

    /* A closed handle is told, never followed. */
    must(stator_close(db, &error));
    puts(stator_status_name(stator_flush(db, &why))); /* → CLOSED */
    stator_error_clear(&why);
    return 0;
}
