#!/bin/sh
# Checks that the only unsafe module of Keyward, src/argon2id/simd.rs, touches no memory but its own.
# `make memory` runs it.
#
#   pure/passwords/check.sh             all parts
#   pure/passwords/check.sh miri asan   those: miri, miri-neon, asan, neon
#
# A line for each part says passed, FAILED or left out, and why. Its status is that of the worst: 1 if
# something failed or nothing was run. Logs and builds are in target/memory; the first run builds the
# dependencies of each part, some minutes. NIGHTLY names the toolchain (nightly).
#
# Miri interprets the very vector instructions, so it needs none of the processor: each access is checked
# against the bounds, the alignment and the borrows of its block, which the sanitizer cannot see, since
# all blocks lie in one allocation. The sanitizer and qemu run what the compiler made, on large inputs.
set -u
cd "$(dirname "$0")/../.." || exit 2
nightly="${NIGHTLY:-nightly}"
work="$(pwd)/target/memory"
host="$(rustc -vV | sed -n 's/^host: //p')"
arm=aarch64-unknown-linux-gnu
wanted="${*:-miri miri-neon asan neon}"
for name in $wanted; do
  case "$name" in miri | miri-neon | asan | neon) ;; *)
    echo "memory: no part $name; there are: miri miri-neon asan neon" >&2
    exit 2
    ;;
  esac
done
mkdir -p "$work"
summary=""
failed=0
ran=0

# A line of the result: the part, what became of it.
say() {
  line="$(printf '%-34s %s' "$1" "$2")"
  echo "$line"
  summary="$summary$line
"
}

# Runs a part: title, name of its log, the paths that it must have been on, the command. That the tests
# end well is not enough; a filter that matches none does, too.
run() {
  title="$1" log="$work/$2.log" paths="$3"
  shift 3
  began=$(date +%s)
  ran=$((ran + 1))
  "$@" >"$log" 2>&1
  status=$?
  found="$(sed -n 's/.*paths: \(.*\)/\1/p' "$log" | tail -n 1)"
  seconds=$(($(date +%s) - began))
  for path in $paths; do
    case " $found " in *" $path "*) ;; *) [ $status != 0 ] || status="path $path was not there" ;; esac
  done
  if [ "$status" = 0 ]; then
    say "$title" "passed on $found, $seconds s"
  else
    failed=1
    say "$title" "FAILED ($status), see $log"
    tail -n 30 "$log" >&2
  fi
}

# Whether a toolchain ("" is the usual one) has the standard library of a target.
has_target() {
  [ -d "$(rustc ${1:+"+$1"} --print sysroot 2>/dev/null)/lib/rustlib/$2/lib" ]
}

# What Miri lacks, as a command to type; empty if nothing.
miri_lacks() {
  cargo "+$nightly" miri --version >/dev/null 2>&1 &&
    [ -d "$(rustc "+$nightly" --print sysroot)/lib/rustlib/src/rust/library" ] ||
    echo "rustup toolchain install $nightly --profile minimal -c miri -c rust-src"
}

# Miri over the filling of small memory; the processor's features are said, since nothing is asked.
miri() {
  target="$1" features="$2"
  MIRIFLAGS="-Zmiri-strict-provenance" nice cargo "+$nightly" miri test -Zprofile-rustflags \
    --config "profile.dev.package.passwords.rustflags=[\"-Ctarget-feature=$features\"]" \
    --target "$target" --target-dir "$work/miri" -p passwords --lib \
    argon2id::tests::every_path_fills -- --nocapture
}

part_miri() {
  title="Miri, x86-64"
  lacks="$(miri_lacks)"
  case "$host" in x86_64-*-linux-*) ;; *) say "$title" "left out because this machine is $host"; return ;; esac
  [ -z "$lacks" ] || { say "$title" "left out because Miri is missing. Type: $lacks"; return; }
  run "$title" miri "portable AVX2 AVX-512" miri "$host" +avx2,+avx512f,+avx512bw
}

part_miri_neon() {
  title="Miri, aarch64"
  lacks="$(miri_lacks)"
  [ -z "$lacks" ] || { say "$title" "left out because Miri is missing. Type: $lacks"; return; }
  # The cryptography library is compiled along, though nothing of it is run.
  [ "$host" = $arm ] || command -v aarch64-linux-gnu-gcc >/dev/null || {
    say "$title" "left out because its C compiler is missing. Type: sudo apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
    return
  }
  run "$title" miri-neon "portable NEON" miri $arm +neon
}

asan() {
  RUSTFLAGS="-Zsanitizer=address" ASAN_OPTIONS="detect_stack_use_after_return=1" \
    nice cargo "+$nightly" test --target "$host" --target-dir "$work/asan" -p passwords --lib --tests \
    -- --nocapture
}

# Whether Linux says that the processor has this.
has() {
  grep -qw "$1" /proc/cpuinfo
}

part_asan() {
  title="address sanitizer" paths=portable
  case "$host" in *-linux-gnu) ;; *) say "$title" "left out because this machine is $host"; return ;; esac
  has_target "$nightly" "$host" || {
    say "$title" "left out because $nightly is missing. Type: rustup toolchain install $nightly --profile minimal"
    return
  }
  has avx2 && paths="$paths AVX2"
  has avx512bw && paths="$paths AVX-512"
  [ "$host" != $arm ] || paths="$paths NEON"
  run "$title" asan "$paths" asan
  [ "${host%%-*}" = x86_64 ] || return 0
  title="AVX-512 on a processor"
  has avx512bw || {
    say "$title" "left out because this one has none. qemu has none either; Intel SDE has. Miri looks at it anyway"
    return
  }
  [ "$status" = 0 ] && say "$title" "passed, in the address sanitizer's run" || say "$title" "FAILED, see $log"
}

neon() {
  CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="$emulator -L /usr/aarch64-linux-gnu" \
    nice cargo test --target $arm --target-dir "$work/neon" -p passwords --lib argon2id -- --nocapture
}

part_neon() {
  title="NEON under qemu"
  [ "$host" != $arm ] || { say "$title" "left out because this processor has it: address sanitizer"; return; }
  emulator="$(command -v qemu-aarch64 || command -v qemu-aarch64-static)"
  [ -n "$emulator" ] && command -v aarch64-linux-gnu-gcc >/dev/null && [ -d /usr/aarch64-linux-gnu/include ] || {
    say "$title" "left out because tools are missing. Type: sudo apt-get install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
    return
  }
  has_target "" $arm || { say "$title" "left out because Rust lacks it. Type: rustup target add $arm"; return; }
  run "$title" neon "portable NEON" neon
}

for name in $wanted; do
  case "$name" in
    miri) part_miri ;;
    miri-neon) part_miri_neon ;;
    asan) part_asan ;;
    neon) part_neon ;;
  esac
done
echo "== memory, $(date -u +%Y-%m-%d)"
printf '%s' "$summary"
[ $ran != 0 ] || { echo "memory: nothing was run" >&2; failed=1; }
exit $failed
