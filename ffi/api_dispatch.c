/* The DynamoDB JSON protocol without a socket, and the database's clock. */
#include "ffi_internal.h"

#include "wire/wire.h"

#include <string.h>

void stator_dispatch_options_init(stator_dispatch_options *options)
{
    if (options) {
        memset(options, 0, sizeof *options);
        options->struct_size = sizeof *options;
    }
}

static bool ffi_dispatch_text(const void *text, size_t text_bytes, char *to, size_t to_bytes)
{
    if (text_bytes == 0) {
        return true;
    }
    if (!ffi_is_bytes(text, text_bytes) || text_bytes >= to_bytes) {
        return false;
    }
    memcpy(to, text, text_bytes);
    to[text_bytes] = '\0';
    return true;
}

static stator_status ffi_dispatch_settings(const stator_dispatch_options *options,
                                           st_wire_settings *settings, stator_error *error)
{
    stator_dispatch_options given;
    st_wire_settings_init(settings);
    if (!options) {
        return STATOR_OK;
    }
    stator_dispatch_options_init(&given);
    stator_status status = ffi_struct_in(options, &given, sizeof given, error);
    if (status != STATOR_OK) {
        return status;
    }
    if (given.layer < STATOR_LAYER_CURRENT || given.layer > STATOR_LAYER_NEW) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT, "layer is none of STATOR_LAYER_...");
    }
    settings->layer = (st_wire_layer)given.layer;
    if (!ffi_dispatch_text(given.region, given.region_bytes, settings->region,
                           sizeof settings->region) ||
        !ffi_dispatch_text(given.account, given.account_bytes, settings->account,
                           sizeof settings->account)) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT,
                          "region (at most 31 bytes) or account (at most 15) is too long or NULL");
    }
    return STATOR_OK;
}

stator_status stator_dispatch(stator_db *token, const void *target, size_t target_bytes,
                              const void *body, size_t body_bytes,
                              const stator_dispatch_options *options, int32_t *out_http_status,
                              stator_buffer **out_body, stator_error *error)
{
    if (!out_body || !out_http_status) {
        return ffi_refuse(error, STATOR_MISUSE, "out_body or out_http_status is NULL");
    }
    *out_body = NULL;
    *out_http_status = 0;
    if (!ffi_is_bytes(target, target_bytes) || !ffi_is_bytes(body, body_bytes)) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT, "target or body is NULL or too long");
    }
    st_wire_settings settings;
    stator_status status = ffi_dispatch_settings(options, &settings, error);
    ffi_hold db;
    if (status == STATOR_OK) {
        status = ffi_enter(token, FFI_DB, error, &db);
    }
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf answer;
    uint32_t http_status = 0;
    st_buf_init(&answer, ffi_alloc());
    status = (stator_status)st_wire_dispatch(&call.op, db.db->database, &settings,
                                             st_slice_of(target, target_bytes),
                                             st_slice_of(body, body_bytes), &http_status, &answer);
    ffi_leave(&db);
    if (status == STATOR_OK) {
        *out_http_status = (int32_t)http_status;
        status = ffi_buffer_of(&call, &answer, out_body);
    }
    st_buf_deinit(&answer);
    return ffi_end(&call, status);
}

stator_status stator_clock_move(stator_db *token, int64_t offset_us, stator_error *error)
{
    ffi_hold db;
    stator_status status = ffi_enter(token, FFI_DB, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    status = (stator_status)st_database_set_clock(&call.op, db.db->database, offset_us);
    ffi_leave(&db);
    return ffi_end(&call, status);
}
