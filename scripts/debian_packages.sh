#!/bin/sh
# Unpacks Debian packages, and what they need that this system lacks, into a folder of the checkout, by the machine's own
# apt sources with a private apt state; nothing on the system changes. Fails with one sentence where apt cannot.
# Usage: debian_packages.sh FOLDER PACKAGE...
set -eu
fail() { rm -rf "$new"; echo "setup: $*" >&2; exit 1; }

folder=$1 new=$1.new
shift
command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1 || fail "this system has no apt"
rm -rf "$new" && mkdir -p "$new/apt/lists/partial" "$new/apt/cache/archives/partial"
state="$PWD/$new/apt"
apt="-o Dir::State::Lists=$state/lists -o Dir::Cache=$state/cache -o Debug::NoLocking=true -o APT::Sandbox::User=root"
# shellcheck disable=SC2086  # the options are words
apt-get $apt -qq update >"$new/log" 2>&1 || fail "apt could not read its package lists: $(tail -n 1 "$new/log")"
# shellcheck disable=SC2086
apt-get $apt -qq --yes --download-only --no-install-recommends install "$@" >>"$new/log" 2>&1 ||
    fail "apt has no $*: $(tail -n 1 "$new/log")"
for package in "$state"/cache/archives/*.deb; do dpkg -x "$package" "$new"; done
rm -rf "$new/apt" "$new/log" "$folder"
mv "$new" "$folder"
