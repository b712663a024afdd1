/* JSON seen from outside: where values begin and end, and which of the known shapes a text has. */
#include "cli.h"

#include <string.h>

size_t cli_json_skip_space(cli_span text, size_t at)
{
    while (at < text.size && strchr(" \t\r\n", text.data[at]) && text.data[at]) {
        at++;
    }
    return at;
}

static size_t json_skip_string(cli_span text, size_t at)
{
    for (at++; at < text.size; at++) {
        if (text.data[at] == '\\') {
            at++;
        } else if (text.data[at] == '"') {
            return at + 1;
        }
    }
    return SIZE_MAX;
}

size_t cli_json_skip_value(cli_span text, size_t at)
{
    size_t depth = 0;
    do {
        at = cli_json_skip_space(text, at);
        if (at >= text.size) {
            return SIZE_MAX;
        }
        char c = text.data[at];
        if (c == '"') {
            at = json_skip_string(text, at);
            if (at == SIZE_MAX) {
                return SIZE_MAX;
            }
        } else if (c == '{' || c == '[') {
            depth++;
            at++;
        } else if (c == '}' || c == ']') {
            if (depth == 0) {
                return SIZE_MAX;
            }
            depth--;
            at++;
        } else if (c == ',' || c == ':') {
            if (depth == 0) {
                return SIZE_MAX;
            }
            at++;
        } else {
            while (at < text.size && !strchr(" \t\r\n,:{}[]\"", text.data[at])) {
                at++;
            }
        }
    } while (depth > 0);
    return at;
}

/* From behind the opening sign or the last member to the first byte of the next; false at the end.
 */
static bool json_step(cli_span text, size_t *at)
{
    size_t next = *at == 0 ? cli_json_skip_space(text, 0) : cli_json_skip_space(text, *at);
    if (next >= text.size || (*at != 0 && text.data[next] != ',')) {
        return false;
    }
    next = cli_json_skip_space(text, next + 1);
    *at = next;
    return next < text.size && text.data[next] != '}' && text.data[next] != ']';
}

bool cli_json_member(cli_span object, size_t *at, cli_span *out_name, cli_span *out_value)
{
    size_t first = cli_json_skip_space(object, 0);
    if (first >= object.size || object.data[first] != '{' || !json_step(object, at) ||
        object.data[*at] != '"') {
        return false;
    }
    size_t name = *at + 1;
    size_t behind = json_skip_string(object, *at);
    if (behind == SIZE_MAX) {
        return false;
    }
    size_t colon = cli_json_skip_space(object, behind);
    if (colon >= object.size || object.data[colon] != ':') {
        return false;
    }
    size_t value = cli_json_skip_space(object, colon + 1);
    size_t end = cli_json_skip_value(object, value);
    if (end == SIZE_MAX) {
        return false;
    }
    *out_name = (cli_span){object.data + name, behind - 1 - name};
    *out_value = (cli_span){object.data + value, end - value};
    *at = end;
    return true;
}

bool cli_json_element(cli_span array, size_t *at, cli_span *out_value)
{
    size_t first = cli_json_skip_space(array, 0);
    if (first >= array.size || array.data[first] != '[' || !json_step(array, at)) {
        return false;
    }
    size_t end = cli_json_skip_value(array, *at);
    if (end == SIZE_MAX) {
        return false;
    }
    *out_value = (cli_span){array.data + *at, end - *at};
    *at = end;
    return true;
}

size_t cli_json_member_count(cli_span object)
{
    size_t count = 0, at = 0;
    cli_span name, value;
    while (cli_json_member(object, &at, &name, &value)) {
        count++;
    }
    return count;
}

static bool json_is_type(cli_span name)
{
    static const char *const types[] = {"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strlen(types[i]) == name.size && memcmp(types[i], name.data, name.size) == 0) {
            return true;
        }
    }
    return false;
}

bool cli_json_is_dynamodb(cli_span object)
{
    size_t at = 0, count = 0;
    cli_span name, value;
    while (cli_json_member(object, &at, &name, &value)) {
        size_t inner = 0;
        cli_span type, ignored;
        if (!cli_json_member(value, &inner, &type, &ignored) || !json_is_type(type) ||
            cli_json_member(value, &inner, &ignored, &ignored)) {
            return false;
        }
        count++;
    }
    return count > 0;
}
