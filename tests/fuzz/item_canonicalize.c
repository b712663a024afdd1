/* A relaxed value made canonical. What comes out is a valid frame of legal size; it is the same for
 * every relaxed spelling of the item, in particular for the one that the frame itself gives; and a
 * failure leaves nothing behind.
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "item/item.h"

/* The item spelled as differently as can be: attributes backwards, numbers as text. */
static void spell(st_slice frame, st_buf *out)
{
    st_slice name;
    st_value value;
    st_number number;
    char text[ST_NUMBER_TEXT_MAX];
    size_t begin = out->size;
    st_buf_byte(out, ST_TAG_M);
    st_buf_u32(out, 0);
    st_buf_u32(out, st_item_count(frame));
    for (uint32_t i = st_item_count(frame); i-- > 0;) {
        FUZZ_CHECK(NULL, st_item_at(frame, i, &name, &value));
        st_buf_varint(out, name.size);
        st_buf_slice(out, name);
        if (value.type == ST_TYPE_N) {
            FUZZ_CHECK(NULL, st_number_decode(value.bytes, &number));
            size_t bytes = st_number_text(&number, text);
            st_buf_byte(out, ST_TAG_NUMBER_TEXT);
            st_buf_varint(out, bytes);
            st_buf_append(out, text, bytes);
        } else {
            st_buf_slice(out, value.encoded);
        }
    }
    FUZZ_CHECK(NULL, !out->failed);
    st_put_u32(out->data + begin + 1, (uint32_t)(out->size - begin - 9));
}

static void check_frame(st_op *op, st_slice frame)
{
    FUZZ_CHECK(op, st_item_validate(op, frame) == ST_OK);
    FUZZ_CHECK(op, st_item_size(frame) <= ST_ITEM_BYTES_MAX);
    st_buf relaxed, again;
    st_buf_init(&relaxed, fuzz_alloc());
    st_buf_init(&again, fuzz_alloc());
    st_item_to_relaxed(frame, &relaxed);
    FUZZ_CHECK(op, !relaxed.failed);
    FUZZ_CHECK(op, st_item_canonicalize(op, st_buf_view(&relaxed), &again) == ST_OK);
    FUZZ_CHECK(op, st_slice_equal(frame, st_buf_view(&again)));
    st_buf_clear(&relaxed);
    st_buf_clear(&again);
    spell(frame, &relaxed);
    FUZZ_CHECK(op, st_item_canonicalize(op, st_buf_view(&relaxed), &again) == ST_OK);
    FUZZ_CHECK(op, st_slice_equal(frame, st_buf_view(&again)));
    st_buf_deinit(&again);
    st_buf_deinit(&relaxed);
}

void fuzz_target(st_slice input)
{
    static const char before[] = "before";
    st_op op;
    st_buf frame;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&frame, fuzz_alloc());
    st_buf_append(&frame, before, sizeof before);
    st_status status = st_item_canonicalize(&op, input, &frame);
    FUZZ_CHECK(&op, memcmp(frame.data, before, sizeof before) == 0);
    if (fuzz_is_ok(&op, status, input.size, fuzz_refusals)) {
        check_frame(&op, st_slice_of(frame.data + sizeof before, frame.size - sizeof before));
    } else {
        FUZZ_CHECK(&op, frame.size == sizeof before);
    }
    st_buf_deinit(&frame);
    st_op_deinit(&op);
}
