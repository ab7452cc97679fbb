#!/bin/sh
# Makes .venv-peers: MLServer and LitServe with the TensorFlow of ours. Apart from .venv, since their pins are not ours.
# Usage: sh benchmarks/peers/setup.sh   (after scripts/setup.sh; UV names another uv than that of .tools)
set -eu
cd "$(dirname "$0")/../.."
uv=${UV:-.tools/bin/uv}
lock=benchmarks/peers/requirements.txt
[ -x "$uv" ] && [ -f .venv/.python ] || { echo "setup: error: run scripts/setup.sh first, it brings uv" >&2; exit 1; }
[ -x .venv-peers/bin/python ] || "$uv" venv --quiet --python "$(cat .venv/.python)" .venv-peers
"$uv" pip sync --quiet --python .venv-peers/bin/python --require-hashes "$lock"
# Uncompiled, the first start of a peer takes half a minute more.
.venv-peers/bin/python -m compileall -q -j 0 .venv-peers/lib >/dev/null 2>&1 || true
echo "setup: .venv-peers is ready"
