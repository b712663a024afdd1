/* The DynamoDB JSON protocol, and the clock for tests. Both may wait for files, so both let the GIL
 * go. */
#include "hot.h"

#include <string.h>

/* (HTTP status, body) */
PyObject *hot_py_dispatch(PyObject *module, PyObject *arguments)
{
    (void)module;
    unsigned long long db;
    int layer;
    const char *target, *body, *region, *account;
    Py_ssize_t target_bytes, body_bytes, region_bytes, account_bytes;
    if (!PyArg_ParseTuple(arguments, "Ks#y#is#s#", &db, &target, &target_bytes, &body, &body_bytes,
                          &layer, &region, &region_bytes, &account, &account_bytes)) {
        return NULL;
    }
    stator_dispatch_options options;
    stator_dispatch_options_init(&options);
    options.layer = layer;
    options.region = region;
    options.region_bytes = (size_t)region_bytes;
    options.account = account;
    options.account_bytes = (size_t)account_bytes;
    stator_error error;
    stator_error_init(&error);
    stator_buffer *answer = NULL;
    int32_t http_status = 0;
    stator_status status;
    Py_BEGIN_ALLOW_THREADS status =
        stator_dispatch((stator_db *)(uintptr_t)db, target, (size_t)target_bytes, body,
                        (size_t)body_bytes, &options, &http_status, &answer, &error);
    Py_END_ALLOW_THREADS const void *data = NULL;
    size_t bytes = 0;
    PyObject *result = NULL;
    if (status == STATOR_OK && stator_buffer_data(answer, &data, &bytes) == STATOR_OK) {
        result = Py_BuildValue("(iy#)", (int)http_status, bytes > 0 ? (const char *)data : "",
                               (Py_ssize_t)bytes);
    } else {
        hot_raise(&error);
    }
    stator_buffer_free(answer);
    stator_error_clear(&error);
    return result;
}

PyObject *hot_py_clock_move(PyObject *module, PyObject *arguments)
{
    (void)module;
    unsigned long long db;
    long long offset_us;
    if (!PyArg_ParseTuple(arguments, "KL", &db, &offset_us)) {
        return NULL;
    }
    stator_error error;
    stator_error_init(&error);
    stator_status status;
    Py_BEGIN_ALLOW_THREADS status =
        stator_clock_move((stator_db *)(uintptr_t)db, (int64_t)offset_us, &error);
    Py_END_ALLOW_THREADS PyObject *answer =
        status == STATOR_OK ? Py_NewRef(Py_None) : hot_raise(&error);
    stator_error_clear(&error);
    return answer;
}
