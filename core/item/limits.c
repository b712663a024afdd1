/* DynamoDB's size of an item, and the small helpers that encoders and messages share.
 *
 * Size: names and values count; S and B their bytes, BOOL and NULL 1, L 3 + 1 for each element, M 3
 * + 1 for each entry, sets nothing for themselves, numbers st_number_size. Recursion ends where an
 * item's nesting does, so that a frame nobody has validated costs no stack.
 */
#include "item/item_internal.h"

static size_t limits_size_of(const st_value *value, uint32_t depth)
{
    st_number number;
    switch (value->type) {
    case ST_TYPE_S:
    case ST_TYPE_B:
        return value->bytes.size;
    case ST_TYPE_N:
        return st_item__number_of(NULL, value, &number) == ST_OK ? st_number_size(&number) : 0;
    case ST_TYPE_BOOL:
    case ST_TYPE_NULL:
        return 1;
    default:
        break;
    }
    bool is_document = value->type == ST_TYPE_L || value->type == ST_TYPE_M;
    size_t size = is_document ? 3 : 0;
    if (depth > ST_ITEM_NESTING_MAX + 1) {
        return size;
    }
    st_members walk = st_members_of(value);
    st_slice name;
    st_value member;
    while (st_members_next(&walk, &name, &member)) {
        size += name.size + is_document + limits_size_of(&member, depth + 1);
    }
    return size;
}

size_t st_value_size(const st_value *value)
{
    return limits_size_of(value, 1);
}

size_t st_item_size(st_slice frame)
{
    size_t size = 0;
    st_slice name;
    st_value value;
    for (uint32_t i = 0; st_item_at(frame, i, &name, &value); i++) {
        size += name.size + limits_size_of(&value, 1);
    }
    return size;
}

int st_item__shown(st_slice text, size_t most)
{
    size_t valid;
    st_slice head = st_slice_of(text.data, text.size < most ? text.size : most);
    return (int)(st_utf8_valid(head, &valid) ? head.size : valid);
}

const char *st_item__text(st_slice text)
{
    return text.data ? (const char *)text.data : "";
}

void st_item__put_bytes(st_buf *out, st_slice bytes)
{
    st_buf_varint(out, bytes.size);
    st_buf_slice(out, bytes);
}

size_t st_item__put_begin(st_buf *out, uint8_t tag)
{
    uint8_t head[9] = {tag};
    st_buf_append(out, head, sizeof head);
    return out->size;
}

void st_item__put_end(st_buf *out, size_t begin, uint32_t count)
{
    if (!out->failed) {
        st_put_u32(out->data + begin - 8, (uint32_t)(out->size - begin));
        st_put_u32(out->data + begin - 4, count);
    }
}
