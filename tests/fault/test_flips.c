/* Every single bit of every file of a database turned over, every file cut at every length, every
 * file removed: opening and reading everything then gives the same answers as before, or CORRUPT
 * with the name of the file.
 *
 * The database is small and has all that a file can hold: two levels of sorted files, a range
 * delete, a manifest, CURRENT, and a log with frames. It was closed in good order, so that nothing
 * may be missing. The same log after a crash may end early at the damage, but not before the
 * sequence that it records as durable.
 *
 * Zeros behind the frames are cut and turned over at steps; STATOR_LONG=1 takes all of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lsm/lsm.h"
#include "support/simfs.h"

#define FLIP_KEYS 20
#define FLIP_COMMITS_MAX 64

typedef struct flip_case {
    simfs *sim;
    st_buf answers[FLIP_COMMITS_MAX]; /* after each commit */
    uint64_t last;                    /* commit */
    uint64_t durable;                 /* none up to it may be missing */
    uint64_t tried, refused, shorter;
} flip_case;

static st_status flip_open(st_op *op, simfs *sim, bool read_only, st_lsm **out_lsm)
{
    st_lsm_options options;
    st_lsm_options_init(&options);
    options.env = simfs_env(sim);
    options.alloc = st_alloc_process();
    options.path = "/db";
    options.read_only = read_only;
    options.inline_background = true;
    options.memory_budget_bytes = 1 << 20;
    return st_lsm_open(op, &options, out_lsm);
}

static st_slice flip_key(int number, char room[16])
{
    return st_slice_of(room, (size_t)snprintf(room, 16, "key %02d", number));
}

/* ---- answers ---------------------------------------------------------------------------- */

static st_status flip_read_gets(st_op *op, st_lsm *lsm, st_buf *out)
{
    for (int i = 0; i < FLIP_KEYS + 5; i++) {
        char room[16];
        st_lsm_pin pin;
        st_slice value;
        bool is_found;
        st_status status =
            st_lsm_get(op, lsm, flip_key(i, room), ST_LSM_PUBLISHED, &pin, &value, &is_found, NULL);
        st_buf_byte(out, is_found);
        st_buf_slice(out, value);
        st_lsm_pin_release(&pin);
        ST_TRY(status);
    }
    return ST_OK;
}

static st_status flip_read_cursor(st_op *op, st_lsm *lsm, bool is_reverse, st_buf *out)
{
    st_lsm_range range = {.is_reverse = is_reverse};
    st_lsm_cursor *cursor;
    ST_TRY(st_lsm_cursor_open(op, lsm, &range, &cursor));
    bool valid = true;
    st_status status = ST_OK;
    while (status == ST_OK && valid) {
        st_slice key, value;
        status = st_lsm_cursor_next(op, cursor, &valid, &key, &value);
        if (status == ST_OK && valid) {
            st_buf_slice(out, key);
            st_buf_slice(out, value);
        }
    }
    st_lsm_cursor_close(cursor);
    return status;
}

static st_status flip_read(st_op *op, st_lsm *lsm, st_buf *out)
{
    ST_TRY(flip_read_gets(op, lsm, out));
    ST_TRY(flip_read_cursor(op, lsm, false, out));
    return flip_read_cursor(op, lsm, true, out);
}

/* ---- the database ----------------------------------------------------------------------- */

static void flip_commit(flip_case *c, st_lsm *lsm, int from, int count, bool is_delete)
{
    st_op op;
    st_lsm_batch batch;
    uint64_t sequence;
    st_op_init(&op, st_alloc_process());
    st_lsm_batch_init(&batch, st_alloc_process());
    for (int i = from; i < from + count; i++) {
        char room[16], text[64];
        int bytes = snprintf(text, sizeof text, "value %d of commit %d", i, (int)c->last + 1);
        if (is_delete) {
            st_lsm_batch_delete(&batch, flip_key(i, room));
        } else {
            st_lsm_batch_put(&batch, flip_key(i, room), st_slice_of(text, (size_t)bytes));
        }
    }
    assert_int_equal(st_lsm_write(&op, lsm, &batch, ST_DURABILITY_NONE, &sequence), ST_OK);
    assert_int_equal(st_lsm_wait(&op, lsm, sequence), ST_OK);
    assert_int_equal(sequence, ++c->last);
    st_lsm_batch_deinit(&batch);
    assert_int_equal(flip_read(&op, lsm, &c->answers[c->last]), ST_OK);
    st_op_deinit(&op);
}

static void flip_delete_range(flip_case *c, st_lsm *lsm, int from, int to)
{
    st_op op;
    st_lsm_batch batch;
    char room[16], room2[16];
    st_op_init(&op, st_alloc_process());
    st_lsm_batch_init(&batch, st_alloc_process());
    st_lsm_batch_delete_range(&batch, flip_key(from, room), flip_key(to, room2));
    assert_int_equal(st_lsm_write(&op, lsm, &batch, ST_DURABILITY_SYNC, NULL), ST_OK);
    assert_int_equal(st_lsm_wait(&op, lsm, ++c->last), ST_OK);
    st_lsm_batch_deinit(&batch);
    assert_int_equal(flip_read(&op, lsm, &c->answers[c->last]), ST_OK);
    st_op_deinit(&op);
}

static void flip_fill(flip_case *c, st_lsm *lsm)
{
    st_op op;
    st_op_init(&op, st_alloc_process());
    flip_commit(c, lsm, 0, FLIP_KEYS, false);
    flip_commit(c, lsm, 3, 4, false);
    assert_int_equal(st_lsm_compact(&op, lsm), ST_OK);
    flip_commit(c, lsm, 10, 5, false);
    flip_commit(c, lsm, 1, 3, true);
    flip_delete_range(c, lsm, 12, 14);
    assert_int_equal(st_lsm_flush(&op, lsm), ST_OK);
    st_lsm_stats stats;
    st_lsm_stats_read(lsm, &stats);
    assert_true(stats.level_files[0] > 0 && stats.level_files[1] > 0);
    flip_commit(c, lsm, 16, 2, false);
    flip_delete_range(c, lsm, 5, 7); /* durable, and recorded so by the frames behind it */
    c->durable = c->last;
    flip_commit(c, lsm, 8, 1, true);
    flip_commit(c, lsm, 2, 3, false);
    st_op_deinit(&op);
}

static int flip_setup(void **state)
{
    flip_case *c = calloc(1, sizeof *c);
    st_op op;
    st_lsm *lsm;
    for (int i = 0; i < FLIP_COMMITS_MAX; i++) {
        st_buf_init(&c->answers[i], st_alloc_process());
    }
    st_op_init(&op, st_alloc_process());
    simfs *sim = simfs_create(7);
    assert_int_equal(flip_open(&op, sim, false, &lsm), ST_OK);
    flip_fill(c, lsm);
    if (*state) { /* as after the end of the process */
        c->sim = simfs_after(sim, SIMFS_KILL, 0);
    }
    assert_int_equal(st_lsm_close(&op, lsm), ST_OK);
    if (!c->sim) {
        c->durable = c->last;
        c->sim = simfs_clone(sim);
    }
    simfs_destroy(sim);
    st_op_deinit(&op);
    *state = c;
    return 0;
}

static int flip_setup_crashed(void **state)
{
    static int flip_is_crashed;
    *state = &flip_is_crashed;
    return flip_setup(state);
}

static int flip_teardown(void **state)
{
    flip_case *c = *state;
    for (int i = 0; i < FLIP_COMMITS_MAX; i++) {
        st_buf_deinit(&c->answers[i]);
    }
    simfs_destroy(c->sim);
    free(c);
    return 0;
}

/* ---- trials ----------------------------------------------------------------------------- */

/* Opens the damaged image and reads everything; says what is wrong with the outcome, or NULL. */
static const char *flip_outcome(flip_case *c, st_op *op, simfs *sim, bool read_only,
                                const char *name)
{
    st_lsm *lsm = NULL;
    st_buf answer;
    uint64_t applied = 0;
    st_buf_init(&answer, st_alloc_process());
    st_status status = flip_open(op, sim, read_only, &lsm);
    if (status == ST_OK) {
        applied = st_lsm_applied(lsm);
        status = flip_read(op, lsm, &answer);
        st_op quiet;
        st_op_init(&quiet, st_alloc_process());
        (void)st_lsm_close(&quiet, lsm);
        st_op_deinit(&quiet);
    }
    const char *wrong = NULL;
    if (status != ST_OK) {
        c->refused++;
        wrong = status != ST_CORRUPT               ? "the status is not CORRUPT"
                : !strstr(op->error.message, name) ? "the file is not named"
                                                   : NULL;
    } else if (applied < c->durable || applied > c->last) {
        wrong = "OK, but commits are missing";
    } else if (!st_slice_equal(st_buf_view(&answer), st_buf_view(&c->answers[applied]))) {
        wrong = "OK, but the answers are others";
    }
    c->shorter += status == ST_OK && applied < c->last;
    st_buf_deinit(&answer);
    return wrong;
}

static void flip_try(flip_case *c, simfs *sim, bool read_only, const char *path, const char *how,
                     uint64_t at)
{
    st_op op;
    st_op_init(&op, st_alloc_process());
    const char *name = path + strlen("/db/");
    if (strcmp(how, "missing") == 0 && strstr(path, ".log")) {
        name = "a log segment is missing"; /* nothing that is left knows its name */
    }
    const char *wrong = flip_outcome(c, &op, sim, read_only, name);
    c->tried++;
    if (wrong) {
        fail_msg("%s %s %llu: %s: %s", path, how, (unsigned long long)at, wrong, op.error.message);
    }
    st_op_deinit(&op);
}

static bool flip_is_long(void)
{
    const char *is_long = getenv("STATOR_LONG");
    return is_long && is_long[0] == '1';
}

/* How many bytes from the beginning are taken one by one. */
static uint64_t flip_dense_bytes(const flip_case *c, const char *path)
{
    uint64_t bytes = simfs_size(c->sim, path);
    while (!flip_is_long() && bytes > 0 && simfs_byte(c->sim, path, bytes - 1) == 0) {
        bytes--;
    }
    return bytes + 64 < simfs_size(c->sim, path) ? bytes + 64 : simfs_size(c->sim, path);
}

static void flip_report(const flip_case *c, const char *what)
{
    print_message("%llu %s: %llu refused, %llu with the same answers, %llu with a shorter log\n",
                  (unsigned long long)c->tried, what, (unsigned long long)c->refused,
                  (unsigned long long)(c->tried - c->refused - c->shorter),
                  (unsigned long long)c->shorter);
    assert_true(c->refused > 0);
}

static void flip_all_bits(flip_case *c)
{
    const char *path;
    for (size_t i = 0; (path = simfs_name(c->sim, i)) != NULL; i++) {
        uint64_t dense = 8 * flip_dense_bytes(c, path);
        for (uint64_t bit = 0; bit < 8 * simfs_size(c->sim, path);
             bit += bit < dense ? 1 : 8 * 61 + 1) {
            simfs_flip(c->sim, path, bit);
            flip_try(c, c->sim, true, path, "with bit", bit);
            simfs_flip(c->sim, path, bit);
        }
    }
}

static void every_bit_of_every_file_counts(void **state)
{
    flip_case *c = *state;
    flip_all_bits(c);
    assert_int_equal(c->shorter, 0);
    flip_report(c, "bits turned over");
}

static void every_bit_of_a_crashed_database_counts_up_to_the_durable_frontier(void **state)
{
    flip_case *c = *state;
    flip_all_bits(c);
    assert_true(c->shorter > 0);
    flip_report(c, "bits turned over after a crash");
}

static void writers_are_refused_like_readers(void **state)
{
    flip_case *c = *state;
    const char *path;
    for (size_t i = 0; (path = simfs_name(c->sim, i)) != NULL; i++) {
        uint64_t bytes = flip_dense_bytes(c, path);
        for (uint64_t at = 0; at < bytes; at++) {
            simfs *copy = simfs_clone(c->sim);
            simfs_flip(copy, path, 8 * at + at % 8);
            flip_try(c, copy, false, path, "with byte", at);
            simfs_destroy(copy);
        }
    }
    flip_report(c, "bytes damaged before opening for writing");
}

static void every_length_of_every_file_counts(void **state)
{
    flip_case *c = *state;
    const char *path;
    for (size_t i = 0; (path = simfs_name(c->sim, i)) != NULL; i++) {
        uint64_t dense = flip_dense_bytes(c, path);
        for (uint64_t bytes = 0; bytes < simfs_size(c->sim, path);
             bytes += bytes < dense ? 1 : 509) {
            simfs *copy = simfs_clone(c->sim);
            simfs_cut(copy, path, bytes);
            flip_try(c, copy, true, path, "cut to", bytes);
            simfs_destroy(copy);
        }
    }
    flip_report(c, "files cut short");
}

static void every_file_is_missed(void **state)
{
    flip_case *c = *state;
    const char *path;
    for (size_t i = 0; (path = simfs_name(c->sim, i)) != NULL; i++) {
        for (int read_only = 0; read_only < 2; read_only++) {
            simfs *copy = simfs_clone(c->sim);
            st_op op;
            st_op_init(&op, st_alloc_process());
            assert_int_equal(st_env_remove(&op, simfs_env(copy), path), ST_OK);
            st_op_deinit(&op);
            flip_try(c, copy, read_only, path, "missing", (uint64_t)read_only);
            simfs_destroy(copy);
        }
    }
    flip_report(c, "files removed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_bit_of_every_file_counts, flip_setup, flip_teardown),
        cmocka_unit_test_setup_teardown(
            every_bit_of_a_crashed_database_counts_up_to_the_durable_frontier, flip_setup_crashed,
            flip_teardown),
        cmocka_unit_test_setup_teardown(writers_are_refused_like_readers, flip_setup,
                                        flip_teardown),
        cmocka_unit_test_setup_teardown(every_length_of_every_file_counts, flip_setup,
                                        flip_teardown),
        cmocka_unit_test_setup_teardown(every_file_is_missed, flip_setup, flip_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
