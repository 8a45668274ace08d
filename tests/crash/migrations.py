"""Killed in the middle of migrations: before and after each statement's commit, then started again.
The schema must be the one of a database that nothing happened to."""

import contextlib
import os
import random
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.parse

import harness
from disk import SYNC_BEGUN, Disk, damage
from harness import POSTGRES, Place, dev, keyward, psql

MAXIMUM = 10_000


def chosen(wanted, number):
    """All of 1 to `number`, or so many of them."""
    every = range(1, number + 1)
    return every if not wanted or wanted >= number else sorted(random.sample(every, wanted))


def migrate(place, env=None):
    """`keyward migrate`; whether it came to its end."""
    place.data.mkdir(exist_ok=True)
    done = keyward("migrate", *place.where(), env=(env or {}) | {"KEYWARD_ROOT_KEY": "5a3c" * 16})
    if done.returncode not in (0, -9):
        raise AssertionError(f"migrate ended with {done.returncode}: {done.stderr}")
    return done.returncode == 0


# ---------------------------------------------------------------------------------- SQLite


def on_sqlite(result):
    """The power fails before and after each sync of the first start; what was not synced is lost."""
    place = Place("sqlite")
    try:
        disk = Disk(place.data)
        assert migrate(place, disk.environment())
        syncs = sum(kind == SYNC_BEGUN for kind, *_ in disk.records())
        whole = schema_of_sqlite(place.data / "keyward.db")
        result.more["syncs"] = syncs
        for number in chosen(result.wanted, syncs):
            if time.monotonic() > result.until:
                break
            for cut in (number, -number):
                killed_at(cut, whole, result)
        result.wanted = result.rounds
    finally:
        place.remove()
    return result


def killed_at(cut, whole, result):
    place = Place("sqlite")
    disk = Disk(place.data)
    try:
        migrate(place, disk.environment(cut))
        disk.power_cut()
        if broken := damage(place.data):
            result.wrong.append(f"cut at {cut}: damaged: {broken}")
        elif not migrate(place):
            result.wrong.append(f"cut at {cut}: the second start did not come to its end")
        elif schema_of_sqlite(place.data / "keyward.db") != whole:
            result.wrong.append(f"cut at {cut}: the schema is another")
        result.rounds += 1
    except AssertionError as error:
        result.wrong.append(f"cut at {cut}: {error}")
    finally:
        disk.remove()
        place.remove()


def schema_of_sqlite(path):
    connection = sqlite3.connect(path)
    try:
        tables = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()
        return tables, connection.execute("SELECT id, step, checksum FROM migration ORDER BY id, step").fetchall()
    finally:
        connection.close()


# ---------------------------------------------------------------------------------- PostgreSQL


class Wire:
    """The way to PostgreSQL that ends the program at its n-th COMMIT: before it is sent (n), or when
    the server has carried it out and nobody was told (-n)."""

    def __init__(self, at):
        self.at, self.commits, self.process = at, 0, None
        parts = urllib.parse.urlsplit(POSTGRES)
        self.target = (parts.hostname, parts.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                threading.Thread(target=self.forth, args=(client, server), daemon=True).start()
        except OSError:
            return

    def forth(self, client, server):
        threading.Thread(target=copy, args=(server, client), daemon=True).start()
        try:
            while data := client.recv(65536):
                # The migrator waits for each answer, so a COMMIT comes alone.
                if data.startswith(b"Q") and b"COMMIT\0" in data:
                    self.commits += 1
                    if self.commits == self.at:
                        return self.process.kill()
                    if self.commits == -self.at:
                        # It goes no further until the answer comes, and nobody tells it.
                        os.kill(self.process.pid, signal.SIGSTOP)
                        server.sendall(data)
                        time.sleep(0.1)
                        return self.process.kill()
                server.sendall(data)
        except OSError:
            return
        finally:
            # The server rolls back what was not committed.
            hang_up(server)
            hang_up(client)


def copy(here, there):
    try:
        while data := here.recv(65536):
            there.sendall(data)
    except OSError:
        return


def hang_up(end):
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def migrate_through(wire, place):
    url = urllib.parse.urlsplit(place.database)._replace(netloc=f"keyward@127.0.0.1:{wire.port}").geturl()
    wire.process = subprocess.Popen(
        [harness.PROGRAM, "migrate", "--database", url], env=os.environ | {"KEYWARD_ROOT_KEY": "5a3c" * 16},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )
    _, said = wire.process.communicate(timeout=60)
    if wire.process.returncode not in (0, -9):
        raise AssertionError(f"migrate ended with {wire.process.returncode}: {said}")
    return wire.process.returncode == 0


def on_postgres(result):
    """One database, killed at its next statement again and again, before and after the COMMIT; each
    start goes on where the one before was killed."""
    whole, place = Place("postgres"), Place("postgres")
    try:
        counter = Wire(MAXIMUM)
        assert migrate_through(counter, whole)
        result.more["statements"] = counter.commits
        for number in range(1, min(result.wanted or MAXIMUM, counter.commits) + 1):
            # Killed before it: nothing; killed after it: one more.
            for at, recorded in ((1, number - 1), (-1, number)):
                if migrate_through(Wire(at), place):
                    result.wrong.append(f"statement {number}: it came to its end, and should have been killed")
                have = int(psql("SELECT count(*) FROM migration", place.database))
                if have != recorded:
                    result.wrong.append(f"statement {number}, {at}: {have} are recorded")
                result.rounds += 1
        assert migrate_through(Wire(MAXIMUM), place)
        if schema_of_postgres(place.database) != schema_of_postgres(whole.database):
            result.wrong.append("the schema is another")
        # And it serves.
        dev(place).kill()
        result.wanted = result.rounds
    finally:
        whole.remove()
        place.remove()
    return result


def schema_of_postgres(url):
    tables = """
        SELECT string_agg(line, E'\n' ORDER BY line) FROM (
          SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '')
            || coalesce(collation_name, '') AS line FROM information_schema.columns WHERE table_schema = 'public'
          UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
          UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
          UNION ALL SELECT id || ' ' || step || ' ' || encode(checksum, 'hex') FROM migration
        ) AS schema"""
    return psql(tables, url)
