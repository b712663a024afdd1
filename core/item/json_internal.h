/* Reading JSON token by token. */
#ifndef STATOR_ITEM_JSON_INTERNAL_H
#define STATOR_ITEM_JSON_INTERNAL_H

#include "item/item_internal.h"

/* Deeper than any item may be, so that it is the item that is refused, with DynamoDB's text, and
 * shallow enough for any stack. */
#define ST_JSON_DEPTH_MAX 100u

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
    st_slice value; /* STRING: decoded, until the next string; NUMBER: as written */
    st_buf scratch; /* owned by whoever made the st_json */
} st_json;

st_status st_item__json_next(st_json *json) ST_MUST_USE; /* to the next token */
/* Refuses any other token than this, then goes to the next. */
st_status st_item__json_expect(st_json *json, st_json_token token, const char *what) ST_MUST_USE;
/* "what at byte N", where the token begins */
st_status st_item__json_refuse(st_json *json, const char *what) ST_MUST_USE;

#endif
