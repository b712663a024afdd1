/* Items as a table, as plain JSON or as DynamoDB JSON.
 *
 * A table holds its first hundred rows back to find columns and widths; keys come first, then names
 * in order. Rows that come later use the columns found: what has no column there is counted and
 * said at the end.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define OUTPUT_HELD_ROWS 100
#define OUTPUT_COLUMNS_MAX 64
#define OUTPUT_CELL_WIDTH 48

struct cli_printer {
    cli_format format;
    FILE *to;
    bool is_colored;
    char *columns[OUTPUT_COLUMNS_MAX];
    size_t widths[OUTPUT_COLUMNS_MAX];
    size_t column_count, key_count;
    char **cells[OUTPUT_HELD_ROWS]; /* by row, then column; NULL: absent */
    size_t held_count;
    bool is_started;
    uint64_t rows, cut_rows;
};

static cli_format output_format(const cli_arguments *arguments, FILE *to)
{
    const char *name = arguments->values[CLI_OPT_OUTPUT];
    if (!name) {
        return isatty(fileno(to)) ? CLI_FORMAT_TABLE : CLI_FORMAT_JSON;
    }
    return strcmp(name, "table") == 0  ? CLI_FORMAT_TABLE
           : strcmp(name, "json") == 0 ? CLI_FORMAT_JSON
                                       : CLI_FORMAT_DYNAMODB;
}

static char *output_copy(const void *data, size_t bytes)
{
    char *copy = cli_allocate(bytes + 1);
    memcpy(copy, data, bytes);
    return copy;
}

static bool output_wants_color(FILE *to)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(fileno(to)) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

cli_printer *cli_printer_new(const cli_arguments *arguments, stator_table *table, FILE *to)
{
    cli_printer *printer = cli_allocate(sizeof *printer);
    printer->format = output_format(arguments, to);
    printer->to = to;
    printer->is_colored = output_wants_color(to);
    stator_table_description description = {.struct_size = sizeof description};
    if (table && stator_table_describe(table, &description, NULL) == STATOR_OK) {
        printer->columns[printer->column_count++] =
            output_copy(description.partition_name, strlen(description.partition_name));
        if (description.sort_type != STATOR_TYPE_NONE) {
            printer->columns[printer->column_count++] =
                output_copy(description.sort_name, strlen(description.sort_name));
        }
    }
    printer->key_count = printer->column_count;
    return printer;
}

/* ---- widths ----------------------------------------------------------------------------- */

static uint32_t output_code_point(const char *text, size_t bytes, size_t *out_bytes)
{
    unsigned char first = (unsigned char)text[0];
    size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (length > bytes) {
        length = bytes;
    }
    uint32_t code = length == 1 ? first : first & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        code = code << 6 | ((unsigned char)text[i] & 63u);
    }
    *out_bytes = length;
    return code;
}

size_t cli_width(uint32_t code)
{
    if ((code >= 0x300 && code <= 0x36F) || code == 0x200B || code == 0x200D ||
        (code >= 0xFE00 && code <= 0xFE0F)) {
        return 0;
    }
    bool is_wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                   (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                   (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
                   (code >= 0xFFE0 && code <= 0xFFE6) || (code >= 0x1F300 && code <= 0x1FAFF) ||
                   (code >= 0x20000 && code <= 0x3FFFD);
    return is_wide ? 2 : 1;
}

static size_t output_text_width(const char *text)
{
    size_t width = 0, left = strlen(text), bytes;
    for (; left > 0; text += bytes, left -= bytes) {
        width += cli_width(output_code_point(text, left, &bytes));
    }
    return width;
}

static void output_cell(cli_printer *printer, const char *text, size_t width, bool is_last)
{
    size_t total = output_text_width(text), used = 0, left = strlen(text), bytes;
    size_t room = total > width ? width - 1 : width;
    for (; left > 0; text += bytes, left -= bytes) {
        uint32_t code = output_code_point(text, left, &bytes);
        size_t step = cli_width(code);
        if (used + step > room) {
            break;
        }
        if (code < 0x20 || code == 0x7F || (code >= 0x80 && code < 0xA0)) {
            fputc('?', printer->to); /* a stored escape sequence must not reach the terminal */
        } else {
            fwrite(text, 1, bytes, printer->to);
        }
        used += step;
    }
    if (total > width) {
        fputs("\xE2\x80\xA6", printer->to);
        used++;
    }
    for (; !is_last && used < width + 2; used++) {
        fputc(' ', printer->to);
    }
}

/* ---- rows ------------------------------------------------------------------------------- */

static char *output_value_text(const stator_value *value, stator_item *item, const void *name,
                               size_t name_bytes)
{
    switch (value->type) {
    case STATOR_TYPE_S:
        return output_copy(value->data, value->data_bytes);
    case STATOR_TYPE_N:
        return output_copy(value->number, value->number_bytes);
    case STATOR_TYPE_BOOL:
        return output_copy(value->boolean ? "true" : "false", value->boolean ? 4 : 5);
    case STATOR_TYPE_NULL:
        return output_copy("null", 4);
    case STATOR_TYPE_B:
        return cli_base64(value->data, value->data_bytes);
    default:
        break;
    }
    stator_buffer *json = NULL;
    const void *data = NULL;
    size_t bytes = 0;
    char *text = NULL;
    if (stator_item_to_json(item, STATOR_JSON_PLAIN, &json, NULL) == STATOR_OK &&
        stator_buffer_data(json, &data, &bytes) == STATOR_OK) {
        size_t at = 0, index = 0;
        cli_span member_name, member;
        stator_value attribute;
        const void *attribute_name;
        size_t attribute_name_bytes;
        while (!text && cli_json_member((cli_span){data, bytes}, &at, &member_name, &member)) {
            stator_value_init(&attribute);
            if (stator_item_at(item, index++, &attribute_name, &attribute_name_bytes, &attribute,
                               NULL) == STATOR_OK &&
                attribute_name_bytes == name_bytes &&
                memcmp(attribute_name, name, name_bytes) == 0) {
                text = output_copy(member.data, member.size);
            }
        }
    }
    stator_buffer_free(json);
    return text ? text : output_copy("", 0);
}

static void output_print_row(cli_printer *printer, char **cells)
{
    for (size_t i = 0; i < printer->column_count; i++) {
        output_cell(printer, cells[i] ? cells[i] : "", printer->widths[i],
                    i + 1 == printer->column_count);
        free(cells[i]);
    }
    free(cells);
    fputc('\n', printer->to);
}

static void output_start(cli_printer *printer)
{
    printer->is_started = true;
    size_t terminal = 0;
    struct winsize size;
    if (isatty(fileno(printer->to)) && ioctl(fileno(printer->to), TIOCGWINSZ, &size) == 0) {
        terminal = size.ws_col;
    }
    for (size_t i = 0; i < printer->column_count; i++) {
        size_t width = output_text_width(printer->columns[i]);
        for (size_t row = 0; row < printer->held_count; row++) {
            const char *cell = printer->cells[row][i];
            size_t cell_width = cell ? output_text_width(cell) : 0;
            width = cell_width > width ? cell_width : width;
        }
        printer->widths[i] = width > OUTPUT_CELL_WIDTH ? OUTPUT_CELL_WIDTH : width;
    }
    size_t used = 0, fitting = 0;
    while (terminal > 0 && fitting < printer->column_count &&
           (fitting < printer->key_count || used + printer->widths[fitting] <= terminal)) {
        used += printer->widths[fitting++] + 2;
    }
    if (terminal > 0 && fitting < printer->column_count) {
        fprintf(stderr, "stator: %zu more columns do not fit; -o json shows all\n",
                printer->column_count - fitting);
        for (size_t i = fitting; i < printer->column_count; i++) {
            for (size_t row = 0; row < printer->held_count; row++) {
                free(printer->cells[row][i]);
            }
            free(printer->columns[i]);
        }
        printer->column_count = fitting;
    }
    fputs(printer->is_colored ? "\033[1m" : "", printer->to);
    for (size_t i = 0; i < printer->column_count; i++) {
        output_cell(printer, printer->columns[i], printer->widths[i],
                    i + 1 == printer->column_count);
    }
    fputs(printer->is_colored ? "\033[0m\n" : "\n", printer->to);
    for (size_t row = 0; row < printer->held_count; row++) {
        output_print_row(printer, printer->cells[row]);
    }
    printer->held_count = 0;
}

static size_t output_column(cli_printer *printer, const void *name, size_t name_bytes)
{
    for (size_t i = 0; i < printer->column_count; i++) {
        if (strlen(printer->columns[i]) == name_bytes &&
            memcmp(printer->columns[i], name, name_bytes) == 0) {
            return i;
        }
    }
    if (printer->is_started || printer->column_count == OUTPUT_COLUMNS_MAX) {
        return SIZE_MAX;
    }
    printer->columns[printer->column_count] = output_copy(name, name_bytes);
    return printer->column_count++;
}

static int output_hold_row(cli_printer *printer, stator_item *item)
{
    char **cells = cli_allocate(OUTPUT_COLUMNS_MAX * sizeof *cells);
    stator_error error;
    stator_error_init(&error);
    size_t count = 0;
    bool is_cut = false;
    if (stator_item_count(item, &count, &error) != STATOR_OK) {
        free(cells);
        return cli_report(&error);
    }
    for (size_t i = 0; i < count; i++) {
        const void *name;
        size_t name_bytes;
        stator_value value;
        stator_value_init(&value);
        if (stator_item_at(item, i, &name, &name_bytes, &value, &error) != STATOR_OK) {
            free(cells);
            return cli_report(&error);
        }
        size_t column = output_column(printer, name, name_bytes);
        if (column == SIZE_MAX) {
            is_cut = true;
        } else {
            cells[column] = output_value_text(&value, item, name, name_bytes);
        }
    }
    printer->rows++;
    printer->cut_rows += is_cut;
    if (printer->is_started) {
        output_print_row(printer, cells);
    } else {
        printer->cells[printer->held_count++] = cells;
        if (printer->held_count == OUTPUT_HELD_ROWS) {
            output_start(printer);
        }
    }
    return CLI_OK;
}

int cli_printer_item(cli_printer *printer, stator_item *item)
{
    if (printer->format == CLI_FORMAT_TABLE) {
        return output_hold_row(printer, item);
    }
    stator_error error;
    stator_error_init(&error);
    stator_buffer *json;
    const void *data;
    size_t bytes;
    int32_t format = printer->format == CLI_FORMAT_JSON ? STATOR_JSON_PLAIN : STATOR_JSON_DYNAMODB;
    if (stator_item_to_json(item, format, &json, &error) != STATOR_OK) {
        return cli_report(&error);
    }
    int code = CLI_OK;
    if (stator_buffer_data(json, &data, &bytes) == STATOR_OK &&
        (fwrite(data, 1, bytes, printer->to) != bytes || fputc('\n', printer->to) == EOF)) {
        code = CLI_FAILED;
    }
    stator_buffer_free(json);
    return code;
}

int cli_printer_finish(cli_printer *printer)
{
    if (printer->format == CLI_FORMAT_TABLE) {
        if (!printer->is_started && printer->column_count > 0) {
            output_start(printer);
        }
        fprintf(stderr, "%llu %s\n", (unsigned long long)printer->rows,
                printer->rows == 1 ? "item" : "items");
        if (printer->cut_rows > 0) {
            fprintf(stderr,
                    "stator: %llu items have attributes without a column; -o json shows all\n",
                    (unsigned long long)printer->cut_rows);
        }
    }
    int code = CLI_OK;
    if (fflush(printer->to) != 0 || ferror(printer->to)) {
        cli_complain("standard output cannot be written");
        code = CLI_FAILED;
    }
    for (size_t i = 0; i < printer->column_count; i++) {
        free(printer->columns[i]);
    }
    free(printer);
    return code;
}
