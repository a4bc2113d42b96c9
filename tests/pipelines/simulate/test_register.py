"""Made-up registers: the same by seed, of the shape that profiles and rules count on."""

from pathlib import Path

import pytest

from expectations import address
from expectations.base import duck
from expectations.base.errors import BadInput, Usage
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from expectations.names import standard
from pipelines.simulate import registers
from pipelines.simulate.chance import SPAN, alias

ROWS = 30_000


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("register")
    registers.register(ROWS, 11, folder, duck=duck.DuckSettings(threads=2))
    return folder


@pytest.fixture(scope="module")
def con(made):
    with duck.session() as connection:
        for table in ("persons", "addresses"):
            connection.execute(f"CREATE VIEW {table} AS FROM '{made}/{table}/*.parquet'")
        yield connection


def one(con, sql):
    return con.execute(sql).fetchone()


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_same_seed_same_bytes_on_any_number_of_threads(made, tmp_path, monkeypatch):
    monkeypatch.setattr(registers, "PART_BLOCKS", 25)
    for threads in (1, 3):
        registers.register(8_000, 5, tmp_path / str(threads), duck=duck.DuckSettings(threads=threads))
    assert files(tmp_path / "1") == files(tmp_path / "3")
    registers.register(8_000, 6, tmp_path / "other", duck=duck.DuckSettings(threads=3))
    assert files(tmp_path / "1") != files(tmp_path / "other")


def test_parts_do_not_change_the_people(made, tmp_path, monkeypatch, con):
    monkeypatch.setattr(registers, "PART_BLOCKS", 80)
    registers.register(ROWS, 11, tmp_path / "small")
    for table in ("persons", "addresses"):
        small = f"'{tmp_path}/small/{table}/*.parquet'"
        assert one(con, f"SELECT count(*) FROM (FROM {table} EXCEPT ALL FROM {small})") == (0,)
        assert one(con, f"SELECT count(*) FROM (FROM {small} EXCEPT ALL FROM {table})") == (0,)


def test_follows_the_contracts(con):
    for table, schema in (("persons", REGISTER_PERSON), ("addresses", REGISTER_ADDRESS)):
        found = con.execute(f"SELECT * FROM {table} LIMIT 0").to_arrow_table().schema
        assert [(f.name, f.type) for f in found] == [(f.name, f.type) for f in schema]
    assert one(con, "SELECT count(*), min(record_id), max(record_id), count(DISTINCT record_id) FROM persons") == (
        ROWS,
        1,
        ROWS,
        ROWS,
    )


def test_tins_are_valid_and_of_one_person(con):
    standard.setup(con)
    total, valid, distinct = one(con, "SELECT count(tin), count(std_tin(tin)), count(DISTINCT tin) FROM persons")
    assert total == valid == distinct
    assert 0.99 < total / ROWS < 0.9985


def test_people_are_like_people(con):
    share = lambda what, table="persons": one(con, f"SELECT avg(CAST({what} AS INTEGER)) FROM {table}")[0]  # noqa: E731
    assert 0.006 < share("birth_date IS NULL") < 0.014
    assert 0.004 < share("coalesce(month(birth_date) = 1 AND day(birth_date) = 1, false)") < 0.025
    assert 0.02 < share("last_name LIKE '% %'") < 0.10
    assert 0.002 < share("last_name LIKE '%-%'") < 0.02
    assert share("coalesce(suffix = 'JR', false)") > 0.002
    assert share("first_name = 'MICHAEL'") > 0.005
    assert share("birth_date > DATE '2007-06-01'") == 0 or share("birth_date IS NULL") > 0


def test_households_hold_twins_juniors_and_namesakes(con):
    con.execute("""CREATE OR REPLACE TEMP VIEW homes AS SELECT p.*, street, unit, zip FROM persons p
        JOIN addresses a ON a.record_id = p.record_id AND valid_to IS NULL""")
    pair = (
        "FROM homes a JOIN homes b USING (street, zip, last_name) WHERE a.record_id < b.record_id"
        " AND a.unit IS NOT DISTINCT FROM b.unit"
    )
    assert one(con, f"SELECT count(*) {pair} AND a.birth_date = b.birth_date AND a.first_name <> b.first_name")[0] > 10
    assert one(con, f"SELECT count(*) {pair} AND b.suffix = 'JR' AND a.first_name = b.first_name")[0] > 30


def test_addresses_have_one_last_known_and_a_history(con):
    assert one(con, "SELECT count(*), count(DISTINCT record_id) FROM addresses WHERE valid_to IS NULL") == (ROWS, ROWS)
    moved = one(con, "SELECT count(DISTINCT record_id) FROM addresses WHERE valid_to IS NOT NULL")[0] / ROWS
    assert 0.16 < moved < 0.25
    assert one(con, "SELECT count(*) FROM addresses WHERE valid_to <= valid_from") == (0,)
    units = one(con, "SELECT count(unit) / count(*) FROM addresses WHERE valid_to IS NULL")[0]
    assert 0.22 < units < 0.34
    shared = one(
        con,
        "SELECT count(*) FROM (SELECT 1 FROM addresses WHERE unit IS NOT NULL GROUP BY street,"
        " zip[:5] HAVING count(DISTINCT unit) > 1)",
    )[0]
    assert shared > 100


def test_asks_for_rows_and_an_empty_folder(made, tmp_path):
    with pytest.raises(Usage, match="NO_ROWS"):
        registers.register(0, 1, tmp_path / "x")
    with pytest.raises(Usage, match="FOLDER_NOT_EMPTY"):
        registers.register(10, 1, made)
    assert registers.read(made) == registers.Made(ROWS, 11, registers.VERSION)
    with pytest.raises(BadInput, match="NOT_A_MADE_REGISTER"):
        registers.read(tmp_path)


def test_alias_table_keeps_the_weights():
    weights = [5.0, 0.0, 1.0, 94.0]
    keep, other = alias(weights)
    shares = [0.0] * 4
    for i in range(4):
        shares[i] += keep[i] / SPAN / 4
        shares[other[i]] += (1 - keep[i] / SPAN) / 4
    assert shares == pytest.approx([w / 100 for w in weights], abs=1e-8)


def test_addresses_are_complete_by_the_rules(con):
    address.setup(con)
    homes = "(SELECT DISTINCT street, unit, urbanization, city, state, zip FROM addresses)"
    total, sound, kinds = one(
        con,
        f"""SELECT count(*), count(*) FILTER (len(a_codes) = 0), count(DISTINCT a_kind)
        FROM ({address.derive(homes, one_line=False, urbanization=True)})""",
    )
    assert sound >= total * 0.999  # the rest: towns of the United States that are called Peru, Cuba or Mexico
    assert kinds == 4  # street, PO box, rural route, military
