#!/bin/sh
# What the application behind mod_auth_openidc answers.
path="${REQUEST_URI%%\?*}"
json() { printf 'Content-Type: application/json\n\n%s\n' "$1"; }
go() { printf 'Status: 302\nLocation: %s\n\n' "$1"; }

case "$path" in
  /me) json "$OIDC_userinfo_json" ;;
  /refresh) go "$REDIRECT_URI?refresh=$ORIGIN/refreshed/$OIDC_access_token&access_token=$OIDC_access_token" ;;
  /refreshed/*) json "{\"before\": \"${path#/refreshed/}\", \"access_token\": \"$OIDC_access_token\"}" ;;
  # Behind /api nobody comes whose token introspection did not call active.
  /introspect) go "/api?access_token=$OIDC_access_token" ;;
  /api) json "{\"active\": true, \"client_id\": \"$OIDC_CLAIM_client_id\", \"sub\": \"$OIDC_CLAIM_sub\"}" ;;
  /logout) go "$REDIRECT_URI?logout=$POST_LOGOUT_URI" ;;
  *) printf 'Content-Type: text/plain\n\n%s\n' "$path" ;;
esac
