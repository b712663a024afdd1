/* What the tests of the store share: a store on a simulated file system, and short words for what
 * is done with it. Every word fails the test when the call does not return OK. */
#ifndef STATOR_TESTS_LSM_SUPPORT_H
#define STATOR_TESTS_LSM_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lsm/lsm.h"
#include "support/simfs.h"

typedef struct store_case {
    simfs *sim;
    st_op op;
    st_lsm_options options;
    st_lsm *lsm; /* NULL: closed */
} store_case;

int store_setup(void **state); /* an empty store in /db, open */
int store_teardown(void **state);

void store_check(store_case *c, st_status status);
void store_open(store_case *c);
void store_close(store_case *c);
/* The machine stops; what it leaves is opened. */
void store_crash(store_case *c, simfs_state how);
/* Closes a store that has failed, with a status that is not looked at. */
void store_drop(store_case *c);

/* text NULL: delete. Returns the sequence. */
uint64_t store_write(store_case *c, const char *key, const char *text, st_durability level);
void store_put(store_case *c, const char *key, const char *text); /* with wait, level NONE */
void store_delete(store_case *c, const char *key);
void store_delete_range(store_case *c, const char *from, const char *to);
st_status store_try(store_case *c, const char *key, const char *text, st_durability level);

/* text NULL: absent. */
void store_expect_at(store_case *c, const char *key, const char *text, uint64_t at);
void store_expect(store_case *c, const char *key, const char *text);
/* The visible keys as one text, separated by spaces. */
void store_expect_keys(store_case *c, const st_lsm_snapshot *snapshot, const char *keys);
st_lsm_stats store_stats(store_case *c);
uint64_t store_files(store_case *c); /* in sorted files of all levels */
uint64_t store_entries(store_case *c);
/* Files on the disk whose name ends so. */
uint32_t store_count_files(store_case *c, const char *end);
const char *store_find_file(store_case *c, const char *end, uint32_t index); /* NULL: none */
void store_remove_file(store_case *c, const char *end, uint32_t index);

#endif
