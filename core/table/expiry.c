/* Expiry: the database's clock, and taking away what has expired.
 *
 * The reaper walks the expiry entries of each table in the order of time and removes the rows they
 * name, each as a commit like any other: under its latch, with its index entries and its stream
 * record. Before that it looks at the row once more: a row whose time was changed meanwhile has
 * another entry. What expired more than five years ago stays, as the service leaves it.
 */
#include "table/table_internal.h"

#define EXPIRY_ROWS_AT_ONCE 64u
#define EXPIRY_KEY_HEAD_BYTES 13u /* id, stripe, time */
#define EXPIRY_OLDEST_US ((uint64_t)5 * 365 * 24 * 3600 * 1000000)
#define EXPIRY_TOKEN_US ((uint64_t)600 * 1000000)
#define EXPIRY_PERIOD_US ((uint64_t)2 * 1000000)

uint64_t st_database_time_us(st_database *database)
{
    int64_t offset = atomic_load_explicit(&database->clock_offset_us, memory_order_relaxed);
    uint64_t now = st_env_time_us(database->env);
    return offset < 0 && now < (uint64_t)-offset ? 0 : now + (uint64_t)offset;
}

/* ---- one round -------------------------------------------------------------------------- */

typedef struct expiry_round {
    st_database *database;
    const st_table *table;
    uint64_t now_us;
    st_buf keys; /* of rows: u32 bytes · key */
    uint32_t count, removed;
} expiry_round;

static st_status expiry_collect(st_op *op, expiry_round *round, uint32_t most)
{
    uint8_t from[EXPIRY_KEY_HEAD_BYTES] = {0}, to[EXPIRY_KEY_HEAD_BYTES] = {0};
    uint64_t oldest = round->now_us > EXPIRY_OLDEST_US ? round->now_us - EXPIRY_OLDEST_US : 0;
    st_put_be32(from, round->table->definition.ttl_id);
    st_put_be64(from + 5, oldest);
    st_put_be32(to, round->table->definition.ttl_id);
    st_put_be64(to + 5, round->now_us); /* what expires at this microsecond is left for the next */
    st_lsm_range range = {.from = st_slice_of(from, sizeof from), .to = st_slice_of(to, sizeof to)};
    st_lsm_cursor *cursor;
    bool valid = true;
    st_slice key, value;
    uint8_t id[4];
    st_put_be32(id, round->table->id);
    ST_TRY(st_lsm_cursor_open(op, round->database->lsm, &range, &cursor));
    st_status status = ST_OK;
    while (status == ST_OK && valid && round->count < most) {
        status = st_lsm_cursor_next(op, cursor, &valid, &key, &value);
        if (status == ST_OK && valid) {
            st_buf_u32(&round->keys, (uint32_t)(key.size - EXPIRY_KEY_HEAD_BYTES + 4));
            st_buf_append(&round->keys, id, sizeof id);
            st_buf_append(&round->keys, key.data + EXPIRY_KEY_HEAD_BYTES,
                          key.size - EXPIRY_KEY_HEAD_BYTES);
            status = st_buf_check(op, &round->keys);
            round->count++;
        }
    }
    st_lsm_cursor_close(cursor);
    return status;
}

/* Under the row's latch. */
static st_status expiry_row(st_op *op, expiry_round *round, st_slice key, uint32_t number,
                            st_lsm_batch *batch)
{
    st_lsm_pin pin;
    st_slice row;
    bool is_found;
    uint64_t expiry_us;
    st_status status =
        st_lsm_get(op, round->database->lsm, key, ST_LSM_APPLIED, &pin, &row, &is_found, NULL);
    if (status == ST_OK && is_found && st_table__expiry(round->table, row, &expiry_us) &&
        expiry_us < round->now_us) {
        st_table_change change = {
            .table = round->table, .key = key, .old_item = row, .is_expiry = true};
        status = st_table__follow(op, &change, round->now_us, number, batch);
        round->removed++;
    }
    st_lsm_pin_release(&pin);
    return status;
}

static st_status expiry_remove(st_op *op, expiry_round *round)
{
    st_lsm *lsm = round->database->lsm;
    st_lsm_latches latches;
    st_lsm_batch batch;
    uint64_t sequence = 0;
    st_reader reader = st_reader_of(st_buf_view(&round->keys));
    st_lsm_latches_init(&latches);
    st_lsm_batch_init(&batch, op->alloc);
    for (uint32_t i = 0; i < round->count; i++) {
        st_lsm_latches_add(&latches, st_reader_slice(&reader, st_reader_u32(&reader)));
    }
    reader.at = 0;
    st_status status = ST_OK;
    st_lsm_latch(lsm, &latches);
    for (uint32_t i = 0; status == ST_OK && i < round->count; i++) {
        st_slice key = st_reader_slice(&reader, st_reader_u32(&reader));
        status = expiry_row(op, round, key, i, &batch);
    }
    bool has_any = batch.count > 0;
    if (status == ST_OK && has_any) {
        status = st_lsm_write(op, lsm, &batch, ST_DURABILITY_NONE, &sequence);
    }
    st_lsm_unlatch(lsm, &latches);
    st_lsm_batch_deinit(&batch);
    return status == ST_OK && has_any ? st_lsm_wait(op, lsm, sequence) : status;
}

/* A few rows of one table. Inside the gate of writers. */
static st_status expiry_table(st_op *op, st_database *database, const st_table *table,
                              uint32_t most, uint32_t *out_removed)
{
    expiry_round round = {
        .database = database, .table = table, .now_us = st_database_time_us(database)};
    st_buf_init(&round.keys, op->alloc);
    st_status status = expiry_collect(op, &round, most);
    if (status == ST_OK && round.count > 0) {
        status = expiry_remove(op, &round);
    }
    st_buf_deinit(&round.keys);
    *out_removed = round.removed;
    return status;
}

/* The table behind the one of this id that has expiry; 0: none. */
static uint32_t expiry_next_table(st_database *database, uint32_t after)
{
    uint32_t id = 0, ticket = st_table__gate_enter(&database->catalog.lookups);
    const st_catalog_view *view = st_table__view(&database->catalog);
    for (uint32_t i = 0; i < view->count && id == 0; i++) {
        const st_table *table = view->by_id[i];
        id = table->id > after && table->definition.ttl_id != 0 ? table->id : 0;
    }
    st_table__gate_leave(&database->catalog.lookups, ticket);
    return id;
}

/* *out_is_held_up: the table is being changed or deleted, and nothing was done. */
static st_status expiry_try(st_op *op, st_database *database, uint32_t id, uint32_t most,
                            uint32_t *out_removed, bool *out_is_held_up)
{
    st_catalog *catalog = &database->catalog;
    st_table *table;
    *out_removed = 0;
    uint32_t ticket = st_table__gate_enter(&catalog->writers);
    uint32_t lookup = st_table__gate_enter(&catalog->lookups);
    st_status status = st_table__find(NULL, database, id, (st_slice){0}, &table);
    uint32_t state = status == ST_OK ? atomic_load(&table->state) : ST_TABLE_GONE;
    bool has_expiry = state == ST_TABLE_ALIVE && table->definition.ttl_id != 0;
    st_table__gate_leave(&catalog->lookups, lookup);
    *out_is_held_up = state == ST_TABLE_GOING;
    status = has_expiry ? expiry_table(op, database, table, most, out_removed) : ST_OK;
    st_table__gate_leave(&catalog->writers, ticket);
    return status;
}

static st_status expiry_step(st_op *op, st_database *database, uint32_t id, uint32_t most,
                             uint32_t *out_removed)
{
    bool is_held_up;
    st_status status = expiry_try(op, database, id, most, out_removed, &is_held_up);
    while (is_held_up) {
        st_mutex_lock(&database->catalog.going); /* until the deletion or change has ended */
        st_mutex_unlock(&database->catalog.going);
        status = expiry_try(op, database, id, most, out_removed, &is_held_up);
    }
    return status;
}

/* ---- tokens ----------------------------------------------------------------------------- */

/* Forgets the tokens of transactions whose ten minutes are over. */
static st_status expiry_sweep_tokens(st_op *op, st_database *database)
{
    uint64_t now = st_database_time_us(database);
    if (now < atomic_load(&database->next_token_sweep_us)) {
        return ST_OK;
    }
    atomic_store(&database->next_token_sweep_us, now + EXPIRY_TOKEN_US);
    st_buf from, to;
    st_lsm_batch batch;
    st_lsm_cursor *cursor = NULL;
    st_buf_init(&from, op->alloc);
    st_buf_init(&to, op->alloc);
    st_lsm_batch_init(&batch, op->alloc);
    st_table__row_key(ST_CATALOG_ROW_TOKEN, (st_slice){0}, &from);
    st_table__row_key(ST_CATALOG_ROW_TOKEN + 1, (st_slice){0}, &to);
    st_lsm_range range = {.from = st_buf_view(&from), .to = st_buf_view(&to)};
    bool valid = true;
    st_slice key, value;
    st_status status;
    ST_TRY_OUT(st_lsm_cursor_open(op, database->lsm, &range, &cursor));
    while (valid) {
        ST_TRY_OUT(st_lsm_cursor_next(op, cursor, &valid, &key, &value));
        if (valid && (value.size < 24 || now >= st_get_u64(value.data) + EXPIRY_TOKEN_US)) {
            st_lsm_batch_delete(&batch, key);
        }
    }
    if (batch.count > 0) {
        ST_TRY_OUT(st_lsm_write(op, database->lsm, &batch, ST_DURABILITY_NONE, NULL));
    }
out:
    st_lsm_cursor_close(cursor);
    st_lsm_batch_deinit(&batch);
    st_buf_deinit(&from);
    st_buf_deinit(&to);
    return status;
}

/* ---- the face --------------------------------------------------------------------------- */

st_status st_database_reap(st_op *op, st_database *database, uint32_t most, uint32_t *out_removed)
{
    uint32_t id = 0;
    *out_removed = 0;
    ST_TRY(expiry_sweep_tokens(op, database));
    while ((id = expiry_next_table(database, id)) != 0) {
        uint32_t removed;
        do {
            uint32_t left = most ? most - *out_removed : EXPIRY_ROWS_AT_ONCE;
            ST_TRY(expiry_step(op, database, id,
                               left < EXPIRY_ROWS_AT_ONCE ? left : EXPIRY_ROWS_AT_ONCE, &removed));
            *out_removed += removed;
        } while (removed > 0 && (most == 0 || *out_removed < most));
        if (most != 0 && *out_removed >= most) {
            break;
        }
    }
    return ST_OK;
}

st_status st_database_set_clock(st_op *op, st_database *database, int64_t offset_us)
{
    uint32_t removed;
    atomic_store(&database->clock_offset_us, offset_us);
    atomic_store(&database->next_token_sweep_us, 0);
    return database->options.read_only ? ST_OK : st_database_reap(op, database, 0, &removed);
}

/* ---- the thread ------------------------------------------------------------------------- */

static void expiry_run(void *arg)
{
    st_database *database = arg;
    st_mutex_lock(&database->reaper_mutex);
    while (!database->is_reaper_ending) {
        (void)st_cond_wait_for(&database->reaper_wakes, &database->reaper_mutex, EXPIRY_PERIOD_US);
        if (database->is_reaper_ending) {
            break;
        }
        st_mutex_unlock(&database->reaper_mutex);
        st_op op;
        uint32_t removed;
        st_op_init(&op, database->alloc);
        (void)!st_database_reap(&op, database, 0, &removed); /* tried again in a while */
        st_op_deinit(&op);
        st_mutex_lock(&database->reaper_mutex);
    }
    st_mutex_unlock(&database->reaper_mutex);
}

void st_table__start_reaper(st_database *database)
{
    if (database->options.read_only || database->options.inline_background ||
        expiry_next_table(database, 0) == 0) {
        return;
    }
    st_op quiet; /* an Env without threads reaps when it is told to */
    st_op_init(&quiet, database->alloc);
    st_mutex_lock(&database->reaper_mutex);
    if (!database->reaper && !database->is_reaper_ending) {
        (void)!st_env_thread_start(&quiet, database->env, "stator-expiry", expiry_run, database,
                                   &database->reaper);
    }
    st_mutex_unlock(&database->reaper_mutex);
    st_op_deinit(&quiet);
}

void st_table__stop_reaper(st_database *database)
{
    st_mutex_lock(&database->reaper_mutex);
    database->is_reaper_ending = true;
    st_thread *reaper = database->reaper;
    database->reaper = NULL;
    st_cond_broadcast(&database->reaper_wakes);
    st_mutex_unlock(&database->reaper_mutex);
    st_env_thread_join(reaper);
}
