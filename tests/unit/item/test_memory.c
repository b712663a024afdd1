/* Every allocation that fails is NO_MEMORY, leaks nothing and leaves nothing half written. */
#include "item_support.h"

/* Fails from its n-th growth on, and counts what is not given back. */
typedef struct stingy {
    size_t left;
    size_t bytes;
} stingy;

static void *stingy_resize(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes)
{
    stingy *s = ctx;
    if (new_bytes > 0 && s->left == 0) {
        return NULL;
    }
    s->left -= new_bytes > 0;
    s->bytes += new_bytes;
    s->bytes -= old_bytes;
    return st_alloc_resize(st_alloc_process(), ptr, old_bytes, new_bytes);
}

typedef struct inputs {
    st_buf relaxed, repeated, frame, key_request, key;
    const char *typed, *plain;
    st_key_schema schema;
} inputs;

typedef st_status (*memory_call)(st_op *op, const inputs *in, st_buf *out, st_buf *out2);

static st_status call_canonicalize(st_op *op, const inputs *in, st_buf *out, st_buf *out2)
{
    (void)out2;
    return st_item_canonicalize(op, st_buf_view(&in->relaxed), out);
}

static st_status call_canonicalize_repeats(st_op *op, const inputs *in, st_buf *out, st_buf *out2)
{
    (void)out2;
    st_status status = st_item_canonicalize(op, st_buf_view(&in->repeated), out);
    return status == ST_INVALID_ARGUMENT ? ST_OK : status;
}

static st_status call_typed(st_op *op, const inputs *in, st_buf *out, st_buf *out2)
{
    (void)out2;
    return st_item_from_dynamodb_json(op, st_slice_str(in->typed), out);
}

static st_status call_plain(st_op *op, const inputs *in, st_buf *out, st_buf *out2)
{
    (void)out2;
    return st_item_from_plain_json(op, st_slice_str(in->plain), out);
}

static st_status call_to_typed(st_op *op, const inputs *in, st_buf *out, st_buf *out2)
{
    (void)out2;
    return st_item_to_dynamodb_json(op, st_buf_view(&in->frame), out);
}

static st_status call_to_plain(st_op *op, const inputs *in, st_buf *out, st_buf *out2)
{
    (void)out2;
    return st_item_to_plain_json(op, st_buf_view(&in->frame), out);
}

static st_status call_key_of_item(st_op *op, const inputs *in, st_buf *out, st_buf *out2)
{
    (void)out2;
    return st_key_of_item(op, 7, &in->schema, st_buf_view(&in->frame), out);
}

static st_status call_key_of_request(st_op *op, const inputs *in, st_buf *out, st_buf *out2)
{
    (void)out2;
    return st_key_of_request(op, 7, &in->schema, st_buf_view(&in->key_request), out);
}

static st_status call_key_decode(st_op *op, const inputs *in, st_buf *out, st_buf *out2)
{
    (void)out2;
    return st_key_decode(op, st_buf_view(&in->key), 7, &in->schema, out, NULL);
}

static st_status call_range(st_op *op, const inputs *in, st_buf *out, st_buf *out2)
{
    st_value partition = {.type = ST_TYPE_S, .bytes = st_slice_str("x")};
    st_value text = {.type = ST_TYPE_S,
                     .bytes = st_slice_str("some longer text than fits at first")};
    return st_key_range(op, 7, &in->schema, &partition, ST_KEY_AT_LEAST, &text, NULL, out, out2);
}

static st_status call_validate(st_op *op, const inputs *in, st_buf *out, st_buf *out2)
{
    (void)out, (void)out2;
    return st_item_validate(op, st_buf_view(&in->frame));
}

static void fill(item_case *c, inputs *in)
{
    st_buf *bufs[] = {&in->relaxed, &in->repeated, &in->frame, &in->key_request, &in->key};
    for (size_t i = 0; i < 5; i++) {
        st_buf_init(bufs[i], st_alloc_process());
    }
    in->typed =
        "{\"p\":{\"S\":\"\\u0061 partition that is longer than the first block\"},\"s\":{"
        "\"S\":\"a sort key\"},\"b\":{\"BS\":[\"AQ==\",\"AA==\"]},\"n\":{\"NS\":[\"2\",\"1\","
        "\"0\",\"5\",\"6\"]},\"m\":{\"M\":{\"z\":{\"L\":[{\"N\":\"1\"}]},\"y\":{\"NULL\":"
        "true}}}}";
    in->plain =
        "{\"p\":\"\\u0061\",\"l\":[1,2,3,[4,{\"x\":\"some text that takes its room\"}],true],"
        "\"\\u0062\":null,\"and more text\":\"than sixty-four bytes\"}";
    in->schema = (st_key_schema){.partition_count = 1, .sort_count = 1};
    in->schema.partition[0] = (st_key_part){st_slice_str("p"), ST_TYPE_S};
    in->schema.sort[0] = (st_key_part){st_slice_str("s"), ST_TYPE_S};
    st_op *op = &c->op;
    assert_int_equal(st_item_from_dynamodb_json(op, st_slice_str(in->typed), &in->relaxed), ST_OK);
    assert_int_equal(st_item_canonicalize(op, st_buf_view(&in->relaxed), &in->frame), ST_OK);
    assert_int_equal(st_key_of_item(op, 7, &in->schema, st_buf_view(&in->frame), &in->key), ST_OK);
    assert_int_equal(
        st_key_decode(op, st_buf_view(&in->key), 7, &in->schema, &in->key_request, NULL), ST_OK);
    assert_int_equal(st_item_from_dynamodb_json(
                         op, st_slice_str("{\"a\":{\"SS\":[\"x\",\"y\",\"x\"]}}"), &in->repeated),
                     ST_OK);
}

/* Runs the call with 0, 1, 2, ... allocations until it succeeds; returns how many it took. */
static size_t run_until_it_succeeds(const inputs *in, memory_call call)
{
    for (size_t allowed = 0; allowed < 1000; allowed++) {
        stingy s = {.left = allowed};
        st_alloc alloc = {stingy_resize, &s};
        st_op op;
        st_buf out, out2;
        st_op_init(&op, &alloc);
        st_buf_init(&out, &alloc);
        st_buf_init(&out2, &alloc);
        st_status status = call(&op, in, &out, &out2);
        if (status != ST_OK) {
            assert_int_equal(status, ST_NO_MEMORY);
            assert_int_equal(op.error.code, ST_NO_MEMORY);
            assert_int_equal(out.size + out2.size, 0);
        }
        st_buf_deinit(&out);
        st_buf_deinit(&out2);
        st_op_deinit(&op);
        assert_int_equal(s.bytes, 0);
        if (status == ST_OK) {
            return allowed;
        }
    }
    fail_msg("no number of allocations is enough");
    return 0;
}

static void test_every_failing_allocation_is_reported(void **state)
{
    static const memory_call calls[] = {
        call_canonicalize, call_canonicalize_repeats,
        call_typed,        call_plain,
        call_to_typed,     call_to_plain,
        call_key_of_item,  call_key_of_request,
        call_key_decode,   call_range,
    };
    inputs in;
    fill(*state, &in);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        assert_in_range(run_until_it_succeeds(&in, calls[i]), 1, 100);
    }
    assert_int_equal(run_until_it_succeeds(&in, call_validate), 0);
    st_buf *bufs[] = {&in.relaxed, &in.repeated, &in.frame, &in.key_request, &in.key};
    for (size_t i = 0; i < 5; i++) {
        st_buf_deinit(bufs[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_failing_allocation_is_reported, item_setup,
                                        item_teardown),
    };
    return cmocka_run_group_tests_name("item_memory", tests, NULL, NULL);
}
