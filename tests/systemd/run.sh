#!/usr/bin/env bash
# The units of deploy/ under a real systemd: boots a Debian in a container of its own network, types what the
# README says, and looks at what happens. Needs root, systemd-nspawn and debootstrap; KEYWARD_BIN is the program.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ "$(id -u)" = 0 ] || { echo "systemd: a container is booted by root. Type: sudo make systemd" >&2; exit 1; }
for tool in systemd-nspawn debootstrap; do
  command -v "$tool" >/dev/null || { echo "systemd: type: apt-get install systemd-container debootstrap" >&2; exit 1; }
done

folder="${CARGO_TARGET_DIR:-target}/systemd"
base="$folder/base" root="$folder/root"
if [ ! -e "$base/sbin/init" ]; then
  echo "systemd: fetching a Debian, once"
  rm -rf "$base"
  mkdir -p "$base"
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,curl,sudo,openssl bookworm "$base" >"$folder/fetch.log" 2>&1 ||
    { tail "$folder/fetch.log" >&2; rm -rf "$base"; exit 1; }
fi
rm -rf "$root"
cp -a "$base" "$root"

# As the README has it: what make release fills, the configuration, and the commands.
mkdir "$root/root/dist"
cp deploy/keyward* "$root/root/dist/"
install -m 0755 "$KEYWARD_BIN" "$root/root/dist/keyward"
fence() { awk -v from="$1" -v kind="$2" 'index($0, from) { seen = 1 } seen && $0 == "```" kind { on = 1; next } on && $0 == "```" { exit } on'; }
fence "## Run it in production" toml <README.md | sed 's|^url = .*|url = "sqlite:/var/lib/keyward/keyward.db"|' >"$root/root/dist/keyward.toml"
fence "Under systemd, as root" sh <README.md >"$root/root/install.sh"
cp tests/systemd/check.sh "$root/root/"
cat >"$root/etc/systemd/system/check.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'bash /root/check.sh >/root/check.log 2>&1; echo $? >/root/check.status'
ExecStartPost=/bin/systemctl --no-block poweroff
UNIT
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../check.service "$root/etc/systemd/system/multi-user.target.wants/check.service"

timeout 300 systemd-nspawn --quiet --directory="$root" --boot --private-network --register=no --keep-unit \
  --hostname=keyward </dev/null >"$folder/boot.log" 2>&1 || true
cat "$root/root/check.log" 2>/dev/null || { tail "$folder/boot.log" >&2; exit 1; }
exit "$(cat "$root/root/check.status" 2>/dev/null || echo 1)"
