/* wire: the DynamoDB JSON protocol without a socket: a target and a JSON body in, an HTTP status
 * and a JSON body out, as the service answers them.
 *
 * Every operation of the two API models is known by name; those that are not built answer what the
 * service answers to a name it does not know. Texts and their order are the service's: each
 * operation moves from an old to a new layer of wording, and one setting chooses either for all.
 *
 * Threads: any. Everything lives in the arena of the operation, but for the answer.
 */
#ifndef STATOR_WIRE_WIRE_H
#define STATOR_WIRE_WIRE_H

#include "base/base.h"
#include "table/table.h"

typedef enum st_wire_layer {
    ST_WIRE_LAYER_CURRENT = 0, /* per operation, what most regions answer */
    ST_WIRE_LAYER_OLD = 1,
    ST_WIRE_LAYER_NEW = 2,
} st_wire_layer;

typedef struct st_wire_settings {
    char region[32];
    char account[16];
    st_wire_layer layer;
} st_wire_settings;

void st_wire_settings_init(st_wire_settings *settings); /* us-east-1, 000000000000 */

/* target: "DynamoDB_20120810.PutItem", "DynamoDBStreams_20120810.GetRecords", or the operation
 * alone. Appends a JSON body and sets an HTTP status for whatever the database says; the returned
 * status is OK unless memory is short. */
st_status st_wire_dispatch(st_op *op, st_database *database, const st_wire_settings *settings,
                           st_slice target, st_slice body, uint32_t *out_http_status,
                           st_buf *out_body) ST_MUST_USE;

#endif
