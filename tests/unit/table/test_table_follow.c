/* What follows from items, against a map of items: a table with indexes of every kind, expiry and a
 * stream is written at random, flushed, compacted, altered, reopened and crashed, always from the
 * same seeds. Every few steps each index is recomputed from the map and compared with what queries
 * and scans of it give, the stream is replayed from its beginning, and the database verified.
 *
 * Everything is written with durability SYNC, so that a crash may lose the write under way and what
 * expired behind the last write, nothing else; what expired is taken away again when the clock is
 * set. Time runs in periods of 1,000 seconds, items expire at the beginning of one and the clock
 * stands in the middle of one, so that the milliseconds of simfs do not matter.
 */
#include "support/simfs.h"
#include "table_support.h"

#define FOLLOW_PARTITIONS 5
#define FOLLOW_SORTS 6
#define FOLLOW_SLOTS (FOLLOW_PARTITIONS * FOLLOW_SORTS)
#define FOLLOW_STEPS 600
#define FOLLOW_SEEDS 5
#define FOLLOW_LONG 50
#define FOLLOW_EPOCH 1900000000 /* seconds, of period 0 */
#define FOLLOW_PERIOD 1000
#define FOLLOW_ANCIENT 3 /* seconds up to here are more than five years ago: such items stay */
#define FOLLOW_ABSENT (-1)
#define FOLLOW_NEVER (-2) /* an expiry that is a text */
#define FOLLOW_WRITES_MAX 6

enum { FOLLOW_GROUP, FOLLOW_VALUE, FOLLOW_KIND, FOLLOW_RANK, FOLLOW_NOTE, FOLLOW_EXPIRES };
#define FOLLOW_ATTRIBUTES 6
#define FOLLOW_ALL 63u
#define FOLLOW_OF_KEY (-1)

static const char *const follow_names[] = {"grp", "val", "knd", "rnk", "note", "expires"};

typedef struct follow_item {
    bool exists;
    int of[FOLLOW_ATTRIBUTES];
} follow_item;

typedef struct follow_index {
    const char *name;    /* NULL: the table */
    int partition, sort; /* attributes; FOLLOW_OF_KEY: those of the table's key */
    uint8_t kind, projection;
    unsigned keeps;
} follow_index;

#define FOLLOW_INDEXES 5
#define FOLLOW_ALTERED 4 /* the index that comes and goes */

static const follow_index follow_indexes[FOLLOW_INDEXES] = {
    {NULL, FOLLOW_OF_KEY, FOLLOW_OF_KEY, 0, 0, FOLLOW_ALL},
    {"sparse", FOLLOW_GROUP, FOLLOW_VALUE, ST_INDEX_GLOBAL, ST_PROJECT_ALL, FOLLOW_ALL},
    {"keys", FOLLOW_KIND, FOLLOW_OF_KEY, ST_INDEX_GLOBAL, ST_PROJECT_KEYS_ONLY, 1u << FOLLOW_KIND},
    {"local", FOLLOW_OF_KEY, FOLLOW_RANK, ST_INDEX_LOCAL, ST_PROJECT_INCLUDE,
     1u << FOLLOW_RANK | 1u << FOLLOW_NOTE},
    {"altered", FOLLOW_VALUE, FOLLOW_RANK, ST_INDEX_GLOBAL, ST_PROJECT_INCLUDE,
     1u << FOLLOW_VALUE | 1u << FOLLOW_RANK | 1u << FOLLOW_NOTE},
};

/* One write, and what it makes of the map. */
typedef struct follow_write {
    int slot;
    follow_item after;
    bool is_refused; /* its condition is not met */
} follow_write;

/* One record that the stream must have; the images lie in the model's log. */
typedef struct follow_record {
    int slot;
    bool is_expiry;
    size_t old_at, old_bytes, new_at, new_bytes;
} follow_record;

typedef struct follow {
    table_case *c;
    simfs *sim;
    st_rng rng;
    follow_item items[FOLLOW_SLOTS];
    follow_record *records;
    size_t record_count, record_capacity;
    st_buf log, entry, frame;
    int period;
    bool has_altered;
    uint32_t stream_id, ttl_id, table_id, index_ids[FOLLOW_INDEXES];
    int crashes, refused, expired;
} follow;

static int follow_below(follow *f, int limit)
{
    return (int)st_rng_below(&f->rng, (uint64_t)limit);
}

/* ---- items ------------------------------------------------------------------------------ */

static bool follow_is_text(int attribute, int value)
{
    return attribute == FOLLOW_GROUP || attribute == FOLLOW_KIND || attribute == FOLLOW_NOTE ||
           value == FOLLOW_NEVER;
}

static void follow_put_attribute(st_buf *to, const char *name, int attribute, int value)
{
    char text[32];
    if (follow_is_text(attribute, value)) {
        snprintf(text, sizeof text, "text %d", value);
        map_text(to, name, text);
    } else {
        map_number(to, name, value);
    }
}

/* A relaxed map of the key and those attributes of the set that are there; item NULL: the key. */
static void follow_put_map(st_buf *to, int slot, const follow_item *item, unsigned keeps)
{
    uint32_t count = 2;
    char id[16];
    snprintf(id, sizeof id, "p%d", slot / FOLLOW_SORTS);
    for (int i = 0; item && i < FOLLOW_ATTRIBUTES; i++) {
        count += keeps >> i & 1 && item->of[i] != FOLLOW_ABSENT;
    }
    size_t map = map_begin(to, count);
    for (int i = 0; item && i < FOLLOW_ATTRIBUTES; i++) {
        if (keeps >> i & 1 && item->of[i] != FOLLOW_ABSENT) {
            follow_put_attribute(to, follow_names[i], i, item->of[i]);
        }
    }
    map_number(to, "n", slot % FOLLOW_SORTS);
    map_text(to, "id", id);
    map_end(to, map);
}

/* Appends the canonical frame. */
static void follow_canonical(follow *f, int slot, const follow_item *item, unsigned keeps,
                             st_buf *out)
{
    st_buf relaxed;
    st_buf_init(&relaxed, st_alloc_process());
    follow_put_map(&relaxed, slot, item, keeps);
    assert_int_equal(st_item_canonicalize(&f->c->op, st_buf_view(&relaxed), out), ST_OK);
    st_buf_deinit(&relaxed);
}

static int follow_slot_of(st_slice frame)
{
    st_value id;
    assert_true(st_item_find(frame, st_slice_str("id"), &id));
    assert_int_equal(id.bytes.size, 2);
    int slot = (id.bytes.data[1] - '0') * FOLLOW_SORTS + item_number(frame, "n");
    assert_in_range(slot, 0, FOLLOW_SLOTS - 1);
    return slot;
}

static bool follow_must_be(follow *f, st_slice frame, int slot, unsigned keeps)
{
    st_buf_clear(&f->frame);
    follow_canonical(f, slot, &f->items[slot], keeps, &f->frame);
    return st_slice_equal(frame, st_buf_view(&f->frame));
}

static int follow_random_value(follow *f, int attribute)
{
    switch (attribute) {
    case FOLLOW_GROUP:
    case FOLLOW_KIND:
        return follow_below(f, 4);
    case FOLLOW_EXPIRES:
        switch (follow_below(f, 8)) {
        case 0:
            return FOLLOW_NEVER;
        case 1:
            return 1 + follow_below(f, FOLLOW_ANCIENT);
        default:
            return FOLLOW_EPOCH + FOLLOW_PERIOD * (f->period - 1 + follow_below(f, 8));
        }
    default:
        return follow_below(f, 6);
    }
}

static void follow_random_item(follow *f, follow_item *out)
{
    out->exists = true;
    for (int i = 0; i < FOLLOW_ATTRIBUTES; i++) {
        out->of[i] = follow_below(f, 3) == 0 ? FOLLOW_ABSENT : follow_random_value(f, i);
    }
}

/* ---- the model -------------------------------------------------------------------------- */

static size_t follow_log_image(follow *f, int slot, const follow_item *item)
{
    size_t before = f->log.size;
    if (item->exists) {
        follow_canonical(f, slot, item, FOLLOW_ALL, &f->log);
    }
    return f->log.size - before;
}

static bool follow_same(const follow_item *a, const follow_item *b)
{
    return a->exists == b->exists && (!a->exists || memcmp(a->of, b->of, sizeof a->of) == 0);
}

static void follow_apply(follow *f, int slot, const follow_item *after, bool is_expiry)
{
    follow_item *item = &f->items[slot];
    if (follow_same(item, after)) {
        return;
    }
    if (f->record_count == f->record_capacity) {
        f->record_capacity = 2 * f->record_capacity + 64;
        f->records = realloc(f->records, f->record_capacity * sizeof *f->records);
    }
    follow_record *record = &f->records[f->record_count++];
    *record = (follow_record){.slot = slot, .is_expiry = is_expiry, .old_at = f->log.size};
    record->old_bytes = follow_log_image(f, slot, item);
    record->new_at = f->log.size;
    record->new_bytes = follow_log_image(f, slot, after);
    *item = *after;
}

static void follow_row_key(follow *f, int slot, st_buf *out)
{
    st_key_schema schema = {.partition_count = 1,
                            .sort_count = 1,
                            .partition = {{st_slice_str("id"), ST_TYPE_S}},
                            .sort = {{st_slice_str("n"), ST_TYPE_N}}};
    st_buf relaxed;
    st_buf_init(&relaxed, st_alloc_process());
    follow_put_map(&relaxed, slot, NULL, 0);
    st_buf_clear(out);
    assert_int_equal(st_key_of_request(&f->c->op, f->table_id, &schema, st_buf_view(&relaxed), out),
                     ST_OK);
    st_buf_deinit(&relaxed);
}

static bool follow_is_before(follow *f, int a, int b)
{
    int at = f->items[a].of[FOLLOW_EXPIRES], bt = f->items[b].of[FOLLOW_EXPIRES];
    if (at != bt) {
        return at < bt;
    }
    st_buf key;
    st_buf_init(&key, st_alloc_process());
    follow_row_key(f, a, &key);
    follow_row_key(f, b, &f->entry);
    int order = st_slice_compare(st_buf_view(&key), st_buf_view(&f->entry));
    st_buf_deinit(&key);
    return order < 0;
}

/* What has expired goes in the order of its times, then of keys. */
static void follow_reap(follow *f)
{
    static const follow_item none = {.exists = false};
    int now = FOLLOW_EPOCH + FOLLOW_PERIOD * f->period + FOLLOW_PERIOD / 2;
    int next;
    do {
        next = -1;
        for (int i = 0; i < FOLLOW_SLOTS; i++) {
            int at = f->items[i].of[FOLLOW_EXPIRES];
            if (f->items[i].exists && at > FOLLOW_ANCIENT && at < now &&
                (next < 0 || follow_is_before(f, i, next))) {
                next = i;
            }
        }
        if (next >= 0) {
            follow_apply(f, next, &none, true);
            f->expired++;
        }
    } while (next >= 0);
}

/* ---- writes ----------------------------------------------------------------------------- */

/* What a request says of one item, gathered until its values are known. */
typedef struct follow_texts {
    const char *condition, *update, *name;
    int attribute, value; /* of the update */
    int compared;         /* of the condition */
    bool has_compared;
} follow_texts;

static void follow_choose_condition(follow *f, const follow_item *item, bool must_have,
                                    follow_texts *texts, follow_write *out)
{
    switch (follow_below(f, must_have ? 4 : 8)) {
    case 0:
        texts->condition = "attribute_exists(id)";
        out->is_refused = !item->exists;
        break;
    case 1:
        texts->condition = "attribute_not_exists(id) OR attribute_exists(note)";
        out->is_refused = item->exists && item->of[FOLLOW_NOTE] == FOLLOW_ABSENT;
        break;
    case 2:
    case 3:
        texts->condition = follow_below(f, 2) ? "NOT val = :c" : "val <> :c";
        texts->has_compared = true;
        texts->compared = follow_below(f, 6);
        out->is_refused = item->exists && item->of[FOLLOW_VALUE] == texts->compared;
        break;
    default:
        break;
    }
}

static void follow_choose_update(follow *f, follow_texts *texts, follow_item *after)
{
    int attribute = follow_below(f, FOLLOW_ATTRIBUTES);
    if (!after->exists) {
        after->exists = true;
        for (int i = 0; i < FOLLOW_ATTRIBUTES; i++) {
            after->of[i] = FOLLOW_ABSENT;
        }
    }
    switch (follow_below(f, 4)) {
    case 0:
        texts->update = "REMOVE #a";
        after->of[attribute] = FOLLOW_ABSENT;
        texts->attribute = -1;
        break;
    case 1:
        texts->update = "ADD #a :x";
        attribute = texts->attribute = FOLLOW_VALUE;
        texts->value = follow_below(f, 3);
        after->of[attribute] =
            (after->of[attribute] == FOLLOW_ABSENT ? 0 : after->of[attribute]) + texts->value;
        break;
    case 2:
        texts->update = "SET #a = if_not_exists(#a, :x)";
        texts->attribute = attribute;
        texts->value = follow_random_value(f, attribute);
        if (after->of[attribute] == FOLLOW_ABSENT) {
            after->of[attribute] = texts->value;
        }
        break;
    default:
        texts->update = "SET #a = :x";
        texts->attribute = attribute;
        texts->value = follow_random_value(f, attribute);
        after->of[attribute] = texts->value;
        break;
    }
    texts->name = follow_names[attribute];
}

static void follow_put_texts(st_buf *to, const follow_texts *texts)
{
    size_t place, map;
    bool has_value = texts->update && texts->attribute >= 0;
    if (texts->condition) {
        frame_text(to, ST_FIELD_CONDITION, texts->condition);
    }
    if (texts->update) {
        frame_text(to, ST_FIELD_UPDATE, texts->update);
        place = frame_open(to, ST_FIELD_NAMES);
        map = map_begin(to, 1);
        map_text(to, "#a", texts->name);
        map_end(to, map);
        frame_shut(to, place);
    }
    if (has_value || texts->has_compared) {
        place = frame_open(to, ST_FIELD_VALUES);
        map = map_begin(to, (uint32_t)has_value + texts->has_compared);
        if (has_value) {
            follow_put_attribute(to, ":x", texts->attribute, texts->value);
        }
        if (texts->has_compared) {
            map_number(to, ":c", texts->compared);
        }
        map_end(to, map);
        frame_shut(to, place);
    }
}

/* A request of the operation for the slot, and what it does. */
static void follow_choose(follow *f, uint8_t operation, int slot, bool may_judge, st_buf *to,
                          follow_write *out)
{
    follow_texts texts = {.attribute = -1};
    const follow_item *item = &f->items[slot];
    *out = (follow_write){.slot = slot, .after = *item};
    if (operation == ST_REQUEST_PUT) {
        if (!item->exists || follow_below(f, 6) > 0) { /* else as it is */
            follow_random_item(f, &out->after);
        }
    } else if (operation == ST_REQUEST_DELETE) {
        out->after.exists = false;
    } else if (operation == ST_REQUEST_UPDATE) {
        follow_choose_update(f, &texts, &out->after);
    }
    if (may_judge) {
        follow_choose_condition(f, item, operation == ST_REQUEST_CHECK, &texts, out);
    }
    frame_begin(to, operation);
    frame_text(to, ST_FIELD_TABLE_NAME, "follow");
    bool is_put = operation == ST_REQUEST_PUT;
    size_t place = frame_open(to, is_put ? ST_FIELD_ITEM : ST_FIELD_KEY);
    follow_put_map(to, slot, is_put ? &out->after : NULL, FOLLOW_ALL);
    frame_shut(to, place);
    follow_put_texts(to, &texts);
}

/* ---- crashes ---------------------------------------------------------------------------- */

static void follow_set_clock(follow *f)
{
    uint64_t now = (uint64_t)(FOLLOW_EPOCH + FOLLOW_PERIOD * f->period + FOLLOW_PERIOD / 2);
    int64_t offset = (int64_t)(now * 1000000) - (int64_t)st_env_time_us(f->c->env);
    st_op_clear(&f->c->op);
    st_status status = st_database_set_clock(&f->c->op, f->c->database, offset);
    if (status != ST_OK && !simfs_has_crashed(f->sim)) {
        fail_msg("%s", f->c->op.error.message);
    }
}

static st_status follow_count_record(void *ctx, const st_stream_record *record, bool *out_is_enough)
{
    (void)record;
    (void)out_is_enough;
    *(size_t *)ctx += 1;
    return ST_OK;
}

static void follow_learn_ids(follow *f)
{
    st_table_info info;
    st_op_clear(&f->c->op);
    assert_int_equal(st_table_describe(&f->c->op, f->c->database, 0, st_slice_str("follow"), &info),
                     ST_OK);
    f->table_id = info.id;
    f->ttl_id = info.definition.ttl_id;
    f->stream_id = info.definition.stream_id;
    f->has_altered = false;
    for (uint32_t i = 0; i < info.definition.index_count; i++) {
        const st_index *index = &info.definition.indexes[i];
        assert_int_equal(index->state, ST_INDEX_ACTIVE);
        for (int k = 1; k < FOLLOW_INDEXES; k++) {
            if (st_slice_equal(index->name, st_slice_str(follow_indexes[k].name))) {
                f->index_ids[k] = index->id;
                f->has_altered |= k == FOLLOW_ALTERED;
            }
        }
    }
}

/* The process has ended in the middle of the writes, which happened all or not at all. */
static void follow_recover(follow *f, const follow_write *writes, int count)
{
    if (f->c->database) {
        (void)st_database_close(&f->c->op, f->c->database);
        f->c->database = NULL;
    }
    simfs_restart(f->sim, follow_below(f, 2) ? SIMFS_LOSE_ALL : SIMFS_KILL, st_rng_next(&f->rng));
    f->crashes++;
    table_open(f->c);
    follow_learn_ids(f);
    size_t found = 0, before = f->record_count;
    assert_int_equal(
        st_stream_read(&f->c->op, f->c->database, f->stream_id, 0, 0, follow_count_record, &found),
        ST_OK);
    if (found > before) {
        for (int i = 0; i < count; i++) {
            follow_apply(f, writes[i].slot, &writes[i].after, false);
        }
        assert_int_equal(found, f->record_count);
    }
    follow_reap(f);
    follow_set_clock(f);
}

/* Runs the request: nothing, or everything, is done. */
static void follow_run(follow *f, const follow_write *writes, int count, st_status refusal)
{
    bool is_refused = false;
    for (int i = 0; i < count; i++) {
        is_refused |= writes[i].is_refused;
    }
    st_status status = table_run(f->c);
    if (simfs_has_crashed(f->sim) && status != ST_OK) {
        follow_recover(f, writes, is_refused ? 0 : count);
        return;
    }
    if (status != (is_refused ? refusal : ST_OK)) {
        fail_msg("status %d, refused %d: %s", status, is_refused, f->c->op.error.message);
    }
    for (int i = 0; i < count && !is_refused; i++) {
        follow_apply(f, writes[i].slot, &writes[i].after, false);
    }
    f->refused += is_refused;
    if (simfs_has_crashed(f->sim)) {
        follow_recover(f, NULL, 0);
    }
}

/* ---- steps ------------------------------------------------------------------------------ */

static void follow_step_one(follow *f)
{
    static const uint8_t operations[] = {ST_REQUEST_PUT, ST_REQUEST_UPDATE, ST_REQUEST_UPDATE,
                                         ST_REQUEST_DELETE};
    follow_write write;
    follow_choose(f, operations[follow_below(f, 4)], follow_below(f, FOLLOW_SLOTS), true,
                  &f->c->request, &write);
    follow_run(f, &write, 1, ST_CONDITION_FAILED);
}

static void follow_step_many(follow *f, bool is_transaction)
{
    static const uint8_t operations[] = {ST_REQUEST_PUT, ST_REQUEST_DELETE, ST_REQUEST_UPDATE,
                                         ST_REQUEST_CHECK};
    follow_write writes[FOLLOW_WRITES_MAX];
    int count = 1 + follow_below(f, FOLLOW_WRITES_MAX), first = follow_below(f, FOLLOW_SLOTS);
    frame_begin(&f->c->request,
                is_transaction ? ST_REQUEST_TRANSACT_WRITE : ST_REQUEST_BATCH_WRITE);
    for (int i = 0; i < count; i++) {
        int slot = (first + 7 * i) % FOLLOW_SLOTS; /* all different */
        follow_choose(f, operations[follow_below(f, is_transaction ? 4 : 2)], slot,
                      is_transaction && follow_below(f, 2), &f->entry, &writes[i]);
        if (f->entry.data[1] == ST_REQUEST_CHECK) { /* always has a condition */
            follow_choose(f, ST_REQUEST_CHECK, slot, true, &f->entry, &writes[i]);
        }
        frame_field(&f->c->request, ST_FIELD_ENTRY, f->entry.data, f->entry.size);
    }
    follow_run(f, writes, count, ST_TRANSACTION_CANCELED);
}

static void follow_step_clock(follow *f)
{
    f->period += follow_below(f, 5) - 1;
    follow_reap(f);
    follow_set_clock(f);
}

static void follow_step_care(follow *f, bool is_compaction)
{
    st_lsm *lsm = st_database_lsm(f->c->database);
    st_op_clear(&f->c->op);
    st_status status =
        is_compaction ? st_lsm_compact(&f->c->op, lsm) : st_lsm_flush(&f->c->op, lsm);
    if (status != ST_OK && !simfs_has_crashed(f->sim)) {
        fail_msg("%s", f->c->op.error.message);
    }
}

static void follow_step_reopen(follow *f)
{
    st_op_clear(&f->c->op);
    st_status status = st_database_close(&f->c->op, f->c->database);
    f->c->database = NULL;
    if (!simfs_has_crashed(f->sim)) {
        assert_int_equal(status, ST_OK);
        status = st_database_open(&f->c->op, st_slice_str("/db"), &f->c->options, &f->c->database);
        assert_true(status == ST_OK || simfs_has_crashed(f->sim));
    }
    if (!simfs_has_crashed(f->sim)) {
        follow_reap(f);
        follow_set_clock(f);
    }
}

/* ---- definitions ------------------------------------------------------------------------ */

static st_key_part follow_part(int attribute, const char *of_key, st_type type)
{
    return attribute == FOLLOW_OF_KEY
               ? (st_key_part){st_slice_str(of_key), type}
               : (st_key_part){st_slice_str(follow_names[attribute]),
                               follow_is_text(attribute, 0) ? ST_TYPE_S : ST_TYPE_N};
}

static st_slice follow_include[1];

static st_index follow_define_index(int number)
{
    const follow_index *index = &follow_indexes[number];
    st_index out = {.name = st_slice_str(index->name),
                    .kind = index->kind,
                    .projection = index->projection,
                    .state = ST_INDEX_ACTIVE};
    out.schema.partition_count = 1;
    out.schema.partition[0] = follow_part(index->partition, "id", ST_TYPE_S);
    if (index->sort != FOLLOW_OF_KEY) {
        out.schema.sort_count = 1;
        out.schema.sort[0] = follow_part(index->sort, "n", ST_TYPE_N);
    }
    if (index->projection == ST_PROJECT_INCLUDE) {
        follow_include[0] = st_slice_str("note");
        out.include = follow_include;
        out.include_count = 1;
    }
    return out;
}

static void follow_create_table(follow *f)
{
    st_index indexes[FOLLOW_ALTERED - 1];
    for (int i = 1; i < FOLLOW_ALTERED; i++) {
        indexes[i - 1] = follow_define_index(i);
    }
    st_definition definition = {.indexes = indexes,
                                .index_count = FOLLOW_ALTERED - 1,
                                .ttl = st_slice_str("expires"),
                                .stream_view = ST_STREAM_NEW_AND_OLD_IMAGES};
    definition.schema = (st_key_schema){.partition_count = 1, .sort_count = 1};
    definition.schema.partition[0] = (st_key_part){st_slice_str("id"), ST_TYPE_S};
    definition.schema.sort[0] = (st_key_part){st_slice_str("n"), ST_TYPE_N};
    frame_begin(&f->c->request, ST_REQUEST_CREATE_TABLE);
    frame_text(&f->c->request, ST_FIELD_TABLE_NAME, "follow");
    size_t place = frame_open(&f->c->request, ST_FIELD_DEFINITION);
    st_definition_encode(&definition, &f->c->request);
    frame_shut(&f->c->request, place);
    table_must(f->c);
    follow_learn_ids(f);
}

/* The request that adds the index that comes and goes, or takes it away. */
static void follow_frame_alter(follow *f)
{
    st_table_info info;
    st_op_clear(&f->c->op);
    assert_int_equal(st_table_describe(&f->c->op, f->c->database, 0, st_slice_str("follow"), &info),
                     ST_OK);
    st_index indexes[FOLLOW_INDEXES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < info.definition.index_count; i++) {
        if (info.definition.indexes[i].id != f->index_ids[FOLLOW_ALTERED] || !f->has_altered) {
            indexes[count++] = info.definition.indexes[i];
        }
    }
    if (!f->has_altered) {
        indexes[count++] = follow_define_index(FOLLOW_ALTERED);
    }
    info.definition.indexes = indexes;
    info.definition.index_count = count;
    frame_begin(&f->c->request, ST_REQUEST_ALTER_TABLE);
    frame_text(&f->c->request, ST_FIELD_TABLE_NAME, "follow");
    size_t place = frame_open(&f->c->request, ST_FIELD_DEFINITION);
    st_definition_encode(&info.definition, &f->c->request);
    frame_shut(&f->c->request, place);
}

static void follow_step_alter(follow *f)
{
    bool had = f->has_altered;
    follow_frame_alter(f);
    st_status status = table_run(f->c);
    if (simfs_has_crashed(f->sim)) {
        follow_recover(f, NULL, 0);
        assert_true(status != ST_OK || f->has_altered != had);
        return;
    }
    assert_int_equal(status, ST_OK);
    follow_learn_ids(f);
    assert_int_equal(f->has_altered, !had);
}

/* ---- checking --------------------------------------------------------------------------- */

static bool follow_has_entry(const follow_index *index, const follow_item *item)
{
    return item->exists &&
           (index->partition == FOLLOW_OF_KEY || item->of[index->partition] != FOLLOW_ABSENT) &&
           (index->sort == FOLLOW_OF_KEY || item->of[index->sort] != FOLLOW_ABSENT);
}

/* The slots of a partition of the index in order; gives how many. */
static int follow_wanted(const follow *f, const follow_index *index, int partition, int *slots)
{
    int count = 0;
    for (int i = 0; i < FOLLOW_SLOTS; i++) {
        const follow_item *item = &f->items[i];
        int found =
            index->partition == FOLLOW_OF_KEY ? i / FOLLOW_SORTS : item->of[index->partition];
        if (!follow_has_entry(index, item) || found != partition) {
            continue;
        }
        int at = count++;
        while (at > 0 && index->sort != FOLLOW_OF_KEY &&
               f->items[slots[at - 1]].of[index->sort] > item->of[index->sort]) {
            slots[at] = slots[at - 1];
            at--;
        }
        slots[at] = i;
    }
    return count;
}

static void follow_frame_read(follow *f, uint8_t operation, const follow_index *index,
                              int page_items, st_slice token)
{
    st_buf *to = &f->c->request;
    frame_begin(to, operation);
    frame_text(to, ST_FIELD_TABLE_NAME, "follow");
    if (index->name) {
        frame_text(to, ST_FIELD_INDEX, index->name);
    }
    if (page_items) {
        frame_u32(to, ST_FIELD_PAGE_ITEMS, (uint32_t)page_items);
    }
    if (token.size > 0) {
        frame_field(to, ST_FIELD_START_AFTER, token.data, token.size);
    }
}

static void follow_put_partition(st_buf *to, const follow_index *index, int partition)
{
    char text[32];
    bool is_key = index->partition == FOLLOW_OF_KEY;
    bool is_number = !is_key && !follow_is_text(index->partition, 0);
    snprintf(text, sizeof text, "%s%d", is_key ? "p" : is_number ? "" : "text ", partition);
    size_t place = frame_open(to, ST_FIELD_PARTITION);
    put_value(to, is_number ? ST_TYPE_N : ST_TYPE_S, text, strlen(text));
    frame_shut(to, place);
}

/* One partition, in pages, forwards or backwards. */
static void follow_check_query(follow *f, const follow_index *index, int partition)
{
    int wanted[FOLLOW_SLOTS], count = follow_wanted(f, index, partition, wanted), at = 0;
    bool is_reverse = follow_below(f, 2);
    int page_items = follow_below(f, 4);
    st_slice token = {0};
    st_buf last;
    st_buf_init(&last, st_alloc_process());
    do {
        follow_frame_read(f, ST_REQUEST_QUERY, index, page_items, token);
        follow_put_partition(&f->c->request, index, partition);
        if (is_reverse) {
            frame_u32(&f->c->request, ST_FIELD_FLAGS, ST_FLAG_REVERSE);
        }
        table_must(f->c);
        st_slice result = st_buf_view(&f->c->result);
        for (uint32_t i = 0; i < result_count(result); i++) {
            assert_true(at < count);
            int slot = wanted[is_reverse ? count - 1 - at : at];
            assert_true(follow_must_be(f, result_item(result, i), slot, index->keeps));
            at++;
        }
        (void)result_find(result, ST_RESULT_LAST_KEY, &token);
        st_buf_clear(&last);
        st_buf_slice(&last, token);
        token = st_buf_view(&last);
    } while (token.size > 0);
    assert_int_equal(at, count);
    st_buf_deinit(&last);
}

static void follow_check_scan(follow *f, const follow_index *index)
{
    bool seen[FOLLOW_SLOTS] = {false};
    follow_frame_read(f, ST_REQUEST_SCAN, index, 0, (st_slice){0});
    table_must(f->c);
    st_slice result = st_buf_view(&f->c->result), last;
    assert_false(result_find(result, ST_RESULT_LAST_KEY, &last));
    for (uint32_t i = 0; i < result_count(result); i++) {
        st_slice frame = result_item(result, i);
        int slot = follow_slot_of(frame);
        assert_false(seen[slot]);
        seen[slot] = true;
        assert_true(follow_has_entry(index, &f->items[slot]));
        assert_true(follow_must_be(f, frame, slot, index->keeps));
    }
    for (int i = 0; i < FOLLOW_SLOTS; i++) {
        if (seen[i] != follow_has_entry(index, &f->items[i])) {
            const int *of = f->items[i].of;
            fail_msg(
                "index %s, slot %d: %d in the index; %d %d %d %d %d %d, %d crashes, %d records",
                index->name ? index->name : "none", i, seen[i], of[0], of[1], of[2], of[3], of[4],
                of[5], f->crashes, (int)f->record_count);
        }
    }
}

typedef struct follow_replay {
    follow *f;
    size_t count;
    uint64_t sequence;
    uint32_t index;
    size_t last[FOLLOW_SLOTS]; /* the record of each slot, counted from 1 */
} follow_replay;

static st_status follow_replay_record(void *ctx, const st_stream_record *got, bool *out_is_enough)
{
    follow_replay *replay = ctx;
    follow *f = replay->f;
    (void)out_is_enough;
    assert_true(replay->count < f->record_count);
    const follow_record *record = &f->records[replay->count++];
    assert_true(got->sequence > replay->sequence ||
                (got->sequence == replay->sequence && got->index > replay->index));
    replay->sequence = got->sequence;
    replay->index = got->index;
    assert_int_equal(follow_slot_of(got->keys), record->slot);
    assert_int_equal(st_item_count(got->keys), 2);
    assert_int_equal(got->is_expiry, record->is_expiry);
    assert_int_equal(got->event, !record->old_bytes   ? ST_EVENT_INSERT
                                 : !record->new_bytes ? ST_EVENT_REMOVE
                                                      : ST_EVENT_MODIFY);
    assert_int_equal(got->has_old, record->old_bytes > 0);
    assert_int_equal(got->has_new, record->new_bytes > 0);
    assert_true(st_slice_equal(got->old_item,
                               st_slice_of(f->log.data + record->old_at, record->old_bytes)));
    assert_true(st_slice_equal(got->new_item,
                               st_slice_of(f->log.data + record->new_at, record->new_bytes)));
    replay->last[record->slot] = replay->count;
    return ST_OK;
}

static void follow_check_stream(follow *f)
{
    follow_replay replay = {.f = f};
    st_op_clear(&f->c->op);
    assert_int_equal(st_stream_read(&f->c->op, f->c->database, f->stream_id, 0, 0,
                                    follow_replay_record, &replay),
                     ST_OK);
    assert_int_equal(replay.count, f->record_count);
    for (int i = 0; i < FOLLOW_SLOTS; i++) {
        const follow_record *last = replay.last[i] ? &f->records[replay.last[i] - 1] : NULL;
        assert_int_equal(last && last->new_bytes > 0, f->items[i].exists);
        if (f->items[i].exists) {
            st_slice image = st_slice_of(f->log.data + last->new_at, last->new_bytes);
            assert_true(follow_must_be(f, image, i, FOLLOW_ALL));
        }
    }
}

static void follow_check(follow *f)
{
    for (int i = 0; i < FOLLOW_INDEXES; i++) {
        const follow_index *index = &follow_indexes[i];
        if (i == FOLLOW_ALTERED && !f->has_altered) {
            follow_frame_read(f, ST_REQUEST_SCAN, index, 0, (st_slice){0});
            table_must_fail(f->c, ST_INVALID_ARGUMENT, "does not have the specified index");
            continue;
        }
        follow_check_scan(f, index);
        for (int partition = 0; partition < 6; partition++) {
            follow_check_query(f, index, partition);
        }
    }
    follow_check_stream(f);
    table_must_verify(f->c);
}

/* ---- running ---------------------------------------------------------------------------- */

static follow *follow_create(uint64_t seed)
{
    follow *f = calloc(1, sizeof *f);
    f->sim = simfs_create(seed);
    f->c = table_case_create(NULL);
    f->c->env = simfs_env(f->sim);
    f->c->path = "/db";
    f->c->options.env = f->c->env;
    f->c->options.inline_background = true;
    f->c->options.durability = ST_DURABILITY_SYNC;
    f->c->options.memory_budget_bytes = (uint64_t)1 << 20;
    f->c->options.memtable_bytes = 32768;
    f->c->options.file_bytes = 32768;
    st_rng_seed(&f->rng, seed);
    st_buf_init(&f->log, st_alloc_process());
    st_buf_init(&f->entry, st_alloc_process());
    st_buf_init(&f->frame, st_alloc_process());
    table_open(f->c);
    follow_create_table(f);
    follow_set_clock(f);
    return f;
}

static void follow_destroy(follow *f)
{
    table_close(f->c);
    f->c->env = NULL; /* simfs owns it */
    table_case_destroy(f->c);
    simfs_destroy(f->sim);
    st_buf_deinit(&f->log);
    st_buf_deinit(&f->entry);
    st_buf_deinit(&f->frame);
    free(f->records);
    free(f);
}

static void follow_step(follow *f)
{
    int kind = follow_below(f, 100);
    if (kind < 55) {
        follow_step_one(f);
    } else if (kind < 68) {
        follow_step_many(f, false);
    } else if (kind < 85) {
        follow_step_many(f, true);
    } else if (kind < 90) {
        follow_step_clock(f);
    } else if (kind < 94) {
        follow_step_care(f, kind == 90);
    } else if (kind < 95) {
        follow_step_reopen(f);
    } else if (kind < 98) {
        follow_step_alter(f);
    } else {
        simfs_crash_after(f->sim, 1 + (uint64_t)follow_below(f, 12));
    }
    if (simfs_has_crashed(f->sim)) {
        follow_recover(f, NULL, 0);
    }
}

static void test_what_follows_from_items_is_recomputed_after_every_few_steps(void **state)
{
    (void)state;
    int seeds = FOLLOW_SEEDS * (getenv("STATOR_LONG") ? FOLLOW_LONG : 1);
    for (int seed = 1; seed <= seeds; seed++) {
        follow *f = follow_create((uint64_t)seed);
        for (int i = 0; i < FOLLOW_STEPS; i++) {
            follow_step(f);
            if (i % 8 == 7) {
                follow_check(f);
            }
        }
        simfs_crash_after(f->sim, 1);
        follow_step_care(f, false);
        follow_recover(f, NULL, 0);
        follow_check(f);
        assert_true(f->crashes > 1 && f->refused > 10 && f->expired > 5);
        follow_destroy(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_follows_from_items_is_recomputed_after_every_few_steps),
    };
    return cmocka_run_group_tests_name("table_follow", tests, NULL, NULL);
}
