/* From a request to its operation. */
#include "table/table_internal.h"

static st_status execute_operation(st_op *op, st_database *database, const st_request *request,
                                   st_buf *out)
{
    switch (request->operation) {
    case ST_REQUEST_CREATE_TABLE:
        return st_table__create(op, database, request, out);
    case ST_REQUEST_ALTER_TABLE:
        return st_table__alter(op, database, request, out);
    case ST_REQUEST_DESCRIBE_TABLE:
        return st_table__describe(op, database, request, out);
    case ST_REQUEST_LIST_TABLES:
        st_table__list(database, request, out);
        return ST_OK;
    case ST_REQUEST_DELETE_TABLE:
        return st_table__delete(op, database, request, out);
    case ST_REQUEST_PUT:
    case ST_REQUEST_DELETE:
    case ST_REQUEST_UPDATE:
    case ST_REQUEST_BATCH_WRITE:
    case ST_REQUEST_TRANSACT_WRITE:
        return st_table__write(op, database, request, out);
    case ST_REQUEST_GET:
        return st_table__get_one(op, database, request, out);
    case ST_REQUEST_BATCH_GET:
    case ST_REQUEST_TRANSACT_GET:
        return st_table__get_batch(op, database, request, out);
    case ST_REQUEST_QUERY:
    case ST_REQUEST_SCAN:
        return st_table__page(op, database, request, out);
    default:
        return st_fail_at(op, ST_UNSUPPORTED, 1, "request operation %u", request->operation);
    }
}

st_status st_table_run(st_op *op, st_database *database, const st_request *request,
                       st_buf *out_result)
{
    size_t begin = out_result->size;
    if (request->deadline_ms != 0 && op->deadline_us == 0) {
        op->deadline_us =
            st_env_monotonic_us(database->env) + (uint64_t)request->deadline_ms * 1000;
    }
    st_status status = execute_operation(op, database, request, out_result);
    if (status == ST_OK) {
        status = st_buf_check(op, out_result);
    }
    if (status != ST_OK) {
        out_result->size = begin;
    }
    return status;
}

st_status st_table_execute(st_op *op, st_database *database, st_slice request, st_buf *out_result)
{
    st_request decoded;
    ST_TRY(st_table_request(op, request, &decoded));
    return st_table_run(op, database, &decoded, out_result);
}
