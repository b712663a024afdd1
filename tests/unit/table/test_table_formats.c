/* The worked examples of docs/formats/{request,result,catalog}.md, and requests that are damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/format_page.h"
#include "table/table.h"

typedef struct formats_case {
    st_op op;
    st_database *database;
    st_buf request, result, hex;
} formats_case;

static int setup(void **state)
{
    formats_case *c = calloc(1, sizeof *c);
    st_database_options options;
    st_database_options_init(&options);
    options.alloc = st_alloc_process();
    st_op_init(&c->op, st_alloc_process());
    st_buf_init(&c->request, st_alloc_process());
    st_buf_init(&c->result, st_alloc_process());
    st_buf_init(&c->hex, st_alloc_process());
    assert_int_equal(st_database_open(&c->op, st_slice_str(":memory:"), &options, &c->database),
                     ST_OK);
    static const uint8_t create[] = {1,   1,   1,   6,   0,   0, 0, 'm', 'o', 'v', 'i',
                                     'e', 's', 8,   15,  0,   0, 0, 1,   1,   1,   5,
                                     't', 'i', 't', 'l', 'e', 2, 4, 'y', 'e', 'a', 'r'};
    assert_int_equal(
        st_table_execute(&c->op, c->database, st_slice_of(create, sizeof create), &c->result),
        ST_OK);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    formats_case *c = *state;
    assert_int_equal(st_database_close(&c->op, c->database), ST_OK);
    st_buf_deinit(&c->request);
    st_buf_deinit(&c->result);
    st_buf_deinit(&c->hex);
    st_op_deinit(&c->op);
    free(c);
    return 0;
}

/* The n-th hex block of a page. */
static void page_hex(const char *name, int number, st_buf *out)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", STATOR_FORMATS, name);
    char *page = format_page_read(path);
    assert_non_null(page);
    size_t at = 0;
    for (int i = 0; i < number; i++) {
        st_buf_clear(out);
        assert_true(format_page_hex(page, &at, out));
    }
    free(page);
}

static void test_the_put_of_the_pages_gets_the_answer_of_the_pages(void **state)
{
    formats_case *c = *state;
    page_hex("request.md", 1, &c->request);
    page_hex("result.md", 1, &c->hex);
    st_buf_clear(&c->result);
    st_status status = st_table_execute(&c->op, c->database, st_buf_view(&c->request), &c->result);
    if (status != ST_OK) {
        fail_msg("%s", c->op.error.message);
    }
    assert_true(st_slice_equal(st_buf_view(&c->result), st_buf_view(&c->hex)));
}

static void test_the_row_of_a_table_is_that_of_the_page(void **state)
{
    formats_case *c = *state;
    page_hex("catalog.md", 1, &c->request);
    page_hex("catalog.md", 2, &c->hex);
    st_lsm_pin pin;
    st_slice value;
    bool is_found;
    assert_int_equal(st_lsm_get(&c->op, st_database_lsm(c->database), st_buf_view(&c->request),
                                ST_LSM_PUBLISHED, &pin, &value, &is_found, NULL),
                     ST_OK);
    assert_true(is_found);
    assert_int_equal(value.size, c->hex.size);
    assert_memory_equal(value.data, c->hex.data, 5); /* the time of making lies between */
    size_t identity = value.size - 6 - 16;           /* random; the name ends the row */
    assert_memory_equal(value.data + 13, c->hex.data + 13, identity - 13);
    assert_memory_equal(value.data + identity + 16, c->hex.data + identity + 16, 6);
    st_lsm_pin_release(&pin);
}

/* Every cut and every flipped bit of a request gives an answer or an error that leaves no result.
 */
static void test_damaged_requests_are_refused_or_meant(void **state)
{
    formats_case *c = *state;
    page_hex("request.md", 1, &c->request);
    for (size_t bit = 0; bit <= 8 * c->request.size; bit++) {
        for (size_t cut = bit ? c->request.size : 0; cut <= c->request.size; cut++) {
            uint8_t *copy = malloc(cut + 1);
            memcpy(copy, c->request.data, cut);
            if (bit > 0) {
                copy[(bit - 1) / 8] ^= (uint8_t)(1u << (bit - 1) % 8);
            }
            st_op_clear(&c->op);
            st_buf_clear(&c->result);
            st_status status =
                st_table_execute(&c->op, c->database, st_slice_of(copy, cut), &c->result);
            assert_int_equal(status == ST_OK, c->result.size > 0);
            assert_int_equal(status != ST_OK, c->op.error.message[0] != 0);
            st_arena_reset(&c->op.arena);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_put_of_the_pages_gets_the_answer_of_the_pages,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_row_of_a_table_is_that_of_the_page, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_damaged_requests_are_refused_or_meant, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("table_formats", tests, NULL, NULL);
}
