/* What addon.cc (the calls from JavaScript) and worker.cc (the threads of a database) share.
 *
 * Nothing in here throws, and an allocation that fails is a status: neither exceptions nor the
 * containers of the standard library are used. */
#ifndef STATOR_NODE_ADDON_H
#define STATOR_NODE_ADDON_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "stator.h"

namespace stator_node {

/* Order is kept within a lane. Lanes have a thread each, started with their first job. */
enum Lane : uint32_t { LANE_WRITE = 0, LANE_READ = 1, LANE_UPKEEP = 2, LANE_COUNT = 3 };

/* Numbers as in src/native.ts. */
enum Kind : uint32_t {
    KIND_EXECUTE = 0,
    KIND_PAGE = 1,
    KIND_OPEN = 2,
    KIND_CLOSE = 3,
    KIND_FLUSH = 4,
    KIND_COMPACT = 5,
    KIND_VERIFY = 6,
    KIND_DISPATCH = 7,
    KIND_CLOCK = 8,
    KIND_COUNT = 9
};

/* detail: as in stator_error, but memory of our own, freed by failure_clear. */
struct Failure {
    stator_status status;
    uint32_t flags;
    int64_t position;
    int32_t os_error;
    char message[STATOR_ERROR_MESSAGE_BYTES];
    uint8_t *detail;
    size_t detail_bytes;
};

struct Db;
struct Env;

/* How a request of the JSON protocol lies in its bytes: region, account, operation, body. */
struct Texts {
    uint32_t region_bytes, account_bytes, operation_bytes;
};

/* One asynchronous call: made by the JavaScript thread, worked on by a lane, given back through
 * Env's list of finished jobs. */
struct Job {
    Job *next;
    Db *db;
    uint32_t id;
    Kind kind;
    bool may_merge;    /* a put or delete without options: may share a commit with its neighbours */
    bool wants_result; /* false: the result frame is dropped */
    uint8_t *request;  /* of EXECUTE; the path of OPEN; the texts of DISPATCH */
    size_t request_bytes;
    Texts texts;            /* of DISPATCH */
    int32_t http_status;    /* what DISPATCH answered */
    int64_t offset_us;      /* of CLOCK */
    stator_options options; /* of OPEN */
    stator_cursor *cursor;  /* of PAGE */
    Failure failure;        /* status OK when it went well */
    uint8_t *result;
    size_t result_bytes;
    stator_buffer *buffer; /* holds the result when it did not fit */
};

struct Queue {
    Job *head, *tail;
};

struct LaneState {
    Queue queue;
    pthread_cond_t wake;
    pthread_t thread;
    bool is_started;
    bool is_working;
};

/* Guarded by mutex: lanes, is_stopping. token is written by the job OPEN, or before any job. */
struct Db {
    Env *env;
    stator_db *token;
    pthread_mutex_t mutex;
    pthread_cond_t idle;
    LaneState lanes[LANE_COUNT];
    bool is_stopping;
};

/* stator_dispatch of the texts; MISUSE when they are longer than the bytes. */
stator_status dispatch_texts(stator_db *token, const uint8_t *bytes, size_t size,
                             const Texts *texts, int32_t *out_http_status, stator_buffer **out_body,
                             stator_error *error);
/* Clears the error. Without memory the detail is left out: the failure itself stands. */
void failure_take(Failure *failure, stator_status status, stator_error *error);
void failure_clear(Failure *failure);
void failure_set(Failure *failure, stator_status status, const char *message);

Db *db_create(Env *env);
/* Drops what is queued, ends the threads and frees. The token, which may be NULL, is not closed. */
stator_db *db_destroy(Db *db);
/* Waits until no lane has anything to do. */
void db_drain(Db *db);
/* Queues the job; NO_MEMORY when its thread cannot be started. */
stator_status db_submit(Db *db, Job *job, Lane lane);

Job *job_create(Kind kind, const void *request, size_t request_bytes);
void job_destroy(Job *job);

/* Hands a list of finished jobs to the JavaScript thread. From any thread. */
void env_finish(Env *env, Queue *jobs);

} // namespace stator_node

#endif
