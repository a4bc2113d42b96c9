"""What is made once in a process is made before others are forked from it: each of them would make it again."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from flows.home.tree import open_home
from flows.schedule import preload
from tests.factories import installations

_PROGRAM = """
import gc
from functools import _lru_cache_wrapper
from flows.schedule import preload

OURS = ("expectations.", "pipelines.", "flows.")
FOR_EACH = {"expectations.address.places"}  # of the agreement: the process that forks does not know it


def made():
    found = {f"{one.__module__}.{one.__qualname__}": one for one in gc.get_objects()
             if isinstance(one, _lru_cache_wrapper) and one.__module__.startswith(OURS)}
    return {name: one.cache_info().misses for name, one in found.items() if one.cache_info().maxsize is None}


preload.load()
gc.unfreeze()
before = made()
assert any(before.values())

from expectations import address
from expectations.address import twin, twin_place
from expectations.base.duck import session
from expectations.names import standard

GIVEN = [("1 Main St", "Apt 4", "Denver", "CO", "80202"), ("PO Box 7", None, "Nowhere", "TX", "75001"),
         ("NA NA", None, "Los Angeles", "CA", "90001"), ("100 One Hundred Third St", "#2", "Reno", "NV", "89501"),
         ("RR 2 Box 9", None, "Ames", "IA", "50010"), ("County Road A", None, "Ames", "IA", "50010"),
         ("Denver County Jail", None, "Denver", "CO", "80202"), ("Calle 5 B-12", None, "Ponce", "PR", "00730")]
rows = [dict(zip(("street", "unit", "city", "state", "zip"), row)) for row in GIVEN]
with session() as connection:
    standard.setup(connection)
    address.setup(connection)
    table = "(SELECT unnest(?::STRUCT(street VARCHAR, unit VARCHAR, city VARCHAR, state VARCHAR, zip VARCHAR)[], " \\
        "recursive := true))"
    assert len(connection.execute(address.derive(table, one_line=False), [rows]).fetchall()) == len(rows)
for row in rows:
    twin.judge(row, ())
    twin_place.mark(row)
print({name: misses for name, misses in made().items() if misses != before.get(name, 0)})
"""


def test_reading_addresses_makes_nothing_more() -> None:
    ran = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=250)
    assert (ran.stdout, ran.returncode) == ("{}\n", 0), ran.stderr[-2000:]


def test_the_first_databases_are_made_once_and_whatever_becomes_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []

    def failing(*given: Any) -> None:
        asked.append(given)
        raise OSError("no room")

    monkeypatch.setattr(preload, "make_ready", failing)
    home = installations.make(tmp_path / "home").home
    for _ in range(2):
        preload.begin(open_home(home.root))
    for thread in threading.enumerate():
        if thread.name == "databases":
            thread.join()
    assert [given[:2] for given in asked] == [(3, home.duck)]


def test_a_process_that_waits_has_used_gx_and_touched_no_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from expectations.gx import checkpoint

    checked: list[int] = []
    real = checkpoint.evaluate

    def evaluate(*given: Any) -> Any:
        found, results = real(*given)
        checked.extend(finding.failed or 0 for finding in found)
        return found, results

    monkeypatch.setattr(checkpoint, "evaluate", evaluate)
    home = installations.make(tmp_path / "home").home
    (home.root / "ledger.db").unlink()
    preload.stand_by(home)
    for thread in threading.enumerate():
        if thread.name in ("databases", "rehearsal"):
            thread.join()
    assert checked and not any(checked)
    assert not (home.root / "ledger.db").exists()
