/* What a user links: opens a database and says which version it is. */
#include <stdio.h>
#include <string.h>

#include "stator.h"

int main(void)
{
    stator_db *db;
    stator_error error;
    stator_error_init(&error);
    if (stator_open(":memory:", 8, NULL, &db, &error) != STATOR_OK ||
        stator_close(db, &error) != STATOR_OK) {
        puts(error.message);
        return 1;
    }
    puts(stator_version());
    return 0;
}
