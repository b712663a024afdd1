list(APPEND STATOR_CORE_SOURCES
  log/log_writer.c
  log/log_reader.c
)
