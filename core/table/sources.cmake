list(APPEND STATOR_CORE_SOURCES
  table/database.c
  table/gate.c
  table/catalog.c
  table/catalog_rows.c
  table/define.c
  table/request.c
  table/execute.c
  table/write.c
  table/read.c
  table/query.c
  table/cursor.c
  table/verify.c
)
