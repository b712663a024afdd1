#include "bridge.h"

static void go_bridge_finish(stator_go_call *call, stator_status status, stator_error *error,
                             stator_buffer *buffer)
{
    call->status = status;
    if (status != STATOR_OK) {
        call->error = *error;
    } else {
        stator_error_clear(error);
    }
    call->buffer = (uintptr_t)buffer;
    call->buffer_data = NULL;
    call->buffer_bytes = 0;
    if (buffer) {
        (void)stator_buffer_data(buffer, &call->buffer_data, &call->buffer_bytes);
    }
}

void stator_go_open(const void *path, size_t path_bytes, const stator_options *options,
                    uintptr_t *out_db, stator_go_call *call)
{
    stator_error error;
    stator_error_init(&error);
    stator_db *db = NULL;
    stator_status status = stator_open(path, path_bytes, options, &db, &error);
    *out_db = (uintptr_t)db;
    go_bridge_finish(call, status, &error, NULL);
}

void stator_go_close(uintptr_t db, stator_go_call *call)
{
    stator_error error;
    stator_error_init(&error);
    stator_status status = stator_close((stator_db *)db, &error);
    go_bridge_finish(call, status, &error, NULL);
}

void stator_go_execute(uintptr_t db, const void *request, size_t request_bytes, void *result,
                       size_t result_capacity, stator_go_call *call)
{
    stator_error error;
    stator_error_init(&error);
    stator_buffer *buffer = NULL;
    call->result_bytes = 0;
    stator_status status = stator_execute((stator_db *)db, request, request_bytes, result,
                                          result_capacity, &call->result_bytes, &buffer, &error);
    go_bridge_finish(call, status, &error, buffer);
}

void stator_go_cursor_open(uintptr_t db, const void *request, size_t request_bytes,
                           uintptr_t *out_cursor, stator_go_call *call)
{
    stator_error error;
    stator_error_init(&error);
    stator_cursor *cursor = NULL;
    stator_status status =
        stator_cursor_open((stator_db *)db, request, request_bytes, &cursor, &error);
    *out_cursor = (uintptr_t)cursor;
    go_bridge_finish(call, status, &error, NULL);
}

void stator_go_cursor_next_page(uintptr_t cursor, void *result, size_t result_capacity,
                                stator_go_call *call)
{
    stator_error error;
    stator_error_init(&error);
    stator_buffer *buffer = NULL;
    call->result_bytes = 0;
    stator_status status = stator_cursor_next_page((stator_cursor *)cursor, result, result_capacity,
                                                   &call->result_bytes, &buffer, &error);
    go_bridge_finish(call, status, &error, buffer);
}

void stator_go_cursor_free(uintptr_t cursor)
{
    stator_cursor_free((stator_cursor *)cursor);
}

void stator_go_release(stator_go_call *call)
{
    stator_buffer_free((stator_buffer *)call->buffer);
    call->buffer = 0;
    call->buffer_data = NULL;
    call->buffer_bytes = 0;
}

void stator_go_care(uintptr_t db, int32_t what, stator_go_call *call)
{
    stator_error error;
    stator_error_init(&error);
    stator_buffer *report = NULL;
    call->result_bytes = 0;
    stator_status status = what == STATOR_GO_FLUSH ? stator_flush((stator_db *)db, &error)
                           : what == STATOR_GO_COMPACT
                               ? stator_compact((stator_db *)db, &error)
                               : stator_verify((stator_db *)db, &report, &error);
    go_bridge_finish(call, status, &error, report);
}

void stator_go_stats(uintptr_t db, stator_stats *out_stats, stator_go_call *call)
{
    stator_error error;
    stator_error_init(&error);
    out_stats->struct_size = sizeof *out_stats;
    stator_status status = stator_stats_read((stator_db *)db, out_stats, &error);
    go_bridge_finish(call, status, &error, NULL);
}

void stator_go_dispatch(uintptr_t db, const void *request, size_t operation_bytes,
                        size_t request_bytes, const stator_go_place *place, stator_go_call *call)
{
    stator_error error;
    stator_error_init(&error);
    stator_dispatch_options options;
    stator_dispatch_options_init(&options);
    options.region = place->region;
    options.region_bytes = place->region_bytes;
    options.account = place->account;
    options.account_bytes = place->account_bytes;
    stator_buffer *body = NULL;
    call->result_bytes = 0;
    stator_status status = stator_dispatch(
        (stator_db *)db, request, operation_bytes, (const char *)request + operation_bytes,
        request_bytes - operation_bytes, &options, &call->http_status, &body, &error);
    go_bridge_finish(call, status, &error, body);
}

void stator_go_clock_move(uintptr_t db, int64_t offset_us, stator_go_call *call)
{
    stator_error error;
    stator_error_init(&error);
    stator_status status = stator_clock_move((stator_db *)db, offset_us, &error);
    call->result_bytes = 0;
    go_bridge_finish(call, status, &error, NULL);
}
