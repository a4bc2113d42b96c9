"""Publication: once, accounted first, stopped by halts and orders up to the last moment, and whole after any crash."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select

from expectations.base.errors import Fault
from flows.batch import publication
from flows.batch.publication import Step
from flows.ledger.database.models import Claim
from flows.ledger.decisions import Reason
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.outbox import STAGING, package_digest
from flows.outbox.contract import unwritable
from flows.outbox.folder import Folder
from tests.factories.law import any_order, no_law
from tests.factories.ledgers import ORDER, Office, accounted, package, pairs, receive, sealed, sha
from tests.flows.ledger import killer


class Desk:
    """Prepares and publishes batches of one ledger, with one outbox."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger, self.folder, self.outbox = ledger, folder, folder / "outbox"

    def package(self, batch: str) -> Path:
        path = self.folder / "lake" / batch
        return path if path.exists() else package(path, batch)

    def prepare(self, batch: str, *names: str, law: publication.Law = no_law) -> Step:
        return publication.prepare(
            self.ledger,
            batch,
            keys=pairs(*names),
            package=self.package(batch),
            merkle_root=accounted(self.ledger, batch),
            content_digest=sha("rows"),
            law=law,
        )

    def publish(self, batch: str, law: publication.Law = no_law) -> Step:
        return publication.publish(self.ledger, batch, package=self.package(batch), outbox=self.outbox, law=law)

    def names(self) -> list[str]:
        return sorted(p.name for p in self.outbox.glob("[!.]*"))

    def state(self, batch: str) -> State:
        found = self.ledger.batch(batch)
        assert found is not None
        return found.state


@pytest.fixture
def desk(ledger: Ledger, tmp_path: Path) -> Desk:
    sealed(ledger)
    return Desk(ledger, tmp_path)


def test_a_package_leaves_whole_and_once(desk: Desk) -> None:
    assert desk.prepare("batch-1", "a", "b") == Step(State.PREPARED)
    assert list(desk.ledger.disclosed("agency", "mou")) == []
    assert desk.publish("batch-1") == Step(State.PUBLISHED)
    assert desk.names() == ["batch-1"]
    assert package_digest(desk.outbox / "batch-1") == package_digest(desk.package("batch-1"))
    assert list(desk.ledger.disclosed("agency", "mou")) == sorted(k for k, _ in pairs("a", "b"))
    assert list(desk.ledger.disclosed("agency", "another")) == []
    assert [desk.prepare("batch-1", "a", "b"), desk.publish("batch-1")] == [Step(State.PUBLISHED)] * 2
    kinds = Counter(e["kind"] for e in desk.ledger.events("batch-1"))
    assert kinds["prepared"] == kinds["published"] == 1
    assert desk.ledger.verify() == []


def test_accounting_comes_first(desk: Desk) -> None:
    receive(desk.ledger, "batch-2")
    with pytest.raises(Fault, match="NO_SUCH_STEP"):
        desk.prepare("batch-2", "a")
    desk.publish("batch-1")
    assert desk.names() == [] and desk.state("batch-1") is State.SEALED


def test_keys_of_another_batch_are_named_and_nothing_is_claimed(desk: Desk) -> None:
    sealed(desk.ledger, "batch-2")
    desk.prepare("batch-1", "a", "b")
    step = desk.prepare("batch-2", "b", "c")
    assert step == Step(State.SEALED, taken=frozenset(k for k, _ in pairs("b")))
    assert desk.state("batch-2") is State.SEALED
    publication.reopen(desk.ledger, "batch-2", desk.outbox)
    desk.ledger.advance("batch-2", State.SEALED)
    assert desk.prepare("batch-2", "c").state is State.PREPARED
    assert desk.ledger.verify() == []


def test_thousands_of_keys_are_all_claimed(desk: Desk) -> None:
    """More than go in with one statement: from the first key to the last, whatever they begin with."""
    names = [f"n{i}" for i in range(6_000)]
    assert desk.prepare("batch-1", *names).state is State.PREPARED
    desk.publish("batch-1")
    assert list(desk.ledger.disclosed("agency", "mou")) == sorted(k for k, _ in pairs(*names))
    assert desk.ledger.verify() == []


def test_other_parties_have_keys_of_their_own(desk: Desk) -> None:
    sealed(desk.ledger, "batch-2", requester="another")
    sealed(desk.ledger, "batch-3", agreement="another")
    for batch in ("batch-1", "batch-2", "batch-3"):
        assert desk.prepare(batch, "a").state is State.PREPARED


def test_a_key_twice_is_a_fault(desk: Desk) -> None:
    with pytest.raises(Fault, match="KEY_TWICE"):
        desk.prepare("batch-1", "a", "a")
    assert desk.state("batch-1") is State.SEALED


def test_withdrawn_claims_are_free_again(desk: Desk) -> None:
    sealed(desk.ledger, "batch-2")
    desk.prepare("batch-1", "a")
    assert publication.withdraw(desk.ledger, "batch-1", desk.outbox, ["HALTED"]) is State.WITHDRAWN
    assert desk.publish("batch-1") == Step(State.WITHDRAWN)
    assert desk.prepare("batch-2", "a").state is State.PREPARED
    assert desk.publish("batch-2").state is State.PUBLISHED
    assert desk.names() == ["batch-2"]
    assert desk.ledger.verify() == []


def test_a_package_that_left_is_neither_withdrawn_nor_reopened(desk: Desk) -> None:
    desk.prepare("batch-1", "a")
    package(desk.outbox / "batch-1", "batch-1")  # renamed, and then the process died
    for way_back in (
        lambda: publication.withdraw(desk.ledger, "batch-1", desk.outbox, ["HALTED"]),
        lambda: publication.reopen(desk.ledger, "batch-1", desk.outbox),
    ):
        with pytest.raises(Fault, match="HAS_LEFT"):
            way_back()
    assert publication.recover(desk.ledger, "batch-1", desk.outbox) is State.PUBLISHED


def test_only_the_prepared_package_leaves(desk: Desk) -> None:
    desk.prepare("batch-1", "a")
    (desk.package("batch-1") / "data" / "part.parquet.age").write_text("swapped")
    with pytest.raises(Fault, match="PACKAGE_CHANGED"):
        desk.publish("batch-1")
    with pytest.raises(Fault, match="OTHER_PACKAGE"):
        desk.prepare("batch-1", "a")
    assert desk.names() == [] and desk.state("batch-1") is State.PREPARED
    publication.reopen(desk.ledger, "batch-1", desk.outbox)
    desk.ledger.advance("batch-1", State.SEALED)
    assert desk.prepare("batch-1", "a").state is State.PREPARED
    assert desk.publish("batch-1").state is State.PUBLISHED


@pytest.mark.parametrize("there", ["another package", "an empty folder", "a file"])
def test_nothing_is_published_over_something_else(desk: Desk, there: str) -> None:
    desk.prepare("batch-1", "a")
    target = desk.outbox / "batch-1"
    if there == "another package":
        package(target, "another")
    elif there == "an empty folder":
        target.mkdir(parents=True)
    else:
        desk.outbox.mkdir()
        target.write_text("x")
    with pytest.raises(Fault, match="OUTBOX_TAKEN"):
        desk.publish("batch-1")
    assert desk.state("batch-1") is State.PREPARED


def test_a_halt_stops_before_and_after_preparing_and_changes_nothing(desk: Desk, office: Office) -> None:
    def lift(halt: int) -> None:
        for name in ("ada", "ben"):
            desk.ledger.resume(
                halt, Reason.CAUSE_MENDED, office.line(name), office.sign(name, desk.ledger.halt_message(halt))
            )

    halt = desk.ledger.halt("ada", Reason.SUSPECTED_FAULT)
    assert desk.prepare("batch-1", "a") == Step(State.SEALED, codes=("HALTED",))
    lift(halt)
    assert desk.prepare("batch-1", "a") == Step(State.PREPARED)
    halt = desk.ledger.halt("ben", Reason.SUSPECTED_FAULT)
    assert desk.publish("batch-1") == Step(State.PREPARED, codes=("HALTED",))
    assert desk.names() == []
    lift(halt)
    assert desk.publish("batch-1") == Step(State.PUBLISHED)


def test_an_order_enrolled_meanwhile_refuses_or_withdraws(desk: Desk, office: Office) -> None:
    sealed(desk.ledger, "batch-2")
    assert desk.prepare("batch-1", "a", law=any_order).state is State.PREPARED
    office.enrol(ORDER)
    stopped = {"codes": ("COURT_ORDER",), "cites": ("order-1",)}
    assert desk.publish("batch-1", any_order) == Step(State.WITHDRAWN, **stopped)
    assert desk.prepare("batch-2", "b", law=any_order) == Step(State.REFUSED, **stopped)
    assert desk.names() == [] and list(desk.ledger.disclosed("agency", "mou")) == []
    assert desk.ledger.verify() == []


def test_claims_changed_beside_the_chain_are_found(desk: Desk) -> None:
    desk.prepare("batch-1", "a", "b")
    desk.publish("batch-1")
    with desk.ledger.transaction() as session:
        session.delete(session.scalars(select(Claim)).first())
    assert [p.place for p in desk.ledger.verify()] == ["claims of batch batch-1"]


@pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgresql", marks=[pytest.mark.outside, pytest.mark.slow])], indirect=True
)
def test_after_a_kill_at_any_point_the_next_run_ends_the_same(url: str, tmp_path: Path) -> None:
    died = 0
    with Ledger.open(url) as ledger:
        while True:
            batch = f"batch-{died}"
            desk = Desk(ledger, tmp_path)
            sealed(ledger, batch, requester=f"agency-{died}")
            args = (url, batch, desk.package(batch), desk.outbox, died)
            process = killer.process(killer.run_and_die, *args)
            process.start()
            process.join()
            killer.finish(ledger, batch, desk.package(batch), desk.outbox, pairs("a", "b"))
            kinds = Counter(e["kind"] for e in ledger.events(batch))
            assert (desk.state(batch), kinds["prepared"], kinds["published"]) == (State.PUBLISHED, 1, 1), died
            assert package_digest(desk.outbox / batch) == ledger.batch(batch).package_digest  # type: ignore[union-attr]
            assert len(list(ledger.disclosed(f"agency-{died}", "mou"))) == 2
            if process.exitcode == 0:
                break
            assert process.exitcode == -signal.SIGKILL
            died += 1
        assert died >= 24  # commits, copy, each file and folder made durable, rename, clearing away: before and after
        assert list((desk.outbox / STAGING).iterdir()) == []
        assert desk.names() == sorted(f"batch-{n}" for n in range(died + 1))
        assert ledger.verify() == []


def test_of_two_racing_batches_the_later_loses_the_row_not_the_batch(url: str, tmp_path: Path) -> None:
    with Ledger.open(url) as ledger:
        desk = Desk(ledger, tmp_path)
        start = killer.context().Barrier(2)
        racing = {"batch-1": [f"n{i}" for i in range(400)], "batch-2": [f"n{i}" for i in range(200, 600)]}
        processes = []
        for batch, names in racing.items():
            sealed(ledger, batch)
            args = (url, batch, desk.package(batch), desk.outbox, names, start)
            processes.append(killer.process(killer.race, *args))
        for process in processes:
            process.start()
        for process in processes:
            process.join()
            assert process.exitcode == 0
        disclosed = list(ledger.disclosed("agency", "mou"))
        assert disclosed == sorted(k for k, _ in pairs(*(f"n{i}" for i in range(600))))
        assert desk.names() == ["batch-1", "batch-2"]
        assert ledger.verify() == []


def test_nothing_is_prepared_that_is_not_accounted_for_as_it_leaves(ledger: Ledger, tmp_path: Path) -> None:
    sealed(ledger)
    made = package(tmp_path / "p")

    def prepare(root: str) -> Step:
        return publication.prepare(
            ledger,
            "batch-1",
            keys=pairs("a"),
            package=made,
            merkle_root=sha(root),
            content_digest=sha("rows"),
            law=no_law,
        )

    with pytest.raises(Fault, match="NOT_ACCOUNTED"):
        prepare("root")
    accounted(ledger)
    with pytest.raises(Fault, match="NOT_ACCOUNTED"):
        prepare("another")
    prepare("root")
    accounted(ledger)  # another run, to the same effect
    with pytest.raises(Fault, match="ACCOUNTED_ALREADY"):
        accounted(ledger, root="another")
    said = ledger.accounted("batch-1")
    assert said is not None and (said["rows"], said["merkle_root"]) == (2, sha("root"))
    assert [e["kind"] for e in ledger.events("batch-1")][-2:] == ["accounted", "prepared"]
    assert ledger.verify() == []


def test_a_run_whose_copy_a_faster_one_tidied_has_nothing_to_do(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(ledger, tmp_path)
    sealed(ledger)
    assert desk.prepare("batch-1", "a").state is State.PREPARED
    stage = Folder.staged

    @contextmanager
    def overtaken(outbox: Folder, package: Path, name: str) -> Iterator[Any]:
        monkeypatch.setattr(Folder, "staged", stage)
        assert desk.publish(name).state is State.PUBLISHED
        raise unwritable(FileNotFoundError(), name)
        yield

    monkeypatch.setattr(Folder, "staged", overtaken)
    assert desk.publish("batch-1").state is State.PUBLISHED


def test_two_runs_of_one_batch_publish_it_once(url: str, tmp_path: Path) -> None:
    with Ledger.open(url) as ledger:
        desk = Desk(ledger, tmp_path)
        sealed(ledger)
        start = killer.context().Barrier(2)
        args = (url, "batch-1", desk.package("batch-1"), desk.outbox, ["a", "b"], start)
        processes = [killer.process(killer.race, *args) for _ in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert desk.state("batch-1") is State.PUBLISHED
        assert Counter(e["kind"] for e in ledger.events())["published"] == 1
        assert [p.exitcode for p in processes] == [0, 0]
        assert ledger.verify() == []


@pytest.mark.slow
def test_claims_come_in_by_the_hundred_thousand(ledger: Ledger, tmp_path: Path) -> None:
    sealed(ledger)
    keys = [sha(str(i)) for i in range(100_000)]
    step = publication.prepare(
        ledger,
        "batch-1",
        keys=pa.table({"request_key": keys, "person_key": keys}),
        package=package(tmp_path / "p"),
        merkle_root=accounted(ledger),
        content_digest=sha("rows"),
        law=no_law,
    )
    assert step.state is State.PREPARED
    assert publication.publish(ledger, "batch-1", package=tmp_path / "p", outbox=tmp_path / "out", law=no_law)
    assert sum(1 for _ in ledger.disclosed("agency", "mou")) == 100_000
