#!/bin/sh
# Installs or starts what the tests need and does nothing that is done already. Progress goes to
# stderr; stdout is a list of exports for the shell that runs the tests:
#
#   needs="$(tests/setup.sh)" && eval "$needs"
#
# With arguments only these parts: postgres, browser, clients. Only when named: interop.
set -eu
cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }
wanted() { [ -z "$parts" ] || case " $parts " in *" $1 "*) ;; *) return 1 ;; esac; }
have() { command -v "$1" >/dev/null 2>&1; }
export_line() { printf "export %s='%s'\n" "$1" "$2"; }

parts="$*"
missing=""
need() { missing="$missing $*"; }

# PostgreSQL's server programs are not on the PATH of every distribution.
postgres_server() { have initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }
find_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
# Pages are drawn in Arabic too, so a font must know it.
arabic_font() { have fc-list && [ -n "$(fc-list :lang=ar 2>/dev/null | head -n 1)" ]; }

if wanted postgres; then
  postgres_server || need postgresql
  have python3 || need python3
fi
if wanted browser; then
  find_chromium >/dev/null || need chromium
  arabic_font || need fontconfig fonts-dejavu-core fonts-noto-core
fi
# Go comes from https://go.dev: distributions have one that is too old for what go.mod asks.
case " $parts " in *" interop "*)
  { have java && have mvn; } || need default-jdk-headless maven
  { have apache2 && [ -f /usr/lib/apache2/modules/mod_auth_openidc.so ]; } || need apache2-bin libapache2-mod-auth-openidc
  ;;
esac
if wanted browser || wanted clients; then
  { have node && have npm; } || need nodejs npm
fi
if [ -f tests/requirements.txt ] && wanted clients; then
  python3 -c 'import ensurepip' 2>/dev/null || need python3 python3-venv
fi

if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ] || ! have apt-get; then
    say "these packages are missing. Type: sudo apt-get install$missing"
    exit 1
  fi
  say "installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >&2
  # shellcheck disable=SC2086 # a list of words
  apt-get install -y -qq --no-install-recommends $missing >&2 </dev/null
fi

if wanted postgres; then
  url="$(tests/postgres.sh)"
  say "PostgreSQL runs (tests/postgres.sh stop ends it)"
  export_line KEYWARD_TEST_POSTGRES "$url"
fi

# The lock file that was installed is kept beside what it installed.
npm_packages() {
  [ -f "$1/package-lock.json" ] || return 0
  cmp -s "$1/package-lock.json" "$1/node_modules/.installed" && return 0
  say "npm packages of $1"
  (cd "$1" && PUPPETEER_SKIP_DOWNLOAD=1 PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 \
    npm ci --no-audit --no-fund --loglevel=error >&2 </dev/null)
  cp "$1/package-lock.json" "$1/node_modules/.installed"
}

python_packages() {
  [ -f tests/requirements.txt ] || return 0
  if ! cmp -s tests/requirements.txt tests/.venv/installed; then
    say "Python packages of tests/requirements.txt"
    [ -x tests/.venv/bin/python ] || python3 -m venv tests/.venv >&2
    tests/.venv/bin/python -m pip install -q --disable-pip-version-check -r tests/requirements.txt >&2 </dev/null
    cp tests/requirements.txt tests/.venv/installed
  fi
  export_line KEYWARD_TEST_PYTHON "$PWD/tests/.venv/bin/python"
}

if wanted browser; then
  npm_packages tests/browser
  npm_packages tests/look
  export_line CHROMIUM "$(find_chromium)"
fi
if wanted clients; then
  npm_packages tests/clients
  python_packages
fi
