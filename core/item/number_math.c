/* Comparing, adding and subtracting numbers, exactly.
 *
 * Both numbers are laid out over one row of decimal columns, from the highest digit of either (and
 * one column for the carry) to the lowest. A row of more than MATH_COLUMNS columns has its two ends
 * so far apart that the sum has more than 38 digits whatever they are, and is refused unseen.
 */
#include "item/item_internal.h"

#include <string.h>

/* Two numbers whose digits do not even touch take up to 76 columns; one for the carry. Beyond that
 * there is a gap between them, which a sum fills with zeros and a difference with nines. */
#define MATH_COLUMNS (2 * ST_NUMBER_DIGITS_MAX + 1)

static int math_compare_magnitude(const st_number *a, const st_number *b)
{
    if (a->digit_count == 0 || b->digit_count == 0) {
        return (a->digit_count > 0) - (b->digit_count > 0);
    }
    if (a->exponent != b->exponent) {
        return a->exponent < b->exponent ? -1 : 1;
    }
    return st_slice_compare(st_slice_of(a->digits, a->digit_count),
                            st_slice_of(b->digits, b->digit_count));
}

int st_number_compare(const st_number *a, const st_number *b)
{
    if (a->is_negative != b->is_negative) {
        return a->is_negative ? -1 : 1;
    }
    int order = math_compare_magnitude(a, b);
    return a->is_negative ? -order : order;
}

/* The exponent of the last digit. */
static int math_lowest(const st_number *number)
{
    return number->exponent - number->digit_count + 1;
}

/* What column c counts from the top, whose exponent is top, holds of the number. */
static int math_digit(const st_number *number, int exponent)
{
    int index = number->exponent - exponent;
    return index >= 0 && index < number->digit_count ? number->digits[index] : 0;
}

/* Makes a number of columns without sign; its first column has exponent top. */
static st_status math_finish(st_op *op, const uint8_t *columns, int count, int top,
                             bool is_negative, st_number *out)
{
    int first = 0;
    while (first < count && columns[first] == 0) {
        first++;
    }
    while (count > first && columns[count - 1] == 0) {
        count--;
    }
    if (first == count) {
        *out = (st_number){0};
        return ST_OK;
    }
    ST_TRY(st_item__number_limits(op, (size_t)(count - first), top - first));
    st_number result = {.is_negative = is_negative,
                        .exponent = (int16_t)(top - first),
                        .digit_count = (uint8_t)(count - first)};
    memcpy(result.digits, columns + first, result.digit_count);
    *out = result;
    return ST_OK;
}

/* large + sign * small, where large has the larger magnitude and gives the sign. */
static st_status math_combine(st_op *op, const st_number *large, const st_number *small, int sign,
                              st_number *out)
{
    if (small->digit_count == 0) {
        *out = *large;
        return ST_OK;
    }
    int top = large->exponent + 1;
    int low = math_lowest(large), other = math_lowest(small);
    low = other < low ? other : low;
    int count = top - low + 1;
    if (count > MATH_COLUMNS) {
        return st_item__number_limits(op, ST_NUMBER_DIGITS_MAX + 1, 0);
    }
    uint8_t columns[MATH_COLUMNS];
    int carry = 0;
    for (int i = count - 1; i >= 0; i--) {
        int column = math_digit(large, top - i) + sign * math_digit(small, top - i) + carry;
        carry = column < 0 ? -1 : column > 9;
        columns[i] = (uint8_t)(column - 10 * carry);
    }
    return math_finish(op, columns, count, top, large->is_negative, out);
}

static st_status math_add(st_op *op, const st_number *a, const st_number *b, bool is_b_negative,
                          st_number *out)
{
    int sign = a->is_negative == is_b_negative ? 1 : -1;
    if (math_compare_magnitude(a, b) >= 0) {
        return math_combine(op, a, b, sign, out);
    }
    st_number large = *b;
    large.is_negative = is_b_negative;
    return math_combine(op, &large, a, sign, out);
}

st_status st_number_add(st_op *op, const st_number *a, const st_number *b, st_number *out_sum)
{
    return math_add(op, a, b, b->is_negative, out_sum);
}

st_status st_number_subtract(st_op *op, const st_number *a, const st_number *b,
                             st_number *out_difference)
{
    return math_add(op, a, b, b->digit_count > 0 && !b->is_negative, out_difference);
}
