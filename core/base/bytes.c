/* Slices, growing buffers, and little-endian, big-endian and LEB128 coding. */
#include "base/base.h"

#include <string.h>

st_slice st_slice_of(const void *data, size_t size)
{
    st_slice slice = {data, size};
    return slice;
}

st_slice st_slice_str(const char *text)
{
    return st_slice_of(text, strlen(text));
}

int st_slice_compare(st_slice a, st_slice b)
{
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    if (order != 0) {
        return order;
    }
    return a.size < b.size ? -1 : a.size > b.size;
}

bool st_slice_equal(st_slice a, st_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool st_slice_starts_with(st_slice a, st_slice prefix)
{
    return a.size >= prefix.size &&
           (prefix.size == 0 || memcmp(a.data, prefix.data, prefix.size) == 0);
}

size_t st_slice_common(st_slice a, st_slice b)
{
    size_t limit = a.size < b.size ? a.size : b.size;
    size_t at = 0;
    while (at < limit && a.data[at] == b.data[at]) {
        at++;
    }
    return at;
}

void st_buf_init(st_buf *buf, const st_alloc *alloc)
{
    memset(buf, 0, sizeof *buf);
    buf->alloc = alloc;
}

void st_buf_deinit(st_buf *buf)
{
    st_alloc_free(buf->alloc, buf->data, buf->capacity);
    st_buf_init(buf, buf->alloc);
}

void st_buf_clear(st_buf *buf)
{
    buf->size = 0;
    buf->failed = false;
}

bool st_buf_reserve(st_buf *buf, size_t more)
{
    if (buf->failed || more > SIZE_MAX / 2 - buf->size) {
        buf->failed = true;
        return false;
    }
    if (buf->capacity - buf->size >= more) {
        return true;
    }
    size_t capacity = buf->capacity < 32 ? 64 : buf->capacity * 2;
    while (capacity < buf->size + more) {
        capacity *= 2;
    }
    uint8_t *data = st_alloc_resize(buf->alloc, buf->data, buf->capacity, capacity);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

uint8_t *st_buf_extend(st_buf *buf, size_t bytes)
{
    if (!st_buf_reserve(buf, bytes)) {
        return NULL;
    }
    uint8_t *at = buf->data + buf->size;
    buf->size += bytes;
    return at;
}

void st_buf_append(st_buf *buf, const void *data, size_t bytes)
{
    if (bytes == 0) {
        return;
    }
    uint8_t *at = st_buf_extend(buf, bytes);
    if (at != NULL) {
        memcpy(at, data, bytes);
    }
}

void st_buf_slice(st_buf *buf, st_slice bytes)
{
    st_buf_append(buf, bytes.data, bytes.size);
}

void st_buf_byte(st_buf *buf, uint8_t value)
{
    st_buf_append(buf, &value, 1);
}

void st_buf_u16(st_buf *buf, uint16_t value)
{
    uint8_t *at = st_buf_extend(buf, 2);
    if (at != NULL) {
        st_put_u16(at, value);
    }
}

void st_buf_u32(st_buf *buf, uint32_t value)
{
    uint8_t *at = st_buf_extend(buf, 4);
    if (at != NULL) {
        st_put_u32(at, value);
    }
}

void st_buf_u64(st_buf *buf, uint64_t value)
{
    uint8_t *at = st_buf_extend(buf, 8);
    if (at != NULL) {
        st_put_u64(at, value);
    }
}

void st_buf_varint(st_buf *buf, uint64_t value)
{
    uint8_t bytes[10];
    size_t size = 0;
    while (value >= 0x80) {
        bytes[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[size++] = (uint8_t)value;
    st_buf_append(buf, bytes, size);
}

st_slice st_buf_view(const st_buf *buf)
{
    return st_slice_of(buf->data, buf->size);
}

st_status st_buf_check(st_op *op, const st_buf *buf)
{
    return buf->failed ? st_fail_memory(op, buf->size) : ST_OK;
}

void st_put_u16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

void st_put_u32(uint8_t *to, uint32_t value)
{
    st_put_u16(to, (uint16_t)value);
    st_put_u16(to + 2, (uint16_t)(value >> 16));
}

void st_put_u64(uint8_t *to, uint64_t value)
{
    st_put_u32(to, (uint32_t)value);
    st_put_u32(to + 4, (uint32_t)(value >> 32));
}

uint16_t st_get_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

uint32_t st_get_u32(const uint8_t *from)
{
    return (uint32_t)st_get_u16(from) | (uint32_t)st_get_u16(from + 2) << 16;
}

uint64_t st_get_u64(const uint8_t *from)
{
    return (uint64_t)st_get_u32(from) | (uint64_t)st_get_u32(from + 4) << 32;
}

void st_put_be32(uint8_t *to, uint32_t value)
{
    st_put_u32(to, __builtin_bswap32(value));
}

void st_put_be64(uint8_t *to, uint64_t value)
{
    st_put_u64(to, __builtin_bswap64(value));
}

uint32_t st_get_be32(const uint8_t *from)
{
    return __builtin_bswap32(st_get_u32(from));
}

uint64_t st_get_be64(const uint8_t *from)
{
    return __builtin_bswap64(st_get_u64(from));
}

st_reader st_reader_of(st_slice bytes)
{
    st_reader reader = {bytes.data, bytes.size, 0, false};
    return reader;
}

size_t st_reader_left(const st_reader *reader)
{
    return reader->failed ? 0 : reader->size - reader->at;
}

st_slice st_reader_slice(st_reader *reader, uint64_t bytes)
{
    if (reader->failed || bytes > reader->size - reader->at) {
        reader->failed = true;
        return st_slice_of(NULL, 0);
    }
    st_slice slice = {reader->data + reader->at, (size_t)bytes};
    reader->at += (size_t)bytes;
    return slice;
}

uint8_t st_reader_byte(st_reader *reader)
{
    st_slice slice = st_reader_slice(reader, 1);
    return slice.size == 1 ? slice.data[0] : 0;
}

uint16_t st_reader_u16(st_reader *reader)
{
    st_slice slice = st_reader_slice(reader, 2);
    return slice.size == 2 ? st_get_u16(slice.data) : 0;
}

uint32_t st_reader_u32(st_reader *reader)
{
    st_slice slice = st_reader_slice(reader, 4);
    return slice.size == 4 ? st_get_u32(slice.data) : 0;
}

uint64_t st_reader_u64(st_reader *reader)
{
    st_slice slice = st_reader_slice(reader, 8);
    return slice.size == 8 ? st_get_u64(slice.data) : 0;
}

uint64_t st_reader_varint(st_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte = st_reader_byte(reader);
        if (reader->failed || (shift == 63 && byte > 1)) {
            break;
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    reader->failed = true;
    return 0;
}
