"""Decoding: a table of bad rows and bad files. A bad row costs itself only; a bad file is said to be so, with its
place."""

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base.duck import DuckSettings
from expectations.base.errors import BadInput
from expectations.contracts.request import RAW_NAMES
from expectations.contracts.stages import REJECT
from expectations.instruments import Compression, DataFile, FileFormat
from expectations.rules.statutes import required_columns
from pipelines.ingest.decode import RAW, Decode, plan
from pipelines.lake import Attempt
from pipelines.read import blocks
from tests.factories import submissions

COUNT = 5
NEEDED = required_columns("8 USC 1253(a)(1)")


def decode(
    folder: Path,
    data: bytes,
    rows: int,
    kind: str = "csv",
    compression: str = "none",
    part_rows: int = 1000,
    **worker: Any,
) -> tuple[pa.Table, list[tuple[int, str | None, str]]]:
    """Raw rows and (row, field, code) of the rejects of one file."""
    folder.mkdir(exist_ok=True)
    (folder / "data").write_bytes(data)
    file = DataFile(path="data", format=kind, compression=compression, rows=rows, sha256="0" * 64)
    parts = []
    for work in plan((file,), folder, part_rows):
        parts += Decode(part_rows, DuckSettings(threads=1), **worker)(work, Attempt(str(folder / "attempt")))
    raw = pa.concat_tables([pq.read_table(p.path) for p in parts if p.dataset == "raw"])
    rejects = pa.concat_tables([pq.read_table(p.path) for p in parts if p.dataset == "rejects"])
    assert raw.schema.equals(RAW) and rejects.schema.equals(REJECT)
    return raw, [(r["row"], r["field"], r["code"]) for r in rejects.to_pylist()]


def lines(kind: str) -> list[bytes]:
    return submissions.encode(submissions.rows(COUNT), kind).splitlines(keepends=True)


def csv_row(**changes: str) -> bytes:
    return submissions.encode([submissions.row(3, **changes)]).split(b"\n", 1)[1]


ROWS = {
    # what stands in place of the third row: (format, bytes, field, code)
    "a field too many": ("csv", csv_row(zip="95814")[:-1] + b",x\n", None, "RAGGED_ROW"),
    "a field too few": ("csv", b"R-3,Maria\n", None, "RAGGED_ROW"),
    "a quote never closed": ("csv", csv_row().replace(b"Maria", b'"Maria'), None, "RAGGED_ROW"),
    "a line break in a field": ("csv", csv_row(street="1 Oak\nStreet"), "street", "CONTROL_CHARACTER"),
    "two line breaks in a field": ("csv", csv_row(street="1\r\nOak\nStreet"), "street", "CONTROL_CHARACTER"),
    "a lone CR in a field": ("csv", csv_row().replace(b"Maria", b"Ma\rria"), "first_name", "CONTROL_CHARACTER"),
    "a NUL": ("csv", csv_row(city="Sacra\0mento"), "city", "CONTROL_CHARACTER"),
    "a tab": ("csv", csv_row(city="Sacra\tmento"), "city", "CONTROL_CHARACTER"),
    "a C1 control": ("csv", csv_row(city="Sacra\x85mento"), "city", "CONTROL_CHARACTER"),
    "Latin-1": ("csv", csv_row().replace(b"Maria", b"Mar\xeda"), "first_name", "BAD_ENCODING"),
    "half a character": ("csv", csv_row().replace(b"Sacramento", b"S\xc3"), "city", "BAD_ENCODING"),
    "a field too long": ("csv", csv_row(reason="x" * 1001), "reason", "FIELD_TOO_LONG"),
    "no id": ("csv", csv_row(request_id=""), "request_id", "NO_REQUEST_ID"),
    "an id of spaces": ("csv", csv_row(request_id=" \u200b\u00a0"), "request_id", "NO_REQUEST_ID"),
    "a huge line": ("csv", csv_row(reason="x" * 70_000), None, "LINE_TOO_LONG"),
    "a line of megabytes": ("csv", csv_row(reason="x" * 3_000_000), None, "LINE_TOO_LONG"),
    "a long line of quotes": ("csv", b'"' * 200_001 + b"\n", None, "LINE_TOO_LONG"),
    "not JSON": ("jsonl", b"hello\n", None, "BAD_JSON"),
    "half an object": ("jsonl", b'{"request_id": "R-3"\n', None, "BAD_JSON"),
    "two objects on a line": ("jsonl", b'{"request_id": "R-3"}{"request_id": "R-9"}\n', None, "BAD_JSON"),
    "an array": ("jsonl", b'["R-3"]\n', None, "BAD_JSON"),
    "a key twice": ("jsonl", b'{"request_id": "R-3", "request_id": "R-9"}\n', None, "BAD_JSON"),
    "an object in a field": ("jsonl", b'{"request_id": "R-3", "zip": {"a": 1}}\n', "zip", "BAD_JSON"),
    "true in a field": ("jsonl", b'{"request_id": "R-3", "zip": true}\n', "zip", "BAD_JSON"),
    "NaN": ("jsonl", b'{"request_id": "R-3", "zip": NaN}\n', None, "BAD_JSON"),
    "deep nesting": ("jsonl", b"[" * 60_000 + b"\n", None, "BAD_JSON"),
    "JSON in Latin-1": ("jsonl", b'{"request_id": "R-\xff"}\n', None, "BAD_ENCODING"),
    "half a surrogate": ("jsonl", b'{"request_id": "R-3", "city": "\\ud800"}\n', "city", "BAD_ENCODING"),
    "an escaped NUL": ("jsonl", b'{"request_id": "R-3", "city": "\\u0000"}\n', "city", "CONTROL_CHARACTER"),
    "a null id": ("jsonl", b'{"request_id": null}\n', "request_id", "NO_REQUEST_ID"),
    "no id in the object": ("jsonl", b"{}\n", "request_id", "NO_REQUEST_ID"),
    "a huge JSON line": ("jsonl", b'{"request_id": "' + b"x" * 70_000 + b'"}\n', None, "LINE_TOO_LONG"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_bad_row_costs_itself_only(tmp_path: Path, name: str) -> None:
    kind, bad, field, code = ROWS[name]
    content = lines(kind)
    content[3 if kind == "csv" else 2] = bad
    raw, rejects = decode(tmp_path, b"".join(content), COUNT, kind)
    assert rejects == [(3, field, code)]
    expected = [{n: r.get(n) for n in RAW_NAMES} for r in submissions.rows(COUNT) if r["request_id"] != "R-000003"]
    assert raw.select(RAW_NAMES).to_pylist() == expected
    assert raw["ordinal"].to_pylist() == [0, 1, 3, 4] and raw["row"].to_pylist() == [1, 2, 4, 5]


TEXT_IS_TEXT = [
    "=1+1",
    "'; DROP TABLE rows; --",
    "@SUM(A1)",
    "NULL",
    "{part}",
    "%s {0}",
    "日本語",
    "\u202eabc",
    "O'Brien",
    '5" pipe',
]


@pytest.mark.parametrize("kind", FileFormat)
@pytest.mark.parametrize("compression", Compression)
def test_every_format_gives_the_same_text(tmp_path: Path, kind: str, compression: str) -> None:
    content = [submissions.row(n, last_name=text, reason="r" * 1000) for n, text in enumerate(TEXT_IS_TEXT)]
    raw, rejects = decode(tmp_path, submissions.encode(content, kind, compression), len(content), kind, compression)
    assert rejects == []
    assert raw.select(RAW_NAMES).to_pylist() == [{n: r.get(n) for n in RAW_NAMES} for r in content]


def test_other_types_become_text_as_they_are_written(tmp_path: Path) -> None:
    row = {**submissions.row(1), "zip": 95814, "tin": 100000000000000000001}
    raw, _ = decode(tmp_path / "j", submissions.encode([row], "jsonl"), 1, "jsonl")
    assert (raw["zip"][0].as_py(), raw["tin"][0].as_py()) == ("95814", "100000000000000000001")
    table = pa.Table.from_pylist([submissions.row(1)])
    born = pa.array(["1980-05-17"]).cast(pa.date32())
    table = table.set_column(table.schema.get_field_index("birth_date"), "birth_date", born)
    table = table.set_column(table.schema.get_field_index("zip"), "zip", pa.array([95814]))
    raw, _ = decode(tmp_path / "p", as_parquet(table), 1, "parquet")
    assert (raw["birth_date"][0].as_py(), raw["zip"][0].as_py()) == ("1980-05-17", "95814")


def test_rejects_of_parquet_are_by_row_too(tmp_path: Path) -> None:
    content = submissions.rows(4)
    content[1]["city"], content[2]["reason"], content[3]["request_id"] = "a\nb", "x" * 100_000, None
    raw, rejects = decode(tmp_path, submissions.encode(content, "parquet"), 4, "parquet")
    assert rejects == [
        (2, "city", "CONTROL_CHARACTER"),
        (3, "reason", "FIELD_TOO_LONG"),
        (4, "request_id", "NO_REQUEST_ID"),
    ]
    assert raw["row"].to_pylist() == [1]


def as_parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def without(column: str) -> bytes:
    return submissions.encode([{k: v for k, v in r.items() if k != column} for r in submissions.rows(COUNT)])


GOOD = submissions.encode(submissions.rows(COUNT))
HEADER, BODY = GOOD.split(b"\n", 1)
FLOATS = as_parquet(pa.Table.from_pylist([submissions.row(1)]).drop(["zip"]).append_column("zip", pa.array([1.5])))
FILES = {
    # (bytes, rows in the letter, format, compression, code)
    "a row too few": (GOOD, COUNT + 1, "csv", "none", "COUNT_DIFFERS"),
    "a row too many": (GOOD, COUNT - 1, "csv", "none", "COUNT_DIFFERS"),
    "header only": (HEADER + b"\n", COUNT, "csv", "none", "COUNT_DIFFERS"),
    "no rows in the letter": (HEADER + b"\n", 0, "csv", "none", "NO_ROWS"),
    "unknown column": (HEADER + b",colour\n" + BODY, COUNT, "csv", "none", "UNKNOWN_COLUMN"),
    "no header": (BODY, COUNT, "csv", "none", "UNKNOWN_COLUMN"),
    "semicolons": (GOOD.replace(b",", b";"), COUNT, "csv", "none", "UNKNOWN_COLUMN"),
    "column twice": (HEADER + b",zip\n" + BODY, COUNT, "csv", "none", "DUPLICATE_COLUMN"),
    "UTF-16": (GOOD.decode().encode("utf-16"), COUNT, "csv", "none", "HEADER_UNREADABLE"),
    "gzip not said": (submissions.compress(GOOD, "gzip"), COUNT, "csv", "none", "HEADER_UNREADABLE"),
    "gzip said, plain sent": (GOOD, COUNT, "csv", "gzip", "COMPRESSION_BROKEN"),
    "zstd said, gzip sent": (submissions.compress(GOOD, "gzip"), COUNT, "csv", "zstd", "COMPRESSION_BROKEN"),
    "gzip cut off": (submissions.compress(GOOD, "gzip")[:-9], COUNT, "csv", "gzip", "COMPRESSION_BROKEN"),
    "zstd cut off": (submissions.compress(GOOD, "zstd")[:-9], COUNT, "csv", "zstd", "COMPRESSION_BROKEN"),
    "CSV said to be Parquet": (GOOD, COUNT, "parquet", "none", "NOT_PARQUET"),
    "Parquet cut off": (
        submissions.encode(submissions.rows(COUNT), "parquet")[:-20],
        COUNT,
        "parquet",
        "none",
        "NOT_PARQUET",
    ),
    "a column of floats": (FLOATS, 1, "parquet", "none", "COLUMN_TYPE"),
    "unknown key": (b'{"request_id": "R", "colour": "x"}\n', 1, "jsonl", "none", "UNKNOWN_COLUMN"),
    "JSON without a column": (b'{"request_id": "R", "officer": "x"}\n', 1, "jsonl", "none", "MISSING_COLUMN"),
    **{f"no column {c}": (without(c), COUNT, "csv", "none", "MISSING_COLUMN") for c in (*NEEDED, "last_name", "zip")},
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_said_to_be_so(tmp_path: Path, name: str) -> None:
    data, rows, kind, compression, code = FILES[name]
    with pytest.raises(BadInput) as caught:
        decode(tmp_path, data, rows, kind, compression, required=NEEDED)
    assert caught.value.code == code
    assert caught.value.where.startswith("data") and caught.value.remedy
    assert "Lopez" not in str(caught.value) and "R-0000" not in str(caught.value)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_bomb_is_stopped(tmp_path: Path, monkeypatch, kind: str, compression: str) -> None:
    monkeypatch.setattr(blocks, "RATIO_FLOOR", 1 << 20)
    data = submissions.compress(HEADER + b"\n" + b"x" * (20 << 20), compression)
    with pytest.raises(BadInput, match="COMPRESSED_BOMB"):
        decode(tmp_path, data, COUNT, kind, compression)


def test_byte_order_mark_crlf_blank_lines_and_no_last_newline(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n").replace(b"R-000002", b"\r\nR-000002").rstrip()
    raw, rejects = decode(tmp_path, data, COUNT)
    assert rejects == [] and raw["row"].to_pylist() == [1, 2, 3, 4, 5]
    assert raw.select(RAW_NAMES).to_pylist() == [{n: r.get(n) for n in RAW_NAMES} for r in submissions.rows(COUNT)]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_file_cut_off_within_quotes_loses_its_last_row(tmp_path: Path, end: bytes) -> None:
    raw, rejects = decode(tmp_path, GOOD + b"R-9" + b"," * HEADER.count(b",") + b'"x' + end, COUNT + 1)
    assert raw["row"].to_pylist() == [1, 2, 3, 4, 5] and rejects == [(6, None, "RAGGED_ROW")]


def test_all_rows_bad_still_gives_parts_and_counts_every_row(tmp_path: Path) -> None:
    raw, rejects = decode(tmp_path, HEADER + b"\n" + b"x\n" * 5, 5, part_rows=2)
    assert raw.num_rows == 0 and [r[2] for r in rejects] == ["RAGGED_ROW"] * 5


def test_ordinals_and_parts_go_on_over_files_in_the_letters_order(tmp_path: Path) -> None:
    files = []
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_bytes(GOOD)
        files.append(DataFile(path=name, format="csv", rows=COUNT, sha256="0" * 64))
    found = []
    for work in plan(tuple(files), tmp_path, 2):
        parts = Decode(2, DuckSettings(threads=1))(work, Attempt(str(tmp_path / f"attempt{work.number}")))
        found += [
            (p.index, pq.read_table(p.path).select(["ordinal", "file", "row"]).to_pylist())
            for p in parts
            if p.dataset == "raw"
        ]
    assert [index for index, _ in found] == [0, 1, 2, 3, 4, 5]
    assert [(r["ordinal"], r["file"], r["row"]) for _, rows in found for r in rows] == [
        (f * COUNT + n, f + 1, n + 1) for f in range(2) for n in range(COUNT)
    ]
