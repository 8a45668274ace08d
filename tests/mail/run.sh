#!/bin/sh
# Mail of the built program over an SMTP server that others wrote (aiosmtpd): STARTTLS and
# authentication, and servers that are slow, refuse or vanish. Arguments go to unittest.
set -eu
cd "$(dirname "$0")"
[ -n "${KEYWARD_TEST_PYTHON:-}" ] || { needs="$(../setup.sh postgres clients)" && eval "$needs"; }
export PYTHONPATH="$PWD/../clients"
if [ $# -gt 0 ]; then exec "$KEYWARD_TEST_PYTHON" -W ignore -m unittest "$@"; fi
exec "$KEYWARD_TEST_PYTHON" -W ignore -m unittest discover -p 'test_*.py'
