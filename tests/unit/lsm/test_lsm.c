/* The store against a model: every answer is the same before a flush, after it, after compaction
 * and after reopening. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lsm/lsm.h"

#define KEYS 400

typedef struct model_entry {
    bool is_present;
    char value[64];
} model_entry;

typedef struct lsm_case {
    st_op op;
    st_env *env;
    bool is_memory;
    char path[64];
    st_lsm_options options;
    st_lsm *lsm;
    model_entry model[KEYS];
} lsm_case;

static void open_store(lsm_case *c)
{
    st_status status = st_lsm_open(&c->op, &c->options, &c->lsm);
    if (status != ST_OK) {
        fail_msg("open: %s", c->op.error.message);
    }
}

static void check(lsm_case *c, st_status status)
{
    if (status != ST_OK) {
        fail_msg("status %d: %s", (int)status, c->op.error.message);
    }
}

static int setup(void **state, bool is_memory)
{
    lsm_case *c = calloc(1, sizeof *c);
    st_op_init(&c->op, st_alloc_process());
    c->is_memory = is_memory;
    strcpy(c->path, "/tmp/stator-lsm-XXXXXX");
    if (is_memory) {
        check(c, st_env_memory_create(&c->op, st_alloc_process(), &c->env));
    } else {
        c->env = st_env_posix();
        assert_non_null(mkdtemp(c->path));
    }
    st_lsm_options_init(&c->options);
    c->options.env = c->env;
    c->options.alloc = st_alloc_process();
    c->options.path = c->path;
    c->options.inline_background = true;
    c->options.memory_budget_bytes = 1 << 20;
    c->options.memtable_bytes = 65536;
    c->options.file_bytes = 32768;
    c->options.durability = ST_DURABILITY_NONE;
    c->options.header = st_slice_str("header");
    open_store(c);
    *state = c;
    return 0;
}

static int setup_posix(void **state)
{
    return setup(state, false);
}

static int setup_memory(void **state)
{
    return setup(state, true);
}

static int teardown(void **state)
{
    lsm_case *c = *state;
    if (c->lsm) {
        check(c, st_lsm_close(&c->op, c->lsm));
    }
    if (c->is_memory) {
        st_env_destroy(c->env);
    } else {
        char command[128];
        snprintf(command, sizeof command, "rm -rf %s", c->path);
        assert_int_equal(system(command), 0);
    }
    st_op_deinit(&c->op);
    free(c);
    return 0;
}

static st_slice key_of(int number, char room[32])
{
    int bytes = snprintf(room, 32, "key/%c/%06d", 'a' + number % 3, number);
    return st_slice_of(room, (size_t)bytes);
}

/* ---- the model -------------------------------------------------------------------------- */

static int key_order(const void *a, const void *b)
{
    char x[32], y[32];
    return st_slice_compare(key_of(*(const int *)a, x), key_of(*(const int *)b, y));
}

static const int *sorted_keys(void)
{
    static int sorted[KEYS];
    if (sorted[1] == 0) {
        for (int i = 0; i < KEYS; i++) {
            sorted[i] = i;
        }
        qsort(sorted, KEYS, sizeof sorted[0], key_order);
    }
    return sorted;
}

static void mutate(lsm_case *c, st_rng *rng)
{
    st_lsm_batch batch;
    st_lsm_batch_init(&batch, st_alloc_process());
    char room[32], room2[32];
    uint64_t sequence;
    int count = 1 + (int)st_rng_below(rng, 4);
    for (int i = 0; i < count; i++) {
        int number = (int)st_rng_below(rng, KEYS);
        model_entry *entry = &c->model[number];
        uint64_t kind = st_rng_below(rng, 40);
        if (kind == 0 && i == 0) {
            const int *sorted = sorted_keys();
            int from = (int)st_rng_below(rng, KEYS - 20);
            for (int j = from; j < from + 15; j++) {
                c->model[sorted[j]].is_present = false;
            }
            st_lsm_batch_delete_range(&batch, key_of(sorted[from], room),
                                      key_of(sorted[from + 15], room2));
            break;
        }
        if (kind < 10) {
            entry->is_present = false;
            st_lsm_batch_delete(&batch, key_of(number, room));
        } else {
            entry->is_present = true;
            snprintf(entry->value, sizeof entry->value, "value %llu of %d %0*d",
                     (unsigned long long)st_rng_next(rng) % 1000, number,
                     (int)st_rng_below(rng, 30), 0);
            st_lsm_batch_put(&batch, key_of(number, room), st_slice_str(entry->value));
        }
    }
    check(c, st_lsm_write(&c->op, c->lsm, &batch, ST_DURABILITY_DEFAULT, &sequence));
    check(c, st_lsm_wait(&c->op, c->lsm, sequence));
    st_lsm_batch_deinit(&batch);
    st_arena_reset(&c->op.arena);
}

static void check_gets(lsm_case *c, const model_entry *model, uint64_t at)
{
    for (int i = 0; i < KEYS; i++) {
        char room[32];
        st_lsm_pin pin;
        st_slice value;
        bool is_found;
        check(c, st_lsm_get(&c->op, c->lsm, key_of(i, room), at, &pin, &value, &is_found, NULL));
        assert_int_equal(is_found, model[i].is_present);
        if (is_found) {
            assert_true(st_slice_equal(value, st_slice_str(model[i].value)));
        }
        st_lsm_pin_release(&pin);
    }
    st_arena_reset(&c->op.arena);
}

/* Walks [sorted[from], sorted[to]) in a direction, from a seek position when seek >= 0. */
static void check_walk(lsm_case *c, const model_entry *model, const st_lsm_snapshot *snapshot,
                       int from, int to, bool is_reverse, int seek)
{
    const int *sorted = sorted_keys();
    char room[32], room2[32], room3[32];
    st_lsm_range range = {.is_reverse = is_reverse, .snapshot = snapshot};
    range.from = from > 0 ? key_of(sorted[from], room) : (st_slice){0};
    range.to = to < KEYS ? key_of(sorted[to], room2) : (st_slice){0};
    st_lsm_cursor *cursor;
    check(c, st_lsm_cursor_open(&c->op, c->lsm, &range, &cursor));
    int at = is_reverse ? to - 1 : from;
    if (seek >= 0) {
        check(c, st_lsm_cursor_seek(&c->op, cursor, key_of(sorted[seek], room3)));
        at = is_reverse ? (seek < to - 1 ? seek : to - 1) : (seek > from ? seek : from);
    }
    bool valid;
    st_slice key, value;
    for (;;) {
        check(c, st_lsm_cursor_next(&c->op, cursor, &valid, &key, &value));
        while (at >= from && at < to && !model[sorted[at]].is_present) {
            at += is_reverse ? -1 : 1;
        }
        if (at < from || at >= to) {
            assert_false(valid);
            break;
        }
        assert_true(valid);
        assert_true(st_slice_equal(key, key_of(sorted[at], room3)));
        assert_true(st_slice_equal(value, st_slice_str(model[sorted[at]].value)));
        at += is_reverse ? -1 : 1;
    }
    st_lsm_cursor_close(cursor);
    st_arena_reset(&c->op.arena);
}

static void check_all(lsm_case *c, const model_entry *model, const st_lsm_snapshot *snapshot,
                      st_rng *rng)
{
    check_gets(c, model, snapshot ? st_lsm_snapshot_sequence(snapshot) : ST_LSM_PUBLISHED);
    for (int is_reverse = 0; is_reverse < 2; is_reverse++) {
        check_walk(c, model, snapshot, 0, KEYS, is_reverse, -1);
        for (int i = 0; i < 6; i++) {
            int from = (int)st_rng_below(rng, KEYS),
                to = from + (int)st_rng_below(rng, (uint64_t)(KEYS - from) + 1);
            check_walk(c, model, snapshot, from, to, is_reverse,
                       i % 2 ? (int)st_rng_below(rng, KEYS) : -1);
        }
    }
}

static void print_line(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
}

static void test_answers_never_depend_on_where_data_lies(void **state)
{
    lsm_case *c = *state;
    st_rng rng;
    st_rng_seed(&rng, 42);
    static model_entry kept[KEYS];
    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < 300; i++) {
            mutate(c, &rng);
        }
        check_all(c, c->model, NULL, &rng);
        st_lsm_snapshot *snapshot;
        check(c, st_lsm_snapshot_open(&c->op, c->lsm, &snapshot));
        memcpy(kept, c->model, sizeof kept);
        for (int i = 0; i < 100; i++) {
            mutate(c, &rng);
        }
        check(c, st_lsm_flush(&c->op, c->lsm));
        check_all(c, c->model, NULL, &rng);
        check_all(c, kept, snapshot, &rng);
        if (round % 3 == 0) {
            check(c, st_lsm_compact(&c->op, c->lsm));
        } else {
            check(c, st_lsm_wait_idle(&c->op, c->lsm));
        }
        check_all(c, c->model, NULL, &rng);
        check_all(c, kept, snapshot, &rng);
        st_lsm_snapshot_close(snapshot);
        check(c, st_lsm_verify(&c->op, c->lsm, print_line, NULL));
        for (int i = 0; i < 20; i++) {
            mutate(c, &rng);
        }
        check(c, st_lsm_close(&c->op, c->lsm));
        open_store(c);
        assert_true(st_slice_equal(st_lsm_header(c->lsm), st_slice_str("header")));
        check_all(c, c->model, NULL, &rng);
    }
    st_lsm_stats stats;
    st_lsm_stats_read(c->lsm, &stats);
    check(c, st_lsm_compact(&c->op, c->lsm));
    check_all(c, c->model, NULL, &rng);
}

static void test_children_outlive_the_store(void **state)
{
    lsm_case *c = *state;
    st_rng rng;
    st_rng_seed(&rng, 1);
    for (int i = 0; i < 50; i++) {
        mutate(c, &rng);
    }
    st_lsm_cursor *cursor;
    st_lsm_snapshot *snapshot;
    st_lsm_range range = {.is_reverse = false};
    check(c, st_lsm_snapshot_open(&c->op, c->lsm, &snapshot));
    check(c, st_lsm_cursor_open(&c->op, c->lsm, &range, &cursor));
    bool valid;
    st_slice key, value;
    check(c, st_lsm_cursor_next(&c->op, cursor, &valid, &key, &value));
    uint8_t first = key.data[0];
    check(c, st_lsm_close(&c->op, c->lsm));
    c->lsm = NULL;
    assert_int_equal(key.data[0], first);
    assert_int_equal(st_lsm_cursor_next(&c->op, cursor, &valid, &key, &value), ST_CLOSED);
    st_lsm_cursor_close(cursor);
    st_lsm_snapshot_close(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers_never_depend_on_where_data_lies, setup_memory,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_answers_never_depend_on_where_data_lies, setup_posix,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_children_outlive_the_store, setup_memory, teardown),
        cmocka_unit_test_setup_teardown(test_children_outlive_the_store, setup_posix, teardown),
    };
    return cmocka_run_group_tests_name("lsm", tests, NULL, NULL);
}
