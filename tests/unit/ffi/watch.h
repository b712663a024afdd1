/* What a test sees of the library's calls to the operating system: they are counted on their way,
 * and held or told another time when the test wants it. A program that links watch.c has these
 * calls in front of the C library's. */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stdint.h>

unsigned watch_syncs(void);   /* fdatasync: files of the database */
unsigned watch_reads(void);   /* pread */
unsigned watch_threads(void); /* of this process, at this moment */

/* From now on a sync waits until watch_release. */
void watch_hold_syncs(void);
bool watch_await_held(void); /* until one waits; false when a minute passed */
void watch_release_syncs(void);

/* The monotonic clock goes on by itself when nobody looks, and by so much more. */
void watch_advance_us(uint64_t us);
/* Each look at it moves it on by so much. */
void watch_advance_each_look_us(uint64_t us);

#endif
