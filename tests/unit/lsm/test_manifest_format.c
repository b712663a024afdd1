/* The worked example of docs/formats/manifest.md: the code reads what the page says, and writes it.
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
#include "support/format_page.h"
#include "support/simfs.h"

#define MANIFEST "/db/MANIFEST-000000000001"

typedef struct format_case {
    simfs *sim;
    st_op op;
    char *page;
    st_buf manifest; /* of the page */
} format_case;

static int format_setup(void **state)
{
    format_case *c = calloc(1, sizeof *c);
    size_t at = 0;
    c->sim = simfs_create(1);
    st_op_init(&c->op, st_alloc_process());
    st_buf_init(&c->manifest, st_alloc_process());
    c->page = format_page_read(STATOR_FORMATS "/manifest.md");
    assert_non_null(c->page);
    assert_true(format_page_hex(c->page, &at, &c->manifest));
    assert_false(format_page_hex(c->page, &at, &(st_buf){.alloc = st_alloc_process()}));
    *state = c;
    return 0;
}

static int format_teardown(void **state)
{
    format_case *c = *state;
    st_buf_deinit(&c->manifest);
    st_op_deinit(&c->op);
    simfs_destroy(c->sim);
    free(c->page);
    free(c);
    return 0;
}

static st_status format_open(format_case *c, st_lsm **out_lsm)
{
    st_lsm_options options;
    st_lsm_options_init(&options);
    options.env = simfs_env(c->sim);
    options.alloc = st_alloc_process();
    options.path = "/db";
    options.inline_background = true;
    options.header = st_slice_str("shop");
    return st_lsm_open(&c->op, &options, out_lsm);
}

static void format_put_file(format_case *c, const char *path, st_slice bytes)
{
    st_file *file;
    assert_int_equal(
        st_env_open(&c->op, simfs_env(c->sim), path, ST_OPEN_WRITE | ST_OPEN_CREATE, &file), ST_OK);
    assert_int_equal(st_file_write_at(&c->op, file, 0, bytes.data, bytes.size), ST_OK);
    st_file_close(file);
}

static st_slice format_current(const format_case *c)
{
    const char *text = strstr(c->page, "```text\n");
    assert_non_null(text);
    text += strlen("```text\n");
    return st_slice_of((const uint8_t *)text, (size_t)(strchr(text, '\n') + 1 - text));
}

static void test_the_database_of_the_page_opens(void **state)
{
    format_case *c = *state;
    st_lsm *lsm;
    assert_int_equal(st_env_mkdir(&c->op, simfs_env(c->sim), "/db"), ST_OK);
    format_put_file(c, MANIFEST, st_buf_view(&c->manifest));
    format_put_file(c, "/db/CURRENT", format_current(c));
    st_status status = format_open(c, &lsm);
    if (status != ST_OK) {
        fail_msg("%s", c->op.error.message);
    }
    assert_true(st_slice_equal(st_lsm_header(lsm), st_slice_str("shop")));
    for (uint8_t i = 0; i < 16; i++) {
        assert_int_equal(st_lsm_database_id(lsm)[i], i);
    }
    assert_int_equal(st_lsm_applied(lsm), 0);
    assert_int_equal(st_lsm_close(&c->op, lsm), ST_OK);
}

static void test_a_new_database_is_written_as_on_the_page(void **state)
{
    format_case *c = *state;
    st_lsm *lsm;
    assert_int_equal(format_open(c, &lsm), ST_OK);
    st_slice current = format_current(c), page = st_buf_view(&c->manifest);
    assert_int_equal(simfs_size(c->sim, "/db/CURRENT"), current.size);
    for (size_t i = 0; i < current.size; i++) {
        assert_int_equal(simfs_byte(c->sim, "/db/CURRENT", i), current.data[i]);
    }
    assert_int_equal(simfs_size(c->sim, MANIFEST), page.size);
    for (size_t i = 0; i < page.size; i++) {
        bool is_of_id = (i >= 16 && i < 32) || (i >= 60 && i < 64) || i + 4 >= page.size;
        if (!is_of_id && simfs_byte(c->sim, MANIFEST, i) != page.data[i]) {
            fail_msg("offset %zu: code %02X, page %02X", i, simfs_byte(c->sim, MANIFEST, i),
                     page.data[i]);
        }
    }
    for (size_t i = 0; i < 16; i++) {
        assert_int_equal(st_lsm_database_id(lsm)[i], simfs_byte(c->sim, MANIFEST, 16 + i));
    }
    assert_int_equal(st_lsm_close(&c->op, lsm), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_database_of_the_page_opens, format_setup,
                                        format_teardown),
        cmocka_unit_test_setup_teardown(test_a_new_database_is_written_as_on_the_page, format_setup,
                                        format_teardown),
    };
    return cmocka_run_group_tests_name("lsm_manifest_format", tests, NULL, NULL);
}
