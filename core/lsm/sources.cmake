list(APPEND STATOR_CORE_SOURCES
  lsm/entry.c
  lsm/merge.c
  lsm/batch.c
  lsm/epoch.c
  lsm/memtable.c
  lsm/memtable_entry.c
  lsm/memtable_filter.c
  lsm/memtable_iter.c
  lsm/memtable_search.c
  lsm/memtable_tree.c
  # Sorted files and cache
  lsm/block.c
  lsm/block_index.c
  lsm/codec.c
  lsm/filter.c
  lsm/cache.c
  lsm/sst_writer.c
  lsm/sst_reader.c
  lsm/sst_iter.c
  lsm/sst_verify.c
  lsm/sst_inspect.c
  # The store on top of them
  lsm/names.c
  lsm/version.c
  lsm/set.c
  lsm/manifest.c
  lsm/recovery.c
  lsm/open.c
  lsm/commit.c
  lsm/sync.c
  lsm/get.c
  lsm/cursor.c
  lsm/flush.c
  lsm/compact.c
  lsm/work.c
  lsm/verify.c
)
