/* Measures one engine once: bench ENGINE DIRECTORY prints one JSON object a line, one for each
 * workload; bench without arguments lists the engines that were built in. run.py interleaves
 * engines and takes medians.
 *
 * 100,000 items, 1,000 partitions of 100, written in an order that looks random. Every value read
 * is compared with what was written, so that an engine that answers wrongly does not answer fast.
 * "cached" reads with 64 MiB for the engine after a round of reading that is not timed; "files"
 * closes, opens again with 2 MiB and reads sorted files, which the kernel's page cache still holds.
 */
#include "bench.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

enum {
    BENCH_ITEMS = 100000,
    BENCH_SORTS = 100,
    BENCH_GETS = 100000,
    BENCH_SYNC_PUTS = 2000,
    BENCH_QUERIES = 4000,
    BENCH_QUERY_ITEMS = 50,
    BENCH_SCANS = 3,
    BENCH_MAX_THREADS = 8,
};

typedef struct bench_run {
    const bench_engine *engine;
    void *db;
    void (*op)(void *session, const bench_engine *engine, uint32_t index);
    uint32_t thread, threads, ops;
    uint32_t warm;         /* operations of each thread before the clock starts */
    uint32_t *nanoseconds; /* one an operation */
    pthread_barrier_t *start;
} bench_run;

_Noreturn void bench_die(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}

void *bench_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (!memory) {
        bench_die("memory", "none left");
    }
    return memory;
}

static uint64_t bench_now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t bench_shuffle(uint32_t index)
{
    return (uint32_t)((uint64_t)index * 61681u % BENCH_ITEMS); /* prime to the number of items */
}

static void bench_make_key(uint32_t item, bench_key *out_key)
{
    uint32_t partition = item / BENCH_SORTS;
    out_key->sort = item % BENCH_SORTS;
    memcpy(out_key->partition, "p000000", BENCH_PARTITION_BYTES + 1);
    for (int at = BENCH_PARTITION_BYTES - 1; partition; at--, partition /= 10) {
        out_key->partition[at] = (char)('0' + partition % 10);
    }
    memcpy(out_key->bytes, out_key->partition, BENCH_PARTITION_BYTES);
    for (int i = 0; i < 4; i++) {
        out_key->bytes[BENCH_PARTITION_BYTES + i] = (uint8_t)(out_key->sort >> (24 - 8 * i));
    }
}

static void bench_make_value(uint32_t item, uint8_t *out_value)
{
    uint32_t x = item * 2654435761u + 1;
    for (int i = 0; i < BENCH_VALUE_BYTES; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        out_value[i] = (uint8_t)(' ' + (x & 63));
    }
}

static void bench_op_put(void *session, const bench_engine *engine, uint32_t index)
{
    bench_key key;
    uint8_t value[BENCH_VALUE_BYTES];
    uint32_t item = bench_shuffle(index);
    bench_make_key(item, &key);
    bench_make_value(item, value);
    engine->put(session, &key, value);
}

static void bench_op_get(void *session, const bench_engine *engine, uint32_t index)
{
    bench_key key;
    uint8_t wanted[BENCH_VALUE_BYTES], value[BENCH_VALUE_BYTES];
    uint32_t item = bench_shuffle(index * 7 + 3);
    bench_make_key(item, &key);
    bench_make_value(item, wanted);
    if (!engine->get(session, &key, value) || memcmp(value, wanted, sizeof value) != 0) {
        bench_die(engine->name, "get returned something else than was written");
    }
}

static void bench_op_query(void *session, const bench_engine *engine, uint32_t index)
{
    bench_key key;
    uint64_t bytes = 0;
    bench_make_key(bench_shuffle(index) / BENCH_SORTS * BENCH_SORTS + 25, &key);
    if (engine->query(session, &key, BENCH_QUERY_ITEMS, &bytes) != BENCH_QUERY_ITEMS ||
        bytes != BENCH_QUERY_ITEMS * BENCH_VALUE_BYTES) {
        bench_die(engine->name, "a query found too little or too much");
    }
}

static void bench_op_scan(void *session, const bench_engine *engine, uint32_t index)
{
    uint64_t bytes = 0;
    (void)index;
    if (engine->scan(session, &bytes) != BENCH_ITEMS ||
        bytes != (uint64_t)BENCH_ITEMS * BENCH_VALUE_BYTES) {
        bench_die(engine->name, "a scan found too little or too much");
    }
}

static void *bench_thread(void *argument)
{
    bench_run *run = argument;
    void *session = run->engine->session_open(run->db);
    for (uint32_t i = 0; i < run->warm; i++) {
        run->op(session, run->engine, i % run->ops);
    }
    pthread_barrier_wait(run->start);
    for (uint32_t i = run->thread; i < run->ops; i += run->threads) {
        uint64_t from = bench_now(CLOCK_MONOTONIC);
        run->op(session, run->engine, i);
        uint64_t took = bench_now(CLOCK_MONOTONIC) - from;
        run->nanoseconds[i] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
    }
    run->engine->session_close(session);
    return NULL;
}

static int bench_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint64_t bench_rss(void)
{
    unsigned long long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%llu %llu", &total, &resident) != 2) {
        bench_die("/proc/self/statm", "unreadable");
    }
    fclose(file);
    return resident * 4096u;
}

/* Blocks in use: LMDB's file is sparse and as long as its map. */
static uint64_t bench_disk(const char *path)
{
    struct stat info;
    char inner[4096];
    if (lstat(path, &info) != 0) {
        return 0;
    }
    uint64_t bytes = (uint64_t)info.st_blocks * 512u;
    DIR *folder = S_ISDIR(info.st_mode) ? opendir(path) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
            bytes += bench_disk(inner);
        }
    }
    if (folder) {
        closedir(folder);
    }
    return bytes;
}

/* Runs ops operations on threads threads and prints a row. An operation counts as items items. */
static void bench_measure(const bench_run *base, const char *path, const char *workload,
                          const char *durability, uint32_t items)
{
    pthread_t ids[BENCH_MAX_THREADS];
    bench_run runs[BENCH_MAX_THREADS];
    pthread_barrier_t start;
    uint32_t *times = bench_alloc(base->ops * sizeof *times);
    pthread_barrier_init(&start, NULL, base->threads + 1);
    for (uint32_t i = 0; i < base->threads; i++) {
        runs[i] = *base;
        runs[i].thread = i;
        runs[i].nanoseconds = times;
        runs[i].start = &start;
        if (pthread_create(&ids[i], NULL, bench_thread, &runs[i]) != 0) {
            bench_die("threads", "cannot be started");
        }
    }
    pthread_barrier_wait(&start);
    uint64_t cpu = bench_now(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t from = bench_now(CLOCK_MONOTONIC);
    for (uint32_t i = 0; i < base->threads; i++) {
        pthread_join(ids[i], NULL);
    }
    double seconds = (double)(bench_now(CLOCK_MONOTONIC) - from) / 1e9;
    cpu = bench_now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    pthread_barrier_destroy(&start);
    qsort(times, base->ops, sizeof *times, bench_compare);
    double ops = (double)base->ops * items;
    printf("{\"bench\": \"peers\", \"workload\": \"%s\", \"engine\": \"%s %s\", "
           "\"layer\": \"%s\", \"threads\": %u, \"item_bytes\": %d, \"durability\": \"%s\", "
           "\"ops\": %.0f, \"seconds\": %.6f, \"p50_us\": %.3f, \"p99_us\": %.3f, "
           "\"p999_us\": %.3f, \"cpu_us_per_op\": %.3f, \"rss_bytes\": %llu, "
           "\"disk_bytes\": %llu}\n",
           workload, base->engine->name, base->engine->version(), base->engine->layer,
           base->threads, BENCH_KEY_BYTES + BENCH_VALUE_BYTES, durability, ops, seconds,
           times[base->ops / 2] / 1e3, times[(uint64_t)base->ops * 99 / 100] / 1e3,
           times[(uint64_t)base->ops * 999 / 1000] / 1e3, (double)cpu / 1e3 / ops,
           (unsigned long long)bench_rss(), (unsigned long long)bench_disk(path));
    fflush(stdout);
    free(times);
}

static void bench_reads(bench_run *run, const char *path, const char *get, const char *query,
                        const char *scan)
{
    run->op = bench_op_get;
    run->ops = BENCH_GETS;
    run->warm = BENCH_GETS; /* each item once */
    bench_measure(run, path, get, "none", 1);
    run->op = bench_op_query;
    run->ops = BENCH_QUERIES;
    run->warm = BENCH_QUERIES / 2;
    bench_measure(run, path, query, "none", 1);
    run->op = bench_op_scan;
    run->ops = BENCH_SCANS;
    run->warm = 1;
    bench_measure(run, path, scan, "none", BENCH_ITEMS);
}

static void bench_engine_run(const bench_engine *engine, const char *folder)
{
    char path[1024];
    bench_run run = {.engine = engine, .threads = 1};
    snprintf(path, sizeof path, "%s/none", folder);
    run.db = engine->open(path, (size_t)64 << 20, false);
    run.op = bench_op_put;
    run.ops = BENCH_ITEMS;
    bench_measure(&run, path, "put", "none", 1);
    bench_reads(&run, path, "get_cached", "query50_cached", "scan_cached");
    engine->settle(run.db);
    engine->close(run.db);
    run.db = engine->open(path, (size_t)2 << 20, false);
    bench_reads(&run, path, "get_files", "query50_files", "scan_files");
    engine->close(run.db);

    snprintf(path, sizeof path, "%s/sync", folder);
    run.db = engine->open(path, (size_t)64 << 20, true);
    run.op = bench_op_put;
    run.ops = BENCH_SYNC_PUTS;
    run.warm = BENCH_SYNC_PUTS / 20;
    bench_measure(&run, path, "put_sync", "sync", 1);
    run.threads = BENCH_MAX_THREADS;
    bench_measure(&run, path, "put_sync", "sync", 1);
    engine->close(run.db);
}

int main(int argc, char **argv)
{
    static const bench_engine *const engines[] = {
        &bench_stator,
#ifdef BENCH_SQLITE
        &bench_sqlite,
#endif
#ifdef BENCH_LMDB
        &bench_lmdb,
#endif
#ifdef BENCH_LEVELDB
        &bench_leveldb,
#endif
#ifdef BENCH_ROCKSDB
        &bench_rocksdb,
#endif
    };
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++) {
        if (argc < 2) {
            printf("%s\n", engines[i]->name);
        } else if (argc == 3 && strcmp(argv[1], engines[i]->name) == 0) {
            bench_engine_run(engines[i], argv[2]);
            return 0;
        }
    }
    if (argc > 1) {
        bench_die(argv[1], "no such engine; usage: bench [ENGINE DIRECTORY]");
    }
    return 0;
}
