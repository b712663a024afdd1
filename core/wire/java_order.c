/* The order in which some answers of the service list the members of a number set: that of a Java
 * HashSet of BigDecimals without trailing zeros, filled in ascending order.
 *
 * A BigDecimal is its digits as an integer and a scale. Its hash is 31 times the integer's hash,
 * plus the scale. An integer of 63 bits hashes as its two halves, a longer one as all its 32-bit
 * words. The set has 16 buckets and doubles when it is three quarters full; a bucket keeps the
 * order of insertion.
 */
#include "wire/wire_internal.h"

#include <stdlib.h>

#define JAVA_WORDS 4

typedef struct java_member {
    uint32_t bucket, index;
    st_slice form;
} java_member;

/* The digits as an integer, most significant word first. */
static void java_magnitude(const st_number *number, uint32_t words[JAVA_WORDS])
{
    for (int i = 0; i < JAVA_WORDS; i++) {
        words[i] = 0;
    }
    for (int digit = 0; digit < number->digit_count; digit++) {
        uint64_t carry = number->digits[digit];
        for (int i = JAVA_WORDS - 1; i >= 0; i--) {
            carry += (uint64_t)words[i] * 10;
            words[i] = (uint32_t)carry;
            carry >>= 32;
        }
    }
}

static uint32_t java_hash(const st_number *number)
{
    uint32_t words[JAVA_WORDS], hash = 0;
    if (number->digit_count == 0) {
        return 0;
    }
    java_magnitude(number, words);
    int32_t scale = number->digit_count - 1 - number->exponent;
    bool is_long = words[0] == 0 && words[1] == 0 && words[2] < 0x80000000u;
    if (is_long) {
        hash = words[2] * 31u + words[3];
    } else {
        for (int i = 0; i < JAVA_WORDS; i++) {
            hash = hash == 0 && words[i] == 0 ? 0 : hash * 31u + words[i];
        }
    }
    hash = number->is_negative ? 0u - hash : hash;
    return hash * 31u + (uint32_t)scale;
}

static int java_compare(const void *a, const void *b)
{
    const java_member *left = a, *right = b;
    if (left->bucket != right->bucket) {
        return left->bucket < right->bucket ? -1 : 1;
    }
    return left->index < right->index ? -1 : left->index > right->index;
}

static void java_put_number(st_slice form, st_buf *out)
{
    char text[ST_NUMBER_TEXT_MAX];
    st_number number;
    if (st_number_decode(form, &number)) {
        st_buf_byte(out, '"');
        st_buf_append(out, text, st_number_text(&number, text));
        st_buf_byte(out, '"');
    }
}

void st_wire__put_java_numbers(const st_value *set, st_buf *out)
{
    uint32_t buckets = 16, count = 0;
    while ((uint64_t)set->count * 4 > (uint64_t)buckets * 3) {
        buckets *= 2;
    }
    st_buf memory;
    st_buf_init(&memory, out->alloc);
    java_member *members =
        (java_member *)(void *)st_buf_extend(&memory, set->count * sizeof *members);
    st_members walk = st_members_of(set);
    st_slice name;
    st_value value;
    st_number number;
    while (members && st_members_next(&walk, &name, &value)) {
        uint32_t hash = st_number_decode(value.bytes, &number) ? java_hash(&number) : 0;
        members[count] = (java_member){(hash ^ hash >> 16) & (buckets - 1), count, value.bytes};
        count++;
    }
    if (members) {
        qsort(members, count, sizeof *members, java_compare);
    } else {
        out->failed = true;
    }
    for (uint32_t i = 0; i < count; i++) {
        st_buf_append(out, ",", i > 0 ? 1 : 0);
        java_put_number(members[i].form, out);
    }
    st_buf_deinit(&memory);
}
