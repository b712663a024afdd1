/* Creating, deleting, listing and opening: names, ids that never come back, rows that are damaged,
 * and several openings of one place.
 */
#include "table_support.h"

static uint32_t answered_id(const table_case *c)
{
    st_slice table;
    assert_true(result_find(st_buf_view(&c->result), ST_RESULT_TABLE, &table));
    return st_get_u32(table.data);
}

static uint32_t create(table_case *c, const char *name)
{
    frame_create(&c->request, name, false);
    table_must(c);
    return answered_id(c);
}

static void put(table_case *c, const char *table, const char *id)
{
    frame_of_key(&c->request, ST_REQUEST_PUT, table, id, -1);
    table_must(c);
}

static bool is_there(table_case *c, const char *table, const char *id)
{
    st_slice item;
    frame_of_key(&c->request, ST_REQUEST_GET, table, id, -1);
    table_must(c);
    return result_find(st_buf_view(&c->result), ST_RESULT_ITEM, &item);
}

static void frame_by_id(table_case *c, uint8_t operation, uint32_t id)
{
    frame_begin(&c->request, operation);
    frame_u32(&c->request, ST_FIELD_TABLE_ID, id);
    size_t place =
        frame_open(&c->request, operation == ST_REQUEST_PUT ? ST_FIELD_ITEM : ST_FIELD_KEY);
    size_t map = map_begin(&c->request, 1);
    map_text(&c->request, "id", "x");
    map_end(&c->request, map);
    frame_shut(&c->request, place);
}

/* ---- names ------------------------------------------------------------------------------ */

static void test_names_of_tables_are_the_services(void **state)
{
    table_case *c = *state;
    char name[257];
    memset(name, 'n', sizeof name - 1);
    name[256] = '\0';
    frame_create(&c->request, name, false);
    table_must_fail(c, ST_INVALID_ARGUMENT, "at most 255 characters");
    name[255] = '\0';
    create(c, name);
    create(c, "a.b");
    create(c, "A-_");
    frame_create(&c->request, "ab", false);
    table_must_fail(c, ST_INVALID_ARGUMENT, "at least 3 characters");
    frame_create(&c->request, "a/b", false);
    table_must_fail(c, ST_INVALID_ARGUMENT, "[a-zA-Z0-9_.-]+");
    assert_int_equal(c->op.error.position, 1);
    frame_create(&c->request, "a.b", false);
    table_must_fail(c, ST_TABLE_EXISTS, "Table already exists: a.b");
    frame_delete_table(&c->request, "none");
    table_must_fail(c, ST_TABLE_NOT_FOUND, "Table: none not found");
    assert_int_equal(st_database_table_count(c->database), 3);
}

static void test_ensuring_opens_a_table_with_the_same_keys_only(void **state)
{
    table_case *c = *state;
    uint32_t id = create(c, "things");
    frame_create(&c->request, "things", false);
    frame_u32(&c->request, ST_FIELD_FLAGS, ST_FLAG_ENSURE);
    table_must(c);
    assert_int_equal(answered_id(c), id);
    frame_create(&c->request, "things", true);
    frame_u32(&c->request, ST_FIELD_FLAGS, ST_FLAG_ENSURE);
    table_must_fail(c, ST_INVALID_ARGUMENT, "other keys");
    /* The same keys with a longer varint. */
    static const uint8_t schema[] = {1, 0, ST_TYPE_S, 0x82, 0, 'i', 'd'};
    frame_begin(&c->request, ST_REQUEST_CREATE_TABLE);
    frame_text(&c->request, ST_FIELD_TABLE_NAME, "things");
    frame_field(&c->request, ST_FIELD_SCHEMA, schema, sizeof schema);
    frame_u32(&c->request, ST_FIELD_FLAGS, ST_FLAG_ENSURE);
    table_must(c);
    assert_int_equal(answered_id(c), id);
}

static void test_names_are_listed_in_order_and_in_pages(void **state)
{
    table_case *c = *state;
    static const char *const names[] = {"ccc", "aaa", "eee", "bbb", "ddd"};
    for (int i = 0; i < 5; i++) {
        create(c, names[i]);
    }
    char all[64] = "";
    st_slice list, last = {0};
    char after[8] = "";
    int pages = 0;
    do {
        frame_begin(&c->request, ST_REQUEST_LIST_TABLES);
        frame_u64(&c->request, ST_FIELD_LIMIT, 2);
        if (after[0]) {
            frame_text(&c->request, ST_FIELD_START_AFTER, after);
        }
        table_must(c);
        assert_true(result_find(st_buf_view(&c->result), ST_RESULT_NAMES, &list));
        st_reader reader = st_reader_of(list);
        for (uint32_t i = st_reader_u32(&reader); i > 0; i--) {
            st_slice name = st_reader_slice(&reader, st_reader_varint(&reader));
            strncat(all, (const char *)name.data, name.size);
        }
        assert_false(reader.failed);
        pages++;
        bool is_cut = result_find(st_buf_view(&c->result), ST_RESULT_LAST_KEY, &last);
        snprintf(after, sizeof after, "%.*s", is_cut ? (int)last.size : 0,
                 is_cut ? (const char *)last.data : "");
    } while (after[0]);
    assert_string_equal(all, "aaabbbcccdddeee");
    assert_int_equal(pages, 3);
}

/* ---- ids -------------------------------------------------------------------------------- */

static void test_a_deleted_table_takes_its_items_along_and_its_id_is_never_used_again(void **state)
{
    table_case *c = *state;
    uint32_t before = 0;
    for (int i = 0; i < 20; i++) {
        uint32_t id = create(c, "things");
        assert_true(id > before);
        assert_false(is_there(c, "things", "x"));
        put(c, "things", "x");
        assert_true(is_there(c, "things", "x"));
        if (i % 3 == 1) {
            assert_int_equal(st_lsm_flush(&c->op, st_database_lsm(c->database)), ST_OK);
        }
        frame_delete_table(&c->request, "things");
        table_must(c);
        assert_int_equal(answered_id(c), id);
        before = id;
        if (i % 5 == 4) {
            table_close(c);
            table_open(c);
        }
        create(c, "others");
        frame_by_id(c, ST_REQUEST_GET, id);
        table_must_fail(c, ST_TABLE_NOT_FOUND, "not found");
        frame_by_id(c, ST_REQUEST_PUT, id);
        table_must_fail(c, ST_TABLE_NOT_FOUND, "not found");
        frame_by_id(c, ST_REQUEST_DELETE, id);
        table_must_fail(c, ST_TABLE_NOT_FOUND, "not found");
        frame_delete_table(&c->request, "others");
        table_must(c);
        before = id;
    }
    table_must_verify(c);
    assert_int_equal(st_database_table_count(c->database), 0);
}

static void test_a_cursor_of_a_deleted_table_says_so(void **state)
{
    table_case *c = *state;
    st_table_cursor *cursors[2];
    create(c, "things");
    put(c, "things", "x");
    put(c, "things", "y");
    for (uint32_t i = 0; i < 2; i++) {
        frame_begin(&c->request, ST_REQUEST_SCAN);
        frame_text(&c->request, ST_FIELD_TABLE_NAME, "things");
        frame_u32(&c->request, ST_FIELD_PAGE_ITEMS, 1);
        frame_u32(&c->request, ST_FIELD_FLAGS, i ? ST_FLAG_SNAPSHOT : 0);
        assert_int_equal(
            st_table_cursor_open(&c->op, c->database, st_buf_view(&c->request), &cursors[i]),
            ST_OK);
        st_buf_clear(&c->result);
        assert_int_equal(st_table_cursor_next_page(&c->op, cursors[i], &c->result), ST_OK);
        assert_int_equal(result_count(st_buf_view(&c->result)), 1);
    }
    frame_delete_table(&c->request, "things");
    table_must(c);
    create(c, "things");
    put(c, "things", "x");
    for (int i = 0; i < 2; i++) {
        st_op_clear(&c->op);
        st_buf_clear(&c->result);
        assert_int_equal(st_table_cursor_next_page(&c->op, cursors[i], &c->result),
                         ST_TABLE_NOT_FOUND);
        assert_int_equal(c->result.size, 0);
        st_table_cursor_close(cursors[i]);
    }
}

/* ---- rows that are damaged -------------------------------------------------------------- */

/* Puts a row into table 0 behind the catalog's back. */
static void put_row(table_case *c, uint8_t kind, const char *name, const void *value, size_t bytes)
{
    st_buf key;
    st_lsm_batch batch;
    uint8_t head[6] = {0, 0, 0, 0, 0, kind};
    uint64_t sequence;
    st_buf_init(&key, st_alloc_process());
    st_lsm_batch_init(&batch, st_alloc_process());
    st_buf_append(&key, head, sizeof head);
    st_buf_append(&key, name, strlen(name));
    st_lsm_batch_put(&batch, st_buf_view(&key), st_slice_of(value, bytes));
    assert_int_equal(st_lsm_write(&c->op, st_database_lsm(c->database), &batch,
                                  ST_DURABILITY_DEFAULT, &sequence),
                     ST_OK);
    assert_int_equal(st_lsm_wait(&c->op, st_database_lsm(c->database), sequence), ST_OK);
    st_lsm_batch_deinit(&batch);
    st_buf_deinit(&key);
}

static void must_not_open(uint8_t kind, const char *name, const void *value, size_t bytes,
                          st_status status, const char *text)
{
    table_case *d = table_case_create("/db");
    table_open(d);
    frame_create(&d->request, "things", false);
    table_must(d);
    put_row(d, kind, name, value, bytes);
    st_op_clear(&d->op);
    assert_int_equal(st_database_verify(&d->op, d->database, table_print_nothing, NULL), status);
    table_close(d);
    st_op_clear(&d->op);
    assert_int_equal(st_database_open(&d->op, st_slice_str("/db"), &d->options, &d->database),
                     status);
    assert_null(d->database);
    if (!strstr(d->op.error.message, text)) {
        fail_msg("'%s' has nothing of '%s'", d->op.error.message, text);
    }
    table_case_destroy(d);
}

static void test_a_catalog_that_makes_no_sense_is_not_opened(void **state)
{
    (void)state;
    static const uint8_t good[] = {2,  1,   0,   0,   0,   0,  0, 0, 0, 0, 0, 0, 0, /* id, time */
                                   12, 0,   0,   0,   1,   1,  6, 0, 0, 0, 1, 0, ST_TYPE_S,
                                   2,  'i', 'd', 'a', 'b', 'c'};
    uint8_t row[sizeof good];
    const uint8_t zero[4] = {0}, short_id[3] = {9, 0, 0};
    must_not_open(1, "abc", good, sizeof good, ST_CORRUPT, "two tables");
    memcpy(row, good, sizeof row);
    row[1] = 0;
    must_not_open(1, "abc", row, sizeof row, ST_CORRUPT, "abc is malformed");
    row[1] = 2;
    must_not_open(1, "abc", row, sizeof row, ST_CORRUPT, "does not go beyond");
    must_not_open(1, "abd", row, sizeof row, ST_CORRUPT, "abd is malformed");
    row[25] = ST_TYPE_M;
    must_not_open(1, "abc", row, sizeof row, ST_CORRUPT, "abc is malformed");
    row[0] = 3;
    must_not_open(1, "abc", row, sizeof row, ST_UNSUPPORTED, "version 3");
    for (size_t cut = 0; cut < sizeof good; cut++) {
        must_not_open(1, "abc", good, cut, ST_CORRUPT, "malformed");
    }
    must_not_open(2, "", zero, sizeof zero, ST_CORRUPT, "does not go beyond");
    must_not_open(2, "", short_id, sizeof short_id, ST_CORRUPT, "next table id");
    must_not_open(4, "", zero, sizeof zero, ST_UNSUPPORTED, "kind 4");
}

/* ---- openings --------------------------------------------------------------------------- */

static void test_a_database_of_another_header_is_not_opened(void **state)
{
    (void)state;
    table_case *d = table_case_create("/db");
    st_lsm_options options;
    st_lsm *lsm;
    st_lsm_options_init(&options);
    options.env = d->env;
    options.alloc = st_alloc_process();
    options.path = "/db";
    options.create = true;
    options.header = st_slice_str("stator 1; stripe crc32c 512; key 1; item 1");
    assert_int_equal(st_lsm_open(&d->op, &options, &lsm), ST_OK);
    assert_int_equal(st_lsm_close(&d->op, lsm), ST_OK);
    assert_int_equal(st_database_open(&d->op, st_slice_str("/db"), &d->options, &d->database),
                     ST_UNSUPPORTED);
    assert_non_null(strstr(d->op.error.message, "crc32c 512"));
    table_case_destroy(d);
}

static void test_openings_of_one_place_are_one_database(void **state)
{
    table_case *c = *state;
    st_database *again, *other;
    assert_int_equal(st_database_open(&c->op, st_slice_str("/db"), &c->options, &again), ST_OK);
    assert_ptr_equal(again, c->database);
    assert_int_equal(st_database_open(&c->op, st_slice_str("/db2"), &c->options, &other), ST_OK);
    assert_ptr_not_equal(other, c->database);
    assert_int_equal(st_database_close(&c->op, other), ST_OK);
    create(c, "things");
    assert_int_equal(st_database_close(&c->op, again), ST_OK);
    put(c, "things", "x");
    table_close(c);
    table_open(c);
    assert_true(is_there(c, "things", "x"));
}

static void test_an_opening_with_other_options_names_the_option(void **state)
{
    table_case *c = *state;
    st_database_options options[7];
    static const char *const names[7] = {"read_only",   "inline_background", "durability",
                                         "interval_ms", "memory_budget",     "memtable_bytes",
                                         "file_bytes"};
    for (int i = 0; i < 7; i++) {
        options[i] = c->options;
    }
    options[0].read_only = true;
    options[1].inline_background = true;
    options[2].durability = ST_DURABILITY_NONE;
    options[3].interval_ms++;
    options[4].memory_budget_bytes++;
    options[5].memtable_bytes++;
    options[6].file_bytes++;
    for (int i = 0; i < 7; i++) {
        st_database *again;
        st_op_clear(&c->op);
        assert_int_equal(st_database_open(&c->op, st_slice_str("/db"), &options[i], &again),
                         ST_INVALID_ARGUMENT);
        assert_null(again);
        assert_non_null(strstr(c->op.error.message, names[i]));
    }
    st_op_clear(&c->op);
    options[0] = c->options;
    options[0].create = false; /* says nothing about what is open */
    st_database *again;
    assert_int_equal(st_database_open(&c->op, st_slice_str("/db"), &options[0], &again), ST_OK);
    assert_int_equal(st_database_close(&c->op, again), ST_OK);
}

static void test_databases_in_memory_know_nothing_of_each_other(void **state)
{
    (void)state;
    table_case *a = table_case_create(NULL), *b = table_case_create(NULL);
    table_open(a);
    table_open(b);
    assert_ptr_not_equal(a->database, b->database);
    create(a, "things");
    frame_create(&b->request, "things", true);
    table_must(b);
    assert_int_equal(st_database_sort_type(a->database, 1), ST_TYPE_NONE);
    assert_int_equal(st_database_sort_type(b->database, 1), ST_TYPE_N);
    assert_int_equal(st_database_sort_type(b->database, 2), ST_TYPE_NONE);
    table_case_destroy(a);
    table_case_destroy(b);
}

static void test_a_place_that_fails_to_open_can_be_opened_later(void **state)
{
    (void)state;
    table_case *d = table_case_create("/db");
    d->options.create = false;
    assert_int_not_equal(st_database_open(&d->op, st_slice_str("/db"), &d->options, &d->database),
                         ST_OK);
    d->options.create = true;
    table_open(d);
    table_case_destroy(d);
}

#define DEFINE_TEST(name) cmocka_unit_test_setup_teardown(name, table_setup, table_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DEFINE_TEST(test_names_of_tables_are_the_services),
        DEFINE_TEST(test_ensuring_opens_a_table_with_the_same_keys_only),
        DEFINE_TEST(test_names_are_listed_in_order_and_in_pages),
        DEFINE_TEST(test_a_deleted_table_takes_its_items_along_and_its_id_is_never_used_again),
        DEFINE_TEST(test_a_cursor_of_a_deleted_table_says_so),
        cmocka_unit_test(test_a_catalog_that_makes_no_sense_is_not_opened),
        cmocka_unit_test(test_a_database_of_another_header_is_not_opened),
        DEFINE_TEST(test_openings_of_one_place_are_one_database),
        DEFINE_TEST(test_an_opening_with_other_options_names_the_option),
        cmocka_unit_test(test_databases_in_memory_know_nothing_of_each_other),
        cmocka_unit_test(test_a_place_that_fails_to_open_can_be_opened_later),
    };
    return cmocka_run_group_tests_name("table_define", tests, NULL, NULL);
}
