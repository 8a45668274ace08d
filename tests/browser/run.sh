#!/bin/sh
# Chromium and plain HTTP against the built program. Arguments name files: tests/browser/run.sh path
set -eu
cd "$(dirname "$0")"
[ -d node_modules ] || { echo "Packages are missing. Type: tests/setup.sh browser" >&2; exit 2; }
if [ $# = 0 ]; then set -- *.test.mjs; else set -- $(printf '%s.test.mjs ' "$@"); fi
exec node --test --test-concurrency=2 --test-timeout=300000 --test-reporter=spec "$@"
