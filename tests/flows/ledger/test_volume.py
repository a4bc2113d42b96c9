"""The cap on rows within 30 days under the publication lock: of batches in flight at once, those that passed later are
stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from expectations.base.clock import Clock
from expectations.facts.earlier import Period
from flows.batch import publication
from flows.batch.publication import Step
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import State
from tests.factories.law import no_law
from tests.factories.ledgers import Office, accounted, package, pairs, sha
from tests.factories.submissions import INSTRUMENTS, RECIPIENT

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
REFUSED = ("TOO_MANY_ROWS_30_DAYS",)


def agreement(cap: int | None) -> bytes:
    text = (INSTRUMENTS / "sandbox-2026.toml.in").read_text().replace("{recipient}", str(RECIPIENT.to_public()))
    capped = f"rows_per_batch = 1500000\nrows_30_days = {cap}" if cap else "rows_per_batch = 1500000"
    return text.replace("rows_per_batch = 1500000", capped).replace("{signing_key}", "ssh-ed25519 AAAA").encode()


class Desk:
    """Takes batches in and publishes them, at the time of its clock, in days after the start."""

    def __init__(self, ledger: Ledger, folder: Path, cap: int | None) -> None:
        ledger.clock = Clock(START - timedelta(days=100), leap=timedelta.max)
        self.ledger, self.folder, self.office = ledger, folder, Office(ledger, "ada", "ben")
        self.digest = self.office.enrol(agreement(cap))

    def receive(self, batch: str, day: int = 0, requester: str = "agency") -> None:
        moment = START + timedelta(days=day)
        self.ledger.clock = Clock(moment, leap=timedelta.max)
        self.ledger.receive(
            batch,
            submission=sha(batch),
            requester=requester,
            agreement="sandbox-2026",
            received_at=moment,
            decided_on=date(2026, 6, 1),
            instruments={"sandbox-2026": self.digest},
            register="r",
            rows=10,
        )

    def ingest(self, batch: str, rows: int = 10, incomplete: int = 0) -> None:
        self.ledger.advance(batch, State.INGESTED, facts={"rows_submitted": rows, "incomplete_rows": incomplete})

    def seal(self, batch: str) -> None:
        for state in (State.MATCHED, State.VALIDATED, State.SEALED):
            self.ledger.advance(batch, state)

    def prepare(self, batch: str) -> Step:
        path = self.folder / "lake" / batch
        return publication.prepare(
            self.ledger,
            batch,
            keys=pairs(batch),
            package=path if path.exists() else package(path, batch),
            merkle_root=accounted(self.ledger, batch),
            content_digest=sha("rows"),
            law=no_law,
        )

    def publish(self, batch: str) -> Step:
        return publication.publish(
            self.ledger, batch, package=self.folder / "lake" / batch, outbox=self.folder / "outbox", law=no_law
        )


Open = Callable[[int | None], Desk]


@pytest.fixture
def opened(ledger: Ledger, tmp_path: Path) -> Open:
    return lambda cap: Desk(ledger, tmp_path, cap)


def both_in_flight(desk: Desk, *names: str) -> None:
    """Received before any of them passed intake, so that none knows of another."""
    for name in names:
        desk.receive(name)
    for name in names:
        desk.ingest(name)
    for name in names:
        desk.seal(name)


@pytest.mark.parametrize("first", ["a", "b"])
def test_of_two_in_flight_the_later_is_stopped_whoever_publishes_first(opened: Open, first: str) -> None:
    desk = opened(15)
    both_in_flight(desk, "a", "b")
    ended = {name: desk.prepare(name) for name in (first, "ab".replace(first, ""))}
    assert ended["a"] == Step(State.PREPARED)
    assert ended["b"] == Step(State.REFUSED, codes=REFUSED, cites=("sandbox-2026",))
    assert desk.publish("a") == Step(State.PUBLISHED)
    assert desk.ledger.verify() == []


@pytest.mark.parametrize(("cap", "passes"), [(None, 3), (30, 3), (29, 2), (20, 2), (19, 1), (10, 1), (9, 0)])
def test_as_many_as_the_cap_allows(opened: Open, cap: int | None, passes: int) -> None:
    desk = opened(cap)
    both_in_flight(desk, "a", "b", "c")
    assert [desk.prepare(name).state for name in "cba"].count(State.PREPARED) == passes


def test_incomplete_rows_of_batches_in_flight_count_together(opened: Open) -> None:
    """One in ten may be incomplete: each batch passed alone, and the later of two is one too many."""
    desk = opened(None)
    for name in "abc":
        desk.receive(name)
    for name, incomplete in (("a", 1), ("b", 2), ("c", 0)):
        desk.ingest(name, 10, incomplete)
        desk.seal(name)
    ended = {name: desk.prepare(name) for name in "cba"}
    assert ended["a"].state is ended["c"].state is State.PREPARED  # "c" has none itself
    assert ended["b"] == Step(State.REFUSED, codes=("TOO_MANY_INCOMPLETE",), cites=("sandbox-2026",))


@pytest.mark.parametrize(
    ("officer", "reason", "codes"),
    [
        (20_000, 2_000, ()),
        (20_001, 2_000, ("OFFICER_OVERLOADED",)),
        (20_000, 2_001, ("BOILERPLATE_REASONS",)),
        (20_001, 2_001, ("BOILERPLATE_REASONS", "OFFICER_OVERLOADED")),
    ],
)
def test_what_was_counted_over_the_period_is_judged_under_the_lock(
    opened: Open, officer: int, reason: int, codes: tuple[str, ...]
) -> None:
    desk = opened(None)
    desk.receive("a")
    desk.ledger.ask("a", 10, sha("asked"))
    desk.ledger.count_period("a", 365, Period(40_000, officer, reason))
    desk.ingest("a")
    desk.seal("a")
    assert desk.prepare("a").codes == codes
    assert desk.ledger.verify() == []


def test_a_lower_limit_enrolled_since_stops_a_prepared_batch(opened: Open) -> None:
    desk = opened(None)
    desk.receive("a")
    desk.ledger.ask("a", 10, sha("asked"))
    desk.ledger.count_period("a", 365, Period(40_000, 12, 0))
    desk.ingest("a")
    desk.seal("a")
    assert desk.prepare("a").state is State.PREPARED
    lower = agreement(None).replace(b"matters_per_officer_period = 20000", b"matters_per_officer_period = 11")
    desk.office.enrol(lower)
    assert desk.publish("a") == Step(State.WITHDRAWN, codes=("OFFICER_OVERLOADED",), cites=("sandbox-2026",))


def test_others_and_older_batches_do_not_count(opened: Open) -> None:
    desk = opened(15)
    for name, day, requester in (("old", 0, "agency"), ("other", 30, "another"), ("new", 31, "agency")):
        desk.receive(name, day, requester)
        desk.ingest(name)
        desk.seal(name)
    assert [desk.prepare(name).state for name in ("old", "other", "new")] == [State.PREPARED] * 3
    desk.receive("late", 60)
    desk.ingest("late")
    desk.seal("late")
    assert desk.prepare("late").codes == REFUSED  # "new" is 29 days old


def test_a_batch_counts_once_however_often_it_went_on(opened: Open) -> None:
    desk = opened(25)
    both_in_flight(desk, "a", "b")
    desk.ledger.advance("a", State.FAILED)
    desk.ledger.advance("a", State.SEALED)
    assert [desk.prepare(n).state for n in "ba"] == [State.PREPARED] * 2


@pytest.mark.parametrize(
    ("at_receipt", "now", "passes"),
    [(25, 15, False), (15, 25, False), (None, 15, False), (15, None, False), (25, 20, True)],
)
def test_a_new_version_can_only_narrow(opened: Open, at_receipt: int | None, now: int | None, passes: bool) -> None:
    desk = opened(at_receipt)
    both_in_flight(desk, "a", "b")
    desk.office.enrol(agreement(now))
    assert (desk.prepare("b").state is State.PREPARED) == passes


def test_a_prepared_batch_is_withdrawn_and_gives_its_claims_back(opened: Open) -> None:
    desk = opened(25)
    both_in_flight(desk, "a", "b")
    assert desk.prepare("b").state is State.PREPARED
    desk.office.enrol(agreement(15))
    assert desk.publish("b") == Step(State.WITHDRAWN, codes=REFUSED, cites=("sandbox-2026",))
    assert list(desk.ledger.disclosed("agency", "sandbox-2026")) == []
    assert not (desk.folder / "outbox" / "b").exists()
