list(APPEND STATOR_CORE_SOURCES
  partiql/words.c
  partiql/lex.c
  partiql/grammar.c
  partiql/clauses.c
  partiql/parameter.c
  partiql/literal.c
  partiql/terms.c
  partiql/operands.c
  partiql/statement.c
  partiql/parse.c
)
