/* The Node-API face of the engine, private to src/native.ts.
 *
 * JavaScript encodes a request into a buffer and passes it; the result lands in one buffer that
 * was registered at the start, so that a call carries no objects. Databases and cursors are known
 * to JavaScript as small numbers, places in the tables of Env.
 *
 * A call returns a number: what it made or the length of its result, or the negative status. Then
 * error() tells the rest, once, on the same thread and before any other call.
 *
 * Each environment (main thread, worker thread) has an Env of its own. What lanes have finished
 * comes back through one thread-safe function, all of it in one call. At the end of the
 * environment threads are joined and databases closed.
 */
#include <napi.h>

#include "addon.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

namespace stator_node {

static const int32_t RESULT_IS_LARGE = -1000;
static const uint32_t PLACES_MAX = 1u << 24;

/* Places, reused; NULL when free. */
struct Table {
    void **places;
    uint32_t count;
};

/* finished: guarded by mutex. The rest belongs to the JavaScript thread. */
struct Env {
    napi_env env;
    napi_threadsafe_function wake;
    uint8_t *result;
    size_t result_capacity;
    napi_ref result_reference;
    Table dbs, cursors;
    stator_buffer *large; /* a result that did not fit, until takeLarge() */
    Failure failure;
    uint32_t next_id;
    uint32_t pending; /* jobs not given back yet: while there are some, the event loop stays */
    pthread_mutex_t mutex;
    Queue finished;
};

/* The place, or -1 without memory. */
static int64_t table_add(Table *table, void *entry)
{
    uint32_t place = 0;
    while (place < table->count && table->places[place]) {
        place++;
    }
    if (place == table->count) {
        uint32_t count = table->count ? table->count * 2 : 8;
        if (count > PLACES_MAX) {
            return -1;
        }
        void **grown = static_cast<void **>(realloc(table->places, count * sizeof(void *)));
        if (!grown) {
            return -1;
        }
        memset(grown + table->count, 0, (count - table->count) * sizeof(void *));
        table->places = grown;
        table->count = count;
    }
    table->places[place] = entry;
    return place;
}

static void *table_at(const Table *table, uint32_t place)
{
    return place < table->count ? table->places[place] : nullptr;
}

static void table_remove(Table *table, uint32_t place)
{
    if (place < table->count) {
        table->places[place] = nullptr;
    }
}

static Env *env_of(const Napi::CallbackInfo &info)
{
    return static_cast<Env *>(info.Data());
}

static uint32_t u32_at(const Napi::CallbackInfo &info, size_t index)
{
    uint32_t value = 0;
    napi_get_value_uint32(info.Env(), info[index], &value);
    return value;
}

static Napi::Value number_of(const Napi::CallbackInfo &info, double value)
{
    return Napi::Number::New(info.Env(), value);
}

static Napi::Value refuse(const Napi::CallbackInfo &info, stator_status status, const char *message)
{
    failure_set(&env_of(info)->failure, status, message);
    return number_of(info, -static_cast<double>(status));
}

static Napi::Value refuse_db(const Napi::CallbackInfo &info)
{
    return refuse(info, STATOR_CLOSED, "the database is closed");
}

static Napi::Value refuse_memory(const Napi::CallbackInfo &info)
{
    return refuse(info, STATOR_NO_MEMORY, "out of memory");
}

/* The outcome of a synchronous call; value is what it returns when it went well. */
static Napi::Value finish(const Napi::CallbackInfo &info, stator_status status, stator_error *error,
                          double value)
{
    if (status != STATOR_OK) {
        failure_take(&env_of(info)->failure, status, error);
        value = -static_cast<double>(status);
    }
    stator_error_clear(error);
    return number_of(info, value);
}

/* The bytes of a Uint8Array; length is the second word of the pair and may say less. */
static const uint8_t *bytes_at(const Napi::CallbackInfo &info, size_t index, size_t *out_bytes)
{
    void *data = nullptr;
    size_t capacity = 0;
    *out_bytes = 0;
    if (napi_get_buffer_info(info.Env(), info[index], &data, &capacity) != napi_ok) {
        return nullptr;
    }
    uint32_t bytes = u32_at(info, index + 1);
    *out_bytes = bytes < capacity ? bytes : capacity;
    return static_cast<const uint8_t *>(data);
}

static Db *db_at(const Napi::CallbackInfo &info, size_t index)
{
    return static_cast<Db *>(table_at(&env_of(info)->dbs, u32_at(info, index)));
}

/* ---- finished jobs --------------------------------------------------------------------------- */

void env_finish(Env *env, Queue *jobs)
{
    pthread_mutex_lock(&env->mutex);
    bool was_empty = !env->finished.head;
    if (was_empty) {
        env->finished = *jobs;
    } else {
        env->finished.tail->next = jobs->head;
        env->finished.tail = jobs->tail;
    }
    pthread_mutex_unlock(&env->mutex);
    if (was_empty) {
        napi_call_threadsafe_function(env->wake, nullptr, napi_tsfn_nonblocking);
    }
}

/* The next functions speak Node-API itself: an environment that is being ended refuses every call,
 * and then a missing value is all that may come of it. */

static napi_value undefined_value(napi_env env)
{
    napi_value value = nullptr;
    napi_get_undefined(env, &value);
    return value;
}

static void array_set(napi_env env, napi_value array, uint32_t index, napi_value value)
{
    if (array && value) {
        napi_set_element(env, array, index, value);
    }
}

static void array_set_number(napi_env env, napi_value array, uint32_t index, double number)
{
    napi_value value = nullptr;
    napi_create_double(env, number, &value);
    array_set(env, array, index, value);
}

static napi_value bytes_value(napi_env env, const void *data, size_t bytes)
{
    napi_value value = nullptr;
    if (!data || napi_create_buffer_copy(env, bytes, data, nullptr, &value) != napi_ok) {
        return undefined_value(env);
    }
    return value;
}

static napi_value failure_value(napi_env env, const Failure *failure)
{
    napi_value array = nullptr, message = nullptr;
    napi_create_array_with_length(env, 6, &array);
    array_set_number(env, array, 0, failure->status);
    array_set_number(env, array, 1, failure->flags);
    array_set_number(env, array, 2, static_cast<double>(failure->position));
    array_set_number(env, array, 3, failure->os_error);
    napi_create_string_utf8(env, failure->message, NAPI_AUTO_LENGTH, &message);
    array_set(env, array, 4, message);
    array_set(env, array, 5, bytes_value(env, failure->detail, failure->detail_bytes));
    return array;
}

static napi_value buffer_value(napi_env env, stator_buffer *buffer)
{
    const void *data = nullptr;
    size_t bytes = 0;
    if (!buffer || stator_buffer_data(buffer, &data, &bytes) != STATOR_OK) {
        return undefined_value(env);
    }
    return bytes_value(env, data, bytes);
}

/* [status, body] of the JSON protocol */
static napi_value answer_value(napi_env env, const Job *job)
{
    napi_value pair = nullptr;
    napi_create_array_with_length(env, 2, &pair);
    array_set_number(env, pair, 0, job->http_status);
    array_set(env, pair, 1, buffer_value(env, job->buffer));
    return pair;
}

static napi_value result_value(napi_env env, const Job *job)
{
    if (job->kind == KIND_DISPATCH && job->failure.status == STATOR_OK) {
        return answer_value(env, job);
    }
    return job->buffer ? buffer_value(env, job->buffer)
                       : bytes_value(env, job->result, job->result_bytes);
}

static void job_deliver(napi_env env, napi_value list, uint32_t at, Job *job)
{
    napi_handle_scope scope = nullptr;
    napi_open_handle_scope(env, &scope);
    array_set_number(env, list, at, job->id);
    array_set(env, list, at + 1,
              job->failure.status != STATOR_OK ? failure_value(env, &job->failure)
                                               : undefined_value(env));
    array_set(env, list, at + 2, result_value(env, job));
    napi_close_handle_scope(env, scope);
}

/* Calls callback([id, failure or undefined, result or undefined, ...]). */
static void env_deliver(napi_env raw, napi_value callback, void *context, void *)
{
    Env *env = static_cast<Env *>(context);
    pthread_mutex_lock(&env->mutex);
    Queue jobs = env->finished;
    env->finished = Queue();
    pthread_mutex_unlock(&env->mutex);
    uint32_t count = 0;
    napi_value list = nullptr;
    bool is_alive = raw && napi_create_array(raw, &list) == napi_ok;
    for (Job *job = jobs.head, *next; job; job = next) {
        next = job->next;
        if (is_alive) {
            job_deliver(raw, list, count, job);
        }
        count += 3;
        env->pending--;
        job_destroy(job);
    }
    if (!is_alive || count == 0) {
        return;
    }
    if (env->pending == 0) {
        napi_unref_threadsafe_function(raw, env->wake);
    }
    napi_call_function(raw, undefined_value(raw), callback, 1, &list, nullptr);
}

/* Gives the job to its lane. Returns its id, or the negative status. */
static Napi::Value submit(const Napi::CallbackInfo &info, Db *db, Job *job, Lane lane)
{
    Env *env = env_of(info);
    job->id = ++env->next_id;
    uint32_t id = job->id; /* the lane may have freed the job before submit returns */
    stator_status status = db_submit(db, job, lane);
    if (status != STATOR_OK) {
        job_destroy(job);
        return refuse(info, status, "a thread for asynchronous calls could not be started");
    }
    if (env->pending++ == 0) {
        napi_ref_threadsafe_function(info.Env(), env->wake);
    }
    return number_of(info, id);
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* error(): the last failure. */
static Napi::Value call_error(const Napi::CallbackInfo &info)
{
    Failure *failure = &env_of(info)->failure;
    napi_value value = failure_value(info.Env(), failure);
    failure_clear(failure);
    return Napi::Value(info.Env(), value);
}

/* takeLarge(): the result that did not fit, once. */
static Napi::Value call_take_large(const Napi::CallbackInfo &info)
{
    Env *env = env_of(info);
    napi_value value = buffer_value(info.Env(), env->large);
    stator_buffer_free(env->large);
    env->large = nullptr;
    return Napi::Value(info.Env(), value);
}

/* Absent options are NaN. */
static double option_at(Napi::Float64Array values, size_t index, double fallback)
{
    double value = index < values.ElementLength() ? values[index] : fallback;
    return isnan(value) ? fallback : value;
}

/* [create, readOnly, durability, intervalMs, inlineBackground, memoryBudget, memtable, file] */
static stator_options options_at(const Napi::CallbackInfo &info, size_t index)
{
    stator_options options;
    stator_options_init(&options);
    if (info[index].IsTypedArray()) {
        Napi::Float64Array values = info[index].As<Napi::Float64Array>();
        options.create = static_cast<uint32_t>(option_at(values, 0, options.create));
        options.read_only = static_cast<uint32_t>(option_at(values, 1, options.read_only));
        options.durability = static_cast<uint32_t>(option_at(values, 2, options.durability));
        options.interval_ms = static_cast<uint32_t>(option_at(values, 3, options.interval_ms));
        options.inline_background =
            static_cast<uint32_t>(option_at(values, 4, options.inline_background));
        options.memory_budget_bytes = static_cast<uint64_t>(
            option_at(values, 5, static_cast<double>(options.memory_budget_bytes)));
        options.memtable_bytes = static_cast<uint64_t>(
            option_at(values, 6, static_cast<double>(options.memtable_bytes)));
        options.file_bytes =
            static_cast<uint64_t>(option_at(values, 7, static_cast<double>(options.file_bytes)));
    }
    return options;
}

static int64_t db_add(Env *env, Db **out_db)
{
    *out_db = db_create(env);
    int64_t place = *out_db ? table_add(&env->dbs, *out_db) : -1;
    if (place < 0 && *out_db) {
        db_destroy(*out_db);
    }
    return place;
}

static void db_remove(Env *env, uint32_t place)
{
    db_destroy(static_cast<Db *>(table_at(&env->dbs, place)));
    table_remove(&env->dbs, place);
}

/* open(path, pathBytes, options): the number of the database. */
static Napi::Value call_open(const Napi::CallbackInfo &info)
{
    Env *env = env_of(info);
    Db *db = nullptr;
    size_t path_bytes = 0;
    const uint8_t *path = bytes_at(info, 0, &path_bytes);
    stator_options options = options_at(info, 2);
    int64_t place = db_add(env, &db);
    if (place < 0) {
        return refuse_memory(info);
    }
    stator_error error;
    stator_error_init(&error);
    stator_status status = stator_open(path, path_bytes, &options, &db->token, &error);
    if (status != STATOR_OK) {
        db_remove(env, static_cast<uint32_t>(place));
    }
    return finish(info, status, &error, static_cast<double>(place));
}

/* reserve(): the number of a database that submitOpen() will open. */
static Napi::Value call_reserve(const Napi::CallbackInfo &info)
{
    Db *db = nullptr;
    int64_t place = db_add(env_of(info), &db);
    return place < 0 ? refuse_memory(info) : number_of(info, static_cast<double>(place));
}

/* submitOpen(db, path, pathBytes, options): the id of the job. */
static Napi::Value call_submit_open(const Napi::CallbackInfo &info)
{
    Db *db = db_at(info, 0);
    size_t path_bytes = 0;
    const uint8_t *path = bytes_at(info, 1, &path_bytes);
    if (!db) {
        return refuse_db(info);
    }
    Job *job = job_create(KIND_OPEN, path, path_bytes);
    if (!job) {
        return refuse_memory(info);
    }
    job->options = options_at(info, 3);
    return submit(info, db, job, LANE_WRITE);
}

/* release(db): after a failed open or a finished close; the number is free again. */
static Napi::Value call_release(const Napi::CallbackInfo &info)
{
    if (db_at(info, 0)) {
        db_remove(env_of(info), u32_at(info, 0));
    }
    return info.Env().Undefined();
}

/* close(db): waits for what is queued, closes and releases. */
static Napi::Value call_close(const Napi::CallbackInfo &info)
{
    Db *db = db_at(info, 0);
    if (!db) {
        return refuse_db(info);
    }
    db_drain(db);
    stator_error error;
    stator_error_init(&error);
    stator_status status = stator_close(db->token, &error);
    db_remove(env_of(info), u32_at(info, 0));
    return finish(info, status, &error, 0);
}

/* The length of the result in the registered buffer, or RESULT_IS_LARGE. */
static Napi::Value finish_result(const Napi::CallbackInfo &info, stator_status status,
                                 stator_error *error, size_t result_bytes, stator_buffer *buffer)
{
    Env *env = env_of(info);
    if (buffer) {
        stator_buffer_free(env->large);
        env->large = buffer;
    }
    double value = buffer ? RESULT_IS_LARGE : static_cast<double>(result_bytes);
    if (status == STATOR_OK) {
        return number_of(info, value);
    }
    return finish(info, status, error, value);
}

/* execute(db, request, requestBytes) */
static Napi::Value call_execute(const Napi::CallbackInfo &info)
{
    Env *env = env_of(info);
    Db *db = db_at(info, 0);
    size_t request_bytes = 0;
    const uint8_t *request = bytes_at(info, 1, &request_bytes);
    if (!db) {
        return refuse_db(info);
    }
    stator_error error;
    stator_error_init(&error);
    size_t result_bytes = 0;
    stator_buffer *buffer = nullptr;
    stator_status status = stator_execute(db->token, request, request_bytes, env->result,
                                          env->result_capacity, &result_bytes, &buffer, &error);
    return finish_result(info, status, &error, result_bytes, buffer);
}

/* submit(db, request, requestBytes, lane, mayMerge, wantsResult): the id of the job. */
static Napi::Value call_submit(const Napi::CallbackInfo &info)
{
    Db *db = db_at(info, 0);
    size_t request_bytes = 0;
    const uint8_t *request = bytes_at(info, 1, &request_bytes);
    uint32_t lane = u32_at(info, 3);
    if (!db) {
        return refuse_db(info);
    }
    Job *job = job_create(KIND_EXECUTE, request, request_bytes);
    if (!job) {
        return refuse_memory(info);
    }
    job->may_merge = u32_at(info, 4) != 0;
    job->wants_result = u32_at(info, 5) != 0;
    return submit(info, db, job, lane == LANE_READ ? LANE_READ : LANE_WRITE);
}

/* The words behind (db, texts, textsBytes): their lengths. */
static Texts texts_at(const Napi::CallbackInfo &info)
{
    return Texts{u32_at(info, 3), u32_at(info, 4), u32_at(info, 5)};
}

/* dispatch(db, texts, textsBytes, regionBytes, accountBytes, operationBytes): the status of the
 * answer; its body is left to takeLarge(). */
static Napi::Value call_dispatch(const Napi::CallbackInfo &info)
{
    Db *db = db_at(info, 0);
    size_t bytes = 0;
    const uint8_t *data = bytes_at(info, 1, &bytes);
    if (!db) {
        return refuse_db(info);
    }
    Texts texts = texts_at(info);
    stator_error error;
    stator_error_init(&error);
    stator_buffer *body = nullptr;
    int32_t http_status = 0;
    stator_status status =
        dispatch_texts(db->token, data, bytes, &texts, &http_status, &body, &error);
    (void)finish_result(info, status, &error, 0, body);
    return number_of(info, status == STATOR_OK ? http_status : -static_cast<double>(status));
}

/* submitDispatch(db, texts, textsBytes, regionBytes, accountBytes, operationBytes, lane): the id of
 * the job; its result is [status, body]. */
static Napi::Value call_submit_dispatch(const Napi::CallbackInfo &info)
{
    Db *db = db_at(info, 0);
    size_t bytes = 0;
    const uint8_t *data = bytes_at(info, 1, &bytes);
    if (!db) {
        return refuse_db(info);
    }
    Job *job = job_create(KIND_DISPATCH, data, bytes);
    if (!job) {
        return refuse_memory(info);
    }
    job->texts = texts_at(info);
    job->wants_result = true;
    return submit(info, db, job, u32_at(info, 6) == LANE_READ ? LANE_READ : LANE_WRITE);
}

/* submitClock(db, offsetUs): the id of the job. */
static Napi::Value call_submit_clock(const Napi::CallbackInfo &info)
{
    Db *db = db_at(info, 0);
    if (!db) {
        return refuse_db(info);
    }
    Job *job = job_create(KIND_CLOCK, nullptr, 0);
    if (!job) {
        return refuse_memory(info);
    }
    napi_get_value_int64(info.Env(), info[1], &job->offset_us);
    return submit(info, db, job, LANE_WRITE);
}

/* moveClock(db, offsetUs) */
static Napi::Value call_move_clock(const Napi::CallbackInfo &info)
{
    Db *db = db_at(info, 0);
    if (!db) {
        return refuse_db(info);
    }
    int64_t offset_us = 0;
    napi_get_value_int64(info.Env(), info[1], &offset_us);
    stator_error error;
    stator_error_init(&error);
    stator_status status = stator_clock_move(db->token, offset_us, &error);
    return finish(info, status, &error, 0);
}

/* submitKind(db, kind): close, flush, compact or verify; the id of the job. */
static Napi::Value call_submit_kind(const Napi::CallbackInfo &info)
{
    Db *db = db_at(info, 0);
    uint32_t kind = u32_at(info, 1);
    if (!db) {
        return refuse_db(info);
    }
    if (kind < KIND_CLOSE || kind > KIND_VERIFY) {
        return refuse(info, STATOR_MISUSE, "unknown kind of call");
    }
    Job *job = job_create(static_cast<Kind>(kind), nullptr, 0);
    if (!job) {
        return refuse_memory(info);
    }
    job->wants_result = true;
    return submit(info, db, job, kind == KIND_CLOSE ? LANE_WRITE : LANE_UPKEEP);
}

/* runKind(db, kind): flush, compact or verify on this thread; the report is left to takeLarge(). */
static Napi::Value call_run_kind(const Napi::CallbackInfo &info)
{
    Db *db = db_at(info, 0);
    if (!db) {
        return refuse_db(info);
    }
    stator_error error;
    stator_error_init(&error);
    stator_buffer *buffer = nullptr;
    stator_status status = STATOR_MISUSE;
    switch (u32_at(info, 1)) {
    case KIND_FLUSH:
        status = stator_flush(db->token, &error);
        break;
    case KIND_COMPACT:
        status = stator_compact(db->token, &error);
        break;
    case KIND_VERIFY:
        status = stator_verify(db->token, &buffer, &error);
        break;
    default:
        break;
    }
    return finish_result(info, status, &error, 0, buffer);
}

/* stats(db, values): fills a Float64Array, in the order of STATS in src/database.ts. */
static Napi::Value call_stats(const Napi::CallbackInfo &info)
{
    Db *db = db_at(info, 0);
    if (!db || !info[1].IsTypedArray()) {
        return refuse_db(info);
    }
    stator_error error;
    stator_error_init(&error);
    stator_stats stats = stator_stats();
    stats.struct_size = sizeof stats;
    stator_status status = stator_stats_read(db->token, &stats, &error);
    Napi::Float64Array to = info[1].As<Napi::Float64Array>();
    const uint64_t *levels[] = {stats.level_files, stats.level_bytes, stats.level_entries};
    const uint64_t values[] = {
        stats.table_count,         stats.applied_sequence,        stats.published_sequence,
        stats.durable_sequence,    stats.memtable_bytes,          stats.memtable_entries,
        stats.log_segments,        stats.log_bytes,               stats.cache_bytes,
        stats.cache_hits,          stats.cache_misses,            stats.written_bytes_log,
        stats.written_bytes_flush, stats.written_bytes_compaction, stats.flushes,
        stats.compactions,         stats.syncs,                   stats.stall_us,
        stats.memory_used_bytes,   stats.memory_budget_bytes,     stats.recovered_frames,
        stats.recovered_torn_bytes};
    size_t count = sizeof values / sizeof values[0];
    if (to.ElementLength() < count + 3 * STATOR_STATS_LEVELS) {
        return refuse(info, STATOR_MISUSE, "the array for the counters is too short");
    }
    for (size_t i = 0; i < count; i++) {
        to[i] = static_cast<double>(values[i]);
    }
    for (size_t i = 0; i < STATOR_STATS_LEVELS; i++) {
        for (size_t j = 0; j < 3; j++) {
            to[count + 3 * i + j] = static_cast<double>(levels[j][i]);
        }
    }
    return finish(info, status, &error, static_cast<double>(count));
}

/* cursorOpen(db, request, requestBytes): the number of the cursor. */
static Napi::Value call_cursor_open(const Napi::CallbackInfo &info)
{
    Env *env = env_of(info);
    Db *db = db_at(info, 0);
    size_t request_bytes = 0;
    const uint8_t *request = bytes_at(info, 1, &request_bytes);
    if (!db) {
        return refuse_db(info);
    }
    stator_error error;
    stator_error_init(&error);
    stator_cursor *cursor = nullptr;
    stator_status status = stator_cursor_open(db->token, request, request_bytes, &cursor, &error);
    int64_t place = status == STATOR_OK ? table_add(&env->cursors, cursor) : 0;
    if (place < 0) {
        stator_cursor_free(cursor);
        stator_error_clear(&error);
        return refuse_memory(info);
    }
    return finish(info, status, &error, static_cast<double>(place));
}

static stator_cursor *cursor_at(const Napi::CallbackInfo &info, size_t index)
{
    return static_cast<stator_cursor *>(table_at(&env_of(info)->cursors, u32_at(info, index)));
}

/* cursorPage(cursor): as execute(). */
static Napi::Value call_cursor_page(const Napi::CallbackInfo &info)
{
    Env *env = env_of(info);
    stator_error error;
    stator_error_init(&error);
    size_t result_bytes = 0;
    stator_buffer *buffer = nullptr;
    stator_status status = stator_cursor_next_page(cursor_at(info, 0), env->result,
                                                   env->result_capacity, &result_bytes, &buffer,
                                                   &error);
    return finish_result(info, status, &error, result_bytes, buffer);
}

/* submitPage(db, cursor): the id of the job. */
static Napi::Value call_submit_page(const Napi::CallbackInfo &info)
{
    Db *db = db_at(info, 0);
    if (!db) {
        return refuse_db(info);
    }
    Job *job = job_create(KIND_PAGE, nullptr, 0);
    if (!job) {
        return refuse_memory(info);
    }
    job->cursor = cursor_at(info, 1);
    job->wants_result = true;
    return submit(info, db, job, LANE_READ);
}

/* cursorFree(cursor) */
static Napi::Value call_cursor_free(const Napi::CallbackInfo &info)
{
    stator_cursor_free(cursor_at(info, 0));
    table_remove(&env_of(info)->cursors, u32_at(info, 0));
    return info.Env().Undefined();
}

/* ---- the environment ------------------------------------------------------------------------- */

/* Runs before the runtime takes the thread-safe function away: threads end first. */
static void env_close(void *argument)
{
    Env *env = static_cast<Env *>(argument);
    for (uint32_t i = 0; i < env->cursors.count; i++) {
        stator_cursor_free(static_cast<stator_cursor *>(env->cursors.places[i]));
    }
    for (uint32_t i = 0; i < env->dbs.count; i++) {
        if (env->dbs.places[i]) {
            stator_close(db_destroy(static_cast<Db *>(env->dbs.places[i])), nullptr);
        }
    }
    env->cursors.count = env->dbs.count = 0;
    napi_delete_reference(env->env, env->result_reference);
}

static void env_free(napi_env, void *data, void *)
{
    Env *env = static_cast<Env *>(data);
    for (Job *job = env->finished.head, *next; job; job = next) {
        next = job->next;
        job_destroy(job);
    }
    stator_buffer_free(env->large);
    failure_clear(&env->failure);
    free(env->dbs.places);
    free(env->cursors.places);
    pthread_mutex_destroy(&env->mutex);
    free(env);
}

/* setup(resultBuffer, onFinished), once. */
static Napi::Value call_setup(const Napi::CallbackInfo &info)
{
    Env *env = env_of(info);
    if (env->wake || !info[0].IsTypedArray() || !info[1].IsFunction()) {
        return refuse(info, STATOR_MISUSE, "setup() wants a Uint8Array and a function, once");
    }
    Napi::Uint8Array result = info[0].As<Napi::Uint8Array>();
    napi_value name = Napi::String::New(info.Env(), "stator");
    if (napi_create_threadsafe_function(info.Env(), info[1], nullptr, name, 0, 1, nullptr, nullptr,
                                        env, env_deliver, &env->wake) != napi_ok) {
        return refuse_memory(info);
    }
    napi_unref_threadsafe_function(info.Env(), env->wake);
    if (napi_create_reference(info.Env(), result, 1, &env->result_reference) != napi_ok) {
        return refuse_memory(info);
    }
    napi_add_env_cleanup_hook(info.Env(), env_close, env);
    env->result = result.Data();
    env->result_capacity = result.ByteLength();
    return number_of(info, 0);
}

template <Napi::Value (*call)(const Napi::CallbackInfo &)>
static void add(Napi::Env env, Napi::Object exports, const char *name, Env *data)
{
    exports.Set(name, Napi::Function::New<call>(env, name, data));
}

static Napi::Object start(Napi::Env env, Napi::Object exports)
{
    Env *data = static_cast<Env *>(calloc(1, sizeof(Env)));
    if (!data) {
        Napi::Error::New(env, "out of memory").ThrowAsJavaScriptException();
        return exports;
    }
    data->env = env;
    pthread_mutex_init(&data->mutex, nullptr);
    napi_set_instance_data(env, data, env_free, nullptr);
    add<call_setup>(env, exports, "setup", data);
    add<call_error>(env, exports, "error", data);
    add<call_take_large>(env, exports, "takeLarge", data);
    add<call_open>(env, exports, "open", data);
    add<call_reserve>(env, exports, "reserve", data);
    add<call_submit_open>(env, exports, "submitOpen", data);
    add<call_release>(env, exports, "release", data);
    add<call_close>(env, exports, "close", data);
    add<call_execute>(env, exports, "execute", data);
    add<call_submit>(env, exports, "submit", data);
    add<call_dispatch>(env, exports, "dispatch", data);
    add<call_submit_dispatch>(env, exports, "submitDispatch", data);
    add<call_move_clock>(env, exports, "moveClock", data);
    add<call_submit_clock>(env, exports, "submitClock", data);
    add<call_submit_kind>(env, exports, "submitKind", data);
    add<call_run_kind>(env, exports, "runKind", data);
    add<call_stats>(env, exports, "stats", data);
    add<call_cursor_open>(env, exports, "cursorOpen", data);
    add<call_cursor_page>(env, exports, "cursorPage", data);
    add<call_submit_page>(env, exports, "submitPage", data);
    add<call_cursor_free>(env, exports, "cursorFree", data);
    return exports;
}

} // namespace stator_node

static Napi::Object stator_node_init(Napi::Env env, Napi::Object exports)
{
    return stator_node::start(env, exports);
}

NODE_API_MODULE(stator, stator_node_init)
