/* Reading streams, and what else is read of a table besides its items: what it is, how much it
 * holds.
 *
 * A record is written by the commit of its item (index.c). Its place is the commit's sequence and
 * its number in the commit, so that records lie in the order of commits, and one is there as soon
 * as its item is. docs/formats/catalog.md.
 */
#include "table/table_internal.h"

#include <string.h>

#define STREAM_KEY_BYTES 20u
#define STREAM_RECORD_VERSION 1

/* ---- records ---------------------------------------------------------------------------- */

static st_slice stream_image(st_reader *reader)
{
    return st_reader_slice(reader, st_reader_u32(reader));
}

static st_status stream_decode(st_op *op, st_slice key, st_slice value, st_stream_record *out)
{
    *out = (st_stream_record){0};
    st_reader reader = st_reader_of(value);
    uint8_t version = st_reader_byte(&reader);
    out->event = st_reader_byte(&reader);
    uint8_t flags = st_reader_byte(&reader);
    out->time_us = st_reader_u64(&reader);
    out->keys = stream_image(&reader);
    out->is_expiry = flags & 1;
    out->has_old = flags & 2;
    out->has_new = flags & 4;
    if (out->has_old) {
        out->old_item = stream_image(&reader);
    }
    if (out->has_new) {
        out->new_item = stream_image(&reader);
    }
    if (reader.failed || key.size != STREAM_KEY_BYTES || version != STREAM_RECORD_VERSION ||
        out->event < ST_EVENT_INSERT || out->event > ST_EVENT_REMOVE) {
        return st_fail(op, ST_CORRUPT, "a record of a stream is malformed");
    }
    out->sequence = st_get_be64(key.data + 8);
    out->index = st_get_be32(key.data + 16);
    return ST_OK;
}

st_status st_stream_read(st_op *op, st_database *database, uint32_t stream_id, uint64_t sequence,
                         uint32_t index, st_stream_visit visit, void *ctx)
{
    uint8_t from[STREAM_KEY_BYTES + 1] = {0}, to[4];
    st_put_be32(from, stream_id);
    st_put_be64(from + 8, sequence);
    st_put_be32(from + 16, index);
    st_put_be32(to, stream_id + 1);
    st_lsm_range range = {.from = st_slice_of(from, sizeof from), .to = st_slice_of(to, 4)};
    st_lsm_cursor *cursor;
    bool valid = true, is_enough = false;
    st_slice key, value;
    st_stream_record record;
    ST_TRY(st_lsm_cursor_open(op, database->lsm, &range, &cursor));
    st_status status = ST_OK;
    while (status == ST_OK && !is_enough) {
        status = st_lsm_cursor_next(op, cursor, &valid, &key, &value);
        if (status != ST_OK || !valid) {
            break;
        }
        status = stream_decode(op, key, value, &record);
        status = status == ST_OK ? visit(ctx, &record, &is_enough) : status;
    }
    st_lsm_cursor_close(cursor);
    return status;
}

uint64_t st_stream_now(st_database *database)
{
    return st_lsm_published(database->lsm);
}

/* ---- tables ----------------------------------------------------------------------------- */

st_status st_table_describe(st_op *op, st_database *database, uint32_t id, st_slice name,
                            st_table_info *out_info)
{
    *out_info = (st_table_info){0};
    st_table *table;
    uint8_t *copy = NULL;
    uint32_t ticket = st_table__gate_enter(&database->catalog.lookups);
    st_status status = st_table__find(op, database, id, name, &table);
    if (status == ST_OK) {
        size_t bytes = table->name.size + table->definition_bytes.size;
        copy = st_arena_alloc(&op->arena, bytes);
        if (copy) {
            memcpy(copy, table->name.data, table->name.size);
            memcpy(copy + table->name.size, table->definition_bytes.data,
                   table->definition_bytes.size);
            out_info->id = table->id;
            out_info->created_us = table->created_us;
            out_info->name = st_slice_of(copy, table->name.size);
            out_info->definition_bytes =
                st_slice_of(copy + table->name.size, table->definition_bytes.size);
        } else {
            status = st_fail_memory(op, bytes);
        }
    }
    st_table__gate_leave(&database->catalog.lookups, ticket);
    return status == ST_OK
               ? st_definition_decode(op, out_info->definition_bytes, &out_info->definition)
               : status;
}

st_status st_table_measure(st_op *op, st_database *database, uint32_t id, uint64_t *out_items,
                           uint64_t *out_bytes)
{
    uint8_t from[4], to[4];
    st_put_be32(from, id);
    st_put_be32(to, id + 1);
    st_lsm_range range = {.from = st_slice_of(from, 4), .to = st_slice_of(to, 4)};
    st_lsm_cursor *cursor;
    bool valid = true;
    st_slice key, value;
    *out_items = *out_bytes = 0;
    ST_TRY(st_lsm_cursor_open(op, database->lsm, &range, &cursor));
    st_status status = ST_OK;
    while (status == ST_OK && valid) {
        status = st_lsm_cursor_next(op, cursor, &valid, &key, &value);
        if (status == ST_OK && valid) {
            *out_items += 1;
            *out_bytes += st_item_size(value);
        }
    }
    st_lsm_cursor_close(cursor);
    return status;
}
