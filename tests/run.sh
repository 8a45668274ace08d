#!/bin/sh
# The black-box suites over the built program: all of them, or those named.
#
#   tests/run.sh browser mail
set -u
cd "$(dirname "$0")/.." || exit 2

# name    what runs it
suites="
browser   tests/browser/run.sh
clients   tests/clients/run.sh
interop   tests/interop/run.sh --no-results openid-client oauth4webapi
ops       tests/ops/run.sh
bounds    tests/bounds/run.sh
crash     tests/crash/run.sh --short
schema    tests/schema/run.sh
mail      tests/mail/run.sh
axe       tests/look/run.sh axe
"

KEYWARD_BIN="$(realpath "${KEYWARD_BIN:-target/debug/keyward}")"
export KEYWARD_BIN
[ -x "$KEYWARD_BIN" ] || { echo "run: $KEYWARD_BIN is no program. Type: make build" >&2; exit 2; }
names="$(echo "$suites" | cut -d ' ' -f 1)"
for wanted in "$@"; do
  echo "$names" | grep -qx -- "$wanted" || { echo "run: no suite $wanted; there are:" $names >&2; exit 2; }
done

said="$(mktemp -d)"
trap 'rm -rf "$said"' EXIT
results=""
failed=""
while read -r name program argument; do
  [ -n "$name" ] || continue
  [ $# = 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
  echo "== $name"
  began=$(date +%s)
  { "$program" $argument </dev/null; echo $? >"$said/$name.code"; } 2>&1 | tee "$said/$name"
  if [ "$(cat "$said/$name.code")" = 0 ]; then result=passed; else result=FAILED failed="$failed $name"; fi
  results="$results$(printf '%-10s %s after %s s' "$name" "$result" "$(($(date +%s) - began))")
"
done <<LIST
$suites
LIST

echo "== results"
printf '%s' "$results"
# What failed once more at the end, where one looks first: node's summary, unittest's first report.
for name in $failed; do
  echo "== $name failed"
  grep -m 1 -A 30 -E '^✖ failing tests|^(FAIL|ERROR): ' "$said/$name" | cut -c 1-300 || tail -n 20 "$said/$name"
done
[ -z "$failed" ]
