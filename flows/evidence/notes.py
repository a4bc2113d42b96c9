"""What people write about why they decided: free text beside the code of the reason. Kept sealed, under the key of the
batch's evidence, with which it ends; what is about no batch, sealed to the holder. The ledger has its digest, which is
signed with the decision, and nothing of the text: a salt keeps a guess from being tested against the digest."""

import json
import secrets
from collections.abc import Set
from datetime import datetime, timedelta
from pathlib import Path

from expectations.base.digests import bytes_match, canonical_json, of_bytes
from expectations.base.errors import BadInput, Fault, Usage
from flows.evidence import keys
from flows.evidence.store import evidence_folder, opened_bytes, seal_bytes
from flows.home.tree import Home, alone, busy

MOST = 2_000  # characters
HINT = "No names, and no values of a row."
_FILE = "note-"  # in the name of each, before its digest
_UNSIGNED = timedelta(days=1)  # so long after it was written somebody may still sign with it


def checked(text: str) -> str:
    """The text as it is kept. Raises BadInput for one that is empty, too long, or no plain text."""
    said = "\n".join(text.strip().splitlines())
    if not 0 < len(said) <= MOST:
        raise BadInput("NOTE_LENGTH", f"a note has at most {MOST:,} characters, and at least one", remedy="Shorten it.")
    if any(not (one.isprintable() or one == "\n") for one in said):
        raise BadInput("NOTE_NO_TEXT", "a note is plain text, without control characters", remedy="Write it anew.")
    return said


def store(home: Home, text: str, batch: str | None = None) -> str:
    """Seals a note; gives its digest. Nobody has signed it yet: one that is left so is deleted after a day. Raises
    BadInput as `checked`, Usage while the batch runs."""
    content = canonical_json({"salt": secrets.token_hex(16), "text": checked(text)})
    digest = of_bytes(content)
    if batch is None:
        _seal(home, content, digest, None, keys.holder(home).recipient)
        return digest
    if busy(home, batch):
        raise Usage("BATCH_RUNS", "the batch runs at this moment", where=batch, remedy="Look at it again in a minute.")
    with alone(home, batch):  # the first note makes the key, as evidence does: two at once would make two
        _seal(home, content, digest, batch, keys.recipient(home, batch))
    return digest


def _seal(home: Home, content: bytes, digest: str, batch: str | None, recipient: str) -> None:
    target = path(home, digest, batch)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    seal_bytes(content, target, recipient)


def text(home: Home, digest: str, batch: str | None = None) -> str:
    """What was written. Raises Usage if it is not there, BadInput if it cannot be opened, Fault if it is not the one
    that was signed."""
    require(home, digest, batch)
    identity = keys.identity(home, batch) if batch else keys.holder(home)
    content = opened_bytes(path(home, digest, batch), identity)
    if not bytes_match(content, digest):
        raise Fault("NOTE_CHANGED", "a note is not the one in the ledger", remedy="Restore it from a backup.")
    return str(json.loads(content)["text"])


def require(home: Home, digest: str, batch: str | None = None) -> None:
    """Raises Usage if no such note is kept."""
    if not path(home, digest, batch).is_file():
        raise Usage("NOTE_GONE", "what was written is not there any more", remedy="Write it anew.")


def path(home: Home, digest: str, batch: str | None) -> Path:
    """Where a note lies, sealed."""
    if batch is None:
        return home.root / "notes" / f"{_FILE}{digest}.age"
    return evidence_folder(home) / f"{batch}.{_FILE}{digest}.age"


def of_batch(home: Home, batch: str) -> list[Path]:
    """The notes of a batch that are there."""
    return sorted(evidence_folder(home).glob(f"{batch}.{_FILE}*.age"))


def delete_unsigned(home: Home, signed: Set[str], now: datetime) -> None:
    """Deletes the notes that were written more than a day ago and that nobody signed with."""
    for one in (*evidence_folder(home).glob(f"*.{_FILE}*.age"), *(home.root / "notes").glob(f"{_FILE}*.age")):
        digest = one.name.rpartition(_FILE)[2].removesuffix(".age")
        if digest not in signed and one.stat().st_mtime < (now - _UNSIGNED).timestamp():
            one.unlink(missing_ok=True)
