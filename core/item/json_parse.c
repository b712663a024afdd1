/* From JSON to relaxed values: plain ({"year": 1979}) and DynamoDB's ({"year": {"N": "1979"}}).
 *
 * Numbers keep their exact text. What an item may hold is checked by st_item_canonicalize; here
 * only what JSON itself can get wrong. Names that occur twice therefore reach it, and are refused
 * there.
 *
 * Every value is appended before the parser goes on to the next token, because decoded strings live
 * only until then.
 */
#include "item/json_internal.h"

static st_status json_plain_value(st_json *json, uint32_t depth, st_buf *out);
static st_status json_typed_value(st_json *json, uint32_t depth, st_buf *out);

typedef st_status (*json_value_reader)(st_json *json, uint32_t depth, st_buf *out);

static st_status json_too_deep(st_json *json)
{
    return st_fail_at(json->op, ST_INVALID_ARGUMENT, (int64_t)json->begin,
                      "Nesting Levels have exceeded supported limits: Attributes in the item have "
                      "nested levels beyond supported limit");
}

/* { "name": value, ... } with the opening bracket as the current token; stands behind the closing
 * one afterwards. */
static st_status json_map(st_json *json, uint32_t depth, json_value_reader read_value, st_buf *out)
{
    if (depth > ST_JSON_DEPTH_MAX) {
        return json_too_deep(json);
    }
    size_t begin = st_item__put_begin(out, ST_TAG_M);
    uint32_t count = 0;
    ST_TRY(st_item__json_expect(json, ST_JSON_OBJECT, "'{' expected"));
    while (json->token != ST_JSON_OBJECT_END) {
        if (count > 0) {
            ST_TRY(st_item__json_expect(json, ST_JSON_COMMA, "',' or '}' expected"));
        }
        if (json->token == ST_JSON_STRING) {
            st_item__put_bytes(out, json->value);
        }
        ST_TRY(st_item__json_expect(json, ST_JSON_STRING, "a name in quotes expected"));
        ST_TRY(st_item__json_expect(json, ST_JSON_COLON, "':' expected"));
        ST_TRY(read_value(json, depth + 1, out));
        count++;
    }
    st_item__put_end(out, begin, count);
    return st_item__json_next(json);
}

static st_status json_list(st_json *json, uint32_t depth, json_value_reader read_value, uint8_t tag,
                           st_buf *out)
{
    if (depth > ST_JSON_DEPTH_MAX) {
        return json_too_deep(json);
    }
    size_t begin = st_item__put_begin(out, tag);
    uint32_t count = 0;
    ST_TRY(st_item__json_expect(json, ST_JSON_ARRAY, "'[' expected"));
    while (json->token != ST_JSON_ARRAY_END) {
        if (count > 0) {
            ST_TRY(st_item__json_expect(json, ST_JSON_COMMA, "',' or ']' expected"));
        }
        ST_TRY(read_value(json, depth + 1, out));
        count++;
    }
    st_item__put_end(out, begin, count);
    return st_item__json_next(json);
}

static st_status json_plain_value(st_json *json, uint32_t depth, st_buf *out)
{
    switch (json->token) {
    case ST_JSON_STRING:
        st_buf_byte(out, ST_TAG_S);
        st_item__put_bytes(out, json->value);
        return st_item__json_next(json);
    case ST_JSON_NUMBER:
        st_buf_byte(out, ST_TAG_NUMBER_TEXT);
        st_item__put_bytes(out, json->value);
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
    if (json->token == ST_JSON_STRING) {
        st_item__put_bytes(out, json->value);
    }
    return st_item__json_expect(json, ST_JSON_STRING, "a string in quotes expected");
}

static st_status json_binary_member(st_json *json, uint32_t depth, st_buf *out)
{
    (void)depth;
    if (json->token != ST_JSON_STRING) {
        return st_item__json_refuse(json, "base64 text in quotes expected");
    }
    st_slice text = json->value;
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=') {
        padding++;
    }
    st_buf_varint(out, text.size / 4 * 3 - (text.size >= 4 ? padding : 0));
    if (!st_base64_decode(text, out)) {
        return st_item__json_refuse(json, "malformed base64");
    }
    return st_item__json_next(json);
}

/* The words that DynamoDB takes for a BOOL or NULL, in any case. */
static bool json_is_word(st_slice text, const char *const *words)
{
    for (; *words; words++) {
        size_t same = 0;
        for (; (*words)[same] && same < text.size; same++) {
            uint8_t c = text.data[same];
            if ((char)(c >= 'A' && c <= 'Z' ? c + 32 : c) != (*words)[same]) {
                break;
            }
        }
        if (same == text.size && (*words)[same] == '\0') {
            return true;
        }
    }
    return false;
}

static st_status json_boolean(st_json *json, bool *out_is_true)
{
    static const char *const json_yes[] = {"true", "t", "yes", "y", "1", NULL};
    static const char *const json_no[] = {"false", "f", "no", "n", "0", NULL};
    bool is_text = json->token == ST_JSON_STRING;
    *out_is_true = json->token == ST_JSON_TRUE || (is_text && json_is_word(json->value, json_yes));
    if (*out_is_true || json->token == ST_JSON_FALSE ||
        (is_text && json_is_word(json->value, json_no))) {
        return ST_OK;
    }
    return st_item__json_refuse(json, "true or false expected");
}

static st_status json_typed_scalar(st_json *json, st_type type, uint32_t depth, st_buf *out)
{
    bool is_true = true;
    switch (type) {
    case ST_TYPE_S:
    case ST_TYPE_N:
        st_buf_byte(out, type == ST_TYPE_S ? ST_TAG_S : ST_TAG_NUMBER_TEXT);
        return json_string_member(json, depth, out);
    case ST_TYPE_B:
        st_buf_byte(out, ST_TAG_B);
        return json_binary_member(json, depth, out);
    default:
        break;
    }
    ST_TRY(json_boolean(json, &is_true));
    if (type == ST_TYPE_NULL && !is_true) {
        return st_fail_at(json->op, ST_INVALID_ARGUMENT, (int64_t)json->begin,
                          "One or more parameter values were invalid: Null attribute value types "
                          "must have the value of true");
    }
    st_buf_byte(out, type == ST_TYPE_NULL ? ST_TAG_NULL : is_true ? ST_TAG_TRUE : ST_TAG_FALSE);
    return st_item__json_next(json);
}

static st_status json_typed_content(st_json *json, st_type type, uint32_t depth, st_buf *out)
{
    switch (type) {
    case ST_TYPE_SS:
        return json_list(json, depth, json_string_member, ST_TAG_SS, out);
    case ST_TYPE_NS:
        return json_list(json, depth, json_string_member, ST_TAG_NS_TEXT, out);
    case ST_TYPE_BS:
        return json_list(json, depth, json_binary_member, ST_TAG_BS, out);
    case ST_TYPE_L:
        return json_list(json, depth, json_typed_value, ST_TAG_L, out);
    case ST_TYPE_M:
        return json_map(json, depth, json_typed_value, out);
    default:
        return json_typed_scalar(json, type, depth, out);
    }
}

/* The name of a type and the colon behind it. */
static st_status json_type_name(st_json *json, st_type *out_type)
{
    if (json->token != ST_JSON_STRING) {
        return st_item__json_refuse(json, "a type name expected");
    }
    *out_type = st_type_of_name(json->value);
    if (*out_type == ST_TYPE_NONE) {
        return st_item__json_refuse(json, "one of S N B BOOL NULL SS NS BS L M expected");
    }
    ST_TRY(st_item__json_next(json));
    return st_item__json_expect(json, ST_JSON_COLON, "':' expected");
}

/* {"TYPE": content}; a type whose content is null counts as absent. */
static st_status json_typed_value(st_json *json, uint32_t depth, st_buf *out)
{
    size_t begin = json->begin;
    bool has_content = false;
    ST_TRY(st_item__json_expect(json, ST_JSON_OBJECT,
                                "an attribute value like {\"S\": \"text\"} expected"));
    for (bool is_first = true; json->token != ST_JSON_OBJECT_END; is_first = false) {
        st_type type = ST_TYPE_NONE;
        if (!is_first) {
            ST_TRY(st_item__json_expect(json, ST_JSON_COMMA, "',' or '}' expected"));
        }
        ST_TRY(json_type_name(json, &type));
        if (json->token == ST_JSON_NULL) {
            ST_TRY(st_item__json_next(json));
            continue;
        }
        if (has_content) {
            return st_fail_at(json->op, ST_INVALID_ARGUMENT, (int64_t)begin,
                              "Supplied AttributeValue has more than one datatypes set, must "
                              "contain exactly one of the supported datatypes");
        }
        has_content = true;
        ST_TRY(json_typed_content(json, type, depth, out));
    }
    if (!has_content) {
        return st_fail_at(json->op, ST_INVALID_ARGUMENT, (int64_t)begin,
                          "Supplied AttributeValue is empty, must contain exactly one of the "
                          "supported datatypes");
    }
    return st_item__json_next(json);
}

/* ---- items ------------------------------------------------------------------------------ */

static st_status json_object(st_json *json, json_value_reader read_value, st_buf *out)
{
    ST_TRY(st_item__json_next(json));
    if (json->token != ST_JSON_OBJECT) {
        return st_item__json_refuse(json, "an item is a JSON object; '{' expected");
    }
    ST_TRY(json_map(json, 0, read_value, out));
    if (json->token != ST_JSON_END) {
        return st_item__json_refuse(json, "something behind the item");
    }
    return st_buf_check(json->op, out);
}

static st_status json_item(st_op *op, st_slice text, json_value_reader read_value, st_buf *out)
{
    size_t begin = out->size;
    st_json json = {.op = op, .text = text};
    st_buf_init(&json.scratch, op->alloc);
    st_status status = json_object(&json, read_value, out);
    if (status != ST_OK) {
        out->size = begin;
    }
    st_buf_deinit(&json.scratch);
    return status;
}

st_status st_item_from_plain_json(st_op *op, st_slice json, st_buf *out_relaxed)
{
    return json_item(op, json, json_plain_value, out_relaxed);
}

st_status st_item_from_dynamodb_json(st_op *op, st_slice json, st_buf *out_relaxed)
{
    return json_item(op, json, json_typed_value, out_relaxed);
}
