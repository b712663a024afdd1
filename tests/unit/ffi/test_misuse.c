/* The misuse matrix: every exported function with every wrong handle, length and structure. A
 * function without a row fails the first test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "misuse.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MANY 1000000
#else
#define MANY 10000000
#endif

static const char *const exports[] = {
#define EXPORT(name) #name,
#include "exports.inc"
};
static const size_t export_count = sizeof exports / sizeof exports[0];

/* ---- one handle of every kind ---------------------------------------------------------------- */

typedef struct world {
    void *h[KINDS];
} world;

static world world_new(void)
{
    world w = {{0}};
    stator_options options;
    stator_options_init(&options);
    options.inline_background = 1;
    options.memory_budget_bytes = 1 << 20;
    stator_item *item;
    assert_int_equal(stator_open(":memory:", 8, &options, (stator_db **)&w.h[DB], NULL), 0);
    assert_int_equal(stator_schema_new((stator_schema **)&w.h[SCHEMA]), 0);
    assert_int_equal(stator_schema_partition(w.h[SCHEMA], "p", 1, STATOR_TYPE_S), 0);
    assert_int_equal(stator_schema_sort(w.h[SCHEMA], "s", 1, STATOR_TYPE_S), 0);
    assert_int_equal(
        stator_table_ensure(w.h[DB], "table", 5, w.h[SCHEMA], (stator_table **)&w.h[TABLE], NULL),
        0);
    assert_int_equal(stator_item_new(&item), 0);
    assert_int_equal(stator_item_set_string(item, "p", 1, "x", 1), 0);
    assert_int_equal(stator_item_set_string(item, "s", 1, "y", 1), 0);
    assert_int_equal(stator_put(w.h[TABLE], item, NULL, NULL), 0);
    w.h[ITEM] = item;
    assert_int_equal(stator_batch_new(w.h[DB], (stator_batch **)&w.h[BATCH]), 0);
    assert_int_equal(stator_query_new(w.h[TABLE], (stator_query **)&w.h[QUERY]), 0);
    assert_int_equal(stator_query_partition_string(w.h[QUERY], "x", 1), 0);
    assert_int_equal(stator_scan_new(w.h[TABLE], (stator_scan **)&w.h[SCAN]), 0);
    assert_int_equal(stator_scan_open(w.h[SCAN], (stator_cursor **)&w.h[CURSOR], NULL), 0);
    assert_int_equal(
        stator_item_to_json(item, STATOR_JSON_PLAIN, (stator_buffer **)&w.h[BUFFER], NULL), 0);
    return w;
}

static void free_one(kind k, void *h)
{
    switch (k) {
    case DB:
        (void)stator_close(h, NULL);
        break;
    case SCHEMA:
        stator_schema_free(h);
        break;
    case TABLE:
        stator_table_free(h);
        break;
    case ITEM:
        stator_item_free(h);
        break;
    case BATCH:
        stator_batch_free(h);
        break;
    case QUERY:
        stator_query_free(h);
        break;
    case SCAN:
        stator_scan_free(h);
        break;
    case CURSOR:
        stator_cursor_free(h);
        break;
    case BUFFER:
        stator_buffer_free(h);
        break;
    default:
        break;
    }
}

static void world_free(world *w)
{
    for (kind k = KINDS - 1; k > NONE; k--) { /* children first; the database last but one */
        if (k != DB) {
            free_one(k, w->h[k]);
        }
    }
    free_one(DB, w->h[DB]);
}

static bool is_alive(const world *w)
{
    size_t bytes;
    const void *data;
    stator_item *found = NULL, *next;
    stator_stats stats = {.struct_size = sizeof stats};
    bool alive = stator_stats_read(w->h[DB], &stats, NULL) == STATOR_OK &&
                 stator_get(w->h[TABLE], w->h[ITEM], NULL, &found, NULL) != STATOR_CLOSED &&
                 stator_buffer_data(w->h[BUFFER], &data, &bytes) == STATOR_OK &&
                 stator_query_reverse(w->h[QUERY], 0) == STATOR_OK &&
                 stator_scan_snapshot(w->h[SCAN], 0) == STATOR_OK &&
                 stator_cursor_next(w->h[CURSOR], &next, NULL) == STATOR_OK;
    stator_item_free(found);
    return alive;
}

/* ---- one call -------------------------------------------------------------------------------- */

typedef struct call {
    args a;
    void *out;
    size_t out_size;
    stator_error error;
    stator_value list;
    union {
        uint32_t struct_size;
        uint8_t bytes[70000];
    } structure;
} call;

static call calls; /* large, and one is enough */

static const void *garbage = "garbage";

/* Everything in order: the handles of w, small bytes, a whole structure, outputs. */
static call *prepare(const row *r, const world *w)
{
    call *c = &calls;
    memset(c, 0, sizeof *c);
    for (int i = 0; i < PLACES; i++) {
        c->a.h[i] = r->h[i] != NONE ? w->h[r->h[i]] : NULL;
    }
    stator_error_init(&c->error);
    stator_value_init(&c->list);
    c->a.bytes = "1";
    c->a.length = 1;
    if (r->flags & (STRUCTURE | RECORD)) {
        c->structure.struct_size = (uint32_t)r->structure_bytes;
        c->a.structure = &c->structure;
        if (r->structure_bytes == sizeof(stator_options)) {
            stator_options_init((stator_options *)(void *)&c->structure);
        }
    }
    c->out = (void *)(uintptr_t)garbage;
    c->out_size = 12345;
    c->a.out = &c->out;
    c->a.out_size = &c->out_size;
    c->a.value = &c->list;
    c->a.error = &c->error;
    return c;
}

static void expect(const row *r, const char *how, stator_status status, stator_status wanted)
{
    if (status != wanted) {
        fail_msg("%s with %s: %s instead of %s (%s)", r->name, how, stator_status_name(status),
                 stator_status_name(wanted), calls.error.message);
    }
}

static void expect_refused(const row *r, const char *how, stator_status status,
                           stator_status wanted)
{
    if (r->flags & (FREES | PLAIN)) {
        return;
    }
    expect(r, how, status, wanted);
    if ((r->flags & OUT) && calls.out != NULL) {
        fail_msg("%s with %s: left its output as it was", r->name, how);
    }
    if ((r->flags & OUT_SIZE) && calls.out_size != 0) {
        fail_msg("%s with %s: left its output size as it was", r->name, how);
    }
    if (calls.error.code != STATOR_OK && calls.error.code != status) {
        fail_msg("%s with %s: the error says %s", r->name, how,
                 stator_status_name(calls.error.code));
    }
}

/* ---- the matrix ------------------------------------------------------------------------------ */

static void every_exported_function_has_one_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < export_count; i++) {
        size_t found = 0;
        for (size_t j = 0; j < row_count; j++) {
            found += strcmp(exports[i], rows[j].name) == 0;
        }
        if (found != 1) {
            fail_msg("%s has %zu rows", exports[i], found);
        }
    }
    assert_int_equal(export_count, row_count);
}

static void null_is_misuse(void **state)
{
    (void)state;
    world w = world_new();
    for (size_t i = 0; i < row_count; i++) {
        for (int place = 0; place < PLACES; place++) {
            if (rows[i].h[place] != NONE || (rows[i].flags & PLAIN)) {
                call *c = prepare(&rows[i], &w);
                c->a.h[place] = NULL;
                expect_refused(&rows[i], "NULL", rows[i].call(&c->a), STATOR_MISUSE);
            }
        }
    }
    assert_true(is_alive(&w));
    world_free(&w);
}

static void a_handle_of_another_kind_is_misuse(void **state)
{
    (void)state;
    world w = world_new();
    for (size_t i = 0; i < row_count; i++) {
        for (int place = 0; place < PLACES; place++) {
            for (kind k = DB; k < KINDS && rows[i].h[place] != NONE; k++) {
                if (k != rows[i].h[place]) {
                    call *c = prepare(&rows[i], &w);
                    c->a.h[place] = w.h[k];
                    expect_refused(&rows[i], "another kind", rows[i].call(&c->a), STATOR_MISUSE);
                }
            }
        }
    }
    assert_true(is_alive(&w));
    world_free(&w);
}

static void a_closed_or_freed_handle_is_closed(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        for (int place = 0; place < PLACES && rows[i].h[place] != NONE; place++) {
            world w = world_new();
            kind k = rows[i].h[place];
            free_one(k, w.h[k]);
            call *c = prepare(&rows[i], &w);
            expect_refused(&rows[i], "a freed handle", rows[i].call(&c->a), STATOR_CLOSED);
            world_free(&w); /* frees it a second time */
        }
    }
}

static void children_of_a_closed_database_are_closed_and_may_be_freed(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        bool has_child = false;
        for (int place = 0; place < PLACES; place++) {
            kind k = rows[i].h[place];
            has_child |= k == TABLE || k == BATCH || k == QUERY || k == SCAN || k == CURSOR;
        }
        world w = world_new();
        assert_int_equal(stator_close(w.h[DB], NULL), STATOR_OK);
        if (has_child) {
            call *c = prepare(&rows[i], &w);
            expect_refused(&rows[i], "a child of a closed database", rows[i].call(&c->a),
                           STATOR_CLOSED);
        }
        world_free(&w);
    }
}

static void a_child_of_a_closed_database_is_closed_after_it_was_opened_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        kind k = rows[i].h[0];
        if (k == TABLE || k == BATCH || k == QUERY || k == SCAN || k == CURSOR) {
            world old = world_new();
            assert_int_equal(stator_close(old.h[DB], NULL), STATOR_OK);
            world w = world_new();
            call *c = prepare(&rows[i], &w);
            c->a.h[0] = old.h[k];
            expect_refused(&rows[i], "a child of an earlier opening", rows[i].call(&c->a),
                           STATOR_CLOSED);
            world_free(&old);
            assert_true(is_alive(&w));
            world_free(&w);
        }
    }
}

/* Type, salt and the upper half of the generation: no such handle was ever made. */
static void forged_handles_are_told(void **state)
{
    (void)state;
    world w = world_new();
    const unsigned bits = 8 * sizeof(void *);
    for (size_t i = 0; i < row_count; i++) {
        for (int place = 0; place < PLACES && rows[i].h[place] != NONE; place++) {
            for (unsigned bit = bits * 5 / 8; bit < bits; bit++) {
                call *c = prepare(&rows[i], &w);
                c->a.h[place] = (void *)((uintptr_t)c->a.h[place] ^ (uintptr_t)1 << bit);
                expect_refused(&rows[i], "a forged handle", rows[i].call(&c->a), STATOR_MISUSE);
            }
            static const uintptr_t others[] = {1, 0x1000, UINTPTR_MAX, UINTPTR_MAX / 2};
            for (size_t j = 0; j < sizeof others / sizeof others[0]; j++) {
                call *c = prepare(&rows[i], &w);
                c->a.h[place] = (void *)others[j];
                expect_refused(&rows[i], "a forged handle", rows[i].call(&c->a), STATOR_MISUSE);
            }
        }
    }
    assert_true(is_alive(&w));
    world_free(&w);
}

static void impossible_lengths_are_refused_before_memory_is_touched(void **state)
{
    (void)state;
    static const struct {
        const void *bytes;
        size_t length;
    } bad[] = {{"1", SIZE_MAX}, {"1", ((size_t)1 << 30) + 1}, {NULL, 1}, {NULL, SIZE_MAX}};
    for (size_t i = 0; i < row_count; i++) {
        for (size_t j = 0; (rows[i].flags & BYTES) && j < sizeof bad / sizeof bad[0]; j++) {
            world w = world_new();
            if (strcmp(rows[i].name, "stator_schema_partition") == 0) {
                stator_schema_free(w.h[SCHEMA]);
                assert_int_equal(stator_schema_new((stator_schema **)&w.h[SCHEMA]), STATOR_OK);
            }
            call *c = prepare(&rows[i], &w);
            c->list.type = STATOR_TYPE_M;
            c->list.data = "\x0a\0\0\0\0\0\0\0";
            c->list.data_bytes = 8;
            c->a.bytes = bad[j].bytes;
            c->a.length = bad[j].length;
            expect_refused(&rows[i], "an impossible length", rows[i].call(&c->a),
                           STATOR_INVALID_ARGUMENT);
            if (rows[i].flags & BUILDER) {
                c->a.bytes = "1";
                c->a.length = 1;
                expect(&rows[i], "an earlier error", rows[i].call(&c->a), STATOR_INVALID_ARGUMENT);
            }
            world_free(&w);
        }
    }
}

static void outputs_may_not_be_null(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        for (unsigned flag = OUT; flag <= RECORD; flag <<= 1) {
            if (rows[i].flags & flag) {
                world w = world_new();
                call *c = prepare(&rows[i], &w);
                c->a.out = flag == OUT ? NULL : c->a.out;
                c->a.out_size = flag == OUT_SIZE ? NULL : c->a.out_size;
                c->a.structure = flag == RECORD ? NULL : c->a.structure;
                expect(&rows[i], "NULL for an output", rows[i].call(&c->a), STATOR_MISUSE);
                world_free(&w);
            }
        }
    }
}

static void structures_are_size_first(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0, 1, 4, 7, 65537, UINT32_MAX};
    for (size_t i = 0; i < row_count; i++) {
        if (!(rows[i].flags & (STRUCTURE | RECORD))) {
            continue;
        }
        world w = world_new();
        bool is_value = strncmp(rows[i].name, "stator_value", 12) == 0;
        for (size_t j = 0; !is_value && j < sizeof bad / sizeof bad[0]; j++) {
            call *c = prepare(&rows[i], &w);
            c->structure.struct_size = bad[j];
            expect(&rows[i], "a bad struct_size", rows[i].call(&c->a), STATOR_INVALID_ARGUMENT);
        }
        if (rows[i].flags & STRUCTURE) {
            call *c = prepare(&rows[i], &w);
            c->structure.struct_size = (uint32_t)rows[i].structure_bytes + 16;
            c->structure.bytes[rows[i].structure_bytes + 15] = 1;
            expect_refused(&rows[i], "an unknown option that is set", rows[i].call(&c->a),
                           STATOR_UNSUPPORTED);
        }
        world_free(&w);
    }
}

static void larger_structures_with_an_empty_tail_and_smaller_ones_are_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        bool is_tested = (rows[i].flags & (STRUCTURE | RECORD)) && rows[i].h[0] != NONE &&
                         strcmp(rows[i].name, "stator_batch_write") != 0 &&
                         strcmp(rows[i].name, "stator_batch_read") != 0;
        for (int larger = 0; is_tested && larger < 2; larger++) {
            world w = world_new();
            call *c = prepare(&rows[i], &w);
            c->a.bytes = "p";
            c->structure.struct_size = larger ? (uint32_t)rows[i].structure_bytes + 64 : 8;
            if (larger && (rows[i].flags & RECORD)) {
                memset(c->structure.bytes + rows[i].structure_bytes, 0xaa, 64);
            }
            expect(&rows[i], larger ? "a larger structure" : "a smaller structure",
                   rows[i].call(&c->a), STATOR_OK);
            for (size_t at = 0; larger && at < 64; at++) { /* nothing unknown is left in it */
                assert_int_equal(c->structure.bytes[rows[i].structure_bytes + at], 0);
            }
            if (!larger) {
                for (size_t at = 8; (rows[i].flags & RECORD) && at < 64; at++) {
                    assert_int_equal(c->structure.bytes[at], 0); /* nothing behind its end */
                }
            }
            if ((rows[i].flags & OUT) && !(rows[i].flags & OUT_SIZE)) {
                stator_item_free(c->out);
            }
            world_free(&w);
        }
    }
}

static void a_forked_child_may_not_use_its_parents_handles(void **state)
{
    (void)state;
    world w = world_new();
    int report[2];
    char text[200] = "";
    assert_int_equal(pipe(report), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        for (size_t i = 0; i < row_count; i++) {
            call *c = prepare(&rows[i], &w);
            stator_status status = rows[i].h[0] != NONE ? rows[i].call(&c->a) : STATOR_FORKED;
            if (!(rows[i].flags & FREES) && status != STATOR_FORKED) {
                int bytes = snprintf(text, sizeof text, "%s gives %s", rows[i].name,
                                     stator_status_name(status));
                _exit(write(report[1], text, (size_t)bytes) != bytes);
            }
        }
        _exit(0);
    }
    close(report[1]);
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    ssize_t bytes = read(report[0], text, sizeof text - 1);
    close(report[0]);
    if (bytes > 0) {
        fail_msg("in a forked child %s", text);
    }
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_true(is_alive(&w));
    world_free(&w);
}

/* ---- slots ----------------------------------------------------------------------------------- */

static void a_closed_handle_stays_closed_while_millions_come_and_go(void **state)
{
    (void)state;
    stator_schema *first, *other = NULL;
    assert_int_equal(stator_schema_new(&first), STATOR_OK);
    stator_schema_free(first);
    for (int i = 0; i < MANY; i++) {
        if (stator_schema_new(&other) != STATOR_OK || other == first) {
            fail_msg("handle %d", i);
        }
        stator_schema_free(other);
    }
    assert_int_equal(stator_schema_partition(first, "p", 1, STATOR_TYPE_S), STATOR_CLOSED);
    assert_int_equal(stator_schema_partition(other, "p", 1, STATOR_TYPE_S), STATOR_CLOSED);
}

static void many_handles_live_at_once_and_are_all_different(void **state)
{
    (void)state;
    enum { LIVE = 5000 };
    stator_schema **all = calloc(LIVE, sizeof *all);
    for (int i = 0; i < LIVE; i++) {
        assert_int_equal(stator_schema_new(&all[i]), STATOR_OK);
        assert_int_equal(stator_schema_partition(all[i], "p", 1, STATOR_TYPE_S), STATOR_OK);
    }
    for (int i = 0; i < LIVE; i++) { /* each still has a partition key of its own, and one only */
        assert_int_equal(stator_schema_sort(all[i], "s", 1, STATOR_TYPE_S), STATOR_OK);
        stator_schema_free(all[i]);
    }
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_exported_function_has_one_row),
        cmocka_unit_test(null_is_misuse),
        cmocka_unit_test(a_handle_of_another_kind_is_misuse),
        cmocka_unit_test(a_closed_or_freed_handle_is_closed),
        cmocka_unit_test(children_of_a_closed_database_are_closed_and_may_be_freed),
        cmocka_unit_test(a_child_of_a_closed_database_is_closed_after_it_was_opened_again),
        cmocka_unit_test(forged_handles_are_told),
        cmocka_unit_test(impossible_lengths_are_refused_before_memory_is_touched),
        cmocka_unit_test(outputs_may_not_be_null),
        cmocka_unit_test(structures_are_size_first),
        cmocka_unit_test(larger_structures_with_an_empty_tail_and_smaller_ones_are_accepted),
        cmocka_unit_test(a_forked_child_may_not_use_its_parents_handles),
        cmocka_unit_test(a_closed_handle_stays_closed_while_millions_come_and_go),
        cmocka_unit_test(many_handles_live_at_once_and_are_all_different),
    };
    return cmocka_run_group_tests_name("misuse", tests, NULL, NULL);
}
