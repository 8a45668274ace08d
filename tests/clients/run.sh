#!/bin/sh
# Relying parties that others wrote (Authlib, openid-client), and the promises about races, against
# the built program. Arguments go to unittest: tests/clients/run.sh test_authlib -k consent
set -eu
cd "$(dirname "$0")"
[ -n "${KEYWARD_TEST_PYTHON:-}" ] || { needs="$(../setup.sh postgres clients)" && eval "$needs"; }
if [ $# -gt 0 ]; then exec "$KEYWARD_TEST_PYTHON" -W ignore -m unittest "$@"; fi
exec "$KEYWARD_TEST_PYTHON" -W ignore -m unittest discover -p 'test_*.py'
