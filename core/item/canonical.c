/* From relaxed values to the one canonical form, checking everything on the way.
 *
 * A container is read twice: once to collect and sort its members in the arena of the call, once to
 * write them in order. Recursion ends at ST_ITEM_NESTING_MAX. DynamoDB's size is added up as values
 * are written.
 */
#include "item/item.h"

#include <stdlib.h>
#include <string.h>

typedef struct canonical_writer {
    st_op *op;
    st_buf *out;
    size_t size;        /* DynamoDB's */
    st_slice attribute; /* the top-level attribute being written, for messages */
} canonical_writer;

typedef struct canonical_member {
    st_slice name; /* of a map member, or the canonical bytes of a set member */
    st_value value;
} canonical_member;

static st_status canonical_value(canonical_writer *writer, const st_value *value, uint32_t depth);

static st_status canonical_malformed(canonical_writer *writer)
{
    return st_fail(writer->op, ST_INVALID_ARGUMENT,
                   "the item frame is malformed in attribute '%.*s'",
                   (int)(writer->attribute.size < 64 ? writer->attribute.size : 64),
                   writer->attribute.data ? (const char *)writer->attribute.data : "");
}

static void canonical_bytes(canonical_writer *writer, st_slice bytes)
{
    st_buf_varint(writer->out, bytes.size);
    st_buf_slice(writer->out, bytes);
}

static st_status canonical_text_check(canonical_writer *writer, st_slice text, const char *what)
{
    size_t position;
    if (st_utf8_valid(text, &position)) {
        return ST_OK;
    }
    return st_fail_at(
        writer->op, ST_INVALID_ARGUMENT, (int64_t)position,
        "%s in attribute '%.*s' is not valid UTF-8 at byte %zu; use binary for other bytes", what,
        (int)(writer->attribute.size < 64 ? writer->attribute.size : 64),
        writer->attribute.data ? (const char *)writer->attribute.data : "", position);
}

/* The ordered form of a number that is text or already ordered. */
static st_status canonical_number(canonical_writer *writer, const st_value *value,
                                  uint8_t form[ST_NUMBER_BYTES_MAX], size_t *out_bytes,
                                  size_t *out_size)
{
    st_number number;
    if (value->is_text) {
        ST_TRY(st_number_parse(writer->op, value->bytes, &number));
    } else if (!st_number_decode(value->bytes, &number)) {
        return canonical_malformed(writer);
    }
    *out_bytes = st_number_encode(&number, form);
    *out_size = st_number_size(&number);
    return ST_OK;
}

static int canonical_compare(const void *a, const void *b)
{
    return st_slice_compare(((const canonical_member *)a)->name,
                            ((const canonical_member *)b)->name);
}

static st_status canonical_duplicate(canonical_writer *writer, st_type type, st_slice name)
{
    int shown = (int)(name.size < 80 ? name.size : 80);
    if (type == ST_TYPE_M) {
        return st_fail(writer->op, ST_INVALID_ARGUMENT,
                       "the attribute name '%.*s' occurs twice in one map", shown,
                       (const char *)name.data);
    }
    return st_fail(writer->op, ST_INVALID_ARGUMENT,
                   "One or more parameter values were invalid: Input collection in attribute "
                   "'%.*s' contains duplicates.",
                   (int)(writer->attribute.size < 64 ? writer->attribute.size : 64),
                   writer->attribute.data ? (const char *)writer->attribute.data : "");
}

/* Sorts by name (sets: by member) and refuses what occurs twice. */
static st_status canonical_sort(canonical_writer *writer, st_type type, canonical_member *members,
                                uint32_t count)
{
    bool is_sorted = true;
    for (uint32_t i = 1; i < count && is_sorted; i++) {
        is_sorted = canonical_compare(&members[i - 1], &members[i]) < 0;
    }
    if (is_sorted) {
        return ST_OK;
    }
    qsort(members, count, sizeof *members, canonical_compare);
    for (uint32_t i = 1; i < count; i++) {
        if (canonical_compare(&members[i - 1], &members[i]) == 0) {
            return canonical_duplicate(writer, type, members[i].name);
        }
    }
    return ST_OK;
}

static st_status canonical_set_member(canonical_writer *writer, canonical_member *member)
{
    const st_value *value = &member->value;
    member->name = value->bytes;
    if (value->type == ST_TYPE_S) {
        writer->size += value->bytes.size;
        return canonical_text_check(writer, value->bytes, "a string of a set");
    }
    if (value->type == ST_TYPE_B) {
        writer->size += value->bytes.size;
        return ST_OK;
    }
    uint8_t *form = st_arena_alloc(&writer->op->arena, ST_NUMBER_BYTES_MAX);
    if (!form) {
        return st_fail_memory(writer->op, ST_NUMBER_BYTES_MAX);
    }
    size_t bytes, size;
    ST_TRY(canonical_number(writer, value, form, &bytes, &size));
    member->name = st_slice_of(form, bytes);
    writer->size += size;
    return ST_OK;
}

/* Reads the members of a map or set into the arena, sorted. Lists stay in order and are not
 * collected. */
static st_status canonical_collect(canonical_writer *writer, const st_value *container,
                                   canonical_member **out_members)
{
    /* Each member takes at least a byte, so that a count that is larger than the body is a lie and
     * allocates nothing. */
    if (container->count > container->bytes.size) {
        return canonical_malformed(writer);
    }
    canonical_member *members =
        st_arena_alloc(&writer->op->arena, (size_t)container->count * sizeof *members + 1);
    if (!members) {
        return st_fail_memory(writer->op, (size_t)container->count * sizeof *members);
    }
    st_members walk = st_members_of(container);
    for (uint32_t i = 0; i < container->count; i++) {
        if (!st_members_next(&walk, &members[i].name, &members[i].value)) {
            return canonical_malformed(writer);
        }
        if (container->type != ST_TYPE_M) {
            ST_TRY(canonical_set_member(writer, &members[i]));
        }
    }
    if (st_reader_left(&walk.reader) != 0) {
        return canonical_malformed(writer);
    }
    *out_members = members;
    return canonical_sort(writer, container->type, members, container->count);
}

static st_status canonical_name_check(canonical_writer *writer, st_slice name)
{
    if (name.size == 0) {
        return st_fail(writer->op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Attribute name is empty");
    }
    if (name.size > ST_ITEM_NAME_BYTES_MAX) {
        return st_fail(writer->op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Attribute name is too large, "
                       "must be at most 65535 bytes");
    }
    return canonical_text_check(writer, name, "a name");
}

static st_status canonical_set(canonical_writer *writer, const st_value *set)
{
    if (set->count == 0) {
        const char *reason = set->type == ST_TYPE_SS   ? "An string set  may not be empty"
                             : set->type == ST_TYPE_NS ? "An number set  may not be empty"
                                                       : "Binary sets should not be empty";
        return st_fail(writer->op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: %s", reason);
    }
    canonical_member *members;
    ST_TRY(canonical_collect(writer, set, &members));
    for (uint32_t i = 0; i < set->count; i++) {
        canonical_bytes(writer, members[i].name);
    }
    return ST_OK;
}

static st_status canonical_map(canonical_writer *writer, const st_value *map, uint32_t depth)
{
    canonical_member *members;
    ST_TRY(canonical_collect(writer, map, &members));
    for (uint32_t i = 0; i < map->count; i++) {
        ST_TRY(canonical_name_check(writer, members[i].name));
        canonical_bytes(writer, members[i].name);
        writer->size += members[i].name.size + 1;
        ST_TRY(canonical_value(writer, &members[i].value, depth));
    }
    return ST_OK;
}

static st_status canonical_list(canonical_writer *writer, const st_value *list, uint32_t depth)
{
    st_members walk = st_members_of(list);
    st_slice name;
    st_value member;
    for (uint32_t i = 0; i < list->count; i++) {
        if (!st_members_next(&walk, &name, &member)) {
            return canonical_malformed(writer);
        }
        writer->size += 1;
        ST_TRY(canonical_value(writer, &member, depth));
    }
    return st_reader_left(&walk.reader) == 0 ? ST_OK : canonical_malformed(writer);
}

static st_status canonical_container(canonical_writer *writer, const st_value *value,
                                     uint32_t depth)
{
    if (depth > ST_ITEM_NESTING_MAX) {
        return st_fail(writer->op, ST_INVALID_ARGUMENT,
                       "Nesting Levels have exceeded supported limits: Attributes in the item have "
                       "nested levels beyond "
                       "supported limit");
    }
    static const uint8_t canonical_tags[] = {ST_TAG_SS, ST_TAG_NS, ST_TAG_BS, ST_TAG_L, ST_TAG_M};
    st_buf_byte(writer->out, canonical_tags[value->type - ST_TYPE_SS]);
    size_t head = writer->out->size;
    st_buf_u32(writer->out, 0);
    st_buf_u32(writer->out, value->count);
    if (value->type == ST_TYPE_L) {
        writer->size += 3;
        ST_TRY(canonical_list(writer, value, depth + 1));
    } else if (value->type == ST_TYPE_M) {
        writer->size += 3;
        ST_TRY(canonical_map(writer, value, depth + 1));
    } else {
        ST_TRY(canonical_set(writer, value));
    }
    if (!writer->out->failed) {
        st_put_u32(writer->out->data + head, (uint32_t)(writer->out->size - head - 8));
    }
    return ST_OK;
}

static st_status canonical_value(canonical_writer *writer, const st_value *value, uint32_t depth)
{
    if (writer->size > ST_ITEM_BYTES_MAX) {
        return st_fail(writer->op, ST_INVALID_ARGUMENT,
                       "Item size has exceeded the maximum allowed size");
    }
    uint8_t form[ST_NUMBER_BYTES_MAX];
    size_t bytes, size;
    switch (value->type) {
    case ST_TYPE_S:
        ST_TRY(canonical_text_check(writer, value->bytes, "a string"));
        st_buf_byte(writer->out, ST_TAG_S);
        canonical_bytes(writer, value->bytes);
        writer->size += value->bytes.size;
        return ST_OK;
    case ST_TYPE_B:
        st_buf_byte(writer->out, ST_TAG_B);
        canonical_bytes(writer, value->bytes);
        writer->size += value->bytes.size;
        return ST_OK;
    case ST_TYPE_N:
        ST_TRY(canonical_number(writer, value, form, &bytes, &size));
        st_buf_byte(writer->out, ST_TAG_N);
        canonical_bytes(writer, st_slice_of(form, bytes));
        writer->size += size;
        return ST_OK;
    case ST_TYPE_BOOL:
        st_buf_byte(writer->out, value->boolean ? ST_TAG_TRUE : ST_TAG_FALSE);
        writer->size += 1;
        return ST_OK;
    case ST_TYPE_NULL:
        st_buf_byte(writer->out, ST_TAG_NULL);
        writer->size += 1;
        return ST_OK;
    default:
        return canonical_container(writer, value, depth);
    }
}

st_status st_item_canonicalize(st_op *op, st_slice relaxed, st_buf *out_frame)
{
    st_reader reader = st_reader_of(relaxed);
    st_value map;
    if (!st_value_read(&reader, &map) || map.type != ST_TYPE_M || st_reader_left(&reader) != 0) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)reader.at,
                          "an item must be one map value; it is malformed");
    }
    canonical_writer writer = {.op = op, .out = out_frame};
    canonical_member *members;
    ST_TRY(canonical_collect(&writer, &map, &members));
    size_t begin = out_frame->size;
    st_buf_byte(out_frame, ST_ITEM_VERSION);
    st_buf_byte(out_frame, 0);
    st_buf_u32(out_frame, map.count);
    size_t offsets = out_frame->size;
    (void)st_buf_extend(out_frame, 4 * (size_t)map.count);
    for (uint32_t i = 0; i < map.count; i++) {
        writer.attribute = members[i].name;
        ST_TRY(canonical_name_check(&writer, members[i].name));
        if (!out_frame->failed) {
            st_put_u32(out_frame->data + offsets + 4 * (size_t)i,
                       (uint32_t)(out_frame->size - begin));
        }
        canonical_bytes(&writer, members[i].name);
        writer.size += members[i].name.size;
        ST_TRY(canonical_value(&writer, &members[i].value, 1));
    }
    if (writer.size > ST_ITEM_BYTES_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT, "Item size has exceeded the maximum allowed size");
    }
    return st_buf_check(op, out_frame);
}

st_status st_item_validate(st_op *op, st_slice frame)
{
    if (frame.size < 6 || frame.data[0] == 0 || frame.data[1] != 0) {
        return st_fail_at(op, ST_CORRUPT, 0, "the item frame is cut short or has an unknown head");
    }
    if (frame.data[0] != ST_ITEM_VERSION) {
        return st_fail_at(op, ST_UNSUPPORTED, 0, "item frame version %u", frame.data[0]);
    }
    uint32_t count = st_item_count(frame);
    if (count > (frame.size - 6) / 4) {
        return st_fail_at(op, ST_CORRUPT, 2,
                          "the item frame names more attributes than it has room for");
    }
    /* A frame is canonical if and only if making it canonical again gives the same bytes. */
    st_buf relaxed, again;
    st_buf_init(&relaxed, op->alloc);
    st_buf_init(&again, op->alloc);
    st_item_to_relaxed(frame, &relaxed);
    st_status status = st_buf_check(op, &relaxed);
    if (status == ST_OK) {
        status = st_item_canonicalize(op, st_buf_view(&relaxed), &again);
    }
    if (status == ST_OK && !st_slice_equal(frame, st_buf_view(&again))) {
        size_t position = st_slice_common(frame, st_buf_view(&again));
        status = st_fail_at(op, ST_CORRUPT, (int64_t)position,
                            "the item frame is not canonical at byte %zu", position);
    } else if (status == ST_INVALID_ARGUMENT) {
        st_op_clear(op);
        status = st_fail_at(op, ST_CORRUPT, 0, "the item frame does not hold a legal item");
    }
    st_buf_deinit(&relaxed);
    st_buf_deinit(&again);
    return status;
}

/* ---- DynamoDB's size of a valid frame --------------------------------------------------- */

static size_t canonical_size_of(const st_value *value)
{
    st_number number;
    switch (value->type) {
    case ST_TYPE_S:
    case ST_TYPE_B:
        return value->bytes.size;
    case ST_TYPE_N:
        return st_number_decode(value->bytes, &number) ? st_number_size(&number) : 0;
    case ST_TYPE_BOOL:
    case ST_TYPE_NULL:
        return 1;
    default:
        break;
    }
    bool is_document = value->type == ST_TYPE_L || value->type == ST_TYPE_M;
    size_t size = is_document ? 3 : 0;
    st_members walk = st_members_of(value);
    st_slice name;
    st_value member;
    while (st_members_next(&walk, &name, &member)) {
        size += name.size + is_document + canonical_size_of(&member);
    }
    return size;
}

size_t st_item_size(st_slice frame)
{
    size_t size = 0;
    st_slice name;
    st_value value;
    for (uint32_t i = 0; st_item_at(frame, i, &name, &value); i++) {
        size += name.size + canonical_size_of(&value);
    }
    return size;
}
