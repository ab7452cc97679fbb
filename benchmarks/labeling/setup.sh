#!/bin/sh
# Makes .venv-crfsuite: sklearn-crfsuite, apart from .venv, since only this benchmark needs it.
# Usage: sh benchmarks/labeling/setup.sh   (after scripts/setup.sh; UV names another uv than that of .tools)
set -eu
cd "$(dirname "$0")/../.."
uv=${UV:-.tools/bin/uv}
[ -x "$uv" ] && [ -f .venv/.python ] || { echo "setup: error: run scripts/setup.sh first, it brings uv" >&2; exit 1; }
[ -x .venv-crfsuite/bin/python ] || "$uv" venv --quiet --python "$(cat .venv/.python)" .venv-crfsuite
"$uv" pip sync --quiet --python .venv-crfsuite/bin/python --require-hashes benchmarks/labeling/requirements.txt
echo "setup: .venv-crfsuite is ready"
