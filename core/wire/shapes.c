/* The JSON types of a request, checked against the shapes of the API model before anything else:
 * a wrong one is a SerializationException. Of the operation's own members nested structures and
 * lists come first, then maps, then scalars, as the service reads them. Attribute values are read
 * by value.c.
 */
#include "wire/model_internal.h"
#include "wire/wire_internal.h"

#include <string.h>

static const wire_model_operation *shapes_find(st_slice name, bool is_stream)
{
    for (uint32_t i = 0; i < st_wire__model_count; i++) {
        if (st_wire__model[i].is_stream == is_stream && st_wire__is(name, st_wire__model[i].name)) {
            return &st_wire__model[i];
        }
    }
    return NULL;
}

bool st_wire__is_known(st_slice name, bool is_stream)
{
    return shapes_find(name, is_stream) != NULL;
}

static const wire_shape *shapes_member(const wire_shape *shape, st_slice name)
{
    for (uint32_t i = 0; i < shape->count; i++) {
        const wire_member *member = &st_wire__members[shape->first + i];
        if (st_wire__is(name, member->name)) {
            return &st_wire__shapes[member->shape];
        }
    }
    return NULL;
}

static st_status shapes_check(wire_call *call, uint32_t node, const wire_shape *shape);

static st_status shapes_scalar(wire_call *call, uint32_t node, const wire_shape *shape)
{
    st_json_kind kind = call->doc.nodes[node].kind;
    bool ignored, is_number = kind == ST_JSON_IS_NUMBER || kind == ST_JSON_IS_DECIMAL;
    switch (shape->kind) {
    case WIRE_STRING:
    case WIRE_BLOB:
        return kind == ST_JSON_IS_STRING ? ST_OK : st_wire__wrong_kind(call, node, "String");
    case WIRE_INTEGER:
        return is_number ? ST_OK : st_wire__wrong_kind(call, node, "Integer");
    case WIRE_LONG:
        return is_number ? ST_OK : st_wire__wrong_kind(call, node, "Long");
    case WIRE_BOOLEAN:
        return st_wire__boolean(call, node, true, &ignored);
    default:
        return ST_OK;
    }
}

static st_status shapes_elements(wire_call *call, uint32_t node, const wire_shape *shape)
{
    const st_json_node *list = &call->doc.nodes[node];
    const wire_shape *element = &st_wire__shapes[shape->element];
    if (list->kind != ST_JSON_IS_ARRAY) {
        return st_wire__wrong_kind(call, node, "List");
    }
    for (uint32_t at = node + 1; at < list->next; at = call->doc.nodes[at].next) {
        ST_TRY(shapes_check(call, at, element));
    }
    return ST_OK;
}

static st_status shapes_entries(wire_call *call, uint32_t node, const wire_shape *shape)
{
    const st_json_node *map = &call->doc.nodes[node];
    const wire_shape *element = &st_wire__shapes[shape->element];
    if (map->kind != ST_JSON_IS_OBJECT) {
        return st_wire__wrong_kind(call, node, "Map");
    }
    for (uint32_t at = node + 1; at < map->next; at = call->doc.nodes[at + 1].next) {
        ST_TRY(shapes_check(call, at + 1, element));
    }
    return ST_OK;
}

/* Which members are looked at in which round; a structure that is nested has one round. */
static int shapes_round(wire_kind kind)
{
    return kind == WIRE_STRUCTURE || kind == WIRE_LIST ? 0 : kind == WIRE_MAP ? 1 : 2;
}

static st_status shapes_members(wire_call *call, uint32_t node, const wire_shape *shape, int round)
{
    const st_json_node *object = &call->doc.nodes[node];
    for (uint32_t at = node + 1; at < object->next; at = call->doc.nodes[at + 1].next) {
        const wire_shape *member = shapes_member(shape, call->doc.nodes[at].text);
        if (member && (round < 0 || shapes_round(member->kind) == round)) {
            ST_TRY(shapes_check(call, at + 1, member));
        }
    }
    return ST_OK;
}

static st_status shapes_check(wire_call *call, uint32_t node, const wire_shape *shape)
{
    if (call->doc.nodes[node].kind == ST_JSON_IS_NULL) {
        return ST_OK; /* as if it were absent */
    }
    switch (shape->kind) {
    case WIRE_STRUCTURE:
        if (call->doc.nodes[node].kind != ST_JSON_IS_OBJECT) {
            return st_wire__wrong_kind(call, node, shape->name);
        }
        return shapes_members(call, node, shape, -1);
    case WIRE_LIST:
        return shapes_elements(call, node, shape);
    case WIRE_MAP:
        return shapes_entries(call, node, shape);
    case WIRE_VALUE: {
        st_slice ignored;
        if (call->doc.nodes[node].kind == ST_JSON_IS_OBJECT) {
            call->is_new_layer = call->is_new_layer && !st_wire__falls_back(&call->doc, node);
            return ST_OK;
        }
        return st_wire__value(call, node, &ignored);
    }
    default:
        return shapes_scalar(call, node, shape);
    }
}

st_status st_wire__check_types(wire_call *call)
{
    const wire_model_operation *operation =
        shapes_find(st_slice_str(call->operation->name), call->operation->is_stream);
    const wire_shape *input = &st_wire__shapes[operation->input];
    if (call->doc.nodes[0].kind != ST_JSON_IS_OBJECT) {
        return st_wire__serialization(call, "%s", "");
    }
    for (int round = 0; round < 3; round++) {
        ST_TRY(shapes_members(call, 0, input, round));
    }
    return ST_OK;
}
