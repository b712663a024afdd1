/* ListStreams, DescribeStream, GetShardIterator, GetRecords.
 *
 * A stream has one shard. A sequence number is the commit's sequence times 10,000 and the record's
 * number in it, as 21 digits. An iterator is "table id|stream id|time|sequence|number": the record
 * behind which it reads on.
 */
#include "wire/tables_internal.h"

#include <stdio.h>
#include <string.h>

#define STREAM_INVALID "One or more parameter values were invalid: "
#define STREAM_SHARD "shardId-00000000000000000000-00000001"
#define STREAM_RECORDS_MAX 1000u
#define STREAM_BYTES_MAX ((uint64_t)1 << 20)
#define STREAM_INDEX_MAX 10000u
#define STREAM_ITERATOR_US ((uint64_t)15 * 60 * 1000000)
#define STREAM_RETENTION_US ((uint64_t)24 * 3600 * 1000000)

/* ---- streams by their ARN --------------------------------------------------------------- */

static void stream_put_arn(wire_call *call, const st_table_info *info, st_buf *out)
{
    st_wire__put_arn(call, info->name, out);
    st_wire__put_text(out, "/stream/");
    st_wire__put_label(info->definition.stream_created_us, out);
}

static st_status stream_find(wire_call *call, st_table_info *out_info)
{
    uint32_t node = st_wire__member(call, 0, "StreamArn");
    if (node == 0) {
        st_wire__constraint(
            call,
            "Value null at 'streamArn' failed to satisfy constraint: Member must not be null");
        return st_wire__constraints_end(call);
    }
    st_slice arn = call->doc.nodes[node].text, name = {0};
    if (arn.size < 37) {
        st_wire__constraint(call,
                            "Value '%.*s' at 'streamArn' failed to satisfy constraint: Member must "
                            "have length greater than or equal to 37",
                            (int)arn.size, arn.size ? (const char *)arn.data : "");
        return st_wire__constraints_end(call);
    }
    for (size_t i = 0; i + 7 <= arn.size; i++) {
        if (memcmp(arn.data + i, ":table/", 7) == 0) {
            const uint8_t *from = arn.data + i + 7;
            const uint8_t *slash = memchr(from, '/', (size_t)(arn.data + arn.size - from));
            name = st_slice_of(from, slash ? (size_t)(slash - from) : 0);
        }
    }
    st_buf own;
    st_buf_init(&own, call->op->alloc);
    bool is_it = name.size > 0 &&
                 st_table_describe(call->op, call->database, 0, name, out_info) == ST_OK &&
                 out_info->definition.stream_id != 0;
    if (is_it) {
        stream_put_arn(call, out_info, &own);
        is_it = st_slice_equal(st_buf_view(&own), arn);
    }
    st_buf_deinit(&own);
    if (is_it) {
        return ST_OK;
    }
    st_op_clear(call->op);
    return st_wire__fail(call, "ResourceNotFoundException",
                         "Requested resource not found: Stream: %.*s not found", (int)arn.size,
                         (const char *)arn.data);
}

static void stream_put_sequence(uint64_t sequence, uint32_t index, st_buf *out)
{
    char text[40];
    int bytes = snprintf(text, sizeof text, "\"%017llu%04u\"", (unsigned long long)sequence,
                         index % STREAM_INDEX_MAX);
    st_buf_append(out, text, (size_t)bytes);
}

/* ---- ListStreams ------------------------------------------------------------------------ */

static void stream_put_entry(wire_call *call, const st_table_info *info, bool *is_first)
{
    st_wire__put_comma(call, is_first);
    st_wire__put_text(call->out, "{\"StreamArn\":\"");
    stream_put_arn(call, info, call->out);
    st_wire__put_text(call->out, "\",\"TableName\":");
    st_json_put_string(call->out, info->name);
    st_wire__put_text(call->out, ",\"StreamLabel\":\"");
    st_wire__put_label(info->definition.stream_created_us, call->out);
    st_wire__put_text(call->out, "\"}");
}

st_status st_wire__list_streams(wire_call *call)
{
    st_request request = {.operation = ST_REQUEST_LIST_TABLES};
    st_slice wanted = st_wire__table_name(call, 0), names;
    st_slice start = st_wire__member_text(call, 0, "ExclusiveStartStreamArn");
    int64_t limit = 100;
    bool is_odd, is_first = true, is_behind = start.size == 0;
    st_buf result, last;
    if (st_wire__integer(call, 0, "Limit", &limit, &is_odd) && (limit < 1 || limit > 100)) {
        st_wire__constraint(call,
                            "Value '%lld' at 'limit' failed to satisfy constraint: Member must "
                            "have value %s",
                            (long long)limit,
                            limit < 1 ? "greater than or equal to 1" : "less than or equal to 100");
        return st_wire__constraints_end(call);
    }
    st_buf_init(&result, call->op->alloc);
    st_buf_init(&last, call->op->alloc);
    st_status status = st_table_run(call->op, call->database, &request, &result);
    bool has_names =
        status == ST_OK && st_table_result_find(st_buf_view(&result), ST_RESULT_NAMES, &names);
    st_reader reader = st_reader_of(has_names ? names : (st_slice){0});
    uint32_t count = has_names ? st_reader_u32(&reader) : 0, told = 0;
    bool has_more = false;
    st_wire__put_text(call->out, "{\"Streams\":[");
    for (uint32_t i = 0; i < count && status == ST_OK; i++) {
        st_table_info info;
        st_slice name = st_reader_slice(&reader, st_reader_varint(&reader));
        if (st_table_describe(call->op, call->database, 0, name, &info) != ST_OK) {
            st_op_clear(call->op);
            continue;
        }
        if (info.definition.stream_id == 0 ||
            (wanted.size > 0 && !st_slice_equal(wanted, info.name))) {
            continue;
        }
        if (!is_behind) {
            st_buf_clear(&last);
            stream_put_arn(call, &info, &last);
            is_behind = st_slice_equal(st_buf_view(&last), start);
            continue;
        }
        if (told == (uint32_t)limit) {
            has_more = true;
            break;
        }
        stream_put_entry(call, &info, &is_first);
        st_buf_clear(&last);
        stream_put_arn(call, &info, &last);
        told++;
    }
    st_wire__put_text(call->out, "]");
    if (has_more) {
        st_wire__put_text(call->out, ",\"LastEvaluatedStreamArn\":");
        st_json_put_string(call->out, st_buf_view(&last));
    }
    st_wire__put_text(call->out, "}");
    st_buf_deinit(&result);
    st_buf_deinit(&last);
    return status;
}

/* ---- DescribeStream --------------------------------------------------------------------- */

static void stream_put_keys(wire_call *call, const st_key_schema *schema)
{
    st_wire__put_text(call->out, ",\"KeySchema\":[{\"AttributeName\":");
    st_json_put_string(call->out, schema->partition[0].name);
    st_wire__put_text(call->out, ",\"KeyType\":\"HASH\"}");
    if (schema->sort_count > 0) {
        st_wire__put_text(call->out, ",{\"AttributeName\":");
        st_json_put_string(call->out, schema->sort[0].name);
        st_wire__put_text(call->out, ",\"KeyType\":\"RANGE\"}");
    }
    st_wire__put_text(call->out, "]");
}

st_status st_wire__describe_stream(wire_call *call)
{
    st_table_info info;
    ST_TRY(stream_find(call, &info));
    const st_definition *definition = &info.definition;
    bool is_on = definition->stream_view != ST_STREAM_OFF;
    st_wire__put_text(call->out, "{\"StreamDescription\":{\"StreamArn\":\"");
    stream_put_arn(call, &info, call->out);
    st_wire__put_text(call->out, "\",\"StreamLabel\":\"");
    st_wire__put_label(definition->stream_created_us, call->out);
    st_wire__put_text(call->out, is_on ? "\",\"StreamStatus\":\"ENABLED\",\"StreamViewType\":\""
                                       : "\",\"StreamStatus\":\"DISABLED\",\"StreamViewType\":\"");
    st_wire__put_text(call->out, st_wire__stream_view(is_on ? definition->stream_view
                                                            : ST_STREAM_NEW_AND_OLD_IMAGES));
    st_wire__put_text(call->out, "\",\"CreationRequestDateTime\":");
    st_wire__put_time(call->out, definition->stream_created_us);
    st_wire__put_text(call->out, ",\"TableName\":");
    st_json_put_string(call->out, info.name);
    stream_put_keys(call, &definition->schema);
    st_wire__put_text(call->out, ",\"Shards\":[{\"ShardId\":\"" STREAM_SHARD
                                 "\",\"SequenceNumberRange\":{\"StartingSequenceNumber\":");
    stream_put_sequence(1, 0, call->out);
    if (!is_on) {
        st_wire__put_text(call->out, ",\"EndingSequenceNumber\":");
        stream_put_sequence(st_stream_now(call->database), 0, call->out);
    }
    st_wire__put_text(call->out, "}}]}}");
    return ST_OK;
}

/* ---- GetShardIterator ------------------------------------------------------------------- */

static st_status stream_check_sequence(wire_call *call, st_slice type, st_slice number,
                                       bool has_number, uint64_t *out_sequence, uint32_t *out_index)
{
    bool needs = st_slice_equal(type, st_slice_str("AT_SEQUENCE_NUMBER")) ||
                 st_slice_equal(type, st_slice_str("AFTER_SEQUENCE_NUMBER"));
    *out_sequence = 0;
    *out_index = 0;
    if (needs && !has_number) {
        return st_wire__refuse(call, STREAM_INVALID "SequenceNumber cannot be null");
    }
    if (!needs && has_number) {
        return st_wire__refuse(call, STREAM_INVALID "SequenceNumber should not be passed for this "
                                                    "iterator type");
    }
    if (!needs) {
        return ST_OK;
    }
    uint64_t value = 0;
    bool is_number = number.size == 21;
    for (size_t i = 0; i < number.size && is_number; i++) {
        is_number = number.data[i] >= '0' && number.data[i] <= '9';
        if (i == 17) {
            *out_sequence = value;
            value = 0;
        }
        value = value * 10 + (uint64_t)(number.data[i] - '0');
    }
    *out_index = (uint32_t)value;
    if (!is_number || *out_sequence > st_stream_now(call->database) || *out_sequence == 0) {
        return st_wire__refuse(call, "Invalid SequenceNumber for the shard");
    }
    return ST_OK;
}

static st_status stream_iterator_constraints(wire_call *call)
{
    static const char *const stream_types[] = {"AFTER_SEQUENCE_NUMBER", "LATEST",
                                               "AT_SEQUENCE_NUMBER", "TRIM_HORIZON", NULL};
    uint32_t number = st_wire__member(call, 0, "SequenceNumber");
    if (st_wire__member(call, 0, "ShardId") == 0) {
        st_wire__constraint(
            call, "Value null at 'shardId' failed to satisfy constraint: Member must not be null");
    }
    if (st_wire__member(call, 0, "ShardIteratorType") == 0) {
        st_wire__constraint(call, "Value null at 'shardIteratorType' failed to satisfy constraint: "
                                  "Member must not be null");
    }
    st_wire__check_enum(call, 0, "ShardIteratorType", "shardIteratorType",
                        "AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON",
                        stream_types);
    if (number && call->doc.nodes[number].text.size < 21) {
        st_wire__constraint(call, "Value at 'sequenceNumber' failed to satisfy constraint: Member "
                                  "must have length greater than or equal to 21");
    } else if (number && call->doc.nodes[number].text.size > 40) {
        st_wire__constraint(call, "Value at 'sequenceNumber' failed to satisfy constraint: Member "
                                  "must have length less than or equal to 40");
    }
    return st_wire__constraints_end(call);
}

static void stream_put_iterator(wire_call *call, const st_table_info *info, uint64_t sequence,
                                uint32_t index)
{
    char text[160];
    uint64_t now = st_database_time_us(call->database);
    st_buf arn;
    st_buf_init(&arn, call->op->alloc);
    stream_put_arn(call, info, &arn);
    int bytes =
        snprintf(text, sizeof text, "|1|%u|%u|%llu|%llu|%u", info->id, info->definition.stream_id,
                 (unsigned long long)now, (unsigned long long)sequence, index);
    st_buf_append(&arn, text, (size_t)bytes);
    st_json_put_string(call->out, st_buf_view(&arn));
    st_buf_deinit(&arn);
}

st_status st_wire__shard_iterator(wire_call *call)
{
    st_table_info info;
    uint64_t sequence;
    uint32_t index;
    st_slice type = st_wire__member_text(call, 0, "ShardIteratorType");
    uint32_t number = st_wire__member(call, 0, "SequenceNumber");
    ST_TRY(stream_iterator_constraints(call));
    ST_TRY(stream_find(call, &info));
    if (!st_slice_equal(st_wire__member_text(call, 0, "ShardId"), st_slice_str(STREAM_SHARD))) {
        st_slice shard = st_wire__member_text(call, 0, "ShardId");
        st_slice arn = st_wire__member_text(call, 0, "StreamArn");
        return st_wire__fail(call, "ResourceNotFoundException",
                             "Requested resource not found: Shard: %.*s in Stream: %.*s not found",
                             (int)shard.size, shard.size ? (const char *)shard.data : "",
                             (int)arn.size, (const char *)arn.data);
    }
    ST_TRY(stream_check_sequence(call, type, st_wire__text(&call->doc, number), number != 0,
                                 &sequence, &index));
    if (st_slice_equal(type, st_slice_str("LATEST"))) {
        sequence = st_stream_now(call->database);
        index = UINT32_MAX;
    } else if (st_slice_equal(type, st_slice_str("AT_SEQUENCE_NUMBER"))) {
        sequence -= index == 0;
        index = index == 0 ? UINT32_MAX : index - 1;
    }
    st_wire__put_text(call->out, "{\"ShardIterator\":");
    stream_put_iterator(call, &info, sequence, index);
    st_wire__put_text(call->out, "}");
    return ST_OK;
}

/* ---- GetRecords ------------------------------------------------------------------------- */

typedef struct stream_page {
    wire_call *call;
    const st_table_info *info;
    uint32_t count, most;
    uint64_t bytes, sequence, oldest_us;
    uint32_t index;
} stream_page;

static void stream_put_id(const stream_page *page, const st_stream_record *record, st_buf *out)
{
    uint8_t bytes[24];
    char text[40];
    st_put_u64(bytes, record->sequence);
    st_put_u32(bytes + 8, record->index);
    st_put_u32(bytes + 12, page->info->definition.stream_id);
    st_slice identity = page->info->definition.identity;
    uint64_t first = st_hash64(st_slice_of(bytes, 16), st_hash64(identity, 1));
    uint64_t second = st_hash64(st_slice_of(bytes, 16), st_hash64(identity, 2));
    int size = snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)first,
                        (unsigned long long)second);
    st_buf_append(out, text, (size_t)size);
}

static void stream_put_record(const stream_page *page, const st_stream_record *record)
{
    static const char *const stream_events[] = {"", "INSERT", "MODIFY", "REMOVE"};
    wire_call *call = page->call;
    st_buf *out = call->out;
    uint64_t bytes = st_item_size(record->keys);
    st_wire__put_text(out, page->count > 0 ? ",{\"eventID\":\"" : "{\"eventID\":\"");
    stream_put_id(page, record, out);
    st_wire__put_text(out, "\",\"eventName\":\"");
    st_wire__put_text(out, stream_events[record->event]);
    st_wire__put_text(out, "\",\"eventVersion\":\"1.1\",\"eventSource\":\"aws:dynamodb\","
                           "\"awsRegion\":\"");
    st_wire__put_text(out, call->settings->region);
    st_wire__put_text(out, "\",\"dynamodb\":{\"ApproximateCreationDateTime\":");
    st_wire__put_integer(out, record->time_us / 1000000);
    st_wire__put_text(out, ",\"Keys\":");
    st_wire__put_item(record->keys, true, out);
    if (record->has_new) {
        bytes += st_item_size(record->new_item);
        st_wire__put_text(out, ",\"NewImage\":");
        st_wire__put_item(record->new_item, true, out);
    }
    if (record->has_old) {
        bytes += st_item_size(record->old_item);
        st_wire__put_text(out, ",\"OldImage\":");
        st_wire__put_item(record->old_item, true, out);
    }
    st_wire__put_text(out, ",\"SequenceNumber\":");
    stream_put_sequence(record->sequence, record->index, out);
    st_wire__put_text(out, ",\"SizeBytes\":");
    st_wire__put_integer(out, bytes);
    st_wire__put_text(out, ",\"StreamViewType\":\"");
    uint8_t view = page->info->definition.stream_view;
    st_wire__put_text(out, st_wire__stream_view(view ? view : ST_STREAM_NEW_AND_OLD_IMAGES));
    st_wire__put_text(out, "\"}");
    if (record->is_expiry) {
        st_wire__put_text(out, ",\"userIdentity\":{\"Type\":\"Service\",\"PrincipalId\":"
                               "\"dynamodb.amazonaws.com\"}");
    }
    st_wire__put_text(out, "}");
}

static st_status stream_visit(void *ctx, const st_stream_record *record, bool *out_is_enough)
{
    stream_page *page = ctx;
    page->sequence = record->sequence;
    page->index = record->index;
    if (record->time_us < page->oldest_us) {
        return ST_OK; /* trimmed */
    }
    stream_put_record(page, record);
    page->count++;
    page->bytes += record->keys.size + record->old_item.size + record->new_item.size;
    *out_is_enough = page->count == page->most || page->bytes >= STREAM_BYTES_MAX;
    return ST_OK;
}

static bool stream_parse_iterator(st_slice text, uint64_t parts[6])
{
    char copy[512];
    size_t begin = 0;
    for (size_t i = 0; i < text.size; i++) {
        begin = text.data[i] == '|' && begin == 0 ? i : begin;
    }
    if (begin == 0 || text.size - begin >= sizeof copy) {
        return false;
    }
    memcpy(copy, text.data + begin, text.size - begin);
    copy[text.size - begin] = '\0';
    unsigned long long values[6];
    if (sscanf(copy, "|%llu|%llu|%llu|%llu|%llu|%llu", &values[0], &values[1], &values[2],
               &values[3], &values[4], &values[5]) != 6) {
        return false;
    }
    for (int i = 0; i < 6; i++) {
        parts[i] = values[i];
    }
    return parts[0] == 1;
}

st_status st_wire__get_records(wire_call *call)
{
    uint32_t node = st_wire__member(call, 0, "ShardIterator");
    uint64_t parts[6];
    int64_t limit = STREAM_RECORDS_MAX;
    bool is_odd;
    st_table_info info;
    if (node == 0) {
        st_wire__constraint(
            call,
            "Value null at 'shardIterator' failed to satisfy constraint: Member must not be null");
    }
    if (st_wire__integer(call, 0, "Limit", &limit, &is_odd) &&
        (limit < 1 || limit > STREAM_RECORDS_MAX)) {
        st_wire__constraint(call,
                            "Value '%lld' at 'limit' failed to satisfy constraint: Member must "
                            "have value %s",
                            (long long)limit,
                            limit < 1 ? "greater than or equal to 1"
                                      : "less than or equal to 1000");
    }
    ST_TRY(st_wire__constraints_end(call));
    if (!stream_parse_iterator(call->doc.nodes[node].text, parts)) {
        return st_wire__refuse(call, "Invalid ShardIterator");
    }
    uint64_t now = st_database_time_us(call->database);
    if (now > parts[3] + STREAM_ITERATOR_US) {
        return st_wire__fail(
            call, "ExpiredIteratorException",
            "Iterator expired. The iterator was created more than 15 minutes ago.");
    }
    if (st_table_describe(call->op, call->database, (uint32_t)parts[1], (st_slice){0}, &info) !=
            ST_OK ||
        info.definition.stream_id != parts[2]) {
        st_op_clear(call->op);
        return st_wire__fail(call, "ResourceNotFoundException",
                             "Requested resource not found: Stream not found");
    }
    stream_page page = {.call = call,
                        .info = &info,
                        .most = (uint32_t)limit,
                        .sequence = parts[4],
                        .index = (uint32_t)parts[5],
                        .oldest_us = now > STREAM_RETENTION_US ? now - STREAM_RETENTION_US : 0};
    st_wire__put_text(call->out, "{\"Records\":[");
    ST_TRY(st_stream_read(call->op, call->database, info.definition.stream_id, parts[4],
                          (uint32_t)parts[5], stream_visit, &page));
    st_wire__put_text(call->out, "]");
    if (info.definition.stream_view != ST_STREAM_OFF || page.count > 0) {
        st_wire__put_text(call->out, ",\"NextShardIterator\":");
        stream_put_iterator(call, &info, page.sequence, page.index);
    }
    st_wire__put_text(call->out, "}");
    return ST_OK;
}
