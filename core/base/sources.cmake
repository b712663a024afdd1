list(APPEND STATOR_CORE_SOURCES
  base/status.c
  base/memory.c
  base/bytes.c
  base/checksum.c
  base/text.c
)
