/* Literals become relaxed values. Messages say where in the literal something is wrong: root is the
 * literal itself, root.x and root[1] what is in it.
 */
#include "partiql/partiql_internal.h"

/* The way from the root to a value; one for each level, on the stack. */
typedef struct partiql_place {
    const struct partiql_place *outer; /* NULL: the root */
    st_slice name;
    uint32_t index;
    bool is_index;
} partiql_place;

typedef struct partiql_literal_writer {
    st_partiql__parser *parser;
    st_op *op;
    st_buf out;
} partiql_literal_writer;

static st_status partiql_write(partiql_literal_writer *writer, const st_partiql__tree *tree,
                               const partiql_place *place, uint32_t depth);

const char *st_partiql__tree_name(const st_partiql__tree *tree)
{
    switch ((st_partiql__tree_kind)tree->kind) {
    case ST_PARTIQL__TREE_ID:
        return "Id";
    case ST_PARTIQL__TREE_PARAMETER:
        return "Parameter";
    case ST_PARTIQL__TREE_MISSING:
        return "Missing";
    case ST_PARTIQL__TREE_LIST:
        return "List";
    case ST_PARTIQL__TREE_BAG:
        return "Bag";
    case ST_PARTIQL__TREE_STRUCT:
        return "Struct";
    case ST_PARTIQL__TREE_PATH:
        return "Path";
    case ST_PARTIQL__TREE_CALL:
        return "Call";
    case ST_PARTIQL__TREE_OPERATOR:
        return st_partiql__operator_text((st_partiql__operator)tree->operator_);
    case ST_PARTIQL__TREE_IS:
        return "IsType";
    case ST_PARTIQL__TREE_SIMPLE_CASE:
        return "SimpleCase";
    case ST_PARTIQL__TREE_SEARCHED_CASE:
        return "SearchedCase";
    case ST_PARTIQL__TREE_STATEMENT:
        return "Select";
    default:
        return "Lit";
    }
}

bool st_partiql__is_literal(const st_partiql__tree *tree)
{
    switch ((st_partiql__tree_kind)tree->kind) {
    case ST_PARTIQL__TREE_STRING:
    case ST_PARTIQL__TREE_NUMBER:
    case ST_PARTIQL__TREE_TRUE:
    case ST_PARTIQL__TREE_FALSE:
    case ST_PARTIQL__TREE_NULL:
    case ST_PARTIQL__TREE_ION:
    case ST_PARTIQL__TREE_PARAMETER:
    case ST_PARTIQL__TREE_LIST:
    case ST_PARTIQL__TREE_BAG:
    case ST_PARTIQL__TREE_STRUCT:
        return true;
    default:
        return false;
    }
}

/* ---- messages --------------------------------------------------------------------------- */

static void partiql_place_text(const partiql_place *place, st_partiql__line *line)
{
    if (!place) {
        st_partiql__line_add(line, st_slice_str("root"));
        return;
    }
    partiql_place_text(place->outer, line);
    if (place->is_index) {
        st_partiql__line_add(line, st_slice_str("["));
        st_partiql__line_number(line, place->index);
        st_partiql__line_add(line, st_slice_str("]"));
    } else {
        st_partiql__line_add(line, st_slice_str("."));
        st_partiql__line_add(line, place->name);
    }
}

/* "text under root.x" */
static st_status partiql_refuse_under(partiql_literal_writer *writer, const partiql_place *place,
                                      const char *text)
{
    st_partiql__line line = {.size = 0};
    partiql_place_text(place, &line);
    return st_fail(writer->op, ST_INVALID_ARGUMENT, "%s under %s", text, line.text);
}

static st_status partiql_refuse_type(partiql_literal_writer *writer, const st_partiql__tree *tree,
                                     const partiql_place *place)
{
    st_partiql__line line = {.size = 0};
    partiql_place_text(place, &line);
    return st_fail(writer->op, ST_INVALID_ARGUMENT,
                   "Unsupported data type: %s under key %s" ST_PARTIQL__AT,
                   st_partiql__tree_name(tree), line.text, ST_PARTIQL__AT_OF(tree->position));
}

/* What kind of value the text of Ion begins. */
static const char *partiql_ion_type(st_slice text)
{
    size_t at = 0;
    while (at < text.size && (text.data[at] == ' ' || text.data[at] == '\n')) {
        at++;
    }
    st_slice rest = st_slice_of(text.data + at, text.size - at);
    uint8_t first = rest.size > 0 ? rest.data[0] : 0;
    bool is_digit = (first >= '0' && first <= '9') || first == '-';
    if (st_slice_starts_with(rest, st_slice_str("{{"))) {
        at = 2;
        while (at < rest.size && rest.data[at] == ' ') {
            at++;
        }
        return at < rest.size && (rest.data[at] == '"' || rest.data[at] == '\'') ? "CLOB" : "BLOB";
    }
    if (is_digit) {
        bool is_date = rest.size > 4 && (rest.data[4] == '-' || rest.data[4] == 'T');
        bool is_decimal = false, is_float = false;
        for (size_t i = 0; i < rest.size; i++) {
            is_decimal = is_decimal || rest.data[i] == '.' || (rest.data[i] | 0x20) == 'd';
            is_float = is_float || (rest.data[i] | 0x20) == 'e';
        }
        return is_date ? "TIMESTAMP" : is_float ? "FLOAT" : is_decimal ? "DECIMAL" : "INT";
    }
    if (st_slice_equal(rest, st_slice_str("true")) || st_slice_equal(rest, st_slice_str("false"))) {
        return "BOOL";
    }
    return first == '"'                                       ? "STRING"
           : first == '['                                     ? "LIST"
           : first == '('                                     ? "SEXP"
           : first == '{'                                     ? "STRUCT"
           : st_slice_starts_with(rest, st_slice_str("null")) ? "NULL"
                                                              : "SYMBOL";
}

static st_status partiql_refuse_ion(partiql_literal_writer *writer, const st_partiql__tree *tree,
                                    const partiql_place *place)
{
    st_partiql__line line = {.size = 0};
    partiql_place_text(place, &line);
    return st_fail(writer->op, ST_INVALID_ARGUMENT,
                   "Ion Literals are not supported: %s under key %s" ST_PARTIQL__AT,
                   partiql_ion_type(tree->text), line.text, ST_PARTIQL__AT_OF(tree->position));
}

/* ---- numbers ---------------------------------------------------------------------------- */

/* The text of a number with its sign; its form when it is asked for. */
static st_status partiql_number(partiql_literal_writer *writer, const st_partiql__tree *tree,
                                const partiql_place *place, st_slice *out_text, st_slice *out_form)
{
    *out_text = tree->text;
    if (tree->is_negative) {
        uint8_t *text = st_partiql__alloc(writer->op, tree->text.size + 1, 1);
        if (!text) {
            return ST_NO_MEMORY;
        }
        text[0] = '-';
        for (size_t i = 0; i < tree->text.size; i++) {
            text[i + 1] = tree->text.data[i];
        }
        *out_text = st_slice_of(text, tree->text.size + 1);
    }
    st_op judge;
    st_op_init(&judge, writer->op->alloc);
    st_number number;
    st_status status = st_number_parse(&judge, *out_text, &number);
    if (status != ST_OK) {
        status = partiql_refuse_under(writer, place, judge.error.message);
    } else if (out_form) {
        status = st_partiql__number_form(writer->op, &number, out_form);
    }
    st_op_deinit(&judge);
    return status;
}

static void partiql_put_text(st_buf *out, st_slice text)
{
    st_buf_varint(out, text.size);
    st_buf_slice(out, text);
}

/* ---- containers ------------------------------------------------------------------------- */

/* Tag and room for the head of a container; returns where its members begin. */
static size_t partiql_begin(st_buf *out, uint8_t tag)
{
    st_buf_byte(out, tag);
    st_buf_u64(out, 0);
    return out->size;
}

static void partiql_end(st_buf *out, size_t begin, uint32_t count)
{
    if (!out->failed) {
        st_put_u32(out->data + begin - 8, (uint32_t)(out->size - begin));
        st_put_u32(out->data + begin - 4, count);
    }
}

static st_status partiql_too_deep(partiql_literal_writer *writer, const partiql_place *place,
                                  uint32_t depth)
{
    return depth > ST_ITEM_NESTING_MAX
               ? partiql_refuse_under(writer, place,
                                      "Nesting Levels have exceeded supported limits")
               : ST_OK;
}

static st_status partiql_write_list(partiql_literal_writer *writer, const st_partiql__tree *tree,
                                    const partiql_place *place, uint32_t depth)
{
    ST_TRY(partiql_too_deep(writer, place, depth));
    size_t begin = partiql_begin(&writer->out, ST_TAG_L);
    partiql_place inner = {.outer = place, .is_index = true};
    for (const st_partiql__tree *child = tree->first; child; child = child->next) {
        ST_TRY(partiql_write(writer, child, &inner, depth + 1));
        inner.index++;
    }
    partiql_end(&writer->out, begin, tree->count);
    return ST_OK;
}

static st_status partiql_write_struct(partiql_literal_writer *writer, const st_partiql__tree *tree,
                                      const partiql_place *place, uint32_t depth)
{
    ST_TRY(partiql_too_deep(writer, place, depth));
    size_t begin = partiql_begin(&writer->out, ST_TAG_M);
    for (const st_partiql__tree *name = tree->first; name; name = name->next->next) {
        if (name->kind != ST_PARTIQL__TREE_STRING) {
            return partiql_refuse_type(writer, name, place);
        }
        partiql_place inner = {.outer = place, .name = name->text};
        partiql_put_text(&writer->out, name->text);
        ST_TRY(partiql_write(writer, name->next, &inner, depth + 1));
    }
    partiql_end(&writer->out, begin, tree->count / 2);
    return ST_OK;
}

/* ---- bags: sets of strings or of numbers ------------------------------------------------ */

static st_status partiql_refuse_member(partiql_literal_writer *writer, const st_partiql__tree *bag,
                                       const st_partiql__tree *member, const partiql_place *place)
{
    static const char text[] = "Unsupported data type in Bag. DynamoDB only supports either "
                               "numbers or strings in bags";
    bool is_numbers = bag->first->kind == ST_PARTIQL__TREE_NUMBER;
    if (member->kind == ST_PARTIQL__TREE_PARAMETER) {
        return partiql_refuse_type(writer, member, place);
    }
    if (member->kind == ST_PARTIQL__TREE_ION) {
        return partiql_refuse_ion(writer, member, place);
    }
    if (is_numbers && member->kind == ST_PARTIQL__TREE_NULL) {
        return partiql_refuse_under(writer, place,
                                    ST_PARTIQL__INVALID "Numeric sets may not contain null");
    }
    return is_numbers ? st_fail(writer->op, ST_INVALID_ARGUMENT, "%s", text)
                      : st_fail(writer->op, ST_INVALID_ARGUMENT, "%s" ST_PARTIQL__AT, text,
                                ST_PARTIQL__AT_OF(member->position));
}

static st_status partiql_bag_repeats(partiql_literal_writer *writer, const st_slice *texts,
                                     const st_partiql__tree *bag, const partiql_place *place)
{
    st_partiql__line list = {.size = 0}, under = {.size = 0};
    st_partiql__line_list(&list, texts, bag->count);
    if (bag->first->kind == ST_PARTIQL__TREE_STRING) {
        return st_fail(writer->op, ST_INVALID_ARGUMENT,
                       ST_PARTIQL__INVALID "Input collection %s contains duplicates.", list.text);
    }
    partiql_place_text(place, &under);
    return st_fail(writer->op, ST_INVALID_ARGUMENT,
                   ST_PARTIQL__INVALID "Input collection %s contains duplicates! under %s",
                   list.text, under.text);
}

static st_status partiql_write_bag(partiql_literal_writer *writer, const st_partiql__tree *bag,
                                   const partiql_place *place)
{
    if (bag->count == 0) {
        return st_fail(writer->op, ST_INVALID_ARGUMENT, "Empty bags are not supported");
    }
    st_slice *texts = st_partiql__alloc(writer->op, 2 * (size_t)bag->count, sizeof *texts);
    if (!texts) {
        return ST_NO_MEMORY;
    }
    st_slice *forms = texts + bag->count;
    uint8_t kind = bag->first->kind;
    bool is_strings = kind == ST_PARTIQL__TREE_STRING;
    uint32_t count = 0;
    for (const st_partiql__tree *member = bag->first; member; member = member->next) {
        if (member->kind != kind || (!is_strings && kind != ST_PARTIQL__TREE_NUMBER)) {
            return partiql_refuse_member(writer, bag, member, place);
        }
        texts[count] = forms[count] = member->text;
        if (!is_strings) {
            ST_TRY(partiql_number(writer, member, place, &texts[count], &forms[count]));
        }
        count++;
    }
    bool repeats;
    ST_TRY(st_partiql__repeats(writer->op, forms, count, &repeats));
    if (repeats) {
        return partiql_bag_repeats(writer, texts, bag, place);
    }
    size_t begin = partiql_begin(&writer->out, is_strings ? ST_TAG_SS : ST_TAG_NS_TEXT);
    for (uint32_t i = 0; i < count; i++) {
        partiql_put_text(&writer->out, texts[i]);
    }
    partiql_end(&writer->out, begin, count);
    return ST_OK;
}

/* ---- values ----------------------------------------------------------------------------- */

static st_status partiql_write(partiql_literal_writer *writer, const st_partiql__tree *tree,
                               const partiql_place *place, uint32_t depth)
{
    st_buf *out = &writer->out;
    st_slice text;
    switch ((st_partiql__tree_kind)tree->kind) {
    case ST_PARTIQL__TREE_STRING:
        st_buf_byte(out, ST_TAG_S);
        partiql_put_text(out, tree->text);
        return ST_OK;
    case ST_PARTIQL__TREE_NUMBER:
        ST_TRY(partiql_number(writer, tree, place, &text, NULL));
        st_buf_byte(out, ST_TAG_NUMBER_TEXT);
        partiql_put_text(out, text);
        return ST_OK;
    case ST_PARTIQL__TREE_TRUE:
        st_buf_byte(out, ST_TAG_TRUE);
        return ST_OK;
    case ST_PARTIQL__TREE_FALSE:
        st_buf_byte(out, ST_TAG_FALSE);
        return ST_OK;
    case ST_PARTIQL__TREE_NULL:
        st_buf_byte(out, ST_TAG_NULL);
        return ST_OK;
    case ST_PARTIQL__TREE_PARAMETER:
        st_buf_slice(out, writer->parser->parameters[tree->parameter]);
        return ST_OK;
    case ST_PARTIQL__TREE_LIST:
        return partiql_write_list(writer, tree, place, depth);
    case ST_PARTIQL__TREE_STRUCT:
        return partiql_write_struct(writer, tree, place, depth);
    case ST_PARTIQL__TREE_BAG:
        return partiql_write_bag(writer, tree, place);
    case ST_PARTIQL__TREE_ION:
        return partiql_refuse_ion(writer, tree, place);
    default:
        return partiql_refuse_type(writer, tree, place);
    }
}

st_status st_partiql__literal(st_partiql__parser *parser, const st_partiql__tree *tree,
                              bool is_item, st_slice *out_value)
{
    *out_value = (st_slice){0};
    if (tree->kind == ST_PARTIQL__TREE_PARAMETER) {
        *out_value = parser->parameters[tree->parameter];
        return ST_OK;
    }
    partiql_literal_writer writer = {.parser = parser, .op = parser->op};
    st_buf_init(&writer.out, parser->op->alloc);
    st_status status;
    ST_TRY_OUT(partiql_write(&writer, tree, NULL, is_item ? 0 : 1));
    ST_TRY_OUT(st_buf_check(parser->op, &writer.out));
    uint8_t *copy = st_partiql__alloc(parser->op, writer.out.size, 1);
    if (!copy) {
        status = ST_NO_MEMORY;
        goto out;
    }
    for (size_t i = 0; i < writer.out.size; i++) {
        copy[i] = writer.out.data[i];
    }
    *out_value = st_slice_of(copy, writer.out.size);
out:
    st_buf_deinit(&writer.out);
    return status;
}
