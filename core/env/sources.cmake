list(APPEND STATOR_CORE_SOURCES
  env/env.c
  env/sync.c
  env/process.c
  env/posix_file.c
  env/posix_dir.c
  env/memory.c
)
