/* create, tables, stats, verify, inspect: databases, tables and files. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int table_key(stator_schema *schema, const char *text, bool is_sort)
{
    const char *colon = strrchr(text, ':');
    const char *type = colon ? colon + 1 : "";
    int32_t number = strcmp(type, "S") == 0   ? STATOR_TYPE_S
                     : strcmp(type, "N") == 0 ? STATOR_TYPE_N
                     : strcmp(type, "B") == 0 ? STATOR_TYPE_B
                                              : STATOR_TYPE_NONE;
    if (number == STATOR_TYPE_NONE || colon == text) {
        cli_complain("'%s' is not NAME:S, NAME:N or NAME:B", text);
        return CLI_USAGE;
    }
    size_t bytes = (size_t)(colon - text);
    (void)(is_sort ? stator_schema_sort(schema, text, bytes, number)
                   : stator_schema_partition(schema, text, bytes, number));
    return CLI_OK; /* the schema keeps its first error, and the call that uses it returns it */
}

int cli_run_create(const cli_arguments *arguments)
{
    const char *partition = arguments->values[CLI_OPT_PARTITION];
    const char *sort = arguments->values[CLI_OPT_SORT];
    if (!partition) {
        cli_complain("--partition NAME:TYPE is required");
        return CLI_USAGE;
    }
    stator_schema *schema;
    if (stator_schema_new(&schema) != STATOR_OK) {
        cli_complain("out of memory");
        return CLI_FAILED;
    }
    stator_db *db = NULL;
    int code = table_key(schema, partition, false);
    if (code == CLI_OK && sort) {
        code = table_key(schema, sort, true);
    }
    if (code == CLI_OK) {
        code = cli_open(arguments->words[0], true, false, NULL, &db);
    }
    stator_error error;
    stator_error_init(&error);
    const char *name = arguments->words[1];
    if (code == CLI_OK &&
        stator_table_create(db, name, strlen(name), schema, NULL, &error) != STATOR_OK) {
        code = cli_report(&error);
    }
    stator_schema_free(schema);
    return cli_close(db, code);
}

static const char *table_type_name(int32_t type)
{
    return type == STATOR_TYPE_S ? "S" : type == STATOR_TYPE_N ? "N" : "B";
}

static int table_print(stator_db *db, const char *name)
{
    stator_error error;
    stator_error_init(&error);
    stator_table *table;
    stator_table_description description = {.struct_size = sizeof description};
    if (stator_table_open(db, name, strlen(name), &table, &error) != STATOR_OK) {
        return cli_report(&error);
    }
    int code = CLI_OK;
    if (stator_table_describe(table, &description, &error) != STATOR_OK) {
        code = cli_report(&error);
    } else if (description.sort_type == STATOR_TYPE_NONE) {
        printf("%s\t%s:%s\n", name, description.partition_name,
               table_type_name(description.partition_type));
    } else {
        printf("%s\t%s:%s\t%s:%s\n", name, description.partition_name,
               table_type_name(description.partition_type), description.sort_name,
               table_type_name(description.sort_type));
    }
    stator_table_free(table);
    return code;
}

int cli_run_tables(const cli_arguments *arguments)
{
    stator_db *db;
    int code = cli_open(arguments->words[0], false, true, NULL, &db);
    if (code != CLI_OK) {
        return code;
    }
    stator_error error;
    stator_error_init(&error);
    stator_buffer *names = NULL;
    const void *data = NULL;
    size_t bytes = 0, count = 0;
    if (stator_table_list(db, &names, &count, &error) != STATOR_OK ||
        stator_buffer_data(names, &data, &bytes) != STATOR_OK) {
        code = cli_report(&error);
    }
    const char *name = data;
    for (size_t i = 0; i < count && code == CLI_OK; i++, name += strlen(name) + 1) {
        code = table_print(db, name);
    }
    stator_buffer_free(names);
    return cli_close(db, code);
}

static void table_stat(const char *name, uint64_t value, const char *unit)
{
    printf("%-26s %llu%s\n", name, (unsigned long long)value, unit);
}

static void table_print_stats(const stator_stats *stats)
{
    table_stat("tables", stats->table_count, "");
    table_stat("newest sequence", stats->applied_sequence, "");
    table_stat("durable sequence", stats->durable_sequence, "");
    table_stat("memtable entries", stats->memtable_entries, "");
    table_stat("memtable", stats->memtable_bytes, " bytes");
    table_stat("log segments", stats->log_segments, "");
    table_stat("log", stats->log_bytes, " bytes");
    for (int i = 0; i < STATOR_STATS_LEVELS; i++) {
        if (stats->level_files[i] > 0) {
            printf("level %d                    %llu files, %llu bytes, %llu entries\n", i,
                   (unsigned long long)stats->level_files[i],
                   (unsigned long long)stats->level_bytes[i],
                   (unsigned long long)stats->level_entries[i]);
        }
    }
    table_stat("cache", stats->cache_bytes, " bytes");
    table_stat("memory budget", stats->memory_budget_bytes, " bytes");
    table_stat("frames recovered at open", stats->recovered_frames, "");
    table_stat("torn bytes at open", stats->recovered_torn_bytes, " bytes");
}

int cli_run_stats(const cli_arguments *arguments)
{
    stator_db *db;
    int code = cli_open(arguments->words[0], false, true, NULL, &db);
    if (code != CLI_OK) {
        return code;
    }
    stator_error error;
    stator_error_init(&error);
    stator_stats stats = {.struct_size = sizeof stats};
    if (stator_stats_read(db, &stats, &error) != STATOR_OK) {
        code = cli_report(&error);
    } else {
        table_print_stats(&stats);
    }
    return cli_close(db, code);
}

static void table_print_report(stator_buffer *report)
{
    const void *data;
    size_t bytes;
    if (report && stator_buffer_data(report, &data, &bytes) == STATOR_OK) {
        fwrite(data, 1, bytes, stdout);
        if (bytes > 0 && ((const char *)data)[bytes - 1] != '\n') {
            fputc('\n', stdout);
        }
    }
    stator_buffer_free(report);
}

int cli_run_verify(const cli_arguments *arguments)
{
    stator_options options;
    stator_options_init(&options);
    options.create = 0;
    options.read_only = 1;
    stator_error error;
    stator_error_init(&error);
    stator_db *db;
    const char *path = arguments->words[0];
    if (stator_open(path, strlen(path), &options, &db, &error) != STATOR_OK) {
        (void)cli_report(&error);
        return error.code == STATOR_CORRUPT ? CLI_DAMAGED : CLI_FAILED;
    }
    stator_buffer *report = NULL;
    int code = CLI_OK;
    stator_status status = stator_verify(db, &report, &error);
    table_print_report(report);
    if (status != STATOR_OK) {
        (void)cli_report(&error);
        code = status == STATOR_CORRUPT ? CLI_DAMAGED : CLI_FAILED;
    }
    return cli_close(db, code);
}

int cli_run_inspect(const cli_arguments *arguments)
{
    stator_error error;
    stator_error_init(&error);
    stator_buffer *report = NULL;
    const char *path = arguments->words[0];
    stator_status status = stator_inspect(path, strlen(path), &report, &error);
    table_print_report(report);
    if (status != STATOR_OK) {
        (void)cli_report(&error);
        return status == STATOR_CORRUPT ? CLI_DAMAGED : CLI_FAILED;
    }
    return CLI_OK;
}
