#!/bin/sh
# Fetches a browser without a window for the tests of pages: Debian's chromium-headless-shell, into .browser.
# Not needed where a Chromium is on the PATH. Where apt has none, the tests of pages are skipped, and say so.
# Usage: browser.sh   (called by `setup.sh dev`, in the root of the checkout)
set -eu

[ -x .browser/usr/lib/chromium/chromium-headless-shell ] && exit 0
for browser in chromium-headless-shell chromium google-chrome; do
    command -v "$browser" >/dev/null 2>&1 && exit 0
done
echo "setup: unpacking a browser for the tests of pages into .browser (100 MB; the system stays as it is)"
sh scripts/debian_packages.sh .browser chromium-headless-shell fonts-dejavu-core ||
    echo "setup: no browser; tests of pages will be skipped"
