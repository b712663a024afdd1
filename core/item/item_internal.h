/* What the files of item share. */
#ifndef STATOR_ITEM_ITEM_INTERNAL_H
#define STATOR_ITEM_ITEM_INTERNAL_H

#include "item/item.h"

#define ST_ITEM__HEAD_BYTES 6u /* of a canonical frame: version, flags, count */

/* How much of text fits a message as "%.*s": whole UTF-8 characters before the first byte that is
 * none, at most most bytes. text.data may be NULL; st_item__text makes it printable. */
int st_item__shown(st_slice text, size_t most);
const char *st_item__text(st_slice text);

/* The number of an N value, as text or in ordered form; a malformed form is INVALID_ARGUMENT. */
st_status st_item__number_of(st_op *op, const st_value *value, st_number *out_number) ST_MUST_USE;
/* Refuses in DynamoDB's words what no number may be. exponent: of the first digit. */
st_status st_item__number_limits(st_op *op, size_t digit_count, int64_t exponent) ST_MUST_USE;

/* Appends varint bytes · bytes. */
void st_item__put_bytes(st_buf *out, st_slice bytes);
/* Appends tag and an empty head of a container and returns where its members begin; put_end fills
 * the head in. */
size_t st_item__put_begin(st_buf *out, uint8_t tag);
void st_item__put_end(st_buf *out, size_t begin, uint32_t count);

/* ---- keys: shared by key.c and range.c -------------------------------------------------- */

/* DynamoDB's measure of the partition or the sort components of a key, as they are appended. */
typedef struct st_key__part_size {
    bool is_partition;
    size_t bytes;
} st_key__part_size;

/* Appends table id and an empty stripe. */
void st_key__begin(uint32_t table_id, st_buf *out);
/* The stripe of a key that begins at begin and holds its partition components, nothing more. */
void st_key__set_stripe(st_buf *out, size_t begin);
/* Appends one component; is_open leaves out the end, for prefixes. */
st_status st_key__append(st_op *op, const st_key_part *part, const st_value *value,
                         st_key__part_size *size, bool is_open, st_buf *out) ST_MUST_USE;

#endif
