/* Prints a statement as a statement: what is printed can be parsed, and prints the same again.
 * Binaries have no literal and are printed as a question mark. */
#include "support/partiql_print.h"

#include <stdio.h>

static void print_text(st_buf *out, const char *text)
{
    st_buf_slice(out, st_slice_str(text));
}

static void print_quoted(st_buf *out, st_slice text, uint8_t quote)
{
    st_buf_byte(out, quote);
    for (size_t i = 0; i < text.size; i++) {
        st_buf_byte(out, text.data[i]);
        if (text.data[i] == quote) {
            st_buf_byte(out, quote);
        }
    }
    st_buf_byte(out, quote);
}

static void print_path(st_buf *out, const st_partiql_path *path)
{
    for (uint32_t i = 0; i < path->count; i++) {
        char index[16];
        if (path->steps[i].is_index) {
            snprintf(index, sizeof index, "[%u]", path->steps[i].index);
            print_text(out, index);
        } else {
            print_text(out, i > 0 ? "." : "");
            print_quoted(out, path->steps[i].name, '"');
        }
    }
}

static void print_value(st_buf *out, const st_value *value);

static void print_members(st_buf *out, const st_value *value, const char *open, const char *close)
{
    st_members walk = st_members_of(value);
    st_slice name;
    st_value member;
    print_text(out, open);
    for (uint32_t i = 0; st_members_next(&walk, &name, &member); i++) {
        print_text(out, i > 0 ? ", " : "");
        if (value->type == ST_TYPE_M) {
            print_quoted(out, name, '\'');
            print_text(out, ": ");
        }
        print_value(out, &member);
    }
    print_text(out, close);
}

static void print_value(st_buf *out, const st_value *value)
{
    switch (value->type) {
    case ST_TYPE_S:
        print_quoted(out, value->bytes, '\'');
        break;
    case ST_TYPE_N:
        st_buf_slice(out, value->bytes);
        break;
    case ST_TYPE_BOOL:
        print_text(out, value->boolean ? "TRUE" : "FALSE");
        break;
    case ST_TYPE_NULL:
        print_text(out, "NULL");
        break;
    case ST_TYPE_SS:
    case ST_TYPE_NS:
        print_members(out, value, "<<", ">>");
        break;
    case ST_TYPE_L:
        print_members(out, value, "[", "]");
        break;
    case ST_TYPE_M:
        print_members(out, value, "{", "}");
        break;
    default:
        print_text(out, "?");
        break;
    }
}

static void print_encoded(st_buf *out, st_slice encoded)
{
    st_value value;
    if (st_value_of(encoded, &value)) {
        print_value(out, &value);
    }
}

static void print_node(st_buf *out, const st_partiql_node *node);

static void print_operands(st_buf *out, const st_partiql_node *node, uint32_t first,
                           const char *between, const char *open, const char *close)
{
    print_text(out, open);
    for (uint32_t i = first; i < node->count; i++) {
        print_text(out, i > first ? between : "");
        print_node(out, &node->operands[i]);
    }
    print_text(out, close);
}

static const char *print_type(st_type type)
{
    switch (type) {
    case ST_TYPE_NONE:
        return "MISSING";
    case ST_TYPE_BOOL:
        return "BOOLEAN";
    case ST_TYPE_B:
        return "BLOB";
    case ST_TYPE_S:
        return "STRING";
    case ST_TYPE_N:
        return "NUMERIC";
    case ST_TYPE_M:
        return "STRUCT";
    case ST_TYPE_L:
        return "LIST";
    default:
        return "NULL";
    }
}

static void print_node(st_buf *out, const st_partiql_node *node)
{
    const char *text = st_partiql_kind_text(node->kind);
    char between[32];
    snprintf(between, sizeof between, " %s ", text);
    switch (node->kind) {
    case ST_PARTIQL_VALUE:
        print_encoded(out, node->value);
        break;
    case ST_PARTIQL_PATH:
        print_path(out, &node->path);
        break;
    case ST_PARTIQL_NOT:
        print_text(out, "NOT ");
        print_node(out, &node->operands[0]);
        break;
    case ST_PARTIQL_BETWEEN:
        print_node(out, &node->operands[0]);
        print_operands(out, node, 1, " AND ", between, "");
        break;
    case ST_PARTIQL_IN:
        print_node(out, &node->operands[0]);
        print_operands(out, node, 1, ", ", " IN [", "]");
        break;
    case ST_PARTIQL_IS:
        print_node(out, &node->operands[0]);
        print_text(out, between);
        print_text(out, print_type(node->type));
        break;
    case ST_PARTIQL_OR:
    case ST_PARTIQL_AND:
    case ST_PARTIQL_PLUS:
    case ST_PARTIQL_MINUS:
        print_operands(out, node, 0, between, "(", ")");
        break;
    default:
        if (node->kind >= ST_PARTIQL_EQUAL && node->kind <= ST_PARTIQL_AT_LEAST) {
            print_operands(out, node, 0, between, "", "");
        } else {
            print_text(out, text);
            print_operands(out, node, 0, ", ", "(", ")");
        }
        break;
    }
}

static void print_paths(st_buf *out, const st_partiql_path *paths, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        print_text(out, i > 0 ? ", " : "");
        print_path(out, &paths[i]);
    }
}

static void print_select(st_buf *out, const st_partiql_statement *s)
{
    print_text(out, s->verb == ST_PARTIQL_EXISTS ? "EXISTS(SELECT " : "SELECT ");
    print_paths(out, s->projection, s->projection_count);
    print_text(out, s->projection_count == 0 ? "* FROM " : " FROM ");
    print_quoted(out, s->table, '"');
    if (s->index.size > 0) {
        print_text(out, ".");
        print_quoted(out, s->index, '"');
    }
    if (s->where) {
        print_text(out, " WHERE ");
        print_node(out, s->where);
    }
    for (uint32_t i = 0; i < s->order_count; i++) {
        print_text(out, i > 0 ? ", " : " ORDER BY ");
        if (s->order[i].other) {
            print_text(out, s->order[i].other);
        } else {
            print_quoted(out, s->order[i].name, '"');
        }
        print_text(out, s->order[i].is_descending ? " DESC" : " ASC");
    }
    print_text(out, s->verb == ST_PARTIQL_EXISTS ? ")" : "");
}

static void print_update(st_buf *out, const st_partiql_statement *s)
{
    print_text(out, "UPDATE ");
    print_quoted(out, s->table, '"');
    for (uint32_t i = 0; i < s->assignment_count; i++) {
        print_text(out, i > 0 ? ", " : " SET ");
        print_path(out, &s->assignments[i].path);
        print_text(out, " = ");
        print_node(out, &s->assignments[i].value);
    }
    for (uint32_t i = 0; i < s->removal_count; i++) {
        print_text(out, " REMOVE ");
        print_path(out, &s->removals[i]);
    }
}

void partiql_print(const st_partiql_statement *s, st_buf *out)
{
    static const char *const returnings[] = {
        "",
        " RETURNING ALL OLD *",
        " RETURNING ALL NEW *",
        " RETURNING MODIFIED OLD *",
        " RETURNING MODIFIED NEW *",
    };
    switch (s->verb) {
    case ST_PARTIQL_SELECT:
    case ST_PARTIQL_EXISTS:
        print_select(out, s);
        return;
    case ST_PARTIQL_INSERT:
        print_text(out, "INSERT INTO ");
        print_quoted(out, s->table, '"');
        print_text(out, " VALUE ");
        print_encoded(out, s->item);
        break;
    case ST_PARTIQL_UPDATE:
        print_update(out, s);
        break;
    case ST_PARTIQL_DELETE:
        print_text(out, "DELETE FROM ");
        print_quoted(out, s->table, '"');
        break;
    }
    if (s->where) {
        print_text(out, " WHERE ");
        print_node(out, s->where);
    }
    print_text(out, returnings[s->returning]);
}
