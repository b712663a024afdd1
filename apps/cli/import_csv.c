/* CSV with a header line. Key attributes take the type of the table's keys; elsewhere a field that
 * is written as a JSON number becomes N and everything else S. An empty field is an absent
 * attribute.
 */
#include "cli.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

#define CSV_COLUMNS_MAX 1024

typedef struct csv_reader {
    cli_import *import;
    char *names[CSV_COLUMNS_MAX];
    size_t name_count, column;
    bool has_header, is_bad;
    uint64_t line;
    stator_item *item;
    stator_error error;
} csv_reader;

static bool csv_is_number(const char *text, size_t bytes)
{
    size_t at = bytes > 0 && text[0] == '-' ? 1 : 0;
    size_t whole = at;
    while (at < bytes && text[at] >= '0' && text[at] <= '9') {
        at++;
    }
    bool has_leading_zero = at - whole > 1 && text[whole] == '0';
    if (at == whole || has_leading_zero || at - whole > 38) {
        return false;
    }
    if (at < bytes && text[at] == '.') {
        size_t fraction = ++at;
        while (at < bytes && text[at] >= '0' && text[at] <= '9') {
            at++;
        }
        if (at == fraction || at - whole > 39) {
            return false;
        }
    }
    return at == bytes;
}

static int32_t csv_type(const csv_reader *reader, const char *name, const char *text, size_t bytes)
{
    const stator_table_description *table = cli_import_table(reader->import);
    if (strcmp(name, table->partition_name) == 0) {
        return table->partition_type;
    }
    if (table->sort_type != STATOR_TYPE_NONE && strcmp(name, table->sort_name) == 0) {
        return table->sort_type;
    }
    return csv_is_number(text, bytes) ? STATOR_TYPE_N : STATOR_TYPE_S;
}

static void csv_set(csv_reader *reader, const char *name, const char *text, size_t bytes)
{
    size_t name_bytes = strlen(name);
    switch (csv_type(reader, name, text, bytes)) {
    case STATOR_TYPE_N:
        (void)stator_item_set_number(reader->item, name, name_bytes, text, bytes);
        break;
    case STATOR_TYPE_B: {
        size_t decoded_bytes;
        void *decoded = cli_base64_decode(text, bytes, &decoded_bytes);
        if (!decoded) {
            cli_import_bad(reader->import, reader->line, "a binary key is not base64");
            reader->is_bad = true;
        } else {
            (void)stator_item_set_binary(reader->item, name, name_bytes, decoded, decoded_bytes);
        }
        free(decoded);
        break;
    }
    default:
        (void)stator_item_set_string(reader->item, name, name_bytes, text, bytes);
        break;
    }
}

static void csv_field(void *field, size_t bytes, void *context)
{
    csv_reader *reader = context;
    const char *text = field ? field : "";
    if (!reader->has_header) {
        if (reader->name_count < CSV_COLUMNS_MAX) {
            char *name = cli_allocate(bytes + 1);
            memcpy(name, text, bytes);
            reader->names[reader->name_count++] = name;
        }
        return;
    }
    if (reader->column >= reader->name_count) {
        if (!reader->is_bad) {
            cli_import_bad(reader->import, reader->line, "more fields than the header names");
        }
        reader->is_bad = true;
        return;
    }
    const char *name = reader->names[reader->column++];
    if (!reader->item && stator_item_new(&reader->item) != STATOR_OK) {
        cli_import_bad(reader->import, reader->line, "out of memory");
        reader->is_bad = true;
    } else if (bytes > 0) {
        csv_set(reader, name, text, bytes);
    }
}

static void csv_row(int end, void *context)
{
    (void)end;
    csv_reader *reader = context;
    if (!reader->has_header) {
        reader->has_header = true;
    } else if (reader->item && !reader->is_bad) {
        cli_import_item(reader->import, reader->line, reader->item);
        reader->item = NULL;
    }
    stator_item_free(reader->item);
    reader->item = NULL;
    reader->column = 0;
    reader->is_bad = false;
}

/* libcsv reports no lines: the text goes in line by line, and a row that is not finished keeps the
 * line it began on. */
static void csv_feed(csv_reader *reader, struct csv_parser *parser, const char *text, size_t bytes,
                     uint64_t *line)
{
    while (bytes > 0 && !cli_import_stopped(reader->import)) {
        const char *newline = memchr(text, '\n', bytes);
        size_t length = newline ? (size_t)(newline - text) + 1 : bytes;
        reader->line = *line;
        if (csv_parse(parser, text, length, csv_field, csv_row, reader) != length) {
            cli_import_bad(reader->import, *line, csv_strerror(csv_error(parser)));
            return;
        }
        *line += newline != NULL;
        text += length;
        bytes -= length;
    }
}

void cli_import_csv(cli_import *import, cli_source *source, cli_text *begun)
{
    csv_reader reader = {.import = import};
    struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        cli_import_bad(import, 1, "out of memory");
        return;
    }
    static char part[65536];
    uint64_t line = 1;
    size_t skipped = begun->size >= 3 && memcmp(begun->data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    csv_feed(&reader, &parser, begun->data + skipped, begun->size - skipped, &line);
    size_t bytes;
    while (!cli_import_stopped(import) &&
           (bytes = cli_source_read(source, part, sizeof part)) > 0) {
        csv_feed(&reader, &parser, part, bytes, &line);
    }
    if (!cli_import_stopped(import) && csv_fini(&parser, csv_field, csv_row, &reader) != 0) {
        cli_import_bad(import, line, csv_strerror(csv_error(&parser)));
    }
    stator_item_free(reader.item);
    for (size_t i = 0; i < reader.name_count; i++) {
        free(reader.names[i]);
    }
    csv_free(&parser);
}
