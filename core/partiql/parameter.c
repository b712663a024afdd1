/* The parameters of a statement are checked before its text is looked at, used or not, and with the
 * words and the number rules of the service's older request layer. Here is also what both those
 * checks and literals need: repeats in sets and text for messages.
 */
#include "partiql/partiql_internal.h"

#include <string.h>

#define PARTIQL_PARAMETER_NESTING_MAX 32u

/* ---- text for messages ------------------------------------------------------------------ */

void st_partiql__line_add(st_partiql__line *line, st_slice text)
{
    size_t room = sizeof line->text - 1 - line->size;
    size_t size = text.size;
    if (size > room) {
        for (size = room; size > 0 && (text.data[size] & 0xC0) == 0x80; size--) {
        }
    }
    if (size > 0) {
        memcpy(line->text + line->size, text.data, size);
        line->size += size;
    }
    line->text[line->size] = '\0';
}

void st_partiql__line_number(st_partiql__line *line, uint32_t number)
{
    char digits[10];
    size_t count = 0;
    do {
        count++;
        digits[sizeof digits - count] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    st_partiql__line_add(line, st_slice_of(digits + sizeof digits - count, count));
}

void st_partiql__line_list(st_partiql__line *line, const st_slice *slices, uint32_t count)
{
    st_partiql__line_add(line, st_slice_str("["));
    for (uint32_t i = 0; i < count && line->size + 1 < sizeof line->text; i++) {
        st_partiql__line_add(line, st_slice_str(i > 0 ? ", " : ""));
        st_partiql__line_add(line, slices[i]);
    }
    st_partiql__line_add(line, st_slice_str("]"));
}

/* Binaries in a list come as base64. A long one is cut, as the message is. */
static st_status partiql_base64(st_op *op, st_slice bytes, st_slice *out_text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = bytes.size < ST_ERROR_MESSAGE_MAX ? bytes.size : ST_ERROR_MESSAGE_MAX;
    size_t groups = (size + 2) / 3;
    *out_text = (st_slice){0};
    uint8_t *text = st_partiql__alloc(op, groups + 1, 4);
    if (!text) {
        return ST_NO_MEMORY;
    }
    for (size_t i = 0; i < groups; i++) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++) {
            bits = bits << 8 | (3 * i + k < size ? bytes.data[3 * i + k] : 0u);
        }
        for (size_t k = 0; k < 4; k++) {
            bool is_padding = 3 * i + k > size;
            text[4 * i + k] = is_padding ? '=' : (uint8_t)digits[bits >> (18 - 6 * k) & 63];
        }
    }
    *out_text = st_slice_of(text, groups * 4);
    return ST_OK;
}

/* ---- sets ------------------------------------------------------------------------------- */

st_status st_partiql__repeats(st_op *op, const st_slice *slices, uint32_t count, bool *out_repeats)
{
    *out_repeats = false;
    size_t places = 2;
    while (places < 2 * (size_t)count) {
        places *= 2;
    }
    uint32_t *table = st_partiql__alloc(op, places, sizeof *table);
    if (!table) {
        return ST_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        size_t at = (size_t)st_hash64(slices[i], count) & (places - 1);
        for (; table[at] != 0; at = (at + 1) & (places - 1)) {
            if (st_slice_equal(slices[table[at] - 1], slices[i])) {
                *out_repeats = true;
                return ST_OK;
            }
        }
        table[at] = i + 1;
    }
    return ST_OK;
}

st_status st_partiql__number_form(st_op *op, const st_number *number, st_slice *out_form)
{
    *out_form = (st_slice){0};
    uint8_t *form = st_partiql__alloc(op, 1, ST_NUMBER_BYTES_MAX);
    if (!form) {
        return ST_NO_MEMORY;
    }
    *out_form = st_slice_of(form, st_number_encode(number, form));
    return ST_OK;
}

/* ---- numbers ---------------------------------------------------------------------------- */

static st_status partiql_not_a_number(st_op *op, st_slice text)
{
    if (text.size == 0) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The parameter cannot be converted to a numeric value");
    }
    st_partiql__line line = {.size = 0};
    st_partiql__line_add(&line, text);
    return st_fail(op, ST_INVALID_ARGUMENT,
                   "The parameter cannot be converted to a numeric value: %s", line.text);
}

/* The older layer has 32 bits for an exponent, and for the digits behind the point. Texts that are
 * no numbers pass: they are refused afterwards. */
static st_status partiql_old_range(st_op *op, st_slice text)
{
    size_t at = 0;
    int64_t whole = 0, fraction = 0, exponent = 0;
    bool is_behind = false, is_significant = false;
    for (; at < text.size && (text.data[at] | 0x20) != 'e'; at++) {
        bool is_digit = text.data[at] >= '0' && text.data[at] <= '9';
        is_significant = is_significant || (is_digit && text.data[at] != '0');
        is_behind = is_behind || text.data[at] == '.';
        fraction += is_digit && is_behind;
        whole += is_digit && is_significant;
    }
    at += at < text.size;
    bool is_negative = at < text.size && text.data[at] == '-';
    at += at < text.size && (is_negative || text.data[at] == '+');
    for (; at < text.size && exponent <= INT32_MAX; at++) {
        exponent = exponent * 10 + (text.data[at] - '0');
    }
    exponent = is_negative ? -exponent : exponent;
    int64_t scale = fraction - exponent;
    int64_t precision = whole > 0 ? whole : 1;
    if (exponent > INT32_MAX || exponent < -INT32_MAX || scale > INT32_MAX || scale < INT32_MIN) {
        return partiql_not_a_number(op, text);
    }
    if (precision - scale >= INT32_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Number underflow. Attempting to store a number with magnitude smaller than "
                       "supported range");
    }
    return ST_OK;
}

static bool partiql_is_number_text(st_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool is_sign = byte == '+' || byte == '-' || byte == '.' || byte == 'e' || byte == 'E';
        if (!is_sign && (byte < '0' || byte > '9')) {
            return false;
        }
    }
    return text.size > 0;
}

static st_status partiql_check_number(st_op *op, const st_value *value, st_number *out_number)
{
    *out_number = (st_number){0};
    if (!value->is_text) {
        return st_number_decode(value->bytes, out_number)
                   ? ST_OK
                   : st_fail(op, ST_INVALID_ARGUMENT, "the ordered form of a number is malformed");
    }
    if (!partiql_is_number_text(value->bytes)) {
        return partiql_not_a_number(op, value->bytes);
    }
    ST_TRY(partiql_old_range(op, value->bytes));
    return st_number_parse(op, value->bytes, out_number);
}

/* ---- values ----------------------------------------------------------------------------- */

static st_status partiql_malformed_value(st_op *op)
{
    return st_fail(op, ST_INVALID_ARGUMENT, "a parameter of the statement is malformed");
}

static st_status partiql_check_text(st_op *op, st_slice text)
{
    size_t bad;
    return st_utf8_valid(text, &bad)
               ? ST_OK
               : st_fail(op, ST_INVALID_ARGUMENT,
                         "a string in a parameter of the statement is not valid UTF-8 at its byte "
                         "%zu; use binary for other bytes",
                         bad);
}

/* shown: the members as a message lists them; forms: as they are compared. */
static st_status partiql_set_members(st_op *op, const st_value *set, st_slice *shown,
                                     st_slice *forms)
{
    st_members walk = st_members_of(set);
    st_slice name;
    st_value member;
    for (uint32_t i = 0; i < set->count; i++) {
        if (!st_members_next(&walk, &name, &member)) {
            return partiql_malformed_value(op);
        }
        shown[i] = forms[i] = member.bytes;
        if (set->type == ST_TYPE_SS) {
            ST_TRY(partiql_check_text(op, member.bytes));
        } else if (set->type == ST_TYPE_NS) {
            st_number number;
            ST_TRY(partiql_check_number(op, &member, &number));
            ST_TRY(st_partiql__number_form(op, &number, &forms[i]));
        }
    }
    return st_reader_left(&walk.reader) == 0 ? ST_OK : partiql_malformed_value(op);
}

static st_status partiql_set_repeats(st_op *op, const st_value *set, st_slice *shown)
{
    if (set->type == ST_TYPE_NS) {
        return st_fail(op, ST_INVALID_ARGUMENT, "Input collection contains duplicates");
    }
    for (uint32_t i = 0; set->type == ST_TYPE_BS && i < set->count; i++) {
        ST_TRY(partiql_base64(op, shown[i], &shown[i]));
    }
    st_partiql__line line = {.size = 0};
    st_partiql__line_list(&line, shown, set->count);
    return st_fail(op, ST_INVALID_ARGUMENT,
                   ST_PARTIQL__INVALID "Input collection %s%s contains duplicates.", line.text,
                   set->type == ST_TYPE_BS ? "of type BS" : "");
}

static st_status partiql_check_set(st_op *op, const st_value *set)
{
    if (set->count == 0) {
        const char *reason = set->type == ST_TYPE_SS   ? "An string set  may not be empty"
                             : set->type == ST_TYPE_NS ? "An number set  may not be empty"
                                                       : "Binary sets should not be empty";
        return st_fail(op, ST_INVALID_ARGUMENT, ST_PARTIQL__INVALID "%s", reason);
    }
    if (set->count > set->bytes.size) {
        return partiql_malformed_value(op);
    }
    st_slice *shown = st_partiql__alloc(op, 2 * (size_t)set->count, sizeof *shown);
    if (!shown) {
        return ST_NO_MEMORY;
    }
    st_slice *forms = shown + set->count;
    ST_TRY(partiql_set_members(op, set, shown, forms));
    bool repeats;
    ST_TRY(st_partiql__repeats(op, forms, set->count, &repeats));
    return repeats ? partiql_set_repeats(op, set, shown) : ST_OK;
}

static st_status partiql_check_value(st_op *op, const st_value *value, uint32_t depth);

static st_status partiql_check_document(st_op *op, const st_value *value, uint32_t depth)
{
    if (depth > PARTIQL_PARAMETER_NESTING_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Nesting Levels have exceeded supported limits: Attributes in the item have "
                       "nested levels beyond supported limit");
    }
    st_members walk = st_members_of(value);
    st_slice name;
    st_value member;
    for (uint32_t i = 0; i < value->count; i++) {
        if (!st_members_next(&walk, &name, &member)) {
            return partiql_malformed_value(op);
        }
        if (value->type == ST_TYPE_M && name.size == 0) {
            return st_fail(op, ST_INVALID_ARGUMENT, "Empty attribute name");
        }
        ST_TRY(partiql_check_text(op, name));
        ST_TRY(partiql_check_value(op, &member, depth + 1));
    }
    return st_reader_left(&walk.reader) == 0 ? ST_OK : partiql_malformed_value(op);
}

static st_status partiql_check_value(st_op *op, const st_value *value, uint32_t depth)
{
    st_number number;
    switch (value->type) {
    case ST_TYPE_S:
        return partiql_check_text(op, value->bytes);
    case ST_TYPE_N:
        return partiql_check_number(op, value, &number);
    case ST_TYPE_SS:
    case ST_TYPE_NS:
    case ST_TYPE_BS:
        return partiql_check_set(op, value);
    case ST_TYPE_L:
    case ST_TYPE_M:
        return partiql_check_document(op, value, depth);
    default:
        return ST_OK;
    }
}

st_status st_partiql__check_parameter(st_op *op, st_slice parameter)
{
    st_value value;
    return st_value_of(parameter, &value) ? partiql_check_value(op, &value, 1)
                                          : partiql_malformed_value(op);
}
