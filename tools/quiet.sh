#!/usr/bin/env bash
# quiet.sh LOG COMMAND...: runs the command with its output in build/logs/LOG.log; shows the end of it on failure.
set -u
log=build/logs/$1.log
shift
mkdir -p build/logs
"$@" >"$log" 2>&1
status=$?
if [ $status -ne 0 ]; then
    tail -n 60 "$log"
    echo "failed ($status): $*; the whole log: $log"
fi
exit $status
