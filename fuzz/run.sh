#!/bin/sh
# Runs fuzz targets one after another, each for MINUTES (10); without arguments all of them.
#
#   fuzz/run.sh redirect_uri jwt        MINUTES=1 fuzz/run.sh        fuzz/run.sh --build
#
# BUILT=1 runs what was built before, so that several can run beside each other.
# Builds with the sanitizer of the installed Rust, whatever its channel; `cargo fuzz run NAME` does
# the same. New inputs go to target/fuzz/corpus, which begins with fuzz/corpus; a finding is kept in
# target/fuzz/findings and ends the run. The last lines are a table for fuzz/results.
set -eu
cd "$(dirname "$0")"
minutes="${MINUTES:-10}"
work="$(cd .. && pwd)/target/fuzz"
host="$(rustc -vV | sed -n 's/^host: //p')"
all="$(ls fuzz_targets | sed 's/\.rs$//')"

# The flags of cargo-fuzz: branches counted, comparisons seen, addresses checked.
coverage="level=4 inline-8bit-counters pc-table trace-compares stack-depth"
flags="-Zsanitizer=address -Cpasses=sancov-module -Ccodegen-units=4 --cfg fuzzing"
for what in $coverage; do flags="$flags -Cllvm-args=-sanitizer-coverage-$what"; done
# shellcheck disable=SC2086 # a list of options
[ -n "${BUILT:-}" ] || RUSTC_BOOTSTRAP=1 RUSTFLAGS="$flags" cargo build --quiet --release --locked --bins --target "$host" --target-dir "$work" ${CARGO_OPTIONS:-}
[ "${1:-}" != --build ] || exit 0

mkdir -p "$work/corpus" "$work/findings"
table=""
failed=0
for name in ${*:-$all}; do
  program="$work/$host/release/$name"
  [ -x "$program" ] || { echo "fuzz: no target $name; there are:" $all >&2; exit 2; }
  mkdir -p "$work/corpus/$name"
  echo "== $name, $minutes min"
  log="$work/$name.log"
  result="nothing found"
  "$program" "$work/corpus/$name" "corpus/$name" -max_total_time=$((minutes * 60)) -timeout=10 -rss_limit_mb=2048 \
    -max_len=4096 -artifact_prefix="$work/findings/$name-" -print_final_stats=1 \
    >"$log" 2>&1 || { result="FINDING, see $log"; failed=1; tail -n 40 "$log" >&2; }
  runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  covered="$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)"
  table="$table$(printf '%-14s %6s min %12s runs %8s edges  %s' "$name" "$minutes" "${runs:-?}" "${covered:-?}" "$result")
"
done
echo "== results, $(date -u +%Y-%m-%d), $(rustc --version)"
printf '%s' "$table"
exit $failed
