#!/usr/bin/env bash
# Installs the emulator of AWS that test/real/aws uses, into .cache/emulator: ministack in a virtual environment of Python, and the
# Node.js that functions run on. Does nothing where they are there already. Needs what real-components.sh installs.
set -euo pipefail
cd "$(dirname "$0")/.."

ministack=1.5.33
node=24
folder=.cache/emulator
mkdir -p "$folder"

if [ "$(cat "$folder/venv/version" 2>/dev/null || true)" != "$ministack" ]; then
  rm -rf "$folder/venv"
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "ministack[full]==$ministack" >&2
  echo "$ministack" >"$folder/venv/version"
fi

if [ "$("$folder/node/node_modules/node/bin/node" --version 2>/dev/null | cut -d. -f1)" != "v$node" ]; then
  rm -rf "$folder/node"
  mkdir -p "$folder/node"
  echo '{ "private": true }' >"$folder/node/package.json"
  npm install --prefix "$folder/node" --no-audit --no-fund --loglevel=error "node@$node" >&2
fi
