#!/usr/bin/env bash
# Builds what the quickstart shows: the command line, the three packages.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/build/tools/bin:$PATH"
mkdir -p build/quickstart
bash tools/quiet.sh configure-release cmake --preset release
bash tools/quiet.sh build-release cmake --build --preset release -j"$(nproc)" --target stator_cli
python3 tools/core_hash.py
bash tools/python_env.sh
bash tools/quiet.sh build-go go build -o build/quickstart/query-go ./tools/quickstart
bash tools/quiet.sh build-node bash -c 'cd node && { [ -d node_modules ] || npm ci --ignore-scripts --no-audit --no-fund; } && npm run build'
