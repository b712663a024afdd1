/* The conformance cases through C; prints the count, or the first difference. Items are compared as
 * canonical frames. */
#include "driver.h"

stator_error err;
stator_db *db;
char place[64];
char *fields[FIELDS_MAX];
int field_count;
stator_item *got[ITEMS_MAX];
int got_count;

static char path[] = "/tmp/stator-conformance-XXXXXX";

stator_item *item_of(const char *json)
{
    stator_item *item = NULL;
    stator_status status =
        stator_item_from_json(json, strlen(json), STATOR_JSON_DYNAMODB, &item, &err);
    return status == STATOR_OK ? item : NULL;
}

static int split(char *line)
{
    int count = 0;
    for (char *at = line; at && count < FIELDS_MAX; count++) {
        fields[count] = at;
        at = strchr(at, '\t');
        if (at) {
            *at++ = '\0';
        }
    }
    return count;
}

/* Takes the first result that is this one (scans come in any order) or is at the front. */
static int take(stator_item *wanted, int is_any_order)
{
    const void *frame = NULL, *other = NULL;
    size_t bytes = 0, other_bytes = 0;
    for (int i = 0; i < (is_any_order || got_count == 0 ? got_count : 1); i++) {
        stator_item_frame(wanted, &frame, &bytes, NULL);
        stator_item_frame(got[i], &other, &other_bytes, NULL);
        if (wanted ? got[i] && bytes == other_bytes && memcmp(frame, other, bytes) == 0 : !got[i]) {
            stator_item_free(got[i]);
            memmove(&got[i], &got[i + 1], (size_t)(got_count - i - 1) * sizeof got[0]);
            got_count--;
            return 1;
        }
    }
    return 0;
}

static char *slurp(const char *name)
{
    FILE *file = fopen(name, "rb");
    char *text = calloc(1, 8 << 20);
    (void)!fread(text, 1, (8 << 20) - 1, file);
    fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    stator_error_init(&err);
    char *text = slurp(argc > 1 ? argv[1] : "core.cases"), *next = text;
    int count = 0, number = 0, is_scan = 0, has_error = 0, is_ok = mkdtemp(path) != NULL;
    stator_status status = STATOR_OK;
    char said[STATOR_ERROR_MESSAGE_BYTES] = "";
    while (is_ok && next && *next) {
        char *line = next;
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        number++;
        field_count = split(line);
        if (line[0] == '#' || line[0] == '\0') {
            continue;
        }
        if (strcmp(fields[0], "=") == 0 || strcmp(fields[0], "none") == 0) {
            stator_item *wanted = fields[0][0] == '=' ? item_of(fields[1]) : NULL;
            is_ok = take(wanted, is_scan);
            stator_item_free(wanted);
            continue;
        }
        if (strcmp(fields[0], "error") == 0) {
            is_ok = strcmp(stator_status_name(status), fields[1]) == 0 &&
                    strstr(said, fields[2]) != NULL;
            has_error = 0;
            got_count = 0;
            continue;
        }
        if (got_count > 0 || has_error) {
            is_ok = 0; /* more than was expected of the step before */
            break;
        }
        if (strcmp(fields[0], "case") == 0) {
            if (db && stator_close(db, &err) != STATOR_OK) {
                is_ok = 0;
            }
            snprintf(place, sizeof place, "%s/%d", path, number);
            open_db();
            continue;
        }
        is_scan = strcmp(fields[0], "scan") == 0;
        status = run(fields[0]);
        has_error = status != STATOR_OK;
        memcpy(said, err.message, sizeof said);
        count++;
    }
    is_ok = is_ok && got_count == 0 && !has_error && stator_close(db, &err) == STATOR_OK;
    printf(is_ok ? "%d steps\n" : "line %d: %s: %s\n", is_ok ? count : number,
           stator_status_name(status), said);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", path);
    free(text);
    return system(command) != 0 || !is_ok;
}
