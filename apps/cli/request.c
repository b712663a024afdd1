/* Requests of the DynamoDB JSON protocol from words of the command line, and their answers.
 *
 * A body is grown member by member: it begins with '{', each member is made by the library as the
 * JSON of an item and goes in without its braces, so a word can neither break the body nor add to
 * it. cli_request_end closes it.
 */
#include "cli.h"

#include <string.h>

static void request_members(cli_text *body, const char *data, size_t bytes)
{
    cli_text_str(body, body->size == 0 ? "{" : ",");
    cli_text_add(body, data + 1, bytes - 2);
}

static int request_item_json(stator_item *item, int32_t format, cli_text *to)
{
    stator_error error;
    stator_error_init(&error);
    stator_buffer *json = NULL;
    const void *data = NULL;
    size_t bytes = 0;
    stator_status status = stator_item_to_json(item, format, &json, &error);
    if (status == STATOR_OK) {
        status = stator_buffer_data(json, &data, &bytes);
    }
    int code = status == STATOR_OK ? CLI_OK : cli_report(&error);
    if (code == CLI_OK) {
        cli_text_add(to, data, bytes);
    }
    stator_buffer_free(json);
    stator_error_clear(&error);
    return code;
}

int cli_request_text(cli_text *body, const char *name, const char *text)
{
    stator_item *item = NULL;
    if (stator_item_new(&item) != STATOR_OK) {
        cli_complain("out of memory");
        return CLI_FAILED;
    }
    (void)stator_item_set_string(item, name, strlen(name), text, strlen(text));
    cli_text json = {0};
    int code = request_item_json(item, STATOR_JSON_PLAIN, &json); /* tells a refused text, too */
    if (code == CLI_OK) {
        request_members(body, json.data, json.size);
    }
    cli_text_free(&json);
    stator_item_free(item);
    return code;
}

int cli_request_item(cli_text *body, const char *name, stator_item *item, int32_t format)
{
    cli_text json = {0};
    int code = request_item_json(item, format, &json);
    if (code == CLI_OK) {
        cli_text_str(body, body->size == 0 ? "{\"" : ",\"");
        cli_text_str(body, name);
        cli_text_str(body, "\":");
        cli_text_add(body, json.data, json.size);
    }
    cli_text_free(&json);
    return code;
}

int cli_request_expressions(cli_text *body, const cli_arguments *arguments)
{
    const char *condition = arguments->values[CLI_OPT_CONDITION];
    const char *values = arguments->values[CLI_OPT_VALUES];
    const char *names = arguments->values[CLI_OPT_NAMES];
    stator_item *item = NULL;
    int code = CLI_OK;
    if (condition) {
        code = cli_request_text(body, "ConditionExpression", condition);
    }
    if (code == CLI_OK && values && (code = cli_item(values, &item)) == CLI_OK) {
        code = cli_request_item(body, "ExpressionAttributeValues", item, STATOR_JSON_DYNAMODB);
    }
    stator_item_free(item);
    item = NULL;
    if (code == CLI_OK && names && (code = cli_item(names, &item)) == CLI_OK) {
        code = cli_request_item(body, "ExpressionAttributeNames", item, STATOR_JSON_PLAIN);
    }
    stator_item_free(item);
    return code;
}

/* A value alone is no item: it is made one for the library to judge, and taken out of it again. */
static int request_value(cli_text *body, const char *word, size_t number)
{
    cli_span span = {word, strlen(word)};
    size_t end = cli_json_skip_value(span, 0);
    stator_error error;
    stator_error_init(&error);
    stator_item *item = NULL;
    cli_text text = {0};
    cli_text_str(&text, "{\"p\":");
    cli_text_str(&text, word);
    cli_text_str(&text, "}");
    int code = CLI_OK;
    if (end == SIZE_MAX || cli_json_skip_space(span, end) != span.size) {
        cli_complain("parameter %zu: '%s' is not one JSON value", number, word);
        code = CLI_USAGE;
    } else if (stator_item_from_json(text.data, text.size, STATOR_JSON_PLAIN, &item, &error) !=
               STATOR_OK) {
        char *position = strstr(error.message, " at byte ");
        if (position) {
            *position = '\0'; /* counted in a text that nobody wrote */
        }
        bool is_syntax = strncmp(error.message, "JSON: ", 6) == 0;
        cli_complain("parameter %zu: '%s': %s%s", number, word, error.message,
                     is_syntax ? "; text is written \"text\", with its quotes" : "");
        code = CLI_USAGE;
    }
    cli_text_clear(&text);
    if (code == CLI_OK && (code = request_item_json(item, STATOR_JSON_DYNAMODB, &text)) == CLI_OK) {
        size_t at = 0;
        cli_span name, value;
        if (cli_json_member((cli_span){text.data, text.size}, &at, &name, &value)) {
            cli_text_add(body, value.data, value.size);
        }
    }
    stator_item_free(item);
    stator_error_clear(&error);
    cli_text_free(&text);
    return code;
}

int cli_request_parameters(cli_text *body, const cli_arguments *arguments)
{
    int code = CLI_OK;
    for (int i = 0; i < arguments->more_count && code == CLI_OK; i++) {
        cli_text_str(body, i == 0 ? ",\"Parameters\":[" : ",");
        code = request_value(body, arguments->more[i], (size_t)i + 1);
    }
    if (arguments->more_count > 0) {
        cli_text_str(body, "]");
    }
    return code;
}

/* ---- answers ---------------------------------------------------------------------------- */

int cli_dispatch(stator_db *db, const char *operation, cli_span body,
                 const stator_dispatch_options *options, cli_answer *out_answer)
{
    *out_answer = (cli_answer){0};
    stator_error error;
    stator_error_init(&error);
    const void *data = NULL;
    size_t bytes = 0;
    int code = CLI_OK;
    if (stator_dispatch(db, operation, strlen(operation), body.data, body.size, options,
                        &out_answer->http_status, &out_answer->buffer, &error) != STATOR_OK ||
        stator_buffer_data(out_answer->buffer, &data, &bytes) != STATOR_OK) {
        code = cli_report(&error);
    }
    stator_error_clear(&error);
    out_answer->json = (cli_span){data, bytes};
    return code;
}

static void request_complain(cli_span json)
{
    stator_item *item = NULL;
    cli_text type = {0}, message = {0};
    if (stator_item_from_json(json.data, json.size, STATOR_JSON_PLAIN, &item, NULL) == STATOR_OK) {
        const void *name;
        size_t name_bytes;
        stator_value value;
        stator_value_init(&value);
        for (size_t i = 0; stator_item_at(item, i, &name, &name_bytes, &value, NULL) == STATOR_OK;
             i++) {
            bool is_type = name_bytes == 6 && memcmp(name, "__type", 6) == 0;
            bool is_message = name_bytes == 7 && memcmp((const char *)name + 1, "essage", 6) == 0;
            if (value.type == STATOR_TYPE_S && (is_type || is_message)) {
                cli_text_add(is_type ? &type : &message, value.data, value.data_bytes);
            }
        }
    }
    const char *mark = type.data ? strrchr(type.data, '#') : NULL;
    cli_complain("%s: %s", mark ? mark + 1 : "the request failed",
                 message.data ? message.data : "");
    cli_text_free(&type);
    cli_text_free(&message);
    stator_item_free(item);
}

int cli_request_run(stator_db *db, const char *operation, const cli_text *body,
                    cli_answer *out_answer)
{
    int code = cli_dispatch(db, operation, (cli_span){body->data, body->size}, NULL, out_answer);
    if (code == CLI_OK && out_answer->http_status != 200) {
        request_complain(out_answer->json);
        code = CLI_FAILED;
    }
    return code;
}

bool cli_answer_member(const cli_answer *answer, const char *wanted, cli_span *out_value)
{
    size_t at = 0;
    cli_span name;
    while (cli_json_member(answer->json, &at, &name, out_value)) {
        if (name.size == strlen(wanted) && memcmp(name.data, wanted, name.size) == 0) {
            return true;
        }
    }
    return false;
}

int cli_answer_print(cli_printer *printer, cli_span json)
{
    stator_error error;
    stator_error_init(&error);
    stator_item *item = NULL;
    int code = stator_item_from_json(json.data, json.size, STATOR_JSON_DYNAMODB, &item, &error) ==
                       STATOR_OK
                   ? cli_printer_item(printer, item)
                   : cli_report(&error);
    stator_item_free(item);
    stator_error_clear(&error);
    return code;
}

void cli_answer_free(cli_answer *answer)
{
    stator_buffer_free(answer->buffer);
    *answer = (cli_answer){0};
}
