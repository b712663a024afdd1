/* What the operations share: members of the body, names of tables, constraint checks, placeholders
 * and expressions.
 */
#include "wire/wire_internal.h"

#include <stdio.h>
#include <string.h>

#define COMMON_ARN "arn:aws:dynamodb:"
#define COMMON_NAME_MAX 255u
#define COMMON_SHOWN 1024

/* ---- members ---------------------------------------------------------------------------- */

uint32_t st_wire__member(const wire_call *call, uint32_t object, const char *name)
{
    return st_wire__find(&call->doc, object, name);
}

st_slice st_wire__member_text(const wire_call *call, uint32_t object, const char *name)
{
    return st_wire__text(&call->doc, st_wire__find(&call->doc, object, name));
}

bool st_wire__integer(const wire_call *call, uint32_t object, const char *name, int64_t *out_value,
                      bool *out_is_odd)
{
    uint32_t node = st_wire__find(&call->doc, object, name);
    st_number number;
    *out_is_odd = false;
    if (node == 0) {
        return false;
    }
    st_slice text = call->doc.nodes[node].text;
    if (st_number_parse(NULL, text, &number) != ST_OK) {
        *out_is_odd = true; /* beyond all numbers */
        *out_value = text.data[0] == '-' ? INT32_MIN : INT32_MAX;
        return true;
    }
    int64_t value = 0;
    *out_is_odd = number.digit_count > 0 && number.digit_count > number.exponent + 1;
    for (int i = 0; i <= number.exponent && value <= INT32_MAX; i++) {
        value = value * 10 + (i < number.digit_count ? number.digits[i] : 0);
    }
    if (value > INT32_MAX) {
        *out_is_odd = true;
        value = number.is_negative ? (int64_t)INT32_MAX + 1 : INT32_MAX;
    }
    *out_value = number.is_negative ? -value : value;
    return true;
}

bool st_wire__flag(wire_call *call, uint32_t object, const char *name, bool *out_value,
                   st_status *out_status)
{
    uint32_t node = st_wire__find(&call->doc, object, name);
    *out_value = false;
    *out_status = node ? st_wire__boolean(call, node, true, out_value) : ST_OK;
    return node != 0;
}

/* ---- names of tables -------------------------------------------------------------------- */

static bool common_is_name(st_slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        bool is_fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '.';
        if (!is_fine) {
            return false;
        }
    }
    return true;
}

/* The part of an ARN behind "table/"; the text itself when it is no ARN. */
static st_slice common_of_arn(st_slice text)
{
    if (!st_slice_starts_with(text, st_slice_str(COMMON_ARN))) {
        return text;
    }
    for (size_t i = 0; i + 6 <= text.size; i++) {
        if (memcmp(text.data + i, "table/", 6) == 0) {
            st_slice name = st_slice_of(text.data + i + 6, text.size - i - 6);
            const uint8_t *slash = name.size > 0 ? memchr(name.data, '/', name.size) : NULL;
            return slash ? st_slice_of(name.data, (size_t)(slash - name.data)) : name;
        }
    }
    return text;
}

st_slice st_wire__table_name(const wire_call *call, uint32_t object)
{
    return common_of_arn(st_wire__member_text(call, object, "TableName"));
}

st_status st_wire__check_empty_table(wire_call *call)
{
    uint32_t node = st_wire__member(call, 0, "TableName");
    if (node == 0 || call->doc.nodes[node].text.size > 0 || !call->is_new_layer) {
        return ST_OK;
    }
    return st_wire__constraint_alone(call, "Value at 'TableName' failed to satisfy constraint: "
                                           "Member must have length greater than or equal to 1");
}

static void common_constraint(wire_call *call, st_slice value, const char *path, const char *rule)
{
    st_wire__constraint(call, "Value '%.*s' at '%s' failed to satisfy constraint: %s",
                        (int)(value.size < COMMON_SHOWN ? value.size : COMMON_SHOWN),
                        value.size > 0 ? (const char *)value.data : "", path, rule);
}

/* Both layers' rules for the name at the path. */
void st_wire__check_name(wire_call *call, st_slice text, const char *path, bool tells_all)
{
    st_slice name = common_of_arn(text);
    bool is_arn = name.data != text.data || name.size != text.size;
    const char *pattern = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
    bool is_bad = !common_is_name(name);
    if (text.size == 0) {
        common_constraint(call, text, path, "Member must have length greater than or equal to 1");
        return;
    }
    if (is_bad && tells_all) {
        common_constraint(call, text, path, pattern);
    }
    if (name.size < 3 && call->is_new_layer && !is_arn) {
        common_constraint(call, text, path, "Member must have length greater than or equal to 3");
        is_bad = is_bad && tells_all;
    } else if (name.size > COMMON_NAME_MAX) {
        common_constraint(call, text, path, "Member must have length less than or equal to 255");
        is_bad = is_bad && tells_all;
    }
    if (is_bad && !tells_all) {
        common_constraint(call, text, path, pattern);
    }
}

void st_wire__check_table(wire_call *call, uint32_t object)
{
    uint32_t node = st_wire__member(call, object, "TableName");
    if (node == 0) {
        st_wire__constraint(call, "Value null at 'tableName' failed to satisfy constraint: Member "
                                  "must not be null");
        return;
    }
    bool tells_all = strcmp(call->operation->name, "UpdateItem") == 0 || !call->is_new_layer;
    st_wire__check_name(call, call->doc.nodes[node].text, "tableName", tells_all);
}

/* ---- enums ------------------------------------------------------------------------------ */

static bool common_is_one_of(st_slice value, const char *const *values)
{
    for (; *values; values++) {
        if (st_slice_equal(value, st_slice_str(*values))) {
            return true;
        }
    }
    return false;
}

void st_wire__check_enum(wire_call *call, uint32_t object, const char *member, const char *path,
                         const char *set, const char *const *values)
{
    uint32_t node = st_wire__member(call, object, member);
    if (node != 0 && !common_is_one_of(call->doc.nodes[node].text, values)) {
        st_slice value = call->doc.nodes[node].text;
        st_wire__constraint(call,
                            "Value '%.*s' at '%s' failed to satisfy constraint: Member must "
                            "satisfy enum value set: [%s]",
                            (int)(value.size < COMMON_SHOWN ? value.size : COMMON_SHOWN),
                            value.size > 0 ? (const char *)value.data : "", path, set);
    }
}

void st_wire__check_capacity(wire_call *call)
{
    static const char *const common_capacities[] = {"INDEXES", "TOTAL", "NONE", NULL};
    st_wire__check_enum(call, 0, "ReturnConsumedCapacity", "returnConsumedCapacity",
                        "INDEXES, TOTAL, NONE", common_capacities);
}

void st_wire__check_metrics(wire_call *call)
{
    static const char *const common_metrics[] = {"SIZE", "NONE", NULL};
    st_wire__check_enum(call, 0, "ReturnItemCollectionMetrics", "returnItemCollectionMetrics",
                        "SIZE, NONE", common_metrics);
}

void st_wire__check_on_failure(wire_call *call, uint32_t object)
{
    static const char *const common_failures[] = {"ALL_OLD", "NONE", NULL};
    st_wire__check_enum(call, object, "ReturnValuesOnConditionCheckFailure",
                        "returnValuesOnConditionCheckFailure", "ALL_OLD, NONE", common_failures);
}

int st_wire__capacity(const wire_call *call)
{
    st_slice wanted = st_wire__member_text(call, 0, "ReturnConsumedCapacity");
    return st_slice_equal(wanted, st_slice_str("TOTAL"))     ? 1
           : st_slice_equal(wanted, st_slice_str("INDEXES")) ? 2
                                                             : 0;
}

/* ---- expressions ------------------------------------------------------------------------ */

static void common_list(wire_call *call, uint32_t object, const char *const *names, st_buf *out,
                        uint32_t *out_count)
{
    *out_count = 0;
    for (; *names; names++) {
        if (st_wire__member(call, object, *names) != 0) {
            st_wire__put_text(out, (*out_count)++ > 0 ? ", " : "");
            st_wire__put_text(out, *names);
        }
    }
}

st_status st_wire__check_mixing(wire_call *call, uint32_t object, const char *const *plain,
                                const char *const *expressions)
{
    st_buf first, second;
    uint32_t first_count, second_count;
    st_buf_init(&first, call->op->alloc);
    st_buf_init(&second, call->op->alloc);
    common_list(call, object, plain, &first, &first_count);
    common_list(call, object, expressions, &second, &second_count);
    st_status status = st_buf_check(call->op, first.failed ? &first : &second);
    if (status == ST_OK && first_count > 0 && second_count > 0) {
        status = st_wire__refuse(call,
                                 "Can not use both expression and non-expression parameters in the "
                                 "same request: Non-expression parameters: {%.*s} Expression "
                                 "parameters: {%.*s}",
                                 (int)first.size, (const char *)first.data, (int)second.size,
                                 (const char *)second.data);
    }
    st_buf_deinit(&first);
    st_buf_deinit(&second);
    return status;
}

static bool common_has_any(const wire_call *call, uint32_t object, const char *const *names)
{
    for (; *names; names++) {
        if (st_wire__member(call, object, *names) != 0) {
            return true;
        }
    }
    return false;
}

/* "X can only be specified when using expressions", and on the old layer which are missing. */
static st_status common_lonely(wire_call *call, const char *member, bool lists,
                               const char *const *expressions)
{
    st_buf list;
    st_buf_init(&list, call->op->alloc);
    bool is_update = strcmp(call->operation->name, "UpdateItem") == 0;
    for (; lists && *expressions; expressions++) {
        st_wire__put_text(&list, list.size > 0 ? " and " : ": ");
        st_wire__put_text(&list, *expressions);
        st_wire__put_text(&list, is_update ? "" : " is null");
    }
    st_wire__put_text(&list, lists && is_update ? " are null" : "");
    st_status status = st_buf_check(call->op, &list);
    if (status == ST_OK) {
        status =
            st_wire__refuse(call, "%s can only be specified when using expressions%.*s", member,
                            (int)list.size, list.size > 0 ? (const char *)list.data : "");
    }
    st_buf_deinit(&list);
    return status;
}

static st_status common_bad_key(wire_call *call, const char *member, st_slice key)
{
    return st_wire__refuse_bare(call, "%s contains invalid key: Syntax error; key: \"%.*s\"",
                                member, (int)(key.size < COMMON_SHOWN ? key.size : COMMON_SHOWN),
                                key.size > 0 ? (const char *)key.data : "");
}

static st_status common_names(wire_call *call, uint32_t names, st_expr_scope *scope)
{
    const st_json_node *map = &call->doc.nodes[names];
    if (map->count == 0) {
        return st_wire__refuse(call, "ExpressionAttributeNames must not be empty");
    }
    for (uint32_t at = names + 1; at < map->next; at = call->doc.nodes[at + 1].next) {
        st_slice key = call->doc.nodes[at].text, name = call->doc.nodes[at + 1].text;
        if (!st_expr_is_placeholder(key, '#') || key.size > COMMON_NAME_MAX) {
            return common_bad_key(call, "ExpressionAttributeNames", key);
        }
        if (name.size == 0) {
            return st_wire__refuse(call,
                                   "ExpressionAttributeNames contains invalid value: Empty "
                                   "attribute name for key %.*s",
                                   (int)key.size, (const char *)key.data);
        }
        st_expr_scope_add_name(scope, key, name);
    }
    return ST_OK;
}

/* Which refusals of values keep the words around them on the new layer. */
static bool common_is_wrapped_value(const wire_call *call, st_slice message)
{
    static const char *const common_plain[] = {
        "The parameter cannot be converted",
        "Number overflow",
        "Number underflow",
        "Attempting to store more than 38",
        "One or more parameter values were invalid: Input collection",
    };
    for (size_t i = 0; i < sizeof common_plain / sizeof common_plain[0]; i++) {
        if (call->is_new_layer && st_slice_starts_with(message, st_slice_str(common_plain[i]))) {
            return false;
        }
    }
    return true;
}

static st_status common_wrap_value(wire_call *call, st_slice key, st_status status)
{
    if (status != ST_INVALID_ARGUMENT || call->exception) {
        return status;
    }
    st_slice message = st_op_message(call->op);
    st_buf text;
    st_buf_init(&text, call->op->alloc);
    st_buf_slice(&text, message);
    st_buf_byte(&text, '\0');
    status = st_buf_check(call->op, &text);
    bool is_wrapped = common_is_wrapped_value(call, message);
    st_op_clear(call->op);
    if (status == ST_OK) {
        status =
            is_wrapped
                ? st_wire__refuse(call,
                                  "ExpressionAttributeValues contains invalid value: %s for "
                                  "key %.*s",
                                  (const char *)text.data, (int)key.size, (const char *)key.data)
                : st_wire__refuse(call, "%s", (const char *)text.data);
    }
    st_buf_deinit(&text);
    return status;
}

static st_status common_values(wire_call *call, uint32_t values, st_expr_scope *scope)
{
    const st_json_node *map = &call->doc.nodes[values];
    if (map->count == 0) {
        return st_wire__refuse(call, "ExpressionAttributeValues must not be empty");
    }
    for (uint32_t at = values + 1; at < map->next; at = call->doc.nodes[at + 1].next) {
        st_slice key = call->doc.nodes[at].text, relaxed;
        if (!st_expr_is_placeholder(key, ':') || key.size > COMMON_NAME_MAX) {
            return common_bad_key(call, "ExpressionAttributeValues", key);
        }
        st_status status = st_wire__value(call, at + 1, &relaxed);
        if (status == ST_OK) {
            status = st_expr_scope_add_value(call->op, scope, key, relaxed);
        }
        ST_TRY(common_wrap_value(call, key, status));
    }
    return ST_OK;
}

st_status st_wire__scope(wire_call *call, uint32_t object, const char *const *expressions,
                         wire_expressions *out)
{
    uint32_t names = st_wire__member(call, object, "ExpressionAttributeNames");
    uint32_t values = st_wire__member(call, object, "ExpressionAttributeValues");
    bool has_any = common_has_any(call, object, expressions);
    /* projections hold no values */
    bool may_hold_values = false;
    for (const char *const *at = expressions; *at; at++) {
        may_hold_values |=
            strcmp(*at, "ProjectionExpression") != 0 && st_wire__member(call, object, *at) != 0;
    }
    ST_TRY(st_expr_scope_begin(call->op, names ? call->doc.nodes[names].count : 0,
                               values ? call->doc.nodes[values].count : 0, &out->scope));
    if (names && !has_any) {
        return common_lonely(call, "ExpressionAttributeNames", false, expressions);
    }
    if (names) {
        ST_TRY(common_names(call, names, &out->scope));
    }
    if (values && !may_hold_values) {
        bool lists = !call->is_new_layer || !call->wraps;
        static const char *const common_condition[] = {"ConditionExpression", NULL};
        static const char *const common_query[] = {"FilterExpression", "KeyConditionExpression",
                                                   NULL};
        static const char *const common_filter[] = {"FilterExpression", NULL};
        static const char *const common_both[] = {"UpdateExpression", "ConditionExpression", NULL};
        const char *name = call->operation->name;
        const char *const *list = strcmp(name, "Query") == 0        ? common_query
                                  : strcmp(name, "Scan") == 0       ? common_filter
                                  : strcmp(name, "UpdateItem") == 0 ? common_both
                                                                    : common_condition;
        return common_lonely(call, "ExpressionAttributeValues", lists, list);
    }
    return values ? common_values(call, values, &out->scope) : ST_OK;
}

static st_status common_size(wire_call *call, st_slice text)
{
    call->oversize = text.size;
    return ST_OK;
}

st_status st_wire__parse_condition(wire_call *call, uint32_t object, const char *member,
                                   st_expr_kind kind, wire_expressions *expressions,
                                   st_condition **out_condition)
{
    uint32_t node = st_wire__member(call, object, member);
    *out_condition = NULL;
    if (node == 0) {
        return ST_OK;
    }
    ST_TRY(common_size(call, call->doc.nodes[node].text));
    return st_condition_parse(call->op, kind, call->doc.nodes[node].text, &expressions->scope,
                              out_condition);
}

st_status st_wire__parse_update(wire_call *call, uint32_t object, wire_expressions *expressions)
{
    uint32_t node = st_wire__member(call, object, "UpdateExpression");
    if (node == 0) {
        return ST_OK;
    }
    ST_TRY(common_size(call, call->doc.nodes[node].text));
    return st_update_parse(call->op, call->doc.nodes[node].text, &expressions->scope,
                           &expressions->update);
}

st_status st_wire__parse_projection(wire_call *call, uint32_t object, wire_expressions *expressions)
{
    uint32_t node = st_wire__member(call, object, "ProjectionExpression");
    if (node == 0) {
        return ST_OK;
    }
    ST_TRY(common_size(call, call->doc.nodes[node].text));
    ST_TRY(st_projection_parse(call->op, call->doc.nodes[node].text, &expressions->scope,
                               &expressions->projection));
    return st_projection_resolve(call->op, expressions->projection, &expressions->scope);
}

/* ---- tables ----------------------------------------------------------------------------- */

st_status st_wire__describe(wire_call *call, st_slice name, st_table_info *out_info)
{
    return st_table_describe(call->op, call->database, 0, name, out_info);
}

/* ---- writing ---------------------------------------------------------------------------- */

void st_wire__put_comma(wire_call *call, bool *is_first)
{
    if (!*is_first) {
        st_buf_byte(call->out, ',');
    }
    *is_first = false;
}

void st_wire__put_integer(st_buf *out, uint64_t value)
{
    char text[24];
    int bytes = snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    st_buf_append(out, text, (size_t)bytes);
}

void st_wire__put_number(st_buf *out, double value)
{
    char text[40];
    int bytes = snprintf(text, sizeof text, "%.1f", value);
    st_buf_append(out, text, (size_t)bytes);
}

void st_wire__put_time(st_buf *out, uint64_t time_us)
{
    char text[40];
    int bytes = snprintf(text, sizeof text, "%llu.%03llu", (unsigned long long)(time_us / 1000000),
                         (unsigned long long)(time_us / 1000 % 1000));
    st_buf_append(out, text, (size_t)bytes);
}

void st_wire__put_arn(wire_call *call, st_slice table, st_buf *out)
{
    st_wire__put_text(out, COMMON_ARN);
    st_wire__put_text(out, call->settings->region);
    st_wire__put_text(out, ":");
    st_wire__put_text(out, call->settings->account);
    st_wire__put_text(out, ":table/");
    st_buf_slice(out, table);
}

/* Days since 1970 as a date of the Gregorian calendar: eras of 400 years that begin in March. */
void st_wire__put_label(uint64_t time_us, st_buf *out)
{
    uint64_t seconds = time_us / 1000000, days = seconds / 86400 + 719468;
    uint64_t era = days / 146097, day = days % 146097;
    uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    uint64_t of_year = day - (365 * year + year / 4 - year / 100);
    uint64_t month = (5 * of_year + 2) / 153;
    uint64_t date = of_year - (153 * month + 2) / 5 + 1;
    uint64_t real_month = month < 10 ? month + 3 : month - 9;
    uint64_t real_year = year + era * 400 + (real_month <= 2);
    char text[64];
    int bytes = snprintf(
        text, sizeof text, "%04llu-%02llu-%02lluT%02llu:%02llu:%02llu.%03llu",
        (unsigned long long)real_year, (unsigned long long)real_month, (unsigned long long)date,
        (unsigned long long)(seconds / 3600 % 24), (unsigned long long)(seconds / 60 % 60),
        (unsigned long long)(seconds % 60), (unsigned long long)(time_us / 1000 % 1000));
    st_buf_append(out, text, (size_t)bytes);
}

/* ---- capacity --------------------------------------------------------------------------- */

static double common_units(const st_capacity_arm *arm)
{
    return (double)(arm->read_halves + arm->write_halves) / 2;
}

static void common_put_units(wire_call *call, double units, bool is_split, bool is_read)
{
    st_wire__put_text(call->out, "\"CapacityUnits\":");
    st_wire__put_number(call->out, units);
    if (is_split) {
        st_wire__put_text(call->out,
                          is_read ? ",\"ReadCapacityUnits\":" : ",\"WriteCapacityUnits\":");
        st_wire__put_number(call->out, units);
    }
}

static void common_put_indexes(wire_call *call, st_slice charges, size_t from, uint8_t kind,
                               const char *name)
{
    st_reader reader = st_reader_of(charges);
    reader.at = from;
    st_capacity_arm arm;
    uint32_t count = 0;
    while (st_capacity_next(&reader, &arm) && arm.kind != 0) {
        if (arm.kind != kind) {
            continue;
        }
        st_wire__put_text(call->out, count++ == 0 ? ",\"" : ",");
        if (count == 1) {
            st_wire__put_text(call->out, name);
            st_wire__put_text(call->out, "\":{");
        }
        st_json_put_string(call->out, arm.name);
        st_wire__put_text(call->out, ":{\"CapacityUnits\":");
        st_wire__put_number(call->out, common_units(&arm));
        st_wire__put_text(call->out, "}");
    }
    st_wire__put_text(call->out, count > 0 ? "}" : "");
}

/* One table: its own arm is table, those of its indexes begin at from. */
static void common_put_table(wire_call *call, st_slice charges, size_t from,
                             const st_capacity_arm *table, bool is_split, bool is_read)
{
    st_reader reader = st_reader_of(charges);
    reader.at = from;
    st_capacity_arm arm;
    double total = common_units(table);
    while (st_capacity_next(&reader, &arm) && arm.kind != 0) {
        total += common_units(&arm);
    }
    st_wire__put_text(call->out, "{\"TableName\":");
    st_json_put_string(call->out, table->name);
    st_wire__put_text(call->out, ",");
    common_put_units(call, total, is_split, is_read);
    if (st_wire__capacity(call) == 2) {
        st_wire__put_text(call->out, ",\"Table\":{");
        common_put_units(call, common_units(table), is_split, is_read);
        st_wire__put_text(call->out, "}");
        common_put_indexes(call, charges, from, ST_INDEX_LOCAL, "LocalSecondaryIndexes");
        common_put_indexes(call, charges, from, ST_INDEX_GLOBAL, "GlobalSecondaryIndexes");
    }
    st_wire__put_text(call->out, "}");
}

void st_wire__put_capacity(wire_call *call, st_slice charges, bool is_list, bool is_split,
                           bool is_read, bool *is_first)
{
    st_reader reader = st_reader_of(charges);
    st_capacity_arm arm;
    bool has_any = false;
    if (st_wire__capacity(call) == 0 || charges.size == 0) {
        return;
    }
    st_wire__put_comma(call, is_first);
    st_wire__put_text(call->out, is_list ? "\"ConsumedCapacity\":[" : "\"ConsumedCapacity\":");
    while (st_capacity_next(&reader, &arm)) {
        if (arm.kind == 0 && (is_list || !has_any)) {
            st_wire__put_text(call->out, has_any ? "," : "");
            common_put_table(call, charges, reader.at, &arm, is_split, is_read);
            has_any = true;
        }
    }
    st_wire__put_text(call->out, is_list ? "]" : "");
}

void st_wire__put_metrics(wire_call *call, const st_table_info *info, st_slice key_or_item,
                          bool *is_first)
{
    st_value map, value;
    bool has_local = false;
    for (uint32_t i = 0; i < info->definition.index_count; i++) {
        has_local |= info->definition.indexes[i].kind == ST_INDEX_LOCAL;
    }
    if (!has_local || !st_value_of(key_or_item, &map)) {
        return;
    }
    st_slice name = info->definition.schema.partition[0].name, found;
    st_members walk = st_members_of(&map);
    st_buf canonical;
    st_buf_init(&canonical, call->op->alloc);
    while (st_members_next(&walk, &found, &value)) {
        if (st_slice_equal(found, name) &&
            st_value_canonicalize(call->op, value.encoded, &canonical) == ST_OK &&
            st_value_of(st_buf_view(&canonical), &value)) {
            st_wire__put_comma(call, is_first);
            st_wire__put_text(call->out, "\"ItemCollectionMetrics\":{\"ItemCollectionKey\":{");
            st_json_put_string(call->out, name);
            st_wire__put_text(call->out, ":");
            st_wire__put_value(&value, false, call->out);
            st_wire__put_text(call->out, "},\"SizeEstimateRangeGB\":[0.0,1.0]}");
            break;
        }
    }
    st_buf_deinit(&canonical);
}
