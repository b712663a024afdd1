/* Segments read back, whole: they are at most a memtable long. */
#include "log/log.h"

#include <string.h>

struct st_log_reader {
    const st_alloc *alloc;
    uint8_t *data;
    size_t size, at, capacity;
    st_log_identity identity;
};

static bool reader_is_zero(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (data[i] != 0) {
            return false;
        }
    }
    return true;
}

static st_status reader_check_header(st_op *op, st_log_reader *reader, const char *path)
{
    const uint8_t *header = reader->data;
    if (reader->size < ST_LOG_HEADER_BYTES || reader_is_zero(header, ST_LOG_HEADER_BYTES)) {
        reader->size = 0; /* the machine stopped before the first sync of this file */
        return ST_OK;
    }
    memcpy(reader->identity.database_id, header + 16, 16);
    reader->identity.file_id = st_get_u64(header + 32);
    if (memcmp(header, ST_LOG_MAGIC, 8) != 0 ||
        st_get_u32(header + 60) != st_log__crc(&reader->identity, 0, header, 60)) {
        if (reader_is_zero(header + ST_LOG_HEADER_BYTES, reader->size - ST_LOG_HEADER_BYTES)) {
            reader->size = 0; /* torn: the header is durable before the first frame is written */
            return ST_OK;
        }
        return st_fail_at(op, ST_CORRUPT, 0, "%s: damaged header of a log segment at offset 0",
                          path);
    }
    if (st_get_u32(header + 8) != ST_LOG_FORMAT || st_get_u32(header + 48) != 0) {
        return st_fail(op, ST_UNSUPPORTED, "%s: log format %u of a later version", path,
                       st_get_u32(header + 8));
    }
    reader->at = ST_LOG_HEADER_BYTES;
    return ST_OK;
}

static st_status reader_read(st_op *op, st_env *env, st_log_reader *reader, const char *path)
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
    return status == ST_OK ? reader_check_header(op, reader, path) : status;
}

st_status st_log_reader_open(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                             st_log_reader **out_reader)
{
    *out_reader = NULL;
    st_log_reader *reader = st_alloc_new(alloc, sizeof *reader);
    if (!reader) {
        return st_fail_memory(op, sizeof *reader);
    }
    reader->alloc = alloc;
    st_status status = reader_read(op, env, reader, path);
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

void st_log_reader_next(st_log_reader *reader, st_log_frame *out_frame, st_log_end *out_end)
{
    *out_frame = (st_log_frame){0};
    size_t bytes = reader->size > 0 ? reader_frame_at(reader, reader->at, out_frame) : 0;
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
    return end - (reader->size > 0 ? reader->at : 0);
}

/* Looks for frames at every offset: the header's checksum covers the offset, so that chance finds
 * none. */
uint64_t st_log_reader_durable_behind(const st_log_reader *reader)
{
    uint64_t durable = 0;
    size_t end = reader->size > 0 ? reader->at + (size_t)st_log_reader_tail(reader) : 0;
    for (size_t at = reader->at; at + ST_LOG_FRAME_HEADER_BYTES <= end; at++) {
        st_log_frame frame;
        size_t bytes = reader_frame_at(reader, at, &frame);
        if (bytes > 0) {
            durable = frame.durable > durable ? frame.durable : durable;
            at += bytes - 1;
        }
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
