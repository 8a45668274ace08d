"""The ledger: actors that use the program as people, applications and operators do, write down what
was acknowledged, and afterwards look for it.

An answer below 500 is an acknowledgement. No answer, or one that says "come again", leaves the
request in doubt: it may have happened or not, but not half and not twice.
"""

import collections
import concurrent.futures
import contextlib
import json
import random
import secrets
import threading
import time

import httpx

from harness import Application, Browser, keyward, register

# Who works at the same time.
CAST = ("Registrar", "Changer", "Redeemer", "Redeemer", "Refresher", "Refresher", "Revoker", "Leaver", "Consenter", "Operator")
SCOPES = ["users:read", "users:write", "sessions:write", "events:read", "api-keys:read", "api-keys:write"]


class Doubt(Exception):
    """Whether it happened is not known."""


class Fault(Exception):
    """An answer that is a fault of the program in any case."""


class World:
    """One installation under test: where it answers, who uses it, what they found wrong."""

    def __init__(self, server, place):
        self.server, self.origin, self.place = server, server.origin, place
        self.acknowledged, self.doubted, self.wrong = collections.Counter(), 0, []
        self.lock, self.shifted = threading.Lock(), False
        made = keyward("--json", "key", "new-api-key", "name=crash", f"scopes={json.dumps(SCOPES)}", *place.where())
        assert made.returncode == 0, made.stdout + made.stderr
        self.key = json.loads(made.stdout)["secret"]
        self.web, self.partner = Application(self.origin), Application(self.origin, "partner")
        self.actors = [globals()[name](self) for name in CAST]

    def acks(self, kind):
        with self.lock:
            self.acknowledged[kind] += 1

    def complain(self, text):
        with self.lock:
            self.wrong.append(text)

    def check(self):
        """Everybody looks for what is theirs."""
        with concurrent.futures.ThreadPoolExecutor(len(self.actors)) as pool:
            for actor, done in [(actor, pool.submit(actor.check)) for actor in self.actors]:
                try:
                    done.result()
                except Exception as error:
                    self.complain(f"{type(actor).__name__}: {type(error).__name__} {error}"[:600])

    def verify_chain(self):
        answer = patiently(lambda: self.api("GET", "/events/verify"))
        if answer.status_code != 200 or not answer.json().get("valid", answer.json().get("intact", True)):
            self.complain(f"the chain of events: {answer.text[:300]}")

    def api(self, method, path, key=None, **options):
        headers = {"authorization": f"Bearer {key or self.key}"}
        return httpx.request(method, f"{self.origin}/api/v1{path}", headers=headers, timeout=20, **options)


class Load:
    def __init__(self, world):
        self.world, self.stop = world, threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(actor,), daemon=True) for actor in world.actors]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)

    def work(self, actor):
        while not self.stop.is_set():
            try:
                actor.step()
            except (Doubt, httpx.HTTPError):
                with self.world.lock:
                    self.world.doubted += 1
                # Whoever is refused does not hammer.
                self.stop.wait(0.05)
            except AssertionError as error:
                # What was begun before the clock jumped may be out of date.
                if not self.world.shifted:
                    self.world.complain(f"{type(actor).__name__}, under load: {error}"[:600])
                    return
            except Exception as error:
                self.world.complain(f"{type(actor).__name__}, under load: {type(error).__name__} {error}"[:600])
                return


def certain(answer):
    """The answer, if it is an acknowledgement."""
    status = answer.status if hasattr(answer, "status") else answer.status_code
    if status >= 500 or status == 429:
        if status == 500:
            raise Fault(f"500: {answer.text[:300]}")
        raise Doubt(f"{status} {answer.text[-200:]}")
    return answer


def surely(call, seconds=10):
    """What the call gives once it is not in doubt."""
    end = time.monotonic() + seconds
    while True:
        try:
            return call()
        except (Doubt, httpx.HTTPError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def patiently(call):
    """What is answered once it neither fails nor says "come again"."""
    return surely(lambda: certain(call()))


class Actor:
    """Somebody with an account of their own and a browser that is signed in."""

    def __init__(self, world):
        self.world = world
        self.client = httpx.Client(timeout=20, verify=False)
        self.new_account()

    def new_account(self):
        self.name, self.password = f"u{secrets.token_hex(5)}", secrets.token_hex(8)
        body = {"username": self.name, "password": self.password}
        answer = patiently(lambda: self.world.api("POST", "/users", json=body))
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]
        self.browser = patiently(self.signed_in)[0]

    class Signed(tuple):
        """A browser with the page behind its sign-in."""

        @property
        def status(self):
            return self[1].status

        @property
        def text(self):
            return self[1].text

    def signed_in(self, password=None):
        browser = Browser(self.world.origin)
        page = browser.sign_in(browser.get("/signin"), self.name, password or self.password)
        return self.Signed((browser, page))

    def must(self, holds, what):
        if not holds:
            self.world.complain(f"{type(self).__name__}: {what}")
        return holds

    def code(self, application=None, browser=None, **more):
        """An authorization code out of the session, or the error that came in its place."""
        application = application or Application(self.world.origin)
        page = certain((browser or self.browser).get(application.url(prompt="none", **more)))
        query = page.query()
        assert "code" in query or "error" in query, (page.url, page.status, page.text[:300])
        if query.get("error") in ("server_error", "temporarily_unavailable"):
            raise Doubt
        return application, query.get("code"), query.get("error")

    def tokens(self, **more):
        application, code, error = self.code(**more)
        assert code, f"the session is lost: {error}"
        answer = certain(application.redeem(code, self.client))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def is_alive(self, token):
        return patiently(lambda: self.world.web.userinfo(token["access_token"])).status_code == 200

    def refresh(self, token):
        return patiently(lambda: self.world.web.refresh(token["refresh_token"], self.client))

    def is_dead(self, token):
        return not self.is_alive(token) and self.refresh(token).status_code == 400

    def check(self):
        """The account and its session, which everybody has."""
        if not self.must(patiently(lambda: self.world.api("GET", f"/users/{self.id}")).status_code == 200, "the account is lost"):
            return
        _, code, error = surely(self.code)
        self.must(code, f"the session is lost: {error}")


class Registrar(Actor):
    """Registers one address after the other."""

    def __init__(self, world):
        super().__init__(world)
        self.registered = []

    def step(self):
        email, password = f"r{secrets.token_hex(5)}@example.com", secrets.token_hex(8)
        browser = Browser(self.world.origin)
        page = certain(browser.get("/register"))
        page = certain(browser.submit(page, email=email))
        assert page.step == "code", (page.step, page.text[:300])
        page = certain(browser.submit(page, code=self.mailed(email)))
        assert page.step == "details", (page.step, page.text[:300])
        page = certain(browser.submit(page, password=password))
        assert page.step == "account", (page.step, page.text[:300])
        self.world.acks("registrations")
        self.registered.append((email, password, browser))

    def mailed(self, email):
        with contextlib.suppress(AssertionError):
            return self.world.server.mail(email)["code"]
        raise Doubt

    def check(self):
        super().check()
        registered, self.registered = self.registered, []
        for email, password, browser in registered:
            page = patiently(lambda: browser.get("/account"))
            self.must(page.step == "account", f"the session of {email} is lost: {page.step}")
        for email, password, _ in random.sample(registered, min(2, len(registered))):
            browser = Browser(self.world.origin)
            page = patiently(lambda: browser.sign_in(browser.get("/signin"), email, password))
            self.must(page.step == "account", f"{email} cannot sign in: {page.step}")


class Changer(Actor):
    """Changes the password again and again."""

    def __init__(self, world):
        super().__init__(world)
        self.former, self.perhaps = None, None

    def step(self):
        if self.perhaps:
            raise Doubt("one change is in doubt")
        page = certain(self.browser.get("/account/password"))
        assert page.step == "change-password", (page.step, page.text[:300])
        self.perhaps = secrets.token_hex(8)
        page = certain(self.browser.submit(page, password=self.password, new_password=self.perhaps))
        assert page.step == "account", (page.step, page.text[:300])
        self.world.acks("password changes")
        self.former, self.password, self.perhaps = self.password, self.perhaps, None

    def works(self, password):
        browser, page = patiently(lambda: self.signed_in(password))
        if page.step != "account":
            # So that wrong passwords, of which we know, never close the account.
            patiently(lambda: self.world.api("POST", f"/users/{self.id}/unlock"))
            return False
        if self.perhaps:
            # The change renews the session; if its answer was lost, so is the new cookie.
            self.browser = browser
        return True

    def check(self):
        if not self.perhaps:
            super().check()
        good = self.works(self.password)
        if not good and self.perhaps and self.works(self.perhaps):
            good, self.former, self.password = True, self.password, self.perhaps
        self.perhaps = None
        self.must(good, "neither the acknowledged password nor the one in doubt works")
        if self.former:
            self.must(not self.works(self.former), "a password that was changed still works")
            self.former = None
        if not good:
            self.new_account()


class Redeemer(Actor):
    """Gets codes by single sign-on and redeems them, two of three."""

    def __init__(self, world):
        super().__init__(world)
        self.redeemed, self.waiting, self.doubt, self.before = [], [], [], collections.deque(maxlen=5)

    def step(self):
        application, code, error = self.code()
        assert code, f"the session is lost: {error}"
        self.world.acks("codes given")
        if random.random() < 0.3:
            self.waiting.append((application, code, time.monotonic()))
            return
        self.doubt.append((application, code))
        answer = certain(application.redeem(code, self.client))
        assert answer.status_code == 200, answer.text
        self.doubt.pop()
        self.world.acks("codes redeemed")
        self.redeemed.append((application, code, answer.json()))

    def check(self):
        super().check()
        for application, code, token in self.redeemed[-8:]:
            self.must(self.world.shifted or self.is_alive(token), "the token of a redeemed code is lost")
            self.refused(application, code, "a redeemed code is redeemed again")
            self.must(not self.is_alive(token), "the token of a replayed code works")
            self.before.append((application, code))
        for application, code in self.before:
            self.refused(application, code, "a code redeemed earlier is redeemed again")
        for application, code, since in self.waiting[-3:]:
            # A code lives a minute; a refusal that says "come again" says nothing about it.
            if time.monotonic() - since < 40 and not self.world.shifted:
                with contextlib.suppress(Doubt, httpx.HTTPError):
                    answer = certain(application.redeem(code, self.client))
                    self.must(answer.status_code == 200, f"a code that was given is lost: {answer.text}")
                    self.refused(application, code, "a code is redeemed twice")
        for application, code in self.doubt:
            patiently(lambda: application.redeem(code, self.client))
            self.refused(application, code, "a code in doubt is redeemed twice")
        self.redeemed, self.waiting, self.doubt = [], [], []

    def refused(self, application, code, what):
        self.must(patiently(lambda: application.redeem(code, self.client)).status_code == 400, what)


class Refresher(Actor):
    """Refreshes one grant again and again; now and then an old token comes back."""

    def __init__(self, world):
        super().__init__(world)
        self.chain = [self.fresh()]

    def fresh(self):
        more = random.choice(({}, {"scope": "openid offline_access"}))
        return surely(lambda: self.tokens(**more))

    def step(self):
        answer = certain(self.world.web.refresh(self.chain[-1]["refresh_token"], self.client))
        assert answer.status_code == 200, f"the token number {len(self.chain)} is lost: {answer.text}"
        self.world.acks("refreshes")
        self.chain.append(answer.json())

    def check(self):
        super().check()
        answer = self.refresh(self.chain[-1])
        if not self.must(answer.status_code == 200, f"the refresh token number {len(self.chain)} is lost: {answer.text}"):
            self.chain = [self.fresh()]
            return
        self.chain.append(answer.json())
        self.must(self.is_alive(self.chain[-1]), "a token that was just given does not work")
        if len(self.chain) > 3 and random.random() < 0.5:
            old = random.choice(self.chain[:-3])
            self.must(self.refresh(old).status_code == 400, "a refresh token is used twice")
            self.must(self.is_dead(self.chain[-1]), "a grant whose token was stolen lives on")
            self.chain = [self.fresh()]


class Revoker(Actor):
    """Revokes what was just given."""

    def __init__(self, world):
        super().__init__(world)
        self.revoked, self.before = [], collections.deque(maxlen=5)

    def step(self):
        token = self.tokens()
        # An access token that has ended, as by a jump of the clock, revokes nothing.
        kind = "refresh_token" if self.world.shifted else random.choice(("access_token", "refresh_token"))
        form = {"token": token[kind], "client_id": "web", "client_secret": self.world.web.secret}
        answer = certain(self.client.post(f"{self.world.origin}/revoke", data=form))
        assert answer.status_code == 200, answer.text
        self.world.acks("revocations")
        self.revoked.append(token)

    def check(self):
        super().check()
        for token in [*self.before, *self.revoked[-8:]]:
            self.must(self.is_dead(token), "a revoked grant lives")
        self.before.extend(self.revoked)
        self.revoked = []


class Leaver(Actor):
    """Signs in, and out again: here, everywhere, or by an operator."""

    def __init__(self, world):
        super().__init__(world)
        self.left = []

    def step(self):
        browser, page = self.signed_in()
        certain(page)
        assert page.step == "account", (page.step, page.text[:300])
        self.world.acks("sign-ins")
        token = self.tokens(browser=browser)
        cookies = browser.cookies()
        kind = random.choice(("here", "everywhere", "operator"))
        if kind == "here":
            certain(browser.send(page, next(form for form in page.forms if form.action.endswith("/sign-out"))))
        elif kind == "everywhere":
            page = certain(browser.get("/account/sessions"))
            everything = [form for form in page.forms if form.hidden().get("session") == "all"]
            page = certain(browser.send(page, everything[0]))
            assert "signed-out" in page.ids, page.text[:300]
        else:
            answer = certain(self.world.api("DELETE", f"/users/{self.id}/sessions"))
            assert answer.status_code in (200, 204), answer.text
        self.world.acks("sign-outs")
        self.left.append((cookies, token))

    def check(self):
        left, self.left = self.left, []
        for cookies, token in left:
            browser = Browser(self.world.origin)
            for name, value in cookies.items():
                browser.http.cookies.set(name, value)
            _, code, error = surely(lambda: self.code(browser=browser))
            self.must(error == "login_required", f"a session that was ended lives: {code} {error}")
            self.must(self.is_dead(token), "the token of an ended session works")
        # No session of one's own: "everywhere" ends it.
        self.must(patiently(lambda: self.world.api("GET", f"/users/{self.id}")).status_code == 200, "the account is lost")


class Consenter(Actor):
    """Gives an application consent and takes it back."""

    def __init__(self, world):
        super().__init__(world)
        self.given, self.doubt = False, False

    def step(self):
        self.doubt, partner = True, Application(self.world.origin, "partner")
        if not self.given:
            page = certain(self.browser.get(partner.url()))
            if page.step == "consent":
                page = certain(self.browser.submit(page, "allow"))
            assert page.url.startswith(partner.redirect_uri), (page.url, page.step, page.text[:300])
        else:
            page = certain(self.browser.get("/account/applications"))
            mine = [form for form in page.forms if "application" in form.hidden()]
            if mine:
                page = certain(self.browser.send(page, mine[0]))
            assert page.step == "applications", (page.step, page.text[:300])
        self.given, self.doubt = not self.given, False
        self.world.acks("consents")

    def check(self):
        super().check()
        _, code, error = surely(lambda: self.code(Application(self.world.origin, "partner")))
        if self.doubt:
            self.given, self.doubt = bool(code), False
        self.must(bool(code) == self.given, f"consent {'given' if self.given else 'taken back'}, but: {code} {error}")


class Operator(Actor):
    """Changes people, makes and revokes keys through the admin API."""

    def __init__(self, world):
        super().__init__(world)
        self.value, self.perhaps, self.number = None, None, 0
        self.made, self.keys, self.gone = [], [], []

    def step(self):
        what = random.random()
        if what < 0.5 and not self.perhaps:
            self.number += 1
            self.perhaps = f"Name {self.number}"
            body = {"attributes": {"name": self.perhaps}}
            answer = certain(self.world.api("PATCH", f"/users/{self.id}", json=body))
            assert answer.status_code == 200, answer.text
            self.value, self.perhaps = self.perhaps, None
        elif what < 0.8:
            answer = certain(self.world.api("POST", "/users", json={"username": f"m{secrets.token_hex(5)}"}))
            assert answer.status_code == 201, answer.text
            self.made.append(answer.json()["id"])
        elif not self.keys:
            answer = certain(self.world.api("POST", "/api-keys", json={"name": "short-lived", "scopes": ["users:read"]}))
            assert answer.status_code == 201, answer.text
            made = answer.json()
            self.keys.append((made.get("id") or made["key"]["id"], made["secret"]))
        else:
            key, secret = self.keys.pop()
            answer = certain(self.world.api("DELETE", f"/api-keys/{key}"))
            assert answer.status_code in (200, 204), answer.text
            self.gone.append(secret)
        self.world.acks("admin changes")

    def check(self):
        super().check()
        answer = patiently(lambda: self.world.api("GET", f"/users/{self.id}"))
        name = answer.json().get("attributes", {}).get("name")
        self.must(name == self.value or (self.perhaps and name == self.perhaps), f"the name is {name!r}, acknowledged was {self.value!r}")
        self.value, self.perhaps = name, None
        for made in self.made[-5:]:
            self.must(patiently(lambda: self.world.api("GET", f"/users/{made}")).status_code == 200, "a created user is lost")
        works = lambda secret: patiently(lambda: self.world.api("GET", "/users?limit=1", key=secret)).status_code == 200
        for _, secret in self.keys:
            self.must(works(secret), "a created key is lost")
        for secret in self.gone[-5:]:
            self.must(not works(secret), "a revoked key works")
        self.made = []
