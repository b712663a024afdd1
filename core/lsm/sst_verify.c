/* Checking and describing one sorted file. */
#include "lsm/sst_internal.h"

#include <stdio.h>

static st_status verify_walk(st_op *op, st_sst *sst, st_iter *iter)
{
    st_buf last;
    st_buf_init(&last, sst->alloc);
    uint64_t last_sequence = 0, count = 0;
    st_status status = st_lsm__iter_first(op, iter);
    while (status == ST_OK && iter->valid) {
        const st_entry *entry = &iter->entry;
        bool is_ordered = count == 0 || st_lsm__order(st_buf_view(&last), last_sequence, entry->key,
                                                      entry->sequence) < 0;
        bool is_sound = entry->sequence > 0 && entry->sequence <= ST_SEQUENCE_MAX &&
                        (entry->type == ST_ENTRY_PUT || entry->type == ST_ENTRY_DELETE);
        st_entry found;
        bool is_found = false;
        st_block_pin *pin = NULL;
        if (is_ordered && is_sound) {
            status = st_lsm__sst_get(op, sst, entry->key, st_lsm__key_hash(entry->key),
                                     entry->sequence, &found, &is_found, &pin);
        }
        if (status == ST_OK && (!is_found || found.sequence != entry->sequence)) {
            status = st_lsm__sst_corrupt(op, sst, 0,
                                         is_ordered && is_sound
                                             ? "a filter or index does not lead to an entry"
                                             : "entries out of order");
        }
        st_lsm__block_unpin(pin);
        st_buf_clear(&last);
        st_buf_slice(&last, entry->key);
        last_sequence = entry->sequence;
        count++;
        status = status == ST_OK ? st_buf_check(op, &last) : status;
        status = status == ST_OK ? st_lsm__iter_next(op, iter) : status;
    }
    if (status == ST_OK && count != sst->entry_count) {
        status = st_lsm__sst_corrupt(op, sst, sst->file_bytes - ST_SST_FOOTER_BYTES,
                                     "the footer has another entry count");
    }
    st_buf_deinit(&last);
    return status;
}

st_status st_lsm__sst_verify(st_op *op, st_sst *sst, uint64_t *out_entries)
{
    st_iter *iter;
    *out_entries = sst->entry_count;
    ST_TRY(st_lsm__sst_iter(op, sst, false, &iter));
    st_status status = verify_walk(op, sst, iter);
    st_lsm__iter_destroy(iter);
    return status;
}

static void verify_print_key(char *to, size_t room, st_slice key)
{
    size_t at = 0;
    for (size_t i = 0; i < key.size && at + 5 < room; i++) {
        at +=
            (size_t)snprintf(to + at, room - at,
                             key.data[i] > 32 && key.data[i] < 127 ? "%c" : "\\%02x", key.data[i]);
    }
    to[at] = '\0';
}

static st_status verify_print_entries(st_op *op, st_iter *iter, st_lsm_print print, void *ctx)
{
    char key[160], line[256];
    ST_TRY(st_lsm__iter_first(op, iter));
    while (iter->valid) {
        verify_print_key(key, sizeof key, iter->entry.key);
        snprintf(line, sizeof line, "  %s sequence %llu key %s value %zu bytes",
                 iter->entry.type == ST_ENTRY_PUT ? "put" : "delete",
                 (unsigned long long)iter->entry.sequence, key, iter->entry.value.size);
        print(ctx, line);
        ST_TRY(st_lsm__iter_next(op, iter));
    }
    return ST_OK;
}

st_status st_lsm__sst_inspect(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                              st_lsm_print print, void *ctx)
{
    st_cache *cache;
    st_sst *sst = NULL;
    st_iter *iter = NULL;
    ST_TRY(st_lsm__cache_create(op, alloc, 0, &cache));
    st_status status;
    ST_TRY_OUT(st_lsm__sst_open(op, env, alloc, cache, path, NULL, &sst));
    char line[256];
    snprintf(line, sizeof line,
             "sorted file %llu: %llu bytes, %llu entries, %u index levels, root at %llu",
             (unsigned long long)sst->identity.file_id, (unsigned long long)sst->file_bytes,
             (unsigned long long)sst->entry_count, sst->index_levels,
             (unsigned long long)sst->root.offset);
    print(ctx, line);
    ST_TRY_OUT(st_lsm__sst_iter(op, sst, false, &iter));
    status = verify_print_entries(op, iter, print, ctx);
out:
    st_lsm__iter_destroy(iter);
    st_lsm__sst_close(sst);
    st_lsm__cache_destroy(cache);
    return status;
}
