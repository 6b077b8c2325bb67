#!/usr/bin/env bash
# Installs the real components that the tests use and npm does not have: Chromium, Prometheus (promtool), Alertmanager, Python with venv, Java (for Spark and Trino), Maven and docker-compose, from Debian.
# Does nothing where they are there already. Needs root or sudo only when something is missing.
set -euo pipefail

missing=()
command -v chromium >/dev/null 2>&1 || missing+=(chromium)
command -v promtool >/dev/null 2>&1 || missing+=(prometheus)
command -v prometheus-alertmanager >/dev/null 2>&1 || missing+=(prometheus-alertmanager)
command -v python3 >/dev/null 2>&1 || missing+=(python3)
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing+=(python3-venv)
command -v java >/dev/null 2>&1 || missing+=(default-jre-headless)
command -v mvn >/dev/null 2>&1 || missing+=(maven)
command -v docker-compose >/dev/null 2>&1 || missing+=(docker-compose)
if [ "${#missing[@]}" -eq 0 ]; then exit 0; fi

if ! command -v apt-get >/dev/null 2>&1; then
  echo "missing: ${missing[*]}; expected a Debian system with apt-get; install them yourself and run this again" >&2
  exit 3
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
echo "installing ${missing[*]} …" >&2
export DEBIAN_FRONTEND=noninteractive
# Another installation may hold the lock for a while.
"${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 -qq update >&2
"${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends "${missing[@]}" >&2
