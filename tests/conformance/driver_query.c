/* Queries of the conformance cases. */
#include "driver.h"

/* Copies of what a cursor yields: its own item is only borrowed. */
stator_status collect(stator_cursor *cursor)
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

stator_status query(stator_table *table)
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
