/* Epochs: the current epoch is a number that steps forward while objects wait to be freed.
 *
 * A reader counts itself in under the epoch it sees and looks again: if the epoch has stepped in
 * between, it takes itself out and starts over. So whoever is in under epoch e was in while the
 * epoch was e. The epoch steps from e to e + 1 only when nobody is in under e - 1: readers are in
 * under the current epoch or the one before it, and three counters a stripe, used in turn, suffice.
 *
 * Why it is safe: let an object be retired at epoch r. Who enters under r + 1 or later saw the step
 * to r + 1, which was taken under the mutex after the object was retired under the mutex, hence
 * after its pointer was replaced: it sees the new pointer. Who entered under r or before is gone
 * when the epoch has become r + 2. Counting in, looking again, stepping and looking at the counters
 * are sequentially consistent: either the reader sees the step or the stepper sees the reader.
 */
#include "lsm/epoch_internal.h"

#include <string.h>

void st_lsm__epoch_init(st_epoch_domain *domain)
{
    memset(domain, 0, sizeof *domain);
    atomic_init(&domain->epoch, 2);
    st_mutex_init(&domain->mutex);
    domain->newest_link = &domain->oldest;
}

st_epoch_token st_lsm__epoch_enter(st_epoch_domain *domain)
{
    uint32_t stripe = st_env_thread_slot() % ST_EPOCH_STRIPES;
    for (uint32_t round = 0;; round++) {
        uint64_t epoch = atomic_load_explicit(&domain->epoch, memory_order_seq_cst);
        uint32_t phase = (uint32_t)(epoch % 3);
        _Atomic uint64_t *readers = &domain->stripes[stripe].readers[phase];
        atomic_fetch_add_explicit(readers, 1, memory_order_seq_cst);
        if (atomic_load_explicit(&domain->epoch, memory_order_seq_cst) == epoch) {
            return (st_epoch_token){stripe, phase};
        }
        atomic_fetch_sub_explicit(readers, 1, memory_order_release);
        st_env_pause(round);
    }
}

void st_lsm__epoch_leave(st_epoch_domain *domain, st_epoch_token token)
{
    atomic_fetch_sub_explicit(&domain->stripes[token.stripe].readers[token.phase], 1,
                              memory_order_release);
}

void st_lsm__epoch_retire(st_epoch_domain *domain, st_epoch_node *node, void (*run)(void *arg),
                          void *arg)
{
    node->next = NULL;
    node->run = run;
    node->arg = arg;
    st_mutex_lock(&domain->mutex);
    node->epoch = atomic_load_explicit(&domain->epoch, memory_order_relaxed);
    *domain->newest_link = node;
    domain->newest_link = &node->next;
    st_mutex_unlock(&domain->mutex);
}

/* mutex held */
static bool epoch_is_empty(const st_epoch_domain *domain, uint32_t phase)
{
    for (uint32_t i = 0; i < ST_EPOCH_STRIPES; i++) {
        if (atomic_load_explicit(&domain->stripes[i].readers[phase], memory_order_seq_cst) > 0) {
            return false;
        }
    }
    return true;
}

/* mutex held. At most two steps make the newest node safe. */
static uint64_t epoch_step(st_epoch_domain *domain)
{
    uint64_t epoch = atomic_load_explicit(&domain->epoch, memory_order_relaxed);
    uint64_t goal = domain->oldest ? epoch + 2 : epoch;
    while (epoch < goal && epoch_is_empty(domain, (uint32_t)((epoch - 1) % 3))) {
        atomic_store_explicit(&domain->epoch, ++epoch, memory_order_seq_cst);
    }
    return epoch;
}

/* mutex held. Takes the nodes that are safe off the list. */
static st_epoch_node *epoch_take(st_epoch_domain *domain, uint64_t epoch)
{
    st_epoch_node *first = domain->oldest, **link = &domain->oldest;
    while (*link && (*link)->epoch + 2 <= epoch) {
        link = &(*link)->next;
    }
    if (link == &domain->oldest) {
        return NULL;
    }
    domain->oldest = *link;
    if (!domain->oldest) {
        domain->newest_link = &domain->oldest;
    }
    *link = NULL;
    return first;
}

bool st_lsm__epoch_poll(st_epoch_domain *domain)
{
    st_mutex_lock(&domain->mutex);
    st_epoch_node *node = epoch_take(domain, epoch_step(domain));
    bool is_done = domain->oldest == NULL;
    st_mutex_unlock(&domain->mutex);
    while (node) {
        st_epoch_node *next = node->next; /* the callback frees the node with its object */
        node->run(node->arg);
        node = next;
    }
    return is_done;
}

void st_lsm__epoch_deinit(st_epoch_domain *domain)
{
    bool is_done = false;
    while (!is_done) { /* callbacks may retire more */
        is_done = st_lsm__epoch_poll(domain) && domain->oldest == NULL;
        for (uint32_t phase = 0; phase < 3; phase++) {
            ST_ASSERT(epoch_is_empty(domain, phase));
        }
    }
    st_mutex_deinit(&domain->mutex);
}
