#!/usr/bin/env bash
# Installs the engines that make bench compares with, where the distribution has them. Run twice it does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v dpkg-query >/dev/null || exit 0
missing=()
for package in libsqlite3-dev liblmdb-dev libleveldb-dev librocksdb-dev; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "installing: ${missing[*]}"
bash tools/quiet.sh apt-update $sudo apt-get update -qq
bash tools/quiet.sh apt-install $sudo env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
