"""The recall list of a case, sealed and signed, put into the outbox like a package: whole or not at all, and once. It
is stored beside the case's documents too, so that the package in the outbox can be compared with it."""

from __future__ import annotations

import shutil
from pathlib import Path

from expectations.base import signatures
from expectations.base.duck import parquet
from expectations.base.errors import Fault
from flows.cases import places
from flows.cases.places import Desk
from flows.home.tree import HOLDER_SIGNING
from flows.ledger.case_records import CaseRecord
from flows.outbox import package_digest
from pipelines.lake import durable
from pipelines.recall import listing
from pipelines.release import signed_folder


def name_of(case: str) -> str:
    """What the recall list of a case is called in the outbox."""
    return f"recall-{case}"


def deliver(at: Desk, case: CaseRecord, affected: Path) -> str:
    """Puts the recall list of `case` (`affected`: Parquet with batch and request_id) into the outbox; gives its digest.
    Safe to repeat: the list is sealed once. Raises Fault if something else lies under its name."""
    name, outbox = name_of(case.id), at.home.delivery
    sealed = _sealed(at, case, affected)
    if outbox.digest(name) is None:
        with outbox.staged(sealed, name) as copy:
            copy.put()
    outbox.settle(name)
    outbox.tidy(name)
    digest = package_digest(sealed)
    if outbox.digest(name) != digest:
        remedy = "Find out what it is; it is not overwritten."
        raise Fault("OUTBOX_TAKEN", "the outbox holds something else under this name", where=name, remedy=remedy)
    return digest


def _sealed(at: Desk, case: CaseRecord, affected: Path) -> Path:
    """The recall list in the case's folder; sealed now, unless an earlier try did."""
    stored, home = places.folder(at.home, case.id) / "list", at.home
    if not stored.exists():
        made, half = at.plain / stored.name, stored.with_name(f".{stored.name}")
        listing.seal_recall(
            made,
            parquet([affected]),
            case=case.id,
            agreement=at.agreement(case.agreement),
            packages={name: at.ledger.known_batch(name).package_digest or "" for name in case.batches},
            holder_key=signatures.load(home.keys / HOLDER_SIGNING),
            created_at=at.ledger.clock.now(),
            duck=home.duck,
        )
        shutil.copytree(made, half)
        for path in [*half.iterdir(), half]:
            durable.fsync(path)
        half.rename(stored)
        durable.fsync(stored.parent)
    holder = (home.keys / f"{HOLDER_SIGNING}.pub").read_text().strip()
    manifest = signed_folder.verify(stored, listing.KIND, [holder])
    if (manifest["case"], manifest["rows"]) != (case.id, case.rows):
        raise Fault("LIST_CHANGED", "the recall list in the case's folder is another case's", where=case.id)
    return stored
