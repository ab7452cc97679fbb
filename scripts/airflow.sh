#!/bin/sh
# Installs Airflow into an environment of its own, .airflow2 or .airflow3: to try a deployment, and for the tests that
# run its scheduler. Seqline itself needs none. Safe to repeat; returns at once when nothing changed.
# Usage: scripts/airflow.sh 2|3
set -eu
cd "$(dirname "$0")/.."
lock="locks/airflow${1:-}.txt" folder=".airflow${1:-}"
fail() { echo "setup: error: $*" >&2; exit 1; }
[ -f "$lock" ] || fail "which Airflow? scripts/airflow.sh 2 or scripts/airflow.sh 3"
[ -x .tools/bin/uv ] && [ -f .venv/.python ] || sh scripts/setup.sh runtime
python=$(cat .venv/.python)
stamp="$folder/.setup-stamp"
wanted=$(cat "$lock" scripts/airflow.sh | sha256sum | cut -d' ' -f1)-$python
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then exit 0; fi

[ "$1" = 3 ] || "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 13))' ||
    fail "Airflow 2 needs Python 3.11 or 3.12, and the set-up uses $python; set SEQLINE_PYTHON to one of them, or take 3"
echo "setup: installing $(grep -c '==' "$lock") pinned packages from $lock into $folder"
rm -rf "$folder"
"$python" -m venv --without-pip "$folder"
.tools/bin/uv pip sync --quiet --compile-bytecode --python "$folder/bin/python" --require-hashes "$lock"
echo "$wanted" >"$stamp"
echo "setup: $("$folder/bin/airflow" version) is ready in $folder/bin"
