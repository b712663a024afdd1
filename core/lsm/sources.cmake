# Memtable and merging.
list(APPEND STATOR_CORE_SOURCES)

# Sorted files and cache.
list(APPEND STATOR_CORE_SOURCES)

# The engine above them.
list(APPEND STATOR_CORE_SOURCES)
