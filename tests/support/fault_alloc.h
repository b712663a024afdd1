/* fault_alloc: an allocator that fails when told, checks every size it is told, and counts what is
 * alive. */
#ifndef STATOR_TESTS_FAULT_ALLOC_H
#define STATOR_TESTS_FAULT_ALLOC_H

#include "base/base.h"

typedef struct fault_alloc {
    st_alloc alloc;
    uint64_t calls;   /* allocations asked for, from 1 */
    uint64_t fail_at; /* 0: none */
    bool is_for_ever; /* all from fail_at on, not only that one */
    bool has_failed;  /* since fault_alloc_fail_after */
    uint64_t live_blocks;
    uint64_t live_bytes;
} fault_alloc;

void fault_alloc_init(fault_alloc *fault);
/* The allocation of this number from now fails, once or with all that follow; 0: none. */
void fault_alloc_fail_after(fault_alloc *fault, uint64_t calls, bool is_for_ever);
void fault_alloc_deinit(fault_alloc *fault); /* ends the program when a block is alive */

#endif
