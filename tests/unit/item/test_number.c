/* Numbers: text, ordered form, size, arithmetic. */
#include "item_support.h"

static void check_number(const char *text, const char *canonical)
{
    st_number number, again;
    uint8_t form[ST_NUMBER_BYTES_MAX];
    char back[ST_NUMBER_TEXT_MAX];
    assert_int_equal(st_number_parse(NULL, st_slice_str(text), &number), ST_OK);
    size_t bytes = st_number_encode(&number, form);
    assert_int_equal(st_number_form_bytes(st_slice_of(form, bytes)), bytes);
    assert_true(st_number_decode(st_slice_of(form, bytes), &again));
    assert_int_equal(st_number_text(&again, back), strlen(canonical));
    assert_string_equal(back, canonical);
}

static void test_numbers_have_one_text(void **state)
{
    (void)state;
    check_number("0", "0");
    check_number("-0.000e9", "0");
    check_number("1", "1");
    check_number("+1.0", "1");
    check_number("1E0", "1");
    check_number("0100", "100");
    check_number(".5", "0.5");
    check_number("5.", "5");
    check_number("1.e2", "100");
    check_number("-12.3400", "-12.34");
    check_number("0.00001", "0.00001");
    check_number("12345678901234567890123456789012345678",
                 "12345678901234567890123456789012345678");
    check_number("1234567890.1234567890123456789012345678",
                 "1234567890.1234567890123456789012345678");
    check_number("123456789012345678901234567890123456780000",
                 "123456789012345678901234567890123456780000");
    check_number("100000000000000000000000000000000000000",
                 "100000000000000000000000000000000000000");
}

static void check_refused(item_case *c, const char *text, const char *message)
{
    st_number number;
    st_op_clear(&c->op);
    assert_int_equal(st_number_parse(&c->op, st_slice_str(text), &number), ST_INVALID_ARGUMENT);
    assert_non_null(strstr(c->op.error.message, message));
}

static void test_what_is_no_number_is_refused_in_dynamodbs_words(void **state)
{
    item_case *c = *state;
    const char *bad[] = {"",   " 1",  "1 ",   "abc", "1+2",      "e5",
                         "1e", "--1", "0x10", "NaN", "Infinity", "."};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_refused(c, bad[i], "The parameter cannot be converted to a numeric value");
    }
    check_refused(c, "123456789012345678901234567890123456789", "more than 38 significant digits");
    check_refused(c, "1.00000000000000000000000000000000000001", "more than 38 significant digits");
    check_refused(c, "1e126", "Number overflow");
    check_refused(c, "10e125", "Number overflow");
    check_refused(c, "1e-131", "Number underflow");
    check_refused(c, "1e9223372036854775807", "Number overflow");
    check_refused(c, "1e-9223372036854775808", "Number underflow");
    check_refused(c, "1e9223372036854775808", "cannot be converted");
    check_refused(c, "1e-9223372036854775809", "cannot be converted");
    check_refused(c, "0e126", "Number overflow");
    check_refused(c, "0e-131", "Number underflow");
    check_refused(c, "0.0e-130", "Number underflow");
    check_refused(c, "-0.1e-130", "Number underflow");
}

static int compare_forms(const char *a, const char *b)
{
    st_number x, y;
    uint8_t fx[ST_NUMBER_BYTES_MAX], fy[ST_NUMBER_BYTES_MAX];
    assert_int_equal(st_number_parse(NULL, st_slice_str(a), &x), ST_OK);
    assert_int_equal(st_number_parse(NULL, st_slice_str(b), &y), ST_OK);
    size_t bx = st_number_encode(&x, fx), by = st_number_encode(&y, fy);
    return st_slice_compare(st_slice_of(fx, bx), st_slice_of(fy, by));
}

static void test_byte_order_is_numeric_order(void **state)
{
    (void)state;
    const char *ascending[] = {"-9.99e125", "-1e125", "-1979",  "-100", "-99.5", "-10",
                               "-9",        "-1.05",  "-1.005", "-1",   "-0.5",  "-0.05",
                               "-1e-130",   "0",      "1e-130", "0.05", "0.5",   "0.55",
                               "1",         "1.005",  "1.05",   "9",    "10",    "11",
                               "99",        "99.5",   "100",    "1979", "1e125", "9.99e125"};
    size_t count = sizeof ascending / sizeof ascending[0];
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int order = compare_forms(ascending[i], ascending[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
    st_rng rng;
    st_rng_seed(&rng, 7);
    for (int round = 0; round < 20000; round++) {
        long long a = (long long)st_rng_below(&rng, 2000001) - 1000000,
                  b = (long long)st_rng_below(&rng, 2000001) - 1000000;
        char ta[40], tb[40];
        snprintf(ta, sizeof ta, "%llde-3", a);
        snprintf(tb, sizeof tb, "%llde-3", b);
        int order = compare_forms(ta, tb);
        assert_int_equal((order > 0) - (order < 0), (a > b) - (a < b));
    }
}

/* ---- against a model: every number as one row of 320 decimal columns --------------------------
 */

#define COLUMNS 320
#define COLUMN_OF_ONE 140 /* exponent 0 */

typedef struct row {
    bool is_negative;
    int digit[COLUMNS]; /* highest first */
} row;

static row row_of(const st_number *number)
{
    row r = {.is_negative = number->is_negative};
    for (int i = 0; i < number->digit_count; i++) {
        r.digit[COLUMN_OF_ONE - number->exponent + i] = number->digits[i];
    }
    return r;
}

static int row_compare_magnitude(const row *a, const row *b)
{
    for (int i = 0; i < COLUMNS; i++) {
        if (a->digit[i] != b->digit[i]) {
            return a->digit[i] < b->digit[i] ? -1 : 1;
        }
    }
    return 0;
}

static int row_compare(const row *a, const row *b)
{
    if (a->is_negative != b->is_negative) {
        return a->is_negative ? -1 : 1;
    }
    int order = row_compare_magnitude(a, b);
    return a->is_negative ? -order : order;
}

static row row_add(const row *a, const row *b)
{
    if (row_compare_magnitude(a, b) < 0) {
        return row_add(b, a);
    }
    row sum = {.is_negative = a->is_negative};
    int sign = a->is_negative == b->is_negative ? 1 : -1, carry = 0;
    for (int i = COLUMNS - 1; i >= 0; i--) {
        int column = a->digit[i] + sign * b->digit[i] + carry;
        carry = column > 9 ? 1 : column < 0 ? -1 : 0;
        sum.digit[i] = column - 10 * carry;
    }
    return sum;
}

/* What DynamoDB would say to the row as a number: NULL when it is one. */
static const char *row_refusal(const row *r)
{
    int first = 0, last = COLUMNS - 1;
    while (first < COLUMNS && r->digit[first] == 0) {
        first++;
    }
    while (last > first && r->digit[last] == 0) {
        last--;
    }
    int exponent = COLUMN_OF_ONE - first;
    return first == COLUMNS        ? NULL
           : last - first + 1 > 38 ? "38 significant digits"
           : exponent > 125        ? "Number overflow"
           : exponent < -130       ? "Number underflow"
                                   : NULL;
}

static st_number random_number(st_rng *rng)
{
    st_number number = {0};
    uint64_t kind = st_rng_below(rng, 20);
    if (kind == 0) {
        return number;
    }
    number.is_negative = st_rng_below(rng, 2);
    number.digit_count = (uint8_t)(1 + st_rng_below(rng, kind < 10 ? 38 : 4));
    number.exponent = (int16_t)(kind == 1   ? 125 - (int)st_rng_below(rng, 3)
                                : kind == 2 ? -130 + (int)st_rng_below(rng, 40)
                                : kind < 6  ? (int)st_rng_below(rng, 256) - 130
                                            : (int)st_rng_below(rng, 40) - 20);
    for (int i = 0; i < number.digit_count; i++) {
        uint64_t shape = st_rng_below(rng, 4); /* many nines and zeros: long carries */
        number.digits[i] = shape == 0 ? 9 : shape == 1 ? 0 : (uint8_t)st_rng_below(rng, 10);
    }
    number.digits[0] += number.digits[0] == 0;
    number.digits[number.digit_count - 1] += number.digits[number.digit_count - 1] == 0;
    return number;
}

static void check_same(const st_number *number, const row *expected)
{
    row actual = row_of(number);
    assert_memory_equal(actual.digit, expected->digit, sizeof actual.digit);
    assert_int_equal(actual.is_negative, expected->is_negative && number->digit_count > 0);
}

static void check_arithmetic(item_case *c, const st_number *a, const st_number *b, bool is_minus)
{
    row x = row_of(a), y = row_of(b);
    y.is_negative ^= is_minus;
    row expected = row_add(&x, &y);
    const char *refusal = row_refusal(&expected);
    st_number actual;
    st_op_clear(&c->op);
    st_status status =
        is_minus ? st_number_subtract(&c->op, a, b, &actual) : st_number_add(&c->op, a, b, &actual);
    assert_int_equal(status, refusal ? ST_INVALID_ARGUMENT : ST_OK);
    if (refusal) {
        assert_non_null(strstr(c->op.error.message, refusal));
    } else {
        check_same(&actual, &expected);
    }
}

static void test_arithmetic_is_exact_or_refused(void **state)
{
    item_case *c = *state;
    st_rng rng;
    st_rng_seed(&rng, 11);
    int refused = 0;
    for (int round = 0; round < 30000; round++) {
        st_number a = random_number(&rng), b = random_number(&rng);
        if (st_rng_below(&rng, 4) == 0) {
            b.exponent = a.exponent; /* digits that meet */
        }
        check_arithmetic(c, &a, &b, false);
        check_arithmetic(c, &a, &b, true);
        refused += c->op.error.code != ST_OK;
    }
    assert_in_range(refused, 3000, 27000);
    st_number a, b;
    assert_int_equal(st_number_parse(NULL, st_slice_str("9e125"), &a), ST_OK);
    check_arithmetic(c, &a, &a, false);
    assert_non_null(strstr(c->op.error.message, "Number overflow"));
    assert_int_equal(st_number_parse(NULL, st_slice_str("1.1e-130"), &a), ST_OK);
    assert_int_equal(st_number_parse(NULL, st_slice_str("1e-130"), &b), ST_OK);
    check_arithmetic(c, &a, &b, true);
    assert_non_null(strstr(c->op.error.message, "Number underflow"));
    assert_int_equal(st_number_add(NULL, &a, &a, &a), ST_OK);
    char text[ST_NUMBER_TEXT_MAX];
    (void)st_number_text(&a, text);
    assert_non_null(strstr(text, "00022"));
}

static void test_forms_of_random_numbers_are_ordered_and_round_trip(void **state)
{
    (void)state;
    st_rng rng;
    st_rng_seed(&rng, 13);
    for (int round = 0; round < 30000; round++) {
        st_number a = random_number(&rng), b = random_number(&rng), back;
        uint8_t fa[ST_NUMBER_BYTES_MAX], fb[ST_NUMBER_BYTES_MAX];
        st_slice x = st_slice_of(fa, st_number_encode(&a, fa));
        st_slice y = st_slice_of(fb, st_number_encode(&b, fb));
        row ra = row_of(&a), rb = row_of(&b);
        int order = st_slice_compare(x, y), expected = row_compare(&ra, &rb);
        assert_int_equal((order > 0) - (order < 0), expected);
        int compared = st_number_compare(&a, &b);
        assert_int_equal((compared > 0) - (compared < 0), expected);
        assert_true(expected == 0 || !st_slice_starts_with(x, y));
        assert_true(st_number_decode(x, &back));
        check_same(&back, &ra);
        char text[ST_NUMBER_TEXT_MAX];
        size_t bytes = st_number_text(&a, text);
        assert_int_equal(strlen(text), bytes);
        assert_int_equal(st_number_parse(NULL, st_slice_of(text, bytes), &back), ST_OK);
        check_same(&back, &ra);
    }
}

static void test_only_canonical_forms_are_read(void **state)
{
    (void)state;
    const char *bad[] = {
        "\x02\x02",         "\x03",         "\x03\x82", "\x03\x82\x0B", "\x03\x82\x02\x01",
        "\x03\x82\x66\x01", "\x01\x7D\xF4", "\x04",     "\x01\x7D\xFF", "\x03\x82\x0B\x0B"};
    st_number number;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(st_number_decode(st_slice_str(bad[i]), &number));
        assert_int_equal(number.digit_count, 0);
    }
    /* no digits, a leading zero, a pair of zeros at the end, a digit pair of 100 */
    assert_false(st_number_decode(st_slice_of("\x03\x82\x00", 3), &number));
    assert_false(st_number_decode(st_slice_of("\x03\x82\x02\x00", 4), &number));
    assert_false(st_number_decode(st_slice_of("\x03\x82\x0B\x01\x00", 5), &number));
    assert_false(st_number_decode(st_slice_of("\x03\x82\x65\x00", 4), &number));
    st_rng rng;
    st_rng_seed(&rng, 17);
    int accepted = 0;
    for (int round = 0; round < 200000; round++) {
        uint8_t form[ST_NUMBER_BYTES_MAX], again[ST_NUMBER_BYTES_MAX];
        size_t size = 1 + (size_t)st_rng_below(&rng, 6);
        for (size_t i = 0; i < size; i++) {
            form[i] = (uint8_t)st_rng_below(&rng, 256);
        }
        form[0] = (uint8_t)(1 + st_rng_below(&rng, 3));
        form[size - 1] = form[0] == 1 ? 0xFF : form[0] == 2 ? 2 : 0;
        if (st_number_decode(st_slice_of(form, size), &number)) {
            accepted++;
            assert_int_equal(st_number_encode(&number, again), size);
            assert_memory_equal(form, again, size);
        }
    }
    assert_in_range(accepted, 1000, 199999);
}

static void test_size_counts_half_the_digits_on_each_side_of_the_point(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
    } cases[] = {{"0", 1},      {"-0", 1},    {"1", 2},
                 {"-1", 3},     {"12", 2},    {"123", 3},
                 {"100", 2},    {"0.5", 2},   {"0.001", 2},
                 {"1.5", 3},    {"10.01", 3}, {"123.456", 5},
                 {"-12.34", 4}, {"1e125", 2}, {"12345678901234567890123456789012345678", 20}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        st_number number;
        assert_int_equal(st_number_parse(NULL, st_slice_str(cases[i].text), &number), ST_OK);
        assert_int_equal(st_number_size(&number), cases[i].size);
    }
}

static void test_messages_of_bad_numbers_are_utf8_whatever_was_sent(void **state)
{
    item_case *c = *state;
    const char *bad[] = {"\xFF\xFE", "1\xC3", "\xF0\x9F\x98\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_refused(c, bad[i], "The parameter cannot be converted to a numeric value: ");
        assert_true(st_utf8_valid(st_slice_str(c->op.error.message), NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_have_one_text),
        cmocka_unit_test_setup_teardown(test_what_is_no_number_is_refused_in_dynamodbs_words,
                                        item_setup, item_teardown),
        cmocka_unit_test(test_byte_order_is_numeric_order),
        cmocka_unit_test_setup_teardown(test_arithmetic_is_exact_or_refused, item_setup,
                                        item_teardown),
        cmocka_unit_test(test_forms_of_random_numbers_are_ordered_and_round_trip),
        cmocka_unit_test(test_only_canonical_forms_are_read),
        cmocka_unit_test(test_size_counts_half_the_digits_on_each_side_of_the_point),
        cmocka_unit_test_setup_teardown(test_messages_of_bad_numbers_are_utf8_whatever_was_sent,
                                        item_setup, item_teardown),
    };
    return cmocka_run_group_tests_name("item_number", tests, NULL, NULL);
}
