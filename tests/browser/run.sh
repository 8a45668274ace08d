#!/bin/sh
# Chromium and plain HTTP against the built program. Arguments name files: tests/browser/run.sh path
set -eu
cd "$(dirname "$0")"
[ -n "${CHROMIUM:-}" ] || { needs="$(../setup.sh postgres browser)" && eval "$needs"; }
if [ $# = 0 ]; then set -- *.test.mjs; else set -- $(printf '%s.test.mjs ' "$@"); fi
exec node --test --test-concurrency=2 --test-timeout=300000 --test-reporter=spec "$@"
