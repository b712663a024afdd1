/* The manifest: which files make up the store, written whole into a new file whenever that changes.
 * CURRENT names the one that counts; it is replaced by rename, so that there is always a whole one.
 * docs/formats/manifest.md.
 */
#include "lsm/lsm_internal.h"

#include <stdio.h>
#include <string.h>

#define MANIFEST_MAGIC "STATORMF"
#define MANIFEST_FORMAT 1u
#define MANIFEST_HEADER_BYTES 64u
#define MANIFEST_CURRENT_MAX 80u

static uint32_t manifest_crc(const uint8_t *database_id, uint64_t file_id, uint64_t offset,
                             const void *data, size_t bytes)
{
    st_file_identity identity = {.file_id = file_id};
    memcpy(identity.database_id, database_id, 16);
    return st_lsm__place_crc(&identity, offset, data, bytes);
}

static void manifest_put_bytes(st_buf *out, st_slice bytes)
{
    st_buf_u32(out, (uint32_t)bytes.size);
    st_buf_slice(out, bytes);
}

static void manifest_put_file(st_buf *out, const st_sst_summary *file)
{
    st_buf_append(out, file->identity.database_id, 16);
    st_buf_u64(out, file->identity.file_id);
    st_buf_u64(out, file->file_bytes);
    st_buf_u64(out, file->entry_count);
    st_buf_u64(out, file->smallest_sequence);
    st_buf_u64(out, file->largest_sequence);
    manifest_put_bytes(out, file->smallest_key);
    manifest_put_bytes(out, file->largest_key);
}

static void manifest_encode(const st_manifest *manifest, const st_version *version, st_buf *out)
{
    uint8_t header[MANIFEST_HEADER_BYTES] = MANIFEST_MAGIC;
    st_put_u32(header + 8, MANIFEST_FORMAT);
    memcpy(header + 16, manifest->database_id, 16);
    st_put_u64(header + 32, manifest->file_id);
    st_put_u32(header + 60, manifest_crc(manifest->database_id, manifest->file_id, 0, header, 60));
    st_buf_append(out, header, sizeof header);
    st_buf_u64(out, manifest->next_file_id);
    st_buf_u64(out, manifest->log_start);
    st_buf_u64(out, manifest->sequence);
    st_buf_u64(out, manifest->durable);
    st_buf_u64(out, manifest->time_us);
    manifest_put_bytes(out, st_buf_view(&manifest->header));
    st_buf_u32(out, version->range_count);
    for (uint32_t i = 0; i < version->range_count; i++) {
        st_buf_u64(out, version->ranges[i].sequence);
        manifest_put_bytes(out, version->ranges[i].from);
        manifest_put_bytes(out, version->ranges[i].to);
    }
    st_buf_byte(out, ST_LSM_LEVELS);
    for (uint32_t level = 0; level < ST_LSM_LEVELS; level++) {
        st_buf_u32(out, version->counts[level]);
        for (uint32_t i = 0; i < version->counts[level]; i++) {
            manifest_put_file(out, &version->files[level][i]->summary);
        }
    }
    size_t body = out->size - MANIFEST_HEADER_BYTES;
    st_buf_u32(out, out->failed ? 0
                                : manifest_crc(manifest->database_id, manifest->file_id,
                                               MANIFEST_HEADER_BYTES,
                                               out->data + MANIFEST_HEADER_BYTES, body));
}

/* Writes a new file and makes its bytes durable; whoever refers to it makes the name durable. */
static st_status manifest_write_file(st_op *op, st_lsm *lsm, const char *path, uint32_t flags,
                                     st_slice bytes)
{
    st_file *file;
    ST_TRY(st_env_open(op, lsm->env, path, ST_OPEN_WRITE | ST_OPEN_CREATE | flags, &file));
    st_status status = flags & ST_OPEN_EXCLUSIVE ? ST_OK : st_file_truncate(op, file, 0);
    status = status == ST_OK ? st_file_write_at(op, file, 0, bytes.data, bytes.size) : status;
    status = status == ST_OK ? st_file_sync(op, file) : status;
    st_file_close(file);
    return status;
}

/* *out_is_uncertain: either manifest may be the one that CURRENT names after a crash. */
static st_status manifest_switch(st_op *op, st_lsm *lsm, uint64_t file_id, bool *out_is_uncertain)
{
    char name[ST_NAME_ROOM], text[MANIFEST_CURRENT_MAX];
    st_lsm__name(ST_NAME_MANIFEST, file_id, name);
    int bytes =
        snprintf(text, sizeof text, "stator 1 %s %08x\n", name, st_crc32c(0, name, strlen(name)));
    const char *temporary = st_lsm__path(op, lsm, ST_NAME_TEMPORARY, 0);
    const char *current = st_lsm__path(op, lsm, ST_NAME_CURRENT, 0);
    if (!temporary || !current) {
        return st_fail_memory(op, lsm->path.size);
    }
    ST_TRY(manifest_write_file(op, lsm, temporary, 0, st_slice_of(text, (size_t)bytes)));
    ST_TRY(st_env_sync_dir(
        op, lsm->env,
        (const char *)lsm->path.data)); /* the manifest's name, before CURRENT names it */
    *out_is_uncertain = true;
    ST_TRY(st_env_rename(op, lsm->env, temporary, current));
    return st_env_sync_dir(op, lsm->env, (const char *)lsm->path.data);
}

static void manifest_remove(st_lsm *lsm, uint64_t file_id)
{
    st_op op;
    st_op_init(&op, lsm->alloc);
    const char *path = st_lsm__path(&op, lsm, ST_NAME_MANIFEST, file_id);
    if (path) {
        (void)!st_env_remove(&op, lsm->env, path); /* what stays is removed at the next open */
    }
    st_op_deinit(&op);
}

/* A manifest that was written in part changed nothing, and makes room again. One that CURRENT may
 * name stays, as do all files that either of the two names: the next open finds out. */
static void manifest_give_up(st_op *op, st_lsm *lsm, uint64_t file_id, bool is_uncertain)
{
    bool is_space = op->error.code == ST_NO_SPACE || op->error.code == ST_NO_MEMORY;
    if (!is_uncertain) {
        manifest_remove(lsm, file_id);
    }
    if (is_uncertain || !is_space) {
        st_mutex_lock(&lsm->state);
        st_lsm__fail(lsm, op);
        st_mutex_unlock(&lsm->state);
    }
}

st_status st_lsm__manifest_write(st_op *op, st_lsm *lsm, st_version *version, uint64_t log_start,
                                 uint64_t sequence)
{
    st_manifest manifest = {.log_start = log_start, .sequence = sequence};
    memcpy(manifest.database_id, lsm->database_id, 16);
    manifest.file_id = atomic_fetch_add_explicit(&lsm->next_file_id, 1, memory_order_relaxed);
    manifest.next_file_id = atomic_load_explicit(&lsm->next_file_id, memory_order_relaxed);
    uint64_t durable = atomic_load_explicit(&lsm->durable, memory_order_acquire);
    manifest.durable = durable > sequence ? durable : sequence;
    st_mutex_lock(&lsm->state);
    manifest.time_us = lsm->last_time_us;
    st_mutex_unlock(&lsm->state);
    manifest.header = lsm->header;
    st_buf bytes;
    st_buf_init(&bytes, lsm->alloc);
    manifest_encode(&manifest, version, &bytes);
    const char *path = st_lsm__path(op, lsm, ST_NAME_MANIFEST, manifest.file_id);
    st_status status = path ? st_buf_check(op, &bytes) : st_fail_memory(op, lsm->path.size);
    bool is_uncertain = false;
    if (status == ST_OK) {
        status = manifest_write_file(op, lsm, path, ST_OPEN_EXCLUSIVE, st_buf_view(&bytes));
        status =
            status == ST_OK ? manifest_switch(op, lsm, manifest.file_id, &is_uncertain) : status;
    }
    st_buf_deinit(&bytes);
    if (status != ST_OK) {
        manifest_give_up(op, lsm, manifest.file_id, is_uncertain);
        return status;
    }
    if (lsm->manifest_id != 0) {
        manifest_remove(lsm, lsm->manifest_id);
    }
    lsm->manifest_id = manifest.file_id;
    lsm->manifest_durable = manifest.durable;
    return ST_OK;
}

/* ---- reading ---------------------------------------------------------------------------- */

static st_slice manifest_get_bytes(st_reader *reader)
{
    return st_reader_slice(reader, st_reader_u32(reader));
}

static bool manifest_get_file(st_reader *reader, st_sst_summary *out_file)
{
    *out_file = (st_sst_summary){0};
    st_slice database_id = st_reader_slice(reader, 16);
    if (database_id.size == 16) {
        memcpy(out_file->identity.database_id, database_id.data, 16);
    }
    out_file->identity.file_id = st_reader_u64(reader);
    out_file->file_bytes = st_reader_u64(reader);
    out_file->entry_count = st_reader_u64(reader);
    out_file->smallest_sequence = st_reader_u64(reader);
    out_file->largest_sequence = st_reader_u64(reader);
    out_file->smallest_key = manifest_get_bytes(reader);
    out_file->largest_key = manifest_get_bytes(reader);
    return !reader->failed;
}

static st_status manifest_check(st_op *op, st_slice bytes, const char *path,
                                st_manifest *out_manifest)
{
    const uint8_t *header = bytes.data;
    if (bytes.size < MANIFEST_HEADER_BYTES + 4 || memcmp(header, MANIFEST_MAGIC, 8) != 0) {
        return st_fail_at(op, ST_CORRUPT, 0, "%s: not a manifest, or cut short, at offset 0", path);
    }
    memcpy(out_manifest->database_id, header + 16, 16);
    out_manifest->file_id = st_get_u64(header + 32);
    const uint8_t *id = out_manifest->database_id;
    size_t body = bytes.size - MANIFEST_HEADER_BYTES - 4;
    if (st_get_u32(header + 60) != manifest_crc(id, out_manifest->file_id, 0, header, 60)) {
        return st_fail_at(op, ST_CORRUPT, 0, "%s: bad checksum of the header at offset 0", path);
    }
    if (st_get_u32(header + 8) != MANIFEST_FORMAT || st_get_u32(header + 48) != 0) {
        return st_fail(op, ST_UNSUPPORTED, "%s: manifest format %u of a later version", path,
                       st_get_u32(header + 8));
    }
    uint32_t crc = manifest_crc(id, out_manifest->file_id, MANIFEST_HEADER_BYTES,
                                header + MANIFEST_HEADER_BYTES, body);
    if (st_get_u32(header + MANIFEST_HEADER_BYTES + body) != crc) {
        return st_fail_at(op, ST_CORRUPT, MANIFEST_HEADER_BYTES,
                          "%s: bad checksum of the body at offset %u", path, MANIFEST_HEADER_BYTES);
    }
    return ST_OK;
}

static st_reader manifest_body(st_slice bytes, st_manifest *out_manifest, st_slice *out_header)
{
    st_reader reader = st_reader_of(st_slice_of(bytes.data, bytes.size - 4));
    reader.at = MANIFEST_HEADER_BYTES;
    out_manifest->next_file_id = st_reader_u64(&reader);
    out_manifest->log_start = st_reader_u64(&reader);
    out_manifest->sequence = st_reader_u64(&reader);
    out_manifest->durable = st_reader_u64(&reader);
    out_manifest->time_us = st_reader_u64(&reader);
    *out_header = manifest_get_bytes(&reader);
    return reader;
}

static st_status manifest_check_numbers(st_op *op, const st_manifest *manifest, const char *path)
{
    if (manifest->next_file_id <= ST_FILE_ID_MAX && manifest->sequence <= ST_SEQUENCE_OPEN_MAX &&
        manifest->durable <= ST_SEQUENCE_OPEN_MAX) {
        return ST_OK;
    }
    return st_fail_at(op, ST_CORRUPT, MANIFEST_HEADER_BYTES,
                      "%s: a file number or sequence beyond all at offset %u", path,
                      MANIFEST_HEADER_BYTES);
}

static st_status manifest_load_file(st_op *op, st_lsm *lsm, const st_sst_summary *summary,
                                    uint32_t level, st_version *version, const char *path)
{
    st_table_file *file;
    st_status status = st_lsm__file_create(op, lsm, summary, &file);
    if (status == ST_NOT_FOUND) {
        st_op_clear(op);
        return st_fail(op, ST_CORRUPT, "%s: names the sorted file %012llu.sst, and it is missing",
                       path, (unsigned long long)summary->identity.file_id);
    }
    ST_TRY(status);
    status = st_lsm__version_add(op, version, level, file);
    st_lsm__file_release(file);
    return status;
}

/* What is in a manifest is in sorted files: nothing is newer than the sequence up to which all is.
 */
static st_status manifest_check_sequence(st_op *op, const st_manifest *manifest, uint64_t sequence,
                                         const st_reader *reader, const char *path)
{
    return sequence <= manifest->sequence
               ? ST_OK
               : st_fail_at(op, ST_CORRUPT, (int64_t)reader->at,
                            "%s: sequence %llu of a file or range delete is beyond the last one, "
                            "%llu, before offset %zu",
                            path, (unsigned long long)sequence,
                            (unsigned long long)manifest->sequence, reader->at);
}

static st_status manifest_load_files(st_op *op, st_lsm *lsm, const st_manifest *manifest,
                                     st_reader *reader, st_version *version, const char *path)
{
    uint32_t range_count = st_reader_u32(reader);
    for (uint32_t i = 0; i < range_count && !reader->failed; i++) {
        st_range_delete range = {.sequence = st_reader_u64(reader)};
        range.from = manifest_get_bytes(reader);
        range.to = manifest_get_bytes(reader);
        if (!reader->failed) {
            ST_TRY(manifest_check_sequence(op, manifest, range.sequence, reader, path));
            ST_TRY(st_lsm__version_add_range(op, version, &range));
        }
    }
    uint8_t levels = st_reader_byte(reader);
    for (uint32_t level = 0; level < levels && levels == ST_LSM_LEVELS && !reader->failed;
         level++) {
        uint32_t count = st_reader_u32(reader);
        for (uint32_t i = 0; i < count && !reader->failed; i++) {
            st_sst_summary summary;
            if (!manifest_get_file(reader, &summary)) {
                break;
            }
            ST_TRY(manifest_check_sequence(op, manifest, summary.largest_sequence, reader, path));
            ST_TRY(manifest_load_file(op, lsm, &summary, level, version, path));
        }
    }
    if (reader->failed || levels != ST_LSM_LEVELS || st_reader_left(reader) != 0) {
        return st_fail_at(op, ST_CORRUPT, (int64_t)reader->at, "%s: malformed at offset %zu", path,
                          reader->at);
    }
    return st_lsm__version_check(op, version);
}

static st_status manifest_read_file(st_op *op, st_lsm *lsm, const char *path, st_buf *out)
{
    st_file *file;
    ST_TRY(st_env_open(op, lsm->env, path, ST_OPEN_READ, &file));
    uint64_t bytes;
    st_buf_clear(out);
    st_status status = st_file_size(op, file, &bytes);
    if (status == ST_OK && bytes > 0) {
        uint8_t *to = st_buf_extend(out, (size_t)bytes);
        size_t got = 0;
        status = to ? st_file_read_at(op, file, 0, to, (size_t)bytes, &got) : st_buf_check(op, out);
        out->size = got;
    }
    st_file_close(file);
    return status;
}

/* The text of CURRENT, a NUL behind it. */
static bool manifest_current_parse(const st_buf *text, uint64_t *out_id)
{
    char expected[MANIFEST_CURRENT_MAX], name[32] = "";
    bool is_named = sscanf((char *)text->data, "stator 1 %31s", name) == 1 &&
                    st_lsm__name_parse(name, out_id) == ST_NAME_MANIFEST;
    snprintf(expected, sizeof expected, "stator 1 %s %08x\n", name,
             st_crc32c(0, name, strlen(name)));
    return is_named && strcmp(expected, (char *)text->data) == 0 &&
           text->size == strlen(expected) + 1;
}

static st_status manifest_current_check(st_op *op, st_buf *text, const char *path, uint64_t *out_id)
{
    st_buf_byte(text, 0);
    ST_TRY(st_buf_check(op, text));
    return manifest_current_parse(text, out_id)
               ? ST_OK
               : st_fail_at(op, ST_CORRUPT, 0, "%s: damaged at offset 0; it must name a manifest",
                            path);
}

static st_status manifest_current(st_op *op, st_lsm *lsm, st_buf *text, uint64_t *out_id)
{
    const char *path = st_lsm__path(op, lsm, ST_NAME_CURRENT, 0);
    if (!path) {
        return st_fail_memory(op, lsm->path.size);
    }
    ST_TRY(manifest_read_file(op, lsm, path, text));
    return manifest_current_check(op, text, path, out_id);
}

static st_status manifest_parse(st_op *op, st_lsm *lsm, st_slice bytes, const char *path,
                                uint64_t id, st_manifest *out_manifest, st_version *version)
{
    ST_TRY(manifest_check(op, bytes, path, out_manifest));
    if (out_manifest->file_id != id) {
        return st_fail_at(op, ST_CORRUPT, 32, "%s: this is the manifest %llu, at offset 32", path,
                          (unsigned long long)out_manifest->file_id);
    }
    st_slice header;
    st_reader reader = manifest_body(bytes, out_manifest, &header);
    ST_TRY(manifest_check_numbers(op, out_manifest, path));
    st_buf_slice(&out_manifest->header, header);
    ST_TRY(st_buf_check(op, &out_manifest->header));
    return manifest_load_files(op, lsm, out_manifest, &reader, version, path);
}

st_status st_lsm__manifest_read(st_op *op, st_lsm *lsm, st_manifest *out_manifest,
                                st_version **out_version)
{
    st_buf bytes;
    uint64_t id;
    st_buf_init(&bytes, lsm->alloc);
    *out_version = NULL;
    st_status status;
    ST_TRY_OUT(manifest_current(op, lsm, &bytes, &id));
    const char *path = st_lsm__path(op, lsm, ST_NAME_MANIFEST, id);
    if (!path) {
        status = st_fail_memory(op, lsm->path.size);
        goto out;
    }
    status = manifest_read_file(op, lsm, path, &bytes);
    if (status == ST_NOT_FOUND) {
        st_op_clear(op);
        status = st_fail(op, ST_CORRUPT, "%s: CURRENT names this file and it is missing", path);
    }
    ST_TRY_OUT(status);
    ST_TRY_OUT(st_lsm__version_create(op, lsm, out_version));
    status = manifest_parse(op, lsm, st_buf_view(&bytes), path, id, out_manifest, *out_version);
out:
    if (status != ST_OK) {
        st_lsm__version_release(*out_version);
        *out_version = NULL;
    }
    st_buf_deinit(&bytes);
    return status;
}

/* ---- in words --------------------------------------------------------------------------- */

st_status st_lsm__current_inspect(st_op *op, st_buf *text, const char *path, st_lsm_print print,
                                  void *ctx)
{
    uint64_t id;
    ST_TRY(manifest_current_check(op, text, path, &id));
    char line[64 + MANIFEST_CURRENT_MAX];
    size_t bytes = text->size - 2; /* without line end and NUL */
    snprintf(line, sizeof line, "names the manifest: %.*s", (int)bytes, (const char *)text->data);
    print(ctx, line);
    return ST_OK;
}

st_status st_lsm__manifest_inspect(st_op *op, st_slice bytes, const char *path, st_lsm_print print,
                                   void *ctx)
{
    st_manifest manifest = {0};
    st_slice header;
    char line[256];
    ST_TRY(manifest_check(op, bytes, path, &manifest));
    st_reader reader = manifest_body(bytes, &manifest, &header);
    snprintf(line, sizeof line,
             "manifest %llu: next file %llu, log from %llu, sorted up to %llu, durable up to %llu",
             (unsigned long long)manifest.file_id, (unsigned long long)manifest.next_file_id,
             (unsigned long long)manifest.log_start, (unsigned long long)manifest.sequence,
             (unsigned long long)manifest.durable);
    print(ctx, line);
    uint32_t range_count = st_reader_u32(&reader);
    for (uint32_t i = 0; i < range_count && !reader.failed; i++) {
        snprintf(line, sizeof line, "  range delete at sequence %llu",
                 (unsigned long long)st_reader_u64(&reader));
        (void)manifest_get_bytes(&reader);
        (void)manifest_get_bytes(&reader);
        print(ctx, line);
    }
    uint8_t levels = st_reader_byte(&reader);
    for (uint32_t level = 0; level < levels && !reader.failed; level++) {
        uint32_t count = st_reader_u32(&reader);
        for (uint32_t i = 0; i < count && !reader.failed; i++) {
            st_sst_summary file;
            if (manifest_get_file(&reader, &file)) {
                snprintf(line, sizeof line,
                         "  level %u: file %llu, %llu bytes, %llu entries, sequences %llu..%llu",
                         level, (unsigned long long)file.identity.file_id,
                         (unsigned long long)file.file_bytes, (unsigned long long)file.entry_count,
                         (unsigned long long)file.smallest_sequence,
                         (unsigned long long)file.largest_sequence);
                print(ctx, line);
            }
        }
    }
    return reader.failed ? st_fail_at(op, ST_CORRUPT, (int64_t)reader.at,
                                      "%s: malformed at offset %zu", path, reader.at)
                         : ST_OK;
}
