/* Telling a forked child from its parent without a system call: a word in a page that the kernel
 * wipes on fork, or, where there is no such page, a counter that a fork handler raises.
 */
#include "env/env_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

static pthread_once_t process_once = PTHREAD_ONCE_INIT;
static _Atomic uint64_t process_forks = 1;
static _Atomic uint64_t *process_wiped; /* NULL: no such page */

static void process_in_child(void)
{
    atomic_fetch_add_explicit(&process_forks, 1, memory_order_relaxed);
}

static void process_setup(void)
{
    (void)pthread_atfork(NULL, NULL, process_in_child);
#ifdef MADV_WIPEONFORK
    size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        return;
    }
    if (madvise(page, bytes, MADV_WIPEONFORK) != 0) {
        (void)munmap(page, bytes);
        return;
    }
    process_wiped = page;
    atomic_store_explicit(process_wiped, 1, memory_order_relaxed);
#endif
}

uint64_t st_env_process_stamp(void)
{
    (void)pthread_once(&process_once, process_setup);
    uint64_t forks = atomic_load_explicit(&process_forks, memory_order_relaxed);
    /* A child made without fork handlers (clone, vfork-like wrappers) still finds its page wiped.
     */
    bool is_wiped = process_wiped && atomic_load_explicit(process_wiped, memory_order_relaxed) == 0;
    return is_wiped ? forks | (uint64_t)1 << 63 : forks;
}
