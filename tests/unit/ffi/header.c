/* Compiles under C99, C11 and C++17: the header needs nothing before it, may be read twice, and
 * its structures are laid out the same everywhere. */
#include <stator.h>
#include <stator.h>

typedef char status_is_four_bytes[sizeof(stator_status) == 4 ? 1 : -1];
typedef char error_is_laid_out[offsetof(stator_error, message) == 24 ? 1 : -1];
typedef char options_are_laid_out[offsetof(stator_options, memory_budget_bytes) == 24 ? 1 : -1];
typedef char value_is_laid_out[offsetof(stator_value, data) == 8 ? 1 : -1];

int use(void);
int use(void)
{
    stator_error error;
    stator_options options;
    stator_db *db = NULL;
    stator_error_init(&error);
    stator_options_init(&options);
    return stator_open(":memory:", 8, &options, &db, &error) == STATOR_OK ? 0 : error.code;
}
