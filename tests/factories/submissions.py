"""Small signed submissions for tests: good ones, which a test then spoils in one way."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyrage
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.algorithms import Scheme
from expectations.base.digests import of_bytes
from expectations.contracts.request import RAW_NAMES
from expectations.instruments import Agreement, Determination, parse_instrument
from expectations.instruments.parse import Instrument
from tests.factories.paths import ROOT

INSTRUMENTS = ROOT / "infra" / "instruments"
LETTER_DATE = date(2026, 6, 1)  # the day on which tests decide
OFFICERS = ("officer-1", "officer-2")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RECIPIENT = pyrage.x25519.Identity.generate()


@dataclass(frozen=True)
class DataFile:
    """One data file as it lies in the submission; `rows` is what the letter says of it."""

    path: str
    data: bytes
    rows: int
    format: str = "csv"
    compression: str = "none"


def sandbox(key: Ed25519PrivateKey = KEY) -> Agreement:
    """The fictional agreement in force, with `key` as its signing key."""
    found = shipped("sandbox-2026.toml.in", key)
    assert isinstance(found, Agreement)
    return found


def determined() -> Determination:
    """The holder's determination for the shipped agreements, of the day on which tests decide."""
    found = shipped("determination-sandbox.toml.in")
    assert isinstance(found, Determination)
    return found


def shipped(name: str, key: Ed25519PrivateKey = KEY) -> Instrument:
    """A shipped instrument, its placeholders (if it has any) filled in as a home does."""
    text = (INSTRUMENTS / name).read_text().replace("{signing_key}", signatures.public_line(key))
    text = text.replace("{today}", LETTER_DATE.isoformat())
    return parse_instrument(text.replace("{recipient}", str(RECIPIENT.to_public())).encode(), name)


def row(number: int, **changes: str | None) -> dict[str, str | None]:
    """A row that meets every request-phase rule, unlike any other `number`."""
    good: dict[str, str | None] = {
        "request_id": f"R-{number:06d}",
        "first_name": "Maria",
        "middle_name": "L",
        "last_name": "Lopez Garcia",
        "street": f"{100 + number} Oak Street",
        "unit": "Apt 4",
        "city": "Sacramento",
        "state": "CA",
        "zip": "95814",
        "birth_date": "1980-05-17",
        "tin": "",
        "taxable_period": "2024",
        "reason": f"The address is needed to serve the indictment in case {number} on the defendant.",
        "officer": OFFICERS[number % len(OFFICERS)],
        "final_order_date": "2025-06-01",
        "judicial_order_date": "none",
        "removal_ground": "1227(a)(1)(B)",
        "case_number": f"C-{number}",
    }
    return {**good, **changes}


def rows(count: int) -> list[dict[str, str | None]]:
    return [row(n) for n in range(1, count + 1)]


def encode(content: Sequence[Mapping[str, Any]], kind: str = "csv", compression: str = "none") -> bytes:
    """`content` as the bytes of a data file."""
    columns = [n for n in RAW_NAMES if any(n in r for r in content)]
    if kind == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows([{k: "" if v is None else v for k, v in r.items()} for r in content])
        data = text.getvalue().encode()
    elif kind == "jsonl":
        data = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in content).encode()
    else:
        table = pa.table({c: pa.array([r.get(c) for r in content]) for c in columns})
        sink = io.BytesIO()
        pq.write_table(table, sink)
        data = sink.getvalue()
    return compress(data, compression)


def compress(data: bytes, compression: str) -> bytes:
    pack = {"none": bytes, "gzip": partial(gzip.compress, mtime=0), "zstd": zstandard.compress}
    return pack[compression](data)


def write(
    folder: Path,
    content: Sequence[Mapping[str, Any]],
    key: Ed25519PrivateKey = KEY,
    agreement: Agreement | None = None,
    *,
    kind: str = "csv",
    compression: str = "none",
    **letter_changes: Any,
) -> Path:
    """A signed submission with one data file in `folder`, which it returns. `letter_changes`: top keys of the
    letter."""
    name = f"requests.{kind}" + {"gzip": ".gz", "zstd": ".zst"}.get(compression, "")
    data = encode(content, kind, compression)
    return write_files(
        folder, [DataFile(name, data, len(content), kind, compression)], key, agreement, **letter_changes
    )


def write_files(
    folder: Path,
    files: Sequence[DataFile],
    key: Ed25519PrivateKey = KEY,
    agreement: Agreement | None = None,
    **letter_changes: Any,
) -> Path:
    """A signed submission with these data files."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
    return sign(folder, letter(files, agreement or sandbox(key), **letter_changes), key)


def sign(folder: Path, text: str, key: Ed25519PrivateKey = KEY) -> Path:
    """Writes the letter and its signature into `folder`."""
    (folder / "letter.toml").write_text(text)
    (folder / "letter.toml.sig").write_text(signatures.sign(text.encode(), key, signatures.LETTER))
    return folder


def letter(files: Sequence[DataFile], under: Agreement, /, **changes: Any) -> str:
    """The text of a letter that meets every batch rule; `changes` replace top keys (None leaves one out)."""
    content: dict[str, Any] = {
        "requester": under.requester.id,
        "agreement": under.id,
        "statute": under.statutes[0],
        "purpose": under.purposes[0],
        "date": LETTER_DATE,
        "signatory": {
            "name": under.signatories[0].name if under.signatories else "A. Head",
            "office": under.signatories[0].office if under.signatories else under.offices[0],
        },
        "attestations": {"solely": True, "no_informant_or_investigation_harmed": True},
        "officers": [{"id": o, "name": f"Officer {o}"} for o in OFFICERS],
        "files": [
            {
                "path": f.path,
                "format": f.format,
                "compression": f.compression,
                "rows": f.rows,
                "sha256": of_bytes(f.data, Scheme.SHA256),
            }
            for f in files
        ],
        **changes,
    }
    return "".join(f"{k} = {_toml(v)}\n" for k, v in content.items() if v is not None)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return value.isoformat() if isinstance(value, date) else json.dumps(value)
