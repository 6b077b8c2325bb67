#!/bin/sh
# Installs the packed package into a folder as an image holds it: install.sh TARBALL FOLDER. Packages are those of the lock file beside this
# script, no others; the launcher is FOLDER/package/bin/mlmon.
set -eu
tarball=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
mkdir -p "$2"
cd "$2"
tar -xzf "$tarball"
cp "$here/package.json" "$here/package-lock.json" .
# No package needs a script of its own to be installed.
npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
