/* Tables that come, change and go while others write and read them, and what is told while a sync
 * hangs.
 *
 * The Env is the one in memory, with a sync that waits when told, and a clock that runs fast: each
 * look at it is ten milliseconds later than the one before.
 */
#include <stdatomic.h>

#include "table_support.h"

#define THREADS_WRITERS 3
#define THREADS_ROUNDS 40

/* ---- an Env whose sync can be held ------------------------------------------------------ */

typedef struct held_env {
    st_env_calls calls;
    const st_env_calls *real;
    _Atomic bool is_held;
    _Atomic uint32_t waiting;
    _Atomic uint64_t clock_us;
} held_env;

static held_env held;

static st_status held_sync(st_op *op, st_file *file)
{
    atomic_fetch_add(&held.waiting, 1);
    for (uint32_t round = 0; atomic_load(&held.is_held); round++) {
        st_env_pause(round);
    }
    atomic_fetch_sub(&held.waiting, 1);
    return held.real->sync(op, file);
}

static uint64_t held_monotonic_us(st_env *env)
{
    (void)env;
    return atomic_fetch_add(&held.clock_us, 10000) + 10000;
}

static void hold_sync(void)
{
    atomic_store(&held.is_held, true);
}

static void release_sync(void)
{
    atomic_store(&held.is_held, false);
}

static void await_sync(void)
{
    for (uint32_t round = 0; atomic_load(&held.waiting) == 0; round++) {
        st_env_pause(round);
    }
}

static int held_setup(void **state)
{
    table_case *c = table_case_create("/db");
    held.real = c->env->calls;
    held.calls = *c->env->calls;
    held.calls.sync = held_sync;
    held.calls.monotonic_us = held_monotonic_us;
    c->env->calls = &held.calls;
    release_sync();
    c->options.inline_background = true;
    table_open(c);
    frame_create(&c->request, "things", false);
    table_must(c);
    *state = c;
    return 0;
}

/* ---- one request in a thread ------------------------------------------------------------ */

typedef struct request_thread {
    st_database *database;
    st_thread *thread;
    st_buf request;
    st_status status;
} request_thread;

static void run_request(void *arg)
{
    request_thread *t = arg;
    st_op op;
    st_buf result;
    st_op_init(&op, st_alloc_process());
    st_buf_init(&result, st_alloc_process());
    t->status = st_table_execute(&op, t->database, st_buf_view(&t->request), &result);
    st_buf_deinit(&result);
    st_op_deinit(&op);
}

/* Takes what stands in c->request. */
static request_thread *start_request(table_case *c)
{
    request_thread *t = calloc(1, sizeof *t);
    t->database = c->database;
    t->request = c->request;
    st_buf_init(&c->request, st_alloc_process());
    assert_int_equal(
        st_env_thread_start(&c->op, st_env_posix(), "request", run_request, t, &t->thread), ST_OK);
    return t;
}

static st_status end_request(request_thread *t)
{
    st_env_thread_join(t->thread);
    st_status status = t->status;
    st_buf_deinit(&t->request);
    free(t);
    return status;
}

static void await_applied(table_case *c, uint64_t sequence)
{
    for (uint32_t round = 0; st_lsm_applied(st_database_lsm(c->database)) < sequence; round++) {
        st_env_pause(round);
    }
}

static st_status get(table_case *c, const char *id)
{
    frame_of_key(&c->request, ST_REQUEST_GET, "things", id, -1);
    return table_run(c);
}

/* ---- what is told while a sync hangs ---------------------------------------------------- */

static void test_until_a_deletion_is_published_readers_see_the_table(void **state)
{
    table_case *c = *state;
    st_slice item;
    frame_of_key(&c->request, ST_REQUEST_PUT, "things", "x", -1);
    table_must(c);
    uint64_t applied = st_lsm_applied(st_database_lsm(c->database));
    hold_sync();
    frame_delete_table(&c->request, "things");
    request_thread *deletion = start_request(c);
    await_applied(c, applied + 1);
    await_sync();
    assert_int_equal(get(c, "x"), ST_OK);
    assert_true(result_find(st_buf_view(&c->result), ST_RESULT_ITEM, &item));
    assert_int_equal(get(c, "absent"), ST_OK);
    assert_false(result_find(st_buf_view(&c->result), ST_RESULT_ITEM, &item));
    frame_query(&c->request, "things", "absent");
    table_must(c);
    assert_int_equal(result_count(st_buf_view(&c->result)), 0);
    frame_query(&c->request, "things", "x");
    table_must(c);
    assert_int_equal(result_count(st_buf_view(&c->result)), 1);
    frame_of_key(&c->request, ST_REQUEST_PUT, "things", "y", -1);
    request_thread *put = start_request(c); /* waits, or comes too late: the same answer */
    release_sync();
    assert_int_equal(end_request(deletion), ST_OK);
    assert_int_equal(end_request(put), ST_TABLE_NOT_FOUND);
    assert_int_equal(get(c, "x"), ST_TABLE_NOT_FOUND);
    table_must_verify(c);
}

static void test_a_table_is_created_whatever_deadline_its_request_names(void **state)
{
    table_case *c = *state;
    uint64_t applied = st_lsm_applied(st_database_lsm(c->database));
    hold_sync();
    frame_of_key(&c->request, ST_REQUEST_PUT, "things", "x", -1);
    request_thread *put = start_request(c);
    await_applied(c, applied + 1);
    await_sync();
    frame_create(&c->request, "others", false);
    frame_u32(&c->request, ST_FIELD_DEADLINE, 1);
    request_thread *creation = start_request(c);
    await_applied(c, applied + 2);
    release_sync();
    assert_int_equal(end_request(put), ST_OK);
    assert_int_equal(end_request(creation), ST_OK);
    frame_create(&c->request, "third", false);
    table_must(c);
    table_must_verify(c);
    table_close(c);
    table_open(c);
    assert_int_equal(st_database_table_count(c->database), 3);
}

static void test_a_write_that_misses_its_deadline_says_that_it_may_be_applied(void **state)
{
    table_case *c = *state;
    uint64_t applied = st_lsm_applied(st_database_lsm(c->database));
    hold_sync();
    frame_of_key(&c->request, ST_REQUEST_PUT, "things", "x", -1);
    request_thread *put = start_request(c);
    await_applied(c, applied + 1);
    await_sync();
    frame_of_key(&c->request, ST_REQUEST_PUT, "things", "y", -1);
    frame_u32(&c->request, ST_FIELD_DEADLINE, 1);
    assert_int_equal(table_run(c), ST_DEADLINE);
    assert_true(c->op.error.flags & ST_STATUS_MAYBE_APPLIED);
    release_sync();
    assert_int_equal(end_request(put), ST_OK);
    st_slice item;
    frame_of_key(&c->request, ST_REQUEST_PUT, "things", "z", -1);
    table_must(c); /* and so all before it is published */
    assert_int_equal(get(c, "y"), ST_OK);
    assert_true(result_find(st_buf_view(&c->result), ST_RESULT_ITEM, &item));
}

static void test_a_page_behind_its_deadline_loses_nothing(void **state)
{
    table_case *c = *state;
    frame_of_key(&c->request, ST_REQUEST_PUT, "things", "x", -1);
    table_must(c);
    for (uint32_t i = 0; i < 2; i++) {
        st_table_cursor *cursor;
        frame_begin(&c->request, ST_REQUEST_SCAN);
        frame_text(&c->request, ST_FIELD_TABLE_NAME, "things");
        frame_u32(&c->request, ST_FIELD_FLAGS, i ? ST_FLAG_SNAPSHOT : 0);
        assert_int_equal(
            st_table_cursor_open(&c->op, c->database, st_buf_view(&c->request), &cursor), ST_OK);
        st_buf_clear(&c->result);
        c->op.deadline_us = 1;
        assert_int_equal(st_table_cursor_next_page(&c->op, cursor, &c->result), ST_DEADLINE);
        assert_int_equal(c->result.size, 0);
        st_op_clear(&c->op);
        c->op.deadline_us = 0;
        assert_int_equal(st_table_cursor_next_page(&c->op, cursor, &c->result), ST_OK);
        assert_int_equal(result_count(st_buf_view(&c->result)), 1);
        st_table_cursor_close(cursor);
    }
}

/* ---- openings --------------------------------------------------------------------------- */

typedef struct opening_thread {
    table_case *c;
    st_thread *thread;
    st_database *database;
    bool has_failed;
} opening_thread;

static void open_and_close(void *arg)
{
    opening_thread *t = arg;
    st_op op;
    st_op_init(&op, st_alloc_process());
    for (int i = 0; i < THREADS_ROUNDS && !t->has_failed; i++) {
        st_database *database;
        t->has_failed =
            st_database_open(&op, st_slice_str(t->c->path), &t->c->options, &database) != ST_OK ||
            st_database_table_count(database) != 1 || st_database_close(&op, database) != ST_OK;
    }
    st_op_deinit(&op);
}

static void test_threads_open_and_close_one_place(void **state)
{
    table_case *c = *state;
    opening_thread threads[THREADS_WRITERS] = {{0}};
    table_close(c);
    for (int i = 0; i < THREADS_WRITERS; i++) {
        threads[i].c = c;
        assert_int_equal(st_env_thread_start(&c->op, st_env_posix(), "open", open_and_close,
                                             &threads[i], &threads[i].thread),
                         ST_OK);
    }
    for (int i = 0; i < THREADS_WRITERS; i++) {
        st_env_thread_join(threads[i].thread);
        assert_false(threads[i].has_failed);
    }
    table_open(c);
}

static void open_only(void *arg)
{
    opening_thread *t = arg;
    st_op op;
    st_op_init(&op, st_alloc_process());
    t->has_failed =
        st_database_open(&op, st_slice_str(t->c->path), &t->c->options, &t->database) != ST_OK;
    st_op_deinit(&op);
}

static void test_an_opening_waits_for_its_own_place_alone(void **state)
{
    table_case *c = *state;
    opening_thread threads[2] = {{.c = c}, {.c = c}};
    table_close(c);
    c->path = "/slow";
    hold_sync();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(st_env_thread_start(&c->op, st_env_posix(), "open", open_only, &threads[i],
                                             &threads[i].thread),
                         ST_OK);
    }
    await_sync();
    table_case *other = table_case_create("/other"); /* an Env of its own, which does not hang */
    table_open(other);
    table_case_destroy(other);
    release_sync();
    for (int i = 0; i < 2; i++) {
        st_env_thread_join(threads[i].thread);
        assert_false(threads[i].has_failed);
    }
    assert_ptr_equal(threads[0].database, threads[1].database);
    assert_int_equal(st_database_close(&c->op, threads[0].database), ST_OK);
    assert_int_equal(st_database_close(&c->op, threads[1].database), ST_OK);
}

/* ---- tables that come and go ------------------------------------------------------------ */

typedef struct busy_thread busy_thread;
struct busy_thread {
    void (*round)(busy_thread *t, st_op *op, st_buf *request, st_buf *result, int i);
    st_database *database;
    st_thread *thread;
    int number;
    _Atomic bool *is_over;
    const char *failure;
};

static void busy_round(busy_thread *t, st_op *op, st_buf *request, st_buf *result, int i)
{
    char id[32];
    st_slice item;
    snprintf(id, sizeof id, "%d/%d", t->number, i % 64);
    frame_of_key(request, ST_REQUEST_PUT, "things", id, -1);
    frame_u32(request, ST_FIELD_FLAGS, ST_FLAG_RETURN_OLD);
    st_buf_clear(result);
    st_status status = st_table_execute(op, t->database, st_buf_view(request), result);
    if (status != ST_OK && status != ST_TABLE_NOT_FOUND) {
        t->failure = "a put neither wrote nor missed its table";
    }
    /* An item that never changes its place is there, or its table is not. */
    frame_of_key(request, ST_REQUEST_GET, "lasting", "x", -1);
    st_buf_clear(result);
    st_op_clear(op);
    status = st_table_execute(op, t->database, st_buf_view(request), result);
    if (status == ST_OK ? !result_find(st_buf_view(result), ST_RESULT_ITEM, &item)
                        : status != ST_TABLE_NOT_FOUND) {
        t->failure = "an item was absent in a table that has had it from the beginning";
    }
    frame_query(request, "lasting", "x");
    st_buf_clear(result);
    st_op_clear(op);
    status = st_table_execute(op, t->database, st_buf_view(request), result);
    if (status == ST_OK ? result_count(st_buf_view(result)) != 1 : status != ST_TABLE_NOT_FOUND) {
        t->failure = "a query missed an item of a table that has had it from the beginning";
    }
    st_op_clear(op);
    st_arena_reset(&op->arena);
}

static void be_busy(void *arg)
{
    busy_thread *t = arg;
    st_op op;
    st_buf request, result;
    st_op_init(&op, st_alloc_process());
    st_buf_init(&request, st_alloc_process());
    st_buf_init(&result, st_alloc_process());
    for (int i = 0; !atomic_load(t->is_over) && !t->failure; i++) {
        t->round(t, &op, &request, &result, i);
    }
    st_buf_deinit(&request);
    st_buf_deinit(&result);
    st_op_deinit(&op);
}

static void test_nothing_is_left_of_tables_that_went_while_threads_wrote(void **state)
{
    table_case *c = *state;
    busy_thread threads[THREADS_WRITERS] = {{0}};
    _Atomic bool is_over;
    atomic_init(&is_over, false);
    frame_create(&c->request, "lasting", false);
    table_must(c);
    frame_of_key(&c->request, ST_REQUEST_PUT, "lasting", "x", -1);
    table_must(c);
    for (int i = 0; i < THREADS_WRITERS; i++) {
        threads[i] = (busy_thread){
            .round = busy_round, .database = c->database, .number = i, .is_over = &is_over};
        assert_int_equal(st_env_thread_start(&c->op, st_env_posix(), "busy", be_busy, &threads[i],
                                             &threads[i].thread),
                         ST_OK);
    }
    for (int i = 0; i < THREADS_ROUNDS; i++) {
        frame_delete_table(&c->request, "things");
        table_must(c);
        frame_create(&c->request, "others", false);
        table_must(c);
        table_must_verify(c);
        frame_create(&c->request, "things", false);
        table_must(c);
        frame_delete_table(&c->request, "others");
        table_must(c);
    }
    frame_delete_table(&c->request, "lasting");
    table_must(c);
    atomic_store(&is_over, true);
    for (int i = 0; i < THREADS_WRITERS; i++) {
        st_env_thread_join(threads[i].thread);
        if (threads[i].failure) {
            fail_msg("%s", threads[i].failure);
        }
    }
    table_must_verify(c);
    frame_delete_table(&c->request, "things");
    table_must(c);
    table_must_verify(c);
    table_close(c);
    table_open(c);
    table_must_verify(c);
}

/* ---- tables that change while threads write --------------------------------------------- */

static void alter_round(busy_thread *t, st_op *op, st_buf *request, st_buf *result, int i)
{
    char id[32];
    snprintf(id, sizeof id, "%d/%d", t->number, i % 64);
    frame_of_key(request, i % 3 ? ST_REQUEST_PUT : ST_REQUEST_DELETE, "things", id,
                 i % 3 ? i % 7 : -1);
    st_buf_clear(result);
    if (st_table_execute(op, t->database, st_buf_view(request), result) != ST_OK) {
        t->failure = "a write failed while its table was changed";
    }
    st_op_clear(op);
    if (i % 16 == 0 && st_database_set_clock(op, t->database, 0) != ST_OK) {
        t->failure = "the clock could not be set while a table was changed";
    }
    st_op_clear(op);
    st_arena_reset(&op->arena);
}

/* Every index is a new one: it has no id yet. */
static void alter_things(table_case *c, bool has_index, bool has_expiry)
{
    st_index index = {.name = st_slice_str("numbers"),
                      .kind = ST_INDEX_GLOBAL,
                      .projection = ST_PROJECT_ALL,
                      .state = ST_INDEX_ACTIVE};
    index.schema.partition_count = 1;
    index.schema.partition[0] = (st_key_part){st_slice_str("n"), ST_TYPE_N};
    st_definition definition = {.indexes = &index, .index_count = has_index};
    definition.ttl = has_expiry ? st_slice_str("n") : (st_slice){0};
    definition.schema.partition_count = 1;
    definition.schema.partition[0] = (st_key_part){st_slice_str("id"), ST_TYPE_S};
    frame_begin(&c->request, ST_REQUEST_ALTER_TABLE);
    frame_text(&c->request, ST_FIELD_TABLE_NAME, "things");
    size_t place = frame_open(&c->request, ST_FIELD_DEFINITION);
    st_definition_encode(&definition, &c->request);
    frame_shut(&c->request, place);
    table_must(c);
}

static void test_indexes_come_and_go_while_threads_write(void **state)
{
    table_case *c = *state;
    busy_thread threads[THREADS_WRITERS] = {{0}};
    _Atomic bool is_over;
    atomic_init(&is_over, false);
    for (int i = 0; i < THREADS_WRITERS; i++) {
        threads[i] = (busy_thread){
            .round = alter_round, .database = c->database, .number = i, .is_over = &is_over};
        assert_int_equal(st_env_thread_start(&c->op, st_env_posix(), "busy", be_busy, &threads[i],
                                             &threads[i].thread),
                         ST_OK);
    }
    for (int i = 0; i < THREADS_ROUNDS; i++) {
        alter_things(c, i % 4 != 3, i % 3 == 0);
        table_must_verify(c);
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < THREADS_WRITERS; i++) {
        st_env_thread_join(threads[i].thread);
        if (threads[i].failure) {
            fail_msg("%s", threads[i].failure);
        }
    }
    table_must_verify(c);
    table_close(c);
    table_open(c);
    table_must_verify(c);
}

#define THREADS_TEST(name) cmocka_unit_test_setup_teardown(name, held_setup, table_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        THREADS_TEST(test_until_a_deletion_is_published_readers_see_the_table),
        THREADS_TEST(test_a_table_is_created_whatever_deadline_its_request_names),
        THREADS_TEST(test_a_write_that_misses_its_deadline_says_that_it_may_be_applied),
        THREADS_TEST(test_a_page_behind_its_deadline_loses_nothing),
        THREADS_TEST(test_threads_open_and_close_one_place),
        THREADS_TEST(test_an_opening_waits_for_its_own_place_alone),
        THREADS_TEST(test_nothing_is_left_of_tables_that_went_while_threads_wrote),
        THREADS_TEST(test_indexes_come_and_go_while_threads_write),
    };
    return cmocka_run_group_tests_name("table_threads", tests, NULL, NULL);
}
