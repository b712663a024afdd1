/* Telling a forked child from its parent without a system call: a word in a page that the kernel
 * wipes on fork, or, where there is no such page, a counter that a fork handler raises. And since
 * when this process runs, which together with its pid names it even after the pid was given away
 * again.
 */
#include "env/env_internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PROCESS_START_FIELD 22 /* of /proc/self/stat: clock ticks from boot to start */

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

#ifdef __linux__
/* Clock ticks from boot to the start of this process; 0 when the system does not say. */
static uint64_t process_start_ticks(void)
{
    char text[1024];
    int descriptor = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return 0;
    }
    ssize_t got = read(descriptor, text, sizeof text - 1);
    (void)close(descriptor);
    text[got > 0 ? got : 0] = '\0';
    const char *at = strrchr(text, ')'); /* ends field 2, which may hold blanks itself */
    for (int field = 2; at && field < PROCESS_START_FIELD; field++) {
        at = strchr(at + 1, ' ');
    }
    return at ? strtoull(at + 1, NULL, 10) : 0;
}
#endif

uint64_t st_env__process_start_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
#ifdef __linux__
    struct timespec up;
    uint64_t ticks = process_start_ticks();
    long ticks_per_s = sysconf(_SC_CLK_TCK);
    if (ticks > 0 && ticks_per_s > 0 && clock_gettime(CLOCK_BOOTTIME, &up) == 0) {
        return (uint64_t)(now.tv_sec - up.tv_sec) + ticks / (uint64_t)ticks_per_s;
    }
#endif
    return (uint64_t)now.tv_sec;
}
