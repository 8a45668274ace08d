"""Mail over real SMTP from `keyward serve`: it arrives, and a mail server in trouble neither blocks a
page nor loses a mail."""

import asyncio
import email
import email.policy
import itertools
import logging
import re
import ssl
import threading
import time
import unittest

from aiosmtpd.smtp import SMTP, AuthResult

from harness import ENGINES, PASSWORD, Browser, Place, apply, certificate, eventually, free_port, serve

USER, SECRET = b"keyward", b"pass word"


class Postbox:
    """An SMTP server. `moods` says what happens to the next mails: `take` (when none is left),
    `refuse` (451), `vanish` (the connection closes instead of an answer), `hang` (until `wake`)."""

    def __init__(self, context=None, port=0, auth=True):
        self.context, self.wanted, self.auth = context, port, auth
        self.mails, self.moods, self.connections, self.logins = [], [], 0, 0
        self.loop = asyncio.new_event_loop()
        self.wake = None
        self.started = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()
        self.started.wait(10)

    def run(self):
        asyncio.set_event_loop(self.loop)

        async def start():
            self.wake = asyncio.Event()
            server = await self.loop.create_server(self.protocol, "127.0.0.1", self.wanted)
            self.port = server.sockets[0].getsockname()[1]
            return server

        self.server = self.loop.run_until_complete(start())
        self.started.set()
        self.loop.run_forever()

    def protocol(self):
        self.connections += 1
        options = {"loop": self.loop}
        if self.context:
            options |= {"tls_context": self.context, "require_starttls": True}
        if self.auth:
            options |= {"authenticator": self.login, "auth_required": True}
        return SMTP(self, **options)

    def login(self, server, session, envelope, mechanism, data):
        self.logins += 1
        return AuthResult(success=(data.login, data.password) == (USER, SECRET), handled=False)

    async def handle_DATA(self, server, session, envelope):
        mood = self.moods.pop(0) if self.moods else "take"
        if mood == "refuse":
            return "451 4.7.1 come again later"
        if mood == "vanish":
            server.transport.abort()
            return "250 nobody hears this"
        if mood == "hang":
            await self.wake.wait()
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        mail.secured = server.transport.get_extra_info("sslcontext") is not None
        mail.known = session.authenticated
        mail.to = envelope.rcpt_tos
        self.mails.append(mail)
        return "250 taken"

    def to(self, address):
        return [mail for mail in list(self.mails) if address in mail.to]

    def let_go(self):
        self.loop.call_soon_threadsafe(self.wake.set)

    def stop(self):
        def end():
            self.server.close()
            self.wake.set()
            self.loop.stop()

        self.loop.call_soon_threadsafe(end)


class Mail(unittest.TestCase):
    def begin(self, engine="sqlite", postbox=True, **mail):
        """A server whose mail goes to a postbox with STARTTLS and a login."""
        self.place = Place(engine)
        self.addCleanup(self.place.remove)
        cert, key = certificate(self.place.data, "localhost")
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(cert, key)
        self.port = free_port()
        if postbox:
            self.postbox = self.open()
        mail = {
            "host": "localhost", "port": self.port, "security": "starttls", "username": USER.decode(),
            "password": SECRET.decode(), "ca_file": str(cert), "from": "Web shop <no-reply@example.com>",
        } | mail
        self.http = free_port()
        self.settings = {"port": self.http, "mail": mail, "log": {"level": "debug"}}
        self.server = serve(self.place, **self.settings)
        self.addCleanup(lambda: self.server.kill())

    def open(self, **options):
        postbox = Postbox(options.pop("context", self.context), self.port, **options)
        self.addCleanup(postbox.stop)
        return postbox

    def register(self, address):
        """Up to the page that asks for the code. Quick, whatever the mail server does."""
        browser = Browser(self.server.origin)
        self.addCleanup(browser.close)
        page = browser.get("/register")
        begun = time.monotonic()
        page = browser.submit(page, email=address)
        self.assertLess(time.monotonic() - begun, 2, "a page waited for the mail server")
        self.assertEqual(page.step, "code")
        return browser, page

    def arrives(self, address, seconds=25):
        return eventually(lambda: self.postbox.to(address), seconds, f"the mail to {address}")[0]

    def finish(self, browser, page, mail):
        code = re.search(r"^\s*(\d{6})\s*$", mail.get_body(("plain",)).get_content(), re.M).group(1)
        page = browser.submit(page, code=code)
        self.assertEqual(page.step, "details", page.text[:500])
        page = browser.submit(page, password=PASSWORD)
        self.assertEqual((page.status, page.step), (200, "account"))

    def log(self):
        return (self.place.data / "log").read_text()

    def test_a_registration_mail_arrives_with_its_code_and_link(self):
        for engine in ENGINES:
            with self.subTest(engine):
                self.begin(engine)
                browser, page = self.register("new@example.com")
                mail = self.arrives("new@example.com", 10)
                self.assertTrue(mail.secured and mail.known)
                self.assertEqual(str(mail["from"]), "Web shop <no-reply@example.com>")
                self.assertEqual(str(mail["to"]), "new@example.com")
                text = mail.get_body(("plain",)).get_content()
                link = re.search(rf"{self.server.origin}/link/\S+", text).group(0)
                self.assertIn(link, mail.get_body(("html",)).get_content())
                # By the link, in the same browser: looking at it does nothing yet.
                opened = browser.get(link)
                self.assertEqual(opened.step, "link", opened.text[:500])
                page = browser.submit(opened, opened_button(opened))
                self.assertEqual(page.step, "details", page.text[:500])
                browser, page = self.register("other@example.com")
                self.finish(browser, page, self.arrives("other@example.com", 10))
                log = self.log()
                for secret in (SECRET.decode(), link.rsplit("/", 1)[1], "new@example.com"):
                    self.assertNotIn(secret, log)
                self.assertEqual(self.server.stop(), 0)

    def test_a_mail_is_drawn_by_the_tenants_own_templates(self):
        for engine in ENGINES:
            with self.subTest(engine):
                self.begin(engine)
                own = {
                    "mail-verify-address.subject": "{{ tenant }}\n: Grüße & {{ code }}",
                    "mail-verify-address.txt": "Welcome.\n\n    {{ code }}\n",
                    "mail-verify-address.html": "<h1>{{ subject }}</h1><p>{{ code }}</p>",
                }
                document = lambda templates: {"tenants": [{"slug": "default", "settings": {"templates": templates}}]}
                broken = apply(self.place, document(own | {"mail-verify-address.txt": "Welcome\n{{ cod }}"}))
                self.assertNotEqual(broken.returncode, 0)
                self.assertIn('line 2: there is no variable "cod"', broken.stderr)
                done = apply(self.place, document(own))
                self.assertEqual(done.returncode, 0, done.stderr)

                def drawn(numbers=itertools.count()):
                    address = f"own{next(numbers)}@example.com"
                    found = (*self.register(address), self.arrives(address, 10))
                    return found if "Grüße" in str(found[2]["subject"]) else None

                # A change of another process is in force within two seconds.
                browser, page, mail = eventually(drawn, 5, "a mail by the template")
                code = re.search(r"\d{6}", str(mail["subject"])).group(0)
                self.assertRegex(str(mail["subject"]), rf"^\S.* : Grüße & {code}$")
                self.assertEqual(mail.get_body(("plain",)).get_content().split(), ["Welcome.", code])
                html = mail.get_body(("html",)).get_content()
                self.assertIn(f"Grüße &amp; {code}</h1><p>{code}</p>", html)
                self.finish(browser, page, mail)
                self.assertEqual(self.server.stop(), 0)

    def test_a_forgotten_password_and_an_address_nobody_has_look_alike(self):
        self.begin()
        browser, page = self.register("known@example.com")
        self.finish(browser, page, self.arrives("known@example.com", 10))
        steps = []
        for address in ("known@example.com", "unknown@example.com"):
            other = Browser(self.server.origin)
            page = other.get("/recover")
            name = next(n for n, _, kind in page.form_with("continue").fields if kind != "hidden")
            page = other.submit(page, **{name: address})
            steps.append((page.step, page.status))
        self.assertEqual(steps[0], steps[1])
        eventually(lambda: len(self.postbox.to("known@example.com")) >= 2, 10, "the mail")
        self.assertEqual(self.postbox.to("unknown@example.com"), [])

    def test_a_server_that_refuses_for_now_gets_it_again(self):
        self.begin()
        self.postbox.moods = ["refuse"]
        browser, page = self.register("later@example.com")
        self.finish(browser, page, self.arrives("later@example.com"))
        self.assertEqual(len(self.postbox.to("later@example.com")), 1)

    def test_a_server_that_vanishes_gets_it_again(self):
        self.begin()
        self.postbox.moods = ["vanish"]
        browser, page = self.register("vanish@example.com")
        # Another one is not held up by it.
        self.register("next@example.com")
        self.arrives("next@example.com", 10)
        self.finish(browser, page, self.arrives("vanish@example.com"))

    def test_a_slow_server_blocks_no_page_and_gets_it_once(self):
        self.begin()
        self.postbox.moods = ["hang"]
        browser, page = self.register("slow@example.com")
        eventually(lambda: not self.postbox.moods, 10, "the mail on its way")
        for n in range(3):
            self.register(f"beside{n}@example.com")
            self.assertEqual(self.server.get("/health/ready").status_code, 200)
        self.postbox.let_go()
        for n in range(3):
            self.arrives(f"beside{n}@example.com", 10)
        self.finish(browser, page, self.arrives("slow@example.com", 10))
        self.assertEqual(len(self.postbox.to("slow@example.com")), 1)

    def test_with_no_server_it_waits_and_survives_a_crash(self):
        self.begin(postbox=False)
        browser, page = self.register("waits@example.com")
        eventually(lambda: "could not be sent" in self.log(), what="a first try")
        self.server.process.kill()
        self.server.process.wait()
        self.postbox = self.open()
        self.server = serve(self.place, **self.settings)
        self.finish(browser, page, self.arrives("waits@example.com"))

    def test_a_server_without_tls_or_with_a_strangers_certificate_gets_nothing(self):
        self.begin(postbox=False)
        self.postbox = Postbox(None, self.port, auth=False)
        self.addCleanup(self.postbox.stop)
        self.register("plain@example.com")
        eventually(lambda: self.postbox.connections and "could not be sent" in self.log(), what="a first try")
        self.assertEqual((self.postbox.mails, self.postbox.logins), ([], 0))
        self.postbox.stop()
        stranger = self.place.data / "stranger"
        stranger.mkdir()
        cert, key = certificate(stranger, "localhost")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(cert, key)
        self.port = free_port()
        self.postbox = self.open(context=context)
        self.server.stop()
        self.settings["mail"]["port"] = self.port
        self.server = serve(self.place, **self.settings)
        self.register("stranger@example.com")
        eventually(lambda: self.postbox.connections, 20, "a try")
        eventually(lambda: self.log().count("could not be sent") >= 2, 20, "its end")
        self.assertEqual((self.postbox.mails, self.postbox.logins), ([], 0))


def opened_button(page):
    """The main button of the page behind a link."""
    return "continue" if "continue" in page.ids else "confirm"


# The tests break handshakes on purpose.
logging.disable(logging.ERROR)

if __name__ == "__main__":
    unittest.main()
