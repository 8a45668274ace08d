"""A Flask application that signs in with Authlib's integration, and uses its session for what comes after."""

import os

from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, redirect, session

env = os.environ
app = Flask(__name__)
app.secret_key = os.urandom(32)
SCOPE = "openid email profile"
keyward = OAuth(app).register(
    "keyward", client_id=env["CLIENT_ID"], client_secret=env["CLIENT_SECRET"],
    server_metadata_url=env["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": SCOPE, "code_challenge_method": "S256"},
)


def connection():
    """The same client with the token that this browser has."""
    return OAuth2Session(env["CLIENT_ID"], env["CLIENT_SECRET"], scope=SCOPE, token=session["token"])


def endpoint(name):
    return keyward.load_server_metadata()[name]


@app.get("/login")
def login():
    return keyward.authorize_redirect(env["REDIRECT_URI"])


@app.get("/callback")
def callback():
    token = keyward.authorize_access_token()
    assert token.pop("userinfo")["iss"] == env["ISSUER"]
    session["token"] = dict(token)
    return redirect("/")


@app.get("/")
def home():
    return "signed in" if "token" in session else "nobody"


@app.get("/me")
def me():
    return dict(keyward.userinfo(token=session["token"]))


@app.get("/refresh")
def refresh():
    before = session["token"]
    token = connection().refresh_token(endpoint("token_endpoint"), refresh_token=before["refresh_token"])
    session["token"] = before | dict(token)
    return {"before": before["access_token"], "access_token": token["access_token"]}


@app.get("/introspect")
def introspect():
    return connection().introspect_token(endpoint("introspection_endpoint"), session["token"]["access_token"]).json()


@app.get("/revoke")
def revoke():
    token = session["token"]["access_token"]
    connection().revoke_token(endpoint("revocation_endpoint"), token).raise_for_status()
    return {"access_token": token}


@app.get("/logout")
def logout():
    hint = session.pop("token")["id_token"]
    return keyward.logout_redirect(post_logout_redirect_uri=env["POST_LOGOUT_URI"], id_token_hint=hint)


@app.get("/signed-out")
def signed_out():
    keyward.validate_logout_response()
    return "signed out"


app.run("127.0.0.1", int(env["PORT"]))
