/* From canonical frames to one line of JSON, plain or DynamoDB's. */
#include "item/json_internal.h"

static void json_write_value(const st_value *value, bool is_typed, st_buf *out);

static void json_write_text(const char *text, st_buf *out)
{
    st_buf_slice(out, st_slice_str(text));
}

static void json_write_string(st_slice text, st_buf *out)
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

static void json_write_number(st_slice form, st_buf *out)
{
    st_number number;
    char text[ST_NUMBER_TEXT_MAX];
    if (st_number_decode(form, &number)) {
        st_buf_append(out, text, st_number_text(&number, text));
    }
}

static void json_write_scalar(const st_value *value, bool is_typed, st_buf *out)
{
    switch (value->type) {
    case ST_TYPE_S:
        json_write_string(value->bytes, out);
        break;
    case ST_TYPE_N:
        if (is_typed) {
            st_buf_byte(out, '"');
        }
        json_write_number(value->bytes, out);
        if (is_typed) {
            st_buf_byte(out, '"');
        }
        break;
    case ST_TYPE_B:
        st_buf_byte(out, '"');
        st_item__base64_encode(value->bytes, out);
        st_buf_byte(out, '"');
        break;
    case ST_TYPE_BOOL:
        json_write_text(value->boolean ? "true" : "false", out);
        break;
    default:
        json_write_text(is_typed ? "true" : "null", out);
        break;
    }
}

static void json_write_container(const st_value *value, bool is_typed, st_buf *out)
{
    bool is_map = value->type == ST_TYPE_M;
    st_members members = st_members_of(value);
    st_slice name;
    st_value member;
    st_buf_byte(out, is_map ? '{' : '[');
    for (bool is_first = true; st_members_next(&members, &name, &member); is_first = false) {
        if (!is_first) {
            st_buf_byte(out, ',');
        }
        if (is_map) {
            json_write_string(name, out);
            st_buf_byte(out, ':');
        }
        if (is_map || value->type == ST_TYPE_L) {
            json_write_value(&member, is_typed, out);
        } else {
            json_write_scalar(&member, is_typed, out);
        }
    }
    st_buf_byte(out, is_map ? '}' : ']');
}

static void json_write_value(const st_value *value, bool is_typed, st_buf *out)
{
    if (is_typed) {
        json_write_text("{\"", out);
        json_write_text(st_type_name(value->type), out);
        json_write_text("\":", out);
    }
    if (value->type >= ST_TYPE_SS) {
        json_write_container(value, is_typed, out);
    } else {
        json_write_scalar(value, is_typed, out);
    }
    if (is_typed) {
        st_buf_byte(out, '}');
    }
}

static st_status json_write_item(st_op *op, st_slice frame, bool is_typed, st_buf *out)
{
    st_slice name;
    st_value value;
    st_buf_byte(out, '{');
    for (uint32_t i = 0; st_item_at(frame, i, &name, &value); i++) {
        if (i > 0) {
            st_buf_byte(out, ',');
        }
        json_write_string(name, out);
        st_buf_byte(out, ':');
        json_write_value(&value, is_typed, out);
    }
    st_buf_byte(out, '}');
    return st_buf_check(op, out);
}

st_status st_item_to_plain_json(st_op *op, st_slice frame, st_buf *out_json)
{
    return json_write_item(op, frame, false, out_json);
}

st_status st_item_to_dynamodb_json(st_op *op, st_slice frame, st_buf *out_json)
{
    return json_write_item(op, frame, true, out_json);
}
