/* Key bytes taken apart. The first byte chooses the schema. A key that is one gives values which
 * make the same key again; keys that go on behind their components are those components.
 */
#include "fuzz/fuzz.h"

#include "item/item.h"

#define KEY_TABLE_ID 7u

#define KEY_PART(letter, t)               \
    {                                     \
        {(const uint8_t *)(letter), 1}, t \
    }

static const st_key_schema key_schemas[] = {
    {1, 0, {KEY_PART("a", ST_TYPE_S)}, {{{0}, ST_TYPE_NONE}}},
    {1, 1, {KEY_PART("a", ST_TYPE_S)}, {KEY_PART("b", ST_TYPE_N)}},
    {1, 1, {KEY_PART("a", ST_TYPE_N)}, {KEY_PART("b", ST_TYPE_S)}},
    {1, 1, {KEY_PART("a", ST_TYPE_B)}, {KEY_PART("b", ST_TYPE_B)}},
    {2,
     2,
     {KEY_PART("a", ST_TYPE_S), KEY_PART("c", ST_TYPE_N)},
     {KEY_PART("b", ST_TYPE_S), KEY_PART("d", ST_TYPE_N)}},
    {1, 0, {KEY_PART("a", ST_TYPE_N)}, {{{0}, ST_TYPE_NONE}}},
    {4,
     4,
     {KEY_PART("a", ST_TYPE_S), KEY_PART("c", ST_TYPE_S), KEY_PART("e", ST_TYPE_B),
      KEY_PART("g", ST_TYPE_N)},
     {KEY_PART("b", ST_TYPE_N), KEY_PART("d", ST_TYPE_N), KEY_PART("f", ST_TYPE_N),
      KEY_PART("h", ST_TYPE_B)}},
};

/* The values make the key. */
static void check_values(st_op *op, const st_key_schema *schema, st_slice key, st_slice relaxed)
{
    st_buf again, frame;
    st_buf_init(&again, fuzz_alloc());
    st_buf_init(&frame, fuzz_alloc());
    FUZZ_CHECK(op, st_key_of_request(op, KEY_TABLE_ID, schema, relaxed, &again) == ST_OK);
    FUZZ_CHECK(op, st_slice_equal(key, st_buf_view(&again)));
    FUZZ_CHECK(op, st_item_canonicalize(op, relaxed, &frame) == ST_OK);
    FUZZ_CHECK(op, st_key_has_all(schema, st_buf_view(&frame)));
    st_buf_clear(&again);
    FUZZ_CHECK(op, st_key_of_item(op, KEY_TABLE_ID, schema, st_buf_view(&frame), &again) == ST_OK);
    FUZZ_CHECK(op, st_slice_equal(key, st_buf_view(&again)));
    st_buf_deinit(&frame);
    st_buf_deinit(&again);
}

void fuzz_target(st_slice input)
{
    uint8_t choice = fuzz_take_byte(&input);
    const st_key_schema *schema = &key_schemas[choice % (sizeof key_schemas / sizeof *key_schemas)];
    st_op op;
    st_buf relaxed;
    size_t bytes;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&relaxed, fuzz_alloc());
    st_status status = st_key_decode(&op, input, KEY_TABLE_ID, schema, &relaxed, NULL);
    bool is_key = fuzz_is_ok(&op, status, input.size, fuzz_damages);
    FUZZ_CHECK(&op, is_key == st_key_is_valid(input, KEY_TABLE_ID, schema));
    FUZZ_CHECK(&op, is_key == (relaxed.size > 0));
    if (is_key) {
        check_values(&op, schema, input, st_buf_view(&relaxed));
    }
    st_op_clear(&op);
    st_buf_clear(&relaxed);
    status = st_key_decode(&op, input, KEY_TABLE_ID, schema, &relaxed, &bytes);
    if (fuzz_is_ok(&op, status, input.size, fuzz_damages)) {
        FUZZ_CHECK(&op, bytes <= input.size && is_key == (bytes == input.size));
        check_values(&op, schema, st_slice_of(input.data, bytes), st_buf_view(&relaxed));
    } else {
        FUZZ_CHECK(&op, !is_key && bytes == 0 && relaxed.size == 0);
    }
    st_buf_deinit(&relaxed);
    st_op_deinit(&op);
}
