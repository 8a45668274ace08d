"""Production: TLS, a proxy in front, stopping, crashes, what the log and /metrics tell."""

import base64
import concurrent.futures
import contextlib
import json
import secrets
import signal
import socket
import ssl
import threading
import time
import unittest

import httpx

from harness import ENGINES, PASSWORD, SHOP, Application, Browser, Place, certificate, dev, eventually, free_port
from harness import keyward, serve


def head(method, path, length, host):
    return (
        f"{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-www-form-urlencoded\r\n"
        f"content-length: {length}\r\nconnection: close\r\n\r\n"
    ).encode()


class Production(unittest.TestCase):
    def place(self, engine="sqlite"):
        place = Place(engine)
        self.addCleanup(place.remove)
        return place

    def serve(self, place, **options):
        server = serve(place, **options)
        self.addCleanup(server.kill)
        done = keyward("apply", SHOP, "--config", place.data / "keyward.toml")
        self.assertEqual(done.returncode, 0, done.stderr)
        return server

    def browser(self, server, **options):
        browser = Browser(server.origin, verify=server.verify, **options)
        self.addCleanup(browser.close)
        return browser

    def test_it_signs_in_over_its_own_tls(self):
        for engine in ENGINES:
            with self.subTest(engine):
                place, port = self.place(engine), free_port()
                cert, key = certificate(place.data, "localhost", "127.0.0.1")
                trust = ssl.create_default_context(cafile=str(cert))
                server = self.serve(
                    place, port=port, origin=f"https://localhost:{port}", ca=trust,
                    server={"issuer": f"https://localhost:{port}", "tls_cert": str(cert), "tls_key": str(key)},
                )
                browser, web = self.browser(server), Application(server.origin, verify=trust)
                token = web.sign_in(browser)
                self.assertEqual(web.userinfo(token["access_token"]).json()["email"], "alice@example.com")
                answer = server.get("/.well-known/openid-configuration")
                self.assertEqual(answer.json()["issuer"], server.origin)
                self.assertIn("strict-transport-security", answer.headers)
                for cookie in browser.http.cookies.jar:
                    self.assertTrue(cookie.secure and cookie.name.startswith("__Host-"), cookie.name)
                with self.assertRaises(httpx.HTTPError):
                    httpx.get(f"http://localhost:{port}/health/live", timeout=5)
                # There is nothing of dev in production.
                for path in ("/dev/mail", "/dev/mail.json", "/demo"):
                    self.assertEqual(server.get(path).status_code, 404, path)
                # A new certificate is taken without a restart.
                fresh, _ = certificate(place.data, "localhost", "127.0.0.1")
                server.process.send_signal(signal.SIGHUP)
                trust = ssl.create_default_context(cafile=str(fresh))

                def renewed():
                    with contextlib.suppress(httpx.HTTPError):
                        return httpx.get(f"{server.origin}/health/live", verify=trust).status_code == 200

                eventually(renewed, what="the new certificate")
                self.assertEqual(server.stop(), 0)

    def test_behind_a_proxy_it_believes_it_and_nobody_else(self):
        place, port = self.place(), free_port()
        server = self.serve(
            place, port=port, server={"issuer": "https://id.example.com", "proxies": ["127.0.0.1"]}
        )
        forwarded = {"host": "id.example.com", "x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
        metadata = server.get("/.well-known/openid-configuration", headers=forwarded).json()
        self.assertEqual(metadata["token_endpoint"], "https://id.example.com/token")
        answer = server.get("/signin", headers=forwarded | {"x-request-id": "from-the-proxy-1"})
        self.assertEqual(answer.headers["x-request-id"], "from-the-proxy-1")
        self.assertIn("strict-transport-security", answer.headers)
        cookies = [line for name, line in answer.headers.multi_items() if name == "set-cookie"]
        self.assertTrue(cookies and all(line.startswith("__Host-") and "Secure" in line for line in cookies), cookies)
        self.assertEqual(server.get("/signin", headers=forwarded | {"x-forwarded-for": "nonsense"}).status_code, 400)
        self.assertIn("203.0.113.7", (place.data / "log").read_text())
        # Never from the request: a foreign host gets the issuer of the configuration.
        foreign = server.get("/.well-known/openid-configuration", headers={"host": "evil.example"}).json()
        self.assertEqual(foreign["issuer"], "https://id.example.com")

    def test_another_issuer_for_what_has_issued_tokens_is_refused(self):
        place, port = self.place(), free_port()
        self.serve(place, port=port).stop()
        path = place.data / "keyward.toml"
        path.write_text(path.read_text().replace(f"http://127.0.0.1:{port}", "https://other.example"))
        refused = keyward("serve", "--config", path)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("server.issuer", refused.stderr)

    def test_a_request_under_way_is_finished_and_new_ones_are_not_taken(self):
        for engine in ENGINES:
            with self.subTest(engine):
                place, port = self.place(engine), free_port()
                server = self.serve(place, port=port)
                body = b"grant_type=client_credentials&client_id=robot&client_secret=s3cret2"
                with socket.create_connection(("127.0.0.1", port)) as under_way:
                    under_way.sendall(head("POST", "/token", len(body), f"127.0.0.1:{port}") + body[:20])
                    eventually(lambda: "http_requests_in_flight 2" in server.get("/metrics").text, what="the request")
                    server.process.send_signal(signal.SIGTERM)

                    def refuses():
                        with contextlib.suppress(OSError):
                            socket.create_connection(("127.0.0.1", port), 1).close()
                            return False
                        return True

                    eventually(refuses, what="refusing")
                    self.assertIsNone(server.process.poll(), "it waits for what is under way")
                    under_way.sendall(body[20:])
                    answer = b"".join(iter(lambda: under_way.recv(65536), b""))
                self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer)
                self.assertIn(b"access_token", answer)
                self.assertEqual(server.process.wait(25), 0)
                if engine == "sqlite":
                    self.assertFalse((place.data / "control.sock").exists())

    def test_stopping_has_a_time_limit(self):
        place, port = self.place(), free_port()
        server = self.serve(place, port=port, server={"shutdown_seconds": 1})
        with socket.create_connection(("127.0.0.1", port)) as hanging:
            hanging.sendall(head("POST", "/token", 100, "x") + b"grant_type=")
            eventually(lambda: "http_requests_in_flight 2" in server.get("/metrics").text, what="the request")
            begun = time.monotonic()
            self.assertEqual(server.stop(10), 0)
            self.assertLess(time.monotonic() - begun, 6)

    def test_kill_keeps_all_that_was_acknowledged(self):
        for engine in ENGINES:
            with self.subTest(engine):
                place, port = self.place(engine), free_port()
                server = self.serve(place, port=port)
                web = Application(server.origin)
                kept, gone = [], threading.Event()

                def work():
                    with contextlib.suppress(httpx.HTTPError, AssertionError):
                        browser = Browser(server.origin)
                        token = web.sign_in(browser)
                        while not gone.is_set():
                            kept.append((browser.cookies(), token))
                            token = web.refresh(token["refresh_token"]).json()

                with concurrent.futures.ThreadPoolExecutor(6) as pool:
                    for _ in range(6):
                        pool.submit(work)
                    eventually(lambda: len(kept) > 40, 30, "some work")
                    server.process.kill()
                    gone.set()
                server.process.wait()
                server = serve(place, port=port)
                self.addCleanup(server.kill)
                # The last answer of each session holds its present refresh token.
                last = {json.dumps(cookies, sort_keys=True): (cookies, token) for cookies, token in kept}
                self.assertGreaterEqual(len(last), 2)
                for cookies, token in last.values():
                    self.assertEqual(web.userinfo(token["access_token"]).status_code, 200)
                    answer = web.refresh(token["refresh_token"])
                    self.assertEqual(answer.status_code, 200, answer.text)
                    browser = self.browser(server)
                    for name, value in cookies.items():
                        browser.http.cookies.set(name, value)
                    self.assertIn("code", browser.get(web.url(prompt="none")).query())
                self.assertEqual(server.stop(), 0)

    def test_a_restart_in_the_middle_of_a_flow(self):
        for engine in ENGINES:
            with self.subTest(engine):
                place = self.place(engine)
                server = dev(place)
                self.addCleanup(lambda: server.kill())
                port = int(server.origin.rsplit(":", 1)[1])
                keyward("apply", SHOP, *place.where())
                web, browser = Application(server.origin), self.browser(server)
                email = "between@example.com"
                steps = []

                def again():
                    server.kill()
                    return dev(place, port=port)

                page = browser.get(web.url(prompt="create"))
                for step, fields in (("register", {"email": email}), ("code", {}), ("details", {"password": PASSWORD})):
                    self.assertEqual(page.step, step)
                    steps.append(step)
                    if step == "code":
                        # A mail on its way in a crash comes later: it is leased to the one that died.
                        fields = {"code": server.mail(email)["code"]}
                    server = again()
                    page = browser.submit(page, **fields)
                self.assertTrue(page.url.startswith(web.redirect_uri), page.text[:500])
                server = again()
                token = web.redeem(page.query()["code"])
                self.assertEqual(token.status_code, 200, token.text)
                server = again()
                self.assertEqual(web.userinfo(token.json()["access_token"]).json()["email"], email)
                server.stop()

    def test_the_log_holds_no_secret_and_no_query(self):
        for engine in ENGINES:
            with self.subTest(engine):
                place, port = self.place(engine), free_port()
                server = self.serve(place, port=port, log={"level": "debug"})
                web, browser = Application(server.origin), self.browser(server)
                canaries = {"state": "canary-state", "nonce": "canary-nonce", "login_hint": "canary-hint@example.com"}
                page = browser.get(web.url(**canaries))
                wrong = browser.sign_in(browser.get(web.url()), password="canary-password")
                self.assertEqual(wrong.status, 422)
                page = browser.sign_in(browser.get(web.url(state="canary-state", nonce="canary-nonce")))
                answer = page.query()
                token = web.redeem(answer["code"]).json()
                web.redeem(answer["code"], code_verifier="canary-verifier" * 4)
                web.userinfo(token["access_token"])
                token2 = web.refresh(token["refresh_token"]).json()
                browser.get(f"/logout?id_token_hint={token['id_token']}")
                for path in ("/nowhere?canary-query=1", "/link/canary-link", "/flow/canary-flow?x=canary-x"):
                    browser.get(path)
                server.post("/token", data={"grant_type": "password", "password": "canary-grant"}, auth=("web", "canary-secret"))
                server.post("/token", content=b"\xff\x00canary-body", headers={"content-type": "application/json"})
                server.get("/userinfo", headers={"authorization": "Bearer canary-token", "cookie": "canary-cookie=1"})
                browser.submit(browser.get("/register"), email="canary-mail@example.com")
                cookies = [value for value in browser.cookies().values() if len(value) > 8]
                self.assertEqual(server.stop(), 0)
                log = (place.data / "log").read_text()
                secrets_ = [PASSWORD, "s3cret", answer["code"], place.root_key(), web.verifier, *cookies]
                secrets_ += [t[name] for t in (token, token2) for name in ("access_token", "refresh_token", "id_token")]
                for secret in [*secrets_, "canary", "alice@example.com", "code_challenge="]:
                    at = log.find(secret)
                    self.assertEqual(at, -1, f"{secret}: {log[max(at - 200, 0):at + 200]}")
                lines = [json.loads(line) for line in log.splitlines()]
                self.assertTrue(any("/token" in json.dumps(line) for line in lines))
                self.assertTrue(all(line.get("request_id") for line in lines if line.get("route") or line.get("status")))

    def test_metrics_answer_those_who_may_ask(self):
        place, port, own = self.place(), free_port(), free_port()
        server = self.serve(
            place, port=port, server={"metrics_token": "tell me", "metrics_listen": f"127.0.0.1:{own}"}
        )
        self.assertNotEqual(server.get("/metrics").status_code, 200)
        text = server.get("/metrics", headers={"authorization": "Bearer tell me"}).text
        self.assertIn("keyward_build_info", httpx.get(f"http://127.0.0.1:{own}/metrics").text)
        for name in ("keyward_http_requests_total", "keyward_http_request_duration_seconds_bucket", "keyward_build_info"):
            self.assertIn(name, text)
        self.assertIn('route="/health/ready"', text)
        server.get("/nowhere-" + secrets.token_hex(4))
        basic = base64.b64encode(b"x:y").decode()
        self.assertNotEqual(server.get("/metrics", headers={"authorization": f"Basic {basic}"}).status_code, 200)

    def test_metrics_of_an_address_for_others_ask_for_the_token(self):
        own = free_port()
        server = self.serve(self.place(), port=free_port(), server={"metrics_token": "tell me", "metrics_listen": f"0.0.0.0:{own}"})
        address = f"http://127.0.0.1:{own}/metrics"
        self.assertNotEqual(httpx.get(address).status_code, 200)
        self.assertIn("keyward_build_info", httpx.get(address, headers={"authorization": "bearer tell me"}).text)
        # Without a certificate there is nothing to read anew, and nothing to end for.
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: "SIGHUP" in server.log.read_text(), what="a line in the log")
        self.assertEqual(server.get("/health/ready").status_code, 200)

    def test_oversized_and_broken_requests_are_refused(self):
        place, port = self.place(), free_port()
        server = self.serve(place, port=port)
        large = server.post("/token", content=b"a=" + b"x" * 100_000, headers={"content-type": "application/x-www-form-urlencoded"})
        self.assertEqual(large.status_code, 413)
        page = server.get("/nowhere", headers={"accept": "text/html"})
        self.assertEqual(page.status_code, 404)
        self.assertIn('id="error"', page.text)
        self.assertEqual(server.get("/nowhere", headers={"accept": "application/json"}).json()["step"], "error")
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(b"NONSENSE\r\n\r\n")
            self.assertTrue(raw.recv(100).startswith(b"HTTP/1.1 400"))


if __name__ == "__main__":
    unittest.main()
