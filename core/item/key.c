/* Keys: table id u32 big-endian · stripe u8 · components, ordered by memcmp as DynamoDB orders.
 *
 * S and B: 00 becomes 00 FF, the end is 00 01. N: the ordered form. Each component is
 * self-delimiting, so that no key is a prefix of another. The stripe is the low byte of crc32c over
 * the encoded partition components: a partition is one contiguous range.
 */
#include "item/item.h"

#define KEY_STRIPE_AT 4u
#define KEY_HEAD_BYTES 5u

static st_status key_type_mismatch(st_op *op, const st_key_part *part, st_type actual)
{
    return st_fail(op, ST_INVALID_ARGUMENT,
                   "One or more parameter values were invalid: Type mismatch for key %.*s "
                   "expected: %s actual: %s",
                   (int)part->name.size, (const char *)part->name.data, st_type_name(part->type),
                   st_type_name(actual));
}

static st_status key_check_size(st_op *op, const st_key_part *part, size_t bytes, bool is_partition)
{
    if (bytes == 0) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "One or more parameter values are not valid. The AttributeValue for a key "
                       "attribute cannot contain an "
                       "empty %s value. Key: %.*s",
                       part->type == ST_TYPE_S ? "string" : "binary", (int)part->name.size,
                       (const char *)part->name.data);
    }
    size_t most = is_partition ? ST_KEY_PARTITION_BYTES_MAX : ST_KEY_SORT_BYTES_MAX;
    if (bytes > most) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Size of %s has exceeded the "
                       "maximum size limit of %zu bytes",
                       is_partition ? "hashkey" : "rangekey", most);
    }
    return ST_OK;
}

static void key_append_escaped(st_buf *out, st_slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        st_buf_byte(out, bytes.data[i]);
        if (bytes.data[i] == 0) {
            st_buf_byte(out, 0xFF);
        }
    }
}

static void key_append_end(st_buf *out)
{
    st_buf_byte(out, 0);
    st_buf_byte(out, 1);
}

static st_status key_append_number(st_op *op, const st_value *value, st_buf *out)
{
    st_number number;
    uint8_t form[ST_NUMBER_BYTES_MAX];
    if (value->is_text) {
        ST_TRY(st_number_parse(op, value->bytes, &number));
    } else if (!st_number_decode(value->bytes, &number)) {
        return st_fail(op, ST_INVALID_ARGUMENT, "the number of a key is malformed");
    }
    st_buf_append(out, form, st_number_encode(&number, form));
    return ST_OK;
}

/* Appends one component; is_open leaves out the end, for prefixes. */
static st_status key_append(st_op *op, const st_key_part *part, const st_value *value,
                            bool is_partition, bool is_open, st_buf *out)
{
    if (value->type != part->type) {
        return key_type_mismatch(op, part, value->type);
    }
    if (part->type == ST_TYPE_N) {
        return key_append_number(op, value, out);
    }
    size_t position;
    if (part->type == ST_TYPE_S && !st_utf8_valid(value->bytes, &position)) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)position,
                          "key %.*s is not valid UTF-8 at byte %zu", (int)part->name.size,
                          (const char *)part->name.data, position);
    }
    if (!is_open) {
        ST_TRY(key_check_size(op, part, value->bytes.size, is_partition));
    }
    key_append_escaped(out, value->bytes);
    if (!is_open) {
        key_append_end(out);
    }
    return ST_OK;
}

static void key_begin(uint32_t table_id, st_buf *out)
{
    uint8_t head[KEY_HEAD_BYTES] = {0};
    st_put_be32(head, table_id);
    st_buf_append(out, head, sizeof head);
}

static void key_set_stripe(st_buf *out, size_t begin)
{
    if (!out->failed) {
        size_t first = begin + KEY_HEAD_BYTES;
        out->data[begin + KEY_STRIPE_AT] =
            (uint8_t)st_crc32c(0, out->data + first, out->size - first);
    }
}

/* ---- whole keys ------------------------------------------------------------------------- */

/* Looks up one key attribute: in a frame, or in a relaxed map. */
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

static st_status key_part(st_op *op, const key_source *source, const st_key_part *part,
                          bool is_partition, st_buf *out)
{
    st_value value;
    if (!key_lookup(source, part->name, &value)) {
        return source->map ? st_fail(op, ST_INVALID_ARGUMENT,
                                     "The provided key element does not match the schema")
                           : st_fail(op, ST_INVALID_ARGUMENT,
                                     "One or more parameter values were invalid: Missing the key "
                                     "%.*s in the item",
                                     (int)part->name.size, (const char *)part->name.data);
    }
    if (source->map && value.type != part->type) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The provided key element does not match the schema");
    }
    return key_append(op, part, &value, is_partition, false, out);
}

static st_status key_build(st_op *op, uint32_t table_id, const st_key_schema *schema,
                           const key_source *source, st_buf *out)
{
    size_t begin = out->size;
    key_begin(table_id, out);
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        ST_TRY(key_part(op, source, &schema->partition[i], true, out));
    }
    key_set_stripe(out, begin);
    for (uint32_t i = 0; i < schema->sort_count; i++) {
        ST_TRY(key_part(op, source, &schema->sort[i], false, out));
    }
    return st_buf_check(op, out);
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
    st_value map;
    if (!st_value_read(&reader, &map) || map.type != ST_TYPE_M || st_reader_left(&reader) != 0) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)reader.at,
                          "a key must be one map value; it is malformed");
    }
    if (map.count != schema->partition_count + schema->sort_count) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "The provided key element does not match the schema");
    }
    st_members members = st_members_of(&map);
    st_slice name;
    st_value value;
    for (uint32_t i = 0; i < map.count; i++) {
        if (!st_members_next(&members, &name, &value)) {
            return st_fail(op, ST_INVALID_ARGUMENT, "the key is malformed");
        }
    }
    key_source source = {.map = &map};
    return key_build(op, table_id, schema, &source, out_key);
}

static size_t key_component_bytes(st_slice bytes, st_type type)
{
    if (type == ST_TYPE_N) {
        st_number number;
        size_t size = st_number_form_bytes(bytes);
        return size && st_number_decode(st_slice_of(bytes.data, size), &number) ? size : 0;
    }
    for (size_t i = 0; i + 1 < bytes.size; i++) {
        if (bytes.data[i] == 0) {
            if (bytes.data[i + 1] == 1) {
                return i + 2;
            }
            if (bytes.data[++i] != 0xFF) {
                return 0;
            }
        }
    }
    return 0;
}

bool st_key_is_valid(st_slice key, uint32_t table_id, const st_key_schema *schema)
{
    if (key.size < KEY_HEAD_BYTES || st_get_be32(key.data) != table_id) {
        return false;
    }
    size_t at = KEY_HEAD_BYTES;
    for (uint32_t i = 0; i < schema->partition_count + schema->sort_count; i++) {
        if (i == schema->partition_count &&
            key.data[KEY_STRIPE_AT] !=
                (uint8_t)st_crc32c(0, key.data + KEY_HEAD_BYTES, at - KEY_HEAD_BYTES)) {
            return false;
        }
        st_type type = i < schema->partition_count ? schema->partition[i].type
                                                   : schema->sort[i - schema->partition_count].type;
        size_t bytes = key_component_bytes(st_slice_of(key.data + at, key.size - at), type);
        if (bytes == 0) {
            return false;
        }
        at += bytes;
    }
    bool has_stripe = schema->sort_count > 0 ||
                      key.data[KEY_STRIPE_AT] ==
                          (uint8_t)st_crc32c(0, key.data + KEY_HEAD_BYTES, at - KEY_HEAD_BYTES);
    return at == key.size && has_stripe;
}

/* ---- ranges ----------------------------------------------------------------------------- */

/* Makes of a key the smallest bytes that are larger than all that begin with it. Never empty here:
 * the last byte of a table id or of an end mark can always be raised. */
static void key_successor(st_buf *key, size_t least)
{
    while (!key->failed && key->size > least && key->data[key->size - 1] == 0xFF) {
        key->size--;
    }
    if (!key->failed && key->size > least) {
        key->data[key->size - 1]++;
    }
}

static st_status key_bounds(st_op *op, const st_key_part *part, st_key_condition condition,
                            const st_value *first, const st_value *second, st_buf *from, st_buf *to)
{
    bool is_prefix = condition == ST_KEY_BEGINS_WITH;
    size_t least = from->size;
    if (is_prefix && part->type == ST_TYPE_N) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "begins_with needs a sort key of type S or B; key %.*s is of type N",
                       (int)part->name.size, (const char *)part->name.data);
    }
    bool has_from = condition != ST_KEY_LESS && condition != ST_KEY_AT_MOST;
    bool has_to = condition != ST_KEY_GREATER && condition != ST_KEY_AT_LEAST;
    if (has_from) {
        ST_TRY(key_append(op, part, first, false, is_prefix, from));
    }
    if (has_to) {
        ST_TRY(key_append(op, part, condition == ST_KEY_BETWEEN ? second : first, false, is_prefix,
                          to));
    }
    if (condition == ST_KEY_BETWEEN && st_slice_compare(st_buf_view(from), st_buf_view(to)) > 0) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound "
                       "to be greater than or equal "
                       "to lower bound");
    }
    if (condition == ST_KEY_GREATER) {
        key_successor(from, least);
    }
    if (condition != ST_KEY_LESS) {
        key_successor(
            to, 0); /* behind the value, behind all that begin with it, or behind the partition */
    }
    return ST_OK;
}

st_status st_key_range(st_op *op, uint32_t table_id, const st_key_schema *schema,
                       const st_value *partition, st_key_condition condition, const st_value *first,
                       const st_value *second, st_buf *out_from, st_buf *out_to)
{
    st_buf_clear(out_from);
    st_buf_clear(out_to);
    key_begin(table_id, out_from);
    if (partition->type != schema->partition[0].type) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Condition parameter type does "
                       "not match schema type");
    }
    ST_TRY(key_append(op, &schema->partition[0], partition, true, false, out_from));
    key_set_stripe(out_from, 0);
    st_buf_slice(out_to, st_buf_view(out_from));
    ST_TRY(st_buf_check(op, out_from));
    ST_TRY(st_buf_check(op, out_to));
    if (condition == ST_KEY_ALL) {
        key_successor(out_to, 0);
        return ST_OK;
    }
    if (schema->sort_count == 0) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Query key condition not supported: the table has no sort key");
    }
    if (first->type != schema->sort[0].type || (second && second->type != schema->sort[0].type)) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Condition parameter type does "
                       "not match schema type");
    }
    ST_TRY(key_bounds(op, &schema->sort[0], condition, first, second, out_from, out_to));
    ST_TRY(st_buf_check(op, out_from));
    return st_buf_check(op, out_to);
}

static void key_stripe_bound(uint32_t table_id, uint64_t stripe, st_buf *out)
{
    uint8_t head[KEY_HEAD_BYTES];
    bool is_behind = stripe > 255;
    st_put_be32(head, table_id + is_behind);
    head[KEY_STRIPE_AT] = (uint8_t)stripe;
    st_buf_append(out, head, is_behind ? 4 : 5);
}

void st_key_segment(uint32_t table_id, uint32_t segment, uint32_t segment_count, st_buf *out_from,
                    st_buf *out_to)
{
    st_buf_clear(out_from);
    st_buf_clear(out_to);
    key_stripe_bound(table_id, (uint64_t)segment * 256 / segment_count, out_from);
    key_stripe_bound(table_id, ((uint64_t)segment + 1) * 256 / segment_count, out_to);
}
