"""Two processes of `serve` on one PostgreSQL: what may happen once happens once, whatever process is
asked; a change made at one is in force at the other, of configuration within two seconds, of people
at once."""

import json
import secrets
import time
import unittest

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from harness import SHOP, Application, Browser, Place, Server, configuration, eventually, free_port, keyward
from test_races import at_once

ROUNDS = 20
# How long a change of configuration may take, and what a busy machine adds to two of our own requests.
FORCE = 2.5


class Balanced(httpx.HTTPTransport):
    """Requests to the issuer's address, brought to one node as a balancer does."""

    def __init__(self, node):
        super().__init__()
        self.port = httpx.URL(node.origin).port

    def handle_request(self, request):
        request.url = request.url.copy_with(port=self.port)
        return super().handle_request(request)


class Nodes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Place("postgres")
        cls.addClassCleanup(cls.place.remove)
        ports = [free_port(), free_port()]
        first = configuration(cls.place, ports[0])
        second = cls.place.data / "second.toml"
        second.touch(0o600)
        second.write_text(first.read_text().replace(f'listen = "127.0.0.1:{ports[0]}"', f'listen = "127.0.0.1:{ports[1]}"'))
        cls.nodes = []
        for number, (config, port) in enumerate(zip((first, second), ports)):
            node = Server(["serve", "--config", config], f"http://127.0.0.1:{port}", cls.place.data / f"log{number}")
            cls.addClassCleanup(node.stop)
            cls.nodes.append(node)
        cls.issuer = cls.nodes[0].origin
        cls.config = ["--config", str(first)]
        done = keyward("apply", SHOP, *cls.config)
        assert done.returncode == 0, done.stderr
        schemes = cls.nodes[0].get("/api/v1/openapi.json").json()["components"]["securitySchemes"]
        scopes = json.dumps(list(schemes["oauth"]["flows"]["clientCredentials"]["scopes"]))
        done = keyward("--json", "key", "new-api-key", "name=nodes", f"scopes={scopes}", *cls.config)
        assert done.returncode == 0, done.stderr
        key = json.loads(done.stdout)["secret"]
        cls.apis = [
            httpx.Client(base_url=node.origin + "/api/v1", headers={"authorization": f"Bearer {key}"}, timeout=30)
            for node in cls.nodes
        ]
        for api in cls.apis:
            cls.addClassCleanup(api.close)

    def made(self, path, **body):
        answer = self.apis[0].post(path, json=body)
        self.assertEqual(answer.status_code, 201, answer.text)
        return answer.json()

    def user(self):
        """A user of their own: name and id."""
        name = f"u{secrets.token_hex(4)}"
        return name, self.made("/users", username=name, password="correct horse battery")["id"]

    def application(self, **metadata):
        """A confidential application: its id, and itself at each node."""
        metadata = {
            "name": "Shop", "redirect_uris": ["https://shop.example/cb"], "token_endpoint_auth_method": "client_secret_post"
        } | metadata
        made = self.made("/applications", metadata=metadata)
        client, secret = made["application"]["client_id"], made["client_secret"]
        both = [Application(node.origin, client, secret, "https://shop.example/cb") for node in self.nodes]
        both[1].verifier = both[0].verifier
        eventually(lambda: self.refusal(both[1]) == "invalid_grant", FORCE, "the application at the other node")
        return made["application"]["id"], both

    def refusal(self, application):
        """What an application hears of a refresh token that is none."""
        return application.refresh("rt_x").json()["error"]

    def browser(self, node):
        browser = Browser(self.issuer, transport=Balanced(self.nodes[node]))
        self.addCleanup(browser.close)
        return browser

    def signed_in(self, name, node=0):
        browser = self.browser(node)
        page = browser.sign_in(browser.get("/signin"), name)
        self.assertEqual(page.status, 200, page.text[:500])
        return browser

    def code(self, browser, application, **more):
        answer = browser.get(application.url(prompt="none", **more)).query()
        self.assertIn("code", answer, answer)
        return answer["code"]

    def at_the_other(self, browser):
        """The same browser, at the second node."""
        other = self.browser(1)
        for name, value in browser.cookies().items():
            other.http.cookies.set(name, value)
        return other

    def is_dead(self, both, token):
        """Whether the access token of an answer works nowhere."""
        statuses = {node.userinfo(token["access_token"]).status_code for node in both}
        self.assertEqual(len(statuses), 1, "the nodes agree")
        return statuses == {401}

    # ------------------------------------------------------------------------------ once

    def test_a_code_redeemed_at_both_at_once_succeeds_once(self):
        name, _ = self.user()
        _, both = self.application()
        browser = self.signed_in(name)
        for _ in range(ROUNDS):
            code = self.code(browser, both[0])
            answers = at_once([lambda node=node: node.redeem(code) for node in both * 2])
            good = [answer for answer in answers if answer.status_code == 200]
            self.assertEqual(len(good), 1, [answer.text for answer in answers])
            others = {(a.status_code, a.json()["error"]) for a in answers if a is not good[0]}
            self.assertEqual(others, {(400, "invalid_grant")})
            self.assertTrue(self.is_dead(both, good[0].json()), "somebody else knew the code, so nobody keeps anything")

    def test_a_refresh_token_at_both_at_once_is_rotated_once(self):
        name, _ = self.user()
        _, both = self.application()
        token = both[1].redeem(self.code(self.signed_in(name), both[0])).json()
        for _ in range(ROUNDS):
            old = token["refresh_token"]
            answers = at_once([lambda node=node: node.refresh(old) for node in both * 2])
            self.assertEqual({answer.status_code for answer in answers}, {200}, [answer.text for answer in answers])
            successors = {answer.json()["refresh_token"] for answer in answers}
            self.assertEqual(len(successors), 1)
            self.assertNotIn(old, successors)
            token = answers[0].json()
        # What came of the races ends with its grant, all of it and everywhere.
        tokens = [answer.json() for answer in answers]
        form = {"token": token["refresh_token"], "client_id": both[0].client_id, "client_secret": both[0].secret}
        self.assertEqual(self.nodes[0].post("/revoke", data=form).status_code, 200)
        for token in tokens:
            self.assertTrue(self.is_dead(both, token))
            self.assertEqual({node.refresh(token["refresh_token"]).status_code for node in both}, {400})

    def test_an_old_refresh_token_at_both_at_once_ends_the_grant(self):
        name, _ = self.user()
        _, both = self.application()
        first = both[0].redeem(self.code(self.signed_in(name), both[0])).json()
        second = both[1].refresh(first["refresh_token"]).json()
        third = both[0].refresh(second["refresh_token"]).json()
        answers = at_once([lambda node=node: node.refresh(first["refresh_token"]) for node in both * 2])
        self.assertEqual({(a.status_code, a.json()["error"]) for a in answers}, {(400, "invalid_grant")})
        for token in (first, second, third):
            self.assertTrue(self.is_dead(both, token))

    def test_abuse_42_an_assertion_shown_at_both_at_once_works_once(self):
        key = ECKey.generate_key("P-256")
        metadata = {
            "name": "Signer", "grant_types": ["client_credentials"], "scopes": ["orders.read"],
            "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key.as_dict(private=False)]},
        }
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

        def assertion(client):
            now = int(time.time())
            claims = {"iss": client, "sub": client, "aud": self.issuer, "iat": now, "exp": now + 60, "jti": secrets.token_hex(8)}
            return jwt.encode({"alg": "ES256"}, claims, key)

        def present(node, assertion):
            form = {"grant_type": "client_credentials", "client_assertion_type": kind, "client_assertion": assertion}
            return node.post("/token", data=form)

        # One application may fail twenty times, then it has to wait.
        for _ in range(ROUNDS // 4):
            client = self.made("/applications", metadata=metadata)["application"]["client_id"]
            for _ in range(4):
                made = assertion(client)
                answers = at_once([lambda node=node: present(node, made) for node in self.nodes * 2])
                self.assertEqual(sorted(answer.status_code for answer in answers), [200, 401, 401, 401])
                errors = {answer.json()["error"] for answer in answers if answer.status_code != 200}
                self.assertEqual(errors, {"invalid_client"})
            self.assertEqual({present(node, made).status_code for node in self.nodes}, {401}, "and never again")

    # ------------------------------------------------------------------------------ within two seconds

    def test_an_application_changed_at_one_is_changed_at_the_other(self):
        app, both = self.application()
        browser = self.browser(1)
        self.assertEqual(browser.get(both[0].url()).step, "identify")

        moved = {"metadata": {"redirect_uris": ["https://shop.example/elsewhere"]}}
        self.assertEqual(self.apis[0].patch(f"/applications/{app}", json=moved).status_code, 200)
        eventually(lambda: browser.get(both[0].url()).step == "error", FORCE, "the old address refused")
        both[0].redirect_uri = "https://shop.example/elsewhere"
        self.assertEqual(browser.get(both[0].url()).step, "identify")

        fresh = self.apis[0].post(f"/applications/{app}/secrets", json={"overlap": 0})
        self.assertEqual(fresh.status_code, 201, fresh.text)
        eventually(lambda: self.refusal(both[1]) == "invalid_client", FORCE, "the old secret refused")
        both[1].secret = fresh.json()["client_secret"]
        self.assertEqual(self.refusal(both[1]), "invalid_grant")

        self.assertEqual(self.apis[0].delete(f"/applications/{app}").status_code, 204)
        eventually(lambda: self.refusal(both[1]) == "invalid_client", FORCE, "disabled")
        self.assertEqual(browser.get(both[0].url()).step, "error")

    def test_a_key_rotated_at_one_signs_and_verifies_at_the_other(self):
        name, _ = self.user()
        _, both = self.application()
        browsers = [self.signed_in(name, node) for node in (0, 1)]

        def published(node):
            return {key["kid"] for key in node.get("/jwks").json()["keys"]}

        def token(node):
            return both[node].redeem(self.code(browsers[node], both[0])).json()

        signer = lambda answer: jwt_header(answer["id_token"])["kid"]
        old = token(1)
        before = published(self.nodes[1])
        self.assertEqual(self.apis[0].post("/keys/rotate", json={"algorithm": "RS256"}).status_code, 200)
        eventually(lambda: published(self.nodes[1]) > before, FORCE, "the next key published")
        self.assertEqual(signer(token(1)), signer(old), "published before it signs")
        self.assertEqual(self.apis[0].post("/keys/rotate", json={"algorithm": "RS256"}).status_code, 200)
        eventually(lambda: signer(token(1)) != signer(old), FORCE, "the next key signing")
        self.assertEqual(signer(token(0)), signer(token(1)))
        self.assertEqual(published(self.nodes[0]), published(self.nodes[1]))
        self.assertIn(signer(old), published(self.nodes[1]), "what it has signed can still be checked")
        # A hint signed by either key is one at both.
        for hint in (old, token(0)):
            for node in (0, 1):
                self.code(browsers[node], both[0], id_token_hint=hint["id_token"])

    # ------------------------------------------------------------------------------ at once

    def test_a_person_suspended_at_one_is_out_at_the_other_at_once(self):
        self.ends_at_once(lambda user: self.apis[0].post(f"/users/{user}/suspend"))

    def test_a_person_signed_out_everywhere_at_one_is_out_at_the_other_at_once(self):
        self.ends_at_once(lambda user: self.apis[0].delete(f"/users/{user}/sessions"))

    def ends_at_once(self, act):
        _, both = self.application()
        for _ in range(5):
            name, user = self.user()
            browser = self.at_the_other(self.signed_in(name))
            token = both[1].redeem(self.code(browser, both[0])).json()
            waiting = self.code(browser, both[0])
            self.assertEqual(both[1].userinfo(token["access_token"]).status_code, 200)
            answer = act(user)
            self.assertLess(answer.status_code, 300, answer.text)
            self.assertTrue(self.is_dead(both[::-1], token))
            for refused in (both[1].refresh(token["refresh_token"]), both[1].redeem(waiting)):
                self.assertEqual((refused.status_code, refused.json()["error"]), (400, "invalid_grant"))
            self.assertEqual(browser.get(both[0].url(prompt="none")).query().get("error"), "login_required")


def jwt_header(token):
    import base64

    return json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))


if __name__ == "__main__":
    unittest.main()
