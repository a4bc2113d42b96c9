"""What the recipient hands back: its list of copies, and its disposal log. CSV, or TOML with one table an entry. Copies
of copies count: data derived from what was disclosed is disclosed data (26 USC 6103(p)(4)). No error quotes an
entry."""

import csv
import io
from collections.abc import Collection, Sequence
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from expectations.base.errors import BadInput
from expectations.base.forms import Strict, toml, validated
from expectations.instruments.terms import Key

RETURNED = "returned"
_LIMIT = 10_000_000  # bytes; a list of copies is no table of rows
Text = Annotated[str, Field(min_length=1, max_length=200)]


class Copy(Strict):
    """One copy, or one thing derived from a copy."""

    id: Key = Field(description="the recipient's name of it", examples=["db-1"])
    kind: Literal["package", "file", "database", "derived", "backup", "paper"] = Field(
        description="what it is", examples=["database"]
    )
    system: Text = Field(description="where it is kept", examples=["case management"])
    rows: Annotated[int, Field(ge=0)] = Field(description="recalled rows in it", examples=[120])
    derived_from: str = Field(default="", description="id of the copy that it was made from", examples=["package-1"])
    disposition: Literal["dispose", "return"] = Field(description="what is to become of it", examples=["dispose"])


class Disposal(Strict):
    """One entry of the disposal log: what became of a copy (NIST 800-88 for electronic media)."""

    copy_id: Key = Field(description="id from the list of copies", examples=["db-1"])
    received_on: date = Field(description="day on which the recipient had it", examples=[date(2026, 3, 2)])
    person: Text = Field(description="who is responsible", examples=["A. Keeper"])
    done_on: date = Field(description="day of the destruction, or of the return", examples=[date(2026, 6, 1)])
    method: Literal["clear", "purge", "destroy", "returned"] = Field(
        description="NIST 800-88: clear, purge or destroy; or returned, under receipt", examples=["purge"]
    )
    receipt: str = Field(default="", description="of a return: number of the receipt", examples=["R-17"])


class Persons(Strict):
    """One entry of the record of notice to the persons concerned: who notifies how many of them, and when."""

    notifies: Literal["holder", "recipient", "inspector_general", "nobody"] = Field(
        description="who notifies them; nobody: it was determined that no notice is due", examples=["holder"]
    )
    person: Text = Field(description="who is responsible, or who determined it", examples=["P. Officer"])
    rows: Annotated[int, Field(gt=0)] = Field(description="recalled rows whose persons these are", examples=[120])
    notified_on: date | None = Field(default=None, description="day of the notice", examples=[date(2026, 6, 1)])
    because: str = Field(default="", description="of nobody: why none is due", examples=["7431(e) does not apply"])


def persons(data: bytes, where: str, rows: int, today: date) -> list[Persons]:
    """The record of notice to the persons concerned by `rows` recalled rows. Raises BadInput at the first entry at
    fault: a notice without its day or in the future, none without its reason; or if it is not of all rows."""
    found = _read(data, Persons, "persons", where)
    for number, one in enumerate(found, 1):
        nobody = one.notifies == "nobody"
        for ok, what in (
            (nobody == (one.notified_on is None), "a notice has its day, and none has no day"),
            (nobody == bool(one.because.strip()), "that no notice is due has its reason, and a notice has none"),
            (one.notified_on is None or one.notified_on <= today, "notified_on lies in the future"),
        ):
            if not ok:
                raise _wrong(what, f"{where}, entry {number}")
    if sum(one.rows for one in found) != rows:
        raise _wrong("the entries are not of all recalled rows, each once", where)
    return found


def log(data: bytes, where: str) -> list[Disposal]:
    """The entries of a disposal log as they stand there; raises BadInput if they have not its form."""
    return _read(data, Disposal, "disposals", where)


_F = TypeVar("_F", Copy, Disposal, Persons)


def blank(form: type[Strict]) -> bytes:
    """The form as an empty CSV: its header."""
    return (",".join(form.model_fields) + "\n").encode()


def copies(data: bytes, where: str, before: Sequence[Copy] = ()) -> list[Copy]:
    """The list of copies; raises BadInput at the first wrong entry, or if it leaves out one that was listed before."""
    found = _read(data, Copy, "copies", where)
    ids = [c.id for c in found]
    if len(set(ids)) != len(ids):
        raise _wrong("two copies have the same id", where)
    for number, one in enumerate(found, 1):
        if one.derived_from and (one.derived_from not in ids or one.derived_from == one.id):
            raise _wrong("derived_from is no other copy of the list", f"{where}, entry {number}")
    if gone := {c.id for c in before} - set(ids):
        raise _wrong(f"{len(gone)} copies of the list before are left out; those disposed of stay on it", where)
    if before and len(ids) == len(before):
        raise _wrong("the list has no copy that the list before did not have", where)
    return found


def disposals(
    data: bytes, where: str, listed: Collection[str], before: Collection[str], today: date, returned: bool
) -> list[Disposal]:
    """The entries of a disposal log. `listed`: ids of all copies; `before`: of those disposed of already. Raises
    BadInput at the first entry at fault: a copy that is not listed or was disposed of before, a day in the future or
    before receipt, a return without receipt, or one that is no return in a log of returns."""
    found, done = log(data, where), set(before)
    for number, one in enumerate(found, 1):
        is_return = one.method == RETURNED
        for ok, what in (
            (one.copy_id in listed, "copy_id is not on the list of copies"),
            (one.copy_id not in done, "this copy is disposed of already"),
            (one.done_on <= today, "done_on lies in the future"),
            (one.received_on <= one.done_on, "done_on lies before received_on"),
            (is_return == returned, "a log of disposals holds no returns, and a log of returns nothing else"),
            (bool(one.receipt.strip()) == is_return, "a return has a receipt, and a destruction has none"),
        ):
            if not ok:
                raise _wrong(what, f"{where}, entry {number}")
        done.add(one.copy_id)
    return found


def _read(data: bytes, form: type[_F], table: str, where: str) -> list[_F]:
    if len(data) > _LIMIT:
        raise _wrong(f"the file is larger than {_LIMIT:,} bytes", where)
    is_toml = any(line.startswith(b"[[") for line in data.splitlines())  # no id in a CSV begins so
    entries = _from_toml(data, table, where) if is_toml else _from_csv(data, form, where)
    if not entries:
        raise _wrong("the form has no entries", where)
    return [validated(form, entry, f"{where}, entry {n}", "FORM_INVALID", "") for n, entry in enumerate(entries, 1)]


def _from_toml(data: bytes, table: str, where: str) -> list[dict[str, Any]]:
    found = toml(data, where, "FORM_INVALID")
    entries = found.get(table)
    if set(found) != {table} or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise _wrong(f"the file has something else than tables [[{table}]]", where)
    return entries


def _from_csv(data: bytes, form: type[Strict], where: str) -> list[dict[str, Any]]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error):
        raise _wrong("the file is no CSV in UTF-8", where) from None
    missing = {n for n, f in form.model_fields.items() if f.is_required()} - set(reader.fieldnames or ())
    if missing:
        raise _wrong(f"a column is missing: {min(missing)}", where)
    if set(reader.fieldnames or ()) - set(form.model_fields):
        raise _wrong(f"there is a column that the form does not have; it has {', '.join(form.model_fields)}", where)
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise _wrong("the entry has more or fewer fields than the header", f"{where}, entry {number}")
    return [{name: value.strip() for name, value in row.items() if value.strip()} for row in rows]


def _wrong(what: str, where: str) -> BadInput:
    return BadInput("FORM_INVALID", what, where=where, remedy="Have the recipient correct it.")
