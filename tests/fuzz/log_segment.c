/* Recovery of a directory that holds the input as its log: the first segment as a piece with its
 * length in front, the rest as the second. The first byte: bit 0 and 1 make the checksums of the
 * first and the second right again, bits 2 to 4 are the durable sequence that the manifest records.
 * What opens verifies, reads the same read-only, and is the same after it was closed and opened
 * again.
 */
#include "fuzz/fuzz_files.h"

#include "log/log.h"

static void put_segment(st_env *env, const char *path, st_slice bytes, bool is_repaired)
{
    st_buf file;
    st_buf_init(&file, fuzz_alloc());
    st_buf_slice(&file, bytes);
    FUZZ_CHECK(NULL, !file.failed);
    if (is_repaired) {
        fuzz_repair_log(&file);
    }
    fuzz_env_put(env, path, st_buf_view(&file));
    st_buf_deinit(&file);
}

/* The frames of a segment by themselves: each behind the one before and inside the file. */
static void check_reader(st_env *env, const char *path, size_t file_bytes)
{
    st_op op;
    st_log_reader *reader;
    st_log_frame frame;
    st_log_end end = ST_LOG_END_NONE;
    st_op_init(&op, fuzz_alloc());
    st_status status = st_log_reader_open(&op, env, fuzz_alloc(), path, NULL, &reader);
    if (fuzz_is_ok(&op, status, file_bytes, fuzz_damages)) {
        while (end == ST_LOG_END_NONE) {
            uint64_t offset = st_log_reader_offset(reader);
            st_log_reader_next(reader, &frame, &end);
            uint64_t bytes =
                end == ST_LOG_END_NONE ? ST_LOG_FRAME_HEADER_BYTES + frame.body.size : 0;
            FUZZ_CHECK(&op, st_log_reader_offset(reader) == offset + bytes);
            FUZZ_CHECK(&op, offset + bytes <= file_bytes);
        }
        uint64_t tail = st_log_reader_tail(reader);
        FUZZ_CHECK(&op, st_log_reader_offset(reader) + tail <= file_bytes);
        FUZZ_CHECK(&op, (tail > 0) == (end == ST_LOG_END_BROKEN));
        (void)st_log_reader_durable_behind(reader);
        st_log_reader_close(reader);
    }
    st_op_deinit(&op);
}

void fuzz_target(st_slice input)
{
    uint8_t flags = fuzz_take_byte(&input);
    st_slice first = fuzz_take_piece(&input);
    st_env *env = fuzz_env_create();
    fuzz_env_put_current(env);
    fuzz_env_put_manifest(env, flags >> 2 & 7);
    put_segment(env, "/db/000000000002.log", first, flags & 1);
    check_reader(env, "/db/000000000002.log", first.size);
    if (input.size > 0) {
        put_segment(env, "/db/000000000003.log", input, flags & 2);
        check_reader(env, "/db/000000000003.log", input.size);
    }
    (void)fuzz_database_lives(env);
    st_env_destroy(env);
}
