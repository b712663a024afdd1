/* item: attribute values, numbers, keys and their byte forms. Knows nothing of files or tables.
 *
 * Two byte forms (docs/formats/item.md): *relaxed* values come from callers in any order with
 * numbers as text, *canonical* item frames are what is stored and returned: sorted, checked, equal
 * items have equal bytes. st_item_canonicalize is the one way from the first to the second. Keys
 * are a third form, ordered by memcmp (docs/formats/key.md).
 *
 * All functions are pure; they may be called from any thread.
 */
#ifndef STATOR_ITEM_ITEM_H
#define STATOR_ITEM_ITEM_H

#include "base/base.h"

/* ---- types ------------------------------------------------------------------------------ */

typedef enum st_type {
    ST_TYPE_NONE = 0,
    ST_TYPE_S = 1,
    ST_TYPE_N = 2,
    ST_TYPE_B = 3,
    ST_TYPE_BOOL = 4,
    ST_TYPE_NULL = 5,
    ST_TYPE_SS = 6,
    ST_TYPE_NS = 7,
    ST_TYPE_BS = 8,
    ST_TYPE_L = 9,
    ST_TYPE_M = 10,
} st_type;

/* The first byte of an encoded value. */
enum {
    ST_TAG_S = 1,
    ST_TAG_N = 2,
    ST_TAG_B = 3,
    ST_TAG_FALSE = 4,
    ST_TAG_TRUE = 5,
    ST_TAG_NULL = 6,
    ST_TAG_SS = 7,
    ST_TAG_NS = 8,
    ST_TAG_BS = 9,
    ST_TAG_L = 10,
    ST_TAG_M = 11,
    ST_TAG_NUMBER_TEXT = 0x12, /* requests only: N as decimal text */
    ST_TAG_NS_TEXT = 0x18,     /* requests only: NS of decimal texts */
};

#define ST_ITEM_VERSION 1
#define ST_ITEM_BYTES_MAX 409600u /* DynamoDB's measure: st_item_size */
#define ST_ITEM_NESTING_MAX 31u   /* containers inside each other below the item */
#define ST_ITEM_NAME_BYTES_MAX 65535u
#define ST_KEY_NAME_BYTES_MAX 255u
#define ST_KEY_PARTITION_BYTES_MAX 2048u
#define ST_KEY_SORT_BYTES_MAX 1024u

const char *st_type_name(st_type type); /* "S", "NS", ... */
st_type st_type_of_name(st_slice name); /* ST_TYPE_NONE when unknown */

/* ---- numbers ---------------------------------------------------------------------------- */

#define ST_NUMBER_DIGITS_MAX 38
#define ST_NUMBER_BYTES_MAX 22
#define ST_NUMBER_TEXT_MAX 192 /* with a terminating NUL */

/* digits[0] . digits[1] ... x 10^exponent; no zeros at either end; digit_count 0 is zero. */
typedef struct st_number {
    bool is_negative;
    int16_t exponent;
    uint8_t digit_count;
    uint8_t digits[ST_NUMBER_DIGITS_MAX];
} st_number;

/* INVALID_ARGUMENT with DynamoDB's texts: not a number, more than 38 digits, overflow, underflow.
 */
st_status st_number_parse(st_op *op, st_slice text, st_number *out_number) ST_MUST_USE;
size_t st_number_encode(const st_number *number,
                        uint8_t to[ST_NUMBER_BYTES_MAX]); /* the ordered form */
bool st_number_decode(st_slice form,
                      st_number *out_number); /* false when it is not exactly one ordered form */
size_t st_number_form_bytes(
    st_slice bytes); /* length of the ordered form that bytes begin with, 0: none */
size_t st_number_text(const st_number *number,
                      char to[ST_NUMBER_TEXT_MAX]); /* plain decimal, NUL behind it */
size_t st_number_size(const st_number *number);     /* DynamoDB's size */

/* ---- items ------------------------------------------------------------------------------ */

/* Appends the canonical frame of a relaxed M value, which must fill all of relaxed; everything is
 * checked. */
st_status st_item_canonicalize(st_op *op, st_slice relaxed, st_buf *out_frame) ST_MUST_USE;
/* Checks a canonical frame that comes from disk, completely. CORRUPT with the position in it. */
st_status st_item_validate(st_op *op, st_slice frame) ST_MUST_USE;
size_t st_item_size(st_slice frame); /* DynamoDB's size of a valid frame */

/* A value inside a frame (or inside a relaxed value). */
typedef struct st_value {
    st_type type;     /* ST_TYPE_NONE: absent */
    st_slice encoded; /* tag and payload */
    st_slice bytes; /* S, B: content; N: ordered form (or text, is_text); containers: the members */
    uint32_t count; /* members of a container */
    bool boolean;
    bool is_text; /* relaxed N or NS: decimal text */
} st_value;

/* Reads one value at the reader; false when it is malformed. Members of containers are not looked
 * at. */
bool st_value_read(st_reader *reader, st_value *out_value);
uint32_t st_item_count(st_slice frame); /* attributes */
/* Attribute by index 0..count-1, in name order; false past the end or when malformed. */
bool st_item_at(st_slice frame, uint32_t index, st_slice *out_name, st_value *out_value);
bool st_item_find(st_slice frame, st_slice name, st_value *out_value);

/* Walks the members of a container value, in order. Set members come as values of type S, N or B.
 */
typedef struct st_members {
    st_reader reader;
    st_type type;
    uint32_t left;
    bool is_text;
} st_members;

st_members st_members_of(const st_value *container);
bool st_members_next(st_members *members, st_slice *out_name,
                     st_value *out_value); /* name: maps only */

/* Appends as one relaxed M value what the attributes of a canonical frame are. */
void st_item_to_relaxed(st_slice frame, st_buf *out_relaxed);

/* ---- keys ------------------------------------------------------------------------------- */

#define ST_KEY_PARTS_MAX 4

typedef struct st_key_part {
    st_slice name;
    st_type type; /* S, N or B */
} st_key_part;

/* Tables have one partition and at most one sort attribute; indexes up to four of each. */
typedef struct st_key_schema {
    uint32_t partition_count, sort_count;
    st_key_part partition[ST_KEY_PARTS_MAX], sort[ST_KEY_PARTS_MAX];
} st_key_schema;

/* Appends table id, stripe and components of the item in a canonical frame. Missing attributes,
 * wrong types and sizes are INVALID_ARGUMENT with DynamoDB's texts. */
st_status st_key_of_item(st_op *op, uint32_t table_id, const st_key_schema *schema, st_slice frame,
                         st_buf *out_key) ST_MUST_USE;
/* The same from a relaxed M value with exactly the key attributes. */
st_status st_key_of_request(st_op *op, uint32_t table_id, const st_key_schema *schema,
                            st_slice relaxed, st_buf *out_key) ST_MUST_USE;

typedef enum st_key_condition {
    ST_KEY_ALL = 0,
    ST_KEY_EQUAL = 1,
    ST_KEY_LESS = 2,
    ST_KEY_AT_MOST = 3,
    ST_KEY_GREATER = 4,
    ST_KEY_AT_LEAST = 5,
    ST_KEY_BETWEEN = 6,
    ST_KEY_BEGINS_WITH = 7,
} st_key_condition;

/* The half-open range of keys of one partition (a relaxed value) whose sort key meets the
 * condition. Values are relaxed; second only for BETWEEN. An empty out_to cannot happen. Reversed
 * bounds of BETWEEN are INVALID_ARGUMENT. */
st_status st_key_range(st_op *op, uint32_t table_id, const st_key_schema *schema,
                       const st_value *partition, st_key_condition condition, const st_value *first,
                       const st_value *second, st_buf *out_from, st_buf *out_to) ST_MUST_USE;
/* The half-open range of a whole table, or of scan segment of segment_count: stripes [256 s / n,
 * 256 (s + 1) / n). An empty segment has from == to. */
void st_key_segment(uint32_t table_id, uint32_t segment, uint32_t segment_count, st_buf *out_from,
                    st_buf *out_to);
/* True when key is a whole key of this table and schema, stripe included. */
bool st_key_is_valid(st_slice key, uint32_t table_id, const st_key_schema *schema);

/* ---- JSON ------------------------------------------------------------------------------- */

/* Parses one JSON object and appends a relaxed M value. INVALID_ARGUMENT with the position in the
 * text. */
st_status st_item_from_plain_json(st_op *op, st_slice json, st_buf *out_relaxed) ST_MUST_USE;
st_status st_item_from_dynamodb_json(st_op *op, st_slice json, st_buf *out_relaxed) ST_MUST_USE;
/* Appends one line of JSON without a line end from a canonical frame. */
st_status st_item_to_plain_json(st_op *op, st_slice frame, st_buf *out_json) ST_MUST_USE;
st_status st_item_to_dynamodb_json(st_op *op, st_slice frame, st_buf *out_json) ST_MUST_USE;

#endif
