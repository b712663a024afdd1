/* Segments read back, whole: they are at most a memtable long. */
#include "log/log.h"

#include <string.h>

struct st_log_reader {
    const st_alloc *alloc;
    uint8_t *data;
    size_t size, at, capacity;
    bool has_no_header; /* the segment was never finished: there are no frames */
    st_log_identity identity;
};

/* A whole frame at an offset; 0 bytes when there is none. */
static size_t reader_frame_at(const st_log_reader *reader, size_t at, st_log_frame *out_frame)
{
    if (reader->size - at < ST_LOG_FRAME_HEADER_BYTES) {
        return 0;
    }
    const uint8_t *header = reader->data + at;
    uint32_t crc = st_log__crc(&reader->identity, at, header + 8, ST_LOG_FRAME_HEADER_BYTES - 8);
    uint32_t body_bytes = st_get_u32(header + 8);
    if (st_get_u32(header) != crc || body_bytes > reader->size - at - ST_LOG_FRAME_HEADER_BYTES) {
        return 0;
    }
    const uint8_t *body = header + ST_LOG_FRAME_HEADER_BYTES;
    if (st_get_u32(header + 4) != st_crc32c(crc, body, body_bytes)) {
        return 0;
    }
    *out_frame = (st_log_frame){.type = header[12],
                                .sequence = st_get_u64(header + 16),
                                .time_us = st_get_u64(header + 24),
                                .durable = st_get_u64(header + 32),
                                .body = st_slice_of(body, body_bytes)};
    return ST_LOG_FRAME_HEADER_BYTES + body_bytes;
}

/* Looks for a whole frame at every offset from `at`: the header's checksum covers the offset, so
 * that chance finds none. The offset of the first one, or the size of the file. */
static size_t reader_find_frame(const st_log_reader *reader, size_t at, st_log_frame *out_frame)
{
    for (; at < reader->size && reader->size - at >= ST_LOG_FRAME_HEADER_BYTES; at++) {
        bool is_empty = st_get_u64(reader->data + at) == 0; /* a checksum and a body are no zeros */
        if (!is_empty && reader_frame_at(reader, at, out_frame) > 0) {
            return at;
        }
    }
    return reader->size;
}

/* Whether the file begins with a whole header, and of which segment. */
static bool reader_has_header(const st_log_reader *reader, st_log_identity *out_identity)
{
    const uint8_t *header = reader->data;
    *out_identity = (st_log_identity){.file_id = 0};
    if (reader->size < ST_LOG_HEADER_BYTES || memcmp(header, ST_LOG_MAGIC, 8) != 0) {
        return false;
    }
    memcpy(out_identity->database_id, header + 16, 16);
    out_identity->file_id = st_get_u64(header + 32);
    return st_get_u32(header + 60) == st_log__crc(out_identity, 0, header, 60);
}

static st_status reader_check_header(st_op *op, st_log_reader *reader, const char *path,
                                     const st_log_identity *expected)
{
    const uint8_t *header = reader->data;
    if (!reader_has_header(reader, &reader->identity)) {
        st_log_frame frame;
        reader->identity = expected ? *expected : reader->identity;
        if (!expected || reader_find_frame(reader, ST_LOG_HEADER_BYTES, &frame) < reader->size) {
            return st_fail_at(op, ST_CORRUPT, 0, "%s: damaged header of a log segment at offset 0",
                              path);
        }
        reader->has_no_header = true;
        return ST_OK;
    }
    if (expected && (memcmp(reader->identity.database_id, expected->database_id, 16) != 0 ||
                     reader->identity.file_id != expected->file_id)) {
        return st_fail_at(op, ST_CORRUPT, 16,
                          "%s: this segment belongs to another database or place, at offset 16",
                          path);
    }
    if (st_get_u32(header + 8) != ST_LOG_FORMAT || st_get_u32(header + 48) != 0) {
        return st_fail(op, ST_UNSUPPORTED, "%s: log format %u of a later version", path,
                       st_get_u32(header + 8));
    }
    reader->at = ST_LOG_HEADER_BYTES;
    return ST_OK;
}

static st_status reader_read(st_op *op, st_env *env, st_log_reader *reader, const char *path,
                             const st_log_identity *expected)
{
    st_file *file;
    ST_TRY(st_env_open(op, env, path, ST_OPEN_READ, &file));
    uint64_t bytes;
    st_status status = st_file_size(op, file, &bytes);
    if (status == ST_OK && bytes > 0) {
        reader->capacity = (size_t)bytes;
        reader->data = st_alloc_resize(reader->alloc, NULL, 0, reader->capacity);
        status = reader->data
                     ? st_file_read_at(op, file, 0, reader->data, reader->capacity, &reader->size)
                     : st_fail_memory(op, reader->capacity);
    }
    st_file_close(file);
    return status == ST_OK ? reader_check_header(op, reader, path, expected) : status;
}

st_status st_log_reader_open(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                             const st_log_identity *expected, st_log_reader **out_reader)
{
    *out_reader = NULL;
    st_log_reader *reader = st_alloc_new(alloc, sizeof *reader);
    if (!reader) {
        return st_fail_memory(op, sizeof *reader);
    }
    reader->alloc = alloc;
    st_status status = reader_read(op, env, reader, path, expected);
    if (status != ST_OK) {
        st_log_reader_close(reader);
        return status;
    }
    *out_reader = reader;
    return ST_OK;
}

const st_log_identity *st_log_reader_identity(const st_log_reader *reader)
{
    return &reader->identity;
}

void st_log_reader_next(st_log_reader *reader, st_log_frame *out_frame, st_log_end *out_end)
{
    *out_frame = (st_log_frame){0};
    size_t bytes = reader->has_no_header ? 0 : reader_frame_at(reader, reader->at, out_frame);
    if (bytes > 0) {
        *out_end = ST_LOG_END_NONE;
        reader->at += bytes;
        return;
    }
    *out_end = st_log_reader_tail(reader) == 0 ? ST_LOG_END_CLEAN : ST_LOG_END_BROKEN;
}

uint64_t st_log_reader_offset(const st_log_reader *reader)
{
    return reader->at;
}

uint64_t st_log_reader_tail(const st_log_reader *reader)
{
    size_t end = reader->size;
    while (end > reader->at && reader->data[end - 1] == 0) {
        end--;
    }
    return end - reader->at;
}

uint64_t st_log_reader_durable_behind(const st_log_reader *reader)
{
    uint64_t durable = 0;
    st_log_frame frame;
    size_t at = reader_find_frame(reader, reader->at, &frame);
    while (at < reader->size) {
        durable = frame.durable > durable ? frame.durable : durable;
        at += ST_LOG_FRAME_HEADER_BYTES + frame.body.size;
        at = reader_find_frame(reader, at, &frame);
    }
    return durable;
}

void st_log_reader_close(st_log_reader *reader)
{
    if (reader) {
        st_alloc_free(reader->alloc, reader->data, reader->capacity);
        st_alloc_free(reader->alloc, reader, sizeof *reader);
    }
}
