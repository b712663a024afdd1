/* Projections: parts of an item.
 *
 * What several paths take of one container is merged; the elements taken of a list stand close, in
 * the order they had. A container of which nothing is taken is left out.
 */
#include "expr/expr_internal.h"

#include <string.h>

struct st_projection {
    st_path *paths;
    uint32_t count, capacity;
};

static st_status projection_add(st_op *op, st_projection *projection, const st_path *path)
{
    if (projection->count == projection->capacity) {
        uint32_t capacity = projection->capacity * 2 + 4;
        st_path *paths = st_arena_alloc(&op->arena, capacity * sizeof *paths);
        if (!paths) {
            return st_fail_memory(op, capacity * sizeof *paths);
        }
        if (projection->count > 0) {
            memcpy(paths, projection->paths, projection->count * sizeof *paths);
        }
        projection->paths = paths;
        projection->capacity = capacity;
    }
    projection->paths[projection->count++] = *path;
    return ST_OK;
}

static st_status projection_new(st_op *op, st_projection **out_projection)
{
    *out_projection = st_arena_alloc(&op->arena, sizeof **out_projection);
    if (!*out_projection) {
        return st_fail_memory(op, sizeof **out_projection);
    }
    **out_projection = (st_projection){0};
    return ST_OK;
}

st_status st_projection_parse(st_op *op, st_slice text, st_expr_scope *scope,
                              st_projection **out_projection)
{
    st_parser parser;
    st_path path;
    *out_projection = NULL;
    ST_TRY(st_expr__begin(&parser, op, ST_EXPR_PROJECTION, text, scope));
    st_projection *projection;
    ST_TRY(projection_new(op, &projection));
    ST_TRY(st_expr__path(&parser, &path));
    ST_TRY(projection_add(op, projection, &path));
    while (st_expr__is_sign(&parser, ',')) {
        st_expr__advance(&parser);
        ST_TRY(st_expr__path(&parser, &path));
        ST_TRY(projection_add(op, projection, &path));
    }
    ST_TRY(st_expr__finish(&parser));
    *out_projection = projection;
    return ST_OK;
}

st_status st_projection_resolve(st_op *op, st_projection *projection, st_expr_scope *scope)
{
    size_t bytes = projection->count * sizeof(st_path *);
    const st_path **paths = st_arena_alloc(&op->arena, bytes);
    if (!paths) {
        return st_fail_memory(op, bytes);
    }
    for (uint32_t i = 0; i < projection->count; i++) {
        ST_TRY(st_expr__resolve_path(op, ST_EXPR_PROJECTION, &projection->paths[i], scope));
        paths[i] = &projection->paths[i];
    }
    return st_expr__check_paths(op, ST_EXPR_PROJECTION, paths, projection->count);
}

st_status st_projection_of_paths(st_op *op, const st_path *paths, uint32_t count,
                                 st_projection **out_projection)
{
    ST_TRY(projection_new(op, out_projection));
    for (uint32_t i = 0; i < count; i++) {
        ST_TRY(projection_add(op, *out_projection, &paths[i]));
    }
    return ST_OK;
}

st_status st_update_projection(st_op *op, const st_update *update, st_projection **out_projection)
{
    ST_TRY(projection_new(op, out_projection));
    for (const st_action *action = update->actions; action; action = action->next) {
        ST_TRY(projection_add(op, *out_projection, &action->path));
    }
    return ST_OK;
}

const st_path *st_projection_paths(const st_projection *projection, uint32_t *out_count)
{
    *out_count = projection->count;
    return projection->paths;
}

/* ---- applying --------------------------------------------------------------------------- */

typedef enum projection_share {
    PROJECTION_NOTHING,
    PROJECTION_PART,
    PROJECTION_ALL,
} projection_share;

/* The paths that lead to the member being looked at: a chain from the innermost step outwards would
 * be walked for each path, so each level keeps the numbers of its paths. */
typedef struct projection_level {
    const st_projection *projection;
    const uint32_t *paths;
    uint32_t count, depth;
} projection_level;

static projection_share projection_match(const projection_level *level, st_slice name,
                                         uint32_t index, bool is_list, uint32_t *out_paths,
                                         uint32_t *out_count)
{
    *out_count = 0;
    for (uint32_t i = 0; i < level->count; i++) {
        const st_path *path = &level->projection->paths[level->paths[i]];
        const st_path_step *step = &path->steps[level->depth];
        if (step->is_index != is_list ||
            (is_list ? step->index != index : !st_slice_equal(step->name, name))) {
            continue;
        }
        if (path->count == level->depth + 1) {
            return PROJECTION_ALL;
        }
        out_paths[(*out_count)++] = level->paths[i];
    }
    return *out_count > 0 ? PROJECTION_PART : PROJECTION_NOTHING;
}

static st_status projection_value(st_op *op, const projection_level *level, const st_value *value,
                                  st_buf *out, bool *out_took);

static st_status projection_member(st_op *op, const projection_level *level, st_slice name,
                                   uint32_t index, bool is_list, const st_value *value,
                                   uint32_t *scratch, st_buf *out, bool *out_took)
{
    projection_level inner = {
        .projection = level->projection, .paths = scratch, .depth = level->depth + 1};
    projection_share share = projection_match(level, name, index, is_list, scratch, &inner.count);
    *out_took = share == PROJECTION_ALL;
    if (share == PROJECTION_NOTHING) {
        return ST_OK;
    }
    size_t begin = out->size;
    if (!is_list) {
        st_buf_varint(out, name.size);
        st_buf_slice(out, name);
    }
    if (share == PROJECTION_ALL) {
        st_buf_slice(out, value->encoded);
        return ST_OK;
    }
    ST_TRY(projection_value(op, &inner, value, out, out_took));
    out->size = *out_took ? out->size : begin;
    return ST_OK;
}

/* A part of a map or list. */
static st_status projection_value(st_op *op, const projection_level *level, const st_value *value,
                                  st_buf *out, bool *out_took)
{
    bool is_list = value->type == ST_TYPE_L;
    *out_took = false;
    if (!is_list && value->type != ST_TYPE_M) {
        return ST_OK;
    }
    uint32_t *scratch = st_arena_alloc(&op->arena, level->count * sizeof *scratch);
    if (!scratch) {
        return st_fail_memory(op, level->count * sizeof *scratch);
    }
    uint8_t head[9] = {is_list ? ST_TAG_L : ST_TAG_M};
    st_buf_append(out, head, sizeof head);
    size_t begin = out->size;
    st_members walk = st_members_of(value);
    st_slice name;
    st_value member;
    uint32_t taken = 0;
    for (uint32_t i = 0; st_members_next(&walk, &name, &member); i++) {
        bool took;
        ST_TRY(projection_member(op, level, name, i, is_list, &member, scratch, out, &took));
        taken += took;
    }
    if (!out->failed) {
        st_put_u32(out->data + begin - 8, (uint32_t)(out->size - begin));
        st_put_u32(out->data + begin - 4, taken);
    }
    *out_took = taken > 0;
    return ST_OK;
}

st_status st_projection_apply(st_op *op, const st_projection *projection, st_slice frame,
                              st_buf *out_frame)
{
    uint32_t taken = 0;
    uint32_t *all = st_arena_alloc(&op->arena, 2 * projection->count * sizeof *all + 1);
    if (!all) {
        return st_fail_memory(op, 2 * projection->count * sizeof *all);
    }
    for (uint32_t i = 0; i < projection->count; i++) {
        all[i] = i;
    }
    projection_level level = {.projection = projection, .paths = all, .count = projection->count};
    st_buf entries;
    st_buf_init(&entries, op->alloc);
    st_slice name;
    st_value value;
    st_status status = ST_OK;
    for (uint32_t i = 0; status == ST_OK && st_item_at(frame, i, &name, &value); i++) {
        bool took;
        status = projection_member(op, &level, name, 0, false, &value, all + projection->count,
                                   &entries, &took);
        taken += took;
    }
    if (status == ST_OK) {
        status = st_buf_check(op, &entries);
    }
    if (status == ST_OK) {
        status = st_item_of_entries(op, st_buf_view(&entries), taken, out_frame);
    }
    st_buf_deinit(&entries);
    return status;
}
