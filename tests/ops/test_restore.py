"""Attacks on `keyward restore`: backups that were cut off, changed, made of links, sealed with another
key or made by a newer program; targets that hold something; kills in the middle. Each ends with a
sentence, and what was there is as it was."""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import time
import unittest

from harness import PASSWORD, PROGRAM, Application, Browser, Place, apply, configuration, dev, free_port
from harness import keyward, shop

GONE = "gone@example.com"
ENDED = "did not come to its end"


def snapshot(folder):
    """Every entry below, with mode and content. The lock of a database says nothing."""
    entries = {}
    for path in sorted(folder.rglob("*")):
        if not path.name.endswith(".lock"):
            content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
            entries[str(path.relative_to(folder))] = (path.lstat().st_mode, content)
    return entries


def seal(folder, **changes):
    """Writes the manifest anew as a program would that made this copy."""
    manifest = json.loads((folder / "manifest.json").read_text())
    copy = (folder / "keyward.db").read_bytes()
    manifest |= {"bytes": len(copy), "sha256": hashlib.sha256(copy).hexdigest(), "seal": ""} | changes
    text = lambda: json.dumps(manifest, indent=2, ensure_ascii=False)
    manifest["seal"] = hashlib.sha256(text().encode()).hexdigest()
    (folder / "manifest.json").write_text(text())


class Stand(unittest.TestCase):
    """A backup with a person in it who was deleted since."""

    @classmethod
    def setUpClass(cls):
        cls.source = Place()
        cls.addClassCleanup(cls.source.remove)
        server = dev(cls.source)
        cls.addClassCleanup(server.kill)
        shop(cls.source)
        users = [{"email": GONE, "email_verified": True, "password": PASSWORD}]
        assert apply(cls.source, {"tenants": [{"slug": "default", "users": users}]}).returncode == 0
        cls.folder = cls.source.data / "backup"
        done = keyward("backup", cls.folder, *cls.source.where())
        assert done.returncode == 0, done.stderr
        found = json.loads(keyward("user", "show", GONE, *cls.source.where(), "--json").stdout)
        tenant = json.loads(keyward("tenant", "show", "default", *cls.source.where(), "--json").stdout)
        cls.erased = cls.source.data / "erased"
        cls.erased.write_text(f"1 {tenant['id']} {found['id']}\n")
        cls.port = int(server.origin.rsplit(":", 1)[1])
        server.stop()

    def target(self, key=None):
        place = Place()
        self.addCleanup(place.remove)
        file = place.data / "root.key"
        file.touch(0o600)
        file.write_text((key or self.source.root_key()) + "\n")
        return place

    def copy(self):
        folder = self.target().data / "backup"
        shutil.copytree(self.folder, folder)
        return folder

    def restore(self, folder, place, *more):
        return keyward("restore", folder, *place.where(), *(more or ["--erasure-list", self.erased]))

    def whole(self, place):
        """The database of the target is there, opens, and holds whom it must and nobody else."""
        server = dev(place, port=self.port)
        self.addCleanup(server.kill)
        browser = Browser(server.origin)
        self.addCleanup(browser.close)
        self.assertTrue(Application(server.origin).sign_in(browser))
        fresh = Browser(server.origin)
        self.addCleanup(fresh.close)
        page = fresh.sign_in(fresh.get(Application(server.origin).url()), GONE)
        self.assertEqual(page.status, 422, "who was deleted does not come back")
        self.assertEqual(server.stop(), 0)
        self.assertEqual(keyward("audit", "verify", *place.where()).returncode, 0)


class Attacks(Stand):
    def refused(self, folder, words, place=None, code=1, dry=True):
        """Refused with these words; neither the backup nor the target is another afterwards."""
        place = place or self.target()
        before = snapshot(folder), snapshot(place.data)
        commands = [[*place.where(), "--no-erasure-list"], *([["--dry-run"]] if dry else [])]
        for more in commands:
            done = keyward("restore", folder, *more)
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
            self.assertEqual(done.stdout, "")
            self.assertIn(words, done.stderr)
            self.assertTrue(done.stderr.strip().endswith("."), done.stderr)
            self.assertNotIn("panicked", done.stderr)
        self.assertEqual((snapshot(folder), snapshot(place.data)), before)

    def test_a_file_that_was_cut_off(self):
        size = (self.folder / "keyward.db").stat().st_size
        for name, lengths in (("keyward.db", (0, 1, 4096, size // 2, size - 1)), ("manifest.json", (0, 1, 40, 200))):
            for length in lengths:
                with self.subTest(name, length=length):
                    folder = self.copy()
                    os.truncate(folder / name, length)
                    self.refused(folder, "is no whole backup")
        for name in ("keyward.db", "manifest.json"):
            folder = self.copy()
            (folder / name).unlink()
            self.refused(folder, "is no whole backup")
        self.refused(self.copy() / "nothing", "is no whole backup")

    def test_a_file_of_another_length_is_refused_before_it_is_read(self):
        size = (self.folder / "keyward.db").stat().st_size
        # The longest has no room on a usual disk, and reading it would take minutes.
        for length in (size - 1, size + 1, 1 << 40):
            with self.subTest(length=length):
                folder, place = self.copy(), self.target()
                os.truncate(folder / "keyward.db", length)
                for more in ([*place.where(), "--no-erasure-list"], ["--dry-run"]):
                    done = keyward("restore", folder, *more)
                    self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                    self.assertIn(f"is no whole backup: keyward.db has {length} bytes", done.stderr)
                self.assertFalse((place.data / "keyward.db").exists())

    def test_a_byte_that_flipped(self):
        chance = random.Random(7)
        for name in ("keyward.db", "manifest.json"):
            content = (self.folder / name).read_bytes()
            places = {0, 18, 100, len(content) // 2, len(content) - 1} | {chance.randrange(len(content)) for _ in range(20)}
            folder = self.copy()
            for place in sorted(places):
                with self.subTest(name, place=place):
                    changed = bytearray(content)
                    changed[place] ^= 1 << chance.randrange(8)
                    (folder / name).write_bytes(changed)
                    # A flip in the form reads like a newer program, one in the key's id like another key: each is refused.
                    done = self.restore(folder, self.target())
                    self.assertIn(done.returncode, (1, 2), done.stdout)
                    self.assertIn("is no whole backup", done.stderr)

    def test_a_manifest_that_was_written_by_hand(self):
        folder = self.copy()
        manifest = json.loads((folder / "manifest.json").read_text())
        for changes in ({"made_at": "2020-01-01T00:00:00Z"}, {"rows": {}}, {"root_key": None}, {"more": 1}):
            with self.subTest(**changes):
                (folder / "manifest.json").write_text(json.dumps(manifest | changes, indent=2))
                self.refused(folder, "is no whole backup")
        # Well made, but not of this copy.
        folder = self.copy()
        seal(folder, rows=manifest["rows"] | {"person": 99})
        self.refused(folder, "does not hold what the manifest says", dry=False)

    def test_another_root_key(self):
        self.refused(self.folder, "root key given is not the one", self.target("ab" * 31 + "cd"), code=2, dry=False)
        # One whose manifest hides it.
        folder = self.copy()
        seal(folder, root_key=None)
        self.refused(folder, "root key", self.target("ab" * 31 + "cd"), code=2, dry=False)
        place = self.target()
        (place.data / "root.key").unlink()
        self.refused(self.folder, "There is no root key", place, code=2, dry=False)

    def test_links_pipes_and_folders_in_place_of_files(self):
        for name in ("keyward.db", "manifest.json"):
            for make in (
                lambda path: path.symlink_to(self.folder / path.name),
                lambda path: path.symlink_to(pathlib.Path("..") / "root.key"),
                lambda path: path.symlink_to("/dev/zero"),
                lambda path: path.symlink_to("/nowhere/at/all"),
                lambda path: os.mkfifo(path, 0o600),
                lambda path: path.mkdir(),
            ):
                with self.subTest(name):
                    folder = self.copy()
                    (folder / name).unlink()
                    make(folder / name)
                    self.refused(folder, "is no whole backup")

    def test_what_lies_beside_is_left_there(self):
        folder, place = self.copy(), self.target()
        for name in ("keyward.db-wal", "keyward.db-journal", "keyward.db.erased", "root.key", ".profile"):
            (folder / name).write_text("hostile")
        before = snapshot(folder)
        done = self.restore(folder, place)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(snapshot(folder), before)
        made = {path.name for path in place.data.iterdir()}
        self.assertEqual(made, {"root.key", "keyward.db", "keyward.db.erased", "keyward.db.lock"})
        self.whole(place)

    def test_a_target_that_holds_something(self):
        for name in ("keyward.db", "keyward.db-wal", "keyward.db-journal"):
            for make in (
                lambda path: path.write_text("mine"),
                lambda path: path.write_text(""),
                lambda path: path.symlink_to("/nowhere/at/all"),
                lambda path: path.mkdir(),
            ):
                with self.subTest(name):
                    place = self.target()
                    make(place.data / name)
                    self.refused(self.folder, "is there already", place, dry=False)
        place = self.target()
        self.assertEqual(self.restore(self.folder, place).returncode, 0)
        self.refused(self.folder, "is there already", place, dry=False)
        shutil.rmtree(place.data)
        done = self.restore(self.folder, place, "--no-erasure-list")
        self.assertNotEqual(done.returncode, 0)
        self.assertFalse(place.data.exists())

    def test_a_target_whose_folder_is_missing(self):
        place = self.target()
        folder = place.data / "missing"
        database = ["--database", f"sqlite:{folder}/keyward.db"]
        key = {"KEYWARD_ROOT_KEY": place.root_key()}
        document = place.data / "apply.yaml"
        document.write_text(json.dumps({"tenants": [{"slug": "default"}]}))
        path = configuration(place, self.port, database={"url": f"sqlite:{folder}/keyward.db"})
        for command in (
            ["restore", self.folder, *database, "--no-erasure-list"],
            ["migrate", *database],
            ["serve", "--config", path],
            ["apply", document, *database],
            ["user", "list", *database],
        ):
            with self.subTest(command[0]):
                done = keyward(*command, env=key)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn(f"The folder {folder} of the database does not exist. Make it", done.stderr)
                self.assertIn(f"install -d -m 0700 -o keyward {folder}", done.stderr)
                self.assertFalse(folder.exists())
        done = keyward("config", "check", "--config", path)
        self.assertIn(f"the folder {folder} does not exist", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_target_with_a_running_server(self):
        place = self.target()
        server = dev(place)
        self.addCleanup(server.kill)
        shop(place)
        done = self.restore(self.folder, place)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("Stop it first", done.stderr)
        # Its database was moved away under it, at last with the lock: the server still works on it.
        away = place.data / "away"
        away.mkdir()
        for left in (".lock", "-no-more"):
            for file in list(place.data.glob("keyward.db*")):
                if not file.name.endswith(left):
                    file.rename(away / file.name)
            done = self.restore(self.folder, place)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("Stop it first", done.stderr)
            self.assertFalse((place.data / "keyward.db").exists())
        for file in list(away.iterdir()):
            file.rename(place.data / file.name)
        browser = Browser(server.origin)
        self.addCleanup(browser.close)
        self.assertTrue(Application(server.origin).sign_in(browser))

    def test_a_backup_of_a_newer_program(self):
        folder = self.copy()
        with sqlite3.connect(folder / "keyward.db") as db:
            db.execute("INSERT INTO migration (id, step, checksum) VALUES ('29990101_later', 1, zeroblob(32))")
        db.close()
        rows = json.loads((folder / "manifest.json").read_text())["rows"]
        seal(folder, rows=rows | {"migration": rows["migration"] + 1})
        self.assertEqual(sorted(path.name for path in folder.iterdir()), ["keyward.db", "manifest.json"])
        self.refused(folder, "made by a newer program", dry=False)
        folder = self.copy()
        seal(folder, format=2, rows_by_tenant={})
        self.refused(folder, "use the newer program")

    def test_a_list_that_cannot_be_read(self):
        place = self.target()
        wrong = place.data / "list"
        wrong.write_text("1 nonsense\n")
        before = snapshot(place.data)
        for path in (wrong, place.data / "missing"):
            done = self.restore(self.folder, place, "--erasure-list", path)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("erasure list", done.stderr)
        self.assertEqual(snapshot(place.data), before)


class Killed(Stand):
    """SIGKILL in the middle: what is there then is whole, or nobody works with it."""

    def kill_when(self, moment, *arguments):
        """Kills the command as soon as it came so far, or finds it ended."""
        process = subprocess.Popen(
            [PROGRAM, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={k: v for k, v in os.environ.items() if not k.startswith("KEYWARD_")},
        )
        end = time.monotonic() + 60
        while process.poll() is None and not moment():
            self.assertLess(time.monotonic(), end, "it did not come so far")
        process.kill()
        return process.wait()

    def nobody_works_with_it(self, place):
        before = snapshot(place.data)
        path = configuration(place, self.port)
        config = place.data / "keyward.toml"
        for command in (
            ["dev", "--listen", f"127.0.0.1:{free_port()}", *place.where()],
            ["serve", "--config", path],
            ["apply", self.source.data / "apply.yaml", *place.where()],
            ["user", "list", *place.where()],
        ):
            done = keyward(*command)
            self.assertEqual(done.returncode, 1, (command, done.stdout, done.stderr))
            self.assertIn(ENDED, done.stderr)
            self.assertIn("keyward restore", done.stderr)
        config.unlink()
        return before

    def test_killed_while_it_is_put_back(self):
        (self.source.data / "apply.yaml").write_text(json.dumps({"tenants": [{"slug": "default"}]}))
        size = (self.folder / "keyward.db").stat().st_size
        stages = {
            "the folder": lambda data: (data / ".keyward.db.restore").exists(),
            "the copy": lambda data: (data / ".keyward.db.restore/keyward.db").exists(),
            "all of it": lambda data: (data / ".keyward.db.restore/keyward.db").stat().st_size == size,
            "its log": lambda data: (data / ".keyward.db.restore/keyward.db-wal").exists(),
            "the list": lambda data: (data / "keyward.db.erased").exists(),
            "its name": lambda data: (data / "keyward.db").exists(),
        }
        half_done = 0
        for name, stage in stages.items():
            with self.subTest(name):
                place = self.target()

                def moment():
                    try:
                        return stage(place.data)
                    except OSError:
                        return False

                self.kill_when(moment, "restore", self.folder, *place.where(), "--erasure-list", self.erased)
                file = place.data / "keyward.db"
                if not file.exists():
                    self.assertTrue((place.data / ".keyward.db.restore").exists())
                    half_done += 1
                    before = self.nobody_works_with_it(place)
                    self.assertEqual(keyward("migrate", *place.where()).returncode, 1)
                    self.assertEqual(snapshot(place.data), before, "nothing was made in its place")
                    done = self.restore(self.folder, place)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertFalse((place.data / ".keyward.db.restore").exists())
                self.whole(place)
        self.assertGreaterEqual(half_done, 2)

    def test_killed_while_it_is_mended_in_place(self):
        place = self.target()
        self.assertEqual(self.restore(self.folder, place, "--no-erasure-list").returncode, 0)
        users = [{"email": f"u{number}@example.com"} for number in range(300)]
        done = apply(place, {"tenants": [{"slug": "default", "users": users}]})
        self.assertEqual(done.returncode, 0, done.stderr)
        tenant = self.erased.read_text().split()[1]
        people, cursor = [], []
        while cursor is not None:
            page = json.loads(keyward("user", "list", "limit=200", *cursor, *place.where(), "--json").stdout)
            people += [user["id"] for user in page["items"]]
            cursor = [f"cursor={page['next']}"] if page["next"] else None
        alice = json.loads(keyward("user", "show", "alice@example.com", *place.where(), "--json").stdout)["id"]
        people.remove(alice)
        self.assertGreaterEqual(len(people), 300)
        erased = place.data / "list"
        erased.write_text("".join(f"1 {tenant} {person}\n" for person in people))
        command = ["restore", "--in-place", *place.where(), "--erasure-list", erased]

        def one(sql):
            # Anew each time: reading the file elsewhere in this process would drop SQLite's locks.
            with contextlib.closing(sqlite3.connect(f"file:{place.data / 'keyward.db'}?mode=ro", uri=True)) as db:
                return db.execute(sql).fetchone()[0]

        begun = lambda: one("SELECT count(*) FROM server WHERE name = 'restore'") == 1
        left = lambda: one("SELECT count(*) FROM person WHERE state <> 'deleted'")
        self.assertFalse(begun())
        everybody = left()
        self.assertEqual(self.kill_when(lambda: begun() and left() < everybody, *command), -9, "it was too fast")
        self.assertTrue(begun())
        (self.source.data / "apply.yaml").write_text(json.dumps({"tenants": [{"slug": "default"}]}))
        self.nobody_works_with_it(place)
        self.assertTrue(begun())
        done = keyward(*command)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(begun())
        self.assertEqual(left(), 1, "all but Alice")
        self.whole(place)


if __name__ == "__main__":
    unittest.main()
