"""What open() and reads can be told. python options.py [FOLDER]"""

import sys

import stator

path = sys.argv[1] if len(sys.argv) > 1 else "options.stator"
try:
    stator.open(path + "-missing", create=False)
except stator.StatorError as error:
    print(error.code)  # → NOT_FOUND

# Memory for unsorted writes, and the size of the files they end up in; 0 means the default.
with stator.open(path, memtable_bytes=1 << 20, file_bytes=4 << 20) as db:
    notes = db.table("notes", partition="id:S")
    notes.put({"id": "a"})

# Takes no lock: another process may be writing.
with stator.open(path, read_only=True) as db:
    notes = db.table("notes")
    print(notes.get("a", consistent=True))  # → {'id': 'a'}
    try:
        notes.put({"id": "b"})
    except stator.StatorError as error:
        print(error.code)  # → READ_ONLY
