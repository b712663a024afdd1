/* query, scan and export: many items. */
#include "cli.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int read_all(stator_cursor *cursor, cli_printer *printer)
{
    stator_error error;
    stator_error_init(&error);
    stator_item *item;
    int code = CLI_OK;
    stator_status status = STATOR_OK;
    while (code == CLI_OK && (status = stator_cursor_next(cursor, &item, &error)) == STATOR_OK &&
           item) {
        code = cli_printer_item(printer, item);
    }
    return status == STATOR_OK ? code : cli_report(&error);
}

/* ---- query ------------------------------------------------------------------------------ */

typedef stator_status (*read_sort_function)(stator_query *query, const void *value,
                                            size_t value_bytes);

/* A value word in the type of a key: binary keys are written in base64. */
static bool read_key_word(int32_t type, const char *word, size_t bytes, cli_text *out_value)
{
    if (type != STATOR_TYPE_B) {
        cli_text_add(out_value, word, bytes);
        return true;
    }
    size_t decoded_bytes;
    void *decoded = cli_base64_decode(word, bytes, &decoded_bytes);
    if (!decoded) {
        cli_complain("'%.*s' is not base64, in which binary keys are written", (int)bytes, word);
        return false;
    }
    cli_text_add(out_value, decoded, decoded_bytes);
    free(decoded);
    return true;
}

static int read_partition(stator_query *query, int32_t type, const char *word)
{
    cli_text value = {0};
    int code = CLI_USAGE;
    if (read_key_word(type, word, strlen(word), &value)) {
        code = CLI_OK; /* a refused value is latched in the query */
        (void)(type == STATOR_TYPE_S ? stator_query_partition_string(query, value.data, value.size)
               : type == STATOR_TYPE_N
                   ? stator_query_partition_number(query, value.data, value.size)
                   : stator_query_partition_binary(query, value.data, value.size));
    }
    cli_text_free(&value);
    return code;
}

static int read_between(stator_query *query, int32_t type, const char *words)
{
    const char *space = strchr(words, ' ');
    if (!space || strchr(space + 1, ' ')) {
        cli_complain("--sort: between takes two values without spaces: between X Y");
        return CLI_USAGE;
    }
    cli_text low = {0}, high = {0};
    int code = CLI_USAGE;
    if (read_key_word(type, words, (size_t)(space - words), &low) &&
        read_key_word(type, space + 1, strlen(space + 1), &high)) {
        code = CLI_OK;
        (void)stator_query_sort_between(query, low.data, low.size, high.data, high.size);
    }
    cli_text_free(&low);
    cli_text_free(&high);
    return code;
}

static int read_sort(stator_query *query, int32_t type, const char *condition)
{
    static const struct {
        const char *word;
        read_sort_function set;
    } conditions[] = {
        {"begins_with", stator_query_sort_begins_with},
        {"<=", stator_query_sort_at_most},
        {">=", stator_query_sort_at_least},
        {"<", stator_query_sort_less},
        {">", stator_query_sort_greater},
        {"=", stator_query_sort_equal},
    };
    if (strncmp(condition, "between ", 8) == 0) {
        return read_between(query, type, condition + 8);
    }
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        size_t length = strlen(conditions[i].word);
        if (strncmp(condition, conditions[i].word, length) == 0) {
            const char *word = condition + length + strspn(condition + length, " ");
            cli_text value = {0};
            int code = CLI_USAGE;
            if (read_key_word(type, word, strlen(word), &value)) {
                code = CLI_OK;
                (void)conditions[i].set(query, value.data ? value.data : "", value.size);
            }
            cli_text_free(&value);
            return code;
        }
    }
    cli_complain("--sort: '%s' is none of = < <= > >= between begins_with", condition);
    return CLI_USAGE;
}

static int read_query_build(const cli_arguments *arguments,
                            const stator_table_description *description, stator_query *query)
{
    const char *sort = arguments->values[CLI_OPT_SORT];
    const char *limit = arguments->values[CLI_OPT_LIMIT];
    int code = read_partition(query, description->partition_type, arguments->words[2]);
    if (code == CLI_OK && sort) {
        code = read_sort(query, description->sort_type, sort);
    }
    uint64_t items;
    if (code == CLI_OK && limit) {
        if (!cli_number(limit, 1, &items)) {
            return CLI_USAGE;
        }
        (void)stator_query_limit(query, items);
    }
    if (arguments->values[CLI_OPT_REVERSE]) {
        (void)stator_query_reverse(query, 1);
    }
    return code;
}

int cli_run_query(const cli_arguments *arguments)
{
    stator_db *db;
    stator_table *table;
    int code = cli_open_table(arguments->words[0], arguments->words[1], true, NULL, &db, &table);
    if (code != CLI_OK) {
        return code;
    }
    stator_error error;
    stator_error_init(&error);
    stator_query *query = NULL;
    stator_cursor *cursor = NULL;
    stator_table_description description = {.struct_size = sizeof description};
    if (stator_table_describe(table, &description, &error) != STATOR_OK) {
        code = cli_report(&error);
    } else if (stator_query_new(table, &query) != STATOR_OK) {
        cli_complain("out of memory");
        code = CLI_FAILED;
    } else {
        code = read_query_build(arguments, &description, query);
    }
    if (code == CLI_OK && stator_query_open(query, &cursor, &error) != STATOR_OK) {
        code = cli_report(&error);
    }
    if (code == CLI_OK) {
        cli_printer *printer = cli_printer_new(arguments, table, stdout);
        code = read_all(cursor, printer);
        int finished = cli_printer_finish(printer);
        code = code == CLI_OK ? finished : code;
    }
    stator_cursor_free(cursor);
    stator_query_free(query);
    stator_table_free(table);
    return cli_close(db, code);
}

/* ---- scan ------------------------------------------------------------------------------- */

typedef struct read_scan {
    stator_table *table;
    cli_printer *printer;
    pthread_mutex_t lock; /* guards printer, left and code */
    uint64_t left;
    int code;
} read_scan;

typedef struct read_segment {
    read_scan *scan;
    uint32_t index, count;
} read_segment;

/* Prints one item under the lock; false when the scan is over for everybody. */
static bool read_scan_item(read_scan *scan, stator_item *item)
{
    pthread_mutex_lock(&scan->lock);
    bool goes_on = scan->code == CLI_OK && scan->left > 0;
    if (goes_on) {
        scan->code = cli_printer_item(scan->printer, item);
        scan->left--;
        goes_on = scan->code == CLI_OK && scan->left > 0;
    }
    pthread_mutex_unlock(&scan->lock);
    return goes_on;
}

static void *read_scan_segment(void *argument)
{
    read_segment *segment = argument;
    stator_scan *scan = NULL;
    stator_cursor *cursor = NULL;
    stator_item *item;
    stator_error error;
    stator_error_init(&error);
    stator_status status = stator_scan_new(segment->scan->table, &scan);
    if (status == STATOR_OK) {
        (void)stator_scan_segment(scan, segment->index, segment->count);
        status = stator_scan_open(scan, &cursor, &error);
    }
    while (status == STATOR_OK &&
           (status = stator_cursor_next(cursor, &item, &error)) == STATOR_OK && item) {
        if (!read_scan_item(segment->scan, item)) {
            break;
        }
    }
    if (status != STATOR_OK) {
        pthread_mutex_lock(&segment->scan->lock);
        segment->scan->code = cli_report(&error);
        pthread_mutex_unlock(&segment->scan->lock);
    }
    stator_cursor_free(cursor);
    stator_scan_free(scan);
    return NULL;
}

static int read_scan_table(const cli_arguments *arguments, stator_table *table, uint64_t segments,
                           uint64_t limit)
{
    read_scan scan = {.table = table, .left = limit, .code = CLI_OK};
    pthread_mutex_init(&scan.lock, NULL);
    scan.printer = cli_printer_new(arguments, table, stdout);
    read_segment *parts = cli_allocate((size_t)segments * sizeof *parts);
    pthread_t *threads = cli_allocate((size_t)segments * sizeof *threads);
    uint64_t started = 0;
    for (uint64_t i = 0; i < segments; i++) {
        parts[i] = (read_segment){&scan, (uint32_t)i, (uint32_t)segments};
    }
    for (; started + 1 < segments; started++) {
        if (pthread_create(&threads[started], NULL, read_scan_segment, &parts[started]) != 0) {
            break;
        }
    }
    for (uint64_t i = started; i < segments; i++) {
        (void)read_scan_segment(
            &parts[i]); /* the last one, and those for which no thread could be had, here */
    }
    for (uint64_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    int finished = cli_printer_finish(scan.printer);
    free(threads);
    free(parts);
    pthread_mutex_destroy(&scan.lock);
    return scan.code == CLI_OK ? finished : scan.code;
}

int cli_run_scan(const cli_arguments *arguments)
{
    uint64_t segments = 1, limit = UINT64_MAX;
    if (arguments->values[CLI_OPT_SEGMENTS] &&
        !cli_number(arguments->values[CLI_OPT_SEGMENTS], 1, &segments)) {
        return CLI_USAGE;
    }
    if (arguments->values[CLI_OPT_LIMIT] &&
        !cli_number(arguments->values[CLI_OPT_LIMIT], 1, &limit)) {
        return CLI_USAGE;
    }
    if (segments > 1024) {
        cli_complain("--segments: at most 1024");
        return CLI_USAGE;
    }
    stator_db *db;
    stator_table *table;
    int code = cli_open_table(arguments->words[0], arguments->words[1], true, NULL, &db, &table);
    if (code != CLI_OK) {
        return code;
    }
    code = read_scan_table(arguments, table, segments, limit);
    stator_table_free(table);
    return cli_close(db, code);
}

int cli_run_export(const cli_arguments *arguments)
{
    cli_arguments scan = *arguments;
    if (!scan.values[CLI_OPT_OUTPUT]) {
        scan.values[CLI_OPT_OUTPUT] = "dynamodb-json";
    }
    return cli_run_scan(&scan);
}
