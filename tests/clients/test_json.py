"""Every step as JSON, for programs: with cookies, and without them by the field `device`."""

import secrets
import unittest

import httpx

from harness import PASSWORD, Application, Case, on_both_engines

JSON = {"accept": "application/json"}


class Journey:
    """A program that follows `action` and fills `fields`; keeps no cookie."""

    def __init__(self, test, path):
        self.test, self.origin = test, test.server.origin
        self.take(httpx.get(path if path.startswith("http") else self.origin + path, headers=JSON, timeout=15))

    def take(self, response):
        self.response, self.body = response, response.json()
        self.step = self.body["step"]
        return self

    def hidden(self):
        return {field["name"]: field["value"] for field in self.body["fields"]}

    def send(self, **fields):
        for name in fields:
            known = {*self.hidden(), *(action.get("field") for action in self.body["actions"])}
            self.test.assertIn(name, known)
        data = self.hidden() | fields
        return self.take(httpx.post(self.origin + self.body["action"], json=data, headers=JSON, timeout=15))

    def code(self):
        self.test.assertEqual(self.step, "redirect", self.body)
        return httpx.URL(self.body["location"]).params["code"]


class _Json(Case):
    def test_a_sign_in_without_cookies(self):
        web = Application(self.server.origin)
        journey = Journey(self, web.url())
        self.assertEqual(journey.step, "identify")
        self.assertIn("device", journey.hidden())
        self.assertNotIn("set-cookie", journey.response.headers)
        journey.send(identifier="alice@example.com")
        self.assertEqual(journey.step, "password")
        journey.send(password="not this one")
        self.assertEqual((journey.response.status_code, journey.step), (422, "password"))
        wrong = next(field for field in journey.body["fields"] if field["name"] == "password")
        self.assertEqual(wrong["error"]["id"], "error-password-wrong")
        journey.send(password=PASSWORD)
        self.assertEqual(web.redeem(journey.code()).status_code, 200)

    def test_both_in_one_turn_and_consent(self):
        partner, email = Application(self.server.origin, "partner"), self.user()
        journey = Journey(self, partner.url()).send(identifier=email, password=PASSWORD)
        self.assertEqual(journey.step, "consent")
        choices = {action["name"]: (action["field"], action["value"]) for action in journey.body["actions"]}
        self.assertEqual(choices, {"allow": ("decision", "allow"), "deny": ("decision", "deny")})
        self.assertEqual(partner.redeem(journey.send(decision="allow").code()).status_code, 200)

    def test_a_registration_without_cookies(self):
        web, email = Application(self.server.origin), f"json{secrets.token_hex(4)}@example.com"
        journey = Journey(self, web.url(prompt="create"))
        self.assertEqual(journey.step, "register")
        journey.send(email=email)
        self.assertEqual(journey.step, "code")
        journey.send(code="000000" if self.server.mail(email)["code"] != "000000" else "111111")
        self.assertEqual((journey.response.status_code, journey.step), (422, "code"))
        journey.send(code=self.server.mail(email)["code"])
        self.assertEqual(journey.step, "details")
        journey.send(password="short")
        self.assertEqual((journey.response.status_code, journey.step), (422, "details"))
        journey.send(password=PASSWORD, name="Jay Son")
        token = web.redeem(journey.code()).json()
        person = web.userinfo(token["access_token"]).json()
        self.assertEqual((person["email"], person["name"]), (email, "Jay Son"))

    def test_a_strangers_device_does_not_open_the_flow(self):
        web, email = Application(self.server.origin), self.user()
        mine, theirs = Journey(self, web.url()), Journey(self, web.url())
        mine.send(identifier=email)
        for fields in ({"device": theirs.hidden()["device"]}, {"device": ""}, {"csrf": theirs.hidden()["csrf"]}):
            with self.subTest(fields):
                data = mine.hidden() | {"password": PASSWORD} | fields
                answer = httpx.post(self.server.origin + mine.body["action"], json=data, headers=JSON)
                self.assertGreaterEqual(answer.status_code, 400)
                self.assertEqual(answer.json()["step"], "error")
        # A form of another site can send neither JSON nor the device.
        form = mine.hidden() | {"password": PASSWORD}
        answer = httpx.post(self.server.origin + mine.body["action"], data=form, headers=JSON)
        self.assertEqual((answer.status_code, answer.json()["step"]), (403, "error"))
        self.assertEqual(web.redeem(mine.send(password=PASSWORD).code()).status_code, 200, "and mine goes on")


on_both_engines(_Json, globals())
del _Json

if __name__ == "__main__":
    unittest.main()
