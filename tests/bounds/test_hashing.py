"""More passwords than the hashing pool can take: whoever brings them is told to come again, and whatever needs no
hash is answered as ever. Nothing here is measured in seconds: what the flood met stands in its answers and in
/metrics."""

import base64
import collections
import itertools
import secrets
import threading
import unittest

import httpx

from harness import SHOP, Application, Browser, eventually, keyward
from wire import Watched

METRICS_TOKEN = "a token of the metrics' readers"
# Accounts of another system with the dearest hash that is let in, eight times as dear as ours.
DEAR = 48
FLOODERS = 12
# How many refusals lie between two rounds of other requests.
BETWEEN = 10


def dear_hash():
    """A hash of nobody's password."""
    salt, output = (base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (16, 32))
    return f"$argon2id$v=19$m=19456,t=16,p=1${salt}${output}"


class Flood:
    """Signs in with wrong passwords, each from a network of its own, until it is told to stop."""

    def __init__(self, origin):
        self.origin, self.numbers, self.over = origin, itertools.count(), threading.Event()
        self.answers, self.others, self.errors = [], collections.Counter(), []
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(FLOODERS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(60)

    def run(self):
        while not self.over.is_set():
            number = next(self.numbers)
            browser = Browser(self.origin, headers={"x-forwarded-for": f"198.18.{number >> 8 & 255}.{number & 255}"})
            try:
                self.attempt(browser, f"dear{number % DEAR}" if number % 2 else f"nobody{number}")
            except (AssertionError, httpx.HTTPError) as error:
                self.errors.append(error)
            finally:
                browser.close()

    def attempt(self, browser, name):
        page = browser.get("/signin")
        self.others[page.status] += 1
        page = browser.submit(page, identifier=f"{name}@example.com")
        self.others[page.status] += 1
        page = browser.submit(page, password="wrong horse battery")
        self.answers.append((page.status, page.response.headers.get("retry-after")))


class FullPool(Watched):
    options = {"proxies": ["127.0.0.0/8"], "metrics_token": METRICS_TOKEN}
    sections = {"passwords": {"threads": 1, "queue_ms": 10}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.apply(SHOP)
        path = cls.place.data / "dear.yaml"
        users = (f'{{email: dear{number}@example.com, email_verified: true, password_hash: "{dear_hash()}"}}' for number in range(DEAR))
        path.write_text("tenants:\n  - slug: default\n    users:\n" + "".join(f"      - {user}\n" for user in users))
        cls.apply(path)

    @classmethod
    def apply(cls, path):
        done = keyward("apply", path, "--config", cls.place.data / "keyward.toml")
        assert done.returncode == 0, done.stderr

    def metric(self, name):
        text = self.server.get("/metrics", headers={"authorization": f"Bearer {METRICS_TOKEN}"}).text
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))

    def refused(self):
        """How many were refused a hash."""
        return sum(self.metric(f'keyward_admission_refusals_total{{limit="hash_{why}"}}') for why in ("queue", "deadline"))

    def test_tokens_and_keys_are_given_out_beside_a_full_pool(self):
        web, robot = Application(self.server.origin), Application(self.server.origin, "robot", "s3cret2")
        browser = Browser(self.server.origin)
        self.addCleanup(browser.close)
        refresh = web.sign_in(browser)["refresh_token"]
        hashes, refused = self.metric("keyward_password_hashes_total"), self.refused()
        with Flood(self.server.origin) as flood:
            seen = refused
            for round_ in range(5):
                # The pool was full, is full between any two of the requests, and after the last.
                for ask in ("client_credentials", "keys", "refresh", "flood"):
                    eventually(lambda: self.refused() >= seen + BETWEEN, 60, "a flood beyond the pool")
                    seen = self.refused()
                    with self.subTest(ask, round=round_):
                        if ask == "client_credentials":
                            answer = robot.token(grant_type="client_credentials")
                            self.assertEqual(answer.status_code, 200, answer.text)
                        elif ask == "keys":
                            answer = self.server.get("/jwks")
                            self.assertEqual(answer.status_code, 200, answer.text)
                        elif ask == "refresh":
                            answer = web.refresh(refresh)
                            self.assertEqual(answer.status_code, 200, answer.text)
                            refresh = answer.json()["refresh_token"]
        self.assertEqual(flood.errors, [])
        self.assertEqual(set(flood.others), {200}, "pages without a hash")
        answered = collections.Counter(status for status, _ in flood.answers)
        self.assertLessEqual(set(answered), {422, 429, 503}, answered)
        for status, after in flood.answers:
            if status != 422:
                self.assertGreaterEqual(int(after), 1, status)
        # Every hash and every refusal was the flood's: nothing else asked the pool for anything.
        self.assertEqual(self.refused() - refused, answered[503])
        self.assertEqual(self.metric("keyward_password_hashes_total") - hashes, answered[422])


if __name__ == "__main__":
    unittest.main()
