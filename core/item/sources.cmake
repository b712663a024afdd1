list(APPEND STATOR_CORE_SOURCES
  item/number.c
  item/number_math.c
  item/limits.c
  item/view.c
  item/canonical.c
  item/validate.c
  item/key.c
  item/range.c
  item/base64.c
  item/json_lex.c
  item/json_parse.c
  item/json_write.c
  item/json_split.c
)
