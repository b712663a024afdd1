/* Options, flushing, compacting, checking, counting. upkeep [FOLDER] */
#include "example.h"

#define POINTS 1000

static void fill(stator_db *db)
{
    stator_table *points = ensure_table(db, "points", "id", STATOR_TYPE_N, NULL, 0);
    for (int64_t id = 0; id < POINTS; id++) {
        stator_item *point;
        must(stator_item_new(&point));
        stator_item_set_int64(point, TEXT("id"), id);
        must(stator_put(points, point, NULL, &error));
        stator_item_free(point);
    }
    stator_table_free(points);
}

static void print_start(stator_buffer *report)
{
    const void *text;
    size_t bytes;
    must(stator_buffer_data(report, &text, &bytes));
    printf("%.*s\n", bytes < 18 ? (int)bytes : 18, (const char *)text);
    stator_buffer_free(report);
}

int main(int count, char **words)
{
    const char *path = count > 1 ? words[1] : "upkeep.stator";
    stator_options options;
    stator_db *db;
    stator_buffer *report;
    char file[4096];
    stator_error_init(&error);

    stator_options_init(&options);
    options.durability = STATOR_DURABILITY_INTERVAL; /* power loss takes at most 50 ms */
    options.interval_ms = 50;
    options.memory_budget_bytes = 16 << 20;
    must(stator_open(path, strlen(path), &options, &db, &error));
    fill(db);

    must(stator_flush(db, &error));   /* from memory to sorted files */
    must(stator_compact(db, &error)); /* and these into one level */
    must(stator_verify(db, &report, &error));
    stator_buffer_free(report); /* lines that say what was checked */

    stator_stats stats = {.struct_size = sizeof stats};
    must(stator_stats_read(db, &stats, &error));
    uint64_t entries = 0;
    for (int level = 0; level < STATOR_STATS_LEVELS; level++) {
        entries += stats.level_entries[level];
    }
    printf("%u table, sorted: %d\n", stats.table_count,
           entries >= POINTS);                   /* → 1 table, sorted: 1 */
    printf("%d\n", stats.memtable_entries == 0); /* → 1 */
    must(stator_close(db, &error));

    /* Any file of a database in words, without opening the database. */
    snprintf(file, sizeof file, "%s/CURRENT", path);
    must(stator_inspect(file, strlen(file), &report, &error));
    print_start(report); /* → names the manifest */
    return 0;
}
