#!/usr/bin/env bash
# Installs what the build and the tests need and the machine lacks. Run twice it does nothing.
set -euo pipefail
mkdir -p build
packages=(gcc cmake ninja-build libzstd-dev libcmocka-dev pkg-config)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
    echo "installing: ${missing[*]}"
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >build/apt.log
fi
