/* call, update and sql: commands that are requests of the DynamoDB JSON protocol. */
#include "cli.h"

#include <string.h>
#include <strings.h>

/* ---- call ------------------------------------------------------------------------------- */

/* What only reads is opened for reading, so that a writing process is not in its way. */
static bool call_only_reads(const char *operation)
{
    static const char *const begins[] = {"Get",  "BatchGet", "TransactGet", "Query",
                                         "Scan", "Describe", "List"};
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        if (strncmp(operation, begins[i], strlen(begins[i])) == 0) {
            return true;
        }
    }
    return false;
}

static int call_open(const char *path, const char *operation, stator_db **out_db)
{
    const char *dot = strchr(operation, '.');
    const char *name = dot ? dot + 1 : operation;
    bool is_memory = strcmp(path, ":memory:") == 0;
    return cli_open(path, is_memory || strcmp(name, "CreateTable") == 0,
                    !is_memory && call_only_reads(name), NULL, out_db);
}

int cli_run_call(const cli_arguments *arguments)
{
    stator_dispatch_options options;
    stator_dispatch_options_init(&options);
    const char *layer = arguments->values[CLI_OPT_LAYER];
    options.layer = !layer || strcmp(layer, "current") == 0 ? STATOR_LAYER_CURRENT
                    : strcmp(layer, "old") == 0             ? STATOR_LAYER_OLD
                                                            : STATOR_LAYER_NEW;
    options.region = arguments->values[CLI_OPT_REGION];
    options.region_bytes = options.region ? strlen(options.region) : 0;
    options.account = arguments->values[CLI_OPT_ACCOUNT];
    options.account_bytes = options.account ? strlen(options.account) : 0;
    stator_db *db = NULL;
    int code = call_open(arguments->words[0], arguments->words[1], &db);
    if (code != CLI_OK) {
        return code;
    }
    cli_text body = {0};
    cli_word_text(arguments->words[2], &body);
    cli_answer answer;
    code =
        cli_dispatch(db, arguments->words[1], (cli_span){body.data, body.size}, &options, &answer);
    if (code == CLI_OK) {
        fwrite(answer.json.data, 1, answer.json.size, stdout);
        putchar('\n');
        code = answer.http_status == 200   ? CLI_OK
               : answer.http_status == 400 ? CLI_REFUSED
                                           : CLI_FAILED;
        if (fflush(stdout) != 0 || ferror(stdout)) {
            cli_complain("standard output cannot be written");
            code = CLI_FAILED;
        }
    }
    cli_answer_free(&answer);
    cli_text_free(&body);
    return cli_close(db, code);
}

/* ---- update ----------------------------------------------------------------------------- */

static const char *call_returns(const char *word)
{
    return strcmp(word, "all-new") == 0       ? "ALL_NEW"
           : strcmp(word, "all-old") == 0     ? "ALL_OLD"
           : strcmp(word, "updated-new") == 0 ? "UPDATED_NEW"
                                              : "UPDATED_OLD";
}

static int call_update_body(const cli_arguments *arguments, cli_text *body)
{
    const char *returns = arguments->values[CLI_OPT_RETURNS];
    stator_item *key = NULL;
    int code = cli_item(arguments->words[2], &key);
    if (code == CLI_OK) {
        code = cli_request_text(body, "TableName", arguments->words[1]);
    }
    if (code == CLI_OK) {
        code = cli_request_item(body, "Key", key, STATOR_JSON_DYNAMODB);
    }
    if (code == CLI_OK) {
        code = cli_request_text(body, "UpdateExpression", arguments->words[3]);
    }
    if (code == CLI_OK) {
        code = cli_request_expressions(body, arguments);
    }
    if (code == CLI_OK && returns) {
        code = cli_request_text(body, "ReturnValues", call_returns(returns));
    }
    cli_text_str(body, "}");
    stator_item_free(key);
    return code;
}

int cli_run_update(const cli_arguments *arguments)
{
    stator_db *db;
    stator_table *table;
    int code = cli_open_table(arguments->words[0], arguments->words[1], false,
                              arguments->values[CLI_OPT_DURABILITY], &db, &table);
    if (code != CLI_OK) {
        return code;
    }
    const char *returns = arguments->values[CLI_OPT_RETURNS];
    cli_text body = {0};
    cli_answer answer = {0};
    code = call_update_body(arguments, &body);
    if (code == CLI_OK) {
        code = cli_request_run(db, "UpdateItem", &body, &answer);
    }
    if (code == CLI_OK && returns) {
        bool has_key = strncmp(returns, "all-", 4) == 0;
        cli_printer *printer = cli_printer_new(arguments, has_key ? table : NULL, stdout);
        cli_span attributes;
        if (cli_answer_member(&answer, "Attributes", &attributes)) {
            code = cli_answer_print(printer, attributes);
        }
        int finished = cli_printer_finish(printer);
        code = code == CLI_OK ? finished : code;
    }
    cli_answer_free(&answer);
    cli_text_free(&body);
    stator_table_free(table);
    return cli_close(db, code);
}

/* ---- sql -------------------------------------------------------------------------------- */

static int call_sql_page(stator_db *db, const cli_text *statement, cli_text *token,
                         cli_printer *printer)
{
    cli_text body = {0};
    cli_text_add(&body, statement->data, statement->size);
    if (token->size > 0) {
        cli_text_str(&body, ",\"NextToken\":");
        cli_text_add(&body, token->data, token->size);
    }
    cli_text_str(&body, "}");
    cli_text_clear(token);
    cli_answer answer = {0};
    int code = cli_request_run(db, "ExecuteStatement", &body, &answer);
    cli_span items, item, next;
    if (code == CLI_OK && cli_answer_member(&answer, "Items", &items)) {
        size_t at = 0;
        while (code == CLI_OK && cli_json_element(items, &at, &item)) {
            code = cli_answer_print(printer, item);
        }
    }
    if (code == CLI_OK && cli_answer_member(&answer, "NextToken", &next)) {
        cli_text_add(token, next.data, next.size);
    }
    cli_answer_free(&answer);
    cli_text_free(&body);
    return code;
}

int cli_run_sql(const cli_arguments *arguments)
{
    const char *path = arguments->words[0], *statement = arguments->words[1];
    cli_text body = {0}, token = {0};
    int code = cli_request_text(&body, "Statement", statement);
    if (code == CLI_OK) {
        code = cli_request_parameters(&body, arguments);
    }
    bool only_reads = strcmp(path, ":memory:") != 0 &&
                      strncasecmp(statement + strspn(statement, " \t\r\n"), "select", 6) == 0;
    stator_db *db = NULL;
    if (code == CLI_OK) {
        code = cli_open(path, false, only_reads, arguments->values[CLI_OPT_DURABILITY], &db);
    }
    if (code == CLI_OK) {
        cli_printer *printer = cli_printer_new(arguments, NULL, stdout);
        do {
            code = call_sql_page(db, &body, &token, printer);
        } while (code == CLI_OK && token.size > 0);
        int finished = cli_printer_finish(printer);
        code = code == CLI_OK ? finished : code;
    }
    cli_text_free(&token);
    cli_text_free(&body);
    return cli_close(db, code);
}
