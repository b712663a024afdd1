/* put, get and delete: one item. */
#include "cli.h"

/* With an expression the change is a request, which alone can carry one. */
static int item_request(const cli_arguments *arguments, stator_db *db, stator_item *item,
                        bool is_put)
{
    cli_text body = {0};
    cli_answer answer = {0};
    int code = cli_request_text(&body, "TableName", arguments->words[1]);
    if (code == CLI_OK) {
        code = cli_request_item(&body, is_put ? "Item" : "Key", item, STATOR_JSON_DYNAMODB);
    }
    if (code == CLI_OK) {
        code = cli_request_expressions(&body, arguments);
    }
    cli_text_str(&body, "}");
    if (code == CLI_OK) {
        code = cli_request_run(db, is_put ? "PutItem" : "DeleteItem", &body, &answer);
    }
    cli_answer_free(&answer);
    cli_text_free(&body);
    return code;
}

static int item_change(const cli_arguments *arguments, bool is_put)
{
    stator_db *db;
    stator_table *table;
    stator_item *item = NULL;
    int code = cli_open_table(arguments->words[0], arguments->words[1], false,
                              arguments->values[CLI_OPT_DURABILITY], &db, &table);
    if (code != CLI_OK) {
        return code;
    }
    code = cli_item(arguments->words[2], &item);
    if (code == CLI_OK && (arguments->values[CLI_OPT_CONDITION] ||
                           arguments->values[CLI_OPT_NAMES] || arguments->values[CLI_OPT_VALUES])) {
        code = item_request(arguments, db, item, is_put);
    } else if (code == CLI_OK) {
        stator_error error;
        stator_error_init(&error);
        stator_status status = is_put ? stator_put(table, item, NULL, &error)
                                      : stator_delete(table, item, NULL, &error);
        code = status == STATOR_OK ? CLI_OK : cli_report(&error);
    }
    stator_item_free(item);
    stator_table_free(table);
    return cli_close(db, code);
}

int cli_run_put(const cli_arguments *arguments)
{
    return item_change(arguments, true);
}

int cli_run_delete(const cli_arguments *arguments)
{
    return item_change(arguments, false);
}

int cli_run_get(const cli_arguments *arguments)
{
    stator_db *db;
    stator_table *table;
    stator_item *key = NULL, *item = NULL;
    int code = cli_open_table(arguments->words[0], arguments->words[1], true, NULL, &db, &table);
    if (code != CLI_OK) {
        return code;
    }
    code = cli_item(arguments->words[2], &key);
    stator_error error;
    stator_error_init(&error);
    if (code == CLI_OK && stator_get(table, key, NULL, &item, &error) != STATOR_OK) {
        code = cli_report(&error);
    } else if (code == CLI_OK && !item) {
        cli_complain("no such item");
        code = CLI_ABSENT;
    } else if (code == CLI_OK) {
        cli_printer *printer = cli_printer_new(arguments, table, stdout);
        code = cli_printer_item(printer, item);
        int finished = cli_printer_finish(printer);
        code = code == CLI_OK ? finished : code;
    }
    stator_item_free(item);
    stator_item_free(key);
    stator_table_free(table);
    return cli_close(db, code);
}
