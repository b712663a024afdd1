/* What follows from an item: its entries in indexes, its expiry entry, its stream record. They are
 * written by the commit of the item, so that no index is ever behind its table.
 *
 *     index entry   index id · stripe · index key · key of the row without table id and stripe
 *                   -> what the index keeps of the item, as a canonical frame
 *     expiry entry  u32 id · u8 0 · u64 second · key of the row behind its table id -> nothing
 *     stream record u32 id · u32 shard · u64 sequence · u32 index -> docs/formats/catalog.md
 *
 * An index holds the items that have all of its key attributes. Entries are made from the item
 * alone: the old item says what to take away, the new one what to put.
 */
#include "table/table_internal.h"

#include <string.h>

#define INDEX_KEY_HEAD_BYTES 5u /* id and stripe */
#define INDEX_SHARD 0u
#define INDEX_RECORD_VERSION 1
#define INDEX_MICROSECONDS 1000000u

/* ---- preparing -------------------------------------------------------------------------- */

static st_status index_add_part(st_op *op, st_slice name, st_path *paths, uint32_t *count)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (st_slice_equal(paths[i].steps[0].name, name)) {
            return ST_OK;
        }
    }
    return st_path_of_name(op, name, &paths[(*count)++]);
}

static st_status index_add_schema(st_op *op, const st_key_schema *schema, st_path *paths,
                                  uint32_t *count)
{
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        ST_TRY(index_add_part(op, schema->partition[i].name, paths, count));
    }
    for (uint32_t i = 0; i < schema->sort_count; i++) {
        ST_TRY(index_add_part(op, schema->sort[i].name, paths, count));
    }
    return ST_OK;
}

/* The key attributes of the table, those of the index (which may be NULL), and what it includes. */
static st_status index_parts_of(st_op *op, const st_table *table, const st_index *index,
                                const st_projection **out_parts)
{
    uint32_t most = 4 * ST_KEY_PARTS_MAX + (index ? index->include_count : 0), count = 0;
    st_path *paths = st_arena_alloc(&op->arena, most * sizeof *paths);
    st_projection *parts;
    if (!paths) {
        return st_fail_memory(op, most * sizeof *paths);
    }
    ST_TRY(index_add_schema(op, &table->schema, paths, &count));
    if (index) {
        ST_TRY(index_add_schema(op, &index->schema, paths, &count));
    }
    for (uint32_t i = 0; index && i < index->include_count; i++) {
        ST_TRY(index_add_part(op, index->include[i], paths, &count));
    }
    ST_TRY(st_projection_of_paths(op, paths, count, &parts));
    *out_parts = parts;
    return ST_OK;
}

st_status st_table__prepare(st_op *op, st_table *table)
{
    uint32_t count = table->definition.index_count;
    table->index_parts = st_arena_alloc(&op->arena, (count + 1) * sizeof *table->index_parts);
    if (!table->index_parts) {
        return st_fail_memory(op, (count + 1) * sizeof *table->index_parts);
    }
    ST_TRY(index_parts_of(op, table, NULL, &table->keys));
    for (uint32_t i = 0; i < count; i++) {
        const st_index *index = &table->definition.indexes[i];
        table->index_parts[i] = NULL;
        if (index->projection != ST_PROJECT_ALL) {
            ST_TRY(index_parts_of(op, table, index, &table->index_parts[i]));
        }
    }
    return ST_OK;
}

const st_index *st_table__index(const st_table *table, st_slice name)
{
    for (uint32_t i = 0; i < table->definition.index_count; i++) {
        if (st_slice_equal(table->definition.indexes[i].name, name)) {
            return &table->definition.indexes[i];
        }
    }
    return NULL;
}

/* ---- entries ---------------------------------------------------------------------------- */

st_status st_table__entry_key(st_op *op, const st_table *table, const st_index *index,
                              st_slice frame, st_buf *out_key)
{
    if (!index) {
        return st_key_of_item(op, table->id, &table->schema, frame, out_key);
    }
    st_buf row;
    st_buf_init(&row, op->alloc);
    st_status status = st_key_of_item(op, index->id, &index->schema, frame, out_key);
    if (status == ST_OK) {
        status = st_key_of_item(op, table->id, &table->schema, frame, &row);
    }
    if (status == ST_OK) {
        st_buf_append(out_key, row.data + INDEX_KEY_HEAD_BYTES, row.size - INDEX_KEY_HEAD_BYTES);
        status = st_buf_check(op, out_key);
    }
    st_buf_deinit(&row);
    return status;
}

bool st_table__is_indexed(const st_index *index, st_slice frame)
{
    return frame.size > 0 && st_key_has_all(&index->schema, frame);
}

st_status st_table__index_item(st_op *op, const st_table *table, const st_index *index,
                               st_slice frame, st_buf *out_frame)
{
    const st_projection *parts = table->index_parts[index - table->definition.indexes];
    if (parts) {
        return st_projection_apply(op, parts, frame, out_frame);
    }
    st_buf_slice(out_frame, frame);
    return st_buf_check(op, out_frame);
}

/* ---- what an index can hold ------------------------------------------------------------- */

static st_status index_check_part(st_op *op, const st_index *index, const st_key_part *part,
                                  const st_value *value, bool is_update)
{
    if (value->type != part->type) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Type mismatch for Index Key "
                       "%.*s Expected: %s Actual: %s IndexName: %.*s",
                       (int)part->name.size, (const char *)part->name.data,
                       st_type_name(part->type), st_type_name(value->type), (int)index->name.size,
                       (const char *)index->name.data);
    }
    if (value->type == ST_TYPE_N || value->bytes.size > 0) {
        return ST_OK;
    }
    const char *what = value->type == ST_TYPE_S ? "string" : "binary";
    if (is_update) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "One or more parameter values are not valid. The update expression "
                       "attempted to update a secondary index key to a value that is not "
                       "supported. The AttributeValue for a key attribute cannot contain an empty "
                       "%s value.",
                       what);
    }
    return st_fail(op, ST_INVALID_ARGUMENT,
                   "One or more parameter values are not valid. A value specified for a secondary "
                   "index key is not supported. The AttributeValue for a key attribute cannot "
                   "contain an empty %s value. IndexName: %.*s, IndexKey: %.*s",
                   what, (int)index->name.size, (const char *)index->name.data,
                   (int)part->name.size, (const char *)part->name.data);
}

static const st_key_part *index_part_at(const st_key_schema *schema, uint32_t i)
{
    return i < schema->partition_count ? &schema->partition[i]
                                       : &schema->sort[i - schema->partition_count];
}

static bool index_is_key_of(const st_key_schema *schema, st_slice name)
{
    for (uint32_t i = 0; i < schema->partition_count + schema->sort_count; i++) {
        if (st_slice_equal(index_part_at(schema, i)->name, name)) {
            return true;
        }
    }
    return false;
}

static st_status index_check_size(st_op *op, const st_index *index, st_slice frame)
{
    const st_key_schema *schema = &index->schema;
    size_t partition = 0, sort = 0;
    st_value value;
    for (uint32_t i = 0; i < schema->partition_count + schema->sort_count; i++) {
        (void)st_item_find(frame, index_part_at(schema, i)->name, &value);
        *(i < schema->partition_count ? &partition : &sort) += st_value_size(&value);
    }
    if (partition > ST_KEY_PARTITION_BYTES_MAX) {
        return st_fail(
            op, ST_INVALID_ARGUMENT,
            "One or more parameter values were invalid: Size of hashkey has exceeded the "
            "maximum size limit of2048 bytes");
    }
    if (sort > ST_KEY_SORT_BYTES_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "One or more parameter values were invalid: Aggregated size of all range "
                       "keys has exceeded the size limit of 1024 bytes");
    }
    return ST_OK;
}

static st_status index_check_item(st_op *op, const st_table *table, const st_index *index,
                                  st_slice frame, st_slice old, bool is_update)
{
    const st_key_schema *schema = &index->schema;
    for (uint32_t i = 0; i < schema->partition_count + schema->sort_count; i++) {
        const st_key_part *part = index_part_at(schema, i);
        st_value value, before = {0};
        if (index_is_key_of(&table->schema, part->name) ||
            !st_item_find(frame, part->name, &value)) {
            continue;
        }
        bool is_kept = is_update && st_item_find(old, part->name, &before) &&
                       st_slice_equal(before.encoded, value.encoded);
        if (!is_kept) {
            ST_TRY(index_check_part(op, index, part, &value, is_update));
        }
    }
    return st_table__is_indexed(index, frame) ? index_check_size(op, index, frame) : ST_OK;
}

/* The index behind the one before in the order of names; NULL: no more. */
static const st_index *index_next_by_name(const st_table *table, const st_index *before)
{
    const st_index *next = NULL;
    for (uint32_t i = 0; i < table->definition.index_count; i++) {
        const st_index *index = &table->definition.indexes[i];
        if ((!before || st_slice_compare(index->name, before->name) > 0) &&
            (!next || st_slice_compare(index->name, next->name) < 0)) {
            next = index;
        }
    }
    return next;
}

st_status st_table__check_index_keys(st_op *op, const st_table *table, st_slice frame, st_slice old,
                                     bool is_update)
{
    const st_index *index = NULL;
    while ((index = index_next_by_name(table, index)) != NULL) {
        ST_TRY(index_check_item(op, table, index, frame, old, is_update));
    }
    return ST_OK;
}

/* ---- expiry ----------------------------------------------------------------------------- */

bool st_table__expiry(const st_table *table, st_slice frame, uint64_t *out_us)
{
    st_value value;
    st_number number;
    uint64_t seconds = 0;
    if (table->definition.ttl.size == 0 || frame.size == 0 ||
        !st_item_find(frame, table->definition.ttl, &value) || value.type != ST_TYPE_N ||
        !st_number_decode(value.bytes, &number) || number.is_negative || number.exponent > 12 ||
        number.digit_count > number.exponent + 1) {
        return false;
    }
    for (int i = 0; i <= number.exponent; i++) {
        seconds = seconds * 10 + (i < number.digit_count ? number.digits[i] : 0);
    }
    *out_us = seconds * INDEX_MICROSECONDS;
    return seconds > 0;
}

st_status st_table__expiry_key(st_op *op, const st_table *table, uint64_t expiry_us, st_slice frame,
                               st_buf *out_key)
{
    uint8_t head[13] = {0};
    st_put_be32(head, table->definition.ttl_id);
    st_put_be64(head + 5, expiry_us);
    st_buf row;
    st_buf_init(&row, op->alloc);
    st_status status = st_key_of_item(op, table->id, &table->schema, frame, &row);
    if (status == ST_OK) {
        st_buf_append(out_key, head, sizeof head);
        st_buf_append(out_key, row.data + 4, row.size - 4);
        status = st_buf_check(op, out_key);
    }
    st_buf_deinit(&row);
    return status;
}

static st_status index_follow_expiry(st_op *op, const st_table_change *change, st_lsm_batch *batch)
{
    uint64_t old_us = 0, new_us = 0;
    bool had = st_table__expiry(change->table, change->old_item, &old_us);
    bool has = st_table__expiry(change->table, change->new_item, &new_us);
    if (had == has && old_us == new_us) {
        return ST_OK;
    }
    st_buf key;
    st_buf_init(&key, op->alloc);
    st_status status = ST_OK;
    if (had) {
        status = st_table__expiry_key(op, change->table, old_us, change->old_item, &key);
        if (status == ST_OK) {
            st_lsm_batch_delete(batch, st_buf_view(&key));
        }
    }
    st_buf_clear(&key);
    if (status == ST_OK && has) {
        status = st_table__expiry_key(op, change->table, new_us, change->new_item, &key);
        if (status == ST_OK) {
            st_lsm_batch_put(batch, st_buf_view(&key), (st_slice){0});
        }
    }
    st_buf_deinit(&key);
    return status;
}

/* ---- streams ---------------------------------------------------------------------------- */

static void index_put_image(st_slice frame, st_buf *out)
{
    st_buf_u32(out, (uint32_t)frame.size);
    st_buf_slice(out, frame);
}

static st_status index_record(st_op *op, const st_table_change *change, uint64_t time_us,
                              st_buf *out)
{
    uint8_t view = change->table->definition.stream_view;
    bool has_old = change->old_item.size > 0 &&
                   (view == ST_STREAM_OLD_IMAGE || view == ST_STREAM_NEW_AND_OLD_IMAGES);
    bool has_new = change->new_item.size > 0 &&
                   (view == ST_STREAM_NEW_IMAGE || view == ST_STREAM_NEW_AND_OLD_IMAGES);
    uint8_t event = change->old_item.size == 0   ? ST_EVENT_INSERT
                    : change->new_item.size == 0 ? ST_EVENT_REMOVE
                                                 : ST_EVENT_MODIFY;
    st_buf_byte(out, INDEX_RECORD_VERSION);
    st_buf_byte(out, event);
    st_buf_byte(out, (uint8_t)(change->is_expiry | has_old << 1 | has_new << 2));
    st_buf_u64(out, time_us);
    size_t place = out->size;
    st_buf_u32(out, 0);
    st_slice item = change->new_item.size > 0 ? change->new_item : change->old_item;
    ST_TRY(st_projection_apply(op, change->table->keys, item, out));
    ST_TRY(st_buf_check(op, out));
    st_put_u32(out->data + place, (uint32_t)(out->size - place - 4));
    if (has_old) {
        index_put_image(change->old_item, out);
    }
    if (has_new) {
        index_put_image(change->new_item, out);
    }
    return st_buf_check(op, out);
}

static st_status index_follow_stream(st_op *op, const st_table_change *change, uint64_t time_us,
                                     uint32_t number, st_lsm_batch *batch)
{
    uint8_t key[20] = {0};
    st_buf record;
    st_buf_init(&record, op->alloc);
    st_put_be32(key, change->table->definition.stream_id);
    st_put_be32(key + 4, INDEX_SHARD);
    st_put_be32(key + 16, number);
    st_status status = index_record(op, change, time_us, &record);
    if (status == ST_OK) {
        st_lsm_batch_put_stamped(batch, st_slice_of(key, sizeof key), 8, st_buf_view(&record));
    }
    st_buf_deinit(&record);
    return status;
}

/* ---- one change ------------------------------------------------------------------------- */

typedef struct index_entry {
    bool exists;
    st_buf key, item;
} index_entry;

static st_status index_entry_of(st_op *op, const st_table *table, const st_index *index,
                                st_slice frame, index_entry *entry)
{
    entry->exists = st_table__is_indexed(index, frame);
    if (!entry->exists) {
        return ST_OK;
    }
    ST_TRY(st_table__entry_key(op, table, index, frame, &entry->key));
    return st_table__index_item(op, table, index, frame, &entry->item);
}

static uint64_t index_halves(const index_entry *before, const index_entry *after, bool is_moved)
{
    uint64_t old_halves =
        before->exists ? st_table__write_halves(st_item_size(st_buf_view(&before->item))) : 0;
    uint64_t new_halves =
        after->exists ? st_table__write_halves(st_item_size(st_buf_view(&after->item))) : 0;
    if (is_moved) {
        return old_halves + new_halves;
    }
    return old_halves > new_halves ? old_halves : new_halves;
}

static st_status index_follow(st_op *op, const st_table_change *change, uint32_t number,
                              st_lsm_batch *batch)
{
    const st_index *index = &change->table->definition.indexes[number];
    index_entry before = {.exists = false}, after = {.exists = false};
    st_status status;
    st_buf *bufs[] = {&before.key, &before.item, &after.key, &after.item};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        st_buf_init(bufs[i], op->alloc);
    }
    ST_TRY_OUT(index_entry_of(op, change->table, index, change->old_item, &before));
    ST_TRY_OUT(index_entry_of(op, change->table, index, change->new_item, &after));
    bool both = before.exists && after.exists;
    bool is_same_key = both && st_slice_equal(st_buf_view(&before.key), st_buf_view(&after.key));
    bool is_same_item = both && st_slice_equal(st_buf_view(&before.item), st_buf_view(&after.item));
    if (is_same_key && is_same_item) {
        goto out;
    }
    if (before.exists && !is_same_key) {
        st_lsm_batch_delete(batch, st_buf_view(&before.key));
    }
    if (after.exists) {
        st_lsm_batch_put(batch, st_buf_view(&after.key), st_buf_view(&after.item));
    }
    if (change->index_halves) {
        change->index_halves[number] += index_halves(&before, &after, both && !is_same_key);
    }
out:
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        st_buf_deinit(bufs[i]);
    }
    return status;
}

st_status st_table__follow(st_op *op, const st_table_change *change, uint64_t time_us,
                           uint32_t index, st_lsm_batch *batch)
{
    const st_table *table = change->table;
    /* A row that stays as it is is written again: an earlier write of it may be less durable. */
    if (change->new_item.size > 0) {
        st_lsm_batch_put(batch, change->key, change->new_item);
    } else {
        st_lsm_batch_delete(batch, change->key);
    }
    if (!table->must_read_old || st_slice_equal(change->old_item, change->new_item)) {
        return ST_OK;
    }
    for (uint32_t i = 0; i < table->definition.index_count; i++) {
        ST_TRY(index_follow(op, change, i, batch));
    }
    ST_TRY(index_follow_expiry(op, change, batch));
    return table->definition.stream_view != ST_STREAM_OFF
               ? index_follow_stream(op, change, time_us, index, batch)
               : ST_OK;
}
