/* The module stator._hot: open, close, one item, batches, pages, and requests that Python composed
 * itself. */
#include "hot.h"

#include <stdarg.h>
#include <string.h>

hot_state hot_global;

enum {
    OP_PUT = 5,
    OP_GET = 6,
    OP_DELETE = 7,
    OP_BATCH_WRITE = 8,
    OP_BATCH_GET = 9,
    OP_UPDATE = 12,
    OP_TRANSACT_GET = 15,
    FIELD_TABLE_ID = 2,
    FIELD_KEY = 3,
    FIELD_ITEM = 4,
    FIELD_DURABILITY = 5,
    FIELD_FLAGS = 7,
    FIELD_ENTRY = 17,
    FLAG_CACHED_ONLY = 1,
    FLAG_RETURN_OLD = 4,
    RESULT_ITEM = 1,
    RESULT_ITEMS = 2,
    RESULT_LAST_KEY = 3,
    RESULT_SEQUENCE = 4,
    RESULT_OLD_ITEM = 7,
    RESULT_NEW_ITEM = 9,
};

#define HOT_RESULT_BYTES 4096

static PyObject *hot_exception(const stator_error *error, uint32_t mode)
{
    return PyObject_CallFunction(hot_global.raise_error, "iILsy#I", (int)error->code,
                                 (unsigned)error->flags, (long long)error->position, error->message,
                                 (const char *)error->detail, (Py_ssize_t)error->detail_bytes,
                                 (unsigned)mode);
}

PyObject *hot_raise_in(const stator_error *error, uint32_t mode)
{
    PyObject *exception = hot_exception(error, mode);
    if (exception) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        Py_DECREF(exception);
    }
    return NULL;
}

PyObject *hot_raise(const stator_error *error)
{
    return hot_raise_in(error, 0);
}

PyObject *hot_raise_invalid(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PyObject *message = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    const char *text = message ? PyUnicode_AsUTF8(message) : NULL;
    if (text) {
        stator_error error;
        stator_error_init(&error);
        error.code = STATOR_INVALID_ARGUMENT;
        error.flags = STATOR_ERROR_CALLER;
        PyOS_snprintf(error.message, sizeof error.message, "%s", text);
        hot_raise(&error);
    } else if (message && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        hot_raise_invalid("a string with a lone surrogate cannot be stored as UTF-8");
    }
    Py_XDECREF(message);
    return NULL;
}

/* ---- frames ----------------------------------------------------------------------------- */

static void hot_put_u32(uint8_t *to, size_t value)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

static int hot_field_u32(hot_buf *buf, uint8_t number, uint32_t value)
{
    uint8_t *to = hot_buf_extend(buf, 9);
    if (!to) {
        return -1;
    }
    to[0] = number;
    hot_put_u32(to + 1, 4);
    hot_put_u32(to + 5, value);
    return 0;
}

static int hot_field_map(hot_buf *buf, uint8_t number, PyObject *map, uint32_t mode)
{
    uint8_t *head = hot_buf_extend(buf, 5);
    if (!head) {
        return -1;
    }
    head[0] = number;
    size_t begin = buf->size;
    if (hot_encode_map(buf, map, mode) != 0) {
        return -1;
    }
    hot_put_u32(buf->data + begin - 4, buf->size - begin);
    return 0;
}

static int hot_request(hot_buf *buf, int operation, uint32_t table_id, PyObject *map, uint32_t mode)
{
    uint8_t head[2] = {1, (uint8_t)operation};
    return hot_buf_add(buf, head, 2) || hot_field_u32(buf, FIELD_TABLE_ID, table_id) ||
                   hot_field_map(buf, operation == OP_PUT ? FIELD_ITEM : FIELD_KEY, map, mode)
               ? -1
               : 0;
}

static int hot_write_fields(hot_buf *buf, uint32_t durability, uint32_t flags)
{
    uint8_t level[6] = {FIELD_DURABILITY, 1, 0, 0, 0, (uint8_t)durability};
    return (durability && hot_buf_add(buf, level, sizeof level)) ||
                   (flags && hot_field_u32(buf, FIELD_FLAGS, flags))
               ? -1
               : 0;
}

/* A result frame: in room when it fits, else in a buffer of the library. */
typedef struct hot_result {
    uint8_t room[HOT_RESULT_BYTES];
    const uint8_t *data;
    size_t bytes;
    stator_buffer *buffer;
} hot_result;

static stator_status hot_result_take(hot_result *result, stator_status status, size_t bytes)
{
    result->data = result->room;
    result->bytes = bytes;
    if (status == STATOR_OK && result->buffer) {
        const void *data;
        status = stator_buffer_data(result->buffer, &data, &result->bytes);
        result->data = data;
    }
    return status;
}

static stator_status hot_call(uint64_t db, const hot_buf *buf, hot_result *result,
                              stator_error *error)
{
    size_t bytes = 0;
    stator_status status =
        stator_execute((stator_db *)(uintptr_t)db, buf->data, buf->size, result->room,
                       HOT_RESULT_BYTES, &bytes, &result->buffer, error);
    return hot_result_take(result, status, bytes);
}

/* Runs the request without the GIL; NULL with an exception set, or a non-NULL mark. */
static bool hot_run(uint64_t db, const hot_buf *buf, uint32_t mode, hot_result *result)
{
    stator_error error;
    stator_error_init(&error);
    result->buffer = NULL;
    stator_status status;
    Py_BEGIN_ALLOW_THREADS status = hot_call(db, buf, result, &error);
    Py_END_ALLOW_THREADS if (status != STATOR_OK)
    {
        stator_buffer_free(result->buffer);
        result->buffer = NULL;
        hot_raise_in(&error, mode);
    }
    stator_error_clear(&error);
    return status == STATOR_OK;
}

/* The payload of a field, or NULL. */
static const uint8_t *hot_find(const hot_result *result, uint8_t number, size_t *out_bytes)
{
    size_t at = 2;
    while (at + 5 <= result->bytes) {
        const uint8_t *field = result->data + at;
        size_t bytes = (size_t)field[1] | (size_t)field[2] << 8 | (size_t)field[3] << 16 |
                       (size_t)field[4] << 24;
        if (bytes > result->bytes - at - 5) {
            break;
        }
        if (field[0] == number) {
            *out_bytes = bytes;
            return field + 5;
        }
        at += 5 + bytes;
    }
    return NULL;
}

static PyObject *hot_find_item(const hot_result *result, uint8_t number, uint32_t mode)
{
    size_t bytes;
    const uint8_t *frame = hot_find(result, number, &bytes);
    if (!frame) {
        Py_RETURN_NONE;
    }
    return hot_decode_item(frame, bytes, mode);
}

static PyObject *hot_find_items(const hot_result *result, uint32_t mode)
{
    size_t bytes = 0, at = 4;
    const uint8_t *page = hot_find(result, RESULT_ITEMS, &bytes);
    PyObject *list = PyList_New(0);
    size_t count = page && bytes >= 4 ? (size_t)page[0] | (size_t)page[1] << 8 |
                                            (size_t)page[2] << 16 | (size_t)page[3] << 24
                                      : 0;
    for (size_t i = 0; list && i < count; i++) {
        if (bytes - at < 4) {
            break;
        }
        size_t item_bytes = (size_t)page[at] | (size_t)page[at + 1] << 8 |
                            (size_t)page[at + 2] << 16 | (size_t)page[at + 3] << 24;
        at += 4;
        if (item_bytes > bytes - at) {
            break;
        }
        PyObject *item =
            item_bytes == 0 ? Py_NewRef(Py_None) : hot_decode_item(page + at, item_bytes, mode);
        if (!item || PyList_Append(list, item) != 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
        at += item_bytes;
    }
    return list;
}

/* ---- functions of the module ------------------------------------------------------------ */

static PyObject *hot_py_setup(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *decimal, *raise_error;
    if (!PyArg_ParseTuple(arguments, "OO", &decimal, &raise_error)) {
        return NULL;
    }
    Py_XSETREF(hot_global.decimal, Py_NewRef(decimal));
    Py_XSETREF(hot_global.raise_error, Py_NewRef(raise_error));
    Py_RETURN_NONE;
}

static PyObject *hot_py_open(PyObject *module, PyObject *arguments)
{
    (void)module;
    const char *path;
    Py_ssize_t path_bytes;
    stator_options options;
    stator_options_init(&options);
    unsigned create, read_only, durability, interval_ms, inline_background;
    unsigned long long budget, memtable, file;
    if (!PyArg_ParseTuple(arguments, "y#IIIIIKKK", &path, &path_bytes, &create, &read_only,
                          &durability, &interval_ms, &inline_background, &budget, &memtable,
                          &file)) {
        return NULL;
    }
    options.create = create;
    options.read_only = read_only;
    options.durability = durability ? durability : options.durability;
    options.interval_ms = interval_ms ? interval_ms : options.interval_ms;
    options.inline_background = inline_background;
    options.memory_budget_bytes = budget ? budget : options.memory_budget_bytes;
    options.memtable_bytes = memtable;
    options.file_bytes = file;
    stator_error error;
    stator_error_init(&error);
    stator_db *db = NULL;
    stator_status status;
    Py_BEGIN_ALLOW_THREADS status = stator_open(path, (size_t)path_bytes, &options, &db, &error);
    Py_END_ALLOW_THREADS PyObject *token =
        status == STATOR_OK ? PyLong_FromUnsignedLongLong((uintptr_t)db) : hot_raise(&error);
    stator_error_clear(&error);
    return token;
}

typedef stator_status (*hot_db_call)(stator_db *db, stator_error *error);

static PyObject *hot_on_db(PyObject *arguments, hot_db_call call)
{
    unsigned long long db;
    if (!PyArg_ParseTuple(arguments, "K", &db)) {
        return NULL;
    }
    stator_error error;
    stator_error_init(&error);
    stator_status status;
    Py_BEGIN_ALLOW_THREADS status = call((stator_db *)(uintptr_t)db, &error);
    Py_END_ALLOW_THREADS PyObject *answer =
        status == STATOR_OK ? Py_NewRef(Py_None) : hot_raise(&error);
    stator_error_clear(&error);
    return answer;
}

static PyObject *hot_py_close(PyObject *module, PyObject *arguments)
{
    (void)module;
    return hot_on_db(arguments, stator_close);
}

static PyObject *hot_py_flush(PyObject *module, PyObject *arguments)
{
    (void)module;
    return hot_on_db(arguments, stator_flush);
}

static PyObject *hot_py_compact(PyObject *module, PyObject *arguments)
{
    (void)module;
    return hot_on_db(arguments, stator_compact);
}

/* (report, None or exception): the report is worth having when damage was found. */
static PyObject *hot_py_verify(PyObject *module, PyObject *arguments)
{
    (void)module;
    unsigned long long db;
    if (!PyArg_ParseTuple(arguments, "K", &db)) {
        return NULL;
    }
    stator_error error;
    stator_error_init(&error);
    stator_buffer *report = NULL;
    stator_status status;
    Py_BEGIN_ALLOW_THREADS status = stator_verify((stator_db *)(uintptr_t)db, &report, &error);
    Py_END_ALLOW_THREADS const void *data = "";
    size_t bytes = 0;
    if (report) {
        (void)stator_buffer_data(report, &data, &bytes);
    }
    PyObject *text = PyUnicode_DecodeUTF8(data, (Py_ssize_t)bytes, "replace");
    stator_buffer_free(report);
    PyObject *failure = Py_NewRef(Py_None);
    if (status != STATOR_OK) {
        Py_SETREF(failure, hot_exception(&error, 0));
    }
    stator_error_clear(&error);
    return text && failure ? Py_BuildValue("(NN)", text, failure) : NULL;
}

static PyObject *hot_levels(const uint64_t *values)
{
    PyObject *list = PyList_New(STATOR_STATS_LEVELS);
    for (Py_ssize_t i = 0; list && i < STATOR_STATS_LEVELS; i++) {
        PyObject *number = PyLong_FromUnsignedLongLong(values[i]);
        if (!number) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, number);
    }
    return list;
}

static PyObject *hot_py_stats(PyObject *module, PyObject *arguments)
{
    (void)module;
    unsigned long long db;
    if (!PyArg_ParseTuple(arguments, "K", &db)) {
        return NULL;
    }
    stator_stats stats = {.struct_size = sizeof stats};
    stator_error error;
    stator_error_init(&error);
    if (stator_stats_read((stator_db *)(uintptr_t)db, &stats, &error) != STATOR_OK) {
        return hot_raise(&error);
    }
    return Py_BuildValue(
        "{s:I,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:N,s:N,s:N,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,"
        "s:K,s:K,s:K}",
        "table_count", (unsigned)stats.table_count, "applied_sequence", stats.applied_sequence,
        "published_sequence", stats.published_sequence, "durable_sequence", stats.durable_sequence,
        "memtable_bytes", stats.memtable_bytes, "memtable_entries", stats.memtable_entries,
        "log_segments", stats.log_segments, "log_bytes", stats.log_bytes, "level_files",
        hot_levels(stats.level_files), "level_bytes", hot_levels(stats.level_bytes),
        "level_entries", hot_levels(stats.level_entries), "cache_bytes", stats.cache_bytes,
        "cache_hits", stats.cache_hits, "cache_misses", stats.cache_misses, "written_bytes_log",
        stats.written_bytes_log, "written_bytes_flush", stats.written_bytes_flush,
        "written_bytes_compaction", stats.written_bytes_compaction, "flushes", stats.flushes,
        "compactions", stats.compactions, "syncs", stats.syncs, "stall_us", stats.stall_us,
        "memory_used_bytes", stats.memory_used_bytes, "memory_budget_bytes",
        stats.memory_budget_bytes, "recovered_frames", stats.recovered_frames,
        "recovered_torn_bytes", stats.recovered_torn_bytes);
}

static PyObject *hot_py_execute(PyObject *module, PyObject *arguments)
{
    (void)module;
    unsigned long long db;
    const char *request;
    Py_ssize_t request_bytes;
    if (!PyArg_ParseTuple(arguments, "Ky#", &db, &request, &request_bytes)) {
        return NULL;
    }
    hot_buf buf = {.data = (uint8_t *)(uintptr_t)request, .size = (size_t)request_bytes};
    hot_result result;
    if (!hot_run(db, &buf, 0, &result)) {
        return NULL;
    }
    PyObject *frame =
        PyBytes_FromStringAndSize((const char *)result.data, (Py_ssize_t)result.bytes);
    stator_buffer_free(result.buffer);
    return frame;
}

/* Puts, deletes and updates: extra holds further fields of the request. Gives the new item if the
 * result has one, else the old one, else None. */
static PyObject *hot_write(PyObject *arguments, int operation)
{
    unsigned long long db;
    unsigned table_id, durability, flags, mode;
    PyObject *map;
    const char *extra = "";
    Py_ssize_t extra_bytes = 0;
    if (!PyArg_ParseTuple(arguments, "KIOIII|y#", &db, &table_id, &map, &durability, &flags, &mode,
                          &extra, &extra_bytes)) {
        return NULL;
    }
    hot_buf buf;
    hot_buf_init(&buf);
    PyObject *answer = NULL;
    hot_result result;
    if (hot_request(&buf, operation, table_id, map, mode) == 0 &&
        hot_buf_add(&buf, extra, (size_t)extra_bytes) == 0 &&
        hot_write_fields(&buf, durability, flags) == 0 && hot_run(db, &buf, mode, &result)) {
        size_t bytes;
        bool is_new = hot_find(&result, RESULT_NEW_ITEM, &bytes) != NULL;
        answer = hot_find_item(&result, is_new ? RESULT_NEW_ITEM : RESULT_OLD_ITEM, mode);
        stator_buffer_free(result.buffer);
    }
    hot_buf_free(&buf);
    return answer;
}

static PyObject *hot_py_put(PyObject *module, PyObject *arguments)
{
    (void)module;
    return hot_write(arguments, OP_PUT);
}

static PyObject *hot_py_delete(PyObject *module, PyObject *arguments)
{
    (void)module;
    return hot_write(arguments, OP_DELETE);
}

static PyObject *hot_py_update(PyObject *module, PyObject *arguments)
{
    (void)module;
    return hot_write(arguments, OP_UPDATE);
}

/* A get is tried on this thread with the GIL held, which is right as long as it cannot block; only
 * an answer that is not in memory lets the GIL go. */
static PyObject *hot_py_get(PyObject *module, PyObject *arguments)
{
    (void)module;
    unsigned long long db;
    unsigned table_id, flags, mode;
    PyObject *key;
    const char *extra = "";
    Py_ssize_t extra_bytes = 0;
    if (!PyArg_ParseTuple(arguments, "KIOII|y#", &db, &table_id, &key, &flags, &mode, &extra,
                          &extra_bytes)) {
        return NULL;
    }
    hot_buf buf;
    hot_buf_init(&buf);
    PyObject *answer = NULL;
    if (hot_request(&buf, OP_GET, table_id, key, mode) == 0 &&
        hot_buf_add(&buf, extra, (size_t)extra_bytes) == 0 &&
        hot_field_u32(&buf, FIELD_FLAGS, flags | FLAG_CACHED_ONLY) == 0) {
        hot_result result;
        result.buffer = NULL;
        stator_error error;
        stator_error_init(&error);
        stator_status status = hot_call(db, &buf, &result, &error);
        bool is_ready = status == STATOR_OK;
        if (status == STATOR_WOULD_BLOCK && !(flags & FLAG_CACHED_ONLY)) {
            stator_buffer_free(result.buffer);
            buf.data[buf.size - 4] = (uint8_t)flags;
            is_ready = hot_run(db, &buf, mode, &result);
        } else if (status != STATOR_OK) {
            stator_buffer_free(result.buffer);
            hot_raise(&error);
        }
        stator_error_clear(&error);
        if (is_ready) {
            answer = hot_find_item(&result, RESULT_ITEM, mode);
            stator_buffer_free(result.buffer);
        }
    }
    hot_buf_free(&buf);
    return answer;
}

static int hot_batch_entry(hot_buf *buf, PyObject *entry, uint32_t mode)
{
    int operation;
    unsigned table_id;
    PyObject *map;
    const char *extra = "";
    Py_ssize_t extra_bytes = 0;
    if (!PyTuple_Check(entry) ||
        !PyArg_ParseTuple(entry, "iIO|y#", &operation, &table_id, &map, &extra, &extra_bytes)) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "a batch entry is a tuple");
        }
        return -1;
    }
    uint8_t *head = hot_buf_extend(buf, 5);
    if (!head) {
        return -1;
    }
    head[0] = FIELD_ENTRY;
    size_t begin = buf->size;
    if (hot_request(buf, operation, table_id, map, mode) != 0 ||
        hot_buf_add(buf, extra, (size_t)extra_bytes) != 0) {
        return -1;
    }
    hot_put_u32(buf->data + begin - 4, buf->size - begin);
    return 0;
}

/* Batches and transactions: a list of items for those that read, else None. */
static PyObject *hot_py_batch(PyObject *module, PyObject *arguments)
{
    (void)module;
    unsigned long long db;
    int operation;
    PyObject *entries;
    unsigned durability, flags, mode;
    const char *extra = "";
    Py_ssize_t extra_bytes = 0;
    if (!PyArg_ParseTuple(arguments, "KiO!III|y#", &db, &operation, &PyList_Type, &entries,
                          &durability, &flags, &mode, &extra, &extra_bytes)) {
        return NULL;
    }
    hot_buf buf;
    hot_buf_init(&buf);
    uint8_t head[2] = {1, (uint8_t)operation};
    PyObject *answer = NULL;
    int failed = hot_buf_add(&buf, head, 2) || hot_write_fields(&buf, durability, flags) ||
                 hot_buf_add(&buf, extra, (size_t)extra_bytes);
    for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(entries); i++) {
        failed = hot_batch_entry(&buf, PyList_GET_ITEM(entries, i), mode);
    }
    hot_result result;
    if (!failed && hot_run(db, &buf, mode, &result)) {
        bool reads = operation == OP_BATCH_GET || operation == OP_TRANSACT_GET;
        answer = reads ? hot_find_items(&result, mode) : Py_NewRef(Py_None);
        stator_buffer_free(result.buffer);
    }
    hot_buf_free(&buf);
    return answer;
}

static PyObject *hot_py_cursor_open(PyObject *module, PyObject *arguments)
{
    (void)module;
    unsigned long long db;
    const char *request;
    Py_ssize_t request_bytes;
    if (!PyArg_ParseTuple(arguments, "Ky#", &db, &request, &request_bytes)) {
        return NULL;
    }
    stator_error error;
    stator_error_init(&error);
    stator_cursor *cursor = NULL;
    stator_status status = stator_cursor_open((stator_db *)(uintptr_t)db, request,
                                              (size_t)request_bytes, &cursor, &error);
    PyObject *token =
        status == STATOR_OK ? PyLong_FromUnsignedLongLong((uintptr_t)cursor) : hot_raise(&error);
    stator_error_clear(&error);
    return token;
}

/* (items, last_key or None) */
static PyObject *hot_py_cursor_page(PyObject *module, PyObject *arguments)
{
    (void)module;
    unsigned long long cursor;
    unsigned mode;
    if (!PyArg_ParseTuple(arguments, "KI", &cursor, &mode)) {
        return NULL;
    }
    hot_result result;
    result.buffer = NULL;
    stator_error error;
    stator_error_init(&error);
    stator_status status;
    size_t bytes = 0;
    Py_BEGIN_ALLOW_THREADS status =
        stator_cursor_next_page((stator_cursor *)(uintptr_t)cursor, result.room, HOT_RESULT_BYTES,
                                &bytes, &result.buffer, &error);
    Py_END_ALLOW_THREADS status = hot_result_take(&result, status, bytes);
    PyObject *answer = NULL;
    if (status != STATOR_OK) {
        hot_raise_in(&error, mode);
    } else {
        size_t key_bytes = 0;
        const uint8_t *key = hot_find(&result, RESULT_LAST_KEY, &key_bytes);
        PyObject *items = hot_find_items(&result, mode);
        answer =
            items ? Py_BuildValue("(Ny#)", items, (const char *)key, (Py_ssize_t)key_bytes) : NULL;
    }
    stator_error_clear(&error);
    stator_buffer_free(result.buffer);
    return answer;
}

static PyObject *hot_py_cursor_free(PyObject *module, PyObject *arguments)
{
    (void)module;
    unsigned long long cursor;
    if (!PyArg_ParseTuple(arguments, "K", &cursor)) {
        return NULL;
    }
    stator_cursor_free((stator_cursor *)(uintptr_t)cursor);
    Py_RETURN_NONE;
}

static PyObject *hot_py_encode(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *value;
    unsigned mode;
    if (!PyArg_ParseTuple(arguments, "OI", &value, &mode)) {
        return NULL;
    }
    hot_buf buf;
    hot_buf_init(&buf);
    PyObject *bytes = hot_encode_value(&buf, value, mode) == 0
                          ? PyBytes_FromStringAndSize((const char *)buf.data, (Py_ssize_t)buf.size)
                          : NULL;
    hot_buf_free(&buf);
    return bytes;
}

static PyObject *hot_py_decode(PyObject *module, PyObject *arguments)
{
    (void)module;
    const char *frame;
    Py_ssize_t frame_bytes;
    unsigned mode;
    if (!PyArg_ParseTuple(arguments, "y#I", &frame, &frame_bytes, &mode)) {
        return NULL;
    }
    return hot_decode_item((const uint8_t *)frame, (size_t)frame_bytes, mode);
}

static PyMethodDef hot_methods[] = {
    {"setup", hot_py_setup, METH_VARARGS, NULL},
    {"open", hot_py_open, METH_VARARGS, NULL},
    {"close", hot_py_close, METH_VARARGS, NULL},
    {"flush", hot_py_flush, METH_VARARGS, NULL},
    {"compact", hot_py_compact, METH_VARARGS, NULL},
    {"verify", hot_py_verify, METH_VARARGS, NULL},
    {"stats", hot_py_stats, METH_VARARGS, NULL},
    {"execute", hot_py_execute, METH_VARARGS, NULL},
    {"put", hot_py_put, METH_VARARGS, NULL},
    {"get", hot_py_get, METH_VARARGS, NULL},
    {"delete", hot_py_delete, METH_VARARGS, NULL},
    {"update", hot_py_update, METH_VARARGS, NULL},
    {"batch", hot_py_batch, METH_VARARGS, NULL},
    {"cursor_open", hot_py_cursor_open, METH_VARARGS, NULL},
    {"cursor_page", hot_py_cursor_page, METH_VARARGS, NULL},
    {"cursor_free", hot_py_cursor_free, METH_VARARGS, NULL},
    {"encode", hot_py_encode, METH_VARARGS, NULL},
    {"decode", hot_py_decode, METH_VARARGS, NULL},
    {"dispatch", hot_py_dispatch, METH_VARARGS, NULL},
    {"clock_move", hot_py_clock_move, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef hot_module = {
    PyModuleDef_HEAD_INIT, "_hot", NULL, -1, hot_methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__hot(void);

PyMODINIT_FUNC PyInit__hot(void)
{
    return PyModule_Create(&hot_module);
}
