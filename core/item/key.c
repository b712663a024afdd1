/* Keys: table id u32 big-endian · stripe u8 · components, ordered by memcmp as DynamoDB orders.
 *
 * S and B: 00 becomes 00 FF, the end is 00 01. N: the ordered form. Each component is
 * self-delimiting, so that no key is a prefix of another. The stripe is the low byte of crc32c over
 * the encoded partition components: a partition is one contiguous range.
 */
#include "item/item_internal.h"

#include <string.h>

#define KEY_STRIPE_AT 4u
#define KEY_HEAD_BYTES 5u
#define KEY_ESCAPE 0xFFu /* behind a 00 that is content */
#define KEY_END 0x01u    /* behind the 00 that ends S and B */

/* ---- components ------------------------------------------------------------------------- */

static st_status key_check_size(st_op *op, const st_key_part *part, const st_key__part_size *size,
                                size_t bytes)
{
    if (bytes == 0) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "One or more parameter values are not valid. The AttributeValue for a key "
                       "attribute cannot contain an empty %s value. Key: %.*s",
                       part->type == ST_TYPE_S ? "string" : "binary",
                       st_item__shown(part->name, ST_KEY_NAME_BYTES_MAX),
                       st_item__text(part->name));
    }
    if (size->is_partition && size->bytes + bytes > ST_KEY_PARTITION_BYTES_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Size of hashkey has exceeded "
                       "the maximum size limit of2048 bytes"); /* DynamoDB's space is missing */
    }
    if (!size->is_partition && size->bytes + bytes > ST_KEY_SORT_BYTES_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Aggregated size of all range "
                       "keys has exceeded the size limit of 1024 bytes");
    }
    return ST_OK;
}

static void key_append_escaped(st_buf *out, st_slice bytes)
{
    size_t from = 0;
    while (from < bytes.size) {
        const uint8_t *zero = memchr(bytes.data + from, 0, bytes.size - from);
        size_t end = zero ? (size_t)(zero - bytes.data) + 1 : bytes.size;
        st_buf_append(out, bytes.data + from, end - from);
        if (zero) {
            st_buf_byte(out, KEY_ESCAPE);
        }
        from = end;
    }
}

static st_status key_append_number(st_op *op, const st_value *value, st_key__part_size *size,
                                   st_buf *out)
{
    st_number number;
    uint8_t form[ST_NUMBER_BYTES_MAX];
    ST_TRY(st_item__number_of(op, value, &number));
    st_buf_append(out, form, st_number_encode(&number, form));
    size->bytes += st_number_size(&number);
    return ST_OK;
}

st_status st_key__append(st_op *op, const st_key_part *part, const st_value *value,
                         st_key__part_size *size, bool is_open, st_buf *out)
{
    if (value->type != part->type) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Type mismatch for key %.*s "
                       "expected: %s actual: %s",
                       st_item__shown(part->name, ST_KEY_NAME_BYTES_MAX), st_item__text(part->name),
                       st_type_name(part->type), st_type_name(value->type));
    }
    if (part->type == ST_TYPE_N) {
        return key_append_number(op, value, size, out);
    }
    size_t bad;
    if (part->type == ST_TYPE_S && !st_utf8_valid(value->bytes, &bad)) {
        return st_fail_at(
            op, ST_INVALID_ARGUMENT, (int64_t)bad, "key %.*s is not valid UTF-8 at byte %zu",
            st_item__shown(part->name, ST_KEY_NAME_BYTES_MAX), st_item__text(part->name), bad);
    }
    ST_TRY(key_check_size(op, part, size, value->bytes.size));
    size->bytes += value->bytes.size;
    key_append_escaped(out, value->bytes);
    if (!is_open) {
        st_buf_byte(out, 0);
        st_buf_byte(out, KEY_END);
    }
    return ST_OK;
}

void st_key__begin(uint32_t table_id, st_buf *out)
{
    uint8_t head[KEY_HEAD_BYTES] = {0};
    st_put_be32(head, table_id);
    st_buf_append(out, head, sizeof head);
}

static uint8_t key_stripe(const uint8_t *key, size_t partition_end)
{
    return (uint8_t)st_crc32c(0, key + KEY_HEAD_BYTES, partition_end - KEY_HEAD_BYTES);
}

void st_key__set_stripe(st_buf *out, size_t begin)
{
    if (!out->failed) {
        out->data[begin + KEY_STRIPE_AT] = key_stripe(out->data + begin, out->size - begin);
    }
}

/* ---- whole keys ------------------------------------------------------------------------- */

/* Where key attributes are looked up: in a frame, or in a relaxed map. */
typedef struct key_source {
    st_slice frame;
    const st_value *map;
} key_source;

static bool key_lookup(const key_source *source, st_slice name, st_value *out_value)
{
    if (!source->map) {
        return st_item_find(source->frame, name, out_value);
    }
    st_members members = st_members_of(source->map);
    st_slice found;
    while (st_members_next(&members, &found, out_value)) {
        if (st_slice_equal(found, name)) {
            return true;
        }
    }
    return false;
}

static st_status key_append_part(st_op *op, const key_source *source, const st_key_part *part,
                                 st_key__part_size *size, st_buf *out)
{
    st_value value;
    bool is_found = key_lookup(source, part->name, &value);
    if (source->map && (!is_found || value.type != part->type)) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The provided key element does not match the schema");
    }
    if (!is_found) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Missing the key %.*s in the "
                       "item",
                       st_item__shown(part->name, ST_KEY_NAME_BYTES_MAX),
                       st_item__text(part->name));
    }
    return st_key__append(op, part, &value, size, false, out);
}

static st_status key_build(st_op *op, uint32_t table_id, const st_key_schema *schema,
                           const key_source *source, st_buf *out)
{
    st_status status;
    size_t begin = out->size;
    st_key__part_size partition = {.is_partition = true}, sort = {0};
    st_key__begin(table_id, out);
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        ST_TRY_OUT(key_append_part(op, source, &schema->partition[i], &partition, out));
    }
    st_key__set_stripe(out, begin);
    for (uint32_t i = 0; i < schema->sort_count; i++) {
        ST_TRY_OUT(key_append_part(op, source, &schema->sort[i], &sort, out));
    }
    ST_TRY_OUT(st_buf_check(op, out));
    return ST_OK;
out:
    out->size = begin;
    return status;
}

st_status st_key_of_item(st_op *op, uint32_t table_id, const st_key_schema *schema, st_slice frame,
                         st_buf *out_key)
{
    key_source source = {.frame = frame};
    return key_build(op, table_id, schema, &source, out_key);
}

st_status st_key_of_request(st_op *op, uint32_t table_id, const st_key_schema *schema,
                            st_slice relaxed, st_buf *out_key)
{
    st_reader reader = st_reader_of(relaxed);
    st_value map, value;
    if (!st_value_read(&reader, &map) || map.type != ST_TYPE_M || st_reader_left(&reader) != 0) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)reader.at,
                          "the key is malformed: it must be exactly one map value (byte %zu)",
                          reader.at);
    }
    if (map.count != schema->partition_count + schema->sort_count) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The provided key element does not match the schema");
    }
    st_members members = st_members_of(&map);
    st_slice name;
    while (st_members_next(&members, &name, &value)) {
    }
    if (members.reader.failed || st_reader_left(&members.reader) != 0) {
        int64_t position = members.reader.data + members.reader.at - relaxed.data;
        return st_fail_at(op, ST_INVALID_ARGUMENT, position, "the key is malformed at byte %lld",
                          (long long)position);
    }
    key_source source = {.map = &map};
    return key_build(op, table_id, schema, &source, out_key);
}

bool st_key_has_all(const st_key_schema *schema, st_slice frame)
{
    st_value value;
    bool has_all = true;
    for (uint32_t i = 0; i < schema->partition_count && has_all; i++) {
        has_all = st_item_find(frame, schema->partition[i].name, &value);
    }
    for (uint32_t i = 0; i < schema->sort_count && has_all; i++) {
        has_all = st_item_find(frame, schema->sort[i].name, &value);
    }
    return has_all;
}

/* ---- back from bytes -------------------------------------------------------------------- */

/* Length of the component that bytes begin with, its end included; 0: malformed. */
static size_t key_component_bytes(st_slice bytes, st_type type)
{
    if (type == ST_TYPE_N) {
        st_number number;
        size_t size = st_number_form_bytes(bytes);
        return size && st_number_decode(st_slice_of(bytes.data, size), &number) ? size : 0;
    }
    for (size_t i = 0; i + 1 < bytes.size; i++) {
        if (bytes.data[i] == 0) {
            if (bytes.data[i + 1] == KEY_END) {
                return i + 2;
            }
            if (bytes.data[++i] != KEY_ESCAPE) {
                return 0;
            }
        }
    }
    return 0;
}

/* Whether st_key__append could have written the component: a value that is not empty, text that is
 * UTF-8, sizes within the limits. size counts the components before it, and then this one too. */
static bool key_component_is_legal(st_slice component, const st_key_part *part,
                                   st_key__part_size *size)
{
    st_number number;
    if (part->type == ST_TYPE_N) {
        size->bytes += st_number_decode(component, &number) ? st_number_size(&number) : 0;
        return true;
    }
    size_t content = component.size - 2, from = 0, bytes = 0;
    while (from < content) {
        const uint8_t *zero = memchr(component.data + from, 0, content - from);
        size_t end = zero ? (size_t)(zero - component.data) : content;
        st_slice piece = st_slice_of(component.data + from, end - from);
        if (part->type == ST_TYPE_S && !st_utf8_valid(piece, NULL)) {
            return false;
        }
        bytes += piece.size + (zero != NULL);
        from = zero ? end + 2 : content;
    }
    bool is_legal = key_check_size(NULL, part, size, bytes) == ST_OK;
    size->bytes += bytes;
    return is_legal;
}

/* Appends a component as a relaxed value. */
static void key_component_value(st_slice component, st_type type, st_buf *out)
{
    if (type == ST_TYPE_N) {
        st_buf_byte(out, ST_TAG_N);
        st_item__put_bytes(out, component);
        return;
    }
    size_t escapes = 0, content = component.size - 2;
    for (size_t i = 0; i < content; i++) {
        escapes += component.data[i] == 0;
    }
    st_buf_byte(out, type == ST_TYPE_S ? ST_TAG_S : ST_TAG_B);
    st_buf_varint(out, content - escapes);
    uint8_t *to = st_buf_extend(out, content - escapes);
    for (size_t i = 0; to && i < content;
         i++) { /* without memory the caller sees a failed buffer */
        *to++ = component.data[i];
        i += component.data[i] == 0;
    }
}

/* Walks the components of a key. Returns where they end, or 0 and where the key is wrong. Appends
 * names and values to out unless it is NULL. */
static size_t key_walk(st_slice key, uint32_t table_id, const st_key_schema *schema, st_buf *out,
                       size_t *out_wrong)
{
    size_t at = KEY_HEAD_BYTES;
    uint32_t count = schema->partition_count + schema->sort_count;
    st_key__part_size sizes[2] = {{.is_partition = true}, {.is_partition = false}};
    *out_wrong = 0;
    if (key.size < KEY_HEAD_BYTES || st_get_be32(key.data) != table_id) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool is_sort = i >= schema->partition_count;
        const st_key_part *part =
            is_sort ? &schema->sort[i - schema->partition_count] : &schema->partition[i];
        st_slice rest = st_slice_of(key.data + at, key.size - at);
        size_t bytes = key_component_bytes(rest, part->type);
        st_slice component = st_slice_of(rest.data, bytes);
        *out_wrong = at;
        if (bytes == 0 || !key_component_is_legal(component, part, &sizes[is_sort])) {
            return 0;
        }
        if (out) {
            st_item__put_bytes(out, part->name);
            key_component_value(component, part->type, out);
        }
        at += bytes;
        if (i + 1 == schema->partition_count &&
            key.data[KEY_STRIPE_AT] != key_stripe(key.data, at)) {
            *out_wrong = KEY_STRIPE_AT;
            return 0;
        }
    }
    return at;
}

bool st_key_is_valid(st_slice key, uint32_t table_id, const st_key_schema *schema)
{
    size_t wrong;
    return key_walk(key, table_id, schema, NULL, &wrong) == key.size && key.size > 0;
}

st_status st_key_decode(st_op *op, st_slice key, uint32_t table_id, const st_key_schema *schema,
                        st_buf *out_relaxed, size_t *out_bytes)
{
    size_t begin = out_relaxed->size, wrong;
    size_t members = st_item__put_begin(out_relaxed, ST_TAG_M);
    size_t end = key_walk(key, table_id, schema, out_relaxed, &wrong);
    st_item__put_end(out_relaxed, members, schema->partition_count + schema->sort_count);
    st_status status = st_buf_check(op, out_relaxed);
    if (status == ST_OK && (end == 0 || (!out_bytes && end < key.size))) {
        wrong = end > 0 ? end : wrong;
        status = st_fail_at(op, ST_CORRUPT, (int64_t)wrong,
                            "the key is not one of its table: damaged at byte %zu", wrong);
    }
    if (out_bytes) {
        *out_bytes = status == ST_OK ? end : 0;
    }
    if (status != ST_OK) {
        out_relaxed->size = begin;
    }
    return status;
}
