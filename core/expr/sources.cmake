list(APPEND STATOR_CORE_SOURCES
  expr/reserved.c
  expr/lex.c
  expr/path.c
  expr/scope.c
  expr/condition_parse.c
  expr/condition_check.c
  expr/condition_eval.c
  expr/update_parse.c
  expr/update_check.c
  expr/update_apply.c
  expr/document.c
  expr/projection.c
  expr/key_condition.c
)
