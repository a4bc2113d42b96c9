"""Taking a submission in: copied, proven to be what its letter says, tied to an agreement, recorded once. What decides
later is fixed here: when it was received, the legal date of the decision, the instruments and the register version, and
what was disclosed before."""

import json
import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from expectations import address
from expectations.address import facilities
from expectations.base.clock import Clock, legal_date
from expectations.base.errors import BadInput, SluicegateError, Usage
from expectations.facts import persons
from expectations.instruments import Agreement
from flows.batch import tries, unreadable
from flows.home import keys
from flows.home.registers import current_register
from flows.home.tree import Home, alone
from flows.ledger import Ledger
from flows.ledger.batches import ROWS_COUNT
from flows.ledger.roles import Act
from flows.ledger.signing import fingerprint, plain_key
from flows.registry import enrolled
from pipelines import register
from pipelines.ingest import submission
from pipelines.ingest.submission import TakenIn
from pipelines.lake import durable
from pipelines.lake.workplace import locked_folder

INCOMING = ".incoming-"  # what a submission is copied into; a killed receipt's is deleted by the next


@dataclass(frozen=True)
class ByHand:
    """A person takes a submission in, and says which operator that is, or does not (None)."""

    operator: str | None = None


def receive(home: Home, ledger: Ledger, clock: Clock, source: Path, hand: ByHand | None = None) -> str:
    """Takes the submission in `source` in; returns the batch's public name. The same letter again: the same batch.

    `hand`: who takes it in; None where nobody does, since it came through the inbox by itself.

    Raises BadInput if it cannot be read as a submission, or if its agreement is unknown or did not sign it; the ledger
    keeps an entry of its own for that (invariant 1). Raises BadInput, and nothing is received, if the operator's list
    of facilities or lists of persons cannot be read. Raises Usage, and nothing is received, if the operator is not
    enrolled or its roles do not allow it, or if none is named and the agreement bars whoever takes a batch in.
    """
    clock = ledger.guard(clock)
    ledger.require_open()
    keys.prove(home, ledger)
    by = hand.operator if hand else None
    if by is not None:
        ledger.require_act(by, Act.RECEIVE)  # before anything is copied
    listed = _facilities(home)
    with locked_folder(home.lake, INCOMING) as incoming:  # it becomes the batch's folder; else it is deleted
        taken, agreement, key = _read(home, ledger, clock, source, incoming, by)
        if home.persons:
            persons.keep(home.persons, incoming / persons.KEPT, home.duck)
        if listed is not None:
            durable.write(incoming / facilities.NAME, listed)
        with alone(home, taken.batch):
            if ledger.batch(taken.batch) is None:
                if agreement.bars_receivers and hand and by is None:
                    raise _unnamed(agreement)
                _record(home, ledger, clock, taken, agreement, key, incoming, by)
        return taken.batch


def _unnamed(agreement: Agreement) -> Usage:
    what = "the agreement bars whoever takes a batch in from deciding on it, and nobody is named who does"
    remedy = "Say which operator you are: sluicegate run SUBMISSION --operator NAME."
    return Usage("NO_OPERATOR", what, where=f"agreement {agreement.id}", remedy=remedy)


def _read(
    home: Home, ledger: Ledger, clock: Clock, source: Path, incoming: Path, by: str | None
) -> tuple[TakenIn, Agreement, str]:
    """The submission, copied, its agreement, and the key that signed it. Whatever is wrong with it, it gets its entry
    and is put aside."""
    try:
        if unreadable.in_inbox(home, source) and source.is_symlink():
            message = "the submission is a symbolic link"
            raise BadInput("PATH_OUTSIDE", message, where=submission.LETTER, remedy="Send plain files and folders.")
        taken = submission.take_in(source, incoming / "submission")
        agreement = _agreement(ledger, taken)
        return taken, agreement, submission.verify_signature(taken, agreement)
    except BadInput as error:
        wrong = error
    except (SluicegateError, OSError, MemoryError):
        raise  # the system's fault: the submission is tried again
    except Exception as error:  # whatever a reader was not ready for; its text may quote what it could not read
        what = f"the submission cannot be read ({type(error).__name__})"
        wrong = BadInput("SUBMISSION_UNREADABLE", what, where=submission.LETTER, remedy="Send it in plain form.")
    unreadable.record(ledger, clock, source, wrong, by)
    unreadable.put_aside(home, source)
    raise wrong from None


def _agreement(ledger: Ledger, taken: TakenIn) -> Agreement:
    name = taken.letter.agreement
    found = enrolled.newest(ledger).agreements.get(name)
    if found is None:
        unknown = "the letter names no enrolled agreement"
        remedy = "Name an agreement in force; sluicegate instruments list shows them."
        raise BadInput("UNKNOWN_AGREEMENT", unknown, where=submission.LETTER, remedy=remedy)
    if any(enrolled.to_renew(body) for id, _, body in ledger.instruments() if id == name):
        old = "its version in force says more than the law allows, or not who signs letters with which key"
        remedy = "Correct what sluicegate instruments check FILE names, and have two operators enrol the new version."
        raise BadInput("AGREEMENT_TO_RENEW", old, where=f"agreement {name}", remedy=remedy)
    return found


def _facilities(home: Home) -> bytes | None:
    """The operator's list as it is now, checked: the batch is decided by these bytes, whatever becomes of the file."""
    if home.facilities is None:
        return None
    with tempfile.TemporaryDirectory(prefix="sluicegate-facilities-") as folder:
        copy = Path(folder) / facilities.NAME
        try:
            copy.write_bytes(home.facilities.read_bytes())
        except OSError:
            facilities.refuse(home.facilities, "the list of facilities cannot be read")
        address.check(copy)
        return copy.read_bytes()


def _record(
    home: Home,
    ledger: Ledger,
    clock: Clock,
    taken: TakenIn,
    agreement: Agreement,
    key: str,
    incoming: Path,
    by: str | None,
) -> None:
    """Makes `incoming` the batch's folder in the lake, writes what was known before, then records the batch. In this
    order, each durable before the next, so that a crash in between leaves an orphan folder and no record."""
    instruments, prepared = ledger.instruments(), current_register(home)
    root = home.lake / taken.batch
    if root.exists():
        shutil.rmtree(root)  # an orphan: the ledger does not know this batch
    incoming.rename(root)
    requester, hashed_with = agreement.requester.id, home.hash_key.fingerprint
    tries.write_keys(
        root / "disclosed.parquet", ["request_key"], ((k,) for k in ledger.disclosed(requester, agreement.id))
    )
    moment = clock.now()
    known = enrolled.read(body for _, _, body in instruments)
    successors = {id for id, other in known.agreements.items() if agreement.id in other.supersedes}
    used = {agreement.id, *known.orders, *successors}
    passed = ledger.passed_intake(requester, agreement.id, moment - ROWS_COUNT)
    kept = root / persons.KEPT
    lists = persons.names(kept if kept.exists() else None, home.duck)
    earlier = replace(passed, batches=ledger.match_rates(requester, agreement.id), lists=lists)
    (root / "earlier.json").write_text(json.dumps(asdict(earlier)))
    tries.write_known(ledger, root / "tries.parquet", agreement, moment)
    durable.folder(root)
    ledger.receive(
        taken.batch,
        submission=taken.digest,
        requester=requester,
        agreement=agreement.id,
        received_at=moment,
        decided_on=legal_date(moment, agreement.zone),
        instruments={id: digest for id, digest, _ in instruments if id in used},
        register=register.version(prepared),
        rows=sum(f.rows for f in taken.letter.files),
        signatory=agreement.signatory_with(key, taken.letter.signatory.name, taken.letter.signatory.office),
        letter_key=fingerprint(plain_key(key)),
        by=by,
        hashed_with=hashed_with,
    )
