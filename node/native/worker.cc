/* The threads of a database: they run what may block, so that neither the event loop nor the
 * shared pool of the runtime waits for a disk.
 *
 * Three lanes, each with a thread that starts with its first job: writes (and open and close) in
 * the order in which they were called, reads that were not in memory, and upkeep, which may take
 * long. Puts and deletes without options that wait next to each other become one batch, hence one
 * commit: when the batch is refused for one of them, nothing was applied, and they run one by one.
 */
#include "addon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

namespace stator_node {

static const size_t RESULT_BYTES = 64 * 1024;
static const size_t MERGE_BYTES = 1024 * 1024;
static const uint32_t MERGE_JOBS = 256;

void failure_clear(Failure *failure)
{
    free(failure->detail);
    *failure = Failure();
}

void failure_take(Failure *failure, stator_status status, stator_error *error)
{
    failure_clear(failure);
    failure->status = status;
    failure->flags = error->flags | stator_status_flags(status);
    failure->position = error->position;
    failure->os_error = error->os_error;
    memcpy(failure->message, error->message, sizeof failure->message);
    failure->message[sizeof failure->message - 1] = '\0';
    if (error->detail && error->detail_bytes > 0) {
        failure->detail = static_cast<uint8_t *>(malloc(error->detail_bytes));
    }
    if (failure->detail) {
        failure->detail_bytes = error->detail_bytes;
        memcpy(failure->detail, error->detail, error->detail_bytes);
    }
    stator_error_clear(error);
}

void failure_set(Failure *failure, stator_status status, const char *message)
{
    failure_clear(failure);
    failure->status = status;
    failure->flags = stator_status_flags(status);
    failure->position = -1;
    strncpy(failure->message, message, sizeof failure->message - 1);
}

stator_status dispatch_texts(stator_db *token, const uint8_t *bytes, size_t size,
                             const Texts *texts, int32_t *out_http_status, stator_buffer **out_body,
                             stator_error *error)
{
    size_t before_account = texts->region_bytes;
    size_t before_operation = before_account + texts->account_bytes;
    size_t before_body = before_operation + texts->operation_bytes;
    if (before_body > size) {
        return STATOR_MISUSE;
    }
    stator_dispatch_options options;
    stator_dispatch_options_init(&options);
    options.region = bytes;
    options.region_bytes = texts->region_bytes;
    options.account = bytes + before_account;
    options.account_bytes = texts->account_bytes;
    return stator_dispatch(token, bytes + before_operation, texts->operation_bytes,
                           bytes + before_body, size - before_body, &options, out_http_status,
                           out_body, error);
}

Job *job_create(Kind kind, const void *request, size_t request_bytes)
{
    Job *job = static_cast<Job *>(calloc(1, sizeof(Job)));
    if (!job) {
        return nullptr;
    }
    job->kind = kind;
    job->request_bytes = request_bytes;
    if (request_bytes > 0) {
        job->request = static_cast<uint8_t *>(malloc(request_bytes));
        if (!job->request) {
            free(job);
            return nullptr;
        }
        memcpy(job->request, request, request_bytes);
    }
    return job;
}

void job_destroy(Job *job)
{
    stator_buffer_free(job->buffer);
    failure_clear(&job->failure);
    free(job->result);
    free(job->request);
    free(job);
}

static void queue_push(Queue *queue, Job *job)
{
    job->next = nullptr;
    if (queue->tail) {
        queue->tail->next = job;
    } else {
        queue->head = job;
    }
    queue->tail = job;
}

static Job *queue_pop(Queue *queue)
{
    Job *job = queue->head;
    if (job) {
        queue->head = job->next;
        if (!queue->head) {
            queue->tail = nullptr;
        }
        job->next = nullptr;
    }
    return job;
}


/* The result stands in scratch or in a buffer of the library. */
static void job_keep_result(Job *job, const uint8_t *scratch, size_t scratch_bytes)
{
    if (!job->wants_result) {
        stator_buffer_free(job->buffer);
        job->buffer = nullptr;
        return;
    }
    if (job->buffer || scratch_bytes == 0) {
        return;
    }
    job->result = static_cast<uint8_t *>(malloc(scratch_bytes));
    if (!job->result) {
        failure_set(&job->failure, STATOR_NO_MEMORY, "no memory for the result");
        return;
    }
    memcpy(job->result, scratch, scratch_bytes);
    job->result_bytes = scratch_bytes;
}

static stator_status job_call(Job *job, uint8_t *scratch, size_t *out_bytes, stator_error *error)
{
    Db *db = job->db;
    switch (job->kind) {
    case KIND_EXECUTE:
        return stator_execute(db->token, job->request, job->request_bytes, scratch, RESULT_BYTES,
                              out_bytes, &job->buffer, error);
    case KIND_PAGE:
        return stator_cursor_next_page(job->cursor, scratch, RESULT_BYTES, out_bytes, &job->buffer,
                                       error);
    case KIND_OPEN:
        return stator_open(job->request, job->request_bytes, &job->options, &db->token, error);
    case KIND_CLOSE:
        return stator_close(db->token, error);
    case KIND_FLUSH:
        return stator_flush(db->token, error);
    case KIND_COMPACT:
        return stator_compact(db->token, error);
    case KIND_VERIFY:
        return stator_verify(db->token, &job->buffer, error);
    case KIND_DISPATCH:
        return dispatch_texts(db->token, job->request, job->request_bytes, &job->texts,
                              &job->http_status, &job->buffer, error);
    case KIND_CLOCK:
        return stator_clock_move(db->token, job->offset_us, error);
    case KIND_COUNT:
        break;
    }
    return STATOR_UNSUPPORTED;
}

static void job_run(Job *job, uint8_t *scratch)
{
    stator_error error;
    stator_error_init(&error);
    size_t scratch_bytes = 0;
    stator_status status = job_call(job, scratch, &scratch_bytes, &error);
    if (status != STATOR_OK) {
        failure_take(&job->failure, status, &error);
    }
    if (job->kind != KIND_VERIFY && status == STATOR_OK) {
        job_keep_result(job, scratch, scratch_bytes);
    }
    stator_error_clear(&error);
}

static uint8_t *merge_frame(const Queue *jobs, size_t *out_bytes)
{
    size_t total = 2;
    for (Job *job = jobs->head; job; job = job->next) {
        total += 5 + job->request_bytes;
    }
    uint8_t *frame = static_cast<uint8_t *>(malloc(total));
    if (!frame) {
        return nullptr;
    }
    uint8_t *to = frame;
    *to++ = 1; /* version */
    *to++ = 8; /* batch write */
    for (Job *job = jobs->head; job; job = job->next) {
        *to++ = 17; /* entry */
        for (int i = 0; i < 4; i++) {
            *to++ = static_cast<uint8_t>(job->request_bytes >> (8 * i));
        }
        memcpy(to, job->request, job->request_bytes);
        to += job->request_bytes;
    }
    *out_bytes = total;
    return frame;
}

/* One commit for all of them; false when they have to run one by one. */
static bool merge_run(Db *db, Queue *jobs, uint8_t *scratch)
{
    size_t frame_bytes = 0;
    uint8_t *frame = merge_frame(jobs, &frame_bytes);
    if (!frame) {
        return false;
    }
    stator_error error;
    stator_error_init(&error);
    size_t result_bytes = 0;
    stator_buffer *buffer = nullptr;
    stator_status status = stator_execute(db->token, frame, frame_bytes, scratch, RESULT_BYTES,
                                          &result_bytes, &buffer, &error);
    stator_buffer_free(buffer);
    free(frame);
    Failure failure = Failure();
    if (status != STATOR_OK) {
        failure_take(&failure, status, &error);
    }
    stator_error_clear(&error);
    bool is_refused = status != STATOR_OK && (failure.flags & STATOR_ERROR_MAYBE_APPLIED) == 0 &&
                      (status == STATOR_NO_MEMORY || (failure.flags & STATOR_ERROR_CALLER) != 0);
    free(failure.detail); /* it may go with one job alone, and says no more than the message */
    failure.detail = nullptr;
    failure.detail_bytes = 0;
    if (is_refused) {
        return false;
    }
    for (Job *job = jobs->head; job; job = job->next) {
        job->failure = failure;
    }
    return true;
}

/* The next job and, if it may share its commit, those behind it that may too. */
static void lane_take(LaneState *lane, Queue *out_jobs)
{
    Job *job = queue_pop(&lane->queue);
    size_t bytes = job->request_bytes;
    uint32_t count = 1;
    queue_push(out_jobs, job);
    while (job->may_merge && lane->queue.head && lane->queue.head->may_merge &&
           count < MERGE_JOBS && bytes + lane->queue.head->request_bytes <= MERGE_BYTES) {
        Job *next = queue_pop(&lane->queue);
        bytes += next->request_bytes;
        count++;
        queue_push(out_jobs, next);
    }
}

/* With the mutex held. */
static bool db_is_busy(const Db *db, const LaneState *except)
{
    for (const LaneState &lane : db->lanes) {
        if (&lane != except && (lane.queue.head || lane.is_working)) {
            return true;
        }
    }
    return false;
}

static void lane_work(Db *db, LaneState *lane, Queue *jobs, uint8_t *scratch)
{
    if (jobs->head->kind == KIND_CLOSE) {
        pthread_mutex_lock(&db->mutex);
        while (db_is_busy(db, lane) && !db->is_stopping) {
            pthread_cond_wait(&db->idle, &db->mutex);
        }
        pthread_mutex_unlock(&db->mutex);
    }
    if (!jobs->head->next || !merge_run(db, jobs, scratch)) {
        for (Job *job = jobs->head; job; job = job->next) {
            job_run(job, scratch);
        }
    }
}

struct LaneStart {
    Db *db;
    LaneState *lane;
    uint8_t *scratch;
};

static void *lane_main(void *argument)
{
    LaneStart start = *static_cast<LaneStart *>(argument);
    free(argument);
    Db *db = start.db;
    LaneState *lane = start.lane;
    pthread_mutex_lock(&db->mutex);
    for (;;) {
        while (!lane->queue.head && !db->is_stopping) {
            pthread_cond_wait(&lane->wake, &db->mutex);
        }
        if (db->is_stopping) {
            break;
        }
        Queue jobs = Queue();
        lane_take(lane, &jobs);
        lane->is_working = true;
        pthread_mutex_unlock(&db->mutex);
        lane_work(db, lane, &jobs, start.scratch);
        env_finish(db->env, &jobs);
        pthread_mutex_lock(&db->mutex);
        lane->is_working = false;
        pthread_cond_broadcast(&db->idle);
    }
    pthread_mutex_unlock(&db->mutex);
    free(start.scratch);
    return nullptr;
}

/* Signals belong to the threads of the runtime. */
static bool lane_start(Db *db, LaneState *lane)
{
    LaneStart *start = static_cast<LaneStart *>(malloc(sizeof(LaneStart)));
    uint8_t *scratch = static_cast<uint8_t *>(malloc(RESULT_BYTES));
    if (!start || !scratch) {
        free(start);
        free(scratch);
        return false;
    }
    *start = LaneStart{db, lane, scratch};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    lane->is_started = pthread_create(&lane->thread, nullptr, lane_main, start) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (!lane->is_started) {
        free(start);
        free(scratch);
    }
    return lane->is_started;
}

stator_status db_submit(Db *db, Job *job, Lane number)
{
    LaneState *lane = &db->lanes[number];
    job->db = db;
    pthread_mutex_lock(&db->mutex);
    bool is_ready = lane->is_started || lane_start(db, lane);
    if (is_ready) {
        queue_push(&lane->queue, job);
        pthread_cond_signal(&lane->wake);
    }
    pthread_mutex_unlock(&db->mutex);
    return is_ready ? STATOR_OK : STATOR_NO_MEMORY;
}

Db *db_create(Env *env)
{
    Db *db = static_cast<Db *>(calloc(1, sizeof(Db)));
    if (!db) {
        return nullptr;
    }
    db->env = env;
    pthread_mutex_init(&db->mutex, nullptr);
    pthread_cond_init(&db->idle, nullptr);
    for (LaneState &lane : db->lanes) {
        pthread_cond_init(&lane.wake, nullptr);
    }
    return db;
}

void db_drain(Db *db)
{
    pthread_mutex_lock(&db->mutex);
    while (db_is_busy(db, nullptr)) {
        pthread_cond_wait(&db->idle, &db->mutex);
    }
    pthread_mutex_unlock(&db->mutex);
}

stator_db *db_destroy(Db *db)
{
    pthread_mutex_lock(&db->mutex);
    db->is_stopping = true;
    for (LaneState &lane : db->lanes) {
        pthread_cond_broadcast(&lane.wake);
    }
    pthread_cond_broadcast(&db->idle);
    pthread_mutex_unlock(&db->mutex);
    for (LaneState &lane : db->lanes) {
        if (lane.is_started) {
            pthread_join(lane.thread, nullptr);
        }
        while (Job *job = queue_pop(&lane.queue)) {
            job_destroy(job);
        }
        pthread_cond_destroy(&lane.wake);
    }
    pthread_cond_destroy(&db->idle);
    pthread_mutex_destroy(&db->mutex);
    stator_db *token = db->token;
    free(db);
    return token;
}

} // namespace stator_node
