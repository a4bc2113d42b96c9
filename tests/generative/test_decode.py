"""Whatever stands in a file, how it is cut into blocks and parts changes nothing, and every row has one end."""

import csv
import io
import json
import tempfile
from pathlib import Path
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.base.duck import DuckSettings
from expectations.base.errors import BadInput
from expectations.contracts.request import RAW_NAMES
from expectations.instruments import Compression, FileFormat
from pipelines.read import csv as read_csv
from pipelines.read import jsonl as read_jsonl
from pipelines.read.blocks import BLOCK, Submitted
from pipelines.read.formats import READERS
from pipelines.read.stretch import screen
from tests.generative.examples import examples
from tests.pipelines.ingest.test_decode import HEADER, decode

NAMES = HEADER.decode().split(",")
clean = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20)
ids = st.from_regex(r"[A-Z0-9]{1,8}", fullmatch=True)
rows = st.lists(
    st.tuples(ids, st.lists(clean, min_size=len(NAMES) - 1, max_size=len(NAMES) - 1)), min_size=1, max_size=12
)
# pieces that trip CSV readers, in any order
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
            b"\xc3\xa9",
            b"\0",
            b"R1" + b",y" * (len(NAMES) - 1) + b"\n",
        ]
    ),
    max_size=40,
)

full = json.dumps(dict.fromkeys(NAMES, "R1")).encode()
messy_json = st.lists(
    st.sampled_from(
        [
            full,
            full + b"\n",
            b"\n",
            b"\r\n",
            b"{}",
            b"}",
            b"{",
            b'{"request_id": 7}\n',
            b'{"city": null}\n',
            b"\xff",
            b'"',
        ]
    ),
    max_size=15,
)


def ends(folder: str, kind: str, block: int = BLOCK) -> object:
    """Where each row of the file ends, by its number: its fields, or field and code; the error's code if there is
    one."""
    found: dict[int, object] = {}
    try:
        file = Submitted(
            Path(folder) / "data", "data", Compression.NONE, Path(folder) / "scratch", DuckSettings(), block=block
        )
        for read in map(screen, READERS[FileFormat(kind)](file)):
            found |= dict(zip(read.rows.tolist(), read.table.to_pylist(), strict=True))
            found |= {r.row: (r.field, r.code) for r in read.rejects}
    except BadInput as error:
        return error.code
    assert sorted(found) == list(range(1, len(found) + 1))
    return found


@settings(max_examples=examples(10), deadline=None)
@given(rows, st.booleans(), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_clean_text_comes_through_unchanged_in_every_format(content, crlf: bool, quoting: int) -> None:
    records = [dict(zip(NAMES, [key, *values], strict=True)) for key, values in content]
    expected = [{n: r.get(n) for n in RAW_NAMES} for r in records]
    text = io.StringIO()
    writer = csv.DictWriter(text, NAMES, lineterminator="\r\n" if crlf else "\n", quoting=quoting)
    writer.writeheader()
    writer.writerows(records)
    lines = "".join(json.dumps(r, ensure_ascii=crlf) + "\n" for r in records)
    for kind, data in (("csv", text.getvalue()), ("jsonl", lines)):
        with tempfile.TemporaryDirectory() as folder:
            raw, rejects = decode(Path(folder), data.encode(), len(records), kind, block=200, part_rows=5)
        assert rejects == []
        assert raw.select(RAW_NAMES).to_pylist() == expected


@settings(max_examples=examples(60), deadline=None)
@given(st.one_of(st.tuples(st.just("csv"), messy), st.tuples(st.just("jsonl"), messy_json)))
def test_a_messy_file_reads_the_same_in_any_blocks_and_line_by_line(file: tuple[str, list[bytes]]) -> None:
    kind, pieces = file
    with tempfile.TemporaryDirectory() as folder:
        header = HEADER + b"\n" if kind == "csv" else b""
        (Path(folder) / "data").write_bytes(header + b"".join(pieces))
        whole = ends(folder, kind)
        assert ends(folder, kind, 150) == whole
        with (
            mock.patch.object(read_csv, "at_once", return_value=None),
            mock.patch.object(read_jsonl, "at_once", return_value=None),
        ):
            assert ends(folder, kind, 16) == whole
