/* base: status table, error record, arena, buffers, coding, CRC32C, UTF-8, random numbers. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void status_numbers_are_unique_and_named(void **state)
{
    (void)state;
    assert_string_equal(st_status_name(ST_NO_SPACE), "NO_SPACE");
    assert_string_equal(st_status_name(9999), "UNKNOWN");
    assert_string_equal(st_status_exception(ST_CONDITION_FAILED),
                        "ConditionalCheckFailedException");
    const int32_t codes[] = {
#define ST_STATUS(name, number, text, exception, flags) number,
#include "base/status.def"
#undef ST_STATUS
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        assert_int_equal(codes[i], (int32_t)i);
    }
}

static void first_failure_keeps_its_text(void **state)
{
    (void)state;
    st_op op;
    st_op_init(&op, st_alloc_process());
    assert_int_equal(st_fail_at(&op, ST_CORRUPT, 42, "block %d", 7), ST_CORRUPT);
    assert_int_equal(st_fail(&op, ST_IO, "later"), ST_IO);
    assert_int_equal(op.error.code, ST_CORRUPT);
    assert_int_equal(op.error.position, 42);
    assert_string_equal(op.error.message, "block 7");
    st_op_clear(&op);
    assert_int_equal(op.error.code, ST_OK);
    st_op_deinit(&op);
}

static void message_is_cut_at_a_character(void **state)
{
    (void)state;
    char text[400];
    memset(text, 'a', sizeof text);
    memcpy(text + 253, "\xf0\x9f\x98\x80", 4);
    text[399] = '\0';
    st_op op;
    st_op_init(&op, st_alloc_process());
    st_fail(&op, ST_INTERNAL, "%s", text);
    assert_int_equal(strlen(op.error.message), 253);
    st_op_deinit(&op);
}

static void arena_serves_small_and_large(void **state)
{
    (void)state;
    st_arena arena;
    st_arena_init(&arena, st_alloc_process());
    for (size_t i = 1; i < 3000; i += 7) {
        uint8_t *ptr = st_arena_alloc(&arena, i);
        assert_non_null(ptr);
        assert_int_equal((uintptr_t)ptr % 8, 0);
        memset(ptr, 0xab, i);
    }
    assert_non_null(st_arena_alloc(&arena, 5u << 20));
    assert_null(st_arena_alloc(&arena, SIZE_MAX - 3));
    st_arena_reset(&arena);
}

static void varint_round_trips_and_rejects_overlong(void **state)
{
    (void)state;
    const uint64_t values[] = {0, 1, 127, 128, 300, 1u << 31, UINT64_MAX - 1, UINT64_MAX};
    st_buf buf;
    st_buf_init(&buf, st_alloc_process());
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        st_buf_clear(&buf);
        st_buf_varint(&buf, values[i]);
        st_reader reader = st_reader_of(st_buf_view(&buf));
        assert_int_equal(st_reader_varint(&reader), values[i]);
        assert_int_equal(st_reader_left(&reader), 0);
        for (size_t cut = 0; cut < buf.size; cut++) {
            st_reader torn = st_reader_of(st_slice_of(buf.data, cut));
            st_reader_varint(&torn);
            assert_true(torn.failed);
        }
    }
    st_buf_deinit(&buf);
    st_reader overlong = st_reader_of(st_slice_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
    st_reader_varint(&overlong);
    assert_true(overlong.failed);
}

static void fixed_width_coding_is_little_or_big_endian(void **state)
{
    (void)state;
    uint8_t bytes[8];
    st_put_u64(bytes, 0x0102030405060708u);
    assert_memory_equal(bytes, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
    assert_int_equal(st_get_u64(bytes), 0x0102030405060708u);
    st_put_be32(bytes, 0xa1b2c3d4u);
    assert_memory_equal(bytes, "\xa1\xb2\xc3\xd4", 4);
    assert_int_equal(st_get_be32(bytes), 0xa1b2c3d4u);
}

static void crc32c_matches_published_vectors_on_both_paths(void **state)
{
    (void)state;
    uint8_t zeros[32] = {0}, ones[32], ramp[32];
    memset(ones, 0xff, sizeof ones);
    for (int i = 0; i < 32; i++) {
        ramp[i] = (uint8_t)i;
    }
    assert_int_equal(st_crc32c(0, "123456789", 9), 0xe3069283u);
    assert_int_equal(st_crc32c(0, zeros, 32), 0x8a9136aau); /* RFC 3720 B.4 */
    assert_int_equal(st_crc32c(0, ones, 32), 0x62a8ab43u);
    assert_int_equal(st_crc32c(0, ramp, 32), 0x46dd794eu);
    uint8_t data[257];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 37);
    }
    for (size_t size = 0; size <= sizeof data; size++) {
        uint32_t whole = st_crc32c(0, data, size);
        assert_int_equal(st_crc32c_portable(0, data, size), whole);
        assert_int_equal(st_crc32c(st_crc32c(0, data, size / 3), data + size / 3, size - size / 3),
                         whole);
    }
}

static void utf8_accepts_and_refuses_by_rfc_3629(void **state)
{
    (void)state;
    const char *good[] = {"",
                          "plain ascii text",
                          "\xc3\xa9",
                          "\xe2\x82\xac",
                          "\xf0\x9f\x98\x80",
                          "\xf4\x8f\xbf\xbf",
                          "\xed\x9f\xbf"};
    const char *bad[] = {"\x80",
                         "\xc0\x80",
                         "\xc3",
                         "\xed\xa0\x80",
                         "\xf4\x90\x80\x80",
                         "\xe0\x9f\xbf",
                         "abcdefgh\xff",
                         "\xf8\x88\x80\x80\x80"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(st_utf8_valid(st_slice_str(good[i]), NULL));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t position = 99;
        assert_false(st_utf8_valid(st_slice_str(bad[i]), &position));
        assert_int_equal(position, i == 6 ? 8 : 0);
    }
}

static void random_numbers_repeat_by_seed_and_stay_below(void **state)
{
    (void)state;
    st_rng a, b;
    st_rng_seed(&a, 7);
    st_rng_seed(&b, 7);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(st_rng_next(&a), st_rng_next(&b));
        assert_true(st_rng_below(&a, 10) < 10);
        st_rng_below(&b, 10);
    }
}

static void slices_order_like_memcmp_with_the_shorter_first(void **state)
{
    (void)state;
    assert_true(st_slice_compare(st_slice_str("ab"), st_slice_str("abc")) < 0);
    assert_true(st_slice_compare(st_slice_str("b"), st_slice_str("abc")) > 0);
    assert_int_equal(st_slice_compare(st_slice_str("x"), st_slice_str("x")), 0);
    assert_int_equal(st_slice_common(st_slice_str("stator"), st_slice_str("state")), 4);
    assert_true(st_slice_starts_with(st_slice_str("abc"), st_slice_str("")));
    assert_int_not_equal(st_hash64(st_slice_str("a"), 0), st_hash64(st_slice_str("b"), 0));
}

/* Files hold them: they are the same on every machine. */
static void hashes_have_these_values(void **state)
{
    (void)state;
    assert_int_equal(st_hash64(st_slice_str(""), 7), 0x5fd40bcaf5b10630u);
    assert_int_equal(st_hash64(st_slice_str("a"), 7), 0x9e7a7afb31b0ebebu);
    assert_int_equal(st_hash64(st_slice_str("sixteen bytes or"), 7), 0xe2a63ea001daedb3u);
    assert_int_equal(st_hash64(st_slice_str("a text of more than sixteen bytes, of forty eight and "
                                            "of sixty-four bytes"),
                               7),
                     0xf37858a45a15d9ecu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_have_these_values),
        cmocka_unit_test(status_numbers_are_unique_and_named),
        cmocka_unit_test(first_failure_keeps_its_text),
        cmocka_unit_test(message_is_cut_at_a_character),
        cmocka_unit_test(arena_serves_small_and_large),
        cmocka_unit_test(varint_round_trips_and_rejects_overlong),
        cmocka_unit_test(fixed_width_coding_is_little_or_big_endian),
        cmocka_unit_test(crc32c_matches_published_vectors_on_both_paths),
        cmocka_unit_test(utf8_accepts_and_refuses_by_rfc_3629),
        cmocka_unit_test(random_numbers_repeat_by_seed_and_stay_below),
        cmocka_unit_test(slices_order_like_memcmp_with_the_shorter_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
