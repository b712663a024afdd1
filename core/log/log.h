/* log: framed, checksummed records in segments, each segment a file. The write-ahead log of lsm is
 * its first user.
 *
 * A segment begins with a header and is followed by frames; what is behind the last frame is zeros,
 * because space is filled with zeros ahead of the frames: a sync then carries no metadata, and a
 * full disk shows before a frame is begun. Every checksum covers the place (database id, file id,
 * offset), so that bytes of another file or offset are no frame.
 *
 * Guarantees
 * 1. A frame is read back whole or not at all.
 * 2. A failed st_log_append changed nothing, unless st_log_is_dead says that the write itself
 * failed: then nobody knows which frames of the group stand in the file, and no more may follow.
 * 3. The reader never takes bytes outside a frame that ends with a good checksum.
 *
 * Threads: a segment is written by one thread at a time; st_log_sync may run at the same time as
 * appends. Format: docs/formats/log.md.
 */
#ifndef STATOR_LOG_LOG_H
#define STATOR_LOG_LOG_H

#include "base/base.h"
#include "env/env.h"

#define ST_LOG_MAGIC "STATORLG"
#define ST_LOG_FORMAT 1u
#define ST_LOG_HEADER_BYTES 64u
#define ST_LOG_FRAME_HEADER_BYTES 40u
#define ST_LOG_FRAME_BYTES_MAX ((uint64_t)512 << 20)

typedef struct st_log_identity {
    uint8_t database_id[16];
    uint64_t file_id;
} st_log_identity;

typedef struct st_log_frame {
    uint8_t type; /* the user's */
    uint64_t sequence;
    uint64_t time_us;
    uint64_t durable; /* highest sequence known durable when the frame was written */
    st_slice body;
} st_log_frame;

/* ---- writing ---------------------------------------------------------------------------- */

typedef struct st_log_segment st_log_segment;

/* Makes the file, which must not exist, with room for so many bytes, and makes it durable. NO_SPACE
 * leaves no file. */
st_status st_log_create(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                        const char *directory, const st_log_identity *identity, uint64_t room_bytes,
                        st_log_segment **out_segment) ST_MUST_USE;
/* Bytes of a group of frames: encode as many as there are, then append them with one write. */
void st_log_group_begin(st_log_segment *segment);
void st_log_group_add(st_log_segment *segment, const st_log_frame *frame);
st_status st_log_append(st_op *op, st_log_segment *segment) ST_MUST_USE;
bool st_log_is_dead(const st_log_segment *segment);
uint64_t st_log_bytes(const st_log_segment *segment); /* header and frames */
st_status st_log_sync(st_op *op, st_log_segment *segment) ST_MUST_USE;
void st_log_close(st_log_segment *segment); /* NULL is fine */

/* ---- reading ---------------------------------------------------------------------------- */

typedef struct st_log_reader st_log_reader;

typedef enum st_log_end {
    ST_LOG_END_NONE,   /* there is a frame */
    ST_LOG_END_CLEAN,  /* zeros or the end of the file */
    ST_LOG_END_BROKEN, /* bytes that are no frame: a torn tail, or damage */
} st_log_end;

/* Reads the whole segment into memory. expected is what its place says it must be: another whole
 * header is CORRUPT. NULL when that is not known (inspect).
 *
 * The header is durable before the first frame is written. So a header that is damaged or missing
 * is CORRUPT when any whole frame of the expected segment stands behind it, and otherwise what a
 * crash left of a segment that was being made: the reader is then empty and broken at 0. Without
 * expected it is always CORRUPT. */
st_status st_log_reader_open(st_op *op, st_env *env, const st_alloc *alloc, const char *path,
                             const st_log_identity *expected,
                             st_log_reader **out_reader) ST_MUST_USE;
const st_log_identity *st_log_reader_identity(const st_log_reader *reader);
/* The next frame, borrowed until close; at the end *out_end says how it ends, and stays so. */
void st_log_reader_next(st_log_reader *reader, st_log_frame *out_frame, st_log_end *out_end);
uint64_t st_log_reader_offset(const st_log_reader *reader); /* of what comes next, or of the end */
uint64_t st_log_reader_tail(
    const st_log_reader *reader); /* bytes behind it up to the last that is not zero */
/* The highest durable sequence that any whole frame behind a break records: proof that the break is
 * damage. */
uint64_t st_log_reader_durable_behind(const st_log_reader *reader);
void st_log_reader_close(st_log_reader *reader); /* NULL is fine */

/* ---- shared ----------------------------------------------------------------------------- */

uint32_t st_log__crc(const st_log_identity *identity, uint64_t offset, const void *data,
                     size_t bytes);

#endif
