#!/bin/sh
# Fetches a browser without a window for the tests of pages: Debian's chromium-headless-shell and the libraries that this
# system lacks, by its own apt sources with a private apt state, unpacked into .browser; nothing on the system changes.
# Not needed where a Chromium is on the PATH. Where apt has none, the tests of pages are skipped, and say so.
# Usage: browser.sh   (called by `setup.sh dev`, in the root of the checkout)
set -eu
say() { echo "setup: $*"; }

[ -x .browser/usr/lib/chromium/chromium-headless-shell ] && exit 0
for browser in chromium-headless-shell chromium google-chrome; do
    command -v "$browser" >/dev/null 2>&1 && exit 0
done
skip() { say "no browser: $1; tests of pages will be skipped"; rm -rf .browser.new; exit 0; }

command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1 || skip "this system has no apt"
say "unpacking a browser for the tests of pages into .browser (100 MB; the system stays as it is)"
rm -rf .browser.new && mkdir -p .browser.new/apt/lists/partial .browser.new/apt/cache/archives/partial
state="$PWD/.browser.new/apt"
apt="-o Dir::State::Lists=$state/lists -o Dir::Cache=$state/cache -o Debug::NoLocking=true -o APT::Sandbox::User=root"
# shellcheck disable=SC2086  # the options are words
apt-get $apt -qq update >.browser.new/log 2>&1 || skip "apt could not read its package lists: $(tail -n 1 .browser.new/log)"
# shellcheck disable=SC2086
apt-get $apt -qq --yes --download-only --no-install-recommends install chromium-headless-shell fonts-dejavu-core >>.browser.new/log 2>&1 ||
    skip "apt has no chromium-headless-shell: $(tail -n 1 .browser.new/log)"
for package in "$state"/cache/archives/*.deb; do dpkg -x "$package" .browser.new; done
rm -rf .browser.new/apt .browser.new/log .browser
mv .browser.new .browser
