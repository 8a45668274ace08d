"""The database goes away and comes back; the disk is full and has room again. Meanwhile whoever asks
gets a clear 503, nothing is half done, and it heals by itself."""

import contextlib
import os
import secrets
import socket
import subprocess
import threading
import time
import unittest
import urllib.parse

import httpx

from harness import PASSWORD, POSTGRES, SHOP, Application, Browser, Place, apply, dev, eventually, free_port
from harness import keyward, psql


class Wire:
    """The way to PostgreSQL, which can be cut, or swallow what is sent. What was swallowed never
    comes; a mended wire serves new connections."""

    def __init__(self, host, port):
        self.target, self.mode, self.open = (host, port), "whole", []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.mode == "cut":
                    client.close()
                    continue
                if self.mode == "silent":
                    self.open.append(client)
                    continue
                with contextlib.suppress(OSError):
                    server = socket.create_connection(self.target)
                    self.open += [client, server]
                    for pair in ((client, server), (server, client)):
                        threading.Thread(target=self.copy, args=pair, daemon=True).start()

    def copy(self, here, there):
        swallows = False
        with contextlib.suppress(OSError):
            while data := here.recv(65536):
                swallows = swallows or self.mode == "silent"
                if not swallows:
                    there.sendall(data)
        for end in (here, there):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        self.mode = "cut"
        for end in self.open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.open.clear()

    def silence(self):
        self.mode = "silent"

    def mend(self):
        self.mode = "whole"

    def close(self):
        self.cut()
        self.listener.close()


class PostgresGoesAway(unittest.TestCase):
    def setUp(self):
        place = Place("postgres")
        self.addCleanup(place.remove)
        parts = urllib.parse.urlsplit(POSTGRES)
        self.wire = Wire(parts.hostname, parts.port)
        self.addCleanup(self.wire.close)
        self.direct = place.database
        place.database = parts._replace(netloc=f"keyward@127.0.0.1:{self.wire.port}", path="/" + place.name).geturl()
        self.place, self.server = place, dev(place)
        self.addCleanup(self.server.stop)
        done = apply(place, SHOP)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.web, self.browser = Application(self.server.origin), Browser(self.server.origin)
        self.token = self.web.sign_in(self.browser)

    def heals(self):
        self.wire.mend()
        eventually(lambda: self.server.get("/health/ready").status_code == 200, 15, "healing")
        # A connection that has just failed is not tried again for a moment; each has its own.
        reads = lambda: self.web.userinfo(self.token["access_token"]).status_code == 200
        eventually(lambda: all(reads() for _ in range(8)), 10, "reading")
        self.token = self.web.refresh(self.token["refresh_token"]).json()
        self.web.sign_in(Browser(self.server.origin))

    def test_cut_and_mended(self):
        for _ in range(2):
            self.wire.cut()
            eventually(lambda: self.server.get("/health/ready").status_code == 503, what="noticing")
            # The caches may carry what is known; what needs the database says so.
            answer = self.web.userinfo(self.token["access_token"])
            self.assertEqual(answer.status_code, 503, answer.text)
            token = self.web.refresh(self.token["refresh_token"])
            self.assertEqual((token.status_code, token.json()["error"]), (503, "temporarily_unavailable"))
            page = self.browser.get("/account")
            self.assertEqual(page.status, 503)
            self.assertIn("error", page.ids)
            self.assertNotIn("PostgreSQL", page.text)
            json = self.server.get("/account", headers={"accept": "application/json", "cookie": cookies(self.browser)})
            self.assertEqual((json.status_code, json.json()["step"]), (503, "error"))
            self.assertEqual(self.server.get("/health/live").status_code, 200)
            self.heals()

    def test_a_form_sent_while_it_was_away_can_be_sent_again(self):
        email = f"away{secrets.token_hex(3)}@example.com"
        page = self.browser.get("/register")
        self.wire.cut()
        self.assertEqual(self.browser.submit(page, email=email).status, 503)
        self.wire.mend()
        again = eventually(lambda: self.fine(self.browser.submit(page, email=email)), 15, "healing")
        self.assertEqual(again.step, "code")
        code = self.server.mail(email)["code"]
        page = eventually(lambda: self.fine(self.browser.submit(again, code=code)), 15, "healing")
        self.wire.cut()
        self.assertEqual(self.browser.submit(page, password=PASSWORD).status, 503)
        self.wire.mend()
        eventually(lambda: self.fine(self.browser.submit(page, password=PASSWORD)), 15, "healing")
        self.assertEqual(psql("SELECT count(*) FROM person", self.direct), "2", "Alice and the new one")

    def fine(self, page):
        """Unless it is a 503: after that the browser goes on where the journey stands."""
        return page if page.status < 500 else None

    def test_a_server_that_does_not_answer_is_given_up_in_time(self):
        self.wire.silence()
        begun = time.monotonic()
        answer = self.web.userinfo(self.token["access_token"])
        self.assertEqual(answer.status_code, 503, answer.text)
        self.assertLess(time.monotonic() - begun, 8)
        begun = time.monotonic()
        self.assertEqual(self.web.refresh(self.token["refresh_token"]).status_code, 503)
        self.assertEqual(self.browser.get("/account").status, 503)
        self.assertLess(time.monotonic() - begun, 25)
        self.heals()

    def test_connections_cut_in_the_middle_lose_and_double_nothing(self):
        stop, failures = threading.Event(), []

        def cut_often():
            while not stop.wait(0.15):
                self.wire.cut()
                self.wire.mend()

        cutter = threading.Thread(target=cut_often)
        cutter.start()
        try:
            token, rotations = self.token["refresh_token"], 0
            with httpx.Client(timeout=15, verify=False) as client:
                for _ in range(120):
                    answer = self.web.refresh(token, client)
                    if answer.status_code == 200:
                        token, rotations = answer.json()["refresh_token"], rotations + 1
                    elif answer.status_code != 503:
                        failures.append(answer.text)
        finally:
            stop.set()
            cutter.join()
        # Whoever got a 503 asked again with the same token: an Unknown that was done gives the
        # successor, never a replay.
        self.assertEqual(failures, [])
        self.assertGreater(rotations, 5)
        self.heals_from(token)

    def heals_from(self, token):
        answer = eventually(lambda: (a := self.web.refresh(token)).status_code == 200 and a, 10, "healing")
        access = answer.json()["access_token"]
        eventually(lambda: self.web.userinfo(access).status_code == 200, 5, "reading")

    def test_it_does_not_start_without_its_database_and_says_why(self):
        self.server.stop()
        self.wire.cut()
        done = keyward("dev", "--listen", f"127.0.0.1:{free_port()}", *self.place.where())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertNotIn("panicked", done.stderr)
        self.assertIn("database is unavailable", done.stderr)
        done = apply(self.place, SHOP)
        self.assertEqual(done.returncode, 1, done.stderr)


def cookies(browser):
    return "; ".join(f"{name}={value}" for name, value in browser.cookies().items())


class FullDisk(unittest.TestCase):
    """A small file system of its own, filled to the last byte."""

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a small file system needs root")
        self.place = Place("sqlite")
        self.addCleanup(self.place.remove)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", self.place.data], capture_output=True, text=True
        )
        if mounted.returncode:
            self.skipTest(f"tmpfs cannot be mounted here: {mounted.stderr.strip()}")
        self.addCleanup(lambda: subprocess.run(["umount", "-l", self.place.data], check=False))
        self.server = dev(self.place)
        self.addCleanup(self.server.stop)
        done = apply(self.place, SHOP)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.web, self.browser = Application(self.server.origin), Browser(self.server.origin)

    def fill(self):
        self.filler = self.place.data / "filler"
        with contextlib.suppress(OSError), open(self.filler, "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

    def test_what_cannot_be_kept_is_a_503_and_nothing_is_half_done(self):
        token = self.web.sign_in(self.browser)
        page = self.browser.get("/register")
        self.fill()
        # The write-ahead log may have room for a few more; each answer that is good stays good.
        good, refused = [token], 0
        for _ in range(3000):
            answer = self.web.refresh(good[-1]["refresh_token"])
            if answer.status_code == 200:
                good.append(answer.json())
                continue
            self.assertEqual((answer.status_code, answer.json()["error"]), (503, "temporarily_unavailable"), answer.text)
            refused += 1
            if refused == 3:
                break
        self.assertEqual(refused, 3, "the disk never was full")
        sent = self.browser.submit(page, email="full@example.com")
        self.assertEqual(sent.status, 503)
        self.assertIn("error", sent.ids)
        json = httpx.post(
            f"{self.server.origin}{page.form_with('continue').action}", timeout=15, verify=False,
            json=page.form_with("continue").hidden() | {"email": "full@example.com"},
            headers={"accept": "application/json", "cookie": cookies(self.browser), "origin": self.server.origin},
        )
        self.assertEqual((json.status_code, json.json()["step"]), (503, "error"))
        # Reading goes on.
        self.assertEqual(self.web.userinfo(good[-1]["access_token"]).status_code, 200)
        self.filler.unlink()
        # No restart: the same form, the same token.
        sent = eventually(lambda: (p := self.browser.submit(page, email="full@example.com")).status < 500 and p, 10, "healing")
        self.assertEqual(sent.step, "code")
        answer = self.web.refresh(good[-1]["refresh_token"])
        self.assertEqual(answer.status_code, 200, "a refused refresh changed nothing")
        page = self.browser.submit(sent, code=self.server.mail("full@example.com")["code"])
        self.assertEqual(page.step, "details")
        self.server.kill()
        port = int(self.server.origin.rsplit(":", 1)[1])
        self.server = dev(self.place, port=port)
        self.addCleanup(self.server.stop)
        self.assertEqual(self.web.refresh(answer.json()["refresh_token"]).status_code, 200)


if __name__ == "__main__":
    unittest.main()
