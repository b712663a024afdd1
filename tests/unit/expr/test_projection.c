/* Projections from text to what they take, and every text they are refused with. */
#include "expr_support.h"

typedef struct projection_row {
    const char *text, *names, *item, *answer;
} projection_row;

#define P "Invalid ProjectionExpression: "
#define ITEM                                                                                \
    "{'a':{'N':'1'},'l':{'L':[{'S':'0'},{'M':{'x':{'N':'1'},'y':{'N':'2'},'z':{'N':'3'}}}," \
    "{'L':[{'S':'p'},{'S':'q'}]},{'S':'3'}]},'m':{'M':{'b':{'M':{'c':{'S':'in'},'d':{'S':"  \
    "'out'}}},'k':{'S':'v'}}},'s':{'SS':['u','v']}}"

static void check_rows(const projection_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expr_case c;
        expr_case_init(&c, st_alloc_process());
        assert_int_equal(expr_item(&c, rows[i].item), ST_OK);
        assert_int_equal(expr_scope(&c, rows[i].names, NULL), ST_OK);
        const char *answer = expr_answer(&c, expr_run_projection(&c, rows[i].text));
        if (strcmp(answer, rows[i].answer) != 0) {
            print_error("%s\n", rows[i].text);
        }
        assert_string_equal(answer, rows[i].answer);
        expr_case_deinit(&c);
    }
}

#define CHECK(rows) check_rows(rows, sizeof rows / sizeof rows[0])

static void parts_are_taken_and_merged(void **state)
{
    (void)state;
    static const projection_row rows[] = {
        {"a", NULL, ITEM, "{'a':{'N':'1'}}"},
        {"s, a", NULL, ITEM, "{'a':{'N':'1'},'s':{'SS':['u','v']}}"},
        {"nope", NULL, ITEM, "{}"},
        {"a, nope", NULL, ITEM, "{'a':{'N':'1'}}"},
        {"#n", "#n=a", ITEM, "{'a':{'N':'1'}}"},
        {"m.b.c", NULL, ITEM, "{'m':{'M':{'b':{'M':{'c':{'S':'in'}}}}}}"},
        {"m.k, m.b.d", NULL, ITEM, "{'m':{'M':{'b':{'M':{'d':{'S':'out'}}},'k':{'S':'v'}}}}"},
        {"m.b", NULL, ITEM, "{'m':{'M':{'b':{'M':{'c':{'S':'in'},'d':{'S':'out'}}}}}}"},
        {"m.nope", NULL, ITEM, "{}"},
        {"m.b.nope, a", NULL, ITEM, "{'a':{'N':'1'}}"},
        {"a.b", NULL, ITEM, "{}"},
        {"a[0]", NULL, ITEM, "{}"},
        {"l.x", NULL, ITEM, "{}"},
        {"m[0]", NULL, ITEM, "{}"},
        {"s[0]", NULL, ITEM, "{}"},
        {"l[0]", NULL, ITEM, "{'l':{'L':[{'S':'0'}]}}"},
        {"l[3], l[0]", NULL, ITEM, "{'l':{'L':[{'S':'0'},{'S':'3'}]}}"},
        {"l[9], l[3], l[7]", NULL, ITEM, "{'l':{'L':[{'S':'3'}]}}"},
        {"l[9]", NULL, ITEM, "{}"},
        {"l[1].z, l[1].x", NULL, ITEM, "{'l':{'L':[{'M':{'x':{'N':'1'},'z':{'N':'3'}}}]}}"},
        {"l[2][1], l[1].y, l[0]", NULL, ITEM,
         "{'l':{'L':[{'S':'0'},{'M':{'y':{'N':'2'}}},{'L':[{'S':'q'}]}]}}"},
        {"l[1].nope, l[3]", NULL, ITEM, "{'l':{'L':[{'S':'3'}]}}"},
        {"l[1].#y,l[1].#z", "#y=y #z=z", ITEM, "{'l':{'L':[{'M':{'y':{'N':'2'},'z':{'N':'3'}}}]}}"},
        {"a,b1,b2,b3,b4,b5,b6,b7,b8,m.k,l[1].x,l[3]", NULL, ITEM,
         "{'a':{'N':'1'},'l':{'L':[{'M':{'x':{'N':'1'}}},{'S':'3'}]},'m':{'M':{'k':{'S':'v'}}}}"},
        {"a", NULL, "{}", "{}"},
        {"a", NULL, NULL, "{}"},
        {"el, em", NULL, "{'el':{'L':[]},'em':{'M':{}}}", "{'el':{'L':[]},'em':{'M':{}}}"},
    };
    CHECK(rows);
}

static void what_is_wrong_is_refused_in_the_services_words(void **state)
{
    (void)state;
    static const projection_row rows[] = {
        {"", NULL, NULL, P "The expression can not be empty;"},
        {" ", NULL, NULL, P "Syntax error; token: \"<EOF>\", near: \" \""},
        {"a,", NULL, NULL, P "Syntax error; token: \"<EOF>\", near: \",\""},
        {"a b c", NULL, NULL, P "Syntax error; token: \"b\", near: \"a b c\""},
        {"a,,b", NULL, NULL, P "Syntax error; token: \",\", near: \",,b\""},
        {"(a)", NULL, NULL, P "Syntax error; token: \"(\", near: \"(a\""},
        {":v", NULL, NULL, P "Syntax error; token: \":v\", near: \":v\""},
        {"l[00]", NULL, NULL, P "Syntax error; token: \"0\", near: \"00]\""},
        {"a, name", NULL, NULL, P "Attribute name is a reserved keyword; reserved keyword: name"},
        {"set", NULL, NULL, P "Attribute name is a reserved keyword; reserved keyword: set"},
        {"a, #b", "#c=c", NULL,
         P "An expression attribute name used in the document path is not defined; attribute name: "
           "#b"},
        {"a", "#c=c", NULL,
         "Value provided in ExpressionAttributeNames unused in expressions: keys: {#c}"},
        {"a, a", NULL, NULL,
         P "Two document paths overlap with each other; must remove or rewrite one of these paths; "
           "path one: [a], path two: [a]"},
        {"l[0].a, l[0]", NULL, NULL,
         P "Two document paths overlap with each other; must remove or rewrite one of these paths; "
           "path one: [l, [0], a], path two: [l, [0]]"},
        {"a.b, #a[1]", "#a=a", NULL,
         P
         "Two document paths conflict with each other; must remove or rewrite one of these paths; "
         "path one: [a, b], path two: [a, [1]]"},
        {"a1,a2,a3,a4,a5,a6,a7,a8,l[0],b,c,l[0]", NULL, NULL,
         P "Two document paths overlap with each other; must remove or rewrite one of these paths; "
           "path one: [l, [0]], path two: [l, [0]]"},
    };
    CHECK(rows);
}

static void reserved_words_are_refused_in_any_case(void **state)
{
    (void)state;
    static const char *const words[] = {
        "ABORT",
        "ANY",
        "ATTACH",
        "BEGIN",
        "BY",
        "CHARACTER",
        "COLLECTION",
        "CONNECTION",
        "COUNTER",
        "DEALLOCATE",
        "DEPTH",
        "DISTRIBUTE",
        "EMPTY",
        "EXCEPTION",
        "EXTERNAL",
        "FIRST",
        "FLATTERN",
        "FULL",
        "GROUP",
        "IF",
        "INDICATOR",
        "INNTER",
        "INTEGER",
        "JOIN",
        "KEYS",
        "LEVEL",
        "LOCK",
        "LOGED",
        "LOCALTIMESTAMP",
        "MEMBER",
        "MODULE",
        "NO",
        "ON",
        "OUT",
        "PARTITION",
        "POSITION",
        "PROPERTY",
        "QUERY",
        "READ",
        "REGION",
        "RESPONSE",
        "ROLLBACK",
        "SCHEMA",
        "SEPARATE",
        "SIMILAR",
        "SPLIT",
        "STORE",
        "SUPER",
        "THROUGHPUT",
        "TRANSLATE",
        "TTL",
        "UNION",
        "USAGE",
        "UUID",
        "VARIANCE",
        "WHERE",
        "WINDOW",
        "YEAR",
        "ZONE",
    };
    static const char *const others[] = {
        "pk",   "sk", "id",   "title", "abor", "aborts", "zon", "zones", "yearly",
        "wher", "x",  "quer", "key_",  "key1", "ttls",   "a",   "uuid4", "localtimestamps"};
    for (size_t i = 0; i < sizeof words / sizeof words[0] * 3; i++) {
        char word[32], text[64], wanted[160];
        snprintf(word, sizeof word, "%s", words[i / 3]);
        for (char *at = word + (i % 3 == 1); i % 3 > 0 && *at; at++) {
            *at = (char)(*at - 'A' + 'a'); /* WORD, Word, word */
        }
        snprintf(text, sizeof text, "ok.%s", word);
        snprintf(wanted, sizeof wanted,
                 P "Attribute name is a reserved keyword; reserved keyword: %s", word);
        expr_case c;
        expr_case_init(&c, st_alloc_process());
        assert_string_equal(expr_answer(&c, expr_run_projection(&c, text)), wanted);
        expr_case_deinit(&c);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        expr_case c;
        expr_case_init(&c, st_alloc_process());
        assert_string_equal(expr_answer(&c, expr_run_projection(&c, others[i])), "{}");
        expr_case_deinit(&c);
    }
}

static void paths_made_elsewhere_are_taken_in_any_order(void **state)
{
    (void)state;
    expr_case c;
    expr_case_init(&c, st_alloc_process());
    assert_int_equal(expr_item(&c, ITEM), ST_OK);
    st_path paths[2];
    st_projection *projection;
    uint32_t count;
    assert_int_equal(st_path_of_name(&c.op, st_slice_str("s"), &paths[0]), ST_OK);
    assert_int_equal(st_path_of_name(&c.op, st_slice_str("a"), &paths[1]), ST_OK);
    assert_int_equal(st_projection_of_paths(&c.op, paths, 2, &projection), ST_OK);
    assert_int_equal(st_projection_apply(&c.op, projection, st_buf_view(&c.frame), &c.out), ST_OK);
    assert_string_equal(expr_answer(&c, ST_OK), "{'a':{'N':'1'},'s':{'SS':['u','v']}}");
    const st_path *written = st_projection_paths(projection, &count);
    assert_int_equal(count, 2);
    assert_true(st_path_equal(&written[0], &paths[0]));
    assert_false(st_path_equal(&written[0], &paths[1]));

    /* one way or the other through one attribute: what it is decides */
    st_path_step by_name[] = {{.name = st_slice_str("m")}, {.name = st_slice_str("k")}};
    st_path_step by_index[] = {{.name = st_slice_str("m")}, {.is_index = true, .index = 0}};
    st_path both[] = {{.steps = by_index, .count = 2}, {.steps = by_name, .count = 2}};
    st_buf_clear(&c.out);
    assert_int_equal(st_projection_of_paths(&c.op, both, 2, &projection), ST_OK);
    assert_int_equal(st_projection_apply(&c.op, projection, st_buf_view(&c.frame), &c.out), ST_OK);
    assert_string_equal(expr_answer(&c, ST_OK), "{'m':{'M':{'k':{'S':'v'}}}}");

    st_buf_clear(&c.out);
    assert_int_equal(st_projection_of_paths(&c.op, NULL, 0, &projection), ST_OK);
    assert_int_equal(st_projection_apply(&c.op, projection, st_buf_view(&c.frame), &c.out), ST_OK);
    assert_string_equal(expr_answer(&c, ST_OK), "{}");
    expr_case_deinit(&c);
}

/* A list of a path's every index, backwards, with thousands of elements: one walk. */
static void many_paths_through_one_list_are_one_walk(void **state)
{
    (void)state;
    expr_case c;
    st_buf text, item;
    expr_case_init(&c, st_alloc_process());
    st_buf_init(&text, st_alloc_process());
    st_buf_init(&item, st_alloc_process());
    st_buf_append(&item, "{'l':{'L':[", 11);
    for (int i = 0; i < 600; i++) {
        st_buf_append(&item, i == 0 ? "" : ",", i == 0 ? 0 : 1);
        st_buf_append(&item, "{'NULL':true}", 13);
    }
    st_buf_append(&item, "]}}", 4);
    for (int i = 599; i >= 0; i--) {
        char part[16];
        int size = snprintf(part, sizeof part, "l[%d]%s", i, i == 0 ? "" : ",");
        st_buf_append(&text, part, (size_t)size);
    }
    st_buf_byte(&text, 0);
    assert_int_equal(expr_item(&c, (const char *)item.data), ST_OK);
    assert_int_equal(expr_run_projection(&c, (const char *)text.data), ST_OK);
    assert_true(st_slice_equal(st_buf_view(&c.out), st_buf_view(&c.frame)));
    st_buf_deinit(&text);
    st_buf_deinit(&item);
    expr_case_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_taken_and_merged),
        cmocka_unit_test(what_is_wrong_is_refused_in_the_services_words),
        cmocka_unit_test(reserved_words_are_refused_in_any_case),
        cmocka_unit_test(paths_made_elsewhere_are_taken_in_any_order),
        cmocka_unit_test(many_paths_through_one_list_are_one_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
