#!/bin/sh
# Relying parties that others wrote against the built program, on both engines: all of them, or those
# named (folders of this one). Writes what came of it to results/. README.md says how to add one.
#
#   tests/interop/run.sh authlib-flask go-oidc
set -eu
cd "$(dirname "$0")"
[ -n "${KEYWARD_TEST_PYTHON:-}" ] && [ -n "${CHROMIUM:-}" ] || { needs="$(../setup.sh postgres browser clients interop)" && eval "$needs"; }
export PYTHONPATH="$PWD/../clients"
exec "$KEYWARD_TEST_PYTHON" -W ignore run.py "$@"
