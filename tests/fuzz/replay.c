/* Runs a fuzz target without libFuzzer: over every file of its corpus, and over mutations of them
 * that follow from a fixed seed. When the target ends the program, the input that did it is written
 * to fuzz-NAME-failed in the working directory; it is one to keep in the corpus.
 */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fuzz/fuzz.h"

#define REPLAY_FILES_MAX 256
#define REPLAY_INPUT_MAX ((size_t)8192)

static st_slice replay_corpus[REPLAY_FILES_MAX];
static size_t replay_count;
static st_slice replay_current;
static const char replay_failed[] = "fuzz-" FUZZ_NAME "-failed";

/* The sanitizers end with SIGABRT too, so that there is one way out. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "abort_on_error=1";
}

static void replay_on_death(int number)
{
    FILE *file = fopen(replay_failed, "wb");
    if (file) {
        (void)!fwrite(replay_current.data, 1, replay_current.size, file);
        fclose(file);
        fprintf(stderr, "the input of %zu bytes is in %s\n", replay_current.size, replay_failed);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void replay_run(st_slice input)
{
    /* cmocka takes these signals for the time of a test. */
    static const int deaths[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++) {
        signal(deaths[i], replay_on_death);
    }
    uint8_t *copy = malloc(input.size + 1); /* of its own, so that a read past the end is seen */
    assert_non_null(copy);
    copy = realloc(copy, input.size > 0 ? input.size : 1);
    memcpy(copy, input.size > 0 ? input.data : (const uint8_t *)"", input.size);
    replay_current = st_slice_of(copy, input.size);
    (void)LLVMFuzzerTestOneInput(copy, input.size);
    free(copy);
}

/* ---- the corpus ------------------------------------------------------------------------- */

static int replay_order(const void *a, const void *b)
{
    return st_slice_compare(*(const st_slice *)a, *(const st_slice *)b);
}

static st_slice replay_load(const char *name)
{
    char path[4096];
    assert_in_range(snprintf(path, sizeof path, "%s/%s", FUZZ_CORPUS, name), 1, sizeof path - 1);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    uint8_t *data = malloc(REPLAY_INPUT_MAX + 1);
    assert_non_null(data);
    size_t bytes = fread(data, 1, REPLAY_INPUT_MAX + 1, file);
    fclose(file);
    assert_in_range(bytes, 0, REPLAY_INPUT_MAX);
    return st_slice_of(data, bytes);
}

/* In an order that does not depend on the file system. */
static int replay_setup(void **state)
{
    (void)state;
    DIR *folder = opendir(FUZZ_CORPUS);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.') {
            assert_in_range(replay_count, 0, REPLAY_FILES_MAX - 1);
            replay_corpus[replay_count++] = replay_load(entry->d_name);
        }
    }
    closedir(folder);
    qsort(replay_corpus, replay_count, sizeof *replay_corpus, replay_order);
    assert_true(replay_count > 0);
    return 0;
}

static int replay_teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < replay_count; i++) {
        free((void *)(uintptr_t)replay_corpus[i].data);
    }
    return 0;
}

/* ---- mutations -------------------------------------------------------------------------- */

typedef struct replay_input {
    st_rng rng;
    size_t bytes;
    uint8_t data[2 * REPLAY_INPUT_MAX];
} replay_input;

static size_t replay_below(replay_input *input, size_t limit)
{
    return limit > 0 ? (size_t)st_rng_below(&input->rng, limit) : 0;
}

static void replay_insert(replay_input *input, size_t at, const uint8_t *from, size_t bytes)
{
    if (input->bytes + bytes <= REPLAY_INPUT_MAX) {
        memmove(input->data + at + bytes, input->data + at, input->bytes - at);
        memmove(input->data + at, from, bytes);
        input->bytes += bytes;
    }
}

static void replay_insert_some(replay_input *input, size_t at, bool is_of_other)
{
    uint8_t piece[64];
    size_t most = sizeof piece;
    const uint8_t *from = input->data;
    size_t from_bytes = input->bytes;
    if (is_of_other) {
        st_slice other = replay_corpus[replay_below(input, replay_count)];
        from = other.data;
        from_bytes = other.size;
    }
    most = from_bytes < most ? from_bytes : most;
    size_t bytes = replay_below(input, most + 1);
    memcpy(piece, from + replay_below(input, from_bytes - bytes + 1), bytes);
    replay_insert(input, at, piece, bytes);
}

static void replay_remove(replay_input *input, size_t at)
{
    size_t left = input->bytes - at;
    size_t bytes = 1 + replay_below(input, left < 16 ? left : 16);
    bytes = bytes < left ? bytes : left;
    memmove(input->data + at, input->data + at + bytes, left - bytes);
    input->bytes -= bytes;
}

static void replay_overwrite(replay_input *input, size_t at)
{
    static const uint64_t values[] = {0,
                                      1,
                                      2,
                                      127,
                                      128,
                                      255,
                                      32768,
                                      65535,
                                      INT32_MAX,
                                      UINT32_MAX,
                                      UINT64_MAX,
                                      UINT64_MAX - 1,
                                      (uint64_t)1 << 56};
    uint8_t bytes[8];
    st_put_u64(bytes, values[replay_below(input, sizeof values / sizeof *values)]);
    size_t count = (size_t)1 << replay_below(input, 4);
    for (size_t i = 0; i < count && at + i < input->bytes; i++) {
        input->data[at + i] = bytes[i];
    }
}

static void replay_mutate_once(replay_input *input)
{
    size_t at = replay_below(input, input->bytes);
    switch (replay_below(input, 8)) {
    case 0:
    case 1:
        input->data[at] ^= (uint8_t)(1u << replay_below(input, 8));
        break;
    case 2:
        input->data[at] = (uint8_t)replay_below(input, 256);
        break;
    case 3:
        input->data[at] = (uint8_t)(input->data[at] + replay_below(input, 9) - 4);
        break;
    case 4:
        replay_remove(input, at);
        break;
    case 5:
        replay_insert_some(input, at, false);
        break;
    case 6:
        replay_insert_some(input, at, true);
        break;
    default:
        replay_overwrite(input, at);
    }
}

static void replay_mutate(replay_input *input, uint64_t number)
{
    st_rng_seed(&input->rng, number);
    st_slice base = replay_corpus[replay_below(input, replay_count)];
    memset(input->data, 0, sizeof input->data);
    memcpy(input->data, base.data, base.size);
    input->bytes = base.size;
    size_t steps = 1 + replay_below(input, 4);
    for (size_t i = 0; i < steps; i++) {
        replay_mutate_once(input);
    }
}

/* ---- tests ------------------------------------------------------------------------------ */

static void every_input_of_the_corpus_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < replay_count; i++) {
        replay_run(replay_corpus[i]);
    }
    replay_run((st_slice){0});
}

static void mutations_of_the_corpus_hold(void **state)
{
    (void)state;
    const char *is_long = getenv("STATOR_LONG");
    uint64_t count = (uint64_t)FUZZ_MUTATIONS * (is_long && is_long[0] == '1' ? 50 : 1);
    replay_input *input = malloc(sizeof *input);
    assert_non_null(input);
    for (uint64_t i = 0; i < count; i++) {
        replay_mutate(input, i);
        replay_run(st_slice_of(input->data, input->bytes));
    }
    free(input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_input_of_the_corpus_holds),
        cmocka_unit_test(mutations_of_the_corpus_hold),
    };
    return cmocka_run_group_tests_name("fuzz_replay_" FUZZ_NAME, tests, replay_setup,
                                       replay_teardown);
}
