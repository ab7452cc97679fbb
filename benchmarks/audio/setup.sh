#!/bin/sh
# Makes .venv-torch: PyTorch for processors, apart from .venv, since its pins are not ours.
# Usage: sh benchmarks/audio/setup.sh   (after scripts/setup.sh; UV names another uv than that of .tools)
# uv asks PyTorch's own index for the wheel; where that cannot be reached, UV_FIND_LINKS names a folder that holds it.
set -eu
cd "$(dirname "$0")/../.."
uv=${UV:-.tools/bin/uv}
[ -x "$uv" ] && [ -f .venv/.python ] || { echo "setup: error: run scripts/setup.sh first, it brings uv" >&2; exit 1; }
[ -n "${UV_FIND_LINKS:-}" ] || export UV_TORCH_BACKEND=cpu
[ -x .venv-torch/bin/python ] || "$uv" venv --quiet --python "$(cat .venv/.python)" .venv-torch
"$uv" pip sync --quiet --python .venv-torch/bin/python --require-hashes benchmarks/audio/requirements.txt
echo "setup: .venv-torch is ready"
