/* Databases: opening, closing, care. */
#include "ffi_internal.h"

#include <string.h>

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
    st_database *database;
    status =
        (stator_status)st_database_open(&call.op, ffi_slice(path, path_bytes), &checked, &database);
    if (status == STATOR_OK) {
        *out_db = ffi_db_new(database);
        if (!*out_db) {
            status = (stator_status)st_fail_memory(&call.op, sizeof(ffi_db));
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
    ffi_db *db;
    stator_status status = ffi_db_shut(token, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_cursor_forget(db);
    ffi_call call;
    ffi_begin(&call, error);
    status = (stator_status)st_database_close(&call.op, db->database);
    ffi_db_end(token, db);
    return ffi_end(&call, status);
}

/* ---- care ------------------------------------------------------------------------------- */

typedef st_status (*ffi_care)(st_op *op, st_lsm *lsm);

static stator_status ffi_db_care(stator_db *token, ffi_care care, stator_error *error)
{
    ffi_hold db;
    stator_status status = ffi_enter(token, FFI_DB, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    status = (stator_status)care(&call.op, st_database_lsm(db.db->database));
    ffi_leave(&db);
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

/* Takes report over and hands it out also when damage was found; without memory for it the status
 * alone goes out. */
static stator_status ffi_db_report(ffi_call *call, st_status status, st_buf *report,
                                   stator_buffer **out_report)
{
    ffi_call quiet;
    ffi_begin(&quiet, NULL);
    stator_status kept = (stator_status)st_buf_check(&quiet.op, report);
    if (kept == STATOR_OK) {
        kept = ffi_buffer_of(&quiet, report, out_report);
    }
    if (status == ST_OK && kept != STATOR_OK) {
        status = st_fail_memory(&call->op, report->size);
    }
    st_op_deinit(&quiet.op);
    st_buf_deinit(report);
    return (stator_status)status;
}

stator_status stator_verify(stator_db *token, stator_buffer **out_report, stator_error *error)
{
    if (!out_report) {
        return ffi_refuse(error, STATOR_MISUSE, "out_report is NULL");
    }
    *out_report = NULL;
    ffi_hold db;
    stator_status status = ffi_enter(token, FFI_DB, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    ffi_call call;
    ffi_begin(&call, error);
    st_buf report;
    st_buf_init(&report, ffi_alloc());
    st_status verified =
        st_lsm_verify(&call.op, st_database_lsm(db.db->database), ffi_db_line, &report);
    if (verified == ST_OK) {
        verified = st_database_verify(&call.op, db.db->database, ffi_db_line, &report);
    }
    ffi_leave(&db);
    return ffi_end(&call, ffi_db_report(&call, verified, &report, out_report));
}

/* ---- inspect ---------------------------------------------------------------------------- */

#define FFI_FRAME_FILE_BYTES_MAX ((uint64_t)1 << 20) /* items are smaller */

/* A file that holds one item frame and nothing else. False, and nothing in report, for any other.
 */
static bool ffi_inspect_item(const char *path, st_buf *report)
{
    st_op op;
    st_file *file = NULL;
    st_buf frame;
    uint64_t bytes = 0;
    size_t got = 0, before = report->size;
    st_op_init(&op, ffi_alloc());
    st_buf_init(&frame, ffi_alloc());
    st_status status = st_env_open(&op, st_env_posix(), path, ST_OPEN_READ, &file);
    status = status == ST_OK ? st_file_size(&op, file, &bytes) : status;
    if (status == ST_OK && (bytes == 0 || bytes > FFI_FRAME_FILE_BYTES_MAX)) {
        status = ST_NOT_A_DATABASE;
    }
    if (status == ST_OK) {
        uint8_t *to = st_buf_extend(&frame, (size_t)bytes);
        status = to ? st_file_read_at(&op, file, 0, to, (size_t)bytes, &got) : ST_NO_MEMORY;
        frame.size = got;
    }
    status = status == ST_OK ? st_item_validate(&op, st_buf_view(&frame)) : status;
    if (status == ST_OK) {
        ffi_db_line(report, "item frame");
        status = st_item_to_dynamodb_json(&op, st_buf_view(&frame), report);
        st_buf_byte(report, '\n');
    }
    report->size = status == ST_OK ? report->size : before;
    st_file_close(file);
    st_buf_deinit(&frame);
    st_op_deinit(&op);
    return status == ST_OK;
}

stator_status stator_inspect(const void *path, size_t path_bytes, stator_buffer **out_report,
                             stator_error *error)
{
    if (!out_report) {
        return ffi_refuse(error, STATOR_MISUSE, "out_report is NULL");
    }
    *out_report = NULL;
    char name[ST_ENV_PATH_MAX];
    if (!ffi_is_bytes(path, path_bytes) || path_bytes == 0 || path_bytes >= sizeof name ||
        memchr(path, 0, path_bytes)) {
        return ffi_refuse(error, STATOR_INVALID_ARGUMENT,
                          "path is NULL, empty or too long, or has a NUL in it");
    }
    memcpy(name, path, path_bytes);
    name[path_bytes] = '\0';
    ffi_call call;
    ffi_begin(&call, error);
    st_buf report;
    st_buf_init(&report, ffi_alloc());
    st_status status = st_lsm_inspect(&call.op, st_env_posix(), name, ffi_db_line, &report);
    if (status == ST_NOT_A_DATABASE && ffi_inspect_item(name, &report)) {
        st_op_clear(&call.op);
        status = ST_OK;
    }
    return ffi_end(&call, ffi_db_report(&call, status, &report, out_report));
}

/* ---- statistics ------------------------------------------------------------------------- */

stator_status stator_stats_read(stator_db *token, stator_stats *out_stats, stator_error *error)
{
    if (!out_stats) {
        return ffi_refuse(error, STATOR_MISUSE, "out_stats is NULL");
    }
    ffi_hold db;
    stator_status status = ffi_enter(token, FFI_DB, error, &db);
    if (status != STATOR_OK) {
        return status;
    }
    st_lsm_stats from;
    st_lsm_stats_read(st_database_lsm(db.db->database), &from);
    stator_stats stats = {
        .table_count = st_database_table_count(db.db->database),
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
    ffi_leave(&db);
    return ffi_struct_out(&stats, out_stats, sizeof stats, error);
}
