"""A relying party on idpyoidc's RPHandler, which discovers, signs in and reads userinfo in two calls."""

import json
import os
import sys
import traceback
import urllib.parse

from idpyoidc.client.defaults import DEFAULT_OIDC_SERVICES
from idpyoidc.client.rp_handler import RPHandler

env = os.environ
ISSUER = env["ISSUER"]


def say(**line):
    print(json.dumps(line), flush=True)
    return json.loads(sys.stdin.readline())


def browse(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(say(open=url)["callback"]).query))


def step(name, work):
    try:
        say(step=name, ok=True, answer=work())
    except Exception as error:
        traceback.print_exc()
        say(step=name, ok=False, error=f"{type(error).__name__}: {error}")


handler = RPHandler(
    base_url=env["ORIGIN"],
    key_conf={"key_defs": [{"type": "EC", "crv": "P-256", "use": ["sig"]}]},
    services=DEFAULT_OIDC_SERVICES | {
        "introspection": {"class": "idpyoidc.client.oauth2.introspection.Introspection"},
        "token_revocation": {"class": "idpyoidc.client.oauth2.token_revocation.TokenRevocation"},
        "end_session": {"class": "idpyoidc.client.oidc.end_session.EndSession"},
    },
    client_configs={
        ISSUER: {
            "client_type": "oidc", "issuer": ISSUER, "client_id": env["CLIENT_ID"], "client_secret": env["CLIENT_SECRET"],
            "redirect_uris": [env["REDIRECT_URI"]], "post_logout_redirect_uris": [env["POST_LOGOUT_URI"]],
            "response_types_supported": ["code"], "scopes_supported": ["openid", "email", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "client_authn_methods": ["client_secret_basic", "client_secret_post", "bearer_header"],
            "add_ons": {"pkce": {
                "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
                "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
            }},
        }
    },
)
signed_in = {}


def sign_in():
    url = handler.begin(ISSUER)
    answer = handler.finalize(ISSUER, browse(url))
    if "error" in answer:
        raise RuntimeError(answer["error"])
    signed_in.update(answer)
    return answer["id_token"].to_dict()


def client():
    return handler.get_client_from_session_key(signed_in["state"])


def refresh():
    before = signed_in["token"]
    signed_in["token"] = handler.refresh_access_token(signed_in["state"])["access_token"]
    return {"before": before, "access_token": signed_in["token"]}


def about_token():
    return {"token": signed_in["token"], "token_type_hint": "access_token"}


def introspect():
    answer = client().do_request("introspection", request_args=about_token(), state=signed_in["state"])
    return answer.to_dict()


def revoke():
    """It takes the empty answer of RFC 7009 for a fault, so it makes the request and no more."""
    request = client().get_service("token_revocation").get_request_parameters(request_args=about_token())
    client().httpc("POST", request["url"], data=request["body"], headers=request["headers"]).raise_for_status()
    return {"access_token": signed_in["token"]}


def logout():
    browse(handler.logout(signed_in["state"], post_logout_redirect_uri=env["POST_LOGOUT_URI"])["url"])


step("sign-in", sign_in)
step("userinfo", lambda: signed_in["userinfo"].to_dict())
step("refresh", refresh)
step("introspect", introspect)
step("revoke", revoke)
step("logout", logout)
