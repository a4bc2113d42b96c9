"""The recall list of a case, sealed and signed, put into the outbox like a package: whole or not at all, and once."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from expectations import signatures
from expectations.duck import parquet
from expectations.errors import Fault
from flows.cases import places
from flows.home import HOLDER_SIGNING, Home
from flows.ledger import Ledger
from flows.ledger.case_records import CaseRecord
from flows.publication import STAGING, package_digest
from pipelines import durable
from pipelines.release import recall_list, signed_folder


def name_of(case: str) -> str:
    """What the recall list of a case is called in the outbox."""
    return f"recall-{case}"


def deliver(home: Home, ledger: Ledger, case: CaseRecord, affected: Path, view: Path) -> str:
    """Puts the recall list of `case` (`affected`: Parquet with batch and request_id, in clear) into the outbox; gives its digest.

    Safe to repeat: a list of this case that lies there stays. Raises Fault if something else lies under its name.
    """
    name = name_of(case.id)
    target = home.outbox / name
    if not target.exists():
        packages = {b: record.package_digest or "" for b in case.batches if (record := ledger.batch(b))}
        recall_list.seal_recall(
            view / name, parquet([affected]), case=case.id, agreement=places.agreement_of(ledger, case.agreement),
            packages=packages, holder_key=signatures.load(home.keys / HOLDER_SIGNING), created_at=ledger.clock.now(),
            duck=home.duck,
        )  # fmt: skip
        _put(view / name, target)
    shutil.rmtree(home.outbox / STAGING / name, ignore_errors=True)  # also what a killed run left
    holder = (home.keys / f"{HOLDER_SIGNING}.pub").read_text().strip()
    manifest = signed_folder.verify(target, recall_list.KIND, [holder])
    if (manifest["case"], manifest["rows"]) != (case.id, case.rows):
        raise Fault("OUTBOX_TAKEN", "something else lies in the outbox under the name of this recall list", where=name,
                    remedy="Find out what it is; the list is not put over it.")  # fmt: skip
    return package_digest(target)


def _put(sealed: Path, target: Path) -> None:
    """Copied onto the outbox's own volume, then one rename."""
    copy = target.parent / STAGING / target.name / uuid.uuid4().hex
    shutil.copytree(sealed, copy)
    for path in [*copy.rglob("*"), copy]:
        durable.fsync(path)
    copy.rename(target)
    durable.fsync(target.parent)
