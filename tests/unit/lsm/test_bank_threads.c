/* A bank: money moves between accounts under latches, in batches of two, at every level of
 * durability, while others sum up the accounts, flush, compact and verify. Whatever moment a
 * snapshot, a cursor or the end of the process shows, the sum is the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lsm/lsm.h"

#define BANK_ACCOUNTS 40
#define BANK_START 1000
#define BANK_TELLERS 4
#define BANK_AUDITORS 2

typedef struct bank {
    st_env *env;
    st_lsm *lsm;
    int transfers;
    _Atomic int tellers_left;
    _Atomic uint64_t moved; /* transfers that were acknowledged */
    _Atomic bool has_failed;
    char why[256];
} bank;

typedef struct bank_worker {
    bank *bank;
    uint64_t number;
} bank_worker;

static void bank_fail(bank *b, const char *what, const st_op *op)
{
    if (!atomic_exchange(&b->has_failed, true)) {
        snprintf(b->why, sizeof b->why, "%s: %.200s", what, op->error.message);
    }
}

static st_slice bank_key(uint64_t account, char room[24])
{
    return st_slice_of(room,
                       (size_t)snprintf(room, 24, "account %04llu", (unsigned long long)account));
}

static long bank_amount(st_slice value)
{
    char text[24] = "";
    memcpy(text, value.data, value.size < 23 ? value.size : 23);
    return strtol(text, NULL, 10);
}

static bool bank_read(bank *b, st_op *op, uint64_t account, uint64_t at, long *out_amount)
{
    char room[24];
    st_lsm_pin pin;
    st_slice value;
    bool is_found;
    st_status status =
        st_lsm_get(op, b->lsm, bank_key(account, room), at, &pin, &value, &is_found, NULL);
    bool is_ok = status == ST_OK && is_found;
    *out_amount = is_ok ? bank_amount(value) : 0;
    st_lsm_pin_release(&pin);
    return is_ok;
}

static void bank_put(st_lsm_batch *batch, uint64_t account, long amount)
{
    char room[24], text[24];
    snprintf(text, sizeof text, "%ld", amount);
    st_lsm_batch_put(batch, bank_key(account, room), st_slice_str(text));
}

/* One transfer: read both under latches, write both, wait without them. */
static bool bank_transfer(bank *b, st_op *op, uint64_t from, uint64_t to, st_durability level)
{
    char room[24];
    long amount_from, amount_to;
    uint64_t sequence = 0;
    st_lsm_latches latches;
    st_lsm_batch batch;
    st_lsm_latches_init(&latches);
    st_lsm_latches_add(&latches, bank_key(from, room));
    st_lsm_latches_add(&latches, bank_key(to, room));
    st_lsm_batch_init(&batch, st_alloc_process());
    st_lsm_latch(b->lsm, &latches);
    bool is_ok = bank_read(b, op, from, ST_LSM_APPLIED, &amount_from) &&
                 bank_read(b, op, to, ST_LSM_APPLIED, &amount_to);
    if (is_ok) {
        bank_put(&batch, from, amount_from - 7);
        bank_put(&batch, to, amount_to + 7);
        is_ok = st_lsm_write(op, b->lsm, &batch, level, &sequence) == ST_OK;
    }
    st_lsm_unlatch(b->lsm, &latches);
    is_ok =
        is_ok && st_lsm_wait(op, b->lsm, sequence) == ST_OK && st_lsm_published(b->lsm) >= sequence;
    st_lsm_batch_deinit(&batch);
    return is_ok;
}

static void bank_teller(void *arg)
{
    bank_worker *worker = arg;
    bank *b = worker->bank;
    st_rng rng;
    st_op op;
    st_rng_seed(&rng, worker->number);
    st_op_init(&op, st_alloc_process());
    for (int i = 0; i < b->transfers && !atomic_load(&b->has_failed); i++) {
        uint64_t from = st_rng_below(&rng, BANK_ACCOUNTS);
        uint64_t to = (from + 1 + st_rng_below(&rng, BANK_ACCOUNTS - 1)) % BANK_ACCOUNTS;
        st_durability level = (st_durability)(ST_DURABILITY_SYNC + st_rng_below(&rng, 3));
        if (bank_transfer(b, &op, from, to, level)) {
            atomic_fetch_add(&b->moved, 1);
        } else {
            bank_fail(b, "transfer", &op);
        }
        st_arena_reset(&op.arena);
    }
    st_op_deinit(&op);
    atomic_fetch_sub(&b->tellers_left, 1);
}

static void bank_audit(bank *b, st_op *op, bool is_reverse)
{
    st_lsm_snapshot *snapshot;
    st_lsm_cursor *cursor = NULL;
    if (st_lsm_snapshot_open(op, b->lsm, &snapshot) != ST_OK) {
        bank_fail(b, "snapshot", op);
        return;
    }
    st_lsm_range range = {.snapshot = snapshot, .is_reverse = is_reverse};
    bool valid = st_lsm_cursor_open(op, b->lsm, &range, &cursor) == ST_OK;
    long by_cursor = 0, by_get = 0, amount;
    int accounts = 0;
    while (valid) {
        st_slice key, value;
        if (st_lsm_cursor_next(op, cursor, &valid, &key, &value) != ST_OK) {
            bank_fail(b, "cursor", op);
        } else if (valid) {
            by_cursor += bank_amount(value);
            accounts++;
        }
    }
    st_lsm_cursor_close(cursor);
    for (uint64_t i = 0; i < BANK_ACCOUNTS; i++) {
        if (!bank_read(b, op, i, st_lsm_snapshot_sequence(snapshot), &amount)) {
            bank_fail(b, "get at a snapshot", op);
        }
        by_get += amount;
    }
    st_lsm_snapshot_close(snapshot);
    if (accounts != BANK_ACCOUNTS || by_cursor != BANK_ACCOUNTS * BANK_START ||
        by_get != by_cursor) {
        st_op_clear(op);
        (void)!st_fail(op, ST_INTERNAL, "%d accounts, %ld by cursor, %ld by get", accounts,
                       by_cursor, by_get);
        bank_fail(b, "the sum", op);
    }
}

static void bank_auditor(void *arg)
{
    bank_worker *worker = arg;
    bank *b = worker->bank;
    st_op op;
    st_op_init(&op, st_alloc_process());
    for (uint64_t i = worker->number;
         atomic_load(&b->tellers_left) > 0 && !atomic_load(&b->has_failed); i++) {
        bank_audit(b, &op, i % 2 == 0);
        st_arena_reset(&op.arena);
    }
    st_op_deinit(&op);
}

static void bank_say_nothing(void *ctx, const char *line)
{
    (void)ctx, (void)line;
}

/* Flushes, compactions and verifications on request, beside those that come by themselves. */
static void bank_caretaker(void *arg)
{
    bank *b = ((bank_worker *)arg)->bank;
    st_op op;
    st_lsm_stats stats;
    st_op_init(&op, st_alloc_process());
    for (int i = 0; atomic_load(&b->tellers_left) > 0 && !atomic_load(&b->has_failed); i++) {
        st_status status = i % 4 == 0   ? st_lsm_flush(&op, b->lsm)
                           : i % 4 == 1 ? st_lsm_verify(&op, b->lsm, bank_say_nothing, NULL)
                           : i % 4 == 2 ? st_lsm_wait_idle(&op, b->lsm)
                                        : st_lsm_compact(&op, b->lsm);
        st_lsm_stats_read(b->lsm, &stats);
        if (status != ST_OK) {
            bank_fail(b, "care", &op);
        }
        st_arena_reset(&op.arena);
    }
    st_op_deinit(&op);
}

static void bank_open(bank *b, st_op *op, const char *path)
{
    st_lsm_options options;
    st_lsm_options_init(&options);
    options.env = b->env;
    options.alloc = st_alloc_process();
    options.path = path;
    options.memory_budget_bytes = 1 << 20;
    options.memtable_bytes = 32768;
    options.file_bytes = 8192;
    options.interval_ms = 1;
    if (st_lsm_open(op, &options, &b->lsm) != ST_OK) {
        fail_msg("open: %s", op->error.message);
    }
}

static void bank_found(bank *b, st_op *op)
{
    st_lsm_batch batch;
    uint64_t sequence;
    st_lsm_batch_init(&batch, st_alloc_process());
    for (uint64_t i = 0; i < BANK_ACCOUNTS; i++) {
        bank_put(&batch, i, BANK_START);
    }
    assert_int_equal(st_lsm_write(op, b->lsm, &batch, ST_DURABILITY_SYNC, &sequence), ST_OK);
    assert_int_equal(st_lsm_wait(op, b->lsm, sequence), ST_OK);
    st_lsm_batch_deinit(&batch);
}

static void bank_run(bank *b, st_op *op)
{
    enum { WORKERS = BANK_TELLERS + BANK_AUDITORS + 1 };
    bank_worker workers[WORKERS];
    st_thread *threads[WORKERS];
    atomic_store(&b->tellers_left, BANK_TELLERS);
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (bank_worker){b, (uint64_t)i};
        void (*run)(void *) = i < BANK_TELLERS  ? bank_teller
                              : i + 1 < WORKERS ? bank_auditor
                                                : bank_caretaker;
        assert_int_equal(st_env_thread_start(op, b->env, "bank", run, &workers[i], &threads[i]),
                         ST_OK);
    }
    for (int i = 0; i < WORKERS; i++) {
        st_env_thread_join(threads[i]);
    }
    if (atomic_load(&b->has_failed)) {
        fail_msg("%s", b->why);
    }
}

static void bank_test(st_env *env, const char *path, int transfers)
{
    bank b = {.env = env, .transfers = transfers};
    st_op op;
    st_op_init(&op, st_alloc_process());
    bank_open(&b, &op, path);
    bank_found(&b, &op);
    for (int opening = 0; opening < 3; opening++) {
        bank_run(&b, &op);
        bank_audit(&b, &op, false);
        assert_false(atomic_load(&b.has_failed));
        assert_int_equal(st_lsm_close(&op, b.lsm), ST_OK);
        bank_open(&b, &op, path);
        bank_audit(&b, &op, true);
        assert_false(atomic_load(&b.has_failed));
    }
    assert_int_equal(atomic_load(&b.moved), 3 * BANK_TELLERS * transfers);
    assert_int_equal(st_lsm_applied(b.lsm), 1 + 3 * BANK_TELLERS * transfers);
    assert_int_equal(st_lsm_close(&op, b.lsm), ST_OK);
    st_op_deinit(&op);
}

static void test_the_sum_is_the_same_at_every_moment_in_memory(void **state)
{
    (void)state;
    st_op op;
    st_env *env;
    st_op_init(&op, st_alloc_process());
    assert_int_equal(st_env_memory_create(&op, st_alloc_process(), &env), ST_OK);
    bank_test(env, "/bank", 400);
    st_env_destroy(env);
    st_op_deinit(&op);
}

static void test_the_sum_is_the_same_at_every_moment_on_disk(void **state)
{
    (void)state;
    char path[] = "/tmp/stator-bank-XXXXXX", command[64];
    assert_non_null(mkdtemp(path));
    bank_test(st_env_posix(), path, 100);
    snprintf(command, sizeof command, "rm -rf %s", path);
    assert_int_equal(system(command), 0);
}

/* Level 0 fills while a damaged file keeps the worker from merging it: the writer that would wait
 * for room is told instead. */
static void test_a_writer_does_not_wait_for_what_cannot_be(void **state)
{
    (void)state;
    st_op op;
    bank b = {.transfers = 0};
    st_file *file;
    st_lsm_batch batch;
    st_op_init(&op, st_alloc_process());
    assert_int_equal(st_env_memory_create(&op, st_alloc_process(), &b.env), ST_OK);
    bank_open(&b, &op, "/bank");
    bank_found(&b, &op);
    assert_int_equal(st_lsm_flush(&op, b.lsm), ST_OK);
    assert_int_equal(st_lsm_close(&op, b.lsm), ST_OK);
    st_buf names;
    st_buf_init(&names, st_alloc_process());
    assert_int_equal(st_env_list(&op, b.env, "/bank", &names), ST_OK);
    const char *name = (const char *)names.data;
    while (!strstr(name, ".sst")) {
        name += strlen(name) + 1;
    }
    char path[64];
    snprintf(path, sizeof path, "/bank/%s", name);
    st_buf_deinit(&names);
    assert_int_equal(st_env_open(&op, b.env, path, ST_OPEN_WRITE, &file), ST_OK);
    assert_int_equal(st_file_write_at(&op, file, 100, "damaged", 7), ST_OK);
    st_file_close(file);
    bank_open(&b, &op, "/bank");
    st_lsm_batch_init(&batch, st_alloc_process());
    for (uint64_t i = 0; i < 200; i++) {
        bank_put(&batch, i, (long)i);
    }
    st_status status = ST_OK;
    for (int i = 0; status == ST_OK && i < 20000; i++) {
        status = st_lsm_write(&op, b.lsm, &batch, ST_DURABILITY_NONE, NULL);
    }
    st_lsm_batch_deinit(&batch);
    assert_int_equal(status, ST_CORRUPT);
    assert_non_null(strstr(op.error.message, path));
    st_op_clear(&op);
    assert_int_equal(st_lsm_close(&op, b.lsm), ST_OK);
    st_env_destroy(b.env);
    st_op_deinit(&op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_sum_is_the_same_at_every_moment_in_memory),
        cmocka_unit_test(test_the_sum_is_the_same_at_every_moment_on_disk),
        cmocka_unit_test(test_a_writer_does_not_wait_for_what_cannot_be),
    };
    return cmocka_run_group_tests_name("lsm_bank", tests, NULL, NULL);
}
