#!/bin/sh
# Makes .venv-gensim: gensim, apart from .venv, since its pins are not ours.
# Usage: sh benchmarks/words/setup.sh   (after scripts/setup.sh; UV names another uv than that of .tools)
set -eu
cd "$(dirname "$0")/../.."
uv=${UV:-.tools/bin/uv}
[ -x "$uv" ] && [ -f .venv/.python ] || { echo "setup: error: run scripts/setup.sh first, it brings uv" >&2; exit 1; }
[ -x .venv-gensim/bin/python ] || "$uv" venv --quiet --python "$(cat .venv/.python)" .venv-gensim
"$uv" pip sync --quiet --python .venv-gensim/bin/python --require-hashes benchmarks/words/requirements.txt
echo "setup: .venv-gensim is ready"
