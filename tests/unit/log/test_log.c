/* Segments of the log: what was appended is read back, whole frames only, and nothing else is ever
 * taken for a frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "log/log.h"
#include "support/fault_alloc.h"
#include "support/simfs.h"

#define SEGMENT "/log/one"
#define FRAMES 7

typedef struct log_case {
    simfs *sim;
    st_op op;
    st_log_identity identity;
} log_case;

static int log_setup(void **state)
{
    log_case *c = calloc(1, sizeof *c);
    c->sim = simfs_create(1);
    st_op_init(&c->op, st_alloc_process());
    assert_int_equal(st_env_mkdir(&c->op, simfs_env(c->sim), "/log"), ST_OK);
    assert_int_equal(st_env_sync_dir(&c->op, simfs_env(c->sim), "/"), ST_OK);
    c->identity.file_id = 42;
    memset(c->identity.database_id, 0xD8, 16);
    *state = c;
    return 0;
}

static int log_teardown(void **state)
{
    log_case *c = *state;
    st_op_deinit(&c->op);
    simfs_destroy(c->sim);
    free(c);
    return 0;
}

static st_log_segment *log_make(log_case *c, const char *path, uint64_t room_bytes)
{
    st_log_segment *segment;
    st_status status = st_log_create(&c->op, simfs_env(c->sim), st_alloc_process(), path, "/log",
                                     &c->identity, room_bytes, &segment);
    if (status != ST_OK) {
        fail_msg("create: %s", c->op.error.message);
    }
    return segment;
}

/* Frame i is determined by i: bodies of 0 bytes and of several, with zeros at their ends. */
static st_log_frame log_frame(int i, uint8_t room[64])
{
    size_t bytes = (size_t)(i * 11 % 37);
    memset(room, 'a' + i, 64);
    if (bytes > 4) {
        room[0] = room[bytes - 1] = 0;
    }
    return (st_log_frame){.type = (uint8_t)(1 + i % 3),
                          .sequence = (uint64_t)i + 1,
                          .time_us = 1000 + (uint64_t)i,
                          .durable = (uint64_t)i / 2,
                          .body = st_slice_of(room, bytes)};
}

static void log_append_frames(log_case *c, st_log_segment *segment, int from, int to)
{
    uint8_t room[64];
    st_log_group_begin(segment);
    for (int i = from; i < to; i++) {
        st_log_frame frame = log_frame(i, room);
        st_log_group_add(segment, &frame);
    }
    assert_int_equal(st_log_append(&c->op, segment), ST_OK);
}

/* Seven frames in three groups; returns where they end. */
static uint64_t log_write_frames(log_case *c)
{
    st_log_segment *segment = log_make(c, SEGMENT, 1000);
    log_append_frames(c, segment, 0, 1);
    log_append_frames(c, segment, 1, 4);
    log_append_frames(c, segment, 4, FRAMES);
    uint64_t end = st_log_bytes(segment);
    assert_int_equal(st_log_sync(&c->op, segment), ST_OK);
    st_log_close(segment);
    return end;
}

static st_status log_open_reader(log_case *c, const char *path, st_log_reader **out_reader)
{
    st_op_clear(&c->op);
    return st_log_reader_open(&c->op, simfs_env(c->sim), st_alloc_process(), path, &c->identity,
                              out_reader);
}

/* Reads to the end; every frame must be the next one that was written. */
static int log_count_frames(st_log_reader *reader, st_log_end *out_end)
{
    int count = 0;
    st_log_frame frame;
    uint8_t room[64];
    for (st_log_reader_next(reader, &frame, out_end); *out_end == ST_LOG_END_NONE;
         st_log_reader_next(reader, &frame, out_end)) {
        st_log_frame expected = log_frame(count++, room);
        assert_int_equal(frame.type, expected.type);
        assert_int_equal(frame.sequence, expected.sequence);
        assert_int_equal(frame.time_us, expected.time_us);
        assert_int_equal(frame.durable, expected.durable);
        assert_true(st_slice_equal(frame.body, expected.body));
    }
    return count;
}

/* ---- whole ------------------------------------------------------------------------------ */

static void test_frames_come_back_as_they_were_written(void **state)
{
    log_case *c = *state;
    uint64_t end = log_write_frames(c);
    st_log_reader *reader;
    st_log_end how;
    assert_int_equal(log_open_reader(c, SEGMENT, &reader), ST_OK);
    assert_int_equal(log_count_frames(reader, &how), FRAMES);
    assert_int_equal(how, ST_LOG_END_CLEAN);
    assert_int_equal(st_log_reader_offset(reader), end);
    assert_int_equal(st_log_reader_tail(reader), 0);
    assert_int_equal(st_log_reader_durable_behind(reader), 0);
    st_log_frame frame;
    st_log_reader_next(reader, &frame, &how);
    assert_int_equal(how, ST_LOG_END_CLEAN);
    st_log_reader_close(reader);
}

static void test_zeros_stand_ahead_of_the_frames(void **state)
{
    log_case *c = *state;
    st_log_segment *segment = log_make(c, SEGMENT, 1000);
    assert_int_equal(simfs_size(c->sim, SEGMENT), 4096);
    static uint8_t body[6000];
    memset(body, 7, sizeof body);
    for (int i = 0; i < 40; i++) {
        st_log_group_begin(segment);
        st_log_frame frame = {.type = 1, .sequence = 1, .body = st_slice_of(body, sizeof body)};
        st_log_group_add(segment, &frame);
        assert_int_equal(st_log_append(&c->op, segment), ST_OK);
        assert_true(simfs_size(c->sim, SEGMENT) >= st_log_bytes(segment));
        assert_int_equal(simfs_size(c->sim, SEGMENT) % 4096, 0);
    }
    st_log_close(segment);
}

static void test_a_frame_larger_than_what_was_filled_is_whole(void **state)
{
    log_case *c = *state;
    size_t bytes = (size_t)5 << 20;
    uint8_t *body = malloc(bytes);
    memset(body, 9, bytes);
    st_log_segment *segment = log_make(c, SEGMENT, 100);
    st_log_group_begin(segment);
    st_log_frame frame = {.type = 1, .sequence = 5, .body = st_slice_of(body, bytes)};
    st_log_group_add(segment, &frame);
    assert_int_equal(st_log_append(&c->op, segment), ST_OK);
    st_log_close(segment);
    st_log_reader *reader;
    st_log_end end;
    assert_int_equal(log_open_reader(c, SEGMENT, &reader), ST_OK);
    st_log_reader_next(reader, &frame, &end);
    assert_int_equal(end, ST_LOG_END_NONE);
    assert_true(st_slice_equal(frame.body, st_slice_of(body, bytes)));
    st_log_reader_close(reader);
    free(body);
}

/* ---- damage ----------------------------------------------------------------------------- */

static void test_every_cut_leaves_whole_frames(void **state)
{
    log_case *c = *state;
    uint64_t end = log_write_frames(c);
    int last = -1;
    for (uint64_t cut = 0; cut <= end; cut++) {
        simfs *kept = c->sim;
        c->sim = simfs_clone(kept);
        simfs_cut(c->sim, SEGMENT, cut);
        st_log_reader *reader;
        st_log_end how;
        assert_int_equal(log_open_reader(c, SEGMENT, &reader), ST_OK);
        int count = log_count_frames(reader, &how);
        assert_in_range(count, last < 0 ? 0 : last, last + 1);
        assert_true(st_log_reader_offset(reader) + st_log_reader_tail(reader) <= cut);
        last = count;
        st_log_reader_close(reader);
        simfs_destroy(c->sim);
        c->sim = kept;
    }
    assert_int_equal(last, FRAMES);
}

static void test_every_flipped_bit_ends_the_frames_where_it_stands(void **state)
{
    log_case *c = *state;
    uint64_t end = log_write_frames(c);
    for (uint64_t bit = 0; bit < 8 * (end + 16); bit++) {
        simfs *kept = c->sim;
        c->sim = simfs_clone(kept);
        simfs_flip(c->sim, SEGMENT, bit);
        st_log_reader *reader;
        st_log_end how;
        st_status status = log_open_reader(c, SEGMENT, &reader);
        if (bit < 8 * ST_LOG_HEADER_BYTES) {
            assert_int_equal(status, ST_CORRUPT);
            assert_non_null(strstr(c->op.error.message, SEGMENT));
        } else {
            assert_int_equal(status, ST_OK);
            int count = log_count_frames(reader, &how);
            assert_int_equal(how, ST_LOG_END_BROKEN);
            assert_true(st_log_reader_offset(reader) <= bit / 8);
            assert_int_equal(count == FRAMES, bit / 8 >= end);
        }
        st_log_reader_close(status == ST_OK ? reader : NULL);
        simfs_destroy(c->sim);
        c->sim = kept;
    }
}

/* The bytes of one file written to a place of another. */
static void log_copy(log_case *c, const char *from, uint64_t from_offset, const char *to,
                     uint64_t to_offset, size_t bytes)
{
    st_file *file;
    uint8_t *copy = malloc(bytes);
    for (size_t i = 0; i < bytes; i++) {
        copy[i] = simfs_byte(c->sim, from, from_offset + i);
    }
    assert_int_equal(st_env_open(&c->op, simfs_env(c->sim), to, ST_OPEN_WRITE, &file), ST_OK);
    assert_int_equal(st_file_write_at(&c->op, file, to_offset, copy, bytes), ST_OK);
    st_file_close(file);
    free(copy);
}

static void test_frames_of_another_file_or_offset_are_no_frames(void **state)
{
    log_case *c = *state;
    uint64_t end = log_write_frames(c);
    c->identity.file_id = 43; /* the same frames, in a segment that comes later */
    st_log_close(log_make(c, "/log/two", 1000));
    log_copy(c, SEGMENT, ST_LOG_HEADER_BYTES, "/log/two", ST_LOG_HEADER_BYTES,
             (size_t)end - ST_LOG_HEADER_BYTES);
    st_log_reader *reader;
    st_log_end how;
    assert_int_equal(log_open_reader(c, "/log/two", &reader), ST_OK);
    assert_int_equal(log_count_frames(reader, &how), 0);
    assert_int_equal(how, ST_LOG_END_BROKEN);
    assert_int_equal(st_log_reader_durable_behind(reader), 0);
    st_log_reader_close(reader);

    c->identity.file_id = 42; /* the same frames, once more behind themselves */
    log_copy(c, SEGMENT, ST_LOG_HEADER_BYTES, SEGMENT, end, (size_t)end - ST_LOG_HEADER_BYTES);
    assert_int_equal(log_open_reader(c, SEGMENT, &reader), ST_OK);
    assert_int_equal(log_count_frames(reader, &how), FRAMES);
    assert_int_equal(how, ST_LOG_END_BROKEN);
    assert_int_equal(st_log_reader_durable_behind(reader), 0);
    st_log_reader_close(reader);
}

static void test_frames_behind_a_break_tell_what_was_durable(void **state)
{
    log_case *c = *state;
    (void)log_write_frames(c);
    simfs_flip(c->sim, SEGMENT, 8 * (ST_LOG_HEADER_BYTES + 20));
    st_log_reader *reader;
    st_log_end how;
    assert_int_equal(log_open_reader(c, SEGMENT, &reader), ST_OK);
    assert_int_equal(log_count_frames(reader, &how), 0);
    assert_int_equal(how, ST_LOG_END_BROKEN);
    assert_int_equal(st_log_reader_durable_behind(reader), (FRAMES - 1) / 2);
    st_log_reader_close(reader);
}

static void test_a_segment_that_was_never_finished_is_empty(void **state)
{
    log_case *c = *state;
    st_log_reader *reader;
    st_log_end how;
    st_log_close(log_make(c, SEGMENT, 1000));
    simfs_flip(c->sim, SEGMENT, 8 * 36);
    assert_int_equal(log_open_reader(c, SEGMENT, &reader), ST_OK);
    assert_int_equal(log_count_frames(reader, &how), 0);
    assert_int_equal(how, ST_LOG_END_BROKEN);
    assert_int_equal(st_log_reader_offset(reader), 0);
    st_log_reader_close(reader);
    assert_int_equal(
        st_log_reader_open(&c->op, simfs_env(c->sim), st_alloc_process(), SEGMENT, NULL, &reader),
        ST_CORRUPT);
    st_op_clear(&c->op);
    simfs_cut(c->sim, SEGMENT, 0);
    assert_int_equal(log_open_reader(c, SEGMENT, &reader), ST_OK);
    assert_int_equal(log_count_frames(reader, &how), 0);
    assert_int_equal(how, ST_LOG_END_CLEAN);
    st_log_reader_close(reader);
}

static void test_a_segment_of_another_database_is_refused(void **state)
{
    log_case *c = *state;
    st_log_reader *reader;
    (void)log_write_frames(c);
    c->identity.database_id[3]++;
    assert_int_equal(log_open_reader(c, SEGMENT, &reader), ST_CORRUPT);
    assert_int_equal(c->op.error.position, 16);
    assert_null(reader);
}

static void test_a_later_format_is_refused_by_name(void **state)
{
    log_case *c = *state;
    for (size_t field = 8; field <= 48; field += 40) { /* the version, what everyone must know */
        st_log_close(log_make(c, SEGMENT, 1000));
        uint8_t header[ST_LOG_HEADER_BYTES];
        for (size_t i = 0; i < sizeof header; i++) {
            header[i] = simfs_byte(c->sim, SEGMENT, i);
        }
        st_put_u32(header + field, 2);
        st_put_u32(header + 60, st_log__crc(&c->identity, 0, header, 60));
        st_file *file;
        st_log_reader *reader;
        assert_int_equal(st_env_open(&c->op, simfs_env(c->sim), SEGMENT, ST_OPEN_WRITE, &file),
                         ST_OK);
        assert_int_equal(st_file_write_at(&c->op, file, 0, header, sizeof header), ST_OK);
        st_file_close(file);
        assert_int_equal(log_open_reader(c, SEGMENT, &reader), ST_UNSUPPORTED);
        assert_int_equal(st_env_remove(&c->op, simfs_env(c->sim), SEGMENT), ST_OK);
        st_op_clear(&c->op);
    }
}

/* ---- failures --------------------------------------------------------------------------- */

static void test_a_full_disk_leaves_the_frames_that_stand_already(void **state)
{
    log_case *c = *state;
    static uint8_t body[9000];
    st_log_segment *segment = log_make(c, SEGMENT, 1000);
    log_append_frames(c, segment, 0, FRAMES);
    uint64_t end = st_log_bytes(segment);
    simfs_set_budget(c->sim, simfs_used_bytes(c->sim) + 100);
    st_log_group_begin(segment);
    st_log_frame frame = {.type = 1, .sequence = 99, .body = st_slice_of(body, sizeof body)};
    st_log_group_add(segment, &frame);
    assert_int_equal(st_log_append(&c->op, segment), ST_NO_SPACE);
    assert_false(st_log_is_dead(segment));
    assert_int_equal(st_log_bytes(segment), end);
    st_op_clear(&c->op);
    assert_int_equal(st_log_sync(&c->op, segment), ST_OK);
    st_log_close(segment);
    simfs_restart(c->sim, SIMFS_LOSE_ALL, 1);
    st_log_reader *reader;
    st_log_end how;
    assert_int_equal(log_open_reader(c, SEGMENT, &reader), ST_OK);
    assert_int_equal(log_count_frames(reader, &how), FRAMES);
    st_log_reader_close(reader);
}

static void test_no_space_for_a_segment_leaves_no_file(void **state)
{
    log_case *c = *state;
    st_log_segment *segment;
    simfs_set_budget(c->sim, 3000);
    assert_int_equal(st_log_create(&c->op, simfs_env(c->sim), st_alloc_process(), SEGMENT, "/log",
                                   &c->identity, 1000, &segment),
                     ST_NO_SPACE);
    assert_null(segment);
    assert_null(simfs_name(c->sim, 0));
    assert_int_equal(simfs_open_handles(c->sim), 0);
    st_op_clear(&c->op);
    simfs_set_budget(c->sim, UINT64_MAX);
    st_log_close(log_make(c, SEGMENT, 1000));
}

static void test_after_a_failed_write_no_frame_follows(void **state)
{
    log_case *c = *state;
    uint8_t room[64];
    st_log_segment *segment = log_make(c, SEGMENT, 1000);
    log_append_frames(c, segment, 0, 2);
    st_log_frame frame = log_frame(2, room);
    for (int round = 0; round < 2; round++) {
        simfs_fail_after(c->sim, round == 0 ? 1 : 0, ST_NO_SPACE, false);
        st_log_group_begin(segment);
        st_log_group_add(segment, &frame);
        assert_int_equal(st_log_append(&c->op, segment), round == 0 ? ST_NO_SPACE : ST_FAILED);
        assert_true(st_log_is_dead(segment));
        st_op_clear(&c->op);
    }
    st_log_close(segment);
}

static st_status log_write_and_read(log_case *c, const st_alloc *alloc)
{
    uint8_t room[64];
    st_log_segment *segment;
    st_log_reader *reader = NULL;
    st_log_frame frame = log_frame(3, room);
    st_log_end end;
    (void)!st_env_remove(&c->op, simfs_env(c->sim), SEGMENT);
    st_op_clear(&c->op);
    ST_TRY(st_log_create(&c->op, simfs_env(c->sim), alloc, SEGMENT, "/log", &c->identity, 1000,
                         &segment));
    st_log_group_begin(segment);
    st_log_group_add(segment, &frame);
    st_status status = st_log_append(&c->op, segment);
    assert_false(st_log_is_dead(segment));
    st_log_close(segment);
    if (status == ST_OK) {
        status =
            st_log_reader_open(&c->op, simfs_env(c->sim), alloc, SEGMENT, &c->identity, &reader);
    }
    if (status == ST_OK) {
        st_log_reader_next(reader, &frame, &end);
        assert_int_equal(end, ST_LOG_END_NONE);
        assert_int_equal(frame.sequence, 4);
    }
    st_log_reader_close(reader);
    return status;
}

static void test_every_failing_allocation_is_no_memory_and_no_leak(void **state)
{
    log_case *c = *state;
    fault_alloc fault;
    fault_alloc_init(&fault);
    int failures = 0;
    for (uint64_t call = 1; failures < 100; call++) {
        fault_alloc_fail_after(&fault, call, false);
        st_status status = log_write_and_read(c, &fault.alloc);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.has_failed) {
            assert_int_equal(status, ST_OK);
            break;
        }
        assert_int_equal(status, ST_NO_MEMORY);
        failures++;
    }
    assert_in_range(failures, 4, 99);
    fault_alloc_deinit(&fault);
}

#define LOG_TEST(test) cmocka_unit_test_setup_teardown(test, log_setup, log_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_frames_come_back_as_they_were_written),
        LOG_TEST(test_zeros_stand_ahead_of_the_frames),
        LOG_TEST(test_a_frame_larger_than_what_was_filled_is_whole),
        LOG_TEST(test_every_cut_leaves_whole_frames),
        LOG_TEST(test_every_flipped_bit_ends_the_frames_where_it_stands),
        LOG_TEST(test_frames_of_another_file_or_offset_are_no_frames),
        LOG_TEST(test_frames_behind_a_break_tell_what_was_durable),
        LOG_TEST(test_a_segment_that_was_never_finished_is_empty),
        LOG_TEST(test_a_segment_of_another_database_is_refused),
        LOG_TEST(test_a_later_format_is_refused_by_name),
        LOG_TEST(test_a_full_disk_leaves_the_frames_that_stand_already),
        LOG_TEST(test_no_space_for_a_segment_leaves_no_file),
        LOG_TEST(test_after_a_failed_write_no_frame_follows),
        LOG_TEST(test_every_failing_allocation_is_no_memory_and_no_leak),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
