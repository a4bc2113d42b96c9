"""The stored evidence of a batch: which files, sealed under the batch's own key, and the list of them; its accounting;
and where they are opened as plaintext. `evidence/BATCH.json` lists the sealed files with their digests, and names
their algorithm as the key's; the ledger knows the digest of that list."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from expectations.base import algorithms
from expectations.base.digests import canonical_json, of_bytes, of_file
from expectations.base.errors import BadInput
from flows.evidence import keys
from flows.home.tree import Home
from pipelines import release, sealing
from pipelines.context import KEPT, BatchContext
from pipelines.lake import durable
from pipelines.lake.workplace import delete_abandoned, locked_folder

FORMAT = "sluicegate-evidence/1"
_PLAINTEXT = ".view-"  # folders in the lake


@dataclass(frozen=True)
class StoredEvidence:
    """Digests by name, the recipient that all is sealed to, and the digest of the sealed private half (`key`)."""

    files: dict[str, str]
    recipient: str
    key: str


def evidence_folder(home: Home) -> Path:
    """Where the sealed evidence of all batches lies."""
    return home.root / "evidence"


def evidence_list_path(home: Home, batch: str) -> Path:
    """Where the list of a batch's evidence lies."""
    return evidence_folder(home) / f"{batch}.json"


def evidence_file(home: Home, batch: str, name: str) -> Path:
    """Where a file of a batch's evidence lies, sealed."""
    return evidence_folder(home) / f"{batch}.{name}.age"


def accounting_path(home: Home, batch: str) -> Path:
    """Where the sealed accounting of a batch lies."""
    return home.root / "accounting" / f"{batch}.parquet.age"


def open_accounting(home: Home, batch: str, target: Path) -> None:
    """Opens the accounting of a batch as `target`; raises BadInput if it cannot be opened."""
    sealing.open_file(accounting_path(home, batch), target, keys.holder(home))


@contextmanager
def plaintext_folder(home: Home) -> Iterator[Path]:
    """A new folder (0700) in the lake, deleted at the end; those that killed processes left are deleted first."""
    home.lake.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked_folder(home.lake, _PLAINTEXT) as folder:
        yield folder


def delete_left_folders(home: Home) -> None:
    """Deletes the plaintext folders of processes that are gone."""
    delete_abandoned(home.lake, _PLAINTEXT)


def seal_to_holder(home: Home, source: Path, target: Path) -> None:
    """Seals `source` to the holder as `target`, whole or not at all."""
    with durable.whole(target) as new:
        sealing.seal_file(source, new, [keys.holder(home).recipient])


def seal_bytes(data: bytes, target: Path, recipient: str) -> None:
    """Seals `data` as `target`, whole or not at all: no plaintext touches a disk."""
    with durable.whole(target) as new, sealing.sealed_stream(new, [recipient]) as stream:
        stream.write(data)


def opened_bytes(sealed: Path, identity: sealing.Identity) -> bytes:
    """What a small sealed file holds; raises BadInput if it is another's, or was changed."""
    with sealing.opened_stream(sealed, identity) as stream:
        return stream.read()


def store_evidence(home: Home, ctx: BatchContext, also: Iterable[Path] = ()) -> str:
    """Seals the evidence of a batch; gives the digest of the list. `also`: what else was read of it, if it is there."""
    recipient, batch = keys.recipient(home, ctx.batch), ctx.batch
    rows = evidence_file(home, batch, "parquet")
    files = {rows.name: release.seal_evidence(ctx, recipient, rows).digest}
    own = [path for path in (ctx.facilities, *also) if path and path.exists()]
    for path in (*(ctx.root / name for name in KEPT), *own):
        target = evidence_file(home, batch, path.name)
        sealing.seal_file(path, target, [recipient])
        files[target.name] = of_file(target)
    key = {"recipient": recipient, algorithms.in_force().value: of_file(keys.place(home, batch))}
    text = canonical_json({"format": FORMAT, "batch": batch, "key": key, "files": files})
    durable.write(evidence_list_path(home, batch), text)
    return of_bytes(text)


def stored_evidence(home: Home, batch: str) -> StoredEvidence | None:
    """The list of a batch's evidence; None if there is none. Raises BadInput if it is not one of this batch."""
    path = evidence_list_path(home, batch)
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_bytes())
        if (content["format"], content["batch"]) != (FORMAT, batch):
            raise ValueError
        return StoredEvidence(dict(content["files"]), content["key"]["recipient"], algorithms.named(content["key"])[1])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadInput("EVIDENCE_LIST", "the list cannot be read", where=path.name, remedy="Restore it.") from None
