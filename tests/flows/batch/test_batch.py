"""One batch from inbox to outbox, by the command line, in one process: released, held, refused, unreadable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from expectations.base.clock import Clock
from expectations.suites import matching
from flows.batch.receive import receive
from flows.cli import main
from flows.evidence import keys
from flows.home.tree import HOLDER_SIGNING
from flows.ledger import Ledger
from flows.sandbox.home import REQUESTER_AGE
from pipelines import release, sealing
from tests.factories import installations
from tests.factories.installations import Installation
from tests.test_readme import ROOT

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def command(installation: Installation, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command line; returns exit code and what it printed (parsed, if it ends in --json)."""

    def run(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main.run(list(arguments))
        out = capsys.readouterr().out
        return code, json.loads(out) if arguments[-1] == "--json" and out else out

    return run


def outcomes(installation: Installation, batch: str, folder: Path) -> dict[str, tuple[str, list[str]]]:
    """Request id → outcome and codes, from the accounting, which only the holder can open."""
    identity = sealing.load_identity(installation.home.keys / "holder-age")
    plain = folder / "accounting.parquet"
    sealing.open_file(installation.home.root / "accounting" / f"{batch}.parquet.age", plain, identity)
    return {r["request_id"]: (r["outcome"], r["codes"]) for r in pq.read_table(plain).to_pylist()}


def earlier(installation: Installation, batch: str, folder: Path) -> dict[str, Any]:
    """What was known at receipt, from the sealed evidence."""
    identity = keys.identity(installation.home, batch)
    plain = folder / f"{batch}.json"
    sealing.open_file(installation.home.root / "evidence" / f"{batch}.earlier.json.age", plain, identity)
    known: dict[str, Any] = json.loads(plain.read_text())
    return known


def test_a_batch_is_released_and_every_row_has_its_end(
    installation: Installation, command: Run, tmp_path: Path
) -> None:
    submission = installation.submit(tmp_path / "s", installations.mixed())
    code, summary = command("run", str(submission), "--json")
    assert (code, summary["state"]) == (0, "published"), summary
    batch = summary["batch"]
    ends = outcomes(installation, batch, tmp_path)
    good = [r["request_id"] for r in installations.mixed()[:40]]
    assert {i for i, (outcome, _) in ends.items() if outcome == "released"} == set(good)
    for row, (_, outcome, why) in zip(installations.mixed()[40:], installations.SPOILED.values(), strict=True):
        assert ends[row["request_id"]][0] == outcome
        assert why is None or why in ends[row["request_id"]][1]
    assert sum(summary["outcomes"].values()) == len(installations.mixed())
    assert not (installation.home.lake / batch).exists()

    opened = tmp_path / "opened"
    identity = sealing.load_identity(installation.home.keys / REQUESTER_AGE)
    holders = [(installation.home.keys / f"{HOLDER_SIGNING}.pub").read_text()]
    release.open_package(installation.home.outbox / batch, identity, opened, holders)
    rows = pq.read_table(opened / "addresses.parquet").to_pylist()
    assert {r["request_id"]: r["zip"] for r in rows} == {r["request_id"]: r["zip"] for r in installations.mixed()[:40]}

    # the same submission again is the same batch; the same ids in a new letter are disclosed once only
    assert command("run", str(submission), "--json")[1]["batch"] == batch
    again = installation.submit(tmp_path / "again", installations.mixed(), purpose=installation.agreement.purposes[1])
    code, second = command("run", str(again), "--json")
    assert second["outcomes"].get("released", 0) == 0
    assert second["outcomes"]["already_disclosed"] == 40

    # 40 good rows, one at another address, and two of whom nothing is known were looked up: fixed for the second batch
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        counted = next(e["facts"] for e in ledger.events(batch) if e["kind"] == "matched")
    assert {k: counted[k] for k in matching.COUNTS} == {
        "looked_up": 43,
        "matched": 41,
        "tier_a": 41,
        "tier_b": 0,
        "tier_c": 0,
        "tier_d": 0,
    }
    assert [earlier(installation, b, tmp_path)["batches"] for b in (batch, second["batch"])] == [[], [[43, 41]]]

    code, shown = command("explain", batch, "0", "--json")
    assert code == 0 and all(r["verdict"] == "met" for r in shown["rules"]) and "values" not in shown
    assert main.run(["explain", batch, "40", "--show-values"]) == 2  # to whom?
    me = str(installation.home.keys / "operator-1")
    assert main.run(["explain", batch, "40", "--show-values", "--key", me]) == 2  # why?
    code, shown = command("explain", batch, "40", "--show-values", "--key", me, "--reason", "match_check", "--json")
    assert [r["code"] for r in shown["rules"] if r["verdict"] == "failed"] == ["PLACEHOLDER"], shown["rules"]
    assert shown["values"]["street"] == "FAILED TO PROVIDE"
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        assert [e["kind"] for e in ledger.events(batch)][-1] == "view"
        assert ledger.verify() == []


@pytest.mark.slow
def test_the_2025_agreement_is_refused_citing_both_orders(
    installation: Installation, command: Run, tmp_path: Path
) -> None:
    under = installations.agreement(installation, "irs-ice-2025")
    code, summary = command("run", str(installation.submit(tmp_path / "s", installations.mixed(), under)), "--json")
    assert (code, summary["state"]) == (4, "refused")
    assert "COURT_ORDER" in summary["codes"]
    assert {"stay-2025-11-21-ddc", "injunction-2026-02-05-dmass"} <= set(summary["cites"])
    assert summary["outcomes"] == {"refused": len(installations.mixed())}
    assert not (installation.home.outbox / summary["batch"]).exists()


@pytest.mark.slow
def test_two_people_drop_the_incomplete_rows(installation: Installation, command: Run, tmp_path: Path) -> None:
    rows = [installations.request(n, request_id=f"D-{n}") for n in range(41, 61)]
    rows += [installations.request(n, request_id=f"D-{n}", street="UNKNOWN") for n in range(61, 71)]
    # one person more than the agreement allows at one address
    shared = {"street": "500 Shared Ave", "city": "Denver", "state": "CO", "zip": "80202"}
    crowd = installation.agreement.thresholds.persons_per_address + 1
    rows += [installations.request(72 + n, request_id=f"D-{72 + n}", **shared) for n in range(crowd)]
    rows.append(
        installations.request(
            71, request_id="D-71", first_name="Nobody", last_name="Known", tin=None, street="1 Nowhere Ln"
        )
    )
    code, summary = command("run", str(installation.submit(tmp_path / "s", rows)), "--json")
    assert (code, summary["state"], summary["codes"]) == (3, "held", ["TOO_MANY_INCOMPLETE"])
    batch = summary["batch"]
    shown = command("review", "show", batch, "--json")[1]["incomplete"]
    assert shown and all(rows > 0 and 0 < share <= 1 for _, _, rows, share in shown)
    assert [h["open"] for h in command("review", "list", "--json")[1] if h["batch"] == batch] == [["drop", "reject"]]
    for row, failed in ((20, ["PLACEHOLDER"]), (30, ["CROWDED"])):
        shown = command("explain", batch, str(row), "--json")[1]
        assert [r["code"] for r in shown["rules"] if r["verdict"] == "failed"] == failed == shown["codes"]
    keys = [str(installation.home.keys / f"operator-{n}") for n in (1, 2)]
    assert command("review", "decide", batch, "drop", "--key", keys[0])[0] == 0
    assert command("review", "decide", batch, "drop", "--key", keys[0])[0] == 5  # the same operator twice is one
    assert command("run", batch, "--json")[0] == 3
    assert command("review", "decide", batch, "drop", "--key", keys[1])[0] == 0
    code, summary = command("run", batch, "--json")
    assert (code, summary["state"]) == (0, "published"), command("review", "show", batch, "--json")
    assert summary["outcomes"] == {"dropped": 10 + crowd, "released": 20, "unmatched": 1}


def test_a_rejected_batch_is_accounted_for(installation: Installation, command: Run, tmp_path: Path) -> None:
    rows = [installations.request(n, request_id=f"J-{n}", street="NA NA") for n in range(1, 9)]
    _, summary = command("run", str(installation.submit(tmp_path / "s", rows)), "--json")
    batch = summary["batch"]
    command("review", "decide", batch, "reject", "--key", str(installation.home.keys / "operator-1"))
    code, summary = command("run", batch, "--json")
    assert (code, summary["state"], summary["outcomes"]) == (4, "rejected", {"refused": 8})
    assert {o for o, _ in outcomes(installation, batch, tmp_path).values()} == {"refused"}
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        said, record = ledger.accounted(batch), ledger.batch(batch)
    assert said is not None and record is not None and record.merkle_root == said["merkle_root"]
    assert (said["rows"], said["outcomes"]) == (8, {"refused": 8})
    assert said["codes"]["TOO_MANY_INCOMPLETE"] == said["codes"]["PLACEHOLDER"] == 8


def test_an_unsigned_letter_is_bad_input_and_one_entry(
    installation: Installation, command: Run, tmp_path: Path
) -> None:
    submission = installation.submit(tmp_path / "s", installations.mixed())
    (submission / "letter.toml").write_text((submission / "letter.toml").read_text() + "\n# changed\n")
    for _ in range(2):
        assert command("run", str(submission))[0] == 5
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        states = [b.state.value for b in ledger.batches()]
    assert states.count("unreadable") == 1
    assert command("ledger", "verify")[0] == 0


@pytest.mark.slow
def test_a_fault_is_told_once_and_without_python(installation: Installation, tmp_path: Path) -> None:
    """What an operator reads of a full disk, say: one line. The way through the code stays out of it, Prefect's too."""
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        name = receive(
            installation.home, ledger, Clock(), installation.submit(tmp_path / "s", [installations.request(77)])
        )
    in_the_way = installation.home.lake / name / "ingest.decoys"
    in_the_way.write_text("no folder")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    command = [sys.executable, "-m", "flows.cli.main", "run", name]
    done = subprocess.run(command, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    said = [line for line in done.stderr.decode().splitlines() if not line.startswith("[")]
    assert (done.returncode, len(said)) == (1, 1) and said[0].startswith("error: RESOURCE_FAILED"), said
    in_the_way.unlink()
    again = subprocess.run(command, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    assert again.returncode in (0, 3), again.stderr
