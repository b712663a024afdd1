/* A gate counts who is inside.
 *
 * Two threads that enter and leave touch different cache lines; nobody who enters waits. One who
 * has made a change visible drains the gate: then all who may have seen what was before are out.
 *
 * There are two counters a stripe, and a phase that says which of them is entered. To drain is to
 * wait for the counters of the other phase (those who read the phase long ago and entered late), to
 * turn the phase, and to wait for the counters of the one before, in which nobody new arrives.
 * Entering is a sequentially consistent addition before the caller looks at what is guarded, and
 * draining looks at the counters after the change: so either it waits for the caller, or the caller
 * sees the change.
 */
#include "table/table_internal.h"

uint32_t st_table__gate_enter(st_table_gate *gate)
{
    uint32_t stripe = st_env_thread_slot() % ST_TABLE_GATE_STRIPES;
    uint32_t phase = atomic_load_explicit(&gate->phase, memory_order_relaxed);
    atomic_fetch_add(&gate->stripes[stripe].inside[phase], 1);
    return 2 * stripe + phase;
}

void st_table__gate_leave(st_table_gate *gate, uint32_t ticket)
{
    atomic_fetch_sub_explicit(&gate->stripes[ticket / 2].inside[ticket % 2], 1,
                              memory_order_release);
}

static void gate_await(st_table_gate *gate, uint32_t phase)
{
    for (uint32_t i = 0; i < ST_TABLE_GATE_STRIPES; i++) {
        for (uint32_t round = 0; atomic_load(&gate->stripes[i].inside[phase]) != 0; round++) {
            st_env_pause(round);
        }
    }
}

void st_table__gate_drain(st_table_gate *gate)
{
    uint32_t phase = atomic_load(&gate->phase);
    gate_await(gate, 1 - phase);
    atomic_store(&gate->phase, 1 - phase);
    gate_await(gate, phase);
}
