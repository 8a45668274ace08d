#!/bin/sh
# Builds the programs of this folder and signs in with each: all of them, or those named, on both engines.
#
#   docs/examples/run.sh web machine
#
# With ISSUER it starts no server: examples.yaml must be in force there, and EMAIL, PASSWORD and NAME be a person.
# Prints a line for each program; exit code 0 if all did what their pages say, 1 if not, 2 if one cannot be built.
set -eu
cd "$(dirname "$0")/../.."
[ -n "${KEYWARD_TEST_PYTHON:-}" ] && [ -n "${CHROMIUM:-}" ] || { needs="$(tests/setup.sh postgres browser clients)" && eval "$needs"; }
export PYTHONPATH="$PWD/tests/clients" PYTHONDONTWRITEBYTECODE=1
exec "$KEYWARD_TEST_PYTHON" -W ignore docs/examples/run.py "$@"
