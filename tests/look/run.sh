#!/bin/sh
# Draws every page as contact sheets into ./look (`tests/look/run.sh`), or lets axe look at them (`tests/look/run.sh axe`).
set -eu
cd "$(dirname "$0")/../.."
for tool in cargo node npm; do
  command -v "$tool" >/dev/null || { echo "look: $tool is missing, install it first" >&2; exit 2; }
done
[ -e "${CHROMIUM:-/usr/bin/chromium}" ] || { echo "look: no Chromium; apt-get install chromium, or set CHROMIUM" >&2; exit 2; }
rm -rf look/pages
cargo run --quiet -p web --example look -- look/pages
[ -d tests/look/node_modules ] || npm --prefix tests/look ci --no-audit --no-fund --silent
case "${1:-sheets}" in
  axe) node tests/look/axe.mjs look/pages ;;
  sheets) node tests/look/sheet.mjs look/pages look ;;
  *) echo "usage: tests/look/run.sh [sheets|axe]" >&2; exit 2 ;;
esac
