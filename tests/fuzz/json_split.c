/* Objects cut from a stream that comes in pieces. Where they end does not depend on the pieces, and
 * a text that is one JSON object is cut at its end and nowhere else. The first byte is the length
 * of the pieces.
 */
#include "fuzz/fuzz.h"

#include "item/item.h"

/* The ends of all objects, as u32 each. */
static void split(st_slice text, size_t piece_bytes, st_buf *ends)
{
    st_json_splitter splitter = {0};
    size_t at = 0;
    while (at < text.size) {
        size_t left = text.size - at, bytes = 0;
        st_slice piece = st_slice_of(text.data + at, left < piece_bytes ? left : piece_bytes);
        while (piece.size > 0 && st_json_split(&splitter, piece, &bytes)) {
            FUZZ_CHECK(NULL, bytes > 0 && bytes <= piece.size && splitter.depth == 0);
            at += bytes;
            st_buf_u32(ends, (uint32_t)at);
            piece = st_slice_of(piece.data + bytes, piece.size - bytes);
        }
        at += piece.size;
    }
    FUZZ_CHECK(NULL, !ends->failed);
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

void fuzz_target(st_slice input)
{
    size_t piece_bytes = (size_t)1 + fuzz_take_byte(&input) % 16;
    st_op op;
    st_buf whole, pieces, relaxed;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&whole, fuzz_alloc());
    st_buf_init(&pieces, fuzz_alloc());
    st_buf_init(&relaxed, fuzz_alloc());
    split(input, input.size + 1, &whole);
    split(input, piece_bytes, &pieces);
    FUZZ_CHECK(&op, st_slice_equal(st_buf_view(&whole), st_buf_view(&pieces)));
    if (st_item_from_plain_json(&op, input, &relaxed) == ST_OK) {
        size_t end = input.size;
        while (is_space(input.data[end - 1])) {
            end--;
        }
        FUZZ_CHECK(&op, whole.size == 4 && st_get_u32(whole.data) == end);
    }
    st_buf_deinit(&relaxed);
    st_buf_deinit(&pieces);
    st_buf_deinit(&whole);
    st_op_deinit(&op);
}
