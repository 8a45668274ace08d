#!/bin/sh
# A throw-away PostgreSQL for the tests, under target/postgres, on a Unix socket and a free port of
# 127.0.0.1. Prints its URL; a second call finds it running. `tests/postgres.sh stop` stops it.
#
#   export KEYWARD_TEST_POSTGRES="$(tests/postgres.sh)"
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
home="$root/target/postgres"
data="$home/data"

# Unless PATH has them already, the server's programs are where the distribution keeps them.
programs() {
  bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
  [ -n "$bin" ] || bin=$(dirname "$(command -v initdb || echo /nowhere/initdb)")
  [ -x "$bin/initdb" ]
}

if ! programs; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y postgresql >&2
  programs
fi

# The server refuses to run as root.
as_owner() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

running() {
  [ -f "$data/postmaster.pid" ] && as_owner "$bin/pg_ctl" status -D "$data" >/dev/null 2>&1
}

if [ "${1:-start}" = stop ]; then
  if running; then as_owner "$bin/pg_ctl" stop -D "$data" -m fast >&2; fi
  exit 0
fi

if ! running; then
  mkdir -p "$home"
  if [ "$(id -u)" = 0 ]; then chown postgres "$home"; fi
  if [ ! -f "$data/PG_VERSION" ]; then
    as_owner "$bin/initdb" -D "$data" -U keyward -A trust -E UTF8 --locale=C.UTF-8 >&2
    cat >>"$data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$home'
max_connections = 500
fsync = off
full_page_writes = off
CONF
  fi
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  as_owner "$bin/pg_ctl" start -w -D "$data" -l "$home/log" -o "-p $port" >&2
fi

port=$(sed -n 4p "$data/postmaster.pid")
echo "postgres://keyward@127.0.0.1:$port/postgres"
