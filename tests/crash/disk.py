"""What a disk could hold after a power cut, made of the journal of disk.c: all that was synced, and
of the rest any part, in any order, torn at sectors."""

import os
import pathlib
import random
import shutil
import sqlite3
import struct
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LAYER = HERE.parent.parent / "target" / "crash" / "disk.so"
OPEN, CREATE, WRITE, TRUNCATE, SYNC_BEGUN, SYNCED, UNLINK, RENAME = range(1, 9)
FOLDER = 1
SECTOR = 512
HEAD = struct.Struct("<IIQQ")


def build():
    LAYER.parent.mkdir(parents=True, exist_ok=True)
    if not LAYER.exists() or LAYER.stat().st_mtime < (HERE / "disk.c").stat().st_mtime:
        made = LAYER.with_suffix(f".{os.getpid()}")
        command = ["cc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", made, HERE / "disk.c", "-ldl", "-pthread"]
        subprocess.run(command, check=True)
        made.rename(LAYER)
    return LAYER


class Disk:
    """The folder of a program that runs on such a disk."""

    def __init__(self, folder, lies=False):
        self.folder, self.lies = pathlib.Path(os.path.realpath(folder)), lies
        self.journal = self.folder.parent / f"{self.folder.name}.journal"
        self.library = build()
        self.lost = 0
        self.begin()

    def environment(self, cut=0):
        return {
            "LD_PRELOAD": str(self.library), "CRASH_FOLDER": str(self.folder), "CRASH_JOURNAL": str(self.journal),
        } | ({"CRASH_LIES": "1"} if self.lies else {}) | ({"CRASH_CUT": str(cut)} if cut else {})

    def begin(self):
        """From now on all counts that the folder holds."""
        self.base = {path.name: path.read_bytes() for path in self.folder.iterdir() if kept(path)}
        self.journal.unlink(missing_ok=True)

    def remove(self):
        self.journal.unlink(missing_ok=True)

    def records(self):
        data = self.journal.read_bytes() if self.journal.exists() else b""
        place = 0
        while place + HEAD.size <= len(data):
            kind, file, offset, length = HEAD.unpack_from(data, place)
            payload = length if kind in (OPEN, CREATE, WRITE, UNLINK, RENAME) else 0
            place += HEAD.size + payload
            # Cut off by the kill: never answered.
            if place <= len(data):
                yield kind, file, offset, data[place - payload : place]

    def power_cut(self):
        """Makes the folder what the disk held. Gives the writes that were lost."""
        image = Image(self.base)
        for record in self.records():
            image.take(*record)
        files, lost = image.cut()
        for path in self.folder.iterdir():
            if kept(path):
                path.unlink()
            elif path.name.endswith("-shm"):
                # Its content is not worth anything now; it may be anything.
                random.choice((path.unlink, lambda: path.write_bytes(os.urandom(32768)), lambda: None))()
        for name, content in files.items():
            path = self.folder / name
            path.touch(0o600)
            path.write_bytes(content)
        self.begin()
        self.lost += lost
        return lost


def kept(path):
    """Whether a power cut concerns it."""
    return path.is_file() and not path.name.endswith("-shm") and ".lock" not in path.name and path.name != "log"


class Image:
    """Files and the folder's entries, each with what is durable and what is not yet."""

    def __init__(self, base):
        self.durable = {-n: bytearray(content) for n, content in enumerate(base.values())}
        self.entries = {name: -n for n, name in enumerate(base)}
        self.pending, self.changes, self.begun, self.alias = {}, [], {}, {}
        self.now = dict(self.entries)

    def take(self, kind, file, offset, payload):
        if kind == OPEN:
            self.alias[file] = self.now[payload.decode()]
        elif kind == CREATE:
            self.alias[file] = file
            self.durable[file] = bytearray()
            self.change({payload.decode(): file}, ())
        elif kind == UNLINK:
            self.change({}, (payload.decode(),))
        elif kind == RENAME:
            old, new = payload.decode().split("\0")
            self.change({new: self.now[old]}, (old,))
        elif kind in (WRITE, TRUNCATE):
            self.pending.setdefault(self.alias[file], []).append((kind, offset, payload))
        elif kind == SYNC_BEGUN:
            # A sync covers what was written before it began.
            known = self.changes if file == FOLDER else self.pending.get(self.alias[file], [])
            self.begun[offset] = len(known), known and known[-1]
        elif kind == SYNCED:
            self.sync(file, self.begun.pop(offset))

    def change(self, added, removed):
        for name in removed:
            self.now.pop(name, None)
        self.now |= added
        self.changes.append((added, removed))

    def sync(self, file, mark):
        # Another sync may have emptied the list meanwhile: the last of what was known is looked for.
        known = self.changes if file == FOLDER else self.pending.get(self.alias[file], [])
        last = mark[1]
        count = next((n + 1 for n, one in enumerate(known) if one is last), 0) if last else 0
        done, rest = known[:count], known[count:]
        if file == FOLDER:
            self.changes = rest
            for change in done:
                self.keep(change)
        else:
            self.pending[self.alias[file]] = rest
            for one in done:
                write(self.durable[self.alias[file]], one)

    def keep(self, change):
        added, removed = change
        for name in removed:
            self.entries.pop(name, None)
        self.entries |= added

    def cut(self):
        """Names with their content, and how many writes were lost."""
        kept_changes = random.randint(0, len(self.changes))
        for change in self.changes[:kept_changes]:
            self.keep(change)
        lost = len(self.changes) - kept_changes
        for file, waiting in self.pending.items():
            luck = random.choice((0, 0.2, 0.5, 0.8, 1))
            if random.random() < 0.5:
                waiting = random.sample(waiting, len(waiting))
            for one in waiting:
                lost += self.perhaps(self.durable[file], one, luck)
        return {name: bytes(self.durable[file]) for name, file in self.entries.items()}, lost

    def perhaps(self, content, one, luck):
        """Writes some of the sectors. Whether any was lost."""
        kind, offset, payload = one
        if kind == TRUNCATE:
            kept_it = random.random() < luck
            if kept_it:
                write(content, one)
            return not kept_it
        lost = False
        place = 0
        while place < len(payload):
            end = min(len(payload), place + SECTOR - (offset + place) % SECTOR)
            if random.random() < luck:
                write(content, (WRITE, offset + place, payload[place:end]))
            else:
                lost = True
            place = end
        return lost


def write(content, one):
    kind, offset, payload = one
    if kind == TRUNCATE:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(payload)] = payload


def damage(folder):
    """What SQLite itself says about the database of this folder; none if it is sound."""
    with tempfile.TemporaryDirectory() as copy:
        # The very first transaction, before write-ahead logging, has a journal that rolls it back.
        for name in ("keyward.db", "keyward.db-wal", "keyward.db-journal"):
            if (folder / name).exists():
                shutil.copy(folder / name, copy)
        path = pathlib.Path(copy) / "keyward.db"
        if not path.exists():
            return None
        try:
            connection = sqlite3.connect(path)
            rows = connection.execute("PRAGMA integrity_check").fetchall()
            connection.close()
        except sqlite3.DatabaseError as error:
            return str(error)
        return None if rows == [("ok",)] else str(rows[:3])
