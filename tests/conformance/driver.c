/* The conformance cases through C; prints the count, or the first difference. Items are compared as
 * canonical frames. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stator.h"

#define FIELDS_MAX 64
#define ITEMS_MAX 256

static stator_error err;
static stator_db *db;
static char path[] = "/tmp/stator-conformance-XXXXXX", place[64];

static char *fields[FIELDS_MAX]; /* of the line */
static int field_count;
static stator_item *got[ITEMS_MAX]; /* NULL: absent */
static int got_count;

static stator_item *item_of(const char *json)
{
    stator_item *item = NULL;
    stator_status status =
        stator_item_from_json(json, strlen(json), STATOR_JSON_DYNAMODB, &item, &err);
    return status == STATOR_OK ? item : NULL;
}

static int split(char *line)
{
    int count = 0;
    for (char *at = line; at && count < FIELDS_MAX; count++) {
        fields[count] = at;
        at = strchr(at, '\t');
        if (at) {
            *at++ = '\0';
        }
    }
    return count;
}

/* Copies of what a cursor yields: its own item is only borrowed. */
static stator_status collect(stator_cursor *cursor)
{
    stator_item *item;
    stator_status status;
    const void *frame;
    size_t bytes;
    while ((status = stator_cursor_next(cursor, &item, &err)) == STATOR_OK && item) {
        stator_item_frame(item, &frame, &bytes, NULL);
        stator_item_from_frame(frame, bytes, &got[got_count++], NULL);
    }
    stator_cursor_free(cursor);
    return status;
}

/* The bytes of {"S": ...}, {"N": ...} or {"B": ...}. */
static stator_value value_of(const char *json, char kind, stator_item **keep)
{
    char wrapped[8192];
    stator_value value;
    snprintf(wrapped, sizeof wrapped, "{\"v\":%s}", json);
    *keep = item_of(wrapped);
    stator_value_init(&value);
    stator_item_get(*keep, "v", 1, &value, NULL);
    (void)kind;
    if (value.type == STATOR_TYPE_N) {
        value.data_bytes = value.number_bytes;
    }
    return value;
}

#define BYTES(value)                                                               \
    ((value).type == STATOR_TYPE_N ? (const void *)(value).number : (value).data), \
        (value).data_bytes

static stator_status query(stator_table *table)
{
    typedef stator_status (*condition)(stator_query *, const void *, size_t);
    static const struct {
        const char *word;
        condition set;
    } conditions[] = {
        {"=", stator_query_sort_equal},     {"<", stator_query_sort_less},
        {"<=", stator_query_sort_at_most},  {">", stator_query_sort_greater},
        {">=", stator_query_sort_at_least}, {"begins_with", stator_query_sort_begins_with}};
    stator_query *q;
    stator_item *keep[3] = {0};
    stator_cursor *cursor;
    stator_query_new(table, &q);
    stator_value v = value_of(fields[2], 0, &keep[0]);
    v.type == STATOR_TYPE_S   ? stator_query_partition_string(q, BYTES(v))
    : v.type == STATOR_TYPE_N ? stator_query_partition_number(q, BYTES(v))
                              : stator_query_partition_binary(q, BYTES(v));
    for (int i = 3; i < field_count; i++) {
        for (size_t c = 0; c < sizeof conditions / sizeof conditions[0]; c++) {
            if (strcmp(fields[i], conditions[c].word) == 0) {
                v = value_of(fields[i + 1], 0, &keep[1]);
                conditions[c].set(q, BYTES(v));
            }
        }
        if (strcmp(fields[i], "between") == 0) {
            v = value_of(fields[i + 1], 0, &keep[1]);
            stator_value w = value_of(fields[i + 2], 0, &keep[2]);
            stator_query_sort_between(q, BYTES(v), BYTES(w));
        } else if (strcmp(fields[i], "reverse") == 0) {
            stator_query_reverse(q, 1);
        } else if (strcmp(fields[i], "limit") == 0) {
            stator_query_limit(q, (uint64_t)atoi(fields[i + 1]));
        }
    }
    stator_status status = stator_query_open(q, &cursor, &err);
    for (int i = 0; i < 3; i++) {
        stator_item_free(keep[i]);
    }
    stator_query_free(q);
    return status == STATOR_OK ? collect(cursor) : status;
}

static stator_status batch(stator_table *table, int is_read)
{
    stator_batch *b;
    stator_cursor *cursor;
    stator_status status = STATOR_OK;
    stator_batch_new(db, &b);
    for (int i = 2; i < field_count && status == STATOR_OK; i += is_read ? 1 : 2) {
        stator_item *item = item_of(fields[is_read ? i : i + 1]);
        if (is_read) {
            status = stator_get(table, item, NULL, &got[got_count++], &err);
        } else {
            strcmp(fields[i], "put") == 0 ? stator_batch_put(b, table, item)
                                          : stator_batch_delete(b, table, item);
        }
        stator_item_free(item);
    }
    (void)cursor;
    status = is_read ? status : stator_batch_write(b, NULL, &err);
    stator_batch_free(b);
    return status;
}

static void open_db(void)
{
    stator_options options;
    stator_options_init(&options);
    options.durability = STATOR_DURABILITY_NONE;
    if (stator_open(place, strlen(place), &options, &db, &err) != STATOR_OK) {
        puts(err.message);
        exit(1);
    }
}

static stator_status make_table(void)
{
    stator_schema *schema;
    stator_schema_new(&schema);
    for (int i = 2; i < field_count; i++) {
        char *colon = strrchr(fields[i], ':');
        int32_t type = colon[1] == 'S'   ? STATOR_TYPE_S
                       : colon[1] == 'N' ? STATOR_TYPE_N
                                         : STATOR_TYPE_B;
        (i == 2 ? stator_schema_partition : stator_schema_sort)(schema, fields[i],
                                                                (size_t)(colon - fields[i]), type);
    }
    stator_status status =
        stator_table_ensure(db, fields[1], strlen(fields[1]), schema, NULL, &err);
    stator_schema_free(schema);
    return status;
}

static stator_status on_table(const char *op)
{
    stator_table *table;
    stator_cursor *cursor;
    stator_scan *scan;
    stator_status status = stator_table_open(db, fields[1], strlen(fields[1]), &table, &err);
    if (status != STATOR_OK) {
        return status;
    }
    stator_item *item = field_count > 2 && op[0] != 'b' && op[0] != 'q' ? item_of(fields[2]) : NULL;
    if (field_count > 2 && op[0] != 'b' && op[0] != 'q' && !item) {
        status = err.code; /* refused when it was read: in C that is where numbers are judged */
    } else if (strcmp(op, "put") == 0) {
        status = stator_put(table, item, NULL, &err);
    } else if (strcmp(op, "delete") == 0) {
        status = stator_delete(table, item, NULL, &err);
    } else if (strcmp(op, "put-old") == 0) {
        status = stator_put_returning(table, item, NULL, &got[got_count++], &err);
    } else if (strcmp(op, "delete-old") == 0) {
        status = stator_delete_returning(table, item, NULL, &got[got_count++], &err);
    } else if (strcmp(op, "get") == 0) {
        status = stator_get(table, item, NULL, &got[got_count++], &err);
    } else if (strcmp(op, "query") == 0) {
        status = query(table);
    } else if (strcmp(op, "scan") == 0) {
        stator_scan_new(table, &scan);
        status = stator_scan_open(scan, &cursor, &err);
        stator_scan_free(scan);
        status = status == STATOR_OK ? collect(cursor) : status;
    } else {
        status = batch(table, strcmp(op, "batch-get") == 0);
    }
    stator_item_free(item);
    stator_table_free(table);
    return status;
}

static stator_status run(const char *op)
{
    if (strcmp(op, "flush") == 0) {
        return stator_flush(db, &err);
    }
    if (strcmp(op, "compact") == 0) {
        return stator_compact(db, &err);
    }
    if (strcmp(op, "drop") == 0) {
        return stator_table_delete(db, fields[1], strlen(fields[1]), &err);
    }
    if (strcmp(op, "reopen") == 0) {
        stator_status status = stator_close(db, &err);
        open_db();
        return status;
    }
    return strcmp(op, "table") == 0 ? make_table() : on_table(op);
}

/* Takes the first result that is this one (scans come in any order) or is at the front. */
static int take(stator_item *wanted, int is_any_order)
{
    const void *frame = NULL, *other = NULL;
    size_t bytes = 0, other_bytes = 0;
    for (int i = 0; i < (is_any_order || got_count == 0 ? got_count : 1); i++) {
        stator_item_frame(wanted, &frame, &bytes, NULL);
        stator_item_frame(got[i], &other, &other_bytes, NULL);
        if (wanted ? got[i] && bytes == other_bytes && memcmp(frame, other, bytes) == 0 : !got[i]) {
            stator_item_free(got[i]);
            memmove(&got[i], &got[i + 1], (size_t)(got_count - i - 1) * sizeof got[0]);
            got_count--;
            return 1;
        }
    }
    return 0;
}

static char *slurp(const char *name)
{
    FILE *file = fopen(name, "rb");
    char *text = calloc(1, 8 << 20);
    (void)!fread(text, 1, (8 << 20) - 1, file);
    fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    stator_error_init(&err);
    char *text = slurp(argc > 1 ? argv[1] : "core.cases"), *next = text;
    int count = 0, number = 0, is_scan = 0, has_error = 0, is_ok = mkdtemp(path) != NULL;
    stator_status status = STATOR_OK;
    char said[STATOR_ERROR_MESSAGE_BYTES] = "";
    while (is_ok && next && *next) {
        char *line = next;
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        number++;
        field_count = split(line);
        if (line[0] == '#' || line[0] == '\0') {
            continue;
        }
        if (strcmp(fields[0], "=") == 0 || strcmp(fields[0], "none") == 0) {
            stator_item *wanted = fields[0][0] == '=' ? item_of(fields[1]) : NULL;
            is_ok = take(wanted, is_scan);
            stator_item_free(wanted);
            continue;
        }
        if (strcmp(fields[0], "error") == 0) {
            is_ok = strcmp(stator_status_name(status), fields[1]) == 0 &&
                    strstr(said, fields[2]) != NULL;
            has_error = 0;
            got_count = 0;
            continue;
        }
        if (got_count > 0 || has_error) {
            is_ok = 0; /* more than was expected of the step before */
            break;
        }
        if (strcmp(fields[0], "case") == 0) {
            if (db && stator_close(db, &err) != STATOR_OK) {
                is_ok = 0;
            }
            snprintf(place, sizeof place, "%s/%d", path, number);
            open_db();
            continue;
        }
        is_scan = strcmp(fields[0], "scan") == 0;
        status = run(fields[0]);
        has_error = status != STATOR_OK;
        memcpy(said, err.message, sizeof said);
        count++;
    }
    is_ok = is_ok && got_count == 0 && !has_error && stator_close(db, &err) == STATOR_OK;
    printf(is_ok ? "%d steps\n" : "line %d: %s: %s\n", is_ok ? count : number,
           stator_status_name(status), said);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", path);
    free(text);
    return system(command) != 0 || !is_ok;
}
