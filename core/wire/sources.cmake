list(APPEND STATOR_CORE_SOURCES
  wire/json.c
  wire/value.c
  wire/java_order.c
  wire/model.c
  wire/shapes.c
  wire/error.c
  wire/dispatch.c
)
