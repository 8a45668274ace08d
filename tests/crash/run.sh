#!/bin/sh
# Faults under load and the ledger of what was acknowledged. Arguments go to run.py:
# tests/crash/run.sh --short
set -eu
cd "$(dirname "$0")"
[ -n "${KEYWARD_TEST_PYTHON:-}" ] || { needs="$(../setup.sh postgres clients)" && eval "$needs"; }
exec "$KEYWARD_TEST_PYTHON" -W ignore run.py "$@"
