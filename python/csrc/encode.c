/* Python values into relaxed values of docs/formats/item.md. The engine checks limits, duplicates
 * and order. */
#include "hot.h"

#include <string.h>

enum {
    HOT_S = 1,
    HOT_N = 2,
    HOT_B = 3,
    HOT_FALSE = 4,
    HOT_TRUE = 5,
    HOT_NULL = 6,
    HOT_SS = 7,
    HOT_BS = 9,
    HOT_L = 10,
    HOT_M = 11,
    HOT_N_TEXT = 0x12,
    HOT_NS_TEXT = 0x18,
};

#define HOT_DEPTH_MAX 64u /* the engine refuses at 32; this only stops what contains itself */

void hot_buf_init(hot_buf *buf)
{
    buf->data = buf->room;
    buf->size = 0;
    buf->depth = 0;
    buf->capacity = sizeof buf->room;
}

void hot_buf_free(hot_buf *buf)
{
    if (buf->data != buf->room) {
        PyMem_RawFree(buf->data);
    }
}

uint8_t *hot_buf_extend(hot_buf *buf, size_t bytes)
{
    if (buf->capacity - buf->size < bytes) {
        size_t capacity = buf->capacity;
        while (capacity - buf->size < bytes) {
            capacity *= 2;
        }
        uint8_t *grown = buf->data == buf->room ? PyMem_RawMalloc(capacity)
                                                : PyMem_RawRealloc(buf->data, capacity);
        if (!grown) {
            PyErr_NoMemory();
            return NULL;
        }
        if (buf->data == buf->room) {
            memcpy(grown, buf->room, buf->size);
        }
        buf->data = grown;
        buf->capacity = capacity;
    }
    uint8_t *at = buf->data + buf->size;
    buf->size += bytes;
    return at;
}

int hot_buf_add(hot_buf *buf, const void *data, size_t bytes)
{
    uint8_t *at = hot_buf_extend(buf, bytes);
    if (!at) {
        return -1;
    }
    if (bytes > 0) {
        memcpy(at, data, bytes);
    }
    return 0;
}

static int encode_length(hot_buf *buf, size_t bytes)
{
    uint8_t varint[10];
    size_t size = 0;
    for (; bytes >= 0x80; bytes >>= 7) {
        varint[size++] = (uint8_t)(bytes | 0x80);
    }
    varint[size++] = (uint8_t)bytes;
    return hot_buf_add(buf, varint, size);
}

static int encode_tag(hot_buf *buf, uint8_t tag)
{
    return hot_buf_add(buf, &tag, 1);
}

/* The bytes of a str; a lone surrogate is refused, never replaced. */
static const char *encode_utf8(PyObject *text, Py_ssize_t *out_bytes)
{
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, out_bytes);
    if (!utf8 && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        hot_raise_invalid("a string with a lone surrogate cannot be stored as UTF-8: %R", text);
    }
    return utf8;
}

static int encode_text(hot_buf *buf, PyObject *text)
{
    Py_ssize_t bytes;
    const char *utf8 = encode_utf8(text, &bytes);
    return !utf8 || encode_length(buf, (size_t)bytes) || hot_buf_add(buf, utf8, (size_t)bytes) ? -1
                                                                                               : 0;
}

static bool encode_is_binary(PyObject *value)
{
    return PyBytes_Check(value) || PyByteArray_Check(value) || PyMemoryView_Check(value);
}

static int encode_binary(hot_buf *buf, PyObject *value)
{
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_CONTIG_RO) != 0) {
        return -1;
    }
    int failed =
        encode_length(buf, (size_t)view.len) || hot_buf_add(buf, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return failed ? -1 : 0;
}

static bool encode_is_number(PyObject *value)
{
    return (PyLong_Check(value) && !PyBool_Check(value)) || PyFloat_Check(value) ||
           PyObject_TypeCheck(value, (PyTypeObject *)hot_global.decimal);
}

/* Decimal text; the engine parses and judges it, NaN and Infinity included. */
static int encode_number(hot_buf *buf, PyObject *value, uint32_t mode)
{
    if (PyFloat_Check(value) && !(mode & HOT_FLOATS)) {
        hot_raise_invalid("float %R is refused, because it is not exact: use Decimal or int, or "
                          "open with floats=True",
                          value);
        return -1;
    }
    if (PyLong_CheckExact(value)) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (!overflow) {
            char text[24];
            int bytes = PyOS_snprintf(text, sizeof text, "%lld", number);
            return encode_length(buf, (size_t)bytes) || hot_buf_add(buf, text, (size_t)bytes) ? -1
                                                                                              : 0;
        }
    }
    PyObject *text = PyFloat_Check(value)  ? PyFloat_Type.tp_repr(value)
                     : PyLong_Check(value) ? PyLong_Type.tp_repr(value)
                                           : PyObject_Str(value);
    int failed = !text || encode_text(buf, text);
    Py_XDECREF(text);
    return failed ? -1 : 0;
}

/* Containers get their head filled in when their members are known. */
static size_t encode_begin(hot_buf *buf, uint8_t tag)
{
    uint8_t *head = hot_buf_extend(buf, 9);
    if (!head) {
        return SIZE_MAX;
    }
    head[0] = tag;
    return buf->size;
}

static void encode_end(hot_buf *buf, size_t begin, size_t count)
{
    size_t body = buf->size - begin;
    uint8_t *head = buf->data + begin - 8;
    for (int i = 0; i < 4; i++) {
        head[i] = (uint8_t)(body >> (8 * i));
        head[4 + i] = (uint8_t)(count >> (8 * i));
    }
}

static int encode_set(hot_buf *buf, PyObject *set, uint32_t mode)
{
    PyObject *iterator = PyObject_GetIter(set);
    if (!iterator) {
        return -1;
    }
    uint8_t tag = 0;
    size_t begin = 0, count = 0;
    PyObject *member;
    int failed = 0;
    while (!failed && (member = PyIter_Next(iterator))) {
        uint8_t wanted = PyUnicode_Check(member)    ? HOT_SS
                         : encode_is_binary(member) ? HOT_BS
                         : encode_is_number(member) ? HOT_NS_TEXT
                                                    : 0;
        if (!wanted || (tag && wanted != tag)) {
            hot_raise_invalid(wanted ? "a set must hold one type: strings, numbers or bytes: %R"
                                     : "members of a set must be strings, numbers or bytes: %R",
                              set);
            failed = -1;
        } else if (!tag) {
            tag = wanted;
            begin = encode_begin(buf, tag);
            failed = begin == SIZE_MAX;
        }
        if (!failed) {
            failed = tag == HOT_SS   ? encode_text(buf, member)
                     : tag == HOT_BS ? encode_binary(buf, member)
                                     : encode_number(buf, member, mode);
            count++;
        }
        Py_DECREF(member);
    }
    Py_DECREF(iterator);
    if (!failed && PyErr_Occurred()) {
        failed = -1;
    }
    if (!failed && !tag) {
        hot_raise_invalid(
            "One or more parameter values were invalid: an empty set cannot be stored");
        failed = -1;
    }
    if (!failed) {
        encode_end(buf, begin, count);
    }
    return failed ? -1 : 0;
}

static int encode_list(hot_buf *buf, PyObject *value, uint32_t mode)
{
    size_t begin = encode_begin(buf, HOT_L);
    if (begin == SIZE_MAX) {
        return -1;
    }
    size_t count = 0;
    for (; (Py_ssize_t)count < PySequence_Fast_GET_SIZE(value); count++) {
        PyObject *member = PySequence_Fast_GET_ITEM(value, (Py_ssize_t)count);
        Py_INCREF(member);
        int failed = hot_encode_value(buf, member, mode);
        Py_DECREF(member);
        if (failed) {
            return -1;
        }
    }
    encode_end(buf, begin, count);
    return 0;
}

int hot_encode_map(hot_buf *buf, PyObject *map, uint32_t mode)
{
    if (!PyDict_Check(map)) {
        hot_raise_invalid("an item or key must be a dict, not %s", Py_TYPE(map)->tp_name);
        return -1;
    }
    size_t begin = encode_begin(buf, HOT_M);
    if (begin == SIZE_MAX) {
        return -1;
    }
    size_t count = 0;
    Py_ssize_t position = 0;
    PyObject *name, *value;
    while (PyDict_Next(map, &position, &name, &value)) {
        if (!PyUnicode_Check(name)) {
            hot_raise_invalid("attribute names must be strings, not %s", Py_TYPE(name)->tp_name);
            return -1;
        }
        Py_INCREF(name);
        Py_INCREF(value); /* str() of a Decimal subclass may run code that changes the dict */
        int failed = encode_text(buf, name) || hot_encode_value(buf, value, mode);
        Py_DECREF(name);
        Py_DECREF(value);
        if (failed) {
            return -1;
        }
        count++;
    }
    encode_end(buf, begin, count);
    return 0;
}

static int encode_container(hot_buf *buf, PyObject *value, uint32_t mode)
{
    if (buf->depth >= HOT_DEPTH_MAX) {
        hot_raise_invalid("Nesting Levels have exceeded supported limits: an item is nested too "
                          "deeply or contains itself");
        return -1;
    }
    int failed;
    buf->depth++;
    if (PyDict_Check(value)) {
        failed = hot_encode_map(buf, value, mode);
    } else if (PyList_Check(value) || PyTuple_Check(value)) {
        failed = encode_list(buf, value, mode);
    } else {
        failed = encode_set(buf, value, mode);
    }
    buf->depth--;
    return failed;
}

int hot_encode_value(hot_buf *buf, PyObject *value, uint32_t mode)
{
    if (PyUnicode_Check(value)) {
        return encode_tag(buf, HOT_S) || encode_text(buf, value) ? -1 : 0;
    }
    if (value == Py_None) {
        return encode_tag(buf, HOT_NULL);
    }
    if (PyBool_Check(value)) {
        return encode_tag(buf, value == Py_True ? HOT_TRUE : HOT_FALSE);
    }
    if (encode_is_number(value)) {
        return encode_tag(buf, HOT_N_TEXT) || encode_number(buf, value, mode) ? -1 : 0;
    }
    if (encode_is_binary(value)) {
        return encode_tag(buf, HOT_B) || encode_binary(buf, value) ? -1 : 0;
    }
    if (PyDict_Check(value) || PyList_Check(value) || PyTuple_Check(value) ||
        PyAnySet_Check(value)) {
        return encode_container(buf, value, mode);
    }
    hot_raise_invalid("a value of type %s cannot be stored: %R", Py_TYPE(value)->tp_name, value);
    return -1;
}
