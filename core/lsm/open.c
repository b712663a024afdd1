/* Opening and closing.
 *
 * Opening: look whether the directory is ours, take the lock, read the manifest and open its files,
 * replay the log, remove what nothing names. New frames go into a new segment: a segment is never
 * written again after a recovery.
 */
#include "lsm/lsm_internal.h"

#include <string.h>

#define OPEN_BUDGET_MIN ((uint64_t)1 << 20)
#define OPEN_MEMTABLE_MAX ((uint64_t)64 << 20)
#define OPEN_SEGMENT_BYTES_MIN ((uint64_t)32768)
#define OPEN_UNLOCKED_TRIES 5

void st_lsm_options_init(st_lsm_options *options)
{
    *options = (st_lsm_options){.create = true,
                                .durability = ST_DURABILITY_SYNC,
                                .interval_ms = 100,
                                .memory_budget_bytes = (uint64_t)64 << 20};
}

static st_status open_check_options(st_op *op, st_lsm_options *options)
{
    if (options->memory_budget_bytes < OPEN_BUDGET_MIN) {
        return st_fail(op, ST_INVALID_ARGUMENT, "memory_budget_bytes must be at least 1 MiB");
    }
    if (options->durability < ST_DURABILITY_SYNC || options->durability > ST_DURABILITY_NONE) {
        return st_fail(op, ST_INVALID_ARGUMENT, "durability must be sync, interval or none");
    }
    if (options->interval_ms < 1 || options->interval_ms > 60000) {
        return st_fail(op, ST_INVALID_ARGUMENT, "interval_ms must be 1..60,000");
    }
    if (options->header.size > ST_LSM_HEADER_BYTES_MAX) {
        return st_fail(op, ST_INVALID_ARGUMENT, "the header is longer than 1,024 bytes");
    }
    if (options->memtable_bytes == 0) {
        uint64_t quarter = options->memory_budget_bytes / 4;
        options->memtable_bytes = quarter < OPEN_MEMTABLE_MAX ? quarter : OPEN_MEMTABLE_MAX;
    }
    options->file_bytes = options->file_bytes ? options->file_bytes : (uint64_t)32 << 20;
    return ST_OK;
}

/* ---- the structure ---------------------------------------------------------------------- */

static st_status open_create(st_op *op, const st_lsm_options *options, st_lsm **out_lsm)
{
    st_lsm *lsm = st_alloc_new(options->alloc, sizeof *lsm);
    *out_lsm = lsm;
    if (!lsm) {
        return st_fail_memory(op, sizeof *lsm);
    }
    lsm->env = options->env;
    lsm->alloc = options->alloc;
    lsm->options = *options;
    lsm->next_segment_bytes = OPEN_SEGMENT_BYTES_MIN;
    atomic_init(&lsm->handles, 1);
    atomic_init(&lsm->next_file_id, 1);
    st_mutex_init(&lsm->work);
    st_mutex_init(&lsm->state);
    st_mutex_init(&lsm->latch);
    st_cond *conds[] = {&lsm->synced, &lsm->worked, &lsm->wanted, &lsm->ticked, &lsm->unlatched};
    for (size_t i = 0; i < sizeof conds / sizeof conds[0]; i++) {
        st_cond_init(conds[i]);
    }
    st_buf_init(&lsm->path, options->alloc);
    st_buf_init(&lsm->header, options->alloc);
    st_buf_append(&lsm->path, options->path, strlen(options->path) + 1);
    ST_TRY(st_buf_check(op, &lsm->path));
    lsm->path.size--; /* the NUL stays behind it */
    uint64_t cache_bytes = lsm->options.memory_budget_bytes > 2 * lsm->options.memtable_bytes
                               ? lsm->options.memory_budget_bytes - 2 * lsm->options.memtable_bytes
                               : lsm->options.memory_budget_bytes / 4;
    return st_lsm__cache_create(op, options->alloc, cache_bytes, &lsm->cache);
}

static void open_free_segments(st_lsm *lsm)
{
    while (lsm->segments) {
        st_segment *segment = lsm->segments;
        lsm->segments = segment->next;
        st_log_close(segment->log);
        st_alloc_free(lsm->alloc, segment, sizeof *segment);
    }
    lsm->last_segment = NULL;
}

void st_lsm__let_go(st_lsm *lsm)
{
    if (atomic_fetch_sub_explicit(&lsm->handles, 1, memory_order_acq_rel) != 1) {
        return;
    }
    st_lsm__cache_destroy(lsm->cache);
    st_cond *conds[] = {&lsm->synced, &lsm->worked, &lsm->wanted, &lsm->ticked, &lsm->unlatched};
    for (size_t i = 0; i < sizeof conds / sizeof conds[0]; i++) {
        st_cond_deinit(conds[i]);
    }
    st_mutex_deinit(&lsm->work);
    st_mutex_deinit(&lsm->state);
    st_mutex_deinit(&lsm->latch);
    st_buf_deinit(&lsm->path);
    st_buf_deinit(&lsm->header);
    st_alloc_free(lsm->alloc, lsm, sizeof *lsm);
}

/* ---- the directory ---------------------------------------------------------------------- */

typedef struct open_directory {
    bool has_current, has_data, has_foreign;
    char foreign[64];
} open_directory;

static st_status open_look(st_op *op, st_lsm *lsm, open_directory *out_directory)
{
    st_buf names;
    st_buf_init(&names, lsm->alloc);
    st_status status = st_env_list(op, lsm->env, (const char *)lsm->path.data, &names);
    for (size_t at = 0; status == ST_OK && at < names.size;
         at += strlen((char *)names.data + at) + 1) {
        const char *name = (char *)names.data + at;
        uint64_t id;
        st_name_kind kind = st_lsm__name_parse(name, &id);
        out_directory->has_current |= kind == ST_NAME_CURRENT;
        out_directory->has_data |= kind == ST_NAME_LOG || kind == ST_NAME_SORTED;
        if (kind == ST_NAME_FOREIGN && !out_directory->has_foreign) {
            out_directory->has_foreign = true;
            size_t bytes = strlen(name) < sizeof out_directory->foreign - 1
                               ? strlen(name)
                               : sizeof out_directory->foreign - 1;
            memcpy(out_directory->foreign, name, bytes);
        }
        uint64_t next = atomic_load(&lsm->next_file_id);
        atomic_store(&lsm->next_file_id,
                     id >= next ? id + 1 : next); /* numbers of leftovers are not used again */
    }
    st_buf_deinit(&names);
    if (status == ST_OK && atomic_load(&lsm->next_file_id) > ST_FILE_ID_MAX) {
        return st_fail(op, ST_CORRUPT, "%s: holds a file with a number beyond all",
                       (const char *)lsm->path.data);
    }
    return status;
}

static st_status open_check_directory(st_op *op, st_lsm *lsm, open_directory *out_directory)
{
    const char *path = (const char *)lsm->path.data;
    uint64_t bytes;
    bool is_dir;
    st_status status = st_env_stat(op, lsm->env, path, &bytes, &is_dir);
    if (status == ST_NOT_FOUND && lsm->options.create && !lsm->options.read_only) {
        st_op_clear(op);
        ST_TRY(st_env_mkdir(op, lsm->env, path));
        is_dir = true;
    } else if (status != ST_OK) {
        return status;
    }
    if (!is_dir) {
        return st_fail(op, ST_NOT_A_DATABASE, "%s: a database is a directory, and this is a file",
                       path);
    }
    ST_TRY(open_look(op, lsm, out_directory));
    if (out_directory->has_current) {
        return ST_OK;
    }
    if (out_directory->has_data) {
        return st_fail(op, ST_CORRUPT,
                       "%s/CURRENT: missing, although there are files of a database", path);
    }
    if (out_directory->has_foreign) {
        return st_fail(op, ST_NOT_A_DATABASE, "%s: not a database: it holds %s and no CURRENT",
                       path, out_directory->foreign);
    }
    if (!lsm->options.create || lsm->options.read_only) {
        return st_fail(op, ST_NOT_FOUND, "%s: there is no database in this directory", path);
    }
    return ST_OK;
}

/* Removes files that neither the manifest nor the log needs: left by a crash between writing and
 * referring, or before removing. The name CURRENT that was read may be younger than the last sync
 * of the directory, and what it replaced is not removed before it is durable. A file that cannot be
 * removed hinders nobody. */
static st_status open_sweep(st_op *op, st_lsm *lsm, const st_version *version, uint64_t log_start)
{
    ST_TRY(st_env_sync_dir(op, lsm->env, (const char *)lsm->path.data));
    st_buf names;
    st_buf_init(&names, lsm->alloc);
    st_status status = st_env_list(op, lsm->env, (const char *)lsm->path.data, &names);
    for (size_t at = 0; status == ST_OK && at < names.size;
         at += strlen((char *)names.data + at) + 1) {
        uint64_t id;
        st_name_kind kind = st_lsm__name_parse((char *)names.data + at, &id);
        bool is_needed = kind == ST_NAME_FOREIGN || kind == ST_NAME_LOCK ||
                         kind == ST_NAME_CURRENT ||
                         (kind == ST_NAME_MANIFEST && id == lsm->manifest_id) ||
                         (kind == ST_NAME_LOG && id >= log_start);
        for (uint32_t level = 0; level < ST_LSM_LEVELS && kind == ST_NAME_SORTED; level++) {
            for (uint32_t i = 0; i < version->counts[level]; i++) {
                is_needed |= version->files[level][i]->summary.identity.file_id == id;
            }
        }
        if (!is_needed) {
            st_op quiet;
            st_op_init(&quiet, lsm->alloc);
            const char *path = st_lsm__path(&quiet, lsm, kind, id);
            if (path) {
                (void)!st_env_remove(&quiet, lsm->env, path);
            }
            st_op_deinit(&quiet);
        }
    }
    st_buf_deinit(&names);
    return status;
}

/* ---- opening ---------------------------------------------------------------------------- */

/* The directory may be new, and its own name is durable only with the directory it is in. */
static st_status open_sync_parent(st_op *op, st_lsm *lsm)
{
    size_t bytes = lsm->path.size;
    char *parent = st_arena_alloc(&op->arena, bytes + 2);
    if (!parent) {
        return st_fail_memory(op, bytes + 2);
    }
    memcpy(parent, lsm->path.data, bytes);
    while (bytes > 1 && parent[bytes - 1] == '/') {
        bytes--;
    }
    while (bytes > 0 && parent[bytes - 1] != '/') {
        bytes--;
    }
    while (bytes > 1 && parent[bytes - 1] == '/') {
        bytes--;
    }
    if (bytes == 0) {
        parent[bytes++] = '.';
    }
    parent[bytes] = '\0';
    return st_env_sync_dir(op, lsm->env, parent);
}

static st_status open_new(st_op *op, st_lsm *lsm, st_version **out_version)
{
    ST_TRY(open_sync_parent(op, lsm));
    ST_TRY(st_env_entropy(op, lsm->env, lsm->database_id, sizeof lsm->database_id));
    st_buf_slice(&lsm->header, lsm->options.header);
    ST_TRY(st_buf_check(op, &lsm->header));
    ST_TRY(st_lsm__version_create(op, lsm, out_version));
    return st_lsm__manifest_write(op, lsm, *out_version, 0, 0);
}

static st_status open_existing(st_op *op, st_lsm *lsm, st_counted_memtable *memtable,
                               st_version **out_version)
{
    st_manifest manifest = {0};
    st_buf_init(&manifest.header, lsm->alloc);
    st_status status = st_lsm__manifest_read(op, lsm, &manifest, out_version);
    if (status == ST_OK) {
        memcpy(lsm->database_id, manifest.database_id, 16);
        lsm->manifest_id = manifest.file_id;
        lsm->manifest_durable = manifest.durable;
        lsm->sorted_sequence = manifest.sequence;
        uint64_t next = atomic_load(&lsm->next_file_id);
        atomic_store(&lsm->next_file_id,
                     next > manifest.next_file_id ? next : manifest.next_file_id);
        st_buf_slice(&lsm->header, st_buf_view(&manifest.header));
        status = st_buf_check(op, &lsm->header);
    }
    if (status == ST_OK) {
        status = st_lsm__recover(op, lsm, &manifest, memtable);
    }
    if (status == ST_OK && !lsm->options.read_only) {
        status = open_sweep(op, lsm, *out_version, manifest.log_start);
    }
    st_buf_deinit(&manifest.header);
    return status;
}

static st_status open_load(st_op *op, st_lsm *lsm, bool is_new)
{
    st_counted_memtable *memtable;
    st_version *version = NULL;
    ST_TRY(st_lsm__memtable_new(op, lsm, &memtable));
    st_status status =
        is_new ? open_new(op, lsm, &version) : open_existing(op, lsm, memtable, &version);
    if (status == ST_OK) {
        status = st_lsm__set_create(op, lsm, &memtable, 1, version, &lsm->set);
    }
    st_lsm__memtable_release(memtable);
    st_lsm__version_release(version);
    return status;
}

/* Without the lock a writer may remove files between the look at the manifest and that at them:
 * what is missing or does not fit is looked for again. */
static st_status open_load_unlocked(st_op *op, st_lsm *lsm)
{
    st_status status = open_load(op, lsm, false);
    for (int i = 1; i < OPEN_UNLOCKED_TRIES && (status == ST_NOT_FOUND || status == ST_CORRUPT);
         i++) {
        st_op_clear(op);
        open_free_segments(lsm);
        st_buf_clear(&lsm->header);
        status = open_load(op, lsm, false);
    }
    return status;
}

static st_status open_content(st_op *op, st_lsm *lsm)
{
    open_directory directory = {0};
    ST_TRY(open_check_directory(op, lsm, &directory));
    if (lsm->options.read_only) {
        return open_load_unlocked(op, lsm);
    }
    const char *path = st_lsm__path(op, lsm, ST_NAME_LOCK, 0);
    ST_TRY(path ? st_env_lock(op, lsm->env, path, &lsm->lock) : st_fail_memory(op, lsm->path.size));
    directory = (open_directory){0}; /* another process may have made it while we waited */
    ST_TRY(open_look(op, lsm, &directory));
    return open_load(op, lsm, !directory.has_current);
}

/* Everything but the structure itself, which the last set frees. */
static void open_undo(st_lsm *lsm)
{
    open_free_segments(lsm);
    st_env_unlock(lsm->lock);
    lsm->lock = NULL;
    st_set *set = lsm->set;
    lsm->set = NULL;
    st_lsm__set_release(set);
    st_lsm__let_go(lsm);
}

st_status st_lsm_open(st_op *op, const st_lsm_options *options, st_lsm **out_lsm)
{
    *out_lsm = NULL;
    st_lsm_options checked = *options;
    ST_TRY(open_check_options(op, &checked));
    st_lsm *lsm;
    st_status status = open_create(op, &checked, &lsm);
    if (status == ST_OK) {
        status = open_content(op, lsm);
    }
    if (status == ST_OK && !lsm->options.read_only) {
        lsm->last_sync_us = st_env_monotonic_us(lsm->env);
        status = st_lsm__recovery_settle(op, lsm);
    }
    if (status != ST_OK) {
        if (lsm) {
            open_undo(lsm);
        }
        return status;
    }
    *out_lsm = lsm;
    return ST_OK;
}

/* ---- closing ---------------------------------------------------------------------------- */

/* What cursors and snapshots still hold stays valid memory; they only lose the store. */
static void open_orphan_children(st_lsm *lsm)
{
    for (st_lsm_cursor *cursor = lsm->cursors; cursor; cursor = cursor->next) {
        cursor->is_orphan = true;
    }
    for (st_lsm_snapshot *snapshot = lsm->snapshots; snapshot; snapshot = snapshot->next) {
        snapshot->is_orphan = true;
    }
}

/* Syncs the log, and records in the manifest how far it must reach: damage found later is then told
 * from a torn tail. Without space or memory for that the log is as durable, only less well guarded.
 */
static st_status open_end(st_op *op, st_lsm *lsm)
{
    st_mutex_lock(&lsm->state);
    st_status status = lsm->is_failed ? st_lsm__failed(op, lsm) : ST_OK;
    uint64_t applied = atomic_load(&lsm->applied);
    if (status == ST_OK && atomic_load(&lsm->durable) < applied) {
        status = st_lsm__sync(op, lsm);
    }
    uint64_t log_start = lsm->segments ? lsm->segments->id : atomic_load(&lsm->next_file_id);
    st_mutex_unlock(&lsm->state);
    if (status == ST_OK && lsm->manifest_durable < applied) {
        status = st_lsm__manifest_write(op, lsm, st_lsm__version_of(lsm), log_start,
                                        lsm->sorted_sequence);
        if (status == ST_NO_SPACE || status == ST_NO_MEMORY) {
            st_op_clear(op);
            status = ST_OK;
        }
    }
    return status;
}

st_status st_lsm_close(st_op *op, st_lsm *lsm)
{
    st_mutex_lock(&lsm->state);
    lsm->is_closing = true;
    st_cond_broadcast(&lsm->wanted);
    st_cond_broadcast(&lsm->worked);
    st_cond_broadcast(&lsm->ticked);
    st_mutex_unlock(&lsm->state);
    st_lsm__stop_threads(lsm);
    st_mutex_lock(&lsm->work);
    st_status status = lsm->options.read_only ? ST_OK : open_end(op, lsm);
    st_mutex_lock(&lsm->state);
    lsm->is_closed = true;
    open_orphan_children(lsm);
    st_mutex_unlock(&lsm->state);
    st_mutex_unlock(&lsm->work);
    open_undo(lsm);
    return status;
}

st_slice st_lsm_header(const st_lsm *lsm)
{
    return st_buf_view(&lsm->header);
}

const uint8_t *st_lsm_database_id(const st_lsm *lsm)
{
    return lsm->database_id;
}

uint64_t st_lsm_applied(const st_lsm *lsm)
{
    return atomic_load_explicit(&lsm->applied, memory_order_acquire);
}

uint64_t st_lsm_published(const st_lsm *lsm)
{
    return atomic_load_explicit(&lsm->published, memory_order_acquire);
}
