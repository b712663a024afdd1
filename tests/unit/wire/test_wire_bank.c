/* Transactions beside each other: tellers move money between accounts, auditors read all accounts
 * at once. No auditor ever sees another sum, no account is overdrawn, a token moves its money once,
 * and the index over the accounts says the same in the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/wire.h"

#define BANK_ACCOUNTS 8
#define BANK_START 100
#define BANK_TELLERS 12
#define BANK_AUDITORS 4
#define BANK_TRANSFERS 150
#define BANK_AUDITS 150

typedef struct bank_thread {
    st_database *database;
    st_thread *thread;
    uint64_t seed;
    uint32_t moved, refused;
    const char *failure;
} bank_thread;

static uint32_t bank_call(st_database *database, const char *operation, const char *body,
                          st_buf *answer)
{
    st_op op;
    st_wire_settings settings;
    uint32_t http_status = 0;
    st_op_init(&op, st_alloc_process());
    st_wire_settings_init(&settings);
    st_buf_clear(answer);
    if (st_wire_dispatch(&op, database, &settings, st_slice_str(operation), st_slice_str(body),
                         &http_status, answer) != ST_OK) {
        http_status = 0;
    }
    st_buf_byte(answer, '\0');
    st_op_deinit(&op);
    return http_status;
}

/* The sum of every {"N":"..."} of the answer. */
static long bank_sum(const st_buf *answer, bool *out_is_overdrawn)
{
    long sum = 0;
    const char *at = (const char *)answer->data;
    *out_is_overdrawn = false;
    while ((at = strstr(at, "\"bal\":{\"N\":\"")) != NULL) {
        at += strlen("\"bal\":{\"N\":\"");
        long balance = strtol(at, NULL, 10);
        *out_is_overdrawn |= balance < 0;
        sum += balance;
    }
    return sum;
}

/* ---- tellers ---------------------------------------------------------------------------- */

static void bank_transfer(bank_thread *self, st_rng *rng, uint32_t number, st_buf *answer)
{
    char body[1024];
    unsigned from = (unsigned)st_rng_below(rng, BANK_ACCOUNTS);
    unsigned to = (from + 1 + (unsigned)st_rng_below(rng, BANK_ACCOUNTS - 1)) % BANK_ACCOUNTS;
    unsigned amount = 1 + (unsigned)st_rng_below(rng, 60);
    snprintf(body, sizeof body,
             "{\"ClientRequestToken\":\"t-%llu-%u\",\"TransactItems\":[{\"Update\":{\"TableName\":"
             "\"bank\",\"Key\":{\"id\":{\"N\":\"%u\"}},\"UpdateExpression\":\"SET bal = bal - :a\","
             "\"ConditionExpression\":\"bal >= :a\",\"ExpressionAttributeValues\":{\":a\":{\"N\":"
             "\"%u\"}}}},{\"Update\":{\"TableName\":\"bank\",\"Key\":{\"id\":{\"N\":\"%u\"}},"
             "\"UpdateExpression\":\"SET bal = bal + :a\",\"ExpressionAttributeValues\":{\":a\":{"
             "\"N\":\"%u\"}}}}]}",
             (unsigned long long)self->seed, number, from, amount, to, amount);
    for (int again = 0; again < 2; again++) { /* its repetition changes nothing */
        uint32_t status = bank_call(self->database, "TransactWriteItems", body, answer);
        bool is_refused = status == 400 && strstr((const char *)answer->data,
                                                  "TransactionCanceledException") != NULL;
        if (status != 200 && !is_refused) {
            self->failure = "a transfer failed";
            return;
        }
        self->moved += status == 200 && again == 0;
        self->refused += is_refused;
        if (is_refused) {
            return; /* a failed call is not remembered */
        }
    }
}

static void bank_teller(void *arg)
{
    bank_thread *self = arg;
    st_rng rng;
    st_buf answer;
    st_rng_seed(&rng, self->seed);
    st_buf_init(&answer, st_alloc_process());
    for (uint32_t i = 0; i < BANK_TRANSFERS && !self->failure; i++) {
        bank_transfer(self, &rng, i, &answer);
    }
    st_buf_deinit(&answer);
}

/* ---- auditors --------------------------------------------------------------------------- */

static void bank_auditor(void *arg)
{
    bank_thread *self = arg;
    char body[1024] = "{\"TransactItems\":[";
    st_buf answer;
    bool is_overdrawn;
    st_buf_init(&answer, st_alloc_process());
    for (unsigned i = 0; i < BANK_ACCOUNTS; i++) {
        size_t at = strlen(body);
        snprintf(body + at, sizeof body - at,
                 "%s{\"Get\":{\"TableName\":\"bank\",\"Key\":{\"id\":{\"N\":\"%u\"}}}}",
                 i ? "," : "", i);
    }
    strcat(body, "]}");
    for (uint32_t i = 0; i < BANK_AUDITS && !self->failure; i++) {
        bool is_read = bank_call(self->database, "TransactGetItems", body, &answer) == 200;
        long sum = is_read ? bank_sum(&answer, &is_overdrawn) : 0;
        if (!is_read || sum != BANK_ACCOUNTS * BANK_START || is_overdrawn) {
            self->failure = !is_read                            ? "an audit failed"
                            : sum != BANK_ACCOUNTS * BANK_START ? "money came or went"
                                                                : "an account is overdrawn";
        }
    }
    st_buf_deinit(&answer);
}

/* ---- the bank --------------------------------------------------------------------------- */

static st_database *bank_open(void)
{
    st_op op;
    st_buf answer;
    st_database *database;
    st_database_options options;
    char body[256];
    st_op_init(&op, st_alloc_process());
    st_buf_init(&answer, st_alloc_process());
    st_database_options_init(&options);
    options.alloc = st_alloc_process();
    options.memtable_bytes = 65536; /* flushes and compactions beside them */
    assert_int_equal(st_database_open(&op, st_slice_str(":memory:"), &options, &database), ST_OK);
    assert_int_equal(
        bank_call(database, "CreateTable",
                  "{\"TableName\":\"bank\",\"AttributeDefinitions\":[{\"AttributeName\":\"id\","
                  "\"AttributeType\":\"N\"},{\"AttributeName\":\"bal\",\"AttributeType\":\"N\"}],"
                  "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],\"BillingMode\":"
                  "\"PAY_PER_REQUEST\",\"GlobalSecondaryIndexes\":[{\"IndexName\":\"by_balance\","
                  "\"KeySchema\":[{\"AttributeName\":\"bal\",\"KeyType\":\"HASH\"}],\"Projection\":"
                  "{\"ProjectionType\":\"ALL\"}}]}",
                  &answer),
        200);
    for (int i = 0; i < BANK_ACCOUNTS; i++) {
        snprintf(body, sizeof body,
                 "{\"TableName\":\"bank\",\"Item\":{\"id\":{\"N\":\"%d\"},\"bal\":{\"N\":\"%d\"}}}",
                 i, BANK_START);
        assert_int_equal(bank_call(database, "PutItem", body, &answer), 200);
    }
    st_buf_deinit(&answer);
    st_op_deinit(&op);
    return database;
}

static void bank_print_nothing(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
}

static void bank_close(st_database *database)
{
    st_op op;
    st_buf answer;
    bool is_overdrawn;
    st_op_init(&op, st_alloc_process());
    st_buf_init(&answer, st_alloc_process());
    assert_int_equal(bank_call(database, "Scan",
                               "{\"TableName\":\"bank\",\"IndexName\":\"by_balance\"}", &answer),
                     200);
    assert_int_equal(bank_sum(&answer, &is_overdrawn), BANK_ACCOUNTS * BANK_START);
    assert_int_equal(st_database_verify(&op, database, bank_print_nothing, NULL), ST_OK);
    assert_int_equal(st_database_close(&op, database), ST_OK);
    st_buf_deinit(&answer);
    st_op_deinit(&op);
}

static void test_transactions_keep_the_sum_of_a_bank(void **state)
{
    (void)state;
    bank_thread threads[BANK_TELLERS + BANK_AUDITORS] = {0};
    st_database *database = bank_open();
    uint32_t moved = 0, refused = 0;
    st_op op;
    st_op_init(&op, st_alloc_process());
    for (size_t i = 0; i < BANK_TELLERS + BANK_AUDITORS; i++) {
        threads[i].database = database;
        threads[i].seed = i + 1;
        assert_int_equal(st_env_thread_start(&op, st_database_env(database), "bank",
                                             i < BANK_TELLERS ? bank_teller : bank_auditor,
                                             &threads[i], &threads[i].thread),
                         ST_OK);
    }
    for (size_t i = 0; i < BANK_TELLERS + BANK_AUDITORS; i++) {
        st_env_thread_join(threads[i].thread);
        moved += threads[i].moved;
        refused += threads[i].refused;
    }
    for (size_t i = 0; i < BANK_TELLERS + BANK_AUDITORS; i++) {
        if (threads[i].failure) {
            fail_msg("%s", threads[i].failure);
        }
    }
    assert_true(moved > 0 && refused > 0);
    bank_close(database);
    st_op_deinit(&op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transactions_keep_the_sum_of_a_bank),
    };
    return cmocka_run_group_tests_name("wire_bank", tests, NULL, NULL);
}
