/* From a call to a plan: the statement is parsed, its table found, what it holds lowered.
 *
 * A projected path is returned under its last name. So the table is asked for the top-level names,
 * and items are put together anew when a path has more than one step.
 */
#include "partiql/execute_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- one key ---------------------------------------------------------------------------- */

static const st_key_part *plan_part(const st_key_schema *schema, uint32_t part)
{
    return part == 0 ? &schema->partition[0] : &schema->sort[0];
}

/* The path and the value of an equality; false: it is none. */
static bool plan_is_equality(const st_partiql_node *node, st_partiql__pin how, st_slice *out_name,
                             st_slice *out_value)
{
    bool is_in = node->kind == ST_PARTIQL_IN && node->count == 2 && how == ST_PARTIQL__PIN_SELECT;
    if (node->kind != ST_PARTIQL_EQUAL && !is_in) {
        return false;
    }
    bool is_turned = node->operands[0].kind == ST_PARTIQL_VALUE && !is_in;
    const st_partiql_node *path = &node->operands[is_turned ? 1 : 0];
    const st_partiql_node *value = &node->operands[is_turned ? 0 : 1];
    if (path->kind != ST_PARTIQL_PATH || path->path.count != 1 || value->kind != ST_PARTIQL_VALUE) {
        return false;
    }
    *out_name = path->path.steps[0].name;
    *out_value = value->value;
    return true;
}

static void plan_pin(const st_partiql_node *node, const st_key_schema *schema, st_partiql__pin how,
                     st_partiql__pinned *pinned)
{
    st_slice name, value;
    if (node->kind == ST_PARTIQL_AND) {
        for (uint32_t i = 0; i < node->count; i++) {
            plan_pin(&node->operands[i], schema, how, pinned);
        }
        return;
    }
    bool is_equality = plan_is_equality(node, how, &name, &value);
    for (uint32_t part = 0; is_equality && part < 1 + schema->sort_count; part++) {
        const st_key_part *key = plan_part(schema, part);
        if (!st_slice_equal(key->name, name)) {
            continue;
        }
        pinned->twice = pinned->parts[part] && !pinned->twice ? key : pinned->twice;
        pinned->parts[part] = key;
        pinned->values[part] = value;
        return;
    }
    pinned->is_all = false;
}

st_status st_partiql__make_key(st_op *op, const st_key_schema *schema, st_partiql__pinned *pinned)
{
    st_buf key;
    st_buf_init(&key, op->alloc);
    st_buf_byte(&key, ST_TAG_M);
    st_buf_u32(&key, 0);
    st_buf_u32(&key, 1 + schema->sort_count);
    size_t begin = key.size;
    for (uint32_t part = 0; part < 1 + schema->sort_count; part++) {
        st_slice name = pinned->parts[part]->name;
        st_buf_varint(&key, name.size);
        st_buf_slice(&key, name);
        st_buf_slice(&key, pinned->values[part]);
    }
    if (!key.failed) {
        st_put_u32(key.data + begin - 8, (uint32_t)(key.size - begin));
    }
    st_status status = st_partiql__keep(op, &key, &pinned->key);
    st_buf_deinit(&key);
    return status;
}

st_status st_partiql__pin_key(st_op *op, const st_partiql_node *where, const st_key_schema *schema,
                              st_partiql__pin how, st_partiql__pinned *out_pinned)
{
    *out_pinned = (st_partiql__pinned){.is_all = true};
    if (where) {
        plan_pin(where, schema, how, out_pinned);
    }
    out_pinned->is_whole =
        out_pinned->parts[0] && (schema->sort_count == 0 || out_pinned->parts[1]);
    return out_pinned->is_whole ? st_partiql__make_key(op, schema, out_pinned) : ST_OK;
}

/* ---- projections ------------------------------------------------------------------------ */

static st_slice plan_last_name(const st_path *path)
{
    uint32_t step = path->count - 1;
    while (path->steps[step].is_index) {
        step--; /* the first step is a name */
    }
    return path->steps[step].name;
}

static int plan_compare_paths(const void *a, const void *b)
{
    return st_slice_compare(plan_last_name(a), plan_last_name(b));
}

/* The names a table or index is asked for, each once. */
static st_status plan_projection(st_op *op, st_partiql__plan *plan)
{
    st_path *names = st_partiql__alloc(op, plan->path_count, sizeof *names);
    uint32_t count = 0;
    if (!names) {
        return ST_NO_MEMORY;
    }
    for (uint32_t i = 0; i < plan->path_count; i++) {
        uint32_t k = 0;
        while (k < count && !st_slice_equal(names[k].steps[0].name, plan->paths[i].steps[0].name)) {
            k++;
        }
        if (k == count) {
            names[count++] = (st_path){.steps = plan->paths[i].steps, .count = 1};
        }
        plan->is_reshaped = plan->is_reshaped || k < count - 1 || plan->paths[i].count > 1;
    }
    return st_projection_of_paths(op, names, count, &plan->projection);
}

static st_status plan_paths(st_op *op, st_partiql__plan *plan)
{
    const st_partiql_statement *statement = plan->statement;
    if (statement->projection_count == 0) {
        return ST_OK;
    }
    plan->paths = st_partiql__alloc(op, statement->projection_count, sizeof *plan->paths);
    if (!plan->paths) {
        return ST_NO_MEMORY;
    }
    for (uint32_t i = 0; i < statement->projection_count; i++) {
        ST_TRY(st_partiql__lower_path(op, &statement->projection[i], &plan->paths[i]));
    }
    plan->path_count = statement->projection_count;
    ST_TRY(plan_projection(op, plan));
    qsort(plan->paths, plan->path_count, sizeof *plan->paths, plan_compare_paths);
    return ST_OK;
}

st_status st_partiql__reshape(st_op *op, const st_partiql__plan *plan, st_slice frame,
                              st_buf *out_frame)
{
    st_buf entries;
    st_slice before = {0};
    uint32_t count = 0;
    st_buf_init(&entries, op->alloc);
    for (uint32_t i = 0; i < plan->path_count; i++) {
        st_value value = st_path_find(&plan->paths[i], frame);
        st_slice name = plan_last_name(&plan->paths[i]);
        if (value.type == ST_TYPE_NONE || (count > 0 && st_slice_equal(name, before))) {
            continue;
        }
        st_buf_varint(&entries, name.size);
        st_buf_slice(&entries, name);
        st_buf_slice(&entries, value.encoded);
        before = name;
        count++;
    }
    st_status status = st_buf_check(op, &entries);
    if (status == ST_OK) {
        status = st_item_of_entries(op, st_buf_view(&entries), count, out_frame);
    }
    st_buf_deinit(&entries);
    return status;
}

/* ---- plans ------------------------------------------------------------------------------ */

bool st_partiql__is_read(const st_partiql__plan *plan)
{
    return plan->statement->verb == ST_PARTIQL_SELECT;
}

st_status st_partiql__plan_parse(st_op *op, const st_partiql_call *call, st_partiql__plan *out_plan)
{
    st_partiql_statement *statement;
    *out_plan = (st_partiql__plan){.call = call};
    ST_TRY(
        st_partiql_parse(op, call->statement, call->parameters, call->parameter_count, &statement));
    out_plan->statement = statement;
    return ST_OK;
}

static st_status plan_find_table(st_op *op, st_database *database, st_partiql__plan *plan)
{
    st_status status = st_table_describe(op, database, 0, plan->statement->table, &plan->table);
    if (status == ST_TABLE_NOT_FOUND) {
        st_op_clear(op);
        return st_fail(op, ST_TABLE_NOT_FOUND, "Requested resource not found");
    }
    return status;
}

static st_status plan_find_index(st_op *op, st_partiql__plan *plan)
{
    const st_definition *definition = &plan->table.definition;
    st_slice name = plan->statement->index;
    if (name.size == 0) {
        return ST_OK;
    }
    for (uint32_t i = 0; i < definition->index_count; i++) {
        if (st_slice_equal(definition->indexes[i].name, name)) {
            plan->index = &definition->indexes[i];
        }
    }
    if (!plan->index) {
        return st_fail(op, ST_INVALID_ARGUMENT, "The table does not have the specified index");
    }
    return plan->index->schema.partition_count == 1 && plan->index->schema.sort_count <= 1
               ? ST_OK
               : st_fail(op, ST_INVALID_ARGUMENT,
                         "PartiQL statements cannot be executed on tables with multi-attribute "
                         "HASH keys or multi-attribute RANGE keys.");
}

st_status st_partiql__plan_bind(st_op *op, st_database *database, st_partiql__plan *plan)
{
    ST_TRY(plan_find_table(op, database, plan));
    ST_TRY(plan_find_index(op, plan));
    plan->where = (st_condition){.kind = ST_EXPR_CONDITION, .is_resolved = true};
    if (plan->statement->where) {
        ST_TRY(st_partiql__lower_condition(op, plan->statement->where, &plan->where.root));
    }
    return plan_paths(op, plan);
}
