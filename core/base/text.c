/* UTF-8 validation (RFC 3629: no surrogates, nothing over U+10FFFF, shortest form) and the
 * seeded generator. */
#include "base/base.h"

/* Length of the sequence that starts at data[0], 0 if it is malformed. */
static size_t base_utf8_sequence(const uint8_t *data, size_t left)
{
    uint8_t first = data[0];
    size_t length;
    uint8_t low = 0x80, high = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) {
        length = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        length = 3;
        low = first == 0xe0 ? 0xa0 : 0x80;
        high = first == 0xed ? 0x9f : 0xbf;
    } else if (first >= 0xf0 && first <= 0xf4) {
        length = 4;
        low = first == 0xf0 ? 0x90 : 0x80;
        high = first == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (left < length || data[1] < low || data[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((data[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool st_utf8_valid(st_slice text, size_t *out_position)
{
    size_t at = 0;
    while (at < text.size) {
        if (text.size - at >= 8 && (st_get_u64(text.data + at) & 0x8080808080808080u) == 0) {
            at += 8;
            continue;
        }
        size_t length =
            text.data[at] < 0x80 ? 1 : base_utf8_sequence(text.data + at, text.size - at);
        if (length == 0) {
            if (out_position != NULL) {
                *out_position = at;
            }
            return false;
        }
        at += length;
    }
    return true;
}

/* xoshiro256** seeded by splitmix64. */
void st_rng_seed(st_rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t word = seed;
        word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9u;
        word = (word ^ word >> 27) * 0x94d049bb133111ebu;
        rng->state[i] = word ^ word >> 31;
    }
}

static uint64_t base_rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

uint64_t st_rng_next(st_rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = base_rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = base_rotate(s[3], 45);
    return result;
}

uint64_t st_rng_below(st_rng *rng, uint64_t limit)
{
    uint64_t reject = UINT64_MAX - UINT64_MAX % limit;
    uint64_t word;
    do {
        word = st_rng_next(rng);
    } while (word >= reject);
    return word % limit;
}
