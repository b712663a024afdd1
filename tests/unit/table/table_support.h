/* What the tests of table share: a database, requests made field by field, answers taken apart. */
#ifndef STATOR_TESTS_TABLE_SUPPORT_H
#define STATOR_TESTS_TABLE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "table/table.h"

typedef struct table_case {
    st_env *env; /* of the test's own; NULL for ":memory:" */
    const char *path;
    st_database_options options;
    st_database *database;
    st_op op;
    st_buf request, result;
} table_case;

/* ---- requests --------------------------------------------------------------------------- */

static inline void frame_begin(st_buf *to, uint8_t operation)
{
    st_buf_clear(to);
    st_buf_byte(to, ST_FRAME_VERSION);
    st_buf_byte(to, operation);
}

static inline void frame_field(st_buf *to, uint8_t number, const void *data, size_t bytes)
{
    st_buf_byte(to, number);
    st_buf_u32(to, (uint32_t)bytes);
    st_buf_append(to, data, bytes);
}

static inline void frame_text(st_buf *to, uint8_t number, const char *text)
{
    frame_field(to, number, text, strlen(text));
}

static inline void frame_u32(st_buf *to, uint8_t number, uint32_t value)
{
    uint8_t bytes[4];
    st_put_u32(bytes, value);
    frame_field(to, number, bytes, sizeof bytes);
}

static inline void frame_u64(st_buf *to, uint8_t number, uint64_t value)
{
    uint8_t bytes[8];
    st_put_u64(bytes, value);
    frame_field(to, number, bytes, sizeof bytes);
}

static inline void frame_segment(st_buf *to, uint32_t segment, uint32_t count)
{
    uint8_t bytes[8];
    st_put_u32(bytes, segment);
    st_put_u32(bytes + 4, count);
    frame_field(to, ST_FIELD_SEGMENT, bytes, sizeof bytes);
}

/* A field of unknown length; gives its place. */
static inline size_t frame_open(st_buf *to, uint8_t number)
{
    st_buf_byte(to, number);
    st_buf_u32(to, 0);
    return to->size;
}

static inline void frame_shut(st_buf *to, size_t place)
{
    st_put_u32(to->data + place - 4, (uint32_t)(to->size - place));
}

/* sort_name NULL: none */
static inline void frame_schema(st_buf *to, const char *name, st_type type, const char *sort_name,
                                st_type sort_type)
{
    size_t place = frame_open(to, ST_FIELD_SCHEMA);
    st_buf_byte(to, 1);
    st_buf_byte(to, sort_name != NULL);
    st_buf_byte(to, (uint8_t)type);
    st_buf_varint(to, strlen(name));
    st_buf_append(to, name, strlen(name));
    if (sort_name) {
        st_buf_byte(to, (uint8_t)sort_type);
        st_buf_varint(to, strlen(sort_name));
        st_buf_append(to, sort_name, strlen(sort_name));
    }
    frame_shut(to, place);
}

/* S and B by their bytes, N by decimal text. */
static inline void put_value(st_buf *to, st_type type, const void *data, size_t bytes)
{
    st_buf_byte(to, type == ST_TYPE_N ? ST_TAG_NUMBER_TEXT : (uint8_t)type);
    st_buf_varint(to, bytes);
    st_buf_append(to, data, bytes);
}

static inline size_t map_begin(st_buf *to, uint32_t count)
{
    st_buf_byte(to, ST_TAG_M);
    st_buf_u32(to, 0);
    st_buf_u32(to, count);
    return to->size;
}

static inline void map_add(st_buf *to, const char *name, st_type type, const void *data,
                           size_t bytes)
{
    st_buf_varint(to, strlen(name));
    st_buf_append(to, name, strlen(name));
    put_value(to, type, data, bytes);
}

static inline void map_text(st_buf *to, const char *name, const char *text)
{
    map_add(to, name, ST_TYPE_S, text, strlen(text));
}

static inline void map_number(st_buf *to, const char *name, int number)
{
    char text[16];
    map_add(to, name, ST_TYPE_N, text, (size_t)snprintf(text, sizeof text, "%d", number));
}

static inline void map_end(st_buf *to, size_t place)
{
    st_put_u32(to->data + place - 8, (uint32_t)(to->size - place));
}

/* A put, get or delete in a table {id: S} or {id: S, n: N}; sort < 0: no such key. */
static inline void frame_of_key(st_buf *to, uint8_t operation, const char *table, const char *id,
                                int sort)
{
    frame_begin(to, operation);
    frame_text(to, ST_FIELD_TABLE_NAME, table);
    size_t place = frame_open(to, operation == ST_REQUEST_PUT ? ST_FIELD_ITEM : ST_FIELD_KEY);
    size_t map = map_begin(to, 1 + (sort >= 0));
    map_text(to, "id", id);
    if (sort >= 0) {
        map_number(to, "n", sort);
    }
    map_end(to, map);
    frame_shut(to, place);
}

static inline void frame_create(st_buf *to, const char *table, bool has_sort)
{
    frame_begin(to, ST_REQUEST_CREATE_TABLE);
    frame_text(to, ST_FIELD_TABLE_NAME, table);
    frame_schema(to, "id", ST_TYPE_S, has_sort ? "n" : NULL, ST_TYPE_N);
}

static inline void frame_delete_table(st_buf *to, const char *table)
{
    frame_begin(to, ST_REQUEST_DELETE_TABLE);
    frame_text(to, ST_FIELD_TABLE_NAME, table);
}

static inline void frame_query(st_buf *to, const char *table, const char *id)
{
    frame_begin(to, ST_REQUEST_QUERY);
    frame_text(to, ST_FIELD_TABLE_NAME, table);
    size_t place = frame_open(to, ST_FIELD_PARTITION);
    put_value(to, ST_TYPE_S, id, strlen(id));
    frame_shut(to, place);
}

/* ---- answers ---------------------------------------------------------------------------- */

static inline bool result_find(st_slice result, uint8_t number, st_slice *out_payload)
{
    st_reader reader = st_reader_of(result);
    (void)st_reader_u16(&reader);
    while (st_reader_left(&reader) > 0) {
        uint8_t found = st_reader_byte(&reader);
        *out_payload = st_reader_slice(&reader, st_reader_u32(&reader));
        assert_false(reader.failed);
        if (found == number) {
            return true;
        }
    }
    assert_false(reader.failed);
    *out_payload = (st_slice){0};
    return false;
}

static inline uint32_t result_count(st_slice result)
{
    st_slice items;
    assert_true(result_find(result, ST_RESULT_ITEMS, &items));
    assert_true(items.size >= 4);
    return st_get_u32(items.data);
}

/* Item by index. */
static inline st_slice result_item(st_slice result, uint32_t index)
{
    st_slice items;
    assert_true(result_find(result, ST_RESULT_ITEMS, &items));
    st_reader reader = st_reader_of(items);
    uint32_t count = st_reader_u32(&reader);
    assert_true(index < count);
    st_slice item = {0};
    for (uint32_t i = 0; i <= index; i++) {
        item = st_reader_slice(&reader, st_reader_u32(&reader));
    }
    assert_false(reader.failed);
    return item;
}

static inline int item_number(st_slice item, const char *name)
{
    st_value value;
    st_number number;
    char text[ST_NUMBER_TEXT_MAX];
    assert_true(st_item_find(item, st_slice_str(name), &value));
    assert_true(st_number_decode(value.bytes, &number));
    (void)st_number_text(&number, text);
    return atoi(text);
}

/* ---- running ---------------------------------------------------------------------------- */

static inline st_status table_run(table_case *c)
{
    st_op_deinit(&c->op);
    st_op_init(&c->op, st_alloc_process());
    st_buf_clear(&c->result);
    st_status status = st_table_execute(&c->op, c->database, st_buf_view(&c->request), &c->result);
    assert_int_equal(status == ST_OK, c->result.size > 0);
    assert_int_equal(status != ST_OK, c->op.error.message[0] != '\0');
    assert_int_equal(status, status == ST_OK ? ST_OK : c->op.error.code);
    return status;
}

static inline void table_must(table_case *c)
{
    if (table_run(c) != ST_OK) {
        fail_msg("%s", c->op.error.message);
    }
}

static inline void table_must_fail(table_case *c, st_status status, const char *text)
{
    assert_int_equal(table_run(c), status);
    if (!strstr(c->op.error.message, text)) {
        fail_msg("'%s' has nothing of '%s'", c->op.error.message, text);
    }
}

static inline void table_open(table_case *c)
{
    st_op_clear(&c->op);
    if (st_database_open(&c->op, st_slice_str(c->path), &c->options, &c->database) != ST_OK) {
        fail_msg("%s", c->op.error.message);
    }
}

static inline void table_close(table_case *c)
{
    assert_int_equal(st_database_close(&c->op, c->database), ST_OK);
    c->database = NULL;
}

/* path NULL: ":memory:", else an Env in memory, which the test keeps when the database is closed.
 */
static inline table_case *table_case_create(const char *path)
{
    table_case *c = calloc(1, sizeof *c);
    st_op_init(&c->op, st_alloc_process());
    st_buf_init(&c->request, st_alloc_process());
    st_buf_init(&c->result, st_alloc_process());
    st_database_options_init(&c->options);
    c->options.alloc = st_alloc_process();
    c->options.create = true;
    c->path = path ? path : ":memory:";
    if (path) {
        assert_int_equal(st_env_memory_create(&c->op, st_alloc_process(), &c->env), ST_OK);
        c->options.env = c->env;
    }
    return c;
}

static inline void table_case_destroy(table_case *c)
{
    if (c->database) {
        table_close(c);
    }
    st_env_destroy(c->env);
    st_buf_deinit(&c->request);
    st_buf_deinit(&c->result);
    st_op_deinit(&c->op);
    free(c);
}

static inline int table_setup(void **state)
{
    table_case *c = table_case_create("/db");
    table_open(c);
    *state = c;
    return 0;
}

static inline int table_teardown(void **state)
{
    table_case_destroy(*state);
    return 0;
}

static inline void table_print_nothing(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
}

static inline void table_must_verify(table_case *c)
{
    st_op_clear(&c->op);
    if (st_database_verify(&c->op, c->database, table_print_nothing, NULL) != ST_OK) {
        fail_msg("%s", c->op.error.message);
    }
}

#endif
