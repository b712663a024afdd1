/* Point reads and snapshots. */
#include "lsm/lsm_internal.h"

/* ---- get -------------------------------------------------------------------------------- */

/* The newest version with sequence <= max in one sorted run after another, newest first. */
static st_status get_in_files(st_op *op, const st_version *version, st_slice key,
                              uint64_t max_sequence, st_entry *out_entry, bool *out_found,
                              st_block_pin **out_pin)
{
    uint64_t hash = st_lsm__key_hash(key);
    *out_found = false;
    for (uint32_t i = 0; i < version->counts[0] && !*out_found; i++) {
        const st_table_file *file = version->files[0][i];
        if (file->summary.smallest_sequence <= max_sequence &&
            st_slice_compare(file->summary.smallest_key, key) <= 0 &&
            st_slice_compare(key, file->summary.largest_key) <= 0) {
            ST_TRY(st_lsm__sst_get(op, file->sst, key, hash, max_sequence, out_entry, out_found,
                                   out_pin));
        }
    }
    for (uint32_t level = 1; level < ST_LSM_LEVELS && !*out_found; level++) {
        uint32_t at = st_lsm__version_find(version, level, key);
        if (at < version->counts[level] &&
            st_slice_compare(version->files[level][at]->summary.smallest_key, key) <= 0) {
            ST_TRY(st_lsm__sst_get(op, version->files[level][at]->sst, key, hash, max_sequence,
                                   out_entry, out_found, out_pin));
        }
    }
    return ST_OK;
}

st_status st_lsm_get(st_op *op, st_lsm *lsm, st_slice key, uint64_t at, st_lsm_pin *pin,
                     st_slice *out_value, bool *out_found, uint64_t *out_sequence)
{
    *pin = (st_lsm_pin){{NULL}};
    *out_value = (st_slice){0};
    *out_found = false;
    st_mutex_lock(&lsm->state);
    st_set *set = st_lsm__set_retain(lsm);
    uint64_t max_sequence =
        at == ST_LSM_PUBLISHED ? atomic_load_explicit(&lsm->published, memory_order_relaxed)
        : at == ST_LSM_APPLIED ? atomic_load_explicit(&lsm->applied, memory_order_relaxed)
                               : at;
    st_mutex_unlock(&lsm->state);
    pin->parts[0] = set;
    st_entry entry = {.sequence = 0};
    bool is_present = false;
    for (uint32_t i = 0; i < set->memtable_count && !is_present; i++) {
        is_present = st_lsm__memtable_get(set->memtables[i]->memtable, key, max_sequence, &entry);
    }
    if (!is_present) {
        st_block_pin *block = NULL;
        st_status status =
            get_in_files(op, set->version, key, max_sequence, &entry, &is_present, &block);
        pin->parts[1] = block;
        ST_TRY(status);
    }
    if (is_present && st_lsm__set_covering(set, key, max_sequence) > entry.sequence) {
        is_present = false;
    }
    *out_found = is_present && entry.type == ST_ENTRY_PUT;
    if (*out_found) {
        *out_value = entry.value;
    }
    if (out_sequence) {
        *out_sequence = is_present ? entry.sequence : max_sequence;
    }
    return ST_OK;
}

void st_lsm_pin_release(st_lsm_pin *pin)
{
    st_lsm__block_unpin(pin->parts[1]);
    st_lsm__set_release(pin->parts[0]);
    *pin = (st_lsm_pin){{NULL}};
}

/* ---- snapshots -------------------------------------------------------------------------- */

st_status st_lsm_snapshot_open(st_op *op, st_lsm *lsm, st_lsm_snapshot **out_snapshot)
{
    st_lsm_snapshot *snapshot = st_alloc_new(lsm->alloc, sizeof *snapshot);
    *out_snapshot = snapshot;
    if (!snapshot) {
        return st_fail_memory(op, sizeof *snapshot);
    }
    snapshot->lsm = lsm;
    atomic_fetch_add_explicit(&lsm->handles, 1, memory_order_relaxed);
    st_mutex_lock(&lsm->state);
    snapshot->sequence = atomic_load_explicit(&lsm->published, memory_order_relaxed);
    snapshot->next = lsm->snapshots;
    if (lsm->snapshots) {
        lsm->snapshots->previous = snapshot;
    }
    lsm->snapshots = snapshot;
    st_mutex_unlock(&lsm->state);
    return ST_OK;
}

uint64_t st_lsm_snapshot_sequence(const st_lsm_snapshot *snapshot)
{
    return snapshot->sequence;
}

void st_lsm_snapshot_close(st_lsm_snapshot *snapshot)
{
    if (!snapshot) {
        return;
    }
    st_lsm *lsm = snapshot->lsm;
    st_mutex_lock(&lsm->state);
    if (snapshot->previous) {
        snapshot->previous->next = snapshot->next;
    } else {
        lsm->snapshots = snapshot->next;
    }
    if (snapshot->next) {
        snapshot->next->previous = snapshot->previous;
    }
    st_mutex_unlock(&lsm->state);
    st_alloc_free(lsm->alloc, snapshot, sizeof *snapshot);
    st_lsm__let_go(lsm);
}
