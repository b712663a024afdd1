/* The calls that Python makes often, written by hand: a dict is walked once, in C, into a request
 * frame, and a result frame into dicts. Everything else goes through the module that SWIG makes
 * from stator.h; both are one shared object. */
#ifndef STATOR_PYTHON_HOT_H
#define STATOR_PYTHON_HOT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#include "stator.h"

/* Bytes of a request. Small ones need no memory of their own. */
typedef struct hot_buf {
    uint8_t *data;
    size_t size, capacity;
    unsigned depth; /* containers open while a value is encoded */
    uint8_t room[1024];
} hot_buf;

void hot_buf_init(hot_buf *buf);
void hot_buf_free(hot_buf *buf);
uint8_t *hot_buf_extend(hot_buf *buf, size_t bytes); /* NULL with MemoryError set */
int hot_buf_add(hot_buf *buf, const void *data, size_t bytes);

/* What a module remembers of Python's world. */
typedef struct hot_state {
    PyObject *decimal; /* decimal.Decimal */
    /* callable(code, flags, position, message, detail or None, mode) -> exception */
    PyObject *raise_error;
} hot_state;

extern hot_state hot_global;

#define HOT_FLOATS 1u /* floats are legal going in, and numbers come out as int or float */

int hot_encode_value(hot_buf *buf, PyObject *value, uint32_t mode);
int hot_encode_map(hot_buf *buf, PyObject *map, uint32_t mode); /* refuses everything but a dict */
PyObject *hot_decode_item(const uint8_t *frame, size_t frame_bytes, uint32_t mode);
/* Both NULL. mode: of the numbers of items in the detail. */
PyObject *hot_raise(const stator_error *error);
PyObject *hot_raise_in(const stator_error *error, uint32_t mode);
PyObject *hot_raise_invalid(const char *format, ...);

/* dispatch.c */
PyObject *hot_py_dispatch(PyObject *module, PyObject *arguments);
PyObject *hot_py_clock_move(PyObject *module, PyObject *arguments);

#endif
