/* Damage planted behind the table's back, which verify must find and name; and changes of a table
 * with rows: indexes that come and go, and a crash at every call of it.
 */
#include "support/simfs.h"
#include "table_support.h"

#define DAMAGE_ITEMS 150
#define DAMAGE_LATER 1900000000 /* seconds; none of these tests gets there */

typedef struct damage {
    table_case *c;
    simfs *sim;
    uint32_t table_id, index_id, ttl_id; /* index_id 0: it has none */
    uint8_t state;                       /* of the index */
    st_buf key, value;                   /* of the row at hand */
} damage;

static bool damage_is_indexed(int number)
{
    return number % 5 != 0;
}

static void damage_put(damage *d, int number)
{
    char text[32];
    st_buf *to = &d->c->request;
    frame_begin(to, ST_REQUEST_PUT);
    frame_text(to, ST_FIELD_TABLE_NAME, "things");
    size_t place = frame_open(to, ST_FIELD_ITEM);
    size_t map = map_begin(to, 3 + damage_is_indexed(number));
    snprintf(text, sizeof text, "i%d", number);
    map_text(to, "id", text);
    map_text(to, "more", "of the table alone");
    if (damage_is_indexed(number)) {
        snprintf(text, sizeof text, "k%d", number % 3);
        map_text(to, "knd", text);
    }
    map_number(to, "expires", DAMAGE_LATER + number);
    map_end(to, map);
    frame_shut(to, place);
    table_must(d->c);
}

/* ---- definitions ------------------------------------------------------------------------ */

static void damage_learn(damage *d)
{
    st_table_info info;
    st_op_clear(&d->c->op);
    assert_int_equal(st_table_describe(&d->c->op, d->c->database, 0, st_slice_str("things"), &info),
                     ST_OK);
    d->table_id = info.id;
    d->ttl_id = info.definition.ttl_id;
    d->index_id = info.definition.index_count ? info.definition.indexes[0].id : 0;
    d->state = info.definition.index_count ? info.definition.indexes[0].state : 0;
}

/* The request that makes the table, or changes it, to have the index or not. */
static void damage_frame(damage *d, uint8_t operation, bool has_index)
{
    st_index index = {.name = st_slice_str("kinds"),
                      .kind = ST_INDEX_GLOBAL,
                      .projection = ST_PROJECT_KEYS_ONLY,
                      .state = ST_INDEX_ACTIVE};
    index.schema.partition_count = 1;
    index.schema.partition[0] = (st_key_part){st_slice_str("knd"), ST_TYPE_S};
    st_definition definition = {
        .indexes = &index, .index_count = has_index, .ttl = st_slice_str("expires")};
    definition.schema.partition_count = 1;
    definition.schema.partition[0] = (st_key_part){st_slice_str("id"), ST_TYPE_S};
    frame_begin(&d->c->request, operation);
    frame_text(&d->c->request, ST_FIELD_TABLE_NAME, "things");
    size_t place = frame_open(&d->c->request, ST_FIELD_DEFINITION);
    st_definition_encode(&definition, &d->c->request);
    frame_shut(&d->c->request, place);
}

static void damage_alter(damage *d, bool has_index)
{
    damage_frame(d, ST_REQUEST_ALTER_TABLE, has_index);
    table_must(d->c);
    damage_learn(d);
}

/* On the files of sim, which become those of the result; NULL: new ones. */
static damage *damage_on(simfs *sim)
{
    damage *d = calloc(1, sizeof *d);
    d->sim = sim ? sim : simfs_create(1);
    d->c = table_case_create(NULL);
    d->c->path = "/db";
    d->c->env = simfs_env(d->sim);
    d->c->options.env = d->c->env;
    d->c->options.inline_background = true;
    d->c->options.durability = ST_DURABILITY_SYNC;
    st_buf_init(&d->key, st_alloc_process());
    st_buf_init(&d->value, st_alloc_process());
    table_open(d->c);
    return d;
}

static damage *damage_create(bool has_index)
{
    damage *d = damage_on(NULL);
    damage_frame(d, ST_REQUEST_CREATE_TABLE, has_index);
    table_must(d->c);
    for (int i = 0; i < DAMAGE_ITEMS; i++) {
        damage_put(d, i);
    }
    damage_learn(d);
    return d;
}

static void damage_destroy(damage *d)
{
    if (d->c->database) {
        table_close(d->c);
    }
    d->c->env = NULL; /* the simfs owns it */
    table_case_destroy(d->c);
    st_buf_deinit(&d->key);
    st_buf_deinit(&d->value);
    simfs_destroy(d->sim);
    free(d);
}

/* ---- rows ------------------------------------------------------------------------------- */

/* Rows of the id; the first one becomes the row at hand. */
static int damage_rows(damage *d, uint32_t id)
{
    uint8_t from[4], to[4];
    st_put_be32(from, id);
    st_put_be32(to, id + 1);
    st_lsm_range range = {.from = st_slice_of(from, 4), .to = st_slice_of(to, 4)};
    st_lsm_cursor *cursor;
    bool valid = true;
    st_slice key, value;
    int count = -1;
    st_op_clear(&d->c->op);
    assert_int_equal(
        st_lsm_cursor_open(&d->c->op, st_database_lsm(d->c->database), &range, &cursor), ST_OK);
    while (valid) {
        assert_int_equal(st_lsm_cursor_next(&d->c->op, cursor, &valid, &key, &value), ST_OK);
        if (++count == 0 && valid) {
            st_buf_clear(&d->key);
            st_buf_clear(&d->value);
            st_buf_slice(&d->key, key);
            st_buf_slice(&d->value, value);
        }
    }
    st_lsm_cursor_close(cursor);
    return count;
}

/* value NULL: deletes. */
static void damage_write(damage *d, const st_buf *key, const st_buf *value)
{
    st_lsm *lsm = st_database_lsm(d->c->database);
    st_lsm_batch batch;
    uint64_t sequence;
    st_lsm_batch_init(&batch, st_alloc_process());
    if (value) {
        st_lsm_batch_put(&batch, st_buf_view(key), st_buf_view(value));
    } else {
        st_lsm_batch_delete(&batch, st_buf_view(key));
    }
    st_op_clear(&d->c->op);
    assert_int_equal(st_lsm_write(&d->c->op, lsm, &batch, ST_DURABILITY_SYNC, &sequence), ST_OK);
    assert_int_equal(st_lsm_wait(&d->c->op, lsm, sequence), ST_OK);
    st_lsm_batch_deinit(&batch);
}

static void damage_must_find(damage *d, const char *text)
{
    st_op_clear(&d->c->op);
    assert_int_equal(st_database_verify(&d->c->op, d->c->database, table_print_nothing, NULL),
                     ST_CORRUPT);
    if (!strstr(d->c->op.error.message, text)) {
        fail_msg("'%s' has nothing of '%s'", d->c->op.error.message, text);
    }
}

/* The row is found damaged without the row at hand, and sound with it. */
static void damage_remove(damage *d, uint32_t id, const char *text)
{
    assert_true(damage_rows(d, id) > 0);
    damage_write(d, &d->key, NULL);
    damage_must_find(d, text);
    damage_write(d, &d->key, &d->value);
    table_must_verify(d->c);
}

/* One row more is found, and all is sound when it has gone. */
static void damage_add(damage *d, const st_buf *key, const st_buf *value, const char *text)
{
    damage_write(d, key, value);
    damage_must_find(d, text);
    damage_write(d, key, NULL);
    table_must_verify(d->c);
}

/* A canonical frame of one or two texts. */
static void damage_make_frame(damage *d, const char *name, const char *text, const char *kind,
                              st_buf *out)
{
    st_buf relaxed;
    st_buf_init(&relaxed, st_alloc_process());
    size_t map = map_begin(&relaxed, 1 + (kind != NULL));
    map_text(&relaxed, name, text);
    if (kind) {
        map_text(&relaxed, "knd", kind);
    }
    map_end(&relaxed, map);
    st_buf_clear(out);
    assert_int_equal(st_item_canonicalize(&d->c->op, st_buf_view(&relaxed), out), ST_OK);
    st_buf_deinit(&relaxed);
}

/* ---- planted damage --------------------------------------------------------------------- */

static void test_an_entry_that_is_missing_is_found(void **state)
{
    (void)state;
    damage *d = damage_create(true);
    table_must_verify(d->c);
    damage_remove(d, d->index_id, "an entry is missing of table things, index kinds");
    damage_remove(d, d->ttl_id, "an expiry entry is missing of table things");
    damage_destroy(d);
}

static void test_an_entry_of_an_index_that_no_item_makes_is_found(void **state)
{
    (void)state;
    damage *d = damage_create(true);
    st_buf key, value;
    st_buf_init(&key, st_alloc_process());
    st_buf_init(&value, st_alloc_process());
    assert_int_equal(damage_rows(d, d->index_id), DAMAGE_ITEMS - DAMAGE_ITEMS / 5);
    st_buf_slice(&key, st_buf_view(&d->key));
    st_buf_byte(&key, 7);
    damage_add(d, &key, &d->value, "an entry is not that of its item of table things");
    damage_make_frame(d, "id", "absent", "k0", &value);
    damage_add(d, &key, &value, "an entry has no item of table things, index kinds");
    damage_make_frame(d, "id", "i0", "k0", &value); /* an item that has no such attribute */
    damage_add(d, &key, &value, "an entry has no item of table things, index kinds");
    damage_make_frame(d, "other", "x", NULL, &value);
    damage_add(d, &key, &value, "an entry is none that an item makes of table things");
    damage_make_frame(d, "id", "i1", "k2", &value); /* not the kind of the item */
    damage_write(d, &d->key, &value);
    damage_must_find(d, "an entry is not that of its item of table things");
    damage_write(d, &d->key, &d->value);
    table_must_verify(d->c);
    st_buf_deinit(&key);
    st_buf_deinit(&value);
    damage_destroy(d);
}

static void test_an_expiry_entry_that_no_item_makes_is_found(void **state)
{
    (void)state;
    damage *d = damage_create(true);
    st_buf key;
    st_buf_init(&key, st_alloc_process());
    assert_int_equal(damage_rows(d, d->ttl_id), DAMAGE_ITEMS);
    st_buf_slice(&key, st_buf_view(&d->key));
    key.data[12] ^= 1; /* another time */
    damage_add(d, &key, &d->value, "an expiry entry is not that of an item of table things");
    key.data[12] ^= 1;
    st_buf_byte(&key, 7); /* another item */
    damage_add(d, &key, &d->value, "an expiry entry is not that of an item of table things");
    key.size = 9; /* cut short */
    damage_add(d, &key, &d->value, "an expiry entry is not that of an item of table things");
    st_buf_deinit(&key);
    damage_destroy(d);
}

/* ---- changes ---------------------------------------------------------------------------- */

static uint32_t damage_scan(damage *d)
{
    frame_begin(&d->c->request, ST_REQUEST_SCAN);
    frame_text(&d->c->request, ST_FIELD_TABLE_NAME, "things");
    frame_text(&d->c->request, ST_FIELD_INDEX, "kinds");
    table_must(d->c);
    return result_count(st_buf_view(&d->c->result));
}

static void test_an_index_that_is_added_holds_the_rows_that_were_there_before(void **state)
{
    (void)state;
    damage *d = damage_create(false);
    uint32_t before = 0;
    for (int i = 0; i < 3; i++) {
        damage_alter(d, true);
        assert_true(d->index_id > before);
        assert_int_equal(d->state, ST_INDEX_ACTIVE);
        assert_int_equal(damage_scan(d), DAMAGE_ITEMS - DAMAGE_ITEMS / 5 + i);
        table_must_verify(d->c);
        before = d->index_id;
        damage_put(d, DAMAGE_ITEMS + 1 + i);
        assert_int_equal(damage_scan(d), DAMAGE_ITEMS - DAMAGE_ITEMS / 5 + i + 1);
        damage_alter(d, false);
        assert_int_equal(damage_rows(d, before), 0);
        frame_begin(&d->c->request, ST_REQUEST_SCAN);
        frame_text(&d->c->request, ST_FIELD_TABLE_NAME, "things");
        frame_text(&d->c->request, ST_FIELD_INDEX, "kinds");
        table_must_fail(d->c, ST_INVALID_ARGUMENT, "does not have the specified index: kinds");
        table_must_verify(d->c);
    }
    damage_destroy(d);
}

/* Gives false when the change ends before the call, and counts what an opening completed. */
static bool damage_crash_at(const simfs *files, uint64_t call, simfs_state left, bool adds,
                            int *completed)
{
    damage *d = damage_on(simfs_clone(files));
    damage_frame(d, ST_REQUEST_ALTER_TABLE, adds);
    simfs_crash_after(d->sim, call);
    st_status status = table_run(d->c);
    bool has_crashed = simfs_has_crashed(d->sim);
    if (has_crashed) {
        (void)st_database_close(&d->c->op, d->c->database);
        d->c->database = NULL;
        simfs_restart(d->sim, left, call);
        table_open(d->c);
    }
    damage_learn(d);
    assert_true(status != ST_OK || adds == (d->index_id != 0));
    if (d->index_id != 0) {
        assert_int_equal(d->state, ST_INDEX_ACTIVE);
        assert_int_equal(damage_scan(d), DAMAGE_ITEMS - DAMAGE_ITEMS / 5);
    }
    *completed += status != ST_OK && adds == (d->index_id != 0);
    table_must_verify(d->c);             /* no row is left of an index that has gone */
    simfs_crash_after(d->sim, 1u << 30); /* never */
    damage_destroy(d);
    return has_crashed;
}

static void test_a_crash_at_any_call_of_a_change_leaves_all_of_it_or_nothing(void **state)
{
    (void)state;
    for (int adds = 0; adds < 2; adds++) {
        damage *d = damage_create(!adds);
        table_close(d->c);
        int completed = 0;
        for (int kill = 0; kill < 2; kill++) {
            uint64_t call = 1;
            while (damage_crash_at(d->sim, call, kill ? SIMFS_KILL : SIMFS_LOSE_ALL, adds,
                                   &completed)) {
                call++;
            }
            assert_true(call > 2);
        }
        assert_true(completed > 0);
        damage_destroy(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_entry_that_is_missing_is_found),
        cmocka_unit_test(test_an_entry_of_an_index_that_no_item_makes_is_found),
        cmocka_unit_test(test_an_expiry_entry_that_no_item_makes_is_found),
        cmocka_unit_test(test_an_index_that_is_added_holds_the_rows_that_were_there_before),
        cmocka_unit_test(test_a_crash_at_any_call_of_a_change_leaves_all_of_it_or_nothing),
    };
    return cmocka_run_group_tests_name("table_damage", tests, NULL, NULL);
}
