/* Every allocation that fails is NO_MEMORY and leaks nothing, whichever it is. */
#include "expr_support.h"
#include "support/fault_alloc.h"

typedef struct memory_inputs {
    expr_case c; /* with memory: item and relaxed values */
    char wide[ST_EXPR_BYTES_MAX];
} memory_inputs;

typedef st_status (*memory_call)(st_op *op, memory_inputs *in, st_buf *out);

/* The scope of every call: 20 names, so that they are hashed, and the values. */
static st_status memory_scope(st_op *op, memory_inputs *in, st_expr_scope *scope)
{
    static const char *const names = "#a#b#c#d#e#f#g#h#i#j#k#l#m#n#o#p#q#r#s#t";
    st_value all, value;
    st_slice name;
    assert_true(st_value_of(st_buf_view(&in->c.values), &all));
    ST_TRY(st_expr_scope_begin(op, 20, all.count, scope));
    for (size_t i = 0; i < 20; i++) {
        st_expr_scope_add_name(scope, st_slice_of(names + 2 * i, 2),
                               st_slice_of(names + 2 * i + 1, 1));
    }
    st_members walk = st_members_of(&all);
    while (st_members_next(&walk, &name, &value)) {
        ST_TRY(st_expr_scope_add_value(op, scope, name, value.encoded));
    }
    return ST_OK;
}

static st_status call_condition(st_op *op, memory_inputs *in, st_buf *out)
{
    (void)out;
    st_expr_scope scope;
    st_condition *condition;
    ST_TRY(memory_scope(op, in, &scope));
    ST_TRY(st_condition_parse(op, ST_EXPR_FILTER,
                              st_slice_str("#a.b.c[1].d = :n AND (size(b) > :n OR NOT "
                                           "contains(#c, :s) AND x IN (:n, :s, :t, y)) AND z "
                                           "BETWEEN :n AND :n AND attribute_exists(#h.#i)"),
                              &scope, &condition));
    ST_TRY(st_condition_check(op, condition));
    return st_condition_resolve(op, condition, &scope);
}

static st_status call_update(st_op *op, memory_inputs *in, st_buf *out)
{
    st_expr_scope scope;
    st_update *update;
    ST_TRY(memory_scope(op, in, &scope));
    ST_TRY(st_update_parse(op,
                           st_slice_str("SET #a = if_not_exists(b, :n) + n, l = list_append(l, "
                                        ":l), m.x.y = l[0], m.l[9] = :l, m.l[7] = :s REMOVE m.g "
                                        "ADD s :t DELETE m.s :t"),
                           &scope, &update));
    ST_TRY(st_update_resolve(op, update, &scope));
    ST_TRY(st_update_check(op, update));
    st_slice item = st_buf_view(&in->c.frame);
    st_buf relaxed;
    st_buf_init(&relaxed, op->alloc);
    st_status status = st_update_apply(op, update, item, item, &relaxed);
    if (status == ST_OK) {
        status = st_item_canonicalize_updated(op, st_buf_view(&relaxed), out);
    }
    st_buf_deinit(&relaxed);
    return status;
}

static st_status call_projection(st_op *op, memory_inputs *in, st_buf *out)
{
    st_expr_scope scope;
    st_projection *projection;
    ST_TRY(memory_scope(op, in, &scope));
    ST_TRY(st_projection_parse(op, st_slice_str("m.x.y, l[0], #a, b, c, d, e, f, g, h, m.l"),
                               &scope, &projection));
    ST_TRY(st_projection_resolve(op, projection, &scope));
    return st_projection_apply(op, projection, st_buf_view(&in->c.frame), out);
}

static st_status call_touched(st_op *op, memory_inputs *in, st_buf *out)
{
    st_expr_scope scope;
    st_update *update;
    st_projection *projection;
    ST_TRY(memory_scope(op, in, &scope));
    ST_TRY(st_update_parse(op, st_slice_str("SET m.x.y = :n, l[0] = :n, n = :n, o = :n, p = :n"),
                           &scope, &update));
    ST_TRY(st_update_projection(op, update, &projection));
    st_path paths[5];
    for (int i = 0; i < 5; i++) {
        ST_TRY(st_path_of_name(op, st_slice_of("abcde" + i, 1), &paths[i]));
    }
    ST_TRY(st_projection_apply(op, projection, st_buf_view(&in->c.frame), out));
    return st_projection_of_paths(op, paths, 5, &projection);
}

static st_status call_key_condition(st_op *op, memory_inputs *in, st_buf *out)
{
    (void)out;
    st_expr_scope scope;
    st_condition *condition;
    st_key_clause *clauses;
    uint32_t count;
    st_key_query query;
    st_key_schema schema = {.partition_count = 1, .sort_count = 2};
    schema.partition[0] = (st_key_part){.name = st_slice_str("a"), .type = ST_TYPE_N};
    schema.sort[0] = (st_key_part){.name = st_slice_str("b"), .type = ST_TYPE_N};
    schema.sort[1] = (st_key_part){.name = st_slice_str("c"), .type = ST_TYPE_S};
    ST_TRY(memory_scope(op, in, &scope));
    ST_TRY(st_condition_parse(op, ST_EXPR_KEY_CONDITION,
                              st_slice_str("a = :n AND b = :n AND begins_with(c, :s)"), &scope,
                              &condition));
    ST_TRY(st_key_clauses_of(op, condition, &clauses, &count));
    return st_key_clauses_bind(op, clauses, count, &schema, &query);
}

/* A call that is refused is refused, or out of memory. */
static st_status memory_refused(st_op *op, st_status status, const char *text)
{
    if (status == ST_INVALID_ARGUMENT) {
        assert_non_null(strstr(op->error.message, text));
        return ST_OK;
    }
    assert_int_equal(status, ST_NO_MEMORY);
    return status;
}

static st_status call_overlap(st_op *op, memory_inputs *in, st_buf *out)
{
    (void)in;
    (void)out;
    st_projection *projection;
    ST_TRY(st_projection_parse(op, st_slice_str("a.b, c, d, e, f, g, h, i, j, k, a"), NULL,
                               &projection));
    return memory_refused(op, st_projection_resolve(op, projection, NULL), "[a, b]");
}

static st_status call_distinct(st_op *op, memory_inputs *in, st_buf *out)
{
    (void)in;
    (void)out;
    st_condition *condition;
    ST_TRY(st_condition_parse(op, ST_EXPR_CONDITION, st_slice_str("a.b = a.b"), NULL, &condition));
    return memory_refused(op, st_condition_check(op, condition), "[a, b]");
}

static st_status call_bounds(st_op *op, memory_inputs *in, st_buf *out)
{
    (void)out;
    st_expr_scope scope;
    st_condition *condition;
    ST_TRY(memory_scope(op, in, &scope));
    ST_TRY(st_condition_parse(op, ST_EXPR_CONDITION, st_slice_str("a BETWEEN :n AND :s"), &scope,
                              &condition));
    return memory_refused(op, st_condition_check(op, condition), "{N:3}");
}

static st_status call_unused(st_op *op, memory_inputs *in, st_buf *out)
{
    (void)out;
    st_expr_scope scope;
    ST_TRY(memory_scope(op, in, &scope));
    return memory_refused(op, st_expr_check_unused(op, &scope), "#a, #b");
}

static st_status call_key_gap(st_op *op, memory_inputs *in, st_buf *out)
{
    (void)in;
    (void)out;
    st_key_query query;
    st_key_schema schema = {.partition_count = 1, .sort_count = 2};
    schema.partition[0] = (st_key_part){.name = st_slice_str("a"), .type = ST_TYPE_N};
    schema.sort[0] = (st_key_part){.name = st_slice_str("b"), .type = ST_TYPE_N};
    schema.sort[1] = (st_key_part){.name = st_slice_str("c"), .type = ST_TYPE_S};
    st_key_clause clauses[] = {{.name = st_slice_str("a"), .condition = ST_KEY_EQUAL},
                               {.name = st_slice_str("c"), .condition = ST_KEY_EQUAL}};
    st_status status =
        memory_refused(op, st_key_clauses_bind(op, clauses, 2, &schema, &query), "RANGE");
    if (status != ST_OK) {
        return status;
    }
    st_op_clear(op);
    schema.partition_count = 2;
    schema.partition[1] = schema.sort[0];
    return memory_refused(op, st_key_clauses_bind(op, clauses, 2, &schema, &query), "HASH");
}

static st_status call_wide_update(st_op *op, memory_inputs *in, st_buf *out)
{
    (void)out;
    st_update *update;
    ST_TRY(st_update_parse(op, st_slice_str(in->wide), NULL, &update));
    return st_update_check(op, update);
}

static void memory_inputs_init(memory_inputs *in)
{
    expr_case_init(&in->c, st_alloc_process());
    assert_int_equal(
        expr_item(&in->c, "{'n':{'N':'4'},'l':{'L':[{'S':'x'}]},'s':{'SS':['a']},'m':{'M':{'g':{"
                          "'N':'1'},'l':{'L':[]},'s':{'SS':['b']},'x':{'M':{'y':{'N':'2'}}}}}}"),
        ST_OK);
    assert_int_equal(expr_scope(&in->c, NULL,
                                "{':n':{'N':'3'},':s':{'S':'q'},':l':{'L':[{'N':'1'}]},"
                                "':t':{'SS':['b','c']}}"),
                     ST_OK);
    size_t at = (size_t)snprintf(in->wide, sizeof in->wide, "REMOVE a0");
    for (int i = 1; i < 400; i++) {
        at += (size_t)snprintf(in->wide + at, sizeof in->wide - at, ",a%d.b[%d]", i, i);
        if (at > 3900) {
            break;
        }
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const memory_call calls[] = {
        call_condition,     call_update,  call_projection,  call_touched,
        call_key_condition, call_overlap, call_distinct,    call_bounds,
        call_unused,        call_key_gap, call_wide_update,
    };
    static memory_inputs in;
    memory_inputs_init(&in);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        uint64_t failures = 0;
        for (uint64_t after = 1;; after++) {
            fault_alloc fault;
            st_op op;
            st_buf out;
            fault_alloc_init(&fault);
            st_op_init(&op, &fault.alloc);
            st_buf_init(&out, &fault.alloc);
            fault_alloc_fail_after(&fault, after, after % 2 == 0);
            st_status status = calls[i](&op, &in, &out);
            bool has_failed = fault.has_failed;
            assert_int_equal(status, has_failed ? ST_NO_MEMORY : ST_OK);
            failures += has_failed;
            st_buf_deinit(&out);
            st_op_deinit(&op);
            fault_alloc_deinit(&fault);
            if (!has_failed) {
                break;
            }
        }
        assert_true(failures > 0);
    }
    expr_case_deinit(&in.c);
}

static void a_scope_of_nothing_needs_no_memory(void **state)
{
    (void)state;
    fault_alloc fault;
    st_op op;
    st_expr_scope scope;
    fault_alloc_init(&fault);
    st_op_init(&op, &fault.alloc);
    fault_alloc_fail_after(&fault, 1, true);
    assert_int_equal(st_expr_scope_begin(&op, 0, 0, &scope), ST_OK);
    assert_int_equal(st_expr_check_unused(&op, &scope), ST_OK);
    st_op_deinit(&op);
    fault_alloc_deinit(&fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_scope_of_nothing_needs_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
