#!/bin/sh
# The admin API against its own OpenAPI document: schemathesis makes the requests and judges the
# answers. The first argument is how many seconds each engine gets (both run at once):
#
#   tests/schema/run.sh 300
set -eu
cd "$(dirname "$0")"
[ -n "${KEYWARD_TEST_PYTHON:-}" ] || { needs="$(../setup.sh postgres clients)" && eval "$needs"; }
export PYTHONPATH="$PWD/../clients" KEYWARD_SCHEMA_SECONDS="${1:-${KEYWARD_SCHEMA_SECONDS:-40}}"
exec "$KEYWARD_TEST_PYTHON" -W ignore -m unittest discover -p 'test_*.py'
