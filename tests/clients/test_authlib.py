"""Authlib (PyPI) as the relying party, through plain forms, on both engines."""

import secrets
import unittest
import warnings

import httpx
from authlib.deprecate import AuthlibDeprecationWarning

warnings.simplefilter("ignore", AuthlibDeprecationWarning)
from authlib.integrations.httpx_client import OAuth2Client
from authlib.jose import JsonWebKey, jwt
from authlib.oidc.core import CodeIDToken

from harness import Application, Case, on_both_engines, register


class _Authlib(Case):
    def setUp(self):
        self.metadata = self.server.get("/.well-known/openid-configuration").json()

    def client(self, client_id="web", method="client_secret_basic", scope="openid email profile"):
        secret, redirect_uri = Application.KNOWN[client_id]
        client = OAuth2Client(
            client_id, secret, scope=scope, redirect_uri=redirect_uri, code_challenge_method="S256",
            token_endpoint_auth_method=method if secret else "none",
        )
        self.addCleanup(client.close)
        return client

    def begin(self, client, **more):
        self.verifier, self.nonce = secrets.token_urlsafe(40), secrets.token_urlsafe(8)
        url, state = client.create_authorization_url(
            self.metadata["authorization_endpoint"], code_verifier=self.verifier, nonce=self.nonce, **more
        )
        return url, state

    def finish(self, client, page, state):
        self.assertTrue(page.url.startswith(client.redirect_uri), (page.url, page.step))
        self.assertEqual(page.query()["iss"], self.metadata["issuer"])
        return client.fetch_token(
            self.metadata["token_endpoint"], authorization_response=page.url, state=state, code_verifier=self.verifier
        )

    def claims(self, client, token):
        keys = JsonWebKey.import_key_set(self.server.get("/jwks").json())
        claims = jwt.decode(
            token["id_token"], keys, claims_cls=CodeIDToken,
            claims_options={"iss": {"value": self.metadata["issuer"]}, "aud": {"value": client.client_id}},
            claims_params={"nonce": self.nonce, "client_id": client.client_id, "access_token": token["access_token"]},
        )
        claims.validate()
        return claims

    def sign_in(self, client, browser=None, **more):
        browser = browser or self.browser()
        url, state = self.begin(client, **more)
        return browser, self.finish(client, browser.sign_in(browser.get(url)), state)

    def test_confidential_and_public_clients_sign_in(self):
        cases = [("web", "client_secret_basic"), ("web", "client_secret_post"), ("spa", "none")]
        for client_id, method in cases:
            with self.subTest(client_id, method=method):
                client = self.client(client_id, method)
                _, token = self.sign_in(client)
                claims = self.claims(client, token)
                self.assertEqual(jwt_header(token["id_token"])["alg"], "RS256")
                self.assertEqual(jwt_header(token["access_token"]), jwt_header(token["access_token"]) | {"alg": "ES256", "typ": "at+jwt"})
                person = client.get(self.metadata["userinfo_endpoint"]).json()
                self.assertEqual((person["sub"], person["email"], person["email_verified"]), (claims["sub"], "alice@example.com", True))
                self.assertEqual((person["name"], person["given_name"]), ("Alice Example", "Alice"))
                self.assertNotIn("phone_number", person)

    def test_all_scopes_bring_their_claims(self):
        client = self.client(scope="openid email profile phone address")
        self.sign_in(client)
        person = client.get(self.metadata["userinfo_endpoint"]).json()
        self.assertEqual((person["phone_number"], person["address"]), ("+4915112345678", {"locality": "Berlin"}))
        self.assertEqual(person["preferred_username"], "alice")

    def test_refresh_rotates_and_old_tokens_end_the_grant(self):
        client = self.client()
        _, first = self.sign_in(client)
        endpoint = self.metadata["token_endpoint"]
        second = client.refresh_token(endpoint, refresh_token=first["refresh_token"])
        self.assertNotEqual(second["refresh_token"], first["refresh_token"])
        # An answer got lost: the token before the present one gets the present one again.
        again = client.refresh_token(endpoint, refresh_token=first["refresh_token"])
        self.assertEqual(again["refresh_token"], second["refresh_token"])
        third = client.refresh_token(endpoint, refresh_token=second["refresh_token"])
        self.assertEqual(client.get(self.metadata["userinfo_endpoint"]).status_code, 200)
        # The one before that is nobody's lost answer any more: somebody else has it.
        application = Application(self.server.origin)
        refused = application.refresh(first["refresh_token"])
        self.assertEqual((refused.status_code, refused.json()["error"]), (400, "invalid_grant"))
        refused = application.refresh(third["refresh_token"])
        self.assertEqual(refused.json()["error"], "invalid_grant")
        self.assertEqual(application.userinfo(third["access_token"]).status_code, 401)

    def test_client_credentials(self):
        for method in ("client_secret_basic", "client_secret_post"):
            client = OAuth2Client("robot", "s3cret2", token_endpoint_auth_method=method, scope="orders.read")
            token = client.fetch_token(self.metadata["token_endpoint"], grant_type="client_credentials")
            keys = JsonWebKey.import_key_set(self.server.get("/jwks").json())
            claims = jwt.decode(token["access_token"], keys)
            self.assertEqual((claims["scope"], claims["client_id"], claims["sub"]), ("orders.read", "robot", "robot"))
            self.assertTrue(claims["aud"])
            self.assertNotIn("refresh_token", token)
            self.assertNotIn("id_token", token)
            client.close()
        wrong = httpx.post(self.metadata["token_endpoint"], data={"grant_type": "client_credentials"}, auth=("robot", "no"))
        self.assertEqual((wrong.status_code, wrong.json()["error"]), (401, "invalid_client"))
        self.assertIn("Basic", wrong.headers["www-authenticate"])

    def test_logout_by_the_relying_party(self):
        browser, token = self.sign_in(self.client())
        home, end = "http://127.0.0.1:9000/", self.metadata["end_session_endpoint"]
        # Without a hint the person is asked; with it they are not.
        page = browser.get(f"{end}?client_id=web&post_logout_redirect_uri={home}&state=s1")
        self.assertEqual(page.step, "logout")
        page = browser.submit(page, "confirm")
        self.assertEqual((page.url.split("?")[0], page.query()), (home, {"state": "s1"}))
        application = Application(self.server.origin)
        self.assertEqual(application.userinfo(token["access_token"]).status_code, 401, "the grant is the session's")
        self.assertEqual(application.refresh(token["refresh_token"]).status_code, 400)
        browser, token = self.sign_in(self.client())
        page = browser.get(f"{end}?id_token_hint={token['id_token']}&post_logout_redirect_uri={home}&state=s2")
        self.assertEqual((page.url.split("?")[0], page.query()), (home, {"state": "s2"}))
        page = browser.get(self.begin(self.client(), prompt="none")[0])
        self.assertEqual(page.query()["error"], "login_required")
        browser, token = self.sign_in(self.client())
        page = browser.get(f"{end}?id_token_hint={token['id_token']}")
        self.assertIn("signed-out", page.ids)
        page = browser.get(f"{end}?id_token_hint={token['id_token']}&post_logout_redirect_uri=http://127.0.0.1:9000/elsewhere")
        self.assertIn("error", page.ids)

    def test_prompt_none(self):
        browser, client = self.browser(), self.client()
        url, state = self.begin(client, prompt="none")
        page = browser.get(url)
        self.assertEqual((page.query()["error"], page.query()["state"]), ("login_required", state))
        self.sign_in(client, browser)
        url, state = self.begin(client, prompt="none")
        claims = self.claims(client, self.finish(client, browser.get(url), state))
        self.assertTrue(claims["auth_time"])

    def test_single_sign_on_into_another_application(self):
        browser, _ = self.sign_in(self.client("web"))
        client = self.client("spa")
        url, state = self.begin(client)
        token = self.finish(client, browser.get(url), state)
        self.assertEqual(self.claims(client, token)["aud"], "spa")

    def test_prompt_login_and_max_age_ask_again(self):
        browser, token = self.sign_in(client := self.client())
        before = self.claims(client, token)["auth_time"]
        for more in ({"prompt": "login"}, {"max_age": 0}):
            with self.subTest(more):
                url, state = self.begin(client, **more)
                page = browser.get(url)
                self.assertIn(page.step, ("password", "identify"))
                page = browser.sign_in(page)
                self.assertGreaterEqual(self.claims(client, self.finish(client, page, state))["auth_time"], before)
        url, state = self.begin(client, max_age=3600)
        self.assertIn("auth_time", self.claims(client, self.finish(client, browser.get(url), state)))

    def test_hints_for_the_sign_in(self):
        url, _ = self.begin(self.client(), login_hint="alice@example.com", ui_locales="ar de")
        page = self.browser().get(url)
        self.assertEqual((page.attributes["lang"], page.attributes["dir"]), ("ar", "rtl"))
        self.assertIn("alice@example.com", page.text)
        url, _ = self.begin(self.client(), ui_locales="xx de")
        self.assertEqual(self.browser().get(url).attributes["lang"], "de")

    def test_prompt_create_registers_and_comes_back(self):
        browser, client = self.browser(), self.client()
        email = f"new{secrets.token_hex(4)}@example.com"
        url, state = self.begin(client, prompt="create")
        page = browser.get(url)
        self.assertEqual(page.step, "register")
        token = self.finish(client, register(self.server, browser, page, email), state)
        self.claims(client, token)
        person = client.get(self.metadata["userinfo_endpoint"]).json()
        self.assertEqual((person["email"], person["email_verified"]), (email, True))

    def test_consent_is_asked_denied_given_and_remembered(self):
        browser, client, email = self.browser(), self.client("partner"), self.user()
        Application(self.server.origin).sign_in(browser, email)
        url, state = self.begin(client)
        page = browser.get(url)
        self.assertEqual(page.step, "consent")
        self.assertLessEqual({"allow", "deny"}, page.ids)
        page = browser.submit(page, "deny")
        self.assertEqual((page.query()["error"], page.query()["state"], page.query()["iss"]), ("access_denied", state, self.metadata["issuer"]))
        url, _ = self.begin(client, prompt="none")
        self.assertEqual(browser.get(url).query()["error"], "consent_required")
        url, state = self.begin(client)
        page = browser.get(url)
        self.assertEqual(page.step, "consent")
        self.finish(client, browser.submit(page, "allow"), state)
        url, state = self.begin(client)
        self.finish(client, browser.get(url), state)
        # More than was agreed to is asked for; asking again is the application's right.
        url, _ = self.begin(self.client("partner", scope="openid email profile phone"))
        self.assertEqual(browser.get(url).step, "consent")
        url, _ = self.begin(client, prompt="consent")
        self.assertEqual(browser.get(url).step, "consent")
        # Taken back in the account, the grant and the memory of it are gone.
        token = client.token
        page = browser.get("/account/applications")
        taken = next(form for form in page.forms if form.method == "post" and "application" in " ".join(form.names()) + form.action)
        page = browser.send(page, taken)
        application = Application(self.server.origin, "partner")
        self.assertEqual(application.userinfo(token["access_token"]).status_code, 401)
        url, _ = self.begin(client)
        self.assertEqual(browser.get(url).step, "consent")

    def test_form_post_carries_the_answer(self):
        browser, client = self.browser(), self.client()
        url, state = self.begin(client, response_mode="form_post")
        page = browser.sign_in(browser.get(url))
        self.assertEqual(page.step, "form-post")
        form = page.form_with("continue")
        self.assertEqual((form.action, form.method), (client.redirect_uri, "post"))
        answer = form.hidden()
        self.assertEqual((answer["state"], answer["iss"]), (state, self.metadata["issuer"]))
        token = client.fetch_token(self.metadata["token_endpoint"], code=answer["code"], code_verifier=self.verifier)
        self.claims(client, token)

    def test_mistakes_are_told_where_they_belong(self):
        application, browser = Application(self.server.origin), self.browser()
        page = browser.get(application.url(redirect_uri="http://127.0.0.1:9000/other"))
        self.assertIn("error", page.ids, "never a redirect to an unknown address")
        page = browser.get(Application(self.server.origin, "spa").url(code_challenge=None, code_challenge_method=None))
        self.assertEqual(page.query()["error"], "invalid_request")
        page = browser.get(application.url(response_type="token"))
        self.assertEqual(page.query()["error"], "unsupported_response_type")
        page = browser.sign_in(browser.get(application.url()))
        refused = application.redeem(page.query()["code"], code_verifier="x" * 43)
        self.assertEqual((refused.status_code, refused.json()["error"]), (400, "invalid_grant"))

    def test_offline_access_outlives_the_session(self):
        client = self.client(scope="openid offline_access")
        browser, token = self.sign_in(client)
        browser.submit(browser.get("/logout"), "confirm")
        application = Application(self.server.origin)
        self.assertEqual(application.refresh(token["refresh_token"]).status_code, 200)


def jwt_header(token):
    import base64
    import json

    head = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))


on_both_engines(_Authlib, globals())
del _Authlib

if __name__ == "__main__":
    unittest.main()
