list(APPEND STATOR_CORE_SOURCES
  table/database.c
  table/catalog.c
  table/request.c
  table/execute.c
  table/write.c
  table/read.c
  table/cursor.c
  table/verify.c
)
