"""The dated results: a table for people and the same as JSON, which is what a later run adds to."""

import contextlib
import datetime
import fcntl
import json
import os
import pathlib
import subprocess

from harness import PROGRAM, ROOT
from steps import STEPS

FOLDER = pathlib.Path(__file__).resolve().parent / "results"


def show(result):
    marks = "  ".join(f"{step} {mark}" for step, mark in result["steps"].items())
    print(f"{result['name']:<16} {result['engine']:<9} {marks}  ({result['seconds']} s)", flush=True)
    for step, note in result["notes"].items():
        if result["steps"][step] == "FAIL":
            print(f"    {step}: {note}", flush=True)


def record(found, whole):
    """Writes today's files. A run of some clients takes the place of their rows only."""
    FOLDER.mkdir(exist_ok=True)
    stem = FOLDER / datetime.date.today().isoformat()
    with locked():
        rows = {}
        if not whole and stem.with_suffix(".json").exists():
            rows = {key(row): row for row in json.loads(stem.with_suffix(".json").read_text())["results"]}
        rows |= {key(row): row | {"keyward": keyward()} for row in found}
        ordered = [rows[name] for name in sorted(rows)]
        document = {"date": stem.name, "results": ordered}
        stem.with_suffix(".json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        stem.with_suffix(".md").write_text(table(stem.name, ordered))
    return stem.with_suffix(".md").relative_to(ROOT)


def key(row):
    return row["name"], row["engine"] != "sqlite"


def keyward():
    """The version, and the commit that it was built of if that is still what the sources say."""
    version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    commit = git("rev-parse", "--short", "HEAD")
    changed = commit and git("status", "--porcelain", "--", "*.rs", "Cargo.lock")
    return f"{version} ({commit}{', with changes' if changed else ''})" if commit else version


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout.strip()


def table(date, rows):
    lines = [
        f"# Relying parties of others, {date}", "",
        "Made by `make interop`. Each signs in, reads userinfo, refreshes, asks about a token, revokes one and logs",
        "out, as far as the library can: *cannot* is a step that it has no function for. *back-channel*: it hears of a",
        "session that ended elsewhere. What a client reports is checked at the server.", "",
        "| client | version | language | engine | " + " | ".join(STEPS) + " |",
        "|---|---|---|---|" + "---|" * len(STEPS),
    ]
    for row in rows:
        marks = (f"*{mark}*" if mark == "cannot" else f"**{mark}**" if mark == "FAIL" else mark for mark in
                 (row["steps"].get(step, "–") for step in STEPS))
        cells = (row["client"], row["version"], row["language"], row["engine"], *marks)
        lines.append("| " + " | ".join(cells) + " |")
    notes = sorted({(row["client"], step, " ".join(note.split())) for row in rows for step, note in row["notes"].items()})
    lines += [""] if notes else []
    lines += [f"- {client}, {step}: {note[:400]}" for client, step, note in notes]
    built = sorted({row["keyward"] for row in rows})
    return "\n".join([*lines, "", f"Keyward {', '.join(built)}.", ""])


@contextlib.contextmanager
def locked():
    descriptor = os.open(FOLDER, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
