"""Whatever stands in a table of addresses, every record has one verdict, and how the file is cut into blocks changes
nothing."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.instruments import Compression
from pipelines.preflight.addresses import fields_of
from pipelines.preflight.verdicts import ID
from pipelines.read import blocks
from pipelines.read import csv as read_csv
from pipelines.read.stretch import Read, screen
from tests.generative.examples import examples

NAMES = ("id", "street", "city", "note")
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["\n" * 30, "\r", "\r\n", '"', '""', '",', "\0", "=1", "'", "\ufeff", "a" * 1200]
)
rows = st.lists(st.tuples(text, text, text, text), min_size=1, max_size=12)
messy = st.lists(
    st.sampled_from(
        [
            b'"',
            b",",
            b"\n",
            b"\r",
            b"\r\n",
            b"x",
            b'""',
            b"\xef\xbb\xbf",
            b"\xff",
            b"\0",
            b"R1,a,b,c\n",
            b'R2,"a\nb",c,d\n',
        ]
    ),
    max_size=30,
)

Ends = list[tuple[str | None, object]]


def ends(data: bytes, size: int = blocks.BLOCK) -> Ends:
    """Of each row of the file in its order: its id, and its fields or its code."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data"
        path.write_bytes(data)
        with blocks.opened(path, Compression.NONE, "data") as source:
            file = read_csv.CsvFile(source, read_csv.TABLE, size)
            fields = fields_of(file.names, "data")
            assert fields == ["street", "city"]
            return [end for one in file.reads(fields, ID) for end in of_read(screen(one))]


def of_read(one: Read) -> Ends:
    read: dict[int, object] = dict(zip(one.rows.tolist(), one.table.to_pylist(), strict=True))
    read |= {r.row: r.code for r in one.rejects}
    assert one.keys is not None and len(read) == len(one.keys) == one.count
    return [(key, read[row]) for key, row in zip(one.keys.to_pylist(), sorted(read), strict=True)]


@settings(max_examples=examples(100), deadline=None)
@given(rows, st.booleans(), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_each_record_is_one_row_with_its_own_id(content: list[tuple[str, ...]], crlf: bool, quoting: int) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n" if crlf else "\n", quoting=quoting)
    writer.writerows([NAMES, *content])
    found = ends(stream.getvalue().encode())
    assert [key for key, _ in found] == [row[0] for row in content]
    for (_, read), (_, street, city, _) in zip(found, content, strict=True):
        assert read in ({"street": street, "city": city}, "CONTROL_CHARACTER", "FIELD_TOO_LONG")


@settings(max_examples=examples(150), deadline=None)
@given(messy)
def test_a_messy_file_reads_the_same_in_any_blocks_and_record_by_record(some: list[bytes]) -> None:
    data = ",".join(NAMES).encode() + b"\n" + b"".join(some)
    whole = ends(data)
    assert ends(data, 40) == whole
    with mock.patch.object(read_csv, "at_once", return_value=None):
        assert ends(data) == whole
        assert ends(data, 7) == whole
