"""A home whose operators choose another algorithm of digests: what was made before is proven by its own, what is made
from then on by the new one, and what people send or sign again is recognised."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import algorithms, signatures
from expectations.base.algorithms import FIRST, Scheme
from expectations.base.clock import Clock
from expectations.base.errors import SluicegateError
from flows import audit
from flows.audit import export, signed_heads
from flows.batch import decisions, publication
from flows.batch.receive import receive
from flows.cases import Step
from flows.cases.advancing import advance, hand_in
from flows.cases.opening import Chosen, open_cases
from flows.cases.places import handed_in
from flows.cases.steps import HandedIn, by_key
from flows.evidence import notes
from flows.evidence.store import accounting_path, stored_evidence
from flows.home.tree import HOLDER_SIGNING, Home
from flows.ledger.chain import Problem
from flows.ledger.decisions import Decision
from flows.ledger.lifecycles.cases import CaseReason, CaseState
from flows.ledger.lifecycles.states import State
from flows.operations import restore
from flows.replay.explain import explain
from flows.replay.lookback import lookback
from flows.replay.replay import replay
from flows.reports.declaration import declaration
from flows.sandbox.home import REQUESTER_AGE
from pipelines import release, sealing
from tests.factories import backups, installations, recalls, runs
from tests.factories.installations import Installation
from tests.factories.runs import flip, ledger_of

pytestmark = pytest.mark.skipif(FIRST is not Scheme.SHA256, reason="begins with SHA-256 and changes it")
CLOCK = Clock()


@dataclass(frozen=True)
class Times:
    """A home, and its batches of before the change. `backup`: of before; `first`: the first event after it."""

    made: Installation
    published: str
    rejected: str
    waits: str
    case: str
    submission: Path
    backup: Path
    recovery: Path
    first: int

    @property
    def home(self) -> Home:
        return self.made.home


def key(home: Home, name: str = "operator-1") -> Ed25519PrivateKey:
    return signatures.load(home.keys / name)


def change(home: Home, scheme: Scheme) -> int:
    """Two operators choose this algorithm; gives the event."""
    with ledger_of(home) as ledger:
        text = ledger.scheme_message(scheme)
        names = ("operator-1", "operator-2")
        return ledger.rehash(scheme, {n: signatures.sign(text, key(home, n), signatures.SCHEME) for n in names})


def problems(home: Home) -> list[Problem]:
    with ledger_of(home) as ledger:
        return list(audit.verify(home, ledger, deep=True).problems)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Times:
    """Batches of all ends, a note, a recall and a lookback, a signed head and a backup, by SHA-256; then the change."""
    folder = tmp_path_factory.mktemp("times")
    made = installations.make(folder / "home")
    home, recovery = made.home, backups.recovery(folder)
    published = runs.released(made, folder / "a", 1, 12)
    lost = [
        installations.request(70 + n, request_id=f"L-{n}", street=f"{n} Elsewhere Rd", **runs.NOBODY) for n in (1, 2)
    ]
    some = [installations.request(n, street="NA NA") for n in range(66, 70)]
    waits, state = runs.run(home, made.submit(folder / "b", [*map(installations.request, range(52, 66)), *some, *lost]))
    assert state is State.HELD
    refused = runs.held(made, folder / "c", "R")
    decisions.sign(home, refused, Decision.REJECT, key(home), text="the share is too high")
    assert runs.run(home, refused)[1] is State.REJECTED
    (case,) = open_cases(home, CLOCK, Chosen(published, ("0", "1")), CaseReason.INCOMPLETE_ADDRESS, "operator-1")
    lookback(home, CLOCK)
    with ledger_of(home) as ledger:
        signed_heads.write(home, ledger)
    # one of two has spoken: who speaks after the change joins it
    decisions.sign(home, waits, Decision.DROP, key(home))
    taken = backups.take(home, folder / "backup", recovery)
    first = change(home, Scheme.SHA3_256)
    return Times(made, published, refused, waits, case.id, folder / "a", taken.path, recovery.path, first)


@pytest.fixture
def times(whole: Times, tmp_path: Path) -> Times:
    """A copy that a test may change: all of it, batches in flight too."""
    shutil.copytree(whole.home.root, tmp_path / "home", symlinks=True)
    home = Home(tmp_path / "home", whole.home.config)
    with ledger_of(home):
        assert algorithms.in_force() is Scheme.SHA3_256
    return replace(whole, made=Installation(home, whole.made.agreement))


def unexpected(found: restore.Restored) -> list[Problem]:
    """What verification finds of a restored home, but for what is in no backup: outbox, register, batches in flight."""
    return [one for one in found.problems if not any(word in one.what for word in ("outbox", "register version"))]


def said(home: Home, batch: str, kind: str) -> dict[str, str]:
    with ledger_of(home) as ledger:
        return next(dict(e["facts"]) for e in reversed(ledger.events(batch)) if e["kind"] == kind)


def test_what_was_made_before_is_proven_by_its_own(times: Times, tmp_path: Path) -> None:
    home, batch = times.home, times.published
    assert problems(home) == []
    sealed = accounting_path(home, batch)
    assert said(home, batch, "accounted")["accounting"] == hashlib.sha256(sealed.read_bytes()).hexdigest()
    assert release.verify(home.outbox / batch, home.holders)["files"]["addresses.csv.age"].keys() == {"sha256", "bytes"}
    assert replay(home, CLOCK, batch, who="operator-1")["differs"] is False
    assert explain(home, CLOCK, batch, 0)["outcome"]
    assert {i["id"] for i in declaration(home, CLOCK, batch)["instruments"]} >= {"sandbox-2026"}
    assert lookback(home, CLOCK).summary["not_decided"] == []
    with ledger_of(home) as ledger:
        (noted,) = ledger.noted_on(times.rejected)
        assert notes.text(home, noted, times.rejected) == "the share is too high"
        export.write(ledger, tmp_path / "chain.jsonl")
        head = signed_heads.write(home, ledger)
    holder = signatures.public_line(signatures.load(home.keys / HOLDER_SIGNING))
    old = next(path for path in sorted(head.parent.glob("*.json")) if path != head)
    wrong, _, copies = export.verify(tmp_path / "chain.jsonl", [old, head], [holder])
    assert wrong == [] and copies == 2


def test_a_batch_that_was_held_goes_on_and_all_that_is_new_is_by_the_new_one(times: Times) -> None:
    home = times.home
    held = said(home, times.waits, "held")["content_digest"]
    decisions.sign(home, times.waits, Decision.DROP, key(home, "operator-2"))
    assert runs.run(home, times.waits)[1] is State.PUBLISHED
    assert said(home, times.waits, "decision")["content_digest"] == held
    batch = runs.released(times.made, home.root.parent / "new", 20, 31)
    sealed, package = accounting_path(home, batch), home.outbox / batch
    accounted = said(home, batch, "accounted")
    assert accounted["accounting"] == hashlib.sha3_256(sealed.read_bytes()).hexdigest()
    manifest = json.loads((package / "manifest.json").read_bytes())
    for name, facts in manifest["files"].items():
        assert facts["sha3_256"] == hashlib.sha3_256((package / name).read_bytes()).hexdigest()
    listed = json.loads((home.root / "evidence" / f"{batch}.json").read_bytes())
    assert listed["key"].keys() == {"recipient", "sha3_256"} and stored_evidence(home, batch)
    identity = sealing.load_identity(home.keys / REQUESTER_AGE)
    out = home.root.parent / "opened"
    release.open_package(package, identity, out, home.holders)
    assert replay(home, CLOCK, batch, who="operator-1")["differs"] is False
    assert explain(home, CLOCK, batch, 0)["outcome"]
    assert problems(home) == []
    change(home, Scheme.SHA256)  # and back
    third = runs.released(times.made, home.root.parent / "third", 40, 51)
    assert json.loads((home.outbox / third / "manifest.json").read_bytes())["files"]["codes.csv.age"]["sha256"]
    assert problems(home) == []


class Killed(BaseException):
    """In the place of a kill."""


@pytest.mark.parametrize("step", ["prepare", "publish"])
def test_a_batch_that_was_about_to_leave_is_sealed_again(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its package, and the law that it rests on, were digested by the algorithm of before."""
    made = installations.make(tmp_path / "home")
    home, source = made.home, made.submit(tmp_path / "a", [installations.request(n) for n in range(1, 12)])

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(publication, step, killed)
        runs.run(home, source)
    with ledger_of(home) as ledger:
        (record,) = ledger.batches()
        assert record.state is {"prepare": State.SEALED, "publish": State.PREPARED}[step]
    change(home, Scheme.SHA3_256)
    assert runs.run(home, record.name)[1] is State.PUBLISHED
    manifest = json.loads((home.outbox / record.name / "manifest.json").read_bytes())
    assert manifest["files"]["codes.csv.age"].keys() == {"sha3_256", "bytes"}
    assert replay(home, CLOCK, record.name, who="operator-1")["differs"] is False
    assert problems(home) == []


def test_what_comes_again_is_recognised(times: Times) -> None:
    home = times.home
    with ledger_of(home) as ledger:
        count = len(ledger.batches())
        assert receive(home, ledger, CLOCK, times.submission) == times.published
        assert len(ledger.batches()) == count
        for id, digest, body in ledger.instruments():
            assert digest == hashlib.sha256(body).hexdigest()
            assert ledger.enrol_instrument(body, {}) == digest
            assert len([v for v in ledger.versions(id) if v.digest == digest]) == 1
    (again,) = open_cases(home, CLOCK, Chosen(times.published, ("0", "1")), CaseReason.INCOMPLETE_ADDRESS, "operator-1")
    assert again.id == times.case


def test_a_recall_goes_on_to_another_step(times: Times) -> None:
    home, receipts = times.home, HandedIn(b"receipts of the notice", "receipts")
    digest = hand_in(home, CLOCK, times.case, Step.NOTIFIED, receipts)
    assert digest == hashlib.sha3_256(receipts.data).hexdigest() and handed_in(home, times.case, digest)
    found = advance(home, CLOCK, times.case, Step.NOTIFIED, receipts, by_key(key(home)))
    assert found.state is CaseState.NOTIFIED
    change(home, Scheme.SHA256)
    same = advance(home, CLOCK, times.case, Step.NOTIFIED, receipts, by_key(key(home)))
    assert same.seq == found.seq  # it was taken before, by the other algorithm
    assert problems(home) == []


@pytest.mark.parametrize("what", ["accounting", "evidence", "package", "proof"])
@pytest.mark.parametrize("old", [True, False])
def test_what_was_changed_is_found_on_either_side(what: str, old: bool, times: Times) -> None:
    home = times.home
    batch = times.published if old else runs.released(times.made, home.root.parent / "new", 20, 31)
    flip(
        {
            "accounting": accounting_path(home, batch),
            "evidence": home.root / "evidence" / f"{batch}.parquet.age",
            "package": home.outbox / batch / "addresses.csv.age",
            "proof": home.verdicts / batch / "intake.json",
        }[what]
    )
    assert any(batch in one.place for one in problems(home))


def test_an_old_backup_is_restored_and_a_new_one(times: Times, tmp_path: Path) -> None:
    """What is restored is the ledger of then: it goes on by the algorithm of then."""
    old = restore.restore(times.backup, times.recovery, tmp_path / "old")
    assert unexpected(old) == []
    with ledger_of(old.home) as ledger:
        assert ledger.scheme() is Scheme.SHA256 is algorithms.in_force()
    with ledger_of(times.home):
        assert algorithms.in_force() is Scheme.SHA3_256
    recovery = backups.recovery(tmp_path)
    taken = backups.take(times.home, tmp_path / "made", recovery)
    assert taken.manifest.digests is Scheme.SHA3_256 and taken.manifest.differs == []
    algorithms.use(Scheme.SHA256)  # as in a process that has opened no ledger
    new = restore.restore(taken.path, recovery.path, tmp_path / "new")
    assert unexpected(new) == []
    with ledger_of(new.home) as ledger:
        assert ledger.scheme() is Scheme.SHA3_256


def test_a_manifest_that_names_no_known_algorithm_is_refused(times: Times) -> None:
    package = times.home.outbox / times.published
    manifest = json.loads((package / "manifest.json").read_bytes())
    for facts in manifest["files"].values():
        facts["md5"] = facts.pop("sha256")
    body = json.dumps(manifest).encode()
    (package / "manifest.json").write_bytes(body)
    signed = signatures.sign(body, signatures.load(times.home.keys / HOLDER_SIGNING), signatures.MANIFEST)
    (package / "manifest.json.sig").write_text(signed)
    with pytest.raises(SluicegateError, match="PACKAGE_FORMAT"):
        release.verify(package, times.home.holders)


def test_recalls_alike(times: Times) -> None:
    """Rows disclosed before the change and after it are recalled alike, each case proven by its own."""
    home = times.home
    case = recalls.opened(home, times.published, 3, 4)
    assert case != times.case and problems(home) == []
