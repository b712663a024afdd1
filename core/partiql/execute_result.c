/* Result frames (docs/formats/result.md), charges put together, and what a token is bound to. */
#include "partiql/execute_internal.h"

#include <stdlib.h>
#include <string.h>

#define CHARGES_WRITE_BYTES 1024u /* of a unit */

/* ---- frames ----------------------------------------------------------------------------- */

void st_partiql__result_begin(st_buf *out, uint8_t operation)
{
    st_buf_byte(out, ST_FRAME_VERSION);
    st_buf_byte(out, operation);
}

void st_partiql__result_field(st_buf *out, uint8_t number, st_slice payload)
{
    st_buf_byte(out, number);
    st_buf_u32(out, (uint32_t)payload.size);
    st_buf_slice(out, payload);
}

size_t st_partiql__result_open(st_buf *out, uint8_t number)
{
    st_buf_byte(out, number);
    st_buf_u32(out, 0);
    return out->size;
}

void st_partiql__result_shut(st_buf *out, size_t place)
{
    if (!out->failed) {
        st_put_u32(out->data + place - 4, (uint32_t)(out->size - place));
    }
}

/* ---- charges ---------------------------------------------------------------------------- */

static st_status charges_grow(st_op *op, st_partiql__charges *charges)
{
    uint32_t capacity = charges->capacity * 2 + 4;
    void *more = st_partiql__alloc(op, capacity, sizeof *charges->arms);
    if (!more) {
        return ST_NO_MEMORY;
    }
    if (charges->count > 0) {
        memcpy(more, charges->arms, charges->count * sizeof *charges->arms);
    }
    charges->arms = more;
    charges->capacity = capacity;
    return ST_OK;
}

static st_status charges_add_arm(st_op *op, st_partiql__charges *charges, st_slice table,
                                 const st_capacity_arm *arm)
{
    for (uint32_t i = 0; i < charges->count; i++) {
        st_capacity_arm *known = &charges->arms[i].arm;
        if (known->kind == arm->kind && st_slice_equal(known->name, arm->name) &&
            st_slice_equal(charges->arms[i].table, table)) {
            known->read_halves += arm->read_halves;
            known->write_halves += arm->write_halves;
            return ST_OK;
        }
    }
    if (charges->count == charges->capacity) {
        ST_TRY(charges_grow(op, charges));
    }
    charges->arms[charges->count].arm = *arm;
    charges->arms[charges->count++].table = table;
    return ST_OK;
}

st_status st_partiql__charges_add(st_op *op, st_partiql__charges *charges, st_slice result)
{
    st_slice payload, table = {0};
    st_capacity_arm arm;
    if (!st_table_result_find(result, ST_RESULT_CAPACITY, &payload)) {
        return ST_OK;
    }
    uint8_t *copy = st_partiql__alloc(op, payload.size + 1, 1); /* the result goes, names stay */
    if (!copy) {
        return ST_NO_MEMORY;
    }
    memcpy(copy, payload.data, payload.size);
    st_reader reader = st_reader_of(st_slice_of(copy, payload.size));
    while (st_capacity_next(&reader, &arm)) {
        table = arm.kind == 0 ? arm.name : table;
        ST_TRY(charges_add_arm(op, charges, table, &arm));
    }
    return ST_OK;
}

st_status st_partiql__charges_add_failure(st_op *op, st_partiql__charges *charges, st_slice table,
                                          uint64_t bytes)
{
    uint64_t units = bytes > 0 ? (bytes + CHARGES_WRITE_BYTES - 1) / CHARGES_WRITE_BYTES : 1;
    st_capacity_arm arm = {.kind = ST_CAPACITY_FAILED, .write_halves = 2 * units};
    return charges_add_arm(op, charges, table, &arm);
}

static void charges_put_arm(const st_capacity_arm *arm, st_buf *out)
{
    st_buf_byte(out, arm->kind);
    st_buf_varint(out, arm->name.size);
    st_buf_slice(out, arm->name);
    st_buf_u64(out, arm->read_halves);
    st_buf_u64(out, arm->write_halves);
}

/* A table with nothing but failures is left out; none at all is no field. */
static bool charges_has_table(const st_partiql__charges *charges)
{
    for (uint32_t i = 0; i < charges->count; i++) {
        if (charges->arms[i].arm.kind == 0) {
            return true;
        }
    }
    return false;
}

void st_partiql__charges_put(const st_partiql__charges *charges, st_buf *out)
{
    if (!charges_has_table(charges)) {
        return;
    }
    size_t place = st_partiql__result_open(out, ST_RESULT_CAPACITY);
    for (uint32_t i = 0; i < charges->count; i++) {
        if (charges->arms[i].arm.kind != 0) {
            continue;
        }
        charges_put_arm(&charges->arms[i].arm, out);
        for (uint32_t k = 0; k < charges->count; k++) {
            if (charges->arms[k].arm.kind != 0 &&
                st_slice_equal(charges->arms[k].table, charges->arms[i].table)) {
                charges_put_arm(&charges->arms[k].arm, out);
            }
        }
    }
    st_partiql__result_shut(out, place);
}

/* ---- digests ---------------------------------------------------------------------------- */

/* Sign, digits without leading zeros, and the power of ten of the last one: 1.0 and 10e-1 are one,
 * 1 and 1.0 are two. */
static void digest_number(st_slice text, st_buf *out)
{
    int64_t scale = 0, exponent = 0;
    bool is_behind = false, is_negative = text.size > 0 && text.data[0] == '-';
    size_t at = 0, begin = out->size + 1;
    st_buf_byte(out, is_negative);
    for (; at < text.size && (text.data[at] | 0x20) != 'e'; at++) {
        uint8_t byte = text.data[at];
        bool is_digit = byte >= '0' && byte <= '9';
        is_behind = is_behind || byte == '.';
        scale += is_digit && is_behind;
        if (is_digit && (byte != '0' || out->size > begin)) {
            st_buf_byte(out, byte);
        }
    }
    bool is_down = at + 1 < text.size && text.data[at + 1] == '-';
    for (; at < text.size; at++) {
        if (text.data[at] >= '0' && text.data[at] <= '9' && exponent < INT32_MAX) {
            exponent = exponent * 10 + (text.data[at] - '0');
        }
    }
    st_buf_byte(out, 0);
    st_buf_u64(out, (uint64_t)((is_down ? -exponent : exponent) - scale));
}

static void digest_member(const st_value *value, st_buf *out)
{
    st_buf_byte(out, (uint8_t)value->type);
    if (value->type == ST_TYPE_N && value->is_text) {
        digest_number(value->bytes, out);
    } else if (value->type == ST_TYPE_BOOL) {
        st_buf_byte(out, value->boolean);
    } else {
        st_buf_varint(out, value->bytes.size);
        st_buf_slice(out, value->bytes);
    }
}

static int digest_compare(const void *a, const void *b)
{
    return st_slice_compare(*(const st_slice *)a, *(const st_slice *)b);
}

static st_status digest_set(st_op *op, const st_value *set, st_buf *out)
{
    st_slice *forms = st_partiql__alloc(op, set->count, sizeof *forms);
    st_members walk = st_members_of(set);
    st_slice name;
    st_value member;
    st_buf form;
    st_status status = forms ? ST_OK : ST_NO_MEMORY;
    st_buf_init(&form, op->alloc);
    uint32_t count = 0;
    while (status == ST_OK && count < set->count && st_members_next(&walk, &name, &member)) {
        st_buf_clear(&form);
        digest_member(&member, &form);
        status = st_partiql__keep(op, &form, &forms[count++]);
    }
    st_buf_deinit(&form);
    if (status != ST_OK) {
        return status;
    }
    qsort(forms, count, sizeof *forms, digest_compare);
    st_buf_byte(out, (uint8_t)set->type);
    for (uint32_t i = 0; i < count; i++) {
        st_buf_slice(out, forms[i]);
    }
    st_buf_byte(out, 0);
    return ST_OK;
}

static st_status digest_parameter(st_op *op, st_slice parameter, st_buf *out, bool *out_resumes)
{
    st_value value;
    if (!st_value_of(parameter, &value)) {
        return st_fail(op, ST_INVALID_ARGUMENT, "a parameter of the statement is malformed");
    }
    if (value.type == ST_TYPE_SS || value.type == ST_TYPE_NS || value.type == ST_TYPE_BS) {
        return digest_set(op, &value, out);
    }
    if (value.type == ST_TYPE_L || value.type == ST_TYPE_M) {
        *out_resumes = false;
        st_value canonical;
        ST_TRY(st_partiql__lower_value(op, parameter, &canonical));
        st_buf_slice(out, canonical.encoded);
        return ST_OK;
    }
    digest_member(&value, out);
    return ST_OK;
}

st_status st_partiql__digest(st_op *op, const st_partiql_call *call, uint64_t out_digest[2],
                             bool *out_resumes)
{
    st_buf bytes;
    st_status status = ST_OK;
    *out_resumes = true;
    st_buf_init(&bytes, op->alloc);
    st_buf_varint(&bytes, call->statement.size);
    st_buf_slice(&bytes, call->statement);
    for (uint32_t i = 0; i < call->parameter_count && status == ST_OK; i++) {
        status = digest_parameter(op, call->parameters[i], &bytes, out_resumes);
    }
    if (status == ST_OK) {
        status = st_buf_check(op, &bytes);
    }
    out_digest[0] = st_hash64(st_buf_view(&bytes), 1);
    out_digest[1] = st_hash64(st_buf_view(&bytes), 2);
    st_buf_deinit(&bytes);
    return status;
}
