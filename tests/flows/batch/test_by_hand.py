"""A person takes a submission in: the event keeps who, and an agreement that bars them asks. What comes by itself is
taken in by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from expectations.base import signatures
from expectations.base.errors import BadInput, Usage
from flows.batch.receive import ByHand, receive
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.ledger.roles import NotYourRole, Role
from flows.operations.progress import Reporter
from flows.schedule import due, run, watch
from tests.factories import installations, runs
from tests.factories.installations import Installation
from tests.factories.ledgers import Office
from tests.flows.conftest import Run

TWO = ("operator-1", "operator-2")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[tuple[Installation, Office]]:
    """A home whose agreement bars whoever takes a batch in; `cleo` is a third approver, `vera` a viewer."""
    found = installations.make(tmp_path / "home")
    with installations.at_home(found.home), runs.ledger_of(found.home) as ledger:
        office = Office(ledger)
        office.keys = {name: signatures.load(found.home.keys / name) for name in TWO}
        for name, role in (("cleo", Role.APPROVER), ("vera", Role.VIEWER)):
            office.keys[name] = office.new_key()
            said = ledger.operator_message(name, office.line(name), [role])
            ledger.enrol_operator(name, office.line(name), office.signed(said, TWO, signatures.OPERATOR), [role])
        (body,) = (body for id, _, body in ledger.instruments() if id == found.agreement.id)
        office.enrol(body.replace(b"\n[holder]", b"bars_receivers = true\n\n[holder]", 1), *TWO)
        yield found, office


def spoilt(made: Installation, folder: Path) -> Path:
    """A submission that is held for its share of incomplete addresses."""
    return made.submit(folder, [installations.request(n, street="NA NA") for n in range(1, 5)])


def take(made: Installation, ledger: Ledger, source: Path, hand: ByHand | None) -> str:
    return receive(made.home, ledger, ledger.clock, source, hand)


def test_who_takes_it_in_has_to_say_so_and_decides_nothing_on_it(
    made: tuple[Installation, Office], tmp_path: Path, command: Run
) -> None:
    found, office = made
    source, ledger = spoilt(found, tmp_path / "s"), office.ledger
    with pytest.raises(Usage, match=r"NO_OPERATOR.*sandbox-2026.*--operator"):
        take(found, ledger, source, ByHand())
    assert ledger.batches() == [] and not list(found.home.lake.glob("b-*"))
    name = take(found, ledger, source, ByHand("cleo"))
    assert take(found, ledger, source, ByHand()) == name  # it is taken in: nobody is asked again
    assert runs.run(found.home, name) == (name, State.HELD)
    assert [event["facts"].get("by") for event in ledger.events(name)][:1] == ["cleo"]
    assert set(ledger.deciders(name).values()) == {TWO}
    assert "Taken in by: cleo" in command("status", name)[1]
    assert ledger.verify() == []


def test_what_comes_by_itself_is_taken_in_by_nobody(made: tuple[Installation, Office]) -> None:
    found, office = made
    name = take(found, office.ledger, spoilt(found, found.home.inbox / "s"), None)
    assert runs.run(found.home, name) == (name, State.HELD)
    assert office.ledger.known_batch(name).received_by is None and office.ledger.deciders(name) == {}


@pytest.mark.slow
def test_the_command_asks_and_records(made: tuple[Installation, Office], tmp_path: Path, command: Run) -> None:
    found, office = made
    source = str(spoilt(found, tmp_path / "s"))
    for named, why in (((), "NO_OPERATOR"), (("--operator", "nobody"), "UNKNOWN_OPERATOR")):
        code, _, said = command("run", source, *named)
        assert code == 2 and why in said
    assert command("run", source, "--operator", "operator-2")[0] == 3
    (batch,) = office.ledger.batches()
    assert batch.received_by == "operator-2"
    assert set(office.ledger.deciders(batch.name).values()) == {("cleo", "operator-1")}


def test_who_may_not_take_one_in_is_refused_before_anything_is_read(
    made: tuple[Installation, Office], tmp_path: Path
) -> None:
    found, office = made
    with pytest.raises(NotYourRole, match=r"receive.*vera"):
        take(found, office.ledger, tmp_path / "there is none", ByHand("vera"))
    assert office.ledger.events()[-1]["facts"] == {"by": "vera", "act": "receive"}
    assert office.ledger.batches() == []


def test_what_cannot_be_read_has_who_took_it_in_too(made: tuple[Installation, Office], tmp_path: Path) -> None:
    found, office = made
    with pytest.raises(BadInput):
        take(found, office.ledger, tmp_path, ByHand("cleo"))
    (batch,) = office.ledger.batches(State.UNREADABLE)
    assert batch.received_by == "cleo" and office.ledger.verify() == []


def test_what_watch_starts_is_taken_in_by_nobody(
    made: tuple[Installation, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It calls a submission by its id; a folder is named by people."""
    found, office = made
    folder = spoilt(found, found.home.inbox / "s")
    started: list[list[str]] = []
    monkeypatch.setattr(watch.subprocess, "Popen", lambda command, **_: started.append(command))
    watch.Watch(found.home, 1)._start(next(iter(due.due(found.home))))
    ((*_, what, _),) = started
    with pytest.raises(Usage, match="NO_OPERATOR"):
        run._name(found.home, str(folder), Reporter(quiet=True), None)
    name = run._name(found.home, what, Reporter(quiet=True), None)
    assert office.ledger.known_batch(name).received_by is None
