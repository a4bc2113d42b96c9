"""Whole runs at national size, by the command line: a made-up register, prepared once, then a large batch and small
ones from the inbox to the outbox, and what left against the truth.

`python -m tests.bench.national FOLDER [--persons 160000000] [--rows 1280000] [--small 1000] [--times 10]`. What is done
is in FOLDER/national.json: after a stop, the same command goes on. Ends with 1 if a batch was not released, lost a row,
or let out an address that is not its person's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expectations.base.duck import default_settings, parquet, session

SLUICEGATE = (sys.executable, "-c", "from flows.cli.main import main; main()")
SEED = 1


@dataclass(frozen=True)
class Place:
    """The folder of the measurement, and how large it is."""

    folder: Path
    persons: int

    @property
    def raw(self) -> Path:
        return self.folder / "register"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def once(self, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `work` found, now or when it was first done."""
        path = self.folder / "national.json"
        done: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"persons": self.persons}
        if done["persons"] != self.persons:
            raise SystemExit(f"{path} is about {done['persons']:,} persons: name another folder")
        if name not in done:
            done[name] = work()
            part = path.with_suffix(".part")
            part.write_text(json.dumps(done, indent=1))
            part.replace(path)
        return dict(done[name])

    def command(self, *arguments: str | Path) -> dict[str, Any]:
        """Runs one command line; gives seconds, peak memory in MB, exit code and what it printed."""
        begun = time.perf_counter()
        process = subprocess.Popen(
            [*SLUICEGATE, *map(str, arguments)],
            env={**os.environ, "SLUICEGATE_HOME": str(self.home)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = round(time.perf_counter() - begun, 1)
        return {
            "seconds": seconds,
            "mb": used.ru_maxrss // 1024,
            "processor": round(used.ru_utime + used.ru_stime, 1),
            "code": process.returncode,
            "printed": printed,
        }


def good(found: dict[str, Any]) -> dict[str, Any]:
    """What was measured of a command that must end with 0."""
    if found["code"]:
        raise SystemExit(f"a command ended with {found['code']}")
    return {k: v for k, v in found.items() if k not in ("printed", "code")}


def size(folder: Path) -> int:
    """MB of its files, each counted once."""
    stats = {(s.st_dev, s.st_ino): s.st_size for path in folder.rglob("*") if path.is_file() for s in [path.stat()]}
    return sum(stats.values()) // 2**20


def registers(place: Place) -> None:
    """Makes the register and prepares it."""

    def make() -> dict[str, Any]:
        shutil.rmtree(place.raw, ignore_errors=True)
        made = ("simulate", "register", "--rows", str(place.persons), "--seed", str(SEED), "--out", place.raw)
        return {**good(place.command(*made)), "disk": size(place.raw)}

    def prepare() -> dict[str, Any]:
        good(place.command("init", "--sandbox", "--register", place.raw))
        return {**good(place.command("register", "build")), "disk": size(place.home / "register")}

    for name, work in (("made", make), ("prepared", prepare)):
        found = place.once(name, work)
        print(f"national, {place.persons:,} persons {name}: {cost(found)}, {found['disk']:,} MB on disk", flush=True)


def cost(found: dict[str, Any]) -> str:
    return f"{found['seconds']:,} s ({found['processor']:,} s of processor time), {found['mb']:,} MB"


def batch(place: Place, rows: int, number: int) -> bool:
    """Makes a batch, runs it from inbox to outbox, and says what left; True if it is as it must be."""
    name = f"batch-{rows}-{number:02d}"
    made, inbox = place.folder / name, place.home / "inbox" / name

    def make() -> dict[str, Any]:
        shutil.rmtree(made, ignore_errors=True)
        asked = ("--rows", str(rows), "--seed", str(number), "--profile", "clean")
        return good(place.command("simulate", "batch", "--register", place.raw, "--out", made, *asked))

    def run() -> dict[str, Any]:
        shutil.copytree(made / "submission", inbox, dirs_exist_ok=True)
        found = place.command("run", inbox, "--json")
        summary = json.loads(found["printed"] or "{}")
        told = {key: summary.get(key) for key in ("batch", "state", "codes", "outcomes")}
        kept = {k: found[k] for k in ("seconds", "mb", "processor")}
        return {**kept, **told, **(judged(place, made, summary["batch"]) if told["state"] == "published" else {})}

    place.once(f"{name} made", make)
    found = place.once(name, run)
    print(f"national, {name}, {place.persons:,} persons: {cost(found)}", flush=True)
    if found["state"] != "published":
        print(f"  {found['state']}, {', '.join(found['codes'] or [])}", flush=True)
        return False
    lost = rows - sum(found["outcomes"].values())
    print(f"  {found['state']}: {json.dumps(found['outcomes'])}", flush=True)
    print(
        f"  released {found['released']:,}; of {found['releasable']:,} releasable {found['rightly']:,}"
        f" ({found['rightly'] / max(found['releasable'], 1):.4f}); another person's {found['another']:,};"
        f" without ground {found['without_ground']:,}; rows lost {lost:,}",
        flush=True,
    )
    return not lost and not found["another"] and not found["without_ground"]


def judged(place: Place, made: Path, name: str) -> dict[str, Any]:
    """What left, opened with the recipient's key, against the truth and the raw register."""
    plain, keys = place.folder / "opened", place.home / "keys"
    shutil.rmtree(plain, ignore_errors=True)
    own = ("--identity", keys / "sandbox-requester-age", "--holder", keys / "holder-signing.pub")
    good(place.command("package", "open", place.home / "outbox" / name, *own, "--out", plain))
    left, truth = parquet([plain / "addresses.parquet"]), parquet([made / "truth.parquet"])
    on_file = parquet([str(path) for path in sorted((place.raw / "addresses").glob("*.parquet"))])
    with session(default_settings(str(place.folder / "spill"))) as con:
        found = con.execute(f"""
            WITH asked AS MATERIALIZED (
              SELECT t.*, l.street, l.zip, l.request_id IS NOT NULL AS has_left
              FROM {truth} t LEFT JOIN {left} l USING (request_id)),
            homes AS (
              SELECT record_id, street, zip FROM {on_file}
              SEMI JOIN (SELECT record_id FROM asked WHERE has_left) USING (record_id) WHERE valid_to IS NULL)
            SELECT count(*) FILTER (has_left) AS released, count(*) FILTER (releasable) AS releasable,
              count(*) FILTER (has_left AND releasable) AS rightly,
              count(*) FILTER (has_left AND NOT (corroborated AND legally_eligible AND address_defect IS NULL))
                AS without_ground,
              count(*) FILTER (has_left AND NOT coalesce(list_contains(known, row(a.street, a.zip)), false)) AS another
            FROM asked a LEFT JOIN (
              SELECT record_id, list(row(street, zip)) AS known FROM homes GROUP BY record_id) USING (record_id)""")
        rows = found.to_arrow_table().to_pylist()
    shutil.rmtree(plain, ignore_errors=True)
    return dict(rows[0])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.national")
    parser.add_argument("folder", type=Path, help="kept between runs; needs room for two registers")
    parser.add_argument("--persons", type=int, default=160_000_000)
    parser.add_argument("--rows", type=int, default=1_280_000, help="of the large batch; 0: none")
    parser.add_argument("--small", type=int, default=1_000, help="of each small batch")
    parser.add_argument("--times", type=int, default=10, help="small batches")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = Place(given.folder.resolve(), given.persons)
    registers(place)
    large = [batch(place, given.rows, 0)] if given.rows else []
    small = [batch(place, given.small, number) for number in range(1, given.times + 1)]
    return 0 if all((*large, *small)) else 1


if __name__ == "__main__":
    sys.exit(main())
