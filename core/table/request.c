/* Decoding request frames, and the pieces that result frames are made of. Nothing here is believed:
 * every length is checked, unknown fields from 128 on are refused, and so is a field that stands
 * twice.
 */
#include "table/table_internal.h"

#define REQUEST_PAGE_BYTES_DEFAULT ((uint32_t)1 << 20)
#define REQUEST_PAGE_BYTES_MAX ((uint32_t)16 << 20)
#define REQUEST_SEGMENTS_MAX 1000000u
#define REQUEST_FLAGS_KNOWN                                                            \
    (ST_FLAG_CACHED_ONLY | ST_FLAG_CONSISTENT | ST_FLAG_RETURN_OLD | ST_FLAG_REVERSE | \
     ST_FLAG_SNAPSHOT | ST_FLAG_ENSURE)

static st_status request_bad_length(st_op *op, uint8_t number, size_t at)
{
    return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at,
                      "request field %u at byte %zu has a wrong length", number, at);
}

static st_status request_u32(st_op *op, uint8_t number, st_slice payload, size_t at,
                             uint32_t *out_value)
{
    if (payload.size != 4) {
        return request_bad_length(op, number, at);
    }
    *out_value = st_get_u32(payload.data);
    return ST_OK;
}

static st_status request_durability(st_op *op, st_slice payload, size_t at, st_request *out)
{
    if (payload.size != 1) {
        return request_bad_length(op, ST_FIELD_DURABILITY, at);
    }
    if (payload.data[0] > ST_DURABILITY_NONE) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at, "durability %u is none of 0 to 3",
                          payload.data[0]);
    }
    out->durability = (st_durability)payload.data[0];
    return ST_OK;
}

static st_status request_flags(st_op *op, st_slice payload, size_t at, st_request *out)
{
    ST_TRY(request_u32(op, ST_FIELD_FLAGS, payload, at, &out->flags));
    if (out->flags & ~(uint32_t)REQUEST_FLAGS_KNOWN) {
        return st_fail_at(op, ST_UNSUPPORTED, (int64_t)at, "request flags %#x of a later version",
                          out->flags);
    }
    return ST_OK;
}

static st_status request_limit(st_op *op, st_slice payload, size_t at, st_request *out)
{
    if (payload.size != 8) {
        return request_bad_length(op, ST_FIELD_LIMIT, at);
    }
    out->limit = st_get_u64(payload.data);
    if (out->limit == 0) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at, "the limit must be at least 1");
    }
    return ST_OK;
}

static st_status request_segment(st_op *op, st_slice payload, size_t at, st_request *out)
{
    if (payload.size != 8) {
        return request_bad_length(op, ST_FIELD_SEGMENT, at);
    }
    out->segment = st_get_u32(payload.data);
    out->segment_count = st_get_u32(payload.data + 4);
    if (out->segment_count == 0 || out->segment_count > REQUEST_SEGMENTS_MAX) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at,
                          "the number of segments must be 1..1,000,000");
    }
    if (out->segment >= out->segment_count) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at,
                          "The Segment parameter is zero-based and must be less than parameter "
                          "TotalSegments: Segment: %u is "
                          "not less than TotalSegments: %u",
                          out->segment, out->segment_count);
    }
    return ST_OK;
}

static st_status request_item_version(st_op *op, st_slice payload, size_t at)
{
    if (payload.size != 1) {
        return request_bad_length(op, ST_FIELD_ITEM_VERSION, at);
    }
    if (payload.data[0] < ST_ITEM_VERSION) {
        return st_fail_at(op, ST_UNSUPPORTED, (int64_t)at,
                          "item frame version %u is older than any", payload.data[0]);
    }
    return ST_OK;
}

static void request_slice(st_slice *to, bool *has, st_slice payload)
{
    *to = payload;
    *has = true;
}

static st_status request_field(st_op *op, uint8_t number, st_slice payload, size_t at,
                               st_request *out)
{
    switch (number) {
    case ST_FIELD_TABLE_NAME:
        request_slice(&out->name, &out->has_name, payload);
        return ST_OK;
    case ST_FIELD_TABLE_ID:
        return request_u32(op, number, payload, at, &out->table_id);
    case ST_FIELD_KEY:
        request_slice(&out->key, &out->has_key, payload);
        return ST_OK;
    case ST_FIELD_ITEM:
        request_slice(&out->item, &out->has_item, payload);
        return ST_OK;
    case ST_FIELD_DURABILITY:
        return request_durability(op, payload, at, out);
    case ST_FIELD_DEADLINE:
        return request_u32(op, number, payload, at, &out->deadline_ms);
    case ST_FIELD_FLAGS:
        return request_flags(op, payload, at, out);
    case ST_FIELD_SCHEMA:
        request_slice(&out->schema, &out->has_schema, payload);
        return ST_OK;
    case ST_FIELD_PARTITION:
        request_slice(&out->partition, &out->has_partition, payload);
        return ST_OK;
    case ST_FIELD_LIMIT:
        return request_limit(op, payload, at, out);
    case ST_FIELD_SORT:
        request_slice(&out->sort, &out->has_sort, payload);
        return ST_OK;
    case ST_FIELD_PAGE_ITEMS:
        ST_TRY(request_u32(op, number, payload, at, &out->page_items));
        return out->page_items > 0 ? ST_OK
                                   : st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at,
                                                "a page holds at least 1 item");
    case ST_FIELD_PAGE_BYTES:
        ST_TRY(request_u32(op, number, payload, at, &out->page_bytes));
        return out->page_bytes > 0 && out->page_bytes <= REQUEST_PAGE_BYTES_MAX
                   ? ST_OK
                   : st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at,
                                "page bytes must be 1..16 MiB");
    case ST_FIELD_START_AFTER:
        request_slice(&out->start_after, &out->has_start_after, payload);
        return ST_OK;
    case ST_FIELD_SEGMENT:
        return request_segment(op, payload, at, out);
    case ST_FIELD_ITEM_VERSION:
        return request_item_version(op, payload, at);
    case ST_FIELD_ENTRY:
        out->entry_count++;
        return ST_OK;
    default:
        return number < ST_FIELD_MUST_UNDERSTAND
                   ? ST_OK
                   : st_fail_at(op, ST_UNSUPPORTED, (int64_t)at,
                                "request field %u of a later version", number);
    }
}

st_status st_table__request(st_op *op, st_slice frame, st_request *out_request)
{
    *out_request = (st_request){.frame = frame, .page_bytes = REQUEST_PAGE_BYTES_DEFAULT};
    st_reader reader = st_reader_of(frame);
    uint8_t version = st_reader_byte(&reader);
    out_request->operation = st_reader_byte(&reader);
    if (reader.failed) {
        return st_fail_at(op, ST_INVALID_ARGUMENT, 0, "the request frame is cut short");
    }
    if (version != ST_FRAME_VERSION) {
        return st_fail_at(op, ST_UNSUPPORTED, 0, "request frame version %u", version);
    }
    uint64_t seen[4] = {0};
    while (st_reader_left(&reader) > 0) {
        size_t at = reader.at;
        uint8_t number = st_reader_byte(&reader);
        st_slice payload = st_reader_slice(&reader, st_reader_u32(&reader));
        if (reader.failed) {
            return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at,
                              "the request frame is cut short at byte %zu", at);
        }
        bool is_twice = seen[number / 64] >> number % 64 & 1;
        if (is_twice && number != ST_FIELD_ENTRY) {
            return st_fail_at(op, ST_INVALID_ARGUMENT, (int64_t)at, "request field %u stands twice",
                              number);
        }
        seen[number / 64] |= (uint64_t)1 << number % 64;
        ST_TRY(request_field(op, number, payload, at, out_request));
    }
    return ST_OK;
}

bool st_table__next_entry(const st_request *request, size_t *at, st_slice *out_entry)
{
    st_reader reader = st_reader_of(request->frame);
    reader.at = *at ? *at : 2;
    while (st_reader_left(&reader) > 0) {
        uint8_t number = st_reader_byte(&reader);
        *out_entry = st_reader_slice(&reader, st_reader_u32(&reader));
        if (number == ST_FIELD_ENTRY) {
            *at = reader.at;
            return true;
        }
    }
    return false;
}

/* ---- schema ----------------------------------------------------------------------------- */

static st_status request_key_part(st_op *op, st_reader *reader, st_key_part *out_part)
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

st_status st_table__schema(st_op *op, st_slice bytes, st_key_schema *out_schema)
{
    *out_schema = (st_key_schema){0};
    st_reader reader = st_reader_of(bytes);
    out_schema->partition_count = st_reader_byte(&reader);
    out_schema->sort_count = st_reader_byte(&reader);
    if (reader.failed || out_schema->partition_count != 1 || out_schema->sort_count > 1) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "a table has one partition key and at most one sort key");
    }
    ST_TRY(request_key_part(op, &reader, &out_schema->partition[0]));
    if (out_schema->sort_count > 0) {
        ST_TRY(request_key_part(op, &reader, &out_schema->sort[0]));
        if (st_slice_equal(out_schema->partition[0].name, out_schema->sort[0].name)) {
            return st_fail(
                op, ST_INVALID_ARGUMENT,
                "Both the Hash Key and the Range Key element in the KeySchema have the same name");
        }
    }
    return st_reader_left(&reader) == 0
               ? ST_OK
               : st_fail(op, ST_INVALID_ARGUMENT, "the schema is longer than its key attributes");
}

/* ---- results ---------------------------------------------------------------------------- */

void st_table__result_begin(st_buf *out, uint8_t operation)
{
    st_buf_byte(out, ST_FRAME_VERSION);
    st_buf_byte(out, operation);
}

void st_table__result_field(st_buf *out, uint8_t number, st_slice payload)
{
    st_buf_byte(out, number);
    st_buf_u32(out, (uint32_t)payload.size);
    st_buf_slice(out, payload);
}

size_t st_table__result_open(st_buf *out, uint8_t number)
{
    st_buf_byte(out, number);
    st_buf_u32(out, 0);
    return out->size;
}

void st_table__result_shut(st_buf *out, size_t place)
{
    if (!out->failed) {
        st_put_u32(out->data + place - 4, (uint32_t)(out->size - place));
    }
}
