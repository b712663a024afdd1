/* From relaxed values to the one canonical form, checking everything on the way.
 *
 * A map or set is read twice: once to collect and sort its members in the arena of the call, once
 * to write them in order. Lists are written as they are read. DynamoDB's size is added up as values
 * are written, so that writing ends soon behind the limit; recursion ends at ST_ITEM_NESTING_MAX.
 *
 * Invariants
 * 1. What is written is what st_item_validate accepts, byte for byte.
 * 2. A count in the input allocates nothing that the bytes behind it do not back up, and nothing
 *    beyond what an item of the largest size can hold.
 */
#include "item/item_internal.h"

typedef struct canonical_writer {
    st_op *op;
    st_buf *out;
    st_slice relaxed;
    st_slice attribute; /* the top-level attribute being written, for messages */
    size_t size;        /* DynamoDB's */
    size_t most;        /* of it */
    bool is_update;     /* an update made it: other words */
} canonical_writer;

typedef struct canonical_member {
    st_slice name; /* of a map member, or the canonical bytes of a set member */
    st_value value;
    uint32_t index; /* among the members as sent */
} canonical_member;

static st_status canonical_value(canonical_writer *writer, const st_value *value, uint32_t depth);

#define CANONICAL_SHOWN 64 /* bytes of a name in messages */

/* at: inside writer->relaxed */
static st_status canonical_malformed(canonical_writer *writer, const uint8_t *at)
{
    int64_t position = at - writer->relaxed.data;
    return st_fail_at(writer->op, ST_INVALID_ARGUMENT, position,
                      "the item is malformed in attribute '%.*s' at byte %lld",
                      st_item__shown(writer->attribute, CANONICAL_SHOWN),
                      st_item__text(writer->attribute), (long long)position);
}

static st_status canonical_stopped(canonical_writer *writer, const st_reader *reader)
{
    return canonical_malformed(writer, reader->data + reader->at);
}

static st_status canonical_text_check(canonical_writer *writer, st_slice text, const char *what)
{
    size_t bad;
    if (st_utf8_valid(text, &bad)) {
        return ST_OK;
    }
    return st_fail_at(writer->op, ST_INVALID_ARGUMENT,
                      text.data - writer->relaxed.data + (int64_t)bad,
                      "%s in attribute '%.*s' is not valid UTF-8 at its byte %zu; use binary for "
                      "other bytes",
                      what, st_item__shown(writer->attribute, CANONICAL_SHOWN),
                      st_item__text(writer->attribute), bad);
}

static st_status canonical_size_check(canonical_writer *writer, size_t more)
{
    if (more > writer->most || writer->size > writer->most - more) {
        return st_fail(writer->op, ST_INVALID_ARGUMENT,
                       "Item size %shas exceeded the maximum allowed size",
                       writer->is_update ? "to update " : "");
    }
    return ST_OK;
}

static st_status canonical_number(canonical_writer *writer, const st_value *value,
                                  uint8_t form[ST_NUMBER_BYTES_MAX], size_t *out_bytes)
{
    st_number number;
    if (!value->is_text && !st_number_decode(value->bytes, &number)) {
        return canonical_malformed(writer, value->bytes.data);
    }
    ST_TRY(st_item__number_of(writer->op, value, &number));
    *out_bytes = st_number_encode(&number, form);
    writer->size += st_number_size(&number);
    return ST_OK;
}

/* ---- members of maps and sets ----------------------------------------------------------- */

static int canonical_compare(const canonical_member *a, const canonical_member *b)
{
    int order = st_slice_compare(a->name, b->name);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static void canonical_sift(canonical_member *members, uint32_t root, uint32_t count)
{
    canonical_member moved = members[root];
    for (;;) {
        uint64_t child = (uint64_t)root * 2 + 1;
        if (child >= count) {
            break;
        }
        child += child + 1 < count && canonical_compare(&members[child], &members[child + 1]) < 0;
        if (canonical_compare(&moved, &members[child]) >= 0) {
            break;
        }
        members[root] = members[child];
        root = (uint32_t)child;
    }
    members[root] = moved;
}

/* Heapsort: in place, and no input makes it slow. */
static void canonical_heapsort(canonical_member *members, uint32_t count)
{
    for (uint32_t i = count / 2; i > 0; i--) {
        canonical_sift(members, i - 1, count);
    }
    for (uint32_t i = count; i > 1; i--) {
        canonical_member last = members[i - 1];
        members[i - 1] = members[0];
        members[0] = last;
        canonical_sift(members, 0, i - 1);
    }
}

/* Sorts by name (sets: by member). Returns the index, among the members as sent, of the first that
 * repeats an earlier one; count when none does. */
static uint32_t canonical_sort(canonical_member *members, uint32_t count)
{
    bool is_sorted = true;
    for (uint32_t i = 1; i < count && is_sorted; i++) {
        is_sorted = st_slice_compare(members[i - 1].name, members[i].name) < 0;
    }
    if (is_sorted) {
        return count;
    }
    canonical_heapsort(members, count);
    uint32_t repeat = count;
    for (uint32_t i = 1; i < count; i++) {
        bool is_repeat = st_slice_equal(members[i - 1].name, members[i].name);
        repeat = is_repeat && members[i].index < repeat ? members[i].index : repeat;
    }
    return repeat;
}

static st_status canonical_set_member(canonical_writer *writer, canonical_member *member)
{
    const st_value *value = &member->value;
    member->name = value->bytes;
    if (value->type != ST_TYPE_N) {
        writer->size += value->bytes.size;
        return value->type == ST_TYPE_S
                   ? canonical_text_check(writer, value->bytes, "a string of the set")
                   : ST_OK;
    }
    uint8_t *form = st_arena_alloc(&writer->op->arena, ST_NUMBER_BYTES_MAX);
    if (!form) {
        return st_fail_memory(writer->op, ST_NUMBER_BYTES_MAX);
    }
    size_t bytes;
    ST_TRY(canonical_number(writer, value, form, &bytes));
    member->name = st_slice_of(form, bytes);
    return ST_OK;
}

/* Reads the members of a map or set into the arena and sorts them. */
static st_status canonical_collect(canonical_writer *writer, const st_value *container,
                                   canonical_member **out_members, uint32_t *out_repeat)
{
    uint32_t count = container->count;
    bool is_map = container->type == ST_TYPE_M;
    /* A member takes a length byte, in maps also a tag. */
    if (count > container->bytes.size / (is_map ? 2 : 1)) {
        return canonical_malformed(writer, container->encoded.data);
    }
    /* Each counts a byte at least, but for one empty member. */
    ST_TRY(canonical_size_check(writer, count > 0 ? count - 1 : 0));
    size_t bytes = ((size_t)count + 1) * sizeof(canonical_member);
    canonical_member *members = st_arena_alloc(&writer->op->arena, bytes);
    if (!members) {
        return st_fail_memory(writer->op, bytes);
    }
    st_members walk = st_members_of(container);
    for (uint32_t i = 0; i < count; i++) {
        members[i].index = i;
        if (!st_members_next(&walk, &members[i].name, &members[i].value)) {
            return canonical_stopped(writer, &walk.reader);
        }
        if (!is_map) {
            ST_TRY(canonical_set_member(writer, &members[i]));
        }
    }
    if (st_reader_left(&walk.reader) != 0) {
        return canonical_stopped(writer, &walk.reader);
    }
    *out_members = members;
    *out_repeat = canonical_sort(members, count);
    return ST_OK;
}

/* ---- sets ------------------------------------------------------------------------------- */

static void canonical_list_member(st_buf *list, const st_value *value, st_type type)
{
    if (list->size > 1) {
        st_buf_append(list, ", ", type == ST_TYPE_SS ? 2 : 1);
    }
    st_buf_byte(list, '"');
    if (type == ST_TYPE_SS) {
        st_buf_slice(list, value->bytes);
    } else {
        st_base64_encode(value->bytes, list);
    }
    st_buf_byte(list, '"');
}

/* DynamoDB lists the distinct members up to the first repeat in order, then it and the others as
 * sent; a list too long for a message is cut. */
static st_status canonical_set_repeat(canonical_writer *writer, const st_value *set,
                                      const canonical_member *members, uint32_t repeat)
{
    if (set->type == ST_TYPE_NS) {
        return st_fail(writer->op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Input collection contains "
                       "duplicates.");
    }
    st_buf list;
    st_buf_init(&list, writer->op->alloc);
    st_buf_byte(&list, '[');
    for (uint32_t i = 0; i < set->count && list.size < ST_ERROR_MESSAGE_MAX; i++) {
        if (members[i].index < repeat) {
            canonical_list_member(&list, &members[i].value, set->type);
        }
    }
    st_members walk = st_members_of(set);
    st_slice name;
    st_value value;
    for (uint32_t i = 0; list.size < ST_ERROR_MESSAGE_MAX; i++) {
        if (!st_members_next(&walk, &name, &value)) {
            break;
        }
        if (i >= repeat) {
            canonical_list_member(&list, &value, set->type);
        }
    }
    st_buf_byte(&list, ']');
    st_status status = st_buf_check(writer->op, &list);
    if (status == ST_OK) {
        st_slice text = st_buf_view(&list);
        status = st_fail(writer->op, ST_INVALID_ARGUMENT,
                         "One or more parameter values were invalid: Input collection %.*s%s "
                         "contains duplicates.",
                         st_item__shown(text, ST_ERROR_MESSAGE_MAX), st_item__text(text),
                         set->type == ST_TYPE_BS ? "of type BS" : "");
    }
    st_buf_deinit(&list);
    return status;
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
    uint32_t repeat;
    ST_TRY(canonical_collect(writer, set, &members, &repeat));
    if (repeat < set->count) {
        return canonical_set_repeat(writer, set, members, repeat);
    }
    for (uint32_t i = 0; i < set->count; i++) {
        st_item__put_bytes(writer->out, members[i].name);
    }
    return ST_OK;
}

/* ---- maps and lists --------------------------------------------------------------------- */

static st_status canonical_name_check(canonical_writer *writer, st_slice name)
{
    if (name.size == 0) {
        return st_fail(writer->op, ST_INVALID_ARGUMENT, "Empty attribute name");
    }
    if (name.size > ST_ITEM_NAME_BYTES_MAX) {
        return st_fail(writer->op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Attribute name is too large, "
                       "must be at most 65535 bytes");
    }
    return canonical_text_check(writer, name, "a name");
}

/* The members of a map (also of the item itself), sorted; every name is legal and occurs once. */
static st_status canonical_map_members(canonical_writer *writer, const st_value *map,
                                       canonical_member **out_members)
{
    uint32_t repeat;
    ST_TRY(canonical_collect(writer, map, out_members, &repeat));
    for (uint32_t i = 0; i < map->count; i++) {
        ST_TRY(canonical_name_check(writer, (*out_members)[i].name));
    }
    for (uint32_t i = 0; repeat < map->count; i++) {
        st_slice name = (*out_members)[i].name;
        if ((*out_members)[i].index == repeat) {
            return st_fail_at(writer->op, ST_INVALID_ARGUMENT, name.data - writer->relaxed.data,
                              "the attribute name '%.*s' occurs twice in one map",
                              st_item__shown(name, CANONICAL_SHOWN), st_item__text(name));
        }
    }
    return ST_OK;
}

static st_status canonical_map(canonical_writer *writer, const st_value *map, uint32_t depth)
{
    canonical_member *members;
    ST_TRY(canonical_map_members(writer, map, &members));
    for (uint32_t i = 0; i < map->count; i++) {
        st_item__put_bytes(writer->out, members[i].name);
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
            return canonical_stopped(writer, &walk.reader);
        }
        writer->size += 1;
        ST_TRY(canonical_value(writer, &member, depth));
    }
    return st_reader_left(&walk.reader) == 0 ? ST_OK : canonical_stopped(writer, &walk.reader);
}

static st_status canonical_container(canonical_writer *writer, const st_value *value,
                                     uint32_t depth)
{
    bool is_document = value->type == ST_TYPE_L || value->type == ST_TYPE_M;
    if (is_document && depth > ST_ITEM_NESTING_MAX) {
        return st_fail(writer->op, ST_INVALID_ARGUMENT,
                       "Nesting Levels have exceeded supported limits%s",
                       writer->is_update ? ""
                                         : ": Attributes in the item have nested levels beyond "
                                           "supported limit");
    }
    static const uint8_t canonical_tags[] = {ST_TAG_SS, ST_TAG_NS, ST_TAG_BS, ST_TAG_L, ST_TAG_M};
    size_t begin = st_item__put_begin(writer->out, canonical_tags[value->type - ST_TYPE_SS]);
    writer->size += is_document ? 3 : 0;
    ST_TRY(value->type == ST_TYPE_L   ? canonical_list(writer, value, depth + 1)
           : value->type == ST_TYPE_M ? canonical_map(writer, value, depth + 1)
                                      : canonical_set(writer, value));
    st_item__put_end(writer->out, begin, value->count);
    return ST_OK;
}

static st_status canonical_value(canonical_writer *writer, const st_value *value, uint32_t depth)
{
    uint8_t form[ST_NUMBER_BYTES_MAX];
    size_t bytes;
    switch (value->type) {
    case ST_TYPE_S:
    case ST_TYPE_B:
        if (value->type == ST_TYPE_S) {
            ST_TRY(canonical_text_check(writer, value->bytes, "a string"));
        }
        st_buf_byte(writer->out, value->type == ST_TYPE_S ? ST_TAG_S : ST_TAG_B);
        st_item__put_bytes(writer->out, value->bytes);
        writer->size += value->bytes.size;
        break;
    case ST_TYPE_N:
        ST_TRY(canonical_number(writer, value, form, &bytes));
        st_buf_byte(writer->out, ST_TAG_N);
        st_item__put_bytes(writer->out, st_slice_of(form, bytes));
        break;
    case ST_TYPE_BOOL:
        st_buf_byte(writer->out, value->boolean ? ST_TAG_TRUE : ST_TAG_FALSE);
        writer->size += 1;
        break;
    case ST_TYPE_NULL:
        st_buf_byte(writer->out, ST_TAG_NULL);
        writer->size += 1;
        break;
    default:
        ST_TRY(canonical_container(writer, value, depth));
        break;
    }
    return canonical_size_check(writer, 0);
}

/* ---- the item --------------------------------------------------------------------------- */

static st_status canonical_item(canonical_writer *writer, const st_value *map)
{
    canonical_member *members;
    ST_TRY(canonical_map_members(writer, map, &members));
    st_buf *out = writer->out;
    size_t begin = out->size;
    (void)st_buf_reserve(out, writer->relaxed.size + 8 * (size_t)map->count);
    st_buf_byte(out, ST_ITEM_VERSION);
    st_buf_byte(out, 0);
    st_buf_u32(out, map->count);
    size_t offsets = out->size;
    (void)st_buf_extend(out, 4 * (size_t)map->count);
    for (uint32_t i = 0; i < map->count; i++) {
        writer->attribute = members[i].name;
        if (!out->failed) {
            st_put_u32(out->data + offsets + 4 * (size_t)i, (uint32_t)(out->size - begin));
        }
        st_item__put_bytes(out, members[i].name);
        writer->size += members[i].name.size;
        ST_TRY(canonical_value(writer, &members[i].value, 1));
    }
    return st_buf_check(writer->op, out);
}

static st_status canonical_whole(st_op *op, st_slice relaxed, size_t most, bool is_update,
                                 st_buf *out_frame)
{
    st_reader reader = st_reader_of(relaxed);
    st_value map;
    if (!st_value_read(&reader, &map) || map.type != ST_TYPE_M || st_reader_left(&reader) != 0) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)reader.at,
                          "the item is malformed: it must be exactly one map value (byte %zu)",
                          reader.at);
    }
    size_t begin = out_frame->size;
    canonical_writer writer = {
        .op = op, .out = out_frame, .relaxed = relaxed, .most = most, .is_update = is_update};
    st_status status = canonical_item(&writer, &map);
    if (status != ST_OK) {
        out_frame->size = begin;
    }
    return status;
}

st_status st_item_canonicalize(st_op *op, st_slice relaxed, st_buf *out_frame)
{
    return canonical_whole(op, relaxed, ST_ITEM_BYTES_MAX, false, out_frame);
}

st_status st_item_canonicalize_any(st_op *op, st_slice relaxed, st_buf *out_frame)
{
    return canonical_whole(op, relaxed, SIZE_MAX, false, out_frame);
}

st_status st_item_canonicalize_updated(st_op *op, st_slice relaxed, st_buf *out_frame)
{
    return canonical_whole(op, relaxed, SIZE_MAX, true, out_frame);
}

st_status st_value_canonicalize(st_op *op, st_slice relaxed, st_buf *out_value)
{
    st_reader reader = st_reader_of(relaxed);
    st_value value;
    if (!st_value_read(&reader, &value) || st_reader_left(&reader) != 0) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)reader.at,
                          "the value is malformed at byte %zu", reader.at);
    }
    size_t begin = out_value->size;
    canonical_writer writer = {.op = op, .out = out_value, .relaxed = relaxed, .most = SIZE_MAX};
    st_status status = canonical_value(&writer, &value, 1);
    status = status == ST_OK ? st_buf_check(op, out_value) : status;
    if (status != ST_OK) {
        out_value->size = begin;
    }
    return status;
}

st_status st_item_of_entries(st_op *op, st_slice entries, uint32_t count, st_buf *out_frame)
{
    size_t begin = out_frame->size;
    st_reader reader = st_reader_of(entries);
    st_value value;
    st_buf_byte(out_frame, ST_ITEM_VERSION);
    st_buf_byte(out_frame, 0);
    st_buf_u32(out_frame, count);
    size_t head = ST_ITEM__HEAD_BYTES + 4 * (size_t)count;
    for (uint32_t i = 0; i < count; i++) {
        st_buf_u32(out_frame, (uint32_t)(head + reader.at));
        (void)st_reader_slice(&reader, st_reader_varint(&reader));
        if (!st_value_read(&reader, &value)) {
            out_frame->size = begin;
            return st_fail_at(op, ST_CORRUPT, (int64_t)reader.at,
                              "the item is damaged at byte %zu of its entries", reader.at);
        }
    }
    st_buf_slice(out_frame, entries);
    return st_buf_check(op, out_frame);
}
