/* import: rows of a file become items of a table.
 *
 * Readers (import_json.c, import_csv.c) find rows and their line numbers; this file makes items of
 * them and writes them in batches. A batch is one commit: when the library refuses it, its items
 * are written one by one, so that the row at fault is found and the others are in. A row that is
 * refused is reported with its line and counted; --strict stops there.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#define IMPORT_BATCH_ITEMS 500
#define IMPORT_BATCH_BYTES ((size_t)4 << 20)
#define IMPORT_REPORTS_MAX 50

struct cli_import {
    stator_db *db;
    stator_table *table;
    stator_table_description description;
    cli_source *source;
    bool is_strict, is_stopped, has_failed;
    stator_batch *batch;
    stator_item *items[IMPORT_BATCH_ITEMS];
    uint64_t lines[IMPORT_BATCH_ITEMS];
    size_t item_count, batch_bytes;
    uint64_t written, written_bytes, bad;
    cli_progress progress;
};

bool cli_import_stopped(const cli_import *import)
{
    return import->is_stopped;
}

const stator_table_description *cli_import_table(const cli_import *import)
{
    return &import->description;
}

void cli_import_bad(cli_import *import, uint64_t line, const char *reason)
{
    if (import->is_stopped) {
        return;
    }
    import->bad++;
    if (import->bad <= IMPORT_REPORTS_MAX) {
        fprintf(stderr, "%sline %llu: %s\n", import->progress.is_terminal ? "\r\033[K" : "",
                (unsigned long long)line, reason);
    } else if (import->bad == IMPORT_REPORTS_MAX + 1) {
        fprintf(stderr, "further refused rows are only counted\n");
    }
    import->is_stopped = import->is_strict;
}

/* Errors that are not the row's fault end the import: nothing later would succeed either. */
static bool import_is_row_fault(stator_status status)
{
    return status == STATOR_INVALID_ARGUMENT || status == STATOR_UNSUPPORTED;
}

static void import_fail(cli_import *import, const stator_error *error)
{
    (void)cli_report(error);
    import->has_failed = true;
    import->is_stopped = true;
}

static void import_one_by_one(cli_import *import)
{
    stator_error error;
    stator_error_init(&error);
    for (size_t i = 0; i < import->item_count && !import->is_stopped; i++) {
        stator_status status = stator_put(import->table, import->items[i], NULL, &error);
        if (status == STATOR_OK) {
            import->written++;
        } else if (import_is_row_fault(status)) {
            cli_import_bad(import, import->lines[i], error.message);
        } else {
            import_fail(import, &error);
        }
    }
}

static void import_flush(cli_import *import)
{
    stator_error error;
    stator_error_init(&error);
    if (import->item_count > 0 && !import->has_failed) {
        stator_status status = STATOR_OK;
        for (size_t i = 0; i < import->item_count && status == STATOR_OK; i++) {
            status = stator_batch_put(import->batch, import->table, import->items[i]);
        }
        status = stator_batch_write(import->batch, NULL, &error);
        if (status == STATOR_OK) {
            import->written += import->item_count;
        } else if (import_is_row_fault(status)) {
            stator_batch_free(import->batch);
            import->batch = NULL;
            import_one_by_one(import);
            if (stator_batch_new(import->db, &import->batch) != STATOR_OK) {
                cli_complain("out of memory");
                import->has_failed = import->is_stopped = true;
            }
        } else {
            import_fail(import, &error);
        }
    }
    for (size_t i = 0; i < import->item_count; i++) {
        stator_item_free(import->items[i]);
    }
    import->written_bytes += import->batch_bytes;
    import->item_count = 0;
    import->batch_bytes = 0;
    cli_progress_show(&import->progress, import->written, import->written_bytes, import->bad,
                      cli_source_fraction(import->source), false);
}

void cli_import_item(cli_import *import, uint64_t line, stator_item *item)
{
    if (import->is_stopped) {
        stator_item_free(item);
        return;
    }
    import->items[import->item_count] = item;
    import->lines[import->item_count++] = line;
    if (import->item_count == IMPORT_BATCH_ITEMS || import->batch_bytes >= IMPORT_BATCH_BYTES) {
        import_flush(import);
    }
}

void cli_import_row(cli_import *import, uint64_t line, cli_span json, int32_t json_format)
{
    stator_error error;
    stator_error_init(&error);
    stator_item *item;
    if (stator_item_from_json(json.data, json.size, json_format, &item, &error) != STATOR_OK) {
        cli_import_bad(import, line, error.message);
        return;
    }
    import->batch_bytes += json.size;
    cli_import_item(import, line, item);
}

/* auto: the name decides first, then the first byte that is not space. */
static void import_read(cli_import *import, const char *path, const char *format)
{
    cli_source_kind kind = !format || strcmp(format, "auto") == 0 ? CLI_SOURCE_AUTO
                           : strcmp(format, "dynamodb") == 0      ? CLI_SOURCE_DYNAMODB
                           : strcmp(format, "json") == 0          ? CLI_SOURCE_JSON
                                                                  : CLI_SOURCE_CSV;
    cli_text begun = {0};
    if (kind == CLI_SOURCE_AUTO) {
        size_t length = strlen(path);
        char part[4096];
        size_t bytes = cli_source_read(import->source, part, sizeof part);
        cli_text_add(&begun, part, bytes);
        cli_span span = {begun.data, begun.size};
        size_t first =
            cli_json_skip_space(span, bytes >= 3 && memcmp(part, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0);
        bool is_named_csv = length >= 4 && strcmp(path + length - 4, ".csv") == 0;
        bool is_named_csv_gz = length >= 7 && strcmp(path + length - 7, ".csv.gz") == 0;
        bool is_json = first < span.size && (span.data[first] == '{' || span.data[first] == '[');
        if (is_named_csv || is_named_csv_gz || (!is_json && first < span.size)) {
            kind = CLI_SOURCE_CSV;
        }
    }
    if (kind == CLI_SOURCE_CSV) {
        cli_import_csv(import, import->source, &begun);
    } else {
        cli_import_json(import, import->source, kind, &begun);
    }
    cli_text_free(&begun);
    import_flush(import);
    if (cli_source_error(import->source) && !import->has_failed) {
        cli_complain("%s: %s", path, cli_source_error(import->source));
        import->has_failed = true;
    }
}

int cli_run_import(const cli_arguments *arguments)
{
    cli_import import = {.is_strict = arguments->values[CLI_OPT_STRICT] != NULL};
    import.source = cli_source_open(arguments->words[2]);
    if (!import.source) {
        return CLI_FAILED;
    }
    int code = cli_open_table(arguments->words[0], arguments->words[1], false,
                              arguments->values[CLI_OPT_DURABILITY], &import.db, &import.table);
    if (code != CLI_OK) {
        cli_source_close(import.source);
        return code;
    }
    stator_error error;
    stator_error_init(&error);
    import.description.struct_size = sizeof import.description;
    if (stator_table_describe(import.table, &import.description, &error) != STATOR_OK) {
        code = cli_report(&error);
    } else if (stator_batch_new(import.db, &import.batch) != STATOR_OK) {
        cli_complain("out of memory");
        code = CLI_FAILED;
    } else {
        cli_progress_begin(&import.progress);
        import_read(&import, arguments->words[2], arguments->values[CLI_OPT_FORMAT]);
        cli_progress_show(&import.progress, import.written, import.written_bytes, import.bad, 1,
                          true);
        code = import.has_failed ? CLI_FAILED : import.bad > 0 ? CLI_BAD_ROWS : CLI_OK;
    }
    cli_source_close(import.source);
    stator_batch_free(import.batch);
    stator_table_free(import.table);
    return cli_close(import.db, code);
}
