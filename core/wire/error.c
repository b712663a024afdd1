/* Errors as the service writes them.
 *
 * Three namespaces: com.amazon.coral.validate for ValidationException, com.amazon.coral.service for
 * what goes wrong before an operation is found, com.amazonaws.dynamodb.v20120810 for the rest. On
 * the new layer of wording PutItem, UpdateItem and DeleteItem put what they refuse in a request
 * into the envelope of constraint errors.
 */
#include "wire/wire_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERROR_TEXT_MAX 4096
#define ERROR_ENVELOPE "1 validation error detected: "

st_status st_wire__refuse(wire_call *call, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return st_fail(call->op, ST_INVALID_ARGUMENT, "%s", text);
}

st_status st_wire__refuse_bare(wire_call *call, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    call->is_bare = true;
    return st_fail(call->op, ST_INVALID_ARGUMENT, "%s", text);
}

st_status st_wire__value_refuse(wire_call *call, const char *text)
{
    return st_fail(call->op, ST_INVALID_ARGUMENT, "%s", text);
}

st_status st_wire__fail(wire_call *call, const char *exception, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (call->op->error.code == ST_OK) {
        call->exception = exception;
        call->is_bare = true;
    }
    return st_fail(call->op, ST_INVALID_ARGUMENT, "%s", text);
}

st_status st_wire__serialization(wire_call *call, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (call->op->error.code == ST_OK) {
        call->exception = "SerializationException";
        call->is_bare = true;
        call->capital_message = true;
    }
    return st_fail(call->op, ST_INVALID_ARGUMENT, "%s", text);
}

/* ---- constraints ------------------------------------------------------------------------ */

void st_wire__constraint(wire_call *call, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (call->constraint_count++ > 0) {
        st_wire__put_text(&call->constraints, "; ");
    }
    bytes = bytes < (int)sizeof text ? bytes : (int)sizeof text - 1;
    st_buf_append(&call->constraints, text, (size_t)bytes);
}

st_status st_wire__constraints_end(wire_call *call)
{
    if (call->constraint_count == 0) {
        return ST_OK;
    }
    ST_TRY(st_buf_check(call->op, &call->constraints));
    call->is_bare = true;
    return st_fail(call->op, ST_INVALID_ARGUMENT, "%u validation error%s detected: %.*s",
                   call->constraint_count, call->constraint_count == 1 ? "" : "s",
                   (int)call->constraints.size, (const char *)call->constraints.data);
}

st_status st_wire__constraint_alone(wire_call *call, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    call->is_bare = true;
    return st_fail(call->op, ST_INVALID_ARGUMENT, ERROR_ENVELOPE "%s", text);
}

/* ---- writing ---------------------------------------------------------------------------- */

static const char *error_namespace(const char *exception)
{
    static const char *const error_service[] = {
        "SerializationException", "UnknownOperationException", "AccessDeniedException", NULL};
    if (strcmp(exception, "ValidationException") == 0) {
        return "com.amazon.coral.validate#";
    }
    for (size_t i = 0; error_service[i]; i++) {
        if (strcmp(exception, error_service[i]) == 0) {
            return "com.amazon.coral.service#";
        }
    }
    return "com.amazonaws.dynamodb.v20120810#";
}

static bool error_ends_with(st_slice text, const char *end)
{
    size_t bytes = strlen(end);
    return text.size >= bytes && memcmp(text.data + text.size - bytes, end, bytes) == 0;
}

static const uint8_t *error_find(st_slice text, const char *part)
{
    size_t bytes = strlen(part);
    for (size_t i = 0; i + bytes <= text.size; i++) {
        if (memcmp(text.data + i, part, bytes) == 0) {
            return text.data + i;
        }
    }
    return NULL;
}

/* What the old layer says otherwise. */
static void error_put_old_text(const wire_call *call, st_slice text, st_buf *out)
{
    static const char error_size[] = "Expression size has exceeded the maximum allowed size;";
    static const char error_numbers[] =
        "One or more parameter values were invalid: Input collection contains duplicates.";
    if (error_ends_with(text, "numeric value: ")) {
        text.size -= 2;
    }
    if (st_slice_equal(text, st_slice_str(error_numbers))) {
        text = st_slice_str("Input collection contains duplicates");
    }
    const uint8_t *list = error_find(text, "Input collection [");
    for (size_t i = 0; i < text.size; i++) {
        bool is_listed = list && text.data + i > list;
        if (!is_listed || text.data[i] != '"') {
            st_buf_byte(out, text.data[i]);
        }
        if (is_listed && text.data[i] == ',' && i + 1 < text.size && text.data[i + 1] != ' ') {
            st_buf_byte(out, ' ');
        }
    }
    bool is_new_form = strcmp(call->operation->name, "TransactWriteItems") == 0 &&
                       st_slice_starts_with(text, st_slice_str("Invalid UpdateExpression"));
    if (error_ends_with(text, error_size) && !is_new_form) {
        char bytes[64];
        snprintf(bytes, sizeof bytes, " expression size: %llu", (unsigned long long)call->oversize);
        st_wire__put_text(out, bytes);
    }
}

static void error_put_message(wire_call *call, st_status status, st_buf *out)
{
    st_slice message = st_op_message(call->op);
    st_buf text;
    st_buf_init(&text, call->op->alloc);
    if (status == ST_INVALID_ARGUMENT && call->wraps && call->is_new_layer && !call->is_bare) {
        st_wire__put_text(&text, ERROR_ENVELOPE);
    }
    if (status == ST_INVALID_ARGUMENT && !call->is_new_layer) {
        error_put_old_text(call, message, &text);
    } else if (status == ST_TABLE_NOT_FOUND && !call->exception) {
        st_wire__put_text(&text, "Requested resource not found");
    } else {
        st_buf_slice(&text, message);
    }
    st_json_put_string(out, st_buf_view(&text));
    st_buf_deinit(&text);
}

static void error_put_reasons(const wire_call *call, st_buf *out)
{
    static const char *const error_codes[] = {
        "None",          "ConditionalCheckFailed", "ValidationError", "TransactionConflict",
        "DuplicateItem", "ResourceNotFound"};
    st_reader reader = st_reader_of(call->error_reasons);
    uint32_t count = st_reader_u32(&reader);
    st_wire__put_text(out, ",\"CancellationReasons\":[");
    for (uint32_t i = 0; i < count && !reader.failed; i++) {
        uint8_t reason = st_reader_byte(&reader);
        st_slice text = st_reader_slice(&reader, st_reader_u32(&reader));
        st_slice item = st_reader_slice(&reader, st_reader_u32(&reader));
        st_wire__put_text(out, i > 0 ? ",{\"Code\":\"" : "{\"Code\":\"");
        st_wire__put_text(out, error_codes[reason <= ST_REASON_NO_TABLE ? reason : 0]);
        st_wire__put_text(out, "\"");
        if (text.size > 0) {
            st_wire__put_text(out, ",\"Message\":");
            st_json_put_string(out, text);
        }
        if (item.size > 0) {
            st_wire__put_text(out, ",\"Item\":");
            st_wire__put_item(item, true, out);
        }
        st_wire__put_text(out, "}");
    }
    st_wire__put_text(out, "]");
}

static const char *error_exception(const wire_call *call, st_status status)
{
    if (call->exception) {
        return call->exception;
    }
    const char *exception = st_status_exception(status);
    return exception[0] ? exception : "InternalServerError";
}

static bool error_has_message(const wire_call *call)
{
    if (!call->exception) {
        return true;
    }
    return strcmp(call->exception, "UnknownOperationException") != 0 &&
           st_op_message(call->op).size > 0;
}

uint32_t st_wire__put_error(wire_call *call, st_status status, st_buf *out)
{
    const char *exception = error_exception(call, status);
    bool is_internal = strcmp(exception, "InternalServerError") == 0;
    bool is_capital = call->capital_message || status == ST_TRANSACTION_CANCELED;
    st_wire__put_text(out, "{\"__type\":\"");
    st_wire__put_text(out, error_namespace(exception));
    st_wire__put_text(out, exception);
    st_wire__put_text(out, "\"");
    if (error_has_message(call)) {
        st_wire__put_text(out, is_capital ? ",\"Message\":" : ",\"message\":");
        error_put_message(call, status, out);
    }
    bool may_have_item = status == ST_CONDITION_FAILED || status == ST_DUPLICATE_ITEM;
    if (may_have_item && call->error_item.size > 0) {
        st_wire__put_text(out, ",\"Item\":");
        st_wire__put_item(call->error_item, call->is_java, out);
    }
    if (status == ST_TRANSACTION_CANCELED && call->error_reasons.size > 0) {
        error_put_reasons(call, out);
    }
    st_wire__put_text(out, "}");
    return is_internal ? 500 : 400;
}
