/* What the tests of sorted files share: a file in the memory Env, written from an array of entries
 * in order, and the same array as the model of every answer. */
#ifndef STATOR_TESTS_SST_SUPPORT_H
#define STATOR_TESTS_SST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lsm/sst_internal.h"

#define SST_PATH "/db/f"

typedef struct sst_case {
    st_op op;
    const st_alloc *alloc; /* of cache, writer and reader */
    st_env *env;
    st_cache *cache;
    st_file_identity identity;
    st_entry *entries; /* the model, in order; keys and values are owned */
    size_t count, capacity;
    st_sst_summary summary; /* its keys are not kept */
    st_sst *sst;
    st_rng rng;
} sst_case;

int sst_setup(void **state); /* an Env and a cache of 1 MiB */
int sst_teardown(void **state);
void sst_check(sst_case *c, st_status status);
void sst_new_cache(sst_case *c, uint64_t budget_bytes);

/* Adds to the model; value NULL: a delete. Bytes of a value follow from key and sequence. */
void sst_model_add(sst_case *c, st_slice key, uint64_t sequence, size_t value_bytes, bool is_put);
void sst_model_add_text(sst_case *c, const char *key, uint64_t sequence, const char *value);
void sst_model_sort(sst_case *c);
void sst_model_clear(sst_case *c);

st_status sst_try_write(sst_case *c, int compress);
void sst_write(sst_case *c, int compress); /* the model, into SST_PATH */
void sst_open(sst_case *c);
void sst_close(sst_case *c);

/* The answer of the model: its newest entry of key with sequence <= max, or NULL. */
const st_entry *sst_model_get(const sst_case *c, st_slice key, uint64_t max);
/* Reads everything in all ways; false at a wrong answer. *out_status: the first error. */
bool sst_answers_are_right(sst_case *c, st_op *op, st_status *out_status);
void sst_expect_right(sst_case *c);

/* The file as bytes, and bytes as the file. */
void sst_file_load(sst_case *c, st_buf *out);
void sst_file_store(sst_case *c, const uint8_t *data, size_t bytes);
/* Makes the checksum of the block at an offset right again. */
void sst_block_seal(const sst_case *c, uint8_t *file, uint64_t offset);

#endif
