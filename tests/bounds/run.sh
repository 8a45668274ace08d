#!/bin/sh
# Input that is too much, too slow or malformed, over raw sockets and HTTP/2 frames. Arguments go to
# unittest: tests/bounds/run.sh test_http2. Without them the files run beside each other, since most of
# the time is waiting.
set -eu
cd "$(dirname "$0")"
[ -n "${KEYWARD_TEST_PYTHON:-}" ] || { needs="$(../setup.sh clients)" && eval "$needs"; }
export PYTHONPATH="$PWD/../clients"
if [ $# -gt 0 ]; then exec "$KEYWARD_TEST_PYTHON" -W ignore -m unittest "$@"; fi
running=""
for file in test_*.py; do
  "$KEYWARD_TEST_PYTHON" -W ignore -m unittest "${file%.py}" &
  running="$running $!"
done
failed=0
for process in $running; do wait "$process" || failed=1; done
exit $failed
