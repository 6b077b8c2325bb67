#!/usr/bin/env bash
# Makes the secrets of compose.yaml as files under .mlmon/compose, once: what is there is left alone. Prints no secret.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=.mlmon/compose
# Nobody else on this host gets into the folder; containers get single files of it, which their users must be able to read.
umask 077
mkdir -p "$folder"
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
if [ ! -e "$folder/mlmon-tokens" ]; then
  {
    echo "sender events:write,labels:write $(random)"
    echo "reader read $(random)"
    echo "admin events:write,labels:write,read,admin $(random)"
  } >"$folder/mlmon-tokens"
fi
[ -e "$folder/grafana-password" ] || random >"$folder/grafana-password"
chmod 0444 "$folder/mlmon-tokens" "$folder/grafana-password"
echo "tokens: $folder/mlmon-tokens; password of Grafana's admin: $folder/grafana-password"
