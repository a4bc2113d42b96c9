"""Golden batches judged by two versions, row by row: what became of which kind of row, and the shares by group.

`python -m tests.bench.differences BEFORE AFTER`: two kits that `tests.bench.golden` made and recorded, each with its
own version and the same seeds; the records lie beside them (KIT.json). Where the requests of a batch differ, it stops.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from expectations.base import duck
from expectations.names.standard import NO_GIVEN
from flows.home.tree import HOLDER_AGE
from pipelines import sealing
from pipelines.match.compare import NICKNAMES
from tests.bench.groups import GROUPS

_NEIGHBOURS = {  # of the register alone: who else is there
    "namesake": "o.first_name = p.first_name AND o.last_name = p.last_name",
    "same name at one home": "o.last_name = p.last_name AND o.first_name = p.first_name AND h.street = a.street",
    "same surname and birth date at one home": (
        "o.last_name = p.last_name AND o.birth_date = p.birth_date AND h.street = a.street"
    ),
}
_GIVEN = "upper(coalesce(q.first_name, q.whole[1], ''))"  # of a name in one field: any word of it
_NICKNAME = f"({_GIVEN}, upper(p.first_name)) IN (SELECT (name, nickname) FROM nicknames)"
_DIGITS = "regexp_replace(CAST({} AS VARCHAR), '[^0-9]', '', 'g')"
_KINDS = f"""
  concat_ws(', ', CASE WHEN regexp_full_match(upper(p.first_name), '{NO_GIVEN}') THEN 'a given name that names nobody'
      WHEN list_contains(q.whole, upper(p.first_name)) THEN NULL
      WHEN {_NICKNAME} THEN 'a nickname' WHEN damerau_levenshtein({_GIVEN}, upper(p.first_name)) <= 2
        THEN 'a given name one or two letters off' ELSE 'another form of the given name' END,
    CASE WHEN NOT contains(regexp_replace(upper(concat_ws(' ', q.full_name, q.last_name)), '[^A-Z ]', '', 'g'),
      regexp_replace(upper(p.last_name), '[^A-Z ]', '', 'g')) THEN 'a slip in the surname' END,
    CASE WHEN q.tin IS NULL OR p.tin IS NULL THEN 'no TIN'
      WHEN {_DIGITS.format("q.tin")} = lpad({_DIGITS.format("p.tin")}, 9, '0') THEN 'TIN equal' ELSE 'TIN differs' END,
    CASE WHEN left(upper(q.middle_name), 1) <> left(upper(p.middle_name), 1) THEN 'middle initials differ' END,
    CASE WHEN q.birth_date IS NULL THEN 'no birth date'
      WHEN try_cast(q.birth_date AS DATE) = p.birth_date THEN 'birth date equal' ELSE 'birth date differs' END)"""


def main(before: Path, after: Path) -> None:
    records = [json.loads(kit.with_suffix(".json").read_text()) for kit in (before, after)]
    with tempfile.TemporaryDirectory() as folder, duck.session() as con:
        _register(con, after / "raw")
        for name in sorted(set(records[0]) & set(records[1])):
            ends = [
                _accounting(kit, one[name], Path(folder) / f"{kit.name}-{name}")
                for kit, one in zip((before, after), records, strict=True)
            ]
            if all(ends) and (after / name / "truth.parquet").exists():
                _collect(con, name, before, after, [str(end) for end in ends])
        for line in (*_by_kind(con), *_by_group(con)):
            print(line)


def _register(con: duckdb.DuckDBPyConnection, raw: Path) -> None:
    con.execute(f"""
        CREATE TABLE persons AS FROM '{raw}/persons/*.parquet';
        CREATE TABLE homes AS FROM '{raw}/addresses/*.parquet' WHERE valid_to IS NULL;
        CREATE TABLE nicknames AS WITH listed AS (
          FROM read_csv({duck.quote(str(NICKNAMES))}, skip = 2, header = true, all_varchar = true)
        ) SELECT name, nickname FROM listed UNION SELECT nickname, name FROM listed""")
    for n, sql in enumerate(_NEIGHBOURS.values()):
        con.execute(f"""
            CREATE TABLE beside_{n} AS SELECT DISTINCT p.record_id FROM persons p JOIN homes a USING (record_id)
            JOIN persons o ON o.last_name = p.last_name AND o.record_id <> p.record_id
            JOIN homes h ON h.record_id = o.record_id WHERE {sql}""")


def _accounting(kit: Path, batch: dict[str, str], target: Path) -> Path | None:
    """The rows that a batch came to, opened with the holder's key; None where it was never accounted for."""
    sealed = kit / "home" / "accounting" / f"{batch.get('batch') if isinstance(batch, dict) else None}.parquet.age"
    if not sealed.exists():
        return None
    sealing.open_file(sealed, target, sealing.load_identity(kit / "home" / "keys" / HOLDER_AGE))
    return target


def _collect(con: duckdb.DuckDBPyConnection, name: str, before: Path, after: Path, ends: list[str]) -> None:
    """Adds the rows of a batch to `rows`: request, person, and both ends."""
    one, two = (_requests(kit / name / "submission") for kit in (before, after))
    if con.execute(f"FROM ({one}) EXCEPT FROM ({two})").fetchall():
        raise SystemExit(f"{name}: the two versions were asked different things")
    found = f"""
        SELECT '{name}' AS batch, q.*, t.record_id, t.releasable, x.outcome AS was, x.codes AS was_codes, y.outcome,
          y.codes FROM ({two}) q JOIN read_parquet('{after / name}/truth.parquet') t USING (request_id)
          JOIN read_parquet({duck.quote(ends[0])}) x USING (request_id)
          JOIN read_parquet({duck.quote(ends[1])}) y USING (request_id)"""
    there = con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'rows'").fetchall()
    con.execute(f"INSERT INTO rows {found}" if there else f"CREATE TABLE rows AS {found}")


def _requests(folder: Path) -> str:
    columns = "request_id, full_name, first_name, middle_name, last_name, suffix, tin, birth_date, street, unit"
    read = {"csv": "read_csv('{}', all_varchar = true)", "jsonl": "read_json('{}')", "parquet": "read_parquet('{}')"}
    parts = [read[path.suffix[1:]].format(path) for path in sorted(folder.glob("requests-*"))]
    whole = " UNION ALL BY NAME ".join(f"FROM {part}" for part in parts)
    texts = ", ".join(f"nullif(CAST({c} AS VARCHAR), '') AS {c}" for c in columns.split(", "))
    words = "string_split_regex(upper(concat_ws(' ', full_name, first_name)), '[^A-Z]+')"
    return f"SELECT {texts}, {words} AS whole FROM ({whole})"


def _by_kind(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    total = con.execute("SELECT count(*), count(DISTINCT batch) FROM rows").fetchall()[0]
    yield f"{total[0]:,} rows of {total[1]} batches"
    found = con.execute(f"""
        SELECT was || ' ' || array_to_string(was_codes, ' '), outcome || ' ' || array_to_string(codes, ' '),
          {_KINDS} AS kind, count(*) FROM rows q LEFT JOIN persons p USING (record_id)
        WHERE was <> outcome OR was_codes <> codes GROUP BY ALL ORDER BY 1, 2, 4 DESC, 3""").fetchall()
    for was, now, kind, n in found:
        yield f"  {was.strip()} -> {now.strip()}: {n:,} ({kind})"


def _by_group(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    yield "released of the releasable, before and after:"
    joined = "rows q JOIN persons p USING (record_id) LEFT JOIN homes a USING (record_id)"
    beside = {name: f"q.record_id IN (FROM beside_{n})" for n, name in enumerate(_NEIGHBOURS)}
    for name, sql in {"all": "true", **beside, **GROUPS}.items():
        rows, was, now = con.execute(f"""
            SELECT count(*), avg((was = 'released')::INT), avg((outcome = 'released')::INT) FROM {joined}
            WHERE releasable AND coalesce({sql}, false)""").fetchall()[0]
        if rows:
            yield f"  {name:40} {rows:>6,}  {was:.4f}  {now:.4f}"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
