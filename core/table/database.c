/* Databases: opening and closing, and the list of those that this process has open. Opening a
 * directory again gives another reference to the same database. A forked child does not see its
 * parent's: it is told that the directory is locked.
 */
#include "table/table_internal.h"

#include <string.h>

/* Names what the keys of this database are made of. Another text means a later version. */
#define DATABASE_HEADER "stator 1; stripe crc32c 256; key 1; item 1"

/* Spins: held for a few instructions. Holds the stamp of the process that has it, so that a forked
 * child can take it over from a thread of its parent, which has gone. Every change of the list is
 * one store, so that it is whole at any moment. */
static _Atomic uint64_t database_registry_lock;
static st_database *database_registry;

static void database_lock(void)
{
    uint64_t stamp = st_env_process_stamp();
    uint64_t holder = 0;
    for (uint32_t round = 0; !atomic_compare_exchange_strong_explicit(
             &database_registry_lock, &holder, stamp, memory_order_acquire, memory_order_relaxed);
         round++) {
        if (holder == stamp) {
            holder = 0;
            st_env_pause(round);
        }
    }
}

static void database_unlock(void)
{
    atomic_store_explicit(&database_registry_lock, 0, memory_order_release);
}

void st_database_options_init(st_database_options *options)
{
    st_lsm_options lsm;
    st_lsm_options_init(&lsm);
    *options = (st_database_options){.create = lsm.create,
                                     .durability = lsm.durability,
                                     .interval_ms = lsm.interval_ms,
                                     .memory_budget_bytes = lsm.memory_budget_bytes};
}

/* The first option in which two openings differ; NULL when they agree. create says nothing about
 * what is open. */
static const char *database_differing_option(const st_database_options *a,
                                             const st_database_options *b)
{
    return a->read_only != b->read_only                       ? "read_only"
           : a->inline_background != b->inline_background     ? "inline_background"
           : a->durability != b->durability                   ? "durability"
           : a->interval_ms != b->interval_ms                 ? "interval_ms"
           : a->memory_budget_bytes != b->memory_budget_bytes ? "memory_budget_bytes"
           : a->memtable_bytes != b->memtable_bytes           ? "memtable_bytes"
           : a->file_bytes != b->file_bytes                   ? "file_bytes"
                                                              : NULL;
}

/* ---- one database ----------------------------------------------------------------------- */

static void database_free(st_database *database)
{
    st_table__catalog_deinit(&database->catalog, database->alloc);
    if (database->owns_env) {
        st_env_destroy(database->env);
    }
    st_mutex_deinit(&database->busy_mutex);
    st_cond_deinit(&database->busy_ended);
    st_mutex_deinit(&database->reaper_mutex);
    st_cond_deinit(&database->reaper_wakes);
    st_alloc_free(database->alloc, database->path, database->path_bytes);
    st_alloc_free(database->alloc, database, sizeof *database);
}

static st_status database_create(st_op *op, const st_database_options *options, st_env *env,
                                 st_slice path, st_database **out_database)
{
    st_database *database = st_alloc_new(options->alloc, sizeof *database);
    char *copy = st_alloc_new(options->alloc, path.size + 1);
    if (!database || !copy) {
        st_alloc_free(options->alloc, database, sizeof *database);
        st_alloc_free(options->alloc, copy, path.size + 1);
        return st_fail_memory(op, sizeof *database);
    }
    memcpy(copy, path.data, path.size);
    database->alloc = options->alloc;
    database->env = env;
    database->options = *options;
    database->path = copy;
    database->path_bytes = path.size + 1;
    database->openings = 1;
    database->is_busy = true;
    database->process_stamp = st_env_process_stamp();
    st_mutex_init(&database->busy_mutex);
    st_cond_init(&database->busy_ended);
    st_mutex_init(&database->reaper_mutex);
    st_cond_init(&database->reaper_wakes);
    st_table__catalog_init(&database->catalog);
    *out_database = database;
    return ST_OK;
}

static st_status database_check_header(st_op *op, const st_database *database)
{
    st_slice header = st_lsm_header(database->lsm);
    if (st_slice_equal(header, st_slice_str(DATABASE_HEADER))) {
        return ST_OK;
    }
    return st_fail(op, ST_UNSUPPORTED, "%s: the database is of another version: '%.*s'",
                   database->path, (int)(header.size < 80 ? header.size : 80),
                   (const char *)header.data);
}

static st_status database_start(st_op *op, st_database *database)
{
    st_lsm_options options;
    st_lsm_options_init(&options);
    options.env = database->env;
    options.alloc = database->alloc;
    options.path = database->path;
    options.create = database->options.create;
    options.read_only = database->options.read_only;
    options.inline_background = database->options.inline_background;
    options.durability = database->options.durability;
    options.interval_ms = database->options.interval_ms;
    options.memory_budget_bytes = database->options.memory_budget_bytes;
    options.memtable_bytes = database->options.memtable_bytes;
    options.file_bytes = database->options.file_bytes;
    options.header = st_slice_str(DATABASE_HEADER);
    ST_TRY(st_lsm_open(op, &options, &database->lsm));
    st_status status = database_check_header(op, database);
    status = status == ST_OK ? st_table__catalog_load(op, database) : status;
    if (status == ST_OK && !database->options.read_only) {
        status = st_table__fill_all(op, database);
        st_table__start_reaper(database);
    }
    if (status != ST_OK) {
        st_table__stop_reaper(database);
        st_op quiet;
        st_op_init(&quiet, database->alloc);
        (void)st_lsm_close(&quiet, database->lsm); /* the first error is the one to tell */
        st_op_deinit(&quiet);
        database->lsm = NULL;
    }
    return status;
}

/* ---- the registry ----------------------------------------------------------------------- */

/* Lock held. */
static st_database *database_find(const st_env *env, st_slice path)
{
    uint64_t stamp = st_env_process_stamp();
    st_database *found = database_registry;
    while (found && (found->env != env || found->process_stamp != stamp ||
                     !st_slice_equal(st_slice_str(found->path), path))) {
        found = found->next;
    }
    return found;
}

/* Until it is open, or not there any more. The caller is one of its waiters, which keeps it. */
static void database_await(st_database *busy)
{
    st_mutex_lock(&busy->busy_mutex);
    while (busy->is_busy) {
        st_cond_wait(&busy->busy_ended, &busy->busy_mutex);
    }
    st_mutex_unlock(&busy->busy_mutex);
    database_lock();
    busy->waiters--;
    database_unlock();
}

/* An open database of the same place, with one more opening; or added takes the place, and
 * *out_database is NULL. Waits while the one of the place opens or closes. */
static st_status database_join(st_op *op, const st_database_options *options, st_database *added,
                               st_database **out_database)
{
    *out_database = NULL;
    for (;;) {
        database_lock();
        st_database *found = database_find(added->env, st_slice_str(added->path));
        if (!found) {
            added->next = database_registry;
            database_registry = added;
            database_unlock();
            return ST_OK;
        }
        if (!found->is_busy) {
            const char *option = database_differing_option(options, &found->options);
            found->openings += option == NULL;
            database_unlock();
            if (option) {
                return st_fail(op, ST_INVALID_ARGUMENT,
                               "%s: open in this process with another value of the option %s",
                               added->path, option);
            }
            *out_database = found;
            return ST_OK;
        }
        found->waiters++;
        database_unlock();
        database_await(found);
    }
}

/* Wakes those who wait; is_there: it stays in the list. */
static void database_end_busy(st_database *database, bool is_there)
{
    st_mutex_lock(&database->busy_mutex);
    database_lock();
    st_database **at = &database_registry;
    while (!is_there && *at && *at != database) {
        at = &(*at)->next;
    }
    if (!is_there && *at) {
        *at = database->next;
    }
    database->is_busy = false;
    database_unlock();
    st_cond_broadcast(&database->busy_ended);
    st_mutex_unlock(&database->busy_mutex);
}

/* Nobody finds it any more; those who did are on their way out. */
static void database_leave(st_database *database)
{
    database_end_busy(database, false);
    for (uint32_t round = 0;; round++) {
        database_lock();
        bool is_alone = database->waiters == 0;
        database_unlock();
        if (is_alone) {
            return;
        }
        st_env_pause(round);
    }
}

static st_status database_open_at(st_op *op, const st_database_options *options, st_env *env,
                                  st_slice path, st_database **out_database)
{
    st_database *database, *shared;
    ST_TRY(database_create(op, options, env, path, &database));
    st_status status = database_join(op, options, database, &shared);
    if (status != ST_OK || shared) {
        database_free(database);
        *out_database = shared;
        return status;
    }
    status = database_start(op, database);
    if (status != ST_OK) {
        database_leave(database);
        database_free(database);
        return status;
    }
    database_end_busy(database, true);
    *out_database = database;
    return ST_OK;
}

static st_status database_open_memory(st_op *op, const st_database_options *options,
                                      st_database **out_database)
{
    st_env *env;
    st_database *database;
    ST_TRY(st_env_memory_create(op, options->alloc, &env));
    st_status status = database_create(op, options, env, st_slice_str(":memory:"), &database);
    if (status != ST_OK) {
        st_env_destroy(env);
        return status;
    }
    database->owns_env = true;
    database->is_busy = false;
    database->options.create = true;
    status = database_start(op, database);
    if (status != ST_OK) {
        database_free(database);
        return status;
    }
    *out_database = database;
    return ST_OK;
}

st_status st_database_open(st_op *op, st_slice path, const st_database_options *options,
                           st_database **out_database)
{
    *out_database = NULL;
    if (path.size == 0 || path.size >= ST_ENV_PATH_MAX - 64 || memchr(path.data, 0, path.size)) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a path must be 1..4,031 bytes without NUL");
    }
    if (st_slice_equal(path, st_slice_str(":memory:")) && !options->env) {
        return database_open_memory(op, options, out_database);
    }
    st_env *env = options->env ? options->env : st_env_posix();
    char given[ST_ENV_PATH_MAX];
    memcpy(given, path.data, path.size);
    given[path.size] = '\0';
    st_buf real;
    st_buf_init(&real, options->alloc);
    st_status status = st_env_real_path(op, env, given, &real);
    if (status == ST_OK) {
        status =
            database_open_at(op, options, env, st_slice_of(real.data, real.size - 1), out_database);
    }
    st_buf_deinit(&real);
    return status;
}

st_status st_database_close(st_op *op, st_database *database)
{
    st_mutex_lock(&database->busy_mutex);
    database_lock();
    bool is_last = --database->openings == 0;
    database->is_busy = is_last;
    database_unlock();
    st_mutex_unlock(&database->busy_mutex);
    if (!is_last) {
        return ST_OK;
    }
    st_table__stop_reaper(database);
    st_status status = st_lsm_close(op, database->lsm);
    database_leave(database);
    database_free(database);
    return status;
}

st_lsm *st_database_lsm(st_database *database)
{
    return database->lsm;
}

st_env *st_database_env(st_database *database)
{
    return database->env;
}
