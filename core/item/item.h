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
#define ST_NUMBER_BYTES_MAX 22 /* of the ordered form */
#define ST_NUMBER_TEXT_MAX 192 /* with a terminating NUL */
#define ST_NUMBER_EXPONENT_MIN (-130)
#define ST_NUMBER_EXPONENT_MAX 125

/* digits[0] . digits[1] ... x 10^exponent; no zeros at either end; digit_count 0 is zero. */
typedef struct st_number {
    bool is_negative;
    int16_t exponent;
    uint8_t digit_count;
    uint8_t digits[ST_NUMBER_DIGITS_MAX];
} st_number;

/* INVALID_ARGUMENT with DynamoDB's texts: no number, more than 38 digits, overflow, underflow. */
st_status st_number_parse(st_op *op, st_slice text, st_number *out_number) ST_MUST_USE;
/* The ordered form; returns its length. */
size_t st_number_encode(const st_number *number, uint8_t to[ST_NUMBER_BYTES_MAX]);
/* false when form is not exactly one ordered form */
bool st_number_decode(st_slice form, st_number *out_number);
/* Length of the ordered form that bytes begin with; 0: none. */
size_t st_number_form_bytes(st_slice bytes);
/* Plain decimal as DynamoDB prints it, NUL behind it; returns its length. */
size_t st_number_text(const st_number *number, char to[ST_NUMBER_TEXT_MAX]);
size_t st_number_size(const st_number *number);                /* DynamoDB's size */
int st_number_compare(const st_number *a, const st_number *b); /* by value: <0, 0, >0 */
/* Exact: a sum of more than 38 digits, or out of range, is INVALID_ARGUMENT with the texts of
 * st_number_parse and never rounded. out_sum may be a or b. */
st_status st_number_add(st_op *op, const st_number *a, const st_number *b,
                        st_number *out_sum) ST_MUST_USE;
st_status st_number_subtract(st_op *op, const st_number *a, const st_number *b,
                             st_number *out_difference) ST_MUST_USE;

/* ---- items ------------------------------------------------------------------------------ */

/* Appends the canonical frame of a relaxed M value, which must fill all of relaxed; everything is
 * checked. What an item may not hold is INVALID_ARGUMENT with DynamoDB's text; malformed bytes and
 * bad UTF-8 with the position in relaxed. On failure out_frame is as long as before the call. */
st_status st_item_canonicalize(st_op *op, st_slice relaxed, st_buf *out_frame) ST_MUST_USE;
/* The same for items and keys of any size. */
st_status st_item_canonicalize_any(st_op *op, st_slice relaxed, st_buf *out_frame) ST_MUST_USE;
/* The same for an item that an update made: of any size, nesting refused in the words for updates.
 */
st_status st_item_canonicalize_updated(st_op *op, st_slice relaxed, st_buf *out_frame) ST_MUST_USE;
/* Appends one canonical value of a relaxed one. As st_item_canonicalize, but of any size and type.
 */
st_status st_value_canonicalize(st_op *op, st_slice relaxed, st_buf *out_value) ST_MUST_USE;
/* Appends the canonical frame of so many canonical entries (name and value), which are in order. */
st_status st_item_of_entries(st_op *op, st_slice entries, uint32_t count,
                             st_buf *out_frame) ST_MUST_USE;
/* Checks a canonical frame that comes from disk, completely and without allocating. CORRUPT with
 * the position in it, UNSUPPORTED for a later version. */
st_status st_item_validate(st_op *op, st_slice frame) ST_MUST_USE;
size_t st_item_size(st_slice frame); /* DynamoDB's size of a valid frame */

/* A value inside a frame (or inside a relaxed value). */
typedef struct st_value {
    st_type type;     /* ST_TYPE_NONE: absent */
    st_slice encoded; /* tag and payload */
    st_slice bytes;   /* S, B: content; N: ordered form (or text, is_text); containers: members */
    uint32_t count;   /* members of a container */
    bool boolean;
    bool is_text; /* relaxed N or NS: decimal text */
} st_value;

/* Reads one value at the reader; false when it is malformed. Members of containers are not looked
 * at. */
bool st_value_read(st_reader *reader, st_value *out_value);
/* The same for bytes that must be exactly one value. */
bool st_value_of(st_slice encoded, st_value *out_value);
size_t st_value_size(const st_value *value); /* DynamoDB's size of a canonical value */
uint32_t st_item_count(st_slice frame);      /* attributes */
/* Attribute by index 0..count-1, in name order; false past the end or when malformed. */
bool st_item_at(st_slice frame, uint32_t index, st_slice *out_name, st_value *out_value);
bool st_item_find(st_slice frame, st_slice name, st_value *out_value);

/* Walks the members of a container value, in order. Set members come as values of type S, N or B,
 * without encoded bytes of their own. Other values have no members. */
typedef struct st_members {
    st_reader reader;
    st_type type;
    uint32_t left;
    bool is_text;
} st_members;

st_members st_members_of(const st_value *container);
/* false behind the last member, or at a malformed one: then reader.failed is set. out_name: maps
 * only. */
bool st_members_next(st_members *members, st_slice *out_name, st_value *out_value);

/* Appends the attributes of a canonical frame as one relaxed M value. */
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
 * wrong types and sizes are INVALID_ARGUMENT with DynamoDB's texts; on failure out_key is as long
 * as before the call. Table ids end below UINT32_MAX: the id behind bounds the last table. */
st_status st_key_of_item(st_op *op, uint32_t table_id, const st_key_schema *schema, st_slice frame,
                         st_buf *out_key) ST_MUST_USE;
/* The same from a relaxed M value with exactly the key attributes. */
st_status st_key_of_request(st_op *op, uint32_t table_id, const st_key_schema *schema,
                            st_slice relaxed, st_buf *out_key) ST_MUST_USE;

/* Whether the frame has every key attribute, of whatever type: an index holds no other items. */
bool st_key_has_all(const st_key_schema *schema, st_slice frame);

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
 * condition. Values are relaxed; second only for BETWEEN. Both outputs are replaced. Reversed
 * bounds of BETWEEN are INVALID_ARGUMENT. Keys that go on behind the schema's last component, as
 * those of index entries do, are in the range of their beginning. */
st_status st_key_range(st_op *op, uint32_t table_id, const st_key_schema *schema,
                       const st_value *partition, st_key_condition condition, const st_value *first,
                       const st_value *second, st_buf *out_from, st_buf *out_to) ST_MUST_USE;

/* The condition of a query on a key of several parts: every partition part by equality, the first
 * equal_count sort parts by equality, and the condition on the sort part behind them. */
typedef struct st_key_query {
    const st_value *partition; /* schema->partition_count relaxed values */
    const st_value *equal;     /* equal_count relaxed values; NULL when 0 */
    uint32_t equal_count;
    st_key_condition condition; /* ALL: none */
    const st_value *first;      /* NULL for ALL */
    const st_value *second;     /* BETWEEN only */
} st_key_query;

st_status st_key_range_of(st_op *op, uint32_t table_id, const st_key_schema *schema,
                          const st_key_query *query, st_buf *out_from, st_buf *out_to) ST_MUST_USE;

/* The half-open range of a whole table, or of scan segment of segment_count: stripes [256 s / n,
 * 256 (s + 1) / n). A segment without stripes has from == to, as has one that does not exist. */
void st_key_segment(uint32_t table_id, uint32_t segment, uint32_t segment_count, st_buf *out_from,
                    st_buf *out_to);
/* True when key is a whole key of this table and schema, stripe included. */
bool st_key_is_valid(st_slice key, uint32_t table_id, const st_key_schema *schema);
/* Appends the key attributes as one relaxed M value, numbers in ordered form. out_bytes: where the
 * components of the schema end; NULL when nothing may follow them. A key that is not of this table
 * and schema is CORRUPT with the position in it. */
st_status st_key_decode(st_op *op, st_slice key, uint32_t table_id, const st_key_schema *schema,
                        st_buf *out_relaxed, size_t *out_bytes) ST_MUST_USE;

/* ---- JSON ------------------------------------------------------------------------------- */

/* Parses one JSON object and appends a relaxed M value. What is not JSON, or not the kind of JSON,
 * is INVALID_ARGUMENT with the position in the text; on failure out_relaxed is as long as before
 * the call. Limits of items are checked later, by st_item_canonicalize. */
st_status st_item_from_plain_json(st_op *op, st_slice json, st_buf *out_relaxed) ST_MUST_USE;
st_status st_item_from_dynamodb_json(st_op *op, st_slice json, st_buf *out_relaxed) ST_MUST_USE;
/* Appends one line of JSON without a line end from a canonical frame. Plain: sets are arrays,
 * binaries base64 text. A malformed frame is CORRUPT. */
st_status st_item_to_plain_json(st_op *op, st_slice frame, st_buf *out_json) ST_MUST_USE;
st_status st_item_to_dynamodb_json(st_op *op, st_slice frame, st_buf *out_json) ST_MUST_USE;

/* Appends the bytes of base64 text; false, and nothing appended, when it is not strictly that:
 * padded, without spaces, its unused bits 0. */
bool st_base64_decode(st_slice text, st_buf *out);
void st_base64_encode(st_slice bytes, st_buf *out);

/* Appends a JSON string with its quotes; escapes what RFC 8259 section 7 says must be, and no more.
 */
void st_json_put_string(st_buf *out, st_slice text);
/* Decodes the escape behind the backslash, at *at, into at most 4 bytes of UTF-8; gives their
 * number, and moves *at behind it. A lone surrogate, which has no UTF-8, becomes the code point
 * lone. 0: malformed, or a lone surrogate and lone is 0. */
size_t st_json_unescape(st_slice text, size_t *at, uint32_t lone, uint8_t *to);

/* Cuts a stream of JSON objects (one a line, or just one behind the other) that arrives in pieces.
 * Start with zeros. */
typedef struct st_json_splitter {
    uint64_t depth;
    bool is_in_string, is_escaped;
} st_json_splitter;

/* Looks at the next piece of the stream; true when an object or array ends in it, out_bytes behind
 * its end. What is left of the piece comes in the next call. Judges brackets and strings only. */
bool st_json_split(st_json_splitter *splitter, st_slice piece, size_t *out_bytes);

#endif
