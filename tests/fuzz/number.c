/* Numbers. The input is one or two texts with a line feed between, and the first of them also an
 * ordered form: text -> number -> form -> number -> text keeps the number, forms compare like
 * numbers, and sums are exact.
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "item/item.h"

static int sign_of(int order)
{
    return (order > 0) - (order < 0);
}

static bool is_same(const st_number *a, const st_number *b)
{
    return a->is_negative == b->is_negative && a->exponent == b->exponent &&
           a->digit_count == b->digit_count && memcmp(a->digits, b->digits, a->digit_count) == 0;
}

static st_slice form_of(const st_number *number, uint8_t room[ST_NUMBER_BYTES_MAX])
{
    size_t bytes = st_number_encode(number, room);
    FUZZ_CHECK(NULL, bytes > 0 && bytes <= ST_NUMBER_BYTES_MAX);
    return st_slice_of(room, bytes);
}

static void check_legal(const st_number *number)
{
    FUZZ_CHECK(NULL, number->digit_count <= ST_NUMBER_DIGITS_MAX);
    if (number->digit_count == 0) {
        FUZZ_CHECK(NULL, !number->is_negative);
        return;
    }
    FUZZ_CHECK(NULL, number->exponent >= ST_NUMBER_EXPONENT_MIN);
    FUZZ_CHECK(NULL, number->exponent <= ST_NUMBER_EXPONENT_MAX);
    FUZZ_CHECK(NULL, number->digits[0] > 0 && number->digits[number->digit_count - 1] > 0);
    for (size_t i = 0; i < number->digit_count; i++) {
        FUZZ_CHECK(NULL, number->digits[i] <= 9);
    }
}

static void check_number(st_op *op, const st_number *number)
{
    uint8_t room[ST_NUMBER_BYTES_MAX], longer[ST_NUMBER_BYTES_MAX + 1];
    char text[ST_NUMBER_TEXT_MAX];
    st_number again;
    check_legal(number);
    st_slice form = form_of(number, room);
    FUZZ_CHECK(op, st_number_decode(form, &again) && is_same(number, &again));
    for (unsigned behind = 0; behind < 256; behind += 51) {
        memcpy(longer, form.data, form.size);
        longer[form.size] = (uint8_t)behind;
        st_slice more = st_slice_of(longer, form.size + 1);
        FUZZ_CHECK(op, st_number_form_bytes(more) == form.size);
        FUZZ_CHECK(op, !st_number_decode(more, &again));
    }
    FUZZ_CHECK(op, !st_number_decode(st_slice_of(form.data, form.size - 1), &again));
    size_t bytes = st_number_text(number, text);
    FUZZ_CHECK(op, bytes < sizeof text && text[bytes] == '\0' && strlen(text) == bytes);
    FUZZ_CHECK(op, st_number_parse(op, st_slice_of(text, bytes), &again) == ST_OK);
    FUZZ_CHECK(op, is_same(number, &again));
    FUZZ_CHECK(op, st_number_compare(number, &again) == 0);
    FUZZ_CHECK(op, st_number_size(number) >= 1 && st_number_size(number) <= 22);
}

static void check_form(st_op *op, st_slice form)
{
    st_number number;
    uint8_t room[ST_NUMBER_BYTES_MAX];
    size_t bytes = st_number_form_bytes(form);
    FUZZ_CHECK(op, bytes <= form.size);
    bool is_form = st_number_decode(form, &number);
    FUZZ_CHECK(op, !is_form || bytes == form.size);
    if (is_form) {
        FUZZ_CHECK(op, st_slice_equal(form, form_of(&number, room)));
        check_number(op, &number);
    }
}

/* a + b - b = a, whichever way it is written. */
static void check_sum(st_op *op, const st_number *a, const st_number *b)
{
    st_number sum, again, minus = *b;
    minus.is_negative = b->digit_count > 0 && !b->is_negative;
    st_op_clear(op);
    bool is_sum = fuzz_is_ok(op, st_number_add(op, a, b, &sum), 0, fuzz_refusals);
    st_op_clear(op);
    st_status status = st_number_add(op, b, a, &again);
    FUZZ_CHECK(op, (status == ST_OK) == is_sum && (!is_sum || is_same(&sum, &again)));
    st_op_clear(op);
    status = st_number_subtract(op, a, &minus, &again);
    FUZZ_CHECK(op, (status == ST_OK) == is_sum && (!is_sum || is_same(&sum, &again)));
    st_op_clear(op);
    again = *a;
    status = st_number_add(op, &again, b, &again);
    FUZZ_CHECK(op, (status == ST_OK) == is_sum && (!is_sum || is_same(&sum, &again)));
    st_op_clear(op);
    if (is_sum) {
        check_number(op, &sum);
        FUZZ_CHECK(op, st_number_subtract(op, &sum, b, &again) == ST_OK && is_same(a, &again));
        int order = b->digit_count == 0 ? 0 : b->is_negative ? -1 : 1;
        FUZZ_CHECK(op, sign_of(st_number_compare(&sum, a)) == order);
    }
}

static void check_pair(st_op *op, const st_number *a, const st_number *b)
{
    uint8_t room_a[ST_NUMBER_BYTES_MAX], room_b[ST_NUMBER_BYTES_MAX];
    int order = sign_of(st_number_compare(a, b));
    FUZZ_CHECK(op, order == -sign_of(st_number_compare(b, a)));
    FUZZ_CHECK(op, (order == 0) == is_same(a, b));
    FUZZ_CHECK(op, order == sign_of(st_slice_compare(form_of(a, room_a), form_of(b, room_b))));
    check_sum(op, a, b);
}

void fuzz_target(st_slice input)
{
    st_op op;
    st_op_init(&op, fuzz_alloc());
    const uint8_t *line = input.size > 0 ? memchr(input.data, '\n', input.size) : NULL;
    size_t first = line ? (size_t)(line - input.data) : input.size;
    st_slice texts[2] = {st_slice_of(input.data, first), {0}};
    if (line) {
        texts[1] = st_slice_of(line + 1, input.size - first - 1);
    }
    st_number numbers[2];
    bool are_numbers = true;
    for (size_t i = 0; i < 2; i++) {
        st_op_clear(&op);
        st_status status = st_number_parse(&op, texts[i], &numbers[i]);
        if (fuzz_is_ok(&op, status, texts[i].size, fuzz_refusals)) {
            check_number(&op, &numbers[i]);
        } else {
            are_numbers = false;
        }
    }
    if (are_numbers) {
        check_pair(&op, &numbers[0], &numbers[1]);
    }
    st_op_clear(&op);
    check_form(&op, texts[0]);
    st_op_deinit(&op);
}
