/* Running one statement. */
#include "partiql/execute_internal.h"

/* What a write gives back: the old or the new item, if there is one. */
static void execute_put_returned(st_slice result, st_buf *out)
{
    st_slice item;
    bool has = st_table_result_find(result, ST_RESULT_OLD_ITEM, &item) ||
               st_table_result_find(result, ST_RESULT_NEW_ITEM, &item);
    size_t place = st_partiql__result_open(out, ST_RESULT_ITEMS);
    st_buf_u32(out, has);
    if (has) {
        st_buf_u32(out, (uint32_t)item.size);
        st_buf_slice(out, item);
    }
    st_partiql__result_shut(out, place);
}

static void execute_copy_field(st_slice result, uint8_t number, st_buf *out)
{
    st_slice payload;
    if (st_table_result_find(result, number, &payload)) {
        st_partiql__result_field(out, number, payload);
    }
}

static st_status execute_write(st_op *op, st_database *database, const st_partiql__plan *plan,
                               st_buf *out)
{
    st_partiql__parts parts;
    st_request request;
    st_buf written;
    ST_TRY(st_partiql__request(op, plan, &parts, &request));
    ST_TRY(st_partiql__check_pins(op, &parts.pinned));
    st_buf_init(&written, op->alloc);
    st_status status = st_partiql__run(op, database, plan, &request, &written);
    if (status == ST_OK) {
        st_slice result = st_buf_view(&written);
        st_partiql__result_begin(out, ST_REQUEST_STATEMENT);
        execute_put_returned(result, out);
        execute_copy_field(result, ST_RESULT_SEQUENCE, out);
        execute_copy_field(result, ST_RESULT_CAPACITY, out);
        status = st_buf_check(op, out);
    }
    st_buf_deinit(&written);
    return status;
}

st_status st_partiql__no_exists(st_op *op, const st_partiql__plan *plan)
{
    return plan->statement->verb != ST_PARTIQL_EXISTS
               ? ST_OK
               : st_fail(op, ST_INVALID_ARGUMENT,
                         "EXISTS can only be used in ExecuteTransaction write requests.");
}

static st_status execute_call(st_op *op, st_database *database, const st_partiql_call *call,
                              st_buf *out)
{
    st_partiql__plan plan;
    ST_TRY(st_partiql__plan_parse(op, call, &plan));
    ST_TRY(st_partiql__no_exists(op, &plan));
    ST_TRY(st_partiql__plan_bind(op, database, &plan));
    return st_partiql__is_read(&plan) ? st_partiql__select(op, database, &plan, out)
                                      : execute_write(op, database, &plan, out);
}

st_status st_partiql_execute(st_op *op, st_database *database, const st_partiql_call *call,
                             st_buf *out_result)
{
    size_t begin = out_result->size;
    st_status status = execute_call(op, database, call, out_result);
    if (status != ST_OK) {
        out_result->size = begin;
    }
    return status;
}
