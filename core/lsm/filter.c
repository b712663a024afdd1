/* Blocked Bloom filter: all six bits of a key stand in one 64-byte line, so that a question costs
 * one cache miss. About ten bits a key. The payload is lines of 64 bytes.
 */
#include "lsm/block_internal.h"

#include <string.h>

#define FILTER_LINE_BYTES 64u
#define FILTER_PROBES 6

static size_t filter_line(uint64_t hash, size_t line_count)
{
    return (size_t)(((hash >> 32) * (uint64_t)line_count) >> 32);
}

/* The bits of a line come from the low half, remixed: the block's fingerprint uses the lowest byte,
 * the line the high half. */
static uint64_t filter_bits(uint64_t hash)
{
    return (hash ^ hash >> 29) * 0x9E3779B97F4A7C15u;
}

void st_lsm__filter_build(const uint64_t *hashes, size_t count, st_buf *out)
{
    st_buf_clear(out);
    size_t line_count = (count * 10 + FILTER_LINE_BYTES * 8 - 1) / (FILTER_LINE_BYTES * 8);
    uint8_t *lines = st_buf_extend(out, line_count * FILTER_LINE_BYTES);
    if (!lines) {
        return;
    }
    memset(lines, 0, line_count * FILTER_LINE_BYTES);
    for (size_t i = 0; i < count; i++) {
        uint8_t *line = lines + filter_line(hashes[i], line_count) * FILTER_LINE_BYTES;
        uint64_t bits = filter_bits(hashes[i]);
        for (int probe = 0; probe < FILTER_PROBES; probe++, bits >>= 9) {
            line[(bits & 511) >> 3] |= (uint8_t)(1u << (bits & 7));
        }
    }
}

bool st_lsm__filter_check(st_slice payload)
{
    return payload.size > 0 && payload.size % FILTER_LINE_BYTES == 0;
}

bool st_lsm__filter_may_contain(st_slice filter, uint64_t hash)
{
    size_t line_count = filter.size / FILTER_LINE_BYTES;
    const uint8_t *line = filter.data + filter_line(hash, line_count) * FILTER_LINE_BYTES;
    uint64_t bits = filter_bits(hash);
    for (int probe = 0; probe < FILTER_PROBES; probe++, bits >>= 9) {
        if (!(line[(bits & 511) >> 3] & 1u << (bits & 7))) {
            return false;
        }
    }
    return true;
}
