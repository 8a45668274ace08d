"""The OpenID plans, module by module, as their suite runs them: an application registers itself, sends a
small browser, reads every answer. Nothing here knows more than HTTP. Modules that need another moment
(a code of 30 seconds ago) are tested in process, with a clock of their own; docs/conformance.md has
the list."""

import base64
import json
import secrets
import time
import urllib.parse

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from harness import PASSWORD, Case, apply, eventually, on_both_engines

CALLBACK = "https://rp.example/cb"
BYE = "https://rp.example/bye"
PERSON = {
    "name": "Robin Meadow", "given_name": "Robin", "family_name": "Meadow", "nickname": "Rob", "website": "https://robin.example",
    "birthdate": "2000-02-29", "zoneinfo": "Europe/Berlin", "phone_number": "+4915112345678",
    "address": {"locality": "Berlin", "country": "DE"},
}


class RelyingParty:
    """An application that has registered itself."""

    def __init__(self, server, mode=None, **metadata):
        self.server, self.mode, self.issuer = server, mode, server.origin
        self.discovery = server.get("/.well-known/openid-configuration").json()
        wanted = {"redirect_uris": [CALLBACK], "post_logout_redirect_uris": [BYE], "client_name": "Plan"} | metadata
        self.registered = httpx.post(self.discovery["registration_endpoint"], json=wanted, timeout=30)
        if self.registered.status_code == 201:
            self.metadata = self.registered.json()
            self.client_id = self.metadata["client_id"]
            self.secret = self.metadata.get("client_secret")

    def url(self, **more):
        """The request; a parameter of None is left out."""
        query = {
            "client_id": self.client_id, "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid",
            "state": secrets.token_urlsafe(8), "nonce": secrets.token_urlsafe(8), "response_mode": self.mode,
        } | more
        kept = {name: value for name, value in query.items() if value is not None}
        return self.discovery["authorization_endpoint"] + "?" + urllib.parse.urlencode(kept)

    def token(self, **form):
        client = (self.client_id, self.secret)
        if self.metadata["token_endpoint_auth_method"] == "client_secret_post":
            form, client = form | {"client_id": self.client_id, "client_secret": self.secret}, None
        return httpx.post(self.discovery["token_endpoint"], data=form, auth=client, timeout=30)

    def redeem(self, code, **more):
        return self.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, **more)

    def refresh(self, token):
        return self.token(grant_type="refresh_token", refresh_token=token)

    def userinfo(self, token, method="GET", body=False):
        bearer = {} if body else {"authorization": f"Bearer {token}"}
        data = {"access_token": token} if body else None
        return httpx.request(method, self.discovery["userinfo_endpoint"], headers=bearer, data=data, timeout=30)

    def claims(self, id_token):
        """What a checked ID token says."""
        keys = KeySet.import_key_set(self.server.get("/jwks").json())
        token = jwt.decode(id_token, keys, algorithms=[self.metadata["id_token_signed_response_alg"]])
        claims, now = token.claims, time.time()
        assert token.header["kid"] in {key.kid for key in keys.keys}
        assert claims["iss"] == self.issuer and claims["aud"] in (self.client_id, [self.client_id])
        assert claims["iat"] - 5 <= now < claims["exp"] and claims["sub"].isascii() and len(claims["sub"]) <= 255
        return claims


class _Plans(Case):
    mode = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        open_to_all = {"tenants": [{"slug": "default", "settings": {"client_registration": "open"}}]}
        assert apply(cls.place, open_to_all).returncode == 0
        eventually(lambda: "registration_endpoint" in cls.server.get("/.well-known/openid-configuration").json(), 3)

    def setUp(self):
        self.email = self.user(claims=PERSON)
        self.person = self.browser()

    def rp(self, **metadata):
        made = RelyingParty(self.server, self.mode, **metadata)
        self.assertEqual(made.registered.status_code, 201, made.registered.text)
        return made

    def walk(self, url, browser=None, shown=None):
        """Through every page, as the suite clicks; what comes back, or the page that is none of these."""
        browser = browser or self.person
        return self.on(browser, browser.get(url), shown)

    def on(self, browser, page, shown=None):
        shown = [] if shown is None else shown
        for _ in range(6):
            if page.url.startswith(CALLBACK):
                return page.query()
            back = next((form for form in page.forms if form.action == CALLBACK), None)
            if back:
                self.assertEqual(self.mode, "form_post")
                return back.hidden()
            shown.append(page.step)
            if page.step in ("identify", "password"):
                page = browser.sign_in(page, self.email)
            elif page.step == "consent":
                page = browser.submit(page, "allow")
            else:
                return page
        raise AssertionError(f"no end after {shown}")

    def answer(self, rp, browser=None, shown=None, **params):
        state = params.setdefault("state", secrets.token_urlsafe(8))
        got = self.walk(rp.url(**params), browser, shown)
        self.assertIsInstance(got, dict, getattr(got, "text", "")[:1000])
        self.assertEqual((got.get("state"), got.get("iss")), (state, rp.issuer))
        return got

    def signed_in(self, rp, **params):
        """A whole sign-in: the token answer and the claims of the ID token."""
        nonce = params.setdefault("nonce", secrets.token_urlsafe(8))
        got = self.answer(rp, **params)
        self.assertIn("code", got, got)
        answer = rp.redeem(got["code"])
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(answer.headers["cache-control"], "no-store")
        tokens = answer.json()
        self.assertEqual(tokens["token_type"].lower(), "bearer")
        claims = rp.claims(tokens["id_token"])
        self.assertEqual(claims.get("nonce"), nonce)
        return tokens, claims

    def is_our_page(self, page):
        """An error that is shown and never told to another address."""
        self.assertNotIsInstance(page, dict, page)
        self.assertTrue(page.url.startswith(self.server.origin + "/"), page.url)
        self.assertIn("error", page.ids, page.text[:500])
        self.assertGreaterEqual(page.status, 400)

    # ------------------------------------------------------------------------------ Basic

    def test_oidcc_server(self):
        rp = self.rp()
        tokens, claims = self.signed_in(rp)
        self.assertIn("auth_time", claims)
        for unasked in PERSON:
            self.assertNotIn(unasked, claims)
        self.assertEqual(rp.userinfo(tokens["access_token"]).json(), {"sub": claims["sub"]})
        # The same person is the same subject.
        self.assertEqual(self.signed_in(rp)[1]["sub"], claims["sub"])

    def test_oidcc_response_type_missing(self):
        got = self.walk(self.rp().url(response_type=None))
        if isinstance(got, dict):
            self.assertIn(got["error"], ("invalid_request", "unsupported_response_type"))
        else:
            self.is_our_page(got)

    def test_oidcc_userinfo(self):
        rp = self.rp()
        tokens, claims = self.signed_in(rp)
        for way in ({}, {"method": "POST"}, {"method": "POST", "body": True}):
            answer = rp.userinfo(tokens["access_token"], **way)
            self.assertEqual((answer.status_code, answer.json()["sub"]), (200, claims["sub"]), way)
            self.assertTrue(answer.headers["content-type"].startswith("application/json"))
        self.assertEqual(rp.userinfo("x" + tokens["access_token"]).status_code, 401)

    def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(self):
        rp = self.rp()
        _, claims = self.signed_in(rp, nonce=None)
        self.assertNotIn("nonce", claims)

    def test_oidcc_scopes(self):
        rp = self.rp()
        standard = {
            "profile": ("name", "given_name", "family_name", "nickname", "website", "birthdate", "zoneinfo", "updated_at"),
            "email": ("email", "email_verified"), "phone": ("phone_number", "phone_number_verified"), "address": ("address",),
        }
        for scope in [*standard, "address email phone profile"]:
            tokens, claims = self.signed_in(rp, scope="openid " + scope)
            info = rp.userinfo(tokens["access_token"]).json()
            wanted = {claim for name in scope.split() for claim in standard[name]}
            missing = wanted - {"phone_number_verified"} - set(info)
            self.assertFalse(missing, f"{scope}: {info}")
            others = {claim for claims in standard.values() for claim in claims} - wanted
            self.assertFalse(others & set(info), scope)
            self.assertFalse(wanted & set(claims), "not in the ID token")
        self.assertIsInstance(info["address"], dict)
        self.assertIs(info["email_verified"], True)
        self.assertIsInstance(info["updated_at"], int)

    def test_oidcc_prompt_login(self):
        rp = self.rp()
        _, first = self.signed_in(rp)
        eventually(lambda: time.time() > first["auth_time"] + 1, 5, "the next second")
        shown = []
        _, second = self.signed_in(rp, prompt="login", shown=shown)
        self.assertTrue({"identify", "password"} & set(shown), shown)
        self.assertGreater(second["auth_time"], first["auth_time"])
        self.assertEqual(second["sub"], first["sub"])

    def test_oidcc_prompt_none(self):
        rp = self.rp()
        before = self.answer(rp, prompt="none")
        self.assertEqual(before["error"], "login_required")
        self.assertNotRegex(before.get("error_description", ""), r"[\r\n]")
        _, first = self.signed_in(rp)
        shown = []
        tokens, second = self.signed_in(rp, prompt="none", shown=shown)
        self.assertEqual((shown, second["sub"], second["auth_time"]), ([], first["sub"], first["auth_time"]))
        hint = tokens["id_token"]
        self.assertEqual(self.signed_in(rp, prompt="none", id_token_hint=hint)[1]["sub"], first["sub"])
        self.assertEqual(self.answer(rp, browser=self.browser(), prompt="none", id_token_hint=hint)["error"], "login_required")
        # Together with another one it means nothing.
        self.assertEqual(self.answer(rp, prompt="none login")["error"], "invalid_request")

    def test_oidcc_prompt_none_of_another_person(self):
        rp = self.rp()
        tokens, _ = self.signed_in(rp)
        self.email, other = self.user(), self.browser()
        self.signed_in(rp, browser=other)
        got = self.answer(rp, browser=other, prompt="none", id_token_hint=tokens["id_token"])
        self.assertEqual(got["error"], "login_required")

    def test_oidcc_max_age(self):
        rp = self.rp()
        _, first = self.signed_in(rp)
        eventually(lambda: time.time() > first["auth_time"] + 2, 5, "two seconds")
        shown = []
        _, second = self.signed_in(rp, max_age="10000", shown=shown)
        self.assertEqual((shown, second["auth_time"]), ([], first["auth_time"]))
        self.assertEqual(self.answer(rp, max_age="1", prompt="none")["error"], "login_required")
        _, third = self.signed_in(rp, max_age="1", shown=shown)
        self.assertTrue({"identify", "password"} & set(shown), shown)
        self.assertGreater(third["auth_time"], first["auth_time"])

    def test_oidcc_wishes_cause_no_error(self):
        rp = self.rp()
        for wish in (
            {"display": "page"}, {"display": "popup"}, {"ui_locales": "se"}, {"claims_locales": "se"}, {"extra": "foobar"},
            {"login_hint": "buffy@example.com"}, {"ui_locales": "fr-CA fr en"},
        ):
            self.assertIn("code", self.answer(rp, **wish), wish)
        _, claims = self.signed_in(rp, acr_values="1 2")
        self.assertTrue(claims["acr"])

    def test_oidcc_codereuse(self):
        rp = self.rp(grant_types=["authorization_code", "refresh_token"])
        code = self.answer(rp)["code"]
        tokens = rp.redeem(code).json()
        again = rp.redeem(code)
        self.assertEqual((again.status_code, again.json()["error"]), (400, "invalid_grant"))
        self.assertEqual(rp.userinfo(tokens["access_token"]).status_code, 401)
        self.assertEqual(rp.refresh(tokens["refresh_token"]).json()["error"], "invalid_grant")

    def test_oidcc_code_of_another_client(self):
        rp, other = self.rp(), self.rp()
        code = self.answer(rp)["code"]
        self.assertEqual(other.redeem(code).json()["error"], "invalid_grant")

    def test_oidcc_ensure_registered_redirect_uri(self):
        rp = self.rp()
        for bad in (CALLBACK + "/x", CALLBACK + "?x=y", "https://evil.example/cb", None, ""):
            for prompt in (None, "none"):
                self.is_our_page(self.walk(rp.url(redirect_uri=bad, prompt=prompt)))

    def test_oidcc_ensure_post_request_succeeds(self):
        rp = self.rp()
        self.signed_in(rp)
        address, query = rp.url().split("?", 1)
        page = self.person.go("POST", address, dict(urllib.parse.parse_qsl(query)))
        self.assertIn("code", self.on(self.person, page))

    def test_oidcc_server_client_secret_post(self):
        rp = self.rp(token_endpoint_auth_method="client_secret_post")
        self.signed_in(rp)
        wrong = httpx.post(rp.discovery["token_endpoint"], data={"grant_type": "refresh_token"}, auth=(rp.client_id, rp.secret))
        self.assertEqual((wrong.status_code, wrong.json()["error"]), (401, "invalid_client"), "only as registered")

    def test_oidcc_request_objects(self):
        rp = self.rp()
        part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
        unsigned = f"{part({'alg': 'none'})}.{part({'client_id': rp.client_id, 'redirect_uri': CALLBACK})}."
        self.assertEqual(self.answer(rp, request=unsigned)["error"], "request_not_supported")
        self.assertEqual(self.answer(rp, request_uri="https://rp.example/r.jwt")["error"], "request_uri_not_supported")
        for name in ("request_parameter_supported", "request_uri_parameter_supported"):
            self.assertIs(rp.discovery[name], False, name)

    def test_oidcc_claims_essential(self):
        rp = self.rp()
        wish = json.dumps({"userinfo": {"name": {"essential": True}}})
        tokens, claims = self.signed_in(rp, claims=wish)
        self.assertEqual(rp.userinfo(tokens["access_token"]).json(), {"sub": claims["sub"], "name": PERSON["name"]})

    def test_oidcc_refresh_token(self):
        rp, other = (self.rp(grant_types=["authorization_code", "refresh_token"]) for _ in range(2))
        tokens, claims = self.signed_in(rp, scope="openid email offline_access", prompt="consent")
        self.assertEqual(other.refresh(tokens["refresh_token"]).json()["error"], "invalid_grant")
        answer = rp.refresh(tokens["refresh_token"])
        self.assertEqual((answer.status_code, answer.headers["cache-control"]), (200, "no-store"))
        fresh = answer.json()
        self.assertNotEqual(fresh["access_token"], tokens["access_token"])
        again = rp.claims(fresh["id_token"])
        for name in ("sub", "aud", "iss", "auth_time"):
            self.assertEqual(again[name], claims[name], name)
        self.assertGreaterEqual(again["iat"], claims["iat"])
        self.assertEqual(again.get("nonce", claims["nonce"]), claims["nonce"])
        self.assertEqual(rp.userinfo(fresh["access_token"]).json()["email"], self.email)

    # ------------------------------------------------------------------------------ Dynamic

    def test_oidcc_registration(self):
        rp = self.rp(userinfo_signed_response_alg="RS256", id_token_signed_response_alg="ES256")
        tokens, claims = self.signed_in(rp)
        answer = rp.userinfo(tokens["access_token"])
        self.assertTrue(answer.headers["content-type"].startswith("application/jwt"), answer.headers)
        signed = jwt.decode(answer.text, KeySet.import_key_set(self.server.get("/jwks").json()), algorithms=["RS256"]).claims
        self.assertEqual((signed["iss"], signed["aud"], signed["sub"]), (rp.issuer, rp.client_id, claims["sub"]))
        read = httpx.get(
            rp.metadata["registration_client_uri"], headers={"authorization": f"Bearer {rp.metadata['registration_access_token']}"}
        )
        self.assertEqual((read.status_code, read.json()["client_id"]), (200, rp.client_id))
        for metadata, error in (
            ({"redirect_uris": [CALLBACK + "#f"]}, "invalid_redirect_uri"),
            ({"id_token_signed_response_alg": "none"}, "invalid_client_metadata"),
            ({"initiate_login_uri": "http://rp.example/login"}, "invalid_client_metadata"),
            ({"sector_identifier_uri": "https://127.0.0.1:1/sector"}, "invalid_client_metadata"),
        ):
            refused = RelyingParty(self.server, **metadata).registered
            self.assertEqual((refused.status_code, refused.json()["error"]), (400, error), metadata)
        kept = self.rp(initiate_login_uri="https://rp.example/login")
        self.assertEqual(kept.metadata["initiate_login_uri"], "https://rp.example/login")

    def test_oidcc_redirect_uri_query(self):
        rp = self.rp(redirect_uris=[CALLBACK + "?foo=bar"])
        got = self.walk(rp.url(redirect_uri=CALLBACK + "?foo=bar"))
        if self.mode is None:
            self.assertEqual(got["foo"], "bar")
            self.assertIn("code", got)
        for bad in (CALLBACK, CALLBACK + "?foo=baz", CALLBACK + "?foo=bar&x=y"):
            self.is_our_page(self.walk(rp.url(redirect_uri=bad)))

    # ------------------------------------------------------------------------------ logout

    def test_oidcc_rp_initiated_logout(self):
        rp = self.rp()
        end = rp.discovery["end_session_endpoint"]

        def leave(**params):
            tokens, _ = self.signed_in(rp)
            params = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BYE} | params
            kept = {name: value for name, value in params.items() if value is not None}
            page = self.person.get(end + "?" + urllib.parse.urlencode(kept))
            return tokens, page

        def out():
            return self.answer(rp, prompt="none").get("error") == "login_required"

        state = secrets.token_urlsafe(96)
        self.assertEqual(len(state), 128)
        _, page = leave(state=state)
        self.assertEqual(page.url, f"{BYE}?state={urllib.parse.quote(state)}")
        self.assertTrue(out())
        _, page = leave()
        self.assertEqual(page.url, BYE)
        self.assertTrue(out())
        # Without anywhere to go it ends on a page that says so.
        for params in ({"id_token_hint": None}, {"id_token_hint": None, "state": "x"}, {}):
            _, page = leave(post_logout_redirect_uri=None, **params)
            if "confirm" in page.text and "signed-out" not in page.ids:
                page = self.person.submit(page, "confirm")
            self.assertIn("signed-out", page.ids, page.text[:500])
            self.assertTrue(out())
        # What is not registered, and hints that are not ours, lead nowhere.
        for params in (
            {"post_logout_redirect_uri": "https://evil.example/"}, {"post_logout_redirect_uri": BYE + "?foo=bar"}, {"id_token_hint": None},
        ):
            _, page = leave(**params)
            self.assertTrue(page.url.startswith(rp.issuer), page.url)
            self.assertIn("error", page.ids, params)
        tokens, _ = self.signed_in(rp)
        _, body, _ = tokens["id_token"].split(".")
        none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        for hint in ("nonsense", f"{none}.{body}.", tokens["id_token"][:-4] + "AAAA"):
            _, page = leave(id_token_hint=hint)
            self.assertTrue(page.url.startswith(rp.issuer), page.url)
            self.assertTrue({"error", "confirm"} & page.ids, page.text[:500])

    # ------------------------------------------------------------------------------ more

    def test_abuse_52_consent_belongs_to_the_browser_that_was_asked(self):
        rp, stranger = self.rp(), self.browser()
        page = self.person.sign_in(self.person.get(rp.url()), self.email)
        self.assertEqual(page.step, "consent")
        form = page.form_with("allow")
        sent = {name: value for name, value, _ in form.fields} | {name: value for _, name, value in form.buttons if name}
        answer = stranger.go("POST", form.action, sent, base=page.url)
        self.assertFalse(answer.url.startswith(CALLBACK), answer.url)
        self.assertNotIn("code=", answer.text)
        # Nor is somebody else who is signed in the one who was asked.
        mine, self.email = self.email, self.user()
        self.signed_in(self.rp(), browser=stranger)
        answer = stranger.go("POST", form.action, sent, base=page.url)
        self.assertFalse(answer.url.startswith(CALLBACK), answer.url)
        # A cross-site form of the right browser is none either.
        foreign = self.person.http.post(
            urllib.parse.urljoin(page.url, form.action), data=sent, headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        )
        self.assertNotIn("code=", foreign.headers.get("location", "") + foreign.text)
        self.email = mine
        self.assertIn("code", self.on(self.person, self.person.get(page.url)))


class FormPostPlans(_Plans):
    """The same by form_post. How an answer travels does not meet the database."""

    mode, engine = "form_post", "sqlite"


on_both_engines(_Plans, globals())
del _Plans
