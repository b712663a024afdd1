/* The words of the grammar: keywords, operators, types. A keyword is no name unless it is quoted,
 * whether the dialect has a use for it or not.
 */
#include "partiql/partiql_internal.h"

#include <string.h>

typedef struct partiql_word_row {
    const char *text;
    st_partiql__word word;
} partiql_word_row;

/* Sorted by text. */
static const partiql_word_row partiql_words[] = {
    {"absolute", ST_PARTIQL__WORD_OTHER},
    {"action", ST_PARTIQL__WORD_OTHER},
    {"add", ST_PARTIQL__WORD_OTHER},
    {"all", ST_PARTIQL__WORD_ALL},
    {"allocate", ST_PARTIQL__WORD_OTHER},
    {"alter", ST_PARTIQL__WORD_OTHER},
    {"and", ST_PARTIQL__WORD_AND},
    {"any", ST_PARTIQL__WORD_OTHER},
    {"are", ST_PARTIQL__WORD_OTHER},
    {"as", ST_PARTIQL__WORD_AS},
    {"asc", ST_PARTIQL__WORD_ASC},
    {"assertion", ST_PARTIQL__WORD_OTHER},
    {"at", ST_PARTIQL__WORD_AT},
    {"authorization", ST_PARTIQL__WORD_OTHER},
    {"avg", ST_PARTIQL__WORD_FUNCTION},
    {"bag", ST_PARTIQL__WORD_FUNCTION},
    {"begin", ST_PARTIQL__WORD_OTHER},
    {"between", ST_PARTIQL__WORD_BETWEEN},
    {"bigint", ST_PARTIQL__WORD_OTHER},
    {"bit", ST_PARTIQL__WORD_OTHER},
    {"bit_length", ST_PARTIQL__WORD_FUNCTION},
    {"blob", ST_PARTIQL__WORD_OTHER},
    {"bool", ST_PARTIQL__WORD_OTHER},
    {"boolean", ST_PARTIQL__WORD_OTHER},
    {"by", ST_PARTIQL__WORD_BY},
    {"cascade", ST_PARTIQL__WORD_OTHER},
    {"cascaded", ST_PARTIQL__WORD_OTHER},
    {"case", ST_PARTIQL__WORD_CASE},
    {"cast", ST_PARTIQL__WORD_OTHER},
    {"catalog", ST_PARTIQL__WORD_OTHER},
    {"char", ST_PARTIQL__WORD_OTHER},
    {"char_length", ST_PARTIQL__WORD_FUNCTION},
    {"character", ST_PARTIQL__WORD_CHARACTER},
    {"character_length", ST_PARTIQL__WORD_FUNCTION},
    {"check", ST_PARTIQL__WORD_OTHER},
    {"clob", ST_PARTIQL__WORD_OTHER},
    {"close", ST_PARTIQL__WORD_OTHER},
    {"coalesce", ST_PARTIQL__WORD_FUNCTION},
    {"collate", ST_PARTIQL__WORD_OTHER},
    {"collation", ST_PARTIQL__WORD_OTHER},
    {"column", ST_PARTIQL__WORD_OTHER},
    {"commit", ST_PARTIQL__WORD_OTHER},
    {"conflict", ST_PARTIQL__WORD_CONFLICT},
    {"connect", ST_PARTIQL__WORD_OTHER},
    {"connection", ST_PARTIQL__WORD_OTHER},
    {"constraint", ST_PARTIQL__WORD_OTHER},
    {"constraints", ST_PARTIQL__WORD_OTHER},
    {"continue", ST_PARTIQL__WORD_OTHER},
    {"convert", ST_PARTIQL__WORD_OTHER},
    {"corresponding", ST_PARTIQL__WORD_OTHER},
    {"count", ST_PARTIQL__WORD_FUNCTION},
    {"create", ST_PARTIQL__WORD_OTHER},
    {"cross", ST_PARTIQL__WORD_CROSS},
    {"current", ST_PARTIQL__WORD_OTHER},
    {"current_date", ST_PARTIQL__WORD_OTHER},
    {"current_time", ST_PARTIQL__WORD_OTHER},
    {"current_timestamp", ST_PARTIQL__WORD_OTHER},
    {"current_user", ST_PARTIQL__WORD_OTHER},
    {"cursor", ST_PARTIQL__WORD_OTHER},
    {"date", ST_PARTIQL__WORD_OTHER},
    {"date_add", ST_PARTIQL__WORD_OTHER},
    {"date_diff", ST_PARTIQL__WORD_OTHER},
    {"deallocate", ST_PARTIQL__WORD_OTHER},
    {"dec", ST_PARTIQL__WORD_OTHER},
    {"decimal", ST_PARTIQL__WORD_OTHER},
    {"declare", ST_PARTIQL__WORD_OTHER},
    {"default", ST_PARTIQL__WORD_OTHER},
    {"deferrable", ST_PARTIQL__WORD_OTHER},
    {"deferred", ST_PARTIQL__WORD_OTHER},
    {"delete", ST_PARTIQL__WORD_DELETE},
    {"desc", ST_PARTIQL__WORD_DESC},
    {"describe", ST_PARTIQL__WORD_OTHER},
    {"descriptor", ST_PARTIQL__WORD_OTHER},
    {"diagnostics", ST_PARTIQL__WORD_OTHER},
    {"disconnect", ST_PARTIQL__WORD_OTHER},
    {"distinct", ST_PARTIQL__WORD_DISTINCT},
    {"do", ST_PARTIQL__WORD_DO},
    {"domain", ST_PARTIQL__WORD_OTHER},
    {"double", ST_PARTIQL__WORD_DOUBLE},
    {"drop", ST_PARTIQL__WORD_OTHER},
    {"else", ST_PARTIQL__WORD_ELSE},
    {"end", ST_PARTIQL__WORD_END},
    {"escape", ST_PARTIQL__WORD_ESCAPE},
    {"except", ST_PARTIQL__WORD_EXCEPT},
    {"exception", ST_PARTIQL__WORD_OTHER},
    {"exec", ST_PARTIQL__WORD_OTHER},
    {"execute", ST_PARTIQL__WORD_OTHER},
    {"exists", ST_PARTIQL__WORD_FUNCTION},
    {"external", ST_PARTIQL__WORD_OTHER},
    {"extract", ST_PARTIQL__WORD_FUNCTION},
    {"false", ST_PARTIQL__WORD_FALSE},
    {"fetch", ST_PARTIQL__WORD_OTHER},
    {"first", ST_PARTIQL__WORD_FIRST},
    {"float", ST_PARTIQL__WORD_OTHER},
    {"for", ST_PARTIQL__WORD_OTHER},
    {"foreign", ST_PARTIQL__WORD_OTHER},
    {"found", ST_PARTIQL__WORD_OTHER},
    {"from", ST_PARTIQL__WORD_FROM},
    {"full", ST_PARTIQL__WORD_FULL},
    {"get", ST_PARTIQL__WORD_OTHER},
    {"global", ST_PARTIQL__WORD_OTHER},
    {"go", ST_PARTIQL__WORD_OTHER},
    {"goto", ST_PARTIQL__WORD_OTHER},
    {"grant", ST_PARTIQL__WORD_OTHER},
    {"group", ST_PARTIQL__WORD_GROUP},
    {"having", ST_PARTIQL__WORD_HAVING},
    {"identity", ST_PARTIQL__WORD_OTHER},
    {"immediate", ST_PARTIQL__WORD_OTHER},
    {"in", ST_PARTIQL__WORD_IN},
    {"index", ST_PARTIQL__WORD_OTHER},
    {"indicator", ST_PARTIQL__WORD_OTHER},
    {"initially", ST_PARTIQL__WORD_OTHER},
    {"inner", ST_PARTIQL__WORD_INNER},
    {"input", ST_PARTIQL__WORD_OTHER},
    {"insensitive", ST_PARTIQL__WORD_OTHER},
    {"insert", ST_PARTIQL__WORD_INSERT},
    {"int", ST_PARTIQL__WORD_OTHER},
    {"int2", ST_PARTIQL__WORD_OTHER},
    {"int4", ST_PARTIQL__WORD_OTHER},
    {"int8", ST_PARTIQL__WORD_OTHER},
    {"integer", ST_PARTIQL__WORD_OTHER},
    {"integer2", ST_PARTIQL__WORD_OTHER},
    {"integer4", ST_PARTIQL__WORD_OTHER},
    {"integer8", ST_PARTIQL__WORD_OTHER},
    {"intersect", ST_PARTIQL__WORD_INTERSECT},
    {"interval", ST_PARTIQL__WORD_OTHER},
    {"into", ST_PARTIQL__WORD_INTO},
    {"is", ST_PARTIQL__WORD_IS},
    {"isolation", ST_PARTIQL__WORD_OTHER},
    {"join", ST_PARTIQL__WORD_JOIN},
    {"key", ST_PARTIQL__WORD_OTHER},
    {"language", ST_PARTIQL__WORD_OTHER},
    {"last", ST_PARTIQL__WORD_LAST},
    {"left", ST_PARTIQL__WORD_LEFT},
    {"level", ST_PARTIQL__WORD_OTHER},
    {"like", ST_PARTIQL__WORD_LIKE},
    {"limit", ST_PARTIQL__WORD_LIMIT},
    {"list", ST_PARTIQL__WORD_FUNCTION},
    {"local", ST_PARTIQL__WORD_OTHER},
    {"lower", ST_PARTIQL__WORD_FUNCTION},
    {"match", ST_PARTIQL__WORD_OTHER},
    {"max", ST_PARTIQL__WORD_FUNCTION},
    {"min", ST_PARTIQL__WORD_FUNCTION},
    {"missing", ST_PARTIQL__WORD_MISSING},
    {"modified", ST_PARTIQL__WORD_MODIFIED},
    {"module", ST_PARTIQL__WORD_OTHER},
    {"names", ST_PARTIQL__WORD_OTHER},
    {"national", ST_PARTIQL__WORD_OTHER},
    {"natural", ST_PARTIQL__WORD_OTHER},
    {"nchar", ST_PARTIQL__WORD_OTHER},
    {"new", ST_PARTIQL__WORD_NEW},
    {"next", ST_PARTIQL__WORD_OTHER},
    {"no", ST_PARTIQL__WORD_OTHER},
    {"not", ST_PARTIQL__WORD_NOT},
    {"nothing", ST_PARTIQL__WORD_NOTHING},
    {"null", ST_PARTIQL__WORD_NULL},
    {"nullif", ST_PARTIQL__WORD_FUNCTION},
    {"numeric", ST_PARTIQL__WORD_OTHER},
    {"octet_length", ST_PARTIQL__WORD_FUNCTION},
    {"of", ST_PARTIQL__WORD_OTHER},
    {"old", ST_PARTIQL__WORD_OLD},
    {"on", ST_PARTIQL__WORD_ON},
    {"only", ST_PARTIQL__WORD_OTHER},
    {"open", ST_PARTIQL__WORD_OTHER},
    {"option", ST_PARTIQL__WORD_OTHER},
    {"or", ST_PARTIQL__WORD_OR},
    {"order", ST_PARTIQL__WORD_ORDER},
    {"outer", ST_PARTIQL__WORD_OUTER},
    {"output", ST_PARTIQL__WORD_OTHER},
    {"overlaps", ST_PARTIQL__WORD_OTHER},
    {"pad", ST_PARTIQL__WORD_OTHER},
    {"partial", ST_PARTIQL__WORD_OTHER},
    {"pivot", ST_PARTIQL__WORD_OTHER},
    {"position", ST_PARTIQL__WORD_OTHER},
    {"precision", ST_PARTIQL__WORD_PRECISION},
    {"prepare", ST_PARTIQL__WORD_OTHER},
    {"preserve", ST_PARTIQL__WORD_OTHER},
    {"primary", ST_PARTIQL__WORD_OTHER},
    {"prior", ST_PARTIQL__WORD_OTHER},
    {"privileges", ST_PARTIQL__WORD_OTHER},
    {"procedure", ST_PARTIQL__WORD_OTHER},
    {"public", ST_PARTIQL__WORD_OTHER},
    {"read", ST_PARTIQL__WORD_OTHER},
    {"real", ST_PARTIQL__WORD_OTHER},
    {"references", ST_PARTIQL__WORD_OTHER},
    {"relative", ST_PARTIQL__WORD_OTHER},
    {"remove", ST_PARTIQL__WORD_REMOVE},
    {"restrict", ST_PARTIQL__WORD_OTHER},
    {"returning", ST_PARTIQL__WORD_RETURNING},
    {"revoke", ST_PARTIQL__WORD_OTHER},
    {"right", ST_PARTIQL__WORD_RIGHT},
    {"rollback", ST_PARTIQL__WORD_OTHER},
    {"rows", ST_PARTIQL__WORD_OTHER},
    {"schema", ST_PARTIQL__WORD_OTHER},
    {"scroll", ST_PARTIQL__WORD_OTHER},
    {"section", ST_PARTIQL__WORD_OTHER},
    {"select", ST_PARTIQL__WORD_SELECT},
    {"session", ST_PARTIQL__WORD_OTHER},
    {"session_user", ST_PARTIQL__WORD_OTHER},
    {"set", ST_PARTIQL__WORD_SET},
    {"sexp", ST_PARTIQL__WORD_FUNCTION},
    {"size", ST_PARTIQL__WORD_FUNCTION},
    {"smallint", ST_PARTIQL__WORD_OTHER},
    {"some", ST_PARTIQL__WORD_OTHER},
    {"space", ST_PARTIQL__WORD_OTHER},
    {"sql", ST_PARTIQL__WORD_OTHER},
    {"sqlcode", ST_PARTIQL__WORD_OTHER},
    {"sqlerror", ST_PARTIQL__WORD_OTHER},
    {"sqlstate", ST_PARTIQL__WORD_OTHER},
    {"string", ST_PARTIQL__WORD_OTHER},
    {"struct", ST_PARTIQL__WORD_OTHER},
    {"substring", ST_PARTIQL__WORD_FUNCTION},
    {"sum", ST_PARTIQL__WORD_FUNCTION},
    {"symbol", ST_PARTIQL__WORD_OTHER},
    {"system_user", ST_PARTIQL__WORD_OTHER},
    {"table", ST_PARTIQL__WORD_OTHER},
    {"temporary", ST_PARTIQL__WORD_OTHER},
    {"then", ST_PARTIQL__WORD_THEN},
    {"time", ST_PARTIQL__WORD_OTHER},
    {"timestamp", ST_PARTIQL__WORD_OTHER},
    {"to", ST_PARTIQL__WORD_OTHER},
    {"transaction", ST_PARTIQL__WORD_OTHER},
    {"translate", ST_PARTIQL__WORD_OTHER},
    {"translation", ST_PARTIQL__WORD_OTHER},
    {"trim", ST_PARTIQL__WORD_FUNCTION},
    {"true", ST_PARTIQL__WORD_TRUE},
    {"tuple", ST_PARTIQL__WORD_OTHER},
    {"union", ST_PARTIQL__WORD_UNION},
    {"unique", ST_PARTIQL__WORD_OTHER},
    {"unknown", ST_PARTIQL__WORD_OTHER},
    {"unpivot", ST_PARTIQL__WORD_OTHER},
    {"update", ST_PARTIQL__WORD_UPDATE},
    {"upper", ST_PARTIQL__WORD_FUNCTION},
    {"usage", ST_PARTIQL__WORD_OTHER},
    {"user", ST_PARTIQL__WORD_OTHER},
    {"using", ST_PARTIQL__WORD_OTHER},
    {"value", ST_PARTIQL__WORD_VALUE},
    {"values", ST_PARTIQL__WORD_VALUES},
    {"varchar", ST_PARTIQL__WORD_OTHER},
    {"varying", ST_PARTIQL__WORD_VARYING},
    {"view", ST_PARTIQL__WORD_OTHER},
    {"when", ST_PARTIQL__WORD_WHEN},
    {"whenever", ST_PARTIQL__WORD_OTHER},
    {"where", ST_PARTIQL__WORD_WHERE},
    {"with", ST_PARTIQL__WORD_OTHER},
    {"work", ST_PARTIQL__WORD_OTHER},
    {"write", ST_PARTIQL__WORD_OTHER},
    {"zone", ST_PARTIQL__WORD_OTHER},
};

static uint8_t partiql_lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

static int partiql_compare_lower(st_slice text, const char *lower)
{
    for (size_t i = 0; i < text.size; i++) {
        int order = partiql_lower(text.data[i]) - (uint8_t)lower[i];
        if (order != 0 || lower[i] == '\0') {
            return order;
        }
    }
    return lower[text.size] == '\0' ? 0 : -1;
}

bool st_partiql__is_text(st_slice text, const char *lower)
{
    return partiql_compare_lower(text, lower) == 0;
}

st_partiql__word st_partiql__word_of(st_slice text)
{
    size_t low = 0, high = sizeof partiql_words / sizeof partiql_words[0];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = partiql_compare_lower(text, partiql_words[middle].text);
        if (order == 0) {
            return partiql_words[middle].word;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return ST_PARTIQL__WORD_NONE;
}

typedef struct partiql_operator_row {
    const char *text;
    int precedence;
} partiql_operator_row;

static const partiql_operator_row partiql_operators[] = {
    {"", 0},
#define ST_PARTIQL__OP(name, text, precedence) {text, precedence},
#include "partiql/operators.def"
#undef ST_PARTIQL__OP
};

const char *st_partiql__operator_text(st_partiql__operator op)
{
    return partiql_operators[op].text;
}

int st_partiql__operator_precedence(st_partiql__operator op)
{
    return partiql_operators[op].precedence;
}

typedef struct partiql_type_row {
    const char *text;
    st_type type;
    const char *other;
} partiql_type_row;

static const partiql_type_row partiql_types[] = {
    {"missing", ST_TYPE_NONE, NULL},
    {"null", ST_TYPE_NULL, NULL},
    {"boolean", ST_TYPE_BOOL, NULL},
    {"bool", ST_TYPE_BOOL, NULL},
    {"blob", ST_TYPE_B, NULL},
    {"string", ST_TYPE_S, NULL},
    {"numeric", ST_TYPE_N, NULL},
    {"struct", ST_TYPE_M, NULL},
    {"tuple", ST_TYPE_M, NULL},
    {"list", ST_TYPE_L, NULL},
    {"int", ST_TYPE_NONE, "IntegerType"},
    {"integer", ST_TYPE_NONE, "IntegerType"},
    {"smallint", ST_TYPE_NONE, "SmallintType"},
    {"int2", ST_TYPE_NONE, "SmallintType"},
    {"integer2", ST_TYPE_NONE, "SmallintType"},
    {"int4", ST_TYPE_NONE, "Integer4Type"},
    {"integer4", ST_TYPE_NONE, "Integer4Type"},
    {"int8", ST_TYPE_NONE, "Integer8Type"},
    {"integer8", ST_TYPE_NONE, "Integer8Type"},
    {"bigint", ST_TYPE_NONE, "Integer8Type"},
    {"float", ST_TYPE_NONE, "FloatType"},
    {"real", ST_TYPE_NONE, "RealType"},
    {"double precision", ST_TYPE_NONE, "DoublePrecisionType"},
    {"dec", ST_TYPE_NONE, "DecimalType"},
    {"decimal", ST_TYPE_NONE, "DecimalType"},
    {"timestamp", ST_TYPE_NONE, "TimestampType"},
    {"date", ST_TYPE_NONE, "DateType"},
    {"time", ST_TYPE_NONE, "TimeType"},
    {"char", ST_TYPE_NONE, "CharacterType"},
    {"character", ST_TYPE_NONE, "CharacterType"},
    {"varchar", ST_TYPE_NONE, "CharacterVaryingType"},
    {"character varying", ST_TYPE_NONE, "CharacterVaryingType"},
    {"symbol", ST_TYPE_NONE, "SymbolType"},
    {"clob", ST_TYPE_NONE, "ClobType"},
    {"sexp", ST_TYPE_NONE, "SexpType"},
    {"bag", ST_TYPE_NONE, "BagType"},
    {"any", ST_TYPE_NONE, "AnyType"},
};

bool st_partiql__type_of(st_slice text, st_type *out_type, const char **out_other)
{
    for (size_t i = 0; i < sizeof partiql_types / sizeof partiql_types[0]; i++) {
        if (st_partiql__is_text(text, partiql_types[i].text)) {
            *out_type = partiql_types[i].type;
            *out_other = partiql_types[i].other;
            return true;
        }
    }
    return false;
}

static const char *const partiql_kind_texts[] = {
    [ST_PARTIQL_VALUE] = "",
    [ST_PARTIQL_PATH] = "",
    [ST_PARTIQL_OR] = "OR",
    [ST_PARTIQL_AND] = "AND",
    [ST_PARTIQL_NOT] = "NOT",
    [ST_PARTIQL_EQUAL] = "=",
    [ST_PARTIQL_NOT_EQUAL] = "<>",
    [ST_PARTIQL_LESS] = "<",
    [ST_PARTIQL_AT_MOST] = "<=",
    [ST_PARTIQL_GREATER] = ">",
    [ST_PARTIQL_AT_LEAST] = ">=",
    [ST_PARTIQL_BETWEEN] = "BETWEEN",
    [ST_PARTIQL_IN] = "IN",
    [ST_PARTIQL_IS] = "IS",
    [ST_PARTIQL_ATTRIBUTE_EXISTS] = "attribute_exists",
    [ST_PARTIQL_ATTRIBUTE_NOT_EXISTS] = "attribute_not_exists",
    [ST_PARTIQL_ATTRIBUTE_TYPE] = "attribute_type",
    [ST_PARTIQL_BEGINS_WITH] = "begins_with",
    [ST_PARTIQL_CONTAINS] = "contains",
    [ST_PARTIQL_SIZE] = "size",
    [ST_PARTIQL_LIST_APPEND] = "list_append",
    [ST_PARTIQL_IF_NOT_EXISTS] = "if_not_exists",
    [ST_PARTIQL_SET_ADD] = "set_add",
    [ST_PARTIQL_SET_DELETE] = "set_delete",
    [ST_PARTIQL_PLUS] = "+",
    [ST_PARTIQL_MINUS] = "-",
};

const char *st_partiql_kind_text(st_partiql_kind kind)
{
    return (unsigned)kind < sizeof partiql_kind_texts / sizeof partiql_kind_texts[0]
               ? partiql_kind_texts[kind]
               : "";
}
