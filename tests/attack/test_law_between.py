"""The law between receipt and release: what is enrolled, listed or corrected while a batch is on its way narrows it,
refuses it or makes it wait, at each step; and what narrows it is sealed and checked again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.errors import BadInput
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from flows import audit
from flows.batch import advance, publication
from flows.batch.law import READ
from flows.batch.plan import Step
from flows.home.registers import update_register
from flows.ledger.lifecycles.states import State
from flows.replay.replay import replay
from flows.sandbox.home import REQUESTER_AGE
from pipelines import release, sealing
from pipelines.release.leaving import WITHHELD
from tests.factories import installations, ready
from tests.factories.past import order, waved_through
from tests.factories.ready import RELEASED, TODAY, WEAK, Ready

ROTATED = sealing.new_identity()
NARROW = ("city", "zip")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return ready.kept(tmp_path_factory.getbasetemp(), State.SEALED)


@pytest.fixture
def batch(sealed: Ready, tmp_path: Path) -> Ready:
    """One that passed `disclosure`: the attacks begin here."""
    return ready.copy(sealed, tmp_path)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    """The same, prepared: its keys are claimed."""
    return ready.kept(tmp_path_factory.getbasetemp(), State.PREPARED)


def another_key() -> str:
    return signatures.public_line(Ed25519PrivateKey.generate())


# Who signed the letter, as the sandbox's agreement names them.
HEAD = {"name": "A. Signatory (fictional)", "office": "Head of agency", "valid_from": TODAY - timedelta(days=90)}
FINDING = {"id": "access-logs", "opened_on": TODAY - timedelta(days=30)}
SIGNER = {
    "name": "Z. Other",
    "office": "Head of agency",
    "valid_from": TODAY - timedelta(days=90),
    "keys": [another_key()],
}
# The nine changes that once had no effect: what is changed → the code for which the batch is then refused.
REFUSED: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "a purpose removed": (lambda: {"purposes": ["Grand jury proceeding"]}, "PURPOSE_NOT_ALLOWED"),
    "an office removed": (
        lambda: {"offices": ["Inspector General"], "signatories": [{**SIGNER, "office": "Inspector General"}]},
        "OFFICE_MAY_NOT_SIGN",
    ),
    "other signatories": (lambda: {"signatories": [SIGNER]}, "LETTER_KEY_UNKNOWN"),
    "the signing key revoked": (lambda: {"signatories": [{**HEAD, "keys": [another_key()]}]}, "LETTER_KEY_UNKNOWN"),
    "a safeguards finding": (lambda: {"safeguards": {"findings": [FINDING]}}, "SAFEGUARDS_OPEN"),
    "one row a batch": (lambda: {"thresholds": {"rows_per_batch": 1}}, "TOO_MANY_ROWS"),
}
NARROWED: dict[str, dict[str, Any]] = {
    "fields": {"fields": NARROW},
    "the recipient's key rotated": {"keys": {"recipient": ROTATED.recipient}},
    "tier A only": {"tiers": ["A"]},
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_refuses_a_sealed_batch(batch: Ready, what: str) -> None:
    change, code = REFUSED[what]
    batch.enrol(ready.changed(batch.agreement, **change()))
    assert batch.run() is State.REFUSED
    with batch.work() as one:
        assert code in one.record.codes and one.record.cites == (ready.ID,)
        said = one.ledger.events(one.name)[-1]["facts"]["reading"]
        assert dict(said["under"])[ready.ID] == one.ledger.versions(ready.ID)[-1].digest
    assert not (batch.home.outbox / batch.batch).exists()


@pytest.mark.slow
@pytest.mark.parametrize("what", NARROWED)
def test_what_narrows_a_sealed_batch(batch: Ready, what: str, tmp_path: Path) -> None:
    batch.enrol(ready.changed(batch.agreement, **NARROWED[what]))
    assert batch.run() is State.PUBLISHED
    identity = sealing.load_identity(batch.home.keys / REQUESTER_AGE)
    found = batch.opened(tmp_path / "open", ROTATED if "key" in what else identity)
    assert len(found) == RELEASED - (what == "tier A only")
    if what == "fields":
        assert {name for row in found for name, value in row.items() if value} == {"request_id", *NARROW}
    if "key" in what:
        with pytest.raises(BadInput):
            batch.opened(tmp_path / "old", identity)


def delta(folder: Path, kind: str, changed: int, removed: int) -> Path:
    """A delta: one person at another address, another one gone."""
    for name, schema, row in (
        ("persons", REGISTER_PERSON, installations.person(changed)),
        ("addresses", REGISTER_ADDRESS, {**installations.address(changed), "street": "1 Corrected Ave"}),
    ):
        (folder / name).mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist([row], schema=schema), folder / name / "part-0000.parquet")
    (folder / "delta.toml").write_text(f'kind = "{kind}"\neffective_on = {TODAY}\n')
    (folder / "removed.csv").write_text(f"record_id\n{removed}\n")
    return folder


def replayed(batch: Ready) -> dict[str, Any]:
    found = replay(batch.home, Clock(), batch.batch, who="operator-1")
    assert (found["differs"], found["moved"]) == (False, [])
    assert {**found["then"], "decided_on": 0} == {**found["now"], "decided_on": 0}
    return found


def whole(batch: Ready) -> None:
    with batch.work() as one:
        assert list(audit.verify(batch.home, one.ledger).problems) == []


def test_all_that_narrows_at_once_is_sealed_and_checked_again_and_replays(batch: Ready, tmp_path: Path) -> None:
    update_register(batch.home, delta(tmp_path / "d1", "correction", 1, 2), TODAY)
    update_register(batch.home, delta(tmp_path / "d2", "update", 3, 4), TODAY)
    (batch.home.root / "persons.csv").write_text("record_id,list\n5,protected\n")
    narrow = {"fields": NARROW, "tiers": ["A"], "keys": {"recipient": ROTATED.recipient}}
    batch.enrol(ready.changed(batch.agreement, **narrow))
    batch.enrol(order("colorado").encode())  # persons 2, 6, 10, 14 and 15 live there; and one once did
    assert batch.run() is State.PUBLISHED
    found = batch.opened(tmp_path / "open", ROTATED)
    gone = {1, 2, 4, 5, WEAK, ready.EARLIER} | {6, 10, *ready.CROWD}
    assert {row["request_id"] for row in found} == {f"R-{n:06d}" for n in range(1, 16) if n not in gone and n != 9}
    assert {name for row in found for name, value in row.items() if value} == {"request_id", *NARROW}
    with batch.work() as one:
        kinds = [e["kind"] for e in one.ledger.events(one.name)]
        facts = {e["kind"]: e["facts"] for e in one.ledger.events(one.name)}
        assert kinds.count("sealed") == 2 and facts["sealed"]["evaluated"] > 1  # judged by the real suite
        assert facts["prepared"]["reading"]["clauses"]["corrections"] is not None
    ended = replayed(batch)
    assert ended["then"]["fields"] == list(NARROW) and ended["then"]["outcomes"]["released"] == len(found)
    assert ended["then"]["row_codes"].items() >= {"RECORD_CORRECTED": 3, "WEAK_EVIDENCE": 1}.items()
    whole(batch)


@pytest.mark.slow
def test_a_refused_batch_replays(batch: Ready) -> None:
    batch.enrol(ready.changed(batch.agreement, purposes=["Grand jury proceeding"], thresholds={"rows_30_days": 3}))
    assert batch.run() is State.REFUSED
    ended = replayed(batch)
    assert ended["then"]["codes"] == ["PURPOSE_NOT_ALLOWED", "TOO_MANY_ROWS_30_DAYS"]
    assert [(c["id"], c["version"]) for c in ended["then"]["cites"]] == [(ready.ID, 3)]
    whole(batch)


@pytest.mark.slow
def test_a_prepared_batch_is_withdrawn_and_replays(prepared: Ready, tmp_path: Path) -> None:
    batch = ready.copy(prepared, tmp_path)
    batch.enrol(ready.changed(batch.agreement, safeguards={"findings": [FINDING]}))
    assert batch.run() is State.WITHDRAWN
    assert replayed(batch)["then"]["codes"] == ["SAFEGUARDS_OPEN"]
    # another version that is enrolled later changes nothing of what was decided
    batch.enrol(ready.changed(batch.agreement, safeguards={"findings": []}))
    replayed(batch)
    whole(batch)


@pytest.mark.slow
def test_a_prepared_batch_goes_back_to_be_narrowed(prepared: Ready, tmp_path: Path) -> None:
    batch = ready.copy(prepared, tmp_path)
    batch.enrol(ready.changed(batch.agreement, fields=NARROW))
    assert batch.run() is State.PUBLISHED
    assert batch.manifest()["fields"] == ["request_id", *NARROW]
    with batch.work() as one:
        assert [e["kind"] for e in one.ledger.events(one.name)].count("prepared") == 2
    whole(batch)


def test_a_batch_that_an_order_makes_wait_can_go_on(batch: Ready) -> None:
    batch.enrol(order("waits", 'effect = "hold"').encode())
    assert batch.run() is State.HELD
    with batch.work() as one:
        assert (one.record.codes, one.record.checkpoint) == (("COURT_ORDER_HOLDS",), "disclosure")
        assert one.ledger.allowed_decisions(one.name) == {"reject", "retry"}


def test_an_instrument_enrolled_between_reading_and_the_transaction_is_seen(
    batch: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last moment: the package is checked, evidence and accounting are sealed, and then a version is enrolled."""
    real, left = publication.prepare, [ready.changed(batch.agreement, fields=NARROW)]

    def late(*args: Any, **named: Any) -> publication.Step:
        if left:
            batch.enrol(left.pop())
        return real(*args, **named)

    monkeypatch.setattr(publication, "prepare", late)
    with waved_through():  # the real suite on what is narrowed: see above
        assert batch.run() is State.PUBLISHED
    assert batch.manifest()["fields"] == ["request_id", *NARROW]


@pytest.mark.slow
def test_who_enrols_at_every_moment_stops_the_release_and_not_the_run(
    batch: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, fields = publication.prepare, [("street", *NARROW), NARROW] * 9
    under = batch.agreement

    def late(*args: Any, **named: Any) -> publication.Step:
        batch.enrol(ready.changed(under, fields=fields.pop()))
        return real(*args, **named)

    monkeypatch.setattr(publication, "prepare", late)
    monkeypatch.setattr(advance, "ROUNDS", 1)
    assert batch.run() is State.VALIDATED and not (batch.home.outbox / batch.batch).exists()


def test_authority_is_asked_before_the_register_is_read(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    batch = ready.copy(ready.kept(tmp_path_factory.getbasetemp(), State.INGESTED), tmp_path)
    batch.enrol(ready.changed(batch.agreement, purposes=["Grand jury proceeding"]))
    assert batch.run() is State.REFUSED
    with batch.work() as one:
        assert one.record.codes == ("PURPOSE_NOT_ALLOWED",)
        assert State.MATCHED not in [e["kind"] for e in one.ledger.events(one.name)]
    counts = json.loads((batch.home.verdicts / batch.batch / "outcomes.json").read_text())
    assert counts == {"refused": len(ready.rows())}


@pytest.mark.slow
def test_the_checkpoint_does_not_believe_what_the_stage_wrote(batch: Ready) -> None:
    """Somebody removes the withheld rows, and adds a field, between the decision and the checkpoint."""
    batch.enrol(ready.changed(batch.agreement, fields=NARROW, tiers=["A"]))
    with batch.work() as one:
        one.do(Step.PREPARE)
        assert one.record.state is State.VALIDATED
        one.do(Step.RELEASE)
        said = json.loads((one.folder / READ).read_bytes())
        (one.folder / WITHHELD).unlink()
        (one.folder / READ).write_text(json.dumps({**said, "withheld": None, "fields": ["street", *NARROW]}))
        leaving, _ = one.release.law.leaving()
        release.outcomes(one.ctx, leaving=leaving)
        one.do(Step.DISCLOSURE)
        assert one.record.state is State.HELD and {"PACKAGE_DIFFERS", "VERDICT_DIFFERS"} <= set(one.record.codes)
