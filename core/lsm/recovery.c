/* Replaying the log. Frames are taken in sequence order up to the first break and nothing behind
 * it. A break at or below the highest sequence that was recorded durable is damage; one above it is
 * the torn tail of a crash, and its size is reported.
 *
 * Frames behind the recorded durable sequence are read from the system's cache, and nothing proves
 * that they are on the disk: when a sync of them had failed, a second one may report success and
 * write nothing. So they are written once more, into a sorted file, before anything builds on them.
 */
#include "lsm/lsm_internal.h"

#include <stdio.h>
#include <string.h>

#define RECOVERY_SEGMENTS_MAX 8u /* so many short logs of short openings become a sorted file */

typedef struct recovery_state {
    st_lsm *lsm;
    st_counted_memtable *memtable; /* NULL: only check */
    uint64_t next;                 /* sequence that must come next */
    uint64_t durable;              /* highest recorded */
    uint64_t time_us, torn_bytes, frames, segments;
    bool is_broken;      /* behind the last frame that was taken */
    uint64_t end_offset; /* of the first such break, or of the last segment's frames */
    char end_path[128];  /* empty: there is no log */
} recovery_state;

static st_status recovery_apply(st_op *op, recovery_state *state, const st_log_frame *frame,
                                const char *path, uint64_t offset)
{
    size_t count, payload_bytes;
    st_status status = st_lsm__batch_measure(op, frame->body, &count, &payload_bytes);
    if (status != ST_OK) {
        st_op_clear(op);
        return st_fail_at(op, status, (int64_t)offset,
                          "%s: malformed batch in the frame at offset "
                          "%llu",
                          path, (unsigned long long)offset);
    }
    if (!state->memtable) {
        return ST_OK; /* only checking */
    }
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
    return ST_OK;
}

/* Where the log ends, unless it broke before. */
static void recovery_end(recovery_state *state, const char *path, uint64_t offset)
{
    if (!state->is_broken) {
        size_t length = strlen(path);
        const char *shown = length > 120 ? path + length - 120 : path;
        snprintf(state->end_path, sizeof state->end_path, "%s", shown);
        state->end_offset = offset;
    }
}

static void recovery_break(recovery_state *state, const char *path, uint64_t offset)
{
    recovery_end(state, path, offset);
    state->is_broken = true;
}

static st_status recovery_frame(st_op *op, recovery_state *state, const st_log_frame *frame,
                                const char *path, uint64_t offset)
{
    if (frame->type != ST_FRAME_BATCH) {
        return st_fail_at(op, ST_UNSUPPORTED, (int64_t)offset,
                          "%s: log frame type %u of a later version at offset %llu", path,
                          frame->type, (unsigned long long)offset);
    }
    if (frame->sequence > ST_SEQUENCE_OPEN_MAX) {
        return st_fail_at(op, ST_CORRUPT, (int64_t)offset,
                          "%s: a sequence beyond all at offset %llu", path,
                          (unsigned long long)offset);
    }
    ST_TRY(recovery_apply(op, state, frame, path, offset));
    state->time_us = frame->time_us > state->time_us ? frame->time_us : state->time_us;
    state->frames++;
    state->next = frame->sequence + 1;
    state->is_broken = false;
    return ST_OK;
}

/* One segment. A segment that begins just behind a break was written after an earlier recovery had
 * cut the log there; other frames behind a break are only proof of damage, by the durable sequence
 * they record. */
static st_status recovery_segment(st_op *op, recovery_state *state, st_log_reader *reader,
                                  const char *path)
{
    st_log_frame frame;
    st_log_end end;
    for (;;) {
        uint64_t offset = st_log_reader_offset(reader);
        st_log_reader_next(reader, &frame, &end);
        if (end != ST_LOG_END_NONE) {
            break;
        }
        state->durable = frame.durable > state->durable ? frame.durable : state->durable;
        if (frame.sequence == state->next) {
            ST_TRY(recovery_frame(op, state, &frame, path, offset));
        } else if (frame.sequence > state->next) {
            recovery_break(state, path, offset);
            state->torn_bytes += st_log_reader_offset(reader) - offset;
        } /* what is before it is in sorted files already */
    }
    uint64_t behind = st_log_reader_durable_behind(reader);
    state->durable = behind > state->durable ? behind : state->durable;
    if (end == ST_LOG_END_BROKEN) {
        recovery_break(state, path, st_log_reader_offset(reader));
        state->torn_bytes += st_log_reader_tail(reader);
    }
    recovery_end(state, path, st_log_reader_offset(reader));
    return ST_OK;
}

static st_status recovery_keep_segment(st_op *op, st_lsm *lsm, uint64_t id)
{
    st_segment *segment = st_alloc_new(lsm->alloc, sizeof *segment);
    if (!segment) {
        return st_fail_memory(op, sizeof *segment);
    }
    segment->id = id;
    if (lsm->last_segment) {
        lsm->last_segment->next = segment;
    } else {
        lsm->segments = segment;
    }
    lsm->last_segment = segment;
    return ST_OK;
}

static st_status recovery_file(st_op *op, recovery_state *state, uint64_t id)
{
    st_lsm *lsm = state->lsm;
    const char *path = st_lsm__path(op, lsm, ST_NAME_LOG, id);
    st_log_identity identity = {.file_id = id};
    memcpy(identity.database_id, lsm->database_id, 16);
    st_log_reader *reader;
    if (!path) {
        return st_fail_memory(op, lsm->path.size);
    }
    ST_TRY(st_log_reader_open(op, lsm->env, lsm->alloc, path, &identity, &reader));
    st_status status = recovery_segment(op, state, reader, path);
    st_log_reader_close(reader);
    if (status == ST_OK && state->memtable) {
        status = recovery_keep_segment(op, lsm, id);
    }
    state->segments++;
    return status;
}

/* All segments from one number on, in order. */
static st_status recovery_files(st_op *op, recovery_state *state, uint64_t first_id)
{
    st_lsm *lsm = state->lsm;
    st_buf names;
    st_buf_init(&names, lsm->alloc);
    st_status status = st_env_list(op, lsm->env, (const char *)lsm->path.data, &names);
    for (size_t at = 0; status == ST_OK && at < names.size;
         at += strlen((char *)names.data + at) + 1) {
        uint64_t id;
        bool is_log = st_lsm__name_parse((char *)names.data + at, &id) == ST_NAME_LOG;
        if (is_log && id >= first_id) {
            status = recovery_file(op, state, id);
        }
    }
    st_buf_deinit(&names);
    return status;
}

/* Whether the log reaches what is known to have been durable. */
static st_status recovery_check_end(st_op *op, const recovery_state *state)
{
    unsigned long long durable = state->durable, last = state->next - 1;
    if (last >= durable) {
        return ST_OK;
    }
    if (state->end_path[0] == '\0') {
        return st_fail(op, ST_CORRUPT,
                       "%s: a log segment is missing: the log must reach sequence %llu and ends "
                       "at %llu",
                       (const char *)state->lsm->path.data, durable, last);
    }
    const char *what = state->is_broken ? "no whole frame at"
                                        : "cut short, or the next segment is missing: it ends at";
    return st_fail_at(op, ST_CORRUPT, (int64_t)state->end_offset,
                      "%s: %s offset %llu; the log must reach sequence %llu and ends at %llu",
                      state->end_path, what, (unsigned long long)state->end_offset, durable, last);
}

st_status st_lsm__recover(st_op *op, st_lsm *lsm, const st_manifest *manifest,
                          st_counted_memtable *memtable)
{
    recovery_state state = {.lsm = lsm,
                            .memtable = memtable,
                            .next = manifest->sequence + 1,
                            .durable = manifest->durable,
                            .time_us = manifest->time_us};
    ST_TRY(recovery_files(op, &state, manifest->log_start));
    ST_TRY(recovery_check_end(op, &state));
    lsm->last_time_us = state.time_us;
    lsm->recovered_frames = state.frames;
    lsm->recovered_torn_bytes = state.torn_bytes;
    atomic_store(&lsm->applied, state.next - 1);
    atomic_store(&lsm->published, state.next - 1);
    atomic_store(&lsm->durable, state.durable);
    memtable->first_log = lsm->segments ? lsm->segments->id : 0;
    return ST_OK;
}

st_status st_lsm__log_verify(st_op *op, st_lsm *lsm, const st_manifest *manifest,
                             uint64_t *out_segments, uint64_t *out_frames)
{
    recovery_state state = {
        .lsm = lsm, .next = manifest->sequence + 1, .durable = manifest->durable};
    ST_TRY(recovery_files(op, &state, manifest->log_start));
    *out_segments = state.segments;
    *out_frames = state.frames;
    return recovery_check_end(op, &state);
}

/* Every segment that was found gets its bytes on the disk. */
static st_status recovery_sync(st_op *op, st_lsm *lsm)
{
    for (const st_segment *segment = lsm->segments; segment; segment = segment->next) {
        const char *path = st_lsm__path(op, lsm, ST_NAME_LOG, segment->id);
        st_file *file;
        if (!path) {
            return st_fail_memory(op, lsm->path.size);
        }
        ST_TRY(st_env_open(op, lsm->env, path, ST_OPEN_WRITE, &file));
        st_status status = st_file_sync(op, file);
        st_file_close(file);
        ST_TRY(status);
    }
    atomic_store(&lsm->durable, atomic_load(&lsm->applied));
    return ST_OK;
}

st_status st_lsm__recovery_settle(st_op *op, st_lsm *lsm)
{
    uint32_t segments = 0;
    for (const st_segment *segment = lsm->segments; segment; segment = segment->next) {
        segments++;
    }
    bool is_proven = atomic_load(&lsm->durable) == atomic_load(&lsm->applied);
    if (is_proven && segments < RECOVERY_SEGMENTS_MAX) {
        return ST_OK;
    }
    st_status status = st_lsm_flush(op, lsm);
    if (status == ST_NO_SPACE || status == ST_NO_MEMORY) {
        st_op_clear(op);
        status = is_proven ? ST_OK : recovery_sync(op, lsm);
    }
    return status;
}
