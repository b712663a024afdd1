#include "sst_support.h"

int sst_setup(void **state)
{
    sst_case *c = calloc(1, sizeof *c);
    c->alloc = st_alloc_process();
    st_op_init(&c->op, st_alloc_process());
    sst_check(c, st_env_memory_create(&c->op, st_alloc_process(), &c->env));
    sst_check(c, st_env_mkdir(&c->op, c->env, "/db"));
    sst_new_cache(c, 1 << 20);
    memset(c->identity.database_id, 0x5a, 16);
    c->identity.file_id = 42;
    st_rng_seed(&c->rng, 7);
    *state = c;
    return 0;
}

int sst_teardown(void **state)
{
    sst_case *c = *state;
    sst_close(c);
    sst_model_clear(c);
    free(c->entries);
    st_lsm__cache_destroy(c->cache);
    st_env_destroy(c->env);
    st_op_deinit(&c->op);
    free(c);
    return 0;
}

void sst_check(sst_case *c, st_status status)
{
    if (status != ST_OK) {
        fail_msg("status %d: %s", (int)status, c->op.error.message);
    }
}

void sst_new_cache(sst_case *c, uint64_t budget_bytes)
{
    st_lsm__cache_destroy(c->cache);
    sst_check(c, st_lsm__cache_create(&c->op, c->alloc, budget_bytes, &c->cache));
}

static uint8_t *sst_copy(const void *data, size_t bytes)
{
    uint8_t *copy = malloc(bytes + 1);
    if (bytes > 0) {
        memcpy(copy, data, bytes);
    }
    return copy;
}

static st_entry *sst_model_new(sst_case *c, st_slice key, uint64_t sequence, size_t value_bytes)
{
    if (c->count == c->capacity) {
        c->capacity = c->capacity ? 2 * c->capacity : 64;
        c->entries = realloc(c->entries, c->capacity * sizeof *c->entries);
    }
    st_entry *entry = &c->entries[c->count++];
    *entry = (st_entry){st_slice_of(sst_copy(key.data, key.size), key.size),
                        st_slice_of(malloc(value_bytes + 1), value_bytes), sequence, ST_ENTRY_PUT};
    return entry;
}

void sst_model_add(sst_case *c, st_slice key, uint64_t sequence, size_t value_bytes, bool is_put)
{
    st_entry *entry = sst_model_new(c, key, sequence, is_put ? value_bytes : 0);
    uint8_t *value = (uint8_t *)(uintptr_t)entry->value.data;
    uint64_t seed = st_lsm__key_hash(key) + sequence;
    for (size_t i = 0; i < entry->value.size; i++) {
        value[i] = (uint8_t)(seed >> (i % 7) * 8);
    }
    entry->type = is_put ? ST_ENTRY_PUT : ST_ENTRY_DELETE;
}

void sst_model_add_text(sst_case *c, const char *key, uint64_t sequence, const char *value)
{
    size_t bytes = value ? strlen(value) : 0;
    st_entry *entry = sst_model_new(c, st_slice_str(key), sequence, bytes);
    memcpy((uint8_t *)(uintptr_t)entry->value.data, value ? value : "", bytes);
    entry->type = value ? ST_ENTRY_PUT : ST_ENTRY_DELETE;
}

static int sst_model_order(const void *a, const void *b)
{
    const st_entry *x = a, *y = b;
    return st_lsm__order(x->key, x->sequence, y->key, y->sequence);
}

static void sst_model_free(st_entry *entry)
{
    free((void *)(uintptr_t)entry->key.data);
    free((void *)(uintptr_t)entry->value.data);
}

void sst_model_sort(sst_case *c)
{
    qsort(c->entries, c->count, sizeof *c->entries, sst_model_order);
    size_t kept = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (kept > 0 && sst_model_order(&c->entries[kept - 1], &c->entries[i]) == 0) {
            sst_model_free(&c->entries[i]);
        } else {
            c->entries[kept++] = c->entries[i];
        }
    }
    c->count = kept;
}

void sst_model_clear(sst_case *c)
{
    for (size_t i = 0; i < c->count; i++) {
        sst_model_free(&c->entries[i]);
    }
    c->count = 0;
}

st_status sst_try_write(sst_case *c, int compress)
{
    st_sst_writer *writer;
    st_status status = st_lsm__sst_writer_open(&c->op, c->env, c->alloc, SST_PATH, &c->identity,
                                               compress, &writer);
    for (size_t i = 0; i < c->count && status == ST_OK; i++) {
        status = st_lsm__sst_writer_add(&c->op, writer, &c->entries[i]);
    }
    if (status == ST_OK) {
        status = st_lsm__sst_writer_finish(&c->op, writer, &c->summary);
    }
    st_lsm__sst_writer_destroy(writer);
    return status;
}

void sst_write(sst_case *c, int compress)
{
    (void)!st_env_remove(&c->op, c->env, SST_PATH);
    st_op_clear(&c->op);
    sst_check(c, sst_try_write(c, compress));
}

void sst_open(sst_case *c)
{
    sst_close(c);
    sst_check(c,
              st_lsm__sst_open(&c->op, c->env, c->alloc, c->cache, SST_PATH, &c->summary, &c->sst));
}

void sst_close(sst_case *c)
{
    st_lsm__sst_close(c->sst);
    c->sst = NULL;
}

/* The first entry of the model at or behind (key, sequence). */
static size_t sst_model_bound(const sst_case *c, st_slice key, uint64_t sequence)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const st_entry *entry = &c->entries[middle];
        if (st_lsm__order(entry->key, entry->sequence, key, sequence) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const st_entry *sst_model_get(const sst_case *c, st_slice key, uint64_t max)
{
    size_t at = sst_model_bound(c, key, max);
    return at < c->count && st_slice_equal(c->entries[at].key, key) ? &c->entries[at] : NULL;
}

static bool sst_is_same(const st_entry *a, const st_entry *b)
{
    return a->sequence == b->sequence && a->type == b->type && st_slice_equal(a->key, b->key) &&
           st_slice_equal(a->value, b->value);
}

static bool sst_get_is_right(sst_case *c, st_op *op, st_slice key, uint64_t max, st_status *status)
{
    st_entry entry;
    bool is_found;
    st_block_pin *pin;
    *status = st_lsm__sst_get(op, c->sst, key, st_lsm__key_hash(key), max, &entry, &is_found, &pin);
    const st_entry *expected = sst_model_get(c, key, max);
    bool is_right = *status != ST_OK || (is_found == (expected != NULL) &&
                                         (!is_found || sst_is_same(&entry, expected)));
    st_lsm__block_unpin(pin);
    return is_right;
}

/* From where the iterator stands it yields the model from `at` on, at most `most` entries. */
static bool sst_walk_is_right(sst_case *c, st_op *op, st_iter *iter, bool is_reverse, size_t at,
                              size_t most, st_status *status)
{
    for (; *status == ST_OK && most > 0; most--) {
        if (at == (is_reverse ? SIZE_MAX : c->count)) {
            return !iter->valid;
        }
        if (!iter->valid || !sst_is_same(&iter->entry, &c->entries[at])) {
            return false;
        }
        at = is_reverse ? at - 1 : at + 1;
        *status = st_lsm__iter_next(op, iter);
    }
    return true;
}

static bool sst_iter_is_right(sst_case *c, st_op *op, bool is_reverse, st_status *status)
{
    st_iter *iter;
    *status = st_lsm__sst_iter(op, c->sst, is_reverse, &iter);
    if (*status != ST_OK) {
        return true;
    }
    *status = st_lsm__iter_first(op, iter);
    bool is_right = sst_walk_is_right(c, op, iter, is_reverse, is_reverse ? c->count - 1 : 0,
                                      c->count + 1, status);
    size_t step = c->count / 200 + 1;
    for (size_t i = 0; i < c->count && is_right && *status == ST_OK; i += step) {
        uint8_t key[64];
        st_slice exact = c->entries[i].key;
        st_slice near = exact;
        if (exact.size > 0 && exact.size < sizeof key) { /* a key beside it */
            memcpy(key, exact.data, exact.size);
            key[exact.size - 1] ^= 1;
            near = st_slice_of(key, exact.size);
        }
        st_slice asked[2] = {exact, near};
        for (size_t k = 0; k < 2 && is_right && *status == ST_OK; k++) {
            *status = st_lsm__iter_seek(op, iter, asked[k]);
            size_t at = sst_model_bound(c, asked[k], is_reverse ? 0 : ST_SEQUENCE_MAX);
            is_right =
                sst_walk_is_right(c, op, iter, is_reverse, is_reverse ? at - 1 : at, 4, status);
        }
    }
    st_lsm__iter_destroy(iter);
    return is_right;
}

bool sst_answers_are_right(sst_case *c, st_op *op, st_status *out_status)
{
    *out_status = ST_OK;
    bool is_right = true;
    for (size_t i = 0; i < c->count && is_right && *out_status == ST_OK; i++) {
        const st_entry *entry = &c->entries[i];
        uint64_t asked[] = {entry->sequence, entry->sequence - 1, entry->sequence + 1,
                            ST_SEQUENCE_MAX};
        for (size_t k = 0; k < 4 && is_right && *out_status == ST_OK; k++) {
            is_right = sst_get_is_right(c, op, entry->key, asked[k], out_status);
        }
        if (is_right && *out_status == ST_OK && entry->key.size > 0) {
            st_slice shorter = st_slice_of(entry->key.data, entry->key.size - 1);
            is_right = sst_get_is_right(c, op, shorter, ST_SEQUENCE_MAX, out_status);
        }
    }
    for (int direction = 0; direction < 2 && is_right && *out_status == ST_OK; direction++) {
        is_right = sst_iter_is_right(c, op, direction == 1, out_status);
    }
    return is_right;
}

void sst_expect_right(sst_case *c)
{
    st_status status;
    assert_true(sst_answers_are_right(c, &c->op, &status));
    sst_check(c, status);
    uint64_t entries;
    sst_check(c, st_lsm__sst_verify(&c->op, c->sst, &entries));
    assert_int_equal(entries, c->count);
}

void sst_file_load(sst_case *c, st_buf *out)
{
    st_file *file;
    uint64_t bytes;
    size_t got;
    st_buf_clear(out);
    sst_check(c, st_env_open(&c->op, c->env, SST_PATH, ST_OPEN_READ, &file));
    sst_check(c, st_file_size(&c->op, file, &bytes));
    uint8_t *to = st_buf_extend(out, bytes);
    assert_non_null(to);
    sst_check(c, st_file_read_at(&c->op, file, 0, to, bytes, &got));
    assert_int_equal(got, bytes);
    st_file_close(file);
}

void sst_file_store(sst_case *c, const uint8_t *data, size_t bytes)
{
    st_file *file;
    sst_check(c, st_env_open(&c->op, c->env, SST_PATH, ST_OPEN_WRITE | ST_OPEN_CREATE, &file));
    sst_check(c, st_file_truncate(&c->op, file, 0));
    if (bytes > 0) {
        sst_check(c, st_file_write_at(&c->op, file, 0, data, bytes));
    }
    st_file_close(file);
}

void sst_block_seal(const sst_case *c, uint8_t *file, uint64_t offset)
{
    uint8_t *block = file + offset;
    uint32_t crc = st_lsm__place_crc(&c->identity, offset, block, 20);
    st_put_u32(block + 20, st_crc32c(crc, block + ST_BLOCK_HEADER_BYTES, st_get_u32(block + 4)));
}
