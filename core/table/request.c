/* Decoding request frames, and the pieces that result frames are made of. Nothing here is believed:
 * every length is checked, unknown fields from 128 on are refused, and so is a field that stands
 * twice.
 */
#include "table/table_internal.h"

#define REQUEST_ENTRIES_DEPTH 1 /* a batch holds no batches */
#define REQUEST_PAGE_BYTES_MAX ((uint32_t)16 << 20)
#define REQUEST_SEGMENTS_MAX 1000000u
#define REQUEST_FLAGS_KNOWN                                                                \
    (ST_FLAG_CACHED_ONLY | ST_FLAG_CONSISTENT | ST_FLAG_RETURN_OLD | ST_FLAG_REVERSE |     \
     ST_FLAG_SNAPSHOT | ST_FLAG_ENSURE | ST_FLAG_RETURN_ON_FAILURE | ST_FLAG_EXACT_PAGES | \
     ST_FLAG_LAST_KEY_ITEM | ST_FLAG_ABSENT_IS_FINE)

static st_status request_bad_length(st_op *op, uint8_t number, size_t at)
{
    return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at,
                      "request field %u at byte %zu has a wrong length", number, at);
}

static st_status request_u32(st_op *op, uint8_t number, st_slice payload, size_t at,
                             uint32_t *out_value)
{
    if (payload.size != 4) {
        return request_bad_length(op, number, at);
    }
    *out_value = st_get_u32(payload.data);
    return ST_OK;
}

static st_status request_durability(st_op *op, st_slice payload, size_t at, st_request *out)
{
    if (payload.size != 1) {
        return request_bad_length(op, ST_FIELD_DURABILITY, at);
    }
    if (payload.data[0] > ST_DURABILITY_NONE) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at, "durability %u is none of 0 to 3",
                          payload.data[0]);
    }
    out->durability = (st_durability)payload.data[0];
    return ST_OK;
}

static st_status request_flags(st_op *op, st_slice payload, size_t at, st_request *out)
{
    ST_TRY(request_u32(op, ST_FIELD_FLAGS, payload, at, &out->flags));
    if (out->flags & ~(uint32_t)REQUEST_FLAGS_KNOWN) {
        return st_fail_at(op, ST_UNSUPPORTED, (int64_t)at, "request flags %#x of a later version",
                          out->flags);
    }
    return ST_OK;
}

static st_status request_limit(st_op *op, st_slice payload, size_t at, st_request *out)
{
    if (payload.size != 8) {
        return request_bad_length(op, ST_FIELD_LIMIT, at);
    }
    out->limit = st_get_u64(payload.data);
    if (out->limit == 0) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at, "the limit must be at least 1");
    }
    return ST_OK;
}

static st_status request_segment(st_op *op, st_slice payload, size_t at, st_request *out)
{
    if (payload.size != 8) {
        return request_bad_length(op, ST_FIELD_SEGMENT, at);
    }
    out->segment = st_get_u32(payload.data);
    out->segment_count = st_get_u32(payload.data + 4);
    if (out->segment_count == 0 || out->segment_count > REQUEST_SEGMENTS_MAX) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at,
                          "the number of segments must be 1..1,000,000");
    }
    if (out->segment >= out->segment_count) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at,
                          "The Segment parameter is zero-based and must be less than parameter "
                          "TotalSegments: Segment: %u is "
                          "not less than TotalSegments: %u",
                          out->segment, out->segment_count);
    }
    return ST_OK;
}

static st_status request_item_version(st_op *op, st_slice payload, size_t at)
{
    if (payload.size != 1) {
        return request_bad_length(op, ST_FIELD_ITEM_VERSION, at);
    }
    if (payload.data[0] < ST_ITEM_VERSION) {
        return st_fail_at(op, ST_UNSUPPORTED, (int64_t)at,
                          "item frame version %u is older than any", payload.data[0]);
    }
    return ST_OK;
}

static void request_slice(st_slice *to, bool *has, st_slice payload)
{
    *to = payload;
    *has = true;
}

/* The texts of a request's expressions, until its names and values are known. */
typedef struct request_texts {
    st_slice condition, update, filter, projection, key_condition, names, values;
    bool has_condition, has_update, has_filter, has_projection, has_key_condition;
} request_texts;

static st_status request_byte(st_op *op, uint8_t number, st_slice payload, size_t at, uint8_t most,
                              uint8_t *out_value)
{
    if (payload.size != 1) {
        return request_bad_length(op, number, at);
    }
    if (payload.data[0] > most) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at,
                          "request field %u holds %u; at most %u is possible", number,
                          payload.data[0], most);
    }
    *out_value = payload.data[0];
    return ST_OK;
}

/* Fields that who does not know them must refuse. */
static st_status request_strict_field(st_op *op, uint8_t number, st_slice payload, size_t at,
                                      st_request *out, request_texts *texts)
{
    uint8_t flag = 0;
    switch (number) {
    case ST_FIELD_CONDITION:
        request_slice(&texts->condition, &texts->has_condition, payload);
        return ST_OK;
    case ST_FIELD_UPDATE:
        request_slice(&texts->update, &texts->has_update, payload);
        return ST_OK;
    case ST_FIELD_FILTER:
        request_slice(&texts->filter, &texts->has_filter, payload);
        return ST_OK;
    case ST_FIELD_PROJECTION:
        request_slice(&texts->projection, &texts->has_projection, payload);
        return ST_OK;
    case ST_FIELD_KEY_CONDITION:
        request_slice(&texts->key_condition, &texts->has_key_condition, payload);
        return ST_OK;
    case ST_FIELD_NAMES:
        texts->names = payload;
        return ST_OK;
    case ST_FIELD_VALUES:
        texts->values = payload;
        return ST_OK;
    case ST_FIELD_INDEX:
        request_slice(&out->index, &out->has_index, payload);
        return ST_OK;
    case ST_FIELD_RETURNS:
        return request_byte(op, number, payload, at, ST_RETURNS_UPDATED_NEW, &out->returns);
    case ST_FIELD_SELECT:
        return request_byte(op, number, payload, at, ST_SELECT_COUNT, &out->select);
    case ST_FIELD_CAPACITY:
        ST_TRY(request_byte(op, number, payload, at, 1, &flag));
        out->wants_capacity = flag != 0;
        return ST_OK;
    case ST_FIELD_DEFINITION:
        request_slice(&out->definition, &out->has_definition, payload);
        return ST_OK;
    case ST_FIELD_EXPECTED_DEFINITION:
        out->expected_definition = payload;
        return ST_OK;
    case ST_FIELD_TOKEN:
        request_slice(&out->token, &out->has_token, payload);
        return payload.size > 0 && payload.size <= 36 ? ST_OK : request_bad_length(op, number, at);
    case ST_FIELD_START_KEY:
        request_slice(&out->start_key, &out->has_start_key, payload);
        return ST_OK;
    default:
        return st_fail_at(op, ST_UNSUPPORTED, (int64_t)at, "request field %u of a later version",
                          number);
    }
}

static st_status request_field(st_op *op, uint8_t number, st_slice payload, size_t at,
                               st_request *out)
{
    switch (number) {
    case ST_FIELD_TABLE_NAME:
        request_slice(&out->name, &out->has_name, payload);
        return ST_OK;
    case ST_FIELD_TABLE_ID:
        return request_u32(op, number, payload, at, &out->table_id);
    case ST_FIELD_KEY:
        request_slice(&out->key, &out->has_key, payload);
        return ST_OK;
    case ST_FIELD_ITEM:
        request_slice(&out->item, &out->has_item, payload);
        return ST_OK;
    case ST_FIELD_DURABILITY:
        return request_durability(op, payload, at, out);
    case ST_FIELD_DEADLINE:
        return request_u32(op, number, payload, at, &out->deadline_ms);
    case ST_FIELD_FLAGS:
        return request_flags(op, payload, at, out);
    case ST_FIELD_SCHEMA:
        request_slice(&out->schema, &out->has_schema, payload);
        return ST_OK;
    case ST_FIELD_PARTITION:
        request_slice(&out->partition, &out->has_partition, payload);
        return ST_OK;
    case ST_FIELD_LIMIT:
        return request_limit(op, payload, at, out);
    case ST_FIELD_SORT:
        request_slice(&out->sort, &out->has_sort, payload);
        return ST_OK;
    case ST_FIELD_PAGE_ITEMS:
        ST_TRY(request_u32(op, number, payload, at, &out->page_items));
        return out->page_items > 0 ? ST_OK
                                   : st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at,
                                                "a page holds at least 1 item");
    case ST_FIELD_PAGE_BYTES:
        ST_TRY(request_u32(op, number, payload, at, &out->page_bytes));
        return out->page_bytes > 0 && out->page_bytes <= REQUEST_PAGE_BYTES_MAX
                   ? ST_OK
                   : st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at,
                                "page bytes must be 1..16 MiB");
    case ST_FIELD_START_AFTER:
        request_slice(&out->start_after, &out->has_start_after, payload);
        return ST_OK;
    case ST_FIELD_SEGMENT:
        return request_segment(op, payload, at, out);
    case ST_FIELD_ITEM_VERSION:
        return request_item_version(op, payload, at);
    case ST_FIELD_ENTRY:
        out->entry_count++;
        return ST_OK;
    default:
        return ST_OK;
    }
}

/* ---- expressions ------------------------------------------------------------------------ */

static st_status request_map(st_op *op, st_slice bytes, const char *what, st_value *out_map)
{
    if (bytes.size == 0) {
        *out_map = (st_value){.type = ST_TYPE_M};
        return ST_OK;
    }
    if (!st_value_of(bytes, out_map) || out_map->type != ST_TYPE_M ||
        out_map->count > out_map->bytes.size / 2) {
        return st_fail(op, ST_INVALID_ARGUMENT, "the %s of the request are malformed", what);
    }
    return ST_OK;
}

static st_status request_scope(st_op *op, const request_texts *texts, st_expr_scope *out_scope)
{
    st_value names, values, value;
    st_slice name;
    ST_TRY(request_map(op, texts->names, "names", &names));
    ST_TRY(request_map(op, texts->values, "values", &values));
    ST_TRY(st_expr_scope_begin(op, names.count, values.count, out_scope));
    st_members walk = st_members_of(&names);
    while (st_members_next(&walk, &name, &value)) {
        if (!st_expr_is_placeholder(name, '#') || value.type != ST_TYPE_S) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "ExpressionAttributeNames contains invalid key: Syntax error; key: "
                           "\"%.*s\"",
                           (int)(name.size < 64 ? name.size : 64), (const char *)name.data);
        }
        st_expr_scope_add_name(out_scope, name, value.bytes);
    }
    walk = st_members_of(&values);
    while (st_members_next(&walk, &name, &value)) {
        if (!st_expr_is_placeholder(name, ':')) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "ExpressionAttributeValues contains invalid key: Syntax error; key: "
                           "\"%.*s\"",
                           (int)(name.size < 64 ? name.size : 64), (const char *)name.data);
        }
        ST_TRY(st_expr_scope_add_value(op, out_scope, name, value.encoded));
    }
    return ST_OK;
}

static st_status request_condition(st_op *op, st_expr_kind kind, st_slice text,
                                   st_expr_scope *scope, const st_condition **out_condition)
{
    st_condition *condition;
    ST_TRY(st_condition_parse(op, kind, text, scope, &condition));
    ST_TRY(st_condition_resolve(op, condition, scope));
    ST_TRY(st_condition_check(op, condition));
    *out_condition = condition;
    return ST_OK;
}

static st_status request_update(st_op *op, st_slice text, st_expr_scope *scope,
                                const st_update **out_update)
{
    st_update *update;
    ST_TRY(st_update_parse(op, text, scope, &update));
    ST_TRY(st_update_resolve(op, update, scope));
    ST_TRY(st_update_check(op, update));
    *out_update = update;
    return ST_OK;
}

static st_status request_key_condition(st_op *op, st_slice text, st_expr_scope *scope,
                                       st_request *out)
{
    const st_condition *condition;
    st_key_clause *clauses;
    ST_TRY(request_condition(op, ST_EXPR_KEY_CONDITION, text, scope, &condition));
    ST_TRY(st_key_clauses_of(op, condition, &clauses, &out->clause_count));
    out->clauses = clauses;
    return ST_OK;
}

static st_status request_expressions(st_op *op, const request_texts *texts, st_request *out)
{
    bool has_any = texts->has_condition || texts->has_update || texts->has_filter ||
                   texts->has_projection || texts->has_key_condition;
    if (!has_any && texts->names.size == 0 && texts->values.size == 0) {
        return ST_OK;
    }
    st_expr_scope scope;
    ST_TRY(request_scope(op, texts, &scope));
    if (texts->has_update) {
        ST_TRY(request_update(op, texts->update, &scope, &out->update));
    }
    if (texts->has_condition) {
        ST_TRY(request_condition(op, ST_EXPR_CONDITION, texts->condition, &scope, &out->condition));
    }
    if (texts->has_key_condition) {
        ST_TRY(request_key_condition(op, texts->key_condition, &scope, out));
    }
    if (texts->has_filter) {
        ST_TRY(request_condition(op, ST_EXPR_FILTER, texts->filter, &scope, &out->filter));
    }
    if (texts->has_projection) {
        st_projection *projection;
        ST_TRY(st_projection_parse(op, texts->projection, &scope, &projection));
        ST_TRY(st_projection_resolve(op, projection, &scope));
        out->projection = projection;
    }
    return st_expr_check_unused(op, &scope);
}

/* ---- frames ----------------------------------------------------------------------------- */

static st_status request_decode(st_op *op, st_slice frame, int depth, st_request *out);

/* The digest of what a transaction does: of its entries, as they were sent. */
static st_status request_entries(st_op *op, int depth, st_request *out)
{
    size_t bytes = (size_t)out->entry_count * sizeof(st_request);
    out->entries = st_arena_alloc(&op->arena, bytes);
    if (!out->entries) {
        return st_fail_memory(op, bytes);
    }
    st_reader reader = st_reader_of(out->frame);
    reader.at = 2;
    uint32_t count = 0;
    while (st_reader_left(&reader) > 0) {
        uint8_t number = st_reader_byte(&reader);
        st_slice payload = st_reader_slice(&reader, st_reader_u32(&reader));
        if (number != ST_FIELD_ENTRY) {
            continue;
        }
        out->token_digest[0] = st_hash64(payload, out->token_digest[0] + 1);
        out->token_digest[1] = st_hash64(payload, out->token_digest[1] ^ 0x9e3779b97f4a7c15u);
        ST_TRY(request_decode(op, payload, depth + 1, &out->entries[count++]));
    }
    return ST_OK;
}

static st_status request_decode(st_op *op, st_slice frame, int depth, st_request *out)
{
    *out = (st_request){.frame = frame};
    request_texts texts = {.has_condition = false};
    st_reader reader = st_reader_of(frame);
    uint8_t version = st_reader_byte(&reader);
    out->operation = st_reader_byte(&reader);
    if (reader.failed) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, 0, "the request frame is cut short");
    }
    if (version != ST_FRAME_VERSION) {
        return st_fail_at(op, ST_UNSUPPORTED, 0, "request frame version %u", version);
    }
    uint64_t seen[4] = {0};
    while (st_reader_left(&reader) > 0) {
        size_t at = reader.at;
        uint8_t number = st_reader_byte(&reader);
        st_slice payload = st_reader_slice(&reader, st_reader_u32(&reader));
        if (reader.failed) {
            return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at,
                              "the request frame is cut short at byte %zu", at);
        }
        bool is_twice = seen[number / 64] >> number % 64 & 1;
        if (is_twice && number != ST_FIELD_ENTRY) {
            return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at, "request field %u stands twice",
                              number);
        }
        seen[number / 64] |= (uint64_t)1 << number % 64;
        ST_TRY(number < ST_FIELD_MUST_UNDERSTAND
                   ? request_field(op, number, payload, at, out)
                   : request_strict_field(op, number, payload, at, out, &texts));
    }
    ST_TRY(request_expressions(op, &texts, out));
    if (out->entry_count > 0 && depth >= REQUEST_ENTRIES_DEPTH) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a batch cannot hold a batch");
    }
    return out->entry_count > 0 ? request_entries(op, depth, out) : ST_OK;
}

st_status st_table_request(st_op *op, st_slice frame, st_request *out_request)
{
    return request_decode(op, frame, 0, out_request);
}

/* ---- results ---------------------------------------------------------------------------- */

void st_table__result_begin(st_buf *out, uint8_t operation)
{
    st_buf_byte(out, ST_FRAME_VERSION);
    st_buf_byte(out, operation);
}

void st_table__result_field(st_buf *out, uint8_t number, st_slice payload)
{
    st_buf_byte(out, number);
    st_buf_u32(out, (uint32_t)payload.size);
    st_buf_slice(out, payload);
}

size_t st_table__result_open(st_buf *out, uint8_t number)
{
    st_buf_byte(out, number);
    st_buf_u32(out, 0);
    return out->size;
}

void st_table__result_shut(st_buf *out, size_t place)
{
    if (!out->failed) {
        st_put_u32(out->data + place - 4, (uint32_t)(out->size - place));
    }
}

bool st_table_result_find(st_slice result, uint8_t number, st_slice *out_payload)
{
    st_reader reader = st_reader_of(result);
    reader.at = 2;
    *out_payload = (st_slice){0};
    while (st_reader_left(&reader) > 0) {
        uint8_t found = st_reader_byte(&reader);
        *out_payload = st_reader_slice(&reader, st_reader_u32(&reader));
        if (reader.failed) {
            break;
        }
        if (found == number) {
            return true;
        }
    }
    *out_payload = (st_slice){0};
    return false;
}
