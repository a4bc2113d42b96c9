"""An operator's own list of facilities: a batch is decided by the list that it was received with, and by no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from expectations.base.clock import Clock
from flows.cli import main
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from tests.factories import installations, runs
from tests.factories.installations import Installation

Run = Callable[..., tuple[int, Any]]
UNKNOWN = installations.request(70, **installations.SPOILED["unknown person"][0])  # a match rate of 100 % would be held
REFUGE = {"street": "700 Refuge Ave", "city": "Denver", "state": "CO", "zip": "80202"}
LIST = """# ours
phrase,address
Casa Refugio,
,"700 Refuge Ave, Denver, CO 80202"
"""


@pytest.fixture
def command(installation: Installation, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command line with --json; returns exit code and what it printed."""

    def run(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main.run([*arguments, "--json"])
        return code, json.loads(capsys.readouterr().out or "null")

    return run


@pytest.fixture
def own(installation: Installation) -> Iterator[Path]:
    """Where the operator's list lies; it is taken away in the end."""
    path = installation.home.root / "facilities.csv"
    yield path
    path.unlink(missing_ok=True)


def failed(command: Run, batch: str, row: int) -> list[str]:
    rules = command("explain", batch, str(row))[1]["rules"]
    return [r["code"] for r in rules if r["verdict"] == "failed"]


@pytest.mark.slow
def test_a_batch_keeps_the_list_that_it_was_received_with(
    installation: Installation, command: Run, own: Path, tmp_path: Path
) -> None:
    own.write_text(LIST)
    rows = [installations.request(n) for n in range(1, 11)]
    rows += [installations.request(n, **REFUGE, unit=f"Apt {n}") for n in (11, 12, 13)] + [
        installations.request(14, unit="CASA REFUGIO")
    ]
    batch, state = runs.run(installation.home, installation.submit(tmp_path / "s", [*rows, UNKNOWN]))
    assert (state, command("status", batch)[1]["codes"]) == (State.HELD, ["TOO_MANY_INCOMPLETE"])
    own.write_text("phrase\nJuniper\n")  # the batch would come out otherwise, and so would its digest
    assert [failed(command, batch, row) for row in (0, 10, 13)] == [[], ["FACILITY"], ["FACILITY"]]
    for n in (1, 2):
        key = installation.home.keys / f"operator-{n}"
        assert main.run(["review", "decide", batch, "drop", "--key", str(key)]) == 0
    assert runs.run(installation.home, batch) == (batch, State.PUBLISHED)
    assert command("status", batch)[1]["outcomes"] == {"released": 10, "dropped": 4, "unmatched": 1}
    assert failed(command, batch, 10) == ["FACILITY"]  # from the evidence, where the list is kept

    # the next batch has the new list
    other, _ = runs.run(
        installation.home, installation.submit(tmp_path / "t", [installations.request(15, unit="CASA REFUGIO")])
    )
    assert failed(command, other, 0) == ["FACILITY"]  # 115 Juniper St


@pytest.mark.slow
def test_a_list_that_cannot_be_read_stops_the_run_and_loses_nothing(
    installation: Installation, command: Run, own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = installation.submit(tmp_path / "s", [*(installations.request(n) for n in range(21, 31)), UNKNOWN])
    for spoil in (lambda: own.write_text("name\nSecreta\n"), own.mkdir, lambda: own.symlink_to("gone")):
        spoil()
        with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
            before = len(ledger.batches())
        capsys.readouterr()
        assert main.run(["run", str(source)]) == 5
        said = capsys.readouterr().err
        assert "FACILITIES_UNREADABLE" in said and "facilities.csv" in said and "Secreta" not in said
        with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
            assert len(ledger.batches()) == before
        findings = command("doctor")[1]
        assert [f["level"] for f in findings if f["what"].startswith("facilities.csv")] == ["fail"]
        own.rmdir() if own.is_dir() else own.unlink()
    assert command("run", str(source))[0] == 0
    own.write_text(LIST)
    assert "facilities.csv: 1 phrases and 1 addresses of your own" in [f["what"] for f in command("doctor")[1]]
