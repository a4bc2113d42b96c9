"""What happens between the last checkpoint and publication: lost races, new orders, halts. They can only narrow what
leaves."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.errors import Fault
from flows.batch.advance import advance
from flows.batch.plan import PLAN
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.ledger import Ledger
from flows.ledger.decisions import Reason
from flows.ledger.lifecycles.states import State
from flows.sandbox.home import enrol
from pipelines import register
from tests.factories import installations
from tests.factories.installations import Installation


@contextmanager
def work(installation: Installation, submission: Path) -> Iterator[BatchSteps]:
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        name = receive(installation.home, ledger, Clock(), submission)
        yield BatchSteps(installation.home, ledger, name)


def until_sealed(one: BatchSteps) -> None:
    while (state := one.record.state) is not State.SEALED:
        assert PLAN[state], (state, one.record.codes)
        for step in PLAN[state]:
            one.do(step)


def rows(first: int, last: int) -> list[dict[str, object]]:
    """Requests that are released, and two that find nobody: a match rate of 100 % is out of the agreement's band."""
    nobody = {"first_name": "Ottoline", "last_name": "Vandersloot", "tin": None, "birth_date": "1944-11-30"}
    lost = [
        installations.request(70 + n, request_id=f"N-{first}-{n}", street=f"{n} Elsewhere Rd", **nobody) for n in (1, 2)
    ]
    return [*(installations.request(n) for n in range(first, last + 1)), *lost]


def counts(installation: Installation, name: str) -> dict[str, int]:
    return dict(json.loads((installation.home.verdicts / name / "outcomes.json").read_text()))


@pytest.mark.slow
def test_the_later_of_two_racing_batches_loses_the_row_not_the_batch(
    installation: Installation, tmp_path: Path
) -> None:
    with work(installation, installation.submit(tmp_path / "a", rows(1, 12))) as slow:
        until_sealed(slow)
        with work(installation, installation.submit(tmp_path / "b", rows(1, 4))) as fast:
            assert advance(fast) is State.PUBLISHED
        assert advance(slow) is State.PUBLISHED
        assert counts(installation, slow.name) == {"already_disclosed": 4, "released": 8, "unmatched": 2}
        claimed = list(slow.ledger.disclosed(installation.agreement.requester.id, installation.agreement.id))
        assert len(claimed) == len(set(claimed)) == 12
        assert slow.ledger.verify() == []


@pytest.mark.slow
def test_a_halt_stops_what_is_sealed_and_two_keys_let_it_go_on(installation: Installation, tmp_path: Path) -> None:
    with work(installation, installation.submit(tmp_path / "a", rows(13, 20))) as one:
        until_sealed(one)
        halt = one.ledger.halt("operator-1", Reason.SUSPECTED_FAULT)
        assert advance(one) is State.SEALED
        assert not (installation.home.outbox / one.name).exists()
        for name in ("operator-1", "operator-2"):
            key = signatures.load(installation.home.keys / name)
            signed = signatures.sign(one.ledger.halt_message(halt), key, signatures.DECISION)
            one.ledger.resume(halt, Reason.CAUSE_MENDED, signatures.public_line(key), signed)
        assert advance(one) is State.PUBLISHED


@pytest.mark.slow
def test_a_package_changed_after_the_checkpoint_never_leaves(installation: Installation, tmp_path: Path) -> None:
    with work(installation, installation.submit(tmp_path / "a", rows(21, 28))) as one:
        until_sealed(one)
        sealed = one.release.package / "addresses.csv.age"
        sealed.write_bytes(sealed.read_bytes() + b"x")
        assert advance(one) is State.PUBLISHED  # sealed and checked again
        assert (installation.home.outbox / one.name / "addresses.csv.age").read_bytes()[-1:] != b"x"


@pytest.mark.slow
def test_what_a_killed_checkpoint_leaves_goes_with_the_batch(installation: Installation, tmp_path: Path) -> None:
    with work(installation, installation.submit(tmp_path / "a", rows(45, 52))) as one:
        one.do("ingest")
        assert one.ctx.duck.temp is not None and Path(one.ctx.duck.temp).is_relative_to(one.folder)
        half = Path(one.ctx.duck.temp) / "checkpoint-killed"
        half.mkdir(parents=True)
        (half / "derived.parquet").write_text("a row in clear")
        assert advance(one) is State.PUBLISHED
        assert not one.folder.exists()
    assert [p for p in installation.home.lake.rglob("*") if p.is_file() and p.suffix == ".parquet"] == []


@pytest.mark.slow
def test_a_batch_goes_on_against_the_register_that_it_began_with(installation: Installation, tmp_path: Path) -> None:
    raw = installation.home.register / "addresses" / "part-0000.parquet"
    with work(installation, installation.submit(tmp_path / "a", rows(37, 44))) as one:
        began = one.record.register
        raw.write_bytes(
            raw.read_bytes()
        )  # a new state of the raw register: the home prepares another version from now on
        os.utime(raw, (1, 1))
        assert register.version(one.ctx.register) == began
        kept = one.ctx.register.rename(one.ctx.register.with_name("elsewhere"))
        with work(installation, tmp_path / "a") as again, pytest.raises(Fault, match="REGISTER_GONE"):
            advance(again)
        kept.rename(one.ctx.register)
        assert advance(one) is State.PUBLISHED


def test_an_order_that_arrives_after_eligibility_stops_the_batch(installation: Installation, tmp_path: Path) -> None:
    order = f"""
kind = "court_order"
id = "late-order"
court = "Court of Examples (fictional)"
docket = "1"
title = "Stay (fictional)"
source = "fictional"
effective_on = {Clock().today(installation.agreement.zone)}
effect = "forbid"
scope = {{ agreements = ["{installation.agreement.id}"] }}
"""
    with work(installation, installation.submit(tmp_path / "a", rows(29, 36))) as one:
        until_sealed(one)
        enrol(installation.home, one.ledger, order.encode(), "late-order.toml")
        assert advance(one) is State.REFUSED
        assert one.record.cites == ("late-order",)
        assert counts(installation, one.name) == {"refused": 10}
        assert not (installation.home.outbox / one.name).exists() and not one.folder.exists()
