/* Placeholders: what the names and values of a request stand for, and whether they are used.
 *
 * A few are looked for one by one. From SCOPE_FEW on there is a hash table with open addresses and
 * at least half of its slots free, so that a request of thousands takes no quadratic time.
 */
#include "expr/expr_internal.h"

#include <string.h>

#define SCOPE_FEW 16u
#define SCOPE_SEED 0x5c09eu

/* ---- slots ------------------------------------------------------------------------------ */

static uint64_t scope_slot_count(uint32_t count)
{
    uint64_t slots = 2 * (uint64_t)SCOPE_FEW;
    while (slots < 2 * (uint64_t)count) {
        slots *= 2;
    }
    return count > SCOPE_FEW ? slots : 0;
}

static void scope_enter(uint32_t *slots, uint32_t mask, st_slice placeholder, uint32_t index)
{
    uint32_t slot = (uint32_t)st_hash64(placeholder, SCOPE_SEED) & mask;
    while (slots[slot] != 0) {
        slot = (slot + 1) & mask;
    }
    slots[slot] = index + 1;
}

static st_expr_name *scope_find_name(const st_expr_scope *scope, st_slice placeholder)
{
    if (scope->name_slots) {
        uint32_t slot = (uint32_t)st_hash64(placeholder, SCOPE_SEED) & scope->name_mask;
        for (; scope->name_slots[slot] != 0; slot = (slot + 1) & scope->name_mask) {
            st_expr_name *name = &scope->names[scope->name_slots[slot] - 1];
            if (st_slice_equal(name->placeholder, placeholder)) {
                return name;
            }
        }
        return NULL;
    }
    for (uint32_t i = 0; i < scope->name_count; i++) {
        if (st_slice_equal(scope->names[i].placeholder, placeholder)) {
            return &scope->names[i];
        }
    }
    return NULL;
}

static st_expr_value *scope_find_value(const st_expr_scope *scope, st_slice placeholder)
{
    if (scope->value_slots) {
        uint32_t slot = (uint32_t)st_hash64(placeholder, SCOPE_SEED) & scope->value_mask;
        for (; scope->value_slots[slot] != 0; slot = (slot + 1) & scope->value_mask) {
            st_expr_value *value = &scope->values[scope->value_slots[slot] - 1];
            if (st_slice_equal(value->placeholder, placeholder)) {
                return value;
            }
        }
        return NULL;
    }
    for (uint32_t i = 0; i < scope->value_count; i++) {
        if (st_slice_equal(scope->values[i].placeholder, placeholder)) {
            return &scope->values[i];
        }
    }
    return NULL;
}

/* ---- filling ---------------------------------------------------------------------------- */

st_status st_expr_scope_begin(st_op *op, uint32_t name_count, uint32_t value_count,
                              st_expr_scope *out_scope)
{
    *out_scope = (st_expr_scope){0};
    if (name_count == 0 && value_count == 0) {
        return ST_OK;
    }
    uint64_t name_slots = scope_slot_count(name_count);
    uint64_t value_slots = scope_slot_count(value_count);
    uint64_t bytes = (uint64_t)name_count * sizeof(st_expr_name) +
                     (uint64_t)value_count * sizeof(st_expr_value) +
                     (name_slots + value_slots) * sizeof(uint32_t);
    uint8_t *memory = (size_t)bytes == bytes ? st_arena_alloc(&op->arena, (size_t)bytes) : NULL;
    if (!memory) {
        return st_fail_memory(op, (size_t)bytes);
    }
    out_scope->values = (st_expr_value *)(void *)memory;
    memory += (size_t)value_count * sizeof(st_expr_value);
    out_scope->names = (st_expr_name *)(void *)memory;
    memory += (size_t)name_count * sizeof(st_expr_name);
    memset(memory, 0, (size_t)(name_slots + value_slots) * sizeof(uint32_t));
    if (name_slots > 0) {
        out_scope->name_slots = (uint32_t *)(void *)memory;
        out_scope->name_mask = (uint32_t)(name_slots - 1);
    }
    if (value_slots > 0) {
        out_scope->value_slots = (uint32_t *)(void *)memory + name_slots;
        out_scope->value_mask = (uint32_t)(value_slots - 1);
    }
    return ST_OK;
}

void st_expr_scope_add_name(st_expr_scope *scope, st_slice placeholder, st_slice name)
{
    if (scope->name_slots) {
        scope_enter(scope->name_slots, scope->name_mask, placeholder, scope->name_count);
    }
    scope->names[scope->name_count++] = (st_expr_name){.placeholder = placeholder, .name = name};
}

/* A buffer's allocator that takes from the arena: what is written there stays there. */
static void *scope_resize(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes)
{
    uint8_t *memory = new_bytes > 0 ? st_arena_alloc(ctx, new_bytes) : NULL;
    if (memory && old_bytes > 0) {
        memcpy(memory, ptr, old_bytes < new_bytes ? old_bytes : new_bytes);
    }
    return memory;
}

#define SCOPE_VALUE_SPARE 32u /* a number may be longer than its text */

st_status st_expr_scope_add_value(st_op *op, st_expr_scope *scope, st_slice placeholder,
                                  st_slice relaxed)
{
    st_alloc arena = {.resize = scope_resize, .ctx = &op->arena};
    st_buf canonical;
    st_buf_init(&canonical, &arena);
    if (!st_buf_reserve(&canonical, relaxed.size + SCOPE_VALUE_SPARE)) {
        return st_fail_memory(op, relaxed.size + SCOPE_VALUE_SPARE);
    }
    ST_TRY(st_value_canonicalize(op, relaxed, &canonical));
    st_expr_value *value = &scope->values[scope->value_count];
    *value = (st_expr_value){.placeholder = placeholder};
    (void)st_value_of(st_buf_view(&canonical), &value->value);
    if (scope->value_slots) {
        scope_enter(scope->value_slots, scope->value_mask, placeholder, scope->value_count);
    }
    scope->value_count++;
    return ST_OK;
}

bool st_expr_is_placeholder(st_slice text, char sign)
{
    if (text.size < 2 || text.data[0] != (uint8_t)sign) {
        return false;
    }
    for (size_t i = 1; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool is_fine = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || byte == '_';
        if (!is_fine) {
            return false;
        }
    }
    return true;
}

/* ---- using ------------------------------------------------------------------------------ */

const st_expr_name *st_expr__use_name(st_expr_scope *scope, st_slice placeholder)
{
    st_expr_name *name = scope ? scope_find_name(scope, placeholder) : NULL;
    if (name) {
        name->is_used = true;
    }
    return name;
}

const st_expr_value *st_expr__use_value(st_expr_scope *scope, st_slice placeholder)
{
    st_expr_value *value = scope ? scope_find_value(scope, placeholder) : NULL;
    if (value) {
        value->is_used = true;
    }
    return value;
}

void st_expr__value(st_parser *parser, st_slice *out_placeholder, st_value *out_value)
{
    *out_placeholder = st_expr__text(parser, &parser->token);
    const st_expr_value *known = st_expr__use_value(parser->scope, *out_placeholder);
    *out_value = known ? known->value : (st_value){0};
    parser->has_undefined = parser->has_undefined || !known;
    st_expr__advance(parser);
}

st_status st_expr__resolve_value(st_op *op, st_expr_kind kind, int64_t position,
                                 st_slice placeholder, st_expr_scope *scope, st_value *out_value)
{
    const st_expr_value *known = st_expr__use_value(scope, placeholder);
    if (!known) {
        return st_expr__fail(op, kind, position,
                             "An expression attribute value used in expression is not defined; "
                             "attribute value: %.*s",
                             (int)placeholder.size, (const char *)placeholder.data);
    }
    *out_value = known->value;
    return ST_OK;
}

/* ---- unused ----------------------------------------------------------------------------- */

static st_status scope_refuse(st_op *op, const char *member, const st_buf *list)
{
    ST_TRY(st_buf_check(op, list));
    return st_fail(op, ST_INVALID_ARGUMENT,
                   "Value provided in %s unused in expressions: keys: {%.*s}", member,
                   (int)list->size, (const char *)list->data);
}

static void scope_list(st_buf *list, st_slice placeholder)
{
    if (list->size > 0) {
        st_buf_append(list, ", ", 2);
    }
    st_buf_slice(list, placeholder);
}

st_status st_expr_check_unused(st_op *op, const st_expr_scope *scope)
{
    st_status status = ST_OK;
    st_buf list;
    st_buf_init(&list, op->alloc);
    for (uint32_t i = 0; i < scope->name_count; i++) {
        if (!scope->names[i].is_used) {
            scope_list(&list, scope->names[i].placeholder);
        }
    }
    if (list.size > 0 || list.failed) {
        status = scope_refuse(op, "ExpressionAttributeNames", &list);
    }
    for (uint32_t i = 0; status == ST_OK && i < scope->value_count; i++) {
        if (!scope->values[i].is_used) {
            scope_list(&list, scope->values[i].placeholder);
        }
    }
    if (status == ST_OK && (list.size > 0 || list.failed)) {
        status = scope_refuse(op, "ExpressionAttributeValues", &list);
    }
    st_buf_deinit(&list);
    return status;
}
