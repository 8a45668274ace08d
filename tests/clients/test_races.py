"""What must hold when several things happen at once, on both engines. Afterwards no token of what
ended works at userinfo, and exactly those sessions live that should."""

import concurrent.futures
import threading

import httpx

from harness import PASSWORD, Application, Case, apply, on_both_engines

CALLERS = 50


def at_once(calls):
    """Runs them all at the same moment; their results in order."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait(30)
        return call()

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


class _Races(Case):
    def setUp(self):
        self.web = Application(self.server.origin)

    def code(self, browser, application=None, **more):
        application = application or self.web
        page = browser.sign_in(browser.get(application.url(**more)), self.email)
        self.assertTrue(page.url.startswith(application.redirect_uri), (page.url, page.text[:800]))
        return page.query()["code"]

    def is_signed_in(self, browser):
        """Without asking the person anything."""
        answer = browser.get(self.web.url(prompt="none")).query()
        self.assertIn(answer.get("error", "login_required"), ("login_required",))
        return "code" in answer

    def assert_dead(self, token):
        self.assertEqual(self.web.userinfo(token["access_token"]).status_code, 401)
        if "refresh_token" in token:
            refused = self.web.refresh(token["refresh_token"])
            self.assertEqual((refused.status_code, refused.json()["error"]), (400, "invalid_grant"))

    def assert_alive(self, token):
        self.assertEqual(self.web.userinfo(token["access_token"]).status_code, 200)

    def test_a_code_redeemed_by_fifty_at_once_succeeds_once(self):
        self.email = self.user()
        code = self.code(self.browser())
        with httpx.Client(limits=httpx.Limits(max_connections=CALLERS), timeout=30) as client:
            answers = at_once([lambda: self.web.redeem(code, client)] * CALLERS)
        good = [answer for answer in answers if answer.status_code == 200]
        self.assertEqual(len(good), 1, sorted(answer.status_code for answer in answers))
        errors = {(answer.status_code, answer.json()["error"]) for answer in answers if answer.status_code != 200}
        self.assertEqual(errors, {(400, "invalid_grant")})
        # Somebody else knew code, secret and verifier, so nobody keeps the tokens.
        self.assert_dead(good[0].json())

    def test_a_refresh_by_fifty_at_once_gives_all_the_same_successor(self):
        self.email = self.user()
        token = self.web.sign_in(self.browser(), self.email)
        for _ in range(3):
            old = token["refresh_token"]
            with httpx.Client(limits=httpx.Limits(max_connections=CALLERS), timeout=30) as client:
                answers = at_once([lambda: self.web.refresh(old, client)] * CALLERS)
            self.assertEqual({answer.status_code for answer in answers}, {200}, [a.text for a in answers if a.status_code != 200])
            successors = {answer.json()["refresh_token"] for answer in answers}
            self.assertEqual(len(successors), 1)
            self.assertNotIn(old, successors)
            token = answers[0].json()
        self.assert_alive(token)

    def test_a_code_that_comes_again_ends_its_grant(self):
        self.email = self.user()
        browser = self.browser()
        code = self.code(browser)
        token = self.web.redeem(code).json()
        # Without the verifier it is a guess of somebody who saw the address: nothing ends.
        self.assertEqual(self.web.redeem(code, code_verifier="y" * 43).json()["error"], "invalid_grant")
        self.assertEqual(Application(self.server.origin, secret="wrong").redeem(code).json()["error"], "invalid_client")
        self.assert_alive(token)
        self.assertEqual(self.web.redeem(code).json()["error"], "invalid_grant")
        self.assert_dead(token)
        self.assertTrue(self.is_signed_in(browser), "the session is another matter")

    def test_a_suspension_beside_running_redemptions_leaves_nothing_alive(self):
        self.email = self.user()
        browsers = [self.browser() for _ in range(4)]
        tokens = [self.web.sign_in(browser, self.email) for browser in browsers]
        tokens.append(self.web.sign_in(browsers[0], self.email, scope="openid offline_access"))
        codes = [self.code(browsers[n % 4]) for n in range(24)]
        suspended = {"tenants": [{"slug": "default", "users": [{"email": self.email, "state": "suspended"}]}]}
        calls = [lambda code=code: self.web.redeem(code) for code in codes]
        *answers, done = at_once([*calls, lambda: apply(self.place, suspended)])
        self.assertEqual(done.returncode, 0, done.stderr)
        for answer in answers:
            self.assertIn(answer.status_code, (200, 400), answer.text)
        tokens += [answer.json() for answer in answers if answer.status_code == 200]
        for token in tokens:
            self.assert_dead(token)
        self.assertFalse(any(self.is_signed_in(browser) for browser in browsers))
        page = self.browser().sign_in(self.browser().get(self.web.url()), self.email)
        self.assertFalse(page.url.startswith(self.web.redirect_uri))
        # Lifting it revives nothing.
        lifted = {"tenants": [{"slug": "default", "users": [{"email": self.email, "state": "active"}]}]}
        self.assertEqual(apply(self.place, lifted).returncode, 0)
        for token in tokens:
            self.assert_dead(token)
        self.assertFalse(any(self.is_signed_in(browser) for browser in browsers))
        self.assert_alive(self.web.sign_in(self.browser(), self.email))

    def test_signing_out_everywhere_ends_everything_everywhere(self):
        self.email = self.user()
        here, there = self.browser(), self.browser()
        tokens = [self.web.sign_in(browser, self.email) for browser in (here, there)]
        tokens.append(self.web.sign_in(there, self.email, scope="openid offline_access"))
        waiting = self.code(there)
        page = here.get("/account/sessions")
        everything = next(form for form in page.forms if form.hidden().get("session") == "all")
        page = here.send(page, everything)
        self.assertIn("signed-out", page.ids)
        for token in tokens:
            self.assert_dead(token)
        self.assertEqual(self.web.redeem(waiting).status_code, 400)
        self.assertFalse(self.is_signed_in(here) or self.is_signed_in(there))

    def test_signing_out_of_the_others_keeps_this_one(self):
        self.email = self.user()
        here, there = self.browser(), self.browser()
        mine, theirs = (self.web.sign_in(browser, self.email) for browser in (here, there))
        page = here.submit(here.get("/account/sessions"), "continue")
        self.assertEqual(page.step, "sessions")
        self.assert_dead(theirs)
        self.assert_alive(mine)
        self.assertTrue(self.is_signed_in(here))
        self.assertFalse(self.is_signed_in(there))

    def test_a_password_change_while_a_thief_waits_at_the_second_step(self):
        self.email = self.user()
        owner, phone, thief, slow = (self.browser() for _ in range(4))
        mine, on_the_phone = (self.web.sign_in(browser, self.email) for browser in (owner, phone))
        offline = self.web.sign_in(phone, self.email, scope="openid offline_access")
        # The thief has typed the password and sees the question for consent; another one has got to
        # the password and not sent it; a third holds a code of a session.
        partner = Application(self.server.origin, "partner")
        asked = thief.sign_in(thief.get(partner.url()), self.email)
        self.assertEqual(asked.step, "consent")
        named = slow.submit(slow.get(self.web.url()), identifier=self.email)
        self.assertEqual(named.step, "password")
        stolen = self.code(phone)

        page = owner.get("/account/password")
        self.assertEqual(page.step, "change-password")
        page = owner.submit(page, password=PASSWORD, new_password="another horse entirely")
        self.assertEqual(page.status, 200, page.text[:800])

        page = thief.submit(asked, "allow")
        self.assertFalse(page.url.startswith(partner.redirect_uri), page.url)
        self.assertFalse(self.is_signed_in(thief))
        page = slow.submit(named, password=PASSWORD)
        self.assertEqual((page.step, page.status), ("password", 422))
        refused = self.web.redeem(stolen)
        self.assertEqual((refused.status_code, refused.json()["error"]), (400, "invalid_grant"))
        self.assert_dead(on_the_phone)
        self.assertFalse(self.is_signed_in(phone))
        # This session and its grants were carried over; what outlives sessions is not touched.
        self.assertTrue(self.is_signed_in(owner))
        self.assert_alive(mine)
        self.assertEqual(self.web.refresh(mine["refresh_token"]).status_code, 200)
        self.assertEqual(self.web.refresh(offline["refresh_token"]).status_code, 200)
        self.web.sign_in(self.browser(), self.email, "another horse entirely")

    def test_a_recovery_ends_everything_that_was(self):
        self.email = self.user()
        thief, owner = self.browser(), self.browser()
        stolen = [self.web.sign_in(thief, self.email), self.web.sign_in(thief, self.email, scope="openid offline_access")]
        page = owner.get(self.web.url())
        page = owner.get(next(link for link in page.links if "/recover" in link))
        name = "identifier" if "identifier" in page.form_with("continue").names() else "email"
        page = owner.submit(page, **{name: self.email})
        self.assertEqual(page.step, "code")
        page = owner.submit(page, code=self.server.mail(self.email)["code"])
        self.assertEqual(page.step, "new-password", page.text[:800])
        field = next(n for n, _, kind in page.form_with("continue").fields if kind == "password")
        page = owner.submit(page, **{field: "yet another horse"})
        self.assertTrue(page.url.startswith(self.web.redirect_uri), (page.step, page.text[:800]))
        self.assert_alive(self.web.redeem(page.query()["code"]).json())
        for token in stolen:
            self.assert_dead(token)
        self.assertFalse(self.is_signed_in(thief))

    def test_two_who_register_one_address_at_once_share_one_account(self):
        email = f"twice-{self.engine}@example.com"
        browsers = [self.browser(), self.browser()]
        pages = []
        for browser in browsers:
            before = len(self.server.mails(email))
            page = browser.submit(browser.get("/register"), email=email)
            pages.append(browser.submit(page, code=self.server.mail(email, before)["code"]))
        self.assertEqual([page.step for page in pages], ["details", "details"])
        ends = at_once([
            lambda n=n: browsers[n].submit(pages[n], password=f"{PASSWORD} {n}") for n in (0, 1)
        ])
        self.assertEqual({end.status for end in ends} - {200, 409, 422}, set(), [end.text[:300] for end in ends])
        subjects = set()
        for browser in browsers:
            answer = browser.get(self.web.url(prompt="none")).query()
            if "code" in answer:
                token = self.web.redeem(answer["code"]).json()
                subjects.add(self.web.userinfo(token["access_token"]).json()["sub"])
        self.assertEqual(len(subjects), 1, "one account, whoever was faster")

    def test_a_registration_sent_ten_times_at_once_makes_one_account(self):
        browser, email = self.browser(), f"tabs-{self.engine}@example.com"
        page = browser.submit(browser.get(self.web.url(prompt="create")), email=email)
        page = browser.submit(page, code=self.server.mail(email)["code"])
        form, cookies = page.form_with("continue"), dict(browser.cookies())
        data = form.hidden() | {"password": PASSWORD}
        send = lambda: httpx.post(self.server.origin + form.action, data=data, cookies=cookies, timeout=30)
        answers = at_once([send] * 10)
        # A password hash takes time: on a busy machine some are told when to come again.
        for answer in answers:
            self.assertTrue(answer.status_code < 500 or "retry-after" in answer.headers, answer.text)
        codes = [a.headers["location"] for a in answers if "code=" in a.headers.get("location", "")]
        self.assertLessEqual(len(codes), 1, "one success")
        self.web.sign_in(self.browser(), email)


on_both_engines(_Races, globals())
del _Races
