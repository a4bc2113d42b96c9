"""Many batches at once: what was decided, how many have spoken, and their events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.ledger.decisions import Decision, Reason
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.cases import Proof
from flows.ledger.lifecycles.states import Checkpoint, State
from tests.factories import recalls
from tests.factories.ledgers import ROWS, Office, pairs, published, receive, sealed
from tests.flows.ledger.test_recalls import new, take

REJECT, RETRY, DROP, CONFIRM = Decision.REJECT, Decision.RETRY, Decision.DROP, Decision.CONFIRM
INTAKE, MATCHING = Checkpoint.INTAKE, Checkpoint.MATCHING
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def held(ledger: Ledger, name: str) -> int:
    receive(ledger, name)
    hold = ledger.hold(name, INTAKE, ROWS, ["TOO_MANY_INCOMPLETE"]).hold
    assert hold is not None
    return hold


def test_a_decision_is_among_them_once_enough_have_signed_it(ledger: Ledger, office: Office) -> None:
    hold = held(ledger, "batch-1")
    office.decide("ada", "batch-1", INTAKE, DROP)
    assert ledger.decided_since(LONG_AGO) == []  # ben, who has not spoken, would see what ada wants
    assert ledger.spoken([hold]) == {hold: 1}
    office.decide("ben", "batch-1", INTAKE, DROP)
    (one,) = ledger.decided_since(LONG_AGO)
    assert (one.batch, one.hold, one.checkpoint, one.decision, one.signed) == ("batch-1", hold, INTAKE, DROP, 2)
    assert one.reasons == (Reason.INCOMPLETE_ROWS,)
    assert one.at == max(decision.at for decision in ledger.decisions("batch-1"))
    assert ledger.decided_since(one.at) == [one]
    assert ledger.decided_since(one.at + timedelta(microseconds=1)) == []
    assert ledger.spoken([hold]) == {hold: 2}


def test_one_whose_first_signature_is_older_is_there_whole(ledger: Ledger, office: Office) -> None:
    held(ledger, "batch-1")
    office.decide("ada", "batch-1", INTAKE, DROP)
    (first,) = ledger.decisions("batch-1")
    office.decide("ben", "batch-1", INTAKE, DROP)
    (one,) = ledger.decided_since(first.at + timedelta(microseconds=1))
    assert one.signed == 2


def test_they_stand_with_the_newest_first_and_say_how_many_signed(ledger: Ledger, office: Office) -> None:
    for name in ("batch-1", "batch-2"):
        held(ledger, name)
    office.decide("cleo", "batch-2", INTAKE, REJECT)
    office.decide("ada", "batch-1", INTAKE, REJECT)
    assert [(one.batch, one.decision, one.signed) for one in ledger.decided_since(LONG_AGO)] == [
        ("batch-1", REJECT, 1),
        ("batch-2", REJECT, 1),
    ]


def test_a_decision_beside_another_that_was_granted_stays_unseen(ledger: Ledger, office: Office) -> None:
    receive(ledger)
    ledger.advance("batch-1", State.INGESTED)
    ledger.hold("batch-1", MATCHING, ROWS, ["MATCH_RATE"])
    office.decide("ada", "batch-1", MATCHING, CONFIRM)
    office.decide("ben", "batch-1", MATCHING, RETRY)
    assert [one.decision for one in ledger.decided_since(LONG_AGO)] == [RETRY]


def test_a_halt_that_was_lifted_is_a_decision_without_a_batch(ledger: Ledger, office: Office) -> None:
    halt = ledger.halt("ada", Reason.SUSPECTED_FAULT)
    for name in ("ada", "ben"):
        ledger.resume(halt, Reason.CAUSE_MENDED, office.line(name), office.sign(name, ledger.halt_message(halt)))
    (one,) = ledger.decided_since(LONG_AGO)
    assert (one.batch, one.hold, one.decision, one.signed) == (None, halt, Decision.RESUME, 2)


def test_events_by_batch_are_those_of_each(ledger: Ledger) -> None:
    names = [f"batch-{n}" for n in range(3)]
    for name in names:
        held(ledger, name)
    found = ledger.events_by_batch([*names[:2], "unknown"])
    assert dict(found) == {name: ledger.events(name) for name in names[:2]}
    assert ledger.events_by_batch([]) == {} and ledger.spoken([]) == {}


def test_a_thousand_cases_take_as_many_queries_as_one(ledger: Ledger, office: Office, tmp_path: Path) -> None:
    sealed(ledger)
    published(ledger, tmp_path, "batch-1")
    ledger.open_case(new(), pairs("batch-1"), "ada")
    take(office, Proof.LIST)

    def asked() -> int:
        with recalls.queries() as found:
            ledger.cases()
            ledger.signers()
            ledger.case("c-1")
        return len(found)

    before, first = asked(), ledger.case("c-1")
    recalls.multiplied(ledger, 999)
    found = ledger.cases()
    assert asked() == before and len(found) == 1_000 and found[0] == first == ledger.case("c-1")
    assert {len(case.steps) for case in found} == {2} and len({case.id for case in found}) == 1_000
