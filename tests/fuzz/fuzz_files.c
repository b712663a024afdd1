#include "fuzz/fuzz_files.h"

#include <string.h>

#include "log/log.h"
#include "lsm/sst_internal.h"

#define FUZZ_MANIFEST_HEADER_BYTES 64u
#define FUZZ_FILE_ENTRIES_MAX 100000u

const st_status fuzz_inspect_statuses[] = {ST_CORRUPT, ST_UNSUPPORTED, ST_NOT_A_DATABASE, ST_OK};

/* ---- the directory ---------------------------------------------------------------------- */

st_env *fuzz_env_create(void)
{
    st_op op;
    st_env *env;
    st_op_init(&op, fuzz_alloc());
    FUZZ_CHECK(&op, st_env_memory_create(&op, fuzz_alloc(), &env) == ST_OK);
    FUZZ_CHECK(&op, st_env_mkdir(&op, env, "/db") == ST_OK);
    st_op_deinit(&op);
    return env;
}

void fuzz_env_put(st_env *env, const char *path, st_slice bytes)
{
    st_op op;
    st_file *file;
    st_op_init(&op, fuzz_alloc());
    FUZZ_CHECK(&op, st_env_open(&op, env, path, ST_OPEN_WRITE | ST_OPEN_CREATE, &file) == ST_OK);
    FUZZ_CHECK(&op, st_file_write_at(&op, file, 0, bytes.data, bytes.size) == ST_OK);
    FUZZ_CHECK(&op, st_file_sync(&op, file) == ST_OK);
    st_file_close(file);
    st_op_deinit(&op);
}

void fuzz_env_put_current(st_env *env)
{
    fuzz_env_put(env, "/db/CURRENT", st_slice_str("stator 1 MANIFEST-000000000001 4f45e745\n"));
}

void fuzz_env_put_manifest(st_env *env, uint64_t durable)
{
    st_buf file;
    st_buf_init(&file, fuzz_alloc());
    uint8_t header[FUZZ_MANIFEST_HEADER_BYTES] = "STATORMF\1";
    for (uint8_t i = 0; i < 16; i++) {
        header[16 + i] = i;
    }
    header[32] = 1;
    st_buf_append(&file, header, sizeof header);
    st_buf_u64(&file, 9); /* next file */
    st_buf_u64(&file, 2); /* log start */
    st_buf_u64(&file, 0);
    st_buf_u64(&file, durable);
    st_buf_u64(&file, 0);
    st_buf_u32(&file, 0); /* header */
    st_buf_u32(&file, 0); /* range deletes */
    st_buf_byte(&file, ST_LSM_LEVELS);
    for (uint32_t i = 0; i < ST_LSM_LEVELS; i++) {
        st_buf_u32(&file, 0);
    }
    st_buf_u32(&file, 0); /* checksum */
    FUZZ_CHECK(NULL, !file.failed);
    fuzz_repair_manifest(&file);
    fuzz_env_put(env, "/db/MANIFEST-000000000001", st_buf_view(&file));
    st_buf_deinit(&file);
}

/* ---- checksums -------------------------------------------------------------------------- */

/* Of a manifest, a log segment or a sorted file: it stands at the same place in all of them. */
static st_file_identity fuzz_identity(const st_buf *file)
{
    st_file_identity identity = {.file_id = st_get_u64(file->data + 32)};
    memcpy(identity.database_id, file->data + 16, 16);
    return identity;
}

void fuzz_repair_log(st_buf *file)
{
    if (file->size < ST_LOG_HEADER_BYTES) {
        return;
    }
    st_file_identity identity = fuzz_identity(file);
    st_put_u32(file->data + 60, st_lsm__place_crc(&identity, 0, file->data, 60));
    size_t at = ST_LOG_HEADER_BYTES;
    static const uint8_t zeros[ST_LOG_FRAME_HEADER_BYTES - 8];
    while (file->size - at >= ST_LOG_FRAME_HEADER_BYTES &&
           memcmp(file->data + at + 8, zeros, sizeof zeros) != 0) {
        uint8_t *frame = file->data + at;
        size_t left = file->size - at - ST_LOG_FRAME_HEADER_BYTES;
        uint32_t body_bytes = st_get_u32(frame + 8);
        uint32_t crc = st_lsm__place_crc(&identity, at, frame + 8, ST_LOG_FRAME_HEADER_BYTES - 8);
        st_put_u32(frame, crc);
        if (body_bytes > left) {
            return;
        }
        st_put_u32(frame + 4, st_crc32c(crc, frame + ST_LOG_FRAME_HEADER_BYTES, body_bytes));
        at += ST_LOG_FRAME_HEADER_BYTES + body_bytes;
    }
}

void fuzz_repair_manifest(st_buf *file)
{
    if (file->size < FUZZ_MANIFEST_HEADER_BYTES + 4) {
        return;
    }
    st_file_identity identity = fuzz_identity(file);
    size_t end = file->size - 4;
    st_put_u32(file->data + 60, st_lsm__place_crc(&identity, 0, file->data, 60));
    st_put_u32(file->data + end, st_lsm__place_crc(&identity, FUZZ_MANIFEST_HEADER_BYTES,
                                                   file->data + FUZZ_MANIFEST_HEADER_BYTES,
                                                   end - FUZZ_MANIFEST_HEADER_BYTES));
}

void fuzz_repair_sorted(st_buf *file)
{
    if (file->size < ST_SST_HEADER_BYTES + ST_SST_FOOTER_BYTES) {
        return;
    }
    st_file_identity identity = fuzz_identity(file);
    uint8_t *data = file->data;
    size_t end = file->size - ST_SST_FOOTER_BYTES, at = ST_SST_HEADER_BYTES;
    uint32_t trailer_bytes = st_get_u32(data + 12);
    st_put_u32(data + 76, st_lsm__place_crc(&identity, 0, data, 76));
    while (end - at >= ST_BLOCK_HEADER_BYTES) {
        uint64_t left = end - at - ST_BLOCK_HEADER_BYTES;
        uint32_t stored_bytes = st_get_u32(data + at + 4);
        if (stored_bytes > left || trailer_bytes > left - stored_bytes) {
            break;
        }
        uint32_t crc = st_lsm__place_crc(&identity, at, data + at, 20);
        st_put_u32(data + at + 20, st_crc32c(crc, data + at + ST_BLOCK_HEADER_BYTES, stored_bytes));
        at += ST_BLOCK_HEADER_BYTES + stored_bytes + trailer_bytes;
    }
    st_put_u64(data + end + 88, file->size);
    st_put_u32(data + end + 108, st_lsm__place_crc(&identity, end, data + end, 108));
}

/* ---- a database ------------------------------------------------------------------------- */

void fuzz_print_checked(void *ctx, const char *line)
{
    (void)ctx;
    size_t bad;
    FUZZ_CHECK(NULL, line[0] != '\0' && st_utf8_valid(st_slice_str(line), &bad));
    for (const char *at = line; *at; at++) {
        FUZZ_CHECK(NULL, (unsigned char)*at >= ' ' && *at != 127);
    }
}

static st_status fuzz_open(st_op *op, st_env *env, bool read_only, st_lsm **out_lsm)
{
    st_lsm_options options;
    st_lsm_options_init(&options);
    options.env = env;
    options.alloc = fuzz_alloc();
    options.path = "/db";
    options.read_only = read_only;
    options.inline_background = true;
    options.memory_budget_bytes = 1 << 20;
    return st_lsm_open(op, &options, out_lsm);
}

/* Damage shows at the read that meets it. */
static bool fuzz_is_whole(const st_op *op, st_status status)
{
    return fuzz_is_ok(op, status, SIZE_MAX / 2, fuzz_damages);
}

/* All that is there, in the order of a cursor: for each entry u32 key bytes · u32 value bytes · u32
 * where its key begins in bytes. */
typedef struct fuzz_pairs {
    st_buf bytes, places;
    size_t count;
} fuzz_pairs;

static void fuzz_pairs_init(fuzz_pairs *pairs)
{
    st_buf_init(&pairs->bytes, fuzz_alloc());
    st_buf_init(&pairs->places, fuzz_alloc());
    pairs->count = 0;
}

static void fuzz_pairs_deinit(fuzz_pairs *pairs)
{
    st_buf_deinit(&pairs->bytes);
    st_buf_deinit(&pairs->places);
}

static void fuzz_pairs_add(fuzz_pairs *pairs, st_slice key, st_slice value)
{
    st_buf_u32(&pairs->places, (uint32_t)key.size);
    st_buf_u32(&pairs->places, (uint32_t)value.size);
    st_buf_u32(&pairs->places, (uint32_t)pairs->bytes.size);
    st_buf_slice(&pairs->bytes, key);
    st_buf_slice(&pairs->bytes, value);
    pairs->count++;
    FUZZ_CHECK(NULL, !pairs->bytes.failed && !pairs->places.failed);
    FUZZ_CHECK(NULL, pairs->count <= FUZZ_FILE_ENTRIES_MAX);
}

static void fuzz_pairs_at(const fuzz_pairs *pairs, size_t index, st_slice *out_key,
                          st_slice *out_value)
{
    const uint8_t *place = pairs->places.data + 12 * index;
    const uint8_t *key = pairs->bytes.data + st_get_u32(place + 8);
    *out_key = st_slice_of(key, st_get_u32(place));
    *out_value = st_slice_of(key + out_key->size, st_get_u32(place + 4));
}

static bool fuzz_read_one_way(st_lsm *lsm, bool is_reverse, fuzz_pairs *out_pairs)
{
    st_op op;
    st_lsm_cursor *cursor = NULL;
    st_lsm_range range = {.is_reverse = is_reverse};
    st_slice key, value;
    bool valid = true;
    st_op_init(&op, fuzz_alloc());
    st_status status = st_lsm_cursor_open(&op, lsm, &range, &cursor);
    while (status == ST_OK && valid) {
        status = st_lsm_cursor_next(&op, cursor, &valid, &key, &value);
        if (status == ST_OK && valid) {
            fuzz_pairs_add(out_pairs, key, value);
        }
    }
    bool is_whole = fuzz_is_whole(&op, status);
    st_lsm_cursor_close(cursor);
    st_op_deinit(&op);
    return is_whole;
}

/* Asks for every key that the cursor gave. */
static bool fuzz_read_gets(st_lsm *lsm, const fuzz_pairs *pairs, bool is_verified)
{
    bool is_whole = true;
    for (size_t i = 0; is_whole && i < pairs->count; i++) {
        st_op op;
        st_lsm_pin pin;
        st_slice key, value, found;
        bool is_found;
        fuzz_pairs_at(pairs, i, &key, &value);
        st_op_init(&op, fuzz_alloc());
        is_whole = fuzz_is_whole(
            &op, st_lsm_get(&op, lsm, key, ST_LSM_PUBLISHED, &pin, &found, &is_found, NULL));
        FUZZ_CHECK(&op, !is_verified || (is_found && st_slice_equal(found, value)));
        st_lsm_pin_release(&pin);
        st_op_deinit(&op);
    }
    return is_whole;
}

/* Keys ascend, and backwards it is the same. */
static void fuzz_check_order(const fuzz_pairs *pairs, const fuzz_pairs *backwards)
{
    st_slice before = {0}, key, value, other_key, other_value;
    FUZZ_CHECK(NULL, pairs->count == backwards->count);
    for (size_t i = 0; i < pairs->count; i++) {
        fuzz_pairs_at(pairs, i, &key, &value);
        fuzz_pairs_at(backwards, pairs->count - 1 - i, &other_key, &other_value);
        FUZZ_CHECK(NULL, i == 0 || st_slice_compare(before, key) < 0);
        FUZZ_CHECK(NULL, st_slice_equal(key, other_key) && st_slice_equal(value, other_value));
        before = key;
    }
}

static bool fuzz_read(st_lsm *lsm, bool is_verified, fuzz_pairs *out_pairs)
{
    fuzz_pairs backwards;
    fuzz_pairs_init(&backwards);
    bool is_whole = fuzz_read_one_way(lsm, false, out_pairs);
    is_whole = fuzz_read_one_way(lsm, true, &backwards) && is_whole;
    is_whole = fuzz_read_gets(lsm, out_pairs, is_verified) && is_whole;
    if (is_verified) {
        FUZZ_CHECK(NULL, is_whole);
        fuzz_check_order(out_pairs, &backwards);
    }
    fuzz_pairs_deinit(&backwards);
    return is_whole;
}

/* A database that verified goes on: what is written is found, also when it stands in a file. */
static void fuzz_write(st_lsm *lsm)
{
    st_op op;
    st_lsm_batch batch;
    st_lsm_pin pin;
    st_slice key = st_slice_str("key/a"), value = st_slice_str("written"), found;
    uint64_t sequence, found_sequence;
    bool is_found;
    st_op_init(&op, fuzz_alloc());
    st_lsm_batch_init(&batch, fuzz_alloc());
    st_lsm_batch_put(&batch, key, value);
    FUZZ_CHECK(&op, st_lsm_write(&op, lsm, &batch, ST_DURABILITY_SYNC, &sequence) == ST_OK);
    FUZZ_CHECK(&op, st_lsm_wait(&op, lsm, sequence) == ST_OK);
    FUZZ_CHECK(&op, st_lsm_compact(&op, lsm) == ST_OK);
    FUZZ_CHECK(&op, st_lsm_get(&op, lsm, key, ST_LSM_PUBLISHED, &pin, &found, &is_found,
                               &found_sequence) == ST_OK);
    FUZZ_CHECK(&op, is_found && found_sequence == sequence && st_slice_equal(found, value));
    st_lsm_pin_release(&pin);
    FUZZ_CHECK(&op, st_lsm_verify(&op, lsm, fuzz_print_checked, NULL) == ST_OK);
    st_lsm_batch_deinit(&batch);
    st_op_deinit(&op);
}

typedef struct fuzz_life {
    bool is_open, is_read, is_verified;
    fuzz_pairs pairs;
} fuzz_life;

static void fuzz_live(st_env *env, bool read_only, bool is_last, fuzz_life *life)
{
    st_op op;
    st_lsm *lsm;
    *life = (fuzz_life){0};
    st_op_init(&op, fuzz_alloc());
    fuzz_pairs_init(&life->pairs);
    life->is_open = fuzz_is_whole(&op, fuzz_open(&op, env, read_only, &lsm));
    if (life->is_open) {
        life->is_verified = fuzz_is_whole(&op, st_lsm_verify(&op, lsm, fuzz_print_checked, NULL));
        life->is_read = fuzz_read(lsm, life->is_verified, &life->pairs);
        st_op_clear(&op);
        if (is_last && life->is_verified) {
            fuzz_write(lsm);
        }
        bool is_closed = st_lsm_close(&op, lsm) == ST_OK;
        FUZZ_CHECK(&op, is_closed || !life->is_verified);
    }
    st_op_deinit(&op);
}

static bool fuzz_is_same(const fuzz_life *a, const fuzz_life *b)
{
    return st_slice_equal(st_buf_view(&a->pairs.places), st_buf_view(&b->pairs.places)) &&
           st_slice_equal(st_buf_view(&a->pairs.bytes), st_buf_view(&b->pairs.bytes));
}

bool fuzz_database_lives(st_env *env)
{
    fuzz_life lives[3];
    for (size_t i = 0; i < 3; i++) {
        fuzz_live(env, i == 0, i == 2, &lives[i]);
    }
    FUZZ_CHECK(NULL, lives[0].is_verified == lives[1].is_verified);
    FUZZ_CHECK(NULL, !lives[1].is_verified || lives[2].is_verified);
    for (size_t i = 1; i < 3; i++) {
        bool are_read = lives[i - 1].is_read && lives[i].is_read;
        FUZZ_CHECK(NULL, !are_read || fuzz_is_same(&lives[i - 1], &lives[i]));
    }
    bool is_verified = lives[1].is_verified;
    for (size_t i = 0; i < 3; i++) {
        fuzz_pairs_deinit(&lives[i].pairs);
    }
    return is_verified;
}
