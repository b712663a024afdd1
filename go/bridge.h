/* What Go calls: tokens travel as integers, because Go's pointers must point at memory. */
#ifndef STATOR_GO_BRIDGE_H
#define STATOR_GO_BRIDGE_H

#include "../ffi/include/stator.h"

typedef struct stator_go_call {
    size_t result_bytes;     /* in the caller's buffer */
    const void *buffer_data; /* otherwise here, until stator_go_release */
    size_t buffer_bytes;
    uintptr_t buffer;
    int32_t status;
    int32_t http_status; /* of stator_go_dispatch */
    stator_error error;  /* of a failed call; its detail until stator_error_clear */
} stator_go_call;

void stator_go_open(const void *path, size_t path_bytes, const stator_options *options,
                    uintptr_t *out_db, stator_go_call *call);
void stator_go_close(uintptr_t db, stator_go_call *call);
void stator_go_execute(uintptr_t db, const void *request, size_t request_bytes, void *result,
                       size_t result_capacity, stator_go_call *call);
void stator_go_cursor_open(uintptr_t db, const void *request, size_t request_bytes,
                           uintptr_t *out_cursor, stator_go_call *call);
void stator_go_cursor_next_page(uintptr_t cursor, void *result, size_t result_capacity,
                                stator_go_call *call);
void stator_go_cursor_free(uintptr_t cursor);
void stator_go_release(stator_go_call *call);

/* Copies, because memory of Go may not hold pointers to memory of Go. 0 bytes: the default. */
typedef struct stator_go_place {
    size_t region_bytes, account_bytes;
    char region[32], account[16];
} stator_go_place;

/* request: the operation, then the body. */
void stator_go_dispatch(uintptr_t db, const void *request, size_t operation_bytes,
                        size_t request_bytes, const stator_go_place *place, stator_go_call *call);
void stator_go_clock_move(uintptr_t db, int64_t offset_us, stator_go_call *call);

enum { STATOR_GO_FLUSH = 1, STATOR_GO_COMPACT = 2, STATOR_GO_VERIFY = 3 };
void stator_go_care(uintptr_t db, int32_t what,
                    stator_go_call *call); /* a report comes as the result */
void stator_go_stats(uintptr_t db, stator_stats *out_stats, stator_go_call *call);

#endif
