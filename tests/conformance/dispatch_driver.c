/* Answers requests of the JSON protocol from standard input, one a line: "OPERATION<TAB>BODY" gives
 * "STATUS<TAB>BODY"; "!new" begins anew with an empty memory database, "!clock US" moves its clock,
 * "!layer N" chooses the wording. */
#include <stator.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static stator_db *db;
static stator_dispatch_options options;

static void fail(const char *what, const stator_error *error)
{
    fprintf(stderr, "%s: %s\n", what, error->message);
    exit(1);
}

static void command(const char *line)
{
    stator_error error;
    stator_error_init(&error);
    if (strcmp(line, "!new") == 0) {
        if (db && stator_close(db, &error) != STATOR_OK) {
            fail("close", &error);
        }
        if (stator_open(":memory:", 8, NULL, &db, &error) != STATOR_OK) {
            fail("open", &error);
        }
        options.layer = STATOR_LAYER_CURRENT;
    } else if (strncmp(line, "!clock ", 7) == 0) {
        if (stator_clock_move(db, strtoll(line + 7, NULL, 10), &error) != STATOR_OK) {
            fail("clock", &error);
        }
    } else if (strncmp(line, "!layer ", 7) == 0) {
        options.layer = atoi(line + 7);
    }
    printf("0\t\n");
}

static void dispatch(const char *line, size_t bytes)
{
    const char *tab = memchr(line, '\t', bytes);
    size_t operation = tab ? (size_t)(tab - line) : bytes;
    stator_buffer *answer;
    stator_error error;
    const void *text;
    size_t size;
    int32_t status;
    stator_error_init(&error);
    if (stator_dispatch(db, line, operation, tab ? tab + 1 : "", tab ? bytes - operation - 1 : 0,
                        &options, &status, &answer, &error) != STATOR_OK ||
        stator_buffer_data(answer, &text, &size) != STATOR_OK) {
        fail("dispatch", &error);
    }
    printf("%d\t%.*s\n", (int)status, (int)size, (const char *)text);
    stator_buffer_free(answer);
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t bytes;
    stator_dispatch_options_init(&options);
    while ((bytes = getline(&line, &capacity, stdin)) > 0) {
        bytes -= line[bytes - 1] == '\n';
        line[bytes] = '\0';
        if (line[0] == '!') {
            command(line);
        } else {
            dispatch(line, (size_t)bytes);
        }
        fflush(stdout);
    }
    free(line);
    return db && stator_close(db, NULL) != STATOR_OK;
}
