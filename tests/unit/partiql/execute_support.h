/* What the tests that run statements share: a database in memory, statements as text, items as
 * JSON. */
#ifndef STATOR_TESTS_EXECUTE_SUPPORT_H
#define STATOR_TESTS_EXECUTE_SUPPORT_H

#include "partiql_support.h"

typedef struct execute_case {
    partiql_case parsed; /* for its parameters */
    st_database *database;
    st_partiql_call call;
    st_buf result, text;
    st_slice token; /* of the last page, in token_bytes */
    st_buf token_bytes;
} execute_case;

/* count parts of a key: name and type, then name and type of the sort key. */
static inline void execute_schema(st_buf *to, const char *partition, const char *sort,
                                  st_type sort_type)
{
    st_buf_byte(to, 1);
    st_buf_byte(to, sort != NULL);
    st_buf_byte(to, ST_TYPE_S);
    st_buf_varint(to, strlen(partition));
    st_buf_append(to, partition, strlen(partition));
    if (sort) {
        st_buf_byte(to, (uint8_t)sort_type);
        st_buf_varint(to, strlen(sort));
        st_buf_append(to, sort, strlen(sort));
    }
}

static inline void execute_must_run(execute_case *c, const st_request *request)
{
    st_buf_clear(&c->result);
    if (st_table_run(&c->parsed.op, c->database, request, &c->result) != ST_OK) {
        fail_msg("%s", c->parsed.op.error.message);
    }
}

static inline void execute_create(execute_case *c, const char *name, const char *sort,
                                  st_type sort_type)
{
    st_buf schema;
    st_buf_init(&schema, st_alloc_process());
    execute_schema(&schema, "pk", sort, sort_type);
    st_request create = {.operation = ST_REQUEST_CREATE_TABLE,
                         .has_name = true,
                         .name = st_slice_str(name),
                         .has_schema = true,
                         .schema = st_buf_view(&schema)};
    execute_must_run(c, &create);
    st_buf_deinit(&schema);
}

/* {pk, sk} with a local index "local" on l, keeping keys, and a global one "global" on g and h,
 * keeping a too. */
static inline void execute_create_indexed(execute_case *c, const char *name)
{
    static const st_key_part pk = {.name = {(const uint8_t *)"pk", 2}, .type = ST_TYPE_S};
    st_slice include[] = {st_slice_str("a")};
    st_index indexes[] = {
        {.name = st_slice_str("local"),
         .kind = ST_INDEX_LOCAL,
         .projection = ST_PROJECT_KEYS_ONLY,
         .state = ST_INDEX_ACTIVE,
         .schema = {.partition_count = 1,
                    .sort_count = 1,
                    .partition = {pk},
                    .sort = {{st_slice_str("l"), ST_TYPE_S}}}},
        {.name = st_slice_str("global"),
         .kind = ST_INDEX_GLOBAL,
         .projection = ST_PROJECT_INCLUDE,
         .state = ST_INDEX_ACTIVE,
         .include = include,
         .include_count = 1,
         .schema = {.partition_count = 1,
                    .sort_count = 1,
                    .partition = {{st_slice_str("g"), ST_TYPE_S}},
                    .sort = {{st_slice_str("h"), ST_TYPE_N}}}},
    };
    st_definition definition = {.schema = {.partition_count = 1,
                                           .sort_count = 1,
                                           .partition = {pk},
                                           .sort = {{st_slice_str("sk"), ST_TYPE_S}}},
                                .indexes = indexes,
                                .index_count = 2};
    st_buf bytes;
    st_buf_init(&bytes, st_alloc_process());
    st_definition_encode(&definition, &bytes);
    st_request create = {.operation = ST_REQUEST_CREATE_TABLE,
                         .has_name = true,
                         .name = st_slice_str(name),
                         .has_definition = true,
                         .definition = st_buf_view(&bytes)};
    execute_must_run(c, &create);
    st_buf_deinit(&bytes);
}

static inline int execute_setup(void **state)
{
    execute_case *c = calloc(1, sizeof *c);
    st_database_options options;
    st_op_init(&c->parsed.op, st_alloc_process());
    st_buf_init(&c->parsed.relaxed, st_alloc_process());
    st_buf_init(&c->result, st_alloc_process());
    st_buf_init(&c->text, st_alloc_process());
    st_buf_init(&c->token_bytes, st_alloc_process());
    st_database_options_init(&options);
    options.alloc = st_alloc_process();
    options.create = true;
    assert_int_equal(
        st_database_open(&c->parsed.op, st_slice_str(":memory:"), &options, &c->database), ST_OK);
    execute_create(c, "hash", NULL, ST_TYPE_NONE);
    execute_create(c, "range", "sk", ST_TYPE_S);
    execute_create(c, "rangen", "sk", ST_TYPE_N);
    execute_create_indexed(c, "indexed");
    *state = c;
    return 0;
}

static inline int execute_teardown(void **state)
{
    execute_case *c = *state;
    assert_int_equal(st_database_close(&c->parsed.op, c->database), ST_OK);
    st_buf_deinit(&c->parsed.relaxed);
    st_buf_deinit(&c->result);
    st_buf_deinit(&c->text);
    st_buf_deinit(&c->token_bytes);
    st_op_deinit(&c->parsed.op);
    free(c);
    return 0;
}

/* parameters: as for partiql_parameters. What c->call holds besides is kept. */
static inline st_status execute_with(execute_case *c, const char *statement, const char *parameters)
{
    st_op_clear(&c->parsed.op);
    st_arena_reset(&c->parsed.op.arena);
    partiql_parameters(&c->parsed, parameters);
    c->call.statement = st_slice_str(statement);
    c->call.parameters = c->parsed.parameters;
    c->call.parameter_count = c->parsed.parameter_count;
    st_buf_clear(&c->result);
    st_status status = st_partiql_execute(&c->parsed.op, c->database, &c->call, &c->result);
    assert_int_equal(status == ST_OK, c->result.size > 0);
    return status;
}

static inline void execute_must(execute_case *c, const char *statement)
{
    if (execute_with(c, statement, NULL) != ST_OK) {
        fail_msg("%s: %s", statement, c->parsed.op.error.message);
    }
}

/* The items of the last result, in DynamoDB JSON, one a line. */
static inline const char *execute_items(execute_case *c)
{
    st_slice items;
    st_buf_clear(&c->text);
    assert_true(st_table_result_find(st_buf_view(&c->result), ST_RESULT_ITEMS, &items));
    st_reader reader = st_reader_of(items);
    uint32_t count = st_reader_u32(&reader);
    for (uint32_t i = 0; i < count; i++) {
        st_slice item = st_reader_slice(&reader, st_reader_u32(&reader));
        if (item.size > 0) {
            assert_int_equal(st_item_to_dynamodb_json(&c->parsed.op, item, &c->text), ST_OK);
        } else {
            st_buf_append(&c->text, "none", 4);
        }
        st_buf_byte(&c->text, '\n');
    }
    assert_false(reader.failed);
    st_buf_byte(&c->text, 0);
    return (const char *)c->text.data;
}

static inline void execute_gives(execute_case *c, const char *statement, const char *items)
{
    execute_must(c, statement);
    assert_string_equal(execute_items(c), items);
}

static inline void execute_fails(execute_case *c, const char *statement, st_status status,
                                 const char *text)
{
    assert_int_equal(execute_with(c, statement, NULL), status);
    if (strcmp(c->parsed.op.error.message, text) != 0) {
        fail_msg("%s: '%s' is not '%s'", statement, c->parsed.op.error.message, text);
    }
}

/* The token of the last result for the next call; false: it has none. */
static inline bool execute_keep_token(execute_case *c)
{
    st_slice token;
    st_buf_clear(&c->token_bytes);
    bool has = st_table_result_find(st_buf_view(&c->result), ST_RESULT_LAST_KEY, &token);
    st_buf_slice(&c->token_bytes, has ? token : (st_slice){0});
    c->call.next_token = st_buf_view(&c->token_bytes);
    return has;
}

#endif
