/* Databases: opening, closing, care. */
#include "ffi_internal.h"

#include <string.h>

bool ffi_is_forked(void)
{
    static _Atomic uint64_t ffi_first_stamp; /* of the process that made the first call */
    uint64_t now = st_env_process_stamp();
    uint64_t first = 0;
    if (atomic_compare_exchange_strong_explicit(&ffi_first_stamp, &first, now, memory_order_relaxed,
                                                memory_order_relaxed)) {
        return false;
    }
    return first != now;
}

/* ---- the object ------------------------------------------------------------------------- */

ffi_db *ffi_db_retain(ffi_db *db)
{
    atomic_fetch_add_explicit(&db->references, 1, memory_order_relaxed);
    return db;
}

void ffi_db_release(ffi_db *db)
{
    if (db && atomic_fetch_sub_explicit(&db->references, 1, memory_order_acq_rel) == 1) {
        st_mutex_deinit(&db->mutex);
        st_alloc_free(ffi_alloc(), db, sizeof *db);
    }
}

static void ffi_db_destroy(void *object)
{
    ffi_db_release(object);
}

stator_status ffi_db_enter(ffi_db *db)
{
    _Atomic uint32_t *count = &db->active[st_env_thread_slot() % FFI_STRIPES].count;
    atomic_fetch_add_explicit(count, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&db->is_closing, memory_order_seq_cst)) {
        atomic_fetch_sub_explicit(count, 1, memory_order_release);
        return STATOR_CLOSED;
    }
    return STATOR_OK;
}

void ffi_db_leave(ffi_db *db)
{
    atomic_fetch_sub_explicit(&db->active[st_env_thread_slot() % FFI_STRIPES].count, 1,
                              memory_order_release);
}

stator_status ffi_db_open_call(const void *token, stator_error *error, ffi_db **out_db)
{
    void *object = NULL;
    stator_status status =
        ffi_is_forked() ? STATOR_FORKED : ffi_handle_enter(token, FFI_DB, false, &object);
    if (status == STATOR_OK) {
        *out_db = object;
        status = ffi_db_enter(*out_db);
        if (status != STATOR_OK) {
            ffi_handle_leave(token, false);
        }
    }
    return status == STATOR_OK ? STATOR_OK : ffi_refuse_handle(error, status, FFI_DB);
}

void ffi_db_end_call(const void *token, ffi_db *db)
{
    ffi_db_leave(db);
    ffi_handle_leave(token, false);
}

/* ---- open and close --------------------------------------------------------------------- */

void stator_options_init(stator_options *options)
{
    if (!options) {
        return;
    }
    st_database_options defaults;
    st_database_options_init(&defaults);
    memset(options, 0, sizeof *options);
    options->struct_size = sizeof *options;
    options->create = 1;
    options->durability = STATOR_DURABILITY_SYNC;
    options->interval_ms = defaults.interval_ms;
    options->memory_budget_bytes = defaults.memory_budget_bytes;
}

static stator_status ffi_db_options(const stator_options *from, st_database_options *to,
                                    stator_error *error)
{
    stator_options options;
    stator_options_init(&options);
    if (from) {
        stator_status status = ffi_struct_in(from, &options, sizeof options, error);
        if (status != STATOR_OK) {
            return status;
        }
    }
    if (options.create > 1 || options.read_only > 1 || options.inline_background > 1 ||
        options.durability > STATOR_DURABILITY_NONE) {
        return ffi_refuse(
            error, STATOR_INVALID_ARGUMENT,
            "create, read_only and inline_background are 0 or 1, durability is 0 to 3");
    }
    st_database_options_init(to);
    to->alloc = ffi_alloc();
    to->create = options.create != 0;
    to->read_only = options.read_only != 0;
    to->inline_background = options.inline_background != 0;
    to->durability = options.durability ? (st_durability)options.durability : to->durability;
    to->interval_ms = options.interval_ms;
    to->memory_budget_bytes = options.memory_budget_bytes;
    to->memtable_bytes = options.memtable_bytes;
    to->file_bytes = options.file_bytes;
    return STATOR_OK;
}

static stator_status ffi_db_publish(ffi_call *call, st_database *database, stator_db **out_db)
{
    ffi_db *db = st_alloc_new(ffi_alloc(), sizeof *db);
    if (!db) {
        return (stator_status)st_fail_memory(&call->op, sizeof *db);
    }
    atomic_init(&db->references, 1);
    db->database = database;
    db->process_stamp = st_env_process_stamp();
    st_mutex_init(&db->mutex);
    *out_db = ffi_handle_new(FFI_DB, db, ffi_db_destroy);
    if (!*out_db) {
        ffi_db_release(db);
        return (stator_status)st_fail_memory(&call->op, sizeof *db);
    }
    return STATOR_OK;
}

stator_status stator_open(const void *path, size_t path_bytes, const stator_options *options,
                          stator_db **out_db, stator_error *error)
{
    if (!out_db) {
        return ffi_refuse(error, STATOR_MISUSE, "out_db is NULL");
    }
    *out_db = NULL;
    if (!ffi_is_bytes(path, path_bytes)) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT,
                          "path is NULL or has an impossible length");
    }
    st_database_options checked;
    stator_status status = ffi_db_options(options, &checked, error);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    (void)ffi_is_forked();
    st_database *database;
    status =
        (stator_status)st_database_open(&call.op, ffi_slice(path, path_bytes), &checked, &database);
    if (status == STATOR_OK) {
        status = ffi_db_publish(&call, database, out_db);
        if (status != STATOR_OK) {
            st_op quiet;
            st_op_init(&quiet, ffi_alloc());
            (void)st_database_close(&quiet, database); /* the lack of memory is what to tell */
            st_op_deinit(&quiet);
        }
    }
    return ffi_end(&call, status);
}

stator_status stator_close(stator_db *token, stator_error *error)
{
    void *object = NULL;
    stator_status status =
        ffi_is_forked() ? STATOR_FORKED : ffi_handle_enter(token, FFI_DB, false, &object);
    if (status == STATOR_OK && atomic_exchange(&((ffi_db *)object)->is_closing, true)) {
        ffi_handle_leave(token, false);
        status = STATOR_CLOSED; /* another thread is closing it */
    }
    if (status != STATOR_OK) {
        return ffi_refuse_handle(error, status, FFI_DB);
    }
    ffi_db *db = object;
    for (size_t i = 0; i < FFI_STRIPES; i++) {
        for (uint32_t round = 0;
             atomic_load_explicit(&db->active[i].count, memory_order_seq_cst) > 0; round++) {
            st_env_pause(round);
        }
    }
    ffi_cursor_forget(db);
    ffi_call call;
    ffi_begin(&call, error);
    status = (stator_status)st_database_close(&call.op, db->database);
    db->database = NULL;
    (void)ffi_handle_free(token, FFI_DB);
    ffi_handle_leave(token, false);
    return ffi_end(&call, status);
}

/* ---- care ------------------------------------------------------------------------------- */

typedef st_status (*ffi_care)(st_op *op, st_lsm *lsm);

static stator_status ffi_db_care(stator_db *token, ffi_care care, stator_error *error)
{
    ffi_db *db;
    stator_status status = ffi_db_open_call(token, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    status = (stator_status)care(&call.op, st_database_lsm(db->database));
    ffi_db_end_call(token, db);
    return ffi_end(&call, status);
}

stator_status stator_flush(stator_db *db, stator_error *error)
{
    return ffi_db_care(db, st_lsm_flush, error);
}

stator_status stator_compact(stator_db *db, stator_error *error)
{
    return ffi_db_care(db, st_lsm_compact, error);
}

static void ffi_db_line(void *ctx, const char *line)
{
    st_buf *report = ctx;
    st_buf_append(report, line, strlen(line));
    st_buf_byte(report, '\n');
}

/* The report goes out also when damage was found; without memory for it the status alone does. */
static stator_status ffi_db_report(ffi_call *call, st_status status, st_buf *report,
                                   stator_buffer **out_report)
{
    ffi_call quiet;
    ffi_begin(&quiet, NULL);
    stator_status kept = ffi_buffer_of(&quiet, report, out_report);
    st_op_deinit(&quiet.op);
    st_buf_deinit(report);
    if (status == ST_OK && kept != STATOR_OK) {
        status = st_fail_memory(&call->op, report->size);
    }
    return (stator_status)status;
}

stator_status stator_verify(stator_db *token, stator_buffer **out_report, stator_error *error)
{
    if (!out_report) {
        return ffi_refuse(error, STATOR_MISUSE, "out_report is NULL");
    }
    *out_report = NULL;
    ffi_db *db;
    stator_status status = ffi_db_open_call(token, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf report;
    st_buf_init(&report, ffi_alloc());
    st_status verified =
        st_lsm_verify(&call.op, st_database_lsm(db->database), ffi_db_line, &report);
    if (verified == ST_OK) {
        verified = st_database_verify(&call.op, db->database, ffi_db_line, &report);
    }
    ffi_db_end_call(token, db);
    return ffi_end(&call, ffi_db_report(&call, verified, &report, out_report));
}

stator_status stator_inspect(const void *path, size_t path_bytes, stator_buffer **out_report,
                             stator_error *error)
{
    if (!out_report) {
        return ffi_refuse(error, STATOR_MISUSE, "out_report is NULL");
    }
    *out_report = NULL;
    char name[ST_ENV_PATH_MAX];
    if (!ffi_is_bytes(path, path_bytes) || path_bytes == 0 || path_bytes >= sizeof name) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT, "path is NULL, empty or too long");
    }
    memcpy(name, path, path_bytes);
    name[path_bytes] = '\0';
    ffi_call call;
    ffi_begin(&call, error);
    st_buf report;
    st_buf_init(&report, ffi_alloc());
    st_status status = st_lsm_inspect(&call.op, st_env_posix(), name, ffi_db_line, &report);
    return ffi_end(&call, ffi_db_report(&call, status, &report, out_report));
}

stator_status stator_stats_read(stator_db *token, stator_stats *out_stats, stator_error *error)
{
    ffi_db *db;
    stator_status status = ffi_db_open_call(token, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    st_lsm_stats from;
    st_lsm_stats_read(st_database_lsm(db->database), &from);
    stator_stats stats = {
        .table_count = st_database_table_count(db->database),
        .applied_sequence = from.applied_sequence,
        .published_sequence = from.published_sequence,
        .durable_sequence = from.durable_sequence,
        .memtable_bytes = from.memtable_bytes,
        .memtable_entries = from.memtable_entries,
        .log_segments = from.log_segments,
        .log_bytes = from.log_bytes,
        .cache_bytes = from.cache_bytes,
        .cache_hits = from.cache_hits,
        .cache_misses = from.cache_misses,
        .written_bytes_log = from.written_bytes_log,
        .written_bytes_flush = from.written_bytes_flush,
        .written_bytes_compaction = from.written_bytes_compaction,
        .flushes = from.flushes,
        .compactions = from.compactions,
        .syncs = from.syncs,
        .stall_us = from.stall_us,
        .memory_used_bytes = from.memory_used_bytes,
        .memory_budget_bytes = from.memory_budget_bytes,
        .recovered_frames = from.recovered_frames,
        .recovered_torn_bytes = from.recovered_torn_bytes,
    };
    memcpy(stats.level_files, from.level_files, sizeof stats.level_files);
    memcpy(stats.level_bytes, from.level_bytes, sizeof stats.level_bytes);
    memcpy(stats.level_entries, from.level_entries, sizeof stats.level_entries);
    ffi_db_end_call(token, db);
    return ffi_struct_out(&stats, out_stats, sizeof stats, error);
}
