/* What the files of the C driver share: the line at hand, and what the last step gave. */
#ifndef STATOR_TESTS_CONFORMANCE_DRIVER_H
#define STATOR_TESTS_CONFORMANCE_DRIVER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stator.h"

#define FIELDS_MAX 64
#define ITEMS_MAX 256

extern stator_error err;
extern stator_db *db;
extern char place[64];
extern char *fields[FIELDS_MAX]; /* of the line */
extern int field_count;
extern stator_item *got[ITEMS_MAX]; /* NULL: absent */
extern int got_count;

stator_item *item_of(const char *json); /* NULL: refused, err says why */
void open_db(void);
stator_status collect(stator_cursor *cursor); /* what it yields goes to got */
stator_status query(stator_table *table);
stator_status run(const char *op);

#endif
