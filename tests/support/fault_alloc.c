/* Every block begins with its size, so that a wrong old_bytes shows at once. */
#include "support/fault_alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAULT_HEADER_BYTES 16u

static void fault_stop(const char *what, uint64_t number)
{
    fprintf(stderr, "fault_alloc: %s (%llu)\n", what, (unsigned long long)number);
    abort();
}

static void *fault_resize(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes)
{
    fault_alloc *fault = ctx;
    uint8_t *block = ptr ? (uint8_t *)ptr - FAULT_HEADER_BYTES : NULL;
    if (ptr && st_get_u64(block) != old_bytes) {
        fault_stop("a block is given back with another size than it has", old_bytes);
    }
    if (!ptr && old_bytes != 0) {
        fault_stop("no block, but an old size", old_bytes);
    }
    if (new_bytes == 0) {
        fault->live_blocks -= block != NULL;
        fault->live_bytes -= old_bytes;
        free(block);
        return NULL;
    }
    fault->calls++;
    if (fault->fail_at != 0 &&
        (fault->calls == fault->fail_at || (fault->is_for_ever && fault->calls > fault->fail_at))) {
        fault->has_failed = true;
        return NULL;
    }
    uint8_t *moved = malloc(FAULT_HEADER_BYTES + new_bytes); /* always moves, so that no caller can
                                                               keep the old place */
    if (!moved) {
        fault_stop("out of memory", new_bytes);
    }
    memset(moved + FAULT_HEADER_BYTES, 0xa5, new_bytes);
    st_put_u64(moved, new_bytes);
    if (block) {
        size_t kept = old_bytes < new_bytes ? old_bytes : new_bytes;
        memcpy(moved + FAULT_HEADER_BYTES, ptr, kept);
        free(block);
    } else {
        fault->live_blocks++;
    }
    fault->live_bytes += new_bytes - old_bytes;
    return moved + FAULT_HEADER_BYTES;
}

void fault_alloc_init(fault_alloc *fault)
{
    *fault = (fault_alloc){.alloc = {fault_resize, fault}};
}

void fault_alloc_fail_after(fault_alloc *fault, uint64_t calls, bool is_for_ever)
{
    fault->fail_at = calls ? fault->calls + calls : 0;
    fault->is_for_ever = is_for_ever;
    fault->has_failed = false;
}

void fault_alloc_deinit(fault_alloc *fault)
{
    if (fault->live_blocks != 0) {
        fault_stop("blocks that were never freed", fault->live_blocks);
    }
}
