#include "lsm_support.h"

int store_setup(void **state)
{
    store_case *c = calloc(1, sizeof *c);
    c->sim = simfs_create(1);
    st_op_init(&c->op, st_alloc_process());
    st_lsm_options_init(&c->options);
    c->options.env = simfs_env(c->sim);
    c->options.alloc = st_alloc_process();
    c->options.path = "/db";
    c->options.inline_background = true;
    c->options.memory_budget_bytes = 1 << 20;
    c->options.memtable_bytes = 64 << 10;
    c->options.file_bytes = 16 << 10;
    store_open(c);
    *state = c;
    return 0;
}

int store_teardown(void **state)
{
    store_case *c = *state;
    if (c->lsm) {
        store_close(c);
    }
    st_op_deinit(&c->op);
    assert_int_equal(simfs_open_handles(c->sim), 0);
    simfs_destroy(c->sim);
    free(c);
    return 0;
}

void store_check(store_case *c, st_status status)
{
    if (status != ST_OK) {
        fail_msg("%s: %s", st_status_name(status), c->op.error.message);
    }
    st_op_deinit(&c->op);
    st_op_init(&c->op, st_alloc_process());
}

void store_open(store_case *c)
{
    store_check(c, st_lsm_open(&c->op, &c->options, &c->lsm));
}

void store_close(store_case *c)
{
    st_lsm *lsm = c->lsm;
    c->lsm = NULL;
    store_check(c, st_lsm_close(&c->op, lsm));
}

void store_drop(store_case *c)
{
    st_op_clear(&c->op);
    (void)!st_lsm_close(&c->op, c->lsm);
    st_op_clear(&c->op);
    c->lsm = NULL;
}

void store_crash(store_case *c, simfs_state how)
{
    simfs_crash_after(c->sim, 1);
    store_drop(c);
    simfs_restart(c->sim, how, 1);
    store_open(c);
}

static st_status store_commit(store_case *c, st_lsm_batch *batch, st_durability level,
                              uint64_t *out_sequence)
{
    st_status status = st_lsm_write(&c->op, c->lsm, batch, level, out_sequence);
    st_lsm_batch_deinit(batch);
    return status;
}

static void store_fill(st_lsm_batch *batch, const char *key, const char *text)
{
    st_lsm_batch_init(batch, st_alloc_process());
    if (text) {
        st_lsm_batch_put(batch, st_slice_str(key), st_slice_str(text));
    } else {
        st_lsm_batch_delete(batch, st_slice_str(key));
    }
}

uint64_t store_write(store_case *c, const char *key, const char *text, st_durability level)
{
    st_lsm_batch batch;
    uint64_t sequence;
    store_fill(&batch, key, text);
    store_check(c, store_commit(c, &batch, level, &sequence));
    return sequence;
}

st_status store_try(store_case *c, const char *key, const char *text, st_durability level)
{
    st_lsm_batch batch;
    uint64_t sequence;
    store_fill(&batch, key, text);
    st_status status = store_commit(c, &batch, level, &sequence);
    return status == ST_OK ? st_lsm_wait(&c->op, c->lsm, sequence) : status;
}

void store_put(store_case *c, const char *key, const char *text)
{
    store_check(c, store_try(c, key, text, ST_DURABILITY_NONE));
}

void store_delete(store_case *c, const char *key)
{
    store_check(c, store_try(c, key, NULL, ST_DURABILITY_NONE));
}

void store_delete_range(store_case *c, const char *from, const char *to)
{
    st_lsm_batch batch;
    uint64_t sequence;
    st_lsm_batch_init(&batch, st_alloc_process());
    st_lsm_batch_delete_range(&batch, st_slice_str(from), st_slice_str(to));
    store_check(c, store_commit(c, &batch, ST_DURABILITY_NONE, &sequence));
    store_check(c, st_lsm_wait(&c->op, c->lsm, sequence));
}

void store_expect_at(store_case *c, const char *key, const char *text, uint64_t at)
{
    st_lsm_pin pin;
    st_slice value;
    bool is_found;
    st_status status =
        st_lsm_get(&c->op, c->lsm, st_slice_str(key), at, &pin, &value, &is_found, NULL);
    if (status == ST_OK &&
        (is_found != (text != NULL) || (text && !st_slice_equal(value, st_slice_str(text))))) {
        fail_msg("%s is %.*s, not %s", key, is_found ? (int)value.size : 6,
                 is_found ? (const char *)value.data : "absent", text ? text : "absent");
    }
    st_lsm_pin_release(&pin);
    store_check(c, status);
}

void store_expect(store_case *c, const char *key, const char *text)
{
    store_expect_at(c, key, text, ST_LSM_PUBLISHED);
}

void store_expect_keys(store_case *c, const st_lsm_snapshot *snapshot, const char *keys)
{
    st_lsm_range range = {.snapshot = snapshot};
    st_lsm_cursor *cursor;
    st_slice key, value;
    bool valid = true;
    st_buf found;
    st_buf_init(&found, st_alloc_process());
    store_check(c, st_lsm_cursor_open(&c->op, c->lsm, &range, &cursor));
    while (valid) {
        store_check(c, st_lsm_cursor_next(&c->op, cursor, &valid, &key, &value));
        st_buf_append(&found, " ", found.size > 0 && valid ? 1 : 0);
        st_buf_slice(&found, key);
    }
    st_lsm_cursor_close(cursor);
    st_buf_byte(&found, 0);
    assert_string_equal((char *)found.data, keys);
    st_buf_deinit(&found);
}

st_lsm_stats store_stats(store_case *c)
{
    st_lsm_stats stats;
    st_lsm_stats_read(c->lsm, &stats);
    return stats;
}

uint64_t store_files(store_case *c)
{
    st_lsm_stats stats = store_stats(c);
    uint64_t files = 0;
    for (int level = 0; level < ST_LSM_LEVELS; level++) {
        files += stats.level_files[level];
    }
    return files;
}

uint64_t store_entries(store_case *c)
{
    st_lsm_stats stats = store_stats(c);
    uint64_t entries = 0;
    for (int level = 0; level < ST_LSM_LEVELS; level++) {
        entries += stats.level_entries[level];
    }
    return entries;
}

const char *store_find_file(store_case *c, const char *end, uint32_t index)
{
    const char *name;
    for (size_t i = 0; (name = simfs_name(c->sim, i)) != NULL; i++) {
        size_t length = strlen(name);
        bool is_such = length >= strlen(end) && strcmp(name + length - strlen(end), end) == 0;
        if (is_such && index-- == 0) {
            return name;
        }
    }
    return NULL;
}

uint32_t store_count_files(store_case *c, const char *end)
{
    uint32_t count = 0;
    while (store_find_file(c, end, count)) {
        count++;
    }
    return count;
}

void store_remove_file(store_case *c, const char *end, uint32_t index)
{
    char path[64]; /* names are gone with their files */
    snprintf(path, sizeof path, "%s", store_find_file(c, end, index));
    store_check(c, st_env_remove(&c->op, c->options.env, path));
}
