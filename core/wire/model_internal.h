/* The shapes of the API models, as tables. */
#ifndef STATOR_WIRE_MODEL_INTERNAL_H
#define STATOR_WIRE_MODEL_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

typedef enum wire_kind {
    WIRE_STRING,
    WIRE_INTEGER,
    WIRE_LONG,
    WIRE_BOOLEAN,
    WIRE_BLOB,
    WIRE_DOUBLE,
    WIRE_TIMESTAMP,
    WIRE_STRUCTURE,
    WIRE_LIST,
    WIRE_MAP,
    WIRE_VALUE, /* an attribute value: value.c reads it */
} wire_kind;

typedef struct wire_member {
    const char *name;
    uint16_t shape;
} wire_member;

typedef struct wire_shape {
    const char *name;
    wire_kind kind;
    uint16_t first, count; /* STRUCTURE: members */
    uint16_t element;      /* LIST, MAP: shape of the elements */
} wire_shape;

typedef struct wire_model_operation {
    const char *name;
    bool is_stream;
    uint16_t input;
} wire_model_operation;

extern const wire_member st_wire__members[];
extern const wire_shape st_wire__shapes[];
extern const wire_model_operation st_wire__model[];
extern const uint32_t st_wire__model_count;

#endif
