/* Stands between the library and the C library: a definition in the program comes before that in a
 * shared object. */
#include "watch.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define WATCH_EXPORT __attribute__((visibility("default")))
#define WATCH_PATIENCE_S 60

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned syncs, held; /* guarded by mutex, as is is_holding */
static bool is_holding;
static _Atomic unsigned reads;
static _Atomic uint64_t ahead_us, each_look_us;

/* ISO C has no cast from an object's address to a function's. */
static void find(const char *name, void *to_function)
{
    *(void **)to_function = dlsym(RTLD_NEXT, name);
}

WATCH_EXPORT int fdatasync(int descriptor)
{
    int (*next)(int);
    find("fdatasync", &next);
    pthread_mutex_lock(&mutex);
    held++;
    pthread_cond_broadcast(&changed);
    while (is_holding) {
        pthread_cond_wait(&changed, &mutex);
    }
    held--;
    pthread_mutex_unlock(&mutex);
    int result = next(descriptor);
    pthread_mutex_lock(&mutex);
    syncs++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    return result;
}

WATCH_EXPORT ssize_t pread(int descriptor, void *to, size_t bytes, off_t offset)
{
    ssize_t (*next)(int, void *, size_t, off_t);
    find("pread", &next);
    atomic_fetch_add(&reads, 1);
    return next(descriptor, to, bytes, offset);
}

WATCH_EXPORT int clock_gettime(clockid_t clock, struct timespec *out_time)
{
    static _Atomic(void *)
        found; /* looked up once: the sanitizers' own runtime asks for the time */
    void *address = atomic_load(&found);
    if (!address) {
        address = dlsym(RTLD_NEXT, "clock_gettime");
        atomic_store(&found, address);
    }
    int (*next)(clockid_t, struct timespec *);
    *(void **)&next = address;
    int result = next(clock, out_time);
    if (clock == CLOCK_MONOTONIC) {
        uint64_t step = atomic_load(&each_look_us);
        uint64_t ahead = atomic_fetch_add(&ahead_us, step) + step;
        uint64_t ns = (uint64_t)out_time->tv_nsec + ahead % 1000000 * 1000;
        out_time->tv_sec += (time_t)(ahead / 1000000 + ns / 1000000000);
        out_time->tv_nsec = (long)(ns % 1000000000);
    }
    return result;
}

unsigned watch_syncs(void)
{
    pthread_mutex_lock(&mutex);
    unsigned count = syncs;
    pthread_mutex_unlock(&mutex);
    return count;
}

unsigned watch_reads(void)
{
    return atomic_load(&reads);
}

unsigned watch_threads(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/task");
    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    if (folder) {
        closedir(folder);
    }
    return count;
}

void watch_hold_syncs(void)
{
    pthread_mutex_lock(&mutex);
    is_holding = true;
    pthread_mutex_unlock(&mutex);
}

bool watch_await_held(void)
{
    struct timespec until;
    int result = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WATCH_PATIENCE_S;
    pthread_mutex_lock(&mutex);
    while (held == 0 && result == 0) {
        result = pthread_cond_timedwait(&changed, &mutex, &until);
    }
    bool is_held = held > 0;
    pthread_mutex_unlock(&mutex);
    return is_held;
}

void watch_release_syncs(void)
{
    pthread_mutex_lock(&mutex);
    is_holding = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

void watch_advance_us(uint64_t us)
{
    atomic_fetch_add(&ahead_us, us);
}

void watch_advance_each_look_us(uint64_t us)
{
    atomic_store(&each_look_us, us);
}
