/* The input as a sorted file: opened, read in both directions, sought, asked for keys, verified.
 * The first byte: bit 0 makes its checksums right again. Whatever the bytes are, reading ends and
 * stays inside them; a file that verifies holds its entries in order, gives every one of them to a
 * get, and reads the same backwards.
 */
#include "fuzz/fuzz_files.h"

#include "lsm/sst_internal.h"

#define SORTED_PATH "/db/f"
#define SORTED_ENTRIES_MAX 100000u

typedef struct sorted_walk {
    size_t count;
    uint64_t digest; /* of the entries, whatever their order */
} sorted_walk;

static bool is_whole(const st_op *op, st_status status)
{
    return fuzz_is_ok(op, status, SIZE_MAX / 2, fuzz_damages);
}

static void check_get(st_op *op, st_sst *sst, const st_entry *entry, bool is_verified)
{
    st_entry found;
    bool is_found;
    st_block_pin *pin;
    st_op_clear(op);
    bool is_read = is_whole(op, st_lsm__sst_get(op, sst, entry->key, st_lsm__key_hash(entry->key),
                                                entry->sequence, &found, &is_found, &pin));
    if (is_verified) {
        FUZZ_CHECK(op, is_read && is_found && found.sequence == entry->sequence);
        FUZZ_CHECK(op, found.type == entry->type && st_slice_equal(found.value, entry->value));
    }
    st_lsm__block_unpin(pin);
    st_op_clear(op);
}

static bool walk(st_op *op, st_sst *sst, bool is_reverse, bool is_verified, sorted_walk *out)
{
    st_iter *iter = NULL;
    st_buf before;
    uint64_t before_sequence = 0;
    st_buf_init(&before, fuzz_alloc());
    *out = (sorted_walk){0};
    st_op_clear(op);
    st_status status = st_lsm__sst_iter(op, sst, is_reverse, &iter);
    status = status == ST_OK ? st_lsm__iter_first(op, iter) : status;
    while (status == ST_OK && iter->valid) {
        const st_entry *entry = &iter->entry;
        int order =
            st_lsm__order(st_buf_view(&before), before_sequence, entry->key, entry->sequence);
        FUZZ_CHECK(op, !is_verified || out->count == 0 || (is_reverse ? order > 0 : order < 0));
        st_buf_clear(&before);
        st_buf_slice(&before, entry->key);
        before_sequence = entry->sequence;
        out->digest +=
            st_hash64(entry->key, entry->sequence) ^ st_hash64(entry->value, entry->type);
        FUZZ_CHECK(op, ++out->count <= SORTED_ENTRIES_MAX);
        check_get(op, sst, entry, is_verified);
        status = st_lsm__iter_next(op, iter);
    }
    bool is_read = is_whole(op, status);
    st_lsm__iter_destroy(iter);
    st_buf_deinit(&before);
    return is_read;
}

/* From a key that may not be there. */
static void seek(st_op *op, st_sst *sst, st_slice key, bool is_reverse, bool is_verified)
{
    st_iter *iter = NULL;
    st_op_clear(op);
    st_status status = st_lsm__sst_iter(op, sst, is_reverse, &iter);
    status = status == ST_OK ? st_lsm__iter_seek(op, iter, key) : status;
    if (is_whole(op, status) && iter->valid && is_verified) {
        int order = st_slice_compare(iter->entry.key, key);
        FUZZ_CHECK(op, is_reverse ? order <= 0 : order >= 0);
    }
    FUZZ_CHECK(op, status == ST_OK || !is_verified);
    st_lsm__iter_destroy(iter);
}

static st_status count_range(void *ctx, st_op *op, const st_range_delete *range)
{
    uint64_t *count = ctx;
    FUZZ_CHECK(op, ++*count <= SORTED_ENTRIES_MAX && range->sequence <= ST_SEQUENCE_MAX);
    return ST_OK;
}

static void check_ranges(st_op *op, st_sst *sst, st_slice key, bool is_verified)
{
    uint64_t count = 0, sequence;
    st_op_clear(op);
    bool is_read = is_whole(op, st_lsm__sst_ranges(op, sst, count_range, &count));
    FUZZ_CHECK(op, !is_verified || (is_read && count == st_lsm__sst_range_count(sst)));
    st_op_clear(op);
    is_read = is_whole(op, st_lsm__sst_covering(op, sst, key, ST_SEQUENCE_MAX, &sequence));
    FUZZ_CHECK(op, !is_verified || is_read);
}

static void check_file(st_op *op, st_sst *sst, st_slice key)
{
    uint64_t entries = 0;
    sorted_walk forward, backward;
    bool is_verified = is_whole(op, st_lsm__sst_verify(op, sst, &entries));
    bool is_read = walk(op, sst, false, is_verified, &forward);
    is_read = walk(op, sst, true, is_verified, &backward) && is_read;
    if (is_verified) {
        FUZZ_CHECK(op, is_read && forward.count == entries && backward.count == entries);
        FUZZ_CHECK(op, forward.digest == backward.digest);
    }
    seek(op, sst, key, false, is_verified);
    seek(op, sst, key, true, is_verified);
    check_ranges(op, sst, key, is_verified);
}

void fuzz_target(st_slice input)
{
    bool is_repaired = fuzz_take_byte(&input) & 1;
    st_op op;
    st_buf file;
    st_cache *cache;
    st_sst *sst;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&file, fuzz_alloc());
    st_buf_slice(&file, input);
    if (is_repaired) {
        fuzz_repair_sorted(&file);
    }
    st_env *env = fuzz_env_create();
    fuzz_env_put(env, SORTED_PATH, st_buf_view(&file));
    FUZZ_CHECK(&op, st_lsm__cache_create(&op, fuzz_alloc(), 1 << 20, &cache) == ST_OK);
    st_status status = st_lsm__sst_open(&op, env, fuzz_alloc(), cache, SORTED_PATH, NULL, &sst);
    if (fuzz_is_ok(&op, status, file.size, fuzz_damages)) {
        size_t key_bytes = input.size < 16 ? input.size : 16;
        check_file(&op, sst, st_slice_of(input.data + input.size / 2 - key_bytes / 2, key_bytes));
        st_lsm__sst_close(sst);
    }
    st_lsm__cache_destroy(cache);
    st_env_destroy(env);
    st_buf_deinit(&file);
    st_op_deinit(&op);
}
