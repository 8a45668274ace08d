"""Tenants under /t/{slug} and on a host of their own. A test tries each thing of one tenant at
another: user, password, session, form, code, tokens, secrets, links. All is on both engines."""

import base64
import json
import unittest
import urllib.parse

import httpx

from harness import ENGINES, PASSWORD, Application, Browser, Place, apply, dev, free_port

CALLBACK = "http://127.0.0.1:9000/cb"


def claims(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


class Tenant:
    """One tenant with the same application `web` (same secret, same redirect) as all the others, and
    one that only it has."""

    def __init__(self, slug, issuer):
        self.slug, self.issuer = slug, issuer
        parts = urllib.parse.urlsplit(issuer)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.http = httpx.Client(verify=False, timeout=15)

    def entry(self):
        application = {"client_secret": "same", "redirect_uris": [CALLBACK]}
        names = {"client_id": "web"}, {"client_id": f"only-{self.slug}"}
        machine = {"client_id": "robot", "client_secret": f"robot-{self.slug}", "grant_types": ["client_credentials"], "scopes": ["orders.read"]}
        user = {"email_verified": True, "password": f"{PASSWORD} {self.slug}"}
        return {
            "slug": self.slug, **({} if self.slug == "default" else {"name": self.slug.title()}),
            **({"issuer": self.issuer} if "localhost" in self.issuer else {}),
            "applications": [*(application | name for name in names), machine],
            "users": [user | {"email": "same@example.com"}, user | {"email": f"{self.slug}@example.com"}],
        }

    def application(self, client_id="web"):
        application = Application(self.issuer, client_id, "same", CALLBACK)
        application.userinfo = lambda token: self.http.get(
            f"{self.issuer}/userinfo", headers={"authorization": f"Bearer {token}"}
        )
        application.token = lambda client=None, **form: self.http.post(
            f"{self.issuer}/token", data=form | {"client_id": client_id, "client_secret": application.secret}
        )
        return application

    def browser(self):
        return Browser(self.origin)

    def path(self, path):
        return urllib.parse.urlsplit(self.issuer).path + path

    def sign_in(self, application=None, email="same@example.com"):
        application, browser = application or self.application(), self.browser()
        token = application.sign_in(browser, email, f"{PASSWORD} {self.slug}")
        return browser, token


def between(test):
    """Runs it with each tenant as the one that a stranger comes to, from the one before it."""

    def run(self):
        for n, there in enumerate(self.tenants):
            here = self.tenants[n - 1]
            with self.subTest(f"{here.slug} at {there.slug}"):
                test(self, here, there)

    return run


class _Tenants(unittest.TestCase):
    engine = None

    @classmethod
    def setUpClass(cls):
        cls.place = Place(cls.engine)
        cls.addClassCleanup(cls.place.remove)
        port = free_port()
        cls.server = dev(cls.place, port=port)
        cls.addClassCleanup(cls.server.stop)
        origin = cls.server.origin
        cls.tenants = [
            Tenant("default", origin), Tenant("alpha", f"{origin}/t/alpha"), Tenant("beta", f"{origin}/t/beta"),
            Tenant("gamma", f"http://localhost:{port}"),
        ]
        done = apply(cls.place, {"tenants": [tenant.entry() for tenant in cls.tenants]})
        assert done.returncode == 0, done.stderr

    def refused(self, answer, error="invalid_grant"):
        self.assertEqual(answer.json().get("error"), error, answer.text)

    def test_each_has_an_issuer_keys_and_people_of_its_own(self):
        seen = set()
        for tenant in self.tenants:
            metadata = tenant.http.get(f"{tenant.issuer}/.well-known/openid-configuration").json()
            self.assertEqual(metadata["issuer"], tenant.issuer)
            _, token = tenant.sign_in()
            facts = claims(token["id_token"])
            self.assertEqual(facts["iss"], tenant.issuer)
            keys = {key["kid"] for key in tenant.http.get(metadata["jwks_uri"]).json()["keys"]}
            self.assertTrue(keys)
            self.assertEqual(seen & (keys | {facts["sub"], facts["sid"]}), set(), "shared between tenants")
            seen |= keys | {facts["sub"], facts["sid"]}
            path = urllib.parse.urlsplit(tenant.issuer).path
            oauth = tenant.http.get(f"{tenant.origin}/.well-known/oauth-authorization-server{path}").json()
            self.assertEqual(oauth["issuer"], tenant.issuer)

    @between
    def test_a_user_and_their_password(self, here, there):
        for email in ("same@example.com", f"{here.slug}@example.com"):
            browser = there.browser()
            page = browser.sign_in(browser.get(there.application().url()), email, f"{PASSWORD} {here.slug}")
            self.assertEqual((page.step, page.status), ("password", 422), page.url)

    @between
    def test_a_session_and_its_cookies(self, here, there):
        browser, _ = here.sign_in()
        stranger = there.browser()
        renamed = {}
        known = there.browser()
        known.get(there.path("/signin"))
        theirs = list(known.cookies())
        for name, value in browser.cookies().items():
            renamed[name] = value
            # Under the other tenant's names too.
            for other in theirs:
                suffix, own = other.rsplit("-", 1)[-1], name.rsplit("-", 1)[-1]
                renamed[name.replace(own, suffix)] = value
        header = "; ".join(f"{name}={value}" for name, value in renamed.items())
        url = there.application().url(prompt="none")
        answer = stranger.http.get(url, headers={"cookie": header})
        self.assertIn("error=login_required", answer.headers.get("location", ""), answer.text[:300])
        for path in ("/account", "/account/sessions"):
            page = stranger.http.get(there.issuer + path, headers={"cookie": header}, follow_redirects=True)
            self.assertNotIn("same@example.com", page.text)

    @between
    def test_a_code(self, here, there):
        mine, theirs = here.application(), there.application()
        theirs.verifier = mine.verifier
        browser = here.browser()
        page = browser.sign_in(browser.get(mine.url()), "same@example.com", f"{PASSWORD} {here.slug}")
        code = page.query()["code"]
        self.refused(theirs.redeem(code))
        self.assertEqual(mine.redeem(code).status_code, 200, "the attempt elsewhere changed nothing")

    @between
    def test_tokens(self, here, there):
        mine, theirs = here.application(), there.application()
        _, token = here.sign_in(mine)
        self.refused(theirs.refresh(token["refresh_token"]))
        self.assertEqual(theirs.userinfo(token["access_token"]).status_code, 401)
        self.assertEqual(theirs.userinfo(token["id_token"]).status_code, 401)
        self.assertEqual(mine.userinfo(token["access_token"]).status_code, 200)
        self.assertEqual(mine.refresh(token["refresh_token"]).status_code, 200)
        browser, _ = there.sign_in()
        page = browser.get(there.path(f"/logout?id_token_hint={token['id_token']}"))
        self.assertEqual(page.step, "logout", "a stranger's hint signs nobody out")

    @between
    def test_applications_and_their_secrets(self, here, there):
        name = f"only-{here.slug}"
        page = there.browser().get(there.application(name).url())
        self.assertIn("error", page.ids)
        self.refused(there.application(name).refresh("rt_x"), "invalid_client")
        form = {"grant_type": "client_credentials"}
        auth = ("robot", f"robot-{here.slug}")
        self.refused(there.http.post(f"{there.issuer}/token", data=form, auth=auth), "invalid_client")
        good = here.http.post(f"{here.issuer}/token", data=form, auth=auth).json()
        self.assertEqual(there.application().userinfo(good["access_token"]).status_code, 401)

    @between
    def test_forms_flows_and_links(self, here, there):
        browser = here.browser()
        page = browser.submit(browser.get(here.application().url()), identifier="same@example.com")
        self.assertEqual(page.step, "password")
        form = page.form_with("continue")
        data = form.hidden() | {"password": f"{PASSWORD} {here.slug}"}
        action = form.action.removeprefix(urllib.parse.urlsplit(here.issuer).path)
        # With all the cookies that both gave.
        stranger = there.browser()
        stranger.get(there.application().url())
        cookies = "; ".join(f"{k}={v}" for k, v in (browser.cookies() | stranger.cookies()).items())
        answer = there.http.post(there.issuer + action, data=data, headers={"cookie": cookies, "origin": there.origin})
        self.assertNotIn("code=", answer.headers.get("location", ""))
        self.assertGreaterEqual(answer.status_code, 400, answer.headers)
        email = f"link-{self.engine}-{here.slug}@example.com"
        browser = here.browser()
        browser.submit(browser.get(here.path("/register")), email=email)
        link = self.server.mail(email)["links"][0]
        self.assertTrue(link.startswith(here.issuer), link)
        page = there.browser().get(link.replace(here.issuer, there.issuer))
        self.assertIn("error", page.ids)
        self.assertNotIn(email, page.text)

    def test_an_unknown_tenant_is_not_found(self):
        for path in ("/t/nobody/authorize", "/t/nobody/.well-known/openid-configuration", "/t/", "/t/../token"):
            self.assertIn(self.server.get(path).status_code, (400, 404, 405), path)


for _engine in ENGINES:
    _name = f"TenantsOn{_engine.capitalize()}"
    globals()[_name] = type(_name, (_Tenants,), {"engine": _engine, "__module__": __name__})
del _Tenants

if __name__ == "__main__":
    unittest.main()
