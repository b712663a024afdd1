/* Replaying the log. Frames are taken in sequence order up to the first break and nothing behind
 * it. A break at or below the highest sequence that was recorded durable is damage; one above it is
 * the torn tail of a crash, and its size is reported.
 */
#include "lsm/lsm_internal.h"

#include <stdio.h>
#include <string.h>

typedef struct recovery_state {
    st_lsm *lsm;
    st_counted_memtable *memtable;
    uint64_t next;    /* sequence that must come next */
    uint64_t durable; /* highest recorded */
    uint64_t torn_bytes;
    bool is_broken;
    char broken_at[160];
} recovery_state;

static st_status recovery_apply(st_op *op, recovery_state *state, const st_log_frame *frame,
                                const char *path)
{
    size_t count, payload_bytes;
    ST_TRY(st_lsm__batch_measure(op, frame->body, &count, &payload_bytes));
    ST_TRY(st_lsm__memtable_reserve(op, state->memtable->memtable, count, payload_bytes));
    st_batch_reader batch = st_lsm__batch_reader(frame->body);
    bool valid;
    ST_TRY(st_lsm__batch_next(op, &batch, &valid));
    while (valid) {
        if (batch.type == ST_ENTRY_DELETE_RANGE) {
            st_range_delete range = {batch.key, batch.value, frame->sequence};
            st_lsm__memtable_delete_range(state->memtable->memtable, &range);
        } else {
            st_entry entry = {batch.key, batch.value, frame->sequence, batch.type};
            st_lsm__memtable_insert(state->memtable->memtable, &entry);
        }
        ST_TRY(st_lsm__batch_next(op, &batch, &valid));
    }
    (void)path;
    return ST_OK;
}

static void recovery_break(recovery_state *state, const st_log_reader *reader, const char *path)
{
    state->is_broken = true;
    state->torn_bytes += st_log_reader_tail(reader);
    size_t length = strlen(path);
    const char *shown = length > 120 ? path + length - 120 : path;
    snprintf(state->broken_at, sizeof state->broken_at, "%s: no whole frame at offset %llu", shown,
             (unsigned long long)st_log_reader_offset(reader));
}

/* One segment. A segment that begins just behind a break was written after an earlier recovery had
 * cut the log there; other frames behind a break are only proof of damage, by the durable sequence
 * they record. */
static st_status recovery_segment(st_op *op, recovery_state *state, st_log_reader *reader,
                                  const char *path, uint64_t *out_last)
{
    st_log_frame frame;
    st_log_end end;
    for (st_log_reader_next(reader, &frame, &end); end == ST_LOG_END_NONE;
         st_log_reader_next(reader, &frame, &end)) {
        state->durable = frame.durable > state->durable ? frame.durable : state->durable;
        if (frame.sequence < state->next) {
            continue; /* in sorted files already */
        }
        if (frame.sequence > state->next) {
            recovery_break(state, reader, path);
            continue;
        }
        if (frame.type != ST_FRAME_BATCH) {
            return st_fail(op, ST_UNSUPPORTED, "%s: log frame type %u of a later version", path,
                           frame.type);
        }
        ST_TRY(recovery_apply(op, state, &frame, path));
        state->lsm->last_time_us =
            frame.time_us > state->lsm->last_time_us ? frame.time_us : state->lsm->last_time_us;
        state->lsm->recovered_frames++;
        *out_last = frame.sequence;
        state->next = frame.sequence + 1;
    }
    uint64_t behind = st_log_reader_durable_behind(reader);
    state->durable = behind > state->durable ? behind : state->durable;
    if (end == ST_LOG_END_BROKEN) {
        recovery_break(state, reader, path);
    }
    return ST_OK;
}

static st_status recovery_keep_segment(st_op *op, st_lsm *lsm, uint64_t id, uint64_t last_sequence)
{
    st_segment *segment = st_alloc_new(lsm->alloc, sizeof *segment);
    if (!segment) {
        return st_fail_memory(op, sizeof *segment);
    }
    segment->id = id;
    segment->last_sequence = last_sequence;
    if (lsm->last_segment) {
        lsm->last_segment->next = segment;
    } else {
        lsm->segments = segment;
    }
    lsm->last_segment = segment;
    return ST_OK;
}

/* What was read from the page cache must be on the disk before anything that comes later is
 * acknowledged. */
static st_status recovery_sync(st_op *op, st_lsm *lsm, const char *path)
{
    st_file *file;
    ST_TRY(st_env_open(op, lsm->env, path, ST_OPEN_WRITE, &file));
    st_status status = st_file_sync(op, file);
    st_file_close(file);
    return status;
}

static st_status recovery_file(st_op *op, recovery_state *state, uint64_t id)
{
    st_lsm *lsm = state->lsm;
    const char *path = st_lsm__path(op, lsm, ST_NAME_LOG, id);
    st_log_reader *reader = NULL;
    if (!path) {
        return st_fail_memory(op, lsm->path.size);
    }
    ST_TRY(st_log_reader_open(op, lsm->env, lsm->alloc, path, &reader));
    const st_log_identity *identity = st_log_reader_identity(reader);
    bool is_ours =
        memcmp(identity->database_id, lsm->database_id, 16) == 0 && identity->file_id == id;
    uint64_t last = 0;
    st_status status = ST_OK;
    if (st_log_reader_offset(reader) > 0 && !is_ours) {
        status =
            st_fail_at(op, ST_CORRUPT, 16,
                       "%s: this segment belongs to another database or place, at offset 16", path);
    } else {
        status = recovery_segment(op, state, reader, path, &last);
    }
    st_log_reader_close(reader);
    if (status == ST_OK && last > 0 && !lsm->options.read_only) {
        status = recovery_sync(op, lsm, path);
    }
    return status == ST_OK ? recovery_keep_segment(op, lsm, id, last) : status;
}

st_status st_lsm__recover(st_op *op, st_lsm *lsm, const st_manifest *manifest,
                          st_counted_memtable *memtable)
{
    recovery_state state = {.lsm = lsm,
                            .memtable = memtable,
                            .next = manifest->sequence + 1,
                            .durable = manifest->durable};
    st_buf names;
    st_buf_init(&names, lsm->alloc);
    lsm->last_time_us = manifest->time_us;
    st_status status = st_env_list(op, lsm->env, (const char *)lsm->path.data, &names);
    for (size_t at = 0; status == ST_OK && at < names.size;
         at += strlen((char *)names.data + at) + 1) {
        uint64_t id;
        bool is_log = st_lsm__name_parse((char *)names.data + at, &id) == ST_NAME_LOG;
        if (is_log && id >= manifest->log_start) {
            status = recovery_file(op, &state, id);
        }
    }
    st_buf_deinit(&names);
    if (status == ST_OK && state.next <= state.durable) {
        return st_fail(op, ST_CORRUPT, "%s; the log must reach sequence %llu and ends at %llu",
                       state.is_broken ? state.broken_at : "a log segment is missing or cut short",
                       (unsigned long long)state.durable, (unsigned long long)(state.next - 1));
    }
    lsm->recovered_torn_bytes = state.torn_bytes;
    atomic_store(&lsm->applied, state.next - 1);
    atomic_store(&lsm->published, state.next - 1);
    atomic_store(&lsm->durable, lsm->options.read_only ? state.durable : state.next - 1);
    memtable->first_log = lsm->segments ? lsm->segments->id : 0;
    return status;
}
