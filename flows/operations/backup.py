"""`sluicegate backup`: one sealed file of all that a home cannot make again, taken while batches run.

The order of copying is what makes it one whole. Signed heads and summaries first: what they tell of is in the ledger.
Then the ledger, in one view. Then the files, which are sealed before an event tells of them: so those that this ledger
tells of are there, unless they were sealed anew or shredded meanwhile; then it begins again.

Not in it: the register, the inbox, batches in flight, and the outbox, whose packages are the recipients'.
"""

import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations.base import algorithms
from expectations.base.errors import Usage
from expectations.base.total import total
from flows.audit import settling, signed_heads
from flows.cases import corrections, documents
from flows.evidence import keys as evidence_keys
from flows.evidence.shred import kept_until
from flows.evidence.store import plaintext_folder
from flows.home import keys, staging
from flows.home.tree import Home, alone
from flows.ledger import Ledger
from flows.ledger.database import copies
from flows.ledger.database.models import SealKind
from flows.ledger.events.base import Kind
from flows.operations.archive import AFTER, BEFORE, LEDGER, Manifest, Writer, members
from pipelines import sealing
from pipelines.lake import durable

_TRIES = 3  # then what differs is not a batch that goes on, but damage
_NAMED = (Kind.ASKED, Kind.SHREDDING)
_SEALS: Mapping[SealKind, str] = total(
    SealKind,
    {
        SealKind.ACCOUNTING: "accounting/{}.parquet.age",
        SealKind.EVIDENCE: "evidence/{}.json",
        SealKind.CORRECTION: f"corrections/{{}}/{corrections.LIST}",
        SealKind.RECALL: f"recalls/{{}}/{documents.AFFECTED}",
    },
)


@dataclass(frozen=True)
class Made:
    """A backup that was made."""

    path: Path
    manifest: Manifest
    bytes: int


def backup(home: Home, ledger: Ledger, folder: Path, to: list[str]) -> Made:
    """Writes a backup into `folder`, whole or not at all, sealed to the recovery keys `to` (if empty, those of the
    home). Raises Usage if there is no such key or the folder cannot be written to, or as `keys.prove`."""
    keys.prove(home, ledger)
    sealed_to, at = recipients(home, to), ledger.clock.now()
    path = folder / f"sluicegate-{at:%Y%m%dT%H%M%S%fZ}.backup.age"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with alone(home, staging.LOCK), durable.whole(path) as new:
            keys.prove(home, ledger)  # they may have been renewed since
            settling.everything(home, ledger)
            for _ in range(_TRIES):
                made = _write(home, ledger, new, sealed_to, at.isoformat(timespec="seconds"))
                if not made.differs:
                    break
        return Made(path, made, path.stat().st_size)
    except OSError as error:
        what = f"the backup cannot be written: {type(error).__name__}"
        raise Usage("NOT_WRITTEN", what, where="--out", remedy="Check the folder and its free space.") from None


def recipients(home: Home, given: list[str]) -> list[str]:
    """The recovery keys that a backup is sealed to. Raises Usage if there is none, or if one lies in the home: then it
    would be locked inside the only box that it opens."""
    chosen = given or home.config.recovery
    if not chosen:
        remedy = "Make one with sluicegate keys recovery FILE, and name its public half in recovery of sluicegate.toml."
        raise Usage("NO_RECOVERY_KEY", "nobody could open the backup", where="recovery", remedy=remedy)
    if evidence_keys.holder(home).recipient in chosen:
        what = "holder-age lies in the backup itself, and would be locked in with it"
        raise Usage("RECOVERY_KEY_INSIDE", what, where="recovery", remedy="Use a key that lies elsewhere.")
    return chosen


def _write(home: Home, ledger: Ledger, target: Path, sealed_to: list[str], at: str) -> Manifest:
    with (
        plaintext_folder(home) as work,
        sealing.sealed_stream(target, sealed_to) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        writer = Writer(tar)
        with signed_heads.settled(home):
            for name, path in _files(home, BEFORE):
                writer.file(name, path)
        with ledger.reading() as session:
            form = copies.write(session, work)
        for table in sorted(work.iterdir()):
            writer.file(f"{LEDGER}/{table.name}", table)
        ours = set(_column(work, "batches", "name"))
        for name, path in _files(home, AFTER):
            batch = _batch_of(name)
            if batch is None or batch in ours or ledger.batch(batch) is None:  # else it is in the next backup
                writer.file(name, path)
        return writer.manifest(_manifest(ledger, work, at, form, sorted(_differs(work, writer))), home)


def _manifest(ledger: Ledger, work: Path, at: str, form: str, differs: list[str]) -> Manifest:
    events = pq.read_table(work / "events.parquet", columns=["seq", "hash"])
    seqs, hashes = (events[name].to_pylist() for name in ("seq", "hash"))
    day = kept_until(ledger, [body for _, _, body in ledger.instruments()])
    return Manifest(
        version=version("sluicegate"),
        at=at,
        home=hashes[0],
        seq=seqs[-1],
        head=hashes[-1],
        ledger=form,
        destroy_by=day.isoformat() if day else None,
        differs=differs,
    )


def _files(home: Home, parts: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    return (found for part in parts for found in members(home, part))


def _batch_of(name: str) -> str | None:
    """The batch that a file belongs to, by its place; None of what belongs to none."""
    found = re.match(r"(?:evidence|accounting|keys/evidence|verdicts)/([^./]+)", name)
    return found.group(1) if found else None


def _differs(work: Path, writer: Writer) -> Iterator[str]:
    """Every file of which the ledger that was copied tells, and that was copied as another one or not at all."""
    seals = zip(*(_column(work, "seals", c) for c in ("kind", "owner", "digest")), strict=True)
    named = {_SEALS[SealKind(kind)].format(owner): digest for kind, owner, digest in seals}
    for batch, kind, text in zip(*(_column(work, "events", c) for c in ("batch", "kind", "facts")), strict=True):
        said, own = json.loads(text), f"evidence/{batch}.json"
        if kind == Kind.ASKED:
            named[f"accounting/{batch}.asked.parquet"] = said["asked"]
        else:
            named.pop(own, None)
    for name, digest in named.items():
        if not writer.copied(name, digest):
            yield name
        elif name in writer.kept:
            listed = json.loads(writer.kept[name])
            inner = {f"evidence/{file}": sha for file, sha in listed["files"].items()}
            inner[f"keys/evidence/{listed['batch']}.age"] = algorithms.named(listed["key"])[1]
            yield from (file for file, sha in inner.items() if not writer.copied(file, sha))


def _column(work: Path, table: str, column: str) -> list[str]:
    """A column of a table that was copied; of the events, those that name files, in their order."""
    if table != "events":
        return list(pq.read_table(work / f"{table}.parquet", columns=[column])[column].to_pylist())
    chosen = pc.field("kind").isin([kind.value for kind in _NAMED])
    return list(pq.read_table(work / "events.parquet", columns=[column], filters=chosen)[column].to_pylist())
