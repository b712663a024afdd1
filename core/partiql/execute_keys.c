/* What a WHERE clause says about keys.
 *
 * Reads. WHERE is taken apart into branches: what OR separates, AND multiplied out, an IN on a key
 * attribute as a branch for each value. A branch holds the conditions on key attributes, everything
 * else is left to the filter, which is always all of WHERE. When every branch gives the whole
 * partition key, each becomes one range of keys; ranges that share a key are refused. A branch with
 * two conditions on one sort attribute, or with a negated one, switches that check off: then whole
 * partitions are read, each once. In all other cases the table is scanned.
 *
 * Writes and single reads want one key: equalities at the top of WHERE.
 */
#include "partiql/execute_internal.h"

#include <stdlib.h>
#include <string.h>

#define KEYS_BRANCHES_MAX 1024u /* more are not told apart: the filter decides */

/* One condition on a key attribute. */
typedef struct keys_term keys_term;
struct keys_term {
    const keys_term *before;
    uint32_t part; /* partition attributes first */
    st_key_condition condition;
    st_value first, second;
};

typedef struct keys_branch {
    const keys_term *last; /* of the terms, in reverse */
    bool is_odd;           /* holds a negated sort condition */
} keys_branch;

typedef struct keys_branches {
    uint32_t count;
    keys_branch *branches;
} keys_branches;

/* ---- schema ----------------------------------------------------------------------------- */

static uint32_t keys_part_count(const st_key_schema *schema)
{
    return schema->partition_count + schema->sort_count;
}

static const st_key_part *keys_part(const st_key_schema *schema, uint32_t part)
{
    return part < schema->partition_count ? &schema->partition[part]
                                          : &schema->sort[part - schema->partition_count];
}

/* The part that a name is; the number of parts: none. */
static uint32_t keys_part_of(const st_key_schema *schema, st_slice name)
{
    uint32_t part = 0;
    while (part < keys_part_count(schema) && !st_slice_equal(keys_part(schema, part)->name, name)) {
        part++;
    }
    return part;
}

static bool keys_is_part(const st_key_schema *schema, const st_partiql_node *node,
                         uint32_t *out_part)
{
    if (node->kind != ST_PARTIQL_PATH || node->path.count != 1) {
        return false;
    }
    *out_part = keys_part_of(schema, node->path.steps[0].name);
    return *out_part < keys_part_count(schema);
}

st_status st_partiql__check_key_value(st_op *op, const st_key_part *part, const st_value *value)
{
    if (value->type != ST_TYPE_S && value->type != ST_TYPE_N && value->type != ST_TYPE_B) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Key value must be of type S, N, or B. Key name: %.*s, Key type: %s",
                       (int)part->name.size, (const char *)part->name.data,
                       st_type_name(value->type));
    }
    return value->type == part->type
               ? ST_OK
               : st_fail(op, ST_INVALID_ARGUMENT,
                         "Key attribute's data type should match its data type in table's schema: "
                         "Key %.*s",
                         (int)part->name.size, (const char *)part->name.data);
}

/* ---- terms ------------------------------------------------------------------------------ */

static st_key_condition keys_condition(st_partiql_kind kind, bool is_turned)
{
    switch (kind) {
    case ST_PARTIQL_EQUAL:
    case ST_PARTIQL_IN:
        return ST_KEY_EQUAL;
    case ST_PARTIQL_LESS:
        return is_turned ? ST_KEY_GREATER : ST_KEY_LESS;
    case ST_PARTIQL_AT_MOST:
        return is_turned ? ST_KEY_AT_LEAST : ST_KEY_AT_MOST;
    case ST_PARTIQL_GREATER:
        return is_turned ? ST_KEY_LESS : ST_KEY_GREATER;
    case ST_PARTIQL_AT_LEAST:
        return is_turned ? ST_KEY_AT_MOST : ST_KEY_AT_LEAST;
    case ST_PARTIQL_BETWEEN:
        return ST_KEY_BETWEEN;
    case ST_PARTIQL_BEGINS_WITH:
        return ST_KEY_BEGINS_WITH;
    default:
        return ST_KEY_ALL;
    }
}

/* A comparison of a key attribute with values: what is compared stands in out_first. */
static bool keys_is_term(const st_key_schema *schema, const st_partiql_node *node,
                         uint32_t *out_part, st_key_condition *out_condition,
                         const st_partiql_node **out_first)
{
    bool is_turned = node->count == 2 && node->operands[0].kind == ST_PARTIQL_VALUE &&
                     node->kind != ST_PARTIQL_IN && node->kind != ST_PARTIQL_BEGINS_WITH;
    *out_condition = keys_condition(node->kind, is_turned);
    if (*out_condition == ST_KEY_ALL ||
        !keys_is_part(schema, &node->operands[is_turned ? 1 : 0], out_part)) {
        return false;
    }
    for (uint32_t i = is_turned ? 0 : 1; i < (is_turned ? 1 : node->count); i++) {
        if (node->operands[i].kind != ST_PARTIQL_VALUE) {
            return false;
        }
    }
    *out_first = &node->operands[is_turned ? 0 : 1];
    return *out_part >= schema->partition_count || *out_condition == ST_KEY_EQUAL;
}

static bool keys_holds_sort(const st_key_schema *schema, const st_partiql_node *node)
{
    uint32_t part;
    if (keys_is_part(schema, node, &part) && part >= schema->partition_count) {
        return true;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        if (keys_holds_sort(schema, &node->operands[i])) {
            return true;
        }
    }
    return false;
}

/* ---- branches --------------------------------------------------------------------------- */

static st_status keys_branches_new(st_op *op, uint32_t count, keys_branches *out_branches)
{
    out_branches->count = count;
    out_branches->branches = st_partiql__alloc(op, count, sizeof *out_branches->branches);
    return out_branches->branches ? ST_OK : ST_NO_MEMORY;
}

static bool keys_is_plain(const keys_branches *branches)
{
    for (uint32_t i = 0; i < branches->count; i++) {
        if (branches->branches[i].last || branches->branches[i].is_odd) {
            return false;
        }
    }
    return true;
}

static st_status keys_add_term(st_op *op, const keys_term *term, const keys_term **last)
{
    keys_term *copy = st_partiql__alloc(op, 1, sizeof *copy);
    if (!copy) {
        return ST_NO_MEMORY;
    }
    *copy = *term;
    copy->before = *last;
    *last = copy;
    return ST_OK;
}

static st_status keys_of_term(st_op *op, const st_partiql_node *node, const st_partiql_node *first,
                              uint32_t part, st_key_condition condition, keys_branches *out)
{
    keys_term term = {.part = part, .condition = condition};
    uint32_t count = node->kind == ST_PARTIQL_IN ? node->count - 1 : 1;
    ST_TRY(keys_branches_new(op, count, out));
    for (uint32_t i = 0; i < count; i++) {
        ST_TRY(st_partiql__lower_value(op, first[i].value, &term.first));
        if (condition == ST_KEY_BETWEEN) {
            ST_TRY(st_partiql__lower_value(op, first[1].value, &term.second));
        }
        ST_TRY(keys_add_term(op, &term, &out->branches[i].last));
    }
    return ST_OK;
}

static st_status keys_join(st_op *op, const keys_branch *a, const keys_branch *b, keys_branch *out)
{
    *out = (keys_branch){.last = a->last, .is_odd = a->is_odd || b->is_odd};
    for (const keys_term *term = b->last; term; term = term->before) {
        ST_TRY(keys_add_term(op, term, &out->last));
    }
    return ST_OK;
}

/* Every branch of the one with every branch of the other. */
static st_status keys_multiply(st_op *op, keys_branches *all, const keys_branches *more)
{
    if (keys_is_plain(more) || all->count * more->count > KEYS_BRANCHES_MAX) {
        return ST_OK;
    }
    keys_branches product;
    ST_TRY(keys_branches_new(op, all->count * more->count, &product));
    for (uint32_t i = 0; i < all->count; i++) {
        for (uint32_t k = 0; k < more->count; k++) {
            ST_TRY(keys_join(op, &all->branches[i], &more->branches[k],
                             &product.branches[i * more->count + k]));
        }
    }
    *all = product;
    return ST_OK;
}

static st_status keys_append(st_op *op, keys_branches *all, const keys_branches *more)
{
    keys_branches sum;
    ST_TRY(keys_branches_new(op, all->count + more->count, &sum));
    if (all->count > 0) {
        memcpy(sum.branches, all->branches, all->count * sizeof *sum.branches);
    }
    memcpy(sum.branches + all->count, more->branches, more->count * sizeof *sum.branches);
    *all = sum;
    return ST_OK;
}

static st_status keys_branches_of(st_op *op, const st_key_schema *schema,
                                  const st_partiql_node *node, keys_branches *out)
{
    uint32_t part;
    st_key_condition condition;
    const st_partiql_node *first;
    bool is_or = node->kind == ST_PARTIQL_OR;
    if (keys_is_term(schema, node, &part, &condition, &first)) {
        return keys_of_term(op, node, first, part, condition, out);
    }
    ST_TRY(keys_branches_new(op, is_or ? 0 : 1, out));
    if (is_or || node->kind == ST_PARTIQL_AND) {
        for (uint32_t i = 0; i < node->count; i++) {
            keys_branches more;
            ST_TRY(keys_branches_of(op, schema, &node->operands[i], &more));
            ST_TRY(is_or ? keys_append(op, out, &more) : keys_multiply(op, out, &more));
        }
        if (is_or && (keys_is_plain(out) || out->count > KEYS_BRANCHES_MAX)) {
            return keys_branches_new(op, 1, out);
        }
        return ST_OK;
    }
    bool is_negation = node->kind == ST_PARTIQL_NOT || node->kind == ST_PARTIQL_NOT_EQUAL;
    out->branches[0].is_odd = is_negation && keys_holds_sort(schema, node);
    return ST_OK;
}

/* ---- ranges ----------------------------------------------------------------------------- */

/* The first term on a part, in written order. */
static const keys_term *keys_find(const keys_branch *branch, uint32_t part, bool wants_equal,
                                  uint32_t *out_count)
{
    const keys_term *found = NULL;
    *out_count = 0;
    for (const keys_term *term = branch->last; term; term = term->before) {
        if (term->part == part && (!wants_equal || term->condition == ST_KEY_EQUAL)) {
            found = term;
            (*out_count)++;
        }
    }
    return found;
}

static bool keys_is_whole(const st_key_schema *schema, const keys_branch *branch)
{
    uint32_t count;
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        if (!keys_find(branch, i, true, &count)) {
            return false;
        }
    }
    return true;
}

static st_status keys_check_terms(st_op *op, const st_key_schema *schema, const keys_branch *branch)
{
    for (uint32_t part = 0; part < keys_part_count(schema); part++) {
        for (const keys_term *term = branch->last; term; term = term->before) {
            if (term->part != part) {
                continue;
            }
            ST_TRY(st_partiql__check_key_value(op, keys_part(schema, part), &term->first));
            if (term->condition == ST_KEY_BETWEEN) {
                ST_TRY(st_partiql__check_key_value(op, keys_part(schema, part), &term->second));
            }
        }
    }
    return ST_OK;
}

static st_status keys_bounds(st_op *op, const st_key_schema *schema, st_partiql__range *range)
{
    st_key_query query;
    st_buf from, to;
    ST_TRY(st_key_clauses_bind(op, range->clauses, range->clause_count, schema, &query));
    st_buf_init(&from, op->alloc);
    st_buf_init(&to, op->alloc);
    st_status status = st_key_range_of(op, 0, schema, &query, &from, &to);
    if (status == ST_OK) {
        status = st_partiql__keep(op, &from, &range->from);
    }
    if (status == ST_OK) {
        status = st_partiql__keep(op, &to, &range->to);
    }
    st_buf_deinit(&from);
    st_buf_deinit(&to);
    return status;
}

/* is_wide: whole partitions only. */
static st_status keys_range(st_op *op, const st_key_schema *schema, const keys_branch *branch,
                            bool is_wide, st_partiql__range *range)
{
    uint32_t count, parts = is_wide ? schema->partition_count : keys_part_count(schema);
    range->clause_count = 0;
    range->clauses = st_partiql__alloc(op, keys_part_count(schema), sizeof *range->clauses);
    if (!range->clauses) {
        return ST_NO_MEMORY;
    }
    bool is_open = true;
    for (uint32_t part = 0; part < parts && is_open; part++) {
        const keys_term *term = keys_find(branch, part, part < schema->partition_count, &count);
        is_open = term && term->condition == ST_KEY_EQUAL;
        if (term) {
            range->clauses[range->clause_count++] =
                (st_key_clause){.name = keys_part(schema, part)->name,
                                .condition = term->condition,
                                .first = term->first,
                                .second = term->second,
                                .position = -1};
        }
    }
    range->is_point = is_open && !is_wide;
    return keys_bounds(op, schema, range);
}

static bool keys_is_odd(const st_key_schema *schema, const keys_branches *branches)
{
    uint32_t count;
    for (uint32_t i = 0; i < branches->count; i++) {
        if (branches->branches[i].is_odd) {
            return true;
        }
        for (uint32_t part = schema->partition_count; part < keys_part_count(schema); part++) {
            (void)keys_find(&branches->branches[i], part, false, &count);
            if (count > 1) {
                return true;
            }
        }
    }
    return false;
}

static int keys_compare_ranges(const void *a, const void *b)
{
    const st_partiql__range *x = a, *y = b;
    int order = st_slice_compare(x->from, y->from);
    return order != 0 ? order : st_slice_compare(x->to, y->to);
}

/* Ascending ranges: whether two share a key. */
static bool keys_overlap(const st_partiql__keys *keys)
{
    st_slice end = {0};
    for (uint32_t i = 0; i < keys->count; i++) {
        const st_partiql__range *range = &keys->ranges[i];
        if (st_slice_compare(range->from, range->to) >= 0) {
            continue;
        }
        if (st_slice_compare(range->from, end) < 0) {
            return true;
        }
        end = range->to;
    }
    return false;
}

static void keys_drop_repeated(st_partiql__keys *keys)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < keys->count; i++) {
        if (count == 0 || !st_slice_equal(keys->ranges[count - 1].from, keys->ranges[i].from)) {
            keys->ranges[count++] = keys->ranges[i];
        }
    }
    keys->count = count;
}

static st_status keys_fill(st_op *op, const st_key_schema *schema, const keys_branches *branches,
                           bool is_wide, st_partiql__keys *keys)
{
    for (uint32_t i = 0; i < branches->count; i++) {
        ST_TRY(keys_range(op, schema, &branches->branches[i], is_wide, &keys->ranges[i]));
    }
    keys->count = branches->count;
    qsort(keys->ranges, keys->count, sizeof *keys->ranges, keys_compare_ranges);
    return ST_OK;
}

static st_status keys_ranges(st_op *op, const st_key_schema *schema, const keys_branches *branches,
                             st_partiql__keys *keys)
{
    keys->ranges = st_partiql__alloc(op, branches->count, sizeof *keys->ranges);
    if (!keys->ranges) {
        return ST_NO_MEMORY;
    }
    for (uint32_t i = 0; i < branches->count; i++) {
        ST_TRY(keys_check_terms(op, schema, &branches->branches[i]));
    }
    ST_TRY(keys_fill(op, schema, branches, false, keys));
    if (!keys_overlap(keys)) {
        return ST_OK;
    }
    if (!keys_is_odd(schema, branches)) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Overlapping conditions with range keys are not supported in where clause");
    }
    ST_TRY(keys_fill(op, schema, branches, true, keys));
    keys_drop_repeated(keys);
    return ST_OK;
}

/* ---- order ------------------------------------------------------------------------------ */

static st_status keys_order_terms(st_op *op, const st_partiql_statement *statement,
                                  const st_key_schema *schema)
{
    for (uint32_t i = 0; i < statement->order_count; i++) {
        const st_partiql_order *term = &statement->order[i];
        if (keys_part_of(schema, term->name) == keys_part_count(schema)) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "Attribute %.*s in ORDER BY clause must be part of the primary key",
                           (int)term->name.size, (const char *)term->name.data);
        }
    }
    return ST_OK;
}

static const st_partiql_order *keys_order_of(const st_partiql_statement *statement,
                                             const st_key_schema *schema, bool is_sort)
{
    for (uint32_t i = 0; i < statement->order_count; i++) {
        uint32_t part = keys_part_of(schema, statement->order[i].name);
        if ((part >= schema->partition_count) == is_sort) {
            return &statement->order[i];
        }
    }
    return NULL;
}

static st_status keys_check_order(st_op *op, const st_partiql_statement *statement,
                                  const st_key_schema *schema, const st_partiql__keys *keys,
                                  uint32_t branch_count)
{
    if (statement->order_count == 0) {
        return ST_OK;
    }
    if (!statement->where) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Must have WHERE clause in the statement when using ORDER BY clause.");
    }
    for (uint32_t i = 0; i < statement->order_count; i++) {
        if (statement->order[i].other) {
            return st_fail(op, ST_INVALID_ARGUMENT,
                           "Argument to ORDER BY must be of type VariableReference. Type: "
                           "%s" ST_PARTIQL__AT,
                           statement->order[i].other,
                           ST_PARTIQL__AT_OF(statement->order[i].position));
        }
    }
    if (!keys->is_keyed) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Must have at least one non-optional hash key condition in WHERE clause "
                       "when using ORDER BY clause.");
    }
    if (branch_count > 1 && !keys_order_of(statement, schema, false)) {
        return st_fail(op, ST_INVALID_ARGUMENT,
                       "Must have hash key in ORDER BY clause when more than one hash key "
                       "condition specified in WHERE clause.");
    }
    return keys_order_terms(op, statement, schema);
}

/* By the values of the partition key, then as the store has them. */
static int keys_compare_partitions(const void *a, const void *b)
{
    const st_partiql__range *x = a, *y = b;
    for (uint32_t i = 0; i < x->clause_count && i < y->clause_count; i++) {
        if (x->clauses[i].condition != ST_KEY_EQUAL || y->clauses[i].condition != ST_KEY_EQUAL) {
            break;
        }
        int order = st_slice_compare(x->clauses[i].first.bytes, y->clauses[i].first.bytes);
        if (order != 0) {
            return order;
        }
    }
    return keys_compare_ranges(a, b);
}

static bool keys_same_partition(const st_key_schema *schema, const st_partiql__range *a,
                                const st_partiql__range *b)
{
    for (uint32_t i = 0; i < schema->partition_count; i++) {
        if (!st_slice_equal(a->clauses[i].first.bytes, b->clauses[i].first.bytes)) {
            return false;
        }
    }
    return true;
}

static void keys_turn(st_partiql__range *ranges, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        st_partiql__range range = ranges[i];
        ranges[i] = ranges[count - 1 - i];
        ranges[count - 1 - i] = range;
    }
}

/* Partitions by value when they are named, the ranges of one in the direction of its rows. Naming
 * the partition key alone reads each partition descending, as the service does. */
static void keys_put_in_order(const st_partiql_statement *statement, const st_key_schema *schema,
                              st_partiql__keys *keys)
{
    const st_partiql_order *partition = keys_order_of(statement, schema, false);
    const st_partiql_order *sort = keys_order_of(statement, schema, true);
    if (statement->order_count == 0 || keys->count == 0) {
        return;
    }
    keys->is_reverse = sort ? sort->is_descending : true;
    bool is_descending = partition && partition->is_descending;
    qsort(keys->ranges, keys->count, sizeof *keys->ranges, keys_compare_partitions);
    if (is_descending) {
        keys_turn(keys->ranges, keys->count);
    }
    if (is_descending == keys->is_reverse) {
        return;
    }
    for (uint32_t begin = 0, end; begin < keys->count; begin = end) {
        end = begin + 1;
        while (end < keys->count &&
               keys_same_partition(schema, &keys->ranges[begin], &keys->ranges[end])) {
            end++;
        }
        keys_turn(keys->ranges + begin, end - begin);
    }
}

st_status st_partiql__read_keys(st_op *op, const st_partiql_statement *statement,
                                const st_key_schema *schema, st_partiql__keys *out_keys)
{
    keys_branches branches = {0};
    *out_keys = (st_partiql__keys){0};
    if (statement->where) {
        ST_TRY(keys_branches_of(op, schema, statement->where, &branches));
        out_keys->is_keyed = true;
    }
    for (uint32_t i = 0; i < branches.count; i++) {
        out_keys->is_keyed = out_keys->is_keyed && keys_is_whole(schema, &branches.branches[i]);
    }
    ST_TRY(keys_check_order(op, statement, schema, out_keys, branches.count));
    if (!out_keys->is_keyed) {
        return ST_OK;
    }
    ST_TRY(keys_ranges(op, schema, &branches, out_keys));
    keys_put_in_order(statement, schema, out_keys);
    return ST_OK;
}
