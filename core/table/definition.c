/* What a table is, as bytes and decoded. docs/formats/catalog.md.
 *
 * A definition is numbered fields with lengths, as requests are: unknown ones below 128 are kept
 * out of the way, so that older libraries read newer tables whose additions they may ignore.
 */
#include "table/table_internal.h"

#include <string.h>

#define DEFINITION_VERSION 1
#define DEFINITION_INCLUDE_MAX 100u

/* ---- encoding --------------------------------------------------------------------------- */

static void definition_part(const st_key_part *part, st_buf *out)
{
    st_buf_byte(out, (uint8_t)part->type);
    st_buf_varint(out, part->name.size);
    st_buf_slice(out, part->name);
}

static void definition_schema(uint8_t number, const st_key_schema *schema, st_buf *out)
{
    size_t place = st_table__result_open(out, number);
    st_buf_byte(out, (uint8_t)schema->partition_count);
    st_buf_byte(out, (uint8_t)schema->sort_count);
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        definition_part(&schema->partition[i], out);
    }
    for (uint32_t i = 0; i < schema->sort_count; i++) {
        definition_part(&schema->sort[i], out);
    }
    st_table__result_shut(out, place);
}

static void definition_u32(uint8_t number, uint32_t value, st_buf *out)
{
    uint8_t bytes[4];
    st_put_u32(bytes, value);
    st_table__result_field(out, number, st_slice_of(bytes, sizeof bytes));
}

static void definition_byte(uint8_t number, uint8_t value, st_buf *out)
{
    st_table__result_field(out, number, st_slice_of(&value, 1));
}

static void definition_index(const st_index *index, st_buf *out)
{
    size_t place = st_table__result_open(out, ST_DEFINITION_INDEX);
    st_table__result_field(out, ST_DEFINITION_INDEX_NAME, index->name);
    definition_byte(ST_DEFINITION_INDEX_KIND, index->kind, out);
    definition_schema(ST_DEFINITION_INDEX_SCHEMA, &index->schema, out);
    definition_byte(ST_DEFINITION_INDEX_PROJECTION, index->projection, out);
    for (uint32_t i = 0; i < index->include_count; i++) {
        st_table__result_field(out, ST_DEFINITION_INDEX_INCLUDE, index->include[i]);
    }
    definition_u32(ST_DEFINITION_INDEX_ID, index->id, out);
    definition_byte(ST_DEFINITION_INDEX_STATE, index->state, out);
    if (index->extra.size > 0) {
        st_table__result_field(out, ST_DEFINITION_INDEX_EXTRA, index->extra);
    }
    st_table__result_shut(out, place);
}

void st_definition_encode(const st_definition *definition, st_buf *out)
{
    st_buf_byte(out, DEFINITION_VERSION);
    definition_schema(ST_DEFINITION_SCHEMA, &definition->schema, out);
    for (uint32_t i = 0; i < definition->index_count; i++) {
        definition_index(&definition->indexes[i], out);
    }
    if (definition->ttl.size > 0) {
        size_t place = st_table__result_open(out, ST_DEFINITION_TTL);
        st_buf_u32(out, definition->ttl_id);
        st_buf_slice(out, definition->ttl);
        st_table__result_shut(out, place);
    }
    if (definition->stream_id != 0 || definition->stream_view != ST_STREAM_OFF) {
        size_t place = st_table__result_open(out, ST_DEFINITION_STREAM);
        st_buf_u32(out, definition->stream_id);
        st_buf_byte(out, definition->stream_view);
        st_buf_u64(out, definition->stream_created_us);
        st_table__result_shut(out, place);
    }
    if (definition->flags != 0) {
        definition_u32(ST_DEFINITION_FLAGS, definition->flags, out);
    }
    if (definition->extra.size > 0) {
        st_table__result_field(out, ST_DEFINITION_EXTRA, definition->extra);
    }
    if (definition->identity.size > 0) {
        st_table__result_field(out, ST_DEFINITION_IDENTITY, definition->identity);
    }
}

/* ---- decoding --------------------------------------------------------------------------- */

static st_status definition_cut(st_op *op)
{
    return st_fail(op, ST_INVALID_ARGUMENT, "the definition of the table is malformed");
}

static st_status definition_get_part(st_op *op, st_reader *reader, st_key_part *out_part)
{
    uint8_t type = st_reader_byte(reader);
    out_part->name = st_reader_slice(reader, st_reader_varint(reader));
    out_part->type = (st_type)type;
    size_t position;
    if (reader->failed) {
        return st_fail(op, ST_INVALID_ARGUMENT, "the schema is cut short");
    }
    if (type < ST_TYPE_S || type > ST_TYPE_B) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a key attribute must be of type S, N or B");
    }
    if (out_part->name.size == 0 || out_part->name.size > ST_KEY_NAME_BYTES_MAX ||
        !st_utf8_valid(out_part->name, &position)) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "the name of a key attribute must be 1..255 bytes of UTF-8");
    }
    return ST_OK;
}

static const st_key_part *definition_part_at(const st_key_schema *schema, uint32_t i)
{
    return i < schema->partition_count ? &schema->partition[i]
                                       : &schema->sort[i - schema->partition_count];
}

static st_status definition_get_schema(st_op *op, st_slice bytes, uint32_t most_of_each,
                                       st_key_schema *out_schema)
{
    *out_schema = (st_key_schema){0};
    st_reader reader = st_reader_of(bytes);
    out_schema->partition_count = st_reader_byte(&reader);
    out_schema->sort_count = st_reader_byte(&reader);
    if (reader.failed || out_schema->partition_count == 0 ||
        out_schema->partition_count > most_of_each || out_schema->sort_count > most_of_each) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       most_of_each == 1
                           ? "a table has one partition key and at most one sort key"
                           : "an index has 1 to 4 partition keys and at most 4 sort keys");
    }
    for (uint32_t i = 0; i < out_schema->partition_count; i++) {
        ST_TRY(definition_get_part(op, &reader, &out_schema->partition[i]));
    }
    for (uint32_t i = 0; i < out_schema->sort_count; i++) {
        ST_TRY(definition_get_part(op, &reader, &out_schema->sort[i]));
    }
    uint32_t count = out_schema->partition_count + out_schema->sort_count;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (st_slice_equal(definition_part_at(out_schema, i)->name,
                               definition_part_at(out_schema, k)->name)) {
                return st_fail(op, ST_INVALID_ARGUMENT,
                               "Both the Hash Key and the Range Key element in the KeySchema have "
                               "the same name");
            }
        }
    }
    return st_reader_left(&reader) == 0
               ? ST_OK
               : st_fail(op, ST_INVALID_ARGUMENT, "the schema is longer than its key attributes");
}

st_status st_table__schema(st_op *op, st_slice bytes, st_key_schema *out_schema)
{
    return definition_get_schema(op, bytes, 1, out_schema);
}

/* The next field; false at the end or when it is cut short, which the reader then says. */
static bool definition_next(st_reader *reader, uint8_t *out_number, st_slice *out_payload)
{
    if (st_reader_left(reader) == 0) {
        return false;
    }
    *out_number = st_reader_byte(reader);
    *out_payload = st_reader_slice(reader, st_reader_u32(reader));
    return !reader->failed;
}

static uint32_t definition_count(st_slice bytes, uint8_t wanted)
{
    st_reader reader = st_reader_of(bytes);
    uint32_t count = 0;
    uint8_t number;
    st_slice payload;
    while (definition_next(&reader, &number, &payload)) {
        count += number == wanted;
    }
    return count;
}

static st_status definition_index_field(st_op *op, uint8_t number, st_slice payload, st_index *out)
{
    switch (number) {
    case ST_DEFINITION_INDEX_NAME:
        out->name = payload;
        return ST_OK;
    case ST_DEFINITION_INDEX_SCHEMA:
        return definition_get_schema(op, payload, ST_KEY_PARTS_MAX, &out->schema);
    case ST_DEFINITION_INDEX_INCLUDE:
        out->include[out->include_count++] = payload;
        return ST_OK;
    case ST_DEFINITION_INDEX_EXTRA:
        out->extra = payload;
        return ST_OK;
    case ST_DEFINITION_INDEX_ID:
        out->id = payload.size == 4 ? st_get_u32(payload.data) : 0;
        return payload.size == 4 ? ST_OK : definition_cut(op);
    case ST_DEFINITION_INDEX_KIND:
    case ST_DEFINITION_INDEX_PROJECTION:
    case ST_DEFINITION_INDEX_STATE:
        if (payload.size != 1) {
            return definition_cut(op);
        }
        *(number == ST_DEFINITION_INDEX_KIND         ? &out->kind
          : number == ST_DEFINITION_INDEX_PROJECTION ? &out->projection
                                                     : &out->state) = payload.data[0];
        return ST_OK;
    default:
        return number < ST_FIELD_MUST_UNDERSTAND
                   ? ST_OK
                   : st_fail(op, ST_UNSUPPORTED, "field %u of an index of a later version", number);
    }
}

static st_status definition_get_index(st_op *op, st_slice bytes, st_index *out)
{
    *out = (st_index){.projection = ST_PROJECT_ALL, .state = ST_INDEX_ACTIVE};
    uint32_t includes = definition_count(bytes, ST_DEFINITION_INDEX_INCLUDE);
    if (includes > DEFINITION_INCLUDE_MAX) {
        return definition_cut(op);
    }
    out->include = st_arena_alloc(&op->arena, (includes + 1) * sizeof *out->include);
    if (!out->include) {
        return st_fail_memory(op, (includes + 1) * sizeof *out->include);
    }
    st_reader reader = st_reader_of(bytes);
    uint8_t number;
    st_slice payload;
    while (definition_next(&reader, &number, &payload)) {
        ST_TRY(definition_index_field(op, number, payload, out));
    }
    bool is_sound = !reader.failed && out->name.size > 0 && out->schema.partition_count > 0 &&
                    (out->kind == ST_INDEX_LOCAL || out->kind == ST_INDEX_GLOBAL) &&
                    out->projection >= ST_PROJECT_ALL && out->projection <= ST_PROJECT_INCLUDE &&
                    (out->state == ST_INDEX_ACTIVE || out->state == ST_INDEX_FILLING);
    return is_sound ? ST_OK : definition_cut(op);
}

static st_status definition_get_ttl(st_op *op, st_slice payload, st_definition *out)
{
    if (payload.size < 5 || payload.size > 4 + ST_ITEM_NAME_BYTES_MAX) {
        return definition_cut(op);
    }
    out->ttl_id = st_get_u32(payload.data);
    out->ttl = st_slice_of(payload.data + 4, payload.size - 4);
    return ST_OK;
}

static st_status definition_get_stream(st_op *op, st_slice payload, st_definition *out)
{
    if (payload.size != 13 || payload.data[4] > ST_STREAM_NEW_AND_OLD_IMAGES) {
        return definition_cut(op);
    }
    out->stream_id = st_get_u32(payload.data);
    out->stream_view = payload.data[4];
    out->stream_created_us = st_get_u64(payload.data + 5);
    return ST_OK;
}

static st_status definition_field(st_op *op, uint8_t number, st_slice payload, st_definition *out)
{
    switch (number) {
    case ST_DEFINITION_SCHEMA:
        return definition_get_schema(op, payload, 1, &out->schema);
    case ST_DEFINITION_INDEX:
        return definition_get_index(op, payload, &out->indexes[out->index_count++]);
    case ST_DEFINITION_TTL:
        return definition_get_ttl(op, payload, out);
    case ST_DEFINITION_STREAM:
        return definition_get_stream(op, payload, out);
    case ST_DEFINITION_FLAGS:
        out->flags = payload.size == 4 ? st_get_u32(payload.data) : 0;
        return payload.size == 4 ? ST_OK : definition_cut(op);
    case ST_DEFINITION_EXTRA:
        out->extra = payload;
        return ST_OK;
    case ST_DEFINITION_IDENTITY:
        out->identity = payload;
        return payload.size == 16 ? ST_OK : definition_cut(op);
    default:
        return number < ST_FIELD_MUST_UNDERSTAND
                   ? ST_OK
                   : st_fail(op, ST_UNSUPPORTED, "field %u of a table of a later version", number);
    }
}

st_status st_definition_decode(st_op *op, st_slice bytes, st_definition *out_definition)
{
    *out_definition = (st_definition){0};
    st_reader reader = st_reader_of(bytes);
    if (st_reader_byte(&reader) != DEFINITION_VERSION || reader.failed) {
        return definition_cut(op);
    }
    uint32_t indexes =
        definition_count(st_slice_of(bytes.data + 1, bytes.size - 1), ST_DEFINITION_INDEX);
    if (indexes > ST_INDEXES_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a table has at most %u indexes", ST_INDEXES_MAX);
    }
    size_t size = (indexes + 1) * sizeof(st_index);
    out_definition->indexes = st_arena_alloc(&op->arena, size);
    if (!out_definition->indexes) {
        return st_fail_memory(op, size);
    }
    uint8_t number;
    st_slice payload;
    while (definition_next(&reader, &number, &payload)) {
        ST_TRY(definition_field(op, number, payload, out_definition));
    }
    return !reader.failed && out_definition->schema.partition_count > 0 ? ST_OK
                                                                        : definition_cut(op);
}
