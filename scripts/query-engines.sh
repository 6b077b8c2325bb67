#!/usr/bin/env bash
# Installs what other engines say of our SQL with: Spark, Trino and its grammar, a translator between dialects. Nothing of it is a dependency.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=.cache/query-engines
stamp="sqlglot 30.30.0, pyspark 4.3.0, dt-sql-parser 4.5.1, trino 435"
[ "$(cat "$folder/stamp" 2>/dev/null || true)" = "$stamp" ] && exit 0
command -v java >/dev/null || { echo "query-engines: there is no java; Spark needs version 17 or later" >&2; exit 1; }
rm -rf "$folder"
mkdir -p "$folder/node"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sqlglot==30.30.0 pyspark==4.3.0
echo '{ "private": true }' >"$folder/node/package.json"
npm install --prefix "$folder/node" --no-audit --no-fund --ignore-scripts --save-exact dt-sql-parser@4.5.1 >/dev/null
command -v mvn >/dev/null || { echo "query-engines: there is no mvn; it installs Trino" >&2; exit 1; }
mvn --quiet --batch-mode --file test/real/query-engines/trino.pom.xml dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$PWD/$folder/trino"
echo "$stamp" >"$folder/stamp"
