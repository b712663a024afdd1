/* A frame from disk: validated, walked attribute by attribute, found by name, printed as JSON. A
 * frame that is valid is what st_item_canonicalize writes for what it holds, to the byte. One that
 * is not is walked too: that ends, and stays inside the frame.
 */
#include "fuzz/fuzz.h"

#include "item/item.h"

static void check_inside(st_slice frame, st_slice part)
{
    FUZZ_CHECK(NULL,
               part.size == 0 || (part.data >= frame.data &&
                                  part.size <= (size_t)(frame.data + frame.size - part.data)));
}

/* Counts every value; is_valid: whether all must be whole and in order. */
static void walk_value(st_slice frame, const st_value *value, bool is_valid, uint32_t depth)
{
    check_inside(frame, value->encoded);
    check_inside(frame, value->bytes);
    FUZZ_CHECK(NULL, !is_valid || (depth <= ST_ITEM_NESTING_MAX + 1 && !value->is_text));
    if (depth > ST_ITEM_NESTING_MAX + 1) {
        return;
    }
    bool is_container = value->type >= ST_TYPE_SS && value->type <= ST_TYPE_M;
    st_members members = st_members_of(value);
    st_slice name, before = {0};
    st_value member;
    uint32_t count = 0;
    while (st_members_next(&members, &name, &member)) {
        check_inside(frame, name);
        if (is_valid && value->type == ST_TYPE_M) {
            FUZZ_CHECK(NULL, count == 0 || st_slice_compare(before, name) < 0);
            before = name;
        } else if (is_valid && value->type != ST_TYPE_L) {
            FUZZ_CHECK(NULL, count == 0 || st_slice_compare(before, member.bytes) < 0);
            before = member.bytes;
        }
        walk_value(frame, &member, is_valid, depth + 1);
        count++;
    }
    FUZZ_CHECK(NULL, !is_container || count <= value->count);
    FUZZ_CHECK(NULL,
               !is_valid || !is_container || (count == value->count && !members.reader.failed));
}

static void walk(st_slice frame, bool is_valid)
{
    st_slice name, before = {0};
    st_value value, found;
    uint32_t count = st_item_count(frame), index = 0;
    while (st_item_at(frame, index, &name, &value)) {
        check_inside(frame, name);
        walk_value(frame, &value, is_valid, 1);
        bool is_found = st_item_find(frame, name, &found);
        if (is_valid) {
            FUZZ_CHECK(NULL, index == 0 || st_slice_compare(before, name) < 0);
            FUZZ_CHECK(NULL, is_found && found.encoded.data == value.encoded.data);
        }
        before = name;
        index++;
    }
    FUZZ_CHECK(NULL, index <= count);
    FUZZ_CHECK(NULL, !is_valid || index == count);
}

static void check_print(st_op *op, st_slice frame, bool is_valid,
                        st_status (*print)(st_op *, st_slice, st_buf *))
{
    st_buf json;
    size_t bad;
    st_buf_init(&json, fuzz_alloc());
    st_op_clear(op);
    st_status status = print(op, frame, &json);
    if (fuzz_is_ok(op, status, frame.size, fuzz_damages)) {
        FUZZ_CHECK(op, json.size >= 2 && json.data[0] == '{' && json.data[json.size - 1] == '}');
        FUZZ_CHECK(op, !is_valid || st_utf8_valid(st_buf_view(&json), &bad));
    } else {
        FUZZ_CHECK(op, !is_valid && json.size == 0);
    }
    st_buf_deinit(&json);
}

static void check_canonical(st_op *op, st_slice frame)
{
    st_buf relaxed, again;
    st_buf_init(&relaxed, fuzz_alloc());
    st_buf_init(&again, fuzz_alloc());
    st_item_to_relaxed(frame, &relaxed);
    FUZZ_CHECK(op, !relaxed.failed);
    FUZZ_CHECK(op, st_item_canonicalize(op, st_buf_view(&relaxed), &again) == ST_OK);
    FUZZ_CHECK(op, st_slice_equal(frame, st_buf_view(&again)));
    st_buf_deinit(&again);
    st_buf_deinit(&relaxed);
}

void fuzz_target(st_slice input)
{
    st_op op;
    st_op_init(&op, fuzz_alloc());
    bool is_valid = fuzz_is_ok(&op, st_item_validate(&op, input), input.size, fuzz_damages);
    walk(input, is_valid);
    check_print(&op, input, is_valid, st_item_to_plain_json);
    check_print(&op, input, is_valid, st_item_to_dynamodb_json);
    if (is_valid) {
        FUZZ_CHECK(&op, st_item_size(input) <= ST_ITEM_BYTES_MAX);
        check_canonical(&op, input);
    }
    st_op_deinit(&op);
}
