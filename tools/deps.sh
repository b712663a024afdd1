#!/usr/bin/env bash
# Installs what the build and the tests need and the machine lacks; words are further packages. Run twice it does nothing.
#
# Compilers and libraries come from the distribution. The Python environment and the Go and Node toolchains are prepared
# as soon as tests/suites.json has a suite of their kind, below build/, and only if what is on PATH is not enough.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/logs

packages=(gcc g++ make cmake ninja-build libzstd-dev libcmocka-dev libcsv-dev zlib1g-dev pkg-config ca-certificates python3 python3-dev python3-venv iso-codes "$@")
if [ "${STATOR_LONG:-}" = 1 ] && [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ]; then
    packages+=(gcc-multilib) # the long tests also build for 32 bits
fi
missing=()
if command -v dpkg-query >/dev/null; then
    for package in "${packages[@]}"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
fi
if [ ${#missing[@]} -gt 0 ]; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "installing: ${missing[*]}"
    bash tools/quiet.sh apt-update $sudo apt-get update -qq
    bash tools/quiet.sh apt-install $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

kinds=$(python3 -c 'import json; print(*{suite["kind"] for suite in json.load(open("tests/suites.json"))})')
case " $kinds " in *" pytest "*) bash tools/venv.sh ;; esac
case " $kinds " in *" go "*) python3 tools/toolchains.py go ;; esac
case " $kinds " in *" node "*) python3 tools/toolchains.py node ;; esac

cat >build/env.sh <<END
# . build/env.sh puts what tools/deps.sh fetched on PATH.
export PATH="$PWD/build/tools/bin:$PWD/build/venv/bin:\$PATH"
END
