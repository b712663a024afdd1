/* What the service would charge: units of 4 KiB read and 1 KiB written, in halves, for the table
 * and each of its indexes. docs/formats/result.md.
 */
#include "table/table_internal.h"

#include <string.h>

#define CAPACITY_READ_BYTES 4096u
#define CAPACITY_WRITE_BYTES 1024u

uint64_t st_table__read_halves(uint64_t bytes, bool is_consistent)
{
    uint64_t units = bytes > 0 ? (bytes + CAPACITY_READ_BYTES - 1) / CAPACITY_READ_BYTES : 1;
    return units * (is_consistent ? 2 : 1);
}

uint64_t st_table__write_halves(uint64_t bytes)
{
    return 2 * (bytes > 0 ? (bytes + CAPACITY_WRITE_BYTES - 1) / CAPACITY_WRITE_BYTES : 1);
}

static st_charge *capacity_find(const st_charges *charges, const st_table *table)
{
    for (uint32_t i = 0; i < charges->count; i++) {
        if (charges->charges[i].table->id == table->id) {
            return &charges->charges[i];
        }
    }
    return NULL;
}

static bool capacity_grow(st_op *op, st_charges *charges)
{
    uint32_t capacity = charges->capacity * 2 + 2;
    st_charge *more = st_arena_alloc(&op->arena, capacity * sizeof *more);
    if (more && charges->count > 0) {
        memcpy(more, charges->charges, charges->count * sizeof *more);
    }
    charges->charges = more ? more : charges->charges;
    charges->capacity = more ? capacity : charges->capacity;
    return more != NULL;
}

st_charge *st_table__charge(st_op *op, st_charges *charges, const st_table *table)
{
    st_charge *charge = capacity_find(charges, table);
    if (charge) {
        return charge;
    }
    uint32_t indexes = table->definition.index_count;
    size_t bytes = 2 * ((size_t)indexes + 1) * sizeof(uint64_t);
    uint64_t *halves = st_arena_alloc(&op->arena, bytes);
    if (!halves || (charges->count == charges->capacity && !capacity_grow(op, charges))) {
        (void)st_fail_memory(op, bytes);
        return NULL;
    }
    memset(halves, 0, bytes);
    charge = &charges->charges[charges->count++];
    *charge = (st_charge){
        .table = table, .index_read_halves = halves, .index_write_halves = halves + indexes + 1};
    return charge;
}

static void capacity_put_arm(uint8_t kind, st_slice name, uint64_t read, uint64_t write,
                             st_buf *out)
{
    st_buf_byte(out, kind);
    st_buf_varint(out, name.size);
    st_buf_slice(out, name);
    st_buf_u64(out, read);
    st_buf_u64(out, write);
}

void st_table__put_charges(const st_charges *charges, st_buf *out)
{
    size_t place = st_table__result_open(out, ST_RESULT_CAPACITY);
    for (uint32_t i = 0; i < charges->count; i++) {
        const st_charge *charge = &charges->charges[i];
        const st_definition *definition = &charge->table->definition;
        capacity_put_arm(0, charge->table->name, charge->read_halves, charge->write_halves, out);
        for (uint32_t k = 0; k < definition->index_count; k++) {
            uint64_t read = charge->index_read_halves[k], write = charge->index_write_halves[k];
            if (read > 0 || write > 0) {
                capacity_put_arm(definition->indexes[k].kind, definition->indexes[k].name, read,
                                 write, out);
            }
        }
    }
    st_table__result_shut(out, place);
}

bool st_capacity_next(st_reader *reader, st_capacity_arm *out_arm)
{
    if (st_reader_left(reader) == 0) {
        return false;
    }
    out_arm->kind = st_reader_byte(reader);
    out_arm->name = st_reader_slice(reader, st_reader_varint(reader));
    out_arm->read_halves = st_reader_u64(reader);
    out_arm->write_halves = st_reader_u64(reader);
    return !reader->failed;
}
