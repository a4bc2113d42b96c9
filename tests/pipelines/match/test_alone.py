"""The match stage alone: raw rows in, one line a row out, in their order; nothing of a value in an error."""

from __future__ import annotations

import csv
import fcntl
import json
import math
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base.duck import DuckSettings
from expectations.base.errors import BadInput
from flows.cli import main
from pipelines import match, register
from tests.factories import installations

DUCK = DuckSettings(threads=1)
ROWS: list[dict[str, Any]] = [
    installations.request(3, request_id="same"),
    installations.request(4, request_id="same"),  # ids need not be unique here
    installations.request(5, request_id="elsewhere", street="9 Elsewhere Rd"),
    installations.request(
        6,
        request_id='a "quoted", id\nwith a line',
        first_name="Ottoline",
        last_name="Vandersloot",
        tin=None,
        birth_date=None,
    ),
]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("register")
    installations.write_register(folder)
    return folder


@pytest.fixture(scope="module")
def prepared(raw: Path) -> Path:
    """The same register, prepared: what is not about preparing it runs against this one."""
    register.build(raw, raw / "prepared", duck=DUCK)
    return raw / "prepared"


def matched(requests: Path, prepared: Path, out: Path) -> match.Matched:
    return match.match_file(requests, prepared, out, duck=DUCK, progress=lambda *_: None)


def given(folder: Path, kind: str) -> Path:
    path = folder / f"requests.{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    else:
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(ROWS[0]))
            writer.writeheader()
            writer.writerows(ROWS)
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("ready", [False, True])
def test_one_line_a_row(kind: str, ready: bool, raw: Path, prepared: Path, tmp_path: Path) -> None:
    found = matched(given(tmp_path, kind), prepared if ready else raw, tmp_path / "out.parquet")
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [r["request_id"] for r in rows] == [r["request_id"] for r in ROWS]
    assert [(r["outcome"], r["record_id"], r["corroboration"]) for r in rows] == [
        ("matched", 3, "same"),
        ("matched", 4, "same"),
        ("matched", 5, "differs"),
        ("unmatched", None, None),
    ]
    assert rows[0]["tier"] == "A" and {"tin", "address"} <= set(rows[0]["evidence"])
    assert found == ({"matched": 3, "unmatched": 1}, {})
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".match-")) == []


def test_csv_out(prepared: Path, tmp_path: Path) -> None:
    matched(given(tmp_path, "csv"), prepared, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [r["request_id"] for r in rows] == [r["request_id"] for r in ROWS]
    assert "tin" in rows[0]["evidence"].split()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"id,last_name\n1,CANARY\n", "MISSING_COLUMN"),
        ("a.csv", b"request_id,last_name\n1,CANARY,more,and more\n2,b\n", "FILE_UNREADABLE"),
        ("a.csv", b"\xff\xfe\x00", "FILE_UNREADABLE"),
        ("a.csv", b'request_id,last_name\n1,a\n2,"CANARY\n', "FILE_UNREADABLE"),  # DuckDB would lose the row in silence
        ("a.parquet", b"CANARY", "FILE_UNREADABLE"),
        ("a.txt", b"CANARY", "UNKNOWN_FORMAT"),
        ("missing.csv", None, "FILE_MISSING"),
        ("a.csv", b"", "MISSING_COLUMN"),
    ],
)
def test_bad_input(name: str, content: bytes | None, code: str, prepared: Path, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=code) as caught:
        matched(tmp_path / name, prepared, tmp_path / "out.csv")
    assert "CANARY" not in str(caught.value) and not (tmp_path / "out.csv").exists()


def test_what_a_data_frame_holds_is_read_as_what_it_is(prepared: Path, tmp_path: Path) -> None:
    rows = [installations.request(n) for n in range(1, 9)]
    asked = pa.table(
        {
            **{
                name: [r[name] for r in rows]
                for name in ("request_id", "first_name", "last_name", "street", "city", "state")
            },
            "birth_date": pa.array([datetime.fromisoformat(r["birth_date"]) for r in rows], pa.timestamp("ns")),
            "tin": pa.array([None, math.nan, *(float(r["tin"]) for r in rows[2:])], pa.float64()),
            "zip": pa.array([int(r["zip"]) for r in rows], pa.int64()),
        }
    )
    pq.write_table(asked, tmp_path / "frame.parquet")
    assert matched(tmp_path / "frame.parquet", prepared, tmp_path / "out.parquet") == ({"matched": 8}, {})
    evidence = [set(r["evidence"]) for r in pq.read_table(tmp_path / "out.parquet").to_pylist()]
    assert all({"birth_date", "address"} <= one for one in evidence)
    assert ["tin" in one for one in evidence] == [False, False] + [True] * 6


@pytest.mark.parametrize("as_json", [False, True])
def test_fields_that_nobody_can_read_are_counted(
    as_json: bool, prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = tmp_path / "asked.csv"
    asked.write_text("request_id,birth_date,tin\n1,02/28/1977,CANARY\n2,1977-02-30,\n3,,1.5\n4, ,200101001\n")
    options = ["--requests", str(asked), "--register", str(prepared), "--out", str(tmp_path / "out.csv")]
    assert main.run(["match", *options, *(["--json"] if as_json else [])]) == 0
    said = capsys.readouterr()
    told = said.err if as_json else said.out
    assert "2 rows: The birth date is not a possible date" in told and "2 rows: The TIN is not nine digits" in told
    assert "CANARY" not in said.out + said.err
    assert not as_json or json.loads(said.out) == {"unmatched": 4}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_without_rows_is_said_to_have_none(
    kind: str, prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, out = tmp_path / f"a.{kind}", tmp_path / "out.csv"
    if kind == "csv":
        asked.write_text("request_id,last_name\n")
    else:
        pq.write_table(pa.table({"request_id": pa.array([], pa.string())}), asked)
    as_json = ["--json"] if kind == "parquet" else []
    assert main.run(["match", "--requests", str(asked), "--register", str(prepared), "--out", str(out), *as_json]) == 0
    said = capsys.readouterr()
    assert f"a.{kind} has no rows: nothing was matched" in (said.err if as_json else said.out)
    assert said.out.strip() == "{}" if as_json else "outcome" not in said.out
    assert len(out.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("out", "code"),
    [
        ("requests.csv", "SAME_FILE"),
        ("no/such/out.csv", "OUT_UNWRITABLE"),
        ("out.txt", "UNKNOWN_FORMAT"),
        ("out.csv", "NOT_A_FILE"),
    ],
)
def test_the_result_replaces_nothing(out: str, code: str, raw: Path, tmp_path: Path) -> None:
    requests = given(tmp_path, "csv")
    before = requests.read_bytes()
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(BadInput, match=code):
        matched(requests, raw, tmp_path / out)
    assert requests.read_bytes() == before


def test_what_a_killed_run_left_goes_with_the_next_and_nothing_else(prepared: Path, tmp_path: Path) -> None:
    killed, at_work, somebodys = (tmp_path / f".match-{name}" for name in ("0" * 32, "1" * 32, "results"))
    for folder in (killed, at_work, somebodys):
        (folder / "rows").mkdir(parents=True)
    lock = os.open(at_work, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    matched(given(tmp_path, "csv"), prepared, tmp_path / "out.csv")
    os.close(lock)
    assert sorted(p for p in tmp_path.iterdir() if p.is_dir()) == [at_work, somebodys]
