/* Keys, ranges of conditions, segments. */
#include "item_support.h"

static const st_key_schema *schema_of(st_type partition, st_type sort)
{
    static st_key_schema schema;
    schema = (st_key_schema){.partition_count = 1, .sort_count = sort != ST_TYPE_NONE};
    schema.partition[0] = (st_key_part){st_slice_str("p"), partition};
    schema.sort[0] = (st_key_part){st_slice_str("s"), sort};
    return &schema;
}

static void test_key_order_is_dynamodbs_and_no_key_is_a_prefix(void **state)
{
    item_case *c = *state;
    const char *ascending[] = {
        "AA==", "AAA=", "AAE=", "AP8=", "AQ==", "AQA=", "/w==", "/wA=", "//8="};
    st_buf keys[9];
    for (int i = 0; i < 9; i++) {
        char json[128];
        snprintf(json, sizeof json, "{\"p\":{\"S\":\"same\"},\"s\":{\"B\":\"%s\"}}", ascending[i]);
        assert_int_equal(item_of(c, json), ST_OK);
        st_buf_init(&keys[i], st_alloc_process());
        assert_int_equal(st_key_of_item(&c->op, 7, schema_of(ST_TYPE_S, ST_TYPE_B),
                                        st_buf_view(&c->frame), &keys[i]),
                         ST_OK);
        assert_true(st_key_is_valid(st_buf_view(&keys[i]), 7, schema_of(ST_TYPE_S, ST_TYPE_B)));
        assert_false(st_key_is_valid(st_buf_view(&keys[i]), 8, schema_of(ST_TYPE_S, ST_TYPE_B)));
        for (int j = 0; j < i; j++) {
            assert_true(st_slice_compare(st_buf_view(&keys[j]), st_buf_view(&keys[i])) < 0);
            assert_false(st_slice_starts_with(st_buf_view(&keys[i]), st_buf_view(&keys[j])));
        }
    }
    for (int i = 0; i < 9; i++) {
        st_buf_deinit(&keys[i]);
    }
}

static void check_key_refused(item_case *c, const char *json, const char *message)
{
    assert_int_equal(item_of(c, json), ST_OK);
    st_buf_clear(&c->from);
    assert_int_equal(st_key_of_item(&c->op, 7, schema_of(ST_TYPE_S, ST_TYPE_N),
                                    st_buf_view(&c->frame), &c->from),
                     ST_INVALID_ARGUMENT);
    if (!strstr(c->op.error.message, message)) {
        fail_msg("'%s' does not say '%s'", c->op.error.message, message);
    }
}

static void test_bad_keys_are_refused_in_dynamodbs_words(void **state)
{
    item_case *c = *state;
    check_key_refused(c, "{\"s\":{\"N\":\"1\"}}", "Missing the key p in the item");
    check_key_refused(c, "{\"p\":{\"S\":\"x\"},\"s\":{\"S\":\"1\"}}",
                      "Type mismatch for key s expected: N actual: S");
    check_key_refused(c, "{\"p\":{\"S\":\"\"},\"s\":{\"N\":\"1\"}}",
                      "cannot contain an empty string value. Key: p");
    char json[2200];
    snprintf(json, sizeof json, "{\"p\":{\"S\":\"%02049d\"},\"s\":{\"N\":\"1\"}}", 0);
    check_key_refused(c, json, "Size of hashkey has exceeded the maximum size limit of2048 bytes");
    assert_int_equal(item_of(c, "{\"p\":{\"S\":\"x\"},\"s\":{\"N\":\"1\"},\"t\":{\"N\":\"1\"}}"),
                     ST_OK);
    assert_int_equal(st_key_of_request(&c->op, 7, schema_of(ST_TYPE_S, ST_TYPE_N),
                                       st_buf_view(&c->relaxed), &c->from),
                     ST_INVALID_ARGUMENT);
    assert_string_equal(c->op.error.message, "The provided key element does not match the schema");
}

/* Whether the sort key text is in the range of a condition. */
static bool in_range(item_case *c, st_type type, const char *sort, st_key_condition condition,
                     const char *a, const char *b)
{
    const st_key_schema *schema = schema_of(ST_TYPE_S, type);
    st_value partition = {.type = ST_TYPE_S, .bytes = st_slice_str("P")};
    st_value first = {.type = type, .bytes = st_slice_str(a), .is_text = type == ST_TYPE_N};
    st_value second = {.type = type, .bytes = st_slice_str(b), .is_text = type == ST_TYPE_N};
    assert_int_equal(
        st_key_range(&c->op, 7, schema, &partition, condition, &first, &second, &c->from, &c->to),
        ST_OK);
    char json[128];
    snprintf(json, sizeof json, "{\"p\":{\"S\":\"P\"},\"s\":{\"%s\":\"%s\"}}", st_type_name(type),
             sort);
    assert_int_equal(item_of(c, json), ST_OK);
    st_buf_clear(&c->text);
    assert_int_equal(st_key_of_item(&c->op, 7, schema, st_buf_view(&c->frame), &c->text), ST_OK);
    return st_slice_compare(st_buf_view(&c->text), st_buf_view(&c->from)) >= 0 &&
           st_slice_compare(st_buf_view(&c->text), st_buf_view(&c->to)) < 0;
}

static bool model_condition(double x, st_key_condition condition, double a, double b)
{
    switch (condition) {
    case ST_KEY_EQUAL:
        return x == a;
    case ST_KEY_LESS:
        return x < a;
    case ST_KEY_AT_MOST:
        return x <= a;
    case ST_KEY_GREATER:
        return x > a;
    case ST_KEY_AT_LEAST:
        return x >= a;
    case ST_KEY_BETWEEN:
        return x >= a && x <= b;
    default:
        return true;
    }
}

static void test_ranges_hold_what_their_condition_says(void **state)
{
    item_case *c = *state;
    const char *numbers[] = {"-100", "-10.5", "-10", "-1", "-0.5", "0",  "0.5",
                             "1",    "1.5",   "9",   "10", "100",  "101"};
    size_t count = sizeof numbers / sizeof numbers[0];
    for (st_key_condition condition = ST_KEY_ALL; condition <= ST_KEY_BETWEEN; condition++) {
        for (size_t x = 0; x < count; x++) {
            for (size_t a = 0; a < count; a++) {
                size_t b = a + 2 < count ? a + 2 : a;
                assert_int_equal(
                    in_range(c, ST_TYPE_N, numbers[x], condition, numbers[a], numbers[b]),
                    model_condition(atof(numbers[x]), condition, atof(numbers[a]),
                                    atof(numbers[b])));
            }
        }
        st_arena_reset(&c->op.arena);
    }
    assert_true(in_range(c, ST_TYPE_S, "abc", ST_KEY_BEGINS_WITH, "ab", ""));
    assert_true(in_range(c, ST_TYPE_S, "ab", ST_KEY_BEGINS_WITH, "ab", ""));
    assert_false(in_range(c, ST_TYPE_S, "ac", ST_KEY_BEGINS_WITH, "ab", ""));
    assert_false(in_range(c, ST_TYPE_S, "a", ST_KEY_BEGINS_WITH, "ab", ""));
    assert_true(in_range(c, ST_TYPE_S, "abc", ST_KEY_GREATER, "ab", ""));
    assert_false(in_range(c, ST_TYPE_S, "ab", ST_KEY_GREATER, "ab", ""));
}

static void test_segments_cover_every_stripe_once(void **state)
{
    item_case *c = *state;
    uint32_t counts[] = {1, 2, 3, 7, 256, 300, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        st_buf end;
        st_buf_init(&end, st_alloc_process());
        for (uint32_t segment = 0; segment < counts[i]; segment++) {
            st_key_segment(7, segment, counts[i], &c->from, &c->to);
            if (segment > 0) {
                assert_true(st_slice_equal(st_buf_view(&c->from), st_buf_view(&end)));
            } else {
                assert_memory_equal(c->from.data, "\0\0\0\7\0", 5);
            }
            st_buf_clear(&end);
            st_buf_slice(&end, st_buf_view(&c->to));
        }
        assert_int_equal(end.size, 4);
        assert_memory_equal(end.data, "\0\0\0\x8", 4);
        st_buf_deinit(&end);
    }
}

static void test_what_no_range_can_answer_is_refused(void **state)
{
    item_case *c = *state;
    st_value text = {.type = ST_TYPE_S, .bytes = st_slice_str("x")};
    st_value other = {.type = ST_TYPE_S, .bytes = st_slice_str("a")};
    st_value empty = {.type = ST_TYPE_S};
    st_value number = {.type = ST_TYPE_N, .bytes = st_slice_str("1"), .is_text = true};
    static const char mismatch[] = "Condition parameter type does not match schema type";
    const struct {
        st_type sort;
        st_key_condition condition;
        const st_value *partition, *first, *second;
        const char *message;
    } cases[] = {
        {ST_TYPE_S, ST_KEY_BETWEEN, &text, &text, &other,
         "upper bound to be greater than or equal"},
        {ST_TYPE_S, ST_KEY_EQUAL, &number, &text, NULL, mismatch},
        {ST_TYPE_S, ST_KEY_EQUAL, NULL, &text, NULL, mismatch},
        {ST_TYPE_S, ST_KEY_LESS, &text, &number, NULL, mismatch},
        {ST_TYPE_S, ST_KEY_LESS, &text, NULL, NULL, mismatch},
        {ST_TYPE_S, ST_KEY_BETWEEN, &text, &other, NULL, mismatch},
        {ST_TYPE_S, ST_KEY_BETWEEN, &text, &other, &number, mismatch},
        {ST_TYPE_N, ST_KEY_BEGINS_WITH, &text, &number, NULL, "operand type: N"},
        {ST_TYPE_S, ST_KEY_EQUAL, &empty, &text, NULL,
         "cannot contain an empty string value. Key: p"},
        {ST_TYPE_S, ST_KEY_EQUAL, &text, &empty, NULL,
         "cannot contain an empty string value. Key: s"},
        {ST_TYPE_NONE, ST_KEY_EQUAL, &text, &text, NULL, "Query key condition not supported"},
        {ST_TYPE_S, (st_key_condition)8, &text, &text, NULL, "Query key condition not supported"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        st_op_clear(&c->op);
        assert_int_equal(st_key_range(&c->op, 7, schema_of(ST_TYPE_S, cases[i].sort),
                                      cases[i].partition, cases[i].condition, cases[i].first,
                                      cases[i].second, &c->from, &c->to),
                         ST_INVALID_ARGUMENT);
        if (!strstr(c->op.error.message, cases[i].message)) {
            fail_msg("case %zu: %s", i, c->op.error.message);
        }
        assert_int_equal(c->from.size + c->to.size, 0);
    }
}

static void test_segments_that_do_not_exist_are_empty(void **state)
{
    item_case *c = *state;
    uint32_t cases[][2] = {{0, 0}, {5, 0}, {3, 3}, {4, 3}, {UINT32_MAX, 1000000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        st_key_segment(7, cases[i][0], cases[i][1], &c->from, &c->to);
        assert_true(st_slice_equal(st_buf_view(&c->from), st_buf_view(&c->to)));
    }
    uint32_t stripes = 0; /* of a million segments, 256 hold a stripe */
    for (uint32_t segment = 0; segment < 1000000; segment++) {
        st_key_segment(7, segment, 1000000, &c->from, &c->to);
        stripes += !st_slice_equal(st_buf_view(&c->from), st_buf_view(&c->to));
    }
    assert_int_equal(stripes, 256);
}

/* ---- the limits of sizes ----------------------------------------------------------------------
 */

static st_status key_of_sizes(item_case *c, size_t partition, size_t sort)
{
    char *json = calloc(1, 5000);
    snprintf(json, 5000, "{\"p\":{\"S\":\"%0*d\"},\"s\":{\"S\":\"%0*d\"}}", (int)partition, 0,
             (int)sort, 0);
    assert_int_equal(item_of(c, json), ST_OK);
    free(json);
    st_buf_clear(&c->from);
    return st_key_of_item(&c->op, 7, schema_of(ST_TYPE_S, ST_TYPE_S), st_buf_view(&c->frame),
                          &c->from);
}

static void test_keys_end_at_2048_and_1024_bytes(void **state)
{
    item_case *c = *state;
    assert_int_equal(key_of_sizes(c, 2048, 1024), ST_OK);
    assert_int_equal(key_of_sizes(c, 2049, 1), ST_INVALID_ARGUMENT);
    assert_string_equal(c->op.error.message,
                        "One or more parameter values were invalid: Size of hashkey has exceeded "
                        "the maximum size limit of2048 bytes");
    assert_int_equal(key_of_sizes(c, 1, 1025), ST_INVALID_ARGUMENT);
    assert_string_equal(c->op.error.message,
                        "One or more parameter values were invalid: Aggregated size of all range "
                        "keys has exceeded the size limit of 1024 bytes");
    assert_int_equal(c->from.size, 0);
}

/* ---- keys of several parts --------------------------------------------------------------------
 */

/* Two partition parts (S, N) and three sort parts (B, N, S). */
static const st_key_schema wide = {
    .partition_count = 2,
    .sort_count = 3,
    .partition = {{{(const uint8_t *)"p1", 2}, ST_TYPE_S}, {{(const uint8_t *)"p2", 2}, ST_TYPE_N}},
    .sort = {{{(const uint8_t *)"s1", 2}, ST_TYPE_B},
             {{(const uint8_t *)"s2", 2}, ST_TYPE_N},
             {{(const uint8_t *)"s3", 2}, ST_TYPE_S}},
};

/* A tuple of small values, so that equal parts and prefixes are common. */
typedef struct wide_key {
    int text;   /* p1 */
    int number; /* p2 */
    int binary; /* s1: an index of wide_binaries */
    int sort;   /* s2 */
    int last;   /* s3: an index of wide_texts */
} wide_key;

static const st_slice wide_binaries[] = {
    {(const uint8_t *)"\0", 1},      {(const uint8_t *)"\0\0", 2},
    {(const uint8_t *)"\0\1", 2},    {(const uint8_t *)"\0\xFF", 2},
    {(const uint8_t *)"\1", 1},      {(const uint8_t *)"\1\0", 2},
    {(const uint8_t *)"\xFF", 1},    {(const uint8_t *)"\xFF\0", 2},
    {(const uint8_t *)"\xFF\xFF", 2}};
static const char *const wide_numbers[] = {"-9.99e125", "-11", "-1.1", "-1", "-1e-130", "0",
                                           "1e-130",    "1",   "1.1",  "11", "9.99e125"};
static const char *const wide_texts[] = {
    "a", "aa", "ab", "b", "\xC3\xA4", "\xEF\xBF\xBD", "\xF0\x9F\x98\x80"};

static wide_key random_wide_key(st_rng *rng)
{
    return (wide_key){(int)st_rng_below(rng, 2), (int)st_rng_below(rng, 2),
                      (int)st_rng_below(rng, 9), (int)st_rng_below(rng, 11),
                      (int)st_rng_below(rng, 7)};
}

static st_value number_value(int index)
{
    return (st_value){
        .type = ST_TYPE_N, .bytes = st_slice_str(wide_numbers[index]), .is_text = true};
}

static st_value text_value(int index)
{
    return (st_value){.type = ST_TYPE_S, .bytes = st_slice_str(wide_texts[index])};
}

static st_value binary_value(int index)
{
    return (st_value){.type = ST_TYPE_B, .bytes = wide_binaries[index]};
}

static void put_member(st_buf *out, const char *name, const st_value *value)
{
    st_buf_byte(out, (uint8_t)strlen(name));
    st_buf_append(out, name, strlen(name));
    st_buf_byte(out, value->type == ST_TYPE_N   ? ST_TAG_NUMBER_TEXT
                     : value->type == ST_TYPE_S ? ST_TAG_S
                                                : ST_TAG_B);
    st_buf_varint(out, value->bytes.size);
    st_buf_slice(out, value->bytes);
}

/* The key as a relaxed map; others: attributes that are not of the key. */
static void wide_map(const wide_key *key, bool has_others, st_buf *out)
{
    st_value values[] = {number_value(key->sort), text_value(key->text), text_value(key->last),
                         binary_value(key->binary), number_value(key->number)};
    static const char *const names[] = {"s2", "p1", "s3", "s1", "p2"};
    st_buf_clear(out);
    st_buf_byte(out, ST_TAG_M);
    st_buf_u32(out, 0);
    st_buf_u32(out, 5 + has_others);
    for (int i = 0; i < 5; i++) {
        put_member(out, names[i], &values[i]);
    }
    if (has_others) {
        put_member(out, "q", &values[0]);
    }
    st_put_u32(out->data + 1, (uint32_t)(out->size - 9));
}

static void encode_wide(item_case *c, const wide_key *key, st_buf *out)
{
    wide_map(key, true, &c->relaxed);
    st_buf_clear(&c->frame);
    assert_int_equal(st_item_canonicalize(&c->op, st_buf_view(&c->relaxed), &c->frame), ST_OK);
    st_buf_clear(out);
    assert_int_equal(st_key_of_item(&c->op, 9, &wide, st_buf_view(&c->frame), out), ST_OK);
    wide_map(key, false, &c->relaxed);
    st_buf_clear(&c->text);
    assert_int_equal(st_key_of_request(&c->op, 9, &wide, st_buf_view(&c->relaxed), &c->text),
                     ST_OK);
    assert_true(st_slice_equal(st_buf_view(out), st_buf_view(&c->text)));
    st_arena_reset(&c->op.arena);
}

/* Order inside a partition; the tables above are sorted. */
static int compare_sort(const wide_key *a, const wide_key *b)
{
    int order = st_slice_compare(wide_binaries[a->binary], wide_binaries[b->binary]);
    order = order ? order : a->sort - b->sort;
    return order ? order : a->last - b->last;
}

static int sign_of(int order)
{
    return (order > 0) - (order < 0);
}

static void test_keys_of_several_parts_are_ordered_part_by_part(void **state)
{
    item_case *c = *state;
    st_rng rng;
    st_rng_seed(&rng, 29);
    for (int round = 0; round < 5000; round++) {
        wide_key a = random_wide_key(&rng), b = random_wide_key(&rng);
        encode_wide(c, &a, &c->from);
        encode_wide(c, &b, &c->to);
        st_slice x = st_buf_view(&c->from), y = st_buf_view(&c->to);
        bool same_partition = a.text == b.text && a.number == b.number;
        int order = st_slice_compare(x, y);
        if (same_partition) {
            assert_int_equal(sign_of(order), sign_of(compare_sort(&a, &b)));
        }
        assert_int_equal(order == 0, same_partition && compare_sort(&a, &b) == 0);
        assert_true(order == 0 || (!st_slice_starts_with(x, y) && !st_slice_starts_with(y, x)));
    }
}

static void test_keys_are_decoded_to_what_they_were_made_of(void **state)
{
    item_case *c = *state;
    st_rng rng;
    st_rng_seed(&rng, 31);
    for (int round = 0; round < 2000; round++) {
        wide_key key = random_wide_key(&rng);
        encode_wide(c, &key, &c->from);
        st_buf_clear(&c->text);
        assert_int_equal(st_key_decode(&c->op, st_buf_view(&c->from), 9, &wide, &c->text, NULL),
                         ST_OK);
        st_buf_clear(&c->to);
        assert_int_equal(st_key_of_request(&c->op, 9, &wide, st_buf_view(&c->text), &c->to), ST_OK);
        assert_true(st_slice_equal(st_buf_view(&c->from), st_buf_view(&c->to)));
        /* what goes on behind the components is told only to who asks for it */
        size_t whole = c->from.size, bytes;
        st_buf_byte(&c->from, 2);
        st_buf_clear(&c->text);
        assert_int_equal(st_key_decode(&c->op, st_buf_view(&c->from), 9, &wide, &c->text, &bytes),
                         ST_OK);
        assert_int_equal(bytes, whole);
        st_buf_clear(&c->text);
        assert_int_equal(st_key_decode(&c->op, st_buf_view(&c->from), 9, &wide, &c->text, NULL),
                         ST_CORRUPT);
        assert_int_equal(c->op.error.position, whole);
        assert_int_equal(c->text.size, 0);
        st_op_clear(&c->op);
    }
}

static void test_damaged_keys_are_never_taken_for_whole(void **state)
{
    item_case *c = *state;
    wide_key key = {1, 1, 3, 8, 6};
    encode_wide(c, &key, &c->from);
    for (size_t i = 0; i < c->from.size * 9; i++) {
        size_t size = i < c->from.size ? i : c->from.size, bit = i - size, bytes;
        uint8_t *copy = malloc(size ? size : 1);
        memcpy(copy, c->from.data, size);
        if (i >= c->from.size) {
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        st_slice damaged = st_slice_of(copy, size);
        bool is_valid = st_key_is_valid(damaged, 9, &wide);
        assert_true(i >= c->from.size || !is_valid);
        assert_false(st_key_is_valid(damaged, 10, &wide));
        st_buf_clear(&c->text);
        st_op_clear(&c->op);
        st_status status = st_key_decode(&c->op, damaged, 9, &wide, &c->text, &bytes);
        assert_true(status == ST_OK || status == ST_CORRUPT);
        if (status == ST_OK && bytes == size) {
            assert_true(is_valid);
            st_buf_clear(&c->to);
            assert_int_equal(st_key_of_request(&c->op, 9, &wide, st_buf_view(&c->text), &c->to),
                             ST_OK);
            assert_true(st_slice_equal(damaged, st_buf_view(&c->to)));
        }
        free(copy);
    }
}

static bool meets(int order_first, int order_second, st_key_condition condition)
{
    switch (condition) {
    case ST_KEY_EQUAL:
        return order_first == 0;
    case ST_KEY_LESS:
        return order_first < 0;
    case ST_KEY_AT_MOST:
        return order_first <= 0;
    case ST_KEY_GREATER:
        return order_first > 0;
    case ST_KEY_AT_LEAST:
        return order_first >= 0;
    case ST_KEY_BETWEEN:
        return order_first >= 0 && order_second <= 0;
    default:
        return true;
    }
}

/* What the condition on sort part `equal` says of a key, judged on values. */
static bool wide_meets(const wide_key *key, const wide_key *q, const wide_key *q2, uint32_t equal,
                       st_key_condition condition)
{
    if (key->text != q->text || key->number != q->number ||
        (equal > 0 && key->binary != q->binary) || (equal > 1 && key->sort != q->sort)) {
        return false;
    }
    st_slice binary = wide_binaries[key->binary], first = wide_binaries[q->binary];
    if (condition == ST_KEY_BEGINS_WITH) {
        return equal == 0 ? st_slice_starts_with(binary, first)
                          : strncmp(wide_texts[key->last], wide_texts[q->last],
                                    strlen(wide_texts[q->last])) == 0;
    }
    return equal == 0   ? meets(st_slice_compare(binary, first),
                                st_slice_compare(binary, wide_binaries[q2->binary]), condition)
           : equal == 1 ? meets(key->sort - q->sort, key->sort - q2->sort, condition)
                        : meets(key->last - q->last, key->last - q2->last, condition);
}

static st_value wide_part(const wide_key *key, uint32_t part)
{
    return part == 0   ? binary_value(key->binary)
           : part == 1 ? number_value(key->sort)
                       : text_value(key->last);
}

static void test_ranges_of_several_parts_hold_what_their_conditions_say(void **state)
{
    item_case *c = *state;
    st_rng rng;
    st_rng_seed(&rng, 37);
    int inside = 0;
    for (int round = 0; round < 20000; round++) {
        wide_key key = random_wide_key(&rng), q = random_wide_key(&rng), q2 = q;
        if (st_rng_below(&rng, 2)) { /* often the same beginning */
            q.text = key.text, q.number = key.number, q.binary = key.binary;
            q.sort = st_rng_below(&rng, 2) ? key.sort : q.sort;
        }
        uint32_t equal = (uint32_t)st_rng_below(&rng, 3);
        st_key_condition condition = (st_key_condition)st_rng_below(&rng, 8);
        condition = condition == ST_KEY_BEGINS_WITH && equal == 1 ? ST_KEY_ALL : condition;
        q2 = q;
        q2.binary += (8 - q2.binary) / 2, q2.sort += (10 - q2.sort) / 2,
            q2.last += (6 - q2.last) / 2;
        st_value partition[] = {text_value(q.text), number_value(q.number)};
        st_value equals[] = {wide_part(&q, 0), wide_part(&q, 1)};
        st_value first = wide_part(&q, equal), second = wide_part(&q2, equal);
        st_key_query query = {partition, equals, equal, condition, &first, &second};
        assert_int_equal(st_key_range_of(&c->op, 9, &wide, &query, &c->from, &c->to), ST_OK);
        st_buf encoded;
        st_buf_init(&encoded, st_alloc_process());
        encode_wide(c, &key, &encoded);
        for (int longer = 0; longer < 2; longer++) { /* as it is, and as an index entry */
            bool is_inside = st_slice_compare(st_buf_view(&encoded), st_buf_view(&c->from)) >= 0 &&
                             st_slice_compare(st_buf_view(&encoded), st_buf_view(&c->to)) < 0;
            assert_int_equal(is_inside, wide_meets(&key, &q, &q2, equal, condition));
            inside += is_inside;
            st_buf_append(&encoded, "\xFF\xFF\x00\x01", 4);
        }
        st_buf_deinit(&encoded);
    }
    assert_in_range(inside, 2000, 38000);
}

static void test_ranges_of_several_parts_want_all_of_the_partition(void **state)
{
    item_case *c = *state;
    st_value partition[] = {text_value(0), text_value(1)}, first = text_value(0);
    st_value equals[] = {binary_value(0), number_value(0), text_value(0)};
    st_key_query query = {partition, equals, 0, ST_KEY_ALL, NULL, NULL};
    assert_int_equal(st_key_range_of(&c->op, 9, &wide, &query, &c->from, &c->to),
                     ST_INVALID_ARGUMENT);
    partition[1] = number_value(1);
    st_op_clear(&c->op);
    query.equal_count = 3;
    assert_int_equal(st_key_range_of(&c->op, 9, &wide, &query, &c->from, &c->to), ST_OK);
    query.condition = ST_KEY_EQUAL;
    query.first = &first;
    assert_int_equal(st_key_range_of(&c->op, 9, &wide, &query, &c->from, &c->to),
                     ST_INVALID_ARGUMENT);
    st_op_clear(&c->op);
    query.equal_count = UINT32_MAX;
    assert_int_equal(st_key_range_of(&c->op, 9, &wide, &query, &c->from, &c->to),
                     ST_INVALID_ARGUMENT);
    st_op_clear(&c->op);
    assert_int_equal(
        st_key_range(&c->op, 9, &wide, &partition[0], ST_KEY_ALL, NULL, NULL, &c->from, &c->to),
        ST_INVALID_ARGUMENT);
}

static void test_an_index_knows_which_items_it_holds(void **state)
{
    item_case *c = *state;
    const st_key_schema *schema = schema_of(ST_TYPE_S, ST_TYPE_N);
    assert_int_equal(item_of(c, "{\"p\":{\"S\":\"x\"},\"s\":{\"N\":\"1\"}}"), ST_OK);
    assert_true(st_key_has_all(schema, st_buf_view(&c->frame)));
    assert_int_equal(item_of(c, "{\"p\":{\"S\":\"x\"},\"t\":{\"N\":\"1\"}}"), ST_OK);
    assert_false(st_key_has_all(schema, st_buf_view(&c->frame)));
    assert_int_equal(item_of(c, "{\"s\":{\"N\":\"1\"}}"), ST_OK);
    assert_false(st_key_has_all(schema, st_buf_view(&c->frame)));
}

static void test_malformed_keys_of_requests_are_refused(void **state)
{
    item_case *c = *state;
    assert_int_equal(item_of(c, "{\"p\":{\"S\":\"x\"},\"s\":{\"N\":\"1\"}}"), ST_OK);
    for (size_t i = 0; i < c->relaxed.size * 9; i++) {
        size_t size = i < c->relaxed.size ? i : c->relaxed.size, bit = i - size;
        uint8_t *copy = malloc(size ? size : 1);
        memcpy(copy, c->relaxed.data, size);
        if (i >= c->relaxed.size) {
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        st_op_clear(&c->op);
        st_buf_clear(&c->from);
        st_status status = st_key_of_request(&c->op, 7, schema_of(ST_TYPE_S, ST_TYPE_N),
                                             st_slice_of(copy, size), &c->from);
        assert_int_equal(c->from.size > 0, status == ST_OK);
        assert_true(status != ST_OK || i >= c->relaxed.size);
        assert_true(status != ST_OK ||
                    st_key_is_valid(st_buf_view(&c->from), 7, schema_of(ST_TYPE_S, ST_TYPE_N)));
        free(copy);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, item_setup, item_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_key_order_is_dynamodbs_and_no_key_is_a_prefix),
        CASE(test_bad_keys_are_refused_in_dynamodbs_words),
        CASE(test_keys_end_at_2048_and_1024_bytes),
        CASE(test_malformed_keys_of_requests_are_refused),
        CASE(test_an_index_knows_which_items_it_holds),
        CASE(test_ranges_hold_what_their_condition_says),
        CASE(test_what_no_range_can_answer_is_refused),
        CASE(test_keys_of_several_parts_are_ordered_part_by_part),
        CASE(test_keys_are_decoded_to_what_they_were_made_of),
        CASE(test_damaged_keys_are_never_taken_for_whole),
        CASE(test_ranges_of_several_parts_hold_what_their_conditions_say),
        CASE(test_ranges_of_several_parts_want_all_of_the_partition),
        CASE(test_segments_cover_every_stripe_once),
        CASE(test_segments_that_do_not_exist_are_empty),
    };
    return cmocka_run_group_tests_name("item_key", tests, NULL, NULL);
}
