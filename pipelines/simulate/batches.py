"""A made-up request batch: a signed submission folder, and the truth beside it (never inside: no stage reads it)."""

import dataclasses
import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import digests, forms, signatures
from expectations.base.algorithms import Scheme
from expectations.base.duck import DuckSettings, default_settings, session
from expectations.base.errors import Usage
from expectations.contracts.request import RAW_NAMES
from expectations.rules.statutes.usc_8_1253 import CITATION
from pipelines.lake import Progress
from pipelines.simulate import asked, chance, registers, tables, written
from pipelines.simulate.profiles import profile as profile_called

VERSION = 1  # of the generator
ROWS_AN_OFFICER = 2_500
MIXED = (("csv", 0.5), ("jsonl", 0.3), ("parquet", 0.2))  # formats and shares of the files of a larger batch
MIXED_FROM = 30  # rows; smaller batches are one CSV file
STEP = "simulate.batch"
TRUTH = ("request_id", "record_id", "address_defect", "corroborated", "legally_eligible", "releasable")
ONE_LINE = ("full_name", "address")  # the JSON Lines file has these instead of the parts
OF_OTHER_PRONGS = ("prong", "conduct_date", "conduct_place", "proper_steps")  # each request rests on (A)
PARTS = ("first_name", "middle_name", "last_name", "suffix", "street", "unit", "city", "state", "zip")
WRITE = {"csv": "csv, HEADER", "jsonl": "json", "parquet": tables.PARQUET}

# What every letter of the simulator says beside its parties, date and files
SIGNATORY = {"name": "A. Signatory (fictional)", "office": "Head of agency"}
PURPOSE = "Criminal proceeding"


def batch(
    register: Path,
    rows: int,
    seed: int,
    profile: str,
    out: Path,
    *,
    sign_key: Ed25519PrivateKey,
    requester_id: str,
    agreement_id: str,
    letter_date: date,
    file_format: str | None = None,
    incomplete_share: float | None = None,
    duck: DuckSettings | None = None,
    progress: Progress = lambda step, done, total: None,
) -> Path:
    """Writes `out/submission/` (letter.toml, letter.toml.sig, data files) and `out/truth.parquet`; returns the former.

    register           a folder made by `registers.register`
    profile            clean, incident or hostile (`profiles.PROFILES`)
    file_format        one file in this format (csv, jsonl, parquet); without it three files, one in each
    incomplete_share   share of all rows with an incomplete address, instead of the profile's
    progress           called with (step, steps done, steps)

    The truth has a row a request: record_id (null: not on file), address_defect (null: complete), corroborated (the
    address is on file for the person), legally_eligible, and releasable: all of these, the names are the person's (a
    nickname, one of two surnames or a typing error allowed), a birth date or TIN given that is the one on file (1
    January is none) and none that is another, and the row can be read and has an id of its own. The same arguments give
    the same files. Raises Usage on an unknown profile or format, no rows, a register too small, and a folder that holds
    something already.
    """
    chosen = profile_called(profile)
    if incomplete_share is not None:
        chosen = dataclasses.replace(chosen, incomplete=incomplete_share)
    if rows < 1:
        raise Usage("NO_ROWS", "a batch needs at least one row", remedy="Give --rows.")
    if file_format is not None and file_format not in WRITE:
        raise Usage("UNKNOWN_FORMAT", "no such file format", remedy=f"Choose one of: {', '.join(WRITE)}.")
    if out.exists() and any(out.iterdir()):
        raise Usage("FOLDER_NOT_EMPTY", "the output folder holds something already", remedy="Name a new folder.")
    made = registers.read(register)
    name = f"batch {VERSION}|{made.seed}|{made.rows}|{seed}|{letter_date}|{profile}"
    officers = [f"officer-{n:03d}" for n in range(1, -(-rows // ROWS_AN_OFFICER) + 1)]
    plan = asked.Plan(rows, chosen, chance.Chance(name), register, made, letter_date)
    submission = out / "submission"
    submission.mkdir(parents=True, mode=0o700)
    with session(duck or default_settings()) as connection:
        chance.setup(connection)
        asked.choose(connection, plan)
        progress(STEP, 1, 3)
        # ids differ between batches, because an id is answered once
        written.write(connection, plan, officers, hashlib.sha256(name.encode()).hexdigest()[:8].upper())
        progress(STEP, 2, 3)
        files = _write(connection, submission, rows, file_format)
        tables.write(connection, f"SELECT {', '.join(TRUTH)} FROM rows ORDER BY i", out / "truth.parquet")
    letter = _letter(requester_id, agreement_id, letter_date, officers, files).encode()
    (submission / "letter.toml").write_bytes(letter)
    (submission / "letter.toml.sig").write_text(signatures.sign(letter, sign_key, signatures.LETTER))
    progress(STEP, 3, 3)
    return submission


def _write(
    connection: duckdb.DuckDBPyConnection, folder: Path, rows: int, file_format: str | None
) -> list[dict[str, str | int]]:
    """Writes the data files; what the letter says of each."""
    alone = file_format or (None if rows >= MIXED_FROM else "csv")
    files: list[dict[str, str | int]] = []
    start, total = 0, 0.0
    for number, (kind, share) in enumerate(((alone, 1.0),) if alone else MIXED, 1):
        total += share
        end, path = round(rows * total), folder / f"requests-{number}.{kind}"
        left_out = (*(PARTS if kind == "jsonl" else ONE_LINE), *OF_OTHER_PRONGS)
        columns = ", ".join(n for n in RAW_NAMES if n not in left_out)
        query = f"SELECT {columns} FROM rows WHERE i >= {start} AND i < {end} ORDER BY i"
        tables.write(connection, query, path, WRITE[kind])
        files.append(
            {"path": path.name, "format": kind, "rows": end - start, "sha256": digests.of_file(path, Scheme.SHA256)}
        )
        start = end
    return files


def _letter(
    requester: str, agreement: str, day: date, officers: Sequence[str], files: Sequence[dict[str, str | int]]
) -> str:
    """The letter as TOML."""
    return forms.document(
        {
            "requester": requester,
            "agreement": agreement,
            "statute": CITATION,
            "purpose": PURPOSE,
            "date": day,
            "signatory": SIGNATORY,
            "attestations": {"solely": True, "no_informant_or_investigation_harmed": True},
            "officers": [{"id": id, "name": f"Engaged {id}"} for id in officers],
            "files": files,
        }
    )
