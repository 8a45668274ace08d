"""Faults while people work, and the ledger of what was acknowledged: `make crash`.

    run.py [--short] [--rounds N] [--results] [--minutes N] [--jobs N] [SCENARIO …]
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import platform
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "clients")]

import faults  # noqa: E402
import migrations  # noqa: E402
from harness import POSTGRES  # noqa: E402

# name: (what it is, whether it must lose, rounds in the long form, in the short one)
SCENARIOS = {
    "kill-sqlite": (faults.program_killed("sqlite"), False, 200, 3),
    "kill-postgres": (faults.program_killed("postgres"), False, 200, 3),
    "postgres-killed": (faults.postgres_killed(), False, 50, 2),
    "postgres-killed-control": (faults.postgres_killed(durable=False), True, 3, 2),
    "power": (faults.power_lost(), False, 200, 4),
    "power-control": (faults.power_lost(durable=False), True, 3, 2),
    "failover": (faults.failover(), False, 20, 1),
    "failover-control": (faults.failover(durable=False), True, 3, 2),
    "clock-sqlite": (faults.clock_jumps("sqlite"), False, 20, 1),
    "clock-postgres": (faults.clock_jumps("postgres"), False, 20, 1),
    "full": (faults.disk_full, False, 20, 1),
    "migrations-sqlite": (migrations.on_sqlite, False, 0, 12),
    "migrations-postgres": (migrations.on_postgres, False, 0, 12),
}


def carry_out(name, wanted, until):
    scenario, must_lose, *_ = SCENARIOS[name]
    result = faults.Result(name, wanted, until)
    try:
        if "postgres" in name and not POSTGRES:
            raise faults.NotHere("KEYWARD_TEST_POSTGRES names no server (tests/setup.sh starts one)")
        scenario(result)
    except faults.NotHere as reason:
        result.skipped = str(reason)
    except Exception as error:
        result.wrong.append(f"{name}: the round broke off: {type(error).__name__} {str(error)[-800:]}")
        if must_lose:
            raise
    if not (result.rounds or result.wrong or result.skipped):
        result.skipped = "not begun: no time was left"
    found = result.as_json() | {"must_lose": must_lose}
    found["passed"] = result.skipped is not None or bool(result.wrong) == must_lose and not (not must_lose and result.too_slow())
    tell(found, result.log)
    return found


def tell(found, log):
    if found["skipped"]:
        print(f"crash: {found['scenario']} skipped: {found['skipped']}", flush=True)
        return
    verdict = "passed" if found["passed"] else "FAILED"
    total = sum(found["acknowledged"].values())
    words = "loss was found, as it must be" if found["must_lose"] and found["passed"] else f"{found['violations_count']} violations"
    ready = f", ready in {found['ready_median']} s (at most {found['ready_max']} s)" if found["ready_max"] else ""
    print(f"crash: {found['scenario']} {verdict}: {found['rounds']} rounds, {total} acknowledged, {words}{ready}, {found['seconds']} s", flush=True)
    if not found["passed"]:
        for text in found["violations"][:20]:
            print(f"   {text}")
        if log:
            print("   the end of its log:\n" + log)


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.platform(), "load": round(os.getloadavg()[0], 1)}


def keep(results, seconds):
    now = datetime.datetime.now(datetime.timezone.utc)
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    name = now.strftime("%Y-%m-%dT%H%MZ")
    about = {"date": now.isoformat(timespec="seconds"), "machine": machine(), "seconds": seconds, "scenarios": results}
    (folder / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n")
    lines = [
        f"# Faults, {now:%Y-%m-%d %H:%M} UTC", "",
        f"{about['machine']['cpu']}, {about['machine']['cores']} cores, load {about['machine']['load']}; "
        f"{about['machine']['system']}; an unoptimised build; {seconds} s in all.", "",
        "| scenario | rounds | acknowledged | in doubt | violations | ready: median, most | late (2 s) | result |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in results:
        ready = f"{one['ready_median']} s, {one['ready_max']} s" if one["ready_max"] else "–"
        result = one["skipped"] or ("passed" if one["passed"] else "FAILED")
        lost = f"{one['violations_count']}, as it must be" if one["must_lose"] else one["violations_count"]
        more = f"; {one['writes_lost']} writes lost" if one.get("writes_lost") else ""
        lines.append(
            f"| {one['scenario']} | {one['rounds']}{more} | {sum(one['acknowledged'].values())} | {one['in_doubt']} | {lost} "
            f"| {ready} | {one['ready_late']} | {result} |"
        )
    kinds = sorted({kind for one in results for kind in one["acknowledged"]})
    total = ", ".join(f"{sum(one['acknowledged'].get(kind, 0) for one in results)} {kind}" for kind in kinds)
    lines += ["", f"Acknowledged and looked for: {total}.", ""]
    (folder / f"{name}.md").write_text("\n".join(lines))
    print(f"crash: results in {folder / name}.md")


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--short", action="store_true")
    asked.add_argument("--rounds", type=int)
    asked.add_argument("--minutes", type=float, default=float("inf"), help="no scenario begins a round after that")
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--results", action="store_true")
    asked.add_argument("scenario", nargs="*", choices=[[], *SCENARIOS])
    asked = asked.parse_args()
    begun = time.monotonic()
    names = asked.scenario or list(SCENARIOS)
    wanted = {name: asked.rounds or SCENARIOS[name][3 if asked.short else 2] for name in names}
    with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
        results = list(pool.map(lambda name: carry_out(name, wanted[name], begun + 60 * asked.minutes), names))
    if asked.results:
        keep(results, round(time.monotonic() - begun))
    sys.exit(not all(one["passed"] for one in results))


if __name__ == "__main__":
    main()
