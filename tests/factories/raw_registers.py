"""Raw registers as others write them: CSV, other names and dates, with a mapping; and the build of one, or its refusal."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest

from expectations.base.errors import BadInput
from pipelines import register
from tests.factories.match_inputs import HOME, ONE, record

CANARY = "Zcanary77"
SINCE = date(2018, 4, 2)
RECORDS = [
    record(n, "Ána" if n % 2 else "Bo", f"Surname, {n}", tin=f"512-34-{n:04d}", birth_date=date(1960 + n, 3, 9),
           middle_name='Q "X"' if n == 3 else None,
           home={**HOME, "street": f"{12 if n < 5 else 100 + n} OAK ST", "unit": f"APT {n}" if n < 4 else None})
    for n in range(1, 31)
]  # fmt: skip
NAMES = {
    "record_id": "ID", "tin": "SSN", "first_name": "GIVEN", "middle_name": "MI", "last_name": "SURNAME", "birth_date": "DOB",
    "street": "LINE 1", "unit": "APT", "city": "CITY", "state": "ST", "zip": "ZIP",
}  # fmt: skip
MAPPING = """
[persons]
files = "records/*.csv"
date_format = "%m/%d/%Y"
columns = { record_id = "ID", tin = "SSN", first_name = "GIVEN", middle_name = "MI", last_name = "SURNAME", birth_date = "DOB" }

[addresses]
files = "records/*.csv"
columns = { record_id = "ID", street = "LINE 1", unit = "APT", city = "CITY", state = "ST", zip = "ZIP" }
defaults = { valid_from = 2018-04-02 }
"""


def wide_rows() -> list[dict[str, str]]:
    rows = []
    for r in RECORDS:
        flat = {**r, **r["homes"][0], "birth_date": r["birth_date"].strftime("%m/%d/%Y")}
        rows.append({**{name: str(flat[field] or "") for field, name in NAMES.items()}, "YEAR": "2023"})
    return rows


def as_csv(rows: list[dict[str, str]], *, delimiter: str = ",", end: str = "\n") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def wide(folder: Path, *parts: bytes, mapping: str = MAPPING) -> Path:
    (folder / "records").mkdir(parents=True)
    for n, data in enumerate(parts):
        (folder / "records" / f"{n}.csv").write_bytes(data)
    (folder / "mapping.toml").write_text(mapping)
    return folder


def made(raw: Path, target: Path) -> list[tuple[str, int, str]]:
    """(dataset, index, digest) of the prepared parts."""
    manifest = register.build(raw, target, part_rows=20, duck=ONE)
    assert not list(target.parent.glob(f".{target.name}*")), "nothing of the reading is left"
    return [(p.dataset, p.index, p.digest) for p in manifest.parts]


def refused(raw: Path, target: Path) -> tuple[str, str]:
    """Code and place of the error that a build ends with, which quotes no value and leaves no row behind."""
    with pytest.raises(BadInput) as caught:
        register.build(raw, target, duck=ONE)
    error = caught.value
    assert CANARY.lower() not in f"{error} {error.message} {error.where} {error.remedy}".lower()
    assert error.__cause__ is None and (error.__suppress_context__ or error.__context__ is None)
    assert error.remedy
    assert not (target.parent / f".{target.name}.raw").exists()
    return error.code, str(error.where)
