/* A batch of statements: each runs for itself and answers for itself.
 *
 * What is wrong with one statement is told in its member; what is wrong with the batch as a whole,
 * reads beside writes or one item twice, fails it before anything runs. Statements that do not
 * parse take no part in those checks, statements without a key only in the first.
 */
#include "partiql/execute_internal.h"

#include <string.h>

typedef struct batch_member {
    st_partiql__plan plan;
    st_partiql__parts parts;
    st_request request;
    bool is_parsed;
    bool tells_table;
    st_slice key; /* of the store; empty: not known */
    st_status status;
    st_slice text; /* of the error */
    st_slice item;
} batch_member;

typedef struct batch_run {
    st_op *op;
    st_database *database;
    batch_member *members;
    uint32_t count;
    st_buf result, shaped;
    st_partiql__charges charges;
} batch_run;

/* ---- members that fail ------------------------------------------------------------------ */

/* Errors in which the service names the table though they are of validation. */
static bool batch_names_table(st_slice text)
{
    static const char *const batch_named[] = {
        ST_PARTIQL__INVALID "Cannot update attribute ",
        ST_PARTIQL__INVALID "Size of hashkey ",
        ST_PARTIQL__INVALID "Aggregated size of all range keys ",
    };
    for (size_t i = 0; i < sizeof batch_named / sizeof batch_named[0]; i++) {
        if (st_slice_starts_with(text, st_slice_str(batch_named[i]))) {
            return true;
        }
    }
    return false;
}

/* Keeps the recorded error as that of the member; what is not the caller's fault stays an error of
 * the call. */
static st_status batch_keep_error(batch_run *run, batch_member *member, st_status status)
{
    st_op *op = run->op;
    if (status == ST_OK || (st_status_flags((int32_t)status) & ST_STATUS_CALLER) == 0) {
        return status;
    }
    st_slice text = st_op_message(op), item = op->error.detail;
    ST_TRY(st_partiql__copy(op, text, &member->text));
    member->status = status;
    member->item = item; /* in the arena */
    member->tells_table = status != ST_INVALID_ARGUMENT || batch_names_table(text);
    st_op_clear(op);
    return ST_OK;
}

/* ---- before anything runs --------------------------------------------------------------- */

static st_status batch_parse(batch_run *run, batch_member *member, const st_partiql_call *call)
{
    ST_TRY(st_partiql__plan_parse(run->op, call, &member->plan));
    ST_TRY(st_partiql__no_exists(run->op, &member->plan));
    member->is_parsed = true;
    return ST_OK;
}

static st_status batch_check_mixing(batch_run *run)
{
    bool has_reads = false, has_writes = false;
    for (uint32_t i = 0; i < run->count; i++) {
        const batch_member *member = &run->members[i];
        has_reads = has_reads || (member->is_parsed && st_partiql__is_read(&member->plan));
        has_writes = has_writes || (member->is_parsed && !st_partiql__is_read(&member->plan));
    }
    return has_reads && has_writes
               ? st_fail(run->op, ST_INVALID_ARGUMENT,
                         "Read and write requests together in the same batch is not supported.")
               : ST_OK;
}

static st_status batch_bind(batch_run *run, batch_member *member)
{
    st_op *op = run->op;
    ST_TRY(st_partiql__plan_bind(op, run->database, &member->plan));
    ST_TRY(st_partiql__request(op, &member->plan, &member->parts, &member->request));
    if (st_partiql__is_read(&member->plan) &&
        (!member->parts.pinned.is_whole || member->plan.index)) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Select statements within BatchExecuteStatement must specify the primary "
                       "key in the where clause.");
    }
    return st_partiql__check_pins(op, &member->parts.pinned);
}

static st_status batch_check_twice(batch_run *run)
{
    for (uint32_t i = 0; i < run->count; i++) {
        batch_member *member = &run->members[i];
        if (member->status != ST_OK) {
            continue;
        }
        ST_TRY(st_partiql__store_key(run->op, &member->plan, &member->parts.pinned, &member->key));
        for (uint32_t k = 0; k < i && member->key.size > 0; k++) {
            if (st_slice_equal(run->members[k].key, member->key)) {
                return st_fail(run->op, ST_INVALID_ARGUMENT,
                               "Provided list of item keys contains duplicates");
            }
        }
    }
    return ST_OK;
}

/* ---- running ---------------------------------------------------------------------------- */

static st_status batch_take_item(batch_run *run, batch_member *member)
{
    st_slice result = st_buf_view(&run->result), item;
    bool is_read = st_partiql__is_read(&member->plan);
    if (!st_table_result_find(result, ST_RESULT_ITEM, &item) &&
        !st_table_result_find(result, ST_RESULT_OLD_ITEM, &item) &&
        !st_table_result_find(result, ST_RESULT_NEW_ITEM, &item)) {
        return ST_OK;
    }
    st_buf_clear(&run->shaped);
    if (is_read) {
        ST_TRY(st_partiql__shape(run->op, &member->plan, item, &run->shaped));
        item = st_buf_view(&run->shaped);
    }
    return st_partiql__copy(run->op, item, &member->item);
}

/* A failed condition costs the write that was tried: the larger of the row and the inserted item.
 * It is charged to the table as a whole, none of its arms. */
static st_status batch_charge_failure(batch_run *run, const batch_member *member)
{
    const st_partiql__plan *plan = &member->plan;
    uint64_t bytes = member->item.size > 0 ? st_item_size(member->item) : 0;
    if (plan->statement->verb == ST_PARTIQL_INSERT) {
        st_op quiet;
        st_op_init(&quiet, run->op->alloc);
        st_buf_clear(&run->shaped);
        if (st_item_canonicalize(&quiet, plan->statement->item, &run->shaped) == ST_OK) {
            uint64_t inserted = st_item_size(st_buf_view(&run->shaped));
            bytes = inserted > bytes ? inserted : bytes;
        }
        st_op_deinit(&quiet);
    }
    return st_partiql__charges_add_failure(run->op, &run->charges, plan->table.name, bytes);
}

static st_status batch_fail_member(batch_run *run, batch_member *member, st_status status)
{
    ST_TRY(batch_keep_error(run, member, status));
    bool is_judged = status == ST_CONDITION_FAILED || status == ST_DUPLICATE_ITEM;
    if (is_judged && member->request.wants_capacity) {
        ST_TRY(batch_charge_failure(run, member));
    }
    if (!member->plan.call->returns_on_failure) {
        member->item = (st_slice){0};
    }
    return ST_OK;
}

static st_status batch_run_member(batch_run *run, batch_member *member)
{
    st_buf_clear(&run->result);
    if (member->request.wants_capacity) {
        member->request.flags |= ST_FLAG_RETURN_ON_FAILURE; /* what is charged */
    }
    st_status status =
        st_partiql__run(run->op, run->database, &member->plan, &member->request, &run->result);
    if (status != ST_OK) {
        return batch_fail_member(run, member, status);
    }
    member->tells_table = true;
    ST_TRY(batch_take_item(run, member));
    return st_partiql__charges_add(run->op, &run->charges, st_buf_view(&run->result));
}

static st_status batch_run_all(batch_run *run)
{
    bool has_written = false;
    for (uint32_t i = 0; i < run->count; i++) {
        batch_member *member = &run->members[i];
        if (member->status != ST_OK) {
            continue;
        }
        st_status status = batch_run_member(run, member);
        has_written = has_written || !st_partiql__is_read(&member->plan);
        if (status != ST_OK) {
            run->op->error.flags |= has_written ? ST_STATUS_MAYBE_APPLIED : 0u;
            return status;
        }
    }
    return ST_OK;
}

static st_status batch_prepare(batch_run *run, const st_partiql_call *calls)
{
    for (uint32_t i = 0; i < run->count; i++) {
        batch_member *member = &run->members[i];
        ST_TRY(batch_keep_error(run, member, batch_parse(run, member, &calls[i])));
    }
    ST_TRY(batch_check_mixing(run));
    for (uint32_t i = 0; i < run->count; i++) {
        batch_member *member = &run->members[i];
        if (member->is_parsed) {
            ST_TRY(batch_keep_error(run, member, batch_bind(run, member)));
        }
    }
    return batch_check_twice(run);
}

/* ---- the answer ------------------------------------------------------------------------- */

static void batch_put_member(const batch_member *member, st_buf *out)
{
    st_slice table = member->tells_table ? member->plan.statement->table : (st_slice){0};
    st_buf_u32(out, (uint32_t)member->status);
    st_buf_varint(out, table.size);
    st_buf_slice(out, table);
    st_buf_varint(out, member->text.size);
    st_buf_slice(out, member->text);
    st_buf_u32(out, (uint32_t)member->item.size);
    st_buf_slice(out, member->item);
}

static st_status batch_all(batch_run *run, const st_partiql_call *calls, st_buf *out)
{
    ST_TRY(batch_prepare(run, calls));
    ST_TRY(batch_run_all(run));
    st_partiql__result_begin(out, ST_REQUEST_STATEMENT_BATCH);
    size_t place = st_partiql__result_open(out, ST_RESULT_MEMBERS);
    st_buf_u32(out, run->count);
    for (uint32_t i = 0; i < run->count; i++) {
        batch_put_member(&run->members[i], out);
    }
    st_partiql__result_shut(out, place);
    st_partiql__charges_put(&run->charges, out);
    return st_buf_check(run->op, out);
}

st_status st_partiql_batch(st_op *op, st_database *database, const st_partiql_call *calls,
                           uint32_t count, st_buf *out_result)
{
    size_t begin = out_result->size;
    batch_run run = {.op = op, .database = database, .count = count};
    run.members = st_partiql__alloc(op, count, sizeof *run.members);
    if (!run.members) {
        return ST_NO_MEMORY;
    }
    st_buf_init(&run.result, op->alloc);
    st_buf_init(&run.shaped, op->alloc);
    st_status status = batch_all(&run, calls, out_result);
    st_buf_deinit(&run.result);
    st_buf_deinit(&run.shaped);
    if (status != ST_OK) {
        out_result->size = begin;
    }
    return status;
}
