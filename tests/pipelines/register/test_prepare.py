"""Register preparation: what is prepared, what is refused, and that one source gives one version."""

from __future__ import annotations

import hashlib
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base import duck
from expectations.base.digests import name_of_sql
from expectations.base.errors import BadInput
from pipelines import register
from pipelines.register import keys, prepare
from pipelines.register.source import _packed
from tests.factories.match_inputs import HOME, raw_register, record

RECORDS = [
    record(
        n,
        "Ana",
        f"Surname{chr(65 + n % 20)}",
        tin=f"51234{n:04d}",
        birth_date=date(1960 + n, 3, 9),
        home={**HOME, "street": f"{12 if n < 5 else 100 + n} OAK ST", "unit": f"APT {n}" if n < 4 else None},
    )
    for n in range(1, 31)
]


def test_parts_hold_the_same_persons_and_the_whole_counts_units(tmp_path: Path) -> None:
    raw = raw_register(tmp_path / "raw", RECORDS, parts=3)
    manifest = register.build(raw, tmp_path / "register", part_rows=10)
    assert manifest.rows("persons") == manifest.rows("addresses") == len(RECORDS)
    assert len(manifest.paths("persons")) == 3
    for persons, addresses in zip(manifest.paths("persons"), manifest.paths("addresses"), strict=True):
        assert set(pq.read_table(persons)["record_id"].to_pylist()) == set(
            pq.read_table(addresses)["record_id"].to_pylist()
        )
    buildings = pq.read_table(manifest.paths("buildings")[0]).to_pylist()
    assert buildings == [{"a_zip": "77002", "a_number": "12", "a_street": "OAK ST", "units": 3}]


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The register of RECORDS, prepared once for all tests that only look."""
    folder = tmp_path_factory.mktemp("one")
    register.build(raw_register(folder / "raw", RECORDS), folder / "register")
    return folder / "register"


def test_one_source_one_version(one: Path, tmp_path: Path) -> None:
    two = tmp_path / "two"
    register.build(raw_register(tmp_path / "raw", RECORDS), two)
    assert [p.digest for p in register.open_register(one).parts] == [
        p.digest for p in register.open_register(two).parts
    ]
    raw_register(tmp_path / "more", [*RECORDS, record(99, "Bo", "Late")])
    register.build(tmp_path / "more", two)
    assert register.version(one) != register.version(two)


def number(text: str) -> int:
    return int.from_bytes(hashlib.md5(text.encode()).digest()[8:], "little") % 2**31


def folded(kind: int, *elements: int) -> int:
    made = kind
    for element in elements:
        made = (made * 1_103_515_245 + element) % 4_294_967_291
    return made


def test_keys_are_our_own_definition() -> None:
    """Anybody can make them again, in any language."""
    person = (
        "'ANA' AS s_first, 'ULLOA' AS s_last1, 'ULLOA' AS s_last2, DATE '1971-03-02' AS s_birth,"
        " false AS s_birth_year_only, '012345678' AS s_tin"
    )
    with duck.session() as con:
        made = con.execute(f"""
            SELECT {keys.TIN}, {keys.birth("t_last1")}, {keys.home_last("t_last1")}, {keys.home_last("t_last2")},
              {keys.HOME_FIRST}, {keys.AREA_BIRTH}
            FROM (SELECT *, {keys.TEXTS}, {keys.PLACE_TEXTS} FROM (SELECT '07002' AS a_zip, '12' AS a_number,
              {person}))""").fetchone()
    day = (date(1971, 3, 2) - date(1970, 1, 1)).days + 1_000_000
    ana, ulloa, twelve = number("ANA"), number("ULLOA"), 12
    assert made == (
        12345678,
        folded(2, ulloa, ord("A"), day),
        folded(3, 7002, twelve, ulloa),
        None,
        folded(4, 7002, twelve, ana),
        folded(5, ana, day, 70),
    )


def test_no_date_and_no_text_breaks_a_key() -> None:
    """The oldest and the latest date that can be written, and the largest elements, stay below 2^32."""
    with duck.session() as con:
        con.execute(f"""
            SELECT {keys.birth("t")}, {keys.AREA_BIRTH} FROM (SELECT 2147483647::BIGINT AS t, t AS t_first,
              chr(1114111) AS s_first, '99999' AS a_zip,
              false AS s_birth_year_only, unnest([DATE '0001-01-01', DATE '9999-12-31']) AS s_birth)""").fetchall()


def test_ranges_cover_all_ids_once() -> None:
    assert _packed([(0, 5), (1, 5), (3, 4), (9, 1)], 1, 100, 10, 10) == [(1, 30), (31, 100)]


def test_a_missing_table(tmp_path: Path) -> None:
    raw = raw_register(tmp_path / "raw", RECORDS)
    (raw / "addresses" / "part-00000.parquet").unlink()
    with pytest.raises(BadInput, match="REGISTER_MISSING"):
        register.build(raw, tmp_path / "register")


def test_a_torn_part(tmp_path: Path) -> None:
    raw = raw_register(tmp_path / "raw", RECORDS)
    part = raw / "persons" / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(BadInput, match="REGISTER_UNREADABLE"):
        register.build(raw, tmp_path / "register")


def test_a_wrong_column(tmp_path: Path) -> None:
    raw = raw_register(tmp_path / "raw", RECORDS)
    part = raw / "persons" / "part-00000.parquet"
    table = pq.read_table(part)
    pq.write_table(table.set_column(6, "birth_date", table["birth_date"].cast(pa.string())), part)
    with pytest.raises(BadInput, match="birth_date"):
        register.build(raw, tmp_path / "register")


@pytest.mark.parametrize("records", [[*RECORDS, record(-1, "Bo", "Decoy")], [record(-1, "Bo", "Decoy")]])
def test_a_register_holds_no_control_rows(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    """Neither beside others nor alone: by its id a record is of one side."""
    raw = raw_register(tmp_path / "raw", records)
    with pytest.raises(BadInput, match="REGISTER_IDS"):
        register.build(raw, tmp_path / "register")


def test_a_doubled_id_is_refused_without_a_value(tmp_path: Path) -> None:
    raw = raw_register(tmp_path / "raw", [*RECORDS, record(3, "Ana", "Canary")])
    with pytest.raises(BadInput, match="REGISTER_ID_TWICE") as caught:
        register.build(raw, tmp_path / "register")
    assert "canary" not in str(caught.value).lower()
    with pytest.raises(BadInput, match="REGISTER_NOT_PREPARED"):
        register.open_register(tmp_path / "register")


def test_a_changed_part_is_not_opened(one: Path, tmp_path: Path) -> None:
    shutil.copytree(one, tmp_path / "register")
    Path(register.open_register(tmp_path / "register").paths("buildings")[0]).write_bytes(b"changed")
    with pytest.raises(BadInput, match="REGISTER_NOT_PREPARED"):
        register.open_register(tmp_path / "register")


@pytest.mark.parametrize("what", ["TEXTS", "PLACE_TEXTS", "TIN"])
def test_keys_made_in_another_way_are_another_preparation(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = prepare.preparation.__wrapped__()
    monkeypatch.setattr(keys, what, f"{getattr(keys, what)} + 0")
    assert prepare.preparation.__wrapped__() != before


def test_line_breaks_of_sql_are_no_other_preparation() -> None:
    assert (
        name_of_sql({"q": ["SELECT a\n      FROM b"]})
        == name_of_sql({"q": ["SELECT a FROM b"]})
        != name_of_sql({"q": ["SELECT a FROM c"]})
    )
