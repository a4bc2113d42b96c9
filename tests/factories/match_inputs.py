"""Runs register preparation and match on a few persons and requests written in a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations import address
from expectations.base import duck
from expectations.contracts.lists import Origin, Tier
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from expectations.contracts.request import RAW_REQUEST
from expectations.contracts.stages import PLACE
from expectations.names import standard
from pipelines import control_rows, lake, match, register
from pipelines.match import compare, tiers
from pipelines.match.requests import names_sql, requests_sql
from pipelines.match.steps import execute

HOME = {"street": "12 OAK ST", "unit": None, "city": "HOUSTON", "state": "TX", "zip": "77002"}
SINCE = date(2018, 4, 2)
ONE = duck.DuckSettings(threads=1)
CONTROL_ROWS = control_rows.make(
    "a test",
    officer="o1",
    reason="r",
    taxable_period="2021",
    elements={"final_order_date": "2024-02-03", "case_number": "c"},
)


def record(record_id: int, first: str, last: str, **more: Any) -> dict[str, Any]:
    """A person on file with one address: HOME, unless `home` (or a list of `homes`, the last one current) says so."""
    homes = more.pop("homes", None) or [more.pop("home", HOME)]
    return {"record_id": record_id, "first_name": first, "last_name": last, "homes": homes, **more}


def asked(first: str, last: str, **more: Any) -> dict[str, Any]:
    """A request at HOME, unless `home` says otherwise."""
    home = more.pop("home", HOME)
    return {"first_name": first, "last_name": last, **home, **more}


def raw_register(folder: Path, records: Sequence[dict[str, Any]], *, parts: int = 1) -> Path:
    """Writes records as a raw register, dealt out over `parts` files a table, the two tables not aligned."""
    persons = [{k: v for k, v in r.items() if k != "homes"} for r in records]
    addresses = [
        {
            "record_id": r["record_id"],
            "urbanization": None,
            **home,
            "valid_from": SINCE.replace(year=SINCE.year + n),
            "valid_to": None if n == len(r["homes"]) - 1 else SINCE.replace(year=SINCE.year + n + 1),
        }
        for r in records
        for n, home in enumerate(r["homes"])
    ]
    for table, rows, schema in (("persons", persons, REGISTER_PERSON), ("addresses", addresses, REGISTER_ADDRESS)):
        (folder / table).mkdir(parents=True)
        for part in range(parts):
            pq.write_table(pa.Table.from_pylist(rows[part::parts], schema), folder / table / f"part-{part:05d}.parquet")
    return folder


def committed(folder: Path, tables: dict[str, pa.Table]) -> lake.Manifest:
    """Commits tables as a lake step, as an earlier stage would have."""
    attempt = lake.Attempt(str(folder / lake.ATTEMPTS / "one"))
    parts = [asdict(attempt.write(name, 0, table)) for name, table in tables.items()]
    lake.commit_manifest(parts, str(folder), "test")
    manifest = lake.read_manifest(folder)
    assert manifest is not None
    return manifest


def canonical(requests: Sequence[dict[str, Any]], *, origin: str = "request") -> pa.Table:
    """The columns of canonical rows that match reads, derived as ingest derives them."""
    schema = pa.schema([*PLACE, *RAW_REQUEST])
    placed = [{"ordinal": n, "file": 1, "row": n + 1, "origin": origin, **r} for n, r in enumerate(requests)]
    return derived(pa.Table.from_pylist(placed, schema))


def derived(raw: pa.Table) -> pa.Table:
    with duck.session() as con:
        standard.setup(con)
        address.setup(con)
        con.register("raw", raw)
        con.execute(f"CREATE TEMP TABLE standardised AS {standard.derive('raw')}")
        query = address.derive("standardised", one_line=True)
        return con.execute(
            f"SELECT *, CAST(NULL AS VARCHAR) AS outcome FROM ({query}) ORDER BY ordinal"
        ).to_arrow_table()


def context(root: Path, prepared: Path) -> Any:
    return SimpleNamespace(
        batch="test",
        root=root,
        step=lambda name: root / name,
        register=prepared,
        runner="embedded",
        agreement=SimpleNamespace(tiers=tuple(Tier)),
        duck=ONE,
        progress=lambda _step, _done, _total: None,
    )


def matched(
    folder: Path,
    records: Sequence[dict[str, Any]],
    requests: Sequence[dict[str, Any]],
    *,
    parts: int = 1,
    part_rows: int = 1_000_000,
) -> list[dict[str, Any]]:
    """Candidates of `requests` in their order, after a register build and a match for real."""
    manifest = run(folder, records, requests, parts=parts, part_rows=part_rows)
    return pq.read_table(manifest.paths("candidates")[0]).to_pylist()


def run(
    folder: Path,
    records: Sequence[dict[str, Any]],
    requests: Sequence[dict[str, Any]],
    *,
    parts: int = 1,
    part_rows: int = 1_000_000,
) -> lake.Manifest:
    """The step `match.candidates` of `requests`, whose ordinals are their places."""
    folder.mkdir(parents=True, exist_ok=True)
    register.build(
        raw_register(folder / "raw", records, parts=parts), folder / "register", part_rows=part_rows, duck=ONE
    )
    batch = folder / "batch"
    committed(batch / "ingest.rows", {"rows": canonical(requests)})
    committed(batch / "ingest.decoys", {"persons": CONTROL_ROWS.persons, "addresses": CONTROL_ROWS.addresses})
    return match.run(context(batch, folder / "register"))


def compared(folder: Path, pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> list[dict[str, Any]]:
    """Each request beside its record, whatever their blocking keys: the level of every comparison, `vetoes` as bits,
    `tier`, and `ways`, the alternatives of tiers that hold. Record ids are 1, 2, 3 … in the order of the pairs."""
    raw = raw_register(folder / "raw", [found for _, found in pairs])
    real = register.build(raw, folder / "register", duck=ONE)
    persons, addresses, names = (duck.parquet(real.paths(dataset)) for dataset in ("persons", "addresses", "names"))
    borne = f"({names_sql({Origin.REQUEST: names})})"
    steps = compare.pair_steps(requests_sql("canonical", borne, {Origin.REQUEST: len(pairs)}), persons, addresses)
    ways = ", ".join(
        f"CASE WHEN {' AND '.join((*rule.needs, way.sql))} THEN '{way.id}' END"
        for rule in tiers.RULES.values()
        for way in rule.alternatives
    )
    with duck.session(ONE) as con:
        standard.setup(con)
        con.register("canonical", canonical([request for request, _ in pairs]))
        con.execute(
            "CREATE TEMP TABLE candidate_pairs AS"
            " SELECT ordinal, ordinal + 1 AS record_id, 255::UTINYINT AS kinds FROM canonical"
        )
        con.execute("CREATE TEMP TABLE pair_counts AS SELECT ordinal FROM candidate_pairs")
        *before, classified = steps
        execute(con, before)
        return (
            con.execute(f"""
                SELECT c.*, k.vetoes, k.tier, list_filter([{ways}], w -> w IS NOT NULL) AS ways
                FROM compared c JOIN ({classified.sql}) k USING (ordinal) ORDER BY ordinal""")
            .to_arrow_table()
            .to_pylist()
        )
