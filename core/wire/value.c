/* Attribute values: from JSON into relaxed values, and from canonical frames into JSON.
 *
 * Reading refuses what the service refuses while it reads: the JSON type of a member, booleans,
 * values without or with more than one type. What an item may hold besides is checked when the
 * value is made canonical (item.h).
 */
#include "wire/wire_internal.h"

#include <string.h>

#define VALUE_DEPTH_MAX 62u /* deeper ones are refused whatever they hold, and bare */
#define VALUE_FALSE_NULL                                                                   \
    "One or more parameter values were invalid: Null attribute value types must have the " \
    "value of true"
#define VALUE_EMPTY \
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
#define VALUE_MANY                                                                              \
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the " \
    "supported datatypes"
/* ---- JSON types ------------------------------------------------------------------------- */

/* A type a member must not have, in the service's words. */
st_status st_wire__wrong_kind(wire_call *call, uint32_t node, const char *wanted)
{
    st_json_kind kind = call->doc.nodes[node].kind;
    if (strcmp(wanted, "String") == 0 || strcmp(wanted, "Boolean") == 0 ||
        strcmp(wanted, "Integer") == 0 || strcmp(wanted, "Long") == 0 ||
        strcmp(wanted, "Blob") == 0) {
        const char *target = strcmp(wanted, "Blob") == 0 ? "String" : wanted;
        switch (kind) {
        case ST_JSON_IS_STRING:
            return st_wire__serialization(call, "STRING_VALUE cannot be converted to %s", target);
        case ST_JSON_IS_NUMBER:
            return st_wire__serialization(call, "NUMBER_VALUE cannot be converted to %s", target);
        case ST_JSON_IS_DECIMAL:
            return st_wire__serialization(call, "DECIMAL_VALUE cannot be converted to %s", target);
        case ST_JSON_IS_TRUE:
            return st_wire__serialization(call, "TRUE_VALUE cannot be converted to %s", target);
        case ST_JSON_IS_FALSE:
            return st_wire__serialization(call, "FALSE_VALUE cannot be converted to %s", target);
        case ST_JSON_IS_ARRAY:
            return st_wire__serialization(call, "Unrecognized collection type class java.lang.%s",
                                          target);
        default:
            return st_wire__serialization(call,
                                          "Start of structure or map found where not expected");
        }
    }
    if (strcmp(wanted, "List") == 0) {
        return st_wire__serialization(
            call, kind == ST_JSON_IS_OBJECT ? "Start of structure or map found where not expected"
                                            : "Unexpected field type");
    }
    if (kind != ST_JSON_IS_ARRAY) {
        return st_wire__serialization(call, "Unexpected field type");
    }
    if (strcmp(wanted, "Map") == 0) {
        return st_wire__serialization(
            call,
            "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to "
            "class java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl "
            "and java.lang.Class are in module java.base of loader 'bootstrap')");
    }
    return st_wire__serialization(
        call, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.%s", wanted);
}

static bool value_word_is(st_slice text, const char *const *words)
{
    for (; *words; words++) {
        size_t bytes = strlen(*words);
        bool is_same = text.size == bytes;
        for (size_t i = 0; i < bytes && is_same; i++) {
            uint8_t byte = text.data[i];
            is_same = (byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte) == (*words)[i];
        }
        if (is_same) {
            return true;
        }
    }
    return false;
}

st_status st_wire__boolean(wire_call *call, uint32_t node, bool is_flag, bool *out_value)
{
    static const char *const value_true[] = {"true", "t", "yes", "y", "1", NULL};
    static const char *const value_false[] = {"false", "f", "no", "n", "0", NULL};
    const st_json_node *at = &call->doc.nodes[node];
    *out_value = at->kind == ST_JSON_IS_TRUE;
    if (at->kind == ST_JSON_IS_TRUE || at->kind == ST_JSON_IS_FALSE) {
        return ST_OK;
    }
    if (at->kind == ST_JSON_IS_STRING) {
        *out_value = value_word_is(at->text, value_true);
        call->is_new_layer = false;
        return *out_value || value_word_is(at->text, value_false)
                   ? ST_OK
                   : st_wire__serialization(call, "Unexpected token received from parser");
    }
    if (at->kind == ST_JSON_IS_ARRAY) {
        return is_flag ? st_wire__serialization(
                             call, "Unrecognized collection type class java.lang.Boolean")
                       : st_wire__serialization(call, "%s", "");
    }
    return st_wire__wrong_kind(call, node, "Boolean");
}

/* ---- reading ---------------------------------------------------------------------------- */

static st_status value_read(wire_call *call, uint32_t node, uint32_t depth, st_buf *out);

static st_status value_text(wire_call *call, uint32_t node, uint8_t tag, st_buf *out)
{
    const st_json_node *at = &call->doc.nodes[node];
    if (at->kind != ST_JSON_IS_STRING) {
        return st_wire__wrong_kind(call, node, "String");
    }
    st_buf_byte(out, tag);
    st_buf_varint(out, at->text.size);
    st_buf_slice(out, at->text);
    return ST_OK;
}

static st_status value_decode(wire_call *call, uint32_t node, st_slice *out_bytes)
{
    const st_json_node *at = &call->doc.nodes[node];
    if (at->kind != ST_JSON_IS_STRING) {
        return st_wire__wrong_kind(call, node, "Blob");
    }
    st_buf bytes;
    st_buf_init(&bytes, call->op->alloc);
    bool is_base64 = st_base64_decode(at->text, &bytes);
    uint8_t *copy = is_base64 ? st_arena_alloc(&call->op->arena, bytes.size + 1) : NULL;
    if (copy && bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    *out_bytes = st_slice_of(copy, copy ? bytes.size : 0);
    st_buf_deinit(&bytes);
    return is_base64 ? ST_OK
                     : st_wire__serialization(call, "Invalid Base64 string in the attribute value");
}

static st_status value_blob(wire_call *call, uint32_t node, st_buf *out)
{
    st_slice bytes;
    ST_TRY(value_decode(call, node, &bytes));
    st_buf_byte(out, ST_TAG_B);
    st_buf_varint(out, bytes.size);
    st_buf_slice(out, bytes);
    return ST_OK;
}

static size_t value_begin(st_buf *out, uint8_t tag)
{
    uint8_t head[9] = {tag};
    st_buf_append(out, head, sizeof head);
    return out->size;
}

static void value_end(st_buf *out, size_t begin, uint32_t count)
{
    if (!out->failed) {
        st_put_u32(out->data + begin - 8, (uint32_t)(out->size - begin));
        st_put_u32(out->data + begin - 4, count);
    }
}

static st_status value_set(wire_call *call, uint32_t node, uint8_t tag, st_buf *out)
{
    const st_json_node *set = &call->doc.nodes[node];
    if (set->kind != ST_JSON_IS_ARRAY) {
        return st_wire__wrong_kind(call, node, "List");
    }
    if (set->count == 0) {
        return st_wire__value_refuse(
            call, tag == ST_TAG_SS ? "One or more parameter values were invalid: An string set  "
                                     "may not be empty"
                  : tag == ST_TAG_BS
                      ? "One or more parameter values were invalid: Binary sets should not be empty"
                      : "One or more parameter values were invalid: An number set  may not be "
                        "empty");
    }
    size_t begin = value_begin(out, tag);
    for (uint32_t at = node + 1; at < set->next; at = call->doc.nodes[at].next) {
        const st_json_node *member = &call->doc.nodes[at];
        st_slice bytes = member->text;
        if (tag == ST_TAG_BS) {
            ST_TRY(value_decode(call, at, &bytes));
        } else if (member->kind != ST_JSON_IS_STRING) {
            return st_wire__wrong_kind(call, at, "String");
        }
        st_buf_varint(out, bytes.size);
        st_buf_slice(out, bytes);
    }
    value_end(out, begin, set->count);
    return ST_OK;
}

static st_status value_list(wire_call *call, uint32_t node, uint32_t depth, st_buf *out)
{
    const st_json_node *list = &call->doc.nodes[node];
    if (list->kind != ST_JSON_IS_ARRAY) {
        return st_wire__wrong_kind(call, node, "List");
    }
    size_t begin = value_begin(out, ST_TAG_L);
    for (uint32_t at = node + 1; at < list->next; at = call->doc.nodes[at].next) {
        ST_TRY(value_read(call, at, depth + 1, out));
    }
    value_end(out, begin, list->count);
    return ST_OK;
}

static st_status value_map(wire_call *call, uint32_t node, uint32_t depth, st_buf *out)
{
    const st_json_node *map = &call->doc.nodes[node];
    if (map->kind != ST_JSON_IS_OBJECT) {
        return st_wire__wrong_kind(call, node, "Map");
    }
    size_t begin = value_begin(out, ST_TAG_M);
    uint32_t count = 0;
    for (uint32_t at = node + 1; at < map->next; at = call->doc.nodes[at + 1].next) {
        st_slice name = call->doc.nodes[at].text;
        st_buf_varint(out, name.size);
        st_buf_slice(out, name);
        ST_TRY(value_read(call, at + 1, depth + 1, out));
        count++;
    }
    value_end(out, begin, count);
    return ST_OK;
}

static st_status value_member(wire_call *call, st_slice type, uint32_t node, uint32_t depth,
                              st_buf *out)
{
    bool boolean;
    switch (st_type_of_name(type)) {
    case ST_TYPE_S:
        return value_text(call, node, ST_TAG_S, out);
    case ST_TYPE_N:
        return value_text(call, node, ST_TAG_NUMBER_TEXT, out);
    case ST_TYPE_B:
        return value_blob(call, node, out);
    case ST_TYPE_BOOL:
        ST_TRY(st_wire__boolean(call, node, false, &boolean));
        st_buf_byte(out, boolean ? ST_TAG_TRUE : ST_TAG_FALSE);
        return ST_OK;
    case ST_TYPE_NULL:
        ST_TRY(st_wire__boolean(call, node, false, &boolean));
        st_buf_byte(out, ST_TAG_NULL);
        return boolean ? ST_OK : st_wire__value_refuse(call, VALUE_FALSE_NULL);
    case ST_TYPE_SS:
        return value_set(call, node, ST_TAG_SS, out);
    case ST_TYPE_NS:
        return value_set(call, node, ST_TAG_NS_TEXT, out);
    case ST_TYPE_BS:
        return value_set(call, node, ST_TAG_BS, out);
    case ST_TYPE_L:
        return value_list(call, node, depth, out);
    default:
        return value_map(call, node, depth, out);
    }
}

/* Of a value with several types: what is wrong with any of them is told first. */
static st_status value_refuse_many(wire_call *call, uint32_t node)
{
    const st_json_node *object = &call->doc.nodes[node];
    static const st_type value_order[] = {ST_TYPE_SS, ST_TYPE_NS,   ST_TYPE_BS,
                                          ST_TYPE_N,  ST_TYPE_NULL, ST_TYPE_NONE};
    for (int i = 0; value_order[i] != ST_TYPE_NONE; i++) {
        for (uint32_t at = node + 1; at < object->next; at = call->doc.nodes[at + 1].next) {
            st_buf ignored;
            st_number number;
            if (st_type_of_name(call->doc.nodes[at].text) != value_order[i] ||
                call->doc.nodes[at + 1].kind == ST_JSON_IS_NULL) {
                continue;
            }
            st_buf_init(&ignored, call->op->alloc);
            st_status status = value_member(call, call->doc.nodes[at].text, at + 1, 0, &ignored);
            st_buf_deinit(&ignored);
            if (status == ST_OK && value_order[i] == ST_TYPE_N) {
                status = st_number_parse(call->op, call->doc.nodes[at + 1].text, &number);
            }
            ST_TRY(status);
        }
    }
    return st_wire__value_refuse(call, VALUE_MANY);
}

static st_status value_read(wire_call *call, uint32_t node, uint32_t depth, st_buf *out)
{
    const st_json_node *object = &call->doc.nodes[node];
    if (object->kind != ST_JSON_IS_OBJECT) {
        return object->kind == ST_JSON_IS_ARRAY
                   ? st_wire__wrong_kind(call, node, "AttributeValue")
                   : st_wire__serialization(call, depth > 0 ? "Unexpected value type in payload"
                                                            : "Unexpected value type in payload");
    }
    if (depth > VALUE_DEPTH_MAX) {
        call->is_bare = true;
        return st_wire__value_refuse(call, WIRE_NESTED);
    }
    uint32_t members = 0;
    for (uint32_t at = node + 1; at < object->next; at = call->doc.nodes[at + 1].next) {
        st_slice type = call->doc.nodes[at].text;
        bool is_known = st_type_of_name(type) != ST_TYPE_NONE;
        if (!is_known || call->doc.nodes[at + 1].kind == ST_JSON_IS_NULL) {
            continue;
        }
        if (++members > 1) {
            call->is_new_layer = false;
            call->is_bare = true;
            return value_refuse_many(call, node);
        }
        ST_TRY(value_member(call, type, at + 1, depth, out));
    }
    if (members == 0) {
        call->is_bare = true;
        return st_wire__value_refuse(call, VALUE_EMPTY);
    }
    return ST_OK;
}

st_status st_wire__value(wire_call *call, uint32_t node, st_slice *out_relaxed)
{
    st_buf out;
    st_buf_init(&out, call->op->alloc);
    *out_relaxed = (st_slice){0};
    st_status status = value_read(call, node, 0, &out);
    if (status == ST_OK) {
        status = st_wire__keep(call, &out, out_relaxed);
    }
    st_buf_deinit(&out);
    return status;
}

st_status st_wire__map(wire_call *call, uint32_t node, st_slice *out_relaxed)
{
    st_buf out;
    st_buf_init(&out, call->op->alloc);
    *out_relaxed = (st_slice){0};
    st_status status = value_map(call, node, 0, &out);
    if (status == ST_OK) {
        status = st_wire__keep(call, &out, out_relaxed);
    }
    st_buf_deinit(&out);
    return status;
}

/* The first value below the node, of these types, that cannot be: OK when there is none. */
static st_status value_first_wrong(wire_call *call, uint32_t node, const st_type *types)
{
    for (uint32_t at = node + 2; at < call->doc.nodes[node].next; at++) {
        const st_json_node *name = &call->doc.nodes[at - 1];
        bool is_type = false;
        for (const st_type *type = types; *type != ST_TYPE_NONE; type++) {
            is_type |= name->kind == ST_JSON_IS_STRING && st_type_of_name(name->text) == *type;
        }
        st_json_kind kind = call->doc.nodes[at].kind;
        if (!is_type || (kind != ST_JSON_IS_ARRAY && kind != ST_JSON_IS_STRING) ||
            call->doc.nodes[at - 2].kind != ST_JSON_IS_OBJECT) {
            continue;
        }
        st_slice relaxed;
        st_buf frame;
        ST_TRY(st_wire__value(call, at - 2, &relaxed));
        st_buf_init(&frame, call->op->alloc);
        st_status status = st_value_canonicalize(call->op, relaxed, &frame);
        st_buf_deinit(&frame);
        ST_TRY(status);
    }
    return ST_OK;
}

st_status st_wire__tell_first(wire_call *call, uint32_t node, st_status status)
{
    static const st_type value_sets[] = {ST_TYPE_SS, ST_TYPE_NS, ST_TYPE_BS, ST_TYPE_NONE};
    static const st_type value_numbers[] = {ST_TYPE_N, ST_TYPE_NONE};
    if (status != ST_INVALID_ARGUMENT || call->exception || call->is_bare ||
        st_slice_equal(st_op_message(call->op), st_slice_str(VALUE_FALSE_NULL))) {
        return status; /* nothing is told before these */
    }
    st_error error = call->op->error;
    st_op_clear(call->op);
    ST_TRY(value_first_wrong(call, node, value_sets));
    ST_TRY(value_first_wrong(call, node, value_numbers));
    call->op->error = error;
    return status;
}

st_status st_wire__keep(wire_call *call, const st_buf *bytes, st_slice *out)
{
    ST_TRY(st_buf_check(call->op, bytes));
    uint8_t *copy = st_arena_alloc(&call->op->arena, bytes->size + 1);
    if (!copy) {
        return st_fail_memory(call->op, bytes->size);
    }
    if (bytes->size > 0) {
        memcpy(copy, bytes->data, bytes->size);
    }
    *out = st_slice_of(copy, bytes->size);
    return ST_OK;
}

/* ---- empty names ------------------------------------------------------------------------ */

/* Whether any map in the values below the node has an attribute without a name. */
static bool value_has_empty_name(const st_json_doc *doc, uint32_t node, bool is_map, uint32_t depth)
{
    const st_json_node *at = &doc->nodes[node];
    if (at->kind != ST_JSON_IS_OBJECT || depth > 2 * VALUE_DEPTH_MAX) {
        return false;
    }
    for (uint32_t key = node + 1; key < at->next; key = doc->nodes[key + 1].next) {
        st_slice name = doc->nodes[key].text;
        if (is_map) {
            if (name.size == 0 || value_has_empty_name(doc, key + 1, false, depth + 1)) {
                return true;
            }
        } else if (st_slice_equal(name, st_slice_str("M"))) {
            if (value_has_empty_name(doc, key + 1, true, depth + 1)) {
                return true;
            }
        } else if (st_slice_equal(name, st_slice_str("L")) &&
                   doc->nodes[key + 1].kind == ST_JSON_IS_ARRAY) {
            for (uint32_t e = key + 2; e < doc->nodes[key + 1].next; e = doc->nodes[e].next) {
                if (value_has_empty_name(doc, e, false, depth + 1)) {
                    return true;
                }
            }
        }
    }
    return false;
}

bool st_wire__has_empty_name(const st_json_doc *doc, uint32_t node, bool is_map)
{
    return node != 0 && value_has_empty_name(doc, node, is_map, 0);
}

/* ---- looking ahead ---------------------------------------------------------------------- */

/* The lists and maps inside each other, in a value or in a map of values. Counted without
 * recursion, by the ends of the containers that are open. */
uint32_t st_wire__depth(const st_json_doc *doc, uint32_t node, bool is_map)
{
    uint32_t most = 0, open_count = 0, ends[2 * VALUE_DEPTH_MAX + 4];
    if (node == 0) {
        return 0;
    }
    for (uint32_t at = node; at < doc->nodes[node].next; at++) {
        while (open_count > 0 && at >= ends[open_count - 1]) {
            open_count--;
        }
        if (doc->nodes[at].kind < ST_JSON_IS_ARRAY) {
            continue;
        }
        if (open_count == sizeof ends / sizeof ends[0]) {
            return VALUE_DEPTH_MAX;
        }
        ends[open_count++] = doc->nodes[at].next;
        most = open_count > most ? open_count : most;
    }
    /* a scalar is one object; each list or map around it two more; a map of values one more */
    most -= is_map && most > 0;
    return most > 0 ? most / 2 : 0;
}

bool st_wire__has_false_null(const st_json_doc *doc, uint32_t node)
{
    for (uint32_t at = node; at + 1 < doc->nodes[node].next; at++) {
        if (doc->nodes[at].kind == ST_JSON_IS_STRING &&
            doc->nodes[at + 1].kind == ST_JSON_IS_FALSE &&
            st_slice_equal(doc->nodes[at].text, st_slice_str("NULL"))) {
            return true;
        }
    }
    return false;
}

bool st_wire__is_empty_set(st_slice message)
{
    static const char *const value_empty_sets[] = {
        "One or more parameter values were invalid: An string set  may not be empty",
        "One or more parameter values were invalid: An number set  may not be empty",
        "One or more parameter values were invalid: Binary sets should not be empty"};
    for (int i = 0; i < 3; i++) {
        if (st_slice_equal(message, st_slice_str(value_empty_sets[i]))) {
            return true;
        }
    }
    return false;
}

/* What sends a whole request to the old layer of wording: a boolean as text, two types at once. */
bool st_wire__falls_back(const st_json_doc *doc, uint32_t node)
{
    for (uint32_t at = node; at < doc->nodes[node].next; at++) {
        const st_json_node *object = &doc->nodes[at];
        uint32_t types = 0;
        if (object->kind != ST_JSON_IS_OBJECT) {
            continue;
        }
        for (uint32_t key = at + 1; key < object->next; key = doc->nodes[key + 1].next) {
            st_type type = st_type_of_name(doc->nodes[key].text);
            st_json_kind kind = doc->nodes[key + 1].kind;
            types += type != ST_TYPE_NONE && kind != ST_JSON_IS_NULL;
            if ((type == ST_TYPE_BOOL || type == ST_TYPE_NULL) && kind == ST_JSON_IS_STRING) {
                return true;
            }
        }
        if (types > 1) {
            return true;
        }
    }
    return false;
}

/* ---- writing ---------------------------------------------------------------------------- */

static void value_put_number(st_slice form, st_buf *out)
{
    char text[ST_NUMBER_TEXT_MAX];
    st_number number;
    if (st_number_decode(form, &number)) {
        st_buf_byte(out, '"');
        st_buf_append(out, text, st_number_text(&number, text));
        st_buf_byte(out, '"');
    }
}

static void value_put_scalar(const st_value *value, st_buf *out)
{
    if (value->type == ST_TYPE_N) {
        value_put_number(value->bytes, out);
    } else if (value->type == ST_TYPE_B) {
        st_buf_byte(out, '"');
        st_base64_encode(value->bytes, out);
        st_buf_byte(out, '"');
    } else {
        st_json_put_string(out, value->bytes);
    }
}

static void value_put_set(const st_value *set, bool is_java, st_buf *out)
{
    if (is_java && set->type == ST_TYPE_NS && set->count > 1) {
        st_wire__put_java_numbers(set, out);
        return;
    }
    st_members walk = st_members_of(set);
    st_slice name;
    st_value member;
    for (bool is_first = true; st_members_next(&walk, &name, &member); is_first = false) {
        st_buf_append(out, ",", is_first ? 0 : 1);
        value_put_scalar(&member, out);
    }
}

void st_wire__put_value(const st_value *value, bool is_java, st_buf *out)
{
    st_members walk;
    st_slice name;
    st_value member;
    static const char *const value_heads[] = {
        "{\"\":",   "{\"S\":",  "{\"N\":",  "{\"B\":", "{\"BOOL\":", "{\"NULL\":",
        "{\"SS\":", "{\"NS\":", "{\"BS\":", "{\"L\":", "{\"M\":"};
    static const uint8_t value_head_bytes[] = {4, 5, 5, 5, 8, 8, 6, 6, 6, 5, 5};
    st_buf_append(out, value_heads[value->type], value_head_bytes[value->type]);
    switch (value->type) {
    case ST_TYPE_S:
    case ST_TYPE_N:
    case ST_TYPE_B:
        value_put_scalar(value, out);
        break;
    case ST_TYPE_BOOL:
        st_wire__put_text(out, value->boolean ? "true" : "false");
        break;
    case ST_TYPE_NULL:
        st_wire__put_text(out, "true");
        break;
    case ST_TYPE_L:
        st_buf_byte(out, '[');
        walk = st_members_of(value);
        for (bool is_first = true; st_members_next(&walk, &name, &member); is_first = false) {
            st_buf_append(out, ",", is_first ? 0 : 1);
            st_wire__put_value(&member, is_java, out);
        }
        st_buf_byte(out, ']');
        break;
    case ST_TYPE_M:
        st_buf_byte(out, '{');
        walk = st_members_of(value);
        for (bool is_first = true; st_members_next(&walk, &name, &member); is_first = false) {
            st_buf_append(out, ",", is_first ? 0 : 1);
            st_json_put_string(out, name);
            st_buf_byte(out, ':');
            st_wire__put_value(&member, is_java, out);
        }
        st_buf_byte(out, '}');
        break;
    default:
        st_buf_byte(out, '[');
        value_put_set(value, is_java, out);
        st_buf_byte(out, ']');
        break;
    }
    st_buf_byte(out, '}');
}

void st_wire__put_item(st_slice frame, bool is_java, st_buf *out)
{
    st_slice name;
    st_value value;
    st_buf_byte(out, '{');
    for (uint32_t i = 0; st_item_at(frame, i, &name, &value); i++) {
        st_buf_append(out, ",", i > 0 ? 1 : 0);
        st_json_put_string(out, name);
        st_buf_byte(out, ':');
        st_wire__put_value(&value, is_java, out);
    }
    st_buf_byte(out, '}');
}
