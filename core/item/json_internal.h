/* Reading JSON (RFC 8259) token by token. Strings are decoded into the arena of the call; numbers
 * stay text. */
#ifndef STATOR_ITEM_JSON_INTERNAL_H
#define STATOR_ITEM_JSON_INTERNAL_H

#include "item/item.h"

#define ST_JSON_DEPTH_MAX \
    100u /* plain JSON twice as deep as an item may be is refused there with a better text */

typedef enum st_json_token {
    ST_JSON_END,
    ST_JSON_OBJECT, /* { */
    ST_JSON_OBJECT_END,
    ST_JSON_ARRAY, /* [ */
    ST_JSON_ARRAY_END,
    ST_JSON_COLON,
    ST_JSON_COMMA,
    ST_JSON_STRING,
    ST_JSON_NUMBER,
    ST_JSON_TRUE,
    ST_JSON_FALSE,
    ST_JSON_NULL,
} st_json_token;

typedef struct st_json {
    st_op *op;
    st_slice text;
    size_t at;    /* behind the token */
    size_t begin; /* of the token */
    st_json_token token;
    st_slice value; /* STRING: decoded; NUMBER: as written */
} st_json;

st_status st_item__json_next(st_json *json) ST_MUST_USE; /* to the next token */
st_status st_item__json_expect(st_json *json, st_json_token token,
                               const char *what) ST_MUST_USE; /* this one, then the next */
st_status st_item__json_refuse(st_json *json, const char *what) ST_MUST_USE; /* "what at byte N" */

bool st_item__base64_decode(st_slice text, st_buf *out); /* strict: padded, no spaces */
void st_item__base64_encode(st_slice bytes, st_buf *out);

#endif
