/* A crash at every call that changes a file or a name, in every state the disk may be left in.
 *
 * One run of a mixed workload stands for all crashes: before each mutating call takes effect the
 * file system is copied as each state leaves it, and the copy is opened. What must hold then:
 * the content is that after some commit, wholly; no commit is missing that was acknowledged as
 * durable, and after the end of the process none that was acknowledged at all; and the database is
 * of use: it takes a write, which survives the next crash, and every file passes verification.
 *
 * STATOR_LONG=1 in the environment runs 500 operations under several seeds.
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

#define CRASH_KEYS 60
#define CRASH_COMMITS_MAX 512
#define CRASH_BATCH_MAX 4
#define CRASH_VALUE_ROOM 512

typedef struct crash_case {
    uint64_t seed;
    st_rng rng;
    st_op op;
    simfs *sim;
    st_lsm *lsm;
    uint32_t issued;  /* commits that were begun */
    uint32_t with_os; /* the last one whose write returned OK */
    uint32_t durable; /* the last one that must survive power loss */
    uint64_t states, restarts_with_loss;
    /* after commit i: what wrote the key, as commit * CRASH_BATCH_MAX + place; 0: absent */
    uint16_t model[CRASH_COMMITS_MAX + 1][CRASH_KEYS];
} crash_case;

static void crash_check(st_op *op, st_status status, const char *what)
{
    if (status != ST_OK) {
        fail_msg("%s: %s: %s", what, st_status_name(status), op->error.message);
    }
}

static st_status crash_open(st_op *op, simfs *sim, st_lsm **out_lsm)
{
    st_lsm_options options;
    st_lsm_options_init(&options);
    options.env = simfs_env(sim);
    options.alloc = st_alloc_process();
    options.path = "/db";
    options.inline_background = true;
    options.memory_budget_bytes = 1 << 20;
    options.memtable_bytes = 24000;
    options.file_bytes = 8192;
    options.interval_ms = 100;
    return st_lsm_open(op, &options, out_lsm);
}

static st_slice crash_key(int number, char room[16])
{
    return st_slice_of(room, (size_t)snprintf(room, 16, "key %03d", number));
}

/* Long enough that files fill, and told from every other value. */
static st_slice crash_value(uint16_t writer, char room[CRASH_VALUE_ROOM])
{
    int bytes = snprintf(room, CRASH_VALUE_ROOM, "written by %u %0*d", writer,
                         40 + writer * 7 % 300, writer);
    return st_slice_of(room, (size_t)bytes);
}

/* ---- what is found ---------------------------------------------------------------------- */

static void crash_check_content(st_op *op, st_lsm *lsm, const uint16_t *model, const char *where)
{
    st_lsm_range range = {.to = st_slice_str("key 999")};
    st_lsm_cursor *cursor;
    crash_check(op, st_lsm_cursor_open(op, lsm, &range, &cursor), where);
    st_slice key, value;
    bool valid;
    char room[16], text[CRASH_VALUE_ROOM];
    for (int i = 0; i < CRASH_KEYS; i++) {
        if (model[i] == 0) {
            continue;
        }
        crash_check(op, st_lsm_cursor_next(op, cursor, &valid, &key, &value), where);
        if (!valid || !st_slice_equal(key, crash_key(i, room)) ||
            !st_slice_equal(value, crash_value(model[i], text))) {
            fail_msg("%s: key %d is not as commit %u left it", where, i,
                     (unsigned)model[i] / CRASH_BATCH_MAX);
        }
    }
    crash_check(op, st_lsm_cursor_next(op, cursor, &valid, &key, &value), where);
    if (valid) {
        fail_msg("%s: there is a key too many: %.*s", where, (int)key.size, (const char *)key.data);
    }
    st_lsm_cursor_close(cursor);
}

static void crash_put_extra(st_op *op, st_lsm *lsm, const char *where)
{
    st_lsm_batch batch;
    uint64_t sequence;
    st_lsm_batch_init(&batch, st_alloc_process());
    st_lsm_batch_put(&batch, st_slice_str("later"), st_slice_str("on"));
    crash_check(op, st_lsm_write(op, lsm, &batch, ST_DURABILITY_SYNC, &sequence), where);
    crash_check(op, st_lsm_wait(op, lsm, sequence), where);
    st_lsm_batch_deinit(&batch);
}

static void crash_check_extra(st_op *op, st_lsm *lsm, const char *where)
{
    st_lsm_pin pin;
    st_slice value;
    bool is_found;
    crash_check(
        op,
        st_lsm_get(op, lsm, st_slice_str("later"), ST_LSM_PUBLISHED, &pin, &value, &is_found, NULL),
        where);
    if (!is_found || !st_slice_equal(value, st_slice_str("on"))) {
        fail_msg("%s: a write after the crash is not found", where);
    }
    st_lsm_pin_release(&pin);
}

static void crash_print_nothing(void *ctx, const char *line)
{
    (void)ctx, (void)line;
}

static void crash_check_next_crash(const simfs *sim, uint64_t seed, const uint16_t *model,
                                   const char *where)
{
    simfs *after = simfs_after(sim, (simfs_state)(seed % SIMFS_CRASH_STATES), seed);
    st_op op;
    st_lsm *lsm;
    st_op_init(&op, st_alloc_process());
    crash_check(&op, crash_open(&op, after, &lsm), where);
    crash_check_content(&op, lsm, model, where);
    crash_check_extra(&op, lsm, where);
    crash_check(&op, st_lsm_verify(&op, lsm, crash_print_nothing, NULL), where);
    crash_check(&op, st_lsm_close(&op, lsm), where);
    st_op_deinit(&op);
    simfs_destroy(after);
}

static void crash_check_state(crash_case *c, simfs_state state)
{
    char where[128];
    snprintf(where, sizeof where, "seed %llu, mutating call %llu, state %d, commit %u",
             (unsigned long long)c->seed, (unsigned long long)simfs_mutations(c->sim), (int)state,
             (unsigned)c->issued);
    uint64_t seed = c->seed * 1000003 + simfs_mutations(c->sim) * 7 + (uint64_t)state;
    simfs *after = simfs_after(c->sim, state, seed);
    st_op op;
    st_lsm *lsm;
    st_op_init(&op, st_alloc_process());
    crash_check(&op, crash_open(&op, after, &lsm), where);
    uint64_t found = st_lsm_applied(lsm);
    uint32_t least = state == SIMFS_KILL ? c->with_os : c->durable;
    if (found < least || found > c->issued) {
        fail_msg("%s: %llu commits survived; at least %u must, at most %u can", where,
                 (unsigned long long)found, (unsigned)least, (unsigned)c->issued);
    }
    c->restarts_with_loss += found < c->with_os;
    crash_check_content(&op, lsm, c->model[found], where);
    crash_put_extra(&op, lsm, where);
    crash_check_extra(&op, lsm, where);
    if (simfs_mutations(c->sim) % SIMFS_ALL_STATES == (uint64_t)state) {
        crash_check_next_crash(after, seed, c->model[found], where);
    }
    crash_check(&op, st_lsm_close(&op, lsm), where);
    st_op_deinit(&op);
    simfs_destroy(after);
    c->states++;
}

static void crash_at_call(void *ctx)
{
    for (int state = 0; state < SIMFS_ALL_STATES; state++) {
        crash_check_state(ctx, (simfs_state)state);
    }
}

/* ---- the workload ----------------------------------------------------------------------- */

/* How far the log was synced by whatever reason. */
static void crash_note_durable(crash_case *c)
{
    st_lsm_stats stats;
    st_lsm_stats_read(c->lsm, &stats);
    c->durable =
        stats.durable_sequence > c->durable ? (uint32_t)stats.durable_sequence : c->durable;
}

static void crash_fill_batch(crash_case *c, st_lsm_batch *batch)
{
    uint16_t *model = c->model[c->issued];
    char room[16], room2[16], text[CRASH_VALUE_ROOM];
    int from = (int)st_rng_below(&c->rng, CRASH_KEYS - 10);
    if (st_rng_below(&c->rng, 20) == 0) {
        st_lsm_batch_delete_range(batch, crash_key(from, room), crash_key(from + 10, room2));
        memset(model + from, 0, 10 * sizeof *model);
        return;
    }
    uint32_t count = 1 + (uint32_t)st_rng_below(&c->rng, CRASH_BATCH_MAX);
    for (uint32_t i = 0; i < count; i++) {
        int number = (int)st_rng_below(&c->rng, CRASH_KEYS);
        model[number] = (uint16_t)(c->issued * CRASH_BATCH_MAX + i);
        if (st_rng_below(&c->rng, 4) == 0) {
            model[number] = 0;
            st_lsm_batch_delete(batch, crash_key(number, room));
        } else {
            st_lsm_batch_put(batch, crash_key(number, room), crash_value(model[number], text));
        }
    }
}

static void crash_commit(crash_case *c)
{
    st_durability level = (st_durability)(ST_DURABILITY_SYNC + st_rng_below(&c->rng, 3));
    st_lsm_batch batch;
    uint64_t sequence;
    st_lsm_batch_init(&batch, st_alloc_process());
    memcpy(c->model[c->issued + 1], c->model[c->issued], sizeof c->model[0]);
    c->issued++;
    crash_fill_batch(c, &batch);
    crash_check(&c->op, st_lsm_write(&c->op, c->lsm, &batch, level, &sequence), "write");
    assert_int_equal(sequence, c->issued);
    c->with_os = c->issued;
    crash_check(&c->op, st_lsm_wait(&c->op, c->lsm, sequence), "wait");
    c->durable = level == ST_DURABILITY_SYNC ? c->issued : c->durable;
    crash_note_durable(c);
    st_lsm_batch_deinit(&batch);
    st_op_deinit(&c->op);
    st_op_init(&c->op, st_alloc_process());
}

static void crash_run(uint64_t seed, uint32_t operations)
{
    crash_case *c = calloc(1, sizeof *c);
    c->seed = seed;
    c->sim = simfs_create(seed);
    st_rng_seed(&c->rng, seed);
    st_op_init(&c->op, st_alloc_process());
    simfs_on_mutation(c->sim, crash_at_call, c);
    crash_check(&c->op, crash_open(&c->op, c->sim, &c->lsm), "open");
    uint64_t flushes = 0, compactions = 0;
    for (uint32_t i = 1; i <= operations; i++) {
        crash_commit(c);
        if (i % 61 == 0) {
            crash_check(&c->op, st_lsm_flush(&c->op, c->lsm), "flush");
            c->durable = c->issued;
        }
        if (i % 97 == 0) {
            crash_check(&c->op, st_lsm_compact(&c->op, c->lsm), "compact");
            c->durable = c->issued;
        }
        if (i % 83 == 0 || i == operations) {
            st_lsm_stats stats;
            st_lsm_stats_read(c->lsm, &stats);
            flushes += stats.flushes;
            compactions += stats.compactions;
            crash_check(&c->op, st_lsm_close(&c->op, c->lsm), "close");
            c->durable = c->issued;
            crash_check(&c->op, crash_open(&c->op, c->sim, &c->lsm), "open again");
        }
    }
    crash_check_content(&c->op, c->lsm, c->model[c->issued], "at the end");
    crash_check(&c->op, st_lsm_close(&c->op, c->lsm), "close");
    print_message("%u operations, %llu mutating calls, %llu crash states opened, %llu with loss, "
                  "%llu flushes, %llu compactions\n",
                  (unsigned)operations, (unsigned long long)simfs_mutations(c->sim),
                  (unsigned long long)c->states, (unsigned long long)c->restarts_with_loss,
                  (unsigned long long)flushes, (unsigned long long)compactions);
    assert_true(flushes >= operations / 60 && compactions > 0);
    assert_true(c->restarts_with_loss > 0);
    st_op_deinit(&c->op);
    simfs_destroy(c->sim);
    free(c);
}

/* The same seen by the process that is still there when the disk goes: it is told, it can close,
 * and nothing that it was promised is lost. False when the run ended without a crash. */
static bool crash_run_into(uint64_t call)
{
    crash_case *c = calloc(1, sizeof *c);
    c->seed = call;
    c->sim = simfs_create(call);
    st_rng_seed(&c->rng, 77);
    simfs_crash_after(c->sim, call);
    st_op_init(&c->op, st_alloc_process());
    st_status status = crash_open(&c->op, c->sim, &c->lsm);
    for (uint32_t i = 1; status == ST_OK && i <= 100; i++) {
        st_lsm_batch batch;
        uint64_t sequence = 0;
        st_durability level = i % 3 ? ST_DURABILITY_NONE : ST_DURABILITY_SYNC;
        st_lsm_batch_init(&batch, st_alloc_process());
        memcpy(c->model[c->issued + 1], c->model[c->issued], sizeof c->model[0]);
        c->issued++;
        crash_fill_batch(c, &batch);
        status = st_lsm_write(&c->op, c->lsm, &batch, level, &sequence);
        status = status == ST_OK ? st_lsm_wait(&c->op, c->lsm, sequence) : status;
        c->durable = status == ST_OK && level == ST_DURABILITY_SYNC ? c->issued : c->durable;
        st_lsm_batch_deinit(&batch);
    }
    if (c->lsm) {
        uint32_t applied = (uint32_t)st_lsm_applied(c->lsm);
        st_status closed = st_lsm_close(&c->op, c->lsm);
        c->durable = closed == ST_OK ? applied : c->durable;
    }
    bool has_crashed = simfs_has_crashed(c->sim);
    assert_true(has_crashed || status == ST_OK);
    st_op_deinit(&c->op);
    simfs_restart(c->sim, (simfs_state)(call % SIMFS_CRASH_STATES), call);
    st_op_init(&c->op, st_alloc_process());
    crash_check(&c->op, crash_open(&c->op, c->sim, &c->lsm), "open after the crash");
    uint64_t found = st_lsm_applied(c->lsm);
    assert_in_range(found, c->durable, c->issued);
    crash_check_content(&c->op, c->lsm, c->model[found], "after the crash");
    crash_check(&c->op, st_lsm_close(&c->op, c->lsm), "close");
    st_op_deinit(&c->op);
    simfs_destroy(c->sim);
    free(c);
    return has_crashed;
}

static void a_process_that_outlives_its_disk_closes_and_has_lost_nothing(void **state)
{
    (void)state;
    uint64_t call = 1;
    while (crash_run_into(call)) {
        call++;
    }
    assert_true(call > 100);
    print_message("%llu runs into a crash\n", (unsigned long long)call - 1);
}

static void every_crash_leaves_a_whole_prefix_with_all_that_was_promised(void **state)
{
    (void)state;
    const char *is_long = getenv("STATOR_LONG");
    if (is_long && is_long[0] == '1') {
        for (uint64_t seed = 1; seed <= 4; seed++) {
            crash_run(seed, 500);
        }
    } else {
        crash_run(1, 500);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_that_outlives_its_disk_closes_and_has_lost_nothing),
        cmocka_unit_test(every_crash_leaves_a_whole_prefix_with_all_that_was_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
