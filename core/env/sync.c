/* Mutexes, conditions, threads, the clocks and entropy of the process. */
#include "env/env_internal.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static_assert(sizeof(pthread_mutex_t) <= sizeof(st_mutex), "st_mutex holds a pthread_mutex_t");
static_assert(sizeof(pthread_cond_t) <= sizeof(st_cond), "st_cond holds a pthread_cond_t");

static pthread_mutex_t *sync_mutex(st_mutex *mutex)
{
    return (pthread_mutex_t *)(void *)mutex->storage;
}

static pthread_cond_t *sync_cond(st_cond *cond)
{
    return (pthread_cond_t *)(void *)cond->storage;
}

void st_mutex_init(st_mutex *mutex)
{
    (void)pthread_mutex_init(sync_mutex(mutex), NULL);
}

void st_mutex_deinit(st_mutex *mutex)
{
    (void)pthread_mutex_destroy(sync_mutex(mutex));
}

void st_mutex_lock(st_mutex *mutex)
{
    (void)pthread_mutex_lock(sync_mutex(mutex));
}

bool st_mutex_try_lock(st_mutex *mutex)
{
    return pthread_mutex_trylock(sync_mutex(mutex)) == 0;
}

void st_mutex_unlock(st_mutex *mutex)
{
    (void)pthread_mutex_unlock(sync_mutex(mutex));
}

void st_cond_init(st_cond *cond)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(sync_cond(cond), &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

void st_cond_deinit(st_cond *cond)
{
    (void)pthread_cond_destroy(sync_cond(cond));
}

void st_cond_wait(st_cond *cond, st_mutex *mutex)
{
    (void)pthread_cond_wait(sync_cond(cond), sync_mutex(mutex));
}

bool st_cond_wait_for(st_cond *cond, st_mutex *mutex, uint64_t microseconds)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t nanoseconds = (uint64_t)until.tv_nsec + microseconds % 1000000u * 1000u;
    until.tv_sec += (time_t)(microseconds / 1000000u + nanoseconds / 1000000000u);
    until.tv_nsec = (long)(nanoseconds % 1000000000u);
    return pthread_cond_timedwait(sync_cond(cond), sync_mutex(mutex), &until) != ETIMEDOUT;
}

void st_cond_signal(st_cond *cond)
{
    (void)pthread_cond_signal(sync_cond(cond));
}

void st_cond_broadcast(st_cond *cond)
{
    (void)pthread_cond_broadcast(sync_cond(cond));
}

void st_env_pause(uint32_t round)
{
    if (round >= 100) {
        (void)sched_yield();
        return;
    }
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

uint32_t st_env_thread_slot(void)
{
    static _Atomic uint32_t sync_next_slot;
    static _Thread_local uint32_t sync_slot;
    if (sync_slot == 0) {
        sync_slot = atomic_fetch_add_explicit(&sync_next_slot, 1, memory_order_relaxed) + 1;
    }
    return sync_slot;
}

/* ---- clock, entropy --------------------------------------------------------------------- */

static uint64_t sync_clock_us(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t st_env__time_us(st_env *env)
{
    (void)env;
    return sync_clock_us(CLOCK_REALTIME);
}

uint64_t st_env__monotonic_us(st_env *env)
{
    (void)env;
    return sync_clock_us(CLOCK_MONOTONIC);
}

st_status st_env__entropy(st_op *op, st_env *env, void *to, size_t bytes)
{
    (void)env;
    uint8_t *at = to;
    while (bytes > 0) {
        ssize_t got = getrandom(at, bytes, 0);
        if (got < 0 && errno != EINTR) {
            return st_env__fail_errno(op, errno, "cannot read", "the system's random numbers");
        }
        at += got > 0 ? got : 0;
        bytes -= got > 0 ? (size_t)got : 0;
    }
    return ST_OK;
}

/* ---- threads ---------------------------------------------------------------------------- */

struct st_thread {
    const st_alloc *alloc;
    pthread_t thread;
    void (*run)(void *);
    void *arg;
};

static void *sync_thread_main(void *arg)
{
    st_thread *thread = arg;
    thread->run(thread->arg);
    return NULL;
}

st_status st_env__thread_start(st_op *op, st_env *env, const char *name, void (*run)(void *),
                               void *arg, st_thread **out_thread)
{
    st_thread *thread = st_alloc_new(env->alloc, sizeof *thread);
    if (!thread) {
        return st_fail_memory(op, sizeof *thread);
    }
    *thread = (st_thread){.alloc = env->alloc, .run = run, .arg = arg};
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(&thread->thread, NULL, sync_thread_main, thread);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (number != 0) {
        st_alloc_free(env->alloc, thread, sizeof *thread);
        return st_env__fail_errno(op, number, "cannot start the thread", name);
    }
    (void)pthread_setname_np(thread->thread, name);
    *out_thread = thread;
    return ST_OK;
}

void st_env__thread_join(st_thread *thread)
{
    if (thread) {
        (void)pthread_join(thread->thread, NULL);
        st_alloc_free(thread->alloc, thread, sizeof *thread);
    }
}

void st_env_thread_join(st_thread *thread)
{
    st_env__thread_join(thread);
}
