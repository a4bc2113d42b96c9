"""Batches in the ledger: taken in once, moved only as the state machine says, never with a value in an event."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from expectations.base.clock import Clock
from expectations.base.errors import Fault, Transient, Usage
from expectations.facts.earlier import Earlier
from flows.batch import tries
from flows.ledger.database import engine
from flows.ledger.database.models import Base
from flows.ledger.entrance.models import Private
from flows.ledger.facts import View
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.ledger.looks import LookReason, Why
from flows.ledger.tries import ANSWERING
from flows.schedule import sweep
from tests.factories.ledgers import RECEIVED_AT, ROWS, Office, pairs, published, receive, sealed, sha


def test_a_batch_is_received_once(ledger: Ledger) -> None:
    assert receive(ledger)
    first = ledger.batch("batch-1")
    assert not receive(ledger)
    assert ledger.batch("batch-1") == first
    assert [e["kind"] for e in ledger.events("batch-1")] == ["received"]
    assert first is not None and first.received_at == RECEIVED_AT and first.instruments == {"mou": sha("mou")}


def test_a_batch_goes_through_its_stages_and_is_found_by_state(ledger: Ledger) -> None:
    sealed(ledger)
    receive(ledger, "batch-2")
    assert [b.name for b in ledger.batches()] == ["batch-1", "batch-2"]
    assert [b.name for b in ledger.batches(State.SEALED)] == ["batch-1"]
    assert [e["kind"] for e in ledger.events("batch-1")] == ["received", "ingested", "matched", "validated", "sealed"]
    assert ledger.verify() == []


def test_many_are_found_by_name_at_once(ledger: Ledger) -> None:
    receive(ledger)
    receive(ledger, "batch-2")
    for others in (0, 1, 3000):  # more than one query takes
        names = ["batch-2", *(f"nobody-{n}" for n in range(others)), "batch-1"]
        assert ledger.named(names) == {name: ledger.batch(name) for name in ("batch-1", "batch-2")}
    assert ledger.named([]) == {}


def test_the_newest_are_found_of_all_and_of_one_requester_up_to_a_batch(ledger: Ledger) -> None:
    for n, requester in enumerate(("agency", "other", "agency", "agency")):
        receive(ledger, f"batch-{n}", requester=requester, at=RECEIVED_AT + timedelta(minutes=n))

    def names(count: int, like: str = "") -> list[str]:
        found = ledger.newest_batches(count, ledger.known_batch(like) if like else None)
        return [one.name for one in found]

    assert names(9) == ["batch-3", "batch-2", "batch-1", "batch-0"] and names(2) == ["batch-3", "batch-2"]
    assert names(9, "batch-2") == ["batch-2", "batch-0"] and names(1, "batch-3") == ["batch-3"]


@pytest.mark.parametrize("to", [s for s in State if s not in (State.INGESTED, State.FAILED, State.UNREADABLE)])
def test_advance_takes_no_other_step(ledger: Ledger, to: State) -> None:
    receive(ledger)
    with pytest.raises(Fault, match="NO_SUCH_STEP"):
        ledger.advance("batch-1", to)
    assert len(ledger.events()) == 1


def test_after_a_fault_a_batch_goes_on_from_where_it_was(ledger: Ledger) -> None:
    receive(ledger)
    ledger.advance("batch-1", State.INGESTED)
    assert ledger.advance("batch-1", State.FAILED).resumes is State.INGESTED
    with pytest.raises(Fault, match="goes on from where it was"):
        ledger.advance("batch-1", State.SEALED)
    assert ledger.advance("batch-1", State.INGESTED).resumes is None


def test_an_unknown_batch_is_a_usage_error(ledger: Ledger) -> None:
    with pytest.raises(Usage, match="UNKNOWN_BATCH"):
        ledger.advance("nobody", State.INGESTED)
    assert ledger.batch("nobody") is None


def test_a_checkpoint_holds_only_the_state_it_runs_in(ledger: Ledger) -> None:
    receive(ledger)
    with pytest.raises(Fault, match="NO_SUCH_STEP"):
        ledger.hold("batch-1", Checkpoint.MATCHING, ROWS, ["MATCH_RATE"])
    held = ledger.hold("batch-1", Checkpoint.INTAKE, ROWS, ["TOO_MANY_INCOMPLETE"], {"rows_submitted": 10})
    assert (held.state, held.resumes, held.checkpoint) == (State.HELD, State.RECEIVED, Checkpoint.INTAKE)
    assert (held.content_digest, held.codes) == (ROWS, ("TOO_MANY_INCOMPLETE",))


def test_a_refusal_cites_its_instrument(ledger: Ledger) -> None:
    receive(ledger)
    with pytest.raises(Fault, match="NO_REASON"):
        ledger.refuse("batch-1", [], [])
    refused = ledger.refuse("batch-1", ["COURT_ORDER"], ["mou"])
    assert (refused.state, refused.codes, refused.cites) == (State.REFUSED, ("COURT_ORDER",), ("mou",))


CANARY = "ZEBEDIAH"


@pytest.mark.parametrize(
    "facts",
    [
        {"name": CANARY},
        {"codes": [CANARY]},
        {"counts": {"deep": CANARY}},
        {CANARY: 1},
        {"counts": {CANARY: 1}},
        {"born": "1970-02-03"},
        {"what": object()},
        {"what": CANARY.encode()},
    ],
)
def test_no_value_gets_into_an_event(ledger: Ledger, facts: dict[str, Any]) -> None:
    receive(ledger)
    with pytest.raises(Fault, match="UNSAFE_FACT") as error:
        ledger.advance("batch-1", State.INGESTED, facts=facts)
    assert CANARY not in str(error.value)
    assert ledger.batch("batch-1").state is State.RECEIVED  # type: ignore[union-attr]


def test_a_batch_takes_ids_and_digests_only(ledger: Ledger) -> None:
    for wrong in ("ZEBEDIAH SMITH", "", "x" * 65):
        with pytest.raises(Fault, match="UNSAFE_NAME") as error:
            receive(ledger, "batch-1", requester=wrong)
        assert "ZEBEDIAH" not in str(error.value)
    assert ledger.batches() == []


def test_a_look_at_values_is_an_event(ledger: Ledger, office: Office) -> None:
    receive(ledger)
    ledger.audit("batch-1", 17, View.VALUES, "ada", Why(LookReason.COMPLAINT))
    assert ledger.events("batch-1")[-1]["facts"] == {
        "ordinal": 17,
        "what": "values",
        "who": "ada",
        "reason": "complaint",
    }


def told(ledger: Ledger, since: datetime = RECEIVED_AT, requester: str = "agency") -> list[tuple[str, str]]:
    """The tries that count, whatever batch they are of."""
    found = ledger.tries(ledger.answered(requester, since, ANSWERING))
    return sorted({(person, values) for _, person, values in found if values is not None})


def test_tries_count_once_their_batch_is_prepared(ledger: Ledger, tmp_path: Path) -> None:
    sealed(ledger)
    ledger.record_tries("batch-1", pairs("a", "b", "a"))
    ledger.record_tries("batch-1", pairs("b"))
    assert told(ledger) == []
    published(ledger, tmp_path, "batch-1")
    assert told(ledger) == sorted(pairs("a", "b"))
    assert told(ledger, ledger.clock.now() + timedelta(seconds=1)) == [] and told(ledger, requester="another") == []
    sealed(ledger, "batch-2")
    ledger.record_tries("batch-2", pairs("c", "b"))
    assert told(ledger) == sorted(pairs("a", "b"))
    ledger.refuse("batch-2", ["COURT_ORDER"], ["mou"])
    assert told(ledger) == sorted(pairs("a", "b"))
    assert ledger.verify() == []


def test_tries_age_out_with_an_event(ledger: Ledger, tmp_path: Path) -> None:
    """Not while their batch is under way, nor before the period is over since it was answered."""
    sealed(ledger)
    ledger.record_tries("batch-1", pairs("a", "b"))
    now, head = ledger.clock.now(), ledger.head()
    assert ledger.age_tries(now + timedelta(days=9)) == 0 and ledger.head() == head
    published(ledger, tmp_path, "batch-1")
    assert ledger.age_tries(now) == 0
    end = ledger.clock.now() + tries.longest(ledger) + timedelta(days=1)
    with Ledger(ledger._readers, Clock(end, leap=timedelta.max)) as later:
        sweep.age_tries(later)
    event = ledger.events()[-1]
    assert event["kind"] == "tries_aged" and event["facts"]["rows"] == 2
    assert told(ledger) == [] and ledger.verify() == []


def test_only_keyed_hashes_come_in(ledger: Ledger) -> None:
    receive(ledger)
    with pytest.raises(Fault, match="UNSAFE_KEY") as error:
        ledger.record_tries("batch-1", [(CANARY, sha("x"))])
    assert CANARY not in str(error.value)


def test_migrations_make_the_models_and_open_again_changes_nothing(ledger: Ledger, url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    receive(ledger)
    with Ledger.open(url) as again, again.reading() as session:
        assert again.batch("batch-1") is not None
        both = [Base.metadata, Private.metadata]
        assert compare_metadata(MigrationContext.configure(session.connection()), both) == []  # type: ignore[arg-type]
        assert "claims_of_batch" in {i["name"] for i in inspect(session.connection()).get_indexes("claims")}


def test_the_newest_migration_is_the_one_that_open_looks_for() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "flows.ledger:migrations")
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [engine.HEAD]


@pytest.mark.parametrize("url", ["mysql://root:secret@h/x", "secret", "sqlite://"], indirect=False)
def test_another_url_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(Usage, match="LEDGER_URL") as error:
        Ledger.open(url)
    assert "secret" not in str(error.value)


def test_the_ledger_is_its_owners_only(tmp_path: Path) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/home/ledger.db") as ledger:
        receive(ledger)
        assert {p.stat().st_mode & 0o077 for p in (tmp_path / "home").iterdir()} == {0}


def test_a_file_that_is_no_database_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("secret " * 1000)
    with pytest.raises(Fault, match="LEDGER_BROKEN") as error:
        Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    assert "secret" not in str(error.value)


def test_a_database_out_of_reach_may_be_tried_again() -> None:
    with pytest.raises(Transient, match="LEDGER_BUSY") as error:
        Ledger.open("postgresql://secret:secret@/x?host=/nowhere")
    assert "secret" not in str(error.value)


def test_what_passed_intake_is_counted_by_requester_agreement_and_time(ledger: Ledger) -> None:
    clock = ledger.clock.now()
    for name, facts in (
        ("batch-1", {"rows_submitted": 10, "incomplete_rows": 1}),
        ("batch-2", {"rows_submitted": 5, "incomplete_rows": 2}),
    ):
        receive(ledger, name)
        ledger.advance(name, State.INGESTED, facts=facts)
    known = ledger.batch("batch-1")
    assert known is not None
    day = timedelta(days=1)
    assert ledger.passed_intake(known.requester, known.agreement, clock - day) == Earlier(15, 3)
    assert ledger.passed_intake("somebody-else", known.agreement, clock - day) == Earlier()
    assert ledger.passed_intake(known.requester, "another", clock - day) == Earlier()
    assert ledger.passed_intake(known.requester, known.agreement, clock + day) == Earlier()


def _matched(ledger: Ledger, name: str, looked_up: int, matched: int, **parties: str) -> None:
    """A batch that passed `matching` with these counts, and all that follows."""
    receive(ledger, name, **parties)
    ledger.advance(name, State.INGESTED)
    ledger.advance(name, State.MATCHED, facts={"looked_up": looked_up, "matched": matched})
    ledger.advance(name, State.FAILED)
    ledger.advance(name, State.MATCHED)  # again, without a count
    for state in (State.VALIDATED, State.SEALED):
        ledger.advance(name, state)


def test_match_rates_are_those_of_published_batches_the_newest_first(ledger: Ledger, tmp_path: Path) -> None:
    others: dict[str, dict[str, str]] = {"batch-4": {"requester": "another"}, "batch-5": {"agreement": "another"}}
    for n in range(1, 7):
        _matched(ledger, f"batch-{n}", 10 * n, n, **others.get(f"batch-{n}", {}))
    for n in (1, 3, 2, 4, 5):  # the sixth is not published
        published(ledger, tmp_path, f"batch-{n}")
    sealed(ledger, "batch-7")
    published(ledger, tmp_path, "batch-7")  # of a version that did not count
    assert ledger.match_rates("agency", "mou") == [(30, 3), (20, 2), (10, 1)]
    assert ledger.match_rates("agency", "mou", newest=2) == [(30, 3), (20, 2)]
    assert ledger.match_rates("another", "mou") == [(40, 4)]
    assert ledger.match_rates("agency", "another") == [(50, 5)]
    assert ledger.match_rates("another", "another") == []
