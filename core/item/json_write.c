/* From canonical frames to one line of JSON, plain or DynamoDB's.
 *
 * The frame need not have been validated: a member that cannot be read or a nesting no item may
 * have makes the whole CORRUPT, and nothing is appended.
 */
#include "item/item_internal.h"

static bool json_write_value(const st_value *value, bool is_typed, uint32_t depth, st_buf *out);

static void json_write_text(const char *text, st_buf *out)
{
    st_buf_slice(out, st_slice_str(text));
}

void st_json_put_string(st_buf *out, st_slice text)
{
    static const char json_hex[] = "0123456789abcdef";
    st_buf_byte(out, '"');
    size_t from = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        st_buf_append(out, text.data + from, i - from);
        from = i + 1;
        st_buf_byte(out, '\\');
        switch (c) {
        case '"':
        case '\\':
            st_buf_byte(out, c);
            break;
        case '\n':
            st_buf_byte(out, 'n');
            break;
        case '\r':
            st_buf_byte(out, 'r');
            break;
        case '\t':
            st_buf_byte(out, 't');
            break;
        default:
            json_write_text("u00", out);
            st_buf_byte(out, (uint8_t)json_hex[c >> 4]);
            st_buf_byte(out, (uint8_t)json_hex[c & 15]);
        }
    }
    st_buf_append(out, text.data + from, text.size - from);
    st_buf_byte(out, '"');
}

static bool json_write_number(const st_value *value, bool is_typed, st_buf *out)
{
    st_number number;
    char text[ST_NUMBER_TEXT_MAX];
    if (st_item__number_of(NULL, value, &number) != ST_OK) {
        return false;
    }
    size_t bytes = st_number_text(&number, text);
    if (is_typed) {
        st_buf_byte(out, '"');
    }
    st_buf_append(out, text, bytes);
    if (is_typed) {
        st_buf_byte(out, '"');
    }
    return true;
}

static bool json_write_scalar(const st_value *value, bool is_typed, st_buf *out)
{
    switch (value->type) {
    case ST_TYPE_S:
        st_json_put_string(out, value->bytes);
        return true;
    case ST_TYPE_N:
        return json_write_number(value, is_typed, out);
    case ST_TYPE_B:
        st_buf_byte(out, '"');
        st_base64_encode(value->bytes, out);
        st_buf_byte(out, '"');
        return true;
    case ST_TYPE_BOOL:
        json_write_text(value->boolean ? "true" : "false", out);
        return true;
    default:
        json_write_text(is_typed ? "true" : "null", out);
        return true;
    }
}

static bool json_write_container(const st_value *value, bool is_typed, uint32_t depth, st_buf *out)
{
    bool is_map = value->type == ST_TYPE_M;
    st_members members = st_members_of(value);
    st_slice name;
    st_value member;
    if (depth > ST_ITEM_NESTING_MAX + 1) {
        return false;
    }
    st_buf_byte(out, is_map ? '{' : '[');
    for (bool is_first = true; st_members_next(&members, &name, &member); is_first = false) {
        if (!is_first) {
            st_buf_byte(out, ',');
        }
        if (is_map) {
            st_json_put_string(out, name);
            st_buf_byte(out, ':');
        }
        bool is_whole = is_map || value->type == ST_TYPE_L;
        if (!(is_whole ? json_write_value(&member, is_typed, depth + 1, out)
                       : json_write_scalar(&member, is_typed, out))) {
            return false;
        }
    }
    st_buf_byte(out, is_map ? '}' : ']');
    return !members.reader.failed && st_reader_left(&members.reader) == 0;
}

static bool json_write_value(const st_value *value, bool is_typed, uint32_t depth, st_buf *out)
{
    if (is_typed) {
        json_write_text("{\"", out);
        json_write_text(st_type_name(value->type), out);
        json_write_text("\":", out);
    }
    bool is_whole = value->type >= ST_TYPE_SS ? json_write_container(value, is_typed, depth, out)
                                              : json_write_scalar(value, is_typed, out);
    if (is_typed) {
        st_buf_byte(out, '}');
    }
    return is_whole;
}

static st_status json_write_item(st_op *op, st_slice frame, bool is_typed, st_buf *out)
{
    size_t begin = out->size;
    uint32_t count = st_item_count(frame);
    st_slice name;
    st_value value;
    bool is_whole = frame.size >= ST_ITEM__HEAD_BYTES;
    st_buf_byte(out, '{');
    for (uint32_t i = 0; i < count && is_whole; i++) {
        is_whole = st_item_at(frame, i, &name, &value);
        if (is_whole) {
            if (i > 0) {
                st_buf_byte(out, ',');
            }
            st_json_put_string(out, name);
            st_buf_byte(out, ':');
            is_whole = json_write_value(&value, is_typed, 1, out);
        }
    }
    st_buf_byte(out, '}');
    st_status status = st_buf_check(op, out);
    if (status == ST_OK && !is_whole) {
        status = st_fail(op, ST_CORRUPT, "the item frame is damaged: no JSON can be made of it");
    }
    if (status != ST_OK) {
        out->size = begin;
    }
    return status;
}

st_status st_item_to_plain_json(st_op *op, st_slice frame, st_buf *out_json)
{
    return json_write_item(op, frame, false, out_json);
}

st_status st_item_to_dynamodb_json(st_op *op, st_slice frame, st_buf *out_json)
{
    return json_write_item(op, frame, true, out_json);
}
