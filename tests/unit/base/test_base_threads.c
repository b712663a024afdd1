/* base: what threads may do at the same time without being told of each other. The only state
 * base keeps between calls is the choice of the CRC32C method and its tables, made by whoever
 * comes first. */
#include "base/base.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define THREADS 4
#define ROUNDS 200

static _Atomic int arrived;

static void *checksum_when_all_are_here(void *arg)
{
    uint32_t *out = arg;
    atomic_fetch_add(&arrived, 1);
    while (atomic_load(&arrived) < THREADS) {
    }
    for (int i = 0; i < ROUNDS; i++) {
        out[0] = st_crc32c(0, "123456789", 9);
        out[1] = st_crc32c_portable(0, "123456789", 9);
        if (out[0] != 0xe3069283u || out[1] != 0xe3069283u) {
            break;
        }
    }
    return NULL;
}

static void first_checksums_of_many_threads_agree(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    uint32_t results[THREADS][2] = {{0}};
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, checksum_when_all_are_here, results[i]),
                         0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(results[i][0], 0xe3069283u);
        assert_int_equal(results[i][1], 0xe3069283u);
    }
}

static void *fill_an_arena_of_its_own(void *arg)
{
    size_t *total = arg;
    st_op op;
    st_op_init(&op, st_alloc_process());
    for (size_t bytes = 1; bytes < 4096; bytes += 37) {
        uint8_t *memory = st_arena_alloc(&op.arena, bytes);
        if (memory == NULL) {
            break;
        }
        memset(memory, (int)(bytes & 0xff), bytes);
        *total += bytes;
    }
    st_op_deinit(&op);
    return NULL;
}

static void operations_of_different_threads_share_nothing(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    size_t totals[THREADS] = {0};
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, fill_an_arena_of_its_own, &totals[i]),
                         0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(totals[i], totals[0]);
    }
    assert_true(totals[0] > 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_checksums_of_many_threads_agree),
        cmocka_unit_test(operations_of_different_threads_share_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
