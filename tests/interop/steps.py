"""What a relying party must do, and how each step is checked from outside."""

import urllib.parse

import httpx

EMAIL, PASSWORD, SUB = "alice@example.com", "correct horse battery", "alice-0001"
STEPS = ("sign-in", "userinfo", "refresh", "introspect", "revoke", "logout", "back-channel")


class Checks:
    """Never takes a client's word alone: what it got is tried at the server."""

    def __init__(self, server, client_id):
        self.server, self.client_id = server, client_id

    def check(self, step, answer):
        getattr(self, step.replace("-", "_"))(answer)

    def works(self, token):
        """The status of this access token at userinfo."""
        return self.server.get("/userinfo", headers={"authorization": f"Bearer {token}"}).status_code

    def sign_in(self, claims):
        """The claims of the ID token, as far as the client shows them."""
        for name, value in (("iss", self.server.origin), ("sub", SUB)):
            assert claims.get(name, value) == value, f"the ID token says {name}={claims[name]}"

    def userinfo(self, person):
        seen = {name: person.get(name) for name in ("sub", "email", "email_verified")}
        assert seen == {"sub": SUB, "email": EMAIL, "email_verified": True}, f"userinfo gave {person}"

    def refresh(self, tokens):
        assert tokens["access_token"] != tokens["before"], "the same access token as before"
        status = self.works(tokens["access_token"])
        assert status == 200, f"userinfo answers {status} to the new access token"

    def introspect(self, answer):
        seen = {name: answer.get(name) for name in ("active", "client_id", "sub")}
        assert seen == {"active": True, "client_id": self.client_id, "sub": SUB}, f"introspection said {answer}"

    def revoke(self, tokens):
        status = self.works(tokens["access_token"])
        assert status == 401, f"userinfo answers {status} to a revoked access token"

    def logout(self, _):
        """Where the browser ends is seen by whoever holds it, with `signed_out`."""

    def back_channel(self, _):
        """Likewise."""

    def signed_out(self, browser, redirect_uri):
        """Whether the browser's session is over: nobody is there for `prompt=none`."""
        query = urllib.parse.urlencode({
            "client_id": self.client_id, "response_type": "code", "redirect_uri": redirect_uri, "scope": "openid",
            "prompt": "none", "state": "x", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        })
        answer = browser.http.get(f"{self.server.origin}/authorize?{query}")
        said = httpx.URL(answer.headers.get("location", "")).params.get("error")
        assert said == "login_required", f"after the logout prompt=none answers {answer.status_code} {said}"
