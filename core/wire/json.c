/* A JSON text as an array of nodes.
 *
 * One pass, no recursion: a body of any depth costs no stack. A node knows where its subtree ends,
 * so that members and elements are walked without looking into each other. Strings without escapes
 * are slices of the body; others are decoded into the arena. Numbers stay text.
 */
#include "wire/wire_internal.h"

#include <string.h>

#define WJSON_DEPTH_MAX 2000u
#define WJSON_LONE_SURROGATE 0xFFFDu /* what Java makes of it in UTF-8 */

typedef struct wjson_parser {
    st_op *op;
    st_slice text;
    size_t at;
    st_json_doc *doc;
    uint32_t capacity;
    uint32_t parent; /* node of the container at hand; UINT32_MAX: none */
    uint32_t depth;
} wjson_parser;

static void wjson_blanks(wjson_parser *parser)
{
    while (parser->at < parser->text.size) {
        uint8_t byte = parser->text.data[parser->at];
        if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r') {
            return;
        }
        parser->at++;
    }
}

static bool wjson_add(wjson_parser *parser, st_json_kind kind, st_json_node **out_node)
{
    st_json_doc *doc = parser->doc;
    if (doc->count == parser->capacity) {
        uint32_t capacity = parser->capacity ? parser->capacity * 2 : 64;
        st_json_node *nodes = st_arena_alloc(&parser->op->arena, capacity * sizeof *nodes);
        if (!nodes) {
            doc->lacks_memory = true;
            return false;
        }
        if (doc->count > 0) {
            memcpy(nodes, doc->nodes, doc->count * sizeof *nodes);
        }
        doc->nodes = nodes;
        parser->capacity = capacity;
    }
    *out_node = &doc->nodes[doc->count++];
    **out_node = (st_json_node){.kind = kind, .next = doc->count};
    return true;
}

/* ---- strings ---------------------------------------------------------------------------- */

static bool wjson_unescape(wjson_parser *parser, st_slice raw, st_slice *out_text)
{
    uint8_t *to = st_arena_alloc(&parser->op->arena, raw.size + 4);
    size_t size = 0;
    if (!to) {
        parser->doc->lacks_memory = true;
        return false;
    }
    for (size_t i = 0; i < raw.size;) {
        if (raw.data[i] != '\\') {
            to[size++] = raw.data[i++];
            continue;
        }
        i++;
        size_t bytes = st_json_unescape(raw, &i, WJSON_LONE_SURROGATE, to + size);
        if (bytes == 0) {
            return false;
        }
        size += bytes;
    }
    *out_text = st_slice_of(to, size);
    return true;
}

/* Behind the opening quote. */
static bool wjson_string(wjson_parser *parser, st_slice *out_text)
{
    const uint8_t *data = parser->text.data;
    size_t begin = parser->at, end = begin, bad;
    bool has_escape = false, is_ascii = true;
    while (end < parser->text.size && data[end] != '"') {
        if (data[end] < 0x20) {
            return false;
        }
        is_ascii &= data[end] < 0x80;
        has_escape |= data[end] == '\\';
        end += data[end] == '\\' ? 2 : 1;
    }
    if (end >= parser->text.size) {
        return false;
    }
    st_slice raw = st_slice_of(data + begin, end - begin);
    parser->at = end + 1;
    *out_text = raw;
    if (!is_ascii && !st_utf8_valid(raw, &bad)) {
        return false;
    }
    return !has_escape || wjson_unescape(parser, raw, out_text);
}

/* ---- numbers and words ------------------------------------------------------------------ */

static size_t wjson_digits(const wjson_parser *parser, size_t at)
{
    while (at < parser->text.size && parser->text.data[at] >= '0' && parser->text.data[at] <= '9') {
        at++;
    }
    return at;
}

static bool wjson_number(wjson_parser *parser, st_slice *out_text, bool *out_is_decimal)
{
    const uint8_t *data = parser->text.data;
    size_t begin = parser->at, at = begin + (data[begin] == '-'), whole = at;
    at = wjson_digits(parser, at);
    bool is_bad = at == whole || (at - whole > 1 && data[whole] == '0');
    *out_is_decimal = false;
    if (at < parser->text.size && data[at] == '.') {
        size_t fraction = ++at;
        at = wjson_digits(parser, at);
        is_bad |= at == fraction;
        *out_is_decimal = true;
    }
    if (at < parser->text.size && (data[at] == 'e' || data[at] == 'E')) {
        at++;
        at += at < parser->text.size && (data[at] == '+' || data[at] == '-');
        size_t exponent = at;
        at = wjson_digits(parser, at);
        is_bad |= at == exponent;
        *out_is_decimal = true;
    }
    parser->at = at;
    *out_text = st_slice_of(data + begin, at - begin);
    return !is_bad;
}

static bool wjson_word(wjson_parser *parser, st_json_kind *out_kind)
{
    static const struct {
        const char *word;
        st_json_kind kind;
    } wjson_words[] = {
        {"true", ST_JSON_IS_TRUE}, {"false", ST_JSON_IS_FALSE}, {"null", ST_JSON_IS_NULL}};
    st_slice rest = st_slice_of(parser->text.data + parser->at, parser->text.size - parser->at);
    for (size_t i = 0; i < 3; i++) {
        if (st_slice_starts_with(rest, st_slice_str(wjson_words[i].word))) {
            *out_kind = wjson_words[i].kind;
            parser->at += strlen(wjson_words[i].word);
            return true;
        }
    }
    return false;
}

/* ---- values ----------------------------------------------------------------------------- */

/* One value, or the beginning of a container, which becomes the parent. */
static bool wjson_value(wjson_parser *parser)
{
    st_json_node *node;
    st_json_kind kind = ST_JSON_IS_NULL;
    wjson_blanks(parser);
    if (parser->at >= parser->text.size) {
        return false;
    }
    uint8_t byte = parser->text.data[parser->at];
    st_slice text = {0};
    if (byte == '{' || byte == '[') {
        parser->at++;
        if (++parser->depth > WJSON_DEPTH_MAX ||
            !wjson_add(parser, byte == '{' ? ST_JSON_IS_OBJECT : ST_JSON_IS_ARRAY, &node)) {
            return false;
        }
        node->parent = parser->parent;
        parser->parent = parser->doc->count - 1;
        return true;
    }
    if (byte == '"') {
        parser->at++;
        kind = ST_JSON_IS_STRING;
        if (!wjson_string(parser, &text)) {
            return false;
        }
    } else if (byte == '-' || (byte >= '0' && byte <= '9')) {
        bool is_decimal;
        if (!wjson_number(parser, &text, &is_decimal)) {
            return false;
        }
        kind = is_decimal ? ST_JSON_IS_DECIMAL : ST_JSON_IS_NUMBER;
    } else if (!wjson_word(parser, &kind)) {
        return false;
    }
    if (!wjson_add(parser, kind, &node)) {
        return false;
    }
    node->text = text;
    return true;
}

static bool wjson_key(wjson_parser *parser)
{
    st_json_node *node;
    st_slice text;
    wjson_blanks(parser);
    if (parser->at >= parser->text.size || parser->text.data[parser->at] != '"') {
        return false;
    }
    parser->at++;
    if (!wjson_string(parser, &text) || !wjson_add(parser, ST_JSON_IS_STRING, &node)) {
        return false;
    }
    node->text = text;
    wjson_blanks(parser);
    if (parser->at >= parser->text.size || parser->text.data[parser->at] != ':') {
        return false;
    }
    parser->at++;
    return true;
}

/* The container at hand ends. */
static void wjson_close(wjson_parser *parser)
{
    st_json_node *node = &parser->doc->nodes[parser->parent];
    parser->at++;
    parser->depth--;
    node->next = parser->doc->count;
    parser->parent = node->parent;
}

/* Behind a value, or at the beginning of a container: to where the next value begins. False when
 * that is nowhere; *out_done at the end of the text. */
static bool wjson_step(wjson_parser *parser, bool is_first, bool *out_done)
{
    for (;; is_first = false) {
        wjson_blanks(parser);
        *out_done = false;
        if (parser->parent == UINT32_MAX) {
            *out_done = true;
            return parser->at == parser->text.size;
        }
        if (parser->at >= parser->text.size) {
            return false;
        }
        st_json_node *node = &parser->doc->nodes[parser->parent];
        bool is_object = node->kind == ST_JSON_IS_OBJECT;
        uint8_t byte = parser->text.data[parser->at];
        if (byte == (is_object ? '}' : ']')) {
            wjson_close(parser);
            continue;
        }
        if (!is_first) {
            if (byte != ',') {
                return false;
            }
            parser->at++;
        }
        node->count++;
        return !is_object || wjson_key(parser);
    }
}

bool st_wire__json(st_op *op, st_slice text, st_json_doc *out_doc)
{
    *out_doc = (st_json_doc){0};
    wjson_parser parser = {.op = op, .text = text, .doc = out_doc, .parent = UINT32_MAX};
    bool is_done = false;
    while (!is_done) {
        uint32_t before = parser.depth;
        if (!wjson_value(&parser)) {
            return false;
        }
        if (!wjson_step(&parser, parser.depth > before, &is_done)) {
            return false;
        }
    }
    return true;
}

/* ---- looking ---------------------------------------------------------------------------- */

uint32_t st_wire__find(const st_json_doc *doc, uint32_t object, const char *name)
{
    uint32_t found = 0;
    if (doc->nodes[object].kind != ST_JSON_IS_OBJECT) {
        return 0;
    }
    for (uint32_t at = object + 1; at < doc->nodes[object].next; at = doc->nodes[at + 1].next) {
        if (st_wire__is(doc->nodes[at].text, name)) {
            found = doc->nodes[at + 1].kind == ST_JSON_IS_NULL ? 0 : at + 1;
        }
    }
    return found;
}

st_slice st_wire__text(const st_json_doc *doc, uint32_t node)
{
    return node ? doc->nodes[node].text : (st_slice){0};
}
