#!/bin/sh
# Unpacks Debian's PostgreSQL into .postgres, for the tests that run Airflow over it. Not needed where the system has it.
# Usage: scripts/postgres.sh
set -eu
cd "$(dirname "$0")/.."
for program in .postgres/usr/lib/postgresql/*/bin/postgres /usr/lib/postgresql/*/bin/postgres; do
    if [ -x "$program" ]; then exit 0; fi
done
echo "setup: unpacking PostgreSQL into .postgres (the system stays as it is)"
sh scripts/debian_packages.sh .postgres postgresql
