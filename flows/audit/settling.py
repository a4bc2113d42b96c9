"""Completes what a killed process began when it sealed files anew. What waits counts if the ledger knows its digest,
and then takes its place; anything else is deleted, and what lies in its place goes on counting.

Of a batch's evidence the list is put last: as long as it waits, all that belongs to it does or did.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from expectations.base.digests import file_matches
from flows.cases import corrections, documents, lookbacks, places
from flows.evidence import keys, notes
from flows.evidence.store import accounting_path, evidence_folder, evidence_list_path
from flows.home import staging
from flows.home.staging import waiting
from flows.home.tree import Home, if_free
from flows.ledger import Ledger
from flows.ledger.database.models import SealKind
from pipelines import sealing
from pipelines.lake import durable

Seals = Mapping[tuple[SealKind, str], str]


def settle(home: Home, ledger: Ledger) -> None:
    """Completes all that was begun, but for what somebody is at work on."""
    with if_free(home, staging.LOCK) as free:
        if free:
            everything(home, ledger)


def everything(home: Home, ledger: Ledger) -> list[Path]:
    """The same, for who has `staging.LOCK`; gives what waits still."""
    if left := staging.all_waiting(home):
        for name in sorted({path.name.partition(".")[0] for path in left} & {r.name for r in ledger.batches()}):
            with if_free(home, name) as free:
                if free:
                    batch(home, ledger, name)
        with if_free(home, places.LOCK) as free:
            if free:
                cases(home, ledger.seals())
        for path in lookbacks.lists(home):
            lookback(home, path)
    staging.tidy(home)
    return staging.all_waiting(home)


def batch(home: Home, ledger: Ledger, name: str) -> None:
    """What waits of a batch. The caller has its lock."""
    seals = ledger.seals(name)
    _one(home, accounting_path(home, name), seals.get((SealKind.ACCOUNTING, name)))
    _evidence(home, name, seals.get((SealKind.EVIDENCE, name)))


def cases(home: Home, seals: Seals) -> None:
    """What waits of recall cases and notices of corrections. The caller has the lock of cases."""
    for path in (home.root / "recalls").glob(f"[!.]*/{documents.AFFECTED}"):
        _one(home, path, seals.get((SealKind.RECALL, path.parent.name)))
    for path in (home.root / "corrections").glob(f"[!.]*/{corrections.LIST}"):
        _one(home, path, seals.get((SealKind.CORRECTION, path.parent.name)))


def lookback(home: Home, path: Path) -> None:
    """The list of a lookback: its summary knows the digest."""
    _one(home, path, lookbacks.digest(path))


def _one(home: Home, path: Path, digest: str | None) -> None:
    new = waiting(home, path)
    if not new.exists():
        return
    if file_matches(new, digest):
        staging.put(home, path)
    else:
        new.unlink()
        durable.fsync(new.parent)


def _evidence(home: Home, name: str, digest: str | None) -> None:
    listed = evidence_list_path(home, name)
    key, new = waiting(home, keys.place(home, name)), waiting(home, listed)
    files = [path for path in new.parent.glob(f"{name}.*") if path != new]
    if new.exists() and file_matches(new, digest):
        for path in files:
            staging.put(home, evidence_folder(home) / path.name)
        if key.exists() and _recipient(new) != _recipient(listed):
            _notes_meanwhile(home, name, key)
        keys.put(home, name)
        staging.put(home, listed)
        return
    for path in (*files, new):
        path.unlink(missing_ok=True)
    keys.withdraw(home, name)


def _recipient(listed: Path) -> object:
    return json.loads(listed.read_bytes())["key"]["recipient"]


def _notes_meanwhile(home: Home, name: str, key: Path) -> None:
    """Notes that somebody wrote after the process was killed are sealed to the key that is about to go."""
    own = keys.holder(home)
    new = sealing.open_secret(key, own)
    for path in notes.of_batch(home, name):
        if not sealing.opens(path, new):
            with durable.whole(path) as anew:
                sealing.seal_anew(path, anew, keys.identity(home, name), new)
