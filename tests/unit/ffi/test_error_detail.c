/* The detail of errors, as docs/formats/error.md has it: its worked examples are what the library
 * gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "stator.h"

typedef struct blob {
    uint8_t data[4096];
    size_t size;
} blob;

typedef struct detail_case {
    stator_db *db;
    stator_error error;
} detail_case;

static void add(blob *to, const void *data, size_t bytes)
{
    assert_true(bytes <= sizeof to->data - to->size);
    memcpy(to->data + to->size, data, bytes);
    to->size += bytes;
}

static void field(blob *to, uint8_t number, const void *data, size_t bytes)
{
    uint8_t head[5] = {number, (uint8_t)bytes, (uint8_t)(bytes >> 8), 0, 0};
    add(to, head, sizeof head);
    add(to, data, bytes);
}

/* A put of {"title": title, "year": 1979} under a condition; flags may be 0. */
static blob put_of(const char *title, const char *condition, uint8_t flags)
{
    blob frame = {.data = {1, 5}, .size = 2}, item = {.size = 0};
    size_t bytes = strlen(title);
    uint8_t head[] = {0x0B, (uint8_t)(19 + bytes), 0, 0, 0, 2, 0, 0, 0, 5}, flag[4] = {flags};
    add(&item, head, sizeof head);
    add(&item, "title\1", 6);
    add(&item, &(uint8_t){(uint8_t)bytes}, 1);
    add(&item, title, bytes);
    add(&item,
        "\4year\x12\4"
        "1979",
        11);
    field(&frame, 1, "movies", 6);
    field(&frame, 4, item.data, item.size);
    if (condition) {
        field(&frame, 128, condition, strlen(condition));
        field(&frame, 7, flag, sizeof flag);
    }
    return frame;
}

static stator_status run(detail_case *c, const blob *request)
{
    uint8_t room[512];
    size_t bytes;
    stator_buffer *buffer;
    stator_status status = stator_execute(c->db, request->data, request->size, room, sizeof room,
                                          &bytes, &buffer, &c->error);
    stator_buffer_free(buffer);
    return status;
}

static int setup(void **state)
{
    detail_case *c = calloc(1, sizeof *c);
    stator_error_init(&c->error);
    assert_int_equal(stator_open(":memory:", 8, NULL, &c->db, &c->error), STATOR_OK);
    blob create = {.data = {1, 1}, .size = 2};
    field(&create, 1, "movies", 6);
    field(&create, 8, "\1\1\1\5title\2\4year", 15);
    assert_int_equal(run(c, &create), STATOR_OK);
    blob put = put_of("Alien", NULL, 0);
    assert_int_equal(run(c, &put), STATOR_OK);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    detail_case *c = *state;
    assert_int_equal(stator_close(c->db, &c->error), STATOR_OK);
    stator_error_clear(&c->error);
    free(c);
    return 0;
}

/* The example of that number on the page. */
static blob example(int number)
{
    static char page[1 << 14];
    FILE *file = fopen(STATOR_FORMATS "/error.md", "rb");
    assert_non_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    const char *at = page;
    for (int i = 0; i <= number; i++) {
        at = strstr(at, "```hex\n");
        assert_non_null(at);
        at += strlen("```hex\n");
    }
    blob bytes = {.size = 0};
    unsigned byte;
    for (int used = 0; sscanf(at, "%2x%n", &byte, &used) == 1; at += used) {
        add(&bytes, &(uint8_t){(uint8_t)byte}, 1);
    }
    assert_true(bytes.size > 10);
    return bytes;
}

static void detail_is(const detail_case *c, const blob *expected)
{
    assert_non_null(c->error.detail);
    assert_int_equal(c->error.detail_bytes, expected->size);
    assert_memory_equal(c->error.detail, expected->data, expected->size);
}

static void test_a_failed_condition_has_the_item_that_the_page_shows(void **state)
{
    detail_case *c = *state;
    blob put = put_of("Alien", "attribute_not_exists(title)", 64), page = example(0);
    assert_int_equal(run(c, &put), STATOR_CONDITION_FAILED);
    assert_string_equal(c->error.message, "The conditional request failed");
    detail_is(c, &page);
}

static void test_a_cancelled_transaction_has_the_reasons_that_the_page_shows(void **state)
{
    detail_case *c = *state;
    blob request = {.data = {1, 14}, .size = 2}, page = example(1);
    blob fine = put_of("Brazil", NULL, 0);
    blob refused = put_of("Alien", "attribute_not_exists(title)", 0);
    field(&request, 17, fine.data, fine.size);
    field(&request, 17, refused.data, refused.size);
    assert_int_equal(run(c, &request), STATOR_TRANSACTION_CANCELED);
    detail_is(c, &page);
}

static void test_there_is_no_detail_when_there_is_nothing_to_add(void **state)
{
    detail_case *c = *state;
    blob unasked = put_of("Alien", "attribute_not_exists(title)", 0);
    blob absent = put_of("Brazil", "attribute_exists(title)", 64);
    blob wrong = put_of("Alien", "attribute_exists(", 64);
    assert_int_equal(run(c, &unasked), STATOR_CONDITION_FAILED);
    assert_null(c->error.detail);
    assert_int_equal(run(c, &absent), STATOR_CONDITION_FAILED);
    assert_null(c->error.detail);
    assert_int_equal(run(c, &wrong), STATOR_INVALID_ARGUMENT);
    assert_null(c->error.detail);
    assert_int_equal(c->error.detail_bytes, 0);
}

static void test_a_message_that_is_cut_has_its_whole_text(void **state)
{
    detail_case *c = *state;
    char condition[420];
    snprintf(condition, sizeof condition, "title = :%0250d", 1);
    blob put = put_of("Alien", condition, 0);
    assert_int_equal(run(c, &put), STATOR_INVALID_ARGUMENT);
    if (strlen(c->error.message) < STATOR_ERROR_MESSAGE_BYTES - 1) {
        fail_msg("the message is short: %s", c->error.message);
    }
    const uint8_t *detail = c->error.detail;
    assert_non_null(detail);
    assert_int_equal(detail[0], 1);
    assert_int_equal(detail[2], 1);
    size_t bytes = c->error.detail_bytes - 7;
    assert_int_equal(detail[3] | detail[4] << 8, bytes);
    assert_true(bytes > STATOR_ERROR_MESSAGE_BYTES);
    assert_memory_equal(detail + 7, c->error.message, 240);
}

static void test_the_next_call_and_clear_free_the_detail(void **state)
{
    detail_case *c = *state;
    blob refused = put_of("Alien", "attribute_not_exists(title)", 64);
    blob fine = put_of("Alien", NULL, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run(c, &refused), STATOR_CONDITION_FAILED);
        assert_non_null(c->error.detail);
    }
    assert_int_equal(run(c, &fine), STATOR_OK);
    assert_null(c->error.detail);
    assert_int_equal(run(c, &refused), STATOR_CONDITION_FAILED);
    stator_error_clear(&c->error);
    assert_null(c->error.detail);
    assert_int_equal(c->error.detail_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_failed_condition_has_the_item_that_the_page_shows,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_a_cancelled_transaction_has_the_reasons_that_the_page_shows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_there_is_no_detail_when_there_is_nothing_to_add, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_message_that_is_cut_has_its_whole_text, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_next_call_and_clear_free_the_detail, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
