#!/usr/bin/env bash
# Keeps build/venv equal to tests/requirements.txt; does nothing while that file and the Python below it are unchanged.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' || {
    echo "Python 3.9 or newer is needed, $("$python" --version) is on PATH"
    exit 1
}
stamp=build/venv/requirements.sha256
want=$({ "$python" -c 'import sys; print(sys.version, sys.prefix)'; cat tests/requirements.txt; } | sha256sum)
if [ -x build/venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
    exit 0
fi
echo "installing tests/requirements.txt into build/venv"
rm -rf build/venv
bash tools/quiet.sh venv "$python" -m venv build/venv
bash tools/quiet.sh pip build/venv/bin/python -m pip install --disable-pip-version-check -q -r tests/requirements.txt
echo "$want" >"$stamp"
