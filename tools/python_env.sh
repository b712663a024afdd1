#!/usr/bin/env bash
# Installs the Python package into build/python-venv as a user would, when it or the engine has changed.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=build/python-venv
want=$({ find core ffi python -type f -not -path '*/build/*' -not -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum
         cat tests/requirements.txt; python3 --version; } | sha256sum)
[ "$(cat $venv/stamp 2>/dev/null)" = "$want" ] && exit 0
[ -x $venv/bin/python ] || bash tools/quiet.sh python-venv python3 -m venv $venv
bash tools/quiet.sh python-requirements $venv/bin/python -m pip install --disable-pip-version-check -q -r tests/requirements.txt
bash tools/quiet.sh python-package $venv/bin/python -m pip install --disable-pip-version-check -q --force-reinstall --no-deps ./python
echo "$want" >$venv/stamp
