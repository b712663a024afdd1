/* The steps of the conformance cases, but for queries. */
#include "driver.h"

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

void open_db(void)
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

stator_status run(const char *op)
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
