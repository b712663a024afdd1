/* The table behind the misuse matrix: one row for each exported function. */
#ifndef TEST_MISUSE_H
#define TEST_MISUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stator.h"

typedef enum kind {
    NONE,
    DB,
    SCHEMA,
    TABLE,
    ITEM,
    BATCH,
    QUERY,
    SCAN,
    CURSOR,
    BUFFER,
    KINDS,
} kind;

#define PLACES 3

/* What a row's call reads. Everything is in order unless a test spoils it. */
typedef struct args {
    void *h[PLACES]; /* the handles, in the order of the parameters */
    const void *bytes;
    size_t length;
    void *structure;     /* NULL for the defaults; outputs always have one */
    void **out;          /* an output handle or pointer; NULL spoils it */
    size_t *out_size;    /* likewise */
    stator_value *value; /* an input value */
    stator_error *error;
} args;

enum {
    BYTES = 1,     /* takes bytes and length */
    STRUCTURE = 2, /* reads a structure that begins with its size */
    OUT = 4,       /* out may not be NULL, and is emptied by a call that fails */
    OUT_SIZE = 8,  /* the same for out_size */
    RECORD = 16,   /* writes a structure that begins with its size */
    FREES = 32,    /* takes NULL, and says nothing about any handle */
    BUILDER = 64,  /* keeps its first error */
    PLAIN = 128,   /* has no status: called to see that it survives */
};

typedef struct row {
    const char *name;
    stator_status (*call)(args *a);
    kind h[PLACES];
    unsigned flags;
    size_t structure_bytes;
} row;

extern const row rows[];
extern const size_t row_count;

#endif
