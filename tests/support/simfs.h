/* simfs: an Env of files in memory that tells what was written from what is durable, and that can
 * crash, tear, fill and fail at every call, the same way for the same seed.
 *
 * Every file has its written bytes and its durable bytes; what was written since its last sync is
 * remembered call by call. Names are the same: creation, rename and removal count from the call on
 * and are durable after st_env_sync_dir of their directory. A crash leaves the durable part and, as
 * the state says, a part of the rest.
 *
 * A sync that fails loses what it should have made durable, as a kernel does that marks the pages
 * clean: reads still find it, until the machine stops, and no later sync brings it to the disk.
 *
 * A mutating call is one of: open that creates, write, sync, truncate, mkdir, remove, rename,
 * sync_dir, lock that creates. An I/O call is any call on a file or name but close and size. Both
 * are counted from 1.
 *
 * Threads: none. st_env_thread_start is UNSUPPORTED. The clock advances a millisecond a call.
 */
#ifndef STATOR_TESTS_SIMFS_H
#define STATOR_TESTS_SIMFS_H

#include "env/env.h"

typedef struct simfs simfs;

/* What a crash leaves of that which was not synced. */
typedef enum simfs_state {
    SIMFS_LOSE_ALL,       /* nothing */
    SIMFS_KEEP_ALL,       /* everything */
    SIMFS_RANDOM_SECTORS, /* any sectors, of 512 or of 4096 bytes; names up to some call */
    SIMFS_TORN_PREFIX,    /* all up to some call, which is torn somewhere */
    SIMFS_LOSE_NAMES,     /* the bytes, the last write torn somewhere, but no name operation */
    SIMFS_ZERO_DATA,      /* the names and lengths, but zeros for the bytes */
    SIMFS_CRASH_STATES,
    SIMFS_KILL = SIMFS_CRASH_STATES, /* the process ended, the machine did not */
    SIMFS_ALL_STATES,
} simfs_state;

/* Kinds of I/O calls, as a set. */
#define SIMFS_CALL_OPEN 1u
#define SIMFS_CALL_READ 2u
#define SIMFS_CALL_WRITE 4u
#define SIMFS_CALL_SYNC 8u
#define SIMFS_CALL_TRUNCATE 16u
#define SIMFS_CALL_MKDIR 32u
#define SIMFS_CALL_LIST 64u
#define SIMFS_CALL_REMOVE 128u
#define SIMFS_CALL_RENAME 256u
#define SIMFS_CALL_SYNC_DIR 512u
#define SIMFS_CALL_STAT 1024u
#define SIMFS_CALL_LOCK 2048u
#define SIMFS_CALL_ANY 4095u

simfs *simfs_create(uint64_t seed); /* holds the directory "/" */
void simfs_destroy(simfs *sim);     /* NULL is fine; every file and lock must be closed */
st_env *simfs_env(simfs *sim);

uint64_t simfs_mutations(const simfs *sim);
uint64_t simfs_io_calls(const simfs *sim);
uint64_t simfs_open_handles(const simfs *sim); /* files and locks */

/* Runs before each mutating call takes effect; it may make copies, nothing else. */
void simfs_on_mutation(simfs *sim, void (*run)(void *ctx), void *ctx);

/* The mutating call of this number from now and every I/O call after it fail, until restart. */
void simfs_crash_after(simfs *sim, uint64_t calls);
bool simfs_has_crashed(const simfs *sim);
/* What a new process finds; every file must be closed. What survives is durable then, but not
 * after SIMFS_KILL. */
void simfs_restart(simfs *sim, simfs_state state, uint64_t seed);
/* The same as a copy; the original goes on. */
simfs *simfs_after(const simfs *sim, simfs_state state, uint64_t seed);
simfs *simfs_clone(const simfs *sim); /* everything as it is, without handles and locks */

/* The I/O call of this number from now fails with the status and its errno, once or with all that
 * follow. 0: no more. */
void simfs_fail_after(simfs *sim, uint64_t calls, st_status status, bool is_for_ever);
/* The same, where only calls of these kinds count and fail. */
void simfs_fail_kinds_after(simfs *sim, uint32_t kinds, uint64_t calls, st_status status,
                            bool is_for_ever);
bool simfs_has_failed(const simfs *sim); /* a failure was injected since simfs_fail_after */
/* Writes that would make all files together longer are NO_SPACE. */
void simfs_set_budget(simfs *sim, uint64_t bytes);
uint64_t simfs_used_bytes(const simfs *sim);

/* Files by index, in the order of their names, directories left out; NULL behind the last. */
const char *simfs_name(const simfs *sim, size_t index);
uint64_t simfs_size(const simfs *sim, const char *path);
uint8_t simfs_byte(const simfs *sim, const char *path, uint64_t offset);
/* Copies from the file as it was written; how many bytes there were. */
size_t simfs_copy_out(const simfs *sim, const char *path, uint64_t offset, void *to, size_t bytes);
/* Damage of a file at rest: both to what a process reads and to what survives the machine. A path
 * or place that is not there ends the program. */
void simfs_flip(simfs *sim, const char *path, uint64_t bit);
void simfs_cut(simfs *sim, const char *path, uint64_t bytes); /* makes it shorter */

#endif
