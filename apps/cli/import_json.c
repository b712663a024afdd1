/* JSON in its five shapes: plain objects (one a line, or one after another), an array of objects,
 * an object whose only member is such an array (as lists of codes are published), DynamoDB JSON
 * (bare, or as {"Item": ...} in exports), and the body of BatchWriteItem ({"TABLE": [{"PutRequest":
 * {"Item": ...}}]}, also inside {"RequestItems": ...}).
 *
 * The stream is cut into top-level values, or, in a top-level array, into its elements, so that
 * memory holds one value.
 */
#include "cli.h"

#include <string.h>

#define IMPORT_VALUE_BYTES_MAX ((size_t)256 << 20)

typedef struct json_stream {
    cli_import *import;
    cli_source *source;
    cli_source_kind kind;
    cli_text *text; /* what was read and not yet used up begins at `at` */
    size_t at;
    uint64_t line;  /* of the byte at `at`, from 1 */
    bool is_at_end; /* of the source */
    bool is_in_array;
} json_stream;

static bool json_is_name(cli_span name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

static bool json_begins(cli_span text, char sign)
{
    size_t at = cli_json_skip_space(text, 0);
    return at < text.size && text.data[at] == sign;
}

static uint64_t json_lines(const char *from, const char *to)
{
    uint64_t lines = 0;
    for (; from < to && (from = memchr(from, '\n', (size_t)(to - from))) != NULL; from++) {
        lines++;
    }
    return lines;
}

static bool json_only_member(cli_span object, const char *name, cli_span *out_value)
{
    size_t at = 0;
    cli_span found, other, ignored;
    return cli_json_member(object, &at, &found, out_value) &&
           (!name || json_is_name(found, name)) && !cli_json_member(object, &at, &other, &ignored);
}

static void json_item(json_stream *stream, uint64_t line, cli_span object)
{
    cli_span inner;
    bool is_wrapped = stream->kind != CLI_SOURCE_JSON && json_only_member(object, "Item", &inner) &&
                      json_begins(inner, '{') && cli_json_is_dynamodb(inner);
    if (is_wrapped) {
        cli_import_row(stream->import, line, inner, STATOR_JSON_DYNAMODB);
        return;
    }
    bool is_dynamodb = stream->kind == CLI_SOURCE_DYNAMODB ||
                       (stream->kind == CLI_SOURCE_AUTO && cli_json_is_dynamodb(object));
    cli_import_row(stream->import, line, object,
                   is_dynamodb ? STATOR_JSON_DYNAMODB : STATOR_JSON_PLAIN);
}

static void json_elements(json_stream *stream, uint64_t line, cli_span array)
{
    size_t at = 0;
    const char *counted = array.data;
    cli_span element, request, item;
    while (!cli_import_stopped(stream->import) && cli_json_element(array, &at, &element)) {
        line += json_lines(counted, element.data);
        counted = element.data;
        if (stream->kind != CLI_SOURCE_JSON && json_only_member(element, "PutRequest", &request) &&
            json_only_member(request, "Item", &item)) {
            cli_import_row(stream->import, line, item, STATOR_JSON_DYNAMODB);
        } else if (stream->kind != CLI_SOURCE_JSON &&
                   json_only_member(element, "DeleteRequest", &request)) {
            cli_import_bad(stream->import, line, "DeleteRequest: import only writes");
        } else {
            json_item(stream, line, element);
        }
    }
}

/* True when every member is an array of requests: the body of BatchWriteItem. */
static bool json_is_batch(cli_span object)
{
    size_t at = 0;
    size_t count = 0;
    cli_span name, array, element, request;
    while (cli_json_member(object, &at, &name, &array)) {
        size_t first = 0;
        if (!cli_json_element(array, &first, &element) ||
            (!json_only_member(element, "PutRequest", &request) &&
             !json_only_member(element, "DeleteRequest", &request))) {
            return false;
        }
        count++;
    }
    return count > 0;
}

static bool json_is_list_of_objects(cli_span array)
{
    size_t at = 0;
    cli_span element;
    return cli_json_element(array, &at, &element) && json_begins(element, '{');
}

static void json_value(json_stream *stream, uint64_t line, cli_span value)
{
    cli_span inner, name, array;
    if (json_begins(value, '{') && json_only_member(value, "RequestItems", &inner) &&
        json_is_batch(inner)) {
        value = inner;
    }
    if (stream->kind != CLI_SOURCE_JSON && json_is_batch(value)) {
        size_t at = 0;
        while (cli_json_member(value, &at, &name, &array)) {
            json_elements(stream, line + json_lines(value.data, array.data), array);
        }
    } else if (json_only_member(value, NULL, &array) && json_begins(array, '[') &&
               json_is_list_of_objects(array)) {
        json_elements(stream, line + json_lines(value.data, array.data), array);
    } else if (json_begins(value, '{')) {
        json_item(stream, line, value);
    } else {
        cli_import_bad(stream->import, line, "not a JSON object");
    }
}

static bool json_fill(json_stream *stream)
{
    if (stream->is_at_end) {
        return false;
    }
    if (stream->at > 0) {
        memmove(stream->text->data, stream->text->data + stream->at,
                stream->text->size - stream->at);
        stream->text->size -= stream->at;
        stream->at = 0;
    }
    static char part[1 << 18];
    size_t want = stream->text->size > sizeof part * 4 ? sizeof part : 65536;
    size_t bytes = cli_source_read(stream->source, part, want);
    cli_text_add(stream->text, part, bytes);
    stream->is_at_end = bytes == 0;
    return bytes > 0;
}

static void json_advance(json_stream *stream, size_t to)
{
    stream->line += json_lines(stream->text->data + stream->at, stream->text->data + to);
    stream->at = to;
}

/* Moves to the next byte that is not space, reading on as needed; false at the end of the source.
 */
static bool json_next_byte(json_stream *stream)
{
    for (;;) {
        cli_span span = {stream->text->data, stream->text->size};
        json_advance(stream, cli_json_skip_space(span, stream->at));
        if (stream->at < stream->text->size) {
            return true;
        }
        if (!json_fill(stream)) {
            return false;
        }
    }
}

/* Takes one value that begins at `at`. A broken one is cut at the end of its line, so that the next
 * line gets its chance. */
static void json_take(json_stream *stream)
{
    size_t end;
    for (;;) {
        cli_span span = {stream->text->data + stream->at, stream->text->size - stream->at};
        end = cli_json_skip_value(span, 0);
        bool is_complete = end != SIZE_MAX && (end < span.size || stream->is_at_end);
        if (is_complete || span.size > IMPORT_VALUE_BYTES_MAX || !json_fill(stream)) {
            break;
        }
    }
    cli_span span = {stream->text->data + stream->at, stream->text->size - stream->at};
    end = cli_json_skip_value(span, 0);
    if (end == SIZE_MAX || end == 0) {
        const char *newline = memchr(span.data, '\n', span.size);
        cli_import_bad(stream->import, stream->line, "the JSON value is broken or does not end");
        json_advance(stream,
                     stream->at + (newline ? (size_t)(newline - span.data) + 1 : span.size));
        return;
    }
    json_value(stream, stream->line, (cli_span){span.data, end});
    json_advance(stream, stream->at + end);
}

void cli_import_json(cli_import *import, cli_source *source, cli_source_kind kind, cli_text *begun)
{
    json_stream stream = {
        .import = import, .source = source, .kind = kind, .text = begun, .line = 1};
    if (begun->size == 0) {
        cli_text_str(begun, "");
        (void)json_fill(&stream);
    }
    if (begun->size >= 3 && memcmp(begun->data, "\xEF\xBB\xBF", 3) == 0) {
        stream.at = 3;
    }
    while (!cli_import_stopped(import) && json_next_byte(&stream)) {
        char sign = stream.text->data[stream.at];
        if (!stream.is_in_array && sign == '[') {
            stream.is_in_array = true;
            stream.at++;
        } else if (stream.is_in_array && sign == ',') {
            stream.at++;
        } else if (stream.is_in_array && sign == ']') {
            stream.is_in_array = false;
            stream.at++;
        } else {
            json_take(&stream);
        }
    }
    if (stream.is_in_array && !cli_import_stopped(import)) {
        cli_import_bad(import, stream.line, "the JSON array does not end");
    }
}
