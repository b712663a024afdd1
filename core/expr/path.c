/* Document paths: parsing, resolving, finding, comparing, printing. */
#include "expr/expr_internal.h"

#include <stdio.h>
#include <string.h>

#define PATH_INDEX_DIGITS_MAX 10

/* ---- parsing ---------------------------------------------------------------------------- */

bool st_expr__is_path(const st_parser *parser)
{
    return parser->token.kind == ST_TOKEN_NAME || parser->token.kind == ST_TOKEN_HASH;
}

static st_status path_name(st_parser *parser, st_path_step *step)
{
    if (!st_expr__is_path(parser)) {
        return st_expr__syntax_error(parser);
    }
    st_slice name = st_expr__text(parser, &parser->token);
    *step = (st_path_step){.name = name, .position = (int64_t)parser->token.begin};
    if (parser->token.kind == ST_TOKEN_HASH) {
        const st_expr_name *known = st_expr__use_name(parser->scope, name);
        step->placeholder = name;
        step->name = known ? known->name : name;
        parser->has_undefined = parser->has_undefined || !known;
    } else if (st_expr__is_reserved(name)) {
        st_expr__complain(parser, step->position,
                          "Attribute name is a reserved keyword; reserved keyword: %.*s",
                          (int)name.size, (const char *)name.data);
    }
    st_expr__advance(parser);
    return ST_OK;
}

static st_status path_index(st_parser *parser, st_path_step *step)
{
    st_expr__advance(parser);
    if (parser->token.kind != ST_TOKEN_NUMBER) {
        return st_expr__syntax_error(parser);
    }
    st_slice digits = st_expr__text(parser, &parser->token);
    uint64_t index = 0;
    for (size_t i = 0; i < digits.size && i < PATH_INDEX_DIGITS_MAX; i++) {
        index = index * 10 + digits.data[i] - '0';
    }
    *step = (st_path_step){
        .is_index = true, .index = (uint32_t)index, .position = (int64_t)parser->token.begin};
    if (digits.size > PATH_INDEX_DIGITS_MAX || index > ST_EXPR_INDEX_MAX) {
        st_expr__complain(parser, step->position,
                          "List index is not within the allowable range; index: [%.*s]",
                          (int)digits.size, (const char *)digits.data);
    }
    st_expr__advance(parser);
    return st_expr__expect_sign(parser, ']');
}

static bool path_goes_on(const st_parser *parser)
{
    return st_expr__is_sign(parser, '.') || st_expr__is_sign(parser, '[');
}

static st_status path_step(st_parser *parser, st_path_step *step)
{
    if (st_expr__is_sign(parser, '[')) {
        return path_index(parser, step);
    }
    st_expr__advance(parser);
    return path_name(parser, step);
}

st_status st_expr__path(st_parser *parser, st_path *out_path)
{
    uint32_t capacity = 1;
    st_path path = {.steps = st_arena_alloc(&parser->op->arena, sizeof *path.steps)};
    if (!path.steps) {
        return st_fail_memory(parser->op, sizeof *path.steps);
    }
    ST_TRY(path_name(parser, &path.steps[0]));
    path.count = 1;
    while (path_goes_on(parser)) {
        if (path.count == capacity) {
            size_t bytes = 2 * (size_t)capacity * sizeof *path.steps;
            st_path_step *more = st_arena_alloc(&parser->op->arena, bytes);
            if (!more) {
                return st_fail_memory(parser->op, bytes);
            }
            memcpy(more, path.steps, capacity * sizeof *more);
            path.steps = more;
            capacity *= 2;
        }
        ST_TRY(path_step(parser, &path.steps[path.count]));
        path.count++;
    }
    if (path.count > ST_EXPR_PATH_MAX) {
        st_expr__complain(parser, path.steps[0].position,
                          "The document path has too many nesting levels; nesting levels: %u",
                          path.count);
    }
    *out_path = path;
    return ST_OK;
}

st_status st_path_of_name(st_op *op, st_slice name, st_path *out_path)
{
    st_path_step *step = st_arena_alloc(&op->arena, sizeof *step);
    if (!step) {
        return st_fail_memory(op, sizeof *step);
    }
    *step = (st_path_step){.name = name, .position = -1};
    *out_path = (st_path){.steps = step, .count = 1};
    return ST_OK;
}

/* ---- resolving -------------------------------------------------------------------------- */

st_status st_expr__resolve_path(st_op *op, st_expr_kind kind, st_path *path, st_expr_scope *scope)
{
    for (uint32_t i = 0; i < path->count; i++) {
        st_path_step *step = &path->steps[i];
        if (step->placeholder.size == 0) {
            continue;
        }
        const st_expr_name *known = st_expr__use_name(scope, step->placeholder);
        if (!known) {
            return st_expr__fail(op, kind, step->position,
                                 "An expression attribute name used in the document path is not "
                                 "defined; attribute name: %.*s",
                                 (int)step->placeholder.size, (const char *)step->placeholder.data);
        }
        step->name = known->name;
    }
    return ST_OK;
}

/* ---- finding ---------------------------------------------------------------------------- */

static st_value path_member(const st_value *container, const st_path_step *step)
{
    st_value none = {0}, value;
    st_slice name;
    if (container->type != (step->is_index ? ST_TYPE_L : ST_TYPE_M) ||
        (step->is_index && step->index >= container->count)) {
        return none;
    }
    st_members walk = st_members_of(container);
    for (uint32_t i = 0; st_members_next(&walk, &name, &value); i++) {
        if (step->is_index) {
            if (i == step->index) {
                return value;
            }
            continue;
        }
        int order = st_slice_compare(name, step->name);
        if (order >= 0) { /* members are in order */
            return order == 0 ? value : none;
        }
    }
    return none;
}

st_value st_path_find(const st_path *path, st_slice frame)
{
    st_value value = {0};
    if (path->count == 0 || !st_item_find(frame, path->steps[0].name, &value)) {
        return (st_value){0};
    }
    for (uint32_t i = 1; i < path->count && value.type != ST_TYPE_NONE; i++) {
        value = path_member(&value, &path->steps[i]);
    }
    return value;
}

/* ---- comparing -------------------------------------------------------------------------- */

static bool path_steps_equal(const st_path_step *a, const st_path_step *b)
{
    return a->is_index == b->is_index &&
           (a->is_index ? a->index == b->index : st_slice_equal(a->name, b->name));
}

bool st_path_equal(const st_path *a, const st_path *b)
{
    return a->count == b->count && st_expr__relation(a, b) == ST_PATHS_OVERLAP;
}

st_path_relation st_expr__relation(const st_path *a, const st_path *b)
{
    uint32_t least = a->count < b->count ? a->count : b->count;
    for (uint32_t i = 0; i < least; i++) {
        if (!path_steps_equal(&a->steps[i], &b->steps[i])) {
            return a->steps[i].is_index == b->steps[i].is_index ? ST_PATHS_APART
                                                                : ST_PATHS_CONFLICT;
        }
    }
    return ST_PATHS_OVERLAP;
}

void st_path_print(const st_path *path, st_buf *out)
{
    char text[24];
    st_buf_byte(out, '[');
    for (uint32_t i = 0; i < path->count; i++) {
        if (i > 0) {
            st_buf_append(out, ", ", 2);
        }
        if (path->steps[i].is_index) {
            int size = snprintf(text, sizeof text, "[%u]", path->steps[i].index);
            st_buf_append(out, text, (size_t)size);
        } else {
            st_buf_slice(out, path->steps[i].name);
        }
    }
    st_buf_byte(out, ']');
}

static st_status path_refuse_pair(st_op *op, st_expr_kind kind, st_path_relation relation,
                                  const st_path *one, const st_path *two)
{
    st_buf first, second;
    st_buf_init(&first, op->alloc);
    st_buf_init(&second, op->alloc);
    st_path_print(one, &first);
    st_path_print(two, &second);
    st_status status = st_buf_check(op, first.failed ? &first : &second);
    if (status == ST_OK) {
        status =
            st_expr__fail(op, kind, two->steps[0].position,
                          "Two document paths %s with each other; must remove or rewrite one "
                          "of these paths; path one: %.*s, path two: %.*s",
                          relation == ST_PATHS_OVERLAP ? "overlap" : "conflict", (int)first.size,
                          (const char *)first.data, (int)second.size, (const char *)second.data);
    }
    st_buf_deinit(&first);
    st_buf_deinit(&second);
    return status;
}

/* ---- many paths ------------------------------------------------------------------------- */

static int path_order(const st_path *a, const st_path *b)
{
    uint32_t least = a->count < b->count ? a->count : b->count;
    for (uint32_t i = 0; i < least; i++) {
        const st_path_step *x = &a->steps[i], *y = &b->steps[i];
        if (x->is_index != y->is_index) {
            return x->is_index ? 1 : -1;
        }
        int order = x->is_index ? (x->index > y->index) - (x->index < y->index)
                                : st_slice_compare(x->name, y->name);
        if (order != 0) {
            return order;
        }
    }
    return (a->count > b->count) - (a->count < b->count);
}

static void path_sink(const st_path **paths, uint32_t at, uint32_t count)
{
    const st_path *path = paths[at];
    for (uint32_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        child += child + 1 < count && path_order(paths[child], paths[child + 1]) < 0;
        if (path_order(paths[child], path) <= 0) {
            break;
        }
        paths[at] = paths[child];
        at = child;
    }
    paths[at] = path;
}

void st_expr__sort_paths(const st_path **paths, uint32_t count)
{
    for (uint32_t at = count / 2; at > 0; at--) {
        path_sink(paths, at - 1, count);
    }
    for (uint32_t end = count; end > 1; end--) {
        const st_path *last = paths[0];
        paths[0] = paths[end - 1];
        paths[end - 1] = last;
        path_sink(paths, 0, end - 1);
    }
}

/* Pair by pair, for the first in written order. */
static st_status path_find_pair(st_op *op, st_expr_kind kind, const st_path *const *paths,
                                uint32_t count)
{
    for (uint32_t later = 1; later < count; later++) {
        for (uint32_t earlier = 0; earlier < later; earlier++) {
            st_path_relation relation = st_expr__relation(paths[earlier], paths[later]);
            if (relation != ST_PATHS_APART) {
                return path_refuse_pair(op, kind, relation, paths[earlier], paths[later]);
            }
        }
    }
    return ST_OK;
}

#define PATH_FEW 8u

st_status st_expr__check_paths(st_op *op, st_expr_kind kind, const st_path *const *paths,
                               uint32_t count)
{
    if (count <= PATH_FEW) {
        return path_find_pair(op, kind, paths, count);
    }
    size_t bytes = count * sizeof *paths;
    const st_path **sorted = st_arena_alloc(&op->arena, bytes);
    if (!sorted) {
        return st_fail_memory(op, bytes);
    }
    memcpy(sorted, paths, bytes);
    st_expr__sort_paths(sorted, count);
    for (uint32_t i = 1; i < count; i++) {
        /* what is in each other's way has neighbours that are */
        if (st_expr__relation(sorted[i - 1], sorted[i]) != ST_PATHS_APART) {
            return path_find_pair(op, kind, paths, count);
        }
    }
    return ST_OK;
}
