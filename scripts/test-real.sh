#!/usr/bin/env bash
# The tests with real components: installs what they need, then runs them one file after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/real-components.sh
bash scripts/emulator.sh
bash scripts/query-engines.sh
bash scripts/versitygw.sh
bash scripts/kafka.sh
bash scripts/alertmanager.sh >/dev/null
bash scripts/kubernetes-tools.sh
exec npx vitest run --config vitest.real.config.ts "$@"
