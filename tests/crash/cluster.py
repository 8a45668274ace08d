"""PostgreSQL of one's own, to be killed: a primary, and a synchronous standby where one is wanted."""

import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import time

from harness import ROOT, eventually, free_port, psql

SETTINGS = """
listen_addresses = '127.0.0.1'
max_connections = 100
shared_buffers = 64MB
wal_keep_size = 256MB
wal_receiver_timeout = 5s
hot_standby = on
restart_after_crash = on
"""


def programs():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    return found[-1] if found else pathlib.Path(shutil.which("initdb") or "/nowhere/initdb").parent


def owned(*command, **options):
    """The server refuses to run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    return subprocess.run([*prefix, *map(str, command)], check=True, capture_output=True, text=True, **options)


class Postgres:
    """One server with its folder."""

    def __init__(self, settings="", copy_of=None):
        parent = ROOT / "target" / "crash"
        parent.mkdir(parents=True, exist_ok=True)
        self.home = parent / f"postgres-{secrets.token_hex(4)}"
        self.home.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(self.home, "postgres")
        self.data, self.port = self.home / "data", free_port()
        if copy_of:
            owned(programs() / "pg_basebackup", "-h", "127.0.0.1", "-p", copy_of.port, "-U", "keyward", "-D", self.data, "-c", "fast", "-X", "stream", "-R", cwd="/")
            # What was set on the primary is not the standby's.
            settings += "synchronous_standby_names = ''\n"
            auto = self.data / "postgresql.auto.conf"
            auto.write_text("".join(line for line in auto.open() if "synchronous" not in line))
        else:
            owned(programs() / "initdb", "-N", "-D", self.data, "-U", "keyward", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", cwd="/")
            settings = SETTINGS + f"unix_socket_directories = '{self.home}'\n" + settings
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(settings.replace(str(copy_of.home), str(self.home)) if copy_of else settings)
            conf.write(f"unix_socket_directories = '{self.home}'\n")
        self.start()

    def start(self):
        """After a kill its shared memory may be in use for a moment yet."""
        command = [programs() / "pg_ctl", "start", "-w", "-t", "60", "-D", self.data, "-l", self.home / "log", "-o", f"-p {self.port}"]
        for tries_left in range(9, -1, -1):
            try:
                return owned(*command, cwd="/", stdin=subprocess.DEVNULL)
            except subprocess.CalledProcessError:
                if not tries_left:
                    raise AssertionError((self.home / "log").read_text()[-800:]) from None
                time.sleep(0.3)

    def url(self, database="postgres", *others):
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in (self, *others))
        return f"postgres://keyward@{hosts}/{database}"

    def sql(self, statement, database="postgres"):
        return psql(statement, self.url(database))

    def answers(self):
        try:
            return self.sql("SELECT 1") == "1"
        except subprocess.CalledProcessError:
            return False

    def processes(self):
        """The postmaster, then its children."""
        try:
            master = int((self.data / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return []
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(master)], capture_output=True, text=True).stdout
        return [master, *map(int, children.split())]

    def named(self, role):
        """The processes of this server whose title says what they do."""
        titles = {pid: title(pid) for pid in self.processes()[1:]}
        return [pid for pid, text in titles.items() if role in text]

    def kill(self):
        """-9 for all of them. What was handed to the operating system stays."""
        for pid in self.processes()[:1]:
            # Stopped, it makes no new ones.
            send(pid, signal.SIGSTOP)
        pids = self.processes()
        for pid in pids:
            send(pid, signal.SIGKILL)
        eventually(lambda: not any(alive(pid) for pid in pids), 10, "the end of PostgreSQL")

    def promote(self):
        owned(programs() / "pg_ctl", "promote", "-w", "-D", self.data, cwd="/")

    def wait_for_standby(self, synchronous=True):
        if synchronous:
            self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            self.sql("SELECT pg_reload_conf()")
        state = "sync" if synchronous else "async"
        look = f"SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '{state}'"
        eventually(lambda: self.sql(look) == "1", 20, "a standby that follows")

    def remove(self):
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)


def title(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def send(pid, what):
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        pass
