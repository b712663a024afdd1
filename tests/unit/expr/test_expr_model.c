/* Expressions against a naive model of documents: updates, projections, conditions. */
#include "expr_model.h"

#define MODEL_ROUNDS 4000u
#define MODEL_ACTIONS 5u

static const char *const model_values = "{':n':{'N':'3'},':s':{'S':'q'},':l':{'L':[{'N':'1'}]},"
                                        "':t':{'SS':['a','c']},':o':{'N':'1'}}";

static model_node *model_constant(model *m, char name)
{
    model_node *node = model_new(m, name == 'n' || name == 'o' ? ST_TYPE_N
                                    : name == 's'              ? ST_TYPE_S
                                    : name == 'l'              ? ST_TYPE_L
                                                               : ST_TYPE_SS);
    node->number = name == 'n' ? 3 : 1;
    node->set = node->type == ST_TYPE_SS ? 5 : 0;
    if (name == 'l') {
        node->length = 1;
        node->places[0] = model_constant(m, 'o');
    }
    return node;
}

/* ---- updates ---------------------------------------------------------------------------- */

typedef enum model_operand {
    MODEL_VALUE,
    MODEL_PATH,
    MODEL_PLUS,
    MODEL_IF_NOT_EXISTS,
    MODEL_APPEND,
} model_operand;

typedef struct model_action {
    st_action_kind kind;
    model_path path, from;
    model_operand operand;
    char value;
    model_node *result; /* NULL: remove */
} model_action;

typedef struct model_update {
    model_action actions[MODEL_ACTIONS];
    uint32_t count;
    char text[1024];
} model_update;

static size_t model_print_operand(char *to, size_t size, const model_action *action,
                                  const char *from)
{
    switch (action->operand) {
    case MODEL_VALUE:
        return (size_t)snprintf(to, size, "=:%c", action->value);
    case MODEL_PATH:
        return (size_t)snprintf(to, size, "=%s", from);
    case MODEL_PLUS:
        return (size_t)snprintf(to, size, "=%s+:%c", from, action->value);
    case MODEL_IF_NOT_EXISTS:
        return (size_t)snprintf(to, size, "=if_not_exists(%s,:%c)", from, action->value);
    default:
        return (size_t)snprintf(to, size, "=list_append(:%c,%s)", action->value, from);
    }
}

/* Sections in order, so that the actions are in written order too. */
static void model_any_update(model *m, const model_node *item, model_update *update)
{
    static const char *const sections[] = {"SET", "REMOVE", "ADD", "DELETE"};
    char path[64], from[64];
    size_t at = 0;
    *update = (model_update){.count = 1 + model_below(m, MODEL_ACTIONS)};
    uint32_t section = model_below(m, 4);
    for (uint32_t i = 0; i < update->count; i++) {
        model_action *action = &update->actions[i];
        bool is_new = i == 0;
        if (i > 0 && section < 3 && model_below(m, 3) == 0) {
            section++;
            is_new = true;
        }
        action->kind = (st_action_kind)section;
        action->path = model_path_in(m, item);
        action->from = model_path_in(m, item);
        action->operand = (model_operand)model_below(m, 5);
        action->value = section == ST_ACTION_ADD      ? "nto"[model_below(m, 3)]
                        : section == ST_ACTION_DELETE ? 't'
                                                      : "nslt"[model_below(m, 4)];
        action->value = action->operand == MODEL_PLUS && section == ST_ACTION_SET ? 'n'
                        : action->operand == MODEL_APPEND && section == ST_ACTION_SET
                            ? 'l'
                            : action->value;
        model_print_path(path, sizeof path, &action->path);
        model_print_path(from, sizeof from, &action->from);
        at += (size_t)snprintf(update->text + at, sizeof update->text - at, "%s%s %s",
                               is_new ? " " : ",", is_new ? sections[section] : "", path);
        if (section == ST_ACTION_SET) {
            at += model_print_operand(update->text + at, sizeof update->text - at, action, from);
        } else if (section != ST_ACTION_REMOVE) {
            at += (size_t)snprintf(update->text + at, sizeof update->text - at, " :%c",
                                   action->value);
        }
    }
}

#define MODEL_BAD_TYPE "An operand in the update expression has an incorrect data type"
#define MODEL_MISSING \
    "The provided expression refers to an attribute that does not exist in the item"
#define MODEL_BAD_PATH "The document path provided in the update expression is invalid for update"

static model_node *model_concat(model *m, const model_node *a, const model_node *b)
{
    model_node *list = model_new(m, ST_TYPE_L);
    for (uint32_t i = 0; i < a->length; i++) {
        list->places[list->length++] = a->places[i];
    }
    for (uint32_t i = 0; i < b->length; i++) {
        list->places[list->length++] = b->places[i];
    }
    return list;
}

static const char *model_set_value(model *m, model_node *old, model_action *action)
{
    model_node *value = model_constant(m, action->value);
    model_node *from = model_find(old, &action->from, action->from.count);
    action->result = value;
    if (action->operand == MODEL_VALUE) {
        return NULL;
    }
    if (!from && action->operand != MODEL_IF_NOT_EXISTS) {
        return MODEL_MISSING;
    }
    if (action->operand == MODEL_PLUS) {
        if (from->type != ST_TYPE_N) {
            return MODEL_BAD_TYPE;
        }
        value->number += from->number;
    } else if (action->operand == MODEL_APPEND) {
        if (from->type != ST_TYPE_L) {
            return MODEL_BAD_TYPE;
        }
        action->result = model_concat(m, value, from);
    } else {
        action->result = from ? model_copy(m, from) : value;
    }
    return NULL;
}

/* What the action puts at its path, read from the old item; the text of its failure or NULL. */
static const char *model_value_of(model *m, model_node *old, model_action *action)
{
    model_node *before = model_find(old, &action->path, action->path.count);
    if (action->kind == ST_ACTION_SET) {
        return model_set_value(m, old, action);
    }
    action->result = NULL;
    if (action->kind == ST_ACTION_REMOVE) {
        return NULL;
    }
    model_node *value = model_constant(m, action->value);
    if (!before) {
        action->result = action->kind == ST_ACTION_ADD ? value : NULL;
        return NULL;
    }
    if (before->type != value->type) {
        return MODEL_BAD_TYPE;
    }
    value->number += before->number;
    value->set =
        action->kind == ST_ACTION_ADD ? before->set | value->set : before->set & ~value->set;
    action->result = value->type == ST_TYPE_SS && value->set == 0 ? NULL : value;
    return NULL;
}

static const char *model_put_value(model_node *item, const model_action *action)
{
    uint32_t last = action->path.count - 1;
    model_node *container = model_find(item, &action->path, last);
    bool is_index = action->path.steps[last].is_index;
    uint32_t place = action->path.steps[last].place;
    if (!container || container->type != (is_index ? ST_TYPE_L : ST_TYPE_M)) {
        return MODEL_BAD_PATH;
    }
    container->places[place] = action->result;
    return NULL;
}

static void model_close_gaps(model_node *node)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < MODEL_PLACES; i++) {
        model_node *place = node->places[i];
        if (place) {
            model_close_gaps(place);
        }
        if (node->type == ST_TYPE_L) {
            node->places[i] = NULL;
            if (place) {
                node->places[kept++] = place;
            }
        }
    }
}

/* The answer the engine must give. */
static const char *model_apply(model *m, model_node *old, model_update *update)
{
    for (uint32_t i = 1; i < update->count; i++) {
        for (uint32_t earlier = 0; earlier < i; earlier++) {
            if (model_clashes(&update->actions[earlier].path, &update->actions[i].path)) {
                return "clash";
            }
        }
    }
    for (uint32_t i = 0; i < update->count; i++) {
        const char *failure = model_value_of(m, old, &update->actions[i]);
        if (failure) {
            return failure;
        }
    }
    model_node *item = model_copy(m, old);
    for (uint32_t i = 0; i < update->count; i++) {
        const char *failure = model_put_value(item, &update->actions[i]);
        if (failure) {
            return failure;
        }
    }
    model_close_gaps(item);
    return model_print(m, item, false);
}

static const char *run_update(expr_case *c, const char *text)
{
    st_update *update;
    st_status status = st_update_parse(&c->op, st_slice_str(text), &c->scope, &update);
    if (status == ST_OK) {
        status = st_update_resolve(&c->op, update, &c->scope);
    }
    if (status == ST_OK) {
        status = st_update_check(&c->op, update);
    }
    if (status != ST_OK) {
        assert_non_null(strstr(c->op.error.message, "with each other"));
        return "clash";
    }
    st_buf_clear(&c->relaxed);
    st_buf_clear(&c->out);
    status = st_update_apply(&c->op, update, st_buf_view(&c->frame), st_buf_view(&c->frame),
                             &c->relaxed);
    if (status == ST_OK) {
        status = st_item_canonicalize_updated(&c->op, st_buf_view(&c->relaxed), &c->out);
    }
    return expr_answer(c, status);
}

static void updates_do_what_the_model_does(void **state)
{
    (void)state;
    static model m;
    uint32_t clashes = 0, failures = 0;
    st_rng_seed(&m.rng, 20260611);
    for (uint32_t round = 0; round < MODEL_ROUNDS; round++) {
        expr_case c;
        model_update update;
        m.used = 0;
        expr_case_init(&c, st_alloc_process());
        model_node *item = model_item(&m);
        assert_int_equal(expr_item(&c, model_print(&m, item, false)), ST_OK);
        assert_int_equal(expr_scope(&c, NULL, model_values), ST_OK);
        model_any_update(&m, item, &update);
        const char *wanted = model_apply(&m, item, &update);
        const char *answer = run_update(&c, update.text);
        if (strcmp(wanted, answer) != 0) {
            print_error("round %u: %s\n", round, update.text);
        }
        assert_string_equal(answer, wanted);
        clashes += strcmp(answer, "clash") == 0;
        failures += answer[0] != '{' && strcmp(answer, "clash") != 0;
        expr_case_deinit(&c);
    }
    /* the rounds must reach everything */
    assert_in_range(clashes, MODEL_ROUNDS / 20, MODEL_ROUNDS * 9 / 10);
    assert_in_range(failures, MODEL_ROUNDS / 20, MODEL_ROUNDS * 9 / 10);
    assert_in_range(MODEL_ROUNDS - clashes - failures, MODEL_ROUNDS / 20, MODEL_ROUNDS);
}

/* ---- projections ------------------------------------------------------------------------ */

static void model_take(model_node *item, const model_path *path)
{
    model_node *last = model_find(item, path, path->count);
    if (!last) {
        return;
    }
    for (uint32_t i = 1; i < path->count; i++) {
        model_find(item, path, i)->is_part = true;
    }
    last->is_taken = true;
}

static void projections_take_what_the_model_takes(void **state)
{
    (void)state;
    static model m;
    uint32_t clashes = 0;
    st_rng_seed(&m.rng, 4711);
    for (uint32_t round = 0; round < MODEL_ROUNDS; round++) {
        expr_case c;
        model_path paths[14];
        char text[1024], one[64];
        uint32_t count = 1 + model_below(&m, round % 2 ? 3 : 14);
        size_t at = 0;
        bool has_clash = false;
        m.used = 0;
        expr_case_init(&c, st_alloc_process());
        model_node *item = model_item(&m);
        assert_int_equal(expr_item(&c, model_print(&m, item, false)), ST_OK);
        for (uint32_t i = 0; i < count; i++) {
            paths[i] = model_path_in(&m, item);
            bool is_clash = false;
            for (uint32_t earlier = 0; earlier < i; earlier++) {
                is_clash = is_clash || model_clashes(&paths[earlier], &paths[i]);
            }
            if (is_clash && model_below(&m, 20) > 0) {
                count--; /* most rounds go without */
                i--;
                continue;
            }
            has_clash = has_clash || is_clash;
            model_take(item, &paths[i]);
            model_print_path(one, sizeof one, &paths[i]);
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i > 0 ? ", " : "", one);
        }
        st_status status = expr_run_projection(&c, text);
        assert_int_equal(status, has_clash ? ST_INVALID_ARGUMENT : ST_OK);
        const char *answer = expr_answer(&c, status);
        if (has_clash) {
            assert_non_null(strstr(answer, "with each other"));
            clashes++;
        } else {
            const char *wanted = model_print(&m, item, true);
            if (strcmp(wanted, answer) != 0) {
                print_error("round %u: %s\n", round, text);
            }
            assert_string_equal(answer, wanted);
        }
        expr_case_deinit(&c);
    }
    assert_in_range(clashes, MODEL_ROUNDS / 100, MODEL_ROUNDS / 2);
}

/* ---- conditions ------------------------------------------------------------------------- */

/* A test and what the model says of it. */
static bool model_any_test(model *m, model_node *item, char *text, size_t size)
{
    static const char *const comparators[] = {"=", "<>", "<", "<=", ">", ">="};
    model_path path = model_path_in(m, item);
    const model_node *node = model_find(item, &path, path.count);
    char name[64];
    model_print_path(name, sizeof name, &path);
    uint32_t kind = model_below(m, 9);
    bool is_number = model_below(m, 2);
    if (kind < 6) {
        snprintf(text, size, "%s %s :%s", name, comparators[kind], is_number ? "n" : "s");
        bool fits = node && node->type == (is_number ? ST_TYPE_N : ST_TYPE_S);
        int order = fits ? node->number - (is_number ? 3 : 1) : 0;
        bool answers[] = {order == 0, order != 0, order<0, order <= 0, order> 0, order >= 0};
        return fits ? answers[kind] : kind == 1;
    }
    if (kind == 6) {
        snprintf(text, size, "attribute_exists(%s)", name);
        return node != NULL;
    }
    if (kind == 7) {
        snprintf(text, size, "contains(%s, :c)", name);
        return node && node->type == ST_TYPE_SS && (node->set & 4);
    }
    snprintf(text, size, "size(%s) > :o", name);
    uint32_t places = 0;
    for (uint32_t i = 0; node && i < MODEL_PLACES; i++) {
        places += node->places[i] || (node->set >> i & 1);
    }
    return places > 1;
}

/* Whether the form holds, with a for $ and b for %. */
static bool judge(expr_case *c, const char *form, const char *a, const char *b)
{
    char text[512];
    size_t at = 0;
    st_condition *condition;
    for (; *form; form++) {
        const char *part = *form == '$' ? a : *form == '%' ? b : form;
        size_t bytes = part == form ? 1 : strlen(part);
        assert_true(at + bytes < sizeof text);
        memcpy(text + at, part, bytes);
        at += bytes;
    }
    text[at] = 0;
    st_status status =
        st_condition_parse(&c->op, ST_EXPR_FILTER, st_slice_str(text), &c->scope, &condition);
    if (status == ST_OK) {
        status = st_condition_check(&c->op, condition);
    }
    if (status == ST_OK) {
        status = st_condition_resolve(&c->op, condition, &c->scope);
    }
    if (status != ST_OK) {
        print_error("%s: %s\n", text, c->op.error.message);
    }
    assert_int_equal(status, ST_OK);
    return st_condition_is_met(condition, st_buf_view(&c->frame));
}

static void conditions_obey_logic_and_the_model(void **state)
{
    (void)state;
    static model m;
    uint32_t met = 0;
    st_rng_seed(&m.rng, 99);
    for (uint32_t round = 0; round < MODEL_ROUNDS; round++) {
        expr_case c;
        char a[128], b[128], path[64];
        m.used = 0;
        expr_case_init(&c, st_alloc_process());
        model_node *item = model_item(&m);
        assert_int_equal(expr_item(&c, model_print(&m, item, false)), ST_OK);
        assert_int_equal(expr_scope(&c, NULL,
                                    "{':n':{'N':'3'},':s':{'S':'q'},':c':{'S':'c'},"
                                    "':o':{'N':'1'},':p':{'S':'p'}}"),
                         ST_OK);
        bool is_a = model_any_test(&m, item, a, sizeof a);
        bool is_b = model_any_test(&m, item, b, sizeof b);
        if (judge(&c, "$", a, "") != is_a) {
            print_error("round %u: %s of %s\n", round, a, model_print(&m, item, false));
        }
        assert_int_equal(judge(&c, "$", a, ""), is_a);
        assert_int_equal(judge(&c, "$ AND %", a, b), is_a && is_b);
        assert_int_equal(judge(&c, "$ OR %", a, b), is_a || is_b);
        assert_int_equal(judge(&c, "NOT $ AND %", a, b), !is_a && is_b);
        assert_int_equal(judge(&c, "$ AND % OR NOT $ AND %", a, b), is_b);
        assert_int_equal(judge(&c, "NOT ($ AND %)", a, b), judge(&c, "NOT $ OR NOT %", a, b));
        assert_int_equal(judge(&c, "NOT ($ OR %)", a, b), judge(&c, "NOT $ AND NOT %", a, b));
        assert_int_equal(judge(&c, "$ OR % AND NOT $", a, b), is_a || (is_b && !is_a));
        met += is_a;

        model_path of = model_path_in(&m, item);
        model_print_path(path, sizeof path, &of);
        assert_int_equal(judge(&c, "$ BETWEEN :o AND :n", path, ""),
                         judge(&c, "$ >= :o AND $ <= :n", path, ""));
        assert_int_equal(judge(&c, "NOT $ BETWEEN :p AND :s", path, ""),
                         judge(&c, "NOT ($ >= :p AND $ <= :s)", path, ""));
        assert_int_equal(judge(&c, "size($) BETWEEN :o AND :n", path, ""),
                         judge(&c, "size($) >= :o AND size($) <= :n", path, ""));
        assert_int_equal(judge(&c, "$ IN (:n, :s)", path, ""),
                         judge(&c, "$ = :n OR $ = :s", path, ""));
        assert_int_equal(judge(&c, "$ <> :n", path, ""), judge(&c, "NOT $ = :n", path, ""));
        expr_case_deinit(&c);
    }
    assert_in_range(met, MODEL_ROUNDS / 10, MODEL_ROUNDS * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_do_what_the_model_does),
        cmocka_unit_test(projections_take_what_the_model_takes),
        cmocka_unit_test(conditions_obey_logic_and_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
