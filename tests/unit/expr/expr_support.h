/* What the tests of expr share: a request's placeholders from short texts, and the five kinds of
 * expression run from text to answer. Texts of JSON are written with ' instead of ". */
#ifndef STATOR_TESTS_EXPR_SUPPORT_H
#define STATOR_TESTS_EXPR_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "expr/expr.h"

#define EXPR_ANSWER_MAX 4096

typedef struct expr_case {
    st_op op;
    st_expr_scope scope;
    st_buf relaxed, values, frame, out, json;
    char answer[EXPR_ANSWER_MAX];
} expr_case;

static inline void expr_case_init(expr_case *c, const st_alloc *alloc)
{
    memset(c, 0, sizeof *c);
    st_op_init(&c->op, alloc);
    st_buf *bufs[] = {&c->relaxed, &c->values, &c->frame, &c->out, &c->json};
    for (size_t i = 0; i < 5; i++) {
        st_buf_init(bufs[i], alloc);
    }
}

static inline void expr_case_deinit(expr_case *c)
{
    st_buf *bufs[] = {&c->relaxed, &c->values, &c->frame, &c->out, &c->json};
    for (size_t i = 0; i < 5; i++) {
        st_buf_deinit(bufs[i]);
    }
    st_op_deinit(&c->op);
}

/* DynamoDB JSON with ' for ", as a relaxed M value. */
static inline st_status expr_relaxed(expr_case *c, const char *json, st_buf *out)
{
    st_buf_clear(&c->json);
    for (const char *at = json; *at; at++) {
        st_buf_byte(&c->json, *at == '\'' ? '"' : (uint8_t)*at);
    }
    ST_TRY(st_buf_check(&c->op, &c->json));
    st_buf_clear(out);
    return st_item_from_dynamodb_json(&c->op, st_buf_view(&c->json), out);
}

static inline st_status expr_item(expr_case *c, const char *json)
{
    st_buf_clear(&c->frame);
    if (!json) {
        return ST_OK; /* there is no item */
    }
    ST_TRY(expr_relaxed(c, json, &c->relaxed));
    return st_item_canonicalize(&c->op, st_buf_view(&c->relaxed), &c->frame);
}

/* names: "#a=alpha #b=x"; values: DynamoDB JSON. Either may be NULL. */
static inline st_status expr_scope(expr_case *c, const char *names, const char *values)
{
    uint32_t name_count = 0;
    for (const char *at = names; at && *at; at++) {
        name_count += *at == '=';
    }
    st_value all = {0}, value;
    st_slice name;
    if (values) {
        ST_TRY(expr_relaxed(c, values, &c->values));
        assert_true(st_value_of(st_buf_view(&c->values), &all));
    }
    ST_TRY(st_expr_scope_begin(&c->op, name_count, all.count, &c->scope));
    st_members walk = st_members_of(&all);
    while (values && st_members_next(&walk, &name, &value)) {
        ST_TRY(st_expr_scope_add_value(&c->op, &c->scope, name, value.encoded));
    }
    while (name_count > 0) {
        size_t first = strcspn(names, "="), second = strcspn(names + first + 1, " ");
        st_expr_scope_add_name(&c->scope, st_slice_of(names, first),
                               st_slice_of(names + first + 1, second));
        names += first + 1 + second;
        names += *names == ' ';
        name_count--;
    }
    return ST_OK;
}

/* ---- running ---------------------------------------------------------------------------- */

static inline st_status expr_run_condition(expr_case *c, st_expr_kind kind, const char *text,
                                           bool *out_is_met)
{
    st_condition *condition;
    ST_TRY(st_condition_parse(&c->op, kind, st_slice_str(text), &c->scope, &condition));
    ST_TRY(st_condition_check(&c->op, condition));
    ST_TRY(st_condition_resolve(&c->op, condition, &c->scope));
    ST_TRY(st_expr_check_unused(&c->op, &c->scope));
    *out_is_met = st_condition_is_met(condition, st_buf_view(&c->frame));
    return ST_OK;
}

static inline st_status expr_run_update(expr_case *c, const char *text, st_update **out_update)
{
    ST_TRY(st_update_parse(&c->op, st_slice_str(text), &c->scope, out_update));
    ST_TRY(st_update_resolve(&c->op, *out_update, &c->scope));
    ST_TRY(st_update_check(&c->op, *out_update));
    ST_TRY(st_expr_check_unused(&c->op, &c->scope));
    st_slice item = st_buf_view(&c->frame);
    st_buf_clear(&c->relaxed);
    ST_TRY(st_update_apply(&c->op, *out_update, item, item, &c->relaxed));
    st_buf_clear(&c->out);
    return st_item_canonicalize_updated(&c->op, st_buf_view(&c->relaxed), &c->out);
}

static inline st_status expr_run_projection(expr_case *c, const char *text)
{
    st_projection *projection;
    ST_TRY(st_projection_parse(&c->op, st_slice_str(text), &c->scope, &projection));
    ST_TRY(st_projection_resolve(&c->op, projection, &c->scope));
    ST_TRY(st_expr_check_unused(&c->op, &c->scope));
    st_buf_clear(&c->out);
    return st_projection_apply(&c->op, projection, st_buf_view(&c->frame), &c->out);
}

/* The answer as text: the message of a failure, or what is in out as JSON with '. */
static inline const char *expr_answer(expr_case *c, st_status status)
{
    if (status != ST_OK) {
        assert_int_equal(status, c->op.error.code);
        snprintf(c->answer, sizeof c->answer, "%s", c->op.error.message);
        return c->answer;
    }
    st_buf_clear(&c->json);
    status = st_item_validate(&c->op, st_buf_view(&c->out));
    assert_int_equal(status, ST_OK);
    status = st_item_to_dynamodb_json(&c->op, st_buf_view(&c->out), &c->json);
    assert_int_equal(status, ST_OK);
    assert_true(c->json.size < sizeof c->answer);
    for (size_t i = 0; i < c->json.size; i++) {
        c->answer[i] = c->json.data[i] == '"' ? '\'' : (char)c->json.data[i];
    }
    c->answer[c->json.size] = 0;
    return c->answer;
}

static inline const char *expr_condition_answer(expr_case *c, st_expr_kind kind, const char *text)
{
    bool is_met = false;
    st_status status = expr_run_condition(c, kind, text, &is_met);
    return status == ST_OK ? (is_met ? "true" : "false") : expr_answer(c, status);
}

#endif
