"""An operator's own list of facilities, on top of the package's: phrases, and addresses of one line."""

import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from expectations.address.reference import plain
from expectations.base.errors import BadInput

NAME = "facilities.csv"  # in the home tree, and a copy beside each batch
MOST = 1_000  # of phrases, and of addresses: with more of them each row of a batch would take noticeably longer
FORM = "Write a CSV in UTF-8 with a column called phrase or address, or both; quote an address that holds a comma."


@dataclass(frozen=True)
class Facilities:
    """phrases: made plain. addresses: one line each, as the list has them."""

    phrases: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


def read(path: Path) -> Facilities:
    """The list at `path`: a CSV with `phrase`, `address` or both, after comment lines that begin with `#`; other
    columns are not looked at. Raises BadInput if it is not that, or says nothing."""
    try:
        rows = list(_rows(path))
    except (OSError, UnicodeDecodeError, csv.Error):
        refuse(path, "the list of facilities cannot be read")
    phrases = tuple(dict.fromkeys(p for row in rows if (p := _plain(row.get("phrase") or ""))))
    addresses = tuple(dict.fromkeys(a for row in rows if (a := (row.get("address") or "").strip())))
    if not phrases and not addresses:
        refuse(path, "the list of facilities is empty", "Fill it, or take it away.")
    if max(len(phrases), len(addresses)) > MOST:
        refuse(path, f"the list of facilities has more than {MOST:,} phrases or addresses", "Shorten it.")
    return Facilities(phrases, addresses)


def refuse(path: Path, why: str, remedy: str = FORM) -> NoReturn:
    """Raises BadInput on a list that cannot be used."""
    raise BadInput("FACILITIES_UNREADABLE", why, where=path.name, remedy=remedy) from None


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader((line for line in stream if not line.startswith("#")), strict=True)
        if not {"phrase", "address"} & set(reader.fieldnames or ()):
            refuse(path, "the list of facilities has no column called phrase or address")
        for number, row in enumerate(reader, 1):
            if None in row:
                refuse(path, f"entry {number} of the list of facilities has more fields than its header")
            yield row


def _plain(phrase: str) -> str:
    """In the letters that a cleaned request can have: capitals without accents."""
    return plain("".join(c for c in unicodedata.normalize("NFD", phrase) if not unicodedata.combining(c)))
