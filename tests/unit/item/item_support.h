/* What the tests of item share. */
#ifndef STATOR_TESTS_ITEM_SUPPORT_H
#define STATOR_TESTS_ITEM_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "item/item.h"

typedef struct item_case {
    st_op op;
    st_buf relaxed, frame, text, from, to;
} item_case;

static inline int item_setup(void **state)
{
    item_case *c = calloc(1, sizeof *c);
    st_op_init(&c->op, st_alloc_process());
    st_buf *bufs[] = {&c->relaxed, &c->frame, &c->text, &c->from, &c->to};
    for (size_t i = 0; i < 5; i++) {
        st_buf_init(bufs[i], st_alloc_process());
    }
    *state = c;
    return 0;
}

static inline int item_teardown(void **state)
{
    item_case *c = *state;
    st_buf *bufs[] = {&c->relaxed, &c->frame, &c->text, &c->from, &c->to};
    for (size_t i = 0; i < 5; i++) {
        st_buf_deinit(bufs[i]);
    }
    st_op_deinit(&c->op);
    free(c);
    return 0;
}

/* The canonical frame of DynamoDB JSON, in c->frame. */
static inline st_status item_of(item_case *c, const char *json)
{
    st_op_clear(&c->op);
    st_buf_clear(&c->relaxed);
    st_buf_clear(&c->frame);
    st_status status = st_item_from_dynamodb_json(&c->op, st_slice_str(json), &c->relaxed);
    return status == ST_OK ? st_item_canonicalize(&c->op, st_buf_view(&c->relaxed), &c->frame)
                           : status;
}

#endif
