"""`keyward doctor` where something is broken: the line that says so, what to do about it, and the exit
status. Around it all is sound, so that the status tells of nothing else."""

import contextlib
import datetime
import http.server
import ipaddress
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness import POSTGRES, PROGRAM, Place, apply, configuration, dev, eventually, free_port, keyward, serve

DAY = datetime.timedelta(days=1)
MARKS = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}


class Listener:
    """Says something to whoever connects."""

    def __init__(self, says, port=0):
        self.says, self.socket = says, socket.create_server(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            if callable(self.says):
                self.says(connection)
            else:
                connection.sendall(self.says)
                connection.recv(4096)

    def close(self):
        self.socket.close()


def wrong_password(connection):
    """As PostgreSQL answers one (its manual, 53.7): asks for the password, and refuses it."""
    fields = b"SFATAL\0C28P01\0Mpassword authentication failed for user \"keyward\"\0\0"
    message = lambda kind, body: kind + (len(body) + 4).to_bytes(4, "big") + body
    connection.recv(4096)
    connection.sendall(message(b"R", (3).to_bytes(4, "big")))
    connection.recv(4096)
    connection.sendall(message(b"E", fields))


def website(port):
    """A program of others that speaks HTTP on this port."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"<html>It works!</html>"
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def certificate(folder, begins=-DAY, ends=30 * DAY):
    """A certificate of 127.0.0.1, good for this time, and its key, in server.tls_cert and tls_key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "keyward")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now + begins).not_valid_after(now + ends)
        .add_extension(names, False).sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for file, content in ((folder / "tls.pem", made.public_bytes(encoding)), (folder / "tls.key", private)):
        file.touch(0o600)
        file.write_bytes(content)
    return {"tls_cert": str(folder / "tls.pem"), "tls_key": str(folder / "tls.key")}


class Doctor(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.place = Place()
        self.addCleanup(self.place.remove)
        self.mail = Listener(b"220 hello\r\n")
        self.addCleanup(self.mail.close)
        self.port = free_port()
        self.write()

    def write(self, **sections):
        sections["mail"] = {"port": self.mail.port} | sections.get("mail", {})
        self.config = configuration(self.place, self.port, **sections)

    def serve(self, **sections):
        sections["mail"] = {"port": self.mail.port} | sections.get("mail", {})
        server = serve(self.place, self.port, **sections)
        self.addCleanup(server.kill)
        return server

    def made(self):
        """With a database that a server has left."""
        self.assertEqual(self.serve().stop(), 0)

    def finds(self, check, state, what, fix="", code=None, run=keyward, more=()):
        """The doctor has a line with this state and these words, and ends accordingly: with nothing
        else wrong, 1 only for an error."""
        code = code if code is not None else int(state == "error")
        done = run("doctor", "--config", self.config, *more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        lines = done.stdout.splitlines()
        heads = [n for n, line in enumerate(lines) if line.startswith(f"{MARKS[state]} {check}:") and what in line]
        self.assertEqual(len(heads), 1, f"{check} {state} {what}\n{done.stdout}")
        if fix:
            self.assertTrue(lines[heads[0] + 1].startswith("        -> "), done.stdout)
            self.assertIn(fix, lines[heads[0] + 1])
        self.assertNotIn("panicked", done.stderr)
        if code == 1:
            self.assertRegex(done.stderr, r"^(One thing is|\d+ things are) wrong\.\n$")
        return done

    def test_all_is_sound(self):
        self.finds("database", "warning", "there is none", "at its first start")
        self.made()
        self.finds("database", "ok", "SQLite")
        self.finds("folder", "ok", "can be written")
        self.serve()
        self.finds("listen", "ok", f"this server has 127.0.0.1:{self.port}")
        done = self.finds("issuer", "ok", "leads to this server")
        # Programs read the same.
        report = json.loads(keyward("doctor", "--config", self.config, "--json").stdout)
        lines = [f"{MARKS[finding['state']]} {finding['check']}:" for finding in report["findings"]]
        said = [line for line in done.stdout.split("\n\n")[0].splitlines() if not line.startswith(" ")]
        self.assertEqual([line.split(":")[0] + ":" for line in said], lines)

    def test_the_file_is_no_database(self):
        file = self.place.data / "keyward.db"
        file.touch(0o600)
        file.write_text("-- a dump of something else\n")
        self.finds("database", "error", "is no database", "keyward restore")
        self.assertEqual(file.read_text(), "-- a dump of something else\n")

    def test_a_database_whose_pages_are_broken(self):
        self.made()
        file = self.place.data / "keyward.db"
        with open(file, "r+b") as content:
            content.seek(100)
            content.write(b"\xff" * 4000)
        self.finds("database", "error", "cannot be used", "keyward restore")

    def test_the_folder_cannot_be_written(self):
        self.made()
        self.addCleanup(self.place.data.chmod, 0o700)
        self.place.data.chmod(0o500)

        def unprivileged(*arguments):
            if os.geteuid() != 0:
                return keyward(*arguments)
            if not shutil.which("setpriv"):
                self.skipTest("root writes everywhere, and there is no setpriv to take that away")
            less = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
            return subprocess.run([*less, PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60)

        self.finds("folder", "error", "cannot write in", "chown", run=unprivileged)
        self.place.data.chmod(0o700)
        (self.place.data / "keyward.db").chmod(0o400)
        self.finds("folder", "error", "cannot write", "chown", run=unprivileged)

    def test_the_folder_is_missing(self):
        self.write(database={"url": f"sqlite:{self.place.data}/missing/keyward.db"})
        done = keyward("doctor", "--config", self.config)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, r"ERROR   folder: .*missing")

    def test_postgresql_is_down(self):
        port = free_port()
        self.write(database={"url": f"postgres://keyward:hunter2@127.0.0.1:{port}/keyward"})
        done = self.finds("database", "error", "cannot be used", "see that PostgreSQL runs there")
        self.assertIn(f"postgres://keyward@127.0.0.1:{port}/keyward", done.stdout)
        self.assertNotIn("hunter2", done.stdout)

    def test_postgresql_refuses_the_password(self):
        refusing = Listener(wrong_password)
        self.addCleanup(refusing.close)
        self.write(database={"url": f"postgres://keyward:hunter2@127.0.0.1:{refusing.port}/keyward"})
        done = self.finds("database", "error", "password authentication failed", "user, password and pg_hba.conf")
        self.assertNotIn("hunter2", done.stdout)

    @unittest.skipUnless(POSTGRES, "KEYWARD_TEST_POSTGRES names no server")
    def test_postgresql_has_no_such_database(self):
        self.write(database={"url": POSTGRES.rsplit("/", 1)[0] + "/nowhere_at_all"})
        self.finds("database", "error", "does not exist", "PostgreSQL")

    def test_another_program_has_the_port(self):
        other = website(self.port)
        self.addCleanup(other.server_close)
        self.addCleanup(other.shutdown)
        done = keyward("doctor", "--config", self.config)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(f"ERROR   listen: 127.0.0.1:{self.port} is taken by a program that is not Keyward: it answers", done.stdout)
        self.assertIn("-> stop what listens there", done.stdout)
        # Its website is what people would find at the issuer, too.
        self.assertIn("ERROR   issuer:", done.stdout)

    def test_a_program_of_another_kind_has_the_port(self):
        for says in (b"SSH-2.0-OpenSSH_9.9\r\n", b"", lambda connection: connection.recv(1 << 20) and connection.recv(1)):
            other = Listener(says)
            self.addCleanup(other.close)
            self.port = other.port
            self.write()
            self.finds("listen", "error", "is taken by a program that does not answer as Keyward does", "stop what listens there")
            other.close()

    def test_another_keyward_has_the_port(self):
        other = Place()
        self.addCleanup(other.remove)
        server = dev(other, issuer="https://id.example.com")
        self.addCleanup(server.kill)
        self.port = int(server.origin.rsplit(":", 1)[1])
        self.write()
        done = keyward("doctor", "--config", self.config)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, "ERROR   listen: .* calls itself https://id.example.com, and server.issuer is http://127")

    def test_the_address_of_metrics(self):
        own = f"127.0.0.1:{free_port()}"
        self.serve(server={"metrics_listen": own})
        self.finds("metrics-listen", "ok", "a Keyward has")
        other = website(free_port())
        self.addCleanup(other.server_close)
        self.addCleanup(other.shutdown)
        self.write(server={"metrics_listen": f"127.0.0.1:{other.server_address[1]}"})
        self.finds("metrics-listen", "error", "is not Keyward", "stop what listens there")

    def test_a_newer_program_has_used_the_database(self):
        self.made()
        with contextlib.closing(sqlite3.connect(self.place.data / "keyward.db")) as db, db:
            db.execute("INSERT INTO migration (id, step, checksum) VALUES ('29990101_later', 1, zeroblob(32))")
        self.finds("migrations", "warning", "a newer program, which made 29990101_later", "use that version")

    def test_the_root_key_is_of_another_installation(self):
        self.made()
        (self.place.data / "root.key").write_text("ab" * 31 + "cd\n")
        self.finds("root-key", "error", "is not the one that this database was sealed with", "the key of this installation")

    def test_the_root_key_is_missing(self):
        self.made()
        (self.place.data / "root.key").unlink()
        done = keyward("doctor", "--config", self.config)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("secrets.root_key", done.stderr)
        self.assertIn("root.key", done.stderr)
        done = keyward("doctor", "--data", self.place.data)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("ERROR   root-key: there is none, and without it nothing secret opens", done.stdout)
        self.assertIn("your copy of it", done.stdout)

    def test_the_mail_server_is_not_there(self):
        self.write(mail={"port": free_port()})
        self.finds("mail", "error", "cannot be reached", "mail.host, mail.port and mail.security")
        website_of_others = Listener(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.addCleanup(website_of_others.close)
        self.write(mail={"port": website_of_others.port})
        self.finds("mail", "error", "does not greet as a mail server", "mail.host")
        self.write(mail={"host": "mail.invalid", "security": "starttls"})
        self.finds("mail-dns", "error", "mail.invalid", "DNS")

    def test_the_certificate_has_ended_or_is_not_of_its_key(self):
        tls = certificate(self.place.data, -30 * DAY, -DAY) | {"issuer": f"https://127.0.0.1:{self.port}"}
        self.write(server=tls)
        self.finds("certificate", "error", "which is not now", "renew it")
        certificate(self.place.data, DAY, 30 * DAY)
        self.finds("certificate", "error", "which is not now", "renew it")
        certificate(self.place.data, -DAY, 3 * DAY)
        self.finds("certificate", "warning", "it ends at", "renew it")
        own = (self.place.data / "tls.key").read_bytes()
        certificate(self.place.data)
        self.finds("certificate", "ok", "good until")
        (self.place.data / "tls.key").write_bytes(own)
        self.finds("certificate", "error", "cannot be used", "the private key that belongs to it")
        (self.place.data / "tls.pem").write_text("nothing\n")
        self.finds("certificate", "error", "holds no certificate", "name the chain")

    def test_a_renewed_certificate_that_the_server_does_not_know(self):
        issuer = f"https://127.0.0.1:{self.port}"
        tls = certificate(self.place.data) | {"issuer": issuer}
        # Foreign programs are told apart behind TLS, too.
        other = website(self.port)
        self.write(server=tls)
        self.finds("listen", "error", "does not answer as Keyward does", "stop what listens there")
        other.shutdown()
        other.server_close()
        authority = self.place.data / "authority.pem"
        authority.write_bytes((self.place.data / "tls.pem").read_bytes())
        server = self.serve(server=tls, origin=issuer, ca=str(authority))
        self.finds("listen", "ok", "this server has")
        certificate(self.place.data)
        self.finds("listen", "warning", "another certificate than server.tls_cert holds", "SIGHUP")
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: "read anew" in server.log.read_text(), what="the new certificate")
        self.finds("listen", "ok", "this server has")

    def test_the_clock_is_behind(self):
        self.made()
        with contextlib.closing(sqlite3.connect(self.place.data / "keyward.db")) as db, db:
            db.execute("UPDATE event SET at = at + 86400000000")
        self.finds("clock", "error", "in the future", "NTP")

    def test_the_configuration_has_an_unknown_name(self):
        self.write(server={"lissen": "127.0.0.1:1"})
        for more in ([], ["--production"], ["--json"]):
            done = keyward("doctor", "--config", self.config, *more)
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertEqual(done.stdout, "")
            self.assertIn("server.lissen", done.stderr)
            self.assertIn("listen", done.stderr.replace("lissen", ""))

    def test_the_disk_is_nearly_full(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a small file system needs root")
        small = self.place.data / "small"
        small.mkdir(0o700)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m,mode=0700", "tmpfs", small], capture_output=True, text=True)
        if mounted.returncode:
            self.skipTest(f"tmpfs cannot be mounted here: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", small], check=False)
        self.write(database={"url": f"sqlite:{small}/keyward.db"})
        self.finds("disk", "error", f"MiB free at {small}", "make room")

    def test_memory_is_too_little_for_hashing(self):
        gibibyte = 1 << 30

        def limited(*arguments):
            return subprocess.run(
                [PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (gibibyte, gibibyte)),
            )

        self.write(passwords={"threads": 64})
        self.finds("memory", "error", "this process may have 1024 MiB, and needs up to 1344", "passwords.threads", run=limited)
        self.write(passwords={"threads": 2})
        done = limited("doctor", "--config", self.config)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("this process may have 1024 MiB", done.stdout)

    def test_a_restore_was_interrupted(self):
        (self.place.data / ".keyward.db.restore").mkdir(0o700)
        self.finds("database", "error", "did not come to its end", "keyward restore")
        (self.place.data / ".keyward.db.restore").rmdir()
        self.made()
        with contextlib.closing(sqlite3.connect(self.place.data / "keyward.db")) as db, db:
            db.execute("INSERT INTO server (name, value) VALUES ('restore', 'begun')")
        self.finds("database", "error", "did not come to its end", "--in-place")

    def test_production_tells_what_to_change(self):
        production = ["--production"]
        self.made()
        self.finds("production", "error", "is not https", "a name and a certificate", more=production)
        self.finds("production", "warning", "beside the database that it opens", "/etc/keyward", code=1, more=production)
        self.finds("production", "warning", "the list of who was deleted", "another disk", code=1, more=production)
        # The same without asking for production is in order.
        self.assertEqual(keyward("doctor", "--config", self.config).returncode, 0)
        # With https what is left are hints.
        tls = certificate(self.place.data) | {"issuer": f"https://127.0.0.1:{self.port}"}
        self.write(server=tls, log={"format": "text"})
        self.finds("production", "warning", "the log is text for people", "log.format", more=production)
        # One of `keyward dev` is none for production at all.
        done = keyward("doctor", "--data", self.place.data, "--production")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("ERROR   production: there is no configuration", done.stdout)


if __name__ == "__main__":
    unittest.main()
