/* Epochs: readers use what a shared pointer points at without a lock and without a counter that all
 * of them touch; who replaces the pointer has the old object freed once nobody can use it.
 *
 *     reader                                      writer
 *     token = st_lsm__epoch_enter(domain)         store the new pointer (release)
 *     object = load the pointer (acquire)         st_lsm__epoch_retire(domain, &old->node, free,
 * old)
 *     ... use object ...                          st_lsm__epoch_poll(domain)
 *     st_lsm__epoch_leave(domain, token)
 *
 * Guarantees
 * 1. An object is given to its callback only when every reader that entered before it was retired
 *    has left.
 * 2. enter and leave never wait, allocate or call the system. They touch one counter, of a stripe
 *    chosen by the running thread.
 * 3. retire allocates nothing: the node is a part of the object. It may be called under any lock.
 * 4. Callbacks run in poll and in deinit only, in the order of retiring, without any lock held.
 *
 * A token is given back by the call that took it, by any thread. Threads may come and go: nothing
 * is registered. As long as a reader stays, nothing that was retired after it entered is freed.
 */
#ifndef STATOR_LSM_EPOCH_INTERNAL_H
#define STATOR_LSM_EPOCH_INTERNAL_H

#include <stdatomic.h>

#include "env/env.h"

#define ST_EPOCH_STRIPES 32u

typedef struct st_epoch_node {
    struct st_epoch_node *next;
    uint64_t epoch;
    void (*run)(void *arg);
    void *arg;
} st_epoch_node;

typedef struct st_epoch_stripe {
    _Atomic uint64_t readers[3]; /* inside, by the epoch they entered modulo 3 */
    uint8_t apart[104]; /* so that no two stripes share a line, wherever the first begins */
} st_epoch_stripe;

typedef struct st_epoch_domain {
    _Atomic uint64_t epoch;
    uint8_t apart[120];
    st_epoch_stripe stripes[ST_EPOCH_STRIPES];

    st_mutex mutex; /* guards what follows, and the steps of epoch */
    st_epoch_node *oldest, **newest_link;
} st_epoch_domain;

typedef struct st_epoch_token {
    uint32_t stripe, phase;
} st_epoch_token;

void st_lsm__epoch_init(st_epoch_domain *domain);
void st_lsm__epoch_deinit(st_epoch_domain *domain); /* no reader may be inside; runs what is left */
st_epoch_token st_lsm__epoch_enter(st_epoch_domain *domain);
void st_lsm__epoch_leave(st_epoch_domain *domain, st_epoch_token token);
/* After the last pointer to the object was replaced: run(arg) is called when it is safe. */
void st_lsm__epoch_retire(st_epoch_domain *domain, st_epoch_node *node, void (*run)(void *arg),
                          void *arg);
/* Runs what is safe, without waiting. False: something is left for a later poll. */
bool st_lsm__epoch_poll(st_epoch_domain *domain);

#endif
