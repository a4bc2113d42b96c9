"""`kill -9` while a batch that was sealed under one law is decided, sealed and checked again under a narrower one: it
ends like one that was never killed, and nothing of the wider package leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from expectations.base.clock import Clock
from flows import audit
from flows.ledger.lifecycles.states import State
from flows.replay.replay import replay
from tests.factories import ready
from tests.factories.ready import Ready
from tests.faults.test_crash import KILLED, Zygote

FIELDS = ["request_id", "city", "zip"]
# The steps that are new here, in the order in which they become durable, and those around them.
STEPS = [
    *(f"flows.batch.publication:reopen:{when}:1" for when in ("before", "after")),
    *(f"flows.batch.law:Law._lists:{when}:1" for when in ("before", "after")),
    *(f"flows.batch.law:Law._withhold:{when}:1" for when in ("before", "after")),
    "flows.batch.law:Law.decide:after:1",
    "pipelines.release:outcomes:after:1",
    "pipelines.release:seal:after:1",
    *(f"flows.ledger.batches:Batches.advance:{when}:1" for when in ("before", "after")),
    "flows.batch.release:store_evidence:after:1",
    *(f"flows.batch.publication:prepare:{when}:1" for when in ("before", "after")),
    "flows.outbox.folder:FolderCopy.put:after:1",
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    """A sealed batch, and the narrower version that was enrolled then."""
    made = ready.make(tmp_path_factory.mktemp("narrowed"), State.SEALED)
    made.enrol(ready.changed(made.agreement, fields=("city", "zip"), tiers=["A"]))
    (made.home.root / "persons.csv").write_text("record_id,list\n5,protected\n")
    return made


def look(batch: Ready) -> dict[str, Any]:
    said, outcomes = batch.manifest(), batch.home.verdicts / batch.batch / "outcomes.json"
    with batch.work() as one:
        claims = sum(1 for _ in one.ledger.disclosed(one.record.requester, one.record.agreement))
        problems: list[object] = list(audit.verify(batch.home, one.ledger).problems)
        state = one.record.state
    kept = {k: said[k] for k in ("content_digest", "fields", "counts")}
    return {**kept, "state": state, "claims": claims, "problems": problems, "ends": json.loads(outcomes.read_text())}


@pytest.fixture(scope="module")
def undisturbed(base: Ready, zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    batch = ready.copy(base, tmp_path_factory.mktemp("undisturbed"))
    assert zygote.run(home=str(batch.home.root), what=batch.batch) == [0]
    found = look(batch)
    assert (found["state"], found["fields"], found["problems"]) == (State.PUBLISHED, FIELDS, [])
    assert found["claims"] == ready.RELEASED - 2
    return found


@pytest.mark.slow
@pytest.mark.parametrize("point", STEPS)
def test_killed_while_it_is_narrowed(
    base: Ready, undisturbed: dict[str, Any], zygote: Zygote, tmp_path: Path, point: str
) -> None:
    batch = ready.copy(base, tmp_path)
    command = {"home": str(batch.home.root), "what": batch.batch}
    assert zygote.run(**command, kill=point) == [KILLED]
    for there in (p for p in batch.home.outbox.iterdir() if not p.name.startswith(".")):
        assert json.loads((there / "manifest.json").read_text())["fields"] == FIELDS
    assert zygote.run(**command) == [0]
    assert look(batch) == undisturbed
    assert not (batch.home.lake / batch.batch).exists()
    assert replay(batch.home, Clock(), batch.batch, who="operator-1")["differs"] is False
