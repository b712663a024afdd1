/* A process that forks with a database open. The parent loses nothing; the child may not use what
 * is its parent's, and may begin anew. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "stator.h"

static char directory[64];
static int gate = -1;

/* Runs in a child before every handler of the library: one that has just begun holds copies of all
 * its parent has open, for as long as it takes. */
static void wait_at_the_gate(void)
{
    char byte;
    if (gate >= 0 && read(gate, &byte, 1) != 1) {
        _exit(9);
    }
}

static stator_status open_table(const char *path, stator_db **db, stator_table **table)
{
    stator_schema *schema;
    stator_status status = stator_open(path, strlen(path), NULL, db, NULL);
    *table = NULL;
    if (status == STATOR_OK) {
        stator_schema_new(&schema);
        stator_schema_partition(schema, "p", 1, STATOR_TYPE_N);
        status = stator_table_ensure(*db, "table", 5, schema, table, NULL);
        stator_schema_free(schema);
    }
    return status;
}

static stator_status put(stator_table *table, int64_t number)
{
    stator_item *item;
    stator_status status = stator_item_new(&item);
    stator_item_set_int64(item, "p", 1, number);
    status = status ? status : stator_put(table, item, NULL, NULL);
    stator_item_free(item);
    return status;
}

static int count(stator_table *table)
{
    stator_scan *scan = NULL;
    stator_cursor *cursor = NULL;
    stator_item *item = NULL;
    int items = -1;
    stator_scan_new(table, &scan);
    stator_status status = stator_scan_open(scan, &cursor, NULL);
    do {
        items++;
        status = status ? status : stator_cursor_next(cursor, &item, NULL);
    } while (!status && item);
    stator_cursor_free(cursor);
    stator_scan_free(scan);
    return status ? -1 : items;
}

/* Runs work in a child; the number it returns, or -1 when it did not end by itself. */
static int in_child(int (*work)(void *), void *arg)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        _exit(work(arg));
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static int setup(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/stator-fork-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

typedef struct family {
    stator_db *db;
    stator_table *table;
    stator_cursor *cursor;
    stator_item *item;
    int pipes[2];
} family;

static int use_the_parents(void *arg)
{
    family *f = arg;
    stator_db *again = NULL;
    stator_item *item;
    stator_error error;
    stator_error_init(&error);
    int wrong = put(f->table, 9) != STATOR_FORKED;
    wrong |= (stator_cursor_next(f->cursor, &item, NULL) != STATOR_FORKED) << 1;
    wrong |= (stator_close(f->db, &error) != STATOR_FORKED || !strstr(error.message, "parent"))
             << 2;
    wrong |= (stator_open(directory, strlen(directory), NULL, &again, NULL) != STATOR_LOCKED) << 3;
    stator_cursor_free(f->cursor);
    stator_table_free(f->table);
    stator_item_free(f->item);
    return wrong;
}

static void a_child_leaves_what_is_its_parents_alone(void **state)
{
    (void)state;
    family f = {0};
    stator_scan *scan;
    assert_int_equal(open_table(directory, &f.db, &f.table), STATOR_OK);
    assert_int_equal(put(f.table, 1), STATOR_OK);
    assert_int_equal(stator_item_new(&f.item), STATOR_OK);
    assert_int_equal(stator_scan_new(f.table, &scan), STATOR_OK);
    assert_int_equal(stator_scan_open(scan, &f.cursor, NULL), STATOR_OK);
    assert_int_equal(in_child(use_the_parents, &f), 0);
    assert_int_equal(put(f.table, 2), STATOR_OK);
    assert_int_equal(count(f.table), 2);
    stator_cursor_free(f.cursor);
    stator_scan_free(scan);
    stator_item_free(f.item);
    stator_table_free(f.table);
    assert_int_equal(stator_close(f.db, NULL), STATOR_OK);
}

static int begin_anew(void *arg)
{
    (void)arg;
    stator_db *db;
    stator_table *table;
    if (open_table(":memory:", &db, &table) != STATOR_OK || put(table, 1) != STATOR_OK ||
        put(table, 2) != STATOR_OK || count(table) != 2 || stator_flush(db, NULL) != STATOR_OK) {
        return 1;
    }
    stator_table_free(table);
    return stator_close(db, NULL) == STATOR_OK ? 0 : 2;
}

static int have_a_child_that_begins_anew(void *arg)
{
    return begin_anew(arg) == 0 ? in_child(begin_anew, arg) : 3;
}

static void a_child_may_open_databases_of_its_own_and_so_may_its_child(void **state)
{
    (void)state;
    family f = {0};
    assert_int_equal(open_table(":memory:", &f.db, &f.table), STATOR_OK);
    assert_int_equal(in_child(have_a_child_that_begins_anew, NULL), 0);
    assert_int_equal(put(f.table, 1), STATOR_OK);
    stator_table_free(f.table);
    assert_int_equal(stator_close(f.db, NULL), STATOR_OK);
}

static int wait_for_the_end(void *arg)
{
    family *f = arg;
    char byte;
    close(f->pipes[1]);
    return read(f->pipes[0], &byte, 1) == 0 ? 0 : 1; /* lives until the parent closes its end */
}

static void the_parent_may_close_and_open_again_while_its_child_lives(void **state)
{
    (void)state;
    family f = {0};
    assert_int_equal(open_table(directory, &f.db, &f.table), STATOR_OK);
    assert_int_equal(put(f.table, 1), STATOR_OK);
    assert_int_equal(pipe(f.pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        _exit(wait_for_the_end(&f));
    }
    stator_table_free(f.table);
    assert_int_equal(stator_close(f.db, NULL), STATOR_OK);
    assert_int_equal(open_table(directory, &f.db, &f.table), STATOR_OK);
    assert_int_equal(count(f.table), 1);
    stator_table_free(f.table);
    assert_int_equal(stator_close(f.db, NULL), STATOR_OK);
    close(f.pipes[1]);
    close(f.pipes[0]);
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static void a_child_that_has_hardly_begun_does_not_keep_the_lock(void **state)
{
    (void)state;
    family f = {0};
    int ends[2];
    assert_int_equal(open_table(directory, &f.db, &f.table), STATOR_OK);
    assert_int_equal(pipe(ends), 0);
    gate = ends[0];
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    gate = -1;
    stator_table_free(f.table);
    assert_int_equal(stator_close(f.db, NULL), STATOR_OK);
    stator_status again = open_table(directory, &f.db, &f.table);
    assert_int_equal(write(ends[1], "", 1), 1);
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_int_equal(again, STATOR_OK);
    stator_table_free(f.table);
    assert_int_equal(stator_close(f.db, NULL), STATOR_OK);
    close(ends[0]);
    close(ends[1]);
}

static int open_the_parents_directory(void *arg)
{
    (void)arg;
    stator_db *db;
    stator_table *table;
    if (open_table(directory, &db, &table) != STATOR_OK || count(table) != 1) {
        return 1;
    }
    stator_table_free(table);
    return stator_close(db, NULL) == STATOR_OK ? 0 : 2;
}

static void a_child_may_open_what_its_parent_has_closed(void **state)
{
    (void)state;
    family f = {0};
    assert_int_equal(open_table(directory, &f.db, &f.table), STATOR_OK);
    assert_int_equal(put(f.table, 1), STATOR_OK);
    stator_table_free(f.table);
    assert_int_equal(stator_close(f.db, NULL), STATOR_OK);
    assert_int_equal(in_child(open_the_parents_directory, NULL), 0);
}

/* ---- forks in the middle of calls ------------------------------------------------------- */

typedef struct busy {
    stator_table *table;
    _Atomic int is_over;
} busy;

static void *make_handles(void *arg)
{
    busy *b = arg;
    while (!atomic_load(&b->is_over)) {
        stator_query *query;
        stator_query_new(b->table, &query);
        stator_query_free(query);
        begin_anew(NULL);
    }
    return NULL;
}

static void a_child_begins_anew_whatever_other_threads_were_doing(void **state)
{
    (void)state;
    family f = {0};
    busy b = {NULL, 0};
    pthread_t threads[3];
    assert_int_equal(open_table(":memory:", &f.db, &f.table), STATOR_OK);
    b.table = f.table;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, make_handles, &b), 0);
    }
    int failed = 0;
    for (int i = 0; i < 40; i++) {
        failed += in_child(begin_anew, NULL) != 0;
    }
    atomic_store(&b.is_over, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(failed, 0);
    stator_table_free(f.table);
    assert_int_equal(stator_close(f.db, NULL), STATOR_OK);
}

/* Takes no lock that another thread could hold when the process forks: malloc may be one of a
 * sanitizer, which does. */
static void *map_memory(void *context, void *pointer, size_t old_bytes, size_t new_bytes)
{
    (void)context;
    void *moved = NULL;
    if (new_bytes > 0) {
        moved = mmap(NULL, new_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (moved == MAP_FAILED) {
            return NULL;
        }
    }
    if (pointer) {
        if (moved) {
            memcpy(moved, pointer, old_bytes < new_bytes ? old_bytes : new_bytes);
        }
        munmap(pointer, old_bytes);
    }
    return moved;
}

int main(void)
{
    stator_allocator allocator = {sizeof allocator, map_memory, NULL};
    if (pthread_atfork(NULL, NULL, wait_at_the_gate) != 0 ||
        stator_set_allocator(&allocator) != STATOR_OK) {
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_child_leaves_what_is_its_parents_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_child_may_open_databases_of_its_own_and_so_may_its_child,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_parent_may_close_and_open_again_while_its_child_lives,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_child_that_has_hardly_begun_does_not_keep_the_lock, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_child_may_open_what_its_parent_has_closed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_child_begins_anew_whatever_other_threads_were_doing,
                                        setup, teardown),
    };
    return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
