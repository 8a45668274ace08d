"""Production over TLS with an application that has a server of its own, also over TLS: what Keyward
fetches from it and tells it, and what a real browser does between the two (tests/ops/frames.mjs)."""

import base64
import http.server
import json
import os
import pathlib
import secrets
import shutil
import socket
import ssl
import subprocess
import threading
import time
import unittest
import urllib.parse

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from harness import PASSWORD, Browser, Place, certificate, eventually, free_port, keyward, serve
from test_watch import Collector

HERE = pathlib.Path(__file__).resolve().parent
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or ""
HOLDER = """<!doctype html><title>Shop</title><link rel="icon" href="data:,">
<iframe id="check" src="{issuer}/session/check" hidden></iframe>
<script>
  const frame = document.getElementById("check");
  const loaded = new Promise((done) => frame.addEventListener("load", done));
  window.ask = async (message) => {{
    await loaded;
    const heard = new Promise((done) => addEventListener("message", (e) => e.origin === "{issuer}" && done(e.data), {{ once: true }}));
    frame.contentWindow.postMessage(message, "{issuer}");
    return heard;
  }};
</script>"""


class Shop:
    """The application's server: documents that it gives, requests that it got."""

    def __init__(self, cert, key, host, issuer):
        shop = self
        self.documents, self.got, self.traces = {}, [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = urllib.parse.urlsplit(self.path)
                shop.traces.append((path.path, self.headers["traceparent"]))
                shop.got.append((path.path, dict(urllib.parse.parse_qsl(path.query))))
                body, kind = HOLDER.format(issuer=issuer), "text/html"
                if path.path in shop.documents:
                    body, kind = json.dumps(shop.documents[path.path]), "application/json"
                self.answer(body.encode(), kind)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                shop.traces.append((self.path, self.headers["traceparent"]))
                shop.got.append((self.path, dict(urllib.parse.parse_qsl(body))))
                self.answer(b"", "text/plain")

            def answer(self, body, kind):
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.origin = f"https://{host}:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def requests(self, path):
        return [params for asked, params in self.got if asked == path]

    def traced(self, path):
        """Trace and span of each request for this address, as W3C Trace Context tells them."""
        found = [trace for asked, trace in self.traces if asked == path]
        return [tuple(trace.split("-")[1:3]) if trace else None for trace in found]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Https(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place, port = Place("sqlite"), free_port()
        cls.addClassCleanup(cls.place.remove)
        cls.cert, key = certificate(cls.place.data, "localhost", "127.0.0.1")
        issuer = f"https://localhost:{port}"
        # Another site than the issuer's, as applications are.
        cls.shop = Shop(cls.cert, key, "127.0.0.1", issuer)
        cls.addClassCleanup(cls.shop.close)
        cls.collector = Collector()
        cls.addClassCleanup(cls.collector.server.shutdown)
        cls.trust = ssl.create_default_context(cafile=str(cls.cert))
        cls.server = serve(
            cls.place, port=port, origin=issuer, ca=cls.trust,
            server={"issuer": issuer, "tls_cert": str(cls.cert), "tls_key": str(key)},
            outbound={"allow": ["127.0.0.0/8"], "ca_file": str(cls.cert)}, traces={"endpoint": cls.collector.url},
        )
        cls.addClassCleanup(cls.server.stop)
        path = cls.place.data / "apply.yaml"
        alice = {"email": "alice@example.com", "email_verified": True, "password": PASSWORD}
        settings = {"client_registration": "open", "session_management": True}
        path.write_text(json.dumps({"tenants": [{"slug": "default", "settings": settings, "users": [alice]}]}))
        done = keyward("apply", path, "--config", cls.place.data / "keyward.toml")
        assert done.returncode == 0, done.stderr
        eventually(lambda: cls.server.post("/register", json={}).status_code == 400, what="registration")

    def register(self, **metadata):
        wanted = {
            "redirect_uris": [self.shop.origin + "/cb"], "post_logout_redirect_uris": [self.shop.origin + "/bye"], "client_name": "Shop",
        }
        return self.server.post("/register", json=wanted | metadata)

    def registered(self, **metadata):
        answer = self.register(**metadata)
        self.assertEqual(answer.status_code, 201, answer.text)
        return answer.json()

    def browser(self):
        browser = Browser(self.server.origin, verify=self.trust)
        self.addCleanup(browser.close)
        return browser

    def request(self, client, **more):
        query = {
            "client_id": client["client_id"], "redirect_uri": self.shop.origin + "/cb", "response_type": "code",
            "scope": "openid", "state": "st", "nonce": "no",
        }
        return f"{self.server.origin}/authorize?" + urllib.parse.urlencode(query | more)

    def code(self, browser, client, **more):
        page = browser.sign_in(browser.get(self.request(client, **more)))
        if page.step == "consent":
            page = browser.submit(page, "allow")
        self.assertIn("code", page.query(), page.text[:500])
        return page.query()["code"]

    def redeem(self, code, client=None, **form):
        form |= {"grant_type": "authorization_code", "code": code, "redirect_uri": self.shop.origin + "/cb"}
        auth = (client["client_id"], client["client_secret"]) if client else None
        return self.server.post("/token", data=form, auth=auth)

    def sub(self, client):
        tokens = self.redeem(self.code(self.browser(), client), client).json()
        answer = self.server.get("/userinfo", headers={"authorization": f"Bearer {tokens['access_token']}"})
        return answer.json()["sub"]

    def test_a_sector_document_is_fetched_and_must_list_every_address(self):
        sector, own = self.shop.origin + "/sector", self.shop.origin + "/cb"
        pairwise = {"subject_type": "pairwise", "sector_identifier_uri": sector}
        self.shop.documents["/sector"] = [own, "https://other.example/cb"]
        client = self.registered(**pairwise, redirect_uris=[own, "https://other.example/cb"])
        self.assertEqual(client["sector_identifier_uri"], sector)
        same = self.registered(**pairwise)
        other = self.registered()
        self.assertEqual(self.sub(client), self.sub(same), "one sector, one subject")
        self.assertNotEqual(self.sub(client), self.sub(other))
        for redirect_uris in ([own, "https://evil.example/cb"], [own + "/x"]):
            refused = self.register(**pairwise, redirect_uris=redirect_uris)
            self.assertEqual((refused.status_code, refused.json()["error"]), (400, "invalid_client_metadata"))
        for document in ({"uris": [own]}, own, [own[:-1]]):
            self.shop.documents["/broken"] = document
            refused = self.register(**pairwise | {"sector_identifier_uri": self.shop.origin + "/broken"})
            self.assertEqual((refused.status_code, refused.json()["error"]), (400, "invalid_client_metadata"))

    def test_keys_by_address_are_fetched_and_rotated(self):
        keys = [ECKey.generate_key("P-256", {"kid": f"k{n}"}) for n in range(2)]
        publish = lambda key: self.shop.documents.update({"/keys": {"keys": [key.as_dict(private=False)]}})
        publish(keys[0])
        client = self.registered(token_endpoint_auth_method="private_key_jwt", jwks_uri=self.shop.origin + "/keys")

        def redeem(key):
            now = int(time.time())
            claims = {
                "iss": client["client_id"], "sub": client["client_id"], "aud": self.server.origin, "iat": now, "exp": now + 60,
                "jti": secrets.token_hex(8),
            }
            assertion = jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)
            kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            return self.redeem(self.code(browser, client), client_assertion_type=kind, client_assertion=assertion)

        browser = self.browser()
        self.assertEqual(redeem(keys[0]).status_code, 200)
        self.assertEqual(redeem(keys[1]).json()["error"], "invalid_client")
        publish(keys[1])
        # Whoever asks for keys that nobody has is not made to ask all the time.
        eventually(lambda: redeem(keys[1]).status_code == 200, 90, "the new key")

    def test_the_application_is_told_of_a_logout(self):
        client = self.registered(
            backchannel_logout_uri=self.shop.origin + "/logged-out", backchannel_logout_session_required=True
        )
        browser = self.browser()
        tokens = self.redeem(self.code(browser, client), client).json()
        query = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": self.shop.origin + "/bye"}
        self.assertEqual(browser.get("/logout?" + urllib.parse.urlencode(query)).url, self.shop.origin + "/bye")
        [told] = self.shop.requests("/logged-out")
        part = lambda token: json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        token, signed_in = part(told["logout_token"]), part(tokens["id_token"])
        self.assertEqual((token["iss"], token["aud"], token["sid"]), (self.server.origin, client["client_id"], signed_in["sid"]))
        self.assertEqual(token["events"], {"http://schemas.openid.net/event/backchannel-logout": {}})
        self.assertNotIn("nonce", token)

    def test_what_the_server_asks_and_tells_others_belongs_to_its_trace(self):
        own = self.shop.origin + "/cb"
        self.shop.documents["/traced-sector"] = [own]
        given = "0af7651916cd43dd8448eb211c80319c"
        asked = self.server.post(
            "/register", headers={"traceparent": f"00-{given}-b7ad6b7169203331-01"},
            json={
                "redirect_uris": [own], "subject_type": "pairwise", "sector_identifier_uri": self.shop.origin + "/traced-sector",
                "backchannel_logout_uri": self.shop.origin + "/traced-end",
            },
        )
        self.assertEqual(asked.status_code, 201, asked.text)
        browser = self.browser()
        tokens = self.redeem(self.code(browser, asked.json()), asked.json()).json()
        browser.get("/logout?" + urllib.parse.urlencode({"id_token_hint": tokens["id_token"]}))
        eventually(lambda: self.shop.requests("/traced-end"), what="the notice of the logout")
        [(trace, span)] = self.shop.traced("/traced-sector")
        self.assertEqual(trace, given, "the trace that the caller began")
        [ended] = self.shop.traced("/traced-end")
        self.assertIsNotNone(ended)
        spans = lambda: {(span["traceId"], span["spanId"]): span["name"] for span in self.collector.spans}
        for told in ((trace, span), ended):
            eventually(lambda: spans().get(told) == "outbound", what=f"the span {told} at the collector")
        text = json.dumps(self.collector.spans)
        for secret in ("alice", PASSWORD, "logout_token", "traced-sector", tokens["id_token"], asked.json()["client_secret"]):
            self.assertNotIn(secret, text)

    def test_a_real_browser_watches_a_session_and_loads_the_frames_of_its_logout(self):
        if not CHROMIUM or not (HERE.parent / "browser/node_modules").exists():
            self.skipTest("no Chromium (tests/setup.sh browser installs it)")
        client = self.registered(
            frontchannel_logout_uri=self.shop.origin + "/front?x=1", frontchannel_logout_session_required=True
        )
        task = {
            "issuer": self.server.origin, "shop": self.shop.origin, "request": self.request(client), "client_id": client["client_id"],
            "client_secret": client["client_secret"], "email": "alice@example.com", "password": PASSWORD,
        }
        surroundings = os.environ | {"CHROMIUM": CHROMIUM, "NODE_EXTRA_CA_CERTS": str(self.cert)}
        done = subprocess.run(
            ["node", HERE / "frames.mjs"], input=json.dumps(task), capture_output=True, text=True, timeout=120, env=surroundings
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        saw = json.loads(done.stdout)
        self.assertEqual(saw["malformed"], "error")
        self.assertEqual((saw["signed_in"], saw["foreign_state"], saw["signed_out"]), ("unchanged", "changed", "changed"))
        self.assertEqual(saw["back_at"], self.shop.origin + "/bye?state=there")
        self.assertEqual(self.shop.requests("/front"), [{"x": "1", "iss": self.server.origin, "sid": saw["sid"]}])
        self.assertEqual(saw["faults"], [])

    def test_abuse_52_old_tls_and_weak_ciphers_are_not_offered(self):
        address = ("127.0.0.1", httpx.URL(self.server.origin).port)

        def connect(**settings):
            context = ssl.create_default_context(cafile=str(self.cert))
            context.set_ciphers(settings.pop("ciphers", "ALL:@SECLEVEL=0"))
            for name, value in settings.items():
                setattr(context, name, value)
            with socket.create_connection(address, 10) as raw, context.wrap_socket(raw, server_hostname="localhost") as tls:
                return tls.cipher()

        v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
        self.assertRegex(connect(minimum_version=v13)[0], r"^TLS_(AES|CHACHA20)")
        self.assertRegex(connect(maximum_version=v12)[0], r"^ECDHE-ECDSA-(AES\d+-GCM|CHACHA20-POLY1305)")
        strong = {cipher["name"] for cipher in ssl.create_default_context().get_ciphers() if "GCM" in cipher["name"] or "CHACHA20" in cipher["name"]}
        every = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        every.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
        weak = [c["name"] for c in every.get_ciphers() if c["protocol"] != "TLSv1.3" and not (c["name"] in strong and c["name"].startswith("ECDHE"))]
        self.assertGreater(len(weak), 20)
        for cipher in weak:
            with self.assertRaises((ssl.SSLError, ConnectionError), msg=cipher):
                connect(maximum_version=v12, ciphers=cipher + ":@SECLEVEL=0")
        for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.assertRaises((ssl.SSLError, ConnectionError, ValueError), msg=old):
                connect(minimum_version=old, maximum_version=old)


if __name__ == "__main__":
    unittest.main()
