/* Expressions on a fixed item. The first byte chooses the kind, the rest is the text; placeholders
 * are #a #b #l #m and :n :s :b :t :z :l :m :ss :ns. A condition is met the same way twice, in
 * parentheses, and not behind NOT; an update leaves alone what it does not touch and makes an item
 * or refuses; a projection takes nothing that the item has not.
 */
#include "expr/expr.h"

#include <string.h>

#include "fuzz/fuzz.h"

static const char expression_item[] =
    "{\"a\":{\"N\":\"1\"},\"b\":{\"S\":\"text\"},\"c\":{\"B\":\"AP8=\"},\"d\":{\"BOOL\":true},"
    "\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"x\"},{\"L\":[{\"N\":\"2\"}]},{\"M\":{\"k\":{\"S\":\"v\"}}"
    "}]},"
    "\"m\":{\"M\":{\"k\":{\"M\":{\"k\":{\"N\":\"-2.5\"}}},\"l\":{\"L\":[]}}},"
    "\"ns\":{\"NS\":[\"1\",\"2\"]},\"ss\":{\"SS\":[\"x\",\"y\"]},\"z\":{\"NULL\":true}}";

#define EXPRESSION_VALUE(placeholder, relaxed)    \
    {                                             \
        placeholder, relaxed, sizeof(relaxed) - 1 \
    }

static const struct {
    const char *placeholder, *relaxed;
    size_t bytes;
} expression_values[] = {
    EXPRESSION_VALUE(":n", "\x12\1"
                           "2"),
    EXPRESSION_VALUE(":s", "\1\1x"),
    EXPRESSION_VALUE(":b", "\3\1\0"),
    EXPRESSION_VALUE(":t", "\5"),
    EXPRESSION_VALUE(":z", "\6"),
    EXPRESSION_VALUE(":l", "\x0a\3\0\0\0\1\0\0\0\x12\1"
                           "3"),
    EXPRESSION_VALUE(":m", "\x0b\5\0\0\0\1\0\0\0\1k\1\1w"),
    EXPRESSION_VALUE(":ss", "\7\4\0\0\0\2\0\0\0\1x\1z"),
    EXPRESSION_VALUE(":ns", "\x18\2\0\0\0\1\0\0\0\1"
                            "1"),
};

#define EXPRESSION_VALUES (sizeof expression_values / sizeof *expression_values)
#define EXPRESSION_NAMES 4u

/* JSON -> canonical frame. */
static void make_frame(st_op *op, const char *json, st_buf *out)
{
    st_buf relaxed;
    st_buf_init(&relaxed, fuzz_alloc());
    FUZZ_CHECK(op, st_item_from_dynamodb_json(op, st_slice_str(json), &relaxed) == ST_OK);
    FUZZ_CHECK(op, st_item_canonicalize(op, st_buf_view(&relaxed), out) == ST_OK);
    st_buf_deinit(&relaxed);
}

static void make_scope(st_op *op, st_expr_scope *scope)
{
    static const char names[EXPRESSION_NAMES][2][3] = {
        {"#a", "a"}, {"#b", "b"}, {"#l", "l"}, {"#m", "m"}};
    FUZZ_CHECK(op, st_expr_scope_begin(op, EXPRESSION_NAMES, EXPRESSION_VALUES, scope) == ST_OK);
    for (size_t i = 0; i < EXPRESSION_NAMES; i++) {
        st_expr_scope_add_name(scope, st_slice_str(names[i][0]), st_slice_str(names[i][1]));
    }
    for (size_t i = 0; i < EXPRESSION_VALUES; i++) {
        st_slice placeholder = st_slice_str(expression_values[i].placeholder);
        st_slice relaxed = st_slice_of(expression_values[i].relaxed, expression_values[i].bytes);
        FUZZ_CHECK(op, st_expr_scope_add_value(op, scope, placeholder, relaxed) == ST_OK);
    }
}

static bool is_ok(st_op *op, st_status status, st_slice text)
{
    return fuzz_is_ok(op, status, text.size, fuzz_refusals);
}

/* ---- conditions ------------------------------------------------------------------------- */

static bool parse_condition(st_op *op, st_expr_kind kind, st_slice text, st_condition **out)
{
    st_expr_scope scope;
    make_scope(op, &scope);
    return is_ok(op, st_condition_parse(op, kind, text, &scope, out), text) &&
           is_ok(op, st_condition_check(op, *out), text) &&
           is_ok(op, st_condition_resolve(op, *out, &scope), text);
}

/* The text between two others; a condition that is too long or has too many parentheses then says
 * nothing. */
static void check_wrapped(st_expr_kind kind, const char *before, st_slice text, const char *behind,
                          st_slice frame, bool is_met)
{
    st_op op;
    st_buf wrapped;
    st_condition *condition;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&wrapped, fuzz_alloc());
    st_buf_append(&wrapped, before, strlen(before));
    st_buf_slice(&wrapped, text);
    st_buf_append(&wrapped, behind, strlen(behind));
    if (parse_condition(&op, kind, st_buf_view(&wrapped), &condition)) {
        FUZZ_CHECK(&op, st_condition_is_met(condition, frame) == is_met);
    }
    st_buf_deinit(&wrapped);
    st_op_deinit(&op);
}

static void check_condition(st_op *op, st_expr_kind kind, st_slice text, st_slice frame)
{
    st_condition *condition;
    if (!parse_condition(op, kind, text, &condition)) {
        return;
    }
    st_slice frames[] = {frame, {0}};
    for (size_t i = 0; i < 2; i++) {
        bool is_met = st_condition_is_met(condition, frames[i]);
        FUZZ_CHECK(op, is_met == st_condition_is_met(condition, frames[i]));
        check_wrapped(kind, "(", text, ")", frames[i], is_met);
        check_wrapped(kind, "NOT (", text, ")", frames[i], !is_met);
        check_wrapped(kind, "attribute_exists(nowhere) OR (", text, ")", frames[i], is_met);
        check_wrapped(kind, "(", text, ") AND attribute_not_exists(nowhere)", frames[i], is_met);
    }
}

static void check_key_condition(st_op *op, st_slice text)
{
    st_condition *condition;
    st_key_clause *clauses;
    st_key_query query;
    uint32_t count;
    st_key_schema schema = {.partition_count = 1, .sort_count = 1};
    schema.partition[0] = (st_key_part){st_slice_str("b"), ST_TYPE_S};
    schema.sort[0] = (st_key_part){st_slice_str("a"), ST_TYPE_N};
    if (!parse_condition(op, ST_EXPR_KEY_CONDITION, text, &condition) ||
        !is_ok(op, st_key_clauses_of(op, condition, &clauses, &count), text) ||
        !is_ok(op, st_key_clauses_bind(op, clauses, count, &schema, &query), text)) {
        return;
    }
    st_buf from, to;
    st_buf_init(&from, fuzz_alloc());
    st_buf_init(&to, fuzz_alloc());
    if (is_ok(op, st_key_range_of(op, 1, &schema, &query, &from, &to), text)) {
        FUZZ_CHECK(op, st_slice_compare(st_buf_view(&from), st_buf_view(&to)) < 0);
    }
    st_buf_deinit(&to);
    st_buf_deinit(&from);
}

/* ---- updates ---------------------------------------------------------------------------- */

/* Attributes that no action touches are the same. */
static void check_untouched(const st_update *update, st_slice before, st_slice after)
{
    st_slice name;
    st_value old, now;
    for (uint32_t i = 0; st_item_at(before, i, &name, &old); i++) {
        if (!st_update_touches(update, name)) {
            FUZZ_CHECK(NULL, st_item_find(after, name, &now));
            FUZZ_CHECK(NULL, st_slice_equal(old.encoded, now.encoded));
        }
    }
    for (uint32_t i = 0; st_item_at(after, i, &name, &now); i++) {
        FUZZ_CHECK(NULL, st_item_find(before, name, &old) || st_update_touches(update, name));
    }
}

static void apply_update(st_op *op, const st_update *update, st_slice text, st_slice old,
                         st_slice base)
{
    st_buf relaxed, frame;
    st_buf_init(&relaxed, fuzz_alloc());
    st_buf_init(&frame, fuzz_alloc());
    st_op_clear(op);
    if (is_ok(op, st_update_apply(op, update, old, base, &relaxed), text)) {
        st_status status = st_item_canonicalize_updated(op, st_buf_view(&relaxed), &frame);
        if (fuzz_is_ok(op, status, relaxed.size, fuzz_refusals)) {
            FUZZ_CHECK(op, st_item_validate(op, st_buf_view(&frame)) == ST_OK);
            check_untouched(update, base, st_buf_view(&frame));
        }
    }
    st_buf_deinit(&frame);
    st_buf_deinit(&relaxed);
}

static void check_update(st_op *op, st_slice text, st_slice frame)
{
    st_expr_scope scope;
    st_update *update;
    make_scope(op, &scope);
    if (!is_ok(op, st_update_parse(op, text, &scope, &update), text) ||
        !is_ok(op, st_update_resolve(op, update, &scope), text) ||
        !is_ok(op, st_update_check(op, update), text)) {
        return;
    }
    (void)st_update_charge(update);
    st_buf base;
    st_buf_init(&base, fuzz_alloc());
    make_frame(op, "{\"p\":{\"S\":\"key\"}}", &base);
    apply_update(op, update, text, frame, frame);
    apply_update(op, update, text, (st_slice){0}, st_buf_view(&base));
    st_buf_deinit(&base);
}

/* ---- projections ------------------------------------------------------------------------ */

static bool has_index(const st_projection *projection)
{
    uint32_t count;
    const st_path *paths = st_projection_paths(projection, &count);
    bool has_any = false;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < paths[i].count; j++) {
            has_any |= paths[i].steps[j].is_index;
        }
    }
    return has_any;
}

static void check_projection(st_op *op, st_slice text, st_slice frame)
{
    st_expr_scope scope;
    st_projection *projection;
    make_scope(op, &scope);
    if (!is_ok(op, st_projection_parse(op, text, &scope, &projection), text) ||
        !is_ok(op, st_projection_resolve(op, projection, &scope), text)) {
        return;
    }
    st_buf some, again;
    st_slice name;
    st_value value, whole;
    st_buf_init(&some, fuzz_alloc());
    st_buf_init(&again, fuzz_alloc());
    FUZZ_CHECK(op, st_projection_apply(op, projection, frame, &some) == ST_OK);
    FUZZ_CHECK(op, st_item_validate(op, st_buf_view(&some)) == ST_OK);
    for (uint32_t i = 0; st_item_at(st_buf_view(&some), i, &name, &value); i++) {
        FUZZ_CHECK(op, st_item_find(frame, name, &whole) && whole.type == value.type);
        FUZZ_CHECK(op, value.encoded.size <= whole.encoded.size);
    }
    if (!has_index(projection)) { /* elements of lists move up */
        FUZZ_CHECK(op, st_projection_apply(op, projection, st_buf_view(&some), &again) == ST_OK);
        FUZZ_CHECK(op, st_slice_equal(st_buf_view(&some), st_buf_view(&again)));
    }
    st_buf_deinit(&again);
    st_buf_deinit(&some);
}

void fuzz_target(st_slice input)
{
    uint8_t kind = fuzz_take_byte(&input) % (ST_EXPR_SEARCH_CONDITION + 1);
    st_op op;
    st_buf frame;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&frame, fuzz_alloc());
    make_frame(&op, expression_item, &frame);
    if (kind == ST_EXPR_UPDATE) {
        check_update(&op, input, st_buf_view(&frame));
    } else if (kind == ST_EXPR_PROJECTION) {
        check_projection(&op, input, st_buf_view(&frame));
    } else if (kind == ST_EXPR_KEY_CONDITION) {
        check_key_condition(&op, input);
    } else {
        check_condition(&op, (st_expr_kind)kind, input, st_buf_view(&frame));
    }
    st_buf_deinit(&frame);
    st_op_deinit(&op);
}
