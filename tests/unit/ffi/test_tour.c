/* The C ABI as a user calls it: the first lines twice in a row on one directory, then every kind of
 * call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "stator.h"

static stator_error err;

#define OK(call) check((call), #call, __LINE__)

static void check(stator_status status, const char *what, int line)
{
    if (status != STATOR_OK) {
        fail_msg("line %d: %s: %s: %s", line, what, stator_status_name(status), err.message);
    }
}

static void refused(stator_status status, stator_status wanted, const char *text)
{
    assert_string_equal(stator_status_name(status), stator_status_name(wanted));
    if (!strstr(err.message, text)) {
        fail_msg("'%s' does not say '%s'", err.message, text);
    }
}

static int first_lines(const char *path)
{
    stator_db *db;
    stator_schema *schema;
    stator_table *movies;
    stator_item *m, *item;
    stator_query *q;
    stator_cursor *c;
    stator_status s;
    OK(stator_open(path, strlen(path), NULL, &db, &err));
    OK(stator_schema_new(&schema));
    stator_schema_partition(schema, "title", 5, STATOR_TYPE_S);
    stator_schema_sort(schema, "year", 4, STATOR_TYPE_N);
    OK(stator_table_ensure(db, "movies", 6, schema, &movies, &err));
    OK(stator_item_new(&m));
    stator_item_set_string(m, "title", 5, "Alien", 5);
    stator_item_set_number(m, "year", 4, "1979", 4);
    OK(stator_put(movies, m, NULL, &err));
    OK(stator_query_new(movies, &q));
    stator_query_partition_string(q, "Alien", 5);
    stator_query_sort_at_least(q, "1970", 4);
    s = stator_query_open(q, &c, &err);
    int count = 0;
    while (!s && (s = stator_cursor_next(c, &item, &err)) == STATOR_OK && item) {
        stator_value value;
        stator_value_init(&value);
        OK(stator_item_get(item, "year", 4, &value, &err));
        assert_string_equal(value.number, "1979");
        count++;
    }
    OK(s);
    stator_cursor_free(c);
    stator_query_free(q);
    stator_item_free(m);
    stator_schema_free(schema);
    stator_table_free(movies);
    OK(stator_close(db, &err));
    return count;
}

static void test_the_first_lines_run_twice(void **state)
{
    (void)state;
    char path[] = "/tmp/stator-tour-XXXXXX", command[64];
    assert_non_null(mkdtemp(path));
    assert_int_equal(first_lines(path), 1);
    assert_int_equal(first_lines(path), 1);
    snprintf(command, sizeof command, "rm -rf %s", path);
    assert_int_equal(system(command), 0);
}

typedef struct tour {
    stator_db *db;
    stator_table *table;
} tour;

static int setup(void **state)
{
    tour *t = calloc(1, sizeof *t);
    stator_error_init(&err);
    OK(stator_open(":memory:", 8, NULL, &t->db, &err));
    stator_schema *schema;
    OK(stator_schema_new(&schema));
    stator_schema_partition(schema, "p", 1, STATOR_TYPE_S);
    stator_schema_sort(schema, "s", 1, STATOR_TYPE_N);
    OK(stator_table_create(t->db, "tour", 4, schema, &t->table, &err));
    refused(stator_table_create(t->db, "tour", 4, schema, NULL, &err), STATOR_TABLE_EXISTS,
            "Table already exists: tour");
    stator_schema_free(schema);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    tour *t = *state;
    stator_table_free(t->table);
    if (t->db) {
        OK(stator_close(t->db, &err));
    }
    free(t);
    return 0;
}

static stator_item *item_of(const char *json)
{
    stator_item *item;
    OK(stator_item_from_json(json, strlen(json), STATOR_JSON_PLAIN, &item, &err));
    return item;
}

static void put(tour *t, const char *json)
{
    stator_item *item = item_of(json);
    OK(stator_put(t->table, item, NULL, &err));
    stator_item_free(item);
}

static void shows(stator_item *item, const char *json)
{
    stator_buffer *buffer;
    const void *data;
    size_t bytes;
    OK(stator_item_to_json(item, STATOR_JSON_PLAIN, &buffer, &err));
    OK(stator_buffer_data(buffer, &data, &bytes));
    assert_int_equal(bytes, strlen(json));
    assert_memory_equal(data, json, bytes);
    stator_buffer_free(buffer);
}

static void test_items_are_built_read_and_replaced(void **state)
{
    tour *t = *state;
    stator_item *m, *old, *found, *key;
    OK(stator_item_new(&m));
    OK(stator_item_set_string(m, "p", 1, "x", 1));
    OK(stator_item_set_int64(m, "s", 1, -7));
    OK(stator_item_set_binary(m, "b", 1, "\0\1", 2));
    OK(stator_item_set_bool(m, "yes", 3, 1));
    OK(stator_item_set_null(m, "none", 4));
    OK(stator_item_begin(m, "l", 1, STATOR_TYPE_L));
    OK(stator_item_set_string(m, NULL, 0, "one", 3));
    OK(stator_item_begin(m, NULL, 0, STATOR_TYPE_M));
    OK(stator_item_set_number(m, "k", 1, "1.50", 4));
    OK(stator_item_end(m));
    OK(stator_item_end(m));
    OK(stator_item_begin(m, "ss", 2, STATOR_TYPE_SS));
    OK(stator_item_set_string(m, NULL, 0, "b", 1));
    OK(stator_item_set_string(m, NULL, 0, "a", 1));
    OK(stator_item_end(m));
    OK(stator_put_returning(t->table, m, NULL, &old, &err));
    assert_null(old);
    key = item_of("{\"p\":\"x\",\"s\":-7}");
    OK(stator_get(t->table, key, NULL, &found, &err));
    shows(found, "{\"b\":\"AAE=\",\"l\":[\"one\",{\"k\":1.5}],\"none\":null,\"p\":\"x\",\"s\":-7,"
                 "\"ss\":[\"a\",\"b\"],\"yes\":"
                 "true}");
    stator_value list, member, inner;
    const void *name;
    size_t name_bytes, count;
    stator_value_init(&list);
    stator_value_init(&member);
    stator_value_init(&inner);
    OK(stator_item_get(found, "l", 1, &list, &err));
    assert_int_equal(list.count, 2);
    OK(stator_value_at(&list, 1, &name, &name_bytes, &member, &err));
    OK(stator_value_find(&member, "k", 1, &inner, &err));
    assert_string_equal(inner.number, "1.5");
    OK(stator_value_find(&member, "z", 1, &inner, &err));
    assert_int_equal(inner.type, STATOR_TYPE_NONE);
    refused(stator_value_at(&list, 2, &name, &name_bytes, &member, &err), STATOR_INVALID_ARGUMENT,
            "behind the last");
    OK(stator_item_count(found, &count, &err));
    assert_int_equal(count, 7);
    OK(stator_item_at(found, 0, &name, &name_bytes, &member, &err));
    assert_memory_equal(name, "b", 1);
    assert_int_equal(stator_item_set_null(found, "q", 1), STATOR_MISUSE);
    OK(stator_delete_returning(t->table, key, NULL, &old, &err));
    assert_non_null(old);
    stator_item_free(old);
    stator_item_free(found);
    OK(stator_get(t->table, key, NULL, &found, &err));
    assert_null(found);
    OK(stator_delete(t->table, key, NULL, &err));
    stator_item_free(key);
    stator_item_free(m);
}

static void test_builders_keep_their_first_error(void **state)
{
    tour *t = *state;
    stator_item *m;
    OK(stator_item_new(&m));
    OK(stator_item_set_string(m, "p", 1, "x", 1));
    assert_int_equal(stator_item_end(m), STATOR_INVALID_ARGUMENT);
    assert_int_equal(stator_item_set_number(m, "s", 1, "1", 1), STATOR_INVALID_ARGUMENT);
    refused(stator_put(t->table, m, NULL, &err), STATOR_INVALID_ARGUMENT,
            "no container of the item is open");
    OK(stator_item_clear(m));
    OK(stator_item_set_string(m, "p", 1, "x", 1));
    refused(stator_put(t->table, m, NULL, &err), STATOR_INVALID_ARGUMENT,
            "Missing the key s in the item");
    OK(stator_item_set_number(m, "s", 1, "zero", 4));
    refused(stator_put(t->table, m, NULL, &err), STATOR_INVALID_ARGUMENT,
            "cannot be converted to a numeric value");
    stator_item_free(m);
}

static int collect(stator_cursor *c, int *numbers)
{
    stator_item *item;
    int count = 0;
    for (;;) {
        OK(stator_cursor_next(c, &item, &err));
        if (!item) {
            return count;
        }
        stator_value value;
        stator_value_init(&value);
        OK(stator_item_get(item, "s", 1, &value, &err));
        numbers[count++] = atoi(value.number);
    }
}

static void test_queries_scans_and_tokens(void **state)
{
    tour *t = *state;
    char json[64];
    for (int p = 0; p < 3; p++) {
        for (int s = 0; s < 20; s++) {
            snprintf(json, sizeof json, "{\"p\":\"p%d\",\"s\":%d}", p, s);
            put(t, json);
        }
    }
    int numbers[100];
    stator_query *q;
    stator_cursor *c;
    stator_buffer *token;
    const void *data;
    size_t bytes;
    stator_item *item;
    OK(stator_query_new(t->table, &q));
    OK(stator_query_partition_string(q, "p1", 2));
    OK(stator_query_sort_between(q, "5", 1, "15", 2));
    OK(stator_query_reverse(q, 1));
    OK(stator_query_limit(q, 7));
    OK(stator_query_page_items(q, 3));
    OK(stator_query_open(q, &c, &err));
    assert_int_equal(collect(c, numbers), 7);
    assert_int_equal(numbers[0], 15);
    assert_int_equal(numbers[6], 9);
    OK(stator_cursor_last_key(c, &token, &err));
    OK(stator_buffer_data(token, &data, &bytes));
    OK(stator_query_start_after(q, data, bytes));
    stator_buffer_free(token);
    stator_cursor_free(c);
    OK(stator_query_open(q, &c, &err));
    OK(stator_cursor_next(c, &item, &err)); /* 8, in the middle of a page */
    OK(stator_cursor_last_key(c, &token, &err));
    OK(stator_buffer_data(token, &data, &bytes));
    OK(stator_query_start_after(q, data, bytes));
    stator_buffer_free(token);
    stator_cursor_free(c);
    OK(stator_query_open(q, &c, &err));
    assert_int_equal(collect(c, numbers), 3);
    assert_int_equal(numbers[0], 7);
    OK(stator_cursor_last_key(c, &token, &err));
    assert_null(token);
    stator_cursor_free(c);
    stator_query_free(q);
    int total = 0;
    for (uint32_t i = 0; i < 5; i++) {
        stator_scan *scan;
        OK(stator_scan_new(t->table, &scan));
        OK(stator_scan_segment(scan, i, 5));
        OK(stator_scan_snapshot(scan, 1));
        OK(stator_scan_open(scan, &c, &err));
        total += collect(c, numbers);
        stator_cursor_free(c);
        stator_scan_free(scan);
    }
    assert_int_equal(total, 60);
}

static void test_batches_are_whole(void **state)
{
    tour *t = *state;
    stator_batch *batch;
    stator_item *a = item_of("{\"p\":\"a\",\"s\":1}"), *b = item_of("{\"p\":\"b\",\"s\":2}"),
                *bad = item_of("{\"p\":\"b\"}");
    OK(stator_batch_new(t->db, &batch));
    OK(stator_batch_put(batch, t->table, a));
    OK(stator_batch_put(batch, t->table, b));
    OK(stator_batch_write(batch, NULL, &err));
    OK(stator_batch_put(batch, t->table, a));
    OK(stator_batch_delete(batch, t->table, a));
    refused(stator_batch_write(batch, NULL, &err), STATOR_INVALID_ARGUMENT, "contains duplicates");
    OK(stator_batch_delete(batch, t->table, a));
    OK(stator_batch_put(batch, t->table, bad));
    refused(stator_batch_write(batch, NULL, &err), STATOR_INVALID_ARGUMENT, "Missing the key s");
    refused(stator_batch_write(batch, NULL, &err), STATOR_INVALID_ARGUMENT, "empty");
    stator_cursor *c;
    int numbers[4];
    OK(stator_batch_get(batch, t->table, b));
    stator_item *absent = item_of("{\"p\":\"c\",\"s\":2}");
    OK(stator_batch_get(batch, t->table, absent));
    OK(stator_batch_get(batch, t->table, a));
    OK(stator_batch_read(batch, NULL, &c, &err));
    assert_int_equal(collect(c, numbers), 2);
    assert_int_equal(numbers[0], 2);
    stator_cursor_free(c);
    stator_item *items[] = {a, b, bad, absent};
    for (int i = 0; i < 4; i++) {
        stator_item_free(items[i]);
    }
    stator_batch_free(batch);
}

static void test_children_of_a_closed_database_are_closed(void **state)
{
    tour *t = *state;
    put(t, "{\"p\":\"a\",\"s\":1}");
    put(t, "{\"p\":\"b\",\"s\":1}");
    stator_scan *scan;
    stator_cursor *c;
    stator_item *item;
    const void *frame;
    size_t bytes;
    OK(stator_scan_new(t->table, &scan));
    OK(stator_scan_open(scan, &c, &err));
    OK(stator_cursor_next(c, &item, &err));
    OK(stator_item_frame(item, &frame, &bytes, &err));
    OK(stator_close(t->db, &err));
    assert_int_equal(((const uint8_t *)frame)[0], 1);
    refused(stator_cursor_next(c, &item, &err), STATOR_CLOSED, "closed");
    refused(stator_scan_open(scan, &c, &err), STATOR_CLOSED, "closed");
    refused(stator_close(t->db, &err), STATOR_CLOSED, "closed");
    t->db = NULL;
    stator_scan_free(scan);
}

static void test_tables_are_listed_described_and_deleted(void **state)
{
    tour *t = *state;
    stator_buffer *names;
    size_t count, bytes;
    const void *data;
    OK(stator_table_list(t->db, &names, &count, &err));
    OK(stator_buffer_data(names, &data, &bytes));
    assert_int_equal(count, 1);
    assert_string_equal(data, "tour");
    stator_buffer_free(names);
    stator_table_description d = {.struct_size = sizeof d};
    OK(stator_table_describe(t->table, &d, &err));
    assert_string_equal(d.partition_name, "p");
    assert_string_equal(d.sort_name, "s");
    assert_int_equal(d.sort_type, STATOR_TYPE_N);
    stator_stats stats = {.struct_size = sizeof stats};
    OK(stator_stats_read(t->db, &stats, &err));
    assert_int_equal(stats.table_count, 1);
    OK(stator_flush(t->db, &err));
    OK(stator_compact(t->db, &err));
    stator_buffer *report;
    OK(stator_verify(t->db, &report, &err));
    stator_buffer_free(report);
    OK(stator_table_delete(t->db, "tour", 4, &err));
    refused(stator_table_describe(t->table, &d, &err), STATOR_TABLE_NOT_FOUND, "not found");
}

int main(void)
{
    stator_error_init(&err);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_lines_run_twice),
        cmocka_unit_test_setup_teardown(test_items_are_built_read_and_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_builders_keep_their_first_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queries_scans_and_tokens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_batches_are_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_children_of_a_closed_database_are_closed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_tables_are_listed_described_and_deleted, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("tour", tests, NULL, NULL);
}
