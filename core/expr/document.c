/* An item that is being changed.
 *
 * A container is taken apart only where a path leads through it; everything else stays bytes. The
 * elements of a list keep their original index while actions run: what is removed leaves a gap that
 * writing closes, what lies behind the end is gathered and appended in the order of its index.
 */
#include "expr/document_internal.h"

#include <string.h>

#define DOCUMENT_SPARE 4u /* what is usually added */

typedef struct document_child document_child;

/* A map or list taken apart. */
typedef struct document_node {
    bool is_list;
    uint32_t count, original_count, capacity;
    document_child *children;
} document_node;

struct document_child {
    st_slice name;  /* in a map */
    uint32_t index; /* in a list */
    bool is_gone;
    st_value value;
    document_node *node; /* instead of value once a path has led through it */
};

struct st_document {
    document_node root;
};

static st_status document_reserve(st_op *op, document_node *node, uint32_t capacity)
{
    size_t bytes = (size_t)capacity * sizeof(document_child);
    document_child *children = st_arena_alloc(&op->arena, bytes);
    if (!children) {
        return st_fail_memory(op, bytes);
    }
    if (node->count > 0) {
        memcpy(children, node->children, node->count * sizeof *children);
    }
    node->children = children;
    node->capacity = capacity;
    return ST_OK;
}

static st_status document_add(st_op *op, document_node *node, const document_child *child)
{
    if (node->count == node->capacity) {
        ST_TRY(document_reserve(op, node, node->capacity * 2));
    }
    node->children[node->count++] = *child;
    return ST_OK;
}

/* The next place, which the spare ones always hold. Filled where it is: children are large. */
static document_child *document_next(document_node *node)
{
    document_child *child = &node->children[node->count];
    child->index = node->count;
    child->is_gone = false;
    child->node = NULL;
    return child;
}

st_status st_document__create(st_op *op, st_slice frame, st_document **out_document)
{
    st_document *document = st_arena_alloc(&op->arena, sizeof *document);
    *out_document = document;
    if (!document) {
        return st_fail_memory(op, sizeof *document);
    }
    *document = (st_document){.root = {.capacity = 0}};
    ST_TRY(document_reserve(op, &document->root, st_item_count(frame) + DOCUMENT_SPARE));
    document_child *child = document_next(&document->root);
    for (uint32_t i = 0; st_item_at(frame, i, &child->name, &child->value); i++) {
        document->root.count++;
        child = document_next(&document->root);
    }
    document->root.original_count = document->root.count;
    return ST_OK;
}

static st_status document_expand(st_op *op, document_child *child)
{
    if (child->node || (child->value.type != ST_TYPE_M && child->value.type != ST_TYPE_L)) {
        return ST_OK;
    }
    document_node *node = st_arena_alloc(&op->arena, sizeof *node);
    if (!node) {
        return st_fail_memory(op, sizeof *node);
    }
    *node = (document_node){.is_list = child->value.type == ST_TYPE_L};
    ST_TRY(document_reserve(op, node, child->value.count + DOCUMENT_SPARE));
    st_members walk = st_members_of(&child->value);
    document_child *member = document_next(node);
    while (st_members_next(&walk, &member->name, &member->value)) {
        node->count++;
        member = document_next(node);
    }
    node->original_count = node->count;
    child->node = node;
    return ST_OK;
}

/* The child the step names among those the item had; NULL: none. */
static document_child *document_find(const document_node *node, const st_path_step *step)
{
    if (step->is_index != node->is_list) {
        return NULL;
    }
    if (node->is_list) {
        return step->index < node->original_count ? &node->children[step->index] : NULL;
    }
    uint32_t low = 0, high = node->original_count;
    while (low < high) { /* what the item had is in order */
        uint32_t middle = low + (high - low) / 2;
        int order = st_slice_compare(node->children[middle].name, step->name);
        if (order == 0) {
            return &node->children[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

static st_status document_refuse(st_op *op)
{
    return st_fail(op, ST_INVALID_ARGUMENT,
                   "The document path provided in the update expression is invalid for update");
}

st_status st_document__put(st_op *op, st_document *document, const st_path *path,
                           const st_value *value)
{
    document_node *node = &document->root;
    for (uint32_t i = 0; i + 1 < path->count; i++) {
        document_child *child = document_find(node, &path->steps[i]);
        if (!child) {
            return document_refuse(op);
        }
        ST_TRY(document_expand(op, child));
        if (!child->node) {
            return document_refuse(op);
        }
        node = child->node;
    }
    const st_path_step *last = &path->steps[path->count - 1];
    if (last->is_index != node->is_list) {
        return document_refuse(op);
    }
    document_child *child = document_find(node, last);
    if (child) {
        child->is_gone = value->type == ST_TYPE_NONE;
        child->value = *value;
        child->node = NULL;
        return ST_OK;
    }
    document_child added = {.name = last->name, .index = last->index, .value = *value};
    return value->type == ST_TYPE_NONE ? ST_OK : document_add(op, node, &added);
}

/* ---- writing ---------------------------------------------------------------------------- */

size_t st_document__begin(st_buf *out, uint8_t tag)
{
    uint8_t head[9] = {tag};
    st_buf_append(out, head, sizeof head);
    return out->size;
}

void st_document__end(st_buf *out, size_t begin, uint32_t count)
{
    if (!out->failed) {
        st_put_u32(out->data + begin - 8, (uint32_t)(out->size - begin));
        st_put_u32(out->data + begin - 4, count);
    }
}

static void document_write_node(const document_node *node, st_buf *out);

static void document_write_child(const document_node *node, const document_child *child,
                                 st_buf *out)
{
    if (!node->is_list) {
        st_buf_varint(out, child->name.size);
        st_buf_slice(out, child->name);
    }
    if (child->node) {
        document_write_node(child->node, out);
    } else {
        st_buf_slice(out, child->value.encoded);
    }
}

/* The appended child with the least index above the one before; NULL: no more. */
static const document_child *document_next_appended(const document_node *node,
                                                    const document_child *before)
{
    const document_child *next = NULL;
    for (uint32_t i = node->original_count; i < node->count; i++) {
        const document_child *child = &node->children[i];
        if ((!before || child->index > before->index) && (!next || child->index < next->index)) {
            next = child;
        }
    }
    return next;
}

/* Recursion ends where the item's nesting does. */
static void document_write_node(const document_node *node, st_buf *out)
{
    uint32_t written = 0;
    size_t begin = st_document__begin(out, node->is_list ? ST_TAG_L : ST_TAG_M);
    uint32_t plain = node->is_list ? node->original_count : node->count;
    for (uint32_t i = 0; i < plain; i++) {
        if (!node->children[i].is_gone) {
            document_write_child(node, &node->children[i], out);
            written++;
        }
    }
    const document_child *appended = NULL;
    while (node->is_list && (appended = document_next_appended(node, appended)) != NULL) {
        document_write_child(node, appended, out);
        written++;
    }
    st_document__end(out, begin, written);
}

void st_document__write(const st_document *document, st_buf *out_relaxed)
{
    document_write_node(&document->root, out_relaxed);
}
