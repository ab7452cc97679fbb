#!/bin/sh
# Fetches h2load, a load generator that costs little, from Debian's nghttp2-client into .h2load.
# Usage: sh benchmarks/serving/setup.sh
set -eu
cd "$(dirname "$0")/../.."
[ -x .h2load/usr/bin/h2load ] || sh scripts/debian_packages.sh .h2load nghttp2-client
echo "setup: .h2load is ready"
