/* Looking into encoded values without copying. Every length is checked before it is used. */
#include "item/item_internal.h"

const char *st_type_name(st_type type)
{
    static const char *const view_names[] = {"",   "S",  "N",  "B", "BOOL", "NULL",
                                             "SS", "NS", "BS", "L", "M"};
    return (unsigned)type < sizeof view_names / sizeof view_names[0] ? view_names[type] : "";
}

st_type st_type_of_name(st_slice name)
{
    for (st_type type = ST_TYPE_S; type <= ST_TYPE_M; type++) {
        if (st_slice_equal(name, st_slice_str(st_type_name(type)))) {
            return type;
        }
    }
    return ST_TYPE_NONE;
}

static st_type view_type(uint8_t tag)
{
    switch (tag) {
    case ST_TAG_S:
        return ST_TYPE_S;
    case ST_TAG_N:
    case ST_TAG_NUMBER_TEXT:
        return ST_TYPE_N;
    case ST_TAG_B:
        return ST_TYPE_B;
    case ST_TAG_FALSE:
    case ST_TAG_TRUE:
        return ST_TYPE_BOOL;
    case ST_TAG_NULL:
        return ST_TYPE_NULL;
    case ST_TAG_SS:
        return ST_TYPE_SS;
    case ST_TAG_NS:
    case ST_TAG_NS_TEXT:
        return ST_TYPE_NS;
    case ST_TAG_BS:
        return ST_TYPE_BS;
    case ST_TAG_L:
        return ST_TYPE_L;
    case ST_TAG_M:
        return ST_TYPE_M;
    default:
        return ST_TYPE_NONE;
    }
}

bool st_value_read(st_reader *reader, st_value *out_value)
{
    size_t begin = reader->at;
    uint8_t tag = st_reader_byte(reader);
    *out_value = (st_value){.type = reader->failed ? ST_TYPE_NONE : view_type(tag)};
    out_value->is_text = tag == ST_TAG_NUMBER_TEXT || tag == ST_TAG_NS_TEXT;
    switch (out_value->type) {
    case ST_TYPE_NONE:
        return false;
    case ST_TYPE_BOOL:
        out_value->boolean = tag == ST_TAG_TRUE;
        break;
    case ST_TYPE_NULL:
        break;
    case ST_TYPE_S:
    case ST_TYPE_N:
    case ST_TYPE_B:
        out_value->bytes = st_reader_slice(reader, st_reader_varint(reader));
        break;
    default: {
        uint32_t body = st_reader_u32(reader);
        out_value->count = st_reader_u32(reader);
        out_value->bytes = st_reader_slice(reader, body);
        break;
    }
    }
    out_value->encoded = st_slice_of(reader->data + begin, reader->at - begin);
    return !reader->failed;
}

bool st_value_of(st_slice encoded, st_value *out_value)
{
    st_reader reader = st_reader_of(encoded);
    return st_value_read(&reader, out_value) && st_reader_left(&reader) == 0;
}

uint32_t st_item_count(st_slice frame)
{
    return frame.size >= ST_ITEM__HEAD_BYTES ? st_get_u32(frame.data + 2) : 0;
}

bool st_item_at(st_slice frame, uint32_t index, st_slice *out_name, st_value *out_value)
{
    *out_name = (st_slice){0};
    *out_value = (st_value){0};
    uint32_t count = st_item_count(frame);
    if (index >= count || count > (frame.size - ST_ITEM__HEAD_BYTES) / 4) {
        return false;
    }
    st_reader reader = st_reader_of(frame);
    reader.at = st_get_u32(frame.data + ST_ITEM__HEAD_BYTES + 4 * (size_t)index);
    if (reader.at > frame.size) {
        return false;
    }
    *out_name = st_reader_slice(&reader, st_reader_varint(&reader));
    return !reader.failed && st_value_read(&reader, out_value);
}

bool st_item_find(st_slice frame, st_slice name, st_value *out_value)
{
    uint32_t low = 0, high = st_item_count(frame);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        st_slice found;
        if (!st_item_at(frame, middle, &found, out_value)) {
            break;
        }
        int order = st_slice_compare(found, name);
        if (order == 0) {
            return true;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    *out_value = (st_value){0};
    return false;
}

st_members st_members_of(const st_value *container)
{
    st_members members = {.reader = st_reader_of(container->bytes), .type = container->type};
    members.left = container->type >= ST_TYPE_SS ? container->count : 0;
    members.is_text = container->is_text;
    return members;
}

bool st_members_next(st_members *members, st_slice *out_name, st_value *out_value)
{
    *out_name = (st_slice){0};
    *out_value = (st_value){0};
    if (members->left == 0) {
        return false;
    }
    members->left--;
    if (members->type == ST_TYPE_M) {
        *out_name = st_reader_slice(&members->reader, st_reader_varint(&members->reader));
    }
    if (members->type == ST_TYPE_M || members->type == ST_TYPE_L) {
        return !members->reader.failed && st_value_read(&members->reader, out_value);
    }
    out_value->type = members->type == ST_TYPE_SS   ? ST_TYPE_S
                      : members->type == ST_TYPE_NS ? ST_TYPE_N
                                                    : ST_TYPE_B;
    out_value->is_text = members->is_text;
    out_value->bytes = st_reader_slice(&members->reader, st_reader_varint(&members->reader));
    return !members->reader.failed;
}

void st_item_to_relaxed(st_slice frame, st_buf *out_relaxed)
{
    uint32_t count = st_item_count(frame);
    size_t first = ST_ITEM__HEAD_BYTES + 4 * (size_t)count;
    st_slice entries =
        first <= frame.size ? st_slice_of(frame.data + first, frame.size - first) : (st_slice){0};
    st_buf_byte(out_relaxed, ST_TAG_M);
    st_buf_u32(out_relaxed, (uint32_t)entries.size);
    st_buf_u32(out_relaxed, count);
    st_buf_slice(out_relaxed, entries);
}
