#!/bin/sh
# Operation of the built program: commands and their exit codes, production settings, stopping,
# crashes, outages, full disks, tenants. Arguments go to unittest: tests/ops/run.sh test_serve
set -eu
cd "$(dirname "$0")"
[ -n "${KEYWARD_TEST_PYTHON:-}" ] || { needs="$(../setup.sh postgres clients)" && eval "$needs"; }
export PYTHONPATH="$PWD/../clients"
if [ $# -gt 0 ]; then exec "$KEYWARD_TEST_PYTHON" -W ignore -m unittest "$@"; fi
exec "$KEYWARD_TEST_PYTHON" -W ignore -m unittest discover -p 'test_*.py'
