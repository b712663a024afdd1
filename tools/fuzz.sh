#!/usr/bin/env bash
# Fuzzes every target of tests/fuzz, or those named, for FUZZ_SECONDS each, and prints what they did. New inputs are
# kept in build/fuzz/corpus/NAME; an input that breaks a target is written to build/fuzz/found.
#
#   fuzz.sh [NAME...]            fuzz
#   fuzz.sh --minimise [NAME...] choose the smallest corpus with the same coverage and write it to tests/fuzz/corpus
set -euo pipefail
cd "$(dirname "$0")/.."
minimise=
[ "${1-}" != --minimise ] || { minimise=1; shift; }
names=("$@")
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(sed -n 's/^stator_fuzz(\([a-z_]*\) .*/\1/p' tests/fuzz/CMakeLists.txt)
limits=(-max_len=8192 -timeout=20 -rss_limit_mb=2048)
found=build/fuzz/found
mkdir -p "$found"

# fuzz_one NAME: one line, or the end of the log.
fuzz_one() {
    local work=build/fuzz/corpus/$1 log=build/logs/fuzz-$1.log words=()
    mkdir -p "$work"
    [ ! -f "tests/fuzz/$1.dict" ] || words=(-dict="tests/fuzz/$1.dict")
    if ! "build/fuzz/bin/fuzz_$1" "${limits[@]}" "${words[@]}" -max_total_time="${FUZZ_SECONDS:-60}" -artifact_prefix="$found/$1-" \
        "$work" "tests/fuzz/corpus/$1" >"$log" 2>&1; then
        tail -n 40 "$log"
        echo "$1: FAILED; the input is in $found; the whole log: $log"
        return 1
    fi
    printf '%-20s %12s executions %8s edges %6s inputs\n' "$1" \
        "$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log")" \
        "$(grep -ao 'cov: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)" "$(find "$work" -type f | wc -l)"
}

# minimise_one NAME: from the committed inputs and those that fuzzing kept.
minimise_one() {
    local kept=tests/fuzz/corpus/$1 work=build/fuzz/corpus/$1 scratch=build/fuzz/merge-$1
    rm -rf "$scratch" "$scratch.control"
    mkdir -p "$scratch" "$work"
    bash tools/quiet.sh "fuzz-$1-merge" "build/fuzz/bin/fuzz_$1" "${limits[@]}" -set_cover_merge=1 \
        -merge_control_file="$scratch.control" "$scratch" "$kept" "$work"
    python3 tools/fuzz_choose.py "$scratch.control" "$kept"
    rm -rf "$scratch" "$scratch.control"
}

failed=0
for name in "${names[@]}"; do
    if [ -n "$minimise" ]; then minimise_one "$name"; else fuzz_one "$name" || failed=1; fi
done
exit $failed
