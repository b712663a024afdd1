/* DynamoDB's numbers: exact decimal, 38 significant digits, magnitudes 1E-130 .. 9.99...E+125.
 *
 * Ordered form (memcmp order is numeric order, equal numbers have equal bytes):
 *   class 01 negative, 02 zero, 03 positive · exponent + 130 · digit pairs, each + 1 · 00
 * For negatives all bytes behind the class are inverted. Zero is the class byte alone. An odd last
 * digit is padded with 0.
 *
 * Invariant: every number that parse, decode or arithmetic hands out has no zero at either end of
 * its digits and is in range, so that one value has one st_number, one form and one text.
 */
#include "item/item_internal.h"

#include <string.h>

#define NUMBER_BIAS 130
#define NUMBER_EXPONENT_CLAMP ((int64_t)1 << 50) /* far outside, far from overflow */

/* The digits of a text while it is parsed. */
typedef struct number_scan {
    st_slice text;
    size_t at;
    int64_t point; /* digits before the point without leading zeros; negative: zeros behind it */
    size_t seen;   /* digits from the first significant one */
    size_t kept;   /* of these without trailing zeros */
    bool has_digits;
} number_scan;

static st_status number_refuse(st_op *op, st_slice text)
{
    return st_fail(op, ST_INVALID_ARGUMENT,
                   "The parameter cannot be converted to a numeric value: %.*s",
                   st_item__shown(text, ST_ERROR_MESSAGE_MAX), st_item__text(text));
}

st_status st_item__number_limits(st_op *op, size_t digit_count, int64_t exponent)
{
    if (digit_count > ST_NUMBER_DIGITS_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Attempting to store more than 38 significant digits in a Number");
    }
    if (exponent > ST_NUMBER_EXPONENT_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Number overflow. Attempting to store a number with magnitude larger than "
                       "supported range");
    }
    if (exponent < ST_NUMBER_EXPONENT_MIN) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Number underflow. Attempting to store a number with magnitude smaller than "
                       "supported range");
    }
    return ST_OK;
}

static bool number_is_digit(st_slice text, size_t at)
{
    return at < text.size && text.data[at] >= '0' && text.data[at] <= '9';
}

static void number_scan_digits(number_scan *scan, bool is_fraction, st_number *out)
{
    for (; number_is_digit(scan->text, scan->at); scan->at++) {
        uint8_t digit = (uint8_t)(scan->text.data[scan->at] - '0');
        scan->has_digits = true;
        if (scan->seen == 0 && digit == 0) {
            scan->point -= is_fraction;
            continue;
        }
        scan->seen++;
        scan->point += !is_fraction;
        if (digit == 0) {
            continue;
        }
        for (; scan->kept < scan->seen; scan->kept++) {
            if (scan->kept < ST_NUMBER_DIGITS_MAX) {
                out->digits[scan->kept] = scan->kept + 1 == scan->seen ? digit : 0;
            }
        }
    }
}

/* The exponent behind e; false when there is none, or when it has more than 64 bits. */
static bool number_scan_exponent(number_scan *scan, int64_t *out_exponent)
{
    *out_exponent = 0;
    if (scan->at == scan->text.size) {
        return true;
    }
    if (scan->text.data[scan->at] != 'e' && scan->text.data[scan->at] != 'E') {
        return false;
    }
    scan->at++;
    bool is_negative = scan->at < scan->text.size && scan->text.data[scan->at] == '-';
    if (is_negative || (scan->at < scan->text.size && scan->text.data[scan->at] == '+')) {
        scan->at++;
    }
    if (!number_is_digit(scan->text, scan->at)) {
        return false;
    }
    uint64_t value = 0, most = (uint64_t)INT64_MAX + is_negative;
    for (; number_is_digit(scan->text, scan->at); scan->at++) {
        uint64_t digit = scan->text.data[scan->at] - (uint64_t)'0';
        if (value > (most - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    int64_t clamped =
        value < NUMBER_EXPONENT_CLAMP ? (int64_t)value : (int64_t)NUMBER_EXPONENT_CLAMP;
    *out_exponent = is_negative ? -clamped : clamped;
    return scan->at == scan->text.size;
}

st_status st_number_parse(st_op *op, st_slice text, st_number *out_number)
{
    *out_number = (st_number){0};
    st_number number = {0};
    number_scan scan = {.text = text};
    if (text.size > 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        number.is_negative = text.data[0] == '-';
        scan.at = 1;
    }
    number_scan_digits(&scan, false, &number);
    if (scan.at < text.size && text.data[scan.at] == '.') {
        scan.at++;
        number_scan_digits(&scan, true, &number);
    }
    int64_t exponent;
    if (!scan.has_digits || !number_scan_exponent(&scan, &exponent)) {
        return number_refuse(op, text);
    }
    /* Zero is judged as if its last digit were 1: 0e126 overflows. */
    exponent += scan.point - (scan.kept > 0);
    ST_TRY(st_item__number_limits(op, scan.kept, exponent));
    if (scan.kept > 0) {
        number.digit_count = (uint8_t)scan.kept;
        number.exponent = (int16_t)exponent;
        *out_number = number;
    }
    return ST_OK;
}

size_t st_number_encode(const st_number *number, uint8_t to[ST_NUMBER_BYTES_MAX])
{
    if (number->digit_count == 0) {
        to[0] = 2;
        return 1;
    }
    uint8_t flip = number->is_negative ? 0xFF : 0;
    size_t size = 0;
    to[size++] = number->is_negative ? 1 : 3;
    to[size++] = (uint8_t)(number->exponent + NUMBER_BIAS) ^ flip;
    for (size_t i = 0; i < number->digit_count; i += 2) {
        unsigned second = i + 1 < number->digit_count ? number->digits[i + 1] : 0;
        to[size++] = (uint8_t)(number->digits[i] * 10u + second + 1) ^ flip;
    }
    to[size++] = flip;
    return size;
}

size_t st_number_form_bytes(st_slice bytes)
{
    if (bytes.size == 0 || bytes.data[0] < 1 || bytes.data[0] > 3) {
        return 0;
    }
    if (bytes.data[0] == 2) {
        return 1;
    }
    uint8_t end = bytes.data[0] == 1 ? 0xFF : 0;
    for (size_t i = 2; i < bytes.size && i < ST_NUMBER_BYTES_MAX; i++) {
        if (bytes.data[i] == end) {
            return i + 1;
        }
    }
    return 0;
}

bool st_number_decode(st_slice form, st_number *out_number)
{
    *out_number = (st_number){0};
    st_number number = {0};
    if (form.size == 0 || st_number_form_bytes(form) != form.size) {
        return false;
    }
    if (form.data[0] == 2) {
        return true;
    }
    uint8_t flip = form.data[0] == 1 ? 0xFF : 0;
    number.is_negative = flip != 0;
    number.exponent = (int16_t)((form.data[1] ^ flip) - NUMBER_BIAS);
    size_t count = 0;
    for (size_t i = 2; i + 1 < form.size; i++) {
        unsigned pair = (uint8_t)(form.data[i] ^ flip) - 1u;
        if (pair > 99 || count + 2 > ST_NUMBER_DIGITS_MAX) {
            return false;
        }
        number.digits[count++] = (uint8_t)(pair / 10);
        number.digits[count++] = (uint8_t)(pair % 10);
    }
    if (count == 0 || number.digits[0] == 0 ||
        (number.digits[count - 1] == 0 && number.digits[count - 2] == 0)) {
        return false;
    }
    count -= number.digits[count - 1] == 0;
    number.digit_count = (uint8_t)count;
    *out_number = number;
    return true;
}

static size_t number_put_digits(const st_number *number, size_t from, size_t to_index, char *to)
{
    size_t size = 0;
    for (size_t i = from; i < to_index; i++) {
        to[size++] = i < number->digit_count ? (char)('0' + number->digits[i]) : '0';
    }
    return size;
}

size_t st_number_text(const st_number *number, char to[ST_NUMBER_TEXT_MAX])
{
    size_t size = 0;
    if (number->digit_count == 0) {
        to[size++] = '0';
    } else {
        if (number->is_negative) {
            to[size++] = '-';
        }
        if (number->exponent < 0) {
            to[size++] = '0';
            to[size++] = '.';
            size_t zeros = (size_t)(-number->exponent - 1);
            memset(to + size, '0', zeros);
            size += zeros;
            size += number_put_digits(number, 0, number->digit_count, to + size);
        } else {
            size_t whole = (size_t)number->exponent + 1;
            size += number_put_digits(number, 0, whole, to + size);
            if (number->digit_count > whole) {
                to[size++] = '.';
                size += number_put_digits(number, whole, number->digit_count, to + size);
            }
        }
    }
    to[size] = '\0';
    return size;
}

/* One byte, and half of the significant digits before and behind the point, each rounded up; one
 * more for a minus sign. */
size_t st_number_size(const st_number *number)
{
    if (number->digit_count == 0) {
        return 1;
    }
    int whole_digits = number->exponent + 1;
    size_t count = number->digit_count;
    size_t whole = whole_digits <= 0              ? 0
                   : (size_t)whole_digits < count ? (size_t)whole_digits
                                                  : count;
    size_t fraction = count - whole;
    return 1 + (whole + 1) / 2 + (fraction + 1) / 2 + number->is_negative;
}

st_status st_item__number_of(st_op *op, const st_value *value, st_number *out_number)
{
    if (value->is_text) {
        return st_number_parse(op, value->bytes, out_number);
    }
    if (!st_number_decode(value->bytes, out_number)) {
        return st_fail(op, ST_INVALID_ARGUMENT, "the ordered form of a number is malformed");
    }
    return ST_OK;
}
