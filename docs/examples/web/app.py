"""A web application on a server: signs people in with Keyward, keeps their tokens to itself."""

import os
import secrets

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for
from markupsafe import escape

ISSUER = os.environ.get("ISSUER", "http://localhost:8080")
PORT = int(os.environ.get("PORT", "5000"))

app = Flask(__name__)
app.secret_key = os.environ.get("SESSION_KEY") or secrets.token_bytes(32)
# Tokens by the id in the session's cookie; yours are in a database.
TOKENS = {}


# ANCHOR: client
def keep(name, token, refresh_token=None, access_token=None):
    """Tokens that the library has renewed take the place of those of before."""
    TOKENS[session["id"]] |= token


keyward = OAuth(app, update_token=keep).register(
    "keyward",
    client_id="example-web",
    client_secret=os.environ.get("CLIENT_SECRET", "the-secret-of-the-example-on-a-server"),
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)
# ANCHOR_END: client


# ANCHOR: login
@app.get("/login")
def login():
    return keyward.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    token = keyward.authorize_access_token()  # checks state, nonce and the ID token
    session.clear()
    session["id"] = secrets.token_urlsafe()
    TOKENS[session["id"]] = dict(token)
    person = keyward.userinfo(token=token)
    session["name"] = person.get("name") or person["email"]
    return redirect("/")
# ANCHOR_END: login


# ANCHOR: call
@app.get("/me")
def me():
    """Any API is called like this; an access token that has run out is renewed on the way."""
    token = TOKENS.get(session.get("id"))
    if token is None:
        return redirect("/login")
    return keyward.userinfo(token=token)
# ANCHOR_END: call


# ANCHOR: logout
@app.post("/logout")
def logout():
    token = TOKENS.pop(session.get("id"), None)
    session.clear()
    if token is None:
        return redirect("/")
    # Out of Keyward too, which sends the browser back here.
    return keyward.logout_redirect(
        post_logout_redirect_uri=url_for("home", _external=True), id_token_hint=token["id_token"]
    )
# ANCHOR_END: logout


@app.get("/")
def home():
    if session.get("id") not in TOKENS:
        return '<p>Nobody is signed in. <a href="/login">Sign in</a>'
    return (
        f'<p>Hello, {escape(session["name"])}. <a href="/me">Who am I?</a>'
        '<form method="post" action="/logout"><button id="sign-out">Sign out</button></form>'
    )


if __name__ == "__main__":
    app.run("localhost", PORT)
