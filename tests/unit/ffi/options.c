/* What the tests of options share. */
#include "options.h"

#include <ftw.h>

stator_error err;
static char folder[64];

void options_check(stator_status status, const char *what, const char *file, int line)
{
    if (status != STATOR_OK) {
        fail_msg("%s:%d: %s: %s: %s", file, line, what, stator_status_name(status), err.message);
    }
}

void options_refused(stator_status status, stator_status wanted, const char *text, const char *what,
                     const char *file, int line)
{
    if (status != wanted || !strstr(err.message, text)) {
        fail_msg("%s:%d: %s: %s: '%s' and not %s: '%s'", file, line, what,
                 stator_status_name(status), err.message, stator_status_name(wanted), text);
    }
}

const char *options_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_not_equal(access(path, F_OK), 0);
    return path;
}

int options_setup(void **state)
{
    (void)state;
    stator_error_init(&err);
    strcpy(folder, "/tmp/stator-options-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int options_remove(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

int options_teardown(void **state)
{
    (void)state;
    return nftw(folder, options_remove, 8, FTW_DEPTH | FTW_PHYS);
}

stator_db *open_with(const char *path, const stator_options *options)
{
    stator_db *db;
    OK(stator_open(path, strlen(path), options, &db, &err));
    return db;
}

stator_options options_of(void)
{
    stator_options options;
    stator_options_init(&options);
    options.inline_background = 1;
    return options;
}

stator_stats stats_of(stator_db *db)
{
    stator_stats stats = {.struct_size = sizeof stats};
    OK(stator_stats_read(db, &stats, &err));
    return stats;
}

void close_db(stator_db *db)
{
    OK(stator_close(db, &err));
}

stator_table *table_of(stator_db *db)
{
    stator_schema *schema;
    stator_table *table;
    OK(stator_schema_new(&schema));
    stator_schema_partition(schema, "host", 4, STATOR_TYPE_S);
    stator_schema_sort(schema, "at", 2, STATOR_TYPE_N);
    OK(stator_table_ensure(db, "log", 3, schema, &table, &err));
    stator_schema_free(schema);
    return table;
}

stator_item *key_of(int64_t at)
{
    return numbered(at, 0);
}

/* Bytes that do not become fewer when they are compressed. */
static void options_noise(uint8_t *bytes, size_t count, uint64_t seed)
{
    uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
    for (size_t i = 0; i < count; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (uint8_t)(state >> 24);
    }
}

stator_item *numbered(int64_t at, size_t extra_bytes)
{
    stator_item *item;
    OK(stator_item_new(&item));
    stator_item_set_string(item, "host", 4, "web", 3);
    stator_item_set_int64(item, "at", 2, at);
    if (extra_bytes > 0) {
        uint8_t *extra = malloc(extra_bytes);
        assert_non_null(extra);
        options_noise(extra, extra_bytes, (uint64_t)at);
        stator_item_set_binary(item, "extra", 5, extra, extra_bytes);
        free(extra);
    }
    return item;
}

void put_range(stator_table *table, int64_t from, int64_t to, size_t extra_bytes)
{
    for (int64_t at = from; at < to; at++) {
        stator_item *item = numbered(at, extra_bytes);
        OK(stator_put(table, item, NULL, &err));
        stator_item_free(item);
    }
}
