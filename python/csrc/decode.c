/* Canonical item frames (docs/formats/item.md) into dicts. Lengths are checked although the engine
 * wrote them. */
#include "hot.h"

#include <string.h>

typedef struct hot_reader {
    const uint8_t *at, *end;
    uint32_t mode;
} hot_reader;

static PyObject *decode_value(hot_reader *reader);

static PyObject *decode_broken(void)
{
    PyErr_SetString(PyExc_RuntimeError, "stator: an item frame is malformed");
    return NULL;
}

static bool decode_u32(hot_reader *reader, size_t *out_value)
{
    if (reader->end - reader->at < 4) {
        return false;
    }
    const uint8_t *p = reader->at;
    *out_value = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
    reader->at += 4;
    return true;
}

static const uint8_t *decode_bytes(hot_reader *reader, size_t *out_bytes)
{
    size_t bytes = 0;
    for (unsigned shift = 0; reader->at < reader->end && shift < 35; shift += 7) {
        uint8_t byte = *reader->at++;
        bytes |= (size_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            if (bytes > (size_t)(reader->end - reader->at)) {
                return NULL;
            }
            *out_bytes = bytes;
            reader->at += bytes;
            return reader->at - bytes;
        }
    }
    return NULL;
}

static PyObject *decode_text(hot_reader *reader)
{
    size_t bytes;
    const uint8_t *data = decode_bytes(reader, &bytes);
    return data ? PyUnicode_DecodeUTF8((const char *)data, (Py_ssize_t)bytes, NULL)
                : decode_broken();
}

static PyObject *decode_name(hot_reader *reader)
{
    PyObject *name = decode_text(reader);
    if (name) {
        PyUnicode_InternInPlace(&name);
    }
    return name;
}

static PyObject *decode_binary(hot_reader *reader)
{
    size_t bytes;
    const uint8_t *data = decode_bytes(reader, &bytes);
    return data ? PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)bytes)
                : decode_broken();
}

/* The digits of the ordered form; *out_exponent is that of the first digit. */
static int decode_digits(const uint8_t *form, size_t bytes, char *digits, int *out_exponent)
{
    uint8_t flip = form[0] == 1 ? 0xFF : 0;
    int count = 0;
    if (bytes < 4 || bytes > 24 || (form[bytes - 1] ^ flip) != 0) {
        return 0;
    }
    *out_exponent = (int)(uint8_t)(form[1] ^ flip) - 130;
    for (size_t i = 2; i + 1 < bytes; i++) {
        int pair = (int)(uint8_t)(form[i] ^ flip) - 1;
        if (pair < 0 || pair > 99) {
            return 0;
        }
        digits[count++] = (char)('0' + pair / 10);
        digits[count++] = (char)('0' + pair % 10);
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    return count;
}

static PyObject *decode_small_int(bool is_negative, const char *digits, int count, int exponent)
{
    long long value = 0;
    for (int i = 0; i <= exponent; i++) {
        value = value * 10 + (i < count ? digits[i] - '0' : 0);
    }
    return PyLong_FromLongLong(is_negative ? -value : value);
}

static PyObject *decode_number(hot_reader *reader)
{
    size_t bytes;
    const uint8_t *form = decode_bytes(reader, &bytes);
    char digits[48], text[80];
    int exponent = 0, count;
    if (!form || bytes == 0 || form[0] < 1 || form[0] > 3) {
        return decode_broken();
    }
    if (form[0] == 2) {
        digits[0] = '0';
        count = bytes == 1;
    } else {
        count = decode_digits(form, bytes, digits, &exponent);
    }
    if (count == 0) {
        return decode_broken();
    }
    bool is_negative = form[0] == 1;
    bool is_small = exponent >= count - 1 && exponent < 18;
    if (is_small) {
        PyObject *number = decode_small_int(is_negative, digits, count, exponent);
        if (!number || (reader->mode & HOT_FLOATS)) {
            return number;
        }
        PyObject *decimal = PyObject_CallOneArg(hot_global.decimal, number);
        Py_DECREF(number);
        return decimal;
    }
    /* Plain text where it is short, scientific otherwise: Decimal keeps the digits either way. */
    int size = 0;
    if (is_negative) {
        text[size++] = '-';
    }
    if (exponent >= 0 && exponent < count - 1) {
        memcpy(text + size, digits, (size_t)exponent + 1);
        size += exponent + 1;
        text[size++] = '.';
        memcpy(text + size, digits + exponent + 1, (size_t)(count - exponent - 1));
        size += count - exponent - 1;
    } else if (exponent < 0 && exponent >= -6) {
        text[size++] = '0';
        text[size++] = '.';
        for (int i = -1; i > exponent; i--) {
            text[size++] = '0';
        }
        memcpy(text + size, digits, (size_t)count);
        size += count;
    } else {
        memcpy(text + size, digits, (size_t)count);
        size += count;
        size +=
            PyOS_snprintf(text + size, sizeof text - (size_t)size, "E%+d", exponent - count + 1);
    }
    text[size] = '\0';
    if (reader->mode & HOT_FLOATS) {
        double value = PyOS_string_to_double(text, NULL, NULL);
        return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
    }
    return PyObject_CallFunction(hot_global.decimal, "s#", text, (Py_ssize_t)size);
}

static PyObject *decode_members(hot_reader *reader, size_t count)
{
    PyObject *map = PyDict_New();
    for (size_t i = 0; map && i < count; i++) {
        PyObject *name = decode_name(reader);
        PyObject *value = name ? decode_value(reader) : NULL;
        if (!value || PyDict_SetItem(map, name, value) != 0) {
            Py_CLEAR(map);
        }
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return map;
}

static PyObject *decode_list(hot_reader *reader, size_t count)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < count; i++) {
        PyObject *value = decode_value(reader);
        if (!value || PyList_Append(list, value) != 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(value);
    }
    return list;
}

static PyObject *decode_set(hot_reader *reader, size_t count, PyObject *(*member)(hot_reader *))
{
    PyObject *set = PySet_New(NULL);
    for (size_t i = 0; set && i < count; i++) {
        PyObject *value = member(reader);
        if (!value || PySet_Add(set, value) != 0) {
            Py_CLEAR(set);
        }
        Py_XDECREF(value);
    }
    return set;
}

static PyObject *decode_container(hot_reader *reader, uint8_t tag)
{
    size_t body, count;
    if (!decode_u32(reader, &body) || !decode_u32(reader, &count) ||
        body > (size_t)(reader->end - reader->at)) {
        return decode_broken();
    }
    if (Py_EnterRecursiveCall(" in an item")) {
        return NULL;
    }
    PyObject *value = tag == 7    ? decode_set(reader, count, decode_text)
                      : tag == 8  ? decode_set(reader, count, decode_number)
                      : tag == 9  ? decode_set(reader, count, decode_binary)
                      : tag == 10 ? decode_list(reader, count)
                      : tag == 11 ? decode_members(reader, count)
                                  : decode_broken();
    Py_LeaveRecursiveCall();
    return value;
}

static PyObject *decode_value(hot_reader *reader)
{
    if (reader->at == reader->end) {
        return decode_broken();
    }
    uint8_t tag = *reader->at++;
    switch (tag) {
    case 1:
        return decode_text(reader);
    case 2:
        return decode_number(reader);
    case 3:
        return decode_binary(reader);
    case 4:
        Py_RETURN_FALSE;
    case 5:
        Py_RETURN_TRUE;
    case 6:
        Py_RETURN_NONE;
    default:
        return decode_container(reader, tag);
    }
}

PyObject *hot_decode_item(const uint8_t *frame, size_t frame_bytes, uint32_t mode)
{
    hot_reader reader = {frame, frame + frame_bytes, mode};
    size_t count;
    if (frame_bytes < 6 || frame[0] != 1) {
        return decode_broken();
    }
    reader.at += 2;
    if (!decode_u32(&reader, &count) || count > (size_t)(reader.end - reader.at) / 4) {
        return decode_broken();
    }
    reader.at += 4 * count;
    return decode_members(&reader, count);
}
