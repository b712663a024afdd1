/* A naive model of documents: trees of small pieces in a pool, lists as rows of places. What the
 * engine does in one walk over bytes is done here place by place. */
#ifndef STATOR_TESTS_EXPR_MODEL_H
#define STATOR_TESTS_EXPR_MODEL_H

#include "expr_support.h"

#define MODEL_NAMES 4u   /* a, b, c, d */
#define MODEL_PLACES 12u /* of a list or map */
#define MODEL_STEPS 4u
#define MODEL_POOL 8192u

typedef struct model_node model_node;
struct model_node {
    st_type type;
    int number;      /* N, and S as a letter */
    unsigned set;    /* SS: one bit a letter */
    uint32_t length; /* L: elements it had, the places behind are appended ones */
    model_node *places[MODEL_PLACES];
    bool is_taken, is_part; /* by a projection */
};

typedef struct model_path {
    uint32_t count;
    struct {
        bool is_index;
        uint32_t place; /* a name's letter or an index */
    } steps[MODEL_STEPS];
} model_path;

typedef struct model {
    st_rng rng;
    model_node pool[MODEL_POOL];
    uint32_t used;
    char text[EXPR_ANSWER_MAX];
    size_t at;
} model;

static inline uint32_t model_below(model *m, uint32_t limit)
{
    return (uint32_t)st_rng_below(&m->rng, limit);
}

static inline model_node *model_new(model *m, st_type type)
{
    assert_true(m->used < MODEL_POOL);
    model_node *node = &m->pool[m->used++];
    *node = (model_node){.type = type};
    return node;
}

static inline model_node *model_copy(model *m, const model_node *from)
{
    model_node *node = model_new(m, from->type);
    *node = *from;
    for (uint32_t i = 0; i < MODEL_PLACES; i++) {
        node->places[i] = from->places[i] ? model_copy(m, from->places[i]) : NULL;
    }
    return node;
}

static inline model_node *model_any(model *m, uint32_t depth)
{
    static const st_type types[] = {ST_TYPE_N, ST_TYPE_S, ST_TYPE_SS, ST_TYPE_NULL,
                                    ST_TYPE_L, ST_TYPE_M, ST_TYPE_L,  ST_TYPE_M};
    model_node *node = model_new(m, types[model_below(m, depth > 0 ? 8 : 4)]);
    node->number = (int)model_below(m, 5);
    node->set = node->type == ST_TYPE_SS ? 1 + model_below(m, 15) : 0;
    if (node->type == ST_TYPE_L) {
        node->length = model_below(m, 4);
        for (uint32_t i = 0; i < node->length; i++) {
            node->places[i] = model_any(m, depth - 1);
        }
    }
    for (uint32_t i = 0; i < MODEL_NAMES && node->type == ST_TYPE_M; i++) {
        node->places[i] = model_below(m, 2) ? model_any(m, depth - 1) : NULL;
    }
    return node;
}

static inline model_node *model_item(model *m)
{
    model_node *item = model_new(m, ST_TYPE_M);
    for (uint32_t i = 0; i < MODEL_NAMES; i++) {
        item->places[i] = model_below(m, 4) ? model_any(m, 3) : NULL;
    }
    return item;
}

/* ---- printing --------------------------------------------------------------------------- */

static inline void model_put(model *m, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    m->at += (size_t)vsnprintf(m->text + m->at, sizeof m->text - m->at, format, arguments);
    va_end(arguments);
    assert_true(m->at < sizeof m->text);
}

static inline void model_print_value(model *m, const model_node *node, bool only_taken);

static inline void model_print_places(model *m, const model_node *node, bool only_taken)
{
    bool is_map = node->type == ST_TYPE_M, is_first = true;
    for (uint32_t i = 0; i < MODEL_PLACES; i++) {
        const model_node *place = node->places[i];
        if (!place || (only_taken && !place->is_taken && !place->is_part)) {
            continue;
        }
        model_put(m, "%s", is_first ? "" : ",");
        is_first = false;
        if (is_map) {
            model_put(m, "'%c':", 'a' + (int)i);
        }
        model_print_value(m, place, only_taken && !place->is_taken);
    }
}

static inline void model_print_value(model *m, const model_node *node, bool only_taken)
{
    switch (node->type) {
    case ST_TYPE_N:
        model_put(m, "{'N':'%d'}", node->number);
        break;
    case ST_TYPE_S:
        model_put(m, "{'S':'%c'}", 'p' + node->number);
        break;
    case ST_TYPE_NULL:
        model_put(m, "{'NULL':true}");
        break;
    case ST_TYPE_SS: {
        const char *comma = "";
        model_put(m, "{'SS':[");
        for (int i = 0; i < 4; i++) {
            if (node->set >> i & 1) {
                model_put(m, "%s'%c'", comma, 'a' + i);
                comma = ",";
            }
        }
        model_put(m, "]}");
        break;
    }
    case ST_TYPE_L:
        model_put(m, "{'L':[");
        model_print_places(m, node, only_taken);
        model_put(m, "]}");
        break;
    default:
        model_put(m, "{'M':{");
        model_print_places(m, node, only_taken);
        model_put(m, "}}");
        break;
    }
}

/* The item as DynamoDB JSON with '. */
static inline const char *model_print(model *m, const model_node *item, bool only_taken)
{
    m->at = 0;
    model_put(m, "{");
    model_print_places(m, item, only_taken);
    model_put(m, "}");
    return m->text;
}

/* ---- paths ------------------------------------------------------------------------------ */

static inline model_path model_any_path(model *m)
{
    model_path path = {.count = 1 + model_below(m, MODEL_STEPS)};
    for (uint32_t i = 0; i < path.count; i++) {
        path.steps[i].is_index = i > 0 && model_below(m, 2);
        path.steps[i].place = model_below(m, path.steps[i].is_index ? 6 : MODEL_NAMES);
    }
    return path;
}

/* A path that leads to something in three of four cases. */
static inline model_path model_path_in(model *m, const model_node *item)
{
    model_path path = model_any_path(m);
    const model_node *node = item;
    for (uint32_t i = 0; i < path.count && model_below(m, 12) > 0; i++) {
        bool is_list = node->type == ST_TYPE_L;
        if (!is_list && node->type != ST_TYPE_M) {
            path.count = i;
            break;
        }
        path.steps[i].is_index = is_list;
        path.steps[i].place = model_below(m, is_list ? node->length + 1 : MODEL_NAMES);
        if (!node->places[path.steps[i].place]) {
            path.count = i + 1;
            break;
        }
        node = node->places[path.steps[i].place];
    }
    return path;
}

static inline void model_print_path(char *to, size_t size, const model_path *path)
{
    size_t at = 0;
    for (uint32_t i = 0; i < path->count; i++) {
        if (path->steps[i].is_index) {
            at += (size_t)snprintf(to + at, size - at, "[%u]", path->steps[i].place);
        } else {
            at += (size_t)snprintf(to + at, size - at, "%s%c", i > 0 ? "." : "",
                                   (int)('a' + path->steps[i].place));
        }
    }
}

static inline model_node *model_step(const model_node *node, bool is_index, uint32_t place)
{
    if (!node || node->type != (is_index ? ST_TYPE_L : ST_TYPE_M) ||
        (is_index && place >= node->length)) {
        return NULL;
    }
    return node->places[place];
}

static inline model_node *model_find(model_node *node, const model_path *path, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        node = model_step(node, path->steps[i].is_index, path->steps[i].place);
    }
    return node;
}

/* One is the other, leads through it, or takes its container for another kind. */
static inline bool model_clashes(const model_path *a, const model_path *b)
{
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        if (a->steps[i].is_index != b->steps[i].is_index) {
            return true;
        }
        if (a->steps[i].place != b->steps[i].place) {
            return false;
        }
    }
    return true;
}

#endif
