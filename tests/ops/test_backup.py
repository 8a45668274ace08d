"""Backup beside a running server under load, restore, and what does not come back."""

import json
import pathlib
import shutil
import sqlite3
import threading
import unittest

from harness import PASSWORD, Application, Browser, Place, apply, dev, eventually, keyward, shop


class Backup(unittest.TestCase):
    def setUp(self):
        self.place = Place()
        self.addCleanup(self.place.remove)
        self.server = dev(self.place)
        self.addCleanup(self.server.kill)
        shop(self.place)

    def users(self, place, *emails):
        users = [{"email": email, "email_verified": True, "password": PASSWORD} for email in emails]
        done = apply(place, {"tenants": [{"slug": "default", "users": users}]})
        self.assertEqual(done.returncode, 0, done.stderr)

    def browser(self, server):
        browser = Browser(server.origin)
        self.addCleanup(browser.close)
        return browser

    def backup(self, name="copy"):
        folder = self.place.data.parent / f"{self.place.data.name}-{name}"
        self.addCleanup(shutil.rmtree, folder, True)
        return folder, keyward("backup", folder, *self.place.where(), "--json")

    def elsewhere(self, key=True):
        other = Place()
        self.addCleanup(other.remove)
        if key:
            shutil.copy(self.place.data / "root.key", other.data / "root.key")
        return other

    def test_a_backup_under_load_is_put_back_and_nothing_that_ended_lives_on(self):
        self.users(self.place, "gone@example.com", "stays@example.com")
        web = Application(self.server.origin)
        before = web.sign_in(self.browser(self.server), scope="openid email offline_access")
        machine = Application(self.server.origin).token(grant_type="client_credentials")
        kept_session = self.browser(self.server)
        Application(self.server.origin).sign_in(kept_session, "stays@example.com")

        ends, made, failed = threading.Event(), [], []

        def load(number):
            while not ends.is_set():
                try:
                    email = f"load{number}-{len(made)}@example.com"
                    self.users(self.place, email)
                    made.append(email)
                except AssertionError as error:
                    failed.append(error)

        threads = [threading.Thread(target=load, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        try:
            eventually(lambda: len(made) > 3, what="load")
            known = list(made)
            folder, done = self.backup()
        finally:
            ends.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failed, [])
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        manifest = told["manifest"]
        self.assertEqual(told["people"], manifest["rows"]["person"])
        self.assertGreaterEqual(manifest["rows"]["person"], len(known) + 3)
        self.assertEqual(sorted(path.name for path in folder.iterdir()), ["keyward.db", "manifest.json"])
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)
        key = bytes.fromhex(self.place.root_key())
        for path in folder.iterdir():
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)
            self.assertNotIn(key, path.read_bytes())
            self.assertNotIn(key.hex().encode(), path.read_bytes())

        # Since then one person was deleted and one token revoked.
        users = json.loads(keyward("user", "list", "email=gone@example.com", *self.place.where(), "--json").stdout)
        gone = (users.get("items") or users.get("users") or users.get("data"))[0]["id"]
        done = keyward("user", "delete", gone, *self.place.where())
        self.assertEqual(done.returncode, 0, done.stderr)
        erased = self.place.data / "keyward.db.erased"
        eventually(lambda: erased.exists() and gone in erased.read_text(), what="the erasure list")
        told = json.loads(self.backup("later")[1].stdout)
        self.assertEqual(told["people"], told["manifest"]["rows"]["person"] - 1, "who is deleted is not counted")
        answer = self.server.post("/revoke", data={"token": before["refresh_token"], "client_id": "web", "client_secret": "s3cret"})
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(self.server.stop(), 0)

        # Nothing is written over; without the list nothing is put back.
        self.assertEqual(keyward("restore", folder, *self.place.where()).returncode, 1)
        other = self.elsewhere()
        refused = keyward("restore", folder, *other.where())
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--no-erasure-list", refused.stderr)
        done = keyward("restore", folder, *other.where(), "--erasure-list", erased, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["deleted_again"], 1)
        self.assertEqual([path.name for path in other.data.iterdir() if path.name.startswith(".")], [])

        port = int(self.server.origin.rsplit(":", 1)[1])
        server = dev(other, port=port)
        self.addCleanup(server.kill)
        self.assertIn(gone, (other.data / "keyward.db.erased").read_text())
        # Everybody who was acknowledged before the backup is there, and signs in.
        for email in ["alice@example.com", "stays@example.com", *known]:
            Application(server.origin).sign_in(self.browser(server), email)
        page = self.browser(server)
        page = page.sign_in(page.get(Application(server.origin).url()), "gone@example.com")
        self.assertEqual(page.status, 422, "who was deleted does not come back")
        # What was issued before is dead: tokens, sessions, machines' tokens.
        self.assertEqual(web.refresh(before["refresh_token"]).json()["error"], "invalid_grant")
        self.assertEqual(web.userinfo(before["access_token"]).status_code, 401)
        self.assertEqual(kept_session.get(Application(server.origin).url()).step, "identify")
        if machine.status_code == 200:
            form = {"token": machine.json()["access_token"], "client_id": "web", "client_secret": "s3cret"}
            self.assertFalse(server.post("/introspect", data=form).json()["active"])
        self.assertEqual(keyward("audit", "verify", *other.where()).returncode, 0)
        self.assertEqual(server.stop(), 0)

    def test_a_copy_that_was_changed_and_a_foreign_root_key_are_refused(self):
        folder, done = self.backup()
        self.assertEqual(done.returncode, 0, done.stderr)
        again = keyward("backup", folder, *self.place.where())
        self.assertEqual(again.returncode, 2, "a folder that is there")
        self.assertEqual(keyward("restore", folder, "--dry-run").returncode, 0)
        stranger = self.elsewhere(key=False)
        (stranger.data / "root.key").write_text("ab" * 31 + "cd\n")
        refused = keyward("restore", folder, *stranger.where(), "--no-erasure-list")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("root key", refused.stderr)
        copy = folder / "keyward.db"
        content = bytearray(copy.read_bytes())
        content[len(content) // 2] ^= 1
        copy.write_bytes(content)
        for more in (["--dry-run"], [*self.elsewhere().where(), "--no-erasure-list"]):
            refused = keyward("restore", folder, *more)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("checksum", refused.stderr)
        self.assertFalse((stranger.data / "keyward.db").exists())

    def test_a_full_list_of_refusals_leaves_the_server_alone(self):
        refused = keyward("restore", "--in-place", *self.place.where(), "--no-erasure-list")
        self.assertEqual(refused.returncode, 1, "a server works on it")
        self.assertIn("Stop it first", refused.stderr)
        with sqlite3.connect(f"file:{self.place.data / 'keyward.db'}?mode=ro", uri=True) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM server WHERE name = 'valid-from'").fetchone()[0], 0)


class Postgres(unittest.TestCase):
    def test_what_is_owed_is_done_in_place(self):
        place = Place("postgres")
        self.addCleanup(place.remove)
        server = dev(place)
        self.addCleanup(server.kill)
        shop(place)
        web = Application(server.origin)
        browser = Browser(server.origin)
        self.addCleanup(browser.close)
        token = web.sign_in(browser)
        refused = keyward("backup", pathlib.Path(place.data) / "copy", *place.where())
        self.assertEqual(refused.returncode, 2)
        self.assertIn("pg_basebackup", refused.stderr)
        port = int(server.origin.rsplit(":", 1)[1])
        self.assertEqual(server.stop(), 0)
        done = keyward("restore", "--in-place", *place.where(), "--no-erasure-list")
        self.assertEqual(done.returncode, 0, done.stderr)
        server = dev(place, port=port)
        self.addCleanup(server.kill)
        self.assertEqual(web.userinfo(token["access_token"]).status_code, 401)
        fresh = Browser(server.origin)
        self.addCleanup(fresh.close)
        web.sign_in(fresh)
        self.assertEqual(server.stop(), 0)
