/* Stator: DynamoDB's data model in your process.
 *
 * One header, two layers. The handle layer (item builder, query, scan, cursor) is for people who
 * write C. The frame layer (stator_execute, stator_cursor_open, stator_cursor_next_page) carries
 * one encoded request and returns one encoded result, for language packages:
 * docs/formats/request.md, result.md and item.md. Handles only compose frames.
 *
 * Rules that hold for every function
 *
 * Status     Every fallible call returns a stator_status (0 is OK) and, when the caller passes a
 *            stator_error, fills it. A NULL stator_error is fine. Absence of an item is not an
 *            error. No call aborts the process or writes to its standard streams.
 * Bytes      A byte string is the pair (const void *x, size_t x_bytes); text is UTF-8; x may be
 *            NULL when x_bytes is 0.
 * Handles    A handle is a token, never dereferenced by the caller. NULL, forged and wrong-type
 *            handles give MISUSE, closed and freed ones CLOSED, those of the parent process after a
 *            fork FORKED; freed memory is never touched. Closing a database with open children is
 *            legal: they then return CLOSED and may only be freed.
 * Ownership  Three words: "borrowed for the call" (the library does not keep it), "borrowed from X
 *            until it is advanced, changed or freed", and "owned, free with F". Free functions
 *            accept NULL.
 * Outputs    Set to NULL or 0 at the start of the call. out_ parameters may not be NULL unless it
 *            says so.
 * Structs    Begin with struct_size; fill them with their init function, then change fields. A
 *            smaller size of an older header gives defaults to the missing tail; a larger one is
 *            accepted while its unknown tail is zero.
 * Threads    "any": may be called from any thread at any time. "one at a time": from any thread,
 *            but two calls at once on one handle give BUSY. Nothing is bound to the thread that
 *            created it.
 * Labels     Every function names its Errors (beyond MISUSE, CLOSED, FORKED, BUSY and NO_MEMORY,
 *            which all calls that take a handle may return), Threads, Blocks (what it may wait for)
 *            and Since (the version it came with).
 */
#ifndef STATOR_H
#define STATOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef STATOR_API
#define STATOR_API __attribute__((visibility("default")))
#endif

#define STATOR_VERSION_MAJOR 0
#define STATOR_VERSION_MINOR 1
#define STATOR_VERSION_PATCH 0
#define STATOR_ABI_VERSION 1u

/* ---- status ---------------------------------------------------------------------------------- */

/* What a call returns. Numbers are for ever; unknown numbers are failures. */
typedef int32_t stator_status;
enum {
    STATOR_OK = 0,
    STATOR_MISUSE = 1,               /* invalid handle or call sequence */
    STATOR_CLOSED = 2,               /* the handle or its database is closed */
    STATOR_FORKED = 3,               /* the handle belongs to the parent process */
    STATOR_BUSY = 4,                 /* the handle is in use by another call */
    STATOR_NO_MEMORY = 5,            /* the allocator returned NULL */
    STATOR_INVALID_ARGUMENT = 6,     /* ValidationException */
    STATOR_UNSUPPORTED = 7,          /* a field, flag or feature this version does not know */
    STATOR_TABLE_NOT_FOUND = 8,      /* ResourceNotFoundException */
    STATOR_TABLE_EXISTS = 9,         /* ResourceInUseException */
    STATOR_CONDITION_FAILED = 10,    /* ConditionalCheckFailedException */
    STATOR_TRANSACTION_CONFLICT = 11,
    STATOR_TRANSACTION_CANCELED = 12,
    STATOR_LOCKED = 13,              /* another process has the database open */
    STATOR_NOT_A_DATABASE = 14,      /* the path holds something else */
    STATOR_CORRUPT = 15,             /* damaged file; the message names file and offset */
    STATOR_IO = 16,                  /* the operating system refused; os_error is its errno */
    STATOR_NO_SPACE = 17,            /* disk full; writing goes on when space returns */
    STATOR_READ_ONLY = 18,           /* opened with read_only */
    /* an earlier write failure stopped writing; reopen the database */
    STATOR_FAILED = 19,
    STATOR_CANCELLED = 20,
    STATOR_DEADLINE = 21,            /* deadline_ms passed */
    STATOR_WOULD_BLOCK = 22,         /* STATOR_READ_CACHED_ONLY and the answer is not in memory */
    STATOR_NOT_FOUND = 23,           /* a file or directory is missing */
    STATOR_INTERNAL = 24,            /* a bug in Stator: please report the message */
    STATOR_TOKEN_MISMATCH = 25,      /* the token was used for another transaction */
    STATOR_DUPLICATE_ITEM = 26,      /* PartiQL's INSERT of an item that exists */
    STATOR_IN_USE = 27,              /* the table or index is being changed */
    STATOR_LIMIT_EXCEEDED = 28       /* too many changes of tables at once */
};

/* Flags of a status and of stator_error.flags. */
enum {
    STATOR_ERROR_RETRYABLE = 1,     /* the same call may succeed later */
    STATOR_ERROR_MAYBE_APPLIED = 2, /* the write may or may not have been applied */
    STATOR_ERROR_CALLER = 4         /* the caller's fault: repeating does not help */
};

#define STATOR_ERROR_MESSAGE_BYTES 256

/* What went wrong, in memory of the caller. Set up with stator_error_init; every call that gets
 * it clears it first. */
typedef struct stator_error {
    uint32_t struct_size;
    stator_status code;
    uint32_t flags;      /* STATOR_ERROR_... */
    int32_t os_error;    /* errno of the failed system call, 0 if there is none */
    int64_t position;    /* byte position in a text, frame or file, -1 if there is none */
    char message[STATOR_ERROR_MESSAGE_BYTES]; /* UTF-8, NUL-terminated, possibly cut */
    /* what code and message leave out: the whole text when message is cut, the item that a
     * condition refused, the reasons of a cancelled transaction, as docs/formats/error.md has it.
     * Owned by the library, freed by stator_error_clear; NULL if there is none */
    void *detail;
    size_t detail_bytes;
} stator_error;

/* Prepares caller's storage. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_error_init(stator_error *error);
/* Frees the detail and resets the fields. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_error_clear(stator_error *error);

/* "NO_SPACE"; "UNKNOWN" for foreign numbers. Static text.
 * Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API const char *stator_status_name(stator_status status);
/* A short phrase. Static text. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API const char *stator_status_text(stator_status status);
/* DynamoDB's exception name, or "". Static text.
 * Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API const char *stator_status_exception(stator_status status);
/* STATOR_ERROR_... flags that the status always carries.
 * Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API uint32_t stator_status_flags(stator_status status);
/* "0.1.0". Static text. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API const char *stator_version(void);
/* STATOR_ABI_VERSION of the library in use. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API uint32_t stator_abi_version(void);

/* ---- handles --------------------------------------------------------------------------------- */

typedef struct stator_db stator_db;
typedef struct stator_schema stator_schema;
typedef struct stator_table stator_table;
typedef struct stator_item stator_item;
typedef struct stator_batch stator_batch;
typedef struct stator_query stator_query;
typedef struct stator_scan stator_scan;
typedef struct stator_cursor stator_cursor;
typedef struct stator_buffer stator_buffer;

/* The bytes of a buffer: borrowed from it until it is freed.
 * Errors: MISUSE. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_buffer_data(stator_buffer *buffer, const void **out_data,
                                            size_t *out_data_bytes);
/* NULL is fine. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_buffer_free(stator_buffer *buffer);

/* Memory comes from resize(context, pointer, old_bytes, new_bytes): (NULL, 0, n) allocates, (p,
 * old, 0) frees and returns NULL. It is called from any thread and may return NULL: the call
 * that needed it gives NO_MEMORY. */
typedef struct stator_allocator {
    uint32_t struct_size;
    void *(*resize)(void *context, void *pointer, size_t old_bytes, size_t new_bytes);
    void *context; /* lives as long as the process */
} stator_allocator;

/* Sets the allocator of the process; once, before any other call that takes or makes a handle.
 * Errors: MISUSE when it comes too late or twice. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_set_allocator(const stator_allocator *allocator);

/* ---- database -------------------------------------------------------------------------------- */

enum {
    STATOR_DURABILITY_DEFAULT = 0,  /* that of the database */
    STATOR_DURABILITY_SYNC = 1,     /* after OK the write survives power loss */
    /* survives the process; power loss takes at most the last interval_ms */
    STATOR_DURABILITY_INTERVAL = 2,
    STATOR_DURABILITY_NONE = 3      /* survives the process, not the machine */
};

typedef struct stator_options {
    uint32_t struct_size;
    /* 1 (default): create directory and database if missing; 0: NOT_FOUND then */
    uint32_t create;
    uint32_t read_only;           /* 0 (default); 1: no lock is taken, nothing is written */
    /* STATOR_DURABILITY_SYNC (default), INTERVAL or NONE; the level of writes that name none */
    uint32_t durability;
    uint32_t interval_ms;         /* of INTERVAL; 1..60,000, default 100 */
    /* 0 (default); 1: flush and compaction run in the writing thread, no threads are started;
     * interval_ms then counts when a write comes, and without one nothing is synced before close */
    uint32_t inline_background;
    /* memtables, cache, filters, indexes; at least 1 MiB, default 64 MiB */
    uint64_t memory_budget_bytes;
    /* 0 (default): the smaller of 64 MiB and a quarter of the budget */
    uint64_t memtable_bytes;
    uint64_t file_bytes;          /* target size of a sorted file; 0 (default): 32 MiB */
} stator_options;

/* Defaults. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_options_init(stator_options *options);

/* Opens the database at path: a directory, or ":memory:" for a private one without files.
 * options: borrowed for the call, NULL for defaults. A directory that this process has open
 * already gives another reference to the same database (options that differ are INVALID_ARGUMENT
 * naming the option). *out_db: owned, close with stator_close.
 * Errors: LOCKED (names the pid), NOT_A_DATABASE, NOT_FOUND, CORRUPT, IO, NO_SPACE,
 * INVALID_ARGUMENT, UNSUPPORTED.
 * Threads: any. Blocks: on files; recovery reads the log. Since: 0.1 */
STATOR_API stator_status stator_open(const void *path, size_t path_bytes,
                                     const stator_options *options, stator_db **out_db,
                                     stator_error *error);
/* Ends the reference: waits for calls in flight, and the last one syncs the log, stops threads
 * and releases the lock. The handle is closed whatever is returned. Children may afterwards only
 * be freed.
 * Errors: IO, FAILED (of the last sync).
 * Threads: any. Blocks: on files and calls in flight. Since: 0.1 */
STATOR_API stator_status stator_close(stator_db *db, stator_error *error);
/* Writes what is in memory to sorted files. Errors: IO, NO_SPACE, FAILED, READ_ONLY, CORRUPT.
 * Threads: any. Blocks: on files. Since: 0.1 */
STATOR_API stator_status stator_flush(stator_db *db, stator_error *error);
/* Flushes, then merges everything into one level, the deepest in use.
 * Errors: IO, NO_SPACE, FAILED, READ_ONLY, CORRUPT.
 * Threads: any. Blocks: on files, for as long as reading and writing all data takes. Since: 0.1 */
STATOR_API stator_status stator_compact(stator_db *db, stator_error *error);
/* Reads and checks every byte of every file. *out_report: UTF-8 lines saying what was checked
 * and found, set also on CORRUPT; owned, free with stator_buffer_free.
 * Errors: CORRUPT, IO.
 * Threads: any. Blocks: on files, for as long as reading all data takes. Since: 0.1 */
STATOR_API stator_status stator_verify(stator_db *db, stator_buffer **out_report,
                                       stator_error *error);
/* One file of a database (log segment, manifest, CURRENT, sorted file) or one item frame in
 * words; no database is opened and nothing is changed. *out_report: UTF-8 lines; owned, free
 * with stator_buffer_free.
 * Errors: NOT_FOUND, NOT_A_DATABASE (unknown kind of file), CORRUPT, IO.
 * Threads: any. Blocks: on files. Since: 0.1 */
STATOR_API stator_status stator_inspect(const void *path, size_t path_bytes,
                                        stator_buffer **out_report, stator_error *error);

#define STATOR_STATS_LEVELS 7

typedef struct stator_stats {
    uint32_t struct_size;
    uint32_t table_count;
    uint64_t applied_sequence;   /* of the newest write */
    uint64_t published_sequence; /* of the newest visible write */
    uint64_t durable_sequence;   /* of the newest write known to survive power loss */
    uint64_t memtable_bytes, memtable_entries;
    uint64_t log_segments, log_bytes;
    uint64_t level_files[STATOR_STATS_LEVELS], level_bytes[STATOR_STATS_LEVELS],
        level_entries[STATOR_STATS_LEVELS];
    uint64_t cache_bytes, cache_hits, cache_misses;
    uint64_t written_bytes_log, written_bytes_flush, written_bytes_compaction;
    uint64_t flushes, compactions, syncs, stall_us;
    uint64_t memory_used_bytes, memory_budget_bytes;
    uint64_t recovered_frames, recovered_torn_bytes; /* of the last open */
} stator_stats;

/* Counters since open. out_stats->struct_size must be set.
 * Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_stats_read(stator_db *db, stator_stats *out_stats,
                                           stator_error *error);

/* ---- schema and tables ----------------------------------------------------------------------- */

/* Attribute types, DynamoDB's. */
enum {
    STATOR_TYPE_NONE = 0, /* absent */
    STATOR_TYPE_S = 1,
    STATOR_TYPE_N = 2,
    STATOR_TYPE_B = 3,
    STATOR_TYPE_BOOL = 4,
    STATOR_TYPE_NULL = 5,
    STATOR_TYPE_SS = 6,
    STATOR_TYPE_NS = 7,
    STATOR_TYPE_BS = 8,
    STATOR_TYPE_L = 9,
    STATOR_TYPE_M = 10
};

/* Builders (schema, item, batch, query, scan) keep their first error: every later call on them
 * returns it, and so does the call that uses them, with its text. */

/* *out_schema: owned, free with stator_schema_free.
 * Errors: NO_MEMORY. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_schema_new(stator_schema **out_schema);
/* The partition key: name of 1..255 bytes; type S, N or B. Errors: INVALID_ARGUMENT.
 * Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_schema_partition(stator_schema *schema, const void *name,
                                                 size_t name_bytes, int32_t type);
/* The sort key, optional.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_schema_sort(stator_schema *schema, const void *name,
                                            size_t name_bytes, int32_t type);
/* NULL is fine. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_schema_free(stator_schema *schema);

/* Makes a new table. name: 3..255 of a-z A-Z 0-9 _ - . as in DynamoDB. schema: borrowed for the
 * call. *out_table: owned, free with stator_table_free; may be NULL. The table is durable at the
 * level of the database when the call returns.
 * Errors: TABLE_EXISTS, INVALID_ARGUMENT, READ_ONLY, FAILED, IO, NO_SPACE.
 * Threads: any. Blocks: on a sync. Since: 0.1 */
STATOR_API stator_status stator_table_create(stator_db *db, const void *name, size_t name_bytes,
                                             stator_schema *schema, stator_table **out_table,
                                             stator_error *error);
/* Opens the table, or creates it if it is missing. A table with another schema is
 * INVALID_ARGUMENT naming the difference. Ownership and errors as stator_table_create,
 * TABLE_EXISTS excepted.
 * Errors: INVALID_ARGUMENT, READ_ONLY, FAILED, IO, NO_SPACE.
 * Threads: any. Blocks: on a sync. Since: 0.1 */
STATOR_API stator_status stator_table_ensure(stator_db *db, const void *name, size_t name_bytes,
                                             stator_schema *schema, stator_table **out_table,
                                             stator_error *error);
/* *out_table: owned, free with stator_table_free.
 * Errors: TABLE_NOT_FOUND, INVALID_ARGUMENT, IO, CORRUPT.
 * Threads: any. Blocks: on files. Since: 0.1 */
STATOR_API stator_status stator_table_open(stator_db *db, const void *name, size_t name_bytes,
                                           stator_table **out_table, stator_error *error);
/* Deletes the table and all its items at once; handles of it then return TABLE_NOT_FOUND, even
 * if the name lives again.
 * Errors: TABLE_NOT_FOUND, READ_ONLY, FAILED, IO, NO_SPACE.
 * Threads: any. Blocks: on a sync. Since: 0.1 */
STATOR_API stator_status stator_table_delete(stator_db *db, const void *name, size_t name_bytes,
                                             stator_error *error);
/* All table names in ascending byte order, each followed by a NUL. *out_names: owned, free with
 * stator_buffer_free.
 * Errors: IO, CORRUPT. Threads: any. Blocks: on files. Since: 0.1 */
STATOR_API stator_status stator_table_list(stator_db *db, stator_buffer **out_names,
                                           size_t *out_count, stator_error *error);

#define STATOR_NAME_BYTES 256

typedef struct stator_table_description {
    uint32_t struct_size;
    uint32_t table_id;        /* never reused within a database */
    uint64_t created_us;      /* microseconds since 1970 */
    char name[STATOR_NAME_BYTES];           /* NUL-terminated, as are the next two */
    char partition_name[STATOR_NAME_BYTES];
    char sort_name[STATOR_NAME_BYTES];      /* "" when there is no sort key */
    int32_t partition_type;
    int32_t sort_type;        /* STATOR_TYPE_NONE when there is no sort key */
} stator_table_description;

/* out_description->struct_size must be set.
 * Errors: TABLE_NOT_FOUND (deleted meanwhile), IO, CORRUPT.
 * Threads: any. Blocks: on files. Since: 0.1 */
STATOR_API stator_status stator_table_describe(stator_table *table,
                                               stator_table_description *out_description,
                                               stator_error *error);
/* NULL is fine; the table itself stays. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_table_free(stator_table *table);

/* ---- items ----------------------------------------------------------------------------------- */

/* *out_item: owned, free with stator_item_free.
 * Errors: NO_MEMORY. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_new(stator_item **out_item);
/* Back to empty, latched error included; not on items borrowed from a cursor (MISUSE).
 * Errors: MISUSE. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_clear(stator_item *item);
/* NULL is fine; an item borrowed from a cursor is left to it.
 * Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_item_free(stator_item *item);

/* Setters add an attribute to the item, or to the innermost open map; in an open list name must
 * be NULL, 0 and the value is appended. Values are copied. Setting a name twice is an error of
 * the call that uses the item. Items read from a table or cursor cannot be changed (MISUSE). */

/* value: UTF-8. Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_set_string(stator_item *item, const void *name,
                                                size_t name_bytes, const void *value,
                                                size_t value_bytes);
/* value: decimal text of at most 38 significant digits, 1E-130..9.99E+125.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_set_number(stator_item *item, const void *name,
                                                size_t name_bytes, const void *value,
                                                size_t value_bytes);
/* Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_set_int64(stator_item *item, const void *name,
                                               size_t name_bytes, int64_t value);
/* Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_set_binary(stator_item *item, const void *name,
                                                size_t name_bytes, const void *value,
                                                size_t value_bytes);
/* value: 0 or 1. Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_set_bool(stator_item *item, const void *name,
                                              size_t name_bytes, int32_t value);
/* Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_set_null(stator_item *item, const void *name,
                                              size_t name_bytes);
/* Opens a container of type STATOR_TYPE_SS, NS, BS, L or M; the following setters fill it until
 * stator_item_end. In a set name must be NULL, 0 and the setter must be that of its members. At
 * most 32 levels.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_begin(stator_item *item, const void *name, size_t name_bytes,
                                           int32_t type);
/* Closes the innermost container.
 * Errors: INVALID_ARGUMENT when none is open. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_end(stator_item *item);

enum {
    /* {"title": "Alien", "year": 1979}: numbers keep their exact decimal value */
    STATOR_JSON_PLAIN = 1,
    STATOR_JSON_DYNAMODB = 2 /* {"title": {"S": "Alien"}, "year": {"N": "1979"}} */
};

/* Parses one JSON object. *out_item: owned, free with stator_item_free.
 * Errors: INVALID_ARGUMENT (error->position: byte in the text).
 * Threads: any. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_from_json(const void *json, size_t json_bytes, int32_t format,
                                               stator_item **out_item, stator_error *error);
/* Writes the item as one line of JSON without a line end. Plain: sets become arrays and binary
 * base64 text. *out_json: owned, free with stator_buffer_free.
 * Errors: INVALID_ARGUMENT (an incomplete or invalid item).
 * Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_to_json(stator_item *item, int32_t format,
                                             stator_buffer **out_json, stator_error *error);
/* An item from an item frame, canonical or relaxed (docs/formats/item.md). *out_item: owned,
 * free with stator_item_free.
 * Errors: INVALID_ARGUMENT. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_from_frame(const void *frame, size_t frame_bytes,
                                                stator_item **out_item, stator_error *error);
/* The canonical frame of the item: borrowed from the item until it is changed, advanced or freed.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_frame(stator_item *item, const void **out_frame,
                                           size_t *out_frame_bytes, stator_error *error);

#define STATOR_NUMBER_TEXT_BYTES 192

/* A value, read out of an item; its pointers are borrowed from the item until it is changed,
 * advanced or freed. */
typedef struct stator_value {
    uint32_t struct_size;
    int32_t type;        /* STATOR_TYPE_...; NONE when absent */
    /* S, B: the bytes. Containers: their encoding, for stator_value_at and stator_value_find */
    const void *data;
    size_t data_bytes;
    uint32_t count;      /* members of a container */
    int32_t boolean;     /* BOOL: 0 or 1 */
    uint32_t number_bytes;
    char number[STATOR_NUMBER_TEXT_BYTES]; /* N: canonical decimal text, NUL-terminated */
} stator_value;

/* Defaults. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_value_init(stator_value *value);
/* The attribute of that name; type NONE when it is absent. out_value->struct_size must be set.
 * Errors: INVALID_ARGUMENT (an invalid item). Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_get(stator_item *item, const void *name, size_t name_bytes,
                                         stator_value *out_value, stator_error *error);
/* Number of top-level attributes.
 * Errors: INVALID_ARGUMENT (an invalid item). Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_count(stator_item *item, size_t *out_count,
                                           stator_error *error);
/* The attribute at index 0..count-1 in name order; name borrowed as the value is.
 * Errors: INVALID_ARGUMENT (index past the end). Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_item_at(stator_item *item, size_t index, const void **out_name,
                                        size_t *out_name_bytes, stator_value *out_value,
                                        stator_error *error);
/* Member at index of a container value; out_name may be NULL, and is set only for maps.
 * Errors: INVALID_ARGUMENT (not a container, index past the end).
 * Threads: any. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_value_at(const stator_value *value, size_t index,
                                         const void **out_name, size_t *out_name_bytes,
                                         stator_value *out_value, stator_error *error);
/* Member of a map value by name; type NONE when absent. Errors: INVALID_ARGUMENT (not a map).
 * Threads: any. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_value_find(const stator_value *value, const void *name,
                                           size_t name_bytes, stator_value *out_value,
                                           stator_error *error);

/* ---- reading and writing one item ------------------------------------------------------------ */

typedef struct stator_write_options {
    uint32_t struct_size;
    uint32_t durability;  /* STATOR_DURABILITY_...; default that of the database */
    /* 0 (default): none; of the wait for another write's sync. A wait for room is not cut short */
    uint32_t deadline_ms;
} stator_write_options;

typedef struct stator_read_options {
    uint32_t struct_size;
    uint32_t consistent;  /* 0 (default) or 1; in process both see every acknowledged write */
    uint32_t cached_only; /* 1: WOULD_BLOCK instead of reading a file */
    /* 0 (default): none; looked at before a file is read, and in long pages and batches */
    uint32_t deadline_ms;
} stator_read_options;

/* Defaults. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_write_options_init(stator_write_options *options);
/* Defaults. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_read_options_init(stator_read_options *options);

/* Writes the item, replacing one of the same key. item, options: borrowed for the call; options
 * NULL for defaults.
 * Errors: INVALID_ARGUMENT (key, size, number: texts are DynamoDB's), TABLE_NOT_FOUND,
 * READ_ONLY, FAILED (maybe applied), IO, NO_SPACE, DEADLINE (maybe applied).
 * Threads: any; the item one at a time. Blocks: until the durability level is reached.
 * Since: 0.1 */
STATOR_API stator_status stator_put(stator_table *table, stator_item *item,
                                    const stator_write_options *options, stator_error *error);
/* As stator_put; *out_old is the item that was replaced, NULL if there was none; owned, free
 * with stator_item_free.
 * Errors: as stator_put. Threads: any. Blocks: as stator_put. Since: 0.1 */
STATOR_API stator_status stator_put_returning(stator_table *table, stator_item *item,
                                              const stator_write_options *options,
                                              stator_item **out_old, stator_error *error);
/* Reads by key: an item with exactly the key attributes. *out_item: owned, free with
 * stator_item_free; NULL when there is no such item, which is OK.
 * Errors: INVALID_ARGUMENT, TABLE_NOT_FOUND, CORRUPT, IO, WOULD_BLOCK, DEADLINE.
 * Threads: any. Blocks: on files that are not cached. Since: 0.1 */
STATOR_API stator_status stator_get(stator_table *table, stator_item *key,
                                    const stator_read_options *options, stator_item **out_item,
                                    stator_error *error);
/* Deletes by key; deleting what is absent is OK.
 * Errors: as stator_put. Threads: any. Blocks: as stator_put. Since: 0.1 */
STATOR_API stator_status stator_delete(stator_table *table, stator_item *key,
                                       const stator_write_options *options, stator_error *error);
/* As stator_delete; *out_old is the item that was deleted or NULL; owned, free with
 * stator_item_free.
 * Errors: as stator_put. Threads: any. Blocks: as stator_put. Since: 0.1 */
STATOR_API stator_status stator_delete_returning(stator_table *table, stator_item *key,
                                                 const stator_write_options *options,
                                                 stator_item **out_old, stator_error *error);

/* ---- batches --------------------------------------------------------------------------------- */

/* Puts and deletes over any tables of one database, applied together: after a crash all of them
 * are there, or none. Or gets. *out_batch: owned, free with stator_batch_free.
 * Errors: NO_MEMORY. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_batch_new(stator_db *db, stator_batch **out_batch);
/* The item is copied. Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_batch_put(stator_batch *batch, stator_table *table,
                                          stator_item *item);
/* The key is copied. Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_batch_delete(stator_batch *batch, stator_table *table,
                                             stator_item *key);
/* The key is copied. Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_batch_get(stator_batch *batch, stator_table *table,
                                          stator_item *key);
/* Writes all puts and deletes as one unit and empties the batch. The same key twice is
 * INVALID_ARGUMENT, a get too.
 * Errors: as stator_put. Threads: one at a time. Blocks: as stator_put. Since: 0.1 */
STATOR_API stator_status stator_batch_write(stator_batch *batch,
                                            const stator_write_options *options,
                                            stator_error *error);
/* Reads all gets and empties the batch. The cursor yields the items that exist, in the order of
 * the gets. *out_cursor: owned, free with stator_cursor_free.
 * Errors: as stator_get. Threads: one at a time. Blocks: on files. Since: 0.1 */
STATOR_API stator_status stator_batch_read(stator_batch *batch, const stator_read_options *options,
                                           stator_cursor **out_cursor, stator_error *error);
/* NULL is fine. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_batch_free(stator_batch *batch);

/* ---- query ----------------------------------------------------------------------------------- */

/* The items of one partition in sort-key order. *out_query: owned, free with stator_query_free.
 * Errors: NO_MEMORY. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_new(stator_table *table, stator_query **out_query);
/* The partition, of type S.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_partition_string(stator_query *query, const void *value,
                                                       size_t value_bytes);
/* The partition, of type N: decimal text.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_partition_number(stator_query *query, const void *value,
                                                       size_t value_bytes);
/* The partition, of type B.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_partition_binary(stator_query *query, const void *value,
                                                       size_t value_bytes);

/* At most one condition on the sort key; value: in the type of the sort key, decimal text for N. */

/* = value. Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_sort_equal(stator_query *query, const void *value,
                                                 size_t value_bytes);
/* < value. Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_sort_less(stator_query *query, const void *value,
                                                size_t value_bytes);
/* <= value. Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_sort_at_most(stator_query *query, const void *value,
                                                   size_t value_bytes);
/* > value. Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_sort_greater(stator_query *query, const void *value,
                                                   size_t value_bytes);
/* >= value. Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_sort_at_least(stator_query *query, const void *value,
                                                    size_t value_bytes);
/* low <= sort key <= high.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_sort_between(stator_query *query, const void *low,
                                                   size_t low_bytes, const void *high,
                                                   size_t high_bytes);
/* Sort key of type S or B that begins with value.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_sort_begins_with(stator_query *query, const void *value,
                                                       size_t value_bytes);
/* 1: descending. Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_reverse(stator_query *query, int32_t is_reverse);
/* Items yielded over all pages, at least 1.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_limit(stator_query *query, uint64_t items);
/* Items in one page, at least 1; a page also ends at 1 MiB. Errors: INVALID_ARGUMENT.
 * Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_page_items(stator_query *query, uint32_t items);
/* 1: the whole iteration sees one moment, and writes that come later stay unseen. 0: each page
 * sees its own.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_snapshot(stator_query *query, int32_t is_snapshot);
/* Resumes behind a token of stator_cursor_last_key.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_start_after(stator_query *query, const void *token,
                                                  size_t token_bytes);
/* The query may be changed and opened again. *out_cursor: owned, free with stator_cursor_free.
 * Errors: INVALID_ARGUMENT, TABLE_NOT_FOUND, IO, CORRUPT.
 * Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_query_open(stator_query *query, stator_cursor **out_cursor,
                                           stator_error *error);
/* NULL is fine. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_query_free(stator_query *query);

/* ---- scan ------------------------------------------------------------------------------------ */

/* All items of a table, partition by partition. *out_scan: owned, free with stator_scan_free.
 * Errors: NO_MEMORY. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_scan_new(stator_table *table, stator_scan **out_scan);
/* One of segment_count disjoint parts, 0 <= segment < segment_count <= 1,000,000.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_scan_segment(stator_scan *scan, uint32_t segment,
                                             uint32_t segment_count);
/* Items yielded over all pages, at least 1.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_scan_limit(stator_scan *scan, uint64_t items);
/* As stator_query_page_items.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_scan_page_items(stator_scan *scan, uint32_t items);
/* As stator_query_snapshot.
 * Errors: INVALID_ARGUMENT. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_scan_snapshot(stator_scan *scan, int32_t is_snapshot);
/* As stator_query_start_after; same table, same segments. Errors: INVALID_ARGUMENT.
 * Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_scan_start_after(stator_scan *scan, const void *token,
                                                 size_t token_bytes);
/* As stator_query_open. Errors: INVALID_ARGUMENT, TABLE_NOT_FOUND, IO, CORRUPT.
 * Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_scan_open(stator_scan *scan, stator_cursor **out_cursor,
                                          stator_error *error);
/* NULL is fine. Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_scan_free(stator_scan *scan);

/* ---- cursor ---------------------------------------------------------------------------------- */

/* *out_item: the next item, NULL at the end; borrowed from the cursor until it is advanced or
 * freed.
 * Errors: CORRUPT, IO, TABLE_NOT_FOUND.
 * Threads: one at a time. Blocks: on files that are not cached. Since: 0.1 */
STATOR_API stator_status stator_cursor_next(stator_cursor *cursor, stator_item **out_item,
                                            stator_error *error);
/* A token that resumes exactly behind the last item yielded (or the last page): valid across
 * reopen and compaction, for the same table. *out_token: owned, free with stator_buffer_free;
 * NULL when the iteration has ended or not begun.
 * Errors: NO_MEMORY. Threads: one at a time. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_cursor_last_key(stator_cursor *cursor, stator_buffer **out_token,
                                                stator_error *error);
/* NULL is fine; also after the database was closed.
 * Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_cursor_free(stator_cursor *cursor);

/* ---- frames ---------------------------------------------------------------------------------- */

/* Runs one request frame (docs/formats/request.md); request: borrowed for the call. The result
 * frame goes to result if it fits in result_capacity bytes: then *out_result_bytes is its length
 * and *out_buffer NULL. Otherwise it comes in *out_buffer, owned, free with stator_buffer_free,
 * and *out_result_bytes is 0. out_buffer may not be NULL.
 * Errors: those of the operation. Threads: any. Blocks: as the operation. Since: 0.1 */
STATOR_API stator_status stator_execute(stator_db *db, const void *request, size_t request_bytes,
                                        void *result, size_t result_capacity,
                                        size_t *out_result_bytes, stator_buffer **out_buffer,
                                        stator_error *error);
/* Opens a cursor from a QUERY or SCAN request frame. *out_cursor: owned, free with
 * stator_cursor_free.
 * Errors: those of the operation. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API stator_status stator_cursor_open(stator_db *db, const void *request,
                                            size_t request_bytes, stator_cursor **out_cursor,
                                            stator_error *error);
/* The next page as a result frame, delivered as by stator_execute; a page without the field
 * last_key is the last one, and a page behind it holds no items. Not to be mixed with
 * stator_cursor_next on one cursor (MISUSE).
 * Errors: CORRUPT, IO, TABLE_NOT_FOUND, WOULD_BLOCK (nothing is lost: ask again).
 * Threads: one at a time. Blocks: on files that are not cached. Since: 0.1 */
STATOR_API stator_status stator_cursor_next_page(stator_cursor *cursor, void *result,
                                                 size_t result_capacity, size_t *out_result_bytes,
                                                 stator_buffer **out_buffer, stator_error *error);

/* ---- the DynamoDB JSON protocol --------------------------------------------------------- */

enum {
    STATOR_LAYER_CURRENT = 0, /* each operation as most regions answer it today */
    STATOR_LAYER_OLD = 1,     /* all as before the middle of 2026 */
    STATOR_LAYER_NEW = 2      /* all in the service's new wording */
};

/* Texts are borrowed for the call. */
typedef struct stator_dispatch_options {
    uint32_t struct_size;
    int32_t layer;      /* STATOR_LAYER_...: the wording of refusals */
    const void *region; /* in ARNs; at most 31 bytes; 0 bytes: us-east-1 */
    size_t region_bytes;
    const void *account; /* in ARNs; at most 15 bytes; 0 bytes: 000000000000 */
    size_t account_bytes;
} stator_dispatch_options;

/* Errors: none. Threads: any. Blocks: no. Since: 0.1 */
STATOR_API void stator_dispatch_options_init(stator_dispatch_options *options);
/* Answers one request of the DynamoDB JSON protocol as the service does, without a socket. target:
 * "DynamoDB_20120810.PutItem", "DynamoDBStreams_20120810.GetRecords", or the operation alone; body:
 * JSON; both borrowed for the call. options: NULL means defaults. What the service would answer,
 * its errors included, comes as *out_http_status (200, 400, 500) and *out_body: JSON, owned, free
 * with stator_buffer_free.
 * Errors: MISUSE, INVALID_ARGUMENT (of this call, not of the request), NO_MEMORY.
 * Threads: any. Blocks: as the operation. Since: 0.1 */
STATOR_API stator_status stator_dispatch(stator_db *db, const void *target, size_t target_bytes,
                                         const void *body, size_t body_bytes,
                                         const stator_dispatch_options *options,
                                         int32_t *out_http_status, stator_buffer **out_body,
                                         stator_error *error);
/* For tests: moves the clock that expiry, retention of streams, tokens and times of creation obey.
 * offset_us: microseconds between it and the system's; 0 is where it begins. Items that have
 * expired by then are gone when this returns.
 * Errors: IO, NO_SPACE, FAILED, CORRUPT.
 * Threads: any. Blocks: on files. Since: 0.1 */
STATOR_API stator_status stator_clock_move(stator_db *db, int64_t offset_us, stator_error *error);

#ifdef __cplusplus
}
#endif

#endif
