"""Deltas written in a test, and what a prepared register holds for whoever reads it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from expectations.base import duck
from expectations.names import standard
from pipelines import lake, register
from pipelines.register.opened import addresses, without
from tests.factories.match_inputs import HOME, raw_register, record

TODAY = date(2026, 3, 2)


def oak(n: int, unit: str | None = None) -> dict[str, Any]:
    return {**HOME, "street": f"{n} OAK ST", "unit": unit}


def person(n: int, *homes: dict[str, Any], last: str | None = None) -> dict[str, Any]:
    """Some share a surname, and half of them a given name: counts of names are above one."""
    return record(
        n,
        "Ana" if n % 2 else "Bo",
        last or f"Surname{chr(65 + n % 4)}",
        tin=f"51234{n:04d}",
        birth_date=date(1960 + n, 3, 9),
        homes=list(homes or [oak(100 + n)]),
    )


BASE = [
    *(person(n) for n in range(1, 12) if n != 9),
    *(person(n, oak(12, f"APT {n}")) for n in (20, 21)),
    *(person(n, oak(14, f"APT {n}")) for n in (22, 23)),
]


def write_delta(
    folder: Path,
    records: Sequence[dict[str, Any]] = (),
    removed: Sequence[object] = (),
    *,
    kind: str = "update",
    on: date = TODAY,
) -> Path:
    """A delta: whole records in Parquet, removals in CSV."""
    folder.mkdir(parents=True)
    (folder / "delta.toml").write_text(f'kind = "{kind}"\neffective_on = {on}\n')
    if records:
        raw_register(folder, records)
    if removed:
        with (folder / "removed.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["record_id"], *([each] for each in removed)])
    return folder


def updated(before: Path, folder: Path, target: Path, *, today: date = TODAY) -> lake.Manifest:
    return register.update(before, folder, target, today=today)


def merged(records: Sequence[dict[str, Any]], *deltas: tuple[Sequence[dict[str, Any]], Sequence[int]]) -> list[Any]:
    """The full extract after (records, removed) of each delta."""
    held = {r["record_id"]: r for r in records}
    for new, removed in deltas:
        held |= {r["record_id"]: r for r in new}
        held = {n: r for n, r in held.items() if n not in removed}
    return [held[n] for n in sorted(held)]


def held(manifest: lake.Manifest) -> dict[str, Any]:
    """Persons and addresses that count, bearers by name, and how many persons, however they lie in parts."""
    scans = register.scans(manifest)
    persons = " UNION ALL ".join(f"FROM {without(s.gone, duck.parquet(list(s.persons)))}" for s in scans)
    with duck.session() as con:
        standard.setup(con)
        rows = {
            "persons": con.execute(f"FROM ({persons}) ORDER BY ALL").fetchall(),
            "addresses": con.execute(f"FROM {addresses(manifest)} ORDER BY ALL").fetchall(),
            "names": (
                con.execute(
                    f"SELECT kind, name, sum(n)::BIGINT AS n FROM {duck.parquet(manifest.paths('names'))}"
                    " GROUP BY ALL HAVING n <> 0 ORDER BY ALL"
                ).fetchall()
            ),
            "counted": con.execute(f"""SELECT 'first' AS kind, s_first AS name, count(*) AS n FROM ({persons})
                  WHERE s_first IS NOT NULL GROUP BY ALL
                UNION ALL SELECT 'middle', s_middle, count(*) FROM ({persons}) WHERE s_middle IS NOT NULL GROUP BY ALL
                UNION ALL SELECT 'last', std_first_token(s_last), count(*) FROM ({persons})
                  WHERE s_last IS NOT NULL GROUP BY ALL
                ORDER BY ALL""").fetchall(),
        }
    return {**rows, "size": register.persons(manifest)}


def buildings(manifest: lake.Manifest) -> dict[str, int]:
    """Units by number and street: the most that is said, as `validate` reads them."""
    paths = duck.parquet(manifest.paths("buildings"))
    with duck.session() as con:
        return dict(con.execute(f"SELECT a_number || ' ' || a_street, max(units) FROM {paths} GROUP BY ALL").fetchall())


def changes(manifest: lake.Manifest) -> list[tuple[int, str, str, date]]:
    """(record id, change, kind, effective on), oldest first."""
    with duck.session() as con:
        return con.execute(
            f"SELECT record_id, change, kind, effective_on FROM {duck.parquet(manifest.paths('changes'))}"
            " ORDER BY effective_on, record_id"
        ).fetchall()
