/* The command line: one face for its files. It sees only stator.h, libc, zlib and libcsv.
 *
 * A command is a row of cli_commands (commands.c): its words, options and examples are there once,
 * and help, man page and shell completion are made from them. Its run function gets the parsed
 * arguments and returns an exit code.
 */
#ifndef STATOR_APPS_CLI_H
#define STATOR_APPS_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "stator.h"

enum {
    CLI_OK = 0,
    CLI_FAILED = 1,   /* the operation failed; the reason is on standard error */
    CLI_USAGE = 2,    /* wrong words on the command line */
    CLI_ABSENT = 3,   /* get: there is no such item */
    CLI_BAD_ROWS = 4, /* import: some rows were refused, the others are in */
    CLI_DAMAGED = 5,  /* verify, inspect: damage was found */
    CLI_REFUSED = 6,  /* call: the answer is an error of the caller (400) */
};

/* ---- commands --------------------------------------------------------------------------- */

#define CLI_OPTIONS_MAX 8
#define CLI_ARGUMENTS_MAX 4

typedef enum cli_option_id {
    CLI_OPT_PARTITION = 1,
    CLI_OPT_SORT,
    CLI_OPT_LIMIT,
    CLI_OPT_REVERSE,
    CLI_OPT_SEGMENTS,
    CLI_OPT_FORMAT,
    CLI_OPT_STRICT,
    CLI_OPT_OUTPUT,
    CLI_OPT_DURABILITY,
    CLI_OPT_CONDITION,
    CLI_OPT_NAMES,
    CLI_OPT_VALUES,
    CLI_OPT_RETURNS,
    CLI_OPT_LAYER,
    CLI_OPT_REGION,
    CLI_OPT_ACCOUNT,
    CLI_OPT_COUNT,
} cli_option_id;

typedef struct cli_option {
    cli_option_id id;   /* 0 ends the list */
    const char *name;   /* without the dashes */
    char letter;        /* 0: none */
    const char *value;  /* what its value is called; NULL: takes none */
    const char *values; /* the legal values, separated by spaces; NULL: any */
    const char *help;
} cli_option;

typedef struct cli_arguments {
    const char *words[CLI_ARGUMENTS_MAX];
    int word_count;
    char **more; /* the words behind those, of a command that takes any number */
    int more_count;
    const char
        *values[CLI_OPT_COUNT]; /* by cli_option_id; "" for a flag that is set, NULL when absent */
} cli_arguments;

typedef struct cli_command {
    const char *name;  /* NULL ends the table */
    const char *words; /* "DB TABLE JSON" */
    int word_count;    /* -2: two or more */
    const char *summary;
    const char *example;
    int (*run)(const cli_arguments *arguments);
    cli_option options[CLI_OPTIONS_MAX];
} cli_command;

extern const cli_command cli_commands[];
extern const char cli_exit_codes[];

const cli_command *cli_command_find(const char *name);
int cli_arguments_parse(const cli_command *command, int argc, char **argv,
                        cli_arguments *out_arguments);
bool cli_number(const char *text, uint64_t at_least, uint64_t *out_number);

void cli_print_usage(FILE *to);
void cli_print_help(FILE *to, const cli_command *command);
int cli_run_man(const cli_arguments *arguments);
int cli_run_completion(const cli_arguments *arguments);

int cli_run_create(const cli_arguments *arguments);
int cli_run_tables(const cli_arguments *arguments);
int cli_run_stats(const cli_arguments *arguments);
int cli_run_verify(const cli_arguments *arguments);
int cli_run_inspect(const cli_arguments *arguments);
int cli_run_put(const cli_arguments *arguments);
int cli_run_get(const cli_arguments *arguments);
int cli_run_delete(const cli_arguments *arguments);
int cli_run_update(const cli_arguments *arguments);
int cli_run_sql(const cli_arguments *arguments);
int cli_run_call(const cli_arguments *arguments);
int cli_run_query(const cli_arguments *arguments);
int cli_run_scan(const cli_arguments *arguments);
int cli_run_export(const cli_arguments *arguments);
int cli_run_import(const cli_arguments *arguments);

/* ---- text ------------------------------------------------------------------------------- */

/* A growing text. Running out of memory ends the program with a message. */
typedef struct cli_text {
    char *data; /* NUL-terminated once anything was added */
    size_t size;
    size_t capacity;
} cli_text;

void cli_text_add(cli_text *text, const void *data, size_t bytes);
void cli_text_str(cli_text *text, const char *string);
void cli_text_clear(cli_text *text); /* keeps the memory */
void cli_text_free(cli_text *text);
void *cli_allocate(size_t bytes);
char *cli_base64(const void *data, size_t bytes); /* free with free() */
void *cli_base64_decode(const char *text, size_t bytes,
                        size_t *out_bytes); /* NULL when malformed; free with free() */

void cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cli_report(const stator_error *error); /* prints "stator: NAME: message", returns CLI_FAILED */

/* ---- JSON, looked at from outside ------------------------------------------------------- */

typedef struct cli_span {
    const char *data;
    size_t size;
} cli_span;

/* These walk over well-formed JSON and stop at what is not; the library is the judge of what is
 * legal in an item. */
size_t cli_json_skip_space(cli_span text, size_t at);
size_t cli_json_skip_value(
    cli_span text, size_t at); /* behind the value; SIZE_MAX when it is broken or not complete */
bool cli_json_member(cli_span object, size_t *at, cli_span *out_name,
                     cli_span *out_value); /* *at 0 to begin */
bool cli_json_element(cli_span array, size_t *at, cli_span *out_value);
size_t cli_json_member_count(cli_span object);
bool cli_json_is_dynamodb(
    cli_span object); /* each member is an object with one member named as a type */

/* ---- database --------------------------------------------------------------------------- */

int cli_open(const char *path, bool create, bool read_only, const char *durability,
             stator_db **out_db);
int cli_close(stator_db *db, int code); /* the code, or CLI_FAILED when closing failed */
int cli_open_table(const char *path, const char *name, bool read_only, const char *durability,
                   stator_db **out_db, stator_table **out_table);
void cli_word_text(const char *word, cli_text *text); /* "-" reads standard input */
int cli_item(const char *json,
             stator_item **out_item); /* plain or DynamoDB JSON; "-" reads standard input */

/* ---- printing items --------------------------------------------------------------------- */

typedef enum cli_format { CLI_FORMAT_TABLE, CLI_FORMAT_JSON, CLI_FORMAT_DYNAMODB } cli_format;

typedef struct cli_printer cli_printer;

/* table: its keys are the first columns; NULL: none are known. */
cli_printer *cli_printer_new(const cli_arguments *arguments, stator_table *table, FILE *to);
int cli_printer_item(cli_printer *printer, stator_item *item); /* CLI_OK or CLI_FAILED, reported */
int cli_printer_finish(cli_printer *printer); /* writes what is held back, frees it */
size_t cli_width(uint32_t code_point);        /* columns on a terminal: 0, 1 or 2 */

/* ---- requests of the JSON protocol ------------------------------------------------------ */

typedef struct cli_answer {
    int32_t http_status;
    stator_buffer *buffer;
    cli_span json;
} cli_answer;

/* A body is an empty text, then members, then "}". These report what they refuse. */
int cli_request_text(cli_text *body, const char *name, const char *text);
int cli_request_item(cli_text *body, const char *name, stator_item *item, int32_t format);
int cli_request_expressions(cli_text *body, const cli_arguments *arguments);
int cli_request_parameters(cli_text *body, const cli_arguments *arguments);

/* CLI_OK with an answer, which may be an error; free with cli_answer_free in any case. */
int cli_dispatch(stator_db *db, const char *operation, cli_span body,
                 const stator_dispatch_options *options, cli_answer *out_answer);
/* The same, but an answer that is an error is reported, too. */
int cli_request_run(stator_db *db, const char *operation, const cli_text *body,
                    cli_answer *out_answer);
bool cli_answer_member(const cli_answer *answer, const char *wanted, cli_span *out_value);
int cli_answer_print(cli_printer *printer, cli_span json);
void cli_answer_free(cli_answer *answer);

/* ---- import ----------------------------------------------------------------------------- */

typedef struct cli_import cli_import;

typedef enum cli_source_kind {
    CLI_SOURCE_AUTO,
    CLI_SOURCE_DYNAMODB,
    CLI_SOURCE_JSON,
    CLI_SOURCE_CSV
} cli_source_kind;

void cli_import_row(cli_import *import, uint64_t line, cli_span json, int32_t json_format);
void cli_import_item(cli_import *import, uint64_t line,
                     stator_item *item); /* takes the item over */
void cli_import_bad(cli_import *import, uint64_t line, const char *reason);
bool cli_import_stopped(const cli_import *import);
const stator_table_description *cli_import_table(const cli_import *import);

/* A stream of bytes that may be gzip. */
typedef struct cli_source cli_source;
cli_source *cli_source_open(const char *path); /* "-": standard input; NULL: reported */
size_t cli_source_read(cli_source *source, void *to, size_t bytes); /* 0 at the end or on failure */
const char *cli_source_error(cli_source *source);                   /* NULL: none */
double cli_source_fraction(cli_source *source); /* read so far of the whole, below 0 if unknown */
void cli_source_close(cli_source *source);

void cli_import_json(cli_import *import, cli_source *source, cli_source_kind kind, cli_text *begun);
void cli_import_csv(cli_import *import, cli_source *source, cli_text *begun);

typedef struct cli_progress {
    bool is_terminal;
    uint64_t started_us, shown_us;
} cli_progress;

void cli_progress_begin(cli_progress *progress);
void cli_progress_show(cli_progress *progress, uint64_t items, uint64_t bytes, uint64_t bad,
                       double fraction, bool is_last);
uint64_t cli_now_us(void);

#endif
