# Runs inside of the container, as root: installs as the README says, then looks at what systemd made of it.
set -u
failed=0
# What it is, and a command that must succeed; what it prints is shown if it does not.
expect() {
  local what="$1" said
  shift
  if said="$("$@" 2>&1)"; then
    echo "ok    $what"
  else
    echo "WRONG $what: $said"
    failed=1
  fi
}
# The first command's output, which must hold the text.
says() {
  local text="$1" said
  shift
  said="$("$@" 2>&1)" || true
  [[ "$said" == *"$text"* ]] || { echo "$said"; return 1; }
}
ask() { curl --silent --show-error --fail --cacert /root/dist/cert.pem --resolve id.example.com:443:127.0.0.1 "https://id.example.com$1"; }
patiently() { for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; "$@"; }
process() { systemctl show --property MainPID --value keyward; }

cd /root/dist || exit 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 30 \
  -subj /CN=id.example.com -addext subjectAltName=DNS:id.example.com 2>/dev/null
echo a-password >mail-password
echo "127.0.0.1 localhost keyward" >/etc/hosts

expect "the commands of the README" bash -e /root/install.sh
expect "the server is ready, on a port below 1024" patiently ask /health/ready
expect "its user is keyward" says keyward ps -o user= -p "$(process)"
expect "threads that hash step back" says 10 ps -L -o ni= -p "$(process)"
expect "/metrics knows its memory" says "process_resident_memory_bytes " ask /metrics
expect "others cannot read the database" says "Permission denied" sudo -u nobody cat /var/lib/keyward/keyward.db
expect "nothing reached the log as a warning" bash -c '! journalctl --unit keyward | grep -E "WARN|ERROR"'
expect "systemctl reload" systemctl reload keyward
expect "the certificate is read anew" patiently says "the certificate was read anew" journalctl --unit keyward
expect "the doctor, as this user" says "hash here" sudo -u keyward keyward doctor --config /etc/keyward/keyward.toml

expect "the first backup, where no folder is" systemctl start keyward-backup
old=/var/backups/keyward/2020-01-01T000000
mkdir -p "$old" "$old.77" /var/backups/keyward/kept
touch -d "40 days ago" "$old" "$old.77" /var/backups/keyward/kept
sleep 1
expect "a second backup" systemctl start keyward-backup
expect "two backups" says 2 bash -c 'ls /var/backups/keyward | grep -c ^20'
expect "what is older than 30 days went, a folder of another name stayed" \
  bash -c "! ls -d $old $old.77 2>/dev/null && ls /var/backups/keyward/kept"
expect "the timer" systemctl enable --now keyward-backup.timer

killed="$(process)"
kill -9 "$killed"
expect "it comes back after kill -9" patiently ask /health/ready
expect "as another process" test "$(process)" != "$killed"
expect "it stops in time" timeout 20 systemctl stop keyward
expect "and in order" says success systemctl show --property Result --value keyward

mv /var/lib/keyward/keyward.db /root/
expect "a restore" bash -c 'sudo -u keyward keyward restore "$(ls -d /var/backups/keyward/20* | head -n 1)" --config /etc/keyward/keyward.toml'
expect "it starts with what was restored" systemctl start keyward
expect "and is ready" patiently ask /health/ready

for unit in keyward keyward-backup; do
  exposure="$(systemd-analyze security "$unit" --no-pager | sed -n 's/.*exposure level.*: \([0-9.]*\).*/\1/p')"
  expect "$unit is exposed by $exposure of 10, at most 2" awk "BEGIN { exit !(\"$exposure\" != \"\" && $exposure <= 2) }"
done
expect "systemd finds nothing to say about the units" bash -c \
  'said="$(systemd-analyze verify /etc/systemd/system/keyward* 2>&1)"; [ -z "$said" ] || { echo "$said"; false; }'
systemctl --version | head -n 1
exit "$failed"
