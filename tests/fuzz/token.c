/* Resume tokens. The first byte chooses a query or scan of a small database, forwards or backwards;
 * the rest is its start_after. What is accepted gives exactly the items behind the token's key, and
 * the token that comes back with a page is accepted again.
 */
#include "fuzz/fuzz_table.h"

#include <string.h>

#include "table/frame.h"

#define TOKEN_HEAD_BYTES 9u /* version, table id, index id */

static st_database *token_database; /* nothing writes to it once it is filled */

/* Items come and go with the process. */
static st_database *token_open(void)
{
    if (!token_database) {
        st_op op;
        st_op_init(&op, st_alloc_process());
        token_database = fuzz_database_open(&op, st_alloc_process());
        st_op_deinit(&op);
    }
    return token_database;
}

static void put_u32(st_buf *to, uint8_t number, uint32_t value)
{
    uint8_t bytes[4];
    st_put_u32(bytes, value);
    fuzz_request_field(to, number, st_slice_of(bytes, sizeof bytes));
}

static const char *make_request(uint8_t choice, st_slice token, uint32_t page_items, st_buf *to)
{
    bool is_query = choice & 1;
    const char *table = is_query || !(choice & 4) ? "sorted" : "plain";
    fuzz_request_begin(to, is_query ? ST_REQUEST_QUERY : ST_REQUEST_SCAN, table);
    if (is_query) {
        fuzz_request_field(to, ST_FIELD_PARTITION, st_slice_of("\1\1a", 3));
        if (choice & 4) {
            fuzz_request_field(to, ST_FIELD_SORT,
                               st_slice_of("\6\x12\1"
                                           "0\x12\1"
                                           "2",
                                           7));
        }
    }
    if (choice & 2) {
        put_u32(to, ST_FIELD_FLAGS, ST_FLAG_REVERSE);
    }
    if (token.size > 0) {
        fuzz_request_field(to, ST_FIELD_START_AFTER, token);
    }
    put_u32(to, ST_FIELD_PAGE_ITEMS, page_items);
    FUZZ_CHECK(NULL, !to->failed);
    return table;
}

/* The keys of the items of an answer, each behind the last one and behind the token. Counts them.
 */
static uint32_t check_keys(st_op *op, const char *table, bool is_reverse, st_slice token,
                           st_slice result)
{
    st_key_schema sorted = {.partition_count = 1, .sort_count = 1}, plain = {.partition_count = 1};
    sorted.partition[0] = (st_key_part){st_slice_str("id"), ST_TYPE_S};
    sorted.sort[0] = (st_key_part){st_slice_str("n"), ST_TYPE_N};
    plain.partition[0] = (st_key_part){st_slice_str("k"), ST_TYPE_B};
    bool is_sorted = strcmp(table, "sorted") == 0;
    st_slice items, item;
    st_buf before, key;
    st_buf_init(&before, fuzz_alloc());
    st_buf_init(&key, fuzz_alloc());
    st_buf_append(&before, token.data + TOKEN_HEAD_BYTES, token.size - TOKEN_HEAD_BYTES);
    FUZZ_CHECK(op, fuzz_result_find(result, ST_RESULT_ITEMS, &items));
    uint32_t count = 0;
    for (size_t at = 0; fuzz_result_next(items, &at, &item); count++) {
        st_buf_clear(&key);
        FUZZ_CHECK(op, st_key_of_item(op, is_sorted ? 1 : 2, is_sorted ? &sorted : &plain, item,
                                      &key) == ST_OK);
        int order = st_slice_compare(st_buf_view(&key), st_buf_view(&before));
        FUZZ_CHECK(op, is_reverse ? order < 0 : order > 0);
        st_buf_clear(&before);
        st_buf_slice(&before, st_buf_view(&key));
    }
    st_buf_deinit(&key);
    st_buf_deinit(&before);
    return count;
}

/* One item at a time, following tokens: as many as in one page. */
static void check_pages(st_op *op, uint8_t choice, st_slice first_token, uint32_t count)
{
    st_buf request, result, token;
    st_slice next = first_token;
    st_buf_init(&request, fuzz_alloc());
    st_buf_init(&result, fuzz_alloc());
    st_buf_init(&token, fuzz_alloc());
    uint32_t seen = 0;
    while (next.size > 0) {
        const char *table = make_request(choice, next, 1, &request);
        st_buf_clear(&result);
        FUZZ_CHECK(op, st_table_execute(op, token_open(), st_buf_view(&request), &result) == ST_OK);
        seen += check_keys(op, table, choice & 2, next, st_buf_view(&result));
        FUZZ_CHECK(op, seen <= count);
        (void)fuzz_result_find(st_buf_view(&result), ST_RESULT_LAST_KEY, &next);
        st_buf_clear(&token);
        st_buf_slice(&token, next);
        next = st_buf_view(&token);
    }
    FUZZ_CHECK(op, seen == count);
    st_buf_deinit(&token);
    st_buf_deinit(&result);
    st_buf_deinit(&request);
}

void fuzz_target(st_slice input)
{
    uint8_t choice = fuzz_take_byte(&input);
    if (input.size == 0) {
        return;
    }
    st_op op;
    st_buf request, result;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&request, fuzz_alloc());
    st_buf_init(&result, fuzz_alloc());
    const char *table = make_request(choice, input, 1000, &request);
    st_status status = st_table_execute(&op, token_open(), st_buf_view(&request), &result);
    if (fuzz_is_ok(&op, status, request.size, fuzz_refusals)) {
        fuzz_check_result(st_buf_view(&request), st_buf_view(&result));
        uint32_t count = check_keys(&op, table, choice & 2, input, st_buf_view(&result));
        check_pages(&op, choice, input, count);
    } else {
        FUZZ_CHECK(&op, result.size == 0);
    }
    st_buf_deinit(&result);
    st_buf_deinit(&request);
    st_op_deinit(&op);
}
