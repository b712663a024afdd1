list(APPEND STATOR_CORE_SOURCES
  item/number.c
  item/view.c
  item/canonical.c
  item/key.c
  item/json_lex.c
  item/json_parse.c
  item/json_write.c
)
