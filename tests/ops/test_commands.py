"""The commands: what they print, how they end (0 done, 1 failed, 2 wrong usage or configuration)."""

import concurrent.futures
import json
import secrets
import time
import unittest

import httpx

from harness import ENGINES, PASSWORD, SHOP, Application, Browser, Place, apply, configuration, dev, eventually
from harness import free_port, keyward


def tenant(**parts):
    return {"tenants": [{"slug": "default", **parts}]}


class Commands(unittest.TestCase):
    def place(self, engine="sqlite"):
        place = Place(engine)
        self.addCleanup(place.remove)
        return place

    def running(self, engine="sqlite"):
        place = self.place(engine)
        server = dev(place)
        self.addCleanup(server.stop)
        return place, server

    def ends(self, done, code):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        if code:
            self.assertTrue(done.stderr.strip(), "errors are sentences on stderr")
            self.assertNotIn("panicked", done.stderr)
        return done

    def test_usage(self):
        self.ends(keyward(), 2)
        self.ends(keyward("nonsense"), 2)
        self.ends(keyward("dev", "--listen", "nowhere"), 2)
        self.assertIn("0.", self.ends(keyward("--version"), 0).stdout)
        for command in ("dev", "serve", "config", "migrate", "apply"):
            self.assertIn(command, keyward("--help").stdout)

    def test_apply_beside_a_running_server_is_in_force_within_two_seconds(self):
        for engine in ENGINES:
            with self.subTest(engine):
                place, server = self.running(engine)
                self.ends(apply(place, SHOP), 0)
                begun = time.monotonic()
                web = Application(server.origin)
                browser = Browser(server.origin)
                eventually(lambda: browser.get(web.url()).step == "identify", 2, "the application")
                self.assertLess(time.monotonic() - begun, 2)
                self.assertTrue(web.sign_in(browser)["refresh_token"])
                # A change of what is cached already.
                changed = tenant(applications=[{"client_id": "web", "client_secret": "changed"}])
                self.ends(apply(place, changed), 0)
                form = {"grant_type": "refresh_token", "refresh_token": "rt_x"}
                ask = lambda: httpx.post(f"{server.origin}/token", data=form, auth=("web", "changed")).json()["error"]
                eventually(lambda: ask() == "invalid_grant", 2, "the new secret")
                disabled = tenant(applications=[{"client_id": "web", "state": "disabled"}])
                self.ends(apply(place, disabled), 0)
                eventually(lambda: ask() == "invalid_client", 2, "disabling")

    def test_apply_twice_changes_nothing_and_a_dry_run_never(self):
        for engine in ENGINES:
            with self.subTest(engine):
                place, _ = self.running(engine)
                plan = json.loads(self.ends(apply(place, SHOP, "--dry-run", "--json"), 0).stdout)
                self.assertFalse(plan["applied"])
                made = {change["name"] for change in plan["changes"] if change["action"] != "none"}
                self.assertEqual(made, {"web", "partner", "spa", "robot", "alice@example.com"})
                again = json.loads(self.ends(apply(place, SHOP, "--dry-run", "--json"), 0).stdout)
                self.assertEqual(again, plan, "a dry run changes nothing")
                self.assertIn("5 created", self.ends(apply(place, SHOP), 0).stdout)
                report = json.loads(self.ends(apply(place, SHOP, "--json"), 0).stdout)
                self.assertEqual({change["action"] for change in report["changes"]}, {"none"})
                self.assertTrue(report["applied"])
                text = apply(place, tenant(applications=[{"client_id": "web", "name": "Shop"}])).stdout
                self.assertIn("1 changed", text)
                self.assertNotIn("s3cret", text)

    def test_apply_needs_the_root_key_and_says_so(self):
        place, server = self.running("postgres")
        database = ["--database", place.database]
        refused = self.ends(keyward("apply", SHOP, *database), 2)
        for word in ("root key", "--config", "--data", "KEYWARD_ROOT_KEY"):
            self.assertIn(word, refused.stderr)
        refused = self.ends(keyward("apply", SHOP, *database, env={"KEYWARD_ROOT_KEY": "short"}), 2)
        self.assertIn("KEYWARD_ROOT_KEY", refused.stderr)
        refused = keyward("apply", SHOP, *database, env={"KEYWARD_ROOT_KEY": secrets.token_hex(32)})
        self.assertIn(refused.returncode, (1, 2), refused.stdout)
        self.assertIn("root key", refused.stderr.lower())
        self.ends(keyward("apply", SHOP, *database, env={"KEYWARD_ROOT_KEY": place.root_key()}), 0)
        eventually(lambda: Browser(server.origin).get(Application(server.origin).url()).step == "identify", 2)

    def test_apply_with_nobody_running(self):
        for engine in ENGINES:
            with self.subTest(engine):
                place = self.place(engine)
                server = dev(place)
                server.stop()
                self.ends(apply(place, SHOP), 0)
                self.assertFalse((place.data / "control.sock").exists())
                server = dev(place, port=int(server.origin.rsplit(":", 1)[1]))
                self.addCleanup(server.stop)
                self.assertTrue(Application(server.origin).sign_in(Browser(server.origin)))

    def test_several_at_once_wait_for_each_other(self):
        place = self.place()
        dev(place).stop()
        entry = lambda n: tenant(applications=[{"client_id": f"app{n}", "public": True, "redirect_uris": ["http://127.0.0.1:1/"]}])
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for done in pool.map(lambda n: apply(place, entry(n)), range(4)):
                self.ends(done, 0)

    def test_mistakes_in_the_file(self):
        place, server = self.running()
        cases = [
            ({"tenants": [{"slug": "default", "aplications": []}]}, "applications"),
            (tenant(applications=[{"client_id": "x", "client_secret": "y", "redirect_uri": []}]), "redirect_uris"),
            (tenant(applications=[{"client_id": "x", "public": True, "redirect_uris": ["http://a/#f"]}]), "tenants[0].applications[0].redirect_uris[0]"),
            (tenant(users=[{"email": "nobody"}]), "tenants[0].users[0]"),
            ([], ""),
        ]
        for document, word in cases:
            with self.subTest(word):
                refused = self.ends(apply(place, document), 2)
                self.assertIn(word, refused.stderr)
        refused = self.ends(apply(place, cases[0][0], "--json"), 2)
        problem = json.loads(refused.stderr.splitlines()[0])
        self.assertIn("applications", problem["error"])
        self.assertEqual(problem["path"], "tenants[0].aplications")
        path = place.data / "broken.yaml"
        path.write_text("tenants: [")
        self.ends(apply(place, path), 2)
        self.ends(apply(place, place.data / "missing.yaml"), 2)
        refused = self.ends(apply(place, "/dev/zero"), 2)
        self.assertIn("/dev/zero holds more than 64 MiB", refused.stderr)
        # One mistake, and nothing of the file is done.
        mixed = tenant(applications=[
            {"client_id": "good", "public": True, "redirect_uris": ["http://127.0.0.1:1/"]}, {"client_id": "bad"},
        ])
        self.ends(apply(place, mixed), 2)
        page = Browser(server.origin).get(Application(server.origin, "good", redirect_uri="http://127.0.0.1:1/").url())
        self.assertIn("client-unknown", page.text)

    def test_a_password_counts_at_creation_only_and_the_rest_is_left_alone(self):
        place, server = self.running()
        self.ends(apply(place, SHOP), 0)
        web, browser = Application(server.origin), Browser(server.origin)
        again = tenant(users=[{"email": "alice@example.com", "password": "something else", "claims": {"nickname": "Al"}}])
        self.ends(apply(place, again), 0)
        token = web.sign_in(browser, password=PASSWORD)
        person = web.userinfo(token["access_token"]).json()
        self.assertEqual((person["name"], person["nickname"]), ("Alice Example", "Al"))

    def test_config_check(self):
        place, port = self.place(), free_port()
        good = configuration(place, port)
        self.assertIn("good", self.ends(keyward("config", "check", "--config", good), 0).stdout)
        cases = [
            ({"server": {"issuer": "http://id.example.com"}}, "server.issuer", "https://id.example.com"),
            ({"server": {"listen": "0.0.0.0:8443"}}, "server.listen", "server.tls_cert"),
            ({"server": {"listen": "0.0.0.0:8443", "proxies": ["0.0.0.0/0"]}}, "server.proxies", "proxy"),
            ({"server": {"metrics_listen": "0.0.0.0:9090"}}, "server.metrics_listen", "metrics_token"),
            ({"database": {"url": "sqlite:/run/x.db"}}, "database.url", "/var/lib"),
            ({"mail": {"host": "smtp.example.com"}}, "mail.security", "starttls"),
            ({"mail": {"host": ""}}, "mail.host", "SMTP"),
            ({"secrets": {"root_key_file": None}}, "secrets.root_key", "root_key_file"),
            ({"server": {"lissen": "x"}}, "lissen", "listen"),
        ]
        for sections, option, fix in cases:
            with self.subTest(option, **sections):
                path = configuration(place, port, **sections)
                checked = self.ends(keyward("config", "check", "--config", path), 2)
                said = checked.stdout + checked.stderr
                self.assertIn(option, said)
                self.assertIn(fix, said)
                refused = self.ends(keyward("serve", "--config", path), 2)
                self.assertIn(option, refused.stderr)
                self.assertIn(fix, refused.stderr)
        report = keyward("config", "check", "--json", "--config", configuration(place, port, mail={"host": ""}))
        self.assertEqual(json.loads(report.stdout)["problems"][0]["option"], "mail.host")
        (place.data / "root.key").chmod(0o644)
        said = self.ends(keyward("config", "check", "--config", configuration(place, port)), 2)
        self.assertIn("chmod 600", said.stdout + said.stderr)

    def test_migrate(self):
        for engine in ENGINES:
            with self.subTest(engine):
                place = self.place(engine)
                planned = self.ends(keyward("migrate", "--dry-run", *place.where()), 0)
                self.assertIn("CREATE TABLE", planned.stdout)
                again = self.ends(keyward("migrate", "--dry-run", *place.where()), 0)
                self.assertEqual(planned.stdout, again.stdout, "a dry run changes nothing")
                self.ends(keyward("migrate", *place.where()), 0)
                self.assertIn("up to date", self.ends(keyward("migrate", "--dry-run", *place.where()), 0).stdout)
                self.assertEqual(json.loads(keyward("migrate", "--json", *place.where()).stdout), {"steps": 0})

    def test_a_second_server_is_refused(self):
        place, server = self.running()
        second = self.ends(keyward("dev", "--listen", f"127.0.0.1:{free_port()}", *place.where()), 1)
        self.assertIn("Another server", second.stderr)
        port = server.origin.rsplit(":", 1)[1]
        taken = self.ends(keyward("dev", "--listen", f"127.0.0.1:{port}", "--data", self.place().data), 1)
        self.assertIn("address", taken.stderr)
        self.assertEqual(server.get("/health/ready").status_code, 200)

    def test_dev_behind_a_proxy_has_the_address_that_it_was_told(self):
        place = self.place()
        for issuer in ("https://id.example.com", "https://other.example.com"):
            server = dev(place, issuer=issuer)
            metadata = server.get("/.well-known/openid-configuration").json()
            self.assertEqual((metadata["issuer"], metadata["token_endpoint"]), (issuer, f"{issuer}/token"))
            answer = server.get("/signin", headers={"host": issuer.removeprefix("https://")})
            cookies = [line for name, line in answer.headers.multi_items() if name == "set-cookie"]
            self.assertTrue(cookies and all(line.startswith("__Host-") for line in cookies), cookies)
            server.stop()
        self.ends(keyward("dev", "--issuer", "https://id.example.com/path", *place.where()), 2)

    def test_from_start_to_ready(self):
        for engine in ENGINES:
            place = self.place(engine)
            first = dev(place)
            first.stop()
            again = dev(place)
            again.stop()
            print(f"\nready on {engine}: first start {first.ready_after:.2f} s, then {again.ready_after:.2f} s")


if __name__ == "__main__":
    unittest.main()
