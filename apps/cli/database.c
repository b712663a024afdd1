/* Opening a database or a table for a command, and items from words of the command line. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

int cli_open(const char *path, bool create, bool read_only, const char *durability,
             stator_db **out_db)
{
    stator_options options;
    stator_options_init(&options);
    options.create = create;
    options.read_only = read_only;
    if (durability) {
        options.durability = strcmp(durability, "none") == 0       ? STATOR_DURABILITY_NONE
                             : strcmp(durability, "interval") == 0 ? STATOR_DURABILITY_INTERVAL
                                                                   : STATOR_DURABILITY_SYNC;
    }
    stator_error error;
    stator_error_init(&error);
    if (stator_open(path, strlen(path), &options, out_db, &error) != STATOR_OK) {
        return cli_report(&error);
    }
    return CLI_OK;
}

int cli_close(stator_db *db, int code)
{
    stator_error error;
    stator_error_init(&error);
    if (db && stator_close(db, &error) != STATOR_OK) {
        return cli_report(&error);
    }
    return code;
}

int cli_open_table(const char *path, const char *name, bool read_only, const char *durability,
                   stator_db **out_db, stator_table **out_table)
{
    *out_table = NULL;
    int code = cli_open(path, false, read_only, durability, out_db);
    if (code != CLI_OK) {
        return code;
    }
    stator_error error;
    stator_error_init(&error);
    if (stator_table_open(*out_db, name, strlen(name), out_table, &error) != STATOR_OK) {
        code = cli_report(&error);
        (void)cli_close(*out_db, code);
        *out_db = NULL;
    }
    return code;
}

void cli_word_text(const char *word, cli_text *text)
{
    if (strcmp(word, "-") != 0) {
        cli_text_str(text, word);
        return;
    }
    cli_text_add(text, "", 0);
    char part[65536];
    size_t bytes;
    while ((bytes = fread(part, 1, sizeof part, stdin)) > 0) {
        cli_text_add(text, part, bytes);
    }
}

int cli_item(const char *json, stator_item **out_item)
{
    cli_text input = {0};
    cli_word_text(json, &input);
    cli_span span = {input.data, input.size};
    int32_t format = cli_json_is_dynamodb(span) ? STATOR_JSON_DYNAMODB : STATOR_JSON_PLAIN;
    stator_error error;
    stator_error_init(&error);
    int code = CLI_OK;
    if (stator_item_from_json(span.data, span.size, format, out_item, &error) != STATOR_OK) {
        code = cli_report(&error);
    }
    cli_text_free(&input);
    return code;
}
