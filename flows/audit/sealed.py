"""The sealed files of a home, compared with what the ledger's events say of them: missing, changed, swapped, put in.

No private key is needed. The files of a batch that is under way are not judged: they are sealed anew when it goes on.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from expectations.base.algorithms import Scheme
from expectations.base.digests import file_matches, matching, of_file
from expectations.base.errors import BadInput
from flows.audit.signed_heads import holders
from flows.cases import corrections, documents, places
from flows.cases.places import name_of
from flows.evidence import keys, notes
from flows.evidence.requests import requests_path
from flows.evidence.shred import too_early
from flows.evidence.store import accounting_path, evidence_folder, evidence_list_path, stored_evidence
from flows.home.tree import Home, busy
from flows.ledger import Ledger
from flows.ledger.accounts import SHREDDED
from flows.ledger.batches import BatchRecord
from flows.ledger.case_records import CaseRecord
from flows.ledger.chain import Problem
from flows.ledger.corrections import Notice
from flows.ledger.database.models import SealKind
from flows.ledger.lifecycles.cases import CaseState, Proof
from flows.ledger.lifecycles.states import FINAL, State
from flows.outbox.folder import Folder
from pipelines import release

_SETTLED = FINAL | {State.PREPARED}


def problems(home: Home, ledger: Ledger) -> Iterator[Problem]:
    """Every sealed file that is not as the ledger knows it, by batch, then by case; then those that nobody knows."""
    records = {r.name: r for r in ledger.batches()}
    yield from _requests(home, ledger)
    said = {name: ledger.accounted(name) for name in records}
    seals = ledger.seals()
    owners = {digest: owner for (kind, owner), digest in seals.items() if kind is SealKind.ACCOUNTING}
    for name, record in records.items():
        if record.state not in _SETTLED or busy(home, name):
            continue
        if record.state in FINAL and (home.lake / name).exists():
            yield Problem(f"batch {name}", f"it is {record.state}, and its end is not complete: sluicegate run {name}")
            continue
        if said[name]:
            yield from _accounting(home, name, seals.get((SealKind.ACCOUNTING, name)), owners)
            shredded = SHREDDED in ledger.shredding(name)
            yield from _evidence(home, name, seals.get((SealKind.EVIDENCE, name)), shredded)
            if not shredded:
                yield from _notes(home, ledger, name)
            if too_early(home, ledger, record):
                yield Problem(f"evidence of batch {name}", "it was shredded before its retention had ended")
        elif record.merkle_root is None:
            yield from (Problem(place, "the batch was never accounted for") for place in _places(home, name))
        yield from _package(home, record)
    if not busy(home, places.LOCK):
        for case in ledger.cases():
            yield from _case(home, case)
        for notice in ledger.corrections():
            yield from _notice(home, notice)
    notices = {corrections.name_of(notice.id) for notice in ledger.corrections()}
    yield from _strangers(home, {*records, *notices, *(name_of(case.id) for case in ledger.cases())})


def _requests(home: Home, ledger: Ledger) -> Iterator[Problem]:
    """Every file of keyed requests that is not the one that was recorded: limits over the period rest on it."""
    for batch, digest in ledger.asked().items():
        path, place = requests_path(home, batch), f"accounting/{batch}.asked.parquet"
        if not busy(home, batch) and not path.exists():
            yield Problem(place, "it is missing")
        elif not busy(home, batch) and not _is(path, digest):
            yield Problem(place, "it was changed, or is another batch's")


def _accounting(home: Home, batch: str, digest: str | None, owners: dict[str, str]) -> Iterator[Problem]:
    path, place = accounting_path(home, batch), f"accounting of batch {batch}"
    if not path.exists():
        yield Problem(place, "the sealed file is missing")
    elif not _is(path, digest):
        other = _owner(path, owners)
        yield Problem(place, f"it is that of batch {other}" if other else "the sealed file was changed")


def _evidence(home: Home, batch: str, digest: str | None, shredded: bool) -> Iterator[Problem]:
    place, there = f"evidence of batch {batch}", _places(home, batch, evidence_only=True)
    if shredded:
        yield from (Problem(name, "it is there, though the evidence was shredded") for name in there)
        return
    path = evidence_list_path(home, batch)
    if not path.exists() or not _is(path, digest):
        yield Problem(place, f"the list of its files {'was changed' if path.exists() else 'is missing'}")
        return
    try:
        listed = stored_evidence(home, batch)
    except BadInput as error:
        yield Problem(place, error.message)
        return
    assert listed is not None
    expected = {evidence_folder(home) / name: sha for name, sha in listed.files.items()}
    expected[keys.place(home, batch)] = listed.key
    for file, sha in expected.items():
        if not file.exists():
            yield Problem(_place(home, file), "it is missing")
        elif not _is(file, sha):
            yield Problem(_place(home, file), "it was changed, or is another batch's")
    known = {_place(home, file) for file in (*expected, path)}
    known |= {_place(home, note) for note in notes.of_batch(home, batch)}
    yield from (Problem(name, "it is not on the list") for name in there if name not in known)


def _notes(home: Home, ledger: Ledger, batch: str) -> Iterator[Problem]:
    """Every note on a batch that is missing; what it holds is seen when it is opened."""
    for digest, seq in ledger.noted_on(batch).items():
        if not (path := notes.path(home, digest, batch)).exists():
            yield Problem(_place(home, path), f"the note of event {seq} is missing")


def _package(home: Home, record: BatchRecord) -> Iterator[Problem]:
    found, place = _delivered(home, record.name, record.package_digest), f"package of batch {record.name}"
    if record.state not in (State.PREPARED, State.PUBLISHED):
        if found is not None:
            yield Problem(place, f"it lies in the outbox, and the batch is {record.state}")
    elif found is None and record.state is State.PUBLISHED:
        yield Problem(place, "it is not in the outbox")
    elif found not in (None, record.package_digest):
        yield Problem(place, _why_other(home, record.name))


def _why_other(home: Home, batch: str) -> str:
    """What is wrong with a package that is not the one that was published: of a folder, which file."""
    if isinstance(home.delivery, Folder):
        try:
            release.verify(home.delivery.root / batch, holders(home))
        except BadInput as error:
            return f"{error.message} ({error.where})" if error.where else error.message
    return "it is another package than was published"


def _case(home: Home, case: CaseRecord) -> Iterator[Problem]:
    """Every file of a recall case that is missing or was changed; what a kept proof holds is seen when it is opened."""
    for name, _, _, lies in documents.check(home, case):
        if lies != "unchanged":
            yield Problem(f"recalls/{case.id}/{name}", f"the document is {lies}")
    for step in case.steps:
        if step.rests_on and step.proof not in (Proof.LIST, Proof.ATTESTATION, Proof.REVIEW):
            path = places.proof(home, case.id, step.rests_on)
            if not path.exists():
                yield Problem(f"recalls/{case.id}/{path.name}", f"the proof of event {step.seq} is missing")
    digest = next((s.rests_on for s in case.steps if s.state is CaseState.FROZEN), None)
    found = _delivered(home, name_of(case.id), digest) if digest else None
    if found != digest:
        what = "it is another recall list than was delivered" if found else "it is not in the outbox"
        yield Problem(name_of(case.id), what)


def _notice(home: Home, notice: Notice) -> Iterator[Problem]:
    """What of a notice of corrections is missing or was changed."""
    name, listed = corrections.name_of(notice.id), corrections.folder(home, notice.id) / corrections.LIST
    if not listed.exists() or not _is(listed, notice.affected):
        what = "was changed" if listed.exists() else "is missing"
        yield Problem(f"corrections/{notice.id}/{listed.name}", f"the list of its rows {what}")
    if (found := _delivered(home, name, notice.package)) != notice.package:
        yield Problem(name, "it is another notice than was delivered" if found else "it is not in the outbox")


def _strangers(home: Home, known: Collection[str]) -> Iterator[Problem]:
    """Files, and packages, of no batch that the ledger knows. What a killed run left half-written begins with a dot."""
    what = "the ledger knows no batch of this name"
    for folder in (evidence_folder(home), accounting_path(home, "x").parent, keys.place(home, "x").parent):
        for path in sorted(folder.glob("[!.]*")):
            if path.name.partition(".")[0] not in known:
                yield Problem(_place(home, path), what)
    for name in home.delivery.names():
        if name not in known:
            yield Problem(f"outbox/{name}", what)


def _is(path: Path, digest: str | None) -> bool:
    """Whether it is the file that has this digest; what cannot be read as one is none."""
    try:
        return file_matches(path, digest)
    except OSError:
        return False


def _owner(path: Path, owners: Mapping[str, str]) -> str | None:
    """The batch whose file this is, if it is another's."""
    try:
        found = [of_file(path, scheme) for scheme in Scheme]
    except OSError:
        return None
    return next((owners[digest] for digest in found if digest in owners), None)


def _delivered(home: Home, name: str, digest: str | None) -> str | None:
    """The digest of what lies in the outbox under this name, by the algorithm of the one that is known."""
    return matching(digest, lambda: home.delivery.digest(name))


def _places(home: Home, batch: str, evidence_only: bool = False) -> list[str]:
    """The sealed files of a batch that are there, as places."""
    found = [*evidence_folder(home).glob(f"{batch}.*"), keys.place(home, batch)]
    found += [] if evidence_only else [accounting_path(home, batch)]
    return sorted(_place(home, path) for path in found if path.exists())


def _place(home: Home, path: Path) -> str:
    """A file as people look for it: relative to the home, where it lies there."""
    return str(path.relative_to(home.root)) if path.is_relative_to(home.root) else path.name
