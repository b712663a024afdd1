/* From relaxed values to canonical frames, checking frames, views, sizes. */
#include "item_support.h"

static void test_equal_items_have_equal_bytes(void **state)
{
    item_case *c = *state;
    assert_int_equal(item_of(c, "{\"b\":{\"N\":\"1.0\"},\"a\":{\"SS\":[\"y\",\"x\"]},\"m\":{\"M\":{"
                                "\"q\":{\"NULL\":true},"
                                "\"p\":{\"NS\":[\"2\",\"1e0\"]}}}}"),
                     ST_OK);
    st_buf first;
    st_buf_init(&first, st_alloc_process());
    st_buf_slice(&first, st_buf_view(&c->frame));
    assert_int_equal(item_of(c, "{\"a\":{\"SS\":[\"x\",\"y\"]},\"m\":{\"M\":{\"p\":{\"NS\":[\"1\","
                                "\"2.00\"]},\"q\":{\"NULL\":"
                                "true}}},\"b\":{\"N\":\"1\"}}"),
                     ST_OK);
    assert_true(st_slice_equal(st_buf_view(&first), st_buf_view(&c->frame)));
    assert_int_equal(st_item_validate(&c->op, st_buf_view(&first)), ST_OK);
    st_buf_deinit(&first);
    st_value value;
    assert_true(st_item_find(st_buf_view(&c->frame), st_slice_str("b"), &value));
    assert_int_equal(value.type, ST_TYPE_N);
    assert_false(st_item_find(st_buf_view(&c->frame), st_slice_str("c"), &value));
    assert_int_equal(value.type, ST_TYPE_NONE);
    /* a 1 + (1 + 1) · b 1 + 2 · m 1 + 3 + p (1 + 1 + 2 + 2) + q (1 + 1 + 1) */
    assert_int_equal(st_item_size(st_buf_view(&c->frame)), 3 + 3 + 4 + 6 + 3);
}

static void check_item_refused(item_case *c, const char *json, const char *message)
{
    assert_int_equal(item_of(c, json), ST_INVALID_ARGUMENT);
    if (!strstr(c->op.error.message, message)) {
        fail_msg("'%s' does not say '%s'", c->op.error.message, message);
    }
}

static void test_illegal_items_are_refused(void **state)
{
    item_case *c = *state;
    check_item_refused(c, "{\"a\":{\"SS\":[]}}", "An string set  may not be empty");
    check_item_refused(c, "{\"a\":{\"NS\":[]}}", "An number set  may not be empty");
    check_item_refused(c, "{\"a\":{\"BS\":[]}}", "Binary sets should not be empty");
    check_item_refused(c, "{\"a\":{\"SS\":[\"x\",\"x\"]}}", "contains duplicates");
    check_item_refused(c, "{\"a\":{\"NS\":[\"1\",\"1.0\"]}}", "contains duplicates");
    check_item_refused(c, "{\"a\":{\"S\":\"x\"},\"a\":{\"S\":\"y\"}}", "occurs twice");
    check_item_refused(c, "{\"\":{\"S\":\"x\"}}", "Empty attribute name");
    check_item_refused(c, "{\"a\":{\"N\":\"\"}}",
                       "The parameter cannot be converted to a numeric value");
    check_item_refused(c, "{\"a\":{\"NS\":[\"\"]}}",
                       "The parameter cannot be converted to a numeric value");
    assert_int_equal(
        item_of(c,
                "{\"a\":{\"S\":\"\"},\"b\":{\"B\":\"\"},\"c\":{\"SS\":[\"\"]},\"d\":{\"L\":[]}}"),
        ST_OK);
}

static void nested(char *json, int levels)
{
    strcpy(json, "{\"a\":");
    for (int i = 0; i < levels; i++) {
        strcat(json, "{\"M\":{\"a\":");
    }
    strcat(json, "{\"S\":\"x\"}");
    for (int i = 0; i < levels; i++) {
        strcat(json, "}}");
    }
    strcat(json, "}");
}

static void test_nesting_and_size_end_where_dynamodbs_do(void **state)
{
    item_case *c = *state;
    char json[2048];
    nested(json, 31);
    assert_int_equal(item_of(c, json), ST_OK);
    nested(json, 32);
    check_item_refused(c, json, "Nesting Levels have exceeded supported limits");
    char *big = malloc(ST_ITEM_BYTES_MAX + 64);
    for (int more = 0; more < 2; more++) {
        size_t content = ST_ITEM_BYTES_MAX - 1 + (size_t)more;
        strcpy(big, "{\"a\":{\"S\":\"");
        memset(big + 11, 'x', content);
        strcpy(big + 11 + content, "\"}}");
        assert_int_equal(item_of(c, big), more ? ST_INVALID_ARGUMENT : ST_OK);
    }
    assert_non_null(strstr(c->op.error.message, "Item size has exceeded the maximum allowed size"));
    free(big);
}

static void check_item_message(item_case *c, const char *json, const char *message)
{
    assert_int_equal(item_of(c, json), ST_INVALID_ARGUMENT);
    assert_string_equal(c->op.error.message, message);
    assert_int_equal(c->frame.size, 0);
}

static void test_repeats_in_sets_are_listed_as_dynamodb_lists_them(void **state)
{
    item_case *c = *state;
#define INVALID "One or more parameter values were invalid: "
    check_item_message(c, "{\"a\":{\"SS\":[\"a\",\"b\",\"a\"]}}",
                       INVALID "Input collection [\"a\", \"b\", \"a\"] contains duplicates.");
    check_item_message(c, "{\"a\":{\"SS\":[\"b\",\"a\",\"b\",\"C\"]}}",
                       INVALID
                       "Input collection [\"a\", \"b\", \"b\", \"C\"] contains duplicates.");
    check_item_message(c, "{\"a\":{\"BS\":[\"YQ==\",\"YQ==\"]}}",
                       INVALID
                       "Input collection [\"YQ==\",\"YQ==\"]of type BS contains duplicates.");
    check_item_message(c, "{\"a\":{\"NS\":[\"2\",\"1\",\"1.0\"]}}",
                       INVALID "Input collection contains duplicates.");
    check_item_message(c,
                       "{\"a\":{\"M\":{\"x\":{\"S\":\"\"},\"y\":{\"S\":\"\"},\"x\":{\"S\":\"\"}}}}",
                       "the attribute name 'x' occurs twice in one map");
    check_item_message(c, "{\"a\":{\"M\":{\"\":{\"S\":\"x\"}}}}", "Empty attribute name");
}

static void put(st_buf *out, const char *bytes, size_t count)
{
    st_buf_append(out, bytes, count);
}

static void check_malformed(item_case *c, const char *bytes, size_t count, int position)
{
    st_op_clear(&c->op);
    st_buf_clear(&c->to);
    put(&c->to, "kept", 4);
    assert_int_equal(st_item_canonicalize(&c->op, st_slice_of(bytes, count), &c->to),
                     ST_INVALID_ARGUMENT);
    if (c->op.error.position != position) {
        fail_msg("position %d: %s", (int)c->op.error.position, c->op.error.message);
    }
    assert_int_equal(c->to.size, 4);
}

static void test_malformed_requests_are_refused_with_their_position(void **state)
{
    item_case *c = *state;
#define CHECK(position, bytes) check_malformed(c, bytes, sizeof bytes - 1, position)
    CHECK(0, "");
    CHECK(4, "\x01\x02"
             "ab");                                       /* not a map */
    CHECK(1, "\x0B\x01\x00\x00");                         /* cut in its head */
    CHECK(9, "\x0B\x00\x00\x00\x00\x00\x00\x00\x00\x00"); /* something behind */
    CHECK(0, "\x0B\x00\x00\x00\x00\x01\x00\x00\x00");     /* a count and no members */
    CHECK(12, "\x0B\x03\x00\x00\x00\x01\x00\x00\x00\x01"
              "a\x0C"); /* an unknown tag */
    CHECK(12, "\x0B\x04\x00\x00\x00\x01\x00\x00\x00\x01"
              "a\x06\x06"); /* a member too many */
    CHECK(14, "\x0B\x06\x00\x00\x00\x01\x00\x00\x00\x01"
              "a\x01\x02z\xFF"); /* not UTF-8 */
    CHECK(13, "\x0B\x05\x00\x00\x00\x01\x00\x00\x00\x01"
              "a\x02\x01\x03"); /* no ordered form */
    CHECK(21, "\x0B\x0D\x00\x00\x00\x01\x00\x00\x00\x01"
              "a\x0A\x02\x00\x00\x00\x01\x00\x00\x00\x06\x06"); /* a list longer than its count */
#undef CHECK
}

static void test_lying_counts_allocate_nothing(void **state)
{
    item_case *c = *state;
    for (uint8_t tag = ST_TAG_SS; tag <= ST_TAG_M; tag++) {
        uint8_t lie[20] = {ST_TAG_M, 11,  0, 0, 0, 1, 0,    0,    0,    1,
                           'a',      tag, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x7F};
        st_op_clear(&c->op);
        assert_int_equal(st_item_canonicalize(&c->op, st_slice_of(lie, sizeof lie), &c->to),
                         ST_INVALID_ARGUMENT);
    }
}

static void test_sets_do_not_nest_but_lists_do(void **state)
{
    item_case *c = *state;
    char json[2048] = "{\"a\":";
    for (int i = 0; i < 31; i++) {
        strcat(json, "{\"L\":[");
    }
    strcat(json, "{\"SS\":[\"x\"]}");
    size_t inner = strlen(json);
    for (int i = 0; i < 31; i++) {
        strcat(json, "]}");
    }
    strcat(json, "}");
    assert_int_equal(item_of(c, json), ST_OK);
    assert_int_equal(st_item_validate(&c->op, st_buf_view(&c->frame)), ST_OK);
    memcpy(json + inner - 12, "{\"L\":[    ]}", 12);
    check_item_refused(c, json, "Nesting Levels have exceeded supported limits");
}

static void test_names_end_at_65535_bytes(void **state)
{
    item_case *c = *state;
    char *json = malloc(70000);
    for (size_t bytes = 65535; bytes <= 65536; bytes++) {
        strcpy(json, "{\"");
        memset(json + 2, 'n', bytes);
        strcpy(json + 2 + bytes, "\":{\"BOOL\":true}}");
        assert_int_equal(item_of(c, json), bytes == 65535 ? ST_OK : ST_INVALID_ARGUMENT);
    }
    assert_non_null(strstr(c->op.error.message, "must be at most 65535 bytes"));
    free(json);
}

/* ---- random items -----------------------------------------------------------------------------
 */

/* Appends a random value; the same seed gives the same value, in any order of its members. Members
 * of maps and sets are numbered, so that none occurs twice. */
static void random_value(st_rng *rng, uint32_t seed, int depth, st_buf *out);

static void shuffle(st_rng *rng, uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = (uint32_t)st_rng_below(rng, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}

static void random_text(uint32_t number, st_buf *out)
{
    static const char *const tails[] = {"", "\xC3\xA4", "\xF0\x9F\x98\x80", "\xEF\xBF\xBD", "zz"};
    char text[40];
    int size = snprintf(text, sizeof text, "%u%s", number, tails[number % 5]);
    st_buf_varint(out, (uint64_t)size);
    put(out, text, (size_t)size);
}

static void random_container(st_rng *rng, uint32_t seed, uint8_t tag, int depth, st_buf *out)
{
    uint32_t order[9], count = seed % 9;
    count += count == 0 && tag != ST_TAG_L && tag != ST_TAG_M;
    shuffle(rng, order, count);
    size_t head = out->size + 1;
    st_buf_byte(out, tag);
    st_buf_u32(out, 0);
    st_buf_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t member = seed / 7 + (tag == ST_TAG_L ? i : order[i]);
        if (tag == ST_TAG_L || tag == ST_TAG_M) {
            if (tag == ST_TAG_M) {
                random_text(member, out);
            }
            random_value(rng, member * 2654435761u, depth + 1, out);
        } else if (tag == ST_TAG_NS_TEXT) {
            char text[40];
            int size =
                snprintf(text, sizeof text, st_rng_below(rng, 2) ? "-%u.50" : "-0%u5e-1", member);
            st_buf_varint(out, (uint64_t)size);
            put(out, text, (size_t)size);
        } else {
            random_text(member, out);
        }
    }
    st_put_u32(out->data + head, (uint32_t)(out->size - head - 8));
}

static void random_value(st_rng *rng, uint32_t seed, int depth, st_buf *out)
{
    static const uint8_t tags[] = {ST_TAG_S,    ST_TAG_B,  ST_TAG_NUMBER_TEXT, ST_TAG_FALSE,
                                   ST_TAG_TRUE, ST_TAG_SS, ST_TAG_NS_TEXT,     ST_TAG_BS,
                                   ST_TAG_L,    ST_TAG_M};
    uint8_t tag = depth > 4 ? ST_TAG_NULL : tags[seed % 10];
    if (tag == ST_TAG_SS || tag == ST_TAG_BS || tag == ST_TAG_NS_TEXT || tag == ST_TAG_L ||
        tag == ST_TAG_M) {
        random_container(rng, seed / 10, tag, depth, out);
        return;
    }
    st_buf_byte(out, tag);
    if (tag == ST_TAG_NUMBER_TEXT) {
        bool is_point = st_rng_below(rng, 2);
        char text[40];
        int size = snprintf(text, sizeof text, is_point ? "+%u.00" : "%u00e-2", seed);
        st_buf_varint(out, (uint64_t)size);
        put(out, text, (size_t)size);
    } else if (tag == ST_TAG_S || tag == ST_TAG_B) {
        random_text(seed, out);
    }
}

static void random_item(item_case *c, st_rng *rng, uint32_t seed)
{
    st_op_clear(&c->op);
    st_buf_clear(&c->relaxed);
    st_buf_clear(&c->frame);
    random_container(rng, seed, ST_TAG_M, 0, &c->relaxed);
    assert_int_equal(st_item_canonicalize(&c->op, st_buf_view(&c->relaxed), &c->frame), ST_OK);
    st_arena_reset(&c->op.arena);
}

static void test_the_same_item_in_any_order_has_the_same_bytes(void **state)
{
    item_case *c = *state;
    st_rng rng;
    st_rng_seed(&rng, 3);
    size_t largest = 0;
    for (uint32_t seed = 0; seed < 1500; seed++) {
        random_item(c, &rng, seed * 40503u);
        st_buf_clear(&c->to);
        st_buf_slice(&c->to, st_buf_view(&c->frame));
        random_item(c, &rng, seed * 40503u);
        assert_true(st_slice_equal(st_buf_view(&c->to), st_buf_view(&c->frame)));
        assert_int_equal(st_item_validate(&c->op, st_buf_view(&c->frame)), ST_OK);
        largest = c->frame.size > largest ? c->frame.size : largest;
        /* relaxed again, canonical again */
        st_buf_clear(&c->relaxed);
        st_buf_clear(&c->to);
        st_item_to_relaxed(st_buf_view(&c->frame), &c->relaxed);
        assert_int_equal(st_item_canonicalize(&c->op, st_buf_view(&c->relaxed), &c->to), ST_OK);
        assert_true(st_slice_equal(st_buf_view(&c->to), st_buf_view(&c->frame)));
    }
    assert_in_range(largest, 1000, 1 << 20);
}

static void test_views_find_every_attribute_and_no_other(void **state)
{
    item_case *c = *state;
    st_rng rng;
    st_rng_seed(&rng, 5);
    for (uint32_t seed = 0; seed < 300; seed++) {
        random_item(c, &rng, seed * 40503u);
        st_slice frame = st_buf_view(&c->frame), name, before = {0};
        st_value value, found;
        uint32_t count = st_item_count(frame);
        assert_int_equal(count, seed * 40503u % 9);
        for (uint32_t i = 0; i < count; i++) {
            assert_true(st_item_at(frame, i, &name, &value));
            assert_true(i == 0 || st_slice_compare(before, name) < 0);
            assert_true(st_item_find(frame, name, &found));
            assert_true(st_slice_equal(found.encoded, value.encoded));
            assert_true(st_value_of(value.encoded, &found));
            assert_false(st_item_find(frame, st_slice_of(name.data, name.size - 1), &found) &&
                         st_slice_equal(found.encoded, value.encoded));
            before = name;
        }
        assert_false(st_item_at(frame, count, &name, &value));
        assert_false(st_item_find(frame, st_slice_str(""), &found));
        assert_int_equal(found.type, ST_TYPE_NONE);
    }
}

/* ---- damage -----------------------------------------------------------------------------------
 */

/* Everything that reads frames, on bytes that may be anything, in memory that ends with them. */
static void read_everything(item_case *c, st_slice frame)
{
    st_slice name;
    st_value value, member;
    (void)st_item_size(frame);
    (void)st_item_find(frame, st_slice_str("l"), &value);
    for (uint32_t i = 0; st_item_at(frame, i, &name, &value); i++) {
        st_members members = st_members_of(&value);
        while (st_members_next(&members, &name, &member)) {
        }
    }
    st_buf_clear(&c->text);
    st_status plain = st_item_to_plain_json(&c->op, frame, &c->text);
    st_op_clear(&c->op);
    assert_int_equal(st_item_to_dynamodb_json(&c->op, frame, &c->text), plain);
    assert_true(plain == ST_OK || plain == ST_CORRUPT);
    assert_int_equal(c->text.size > 0, plain == ST_OK);
    st_op_clear(&c->op);
}

/* A damaged frame is valid if and only if making it canonical again gives the same bytes. */
static void check_damaged_frame(item_case *c, st_slice frame)
{
    st_op_clear(&c->op);
    st_status status = st_item_validate(&c->op, frame);
    int64_t position = c->op.error.position;
    assert_true(status == ST_OK || status == ST_CORRUPT || status == ST_UNSUPPORTED);
    assert_true(status == ST_OK || (position >= 0 && (size_t)position <= frame.size));
    read_everything(c, frame);
    bool is_same = false;
    if (frame.size >= 6 && st_item_count(frame) <= (frame.size - 6) / 4) {
        st_buf_clear(&c->relaxed);
        st_buf_clear(&c->to);
        st_item_to_relaxed(frame, &c->relaxed);
        is_same = st_item_canonicalize(&c->op, st_buf_view(&c->relaxed), &c->to) == ST_OK &&
                  st_slice_equal(frame, st_buf_view(&c->to));
    }
    assert_int_equal(status == ST_OK, is_same);
    st_arena_reset(&c->op.arena);
}

static void check_damaged_request(item_case *c, st_slice relaxed)
{
    st_op_clear(&c->op);
    st_buf_clear(&c->to);
    if (st_item_canonicalize(&c->op, relaxed, &c->to) == ST_OK) {
        assert_int_equal(st_item_validate(&c->op, st_buf_view(&c->to)), ST_OK);
    } else {
        assert_int_equal(c->to.size, 0);
    }
    st_arena_reset(&c->op.arena);
}

/* Every beginning of bytes and every flip of one bit, each in a block of memory of its own. */
static void damage(item_case *c, st_slice whole, void (*check)(item_case *, st_slice))
{
    for (size_t i = 0; i < whole.size * 9; i++) {
        size_t size = i < whole.size ? i : whole.size;
        uint8_t *copy = malloc(size ? size : 1);
        memcpy(copy, whole.data, size);
        if (i >= whole.size) {
            size_t bit = i - whole.size;
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        check(c, st_slice_of(copy, size));
        free(copy);
    }
}

static void test_every_cut_and_every_flipped_bit_is_told(void **state)
{
    item_case *c = *state;
    const char *json = "{\"a\":{\"L\":[{\"N\":\"-1.5\"},{\"M\":{\"k\":{\"BS\":[\"AAE=\",\"AA==\"]},"
                       "\"kk\":{\"NULL\":true}}},{\"BOOL\":false}]},\"l\":{\"B\":\"\"},\"s\":{"
                       "\"NS\":[\"1\",\"2\",\"0\"]},\"t\":{\"SS\":[\"\",\"b\"]},\"z\":{\"S\":"
                       "\"\xC3\xA4\"}}";
    assert_int_equal(item_of(c, json), ST_OK);
    st_buf forms[2];
    st_buf_init(&forms[0], st_alloc_process());
    st_buf_init(&forms[1], st_alloc_process());
    st_buf_slice(&forms[0], st_buf_view(&c->relaxed));
    st_buf_slice(&forms[1], st_buf_view(&c->frame));
    damage(c, st_buf_view(&forms[0]), check_damaged_request);
    damage(c, st_buf_view(&forms[1]), check_damaged_frame);
    st_buf_deinit(&forms[0]);
    st_buf_deinit(&forms[1]);
}

static void test_bytes_of_random_damage_are_survived(void **state)
{
    item_case *c = *state;
    st_rng rng;
    st_rng_seed(&rng, 23);
    for (uint32_t round = 0; round < 4000; round++) {
        random_item(c, &rng, round * 40503u + 8);
        st_buf *form = round % 2 ? &c->frame : &c->relaxed;
        size_t size = form->size;
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, form->data, size);
        for (uint64_t i = st_rng_below(&rng, 4); i > 0 && size > 0; i--) {
            copy[st_rng_below(&rng, size)] = (uint8_t)st_rng_below(&rng, 256);
        }
        (round % 2 ? check_damaged_frame : check_damaged_request)(c, st_slice_of(copy, size));
        free(copy);
    }
}

static void check_corrupt(item_case *c, const char *bytes, size_t count, int position)
{
    st_op_clear(&c->op);
    assert_int_equal(st_item_validate(&c->op, st_slice_of(bytes, count)), ST_CORRUPT);
    if (c->op.error.position != position) {
        fail_msg("position %d: %s", (int)c->op.error.position, c->op.error.message);
    }
}

static void test_frames_of_legal_values_that_are_not_canonical_are_damage(void **state)
{
    item_case *c = *state;
#define ONE "\x01\x00\x01\x00\x00\x00\x0A\x00\x00\x00\x01x" /* 12 bytes: one attribute, x */
#define CHECK(position, bytes) check_corrupt(c, bytes, sizeof bytes - 1, position)
    CHECK(23, ONE "\x07\x02\x00\x00\x00\x02\x00\x00\x00\x00\x00"); /* a member twice */
    CHECK(24, ONE "\x07\x04\x00\x00\x00\x02\x00\x00\x00\x01"
                  "b\x01"
                  "a"); /* out of order */
    CHECK(25, ONE "\x0B\x06\x00\x00\x00\x02\x00\x00\x00\x01"
                  "a\x06\x01"
                  "a\x06");                                /* a name twice */
    CHECK(12, ONE "\x07\x00\x00\x00\x00\x00\x00\x00\x00"); /* an empty set */
    CHECK(12, ONE "\x12\x01"
                  "1");                                                /* number text */
    CHECK(14, ONE "\x02\x01\x05");                                     /* no number */
    CHECK(15, ONE "\x01\x81\x00z");                                    /* long varint */
    CHECK(13, ONE "\x06\x06");                                         /* bytes behind */
    CHECK(21, ONE "\x0A\x01\x00\x00\x00\x00\x00\x00\x00\x06");         /* behind a list */
    CHECK(6, "\x01\x00\x01\x00\x00\x00\x0B\x00\x00\x00\x00\x01x\x06"); /* a gap before an entry */
#undef CHECK
#undef ONE
}

/* Lists in lists, deeper than any stack would bear. */
static void test_endless_nesting_is_refused_without_following_it(void **state)
{
    item_case *c = *state;
    uint32_t levels = 200000;
    put(&c->frame, "\x01\x00\x01\x00\x00\x00\x0A\x00\x00\x00\x01x", 12);
    for (uint32_t i = levels; i > 0; i--) {
        st_buf_byte(&c->frame, ST_TAG_L);
        st_buf_u32(&c->frame, (i - 1) * 9);
        st_buf_u32(&c->frame, i > 1);
    }
    assert_int_equal(st_item_validate(&c->op, st_buf_view(&c->frame)), ST_CORRUPT);
    read_everything(c, st_buf_view(&c->frame));
    assert_int_equal(st_item_to_plain_json(&c->op, st_buf_view(&c->frame), &c->text), ST_CORRUPT);
    assert_int_equal(c->text.size, 0);
    st_op_clear(&c->op);
    st_item_to_relaxed(st_buf_view(&c->frame), &c->relaxed);
    assert_int_equal(st_item_canonicalize(&c->op, st_buf_view(&c->relaxed), &c->to),
                     ST_INVALID_ARGUMENT);
    assert_non_null(strstr(c->op.error.message, "Nesting Levels have exceeded"));
}

static void test_a_later_version_is_told_from_damage(void **state)
{
    item_case *c = *state;
    assert_int_equal(item_of(c, "{\"a\":{\"S\":\"x\"}}"), ST_OK);
    c->frame.data[0] = 2;
    assert_int_equal(st_item_validate(&c->op, st_buf_view(&c->frame)), ST_UNSUPPORTED);
    st_op_clear(&c->op);
    c->frame.data[0] = 0;
    assert_int_equal(st_item_validate(&c->op, st_buf_view(&c->frame)), ST_CORRUPT);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, item_setup, item_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_equal_items_have_equal_bytes),
        CASE(test_illegal_items_are_refused),
        CASE(test_repeats_in_sets_are_listed_as_dynamodb_lists_them),
        CASE(test_malformed_requests_are_refused_with_their_position),
        CASE(test_lying_counts_allocate_nothing),
        CASE(test_nesting_and_size_end_where_dynamodbs_do),
        CASE(test_sets_do_not_nest_but_lists_do),
        CASE(test_names_end_at_65535_bytes),
        CASE(test_the_same_item_in_any_order_has_the_same_bytes),
        CASE(test_views_find_every_attribute_and_no_other),
        CASE(test_every_cut_and_every_flipped_bit_is_told),
        CASE(test_bytes_of_random_damage_are_survived),
        CASE(test_frames_of_legal_values_that_are_not_canonical_are_damage),
        CASE(test_endless_nesting_is_refused_without_following_it),
        CASE(test_a_later_version_is_told_from_damage),
    };
    return cmocka_run_group_tests_name("item_canonical", tests, NULL, NULL);
}
