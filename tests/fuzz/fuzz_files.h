/* Files of a database in a memory Env, for targets that parse what stands on disk. */
#ifndef STATOR_TESTS_FUZZ_FILES_H
#define STATOR_TESTS_FUZZ_FILES_H

#include "fuzz/fuzz.h"
#include "lsm/lsm.h"

/* A memory Env with the empty directory /db, and a file in it. */
st_env *fuzz_env_create(void);
void fuzz_env_put(st_env *env, const char *path, st_slice bytes);

/* Makes the checksums in a copy of a file right again, as far as its lengths lead: what the fuzzer
 * changes is then seen by the parser behind them. */
void fuzz_repair_log(st_buf *file);
void fuzz_repair_manifest(st_buf *file);
void fuzz_repair_sorted(st_buf *file);

/* CURRENT, which names manifest 1. */
void fuzz_env_put_current(st_env *env);
/* Manifest 1 of the database 00 01 .. 0F without sorted files, whose log begins with file 2. */
void fuzz_env_put_manifest(st_env *env, uint64_t durable);

/* Opens /db read-only and reads it, opens it for writing, reads, verifies and closes it, opens it
 * once more and writes. All that answer answer the same; all that fail say what is damaged; and
 * what was verified stays whole. True when it was opened and verified. */
bool fuzz_database_lives(st_env *env);

void fuzz_print_checked(void *ctx, const char *line); /* st_lsm_print: a line is printable text */
extern const st_status fuzz_inspect_statuses[];

#endif
