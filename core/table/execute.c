/* From a request frame to its operation. */
#include "table/table_internal.h"

static st_status execute_operation(st_op *op, st_database *database, const st_request *request,
                                   st_buf *out)
{
    switch (request->operation) {
    case ST_REQUEST_CREATE_TABLE:
        return st_table__create(op, database, request, out);
    case ST_REQUEST_DESCRIBE_TABLE:
        return st_table__describe(op, database, request, out);
    case ST_REQUEST_LIST_TABLES:
        st_table__list(database, request, out);
        return ST_OK;
    case ST_REQUEST_DELETE_TABLE:
        return st_table__delete(op, database, request, out);
    case ST_REQUEST_PUT:
    case ST_REQUEST_DELETE:
        return st_table__write_one(op, database, request, out);
    case ST_REQUEST_GET:
        return st_table__get_one(op, database, request, out);
    case ST_REQUEST_BATCH_WRITE:
        return st_table__write_batch(op, database, request, out);
    case ST_REQUEST_BATCH_GET:
        return st_table__get_batch(op, database, request, out);
    default:
        return st_fail_at(op, ST_UNSUPPORTED, 1, "request operation %u", request->operation);
    }
}

/* Queries and scans answer one page. */
static st_status execute_page(st_op *op, st_database *database, st_slice request, st_buf *out)
{
    st_table_cursor *cursor;
    ST_TRY(st_table_cursor_open(op, database, request, &cursor));
    st_status status = st_table_cursor_next_page(op, cursor, out);
    st_table_cursor_close(cursor);
    return status;
}

st_status st_table_execute(st_op *op, st_database *database, st_slice request, st_buf *out_result)
{
    size_t begin = out_result->size;
    st_request decoded;
    st_status status = st_table__request(op, request, &decoded);
    if (status == ST_OK && decoded.deadline_ms != 0) {
        op->deadline_us = st_env_monotonic_us(database->env) + (uint64_t)decoded.deadline_ms * 1000;
    }
    if (status == ST_OK) {
        bool is_page =
            decoded.operation == ST_REQUEST_QUERY || decoded.operation == ST_REQUEST_SCAN;
        status = is_page ? execute_page(op, database, request, out_result)
                         : execute_operation(op, database, &decoded, out_result);
    }
    if (status == ST_OK) {
        status = st_buf_check(op, out_result);
    }
    if (status != ST_OK) {
        out_result->size = begin;
    }
    return status;
}
