"""What was sealed anew, and somebody who wants it otherwise: an old file put back, a file that waits, a forged event, a
copy of a key that was to be gone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from expectations.base.errors import BadInput, Fault
from flows import audit
from flows.audit import export, resealing, settling
from flows.cases import corrections, documents
from flows.evidence import keys, shred
from flows.evidence.store import accounting_path, evidence_file, evidence_list_path
from flows.home import holder, staging
from flows.home.tree import Home, open_home
from flows.ledger import Ledger
from flows.ledger.database.models import SealKind
from flows.ledger.events.seals import Resealed
from flows.ledger.lifecycles.states import State
from pipelines import sealing
from tests.factories import runs, sealed
from tests.factories.ledgers import sha
from tests.factories.runs import at
from tests.factories.sealed import Sealed

FAR = "2036-01-02"  # when the retention of all that was released here has ended


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    return sealed.make(tmp_path_factory.mktemp("sealed"))


@pytest.fixture
def home(base: Sealed, tmp_path: Path) -> Home:
    return open_home(Path(shutil.copytree(base.home.root, tmp_path / "home")))


def reseal(home: Home, *, every: bool = False) -> resealing.Done:
    with runs.ledger_of(home) as ledger:
        return resealing.reseal(home, ledger, "operator-1", every=every)


def problems(home: Home) -> list[str]:
    with runs.ledger_of(home) as ledger:
        return [str(one) for one in audit.verify(home, ledger).problems]


def kept(home: Home, batch: str) -> dict[str, list[Path]]:
    """Sealed files that belong together, by the place that a problem with them has."""
    (case,) = (path.parent for path in home.root.glob(f"recalls/*/{documents.AFFECTED}"))
    (notice,) = (path.parent for path in home.root.glob(f"corrections/*/{corrections.LIST}"))
    return {
        f"accounting of batch {batch}": [accounting_path(home, batch)],
        f"evidence of batch {batch}": [evidence_list_path(home, batch), keys.place(home, batch)],
        f"keys/evidence/{batch}.age": [keys.place(home, batch)],
        f"recalls/{case.name}/{documents.AFFECTED}": [case / documents.AFFECTED],
        f"corrections/{notice.name}/{corrections.LIST}": [notice / corrections.LIST],
    }


def test_a_file_of_before_that_is_put_back_is_found(home: Home, base: Sealed) -> None:
    before = {path: path.read_bytes() for paths in kept(home, base.published).values() for path in paths}
    reseal(home)
    assert problems(home) == []
    for place, paths in kept(home, base.published).items():
        now = {path: path.read_bytes() for path in paths}
        for path in paths:
            path.write_bytes(before[path])
        assert [place in one for one in problems(home)] == [True], place
        for path, data in now.items():
            path.write_bytes(data)
    assert problems(home) == []


def test_evidence_of_before_that_is_put_back_is_found(home: Home, base: Sealed) -> None:
    rows = evidence_file(home, base.published, "parquet")
    before = rows.read_bytes()
    reseal(home, every=True)
    assert rows.read_bytes() != before and problems(home) == []
    rows.write_bytes(before)
    assert [f"evidence/{rows.name}" in one for one in problems(home)] == [True]


def test_what_waits_counts_for_nothing_unless_the_ledger_knows_it(home: Home, base: Sealed) -> None:
    own = holder.identity(home)
    reseal(home)
    for paths in kept(home, base.published).values():
        for path in paths:
            shutil.copyfile(home.root / "sluicegate.toml", staging.made(home, path))
    key = staging.made(home, keys.place(home, base.published))
    key.write_bytes(sealing.seal_secret(sealing.new_identity(), own.recipient))
    assert problems(home) == [] and staging.all_waiting(home) == []


def forged(change: Callable[[Resealed], Resealed]) -> Callable[[Ledger], None]:
    """An event that nobody's rules were asked for, with the tables as it says."""

    def append(ledger: Ledger) -> None:
        first = ledger.batches(State.PUBLISHED)[0].name
        files = tuple((kind, owner, digest, sha(kind)) for (kind, owner), digest in ledger.seals(first).items())
        (key,) = (one.fingerprint for one in ledger.known_keys() if one.name == "holder_age")
        event = change(Resealed(by="operator-1", key=key, files=files))
        with ledger.transaction() as session, _unasked():
            ledger.append(session, first, event, also={owner for _, owner, *_ in event.files} | {event.by})

    return append


@contextmanager
def _unasked() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Resealed, "wrong", lambda *_: iter(()))
        yield


def _other(event: Resealed) -> Resealed:
    return replace(event, files=tuple((k, owner, sha("another"), now) for k, owner, _, now in event.files))


def _same(event: Resealed) -> Resealed:
    return replace(event, files=tuple((k, owner, before, before) for k, owner, before, _ in event.files))


FORGED: dict[str, tuple[Callable[[Resealed], Resealed], str]] = {
    "by nobody": (lambda e: replace(e, by="operator-9"), "could not have files sealed anew"),
    "to another key": (lambda e: replace(e, key=sha("key")), "to another key than the holder's"),
    "of no file": (lambda e: replace(e, files=()), "it names no file"),
    "one twice": (lambda e: replace(e, files=e.files * 2), "more than once"),
    "another before": (_other, "did not have the digest"),
    "the same again": (_same, "the digest that a file has already"),
    "of no batch": (
        lambda e: replace(e, files=((SealKind.RECALL, "c-1", sha("a"), sha("b")),)),
        "does not belong to the batch",
    ),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_event_is_found_here_and_in_an_export(home: Home, tmp_path: Path, what: str) -> None:
    change, reason = FORGED[what]
    with runs.ledger_of(home) as ledger:
        forged(change)(ledger)
        number = ledger.head().seq
        found = [str(one) for one in ledger.verify()]
        assert any(f"event {number}" in one and reason in one for one in found), found
        export.write(ledger, tmp_path / "chain")
    away, *_ = export.verify(tmp_path / "chain", [], [])
    assert any(f"event {number}" in str(one) and reason in str(one) for one in away)
    with runs.ledger_of(home) as ledger, pytest.raises(Fault, match="EVENT_WRONG"), ledger.transaction() as session:
        event = change(Resealed(by="operator-1", key=sha("key"), files=()))
        ledger.append(session, None, event, also={event.by, *(owner for _, owner, *_ in event.files)})


def test_one_honest_event_repeated_is_found(home: Home) -> None:
    """As if it stood a second time, or before the one that it follows."""
    with runs.ledger_of(home) as ledger:
        forged(lambda event: event)(ledger)
        assert ledger.verify() == []
        kind, batch = SealKind.ACCOUNTING, ledger.batches(State.PUBLISHED)[0].name
        forged(lambda e: replace(e, files=((kind, batch, sha("long ago"), sha("now")),)))(ledger)
        assert ["did not have the digest" in str(one) for one in ledger.verify()] == [True]


def test_shredded_evidence_stays_shredded(home: Home, base: Sealed, tmp_path: Path) -> None:
    """Whoever has a copy of the evidence and of its key of before, and all that the home has left, opens nothing."""
    copies = {path.name: path.read_bytes() for path in home.root.glob(f"evidence/{base.published}.*")}
    half, rows = tmp_path / "half.age", tmp_path / "rows.age"
    half.write_bytes(keys.place(home, base.published).read_bytes())
    rows.write_bytes(copies[f"{base.published}.parquet.age"])
    assert opens(home, half, rows)
    assert reseal(home).destroyed == 1
    assert not opens(home, half, rows)
    with Ledger.open(home.ledger_url, at(FAR)) as ledger:
        closing(home, ledger, base)
        assert SealKind.EVIDENCE not in {kind for kind, _ in ledger.seals(base.published)}
    assert reseal(home, every=True).needs.earlier == ()
    for name, data in copies.items():
        assert not list(home.root.glob(f"evidence/{name}")), name
        assert data
    assert not opens(home, half, rows)


def closing(home: Home, ledger: Ledger, base: Sealed) -> None:
    """Shreds the batch, though a recall of its rows is not closed: what is asked here is what is left then."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shred, "KEEPERS", ())
        assert shred.shred(home, ledger, base.published) == []


def opens(home: Home, half: Path, rows: Path) -> bool:
    """Whether anything that the home has opens these copies: its key, and every key that lies sealed to it."""
    own = holder.identity(home)
    for path in [path for path in home.keys.rglob("*") if path.is_file()]:
        try:
            own = replace(own, earlier=(*own.earlier, sealing.open_secret(path, own).secret))
        except BadInput:
            continue
    try:
        return sealing.opens(rows, sealing.open_secret(half, own))
    except BadInput:
        return False


def test_the_key_that_all_gave_up_is_destroyed_and_not_only_unlinked(home: Home, base: Sealed, tmp_path: Path) -> None:
    """The private half of before is overwritten where it lies: a second name of the file shows it."""
    key = keys.place(home, base.published)
    before = key.read_bytes()
    (tmp_path / "second name").hardlink_to(key)
    reseal(home, every=True)
    assert len((tmp_path / "second name").read_bytes()) == len(before)
    assert (tmp_path / "second name").read_bytes() != before


def test_an_event_of_evidence_that_is_being_shredded_is_refused(home: Home, base: Sealed) -> None:
    with Ledger.open(home.ledger_url, at(FAR)) as ledger:
        assert ledger.begin_shredding(base.published, sha("key"), lambda _: []) == []
    with runs.ledger_of(home, at(FAR)) as ledger:
        done = resealing.reseal(home, ledger, "operator-1")
        assert done.left == (f"evidence of {base.published}",) and done.destroyed == 0
        assert len(done.needs.earlier) == 1 and settling.everything(home, ledger) == []
        forged(lambda e: replace(e, files=tuple(f for f in e.files if f[0] is SealKind.EVIDENCE)))(ledger)
        assert any("was destroyed, or was to be" in str(one) for one in ledger.verify())
