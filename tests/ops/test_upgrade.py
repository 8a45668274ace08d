"""A rolling upgrade: two servers on one PostgreSQL are replaced one after the other, as docs/upgrade.md
says, while applications and people go on. A load balancer asks `/health/ready` and loses no request; what
was acknowledged by one version holds at the other. The newer version's migration adds while the version
before is at work."""

import json
import secrets
import threading
import unittest

import httpx

from harness import PASSWORD, SHOP, Application, Browser, Place, Server, configuration, eventually, free_port, keyward, psql

# How long a server still answers after it was told to stop: longer than the balancer needs to notice.
DELAY = 5


class Balancer(httpx.BaseTransport):
    """Brings each request to a server that said that it is ready, by a connection of its own. It tries
    nothing twice: a server that is ready, or was a moment ago, has to answer."""

    def __init__(self):
        self.ready, self.turn = [], 0

    def handle_request(self, request):
        self.turn += 1
        port = self.ready[self.turn % len(self.ready)]
        request.url = request.url.copy_with(port=port)
        with httpx.HTTPTransport() as transport:
            response = transport.handle_request(request)
            response.read()
            return httpx.Response(response.status_code, headers=response.headers, content=response.content)


class Worker(threading.Thread):
    """Does one thing again and again until it is told to stop, or it went wrong."""

    def __init__(self, once):
        super().__init__(daemon=True)
        self.once, self.enough, self.done, self.error = once, threading.Event(), 0, None

    def run(self):
        try:
            while not self.enough.is_set():
                self.once()
                self.done += 1
        except BaseException as error:  # told by the test, which waits for this
            self.error = error


class RollingUpgrade(unittest.TestCase):
    def setUp(self):
        self.place = Place("postgres")
        self.addCleanup(self.place.remove)
        self.ports = [free_port(), free_port()]
        self.issuer = f"http://127.0.0.1:{self.ports[0]}"
        self.configs = []
        for number, port in enumerate(self.ports):
            server = {"listen": f"127.0.0.1:{port}", "issuer": self.issuer, "shutdown_delay_seconds": DELAY}
            written = configuration(self.place, port, server=server)
            config = self.place.data / f"server{number}.toml"
            config.touch(0o600)
            config.write_text(written.read_text())
            self.configs.append(config)
        self.nodes = [self.start(number) for number in (0, 1)]
        done = keyward("apply", SHOP, "--config", str(self.configs[0]))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.balancer = Balancer()
        self.balancer.ready = list(self.ports)

    def start(self, number):
        log = self.place.data / f"log{number}"
        node = Server(["serve", "--config", self.configs[number]], f"http://127.0.0.1:{self.ports[number]}", log)
        self.addCleanup(node.kill)
        return node

    def replace(self, number):
        """SIGTERM, and the new one on the same port. The balancer learns of both by asking."""
        old, port = self.nodes[number], self.ports[number]
        old.process.terminate()
        eventually(lambda: old.get("/health/ready").status_code == 503, DELAY, "the old one not ready any more")
        self.balancer.ready = [other for other in self.ports if other != port]
        self.assertEqual(old.process.wait(30), 0, "it ended in order")
        self.nodes[number] = self.start(number)
        self.balancer.ready = list(self.ports)

    def client(self):
        client = httpx.Client(transport=self.balancer, timeout=30)
        self.addCleanup(client.close)
        return client

    def browser(self):
        browser = Browser(self.issuer, transport=self.balancer)
        self.addCleanup(browser.close)
        return browser

    def test_a_rolling_upgrade_loses_no_request_and_nothing_acknowledged(self):
        machine = self.client()
        client = {"client_id": "robot", "client_secret": "s3cret2"}
        people, tokens = [], []

        def counts():
            answer = machine.post(f"{self.issuer}/token", data={"grant_type": "client_credentials", **client})
            assert answer.status_code == 200, answer.text

        def signs_in():
            name = f"u{secrets.token_hex(5)}"
            user = {"username": name, "password": PASSWORD}
            answer = machine.post(f"{self.issuer}/api/v1/users", json=user, headers=self.key)
            assert answer.status_code == 201, answer.text
            browser = self.browser()
            page = browser.sign_in(browser.get("/signin"), name)
            assert page.status == 200, page.text[:500]
            people.append((name, browser))

        self.key = {"authorization": f"Bearer {self.api_key()}"}
        rotating = self.rotating()
        workers = [Worker(counts), Worker(signs_in), Worker(lambda: tokens.append(rotating()))]
        for worker in workers:
            worker.start()

        def goes_on():
            """Until each has done something more; what went wrong is told."""
            before = [worker.done for worker in workers]
            eventually(
                lambda: any(w.error for w in workers) or all(w.done > b + 2 for w, b in zip(workers, before)), 60, "work"
            )
            for worker in workers:
                if worker.error:
                    raise worker.error

        goes_on()
        # What a newer version adds at its start, beside the version before.
        psql("ALTER TABLE session ADD COLUMN of_the_next_version BIGINT", self.place.database)
        psql("ALTER TABLE oauth_grant ADD COLUMN of_the_next_version BIGINT", self.place.database)
        psql("ALTER TABLE person ADD COLUMN of_the_next_version BIGINT", self.place.database)
        goes_on()
        for number in (1, 0):
            self.replace(number)
            goes_on()
        for worker in workers:
            worker.enough.set()
            worker.join(60)
            self.assertIsNone(worker.error)

        for name, browser in people:
            page = browser.get("/account")
            self.assertEqual((page.status, page.step), (200, "account"), f"{name} is still signed in")
        self.assertEqual(len(set(tokens)), len(tokens), "each refresh token was given once")

    def api_key(self):
        schemes = self.nodes[0].get("/api/v1/openapi.json").json()["components"]["securitySchemes"]
        scopes = json.dumps(list(schemes["oauth"]["flows"]["clientCredentials"]["scopes"]))
        made = keyward("--json", "key", "new-api-key", "name=upgrade", f"scopes={scopes}", "--config", str(self.configs[0]))
        self.assertEqual(made.returncode, 0, made.stderr)
        return json.loads(made.stdout)["secret"]

    def rotating(self):
        """A grant whose refresh token is rotated at each call."""
        application, browser, client = Application(self.issuer), self.browser(), self.client()
        page = browser.sign_in(browser.get(application.url()), "alice@example.com")
        held = application.redeem(page.query()["code"], client).json()

        def rotate():
            answer = application.refresh(held["refresh_token"], client)
            assert answer.status_code == 200, answer.text
            held["refresh_token"] = answer.json()["refresh_token"]
            return held["refresh_token"]

        return rotate


if __name__ == "__main__":
    unittest.main()
