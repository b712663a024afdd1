/* Placeholders: what the names and values of a request stand for, and whether they are used. */
#include "expr/expr_internal.h"

st_status st_expr_scope_begin(st_op *op, uint32_t name_count, uint32_t value_count,
                              st_expr_scope *out_scope)
{
    *out_scope = (st_expr_scope){0};
    uint64_t bytes =
        (uint64_t)name_count * sizeof(st_expr_name) + (uint64_t)value_count * sizeof(st_expr_value);
    uint8_t *memory = (size_t)bytes == bytes ? st_arena_alloc(&op->arena, (size_t)bytes) : NULL;
    if (!memory) {
        return st_fail_memory(op, (size_t)bytes);
    }
    out_scope->values = (st_expr_value *)(void *)memory;
    memory += (size_t)value_count * sizeof(st_expr_value);
    out_scope->names = (st_expr_name *)(void *)memory;
    return ST_OK;
}

void st_expr_scope_add_name(st_expr_scope *scope, st_slice placeholder, st_slice name)
{
    scope->names[scope->name_count++] = (st_expr_name){.placeholder = placeholder, .name = name};
}

st_status st_expr_scope_add_value(st_op *op, st_expr_scope *scope, st_slice placeholder,
                                  st_slice relaxed)
{
    st_expr_value *value = &scope->values[scope->value_count];
    *value = (st_expr_value){.placeholder = placeholder};
    st_buf canonical;
    st_buf_init(&canonical, op->alloc);
    st_status status = st_value_canonicalize(op, relaxed, &canonical);
    uint8_t *copy = status == ST_OK ? st_arena_alloc(&op->arena, canonical.size) : NULL;
    if (status == ST_OK && !copy) {
        status = st_fail_memory(op, canonical.size);
    }
    if (status == ST_OK) {
        for (size_t i = 0; i < canonical.size; i++) {
            copy[i] = canonical.data[i];
        }
        (void)st_value_of(st_slice_of(copy, canonical.size), &value->value);
        scope->value_count++;
    }
    st_buf_deinit(&canonical);
    return status;
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

const st_expr_value *st_expr__find_value(const st_expr_scope *scope, st_slice placeholder)
{
    for (uint32_t i = 0; scope && i < scope->value_count; i++) {
        if (st_slice_equal(scope->values[i].placeholder, placeholder)) {
            return &scope->values[i];
        }
    }
    return NULL;
}

st_status st_expr__resolve_value(st_op *op, st_expr_kind kind, st_slice placeholder,
                                 st_expr_scope *scope, st_value *out_value)
{
    for (uint32_t i = 0; scope && i < scope->value_count; i++) {
        if (st_slice_equal(scope->values[i].placeholder, placeholder)) {
            scope->values[i].is_used = true;
            *out_value = scope->values[i].value;
            return ST_OK;
        }
    }
    return st_expr__fail(op, kind, -1,
                         "An expression attribute value used in expression is not defined; "
                         "attribute value: %.*s",
                         (int)placeholder.size, (const char *)placeholder.data);
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
    if (list.size > 0) {
        status = scope_refuse(op, "ExpressionAttributeNames", &list);
    }
    for (uint32_t i = 0; status == ST_OK && i < scope->value_count; i++) {
        if (!scope->values[i].is_used) {
            scope_list(&list, scope->values[i].placeholder);
        }
    }
    if (status == ST_OK && list.size > 0) {
        status = scope_refuse(op, "ExpressionAttributeValues", &list);
    }
    st_buf_deinit(&list);
    return status;
}
