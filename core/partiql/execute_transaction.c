/* A transaction of statements: all reads or all writes.
 *
 * What is wrong with a statement before its table is looked at fails the whole with the place of
 * the statement. Missing tables, and the first key value of a wrong type, cancel the transaction
 * before it runs; whatever else cancels it is table's judgement, told in the words of statements.
 */
#include "partiql/execute_internal.h"

#include <string.h>

typedef struct transaction_reason {
    uint8_t reason; /* ST_REASON_... */
    st_slice text, item;
} transaction_reason;

typedef struct transaction_entry {
    st_partiql__plan plan;
    st_partiql__parts parts;
    bool has_table;
    transaction_reason reason;
} transaction_entry;

typedef struct transaction_run {
    st_op *op;
    st_database *database;
    transaction_entry *entries;
    st_request *requests;
    uint32_t count;
    bool is_read;
    st_buf result, shaped;
} transaction_run;

/* Puts the place of a statement before the recorded text. */
static st_status transaction_place(st_op *op, uint32_t place, st_status status)
{
    st_slice text;
    if (status != ST_INVALID_ARGUMENT) {
        return status;
    }
    ST_TRY(st_partiql__copy(op, st_op_message(op), &text));
    st_op_clear(op);
    return st_fail(op, ST_INVALID_ARGUMENT, "Validation failed in TransactStatements[%u]: %.*s",
                   place, (int)text.size, (const char *)text.data);
}

/* ---- reasons ---------------------------------------------------------------------------- */

static st_status transaction_names(const transaction_run *run, st_buf *names)
{
    static const char *const transaction_codes[] = {
        "None",          "ConditionalCheckFailed", "ValidationError", "TransactionConflict",
        "DuplicateItem", "ResourceNotFound"};
    for (uint32_t i = 0; i < run->count; i++) {
        uint8_t reason = run->entries[i].reason.reason;
        const char *code = transaction_codes[reason <= ST_REASON_NO_TABLE ? reason : 0];
        st_buf_append(names, ", ", i > 0 ? 2 : 0);
        st_buf_append(names, code, strlen(code));
    }
    return st_buf_check(run->op, names);
}

/* u32 count, for each: u8 reason · u32 bytes · text · u32 bytes · item */
static void transaction_detail(const transaction_run *run, st_buf *detail)
{
    st_buf_u32(detail, run->count);
    for (uint32_t i = 0; i < run->count; i++) {
        const transaction_reason *reason = &run->entries[i].reason;
        st_buf_byte(detail, reason->reason);
        st_buf_u32(detail, (uint32_t)reason->text.size);
        st_buf_slice(detail, reason->text);
        st_buf_u32(detail, (uint32_t)reason->item.size);
        st_buf_slice(detail, reason->item);
    }
}

static st_status transaction_cancel(const transaction_run *run)
{
    st_op *op = run->op;
    st_slice kept;
    st_buf names, detail;
    st_buf_init(&names, op->alloc);
    st_buf_init(&detail, op->alloc);
    transaction_detail(run, &detail);
    st_op_clear(op);
    st_status status = transaction_names(run, &names);
    if (status == ST_OK) {
        status = st_partiql__keep(op, &detail, &kept);
    }
    if (status == ST_OK) {
        status = st_fail(op, ST_TRANSACTION_CANCELED,
                         "Transaction cancelled, please refer cancellation reasons for specific "
                         "reasons [%.*s]",
                         (int)names.size, (const char *)names.data);
        op->error.detail = kept;
    }
    st_buf_deinit(&names);
    st_buf_deinit(&detail);
    return status;
}

/* The reasons of table, in the words of statements. */
static st_status transaction_translate(transaction_run *run)
{
    st_reader reader = st_reader_of(run->op->error.detail);
    uint32_t count = st_reader_u32(&reader);
    for (uint32_t i = 0; i < run->count && i < count; i++) {
        transaction_reason *reason = &run->entries[i].reason;
        reason->reason = st_reader_byte(&reader);
        reason->text = st_reader_slice(&reader, st_reader_u32(&reader));
        reason->item = st_reader_slice(&reader, st_reader_u32(&reader));
        if (run->entries[i].plan.statement->verb == ST_PARTIQL_INSERT &&
            reason->reason == ST_REASON_CONDITION) {
            reason->reason = ST_REASON_DUPLICATE;
            reason->text = st_slice_str("Duplicate primary key exists in table");
        }
    }
    return transaction_cancel(run);
}

/* ---- before it runs --------------------------------------------------------------------- */

static st_status transaction_parse(transaction_run *run, const st_partiql_call *calls)
{
    bool has_writes = false;
    for (uint32_t i = 0; i < run->count; i++) {
        st_partiql__plan *plan = &run->entries[i].plan;
        ST_TRY(transaction_place(run->op, i, st_partiql__plan_parse(run->op, &calls[i], plan)));
        run->is_read = run->is_read || st_partiql__is_read(plan);
        has_writes = has_writes || !st_partiql__is_read(plan);
    }
    return run->is_read && has_writes
               ? st_fail(run->op, ST_INVALID_ARGUMENT,
                         "ExecuteTransaction API does not support both read and write operations "
                         "in the same request.")
               : ST_OK;
}

static st_status transaction_check_form(st_op *op, const st_partiql_statement *statement)
{
    if (statement->index.size > 0) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Reads on indices are not supported within transactions.");
    }
    return statement->returning == ST_PARTIQL_RETURNING_NONE
               ? ST_OK
               : st_fail(op, ST_INVALID_ARGUMENT,
                         "RETURNING clause is not supported in ExecuteTransaction.");
}

static st_status transaction_bind(transaction_run *run, uint32_t place)
{
    st_op *op = run->op;
    transaction_entry *entry = &run->entries[place];
    st_status status = st_partiql__plan_bind(op, run->database, &entry->plan);
    if (status == ST_TABLE_NOT_FOUND) {
        st_op_clear(op);
        entry->reason = (transaction_reason){.reason = ST_REASON_NO_TABLE,
                                             .text = st_slice_str("Requested resource not found")};
        return ST_OK;
    }
    ST_TRY(status);
    entry->has_table = true;
    ST_TRY(st_partiql__request(op, &entry->plan, &entry->parts, &run->requests[place]));
    if (run->is_read && !entry->parts.pinned.is_whole) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Select statements within ExecuteTransaction must specify the primary key "
                       "in the where clause.");
    }
    return ST_OK;
}

static st_status transaction_type_text(st_op *op, const st_key_part *part, st_type type,
                                       st_slice *out_text)
{
    st_buf text;
    st_buf_init(&text, op->alloc);
    st_buf_slice(&text, st_slice_str(ST_PARTIQL__INVALID "Type mismatch for key "));
    st_buf_slice(&text, part->name);
    st_buf_slice(&text, st_slice_str(" expected: "));
    st_buf_slice(&text, st_slice_str(st_type_name(part->type)));
    st_buf_slice(&text, st_slice_str(" actual: "));
    st_buf_slice(&text, st_slice_str(st_type_name(type)));
    st_status status = st_partiql__keep(op, &text, out_text);
    st_buf_deinit(&text);
    return status;
}

/* A key value of a wrong type becomes the reason. */
static st_status transaction_check_types(st_op *op, transaction_entry *entry)
{
    const st_key_schema *schema = &entry->plan.table.definition.schema;
    bool is_insert = entry->plan.statement->verb == ST_PARTIQL_INSERT;
    for (uint32_t i = 0; i < 1 + schema->sort_count; i++) {
        const st_key_part *part = i == 0 ? &schema->partition[0] : &schema->sort[0];
        st_value value;
        bool has = is_insert ? st_partiql__inserted(&entry->plan, part->name, &value)
                             : st_value_of(entry->parts.pinned.values[i], &value);
        if (!has || value.type == part->type) {
            continue;
        }
        entry->reason.reason = ST_REASON_VALIDATION;
        entry->reason.text = st_slice_str("The provided key element does not match the schema");
        return is_insert ? transaction_type_text(op, part, value.type, &entry->reason.text) : ST_OK;
    }
    return ST_OK;
}

static st_status transaction_check_keys(transaction_run *run)
{
    bool has_reason = false;
    for (uint32_t i = 0; i < run->count; i++) {
        has_reason = has_reason || !run->entries[i].has_table;
    }
    for (uint32_t i = 0; i < run->count && !has_reason; i++) {
        ST_TRY(transaction_check_types(run->op, &run->entries[i]));
        has_reason = run->entries[i].reason.reason != ST_REASON_NONE;
    }
    return has_reason ? transaction_cancel(run) : ST_OK;
}

/* table tells it of writes; reads may repeat there. */
static st_status transaction_check_twice(transaction_run *run)
{
    st_slice *keys = st_partiql__alloc(run->op, run->count, sizeof *keys);
    if (!keys) {
        return ST_NO_MEMORY;
    }
    for (uint32_t i = 0; i < run->count; i++) {
        const transaction_entry *entry = &run->entries[i];
        ST_TRY(st_partiql__store_key(run->op, &entry->plan, &entry->parts.pinned, &keys[i]));
        for (uint32_t k = 0; k < i && keys[i].size > 0; k++) {
            if (st_slice_equal(keys[k], keys[i])) {
                return st_fail(
                    run->op, ST_INVALID_ARGUMENT,
                    "Transaction request cannot include multiple operations on one item");
            }
        }
    }
    return ST_OK;
}

/* ---- running ---------------------------------------------------------------------------- */

/* Tokens of statements are apart from those of other transactions: no text begins so. */
static st_status transaction_token(transaction_run *run, const st_partiql_call *calls,
                                   st_slice token, st_request *request)
{
    st_buf bytes;
    bool resumes;
    st_status status = ST_OK;
    if (token.size == 0) {
        return ST_OK;
    }
    st_buf_init(&bytes, run->op->alloc);
    for (uint32_t i = 0; i < run->count && status == ST_OK; i++) {
        uint64_t digest[2];
        status = st_partiql__digest(run->op, &calls[i], digest, &resumes);
        st_buf_u64(&bytes, digest[0]);
        st_buf_u64(&bytes, digest[1]);
        st_buf_byte(&bytes, calls[i].returns_on_failure);
    }
    status = status == ST_OK ? st_buf_check(run->op, &bytes) : status;
    request->token_digest[0] = st_hash64(st_buf_view(&bytes), 3);
    request->token_digest[1] = st_hash64(st_buf_view(&bytes), 4);
    st_buf_clear(&bytes);
    st_buf_byte(&bytes, 0xff);
    st_buf_slice(&bytes, token);
    status = status == ST_OK ? st_partiql__keep(run->op, &bytes, &request->token) : status;
    request->has_token = true;
    st_buf_deinit(&bytes);
    return status;
}

static st_status transaction_put_items(transaction_run *run, st_buf *out)
{
    st_slice items = {0};
    (void)st_table_result_find(st_buf_view(&run->result), ST_RESULT_ITEMS, &items);
    st_reader reader = st_reader_of(items);
    uint32_t count = st_reader_u32(&reader);
    size_t place = st_partiql__result_open(out, ST_RESULT_ITEMS);
    st_buf_u32(out, count);
    for (uint32_t i = 0; i < count && i < run->count; i++) {
        st_slice item = st_reader_slice(&reader, st_reader_u32(&reader));
        st_buf_clear(&run->shaped);
        ST_TRY(st_partiql__shape(run->op, &run->entries[i].plan, item, &run->shaped));
        st_buf_u32(out, (uint32_t)run->shaped.size);
        st_buf_slice(out, st_buf_view(&run->shaped));
    }
    st_partiql__result_shut(out, place);
    return ST_OK;
}

static st_status transaction_answer(transaction_run *run, st_buf *out)
{
    static const uint8_t transaction_fields[] = {ST_RESULT_SEQUENCE, ST_RESULT_CAPACITY,
                                                 ST_RESULT_REPLAYED};
    st_slice payload;
    st_partiql__result_begin(out, ST_REQUEST_STATEMENT_TRANSACTION);
    if (run->is_read) {
        ST_TRY(transaction_put_items(run, out));
    }
    for (size_t i = 0; i < sizeof transaction_fields; i++) {
        if (st_table_result_find(st_buf_view(&run->result), transaction_fields[i], &payload)) {
            st_partiql__result_field(out, transaction_fields[i], payload);
        }
    }
    return st_buf_check(run->op, out);
}

static st_status transaction_all(transaction_run *run, const st_partiql_call *calls, st_slice token,
                                 st_buf *out)
{
    ST_TRY(transaction_parse(run, calls));
    for (uint32_t i = 0; i < run->count; i++) {
        const st_partiql_statement *statement = run->entries[i].plan.statement;
        ST_TRY(transaction_place(run->op, i, transaction_check_form(run->op, statement)));
    }
    for (uint32_t i = 0; i < run->count; i++) {
        ST_TRY(transaction_place(run->op, i, transaction_bind(run, i)));
    }
    ST_TRY(transaction_check_keys(run));
    ST_TRY(transaction_check_twice(run));
    st_request request = {
        .operation = run->is_read ? ST_REQUEST_TRANSACT_GET : ST_REQUEST_TRANSACT_WRITE,
        .entries = run->requests,
        .entry_count = run->count,
        .wants_capacity = calls[0].wants_capacity,
    };
    if (!run->is_read) {
        ST_TRY(transaction_token(run, calls, token, &request));
    }
    st_status status = st_table_run(run->op, run->database, &request, &run->result);
    if (status == ST_TRANSACTION_CANCELED) {
        return transaction_translate(run);
    }
    return status == ST_OK ? transaction_answer(run, out) : status;
}

st_status st_partiql_transaction(st_op *op, st_database *database, const st_partiql_call *calls,
                                 uint32_t count, st_slice token, st_buf *out_result)
{
    size_t begin = out_result->size;
    transaction_run run = {.op = op, .database = database, .count = count};
    run.entries = st_partiql__alloc(op, count, sizeof *run.entries);
    run.requests = st_partiql__alloc(op, count, sizeof *run.requests);
    if (!run.entries || !run.requests) {
        return ST_NO_MEMORY;
    }
    if (count == 0) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a transaction holds at least one statement");
    }
    st_buf_init(&run.result, op->alloc);
    st_buf_init(&run.shaped, op->alloc);
    st_status status = transaction_all(&run, calls, token, out_result);
    st_buf_deinit(&run.result);
    st_buf_deinit(&run.shaped);
    if (status != ST_OK) {
        out_result->size = begin;
    }
    return status;
}
