/* JSON to an item and back. The first byte says which kind: even plain, odd DynamoDB's. What was
 * read comes out as JSON of the same kind that reads as the same frame; and as plain JSON that
 * reads as an item which prints the same text.
 */
#include "fuzz/fuzz.h"

#include "item/item.h"

typedef st_status (*json_read)(st_op *op, st_slice json, st_buf *out_relaxed);
typedef st_status (*json_print)(st_op *op, st_slice frame, st_buf *out_json);

/* JSON -> frame; false when it is refused. */
static bool read_json(st_op *op, st_slice json, json_read read, st_buf *frame)
{
    st_buf relaxed;
    st_buf_init(&relaxed, fuzz_alloc());
    st_op_clear(op);
    st_status status = read(op, json, &relaxed);
    bool is_ok = fuzz_is_ok(op, status, json.size, fuzz_refusals);
    FUZZ_CHECK(op, is_ok || relaxed.size == 0);
    if (is_ok) {
        status = st_item_canonicalize(op, st_buf_view(&relaxed), frame);
        is_ok = fuzz_is_ok(op, status, relaxed.size, fuzz_refusals);
    }
    st_buf_deinit(&relaxed);
    return is_ok;
}

/* frame -> JSON -> frame is nothing new. */
static void check_round(st_op *op, st_slice frame, json_read read, json_print print)
{
    st_buf json, again;
    st_buf_init(&json, fuzz_alloc());
    st_buf_init(&again, fuzz_alloc());
    FUZZ_CHECK(op, st_item_validate(op, frame) == ST_OK);
    FUZZ_CHECK(op, print(op, frame, &json) == ST_OK);
    FUZZ_CHECK(op, read_json(op, st_buf_view(&json), read, &again));
    FUZZ_CHECK(op, st_slice_equal(frame, st_buf_view(&again)));
    st_buf_deinit(&again);
    st_buf_deinit(&json);
}

/* Plain JSON forgets what is a set or a binary, and then no more. */
static void check_plain(st_op *op, st_slice frame)
{
    st_buf json, plain, json_again;
    st_buf_init(&json, fuzz_alloc());
    st_buf_init(&plain, fuzz_alloc());
    st_buf_init(&json_again, fuzz_alloc());
    FUZZ_CHECK(op, st_item_to_plain_json(op, frame, &json) == ST_OK);
    /* An array in the place of a set may be nested too deep or make the item too large. */
    if (read_json(op, st_buf_view(&json), st_item_from_plain_json, &plain)) {
        FUZZ_CHECK(op, st_item_to_plain_json(op, st_buf_view(&plain), &json_again) == ST_OK);
        FUZZ_CHECK(op, st_slice_equal(st_buf_view(&json), st_buf_view(&json_again)));
        check_round(op, st_buf_view(&plain), st_item_from_dynamodb_json, st_item_to_dynamodb_json);
    }
    st_buf_deinit(&json_again);
    st_buf_deinit(&plain);
    st_buf_deinit(&json);
}

void fuzz_target(st_slice input)
{
    bool is_plain = fuzz_take_byte(&input) % 2 == 0;
    json_read read = is_plain ? st_item_from_plain_json : st_item_from_dynamodb_json;
    json_print print = is_plain ? st_item_to_plain_json : st_item_to_dynamodb_json;
    st_op op;
    st_buf frame;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&frame, fuzz_alloc());
    if (read_json(&op, input, read, &frame)) {
        check_round(&op, st_buf_view(&frame), read, print);
        check_plain(&op, st_buf_view(&frame));
    }
    st_buf_deinit(&frame);
    st_op_deinit(&op);
}
