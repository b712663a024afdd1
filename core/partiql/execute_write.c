/* One statement as one request of table: INSERT, UPDATE, DELETE, EXISTS, and a SELECT of one item.
 *
 * INSERT is a put on condition that there is no item, UPDATE an update on condition of all of
 * WHERE, which no absent item meets, DELETE a delete that an absent item never fails. A SELECT of
 * one item reads all of it: what WHERE says besides the key, and the projection, are done here.
 */
#include "partiql/execute_internal.h"

#include <string.h>

/* ---- requests --------------------------------------------------------------------------- */

static st_status run_absent(st_op *op, const st_partiql__plan *plan, st_condition *out_condition)
{
    *out_condition = (st_condition){.kind = ST_EXPR_CONDITION, .is_resolved = true};
    st_node *node = st_node_new(op, ST_NODE_FUNCTION, 1);
    st_node *path = st_node_new(op, ST_NODE_PATH, 0);
    if (!node || !path) {
        return st_fail_memory(op, sizeof *node);
    }
    node->function = ST_FUNCTION_NOT_EXISTS;
    node->children[0] = path;
    out_condition->root = node;
    return st_path_of_name(op, plan->table.definition.schema.partition[0].name, &path->path);
}

static st_status run_pins(st_op *op, const st_partiql__plan *plan, st_partiql__pinned *pinned)
{
    bool is_select = st_partiql__is_read(plan);
    ST_TRY(st_partiql__pin_key(op, plan->statement->where, &plan->table.definition.schema,
                               is_select ? ST_PARTIQL__PIN_SELECT : ST_PARTIQL__PIN_EQUAL, pinned));
    pinned->is_whole = pinned->is_whole && !(is_select && pinned->twice);
    if (is_select) {
        return ST_OK;
    }
    if (pinned->twice) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Multiple conditions on same key %.*s. Only single item "
                       "Update/Insert/Delete are supported",
                       (int)pinned->twice->name.size, (const char *)pinned->twice->name.data);
    }
    return pinned->is_whole ? ST_OK
                            : st_fail(op, ST_INVALID_ARGUMENT,
                                      "Where clause does not contain a mandatory equality on all "
                                      "key attributes");
}

static uint8_t run_returns(st_partiql_returning returning)
{
    switch (returning) {
    case ST_PARTIQL_RETURNING_ALL_OLD:
        return ST_RETURNS_ALL_OLD;
    case ST_PARTIQL_RETURNING_ALL_NEW:
        return ST_RETURNS_ALL_NEW;
    case ST_PARTIQL_RETURNING_MODIFIED_OLD:
        return ST_RETURNS_UPDATED_OLD;
    case ST_PARTIQL_RETURNING_MODIFIED_NEW:
        return ST_RETURNS_UPDATED_NEW;
    default:
        return ST_RETURNS_NONE;
    }
}

static st_status run_insert(st_op *op, const st_partiql__plan *plan, st_partiql__parts *parts,
                            st_request *request)
{
    request->operation = ST_REQUEST_PUT;
    request->has_item = true;
    request->item = plan->statement->item;
    request->condition = &parts->condition;
    return run_absent(op, plan, &parts->condition);
}

st_status st_partiql__request(st_op *op, const st_partiql__plan *plan, st_partiql__parts *out_parts,
                              st_request *out_request)
{
    *out_parts = (st_partiql__parts){.condition = plan->where};
    *out_request = (st_request){
        .table_id = plan->table.id,
        .wants_capacity = plan->call->wants_capacity,
        .returns = run_returns(plan->statement->returning),
        .flags = plan->call->returns_on_failure ? ST_FLAG_RETURN_ON_FAILURE : 0,
    };
    if (plan->statement->verb == ST_PARTIQL_INSERT) {
        return run_insert(op, plan, out_parts, out_request);
    }
    ST_TRY(run_pins(op, plan, &out_parts->pinned));
    out_request->has_key = out_parts->pinned.is_whole;
    out_request->key = out_parts->pinned.key;
    switch (plan->statement->verb) {
    case ST_PARTIQL_UPDATE:
        out_request->operation = ST_REQUEST_UPDATE;
        out_request->condition = &out_parts->condition;
        out_request->update = &out_parts->update;
        return st_partiql__lower_update(op, plan->statement, &out_parts->update);
    case ST_PARTIQL_DELETE:
        out_request->operation = ST_REQUEST_DELETE;
        out_request->condition = out_parts->pinned.is_all ? NULL : &out_parts->condition;
        out_request->flags |= ST_FLAG_ABSENT_IS_FINE;
        return ST_OK;
    case ST_PARTIQL_EXISTS:
        out_request->operation = ST_REQUEST_CHECK;
        out_request->condition = &out_parts->condition;
        return ST_OK;
    default:
        out_request->operation = ST_REQUEST_GET;
        out_request->flags = plan->call->is_consistent ? ST_FLAG_CONSISTENT : 0;
        return ST_OK;
    }
}

/* ---- keys ------------------------------------------------------------------------------- */

st_status st_partiql__check_pins(st_op *op, const st_partiql__pinned *pinned)
{
    for (uint32_t part = 0; part < 2; part++) {
        st_value value;
        if (pinned->parts[part] && st_value_of(pinned->values[part], &value)) {
            ST_TRY(st_partiql__check_key_value(op, pinned->parts[part], &value));
        }
    }
    return ST_OK;
}

bool st_partiql__inserted(const st_partiql__plan *plan, st_slice name, st_value *out_value)
{
    st_value map;
    st_slice found;
    if (!st_value_of(plan->statement->item, &map)) {
        return false;
    }
    st_members walk = st_members_of(&map);
    while (st_members_next(&walk, &found, out_value)) {
        if (st_slice_equal(found, name)) {
            return true;
        }
    }
    return false;
}

st_status st_partiql__key(st_op *op, const st_partiql__plan *plan, const st_partiql__pinned *pinned,
                          st_slice *out_key)
{
    const st_key_schema *schema = &plan->table.definition.schema;
    st_partiql__pinned inserted = {.parts = {&schema->partition[0], &schema->sort[0]}};
    st_value value;
    *out_key = pinned->key;
    if (plan->statement->verb != ST_PARTIQL_INSERT) {
        return ST_OK;
    }
    for (uint32_t part = 0; part < 1 + schema->sort_count; part++) {
        if (!st_partiql__inserted(plan, inserted.parts[part]->name, &value)) {
            return ST_OK;
        }
        inserted.values[part] = value.encoded;
    }
    ST_TRY(st_partiql__make_key(op, schema, &inserted));
    *out_key = inserted.key;
    return ST_OK;
}

st_status st_partiql__store_key(st_op *op, const st_partiql__plan *plan,
                                const st_partiql__pinned *pinned, st_slice *out_key)
{
    st_slice relaxed;
    st_buf key;
    *out_key = (st_slice){0};
    ST_TRY(st_partiql__key(op, plan, pinned, &relaxed));
    if (relaxed.size == 0) {
        return ST_OK;
    }
    st_buf_init(&key, op->alloc);
    st_status status =
        st_key_of_request(op, plan->table.id, &plan->table.definition.schema, relaxed, &key);
    if (status == ST_INVALID_ARGUMENT) {
        st_op_clear(op); /* told when the statement runs */
        status = ST_OK;
    } else if (status == ST_OK) {
        status = st_partiql__keep(op, &key, out_key);
    }
    st_buf_deinit(&key);
    return status;
}

/* ---- running ---------------------------------------------------------------------------- */

static st_status run_duplicate(st_op *op, st_slice item)
{
    st_op_clear(op);
    st_status status = st_fail(op, ST_DUPLICATE_ITEM, "Duplicate primary key exists in table");
    op->error.detail = item;
    return status;
}

/* An item that is nested too deep is refused no earlier than a duplicate. status: the refusal. */
static st_status run_deep_insert(st_op *op, st_database *database, const st_partiql__plan *plan,
                                 st_status status)
{
    st_op quiet;
    st_buf found;
    st_slice item, kept = {0};
    st_request get = {.operation = ST_REQUEST_GET, .table_id = plan->table.id, .has_key = true};
    ST_TRY(st_partiql__key(op, plan, &(st_partiql__pinned){0}, &get.key));
    if (get.key.size == 0) {
        return status;
    }
    st_op_init(&quiet, op->alloc);
    st_buf_init(&found, op->alloc);
    if (st_table_run(&quiet, database, &get, &found) == ST_OK &&
        st_table_result_find(st_buf_view(&found), ST_RESULT_ITEM, &item)) {
        st_op_clear(op);
        status = plan->call->returns_on_failure ? st_partiql__copy(op, item, &kept) : ST_OK;
        status = status == ST_OK ? run_duplicate(op, kept) : status;
    }
    st_buf_deinit(&found);
    st_op_deinit(&quiet);
    return status;
}

/* What WHERE and the projection leave of the item that was read. */
st_status st_partiql__shape(st_op *op, const st_partiql__plan *plan, st_slice item, st_buf *out)
{
    if (item.size == 0 || (plan->where.root && !st_condition_is_met(&plan->where, item))) {
        return ST_OK;
    }
    if (plan->is_reshaped) {
        return st_partiql__reshape(op, plan, item, out);
    }
    if (plan->projection) {
        return st_projection_apply(op, plan->projection, item, out);
    }
    st_buf_slice(out, item);
    return st_buf_check(op, out);
}

st_status st_partiql__run(st_op *op, st_database *database, const st_partiql__plan *plan,
                          const st_request *request, st_buf *out)
{
    st_status status = st_table_run(op, database, request, out);
    if (plan->statement->verb != ST_PARTIQL_INSERT) {
        return status;
    }
    if (status == ST_CONDITION_FAILED) {
        return run_duplicate(op, op->error.detail);
    }
    bool is_deep = status == ST_INVALID_ARGUMENT &&
                   st_slice_starts_with(st_op_message(op), st_slice_str("Nesting Levels "));
    return is_deep ? run_deep_insert(op, database, plan, status) : status;
}
