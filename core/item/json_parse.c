/* From JSON to relaxed values: plain ({"year": 1979}) and DynamoDB's ({"year": {"N": "1979"}}).
 *
 * Numbers keep their exact text. What an item may hold is checked by st_item_canonicalize; here
 * only what JSON itself can get wrong. Duplicate names therefore reach it, and are refused there.
 */
#include "item/json_internal.h"

static st_status json_plain_value(st_json *json, uint32_t depth, st_buf *out);
static st_status json_typed_value(st_json *json, uint32_t depth, st_buf *out);

typedef st_status (*json_value_reader)(st_json *json, uint32_t depth, st_buf *out);

static void json_put_bytes(st_buf *out, st_slice bytes)
{
    st_buf_varint(out, bytes.size);
    st_buf_slice(out, bytes);
}

/* The head of a container, filled in by json_end. */
static size_t json_begin(st_buf *out, uint8_t tag)
{
    st_buf_byte(out, tag);
    st_buf_u32(out, 0);
    st_buf_u32(out, 0);
    return out->size;
}

static void json_end(st_buf *out, size_t begin, uint32_t count)
{
    if (!out->failed) {
        st_put_u32(out->data + begin - 8, (uint32_t)(out->size - begin));
        st_put_u32(out->data + begin - 4, count);
    }
}

static st_status json_too_deep(st_json *json)
{
    return st_fail_at(json->op, ST_INVALID_ARGUMENT, (int64_t)json->begin,
                      "Nesting Levels have exceeded supported limits: Attributes in the item have "
                      "nested levels beyond "
                      "supported limit");
}

/* { "name": value, ... } with the opening sign as the current token; stands behind the closing one
 * afterwards. */
static st_status json_map(st_json *json, uint32_t depth, json_value_reader read_value, st_buf *out)
{
    if (depth > ST_JSON_DEPTH_MAX) {
        return json_too_deep(json);
    }
    size_t begin = json_begin(out, ST_TAG_M);
    uint32_t count = 0;
    ST_TRY(st_item__json_expect(json, ST_JSON_OBJECT, "'{' expected"));
    while (json->token != ST_JSON_OBJECT_END) {
        if (count > 0) {
            ST_TRY(st_item__json_expect(json, ST_JSON_COMMA, "',' or '}' expected"));
        }
        st_slice name = json->value;
        ST_TRY(st_item__json_expect(json, ST_JSON_STRING, "a name in quotes expected"));
        ST_TRY(st_item__json_expect(json, ST_JSON_COLON, "':' expected"));
        json_put_bytes(out, name);
        ST_TRY(read_value(json, depth + 1, out));
        count++;
    }
    json_end(out, begin, count);
    return st_item__json_next(json);
}

static st_status json_list(st_json *json, uint32_t depth, json_value_reader read_value, uint8_t tag,
                           st_buf *out)
{
    if (depth > ST_JSON_DEPTH_MAX) {
        return json_too_deep(json);
    }
    size_t begin = json_begin(out, tag);
    uint32_t count = 0;
    ST_TRY(st_item__json_expect(json, ST_JSON_ARRAY, "'[' expected"));
    while (json->token != ST_JSON_ARRAY_END) {
        if (count > 0) {
            ST_TRY(st_item__json_expect(json, ST_JSON_COMMA, "',' or ']' expected"));
        }
        ST_TRY(read_value(json, depth + 1, out));
        count++;
    }
    json_end(out, begin, count);
    return st_item__json_next(json);
}

static st_status json_plain_value(st_json *json, uint32_t depth, st_buf *out)
{
    switch (json->token) {
    case ST_JSON_STRING:
        st_buf_byte(out, ST_TAG_S);
        json_put_bytes(out, json->value);
        return st_item__json_next(json);
    case ST_JSON_NUMBER:
        st_buf_byte(out, ST_TAG_NUMBER_TEXT);
        json_put_bytes(out, json->value);
        return st_item__json_next(json);
    case ST_JSON_TRUE:
    case ST_JSON_FALSE:
        st_buf_byte(out, json->token == ST_JSON_TRUE ? ST_TAG_TRUE : ST_TAG_FALSE);
        return st_item__json_next(json);
    case ST_JSON_NULL:
        st_buf_byte(out, ST_TAG_NULL);
        return st_item__json_next(json);
    case ST_JSON_OBJECT:
        return json_map(json, depth, json_plain_value, out);
    case ST_JSON_ARRAY:
        return json_list(json, depth, json_plain_value, ST_TAG_L, out);
    default:
        return st_item__json_refuse(json, "a value expected");
    }
}

/* ---- DynamoDB JSON ---------------------------------------------------------------------- */

static st_status json_string_member(st_json *json, uint32_t depth, st_buf *out)
{
    (void)depth;
    st_slice value = json->value;
    ST_TRY(st_item__json_expect(json, ST_JSON_STRING, "a string in quotes expected"));
    json_put_bytes(out, value);
    return ST_OK;
}

static st_status json_binary_member(st_json *json, uint32_t depth, st_buf *out)
{
    (void)depth;
    if (json->token != ST_JSON_STRING) {
        return st_item__json_refuse(json, "base64 text in quotes expected");
    }
    st_buf decoded;
    st_buf_init(&decoded, json->op->alloc);
    bool is_legal = st_item__base64_decode(json->value, &decoded);
    st_status status = st_buf_check(json->op, &decoded);
    json_put_bytes(out, st_buf_view(&decoded));
    st_buf_deinit(&decoded);
    ST_TRY(status);
    return is_legal ? st_item__json_next(json) : st_item__json_refuse(json, "malformed base64");
}

static st_status json_typed_content(st_json *json, st_type type, uint32_t depth, st_buf *out)
{
    switch (type) {
    case ST_TYPE_S:
        st_buf_byte(out, ST_TAG_S);
        return json_string_member(json, depth, out);
    case ST_TYPE_N:
        st_buf_byte(out, ST_TAG_NUMBER_TEXT);
        return json_string_member(json, depth, out);
    case ST_TYPE_B:
        st_buf_byte(out, ST_TAG_B);
        return json_binary_member(json, depth, out);
    case ST_TYPE_BOOL:
        if (json->token != ST_JSON_TRUE && json->token != ST_JSON_FALSE) {
            return st_item__json_refuse(json, "true or false expected");
        }
        st_buf_byte(out, json->token == ST_JSON_TRUE ? ST_TAG_TRUE : ST_TAG_FALSE);
        return st_item__json_next(json);
    case ST_TYPE_NULL:
        if (json->token != ST_JSON_TRUE) {
            return st_fail_at(json->op, ST_INVALID_ARGUMENT, (int64_t)json->begin,
                              "One or more parameter values were invalid: Null attribute value "
                              "types must have the value of "
                              "true");
        }
        st_buf_byte(out, ST_TAG_NULL);
        return st_item__json_next(json);
    case ST_TYPE_SS:
        return json_list(json, depth, json_string_member, ST_TAG_SS, out);
    case ST_TYPE_NS:
        return json_list(json, depth, json_string_member, ST_TAG_NS_TEXT, out);
    case ST_TYPE_BS:
        return json_list(json, depth, json_binary_member, ST_TAG_BS, out);
    case ST_TYPE_L:
        return json_list(json, depth, json_typed_value, ST_TAG_L, out);
    default:
        return json_map(json, depth, json_typed_value, out);
    }
}

/* {"TYPE": content} */
static st_status json_typed_value(st_json *json, uint32_t depth, st_buf *out)
{
    ST_TRY(st_item__json_expect(json, ST_JSON_OBJECT,
                                "an attribute value like {\"S\": \"text\"} expected"));
    if (json->token != ST_JSON_STRING) {
        return st_item__json_refuse(json, "a type name expected");
    }
    st_type type = st_type_of_name(json->value);
    if (type == ST_TYPE_NONE) {
        return st_item__json_refuse(json, "one of S N B BOOL NULL SS NS BS L M expected");
    }
    ST_TRY(st_item__json_next(json));
    ST_TRY(st_item__json_expect(json, ST_JSON_COLON, "':' expected"));
    ST_TRY(json_typed_content(json, type, depth, out));
    if (json->token == ST_JSON_COMMA) {
        return st_item__json_refuse(json, "an attribute value holds one type;");
    }
    return st_item__json_expect(json, ST_JSON_OBJECT_END, "'}' expected");
}

static st_status json_item(st_op *op, st_slice text, json_value_reader read_value, st_buf *out)
{
    st_json json = {.op = op, .text = text};
    ST_TRY(st_item__json_next(&json));
    if (json.token != ST_JSON_OBJECT) {
        return st_item__json_refuse(&json, "an item is a JSON object; '{' expected");
    }
    ST_TRY(json_map(&json, 0, read_value, out));
    if (json.token != ST_JSON_END) {
        return st_item__json_refuse(&json, "something behind the item");
    }
    return st_buf_check(op, out);
}

st_status st_item_from_plain_json(st_op *op, st_slice json, st_buf *out_relaxed)
{
    return json_item(op, json, json_plain_value, out_relaxed);
}

st_status st_item_from_dynamodb_json(st_op *op, st_slice json, st_buf *out_relaxed)
{
    return json_item(op, json, json_typed_value, out_relaxed);
}
