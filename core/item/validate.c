/* Checking a canonical frame that comes from disk: whether it is exactly what st_item_canonicalize
 * would have written. One walk, no allocation, position of the first wrong byte.
 *
 * Beyond a legal item this means: the shortest varints, no text forms of numbers, names and members
 * of sets strictly ascending, offsets that name every entry in order, nothing between or behind.
 */
#include "item/item_internal.h"

typedef struct validate_walk {
    st_op *op;
    st_slice frame;
    size_t size; /* DynamoDB's */
} validate_walk;

static st_status validate_fail(const validate_walk *walk, const uint8_t *at, const char *what)
{
    int64_t position = at - walk->frame.data;
    return st_fail_at(walk->op, ST_CORRUPT, position, "the item frame is damaged at byte %lld: %s",
                      (long long)position, what);
}

static st_status validate_stop(const validate_walk *walk, const st_reader *reader, const char *what)
{
    return validate_fail(walk, reader->data + reader->at, what);
}

static st_status validate_bytes(validate_walk *walk, st_reader *reader, st_slice *out_bytes)
{
    size_t begin = reader->at;
    uint64_t size = st_reader_varint(reader);
    if (!reader->failed && reader->at - begin > 1 && reader->data[reader->at - 1] == 0) {
        return validate_stop(walk, reader, "a length is not in its shortest form");
    }
    *out_bytes = st_reader_slice(reader, size);
    return reader->failed ? validate_stop(walk, reader, "cut short") : ST_OK;
}

static st_status validate_text(validate_walk *walk, st_slice text)
{
    size_t bad;
    return st_utf8_valid(text, &bad)
               ? ST_OK
               : validate_fail(walk, text.data + bad, "text that is not UTF-8");
}

static st_status validate_number(validate_walk *walk, st_slice form)
{
    st_number number;
    if (!st_number_decode(form, &number)) {
        return validate_fail(walk, form.data, "a malformed number");
    }
    walk->size += st_number_size(&number);
    return ST_OK;
}

static st_status validate_scalar(validate_walk *walk, st_reader *reader, st_type type,
                                 st_slice *out_bytes)
{
    ST_TRY(validate_bytes(walk, reader, out_bytes));
    if (type == ST_TYPE_N) {
        return validate_number(walk, *out_bytes);
    }
    walk->size += out_bytes->size;
    return type == ST_TYPE_S ? validate_text(walk, *out_bytes) : ST_OK;
}

/* Members of sets and names of maps ascend strictly. */
static st_status validate_order(validate_walk *walk, bool is_first, st_slice before, st_slice next)
{
    if (!is_first && st_slice_compare(before, next) >= 0) {
        return validate_fail(walk, next.data, "names or set members out of order");
    }
    return ST_OK;
}

static st_status validate_set(validate_walk *walk, st_reader *body, const st_value *set)
{
    st_type type = set->type == ST_TYPE_SS   ? ST_TYPE_S
                   : set->type == ST_TYPE_NS ? ST_TYPE_N
                                             : ST_TYPE_B;
    if (set->count == 0) {
        return validate_fail(walk, set->encoded.data, "an empty set");
    }
    st_slice before = {0}, next;
    for (uint32_t i = 0; i < set->count; i++) {
        ST_TRY(validate_scalar(walk, body, type, &next));
        ST_TRY(validate_order(walk, i == 0, before, next));
        before = next;
    }
    return ST_OK;
}

static st_status validate_value(validate_walk *walk, st_reader *reader, uint32_t depth);

static st_status validate_name(validate_walk *walk, st_reader *reader, bool is_first,
                               st_slice *in_out_name)
{
    st_slice name;
    ST_TRY(validate_bytes(walk, reader, &name));
    if (name.size == 0 || name.size > ST_ITEM_NAME_BYTES_MAX) {
        return validate_stop(walk, reader, "a name of illegal length");
    }
    ST_TRY(validate_text(walk, name));
    ST_TRY(validate_order(walk, is_first, *in_out_name, name));
    walk->size += name.size;
    *in_out_name = name;
    return ST_OK;
}

static st_status validate_document(validate_walk *walk, st_reader *body, const st_value *value,
                                   uint32_t depth)
{
    if (depth > ST_ITEM_NESTING_MAX) {
        return validate_fail(walk, value->encoded.data, "nested too deeply");
    }
    walk->size += 3;
    st_slice name = {0};
    for (uint32_t i = 0; i < value->count; i++) {
        walk->size += 1;
        if (value->type == ST_TYPE_M) {
            ST_TRY(validate_name(walk, body, i == 0, &name));
        }
        ST_TRY(validate_value(walk, body, depth + 1));
    }
    return ST_OK;
}

static st_status validate_value(validate_walk *walk, st_reader *reader, uint32_t depth)
{
    st_reader start = *reader;
    st_value value;
    if (!st_value_read(reader, &value) || value.is_text) {
        return validate_stop(walk, &start, "a malformed value");
    }
    st_slice bytes;
    start.at++;
    switch (value.type) {
    case ST_TYPE_S:
    case ST_TYPE_N:
    case ST_TYPE_B:
        ST_TRY(validate_scalar(walk, &start, value.type, &bytes));
        break;
    case ST_TYPE_BOOL:
    case ST_TYPE_NULL:
        walk->size += 1;
        break;
    default: {
        st_reader body = st_reader_of(value.bytes);
        ST_TRY(value.type >= ST_TYPE_L ? validate_document(walk, &body, &value, depth)
                                       : validate_set(walk, &body, &value));
        if (st_reader_left(&body) != 0) {
            return validate_stop(walk, &body, "bytes behind the members of a container");
        }
    }
    }
    return walk->size <= ST_ITEM_BYTES_MAX
               ? ST_OK
               : validate_stop(walk, reader, "the item is larger than the limit");
}

st_status st_item_validate(st_op *op, st_slice frame)
{
    validate_walk walk = {.op = op, .frame = frame};
    st_reader reader = st_reader_of(frame);
    uint8_t version = st_reader_byte(&reader);
    if (version > ST_ITEM_VERSION) {
        return st_fail_at(op, ST_UNSUPPORTED, 0,
                          "item frame version %u; this library reads up to %u", version,
                          ST_ITEM_VERSION);
    }
    uint8_t flags = st_reader_byte(&reader);
    uint32_t count = st_reader_u32(&reader);
    if (reader.failed || version != ST_ITEM_VERSION || flags != 0) {
        return st_fail_at(op, ST_CORRUPT, 0, "the item frame is cut short or has an unknown head");
    }
    if (count > st_reader_left(&reader) / 4) {
        return st_fail_at(op, ST_CORRUPT, 2,
                          "the item frame names more attributes than it has room for");
    }
    reader.at += 4 * (size_t)count;
    st_slice name = {0};
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *offset = frame.data + ST_ITEM__HEAD_BYTES + 4 * (size_t)i;
        if (st_get_u32(offset) != reader.at) {
            return validate_fail(&walk, offset, "an offset that is not its entry's");
        }
        ST_TRY(validate_name(&walk, &reader, i == 0, &name));
        ST_TRY(validate_value(&walk, &reader, 1));
    }
    return st_reader_left(&reader) == 0
               ? ST_OK
               : validate_stop(&walk, &reader, "bytes behind the last attribute");
}
