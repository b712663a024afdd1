/* An item that is being changed. */
#ifndef STATOR_EXPR_DOCUMENT_INTERNAL_H
#define STATOR_EXPR_DOCUMENT_INTERNAL_H

#include "expr/expr_internal.h"

typedef struct st_document st_document;

/* In the arena. frame must stay as it is. */
st_status st_document__create(st_op *op, st_slice frame, st_document **out_document) ST_MUST_USE;
/* Sets or, with a value of type NONE, removes what is at the path. A path whose container is
 * missing or of the wrong type is refused. An element behind the end of a list is appended. */
st_status st_document__put(st_op *op, st_document *document, const st_path *path,
                           const st_value *value) ST_MUST_USE;
/* Appends the whole as one relaxed M value. */
void st_document__write(const st_document *document, st_buf *out_relaxed);

size_t st_document__begin(st_buf *out, uint8_t tag); /* of a container */
void st_document__end(st_buf *out, size_t begin, uint32_t count);

#endif
