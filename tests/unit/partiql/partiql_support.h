/* What the tests of partiql share. */
#ifndef STATOR_TESTS_PARTIQL_SUPPORT_H
#define STATOR_TESTS_PARTIQL_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "partiql/partiql.h"

#define PARAMETERS_MAX 16

typedef struct partiql_case {
    st_op op;
    st_buf relaxed;
    st_slice parameters[PARAMETERS_MAX];
    uint32_t parameter_count;
    st_partiql_statement *statement;
} partiql_case;

static inline int partiql_setup(void **state)
{
    partiql_case *c = calloc(1, sizeof *c);
    st_op_init(&c->op, st_alloc_process());
    st_buf_init(&c->relaxed, st_alloc_process());
    *state = c;
    return 0;
}

static inline int partiql_teardown(void **state)
{
    partiql_case *c = *state;
    st_buf_deinit(&c->relaxed);
    st_op_deinit(&c->op);
    free(c);
    return 0;
}

/* The members of one object of DynamoDB JSON, in order, become the parameters. */
static inline void partiql_parameters(partiql_case *c, const char *json)
{
    st_buf_clear(&c->relaxed);
    c->parameter_count = 0;
    if (!json) {
        return;
    }
    assert_int_equal(st_item_from_dynamodb_json(&c->op, st_slice_str(json), &c->relaxed), ST_OK);
    st_value map, member;
    st_slice name;
    assert_true(st_value_of(st_buf_view(&c->relaxed), &map));
    st_members walk = st_members_of(&map);
    while (st_members_next(&walk, &name, &member)) {
        assert_true(c->parameter_count < PARAMETERS_MAX);
        c->parameters[c->parameter_count++] = member.encoded;
    }
}

/* A copy of the text without a NUL behind it, so that reading past its end is found. */
static inline st_status partiql_parse_bytes(partiql_case *c, st_slice text)
{
    st_op_clear(&c->op);
    st_arena_reset(&c->op.arena);
    uint8_t *copy = st_arena_alloc(&c->op.arena, text.size);
    uint8_t *exact = malloc(text.size + 1);
    memcpy(exact, text.data, text.size);
    st_partiql_statement *statement;
    st_status status = st_partiql_parse(&c->op, st_slice_of(exact, text.size), c->parameters,
                                        c->parameter_count, &statement);
    assert_true((status == ST_OK) == (statement != NULL));
    if (status == ST_OK) {
        memcpy(copy, text.data, text.size);
        status = st_partiql_parse(&c->op, st_slice_of(copy, text.size), c->parameters,
                                  c->parameter_count, &c->statement);
        assert_int_equal(status, ST_OK);
    }
    free(exact);
    return status;
}

static inline st_status partiql_parse(partiql_case *c, const char *text, const char *parameters)
{
    st_op_clear(&c->op);
    partiql_parameters(c, parameters);
    return partiql_parse_bytes(c, st_slice_str(text));
}

#endif
