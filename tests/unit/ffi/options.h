/* What the tests of options share: a folder for databases, a table of numbered items, counters. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "stator.h"

extern stator_error err;

#define OK(call) options_check((call), #call, __FILE__, __LINE__)
#define REFUSED(call, wanted, text) \
    options_refused((call), (wanted), (text), #call, __FILE__, __LINE__)

void options_check(stator_status status, const char *what, const char *file, int line);
/* The call gave that status, and its message says the text. */
void options_refused(stator_status status, stator_status wanted, const char *text, const char *what,
                     const char *file, int line);

const char *options_folder(const char *name); /* a path that nothing has yet */
int options_setup(void **state);              /* of a group: makes the folder */
int options_teardown(void **state);           /* and removes it */

stator_db *open_with(const char *path, const stator_options *options);
stator_options options_of(
    void); /* defaults, with inline_background: what happens is the same each time */
stator_stats stats_of(stator_db *db);
void close_db(stator_db *db);

/* A table with the keys host (S) and at (N). */
stator_table *table_of(stator_db *db);
stator_item *numbered(int64_t at, size_t extra_bytes); /* an item of host "web" */
stator_item *key_of(int64_t at);
void put_range(stator_table *table, int64_t from, int64_t to, size_t extra_bytes);

#endif
