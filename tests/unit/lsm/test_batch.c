/* Batches as bytes: the worked examples of docs/formats/batch.md, what comes back from what was
 * written, and bytes that nobody wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lsm/batch_internal.h"
#include "support/fault_alloc.h"
#include "support/format_page.h"

typedef struct operation {
    uint8_t type;
    const char *key, *value;
} operation;

static void expect_operations(st_slice bytes, const operation *expected, size_t count)
{
    st_op op;
    st_op_init(&op, st_alloc_process());
    st_batch_reader batch = st_lsm__batch_reader(bytes);
    bool valid;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(st_lsm__batch_next(&op, &batch, &valid), ST_OK);
        assert_true(valid);
        assert_int_equal(batch.type, expected[i].type);
        assert_true(st_slice_equal(batch.key, st_slice_str(expected[i].key)));
        assert_true(st_slice_equal(batch.value, st_slice_str(expected[i].value)));
    }
    assert_int_equal(st_lsm__batch_next(&op, &batch, &valid), ST_OK);
    assert_false(valid);
    st_op_deinit(&op);
}

/* A copy that ends where the memory ends, so that a read beyond it shows. */
static st_status measure(st_slice bytes, int64_t *out_position, size_t *out_count,
                         size_t *out_payload_bytes, char message[ST_ERROR_MESSAGE_MAX])
{
    st_op op;
    st_op_init(&op, st_alloc_process());
    uint8_t *copy = malloc(bytes.size > 0 ? bytes.size : 1);
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    st_status status =
        st_lsm__batch_measure(&op, st_slice_of(copy, bytes.size), out_count, out_payload_bytes);
    *out_position = op.error.position;
    memcpy(message, op.error.message, ST_ERROR_MESSAGE_MAX);
    free(copy);
    st_op_deinit(&op);
    return status;
}

static void expect_failure(st_slice bytes, st_status expected, int64_t position, const char *part)
{
    char message[ST_ERROR_MESSAGE_MAX];
    size_t count, payload_bytes;
    int64_t found;
    assert_int_equal(measure(bytes, &found, &count, &payload_bytes, message), expected);
    assert_int_equal(found, position);
    assert_non_null(strstr(message, part));
}

static void test_the_examples_of_the_page_are_what_the_code_reads_and_writes(void **state)
{
    (void)state;
    static const operation first[] = {{ST_ENTRY_PUT, "k", "v1"},
                                      {ST_ENTRY_DELETE, "x", ""},
                                      {ST_ENTRY_DELETE_RANGE, "a", "c"},
                                      {ST_ENTRY_PUT, "e", ""}};
    char long_key[131] = {0};
    memset(long_key, 'a', 130);
    const operation second[] = {{ST_ENTRY_DELETE, long_key, ""}};
    char *page = format_page_read(STATOR_FORMATS "/batch.md");
    assert_non_null(page);
    size_t at = 0;
    st_buf bytes;
    st_buf_init(&bytes, st_alloc_process());
    assert_true(format_page_hex(page, &at, &bytes));
    expect_operations(st_buf_view(&bytes), first, 4);
    st_lsm_batch batch;
    st_lsm_batch_init(&batch, st_alloc_process());
    st_lsm_batch_put(&batch, st_slice_str("k"), st_slice_str("v1"));
    st_lsm_batch_delete(&batch, st_slice_str("x"));
    st_lsm_batch_delete_range(&batch, st_slice_str("a"), st_slice_str("c"));
    st_lsm_batch_put(&batch, st_slice_str("e"), (st_slice){0});
    assert_int_equal(batch.count, 4);
    assert_true(st_slice_equal(st_buf_view(&batch.bytes), st_buf_view(&bytes)));
    assert_true(format_page_hex(page, &at, &bytes));
    expect_operations(st_buf_view(&bytes), second, 1);
    st_lsm_batch_clear(&batch);
    assert_int_equal(batch.count, 0);
    st_lsm_batch_delete(&batch, st_slice_str(long_key));
    assert_true(st_slice_equal(st_buf_view(&batch.bytes), st_buf_view(&bytes)));
    assert_false(format_page_hex(page, &at, &bytes));
    st_lsm_batch_deinit(&batch);
    st_buf_deinit(&bytes);
    free(page);
}

static void test_count_and_payload_are_those_of_the_operations(void **state)
{
    (void)state;
    st_lsm_batch batch;
    st_lsm_batch_init(&batch, st_alloc_process());
    char message[ST_ERROR_MESSAGE_MAX];
    size_t count, payload_bytes;
    int64_t position;
    assert_int_equal(measure(st_buf_view(&batch.bytes), &position, &count, &payload_bytes, message),
                     ST_OK);
    assert_int_equal(count, 0);
    assert_int_equal(payload_bytes, 0);
    st_lsm_batch_put(&batch, st_slice_str("four"), st_slice_str("seventh"));
    st_lsm_batch_delete(&batch, st_slice_str("one"));
    st_lsm_batch_delete_range(&batch, st_slice_str("from"), st_slice_str("to"));
    assert_int_equal(measure(st_buf_view(&batch.bytes), &position, &count, &payload_bytes, message),
                     ST_OK);
    assert_int_equal(count, 3);
    assert_int_equal(payload_bytes, 4 + 7 + 3 + 4 + 2);
    st_lsm_batch_deinit(&batch);
}

static void test_a_batch_that_ends_inside_an_operation_is_corrupt_at_its_beginning(void **state)
{
    (void)state;
    st_lsm_batch batch;
    st_lsm_batch_init(&batch, st_alloc_process());
    size_t ends[4] = {0};
    st_lsm_batch_put(&batch, st_slice_str("key"), st_slice_str("value"));
    ends[1] = batch.bytes.size;
    st_lsm_batch_delete_range(&batch, st_slice_str("a"), st_slice_str("zz"));
    ends[2] = batch.bytes.size;
    st_lsm_batch_delete(&batch, st_slice_str("gone"));
    ends[3] = batch.bytes.size;
    size_t number = 0;
    for (size_t cut = 0; cut < batch.bytes.size; cut++) {
        number += cut == ends[number + 1];
        st_slice bytes = st_slice_of(batch.bytes.data, cut);
        if (cut == ends[number]) {
            char message[ST_ERROR_MESSAGE_MAX];
            size_t count, payload_bytes;
            int64_t position;
            assert_int_equal(measure(bytes, &position, &count, &payload_bytes, message), ST_OK);
            assert_int_equal(count, number);
        } else {
            expect_failure(bytes, ST_CORRUPT, (int64_t)ends[number], "malformed");
        }
    }
    st_lsm_batch_deinit(&batch);
}

static void test_types_of_later_formats_are_named(void **state)
{
    (void)state;
    static const uint8_t add[] = {2, 1, 'a', 4, 1, 'b'}, separated[] = {5, 1, 'b'}, other[] = {77},
                         zero[] = {0, 0, 0};
    expect_failure(st_slice_of(add, sizeof add), ST_UNSUPPORTED, 3, "4 (add)");
    expect_failure(st_slice_of(separated, sizeof separated), ST_UNSUPPORTED, 0,
                   "5 (separated value)");
    expect_failure(st_slice_of(other, sizeof other), ST_UNSUPPORTED, 0, "77 (unknown)");
    expect_failure(st_slice_of(zero, sizeof zero), ST_UNSUPPORTED, 0, "0 (unknown)");
}

static void test_lengths_beyond_the_bytes_are_corrupt(void **state)
{
    (void)state;
    static const uint8_t endless[] = {1,    0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                      0x80, 0x80, 0x80, 0x80, 0x80, 0x01},
                         huge[] = {1,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                   0xFF, 0xFF, 0xFF, 0xFF, 0x01, 'a'},
                         overflow[] = {1,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                       0xFF, 0xFF, 0xFF, 0xFF, 0x02, 'a'},
                         value[] = {1, 1, 'a', 5, 'b'};
    expect_failure(st_slice_of(endless, sizeof endless), ST_CORRUPT, 0, "malformed");
    expect_failure(st_slice_of(huge, sizeof huge), ST_CORRUPT, 0, "malformed");
    expect_failure(st_slice_of(overflow, sizeof overflow), ST_CORRUPT, 0, "malformed");
    expect_failure(st_slice_of(value, sizeof value), ST_CORRUPT, 0, "malformed");
}

static void test_a_key_longer_than_possible_is_refused_in_every_place(void **state)
{
    (void)state;
    static const uint8_t key[ST_LSM_KEY_BYTES_MAX + 1];
    st_slice longest = st_slice_of(key, ST_LSM_KEY_BYTES_MAX),
             longer = st_slice_of(key, ST_LSM_KEY_BYTES_MAX + 1);
    st_lsm_batch batch;
    st_lsm_batch_init(&batch, st_alloc_process());
    st_lsm_batch_put(&batch, longest, longer);
    st_lsm_batch_delete_range(&batch, longest, longest);
    int64_t at = (int64_t)batch.bytes.size;
    for (int place = 0; place < 4; place++) {
        if (place == 0) {
            st_lsm_batch_put(&batch, longer, (st_slice){0});
        } else if (place == 1) {
            st_lsm_batch_delete(&batch, longer);
        } else {
            st_lsm_batch_delete_range(&batch, place == 2 ? longer : longest,
                                      place == 2 ? longest : longer);
        }
        expect_failure(st_buf_view(&batch.bytes), ST_CORRUPT, at, "32769 bytes");
        batch.bytes.size = (size_t)at;
    }
    st_lsm_batch_deinit(&batch);
}

static void test_bytes_that_nobody_wrote_never_lead_outside(void **state)
{
    (void)state;
    st_rng rng;
    st_rng_seed(&rng, 11);
    size_t outcomes[3] = {0};
    for (int round = 0; round < 50000; round++) {
        uint8_t bytes[24];
        size_t size = (size_t)st_rng_below(&rng, sizeof bytes + 1);
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (uint8_t)st_rng_below(&rng, st_rng_below(&rng, 8) == 0 ? 256 : 4);
        }
        char message[ST_ERROR_MESSAGE_MAX];
        size_t count, payload_bytes;
        int64_t position;
        st_status status =
            measure(st_slice_of(bytes, size), &position, &count, &payload_bytes, message);
        assert_true(status == ST_OK || status == ST_CORRUPT || status == ST_UNSUPPORTED);
        outcomes[status == ST_OK ? 0 : status == ST_CORRUPT ? 1 : 2]++;
        assert_true(status != ST_OK || payload_bytes <= size);
        assert_true(status == ST_OK || (position >= 0 && position < (int64_t)size));
    }
    assert_true(outcomes[0] > 100 && outcomes[1] > 100 && outcomes[2] > 100);
}

static void test_a_batch_remembers_that_there_was_no_memory(void **state)
{
    (void)state;
    fault_alloc fault;
    fault_alloc_init(&fault);
    st_op op;
    st_op_init(&op, st_alloc_process());
    st_lsm_batch batch;
    st_lsm_batch_init(&batch, &fault.alloc);
    fault_alloc_fail_after(&fault, 1, false);
    st_lsm_batch_put(&batch, st_slice_str("key"), st_slice_str("value"));
    st_lsm_batch_delete(&batch, st_slice_str("key"));
    assert_int_equal(st_buf_check(&op, &batch.bytes), ST_NO_MEMORY);
    st_op_clear(&op);
    st_lsm_batch_clear(&batch);
    st_lsm_batch_delete(&batch, st_slice_str("key"));
    assert_int_equal(st_buf_check(&op, &batch.bytes), ST_OK);
    st_lsm_batch_deinit(&batch);
    fault_alloc_deinit(&fault);
    st_op_deinit(&op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples_of_the_page_are_what_the_code_reads_and_writes),
        cmocka_unit_test(test_count_and_payload_are_those_of_the_operations),
        cmocka_unit_test(test_a_batch_that_ends_inside_an_operation_is_corrupt_at_its_beginning),
        cmocka_unit_test(test_types_of_later_formats_are_named),
        cmocka_unit_test(test_lengths_beyond_the_bytes_are_corrupt),
        cmocka_unit_test(test_a_key_longer_than_possible_is_refused_in_every_place),
        cmocka_unit_test(test_bytes_that_nobody_wrote_never_lead_outside),
        cmocka_unit_test(test_a_batch_remembers_that_there_was_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
