#!/usr/bin/env bash
# Installs what test/real/aws uses into .cache/emulator: ministack, an emulator of AWS; the AWS command line; the Node.js that functions
# run on. Does nothing where they are there already. Needs what real-components.sh installs.
set -euo pipefail
cd "$(dirname "$0")/.."

ministack=1.5.33
aws_cli=1.46.2
node=24
folder=.cache/emulator
mkdir -p "$folder"

# A virtual environment of its own for each, with the version it holds in a file.
install() {
  local place="$folder/$1" version="$2" package="$3"
  if [ "$(cat "$place/version" 2>/dev/null || true)" = "$version" ]; then return; fi
  rm -rf "$place"
  python3 -m venv "$place"
  "$place/bin/pip" install --quiet --disable-pip-version-check "$package==$version" >&2
  echo "$version" >"$place/version"
}
install venv "$ministack" 'ministack[full]'
install aws-cli "$aws_cli" awscli

if [ "$("$folder/node/node_modules/node/bin/node" --version 2>/dev/null | cut -d. -f1)" != "v$node" ]; then
  rm -rf "$folder/node"
  mkdir -p "$folder/node"
  echo '{ "private": true }' >"$folder/node/package.json"
  npm install --prefix "$folder/node" --no-audit --no-fund --loglevel=error "node@$node" >&2
fi

# The Node.js of Lambda brings the clients of AWS along; functions of the CDK count on it.
mkdir -p "$folder/runtime"
ln -sfn ../../../node_modules/@aws-sdk "$folder/runtime/@aws-sdk"
