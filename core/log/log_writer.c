/* Segments while they are written.
 *
 * Zeros go through a handle of their own, opened for the purpose: a full disk kills the handle that
 * met it, and frames that stand in the segment already must still be synced through theirs.
 */
#include "log/log.h"

#include <string.h>

#define LOG_FILL_BYTES 65536u
#define LOG_AHEAD_BYTES_MIN ((uint64_t)65536)
#define LOG_AHEAD_BYTES_MAX ((uint64_t)4 << 20)

struct st_log_segment {
    st_env *env;
    const st_alloc *alloc;
    st_file *file;
    st_log_identity identity;
    uint64_t end;    /* of the frames */
    uint64_t filled; /* zeros are written up to here */
    uint64_t ahead;  /* how far to fill next time; doubles */
    bool is_full;    /* filling failed for lack of space: no more frames go in */
    bool is_dead;    /* a write failed: what stands behind `end` is unknown */
    st_buf group;
    size_t path_bytes;
    char path[];
};

uint32_t st_log__crc(const st_log_identity *identity, uint64_t offset, const void *data,
                     size_t bytes)
{
    uint8_t place[32];
    memcpy(place, identity->database_id, 16);
    st_put_u64(place + 16, identity->file_id);
    st_put_u64(place + 24, offset);
    return st_crc32c(st_crc32c(0, place, sizeof place), data, bytes);
}

/* Writes zeros up to `to`, in pieces: large single writes make later small ones slower. */
static st_status log_fill(st_op *op, st_log_segment *segment, uint64_t to)
{
    static const uint8_t log_zeros[LOG_FILL_BYTES];
    st_file *file;
    ST_TRY(st_env_open(op, segment->env, segment->path, ST_OPEN_WRITE, &file));
    st_status status = ST_OK;
    while (status == ST_OK && segment->filled < to) {
        uint64_t left = to - segment->filled;
        size_t bytes = left < LOG_FILL_BYTES ? (size_t)left : LOG_FILL_BYTES;
        status = st_file_write_at(op, file, segment->filled, log_zeros, bytes);
        segment->filled += status == ST_OK ? bytes : 0;
    }
    st_file_close(file);
    return status;
}

static st_status log_write_header(st_op *op, st_log_segment *segment)
{
    uint8_t header[ST_LOG_HEADER_BYTES] = ST_LOG_MAGIC;
    st_put_u32(header + 8, ST_LOG_FORMAT);
    memcpy(header + 16, segment->identity.database_id, 16);
    st_put_u64(header + 32, segment->identity.file_id);
    st_put_u32(header + 60, st_log__crc(&segment->identity, 0, header, 60));
    segment->end = sizeof header;
    return st_file_write_at(op, segment->file, 0, header, sizeof header);
}

static st_status log_prepare(st_op *op, st_log_segment *segment, const char *directory,
                             uint64_t room_bytes)
{
    uint64_t room = room_bytes + ST_LOG_HEADER_BYTES;
    room = (room + 4095) & ~(uint64_t)4095;
    if (!segment->env->lends_bytes) {
        ST_TRY(log_fill(op, segment, room));
    }
    ST_TRY(log_write_header(op, segment));
    ST_TRY(st_file_sync(op, segment->file));
    return st_env_sync_dir(op, segment->env, directory);
}

st_status st_log_create(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                        const char *directory, const st_log_identity *identity, uint64_t room_bytes,
                        st_log_segment **out_segment)
{
    *out_segment = NULL;
    size_t path_bytes = strlen(path) + 1;
    st_log_segment *segment = st_alloc_new(alloc, sizeof *segment + path_bytes);
    if (!segment) {
        return st_fail_memory(op, sizeof *segment + path_bytes);
    }
    segment->env = env;
    segment->alloc = alloc;
    segment->path_bytes = path_bytes;
    memcpy(segment->path, path, path_bytes);
    segment->identity = *identity;
    segment->ahead = LOG_AHEAD_BYTES_MIN;
    st_buf_init(&segment->group, alloc);
    st_status status = st_env_open(
        op, env, path, ST_OPEN_WRITE | ST_OPEN_CREATE | ST_OPEN_EXCLUSIVE, &segment->file);
    if (status == ST_OK) {
        status = log_prepare(op, segment, directory, room_bytes);
        if (status != ST_OK) {
            st_op quiet;
            st_op_init(&quiet, alloc);
            (void)!st_env_remove(&quiet, env, path); /* the first error is the one to tell */
            st_op_deinit(&quiet);
        }
    }
    if (status != ST_OK) {
        st_log_close(segment);
        return status;
    }
    *out_segment = segment;
    return ST_OK;
}

void st_log_group_begin(st_log_segment *segment)
{
    st_buf_clear(&segment->group);
}

/* Frame header: header crc u32 · body crc u32 · body bytes u32 · type u8 · 0 u8[3] · sequence u64 ·
 * time u64 · durable u64. The header's checksum covers what follows it, the body's is seeded with
 * it. */
void st_log_group_add(st_log_segment *segment, const st_log_frame *frame)
{
    uint64_t offset = segment->end + segment->group.size;
    uint8_t header[ST_LOG_FRAME_HEADER_BYTES] = {0};
    st_put_u32(header + 8, (uint32_t)frame->body.size);
    header[12] = frame->type;
    st_put_u64(header + 16, frame->sequence);
    st_put_u64(header + 24, frame->time_us);
    st_put_u64(header + 32, frame->durable);
    uint32_t crc = st_log__crc(&segment->identity, offset, header + 8, sizeof header - 8);
    st_put_u32(header, crc);
    st_put_u32(header + 4, st_crc32c(crc, frame->body.data, frame->body.size));
    st_buf_append(&segment->group, header, sizeof header);
    st_buf_slice(&segment->group, frame->body);
}

st_status st_log_append(st_op *op, st_log_segment *segment)
{
    ST_TRY(st_buf_check(op, &segment->group));
    uint64_t end = segment->end + segment->group.size;
    if (segment->is_dead) {
        return st_fail(op, ST_FAILED, "%s: an earlier write of this log failed", segment->path);
    }
    if (segment->is_full) {
        return st_fail(op, ST_NO_SPACE, "no space left for the log");
    }
    if (end > segment->filled && !segment->env->lends_bytes) {
        uint64_t to = (end + segment->ahead + 4095) & ~(uint64_t)4095;
        st_status status = log_fill(op, segment, to);
        if (status != ST_OK) {
            segment->is_full = status == ST_NO_SPACE;
            return status;
        }
        segment->ahead =
            segment->ahead < LOG_AHEAD_BYTES_MAX ? 2 * segment->ahead : LOG_AHEAD_BYTES_MAX;
    }
    st_slice group = st_buf_view(&segment->group);
    st_status status = st_file_write_at(op, segment->file, segment->end, group.data, group.size);
    if (status != ST_OK) {
        /* Files in memory promise that such a write changed nothing. */
        segment->is_dead = !(segment->env->lends_bytes && status == ST_NO_MEMORY);
        return status;
    }
    segment->end = end;
    if (segment->group.capacity > ((size_t)4 << 20)) {
        st_buf_deinit(&segment->group); /* a giant is not kept for the small ones behind it */
        st_buf_init(&segment->group, segment->alloc);
    }
    return ST_OK;
}

bool st_log_is_dead(const st_log_segment *segment)
{
    return segment->is_dead;
}

uint64_t st_log_bytes(const st_log_segment *segment)
{
    return segment->end;
}

st_status st_log_sync(st_op *op, st_log_segment *segment)
{
    return st_file_sync(op, segment->file);
}

void st_log_close(st_log_segment *segment)
{
    if (segment) {
        st_file_close(segment->file);
        st_buf_deinit(&segment->group);
        st_alloc_free(segment->alloc, segment, sizeof *segment + segment->path_bytes);
    }
}
