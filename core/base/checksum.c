/* CRC32C (Castagnoli, reflected polynomial 0x82f63b78) and the 64-bit hash of keys.
 *
 * The CRC uses the processor's instruction where there is one (SSE4.2), chosen at run time, so that
 * every package can be compiled for the baseline processor; elsewhere eight tables of 256 words
 * (slicing by 8).
 */
#include "base/base.h"

#include <stdatomic.h>
#include <string.h>

#define BASE_CRC_POLYNOMIAL 0x82f63b78u

static uint32_t base_crc_table[8][256];
static _Atomic int base_crc_kind; /* 0 unknown, 1 tables ready, 2 instruction */

static void base_crc_fill_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc & 1 ? crc >> 1 ^ BASE_CRC_POLYNOMIAL : crc >> 1;
        }
        __atomic_store_n(&base_crc_table[0][i], crc, __ATOMIC_RELAXED);
    }
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = __atomic_load_n(&base_crc_table[0][i], __ATOMIC_RELAXED);
        for (int slice = 1; slice < 8; slice++) {
            crc = __atomic_load_n(&base_crc_table[0][crc & 0xff], __ATOMIC_RELAXED) ^ crc >> 8;
            __atomic_store_n(&base_crc_table[slice][i], crc, __ATOMIC_RELAXED);
        }
    }
}

static uint32_t base_crc_word(int slice, uint64_t byte)
{
    return __atomic_load_n(&base_crc_table[slice][byte & 0xff], __ATOMIC_RELAXED);
}

static uint32_t base_crc_by_table(uint32_t crc, const uint8_t *data, size_t bytes)
{
    while (bytes >= 8) {
        uint64_t word = st_get_u64(data) ^ crc;
        crc = base_crc_word(7, word) ^ base_crc_word(6, word >> 8) ^ base_crc_word(5, word >> 16) ^
              base_crc_word(4, word >> 24) ^ base_crc_word(3, word >> 32) ^
              base_crc_word(2, word >> 40) ^ base_crc_word(1, word >> 48) ^
              base_crc_word(0, word >> 56);
        data += 8;
        bytes -= 8;
    }
    while (bytes-- > 0) {
        crc = base_crc_word(0, crc ^ *data++) ^ crc >> 8;
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t base_crc_by_instruction(uint32_t crc,
                                                                          const uint8_t *data,
                                                                          size_t bytes)
{
    uint64_t wide = crc;
    while (bytes >= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        wide = __builtin_ia32_crc32di(wide, word);
        data += 8;
        bytes -= 8;
    }
    crc = (uint32_t)wide;
    while (bytes-- > 0) {
        crc = __builtin_ia32_crc32qi(crc, *data++);
    }
    return crc;
}

static int base_crc_choose(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") ? 2 : 1;
}
#else
static uint32_t base_crc_by_instruction(uint32_t crc, const uint8_t *data, size_t bytes)
{
    return base_crc_by_table(crc, data, bytes);
}

static int base_crc_choose(void)
{
    return 1;
}
#endif

uint32_t st_crc32c(uint32_t crc, const void *data, size_t bytes)
{
    int kind = atomic_load_explicit(&base_crc_kind, memory_order_acquire);
    if (kind == 0) {
        kind = base_crc_choose();
        base_crc_fill_tables(); /* idempotent: threads that race write the same words */
        atomic_store_explicit(&base_crc_kind, kind, memory_order_release);
    }
    crc = ~crc;
    crc =
        kind == 2 ? base_crc_by_instruction(crc, data, bytes) : base_crc_by_table(crc, data, bytes);
    return ~crc;
}

uint32_t st_crc32c_portable(uint32_t crc, const void *data, size_t bytes)
{
    (void)st_crc32c(0, "", 0); /* fills the tables */
    return ~base_crc_by_table(~crc, data, bytes);
}

/* The two halves of the product of 128 bits, folded. */
static uint64_t base_mix(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);
    uint64_t left = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
    uint64_t right = (a & UINT32_MAX) * (b >> 32) + (left & UINT32_MAX);
    uint64_t high = (a >> 32) * (b >> 32) + (left >> 32) + (right >> 32);
    return (right << 32 | (low & UINT32_MAX)) ^ high;
#endif
}

/* A multiply-and-fold hash over 16 bytes a step; the constants are the fractional digits of
 * square roots of primes. */
uint64_t st_hash64(st_slice bytes, uint64_t seed)
{
    const uint64_t c1 = 0x6a09e667f3bcc909u, c2 = 0xbb67ae8584caa73bu, c3 = 0x3c6ef372fe94f82bu;
    const uint8_t *data = bytes.data;
    size_t left = bytes.size;
    uint64_t hash = seed ^ c1;
    while (left >= 16) {
        hash = base_mix(st_get_u64(data) ^ hash, st_get_u64(data + 8) ^ c2);
        data += 16;
        left -= 16;
    }
    uint64_t a = 0, b = 0;
    if (left >= 8) {
        a = st_get_u64(data);
        b = st_get_u64(data + left - 8);
    } else if (left >= 4) {
        a = st_get_u32(data);
        b = st_get_u32(data + left - 4);
    } else if (left > 0) {
        a = (uint64_t)data[0] << 16 | (uint64_t)data[left / 2] << 8 | data[left - 1];
    }
    return base_mix(base_mix(a ^ hash, b ^ c3) ^ bytes.size, c2);
}
