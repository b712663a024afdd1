/* Random operations on tables of every kind of key, against arrays that know nothing of keys as
 * bytes: every query, page, token, scan and segment has the same answer in memory, before and after
 * flush, compaction and reopening.
 */
#include "table_support.h"

#define MODEL_PARTITIONS 4
#define MODEL_SORTS 12
#define MODEL_ROUNDS 3
#define MODEL_WRITES 120

/* Values of each type in the order of the service. */
typedef struct model_value {
    const char *bytes;
    size_t size;
} model_value;

#define MODEL_TEXT(text)       \
    {                          \
        text, sizeof(text) - 1 \
    }

static const model_value model_values[4][MODEL_SORTS] = {
    [ST_TYPE_S] = {MODEL_TEXT("A"), MODEL_TEXT("Z"), MODEL_TEXT("a"), MODEL_TEXT("a\0"),
                   MODEL_TEXT("a\0b"), MODEL_TEXT("a\1"), MODEL_TEXT("ab"), MODEL_TEXT("abc"),
                   MODEL_TEXT("b"), MODEL_TEXT("\xc3\xa4"), MODEL_TEXT("\xef\xbf\xae"),
                   MODEL_TEXT("\xf0\x9f\x98\x80")},
    [ST_TYPE_N] = {MODEL_TEXT("-9.99E125"), MODEL_TEXT("-100"), MODEL_TEXT("-10.5"),
                   MODEL_TEXT("-1E-130"), MODEL_TEXT("0"), MODEL_TEXT("1E-130"),
                   MODEL_TEXT("0.001"), MODEL_TEXT("1"), MODEL_TEXT("1.5"), MODEL_TEXT("2"),
                   MODEL_TEXT("10"), MODEL_TEXT("12345678901234567890123456789012345678")},
    [ST_TYPE_B] = {MODEL_TEXT("\0"), MODEL_TEXT("\0\0"), MODEL_TEXT("\0\1"), MODEL_TEXT("\0\xff"),
                   MODEL_TEXT("\1"), MODEL_TEXT("a"), MODEL_TEXT("a\0"), MODEL_TEXT("ab"),
                   MODEL_TEXT("\xff"), MODEL_TEXT("\xff\0"), MODEL_TEXT("\xff\xff"),
                   MODEL_TEXT("\xff\xff\xff")},
};

typedef struct model {
    table_case *c;
    st_rng rng;
    st_type partition_type, sort_type;        /* sort NONE: a partition key alone */
    int items[MODEL_PARTITIONS][MODEL_SORTS]; /* 0: absent, else the version */
    int version;
} model;

static int model_below(model *m, int limit)
{
    return (int)st_rng_below(&m->rng, (uint64_t)limit);
}

static const model_value *model_partition(const model *m, int partition)
{
    return &model_values[m->partition_type][3 * partition];
}

static int model_sorts(const model *m)
{
    return m->sort_type == ST_TYPE_NONE ? 1 : MODEL_SORTS;
}

/* ---- requests --------------------------------------------------------------------------- */

static void model_put_map(model *m, st_buf *to, uint8_t field, int partition, int sort, int version)
{
    bool has_sort = m->sort_type != ST_TYPE_NONE;
    size_t place = frame_open(to, field);
    size_t map = map_begin(to, 1 + has_sort + (version ? 4 : 0));
    if (version) { /* before the key: attributes come in any order */
        static const char filler[400] = "";
        map_number(to, "v", version);
        map_number(to, "s number", sort);
        map_number(to, "p number", partition);
        map_add(to, "filler", ST_TYPE_B, filler, (size_t)version % sizeof filler);
    }
    const model_value *value = model_partition(m, partition);
    if (has_sort) {
        const model_value *sort_value = &model_values[m->sort_type][sort];
        map_add(to, "sort", m->sort_type, sort_value->bytes, sort_value->size);
    }
    map_add(to, "partition", m->partition_type, value->bytes, value->size);
    map_end(to, map);
    frame_shut(to, place);
}

static void model_check_item(const model *m, st_slice item, int partition, int sort)
{
    assert_int_equal(item_number(item, "p number"), partition);
    assert_int_equal(item_number(item, "s number"), sort);
    assert_int_equal(item_number(item, "v"), m->items[partition][sort]);
}

static void model_check_found(const model *m, uint8_t field, int partition, int sort)
{
    st_slice item;
    bool is_found = result_find(st_buf_view(&m->c->result), field, &item);
    assert_int_equal(is_found, m->items[partition][sort] != 0);
    if (is_found) {
        model_check_item(m, item, partition, sort);
    }
}

static void model_write_one(model *m)
{
    st_buf *request = &m->c->request;
    int partition = model_below(m, MODEL_PARTITIONS), sort = model_below(m, model_sorts(m));
    bool is_put = model_below(m, 3) > 0;
    frame_begin(request, is_put ? ST_REQUEST_PUT : ST_REQUEST_DELETE);
    frame_text(request, ST_FIELD_TABLE_NAME, "model");
    frame_u32(request, ST_FIELD_FLAGS, ST_FLAG_RETURN_OLD);
    model_put_map(m, request, is_put ? ST_FIELD_ITEM : ST_FIELD_KEY, partition, sort,
                  is_put ? ++m->version : 0);
    table_must(m->c);
    model_check_found(m, ST_RESULT_OLD_ITEM, partition, sort);
    m->items[partition][sort] = is_put ? m->version : 0;
}

static void model_write_batch(model *m)
{
    st_buf *request = &m->c->request, entry;
    st_buf_init(&entry, st_alloc_process());
    frame_begin(request, ST_REQUEST_BATCH_WRITE);
    int partition = model_below(m, MODEL_PARTITIONS), first = model_below(m, model_sorts(m));
    for (int sort = first; sort < model_sorts(m) && sort < first + 4; sort++) {
        bool is_put = model_below(m, 2) > 0;
        frame_begin(&entry, is_put ? ST_REQUEST_PUT : ST_REQUEST_DELETE);
        frame_text(&entry, ST_FIELD_TABLE_NAME, "model");
        model_put_map(m, &entry, is_put ? ST_FIELD_ITEM : ST_FIELD_KEY, partition, sort,
                      is_put ? ++m->version : 0);
        frame_field(request, ST_FIELD_ENTRY, entry.data, entry.size);
        m->items[partition][sort] = is_put ? m->version : 0;
    }
    table_must(m->c);
    st_buf_deinit(&entry);
}

/* ---- what must come --------------------------------------------------------------------- */

typedef struct model_query {
    int partition, condition, first, second; /* values by their place in the order */
    bool is_reverse, is_snapshot;
    int limit, page_items;   /* 0: none */
    int wanted[MODEL_SORTS]; /* sort values */
    int wanted_count;
} model_query;

static bool model_begins_with(const model_value *value, const model_value *prefix)
{
    return value->size >= prefix->size && memcmp(value->bytes, prefix->bytes, prefix->size) == 0;
}

static bool model_matches(const model *m, const model_query *q, int sort)
{
    switch (q->condition) {
    case 0:
        return true;
    case ST_SORT_EQUAL:
        return sort == q->first;
    case ST_SORT_LESS:
        return sort < q->first;
    case ST_SORT_AT_MOST:
        return sort <= q->first;
    case ST_SORT_GREATER:
        return sort > q->first;
    case ST_SORT_AT_LEAST:
        return sort >= q->first;
    case ST_SORT_BETWEEN:
        return sort >= q->first && sort <= q->second;
    default:
        return model_begins_with(&model_values[m->sort_type][sort],
                                 &model_values[m->sort_type][q->first]);
    }
}

static model_query model_some_query(model *m)
{
    static const int limits[] = {0, 1, 2, 5, 100};
    model_query q = {.partition = model_below(m, MODEL_PARTITIONS)};
    int conditions = m->sort_type == ST_TYPE_NONE ? 1 : m->sort_type == ST_TYPE_N ? 7 : 8;
    q.condition = model_below(m, conditions);
    q.first = model_below(m, MODEL_SORTS);
    q.second = q.first + model_below(m, MODEL_SORTS - q.first);
    q.is_reverse = model_below(m, 2);
    q.is_snapshot = model_below(m, 2);
    q.limit = limits[model_below(m, 5)];
    q.page_items = limits[model_below(m, 5)];
    for (int i = 0; i < model_sorts(m); i++) {
        int sort = q.is_reverse ? model_sorts(m) - 1 - i : i;
        if (m->items[q.partition][sort] && model_matches(m, &q, sort)) {
            q.wanted[q.wanted_count++] = sort;
        }
    }
    return q;
}

static void model_frame(model *m, const model_query *q, st_slice token)
{
    st_buf *to = &m->c->request;
    frame_begin(to, ST_REQUEST_QUERY);
    frame_text(to, ST_FIELD_TABLE_NAME, "model");
    const model_value *value = model_partition(m, q->partition);
    size_t place = frame_open(to, ST_FIELD_PARTITION);
    put_value(to, m->partition_type, value->bytes, value->size);
    frame_shut(to, place);
    if (q->condition) {
        const model_value *bounds[] = {&model_values[m->sort_type][q->first],
                                       &model_values[m->sort_type][q->second]};
        place = frame_open(to, ST_FIELD_SORT);
        st_buf_byte(to, (uint8_t)q->condition);
        for (int i = 0; i <= (q->condition == ST_SORT_BETWEEN); i++) {
            put_value(to, m->sort_type, bounds[i]->bytes, bounds[i]->size);
        }
        frame_shut(to, place);
    }
    frame_u32(to, ST_FIELD_FLAGS,
              (q->is_reverse ? ST_FLAG_REVERSE : 0) | (q->is_snapshot ? ST_FLAG_SNAPSHOT : 0));
    if (q->limit) {
        frame_u64(to, ST_FIELD_LIMIT, (uint64_t)q->limit);
    }
    if (q->page_items) {
        frame_u32(to, ST_FIELD_PAGE_ITEMS, (uint32_t)q->page_items);
    }
    if (token.size > 0) {
        frame_field(to, ST_FIELD_START_AFTER, token.data, token.size);
    }
}

/* ---- checking --------------------------------------------------------------------------- */

/* The items of the page in c->result continue what was wanted; gives how many. */
static int model_check_page(model *m, const model_query *q, int at)
{
    st_slice result = st_buf_view(&m->c->result);
    int count = (int)result_count(result);
    assert_true(at + count <= q->wanted_count);
    for (int i = 0; i < count; i++) {
        model_check_item(m, result_item(result, (uint32_t)i), q->partition, q->wanted[at + i]);
    }
    st_slice scanned, last;
    assert_true(result_find(result, ST_RESULT_SCANNED, &scanned));
    assert_int_equal(st_get_u64(scanned.data), count);
    if (!result_find(result, ST_RESULT_LAST_KEY, &last)) {
        assert_int_equal(at + count, q->wanted_count);
    } else {
        assert_true(count > 0);
    }
    return count;
}

static void model_check_cursor(model *m, const model_query *q)
{
    st_table_cursor *cursor;
    model_frame(m, q, (st_slice){0});
    st_op_clear(&m->c->op);
    assert_int_equal(
        st_table_cursor_open(&m->c->op, m->c->database, st_buf_view(&m->c->request), &cursor),
        ST_OK);
    int most = q->limit && q->limit < q->wanted_count ? q->limit : q->wanted_count, at = 0;
    while (!st_table_cursor_has_ended(cursor)) {
        st_buf_clear(&m->c->result);
        assert_int_equal(st_table_cursor_next_page(&m->c->op, cursor, &m->c->result), ST_OK);
        int count = model_check_page(m, q, at);
        assert_true(!q->page_items || count <= q->page_items);
        at += count;
    }
    assert_int_equal(at, most);
    st_buf_clear(&m->c->result);
    assert_int_equal(st_table_cursor_next_page(&m->c->op, cursor, &m->c->result), ST_OK);
    assert_int_equal(result_count(st_buf_view(&m->c->result)), 0);
    st_table_cursor_close(cursor);
}

/* Page by page through st_table_execute, with nothing but tokens in between. */
static void model_check_tokens(model *m, const model_query *q)
{
    st_buf token;
    st_buf_init(&token, st_alloc_process());
    int at = 0;
    bool is_cut = true;
    while (is_cut) {
        model_frame(m, q, st_buf_view(&token));
        table_must(m->c);
        at += model_check_page(m, q, at);
        st_slice last;
        is_cut = result_find(st_buf_view(&m->c->result), ST_RESULT_LAST_KEY, &last);
        st_buf_clear(&token);
        st_buf_slice(&token, last);
    }
    assert_int_equal(at, q->wanted_count);
    st_buf_deinit(&token);
}

static void model_check_scan(model *m, uint32_t segments)
{
    int seen[MODEL_PARTITIONS][MODEL_SORTS] = {{0}};
    for (uint32_t segment = 0; segment < segments; segment++) {
        frame_begin(&m->c->request, ST_REQUEST_SCAN);
        frame_text(&m->c->request, ST_FIELD_TABLE_NAME, "model");
        frame_segment(&m->c->request, segment, segments);
        table_must(m->c);
        st_slice result = st_buf_view(&m->c->result), last;
        assert_false(result_find(result, ST_RESULT_LAST_KEY, &last));
        for (uint32_t i = 0; i < result_count(result); i++) {
            st_slice item = result_item(result, i);
            int partition = item_number(item, "p number"), sort = item_number(item, "s number");
            model_check_item(m, item, partition, sort);
            assert_int_equal(seen[partition][sort]++, 0);
        }
    }
    for (int p = 0; p < MODEL_PARTITIONS; p++) {
        for (int s = 0; s < model_sorts(m); s++) {
            assert_int_equal(seen[p][s], m->items[p][s] != 0);
        }
    }
}

static void model_check_gets(model *m)
{
    st_buf *request = &m->c->request, entry;
    st_buf_init(&entry, st_alloc_process());
    for (int p = 0; p < MODEL_PARTITIONS; p++) {
        int sort = model_below(m, model_sorts(m));
        frame_begin(request, ST_REQUEST_GET);
        frame_text(request, ST_FIELD_TABLE_NAME, "model");
        model_put_map(m, request, ST_FIELD_KEY, p, sort, 0);
        table_must(m->c);
        model_check_found(m, ST_RESULT_ITEM, p, sort);
        frame_begin(request, ST_REQUEST_BATCH_GET);
        for (int s = 0; s < model_sorts(m); s++) {
            frame_begin(&entry, ST_REQUEST_GET);
            frame_text(&entry, ST_FIELD_TABLE_NAME, "model");
            model_put_map(m, &entry, ST_FIELD_KEY, p, s, 0);
            frame_field(request, ST_FIELD_ENTRY, entry.data, entry.size);
        }
        table_must(m->c);
        st_slice result = st_buf_view(&m->c->result);
        assert_int_equal(result_count(result), model_sorts(m));
        for (int s = 0; s < model_sorts(m); s++) {
            st_slice item = result_item(result, (uint32_t)s);
            assert_int_equal(item.size > 0, m->items[p][s] != 0);
            if (item.size > 0) {
                model_check_item(m, item, p, s);
            }
        }
    }
    st_buf_deinit(&entry);
}

static void model_check(model *m)
{
    static const uint32_t segments[] = {1, 2, 3, 7, 256, 300};
    for (int i = 0; i < 25; i++) {
        model_query q = model_some_query(m);
        model_check_cursor(m, &q);
        model_check_tokens(m, &q);
    }
    model_check_gets(m);
    model_check_scan(m, segments[model_below(m, 6)]);
}

static void model_write(model *m)
{
    for (int i = 0; i < MODEL_WRITES; i++) {
        if (model_below(m, 4) == 0) {
            model_write_batch(m);
        } else {
            model_write_one(m);
        }
    }
}

/* ---- places ----------------------------------------------------------------------------- */

static void model_reopen(model *m)
{
    if (m->c->env) {
        table_close(m->c);
        table_open(m->c);
    }
}

static void model_create_table(model *m)
{
    frame_begin(&m->c->request, ST_REQUEST_CREATE_TABLE);
    frame_text(&m->c->request, ST_FIELD_TABLE_NAME, "model");
    frame_schema(&m->c->request, "partition", m->partition_type,
                 m->sort_type == ST_TYPE_NONE ? NULL : "sort", m->sort_type);
    table_must(m->c);
}

static void model_round(model *m)
{
    st_lsm *lsm = st_database_lsm(m->c->database);
    model_write(m);
    model_check(m);
    assert_int_equal(st_lsm_flush(&m->c->op, lsm), ST_OK);
    model_check(m);
    model_write(m);
    model_check(m);
    assert_int_equal(st_lsm_compact(&m->c->op, lsm), ST_OK);
    model_check(m);
    model_reopen(m);
    model_check(m);
}

static void model_run(const char *path, st_type partition_type, st_type sort_type)
{
    model m = {
        .c = table_case_create(path), .partition_type = partition_type, .sort_type = sort_type};
    st_rng_seed(&m.rng, (uint64_t)(10 * partition_type + sort_type));
    m.c->options.inline_background = true;
    m.c->options.durability = ST_DURABILITY_NONE;
    m.c->options.memory_budget_bytes = (uint64_t)1 << 20;
    m.c->options.memtable_bytes = 32768;
    m.c->options.file_bytes = 32768;
    table_open(m.c);
    model_create_table(&m);
    for (int i = 0; i < MODEL_ROUNDS; i++) {
        model_round(&m);
        table_must_verify(m.c);
    }
    /* A table of the same name and other keys begins empty, and the old items are gone. */
    frame_delete_table(&m.c->request, "model");
    table_must(m.c);
    memset(m.items, 0, sizeof m.items);
    m.sort_type = sort_type == ST_TYPE_NONE ? ST_TYPE_N : ST_TYPE_NONE;
    model_create_table(&m);
    model_check(&m);
    model_round(&m);
    table_must_verify(m.c);
    table_case_destroy(m.c);
}

static void test_answers_are_the_models_on_files(void **state)
{
    (void)state;
    for (int partition = ST_TYPE_S; partition <= ST_TYPE_B; partition++) {
        for (int sort = ST_TYPE_NONE; sort <= ST_TYPE_B; sort++) {
            model_run("/db", (st_type)partition, (st_type)sort);
        }
    }
}

static void test_answers_are_the_models_in_memory(void **state)
{
    (void)state;
    for (int sort = ST_TYPE_NONE; sort <= ST_TYPE_B; sort++) {
        model_run(NULL, ST_TYPE_S, (st_type)sort);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_are_the_models_on_files),
        cmocka_unit_test(test_answers_are_the_models_in_memory),
    };
    return cmocka_run_group_tests_name("table_model", tests, NULL, NULL);
}
