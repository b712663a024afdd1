/* BatchGetItem and BatchWriteItem. */
#include "wire/wire_internal.h"

#include <string.h>

#define BATCH_GETS_MAX 100u
#define BATCH_WRITES_MAX 25u
#define BATCH_BYTES_MAX ((uint64_t)16 << 20)

static const char *const batch_plain[] = {"AttributesToGet", NULL};
static const char *const batch_expressions[] = {"ProjectionExpression", NULL};

/* ---- constraints ------------------------------------------------------------------------ */

/* The names of tables are the keys of a map: one that is not possible is told with the map. */
static void batch_check_names(wire_call *call, uint32_t tables)
{
    for (uint32_t at = tables + 1; at < call->doc.nodes[tables].next;
         at = call->doc.nodes[at + 1].next) {
        st_slice name = call->doc.nodes[at].text;
        st_buf ignored = call->constraints;
        uint32_t before = call->constraint_count;
        st_buf_init(&call->constraints, call->op->alloc);
        bool was_new = call->is_new_layer;
        call->is_new_layer = true; /* short names are refused here on either layer */
        st_wire__check_name(call, name, "", false);
        bool is_bad = call->constraint_count > before;
        call->is_new_layer = was_new;
        st_buf_deinit(&call->constraints);
        call->constraints = ignored;
        call->constraint_count = before;
        if (is_bad) {
            st_slice map = st_slice_of(call->body.data, call->body.size);
            st_wire__constraint(
                call,
                "Value '%.*s' at 'requestItems' failed to satisfy constraint: Map keys must "
                "satisfy "
                "constraint: [Member must have length less than or equal to 255, Member must have "
                "length greater than or equal to 3, Member must satisfy regular expression "
                "pattern: [a-zA-Z0-9_.-]+]",
                (int)(map.size < 256 ? map.size : 256), (const char *)map.data);
            return;
        }
    }
}

/* ---- BatchGetItem ----------------------------------------------------------------------- */

typedef struct batch_table {
    st_slice name;
    uint32_t node;         /* of its KeysAndAttributes */
    uint32_t first, count; /* of its gets */
    st_table_info info;
    wire_expressions expressions;
    st_projection *projection;
    bool is_consistent;
} batch_table;

typedef struct batch_call {
    st_request request;
    batch_table *tables;
    uint32_t table_count;
} batch_call;

static uint32_t batch_keys_of(const wire_call *call, uint32_t node)
{
    return st_wire__member(call, node, "Keys");
}

static st_status batch_get_constraints(wire_call *call, uint32_t tables)
{
    if (tables == 0 || call->doc.nodes[tables].count == 0) {
        if (call->is_new_layer) {
            return st_wire__constraint_alone(call, "Value at 'RequestItems' failed to satisfy "
                                                   "constraint: Member must have length greater "
                                                   "than or equal to 1");
        }
        return st_wire__refuse(call, "The requestItems parameter is required for BatchGetItem");
    }
    uint32_t total = 0;
    for (uint32_t at = tables + 1; at < call->doc.nodes[tables].next;
         at = call->doc.nodes[at + 1].next) {
        uint32_t keys = batch_keys_of(call, at + 1);
        st_slice name = call->doc.nodes[at].text;
        uint32_t count = keys ? call->doc.nodes[keys].count : 0;
        total += count;
        if (count == 0) {
            return st_wire__constraint_alone(
                call,
                "Value at 'RequestItems.%.*s.member.Keys' failed to satisfy constraint: Member "
                "must have length greater than or equal to 1",
                (int)name.size, name.size ? (const char *)name.data : "");
        }
    }
    batch_check_names(call, tables);
    bool has_bad_name = call->constraint_count > 0;
    if (has_bad_name) {
        st_wire__check_capacity(call);
        return st_wire__constraints_end(call);
    }
    for (uint32_t at = tables + 1; at < call->doc.nodes[tables].next;
         at = call->doc.nodes[at + 1].next) {
        uint32_t keys = batch_keys_of(call, at + 1);
        st_slice name = call->doc.nodes[at].text;
        if (call->doc.nodes[keys].count > BATCH_GETS_MAX) {
            return st_wire__constraint_alone(
                call,
                "Value at 'RequestItems.%.*s.member.Keys' failed to satisfy constraint: Member "
                "must have length less than or equal to 100",
                (int)name.size, (const char *)name.data);
        }
    }
    st_wire__check_capacity(call);
    ST_TRY(st_wire__constraints_end(call));
    return total <= BATCH_GETS_MAX
               ? ST_OK
               : st_wire__refuse(call, "Too many items requested for the BatchGetItem call");
}

static st_status batch_read_table(wire_call *call, uint32_t at, batch_table *table)
{
    st_status status;
    *table = (batch_table){.name = call->doc.nodes[at].text, .node = at + 1};
    ST_TRY(st_wire__check_mixing(call, at + 1, batch_plain, batch_expressions));
    ST_TRY(st_wire__scope(call, at + 1, batch_expressions, &table->expressions));
    ST_TRY(st_wire__parse_projection(call, at + 1, &table->expressions));
    ST_TRY(st_expr_check_unused(call->op, &table->expressions.scope));
    ST_TRY(st_wire__attributes_to_get(call, at + 1, &table->projection));
    (void)st_wire__flag(call, at + 1, "ConsistentRead", &table->is_consistent, &status);
    if (table->expressions.projection) {
        table->projection = table->expressions.projection;
    }
    return ST_OK;
}

static st_status batch_read_keys(wire_call *call, batch_call *batch, batch_table *table)
{
    uint32_t keys = batch_keys_of(call, table->node);
    table->first = batch->request.entry_count;
    for (uint32_t at = keys + 1; at < call->doc.nodes[keys].next; at = call->doc.nodes[at].next) {
        st_request *get = &batch->request.entries[batch->request.entry_count];
        st_buf frame;
        *get = (st_request){.operation = ST_REQUEST_GET,
                            .has_key = true,
                            .name = table->name,
                            .flags = table->is_consistent ? ST_FLAG_CONSISTENT : 0};
        ST_TRY(st_wire__map(call, at, &get->key));
        st_buf_init(&frame, call->op->alloc);
        st_status status = st_value_canonicalize(call->op, get->key, &frame);
        st_buf_deinit(&frame);
        ST_TRY(status);
        batch->request.entry_count++;
        table->count++;
    }
    return ST_OK;
}

/* Keys of one table that are the same key; told before the table is looked up. */
static st_status batch_check_duplicates(wire_call *call, const batch_call *batch,
                                        const batch_table *table)
{
    size_t bytes = (table->count + 1) * sizeof(size_t);
    size_t *ends = st_arena_alloc(&call->op->arena, bytes);
    st_buf keys;
    if (!ends) {
        return st_fail_memory(call->op, bytes);
    }
    st_buf_init(&keys, call->op->alloc);
    st_status status = ST_OK;
    for (uint32_t i = 0; i < table->count && status == ST_OK; i++) {
        size_t begin = keys.size;
        status =
            st_item_canonicalize_any(call->op, batch->request.entries[table->first + i].key, &keys);
        ends[i] = keys.size;
        st_slice key = st_slice_of(keys.data + begin, keys.size - begin);
        for (uint32_t k = 0; k < i && status == ST_OK; k++) {
            size_t from = k ? ends[k - 1] : 0;
            if (st_slice_equal(st_slice_of(keys.data + from, ends[k] - from), key)) {
                status = st_wire__refuse(call, "Provided list of item keys contains duplicates");
            }
        }
    }
    st_buf_deinit(&keys);
    return status;
}

/* Members of the two kinds may not even stand in different tables. */
static st_status batch_check_members(wire_call *call, uint32_t tables)
{
    bool has_plain = false, has_expression = false;
    for (uint32_t at = tables + 1; at < call->doc.nodes[tables].next;
         at = call->doc.nodes[at + 1].next) {
        has_plain |= st_wire__member(call, at + 1, "AttributesToGet") != 0;
        has_expression |= st_wire__member(call, at + 1, "ProjectionExpression") != 0;
    }
    return has_plain && has_expression
               ? st_wire__refuse(call, "Can not use both expression and non-expression parameters "
                                       "in the same request: Non-expression parameters: "
                                       "{AttributesToGet} Expression parameters: "
                                       "{ProjectionExpression}")
               : ST_OK;
}

static st_status batch_get_validate(wire_call *call, uint32_t tables, batch_call *batch)
{
    uint32_t total = 0;
    for (uint32_t at = tables + 1; at < call->doc.nodes[tables].next;
         at = call->doc.nodes[at + 1].next) {
        total += call->doc.nodes[batch_keys_of(call, at + 1)].count;
    }
    uint32_t table_count = call->doc.nodes[tables].count;
    batch->tables = st_arena_alloc(&call->op->arena, table_count * sizeof *batch->tables);
    batch->request.entries = st_arena_alloc(&call->op->arena, total * sizeof(st_request));
    if (!batch->tables || !batch->request.entries) {
        return st_fail_memory(call->op, total * sizeof(st_request));
    }
    for (uint32_t at = tables + 1; at < call->doc.nodes[tables].next;
         at = call->doc.nodes[at + 1].next) {
        uint32_t keys = batch_keys_of(call, at + 1);
        for (uint32_t key = keys + 1; key < call->doc.nodes[keys].next;
             key = call->doc.nodes[key].next) {
            if (st_wire__has_empty_name(&call->doc, key, true)) {
                return st_wire__refuse(call, "Empty attribute name");
            }
        }
    }
    ST_TRY(batch_check_members(call, tables));
    for (uint32_t at = tables + 1; at < call->doc.nodes[tables].next;
         at = call->doc.nodes[at + 1].next) {
        ST_TRY(batch_read_table(call, at, &batch->tables[batch->table_count++]));
    }
    for (uint32_t i = 0; i < batch->table_count; i++) {
        ST_TRY(batch_read_keys(call, batch, &batch->tables[i]));
    }
    for (uint32_t i = 0; i < batch->table_count; i++) {
        ST_TRY(batch_check_duplicates(call, batch, &batch->tables[i]));
    }
    for (uint32_t i = 0; i < batch->table_count; i++) {
        ST_TRY(st_wire__describe(call, batch->tables[i].name, &batch->tables[i].info));
    }
    return ST_OK;
}

/* What of the result fits into the answer: the first so many items. */
static uint32_t batch_fitting(st_slice items, uint32_t count)
{
    st_reader reader = st_reader_of(items);
    uint64_t bytes = 0;
    (void)st_reader_u32(&reader);
    for (uint32_t i = 0; i < count; i++) {
        st_slice item = st_reader_slice(&reader, st_reader_u32(&reader));
        bytes += item.size ? st_item_size(item) : 0;
        if (bytes > BATCH_BYTES_MAX) {
            return i;
        }
    }
    return count;
}

/* Projected here: what fits is measured before. */
static void batch_put_item(wire_call *call, const batch_table *table, st_slice item)
{
    st_buf part;
    if (!table->projection) {
        st_wire__put_item(item, false, call->out);
        return;
    }
    st_buf_init(&part, call->op->alloc);
    if (st_projection_apply(call->op, table->projection, item, &part) == ST_OK) {
        st_wire__put_item(st_buf_view(&part), false, call->out);
    } else {
        call->out->failed = true;
    }
    st_buf_deinit(&part);
}

static void batch_put_responses(wire_call *call, const batch_call *batch, st_slice items,
                                uint32_t fitting)
{
    st_reader reader = st_reader_of(items);
    (void)st_reader_u32(&reader);
    st_wire__put_text(call->out, "{\"Responses\":{");
    for (uint32_t i = 0; i < batch->table_count; i++) {
        const batch_table *table = &batch->tables[i];
        bool is_first = true;
        st_wire__put_text(call->out, i > 0 ? "," : "");
        st_json_put_string(call->out, table->info.name);
        st_wire__put_text(call->out, ":[");
        for (uint32_t k = 0; k < table->count; k++) {
            st_slice item = st_reader_slice(&reader, st_reader_u32(&reader));
            if (item.size > 0 && table->first + k < fitting) {
                st_wire__put_comma(call, &is_first);
                batch_put_item(call, table, item);
            }
        }
        st_wire__put_text(call->out, "]");
    }
    st_wire__put_text(call->out, "}");
}

/* The part of the body between two nodes, as it was sent, cannot be told from the nodes; keys are
 * written anew. */
static void batch_put_unprocessed(wire_call *call, const batch_call *batch, uint32_t fitting)
{
    bool is_first = true;
    st_wire__put_text(call->out, ",\"UnprocessedKeys\":{");
    for (uint32_t i = 0; i < batch->table_count; i++) {
        const batch_table *table = &batch->tables[i];
        bool is_first_key = true;
        if (table->first + table->count <= fitting) {
            continue;
        }
        st_wire__put_comma(call, &is_first);
        st_json_put_string(call->out, table->name);
        st_wire__put_text(call->out, ":{\"Keys\":[");
        for (uint32_t k = 0; k < table->count; k++) {
            st_buf frame;
            if (table->first + k < fitting) {
                continue;
            }
            st_buf_init(&frame, call->op->alloc);
            st_wire__put_comma(call, &is_first_key);
            if (st_item_canonicalize(call->op, batch->request.entries[table->first + k].key,
                                     &frame) == ST_OK) {
                st_wire__put_item(st_buf_view(&frame), false, call->out);
            }
            st_buf_deinit(&frame);
        }
        st_wire__put_text(call->out, "]}");
    }
    st_wire__put_text(call->out, "}");
}

st_status st_wire__batch_get(wire_call *call)
{
    batch_call batch = {.request = {.operation = ST_REQUEST_BATCH_GET}};
    uint32_t tables = st_wire__member(call, 0, "RequestItems");
    st_slice items, charges;
    bool is_first = false;
    ST_TRY(batch_get_constraints(call, tables));
    ST_TRY(batch_get_validate(call, tables, &batch));
    batch.request.wants_capacity = st_wire__capacity(call) != 0;
    st_buf result;
    st_buf_init(&result, call->op->alloc);
    st_status status = st_table_run(call->op, call->database, &batch.request, &result);
    if (status == ST_OK && st_table_result_find(st_buf_view(&result), ST_RESULT_ITEMS, &items)) {
        uint32_t fitting = batch_fitting(items, batch.request.entry_count);
        batch_put_responses(call, &batch, items, fitting);
        batch_put_unprocessed(call, &batch, fitting);
        if (st_table_result_find(st_buf_view(&result), ST_RESULT_CAPACITY, &charges)) {
            st_wire__put_capacity(call, charges, true, false, true, &is_first);
        }
        st_wire__put_text(call->out, "}");
    }
    st_buf_deinit(&result);
    return status;
}

/* ---- BatchWriteItem --------------------------------------------------------------------- */

/* {name=[], other=[...]}: the service echoes Java's text of the lists, which is cut here. */
static void batch_put_java_map(wire_call *call, uint32_t tables, st_buf *out)
{
    st_buf_byte(out, '{');
    for (uint32_t at = tables + 1; at < call->doc.nodes[tables].next;
         at = call->doc.nodes[at + 1].next) {
        st_wire__put_text(out, at > tables + 1 ? ", " : "");
        st_buf_slice(out, call->doc.nodes[at].text);
        st_wire__put_text(out, call->doc.nodes[at + 1].count ? "=[...]" : "=[]");
    }
    st_buf_byte(out, '}');
}

static st_status batch_write_constraints(wire_call *call, uint32_t tables)
{
    if (tables == 0 || call->doc.nodes[tables].count == 0) {
        return st_wire__refuse(call, "The requestItems parameter is required for BatchWriteItem");
    }
    uint32_t total = 0;
    bool has_bad_length = false;
    for (uint32_t at = tables + 1; at < call->doc.nodes[tables].next;
         at = call->doc.nodes[at + 1].next) {
        uint32_t count = call->doc.nodes[at + 1].count;
        has_bad_length |= count == 0 || count > BATCH_WRITES_MAX;
        total += count;
    }
    if (has_bad_length) {
        st_buf echo;
        st_buf_init(&echo, call->op->alloc);
        batch_put_java_map(call, tables, &echo);
        st_wire__constraint(
            call,
            "Value '%.*s' at 'requestItems' failed to satisfy constraint: Map value "
            "must satisfy constraint: [Member must have length less than or equal "
            "to 25, Member must have length greater than or equal to 1]",
            (int)echo.size, echo.size ? (const char *)echo.data : "");
        st_buf_deinit(&echo);
    }
    st_wire__check_capacity(call);
    st_wire__check_metrics(call);
    ST_TRY(st_wire__constraints_end(call));
    batch_check_names(call, tables);
    ST_TRY(st_wire__constraints_end(call));
    return total <= BATCH_WRITES_MAX
               ? ST_OK
               : st_wire__refuse(call, "Too many items requested for the BatchWriteItem call");
}

static st_status batch_read_write(wire_call *call, uint32_t node, st_slice table, st_request *out)
{
    uint32_t put = st_wire__member(call, node, "PutRequest");
    uint32_t del = st_wire__member(call, node, "DeleteRequest");
    if (put && del) {
        return st_wire__refuse(call, "Supplied AttributeValue has more than one datatypes set, "
                                     "must contain exactly one of the supported datatypes");
    }
    uint32_t map = put ? st_wire__member(call, put, "Item") : st_wire__member(call, del, "Key");
    *out = (st_request){.operation = put ? ST_REQUEST_PUT : ST_REQUEST_DELETE,
                        .name = table,
                        .has_item = put != 0,
                        .has_key = put == 0};
    if ((!put && !del) || map == 0) {
        return st_wire__refuse(call, "Supplied AttributeValue is empty, must contain exactly one "
                                     "of the supported datatypes");
    }
    st_slice *relaxed = put ? &out->item : &out->key;
    st_buf frame;
    ST_TRY(st_wire__map(call, map, relaxed));
    st_buf_init(&frame, call->op->alloc);
    st_status status = put ? st_item_canonicalize(call->op, *relaxed, &frame)
                           : st_value_canonicalize(call->op, *relaxed, &frame);
    st_buf_deinit(&frame);
    return status;
}

static bool batch_has_empty_name(wire_call *call, uint32_t tables)
{
    for (uint32_t at = tables + 1; at < call->doc.nodes[tables].next;
         at = call->doc.nodes[at + 1].next) {
        for (uint32_t w = at + 2; w < call->doc.nodes[at + 1].next; w = call->doc.nodes[w].next) {
            uint32_t put = st_wire__member(call, w, "PutRequest");
            uint32_t del = st_wire__member(call, w, "DeleteRequest");
            uint32_t map = put   ? st_wire__member(call, put, "Item")
                           : del ? st_wire__member(call, del, "Key")
                                 : 0;
            if (map && st_wire__has_empty_name(&call->doc, map, true)) {
                return true;
            }
        }
    }
    return false;
}

/* A put whose key is missing or of another type says what a key of another shape says. */
static st_status batch_check_put_key(wire_call *call, const st_table_info *info,
                                     const st_request *request)
{
    const st_key_schema *schema = &info->definition.schema;
    st_value map, value;
    st_slice name;
    if (request->operation != ST_REQUEST_PUT || !st_value_of(request->item, &map)) {
        return ST_OK;
    }
    for (uint32_t i = 0; i < schema->partition_count + schema->sort_count; i++) {
        const st_key_part *part = i == 0 ? &schema->partition[0] : &schema->sort[0];
        bool is_found = false;
        st_members walk = st_members_of(&map);
        while (st_members_next(&walk, &name, &value)) {
            is_found |= st_slice_equal(name, part->name) && value.type == part->type;
        }
        if (!is_found) {
            return st_wire__refuse(call, "The provided key element does not match the schema");
        }
    }
    return ST_OK;
}

static st_status batch_write_validate(wire_call *call, uint32_t tables, batch_call *batch)
{
    if (batch_has_empty_name(call, tables)) {
        return st_wire__refuse(call, "Empty attribute name");
    }
    batch->request.entries =
        st_arena_alloc(&call->op->arena, (BATCH_WRITES_MAX + 1) * sizeof(st_request));
    batch->tables = st_arena_alloc(&call->op->arena,
                                   (call->doc.nodes[tables].count + 1) * sizeof *batch->tables);
    if (!batch->request.entries || !batch->tables) {
        return st_fail_memory(call->op, BATCH_WRITES_MAX * sizeof(st_request));
    }
    for (uint32_t at = tables + 1; at < call->doc.nodes[tables].next;
         at = call->doc.nodes[at + 1].next) {
        batch_table *table = &batch->tables[batch->table_count++];
        *table = (batch_table){
            .name = call->doc.nodes[at].text, .node = at + 1, .first = batch->request.entry_count};
        for (uint32_t w = at + 2; w < call->doc.nodes[at + 1].next; w = call->doc.nodes[w].next) {
            ST_TRY(batch_read_write(call, w, table->name,
                                    &batch->request.entries[batch->request.entry_count]));
            batch->request.entry_count++;
            table->count++;
        }
    }
    for (uint32_t i = 0; i < batch->table_count; i++) {
        batch_table *table = &batch->tables[i];
        ST_TRY(st_wire__describe(call, table->name, &table->info));
        for (uint32_t k = 0; k < table->count; k++) {
            ST_TRY(
                batch_check_put_key(call, &table->info, &batch->request.entries[table->first + k]));
        }
    }
    return ST_OK;
}

static void batch_put_metrics(wire_call *call, const batch_call *batch)
{
    bool is_first = true;
    st_buf *out = call->out, one;
    st_wire__put_text(out, ",\"ItemCollectionMetrics\":{");
    for (uint32_t i = 0; i < batch->table_count; i++) {
        const batch_table *table = &batch->tables[i];
        bool has_any = false;
        for (uint32_t k = 0; k < table->count; k++) {
            const st_request *entry = &batch->request.entries[table->first + k];
            bool alone = true;
            st_buf_init(&one, call->op->alloc);
            call->out = &one;
            st_wire__put_metrics(call, &table->info, entry->has_item ? entry->item : entry->key,
                                 &alone);
            call->out = out;
            if (one.size > 24) {
                if (!has_any) {
                    st_wire__put_comma(call, &is_first);
                    st_json_put_string(out, table->info.name);
                    st_wire__put_text(out, ":[");
                }
                st_wire__put_text(out, has_any ? "," : "");
                st_buf_append(out, one.data + 24, one.size - 24); /* behind its name */
                has_any = true;
            }
            st_buf_deinit(&one);
        }
        st_wire__put_text(out, has_any ? "]" : "");
    }
    st_wire__put_text(out, "}");
}

st_status st_wire__batch_write(wire_call *call)
{
    batch_call batch = {.request = {.operation = ST_REQUEST_BATCH_WRITE}};
    uint32_t tables = st_wire__member(call, 0, "RequestItems");
    st_slice charges;
    bool is_first = false;
    ST_TRY(batch_write_constraints(call, tables));
    ST_TRY(batch_write_validate(call, tables, &batch));
    batch.request.wants_capacity = st_wire__capacity(call) != 0;
    st_buf result;
    st_buf_init(&result, call->op->alloc);
    st_status status = st_table_run(call->op, call->database, &batch.request, &result);
    if (status == ST_OK) {
        st_wire__put_text(call->out, "{\"UnprocessedItems\":{}");
        if (st_slice_equal(st_wire__member_text(call, 0, "ReturnItemCollectionMetrics"),
                           st_slice_str("SIZE"))) {
            batch_put_metrics(call, &batch);
        }
        if (st_table_result_find(st_buf_view(&result), ST_RESULT_CAPACITY, &charges)) {
            st_wire__put_capacity(call, charges, true, false, false, &is_first);
        }
        st_wire__put_text(call->out, "}");
    }
    st_buf_deinit(&result);
    return status;
}
