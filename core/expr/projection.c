/* Projections: parts of an item.
 *
 * What several paths take of one container is merged; the elements taken of a list stand close, in
 * the order they had. A container of which nothing is taken is left out.
 *
 * The paths are kept in written order and sorted: sorted, the paths through one member are a run,
 * and runs come in the order of an item's names and a list's indexes. So each container is walked
 * once, whatever the number of paths, and the attributes of the item are looked up.
 */
#include "expr/expr_internal.h"

#include <string.h>

struct st_projection {
    st_path *paths;
    uint32_t count, capacity;
    const st_path **sorted; /* NULL until all names are known */
    bool is_resolved;       /* while it was parsed */
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
    projection->is_resolved = !parser.has_undefined;
    *out_projection = projection;
    return ST_OK;
}

static st_status projection_sort(st_op *op, st_projection *projection)
{
    size_t bytes = ((size_t)projection->count + 1) * sizeof(st_path *); /* there may be none */
    projection->sorted = st_arena_alloc(&op->arena, bytes);
    if (!projection->sorted) {
        return st_fail_memory(op, bytes);
    }
    for (uint32_t i = 0; i < projection->count; i++) {
        projection->sorted[i] = &projection->paths[i];
    }
    st_expr__sort_paths(projection->sorted, projection->count);
    return ST_OK;
}

st_status st_projection_resolve(st_op *op, st_projection *projection, st_expr_scope *scope)
{
    for (uint32_t i = 0; i < projection->count && !projection->is_resolved; i++) {
        ST_TRY(st_expr__resolve_path(op, ST_EXPR_PROJECTION, &projection->paths[i], scope));
    }
    size_t bytes = ((size_t)projection->count + 1) * sizeof(st_path *);
    const st_path **paths = st_arena_alloc(&op->arena, bytes);
    if (!paths) {
        return st_fail_memory(op, bytes);
    }
    for (uint32_t i = 0; i < projection->count; i++) {
        paths[i] = &projection->paths[i];
    }
    ST_TRY(st_expr__check_paths(op, ST_EXPR_PROJECTION, paths, projection->count));
    return projection_sort(op, projection);
}

st_status st_projection_of_paths(st_op *op, const st_path *paths, uint32_t count,
                                 st_projection **out_projection)
{
    ST_TRY(projection_new(op, out_projection));
    for (uint32_t i = 0; i < count; i++) {
        ST_TRY(projection_add(op, *out_projection, &paths[i]));
    }
    return projection_sort(op, *out_projection);
}

st_status st_update_projection(st_op *op, const st_update *update, st_projection **out_projection)
{
    ST_TRY(projection_new(op, out_projection));
    for (const st_action *action = update->actions; action; action = action->next) {
        ST_TRY(projection_add(op, *out_projection, &action->path));
    }
    return projection_sort(op, *out_projection);
}

const st_path *st_projection_paths(const st_projection *projection, uint32_t *out_count)
{
    *out_count = projection->count;
    return projection->paths;
}

/* ---- applying --------------------------------------------------------------------------- */

/* Sorted paths that agree in their first depth steps. */
typedef struct projection_run {
    const st_path **paths;
    uint32_t count, depth;
} projection_run;

/* The run at the front that agrees in one more step. */
static projection_run projection_front(const projection_run *run)
{
    const st_path_step *step = &run->paths[0]->steps[run->depth];
    projection_run front = {.paths = run->paths, .count = 1, .depth = run->depth + 1};
    while (front.count < run->count) {
        const st_path_step *next = &run->paths[front.count]->steps[run->depth];
        if (next->is_index != step->is_index ||
            (step->is_index ? next->index != step->index
                            : !st_slice_equal(next->name, step->name))) {
            break;
        }
        front.count++;
    }
    return front;
}

static void projection_skip(projection_run *run, uint32_t count)
{
    run->paths += count;
    run->count -= count;
}

static bool projection_container(const projection_run *run, const st_value *value, st_buf *out);

/* What the run takes of a member, with its name in front in a map. */
static bool projection_member(const projection_run *run, const st_slice *name,
                              const st_value *value, st_buf *out)
{
    size_t begin = out->size;
    if (name) {
        st_buf_varint(out, name->size);
        st_buf_slice(out, *name);
    }
    if (run->paths[0]->count == run->depth) {
        st_buf_slice(out, value->encoded); /* a path ends here; it comes first */
        return true;
    }
    bool has_taken = projection_container(run, value, out);
    out->size = has_taken ? out->size : begin;
    return has_taken;
}

/* Where the member stands to the step: before it, at it, behind it. */
static int projection_order(const st_path_step *step, uint32_t index, st_slice name)
{
    return step->is_index ? (index > step->index) - (index < step->index)
                          : st_slice_compare(name, step->name);
}

/* The paths that go on with an index, or those that go on with a name. */
static projection_run projection_kind(const projection_run *run, bool is_index)
{
    projection_run part = *run;
    while (part.count > 0 && part.paths[0]->steps[part.depth].is_index != is_index) {
        projection_skip(&part, 1);
    }
    while (part.count > 0 && part.paths[part.count - 1]->steps[part.depth].is_index != is_index) {
        part.count--;
    }
    return part;
}

/* Recursion ends where the item's nesting does. */
static bool projection_container(const projection_run *run, const st_value *value, st_buf *out)
{
    bool is_list = value->type == ST_TYPE_L;
    if (!is_list && value->type != ST_TYPE_M) {
        return false;
    }
    projection_run left = projection_kind(run, is_list);
    uint8_t head[9] = {is_list ? ST_TAG_L : ST_TAG_M};
    st_buf_append(out, head, sizeof head);
    size_t begin = out->size;
    st_members walk = st_members_of(value);
    st_slice name;
    st_value member;
    uint32_t taken = 0;
    for (uint32_t i = 0; left.count > 0 && st_members_next(&walk, &name, &member); i++) {
        int order = 1;
        while (left.count > 0 && order > 0) {
            order = projection_order(&left.paths[0]->steps[left.depth], i, name);
            projection_skip(&left, order > 0); /* the container has no such member */
        }
        if (order == 0) {
            projection_run front = projection_front(&left);
            taken += projection_member(&front, is_list ? NULL : &name, &member, out);
            projection_skip(&left, front.count);
        }
    }
    if (!out->failed) {
        st_put_u32(out->data + begin - 8, (uint32_t)(out->size - begin));
        st_put_u32(out->data + begin - 4, taken);
    }
    return taken > 0;
}

st_status st_projection_apply(st_op *op, const st_projection *projection, st_slice frame,
                              st_buf *out_frame)
{
    uint32_t taken = 0;
    projection_run left = {.paths = projection->sorted, .count = projection->count};
    st_buf entries;
    st_buf_init(&entries, op->alloc);
    while (left.count > 0) {
        projection_run front = projection_front(&left);
        st_slice name = left.paths[0]->steps[0].name;
        st_value value;
        if (st_item_find(frame, name, &value)) {
            taken += projection_member(&front, &name, &value, &entries);
        }
        projection_skip(&left, front.count);
    }
    st_status status = st_buf_check(op, &entries);
    if (status == ST_OK) {
        status = st_item_of_entries(op, st_buf_view(&entries), taken, out_frame);
    }
    st_buf_deinit(&entries);
    return status;
}
