"""A table of requests and the facts of a letter to a signed submission: what a requester otherwise writes by hand.

The facts are the letter without its files, and without its date if it is to be today's. Rows are counted as the holder
will count them, and the finished submission is judged by pre-flight before it is put in place, whole or not at all.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations import codes
from expectations.base import digests, forms, signatures
from expectations.base.algorithms import Scheme
from expectations.base.clock import Clock
from expectations.base.duck import DuckSettings
from expectations.base.errors import BadInput, Usage
from expectations.instruments import Agreement, DataFile, letter_of
from expectations.rules.statutes import required_columns
from pipelines.ingest.submission import LETTER, SIGNATURE
from pipelines.lake import Progress, durable
from pipelines.lake.failures import no_values
from pipelines.lake.workplace import locked_folder
from pipelines.preflight.submission import Report, check_submission
from pipelines.read.blocks import Submitted
from pipelines.read.formats import PACKED_SUFFIXES, READERS, SUFFIXES, of_name
from pipelines.read.stretch import Reject, screen

_ANYWHERE = "Etc/GMT+12"  # a day that has begun here has begun everywhere: no letter of it is dated after its receipt


@dataclass(frozen=True)
class Packer:
    """What every pack of one requester needs: the signatory's key; the agreement, if its terms are to be judged too."""

    key: Ed25519PrivateKey
    clock: Clock
    duck: DuckSettings
    agreement: Agreement | None = None


def pack(
    table: Path,
    facts: Path,
    out: Path,
    packer: Packer,
    *,
    verdicts: Path | None = None,
    progress: Progress = lambda step, done, total: None,
) -> Report:
    """Makes the signed submission `out` of `table` (.csv, .jsonl, .parquet, also .gz or .zst) and `facts`, and gives
    what pre-flight says of it. With findings there is no submission.

    verdicts   where a verdict on each row goes, with or without findings (see `verdicts`)

    Raises Usage if something stands at `out`. Raises BadInput, naming the key of the facts, or row and field of the
    table and never a value: LETTER_UNREADABLE, LETTER_INVALID, FILE_MISSING, UNKNOWN_FORMAT, NO_ROWS, what the readers
    raise for a file, and the code of the first row that cannot be read.
    """
    given = _facts(facts, packer)
    with no_values("pack"), _beside(out) as work:
        folder = work / "submission"
        folder.mkdir(mode=0o700)
        file = _copied(table, folder, work / "unpacked", given.get("statute"), packer.duck)
        body = _letter(given, file, facts.name).encode()
        durable.write(folder / LETTER, body, 0o600)
        durable.write(folder / SIGNATURE, signatures.sign(body, packer.key, signatures.LETTER).encode(), 0o600)
        how: dict[str, Any] = {"agreement": packer.agreement, "clock": packer.clock, "duck": packer.duck}
        report = check_submission(folder, verdicts or work / "verdicts.parquet", progress=progress, **how)
        if not report.findings:
            durable.folder(folder)
            folder.rename(out)
            durable.fsync(out.parent)
    return report


def _facts(path: Path, packer: Packer) -> dict[str, Any]:
    given = forms.toml(forms.file_bytes(path, "LETTER_UNREADABLE"), path.name, "LETTER_UNREADABLE")
    if "files" in given:
        remedy = "Leave files out: pack names the table there, with its rows and its digest."
        raise BadInput("LETTER_INVALID", "the facts of the letter list files", where=path.name, remedy=remedy)
    zone = packer.agreement.zone if packer.agreement else _ANYWHERE
    return {**given, "date": given.get("date", packer.clock.today(zone))}


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder of our own beside `out`, from which what is made there is moved."""
    if os.path.lexists(out):
        raise Usage("FOLDER_EXISTS", "something stands where the submission goes", remedy="Name a new folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked_folder(out.parent, ".pack-") as work:
        yield work


def _copied(table: Path, folder: Path, scratch: Path, statute: Any, duck: DuckSettings) -> DataFile:
    """The table under a plain name in the submission, and what the letter says of it."""
    kind, compression = of_name(table)
    if not table.is_file():
        raise BadInput("FILE_MISSING", "there is no such file", where=table.name, remedy="Check its name.")
    if kind is None:
        remedy = "Name it .csv, .jsonl or .parquet, and .gz or .zst behind that if it is compressed."
        raise BadInput("UNKNOWN_FORMAT", "its name says no format that is read", where=table.name, remedy=remedy)
    copy = folder / f"requests{SUFFIXES[kind]}{PACKED_SUFFIXES[compression]}"
    shutil.copyfile(table, copy)
    copy.chmod(0o600)
    required = required_columns(statute if isinstance(statute, str) else "")
    submitted = Submitted(copy, table.name, compression, scratch, duck, required)
    reads = [(read.count, read.rejects) for read in map(screen, READERS[kind](submitted))]
    rejects = list(chain.from_iterable(bad for _, bad in reads))
    if rejects:
        raise _unreadable(table.name, min(rejects, key=lambda r: r.row), len(rejects))
    rows = sum(count for count, _ in reads)
    if not rows:
        raise BadInput("NO_ROWS", "the table has no rows", where=table.name, remedy="Give at least one.")
    return DataFile(
        path=copy.name, format=kind, compression=compression, rows=rows, sha256=digests.of_file(copy, Scheme.SHA256)
    )


def _unreadable(where: str, first: Reject, count: int) -> BadInput:
    code = codes.code(first.code)
    field = f", field {first.field}" if first.field else ""
    others = f"; {count - 1:,} more rows cannot be read" if count > 1 else ""
    return BadInput(
        code.name, f"{code.message.rstrip('.')}{others}", where=f"{where}, row {first.row}{field}", remedy=code.fix
    )


def _letter(given: dict[str, Any], file: DataFile, where: str) -> str:
    """The letter's text; raises BadInput naming the key that is missing or wrong."""
    table = {**given, "files": [file.model_dump(mode="json")]}
    letter_of(table, where)  # first, so that no key of the facts is written that is none of a letter's
    return forms.document(table)
