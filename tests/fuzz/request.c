/* Request frames run one after the other on a small database: pieces with their lengths in front.
 * A refused request leaves no result, an answered one a whole result; a query or scan answers the
 * same as the first page of its cursor; and whatever was written, the database verifies.
 */
#include "fuzz/fuzz_table.h"

#include "table/frame.h"

#define REQUESTS_MAX 16
#define REQUEST_PAGES_MAX 16

/* Anything but a sign of damage or of a fault of our own. */
static const st_status request_statuses[] = {
    ST_INVALID_ARGUMENT,     ST_UNSUPPORTED,
    ST_TABLE_NOT_FOUND,      ST_TABLE_EXISTS,
    ST_CONDITION_FAILED,     ST_TRANSACTION_CONFLICT,
    ST_TRANSACTION_CANCELED, ST_DEADLINE,
    ST_WOULD_BLOCK,          ST_OK,
};

static void check_pages(st_op *op, st_database *database, st_slice request, st_slice first_page)
{
    st_table_cursor *cursor;
    st_buf page;
    st_buf_init(&page, fuzz_alloc());
    st_op_clear(op);
    st_status status = st_table_cursor_open(op, database, request, &cursor);
    FUZZ_CHECK(op, status == ST_OK);
    for (size_t i = 0; status == ST_OK && i < REQUEST_PAGES_MAX; i++) {
        st_buf_clear(&page);
        st_op_clear(op);
        status = st_table_cursor_next_page(op, cursor, &page);
        if (fuzz_is_ok(op, status, request.size, request_statuses)) {
            fuzz_check_result(request, st_buf_view(&page));
            FUZZ_CHECK(op, i > 0 || st_slice_equal(first_page, st_buf_view(&page)));
        } else {
            FUZZ_CHECK(op, status == ST_DEADLINE && page.size == 0);
        }
    }
    st_table_cursor_close(cursor);
    st_buf_deinit(&page);
}

static void run(st_database *database, st_slice request)
{
    st_op op;
    st_buf result;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&result, fuzz_alloc());
    st_status status = st_table_execute(&op, database, request, &result);
    if (fuzz_is_ok(&op, status, request.size, request_statuses)) {
        fuzz_check_result(request, st_buf_view(&result));
        if (request.data[1] == ST_REQUEST_QUERY || request.data[1] == ST_REQUEST_SCAN) {
            check_pages(&op, database, request, st_buf_view(&result));
        }
    } else {
        FUZZ_CHECK(&op, result.size == 0);
    }
    st_buf_deinit(&result);
    st_op_deinit(&op);
}

static void print_nothing(void *ctx, const char *line)
{
    (void)ctx;
    FUZZ_CHECK(NULL, line != NULL);
}

void fuzz_target(st_slice input)
{
    st_op op;
    st_op_init(&op, fuzz_alloc());
    st_database *database = fuzz_database_open(&op, fuzz_alloc());
    for (size_t i = 0; i < REQUESTS_MAX && input.size > 0; i++) {
        run(database, fuzz_take_piece(&input));
    }
    FUZZ_CHECK(&op, st_database_verify(&op, database, print_nothing, NULL) == ST_OK);
    fuzz_database_close(&op, database);
    st_op_deinit(&op);
}
