"""The faults. Each is a scenario: it works on an installation of its own, round by round, and gives
what it counted. After each round everybody looks for what was acknowledged."""

import contextlib
import os
import pathlib
import random
import secrets
import signal
import statistics
import subprocess
import time

import harness
from cluster import Postgres, send
from disk import Disk, damage
from harness import Place, dev, eventually, free_port, shop
from ledger import Load, World

# How long after a fault the program may take to be ready.
READY = 2.0
# A machine that is busy with other things makes everything late; that is told and not counted.
BUSY = 2 * os.cpu_count()
# Installations are begun anew, so that a round late in a run is as quick as the first.
ROUNDS_OF_ONE = 40


class NotHere(Exception):
    """What the scenario needs is missing on this machine."""


class Run:
    """An installation, its program, and the rounds on it."""

    def __init__(self, engine, database=None, key=None):
        self.place = Place(engine if not database else "sqlite")
        if key:
            path = self.place.data / "root.key"
            path.touch(0o600)
            path.write_text(key)
        if database:
            self.place.database, self.place.name = database, None
        self.env, self.port, self.world, self.ready = dict, free_port(), None, []
        self.end = contextlib.ExitStack()
        self.end.callback(self.close)

    def __enter__(self):
        try:
            self.up()
            shop(self.place)
            self.world = World(self.server, self.place)
        except BaseException:
            self.end.close()
            raise
        return self

    def __exit__(self, *_):
        self.end.close()

    def up(self, env=None):
        self.server = dev(self.place, port=self.port, env=self.env() | (env or {}))
        if self.world:
            self.world.server = self.server

    def again(self):
        """Started again after its end, with the time until it was ready."""
        self.up()
        self.ready.append((self.server.ready_after, os.getloadavg()[0] > BUSY))

    def heals(self):
        """Without a start: the time until it is ready again."""
        begun = time.monotonic()
        eventually(self.is_ready, 20, "ready again")
        self.ready.append((time.monotonic() - begun, os.getloadavg()[0] > BUSY))

    def is_ready(self):
        return self.server.is_ready()

    def close(self):
        if hasattr(self, "server"):
            self.server.kill()
        if self.place.database and self.place.name is None:
            self.place.database = None
        self.place.remove()

    def work(self, fault, least=0.3, most=1.3):
        """Lets everybody work, and at a random moment the fault happen."""
        with Load(self.world) as load:
            time.sleep(random.uniform(least, most))
            fault()
            load.stop.set()

    def count(self):
        """What the rounds on this installation came to."""
        return self.world.acknowledged, self.world.doubted, self.world.wrong, self.ready


class Result:
    """What a scenario came to."""

    def __init__(self, name, wanted, until=float("inf")):
        self.name, self.wanted, self.rounds, self.skipped = name, wanted, 0, None
        self.until, self.log = until, None
        self.acknowledged, self.doubted, self.wrong, self.ready, self.more = {}, 0, [], [], {}
        self.begun = time.monotonic()

    def add(self, run):
        acknowledged, doubted, wrong, ready = run.count()
        for kind, number in acknowledged.items():
            self.acknowledged[kind] = self.acknowledged.get(kind, 0) + number
        self.doubted += doubted
        self.wrong += [f"{self.name}: {text}" for text in wrong]
        self.ready += ready

    def goes_on(self):
        """Until all rounds are done, one went wrong, or the time is over."""
        return self.rounds < self.wanted and not self.wrong and time.monotonic() < self.until

    def too_slow(self):
        return [seconds for seconds, busy in self.ready if seconds >= READY and not busy]

    def as_json(self):
        ready = sorted(seconds for seconds, _ in self.ready)
        return {
            "scenario": self.name, "rounds": self.rounds, "wanted": self.wanted, "skipped": self.skipped,
            "acknowledged": dict(sorted(self.acknowledged.items())), "in_doubt": self.doubted,
            "violations": self.wrong[:50], "violations_count": len(self.wrong),
            "ready_median": round(statistics.median(ready), 3) if ready else None,
            "ready_max": round(ready[-1], 3) if ready else None, "ready_late": sum(seconds >= READY for seconds in ready),
            "ready_late_on_an_idle_machine": len(self.too_slow()),
            "seconds": round(time.monotonic() - self.begun), **self.more,
        }


def rounds(result, make, one, of_one=ROUNDS_OF_ONE):
    """Runs the rounds, on a fresh installation now and then. Stops at the first that went wrong."""
    while result.goes_on():
        with make() as run:
            try:
                for _ in range(min(of_one, result.wanted - result.rounds)):
                    one(run)
                    run.world.check()
                    result.rounds += 1
                    if run.world.wrong or not result.goes_on():
                        break
                if not run.world.wrong:
                    run.world.verify_chain()
            finally:
                result.add(run)
                keep(result, run)
    return result


def keep(result, run):
    """The program's own words, for whoever looks into it."""
    with contextlib.suppress(OSError):
        result.log = run.server.log.read_text()[-4000:]


# ---------------------------------------------------------------------------------- the program


def program_killed(engine):
    def scenario(result):
        def one(run):
            run.work(run.server.kill)
            if random.random() < 0.2:
                # And once more while it starts.
                with contextlib.suppress(AssertionError):
                    started = subprocess.Popen(
                        [harness.PROGRAM, "dev", "--listen", f"127.0.0.1:{run.port}", *run.place.where()],
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    )
                    time.sleep(random.uniform(0, 0.4))
                    started.kill()
                    started.wait()
            run.again()

        return rounds(result, lambda: Run(engine), one)

    return scenario


# ---------------------------------------------------------------------------------- PostgreSQL


LOSES = """
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM set_config('synchronous_commit', 'off', true); RETURN NULL; END $$;
CREATE TRIGGER forget BEFORE INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION forget();
"""


def postgres_killed(durable=True):
    """-9 for PostgreSQL: all of it, or one of its processes, after which it recovers by itself."""

    def scenario(result):
        server = Postgres("" if durable else "wal_writer_delay = 10s\nwal_writer_flush_after = 256MB\n")
        try:
            return rounds(result, lambda: begin(server), lambda run: one(server, run))
        finally:
            server.remove()

    def begin(server):
        name = f"crash_{time.monotonic_ns()}"
        server.sql(f"CREATE DATABASE {name}")
        run = Run("postgres", server.url(name))
        if not durable:
            run.__enter__()
            server.sql(LOSES, name)
            return contextlib.closing(Entered(run))
        return run

    def one(server, run):
        whole = not durable or random.random() < 0.7
        if whole:
            run.work(server.kill)
            server.start()
        else:
            some = random.choice(("keyward", "checkpointer", "walwriter", "background writer"))
            run.work(lambda: [send(pid, signal.SIGKILL) for pid in server.named(some)[:1]])
        eventually(server.answers, 20, "PostgreSQL")
        run.heals()

    return scenario


class Entered:
    """A run that was entered already, for a `with` around it."""

    def __init__(self, run):
        self.run = run

    def __getattr__(self, name):
        return getattr(self.run, name)

    def close(self):
        self.run.__exit__()


def failover(durable=True):
    """The primary is killed, the standby takes over, the program follows by the host list of its URL."""

    def scenario(result):
        pair, key = [Postgres()], secrets.token_hex(32)
        try:
            pair[0].sql("CREATE DATABASE keyward")
            pair.append(Postgres(copy_of=pair[0]))
            pair[0].wait_for_standby(durable)
            while result.goes_on():
                # A new standby has a new port, so the program is told anew: one start a round.
                with Run("postgres", pair[0].url("keyward", pair[1]), key) as run:
                    one(pair, run)
                    run.world.check()
                    result.rounds += 1
                    result.add(run)
                    if result.wrong:
                        keep(result, run)
            return result
        finally:
            for server in pair:
                server.remove()

    def one(pair, run):
        def fails():
            if not durable or random.random() < 0.5:
                # What the primary commits from here on reaches nobody; it must not say that it did.
                for pid in pair[0].named("walsender"):
                    send(pid, signal.SIGSTOP)
                time.sleep(random.uniform(0.1, 0.4))
            pair[0].kill()

        run.work(fails)
        pair[1].promote()
        run.heals()
        run.world.check()
        pair.pop(0).remove()
        pair.append(Postgres(copy_of=pair[0]))
        pair[0].wait_for_standby(durable)

    return scenario


# ---------------------------------------------------------------------------------- power


def power_lost(durable=True):
    """SQLite on a disk that loses, reorders and tears what was not synced."""

    def scenario(result):
        result.more["writes_lost"] = 0
        while result.goes_on():
            with Powered(durable) as run:
                for _ in range(min(ROUNDS_OF_ONE, result.wanted - result.rounds)):
                    one(run)
                    result.rounds += 1
                    if run.world.wrong or not result.goes_on():
                        break
                if not run.world.wrong:
                    run.world.verify_chain()
                result.more["writes_lost"] += run.disk.lost
                result.add(run)
                if result.wrong:
                    keep(result, run)
        return result

    def one(run):
        run.work(run.server.kill)
        cut(run)
        if durable and random.random() < 0.25:
            # The power comes back for a moment only.
            run.cut_again()
            cut(run)
        if run.world.wrong:
            return
        try:
            run.again()
        except AssertionError as error:
            run.world.complain(f"it does not start after the power cut: {str(error)[-400:]}")
            return
        run.world.check()

    def cut(run):
        run.disk.power_cut()
        if broken := damage(run.disk.folder):
            run.world.complain(f"the database is damaged: {broken}")

    return scenario


class Powered(Run):
    def __init__(self, durable):
        super().__init__("sqlite")
        self.disk = Disk(self.place.data, lies=not durable)
        self.end.callback(self.disk.remove)
        self.env = self.disk.environment

    def cut_again(self):
        environment = os.environ | self.disk.environment()
        started = subprocess.Popen(
            [harness.PROGRAM, "dev", "--listen", f"127.0.0.1:{self.port}", *self.place.where()],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        time.sleep(random.uniform(0.05, 0.5))
        started.kill()
        started.wait()


# ---------------------------------------------------------------------------------- clock and space


FAKETIME = ("libfaketimeMT.so.1", "libfaketime.so.1")


def clock_jumps(engine):
    """The clock goes forward or back by a day while people work, and back again later."""

    def scenario(result):
        found = [path for name in FAKETIME for path in pathlib.Path("/usr/lib").glob(f"*/faketime/{name}")]
        if not found:
            raise NotHere("libfaketime is missing. Type: sudo apt-get install libfaketime")

        def make():
            run = Run(engine)
            clock = run.place.data / "clock"
            clock.write_text("+0\n")
            run.set_clock = lambda text: clock.write_text(f"{text}\n")
            run.env = lambda: {
                "LD_PRELOAD": str(found[0]), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
            }
            return run

        return rounds(result, make, one)

    def one(run):
        # What lives an hour or a minute may end by a jump; and nothing else.
        run.world.shifted = True
        for text in (random.choice(("+1d", "-1d")), "+0"):
            run.work(lambda: (run.set_clock(text), time.sleep(0.3)))
            if random.random() < 0.5:
                run.server.kill()
                run.again()
            run.world.check()
        run.world.shifted = False
        run.work(run.server.kill)
        run.again()

    return scenario


def disk_full(result):
    """A file system of its own is filled while people work; half of the time the program is killed
    while there is no room."""
    if os.geteuid() != 0:
        raise NotHere("a small file system can be mounted by root only")

    def make():
        run = Run("sqlite")
        size = "size=48m"
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", run.place.data], capture_output=True, text=True)
        if made.returncode:
            run.end.close()
            raise NotHere(f"tmpfs cannot be mounted here: {made.stderr.strip()}")
        run.end.pop_all()
        run.end.callback(run.place.remove)
        run.end.callback(lambda: subprocess.run(["umount", "-l", run.place.data], check=False))
        run.end.callback(lambda: hasattr(run, "server") and run.server.kill())
        return run

    def one(run):
        filler = run.place.data / "filler"

        def fill():
            with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
                for size in (1 << 20, 4096, 512):
                    with contextlib.suppress(OSError):
                        while True:
                            file.write(b"x" * size)

        killed = random.random() < 0.5
        run.work(lambda: (fill(), time.sleep(random.uniform(0.5, 1.5)), killed and run.server.kill()))
        if killed:
            # It may start or say why it cannot; it must not spoil anything.
            with contextlib.suppress(AssertionError):
                run.up()
                run.server.kill()
        filler.unlink(missing_ok=True)
        if killed:
            run.again()
        else:
            run.heals()

    return rounds(result, make, one, of_one=10)
