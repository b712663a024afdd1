/* The worked examples of docs/formats/item.md and key.md: what the pages say is what the code does.
 */
#include "item_support.h"

/* The next ```hex block of a page behind *at, as bytes; false when there is none. */
static bool next_hex(const char *page, size_t *at, st_buf *out)
{
    const char *from = strstr(page + *at, "```hex\n");
    st_buf_clear(out);
    if (!from) {
        return false;
    }
    from += strlen("```hex\n");
    const char *end = strstr(from, "```");
    assert_non_null(end);
    *at = (size_t)(end - page) + 3;
    for (const char *c = from; c < end;) {
        unsigned byte;
        int used = 0;
        if (sscanf(c, "%2x%n", &byte, &used) != 1) {
            break;
        }
        st_buf_byte(out, (uint8_t)byte);
        c += used;
    }
    return true;
}

static char *read_page(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", STATOR_FORMATS, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *page = calloc(1, 1 << 16);
    size_t size = fread(page, 1, (1 << 16) - 1, file);
    assert_in_range(size, 1000, (1 << 16) - 2);
    fclose(file);
    return page;
}

static void expect_bytes(st_slice actual, st_slice expected)
{
    if (!st_slice_equal(actual, expected)) {
        size_t at = st_slice_common(actual, expected);
        fail_msg("the page differs at byte %zu: code %02X, page %02X; lengths %zu, %zu", at,
                 at < actual.size ? actual.data[at] : 0, at < expected.size ? expected.data[at] : 0,
                 actual.size, expected.size);
    }
}

static void test_the_items_of_the_page_are_what_the_code_makes(void **state)
{
    item_case *c = *state;
    char *page = read_page("item.md");
    size_t at = 0;
    assert_true(next_hex(page, &at, &c->text));
    assert_int_equal(st_item_canonicalize(&c->op, st_buf_view(&c->text), &c->to), ST_OK);
    assert_int_equal(item_of(c, "{\"year\": {\"N\": \"1979\"}, \"title\": {\"S\": \"Alien\"}}"),
                     ST_OK);
    expect_bytes(st_buf_view(&c->relaxed), st_buf_view(&c->text));
    assert_true(next_hex(page, &at, &c->text));
    expect_bytes(st_buf_view(&c->frame), st_buf_view(&c->text));
    expect_bytes(st_buf_view(&c->to), st_buf_view(&c->text));

    assert_true(next_hex(page, &at, &c->text));
    assert_int_equal(
        item_of(c, "{\"b\": {\"B\": \"AP8=\"}, \"f\": {\"BOOL\": false}, \"l\": {\"L\": "
                   "[{\"NULL\": true}, {\"S\": \"\"}]}, \"m\": {\"M\": {\"t\": {\"BOOL\": "
                   "true}}}, \"n\": {\"NS\": [\"-1\", \"0\", \"10.5\"]}, \"s\": {\"SS\": "
                   "[\"a\", \"b\"]}, \"x\": {\"BS\": [\"\", \"AA==\"]}}"),
        ST_OK);
    expect_bytes(st_buf_view(&c->frame), st_buf_view(&c->text));
    assert_int_equal(st_item_validate(&c->op, st_buf_view(&c->text)), ST_OK);
    assert_false(next_hex(page, &at, &c->text));
    free(page);
}

static void test_the_keys_of_the_page_are_what_the_code_makes(void **state)
{
    item_case *c = *state;
    st_key_schema schema = {.partition_count = 1, .sort_count = 1};
    schema.partition[0] = (st_key_part){st_slice_str("title"), ST_TYPE_S};
    schema.sort[0] = (st_key_part){st_slice_str("year"), ST_TYPE_N};
    char *page = read_page("key.md");
    size_t at = 0;
    assert_true(next_hex(page, &at, &c->text));
    assert_int_equal(item_of(c, "{\"title\": {\"S\": \"Alien\"}, \"year\": {\"N\": \"1979\"}}"),
                     ST_OK);
    assert_int_equal(st_key_of_item(&c->op, 7, &schema, st_buf_view(&c->frame), &c->from), ST_OK);
    expect_bytes(st_buf_view(&c->from), st_buf_view(&c->text));

    schema.partition[0].type = ST_TYPE_B;
    schema.sort_count = 0;
    assert_true(next_hex(page, &at, &c->text));
    assert_int_equal(item_of(c, "{\"title\": {\"B\": \"AAEA\"}}"), ST_OK);
    st_buf_clear(&c->from);
    assert_int_equal(st_key_of_request(&c->op, 258, &schema, st_buf_view(&c->relaxed), &c->from),
                     ST_OK);
    expect_bytes(st_buf_view(&c->from), st_buf_view(&c->text));
    assert_false(next_hex(page, &at, &c->text));
    free(page);
}

static void test_the_numbers_of_the_page_are_what_the_code_makes(void **state)
{
    (void)state;
    char *page = read_page("key.md");
    const char *row = strstr(page, "| number | bytes |");
    assert_non_null(row);
    row = strchr(strchr(row, '\n') + 1, '\n') + 1; /* behind the head of the table */
    int rows = 0;
    char text[40], hex[100];
    for (; sscanf(row, "| %39s | `%99[0-9A-F ]` |\n", text, hex) == 2; rows++) {
        st_number number, back;
        uint8_t form[ST_NUMBER_BYTES_MAX], listed[ST_NUMBER_BYTES_MAX];
        size_t count = 0;
        unsigned byte;
        int used;
        for (const char *at = hex; sscanf(at, "%2x%n", &byte, &used) == 1; at += used) {
            assert_true(count < sizeof listed);
            listed[count++] = (uint8_t)byte;
        }
        assert_int_equal(st_number_parse(NULL, st_slice_str(text), &number), ST_OK);
        expect_bytes(st_slice_of(form, st_number_encode(&number, form)),
                     st_slice_of(listed, count));
        assert_true(st_number_decode(st_slice_of(listed, count), &back));
        assert_int_equal(st_number_compare(&number, &back), 0);
        row = strchr(row, '\n') + 1;
    }
    assert_int_equal(rows, 9);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_items_of_the_page_are_what_the_code_makes,
                                        item_setup, item_teardown),
        cmocka_unit_test_setup_teardown(test_the_keys_of_the_page_are_what_the_code_makes,
                                        item_setup, item_teardown),
        cmocka_unit_test(test_the_numbers_of_the_page_are_what_the_code_makes),
    };
    return cmocka_run_group_tests_name("item_formats", tests, NULL, NULL);
}
