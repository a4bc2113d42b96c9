"""Pre-flight of a table of addresses: every row has one verdict in its place, by the rules that ingest uses."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
import zstandard

from expectations import address, codes
from expectations.base.duck import DuckSettings, session
from expectations.base.errors import BadInput
from expectations.rules.address import CLEAN, PREMISES, RULES
from pipelines import preflight
from pipelines.read import csv as read_csv

DUCK = DuckSettings(threads=1, memory="1GB")
NAMES = ("id", "street", "unit", "city", "state", "zip")
GOOD = ("1425 N Alder St", "", "Houston", "TX", "77002")


def written(rows: Sequence[Sequence[str]], names: Sequence[str] = NAMES) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue().encode()


def judged(folder: Path, data: bytes, name: str = "a.csv", out: str = "v.parquet", **how: Any) -> list[dict[str, Any]]:
    """The verdicts on the bytes of a file."""
    (folder / name).write_bytes(data)
    tally = preflight.check_addresses(folder / name, folder / out, duck=DUCK, **how)
    found = read(folder / out)
    assert (tally.rows, tally.complete) == (len(found), sum(r["complete"] for r in found))
    assert tally.codes == {c: n for c in tally.codes if (n := sum(c in r["codes"] for r in found))}
    assert sorted(p.name for p in folder.iterdir()) == sorted({name, out}), "nothing else is left"
    return found


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    with path.open(newline="", encoding="utf-8") as stream:
        rows: list[dict[str, Any]] = list(csv.DictReader(stream))
    return [{**r, "complete": r["complete"] == "true", "codes": r["codes"].split(), "row": int(r["row"])} for r in rows]


def said(found: Sequence[Mapping[str, Any]]) -> list[tuple[Any, bool, list[str]]]:
    return [(r["id"], r["complete"], r["codes"]) for r in found]


NASTY = {
    # id and address fields → codes
    "plain": (GOOD, []),
    "=1+1": (GOOD, []),
    "-2+3+cmd|' /C calc'!A0": (GOOD, []),
    "two\nlines": (GOOD, []),
    "a\rb": (GOOD, []),
    'quote " and, comma': (GOOD, []),
    " spaces ": (GOOD, []),
    "日本語\u202e\u200b": (GOOD, []),
    "": (GOOD, []),
    "quotes in the street": (('1425 "N" Alder St', *GOOD[1:]), []),
    "a line break": (("1425 N\nAlder St", *GOOD[1:]), ["CONTROL_CHARACTER"]),
    "many line breaks": (("1425\r\n" * 500, *GOOD[1:]), ["CONTROL_CHARACTER"]),
    "a lone CR": (("1425 N\rAlder St", *GOOD[1:]), ["CONTROL_CHARACTER"]),
    "a NUL": (("1425 N\0Alder St", *GOOD[1:]), ["CONTROL_CHARACTER"]),
    "a tab": (("1425 N\tAlder St", *GOOD[1:]), ["CONTROL_CHARACTER"]),
    "a C1 control": (("1425 N\x85Alder St", *GOOD[1:]), ["CONTROL_CHARACTER"]),
    "long": (("x" * 1001, *GOOD[1:]), ["FIELD_TOO_LONG"]),
    "longer than a line may be": (("x," * 100_000, *GOOD[1:]), ["FIELD_TOO_LONG"]),
    "longer than a record may be": (("x" * (2 << 20), *GOOD[1:]), ["LINE_TOO_LONG"]),
    "quotes only": (('"' * 900, *GOOD[1:]), ["NO_ADDRESS"]),
    "odd": (("١٤٢٥ Alder St", *GOOD[1:]), ["NOT_PARSED"]),
    "not a character": (("1425 N Al\ufffdder St", *GOOD[1:]), ["NOT_PARSED"]),
    "nothing": (("", "", "", "", ""), ["NO_ADDRESS", "NO_CITY", "NO_STATE", "NO_ZIP"]),
}


@pytest.mark.parametrize("out", ["v.csv", "v.parquet"])
def test_every_row_has_one_verdict_in_its_place_with_its_own_id(tmp_path: Path, out: str) -> None:
    rows = [(name, *fields) for name, (fields, _) in NASTY.items()] * 2
    found = judged(tmp_path, written(rows), out=out)
    assert said(found) == [(name, not expected, expected) for name, (_, expected) in NASTY.items()] * 2
    assert [r["row"] for r in found] == list(range(1, len(rows) + 1))
    assert list(found[0]) == ["id", "complete", "codes", "row", "message", "fix"]


def test_what_to_mend_is_told_in_the_words_of_the_return_file(tmp_path: Path) -> None:
    found = judged(tmp_path, written([("1", *GOOD), ("2", "Alder St", "", "", "TX", "77002")]), out="v.csv")
    assert found[1]["codes"] == ["NO_CITY", "NO_NUMBER"]
    for what in ("message", "fix"):
        assert found[0][what] == ""
        assert found[1][what] == " ".join(getattr(codes.code(c), what) for c in found[1]["codes"])


BROKEN = [
    # what stands where a row should be, and the verdicts on it
    (b"7,too few\n", [("7", ["RAGGED_ROW"])]),
    (b"7,1425 N Alder St,,Houston,TX,77002,more\n", [("7", ["RAGGED_ROW"])]),
    (b'7,"1425 N Alder St,,Houston,TX,77002\n', [("7", ["RAGGED_ROW"])]),
    (b'7,"1425 N Alder St,,Houston,TX,77002\n8,"x"y,,Houston,TX,77002\n', [("7", ["RAGGED_ROW"]), ("8", ["NO_NUMBER"])]),
    (b'"7,never closed\n', [(None, ["RAGGED_ROW"])]),
    (b"7,1425 N Ald\xffer St,,Houston,TX,77002\n", [("7", ["BAD_ENCODING"])]),
    (b"\xff7,1425 N Alder St,,Houston,TX,77002\n", [("\ufffd7", ["BAD_ENCODING"])]),
    (b"\n\r\n", []),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(BROKEN)))
@pytest.mark.parametrize("last", [False, True])
def test_what_is_no_record_costs_itself_only(tmp_path: Path, case: int, last: bool) -> None:
    data, expected = BROKEN[case]
    before, after = written([("1", *GOOD)]), b"" if last else b"9,1425 N Alder St,,Houston,TX,77002"
    found = judged(tmp_path, before + data + after)
    rows = [("1", []), *expected, *([] if last else [("9", [])])]
    assert [(r["id"], r["codes"]) for r in found] == rows


def test_one_unclosed_quote_in_many_rows_is_one_row(tmp_path: Path) -> None:
    lines = written([(str(n), *GOOD) for n in range(60_000)]).replace(b"\r\n30000,1425", b'\r\n30000,"1425')
    found = judged(tmp_path, lines)
    assert [r["id"] for r in found] == [str(n) for n in range(60_000)]
    assert [r["id"] for r in found if not r["complete"]] == ["30000"]


@pytest.mark.parametrize("compression", ["", ".gz", ".zst"])
def test_compressed_tables_in_any_order_of_columns(tmp_path: Path, compression: str) -> None:
    data = b"\xef\xbb\xbfnote,zip,id,state,city,street\nx,77002,1,TX,Houston,1425 N Alder St\n,,2,TX,Houston,Alder St\n"
    packed = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}[compression](data)
    found = judged(tmp_path, packed, f"a.csv{compression}")
    assert said(found) == [("1", True, []), ("2", False, ["NO_NUMBER", "NO_ZIP"])]


def test_what_stands_in_other_columns_changes_nothing(tmp_path: Path) -> None:
    data = b"id,note,street,unit,city,state,zip\n1,\xff" + b"x" * 100_000 + b"\0,1425 N Alder St,,Houston,TX,77002\n"
    assert said(judged(tmp_path, data)) == [("1", True, [])]


def test_the_codes_are_those_of_the_parser(tmp_path: Path) -> None:
    rows = [{**CLEAN, **rule.poison} for rule in RULES.values()] + [dict(CLEAN)]
    lines = [f"{street}, Houston, TX 77002" for street in ("1425 N Alder St", "Unknown", "PO Box 12")]
    rows += [{**dict.fromkeys(CLEAN), "address": line} for line in lines]
    table = pa.Table.from_pylist([{"id": n, **row} for n, row in enumerate(rows)])
    pq.write_table(table, tmp_path / "a.parquet")
    preflight.check_addresses(tmp_path / "a.parquet", tmp_path / "v.parquet", premises=PREMISES, duck=DUCK)
    with session(DUCK) as connection:
        address.setup(connection)
        connection.register("given", table)
        query = f"SELECT id, {address.complete()}, a_codes FROM ({address.derive('given', one_line=True, premises=PREMISES)}) ORDER BY id"
        expected = connection.execute(query).fetchall()
    found = said(read(tmp_path / "v.parquet"))
    assert found == expected
    assert {c for _, _, listed in found for c in listed} >= {rule.code for rule in RULES.values()} - {
        "CROWDED"
    }  # only a batch shows a crowd


IDS = {
    "integers": pa.array([3, None, 3], pa.int32()),
    "floats": pa.array([1.5, None, -0.0]),
    "categories": pa.array(["b", None, "b"]).dictionary_encode(),
    "bytes": pa.array([b"\xff", None, b"a"]),
    "structs": pa.array([{"a": 1}, None, {"a": 2}]),
    "large text": pa.array(["=x", None, ""], pa.large_string()),
}


@pytest.mark.parametrize("kind", IDS)
def test_ids_of_any_type_are_kept_as_they_are(tmp_path: Path, kind: str) -> None:
    ids = IDS[kind]
    fields = {n: pa.array([v] * 3) for n, v in zip(NAMES[1:], GOOD, strict=True)}
    pq.write_table(pa.table({"id": ids, **fields, "zip": pa.array([77002, 7, None])}), tmp_path / "a.parquet")
    preflight.check_addresses(tmp_path / "a.parquet", tmp_path / "v.parquet", duck=DUCK)
    found = pq.read_table(tmp_path / "v.parquet")
    assert found["id"].type == ids.type and found["id"].to_pylist() == ids.to_pylist()
    assert found["codes"].to_pylist() == [[], ["NO_ZIP"], ["NO_ZIP"]]
    if kind in ("bytes", "structs"):
        with pytest.raises(BadInput, match=r"VERDICTS \.parquet"):
            preflight.check_addresses(tmp_path / "a.parquet", tmp_path / "v.csv", duck=DUCK)
        assert not (tmp_path / "v.csv").exists()
    else:
        preflight.check_addresses(tmp_path / "a.parquet", tmp_path / "v.csv", duck=DUCK)
        again = pa_csv.read_csv(
            tmp_path / "v.csv",
            convert_options=pa_csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False, column_types={"id": pa.string()}),
        )  # fmt: skip
        assert again["id"].to_pylist() == pa.chunked_array([ids]).cast(pa.string()).to_pylist()


def test_text_that_is_not_utf8_in_parquet_costs_its_row(tmp_path: Path) -> None:
    street = pa.array([b"1425 N Alder St", b"1425 N Ald\xffer St", None]).view(pa.string())
    fields = {n: pa.array([v] * 3) for n, v in zip(NAMES[2:], GOOD[1:], strict=True)}
    for column in (street, street.dictionary_encode()):
        pq.write_table(pa.table({"id": [1, 2, 3], "street": column, **fields}), tmp_path / "a.parquet")
        preflight.check_addresses(tmp_path / "a.parquet", tmp_path / "v.parquet", duck=DUCK)
        assert [r["codes"] for r in read(tmp_path / "v.parquet")] == [[], ["BAD_ENCODING"], ["NO_ADDRESS"]]


def test_chunks_and_row_groups_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(str(n), *(GOOD if n % 3 else ("Alder\nSt", *GOOD[1:]))) for n in range(500)]
    whole = judged(tmp_path, written(rows))
    monkeypatch.setattr("pipelines.preflight.addresses._CHUNK", 40)
    monkeypatch.setattr(read_csv, "_ROWS", 7)
    assert judged(tmp_path, written(rows)) == whole
    (tmp_path / "a.csv").unlink()
    fields = zip(*rows, strict=True)
    pq.write_table(
        pa.table(dict(zip(NAMES, map(list, fields), strict=True))), tmp_path / "a.parquet", row_group_size=33
    )
    assert judged(tmp_path, (tmp_path / "a.parquet").read_bytes(), "a.parquet") == whole


FILES = {
    # name, bytes, code
    "no id": ("a.csv", written([("1", "x")], ("key", "street")), "MISSING_COLUMN"),
    "no address": ("a.csv", written([("1", "x")], ("id", "name")), "MISSING_COLUMN"),
    "id twice": ("a.csv", written([("1", "1", "x")], ("id", "id", "zip")), "DUPLICATE_COLUMN"),
    "zip twice": ("a.csv", written([("1", "1", "x")], ("id", "zip", "zip")), "DUPLICATE_COLUMN"),
    "no header": ("a.csv", written([])[9:], "MISSING_COLUMN"),
    "UTF-16": ("a.csv", "id,zip\n1,2\n".encode("utf-16"), "HEADER_UNREADABLE"),
    "empty": ("a.csv", b"", "FILE_EMPTY"),
    "header only": ("a.csv", written([]), "NO_ROWS"),
    "not gzip": ("a.csv.gz", written([("1", *GOOD)]), "COMPRESSION_BROKEN"),
    "gzip cut off": ("a.csv.gz", gzip.compress(written([("1", *GOOD)]))[:-9], "COMPRESSION_BROKEN"),
    "not Parquet": ("a.parquet", written([("1", *GOOD)]), "NOT_PARQUET"),
    "a table of something else": ("a.xlsx", b"PK", "UNKNOWN_FORMAT"),
    "no extension": ("a", written([("1", *GOOD)]), "UNKNOWN_FORMAT"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_is_said_to_be_so_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    file, data, code = FILES[name]
    (tmp_path / file).write_bytes(data)
    with pytest.raises(BadInput) as caught:
        preflight.check_addresses(tmp_path / file, tmp_path / "v.csv", duck=DUCK)
    assert caught.value.code == code and caught.value.where and caught.value.remedy
    assert [p.name for p in tmp_path.iterdir()] == [file]


def test_parquet_cut_off_or_of_numbers(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [1], "address": [1.5]}), file)
    with pytest.raises(BadInput, match="COLUMN_TYPE"):
        preflight.check_addresses(file, tmp_path / "v.csv", duck=DUCK)
    pq.write_table(pa.table({"id": list(range(9000)), "address": [f"{n} Oak St" for n in range(9000)]}), file)
    data = bytearray(file.read_bytes())
    data[1000:3000] = bytes(2000)
    file.write_bytes(data)
    with pytest.raises(BadInput, match="NOT_PARQUET"):
        preflight.check_addresses(file, tmp_path / "v.csv", duck=DUCK)
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]


def test_verdicts_stand_only_where_they_can(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(written([("1", *GOOD)]))
    (tmp_path / "d.csv").mkdir()
    for out, code in {
        "v.txt": "UNKNOWN_FORMAT",
        "no/v.csv": "OUT_UNWRITABLE",
        "d.csv": "NOT_A_FILE",
        "a.csv": "SAME_FILE",
    }.items():
        with pytest.raises(BadInput, match=code):
            preflight.check_addresses(tmp_path / "a.csv", tmp_path / out, duck=DUCK)
    with pytest.raises(BadInput, match="FILE_MISSING"):
        preflight.check_addresses(tmp_path / "none.csv", tmp_path / "v.csv", duck=DUCK)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "d.csv"]


def test_earlier_verdicts_are_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    judged(tmp_path, written([("1", *GOOD)]))
    before = (tmp_path / "v.parquet").read_bytes()
    with pytest.raises(BadInput):
        judged(tmp_path, written([]))
    assert (tmp_path / "v.parquet").read_bytes() == before
    assert len(judged(tmp_path, written([("1", *GOOD)] * 2))) == 2
