"""Homes for actions that are killed at any moment or lose their power, and what each must have come to afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from threading import Timer
from typing import Any

from expectations.base.clock import Clock
from flows import audit
from flows.home.registers import current_register
from flows.home.tree import Home, open_home
from flows.ledger import Ledger
from tests.factories import installations, runs
from tests.factories.deltas import TODAY, write_delta
from tests.faults import acting
from tests.faults.test_crash import Zygote, fresh

ONCE = ("published", "prepared", "shredded", "enrolled", "case_opened")  # events that must never be there twice
READABLE = (".parquet", ".csv", ".jsonl", ".xml", ".gz")
_PLACES = ("lake", "outbox", "evidence", "accounting", "recalls", "checkpoints", "verdicts")
_SLUICEGATE = (sys.executable, "-c", "from flows.cli.main import main; main()")


def make(folder: Path) -> Path:
    """A home with a published batch and a submission that waits, and beside it all that the actions need."""
    installation = installations.make(folder / "home")
    runs.released(installation, folder / "first", 1, 8)
    installation.submit(installation.home.inbox / "next", installations.mixed()[8:])
    write_delta(folder / "delta", removed=[installations.PERSONS - 1, installations.PERSONS], on=TODAY)
    (folder / "rows").write_text("1\n2\n")
    (folder / "receipt").write_text("received")
    shutil.rmtree(folder / "first")
    return folder


def look(home: Home) -> dict[str, Any]:
    """What an action must have come to, however often it was killed."""
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        kinds = Counter(event["kind"] for event in ledger.events())
        return {
            "problems": list(audit.verify(home, ledger, deep=True).problems),
            "batches": {r.name: (str(r.state), r.package_digest is not None) for r in ledger.batches()},
            "contents": {p.name: _content(p) for p in home.outbox.iterdir() if not p.name.startswith(".")},
            "cases": [[str(step.state) for step in case.steps] for case in ledger.cases()],
            "instruments": sorted(id for id, *_ in ledger.instruments()),
            "events": {kind: kinds[kind] for kind in ONCE},
            "persons": acting.persons(home),
            "left": left(home),
        }


def _content(package: Path) -> Any:
    manifest = json.loads((package / "manifest.json").read_text())
    return manifest.get("content_digest", manifest["format"])


def left(home: Home) -> list[str]:
    """Files that nobody should find any more: rows that can be read, and what was never finished."""
    files = [p.relative_to(home.root) for place in _PLACES for p in (home.root / place).rglob("*") if p.is_file()]
    half = [str(p) for p in files if any(part.startswith(".") and ".lock" not in part for part in p.parts)]
    rows = [str(p) for p in files if p.suffix in READABLE and not p.name.endswith(".asked.parquet")]
    prepared = current_register(home).parent
    return sorted({*half, *rows, *(p.name for p in prepared.iterdir() if p.name.startswith(".") and p.is_dir())})


def undisturbed(base: Path, zygote: Zygote, folder: Path, action: str) -> tuple[dict[str, Any], float]:
    """How an action ends that nothing kills, and how long it takes."""
    place, begun = fresh(base, folder), time.monotonic()
    assert act(zygote, place, action) == [0]
    seconds = time.monotonic() - begun
    found = look(open_home(place / "home"))
    assert found["problems"] == [] and not [p for p in found["left"] if p.endswith(".parquet")]
    return found, seconds


def act(zygote: Zygote, place: Path, action: str, **how: Any) -> list[int]:
    """Does it, in a child of the zygote; a night is the process that it is in service, Prefect's server and all."""
    if action == "nightly":
        return [_nightly(place / "home", **how)]
    return zygote.run(call=f"tests.faults.acting:{action}", arguments=[str(place / "home")], **how)


def _nightly(home: Path, alarm: float | None = None) -> int:
    """Its exit code, or the signal that ended it; Prefect's server ends by itself once the process is gone."""
    told = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    night = subprocess.Popen([*_SLUICEGATE, "nightly"], env={**os.environ, "SLUICEGATE_HOME": str(home)}, **told)
    killer = Timer(alarm, night.send_signal, [signal.SIGKILL]) if alarm else None
    if killer:
        killer.start()
    code = night.wait(timeout=600)
    if killer:
        killer.cancel()
    return code
